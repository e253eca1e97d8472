# Failure: how tasks end, what is said of it, exit statuses, retries, time limits.
# shellcheck shell=bats
# shellcheck disable=SC2154  # bats sets output, stderr and status
# shellcheck disable=SC2016  # the tasks' shell expands, not ours

load helper

# A file name of 200 KB: more than execve takes for one argument.
long_item() {
	head -c 200000 /dev/zero | tr '\0' x
}

# pinion_map ARGUMENTS...: as `run`, with stderr apart, and bounded.
pinion_map() {
	run --separate-stderr timeout $((30 * $(slowness))) pinion map "$@"
}

pinion_parallel() {
	run --separate-stderr timeout $((30 * $(slowness))) pinion parallel "$@"
}

# marked_are COUNT: so many processes of this test live.
marked_are() {
	local pids
	mapfile -t pids < <(processes_marked)
	((${#pids[@]} == $1))
}

# A task's shell that starts this never ends by TERM, nor does anything it started.
stubborn='trap "" TERM INT HUP; setsid sh -c "sleep 1000 & sleep 1000; sleep 1000" & sleep 1000; sleep 1000'

# --- exit statuses ---

@test "success is status 0 and silence" {
	pinion_map 'exit 0; : {}' ::: a b c
	assert_equal "$status" 0
	assert_equal "$output$stderr" ''
}

@test "a failed task makes status 1 and does not keep the others from running" {
	pinion_map 'echo {}; exit {}' ::: 0 7 0
	assert_equal "$status" 1
	assert_equal "$output" $'0\n7\n0'
	[[ ${stderr_lines[0]} == 'pinion map: 1 of 3 tasks failed (1 exit 7)' ]]
	[[ ${stderr_lines[1]} == *'task 2: exit 7: '* ]]
}

@test "no input is no failure" {
	pinion_map echo </dev/null
	assert_equal "$status" 0
	assert_equal "$output$stderr" ''
}

@test "a wrong option is status 2 and runs nothing" {
	pinion_map --no-such-option touch ::: ran
	assert_equal "$status" 2
	assert_equal "${#stderr_lines[@]}" 1
	[[ ! -e ran ]]
}

@test "an input file that is not there is status 2 or 3, named, and runs nothing" {
	pinion_map -a no-such-file touch ran
	((status == 2 || status == 3))
	[[ $stderr == *no-such-file* ]]
	[[ ! -e ran ]]
}

@test "a folder to work in that is not there is named and nothing runs" {
	pinion_map --wd /no/such/folder touch "$PWD/ran"
	assert_equal "$status" 2
	[[ $stderr == *"/no/such/folder"* ]]
	[[ ! -e ran ]]
}

@test "parallel counts failed tasks in its status" {
	pinion_parallel -j2 'exit {}' ::: 0 1 2 0 3
	assert_equal "$status" 3
	assert_equal "$stderr" ''
}

@test "parallel counts up to 100 and says 101 for more" {
	local count
	for count in 100 101 130; do
		run pinion parallel -j4 false ::: $(seq "$count")
		assert_equal "$status" $((count > 100 ? 101 : count))
	done
}

@test "parallel's own errors are status 255" {
	pinion_parallel --no-such-option echo ::: a
	assert_equal "$status" 255
}

# --- reasons ---

@test "a task killed by a signal is told from one that exits" {
	pinion_map -j1 'kill -{} $$' ::: KILL TERM
	assert_equal "$status" 1
	[[ $stderr == *'killed by signal 9 (KILL)'* ]]
	[[ $stderr == *'killed by signal 15 (TERM)'* ]]
}

@test "exit 127 is told from a command that is not there" {
	pinion_map sh -c 'exit 127' ::: a
	assert_equal "$status" 1
	[[ $stderr == *'1 exit 127'* && $stderr != *'cannot execute'* ]]
	pinion_map ./no-such-command -x ::: a
	assert_equal "$status" 1
	[[ $stderr == *'cannot execute: No such file or directory'* && $stderr != *'exit 127'* ]]
}

@test "a missing command fails its own tasks only" {
	printf '#!/bin/sh\necho here\n' >here
	chmod +x here
	pinion_map -I@ ./@ -x ::: here gone here
	assert_equal "$status" 1
	assert_equal "$output" $'here\nhere'
	[[ $stderr == *'1 of 3 tasks failed (1 cannot execute: No such file or directory)'* ]]
	[[ $stderr == *'task 2: '*gone* ]]
}

@test "a file that may not be executed is named" {
	echo 'echo never' >plain
	pinion_map ./plain -x ::: a
	assert_equal "$status" 1
	assert_equal "$output" ''
	[[ $stderr == *'cannot execute: Permission denied'*plain* ]]
}

@test "a folder as command cannot be executed" {
	mkdir folder
	pinion_map ./folder -x ::: a
	assert_equal "$status" 1
	[[ $stderr == *'cannot execute: Permission denied'*folder* ]]
}

@test "a script whose interpreter is missing cannot be executed" {
	printf '#!/no/such/interpreter\n' >script
	chmod +x script
	pinion_map ./script -x ::: a
	assert_equal "$status" 1
	[[ $stderr == *'cannot execute: No such file or directory'* ]]
}

@test "a script without #! is run by the shell" {
	echo 'echo "$0 got $1 and $2"' >script
	chmod +x script
	pinion_map ./script -x ::: 'a b'
	assert_equal "$status" 0
	assert_equal "$output" './script got -x and a b'
}

@test "a command is looked for in PATH, past what cannot be executed" {
	mkdir first second
	echo never >first/mine
	printf '#!/bin/sh\necho second "$@"\n' >second/mine
	chmod +x second/mine
	PATH=$PWD/first:$PWD/second:$PATH pinion_map mine -x ::: a
	assert_equal "$output" 'second -x a'
}

@test "an argument too long for execve fails alone" {
	{ echo a; long_item; echo; echo b; } >items
	pinion_map -a items printf '%.3s\n'
	assert_equal "$status" 1
	assert_equal "$output" $'a\nb'
	[[ $stderr == *'1 of 3 tasks failed (1 cannot execute: Argument list too long)'* ]]
	((${#stderr} < 1000))
}

@test "an item with a NUL byte is refused by name and the rest goes on" {
	printf 'a\nb\0c\nd\n' >items
	pinion_map -a items -d '\n' echo -
	assert_equal "$status" 1
	assert_equal "$output" $'- a\n- d'
	[[ $stderr == *'1 of 3 tasks failed'*'b\x00c'*'NUL'* ]]
}

@test "control bytes of a command line do not reach the terminal" {
	pinion_map sh -c 'exit 1' ::: $'a\e[31m\a'
	assert_equal "$status" 1
	[[ $stderr != *$'\e'* && $stderr != *$'\a'* ]]
}

@test "a long list of failures is told shortly" {
	pinion_map -j4 'exit 1; : {}' ::: $(seq 500)
	assert_equal "$status" 1
	[[ ${stderr_lines[0]} == *'500 of 500 tasks failed (500 exit 1)' ]]
	((${#stderr_lines[@]} < 15))
	[[ $stderr == *'and 495 more'* ]]
}

@test "--quiet says nothing of failures" {
	pinion_map --quiet false ::: a b
	assert_equal "$status" 1
	assert_equal "$stderr" ''
}

# --- retries ---

@test "a task is tried as often as --retries says and each attempt knows its number" {
	pinion_map --retries 3 'echo $PINION_ATTEMPT >>tries; exit 1; : {}' ::: a
	assert_equal "$status" 1
	assert_equal "$(paste -sd, tries)" 1,2,3
	[[ $stderr == *'1 of 1 task failed (1 exit 1)'* ]]
}

@test "success ends the retries and makes status 0" {
	pinion_map --retries 5 'echo $PINION_ATTEMPT >>tries; [ $PINION_ATTEMPT = 3 ]; : {}; [ $PINION_ATTEMPT = 3 ]' ::: a
	assert_equal "$status" 0
	assert_equal "$stderr" ''
	assert_equal "$(paste -sd, tries)" 1,2,3
}

@test "only the last attempt's output is printed" {
	pinion_map -j2 --retries 3 'echo {} try $PINION_ATTEMPT; echo err{}.$PINION_ATTEMPT >&2; [ $PINION_ATTEMPT = {} ]' ::: 1 2 3
	assert_equal "$status" 0
	assert_equal "$output" $'1 try 1\n2 try 2\n3 try 3'
	assert_equal "$(sort <<<"$stderr")" $'err1.1\nerr2.2\nerr3.3'
}

@test "parallel retries as GNU does" {
	pinion_parallel --retries 2 'echo $PINION_ATTEMPT >>tries; exit 1; : {}' ::: a b
	assert_equal "$status" 2
	assert_equal "$(sort tries | paste -sd,)" 1,1,2,2
}

@test "a command that cannot be executed is tried again when asked" {
	pinion_map -j1 --retries 2 ./late -x ::: a
	assert_equal "$status" 1
	pinion_map -j1 --retries 3 --initializer 'printf "#!/bin/sh\necho now\n" >late; chmod +x late' ./late -x ::: a
	assert_equal "$status" 0
	assert_equal "$output" now
}

@test "--retry-on chooses which ends are tried again" {
	# what the task does, and which of exit, signal, timeout, lost it is
	local -A end=([exit]='exit 1' [signal]='kill -KILL $$' [timeout]='sleep 1000' [lost]='kill -KILL $PPID; sleep 1000')
	local kind on wanted limit_s
	for kind in exit signal timeout lost; do
		for on in exit signal timeout lost all; do
			wanted=$([[ $on == "$kind" || $on == all ]] && echo 2 || echo 1)
			limit_s=$([[ $kind == timeout ]] && echo 0.2 || echo 20)
			rm -f tries
			pinion_map --json -j1 --timeout "$limit_s" --termseq KILL,25 --retries 2 --retry-on "$on" \
				'echo >>tries; '"${end[$kind]}"'; : {}' ::: a
			assert_equal "$status" 1
			assert_equal "$kind $on $(jq .attempts <<<"$output")" "$kind $on $wanted"
			# Its time may be up before it has begun.
			[[ $kind == timeout ]] || assert_equal "$kind $on $(wc -l <tries)" "$kind $on $wanted"
		done
	done
}

@test "--backoff waits before the second try and twice as long before the third" {
	pinion_map --retries 3 --backoff 0.3 'date +%s%N >>starts; exit 1; : {}' ::: a
	mapfile -t at <starts
	assert_equal "${#at[@]}" 3
	((at[1] - at[0] >= 300000000))
	((at[2] - at[1] >= 600000000))
}

@test "others run while a task waits for its retry" {
	local result=0
	pinion map -j1 --unordered --retries 2 --backoff 1000 \
		'echo {} >>tries; [ {} = b ]' ::: a b 2>messages 3>&- &
	wait_until grep -qs b tries
	kill -TERM $!
	wait $! || result=$?
	assert_equal "$result" 143
	assert_equal "$(paste -sd, tries)" a,b
	grep -q '1 of 2 tasks failed (1 exit 1)' messages
}

# --- time limits ---

# What is to end in time has longer than machines stand still; of what is not, the limit may be short.
enough_s=3

@test "--timeout ends a task and says so, and the rest is well" {
	pinion_map -j2 --timeout $enough_s 'sleep {}; echo {}' ::: 0 1000 0
	assert_equal "$status" 1
	assert_equal "$output" $'0\n0'
	[[ $stderr == *'1 of 3 tasks failed (1 timed out)'* ]]
	assert_nothing_left
}

@test "what a task printed before its time was up is kept" {
	pinion_map --timeout $enough_s 'echo before {}; sleep 1000; echo after' ::: a
	assert_equal "$status" 1
	assert_equal "$output" 'before a'
}

@test "--timeout takes the whole tree: other sessions, those who ignore TERM, grandchildren" {
	pinion_map -j2 --timeout 1 --termseq TERM,100,KILL,25 "$stubborn; : {}" ::: a b
	assert_equal "$status" 1
	[[ $stderr == *'2 of 2 tasks failed (2 timed out)'* ]]
	assert_nothing_left
}

@test "no command of a timed-out shell runs after the one that was ended" {
	pinion_map --timeout 0.5 'sleep 1000; touch after; : {}' ::: a
	assert_equal "$status" 1
	[[ ! -e after ]]
}

@test "--timeout ends tasks that print without end, each in its turn" {
	local status=0
	timeout $((30 * $(slowness))) pinion map -j2 --timeout 0.5 yes ::: a b 2>err >/dev/null || status=$?
	assert_equal "$status" 1
	[[ $(<err) == *'2 of 2 tasks failed (2 timed out)'* ]]
	assert_nothing_left
}

@test "--timeout N% follows the median of the run times" {
	pinion_map -j1 --timeout 1500% 'sleep {}; echo {}' ::: 0.2 0.2 0.2 0.3 1000 0.2
	assert_equal "$status" 1
	assert_equal "$output" $'0.2\n0.2\n0.2\n0.3\n0.2'
	[[ $stderr == *'1 of 6 tasks failed (1 timed out)'*1000* ]]
}

@test "--timeout counts each attempt anew" {
	pinion_map --retries 2 --timeout $enough_s 'echo $PINION_ATTEMPT; [ $PINION_ATTEMPT = 2 ] || sleep 1000; : {}' ::: a
	assert_equal "$status" 0
	assert_equal "$output" 2
}

@test "a reader that rests does not make tasks time out" {
	mkfifo pipe
	pinion map -j2 --timeout $enough_s 'seq 300000; : {}' ::: $(seq 20) >pipe 2>messages 3>&- &
	local pid=$!
	{
		# The pipe is full at once; what waits on it waits longer than the limit.
		IFS= read -r <&4
		env -u PINION_TEST_MARK sleep 4
		cat <&4 >remainder
	} 4<pipe
	local result=0
	wait "$pid" || result=$?
	assert_equal "$(cat messages)" ''
	assert_equal "$result" 0
	assert_equal "$(wc -l <remainder)" $((20 * 300000 - 1))
}

@test "--termseq sends its signals in order and stops when the task is gone" {
	pinion_map --timeout $enough_s --termseq INT,1000,USR1,10000,KILL,25 '
		trap "echo INT" INT; trap "echo USR1; exit 5" USR1
		while :; do sleep 0.05; done; : {}' ::: a
	assert_equal "$status" 1
	assert_equal "$output" $'INT\nUSR1'
	[[ $stderr == *'timed out'* ]]
}

@test "a stopped task is ended, too" {
	pinion_map --timeout 1 'kill -STOP $$; : {}' ::: a
	assert_equal "$status" 1
	[[ $stderr == *'timed out'* ]]
	assert_nothing_left
}

@test "--delay keeps starts apart, whatever the number of workers" {
	# A task may be late to say when it began, never early.
	local i begin
	begin=$(date +%s%N)
	pinion_map -j4 --delay 0.2 'date +%s%N; : {}' ::: 1 2 3 4
	assert_equal "$status" 0
	mapfile -t at < <(sort <<<"$output")
	for i in 1 2 3; do
		((at[i] - begin >= i * 200000000)) || {
			echo "$begin ${at[*]}" >&2
			return 1
		}
	done
}

# --- what tasks leave behind ---

@test "a background child that holds the pipe open does not hang the run" {
	pinion_map -j2 'sleep 1000 & echo {}' ::: a b c
	assert_equal "$status" 0
	assert_equal "$output" $'a\nb\nc'
}

@test "what a successful task leaves running survives the run" {
	pinion_map 'sleep 1000 >/dev/null 2>&1 & setsid sleep 1000 & echo {}' ::: a
	assert_equal "$status" 0
	wait_until marked_are 2 # while one executes the program, it has no environment to see
}

@test "a daemon survives the failure of a later task on the same worker" {
	pinion_map -j1 'case {} in a) setsid sleep 1000 & ;; b) sleep 1000 & exit 1 ;; esac; : {}' ::: a b c
	assert_equal "$status" 1
	WAIT_S=2 wait_until marked_are 1
}

@test "what a failed task leaves running is ended" {
	pinion_map 'sleep 1000 & setsid sh -c "sleep 1000; :" & (sleep 1000 &) ; exit 1; : {}' ::: a b
	assert_equal "$status" 1
	assert_nothing_left
}

@test "late output of a daemon does not get into the next task's" {
	mkfifo go end
	pinion_map -j1 'if [ {} = a ]; then { trap "" PIPE; read -r x <go; echo late; echo late >&2; echo >end; } & echo a
		else echo >go; read -r x <end; echo b; fi' ::: a b
	assert_equal "$status" 0
	assert_equal "$output" $'a\nb'
	assert_equal "$stderr" ''
}

@test "a daemon that goes on writing does not hold up the end" {
	pinion_map -j1 'yes & echo {}' ::: a b >out
	assert_equal "$status" 0
}

@test "an output larger than any pipe comes whole when its task ends at once" {
	pinion_map -j2 'head -c 3000000 /dev/zero | tr "\0" {}; exit 0' ::: a b
	assert_equal "$status" 0
	assert_equal "${#output}" 6000000
}

@test "a task that waits for its retry when the run is ended has failed, and was not skipped" {
	pinion_map --deadline 3s --retries 0 --backoff 0.3 --joblog log --json 'echo x; exit 3; : {}' ::: 1
	assert_equal "$status" 1
	assert_equal "$(jq -c '[.status, .exit, .stdout]' <<<"$output")" '["failed",3,""]'
	[[ $stderr == 'pinion map: 1 of 1 task failed (1 exit 3)'* ]]
	assert_equal "$(wc -l <log)" 1
	pinion_map -j1 --halt soon,fail=1 --retries 3 --backoff 0.05 'exit {}' ::: 1 2
	assert_equal "$status" 1
	[[ $stderr == *'2 of 2 tasks failed (1 exit 1, 1 exit 2)'* ]]
}
