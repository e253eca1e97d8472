# pinion parallel and GNU parallel, given the same: their stdout and exit status.
# shellcheck shell=bats
# shellcheck disable=SC2154  # helper.bash sets gnu_parallel and root
#
# Each row of a table is a command line and, behind a tab on the next line, the exit status and
# stdout that GNU parallel 20221122 gives, written as for printf %b. Where that version is
# installed it is asked again, so that the tables stay true.

load helper

setup() {
	common_setup
	mkdir "$HOME/.parallel"
	touch "$HOME/.parallel/will-cite"
	: >empty
	printf 'a\nb\nc\n' >abc
	printf '1\n2\n3\n' >n123
	printf 'x\ny\n' >xy
	printf 'A B\tC\nD E\tF\n' >tsv
	printf 'h1,h2\n1,2\n3,4\n' >csv
	printf 'p\nq' >nonl
	printf 'r\r\ns\r\n' >crlf
}

# The GNU parallel that the tables are of; under valgrind and the like it is not what is tested.
is_there_to_compare() {
	[[ -z ${PINION_TEST_MODE-} ]] && gnu_parallel_available &&
		[[ $("$gnu_parallel" --version) == "GNU parallel 20221122"* ]]
}

# give ROW: runs it; `parallel` in it is $command.
give() (
	set +eET
	# shellcheck disable=SC2317  # rows call these
	parallel() { "${command[@]}" "$@"; }
	# shellcheck disable=SC2317
	myfunc() { echo "func:$1:$2"; }
	export -f myfunc
	eval "$1" </dev/null >"$scratch.actual" 2>"$scratch.stderr"
)

# agree ROW EXPECTED: the row gives what is expected.
agree() {
	local status=0
	give "$1" || status=$?
	: >"$scratch.expected"
	if [[ $2 == *' '* ]]; then
		printf %b "${2#* }" >"$scratch.expected"
	fi
	[[ $status == "${2%% *}" ]] && cmp -s "$scratch.actual" "$scratch.expected" && return
	printf '%s gives for: %s\nexpected: %s\nactual:   %s %q\n' \
		"${command[*]}" "$1" "$2" "$status" "$(tr '\0' '@' <"$scratch.actual")" >&2
	head -n 3 "$scratch.stderr" >&2
	return 1
}

# agree_all COMMAND... <TABLE: all rows do, with this COMMAND for parallel.
agree_all() {
	local row expected failed=0 command=("$@")
	local scratch=$BATS_TEST_TMPDIR/$BASHPID
	while IFS= read -r row && IFS= read -r expected; do
		agree "$row" "${expected#$'\t'}" || failed=$((failed + 1))
	done
	((failed == 0))
}

# every N K: of a table's rows every N-th, beginning with row K.
every() {
	awk -v n="$1" -v k="$2" 'int((NR - 1) / 2) % n == k'
}

agrees_with_gnu() {
	local table=$BATS_TEST_TMPDIR/table pids=() i
	cat >"$table"
	[[ -s $table ]]
	if is_there_to_compare; then
		for i in 0 1 2; do
			every 3 "$i" <"$table" | agree_all "$gnu_parallel" --will-cite 3>&- &
			pids+=($!)
		done
	fi
	if [[ ${PINION_TEST_MODE-} == valgrind ]]; then
		every 5 0 <"$table" | agree_all pinion parallel
	else
		agree_all pinion parallel <"$table"
	fi
	for i in "${pids[@]}"; do
		wait "$i"
	done
}

@test "GNU parallel 20221122 is here to check the tables" {
	is_there_to_compare || skip 'it is not; the tables say what it gave'
}

@test "replacement strings, as in GNU parallel" {
	agrees_with_gnu <<'END'
parallel -k echo ::: a b c
	0 a\nb\nc\n
parallel -k echo {} ::: a b c
	0 a\nb\nc\n
parallel -k echo {.} {/} {//} {/.} ::: dir/sub/file.tar.gz file.ext noext /abs/path.x dir.d/noext dir/.hidden .hidden a/ / . .. ./x ../y.z a.b/c x. .x.y
	0 dir/sub/file.tar file.tar.gz dir/sub file.tar\nfile file.ext . file\nnoext noext . noext\n/abs/path path.x /abs path\ndir.d/noext noext dir.d noext\ndir/ .hidden dir \n .hidden . \na/  . \n/  / \n . . \n. .. . .\n./x x . x\n../y y.z .. y\na.b/c c a.b c\nx x. . x\n.x .x.y . .x\n
parallel -k echo '[{.}] [{/}] [{//}] [{/.}]' ::: 'with space.txt' 'a/b c/d e.f'
	0 [with space] [with space.txt] [.] [with space]\n[a/b c/d e] [d e.f] [a/b c] [d e]\n
parallel -k -j1 echo {#} {%} {} ::: a b c
	0 1 1 a\n2 1 b\n3 1 c\n
parallel -k echo {1} {2} ::: a b ::: 1 2
	0 a 1\na 2\nb 1\nb 2\n
parallel -k echo {2} {1} ::: a b ::: 1 2
	0 1 a\n2 a\n1 b\n2 b\n
parallel -k echo {1.} {1/} {1//} {1/.} {2.} ::: d/a.b ::: e/f.g
	0 d/a a.b d a e/f\n
parallel -k echo {-1} {-2} {-1.} {-2/} ::: d/a.b ::: e/f.g
	0 e/f.g d/a.b e/f a.b\n
parallel -k echo {3}x ::: a b ::: c d
	0 x\nx\nx\nx\n
parallel -k echo {1}{1} {}{} ::: a b
	0 aa aa\nbb bb\n
parallel -k echo pre{}post ::: a b
	0 preapost\nprebpost\n
parallel -k echo {} {} ::: a ::: b
	0 a b a b\n
parallel -k echo {.} {/} ::: a.x b/y.z ::: c.d
	0 a c a.x c.d\nb/y c y.z c.d\n
parallel -k echo {} {1} ::: a ::: b
	0 a b a\n
parallel -k 'echo [{0}]' ::: a
	0 [a]\n
parallel -k 'echo {1}{2}{1}' ::: a b ::: c
	0 aca\nbcb\n
parallel -k 'echo {01} {+1}' ::: a b ::: c
	0 a {+1}\nb {+1}\n
parallel -k 'echo {{}} {{1}}' ::: a
	0 {a} {a}\n
parallel -k 'echo {#.} {%%} {##}' ::: a
	0 {#.} {%%} {##} a\n
parallel -k -j1 'echo {.1} {/1}' ::: a.b
	0 {.1} {/1} a.b\n
parallel -k 'echo {1///} {.//} {/./}' ::: a/b.c
	0 {1///} {.//} {/./} a/b.c\n
END
}

@test "input sources, as in GNU parallel" {
	agrees_with_gnu <<'END'
parallel -k echo ::: a b ::: 1 2 ::: x y
	0 a 1 x\na 1 y\na 2 x\na 2 y\nb 1 x\nb 1 y\nb 2 x\nb 2 y\n
parallel -k echo ::: a b c :::+ 1 2 3
	0 a 1\nb 2\nc 3\n
parallel -k echo ::: a b c :::+ 1 2
	0 a 1\nb 2\n
parallel -k echo ::: a b :::+ 1 2 3
	0 a 1\nb 2\n
parallel -k echo ::: a b :::+ 1 2 ::: x y
	0 a 1 x\na 1 y\nb 2 x\nb 2 y\n
parallel -k echo ::: x y ::: a b :::+ 1 2
	0 x a 1\nx b 2\ny a 1\ny b 2\n
parallel -k echo ::: a b :::+ 1 2 :::+ x y
	0 a 1 x\nb 2 y\n
parallel -k echo ::: a b :::+ 1 2 ::: x y :::+ 8 9
	0 a 1 x 8\na 1 y 9\nb 2 x 8\nb 2 y 9\n
parallel -k echo :::: abc
	0 a\nb\nc\n
parallel -k echo :::: abc n123
	0 a 1\na 2\na 3\nb 1\nb 2\nb 3\nc 1\nc 2\nc 3\n
parallel -k echo :::: abc xy
	0 a x\na y\nb x\nb y\nc x\nc y\n
parallel -k echo :::: abc ::::+ n123
	0 a 1\nb 2\nc 3\n
parallel -k echo :::: abc ::::+ xy
	0 a x\nb y\n
parallel -k echo :::: xy ::::+ abc
	0 x a\ny b\n
parallel -k echo :::: abc ::: x y
	0 a x\na y\nb x\nb y\nc x\nc y\n
parallel -k echo ::: x y :::: abc
	0 x a\nx b\nx c\ny a\ny b\ny c\n
parallel -k echo ::: x y z ::::+ abc
	0 x a\ny b\nz c\n
parallel -k echo :::: abc :::+ x y z
	0 a x\nb y\nc z\n
parallel -k echo :::: abc n123 ::::+ xy
	0 a 1 x\na 2 y\nb 1 x\nb 2 y\nc 1 x\nc 2 y\n
parallel -k echo -- ::: a
	0 -- a\n
parallel -k -a abc echo
	0 a\nb\nc\n
parallel -k -a abc echo ::: x y
	0 a x\na y\nb x\nb y\nc x\nc y\n
parallel -k -a abc -a n123 echo
	0 a 1\na 2\na 3\nb 1\nb 2\nb 3\nc 1\nc 2\nc 3\n
parallel -k --link -a abc -a n123 echo
	0 a 1\nb 2\nc 3\n
parallel -k --xapply -a abc -a n123 echo
	0 a 1\nb 2\nc 3\n
parallel -k -a abc -a n123 echo {2} {1}
	0 1 a\n2 a\n3 a\n1 b\n2 b\n3 b\n1 c\n2 c\n3 c\n
parallel -k --link echo ::: a b c ::: 1 2 3
	0 a 1\nb 2\nc 3\n
parallel -k --link echo ::: a b c ::: 1 2
	0 a 1\nb 2\nc 1\n
parallel -k --link echo ::: a b ::: 1 2 3
	0 a 1\nb 2\na 3\n
parallel -k --link echo ::: a b ::: 1 2 3 ::: x
	0 a 1 x\nb 2 x\na 3 x\n
parallel -k --link echo :::: abc ::: x y
	0 a x\nb y\nc x\n
parallel -k --link echo ::: a b c :::+ 1 2 3 ::: x y
	0 a 1 x\nb 2 y\nc 3 x\n
printf 'a\nb\nc' | parallel -k echo
	0 a\nb\nc\n
printf 'a\nb\nc\n' | parallel -k echo {}
	0 a\nb\nc\n
cat abc | parallel -k -a - echo
	0 a\nb\nc\n
cat abc | parallel -k echo :::: -
	0 a\nb\nc\n
cat abc | parallel -k echo :::: - n123
	0 a 1\na 2\na 3\nb 1\nb 2\nb 3\nc 1\nc 2\nc 3\n
cat abc | parallel -k echo {1} {2} :::: n123 -
	0 1 a\n1 b\n1 c\n2 a\n2 b\n2 c\n3 a\n3 b\n3 c\n
cat abc | parallel -k echo ::: x y :::: -
	0 x a\nx b\nx c\ny a\ny b\ny c\n
cat abc | parallel -k echo ::: x y
	0 x\ny\n
END
}

@test "empty inputs and line ends, as in GNU parallel" {
	agrees_with_gnu <<'END'
printf 'a\n\nb\n' | parallel -k 'echo [{}]'
	0 [a]\n[]\n[b]\n
printf '\n' | parallel -k 'echo [{}]'
	0 []\n
printf '' | parallel -k 'echo [{}]'
	0
printf '\n\na\n' | parallel -k 'echo [{}]'
	0 []\n[]\n[a]\n
printf '\n\na\n  \n' | parallel -k -r 'echo [{}]'
	0 [a]\n
printf '' | parallel -k -r 'echo [{}]'
	0
parallel -k 'echo [{}]' :::
	0
parallel -k 'echo [{}]' ::: ''
	0 []\n
parallel -k 'echo [{}]' ::: '' a ''
	0 []\n[a]\n[]\n
parallel -k -r 'echo [{}]' ::: '' a ''
	0 [a]\n
parallel -k 'echo [{1}] [{2}]' ::: '' a ::: '' b
	0 [] []\n[] [b]\n[a] []\n[a] [b]\n
parallel -k 'echo [{1}] [{2}]' ::: a b :::
	0 [a] []\n[b] []\n
parallel -k 'echo [{1}] [{2}]' ::: ::: a b
	0 [] [a]\n[] [b]\n
parallel -k 'echo [{1}] [{2}]' ::: :::
	0
parallel -k 'echo [{}]' :::: empty
	0
parallel -k 'echo [{1}] [{2}]' :::: abc empty
	0 [a] []\n[b] []\n[c] []\n
parallel -k 'echo [{1}] [{2}]' :::: empty abc
	0 [] [a]\n[] [b]\n[] [c]\n
parallel -k echo :::: nonl
	0 p\nq\n
parallel -k echo :::: nonl xy
	0 p x\np y\nq x\nq y\n
parallel -k 'echo [{}] | od -An -c' :::: crlf
	0    [   r  \\r   ]  \\n\n   [   s  \\r   ]  \\n\n
parallel -k -a crlf echo {}x
	0 r\x0dx\ns\x0dx\n
parallel -k --trim r -a crlf 'echo {}x | od -An -c'
	0    r   x  \\n\n   s   x  \\n\n
printf '' | parallel -k -X 'echo [{}]'
	0
printf '' | parallel -k -m 'echo [{}]'
	0
printf '' | parallel -k -N2 'echo [{}]'
	0
printf '' | parallel -k --xargs 'echo [{}]'
	0
printf '\n' | parallel -k -X 'echo [{}]'
	0 []\n
END
}

@test "delimiters and the end of input, as in GNU parallel" {
	agrees_with_gnu <<'END'
parallel -k -d, echo ::: a,b c
	0 a\nb\nc\n
printf 'a,b,c' | parallel -k -d, echo
	0 a\nb\nc\n
printf 'a,b,c\n' | parallel -k -d, 'echo [{}]'
	0 [a]\n[b]\n[c\n]\n
printf 'a,b,c\n' | parallel -k --delimiter , 'echo [{}]'
	0 [a]\n[b]\n[c\n]\n
printf 'a\tb\tc' | parallel -k -d '\t' 'echo [{}]'
	0 [a]\n[b]\n[c]\n
printf 'a\0b\0c' | parallel -k -0 echo
	0 a\nb\nc\n
printf 'a\0b\0c\0' | parallel -k -0 echo
	0 a\nb\nc\n
printf 'a\nA\0b c\0' | parallel -k -0 echo '[{}]'
	0 [a\nA]\n[b c]\n
printf 'a\nA\0b c\0' | parallel -k --null echo '[{}]'
	0 [a\nA]\n[b c]\n
printf 'a:b:c' | parallel -k -d '\072' 'echo [{}]'
	0 [a]\n[b]\n[c]\n
printf 'a\0b' | parallel -k -d '\0' 'echo [{}]'
	0 [a]\n[b]\n
printf 'a\nb\nEND\nc\n' | parallel -k -E END echo
	0 a\nb\n
printf 'a\nb\nEND\nc\n' | parallel -k --eof=END echo
	0 a\nb\n
printf 'a\nb\nEND\nc\n' | parallel -k -eEND echo
	0 a\nb\n
printf 'a\nb\n_\nc\n' | parallel -k -e echo
	4
printf 'a\nb\n_\nc\n' | parallel -k -E '' echo
	0 a\nb\n_\nc\n
parallel -k -E b echo ::: a b c
	0 a\n
parallel -k -E b echo ::: a b c ::: 1 2 3
	0 a 1\na 2\na 3\n
parallel -k -E 2 echo ::: a b c ::: 1 2 3
	0 a 1\nb 1\nc 1\n
parallel -k -E c echo :::: abc ::: x
	0 a x\nb x\n
parallel -k -E c --link echo :::: abc n123
	0 a 1\nb 2\na 3\n
parallel -k -E '' echo ::: '' a
	0 \na\n
printf 'a\nb' | parallel -k -E b echo
	0 a\n
printf 'a \nEND\nb\n' | parallel -k -L1 -E END 'echo [{}]'
	0 [a ]\n
printf 'a\0b\nc\0' | parallel -0 -k 'echo [{}]'
	0 [a]\n[b\nc]\n
printf 'a\0\0b' | parallel -0 -k 'echo [{}]'
	0 [a]\n[]\n[b]\n
printf '\0' | parallel -0 -k 'echo [{}]'
	0 []\n
printf 'a,b\nc,d\n' | parallel -d , -k 'echo [{}]'
	0 [a]\n[b\nc]\n[d\n]\n
parallel -0 -k 'echo [{}]' ::: $'a\nb' c
	0 [a\nb]\n[c]\n
parallel -k 'echo [{}]' ::: $'a\nb' c
	0 [a]\n[b]\n[c]\n
parallel -k echo ::: $'a\nb' ::: $'1\n2'
	0 a 1\na 2\nb 1\nb 2\n
parallel -k echo ::: "$(printf 'a\nb\nc')"
	0 a\nb\nc\n
parallel -k -d ' ' echo ::: 'a b' c
	0 a\nb\nc\n
parallel -d '\n' -k echo ::: 'a b' c
	0 a b\nc\n
END
}

@test "counted groups, as in GNU parallel" {
	agrees_with_gnu <<'END'
parallel -k -n2 echo ::: 1 2 3 4 5
	0 1 2\n3 4\n5\n
parallel -k -n 2 echo x{}y ::: 1 2 3 4 5
	0 x1 2y\nx3 4y\nx5y\n
parallel -k -n2 echo {1} {2} ::: 1 2 3 4 5
	0 1 2\n3 4\n5\n
parallel -k -n2 echo {1}-{2} {} ::: 1 2 3 4 5
	0 1-2 1 2\n3-4 3 4\n5- 5\n
parallel -k -n2 echo {.} {/} ::: a.b c/d e.f
	0 a c/d a.b d\ne e.f\n
parallel -k -N2 echo ::: 1 2 3 4 5
	0 1 2\n3 4\n5\n
parallel -k -N 2 echo x{}y ::: 1 2 3 4 5
	0 x1y x2y\nx3y x4y\nx5y\n
parallel -k -N2 echo {1} {2} ::: 1 2 3 4 5
	0 1 2\n3 4\n5\n
parallel -k -N2 echo {1}-{2} {} ::: 1 2 3 4 5
	0 1-2 1 2\n3-4 3 4\n5- 5\n
parallel -k -N3 echo {1} {3} {-1} ::: 1 2 3 4 5
	0 1 3 3\n4 5\n
parallel -k -N2 echo ::: a b ::: 1 2
	0 a 1 a 2\nb 1 b 2\n
parallel -k -N2 echo {1}{2}{3}{4} ::: a b ::: 1 2
	0 a1a2\nb1b2\n
parallel -k -n2 echo {} ::: a b ::: 1 2 3
	0 a 1 a 2\na 3 b 1\nb 2 b 3\n
parallel -k -N3 --link echo ::: a b c d ::: 1 2 3 4
	0 a 1 b 2 c 3\nd 4\n
parallel -k -n0 echo hi ::: 1 2 3
	0 hi\nhi\nhi\n
parallel -k -N0 echo hi ::: 1 2 3
	0 hi\nhi\nhi\n
parallel -k -n 0 echo hi ::: 1 2 3
	0 hi\nhi\nhi\n
parallel -k -N0 echo hi {#} ::: 1 2 3
	0 hi 1\nhi 2\nhi 3\n
parallel -k -N0 echo hi {} ::: 1 2 3
	0 hi\nhi\nhi\n
printf 'a\nb\n' | parallel -k -N0 echo hi
	0 hi\nhi\n
parallel -k -L2 echo ::: 1 2 3 4 5
	0 1 2\n3 4\n5\n
parallel -k -L 2 echo {1} {2} ::: 1 2 3 4 5
	0 1 2\n3 4\n5\n
parallel -k -L2 echo x{}y ::: 1 2 3 4 5
	0 x1y x2y\nx3y x4y\nx5y\n
printf 'a b\nc d\ne f\n' | parallel -k -L1 echo {}
	0 a b\nc d\ne f\n
printf 'a b\nc d\ne f\n' | parallel -k -L1 echo {1}
	0 a b\nc d\ne f\n
printf 'a b\nc d\ne f\n' | parallel -k -L2 echo {}
	0 a b c d\ne f\n
printf 'a b\nc d\ne f\n' | parallel -k -L2 echo {2}-{1}
	0 c d-a b\n-e f\n
printf 'a b \nc d\ne f\n' | parallel -k -L1 echo {}
	0 a b c d\ne f\n
printf 'a b \nc d\ne f\n' | parallel -k -L1 echo '[{}]'
	0 [a b c d]\n[e f]\n
printf 'a \nb\nc \nd\ne\n' | parallel -k -L1 echo '[{1}][{2}]'
	0 [a b][]\n[c d][]\n[e][]\n
printf 'a \nb\nc \nd\ne\n' | parallel -k -L2 echo '[{1}][{2}]'
	0 [a b][c d]\n[e][]\n
printf 'a\t\nb\nc\n' | parallel -k -L1 echo '[{1}][{2}]'
	0 [a\tb][]\n[c][]\n
printf 'a \nb \n' | parallel -k -L1 echo '[{1}][{2}]'
	0 [a b ][]\n
printf 'a\nb\nc\n' | parallel -k -l echo
	0 a\nb\nc\n
printf 'a\nb\nc\n' | parallel -k -l2 echo
	0 a b\nc\n
printf 'a\nb\nc\n' | parallel -k --max-lines=2 echo
	0 a b\nc\n
printf 'a\nb\nc\n' | parallel -k -L2 'echo {} | wc -w'
	0 2\n1\n
parallel -k --max-args=2 echo ::: 1 2 3
	0 1 2\n3\n
parallel -k --max-replace-args=2 echo ::: 1 2 3
	0 1 2\n3\n
parallel -k -N2 'echo {}{}' ::: a b c
	0 aa bb\ncc\n
parallel -k -n2 'echo {}{}' ::: a b c
	0 a ba b\ncc\n
parallel -k -L2 'echo {}{}' ::: a b c
	0 aa bb\ncc\n
parallel -k -N2 'echo x{}y{}z' ::: a b c
	0 xayaz xbybz\nxcycz\n
parallel -k -N2 'echo "x{}y {}z"' ::: a b c
	0 xay xby az bz\nxcy cz\n
parallel -k -N2 'echo {#}-{}' ::: a b c
	0 1-a 1-b\n2-c\n
parallel -k -N2 'echo {1}-{}' ::: a b c
	0 a-a a-b\nc-c\n
parallel -k -N2 'echo {1}-{2}' ::: a b c
	0 a-b\nc-\n
parallel -k -N2 'echo {-1}-{}' ::: a b c
	0 b-a b-b\nc-c\n
parallel -k -N2 'echo {.}{/}' ::: a.b c.d e.f
	0 aa.b cc.d\nee.f\n
parallel -k -n2 -X -j1 echo a{}b ::: 1 2 3
	0 a1b a2b\na3b\n
parallel -k -n2 -m -j1 echo a{}b ::: 1 2 3
	0 a1 2b\na3b\n
parallel -k -N1 echo {1} ::: a b
	0 a\nb\n
parallel -k -n1 echo {1} ::: a b
	0 a\nb\n
parallel -k -L1 echo {1} ::: 'a b' c
	0 a b\nc\n
printf 'a b  c\n' | parallel -k -L1 'echo [{}] [{1}] [{2}] [{3}]'
	0 [a b  c] [a b  c] [] []\n
printf '\n\na\nb\n' | parallel -k -L2 'echo [{1}][{2}]'
	0 [][]\n[a][b]\n
printf '\n\na\nb\n' | parallel -k -n2 'echo [{1}][{2}]'
	0 [][]\n[a][b]\n
printf '\n\na\nb\n' | parallel -k -n2 -r 'echo [{1}][{2}]'
	0 [a][b]\n
parallel -k -L0 echo hi ::: 1 2 3
	0 hi\nhi\nhi\n
parallel -k -L0 echo hi {} ::: 1 2 3
	0 hi\nhi\nhi\n
printf 'a\nb\n' | parallel -k -N0 echo hi {#}
	0 hi 1\nhi 2\n
parallel -k -L2 ::: 'echo a' b
	0 a b\n
printf 'a b \nc\nd \n' | parallel -k -L1 echo {}
	0 a b c\nd \n
END
}

@test "filled groups, as in GNU parallel" {
	agrees_with_gnu <<'END'
seq 10 | parallel -k -X -j1 echo
	0 1 2 3 4 5 6 7 8 9 10\n
seq 10 | parallel -k -X -j4 echo
	0 1 2 3\n4 5 6\n7 8 9\n10\n
seq 10 | parallel -k -X -j4 echo a{}b
	0 a1b a2b a3b\na4b a5b a6b\na7b a8b a9b\na10b\n
seq 10 | parallel -k -m -j4 echo a{}b
	0 a1 2 3b\na4 5 6b\na7 8 9b\na10b\n
seq 10 | parallel -k -m -j1 echo a{}b
	0 a1 2 3 4 5 6 7 8 9 10b\n
seq 10 | parallel -k -m -j4 echo
	0 1 2 3\n4 5 6\n7 8 9\n10\n
seq 3 | parallel -k -m -j4 echo
	0 1\n2\n3\n
seq 10 | parallel -k --xargs echo
	0 1 2 3 4 5 6 7 8 9 10\n
seq 10 | parallel -k --xargs -j4 echo a{}b
	0 a1 2 3 4 5 6 7 8 9 10b\n
seq 10 | parallel -k -X -n3 -j1 echo a{}b
	0 a1b a2b a3b\na4b a5b a6b\na7b a8b a9b\na10b\n
seq 10 | parallel -k -X -n3 -j4 echo a{}b
	0 a1b a2b a3b\na4b a5b a6b\na7b a8b a9b\na10b\n
seq 10 | parallel -k -m -n3 -j1 echo a{}b
	0 a1 2 3b\na4 5 6b\na7 8 9b\na10b\n
seq 10 | parallel -k -m -n3 -j4 echo a{}b
	0 a1 2 3b\na4 5 6b\na7 8 9b\na10b\n
seq 10 | parallel -k --xargs -n3 -j4 echo a{}b
	0 a1 2 3b\na4 5 6b\na7 8 9b\na10b\n
seq 10 | parallel -k -X -N3 -j4 echo a{}b
	0 a1b a2b a3b\na4b a5b a6b\na7b a8b a9b\na10b\n
seq 20 | parallel -k -s 20 -X -j1 echo
	0 1 2 3 4 5 6 7\n8 9 10 11 12\n13 14 15 16 17\n18 19 20\n
seq 20 | parallel -k -s 20 -X -j4 echo
	0 1 2 3 4 5 6 7\n8 9 10 11 12\n13 14 15 16 17\n18\n19\n20\n
seq 20 | parallel -k -s 20 -m -j1 echo
	0 1 2 3 4 5 6 7\n8 9 10 11 12\n13 14 15 16 17\n18 19 20\n
seq 20 | parallel -k -s 20 -m -j4 echo
	0 1 2 3 4 5 6 7\n8 9 10 11 12\n13 14 15 16 17\n18\n19\n20\n
seq 20 | parallel -k -s 20 --xargs echo
	0 1 2 3 4 5 6 7\n8 9 10 11 12\n13 14 15 16 17\n18 19 20\n
seq 20 | parallel -k -s 30 -X -j1 echo x{}y
	0 x1y x2y x3y x4y x5y x6y\nx7y x8y x9y x10y x11y\nx12y x13y x14y x15y x16y\nx17y x18y x19y x20y\n
seq 20 | parallel -k -s 30 -m -j1 echo x{}y
	0 x1 2 3 4 5 6 7 8 9 10y\nx11 12 13 14 15 16 17y\nx18 19 20y\n
seq 20 | parallel -k -s 30 -X -j1 echo {} {}
	0 1 2 3 4 5 6 1 2 3 4 5 6\n7 8 9 10 11 7 8 9 10 11\n12 13 14 15 12 13 14 15\n16 17 18 19 16 17 18 19\n20 20\n
seq 20 | parallel -k -s 30 -m -j1 echo {} {}
	0 1 2 3 4 5 6 1 2 3 4 5 6\n7 8 9 10 11 7 8 9 10 11\n12 13 14 15 12 13 14 15\n16 17 18 19 16 17 18 19\n20 20\n
seq 20 | parallel -k -s 35 -X -j1 'echo {} ; echo {}'
	0 1 2 3 4 5\n1 2 3 4 5\n6 7 8 9 10\n6 7 8 9 10\n11 12 13\n11 12 13\n14 15 16\n14 15 16\n17 18 19\n17 18 19\n20\n20\n
seq 100 | parallel -k -s 100 -X -j4 echo
	0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 22 23 24 25 26 27 28 29 30 31 32 33 34\n35 36 37 38 39 40 41 42 43 44 45 46 47 48 49 50 51 52 53 54 55 56 57 58 59 60 61 62 63 64 65\n66 67 68 69 70 71 72 73 74 75 76 77 78 79 80 81 82 83 84 85 86 87 88 89 90 91 92 93 94 95 96\n97\n98\n99\n100\n
seq 100 | parallel -k -s 100 -m -j2 echo
	0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 22 23 24 25 26 27 28 29 30 31 32 33 34\n35 36 37 38 39 40 41 42 43 44 45 46 47 48 49 50 51 52 53 54 55 56 57 58 59 60 61 62 63 64 65\n66 67 68 69 70 71 72 73 74 75 76 77 78 79 80 81 82 83 84 85 86 87 88 89 90 91 92 93 94 95 96\n97 98\n99 100\n
seq 20 | parallel -k --max-chars 25 -m -j1 echo
	0 1 2 3 4 5 6 7 8 9\n10 11 12 13 14 15\n16 17 18 19 20\n
seq 20 | parallel -k --max-chars=25 --xargs -j1 echo {.} {/}
	0 1 2 3 4 5 1 2 3 4 5\n6 7 8 9 6 7 8 9\n10 11 12 10 11 12\n13 14 15 13 14 15\n16 17 18 16 17 18\n19 20 19 20\n
seq 20 | parallel -k -s 30 -n 5 -m -j1 echo
	0 1 2 3 4 5\n6 7 8 9 10\n11 12 13 14 15\n16 17 18 19 20\n
seq 20 | parallel -k -s 30 -n 5 -X -j4 echo
	0 1 2 3 4 5\n6 7 8 9 10\n11 12 13 14 15\n16 17\n18 19\n20\n
printf '%s\n' 'a b' "c'd" 'e"f' 'g$h' | parallel -k -s 30 --xargs echo
	0 a b c'd e"f\ng$h\n
printf '%s\n' 'a b' "c'd" 'e"f' 'g$h' | parallel -k -X -j1 echo
	0 a b c'd e"f g$h\n
printf '%s\n' 'a b' "c'd" 'e"f' 'g$h' | parallel -k -m -j1 echo x{}y
	0 xa b c'd e"f g$hy\n
seq 20 | parallel -k -L 3 -m -j1 echo
	0 1 2 3\n4 5 6\n7 8 9\n10 11 12\n13 14 15\n16 17 18\n19 20\n
seq 20 | parallel -k -L 3 -X -j4 echo
	0 1 2 3\n4 5 6\n7 8 9\n10 11 12\n13 14 15\n16 17 18\n19\n20\n
seq 7 | parallel -k -L 3 -s 100 echo
	0 1 2 3\n4 5 6\n7\n
seq 7 | parallel -k -X -j2 'echo {} {#}'
	0 1 2 3 4 1\n5 6 7 2\n
parallel -k -X -j1 echo ::: a b ::: 1 2 3
	0 a 1 a 2 a 3 b 1 b 2 b 3\n
parallel -k -m -j1 echo ::: a b ::: 1 2 3
	0 a 1 a 2 a 3 b 1 b 2 b 3\n
parallel -k -X -j1 echo {.}.o ::: a.c b.c d.c
	0 a.o b.o d.o\n
parallel -k -m -j1 echo {.}.o ::: a.c b.c d.c
	0 a b d.o\n
parallel -k -X -j1 echo pre-{.}.o:{/} ::: d/a.c d/b.c d.c
	0 pre-d/a.o:a.c pre-d/b.o:b.c pre-d.o:d.c\n
parallel -k -X -j1 'echo "x{}y"' ::: a 'b c'
	0 xay x'b c'y\n
parallel -k -X -j1 'echo {}{}' ::: a b
	0 aa bb\n
parallel -k -m -j1 'echo {}{}' ::: a b
	0 a ba b\n
parallel -k -X -j2 echo ::: $(seq 9)
	0 1 2 3 4 5\n6 7 8 9\n
parallel -k -X -j3 echo ::: $(seq 10)
	0 1 2 3 4\n5 6 7 8\n9 10\n
parallel -k -m -j3 echo ::: $(seq 10)
	0 1 2 3 4\n5 6 7 8\n9 10\n
parallel -k -X -j3 -n4 echo ::: $(seq 10)
	0 1 2 3 4\n5 6 7 8\n9\n10\n
parallel -k -X -j3 -n2 echo ::: $(seq 10)
	0 1 2\n3 4\n5 6\n7 8\n9\n10\n
parallel -k -X -j2 -s 30 echo ::: $(seq 30)
	0 1 2 3 4 5 6 7 8 9 10 11\n12 13 14 15 16 17 18 19\n20 21 22 23 24 25 26 27\n28 29\n30\n
parallel -k -m -j3 -s 30 echo ::: $(seq 30)
	0 1 2 3 4 5 6 7 8 9 10 11\n12 13 14 15 16 17 18 19\n20 21 22 23 24 25 26 27\n28\n29\n30\n
parallel -k -X -j4 echo ::: a
	0 a\n
parallel -k -X -j2 echo x{}y{}z ::: a b c
	0 xayaz xbybz\nxcycz\n
parallel -k -X -j1 echo x{}y z{.}w ::: a.b c.d
	0 xa.by xc.dy zaw zcw\n
parallel -k -X -j1 'echo x{}y|cat;echo {}' ::: a.b c.d
	0 xa.by\nxc.dy\na.b c.d\n
parallel -k -m -j1 -q echo 'x {} y' ::: a b
	0 x a b y\n
parallel -k -n2 -q echo 'x {} y' '{1}' ::: a b c
	0 x a b y a\nx c y c\n
parallel -k -X -j1 echo 'x {} y' ::: a b
	0 x a b y\n
parallel -k -X -j1 echo {}.{} -- {} ::: a b
	0 a.a b.b -- a b\n
parallel -k -X -j1 echo [{#}]{} ::: a b c
	0 [1]a [1]b [1]c\n
parallel -k -m -j1 echo [{#}]{} ::: a b c
	0 [1]a b c\n
parallel -k -X -j1 echo '{}	{}' ::: a b c
	0 a b c a b c\n
parallel -k -m -s 18 -j1 echo ::: aaa bbb ccc ddd eee
	0 aaa bbb ccc\nddd eee\n
parallel -k -m -s 10 -j1 echo ::: a b c d e
	0 a b\nc d\ne\n
parallel -k -m -s 12 -j1 echo ::: a b c d e
	0 a b c\nd e\n
parallel -k -m -s 14 -j1 echo ::: a b c d e f g
	0 a b c d\ne f g\n
parallel -k --xargs -s 11 echo ::: a b c d e f g
	0 a b c\nd e f\ng\n
parallel -k --xargs -s 13 echo ::: a b c d e f g
	0 a b c d\ne f g\n
parallel -k --xargs -s 17 'echo x{}y' ::: a b c d e f g
	0 xa b c d ey\nxf gy\n
parallel -k -X -s 17 -j1 'echo x{}y' ::: a b c d e f g
	0 xay xby xcy\nxdy xey xfy\nxgy\n
parallel -k -X -s 17 -j1 'echo {}{}' ::: a b c d e f g
	0 aa bb cc dd\nee ff gg\n
parallel -k -X -s 17 -j1 'echo {} {}' ::: a b c d e f g
	0 a b c a b c\nd e f d e f\ng g\n
parallel -k -X -s 20 -j1 'echo {.} {/}' ::: a.b b/c c d.e f.g
	0 a b/c a.b c\nc d c d.e\nf f.g\n
parallel -k --xargs -s 20 'echo {.} {/}' ::: a.b b/c c d.e f.g
	0 a b/c a.b c\nc d c d.e\nf f.g\n
parallel -k -s 100 echo ::: a bbbbbbbbbbbbbb c
	0 a\nbbbbbbbbbbbbbb\nc\n
parallel -k -n2 -s 12 echo ::: a b c d eeeee f
	0 a b\nc d\neeeee\nf\n
parallel -k -N2 -s 12 echo ::: a b c d eeeee f
	0 a b\nc d\neeeee\nf\n
parallel -k -L2 -s 12 echo ::: a b c d eeeee f
	0 a b\nc d\neeeee\nf\n
END
}

@test "columns and headers, as in GNU parallel" {
	agrees_with_gnu <<'END'
printf 'a b\tc\n' | parallel -k --colsep ' ' echo {1} {2} {3}
	0 a b\tc\n
printf 'a b\tc\n' | parallel -k --colsep '\t' echo {1}-{2}-{3}
	0 a b-c-\n
printf 'a b\tc\n' | parallel -k --colsep '\s' echo {1}-{2}-{3}
	0 a-b-c\n
printf 'a  b c\n' | parallel -k --colsep ' +' echo {1}-{2}-{3}
	0 a-b-c\n
printf 'a,b,,\n' | parallel -k --colsep , 'echo [{1}][{2}][{3}][{4}][{5}]'
	0 [a][b][][][]\n
printf 'a,b,,\n' | parallel -k -C , 'echo [{}]'
	0 [a b  ]\n
printf 'a,b,,\n,\n' | parallel -k -C , 'echo {}'
	0 a b  \n \n
printf 'a|b|c\n' | parallel -k -C '\|' echo {3}{2}{1}
	0 cba\n
printf 'a|b|c\n' | parallel -k -C '|' echo {3}{2}{1}
	0 b|a\n
printf 'a.b.c\n' | parallel -k -C '[.]' echo {3}{2}{1}
	0 cba\n
printf 'a.b.c\n' | parallel -k -C '\.' echo {3}{2}{1}
	0 cba\n
printf ' a , b \n' | parallel -k -C , 'echo [{1}][{2}]'
	0 [a][b]\n
printf ' a , b \n' | parallel -k -C , --trim n 'echo [{1}][{2}]'
	0 [ a ][ b ]\n
printf ' a , b \n' | parallel -k -C , --trim l 'echo [{1}][{2}]'
	0 [a ][b ]\n
printf ' a , b \n' | parallel -k -C , --trim r 'echo [{1}][{2}]'
	0 [ a][ b]\n
printf ' a , b \n' | parallel -k -C , --trim lr 'echo [{1}][{2}]'
	0 [a][b]\n
printf ' a , b \n' | parallel -k -C , --trim rl 'echo [{1}][{2}]'
	0 [a][b]\n
parallel -k --trim l 'echo [{}]' ::: ' a ' '	b	'
	0 [a ]\n[b\t]\n
parallel -k --trim r 'echo [{}]' ::: ' a ' '	b	'
	0 [ a]\n[\tb]\n
parallel -k --trim lr 'echo [{}]' ::: ' a ' '	b	' '  '
	0 [a]\n[b]\n[]\n
parallel -k --trim n 'echo [{}]' ::: ' a ' '	b	'
	0 [ a ]\n[\tb\t]\n
parallel -k --colsep , echo {1}{2}{3} ::: a,b ::: c,d
	0 abc\n
parallel -k --colsep , echo {2} {4} ::: a,b c,d ::: 1,2 3,4
	0 b 2\nb 4\nd 2\nd 4\n
parallel -k --colsep , echo {2} {4} ::: a,b c,d :::+ 1,2 3,4
	0 b 2\nd 4\n
parallel -k -C, -a csv echo {2}/{1}
	0 h2/h1\n2/1\n4/3\n
parallel -k -C, --header : -a csv echo {h2}/{h1}
	0 2/1\n4/3\n
parallel -k -C, --header : -a csv echo {h2}/{1}
	0 2/1\n4/3\n
parallel -k -C, --header : -a csv echo {h1.} {h1/} {h1//} {h1/.}
	0 1 1 . 1\n3 3 . 3\n
parallel -k -C, --header : -a csv 'echo {}'
	0 1 2\n3 4\n
parallel -k -C, --header : -a csv echo
	0 1 2\n3 4\n
parallel -k --header : echo {x} {y} ::: x a b ::: y 1 2
	0 a 1\na 2\nb 1\nb 2\n
parallel -k --header : echo {y} {x} ::: x a b :::+ y 1 2
	0 1 a\n2 b\n
parallel -k --header : echo {x} {q} ::: x a b
	0 a {q}\nb {q}\n
parallel -k --header : echo {1} ::: x a b
	0 a\nb\n
parallel -k --header : --link echo {x}{y} ::: x a b ::: y 1 2
	0 a1\nb2\n
parallel -k --header : -a tsv echo '{A B}-{C}'
	0 D E-F\n
parallel -k --header : echo {x.} {x/} {x//} {x/.} ::: x d/a.b
	0 d/a a.b d a\n
parallel -k --header : -a abc echo {a}
	0 b\nc\n
parallel -k --header : -a nonl echo {p}
	0 q\n
parallel -k --header : -a empty echo {p}
	0
parallel -k --header : -N2 echo {a} ::: a 1 2 3
	0 1\n3\n
parallel -k --header : 'echo {}' ::: a 1 2 3
	0 1\n2\n3\n
parallel -k -C, --header : echo {a} {b} ::: a,b 1,2 3,4
	0 1 2\n3 4\n
parallel -k -C, -N2 'echo {}' ::: 1,2 3,4 5,6
	0 1 2 3 4\n5 6\n
parallel -k -C, -N2 'echo {1}-{2}-{3}-{4}' ::: 1,2 3,4 5,6
	0 1-2-3-4\n5-6--\n
parallel -k -C, -X -j1 'echo {1}-{2}' ::: 1,2 3,4 5,6
	0 1-2\n
parallel -k -C, -m -j1 'echo {1} {2}' ::: 1,2 3,4 5,6
	0 1 2\n
printf 'a\t\tb\n' | parallel -k --colsep '\t' 'echo [{1}][{2}][{3}]'
	0 [a][][b]\n
printf 'a b\n' | parallel -k --colsep ' ' echo
	0 a b\n
printf 'a b\n' | parallel -k --colsep ' ' echo {}
	0 a b\n
printf 'a b\n' | parallel -k --colsep ' ' echo {-1}
	0 b\n
printf 'a b\nc\n' | parallel -k --colsep ' ' 'echo [{1}] [{2}]'
	0 [a] [b]\n[c] []\n
printf 'a1b22c\n' | parallel -k --colsep '[0-9]+' 'echo {1} {2} {3}'
	0 a b c\n
printf 'a::b\n' | parallel -k --colsep '::' 'echo {1} {2}'
	0 a b\n
printf 'a\\b\n' | parallel -k --colsep '\\' 'echo {1} {2}'
	0 a b\n
printf 'a^b$c\n' | parallel -k --colsep '[$^]' 'echo {1} {2} {3}'
	0 a b c\n
printf 'a b c\n' | parallel -k --colsep '\W' 'echo {1} {2} {3}'
	0 a b c\n
printf 'a1b\n' | parallel -k --colsep '\d' 'echo {1} {2}'
	0 a b\n
printf 'a,b;c\n' | parallel -k --colsep ',|;' 'echo {1} {2} {3}'
	0 a b c\n
printf 'x\na,b\n' | parallel -k --header : --colsep , 'echo {x} {2}'
	0 a b\n
printf 'x\ty\na\tb\n' | parallel -k --header : --colsep '\t' 'echo {y} {x}'
	0 b a\n
printf 'x y\ty\na\tb\n' | parallel -k --header : --colsep '\t' 'echo {y} {x y}'
	0 b a\n
printf 'x\ty\na\tb\n' | parallel -k --header : 'echo {y} {x}'
	0 b a\n
parallel -k --header : -C, 'echo {a}{c}' ::: a,b 1,2 ::: c,d 3,4 5,6
	0 13\n15\n
parallel -k --header : echo {#} ::: a 1 2
	0 1\n2\n
parallel -k --header : --tag echo {a} ::: a 1 2
	0 1\t1\n2\t2\n
parallel -k --header : echo {a} {b} :::: <(printf 'a\n1\n2\n') ::: b 3
	0 1 3\n2 3\n
parallel -k --header : echo '{1}' '{2}' :::: <(printf 'a\n1\n2\n') ::: b 3
	0 1 3\n2 3\n
END
}

@test "more replacement strings, as in GNU parallel" {
	agrees_with_gnu <<'END'
parallel -k --plus echo {..} {...} {/..} {/...} {+/} {+.} {+..} {+...} ::: d/a.b.c.d a/b.c x .h d.e/f g.tar.gz /abs/x.y.z
	0 d/a.b d/a a.b a d d c.d b.c.d\na/b.c a/b.c b.c b.c a c  \nx x x x    \n.h .h .h .h  h  \nd.e/f d.e/f f f d.e e/f  \ng g.tar.gz g g.tar.gz  gz tar.gz \n/abs/x /abs/x.y.z x x.y.z /abs z y.z \n
parallel -k --plus echo {..}.{+..} {...}.{+...} {+/}/{/} ::: d/a.b.c.d
	0 d/a.b.c.d d/a.b.c.d d/a.b.c.d\n
parallel -k --plus echo '{:-def}' ::: '' a
	0 def\na\n
parallel -k --plus echo '{:2}' '{:1:2}' '{:0}' ::: abcdef a ''
	0 cdef bc abcdef\n  a\n  \n
parallel -k --plus echo '{#a}' '{##a.}' '{#b}' ::: abab aab bba
	0 bab ab abab\nab b aab\nbba bba ba\n
parallel -k --plus echo '{%b}' '{%%.b}' '{%.*}' ::: abab aab bba a.b.c
	0 aba ab abab\naa a aab\nbba bba bba\na.b.c a.b.c a.b.c\n
parallel -k --plus echo '{/a/X}' '{//a/X}' '{/a/}' ::: banana xyz
	0 bXnana bXnXnX bnana\nxyz xyz xyz\n
parallel -k --plus echo '{^a}' '{^^a}' '{,A}' '{,,A}' ::: banana AAA aBA
	0 banana bAnAnA banana banana\nAAA AAA aAA aaa\nABA ABA aBA aBa\n
parallel -k --plus echo '{^^.}' ::: abc dEf
	0 ABC\nDEF\n
parallel -k --plus echo '{/#b/X}' '{/%a/X}' ::: banana
	0 Xanana bananX\n
parallel -k --plus echo '{1:-x}' '{2:-y}' '{2%.c}' ::: a '' ::: b.c
	0 a b.c b\nx b.c b\n
parallel -k --plus echo '{1..}' '{2/..}' '{2+.}' '{2+/}' ::: a.b.c ::: d/e.f.g
	0 a e g d\n
parallel -k --plus echo '{%.tar.gz}' ::: x.tar.gz
	0 x\n
parallel -k --plus echo '{slot}' ::: a
	0 1\n
parallel -k --plus echo '{:-a b}' ::: ''
	0 a b\n
parallel -k echo {..} ::: a.b.c
	0 {..} a.b.c\n
END
}

@test "renamed and new replacement strings, as in GNU parallel" {
	agrees_with_gnu <<'END'
parallel -k -I // echo // ::: a b
	0 a\nb\n
parallel -k -I ,, echo ,, {} ::: a b
	0 a {}\nb {}\n
parallel -k -I % echo % x%y ::: a b
	0 a xay\nb xby\n
parallel -k -I X echo X {.} ::: a.b
	0 a.b a\n
parallel -k -i echo {} ::: a
	1
parallel -k -ifoo echo foo ::: a
	0 a\n
parallel -k --replace=foo echo foo ::: a
	0 a\n
parallel -k --replace echo {} ::: a
	1
parallel -k --bnr ,b echo ,b {/} ::: d/a.b
	0 a.b {/}\n
parallel -k --basenamereplace ,b echo ,b ::: d/a.b
	0 a.b\n
parallel -k --dnr ,d echo ,d ::: d/a.b
	0 d\n
parallel -k --bner ,e echo ,e ::: d/a.b
	0 a\n
parallel -k --er ,x echo ,x ::: d/a.b
	0 d/a\n
parallel -k --extensionreplace ,x echo ,x ::: d/a.b
	0 d/a\n
parallel -k --seqreplace ,s echo ,s ::: d/a.b c
	0 1\n2\n
parallel -k -j1 --slotreplace ,s echo ,s ::: d/a.b c
	0 1\n1\n
parallel -k --rpl '{u} s/a/b/' echo {u} ::: aa ba
	0 ba\nbb\n
parallel -k --rpl '{u} s/a/b/g' echo {u} ::: aa ba
	0 bb\nbb\n
parallel -k --rpl '{u} s/A/b/gi' echo {u} ::: aa ba
	0 bb\nbb\n
parallel -k --rpl '{u} s:.*/::; s:\.[^.]*$::' echo {u} ::: d/a.b
	0 a\n
parallel -k --rpl '{u} s/(.)(.)/$2$1/' echo {u} {1u} {2u} ::: ab ::: cd
	0 ba dc ba dc\n
parallel -k --rpl '{u} s/(\d+)/<\1>/g' echo {u} ::: a12b3
	0 a<12>b<3>\n
parallel -k --rpl '{u} s/(\d+)/<$1>/g' 'echo {u}' ::: a12b3
	0 a<12>b<3>\n
parallel -k --rpl ',, s/\.jpg$/_small.jpg/' echo ,, ::: a.jpg
	0 a_small.jpg\n
parallel -k --rpl '{.} s/x/y/' echo {.} ::: axa
	0 aya\n
parallel -k --rpl '{} s/x/y/' echo {} ::: axa
	0 aya\n
parallel -k --rpl '{a} s/x/y/' --rpl '{b} s/x/z/' echo {a}{b} ::: axa
	0 ayaaza\n
parallel -k --rpl '{u} s/^.*$/[$&]/' 'echo {u}' ::: a
	0 [a]\n
END
}

@test "tags, as in GNU parallel" {
	agrees_with_gnu <<'END'
parallel -k --tag echo ::: a b
	0 a\ta\nb\tb\n
parallel -k --tag echo {1} ::: a b ::: 1 2
	0 a 1\ta\na 2\ta\nb 1\tb\nb 2\tb\n
parallel -k --tag 'echo {}; echo {} >&2; printf x' ::: a b
	0 a\ta\na\txb\tb\nb\tx
parallel -k --tagstring '{}' echo ::: a b
	0 a\ta\nb\tb\n
parallel -k --tagstring '[{/}:{#}]' echo {} ::: d/a b
	0 [a:1]\td/a\n[b:2]\tb\n
parallel -k --tagstring 'a\tb' echo ::: a b
	0 a\tb\ta\na\tb\tb\n
parallel -k --tagstring '{1}-{2}' echo ::: a b ::: 1 2
	0 a-1\ta 1\na-2\ta 2\nb-1\tb 1\nb-2\tb 2\n
parallel -k --tagstring 'const' echo ::: a b
	0 const\ta\nconst\tb\n
parallel -k --tagstring '{2}' echo ::: a b ::: 'x y' "q'q"
	0 x y\ta x y\nq'q\ta q'q\nx y\tb x y\nq'q\tb q'q\n
parallel -k --tag -X -j1 echo ::: a b
	0 a b\ta b\n
parallel -k --tag -N2 echo ::: a b c
	0 a b\ta b\nc\tc\n
parallel -k --tag -n2 echo ::: a b c
	0 a b\ta b\nc\tc\n
parallel -k --tag printf ::: 'a\n\nb' c
	0 a\\n\\nb\ta\na\\n\\nb\t\na\\n\\nb\tbc\tc
parallel -k --tag true ::: a
	0
parallel -k --tag echo ::: 'a b' "c'd"
	0 a b\ta b\nc'd\tc'd\n
parallel -k --tagstring '{1.}' echo ::: a.b ::: c
	0 a\ta.b c\n
parallel -k --header : --tagstring '{x}' echo ::: x a b
	0 a\ta\nb\tb\n
parallel -k --tag -C, echo ::: a,b c,d
	0 a b\ta b\nc d\tc d\n
END
}

@test "quoting, as in GNU parallel" {
	agrees_with_gnu <<'END'
parallel -k echo ::: 'a b' "c'd" 'e"f' 'g$h' '`i`' '$(j)' 'k;l' 'm&n' 'o|p' '<q>' '*' '?' '[r]' '{s}' '~' '#t' 'u\v' '!w' '(x)' 'y=z' '-n' '--' '%' '^' '@' ',' ''
	0 a b\nc'd\ne"f\ng$h\n`i`\n$(j)\nk;l\nm&n\no|p\n<q>\n*\n?\n[r]\n{s}\n~\n#t\nu\\v\n!w\n(x)\ny=z\n--\n%\n^\n@\n,\n\n
parallel -k echo {} ::: $'new\nline' $'tab\there' $'cr\rx' $'\e[1m'
	0 new\nline\ntab\there\ncr\x0dx\n\x1b[1m\n
parallel -k 'echo {}' ::: 'a  b' '  lead' 'trail  '
	0 a  b\n  lead\ntrail  \n
parallel -k 'printf %s\\n {}' ::: '\n' '\\' '%s'
	0 \\n\n\\\\\n%s\n
parallel -k "echo '{}'" ::: 'a b' 'c"d' '$x' '*'
	1 a b\n\nabc crlf csv empty n123 nonl tsv xy\n
parallel -k echo '"{}"' ::: 'a b'
	0 'a b'\n
parallel -k -q echo '{}' ::: 'a b' '$x'
	0 a b\n$x\n
parallel -k -q echo 'a  b' '$x' '{}' ::: 'a b'
	0 a  b $x a b\n
parallel -k -q sh -c 'echo "$1"' sh ::: 'a  b' '$x'
	0 a  b\n$x\n
parallel -k -q sh -c 'echo {}' ::: 'a b' '*'
	0 a b\nabc crlf csv empty n123 nonl tsv xy\n
parallel -k -q perl -e 'print "@ARGV\n"' ::: 'a  b' c
	0 a  b\nc\n
parallel -k --quote printf '%s|' 'x y' ::: a
	0 x y|a|
parallel -k -q echo '' x ::: a
	0  x a\n
parallel -k -q 'echo hi' ::: a
	1
printf '0\n-1\n--x\n' | parallel -k echo
	0 0\n-1\n--x\n
printf '%s\n' '-e' '-n' | parallel -k echo x
	0 x -e\nx -n\n
parallel -k echo ::: äöü 日本語 $'\xff\xfe' $'a\x80b' $'\xc3'
	0 \xc3\xa4\xc3\xb6\xc3\xbc\n\xe6\x97\xa5\xe6\x9c\xac\xe8\xaa\x9e\n\xff\xfe\na\x80b\n\xc3\n
parallel -k 'echo {} | od -An -tx1' ::: $'\x01\x02' $'\x7f' $'\xff'
	0  01 02 0a\n 7f 0a\n ff 0a\n
parallel -k echo {.} {/} ::: dä/ö.ü $'\xff/\xfe.\xfd'
	0 d\xc3\xa4/\xc3\xb6 \xc3\xb6.\xc3\xbc\n\xff/\xfe \xfe.\xfd\n
parallel -k --rpl '{u} s/ä/x/' echo {u} ::: bäb
	0 bxb\n
END
}

@test "inputs that are commands, as in GNU parallel" {
	agrees_with_gnu <<'END'
printf 'echo a\necho b; echo c\nfalse\nexit 3\n' | parallel -k
	2 a\nb\nc\n
printf 'echo "a  b"\necho $((1+2))\necho a | tr a b\n' | parallel -k
	0 a  b\n3\nb\n
parallel -k ::: 'echo 1' 'echo 2; echo 3' 'true'
	0 1\n2\n3\n
parallel -k ::: 'echo "a  b"' "echo 'c  d'" 'cd /; pwd'
	0 a  b\nc  d\n/\n
parallel -k {} ::: 'echo 1' 'echo 2; echo 3'
	0 1\n2\n3\n
parallel -k {1} {2} ::: echo printf ::: 'a' 'b'
	0 a\nb\nab
parallel -k ::: echo printf ::: 'a b' 'c'
	0 a b\nc\nac
parallel -k :::: <(printf 'echo x\necho y\n')
	0 x\ny\n
parallel -k :::: <(printf 'echo') ::: a b
	0 a\nb\n
parallel -k -a <(printf 'echo x\necho y\n')
	0 x\ny\n
parallel -k {.} ::: 'echo 1.x' 
	0 1\n
parallel -k ' {}' ::: 'echo 1.x' 
	1
parallel -k '{}' x ::: echo
	0 x\n
parallel -k -q {} ::: 'echo 1' 
	1
parallel -k -I ,, ,, ::: 'echo 1' 
	0 1\n
parallel -k {1} ::: 'echo 1' 
	0 1\n
parallel -k {} ::: echo ::: 'a  b'
	0 a b\n
parallel -k -N2 {} ::: echo 'a  b'
	0 a b\n
parallel -k {}{} ::: echo
	1
parallel -k {#}{} ::: echo
	1
parallel -k {} '' ::: 'echo 1'
	0 1\n
parallel -k {} {} ::: 'echo 1'
	0 1 echo 1\n
parallel -k -X -j1 {} ::: 'echo 1' 2
	0 1 2\n
parallel -k -X -j1 ::: 'echo 1' 2
	0 1 2\n
parallel -k --tag ::: 'echo 1' 'echo 2'
	0 echo 1\t1\necho 2\t2\n
parallel -k --tag -N2 ::: echo 1 echo 2
	0 echo 1\t1\necho 2\t2\n
parallel -k -N2 ::: echo '1  2' echo 2
	0 1 2\n2\n
parallel -k -n2 ::: echo 1 echo 2
	0 1\n2\n
parallel -k --rpl '{u} s/x/y/' {u} ::: 'echo xx' 
	0 yx\n
parallel -k -C, ::: echo,1 echo,2
	0 1\n2\n
parallel -k --header : ::: x 'echo 1'
	0 1\n
parallel -k -v ::: 'echo 1' 'echo "a  b"'
	0 echo 1\n1\necho "a  b"\na  b\n
parallel -k -v {} ::: 'echo 1' 'echo "a  b"'
	0 echo 1\n1\necho "a  b"\na  b\n
parallel -k --dry-run {} ::: 'echo 1'
	0 echo 1\n
parallel -k --link ::: echo printf ::: a b
	0 a\nb
parallel -k --trim lr ::: ' echo a '
	0 a\n
parallel -k --tagstring '{#}' ::: 'echo "a  b"'
	0 1\ta  b\n
END
}

@test "shell syntax and functions, as in GNU parallel" {
	agrees_with_gnu <<'END'
parallel -k 'bash -c {}' ::: 'echo 1; echo 2'
	0 1\n2\n
parallel -k 'if [[ {} == a* ]]; then echo yes; else echo no; fi' ::: ab ba
	0 yes\nno\n
parallel -k 'for i in {1..3}; do echo -n $i{}; done; echo' ::: ab ba
	0 \n\n
parallel -k 'arr=({}); echo ${arr[0]} ${#arr[@]}' ::: ab 'b a'
	0 ab 1\nb a 1\n
parallel -k myfunc ::: a 'b c'
	0 func:a:\nfunc:b c:\n
parallel -k myfunc {} x ::: a 'b c'
	0 func:a:x\nfunc:b c:x\n
parallel -k 'myfunc {1} {2}' ::: a 'b c' ::: d
	0 func:a:d\nfunc:b c:d\n
parallel -k 'diff <(echo {}) <(echo a)' ::: a b
	1 1c1\n< b\n---\n> a\n
parallel -k 'echo $SHELL_NOT_SET{}' ::: a
	0 \n
parallel -k 'echo a  {}   b' ::: x
	0 a x b\n
parallel -k echo 'a  b' {} ::: x
	0 a b x\n
parallel -k 'echo {}' ::: a '>' b
	0 a\n>\nb\n
parallel -k "echo a
	2
echo {}" ::: x y
	2
parallel -k 'echo \{} {}' ::: a
	0 a a\n
parallel -k 'echo {}\ x' ::: a
	0 a x\n
parallel -k 'echo ${HOME:+x}{}' ::: a
	0 xa\n
parallel -k 'x={}; echo $x' ::: a 'b c'
	0 a\nb c\n
parallel -k X=1 printenv X ::: ''
	1 1\n
parallel -k 'X=1 printenv {}' ::: X
	0 1\n
parallel -k '{ echo {}; }' ::: a
	0 a\n
parallel -k '(echo {})' ::: a
	0 a\n
parallel -k '! false {}' ::: a
	0
parallel -k 'echo {} # comment' ::: a
	0 a\n
parallel -k 'true' ::: a b
	0
parallel -k ' echo {}' ::: a
	0 a\n
parallel -k 'echo	{}' ::: a
	0 a\n
parallel -k '' ::: 'echo a'
	1
parallel -k ' ' ::: 'echo a'
	1
parallel -k echo '' {} ::: a
	0 a\n
parallel -k echo {}'' '' ::: a
	0 a\n
END
}

@test "exit status and the tasks' input, as in GNU parallel" {
	agrees_with_gnu <<'END'
parallel -k 'exit {}' ::: 0 1 2 3
	3
parallel -k exit ::: 0 0
	0
parallel -k false ::: 1 2 3
	3
parallel -k nonexistent_cmd_x ::: 1 2 3
	3
parallel -k 'kill -9 $$; :' ::: a b
	2
parallel -k 'exit 1;:' ::: $(seq 101)
	101
parallel -k 'exit 1;:' ::: $(seq 102)
	101
parallel -k 'exit 1;:' ::: $(seq 100)
	100
cat abc | parallel -k 'cat; echo {}'
	0 a\nb\nc\n
parallel -k 'echo $PARALLEL_SEQ' ::: a b c
	0 1 a\n2 b\n3 c\n
parallel -k -j1 'echo $PARALLEL_JOBSLOT' ::: a b c
	0 1 a\n1 b\n1 c\n
parallel -k 'echo {}; echo {} >&2' ::: a b 2>/dev/null
	0 a\nb\n
END
}

@test "showing commands, as in GNU parallel" {
	agrees_with_gnu <<'END'
parallel -k -v echo ::: a b
	0 echo a\na\necho b\nb\n
parallel -k -v echo ::: 'a b'
	0 echo 'a b'\na b\n
parallel -k --dry-run echo ::: a b
	0 echo a\necho b\n
parallel -k --dryrun echo ::: a b
	0 echo a\necho b\n
parallel -k --dry-run echo {} '>' {.}.o ::: a.c b.c
	0 echo a.c > a.o\necho b.c > b.o\n
parallel -k --dr 'echo {} > x' ::: a.c b.c
	0 echo a.c > x\necho b.c > x\n
parallel -k --dry-run -q echo {} 'a b' ::: a.c b.c
	0 echo a.c 'a b'\necho b.c 'a b'\n
parallel -k --dry-run -X -j1 echo {} ::: a.c b.c
	0 echo a.c b.c\n
parallel -k --dry-run ::: 'echo a' 'echo b; ls'
	0 echo a\necho b; ls\n
parallel -k --dry-run --tag echo ::: a b
	0 a\techo a\nb\techo b\n
parallel -k --silent -v echo ::: a
	0 a\n
END
}

@test "other options, as in GNU parallel" {
	agrees_with_gnu <<'END'
parallel -k --shuf echo ::: a b c d e | sort
	0 a\nb\nc\nd\ne\n
parallel --shuf -j1 echo ::: a b ::: 1 2 | sort
	0 a 1\na 2\nb 1\nb 2\n
parallel -k --shuf -N2 echo ::: a b c d | tr ' ' '\n' | sort
	0 a\nb\nc\nd\n
parallel -k --wd /tmp pwd ::: a
	0 /tmp\n
parallel -k --workdir / 'pwd; echo {}' ::: a
	0 /\na\n
parallel -k --arg-sep ,, echo ,, a b
	0 a\nb\n
parallel -k --arg-file-sep // echo // abc
	0 a\nb\nc\n
parallel -k --arg-sep ,, echo ::: ,, a b
	0 ::: a\n::: b\n
parallel --gnu --no-notice --plain -k echo ::: a
	0 a\n
PARALLEL='-k --tag' parallel echo ::: a b
	0 a\ta\nb\tb\n
PARALLEL='--tagstring "x y"' parallel -k echo ::: a b
	0 x y\ta\nx y\tb\n
parallel -k --plain echo ::: a
	0 a\n
parallel -j+0 -k echo ::: a
	0 a\n
parallel -j 100% -k echo ::: a
	0 a\n
parallel -P2 -k echo ::: a
	0 a\n
parallel --jobs=2 -k echo ::: a
	0 a\n
parallel --max-procs 2 -k echo ::: a
	0 a\n
parallel -kj2 echo ::: a b
	0 a\nb\n
parallel -kn2 echo ::: a b c
	0 a b\nc\n
parallel -k --keep echo ::: a
	0 a\n
parallel --keep-order echo ::: a b
	0 a\nb\n
parallel -k --no-run-if-empty echo ::: '' a
	0 a\n
parallel -k -u echo ::: a
	0 a\n
parallel -k --lb echo ::: a b
	0 a\nb\n
parallel -k --ungroup -j1 echo ::: a b
	0 a\nb\n
END
}

# --- what differs on purpose ---

@test "values are given by -X and -m column by column, none is dropped" {
	agree_all pinion parallel <<'END'
seq 4 | parallel -k -X -j1 'echo {1} / {2}'
	0 1 2 3 4 /\n
parallel -k -X -j1 echo {1} / {2} ::: a b ::: 1 2 3
	0 a a a b b b / 1 2 3 1 2 3\n
parallel -k -X -j2 echo {1} / {2} ::: a b ::: 1 2 3
	0 a a a / 1 2 3\nb b b / 1 2 3\n
parallel -k --xargs echo {1} ::: a b ::: 1 2 3
	0 a a a b b b\n
END
}

@test "a word of -q is one word however often -X and -N repeat it" {
	agree_all pinion parallel <<'END'
parallel -k -X -j1 -q printf '<%s>' 'x {} y' ::: a b
	0 <x a y><x b y>
parallel -k -N2 -q printf '<%s>' 'x {} y' ::: a b c
	0 <x a y><x b y><x c y>
END
}

@test "a number without a value stands for nothing, from the end as well" {
	agree_all pinion parallel <<'END'
parallel -k echo {-3}x{3} ::: a b ::: c d
	0 x\nx\nx\nx\n
END
}

@test "only the names of replacement strings are replacement strings" {
	agree_all pinion parallel <<'END'
parallel -k 'echo {1 } { } {1.2} {a}' ::: a
	0 {1 } { } {1.2} {a} a\n
END
}

@test "delimiters in hexadecimal work as the manual of GNU parallel has them" {
	agree_all pinion parallel <<'END'
printf 'a:b:c' | parallel -k -d '\x3a' 'echo [{}]'
	0 [a]\n[b]\n[c]\n
END
}

@test "a single quote within double quotes of the command does no harm" {
	agree_all pinion parallel <<'END'
parallel -k 'echo "{}"' ::: 'a b' "c'd" '$x' '*'
	0 'a b'\n'c'\\''d'\n''\n'*'\n
END
}

@test "groups of --colsep do not become columns, and header names are trimmed" {
	agree_all pinion parallel <<'END'
printf 'aXbxc\n' | parallel -k --colsep '(X|x)' 'echo {1} {2} {3}'
	0 a b c\n
printf ' x , y \n a , b \n' | parallel -k --header : --colsep , 'echo [{y}] [{x}]'
	0 [b] [a]\n
END
}

@test "an empty source counts as one empty value when linked, too" {
	agree_all pinion parallel <<'END'
parallel -k --link 'echo [{1}] [{2}]' :::: empty abc
	0 [] [a]\n[] [b]\n[] [c]\n
parallel -k --link 'echo [{1}] [{2}]' :::: abc empty
	0 [a] []\n[b] []\n[c] []\n
END
}

@test "-U names {.} anew" {
	agree_all pinion parallel <<'END'
parallel -k -U ext echo ext {.} ::: a.b
	0 a {.}\n
parallel -k -I ,, -U ,. echo ,, ,. ::: a.b
	0 a.b a\n
END
}

@test "what needs perl is refused in one line that says what to use, and nothing runs" {
	local words
	for words in 'echo {= s/a/b/ =}' '{=s/a/b/=}' '--tagstring {=1=} echo'; do
		# shellcheck disable=SC2086  # words, of which {= =} may be several
		run --separate-stderr pinion parallel $words ::: abc
		assert_equal "$status" 255
		assert_equal "$output" ''
		assert_equal "${#stderr_lines[@]}" 1
		[[ $stderr == *Perl*--rpl* ]]
	done
}

@test "--dry-run prints lines that do what the run would have done" {
	local values=('a b' "c'd" 'e"f' 'g$h' '*' '~' $'n\nl' '' '-n' 'ä' '#' '!')
	pinion parallel -k --dry-run -0 printf '"<%s>"' '{}' '{.}' ::: "${values[@]}" >lines
	pinion parallel -k -0 printf '"<%s>"' '{}' '{.}' ::: "${values[@]}" >ran
	bash lines >pasted
	assert_same_bytes pasted ran
}

@test "called as parallel it is pinion parallel" {
	ln -s "$(type -P pinion)" parallel
	run ./parallel -k echo {}{} ::: a b
	assert_equal "$output" $'aa\nbb'
	run ./parallel 'exit {}' ::: 1 1 1
	assert_equal "$status" 3
}

@test "options from PARALLEL come first and --plain leaves them out" {
	PARALLEL='--tagstring "x y"' run pinion parallel -k echo ::: a
	assert_equal "$output" $'x y\ta'
	PARALLEL='--tagstring "x y"' run pinion parallel --plain -k echo ::: a
	assert_equal "$output" a
}

@test "the shell is PARALLEL_SHELL, else the one among the parents" {
	printf '#!/bin/sh\necho "shell $*"\n' >mine
	chmod +x mine
	PARALLEL_SHELL=$PWD/mine run pinion parallel 'echo {} | cat' ::: a
	assert_equal "$output" 'shell -c echo a | cat'
	SHELL=/bin/sh run bash -c "pinion parallel 'echo \${BASH_VERSION:+bash}' ::: a; :"
	assert_equal "$output" 'bash a'
}
