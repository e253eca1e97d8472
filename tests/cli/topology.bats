# pinion topology: the budget and the workers' places.
# shellcheck shell=bats
# shellcheck disable=SC2154  # bats sets output, stderr and status

load helper

# field EXPRESSION ARGUMENTS...: a Python expression on d, the JSON that pinion topology prints.
field() {
	local expression=$1
	shift
	pinion topology --json "$@" |
		python3 -c 'import json, sys; d = json.load(sys.stdin); print(eval(sys.argv[1]))' "$expression"
}

# The kernel's numbers of the PUs we may use, one a line.
allowed_pus() {
	taskset -cp $$ | sed 's/.*: //' | tr , '\n' | while IFS=- read -r first last; do
		seq "$first" "${last:-$first}"
	done
}

needs_pus() {
	mapfile -t pus < <(allowed_pus)
	((${#pus[@]} >= $1)) || skip "needs $1 CPUs"
}

# made_of DESCRIPTION ARGUMENTS...: the places on a made-up machine of which we have PUs 0 to 3.
made_of() {
	HWLOC_SYNTHETIC=$1 taskset -c 0-3 pinion topology "${@:2}" | sed -n '/^worker  /,$s/.* //p'
}

usage_error() {
	run --separate-stderr pinion topology "$@"
	assert_equal "$status" 2
	assert_equal "$output" ''
	assert_equal "${#stderr_lines[@]}" 1
	[[ $stderr == 'pinion topology: '* ]]
}

@test "the affinity mask makes the budget" {
	needs_pus 2
	assert_equal "$(taskset -c "${pus[0]}" pinion topology --json |
		python3 -c 'import json, sys
d = json.load(sys.stdin)
print(d["affinity"]["pus"], d["affinity"]["core_count"], d["budget"], d["worker_count"])')" \
		"[${pus[0]}] 1 {'core_count': 1, 'thread_count': 1} 1"
}

@test "affinity is what taskset says" {
	assert_equal "$(field '" ".join(map(str, d["affinity"]["pus"]))')" \
		"$(allowed_pus | paste -sd ' ')"
}

@test "each worker has a core when there are as many as cores" {
	assert_equal "$(field 'd["binding"]["kind"]' --bind auto -j cores)" \
		"$(field '"none" if d["budget"]["core_count"] < d["affinity"]["core_count"] else "core"')"
	assert_equal "$(field 'len(d["places"]) == d["affinity"]["core_count"]' --bind core -j 100)" True
}

@test "places of one kind are apart and fill the mask" {
	local kind
	for kind in core share pu numa; do
		assert_equal "$(field 'sorted(p for s in d["places"] for p in s["pus"]) == d["affinity"]["pus"]' \
			--bind "$kind" -j 10000)" True
	done
}

@test "a lone worker has everything" {
	assert_equal "$(field 'd["places"][0]["pus"] == d["affinity"]["pus"]' -j 1 --bind share)" True
}

@test "two workers on four cores have two neighbours each" {
	needs_pus 4
	[[ ${pus[*]:0:4} == '0 1 2 3' ]] || skip "needs CPUs 0 to 3"
	assert_equal "$(made_of 'numanode:1 core:4 pu:1' --bind share -j 2)" $'PUs\n0-1\n2-3'
}

@test "siblings are used last" {
	needs_pus 4
	[[ ${pus[*]:0:4} == '0 1 2 3' ]] || skip "needs CPUs 0 to 3"
	assert_equal "$(made_of 'numanode:1 core:2 pu:2' --bind pu -j 4)" $'PUs\n0\n2\n1\n3'
}

@test "more workers than cores are not bound, and it says why" {
	run pinion topology -j +1
	assert_equal "$status" 0
	[[ $output == *'binding    none: '* ]]
	[[ $output == *$'\n   all '* ]]
}

@test "every form of -j is understood" {
	local cores
	cores=$(field 'd["budget"]["core_count"]')
	assert_equal "$(field 'd["worker_count"]' -j7)" 7
	assert_equal "$(field 'd["worker_count"]' --jobs=200%)" $((2 * cores))
	assert_equal "$(field 'd["worker_count"]' -P +2)" $((cores + 2))
	assert_equal "$(field 'd["worker_count"]' -j -1000)" 1
	assert_equal "$(field 'd["worker_count"]' -j cores)" "$cores"
	assert_equal "$(field 'd["worker_count"] == d["budget"]["thread_count"]' -j threads)" True
	assert_equal "$(ulimit -n 100 && field '10 < d["worker_count"] < 100' -j 0)" True
	echo ' 3 ' >jobs.txt
	assert_equal "$(field 'd["worker_count"]' --max-procs jobs.txt)" 3
}

@test "a machine that hwloc cannot tell is shown as CPUs, each a core" {
	export HWLOC_SYNTHETIC='numanode:1 core:1 pu:1(indexes=4000)' # a PU that we do not have
	assert_equal "$(field 'd["machine"]["is_known"]')" False
	assert_equal "$(field 'd["budget"]["core_count"] >= 1')" True
	run pinion topology
	[[ ${lines[0]} == 'machine '*'hwloc cannot tell more'* ]]
}

@test "hwloc is not loaded before it is asked" {
	LD_DEBUG=files pinion --version >/dev/null 2>log
	grep -q 'libc\.so' log || skip "this loader does not tell what it loads"
	run ! grep hwloc log
	LD_DEBUG=files pinion topology >/dev/null 2>log
	grep -q hwloc log
}

@test "nothing is wider than 80 columns" {
	pinion topology >out
	assert_equal "$(awk 'length > 80 && !/ from /' out)" ''
}

@test "what is no use is one line on stderr and status 2" {
	usage_error --no-such-option
	usage_error -Q
	usage_error -j
	usage_error -j four
	usage_error -j nonexistent
	usage_error -j ''
	usage_error --bind sideways
	usage_error word
	echo nonsense >jobs.txt
	usage_error -j jobs.txt
}

@test "--help goes to stdout" {
	run --separate-stderr pinion topology --help
	assert_equal "$status" 0
	[[ $output == 'Usage: pinion topology '* ]]
	assert_equal "$stderr" ''
}

@test "output that cannot be written is an error" {
	run --separate-stderr bash -c 'pinion topology >/dev/full'
	assert_equal "$status" 3
	[[ $stderr == *'No space left on device'* ]]
}
