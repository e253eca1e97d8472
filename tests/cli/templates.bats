# What stands for a value in a command, and how values get into argv and into command lines.
# shellcheck shell=bats
# shellcheck disable=SC1083,SC1003  # {} is a replacement string, \ is meant

load helper

# Prints its arguments, each in <>, and a newline.
argv=(sh -c 'printf "<%s>" "$@"; echo' sh)

# gives EXPECTED ARGUMENTS...: `pinion map ARGUMENTS` prints EXPECTED and all is well.
gives() {
	run --separate-stderr pinion map "${@:2}"
	# shellcheck disable=SC2154  # run sets them
	assert_equal "$output$stderr" "$1"
	assert_equal "$status" 0
}

@test "parts of a path" {
	gives '<d/e/a b.tar.gz><d/e/a b.tar><a b.tar.gz><d/e><a b.tar>' \
		"${argv[@]}" {} {.} {/} {//} {/.} ::: 'd/e/a b.tar.gz'
	gives $'<a><a><.><a>\n<><.hidden><.><>\n<d.x/a><a><d.x><a>\n</><></><>' \
		"${argv[@]}" {.} {/} {//} {/.} ::: a .hidden d.x/a /
}

@test "numbers of tasks and slots" {
	gives $'1 1 a\n2 1 b' -j1 echo {#} {%} {} ::: a b
	gives $'1\n2\n3' echo {#} ::: a b c
	[[ $(pinion map -j2 echo {%} ::: a b c d | sort -u | tr '\n' ' ') =~ ^(1 |2 |1 2 )$ ]]
}

@test "values by their number, from the front and from the end" {
	gives 'b a b a' echo {2} {1} {-1} {-2} ::: a ::: b
	gives 'x y.z y d' echo {1.} {2/} {2/.} {2//} ::: x.c ::: d/y.z
	gives '<b><x>' "${argv[@]}" {-1} x{3}{-3} ::: a ::: b
}

@test "the number may come last" {
	gives 'x y.z y d' echo {.1} {/2} {/.2} {//2} ::: x.c ::: d/y.z
}

@test "without a replacement string the values come at the end" {
	gives '<a><v w>' "${argv[@]}" a ::: 'v w'
	gives 'v  w' echo ::: 'v  w'
	gives '<x><y>' "${argv[@]}" ::: x ::: y
}

@test "a value within a word stays within it" {
	gives '<av wb>' "${argv[@]}" a{}b ::: 'v w'
	gives '<v v><v><>' "${argv[@]}" '{} {}' {} '' ::: v
	gives $'<>\n<1>' "${argv[@]}" {} ::: '' 1
}

@test "several values are several words, split around {}" {
	gives '<a1><2b>' -n2 "${argv[@]}" a{}b ::: 1 2
	gives '<1><2 3>' -n2 "${argv[@]}" {} ::: 1 '2 3'
	gives '<a1b><a2b><z>' -N2 "${argv[@]}" a{}b z ::: 1 2
	gives $'<2-1>\n<-3>' -N2 "${argv[@]}" {2}-{1} ::: 1 2 3
	gives '<1.o><2.o>' -X -j1 "${argv[@]}" {.}.o ::: 1.c 2.c
	gives '<1><2.o>' -m -j1 "${argv[@]}" {.}.o ::: 1.c 2.c
	gives '<x 1 y><x 2 y>' -X -j1 "${argv[@]}" 'x {} y' ::: 1 2
	gives '<1><2><end>' -n2 "${argv[@]}" {1} {2} {3} end ::: 1 2
}

@test "what is no replacement string is left alone" {
	gives '<{a}><{ }><v}><{{><$(1)><%>' "${argv[@]}" {a} '{ }' '{}}' '{{' '$(1)' % ::: v
	gives '<{..}><{+/}><{:-x}><v>' "${argv[@]}" {..} {+/} {:-x} ::: v
}

@test "a value that looks like a replacement string is not replaced again" {
	gives '<{}><{.}><{1}>' "${argv[@]}" {1} {2} {3} ::: {} ::: {.} ::: {1}
	gives '{} {1}' 'echo {1} {2}' ::: {} ::: {1}
}

@test "other names by -I -U --bnr --dnr --bner --seqreplace --slotreplace" {
	gives 'v {}' -I ,, echo ,, {} ::: v
	gives 'v {}' -i,, echo ,, {} ::: v
	gives 'd/v d/v.x v.x d v 1 1' -j1 -I _a -U _b --bnr _c --dnr _d --bner _e --seqreplace _f \
		--slotreplace _g echo _b _a _c _d _e _f _g ::: d/v.x
}

@test "edits by --rpl" {
	gives 'b_small.jpg' --rpl '{s} s:.*/::; s/\.jpg$/_small.jpg/' echo {s} ::: a/b.jpg
	gives '<12><b-a>' --rpl '{n} s/\D//g' --rpl '{r} s/(.)-(.)/$2-$1/' "${argv[@]}" {1n} {2r} ::: x1y2 ::: a-b
	gives 'Xbc' --rpl '{u} s/A/X/i' echo {u} ::: abc
	gives 'v v' --rpl ', s/x//' 'echo , ,' ::: xv
}

@test "--plus" {
	gives '<d/a><a><d><gz><tar.gz>' --plus "${argv[@]}" {..} {/..} {+/} {+.} {+..} ::: d/a.tar.gz
	gives '<def><d ex><v>' --plus "${argv[@]}" {1:-def} '{2:-d e}x' {3:-f} ::: '' ::: '' ::: v
	gives '<cdef><bc><abcdef>' --plus "${argv[@]}" {:2} {:1:2} {:0} ::: abcdef
	gives '<nana><bana><bXnana><bXnXnX>' --plus "${argv[@]}" {#ba} {%na} {/a/X} {//a/X} ::: banana
	gives '<bAnana><bAnAnA><Banana>' --plus "${argv[@]}" {/a/A} {^^a} {^b} ::: banana
}

@test "what --plus cannot do here is refused, not left as text" {
	local name
	for name in '{##}' '{0#}' '{uniq}' '{host}'; do
		run --separate-stderr pinion map --plus touch ran "$name" ::: 1
		assert_equal "$status" 2
		assert_equal "${#stderr_lines[@]}" 1
		[[ $stderr == *"$name"* ]]
	done
	run --separate-stderr pinion map touch ran '{= s/a/b/ =}' ::: 1
	assert_equal "$status" 2
	[[ $stderr == *Perl*--rpl* ]]
	[[ ! -e ran ]]
}

@test "--tagstring knows replacement strings" {
	gives $'[1:a b]\ta b' --tagstring '[{#}:{}]' echo ::: 'a b'
	gives $'x.y\tx.y d/z' --tagstring {1} echo {1} {2} ::: x.y ::: d/z
	gives $'x z\tok' --tagstring '{1.} {2/}' 'echo ok; : {}' ::: x.y ::: d/z
	gives $'a\tb\tv' --tagstring 'a\tb' echo ::: v
	gives $'x y\tx y' --tag echo ::: x ::: y
}

@test "--dry-run prints what can be pasted, and runs nothing" {
	gives "touch 'a b'" --dry-run touch ::: 'a b'
	gives 'touch a > x; ls' --dry-run 'touch {} > x; ls' ::: a
	gives 'touch a; ls' --dry-run ::: 'touch a; ls'
	[[ ! -e a && ! -e 'a b' && ! -e x ]]
	local values=('a b' "c'd" 'e"f' 'g$h' '*' '~' $'n\nl' '' -n ä '#' '!' $'\xff' '\')
	pinion map --dry-run "${argv[@]}" {} '{}.{}' '' '$x' ::: "${values[@]}" >lines
	pinion map "${argv[@]}" {} '{}.{}' '' '$x' ::: "${values[@]}" >ran
	sh lines >pasted
	assert_same_bytes pasted ran
}

@test "-v prints each command before its output, -t on stderr" {
	gives $'echo \'a b\'\na b' -v echo ::: 'a b'
	run --separate-stderr pinion map -t echo ::: 'a b'
	assert_equal "$output" 'a b'
	assert_equal "$stderr" "echo 'a b'"
}
