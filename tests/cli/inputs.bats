# Where inputs come from, how they are cut, combined and grouped, and that they are streamed.
# shellcheck shell=bats
# shellcheck disable=SC1083  # {} is a replacement string

load helper

# gives EXPECTED ARGUMENTS...: `pinion map ARGUMENTS` prints EXPECTED and all is well.
gives() {
	run --separate-stderr pinion map "${@:2}"
	# shellcheck disable=SC2154  # run sets them
	assert_equal "$output$stderr" "$1"
	assert_equal "$status" 0
}

# usage_error PATTERN ARGUMENTS...: one line on stderr, like PATTERN; 2 and 255; nothing is run.
usage_error() {
	local verb expected
	for verb in map parallel; do
		expected=2
		[[ $verb == map ]] || expected=255
		run --separate-stderr pinion "$verb" "${@:2}" touch ran ::: 1 </dev/null
		if [[ $status != "$expected" || -n $output || ${#stderr_lines[@]} != 1 ||
			$stderr != "pinion $verb: "$1 || -e ran ]]; then
			printf '%q ' "$verb" "${@:2}" >&2
			printf '\nstatus %s\nstdout %q\nstderr %q\n' "$status" "$output" "$stderr" >&2
			return 1
		fi
	done
}

peak_kib() {
	awk '/^VmHWM/ { print $2 }' "/proc/$1/status" 2>/dev/null
}

# dry_run_peak_kib LINES: of the coordinator after all lines, which come from a pipe.
dry_run_peak_kib() {
	local pid kib
	mkfifo in out
	pinion map --dry-run echo {} <in >out 3>&- &
	pid=$!
	exec 7>in 8<out
	seq "$1" >&7 &
	# The last line: everything is through, and the input is still open.
	grep -qx "echo $1" <&8
	kib=$(peak_kib "$pid")
	exec 7>&-
	cat <&8 >/dev/null
	exec 8<&-
	wait "$pid"
	rm in out
	echo "$kib"
}

@test "stdin is cut at newlines, with or without one at the end" {
	gives $'[a]\n[b c]\n[]\n[d]' 'echo [{}]' < <(printf 'a\nb c\n\nd')
	gives $'[a]' 'echo [{}]' < <(printf 'a\n')
}

@test "no input is no task, an empty line is one" {
	gives '' touch ran {} </dev/null
	gives '' touch ran {} :::
	gives '' touch ran {} :::: /dev/null
	[[ ! -e ran ]]
	gives '[]' 'echo [{}]' <<<''
	gives '[]' 'echo [{}]' ::: ''
}

@test "sources are combined each with each, the last fastest" {
	printf '1\n2\n' >numbers
	gives $'a 1\na 2\nb 1\nb 2' echo ::: a b :::: numbers
	gives $'1 x\n1 y\n2 x\n2 y' -a numbers echo ::: x y
	gives $'a 1 x\na 2 x' -a - echo :::: numbers ::: x <<<a
}

@test "a linked source goes in step and ends with the shorter one" {
	gives $'a 1\nb 2' echo ::: a b c :::+ 1 2
	gives $'a 1 x\na 1 y\nb 2 x\nb 2 y' echo ::: a b :::+ 1 2 ::: x y
	printf '1\n2\n' >numbers
	gives $'a 1\nb 2' echo ::: a b c ::::+ numbers
	gives $'1 a\n2 b' echo :::: numbers :::+ a b c
}

@test "--link goes on with the longest, the shorter ones start again" {
	gives $'a 1\nb 2\nc 1' --link echo ::: a b c ::: 1 2
	gives $'a 1\nb 2\na 3' --xapply echo ::: a b ::: 1 2 3
}

@test "a value on the command line is one input whatever is in it" {
	gives $'<a\nb>\n<c>' sh -c 'printf "<%s>\n" "$1"' sh {} ::: $'a\nb' c
	gives $'<a,b>' -d , sh -c 'printf "<%s>\n" "$1"' sh {} ::: a,b
}

@test "delimiters" {
	gives $'[a\nb]\n[c]' -0 'echo [{}]' < <(printf 'a\nb\0c\0')
	gives $'[a]\n[b]\n[]' -d , 'echo [{}]' < <(printf 'a,b,,')
	gives $'[a]\n[b]' -d '\t' 'echo [{}]' < <(printf 'a\tb')
	gives $'[a]\n[b]' -d '\x2c' 'echo [{}]' < <(printf 'a,b')
	gives $'[a]\n[b]' -d '\054' 'echo [{}]' < <(printf 'a,b')
	gives $'[a]\n[b]' -d '\0' 'echo [{}]' < <(printf 'a\0b')
	gives $'[a]\n[b]' -d ' ' 'echo [{}]' < <(printf 'a b')
}

@test "-E ends the input" {
	gives $'a\nb' -E END echo < <(printf 'a\nb\nEND\nc\n')
	gives a -E END echo ::: a END c
	gives $'a\nb' --eof=END echo < <(printf 'a\nb\nEND')
	# What comes after it is not even read.
	mkfifo endless
	exec 7<>endless
	printf 'a\nEND\n' >&7
	gives a -E END echo {} <endless
	exec 7>&-
}

@test "-r skips what is empty or blank" {
	gives $'[a]\n[b]' -r 'echo [{}]' < <(printf '\na\n  \n\t\nb\n')
	gives '' -r touch ran ::: '' ' '
	[[ ! -e ran ]]
}

@test "--trim" {
	gives $'[a b ]' --trim l 'echo [{}]' ::: ' a b '
	gives $'[ a b]' --trim r 'echo [{}]' ::: ' a b '
	gives $'[a b]' --trim lr 'echo [{}]' ::: $' \ta b\t '
	gives $'[ a b ]' --trim n 'echo [{}]' ::: ' a b '
}

@test "--colsep cuts items into columns" {
	gives $'[a][b][][c d]' --colsep , sh -c 'printf "[%s]" "$@"' sh {1} {2} {3} {4} < <(printf 'a, b,,c d\n')
	gives $'c a' -C '\t+' echo {3} {1} < <(printf 'a\t\tb\tc\n')
	gives $'a b c' -C '[,;]' echo {1} {2} {3} ::: 'a,b;c'
	gives $'[a] [b]' -C ' ' 'echo [{1}] [{-1}]' ::: 'a x b'
	gives $'a 1\na 2' -C , echo {1} {3} ::: a,b ::: 1,x 2,y
}

@test "--header names the columns" {
	printf 'name,age\nann,5\nbob,7\n' >people
	gives $'5 ann\n7 bob' --header : -C , -a people echo {age} {name}
	gives $'5 ann\n7 bob' --header : -C , -a people echo {2} {1}
	gives $'a d d/a' --header : echo {f/.} {f//} {f.} ::: f d/a.c
	gives $'1 x\n1 y\n2 x\n2 y' --header : echo {n} {m} ::: n 1 2 ::: m x y
	gives $'2 1' --header : echo {b} {a} < <(printf 'a\tb\n1\t2\n')
	gives '{nobody} 1' --header : echo '{nobody}' {a} ::: a 1
	gives '' --header : touch ran ::: onlyname
	[[ ! -e ran ]]
}

@test "-n and -N make one task of several inputs" {
	gives $'1 2\n3' -n2 echo ::: 1 2 3
	gives $'a1 2b\na3b' -n2 'echo a{}b' ::: 1 2 3
	gives $'a1b a2b\na3b' -N2 'echo a{}b' ::: 1 2 3
	gives $'2-1\n-3' -N2 'echo {2}-{1}' ::: 1 2 3
	gives $'hi\nhi' -n0 'echo hi' ::: 1 2
	gives $'hi 1\nhi 2' -N0 echo hi {#} ::: a b
	gives $'a 1 a 2\nb 1 b 2' -n2 echo ::: a b ::: 1 2
}

@test "-L counts lines; one that ends in a blank goes on with the next" {
	gives $'1 2\n3' -L2 echo ::: 1 2 3
	gives $'[a b]\n[c]' -L1 'echo [{}]' < <(printf 'a \nb\nc\n')
	gives $'a b c\nd e' -L2 echo < <(printf 'a \nb\nc\nd\ne\n')
}

@test "-X and -m fill commands and share the rest among the workers" {
	gives '1 2 3 4 5 6' -X -j1 echo ::: 1 2 3 4 5 6
	gives $'a1b a2b a3b\na4b a5b a6b' -X -j2 'echo a{}b' ::: 1 2 3 4 5 6
	gives $'a1 2 3b\na4 5 6b' -m -j2 'echo a{}b' ::: 1 2 3 4 5 6
	gives '1 2 3 4 5 6' --xargs -j2 echo ::: 1 2 3 4 5 6
	gives $'1 2 3 4\n5 6' --xargs -n4 -j2 echo ::: 1 2 3 4 5 6
	gives $'1\n2\n3' -X -j4 echo ::: 1 2 3
}

@test "-s bounds the command's length" {
	local line
	seq 200 | pinion map --xargs -s 50 echo >lines
	assert_equal "$(tr ' ' '\n' <lines)" "$(seq 200)"
	(($(wc -l <lines) > 10))
	while IFS= read -r line; do
		((${#line} + 5 <= 50))
	done <lines
}

@test "-m fills up to what execve takes, all values arrive" {
	seq 300000 | pinion map --xargs sh -c 'printf "%s\n" "$@"' sh {} >printed
	seq 300000 >expected
	assert_same_bytes printed expected
	(($(seq 300000 | pinion map --xargs --dry-run : {} | wc -l) < 60))
}

@test "--shuf gives each task once, in another order" {
	local is_other=
	for _ in 1 2 3; do
		seq 500 | pinion map --shuf --dry-run : {} >shuffled
		assert_equal "$(sort -n -k2 shuffled)" "$(seq -f ': %.0f' 500)"
		[[ $(<shuffled) == "$(seq -f ': %.0f' 500)" ]] || is_other=1
	done
	[[ -n $is_other ]]
	assert_equal "$(pinion map --shuf echo ::: a b ::: 1 2 | sort)" $'a 1\na 2\nb 1\nb 2'
}

@test "--arg-sep and --arg-file-sep take the place of ::: and ::::" {
	printf '1\n2\n' >numbers
	gives $'a\nb' --arg-sep ,, echo ,, a b
	gives $'1\n2' --arg-file-sep // echo // numbers
	gives $'a 1\na 2' --arg-sep ,, --arg-file-sep // echo ,, a // numbers
}

@test "the first task starts before the input ends" {
	mkfifo in
	pinion map echo {} <in >out 3>&- &
	local pid=$!
	exec 7>in
	echo one >&7
	wait_until grep -qx one out
	echo two >&7
	wait_until grep -qx two out
	exec 7>&-
	wait "$pid"
	assert_equal "$(<out)" $'one\ntwo'
}

@test "with several sources the first task starts before the first source ends" {
	mkfifo in
	pinion map echo {1} {2} :::: in ::: x y >out 3>&- &
	local pid=$!
	exec 7>in
	echo one >&7
	wait_until grep -qx 'one y' out
	exec 7>&-
	wait "$pid"
	assert_equal "$(<out)" $'one x\none y'
}

@test "memory does not grow with the number of inputs" {
	skip_if_instrumented 'memory means nothing'
	local few many
	few=$(dry_run_peak_kib 10000)
	many=$(dry_run_peak_kib 300000)
	((many <= few + 1024))
	((many < 16384))
}

@test "memory does not grow with the number of combinations" {
	skip_if_instrumented 'memory means nothing'
	local pid
	mkfifo in out
	seq 1000 >thousand
	pinion map --dry-run echo {1} {2} :::: in thousand >out 3>&- &
	pid=$!
	exec 8<out 7>in
	seq 300 >&7
	grep -qx 'echo 300 1000' <&8
	(($(peak_kib "$pid") < 16384))
	exec 7>&-
	cat <&8 >/dev/null
	exec 8<&-
	wait "$pid"
}

@test "an item of megabytes streams through" {
	head -c 5242880 /dev/zero | tr '\0' y >long
	echo >>long
	{ cat long; echo end; } | pinion map --dry-run : {} >printed
	{ printf ': ' && cat long && echo ': end'; } >expected
	assert_same_bytes printed expected
}

@test "an item of 100 KiB is an argument like any other" {
	head -c 102400 /dev/zero | tr '\0' x >item
	gives 102400 sh -c 'echo ${#1}' sh {} <item
	gives 102400 'printf %s {} | wc -c' <item
}

@test "an item too long to be an argument fails alone, and says why" {
	{ head -c 10485760 /dev/zero | tr '\0' x; echo; echo short; } >items
	run --separate-stderr pinion map -j1 sh -c 'echo ${#1}' sh {} <items
	assert_equal "$status" 1
	assert_equal "$output" 5
	[[ $stderr == *'1 of 2 tasks failed'*'task 1: cannot execute: Argument list too long'* ]]
	((${#stderr} < 1000))
	# As a shell has it: 126.
	run --separate-stderr pinion parallel --halt now,fail=1 wc -c {} < <(head -n 1 items)
	assert_equal "$status" 126
}

@test "a value with a NUL byte is refused and the others run" {
	run --separate-stderr pinion map -j1 echo < <(printf 'a\0b\nc\n')
	assert_equal "$status" 1
	assert_equal "$output" c
	[[ $stderr == *'task 1: cannot execute'*'a\x00b'*NUL* ]]
}

@test "a file that cannot be read is named and nothing runs" {
	mkdir folder
	run --separate-stderr pinion map touch ran :::: missing
	assert_equal "$status" 3
	assert_equal "$stderr" 'pinion map: cannot open missing: No such file or directory'
	run --separate-stderr pinion map -a folder touch ran
	assert_equal "$status" 3
	[[ $stderr == *folder*directory* ]]
	run --separate-stderr pinion parallel touch ran ::: a :::: missing
	assert_equal "$status" 255
	[[ ! -e ran ]]
}

@test "a bad option value is named in one line and nothing runs" {
	usage_error "--delimiter: 'xx'*" -d xx
	usage_error "--delimiter: ''*" -d ''
	usage_error "--colsep '('*" --colsep '('
	usage_error "--header: 'x'*" --header x
	usage_error "--max-args: 'x'*" -n x
	usage_error "--max-args: '-1'*" -n -1
	usage_error "--max-replace-args: '1x'*" -N 1x
	usage_error "-L: ''*" -L ''
	usage_error "--max-chars: 'big'*" -s big
	usage_error "--trim: 'q'*" --trim q
	usage_error "--jobs: 'many'*" -j many
	usage_error "--bind: 'foo'*" --bind foo
	usage_error "--chunksize: '0'*" --chunksize 0
	usage_error "--maxtasksperchild: 'x'*" --maxtasksperchild x
	usage_error "--delay: 'soon'*" --delay soon
	usage_error "--buffer: 'x'*" --buffer x
	usage_error "--window: '0'*" --window 0
	usage_error "--retries: '-1'*" --retries -1
	usage_error "--retry-on: 'foo'*" --retry-on foo
	usage_error "--backoff: 'x'*" --backoff x
	usage_error "--timeout: 'never'*" --timeout never
	usage_error "--halt: 'foo'*" --halt foo
	usage_error "--halt: 'now,fail=0'*" --halt now,fail=0
	usage_error "--termseq: 'FOO'*" --termseq FOO
	usage_error "--workdir: '/nonexistent'*" --wd /nonexistent
	usage_error "--tmpdir: '/nonexistent'*" --tmpdir /nonexistent
	usage_error "--rpl: '{u}'*" --rpl '{u}'
	usage_error "*{u}*regular expression*" --rpl '{u} s/(/x/'
	usage_error "*{u}*s/regex/replacement/*" --rpl '{u} $_=uc'
	usage_error "--null*=x*" --null=x
}

@test "an unknown option names the nearest one" {
	usage_error '*--delya*--delay?' --delya 1
	usage_error '*--keep-ordr*--keep-order?' --keep-ordr
	usage_error '*--xyzzy*--help*' --xyzzy
	usage_error '*-Z*' -Z
	usage_error '*--max*several*--max-args*--max-chars*' --max
}

@test "an option without its value says so" {
	local option
	for option in -j -n --timeout --halt --colsep; do
		run --separate-stderr pinion map "$option"
		assert_equal "$status" 2
		assert_equal "${#stderr_lines[@]}" 1
		[[ $stderr == "pinion map: -"* ]]
	done
}
