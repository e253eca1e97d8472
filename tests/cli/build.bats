# The Makefile, the installation and the shape of the checkout.
load helper

# A build of this test's own: the one under test may have other flags.
build_and() {
	make -C "$root" --no-print-directory -j4 BUILD="$BATS_TEST_TMPDIR/build" CFLAGS=-O0 \
		DESTDIR="$BATS_TEST_TMPDIR/dest" "$@"
}

installed_files() {
	(cd "$BATS_TEST_TMPDIR/dest" && find . ! -type d | sort)
}

expected_files() {
	local page prefix=./opt/pinion
	{
		echo $prefix/bin/pinion
		echo $prefix/share/bash-completion/completions/pinion
		echo $prefix/share/pinion/pinion-job.schema.json
		echo $prefix/share/zsh/site-functions/_pinion
		echo $prefix/share/fish/vendor_completions.d/pinion.fish
		echo $prefix/share/pinion/pinion-json.schema.json
		for page in "$root"/man/*.[1-9]; do
			[[ -e $page ]] || continue
			echo "$prefix/share/man/man${page##*.}/${page##*/}"
		done
		if [[ -n $(find "$root/src" -name pinion-plugin.h) ]]; then
			echo $prefix/include/pinion-plugin.h
			echo $prefix/share/pkgconfig/pinion.pc
		fi
	} | sort
}

@test "install puts the program, its pages and completions under DESTDIR and PREFIX, uninstall takes them away" {
	skip_if_instrumented
	build_and PREFIX=/opt/pinion install
	assert_equal "$(installed_files)" "$(expected_files)"
	"$BATS_TEST_TMPDIR/dest/opt/pinion/bin/pinion" --version
	[[ -s $BATS_TEST_TMPDIR/dest/opt/pinion/share/zsh/site-functions/_pinion ]]

	build_and PREFIX=/opt/pinion install-parallel
	assert_equal "$(readlink "$BATS_TEST_TMPDIR/dest/opt/pinion/bin/parallel")" pinion

	build_and PREFIX=/opt/pinion uninstall
	assert_equal "$(installed_files)" ""
}

@test "uninstall leaves another program's parallel alone" {
	mkdir -p "$BATS_TEST_TMPDIR/dest/usr/bin"
	echo other >"$BATS_TEST_TMPDIR/dest/usr/bin/parallel"
	build_and PREFIX=/usr uninstall
	assert_equal "$(installed_files)" ./usr/bin/parallel
}

@test "a second make has nothing to do, other flags have everything" {
	skip_if_instrumented
	build_and all
	assert_equal "$(build_and all | grep -c -- ' -o ')" 0
	run build_and --dry-run CFLAGS=-O1 all
	[[ $output == *" -c -o "*main.o* ]]
}

@test "the top level holds what it should and nothing else" {
	command -v git >/dev/null || skip "no git"
	git -c safe.directory='*' -C "$root" rev-parse --git-dir >/dev/null 2>&1 ||
		skip "not a git checkout"
	local extra
	extra=$(git -c safe.directory='*' -C "$root" ls-files -co --exclude-standard |
		sed 's|/.*||' | sort -u |
		grep -vxE 'src|man|tests|scripts|Makefile|README|COPYING|\..*' || true)
	assert_equal "$extra" ""
}

@test "--version and --help print on stdout and succeed" {
	run --separate-stderr pinion --version
	assert_equal "$status" 0
	[[ ${lines[0]} =~ ^pinion\ [0-9]+\.[0-9]+ ]]
	assert_equal "${stderr?}" ""

	run --separate-stderr pinion --help
	assert_equal "$status" 0
	[[ $output == *"pinion map"* ]]
	assert_equal "$stderr" ""
}

@test "without a verb, and with none of ours, it says which there are" {
	run --separate-stderr -2 pinion
	[[ $stderr == 'pinion: which verb? '*map* ]]
	run --separate-stderr -2 pinion convert
	assert_equal "$stderr" 'pinion: no such verb: convert; pinion --help lists them'
	run --separate-stderr -2 pinion mpa
	assert_equal "$stderr" 'pinion: no such verb: mpa: did you mean map?'
}

@test "a full disk under --help is a failure" {
	[[ -c /dev/full ]] || skip "no /dev/full"
	run bash -c 'pinion --help 2>&1 >/dev/full'
	assert_equal "$status $output" '3 pinion: cannot write to stdout: No space left on device'
}
