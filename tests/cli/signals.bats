# Signals to pinion, and the signals its tasks are born with.
# shellcheck shell=bats
# shellcheck disable=SC2154  # bats sets output, stderr and status
# shellcheck disable=SC2016  # the tasks' shell expands, not ours

load helper

# start ARGUMENTS...: pinion map in the background, its id in pid. Whatever started the tests may
# have had INT ignored, as background jobs of a shell do.
start() {
	env --default-signal pinion map "$@" <&0 3>&- 4>&- 5>&- &
	pid=$!
}

is_gone() {
	! kill -0 "$pid" 2>/dev/null
}

# ends_within_2_s EXPECTED_STATUS
ends_within_2_s() {
	WAIT_S=2 wait_until is_gone || {
		kill -KILL "$pid"
		return 1
	}
	local result=0
	wait "$pid" || result=$?
	assert_equal "$result" "$1"
	assert_nothing_left
}

exist() {
	local file
	for file; do
		[[ -e $file ]] || return 1
	done
}

# state_is LETTERS PID: the process is in one of these states of /proc/PID/stat.
state_is() {
	local stat
	stat=$(<"/proc/$2/stat") || return 1
	stat=${stat##*) }
	[[ ${stat%% *} == ["$1"] ]]
}

# How many bytes wait in the pipe on descriptor 4.
pipe_bytes() {
	python3 -c 'import array, fcntl, termios
n = array.array("i", [0])
fcntl.ioctl(4, termios.FIONREAD, n)
print(n[0])'
}

pipe_is_full() {
	(($(pipe_bytes) >= 60000))
}

@test "INT, TERM and HUP end the run by that signal, and all tasks" {
	local signal
	for signal in INT TERM HUP; do
		rm -f started.*
		start -j2 'setsid sleep 1000 & echo >started.{}; sleep 1000' ::: a b 2>messages
		wait_until exist started.a started.b
		kill -"$signal" "$pid"
		ends_within_2_s $((128 + $(kill -l "$signal")))
		grep -q '2 of 2 tasks cancelled' messages
	done
}

@test "the caller sees a death by signal, not an exit" {
	local signal
	for signal in INT TERM HUP; do
		run python3 -c '
import os, signal, subprocess, sys
number = getattr(signal, "SIG" + sys.argv[1])
p = subprocess.Popen(["env", "--default-signal", "pinion", "map", "echo", "-"], stdin=subprocess.PIPE,
	stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
p.stdin.write(b"x\n")
p.stdin.flush()
assert p.stdout.readline() == b"- x\n"
p.send_signal(number)
print(p.wait(timeout=20) == -number)' "$signal"
		assert_equal "$output" True
	done
}

@test "a signal ends a run that waits for input" {
	mkfifo input
	exec 4<>input
	local signal
	for signal in INT TERM; do
		start -j2 echo <input >out
		echo first >&4
		wait_until grep -q first out
		kill -"$signal" "$pid"
		ends_within_2_s $((128 + $(kill -l "$signal")))
	done
	exec 4>&-
}

@test "a signal ends a run whose reader does not read" {
	mkfifo out
	exec 4<>out
	local signal
	for signal in INT TERM; do
		start -j2 'yes; : {}' ::: a b >out 2>/dev/null
		wait_until pipe_is_full
		kill -"$signal" "$pid"
		ends_within_2_s $((128 + $(kill -l "$signal")))
		timeout 0.2 cat <&4 >/dev/null || true
	done
	exec 4<&-
}

@test "the first signal gives tasks the time to end themselves" {
	start -j1 --termseq TERM,10000,KILL,25 \
		'trap "echo >got; exit 0" TERM; echo >started; while :; do sleep 0.02; done; : {}' ::: a b
	wait_until exist started
	kill -TERM "$pid"
	ends_within_2_s 143
	[[ -e got ]]
}

@test "the second signal ends at once what defies the first" {
	start -j1 --termseq TERM,60000,KILL,25 \
		'trap "echo >got" TERM; echo >started; while :; do sleep 0.02; done; : {}' ::: a b
	wait_until exist started
	kill -INT "$pid"
	wait_until exist got
	kill -0 "$pid"
	kill -INT "$pid"
	ends_within_2_s 130
}

@test "a signal ends a run in its initializer" {
	start -j2 --initializer 'echo >started; sleep 1000' echo ::: a b c
	wait_until exist started
	kill -TERM "$pid"
	ends_within_2_s 143
}

@test "a signal ends a run between a failure and its retry" {
	start -j1 --retries 3 --backoff 1000 'echo >started; exit 1; : {}' ::: a 2>messages
	wait_until exist started
	kill -TERM "$pid"
	ends_within_2_s 143
}

@test "what was finished when the signal came is printed" {
	start -j1 'echo out {}; [ {} = a ] || { echo >started; sleep 1000; }' ::: a b >out 2>/dev/null
	wait_until exist started
	wait_until grep -q 'out a' out
	kill -TERM "$pid"
	ends_within_2_s 143
	grep -qx 'out a' out
}

@test "signals that were ignored stay ignored, for pinion and for tasks" {
	mkfifo go
	env --default-signal --ignore-signal=HUP pinion map \
		'echo >started; read -r x <go; grep SigIgn /proc/self/status; : {}' ::: a >out 3>&- &
	pid=$!
	wait_until exist started
	kill -HUP "$pid"
	kill -HUP "$pid"
	echo >go
	wait "$pid"
	assert_equal "$(<out)" "$(env --default-signal --ignore-signal=HUP grep SigIgn /proc/self/status)"
}

@test "tasks have the mask and the ignored signals that pinion was given" {
	local -a kinds=("--default-signal" "--ignore-signal=HUP,INT,TERM,USR1,USR2,PIPE,TSTP"
		"--block-signal=HUP,TERM,USR1,CHLD,PIPE" "--ignore-signal=QUIT --block-signal=INT")
	local kind
	for kind in "${kinds[@]}"; do
		# shellcheck disable=SC2086  # words
		assert_equal "$kind $(env --default-signal $kind timeout -k 1 20 env $kind pinion map grep -E 'Sig(Blk|Ign)' ::: /proc/self/status)" \
			"$kind $(env --default-signal $kind env $kind grep -E 'Sig(Blk|Ign)' /proc/self/status)"
	done
}

@test "a caller that ignores CHLD does not make the run hang" {
	run --separate-stderr timeout -s KILL 40 env --ignore-signal=CHLD pinion map grep SigIgn ::: /proc/self/status
	assert_equal "$status" 0
	assert_equal "$output" "$(env --ignore-signal=CHLD grep SigIgn /proc/self/status)"
}

# workers_are COUNT: pinion has so many children.
workers_are() {
	local -a children
	read -ra children <"/proc/$pid/task/$pid/children"
	((${#children[@]} == $1))
}

# pinion has read all signals that were sent to it.
nothing_is_pending() {
	grep -q '^ShdPnd:.0*$' "/proc/$pid/status"
}

@test "USR1 adds a worker and USR2 takes one away" {
	mkfifo go.a go.b go.c go.d
	start -j1 --unordered 'echo >started.{}; read -r x <go.{}; echo {}' ::: a b c d >out
	wait_until exist started.a
	kill -USR1 "$pid"
	wait_until exist started.b
	kill -USR2 "$pid"
	wait_until nothing_is_pending
	echo >go.b
	wait_until grep -qx b out
	wait_until workers_are 1
	[[ ! -e started.c ]]
	echo >go.a
	wait_until exist started.c
	[[ ! -e started.d ]]
	echo >go.c
	echo >go.d
	local result=0
	wait "$pid" || result=$?
	assert_equal "$result" 0
	assert_equal "$(<out)" $'b\na\nc\nd'
}

@test "USR2 leaves one worker at least" {
	mkfifo go.a go.b
	start -j1 'echo >started.{}; read -r x <go.{}; echo {}' ::: a b >out
	wait_until exist started.a
	kill -USR2 "$pid"
	kill -USR2 "$pid"
	echo >go.a
	wait_until exist started.b
	echo >go.b
	wait "$pid"
	assert_equal "$(<out)" $'a\nb'
}

@test "TSTP stops pinion and its tasks, CONT continues them" {
	mkfifo go.a go.b
	start -j2 --timeout 20 'echo $$ >task.{}; read -r x <go.{}; echo {}' ::: a b >out
	wait_until test -s task.a
	wait_until test -s task.b
	kill -TSTP "$pid"
	wait_until state_is Tt "$pid"
	wait_until state_is Tt "$(<task.a)"
	wait_until state_is Tt "$(<task.b)"
	kill -CONT "$pid"
	wait_until state_is SR "$(<task.a)"
	wait_until state_is SR "$(<task.b)"
	echo >go.a
	echo >go.b
	local result=0
	wait "$pid" || result=$?
	assert_equal "$result" 0
	assert_equal "$(<out)" $'a\nb'
}

@test "a stopped run takes a signal when it is continued" {
	start -j1 'echo $$ >task.{}; sleep 1000' ::: a
	wait_until test -s task.a
	kill -TSTP "$pid"
	wait_until state_is Tt "$pid"
	kill -TERM "$pid"
	kill -CONT "$pid"
	ends_within_2_s 143
}

@test "a reader that has enough ends the run promptly and quietly" {
	local -a statuses
	set +e # a death by PIPE is what is wanted
	yes | timeout 20 env --default-signal pinion map echo 2>messages | head -1 >out
	statuses=("${PIPESTATUS[@]}")
	set -e
	assert_equal "${statuses[1]} ${statuses[2]}" '141 0'
	assert_equal "$(<out)" y
	assert_equal "$(<messages)" ''
	assert_nothing_left
}

@test "a reader that has enough ends tasks that would run for ever" {
	local -a statuses
	set +e
	timeout 20 env --default-signal pinion map -j2 'setsid sleep 1000 & yes; : {}' ::: a b 2>messages | head -1 >out
	statuses=("${PIPESTATUS[@]}")
	set -e
	assert_equal "${statuses[0]}" 141
	assert_equal "$(<messages)" ''
	assert_nothing_left
}

@test "a reader that goes away while tasks are silent ends the run, too" {
	mkfifo out
	exec 5<>out
	exec 4<out
	start -j2 'echo >started.{}; sleep 1000' ::: a b >out 2>messages
	exec 5>&-
	wait_until exist started.a started.b
	exec 4<&-
	ends_within_2_s 141
	assert_equal "$(<messages)" ''
}

@test "with PIPE ignored a reader that goes away still ends the run quietly" {
	local -a statuses
	set +e
	yes | timeout 20 env --ignore-signal=PIPE pinion map echo 2>messages | head -1 >out
	statuses=("${PIPESTATUS[@]}")
	set -e
	assert_equal "${statuses[1]}" 1
	assert_equal "$(<messages)" ''
	assert_nothing_left
}

has_read_much() {
	(($(awk '$1 == "rchar:" { print $2 }' "/proc/$pid/io") > 20000000))
}

@test "TERM ends a run in the middle of an item that has no end" {
	start -j1 echo </dev/zero 2>messages
	wait_until has_read_much
	kill -TERM "$pid"
	ends_within_2_s 143
	assert_equal "$(<messages)" 'pinion map: the rest of the input was not read'
}
