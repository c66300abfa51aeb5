#!/usr/bin/env bats
# run -t: a real terminal

load helpers
load ready

# term WORD... - tell tmux; each test has a server of its own, as that of the one before may still be about to end
term() {
	tmux -L "term$BATS_TEST_NUMBER" "$@"
}

# pane - what the terminal shows
pane() {
	term capture-pane -p -t t
}

# shows PATTERN - does the terminal show a line like that?
shows() {
	pane | grep -qE -- "$1"
}

# terminal COMMAND - run it in a terminal of 90 columns and 25 lines; its status is shown afterwards
terminal() {
	term -f /dev/null new-session -d -s t -x 90 -y 25 "$1; echo left with \$?; exec sleep 60" 3>&-
}

teardown() {
	term kill-server 3>&- || true
	sc_teardown
}

@test "run -it: size, a tty that exists inside, exact status" {
	requires tmux
	terminal 'scadm run -it --rm busybox sh'
	wait_until 30 shows '/ #'
	term send-keys -t t 'stty size; t=$(tty); test -c $t && echo on $t' Enter
	wait_until 30 shows '^25 90'
	wait_until 30 shows '^on /dev/pts/0'
	term resize-window -t t -x 70 -y 20
	# tmux does not wait until the terminal has that size
	term send-keys -t t 'until stty size | grep "^20 70"; do sleep 0.1; done' Enter
	wait_until 30 shows '^20 70'
	term send-keys -t t 'exit 42' Enter
	wait_until 30 shows '^left with 42'
}

@test "run -it: Ctrl-C reaches the program inside, not scadm" {
	requires tmux
	terminal 'scadm run -it --rm busybox sh'
	wait_until 30 shows '/ #'
	term send-keys -t t 'sleep 100; echo inter''rupted $?' Enter
	wait_until 30 sh -c 'pgrep -x -f "sleep 100"'
	term send-keys -t t C-c
	wait_until 30 shows '^interrupted 130|/ # *$'
	term send-keys -t t 'exit 3' Enter
	wait_until 30 shows '^left with 3'
}

@test "run -t: the controlling terminal is the container's own" {
	requires tmux
	terminal 'scadm run -it --rm --user nobody busybox sh -c "ls -l /dev/console /dev/pts/0; echo >/dev/tty through"'
	wait_until 30 shows '^through'
	wait_until 30 shows '^left with 0'
}

@test "run -t: kill -9 of scadm ends the container" {
	requires tmux
	terminal 'scadm run -it --name=t9 busybox sleep 200'
	wait_until 30 test -s /var/run/container/t9/pid
	read -r pid _ </var/run/container/t9/pid
	owner=$(basename "$(echo /var/run/container/.owners/*:containers:t9)")
	kill -9 "${owner%%:*}"
	wait_until 30 sh -c "! [ -e /proc/$pid ]"
	sc gc
}
