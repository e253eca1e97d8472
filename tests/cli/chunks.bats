# --chunksize: how many short tasks travel together changes nothing that anybody sees, but for the
# speed. Each of these runs the same with chunks of 1, 7, 1000 and auto.
# shellcheck shell=bats
# shellcheck disable=SC2154  # bats sets output, stderr and status
# shellcheck disable=SC2016  # the tasks' shell and perl expand, not ours

load helper

setup() {
	common_setup
	faults=$PINION_BUILD/plugins/faults.so
	# Crashes of a plugin are the plugin's own.
	export ASAN_OPTIONS="${ASAN_OPTIONS-}:handle_segv=0:handle_abort=0"
}

sizes='1 7 1000 auto'

# Answers each line with itself.
echoer='$| = 1; while (<STDIN>) { print }'

# pinion_bounded VERB ARGUMENTS...: as `run`, with stderr apart and an end.
pinion_bounded() {
	run --separate-stderr timeout $((60 * $(slowness))) pinion "$@"
}

# --- the same whatever the size ---

@test "map: the same bytes in the same order with chunks of any size" {
	local size
	seq 300 >in
	for size in $sizes; do
		timeout 60 pinion map -j3 --chunksize "$size" 'printf "%s\n" {}; [ $(({} % 100)) != 0 ] || sleep 0.01' <in >out
		assert_same_bytes out in
	done
}

@test "feed: the same bytes in the same order with chunks of any size" {
	local size inflight
	seq 20000 >in
	for size in $sizes; do
		for inflight in 1 64; do
			timeout 60 pinion feed -j3 --inflight "$inflight" --chunksize "$size" perl -e "$echoer" <in >out
			assert_same_bytes out in
		done
	done
}

@test "call: the same bytes in the same order with chunks of any size" {
	local size symbol
	seq 100000 | sed '1~1000s/^.*$/slow/; 50~1000s/^.*$/huge 30000/' | head -n 20000 >in
	timeout 60 pinion call -j1 --chunksize 1 "$faults" <in >expected
	for size in $sizes; do
		for symbol in '' :chunked; do
			timeout 60 pinion call -j3 --chunksize "$size" "$faults$symbol" <in >out
			assert_same_bytes out expected
		done
	done
}

@test "unordered: each answer once with chunks of any size" {
	local size
	seq 20000 | sort >in
	for size in $sizes; do
		timeout 60 pinion call -j3 --unordered --chunksize "$size" "$faults" <in | sort >out
		assert_same_bytes out in
	done
}

@test "lines with different numbers of columns keep their order in chunks of any size" {
	local size
	awk 'BEGIN { for (i = 0; i < 3000; i++) print i (i % 7 < 3 ? "" : i % 7 < 5 ? ",b" : ",b,c") }' >in
	tr , '\t' <in >expected
	for size in $sizes; do
		timeout 60 pinion feed -j3 --colsep , --chunksize "$size" perl -e "$echoer" <in >out
		assert_same_bytes out expected
	done
}

@test "tasks without values are as many in chunks of any size" {
	local size
	for size in $sizes; do
		assert_equal "$(seq 500 | timeout 60 pinion map -j3 -n0 --chunksize "$size" echo x | sort | uniq -c | tr -d ' ')" 500x
	done
}

@test "long lines go through in chunks of any size" {
	local size
	perl -e 'for (1 .. 60) { print chr(97 + $_ % 26) x ($_ % 20 == 0 ? 3000000 : $_ * 1000), "\n" }' >in
	for size in $sizes; do
		timeout 60 pinion call -j3 --chunksize "$size" "$faults" <in >out
		assert_same_bytes out in
	done
}

# failures_are EXPECTED VERB ARGUMENTS...: what the summary counts, whatever the size.
failures_are() {
	local size
	for size in $sizes; do
		pinion_bounded "$2" -j3 --chunksize "$size" "${@:3}" <in
		assert_equal "$status" 1
		assert_equal "$output" "$(cat expected)"
		[[ $stderr == *"pinion $2: $1"* ]]
	done
}

@test "map: failures are counted and named alike with chunks of any size" {
	seq 100 >in
	grep -v 3 in >expected
	failures_are $'19 of 100 tasks failed (19 exit 3)\npinion map:   task 3: exit 3: ' map 'case {} in *3*) exit 3 ;; esac; echo {}'
}

@test "feed: failures are counted and named alike with chunks of any size" {
	seq 100 >in
	grep -v 3 in >expected
	failures_are $'19 of 100 tasks failed (19 exit 1)\npinion feed:   task 3: exit 1: ' feed --protocol json \
		perl -e '$| = 1; while (<STDIN>) { /"args":\["(.*?)"\]/; print $1 =~ /3/ ? "{\"error\":\"no\"}\n" : "{\"ok\":$1}\n" }'
}

@test "call: failures are counted and named alike with chunks of any size" {
	seq 1000 | sed 's/^.*3.*$/fail 3 no/' >in
	grep -v fail in >expected
	failures_are $'271 of 1000 tasks failed (271 exit 3)\npinion call:   task 3: exit 3: ' call "$faults"
	failures_are $'271 of 1000 tasks failed (271 exit 3)\npinion call:   task 3: exit 3: ' call "$faults:chunked"
}

@test "one that crashes costs itself alone with chunks of any size" {
	local size symbol
	{ seq 50; echo segv; seq 51 100; } >in
	for size in $sizes; do
		for symbol in '' :chunked; do
			pinion_bounded call -j3 --chunksize "$size" "$faults$symbol" <in
			assert_equal "$status" 1
			assert_equal "$output" "$(seq 100)"
			[[ $stderr == *'1 of 101 tasks failed (1 killed by signal 11 (SEGV))'*'task 51: '* ]]
		done
	done
}

@test "retries: the attempts of each task are its own with chunks of any size" {
	local size
	seq 60 >in
	awk '{ print $1, $1 % 7 == 0 ? 2 : 1 }' in >expected
	for size in $sizes; do
		timeout 60 pinion map -j3 --retries 2 --chunksize "$size" \
			'[ $(({} % 7)) != 0 ] || [ $PINION_ATTEMPT = 2 ] || { echo wrong; exit 1; }; echo {} $PINION_ATTEMPT' <in >out
		assert_same_bytes out expected
		timeout 60 pinion feed -j3 --protocol json --retries 2 --chunksize "$size" \
			perl -e '$| = 1; while (<STDIN>) { /"attempt":(\d+),"args":\["(.*?)"\]/; print $2 % 7 == 0 && $1 == 1 ? "{\"error\":\"no\"}\n" : "{\"ok\":\"$2 $1\"}\n" }' <in >out 2>/dev/null
		assert_same_bytes out expected
	done
}

@test "retries: a function that crashes once is called again with chunks of any size" {
	local size symbol
	for size in $sizes; do
		for symbol in '' :chunked; do
			rm -f made.*
			{ seq 20; echo once made.1; seq 21 40; echo once made.2; seq 41 60; } >in
			pinion_bounded call -j3 --retries 2 --chunksize "$size" "$faults$symbol" <in
			assert_equal "$status" 0
			assert_equal "$output" "$(sed 's/^once.*/second time/' in)"
		done
	done
}

@test "--halt soon starts little more, whatever the size" {
	local size
	for size in $sizes; do
		pinion_bounded map -j2 --chunksize "$size" --halt soon,fail=1 'echo {}; [ {} != 5 ]' ::: $(seq 500)
		assert_equal "$status" 1
		((${#lines[@]} >= 5 && ${#lines[@]} <= 20))
		[[ $stderr == *"1 of 500 tasks failed (1 exit 1), $((500 - ${#lines[@]})) never started"* ]]
	done
}

# --- answers are not kept waiting ---

# Each of ten lines is answered before the next is written, with the input open; then as many again
# behind some thousand at once, from which auto has learned that tasks are short.
answers_at_once() {
	local line size many=$1
	shift
	for size in 1000 auto; do
		rm -f in out
		mkfifo in out
		pinion "$1" -j2 --chunksize "$size" "${@:2}" <in >out 3>&- &
		running=$!
		exec 4>in 5<out
		for i in $(seq 10) many $(seq 10); do
			if [[ $i == many ]]; then
				seq "$many" >&4
				timeout $((40 * $(slowness))) head -n "$many" <&5 | cmp - <(seq "$many")
				continue
			fi
			echo "line$i" >&4
			read -r -t $((20 * $(slowness))) -u 5 line
			assert_equal "$line" "line$i"
		done
		kill -0 "$running"
		exec 4>&-
		assert_equal "$(cat <&5)" ''
		exec 5<&-
		wait "$running"
	done
}

@test "map answers each line at once while the input is open" {
	answers_at_once 100 map 'printf "%s\n" {}'
}

@test "feed answers each line at once while the input is open" {
	answers_at_once 5000 feed perl -e "$echoer"
	answers_at_once 5000 feed --inflight 16 perl -e "$echoer"
}

@test "call answers each line at once while the input is open" {
	answers_at_once 5000 call "$faults"
	answers_at_once 5000 call "$faults:chunked"
}

@test "what came before a task that hangs is answered, in its chunk too" {
	local verb line
	mkfifo out
	for verb in map feed call; do
		rm -f gate
		case $verb in
		map) set -- 'case {} in await*) until [ -e gate ]; do sleep 0.01; done ;; esac; echo {}' ;;
		feed) set -- perl -e '$| = 1; while (<STDIN>) { if (/await/) { select undef, undef, undef, 0.01 until -e "gate" } print }' ;;
		call) set -- "$faults" ;;
		esac
		printf '%s\n' a b c 'await gate' d e |
			pinion "$verb" -j2 --chunksize 1000 "$@" >out 2>/dev/null 3>&- &
		exec 5<out
		for expected in a b c; do
			read -r -t $((20 * $(slowness))) -u 5 line
			assert_equal "$line" "$expected"
		done
		: >gate
		assert_equal "$(grep -v await <&5)" $'d\ne'
		exec 5<&-
		wait $! || [[ $verb == call ]] # await fails
	done
}

# --- no worker has all the work while others have none ---

@test "the rest of a chunk goes to workers that have nothing, once a task has taken its time" {
	local verb
	for verb in map feed; do
		case $verb in
		map) set -- 'sleep 0.02; echo $PINION_WORKER; : {}' ;;
		feed) set -- perl -e '$| = 1; while (<STDIN>) { select undef, undef, undef, 0.02; print "$$\n" }' ;;
		esac
		pinion_bounded "$verb" -j4 --chunksize 1000 "$@" ::: $(seq 40)
		assert_equal "$status" 0
		assert_equal "${#lines[@]}" 40
		(($(printf '%s\n' "${lines[@]}" | sort -u | wc -l) >= 2))
	done
}

# Tasks 2 to 5 meet: none ends before all have begun.
meeting=': >at.{}; until [ -e at.2 ] && [ -e at.3 ] && [ -e at.4 ] && [ -e at.5 ]; do sleep 0.01; done'

@test "the rest of a chunk is shared by all workers that have nothing" {
	rm -f at.*
	run timeout $((20 * $(slowness))) pinion map -j4 --chunksize 1000 "case {} in 1) sleep 0.02 ;; *) $meeting ;; esac" ::: 1 2 3 4 5
	assert_equal "$status" 0
}

@test "the rest of a chunk of tasks without values is shared, too" {
	pinion_bounded map -j4 -n0 --chunksize 1000 'sleep 0.02; echo $PINION_WORKER' ::: $(seq 40)
	assert_equal "$status" 0
	(($(printf '%s\n' "${lines[@]}" | sort -u | wc -l) >= 2))
}

@test "auto: long tasks behind many short ones do not end up with one worker" {
	local most
	# Forty of 20 ms behind thousands of microseconds: a fair share is ten.
	seq 4040 | timeout $((60 * $(slowness))) pinion feed -j4 --chunksize auto \
		perl -e '$| = 1; while (<STDIN>) { select undef, undef, undef, 0.02 if $_ > 4000; print "$$ $_" }' >out
	assert_equal "$(wc -l <out)" 4040
	most=$(tail -n 40 out | cut -d ' ' -f 1 | sort | uniq -c | sort -n | awk 'END { print $1 }')
	echo "one worker had $most of 40" >&2
	((most <= 20))
}

@test "auto: tasks of uneven length are shared evenly" {
	local most
	# One in ten takes 5 ms, the others none; a fair share of those is fifty.
	seq 2000 | timeout $((60 * $(slowness))) pinion feed -j4 --chunksize auto \
		perl -e '$| = 1; while (<STDIN>) { select undef, undef, undef, 0.005 if $_ % 10 == 0; print "$$ $_" }' >out
	assert_equal "$(wc -l <out)" 2000
	most=$(grep '0$' out | cut -d ' ' -f 1 | sort | uniq -c | sort -n | awk 'END { print $1 }')
	echo "one worker had $most of 200" >&2
	((most <= 90))
}

# --- workers that end ---

# most_of_one COLUMN: how many lines of out have the same word there, at most.
most_of_one() {
	cut -d ' ' -f "$1" out | sort | uniq -c | sort -n | awk 'END { print $1 }'
}

@test "--maxtasksperchild counts tasks, not chunks" {
	local size symbol
	seq 50 >in
	for size in $sizes; do
		timeout 60 pinion map -j2 --maxtasksperchild 3 --chunksize "$size" 'echo {} $PINION_WORKER' <in >out
		cut -d ' ' -f 1 out | cmp - in
		assert_equal "$(most_of_one 2)" 3
		timeout 60 pinion feed -j2 --maxtasksperchild 3 --chunksize "$size" \
			perl -e '$| = 1; while (<STDIN>) { chomp; print "$_ $$\n" }' <in >out
		cut -d ' ' -f 1 out | cmp - in
		assert_equal "$(most_of_one 2)" 3
		for symbol in '' :chunked; do
			yes who | head -n 50 | timeout 60 pinion call -j2 --maxtasksperchild 3 --chunksize "$size" "$faults$symbol" >out
			assert_equal "$(cut -d ' ' -f 1 out | sort -n -u | wc -l)" 50
			assert_equal "$(most_of_one 3)" 3
		done
	done
}

# A worker of $running dies, whatever it is doing; false: there was none.
kill_a_worker() {
	local victim
	victim=$(pgrep -P "$running" | shuf -n 1)
	[[ -n $victim ]] && kill -KILL "$victim" 2>/dev/null
}

# under_fire COUNT VERB ARGUMENTS...: ten times so many lines are written, and behind each of these
# times, while they are worked on, a worker dies. Nothing is lost, nothing comes twice, all is in order.
under_fire() {
	local size round
	seq $((10 * $1)) >expected
	for size in 7 auto; do
		rm -f in
		mkfifo in
		status=0
		pinion "$2" -j3 --retries 0 --chunksize "$size" "${@:3}" <in >out 2>err 3>&- &
		running=$!
		exec 4>in
		for round in {0..9}; do
			timeout 60 seq $((round * $1 + 1)) $(((round + 1) * $1)) >&4
			wait_until kill_a_worker
		done
		exec 4>&-
		WAIT_S=60 wait_until has_ended "$running"
		wait "$running" || status=$?
		echo "$2, chunks of $size:" >&2
		cat err >&2
		assert_equal "$status" 0
		assert_same_bytes out expected
	done
	assert_nothing_left
}

has_ended() {
	! kill -0 "$1" 2>/dev/null
}

@test "map: workers killed at random in the middle of chunks lose nothing and double nothing" {
	skip_if_instrumented "too slow"
	under_fire 100 map 'printf "%s\n" {}'
}

@test "feed: workers killed at random in the middle of chunks lose nothing and double nothing" {
	skip_if_instrumented "too slow"
	under_fire 20000 feed perl -e "$echoer"
	under_fire 40000 feed --inflight 64 perl -e "$echoer"
}

@test "call: workers killed at random in the middle of chunks lose nothing and double nothing" {
	skip_if_instrumented "too slow"
	under_fire 200000 call "$faults"
	under_fire 200000 call "$faults:chunked"
}

# --- memory ---

# peak_kib COUNT: what the coordinator has used at most when it has answered so many lines, of 40
# bytes, and more may come.
peak_kib() {
	rm -f in
	mkfifo in
	pinion call -j4 --chunksize auto "$faults" <in >out 3>&- &
	running=$!
	exec 4>in
	seq -f %039.0f "$1" >&4
	wait_until has_answered "$1"
	awk '/^VmHWM:/ { print $2 }' "/proc/$running/status"
	exec 4>&-
	wait "$running"
}

has_answered() {
	(($(stat -c %s out) == 40 * $1))
}

# What there is once for the whole run, and fills as it goes on: 2 MiB of queue and outboxes, shared
# with the workers, and what waits for a worker that is held up: the 8 chunks that each may have
# ahead, some hundred bytes for each task in them. Two bytes kept of each task would be above it.
@test "call: memory does not grow with the number of tasks" {
	local few many
	skip_if_instrumented "memory in use"
	few=$(peak_kib 10000)
	many=$(peak_kib 3000000)
	echo "$few KiB, then $many KiB" >&2
	((many - few <= 5500))
}
