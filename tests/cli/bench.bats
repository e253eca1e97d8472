# The bench itself, on so few tasks that it takes seconds: that it runs and looks at outputs.
load helper

setup_file() {
	[[ -z ${PINION_TEST_MODE-} ]] || return 0
	make -s -C "$BATS_TEST_DIRNAME/../.." -j4 BUILD="$BATS_FILE_TMPDIR" CFLAGS=-O0 bench-programs
}

setup() {
	common_setup
	skip_if_instrumented
	build=$BATS_TEST_TMPDIR/build
	mkdir "$build"
	ln -s "$BATS_FILE_TMPDIR/bench" "$build/bench"
	ln -s "$(type -P pinion)" "$build/pinion"
	if [[ -d $PINION_BUILD/plugins ]]; then
		ln -s "$PINION_BUILD/plugins" "$build/plugins"
	fi
}

# bench [NAME=VALUE...]: one round of a few tasks.
bench() {
	timeout 60 env PINION_BUILD="$build" COUNT=4 ROUNDS=1 JOBS=2 "$@" "$root/tests/bench/run"
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

# measures_all AXIS...: those that are not left out are measured, each with a limit and pinion.
measures_all() {
	local axis expected=()
	for axis; do
		[[ $output == *"bench: $axis: left out"* ]] || expected+=("$axis")
	done
	assert_equal "$(axes_measured)" "${expected[*]}"
	assert_equal "$(grep -o '"name":"pinion"' "$build/bench.json" | wc -l)" "${#expected[@]}"
	assert_equal "$(grep -o '"name":"limit"' "$build/bench.json" | wc -l)" "${#expected[@]}"
}

measures() {
	run bench AXIS="$*"
	echo "$output"
	assert_equal "$status" 0
	measures_all "$@"
}

@test "bench measures commands, and leaves figures as JSON" {
	measures spawn capture shell shell-builtin
}

@test "bench measures start-up and output" {
	measures start-up output output-pipe
}

@test "bench measures what calls and feeds lines" {
	measures call feed feed-256 feed-c feed-c-256
}

@test "bench measures memory, and how well the work is spread" {
	measures memory-10k memory memory-10m balance balance-cpu balance-busy
	figures_add_up "$build/bench.json"
}

@test "bench measures how the cost of a task scales" {
	local axes=(scaling-call scaling-spawn scaling-workers scaling-workers-spawn scaling-bytes)
	run bench AXIS="${axes[*]}" COUNT=200
	echo "$output"
	assert_equal "$status" 0
	assert_equal "$(axes_measured)" "${axes[*]}"
	assert_equal "$(grep -o '"unit":"us CPU"' "$build/bench.json" | wc -l)" "${#axes[@]}"
}

# figures_add_up FILE: each axis has a limit, pinion and what was measured of each; ratios are right.
figures_add_up() {
	python3 -c 'import json, sys

def is_near(value, expected):
    return abs(value - expected) <= 1e-3 * abs(expected) + 1e-4

def check(is_right, *what):
    if not is_right:
        sys.exit(" ".join(map(str, what)))

for axis in json.load(open(sys.argv[1]))["axes"]:
    by_name = {x["name"]: x for x in axis["contenders"]}
    limit, pinion = by_name["limit"], by_name["pinion"]
    for x in by_name.values():
        check(x["rounds"] >= 1 and x["tasks"] >= 1, axis["axis"], x)
        check(0 < x["min"] <= x["median"] <= x["max"], axis["axis"], x)
        check(is_near(x["spread"], (x["max"] - x["min"]) / x["median"]), "spread", x)
        check(is_near(x["of_limit"], x["median"] / limit["median"]), "of_limit", x)
        check(0 <= x.get("own_cpu_share", 0) <= 1, "own_cpu_share", x)
    if "best_peer" in axis:
        best = by_name[axis["best_peer"]]
        check(is_near(axis["of_best_peer"], pinion["median"] / best["median"]), "best_peer", axis)
    else:
        check(not by_name.keys() - {"limit", "pinion"}, "no best peer", axis)
' "$1"
}

@test "the JSON has medians, spreads, and ratios to the limit and to the best peer" {
	bench AXIS='spawn feed-c' ROUNDS=3
	figures_add_up "$build/bench.json"
}

@test "bench makes photos and counts their thumbnails" {
	run bench AXIS='photos photos-magick' COUNT=1
	echo "$output"
	if [[ $output == *'photos: left out'* && $output == *'photos-magick: left out'* ]]; then
		skip 'nothing here to make thumbnails with'
	fi
	assert_equal "$status" 0
	measures_all photos photos-magick
}

@test "a peer whose output is wrong is left out of the axis" {
	mkdir "$BATS_TEST_TMPDIR/bin"
	# It does all that is asked of it but the last line.
	printf '#!/bin/sh\ncase $1 in --*) echo xargs;; *) %q "$@" | sed \$d ;; esac\n' \
		"$(type -P xargs)" >"$BATS_TEST_TMPDIR/bin/xargs"
	chmod +x "$BATS_TEST_TMPDIR/bin/xargs"
	PATH=$BATS_TEST_TMPDIR/bin:$PATH run bench AXIS=capture COUNT=20
	echo "$output"
	assert_equal "$status" 0
	[[ $output == *"bench: capture: the output of xargs is not what it should be"* ]]
	assert_equal "$(grep -c '"name":"xargs"' "$build/bench.json")" 0
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
