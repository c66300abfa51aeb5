#!/usr/bin/env bats
# sc-tty: the relay between terminals and a pty. The pty is made by sc-nsexec --console-fd, in the devpts of
# the sandbox, and terminals are tmux's and script's.

# programs in single quotes are for an inner shell
# shellcheck disable=SC2016
load helpers

setup() {
	sc_setup
	requires root tmux script
	cd "$BATS_TEST_TMPDIR" || return
	sock=$BATS_TEST_TMPDIR/sock
	relay=
	screens=0
	screen=none
	# a program with a pty of its own behind sc-tty
	pty=(sc-nsexec --console-fd=3)
}

teardown() {
	tmux -L "$screen" kill-server 2>/dev/null || :
	if [ -n "$relay" ]; then
		kill -9 "$relay" 2>/dev/null || :
		wait "$relay" 2>/dev/null || :
	fi
	wait_until 20 nothing_left
	sc_teardown
}

# nothing_left - no process of sc-tty runs any more
nothing_left() {
	! pgrep -x sc-tty
}

# term COMMAND - run COMMAND in a shell on a new terminal of 80x24; its status ends up in the file "left"
term() {
	# a server that is told to end still has its name for a while
	screens=$((screens + 1))
	screen=$BATS_TEST_NUMBER-$screens
	tmux -L "$screen" -f /dev/null new-session -d -x 80 -y 24 "stty -g >mode.before; $1; echo \$? >left.new; stty -g >mode.after; mv left.new left; sleep 1000" 3>&-
}

# keys KEY... - type on it
keys() {
	tmux -L "$screen" send-keys "$@"
}

# shows TEXT - TEXT can be seen on it
shows() {
	tmux -L "$screen" capture-pane -p | grep -qF -- "$1"
}

# raw - sc-tty has taken the terminal over
raw() {
	stty -a <"$(tmux -L "$screen" display-message -p '#{pane_tty}')" | grep -q -- -icanon
}

# traps TEXT - does the shell on it show TEXT? One that got its signal a moment before it waited for a key needs one
traps() {
	shows "$1" && return
	keys Enter
	return 1
}

# left STATUS - the command on the terminal has ended with STATUS, and the terminal's mode is what it was
left() {
	wait_until 20 [ -e left ]
	same "$(cat left)" "$1"
	cmp mode.before mode.after
	rm left
}

# second_hears - say something; has the second client heard it?
second_hears() {
	keys "echo two-\$((1+1))" Enter
	grep -q two-2 second
}

# serve COMMAND... - a detached container with a terminal; sets $relay
serve() {
	rm -f out.log
	sc-tty --listen="$sock" --log=out.log "${pty[@]}" "$@" </dev/null >/dev/null 2>err.log 3>&- &
	relay=$!
	# the name is there a moment before somebody listens, which is what 10000 says
	wait_until 20 grep -q " 00010000 .*/sock\$" /proc/net/unix
}

@test "without a terminal: output, status, end of input" {
	expect 5 sc-tty "${pty[@]}" sh -c 'tty >/dev/null && echo out; exit 5' </dev/null
	same "$output" $'out\r'
	expect 137 sc-tty "${pty[@]}" sh -c 'kill -9 $$' </dev/null
	expect 0 sc-tty "${pty[@]}" sh -c 'stty -echo; echo go; cat; echo end' <<<$'one\ntwo'
	like "$output" $'*one\r\ntwo\r\nend\r'
	printf 'no newline' >in
	expect 0 timeout 60 sc-tty "${pty[@]}" cat <in
	like "$output" '*no newlineno newline'
	# nothing is read from a terminal that is not to be read
	expect 124 timeout 1 sc-tty --no-stdin "${pty[@]}" cat <in
	same "$output" ""
}

@test "S25: a program that sends no terminal: its own status, its errors on our standard error" {
	expect 9 sc-tty sh -c 'echo sorry >&2; exit 9'
	same "$stderr" sorry
	expect 143 sc-tty sh -c 'kill $$'
	expect 127 sc-tty no-such-program
	expect 126 sc-tty /etc/passwd
	expect 0 sc-tty cat <<<"left alone"
	same "$output" "left alone"
}

@test "nonsense is refused with one line" {
	for args in "" "--nonsense true" "--attach" "--attach=$sock" "--attach=$sock true" "--attach=$sock --log=x" \
		"--listen= true" "--listen=/nowhere/s true" "--log=/nowhere/l true" "--log-max-size=1k true" "--log-max-file=0 true" "--detach-keys=ctrl-1 true" \
		"--detach-keys=ab true" "--detach-keys=a, true" "--detach-keys=a,a,a,a,a,a,a,a,a,a,a,a,a,a,a,a,a true"; do
		# several words
		# shellcheck disable=SC2086
		expect 125 sc-tty $args </dev/null
		same "${#stderr_lines[@]}" 1
		same "$output" ""
	done
}

@test "S16: all output arrives, byte for byte, here and in the log" {
	expect 0 sh -c "sc-tty --no-stdin --log=out.log ${pty[*]} sh -c 'stty raw; seq 1 300000; printf \"\\377\\000\\001end\"' </dev/null >out"
	{
		seq 1 300000
		printf '\377\000\001end'
	} | cmp - out
	sc-log read --file=out.log --stdout | cmp - out
	same "$(stat -c %a out.log)" 600
}

@test "S16: what the program wrote before its end arrives, however long its reader sleeps after that" {
	requires python3
	# it ends as soon as there is no room for its output anywhere on the way
	cat >prog <<-'END'
		import os, sys, time
		os.set_blocking(1, False)
		wrote = full = 0
		while full < 10:
		    try:
		        wrote += os.write(1, b"x" * 1000)
		        full = 0
		    except BlockingIOError:
		        full += 1
		        time.sleep(0.05)
		open("wrote", "w").write(f"{wrote}\n")
	END
	expect 0 bash -o pipefail -c "sc-tty --no-stdin ${pty[*]} sh -c 'stty raw; exec python3 prog' | { sleep 5; wc -c; }"
	same "$output" "$(cat wrote)"
}

@test "the log is kept in files of a size" {
	# without an end of the input, which a terminal in this mode would echo
	expect 0 sc-tty --no-stdin --log=out.log --log-max-size=1000 --log-max-file=3 "${pty[@]}" sh -c 'stty raw; seq 1 1000'
	same "$(printf '%s ' out.log*)" "out.log out.log.1 out.log.2 "
	[ "$(stat -c %s out.log.1)" -le 1000 ]
	same "$(sc-log read --file=out.log --tail=1)" 1000
	# nothing is kept, and output is read all the same
	expect 3 sc-tty --log= "${pty[@]}" sh -c 'echo out; exit 3' </dev/null
	same "$output" $'out\r'
}

@test "a full disk costs the log, not the container" {
	expect 3 sc-tty --log=/dev/full "${pty[@]}" sh -c 'echo out; exit 3' </dev/null
	same "$output" $'out\r'
	like "$stderr" '*No space left*'
}

@test "a reader that goes away ends the container" {
	run timeout 60 bash -o pipefail -c "sc-tty ${pty[*]} yes </dev/null | head -n 1"
	same "${lines[0]}" $'y\r'
	same "$status" 129
}

@test "S6: descriptor 3 does not reach the program; missing standard descriptors do no harm" {
	expect 0 sc-tty "${pty[@]}" ls -1 /proc/self/fd </dev/null
	same "${output//$'\r'/}" $'0\n1\n2\n3'
	expect 3 sc-tty "${pty[@]}" sh -c 'exit 3' <&-
	run -3 sc-tty "${pty[@]}" sh -c 'exit 3' <&- >&- 2>&-
}

@test "S25: signals are passed on" {
	for signal in TERM INT HUP USR1; do
		rm -f out
		# a shell starts what it runs in the background with SIGINT ignored
		env --default-signal=INT sc-tty "${pty[@]}" bash -c "trap 'echo got; exit 7' $signal; echo up; while :; do sleep 0.05; done" </dev/null >out 3>&- &
		relay=$!
		wait_until 20 grep -q up out
		kill -"$signal" "$relay"
		ends "$relay" 7
		relay=
		grep -q got out
	done
}

@test "kill -9 of the front hangs up the container" {
	sc-tty "${pty[@]}" sh -c 'echo up; exec sleep 3000' </dev/null >out 3>&- &
	relay=$!
	wait_until 20 grep -q up out
	kill -9 "$relay"
	wait "$relay" || :
	wait_until 20 sh -c '! pgrep -fx "sleep 3000"'
}

@test "on a terminal: raw mode, keys, window size, and everything back at the end" {
	term "sc-tty ${pty[*]} bash --norc"
	wait_until 20 raw
	keys "stty size; tty" Enter
	wait_until 20 shows "24 80"
	keys 'trap "stty size" WINCH; echo set-$((1+1))' Enter
	wait_until 20 shows set-2
	tmux -L "$screen" resize-window -x 100 -y 30
	wait_until 20 traps "30 100"
	# ctrl-c is for the program, and so are the detach keys when nobody listens
	keys "cat -v" Enter C-v C-p C-q
	wait_until 20 shows "^P"
	keys Enter C-d
	echo 'trap "echo caught; exit" INT; echo ready; while :; do sleep 0.05; done' >prog
	keys "sh prog" Enter
	wait_until 20 shows ready
	keys C-c
	wait_until 20 shows caught
	keys "exit 6" Enter
	left 6
}

@test "on a terminal: it is restored after a signal, and while stopped" {
	echo 'trap "exit 8" TERM; echo up; while :; do sleep 0.05; done' >prog
	term "sc-tty ${pty[*]} sh prog"
	wait_until 20 raw
	wait_until 20 shows up
	front=$(pgrep -ox sc-tty)
	tty=$(readlink "/proc/$front/fd/0")
	stty -a <"$tty" | grep -q -- '-icanon'
	kill -TSTP "$front"
	wait_until 20 sh -c "stty -a <$tty | grep -q ' icanon'"
	# a CONT that came before it has stopped would be of no use
	wait_until 20 grep -q '^State:.T' "/proc/$front/status"
	kill -CONT "$front"
	wait_until 20 sh -c "stty -a <$tty | grep -q -- '-icanon'"
	kill -TERM "$front"
	left 8
}

@test "script(1) as the terminal" {
	expect 0 timeout 60 script -qec "sc-tty ${pty[*]} sh -c 'test -t 0 && test -t 2 && echo terminal'" typescript </dev/null
	like "$output" "*terminal*"
	expect 4 timeout 60 script -qec "sc-tty ${pty[*]} sh -c 'exit 4'" typescript </dev/null
}

@test "detach keys leave a container running, attach comes back, with its status" {
	term "sc-tty --listen=$sock ${pty[*]} bash --norc"
	wait_until 20 raw
	keys "x=remembered" Enter C-p C-q
	left 0
	same "$(stat -c %a "$sock")" 600
	tmux -L "$screen" kill-server
	term "sc-tty --attach=$sock"
	wait_until 20 raw
	keys C-l
	keys "echo \$x-\$((1+1))" Enter
	wait_until 20 shows remembered-2
	keys "exit 12" Enter
	left 12
	wait_until 20 [ ! -e "$sock" ]
}

@test "other detach keys; a beginning of them is still passed on" {
	serve bash --norc
	term "sc-tty --attach=$sock --detach-keys=x,x,ctrl-a,y"
	wait_until 20 raw
	keys "echo xxxx-\$((1+1))" Enter
	wait_until 20 shows "xxxx-2"
	keys x x x C-a y
	left 0
	# bash may lose a signal that comes while it reads a key
	kill -9 "$(cat "/proc/$relay/task/$relay/children")"
	ends "$relay" 137
	relay=
}

@test "detached: several clients, sizes, log, status" {
	serve bash --norc
	term "sc-tty --attach=$sock"
	wait_until 20 raw
	sc-tty --attach="$sock" --no-stdin </dev/null >second 3>&- &
	second=$!
	keys "stty size; echo one-\$((1+1))" Enter
	wait_until 20 shows "24 80"
	wait_until 20 grep -q one-2 out.log
	# the second client hears only what is said after it came
	wait_until 20 second_hears
	keys "exit 11" Enter
	left 11
	ends "$second" 11
	ends "$relay" 11
	relay=
	[ ! -e "$sock" ]
}

@test "a program's screen is drawn again for who attaches with the same size" {
	serve bash --norc -c 'trap "echo size \$(stty size)" WINCH; echo up; while :; do sleep 0.05; done'
	wait_until 20 grep -q up out.log
	for round in 1 2; do
		echo "round $round"
		rm -f left
		term "sc-tty --attach=$sock"
		wait_until 20 raw
		wait_until 20 shows "size 24 80"
		keys C-p C-q
		left 0
		tmux -L "$screen" kill-server
	done
	kill -9 "$(cat "/proc/$relay/task/$relay/children")"
	ends "$relay" 137
	relay=
}

# connected - is there beside the socket that listens one with a client? Both have its name
connected() {
	[ "$(grep -c '/sock$' /proc/net/unix)" -ge 2 ]
}

@test "a stuck client is dropped and does not stop the container" {
	serve bash --norc -c 'until [ -e go ]; do sleep 0.05; done; seq 1 400000; echo finished; exec sleep 1000'
	# its pipe is never read, on purpose
	# shellcheck disable=SC2216
	(sc-tty --attach="$sock" --no-stdin 2>stuck | sleep 1000) 3>&- &
	stuck=$!
	wait_until 20 pgrep -P "$stuck" -x sleep
	wait_until 20 connected
	touch go
	wait_until 60 grep -q finished out.log
	kill -TERM "$relay"
	ends "$relay" 143
	relay=
	pkill -P "$stuck" sleep || :
	wait "$stuck" || :
}

@test "a client that talks nonsense is dropped" {
	requires python3
	serve bash --norc -c 'echo up; exec sleep 1000'
	expect 0 python3 - "$sock" <<'PY'
import socket, sys
for packet in b"", b"z", b"w", b"w1234567", b"d", b"e1", b"d" + b"x" * 16385, b"w" + b"x" * 99:
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as s:
        s.settimeout(10)
        s.connect(sys.argv[1])
        s.send(packet)
        while s.recv(20000):
            pass
many = []
for n in range(40):
    s = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    s.connect(sys.argv[1])
    many.append(s)
PY
	kill -TERM "$relay"
	ends "$relay" 143
	relay=
}

@test "the socket: a stale one is taken over, a served one and other files are not, long names work" {
	serve sleep 1000
	# until then it has, as a copy of the relay, the socket too
	wait_until 20 pgrep -P "$relay" -x sleep
	expect 125 sc-tty --listen="$sock" true </dev/null
	like "$stderr" '*in use*'
	[ -S "$sock" ]
	kill -9 "$relay"
	wait "$relay" || :
	[ -S "$sock" ]
	expect 0 sc-tty --listen="$sock" true </dev/null
	[ ! -e "$sock" ]
	echo precious >"$sock"
	expect 125 sc-tty --listen="$sock" true </dev/null
	same "$(cat "$sock")" precious
	long=$BATS_TEST_TMPDIR/$(printf '%0200d' 0)
	mkdir "$long"
	sock=$long/sock
	serve sh -c 'until [ -e go ]; do sleep 0.05; done; exit 4'
	touch go
	ends "$relay" 4
	relay=
	[ ! -e "$sock" ]
}

@test "what others keep open is not waited for" {
	expect 2 timeout 60 sc-tty "${pty[@]}" sh -c 'setsid sleep 3 & echo bye; exit 2' </dev/null
	like "$output" 'bye*'
	expect 2 timeout 60 sc-tty "${pty[@]}" sh -c 'trap "" HUP; (while echo spam; do :; done) & exit 2' </dev/null
}
