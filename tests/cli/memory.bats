# Memory stays bounded whatever the tasks print and however many there are.
#
# PINION_STRESS=1 makes the run of many tasks one of a million.
# shellcheck shell=bats

load helper

setup() {
	common_setup
	mkfifo gate
}

# peak_kib [FILE]: the greatest VmHWM in the copies of /proc/PID/status.
peak_kib() {
	awk '/^VmHWM:/ && $2 > peak { peak = $2 } END { print peak }' "${@-status}"
}

# at_most VALUE BOUND
at_most() {
	echo "$1 of at most $2" >&2
	(($1 <= $2))
}

# With -j4 the first of `count` tasks ends when the last but two have been started; all but it
# wait in memory or in the file. What the coordinator has used is then in the file status.
mebibytes() {
	local count=$1
	shift
	seq "$count" | pinion map -j4 --window "$count" "$@" "case {} in
		1) read -r _ <gate ;;
		$((count - 2))) cat /proc/\$PARALLEL_PID/status >early; ls -A spill >names; echo >gate ;;
		$count) cat /proc/\$PARALLEL_PID/status >late ;;
	esac
	head -c 1048576 /dev/zero | tr '\\0' \$(({} % 7))"
}

mebibytes_serially() {
	local i
	for ((i = 0; i < 7; i++)); do
		head -c 1048576 /dev/zero | tr '\0' "$i" >"block.$i"
	done
	for ((i = 1; i <= $1; i++)); do
		echo "block.$((i % 7))"
	done | xargs cat
}

@test "a thousand tasks of a mebibyte, the first the slowest, take under 150 MB" {
	skip_if_instrumented "memory in use"
	mkdir spill
	mebibytes 1000 --tmpdir spill | cksum >actual
	mebibytes_serially 1000 | cksum >expected
	assert_same_bytes actual expected
	at_most "$(peak_kib early late)" 150000
}

@test "--buffer 1M keeps memory small and leaves no name in --tmpdir" {
	skip_if_instrumented "memory in use"
	mkdir spill
	mebibytes 100 --buffer 1M --tmpdir spill | cksum >actual
	mebibytes_serially 100 | cksum >expected
	assert_same_bytes actual expected
	at_most "$(peak_kib early late)" 16000
	assert_same_bytes names /dev/null
	assert_equal "$(ls -A spill)" ''
}

@test "what is held back beyond --buffer is in a file in --tmpdir without a name" {
	mkdir spill
	pinion map -j2 --buffer 1M --tmpdir spill 'case {} in
		1) read -r _ <gate; readlink /proc/$PARALLEL_PID/fd/* ;;
		2) head -c 8M /dev/zero ;;
		3) echo >gate ;;
	esac' ::: 1 2 3 >out
	assert_equal "$(head -n 30 out | grep -acF "$PWD/spill/")" 1
	assert_equal "$(head -n 30 out | grep -aF "$PWD/spill/" | grep -cF ' (deleted)')" 1
}

@test "TMPDIR is the folder of held back output without --tmpdir" {
	[[ ${PINION_TEST_MODE-} != valgrind ]] || skip "valgrind has files in TMPDIR"
	mkdir spill
	TMPDIR=$PWD/spill pinion map -j2 --buffer 1M 'case {} in
		1) read -r _ <gate; readlink /proc/$PARALLEL_PID/fd/* ;;
		2) head -c 8M /dev/zero ;;
		3) echo >gate ;;
	esac' ::: 1 2 3 >out
	assert_equal "$(head -n 30 out | grep -acF "$PWD/spill/")" 1
}

# Fails loudly: status 3, and the message names the folder $1.
loudly() {
	assert_equal "$status" 3
	assert_equal "$(grep -cF "$1" err)" 1
	assert_nothing_left
}

# full_folder DIR ARGUMENTS...: task 1 waits for ever for task 2 to have been held back.
full_folder() {
	status=0
	timeout -s KILL $((40 * $(slowness))) pinion map -j2 --buffer 1M --tmpdir "$@" 'case {} in
		1) exec sleep 1000 ;;
		*) head -c 20M /dev/zero ;;
	esac' ::: 1 2 3 4 >out 2>err || status=$?
}

@test "a folder too small for what is held back is an error that names it" {
	[[ $(id -u) == 0 ]] || skip "only root mounts"
	mkdir small
	mount -t tmpfs -o size=2m none small 2>/dev/null || skip "cannot mount"
	full_folder small
	umount small
	loudly small
	grep -q 'No space left' err
}

@test "a file limit too low for what is held back is an error that names the folder" {
	mkdir spill
	(
		ulimit -f 4096
		full_folder spill
		echo "$status" >status
	)
	status=$(cat status)
	loudly spill
}

@test "a folder for held back output that has gone is an error that names it" {
	[[ ${PINION_TEST_MODE-} != valgrind ]] || skip "valgrind has files in TMPDIR"
	mkdir spill
	status=0
	TMPDIR=$PWD/spill timeout -s KILL $((40 * $(slowness))) pinion map -j2 --buffer 1M 'case {} in
		1) exec sleep 1000 ;;
		*) rmdir spill 2>/dev/null; head -c 20M /dev/zero ;;
	esac' ::: 1 2 3 4 >out 2>err || status=$?
	loudly "$PWD/spill"
}

# stopped_reader: a FIFO out that has a reader, 5, who does not read for now.
stopped_reader() {
	mkfifo out
	exec 5<>out
}

@test "a task that prints much to a slow reader is not in memory" {
	skip_if_instrumented "memory in use"
	stopped_reader
	pinion map 'head -c 200M /dev/zero; cat /proc/$PARALLEL_PID/status >status; : {}' ::: 1 >out 3>&- 5>&- &
	exec 6<out 5>&-
	# It reads a first piece, then the pipes fill, then all.
	head -c 1M <&6 >/dev/null
	wait_until sleeping $!
	grep VmHWM "/proc/$!/status" >halfway
	assert_equal "$(cat <&6 | wc -c)" $((199 * 1048576))
	wait $!
	at_most "$(peak_kib status halfway)" 16000
}

# It waits for an event: all there is to do has been done.
sleeping() {
	[[ $(cut -d ' ' -f 3 "/proc/$1/stat") == S ]]
}

# peak_of_lines COUNT [OPTIONS]: what the coordinator has used once it has read all lines and more may
# come. The lines are long enough for the few to fill, as the many do, what is there once for the
# whole run.
peak_of_lines() {
	local running
	rm -f in
	mkfifo in
	pinion map "${@:2}" true {} <in 3>&- &
	running=$!
	exec 5>in
	seq -f %0200g "$1" >&5
	WAIT_S=20 wait_until has_read_all "$running"
	awk '/^VmHWM:/ { print $2 }' "/proc/$running/status"
	exec 5>&-
	wait "$running"
}

# Nothing is left in the pipe at 5.
has_read_all() {
	python3 -c 'import fcntl, sys, termios
sys.exit(fcntl.ioctl(5, termios.FIONREAD, b"\0\0\0\0") != b"\0\0\0\0")' && sleeping "$1"
}

# compare_peaks_of PEAK BOUND FEW MANY [OPTIONS]: PEAK COUNT [OPTIONS] prints one.
compare_peaks_of() {
	local few many
	# How full queue and outboxes get depends on who has to wait for a CPU.
	for _ in {1..3}; do
		few=$("$1" "$3" "${@:5}")
		many=$("$1" "$4" "${@:5}")
		((many - few > 600)) || break
	done
	at_most "$many" "$2"
	at_most "$((many - few))" 600
}

# compare_peaks FEW MANY [OPTIONS]
compare_peaks() {
	compare_peaks_of peak_of_lines 16000 "$@"
}

@test "memory does not grow with the number of lines" {
	skip_if_instrumented "memory in use"
	if [[ -n ${PINION_STRESS-} ]]; then
		compare_peaks 10000 1000000
	else
		compare_peaks 5000 20000
	fi
}

@test "memory does not grow with the number of lines in an unordered run" {
	skip_if_instrumented "memory in use"
	compare_peaks 5000 10000 --unordered
}

# peak_of_stages COUNT: what the coordinator of three stages has used once all lines went through.
# The last stage begins late: what is there once for the whole run is full by then.
peak_of_stages() {
	local running
	rm -f in out go
	mkfifo in
	echo '{"inputs": {"lines": "-"}, "stages": [{"feed": ["cat"]}, {"feed": ["cat"]},
		{"feed": "until [ -e go ]; do sleep 0.02; done; exec cat"}]}' >job.json
	pinion run job.json <in >out 3>&- &
	running=$!
	exec 5>in
	seq -f %0200g "$1" >&5 3>&- &
	wait_until is_held_up "$running"
	: >go
	WAIT_S=40 wait_until has_lines "$1" out
	awk '/^VmHWM:/ { print $2 }' "/proc/$running/status"
	exec 5>&-
	wait "$running"
}

# It reads no more of what there is to read.
is_held_up() {
	sleeping "$1" && ! has_read_all "$1" && sleep 0.1 && sleeping "$1" && ! has_read_all "$1"
}

has_lines() {
	(($(wc -l <"$2") == $1))
}

@test "memory does not grow with the number of tasks that go through stages" {
	skip_if_instrumented "memory in use"
	compare_peaks_of peak_of_stages 24000 30000 60000
}

@test "memory does not grow while the first task holds up all others" {
	skip_if_instrumented "memory in use"
	# --window, not the length of the input, says how much is remembered.
	seq 8000 | pinion map -j4 --window 100 'case {} in
		1) until [ -e done.100 ]; do sleep 0.01; done ;;
		100) : >done.{} ;;
		8000) cat /proc/$PARALLEL_PID/status >status ;;
	esac'
	at_most "$(peak_kib status)" 16000
}

@test "items of a megabyte do not add up" {
	skip_if_instrumented "memory in use"
	for i in $(seq 1 60); do
		head -c 1000000 /dev/zero | tr '\0' "$((i % 10))"
		echo
	done | pinion map -j2 --max-chars 2000000 'cat /proc/$PARALLEL_PID/status >status; : {#}'
	at_most "$(peak_kib status)" 60000
}
