#!/usr/bin/env bats
# scadm -H ssh://...: a verb on another host, through a real sshd on loopback; that host is this sandbox

load helpers
load ready
load remote

setup_file() {
	image_ready
	mkdir -p /var/lib/scadm/blobs/sha256
	sshd_start
	# every verb of its own writes what it got into a directory, as words ended by NUL
	far_verb words <<-'END'
		#!/bin/sh
		# Print the words
		printf '%s\0' "$@"
	END
	far_verb status <<-'END'
		#!/bin/sh
		# End with a status
		exit "$1"
	END
	far_verb streams <<-'END'
		#!/bin/sh
		# Say something on both
		echo out; echo err >&2
	END
}

setup() {
	sc_setup
	cp /etc/passwd "$BATS_TEST_TMPDIR/passwd"
}

teardown() {
	cat "$BATS_TEST_TMPDIR/passwd" >/etc/passwd
	sc_teardown
}

teardown_file() {
	sshd_stop
}

@test "sc-hangup: PROG ends when nobody reads its standard error, and not before; its status is kept" {
	expect 7 sc-hangup sh -c 'exit 7'
	expect 127 sc-hangup /no/such
	expect 126 sc-hangup /etc
	expect 125 sc-hangup
	expect 125 sc-hangup --words=2 true
	expect 125 sc-hangup --words=77 true
	same "$(printf 'a b\0\0c\n\0' | sc-hangup --words=5 printf '[%s]' x 5<&0 </dev/null)" $'[x][a b][][c\n]'
	run -125 sh -c 'printf "no end" | sc-hangup --words=5 true 5<&0'
	# the writer of a pipe without a reader
	expect 0 sh -c '{ sc-hangup sleep 300; echo $? >&3; } 3>&1 2>&1 >/dev/null | head -c 0'
	wait_until 40 sh -c '! pgrep -x sc-hangup'
}

@test "remote: words arrive byte for byte: empty, line feeds, quotes, leading -, invalid UTF-8 (S14, S29)" {
	local bytes="" i words
	for i in {1..255}; do
		bytes+=$(printf '\\%03o' "$i")
	done
	# octal numbers only
	# shellcheck disable=SC2059
	bytes=$(printf "$bytes.") && bytes=${bytes%.}
	# a backslash is one of the words
	# shellcheck disable=SC1003
	words=("$bytes" '' -n --help -H '$(id)' '`id`' '!!' "it's" '"' '\' '\\' '%s\n' '*' '~' $'a\nb\n' $'\n' ' a  b ' '#' 'a;b&c|d' $'\xff\xfe' 'é' '' p e f '{a,b}' '^x^y')
	scadm -H "$FAR" words "${words[@]}" >"$BATS_TEST_TMPDIR/got"
	printf '%s\0' "${words[@]}" | cmp - "$BATS_TEST_TMPDIR/got"
}

@test "remote: the login shell over there may be any" {
	local shell tried=0
	for shell in /bin/dash /bin/bash /usr/bin/zsh /usr/bin/fish /usr/bin/tcsh; do
		# with another shell behind /bin/sh, one of these names is not what it says
		"$shell" -c 'exit 0' 2>/dev/null || continue
		tried=$((tried + 1))
		sed -i "s|^\(root:.*:\)[^:]*\$|\1$shell|" /etc/passwd
		scadm -H "$FAR" words 'a b' '' $'x\ny!z\\' "'" '$HOME' $'\377%' >"$BATS_TEST_TMPDIR/got"
		printf '%s\0' 'a b' '' $'x\ny!z\\' "'" '$HOME' $'\377%' | cmp - "$BATS_TEST_TMPDIR/got"
	done
	[ "$tried" -ge 1 ]
}

@test "remote: a word of 100 KB, 2000 words, and more than one command line holds (S14)" {
	local long words i
	long=$(printf '%0100000d' 0 | tr 0 "'")
	scadm -H "$FAR" words "$long" x >"$BATS_TEST_TMPDIR/got"
	printf '%s\0' "$long" x | cmp - "$BATS_TEST_TMPDIR/got"
	words=()
	for i in {1..2000}; do
		words+=("$i is the number $i of two thousand words, each of which is more than a hundred characters long, the last not less")
	done
	scadm -H "$FAR" words "${words[@]}" >"$BATS_TEST_TMPDIR/got"
	printf '%s\0' "${words[@]}" | cmp - "$BATS_TEST_TMPDIR/got"
	same "$(find "$(readlink -m /var/run/container)" -name '.words*' 2>/dev/null)" ''
}

@test "remote: the exit status is that of the verb, 255 too; standard output and error are apart (S25)" {
	local status_there
	for status_there in 0 1 3 125 126 127 130 137 143 254 255; do
		far "$status_there" status "$status_there"
		same "$stderr" ''
	done
	far streams
	same "$output" out
	same "$stderr" err
	far 125 no-such-verb
	like "$stderr" "*there is no verb 'no-such-verb'*"
}

@test "remote: standard input arrives as it is, and is left alone when the verb does not read (S25)" {
	far_verb sum <<-'END'
		#!/bin/sh
		# Sum up standard input
		sha256sum
	END
	head -c 3000000 /dev/urandom >"$BATS_TEST_TMPDIR/bytes"
	same "$(scadm -H "$FAR" sum <"$BATS_TEST_TMPDIR/bytes")" "$(sha256sum <"$BATS_TEST_TMPDIR/bytes")"
	same "$(scadm -H "$FAR" sum <&-)" "$(sha256sum </dev/null)"
	same "$(printf 'one\ntwo\n' | { scadm -H "$FAR" ps -q && cat; })" $'one\ntwo'
}

@test "remote: 100 MB of output arrive whole" {
	far_verb much <<-'END'
		#!/bin/sh
		# Print 100 MB
		yes 'a line of text that is not so short, and there are many of it' | head -c 100000000
	END
	same "$(scadm -H "$FAR" much | sha256sum)" \
		"$(yes 'a line of text that is not so short, and there are many of it' | head -c 100000000 | sha256sum)"
}

@test "remote: INT, TERM, HUP and KILL here end the verb there (S25)" {
	local signal expected pid got
	far_verb long <<-END
		#!/bin/sh
		# Wait to be ended
		trap 'echo ended >$BATS_FILE_TMPDIR/ended; kill \$!; exit 143' TERM
		sleep 300 &
		echo \$\$ >$BATS_FILE_TMPDIR/started
		wait
	END
	for signal in INT:130 TERM:143 HUP:129 KILL:137; do
		expected=${signal#*:} signal=${signal%:*} got=0
		rm -f "$BATS_FILE_TMPDIR/ended" "$BATS_FILE_TMPDIR/started"
		env --default-signal=INT scadm -H "$FAR" long </dev/null 3>&- &
		pid=$!
		wait_until 40 [ -s "$BATS_FILE_TMPDIR/started" ]
		kill -"$signal" "$pid"
		wait "$pid" || got=$?
		same "$got" "$expected"
		wait_until 40 [ -e "$BATS_FILE_TMPDIR/ended" ]
		wait_until 40 sh -c "! kill -0 $(cat "$BATS_FILE_TMPDIR/started")"
	done
	wait_until 40 sh -c '! pgrep -x sc-hangup'
}

@test "remote: a verb that closes its output early is not taken for one that lost its connection" {
	far_verb quiet <<-'END'
		#!/bin/sh
		# Close standard output and go on
		exec >&-
		cat >/dev/null
		echo still here >&2
	END
	far quiet
	same "$stderr" 'still here'
}

@test "remote: a connection that is lost, a host that is not there, a key that is wrong: 125, and why" {
	sc 125 -H ssh://root@127.0.0.1:9 ps
	like "$stderr" '*no answer from ssh://root@127.0.0.1:9*refused*'
	sc 125 -H ssh://root@no-such-host.invalid ps
	like "$stderr" '*no answer from*'
	SCADM_SSH_OPTIONS="$SCADM_SSH_OPTIONS -o UserKnownHostsFile=/dev/null" far 125 ps
	like "$stderr" '*Host key verification failed*'
	SCADM_SSH_OPTIONS="$SCADM_SSH_OPTIONS -o PubkeyAuthentication=no" far 125 ps
	like "$stderr" '*Permission denied*'
	far_verb drop <<-'END'
		#!/bin/sh
		# Lose the connection: the parent of our session is sshd
		kill -9 "$PPID"
		sleep 1
	END
	far 125 drop
	like "$stderr" '*no answer from*'
}

@test "remote: what is no host, or would be an option of ssh, or a command for a shell, is refused" {
	local host
	for host in '' ssh:// tcp://127.0.0.1 127.0.0.1 /var/run/docker.sock ssh://-oProxyCommand=touch ssh://-l ssh://a@-x \
		ssh://-a@x 'ssh://$(id)' 'ssh://a;b' 'ssh://a b' ssh://a:b ssh://a:0 ssh://a:65536 ssh://a:99999999999 ssh://a: \
		ssh://a/path 'ssh://a`id`' $'ssh://a\nb' ssh://@a ssh://a@b@c 'ssh://[::1' 'ssh://[x]' 'ssh://[::1]x' "ssh://a'b" 'ssh://a%h' ssh://ü; do
		sc 125 -H "$host" ps
		unlike "$stderr" '*ssh failed*'
		[ -n "$stderr" ]
	done
	sc 125 -H
	sc 125 -H "$FAR"
	sc 125 -H "$FAR" '../ps'
	sc 125 -H "$FAR" --context default ps
}

@test "remote: an IPv6 address, a user from the configuration, SCADM_HOST" {
	requires ipv6
	sc -H 'ssh://root@[::1]:2222' words x
	SCADM_HOST=$FAR sc words x
	SCADM_HOST=ssh://nowhere.invalid sc -H "$FAR" words x
	printf 'Host near\nHostName 127.0.0.1\nPort 2222\nUser root\n' >"$BATS_TEST_TMPDIR/config"
	cat "$BATS_FILE_TMPDIR/ssh_config" >>"$BATS_TEST_TMPDIR/config"
	SCADM_SSH_OPTIONS="-F $BATS_TEST_TMPDIR/config" sc -H ssh://near words x
}

@test "remote: settings and variables of this host stay here (S12)" {
	far_verb environment <<-'END'
		#!/bin/sh
		# Print the environment
		env
	END
	SC_ROOT=/tmp/other SECRET=x SC_DOOR=run far environment
	unlike "$output" '*/tmp/other*'
	unlike "$output" '*SECRET*'
	unlike "$output" '*SCADM_*'
}

@test "remote: scadm is not there, or has another name: SCADM_REMOTE_COMMAND" {
	SCADM_REMOTE_COMMAND=/nowhere/scadm far 125 ps
	like "$stderr" '*there is no /nowhere/scadm on the other host*'
	mkdir "$BATS_TEST_TMPDIR/elsewhere"
	ln -s "$ROOT/bin/scadm" "$BATS_TEST_TMPDIR/elsewhere/containers"
	SCADM_REMOTE_COMMAND="env X=1 $BATS_TEST_TMPDIR/elsewhere/containers" far words y
	SCADM_REMOTE_COMMAND='scadm; id' far 125 ps
	like "$stderr" '*SCADM_REMOTE_COMMAND*'
}

@test "remote: a user over there who is not root gets by with sudo -n, and is ended all the same" {
	requires sudo
	local pid got=0 path
	path=$(sed -n 's/.*SetEnv PATH=//p' "$BATS_FILE_TMPDIR/sshd_config")
	echo 'someone:x:1234:1234::/tmp:/bin/sh' >>/etc/passwd
	# no password, which is not the same as a locked account
	echo 'someone:*:1::::::' >>/etc/shadow
	printf 'Defaults secure_path="%s"\nsomeone ALL=NOPASSWD: ALL\n' "$path" >/etc/sudoers.d/someone
	chmod 440 /etc/sudoers.d/someone
	chmod 755 "$BATS_RUN_TMPDIR" "$BATS_RUN_TMPDIR/file" "$BATS_FILE_TMPDIR" "$BATS_FILE_TMPDIR/bin"
	far_verb who <<-END
		#!/bin/sh
		# Say who this is, and wait
		id -u
		trap 'echo ended >$BATS_TEST_TMPDIR/ended; kill \$!; exit 143' TERM
		[ "\${1-}" != wait ] || { sleep 300 & echo >$BATS_TEST_TMPDIR/started; wait; }
	END
	sc -H "ssh://someone@127.0.0.1:2222" who
	same "$output" 0
	scadm -H "ssh://someone@127.0.0.1:2222" who wait </dev/null >/dev/null 3>&- &
	pid=$!
	wait_until 40 [ -e "$BATS_TEST_TMPDIR/started" ]
	kill "$pid"
	wait "$pid" || got=$?
	same "$got" 143
	wait_until 40 [ -e "$BATS_TEST_TMPDIR/ended" ]
	rm /etc/sudoers.d/someone
	sed -i '/^someone:/d' /etc/shadow
}

@test "remote: a plan is one of the other host" {
	far_verb door <<-'END'
		#!/bin/sh
		# Say how changes are made
		echo "${SC_DOOR:-run}"
	END
	sc -n -H "$FAR" door
	same "$output" print
	sc -x -H "$FAR" door
	same "$output" explain
}

@test "remote: nothing is left in /tmp, and the help is that of the verb" {
	local before
	before=$(ls -A /tmp)
	far words x
	same "$(ls -A /tmp)" "$before"
	sc help
	like "$output" '*--context NAME*verbs (*  remote *'
	far run --help
	like "$output" '*usage: scadm run*'
	sc remote --help
	like "$output" '*usage: scadm remote ssh://*'
}

@test "remote: run: status, streams, -i, the name and the id as here" {
	far 7 run --rm busybox sh -c 'echo out; echo err >&2; exit 7'
	same "$output" out
	same "$stderr" err
	far 127 run --rm busybox /no/such
	far 126 run --rm busybox /etc
	far 137 run --rm busybox sh -c 'sh -c "kill -9 \$\$"; exit $?'
	same "$(echo through | scadm -H "$FAR" run --rm -i busybox cat)" through
	same "$(printf 'one\ntwo\n' | { scadm -H "$FAR" run --rm busybox true && cat; })" $'one\ntwo'
	same "$(scadm -H "$FAR" run --rm busybox printf '[%s]' "a  b" '' $'x\n')" $'[a  b][][x\n]'
}

@test "remote: run -d is back at once, and the container outlives the connection" {
	far run -d --name=web busybox sleep 100
	like "$output" '????????????????????????????????????????????????????????????????'
	far ps -q
	like "$output" '????????????'
	far rm -f web
}

@test "remote: run that is interrupted here leaves nothing there (S25)" {
	local signal pid got
	for signal in INT TERM KILL; do
		got=0
		env --default-signal=INT scadm -H "$FAR" run --rm --name=far busybox sh -c 'trap "exit 3" TERM INT; echo up; while :; do sleep 0.1; done' \
			>"$BATS_TEST_TMPDIR/out" 2>&1 </dev/null 3>&- &
		pid=$!
		wait_until 40 grep -qx up "$BATS_TEST_TMPDIR/out"
		kill -"$signal" "$pid"
		wait "$pid" || got=$?
		[ "$got" -gt 128 ]
		wait_until 40 [ ! -e /var/lib/scadm/containers/far ]
		rm "$BATS_TEST_TMPDIR/out"
	done
}

@test "remote: -e NAME and --env-file are read here, and stand in no command line (S24)" {
	printf '# note\nONE=1 x\nTWO\nNONE\n' >"$BATS_TEST_TMPDIR/env"
	far_verb show <<-'END'
		#!/bin/sh
		# Print what is in the file, and the command lines
		cat "$2"
		cat /proc/[0-9]*/cmdline 2>/dev/null | tr '\0' '\n' | grep sec""ret || echo nowhere
	END
	TWO='secret two' far run --rm --env-file "$BATS_TEST_TMPDIR/env" -e THREE=3 -e TWO -e NOT_THERE busybox env
	like "$output" $'*ONE=1 x\n*'
	like "$output" $'*TWO=secret two\n*'
	like "$output" $'*THREE=3*'
	unlike "$output" '*NOT_THERE*'
	SC_TEST_VALUE='secret' scadm -H "$FAR" run -d --name=secretive -e SC_TEST_VALUE busybox sleep 100 3>&-
	same "$(cat /proc/[0-9]*/cmdline 2>/dev/null | tr '\0' '\n' | grep -c "SC_TEST_VALUE=[s]ecret")" 0
	scadm rm -f secretive
	far 125 run --rm --env-file /no/such busybox true
	like "$stderr" '*not a file that can be read*'
	same "$(find "$(readlink -f /var/run/container)" -name '.words*')" ''
}

@test "remote: import takes a file, a directory or standard input of this host" {
	mkdir -p "$BATS_TEST_TMPDIR/root/bin" "$BATS_TEST_TMPDIR/d"
	cp "$(command -v busybox.static || command -v busybox)" "$BATS_TEST_TMPDIR/root/bin/busybox"
	ln -s busybox "$BATS_TEST_TMPDIR/root/bin/sh"
	ln -s busybox "$BATS_TEST_TMPDIR/root/bin/cat"
	echo content >"$BATS_TEST_TMPDIR/root/file"
	tar -C "$BATS_TEST_TMPDIR/root" -czf "$BATS_TEST_TMPDIR/-odd name.tar" .
	far import -c 'CMD ["cat", "/file"]' "$BATS_TEST_TMPDIR/-odd name.tar" far-tar
	like "$output" 'sha256:*'
	far run --rm far-tar
	same "$output" content
	far import "$BATS_TEST_TMPDIR/root" far-dir -m 'a text'
	far run --rm far-dir cat /file
	same "$output" content
	same "$(scadm -H "$FAR" import - far-in <"$BATS_TEST_TMPDIR/-odd name.tar" | cut -c1-7)" sha256:
	far 125 import "$BATS_TEST_TMPDIR/nothing" far-none
	like "$stderr" '*no such file*'
	printf 'this is no archive' >"$BATS_TEST_TMPDIR/d/x"
	far 125 import "$BATS_TEST_TMPDIR/d/x" far-none
	far rmi far-tar far-dir far-in
}

# terminal COMMAND - run it in a terminal of 90 columns and 25 lines; its status is shown afterwards
terminal() {
	tmux -L far -f /dev/null new-session -d -s t -x 90 -y 25 "$1; echo left with \$?; exec sleep 60" 3>&-
}

# shows PATTERN - does the terminal show a line like that?
shows() {
	tmux -L far capture-pane -p -t t | grep -qE -- "$1"
}

@test "remote: run -it has a terminal: size, its changes, Ctrl-C, status" {
	requires tmux
	terminal "scadm -H $FAR run -it --rm busybox sh"
	wait_until 40 shows '/ #'
	tmux -L far send-keys -t t 'stty size' Enter
	wait_until 40 shows '^25 90'
	tmux -L far resize-window -t t -x 70 -y 20
	wait_until 40 sh -c 'tmux -L far send-keys -t t "stty size" Enter; sleep 0.2; tmux -L far capture-pane -p -t t | grep -q "^20 70"'
	tmux -L far send-keys -t t 'sleep 100; echo inter''rupted $?' Enter
	wait_until 40 sh -c 'pgrep -x -f "sleep 100"'
	tmux -L far send-keys -t t C-c
	wait_until 40 shows '^interrupted 130|/ # *$'
	tmux -L far send-keys -t t 'exit 42' Enter
	wait_until 40 shows '^left with 42'
	tmux -L far kill-server 3>&-
	# the next one is not to find this one on its way out
	wait_until 20 sh -c '! pgrep tmux'
}

@test "remote: a terminal that is closed ends what ran in it" {
	requires tmux
	terminal "scadm -H $FAR run -it --rm --name=closed busybox sh"
	wait_until 40 shows '/ #'
	tmux -L far kill-server 3>&-
	wait_until 40 [ ! -e /var/lib/scadm/containers/closed ]
}

@test "remote: cp both ways: a file, a directory, a new name, what is in it, an archive" {
	local dir="$BATS_TEST_TMPDIR/files"
	mkdir -p "$dir/tree/sub"
	head -c 300000 /dev/urandom >"$dir/tree/sub/bytes"
	echo one >"$dir/$(printf 'odd\nname')"
	ln -s /etc/passwd "$dir/tree/link"
	chmod 640 "$dir/tree/sub/bytes"
	running files
	far cp "$dir/tree" files:/tmp
	far cp "$dir/tree/." files:/new
	far cp "$dir/$(printf 'odd\nname')" files:/tmp/renamed
	same "$(scadm exec files cat /tmp/renamed 2>/dev/null || scadm cp files:/tmp/renamed - | tar -xOf -)" one
	far cp files:/tmp/tree "$dir/back"
	cmp "$dir/tree/sub/bytes" "$dir/back/sub/bytes"
	same "$(readlink "$dir/back/link")" /etc/passwd
	far cp files:/new/. "$dir/back2"
	cmp "$dir/tree/sub/bytes" "$dir/back2/sub/bytes"
	far cp files:/tmp/renamed "$dir"
	same "$(cat "$dir/renamed")" one
	same "$(scadm -H "$FAR" cp files:/tmp/tree - | tar -t | sort | head -n 1)" tree/
	tar -C "$dir" -c tree | scadm -H "$FAR" cp - files:/home
	scadm -H "$FAR" cp files:/home/tree/sub/bytes - | tar -xOf - | cmp - "$dir/tree/sub/bytes"
	far 125 cp "$dir/nothing" files:/tmp
	like "$stderr" '*no file or directory*'
	far 125 cp files:/nothing "$dir"
	far 125 cp nobody:/etc "$dir"
	like "$stderr" "*there is no container 'nobody'*"
	[ ! -e "$dir/nothing" ] && [ ! -e "$dir/etc" ]
	far rm -f files
}

@test "remote: save, load and export: the file is one of this host, and whole or not there" {
	local dir="$BATS_TEST_TMPDIR/files"
	mkdir "$dir"
	far tag busybox far-copy
	far save -o "$dir/image.tar" far-copy
	tar -tf "$dir/image.tar" >/dev/null
	far rmi far-copy
	far load -i "$dir/image.tar"
	like "$output" '*far-copy*'
	far rmi far-copy
	same "$(scadm -H "$FAR" load <"$dir/image.tar" | grep -c far-copy)" 1
	far run --rm far-copy echo loaded
	same "$output" loaded
	far rmi far-copy
	far 125 save -o "$dir/none.tar" no-such-image
	far 125 save -o "$dir/no/such/dir.tar" busybox
	running exported
	far export -o "$dir/tree.tar" exported
	tar -tf "$dir/tree.tar" | grep -q bin/busybox
	scadm -H "$FAR" export exported | cmp - "$dir/tree.tar"
	far rm -f exported
	same "$(cd "$dir" && echo *)" 'image.tar tree.tar'
}
