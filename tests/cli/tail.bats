# The end of a run: when there are fewer tasks than workers, those that run may use all cores.
#
# `wide` is the mask that tests and pinion have; whoever is in a place of --bind pu has one CPU.
# shellcheck shell=bats
# shellcheck disable=SC2154  # bats sets output, stderr and status
# shellcheck disable=SC2016  # the tasks' shell and perl expand, not ours

load helper

setup() {
	common_setup
	wide=$(mask_of $$)
	[[ $wide == *[,-]* ]] || skip "there is only one CPU"
}

# mask_of PID: the CPUs it may run on.
mask_of() {
	sed -n 's/^Cpus_allowed_list:\s*//p' "/proc/$1/status"
}

is_wide() {
	[[ $(mask_of "$1") == "$wide" ]]
}

# is_in_place PID: or any that has a single CPU.
is_in_place() {
	[[ $(mask_of "$1") =~ ^[0-9]+$ ]]
}

has() {
	local file
	for file; do
		[[ -s $file ]] || return 1
	done
}

# A task: leaves its pid in pid.{}, that of a child in child.{}, its mask in mask.{}, and ends when
# somebody writes into go.{}.
holder='grep Cpus_allowed_list /proc/self/status >mask.{}; sleep 1000 & echo $! >child.{}
	echo $$ >pid.{}; read -r x <go.{}; kill $!; echo {}'

# hold_on NAME...: after these tasks have started.
hold_on() {
	wait_until has "${@/#/pid.}"
}

# workers: the pids of those with a plugin that have had their init, from what it wrote into log.
workers() {
	[[ ! -e log ]] || awk '{ print $2 }' log
}

are_two_workers() {
	[[ $(workers | wc -l) == 2 ]]
}

# wide_workers: how many of them.
wide_workers() {
	local pid count=0
	for pid in $(workers); do
		! is_wide "$pid" || count=$((count + 1))
	done
	echo "$count"
}

is_one_worker_wide() {
	[[ $(wide_workers) == 1 ]]
}

@test "the last task may use all cores, and so may what it has started" {
	mkfifo go.a go.b
	pinion map -j2 --bind pu "$holder" ::: a b >out 3>&- &
	hold_on a b
	is_in_place "$(<pid.b)"
	is_in_place "$(<child.b)"
	echo >go.a
	wait_until is_wide "$(<pid.b)"
	wait_until is_wide "$(<child.b)"
	echo >go.b
	wait $!
	assert_equal "$(<out)" $'a\nb'
}

@test "while there is a task for each worker they keep their places" {
	mkfifo go.{a,b,c,d}
	pinion map -j2 --bind pu "$holder" ::: a b c d >out 3>&- &
	hold_on a b
	echo >go.a
	hold_on c
	echo >go.b
	hold_on d
	# That took longer than a task alone keeps its place.
	is_in_place "$(<pid.c)"
	is_in_place "$(<pid.d)"
	echo >go.c
	wait_until is_wide "$(<pid.d)"
	echo >go.d
	wait $!
}

@test "a task that has chosen its CPUs itself keeps them" {
	mkfifo go.a go.b
	pinion map -j2 --bind pu 'cpu=$(sed -n "s/^Cpus_allowed_list:\s*//p" /proc/self/status)
		sleep 1000 & echo $! >child.{}
		for other in '"$(taskset -cp $$ | sed 's/.*: //; s/[,-]/ /g')"'; do [ $other = $cpu ] || break; done
		taskset -cp $other $$ >taskset.{}; echo $other >own.{}
		echo $$ >pid.{}; read -r x <go.{}; kill $!' ::: a b 3>&- &
	hold_on a b
	echo >go.a
	# Whom it has started is visited after it.
	wait_until is_wide "$(<child.b)"
	assert_equal "$(mask_of "$(<pid.b)")" "$(<own.b)"
	echo >go.b
	wait $!
}

@test "what starts after a pause of the input has its place again" {
	mkfifo in go.{a,b,c}
	pinion map -j2 --bind pu "$holder" <in >out 3>&- &
	exec 4>in
	echo a >&4
	hold_on a
	wait_until is_wide "$(<pid.a)"
	echo >go.a
	wait_until has out # the worker is at rest
	printf 'b\nc\n' >&4
	hold_on b c
	is_in_place "$(<pid.b)"
	is_in_place "$(<pid.c)"
	exec 4>&-
	echo >go.b
	wait_until is_wide "$(<pid.c)"
	echo >go.c
	wait $!
}

@test "with --bind none the last task keeps the mask that it has" {
	local cpu=${wide%%[,-]*}
	run --separate-stderr timeout 30 pinion map -j2 --bind none 'taskset -cp '"$cpu"' $$ >taskset.{}
		[ {} = a ] || sleep 0.1 # far more than for losing a place
		sed -n "s/^Cpus_allowed_list:\s*//p" /proc/self/status' ::: a b
	assert_equal "$output" "$cpu"$'\n'"$cpu"
}

@test "a program that is fed keeps its place until no more lines can come" {
	mkfifo in
	pinion feed -j2 --bind pu perl -e '$| = 1;
		sub mask { open F, "<", "/proc/self/status"; (join "", <F>) =~ /Cpus_allowed_list:\s*(\S+)/; $1 }
		while (<STDIN>) {
			select undef, undef, undef, 0.1; # more than enough for losing the place
			if (/last/) { for (1 .. 1000) { last if mask =~ /[,-]/; select undef, undef, undef, 0.02 } }
			print mask, "\n" }' <in >out 3>&- 4>&- &
	exec 4>in
	echo one >&4
	wait_until has out
	[[ $(<out) =~ ^[0-9]+$ ]]
	echo last >&4
	exec 4>&-
	wait $!
	assert_equal "$(tail -n 1 out)" "$wide"
}

@test "a worker with a plugin is let go when it has the last task" {
	pinion call -j2 --bind pu "$PINION_BUILD/plugins/faults.so" log log ::: 'await a' 'await b' 3>&- &
	wait_until are_two_workers
	assert_equal "$(wide_workers)" 0
	echo >a
	wait_until is_one_worker_wide
	echo >b
	wait $! || (($? == 1)) # a task of await fails
}
