# What is shown of a run while it goes on: in real terminals (tmux), under script, and elsewhere.
load helper

setup() {
	common_setup
	socket=$BATS_TEST_TMPDIR/tmux
	unset NO_COLOR TMUX
	export TERM=xterm-256color
	skip_if_instrumented 'a display comes and goes by the clock'
}

teardown() {
	if [[ -z ${BATS_TEST_COMPLETED-} && -S $socket ]]; then
		pane >&2
	fi
	if [[ -S $socket ]]; then
		mux kill-server 2>/dev/null || true
	fi
	common_teardown
}

mux() {
	tmux -S "$socket" -f /dev/null "$@" 3>&-
}

# terminal COLUMNS ROWS: a terminal with a shell in it, whose prompt is "$ ".
terminal() {
	mux new-session -d -x "$1" -y "$2" "PS1='$ ' exec bash --norc --noprofile"
	wait_until pane_has '^\$'
}

# type LINE: as if it was typed, and Enter.
type_line() {
	mux send-keys "$1" Enter
}

# All of the terminal, what has been scrolled out of it too; lines it has broken are whole again.
pane() {
	mux capture-pane -p -J -S - | sed 's/ *$//' | sed -e :a -e '/^\n*$/{$d;N;ba' -e '}'
}

pane_has() {
	pane | grep -qE -- "$1"
}

pane_lacks() {
	! pane_has "$1"
}

pane_ends_with_prompt() {
	[[ $(pane | tail -n 1) == '$' ]]
}

# A task that lasts until `go` is there, and prints what it is.
hold='until [ -e go ]; do sleep 0.02; done; echo'

# in_script COMMAND: under script, which makes a terminal for it; what came out is in `typescript`.
in_script() {
	script -qefc "$1" typescript </dev/null >/dev/null
	sed -i -e '1{/^Script started/d}' -e '${/^Script done/d}' typescript
	sed -i -e '${/^$/d}' typescript
}

# For tasks in a script: until WHAT has been shown, below the line that says what is run.
await() {
	echo "until sed 1d typescript | grep -qaE '$1'; do sleep 0.05; done"
}

# On a busy machine no run may be short; one in many is.
@test "a short run shows nothing" {
	local began_us
	for _ in {1..50}; do
		began_us=${EPOCHREALTIME/[.,]/}
		in_script 'pinion map echo ::: a b'
		((${EPOCHREALTIME/[.,]/} - began_us >= 900000)) || break
	done
	assert_equal "$(tr -d '\r' <typescript)" "$(printf 'a\nb')"
}

@test "the commands that -t shows on a terminal do not drive it" {
	local mode
	for mode in '' --ungroup; do
		in_script "pinion map -j1 -t $mode true ::: $'a\\e[7mb\\xc2\\x9bK\\n'"
		run ! grep -q $'\e\\[7m\|\xc2\x9b' typescript
		grep -qF "true 'a\\x1b[7mb\\xc2\\x9bK\\x0a'" typescript
	done
}

@test "a run that takes a while is shown on a terminal, and nothing of it stays but a line" {
	terminal 80 24
	type_line "pinion map -j2 '$hold' ::: 1 2 3; echo status \$?"
	wait_until pane_has '0 of 3  2 running'
	touch go
	wait_until pane_ends_with_prompt
	assert_equal "$(pane | sed 's/ in .*//' | tail -n +2)" "$(printf '%s\n' 1 2 3 \
		'pinion map: 3 tasks, 0 failed,' 'status 0' '$')"
	pane | grep -Eq '^pinion map: 3 tasks, 0 failed, in [0-9.]+s; speed-up [0-9.]+, efficiency [0-9]+%$'
}

# How often it has written.
writes_of() {
	awk '/^syscw/ { print $2 }' "/proc/$1/io"
}

# has_written PID COUNT
has_written() {
	(($(writes_of "$1") >= $2))
}

# tty_is "ROWS COLUMNS", as programs in it are told; tmux tells them later.
tty_is() {
	[[ $(stty size <"$(mux display-message -p '#{pane_tty}')") == "$1" ]]
}

# resized COLUMNS ROWS: the terminal, and what is in it has been painted for this size: the first
# paint may have begun before.
resized() {
	local painter
	painter=$(pinion_in_terminal -o)
	mux resize-window -x "$1" -y "$2"
	wait_until tty_is "$2 $1"
	wait_until has_written "$painter" $(($(writes_of "$painter") + 2))
}

# shown_in COLUMNS: output of tasks and --progress on one screen that changes its size meanwhile.
# What has been painted has more rows where the terminal is narrower, and what the terminal then moves
# out at its top nobody can paint over: so lanes are short, and there are lines above to be moved out.
shown_in() {
	local columns
	printf '%s\n' '#!/bin/sh' 'sleep 0.1; echo "$1"; [ "$1" -lt 12 ] || until [ -e go ]; do sleep 0.02; done' >task
	chmod +x task
	terminal "$1" 16
	type_line 'clear; pinion map --progress -j3 ./task ::: {1..14} # '
	wait_until pane_has '^12$'
	for columns in 80 40 200 33 "$1"; do
		resized "$columns" 16
		resized "$columns" 13
		wait_until pane_has '1[12] of 14'
		wait_until pane_has '^   2 .* \./task'
	done
	touch go
	wait_until pane_ends_with_prompt
	assert_equal "$(pane | sed 's/ in .*//')" "$(printf '%s\n' {1..14} \
		'pinion map: 14 tasks, 0 failed,' '$')"
}

@test "output stays whole beside lanes at 40 columns that change" {
	shown_in 40
}

@test "output stays whole beside lanes at 80 columns that change" {
	shown_in 80
}

@test "output stays whole beside lanes at 200 columns that change" {
	shown_in 200
}

@test "a line that a task has left unfinished stays" {
	terminal 80 12
	type_line "clear; pinion map --progress -j1 'printf part{}; until [ -e go{} ]; do sleep 0.02; done' ::: 1 2"
	wait_until pane_has '^part1$'
	touch go1
	wait_until pane_has '^part1part2$'
	touch go2
	wait_until pane_ends_with_prompt
	assert_equal "$(pane | sed 's/ in .*//')" "$(printf '%s\n' part1part2 \
		'pinion map: 2 tasks, 0 failed,' '$')"
}

@test "messages and stderr of tasks come whole between the lines" {
	terminal 80 12
	type_line "clear; pinion map --progress -j1 'echo said {} >&2; until [ -e go{} ]; do sleep 0.02; done; exit {}' ::: 1 0"
	wait_until pane_has '^said 1$'
	wait_until pane_has '^0 of 2  1 running|^\[.*0 of 2  1 running'
	touch go1
	wait_until pane_has '1 of 2  1 failed'
	touch go0
	wait_until pane_ends_with_prompt
	pane_has '^pinion map: 1 of 2 tasks failed'
	assert_equal "$(pane | grep -c 'running')" 0
	assert_equal "$(pane | grep -c '^said')" 2
}

@test "while it is stopped nothing is shown, and then again" {
	terminal 80 12
	type_line "clear; pinion map -j2 '$hold' ::: 1 2 3"
	wait_until pane_has '0 of 3  2 running'
	mux send-keys C-z
	wait_until pane_ends_with_prompt
	pane_lacks running
	type_line 'clear; fg'
	wait_until pane_has '0 of 3  2 running'
	touch go
	wait_until pane_ends_with_prompt
	pane_lacks running
	assert_equal "$(pane | grep -cE '^[123]$')" 3
}

@test "in the background nothing is drawn" {
	terminal 80 12
	type_line "clear; pinion map --progress -j1 '$hold' ::: 1 2 3 & sleep 0.5; echo slept"
	wait_until pane_has '^slept$'
	pane_lacks running
	touch go
	wait_until pane_has 'pinion map: 3 tasks, 0 failed'
}

pinion_in_terminal() {
	pgrep -f '^pinion map --progress' -s "$(mux display-message -p '#{pane_pid}')" "$@"
}

no_pinion_in_terminal() {
	! pinion_in_terminal
}

# interrupted_by KEY-OR-SIGNAL STATUS
interrupted_by() {
	terminal 80 12
	type_line "stty -g >before; clear; pinion map --progress -j2 '$hold' ::: 1 2 3"
	wait_until pane_has '0 of 3  2 running'
	if [[ $1 == C-* ]]; then
		mux send-keys "$1"
	else
		kill "-$1" "$(pinion_in_terminal -o)"
	fi
	wait_until no_pinion_in_terminal
	type_line 'echo status $?; stty -g >after'
	wait_until pane_has "^status $2"
	wait_until test -s after
	assert_same_bytes after before
}

@test "Ctrl-C leaves nothing of the display" {
	interrupted_by C-c 130
	pane_lacks running
	pane_has 'pinion map: 3 tasks, 0 failed, 2 cancelled, 1 never started'
}

@test "TERM leaves nothing of the display" {
	interrupted_by TERM 143
	pane_lacks running
}

@test "HUP leaves nothing of the display" {
	interrupted_by HUP 129
	pane_lacks running
}

@test "KILL leaves the modes of the terminal as they were" {
	interrupted_by KILL 137
}

@test "a terminal that goes away ends neither the run nor its output" {
	terminal 80 12
	type_line "trap '' HUP; pinion map --progress -j2 '$hold {} >>ended' ::: 1 2 3 >out 2>/dev/tty; echo \$? >status"
	wait_until pane_has '0 of 3  2 running'
	mux kill-server
	touch go
	wait_until test -s status
	assert_equal "$(cat status)" 0
	assert_equal "$(sort ended)" "$(printf '1\n2\n3')"
}

@test "stdout in a file has the tasks' bytes and nothing else" {
	in_script "pinion map --progress -j4 \"$(await running); printf %s,{}\" ::: {1..8} >out"
	assert_equal "$(cat out)" ",1,2,3,4,5,6,7,8"
	grep -q running typescript
}

@test "before a pipe, whose reader may have the terminal, nothing is shown unasked" {
	in_script "pinion map -j2 'sleep 1.2; echo' ::: 1 2 | cat"
	assert_equal "$(tr -d '\r' <typescript)" "$(printf '1\n2')"
	in_script "pinion map --progress -j2 \"$(await running); echo\" ::: 1 2 | cat"
	grep -q running typescript
}

@test "with -u, --quiet, --no-progress, and as parallel, nothing is shown unasked" {
	in_script "for o in 'map -u' 'map --quiet --progress' 'map --no-progress' parallel; do
		pinion \$o -j3 sleep ::: 1.2 1.2 || echo failed
		done"
	assert_equal "$(tr -d '\r' <typescript)" ""
}

@test "on a dumb terminal lines are said, when asked for" {
	export TERM=dumb
	in_script "pinion map -j2 sleep ::: 1.2; pinion map --progress -j2 sleep ::: 1.2"
	assert_equal "$(tr -d '\r' <typescript | sed -e 's/, load.*//' -e 's/ in .*//')" "$(printf '%s\n' \
		'pinion map: 0 of 1, 1 running' 'pinion map: 1 task, 0 failed,')"
}

@test "in a file lines are said now and then, when asked for" {
	pinion map --progress -j2 'sleep 1.2; echo {}' ::: 1 2 >out 2>err
	assert_equal "$(cat out)" "$(printf '1\n2')"
	assert_equal "$(sed -e 's/, load.*//' -e 's/ in .*//' err)" "$(printf '%s\n' \
		'pinion map: 0 of 2, 2 running' 'pinion map: 2 tasks, 0 failed,')"
	pinion map -j2 'sleep 1.2; echo {}' ::: 1 2 >out 2>err
	assert_equal "$(cat err)" ""
}

@test "NO_COLOR is honoured" {
	in_script "pinion map --bar -j2 \"$(await $'\e\\[7m') #\" ::: 1 2 3"
	grep -q $'\e\[7m' typescript
	NO_COLOR=1 in_script "pinion map --bar -j2 \"$(await ':.*=') #\" ::: 1 2 3"
	grep -q ':.*=' typescript
	run ! grep -q $'\e\[[0-9;]*m' typescript
}

@test "names drive no terminal" {
	in_script "pinion map --progress -j1 \"$(await 'a.*owned') #\" ::: \$'a\e]0;owned\ab'"
	grep -q 'a.*owned' typescript
	run ! grep -q $'\e\]0' typescript
}

@test "it is drawn at most ten times a second" {
	local start_ms=${EPOCHREALTIME/./} paints
	in_script "seq 3000 | pinion map --progress -j4 true {}"
	paints=$(grep -ao 'running' typescript | wc -l)
	((paints > 0 && paints <= (${EPOCHREALTIME/./} - start_ms) / 100000 + 1))
}

@test "the number of tasks is open until the input has ended" {
	mkfifo in
	terminal 80 12
	exec 7<>in
	type_line "clear; pinion map --progress -j1 -a in '$hold'"
	printf '1\n2\n' >&7
	wait_until pane_has '^0 of 2\+  1 running'
	exec 7>&-
	wait_until pane_has '0 of 2  1 running'
	touch go
	wait_until pane_ends_with_prompt
}

@test "--bar and --eta have GNU parallel's words" {
	terminal 100 12
	type_line "clear; pinion parallel --bar -j1 '$hold' ::: one two three"
	wait_until pane_has '^0% 0:3=\? .*echo one'
	touch go
	wait_until pane_ends_with_prompt
	rm go
	type_line "clear; pinion parallel --eta -j1 '$hold' ::: one two three"
	wait_until pane_has '^ETA: \? Left: 3 AVG: 0.00s  local:1/0/0%/0.0s'
	touch go
	wait_until pane_ends_with_prompt
}

@test "lanes of a fed program name what it has" {
	terminal 100 12
	type_line "clear; pinion feed --progress -j1 sh -c 'while read x; do until [ -e go ]; do sleep 0.02; done; echo \$x; done' ::: some thing"
	wait_until pane_has '^   1 .*  some$'
	touch go
	wait_until pane_has '^pinion feed: 2 tasks, 0 failed'
}
