# Tasks that the kernel kills for memory, in a control group of our own with a limit.
load helper

# A group of version 1 or 2 with 60 MB, in $group; skips where none can be made.
make_group() {
	local above
	((EUID == 0)) || skip 'needs root, to make a control group'
	if above=$(awk -F: '$2 == "memory" { print $3 }' /proc/self/cgroup) && [[ -n $above ]]; then
		group=/sys/fs/cgroup/memory/pinion-test.$$.$BATS_TEST_NUMBER
		mkdir "$group" 2>/dev/null || skip 'no control group can be made here'
		echo 60M >"$group/memory.limit_in_bytes"
		echo 60M 2>/dev/null >"$group/memory.memsw.limit_in_bytes" || true
	else
		group=/sys/fs/cgroup/pinion-test.$$.$BATS_TEST_NUMBER
		mkdir "$group" 2>/dev/null || skip 'no control group can be made here'
		[[ -e $group/memory.max ]] || skip 'control groups of version 2 without memory'
		echo 60M >"$group/memory.max"
		echo 0 2>/dev/null >"$group/memory.swap.max" || true
	fi
}

teardown() {
	common_teardown
	if [[ -n ${group-} ]]; then
		wait_until rmdir "$group" 2>/dev/null
	fi
}

# in_group COMMAND...: as a process of that group.
in_group() {
	# shellcheck disable=SC2016  # expanded there
	timeout 60 bash -c 'echo $$ >"$0/cgroup.procs" && exec "$@"' "$group" "$@"
}

# Uses so many MB for a moment.
eat='use strict; my $x = "x"; $x x= $ARGV[0] << 20; select undef, undef, undef, 0.2; print "done\n"'

@test "a task killed by the kernel for memory is named so in the summary and in the records" {
	make_group
	run --separate-stderr in_group pinion map -j1 --run-file run.db --joblog log perl -e "$eat" ::: 1 200
	assert_equal "$status" 1
	assert_equal "$output" 'done'
	assert_equal "${stderr_lines[0]}" 'pinion map: 1 of 2 tasks failed (1 killed by the kernel for memory)'
	assert_equal "$(sqlite3 run.db 'SELECT reason, exit, signal FROM task WHERE seq = 1')" 'memory||9'
	assert_equal "$(awk 'NR == 3 { print $7, $8 }' log)" '0 9'
	run --separate-stderr in_group pinion map -j1 --results -.jsonl "perl -e '$eat' {}; exit \$?" ::: 200
	[[ $output == *'"status":"out_of_memory","exit":137,'* ]]
}

@test "who kills a task with KILL is not taken for the kernel" {
	make_group
	run --separate-stderr in_group pinion map -j1 'kill -9 $$' ::: 1
	assert_equal "${stderr_lines[0]}" 'pinion map: 1 of 1 task failed (1 killed by signal 9 (KILL))'
}

@test "with --retry-on memory they come again with fewer beside them, until they fit" {
	skip_if_instrumented # pinion would be the largest in the group, and the one that is killed
	make_group
	run --separate-stderr in_group pinion map -j4 --retries 9 --retry-on memory perl -e "$eat" ::: 30 30 30 30
	assert_equal "$status" 0
	assert_equal "$output" $'done\ndone\ndone\ndone'
	[[ $stderr == *'pinion map: a task was killed for memory: no more than '*' at once for now'* ]]
}
