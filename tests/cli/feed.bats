# pinion feed: a program kept alive in each worker, a request and an answer for each task.
# shellcheck shell=bats
# shellcheck disable=SC2154  # bats sets output, stderr and status
# shellcheck disable=SC2016  # the programs' shell and perl expand, not ours

load helper

# Answers each line with itself behind "got ", like all perl programs here.
echoer='$| = 1; while (<STDIN>) { print "got $_" }'

# pinion_feed ARGUMENTS...: as `run`, with stderr apart, and bounded.
pinion_feed() {
	run --separate-stderr timeout $((40 * $(slowness))) pinion feed "$@"
}

# feed_perl SCRIPT OPTION... ::: ...: with a perl program in place of PROGRAM.
feed_perl() {
	local script=$1 options=()
	shift
	while (($# > 0)) && [[ $1 != :::* ]]; do
		options+=("$1")
		shift
	done
	pinion_feed "${options[@]}" perl -e "$script" "$@"
}

# got FIRST LAST: what echoer answers to these numbers.
got() {
	seq "$1" "$2" | sed 's/^/got /'
}

# --- protocols ---

@test "line: a line in, a line out, in the order of the input" {
	feed_perl "$echoer" ::: a 'b c' '' $'\xff' '{}' '$x'
	assert_equal "$status" 0
	assert_equal "$output" $'got a\ngot b c\ngot \ngot \xff\ngot {}\ngot $x'
	assert_equal "$stderr" ''
}

@test "line: several values have a tab between them" {
	feed_perl "$echoer" -j1 ::: a b ::: 1 2
	assert_equal "$output" $'got a\t1\ngot a\t2\ngot b\t1\ngot b\t2'
	feed_perl "$echoer" -j1 -n 2 ::: a b c
	assert_equal "$output" $'got a\tb\ngot c'
}

@test "line: inputs are the lines of stdin when there is no source" {
	run --separate-stderr timeout 20 pinion feed perl -e "$echoer" < <(seq 100)
	assert_equal "$status" 0
	assert_equal "$output" "$(got 1 100)"
}

@test "line: a value with a newline fails by itself and is never sent" {
	feed_perl "$echoer" -j1 --inflight 4 ::: a $'b\nb' c
	assert_equal "$status" 1
	assert_equal "$output" $'got a\ngot c'
	[[ $stderr == *'1 of 3 tasks failed (1 cannot be fed: the protocol cannot carry it)'*'task 2: '* ]]
}

@test "nul: requests and answers end with a NUL byte and hold newlines" {
	printf 'a\nb\0\0c\0' >items
	timeout 20 pinion feed --protocol nul -j2 -0 -a items \
		perl -e '$/ = "\0"; $| = 1; while (<STDIN>) { print "got\n$_" }' >out
	printf 'got\na\nb\0got\n\0got\nc\0' >expected
	assert_same_bytes out expected
}

@test "count: answers are any bytes, also none" {
	timeout 20 pinion feed --protocol count -j2 \
		perl -e '$| = 1; binmode STDOUT; while (<STDIN>) { chomp; $x = pack("C*", 0 .. 255) x $_; print length($x), "\n$x" }' \
		::: 1 0 1000 >out
	perl -e 'binmode STDOUT; print pack("C*", 0 .. 255) x 1001' >expected
	assert_same_bytes out expected
}

@test "json: a request has seq, attempt, args, env and cwd" {
	FROM_CALLER=1 run --separate-stderr timeout 20 pinion feed --protocol json -j1 --wd / \
		--initializer 'export FROM_INITIALIZER="a\"b"' --retries 2 \
		perl -ne '$| = 1; s/\n//; s/(["\\])/\\$1/g; print "{\"ok\":\"$_\"}\n"' ::: x $'\xc3\xa4\n"' ::: y
	assert_equal "$status" 0
	[[ ${lines[0]} == '{"seq":0,"attempt":1,"args":["x","y"],"env":{"PINION_SEQ":"0","PINION_ATTEMPT":"1","PARALLEL_SEQ":"1",'* ]]
	[[ ${lines[1]} == '{"seq":1,"attempt":1,"args":["ä\n\"","y"],"env":{"PINION_SEQ":"1",'* ]]
	[[ ${lines[0]} == *'"PINION_RUN":"'*'"PINION_SLOT":"1"'*'"FROM_INITIALIZER":"a\"b"'*'},"cwd":"/"}' ]]
	[[ ${lines[0]} != *FROM_CALLER* && ${lines[0]} != *'"PATH"'* && ${lines[0]} != *'"_"'* ]]
}

@test "json: strings are printed as they are, null not at all, the rest as it was written" {
	feed_perl '$| = 1; while (<STDIN>) { s/.*"args":\["(.*?)"\].*/$1/s; print "{\"ok\":", ("\"a\\nb\"", "null", "[1, 2.50]", "12345678901234567890")[$_], "}\n" }' \
		--protocol json -j1 ::: 0 1 2 3
	assert_equal "$status" 0
	assert_equal "$output" $'a\nb\n[1, 2.50]\n12345678901234567890'
}

@test "json: an error fails its task, goes to stderr, and keeps the program" {
	feed_perl '$| = 1; while (<STDIN>) { print /"b"/ ? "{\"error\":\"no b\",\"traceback\":\"line 1\\nline 2\"}\n" : "{\"ok\":$$}\n" }' \
		--protocol json -j1 --tag ::: a b c
	assert_equal "$status" 1
	[[ ${lines[0]#a$'\t'} == "${lines[1]#c$'\t'}" ]]
	[[ $stderr == $'b\tno b\nb\tline 1\nb\tline 2\n'*'1 of 3 tasks failed (1 exit 1)'* ]]
}

@test "json: values that are not UTF-8 fail by themselves" {
	feed_perl '$| = 1; while (<STDIN>) { print "{\"ok\":1}\n" }' --protocol json -j1 ::: a $'\xff' c
	assert_equal "$status" 1
	assert_equal "$output" $'1\n1'
	[[ $stderr == *'1 cannot be fed'* ]]
}

@test "an answer that is not the protocol's fails its task, and another program goes on" {
	local protocol
	for protocol in json count; do
		pinion_feed --protocol $protocol -j1 --inflight 3 \
			perl -e '$| = 1; $p = shift; while (<STDIN>) { print /\bb\b/ ? "nonsense\n" : $p eq "json" ? "{\"ok\":7}\n" : "2\n7\n" }' \
			$protocol ::: a b c d
		assert_equal "$status" 1
		assert_equal "$output" $'7\n7\n7'
		[[ $stderr == *'an answer of perl is not what the protocol says; the program is replaced'* ]]
		[[ $stderr == *'1 of 4 tasks failed (1 no answer: the program broke the protocol)'*'task 2: '* ]]
	done
}

@test "what makes no sense is refused" {
	local bad
	for bad in '--protocol xml' '--inflight 0' '--inflight x' '--max-rss x' -X; do
		# shellcheck disable=SC2086  # they are words
		pinion_feed $bad cat ::: a
		assert_equal "$status" 2
		[[ $stderr == "pinion feed: ${bad%% *}"* || $stderr == *"${bad%% *}"* ]]
	done
	pinion_feed ::: a
	assert_equal "$status" 2
}

# --- sizes, order, chunks ---

@test "items of 1 MB and answers of 5 MB arrive whole" {
	perl -e 'for (1 .. 4) { print $_ x 1_000_000, "\n" }' >items
	timeout 40 pinion feed -j2 -a items perl -e '$| = 1; while (<STDIN>) { chomp; print $_ x 5, "\n" }' >out
	perl -e 'for (1 .. 4) { print $_ x 5_000_000, "\n" }' >expected
	assert_same_bytes out expected
}

@test "order holds with any number in flight and any chunk" {
	local inflight chunk
	got 1 300 >expected
	for inflight in 1 2 256; do
		for chunk in 1 7 auto; do
			seq 300 | timeout 40 pinion feed -j3 --inflight $inflight --chunksize $chunk \
				perl -e '$| = 1; while (<STDIN>) { select undef, undef, undef, rand 0.003; print "got $_" }' >out
			assert_same_bytes out expected
		done
	done
}

@test "items longer than the pipe do not lock up with many in flight" {
	perl -e 'for (1 .. 30) { print $_ % 10 x 300_000, "\n" }' >items
	timeout 40 pinion feed -j2 --inflight 16 --chunksize 7 -a items perl -e '$| = 1; print while <STDIN>' >out
	assert_same_bytes out items
}

@test "answers that do not fit into memory wait in files" {
	timeout 40 pinion feed -j3 --buffer 1M --chunksize 1 perl -e '$| = 1; while (<STDIN>) { chomp;
		if ($_ == 1) { select undef, undef, undef, 0.05 until -e "go" }
		print $_ x 5_000_000, "\n"; open F, ">", "go" if $_ == 3 }' ::: 1 2 3 4 >out
	perl -e 'for (1 .. 4) { print $_ x 5_000_000, "\n" }' >expected
	assert_same_bytes out expected
}

@test "with stdin kept open each line is answered at once" {
	mkfifo input
	exec 4<>input
	timeout 40 pinion feed -j2 --inflight 8 --chunksize 7 perl -e "$echoer" <input >out 3>&- 4>&- &
	local pid=$! i
	for i in 1 2 3; do
		echo $i >&4
		wait_until grep -q "got $i" out
	done
	exec 4>&-
	wait "$pid"
}

# rests PID: the process has slept for a while.
rests() {
	local sleeps
	sleeps=$(grep ^voluntary "/proc/$1/status") || return 1
	sleep 0.1
	[[ $(grep ^voluntary "/proc/$1/status") == "$sleeps" ]]
}

@test "a program that wants a second task before it answers the first gets it when it comes" {
	mkfifo input
	exec 4<>input
	timeout $((60 * $(slowness))) pinion feed -j1 --inflight 2 perl -e '$| = 1; $worker = getppid;
		while ($a = <STDIN>) { open F, ">", "worker"; print F "$worker\n"; close F; print $a . <STDIN> }' \
		<input >out 3>&- 4>&- &
	local pid=$! i begin_us late=0
	for i in {1..10}; do
		rm -f worker
		echo "first $i" >&4
		wait_until test -s worker
		wait_until rests "$(<worker)"
		begin_us=${EPOCHREALTIME/./}
		echo "second $i" >&4
		wait_until grep -qx "second $i" out
		((${EPOCHREALTIME/./} - begin_us < 700000)) || late=$((late + 1))
	done
	# Of itself the worker looks for new tasks every one or two seconds.
	((late <= 5))
	exec 4>&-
	wait "$pid"
}

# calls COUNT: how many system calls a worker makes that has so many tasks, one in flight.
calls() {
	rm -f trace.*
	seq "$1" | timeout 60 strace -ff -qq -o trace pinion feed -j1 perl -e "$echoer" >out
	assert_equal "$(wc -l <out)" "$1"
	grep -L '^execve(' trace.* | xargs cat | grep -c '^[a-z]'
}

@test "a task that is answered at once costs its worker a write and a read, and little else" {
	needs_strace
	local few many
	# With a poll for each it would be three; an answer that has to wait for a CPU takes one.
	for _ in {1..5}; do
		few=$(calls 100)
		many=$(calls 2100)
		((many - few >= 3 * 2000)) || break
	done
	((many - few < 3 * 2000))
}

# --- the program's place and life ---

@test "a program is started for each worker with a task, and none without" {
	feed_perl 'open F, ">", "started.$$"; $| = 1; print while <STDIN>' -j4 ::: $(seq 200)
	assert_equal "$status" 0
	local started=(started.*)
	((${#started[@]} <= 4))
	rm started.*
	pinion_feed -j4 'echo >started; cat' </dev/null
	assert_equal "$status" 0
	[[ ! -e started ]]
}

@test "it has a process group of its own, on its worker's core" {
	feed_perl '$| = 1; while (<STDIN>) { ($pinned) = `cat /proc/$$/status` =~ /Cpus_allowed_list:\s*(\S+)/; print getpgrp == $$ ? "own" : "other", " $pinned\n" }' \
		-j1 --bind core ::: a
	assert_equal "$status" 0
	[[ $output =~ ^own\ [0-9]+([,-][0-9]+)?$ ]]
}

@test "its stderr passes through, with a tag if it is a task's" {
	# It reads nothing before its first line has come out, which then cannot be of a task.
	timeout $((40 * $(slowness))) pinion feed --tag -j1 perl -e '$| = 1; print STDERR "loading\n";
		select undef, undef, undef, 0.01 until -s "err";
		while (<STDIN>) { print STDERR "look: $_"; print }' ::: a b >out 2>err
	assert_equal "$(cat out)" $'a\ta\nb\tb'
	assert_equal "$(cat err)" $'loading\na\tlook: a\nb\tlook: b'
}

@test "its stderr is that of the task in hand, however fast answers come" {
	pinion_feed -j2 --tag perl -e '$| = 1; select STDERR; $| = 1; select STDOUT; while (<STDIN>) {
		chomp; print STDERR "at $_\n" if $_ % 50 == 0; print "got $_\n" }' < <(seq 2000)
	assert_equal "$status" 0
	assert_equal "$output" "$(seq 2000 | sed 's/.*/&\tgot &/')"
	assert_equal "$(sort -n <<<"$stderr")" "$(seq 50 50 2000 | sed 's/.*/&\tat &/')"
}

@test "the stderr of the last task of a program is tagged, too" {
	feed_perl '$| = 1; while (<STDIN>) { print STDERR "look: $_"; print }' --tag -j1 --maxtasksperchild 1 ::: a b
	assert_equal "$output" $'a\ta\nb\tb'
	assert_equal "$stderr" $'a\tlook: a\nb\tlook: b'
}

@test "the initializer comes before it and sets its environment" {
	pinion_feed -j1 --initializer 'echo ready >>order; export WHO=me' \
		'echo started >>order; while read -r x; do echo "$x $WHO"; done' ::: a b
	assert_equal "$output" $'a me\nb me'
	assert_equal "$(cat order)" $'ready\nstarted'
}

@test "one word is a command line, several are not" {
	pinion_feed -j1 'while read -r x; do echo "$x;"; done' ::: a
	assert_equal "$output" 'a;'
	pinion_feed -j1 sed -u 's/$/ "$x"/' ::: a
	assert_equal "$output" 'a "$x"'
}

@test "--maxtasksperchild counts tasks, with chunks and with many in flight" {
	local options
	for options in '--chunksize 1' '--chunksize 7' '--chunksize 7 --inflight 5'; do
		# shellcheck disable=SC2086  # they are words
		feed_perl '$| = 1; while (<STDIN>) { print "$$\n" }' -j1 --maxtasksperchild 3 $options ::: $(seq 9)
		assert_equal "$status" 0
		assert_equal "$(sort <<<"$output" | uniq -c | awk '{ print $1 }' | xargs)" '3 3 3'
	done
}

@test "a replaced program reads the end of its input, and its last answers are taken" {
	feed_perl 'while (<STDIN>) { print "got $_" } open F, ">>", "ends"; print F "end\n"' \
		-j1 --maxtasksperchild 4 --inflight 4 --chunksize 4 ::: $(seq 12)
	assert_equal "$status" 0
	assert_equal "$output" "$(got 1 12)"
	assert_equal "$(wc -l <ends)" 3
}

@test "a replaced program that does not end gets TERM, then KILL" {
	feed_perl '$| = 1; $SIG{TERM} = sub { open F, ">>", "terms"; print F "TERM\n"; close F };
		while (<STDIN>) { print "got $_" } sleep 100 while 1' \
		-j1 --maxtasksperchild 1 --termseq TERM,3000,KILL,25 ::: 1 2
	assert_equal "$status" 0
	assert_equal "$output" "$(got 1 2)"
	assert_equal "$(cat terms)" $'TERM\nTERM'
	assert_nothing_left
}

@test "--max-rss replaces it after the task that made it grow" {
	feed_perl '$| = 1; while (<STDIN>) { $x = "x" x (80_000_000 + $_) if /2/; print "$$\n" }' -j1 --max-rss 60M ::: 1 2 3 4
	assert_equal "$status" 0
	assert_equal "$(sort <<<"$output" | uniq -c | awk '{ print $1 }' | xargs)" '2 2'
}

@test "one that exits after each answer loses nothing" {
	feed_perl '$| = 1; $_ = <STDIN>; print "got $_"' -j2 ::: $(seq 100)
	assert_equal "$output" "$(got 1 100)"
	assert_equal "$status" 0
}

@test "one that dies while it has nothing to do costs nothing" {
	mkfifo input
	exec 4<>input
	timeout 40 pinion feed -j1 perl -e '$| = 1; while (<STDIN>) { print "$$\n" }' <input >out 3>&- 4>&- &
	local pid=$!
	echo 1 >&4
	wait_until test -s out
	kill -KILL "$(cat out)"
	wait_until test ! -d "/proc/$(cat out)" -o -n "$(sed -n 's/^State:\tZ/&/p' "/proc/$(cat out)/status" 2>/dev/null)"
	echo 2 >&4
	exec 4>&-
	wait "$pid"
	assert_equal "$(sort -u out | wc -l)" 2
}

# --- faults ---

@test "a death costs the task in hand; what is behind it is given again" {
	local inflight
	for inflight in 1 2 256; do
		feed_perl '$| = 1; while (<STDIN>) { kill 9, $$ if $_ == 5; print "got $_" }' \
			-j1 --inflight $inflight --chunksize 7 ::: $(seq 10)
		assert_equal "$status" 1
		assert_equal "$output" "$(got 1 10 | sed 5d)"
		[[ $stderr == *'1 of 10 tasks failed (1 no answer: the program ended (killed by signal 9 (KILL)))'*'task 5: '* ]]
	done
}

@test "with --retries it does not even cost that" {
	feed_perl '$| = 1; while (<STDIN>) { if ($_ == 5 && !-e "died") { open F, ">", "died"; exit 3 } print "got $_" }' \
		-j1 --inflight 4 --retries 2 ::: $(seq 10)
	assert_equal "$status" 0
	assert_equal "$output" "$(got 1 10)"
	assert_equal "$stderr" ''
}

@test "a death in the middle of an answer costs that task, and what it printed is there" {
	feed_perl '$| = 1; while (<STDIN>) { if ($_ == 2) { print "half"; exit 4 } print "got $_" }' -j1 --inflight 3 ::: 1 2 3
	assert_equal "$status" 1
	assert_equal "$output" $'got 1\nhalfgot 3'
	[[ $stderr == *'1 of 3 tasks failed (1 no answer: the program ended (exit 4))'*'task 2: '* ]]
}

@test "half an answer is not printed when the task is tried again" {
	feed_perl '$| = 1; while (<STDIN>) { if ($_ == 2 && !-e "died") { open F, ">", "died"; print "half"; exit 4 } print "got $_" }' \
		-j1 --retries 2 ::: 1 2 3
	assert_equal "$status" 0
	assert_equal "$output" "$(got 1 3)"
}

@test "a last line without a newline costs its task" {
	feed_perl '$| = 1; while (<STDIN>) { print "got $_" if $_ < 3; if ($_ == 3) { print "got 3"; exit 0 } }' -j1 ::: 1 2 3
	assert_equal "$status" 1
	assert_equal "$output" "$(got 1 3)"
	[[ $stderr == *'1 no answer: the program ended (exit 0)'* ]]
}

@test "closing stdout costs the task in hand, not the run" {
	feed_perl '$| = 1; while (<STDIN>) { if ($_ == 2) { close STDOUT; sleep 100 while 1 } print "got $_" }' \
		-j1 --timeout 20 ::: 1 2 3
	assert_equal "$status" 1
	assert_equal "$output" $'got 1\ngot 3'
	[[ $stderr == *'1 of 3 tasks failed (1 no answer'*'task 2: '* ]]
	assert_nothing_left
}

@test "a program that has closed its stdin gets no further task" {
	feed_perl '$| = 1; $_ = <STDIN>; print "got $_"; close STDIN; sleep 100 while 1' -j1 --timeout 20 ::: 1 2
	assert_equal "$status" 0
	assert_equal "$output" "$(got 1 2)"
	assert_nothing_left
}

@test "a hang ends with --timeout, which costs the task in hand" {
	feed_perl '$| = 1; while (<STDIN>) { sleep 100 if $_ == 3; print "got $_" }' -j1 --inflight 4 --timeout 3 ::: $(seq 5)
	assert_equal "$status" 1
	assert_equal "$output" "$(got 1 5 | sed 3d)"
	[[ $stderr == *'1 of 5 tasks failed (1 timed out)'*'task 3: '* ]]
	assert_nothing_left
}

@test "an answer or a stderr without an end stops with --timeout" {
	local what pids=()
	for what in STDOUT STDERR; do
		timeout $((40 * $(slowness))) pinion feed -j1 --timeout 3 --buffer 1M \
			perl -e '$| = 1; while (<STDIN>) { if ($_ == 2) { print '$what' "x" x 50_000 while 1 } print "got $_" }' \
			::: 1 2 3 2> >(tail -c 1000 >"err.$what") 3>&- | tail -c 6 >"out.$what" 3>&- &
		pids+=($!)
	done
	wait "${pids[@]}"
	for what in STDOUT STDERR; do
		assert_equal "$(cat "out.$what")" 'got 3'
		wait_until grep -qs '1 timed out' "err.$what"
		[[ $(cat "err.$what") == *'1 of 3 tasks failed (1 timed out)'*'task 2: '* ]]
	done
	assert_nothing_left
}

@test "one that leaves a child with its stdout behind is dead all the same" {
	feed_perl '$| = 1; while (<STDIN>) { if ($_ == 2) { fork or sleep 100; exit 5 } print "got $_" }' -j1 ::: 1 2 3
	assert_equal "$status" 1
	assert_equal "$output" $'got 1\ngot 3'
	[[ $stderr == *'no answer: the program ended (exit 5)'* ]]
	assert_nothing_left
}

@test "an answer too many ends the run with status 3" {
	feed_perl '$| = 1; while (<STDIN>) { print "got $_"; print "more\n" if $_ == 5 }' -j1 ::: $(seq 10)
	assert_equal "$status" 3
	[[ $stderr == *'perl answered more than it was asked: its answers cannot be told apart'* ]]
	feed_perl '$| = 1; while (<STDIN>) { print "got $_" } print "3 lines\n"' -j1 ::: 1 2 3
	assert_equal "$status" 3
	[[ $stderr == *'answered more than it was asked'* ]]
	feed_perl '$| = 1; print "hello\n"; while (<STDIN>) { print "got $_" }' -j1 ::: 1 2 3
	assert_equal "$status" 3
	[[ $stderr == *'answered more than it was asked'* ]]
}

@test "an answer in JSON beyond 64 MiB costs its task" {
	skip_if_instrumented 'takes too long'
	feed_perl '$| = 1; while (<STDIN>) { print "{\"ok\":\"", /"b"/ ? "x" x 70_000_000 : "short", "\"}\n" }' \
		--protocol json -j1 ::: a b c
	assert_equal "$status" 1
	assert_equal "$output" $'short\nshort'
	[[ $stderr == *'not what the protocol says'*'1 of 3 tasks failed'*'task 2: '* ]]
}

@test "--halt now ends the run at the first error" {
	feed_perl '$| = 1; while (<STDIN>) { print /"args":\["3"\]/ ? "{\"error\":\"bad\"}\n" : "{\"ok\":1}\n" }' \
		--protocol json -j1 --halt now,fail=1 ::: $(seq 1000)
	assert_equal "$status" 1
	assert_equal "$output" $'1\n1'
	[[ $stderr == *'never started'* ]]
	assert_nothing_left
}

@test "a program that always dies breaks the pool: status 3, the reason, its last words" {
	feed_perl 'print STDERR "no such model\n"; exit 9' -j2 ::: $(seq 100)
	assert_equal "$status" 3
	[[ $stderr == *'no such model'*'pinion feed: perl ended (exit 9) before it answered anything; its last words: no such model'* ]]
	feed_perl '$_ = <STDIN>; kill 9, $$' -j1 ::: $(seq 100)
	assert_equal "$status" 3
	[[ $stderr == *'pinion feed: perl ended (signal 9) before it answered anything'* ]]
}

@test "a death before anything was read costs no task" {
	feed_perl 'if (!-e "died") { open F, ">", "died"; exit 9 } $| = 1; while (<STDIN>) { print "got $_" }' -j1 ::: 1 2
	assert_equal "$status" 0
	assert_equal "$output" "$(got 1 2)"
}

# ended_with_one_line PATTERN: status 3, and apart from the summary one line like this.
ended_with_one_line() {
	assert_equal "$status" 3
	# shellcheck disable=SC2053  # a pattern
	[[ ${stderr_lines[0]} == $1 ]]
	[[ ${#stderr_lines[@]} == 2 && ${stderr_lines[1]} == *'3 of 3 tasks never started' ]]
}

@test "a program that is not there: status 3 and one line that names it and the mend" {
	pinion_feed no-such-program -x ::: a b c
	ended_with_one_line 'pinion feed: no such program: no-such-program (is it in PATH?*'
	pinion_feed ./no-such-program -x ::: a b c
	ended_with_one_line 'pinion feed: no such program: ./no-such-program, or the interpreter it names*'
	pinion_feed 'no such' -x ::: a b c
	ended_with_one_line "pinion feed: no such program: 'no such' (one word with blanks:*"
	echo >not-executable
	pinion_feed ./not-executable ::: a b c
	ended_with_one_line 'pinion feed: not executable: ./not-executable (chmod +x?)*'
}

@test "a shell that does not find the program is not asked again" {
	pinion_feed -j1 'no-such-program; exit' ::: a b c
	assert_equal "$status" 3
	assert_equal "$(grep -c '^[^p].*not found$' <<<"$stderr")" 1
	[[ $stderr == *'ended (exit 127: no such command?) before it answered anything; its last words: '* ]]
}

# --- the buffering trap ---

# feed_each TIMEOUT: feeds three lines to each command line in `programs`, all at the same time;
# out.N and err.N are of the Nth.
feed_each() {
	local i pids=()
	for i in "${!programs[@]}"; do
		timeout $((60 * $(slowness))) pinion feed -j1 --inflight 2 --timeout "$1" --fail-fast \
			"${programs[i]}" ::: x1 x2 x3 >"out.$i" 2>"err.$i" 3>&- &
		pids+=($!)
	done
	wait "${pids[@]}" || true # what the last one said
}

@test "a program that holds its answers back is noticed, behind a shell, too, and told once" {
	local i programs=('tr a-z A-Z' 'grep x | sed s/x/y/' 'true; perl -ne print'
		'perl -e '\''$| = 1; print while <STDIN>'\'' | tr a-z A-Z')
	feed_each 8
	for i in "${!programs[@]}"; do
		grep -qF "pinion feed: ${programs[i]} has read its input, has not answered for " "err.$i"
		grep -qE ' for [0-9]+ s, and waits for more: does it flush each answer\? See pinion-feed\(7\)$' "err.$i"
		assert_equal "$(grep -c 'does it flush' "err.$i")" 1
	done
}

@test "one that is slow, or waits for something else, is left in peace" {
	local i programs=('read -r x; sleep 4; echo "got $x"; while read -r x; do echo "got $x"; done'
		'read -r x; y=$(sleep 4; echo "got $x"); echo "$y"; while read -r x; do echo "got $x"; done'
		'perl -e '\''$| = 1; print while <STDIN>'\'' | { read -r x; sleep 4; echo "got $x"; while read -r x; do echo "got $x"; done; }')
	feed_each 60
	for i in "${!programs[@]}"; do
		assert_equal "$(cat "out.$i" "err.$i")" $'got x1\ngot x2\ngot x3'
	done
}

# --- kills ---

# Kills, with KILL and at random, programs named by the files in pids/ until the file finished is there.
kill_programs() {
	local names name
	while [[ ! -e finished ]]; do
		names=(pids/*)
		name=${names[RANDOM % ${#names[@]}]}
		rm -f "$name"
		kill -KILL "${name#pids/}" 2>/dev/null && echo >>kills
		env -u PINION_TEST_MARK sleep "0.0$((RANDOM % 9))"
	done
}

# feed_under_fire OPTION...: 20000 tasks while programs are killed; status in fed, kills counted.
feed_under_fire() {
	local killer
	rm -rf pids finished kills
	mkdir pids
	: >kills
	kill_programs 3>&- &
	killer=$!
	fed=0
	seq 20000 | timeout $((100 * $(slowness))) pinion feed -j3 "$@" \
		perl -e '$| = 1; open F, ">", "pids/$$"; close F; while (<STDIN>) { select undef, undef, undef, 0.0001; print "got $_" }' \
		>out 2>messages || fed=$?
	: >finished
	wait "$killer"
	(($(wc -l <kills) >= 3))
}

@test "programs killed at random: with --retries nothing is lost, and none answered twice" {
	skip_if_instrumented 'takes too long'
	got 1 20000 >expected
	feed_under_fire --retries 0 --inflight 16 --chunksize 7
	assert_equal "$fed" 0
	assert_same_bytes out expected
	feed_under_fire --retries 0 --chunksize 1
	assert_equal "$fed" 0
	assert_same_bytes out expected
	assert_nothing_left
}

@test "programs killed at random: without --retries a kill costs one task at most" {
	skip_if_instrumented 'takes too long'
	local lost
	feed_under_fire --inflight 256 --chunksize 7
	lost=$(sed -n 's/^pinion feed: \([0-9]*\) of 20000 tasks* failed .*/\1/p' messages)
	assert_equal "$(($(wc -l <out) + ${lost:-0}))" 20000
	((${lost:-0} <= $(wc -l <kills)))
	sort -c -u -k2n out
	assert_equal "$fed" "$((${lost:-0} > 0))"
	assert_nothing_left
}

# Answers all but 5, with which it kills its worker.
worker_killer='$| = 1; while (<STDIN>) { if ($_ == 5) { kill 9, getppid; sleep 100 } print "got $_" }'

@test "a worker's death costs the task in hand, and its program ends" {
	feed_perl "$worker_killer" -j1 --chunksize 7 ::: $(seq 10)
	assert_equal "$status" 1
	assert_equal "$output" "$(got 1 10 | sed 5d)"
	[[ $stderr == *'1 of 10 tasks failed (1 lost: its worker died)'*'task 5: '* ]]
	assert_nothing_left
}

# Here an answer may be on its way to the worker when that dies: then its task is the one in hand,
# and 5 kills another worker.
@test "a worker's death with several in flight loses nothing without saying so" {
	feed_perl "$worker_killer" -j1 --inflight 4 --chunksize 7 ::: $(seq 10)
	local lost
	lost=$(sed -n 's/^pinion feed: \([0-9]*\) of 10 tasks* failed (.* lost: its worker died)/\1/p' <<<"$stderr")
	assert_equal "$status" 1
	assert_equal "$((${#lines[@]} + lost))" 10
	assert_equal "$output" "$(sort -u -k2n <<<"$output")"
	[[ $output != *'got 5'* ]]
	assert_nothing_left
}

# Programs that do not end by themselves, with a child each, of which a session of its own has one.
stubborn='echo >up.$$; trap "" INT TERM HUP; setsid sleep 1000 & sleep 1000 & while read -r x; do sleep 1000; done; sleep 1000'

are_up() {
	local up=(up.*)
	[[ -e ${up[0]} ]] && ((${#up[@]} >= $1))
}

@test "SIGINT leaves no process, whatever the programs do" {
	timeout 60 env --default-signal=INT pinion feed -j2 "$stubborn" ::: a b c 3>&- &
	wait_until are_up 2
	kill -INT "$(processes_of_pinion)"
	local ended=0
	wait $! || ended=$?
	((ended == 130))
	assert_nothing_left
}

# The coordinator: the process named pinion whose parent is not.
processes_of_pinion() {
	local pid
	for pid in $(processes_marked); do
		if [[ $(cat "/proc/$pid/comm" 2>/dev/null) == pinion* &&
			$(cat "/proc/$(awk '/^PPid/ { print $2 }' "/proc/$pid/status")/comm") != pinion* ]]; then
			echo "$pid"
		fi
	done
}

@test "kill -9 of pinion leaves no process" {
	pinion feed -j2 "$stubborn" ::: a b c 3>&- &
	local pid=$!
	wait_until are_up 2
	kill -KILL "$pid"
	wait "$pid" || true
	assert_nothing_left
}

# --- the examples of pinion-feed(7) ---

# extract NAME: the example as an executable file.
extract() {
	awk -v name="$1" '
		$1 == ".\\\"" && $2 == "example:" { is_wanted = $3 == name; next }
		/^\.Ed/ { is_inside = is_wanted = 0 }
		is_inside { gsub(/\\e/, "\\"); gsub(/\\&/, ""); print }
		/^\.Bd/ { is_inside = is_wanted }' "$root/man/pinion-feed.7" >"$1"
	[[ -s $1 ]] || {
		echo "pinion-feed(7) has no example $1" >&2
		return 1
	}
	chmod +x "$1"
}

# has TOOL: a note if it is not there.
has() {
	type -P "$1" >/dev/null || {
		echo "# $1 is not installed, its example was not run" >&3
		return 1
	}
}

@test "pinion-feed(7): examples with a line each, in every language" {
	local -A tool=([length.sh]=sh [length.awk]=awk [length.pl]=perl [length.py]=python3 [length.js]=node [length.c]=cc [length.jq]=jq)
	local name command
	assert_equal "$(sed -n 's/^\.\\" example: \(length\..*\)/\1/p' "$root/man/pinion-feed.7" | sort)" \
		"$(printf '%s\n' "${!tool[@]}" | sort)"
	for name in "${!tool[@]}"; do
		extract "$name"
		has "${tool[$name]}" || continue
		command=("./$name")
		case $name in
		*.c)
			cc -std=gnu11 -Wall -Wextra -Werror -o length "$name"
			command=(./length)
			;;
		*.awk)
			if awk -W version 2>&1 </dev/null | grep -q ^mawk; then
				command=(awk -W interactive -f "$name")
			fi
			;;
		esac
		pinion_feed -j2 "${command[@]}" ::: one three '' 'back\slash'
		assert_equal "$name: $status: $stderr" "$name: 0: "
		assert_equal "$output" $'3 one\n5 three\n0 \n10 back\\slash'
	done
}

@test "pinion-feed(7): examples with NUL bytes and with counted bytes" {
	extract length0.pl
	timeout 20 pinion feed --protocol nul ./length0.pl ::: $'a\nb' c >out
	printf '3 a\nb\0001 c\0' >expected
	assert_same_bytes out expected
	extract deflate.py
	if has python3; then
		timeout 20 pinion feed --protocol count -j1 ./deflate.py ::: one three >out
		python3 -c 'import sys, zlib; sys.stdout.buffer.write(zlib.compress(b"one") + zlib.compress(b"three"))' >expected
		assert_same_bytes out expected
	fi
}

@test "pinion-feed(7): examples in JSON" {
	local -A tool=([square.py]=python3 [square.js]=node [square.jq]=jq)
	local name
	assert_equal "$(sed -n 's/^\.\\" example: \(square\..*\)/\1/p' "$root/man/pinion-feed.7" | sort)" \
		"$(printf '%s\n' "${!tool[@]}" | sort)"
	for name in "${!tool[@]}"; do
		extract "$name"
		has "${tool[$name]}" || continue
		pinion_feed --protocol json -j1 "./$name" ::: 3 x 5
		assert_equal "$name: $status" "$name: 1"
		assert_equal "$output" $'9\n25'
		[[ $stderr == *'x'*'1 of 3 tasks failed (1 exit 1)'*'task 2: '* ]]
	done
}
