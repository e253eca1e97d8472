# What comes out on stdout and stderr: whole blocks, tags, lines, and what ends a run early.
# shellcheck shell=bats

load helper

# All of 1 to 4 print a line, wait until each has, and print another: were outputs mixed, then here.
together='echo begin {}; echo begin {} >&2; : >at.{}
	until [ -e at.1 ] && [ -e at.2 ] && [ -e at.3 ] && [ -e at.4 ]; do sleep 0.01; done
	echo end {}; echo end {} >&2'

# same_as_gnu ARGUMENTS...: stdout, stderr and status are those of GNU parallel, byte for byte.
same_as_gnu() {
	gnu_parallel_available || skip "GNU parallel is not installed"
	local gnu_status=0 our_status=0
	PARALLEL_SHELL=/bin/sh "$gnu_parallel" --will-cite "$@" >gnu.out 2>gnu.err </dev/null || gnu_status=$?
	PARALLEL_SHELL=/bin/sh pinion parallel "$@" >our.out 2>our.err </dev/null || our_status=$?
	assert_equal "$our_status" "$gnu_status"
	assert_same_bytes our.out gnu.out
	assert_same_bytes our.err gnu.err
}

# one_message_naming WORD FILE: the file has one line, which has the word.
one_message_naming() {
	assert_equal "$(wc -l <"$2")" 1
	grep -qF -- "$1" "$2"
}

# --- blocks ---

@test "each task's output is one block when all print at once" {
	run --separate-stderr pinion map -j4 "$together" ::: 1 2 3 4
	assert_equal "$output" "$(printf 'begin %d\nend %d\n' 1 1 2 2 3 3 4 4)"
	assert_equal "$stderr" "$output"
}

@test "each task's output is one block in an unordered run, too" {
	pinion map --unordered -j4 "$together" ::: 1 2 3 4 >out 2>err
	assert_equal "$(uniq -f1 -c out | awk '{ print $1 }' | paste -sd ' ')" '2 2 2 2'
	assert_equal "$(uniq -f1 -c err | awk '{ print $1 }' | paste -sd ' ')" '2 2 2 2'
}

@test "a task's stdout comes before its stderr when both go to one file" {
	pinion map --unordered -j4 "$together" ::: 1 2 3 4 >both 2>&1
	assert_equal "$(paste -sd ',,,\n' both | sort)" "$(for i in 1 2 3 4; do
		echo "begin $i,end $i,begin $i,end $i"
	done)"
}

@test "stdout and stderr stay apart" {
	run --separate-stderr pinion map 'echo out {}; echo err {} >&2' ::: 1 2 3
	assert_equal "$output" $'out 1\nout 2\nout 3'
	assert_equal "$stderr" $'err 1\nerr 2\nerr 3'
}

@test "output of random bytes comes out as it went in" {
	for i in 1 2 3 4 5 6; do
		head -c "${i}0007" /dev/urandom >"in.$i"
	done
	pinion map -j4 cat ::: in.* >actual
	cat in.* >expected
	assert_same_bytes actual expected
}

@test "stderr of random bytes comes out as it went in" {
	for i in 1 2 3; do
		head -c 100003 /dev/urandom >"in.$i"
	done
	pinion map -j4 'cat {} >&2' ::: in.* 2>actual
	cat in.* >expected
	assert_same_bytes actual expected
}

@test "output of NUL bytes comes out as it went in" {
	pinion map -j4 'printf "%s\0b\0\0\0" {}' ::: 1 2 3 >actual
	printf '%s\0b\0\0\0' 1 2 3 >expected
	assert_same_bytes actual expected
}

@test "a last line without a newline gets none" {
	pinion map -j4 'printf %s {}' ::: a b c >actual
	printf abc >expected
	assert_same_bytes actual expected
}

@test "a task that prints nothing leaves nothing" {
	pinion map -j4 true {} ::: 1 2 3 >actual 2>&1
	assert_same_bytes actual /dev/null
}

@test "blocks of ten megabytes come out whole" {
	for i in 1 2 3 4; do
		head -c 10485760 /dev/urandom >"in.$i"
	done
	pinion map -j4 cat ::: in.* | cmp - <(cat in.*)
}

@test "blocks of ten megabytes come out whole in an unordered run" {
	for i in 1 2 3; do
		yes "line of task $i" | head -c 10485760 >"in.$i"
	done
	pinion map --unordered -j3 cat ::: in.* >actual
	assert_equal "$(uniq actual | sort -u | wc -l)" "$(cat in.* | sort -u | wc -l)"
	# A block ends in the middle of its line, and the next one begins there.
	assert_equal "$(uniq actual | wc -l)" 6
	assert_equal "$(wc -c <actual)" 31457280
}

@test "output on several workers is that of a serial run" {
	seq 300 >items
	task='i={}; head -c $((i * i)) /dev/zero | tr "\0" "$((i % 10))"; [ $((i % 3)) = 0 ] || echo'
	pinion map -j1 "$task" <items >serial
	pinion map -j4 "$task" <items >actual
	assert_same_bytes actual serial
}

@test "what a task's background child prints before the task ends is in its block" {
	assert_equal "$(pinion map '{ echo "child {}"; } & wait; echo "end {}"' ::: 1 2)" \
		$'child 1\nend 1\nchild 2\nend 2'
}

# --- tags ---

@test "--tag starts each line with the values and a tab" {
	run --separate-stderr pinion map --tag 'echo x; echo y; echo {1}{2} >&2' ::: a ::: 1 2
	assert_equal "$output" $'a 1\tx\na 1\ty\na 2\tx\na 2\ty'
	assert_equal "$stderr" $'a 1\ta1\na 2\ta2'
}

@test "--tagstring is filled in for each task" {
	assert_equal "$(pinion map --tagstring '<{/.}|{#}>' 'echo x{}' ::: d/a.c b.d)" \
		$'<a|1>\txd/a.c\n<b|2>\txb.d'
}

@test "--tag of a value with odd bytes is the value itself" {
	assert_equal "$(pinion map --tag echo hi ::: "a b" "it's" '$x')" \
		"$(printf '%s\thi %s\n' 'a b' 'a b' "it's" "it's" '$x' '$x')"
}

@test "--tag puts one tag on a line however long and in however many pieces" {
	pinion map --tag 'head -c 300000 /dev/zero | tr "\0" x; sleep 0.01; printf y; echo; printf z{}' ::: 1 >actual
	{
		printf '1\t'
		head -c 300000 /dev/zero | tr '\0' x
		printf 'y\n1\tz1'
	} >expected
	assert_same_bytes actual expected
}

@test "tags, lines and commands are shown as GNU parallel shows them" {
	for options in '--tag' '--tagstring <{1}-{2}>' '--lb' '--tag --lb' '-v' '--tag -v' '--lb -v' \
		'-vv' '-v --tag --lb'; do
		echo "$options" >&2
		# shellcheck disable=SC2086  # several words
		same_as_gnu -k $options 'printf "a\n\nb"; echo {} err >&2; echo; printf end' ::: 'a b' 'c$d' ::: x y
	done
}

@test "--ungroup and -t are shown as GNU parallel shows them" {
	for options in '-u' '-u --tag' '-t' '-t --tag'; do
		echo "$options" >&2
		# shellcheck disable=SC2086  # several words
		same_as_gnu -j1 $options 'printf "a\n\nb"; echo {} err >&2; echo; printf end' ::: 'a b' 'c$d'
	done
}

@test "--tag with several values in a command is as GNU parallel has it" {
	same_as_gnu -k --tag -n2 -v 'echo {2}-{1}' ::: a b c d
	same_as_gnu -k --tag -N2 'echo {2}-{1}' ::: a b c d
}

# --- lines ---

@test "--line-buffer gives whole lines while tasks run" {
	mkfifo gate out
	pinion parallel -j2 --line-buffer 'case {} in
		1) printf "half and"; : >printed; read -r _ <gate; echo " half {}"; printf end ;;
		2) until [ -e printed ]; do sleep 0.01; done; echo whole {} ;;
	esac' ::: 1 2 >out 3>&- &
	exec 5<out
	read -r -t 20 -u 5 line
	assert_equal "$line" 'whole 2'
	echo >gate
	read -r -t 20 -u 5 line
	assert_equal "$line" 'half and half 1'
	assert_equal "$(cat <&5)" end
	wait $!
}

@test "--line-buffer gives a last line without newline" {
	pinion map --line-buffer 'printf "a\nb{}"' ::: 1 2 >actual
	printf 'a\nb1a\nb2' >expected
	assert_same_bytes actual expected
}

@test "--line-buffer never mixes lines" {
	pinion parallel -j4 --line-buffer 'for i in $(seq 500); do printf {}; printf "{}{}{}\n"; done' \
		::: a b c d >actual
	assert_equal "$(sort actual | uniq -c | awk '{ print $1 $2 }' | paste -sd ' ')" \
		'500aaaa 500bbbb 500cccc 500dddd'
}

@test "--ungroup gives tasks our own stdout and stderr" {
	: >out
	: >err
	pinion map --ungroup 'readlink /proc/self/fd/1; readlink /proc/self/fd/2 >&2; : {}' ::: 1 >>out 2>>err
	assert_equal "$(cat out)" "$PWD/out"
	assert_equal "$(cat err)" "$PWD/err"
}

@test "without --ungroup tasks have pipes" {
	assert_equal "$(pinion map 'readlink /proc/self/fd/1 /proc/self/fd/2 | sed s/:.*//; : {}' ::: 1)" \
		$'pipe\npipe'
}

# --- commands shown ---

@test "-v prints the command in front of its output" {
	run --separate-stderr pinion map -v echo ::: a 'b c'
	assert_equal "$output" $'echo a\na\necho \'b c\'\nb c'
	assert_equal "$stderr" ''
}

@test "-v prints the command in front of its output in an unordered run" {
	pinion map --unordered -j4 -v 'echo {}' ::: 1 2 3 4 5 6 7 8 >actual
	assert_equal "$(paste -sd ',\n' actual | sort)" "$(for i in 1 2 3 4 5 6 7 8; do echo "echo $i,$i"; done)"
}

@test "-v prints the command in front of its output with --ungroup" {
	assert_equal "$(pinion map -v -u -j1 echo ::: a b)" $'echo a\na\necho b\nb'
}

@test "-t and --verbose print the command on stderr" {
	for option in -t --verbose; do
		run --separate-stderr pinion map $option -j1 echo ::: a 'b c'
		assert_equal "$output" $'a\nb c'
		assert_equal "$stderr" $'echo a\necho \'b c\''
	done
}

# --- what ends early, and what cannot be written ---

@test "a reader that goes ends the run quietly" {
	{
		status=0
		timeout 30 pinion map -j2 'echo {}; [ {} = 1 ] || exec sleep 1000' ::: 1 2 3 2>err || status=$?
		echo $status >status
	} | head -n 1 >first
	assert_equal "$(cat first)" 1
	assert_same_bytes err /dev/null
	assert_equal "$(cat status)" 141
	assert_nothing_left
}

@test "endless input ends when the reader goes" {
	status=0
	timeout 30 bash -c 'yes | pinion map echo | head -n 3; echo "${PIPESTATUS[@]}"' >out 2>err || status=$?
	assert_equal "$status" 0
	assert_equal "$(cat out)" $'y\ny\ny\n141 141 0'
	assert_same_bytes err /dev/null
}

@test "a reader that goes ends the run also where SIGPIPE is ignored" {
	(
		trap '' PIPE
		status=0
		timeout 30 pinion map -j2 'echo {}' < <(yes) 2>err || status=$?
		echo $status >status
	) | head -n 1 >first
	assert_equal "$(cat first)" y
	[[ $(cat status) != 0 && $(cat status) != 124 ]]
	assert_nothing_left
}

@test "a full stdout is an error that names stdout" {
	status=0
	pinion map echo ::: 1 >/dev/full 2>err || status=$?
	assert_equal "$status" 3
	one_message_naming stdout err
}

@test "a full stderr, on which tasks print, is an error" {
	run -3 bash -c 'pinion map "echo {} >&2" ::: 1 2>/dev/full'
	run -0 bash -c 'pinion map "echo {}" ::: 1 2>/dev/full'
}

@test "a full stdout is no success where pinion tells of itself, either" {
	local verb words
	pinion map --run-file db true ::: 1
	for words in --version --help 'topology' 'report db' 'run --schema' 'completion bash' 'map --print-spec true'; do
		status=0
		# shellcheck disable=SC2086  # several words
		pinion $words >/dev/full 2>err || status=$?
		assert_equal "$words $status" "$words 3"
		one_message_naming 'No space left on device' err
	done
	for verb in map feed call run parallel bench topology report replay status ctl completion; do
		for words in --help --version; do
			[[ "$verb $words" != 'completion --version' ]] || continue
			status=0
			pinion "$verb" "$words" >/dev/full 2>err || status=$?
			[[ $status == 3 || "$verb $status" == 'parallel 255' ]] || assert_equal "$verb $words $status" 3
			one_message_naming 'No space left on device' err
		done
	done
}

@test "a full stdout is an error in parallel, too" {
	status=0
	pinion parallel echo ::: 1 >/dev/full 2>err || status=$?
	assert_equal "$status" 255
	one_message_naming stdout err
}

@test "a full stdout ends the tasks that run" {
	status=0
	timeout 30 pinion map -j2 'echo {}; [ {} = 1 ] || exec sleep 1000' ::: 1 2 3 >/dev/full 2>err || status=$?
	assert_equal "$status" 3
	grep -q stdout err
	assert_nothing_left
}

@test "a full stdout does not matter to tasks that print nothing" {
	pinion map true {} ::: 1 2 3 >/dev/full
}

@test "a closed stdout is an error that names stdout" {
	[[ ${PINION_TEST_MODE-} != valgrind ]] || skip "valgrind's log would be in that place"
	status=0
	pinion map echo ::: 1 >&- 2>err || status=$?
	assert_equal "$status" 3
	one_message_naming stdout err
}

@test "a closed stdout does not matter to tasks that print nothing" {
	[[ ${PINION_TEST_MODE-} != valgrind ]] || skip "valgrind's log would be in that place"
	pinion map true {} ::: 1 2 3 >&-
}

@test "a closed stderr costs stdout nothing" {
	[[ ${PINION_TEST_MODE-} != valgrind ]] || skip "valgrind's log would be in that place"
	assert_equal "$(pinion map 'echo {}; echo err >&2' ::: 1 2 3 2>&-)" $'1\n2\n3'
}

@test "a closed stdin does not matter to tasks with values in the command line" {
	assert_equal "$(pinion map echo ::: 1 2 <&-)" $'1\n2'
}

@test "a closed stdin is an error when items come from it" {
	status=0
	pinion map echo <&- 2>err || status=$?
	assert_equal "$status" 3
	one_message_naming 'standard input' err
}

@test "all standard descriptors closed leave nothing in files" {
	[[ ${PINION_TEST_MODE-} != valgrind ]] || skip "valgrind's log would be in that place"
	status=0
	pinion map 'echo {} >out.{}' ::: 1 2 <&- >&- 2>&- || status=$?
	assert_equal "$status" 0
	assert_equal "$(cat out.1 out.2)" $'1\n2'
	assert_equal "$(ls)" $'out.1\nout.2'
}

@test "stdout that is read and written by others keeps its flags" {
	mkfifo pipe
	exec 5<>pipe
	before=$(sed -n '/^flags/p' "/proc/$$/fdinfo/5")
	pinion map 'echo {}' ::: 1 2 3 >&5
	assert_equal "$(sed -n '/^flags/p' "/proc/$$/fdinfo/5")" "$before"
	exec 5>&-
}

@test "output is appended to a file opened for appending" {
	echo before >log
	pinion map 'echo {}' ::: 1 2 >>log
	echo after >>log
	assert_equal "$(cat log)" $'before\n1\n2\nafter'
}
