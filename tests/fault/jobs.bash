# jobs.bash: the jobs that tests/fault/case runs while a call fails. job_NAME prepares the folder it
# is in and sets
#   command     what is run
#   again       what is run after it, with no fault, to bring the work to its end; may be empty
#   wanted      the exit status when nothing goes wrong
#   may_remain  names in the folder that a run may leave
# and, where the job has a record, judge_NAME looks whether that says more than is true. Blocks of
# output are `b N` to `e N`.
# shellcheck shell=bash disable=SC2034,SC2016,SC2154
# shellcheck disable=SC2046,SC2086  # lists of numbers
# shellcheck disable=SC2054  # --halt now,fail=1

block='echo b {}; echo e {}'

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
	command=(pinion map -j2 --unordered --tag -a items echo b)
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

job_json() {
	command=(pinion map -j2 --json -a items echo)
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

# Trees that have to be ended.
job_timeout() {
	wanted=1
	command=(pinion map -j3 --timeout 0.1 -a items
		'case {} in 2) setsid sleep 1000 & sleep 1000 ;; esac; echo b {}; echo e {}')
}

job_halt() {
	wanted=1
	command=(pinion map -j3 --halt now,fail=1 -a items
		'case {} in 1) sleep 0.05; exit 1 ;; *) sleep 1000 & sleep 1000 ;; esac')
}

job_retries() {
	command=(pinion map -j2 --retries 3 -a items '[ $PINION_ATTEMPT != 1 ] || exit 1; echo b {}; echo e {}')
}

# --- with records ---

recorded_in_joblog() {
	[[ ! -e log ]] || awk -F '\t' '$7 == "0" && $8 == "0" && NF > 8 { print $1 }' log
}

job_joblog() {
	command=(pinion map -j2 --joblog log -a items "$block")
	again=(pinion map -j2 --joblog log --resume-failed -a items "$block")
	may_remain+=' log'
}

judge_joblog() {
	local wrong
	wrong=$(recorded_in_joblog | not_among $(printed out))
	[[ -z $wrong ]] || complain "recorded, but not printed:" $wrong
}

judge_again_joblog() {
	local tasks
	tasks=$(recorded_in_joblog | sort | tr '\n' ' ')
	[[ $tasks == '1 2 3 4 5 6 ' ]] || complain "after the resume the log has: $tasks"
	tasks=$(printed out out.again | tr '\n' ' ')
	[[ $tasks == '1 2 3 4 5 6 ' ]] || complain "after the resume there are: $tasks"
}

# One that is there already, with a torn tail.
job_resume() {
	job_joblog
	command=("${again[@]}")
	printf 'Seq\tHost\tStarttime\tJobRuntime\tSend\tReceive\tExitval\tSignal\tCommand\n' >log
	printf '%s\t:\t1700000000.000\t     0.001\t0\t8\t0\t0\techo b %s; echo e %s\n' 1 1 1 2 2 2 3 3 3 >>log
	printf '4\t:\t17000000' >>log
	printf 'b %s\ne %s\n' 1 1 2 2 3 3 >out.before
}

judge_resume() {
	local wrong
	wrong=$(recorded_in_joblog | not_among $(printed out out.before))
	[[ -z $wrong ]] || complain "recorded, but not printed:" $wrong
	wrong=$(printf '%s\n' 1 2 3 | not_among $(recorded_in_joblog))
	[[ -z $wrong ]] || complain "no longer recorded:" $wrong
}

judge_again_resume() {
	local tasks
	tasks=$(recorded_in_joblog | sort | tr '\n' ' ')
	[[ $tasks == '1 2 3 4 5 6 ' ]] || complain "after the resume the log has: $tasks"
	tasks=$(printed out.before out out.again | tr '\n' ' ')
	[[ $tasks == '1 2 3 4 5 6 ' ]] || complain "after the resume there are: $tasks"
}

job_runfile() {
	command=(pinion map -j2 --run-file db -a items "$block")
	again=(pinion map -j2 --run-file db --resume-failed -a items "$block")
	may_remain+=' db db-wal db-shm db-journal'
}

recorded_in_runfile() {
	[[ ! -s db ]] ||
		sqlite3 db "select seq + 1 from task where reason = 'exit' and exit = 0" 2>/dev/null
}

judge_runfile() {
	local wrong
	wrong=$(recorded_in_runfile | not_among $(printed out))
	[[ -z $wrong ]] || complain "recorded, but not printed:" $wrong
}

judge_again_runfile() {
	local tasks
	tasks=$(recorded_in_runfile | sort | tr '\n' ' ')
	[[ $tasks == '1 2 3 4 5 6 ' ]] || complain "after the resume the run file has: $tasks"
	tasks=$(printed out out.again | tr '\n' ' ')
	[[ $tasks == '1 2 3 4 5 6 ' ]] || complain "after the resume there are: $tasks"
}

job_results() {
	command=(pinion map -j2 --results results -a items "$block")
	again=(pinion map -j2 --results results --resume -a items "$block")
	may_remain+=' results'
}

judge_results() {
	[[ $end != 'exited 0' ]] || results_are_whole 'although all is well'
}

results_are_whole() {
	local i
	for i in {1..6}; do
		[[ -e results/1/$i/stdout && $(<"results/1/$i/stdout") == "b $i"$'\n'"e $i" ]] ||
			complain "the result of $i is not whole $1"
	done
}

# That a task could not be started is a result of it, too.
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
	command=(pinion map -j2 --fsync dir --output 'made/{/}' 'cat {} {} >{out}' ::: in/*)
	again=("${command[@]}")
	may_remain+=' in made'
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

# Not here: pinion topology. It shows less where less can be read, and hwloc, which it loads, dies of
# a malloc that fails.
jobs_all=(stdin direct spill feed call stages json spawn forkserver initializer timeout halt retries
	joblog resume runfile results table output)
