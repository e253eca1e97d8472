# pinion report: the summary, JSON, CSV and trace of a run file. The page has report-page.bats.
# shellcheck shell=bats
# shellcheck disable=SC2154  # bats sets output, stderr and status
# shellcheck disable=SC2016  # the tasks' shell expands, not ours

load helper

# Twelve tasks, of which two fail and one is killed by a signal.
record() {
	pinion map -j3 --quiet --run-file run.db '
		case {} in
		3) printf "first\nhalf\rwhole line\n\033[31mred\033[0m and gone\n\n" >&2; exit 3 ;;
		5) echo five >&2; exit 3 ;;
		9) kill -9 $$ ;;
		esac
		echo out {}' ::: 1 2 3 4 5 6 7 8 9 10 11 12 >plain 2>/dev/null || true
}

# in_terminal COLUMNS COMMAND: what it writes to a terminal of that width.
in_terminal() {
	timeout 30 script -qec "stty cols $1; $2" /dev/null </dev/null
}

has_escape() {
	[[ $1 == *$'\033'* ]]
}

longest_line() {
	python3 -c 'import sys; print(max(len(line.rstrip("\r\n")) for line in sys.stdin))'
}

@test "the summary tells what failed, what it said last and how to replay it" {
	record
	run --separate-stderr pinion report run.db
	assert_equal "$status" 0
	assert_equal "$stderr" ''
	[[ $output == *'3 of 12 tasks failed (exit status 1)'* ]]
	[[ $output == *'9 done, 3 failed'* ]]
	[[ $output == *$'task 3: exit 3\n    3\n    | first\n    | whole line\n    | red and gone\n    pinion replay run.db 3\n'* ]]
	[[ $output == *$'task 9: killed by signal 9 (KILL)\n'* ]]
	[[ $output == *$'\nSlowest\n'*$'\nHow long tasks took\n'*$'\nHow busy the workers were over time\n'* ]]
	assert_equal "$(grep -c '^ *[123]  .*%$' <<<"$output")" "$(sqlite3 run.db 'SELECT max(slot) FROM task')"
}

@test "what is said to replay a task does so" {
	local line
	record
	line=$(pinion report run.db | grep 'pinion replay .* 5$')
	run --separate-stderr bash -c "$line"
	assert_equal "$status" 3
	assert_equal "$stderr" five
}

@test "more failures than are told of are counted by their kind" {
	record
	run pinion report -n 1 run.db
	assert_equal "$(grep -c 'pinion replay' <<<"$output")" 1
	[[ $output == *'2 more failed; in all 2 times exit 3, 1 times killed by signal 9 (KILL)'* ]]
	run pinion report --top 0 run.db
	[[ $output != *Slowest* ]]
	[[ $output == *$'\n  3 failed: 2 times exit 3, 1 times killed by signal 9 (KILL)\n'* ]]
}

@test "it fits 60 columns, and uses the width there is" {
	pinion map -j2 --quiet --run-file run.db 'echo "$0 {}" >&2; exit 1' ::: "$(printf 'long %.0s' {1..60})" "$(printf '写真%.0s' {1..60})" 2>/dev/null || true
	[[ $(COLUMNS=60 LC_ALL=C.UTF-8 pinion report run.db | longest_line) -le 60 ]]
	assert_equal "$(in_terminal 60 'LC_ALL=C.UTF-8 TERM=dumb pinion report run.db' | longest_line)" 60
	assert_equal "$(in_terminal 110 'LC_ALL=C.UTF-8 TERM=dumb pinion report run.db' | longest_line)" 110
}

@test "colours only on a terminal that wants them" {
	record
	has_escape "$(in_terminal 80 'TERM=xterm pinion report run.db')"
	run ! has_escape "$(in_terminal 80 'TERM=xterm NO_COLOR=1 pinion report run.db')"
	run ! has_escape "$(in_terminal 80 'TERM=dumb pinion report run.db')"
	run ! has_escape "$(TERM=xterm pinion report run.db)"
}

@test "block characters only in a locale of UTF-8" {
	record
	[[ $(LC_ALL=C.UTF-8 pinion report run.db) == *█* ]]
	LC_ALL=C pinion report run.db >ascii
	run ! grep -P '[^\x20-\x7e\n]' ascii
	grep -q '##' ascii
	[[ $(LC_ALL='' LC_CTYPE='' LANG=en_US.utf8 pinion report run.db) == *█* ]]
}

@test "no control byte of a task reaches the terminal" {
	pinion map -j1 --quiet --run-file run.db 'printf "\033]0;title\a\233\302\233\016\377 {}" >&2; exit 1' \
		::: $'\033[2J\a\b\x7f' $'\302\205\342\200\256' >/dev/null 2>&1 || true
	LC_ALL=C.UTF-8 pinion report run.db >text
	run ! grep -qaP '[\x00-\x09\x0b-\x1f\x7f\x80-\xff]' <(LC_ALL=C pinion report run.db)
	python3 - <<-'END'
		import unicodedata
		text = open("text", encoding="utf-8").read()
		bad = {c for c in text if c != "\n" and unicodedata.category(c) in ("Cc", "Cf")}
		assert not bad, bad
		assert "\\x1b[2J\\x07" in text and "\\u{202e}" in text and "\\xff" in text
	END
}

@test "a run that goes on is told as far as it has come" {
	mkfifo gate
	pinion map -j2 --quiet --run-file run.db 'case {} in 2) read -r _ <gate ;; esac' ::: 1 2 3>&- &
	local pid=$!
	wait_until eval '[[ $(sqlite3 run.db "SELECT count(*) FROM task" 2>/dev/null) == 1 ]]'
	run pinion report run.db
	assert_equal "$status" 0
	[[ $output == *'all well: 1 task; it is still running'* ]]
	echo >gate
	wait "$pid"
	run pinion report run.db
	[[ $output == *'all well: 2 tasks (exit status 0)'* ]]
}

@test "a run that was killed is told as that" {
	mkfifo gate
	pinion map -j2 --quiet --run-file run.db 'case {} in 2) read -r _ <gate ;; esac' ::: 1 2 3>&- &
	local pid=$!
	wait_until eval '[[ $(sqlite3 run.db "SELECT count(*) FROM task" 2>/dev/null) == 1 ]]'
	kill -9 "$pid"
	wait "$pid" || true
	run pinion report run.db
	assert_equal "$status" 0
	[[ $output == *'all well: 1 task; it was killed before its end'* ]]
	assert_nothing_left
}

@test "a run without tasks has a report in each form" {
	pinion map --run-file run.db true </dev/null
	run pinion report --html page.html --trace trace.json --csv=rows.csv --json run.db
	assert_equal "$status" 0
	assert_equal "$output" ''
	assert_equal "$(jq '.traceEvents | length' trace.json)" 1
	assert_equal "$(wc -l <rows.csv)" 1
	[[ $(pinion report run.db) == *'no task has ended'* ]]
}

@test "tasks of all stages are told of, each with its stage" {
	local name="a stage's name"
	cat >job.json <<-END
		{"inputs": {"range": [1, 4]}, "run_file": "run.db", "stages": [
			{"name": "$name", "command": "echo {}; echo said {} >&2; [ {} != 3 ]"},
			{"feed": "cat"}, {"name": "end", "command": "sleep 0.02; [ {} != 4 ]"}]}
	END
	pinion run job.json >/dev/null 2>&1 || true
	run --separate-stderr env COLUMNS=60 pinion report --html page.html --trace trace.json --csv=rows.csv --json=rows.json run.db
	assert_equal "$status" 0
	COLUMNS=60 LC_ALL=C pinion report run.db >text
	assert_equal "$(head -n 1 text)" "pinion run job.json: $name | 2 | end"
	[[ $(cat text) == *'2 of 10 tasks failed'*'8 done, 2 failed'* ]]
	[[ $(cat text) == *"  stage $name: task 3: exit 1"$'\n    3\n    | said 3\n'* ]]
	[[ $(cat text) == *$'  stage end: task 3: exit 1\n    4\n    pinion replay run.db end:3\n'* ]]
	[[ $(cat text) == *'stage end: task 1 '* ]]
	[[ $(longest_line <text) -le 60 ]]
	run --separate-stderr bash -c "$(grep 'pinion replay .*name' text)"
	assert_equal "$status" 1
	assert_equal "$output$stderr" "3said 3"
	assert_equal "$(jq -r '[.stage, .seq, .status] | join(" ")' rows.json | xargs -d '\n' -n 1 | tail -n 4 | xargs)" \
		'2 3 done end 1 done end 2 done end 3 failed'
	assert_equal "$(jq -c '[.seq, .from]' rows.json | sed '1,/4,null/d' | xargs)" \
		'[1,[1]] [2,[2]] [3,[4]] [1,[1,1]] [2,[2,2]] [3,[4,3]]'
	assert_equal "$(head -n 1 rows.csv | cut -d, -f 1-3)" seq,stage,status
	assert_equal "$(cut -d, -f 1-3 rows.csv | sed -n '4p;$p' | xargs -d '\n')" "3,$name,failed 3,end,failed"
	assert_equal "$(jq -c '[.traceEvents[] | select(.ph == "X") | [.args.stage, .tid]] | group_by(.[1]) | map(map(.[0]) | unique | length) | unique' trace.json)" '[1]'
	grep -q "^\"stages\":\[\"$name\",\"2\",\"end\"\],\$" page.html
}

@test "of several runs the last is told, or the one that is named, and how to replay that" {
	pinion map --quiet --run-file run.db 'exit 4' ::: first 2>/dev/null || true
	pinion map --quiet --run-file run.db 'exit 5' ::: second 2>/dev/null || true
	[[ $(pinion report run.db) == *'exit 5'*'pinion replay run.db 1'* ]]
	run pinion report --run 1 run.db
	[[ $output == *'exit 4'*'pinion replay --run 1 run.db 1'* ]]
	[[ $output != *'exit 5'* ]]
	run --separate-stderr pinion report --run 3 run.db
	assert_equal "$status" 2
	[[ $stderr == *'run.db: there is no run 3 in it'* ]]
}

@test "--json has the objects that --json of the run had" {
	head -c 300000 /dev/urandom >bytes
	yes 'grüße' | head -c 300003 >text
	pinion map -j2 --quiet --json --run-file run.db 'cat {} && echo said >&2; test {} != text' \
		::: bytes text nothing $'odd\377\n' >of-run 2>/dev/null || true
	pinion report --json run.db >of-report
	assert_equal "$(wc -l <of-run)" 4
	assert_same_bytes <(jq -S . of-report) <(jq -S . of-run)
}

@test "--json says the same of tasks that were never started, or fed to a program" {
	run -1 pinion map --run-file run.db --json --quiet -j1 --fail-fast '[ {} = 1 ]' ::: 1 2 3
	assert_equal "$(pinion report --json run.db)" "$output"
	assert_equal "$(jq -c '[.status, .attempts]' <<<"$output")" \
		$'["done",1]\n["failed",1]\n["skipped",0]'
	[[ $(pinion replay --print run.db 3) == *"'PINION_ATTEMPT=1'"* ]]
	pinion feed --run-file fed.db --json \
		'while read -r x; do echo $x >&2; sleep 0.01; echo $x; done' ::: 1 2 >fed.jsonl
	assert_equal "$(pinion report --json fed.db | jq -c keys)" "$(jq -c keys fed.jsonl)"
}

@test "--json of what was called has what the plugin answered" {
	seq 3 | pinion call --quiet --json --run-file run.db "$PINION_BUILD/plugins/crc32.so" >of-run
	assert_same_bytes <(pinion report --json run.db | jq -S 'del(.start_s, .pid)') \
		<(jq -S 'del(.start_s, .pid)' of-run)
}

@test "--csv is read back to the byte" {
	pinion map --quiet --run-file run.db 'exit {#}' ::: 'a,b' $'c"d\ne' ' f' $'g\377' 2>/dev/null || true
	pinion report --csv run.db >rows.csv
	python3 - <<-'END'
		import csv
		with open("rows.csv", encoding="latin-1", newline="") as file:
		    rows = list(csv.DictReader(file, strict=True))
		assert [row["args"] for row in rows] == ["a,b", 'c"d\ne', " f", "g\xff"], rows
		assert [row["exit"] for row in rows] == ["1", "2", "3", "4"]
		assert all(row["error"] == "exit " + row["exit"] for row in rows)
		assert all(float(row["wall_s"]) > 0 and int(row["maxrss_bytes"]) > 0 for row in rows)
		assert all(None not in row and None not in row.values() for row in rows)
	END
}

@test "values that are not a task's own are not told" {
	printf '{"id":"t1","args":["p"],"env":{"A":"b"}}\n' |
		pinion map --quiet --run-file run.db --jsonl - echo >/dev/null
	assert_equal "$(pinion report --json run.db | jq -c .args)" '["p"]'
}

@test "--trace has an event for each task, side by side on the track of its worker" {
	record
	pinion report --trace trace.json run.db
	assert_equal "$(jq '[.traceEvents[] | select(.ph == "X")] | length' trace.json)" 12
	assert_equal "$(jq -r '.traceEvents[] | select(.ph == "M" and .name == "thread_name").args.name' trace.json | sort)" \
		"$(seq -f 'worker %.0f' "$(sqlite3 run.db 'SELECT max(slot) FROM task')" | sort)"
	assert_equal "$(jq -c '[.traceEvents[] | select(.cat == "failed").args.task]' trace.json)" '[3,5]'
	jq -e '[.traceEvents[] | select(.ph == "X")] | group_by(.tid) | all(sort_by(.ts) |
		. as $on | all(range(1; length); $on[.].ts >= $on[. - 1].ts + $on[. - 1].dur))' trace.json
}

@test "--trace of tasks that overlap has pairs of events" {
	seq 20 | pinion feed --quiet -j1 --inflight 8 --run-file run.db sed -u 's/$/ x/' >/dev/null
	pinion report --trace - run.db | jq -e '[.traceEvents[] | select(.ph != "M")] | length == 40 and
		all(group_by(.id)[]; map(.ph) == ["b", "e"] and .[0].ts <= .[1].ts)'
}

@test "several forms are written at once, one of them to the standard output" {
	record
	pinion report --csv=rows.csv --trace=trace.json --html=page.html --json run.db >objects
	assert_equal "$(wc -l <objects)" 12
	assert_equal "$(grep -cE '^[0-9]+,(done|failed|killed),' rows.csv)" 12
	jq -e . trace.json >/dev/null
	[[ $(tail -c 8 page.html) == '</html>' ]]
	mkfifo pipe
	cat pipe >from-pipe &
	local pid=$!
	pinion report --csv=pipe run.db
	wait "$pid"
	assert_same_bytes from-pipe rows.csv
}

@test "a file is there as a whole or not at all" {
	record
	echo before >page.html
	run --separate-stderr bash -c 'ulimit -f 36; pinion report --html page.html run.db'
	assert_equal "$status" 3
	assert_equal "$stderr" 'pinion report: cannot write page.html: File too large (see ulimit -f)'
	assert_equal "$(cat page.html)" before
	run --separate-stderr pinion report --csv=/dev/full run.db
	assert_equal "$status" 3
	assert_equal "$stderr" 'pinion report: cannot write /dev/full: No space left on device'
	run --separate-stderr bash -c 'pinion report run.db >/dev/full'
	assert_equal "$status" 3
	assert_equal "$stderr" 'pinion report: cannot write standard output: No space left on device'
	run --separate-stderr pinion report --html . run.db
	assert_equal "$status" 3
	assert_equal "$(find . -name '.pinion*')" ''
}

@test "a signal takes away what is half written" {
	local pid
	pinion map --quiet --run-file run.db 'head -c 3000000 /dev/zero; : {}' ::: 1 2 >/dev/null
	mkfifo pipe
	# Nobody reads on, so it is in the middle of the tasks.
	pinion report --csv=rows.csv --json run.db >pipe 3>&- &
	pid=$!
	exec {reader}<pipe
	wait_until eval '[[ -n $(find . -name ".pinion*") ]]'
	head -c 1 <&"$reader" >/dev/null
	kill -TERM "$pid"
	exec {reader}<&-
	wait "$pid" || true
	[[ ! -e rows.csv ]]
	assert_equal "$(find . -name '.pinion*')" ''
}

@test "what cannot be reported is said" {
	record
	refused() {
		run --separate-stderr pinion report "${@:3}"
		assert_equal "$status" "$1"
		[[ $stderr == "pinion report: "*"$2"* ]]
		assert_equal "$output" ''
	}
	refused 2 'write: pinion report RUN.db'
	refused 2 'write: pinion report RUN.db' run.db run.db
	refused 2 'unknown option --hmtl: did you mean --html?' --hmtl x run.db
	refused 2 '--html: no value: write --html FILE' run.db --html
	refused 2 "--run: '0' is not the id of a run: write a number" --run 0 run.db
	refused 2 '--json and --csv cannot both be written to standard output' --json --csv run.db
	refused 2 'cannot both be written to x' --html x --trace x run.db
	refused 3 'nothing.db' nothing.db
	refused 3 'cannot write none/x.html: No such file or directory' --html none/x.html run.db
	[[ ! -e none ]]
	refused 3 'is not a run file' plain
	: >empty.db
	refused 3 'is empty' empty.db
	mkfifo pipe
	refused 3 'pipe is not a regular file' pipe
	refused 3 '. is not a regular file' .
}

@test "a record of 100,000 tasks is told in little memory" {
	skip_if_instrumented
	seq 100000 | pinion call --quiet --run-file run.db "$PINION_BUILD/plugins/crc32.so" >/dev/null
	pinion report run.db >/dev/null
	(
		ulimit -v 100000
		pinion report --json=objects --csv=rows --trace=trace run.db
		pinion report run.db >summary
	)
	grep -q 'all well: 100,000 tasks' summary
	assert_equal "$(wc -l <objects)" 100000
	assert_equal "$(wc -l <rows)" 100001
}
