# pinion call: functions in shared objects, what they can do wrong, and what that costs.
# The plugins are those of tests/plugins; faults.c tells what its tasks are.
#
# PINION_STRESS=1 makes the run under random kills a longer one.
# shellcheck shell=bats
# shellcheck disable=SC2154  # bats sets output, stderr and status

load helper

setup() {
	common_setup
	plugins=$PINION_BUILD/plugins
	faults=$plugins/faults.so
	# A crash is to look like one, not like the sanitizer's report of it.
	export ASAN_OPTIONS="${ASAN_OPTIONS-}:handle_segv=0:handle_abort=0"
}

# call [OPTION]... [::: TASK]...: the faults plugin, bounded in time.
call_faults() {
	run --separate-stderr timeout 60 pinion call "$@"
}

# The numbers of a run's tasks, in a file that `note` tasks write: each once?
noted() {
	sort -n "$1" | tr '\n' ' '
}

@test "the CRC-32 of each line, in input order, whatever the chunks" {
	local chunk
	run timeout 60 pinion call "$plugins/crc32.so" ::: a 'two words' '' hello
	assert_equal "$status" 0
	assert_equal "$output" $'e8b7be43\n20dece55\n00000000\n3610a686'
	seq 20000 >in
	timeout 60 pinion call -j1 --chunksize 1 "$plugins/crc32.so" <in >expected
	assert_equal "$(wc -l <expected)" 20000
	for chunk in 1 7 1000 auto; do
		timeout 60 pinion call --chunksize "$chunk" "$plugins/crc32.so" <in >actual
		assert_same_bytes actual expected
	done
}

@test "there are 9592 primes below 100000" {
	seq 1 1000 99001 | awk '{ print $1, $1 + 999 }' >ranges
	timeout 60 pinion call "$plugins/primes.so" <ranges >counts
	assert_equal "$(awk '{ sum += $1 } END { print sum }' counts)" 9592
	assert_equal "$(pinion call --colsep ' ' "$plugins/primes.so" <ranges | cksum)" "$(cksum <counts)"
}

@test "words counts as wc does" {
	printf 'one two\nthree' >a
	cat "$root"/src/pool/*.c >b
	: >c
	run timeout 60 pinion call "$plugins/words.so" ::: a b c
	assert_equal "$output" "$(env LC_ALL=C wc a b c | awk '$4 != "total" { print $1, $2, $3, $4 }')"
}

@test "a thumbnail is made by libjpeg in the worker; what is no picture fails by itself" {
	[[ -e $plugins/thumbnail.so ]] || skip "built without libjpeg"
	mkdir small
	base64 -d >one.jpg <<-'END'
		/9j/4AAQSkZJRgABAQAAAQABAAD/2wBDAAgGBgcGBQgHBwcJCQgKDBQNDAsLDBkSEw8UHRofHh0aHBwg
		JC4nICIsIxwcKDcpLDAxNDQ0Hyc5PTgyPC4zNDL/wAALCAAMABABAREA/8QAHwAAAQUBAQEBAQEAAAAA
		AAAAAAECAwQFBgcICQoL/8QAtRAAAgEDAwIEAwUFBAQAAAF9AQIDAAQRBRIhMUEGE1FhByJxFDKBkaEI
		I0KxwRVS0fAkM2JyggkKFhcYGRolJicoKSo0NTY3ODk6Q0RFRkdISUpTVFVWV1hZWmNkZWZnaGlqc3R1
		dnd4eXqDhIWGh4iJipKTlJWWl5iZmqKjpKWmp6ipqrKztLW2t7i5usLDxMXGx8jJytLT1NXW19jZ2uHi
		4+Tl5ufo6erx8vP09fb3+Pn6/9oACAEBAAA/APn+iiiv/9k=
	END
	echo text >two.jpg
	call_faults "$plugins/thumbnail.so" small 8 ::: one.jpg two.jpg
	assert_equal "$status" 1
	assert_equal "$output" 'small/one.jpg 8x6'
	[[ $stderr == *'two.jpg: Not a JPEG file'* ]]
	assert_equal "$(ls small)" one.jpg
	assert_equal "$(head -c 3 small/one.jpg | od -An -tx1)" ' ff d8 ff'
}

@test "a plugin in C++ gets a chunk at a time, and keeps its exceptions to itself" {
	[[ -e $plugins/lengths.so ]] || skip "built without a C++ compiler"
	call_faults --chunksize 7 "$plugins/lengths.so" ::: a bbb throw cc ''
	assert_equal "$status" 1
	assert_equal "$output" $'1\n3\n2\n0'
	[[ $stderr == *thrown* ]]
}

@test "a crash costs the task in hand, named with its signal; the rest of the chunk goes on" {
	local chunk symbol
	for symbol in '' :chunked; do
		for chunk in 1 7; do
			call_faults -j1 --chunksize "$chunk" "$faults$symbol" ::: a b segv c d e f g
			assert_equal "$status" 1
			assert_equal "$output" $'a\nb\nc\nd\ne\nf\ng'
			[[ $stderr == *'1 of 8 tasks failed (1 killed by signal 11 (SEGV))'*'task 3: '* ]]
		done
	done
}

@test "whatever shared memory a call has garbled before its death, it costs that task, and no other" {
	local name method
	seq 60 | sed 's/^30$/garble memfd:pinion-NAME/' >items
	for name in ring board results; do
		for method in fork spawn; do
			sed "s/NAME/$name/" items >named
			call_faults -j2 --start-method "$method" -a named "$faults"
			assert_equal "$name $status" "$name 1"
			assert_equal "$output" "$(seq 60 | sed '/^30$/d')"
			[[ $stderr == *'1 of 60 tasks failed (1 lost: its worker died)'*'task 30: '* ]]
			assert_nothing_left
		done
	done
}

@test "so does an abort" {
	local chunk
	for chunk in 1 7; do
		call_faults -j2 --chunksize "$chunk" "$faults" ::: a abort b abort c
		assert_equal "$status" 1
		assert_equal "$output" $'a\nb\nc'
		[[ $stderr == *'2 of 5 tasks failed (2 killed by signal 6 (ABRT))'* ]]
	done
}

@test "so does exit, whatever its status: a function that does not return has failed" {
	local chunk word
	for chunk in 1 7; do
		for word in 0 3 4 5; do
			call_faults -j2 --chunksize "$chunk" "$faults" ::: a "exit $word" b "exit $word" c
			assert_equal "$status" 1
			assert_equal "$output" $'a\nb\nc'
			[[ $stderr == *"2 of 5 tasks failed (2 exit $((word > 0 ? word : 1)))"* ]]
		done
	done
}

@test "_exit costs no more" {
	call_faults -j1 --chunksize 7 "$faults" ::: a '_exit 9' b '_exit 0' c
	assert_equal "$status" 1
	assert_equal "$output" $'a\nb\nc'
	[[ $stderr == *"2 of 5 tasks failed (1 exit 9, 1 exit 1)"* || $stderr == *"(1 exit 1, 1 exit 9)"* ]]
}

@test "nor does the end of the worker's thread" {
	skip_if_instrumented "memory nobody points to any more"
	call_faults -j1 --chunksize 7 "$faults" ::: a thread-exit b
	assert_equal "$status" 1
	assert_equal "$output" $'a\nb'
	[[ $stderr == *"1 of 3 tasks failed (1 exit 1)"* ]]
}

@test "what was answered before a crash is not done twice" {
	call_faults -j1 --chunksize 7 "$faults" \
		::: 'note notes' 'note notes' abort 'note notes' 'note notes' segv 'note notes'
	assert_equal "$status" 1
	assert_equal "$output" "$(printf 'noted\n%.0s' 1 2 3 4 5)"
	assert_equal "$(noted notes)" '0 1 3 4 6 '
}

@test "a chunk called as one that crashes is called again one by one, and only the culprit fails" {
	call_faults -j1 --chunksize 7 "$faults:chunked" ::: a b abort c d segv e
	assert_equal "$status" 1
	assert_equal "$output" "$(printf '%s\n' a b c d e)"
	[[ $stderr == *'2 of 7 tasks failed (1 killed by signal 6 (ABRT), 1 killed by signal 11 (SEGV))'* ]]
	[[ $stderr == *'task 3: '*'task 6: '* ]]
}

@test "the output of what was answered before a crash is whole, however large" {
	call_faults -j1 --chunksize 7 "$faults:chunked" ::: 'huge 500000' a 'huge 100000' segv b
	assert_equal "$status" 1
	assert_equal "$(tr -d x <<<"$output")" $'a\nb'
	assert_equal "$(tr -dc x <<<"$output" | wc -c)" 600000
}

@test "--retries tries a crash again in another worker" {
	call_faults -j1 --retries 2 "$faults" ::: a "once $PWD/flag" b
	assert_equal "$status" 0
	assert_equal "$output" $'a\nsecond time\nb'
}

@test "a status and a text from the plugin, printed as the task's, in a line" {
	call_faults "$faults" ::: 'fail 4 oh no' 'fail 255 the last' 'fail 300 too much' a
	assert_equal "$status" 1
	assert_equal "$output" a
	[[ $stderr == $'oh no\nthe last\ntoo much\n'* ]]
	[[ $stderr == *'1 exit 4'* && $stderr == *'2 exit 255'* ]]
}

@test "task_chunk may fail all at once" {
	call_faults -j1 --chunksize 3 "$faults:chunked" ::: a b fail-all
	assert_equal "$status" 1
	[[ $stderr == *'3 of 3 tasks failed (3 exit 9)'* ]]
}

@test "task_chunk gets as many as --chunksize says, and no more" {
	seq 20 | sed 's/.*/count/' >in
	timeout 60 pinion call -j1 --chunksize 7 "$faults:chunked" <in >out
	assert_equal "$(grep -c '^count' out)" 20
	[[ $(sed -n 's/^of //p' out | sort -n | tail -1) -le 7 ]]
	assert_equal "$(timeout 60 pinion call --chunksize 1 "$faults:chunked" ::: count | tail -1)" 'of 1'
}

@test "an answer that is longer than its room costs the task and the process, not the run" {
	call_faults -j1 "$faults" ::: a overrun who
	assert_equal "$status" 1
	[[ $output == $'a\n2 1 '[1-9]* ]]
	[[ $stderr == *'longer than its room'*'1 exit 255'* ]]
}

@test "--timeout ends a call that hangs, and what it started; the chunk's rest goes on" {
	local chunk pids=()
	for chunk in 1 7; do
		timeout 60 pinion call -j1 --chunksize "$chunk" --timeout 3 "$faults" ::: a hang b child-hang c \
			>"out.$chunk" 2>"err.$chunk" 3>&- &
		pids+=($!)
	done
	for chunk in 1 7; do
		status=0
		wait "${pids[chunk > 1]}" || status=$?
		assert_equal "$status" 1
		assert_equal "$(cat "out.$chunk")" $'a\nb\nc'
		[[ $(cat "err.$chunk") == *'2 of 5 tasks failed (2 timed out)'* ]]
	done
	assert_nothing_left
}

@test "with --timeout a chunk's answers before the one that hangs are kept" {
	call_faults -j1 --chunksize 7 --timeout 3 "$faults:chunked" \
		::: 'note notes' 'note notes' hang 'note notes'
	assert_equal "$status" 1
	assert_equal "$output" $'noted\nnoted\nnoted'
	assert_equal "$(noted notes)" '0 1 3 '
}

@test "an answer is not held while the next call takes its time" {
	timeout 60 pinion call -j1 --chunksize 7 "$faults" ::: a b hang >out 2>err 3>&- &
	local pid=$!
	wait_until grep -qx b out
	kill -TERM "$pid"
	wait "$pid" || true
	assert_nothing_left
}

@test "each line of an open stdin is answered at once" {
	mkfifo input
	exec 4<>input
	timeout 60 pinion call --chunksize 1000 "$faults" <input >out 3>&- 4>&- &
	local pid=$! i
	for i in 1 2 3; do
		echo "line $i" >&4
		wait_until grep -qx "line $i" out
	done
	exec 4>&- # the end of the input ends the run
	wait "$pid"
	assert_nothing_left
}

@test "a signal to pinion ends calls that hang, at once" {
	timeout 60 pinion call -j2 "$faults" ::: a hang child-hang >out 2>err 3>&- &
	local pid=$!
	wait_until grep -qx a out
	kill -TERM "$pid"
	local status=0
	wait "$pid" || status=$?
	assert_equal "$status" 143
	assert_nothing_left
}

@test "workers that hang in a call end with their coordinator, and so does what they started" {
	pinion call -j2 "$faults" ::: a hang child-hang >out 2>err 3>&- &
	local pid=$!
	wait_until grep -qx a out
	wait_until pgrep -P "$pid"
	kill -KILL "$pid"
	wait "$pid" || true
	assert_nothing_left
}

@test "--halt now ends calls that hang, at once" {
	call_faults -j2 --halt now,fail=1 "$faults" ::: a "child-hang $PWD/hangs" "await $PWD/hangs" b
	assert_equal "$status" 1
	[[ $stderr == *'1 exit 4'* && $stderr == *'1 cancelled'* ]]
	assert_nothing_left
}

@test "after a signal to pinion the plugin is still taken down in order" {
	mkfifo input
	exec 4<>input
	timeout 60 pinion call -j1 "$faults" log "$PWD/log" <input >out 3>&- 4>&- &
	local timeout_pid=$! pinion_pid
	echo a >&4
	wait_until grep -qx a out
	pinion_pid=$(pgrep -P "$timeout_pid")
	kill -TERM "$pinion_pid"
	wait "$timeout_pid" || true
	exec 4>&-
	assert_equal "$(sed 's/ .*//' log | tr '\n' ' ')" 'init fini '
}

@test "an init that hangs can be interrupted" {
	pinion call -j2 "$faults" log "$PWD/log" init-hang ::: a b >out 2>err 3>&- &
	local pid=$!
	wait_until grep -q init log
	kill -TERM "$pid"
	local status=0
	wait "$pid" || status=$?
	assert_equal "$status" 143
	assert_nothing_left
}

@test "an init that fails, crashes or exits ends the run after a few tries, saying why" {
	local way
	local -A why=([fail]='init of faults failed (7): no such model: model.bin'
		[segv]='faults.so ended its process (signal 11), 3 times in a row'
		[exit]='faults.so ended its process (exit 3), 3 times in a row'
		[done]='faults.so ended its process (exit 0), 3 times in a row')
	for way in fail segv exit 'done'; do
		rm -f log
		call_faults -j1 "$faults" log "$PWD/log" "init-$way" ::: a b
		assert_equal "$status" 3
		[[ $stderr == *"${why[$way]}"* ]]
		[[ $(grep -c init log) -le 3 ]]
	done
}

@test "what init has left running ends with its worker, however that was made" {
	local method
	for method in fork forkserver; do
		call_faults -j2 --start-method "$method" "$faults" init-child ::: a b
		assert_equal "$status" 0
		assert_equal "$output" $'a\nb'
		assert_nothing_left
	done
}

@test "a fini that crashes or hangs is told of, and takes no answer with it" {
	call_faults -j1 "$faults" fini-segv ::: a b
	assert_equal "$status" 0
	assert_equal "$output" $'a\nb'
	[[ $stderr == 'pinion call: fini of '*'faults.so was killed by signal 11' ]]
	call_faults -j1 "$faults" fini-hang ::: a b
	assert_equal "$output" $'a\nb'
	assert_equal "$stderr" 'pinion call: fini of the plugin takes too long: given up'
}

@test "init runs once in each worker, fini at its end, with the words behind the library" {
	call_faults -j2 --chunksize 2 "$faults" log "$PWD/log" ::: 1 2 3 4 5 6 7 8
	assert_equal "$status" 0
	assert_equal "$(grep init log | sort -u | wc -l)" "$(grep -c init log)"
	assert_equal "$(sed -n 's/init //p' log | sort)" "$(sed -n 's/fini //p' log | sort)"
}

@test "--maxtasksperchild counts tasks, whatever the chunks" {
	local chunk
	for chunk in 1 7; do
		rm -f log
		call_faults -j1 --maxtasksperchild 3 --chunksize "$chunk" "$faults" log "$PWD/log" ::: $(seq 12)
		assert_equal "$output" "$(seq 12)"
		assert_equal "$(grep -c init log)" 4
		assert_equal "$(grep -c fini log)" 4
	done
}

@test "--max-rss replaces the worker after the call that made it grow" {
	skip_if_instrumented "memory in use"
	call_faults -j1 --max-rss 100M --chunksize 7 "$faults" ::: who 'grow 200000000' who slow who
	assert_equal "$status" 0
	assert_equal "$(awk '{ print $NF }' <<<"$output" | tr '\n' ' ')" \
		'0 grown 1 slept 1 '
}

@test "what a plugin prints goes to stderr, not among the answers" {
	call_faults "$faults" ::: 'print x' b
	assert_equal "$output" $'print x\nb'
	assert_equal "$stderr" x
}

@test "a plugin sees the task's environment, its own place, and no signal blocked" {
	call_faults -j1 --initializer 'export MODEL=big' "$faults" \
		::: 'env MODEL' 'env PINION_SLOT' signals who
	assert_equal "$output" $'big\n1\n0\n3 1 0'
	call_faults -j1 --retries 3 "$faults" ::: 'fail 1' who
	[[ $output == '1 1 '* ]]
}

@test "nothing interrupts a plugin's sleep" {
	call_faults -j2 --chunksize 3 --timeout 20 "$faults" ::: a slow b slow c slow
	assert_equal "$output" $'a\nslept\nb\nslept\nc\nslept'
}

@test "values are bytes: several of them, none, or with a NUL" {
	call_faults -n 2 "$faults" ::: values '' 'a  b'
	assert_equal "$output" $'2 [values] []\na  b'
	call_faults --colsep , "$faults" ::: values,x,
	assert_equal "$output" '3 [values] [x] []'
	call_faults -n 0 "$faults" ::: values
	assert_equal "$output" ''
	printf 'a\0b\n' | timeout 60 pinion call "$faults" >actual
	printf 'a\0b\n' >expected
	assert_same_bytes actual expected
}

@test "a long answer and many short ones, byte for byte" {
	timeout 60 pinion call -j2 --buffer 1M "$faults" ::: 'huge 20000000' a 'huge 30000000' b | cksum >actual
	{
		head -c 20000000 /dev/zero | tr '\0' x
		echo a
		head -c 30000000 /dev/zero | tr '\0' x
		echo b
	} | cksum >expected
	assert_same_bytes actual expected
}

@test "the descriptor may have another name, and a library of an older header is good" {
	call_faults "$faults:chunked" ::: a
	assert_equal "$output" a
	call_faults "$faults:older" ::: a
	assert_equal "$output" a
}

@test "a library is looked for here, at its path, also with --wd, and where dlopen looks" {
	cp "$faults" here.so
	cp "$faults" odd:name
	mkdir elsewhere lib
	mv odd:name lib
	cp "$faults" lib/found.so
	call_faults here.so ::: a
	assert_equal "$output" a
	call_faults --wd elsewhere ./here.so:chunked ::: a
	assert_equal "$output" a
	call_faults lib/odd:name ::: a
	assert_equal "$output" a
	LD_LIBRARY_PATH=$PWD/lib call_faults found.so ::: a
	assert_equal "$output" a
}

@test "what is wrong with a library is said in one line, and no task is run" {
	local name fault
	local -A faults_of=([newer]='was built for version 2' [flagged]='has the flags'
		[idle]='has no task to call' [idle_chunk]='no task_chunk' [cut]='is cut short'
		[number]="is not a plugin's descriptor" [not_a_descriptor]='is a function'
		[nosuch]='has no symbol nosuch; it has pinion_plugin')
	for name in "${!faults_of[@]}"; do
		call_faults -j1 "$faults:$name" ::: a
		assert_equal "$status" 3
		assert_equal "$output" ''
		fault=${stderr%%$'\n'*}
		[[ $fault == *"${faults_of[$name]}"* ]] || {
			echo "$name: $fault" >&2
			return 1
		}
	done
}

@test "what is no library is said in one line" {
	echo text >text.so
	echo 'int number = 1;' >object.c
	cc -c -o object.o object.c
	cc -shared -fPIC -o bare.so object.c
	call_faults ./nosuch.so ::: a
	assert_equal "$status" 2
	assert_equal "$stderr" 'pinion call: cannot open ./nosuch.so: No such file or directory'
	call_faults nosuch.so ::: a
	assert_equal "$status" 3
	[[ $stderr == *'cannot load nosuch.so: cannot open shared object file'* ]]
	call_faults text.so ::: a
	[[ $stderr == *'text.so is not a shared object; cc -shared -fPIC'* ]]
	call_faults ./object.o ::: a
	[[ $stderr == *'object.o is an object file, not a shared object; cc -shared'* ]]
	call_faults ./bare.so ::: a
	[[ $stderr == *'bare.so has no symbol pinion_plugin'* ]]
	call_faults
	assert_equal "$status" 2
}

@test "options that make no sense for calls are not known" {
	local option
	for option in --inflight=2 --protocol=line --quote --ungroup --termseq=TERM -X; do
		call_faults "$option" "$faults" ::: a
		assert_equal "$status" 2
	done
}

# killed_at_random [OPTION]... LIBRARY: a run of the items in `in` to out, err and $status, whose
# workers are killed at random instants; $kills says how often.
killed_at_random() {
	local pid victim
	kills=0 status=0
	pinion call "$@" <in >out 2>err 3>&- &
	pid=$!
	while kill -0 "$pid" 2>/dev/null; do
		victim=$(pgrep -P "$pid" | shuf -n 1)
		if [[ -n $victim ]] && kill -KILL "$victim" 2>/dev/null; then
			kills=$((kills + 1))
		fi
	done
	wait "$pid" || status=$?
	((kills > 0))
}

# enough_for CHUNK: so many items that a run lasts for some kills.
enough_for() {
	if ((${PINION_STRESS:-0} > 0)); then
		echo 20000000
	else
		echo $(($1 < 1000 ? 1000000 : 3000000))
	fi
}

@test "with workers killed at random throughout, nothing is lost and nothing answered twice" {
	local chunk symbol
	skip_if_instrumented
	for chunk in 1 7 1000; do
		seq "$(enough_for "$chunk")" >in
		for symbol in '' :chunked; do
			killed_at_random --retries 0 --chunksize "$chunk" "$faults$symbol"
			assert_equal "$status" 0
			assert_same_bytes out in
		done
	done
}

@test "without --retries each of those deaths costs one task at most, which is told of" {
	local failed chunk count
	skip_if_instrumented
	for chunk in 1 7 1000; do
		count=$(enough_for "$chunk")
		seq "$count" >in
		killed_at_random --chunksize "$chunk" "$faults"
		failed=$(sed -n "s/^pinion call: \([0-9]*\) of $count tasks* failed .*/\1/p" err)
		echo "$kills killed, ${failed:-0} failed" >&2
		((${failed:-0} <= kills))
		# One that had written its answer, and died before it could say so, has failed, too.
		(($(wc -l <out) >= count - ${failed:-0}))
		sort -n -u -c out
		assert_equal "$status" $((${failed:-0} > 0))
	done
}

@test "pinion-plugin.h compiles as C11 and C++11, pedantically, by itself" {
	local language
	echo '#include <pinion-plugin.h>' >a.c
	for language in 'gcc -std=c11' 'clang -std=c99 -x c' 'g++ -std=c++11 -x c++' 'clang++ -std=c++20 -x c++'; do
		type -P "${language%% *}" >/dev/null || continue
		# shellcheck disable=SC2086  # words
		$language -Wall -Wextra -Wshadow -Wconversion -pedantic -Werror -fsyntax-only -I"$root/src" a.c
	done
}

# The examples of pinion-plugin(3) as files, and each `run` block as run.N.
extract_plugin_examples() {
	awk '
		/^\.Sh/ { is_examples = $2 == "EXAMPLES" }
		/^\.\\" file: / { name = $3; next }
		/^\.\\" run/ { name = "run." ++count; next }
		/^\.Bd/ && is_examples { file = name; name = ""; next }
		/^\.Ed/ { file = ""; next }
		is_examples && file != "" { gsub(/\\e/, "\\"); gsub(/\\&/, ""); print >file }
	' "$root/man/pinion-plugin.3"
}

@test "the examples in pinion-plugin(3) compile without a warning and run" {
	export CPATH=$root/src
	extract_plugin_examples
	gcc -std=c99 -Wall -Wextra -Wconversion -pedantic -Werror -fsyntax-only entropy.c
	run --separate-stderr timeout 60 bash -eu run.1
	assert_equal "$status" 0
	assert_equal "$output" $'22.0\n37.4'
	assert_equal "$stderr" ''
	run --separate-stderr timeout 60 pinion call ./entropy.so 30 ::: password
	assert_equal "$status" 1
	[[ $stderr == 'too weak'$'\n'* ]]
	run --separate-stderr timeout 60 pinion call ./entropy.so 1 2 ::: password
	assert_equal "$status" 3
	[[ $stderr == *'init of entropy failed (1): write: entropy.so [BITS]'* ]]
	type -P g++ >/dev/null || skip "no C++ compiler"
	g++ -std=c++11 -Wall -Wextra -Wconversion -pedantic -Werror -fsyntax-only upper.cc
	run --separate-stderr timeout 60 bash -eu run.2
	assert_equal "$output" $'ONE\nTWO'
}
