# --output: files that tasks make, whole or not at all, and not again.
# shellcheck shell=bats
# shellcheck disable=SC2154  # bats sets output, stderr and status
# shellcheck disable=SC2016  # the tasks' shell expands, not ours

load helper

# pinion_map ARGUMENTS...: as `run`, with stderr apart, and bounded.
pinion_map() {
	run --separate-stderr timeout $((30 * $(slowness))) pinion map "$@"
}

# No folder of a draft is left, and the files are these.
assert_files() {
	assert_equal "$(find . -name '.?*')" ''
	assert_equal "$(find . -type f | LC_ALL=C sort | sed 's|^\./||' | tr '\n' ' ')" "$1"
}

@test "outputs are made, in folders that are made for them" {
	echo a >a.in
	echo b >b.in
	pinion_map --output 'x/{/.}/{/.}.out' cp {} '{out}' ::: a.in b.in
	assert_equal "$status$output$stderr" 0
	assert_equal "$(<x/b/b.out)" b
	assert_files 'a.in b.in x/a/a.out x/b/b.out '
}

@test "the command sees a hidden name with the same ending, and nobody the file before it is whole" {
	pinion_map --output x/{}.tar.gz 'echo {out}; echo half >{out}; [ ! -e x/{}.tar.gz ] && echo whole >{out}' ::: a
	assert_equal "$status" 0
	[[ $output == x/.pinion-*/a.tar.gz ]]
	assert_equal "$(<x/a.tar.gz)" whole
	assert_files 'x/a.tar.gz '
}

@test "a second run does no work, and says so" {
	echo a >a
	echo b >b
	pinion_map --output {}.out 'echo ran; cp {} {out}' ::: a b
	pinion_map --output {}.out 'echo ran; cp {} {out}' ::: b a
	assert_equal "$status" 0
	assert_equal "$output" ''
	assert_equal "$stderr" 'pinion map: 2 of 2 tasks done before'
}

@test "what has changed is made again: an input, an output, the command" {
	for i in a b c d; do echo "$i" >"$i"; done
	pinion_map --output {}.out 'echo ran {}; cp {} {out}' ::: a b c d
	echo more >>a
	echo other >b.out
	rm c.out
	pinion_map --output {}.out 'echo ran {}; cp {} {out}' ::: a b c d
	assert_equal "$output" $'ran a\nran b\nran c'
	assert_equal "$stderr" 'pinion map: 1 of 4 tasks done before'
	assert_equal "$(<a.out)" $'a\nmore'
	assert_equal "$(<b.out)" b
	pinion_map --output {}.out 'echo ran {} ; cp {} {out}' ::: a b c d
	assert_equal "$output" $'ran a\nran b\nran c\nran d'
	assert_equal "$stderr" ''
}

@test "an input that is touched while its task runs is noticed" {
	echo a >a
	pinion_map --output {}.out 'cp {} {out}; echo more >>{}' ::: a
	assert_equal "$status" 0
	pinion_map --output {}.out 'cp {} {out}; echo more >>{}' ::: a
	assert_equal "$stderr" ''
	assert_equal "$(<a.out)" $'a\nmore'
}

@test "times need not be in order" {
	touch -d 2001-01-01 past
	touch -d 2101-01-01 future
	pinion_map --output {}.out cp -p {} '{out}' ::: past future
	pinion_map --output {}.out cp -p {} '{out}' ::: past future
	assert_equal "$stderr" 'pinion map: 2 of 2 tasks done before'
	touch -d 2001-01-02 past
	pinion_map --output {}.out cp -p {} '{out}' ::: past future
	assert_equal "$stderr" 'pinion map: 1 of 2 tasks done before'
}

@test "a task without an input file is done when its output is there" {
	pinion_map --output page-{} 'echo ran {} >{out}' ::: 1 2
	pinion_map --output page-{} 'echo ran {} >{out}' ::: 1 2 3
	assert_equal "$stderr" 'pinion map: 2 of 3 tasks done before'
}

@test "a file can be replaced by what is made of it, once" {
	echo a >a
	pinion_map --output {} 'sed s/$/x/ {} >{out}' ::: a
	assert_equal "$status$stderr" 0
	pinion_map --output {} 'sed s/$/x/ {} >{out}' ::: a
	assert_equal "$stderr" 'pinion map: 1 of 1 task done before'
	assert_equal "$(<a)" ax
}

@test "several outputs are there together or not at all" {
	pinion_map --output x/{}.a --output y/{}.b 'echo a >{out1}; [ {} = 2 ] || echo b >{out2}' ::: 1 2 3
	assert_equal "$status" 1
	assert_equal "${stderr_lines[0]}" 'pinion map: 1 of 3 tasks failed (1 did not write {out2})'
	assert_equal "${stderr_lines[1]}" "pinion map:   task 2: did not write {out2}: echo a >x/2.a; [ 2 = 2 ] || echo b >y/2.b"
	assert_files 'x/1.a x/3.a y/1.b y/3.b '
	rm x/3.a
	pinion_map --output x/{}.a --output y/{}.b 'echo a >{out1}; [ {} = 2 ] || echo b >{out2}' ::: 1 3
	assert_equal "$stderr" 'pinion map: 1 of 2 tasks done before'
	assert_files 'x/1.a x/3.a y/1.b y/3.b '
}

@test "whatever else its end is, a task leaves nothing, and an old output alone" {
	echo old >a.out
	pinion_map --output {}.out 'echo half >{out}; exit 3' ::: a
	assert_equal "$status" 1
	pinion_map --output {}.out 'echo half >{out}; kill -SEGV $$' ::: a
	assert_equal "$status" 1
	pinion_map --output {}.out --timeout 0.2 'echo half >{out}; sleep 1000' ::: a
	assert_equal "$status" 1
	pinion_map --output {}.out 'echo half >{out}; kill -KILL $PPID; sleep 1000' ::: a
	assert_equal "$status" 1
	pinion_map --output {}.out no-such-program {} '{out}' ::: a
	assert_equal "$status" 1
	assert_equal "$(<a.out)" old
	assert_files 'a.out '
	assert_nothing_left
}

@test "an end of the run leaves nothing either: --halt now, a signal" {
	pinion_map -j2 --halt now,fail=1 --output {}.out \
		'echo half >{out}; echo >started.{}; [ {} = a ] && sleep 1000; until [ -e started.a ]; do sleep 0.01; done; exit 1' ::: a b
	assert_equal "$status" 1
	assert_files 'started.a started.b '
	rm started.*
	pinion map --output {}.out 'echo half >{out}; echo >started.{}; sleep 1000' ::: a 3>&- &
	local pid=$!
	wait_until test -e started.a
	kill -TERM "$pid"
	wait "$pid" || true
	assert_files 'started.a '
	assert_nothing_left
}

@test "a second try begins with nothing" {
	pinion_map --retries 3 --output {}.out '[ ! -e {out} ] || exit 9; echo $PINION_ATTEMPT >{out}; [ $PINION_ATTEMPT = 3 ] # {}' ::: a
	assert_equal "$status$stderr" 0
	assert_equal "$(<a.out)" 3
	pinion_map --retries 2 --output {}.lost '[ ! -e {out} ] || exit 9; echo $PINION_ATTEMPT >{out}; [ $PINION_ATTEMPT = 2 ] || { kill -KILL $PPID; sleep 1000; } # {}' ::: a
	assert_equal "$status$stderr" 0
	assert_equal "$(<a.lost)" 2
	assert_files 'a.lost a.out '
}

@test "any name will do" {
	local long names
	long=$(printf '%0255d' 7)
	names=('a b' $'two\nlines' -dash "it's" '"' '*' '$HOME' $'\xff\xfe' lock "$long" '{}' '{out}' '%s' '\n' .hidden)
	for name in "${names[@]}"; do echo "$name" >"./$name"; done
	pinion_map --output 'out/{}' 'cat ./{} >{out}' ::: "${names[@]}"
	assert_equal "$status$stderr" 0
	for name in "${names[@]}"; do assert_same_bytes "out/$name" "./$name"; done
	pinion_map --output 'words/{}' cp ./{} '{out}' ::: "${names[@]}"
	assert_equal "$status$stderr" 0
	for name in "${names[@]}"; do assert_same_bytes "words/$name" "./$name"; done
	pinion_map --output 'words/{}' cp ./{} '{out}' ::: "${names[@]}"
	assert_equal "$stderr" "pinion map: ${#names[@]} of ${#names[@]} tasks done before"
	assert_equal "$(find . -name '.pinion*')" ''
}

@test "a program may leave what it likes beside its output" {
	pinion_map --output x/{}.out 'cd "$(dirname {out})" && mkdir -p d/e && touch d/e/f .g && ln -s / l && echo whole >{}.out' ::: a
	assert_equal "$status$stderr" 0
	assert_files 'x/a.out '
}

@test "what is no file is no output" {
	echo other >other
	pinion_map --output {}.out 'ln -s "$PWD/other" {out} # {}' ::: a
	assert_equal "$status" 1
	[[ $stderr == *'cannot make its output: not a file'* ]]
	pinion_map --output {}.out 'mkdir {out} # {}' ::: a
	[[ $stderr == *'cannot make its output: Is a directory'* ]]
	assert_files 'other '
}

@test "a link at the target is replaced, and what it leads to stays as it is" {
	echo other >other
	ln -s other a.out
	pinion_map --output {}.out 'echo whole >{out} # {}' ::: a
	assert_equal "$status$stderr" 0
	assert_equal "$(<other)$(<a.out)" otherwhole
}

@test "folders, devices and planted things are not replaced" {
	mkdir a.out
	pinion_map --output {}.out 'touch ran; echo >{out}' ::: a
	assert_equal "$status" 1
	[[ $stderr == *'cannot make its output: Is a directory'* ]]
	pinion_map --output /dev/null 'touch ran; echo >{out}; : {}' ::: a
	[[ $stderr == *'cannot make its output: not a file'* ]]
	[[ -c /dev/null && ! -e ran ]]

	# The name of the folder follows from that of the target.
	local folder
	folder=$(pinion map --output b 'dirname {out}; touch {out}' ::: a)
	rm b
	mkdir trap
	ln -s trap "$folder"
	pinion_map --output b 'touch ran; echo >{out}' ::: a
	assert_equal "$status" 1
	[[ $stderr == *'cannot make its output: Operation not permitted (whose is the .pinion-* beside it?)'* ]]
	assert_equal "$(ls -A trap)" ''
	[[ ! -e b && ! -e ran ]]
}

@test "one output of two tasks: one of them fails" {
	pinion_map -j1 --output same 'echo {} >{out}' ::: a b
	assert_equal "$status" 1
	[[ ${stderr_lines[0]} == 'pinion map: 1 of 2 tasks failed (1 another task has made the same output)' ]]
	assert_equal "$(<same)" a
	pinion_map -j2 --output both 'echo >started.{}; until [ -e go ]; do sleep 0.01; [ {} = a ] || exit 0; done; echo {} >{out}' ::: a 3>&- &
	local pid=$!
	wait_until test -e started.a
	run --separate-stderr timeout 30 pinion map --output both 'touch ran; echo {} >{out}' ::: b
	[[ $stderr == *'another task makes the same output'* ]]
	touch go
	wait "$pid"
	assert_equal "$(<both)" a
	[[ ! -e ran ]]
}

@test "a run that was killed can be run again at once" {
	local pid round
	for round in 1 2 3 4 5; do
		rm -f started.*
		pinion map -j3 --output "o$round/{}" 'echo half >{out}; trap "" TERM; echo >started.{}; sleep 1000' ::: a b c 3>&- &
		pid=$!
		wait_until test -e started.a -a -e started.b -a -e started.c
		kill -KILL "$pid"
		pinion_map -j3 --output "o$round/{}" 'echo whole {} >{out}' ::: a b c
		assert_equal "$status$stderr" 0
		assert_equal "$(cat "o$round"/?)" $'whole a\nwhole b\nwhole c'
	done
	assert_equal "$(find . -name '.?*')" ''
	assert_nothing_left
}

@test "a folder that may not be written to fails the task before it starts" {
	if ((EUID == 0)); then
		as=(setpriv --reuid 12345 --regid 12345 --clear-groups)
	else
		as=()
	fi
	mkdir closed
	chmod 555 closed
	run --separate-stderr timeout 30 "${as[@]}" pinion map --output closed/x/{} 'touch ran; echo >{out}' ::: a
	assert_equal "$status" 1
	[[ $stderr == *'cannot make its output: Permission denied'* ]]
	[[ ! -e ran ]]
}

@test "a file in place of a folder fails the task before it starts" {
	touch file
	pinion_map --output file/{} 'touch ran; echo >{out}' ::: a
	assert_equal "$status" 1
	[[ $stderr == *'cannot make its output: Not a directory'* ]]
	[[ ! -e ran ]]
}

@test "a disk that is full leaves no half of a file" {
	# Where nobody may mount, a limit on the size of the tasks' files does.
	local small='mkdir -p disk && mount -t tmpfs -o size=256k,mode=777 tmpfs disk' apart=(unshare -m)
	if ! unshare -m bash -c "$small" 2>/dev/null; then
		small='mkdir -p disk' apart=()
		export LIMIT='ulimit -f 200; trap "" XFSZ;'
	fi
	run --separate-stderr timeout 60 "${apart[@]}" bash -c "$small"'
		pinion map -j1 --output disk/{} "${LIMIT-} head -c {}000 /dev/zero >{out}" ::: 50 500 60
		echo "status $?"
		find disk -type f -printf "%f %s\n" | sort
		find disk -name ".?*"'
	assert_equal "$output" $'status 1\n50 50000\n60 60000'
	[[ $stderr == *'1 of 3 tasks failed'* ]]
}

@test "on a file system without attributes everything is made again" {
	# ramfs has none; where nobody may mount there is nothing to look at.
	unshare -m bash -c 'mkdir -p plain && mount -t ramfs ramfs plain' 2>/dev/null ||
		skip 'needs the right to mount'
	run --separate-stderr timeout 60 unshare -m bash -c '
		mount -t ramfs ramfs plain
		for i in 1 2; do pinion map --output plain/{} "echo ran; echo {} >{out}" ::: a; done
		cat plain/a'
	assert_equal "$output" $'ran\nran\na'
	assert_equal "$stderr" ''
}

@test "names are relative to --wd" {
	mkdir w
	echo a >w/a
	pinion_map --wd w --output o/{} cp {} '{out}' ::: a
	assert_equal "$status$stderr" 0
	pinion_map --wd w --output o/{} cp {} '{out}' ::: a
	assert_equal "$stderr" 'pinion map: 1 of 1 task done before'
	assert_files 'w/a w/o/a '
}

@test "--dry-run shows the outputs' own names, and only what would be run" {
	touch a b
	pinion_map --output 'o p/{}' 'cp {} {out}' ::: a
	pinion_map --dry-run --output 'o p/{}' 'cp {} {out}' ::: a b
	assert_equal "$output" "cp b 'o p/b'"
	assert_equal "$stderr" 'pinion map: 1 of 2 tasks done before'
	assert_files 'a b o p/a '
}

@test "-v, -t and --tagstring show the outputs' own names" {
	pinion_map -v -t --tagstring '{out}' --output {}.out 'cp /dev/null {out}; echo {}' ::: a
	assert_equal "$output" $'a.out\tcp /dev/null a.out; echo a\na.out\ta'
	assert_equal "$stderr" 'cp /dev/null a.out; echo a'
	pinion_map -u -v --output {}.u 'cp /dev/null {out}; echo {}' ::: a
	assert_equal "$output" $'cp /dev/null a.u; echo a\na'
}

@test "--fsync none, file and dir make the same, another word is refused" {
	for how in none file dir; do
		pinion_map --fsync "$how" --output "x/$how.{}" --output "y/$how.{}" 'echo >{out}; cp {out} {out2}; : {}' ::: a b
		assert_equal "$status$stderr" 0
	done
	assert_files 'x/dir.a x/dir.b x/file.a x/file.b x/none.a x/none.b y/dir.a y/dir.b y/file.a y/file.b y/none.a y/none.b '
	pinion_map --fsync always --output {} cp {} '{out}' ::: a
	assert_equal "$status" 2
	[[ $stderr == *"--fsync: 'always' is not one of none, file, dir"* ]]
}

@test "however workers are made" {
	for method in fork spawn forkserver; do
		pinion_map --start-method "$method" --output "$method.{}" --output "{}.$method" \
			'cp /dev/null {out}; cp /dev/null {out2}; : {}' ::: a b
		assert_equal "$status$stderr" 0
	done
	assert_files 'a.fork a.forkserver a.spawn b.fork b.forkserver b.spawn fork.a fork.b forkserver.a forkserver.b spawn.a spawn.b '
}

@test "a command that does not name its input has it at its end, as always" {
	echo a >a
	pinion_map --output {}.out sort -o '{out}' ::: a
	assert_equal "$status$stderr" 0
	assert_equal "$(<a.out)" a
}

@test "parallel has them, too, quoted for its shell" {
	run --separate-stderr timeout 30 pinion parallel --output 'o p/{}' 'echo {} >{out}' ::: a 'b c'
	assert_equal "$status$stderr" 0
	run --separate-stderr timeout 30 pinion parallel --output "o p/{#}" '{} >{out}' ::: 'echo x' 'echo y'
	assert_equal "$status$stderr" 0
	run --separate-stderr timeout 30 pinion parallel -q --output 'o p/{}.q' sh -c 'echo "$1" >"$2"' sh {} '{out}' ::: 'd e'
	assert_equal "$status$stderr" 0
	assert_files 'o p/1 o p/2 o p/a o p/b c o p/d e.q '
}

@test "a command that cannot write its output is refused" {
	pinion_map --output {}.out cp {} b ::: a
	assert_equal "$status" 2
	assert_equal "$stderr" 'pinion map: --output: the command has no {out} to write to'
	pinion_map --output '' cp {} '{out}' ::: a
	assert_equal "$status" 2
	for verb in feed call; do
		run --separate-stderr timeout 30 pinion "$verb" --output x cat ::: a
		assert_equal "$status" 2
		assert_equal "$stderr" "pinion $verb: --output is no option here, but of: map, parallel"
	done
}

@test "a task with a folder of its own makes its files there, and they are found again" {
	mkdir -p d -- -e
	echo 1 >d/in
	echo 2 >-e/in
	echo 3 >in
	printf '%s\n' '{"cwd": "d"}' '{"cwd": "-e"}' '{"cwd": "'"$PWD"'/d", "o": "abs"}' '{}' '{"cwd": "nowhere"}' |
		jq -c '{o: "-o", args: ["in"]} + .' >tasks.jsonl
	run --separate-stderr timeout 30 pinion map --jsonl tasks.jsonl --output '{o}/{}.out' cp {} '{out}'
	assert_equal "$status" 1
	[[ $stderr == *'cannot go to the folder nowhere'* ]]
	assert_equal "$(cat d/-o/in.out -- -e/-o/in.out d/abs/in.out -o/in.out | tr '\n' ' ')" '1 2 1 3 '
	[[ ! -e nowhere ]]
	assert_equal "$(find . -name '.pinion-*')" ''
	run --separate-stderr timeout 30 pinion map --jsonl tasks.jsonl --output '{o}/{}.out' cp {} '{out}'
	[[ $stderr == *'1 of 5 tasks failed (1 exit 126), 4 done before'* ]]
	echo new >d/in
	sed -i 5d tasks.jsonl
	pinion_map --jsonl tasks.jsonl --output '{o}/{}.out' cp {} '{out}'
	[[ $stderr == *'2 of 4 tasks done before'* ]]
	sed -i 3d tasks.jsonl
	mkdir w
	mv d -- -e in w
	pinion_map --wd w --jsonl tasks.jsonl --output '{o}/{}.out' sh -c 'echo new; cp "$0" "$1"' {} '{out}'
	pinion_map --wd w --jsonl tasks.jsonl --output '{o}/{}.out' sh -c 'echo new; cp "$0" "$1"' {} '{out}'
	[[ $stderr == *'3 of 3 tasks done before'* ]]
}

@test "a file is made again when its line of JSON changes what its task runs with" {
	echo '{"env": {"Q": "1"}, "args": ["a"]}' >tasks.jsonl
	pinion_map --jsonl tasks.jsonl --output {} 'echo $Q >{out}; : {}'
	echo '{"env": {"Q": "2"}, "id": "x", "args": ["a"]}' >tasks.jsonl
	pinion_map --jsonl tasks.jsonl --output {} 'echo $Q >{out}; : {}'
	assert_equal "$(cat a)" 2
	echo '{"env": {"Q": "2"}, "timeout": 60, "args": ["a"]}' >tasks.jsonl
	pinion_map --jsonl tasks.jsonl --output {} 'echo $Q >{out}; : {}'
	[[ $stderr == *'1 of 1 task done before'* ]]
}

@test "a joblog that is resumed learns of files that are there" {
	pinion map -j1 --joblog log --output out.{} 'echo {} >{out}' ::: a b c
	sed -i 3d log # as if killed between the name and the line
	run timeout 30 pinion map -j1 --joblog log --resume --output out.{} 'echo {} >{out}' ::: a b c d
	assert_equal "$status $output" '0 pinion map: 3 of 4 tasks done before'
	assert_equal "$(tail -n +2 log | cut -f 1,7,8 | sort | xargs)" '1 0 0 2 0 0 3 0 0 4 0 0'
	run timeout 30 pinion map -j1 --joblog log --resume --output out.{} 'echo {} >{out}' ::: a b c d
	assert_equal "$(wc -l <log)" 5
}

# --- kill -9; PINION_STRESS=200 says how often ---

holds_when_killed() {
	local rounds
	rounds=$(rounds 8)
	run timeout $((60 + 10 * rounds)) "$BATS_TEST_DIRNAME/kill-outputs" "$1" "$rounds" "$PWD/rounds"
	assert_equal "$output" ''
	assert_equal "$status" 0
}

@test "the coordinator may die at any instant: nothing is half written, and nothing left" {
	holds_when_killed coordinator
}

@test "a worker may die at any instant: nothing is half written, and nothing left" {
	holds_when_killed worker
}

@test "a task may die at any instant: nothing is half written, and nothing left" {
	holds_when_killed task
}
