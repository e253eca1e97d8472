# --joblog and what goes on from it: --resume, --resume-failed, --retry-failed.
# shellcheck shell=bats
# shellcheck disable=SC2016  # the tasks' shell expands, not ours
# shellcheck disable=SC2154  # helper.bash sets gnu_parallel
load helper

header=$'Seq\tHost\tStarttime\tJobRuntime\tSend\tReceive\tExitval\tSignal\tCommand'

# columns LIST FILE: those of the records, without the header.
columns() {
	sed 1d "$2" | cut -f "$1"
}

# What two logs should agree on: all but the times, whose form is looked at instead; by seq.
comparable() {
	sed -E '1!s/^([0-9]+\t:)\t[0-9]+\.[0-9]{3}\t( *[0-9]+\.[0-9]{3})\t/\1\ttime\t\2\t/' "$1" |
		awk -F '\t' -v OFS='\t' 'NR > 1 { $4 = length($4) } 1' | sort -n
}

# same_log ARGUMENT...: given to GNU parallel and to pinion parallel, which write the same.
same_log() {
	"$gnu_parallel" --will-cite --plain --joblog gnu "$@" >/dev/null 2>&1 </dev/null || true
	pinion parallel --plain --joblog ours "$@" >/dev/null 2>&1 </dev/null || true
	diff <(comparable gnu | cat -A) <(comparable ours | cat -A) >&2
}

@test "the log is that of GNU parallel, byte for byte but for the times" {
	gnu_parallel_available || skip "there is no GNU parallel"
	[[ -z ${PINION_TEST_MODE-} ]] || skip "a tool in between has other ends"
	same_log -j1 'echo {}; echo err >&2; exit {}' ::: 0 3 255
	same_log -j1 'kill -9 $$' ::: 1
	same_log -j1 --timeout 0.5 'sleep 50;echo {}' ::: 1
	same_log -j1 ::: ./none 'no-such x' 'echo a  b'
	printf 'a\nb\0c\td\0\0' >items
	same_log -j1 -0 -a items 'echo {}'
	same_log -j1 --retries 3 'exit 2;echo {}' ::: 1
	same_log -j2 --halt now,fail=1 ::: 'until rm begun; do sleep 0.02; done 2>/dev/null; exit 1' \
		'echo >begun; sleep 30' 'sleep 40'
	same_log -j1 --halt soon,fail=1 ::: 'exit 1' 'echo never'
	same_log -j2 -k 'sleep {}; echo {}' ::: 0.3 0.1
	same_log -j1 -n2 echo ::: 1 2 3
	same_log -j1 -q echo 'a  b' ::: 1
	same_log -j1 --tag 'echo {};exit 2' ::: aa
	same_log -u -j1 'echo {}' ::: aa
	same_log -j1 true '#' ::: '*' ''
}

@test "GNU parallel resumes our log, and we resume its, in whatever quotes" {
	gnu_parallel_available || skip "there is no GNU parallel"
	[[ -z ${PINION_TEST_MODE-} ]] || skip "a tool in between is not what is tested"
	pinion parallel -j1 --joblog log 'echo {}' ::: "it's" 'a  b' >/dev/null
	run --separate-stderr "$gnu_parallel" --will-cite --plain --joblog log --resume 'echo {}' ::: "it's" 'a  b' c
	assert_equal "$output" c
	run --separate-stderr pinion parallel --joblog log --resume 'echo {}' ::: "it's" 'a  b' c d
	assert_equal "$output" d
	"$gnu_parallel" --will-cite --plain -j1 --joblog log 'echo {}' ::: "it's" 'a  b' >/dev/null
	run --separate-stderr pinion parallel --joblog log --resume 'echo {}' ::: "it's" 'a  b' c
	assert_equal "$output" c
	assert_equal "$(columns 1 log | tr '\n' ' ')" '1 2 3 '
}

@test "--resume runs what is missing, --resume-failed also what failed, --retry-failed that alone" {
	run pinion map -j1 --joblog log 'echo {}; exit {}' ::: 0 3 0
	assert_equal "$status" 1
	run --separate-stderr pinion map --joblog log --resume 'echo {}; exit {}' ::: 0 3 0 0
	assert_equal "$status:$output" '0:0'
	[[ $stderr == *"1 recorded task failed and will not be run again"*"3 of 4 tasks done before"* ]]
	run --separate-stderr pinion map --joblog log --resume-failed 'echo {}; exit {}' ::: 0 3 0 0 0
	assert_equal "$status:$output" $'1:3\n0'
	run --separate-stderr pinion map --joblog log --retry-failed
	assert_equal "$status:$output" '1:3'
	assert_equal "$(columns 1,7 log | tr '\t\n' ': ')" '1:0 2:3 3:0 4:0 2:3 5:0 2:3 '
	assert_equal "$(head -n 1 log)" "$header"
}

@test "--retry-failed brings back commands and values as they were" {
	run pinion map --joblog log false ::: "it's" $'a\nb' '*' ''
	run --separate-stderr pinion map --joblog log --retry-failed -v -j1 </dev/null
	assert_equal "$output" "false 'it'\\''s'
false 'a
b'
false '*'
false ''"
	printf '%s\n' '#!/bin/sh' 'while IFS= read -r line; do [ -e ok ] || exit 1; echo "<$line>"; done' >program
	chmod +x program
	run pinion feed -j1 --joblog fed ./program ::: "it's" 'a  b'
	assert_equal "$status" 1
	: >ok
	run --separate-stderr pinion feed -j1 --joblog fed --retry-failed ./program </dev/null
	assert_equal "$status:$output" "0:<it's>
<a  b>"
}

@test "feed and call are recorded and resumed like map" {
	seq 5 | pinion feed -j2 --joblog log cat >/dev/null
	assert_equal "$(columns 1,9 log | sort -n | tr '\t\n' ': ')" '1:1 2:2 3:3 4:4 5:5 '
	run --separate-stderr pinion feed --joblog log --resume cat ::: 1 2 3 4 5 6
	assert_equal "$status:$output" '0:6'
	seq 5000 | pinion call --joblog called "$PINION_BUILD/plugins/crc32.so" >all
	head -n 2001 called >part
	run --separate-stderr pinion call --joblog part --resume "$PINION_BUILD/plugins/crc32.so" <<<"$(seq 5000)"
	assert_equal "$status" 0
	assert_equal "$(columns 1 part | sort -n | uniq)" "$(seq 5000)"
	assert_equal "$(columns 1 part | wc -l)" 5000
}

@test "cancelled tasks and those never started are not recorded, so they are run" {
	run pinion map -j2 --joblog log --halt now,fail=1 ::: 'sleep 0.1; exit 1' 'sleep 50' true true
	assert_equal "$(columns 1,7 log)" $'1\t1'
	run pinion map -j2 --joblog log --resume ::: 'sleep 0.1; exit 1' 'true' true true
	assert_equal "$status" 0
	assert_equal "$(columns 1 log | sort)" $'1\n2\n3\n4'
}

@test "a log is overwritten, with + appended to, and a dry run leaves it alone" {
	pinion map --joblog log true ::: 1 2
	pinion map --joblog log true ::: 1
	assert_equal "$(wc -l <log)" 2
	pinion map --joblog +log true ::: 1
	assert_equal "$(wc -l <log)" 3
	cp log before
	run --separate-stderr pinion map --dry-run --joblog log --resume echo ::: 1 2
	assert_equal "$status" 3 # the log is of true
	run --separate-stderr pinion map --dry-run --joblog log --resume true ::: 1 2
	assert_equal "$output" 'true 2'
	run --separate-stderr pinion map --dry-run --joblog log true ::: 1 2
	assert_same_bytes log before
	pinion map --dry-run --joblog new true ::: 1
	[[ ! -e new ]]
}

@test "of a log that was cut at any byte only the cut record is lost" {
	pinion map -j1 --joblog whole true ::: 1 2 3
	local size length
	size=$(stat -c %s whole)
	for ((length = 0; length < size; length++)); do
		head -c "$length" whole >log
		pinion map -j1 --quiet --joblog log --resume true ::: 1 2 3 2>messages
		columns 1 log >seqs
		[[ $(tr '\n' ' ' <seqs) == '1 2 3 ' && $(head -n 1 log) == "$header" ]] || {
			echo "cut at $length: $(cat -A log)" >&2
			return 1
		}
	done
}

@test "a torn tail is told of once" {
	pinion map --joblog log true ::: 1
	printf '2\t:\t17' >>log
	run pinion map --joblog log --resume true ::: 1 2
	assert_equal "$status" 0
	[[ $output == *"--joblog log: line 3 was cut short"* ]]
	run pinion map --joblog log --resume true ::: 1 2
	[[ $output != *"cut short"* ]]
}

@test "another job's log is refused with its line, and left as it is" {
	pinion map -j1 --joblog log echo ::: a b c >/dev/null
	printf '4\t:\t17' >>log
	cp log before
	run --separate-stderr pinion map --joblog log --resume rm ::: a b c
	assert_equal "$status:$output" '3:'
	[[ $stderr == *"--joblog log, line 2: task 1 was 'echo a' and is 'rm a' now"* ]]
	assert_same_bytes log before
	run --separate-stderr pinion map --joblog log --resume echo ::: new a b c
	assert_equal "$status:$output" '3:'
	assert_same_bytes log before
	run --separate-stderr pinion parallel --joblog log --resume-failed rm ::: a b c
	assert_equal "$status:$output" '255:'
	assert_same_bytes log before
}

@test "what is no joblog is refused, and left as it is" {
	local what
	printf 'dear diary\n' >diary
	cp "$(type -P pinion)" program
	printf '%s\n\n' "$header" >empty-line
	for what in diary program empty-line; do
		cp "$what" before
		run --separate-stderr pinion map --joblog "$what" --resume echo ::: a
		assert_equal "$status:$output" '2:'
		[[ $stderr == *"--joblog $what: line "*" is no record"* ]]
		run --separate-stderr pinion map --joblog "+$what" echo ::: a
		assert_equal "$status:$output" '2:'
		assert_same_bytes "$what" before
	done
}

@test "what is no file, has other line ends or bytes, or no lines at all is told, and left as it is" {
	local what patience_s=$((10 * $(slowness)))
	printf '%s\n1\t:\t1.0\t1\t0\t0\t0\t0\techo a\n' "$header" >sound
	sed 's/$/\r/' sound >crlf
	{ printf '\xef\xbb\xbf' && cat sound; } >bom
	{ cat sound && printf '\0\0\0\n'; } >zeros
	for what in crlf bom zeros; do
		cp "$what" before
		run --separate-stderr timeout "$patience_s" pinion map --joblog "$what" --resume echo ::: a
		assert_equal "$status:$output" '2:'
		[[ $stderr == *"--joblog $what: line "*" is no record"* ]]
		assert_same_bytes "$what" before
	done
	mkfifo pipe
	for what in pipe /dev/null /dev/zero; do
		run --separate-stderr timeout "$patience_s" pinion map --joblog "$what" --resume echo ::: a </dev/null
		assert_equal "$status:$output" '2:'
		[[ $stderr == *"--joblog $what is no regular file"* ]]
	done
	truncate -s 3G sparse
	run --separate-stderr timeout 50 pinion map --joblog sparse --resume echo ::: a
	assert_equal "$status:$output" '2:'
	[[ $stderr == *'--joblog sparse: line 1 is longer than any record'* && $(stat -c %s sparse) == 3221225472 ]]
	mkdir folder
	run --separate-stderr pinion map --joblog folder echo ::: a
	assert_equal "$status:$output" '3:'
	[[ $stderr == *'cannot open --joblog folder: Is a directory' ]]
}

@test "a log with a huge seq is gone on from at once, and one that is no number of a task refused" {
	local seq option patience_s=$((10 * $(slowness)))
	local -a job
	for seq in 1099511627776 1000000000000000; do
		for option in '' --line-buffer --unordered; do
			printf '%s\n2\t:\t1.0\t1\t0\t0\t1\t0\techo two\n%s\t:\t1.0\t1\t0\t0\t1\t0\techo far\n' "$header" "$seq" >log
			# shellcheck disable=SC2086
			run --separate-stderr timeout "$patience_s" pinion map -j1 $option --joblog log --retry-failed
			assert_equal "$status:$output" $'0:two\nfar'
			assert_equal "$(columns 1,7 log | tail -n 2)" $'2\t0\n'"$seq"$'\t0'
		done
	done
	for seq in 1000000000000001 9223372036854775808 18446744073709551617 0 -1 +1 0x10 007 ' 3' '3 '; do
		printf '%s\n1\t:\t1.0\t1\t0\t0\t0\t0\texit 0\n%s\t:\t1.0\t1\t0\t0\t1\t0\texit 1\n' "$header" "$seq" >log
		cp log before
		for option in --resume --resume-failed --retry-failed; do
			[[ $option == --retry-failed ]] && job=("$option") || job=("$option" 'exit {}' ::: 0 1)
			run --separate-stderr timeout "$patience_s" pinion map --joblog log "${job[@]}"
			assert_equal "$status:$output" '2:'
			[[ $stderr == *"--joblog log: line 3 is no record: "*"; name another file, or take that line out" ]]
			assert_same_bytes log before
		done
	done
}

@test "no control byte of a log reaches the terminal" {
	printf '%s\n1\t:\t1.000\t     0.001\t0\t0\t0\t0\t\033]0;x\007\n' "$header" >log
	run pinion map --joblog log --resume echo ::: a
	assert_equal "$status" 3
	[[ $output != *$'\033'* && $output == *'\x1b]0;x'* ]]
}

@test "a log in use is refused with its holder, and left as it is" {
	mkfifo gate
	pinion map -j1 --joblog log 'echo {}; read -r _ <gate' ::: a >out 3>&- &
	local pid=$!
	wait_until grep -q a out
	cp log before
	local option
	for option in --quiet --resume --retry-failed; do
		run --separate-stderr pinion map --joblog log "$option" echo ::: a
		assert_equal "$status:$output" '75:'
		[[ $stderr == *"--joblog log is in use by process $pid:"* ]]
		assert_same_bytes log before
	done
	run pinion parallel --joblog log echo ::: a
	assert_equal "$status" 255
	echo >gate
	wait "$pid"
	pinion map --joblog log echo ::: a
}

@test "of runs that begin at the same moment one has the log, and each task is done once" {
	local option i status pids
	for option in --quiet --resume; do
		for _ in 1 2 3; do
			rm -f log ran
			pids=()
			for i in 1 2 3 4; do
				timeout 20 pinion map --joblog log "$option" 'echo {} >>ran' ::: 1 2 3 4 5 >out.$i 2>&1 3>&- &
				pids+=($!)
			done
			for i in "${pids[@]}"; do
				status=0
				wait "$i" || status=$?
				((status == 0 || status == 75))
			done
			assert_equal "$(columns 1 log | sort -n | tr '\n' ' ')" '1 2 3 4 5 '
			assert_equal "$(head -n 1 log)" "$header"
			# Without --resume a run that came when another had ended does all again.
			[[ $option == --quiet ]] || assert_equal "$(sort -n ran | tr '\n' ' ')" '1 2 3 4 5 '
		done
	done
}

@test "a symbolic link is not followed" {
	echo precious >target
	ln -s target log
	ln -s nowhere dangling
	local log option
	for log in log dangling; do
		for option in --quiet --resume; do
			run --separate-stderr pinion map --joblog "$log" "$option" echo ::: a
			assert_equal "$status:$output" '2:'
			[[ $stderr == *"--joblog $log is a symbolic link"* ]]
		done
	done
	assert_equal "$(cat target)" precious
	[[ ! -e nowhere ]]
}

@test "a log that cannot be made or written ends the run with its name" {
	run --separate-stderr pinion map --joblog /dev/full echo ::: a
	assert_equal "$status:$output" '3:'
	assert_equal "$stderr" 'pinion map: cannot write to --joblog /dev/full: No space left on device'
	run --separate-stderr pinion map --joblog none/log echo ::: a
	assert_equal "$status:$output" '3:'
	[[ $stderr == *'cannot open --joblog none/log: No such file or directory' ]]
	run --separate-stderr pinion map --joblog /sys/log echo ::: a # read-only, for root too
	assert_equal "$status:$output" '3:'
	[[ $stderr == *'cannot open --joblog /sys/log: '* ]]
}

@test "nothing is recorded whose output is lost" {
	run pinion map -j1 --joblog log 'echo {}' ::: 1 2 3 >/dev/full
	pinion map -j1 --joblog log 'echo {}' ::: 1 2 3 >/dev/full 2>messages && return 1
	assert_equal "$(columns 1 log)" ''
	pinion map --unordered -j1 --joblog log 'echo {}' ::: 1 2 3 >/dev/full 2>messages && return 1
	assert_equal "$(columns 1 log)" ''
	pinion feed -j1 --joblog log cat ::: 1 2 3 >/dev/full 2>messages && return 1
	assert_equal "$(columns 1 log)" ''
	# Who prints nothing has lost nothing.
	pinion map -j1 --joblog log '[ {} = 1 ] || echo {}' ::: 1 2 3 >/dev/full 2>messages && return 1
	assert_equal "$(columns 1 log)" 1
}

@test "a task that a reader took is recorded, and one whose output it left is not" {
	yes 1234567890 | head -c 500000 >block
	(pinion map -j1 --joblog log 'echo {}; cat block' ::: 1 2 3 4 5 6 2>messages || true) |
		head -c 700000 >/dev/null
	local count
	count=$(columns 1 log | wc -l)
	((count >= 1 && count <= 4)) # a pipe holds up to 1 MiB
	assert_equal "$(columns 1 log)" "$(seq "$count")"
}

@test "a run that is ended by a signal has recorded what was done" {
	mkfifo gate
	pinion map -j1 --joblog log '[ {} != 3 ] || read -r _ <gate' ::: 1 2 3 4 3>&- &
	local pid=$!
	two_are_recorded() { [[ $(columns 1 log) == $'1\n2' ]]; }
	wait_until two_are_recorded
	kill -TERM "$pid"
	wait "$pid" || assert_equal "$?" 143
	assert_equal "$(columns 1 log)" $'1\n2'
	run --separate-stderr pinion map -j1 --joblog log --resume '[ {} != 3 ] || read -r _ <gate' ::: 1 2 3 4 <<<'' 3>&- &
	pid=$!
	echo >gate
	wait "$pid"
	assert_equal "$(columns 1 log)" $'1\n2\n3\n4'
}

@test "options that make no sense are refused" {
	local option
	for option in --resume --resume-failed --retry-failed; do
		run --separate-stderr pinion map "$option" echo ::: a
		assert_equal "$status" 2
		[[ $stderr == *"$option needs the record of the earlier run: add --joblog FILE"* ]]
	done
}

@test "a resumed log of a million tasks begins at once and takes little memory" {
	skip_if_instrumented speed
	awk -v OFS='\t' -v header="$header" 'BEGIN {
		print header
		for (i = 1; i <= 1000000; i++)
			print i, ":", "1795251431.794", "     0.001", 0, 2, 0, 0, "echo photos/" i ".jpg"
	}' >log
	seq -f 'photos/%.0f.jpg' 1000001 >items
	# Time of the processor, which nobody else takes.
	run --separate-stderr bash -c 'ulimit -v 400000; pinion map --joblog log --resume -a items echo; times >times'
	assert_equal "$output" photos/1000001.jpg
	tail -n 1 times | awk -F '[ms ]+' '{ print $0; exit $1 * 60 + $2 + $3 * 60 + $4 >= 2 }' >&2
}

# The long form: PINION_STRESS=200.
holds_when_killed() {
	run timeout 250 "$BATS_TEST_DIRNAME/kill-resume" "$1" "$(rounds 20)" "$PWD/killed"
	assert_equal "$output" ''
	assert_equal "$status" 0
}

@test "killed at any instant and resumed: one repeat for each worker at most, none of what is recorded" {
	holds_when_killed quiet
}

@test "killed at any instant and resumed: the output of what is recorded is whole" {
	holds_when_killed loud
}

@test "--retry-failed refuses JSON lines, of which a log has only the command; --resume-failed has all" {
	printf '%s\n' '{"k": "a", "env": {"N": "own"}}' '{"k": "b"}' >tasks.jsonl
	run -1 pinion map --quiet --joblog log --jsonl tasks.jsonl 'echo {k} $N; test -e go'
	touch go
	run -2 pinion map --joblog log --jsonl tasks.jsonl --retry-failed 'echo {k} $N; test -e go'
	[[ $output == *'give --resume-failed, or --run-file in place of --joblog' ]]
	assert_equal "$(pinion map --joblog log --jsonl tasks.jsonl --resume-failed 'echo {k} $N; test -e go')" $'a own\nb'
}
