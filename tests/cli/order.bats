# In which order the results come out, and when.
# shellcheck shell=bats

load helper

# A task that reads from the FIFO `gate` waits there until somebody writes a line to it.
setup() {
	common_setup
	mkfifo gate out
	ln -s "$(type -P pinion)" parallel
}

# in_background COMMAND...: with its stdout in the FIFO out, which is ours to read as 5.
in_background() {
	"$@" >out 3>&- &
	running=$!
	exec 5<out
}

# next_line EXPECTED: it comes while the command still runs.
next_line() {
	local line
	read -r -t "$((20 * $(slowness)))" -u 5 line
	assert_equal "$line" "$1"
}

open_gate() {
	timeout 20 sh -c 'echo >gate'
}

# The rest of what the command prints, and it ended well.
rest_is() {
	assert_equal "$(cat <&5)" "$1"
	wait "$running"
}

first_ends_last='case {} in 1) read -r _ <gate ;; 5) echo >gate ;; esac; echo {}'

@test "results come in the order of the input when the first task ends last" {
	assert_equal "$(pinion map -j2 "$first_ends_last" ::: 1 2 3 4 5)" $'1\n2\n3\n4\n5'
}

@test "results of lines from stdin come in their order when the first task ends last" {
	assert_equal "$(seq 5 | pinion map -j2 "$first_ends_last")" $'1\n2\n3\n4\n5'
}

@test "five hundred tasks on many workers come out in the order of the input" {
	seq 500 >expected
	pinion map -j 8 'echo {}' <expected >actual
	assert_same_bytes actual expected
}

@test "-k and --keep-order are accepted and change nothing" {
	assert_equal "$(pinion map -k -j2 "$first_ends_last" ::: 1 2 3 4 5)" $'1\n2\n3\n4\n5'
	assert_equal "$(pinion map --keep-order -j2 "$first_ends_last" ::: 1 2 3 4 5)" $'1\n2\n3\n4\n5'
}

@test "of -k and --unordered the last counts" {
	assert_equal "$(pinion map --unordered -k -j2 "$first_ends_last" ::: 1 2 3 4 5)" \
		$'1\n2\n3\n4\n5'
}

@test "the first task's output is seen while it still runs" {
	in_background pinion map -j2 'echo "begin {}"; read -r _ <gate; echo "end {}"' ::: 1
	next_line 'begin 1'
	open_gate
	rest_is 'end 1'
}

@test "bytes without a newline are seen while the first task still runs" {
	in_background pinion map 'printf abc; read -r _ <gate; printf def' ::: 1
	read -r -N 3 -t 20 -u 5 bytes
	assert_equal "$bytes" abc
	open_gate
	rest_is def
}

@test "a task's output is seen while it runs as soon as all before it have ended" {
	in_background pinion map -j2 'case {} in
		1) until [ -e printed ]; do sleep 0.01; done; echo first ;;
		2) echo begin; : >printed; read -r _ <gate; echo end ;;
	esac' ::: 1 2
	next_line first
	next_line begin
	open_gate
	rest_is end
}

@test "stderr of the first task is seen while it still runs" {
	in_background sh -c 'exec pinion map "echo begin >&2; read -r _ <gate; echo {} >&2" ::: end 2>&1 >/dev/null'
	next_line begin
	open_gate
	rest_is end
}

@test "--unordered gives results as tasks finish" {
	in_background pinion map --unordered -j2 'case {} in 1) read -r _ <gate ;; esac; echo {}' ::: 1 2 3
	next_line 2
	next_line 3
	open_gate
	rest_is 1
}

@test "--unordered holds back what a task prints until the task has ended" {
	in_background pinion map --unordered -j2 'case {} in
		1) echo begin; : >printed; read -r _ <gate; echo end ;;
		2) until [ -e printed ]; do sleep 0.01; done; echo {} ;;
	esac' ::: 1 2
	next_line 2
	open_gate
	rest_is $'begin\nend'
}

@test "parallel gives results as tasks finish" {
	in_background ./parallel -j2 'case {} in 1) read -r _ <gate ;; esac; echo {}' ::: 1 2 3
	next_line 2
	next_line 3
	open_gate
	rest_is 1
}

@test "parallel -k gives results in the order of the input" {
	assert_equal "$(./parallel -k -j2 "$first_ends_last" ::: 1 2 3 4 5)" $'1\n2\n3\n4\n5'
}

@test "a failed task keeps its place in the order" {
	run --separate-stderr pinion map -j2 "$first_ends_last; exit {}" ::: 1 2 3 4 5
	assert_equal "$status" 1
	assert_equal "$output" $'1\n2\n3\n4\n5'
}

@test "a failed attempt's output does not come out when the task is tried again" {
	assert_equal "$(pinion map --retries 2 -j2 \
		'echo "{} $PINION_ATTEMPT"; [ -e tried.{} ] || { : >tried.{}; exit 1; }' ::: a b)" \
		$'a 2\nb 2'
}

@test "--window bounds how far tasks run ahead of the one whose output is next" {
	# Task 1 waits for all that may run beside it, and gives what may not a moment to be wrong.
	pinion map -j4 --window 3 'echo start >>log.{}; case {} in
		1) until [ -e done.2 ] && [ -e done.3 ]; do sleep 0.01; done; sleep 0.3
		   ls -d log.[4-9] 2>/dev/null; echo end ;;
		*) : >done.{} ;;
	esac' ::: 1 2 3 4 5 6 >seen
	assert_equal "$(cat seen)" end
	assert_equal "$(cat log.* | wc -l)" 6
}

@test "--window does not bound an unordered run" {
	assert_equal "$(pinion map --unordered -j2 --window 2 "$first_ends_last" ::: 1 2 3 4 5 |
		sort | paste -sd ' ')" '1 2 3 4 5'
}
