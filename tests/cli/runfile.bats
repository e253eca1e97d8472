# --run-file: what is in it, going on with it, and all that may be wrong with a file.
# shellcheck shell=bats
# shellcheck disable=SC2154  # bats sets output, stderr and status

load helper

sql() {
	sqlite3 -cmd '.timeout 5000' run.db "$@"
}

assert_sound() {
	assert_equal "$(sql 'PRAGMA integrity_check')" ok
}

# refused STATUS TEXT ARGUMENTS...: one line that holds TEXT, and nothing was run.
refused() {
	local expected=$1 text=$2
	shift 2
	run --separate-stderr timeout 30 pinion "$@"
	assert_equal "$status" "$expected"
	[[ $stderr == *"$text"* ]] || {
		echo "not '$text': $stderr" >&2
		return 1
	}
	assert_equal "$(wc -l <<<"$stderr")" 1
	assert_equal "$output" ''
}

@test "a run and its tasks are in the file, which is one when it has ended" {
	status=0
	TZ=UTC pinion map -j2 --quiet --run-file run.db 'echo out {}; echo err >&2; exit {}' ::: 0 3 >/dev/null 2>&1 || status=$?
	assert_equal "$status" 1
	assert_equal "$(echo run.db*)" run.db
	assert_equal "$(stat -c %a run.db)" 600
	assert_sound
	assert_equal "$(sql 'SELECT verb, outcome, exit, worker_count, passed_count FROM run')" 'map|complete|1|2|0'
	assert_equal "$(sql 'SELECT seq, reason, exit, inputs, stdout_bytes, stdout, stderr FROM task ORDER BY seq' | tr '\n' ' ')" \
		'0|exit|0|["0"]|6|out 0 |err  1|exit|3|["3"]|6|out 3 |err  '
	assert_equal "$(sql "SELECT argv ->> 2 FROM task WHERE seq = 1")" 'echo out 3; echo err >&2; exit 3'
	assert_equal "$(sql 'SELECT count(*) FROM task JOIN run ON run.id = run_id
		WHERE task.started_ns BETWEEN run.started_ns AND ended_ns AND wall_ns > 0 AND maxrss_bytes > 0')" 2
}

@test "a second run is added, and readers see the first meanwhile" {
	pinion map --run-file run.db echo ::: a b >/dev/null
	mkfifo go
	pinion map --run-file run.db 'cat go; echo {}' ::: c >/dev/null 3>&- &
	wait_until eval '[[ $(sql "SELECT count(*) FROM run") == 2 ]]'
	assert_equal "$(sql 'SELECT count(*) FROM task')" 2
	echo >go
	wait $!
	assert_equal "$(sql 'SELECT group_concat(inputs) FROM task ORDER BY id')" '["a"],["b"],["c"]'
	assert_sound
}

@test "tasks are there for readers while the run goes on" {
	mkfifo input
	exec 4<>input
	pinion map --run-file run.db echo <input >/dev/null 3>&- 4>&- &
	local pid=$!
	echo a >&4
	wait_until eval '[[ $(sql "SELECT inputs FROM task") == "[\"a\"]" ]]'
	kill "$pid"
	wait "$pid" || true
	exec 4>&-
	assert_equal "$(sql 'SELECT outcome, exit FROM run')" 'signal|143'
}

@test "a reader in the middle of its work holds nothing up" {
	pinion map --run-file run.db echo ::: $(seq 100) >/dev/null
	mkfifo commands
	sqlite3 run.db <commands >reader 3>&- &
	exec 4>commands
	echo 'BEGIN; SELECT count(*) FROM task;' >&4
	wait_until grep -q 100 reader
	timeout 60 pinion map --run-file run.db echo ::: $(seq 2000) >/dev/null
	echo 'SELECT count(*) FROM task; COMMIT; SELECT count(*) FROM task;' >&4
	exec 4>&-
	wait $!
	assert_equal "$(tr '\n' ' ' <reader)" '100 100 2100 '
	assert_sound
}

@test "bytes that are not text are kept as they are" {
	printf 'a\xff\0b\nc' >binary
	pinion map --run-file run.db 'cat binary; : {}' ::: $'x\xffy' >/dev/null
	assert_equal "$(sql 'SELECT hex(stdout), typeof(inputs), hex(inputs) FROM task')" '61FF00620A63|blob|0300000078FF79'
}

@test "long output of both streams is kept to the byte" {
	seq 300000 >long
	pinion map -j2 --run-file run.db 'cat long; cat long >&2; : {}' ::: 1 2 >/dev/null 2>&1
	for id in 1 2; do
		for stream in 1 2; do
			sql "SELECT hex(bytes) FROM output WHERE task_id = (SELECT id FROM task WHERE seq = $id - 1) AND stream = $stream ORDER BY id" |
				tr -d '\n' | sed 's/../\\x&/g' >hex
			printf '%b' "$(cat hex)" | cmp - long
		done
	done
}

@test "a task that does not make its output has that as its end" {
	run --separate-stderr pinion map --run-file run.db --output made 'true {out}' ::: a
	assert_equal "$status" 1
	assert_equal "$(sql 'SELECT reason, exit FROM task')" 'no output|1'
}

@test "a retried task has the output of its last try only" {
	pinion map --run-file run.db --retries 2 \
		'head -c 400000 /dev/zero; [ $PINION_ATTEMPT = 2 ]; : {}; [ $PINION_ATTEMPT = 2 ] && echo second' ::: a >/dev/null
	assert_equal "$(sql 'SELECT attempts, exit, stdout_bytes FROM task')" '2|0|400007'
	assert_equal "$(sql 'SELECT sum(length(bytes)) FROM output')" 400007
}

@test "--resume runs what is not known, in a list of another order that has grown" {
	pinion map -j2 --quiet --run-file run.db 'echo {}; exit $(({} == 2))' ::: 1 2 3 >/dev/null || true
	run --separate-stderr pinion map --run-file run.db --resume 'echo {}; exit $(({} == 2))' ::: 5 3 2 1 4
	assert_equal "$output" $'5\n4'
	[[ $stderr == *'done before'* ]] || [[ -z $stderr ]]
	run --separate-stderr pinion map --quiet --run-file run.db --resume-failed 'echo {}; exit $(({} == 2))' ::: 5 3 2 1 4
	assert_equal "$output" 2
	assert_equal "$status" 1
	run --separate-stderr pinion map --quiet --run-file run.db --resume 'echo {}; exit $(({} == 2))' ::: 5 3 2 1 4
	assert_equal "$output" ''
	assert_equal "$status" 0
	assert_equal "$(sql 'SELECT id, resumes, resume_mode, passed_count FROM run' | tr '\n' ' ')" \
		'1|||0 2|1|rest|3 3|2|failed|4 4|3|rest|5 '
}

@test "--resume without a file yet runs everything" {
	run --separate-stderr pinion map --run-file run.db --resume echo ::: 1 2
	assert_equal "$output" $'1\n2'
	assert_equal "$status" 0
}

@test "equal inputs are tasks of their own" {
	pinion map --run-file run.db echo ::: a a b >/dev/null
	assert_equal "$(pinion map --quiet --run-file run.db --resume echo ::: b a a a)" a
	assert_equal "$(pinion map --quiet --run-file run.db --resume echo ::: a b a a)" ''
}

@test "--retry-failed runs what failed with the inputs of the record, in its place" {
	pinion map --quiet --run-file run.db 'test -e {} && echo {#} {}' ::: a b c d >/dev/null || true
	touch b d
	run --separate-stderr pinion map --run-file run.db --retry-failed 'test -e {} && echo {#} {}' </dev/null
	assert_equal "$output" $'2 b\n4 d'
	[[ $stderr == *'2 of 4 tasks failed'* ]]
	touch a c
	assert_equal "$(pinion map --quiet --run-file run.db --retry-failed 'test -e {} && echo {#} {}')" $'1 a\n3 c'
	assert_equal "$(pinion map --quiet --run-file run.db --retry-failed 'test -e {} && echo {#} {}')" ''
}

@test "--retry-failed knows the names of columns" {
	printf 'name,city\nAda,London\nEmmy,Erlangen\n' >people.csv
	pinion map --quiet --run-file run.db --colsep , --header : 'test -e {city} && echo {name} lives in {city}' :::: people.csv || true
	rm people.csv
	touch London
	run --separate-stderr pinion map --quiet --run-file run.db --colsep , --header : --retry-failed 'test -e {city} && echo {name} lives in {city}'
	assert_equal "$output" 'Ada lives in London'
	assert_equal "$(sql "SELECT names, column_count, argv ->> 2 FROM run JOIN task ON run_id = run.id AND run.id = 2 ORDER BY seq LIMIT 1")" \
		'["name","city"]|2|test -e London && echo Ada lives in London'
}

@test "feed and call are recorded and resumed, too" {
	seq 1000 >items
	pinion feed --run-file run.db -a items sed -u 's/$/!/' >all
	seq 1001 >longer
	assert_equal "$(pinion feed --quiet --run-file run.db --resume -a longer sed -u 's/$/!/')" '1001!'
	assert_equal "$(sql 'SELECT count(*), sum(argv IS NULL) FROM task')" '1001|1001'
	sql 'SELECT stdout FROM task WHERE run_id = 1 ORDER BY seq' | sed '/^$/d' | cmp - all
	pinion call --run-file call.db -a items "$PINION_BUILD/plugins/crc32.so" >all
	sqlite3 call.db 'SELECT stdout FROM task ORDER BY seq' | sed '/^$/d' | cmp - all
}

@test "another command is not resumed, and the file left alone" {
	pinion map --run-file run.db echo ::: a >/dev/null
	cp run.db before
	refused 2 'had another command' map --run-file run.db --resume echo x ::: a
	cmp run.db before
}

@test "--resume needs a record" {
	refused 2 'or --run-file FILE' map --resume echo ::: a
}

@test "--dry-run shows what would be run and writes nothing" {
	pinion map --run-file run.db echo ::: a >/dev/null
	cp run.db before
	assert_equal "$(pinion map --quiet --run-file run.db --resume --dry-run echo ::: a b)" 'echo b'
	cmp run.db before
	pinion map --run-file new.db --dry-run echo ::: a
	assert_equal "$(pinion map --run-file new.db --resume --dry-run echo ::: a)" 'echo a'
	[[ ! -e new.db ]]
	refused 3 'cannot open new.db' map --run-file new.db --retry-failed --dry-run echo
	[[ ! -e new.db ]]
}

@test "a file in use is refused, and by whom is said" {
	mkfifo go
	pinion map --run-file run.db 'cat go; : {}' ::: a 3>&- &
	local pid=$!
	wait_until test -e run.db
	wait_until eval '[[ $(sql "SELECT count(*) FROM run") == 1 ]]'
	refused 75 "run.db is in use by run $(sql 'SELECT name FROM run') (process $pid on host $(uname -n), since " \
		map --run-file run.db echo ::: b
	refused 255 'is in use by run' parallel --run-file run.db echo ::: b
	echo >go
	wait "$pid"
	pinion map --run-file run.db echo ::: b
	assert_equal "$(sql 'SELECT count(*) FROM run')" 2
}

@test "a lock goes with its holder" {
	pinion map --run-file run.db 'echo >started; sleep 1000; : {}' ::: a 3>&- &
	local pid=$!
	wait_until test -e started
	kill -KILL "$pid"
	wait "$pid" || true
	assert_equal "$(timeout 20 pinion map --run-file run.db echo ::: b)" b
	assert_nothing_left
}

@test "what is not ours is refused and left as it was" {
	echo 'my diary' >run.db
	refused 3 'run.db is not a run file' map --run-file run.db echo ::: a
	assert_equal "$(cat run.db)" 'my diary'
	rm run.db
	sqlite3 run.db 'CREATE TABLE task (id); INSERT INTO task VALUES (7)'
	refused 3 'run.db is not a run file' map --run-file run.db --resume echo ::: a
	assert_equal "$(sql 'SELECT * FROM task')" 7
	rm run.db
	ln -s elsewhere run.db
	refused 3 'run.db is a symbolic link' map --run-file run.db echo ::: a
	[[ ! -e elsewhere ]]
	refused 3 'Is a directory' map --run-file . echo ::: a
	refused 3 'cannot open nowhere/run.db' map --run-file nowhere/run.db echo ::: a
}

@test "a damaged file is an error, and never taken for an empty one" {
	pinion map --run-file run.db echo ::: $(seq 500) >/dev/null
	local size byte
	size=$(stat -c %s run.db)
	cp run.db whole
	for byte in 1 15 16 99 100 4095 4096 5000 $((size / 2)) $((size - 1)); do
		head -c "$byte" whole >run.db
		cp run.db before
		run --separate-stderr timeout 30 pinion map --run-file run.db --resume echo ::: $(seq 500)
		[[ $status == 3 ]] || {
			echo "cut to $byte bytes: status $status" >&2
			return 1
		}
		assert_equal "$(wc -l <<<"$stderr")" 1
		assert_equal "$output" ''
		cmp run.db before
	done
}

@test "numbers that no run has are refused or bounded, and end in time" {
	local seq slot patience_s=$((10 * $(slowness)))
	pinion map --quiet --run-file sound.db 'exit {}' ::: 0 1 || true
	odd() {
		cp sound.db run.db
		sqlite3 run.db "$1"
	}
	for seq in -1 1000000000000000 9223372036854775807 -9223372036854775808; do
		odd "UPDATE task SET seq = $seq WHERE exit = 1"
		run -3 --separate-stderr timeout "$patience_s" pinion map --run-file run.db --retry-failed 'exit {}'
		assert_equal "$stderr" "pinion map: run.db: a row has no sound seq: $seq"
		timeout "$patience_s" pinion report run.db >/dev/null
	done
	odd 'UPDATE task SET seq = 999999999999999 WHERE exit = 1'
	run -1 --separate-stderr timeout "$patience_s" pinion map --run-file run.db --retry-failed 'exit {}'
	[[ $stderr == *'task 1000000000000000: exit 1'* ]]
	for slot in -1 9223372036854775807; do
		odd "UPDATE task SET slot = $slot"
		timeout "$patience_s" pinion report --trace out run.db
		(($(stat -c %s out) < 20000000))
	done
	odd 'UPDATE run SET resumes = id'
	assert_equal "$(timeout "$patience_s" pinion map --quiet --run-file run.db --resume 'exit {}' ::: 0 1 2>&1)" ''
	timeout "$patience_s" pinion replay --failed run.db || (($? == 1))
	odd 'UPDATE task SET id = 9223372036854775000 + id; UPDATE run SET first_task_id = 1'
	run timeout "$patience_s" pinion map --run-file run.db --resume 'exit {}' ::: 0 1
	[[ $status == 0 && $output == *'2 of 2 tasks done before'* ]]
}

# flip FILE BYTE: all bits of one byte become the others.
flip() {
	local value
	value=$(od -An -tu1 -j "$2" -N 1 "$1")
	# shellcheck disable=SC2059  # made of digits alone
	printf "\\x$(printf %x $((255 - value)))" |
		dd of="$1" bs=1 seek="$2" conv=notrunc status=none
}

@test "a log that was cut off at any byte, or has a wrong one, loses its tail and nothing else" {
	mkfifo go
	local command='echo {}; [ {} != 20 ] || [ -e over ] || cat go' pid size byte runs=0
	pinion map -j1 --run-file run.db "$command" ::: $(seq 20) >/dev/null 3>&- &
	pid=$!
	wait_until eval '[[ $(sql "SELECT count(*) FROM task") == 19 ]]'
	mkdir copy
	cp run.db run.db-wal copy
	echo >go
	wait "$pid"
	: >over
	size=$(stat -c %s copy/run.db-wal)
	for ((byte = 0; byte < size; byte += 1 + size / ${PINION_STRESS:-20})); do
		rm -f run.db*
		cp copy/run.db .
		if ((runs++ % 2 == 0)); then
			head -c "$byte" copy/run.db-wal >run.db-wal
		else
			cp copy/run.db-wal .
			flip run.db-wal "$byte"
		fi
		timeout 30 pinion map --run-file run.db --resume "$command" ::: $(seq 20) >out 2>err || {
			echo "byte $byte: $(cat err)" >&2
			return 1
		}
		assert_sound
		assert_equal "$(sql 'SELECT count(DISTINCT seq), count(*) FROM task')" '20|20'
	done
	((runs > 10))
}

@test "a folder that cannot be written is an error" {
	[[ $(id -u) == 0 ]] || skip "only root mounts"
	mkdir fixed
	mount -t tmpfs -o size=2m none fixed 2>/dev/null || skip "cannot mount"
	pinion map --run-file fixed/run.db echo ::: a >/dev/null
	mount -o remount,ro fixed
	refused 3 'cannot open fixed/run.db: Read-only file system' map --run-file fixed/run.db echo ::: a
	refused 3 'cannot open fixed/new.db: Read-only file system' map --run-file fixed/new.db echo ::: a
	assert_equal "$(pinion replay fixed/run.db 1)" a
	umount fixed
}

@test "a full disk ends the run with an error, and what is recorded is sound" {
	[[ $(id -u) == 0 ]] || skip "only root mounts"
	mkdir small
	mount -t tmpfs -o size=1m none small 2>/dev/null || skip "cannot mount"
	status=0
	timeout 60 pinion map --run-file small/run.db 'head -c 100000 /dev/zero; : {}' ::: $(seq 1000) >/dev/null 2>err || status=$?
	assert_equal "$status" 3
	grep -q 'pinion map: small/run.db: .*disk is full' err
	assert_equal "$(grep -c 'small/run.db' err)" 1
	cp small/run.db* .
	umount small
	assert_sound
	local known
	known=$(sql 'SELECT count(*) FROM task')
	((known < 1000))
	timeout 60 pinion map --quiet --run-file run.db --resume 'head -c 100000 /dev/zero; : {}' ::: $(seq 1000) >/dev/null
	assert_equal "$(sql 'SELECT count(*), count(DISTINCT identity) FROM task')" '1000|1000'
	assert_equal "$(sql 'SELECT passed_count FROM run WHERE id = 2')" "$known"
}

@test "a limit on the size of files is such an error, too" {
	status=0
	(
		ulimit -f 4096
		timeout 60 pinion map --run-file run.db 'head -c 100000 /dev/zero; : {}' ::: $(seq 1000) >/dev/null 2>err
	) || status=$?
	assert_equal "$status" 3
	grep -q 'pinion map: run.db: ' err
	assert_sound
}

@test "a disk that fails when it is waited for is never a success" {
	skip_if_instrumented
	strace -f -o /dev/null true 2>/dev/null || skip 'strace is not there or may not be used'
	local n
	for ((n = 1; n < 50; n++)); do
		rm -f run.db*
		status=0
		strace -f -qq -o trace -e trace=fdatasync,fsync -e "inject=fdatasync,fsync:error=EIO:when=$n+" \
			pinion map --run-file run.db echo ::: a >out 2>err || status=$?
		grep -q INJECTED trace || break
		assert_equal "$n: $status" "$n: 3"
		assert_equal "$(wc -l <err)" 1
		grep -qE 'pinion map: .*run.db: (disk I|Input)/(O|output) error' err
	done
	((n > 3))
	assert_equal "$status" 0
}

@test "a write that fails, whichever, is never a success, and the next run goes on" {
	skip_if_instrumented
	strace -f -o /dev/null true 2>/dev/null || skip 'strace is not there or may not be used'
	local n
	for ((n = 1; n < 200; n += 1 + n / 5)); do
		rm -f run.db*
		status=0
		strace -f -qq -o trace -e trace=pwrite64 -e "inject=pwrite64:error=ENOSPC:when=$n+" \
			pinion map --run-file run.db echo ::: a b >out 2>err || status=$?
		grep -q INJECTED trace || break
		assert_equal "$n: $status" "$n: 3"
		assert_equal "$(wc -l <err)" 1
		pinion map --quiet --run-file run.db --resume echo ::: a b
		assert_sound
		assert_equal "$(sql 'SELECT count(*), count(DISTINCT identity) FROM task')" '2|2'
	done
	((n > 3))
	assert_equal "$status" 0
}

has_ended() {
	[[ $(cut -d ' ' -f 3 "/proc/$1/stat" 2>/dev/null) =~ ^Z?$ ]]
}

@test "a recorder that is killed ends the run with an error" {
	# Open for both: whether the task still reads it when the run has ended does not matter.
	mkfifo go
	exec 5<>go
	pinion map -j1 --run-file run.db '[ {} = b ] || read -r _ <go; echo {}' ::: a b 2>err 3>&- 5>&- &
	local pid=$! recorder
	wait_until eval '[[ $(sql "SELECT count(*) FROM run") == 1 ]]'
	recorder=$(ps -o pid=,sess= --ppid "$pid" | awk '$1 == $2 { print $1 }')
	kill -KILL "$recorder"
	wait_until has_ended "$recorder"
	echo >&5
	status=0
	wait "$pid" || status=$?
	exec 5>&-
	assert_equal "$status" 3
	grep -q 'run.db: the process that wrote it has died' err
	assert_nothing_left
}

@test "interrupted, the record says so and knows what had ended" {
	pinion map -j2 --run-file run.db 'case {} in 1) ;; *) echo >started; exec sleep 1000 ;; esac' ::: 1 2 3 2>/dev/null 3>&- &
	local pid=$!
	wait_until test -e started
	kill -TERM "$pid"
	status=0
	wait "$pid" || status=$?
	assert_equal "$status" 143
	assert_equal "$(sql 'SELECT outcome, exit FROM run')" 'signal|143'
	assert_equal "$(sql 'SELECT inputs ->> 0, reason FROM task ORDER BY seq' | head -n 2 | tr '\n' ' ')" '1|exit 2|cancelled '
	assert_nothing_left
}

@test "the memory of a run with a long output in its record is bounded" {
	skip_if_instrumented
	local rss
	pinion map --run-file run.db 'head -c 300M /dev/zero; : {}' ::: a 3>&- >/dev/null &
	local pid=$! most=0 child
	while kill -0 "$pid" 2>/dev/null; do
		for child in "$pid" $(ps -o pid= --ppid "$pid"); do
			rss=$(awk '/VmHWM/ { print $2 }' "/proc/$child/status" 2>/dev/null || true)
			((${rss:-0} <= most)) || most=$rss
		done
		env -u PINION_TEST_MARK sleep 0.05
	done
	wait "$pid"
	((most < 100000)) || {
		echo "$most KiB" >&2
		return 1
	}
	assert_equal "$(sql 'SELECT stdout_bytes, (SELECT sum(length(bytes)) FROM output) FROM task')" '314572800|314572800'
}

@test "a million calls are recorded, and resuming them starts within seconds in the memory of a set" {
	skip_if_instrumented
	seq 1000000 >items
	timeout 100 pinion call --run-file run.db -a items "$PINION_BUILD/plugins/crc32.so" >/dev/null
	assert_equal "$(sql 'SELECT count(*) FROM task')" 1000000
	echo 1000001 >>items
	timeout 60 bash -c 'pinion call --quiet --run-file run.db --resume -a items "$0"; grep VmHWM /proc/self/status >/dev/null' \
		"$PINION_BUILD/plugins/crc32.so" >out
	assert_equal "$(wc -l <out)" 1
	assert_equal "$(sql 'SELECT passed_count FROM run WHERE id = 2')" 1000000
	# From the beginning of the run to that of its first task.
	local ms
	ms=$(sql 'SELECT (task.started_ns - run.started_ns) / 1000000 FROM run JOIN task ON run_id = run.id WHERE run.id = 2')
	((ms < 20000))
}

# one_maps PID NAME: a child of it has a file of this name in its memory
one_maps() {
	local child
	for child in $(pgrep -P "$1"); do
		grep -qs "$2" "/proc/$child/maps" && return
	done
	return 1
}

@test "what another recorder makes at the same time is not made again" {
	pinion map --run-file other.db true ::: 1
	mkfifo order
	sqlite3 run.db <order >answers 2>&1 3>&- &
	local writer=$! pid
	exec {order_fd}>order
	echo "PRAGMA journal_mode = WAL; BEGIN IMMEDIATE; $(sqlite3 other.db .schema) SELECT 'begun';" >&"$order_fd"
	wait_until grep -q begun answers
	pinion map --run-file run.db true ::: 1 2>err 3>&- {order_fd}>&- &
	pid=$!
	wait_until one_maps "$pid" run.db-shm
	echo 'PRAGMA application_id = 1349086802; PRAGMA user_version = 3; COMMIT;' >&"$order_fd"
	exec {order_fd}>&-
	wait "$writer"
	wait "$pid"
	assert_equal "$(<err)" ''
	assert_equal "$(sql 'SELECT count(*) FROM run')" 1
}

@test "killed at random instants it is sound, and resumed to the end" {
	local rounds
	rounds=$(rounds 12)
	run timeout 280 "$BATS_TEST_DIRNAME/runfile-kill-random" "$rounds" "$PWD/rounds"
	assert_equal "$output" ''
	assert_equal "$status" 0
	assert_nothing_left
}

@test "without the option SQLite is not loaded, and with it only by the recorder" {
	skip_if_instrumented
	strace -f -o /dev/null true 2>/dev/null || skip 'strace is not there or may not be used'
	strace -f -qq -o trace -e trace=openat pinion map true ::: a
	assert_equal "$(grep -cE 'sqlite|libm\.so' trace)" 0
	strace -ff -qq -o traced -e trace=openat pinion map --run-file run.db true ::: a
	assert_equal "$(grep -l libsqlite3 traced.* | wc -l)" 1
}

@test "a task that does not make its output is recorded with that reason" {
	run timeout 60 pinion map --run-file run.db --output '{}.out' 'true {} {out}' ::: a
	assert_equal "$status" 1
	[[ $output != *'has died'* ]]
	assert_equal "$(sql 'SELECT reason, exit FROM task')" 'no output|1'
}
