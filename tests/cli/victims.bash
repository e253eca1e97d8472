# victims.bash: for scripts that kill a run's processes; `pid` is its coordinator, `what` is
# coordinator, worker or task, `method` is how workers are made.
# shellcheck shell=bash disable=SC2154

# Children of a process, one on each line; its own if it has none.
children() {
	{ tr ' ' '\n' <"/proc/$1/task/$1/children" | sed '/^$/d'; } 2>/dev/null
}

# The coordinator's children; the first is the server, where there is one.
workers() {
	children "$pid" | if [[ $method == forkserver ]]; then sed 1d; else cat; fi
}

# The process that dies in this round; empty when there is none (any more).
choose() {
	local worker
	case $what in
	coordinator) echo "$pid" ;;
	worker) workers | shuf -n 1 ;;
	task)
		worker=$(workers | shuf -n 1)
		[[ -z $worker ]] || children "$worker" | shuf -n 1
		;;
	esac
}

# left_of MARK: what lives of what was executed with PINION_TEST_MARK=MARK, after two seconds at
# most; nothing when all is gone.
left_of() {
	local i left
	for ((i = 0; i < 100; i++)); do
		left=$(grep -lszFx -- "PINION_TEST_MARK=$1" /proc/[0-9]*/environ)
		[[ -z $left ]] && return
		sleep 0.02
	done
	echo "$left"
}
