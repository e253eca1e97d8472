# helper.bash: what every bats file here loads. `load helper` gives setup and teardown too; a file
# with its own calls common_setup and common_teardown in them.
#
# The program under test is `pinion`, first on PATH: $PINION_BIN, else $PINION_BUILD, else build/.
# Each test starts in an empty folder of its own. Tests wait for events with wait_until, never
# for time. Something started with & should get 3>&-, or bats waits for it.
# shellcheck shell=bash

bats_require_minimum_version 1.5.0

common_setup() {
	root=$(cd "$BATS_TEST_DIRNAME/../.." && pwd)
	: "${PINION_BUILD:=$root/build}"
	export PATH="${PINION_BIN:-$PINION_BUILD}:$PATH"
	export LC_ALL=C.UTF-8
	export SHELL=$BASH # what script and tmux start; cron and CI may have none
	unset PARALLEL PARALLEL_SHELL MAKEFLAGS MAKELEVEL MFLAGS

	# Every process that a test executes carries this, wherever it goes.
	export PINION_TEST_MARK=$$.$RANDOM.$BATS_TEST_NUMBER
	mkdir "$BATS_TEST_TMPDIR/cwd" && cd "$BATS_TEST_TMPDIR/cwd" || return 1
	export HOME=$BATS_TEST_TMPDIR

	# Runs are steered by name: those of a test are nobody else's.
	export XDG_RUNTIME_DIR=$BATS_TEST_TMPDIR/runtime
	mkdir -m 0700 "$XDG_RUNTIME_DIR"
}

# Ends what the test left behind, so that a failed test harms no other.
common_teardown() {
	local pid
	for pid in $(processes_marked); do
		kill -KILL "$pid" 2>/dev/null || true
	done
}

setup() {
	common_setup
}

teardown() {
	common_teardown
}

# How much slower than a plain run things may be.
slowness() {
	case ${PINION_TEST_MODE-} in
	valgrind) echo 10 ;;
	asan | tsan | coverage) echo 3 ;;
	*) echo 1 ;;
	esac
}

# rounds COUNT: how often a test does again what hits upon a random instant. PINION_STRESS says how
# often in its long form; where each takes longer, there are fewer.
rounds() {
	local count=$((($1 + $(slowness) - 1) / $(slowness)))
	echo "${PINION_STRESS:-$count}"
}

# How many processes want each processor now; 1 when there are enough.
crowd() {
	local running
	read -r _ _ _ running _ </proc/loadavg
	echo $((1 + ${running%/*} / $(nproc)))
}

# wait_until COMMAND...: until it succeeds; fails after 20 s (WAIT_S says otherwise) of a machine
# that has a processor for everyone, which is for a test to end on, not to wait for. A turn takes
# some 30 ms; where one takes far longer, the machine stood still, and only the beginning counts.
wait_until() {
	local limit_us=$((${WAIT_S:-20} * 1000000 * $(slowness) * $(crowd)))
	local waited_us=0 turn_us now_us at_us=${EPOCHREALTIME/./}
	until "$@"; do
		if ((waited_us >= limit_us)); then
			echo "did not happen in time: $*" >&2
			return 1
		fi
		env -u PINION_TEST_MARK sleep 0.02
		now_us=${EPOCHREALTIME/./}
		turn_us=$((now_us - at_us))
		waited_us=$((waited_us + (turn_us < 100000 ? turn_us : 100000)))
		at_us=$now_us
	done
}

# processes_marked [MARK]: the ids of living processes that were executed with
# PINION_TEST_MARK=MARK in their environment, by default this test's; forks of them count as well.
# What clears its environment before it executes something hides from this.
processes_marked() {
	local file
	env -u PINION_TEST_MARK grep -lszFx -- "PINION_TEST_MARK=${1-$PINION_TEST_MARK}" \
		/proc/[0-9]*/environ 2>/dev/null | while IFS= read -r file; do
		file=${file#/proc/}
		echo "${file%/environ}"
	done
}

no_processes_marked() {
	[[ -z $(processes_marked "$@") ]]
}

# Everything this test started is gone, or soon is.
assert_nothing_left() {
	local pid
	WAIT_S=${WAIT_S:-2} wait_until no_processes_marked && return
	for pid in $(processes_marked); do
		echo "still running: $pid $(tr '\0' ' ' <"/proc/$pid/cmdline")" >&2
	done
	return 1
}

# assert_equal ACTUAL EXPECTED
assert_equal() {
	[[ $1 == "$2" ]] && return
	printf 'actual:   %q\nexpected: %q\n' "$1" "$2" >&2
	return 1
}

# assert_same_bytes ACTUAL_FILE EXPECTED_FILE
assert_same_bytes() {
	cmp -- "$1" "$2" >&2
}

# `parallel` on PATH is GNU's, to compare with; its path is then in gnu_parallel.
gnu_parallel_available() {
	gnu_parallel=$(type -P parallel) || return 1
	[[ $("$gnu_parallel" --version 2>/dev/null </dev/null) == "GNU parallel"* ]]
}

# For tests of speed, of memory, or of what a tool in between would disturb.
skip_if_instrumented() {
	if [[ ${PINION_TEST_MODE-} == @(asan|tsan|valgrind) ]]; then
		skip "${1:-means nothing} under $PINION_TEST_MODE"
	fi
}

# on_full_disk FILE COMMAND...: nothing can be written to FILE, which is there.
on_full_disk() {
	timeout 60 strace -qq -f -o trace -P "$PWD/$1" -e trace=write -e inject=write:error=ENOSPC "${@:2}"
}

needs_strace() {
	skip_if_instrumented 'strace is of no use'
	strace -f -o /dev/null true 2>/dev/null || skip 'strace is not there or may not be used'
}
