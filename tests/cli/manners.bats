# What holds new tasks back: load, memory, pressure, deadline; and what workers are set to.
load helper

sql() {
	sqlite3 run.db "$1"
}

# The most that ran at once, from lines "START_NS END_NS" of the tasks.
most_at_once() {
	awk '{ print $1, 1; print $2, -1 }' "$1" | sort -n -k1,1 -k2,2 |
		awk '{ count += $2; if (count > most) most = count } END { print most }'
}

# So much memory as no machine has.
@test "--memfree lets one task run at a time, and says once why the others wait" {
	run --separate-stderr timeout 60 pinion map -j4 --memfree 8000T \
		'a=$(date +%s%N); sleep 0.05; echo $a $(date +%s%N)' ::: 1 2 3 4
	assert_equal "$status" 0
	assert_equal "$(most_at_once <(echo "$output"))" 1
	assert_equal "${#stderr_lines[@]}" 1
	[[ ${stderr_lines[0]} == 'pinion map: tasks wait: '*' MiB of memory are free, --memfree wants 8388608000' ]]
}

@test "--memfree of what is there lets all workers work, one more at each look" {
	for i in 1 2 3 4; do mkfifo go.$i; done
	timeout 60 pinion map -j4 --memfree 1 'echo >>started; read line <go.{}' ::: 1 2 3 4 3>&- 2>err &
	wait_until eval '[[ $(wc -l 2>/dev/null <started) == 4 ]]'
	for i in 1 2 3 4; do echo >go.$i; done
	wait $!
	assert_equal "$(<err)" ''
}

@test "--load counts what was started since the machine was looked at" {
	# One that runs beside is enough for the bound.
	timeout 60 bash -c 'while :; do :; done' 3>&- &
	local busy=$!
	run --separate-stderr timeout 60 pinion map -j4 --load 1 \
		'a=$(date +%s%N); sleep 0.05; echo $a $(date +%s%N)' ::: 1 2 3 4
	kill "$busy"
	assert_equal "$status" 0
	assert_equal "$(most_at_once <(echo "$output"))" 1
	[[ $stderr == 'pinion map: tasks wait: '*' processes run on this machine, --load wants fewer than 1' ]]
}

@test "--max-pressure is read where the kernel has it, and refused where not" {
	if [[ -r /proc/pressure/io ]] && cat /proc/pressure/io >/dev/null 2>&1; then
		run timeout 60 pinion map --max-pressure memory=100,io=100 echo ::: a b
		assert_equal "$status" 0
		assert_equal "$output" $'a\nb'
	else
		run timeout 60 pinion map --max-pressure io=100 echo ::: a
		assert_equal "$status" 3
		[[ $output == *'--max-pressure: this kernel has no /proc/pressure/io'* ]]
	fi
}

@test "without bounds nothing is read about the machine, and with them a few times a second" {
	needs_strace
	strace -f -qq -o trace -e trace=openat timeout 60 pinion map -j2 -n 0 'sleep 0.01' ::: {1..20}
	assert_equal "$(grep -cE '/proc/(stat|meminfo|pressure)' trace)" 0
	local begin_ms end_ms
	begin_ms=$(date +%s%3N)
	strace -f -qq -o trace -e trace=openat timeout 60 pinion map -j2 --memfree 1 -n 0 'sleep 0.1' ::: {1..20}
	end_ms=$(date +%s%3N)
	(($(grep -c /proc/meminfo trace) >= 2))
	(($(grep -c /proc/meminfo trace) <= 3 + (end_ms - begin_ms) / 200))
}

@test "--nice and --ionice are of the workers and their tasks, not of pinion" {
	local cat_ionice=true own other
	own=$(nice)
	other=$((own < 12 ? own + 7 : 19))
	type -P ionice >/dev/null && cat_ionice=ionice
	run timeout 60 pinion map --nice $other --ionice best-effort:6 -n 0 "nice; $cat_ionice; ps -o ni= -p \$PPID; ps -o ni= -p \$(ps -o ppid= -p \$PPID)" ::: a
	assert_equal "$status" 0
	assert_equal "${lines[0]}" "$other"
	[[ $cat_ionice == true || ${lines[1]} == 'best-effort: prio 6' ]]
	assert_equal "$(tail -n 2 <<<"$output" | tr -s ' \n' ' ')" " $other $own "
}

@test "a niceness that is not ours to take ends the run and says why" {
	((EUID == 0)) || skip 'needs root, to be somebody else'
	run timeout 60 setpriv --reuid=65534 --regid=65534 --clear-groups \
		"$(type -P pinion)" map --nice -5 echo ::: a
	assert_equal "$status" 3
	[[ ${lines[0]} == *'--nice -5: Permission denied'* ]]
}

# Time enough for what is to start before, also where the machine stands still for a while.
deadline_s=$((2 + $(slowness)))

@test "at the deadline nothing more starts, what runs goes on, and the rest is done by --resume" {
	local command
	command="echo {} >>started; [ -e resumed ] || sleep $deadline_s.2; echo {}"
	run --separate-stderr timeout 60 pinion map -j2 --deadline "$deadline_s" --joblog log --run-file run.db \
		"$command" ::: 1 2 3 4 5
	assert_equal "$status" 4
	assert_equal "$output" $'1\n2'
	assert_equal "${stderr_lines[0]}" 'pinion map: 3 of 5 tasks never started'
	assert_equal "${stderr_lines[1]}" 'pinion map: the deadline came first: --resume does the rest'
	assert_equal "$(sort started)" $'1\n2'
	assert_equal "$(tail -n +2 log | wc -l)" 2
	assert_equal "$(sql 'SELECT outcome, exit FROM run')" 'deadline|4'
	assert_equal "$(sql "SELECT count(*) FROM task WHERE reason = 'exit' AND exit = 0")" 2
	touch resumed
	run --separate-stderr timeout 60 pinion map -j3 --deadline 1h --resume --joblog log \
		"$command" ::: 1 2 3 4 5
	assert_equal "$status" 0
	assert_equal "$output" $'3\n4\n5'
}

@test "a deadline after the last start changes nothing, and one that is past lets nothing start" {
	run --separate-stderr timeout 60 pinion map -j2 --deadline "$deadline_s" --run-file run.db \
		"sleep $deadline_s.2; exit {}" ::: 0 3
	assert_equal "$status" 1
	assert_equal "${stderr_lines[0]}" 'pinion map: 1 of 2 tasks failed (1 exit 3)'
	assert_equal "$(sql 'SELECT outcome, exit FROM run')" 'complete|1'
	run --separate-stderr timeout 60 pinion map --deadline 2020-01-01T00:00 'echo {} >>started' ::: 1 2
	assert_equal "$status" 4
	assert_equal "${stderr_lines[0]}" 'pinion map: 2 of 2 tasks never started'
	[[ ! -e started ]]
	run timeout 60 pinion parallel --deadline 2020-01-01T00:00 echo ::: 1 2
	assert_equal "$status" 255
	assert_equal "$output" ''
}

@test "an input that never ends does not outlive the deadline" {
	run --separate-stderr timeout 60 pinion map --deadline "$deadline_s" echo \
		< <(echo a; exec sleep 30 3>&-)
	assert_equal "$status" 4
	assert_equal "$output" a
	[[ $stderr == *'the rest of the input was not read'* ]]
}
