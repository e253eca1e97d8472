# --results: what tasks print, kept in files, tables and objects.
# shellcheck shell=bats
# shellcheck disable=SC2154  # bats sets output, stderr and status; helper.bash gnu_parallel
# shellcheck disable=SC2016  # the tasks' shell expands, not ours

load helper

setup() {
	common_setup
	mkdir "$HOME/.parallel"
	touch "$HOME/.parallel/will-cite"
}

# The version that the names below are of; under valgrind and the like it is not what is tested.
is_there_to_compare() {
	[[ -z ${PINION_TEST_MODE-} ]] && gnu_parallel_available &&
		[[ $("$gnu_parallel" --version) == "GNU parallel 20221122"* ]]
}

# Everything below a folder with its bytes: "name: content", newlines as ?.
listing() {
	(cd "$1" && find . -type f -print0 | sort -z | while IFS= read -r -d '' file; do
		printf '%s: ' "$file"
		cat "$file"
		printf '\0'
	done) | tr '\n\0' '?\n'
}

# The folders with a result in them, or the names of files with one and a dot.
names() {
	(cd "$1" && find . -name '*seq' -print0) | tr '\n\0' '?\n' | sed -e 's|^\./||' -e 's|/\?seq$||' | sort
}

# same NAME EXPECTED ARGUMENT...: pinion's results below ./out are called so, and GNU parallel's are
# the same. Both are given the file `input`.
same() {
	local name=$1 expected=$2
	shift 2
	rm -rf ours theirs
	mkdir ours theirs
	(cd ours && timeout 60 pinion parallel --results "$name" "$@" <../input)
	assert_equal "$(names ours/out)" "$expected"
	is_there_to_compare || return 0
	(cd theirs && timeout 60 "$gnu_parallel" --results "$name" "$@" <../input)
	assert_equal "$(listing ours)" "$(listing theirs)"
}

@test "a folder has GNU parallel's names and content" {
	: >input
	same out $'1/-rf\n1/..\\_..\\_x\n1/.hidden\n1/\\_\n1/\\t\n1/a\n1/a%2Fb\n1/b c\n1/back\\\\slash\n1/d\\_e\n1/ü' \
		'echo {}; echo e {} >&2' ::: a 'b c' d/e ../../x -rf / .hidden $'\t' 'back\slash' ü a%2Fb
	same out '1' echo '[{}]' ::: ''
	same out $'1/a/2/1\n1/a/2/2\n1/b/2/1\n1/b/2/2' echo ::: a b ::: 1 2
	same out 'a/1/b/2/c/3' --header : echo ::: c 3 ::: a 1 ::: b 2
	same out '2/1/10/2' --header : echo ::: 10 2 ::: 2 1
	same out $'1/a/1/b\n1/c' -N2 echo ::: a b c
	same out '1/a/1/b/1/c' -j1 -m echo ::: a b c
	same out/ $'1/a\n1/b' echo ::: a b
	printf 'a b\tc\nd/e\tf\n' >input
	same out $'1/a b/2/c\n1/d\\_e/2/f' --colsep '\t' echo
	printf 'n2\tn1\na\tb\nc\td\n' >input
	same out $'n1/b/n2/a\nn1/d/n2/c' --colsep '\t' --header : echo
}

@test "a template has GNU parallel's names and content" {
	: >input
	same 'out/x_{}' $'x_$HOME.\nx_.\nx_a.\nx_b/c.\nx_e f.\nx_q\'q.' echo ::: a b/c '' 'e f' "q'q" '$HOME'
	same 'out/{1}-{2}/' $'a-1\na-2\nb/c-1\nb/c-2' echo ::: a b/c ::: 1 2
	same 'out/{#}_{/.}.txt' $'1_a.txt.\n2_c.txt.' echo ::: x/a.jpg b/c.png
	same 'out/{n}' $'b.\nx.' --header : echo ::: n x b
	same 'out/{}' $'c.\nx b.' -n2 echo ::: x b c
	same 'out/,,' $'b.\nx.' -I ,, echo ,, ::: x b
}

@test "values never lead out of the folder" {
	local long name value
	long=$(printf 'x%.0s' {1..4096})
	mkdir -p deep/down && cd deep/down
	for name in out 'out/{}' 'out/{}/' 'out/a{1}' 'out/{/}'; do
		for value in .. . ../x ../../../y /etc/z -rf "$long" "$long/y" $'new\nline' 'a//b' ./c ../ "$PWD/abs"; do
			timeout 60 pinion map --results "$name" echo ::: "$value"
			assert_equal "$(ls -A)" out
			assert_equal "$(find out -name '*seq' -printf x)" x
			rm -r out
		done
	done
	assert_equal "$(ls -A ../..)" deep
	assert_equal "$(ls -A ..)" down
}

@test "a header's names do not lead out of the folder either" {
	timeout 60 pinion map --header : --results out echo ::: ../../up 1 ::: /abs 2
	assert_equal "$(ls -A)" out
	assert_equal "$(names out)" '\../\../up/1/abs/2'
}

@test "each value has its own files, whatever it is" {
	printf '%s\0' . .. '\.' '\..' 'a/b' 'a\_b' 'a\b' 'a\\b' $'a\tb' 'a\tb' $'a\nb' 'a b' >items
	timeout 60 pinion map -0 -a items --results out 'printf %s {}'
	assert_equal "$(find out -name seq | wc -l)" "$(find out -name stdout -size +0 | wc -l)"
	find out -name stdout -exec sh -c 'cat "$1"; printf "\0"' sh {} \; | sort -z >kept
	sort -z items | assert_same_bytes kept -
}

@test "tasks without values have their numbers" {
	timeout 60 pinion map -n0 --results out 'echo x' ::: a b
	assert_equal "$(names out)" $'#/1\n#/2'
}

@test "a link below the folder is not followed, and the run fails" {
	mkdir -p out/1 elsewhere
	ln -s ../../elsewhere out/1/a
	run --separate-stderr timeout 60 pinion map --results out echo ::: a
	assert_equal "$status" 3
	[[ $stderr == *'out/1/a'* ]]
	assert_equal "$(ls -A elsewhere)" ''
}

@test "a link in the place of a file is replaced, not written to" {
	mkdir -p out/1/a
	echo mine >target
	ln -s ../../../target out/1/a/stdout
	timeout 60 pinion map --results out echo ::: a
	assert_equal "$(cat target)" mine
	assert_equal "$(cat out/1/a/stdout)" a
}

@test "what is kept is not printed, but with --line-buffer it is" {
	run --separate-stderr timeout 60 pinion map --results out 'echo {}; echo e >&2' ::: a b
	assert_equal "$output$stderr" ''
	run --separate-stderr timeout 60 pinion map --results t.csv 'echo {}; echo e >&2' ::: a b
	assert_equal "$output$stderr" ''
	run --separate-stderr timeout 60 pinion map --line-buffer --results out 'echo {}; echo e >&2' ::: a b
	assert_equal "$output" $'a\nb'
	assert_equal "$stderr" $'e\ne'
	assert_equal "$(cat out/1/a/stdout)" a
	run --separate-stderr timeout 60 pinion map -v --results out 'echo {}' ::: a b
	assert_equal "$output" $'echo a\necho b'
}

@test "--ungroup does not keep output from being kept" {
	run timeout 60 pinion map -u --results out echo ::: a
	assert_equal "$output" ''
	assert_equal "$(cat out/1/a/stdout)" a
}

@test "a dry run keeps nothing and shows the commands" {
	run timeout 60 pinion map --dry-run --results out echo ::: a
	assert_equal "$output" 'echo a'
	run timeout 60 pinion map --dry-run --results t.csv echo ::: a
	assert_equal "$output" 'echo a'
	assert_equal "$(ls -A)" ''
}

@test "only the last attempt is kept" {
	timeout 60 pinion map --retries 3 --results out 'echo $PINION_ATTEMPT; [ $PINION_ATTEMPT = 3 ] || exit {}' ::: 1
	assert_equal "$(cat out/1/1/stdout)" 3
	timeout 60 pinion map --retries 3 --results t.jsonl 'echo $PINION_ATTEMPT; [ $PINION_ATTEMPT = 3 ] || exit {}' ::: 1
	assert_equal "$(grep -c . t.jsonl)" 1
	grep -q '"attempts":3.*"stdout":"3\\n"' t.jsonl
}

@test "a task that failed is kept, one that was cancelled is not" {
	mkfifo go
	run timeout 60 pinion map -j2 --halt now,fail=1 --results out \
		'echo x; [ {} = a ] && { read -r _ <go; exit 3; }; echo >go; exec sleep 1000' ::: a b
	assert_equal "$(names out)" 1/a
	assert_equal "$(cat out/1/a/stdout)" x
	assert_nothing_left
}

@test "the files follow the umask" {
	(umask 027 && timeout 60 pinion map --results out echo ::: a)
	(umask 027 && timeout 60 pinion map --results t.csv echo ::: a)
	assert_equal "$(stat -c %a out out/1/a out/1/a/stdout t.csv | tr '\n' ' ')" '750 750 640 640 '
}

@test "feed and call keep the answers" {
	timeout 60 pinion feed --results out cat ::: a b
	assert_equal "$(cat out/1/a/stdout out/1/b/stdout)" $'a\nb'
	timeout 60 pinion feed --results t.csv cat ::: a b
	assert_equal "$(tail -n +2 t.csv | grep -c ',0,0,')" 2
	if [[ -e $PINION_BUILD/plugins/crc32.so ]]; then
		timeout 60 pinion call "$PINION_BUILD/plugins/crc32.so" ::: items >plain || true
		timeout 60 pinion call --results out "$PINION_BUILD/plugins/crc32.so" ::: items || true
		assert_same_bytes out/1/items/stdout plain
	fi
}

# --- tables ---

# Values and outputs that are hard to write in any of the formats.
hard_tasks() {
	local value
	printf '%s\0' plain 'a b' 'a,b' $'a\tb' 'say "x"' $'two\nlines' $'cr\rlf' ü '' "'" $'\v\f' '=1+1' >values
	mapfile -d '' values <values
	timeout 60 pinion map "$@" 'printf "%s|" {}; printf "%s\n" {} >&2; exit 3' ::: "${values[@]}" ||
		assert_equal "$?" 1
}

@test "csv and tsv are what Python's csv reads back" {
	hard_tasks --results t.csv
	hard_tasks --results T.TSV
	python3 - <<-'EOF'
		import csv
		values = open("values", newline="").read().split("\0")[:-1]
		for name, dialect in ("t.csv", "excel"), ("T.TSV", "excel-tab"):
		    rows = list(csv.reader(open(name, newline=""), dialect))
		    assert rows[0] == ["Seq", "Host", "Starttime", "JobRuntime", "Send", "Receive",
		                       "Exitval", "Signal", "Command", "V1", "Stdout", "Stderr"], rows[0]
		    rows = sorted(rows[1:], key=lambda row: int(row[0]))
		    assert len(rows) == len(values), rows
		    for number, (row, value) in enumerate(zip(rows, values), 1):
		        assert row[0] == str(number) and row[1] == ":" and row[4] == "0", row
		        assert float(row[2]) > 1e9 and float(row[3]) >= 0, row
		        assert int(row[5]) == len(value.encode()) + 1, row
		        assert row[6:8] == ["3", "0"] and row[9:] == [value, value + "|", value + "\n"], row
	EOF
}

@test "json and jsonl are what Python's json reads back" {
	hard_tasks --results t.json
	hard_tasks --results t.jsonl
	python3 - <<-'EOF'
		import json
		values = open("values", newline="").read().split("\0")[:-1]
		ours = sorted((json.loads(line) for line in open("t.jsonl", newline="\n")), key=lambda o: o["seq"])
		gnus = sorted((json.loads(line) for line in open("t.json", newline="\n")), key=lambda o: o["Seq"])
		assert len(ours) == len(gnus) == len(values)
		for seq, (own, gnu, value) in enumerate(zip(ours, gnus, values)):
		    assert own["seq"] == seq + 1 and gnu["Seq"] == seq + 1
		    assert own["args"] == gnu["V"] == [value], own
		    assert own["stdout"] == gnu["Stdout"] == value + "|", own
		    assert own["stderr"] == gnu["Stderr"] == value + "\n", own
		    assert own["status"] == "failed" and own["exit"] == gnu["Exitval"] == 3, own
		    assert own["command"] == gnu["Command"] and "signal" not in own, own
		    assert list(gnu) == ["Seq", "Host", "Starttime", "JobRuntime", "Send", "Receive",
		                         "Exitval", "Signal", "Command", "V", "Stdout", "Stderr"], list(gnu)
	EOF
}

@test "bytes that are no text are base64 in jsonl" {
	timeout 60 pinion map --results t.jsonl 'printf "\377\0x"' ::: $'\xfe'
	python3 - <<-'EOF'
		import base64, json
		task = json.loads(open("t.jsonl").read())
		assert base64.b64decode(task["stdout_base64"]) == b"\xff\0x", task
		assert [base64.b64decode(arg) for arg in task["args_base64"]] == [b"\xfe"], task
		assert "stdout" not in task and "args" not in task and task["stderr"] == "", task
	EOF
}

@test "a header's names are those of the columns" {
	timeout 60 pinion map --header : --results t.csv echo ::: 'first one' a ::: second b
	assert_equal "$(head -n 1 t.csv)" 'Seq,Host,Starttime,JobRuntime,Send,Receive,Exitval,Signal,Command,"first one",second,Stdout,Stderr'
}

@test "rows have as many cells as the header, however many values there are" {
	timeout 60 pinion map -j1 -N2 --results t.csv echo ::: a b c
	timeout 60 pinion map -j1 -N2 --results -.csv echo ::: a b c >out.csv
	printf '1 2\n3 4 5\n6\n' | timeout 60 pinion map --colsep ' ' --results u.csv echo
	python3 - <<-'EOF'
		import csv
		for name in "t.csv", "out.csv", "u.csv":
		    assert len({len(row) for row in csv.reader(open(name, newline=""))}) == 1, name
	EOF
}

@test "records on stdout are in the order of the output, behind their header" {
	mkfifo go
	timeout 60 pinion map -j2 --results -.csv '[ {} = a ] && read -r _ <go; [ {} = b ] && echo >go; echo {}' ::: a b c >t.csv
	python3 -c 'import csv; assert [row[0] for row in csv.reader(open("t.csv"))] == ["Seq", "1", "2", "3"]'
	timeout 60 pinion parallel --results -.csv echo ::: a >t.csv
	assert_equal "$(grep -c Seq t.csv)" 1
	timeout 60 pinion map -v --tag --line-buffer --results -.jsonl 'echo {}; echo e >&2' ::: a b c >t.jsonl 2>err
	python3 -c 'import json; assert [json.loads(line)["stdout"] for line in open("t.jsonl")] == ["a\n", "b\n", "c\n"]'
	assert_equal "$(cat err)" ''
}

@test "records on stdout end quietly with their reader" {
	set +o pipefail
	timeout 60 pinion map --results -.jsonl echo ::: {1..2000} 2>err | head -n 1 >first
	assert_equal "$(cat err)" ''
	grep -q '^{"seq":1,' first
}

@test "an output larger than the memory it may have is whole in a record" {
	timeout 60 pinion map --buffer 1M --results t.csv ': {}; head -c 20000000 /dev/zero | tr "\0" "\""' ::: a b
	timeout 60 pinion map --buffer 1M --results t.jsonl ': {}; head -c 20000000 /dev/zero' ::: a b
	timeout 60 pinion map --buffer 1M --results out ': {}; head -c 20000000 /dev/zero' ::: a b
	assert_equal "$(stat -c %s out/1/a/stdout out/1/b/stdout | tr '\n' ' ')" '20000000 20000000 '
	python3 - <<-'EOF'
		import csv, json, sys
		csv.field_size_limit(1 << 30)
		rows = list(csv.reader(open("t.csv", newline="")))
		assert [row[-2] == '"' * 20000000 for row in rows[1:]] == [True, True]
		tasks = [json.loads(line) for line in open("t.jsonl")]
		assert [task["stdout"] == "\0" * 20000000 for task in tasks] == [True, True]
	EOF
}

# --- failures ---

# The run failed, and one line says so: it names this.
failed_naming() {
	assert_equal "$status" 3
	assert_equal "$(grep -c "cannot write results to $1" <<<"$stderr")" 1
}

@test "a full disk is an error that names the file" {
	needs_strace
	touch full.csv full.jsonl
	run --separate-stderr on_full_disk full.csv pinion map --results full.csv echo ::: a b
	failed_naming full.csv
	run --separate-stderr on_full_disk full.jsonl pinion map --results full.jsonl echo ::: a b
	failed_naming full.jsonl
	run --separate-stderr on_full_disk full.csv pinion parallel --results full.csv echo ::: a
	assert_equal "$status" 255
}

@test "a file that may not grow is an error, and no half of it is there" {
	run --separate-stderr bash -c 'ulimit -f 4000; exec timeout 60 pinion map --results out ": {}; head -c 10000000 /dev/zero" ::: a'
	failed_naming out/1/a/stdout
	assert_equal "$(find out -type f -size +0)" ''
	run --separate-stderr bash -c 'ulimit -f 4000; exec timeout 60 pinion map --results t.csv ": {}; head -c 10000000 /dev/zero" ::: a'
	failed_naming t.csv
	assert_equal "$(wc -c <t.csv)" 0
}

@test "a folder that cannot be made is told before any task runs" {
	touch file
	run --separate-stderr timeout 60 pinion map --results file/out 'touch ran' ::: a
	assert_equal "$status" 3
	[[ $stderr == *'file/out'* ]]
	run --separate-stderr timeout 60 pinion map --results file/t.csv 'touch ran' ::: a
	assert_equal "$status" 3
	[[ $stderr == *'file/t.csv'* ]]
	[[ ! -e ran ]]
}

@test "a pipe is no place for a table" {
	mkfifo t.csv
	run --separate-stderr timeout 60 pinion map --results t.csv echo ::: a
	assert_equal "$status" 2
	[[ $stderr == *t.csv* ]]
}

@test "two runs do not write one table" {
	mkfifo go
	timeout 60 pinion map --results t.csv 'echo; read -r _ <go' ::: a 3>&- &
	local pid=$!
	wait_until test -e t.csv
	wait_until processes_marked >/dev/null
	exec 4>go
	run --separate-stderr timeout 60 pinion map --results t.csv 'touch ran' ::: a
	echo >&4
	wait "$pid"
	[[ $status != 0 && $stderr == *'t.csv is in use by another run'* && ! -e ran ]]
	assert_equal "$(wc -l <t.csv)" 3
}
