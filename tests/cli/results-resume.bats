# --results and --resume: what is whole is kept and not done again, whenever a run was broken off.
# PINION_STRESS=200 says how often runs are killed; the default keeps the test short.
# shellcheck shell=bats
# shellcheck disable=SC2154  # bats sets output, stderr and status
# shellcheck disable=SC2016  # the tasks' shell expands, not ours

load helper

@test "what is whole in a folder is not done again, however it ended" {
	timeout 60 pinion map --resume --results out 'echo {}; echo {} >>ran; exit {}' ::: 0 1 || [[ $? == 1 ]]
	rm out/1/1/seq
	run --separate-stderr timeout 60 pinion map --resume --results out 'echo {}; echo {} >>ran; exit {}' ::: 2 1 0
	assert_equal "$status" 1
	[[ $stderr == *'2 of 3 tasks failed'*'1 done before'* ]]
	assert_equal "$(sort ran | tr '\n' ' ')" '0 1 1 2 '
	run timeout 60 pinion map --resume --results out 'echo {} >>ran' ::: 2 1 0
	assert_equal "$status" 0
	assert_equal "$(wc -l <ran)" 4
}

@test "a template's results are known again, too" {
	timeout 60 pinion map --resume --results 'out/{}.txt' 'echo {}; echo {} >>ran' ::: a b
	timeout 60 pinion map --resume --results 'out/{}.txt' 'echo {}; echo {} >>ran' ::: a/b b c
	assert_equal "$(sort ran | tr '\n' ' ')" 'a a/b b c '
}

@test "without --resume all is done again and replaced" {
	timeout 60 pinion map --results out echo first ::: a
	timeout 60 pinion map --results out echo second ::: a
	assert_equal "$(cat out/1/a/stdout)" 'second a'
	timeout 60 pinion map --results t.jsonl echo first ::: a
	timeout 60 pinion map --results t.jsonl echo second ::: a
	grep -q '"stdout":"second a\\n"' t.jsonl
	assert_equal "$(wc -l <t.jsonl)" 1
}

@test "a dry run shows what is not done yet, and makes nothing" {
	timeout 60 pinion map --results out echo ::: a
	run --separate-stderr timeout 60 pinion map --dry-run --resume --results out echo ::: a b
	assert_equal "$output" 'echo b'
	run --separate-stderr timeout 60 pinion map --dry-run --resume --results none echo ::: a b
	assert_equal "$output" $'echo a\necho b'
	[[ ! -e none ]]
}

@test "a joblog knows better than a folder, and which tasks failed" {
	timeout 60 pinion map -j1 --joblog log --results out 'echo {}; echo {} >>ran; exit {}' ::: 0 1 || [[ $? == 1 ]]
	rm out/1/0/seq
	timeout 60 pinion map --resume-failed --joblog log --results out 'echo {}; echo {} >>ran; exit {}' ::: 0 1 || [[ $? == 1 ]]
	assert_equal "$(tr '\n' ' ' <ran)" '0 1 1 '
}

@test "what cannot be told from the results is refused" {
	timeout 60 pinion map --results t.csv echo ::: a
	cp t.csv before
	for name in t.csv t.jsonl -.csv; do
		run --separate-stderr timeout 60 pinion map --resume --results "$name" 'touch ran' ::: a
		assert_equal "$status" 2
		[[ $stderr == *'--joblog'* ]]
	done
	run --separate-stderr timeout 60 pinion map --resume-failed --results out 'touch ran' ::: a
	assert_equal "$status" 2
	[[ $stderr == *'--joblog'* && ! -e ran ]]
	timeout 60 pinion map --joblog log false ::: a || true
	run --separate-stderr timeout 60 pinion map --retry-failed --joblog log --results out
	assert_equal "$status" 2
	[[ $stderr == *'--resume-failed'* ]]
	assert_same_bytes t.csv before
}

@test "a table of something else is not appended to" {
	printf 'my letters\n' >t.csv
	run --separate-stderr timeout 60 pinion map --joblog log --resume --results t.csv 'touch ran' ::: a
	assert_equal "$status" 2
	[[ $stderr == *t.csv* && ! -e ran ]]
	assert_equal "$(cat t.csv)" 'my letters'
}

@test "what could not be kept is not done in the joblog either" {
	needs_strace
	touch full.csv
	run -3 on_full_disk full.csv pinion map --joblog log --results full.csv 'echo {}' ::: a b c
	run -3 on_full_disk full.csv pinion map --joblog log2 --results full.csv 'true {}' ::: a b c
	assert_equal "$(tail -q -n +2 log log2)" ''
}

# At most a MiB of records of 20 kB fits into the pipe; a joblog that did not wait would soon have more.
@test "a joblog waits for records on stdout, also of tasks that print nothing" {
	yes "$(printf 'x%.0s' {1..10000})" | head -n 300 >items
	mkfifo out
	timeout 120 pinion map --joblog log --results -.csv -a items 'true {}; echo >>ran' >out 3>&- &
	local pid=$!
	exec 4<out
	at_least_ran() { (($(wc -l <ran) >= 80)); }
	wait_until test -e ran
	wait_until at_least_ran
	(($(wc -l <log) <= 60))
	cat <&4 >records
	exec 4<&-
	wait "$pid"
	assert_equal "$(wc -l <log)" 301
	assert_equal "$(wc -l <records)" 301
}

# --- kill -9 ---

# killed COMMAND...: starts it, and kills it at some instant; false if it ended by itself, well.
killed() {
	local pid status=0
	"$@" 3>&- &
	pid=$!
	sleep "0.$(printf %03d $((RANDOM % 200)))"
	kill -KILL "$pid" 2>/dev/null || true
	wait "$pid" || status=$?
	((status == 0 || status == 137))
	((status != 0))
}

# What task N prints: some 40 kB, in pieces.
write_task() {
	cat >task <<-'EOF'
		#!/bin/bash
		echo "begin $1"
		sleep "0.00$(($1 % 10))"
		seq -s, 8000 || exit 1
		echo "$1" >>ran
		echo "end $1"
	EOF
	chmod +x task
}

# All that has a seq is whole, and there is nothing but results.
check_folder() {
	local seq folder number
	while IFS= read -r seq; do
		folder=${seq%/seq}
		number=${folder##*/}
		assert_equal "$(cat "$seq")" "$number"
		assert_same_bytes "$folder/stdout" <(echo "begin $number"; seq -s, 8000; echo "end $number")
		assert_equal "$(stat -c %s "$folder/stderr")" 0
	done < <(find out -name seq -size +0)
	assert_equal "$(find out -type f ! -name seq ! -name stdout ! -name stderr)" ''
}

@test "kill -9 at any instant: no half of a result ever counts" {
	local round total tasks kills=0
	total=$(rounds 15)
	tasks=$((total * 12))
	write_task
	mkdir out
	seq "$tasks" >items
	for ((round = 0; round < total; round++)); do
		killed pinion map -j3 --resume --results out -a items ./task || break
		kills=$((kills + 1))
		((round % 5 != 0)) || check_folder
	done
	timeout 120 pinion map -j3 --resume --results out -a items ./task
	check_folder
	assert_equal "$(find out -name seq | wc -l)" "$tasks"
	assert_equal "$(sort -un ran | wc -l)" "$tasks"
	(($(wc -l <ran) <= tasks + 3 * kills))
	assert_nothing_left
}

@test "kill -9 at any instant: a table has whole records only, and all of them" {
	local round total tasks kills=0
	total=$(rounds 15)
	tasks=$((total * 12))
	write_task
	seq "$tasks" >items
	for ((round = 0; round < total; round++)); do
		killed pinion map -j3 --joblog log --resume --results t.csv -a items ./task || break
		kills=$((kills + 1))
	done
	timeout 120 pinion map -j3 --joblog log --resume --results t.csv -a items ./task
	python3 - "$tasks" "$kills" <<-'EOF'
		import csv, sys
		tasks, kills = map(int, sys.argv[1:])
		rows = list(csv.reader(open("t.csv", newline="")))
		assert rows[0][0] == "Seq" and all(len(row) == 12 for row in rows)
		middle = ",".join(map(str, range(1, 8001)))
		for row in rows[1:]:
		    assert row[10] == f"begin {row[9]}\n{middle}\nend {row[9]}\n", row[:10]
		assert {row[0] for row in rows[1:]} == set(map(str, range(1, tasks + 1)))
		assert tasks <= len(rows) - 1 <= tasks + 3 * kills
	EOF
	assert_nothing_left
}
