# The bench itself, on so few tasks that it takes seconds: that it runs and looks at outputs.
load helper

setup() {
	common_setup
	skip_if_instrumented
	build=$BATS_TEST_TMPDIR/build
	mkdir -p "$build"
	make -s -C "$root" -j4 BUILD="$build" CFLAGS=-O0 bench-programs >"$BATS_TEST_TMPDIR/log" 2>&1
	ln -s "$(type -P pinion)" "$build/pinion"
	if [[ -d $PINION_BUILD/plugins ]]; then
		ln -s "$PINION_BUILD/plugins" "$build/plugins"
	fi
}

# bench [NAME=VALUE...]: one round of 20 tasks.
bench() {
	timeout 60 env PINION_BUILD="$build" COUNT=20 ROUNDS=1 JOBS=2 "$@" "$root/tests/bench/run"
}

# A shell command in pinion's place.
pinion_is() {
	rm "$build/pinion"
	printf '#!/bin/sh\n%s\n' "$1" >"$build/pinion"
	chmod +x "$build/pinion"
}

axes_measured() {
	grep -o '"axis":"[^"]*"' "$build/bench.json" | cut -d'"' -f4 | paste -sd' '
}

@test "every axis that bench has can be measured, and its figures are left as JSON" {
	run bench
	echo "$output"
	assert_equal "$status" 0
	local axis expected=()
	for axis in spawn capture start-up call feed feed-256 feed-c feed-c-256; do
		[[ $output == *"bench: $axis: left out"* ]] || expected+=("$axis")
	done
	assert_equal "$(axes_measured)" "${expected[*]}"
	# Each has a limit and pinion.
	assert_equal "$(grep -o '"name":"pinion"' "$build/bench.json" | wc -l)" "${#expected[@]}"
	assert_equal "$(grep -o '"name":"limit"' "$build/bench.json" | wc -l)" "${#expected[@]}"
}

@test "bench measures the axis it is asked for, and refuses one it does not have" {
	bench AXIS=feed-c
	assert_equal "$(axes_measured)" feed-c
	run bench AXIS=speed
	assert_equal "$status" 2
}

@test "bench stops at a contender whose output is wrong" {
	pinion_is tac
	run bench AXIS=feed-c
	assert_equal "$status" 1
	[[ $output == *"bench: feed-c: the output of pinion is not what it should be"* ]]
	[[ ! -e $build/bench.json ]]
}

@test "bench stops at a contender that fails" {
	pinion_is 'cat; exit 3'
	run bench AXIS=feed-c
	assert_equal "$status" 1
	[[ $output == *"bench: feed-c: pinion failed, status 3"* ]]
}

@test "bench says which axis it leaves out, and fails if it is the only one" {
	pinion_is 'exit 2'
	run bench AXIS=call
	assert_equal "$status" 1
	[[ $output == *"bench: call: left out, this pinion has no call"* ]]
}
