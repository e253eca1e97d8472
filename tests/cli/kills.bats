# kill -9 at random instants: never a hang, nothing left running, every task accounted for.
# PINION_STRESS=100 says how often; the default keeps the test short.
# shellcheck shell=bats
# shellcheck disable=SC2154  # bats sets output, stderr and status
# shellcheck disable=SC2016  # the tasks' shell expands, not ours

load helper

holds_when_killed() {
	run timeout 250 "$BATS_TEST_DIRNAME/kill-random" "$1" "$(rounds 20)" "$PWD/rounds"
	assert_equal "$output" ''
	assert_equal "$status" 0
}

@test "the coordinator may die at any instant" {
	holds_when_killed coordinator
}

@test "a worker may die at any instant" {
	holds_when_killed worker
}

@test "a task may die at any instant" {
	holds_when_killed task
}

@test "a worker's death costs the task in its hand and nothing else" {
	run --separate-stderr timeout 30 pinion map -j2 '[ {} != 3 ] || { kill -KILL $PPID; sleep 1000; }; echo {}' ::: $(seq 20)
	assert_equal "$status" 1
	assert_equal "$output" "$(seq 20 | sed /^3\$/d)"
	[[ $stderr == *'1 of 20 tasks failed (1 lost: its worker died)'*'task 3: '* ]]
	assert_nothing_left
}

@test "what a task had printed before its worker died is in the record, as much as came out" {
	# shellcheck disable=SC2016
	timeout 30 pinion map --joblog log --run-file run.db \
		'echo {}; echo e >&2; until [ -e go ]; do sleep 0.01; done; kill -KILL $PPID; sleep 1000' ::: hello >out 2>err 3>&- &
	local pid=$!
	wait_until grep -q hello out
	wait_until grep -qx e err
	: >go
	wait "$pid" || [ $? = 1 ]
	assert_equal "$(cut -f6,7,8 log | tail -n 1)" $'6\t-1\t9'
	assert_equal "$(sqlite3 run.db 'SELECT reason, stdout_bytes, stderr_bytes, stdout FROM task')" $'lost|6|2|hello'
}

@test "with --retries not even that" {
	run --separate-stderr timeout 30 pinion map -j2 --retries 2 \
		'[ {} != 3 ] || [ $PINION_ATTEMPT = 2 ] || { kill -KILL $PPID; sleep 1000; }; echo {}' ::: $(seq 20)
	assert_equal "$status" 0
	assert_equal "$output" "$(seq 20)"
	assert_equal "$stderr" ''
}

@test "what a dead worker's task had started is ended, in other sessions, too" {
	run --separate-stderr timeout 30 pinion map -j2 \
		'setsid sh -c "trap \"\" TERM; sleep 1000 & sleep 1000" & (sleep 1000 &) ; kill -KILL $PPID; sleep 1000; : {}' ::: a b
	assert_equal "$status" 1
	[[ $stderr == *'2 of 2 tasks failed (2 lost: its worker died)'* ]]
	assert_nothing_left
}

@test "what a task had started ends with the coordinator, in other sessions, too" {
	pinion map -j2 'setsid sh -c "trap \"\" TERM; sleep 1000 & sleep 1000" & (sleep 1000 &) ; echo >started.{}; sleep 1000' ::: a b 3>&- &
	local pid=$!
	wait_until test -e started.a -a -e started.b
	kill -KILL "$pid"
	wait "$pid" || true
	assert_nothing_left
}

@test "an idle pool ends with its coordinator" {
	mkfifo input
	exec 4<>input
	pinion map -j3 echo <input >out 3>&- 4>&- &
	local pid=$!
	printf '1\n2\n3\n' >&4
	wait_until grep -q 3 out
	kill -KILL "$pid"
	wait "$pid" || true
	exec 4>&-
	assert_nothing_left
}

@test "workers blocked on a full result pipe end with their coordinator" {
	mkfifo out
	exec 4<>out
	pinion map -j3 'echo $$ >started.{}; yes' ::: a b c >out 3>&- 4>&- &
	local pid=$!
	wait_until test -s started.a -a -s started.b -a -s started.c
	kill -STOP "$pid"
	kill -KILL "$pid"
	wait "$pid" || true
	exec 4>&-
	assert_nothing_left
}

@test "tasks that kill their worker again and again do not hang the run" {
	run --separate-stderr timeout 60 pinion map -j3 'kill -KILL $PPID; sleep 1000; : {}' ::: $(seq 30)
	assert_equal "$status" 1
	[[ $stderr == *'30 of 30 tasks failed (30 lost: its worker died)'* ]]
	assert_nothing_left
}
