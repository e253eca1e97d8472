# Jobs of several stages: what goes on from one to the next, what does not, and how they end.
load helper

job() {
	printf '%s\n' "$1" >job.json
}

@test "each line that a stage puts out is a task of the next, in order to the end" {
	job '{"inputs": {"range": [1, 300]}, "stages": [
		{"command": "[ $(({} % 7)) != 0 ] || sleep 0.01; echo {}; echo x{}"},
		{"feed": ["sed", "-u", "s/$/ fed/"]},
		{"command": ["echo", "<{}>"]}]}'
	pinion run job.json >out
	assert_equal "$(cat out)" "$(for i in {1..300}; do printf '<%s fed>\n' "$i" "x$i"; done)"
}

@test "with order finish a stage takes what is there" {
	mkfifo gate
	job '{"inputs": {"range": [1, 20]}, "order": "finish", "stages": [
		{"command": "[ {} != 1 ] || cat gate >&2; echo {}", "workers": 2},
		{"command": "echo {} >>out", "workers": 1, "window": 100}]}'
	pinion run job.json 3>&- &
	wait_until eval '[ "$(wc -l 2>/dev/null <out)" = 19 ]'
	echo >gate
	wait "$!"
	assert_equal "$(sort -n out)" "$(seq 20)"
	assert_equal "$(tail -n 1 out)" 1
}

@test "a line has any bytes but a newline, and the last one needs none" {
	job '{"inputs": {"args": ["a"]}, "stages": [
		{"command": "printf \"\\351 \\\\\\\\t* $HOME\\n\\n;last\"; : {}"},
		{"command": ["printf", "<%s>", "{}"]}]}'
	pinion run job.json >out
	assert_equal "$(od -c out)" "$(printf '<\351 \\t* %s><><;last>' "$HOME" | od -c)"
}

@test "what a failed task has put out goes no further, and its stage is named" {
	job '{"inputs": {"range": [1, 5]}, "stages": [
		{"name": "read", "command": "echo {}; [ {} != 3 ]"},
		{"command": "echo got {}; [ {} != 4 ]"}, {"name": "end", "command": "echo {}"}]}'
	run -1 --separate-stderr pinion run job.json
	assert_equal "$output" "$(printf 'got %s\n' 1 2 5)"
	# shellcheck disable=SC2154 # bats sets it
	assert_equal "$stderr" "pinion run: stage read: 1 of 5 tasks failed (1 exit 1)
pinion run: stage read:   task 3: exit 1: echo 3; [ 3 != 3 ]
pinion run: stage 2: 1 of 4 tasks failed (1 exit 1)
pinion run: stage 2:   task 3: exit 1: from task 4: echo got 4; [ 4 != 4 ]"
}

@test "an attempt that is tried again leaves nothing behind" {
	job '{"inputs": {"args": ["a", "b"]}, "stages": [
		{"command": "echo {} $PINION_ATTEMPT; [ $PINION_ATTEMPT = 3 ]", "retries": 3},
		{"command": "echo got {}"}]}'
	assert_equal "$(pinion run job.json)" $'got a 3\ngot b 3'
}

@test "pass output is all of it as one value, and none is a value too" {
	job '{"inputs": {"args": ["a\nb\n\n", "", "c"]}, "stages": [
		{"command": ["printf", "%s", "{}"], "pass": "output"},
		{"command": ["printf", "<%s>", "{}"]}]}'
	assert_equal "$(pinion run job.json)" $'<a\nb\n><><c>'
}

@test "pass json makes names of members, and says where a line is none" {
	job '{"inputs": {"args": ["x"]}, "stages": [
		{"command": "echo \"{\\\"a\\\": 1, \\\"b\\\": [2]}\"; echo; echo \"{\\\"a\\\": \\\"y z\\\", \\\"b\\\": null}\"; : {}",
			"pass": "json"},
		{"command": ["echo", "{a}:{b}"]}]}'
	assert_equal "$(pinion run job.json)" $'1:[2]\ny z:'
	job '{"inputs": {"args": ["x"]}, "stages": [
		{"name": "make", "command": "echo \"{\\\"a\\\": 1}\"; echo oops; : {}", "pass": "json"},
		{"command": ["echo", "{a}"]}]}'
	run -1 --separate-stderr pinion run job.json
	assert_equal "$output" 1
	assert_equal "$stderr" 'pinion run: stage make: 1 line of output makes no task: task 1: its output:2:1: expected a value, but here is oops'
	run -3 --separate-stderr pinion run --set halt=soon,fail=1 job.json
	[[ $stderr == 'pinion run: stage make: task 1: its output:2:1: '* ]]
}

@test "the tasks of a JSON stage have their own settings" {
	job '{"inputs": {"args": ["x"]}, "stages": [
		{"command": "echo \"{\\\"env\\\": {\\\"V\\\": \\\"one\\\"}, \\\"stdin\\\": {\\\"text\\\": \\\"two\\\"}, \\\"cwd\\\": \\\"/\\\"}\"; : {}",
			"pass": "json"},
		{"command": "echo $V $(cat) $PWD; : {#}"}]}'
	assert_equal "$(pinion run job.json)" 'one two /'
}

@test "--json names stage and origin of each task" {
	job '{"inputs": {"range": [1, 3]}, "json": true, "stages": [
		{"name": "a", "command": "[ {} = 2 ] || seq 2"}, {"name": "b", "feed": "cat"}, {"command": "true {}"}]}'
	pinion run job.json >out
	assert_equal "$(jq -c '[.stage, .seq, .from]' out | sort)" '["3",1,[1,1]]
["3",2,[1,2]]
["3",3,[3,3]]
["3",4,[3,4]]
["a",1,null]
["a",2,null]
["a",3,null]
["b",1,[1]]
["b",2,[1]]
["b",3,[3]]
["b",4,[3]]'
	pinion run --set json=null --set json_stream=true job.json >out
	assert_equal "$(jq -r 'select(.event == "output") | .stage' out | sort -u)" $'a\nb'
}

@test "all stages work at once" {
	mkfifo gate
	job '{"inputs": {"args": ["a", "b"]}, "stages": [
		{"command": "[ {} = a ] || cat gate; echo {}", "workers": 2},
		{"command": "[ {} != a ] || echo opened >gate; echo {}"}]}'
	assert_equal "$(timeout 60 pinion run job.json)" $'a\nopened\nb'
}

@test "a stage that takes nothing holds back those before it, and the input" {
	job '{"stages": [
		{"command": "echo {#} >>started; head -c 100000 /dev/zero | tr \"\\\\0\" x; echo", "workers": 2},
		{"command": "echo {#} >>reached; sleep 1000", "workers": 1, "window": 10}]}'
	local count=0 before=-1 pid
	pinion run job.json < <(yes) 3>&- &
	pid=$!
	wait_until [ -s reached ]
	until ((count == before)); do # it stands still when nothing was started for so long
		before=$count
		env -u PINION_TEST_MARK sleep "$(slowness)"
		count=$(wc -l <started)
	done
	((count < 1000))
	kill -TERM "$pid"
	wait "$pid" || true
	assert_nothing_left
}

@test "a run that is drained while a stage is held back comes to its end" {
	mkfifo gate
	job '{"name": "full", "inputs": {"range": [1, 10]}, "stages": [
		{"command": "seq 100000; : {}", "workers": 2},
		{"command": ": >reached; read x <gate; : {}", "workers": 1, "window": 10}]}'
	timeout -s KILL 60 pinion run job.json 2>messages 3>&- &
	local pid=$! status=0
	wait_until [ -e reached ]
	wait_until pinion ctl full drain
	echo >gate
	wait "$pid" || status=$?
	assert_equal "$status" 1
	grep -q 'never started' messages
	assert_nothing_left
}

@test "halt counts the failures of all stages, and ends all of them" {
	job '{"halt": "now,fail=2", "stages": [
		{"command": "echo {}; [ {} != 3 ]", "workers": 1},
		{"feed": "cat"},
		{"command": "[ {} != 5 ]", "workers": 1}]}'
	run -1 --separate-stderr timeout 60 bash -c 'seq 1000000000 | pinion run job.json'
	[[ $stderr == *'stage 1: 1 of '*'stage 3: 1 of '* ]]
	assert_nothing_left
}

@test "halt at a success means one of the last stage" {
	job '{"halt": "now,success=1", "stages": [{"command": "echo {}"}, {"command": "[ {} = 7 ] && echo {}", "workers": 1}]}'
	run -0 --separate-stderr timeout 60 bash -c 'seq 1000000000 | pinion run job.json'
	assert_equal "$output" 7
	assert_nothing_left
}

@test "a signal ends all stages, and pinion of it" {
	job '{"inputs": {"args": ["a", "b", "c"]}, "stages": [{"command": "echo {}"},
		{"command": "echo {} >>reached; exec sleep 1000", "workers": 3, "bind": "none"}, {"feed": "cat"}]}'
	pinion run job.json 3>&- &
	wait_until eval '[ "$(wc -l 2>/dev/null <reached)" = 3 ]'
	kill -TERM $!
	local status=0
	wait "$!" || status=$?
	assert_equal "$status" 143
	assert_nothing_left
}

@test "kill -9 leaves nothing of any stage" {
	job '{"inputs": {"args": ["a", "b"]}, "stages": [{"command": "echo {}"},
		{"command": "echo {} >>reached; exec sleep 1000", "workers": 2}, {"feed": "cat"}]}'
	pinion run job.json 3>&- &
	wait_until eval '[ "$(wc -l 2>/dev/null <reached)" = 2 ]'
	kill -KILL $!
	wait "$!" || true
	wait_until assert_nothing_left
}

@test "a worker that dies costs its task, in whatever stage" {
	job '{"inputs": {"range": [1, 20]}, "stages": [
		{"command": "[ {} != 3 ] || kill -KILL $PPID; echo {}"},
		{"feed": "cat"},
		{"command": "[ {} != 5 ] || kill -KILL $PPID; echo {}"}]}'
	run -1 --separate-stderr pinion run job.json
	assert_equal "$output" "$(seq 20 | sed '/^[35]$/d')"
	[[ $stderr == *'stage 1: 1 of 20 tasks failed (1 lost: its worker died)'*'stage 3: 1 of 19 tasks failed'* ]]
}

@test "a reader that goes away ends all stages quietly" {
	job '{"stages": [{"command": "echo {}"}, {"feed": "cat"}, {"command": "echo {}"}]}'
	run -0 timeout 60 bash -c 'yes | pinion run job.json | head -n 3'
	assert_equal "$output" $'y\ny\ny'
	assert_nothing_left
}

@test "output of the last stage that cannot be written is an error" {
	job '{"inputs": {"range": [1, 3]}, "stages": [{"command": "echo {}"}, {"command": "echo {}"}]}'
	run -3 bash -c 'pinion run job.json >/dev/full'
	[[ $output == 'pinion run: cannot write to stdout: No space left on device'* ]]
}

@test "the whole output of a task goes on, far beyond memory" {
	skip_if_instrumented
	job '{"inputs": {"args": ["a"]}, "buffer": "1M", "stages": [
		{"command": "seq 500000 # {}"}, {"feed": "cat"}]}'
	assert_equal "$(pinion run job.json | md5sum)" "$(seq 500000 | md5sum)"
}

@test "stderr of all stages is shown, each task's as a block" {
	job '{"inputs": {"range": [1, 40]}, "stages": [
		{"command": "echo {}; echo a{} >&2; echo a{} >&2"}, {"command": "echo b{} >&2; echo b{} >&2"}]}'
	pinion run job.json 2>err
	assert_equal "$(sort err | uniq -c | awk '{print $1}' | sort -u)" 2
	assert_equal "$(uniq err | wc -l)" 80
}

@test "stages whose workers fit beside each other sit on cores of their own" {
	job '{"inputs": {"args": ["x"]}, "stages": [
		{"command": "taskset -cp $$ | sed \"s/.*: //\"; : {}", "workers": 1},
		{"command": "echo {} $(taskset -cp $$ | sed \"s/.*: //\")", "workers": 1}]}'
	local first second
	read -r first second < <(pinion run job.json)
	[[ -n $first && -n $second && $first != "$second" ]]
}

@test "the workers of stages are started in each way" {
	local method
	for method in spawn forkserver; do
		job '{"inputs": {"range": [1, 30]}, "stages": [
			{"command": "echo {}", "start_method": "'$method'"},
			{"feed": ["sed", "-u", "s/^/x/"], "start_method": "'$method'"},
			{"command": "echo {}y", "start_method": "'$method'"}]}'
		assert_equal "$(pinion run job.json)" "$(seq -f 'x%gy' 30)"
	done
}

@test "with resume the last stage does what is left to do" {
	job '{"inputs": {"range": [1, 5]}, "resume_failed": true, "joblog": "log", "stages": [
		{"command": "echo in{} >>ran; echo {}"}, {"command": "echo {} >>ran; [ {} != 3 ] || [ -e good ]"}]}'
	run -1 pinion run job.json
	rm ran
	touch good
	run -0 pinion run job.json
	assert_equal "$(sort ran)" $'3\nin1\nin2\nin3\nin4\nin5'
}

@test "a run file has the tasks of all stages, and where each came from" {
	job '{"inputs": {"range": [1, 4]}, "run_file": "run.db", "stages": [
		{"name": "read", "command": "echo {}; echo {}b; echo e{} >&2; [ {} != 3 ]", "workers": 2},
		{"feed": ["sed", "-u", "s/$/x/"], "workers": 1, "chunksize": 3},
		{"name": "end", "command": "echo {}; [ {} != 4x ]", "workers": 3}]}'
	run -1 pinion run job.json
	assert_equal "$(sqlite3 run.db 'SELECT stage, name, verb, worker_count FROM stage ORDER BY stage' | xargs)" \
		'0|read|map|2 1|2|feed|1 2|end|map|3'
	assert_equal "$(sqlite3 run.db 'SELECT verb, command, worker_count, exit FROM run')" \
		'run|["echo {}; [ {} != 4x ]"]|6|1'
	assert_equal "$(sqlite3 run.db "SELECT stage, seq, exit, inputs ->> 0, overrides ->> 'from', rtrim(stdout, char(10))
		FROM task ORDER BY stage, seq" | grep -v b)" '0|0|0|1||1
0|1|0|2||2
0|2|1|3||3
0|3|0|4||4
1|0|0|1|1|1x
1|2|0|2|2|2x
1|4|0|4|4|4x
2|0|0|1x|1,1|1x
2|2|0|2x|2,3|2x
2|4|1|4x|4,5|4x'
	assert_equal "$(sqlite3 run.db 'SELECT group_concat(stderr, "") FROM task WHERE stage = 0' | sort | xargs)" 'e1 e2 e3 e4'
	assert_equal "$(sqlite3 run.db "SELECT count(*) FROM task WHERE stage > 0 AND argv IS NULL")" 6
}

@test "the output of each stage's tasks is in the run file, however long" {
	job '{"inputs": {"range": [1, 3]}, "run_file": "run.db", "stages": [
		{"command": "seq {}0000 >&2; echo {}"}, {"command": "seq {}1111"}]}'
	pinion run job.json >out 2>err
	assert_equal "$(sqlite3 run.db "SELECT seq, stream, sum(length(bytes)), sum(stdout_bytes + stderr_bytes) / count(*)
		FROM output JOIN task ON task.id = task_id GROUP BY stage, seq, stream" | xargs)" \
		"$(for i in 1 2 3; do printf '%d|2|%d|%d ' $((i - 1)) "$(seq ${i}0000 | wc -c)" $(($(seq ${i}0000 | wc -c) + 2)); done
		for i in 1 2 3; do printf '%d|1|%d|%d ' $((i - 1)) "$(seq ${i}1111 | wc -c)" "$(seq ${i}1111 | wc -c)"; done | sed 's/ $//')"
}

@test "what an equal stage has done before is not what the last one has done" {
	job '{"inputs": {"args": ["a", "b"]}, "run_file": "run.db", "resume": true, "stages": [
		{"command": "echo {}"}, {"command": "echo {}"}]}'
	run -0 pinion run job.json
	sqlite3 run.db "DELETE FROM task WHERE stage = 1 AND seq = 1"
	run -0 --separate-stderr pinion run job.json
	assert_equal "$output" b
	assert_equal "$(sqlite3 run.db 'SELECT stage, count(*) FROM task WHERE run_id = 2 GROUP BY stage' | xargs)" '1|1'
	assert_equal "$(sqlite3 run.db 'SELECT passed_count FROM run WHERE id = 2')" 3
}

@test "with resume what a stage had put out goes on from the run file" {
	local pass
	for pass in lines output; do
		rm -f run.db
		job '{"inputs": {"args": ["a", "a", "b", "c"]}, "run_file": "run.db", "resume": true, "stages": [
			{"command": "echo first >>ran; echo {}1; printf {}2; seq 20000 >&2", "pass": "'$pass'"},
			{"command": "echo second >>ran; printf %s {}", "pass": "'$pass'"},
			{"command": "echo {}"}]}'
		pinion run job.json >out 2>err
		assert_equal "$(tr -cd 12 <out)" 12121212
		mv out out.before
		sqlite3 run.db "DELETE FROM task WHERE stage = 2; DELETE FROM task WHERE stage = 1 AND inputs LIKE '%b%'"
		rm ran
		pinion run job.json >out 2>err
		diff out.before out
		assert_equal "$(sort ran | uniq -c | xargs)" "$([ $pass = lines ] && echo 2 || echo 1) second"
		timeout 30 pinion run job.json >out 2>err
		[ ! -s out ]
	done
}

@test "with resume failures of a stage give nothing again, with resume_failed they are tried again" {
	job '{"inputs": {"range": [1, 4]}, "run_file": "run.db", "resume": true, "stages": [
		{"command": "echo {} >>ran; echo {}; [ {} != 3 ] || [ -e good ]"}, {"command": "echo {}"}]}'
	run -1 --separate-stderr pinion run job.json
	touch good
	rm ran
	sqlite3 run.db 'DELETE FROM task WHERE stage = 1'
	run -0 --separate-stderr pinion run job.json
	assert_equal "$output" $'1\n2\n4'
	[ ! -e ran ]
	run -0 --separate-stderr pinion run --set resume_failed=true --set resume=false job.json
	assert_equal "$output" 3
	assert_equal "$(<ran)" 3
}

@test "with resume long outputs go on, and tasks of equal values have each their own" {
	printf '%s\n' '[ $PINION_SEQ = 1 ] || until [ -e second ]; do sleep 0.02; done' \
		'seq $((PINION_SEQ + 1))00001 $((PINION_SEQ + 1))70000' '[ $PINION_SEQ = 0 ] || touch second' >first
	job '{"inputs": {"args": ["x", "x"]}, "run_file": "run.db", "resume": true, "stages": [
		{"command": ["sh", "first"]}, {"feed": "cat"}]}'
	pinion run job.json >before
	assert_equal "$(sort -u before | wc -l)" 140000
	sqlite3 run.db 'DELETE FROM task WHERE stage > 0'
	pinion run job.json >after
	cmp before after
	assert_equal "$(sqlite3 run.db 'SELECT passed_count FROM run WHERE id = 2')" 2
}

@test "what makes its files in a stage makes them again, as the next one wants what it puts out" {
	job '{"inputs": {"args": ["a", "b"]}, "stages": [
		{"output": "{}.made", "command": "echo {} >>ran; touch {out}; echo {}"},
		{"output": "{}.end", "command": ": {}; echo end >>ran; touch {out}; [ -e good ]"}]}'
	run -1 pinion run job.json
	touch good
	run -0 pinion run job.json
	assert_equal "$(sort ran | uniq -c | xargs)" '2 a 2 b 4 end'
	run -0 pinion run job.json
	assert_equal "$(sort ran | uniq -c | xargs)" '3 a 3 b 4 end'
}

@test "a job of stages that was killed goes on: each task is done once" {
	local pid
	job '{"inputs": {"range": [1, 200]}, "run_file": "run.db", "resume_failed": true, "order": "finish", "stages": [
		{"command": "echo {}"}, {"feed": "cat"},
		{"command": "[ {} != 60 ] || [ -e go ] || { touch reached; sleep 1000; }; echo {} >>ended"}]}'
	timeout 60 pinion run job.json 3>&- &
	pid=$!
	wait_until [ -e reached ]
	wait_until eval '[[ $(sqlite3 run.db "SELECT count(*) FROM task WHERE stage = 2" 2>/dev/null) -ge 30 ]]'
	kill -KILL "$(pgrep -P "$pid" -x pinion)"
	wait "$pid" || true
	wait_until assert_nothing_left
	touch go
	run -0 pinion run job.json
	assert_equal "$(sqlite3 run.db "SELECT count(*), count(DISTINCT inputs) FROM task WHERE stage = 2 AND exit = 0")" '200|200'
	assert_equal "$(sqlite3 run.db "SELECT stage, count(*), count(DISTINCT inputs) FROM task WHERE stage < 2 AND exit = 0
		GROUP BY stage" | xargs)" '0|200|200 1|200|200'
	assert_equal "$(sqlite3 run.db 'SELECT passed_count > 0 FROM run WHERE id = 2')" 1
	assert_equal "$(sort -u ended | wc -l)" 200
	assert_equal "$(sqlite3 run.db 'PRAGMA integrity_check')" ok
}

@test "a dry run shows the first stage" {
	job '{"inputs": {"args": ["a"]}, "dry_run": true, "stages": [{"command": "touch {}"}, {"command": "touch {}"}]}'
	run -0 --separate-stderr pinion run job.json
	assert_equal "$output" 'touch a'
	assert_equal "$stderr" 'pinion run: what the other stages would be given is not known in a dry run'
	[ ! -e a ]
}

@test "what stages cannot have is refused" {
	local stages='"stages": [{"command": "a"}, {"command": "b"}]'
	job "{\"halt\": \"now,fail=10%\", $stages}"
	run -2 pinion run job.json
	[[ $output == 'pinion run: job.json:1:10: halt: how many tasks there are is not known'* ]]
	job "{\"joblog\": \"log\", \"retry_failed\": true, $stages}"
	run -2 pinion run job.json
	[[ $output == *'retry_failed: '*'with stages say resume_failed' ]]
	job '{"stages": [{"name": "x", "command": "a"}, {"name": "x", "command": "b"}]}'
	run -2 pinion run job.json
	[[ $output == *': stages[1].name: stage 1 has this name already' ]]
	job "{\"command\": \"c\", $stages}"
	run -2 pinion run job.json
	[[ $output == *'command: with stages this belongs into each of them' ]]
}
