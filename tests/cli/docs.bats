# The man pages, --help and the completion scripts say the same, and it is true.
#
# Examples: each .Bd block in an EXAMPLES section is a script that exits 0, about which pinion has
# nothing to say, run by bash in a folder with the files of sample_files. A comment in front of .Bd
# says otherwise:
#   .\" test: needs TOOL...   run with --dry-run, and for real if the tools are there
#   .\" test: dry-run         run with --dry-run only: it needs the network or some tool
#   .\" test: tasks fail      its pipelines end with another status than their last command
#   .\" test: crontab         a line of a crontab; its command is run with --dry-run
load helper

setup() {
	common_setup
	blocks=$BATS_TEST_TMPDIR/blocks
	dry_bin=$BATS_TEST_TMPDIR/dry-bin
	mkdir "$blocks" "$dry_bin"
	{
		echo '#!/bin/sh'
		echo 'verb=$1'
		echo 'shift'
		printf 'exec "%s" "$verb" --dry-run "$@"\n' "$(type -P pinion)"
	} >"$dry_bin/pinion"
	chmod +x "$dry_bin/pinion"
}

page_of() {
	echo "$root/man/pinion-$1.1"
}

verbs() {
	pinion --help | sed -n 's/^  \([a-z]*\)  *[a-z].*/\1/p'
}

# The names in .It lines: "--jobs", "-j", one a line.
documented_options() {
	awk '$1 == ".It" {
		for (i = 2; i < NF; i++)
			if ($i == "Fl" && $(i + 1) == "Fl" && i + 2 <= NF) {
				print "--" $(i + 2)
				i += 2
			} else if ($i == "Fl")
				print "-" $(i + 1)
	}' "$@" | sort -u
}

listed_options() {
	pinion "$1" --list-options | sort -u
}

# Those that begin a line of --help, before what they do: "  -j, -P, --jobs, --max-procs N".
helped_options() {
	pinion "$1" --help | sed -n 's/^ \{2,6\}\(-.*\)$/\1/p' | sed 's/  .*//' |
		tr -s ' ,[=' '\n' | grep -E '^--?[[:alnum:]]' | sort -u
}

# complete WORD...: what bash offers for the last word, one a line.
complete_words() {
	bash -c 'source <(pinion completion bash)
		COMP_WORDS=("$@") COMP_CWORD=$(($# - 1))
		_pinion && printf "%s\n" "${COMPREPLY[@]}"' bash "$@"
}

completed_options() {
	complete_words pinion "$1" - | sort -u
}

# Every example block of a page as $blocks/N, with its mark, if any, in $blocks/N.mark.
extract_examples() {
	awk -v folder="$blocks" '
		/^\.Sh/ { is_examples = $2 == "EXAMPLES"; next }
		!is_examples { next }
		/^\.\\" test: / { mark = substr($0, 11); next }
		/^\.Bd/ {
			file = folder "/" ++count
			printf "" >file
			if (mark != "")
				print mark >(file ".mark")
			mark = ""
			next
		}
		/^\.Ed/ { close(file); file = ""; next }
		file != "" { gsub(/\\e/, "\\"); gsub(/\\&/, ""); print >file }
		END { print count + 0 }' "$1"
}

# A JPEG of 16 by 12 pixels.
tiny_jpeg() {
	base64 -d <<-'END'
		/9j/4QC8RXhpZgAASUkqAAgAAAAGABIBAwABAAAAAQAAABoBBQABAAAAVgAAABsBBQABAAAAXgAAACgB
		AwABAAAAAgAAABMCAwABAAAAAQAAAGmHBAABAAAAZgAAAAAAAAA4YwAA6AMAADhjAADoAwAABgAAkAcA
		BAAAADAyMTABkQcABAAAAAECAwAAoAcABAAAADAxMDABoAMAAQAAAP//AAACoAQAAQAAABAAAAADoAQA
		AQAAAAwAAAAAAAAA/9sAQwAIBgYHBgUIBwcHCQkICgwUDQwLCwwZEhMPFB0aHx4dGhwcICQuJyAiLCMc
		HCg3KSwwMTQ0NB8nOT04MjwuMzQy/8AACwgADAAQAQERAP/EAB8AAAEFAQEBAQEBAAAAAAAAAAABAgME
		BQYHCAkKC//EALUQAAIBAwMCBAMFBQQEAAABfQECAwAEEQUSITFBBhNRYQcicRQygZGhCCNCscEVUtHw
		JDNicoIJChYXGBkaJSYnKCkqNDU2Nzg5OkNERUZHSElKU1RVVldYWVpjZGVmZ2hpanN0dXZ3eHl6g4SF
		hoeIiYqSk5SVlpeYmZqio6Slpqeoqaqys7S1tre4ubrCw8TFxsfIycrS09TV1tfY2drh4uPk5ebn6Onq
		8fLz9PX29/j5+v/aAAgBAQAAPwD5/ooor//Z
	END
}

# What the examples work on, in a fresh folder, which becomes the current one.
sample_files() {
	local name
	mkdir "$1" && cd "$1" || return 1
	mkdir logs backup
	for name in app.log db.log 'two words.log' "logs/it's.log"; do
		printf 'start\nerror: %s\nend\n' "$name" >"$name"
	done
	echo text >a.txt
	echo text >$'line\nbreak.txt'
	gzip -c app.log >first.gz
	gzip -c db.log >second.gz
	tiny_jpeg >one.jpg
	tiny_jpeg >'two words.jpg'
	printf 'echo first\necho second | tr a-z A-Z\n' >commands.txt
	printf 'name,city\nAda Lovelace,London\nEmmy,Erlangen\n' >people.csv
	echo 'https://example.org/' >urls.txt
	echo 'export TARGET=backup' >settings.sh
	printf '%s\n' 'test "$(parallel -k echo ::: a b | tr -d "\n")" = ab' >script-for-parallel.sh
}

# run_block SCRIPT [PATH_IN_FRONT [+o]]: status 0 (+o: that of a pipeline's last command) and no
# message of pinion's. What it prints is then in SCRIPT.out.
run_block() {
	local folder status=0
	folder=$(mktemp -u "$BATS_TEST_TMPDIR/run.XXXXXX")
	(
		sample_files "$folder" &&
			PATH=${2:+$2:}$PATH bash -eu "${3--o}" pipefail "$1" \
				</dev/null >"$folder.out" 2>"$folder.err"
	) || status=$?
	# What bench says in front of its runs is no complaint.
	if ((status != 0)) || grep '^pinion' "$folder.err" | grep -qv ': each command is run'; then
		printf 'this example ended with %d%s:\n' "$status" "${2:+ (with --dry-run)}" >&2
		cat "$1" "$folder.err" >&2
		return 1
	fi
	mv "$folder.out" "$1.out"
}

# A crontab knows nothing but blanks between fields, and % ends the command.
run_crontab_block() {
	local field='[0-9*,/-]+'
	grep -qxE "($field +){5}[^%]*" <(sed 's/\\%//g' "$1") || return 1
	sed -E -e "s/^($field +){5}//" -e 's/\\%/%/g' -e 's|/usr/local/bin/||' "$1" >"$1.command"
	run_block "$1.command" "$dry_bin"
}

run_marked_block() {
	local kind tools
	read -r kind tools <"$1.mark"
	case $kind in
	needs)
		run_block "$1" "$dry_bin" || return 1
		# shellcheck disable=SC2086  # they are words
		if type -P $tools >/dev/null; then
			run_block "$1"
		fi
		;;
	dry-run) run_block "$1" "$dry_bin" ;;
	tasks) run_block "$1" '' +o ;;
	crontab) run_crontab_block "$1" ;;
	*)
		echo "no such mark: $kind" >&2
		return 1
		;;
	esac
}

# run_examples PAGE LEAST: all of them, of which there are so many at least.
run_examples() {
	local count number
	count=$(extract_examples "$1")
	((count >= $2))
	for ((number = 1; number <= count; number++)); do
		[[ -s $blocks/$number ]]
		if [[ -e $blocks/$number.mark ]]; then
			run_marked_block "$blocks/$number"
		elif [[ ${PINION_TEST_MODE-} == valgrind ]] && grep -q 'export -f' "$blocks/$number"; then
			# Where valgrind is a script of dash, that drops bash's functions.
			run_block "$blocks/$number" "$dry_bin"
		else
			run_block "$blocks/$number"
		fi
	done
}

@test "pinion-map(1) documents each option of map, and none that does not exist" {
	[[ $(listed_options map | wc -l) -gt 50 ]]
	assert_equal "$(documented_options "$(page_of map)")" "$(listed_options map)"
}

@test "pinion-parallel(1) documents the options that map does not have, and no others" {
	assert_equal "$(documented_options "$(page_of parallel)")" \
		"$(comm -13 <(listed_options map) <(listed_options parallel))"
	assert_equal "$(comm -23 <(listed_options map) <(listed_options parallel))" --print-spec
}

@test "pinion-feed(1) documents the options that map does not have, and no others" {
	assert_equal "$(documented_options "$(page_of feed)")" \
		"$(comm -13 <(listed_options map) <(listed_options feed))"
}

@test "pinion-run(1) documents the options of run, and no others" {
	[[ $(listed_options run | wc -l) -gt 5 ]]
	assert_equal "$(documented_options "$(page_of run)")" "$(listed_options run)"
}

@test "pinion-job(5) documents each key of the schema, and none that does not exist" {
	local keys
	keys=$(pinion run --schema | sed -n 's/^        "\([a-z_]*\)": {.*/\1/p' | sort -u)
	[[ $(wc -l <<<"$keys") -gt 50 ]]
	# Of what the page names, inputs and the members of a JSON line are no keys of a job.
	assert_equal "$(sed -n '/^\.Ss What runs/,/^\.Sh FILES/p' "$root/man/pinion-job.5" |
		sed '/^\.Ss Inputs/,/^\.Ss Options for inputs/d' |
		sed -n 's/^\.It Cm \([a-z_]*\)$/\1/p' | cat - <(printf '%s\n' inputs stages) | sort -u)" "$keys"
}

@test "pinion-job(5) shows the examples as they are" {
	local count file number
	count=$(extract_examples "$root/man/pinion-job.5")
	assert_equal "$count" 4
	number=0
	for file in photos-overnight.json embeddings.json embed.py read-transform-write.json; do
		assert_same_bytes "$blocks/$((++number))" "$root/tests/examples/$file"
	done
}

@test "pinion-bench(1) documents the options that map does not have, or not so" {
	assert_equal "$(documented_options "$(page_of bench)")" $'--json\n--rounds'
	assert_equal "$(comm -13 <(listed_options map) <(listed_options bench))" --rounds
	[[ $(listed_options bench) == *--jobs* && $(listed_options bench) != *--joblog* ]]
}

@test "the pages of the verbs that run no tasks document their options, and no others" {
	local verb
	for verb in topology report replay status ctl completion; do
		[[ $(listed_options $verb | wc -l) -ge 4 ]]
		assert_equal "$(documented_options "$(page_of $verb)")" "$(listed_options $verb)"
	done
}

@test "pinion-ctl(1) documents each word that ctl completes" {
	local word
	for word in $(complete_words pinion ctl run ''); do
		grep -qE "^\.It Cm $word( |\$)" "$(page_of ctl)"
		pinion ctl --help | grep -q "^  $word "
	done
}

@test "--help and completion know the same options as --list-options" {
	local verb
	for verb in $(verbs); do
		assert_equal "$(helped_options "$verb")" "$(listed_options "$verb")"
		assert_equal "$(completed_options "$verb")" "$(listed_options "$verb")"
	done
}

@test "each verb has a man page, which pinion(1) names, and each page has a verb" {
	local verb
	[[ $(verbs | wc -l) -ge 4 ]]
	for verb in $(verbs); do
		grep -qx ".Nm pinion-$verb" "$(page_of "$verb")"
		grep -qx ".It Cm $verb" "$root/man/pinion.1"
		grep -qx ".Xr pinion-$verb 1 [.,]" "$root/man/pinion.1"
		[[ $(complete_words pinion "${verb:0:2}") == *"$verb"* ]]
	done
	assert_equal "$(cd "$root/man" && printf '%s\n' pinion-*.1)" \
		"$(verbs | sed 's/.*/pinion-&.1/' | sort)"
}

@test "each page has the sections that a reader looks for, and refers to pages that exist" {
	local page section name
	for page in "$root"/man/*.1; do
		for section in NAME SYNOPSIS DESCRIPTION ENVIRONMENT FILES 'EXIT STATUS' EXAMPLES 'SEE ALSO'; do
			grep -qx ".Sh $section" "$page" || {
				echo "$page: no $section" >&2
				return 1
			}
		done
		while read -r name; do
			[[ -e $root/man/$name ]]
		done < <(sed -n 's/^\.Xr \(pinion[a-z-]*\) \([0-9]\).*/\1.\2/p' "$page")
	done
}

@test "pinion-map(1) documents the variables that tasks find set" {
	local names name
	skip_if_instrumented # valgrind adds some of its own
	names=$(env -i PATH="$PATH" pinion map -n 0 env ::: a | sed -e 's/=.*//' -e '/^PATH$/d')
	[[ $names == *PINION_SEQ* ]]
	for name in $names; do
		grep -qE "^\.(It )?Ev .*\<$name\>" "$(page_of map)" || {
			echo "not documented: $name" >&2
			return 1
		}
	done
}

@test "the examples in pinion(1) run" {
	run_examples "$root/man/pinion.1" 3
}

@test "the examples in pinion-map(1) run" {
	run_examples "$(page_of map)" 20
}

@test "the examples in pinion-report(1) run" {
	run_examples "$(page_of report)" 4
}

@test "the examples in pinion-replay(1) run" {
	run_examples "$(page_of replay)" 3
}

# The columns of a table: in the page, between its heading and the next, behind Va.
documented_columns() {
	awk -v table="$1" '
		/^\.S[sh]/ { is_table = $2 == table }
		is_table && $1 == ".It" {
			for (i = 2; i <= NF; i++)
				if ($i != "Va" && $i != ",")
					print $i
		}' "$root/man/pinion-run-file.5"
}

@test "pinion-run-file(5) documents each table and each column, and none that does not exist" {
	local table
	pinion map --run-file run.db echo ::: a
	assert_equal "$(sed -n 's/^\.Ss //p' "$root/man/pinion-run-file.5" | sort)" \
		"$(sqlite3 run.db "SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name")"
	for table in run stage task output; do
		assert_equal "$(documented_columns $table | sort)" \
			"$(sqlite3 run.db "SELECT name FROM pragma_table_info('$table') ORDER BY name")"
	done
	assert_equal "$(sqlite3 run.db 'PRAGMA application_id; PRAGMA user_version')" \
		"$(printf '1349086802\n3')"
}

@test "the queries in pinion-run-file(5) run, and find something" {
	local count number
	pinion map --quiet --run-file run.db 'echo said by {} >&2; echo out; exit {}' ::: 0 3 || true
	count=$(extract_examples "$root/man/pinion-run-file.5")
	((count >= 5))
	for ((number = 1; number <= count; number++)); do
		sqlite3 -bail run.db <"$blocks/$number" >answer
		[[ -s answer ]] || cat "$blocks/$number"
		[[ -s answer ]]
	done
	[[ $(sqlite3 run.db <"$blocks/3") == '2|exit|3|["3"]|said by 3' ]]
	[[ $(sqlite3 run.db <"$blocks/6") == out ]]
}

@test "the examples in pinion-status(1), pinion-ctl(1) and pinion-control(7) run" {
	run_examples "$(page_of status)" 2
	run_examples "$(page_of ctl)" 2
	run_examples "$root/man/pinion-control.7" 1
}

@test "the examples in pinion-feed(1) run" {
	run_examples "$(page_of feed)" 6
}

@test "the examples in pinion-bench(1) run" {
	run_examples "$(page_of bench)" 2
}

@test "the examples in pinion-run(1) run" {
	run_examples "$(page_of run)" 3
}

@test "the examples in pinion-parallel(1) run" {
	run_examples "$(page_of parallel)" 3
}

@test "the examples in pinion-completion(1) run" {
	run_examples "$(page_of completion)" 3
}

# prints BLOCK TEXT: the example has printed that.
prints() {
	assert_equal "$(cat "$blocks/$1.out")" "$2"
}

@test "the examples in pinion-json(5) run, and jq finds what they are about" {
	run_examples "$root/man/pinion-json.5" 7
	local logs
	logs=$(printf 'start\nerror: %s\nend\n' app.log db.log)
	prints 1 $'4\texit 1\ta.txt'
	prints 2 $'25 app.log\n24 db.log\n31 two words.log'
	prints 3 "$logs"$'\n'"$logs"$'\nstart\nerror: two words.log\nend'
	assert_equal "$(jq -r '.command' "$blocks/4.out" | grep -c ^sha256sum)" 3
	assert_equal "$(jq '.tasks == 3 and .cpu_s > 0 and .most_bytes > 0' "$blocks/5.out")" true
	prints 6 'grep -q error a.txt'
	assert_equal "$(grep '^1' "$blocks/7.out")" $'1 begins: cat app.log\n1: start\n1 ends: done'
}

# Of a JSON Schema: the names of all members there can be.
schema_members() {
	jq -r '[.. | objects | .properties? // empty | objects | keys[]] | unique[]' "$1"
}

@test "pinion-json(5) and its schema know the same keys and the same words for an end" {
	local schema=$root/man/pinion-json.schema.json
	assert_equal "$(awk '$1 == ".It" && $2 == "Ic" {
		for (i = 3; i <= NF; i++)
			if ($i != ",")
				print $i
	}' "$root/man/pinion-json.5" | sort -u)" "$(schema_members "$schema" | LC_ALL=C sort -u)"
	assert_equal "$(awk '/^.It Ic status/ { is_status = 1 } /^.El/ { is_status = 0 }
		is_status && $1 == ".It" && $2 == "Cm" { print $3 }' "$root/man/pinion-json.5")" \
		"$(jq -r '."$defs".end.properties.status.enum[]' "$schema")"
}

@test "pinion-call(1) documents the options that map does not have, and no others" {
	assert_equal "$(documented_options "$(page_of call)")" \
		"$(comm -13 <(listed_options map) <(listed_options call))"
	assert_equal "$(helped_options call)" "$(listed_options call)"
	assert_equal "$(completed_options call)" "$(listed_options call)"
}

@test "pinion-call(1) names the options of map that call does not have" {
	local option
	for option in I m X s q plus rpl u termseq; do
		[[ $(listed_options call) != *"-$option"$'\n'* ]]
		grep -qE -- "^\.Ql .*-$option( |\$)" "$(page_of call)"
	done
}

@test "the examples in pinion-call(1) run" {
	export CPATH=$root/src
	run_examples "$(page_of call)" 3
}

@test "a verb that there is not is told the nearest, and none all of them" {
	run -2 pinion repotr
	assert_equal "$output" 'pinion: no such verb: repotr: did you mean report?'
	run -2 pinion nonsense
	assert_equal "$output" 'pinion: no such verb: nonsense; pinion --help lists them'
	run -2 pinion
	[[ $output == 'pinion: which verb? Say one of: map, feed, '*', completion, or --help' ]]
}

@test "completion scripts are scripts of their shells" {
	local shell
	pinion completion bash | bash -n
	for shell in zsh fish; do
		if type -P $shell >/dev/null; then
			pinion completion $shell | $shell -n
		else
			echo "# $shell is not installed" >&3
		fi
	done
}

@test "bash completes options, values and verbs" {
	local words
	words=$(complete_words pinion map --ma)
	[[ $words == *--max-args* ]]
	assert_equal "$(grep -cv '^--ma' <<<"$words")" 0
	assert_equal "$(complete_words pinion map --bind c)" core
	assert_equal "$(complete_words pinion to)" topology
	assert_equal "$(complete_words pinion completion z)" zsh
}
