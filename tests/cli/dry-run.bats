# --dry-run: what would be run, to read and to paste.
# shellcheck shell=bats

load helper

setup() {
	common_setup
	odd=("plain" "two words" "it's" '"double"' '$HOME' '`id`' 'a;b' 'a|b' 'a&b' '*' '?' '[a]' '~' '#x' '!x'
		"\\" 'a\b' '-n' '--' '' ' ' $'tab\there' $'new\nline' $'end\n' $'\xff\xfe' 'ünï' '{}' '{1}' 'a=b' '<x>' '(x)' '%d'
		$'\e[31m' '~root' 'x{a,b}' '^x' "'''")
}

# The values, each ended by a NUL.
values() {
	printf '%s\0' "${odd[@]}"
}

@test "--dry-run prints the commands and runs nothing" {
	run --separate-stderr pinion map --dry-run touch ::: a b
	assert_equal "$status" 0
	assert_equal "$output" $'touch a\ntouch b'
	assert_equal "$stderr" ''
	assert_equal "$(ls)" ''
}

@test "--dry-run of a shell command line runs nothing" {
	assert_equal "$(pinion map --dry-run 'touch {} && echo >{}.x' ::: a b)" \
		$'touch a && echo >a.x\ntouch b && echo >b.x'
	assert_equal "$(ls)" ''
}

@test "--dry-run without a command prints the command lines" {
	assert_equal "$(printf '%s\n' 'touch a' 'touch b; touch c' | pinion map --dry-run)" \
		$'touch a\ntouch b; touch c'
	assert_equal "$(ls)" ''
}

@test "commands of several words, pasted, do what they would have done" {
	values | pinion map -0 printf '<%s>[%s]\0' {} 'a b' >expected
	values | pinion map -0 --dry-run printf '<%s>[%s]\0' {} 'a b' >script
	for shell in sh bash; do
		"$shell" script >actual
		assert_same_bytes actual expected
	done
	assert_equal "$(tr -dc '\0' <expected | wc -c)" "${#odd[@]}"
}

@test "commands of one word, pasted, do what they would have done" {
	values | pinion map -0 "printf '<%s>[%s]\\0' {} x{}y" >expected
	values | pinion map -0 --dry-run "printf '<%s>[%s]\\0' {} x{}y" >script
	for shell in sh bash; do
		"$shell" script >actual
		assert_same_bytes actual expected
	done
	assert_equal "$(tr -dc '\0' <expected | wc -c)" "${#odd[@]}"
}

@test "commands of parallel, pasted, do what they would have done" {
	export PARALLEL_SHELL=/bin/sh
	values | pinion parallel -k -0 printf '"<%s>\0"' >expected
	values | pinion parallel -k -0 --dry-run printf '"<%s>\0"' >script
	sh script >actual
	assert_same_bytes actual expected
	# Nothing is lost: what the values were comes back.
	printf '<%s>\0' "${odd[@]}" >wanted
	assert_same_bytes actual wanted
}

@test "the value itself is what a task of several words gets" {
	values | pinion map -0 printf '<%s>\0' >actual
	printf '<%s>\0' "${odd[@]}" >expected
	assert_same_bytes actual expected
}

@test "the value itself is what a task of one word gets" {
	values | pinion map -0 'printf "<%s>\0" {}' >actual
	printf '<%s>\0' "${odd[@]}" >expected
	assert_same_bytes actual expected
}

@test "a program whose name needs quoting is quoted" {
	printf '#!/bin/sh\necho "odd $1"\n' >'odd name'
	chmod +x 'odd name'
	pinion map --dry-run './odd name' {} ::: 'a  b' >script
	assert_equal "$(sh script)" 'odd a  b'
}

@test "-q --dry-run, pasted, does what it would have done" {
	values | pinion parallel -k -q -0 printf '<%s>$x\0' >expected
	values | pinion parallel -k -q -0 --dry-run printf '<%s>$x\0' >script
	sh script >actual
	assert_same_bytes actual expected
	printf '<%s>$x\0' "${odd[@]}" >wanted
	assert_same_bytes actual wanted
}

@test "-v prints commands that, pasted, do what was done" {
	values | pinion map -0 -v test -n >script || true
	values | pinion map -0 --dry-run test -n >expected
	assert_same_bytes script expected
}

@test "-t prints commands that, pasted, do what was done" {
	values | pinion map -0 -t -j1 printf '<%s>\0' >expected 2>script
	sh script >actual
	assert_same_bytes actual expected
}

@test "--dry-run comes in the order of the input" {
	seq 1000 | pinion map --dry-run true {} >actual
	seq -f 'true %g' 1000 >expected
	assert_same_bytes actual expected
}

@test "--dry-run fills in the number of the task, and a slot of those there would be" {
	assert_equal "$(pinion map --dry-run -j2 echo '{#}' '{%}' ::: a b c)" $'echo 1 1\necho 2 2\necho 3 1'
}

@test "--dry-run shows the values put into one command" {
	assert_equal "$(seq 6 | pinion map --dry-run -n4 echo)" $'echo 1 2 3 4\necho 5 6'
	assert_equal "$(seq 6 | pinion map --dry-run -j1 -X echo x{})" 'echo x1 x2 x3 x4 x5 x6'
}

@test "--dry-run with -v prints a command once" {
	assert_equal "$(pinion map --dry-run -v echo ::: a b)" $'echo a\necho b'
}

@test "--dry-run with --tag has tags" {
	assert_equal "$(pinion map --dry-run --tag echo ::: a b)" $'a\techo a\nb\techo b'
}

@test "--dry-run does not start an initializer" {
	pinion map --dry-run --initializer 'touch started' echo ::: a
	assert_equal "$(ls)" ''
}

@test "--dry-run ends quietly when its reader goes" {
	status=0
	timeout 30 bash -c 'yes | pinion map --dry-run echo | head -n 2; echo "${PIPESTATUS[1]}"' >out 2>err || status=$?
	assert_equal "$status" 0
	assert_equal "$(cat out)" $'echo y\necho y\n141'
	assert_same_bytes err /dev/null
}

@test "--dry-run to a full stdout is an error" {
	status=0
	pinion map --dry-run echo ::: a >/dev/full 2>err || status=$?
	assert_equal "$status" 3
	grep -q stdout err
}

@test "--dry-run says what is wrong with the command line" {
	run --separate-stderr pinion map --dry-run --no-such-option echo ::: a
	assert_equal "$status" 2
	assert_equal "$output" ''
}
