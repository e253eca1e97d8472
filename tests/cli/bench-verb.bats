# pinion bench: the same tasks with one worker and with several, what that took, and what it means.
# shellcheck shell=bats
# shellcheck disable=SC2154  # bats sets output, stderr and status
# shellcheck disable=SC2016  # the tasks' shell expands, not ours

load helper

bench() {
	run --separate-stderr timeout $((50 * $(slowness))) pinion bench "$@"
}

@test "every task runs once with one worker and once with all, in each round" {
	bench --rounds 2 -j3 'echo {} >>ran' ::: a b c d
	assert_equal "$status" 0
	assert_equal "$(sort ran | uniq -c | tr -s ' \n' ' ')" ' 4 a 4 b 4 c 4 d '
	[[ $stderr == *"each command is run 4 times, with 1 worker and with 3 in turn"* ]]
	[[ ${lines[0]} == 'tasks       4, in 2 rounds' ]]
	[[ ${lines[1]} == '1 worker '*'s '*'('*' to '*')' ]]
	[[ ${lines[2]} == '3 workers '* ]]
}

# With three workers a task waits for the two others.
@test "the workers are one, and as many as were asked for" {
	bench --rounds 1 -j3 'echo "$PINION_SLOT" >>slots; [ "$(wc -l <slots)" -lt 4 ] ||
		until [ "$(wc -l <slots)" -eq 6 ]; do sleep 0.02; done; : {}' ::: 1 2 3
	assert_equal "$status" 0
	assert_equal "$(head -n 3 slots | tr '\n' ' ')" '1 1 1 '
	assert_equal "$(tail -n 3 slots | sort | tr '\n' ' ')" '1 2 3 '
}

@test "tasks that wait gain by workers, and are told so" {
	skip_if_instrumented 'times mean nothing'
	# The best of three rounds are compared: in others the machine may stand still.
	bench --json --rounds 3 -j4 sleep ::: 0.2 0.2 0.2 0.2
	assert_equal "$status" 0
	assert_equal "$(jq -c '[.tasks, .failed, .rounds, .workers]' <<<"$output")" '[4,0,3,4]'
	jq -e '(.one_worker.least / .all_workers.least | . > 1.5 and . < 4.5) and
		.speed_up.least <= .speed_up.median and .speed_up.median <= .speed_up.most and
		.one_worker.median >= 0.8 and .all_workers.least >= 0.2 and
		.one_worker.least <= .one_worker.median and
		.one_worker.median <= .one_worker.most and
		.task_alone > 0.19 and .longest >= 0.2 and
		any(.advice[]; .id == "waits")' <<<"$output"
}

@test "one long task among short ones is named" {
	skip_if_instrumented 'times mean nothing'
	# It is named for the best of two rounds.
	bench --json --rounds 2 -j2 sleep ::: 0.01 0.01 0.01 0.4 0.01
	jq -e '.longest_seq == 3 and any(.advice[]; .id == "straggler" and
		(.text | startswith("task 4 takes")))' <<<"$output"
}

@test "an input that can be read but once is kept" {
	bench --rounds 2 'echo {} >>ran' < <(printf '%s\n' a b)
	assert_equal "$(sort ran | uniq -c | tr -s ' \n' ' ')" ' 4 a 4 b '
	rm ran
	bench --rounds 1 'echo {1}{2} >>ran' :::: <(printf '%s\n' a b) - < <(echo c)
	assert_equal "$(sort ran | uniq -c | tr -s ' \n' ' ')" ' 2 ac 2 bc '
}

@test "what tasks print is thrown away, and what fails is said once" {
	bench --rounds 2 'echo out; echo err >&2; exit {}' ::: 0 3
	assert_equal "$status" 0
	[[ $output != *out* && $output == *'1 failed'* && $output == *'1 of 2 tasks failed'* ]]
	[[ $stderr != *err$'\n'* ]]
	assert_equal "$(grep -c 'task 2: exit 3' <<<"$stderr")" 1
}

@test "workers that are started anew measure, too" {
	[[ ${PINION_TEST_MODE-} != valgrind ]] || skip "valgrind cannot be started anew"
	bench --rounds 1 -j2 --start-method spawn true ::: a b c
	assert_equal "$status" 0
	[[ ${lines[0]} == 'tasks       3, in 1 round' ]]
}

@test "no inputs are no figures" {
	bench true </dev/null
	assert_equal "$status" 2
	assert_equal "$output" ''
	[[ $stderr == *'there are no inputs'* ]]
}

@test "what cannot be is refused" {
	bench --rounds 0 true ::: 1
	assert_equal "$status" 2
	bench --rounds 101 true ::: 1
	assert_equal "$status" 2
	bench --output x true ::: 1
	assert_equal "$status" 2
	[[ $stderr == *'--output'* ]]
	bench --joblog x true ::: 1
	assert_equal "$status" 2
	bench --cron x true ::: 1
	assert_equal "$status" 2
	[[ $stderr == *'--cron is no option here'* ]]
}

@test "it ends by a signal with all that runs, and prints nothing" {
	timeout 60 pinion bench --rounds 1 'touch started; sleep 100' ::: 1 2 >out 2>err 3>&- &
	pid=$!
	wait_until test -e started
	kill -TERM "$(pgrep -P "$pid")"
	wait "$pid" || status=$?
	assert_equal "$status" 143
	[[ ! -s out ]]
	assert_nothing_left
}

@test "a run that is killed is told of, and no reason to die as well" {
	run -3 --separate-stderr timeout 30 pinion bench --rounds 1 -j2 \
		'[ {} != 3 ] || { kill -KILL "$(ps -o ppid= -p $PPID)"; sleep 1000; }' ::: {1..6}
	assert_equal "$output" ''
	assert_equal "${stderr_lines[-1]}" 'pinion bench: a run was killed by signal 9'
	assert_nothing_left
}

@test "it ends with all that runs when it is killed" {
	timeout 60 pinion bench --rounds 1 'touch started; sleep 100' ::: 1 2 >out 2>err 3>&- &
	pid=$!
	wait_until test -e started
	kill -KILL "$(pgrep -P "$pid")"
	wait "$pid" || :
	assert_nothing_left
}
