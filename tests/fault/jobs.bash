# jobs.bash: the jobs that tests/fault/case runs while a call fails. job_NAME prepares the folder it
# is in and sets
#   command     what is run
#   again       what is run after it, with no fault, to bring the work to its end; may be empty
#   wanted      the exit status when nothing goes wrong
#   death       how the command ends when KILL has come to the coordinator
#   output      how what is printed stands to what is printed without a fault. whole: when nothing
#               goes wrong, it is that; lines: it has the same lines then; some: no other lines; any:
#               it is another one each time
#   may_remain  names in the folder that a run may leave
# Where that is not all, judge_NAME looks at what a run has left, judge_again_NAME at what there is
# after `again`, recorded_NAME says which tasks there is a record of, and workers how many may
# be run once more after a KILL, of those that have their effect before they are recorded.
# Blocks of output are `b N` to `e N`; a task of a job with a record leaves a line in the file effects.
# shellcheck shell=bash disable=SC2034,SC2016,SC2154
# shellcheck disable=SC2046,SC2086  # lists of numbers
# shellcheck disable=SC2054  # --halt now,fail=1

block='echo b {}; echo e {}'
effect='echo {} >>effects'
block_of_effect="echo b {}; $effect; echo e {}"

# The folder of a try, and what its job is made of.
prepare() {
	rm -rf "$1"
	mkdir -m 0700 "$1" "$1/tmpdir" "$1/runtime"
	cd "$1" || exit 1
	printf '%s\n' 1 2 3 4 5 6 >items
	: >out.before
	export TMPDIR=$1/tmpdir XDG_RUNTIME_DIR=$1/runtime
	again=() wanted=0 death='killed 9' output=whole workers=''
	may_remain='items page out err answer tmpdir runtime out.again err.again out.before job.json effects'
	"job_$job"
}

judge_job() {
	[[ $(type -t "judge_$job") != function ]] || "judge_$job"
}

complain() {
	echo "$what: $*"
}

# The tasks whose blocks are whole in these files.
printed() {
	awk '{ if ($1 == "e" && last == "b " $2) print $2; last = $0 }' "$@" 2>/dev/null | sort -u
}

# Tasks of standard input that are not among the rest.
not_among() {
	comm -23 <(sort -u) <(printf '%s\n' "$@" | sort -u)
}

job_stdin() {
	command=(pinion map -j2 "$block")
}

job_direct() {
	output=lines
	command=(pinion map -j2 --unordered --tag -a items echo b)
}

job_lines() {
	output=lines
	command=(pinion map -j2 --line-buffer --tagstring '{#}' -a items "$block")
}

# Nothing is held back, so what is run once more, as its worker was lost, is there twice.
job_ungroup() {
	output=some
	command=(pinion map -j2 --ungroup -a items echo b)
}

judge_ungroup() {
	[[ $end != 'exited 0' || $(sort -u out) == $(printf 'b %s\n' {1..6}) ]] || complain "$end without all lines"
}

# More than may be held in memory, behind a task that is late.
job_spill() {
	mkdir tmp
	may_remain+=' tmp'
	command=(pinion map -j3 --buffer 64K --tmpdir tmp -a items
		'[ {} != 1 ] || sleep 0.03; seq {}00000 {}09999')
}

job_feed() {
	command=(pinion feed -j2 cat)
}

job_call() {
	command=(pinion call -j2 "$FAULT_BUILD/plugins/crc32.so")
}

job_stages() {
	echo '{"inputs": {"range": [1, 6]}, "stages": [
		{"command": "echo b {}; echo e {}"}, {"command": ["echo", "{}"]}]}' >job.json
	command=(pinion run job.json)
}

# One in the middle that goes on working on what it is fed.
job_stages3() {
	echo '{"inputs": {"lines": "items"}, "stages": [{"command": ["echo", "{}"], "workers": 2},
		{"feed": ["cat"], "workers": 1}, {"command": "echo b {}; echo e {}", "workers": 2}]}' >job.json
	command=(pinion run job.json)
}

# Each task with a setting of its own.
job_jsonl() {
	local i
	mkdir folder
	may_remain+=' folder tasks.jsonl'
	for i in {1..6}; do
		echo "in $i" >"folder/$i"
		echo "{\"n\": $i, \"env\": {\"X\": \"b\"}, \"cwd\": \"folder\", \"stdin\": \"$i\", \"timeout\": 1000}"
	done >tasks.jsonl
	command=(pinion map -j2 --jsonl tasks.jsonl 'echo $X {n}; cat; echo e {n}')
}

# Inputs that are found in folders, and never a part of them.
job_glob() {
	mkdir -p in/a/b in/c
	touch -d '1 hour ago' in/a/old
	touch in/a/1 in/a/b/2 in/c/3 in/4
	may_remain+=' in'
	echo '{"inputs": {"glob": "in/**/*", "newer_than": "30m"}, "command": ["echo", "b", "{}"]}' >job.json
	command=(pinion run job.json)
}

job_combine() {
	printf '%s\n' n,w 1,a 2,b 3,c >table
	printf '%s\n' x 7 8 9 >column
	may_remain+=' table column'
	command=(pinion map -j2 --shuf --header : --colsep , 'echo {n} {w} {x}' :::: table ::::+ column :::: items)
	output=lines
}

job_csv() {
	printf '"a\n%s",%s\n' 1 x 2 y 3 z >table.csv
	may_remain+=' table.csv'
	command=(pinion map -j2 --halt soon,fail=50% --csv table.csv echo "{2} {1}")
}

# As many as there are go into one command.
job_pack() {
	command=(pinion map -j1 -m echo)
}

job_json() {
	output=any
	command=(pinion map -j2 --json -a items echo)
}

judge_json() {
	[[ $end != 'exited 0' ]] || [[ $(grep -c '^{"seq":.*}$' out) == 6 ]] || complain "not six objects"
}

job_spawn() {
	command=(pinion map -j2 --start-method spawn -a items "$block")
}

job_forkserver() {
	command=(pinion map -j2 --start-method forkserver -a items "$block")
}

job_initializer() {
	command=(pinion map -j2 --initializer 'export X=b' -a items 'echo $X {}; echo e {}')
}

# Trees that have to be ended. Which tasks are in time on a busy machine, nobody knows.
job_timeout() {
	wanted=1 output=some
	command=(pinion map -j3 --timeout 0.1 -a items
		'case {} in 2) setsid sleep 1000 & sleep 1000 ;; esac; echo b {}; echo e {}')
}

job_halt() {
	wanted=1 output=some
	command=(pinion map -j3 --halt now,fail=1 -a items
		'case {} in 1) sleep 0.05; exit 1 ;; *) sleep 1000 & sleep 1000 ;; esac')
}

job_retries() {
	command=(pinion map -j2 --retries 3 -a items '[ $PINION_ATTEMPT != 1 ] || exit 1; echo b {}; echo e {}')
}

# All that may hold up a start, and what a task is started with.
job_manners() {
	printf '%9d\n' 2 >jobs-file
	may_remain+=' jobs-file'
	command=(pinion map -j jobs-file --deadline 8h --load 100000 --memfree 1K --max-pressure cpu=100,io=100
		--nice 5 --ionice idle --delay 0.001 -a items "$block")
}

job_jobserver() {
	printf 'all: x y; @echo b $(N); echo e $(N)\nx y:; @:\n' >mk
	may_remain+=' mk'
	command=(pinion map -j2 --jobserver -a items 'make -s -f mk N={}')
}

# On a terminal; what is shown there comes to standard error.
job_progress() {
	death='exited 137' # of the shell's words
	command=(bash -c "exec 4>&1 >&2 && exec env SHELL=/bin/sh script -qec '
		pinion map -j2 --progress -a items \"$block; sleep 0.02\" >&4' /dev/null </dev/null")
}

judge_progress() {
	[[ $end == @(exited $wanted|$death|hung) ]] || grep -Eq '^pinion( map)?: ' err || complain "$end without a message"
}

job_bench() {
	output=any
	command=(pinion bench --rounds 1 -j2 -a items true)
}

judge_bench() {
	[[ $end != 'exited 0' ]] || grep -q '^speed-up' out || complain "$end without figures"
}

# Silent when all is well.
job_cron() {
	cron_name=fault-${FAULT_WORK##*.}-$BASHPID
	command=(pinion map --cron "$cron_name" -j2 -a items "$block_of_effect")
}

judge_cron() {
	local folder
	[[ $end != 'exited 0' ]] || [[ $(sort -u effects) == $'1\n2\n3\n4\n5\n6' && ! -s err ]] ||
		complain "$end without all effects, or with words"
	(($(wc -l <err) <= 24)) || complain "more than a screen"
	[[ $end != 'exited 75' ]] || complain "$end, but nobody else has the name"
	for folder in /var/lib/pinion /var/tmp/pinion-$UID /tmp/pinion-$UID; do
		[[ $error == KILL || $call == @(fcntl|unlink|malloc|stat) || ! -e $folder/$cron_name.lock ]] ||
			complain "left behind: $folder/$cron_name.lock"
		rm -f "$folder/$cron_name".{lock,output}
	done
}

# On a machine that hwloc, which has to be loaded for it, is told of.
job_odd_machine() {
	command=(env 'HWLOC_SYNTHETIC=numanode:2 core:64 pu:1' pinion map -j2 --bind numa -a items "$block")
}

# The less can be read, the less is shown.
job_topology() {
	output=any
	command=(pinion topology)
}

judge_topology() {
	[[ $end != 'exited 0' ]] || [[ $(head -n 1 out) == machine* && $(sed -n '/^worker /,$p' out | wc -l) -gt 1 ]] ||
		complain "$end without all"
}

# --- other verbs, about a run that is over ---

# A run file with two failures, made once.
recorded_run() {
	local made=$FAULT_WORK/recorded
	if [[ ! -e $made ]]; then
		mkdir "$made"
		(cd "$made" && ! pinion map -j2 --run-file db "[ {} -lt 5 ] || [ -e mended ] || exit 1; $block" \
			2>err ::: {1..6} >out)
		touch "$made/mended"
	fi
	cp "$made/db" .
	may_remain+=' db db-wal db-shm db-journal'
}

job_report() {
	recorded_run
	command=(pinion report db)
}

report_files=(page.html trace.json rows.json rows.csv)

job_report_files() {
	recorded_run
	may_remain+=" ${report_files[*]}"
	command=(pinion report --html page.html --trace trace.json --json=rows.json --csv=rows.csv db)
	again=("${command[@]}")
}

judge_again_report_files() {
	local drafts
	drafts=$(find . -name '.pinion-*')
	[[ -z $drafts ]] || complain "left behind by the next: $drafts"
	end='exited 0' judge_report_files
}

judge_report_files() {
	local file
	[[ -e $FAULT_WORK/reported ]] || { mkdir "$FAULT_WORK/reported" && cp "${report_files[@]}" "$FAULT_WORK/reported"; }
	for file in "${report_files[@]}"; do
		[[ ! -e $file && $end != 'exited 0' ]] || cmp -s "$file" "$FAULT_WORK/reported/$file" ||
			complain "$file is not whole"
	done
}

job_replay() {
	recorded_run
	command=(pinion replay db 2)
}

job_replay_failed() {
	recorded_run
	command=(pinion replay --failed db)
}

judge_replay_failed() {
	local wrong
	wrong=$(recorded_runfile | not_among 1 2 3 4 $(printed out))
	[[ -z $wrong ]] || complain "recorded, but not printed:" $wrong
}

# --- and about one that goes on ---

# That has one task, which ends when we do.
live_run() {
	local hold=$FAULT_WORK/hold.$BASHPID tries
	if [[ ${live_runtime-} != "$FAULT_WORK/runtime.$BASHPID" ]]; then
		live_runtime=$FAULT_WORK/runtime.$BASHPID
		mkdir -m 0700 "$live_runtime"
		mkfifo "$hold"
		exec {hold_fd}<>"$hold"
		env -C "$FAULT_WORK" XDG_RUNTIME_DIR="$live_runtime" pinion map -j2 --name live cat ::: "$hold" {hold_fd}>&- \
			3>&- >/dev/null 2>&1 </dev/null &
		live_pid=$!
		for ((tries = 0; tries < 200; tries++)); do
			! live_is_there || break
			sleep 0.05
		done
	fi
	export XDG_RUNTIME_DIR=$live_runtime
}

live_is_there() {
	XDG_RUNTIME_DIR=$live_runtime pinion status --names 2>/dev/null | grep -qx live
}

end_live_run() {
	[[ -n ${live_runtime-} ]] || return 0
	exec {hold_fd}>&-
	wait "$live_pid"
}

judge_live() {
	live_is_there || complain "the run is no longer to be seen"
	# Who cannot be told anything has ended.
	[[ $end != 'exited 0' || $call == send ]] || grep -qw live out || complain "$end without the run: $(head -n 1 out)"
}

job_status() {
	output=any
	live_run
	command=(pinion status)
}

judge_status() {
	judge_live
}

job_status_one() {
	output=any
	live_run
	command=(pinion status live)
}

judge_status_one() {
	judge_live
}

job_ctl() {
	live_run
	command=(pinion ctl live jobs 3)
}

judge_ctl() {
	judge_live
}

# The run itself has the fault, and is asked by its first task, if that can be.
job_steered() {
	may_remain+=' status'
	command=(pinion map -j2 --name steered -a items '
		unset LD_PRELOAD PINION_FAULT_PAGE
		if [ {} = 1 ]; then
			for i in 1 2 3 4 5 6 7 8 9 10; do
				pinion status steered >status 2>/dev/null && break
				sleep 0.05
			done
			pinion ctl steered jobs 3 >>status 2>/dev/null
		fi
		echo b {}; echo e {}')
}

judge_steered() {
	[[ $call != none ]] || [[ $(tail -n 1 status) == 'steered: 3 at once from now on' ]] ||
		complain "it was not heard"
}

# --- with records ---

# Those that are recorded, but neither in these files nor named.
judge_recorded() {
	local wrong
	wrong=$("recorded_$job" | not_among $(printed out out.before))
	[[ -z $wrong ]] || complain "recorded, but not printed:" $wrong
}

judge_again_recorded() {
	local tasks
	tasks=$("recorded_$job" | sort | tr '\n' ' ')
	[[ $tasks == '1 2 3 4 5 6 ' ]] || complain "after the resume there are recorded: $tasks"
}

judge_again_printed() {
	local tasks
	judge_again_recorded
	tasks=$(printed out.before out out.again | tr '\n' ' ')
	[[ $tasks == '1 2 3 4 5 6 ' ]] || complain "after the resume there are: $tasks"
}

recorded_joblog() {
	[[ ! -e log ]] || awk -F '\t' '$7 == "0" && $8 == "0" && NF > 8 { print $1 }' log
}

job_joblog() {
	command=(pinion map -j2 --joblog log -a items "$block_of_effect")
	again=(pinion map -j2 --joblog log --resume-failed -a items "$block_of_effect")
	may_remain+=' log'
}

judge_joblog() {
	judge_recorded
}

judge_again_joblog() {
	judge_again_printed
}

# Where no task is a process.
job_feed_log() {
	local program='while read -r x; do echo $x >>effects; echo e $x; done'
	command=(pinion feed -j2 --joblog log -a items sh -c "$program")
	again=(pinion feed -j2 --joblog log --resume-failed -a items sh -c "$program")
	may_remain+=' log'
}

recorded_feed_log() {
	recorded_joblog
}

judge_feed_log() {
	local wrong
	wrong=$(recorded_joblog | not_among $(sed 's/^e //' out))
	[[ -z $wrong ]] || complain "recorded, but not printed:" $wrong
}

judge_again_feed_log() {
	local tasks
	judge_again_recorded
	tasks=$(sed 's/^e //' out out.again | sort -u | tr '\n' ' ')
	[[ $tasks == '1 2 3 4 5 6 ' ]] || complain "after the resume there are: $tasks"
}

# Nothing waits for its turn to be printed, so all that has ended is recorded.
job_silent() {
	workers=2
	command=(pinion map -j2 --joblog log -a items "$effect")
	again=(pinion map -j2 --joblog log --resume-failed -a items "$effect")
	may_remain+=' log'
}

recorded_silent() {
	recorded_joblog
}

judge_again_silent() {
	judge_again_recorded
}

# One that is there already, with a torn tail.
job_resume() {
	job_joblog
	command=("${again[@]}")
	printf 'Seq\tHost\tStarttime\tJobRuntime\tSend\tReceive\tExitval\tSignal\tCommand\n' >log
	printf '%s\t:\t1700000000.000\t     0.001\t0\t8\t0\t0\techo b %s; echo %s >>effects; echo e %s\n' \
		1 1 1 1 2 2 2 2 3 3 3 3 >>log
	printf '4\t:\t17000000' >>log
	printf 'b %s\ne %s\n' 1 1 2 2 3 3 >out.before
	printf '%s\n' 1 2 3 >effects
}

recorded_resume() {
	recorded_joblog
}

judge_resume() {
	local wrong
	judge_recorded
	wrong=$(printf '%s\n' 1 2 3 | not_among $("recorded_$job"))
	[[ -z $wrong ]] || complain "no longer recorded:" $wrong
}

judge_again_resume() {
	judge_again_printed
}

job_runfile() {
	command=(pinion map -j2 --run-file db -a items "$block_of_effect")
	again=(pinion map -j2 --run-file db --resume-failed -a items "$block_of_effect")
	may_remain+=' db db-wal db-shm db-journal'
}

recorded_runfile() {
	[[ ! -s db ]] ||
		sqlite3 db "select seq + 1 from task where reason = 'exit' and exit = 0" 2>/dev/null
}

judge_runfile() {
	judge_recorded
}

judge_again_runfile() {
	judge_again_printed
}

# One that is there already, of a run that was killed with three tasks done; made once.
job_runfile_resume() {
	local made=$FAULT_WORK/killed tries
	local line="[ {} != 4 ] || [ -e mended ] || { kill -KILL \$(ps -o ppid= -p \$PPID); sleep 1000; }; $block_of_effect"
	if [[ ! -e $made ]]; then
		mkdir "$made"
		(
			cd "$made" && ! pinion map -j1 --run-file db "$line" ::: {1..6} >out.before
			for ((tries = 0; tries < 200; tries++)); do # the recorder goes on
				[[ $(recorded_runfile | tr '\n' ' ') != '1 2 3 ' ]] || break
				sleep 0.05
			done
		) 2>/dev/null
	fi
	cp "$made"/{db*,out.before,effects} .
	touch mended
	command=(pinion map -j2 --run-file db --resume-failed "$line" ::: {1..6})
	again=("${command[@]}")
	may_remain+=' db db-wal db-shm db-journal mended'
}

recorded_runfile_resume() {
	recorded_runfile
}

judge_runfile_resume() {
	judge_resume
}

judge_again_runfile_resume() {
	judge_again_printed
}

job_runfile_silent() {
	workers=2
	command=(pinion map -j2 --run-file db -a items "$effect")
	again=(pinion map -j2 --run-file db --resume-failed -a items "$effect")
	may_remain+=' db db-wal db-shm db-journal'
}

recorded_runfile_silent() {
	recorded_runfile
}

judge_again_runfile_silent() {
	judge_again_recorded
}

job_results() {
	command=(pinion map -j2 --results results -a items "$block")
	again=(pinion map -j2 --results results --resume -a items "$block")
	may_remain+=' results'
}

judge_results() {
	[[ $end != 'exited 0' ]] || results_are_whole 'although all is well'
}

# That a task could not be started is a result of it, too, and so is that its worker was lost. Only
# the first ones are named, but of a run that broke there are no more.
results_are_whole() {
	local i
	for i in {1..6}; do
		! grep -q "^pinion map:   task $i: " err || continue
		[[ -e results/1/$i/stdout && $(<"results/1/$i/stdout") == "b $i"$'\n'"e $i" ]] ||
			complain "the result of $i is not whole $1"
	done
}

judge_again_results() {
	[[ $end == 'exited 1' ]] || results_are_whole 'after the resume'
}

job_table() {
	command=(pinion map -j2 --results table.jsonl -a items "$block")
	may_remain+=' table.jsonl'
}

judge_table() {
	[[ $end != 'exited 0' ]] || [[ $(wc -l <table.jsonl) == 6 ]] || complain "the table is not whole"
}

job_output() {
	mkdir in
	local i
	for i in {1..6}; do
		echo "in $i" >"in/$i"
	done
	workers=2
	command=(pinion map -j2 --fsync dir --output 'made/{/}' 'cat {} {} >{out}; echo {/} >>effects' ::: in/*)
	again=("${command[@]}")
	may_remain+=' in made'
}

recorded_output() {
	(cd made 2>/dev/null && printf '%s\n' *) | grep -x '[1-6]'
}

# Nothing is half written, ever.
judge_output() {
	local file
	for file in made/*; do
		[[ ! -e $file || $(<"$file") == "in ${file#*/}"$'\n'"in ${file#*/}" ]] ||
			complain "$file is not whole"
	done
	[[ $end != 'exited 0' ]] || [[ $(echo made/*) == 'made/1 made/2 made/3 made/4 made/5 made/6' ]] ||
		complain "not all is made although all is well"
	[[ $call == @(unlink|rmdir|open|opendir|readdir|malloc|stat|fork|clone|kill) || -z $(find made -name '.*' 2>/dev/null) ]] ||
		complain "left behind:" $(find made -name '.*')
}

judge_again_output() {
	end='exited 0' call=none judge_output
}

jobs_all=(stdin direct lines ungroup spill feed call stages stages3 jsonl glob combine csv pack json spawn forkserver initializer timeout
	halt retries manners jobserver progress bench cron odd_machine topology
	report report_files replay replay_failed status status_one ctl steered
	joblog feed_log silent resume runfile runfile_resume runfile_silent results table output)
