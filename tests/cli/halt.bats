# --halt and --fail-fast: when the run ends, what still runs, and its exit status.
# shellcheck shell=bats
# shellcheck disable=SC2154  # bats sets output, stderr and status
# shellcheck disable=SC2016  # the tasks' shell expands, not ours

load helper

pinion_map() {
	run --separate-stderr timeout $((30 * $(slowness))) pinion map "$@"
}

# Each item is the exit status of its task.
inputs=("0 0 1 0 2 0 0 3 0 0" "1 2 3 4" "0 0 0" "7" "1 0 0 0 0 0 5 6")

# same_as_gnu HALT...: one worker prints and exits as GNU parallel with one job does.
same_as_gnu() {
	gnu_parallel_available || skip "GNU parallel is not here"
	# What it does is the same under any tool, and takes its time.
	[[ -z ${PINION_TEST_MODE-} ]] || inputs=("${inputs[0]}")
	local halt items expected expected_status actual actual_status
	for halt; do
		for items in "${inputs[@]}"; do
			# shellcheck disable=SC2086  # items are words
			{
				expected_status=0 actual_status=0
				expected=$(timeout 60 "$gnu_parallel" -j1 --halt "$halt" 'echo {}; exit {}' ::: $items 2>/dev/null) ||
					expected_status=$?
				actual=$(timeout 60 pinion parallel -j1 --halt "$halt" 'echo {}; exit {}' ::: $items 2>messages) ||
					actual_status=$?
			}
			assert_equal "$halt: $items: ${actual//$'\n'/ } = $actual_status" \
				"$halt: $items: ${expected//$'\n'/ } = $expected_status"
		done
	done
}

@test "never runs everything, as GNU parallel" {
	same_as_gnu never 0
}

@test "fail=N ends as GNU parallel" {
	same_as_gnu soon,fail=1 now,fail=1 soon,fail=2 now,fail=2 now,fail=3 now,fail=99
}

@test "fail=N% ends as GNU parallel" {
	same_as_gnu soon,fail=1% soon,fail=20% now,fail=30% soon,fail=100%
}

@test "success=N and success=N% end as GNU parallel" {
	same_as_gnu soon,success=1 now,success=2 soon,success=30% now,success=100%
}

@test "done=N and done=N% end as GNU parallel" {
	# GNU parallel's status is 101 where nothing failed; that is taken for a mistake of its own.
	inputs=("0 0 1 0 2 0 0 3 0 0" "1 2 3 4" "1 0 0 0 0 0 5 6")
	same_as_gnu soon,done=3 now,done=4 now,done=50%
}

@test "the old forms end as GNU parallel" {
	same_as_gnu 1 2 20% -1 -2 -20%
}

@test "signals count as GNU parallel counts them" {
	gnu_parallel_available || skip "GNU parallel is not here"
	local halt expected actual
	for halt in never now,fail=1 soon,fail=2 now,done=1; do
		expected=0 actual=0
		timeout 60 "$gnu_parallel" -j1 --halt "$halt" 'kill -{} $$' ::: KILL TERM 2>/dev/null || expected=$?
		timeout 60 pinion parallel -j1 --halt "$halt" 'kill -{} $$' ::: KILL TERM 2>/dev/null || actual=$?
		assert_equal "$halt $actual" "$halt $expected"
	done
}

@test "nothing starts after the failure that ends the run" {
	local halt
	for halt in soon,fail=1 now,fail=1; do
		rm -f ran
		pinion_map -j1 --halt "$halt" 'echo {} >>ran; exit {}' ::: 0 1 0 0 0
		assert_equal "$status" 1
		assert_equal "$(paste -sd, ran)" 0,1
		[[ $stderr == *'1 of 5 tasks failed (1 exit 1), 3 never started'* ]]
		[[ $stderr != *'not read'* ]]
	done
}

@test "map has status 1 whatever the task's was" {
	pinion_map -j1 --halt now,fail=1 'exit {}' ::: 7 0
	assert_equal "$status" 1
}

@test "map has status 0 when it was success that ended the run" {
	pinion_map -j1 --halt now,success=1 'echo {}; exit {}' ::: 1 0 0 0
	assert_equal "$status" 0
	assert_equal "$output" $'1\n0'
}

@test "soon lets what runs finish" {
	pinion_map -j2 --halt soon,fail=1 '
		case {} in
		slow) until [ -e failed ]; do sleep 0.01; done; sleep 0.3; echo slow done ;;
		bad) echo >failed; exit 1 ;;
		esac' ::: slow bad never
	assert_equal "$status" 1
	assert_equal "$output" 'slow done'
	[[ $stderr == *'1 of 3 tasks failed'*'1 never started'* ]]
}

@test "now ends what runs, with all its tree" {
	pinion_map -j2 --halt now,fail=1 '
		case {} in
		slow) setsid sleep 1000 & echo >started; sleep 1000; echo slow done ;;
		bad) until [ -e started ]; do sleep 0.01; done; exit 1 ;;
		esac' ::: slow bad never
	assert_equal "$status" 1
	assert_equal "$output" ''
	[[ $stderr == *'1 of 3 tasks failed (1 exit 1), 1 cancelled, 1 never started'* ]]
	assert_nothing_left
}

@test "now ends what ignores TERM" {
	pinion_map -j2 --halt now,fail=1 '
		case {} in
		slow) trap "" TERM INT; echo >started; while :; do sleep 1000; done ;;
		bad) until [ -e started ]; do sleep 0.01; done; exit 1 ;;
		esac' ::: slow bad
	assert_equal "$status" 1
	assert_nothing_left
}

@test "--fail-fast is --halt now,fail=1" {
	pinion_map -j1 --fail-fast 'echo {}; exit {}' ::: 0 3 0 0
	assert_equal "$status" 1
	assert_equal "$output" $'0\n3'
	[[ $stderr == *'(1 exit 3)'* ]]
}

@test "a retry that succeeds is no failure to halt for" {
	pinion_map -j1 --retries 2 --halt now,fail=1 'echo {}; [ $PINION_ATTEMPT = 2 ]' ::: a b c
	assert_equal "$status" 0
	assert_equal "$output" $'a\nb\nc'
}

@test "a halt does not wait for an input that stays open" {
	mkfifo input
	sleep 1000 >input 3>&- &
	printf '1\n2\n' >input &
	run timeout 30 pinion map -j1 --halt now,fail=1 'exit {}' <input
	assert_equal "$status" 1
}

@test "an end by halt takes no longer than an input of millions is long" {
	run timeout 30 bash -c 'yes 1 | pinion map --halt now,fail=3 "exit {}"'
	assert_equal "$status" 1
	assert_nothing_left
}

@test "a timeout and a lost worker are failures to halt for" {
	pinion_map -j1 --timeout 0.5 --halt now,fail=1 'sleep {}' ::: 1000 0
	assert_equal "$status" 1
	[[ $stderr == *'1 timed out'*'1 never started'* ]]
	pinion_map -j1 --halt now,fail=1 '[ {} = a ] || { kill -KILL $PPID; sleep 1000; }' ::: a b c
	assert_equal "$status" 1
	[[ $stderr == *'1 lost: its worker died'*'1 never started'* ]]
}

@test "an end by halt is no success when output could not be written" {
	local halt
	for halt in now,done=1 soon,success=1 soon,done=1; do
		run -3 bash -c "pinion map -j1 --halt $halt 'echo x' ::: 1 2 3 >/dev/full"
		[[ $output == *'cannot write to stdout: No space left on device'* ]]
	done
}
