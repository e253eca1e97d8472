# The pool: how many workers, where they sit, what they serve, what a task sees.
# shellcheck shell=bats
# shellcheck disable=SC2154  # bats sets output, stderr and status
# shellcheck disable=SC2016  # the tasks' shell expands, not ours

load helper

pinion_map() {
	run --separate-stderr timeout $((30 * $(slowness))) pinion map "$@"
}

exist() {
	local file
	for file; do
		[[ -e $file ]] || return 1
	done
}

# workers_used ARGUMENTS...: how many workers run at once: the first task on each seat waits until
# no new seat has come for a while.
workers_used() {
	rm -rf slots && mkdir slots
	timeout $((60 * $(slowness))) pinion map "$@" '
		[ ! -e slots/$PINION_SLOT ] || exit 0
		echo >slots/$PINION_SLOT; n=0; i=0
		while [ $i -lt 10 ]; do
			sleep 0.03; i=$((i + 1)); m=$(ls slots | wc -l)
			[ "$m" = "$n" ] || { n=$m; i=0; }
		done; : {}' ::: $(seq 40)
	find slots -type f | wc -l
}

threads() {
	pinion topology --json | python3 -c 'import json, sys; print(json.load(sys.stdin)["budget"]["thread_count"])'
}

cores() {
	pinion topology --json | python3 -c 'import json, sys; print(json.load(sys.stdin)["budget"]["core_count"])'
}

at_least_1() {
	echo $(($1 > 0 ? $1 : 1))
}

# --- how many ---

@test "-j N is N workers, more than there are cores, too" {
	assert_equal "$(workers_used -j 1)" 1
	assert_equal "$(workers_used -j3)" 3
	assert_equal "$(workers_used --jobs 9)" 9
}

@test "without -j there is a worker for each core of the budget" {
	assert_equal "$(workers_used)" "$(cores)"
}

@test "-j cores, threads, N%, +N and -N go by the budget" {
	local c t
	c=$(cores) t=$(threads)
	((c <= 20)) || skip "too many cores to try"
	assert_equal "$(workers_used -j cores)" "$c"
	assert_equal "$(workers_used -j threads)" "$t"
	assert_equal "$(workers_used -j 50%)" "$(at_least_1 $((c / 2)))"
	assert_equal "$(workers_used -j 200%)" $((c * 2))
	assert_equal "$(workers_used -j +2)" $((c + 2))
	assert_equal "$(workers_used -j -1)" "$(at_least_1 $((c - 1)))"
	assert_equal "$(workers_used -j -100)" 1
}

@test "-j 0 is a worker for every task" {
	assert_equal "$(workers_used -j 0)" 40
}

@test "no more workers start than there are tasks" {
	pinion_map -j 30 'echo $PINION_WORKER; : {}' ::: a b
	assert_equal "$status" 0
	[[ $(sort -n <<<"$output" | tail -1) -le 1 ]]
}

@test "-j FILE is read again while running" {
	mkfifo go.a go.b go.c go.d
	echo 1 >jobs-file
	pinion map -j jobs-file --unordered 'echo >started.{}; read -r x <go.{}; echo {}' ::: a b c d >out 3>&- &
	local pid=$!
	wait_until exist started.a
	[[ ! -e started.b ]]
	echo 2 >jobs-file
	echo >go.a
	wait_until exist started.b started.c
	[[ ! -e started.d ]]
	echo >go.b
	wait_until exist started.d
	echo >go.c
	echo >go.d
	wait "$pid"
	assert_equal "$(sort out)" $'a\nb\nc\nd'
}

@test "wrong forms of -j are refused" {
	local form
	for form in 1x -- 5%% ''; do
		pinion_map -j "$form" echo ::: a
		((status == 2))
	done
}

# --- slots and workers ---

@test "no two tasks have the same slot at the same time" {
	mkdir held
	pinion_map -j4 'mkdir held/{%} || echo twice; [ {%} = $PINION_SLOT ] || echo differs; sleep 0.01; rmdir held/{%}; : {}' \
		::: $(seq 120)
	assert_equal "$status" 0
	assert_equal "$output$stderr" ''
}

# Smallest programs: each worker ends 90 in the 10 ms in which the coordinator is not told.
@test "workers have tasks enough while the coordinator does not look" {
	local pid
	seq 1000 >in
	has_lines() { (($(wc -l <ran) >= $1)); }
	: >ran
	timeout $((60 * $(slowness))) pinion map -j2 -a in \
		'[ {} -gt 1 ] || { echo $PARALLEL_PID >coordinator; kill -STOP $PARALLEL_PID; }
		echo {} >>ran' 3>&- &
	pid=$!
	wait_until has_lines 200
	kill -CONT "$(<coordinator)"
	wait "$pid"
	assert_equal "$(sort -n ran)" "$(cat in)"
}

@test "--maxtasksperchild replaces workers after so many tasks" {
	pinion_map -j1 --maxtasksperchild 3 'echo $PINION_WORKER; : {}' ::: $(seq 8)
	assert_equal "$status" 0
	assert_equal "${output//$'\n'/ }" '0 0 0 1 1 1 2 2'
}

@test "--maxtasksperchild counts tasks, not chunks" {
	pinion_map -j1 --chunksize 100 --maxtasksperchild 3 'echo $PINION_WORKER; : {}' ::: $(seq 8)
	assert_equal "$status" 0
	assert_equal "${output//$'\n'/ }" '0 0 0 1 1 1 2 2'
}

@test "--maxtasksperchild 1 is a worker for each task, on every seat" {
	pinion_map -j3 --maxtasksperchild 1 'echo $PINION_WORKER; : {}' ::: $(seq 30)
	assert_equal "$status" 0
	assert_equal "$(sort -n <<<"$output" | uniq | wc -l)" 30
}

@test "chunks larger than the queue do not stop the run" {
	seq 6000 >items
	pinion_map -a items -j4 --chunksize 2000 true
	[ "$status" -eq 0 ]
}

@test "--chunksize changes nothing that can be seen" {
	local size
	for size in 1 2 7 1000 auto; do
		pinion_map -j3 --chunksize "$size" echo ::: $(seq 100)
		assert_equal "$status" 0
		assert_equal "$output" "$(seq 100)"
	done
}

@test "a chunk's unstarted tasks run elsewhere when its worker dies" {
	pinion_map -j1 --chunksize 10 'echo {} >>ran; [ {} != 3 ] || { kill -KILL $PPID; sleep 1000; }' ::: $(seq 10)
	assert_equal "$status" 1
	[[ $stderr == *'1 of 10 tasks failed (1 lost: its worker died)'*'task 3'* ]]
	assert_equal "$(sort -n ran)" "$(seq 10)"
}

# --- the initializer ---

@test "an initializer runs once in each worker and its exports reach the tasks" {
	pinion_map -j2 --initializer 'echo >>ran; export WHO=w$PINION_WORKER "ODD=a  b
c"' 'echo $WHO = w$PINION_WORKER "$ODD"; echo >seat.$PINION_WORKER
		until [ -e seat.0 ] && [ -e seat.1 ]; do sleep 0.01; done; : {}' ::: 1 2 3 4 5 6
	assert_equal "$status" 0
	assert_equal "$(wc -l <ran)" 2
	local line
	for line in w0 w1; do
		[[ $output == *"$line = $line a  b"$'\n'c* ]]
	done
}

@test "a replaced worker has its initializer, too" {
	pinion_map -j1 --maxtasksperchild 2 --initializer 'export OF=$PINION_WORKER; echo >>ran' \
		'echo $OF$PINION_WORKER; : {}' ::: 1 2 3 4
	assert_equal "${output//$'\n'/ }" '00 00 11 11'
	assert_equal "$(wc -l <ran)" 2
}

@test "what an initializer prints goes to stderr" {
	pinion_map -j1 --initializer 'echo to out; echo to err >&2' echo ::: a
	assert_equal "$status" 0
	assert_equal "$output" a
	[[ $stderr == *'to out'* && $stderr == *'to err'* ]]
}

@test "an initializer that fails breaks the pool in a bounded number of tries" {
	pinion_map -j2 --initializer 'echo >>tries; echo my complaint >&2; exit 7' echo ::: $(seq 100)
	assert_equal "$status" 3
	assert_equal "$output" ''
	[[ $stderr == *'my complaint'*'exit 7'* ]]
	(($(wc -l <tries) <= 10))
	assert_nothing_left
}

@test "an initializer that is killed, or is no shell, breaks the pool" {
	local command
	for command in 'kill -KILL $$' 'if' 'no-such-command-at-all'; do
		pinion_map -j1 --initializer "$command" echo ::: a b
		assert_equal "$command $status" "$command 3"
		assert_equal "$output" ''
	done
}

@test "an initializer may end by exit 0 in its middle" {
	pinion_map -j1 --initializer 'export A=1; exit 0; export A=2' 'echo $A; : {}' ::: x
	assert_equal "$status" 0
	assert_equal "$output" 1
}

@test "what an initializer leaves running serves its worker's tasks and is gone after the run" {
	pinion_map -j1 --initializer 'sleep 1000 & export HELPER=$!' 'kill -0 $HELPER && echo alive; : {}' ::: a b
	assert_equal "$status" 0
	assert_equal "$output" $'alive\nalive'
	assert_nothing_left
}

@test "a failed task does not end what the initializer left running" {
	pinion_map -j1 --initializer 'sleep 1000 & export HELPER=$!' 'kill -0 $HELPER && echo alive; exit 1; : {}' ::: a b
	assert_equal "$status" 1
	assert_equal "$output" $'alive\nalive'
	assert_nothing_left
}

@test "many exports come through" {
	pinion_map -j1 --initializer 'i=0; while [ $i -lt 500 ]; do export "V$i=$(printf %0200d $i)"; i=$((i + 1)); done' \
		'echo $V0 $V499; : {}' ::: x
	assert_equal "$status" 0
	assert_equal "$output" "$(printf '%0200d %0200d' 0 499)"
}

# --- what a task sees ---

@test "tasks know who they are" {
	pinion_map -j1 'echo $PINION_SEQ $PINION_SLOT $PINION_WORKER $PINION_ATTEMPT $PARALLEL_SEQ $PARALLEL_JOBSLOT; : {}' ::: a b
	assert_equal "$output" $'0 1 0 1 1 1\n1 1 0 1 2 1'
	pinion_map -j2 'echo ${PINION_RUN:?} ${PARALLEL_PID:?}; : {}' ::: a b c
	assert_equal "$(sort -u <<<"$output" | wc -l)" 1
}

@test "pinion inside pinion names its own tasks" {
	pinion_map -j1 "pinion map -j1 'echo \$PINION_SEQ \$PINION_RUN; : {}' ::: x y; echo \$PINION_SEQ \$PINION_RUN; : {}" ::: a
	assert_equal "$status" 0
	mapfile -t seen < <(awk '{print $1}' <<<"$output")
	assert_equal "${seen[*]}" '0 1 0'
	assert_equal "$(awk '{print $2}' <<<"$output" | uniq | wc -l)" 2
}

@test "tasks are told their share of the threads, unless the user said" {
	local t
	t=$(threads)
	unset OMP_NUM_THREADS OPENBLAS_NUM_THREADS
	pinion_map -j1 --bind share 'echo $OMP_NUM_THREADS $OPENBLAS_NUM_THREADS; : {}' ::: a
	assert_equal "$output" "$t $t"
	OMP_NUM_THREADS=77 pinion_map -j1 --bind share 'echo $OMP_NUM_THREADS $OPENBLAS_NUM_THREADS; : {}' ::: a
	assert_equal "$output" "77 $t"
}

@test "a lone worker's task has the whole mask" {
	pinion_map -j1 'taskset -cp $$ | sed "s/.*: //"; : {}' ::: a
	assert_equal "$output" "$(taskset -cp $$ | sed 's/.*: //')"
}

@test "as many bound workers as cores have a core each" {
	local c
	c=$(cores)
	((c >= 2 && c <= 20)) || skip "needs 2 cores"
	mkdir here
	pinion_map -j "$c" --bind core 'taskset -cp $$ | sed "s/.*: //"
		echo >here/$PINION_SLOT; until [ $(ls here | wc -l) = '"$c"' ]; do sleep 0.01; done; : {}' ::: $(seq "$c")
	assert_equal "$status" 0
	assert_equal "$(sort <<<"$output" | uniq | wc -l)" "$c"
}

@test "--bind none leaves the mask alone" {
	pinion_map -j2 --bind none 'taskset -cp $$ | sed "s/.*: //"; : {}' ::: a b
	assert_equal "$(sort -u <<<"$output")" "$(taskset -cp $$ | sed 's/.*: //')"
}

@test "stdin of tasks is empty, and pinion's own input is not touched" {
	pinion_map 'cat; echo {}' ::: a b <<<'not for tasks'
	assert_equal "$output" $'a\nb'
	printf 'a\nb\nc\n' >items
	run pinion map 'cat; echo {}' <items
	assert_equal "$output" $'a\nb\nc'
}

@test "in parallel the first task has stdin when the input is a file" {
	echo item >items
	run pinion parallel -k 'cat; echo {}' ::: a b <<<'for none'
	assert_equal "$output" $'a\nb'
	run pinion parallel -k -a items 'cat; echo {}' <<<'for the first'
	assert_equal "$output" $'for the first\nitem'
	run pinion parallel -k 'cat; echo {}' <<<'an item'
	assert_equal "$output" 'an item'
}

@test "a task has the descriptors 0, 1 and 2 and no other of ours" {
	# ls has one more, for what it lists.
	pinion_map -j2 'ls /proc/self/fd; : {}' ::: a b 3>&- 4>&-
	assert_equal "${output//$'\n'/ }" '0 1 2 3 0 1 2 3'
}

@test "pinion starts with stdin, stdout or stderr closed" {
	pinion map 'echo {} >ran' ::: a <&- >&- 2>&- 3>&-
	assert_equal "$(<ran)" a
	pinion map 'ls /proc/self/fd; : {}' ::: a <&- 3>&- >out
	assert_equal "$(paste -sd ' ' out)" '0 1 2 3'
}

@test "few descriptors mean fewer workers, not a failure" {
	skip_if_instrumented "has descriptors of its own"
	run --separate-stderr bash -c 'ulimit -n 20; exec timeout 30 pinion map -j 100 echo ::: '"$(seq -s ' ' 50)"
	assert_equal "$status" 0
	assert_equal "$output" "$(seq 50)"
	[[ $stderr == *'open files'* ]]
}

@test "--ungroup gives tasks pinion's own stdout" {
	pinion map --ungroup 'readlink /proc/self/fd/1 /proc/self/fd/2; : {}' ::: a >out 2>err
	assert_equal "$(<out)" "$PWD/out"$'\n'"$PWD/err"
}

@test "nothing is left: no zombie while it runs, no process, no file" {
	mkdir tmp
	mkfifo go
	TMPDIR=$PWD/tmp pinion map -j3 --buffer 1M --maxtasksperchild 2 \
		'head -c 200000 /dev/zero; [ {} != 20 ] || { echo >started; read -r x <go; }; : {}' ::: $(seq 20) >out 3>&- &
	local pid=$!
	wait_until exist started
	no_zombies() { [[ $(ps -o stat= --ppid "$pid") != *Z* ]]; }
	wait_until no_zombies
	echo >go
	wait "$pid"
	assert_equal "$(wc -c <out)" 4000000
	assert_equal "$(find tmp -mindepth 1)" ''
	assert_nothing_left
}
