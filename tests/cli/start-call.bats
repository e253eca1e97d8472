# --start-method with functions in a shared object: who is initialised, how often, and whose memory
# it is. The plugin is tests/plugins/memory.c.
# shellcheck shell=bats
# shellcheck disable=SC2154  # bats sets output, stderr and status

load helper

setup() {
	common_setup
	plugin=$PINION_BUILD/plugins/memory.so
	methods=(fork spawn forkserver)
	# What /proc/self/exe leads to is valgrind then.
	[[ ${PINION_TEST_MODE-} != valgrind ]] || methods=(fork forkserver)
}

# call METHOD [OPTION]... -- WORD...
call() {
	local method=$1
	shift
	run --separate-stderr timeout $((60 * $(slowness))) pinion call --start-method "$method" "$@"
}

# noted WORD: how often it stands in the log.
noted() {
	grep -c "^$1 " log || true
}

has_noted() {
	(($(noted "$1") >= $2))
}

is_gone() {
	! kill -0 "$1" 2>/dev/null
}

# Four workers at once, each in a task that waits for the file go; pid is the coordinator's.
start_four() {
	rm -f log go
	pinion call --start-method "$1" -j4 --chunksize 1 "$plugin" log "$2" \
		::: 'wait go' 'wait go' 'wait go' 'wait go' >out 3>&- &
	pid=$!
	wait_until has_noted waiting 4
}

end_four() {
	: >go
	wait "$pid"
	assert_equal "$(sort -u out | wc -l)" 4
}

# The sum of the proportional set sizes of the processes that wait in a task, in KiB.
pss_of_waiting() {
	sed -n 's/^waiting //p' log | while read -r pid; do
		cat "/proc/$pid/smaps_rollup"
	done | awk '$1 == "Pss:" { sum += $2 } END { print sum }'
}

@test "each method gives the same answers" {
	local method
	for method in "${methods[@]}"; do
		rm -f log
		call "$method" -j3 --maxtasksperchild 2 "$plugin" log 1 ::: byte byte nonsense byte byte
		assert_equal "$status" 1
		assert_equal "$(sort -u <<<"$output" | wc -l)" 1
		assert_equal "$(wc -l <<<"$output")" 4
		[[ $stderr == *'1 of 5 tasks failed'* ]]
	done
}

@test "by fork and spawn, init and fini run in each worker" {
	local method
	for method in "${methods[@]}"; do
		[[ $method != forkserver ]] || continue
		start_four "$method" 1
		end_four
		assert_equal "$(noted init)" 4
		assert_equal "$(noted fini)" 4
		assert_equal "$(sed -n 's/init //p' log | sort)" "$(sort out)"
	done
}

@test "by forkserver, init and fini run once for all, and not in a worker" {
	start_four forkserver 1
	end_four
	assert_equal "$(noted init)" 1
	assert_equal "$(noted fini)" 1
	assert_equal "$(sed -n 's/init //p' log)" "$(sed -n 's/fini //p' log)"
	run ! grep -qx "$(sed -n 's/init //p' log)" out
	assert_nothing_left
}

@test "by forkserver, init runs once for workers that are replaced, too" {
	rm -f log
	call forkserver -j2 --maxtasksperchild 1 "$plugin" log 1 ::: pid pid pid pid pid pid pid pid
	assert_equal "$status" 0
	assert_equal "$(sort -u <<<"$output" | wc -l)" 8
	assert_equal "$(noted init)" 1
	rm -f log
	call fork -j2 --maxtasksperchild 1 "$plugin" log 1 ::: pid pid pid pid
	assert_equal "$(noted init)" 4
}

@test "by forkserver, workers are the coordinator's children" {
	call forkserver -j2 "$plugin" log 1 ::: parent parent parent parent
	assert_equal "$status" 0
	assert_equal "$(sort -u <<<"$output" | wc -l)" 1
	[[ $output != *"$(sed -n 's/init //p' log)"* ]]
}

@test "by forkserver, what init filled is shared" {
	skip_if_instrumented
	local by_fork by_server
	[[ -e /proc/self/smaps_rollup ]] || skip 'no smaps_rollup'
	start_four fork 64
	by_fork=$(pss_of_waiting)
	end_four
	start_four forkserver 64
	by_server=$(pss_of_waiting)
	end_four
	echo "4 workers with 64 MiB each: $by_fork KiB by fork, $by_server KiB by forkserver"
	((by_fork >= 4 * 65536)) # all of it is each worker's own
	((by_server < 2 * 65536))
}

@test "a worker that dies is replaced without another init" {
	rm -f log go
	pinion call --start-method forkserver -j1 --chunksize 1 "$plugin" log 1 ::: 'wait go' byte byte >out 2>messages 3>&- &
	local pid=$! result=0
	wait_until has_noted waiting 1
	kill -KILL "$(sed -n 's/waiting //p' log)"
	wait "$pid" || result=$?
	assert_equal "$result" 1
	grep -q '1 of 3 tasks failed (1 lost: its worker died)' messages
	assert_equal "$(wc -l <out)" 2
	assert_equal "$(noted init)" 1
}

@test "an init that fails in the server ends the run with its reason" {
	call forkserver -j2 "$plugin" fail 1 ::: byte byte
	assert_equal "$status" 3
	assert_equal "$output" ''
	[[ $stderr == *'init of memory failed (1): as it was told to'* ]]
	assert_equal "$(grep -c 'memory failed' <<<"$stderr")" 1
	assert_nothing_left
}

@test "an init that kills the server ends the run" {
	call forkserver -j2 "$plugin" die 1 ::: byte byte
	assert_equal "$status" 3
	[[ $stderr == *'the fork server was killed by signal 9 (Killed) before it was ready'* ]]
	assert_nothing_left
}

@test "a Ctrl-C does not wait for init" {
	local signal
	for signal in INT KILL; do
		rm -f hanging
		env --default-signal pinion call --start-method forkserver -j2 "$plugin" hang 1 ::: byte byte 3>&- 2>messages &
		local pid=$!
		wait_until test -e hanging
		kill -"$signal" "$pid"
		WAIT_S=2 wait_until is_gone "$pid"
		WAIT_S=2 assert_nothing_left
		wait "$pid" || true
	done
}
