# pinion replay: the same task again, or all that failed.
# shellcheck shell=bats
# shellcheck disable=SC2154  # bats sets output, stderr and status
# shellcheck disable=SC2016  # the tasks' shell expands, not ours

load helper

@test "a task runs again with its words, its directory and its exit status" {
	mkdir place
	run pinion map --quiet --run-file run.db --wd place sh -c 'pwd; printf "<%s>" "$0"; exit "${1:-0}"' {} 7 ::: 'a b' $'c\nd*'
	local recorded=$output
	cd /
	run --separate-stderr pinion replay "$OLDPWD/run.db" 2
	assert_equal "$status" 7
	assert_equal "$output" "$OLDPWD/place"$'\n<c\nd*>'
	[[ $recorded == *"$output" ]]
	assert_equal "$stderr" ''
}

@test "it finds the variables, the limits and the input that it had" {
	local script='env | grep -E "^(PINION_|PARALLEL_|OMP)" | grep -v TEST_MARK | sort; ulimit -n; umask; cat; : {}'
	(
		ulimit -S -n 100
		umask 027
		pinion map -j3 --run-file run.db "$script" ::: a b c >/dev/null
	)
	sqlite3 run.db 'SELECT stdout FROM task WHERE seq = 1' | sed '$d' >recorded
	[[ $(cat recorded) == *PINION_SEQ=1* && $(cat recorded) == *OMP_NUM_THREADS* ]]
	echo not this | pinion replay run.db 2 >replayed
	cmp recorded replayed
}

@test "--print is a line that does the same" {
	mkdir 'my place'
	(
		cd 'my place'
		pinion map --run-file ../run.db 'echo "{}" in $PWD as $PINION_SEQ' ::: "it's" b >../recorded
	)
	pinion replay --print run.db 1 >line
	assert_equal "$(wc -l <line)" 1
	assert_equal "$(cd / && sh "$OLDPWD/line")" "$(head -n 1 recorded)"
}

@test "--shell is a shell in the same place" {
	mkdir place
	pinion map --run-file run.db --wd place true ::: a b
	run --separate-stderr env SHELL=/bin/sh pinion replay --shell run.db 2 <<<'pwd; echo $PINION_SEQ; exit 5'
	assert_equal "$status" 5
	assert_equal "$output" "$PWD/place"$'\n1'
	[[ $stderr == *'true b'* ]]
}

@test "a task that died of a signal does so again" {
	pinion map --quiet --run-file run.db 'kill -TERM $$; : {}' ::: a || true
	run pinion replay run.db 1
	assert_equal "$status" 143
}

@test "what was fed or called is fed or called again" {
	pinion feed --quiet --run-file run.db --colsep , sed -u 's/$/!/' ::: a,b c,d >/dev/null
	assert_equal "$(pinion replay run.db 2)" $'c\td!'
	assert_equal "$(bash -c "$(pinion replay --print run.db 2)")" $'c\td!'
	pinion call --run-file call.db "$PINION_BUILD/plugins/crc32.so" ::: a b >all
	assert_equal "$(pinion replay call.db 2)" "$(tail -n 1 all)"
	assert_equal "$(sqlite3 run.db 'SELECT count(*) FROM run')" 1
}

@test "an initializer runs again, too" {
	pinion map --run-file run.db --initializer 'export MADE=by-it' 'echo {} $MADE' ::: a b >/dev/null
	assert_equal "$(pinion replay run.db 2)" 'b by-it'
}

@test "--failed runs all that failed, with the options of the run, and records it" {
	touch a
	pinion map --quiet -j2 --tag --run-file run.db --resume 'test -e {} && echo made' ::: a b c || true
	touch b
	mkdir elsewhere
	cd elsewhere
	run --separate-stderr pinion replay --failed ../run.db
	assert_equal "$status" 1
	assert_equal "$output" $'b\tmade'
	touch ../c
	run --separate-stderr pinion replay --failed ../run.db
	assert_equal "$status" 0
	assert_equal "$output" $'c\tmade'
	assert_equal "$(sqlite3 ../run.db 'SELECT resumes, resume_mode FROM run' | tr '\n' ' ')" '| 1|retry 2|retry '
	run --separate-stderr pinion replay --failed ../run.db
	assert_equal "$status" 0
	assert_equal "$output" ''
}

@test "the last run that has the task is meant, or the one that is named" {
	pinion map --run-file run.db echo first ::: a b >/dev/null
	pinion map --run-file run.db echo second ::: c >/dev/null
	assert_equal "$(pinion replay run.db 1)" 'second c'
	assert_equal "$(pinion replay run.db 2)" 'first b'
	assert_equal "$(pinion replay --run 1 run.db 1)" 'first a'
	run pinion replay --run 2 run.db 2
	assert_equal "$status" 2
}

@test "a record may be in use while one of its tasks is looked at" {
	mkfifo go
	pinion map -j1 --run-file run.db '[ {} = 1 ] || cat go; echo {}' ::: 1 2 3>&- >/dev/null &
	wait_until eval '[[ $(pinion replay run.db 1 2>/dev/null) == 1 ]]'
	run --separate-stderr pinion replay --failed run.db
	assert_equal "$status" 75
	[[ $stderr == *'in use by run'* ]]
	echo >go
	wait $!
}

@test "what cannot be replayed is said" {
	local line
	pinion map --run-file run.db echo ::: a >/dev/null
	echo nonsense >other
	while read -r expected line; do
		status=0
		# shellcheck disable=SC2086  # they are words
		pinion replay $line >out 2>err || status=$?
		assert_equal "$line: $status" "$line: $expected"
		assert_equal "$(wc -l <err)" 1
		[[ ! -s out ]]
	done <<-'END'
		2 run.db
		2 run.db 0
		2 run.db x
		2 run.db 2
		2 run.db 1 2
		2 --failed run.db 1
		2 --shell --print run.db 1
		2 --run 0 run.db 1
		2 --nonsense run.db 1
		3 other 1
		3 missing 1
		3 --failed other
	END
}

@test "a directory that is gone, and a program that is gone, are said" {
	mkdir place
	printf '#!/bin/sh\necho ran\n' >program
	chmod +x program
	(cd place && pinion map --run-file ../run.db ../program {} ::: a >/dev/null)
	rm program
	run -127 --separate-stderr pinion replay run.db 1
	[[ $stderr == *'cannot execute ../program'* ]]
	rmdir place
	run --separate-stderr pinion replay run.db 1
	assert_equal "$status" 3
	[[ $stderr == *'cannot go to '*place* ]]
}

# Tasks with settings of their own: recorded.db of three, whose outputs are in recorded.
record_objects() {
	mkdir folder
	echo there >folder/file
	cat >tasks.jsonl <<-'END'
		{"k": "a", "args": ["one"]}
		{"k": "b", "args": ["tw o"], "id": "second", "env": {"N": "o'wn", "P": 1}, "stdin": {"text": "%s\ntext"}}
		{"k": "c", "args": ["three"], "id": 3, "cwd": "folder", "stdin": "file"}
	END
	cat >job.json <<-'END'
		{"command": "echo {k} {} $N$P; cat; basename \"$(pwd)\"; [ ! -e \"$OLD/fails\" ]",
		 "env": {"N": "job", "OLD": "${PWD}"}, "inputs": {"jsonl": "tasks.jsonl"},
		 "stdin": {"text": "all\n"}, "run_file": "run.db", "workers": 1}
	END
	pinion run job.json >recorded
}

@test "tasks of JSON lines have their own variables, folder, input and id again" {
	record_objects
	assert_equal "$(sqlite3 run.db 'SELECT inputs FROM task ORDER BY seq' | tr '\n' ' ')" \
		'["one"] ["tw o"] ["three"] '
	assert_equal "$(sqlite3 run.db "SELECT overrides ->> 'id' FROM task ORDER BY seq" | tr '\n' ' ')" ' second 3 '
	rm job.json tasks.jsonl
	cd /
	local number
	for number in 1 2 3; do
		pinion replay "$OLDPWD/run.db" "$number"
	done >"$OLDPWD/replayed"
	for number in 1 2 3; do
		pinion replay --print "$OLDPWD/run.db" "$number" >"$OLDPWD/line"
		sh "$OLDPWD/line"
	done >"$OLDPWD/printed" 2>"$OLDPWD/said"
	cd "$OLDPWD"
	assert_same_bytes replayed recorded
	assert_same_bytes printed recorded
	assert_equal "$(cat said)" $'pinion replay: task 2: its id is second\npinion replay: task 3: its id is 3'
	run --separate-stderr env SHELL=/bin/sh pinion replay --shell run.db 3 <<<'cat; pwd'
	assert_equal "$output" "$PWD/folder"
	[[ $stderr == *'its id is 3'* ]]
}

@test "tasks of JSON lines that failed are tried again as they were" {
	record_objects
	touch fails
	run -1 pinion run job.json
	printf '{"k": "other"}\n' >tasks.jsonl
	run -1 pinion run job.json --set retry_failed=true
	rm fails
	assert_equal "$(pinion run job.json --set retry_failed=true)" "$(cat recorded)"
	assert_equal "$(pinion run job.json --set retry_failed=true)" ''
	touch fails tasks.jsonl
	sqlite3 run.db 'DELETE FROM run WHERE id > 1; DELETE FROM task WHERE run_id > 1; UPDATE task SET exit = 1'
	rm fails job.json tasks.jsonl
	assert_equal "$(pinion replay --failed run.db)" "$(cat recorded)"
}

@test "a task that ran out of time does so again" {
	printf '{"k": "a", "timeout": 2.5}\n' >tasks.jsonl
	run -1 pinion map --run-file run.db --jsonl tasks.jsonl 'echo {k}; sleep 60'
	rm tasks.jsonl
	run -1 timeout -k 1 20 pinion replay run.db 1
	assert_equal "$output" a
	[[ $(pinion replay --print run.db 1) == *' timeout 2.500 env '* ]]
}

@test "a member that no template named is not in the record, which is said" {
	printf '{"args": ["a"], "k": 1, "j": 2}\n' >tasks.jsonl
	run -1 pinion map --run-file run.db --jsonl tasks.jsonl false '{k}'
	run -2 pinion map --run-file run.db --jsonl tasks.jsonl --retry-failed --tagstring '{j}' false '{k}'
	assert_equal "$output" 'pinion map: the record does not know {j}: no template of its run named it'
	run -2 pinion map --run-file run.db --retry-failed false '{k}'
	[[ $output == *'the record is of tasks from JSON lines: give their file again (--jsonl)' ]]
}

@test "a job runs again as it was read, with what was put into it" {
	echo '{"command": "echo {} ${NAME:-none} {n} $${HOME}x", "inputs": {"args": ["a", "b"]}}' >job.json
	NAME='then' pinion run job.json --set rpl='{n} s/^/-/' --set 'run_file=${PWD}/run.db' \
		--set 'inputs.args.0=c' --set initializer=: >recorded
	assert_equal "$(head -n 1 recorded)" "c then -c ${HOME}x"
	echo '{"command": "echo other", "inputs": {"args": ["z"]}}' >job.json
	assert_equal "$(pinion replay run.db 2)" "$(tail -n 1 recorded)"
	rm job.json
	assert_equal "$(pinion replay run.db 1)" "$(head -n 1 recorded)"
	sqlite3 run.db 'UPDATE task SET exit = 1'
	assert_equal "$(pinion replay --failed run.db)" "$(cat recorded)"
	assert_equal "$(pinion replay run.db 2)" "$(tail -n 1 recorded)"
	assert_equal "$(sqlite3 run.db "SELECT job ->> '$.inputs.args[0]' FROM run" | tr '\n' ' ')" 'c c '
}

@test "tasks of the last stage run again as they were, whatever the job's file has become" {
	local end
	for end in '"command": "echo {k} $N; [ ! -e fails ]"' '"feed": "while read -r x; do echo \"$x $N\"; done"'; do
		echo '{"run_file": "run.db", "inputs": {"args": [1, 2]}, "stages": [
			{"command": ["echo", "{\"k\": {}}"], "pass": "json"},
			{'"$end"', "env": {"N": "v"}}]}' >job.json
		rm -f run.db
		pinion run job.json >recorded
		rm job.json
		assert_equal "$(sqlite3 run.db "SELECT overrides ->> 'from' FROM task WHERE stage = 1 ORDER BY seq" | tr '\n' ' ')" '1 2 '
		assert_equal "$(pinion replay run.db 1; pinion replay run.db 2)" "$(cat recorded)"
	done
}

@test "a task of any stage runs again as its stage had it" {
	mkdir place
	cat >job.json <<-'END'
		{"inputs": {"args": ["a", "b c"]}, "run_file": "run.db", "stages": [
			{"name": "x:y", "command": "echo {} $OF $PINION_RUN; pwd >&2; exit $((PINION_SEQ * 4))", "env": {"OF": "first"}, "cwd": "place"},
			{"feed": ["sed", "-u", "s/$/!/"]},
			{"command": "echo {} $OF", "env": {"OF": "last"}}]}
	END
	pinion run job.json >out 2>/dev/null || true
	local name
	name=$(sqlite3 run.db 'SELECT name FROM run')
	name=${name%-3}
	rm job.json
	run --separate-stderr pinion replay run.db x:y:2
	assert_equal "$status" 4
	assert_equal "$output" "b c first $name"
	assert_equal "$stderr" "$PWD/place"
	assert_equal "$(pinion replay run.db 1:1 2>/dev/null)" "a first $name"
	assert_equal "$(pinion replay run.db 2:1)" "a first $name!"
	assert_equal "$(bash -c "$(pinion replay --print run.db 2:1)")" "a first $name!"
	assert_equal "$(pinion replay run.db 3:1)" "$(cat out)"
	assert_equal "$(pinion replay run.db 1)" "$(cat out)"
	run --separate-stderr pinion replay run.db none:1
	assert_equal "$status" 2
	assert_equal "$stderr" "pinion replay: $PWD/run.db: no task 1 of stage none has ended in it"
	run --separate-stderr pinion replay --run 7 run.db 1
	assert_equal "$status" 2
	assert_equal "$stderr" "pinion replay: $PWD/run.db: no task 1 has ended in run 7 of it"
	run -2 pinion replay run.db :1
	[[ $output == *'write the number of a task, from 1, or STAGE:TASK' ]]
}

@test "--failed runs what failed in the last stage, as that had it" {
	cat >job.json <<-'END'
		{"inputs": {"args": ["a", "b", "c"]}, "run_file": "run.db", "stages": [
			{"command": "echo {}; [ {} != b ]"},
			{"command": "echo {} again; [ -e good ]"}]}
	END
	pinion run job.json >/dev/null 2>&1 || true
	touch good
	run -0 --separate-stderr pinion replay --failed run.db
	assert_equal "$output" $'a again\nc again'
	assert_equal "$(sqlite3 run.db 'SELECT run_id, stage, count(*) FROM task GROUP BY run_id, stage' | xargs)" '1|0|3 1|1|2 2|1|2'
}
