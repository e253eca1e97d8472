# pinion run: jobs from files: inputs of each kind, tasks with settings of their own, --check,
# --set, --print-spec, the schema and the examples.
load helper

# job TEXT: becomes job.json.
job() {
	printf '%s\n' "$1" >job.json
}

# assert_refused MESSAGE: the job is, and says exactly that.
assert_refused() {
	local status=0
	pinion run job.json >out 2>err </dev/null || status=$?
	assert_equal "$(cat err)" "pinion run: $1"
	assert_equal "$status" 2
	[[ ! -s out ]]
}

@test "a job file runs as the command line would" {
	job '{"command": ["echo", "<{}>"], "inputs": {"args": ["a", "b c", "$x"]}, "workers": 2}'
	assert_equal "$(pinion run job.json)" "$(pinion map -j2 echo '<{}>' ::: a 'b c' '$x')"
}

@test "a job comes from stdin, too, and its inputs then do not" {
	echo '{"command": "echo {}", "inputs": {"args": [1, 2]}}' >job.json
	assert_equal "$(pinion run - <job.json)" $'1\n2'
}

@test "without inputs the lines of stdin are" {
	job '{"command": "echo +{}"}'
	assert_equal "$(printf 'a\nb\n' | pinion run job.json)" $'+a\n+b'
}

@test "without a command each input is one" {
	job '{"inputs": {"args": ["echo a | tr a b", "echo c"]}}'
	assert_equal "$(pinion run job.json)" $'b\nc'
}

@test "programs are fed and libraries called" {
	job '{"feed": ["sed", "-u", "s/^/+/"], "inputs": {"range": [1, 3]}}'
	assert_equal "$(pinion run job.json)" $'+1\n+2\n+3'
	job '{"call": "'"$PINION_BUILD"'/plugins/crc32.so", "inputs": {"args": ["a"]}}'
	assert_equal "$(pinion run job.json)" "$(pinion call "$PINION_BUILD/plugins/crc32.so" ::: a)"
}

@test "workers that are executed anew have the job, whatever the file has become" {
	job '{"command": "echo {k} $N; rm -f job.json", "env": {"N": "v"}, "workers": 1,
		"maxtasksperchild": 1, "start_method": "spawn", "inputs": {"jsonl": "tasks"}}'
	printf '{"k": %d}\n' 1 2 3 >tasks
	assert_equal "$(pinion run job.json)" $'1 v\n2 v\n3 v'
}

@test "a server of workers has the job's variables before it forks" {
	job '{"command": "echo $N", "env": {"N": "v"}, "start_method": "forkserver",
		"inputs": {"args": [1]}}'
	assert_equal "$(pinion run job.json)" 'v 1'
}

@test "variables of the job are there for the initializer, the tasks and the program that is fed" {
	job '{"command": "echo $N $M", "env": {"N": "a b", "PATH": "${PATH}"}, "initializer": "export M=$N",
		"inputs": {"args": [1]}}'
	assert_equal "$(pinion run job.json)" 'a b a b 1'
	job '{"feed": "while read -r x; do echo $x $N; done", "env": {"N": 5}, "inputs": {"args": [1]}}'
	assert_equal "$(pinion run job.json)" '1 5'
	assert_equal "$(pinion map --env N=6 --env HOME 'echo $N {}' ::: 1)" '6 1'
}

@test "every task reads the job's stdin" {
	echo text >file
	job '{"command": "cat; echo {}", "stdin": "file", "inputs": {"args": [1, 2]}}'
	assert_equal "$(pinion run job.json)" $'text\n1\ntext\n2'
	assert_equal "$(pinion run job.json --set 'stdin={"text": "x\n"}')" $'x\n1\nx\n2'
	assert_equal "$(pinion map --stdin file 'cat; echo {}' ::: 1)" $'text\n1'
}

@test "records of CSV have names" {
	printf 'name,city\r\n"Ada ""L""","Lon,\ndon"\r\nEmmy,Erlangen\r\n' >people.csv
	job '{"command": ["echo", "{name}:{2}"], "inputs": {"csv": "people.csv", "header": true}}'
	assert_equal "$(pinion run job.json)" $'Ada "L":Lon,\ndon\nEmmy:Erlangen'
	assert_equal "$(pinion map --csv people.csv --header : echo '{name}:{2}')" "$(pinion run job.json)"
}

@test "a JSON line says how its task runs" {
	mkdir folder
	echo there >folder/file
	cat >tasks.jsonl <<-'END'
		{"k": "a"}
		{"k": "b", "env": {"N": "own", "P": 1}, "stdin": {"text": "given\n"}}
		{"k": "c", "cwd": "folder", "stdin": "file"}
	END
	job '{"command": "echo {k} $N$P; cat; basename \"$(pwd)\"", "env": {"N": "job"},
		"inputs": {"jsonl": "tasks.jsonl"}, "workers": 1}'
	assert_equal "$(pinion run job.json)" $'a job\ncwd\nb own1\ngiven\ncwd\nc job\nthere\nfolder'
	assert_equal "$(pinion map --jsonl tasks.jsonl -j1 'echo {k}')" $'a\nb\nc'
}

@test "a task has its own time limit" {
	printf '%s\n' '{"s": 60, "timeout": 0.2}' '{"s": 0}' >tasks.jsonl
	local kind
	for kind in '"command": ["sleep", "{s}"]' '"feed": "while read -r x; do case $x in *60*) sleep 60;; esac; echo; done"'; do
		job "{$kind"', "inputs": {"jsonl": "tasks.jsonl"}, "workers": 1}'
		run -1 timeout -k 1 20 pinion run job.json
		[[ $output == *'1 of 2 tasks failed (1 timed out)'* ]]
	done
}

@test "a folder or a file that a task names and is not there costs that task" {
	printf '%s\n' '{"cwd": "nowhere"}' '{"stdin": "nothing"}' '{"k": 1}' >tasks.jsonl
	job '{"command": ["printf", "%s\\n", "{}"], "inputs": {"jsonl": "tasks.jsonl"}}'
	run --separate-stderr -1 pinion run job.json
	assert_equal "$output" '{"k": 1}'
	[[ $stderr == *'pinion: cannot go to the folder nowhere: No such file or directory'* ]]
	[[ $stderr == *'pinion: cannot open nothing: No such file or directory'* ]]
	[[ $stderr == *'2 of 3 tasks failed (2 exit 126)'* ]]
}

@test "a task that failed is told by its id" {
	printf '%s\n' '{"id": "one", "k": 0}' '{"id": "two\u001b", "k": 3}' >tasks.jsonl
	job '{"command": "exit {k}", "inputs": {"jsonl": "tasks.jsonl"}}'
	run -1 pinion run job.json
	[[ $output == *'task 2: exit 3: [two\x1b]: exit 3'* ]]
	[[ $output != *'[one]'* ]]
}

@test "the results of JSON lines are kept by what the command sees of them" {
	printf '%s\n' '{"args": ["a"], "k": 1, "id": "x"}' '{"args": ["b"], "k": 2}' >tasks.jsonl
	job '{"command": "echo {k}", "inputs": {"jsonl": "tasks.jsonl"}, "results": "res", "quiet": true}'
	pinion run job.json
	assert_equal "$(cat res/1/a/stdout res/1/b/stdout)" $'1\n2'
	pinion run job.json --set 'results=by-{k}.d/'
	assert_equal "$(cat by-1.d/stdout by-2.d/stdout)" $'1\n2'
	pinion run job.json --set results=res.csv
	assert_equal "$(sed -n 's/.*,\(V[^S]*\),Stdout,.*/\1/p' res.csv)" V1
	assert_equal "$(sed -n 's/.*,"echo [0-9]",\([^,]*\),.*/\1/p' res.csv | sort)" $'a\nb'
}

@test "JSON lines come to a program or library as they are, or as their args" {
	printf '%s\n' '{"a": 1}' '{"args": ["x", "y"]}' >tasks.jsonl
	job '{"feed": "cat", "inputs": {"jsonl": "tasks.jsonl"}}'
	assert_equal "$(pinion run job.json)" $'{"a": 1}\nx\ty'
	assert_equal "$(pinion call --jsonl tasks.jsonl "$PINION_BUILD/plugins/crc32.so" | head -1)" \
		"$(pinion call "$PINION_BUILD/plugins/crc32.so" ::: '{"a": 1}')"
}

@test "a line without a member that the command names ends the run with its number" {
	printf '{"k": %d}\n' 1 2 >tasks.jsonl
	echo '{"x": 3}' >>tasks.jsonl
	job '{"command": "echo {k}", "inputs": {"jsonl": "tasks.jsonl"}}'
	run --separate-stderr -3 pinion run job.json
	[[ $stderr == *'tasks.jsonl:3:1: there is no k, which the command names as {k}'* ]]
}

@test "the first JSON line runs while the second is not written yet" {
	mkfifo fifo
	job '{"command": "echo {k}", "inputs": {"jsonl": "fifo"}}'
	pinion run job.json >out 3>&- &
	exec 9>fifo
	echo '{"k": "one"}' >&9
	wait_until grep -qx one out
	echo '{"k": "two"}' >&9
	exec 9>&-
	wait "$!"
	assert_equal "$(cat out)" $'one\ntwo'
}

@test "files are found by patterns, sorted, and those that are new" {
	mkdir -p photos/b photos/a
	touch photos/b/2.jpg photos/a/1.jpg photos/3.jpg photos/a/x.png
	touch -d '2 days ago' photos/3.jpg
	job '{"command": "echo {}", "inputs": {"glob": "photos/**/*.jpg"}}'
	assert_equal "$(pinion run job.json)" $'photos/3.jpg\nphotos/a/1.jpg\nphotos/b/2.jpg'
	assert_equal "$(pinion run job.json --set inputs.newer_than=24h)" $'photos/a/1.jpg\nphotos/b/2.jpg'
	touch -r photos/3.jpg marker
	assert_equal "$(pinion run job.json --set inputs.newer_than=marker | wc -l)" 2
}

@test "what is wrong is refused with its place, and nothing is run" {
	job $'{\n  "command": "touch ran",\n  "wrkers": 3\n}'
	assert_refused 'job.json:3:3: wrkers: unknown key: did you mean workers?'
	job $'{\n  "command": "touch ran", // why\n}'
	assert_refused 'job.json:2:27: JSON has no comments: take it out, or write it into "description"'
	job '{"command": "touch ran",}'
	assert_refused 'job.json:1:24: a comma behind the last one: take it out'
	job '{"command": "touch ran", "inputs": {"lines": "nowhere"}}'
	run ! pinion run job.json
	[[ $output == *'cannot open nowhere: No such file or directory'* ]]
	[[ ! -e ran ]]
}

@test "--check says what would be done, and does it not" {
	job '{"name": "night", "command": ["touch", "{}.done"], "inputs": {"range": [1, 5]}, "workers": 3}'
	assert_equal "$(pinion run --check job.json)" "$(
		cat <<-'END'
			name      night
			inputs    5 numbers
			workers   3
			command   touch {}.done
			first     touch 1.done
		END
	)"
	[[ ! -e 1.done ]]
	job '{"command": "x", "inputs": {"lines": "nowhere"}}'
	run -2 pinion run --check job.json
	assert_equal "$output" 'pinion run: cannot open nowhere: No such file or directory'
	job '{"command": "cat {}", "inputs": {"lines": "-"}}'
	assert_equal "$(echo x | (pinion run --check job.json >/dev/null && cat))" x
}

@test "--check tells of each kind of input, and of none" {
	printf 'a,b\n1,2\n' >table.csv
	printf '{"n": 1}\n' >rows.jsonl
	job '{"command": "echo {b}", "tagstring": "{a}", "inputs": {"csv": "table.csv", "header": true}}'
	run -0 pinion run --check job.json
	[[ $output == *'CSV records of table.csv'*'first     echo 2'* ]]
	job '{"command": "echo {n}", "inputs": {"jsonl": "rows.jsonl"}}'
	run -0 pinion run --check job.json
	[[ $output == *'JSON lines of rows.jsonl'*'first     echo 1'* ]]
	job '{"inputs": {"args": ["echo x"]}}'
	run -0 pinion run --check job.json
	[[ $output == *'command   each input is one'*'first     echo x'* ]]
	job '{"command": "echo {}", "inputs": {"args": []}}'
	run -0 pinion run --check job.json
	[[ $output == *'first     none: there are no inputs'* ]]
	job '{"command": "echo {1}", "tagstring": "{= 1 =}", "inputs": {"args": ["a"]}}'
	run -2 pinion run --check job.json
	[[ $output == *'Perl expressions'* ]]
}

@test "a job of several stages is checked, each of them" {
	job '{"stages": [{"command": "cat {}"}, {"feed": "cat", "wrkers": 1}]}'
	run -2 pinion run --check job.json
	assert_equal "$output" 'pinion run: job.json:1:52: stages[1].wrkers: unknown key: did you mean workers?'
	job '{"inputs": {"args": ["a b"]}, "stages": [{"command": "cat {}", "workers": 2}, {"name": "end", "feed": "cat", "workers": 1}]}'
	assert_equal "$(pinion run --check job.json)" "$(
		cat <<-'END'
			inputs    1 value

			stage     1
			workers   2
			command   cat {}
			first     cat 'a b'

			stage     2: end
			workers   1
			feed      cat
		END
	)"
}

@test "--set wins over the file, and may stand before or behind it" {
	job '{"command": "echo {}", "inputs": {"args": ["a"]}, "tag": true}'
	assert_equal "$(pinion run --set 'inputs.args=["b"]' job.json --set tag=null)" b
	run -2 pinion run job.json --set tag=x
	assert_equal "$output" 'pinion run: --set tag=x: tag: expected true or false, found a string'
}

@test "--print-spec makes a file that does the same" {
	local line
	printf 'x y\n' >lines
	printf 'a,b\n1,2\n' >table.csv
	printf '{"n": 1}\n' >rows.jsonl
	for line in 'echo {} ::: a "b c" :::+ d e' '--tag -j2 "echo {/.}" ::: x/y.z' '-q "echo" :::: lines' \
		'--rpl "{up} s/x/X/" echo {up} :::: lines' '-n2 echo ::: 1 2 3' '-X echo ::: 1 2 3' \
		'--colsep " " echo {2} :::: lines' '-k --retries 2 --halt soon,fail=1 --env A=b "echo {} \$A" ::: 1' \
		'--jobserver "echo {}" ::: 1' '-i echo {} ::: 1' '-e -l echo :::: lines' \
		'--csv table.csv --header : echo {a} {2}' '--jsonl rows.jsonl echo {n}' \
		'echo ::: 1.5 -2 007 1. ""'; do
		eval "pinion map --print-spec $line" >job.json
		assert_equal "$(pinion run job.json)" "$(eval "pinion map $line")"
		assert_equal "$(pinion run --print-spec job.json)" "$(cat job.json)"
		"$root/tests/schema-check" <(pinion run --schema) job.json
	done
	pinion feed --print-spec --inflight 2 sed -u s/a/b/ ::: a >job.json
	assert_equal "$(pinion run job.json)" b
}

@test "the schema is for what the examples are, and not for what is none" {
	local schema=$PINION_BUILD/pinion-job.schema.json
	assert_equal "$(pinion run --schema)" "$(cat "$schema")"
	"$root/tests/schema-check" "$schema" "$root"/tests/examples/*.json
	mkdir bad
	echo '{"wrkers": 1}' >bad/unknown.json
	echo '{"command": []}' >bad/empty.json
	echo '{"command": "x", "inputs": {"args": [], "lines": "f"}}' >bad/two.json
	echo '{"command": "x", "tag": 1}' >bad/type.json
	echo '{"stages": [{"command": "x", "order": "input"}]}' >bad/stage.json
	echo '{"command": "x", "pass": "lines"}' >bad/pass.json
	run -1 "$root/tests/schema-check" "$schema" bad/*.json
	assert_equal "$output" "$(printf '%s\n' bad/*.json)"
	for job in bad/*.json; do
		run -2 pinion run --check "$job"
	done
}

@test "the examples are right" {
	local job
	mkdir photos in
	touch in/a.txt photos/a.jpg
	echo '{"id": 1, "text": "x"}' >documents.jsonl
	for job in "$root"/tests/examples/*.json; do
		pinion run --check "$job"
	done
}

@test "the example of photos makes thumbnails" {
	mkdir -p photos/new thumbs
	vips black photos/new/a.jpg 640 480
	vips black 'photos/b c.jpg' 640 480
	pinion run "$root/tests/examples/photos-overnight.json"
	assert_equal "$(vipsheader -f width 'thumbs/b c.jpg')" 320
	[[ -s thumbs/a.jpg ]]
}

@test "the example of embeddings loads its model once in each worker" {
	skip_if_instrumented
	local number
	cp "$root/tests/examples/embed.py" .
	for number in {1..100}; do
		printf '{"id": %d, "text": "document %d"}\n' "$number" "$number"
	done >documents.jsonl
	pinion run "$root/tests/examples/embeddings.json" >out 2>err
	assert_equal "$(wc -l <out)" 100
	assert_equal "$(sed -n '7s/, .*//p' out)" '{"id": 7'
	(($(grep -c 'model loaded' err) >= 1 && $(grep -c 'model loaded' err) <= 2))
}

@test "the example of stages writes what it has read" {
	mkdir in
	cp "$root/README" in/a.txt
	cp "$root/COPYING" in/b.txt
	pinion run "$root/tests/examples/read-transform-write.json"
	diff <(cat out-*.txt | sort) <(cat in/*.txt | tr '[:lower:]' '[:upper:]' | sort)
}

@test "a file of anything is refused, and never waited for" {
	local text
	for text in '' '{' '[' '"' '{"a"' "$(printf '[%.0s' {1..5000})" '{"command": "\u0000"}' '{"timeout": 1e999}' \
		'{"command": "x", "command": "y"}' 'null' '{"command": "x"} {"command": "y"}'; do
		printf %s "$text" >job.json
		run -2 timeout -k 1 20 pinion run job.json
		[[ $output == 'pinion run: job.json:'* ]]
	done
}

@test "lines of anything are refused by their number and place, or are tasks" {
	local text expected size=$((100000000 / $(slowness)))
	while IFS='|' read -r text expected; do
		printf '{"k": 1}\n%s\n' "$text" >tasks.jsonl
		run -3 --separate-stderr timeout -k 1 20 pinion map --jsonl tasks.jsonl --quiet true {}
		[[ $stderr == "pinion map: tasks.jsonl:2:$expected"* ]]
	done <<-END
		$(printf '[%.0s' {1..1000})|65: [0][0]
		{"k": "\\u0000"}|8: k: \\u0000 is a NUL byte
		{"k": 1, "k": 2}|10: k: this key is here twice
		{"timeout": 1e400}|13: timeout: a number so large cannot be had
		{"timeout": 1e300}|13: timeout: expected a number of seconds
		{"timeout": -1}|13: timeout: expected a number of seconds
		{"k": 1} {}|10: expected nothing more
		7|1: expected an object, found a number
	END
	{
		printf '{"args": ["'
		head -c "$size" /dev/zero | tr '\0' a
		printf '"]}\n'
	} >tasks.jsonl
	assert_equal "$(timeout -k 1 50 pinion call --jsonl tasks.jsonl "$PINION_BUILD/plugins/crc32.so")" \
		"$(head -c "$size" /dev/zero | tr '\0' a | python3 -c 'import sys, zlib
print("%08x" % zlib.crc32(sys.stdin.buffer.read()))')"
	run -1 timeout -k 1 50 pinion map --jsonl tasks.jsonl true {}
	[[ $output == *'cannot execute: Argument list too long'* ]]
}

@test "what is different for one run is said by options, before or behind the file" {
	job '{"command": "echo {}; [ {} != 2 ]", "inputs": {"args": [1, 2]}, "joblog": "file.log", "workers": 3}'
	run --separate-stderr -1 pinion run --json job.json --joblog '12 ${x}.log' -j1 --quiet
	assert_equal "$(jq -c '[.seq, .exit, .worker]' <<<"$output")" $'[1,0,0]\n[2,1,0]'
	[[ -z $stderr && ! -e file.log ]]
	assert_equal "$(wc -l <'12 ${x}.log')" 3
	run -1 pinion run job.json --run-file run.db
	assert_equal "$(pinion run job.json --run-file run.db --resume 2>/dev/null)" ''
	assert_equal "$(pinion run job.json --run-file run.db --resume-failed 2>/dev/null)" 2
}

@test "options reach all stages of a job" {
	job '{"inputs": {"args": [1, 2]}, "stages": [{"command": "seq {}"}, {"command": "echo"}]}'
	assert_equal "$(pinion run --json job.json | jq -r .stage | sort | uniq -c | xargs)" '2 1 3 2'
	run -2 pinion run -j2 job.json
	[[ $output == *'workers: with stages this belongs into each of them' ]]
}

@test "an option's value behind a job's file may be any bytes" {
	job '{"command": "echo", "inputs": {"args": [1]}}'
	local name=$'a\xff"\\${HOME}\n'
	assert_equal "$(pinion run job.json --joblog "$name")" 1
	assert_equal "$(wc -l <"$name")" 2
}
