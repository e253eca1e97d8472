# --cron NAME: one at a time, silent when all is well, one screen when not; and the entries of
# pinion-cron(7) under a real cron daemon.
load helper

setup() {
	common_setup
	name=test-$$-$BATS_TEST_NUMBER
	folder=/var/tmp/pinion-$EUID
	if ((EUID == 0)); then
		folder=/var/lib/pinion
	fi
}

teardown() {
	common_teardown
	rm -f "$folder/$name".*
	rmdir "$folder" 2>/dev/null || true
}

# cron's environment.
as_cron() {
	timeout 60 env -i PATH=/usr/bin:/bin PINION_TEST_MARK="$PINION_TEST_MARK" \
		"$(type -P pinion)" "$@" </dev/null
}

@test "a run that succeeds prints nothing and leaves nothing" {
	run as_cron map --cron "$name" 'echo out {}; echo err {} >&2; echo {} >>made' ::: a b
	assert_equal "$status" 0
	assert_equal "$output" ''
	assert_equal "$(sort made)" $'a\nb'
	[[ -z $(find "$folder" -name "$name.*") ]]
	[[ $(stat -c %a "$folder") == 700 ]]
}

@test "a run that fails prints one screen: name, counts, last lines, where all is, how to go on" {
	run --separate-stderr as_cron map --cron "$name" --run-file 'my run.db' \
		'seq 1 500; echo why {} >&2; exit $(({} % 2))' ::: {1..60}
	assert_equal "$status" 1
	assert_equal "$output" ''
	((${#stderr_lines[@]} <= 24))
	[[ ${stderr_lines[0]} == "$name: exit status 1, on $(uname -n), 20"*' to 20'* ]]
	assert_equal "${stderr_lines[1]}" 'pinion map: 30 of 60 tasks failed (30 exit 1)'
	assert_equal "${stderr_lines[3]}" 'pinion map:     | why 1'
	[[ $stderr == *'... and 25 more'* ]]
	[[ $stderr == *"all output: $folder/$name.output"* ]]
	assert_equal "${stderr_lines[-1]}" "what failed, again: cd $PWD && pinion replay --failed 'my run.db'"
	# All of it is there, of the successes too, and the command does what it says.
	assert_equal "$(grep -c '^why' "$folder/$name.output")" 60
	assert_equal "$(grep -c '^500$' "$folder/$name.output")" 60
	run bash -c "${stderr_lines[-1]#what failed, again: }"
	[[ $output == *'30 of 30 tasks failed'* ]]
	# The next run that succeeds takes it away.
	run as_cron map --cron "$name" true ::: a
	[[ ! -e $folder/$name.output ]]
}

@test "long lines, control bytes and many messages are still one screen" {
	run --separate-stderr as_cron map --cron "$name" -j1 \
		'for i in $(seq 40); do printf "\033[31m%0300d\n" $i >&2; done; exit {}' ::: {1..9}
	assert_equal "$status" 1
	((${#stderr_lines[@]} <= 24))
	[[ $stderr != *$'\033'* ]]
	local line
	for line in "${stderr_lines[@]}"; do
		((${#line} <= 200))
	done
}

@test "what keeps a run from starting is said, and its status kept" {
	run --separate-stderr as_cron map --cron "$name" -a /does/not/exist true
	assert_equal "$status" 3
	[[ $stderr == "$name: exit status 3"*'cannot open /does/not/exist'* ]]
	run --separate-stderr as_cron map --cron "$name" --deadline 2020-01-01T00:00 true ::: 1 2
	assert_equal "$status" 4
	[[ $stderr == *'2 of 2 tasks never started'* ]]
	run as_cron map --cron ../etc true ::: 1
	assert_equal "$status" 2
	[[ $output == *'not a name'* ]]
}

@test "while one runs another one does nothing, says who runs, and ends with 75" {
	mkfifo go
	as_cron map --cron "$name" 'echo >begun; read line <go; echo {} >>did' ::: a 3>&- &
	local first=$!
	wait_until test -e begun
	run as_cron map --cron "$name" 'echo {} >>did' ::: b
	assert_equal "$status" 75
	local pid
	pid=$(cut -d' ' -f1 "$folder/$name.lock")
	[[ $output == "pinion map: --cron $name: it is running already: process $pid, since 20"* ]]
	[[ $(tr '\0' ' ' <"/proc/$pid/cmdline") == *"--cron $name"* ]]
	run as_cron parallel --cron "$name" 'echo {} >>did' ::: b
	assert_equal "$status" 255
	echo >go
	wait "$first"
	assert_equal "$(<did)" a
	run as_cron map --cron "$name" 'echo {} >>did' ::: c
	assert_equal "$status" 0
}

@test "what a killed run has left is no lock" {
	mkfifo go
	as_cron map --cron "$name" 'echo >begun; read line <go' ::: a 3>&- &
	wait_until test -e begun
	kill -KILL "$(cut -d' ' -f1 "$folder/$name.lock")"
	wait $! || true
	[[ -e $folder/$name.lock ]]
	run as_cron map --cron "$name" 'echo {}' ::: b
	assert_equal "$status" 0
	assert_equal "$output" ''
	[[ ! -e $folder/$name.lock ]]
	assert_nothing_left
}

@test "a signal that ends the run is told, and it dies of it" {
	as_cron map --cron "$name" 'echo >begun; exec sleep {}' ::: 60 3>&- 2>err &
	wait_until test -e begun
	kill -TERM "$(cut -d' ' -f1 "$folder/$name.lock")"
	local status=0
	wait $! || status=$?
	assert_equal "$status" 143
	[[ $(<err) == "$name: ended by signal TERM"*'1 of 1 task cancelled'* ]]
	assert_nothing_left
}

needs_own_mounts() {
	((EUID == 0)) || skip 'needs root, to mount'
	# shellcheck disable=SC2016  # expanded there
	unshare -m sh -c 'mount --bind "$0" "$0"' "$PWD" 2>/dev/null || skip 'nothing can be mounted here'
}

# In a mount namespace of our own: other folders in place of the machine's. Takes a script.
in_own_mounts() {
	timeout 120 unshare -m bash -eu -c "$1" bash "$PWD" 3>&-
}

@test "folders that others have planted are not used" {
	needs_own_mounts
	# shellcheck disable=SC2016  # expanded there
	run in_own_mounts '
		for dir in lib vartmp tmp; do mkdir -m 1777 "$1/$dir"; done
		mkdir "$1/lib/other"
		cp "$(type -P pinion)" "$1/lib/other/pinion" # from where it is seen
		mount --bind "$1/lib" /var/lib
		mount --bind "$1/vartmp" /var/tmp
		mount --bind "$1/tmp" /tmp
		PATH=/var/lib/other:$PATH
		cd /
		mkdir /var/lib/others
		touch /var/lib/pinion                        # no folder
		mkdir /var/tmp/pinion-0 && chown 1 /var/tmp/pinion-0
		pinion map --cron planted "exit 3" ::: 1 || echo "status $?"
		rm /var/lib/pinion
		ln -s /var/lib/others /var/lib/pinion        # a link
		pinion map --cron planted "exit 3" ::: 1 || echo "status $?"
		ls /var/lib/others
		rm -rf /tmp/pinion-0/planted.* && rmdir /tmp/pinion-0
		touch /tmp/pinion-0
		pinion map --cron planted "exit 3" ::: 1 || echo "status $?"
		rm /tmp/pinion-0'
	assert_equal "$status" 0
	assert_equal "$(grep -c 'all output: /tmp/pinion-0/planted.output' <<<"$output")" 2
	assert_equal "$(grep -c '^status 1$' <<<"$output")" 2
	assert_equal "$(grep -c '^status 3$' <<<"$output")" 1
	[[ $output == *'--cron: cannot '*' the folder /tmp/pinion-0'* ]]
}

# --- under a real cron daemon ---

# The entries in pinion-cron(7), with folders of ours and our pinion, to be run when cron starts.
make_crontab() {
	awk '/^\.\\" test: crontab/ { is_entry = 1; next }
		/^\.Bd/ { is_block = is_entry; is_entry = 0; next }
		/^\.Ed/ { is_block = 0 }
		is_block { gsub(/\\e/, "\\"); print }' "$root/man/pinion-cron.7" >entries
	assert_equal "$(wc -l <entries)" 3
	assert_equal "$(grep -cE '^([0-9*]+ ){5}[^ ]' entries)" 3
	{
		echo "PATH=$PWD/bin:/usr/bin:/bin"
		sed -E -e 's/^([0-9*]+ ){5}/@reboot /' -e "s|/usr/local/bin/pinion|$(type -P pinion)|" \
			-e "s| /srv/| $PWD/srv/|; s| /var/log/| $PWD/log/|" \
			-e "/^@reboot/s|\$|; echo >>$PWD/done|" entries
	} >night.crontab
	assert_equal "$(grep -c "$PWD/" night.crontab)" 4
}

# What the entries work on. The pictures' program is a stand-in: cron is what is tried here.
make_night() {
	mkdir -p bin srv/photos/sub srv/backup/{mon,tue} log/shop mail lib run spool sbin
	printf '#!/bin/sh\ngrep -q picture "$1" || { echo "no picture: $1" >&2; exit 1; }\ncp "$1" "$5"\n' >bin/vipsthumbnail
	chmod +x bin/vipsthumbnail
	echo picture >srv/photos/a.jpg
	echo picture >'srv/photos/sub/two words.jpg'
	local day
	for day in mon tue; do
		echo "data of $day" >srv/backup/$day/data
		(cd srv/backup/$day && sha256sum data >SHA256SUMS)
	done
	echo line >log/shop/web.log.1
	# shellcheck disable=SC2016  # expanded there
	printf '#!/bin/sh\nexec cat >"%s/mail/$$"\n' "$PWD" >sendmail
	chmod +x sendmail
}

# A cron of our own that runs the entries once; then what it has mailed is in mail/.
write_night_script() {
	cat >night.sh <<-'END'
		mount --bind "$1/lib" /var/lib
		mount --bind "$1/run" "$(readlink -f /var/run)"
		mkdir -p "$1/orig"
		mount --bind /usr/sbin "$1/orig"
		ln -sf "$1"/orig/* "$1/sbin/"
		ln -sf "$1/sendmail" "$1/sbin/sendmail"
		mount --bind "$1/sbin" /usr/sbin
		mkdir -p "$1/spool/crontabs" "$1/cron.d"
		cp "$1/night.crontab" "$1/spool/crontabs/root"
		chmod 600 "$1/spool/crontabs/root"
		mount --bind "$1/spool" /var/spool/cron
		mount --bind "$1/cron.d" /etc/cron.d
		touch "$1/no-crontab"
		[[ ! -e /etc/crontab ]] || mount --bind "$1/no-crontab" /etc/crontab
		wait_for() { # until it is so, for 30 s
			for ((i = 0; i < 1500; i++)); do
				! "$@" || return 0
				sleep 0.02
			done
			echo "did not happen in time: $*" >&2
			return 1
		}
		# Its entries are its grandchildren: it is through when it has no children left.
		is_through() { ! grep -q . "/proc/$daemon/task/$daemon/children"; }
		are_done() { [[ -e $1/done && $(wc -l <"$1/done") == 3 ]]; }
		night() {
			rm -f "$1"/run/crond.reboot "$1"/run/crond.pid "$1"/mail/* "$1/done"
			cron -f </dev/null >"$1/daemon.out" 2>&1 &
			daemon=$!
			wait_for are_done "$1"
			wait_for is_through
			kill "$daemon"
			wait "$daemon" || true
		}
		screens() { # of each mail: its body, without the headers
			for mail in "$1"/mail/*; do
				[[ ! -e $mail ]] || sed '1,/^$/d' "$mail"
			done
		}
		lines() { for mail in "$1"/mail/*; do [[ ! -e $mail ]] || sed '1,/^$/d' "$mail" | wc -l; done; }

		echo "== all is well"
		night "$1"
		screens "$1"
		find "$1/srv/photos/small" -type f | sed "s|$1/||"
		find "$1/log" -type f | sed "s|$1/||"
		ls -A /var/lib/pinion

		echo "== something fails"
		echo nothing >"$1/srv/photos/broken.jpg"
		echo other >"$1/srv/backup/tue/data"
		ln -s /dev/null "$1/log/shop/old.log.2"
		night "$1"
		screens "$1" | sed "s|$1/||g"
		echo "lines: $(lines "$1" | sort -n | tail -n 1)"
		rm "$1/srv/photos/broken.jpg" "$1/log/shop/old.log.2"
		echo "data of tue" >"$1/srv/backup/tue/data"

		echo "== still running"
		mkfifo "$1/go"
		pinion map --cron photos "echo >$1/begun; read line <$1/go" ::: a &
		running=$!
		disown "$running" # so that bash says nothing of its death
		wait_for test -e "$1/begun"
		night "$1"
		screens "$1" | sed "s|process $running,|process OURS,|"

		echo "== after an unclean reboot"
		kill -KILL "$running"
		wait_for test ! -e "/proc/$running"
		[[ -e /var/lib/pinion/photos.lock ]]
		echo line >"$1/log/shop/web.log.2"
		night "$1"
		screens "$1"
		ls -A /var/lib/pinion
		ls "$1/log/shop"
	END
}

@test "the entries of pinion-cron(7) run under cron: silent, one screen, 75, after a reboot" {
	needs_own_mounts
	[[ -x /usr/sbin/cron ]] || skip 'cron is not installed'
	make_crontab
	make_night
	write_night_script
	run in_own_mounts "$(<night.sh)"
	echo "$output"
	assert_equal "$status" 0
	section() {
		sed -n "/^== $1\$/,/^==/p" <<<"$output" | grep -v '^=='
	}
	assert_equal "$(section 'all is well')" "$(printf '%s\n' srv/photos/small/a.jpg \
		'srv/photos/small/sub/two words.jpg' log/shop/web.log.1.gz)"
	local failed
	failed=$(section 'something fails')
	[[ $failed == *'photos: exit status 1, on '* ]]
	[[ $failed == *'1 of 3 tasks failed (1 exit 1), 2 done before'* ]]
	[[ $failed == *'    | no picture: ./broken.jpg'* ]]
	[[ $failed == *'all output: /var/lib/pinion/photos.output'* ]]
	[[ $failed == *'backup-check: exit status 1, on '* ]]
	[[ $failed == *'what failed, again: cd srv/backup && pinion replay --failed checks.db'* ]]
	[[ $failed == *'shop-logs: exit status 1, on '* ]]
	(($(sed -n 's/^lines: //p' <<<"$failed") <= 24))
	[[ $(section 'still running') == 'pinion map: --cron photos: it is running already: process OURS, since 20'* ]]
	assert_equal "$(section 'still running' | wc -l)" 1
	assert_equal "$(section 'after an unclean reboot')" $'web.log.1.gz\nweb.log.2.gz'
	assert_nothing_left
}
