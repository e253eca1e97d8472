# Values reach the command as they are, nothing in them is ever run; when a shell is used.
# shellcheck shell=bats
# shellcheck disable=SC1083,SC1003,SC2088  # {} is a replacement string, \ and ~ are meant

load helper

# Values that would do something, were they seen by a shell.
bait=('$(touch pwned)' '`touch pwned`' '; touch pwned' '| touch pwned' '& touch pwned' '> pwned'
	"'; touch pwned; '" '"; touch pwned; "' $'\ntouch pwned\n' "'" '"' '\' '\\' "\\'; touch pwned; :" '*' '?'
	'[a-z]' '~' '{a,b}' '$HOME' '!!' '#' '' ' ' '  a  b ' $'\t' '-n' '--' '=' 'a=b' '()' '&&' '||' '%s'
	'{}' '{1}' '{.}' '{#}' $'a\rb' $'\e[1m' 'ä')

# arrived FILE: the values as `printf '%s\0'` printed them, all there, and none was run.
arrived() {
	printf '%s\0' "${bait[@]}" >expected
	assert_same_bytes "$1" expected
	[[ ! -e pwned ]]
}

# The command lines that `pinion ARGUMENTS` executed, its own left out.
executed() {
	rm -f trace.*
	# A file for each process, so that no line is torn.
	strace -ff -qq -e trace=execve -e signal=none -o trace pinion "$@" >printed 2>&1 || true
	sed -n '/= 0$/!d; /\["pinion"/d; s/^execve("[^"]*", \[\(.*\)\], 0x.*/\1/p' trace.* | tr -d '",'
}

@test "a command of several words gets each value as one argument" {
	pinion map printf '%s\0' {} ::: "${bait[@]}" >printed
	arrived printed
	pinion map printf '%s\0' ::: "${bait[@]}" >printed
	arrived printed
}

@test "a command line gets each value quoted" {
	pinion map "printf '%s\\0' {}" ::: "${bait[@]}" >printed
	arrived printed
	# With something for a shell to do.
	pinion map "printf '%s\\0' {} | cat" ::: "${bait[@]}" >printed
	arrived printed
}

@test "a command line in the manner of GNU parallel gets each value quoted" {
	pinion parallel -k -0 "printf '%s\\0'" {} ::: "${bait[@]}" >printed
	arrived printed
	pinion parallel -k -0 "printf '%s\\0' {} | cat" ::: "${bait[@]}" >printed
	arrived printed
	pinion parallel -k -0 -q printf '%s\0' ::: "${bait[@]}" >printed
	arrived printed
}

@test "values from a file are no different" {
	printf '%s\0' "${bait[@]}" >values
	pinion map -0 printf '%s\0' {} <values >printed
	arrived printed
	pinion map -0 -a values "printf '%s\\0' {} | cat" >printed
	arrived printed
}

@test "many values in one command are one argument each" {
	pinion map -X -j1 printf '%s\0' {} ::: "${bait[@]}" >printed
	arrived printed
	pinion map -m -j1 "printf '%s\\0' {} | cat" ::: "${bait[@]}" >printed
	arrived printed
	pinion parallel -0 -m -j1 "printf '%s\\0' {} | cat" ::: "${bait[@]}" >printed
	arrived printed
}

@test "bash, dash and sh read the quotes alike" {
	local shell
	for shell in bash dash sh; do
		type -P "$shell" >/dev/null || continue
		PARALLEL_SHELL=$(type -P "$shell") \
			pinion parallel -k -0 "printf '%s\\0' {} | cat" ::: "${bait[@]}" >printed
		arrived printed
	done
}

@test "tags and edited values are put in safely too" {
	pinion map --rpl '{u} s/^//' "printf '%s\\0' {u} | cat" ::: "${bait[@]}" >printed
	arrived printed
	pinion map --tagstring '{}' true {} ::: "${bait[@]}"
	[[ ! -e pwned ]]
}

@test "an argument that is empty stays an argument" {
	run pinion map sh -c 'echo $#' sh {} '' x{} ::: ''
	assert_equal "$output" 3
	run pinion parallel 'set -- {} {}; echo $#' ::: ''
	assert_equal "$output" 2
}

@test "words of the command are as they are in map, and the shell's in parallel" {
	run pinion map printf '<%s>' '$HOME' '*' 'a  b' {} ::: v
	assert_equal "$output" '<$HOME><*><a  b><v>'
	run pinion parallel echo '$((1+2))' '"a  b"' {} ::: v
	assert_equal "$output" '3 a  b v'
	run pinion parallel -q echo '$((1+2))' 'a  b' {} ::: v
	assert_equal "$output" '$((1+2)) a  b v'
}

@test "a command line may use all that a shell has" {
	run pinion map 'for i in 1 2; do x={}; echo "$i$x"; done | tail -n 1' ::: 'a b'
	assert_equal "$output" '2a b'
	run pinion map 'cd / && pwd; : {}' ::: a
	assert_equal "$output" /
	run pinion map 'X={} printenv X' ::: 'a b'
	assert_equal "$output" 'a b'
	run pinion map 'exit {}' ::: 0
	assert_equal "$status" 0
}

@test "without a command each input is a command line" {
	run pinion map -j1 < <(printf '%s\n' 'echo "a  b"' 'echo 1; echo 2' 'echo $((1 + 2)) | cat')
	assert_equal "$output" $'a  b\n1\n2\n3'
	run pinion map ::: 'exit 3' true
	assert_equal "$status" 1
}

@test "bash syntax and exported functions work in parallel, from bash" {
	greet() { echo "hello $1"; }
	export -f greet
	run bash -c 'pinion parallel -k greet ::: a "b  c"; :'
	assert_equal "$output" $'hello a\nhello b  c'
	run bash -c 'pinion parallel "[[ {} == a* ]] && echo yes" ::: ab; :'
	assert_equal "$output" yes
}

@test "what is not found is told apart from an exit with 127" {
	run --separate-stderr pinion map no-such-program {} ::: a
	assert_equal "$status" 1
	[[ $stderr == *'cannot execute: No such file or directory'* ]]
	run --separate-stderr pinion map 'no-such-program {}' ::: a
	[[ $stderr == *'exit 127'* ]]
	run --separate-stderr pinion map 'exit 127; : {}' ::: a
	[[ $stderr == *'exit 127'* ]]
}

@test "what has nothing for a shell to do is executed without one" {
	needs_strace
	assert_equal "$(executed map -j1 ls -d {} ::: .)" 'ls -d .'
	assert_equal "$(executed map -j1 'ls -d {}' ::: .)" 'ls -d .'
	assert_equal "$(executed map -j1 ls ::: .)" 'ls .'
	assert_equal "$(executed map -j1 "ls -d '.' \"..\" {}" ::: .)" 'ls -d . .. .'
	assert_equal "$(executed map -j1 ::: 'ls -d .')" 'ls -d .'
	assert_equal "$(executed parallel -j1 ls -d {} ::: .)" 'ls -d .'
	assert_equal "$(executed parallel -j1 ::: 'ls -d .')" 'ls -d .'
}

@test "what has something for a shell to do goes to the shell" {
	needs_strace
	local line
	for line in 'echo {}' 'ls -d {} | cat' 'ls -d $HOME {}' 'X=1 ls {}' 'ls -d * {}' 'cd {}' '~/x {}' \
		'ls -d {} # all' 'ls -d {};' 'ls -d {} >x' 'ls -d `pwd` {}' 'test -e {}' '! ls {}' '(ls {})'; do
		executed map -j1 "$line" ::: . >lines
		grep -q '^/bin/sh -c ' lines || assert_equal "$line: $(<lines)" 'a shell'
	done
}

@test "a function of the name of a program is the shell's to run" {
	ls() { echo "mine $1"; }
	export -f ls
	run bash -c 'pinion parallel ls {} ::: a; :'
	assert_equal "$output" 'mine a'
}
