# A stopped reader of stdout stops the reading of stdin; an open stdin is answered line by line.
# shellcheck shell=bats

load helper

# How far this process has come in the regular file that is its stdin.
input_position() {
	awk '/^pos:/ { print $2 }' "/proc/$1/fdinfo/0"
}

# The processes that are a pinion, its workers and their tasks.
family() {
	local pid children
	echo "$1"
	read -ra children <"/proc/$1/task/$1/children" || true
	for pid in "${children[@]}"; do
		family "$pid"
	done
}

cpu_ticks() {
	awk '{ print $14 + $15 }' "/proc/$1/stat"
}

# What has been done so far, in numbers that grow when anything is, and what each does now.
progress() {
	local pid
	for pid in $(family "$1"); do
		echo "$pid $(cpu_ticks "$pid") $(awk '/^State/ || /^voluntary/ { print $2 }' "/proc/$pid/status" | xargs)"
	done
}

# idle PID: it is there, does nothing for a while, and waits for no processor to do it with.
idle() {
	local before
	[[ -e /proc/$1/fdinfo/0 ]] || return
	before=$(progress "$1" 2>/dev/null)
	[[ -n $before && $before != *[RD]* ]] || return
	env -u PINION_TEST_MARK sleep 0.2
	[[ $before == "$(progress "$1" 2>/dev/null)" ]]
}

# long_lines COUNT: numbers of a thousand digits.
long_lines() {
	seq -f %01000g "$1"
}

# start_unread COMMAND...: in the background, its id in running; 6 reads its stdout, when it reads.
start_unread() {
	mkfifo out
	exec 5<>out
	# What runs in the background has no stdin unless told so.
	"$@" <&0 >out 3>&- 5>&- &
	running=$!
	exec 6<out 5>&-
}

# Each task prints 20 KB that end in its number.
print_much=': {}; : >>ran.{#}; printf "%20000s\n" {#}'

ran() {
	find . -name 'ran.*' | wc -l
}

# have_run COUNT
have_run() {
	(($(ran) >= $1))
}

# stops_and_goes_on OPTIONS...
stops_and_goes_on() {
	long_lines 1500 >lines
	start_unread pinion map -j2 "$@" "$print_much" <lines
	wait_until [ -e ran.1 ]
	WAIT_S=60 wait_until idle "$running"
	echo "$(ran) tasks have run, $(input_position "$running") bytes were read" >&2
	(($(ran) < 400))
	(($(input_position "$running") < 600000))
	timeout $((60 * $(slowness))) tr -d ' ' <&6 >actual
	wait "$running"
	seq 1500 >expected
}

@test "a stopped reader of stdout stops the reading of stdin, and nothing is lost" {
	stops_and_goes_on
	assert_same_bytes actual expected
}

@test "a stopped reader of an unordered run stops the reading of stdin, and nothing is lost" {
	stops_and_goes_on --unordered
	sort -n actual >sorted
	assert_same_bytes sorted expected
}

@test "a stopped reader of JSON lines stops the reading of stdin, and nothing is lost" {
	stops_and_goes_on --json
	jq -j .stdout actual | assert_same_bytes - expected
}

@test "a stopped reader of JSON events stops the reading of stdin, and nothing is lost" {
	stops_and_goes_on --json-stream
	jq -j '.stdout // empty' actual | assert_same_bytes - expected
}

@test "a stopped reader of an ungrouped run stops the reading of stdin, and nothing is lost" {
	stops_and_goes_on --ungroup
	assert_equal "$(wc -c <actual)" "$(wc -c <expected)"
}

@test "a stopped reader of stderr stops the reading of stdin, too" {
	long_lines 1500 >lines
	start_unread sh -c 'exec pinion map -j2 "$1" 2>&1 >/dev/null' sh "{ $print_much; } >&2" <lines
	WAIT_S=60 wait_until idle "$running"
	(($(ran) < 400))
	(($(input_position "$running") < 600000))
	timeout $((60 * $(slowness))) tr -d ' ' <&6 >actual
	wait "$running"
	seq 1500 >expected
	assert_same_bytes actual expected
}

@test "the program that writes our stdin is stopped by the reader of our stdout" {
	mkfifo in
	start_unread pinion map -j2 -a in "$print_much"
	seq -f %01000g 1500 >in 3>&- 6>&- &
	writer=$!
	WAIT_S=60 wait_until idle "$running"
	kill -0 "$writer"
	timeout $((60 * $(slowness))) tr -d ' ' <&6 >actual
	wait "$running" "$writer"
	seq 1500 >expected
	assert_same_bytes actual expected
}

@test "a task whose output is not read is stopped, and goes on" {
	start_unread pinion map 'for i in $(seq 1000); do printf "%20000s\n" $i; echo $i >at; done; : {}' ::: 1
	wait_until test -s at # on a busy machine it may be idle before it has begun
	WAIT_S=60 wait_until idle "$running"
	at=$(cat at)
	((at > 0 && at < 200))
	timeout $((60 * $(slowness))) tr -d ' ' <&6 >actual
	wait "$running"
	seq 1000 >expected
	assert_same_bytes actual expected
}

@test "tasks behind the window do not start before the first has ended, and stdin is not read" {
	mkfifo gate
	long_lines 1500 >lines
	pinion map -j2 --window 50 ': {}; [ {#} -ne 1 ] || read -r _ <gate; : >>ran.{#}; echo {#}' <lines >actual 3>&- &
	running=$!
	wait_until have_run 49
	WAIT_S=60 wait_until idle "$running"
	assert_equal "$(ran)" 49
	(($(input_position "$running") < 600000))
	echo >gate
	wait "$running"
	seq 1500 >expected
	assert_same_bytes actual expected
}

@test "TERM ends a run whose reader has stopped" {
	long_lines 1500 >lines
	start_unread pinion map -j2 "$print_much" <lines
	WAIT_S=60 wait_until idle "$running"
	kill -TERM "$running"
	WAIT_S=5 wait_until no_processes_marked
	status=0
	wait "$running" || status=$?
	assert_equal "$status" 143
}

@test "a reader that goes after it had stopped ends the run quietly" {
	long_lines 1500 >lines
	start_unread sh -c 'exec pinion map -j2 "$1" 2>err' sh "$print_much" <lines
	WAIT_S=60 wait_until idle "$running"
	exec 6<&-
	WAIT_S=5 wait_until no_processes_marked
	status=0
	wait "$running" || status=$?
	assert_equal "$status" 141
	assert_same_bytes err /dev/null
}

# --- an open stdin ---

# answers COMMAND...: it answers each line before it gets the next.
answers() {
	local i answer to_pinion
	coproc pinion_open { exec "$@" 2>err 3>&-; }
	for i in 1 2 3 4 5; do
		echo "line $i" >&"${pinion_open[1]}"
		read -r -t "$((20 * $(slowness)))" -u "${pinion_open[0]}" answer
		assert_equal "$answer" "<line $i>"
	done
	running=$pinion_open_PID
	to_pinion=${pinion_open[1]}
	exec {to_pinion}>&-
	wait "$running"
	assert_same_bytes err /dev/null
}

@test "each line of an open stdin is answered at once" {
	answers pinion map 'echo "<"{}">"'
}

@test "each line of an open stdin is answered at once in an unordered run" {
	answers pinion map --unordered 'echo "<"{}">"'
}

@test "each line of an open stdin is answered at once by one worker" {
	answers pinion map -j1 'echo "<"{}">"'
}

@test "each line of an open stdin is answered at once in parallel" {
	answers pinion parallel 'echo "<"{}">"'
}

@test "each line of an open stdin is answered at once with large chunks" {
	answers pinion map --chunksize 100 'echo "<"{}">"'
}

@test "an open stdin that is silent takes no time of the processor" {
	skip_if_instrumented "time used"
	mkfifo in out
	pinion map echo <in >out 3>&- &
	running=$!
	exec 5>in 6<out
	echo one >&5
	read -r -t 20 -u 6 line
	assert_equal "$line" one
	wait_until idle "$running"
	# This one is about a time in which nothing happens.
	before=$(progress "$running" | awk '{ sum += $2 } END { print sum }')
	sleep 1
	after=$(progress "$running" | awk '{ sum += $2 } END { print sum }')
	((after - before <= 2))
	exec 5>&-
	wait "$running"
}

@test "waiting for a long task takes no time of the processor" {
	skip_if_instrumented "time used"
	mkfifo gate
	pinion map -j2 'read -r _ <gate; echo {}' ::: 1 >actual 3>&- &
	running=$!
	wait_until idle "$running"
	before=$(progress "$running" | awk '{ sum += $2 } END { print sum }')
	sleep 1
	after=$(progress "$running" | awk '{ sum += $2 } END { print sum }')
	((after - before <= 2))
	echo >gate
	wait "$running"
	assert_equal "$(cat actual)" 1
}

@test "a stopped reader takes no time of the processor" {
	skip_if_instrumented "time used"
	long_lines 1500 >lines
	start_unread pinion map -j2 "$print_much" <lines
	WAIT_S=60 wait_until idle "$running"
	before=$(progress "$running" | awk '{ sum += $2 } END { print sum }')
	sleep 1
	after=$(progress "$running" | awk '{ sum += $2 } END { print sum }')
	((after - before <= 2))
	kill "$running"
}

# large_outputs: for each of 24 inputs some megabytes that only it prints.
large_outputs='yes "of {#}" | head -c $((1000000 + {} * 1234567))'
large_outputs_serially() {
	local i
	for i in {1..24}; do
		yes "of $i" | head -c $((1000000 + i * 1234567))
	done
}

@test "outputs larger than the memory for them are whole, however fast they are read" {
	local reader
	large_outputs_serially | cksum >expected
	for reader in 'cat' 'dd bs=5000 status=none' '{ sleep 0.3; cat; }'; do
		pinion map -j4 --buffer 20M "$large_outputs" ::: {1..24} | eval "$reader" | cksum >actual
		assert_same_bytes actual expected
		pinion map -j3 "$large_outputs" ::: {1..24} | eval "$reader" | cksum >actual
		assert_same_bytes actual expected
	done
}

@test "large outputs on both streams, out of order, tagged or line by line, are whole" {
	local print='yes "{} out" | head -n 300000; yes "{} err" | head -n 100000 >&2'
	local option i
	for i in {1..6}; do
		yes "$i out" | head -n 300000
	done | cksum >expected
	for i in {1..6}; do
		yes "$i err" | head -n 100000
	done | cksum >expected.err
	for option in --unordered --line-buffer '--line-buffer --unordered'; do
		# shellcheck disable=SC2086
		pinion map -j3 $option "$print" ::: {1..6} 2>err | LC_ALL=C sort | cksum >actual
		assert_same_bytes actual expected
		LC_ALL=C sort err | cksum >actual
		assert_same_bytes actual expected.err
	done
	pinion map -j3 --tag "$print" ::: {1..6} 2>err | cut -f2 | cksum >actual
	assert_same_bytes actual expected
	cut -f2 err | cksum >actual
	assert_same_bytes actual expected.err
}
