# status and ctl: a run that is under way is looked at and steered from another process.
# shellcheck shell=bats
# shellcheck disable=SC2154  # bats sets output, stderr and status
# shellcheck disable=SC2016  # the tasks' shell expands, not ours

load helper

setup() {
	common_setup
	folder=$XDG_RUNTIME_DIR/pinion
	# Other runs of this user on this machine have other names.
	name=t$$-$BATS_TEST_NUMBER
}

# start VERB ARGUMENTS...: in the background, its id in pid; there is a socket when it returns.
start() {
	env --default-signal pinion "$1" --name "$name" "${@:2}" \
		>out 2>messages <&0 3>&- 4>&- &
	pid=$!
	wait_until test -e "$folder/$name.run"
}

# ends_with STATUS: and leaves nothing.
ends_with() {
	local result=0
	wait "$pid" || result=$?
	assert_equal "$result" "$1"
	assert_equal "$(ls -A "$XDG_RUNTIME_DIR")" ''
	assert_nothing_left
}

# In the command of a task: waits for the file go.
await='while [ ! -e go ]; do sleep 0.02; done'

# field EXPRESSION: of the status reply, as Python has it in r.
field() {
	pinion status --json "$name" | python3 -c 'import json, sys
r = json.loads(sys.stdin.read())
print(eval(sys.argv[1]))' "$1"
}

field_is() {
	[[ $(field "$1") == "$2" ]]
}

# Several looks at how many tasks are done say the same.
nothing_moves() {
	local before
	before=$(field "r['tasks']['done']")
	for _ in 1 2 3; do
		sleep 0.05
		[[ $(field "r['tasks']['done']") == "$before" ]] || return 1
	done
}

count_names() {
	pinion status --names | grep -cx -- "$name"
}

# --- status ---

@test "status says what a task is given whatever bytes that is, and of long values how they begin" {
	local long
	long=$(printf 'a%.0s' {1..199})
	start map -j3 "$await; : {}" ::: $'\xff\xfe' "${long}é" short
	wait_until field_is "r['tasks']['running']" 3
	assert_equal "$(field "[w.get('args_base64') for w in r['workers'] if w.get('seq') == 1][0]")" "['//4=']"
	assert_equal "$(field "[w.get('args') for w in r['workers'] if w.get('seq') == 2][0]")" "['$long']"
	assert_equal "$(field "[w.get('args') for w in r['workers'] if w.get('seq') == 3][0]")" "['short']"
	touch go
	ends_with 0
}

@test "status shows a run under way: in a table, in detail, as JSON, by name" {
	start map -j2 "$await; : {}" ::: 'one two' $'e\033[31m' three
	wait_until field_is "r['tasks']['running']" 2
	run --separate-stderr pinion status
	assert_equal "$status" 0
	[[ ${lines[0]} =~ ^NAME\ +PID\ +STATE\ +FOR\ +DONE\ .*\ COMMAND ]]
	grep -qE "^$name +$pid +running +[0-9]+s +0/3 +0 +2 +0/s +- +while .*; : \{\}$" <<<"$output"
	run --separate-stderr pinion status "$name"
	assert_equal "$status" 0
	grep -qx "run       $name, pid $pid, pinion map in $PWD" <<<"$output"
	grep -qx 'tasks     0 done, 2 running of 3' <<<"$output"
	grep -qE '^ +[12] +[0-9]+ +0 +1 +[0-9]+s  one two$' <<<"$output"
	grep -qF 'e\x1b[31m' <<<"$output"
	[[ $output != *$'\033'* ]]
	assert_equal "$(field "sorted(w['args'] for w in r['workers'])[1], r['state'], r['tasks']['total']")" \
		"(['one two'], 'running', 3)"
	assert_equal "$(count_names)" 1
	touch go
	ends_with 0
	run pinion status "$name"
	assert_equal "$status" 1
	assert_equal "$output" "pinion status: no run of yours is called $name now"
}

@test "status says what a run waits for" {
	mkfifo input
	exec 5<>input
	start map -j1 echo <input 5>&-
	wait_until field_is "r.get('held_by')" input
	exec 5>&-
	ends_with 0
}

@test "status says which of its manners holds a run back" {
	start map -j2 --delay 1000 "$await; : {}" ::: 1 2 3
	wait_until field_is "r.get('held_by')" delay
	[[ $(pinion status "$name") == *'state     running, held back by --delay'* ]]
	pinion ctl "$name" stop
	ends_with 143
	start map -j2 --window 1 "$await; : {}" ::: 1 2 3
	wait_until field_is "r.get('held_by')" window
	touch go
	ends_with 0
	rm go
	start map -j2 "$await; : {}" ::: 1 2
	wait_until field_is "r['tasks']['running']" 2
	assert_equal "$(field "r.get('held_by')")" None
	touch go
	ends_with 0
}

@test "status knows how many tasks there are before they are started" {
	seq 5000 >input
	start map -j1 -a input "$await; : {}"
	wait_until field_is "r['tasks']['running']" 1
	assert_equal "$(field "r['tasks']['total']")" 5000
	pinion ctl "$name" stop
	ends_with 143
}

@test "a run is called by its command and a number, and the next one by the next" {
	cp "$(type -P sleep)" "./nap$$-$BATS_TEST_NUMBER.bin"
	pinion map -j1 "./nap$$-$BATS_TEST_NUMBER.bin" ::: 1000 3>&- &
	pid=$!
	wait_until test -e "$folder/nap$$-$BATS_TEST_NUMBER-1.run"
	pinion map -j1 "./nap$$-$BATS_TEST_NUMBER.bin {} # a line" ::: 1000 3>&- &
	local second=$!
	wait_until test -e "$folder/nap$$-$BATS_TEST_NUMBER-2.run"
	kill "$pid" "$second"
	wait "$second" || true
	ends_with 143
}

@test "a name that cannot be one is refused" {
	local bad
	for bad in '' -a .a a/b 'a b' abcdefghijklmnopqrstuvwxyz1234567; do
		run pinion map --name="$bad" echo ::: a
		assert_equal "$status" 2
		[[ $output == *--name* ]]
	done
}

@test "status --watch repaints on a terminal and ends with the run" {
	skip_if_instrumented
	start map -j1 "$await; : {}" ::: a
	TERM=xterm script -qfec "stty cols 60 rows 10; pinion status --watch $name" typescript \
		</dev/null >/dev/null 3>&- 4>&- &
	local watcher=$!
	wait_until grep -qE $'\033\\[[0-9]+A' typescript
	touch go
	ends_with 0
	wait "$watcher"
	# Every line is cleared to its end and none is wider than the terminal.
	(($(grep -cE $'^(command|tasks|state) .*\033\\[K' typescript) >= 6))
	run awk '{ gsub(/\033\[[0-9]*[A-Z]|\r/, ""); if (length($0) > 60 && !/^Script/) bad = 1 }
		END { exit bad }' typescript
	assert_equal "$status" 0
}

@test "status --watch into a file is a line each time" {
	start map -j1 "$await; : {}" ::: a
	pinion status --watch "$name" >watched 3>&- &
	local watcher=$!
	wait_until test -s watched
	touch go
	ends_with 0
	wait "$watcher"
	assert_equal "$(grep -c '^NAME' watched)" 1
	grep -qE "^$name +$pid +running " watched
	run ! grep -q $'\033' watched
}

# --- ctl ---

# steer_many TRY: true if each request had its effect in time. It takes several processes to get to
# run, one after the other.
steer_many() {
	"$BATS_TEST_DIRNAME/steer-many" "$BATS_TEST_TMPDIR/many.$1" >report."$1" || return 1
	cat report."$1"
	[[ $(wc -l <report."$1") -eq 7 ]] && awk '$2 > 100 + 4 * $3 { exit 1 }' report."$1"
}

@test "10,000 short tasks: each request has its effect within 100 ms, and none is lost" {
	skip_if_instrumented 'times mean nothing'
	steer_many 1 || steer_many 2 || steer_many 3 # a busy machine is late now and then
	run ! grep '^wrong' report.*
}

@test "cancel TASK ends the tree of that task, and no other" {
	start map -j2 "sleep 1000 & if [ {} = a ]; then wait; else kill \$!; $await; fi" ::: a b
	wait_until field_is "r['tasks']['running']" 2
	run pinion ctl "$name" cancel 1
	assert_equal "$output" "$name: task 1 is cancelled"
	wait_until field_is "r['tasks']['cancelled'], r['tasks']['running']" '(1, 1)'
	run pinion ctl "$name" cancel 1
	assert_equal "$status" 1
	assert_equal "$output" "pinion ctl: $name: task 1 has ended, or there is none"
	touch go
	ends_with 1
	grep -qx 'pinion map: 1 of 2 tasks cancelled' messages
}

@test "cancel without a task ends those that run, and the others have their turn" {
	start map -j2 'if [ {} -le 2 ]; then sleep 1000; else echo {}; fi' ::: 1 2 3 4
	wait_until field_is "r['tasks']['running']" 2
	run pinion ctl "$name" cancel
	assert_equal "$output" "$name: tasks cancelled: 2"
	ends_with 1
	assert_equal "$(<out)" $'3\n4'
}

@test "a cancelled task counts in the status of parallel" {
	start parallel 'sleep 1000; : {}' ::: a
	pinion ctl "$name" cancel
	ends_with 1
}

@test "a task that is deaf to TERM is cancelled all the same" {
	start map -j1 --termseq TERM,100,KILL,25 \
		'trap "" TERM; echo >started; while :; do sleep 0.05; done; : {}' ::: a
	wait_until test -e started
	pinion ctl "$name" cancel 1
	ends_with 1
	grep -q '1 of 1 tasks\? cancelled' messages
}

@test "pause holds what is in a chunk already; resume goes on with it, in order" {
	seq 2000 >numbers
	start feed -j2 --chunksize 30 sh -c 'while read -r n; do [ -e fast ] || sleep 0.02; echo "$n"; done' <numbers
	run pinion ctl "$name" pause
	assert_equal "$output" "$name: paused; what runs goes on"
	wait_until nothing_moves
	field_is "r['state']" paused
	# Stopped and continued, it is still paused.
	kill -TSTP "$pid"
	wait_until grep -q '^State:.T' "/proc/$pid/status"
	kill -CONT "$pid"
	wait_until field_is "r['state']" paused
	nothing_moves
	(($(field "r['tasks']['done']") < 2000))
	touch fast
	pinion ctl "$name" resume
	ends_with 0
	assert_same_bytes out numbers
}

@test "a task that waits in a worker's chunk can be cancelled, and is not started" {
	seq 60 >numbers
	start feed -j1 --chunksize 60 sh -c 'while read -r n; do echo "$n" >>seen
		until [ "$n" -lt 9 ] || [ -e go ]; do sleep 0.02; done; echo "$n"; done' <numbers
	wait_until grep -qsx 9 seen
	pinion ctl "$name" cancel 60
	pinion ctl "$name" cancel 50
	touch go
	ends_with 1
	assert_equal "$(sort -n seen | uniq)" "$(seq 60 | grep -vx -e 50 -e 60)"
	assert_equal "$(<out)" "$(seq 60 | grep -vx -e 50 -e 60)"
	grep -qx 'pinion feed: 2 of 60 tasks cancelled' messages
}

@test "a call in the middle of a chunk can be cancelled, and costs no other" {
	local faults=$PINION_BUILD/plugins/faults.so symbol
	{
		seq 5
		echo hang
		seq 7 20
	} >inputs
	# Called one by one, and all 20 at once.
	for symbol in '' :chunked; do
		start call -j1 --chunksize 20 "$faults$symbol" <inputs
		wait_until field_is "[w.get('seq', 0) > 0 for w in r['workers']]" '[True]'
		pinion ctl "$name" cancel 6
		ends_with 1
		grep -qx 'pinion call: 1 of 20 tasks cancelled' messages
		assert_equal "$(<out)" "$(seq 20 | grep -vx 6)"
	done
}

@test "fewer jobs: a worker too many finishes what it has, and no task is lost" {
	start map -j3 "$await; echo {}" ::: 1 2 3 4 5 6
	wait_until field_is "r['tasks']['running']" 3
	run pinion ctl "$name" jobs 1
	assert_equal "$output" "$name: 1 at once from now on"
	field_is "r['tasks']['running']" 3
	touch go
	ends_with 0
	assert_equal "$(<out)" "$(seq 6)"
}

@test "drain of a run that still waits for input is no success" {
	mkfifo input
	exec 7<>input
	start map -j1 'echo {}' <input
	echo a >&7
	wait_until [ -s out ]
	pinion ctl "$name" drain
	ends_with 1
	assert_equal "$(<out)" a
	grep -qx 'pinion map: the rest of the input was not read' messages
	exec 7>&-
}

@test "drain ends a run that is paused, too, and what ran has its end" {
	start map -j1 --run-file run.db "$await; echo {}" ::: 1 2 3
	wait_until field_is "r['tasks']['running']" 1
	pinion ctl "$name" pause
	pinion ctl "$name" drain
	run pinion ctl "$name" resume
	assert_equal "$status" 1
	assert_equal "$output" "pinion ctl: $name: the run is ending"
	touch go
	ends_with 1
	assert_equal "$(<out)" 1
	assert_equal "$(<messages)" $'pinion map: 2 of 3 tasks never started\npinion map: ended early: pinion ctl asked to drain it'
	assert_equal "$(sqlite3 run.db 'SELECT outcome, exit FROM run')" 'drained|1'
	pinion report run.db | grep -q 'ended early by pinion ctl'
}

@test "a job of several stages is one run: shown together, paused together, each task by its stage" {
	cat >job.json <<-END
		{"name": "$name", "inputs": {"args": ["a", "b", "c"]}, "stages": [
			{"command": "echo {}", "workers": 1},
			{"command": ["sh", "-c", "$await; echo \$0", "{}"], "workers": 2}]}
	END
	pinion run job.json >out 2>messages 3>&- &
	pid=$!
	wait_until field_is "[s['tasks']['running'] for s in r['stages']]" '[0, 2]'
	assert_equal "$(field "sorted((w['stage'], w['seq'], w['args']) for w in r['workers'] if 'seq' in w)")" \
		"[(2, 1, ['a']), (2, 2, ['b'])]"
	pinion status "$name" | grep -qE ' 2:1 +[0-9]+s  a$'
	run pinion ctl "$name" cancel 1
	assert_equal "$output" "pinion ctl: $name: there are 2 stages: write STAGE:TASK, such as 1:1"
	run pinion ctl "$name" cancel 3:1
	assert_equal "$output" "pinion ctl: $name: there is no stage 3"
	pinion ctl "$name" pause
	assert_equal "$(pinion ctl "$name" cancel 2:3)" "$name: task 2:3 is cancelled"
	pinion ctl "$name" cancel 2:1
	touch go
	wait_until field_is "[r['tasks']['running'], r['state']]" "[0, 'paused']"
	pinion ctl "$name" resume
	ends_with 1
	assert_equal "$(<out)" b
}

@test "stop ends a run as TERM does" {
	start map -j2 'sleep 1000; : {}' ::: a b c
	run pinion ctl "$name" stop
	assert_equal "$output" "$name: is ending its tasks"
	ends_with 143
	grep -q '2 of 3 tasks cancelled' messages
}

@test "ctl says in one line what it cannot do" {
	local case
	for case in '2 ' '2 a' '2 a dance' '2 a jobs' '2 a jobs 0' '2 a jobs x' '2 a pause 1' \
		'2 a cancel 0' '2 a cancel 1 2' '2 --dance a pause' "1 $name pause"; do
		# shellcheck disable=SC2086  # words
		run --separate-stderr pinion ctl ${case#* }
		assert_equal "$status" "${case%% *}"
		assert_equal "$output" ''
		[[ $stderr == 'pinion ctl: '* && $stderr != *$'\n'* ]]
	done
}

@test "ctl gives up on a run that is stopped" {
	start map -j1 'sleep 1000; : {}' ::: a
	kill -STOP "$pid"
	run pinion ctl "$name" pause
	assert_equal "$status" 1
	assert_equal "$output" "pinion ctl: $name (pid $pid) does not answer; it may do this yet, once it goes on"
	run pinion status
	[[ $output == *"$name"*'no answer'* ]]
	kill -CONT "$pid"
	[[ $(pinion status "$name") == *'paused'* ]]
	kill "$pid"
	ends_with 143
}

# --- the socket ---

@test "a run that is over soon makes no socket, nor looks for a place" {
	needs_strace
	makes_none() {
		strace -f -o trace pinion map echo ::: a b c
		! grep -qE 'AF_UNIX|pinion-[0-9]+"|runtime' trace
	}
	wait_until makes_none # on a busy machine it may take longer than that
}

# None of its workers can clean up behind it.
kill_with_workers() {
	local workers
	mapfile -t workers < <(pgrep -P "$pid")
	kill -STOP "$pid"
	kill -KILL "${workers[@]}" "$pid"
	wait "$pid" || true
}

@test "the workers of a run that is killed remove what it cannot" {
	start map -j2 'sleep 1000; : {}' ::: a b
	kill -KILL "$pid"
	wait "$pid" || true
	assert_nothing_left
	assert_equal "$(ls -A "$XDG_RUNTIME_DIR")" ''
}

@test "what a killed run leaves is removed by the next that looks" {
	start map -j1 sleep ::: 1000
	kill_with_workers
	[[ -S $folder/$name.run ]]
	run pinion ctl "$name" pause
	assert_equal "$status" 1
	assert_equal "$(ls -A "$XDG_RUNTIME_DIR")" ''
	start map -j1 sleep ::: 1000
	kill_with_workers
	# Or by the next run of that name.
	start map -j1 'sleep 1000; : {}' ::: a
	wait_until field_is "r['pid']" "$pid"
	kill "$pid"
	ends_with 143
}

@test "without XDG_RUNTIME_DIR, as from cron, a run can be steered, too" {
	local kept=$XDG_RUNTIME_DIR
	env -i PATH="$PATH" PINION_TEST_MARK="$PINION_TEST_MARK" pinion map --name "$name" -j1 'sleep 1000; : {}' ::: a \
		2>messages 3>&- &
	pid=$!
	unset XDG_RUNTIME_DIR
	wait_until count_names
	# It is found whatever the environment of who looks for it.
	export XDG_RUNTIME_DIR=$kept
	pinion ctl "$name" stop
	local result=0
	wait "$pid" || result=$?
	assert_equal "$result" 143
	run pinion status "$name"
	assert_equal "$status" 1
}

@test "another user can neither see nor steer a run" {
	((EUID == 0)) || skip 'there is no other user to be'
	local bin
	bin=$(mktemp -d /tmp/pinion-test-XXXXXX)
	cp "$(type -P pinion)" "$bin/pinion"
	chmod 0755 "$bin"
	start map -j1 'sleep 1000; : {}' ::: a
	run setpriv --reuid 65534 --clear-groups env XDG_RUNTIME_DIR="$XDG_RUNTIME_DIR" \
		"$bin/pinion" ctl "$name" stop
	rm -r "$bin"
	assert_equal "$status" 1
	assert_equal "$output" "pinion ctl: no run of yours is called $name now; pinion status has those there are"
	field_is "r['state']" running
	kill "$pid"
	ends_with 143
}

@test "status --names goes without --watch and --json" {
	local option
	for option in --watch --json; do
		run -2 pinion status --names $option
		assert_equal "$output" 'pinion status: --names goes without --watch and --json: leave one out'
	done
}

@test "bash completes the names of runs, and what they can be told" {
	start map -j1 'sleep 1000; : {}' ::: a
	complete_words() {
		bash -c 'source <(pinion completion bash)
			compopt() { :; }
			COMP_WORDS=("$@") COMP_CWORD=$(($# - 1))
			_pinion && printf "%s\n" "${COMPREPLY[@]}"' bash "$@"
	}
	assert_equal "$(complete_words pinion status "${name:0:-1}" | grep -x -- "$name")" "$name"
	assert_equal "$(complete_words pinion ctl "$name")" "$name"
	assert_equal "$(complete_words pinion ctl "$name" p)" pause
	assert_equal "$(complete_words pinion ctl "$name" pause p)" ''
	kill "$pid"
	ends_with 143
}
