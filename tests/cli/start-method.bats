# --start-method: three ways to make a worker, and no difference to its tasks.
# shellcheck shell=bats
# shellcheck disable=SC2154  # bats sets output, stderr and status
# shellcheck disable=SC2016  # the tasks' shell expands, not ours

load helper

methods=(fork spawn forkserver)
# What /proc/self/exe leads to is valgrind then.
[[ ${PINION_TEST_MODE-} != valgrind ]] || methods=(fork forkserver)

skip_without_spawn() {
	[[ " ${methods[*]} " == *' spawn '* ]] || skip "valgrind's own program would be executed"
}

# with METHOD ARGUMENTS...: pinion map, bounded in time.
with() {
	local method=$1
	shift
	run --separate-stderr timeout $((30 * $(slowness))) pinion map --start-method "$method" "$@"
}

# start ARGUMENTS...: pinion map in the background, its id in pid.
start() {
	env --default-signal pinion map "$@" <&0 3>&- 4>&- &
	pid=$!
}

is_gone() {
	! kill -0 "$pid" 2>/dev/null
}

exist() {
	local file
	for file; do
		[[ -e $file ]] || return 1
	done
}

children_of() {
	cat "/proc/$1"/task/*/children
}

# The child of the coordinator that is there besides its workers, when a task has written its PPID
# into worker.NAME.
server_of() {
	children_of "$1" | tr ' ' '\n' | grep -vxFf <(cat worker.*; echo) || true
}

# --- what is the same ---

@test "each method gives the same output in the same order" {
	local method
	for method in "${methods[@]}"; do
		with "$method" -j3 'echo {}; echo {} >&2' ::: $(seq 200)
		assert_equal "$status" 0
		assert_equal "$output" "$(seq 200)"
		assert_equal "$stderr" "$(seq 200)"
	done
}

@test "inputs come from stdin, a file or the command line" {
	local method
	seq 5 >items
	for method in "${methods[@]}"; do
		with "$method" -j2 echo < <(seq 5)
		assert_equal "$output" "$(seq 5)"
		with "$method" -j2 -a items echo
		assert_equal "$output" "$(seq 5)"
		with "$method" -j2 echo ::: 1 2 3 4 5
		assert_equal "$output" "$(seq 5)"
	done
}

@test "column names come from the input, which a fresh process has not read" {
	local method
	for method in "${methods[@]}"; do
		with "$method" -j2 --header : --colsep , --tagstring '{to}' echo '{from}-{to} {1}' \
			< <(printf 'from,to\na,b\nc,d\n')
		assert_equal "$status" 0
		assert_equal "$output" $'b\ta-b a\nd\tc-d c'
	done
}

@test "values of any bytes and of any length arrive" {
	local method
	head -c 3000000 /dev/zero | tr '\0' x >long
	printf 'a b\0$x "\n\0\303(' >odd
	for method in "${methods[@]}"; do
		pinion map --start-method "$method" -0 -a odd printf '%s.' {} >got
		assert_equal "$(od -c got)" "$(printf 'a b.$x "\n.\303(.' | od -c)"
		pinion feed --start-method "$method" -a long cat >got
		assert_same_bytes got <(cat long; echo)
	done
}

@test "failures are the same, and the exit status" {
	local method first
	for method in "${methods[@]}"; do
		with "$method" -j1 '[ {} != 3 ] || exit 7; [ {} != 4 ] || kill -9 $$; echo {}' ::: 1 2 3 4 5
		assert_equal "$status" 1
		assert_equal "$output" $'1\n2\n5'
		: "${first:=$stderr}"
		assert_equal "$stderr" "$first"
		[[ $stderr == *'2 of 5 tasks failed'* ]]
	done
}

@test "retries, timeouts and --halt work" {
	local method
	for method in "${methods[@]}"; do
		with "$method" -j2 --retries 2 '[ $PINION_ATTEMPT = 2 ] && echo {}' ::: a b
		assert_equal "$output$status" $'a\nb0'
		with "$method" -j2 --timeout 0.2 'sleep 100; : {}' ::: a
		assert_equal "$status" 1
		[[ $stderr == *'1 timed out'* ]]
		with "$method" -j1 --halt now,fail=1 'echo {}; [ {} != 2 ]' ::: 1 2 3
		assert_equal "$status" 1
		assert_equal "$output" $'1\n2'
	done
}

@test "tasks see the same environment, folder, limits, signals and descriptors" {
	skip_if_instrumented # valgrind has descriptors of its own
	local method look
	# What differs from process to process is left out.
	look='env | grep -Ev "^(PINION_RUN|PARALLEL_PID|PINION_WORKER|_)=" | sort; pwd; ulimit -a;
		grep -E "^(Sig[BI]|Cpus_allowed_list|Umask)" /proc/self/status; ls -l /proc/self/fd |
		sed -n "s/.* \([0-9]*\) -> \([^:]*\).*/\1 \2/p" | grep -v /proc/; : {}'
	with fork -j1 "$look" ::: a
	assert_equal "$status" 0
	[[ $output == *PINION_TEST_MARK*SigBlk*Cpus_allowed_list* ]]
	local expected=$output
	for method in "${methods[@]:1}"; do
		with "$method" -j1 "$look" ::: a
		assert_equal "$output" "$expected"
	done
}

@test "ignored signals stay ignored" {
	local method
	for method in "${methods[@]}"; do
		(
			trap '' USR2 PIPE
			pinion map --start-method "$method" 'grep SigIgn /proc/self/status; : {}' ::: a >"ignored.$method"
		)
	done
	for method in "${methods[@]:1}"; do
		assert_same_bytes "ignored.$method" ignored.fork
	done
	run ! grep -q '0000000000000000$' ignored.fork
}

@test "tasks run in --wd, also when it is relative" {
	local method
	mkdir -p sub/deeper
	for method in "${methods[@]}"; do
		with "$method" --wd sub -j2 --maxtasksperchild 1 'cd deeper && pwd; : {}' ::: a b
		assert_equal "$output" "$PWD/sub/deeper"$'\n'"$PWD/sub/deeper"
	done
}

@test "an initializer runs in each worker" {
	local method
	for method in "${methods[@]}"; do
		rm -f inits
		with "$method" -j1 --maxtasksperchild 2 --initializer 'echo x >>inits; export FOO=bar' 'echo $FOO {}' ::: 1 2 3 4
		assert_equal "$output" $'bar 1\nbar 2\nbar 3\nbar 4'
		assert_equal "$(wc -l <inits)" 2
	done
}

@test "workers are bound to the same places" {
	local method expected look
	# Both are there before either ends: who is left alone does not stay in its place.
	look='echo $PINION_SLOT $OMP_NUM_THREADS $(grep Cpus_allowed_list /proc/self/status); mkdir here.{}
		until [ -e here.1 ] && [ -e here.2 ]; do sleep 0.01; done'
	with fork -j2 --bind core "$look" ::: 1 2
	expected=$(sort -u <<<"$output")
	assert_equal "$(wc -l <<<"$expected")" 2
	for method in "${methods[@]:1}"; do
		rmdir here.*
		with "$method" -j2 --bind core "$look" ::: 1 2
		assert_equal "$(sort -u <<<"$output")" "$expected"
	done
}

@test "feed works with each method" {
	local method
	for method in "${methods[@]}"; do
		run timeout $((30 * $(slowness))) pinion feed --start-method "$method" -j2 --maxtasksperchild 3 \
			sh -c 'while read -r x; do echo $((x * 2)); done' ::: $(seq 20)
		assert_equal "$status" 0
		assert_equal "$output" "$(seq 2 2 40)"
	done
}

@test "parallel works with each method, and gives the first task its stdin" {
	local method
	printf 'a\nb\n' >items
	for method in "${methods[@]}"; do
		assert_equal "$(echo in | PARALLEL='-k' pinion parallel --start-method "$method" -a items -j1 \
			'cat; echo {}')" $'in\na\nb'
	done
}

@test "parallel keeps its shell, also in a worker that comes later" {
	skip_if_instrumented
	local method
	printf '#!/bin/sh\necho mine\nexec /bin/sh "$@"\n' >my-shell
	chmod +x my-shell
	for method in "${methods[@]}"; do
		assert_equal "$(PARALLEL_SHELL=$PWD/my-shell pinion parallel --start-method "$method" -k -j1 \
			--maxtasksperchild 1 'echo {};' ::: a b)" $'mine\na\nmine\nb'
	done
}

@test "what the words name may vanish while workers are replaced" {
	local method
	for method in "${methods[@]}"; do
		mkdir -p spill
		echo 1 >job-count
		with "$method" -j job-count --tmpdir spill --maxtasksperchild 1 'rm -rf job-count spill; echo {}' ::: a b c
		assert_equal "$status" 0
		assert_equal "$output" $'a\nb\nc'
	done
}

# --- what differs ---

@test "workers are copies, fresh processes, or copies of a server" {
	skip_without_spawn
	with fork -j1 'children=$(cat /proc/$PARALLEL_PID/task/*/children); [ $children = $PPID ] && echo alone; : {}' ::: a
	assert_equal "$output" alone
	with spawn -j1 'grep -qz ^PINION_LETTER= /proc/$PPID/environ && echo executed; tr "\0" " " </proc/$PPID/cmdline; : {}' ::: a
	[[ $output == executed$'\n'*'map --start-method spawn -j1 '* ]]
	with forkserver -j1 'cat /proc/$PARALLEL_PID/task/*/children | wc -w; ps -o ppid= -p $PPID | grep -cw $PARALLEL_PID; : {}' ::: a
	assert_equal "$output" $'2\n1'
}

@test "a worker has the name of its coordinator" {
	local method
	skip_if_instrumented
	for method in "${methods[@]}"; do
		with "$method" 'cat /proc/$PPID/comm; : {}' ::: a
		assert_equal "$output" pinion
	done
}

@test "there is one server, and no task has it as its parent" {
	with forkserver -j2 --maxtasksperchild 1 \
		'set -- $(cat /proc/$PARALLEL_PID/task/*/children); echo $1 $PPID; : {}' ::: $(seq 8)
	assert_equal "$status" 0
	assert_equal "$(awk '{ print $1 }' <<<"$output" | sort -u | wc -l)" 1
	assert_equal "$(awk '{ print $2 }' <<<"$output" | sort -u | wc -l)" 8
	assert_equal "$(awk '$1 == $2' <<<"$output")" ''
}

@test "nothing starts for no input, not even a server" {
	local method
	for method in "${methods[@]}"; do
		run --separate-stderr timeout 20 pinion map --start-method "$method" --initializer 'echo >started' echo </dev/null
		assert_equal "$status$output$stderr" 0
		[[ ! -e started ]]
	done
}

@test "other methods are refused" {
	with thread echo ::: a
	assert_equal "$status" 2
	[[ $stderr == *"'thread' is not one of fork, spawn, forkserver"* ]]
}

# --- a variable that says we are a worker ---

@test "a letter that is not ours is ignored, and no task sees it" {
	local method value
	for method in "${methods[@]}"; do
		for value in 0 1 7 99 x ''; do
			PINION_LETTER=$value run timeout 20 pinion map --start-method "$method" \
				'echo {} ${PINION_LETTER-none}' ::: a 7<"$BATS_TEST_FILENAME"
			assert_equal "$status" 0
			assert_equal "$output" 'a none'
		done
	done
}

@test "a pinion in a task of a pinion is a run of its own" {
	local method
	for method in "${methods[@]}"; do
		with "$method" -j2 -I @ 'pinion map --start-method '"$method"' echo ::: @ $PINION_SEQ' ::: a b
		assert_equal "$status" 0
		assert_equal "$output" $'a\n0\nb\n1'
	done
}

# --- deaths ---

@test "a worker that is killed is replaced, and costs its task alone" {
	local method
	for method in "${methods[@]}"; do
		with "$method" -j2 '[ {} != 3 ] || { kill -KILL $PPID; sleep 1000; }; echo {}' ::: $(seq 20)
		assert_equal "$status" 1
		assert_equal "$output" "$(seq 20 | sed /^3\$/d)"
		[[ $stderr == *'1 of 20 tasks failed (1 lost: its worker died)'* ]]
		assert_nothing_left
	done
}

@test "--maxtasksperchild replaces workers" {
	local method
	for method in "${methods[@]}"; do
		with "$method" -j1 --maxtasksperchild 3 'echo $PINION_WORKER; : {}' ::: $(seq 8)
		assert_equal "${output//$'\n'/ }" '0 0 0 1 1 1 2 2'
	done
}

@test "many replacements leave no process and no zombie" {
	local method
	for method in "${methods[@]}"; do
		with "$method" -j3 --maxtasksperchild 1 'cat /proc/$PARALLEL_PID/task/*/children | wc -w; : {}' ::: $(seq 60)
		assert_equal "$status" 0
		[[ $(sort -n <<<"$output" | tail -1) -le 5 ]]
		assert_nothing_left
	done
}

@test "Ctrl-C leaves nothing behind" {
	local method signal
	for method in "${methods[@]}"; do
		for signal in INT TERM; do
			rm -f started.*
			start --start-method "$method" -j2 'setsid sleep 1000 & echo >started.{}; sleep 1000' ::: a b 2>messages
			wait_until exist started.a started.b
			kill -"$signal" "$pid"
			WAIT_S=2 wait_until is_gone
			assert_nothing_left
			grep -q '2 of 2 tasks cancelled' messages
		done
	done
}

@test "a Ctrl-C that reaches the whole group is the coordinator's to answer" {
	local method
	for method in "${methods[@]}"; do
		rm -f started.* ended.*
		run python3 -c '
import os, signal, subprocess, sys, time
p = subprocess.Popen(["env", "--default-signal", "pinion", "map", "--start-method", sys.argv[1], "-j2", "--termseq",
	"TERM,10000,KILL,25", "trap \"echo >ended.{}; exit 0\" TERM; echo >started.{}; while :; do sleep 0.02; done"
	, ":::", "a", "b"], start_new_session=True, stderr=subprocess.DEVNULL)
end = time.monotonic() + 20
while time.monotonic() < end and not (os.path.exists("started.a") and os.path.exists("started.b")):
	time.sleep(0.02)
os.killpg(p.pid, signal.SIGINT)
print(p.wait(timeout=20))' "$method"
		assert_equal "$output" -2
		exist ended.a ended.b
		assert_nothing_left
	done
}

@test "kill -9 of the coordinator leaves nothing behind" {
	local method
	for method in "${methods[@]}"; do
		rm -f started.*
		start --start-method "$method" -j2 'setsid sleep 1000 & echo >started.{}; sleep 1000' ::: a b
		wait_until exist started.a started.b
		kill -KILL "$pid"
		WAIT_S=2 assert_nothing_left
		wait "$pid" || true
	done
}

@test "kill -9 of an idle coordinator leaves nothing behind" {
	local method
	mkfifo input
	exec 4<>input
	for method in "${methods[@]}"; do
		start --start-method "$method" -j3 echo <input >out
		printf '1\n2\n3\n' >&4
		wait_until grep -q 3 out
		kill -KILL "$pid"
		WAIT_S=2 assert_nothing_left
		wait "$pid" || true
	done
	exec 4>&-
}

@test "killing at random instants leaves nothing and loses nothing" {
	local method what
	for method in "${methods[@]:1}"; do
		for what in coordinator worker; do
			PINION_START_METHOD=$method run timeout 250 "$BATS_TEST_DIRNAME/kill-random" "$what" "$(rounds 8)" "$PWD/$method.$what"
			assert_equal "$output" ''
			assert_equal "$status" 0
		done
	done
}

@test "a server that dies breaks the pool with one line" {
	start --start-method forkserver -j2 'echo $PPID >worker.{}; sleep 1000' ::: a b 2>messages
	wait_until test -s worker.a -a -s worker.b
	kill -KILL "$(server_of "$pid")"
	local result=0
	WAIT_S=5 wait_until is_gone
	wait "$pid" || result=$?
	assert_equal "$result" 3
	assert_equal "$(grep -c 'pinion map: the fork server was killed by signal 9 (Killed)$' messages)" 1
	assert_equal "$(grep -c 'fork server' messages)" 1
	assert_nothing_left
}

@test "a worker that cannot be executed breaks the pool with the reason" {
	skip_if_instrumented # the limit is theirs, too
	type -P prlimit >/dev/null || skip 'no prlimit'
	# The words fit into the limit only as long as it is what it was at the start.
	local long
	long=$(head -c 110000 /dev/zero | tr '\0' x)
	with spawn -j1 --maxtasksperchild 1 'prlimit --pid $PARALLEL_PID --stack=400000:; echo {#}' ::: "$long" "$long"
	assert_equal "$status" 3
	assert_equal "$output" 1
	[[ $stderr == *'cannot execute /proc/self/exe: Argument list too long (3 workers in a row)'* ]]
	assert_nothing_left
}
