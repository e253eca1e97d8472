# What a task costs: system calls, which are the same each time, and CPU time, which noise moves far
# less than it moves the clock. The bounds stand a little above what was measured (tests/bench/README
# has the figures): who goes beyond one has made every task dearer, and should have a reason.
# shellcheck shell=bats
# shellcheck disable=SC2154  # bats sets output, stderr and status
# shellcheck disable=SC2016  # the tasks' shell expands, not ours

load helper

setup_file() {
	[[ -z ${PINION_TEST_MODE-} ]] || return 0
	local root
	root=$(cd "$BATS_TEST_DIRNAME/../.." && pwd)
	make -s -C "$root" -j4 BUILD="$BATS_FILE_TMPDIR" CFLAGS=-O2 bench-programs
}

setup() {
	common_setup
	skip_if_instrumented
	bench=$BATS_FILE_TMPDIR/bench
}

# --- system calls ---

# trace TASKS ARGUMENTS...: runs pinion on so many numbers, the calls of each process into a file.
trace() {
	rm -rf trace
	mkdir trace
	seq "$1" | timeout 50 strace -qq -ff -o trace/of pinion "${@:2}" >out
}

# The file of the process that was there first.
coordinator() {
	awk 'FNR == 1 && /^execve/ { print FILENAME }' trace/of.*
}

# Those of what the coordinator started.
workers() {
	sed -nE 's/^(clone3?|v?fork)\(.* = ([0-9]+)$/trace\/of.\2/p' "$(coordinator)"
}

# Those of what the workers started.
tasks() {
	local files
	mapfile -t files < <(workers)
	sed -nE 's/^(clone3?|v?fork)\(.* = ([0-9]+)$/trace\/of.\2/p' "${files[@]}"
}

# A run that lives long enough has a socket (pinion-control(7)), made and removed once: of the two runs
# that are compared, the longer one may have it, and it is no cost of a task.
without_socket() {
	sed -e '/^geteuid()/,/LOCK_UN/d' -e '/^newfstatat(.*\.run"/,/^rmdir(/d'
}

count_lines() {
	local files
	mapfile -t files < <("$2")
	cat "${files[@]}" | without_socket | grep -cE "$1"
}

# A worker that has had something to say for a while, or has nothing to do, rings: it ends its
# wait and writes a byte. How many tasks that is for depends on how fast they are; so it is counted by
# itself.
count_rings() {
	count_lines '^write\([0-9]+, "\\0", 1\)' workers
}

# count_calls PROCESSES: without signals and ends, which are in the files, too; of workers without
# rings.
count_calls() {
	local calls
	calls=$(count_lines '^[a-z0-9_]+\(' "$1")
	if [[ $1 == workers ]]; then
		calls=$((calls - $(count_rings) -
			$(count_lines '^ppoll.* = 0 \(Timeout\)$' workers || true)))
	fi
	echo "$calls"
}

# count_all TASKS ARGUMENTS...: "calls of workers, calls of the coordinator, rings".
count_all() {
	trace "$@"
	echo "$(count_calls workers) $(count_calls coordinator) $(count_rings)"
}

# costs FEW MANY WORKER RING ARGUMENTS...: as costs_once, which a busy machine can only add to.
costs() {
	for _ in {1..8}; do
		costs_once "$@" && return
	done
	return 1
}

# costs_once FEW MANY WORKER RING ARGUMENTS...: the MANY - FEW tasks that a second run has more cost its
# one worker at most WORKER calls each, and the coordinator at most RING for each ring.
costs_once() {
	local few many
	few=$(count_all "$1" "${@:5}")
	many=$(count_all "$2" "${@:5}")
	awk -v tasks=$(($2 - $1)) -v worker="$3" -v ring="$4" '
		NR == 1 { few_worker = $1; few_coordinator = $2; few_rings = $3 }
		NR == 2 {
			of_worker = ($1 - few_worker) / tasks
			rings = $3 - few_rings
			of_ring = rings > 0 ? ($2 - few_coordinator) / rings : 0
			printf "worker: %.4f a task, at most %s; coordinator: %.2f a ring, at most %s\n", \
				of_worker, worker, of_ring, ring
			exit !(of_worker <= worker && of_worker > 0 && of_ring <= ring)
		}' <<<"$few"$'\n'"$many"
}

@test "system calls of a command: 7 in its worker, 2 of the coordinator for each time it is told" {
	# clone; ppoll, sigreturn, wait4; a look into each pipe; wait4, for what it left behind.
	# The coordinator: epoll_wait, read.
	costs 50 200 7.2 2.3 map -j1 true
}

@test "system calls of a command that prints: two more to take it, one to write what has come" {
	# The more: ppoll, read. The coordinator: writev.
	costs 50 200 9.2 3.3 map -j1 /bin/echo
}

@test "system calls of a line for the shell are those of a command" {
	costs 50 200 9.2 3.3 map -j1 'echo $(({} + 1))'
}

@test "system calls of a command whose output is not captured: no looks into pipes" {
	costs 50 200 5.2 2.3 map -j1 -u true
}

@test "system calls of a process on its way to be a command: 7" {
	# setpgid, prctl, getppid, two sigaction, sigprocmask, execve.
	trace 20 map -j1 true
	local files file
	mapfile -t files < <(tasks)
	assert_equal "${#files[@]}" 20
	for file in "${files[@]}"; do
		assert_equal "$(sed '/^execve(/q' "$file" | wc -l)" 7
	done
}

@test "system calls of a line that is fed: write, read" {
	# And some for a chunk of lines: it waits for the answers without a look at anything else. The
	# coordinator wakes the worker that waits.
	costs 500 2500 2.4 4.5 feed -j1 cat
}

@test "system calls of lines fed 256 at a time: a fiftieth each" {
	costs 1000 21000 0.02 4.5 feed -j1 --inflight 256 cat
}

@test "system calls of a call: next to none" {
	# A sleep when the queue is empty, for some chunk or other of hundreds of tasks; the
	# coordinator reads, writes, wakes.
	costs 1000 101000 0.005 6 call -j1 "$PINION_BUILD/plugins/crc32.so"
}

@test "the coordinator is told of results at most once in 10 ms by each worker" {
	# strace looks at the coordinator alone: the workers go at full speed.
	local begin_us end_us turns
	begin_us=${EPOCHREALTIME/./}
	seq 1000 | timeout 50 strace -qq -e trace=epoll_wait,epoll_pwait -o turns pinion map -j2 true
	end_us=${EPOCHREALTIME/./}
	turns=$(grep -c '^epoll' turns)
	# Start and end of the workers, and the time the start takes, are some turns of their own.
	echo "$turns turns in $((end_us - begin_us)) us"
	((turns <= 2 * (end_us - begin_us) / 10000 + 50))
}

# --- CPU time ---

# run_timed NAME COMMAND...: five times with the file in; what timed.c wrote into the file NAME.
run_timed() {
	local i
	for ((i = 0; i < 5; i++)); do
		"$bench/timed" 50 times "${@:2}" <in
		cat times >>"$1"
	done
}

# least FIGURE NAME: cpu_s or own_s of the best run.
least() {
	local -A columns=([cpu_s]=2 [own_s]=3)
	cut -d ' ' -f "${columns[$1]}" "$2" | sort -g | head -n 1
}

# at_most VALUE FACTOR OTHER
at_most() {
	awk -v value="$1" -v factor="$2" -v other="$3" 'BEGIN {
		printf "%s is %.4f of %s, at most %s\n", value, value / other, other, factor
		exit !(value > 0 && value <= factor * other)
	}'
}

@test "the coordinator takes under 3% of the CPU time of a run of commands" {
	seq 2000 >in
	run_timed pinion pinion map true
	at_most "$(least own_s pinion)" 0.03 "$(least cpu_s pinion)"
}

# compare_with_limit COUNT AT_MOST PROGRAM: to start it and wait for it, in processes that are
# pinned as workers are.
compare_with_limit() {
	local jobs
	jobs=$(nproc)
	seq "$1" >in
	run_timed pinion pinion map -j "$jobs" "$3" {}
	run_timed limit "$bench/limit_spawn" "$1" "$jobs" "$3"
	at_most "$(least cpu_s pinion)" "$2" "$(least cpu_s limit)"
}

@test "a command costs hardly more CPU time than to start it and wait for it" {
	compare_with_limit 1000 1.12 "$(type -P true)" # measured: 1.03
}

@test "what is done for a command costs less than half of the least process there can be" {
	compare_with_limit 3000 1.5 "$bench/nothing" # measured: 1.2
}

@test "a hundred thousand JSON lines: the first task runs at once, and 200,000 are read in a second" {
	local script='{"id": &, "k": "file-&.txt"}' calls=("pinion" call --jsonl in "$PINION_BUILD/plugins/crc32.so")
	seq 100000 | sed "s/.*/$script/" >in
	# With what the calls themselves cost: measured 0.17 s.
	run_timed lines "${calls[@]}" >/dev/null
	at_most "$(least cpu_s lines)" 1 0.5
	# With its start and its end, and long before the others are read: measured 0.01 s.
	run_timed first pinion map --jsonl in -j2 --halt now,success=1 --quiet 'echo {k}' >/dev/null
	at_most "$(least cpu_s first)" 1 0.05
}

# --- cost and size ---

# measure AXIS [NAME=VALUE...]: three rounds of it, or what there is time for.
measure() {
	local build=$BATS_TEST_TMPDIR/build
	mkdir "$build"
	ln -s "$bench" "$build/bench"
	ln -s "$(type -P pinion)" "$build/pinion"
	ln -s "$PINION_BUILD/plugins" "$build/plugins"
	timeout 55 env PINION_BUILD="$build" AXIS="$1" ROUNDS=3 "${@:2}" "$root/tests/bench/run"
	json=$build/bench.json
}

# best CONTENDER: its best round.
best() {
	python3 -c 'import json, sys
[axis] = json.load(open(sys.argv[1]))["axes"]
print(*[x["min"] for x in axis["contenders"] if x["name"] == sys.argv[2]])' "$json" "$1"
}

@test "a call costs no more CPU time in a million than in a hundred thousand" {
	measure scaling-call QUICK=1
	at_most "$(best pinion_most)" 1.3 "$(best pinion_more)"
}

@test "a command costs no more CPU time in eight thousand than in a thousand" {
	measure scaling-spawn QUICK=1
	at_most "$(best pinion_most)" 1.3 "$(best pinion_more)"
}

@test "a call costs no more CPU time for the number of workers" {
	# Four times as many as there are CPUs for: they change places, and each has its start.
	measure scaling-workers
	at_most "$(best pinion_16)" 1.6 "$(best pinion_4)"
	at_most "$(best pinion_64)" 2 "$(best pinion_4)"
}

@test "a command costs no more CPU time for the number of workers" {
	# More than cores are not bound to any, which costs a fifth on a quiet machine.
	measure scaling-workers-spawn QUICK=1
	at_most "$(best pinion_64)" 1.6 "$(best pinion_4)"
}

@test "a command costs no more CPU time after half a gigabyte of output" {
	measure scaling-bytes COUNT=5000
	at_most "$(best pinion_many)" 1.3 "$(best pinion_none)"
}
