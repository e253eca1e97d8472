# The same program by the name `parallel`, for scripts written for GNU parallel.
# shellcheck shell=bats

load helper

# The name is in a folder that is first on PATH, as `make install-parallel` would have it.
setup() {
	common_setup
	mkdir "$BATS_TEST_TMPDIR/bin"
	ln -s "$(type -P pinion)" "$BATS_TEST_TMPDIR/bin/parallel"
	gnu_parallel_path=$(type -P parallel || true)
	PATH=$BATS_TEST_TMPDIR/bin:$PATH
	unset SHELL
}

# same_as_gnu ARGUMENTS...: stdout and status are those of GNU parallel, byte for byte, with what
# is our stdin as stdin.
same_as_gnu() {
	[[ -n $gnu_parallel_path && $("$gnu_parallel_path" --version </dev/null) == "GNU parallel"* ]] ||
		skip "GNU parallel is not installed"
	local gnu_status=0 our_status=0
	cat >stdin
	PARALLEL_SHELL=/bin/sh "$gnu_parallel_path" --will-cite "$@" <stdin >gnu.out 2>gnu.err || gnu_status=$?
	PARALLEL_SHELL=/bin/sh parallel "$@" <stdin >our.out 2>our.err || our_status=$?
	assert_equal "$our_status" "$gnu_status"
	assert_same_bytes our.out gnu.out
}

@test "what could not be executed is told, of which no shell can tell" {
	echo >plain
	run --separate-stderr pinion parallel ./plain ::: a
	assert_equal "$status" 1
	[[ $stderr == *'cannot execute: Permission denied: ./plain a'* ]]
	run --separate-stderr pinion parallel -a <(head -c 200000 /dev/zero | tr '\0' x) echo
	assert_equal "$status" 1
	[[ $stderr == *'cannot execute: Argument list too long'* ]]
	run --separate-stderr pinion parallel --quiet ./plain ::: a
	assert_equal "$status $stderr" '1 '
	run --separate-stderr pinion parallel 'exit {}' ::: 1
	assert_equal "$status $stderr" '1 '
}

@test "the name parallel is enough" {
	assert_equal "$(parallel -k echo {} x ::: 1 2)" $'1 x\n2 x'
	assert_equal "$(parallel --version | head -n 1)" "$(pinion parallel --version | head -n 1)"
}

@test "messages are in the name of parallel" {
	run --separate-stderr parallel --no-such-option echo ::: 1
	assert_equal "$status" 255
	[[ $stderr == *parallel:* ]]
}

@test "a program called by another name is pinion" {
	[[ ${PINION_TEST_MODE-} != valgrind ]] || skip "valgrind runs it by one of two names"
	ln -s "$(type -P pinion)" "$BATS_TEST_TMPDIR/bin/xparallel"
	run --separate-stderr xparallel echo ::: 1
	assert_equal "$status" 2
}

@test "several words are joined and given to the shell" {
	assert_equal "$(parallel -k echo {} '|' tr a-z A-Z ::: ab cd)" $'AB\nCD'
	assert_equal "$(parallel -k echo '$((1+' {} '))' ::: 2 3)" $'3\n4'
}

@test "values are quoted for the shell" {
	assert_equal "$(parallel -k echo ::: 'a  b' '$x' "it's" ';' '*')" $'a  b\n$x\nit\'s\n;\n*'
}

@test "the exit status is the number of failed tasks, up to 101" {
	status=0
	parallel true ::: 1 2 3 || status=$?
	assert_equal "$status" 0
	parallel exit ::: 0 1 2 3 || status=$?
	assert_equal "$status" 3
	seq 100 | parallel 'false {}' || status=$?
	assert_equal "$status" 100
	seq 150 | parallel 'false {}' || status=$?
	assert_equal "$status" 101
}

@test "no summary of failed tasks is printed" {
	run --separate-stderr parallel 'exit {}' ::: 1 2
	assert_equal "$status" 2
	assert_equal "$stderr" ''
}

@test "what published scripts say to silence GNU parallel is accepted" {
	for flags in --will-cite --no-notice --gnu --plain --citation '--will-cite --no-notice --gnu --plain' \
		'--nn' '--bibtex'; do
		# shellcheck disable=SC2086  # several words
		assert_equal "$(parallel $flags -k echo ::: 1 2 2>&1)" $'1\n2'
	done
}

@test "defaults are those of GNU parallel" {
	same_as_gnu -k echo ::: 'a b' c <<<''
	same_as_gnu -k echo '{}' '{.}' '{/}' '{//}' '{/.}' '{#}' ::: /a/b.c d.e.f g <<<''
	same_as_gnu -k 'echo {1}-{2}' ::: a b ::: c d <<<''
	same_as_gnu -k 'echo {1}-{2}' ::: a b :::+ c d <<<''
	same_as_gnu -k -j1 -X echo x{}y ::: a b c <<<''
	same_as_gnu -k -N2 echo '{2}' '{1}' ::: a b c d <<<''
	same_as_gnu -k --colsep , echo '{2}' '{1}' ::: a,b c,d <<<''
	same_as_gnu -k -q echo 'a  b' {} ::: x <<<''
}

@test "lines of stdin are taken as GNU parallel takes them" {
	same_as_gnu -k echo < <(printf 'a b\n\n  c  \nlast')
	same_as_gnu -k < <(printf 'echo one\necho two; echo three\n')
	same_as_gnu -k -0 echo < <(printf 'a\0b c\0')
	same_as_gnu -k 'echo {}; exit {}' < <(printf '0\n1\n2\n')
}

@test "the first task has our stdin when values are in a file" {
	seq 2 >values
	assert_equal "$(echo 'from stdin' | parallel -k -j1 -a values 'cat; echo {}')" $'from stdin\n1\n2'
}

@test "tasks do not take lines of stdin that are for others" {
	assert_equal "$(seq 4 | parallel -k 'cat; echo {}')" $'1\n2\n3\n4'
}

# --- options in $PARALLEL ---

@test "options in PARALLEL come first" {
	assert_equal "$(PARALLEL='-k --tag' parallel echo ::: 1 2)" $'1\t1\n2\t2'
	assert_equal "$(PARALLEL='--tagstring "a b"' parallel -k echo ::: 1)" $'a b\t1'
	assert_equal "$(PARALLEL='-k -I ,,' parallel echo ,, ::: 1 2)" $'1\n2'
}

@test "options of the command line override those in PARALLEL" {
	assert_equal "$(PARALLEL='--tagstring x' parallel --tagstring y echo ::: 1)" $'y\t1'
}

@test "PARALLEL means nothing to map" {
	assert_equal "$(PARALLEL='--tag' pinion map echo ::: 1)" 1
}

@test "--plain keeps PARALLEL out" {
	assert_equal "$(PARALLEL='--tag' parallel --plain echo ::: 1)" 1
}

@test "what is wrong in PARALLEL is said to be there" {
	status=0
	PARALLEL='--no-such-option' parallel echo ::: 1 2>err || status=$?
	assert_equal "$status" 255
	grep -qF '$PARALLEL' err
}

# --- the shell ---

# The program that is the task's shell: no `exec`, no last command that the shell becomes.
which_shell='readlink /proc/$$/exe; : {}'

resolved() {
	readlink -f "$(type -P "$1")"
}

@test "the shell is PARALLEL_SHELL" {
	for shell in sh bash; do
		assert_equal "$(PARALLEL_SHELL=$(type -P $shell) parallel "$which_shell" ::: 1)" "$(resolved $shell)"
	done
}

@test "PARALLEL_SHELL may be a name found in PATH" {
	assert_equal "$(PARALLEL_SHELL=bash parallel "$which_shell" ::: 1)" "$(resolved bash)"
}

@test "a PARALLEL_SHELL that cannot be run is an error that names it" {
	status=0
	PARALLEL_SHELL=/no/such/shell parallel echo ::: 1 2>err || status=$?
	assert_equal "$status" 255
	grep -qF /no/such/shell err
}

@test "PARALLEL_SHELL is more than the shell we come from" {
	PARALLEL_SHELL=/bin/sh bash -c 'parallel "$1" ::: 1; :' bash "$which_shell" >actual
	assert_equal "$(cat actual)" "$(resolved sh)"
}

@test "the shell is that from which it was called" {
	for shell in sh bash; do
		assert_equal "$(SHELL=/bin/false $shell -c 'parallel "$1" ::: 1; :' "$shell" "$which_shell")" \
			"$(resolved $shell)"
	done
}

@test "the shell is the nearest one above" {
	assert_equal "$(bash -c 'env nice parallel "$1" ::: 1; :' bash "$which_shell")" "$(resolved bash)"
}

@test "pinion map has /bin/sh whatever the shell it was called from" {
	assert_equal "$(bash -c 'SHELL=/bin/bash pinion map "$1" ::: 1; :' bash "$which_shell")" "$(resolved sh)"
	assert_equal "$(PARALLEL_SHELL=$(type -P bash) pinion map "$which_shell" ::: 1)" "$(resolved sh)"
}

@test "bash syntax works from bash" {
	assert_equal "$(bash -c 'parallel -k "[[ {} == a* ]] && x=({} z) && echo \${x[1]}\${x[0]^^}" ::: ab ac')" \
		$'zAB\nzAC'
}

@test "exported functions work from bash" {
	[[ ${PINION_TEST_MODE-} != valgrind ]] || skip "the sh that starts valgrind drops functions"
	work() {
		echo "work on $1"
	}
	export -f work
	assert_equal "$(parallel -k work ::: 'a b' c)" $'work on a b\nwork on c'
	assert_equal "$(seq 3 | parallel -k 'work {}')" $'work on 1\nwork on 2\nwork on 3'
}

@test "exported functions that call others work from bash" {
	[[ ${PINION_TEST_MODE-} != valgrind ]] || skip "the sh that starts valgrind drops functions"
	inner() {
		printf '<%s>' "$@"
	}
	outer() {
		inner "$1" "$2"
		echo
	}
	export -f inner outer
	assert_equal "$(parallel -k outer '{1}' '{2}' ::: 'a b' ::: c "it's")" $'<a b><c>\n<a b><it\'s>'
}

@test "exported variables are there in the tasks, also those that --env names" {
	export word='some words'
	assert_equal "$(parallel --env word 'echo "$word {}"' ::: 1)" 'some words 1'
}

@test "the number of the task and of its slot are in the environment" {
	assert_equal "$(parallel -k -j1 'echo $PARALLEL_SEQ $PARALLEL_JOBSLOT; : {}' ::: a b)" $'1 1\n2 1'
}
