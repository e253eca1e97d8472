# What pinion promises whatever happens, as far as no other file of tests holds it; PROMISES in
# tests/fault says which test holds which promise.
# shellcheck shell=bats
# shellcheck disable=SC2154  # bats sets output, stderr and status
# shellcheck disable=SC2016  # the tasks' shell expands, not ours

load helper

# --- 1: few tasks are run again ---

# is_done_with FILE: nothing is added to it any more
is_done_with() {
	local before
	before=$(stat -c %s "$1")
	sleep 0.1
	[[ $(stat -c %s "$1") == "$before" ]]
}

has_settled() {
	is_done_with effects
}

@test "what is run again is little, however short the tasks and however far behind the coordinator" {
	# When so many have run, a task stops the coordinator: each twentieth looks.
	local pid again command='echo {} >>effects
		[ $(({} % 20)) != 0 ] || [ $(wc -l <effects) -lt $STOP_AT ] || kill -STOP $PARALLEL_PID'
	: >effects
	for STOP_AT in 300 600 900; do
		export STOP_AT
		pinion map -j2 --joblog log --resume --chunksize 1000 "$command" ::: $(seq 1500) >out 3>&- &
		pid=$!
		wait_until grep -q '^State:.T' "/proc/$pid/status"
		wait_until has_settled
		kill -KILL "$pid"
		wait "$pid" || true
		WAIT_S=20 assert_nothing_left
	done
	again=$(($(wc -l <effects) - $(grep -c echo log)))
	echo "$again were run for nothing" >&2
	((again <= 3 * 2)) # one for each worker
	export STOP_AT=10000
	timeout 60 pinion map -j2 --joblog log --resume "$command" ::: $(seq 1500) >out
	assert_equal "$(sort -un effects)" "$(seq 1500)"
	assert_equal "$(wc -l <log)" 1501
}

@test "what is run again is little, however far behind the recorder of a run file" {
	local pid recorder task='>begun; until test -e gate; do sleep 0.01; done; head -c 1500000 /dev/zero; echo {} >>effects'
	: >effects
	pinion map -j2 --unordered --run-file db "$task" ::: {1..12} >out 3>&- &
	pid=$!
	wait_until test -e begun
	recorder=$(ps -o pid=,sess= --ppid "$pid" | awk '$1 == $2 { print $1 }')
	kill -STOP "$recorder"
	: >gate
	wait_until test -s effects
	wait_until has_settled
	kill -KILL "$pid"
	wait "$pid" || true
	kill -CONT "$recorder"
	WAIT_S=20 assert_nothing_left
	timeout 60 pinion map -j2 --unordered --run-file db --resume "$task" ::: {1..12} >out
	assert_equal "$(sort -un effects)" "$(seq 12)"
	echo "$(wc -l <effects) tasks were run" >&2
	(($(wc -l <effects) <= 12 + 2)) # one for each worker
}

@test "a joblog and a run file agree when a run that was killed is resumed, whichever was behind" {
	local pid recorder task='>begun; until test -e gate; do sleep 0.01; done; head -c 1500000 /dev/zero; test {} != 3'
	pinion map -j2 --unordered --joblog log --run-file db "$task" ::: {1..8} >out 3>&- &
	pid=$!
	wait_until test -e begun
	recorder=$(ps -o pid=,sess= --ppid "$pid" | awk '$1 == $2 { print $1 }')
	kill -STOP "$recorder"
	: >gate
	wait_until test -s out
	wait_until is_done_with out
	kill -KILL "$pid"
	wait "$pid" || true
	kill -CONT "$recorder"
	WAIT_S=20 assert_nothing_left
	run timeout 60 pinion map -j2 --unordered --joblog log --run-file db --resume "$task" ::: {1..8} >out
	assert_equal "$(tail -n +2 log | cut -f 1,6,7 | sort -n)" \
		"$(sqlite3 -tabs db 'SELECT seq + 1, stdout_bytes, exit FROM task ORDER BY seq')"
	assert_equal "$(tail -n +2 log | cut -f 1 | sort -n)" "$(seq 8)"

	# What the run file has done is not run again; what the joblog had said of it, it says again.
	sort log >all
	head -n 4 log >log.cut
	mv log.cut log
	run timeout 60 pinion map -j2 --unordered --joblog log --run-file db --resume "$task" ::: {1..8}
	assert_equal "$status ${lines[-1]}" '0 pinion map: 8 of 8 tasks done before'
	sort log | diff - all
}

@test "equal tasks are each done once, also where a joblog stands beside a run file" {
	local both=(--joblog log --run-file db)
	yes a | head -n 2 | timeout 30 pinion map "${both[@]}" 'echo {} >>effects'
	run timeout 30 pinion map "${both[@]}" --resume 'echo {} >>effects' <<<$'a\na\na\na'
	assert_equal "$status $output" '0 pinion map: 2 of 4 tasks done before'
	assert_equal "$(wc -l <effects)" 4
	assert_equal "$(tail -n +2 log | cut -f 1 | sort)" "$(seq 4)"
}

@test "what would have been tried again when the run ended is in no record, so --resume runs it" {
	local record
	run timeout 30 pinion map -j3 --joblog log --run-file db --results res --deadline 3s --retries 2 --backoff 1000 \
		'echo {}; case {} in 1) exit 6 ;; 2) sleep 3.2; exit 7 ;; esac' ::: 1 2 3
	assert_equal "$status" 1
	[[ $output == *'2 of 3 tasks failed (1 exit 6, 1 exit 7)'* ]]
	assert_equal "$(cut -f1 log | tail -n +2)" 3
	assert_equal "$(echo res/1/*)" res/1/3
	for record in '--joblog log' '--run-file db' '--results res'; do
		# shellcheck disable=SC2086  # several words
		run timeout 30 pinion map -j1 $record --resume --dry-run \
			'echo {}; case {} in 1) exit 6 ;; 2) sleep 3.2; exit 7 ;; esac' ::: 1 2 3
		assert_equal "$record: $(cut -c 1-7 <<<"$output" | grep echo | tr -d '\n')" "$record: echo 1;echo 2;"
	done
}

# --- 2: nothing is left, and nothing goes on ---

@test "no command of a shell runs after the coordinator was killed" {
	local pid
	for _ in {1..5}; do
		rm -f started.*
		pinion map -j2 'sh -c "echo >started.{}; sleep 1000; echo >inner"; echo >outer; sleep 1000' ::: a b 3>&- &
		pid=$!
		wait_until test -e started.a -a -e started.b
		kill -KILL "$pid"
		wait "$pid" || true
		assert_nothing_left
		[[ ! -e inner && ! -e outer ]]
	done
}

@test "what has cleared its environment, forked twice and defies TERM ends with its task, too" {
	run timeout 30 pinion map -j2 --timeout 1 --termseq TERM,100,KILL \
		'(setsid env -i sh -c "trap \"\" TERM HUP INT; echo \$\$ >pid.{}; while :; do sleep 1; done" &); sleep 1000' ::: a b
	assert_equal "$status" 1
	run ! kill -0 "$(cat pid.a)"
	run ! kill -0 "$(cat pid.b)"
}

# There /proc/2 is kthreadd, whose children have the numbers of ours here.
@test "where /proc is another namespace's nothing of it is taken for ours" {
	skip_if_instrumented 'it needs its own /proc'
	unshare -p -f true 2>/dev/null || skip 'no namespaces'
	local job='{"inputs": {"args": ["a", "b"]}, "stages": [{"command": ["echo", "{}"]}, {"command": ["echo", "{}"]}]}'
	echo "$job" >job.json
	for _ in {1..3}; do
		run --separate-stderr timeout 30 unshare -p -f sh -c 'pinion run job.json; exit $?'
		assert_equal "$status $output$stderr" $'0 a\nb'
		run --separate-stderr timeout 30 unshare -p -f sh -c 'pinion map --timeout 0.5 sleep; exit $?' <<<1000
		assert_equal "$status" 1
		[[ $stderr == *'1 of 1 task failed (1 timed out)'* ]]
	done
}

# --- 5: an end by a signal is no success ---

@test "HUP with tasks not run is no success, also where tasks ignore it" {
	pinion map -j1 'trap "" HUP TERM; echo >started.{}; until [ -e go ]; do sleep 0.02; done; echo {}' \
		::: 1 2 3 >out 2>err 3>&- &
	local pid=$! status=0
	wait_until test -e started.1
	kill -HUP "$pid"
	has_taken_it() { ! grep -qs '^ShdPnd:.*[1-9a-f]' "/proc/$pid/status"; }
	wait_until has_taken_it
	touch go
	wait "$pid" || status=$?
	assert_equal "$status" 129
	[[ ! -e started.3 ]]
	assert_nothing_left
}

# --- 7 and 6: records ---

@test "a joblog that was deleted during the run is an error that names it" {
	run --separate-stderr pinion map -j1 --joblog log 'rm -f log; echo {}' ::: 1 2
	assert_equal "$status" 3
	assert_equal "$output" $'1\n2'
	[[ $stderr == *'--joblog log '*'deleted'* ]]
}

@test "a joblog that was cut short during the run is an error that names it" {
	run --separate-stderr pinion map -j1 --joblog log ': >log; echo {}' ::: 1 2
	assert_equal "$status" 3
	assert_equal "$output" $'1\n2'
	assert_equal "$stderr" 'pinion map: --joblog log was cut short during the run, and records are lost'
	pinion map -j1 --joblog log true ::: 1 2
	run --separate-stderr pinion map -j1 --joblog +log 'truncate -s 100 log; true' ::: 1
	assert_equal "$status" 3
	run --separate-stderr pinion map -j1 --joblog log 'echo more >>log; true' ::: 1
	assert_equal "$status" 0
}

@test "a table of results or a run file that was deleted or cut short during the run is one, too" {
	run --separate-stderr pinion map -j1 --results t.csv 'rm -f t.csv; echo {}' ::: 1 2
	assert_equal "$status:$stderr" '3:pinion map: --results t.csv was deleted during the run, and its records with it'
	run --separate-stderr pinion map -j1 --results t.jsonl ': >t.jsonl; echo {}' ::: 1 2
	assert_equal "$status:$stderr" '3:pinion map: --results t.jsonl was cut short during the run, and records are lost'
	run --separate-stderr pinion map -j1 --run-file run.db 'rm -f run.db; echo {}' ::: 1 2
	assert_equal "$status:$stderr" '3:pinion map: --run-file run.db was deleted during the run, and its records with it'
}

# shellcheck disable=SC2094  # files that are read and written are what is tried
@test "a record whose file is also an input, what is printed or another record is refused, and left alone" {
	local arguments
	seq 3 >items
	cp items kept
	for arguments in '--joblog items -a items' '--joblog +items -a ./items' '--joblog items.csv -a kept -a items' \
		'--results items.csv -a items'; do
		ln -f items items.csv
		# shellcheck disable=SC2086  # several words
		run timeout 30 pinion map -j1 $arguments echo
		assert_equal "$arguments: $status ${output##*is }" "$arguments: 2 an input, too: name another file"
		cmp items kept
	done
	run timeout 30 pinion map -j1 --joblog items echo <items
	assert_equal "$status $output" '2 pinion map: --joblog items is standard input, too: name another file'
	cmp items kept
	timeout 30 pinion map -j1 --joblog log echo ::: 1 2>messages >log || assert_equal "$?" 2
	timeout 30 pinion map -j1 --run-file log echo ::: 1 2>log || assert_equal "$?" 2
	assert_equal "$(cat messages log)" 'pinion map: --joblog log is standard output, too: name another file
pinion map: --run-file log is standard error, too: name another file'
	for arguments in '--joblog both --run-file both' '--joblog both.csv --results both.csv'; do
		# shellcheck disable=SC2086  # several words
		run timeout 30 pinion map -j1 $arguments echo ::: 1
		assert_equal "$arguments: $status" "$arguments: 2"
		[[ $output == *'both'*' is --'*', too: name another file' ]]
	done
	[[ ! -e both && ! -e both.csv ]]
}

@test "a joblog that was renamed during the run is kept" {
	run --separate-stderr pinion map -j1 --joblog log 'mv log log.1 2>/dev/null; echo {}' ::: 1 2
	assert_equal "$status" 0
	assert_equal "$(wc -l <log.1)" 3
}

@test "a limit on the size of files is named" {
	run --separate-stderr bash -c 'ulimit -f 1; exec pinion map echo ::: 1'
	assert_equal "$status" 3
	[[ $stderr == *'File too large (see ulimit -f)'* ]]
	run bash -c 'ulimit -f 0; exec pinion map --joblog log echo ::: 1 2>&1'
	assert_equal "$status $output" '3 pinion map: cannot write to --joblog log: File too large (see ulimit -f)'
}


# --- 8: what a kernel or a sandbox does not know ---

# strace makes a system call fail as if there were none, in pinion and in all it starts.
without_call() {
	local call=$1
	shift
	timeout 60 strace -qq -f -o trace -e "trace=$call" -e "inject=$call:error=ENOSYS" "$@"
}

@test "system calls that a kernel lacks change nothing that is seen" {
	needs_strace
	local call
	seq 20 >items
	for call in clone3 pidfd_open close_range memfd_create epoll_pwait2 sched_setaffinity prctl \
		sched_getaffinity splice fallocate getrandom set_mempolicy rseq faccessat2 copy_file_range; do
		run --separate-stderr without_call "$call" pinion map -j3 -a items 'echo {}; exit $(({} == 7))'
		assert_equal "$call $status $output" "$call 1 $(cat items)"
		assert_equal "${stderr_lines[0]}" 'pinion map: 1 of 20 tasks failed (1 exit 1)'
		run --separate-stderr without_call "$call" pinion feed -j2 -a items cat
		assert_equal "$call $status $output$stderr" "$call 0 $(cat items)"
		run --separate-stderr without_call "$call" pinion map -j2 --start-method spawn --joblog "log.$call" -a items echo
		assert_equal "$call $status $output$stderr" "$call 0 $(cat items)"
		assert_equal "$(wc -l <"log.$call")" 21
	done
}

@test "system calls that a kernel lacks, alone and together, change nothing in the other verbs" {
	needs_strace
	local call live all=clone3,pidfd_open,close_range,memfd_create,epoll_pwait2,sched_setaffinity,prctl
	echo '{"inputs": {"range": [1, 6]}, "stages": [{"command": "echo {}"},
		{"feed": ["cat"], "workers": 1}, {"command": ["echo", "{}"]}]}' >job.json
	printf 'all: x y; @echo $(N)\nx y:; @:\n' >mk
	pinion call "$PINION_BUILD/plugins/crc32.so" ::: {1..6} >sums
	pinion map --name live -j1 'sleep 1000' ::: 1 >/dev/null 2>&1 3>&- &
	live=$!
	wait_until pinion ctl live jobs 1 >/dev/null 2>&1
	for call in ${all//,/ } "$all"; do
		run --separate-stderr without_call "$call" pinion call -j2 "$PINION_BUILD/plugins/crc32.so" ::: {1..6}
		assert_equal "$call $status $output$stderr" "$call 0 $(cat sums)"
		run --separate-stderr without_call "$call" pinion run job.json
		assert_equal "$call $status $output$stderr" "$call 0 $(seq 6)"
		run --separate-stderr without_call "$call" pinion map -j2 --jobserver 'make -s -f mk N={}' ::: 1 2
		assert_equal "$call $status $output$stderr" "$call 0 $(seq 2)"
		run --separate-stderr without_call "$call" pinion bench --rounds 1 -j2 true ::: 1 2
		assert_equal "$call $status ${lines[0]%%,*} ${#stderr_lines[@]}" "$call 0 tasks       2 1"
		run --separate-stderr without_call "$call" pinion status
		assert_equal "$call $status $stderr" "$call 0 "
		[[ $output == *live* ]]
		run --separate-stderr without_call "$call" pinion ctl live jobs 2
		assert_equal "$call $status $output$stderr" "$call 0 live: 2 at once from now on"
	done
	kill -TERM "$live"
	wait "$live" || [[ $? == 143 ]]
}

# --- 9: too little of everything ---

@test "little address space means an error that says so, or success" {
	skip_if_instrumented 'there is not little address space'
	local kib
	for kib in 400000 100000 50000 20000 12000 8000 6000 5000 4000; do
		run --separate-stderr timeout 30 bash -c "ulimit -v $kib; exec pinion map -j4 --bind none /bin/echo ::: 1 2 3 4"
		if ((status == 0)); then
			assert_equal "$output" $'1\n2\n3\n4'
		else
			((status < 128))
			[[ -n $stderr ]]
		fi
		assert_nothing_left
	done
}

@test "twenty descriptors are enough for every verb and record" {
	[[ ${PINION_TEST_MODE-} != coverage ]] || skip 'what writes coverage down needs more'
	seq 10 >items
	for arguments in 'map --unordered -a items echo' 'map --joblog log -a items echo' 'map --run-file db -a items echo' \
		'map --results results -a items echo' 'feed -a items cat' 'map --start-method spawn -a items echo' \
		'map --start-method forkserver -a items echo'; do
		# shellcheck disable=SC2086  # several words
		run timeout 30 bash -c 'ulimit -n 20; exec pinion "$@" 2>&1' - $arguments
		assert_equal "$arguments: $status" "$arguments: 0"
		[[ $arguments == *results* ]] || assert_equal "$(sort -n <<<"$output")" "$(cat items)"
	done
}

@test "twenty descriptors are enough for three stages, also with as many workers as may be" {
	[[ ${PINION_TEST_MODE-} != coverage ]] || skip 'what writes coverage down needs more'
	local workers
	for workers in 0 4; do
		cat >job.json <<-EOF
			{"inputs": {"range": [1, 9]}, "stages": [
			 {"command": ["echo", "{}"], "workers": $workers},
			 {"command": ["sh", "-c", "sleep 0.1; echo {}"], "workers": $workers},
			 {"command": ["echo", "{}"], "workers": $workers}]}
		EOF
		run --separate-stderr timeout 30 bash -c 'ulimit -n 20; exec pinion run job.json 3>&- 4>&-'
		assert_equal "$status $output" "0 $(seq 9)"
	done
}

@test "where descriptors are too few the message says which limit it is" {
	[[ ${PINION_TEST_MODE-} != coverage ]] || skip 'what writes coverage down needs more'
	run --separate-stderr timeout 30 bash -c 'ulimit -n 6; exec pinion map echo ::: 1'
	assert_equal "$status" 3
	[[ $stderr == *'Too many open files (see ulimit -n)'* ]]
}

# --- 10: cron, and callers that leave much to be desired ---

@test "each combination of closed standard descriptors keeps output out of other files" {
	local closed redirections
	seq 3 >items
	for closed in 0 1 2 01 02 12 012; do
		redirections=
		[[ $closed != *0* ]] || redirections+=' <&-'
		[[ $closed != *1* ]] || redirections+=' >&-'
		[[ $closed != *2* ]] || redirections+=' 2>&-'
		rm -rf log db results
		run bash -c "timeout 30 pinion map -j2 --joblog log --run-file db --buffer 64K -a items 'echo {} out; echo {} err >&2' 3>&- $redirections"
		if [[ $closed == *1* ]]; then
			assert_equal "$closed $status" "$closed 3"
		else
			assert_equal "$closed $status" "$closed 0"
		fi
		assert_equal "$closed $(cat items)" "$closed $(seq 3)"
		run ! grep -aq '^[123] \(out\|err\)$' log
		[[ $(sqlite3 db 'pragma integrity_check') == ok ]]
	done
}

@test "with an empty environment, no HOME and no terminal it works" {
	run timeout 30 setsid env -i "$(command -v pinion)" map -j2 --run-file db --joblog log 'echo {}' ::: 1 2 </dev/null
	assert_equal "$status" 0
	assert_equal "$output" $'1\n2'
}

@test "in a folder that was deleted what needs no folder works, and the rest says so" {
	mkdir gone
	cd gone
	rmdir "$PWD"
	run --separate-stderr timeout 30 pinion map -j2 --buffer 64K 'seq {}00000 {}09999' ::: 1 2 3
	assert_equal "$status" 0
	assert_equal "$(wc -l <<<"$output")" 30000
	run --separate-stderr timeout 30 pinion map --joblog log echo ::: 1
	assert_equal "$status" 3
	[[ $stderr == *'log'*'No such file or directory'* ]]
	run --separate-stderr timeout 30 pinion map --run-file db echo ::: 1
	((status != 0))
	[[ $stderr == *'db'* ]]
}

@test "a TMPDIR that is no folder matters only to what needs it, which names it" {
	export TMPDIR=$PWD/none
	run --separate-stderr timeout 30 pinion map -j2 'echo {}' ::: 1 2
	assert_equal "$status $output$stderr" $'0 1\n2'
	run --separate-stderr timeout 30 pinion map -j2 --buffer 64K '[ {} != 1 ] || exec sleep 1000; seq {}00000 {}99999' ::: 1 2 3
	assert_equal "$status" 3
	[[ $stderr == *"$TMPDIR"* ]]
}

# --- 11: input ---

@test "an item of 10 MiB fails alone" {
	{
		echo first
		head -c 10485760 /dev/zero | tr '\0' x
		echo
		echo last
	} >items
	run --separate-stderr timeout 60 pinion map -j2 -a items echo
	assert_equal "$status" 1
	assert_equal "$output" $'first\nlast'
	[[ $stderr == *'1 of 3 tasks failed'*'task 2: '* && ${#stderr} -lt 2000 ]]
}

@test "input that cannot be read to its end is an error" {
	mkdir folder
	run --separate-stderr timeout 30 pinion map -a folder echo
	((status > 1))
	[[ $stderr == *folder*'Is a directory'* ]]
	run --separate-stderr timeout 30 pinion map echo <folder
	((status > 1))
	[[ $stderr == *'Is a directory'* ]]
}

@test "an error in the middle of the input is none of its end" {
	needs_strace
	yes "$(printf %01000d 0)" | head -n 1000 >items
	run --separate-stderr timeout 60 strace -qq -o trace -P "$PWD/items" -e trace=read -e inject=read:error=EIO:when=2 \
		pinion map -j2 -a items true
	assert_equal "$status" 3
	[[ $stderr == *items*'Input/output error'* ]]
}

@test "what was read before an error in the input is done" {
	printf '{"x": %s}\n' {1..40} '"' 41 >items.jsonl
	echo '{"inputs": {"jsonl": "items.jsonl"}, "workers": 2, "command": "sleep 0.02; echo {x}"}' >job.json
	run -3 --separate-stderr timeout 60 pinion run job.json
	assert_equal "$output" "$(seq 40)"
	[[ $stderr == *'items.jsonl:41:7: '* ]]
}

# --- 14: files ---

@test "what is ours is nobody else's whatever the umask, results follow it" {
	mkdir made
	umask 0
	pinion map -j1 --run-file db --tmpdir "$PWD" --output 'made/{}' --results results \
		'stat -c "%a %F" made/.pinion-*; stat -c "%a %F" db* ; echo >{out}' ::: 1 >out
	assert_equal "$(sort -u results/1/1/stdout)" $'600 regular file\n700 directory'
	assert_equal "$(stat -c %a made/1)" 666
	assert_equal "$(stat -c %a results/1/1/stdout)" 666
}

@test "links that others have planted are not followed" {
	echo precious >precious
	ln -s precious log
	ln -s precious db
	run --separate-stderr timeout 30 pinion map --joblog log echo ::: 1
	((status != 0))
	run --separate-stderr timeout 30 pinion map --run-file db echo ::: 1
	((status != 0))
	assert_equal "$(cat precious)" precious
}

# --- 15: what tasks get ---

@test "tasks see the caller's variables and ours, and nothing else" {
	run timeout 30 env -i A=B PATH="$PATH" "$(command -v pinion)" map -j1 env ::: 1
	assert_equal "$status" 1 # env 1
	run timeout 30 env -i A=B PATH="$PATH" "$(command -v pinion)" map -j1 -n0 env ::: 1
	assert_equal "$status" 0
	run ! grep -vE '^(PINION_|PARALLEL_|A=|PATH=|[A-Z_]*_THREADS=)' <<<"$output"
}

@test "nothing in the working directory configures pinion or is executed" {
	printf '#!/bin/sh\necho planted\n' >./echo
	chmod +x ./echo
	printf -- '--planted\n' >.pinionrc
	cp .pinionrc pinion.json
	HOME=$PWD run timeout 30 pinion map -j1 echo ::: 1
	assert_equal "$status $output" '0 1'
}
