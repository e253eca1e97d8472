# --json and --json-stream: a line for each task, or for each thing that happens to it. What the
# lines may hold is in the schema beside pinion-json(5), which all that is printed here is held
# against.
load helper

setup() {
	common_setup
	schema=$root/man/pinion-json.schema.json
	cat >validate.py <<-'END'
		import json, sys
		from jsonschema import Draft202012Validator

		def unequal(pairs):
		    names = [name for name, _ in pairs]
		    assert len(names) == len(set(names)), "twice: %s" % names
		    return dict(pairs)

		schema = json.load(open(sys.argv[1]))
		Draft202012Validator.check_schema(schema)
		validator = Draft202012Validator(schema)
		count = 0
		for line in open(sys.argv[2], encoding="utf-8", newline="\n"):
		    assert line.endswith("\n"), "cut short: " + line
		    value = json.loads(line, object_pairs_hook=unequal)
		    errors = list(validator.iter_errors(value))
		    if errors:
		        sys.exit("%s\n%s" % (line, errors[0]))
		    count += 1
		print(count)
	END
}

# valid FILE COUNT: so many lines, each as the schema has it.
valid() {
	assert_equal "$(python3 validate.py "$schema" "$1")" "$2"
}

# some_valid FILE COUNT: the same, but only the ends of a long file are held against the schema.
some_valid() {
	assert_equal "$(wc -l <"$1")" "$2"
	{
		head -n 500 "$1"
		tail -n 500 "$1"
	} >"$1.ends"
	valid "$1.ends" 1000
}

# The lines' members as one line: members FILTER FILE.
members() {
	jq -rc "$1" "$2" | paste -sd ' '
}

@test "--json prints a line for each task, in order, and the schema has each" {
	run --separate-stderr pinion map --json -j4 \
		'echo out {}; echo err {} >&2; exit $(({} % 3))' ::: 0 1 2 3 4 5
	assert_equal "$status" 1
	printf '%s\n' "$output" >out
	valid out 6
	assert_equal "$(members .seq out)" '1 2 3 4 5 6'
	assert_equal "$(members .exit out)" '0 1 2 0 1 2'
	assert_equal "$(members .status out)" 'done failed failed done failed failed'
	assert_equal "$(members .args out)" '["0"] ["1"] ["2"] ["3"] ["4"] ["5"]'
	assert_equal "$(jq -j .stdout out)" "$(printf 'out %d\n' 0 1 2 3 4 5)"
	assert_equal "$(jq -j .stderr out)" "$(printf 'err %d\n' 0 1 2 3 4 5)"
	[[ $stderr == *'4 of 6 tasks failed'* ]]
}

@test "what stands in a line is true" {
	pinion map --json -j1 'echo $PPID $$ $PINION_SLOT $PINION_WORKER; sleep 0.1; : {}' ::: a >out
	valid out 1
	assert_equal "$(jq -r '"\(.pid) \(.slot) \(.worker)"' out)" "$(jq -r .stdout out | cut -d' ' -f2-)"
	jq -e --argjson now "$EPOCHREALTIME" '.start_s <= $now and .start_s > $now - 60' out
	jq -e '.wall_s >= 0.1 and .wall_s < 60 and .user_s + .sys_s < 60' out
	jq -e '.maxrss_bytes > 100000 and .attempts == 1 and has("signal") == false' out
}

@test "each end of a task has its line" {
	printf '#!/nonexistent/interpreter\n' >broken
	chmod +x broken
	run pinion map --json -j1 ./broken {} ::: x
	printf '%s\n' "${lines[0]}" >out
	run pinion map --json --quiet -j1 'kill -KILL $$; : {}' ::: a
	printf '%s\n' "${lines[@]}" >>out
	run pinion map --json --quiet --timeout 0.2 sleep ::: 20
	printf '%s\n' "${lines[@]}" >>out
	run pinion map --json --quiet -j1 --halt now,fail=1 'exit {}' ::: 1 0 0
	printf '%s\n' "${lines[@]}" >>out
	valid out 6
	assert_equal "$(members .status out)" 'cannot_execute killed timed_out failed skipped skipped'
	assert_equal "$(members .signal out)" 'null 9 15 null null null'
	assert_equal "$(members .attempts out)" '1 1 1 1 0 0'
	assert_equal "$(jq -s 'all(has("error"))' out)" true
}

@test "tasks that a signal ends have their line, too" {
	pinion map --json --quiet -j2 ': >at.{}; sleep 60' ::: 1 2 3 >out &
	local pid=$!
	wait_until test -e at.1 -a -e at.2
	kill -TERM $pid
	wait "$pid" || true
	valid out 3
	assert_equal "$(members .status out)" 'cancelled cancelled skipped'
	assert_nothing_left
}

@test "--unordered --json prints tasks as they end" {
	pinion map --json --unordered -j2 \
		'until [ {} = 2 ] || [ -e done ]; do sleep 0.01; done; echo {}' ::: 1 2 | {
		read -r first
		: >"done"
		read -r second
		assert_equal "$(jq .seq <<<"$first$second" | paste -sd ' ')" '2 1'
	}
}

@test "any bytes come back as they were" {
	local i
	for i in 1 2 3 4 5 6 7; do
		head -c "$((i * 30001))" /dev/urandom >"bytes.$i"
	done
	seq 100000 | sed 's/$/ "\\\t\x01\x7f äöü €😀/' >bytes.8
	printf 'a\0b' >bytes.9
	printf 'ends in the middle of \xf0\x9f\x98' >bytes.a
	pinion map --json -j4 cat ::: bytes.* >out
	valid out 10
	assert_equal "$(members 'has("stdout")' out)" \
		'false false false false false false false true true false'
	python3 - out <<-'END'
		import base64, json, sys
		for line in open(sys.argv[1], encoding="utf-8", newline="\n"):
		    task = json.loads(line)
		    got = (base64.b64decode(task["stdout_base64"]) if "stdout_base64" in task
		           else task["stdout"].encode())
		    assert got == open(task["args"][0], "rb").read(), task["args"]
	END
}

@test "values that are not UTF-8 are base64, and so is their command" {
	pinion map --json 'printf %s {}' ::: $'\xff' 'ü "q"' >out
	valid out 2
	assert_equal "$(members .args_base64 out)" '["/w=="] null'
	assert_equal "$(members .args out)" 'null ["ü \"q\""]'
	assert_equal "$(jq -r '.command_base64 // empty' out | base64 -d)" $'printf %s \'\xff\''
	assert_equal "$(jq -r 'select(.seq == 2) | .command' out)" "printf %s 'ü \"q\"'"
}

@test "only the output of the last attempt is in the line" {
	pinion map --json --retries 3 'echo try $PINION_ATTEMPT {}; exit $((3 - PINION_ATTEMPT))' ::: a >out
	valid out 1
	assert_equal "$(jq -r '"\(.attempts) \(.stdout)"' out)" '3 try 3 a'
}

@test "all verbs have --json" {
	pinion parallel --json 'echo {}' ::: a b >out
	valid out 2
	pinion feed --json cat ::: 'a"b' b >out
	valid out 2
	assert_equal "$(jq -j .stdout out)" $'a"b\nb'
	pinion call --json "$PINION_BUILD/plugins/crc32.so" ::: a b >out
	valid out 2
	assert_equal "$(members .seq out)" '1 2'
	assert_equal "$(jq -j .stdout out)" "$(pinion call "$PINION_BUILD/plugins/crc32.so" ::: a b)"
	assert_equal "$(members 'has("command")' out)" 'false false'
}

@test "many short answers have a line each, in order, like the plain ones" {
	local count=100000
	[[ -z ${PINION_TEST_MODE-} ]] || count=2000
	seq $count >in
	pinion call "$PINION_BUILD/plugins/crc32.so" <in >plain
	pinion call --json "$PINION_BUILD/plugins/crc32.so" <in >out
	some_valid out $count
	jq -r '.args[0]' out | assert_same_bytes - in
	jq -j .stdout out | assert_same_bytes - plain
	pinion call --json-stream "$PINION_BUILD/plugins/crc32.so" <in >out
	some_valid out $((3 * count))
	jq -j '.stdout // empty' out | assert_same_bytes - plain
}

@test "--dry-run --json says what would be run, and runs nothing" {
	pinion map --json --dry-run touch {} ::: 'a b' c >out
	valid out 2
	assert_equal "$(members .status out)" 'dry_run dry_run'
	assert_equal "$(jq -r .command out)" $'touch \'a b\'\ntouch c'
	[[ ! -e c ]]
	pinion map --json-stream --dry-run touch {} ::: c >out
	valid out 1
}

@test "-t shows commands on stderr, beside the lines" {
	run --separate-stderr pinion map --json -t echo ::: a
	assert_equal "$stderr" 'echo a'
	assert_equal "$(jq -r .stdout <<<"$output")" a
}

@test "options that would print something else are refused, with what to do" {
	local option
	for option in -u --lb --tag '--tagstring=x' -v; do
		run pinion map --json $option echo ::: a
		assert_equal "$status" 2
		assert_equal "${#lines[@]}" 1
		[[ $output == 'pinion map: --json cannot be combined with -'* ]]
	done
	run pinion feed --json-stream --tag cat ::: a
	assert_equal "$status" 2
	run pinion parallel --json -u echo ::: a
	assert_equal "$status" 255
}

@test "--json-stream tells of starts, pieces and ends, a task after the other" {
	pinion map --json-stream -j2 'echo a{}; echo e{} >&2' ::: 1 2 >out
	valid out 8
	assert_equal "$(members '"\(.event)\(.seq)"' out)" \
		'started1 output1 output1 finished1 started2 output2 output2 finished2'
	assert_equal "$(jq -j '.stdout // empty' out)" $'a1\na2'
	assert_equal "$(jq -j '.stderr // empty' out)" $'e1\ne2'
	jq -es 'all(.event != "finished" or (has("stdout") or has("stderr") | not))' out
}

@test "--json-stream tells at once what happens to the task whose turn it is" {
	mkfifo go
	pinion map --json-stream 'echo first; read x <go; echo second' ::: a >out &
	wait_until grep -q first out
	assert_equal "$(members .event out)" 'started output'
	echo >go
	wait $!
	assert_equal "$(members .event out)" 'started output output finished'
}

@test "--unordered --json-stream mixes the events of tasks, never their lines" {
	pinion map --json-stream --unordered -j4 'echo begin {}; : >at.{}
		until [ -e at.1 ] && [ -e at.2 ] && [ -e at.3 ] && [ -e at.4 ]; do sleep 0.01; done
		echo end {}' ::: 1 2 3 4 >out
	valid out "$(wc -l <out)"
	local n
	for n in 1 2 3 4; do
		assert_equal "$(jq -j "select(.seq == $n) | .stdout // empty" out)" $'begin '"$n"$'\nend '"$n"
		assert_equal "$(jq -r "select(.seq == $n) | .event" out | uniq | paste -sd ' ')" \
			'started output finished'
	done
}

@test "--json-stream tells of failed attempts, and of what they printed" {
	run pinion map --json-stream --quiet --retries 2 'echo $PINION_ATTEMPT; exit 7' ::: a
	printf '%s\n' "${lines[@]}" >out
	valid out 6
	assert_equal "$(members '"\(.event)\(.attempt // .attempts)"' out)" \
		'started1 output1 retried1 started2 output2 finished2'
	assert_equal "$(members '.exit // empty' out)" '7 7'
}

@test "--json-stream tells of the start of an attempt that at once ends its worker" {
	run pinion call --json-stream --quiet --retries 2 -j1 "$PINION_BUILD/plugins/faults.so" ::: a '_exit 7'
	assert_equal "$status" 1
	assert_equal "$(jq -c 'select(.seq == 2) | [.event, .attempt // .attempts]' <<<"$output")" \
		$'["started",1]\n["retried",1]\n["started",2]\n["finished",2]'
}

@test "a task may print far more than --buffer, and memory stays small" {
	skip_if_instrumented
	local kib
	pinion map -j2 --json --buffer 1M 'head -c 60000000 /dev/zero | tr "\0" {}' ::: x '"' >out &
	local pid=$!
	while kill -0 $pid 2>/dev/null; do
		kib=$(awk '/^VmHWM/ { print $2 }' /proc/$pid/status 2>/dev/null) || true
		most=${kib:-${most-}}
		env -u PINION_TEST_MARK sleep 0.02
	done
	wait $pid
	export LC_ALL=C # or these take as long as the run
	assert_equal "$(wc -l <out)" 2
	((most < 30000))
	assert_equal "$(sed -n 's/.*"stdout":"//; s/","stderr":""}$//; 1p' out | tr -d 'x\n' | wc -c)" 0
	assert_equal "$(wc -c <out)" $((60000000 + 120000000 + $(sed 's/"stdout":"[^,]*",/"stdout":"",/' out | wc -c)))
}

@test "a disk that is full fails loudly, and no record says that it went well" {
	[[ -c /dev/full ]] || skip "no /dev/full"
	run bash -c 'pinion map --json --joblog log true ::: a b c >/dev/full'
	assert_equal "$status" 3
	[[ $output == *'cannot write to stdout: No space left on device'* ]]
	assert_equal "$(wc -l <log)" 1 # its header
}

@test "--resume prints the lines of what is run now" {
	run pinion map --json --quiet --joblog log 'exit {}' ::: 0 1
	pinion map --json --joblog log --resume 'exit {}' ::: 0 1 0 >out
	valid out 1
	assert_equal "$(members .seq out)" 3
	assert_equal "$(wc -l <log)" 4
}

@test "--results keeps files beside the lines, unless it wants stdout as well" {
	pinion map --json --results kept 'echo {}; echo e >&2' ::: a b >out
	valid out 2
	assert_equal "$(jq -j .stdout out)" $'a\nb'
	assert_equal "$(cat kept/1/*/stdout)" $'a\nb'
	run pinion map --json --results -.csv echo ::: a
	assert_equal "$status" 2
	[[ $output == *'--json cannot be combined with --results -.csv'* ]]
}

@test "--results FILE.jsonl and -.jsonl have the same objects" {
	run pinion map --quiet --results file.jsonl 'echo {}; exit {}' ::: 0 1
	run pinion map --quiet --results -.jsonl 'echo {}; exit {}' ::: 0 1
	printf '%s\n' "${lines[@]}" >out
	run pinion map --quiet --json 'echo {}; exit {}' ::: 0 1
	printf '%s\n' "${lines[@]}" >expected
	valid file.jsonl 2
	valid out 2
	local known='del(.worker, .slot, .cpu, .pid, .start_s, .wall_s, .user_s, .sys_s, .maxrss_bytes)'
	assert_equal "$(jq -s "map($known) | sort_by(.seq)" file.jsonl)" "$(jq -s "map($known)" expected)"
	assert_equal "$(jq -s "map($known)" out)" "$(jq -s "map($known)" expected)"
	pinion call --results called.jsonl "$PINION_BUILD/plugins/crc32.so" ::: a b
	valid called.jsonl 2
}

@test "a task that has not made its output is told apart" {
	run pinion map --json --quiet --output {}.out 'true {out}' ::: a
	printf '%s\n' "${lines[@]}" >out
	valid out 1
	assert_equal "$(jq -r '"\(.status) \(.exit) \(.error)"' out)" 'no_output null did not write {out}'
}

@test "a reader that goes away ends the run quietly" {
	run -141 bash -c 'seq 100000000 | pinion feed --json cat | head -n 2 | wc -l; exit ${PIPESTATUS[1]}'
	assert_equal "$output" 2
}

@test "objects of JSON lines have the values that the command sees, and no others" {
	printf '%s\n' '{"k": "a", "id": 7, "timeout": 60}' '{"k": "b", "args": ["x", "y"]}' >tasks.jsonl
	pinion map --json --jsonl tasks.jsonl 'echo {k}' >out
	assert_equal "$(jq -c .args out)" $'["{\\"k\\": \\"a\\", \\"id\\": 7, \\"timeout\\": 60}"]\n["x","y"]'
	pinion map --results out.jsonl --jsonl tasks.jsonl 'echo {k}'
	assert_equal "$(jq -cs 'sort_by(.seq)[].args' out.jsonl)" "$(jq -c .args out)"
	pinion map --json-stream --jsonl tasks.jsonl 'echo {k}' >out
	assert_equal "$(jq -c 'select(.event == "started") | .args' out | sort -u | wc -l)" 2
	run -1 grep u0000 out
}
