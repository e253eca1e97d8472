# The axes of tests/bench/run, which sources this: what each counts, who takes part, with how many
# tasks, the command line of each contender, and what its output must be.
# shellcheck shell=bash disable=SC2034,SC2154  # run has the rest

axes=(
	spawn capture shell shell-builtin start-up output output-pipe
	call feed feed-256 feed-c feed-c-256
	memory-10k memory memory-10m balance balance-cpu balance-busy photos photos-magick
	scaling-call scaling-spawn scaling-workers scaling-workers-spawn scaling-bytes
)

# What is shown: of rates the most is best; of other figures the least.
#   us CPU    what a task costs the whole tree, beyond what the first `base_count` tasks cost
#   rate      tasks (or what a task is `scale` of) a second
#   memory    MiB of runner and workers, while all tasks wait and the rest of the input too
#   makespan  the time taken over the least there can be
declare -A unit=(
	[spawn]=tasks/s [capture]=tasks/s [shell]=tasks/s [shell-builtin]=tasks/s
	[start-up]=runs/s [output]=GB/s [output-pipe]=GB/s
	[call]=lines/s [feed]=lines/s [feed-256]=lines/s [feed-c]=lines/s [feed-c-256]=lines/s
	[memory-10k]=MiB [memory]=MiB [memory-10m]=MiB
	[balance]='x bound' [balance-cpu]='x bound' [balance-busy]='x bound'
	[photos]=photos/s [photos-magick]=photos/s
	[scaling-call]='us CPU' [scaling-spawn]='us CPU' [scaling-workers]='us CPU'
	[scaling-workers-spawn]='us CPU' [scaling-bytes]='us CPU'
)
# Of spawners all that are here.
spawners='xargs xe moreutils parallel xjobs fd make ninja rush'
declare -A contenders=(
	[spawn]="limit pinion $spawners"
	[capture]='limit pinion xargs parallel xjobs fd make ninja rush'
	[shell]='limit pinion xargs xe parallel xjobs fd make ninja rush'
	[shell-builtin]='limit pinion xargs xe parallel xjobs fd make ninja rush'
	[start-up]='limit pinion xargs xe moreutils parallel fd make ninja'
	[output]='limit pinion parallel xjobs fd make ninja rush'
	[output-pipe]='limit pinion parallel xjobs fd make ninja rush'
	[call]='limit pinion pool_map'
	[feed]='limit pinion pool_imap'
	[feed-256]='limit pinion pool_imap'
	[feed-c]='limit pinion pool_imap'
	[feed-c-256]='limit pinion pool_imap'
	[memory-10k]='limit pinion xargs xe parallel xjobs make ninja rush'
	[memory]='limit pinion xargs xe parallel xjobs rush'
	[memory-10m]='limit pinion xargs xe parallel rush'
	[balance]='limit pinion pinion_unordered xe moreutils parallel make'
	[balance-cpu]='limit pinion pinion_unordered xe moreutils make'
	[balance-busy]='limit pinion pinion_unordered xe moreutils make'
	[photos]='limit pinion pinion_call xargs xe parallel make'
	[photos-magick]='limit pinion xargs xe parallel make'
	[scaling-call]='pinion_few pinion_more pinion_most'
	[scaling-spawn]='pinion_few pinion_more pinion_most'
	[scaling-workers]='pinion_1 pinion_4 pinion_16 pinion_64'
	[scaling-workers-spawn]='pinion_1 pinion_4 pinion_16 pinion_64'
	[scaling-bytes]='pinion_none pinion_many'
)
# Those that do not do the same are shown, but pinion is not compared with them: their tasks write
# where they like, so that outputs mix.
declare -A is_weaker=([capture/xargs]=1 [shell/xargs]=1 [shell/xe]=1
	[shell-builtin/xargs]=1 [shell-builtin/xe]=1)

# How many tasks in full and with QUICK; fewer for a contender that takes long for each.
declare -A counts=(
	[spawn]='5000 500' [spawn/peers]='1000 150' [spawn/parallel]='200 20'
	[capture]='5000 500' [capture/peers]='1000 150' [capture/parallel]='200 20'
	[shell]='2500 150' [shell/peers]='600 60' [shell/parallel]='200 20'
	[shell-builtin]='5000 500' [shell-builtin/peers]='1000 150' [shell-builtin/parallel]='200 20'
	[start-up]='50 10' [start-up/parallel]='5 1' [start-up/fd]='20 5'
	[output]='200 40' [output/peers]='100 20' [output/ninja]='20 4'
	[output-pipe]='200 40' [output-pipe/peers]='100 20' [output-pipe/ninja]='20 4'
	[call]='2000000 200000'
	[feed]='300000 60000' [feed/pool_imap]='6000 2000'
	[feed-256]='600000 100000' [feed-256/pool_imap]='6000 2000'
	[feed-c]='600000 60000' [feed-c/pool_imap]='6000 2000'
	[feed-c-256]='2000000 200000' [feed-c-256/pool_imap]='6000 2000'
	[memory-10k]='10000 10000' [memory]='1000000 1000000' [memory-10m]='10000000 10000000'
	[balance]='400 40' [balance-cpu]='400 40' [balance-busy]='400 40'
	[photos]='200 8' [photos/peers]='50 4'
	[photos-magick]='200 8' [photos-magick/peers]='50 4'
	[scaling-call/pinion_few]='1000 1000' [scaling-call/pinion_more]='100000 100000'
	[scaling-call/pinion_most]='1000000 1000000'
	[scaling-spawn/pinion_few]='1000 100' [scaling-spawn/pinion_more]='10000 1000'
	[scaling-spawn/pinion_most]='100000 8000'
	[scaling-workers]='1000000 200000' [scaling-workers-spawn]='10000 1000'
	[scaling-bytes]='20000 1000'
)
# A run of so few tasks is over too soon to say anything of it: so many runs, one after another.
declare -A runs=([scaling-call/pinion_few]='50 10')
declare -A title=(
	[limit]='limit (vfork, exec, wait)'
	[capture/limit]='limit (the same and a pipe)'
	[shell/limit]='limit (sh -c for each)'
	[shell-builtin/limit]='limit (sh -c for each)'
	[output/limit]='limit (memfd, sendfile)'
	[output-pipe/limit]='limit (pipe, splice)'
	[call/limit]='limit (ring of chunks)'
	[feed/limit]='limit (pairs in lockstep)'
	[feed-256/limit]='limit (pairs, 256 at once)'
	[feed-c/limit]='limit (pairs in lockstep)'
	[feed-c-256/limit]='limit (pairs, 256 at once)'
	[pinion_unordered]='pinion --unordered'
	[pinion_call]='pinion call thumbnail.so'
	[xargs]='xargs -P'
	[capture/xargs]='xargs -P, outputs may mix'
	[shell/xargs]='xargs -P, outputs may mix'
	[shell-builtin/xargs]='xargs -P, outputs may mix'
	[shell/xe]='xe -j, outputs may mix'
	[shell-builtin/xe]='xe -j, outputs may mix'
	[scaling-workers/pinion_1]='pinion call -j 1'
	[scaling-workers/pinion_4]='pinion call -j 4'
	[scaling-workers/pinion_16]='pinion call -j 16'
	[scaling-workers/pinion_64]='pinion call -j 64'
	[scaling-workers-spawn/pinion_1]='pinion map -j 1'
	[scaling-workers-spawn/pinion_4]='pinion map -j 4'
	[scaling-workers-spawn/pinion_16]='pinion map -j 16'
	[scaling-workers-spawn/pinion_64]='pinion map -j 64'
	[scaling-bytes/pinion_none]='pinion map'
	[scaling-bytes/pinion_many]='pinion map, much output before'
	[xe]='xe -j'
	[moreutils]='moreutils parallel'
	[parallel]='GNU parallel'
	[fd]='fd -x'
	[make]='make -j'
	[pool_map]='Python Pool.map'
	[pool_imap]='Python Pool.imap, chunks of 1'
)

# How pinion and the others print: whole outputs, in order where they can.
declare -A in_order=([parallel]=-k [make]=-Otarget [rush]=-k)

# What an axis runs for each input. Into task: the words, the input comes last; into line: a line
# for a shell with {} for the input.
task_of() {
	line=
	case $1 in
	spawn | start-up) task=("$true") ;;
	capture) task=("$echo") ;;
	shell)
		line='echo {} | tr 0-9 a-j'
		# shellcheck disable=SC2016  # the inner shell's
		task=("$sh" -c 'echo $0 | tr 0-9 a-j')
		;;
	shell-builtin)
		# shellcheck disable=SC2016
		line='echo $(({} + 1))'
		# shellcheck disable=SC2016
		task=("$sh" -c 'echo $(($0 + 1))')
		;;
	output*) task=("$bin/task" block) ;;
	memory*) task=("$bin/task" hold) ;;
	balance) task=("$bin/task" sleep) ;;
	balance-*) task=("$bin/task" compute) ;;
	photos) task=("$vipsthumbnail" --size 320x -o "$HOME/thumbs/%s.jpg") ;;
	photos-magick) task=("$mogrify" -path "$HOME/thumbs" -thumbnail 320x) ;;
	esac
	[[ -n $line ]] || line="$(printf '%q ' "${task[@]}"){}"
}

# spawner_of AXIS CONTENDER TASKS: the command line of one that starts a command for each input.
spawner_of() {
	local order='' pinion_words=("${task[@]}" {})
	case $1 in
	capture | shell* | output*) order=${in_order[$2]-} ;;
	esac
	[[ $1 != shell* ]] || pinion_words=("$line")
	case $2 in
	pinion) argv=("$pinion" map -j "$jobs" "${pinion_words[@]}") ;;
	pinion_unordered) argv=("$pinion" map --unordered -j "$jobs" "${pinion_words[@]}") ;;
	xargs) argv=("$xargs" -P "$jobs" -n 1 "${task[@]}") ;;
	xe) argv=("$xe" -j "$jobs" "${task[@]}") ;;
	moreutils)
		mapfile -t argv <"$input"
		argv=("$moreutils" -j "$jobs" "${task[@]}" -- "${argv[@]}")
		;;
	parallel) argv=("$parallel" ${order:+"$order"} -j "$jobs" "$line") ;;
	xjobs) argv=("$xjobs" -v 0 -j "$jobs" -- "${task[@]}") ;;
	fd) argv=("$fd" -j "$jobs" . "$HOME/files-$3" -x "${task[@]}" "{/}") ;;
	make)
		argv=("$make" -s ${order:+"$order"} -j "$jobs" -f "$here/peers.mk" "INPUT=$input"
			"LINE=${line//\$/\$\$}")
		;;
	ninja) argv=("$ninja" --quiet -j "$jobs" -f "$HOME/ninja-$1-$3") ;;
	rush) argv=("$rush" ${order:+"$order"} -j "$jobs" "$line") ;;
	esac
}

# start_up_of CONTENDER RUNS: the limit program starts it again and again, and adds a number.
start_up_of() {
	argv=("$bin/limit_spawn" -u "$2" 1)
	case $1 in
	limit) argv+=("$true") ;;
	pinion) argv+=("$pinion" map "$true" :::) ;;
	xargs) argv+=("$xargs" "$true") ;;
	xe) argv+=("$xe" -a "$true" --) ;;
	moreutils) argv+=("$moreutils" "$true" --) ;;
	parallel) argv+=("$parallel" "$true" :::) ;;
	fd) argv+=("$fd" . "$HOME/files-1" -x "$true") ;;
	make) argv+=("$make" -s -f "$here/peers.mk" "LINE=$true {}") ;;
	ninja) argv+=("$ninja" --quiet -f "$HOME/ninja-start-up-1" -k) ;;
	esac
}

# scaling_of AXIS CONTENDER: into argv, and base_count: those of its tasks whose cost is that of
# the start. There are some for each worker, or the start of a worker would be a cost of the others.
scaling_of() {
	local workers=$jobs count
	[[ $1 != scaling-workers* ]] || workers=${2#pinion_}
	base_count=$((workers * 4))
	case $1 in
	scaling-bytes)
		base_count=1
		argv=("$pinion" map -j "$workers")
		;;
	*spawn) argv=("$pinion" map -j "$workers" "$bin/nothing" {}) ;;
	*) argv=("$pinion" call -j "$workers" "$crc32") ;;
	esac
	count=$(runs_of "$1" "$2")
	if ((count > 1)); then
		# The number that is added to the words is of no interest.
		# shellcheck disable=SC2016
		argv=("$bin/limit_spawn" -u "$count" 1 "$sh" -c '"$0" call -j "$1" "$2" <"$3"'
			"$pinion" "$workers" "$crc32" "$input")
	fi
}

# command_of AXIS CONTENDER TASKS: into argv. It reads its input from stdin.
command_of() {
	local program=("$python" "$here/loop.py") in_flight=1
	[[ $1 != feed-c* ]] || program=("$bin/echo_line")
	[[ $1 != *-256 ]] || in_flight=256
	task_of "$1"
	case $1/$2 in
	start-up/*) start_up_of "$2" "$3" ;;
	capture/limit | shell*/limit) argv=("$bin/limit_spawn" -c "$3" "$jobs" "${task[@]}") ;;
	output*/limit) argv=("$bin/limit_output" "$3" "$jobs" "${task[@]}") ;;
	balance*/limit | photos*/limit) argv=("$bin/limit_spawn" -i "$jobs" "${task[@]}") ;;
	photos/pinion_call) argv=("$pinion" call -j "$jobs" "$thumbnail" "$HOME/thumbs" 400) ;;
	call/limit) argv=("$bin/limit_call" "$jobs") ;;
	call/pinion) argv=("$pinion" call -j "$jobs" "$crc32") ;;
	call/pool_map) argv=("$python" "$here/pool_map.py" "$jobs" "$map_chunksize") ;;
	feed*/limit) argv=("$bin/limit_feed" "$in_flight" "$jobs" "${program[@]}") ;;
	feed*-256/pinion)
		argv=("$pinion" feed -j "$jobs" --inflight "$in_flight" --chunksize auto "${program[@]}")
		;;
	feed*/pinion) argv=("$pinion" feed -j "$jobs" "${program[@]}") ;;
	feed*/pool_imap) argv=("$python" "$here/pool_imap.py" "$jobs") ;;
	scaling*) scaling_of "$1" "$2" ;;
	*/limit) argv=("$bin/limit_spawn" "$3" "$jobs" "${task[@]}") ;;
	*) spawner_of "$@" ;;
	esac
}

# Lines of text, each begins with its number.
text() {
	awk -v count="$1" 'BEGIN {
		word_count = split("rain on the roof of a small house where seven cats keep watch", words)
		for (i = 0; i < 1000; i++) {
			phrases[i] = ""
			for (j = 0; j < 4 + i % 8; j++)
				phrases[i] = phrases[i] " " words[1 + (i * 7 + j * (1 + i % 5)) % word_count]
		}
		for (i = 1; i <= count; i++)
			print i phrases[i * 37 % 1000]
	}'
}

# So many durations in ms from 0.5 to 60, their logarithms evenly apart, shuffled.
durations() {
	awk -v count="$1" 'BEGIN {
		for (i = 0; i < count; i++)
			ms[i] = 0.5 * 120 ^ ((i + 0.5) / count)
		x = 1
		for (i = count - 1; i > 0; i--) {
			x = x * 16807 % 2147483647
			j = x % (i + 1)
			swap = ms[i]
			ms[i] = ms[j]
			ms[j] = swap
		}
		for (i = 0; i < count; i++)
			printf "%.3f\n", ms[i]
	}'
}

# make_photos COUNT: into HOME/photos, as scripts/demo makes them.
make_photos() (
	local photo=$here/../../scripts/photo
	mkdir "$HOME/photos" "$HOME/thumbs"
	cd "$HOME" || exit
	seq 0 $(($1 < 5 ? $1 : 4)) | "$pinion" map -j "$jobs" "$photo" base
	seq "$1" | "$pinion" map -j "$jobs" "$photo" make IMG_{}.jpg {}
	rm -f base-?.v
)

# photos COUNT: the names of the first; all are made once.
photos() {
	[[ -d $HOME/photos ]] || make_photos "$(count_of photos pinion)"
	seq "$1" | sed "s|.*|$HOME/photos/IMG_&.jpg|"
}

# commands COUNT BYTES: lines for a shell, the first prints so much.
commands() {
	echo "head -c $2 /dev/zero"
	yes "$bin/nothing" | head -n "$(($1 - 1))"
}

# input_of AXIS TASKS [CONTENDER]: sets input to a file with that many lines; made only once.
input_of() {
	local name maker bytes
	case $1 in
	scaling-bytes)
		bytes=$(($2 * 100000))
		[[ $3 == pinion_many ]] || bytes=0
		name=commands-$2-$bytes maker="commands $2 $bytes"
		;;
	start-up) name=numbers-1 maker='seq 1' ;;
	spawn | capture | shell* | output* | memory* | *-spawn) name=numbers-$2 maker="seq $2" ;;
	balance*) name=durations-$2 maker="durations $2" ;;
	photos*) name=photos-$2 maker="photos $2" ;;
	*) name=text-$2 maker="text $2" ;;
	esac
	input=$HOME/$name
	[[ -e $input ]] || $maker >"$input"
}

# things_of AXIS CONTENDER TASKS: what it needs beside its input, made only once; no thumbnails.
things_of() {
	local count=$3 file
	[[ $1 != start-up ]] || count=1
	[[ $1 != photos* ]] || rm -f "$HOME"/thumbs/*
	case $2 in
	fd)
		[[ ! -e $HOME/files-$count ]] || return 0
		mkdir "$HOME/files-$count"
		(cd "$HOME/files-$count" && "$xargs" touch) <"$input"
		;;
	ninja)
		file=$HOME/ninja-$1-$count
		[[ ! -e $file ]] || return 0
		task_of "$1"
		mkdir "$file.out"
		line=${line//\$/\$\$}
		awk -v dir="$file.out" -v line="${line//\{\}/\$n}" 'BEGIN {
			print "builddir = " dir "\nrule task\n  command = " line
		} {
			print "build " dir "/" NR ": task\n  n = " $0
		}' "$input" >"$file"
		;;
	esac
}

# is_order_kept AXIS CONTENDER: whether outputs come in the order of the inputs.
is_order_kept() {
	case $1/$2 in
	*/pinion | output*/limit) true ;;
	balance*) false ;;
	*/parallel | */rush) true ;;
	*) false ;;
	esac
}

# Whether the output is what it must be: all of it, and in order from those who keep it.
is_right() {
	local expected=$HOME/expected
	case $1/$2 in
	scaling-call/* | scaling-workers/*)
		[[ $(wc -l <"$output") -eq $((tasks * $(runs_of "$1" "$2"))) ]]
		return
		;;
	scaling-bytes/pinion_many)
		[[ $(wc -c <"$output") -eq $((tasks * 100000)) ]]
		return
		;;
	spawn/* | start-up/* | scaling*)
		[[ ! -s $output ]]
		return
		;;
	call/limit)
		cksum <"$output" >"$HOME/answers"
		return
		;;
	call/*)
		cksum <"$output" | cmp -s - "$HOME/answers"
		return
		;;
	photos*)
		[[ $(find "$HOME/thumbs" -name 'IMG_*.jpg' -size +0 | wc -l) -eq $tasks ]]
		return
		;;
	feed*)
		cmp -s "$output" "$input"
		return
		;;
	esac
	case $1 in
	shell) tr 0-9 a-j <"$input" >"$expected" ;;
	shell-builtin) awk '{ print $1 + 1 }' "$input" >"$expected" ;;
	output*)
		# Whole blocks only: each number once, and as many lines as there must be.
		cp "$input" "$expected"
		[[ $(stat -c %s "$output") -eq $((tasks * 10000000)) ]] || return 1
		uniq "$output" | tr -d . >"$output.short"
		mv "$output.short" "$output"
		;;
	*) cp "$input" "$expected" ;;
	esac
	if is_order_kept "$1" "$2"; then
		cmp -s "$output" "$expected"
	else
		cmp -s <(LC_ALL=C sort "$output") <(LC_ALL=C sort "$expected")
	fi
}
