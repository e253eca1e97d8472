# Items of any bytes come through as they are.
# shellcheck shell=bats
# shellcheck disable=SC1083,SC1003  # {} is a replacement string, \ is meant

load helper

# Every byte but NUL and newline, one an item, and some that are not UTF-8 together.
every_byte() {
	local i
	for ((i = 1; i < 256; i++)); do
		((i == 10)) || printf '%b\n' "\\x$(printf %02x "$i")"
	done
	printf '\xff\xfe\xfd\n\xc3\n\xe2\x82\n\xf0\x9f\x98\x80\n\xed\xa0\x80\na\xccb\n'
}

setup() {
	common_setup
	every_byte >items
}

@test "every byte reaches a command of several words" {
	pinion map printf '%s\n' {} <items >printed
	assert_same_bytes printed items
}

@test "every byte reaches a command line, quoted" {
	pinion map 'printf "%s\n" {} | cat' <items >printed
	assert_same_bytes printed items
	pinion parallel -k 'printf "%s\n" {} | cat' <items >printed
	assert_same_bytes printed items
}

@test "every byte can be an item of :::" {
	mapfile -t values <items
	pinion map printf '%s\n' {} ::: "${values[@]}" >printed
	assert_same_bytes printed items
}

@test "the locale makes no difference" {
	local locale
	for locale in C POSIX C.UTF-8 no.such; do
		LC_ALL=$locale pinion map 'printf "%s\n" {} | cat' <items >printed
		assert_same_bytes printed items
	done
}

@test "newlines in items of -0" {
	printf 'a\nb\0\n\0c\n\n\0' >zero
	pinion map -0 printf '%s\0' {} <zero >printed
	assert_same_bytes printed zero
	pinion map -0 'printf "%s\0" {} | cat' <zero >printed
	assert_same_bytes printed zero
	pinion parallel -k -0 'printf "%s\0" {} | cat' <zero >printed
	assert_same_bytes printed zero
}

@test "carriage returns are bytes like any other" {
	run pinion map 'printf %s {} | od -An -tx1' < <(printf 'a\r\nb\r\n')
	assert_equal "$output" $' 61 0d\n 62 0d'
}

@test "file names of all kinds, found and given back" {
	local names=('a b' "q'q" 'd"d' '-n' '--help' 'ä ö' $'new\nline' $'bad\xff' '*' '$HOME' ' lead' 'trail ' '\' '#')
	mkdir files
	(cd files && touch -- "${names[@]/#/./}")
	find files -type f -print0 | sort -z >found
	pinion map -0 sh -c 'test -f "$1" && printf "%s\0" "$1"' sh {} <found >printed
	assert_same_bytes printed found
	pinion map -0 'test -f {} && printf "%s\0" {}' <found >printed
	assert_same_bytes printed found
	cd files
	pinion map sh -c 'test -f "$1"' sh {} ::: *
}

@test "parts of paths that are not UTF-8" {
	run pinion map printf '<%s>' {.} {/} {//} {/.} ::: $'\xff/\xfe.\xfd'
	assert_equal "$output" $'<\xff/\xfe><\xfe.\xfd><\xff><\xfe>'
	run pinion map --rpl $'{u} s/\xc3\xa4/x/' printf '<%s>' {u} ::: $'b\xc3\xa4b\xff'
	assert_equal "$output" $'<bxb\xff>'
}

@test "columns of bytes that are not UTF-8" {
	run pinion map -C , printf '<%s>' {2} {1} ::: $'\xff,\xc3'
	assert_equal "$output" $'<\xc3><\xff>'
	run pinion map -C '[,;]' printf '<%s>' {2} {1} ::: $'\xff;\xc3'
	assert_equal "$output" $'<\xc3><\xff>'
	run pinion map -d $'\xff' echo < <(printf 'a\xffb')
	assert_equal "$output" $'a\nb'
}

@test "tags of odd bytes" {
	run pinion map --tag 'echo x; : {}' ::: $'\xff b'
	assert_equal "$output" $'\xff b\tx'
}

@test "messages show odd values in one readable line" {
	run --separate-stderr pinion map 'exit 1; : {}' ::: $'a\nb\e[31m\xff'
	assert_equal "$status" 1
	assert_equal "${#stderr_lines[@]}" 2
	[[ $stderr != *$'\e'* ]]
	[[ $stderr == *'task 1: exit 1'* ]]
}
