# --jobserver: the workers' cores shared with what tasks start, under GNU make's rules, as its
# server and as its client.
# shellcheck shell=bats
# shellcheck disable=SC2154  # bats sets output, stderr and status
# shellcheck disable=SC2016  # the tasks' shell expands, not ours

load helper

# ./compile [MANY [COMMAND...]]: counts how many of it run. Waits for the moment when MANY do,
# as far as it comes within 20 s; then the last of them to come runs COMMAND.
setup() {
	common_setup
	echo 0 >running
	cat >compile <<-'END'
		#!/bin/bash
		count() {
			exec 9>lock
			flock 9
			running=$(($(<running) + $1))
			echo "$running" | tee -a counts >running
			exec 9>&-
		}
		many=${1:-1}
		count 1
		if ((running >= many)); then
			: >"many.$many"
			"${@:2}"
		fi
		for ((i = 0; i < 1000; i++)); do
			[[ -e many.$many ]] && break
			sleep 0.02
		done
		count -1
	END
	chmod +x compile
	# As many objects as wanted, each by one compiler, all at once if make may.
	cat >Makefile <<-'END'
		N = 6
		MANY = 1
		all: $(addprefix object,$(shell seq $(N)))
		object%:; @./compile $(MANY) $(COMMAND)
	END
}

bounded() {
	timeout $((50 * $(slowness))) "$@"
}

# assert_peak N: so many compilers ran at once, and never more.
assert_peak() {
	assert_equal "$(sort -n counts | tail -1)" "$1"
}

# How many have run.
compiled() {
	awk '$1 > last { count++ } { last = $1 } END { print count + 0 }' counts
}

# What make says when it has not got all its tokens back.
assert_tokens_back() {
	[[ $1 != *INTERNAL* ]]
}

@test "two makes on four workers run four compilers at once, and never more" {
	for method in fork spawn forkserver; do
		rm -f counts many.*
		bounded pinion map -j4 --jobserver --start-method "$method" \
			make -s MANY=4 N=8 TASK={} ::: a b
		assert_peak 4
		assert_equal "$(compiled)" 16
	done
}

@test "makes that share nothing run more: the compilers are counted" {
	bounded pinion map -j4 make -s -j4 MANY=5 N=8 TASK={} ::: a b
	(($(sort -n counts | tail -1) > 4))
}

@test "one make gets all cores when it is alone, and while others do not use theirs" {
	bounded pinion map -j5 --jobserver make -s MANY=5 N=9 TASK={} ::: a
	assert_peak 5
	rm counts many.5
	bounded pinion map -j5 --jobserver ::: 'make -s MANY=3 N=9; : >done' \
		'until [ -e done ]; do sleep 0.02; done' 'until [ -e done ]; do sleep 0.02; done'
	assert_peak 3
}

@test "a task beyond starts when a make gives a core back" {
	mkfifo input
	bounded pinion map -j2 --jobserver <input 3>&- &
	pid=$!
	exec 8>input
	echo 'make -s MANY=2 N=20' >&8
	wait_until test -e many.2
	echo 'echo "$(<running)" >second' >&8
	exec 8>&-
	wait "$pid"
	[[ -e second ]]
	assert_peak 2
}

@test "tokens of a killed task come back, while others run" {
	mkfifo input
	: >log
	bounded pinion map -j4 --jobserver --joblog log <input 3>&- &
	pid=$!
	exec 8>input
	echo 'until [ -e done ]; do sleep 0.02; done' >&8
	# Three compilers, then make is killed with two tokens; pinion ends the compilers.
	echo 'make -s MANY=3 N=6 COMMAND='\''eval kill -KILL $$PPID; sleep 100'\' >&8
	wait_until grep -q 'make -s' log
	echo 0 >running
	rm counts many.3
	echo 'make -s MANY=3 N=9; : >done' >&8
	exec 8>&-
	wait "$pid" || [[ $? -eq 1 ]]
	assert_equal "$(cut -f7,8 log | sort | tr '\t\n' ':;')" '0:0;0:0;0:9;Exitval:Signal;'
	assert_peak 3
	assert_nothing_left
}

@test "the user's flags and variables for make are kept" {
	echo 'all:; @echo $(COLOUR)' >colour.mk
	MAKEFLAGS='k -- COLOUR=red' run bounded pinion map -j3 --jobserver=pipe ::: \
		'echo "$MAKEFLAGS"; make -s -f colour.mk'
	[[ ${lines[0]} =~ ^k\ -j3\ --jobserver-auth=[0-9]+,[0-9]+\ --\ COLOUR=red$ ]]
	assert_equal "${lines[1]}" red
	run bounded pinion map --jobserver=pipe ::: 'echo "$CARGO_MAKEFLAGS"'
	[[ $output =~ ^-j\ --jobserver-fds=([0-9]+,[0-9]+)\ --jobserver-auth=([0-9]+,[0-9]+)$ ]]
	assert_equal "${BASH_REMATCH[1]}" "${BASH_REMATCH[2]}"
}

@test "tasks see the two descriptors of the jobserver, and no other" {
	list='for fd in /proc/self/fd/*; do [ -p "$fd" ] && [ "${fd##*/}" -gt 2 ] && echo "$fd"; done; :'
	run bounded pinion map --jobserver=pipe ::: "$list"
	assert_equal "${#lines[@]}" 2
	run bounded pinion map --jobserver=fifo ::: "$list"
	assert_equal "$output" ''
	run bounded pinion map ::: "$list"
	assert_equal "$output" ''
}

@test "with fifo tasks get a path, and nothing lies about afterwards" {
	mkdir tmp
	TMPDIR=$PWD/tmp run bounded pinion map -j3 --jobserver=fifo ::: '
		path=${MAKEFLAGS##*--jobserver-auth=fifo:}
		exec 7<>"$path"
		dd bs=1 count=2 <&7 2>/dev/null | tee taken >&7
		wc -c <taken'
	assert_equal "$output" 2
	assert_equal "$(ls tmp)" ''
}

@test "a pinion in a task shares the cores, too" {
	bounded pinion map -j3 --jobserver ::: \
		'pinion map -j8 ./compile 3 {#} ::: a b c d e f' \
		'pinion map -j8 make -s N=3 MANY=3 TASK={} ::: a b'
	assert_peak 3
	assert_equal "$(compiled)" 12
}

@test "--jobserver=none leaves all as it was" {
	MAKEFLAGS=k run bounded pinion map --jobserver=none ::: 'echo "$MAKEFLAGS/$CARGO_MAKEFLAGS"'
	assert_equal "$output" k/
}

@test "the other verbs take it" {
	run bounded pinion parallel -j2 --jobserver=pipe 'make -s N={} ; :' ::: 2 3
	assert_equal "$status" 0
	assert_equal "$(compiled)" 5
	run bounded pinion feed -j2 --jobserver=pipe cat ::: a b c
	assert_equal "$output" $'a\nb\nc'
	echo '{"command": "make -s N=4 MANY=2 TASK={}", "inputs": [{"args": ["a"]}], "jobserver": "auto", "workers": 2}' >job
	bounded pinion run job
	assert_peak 2
}

# --- under make ---

outer() {
	printf '%s\n' "$@" >outer.mk
	run bounded make -f outer.mk "${make_options[@]}"
}

@test "under make -j it is a client, and so is what its tasks start" {
	make_options=(-s -j3)
	outer 'all: one two' \
		'one:; +pinion map -j8 make -s MANY=3 TASK={} ::: a b' \
		'two:; +$(MAKE) -s -f Makefile MANY=3'
	assert_equal "$status" 0
	assert_peak 3
	assert_equal "$(compiled)" 18
	assert_tokens_back "$output"
}

@test "the stages of a job are one client" {
	make_options=(-s -j3)
	cat >job.json <<-'END'
		{"inputs": [{"args": ["a", "b", "c", "d", "e"]}],
		 "stages": [{"command": "./compile 1; echo {}", "workers": 4},
			    {"command": "./compile 3", "workers": 4}]}
	END
	outer 'all:; +pinion run job.json'
	assert_equal "$status" 0
	assert_peak 3
	assert_equal "$(compiled)" 10
	assert_tokens_back "$output"
}

@test "make gets its tokens back however we end" {
	for method in fork spawn; do
		for signal in TERM INT HUP KILL ABRT; do
			rm -f pid started many.3
			make_options=(-j4)
			outer 'all: one two' \
				"one:; +-@echo \$\$\$\$ >pid; ulimit -c 0; exec pinion map -j8 --start-method $method ::: './compile 3 touch started; sleep 100' './compile 3 touch started; sleep 100' './compile 3 touch started; sleep 100' 2>/dev/null" \
				"two:; +-@until [ -e started ]; do sleep 0.02; done; kill -$signal \$\$(cat pid)"
			[[ $output == *"(ignored)"* ]]
			assert_tokens_back "$output"
			echo 0 >running
		done
	done
	assert_nothing_left
}

@test "make notices a token that does not come back: the check above can fail" {
	make_options=(-j4)
	outer 'all:; +@auth=$${MAKEFLAGS##*auth=}; dd bs=1 count=1 <&$${auth%%,*} >/dev/null 2>&1'
	[[ $output == *INTERNAL* ]]
}

@test "where make does not know of us, --jobserver says so and shares our own cores" {
	make_options=(-s -j4)
	outer 'all:; pinion map -j2 --jobserver make -s MANY=2 TASK={} ::: a b'
	[[ $output == *"put + in front of its line in the makefile"* ]]
	assert_equal "$status" 0
	assert_peak 2
	outer 'all:; pinion map -j2 echo {} ::: a b'
	assert_equal "$output" $'a\nb'
}

@test "make -n with + prints what would be run" {
	make_options=(-s -n -j2)
	outer 'all:; +pinion map touch {} ::: file'
	[[ $output == *"touch file"* ]]
	[[ ! -e file ]]
}

@test "input that cannot be read is an error, as without tokens" {
	for option in --jobserver --jobserver=none; do
		run -3 --separate-stderr pinion map "$option" -a /proc/self/mem echo
		assert_equal "$output${stderr_lines[0]}" 'pinion map: cannot read /proc/self/mem: Input/output error'
	done
}
