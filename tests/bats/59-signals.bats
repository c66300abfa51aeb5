#!/usr/bin/env bats
# kill, pause, unpause, top, port; and sc-signal, which does not hit another process

load helpers
load ready

setup() {
	sc_setup
	scadm run -d --name=web busybox sh -c 'trap "echo HUP" HUP; trap "echo USR1" USR1; trap "exit 3" TERM; echo ready; while :; do sleep 0.1; done' >/dev/null 3>&-
	wait_until 20 logged ready
}

teardown() {
	scadm rm -f web >/dev/null 3>&-
	sc_teardown
}

# logged TEXT - has web written that line?
logged() {
	scadm logs web 3>&- | grep -qx "$1"
}

# paused_is NAME WORD - what the kernel says
paused_is() {
	[ "$(sc-cg get "sc/$(id12 "$1")" cgroup.freeze)" = "cgroup.freeze=$2" ]
}

# bystander - a process of the host; sets $bystander $started
bystander() {
	sleep 1000 3>&- &
	bystander=$!
	started=$(cut -d ' ' -f 22 "/proc/$bystander/stat")
}

@test "sc-signal --number: names as kill(1), docker and a person write them" {
	local pair
	for pair in TERM=15 SIGTERM=15 term=15 sigHup=1 9=9 KILL=9 RTMIN=34 RTMIN+3=37 sigrtmax-1=63 RTMAX=64 64=64 CHLD=17 IO=29; do
		expect 0 sc-signal --number "${pair%=*}"
		same "$output" "${pair#*=}"
	done
	for pair in '' SIG NOPE 0 65 -1 1x RTMIN-1 RTMAX+1 TERM+1 RTMIN+31 ' 9'; do
		expect 125 sc-signal --number "$pair"
		like "$stderr" 'sc-signal: *'
	done
}

@test "S22: sc-signal: only the process that started then is signalled" {
	bystander
	expect 1 sc-signal --start-time=$((started + 1)) KILL "$bystander"
	same "$stderr" ''
	kill -0 "$bystander"
	expect 0 sc-signal --start-time="$started" TERM "$bystander"
	status=0
	wait "$bystander" || status=$?
	same "$status" 143
	expect 1 sc-signal --start-time="$started" TERM "$bystander"
	expect 1 sc-signal TERM "$bystander"
	expect 125 sc-signal TERM
	expect 125 sc-signal TERM 0
	expect 125 sc-signal TERM -1
	expect 125 sc-signal TERM 1 2
}

@test "kill -s: a signal by name or number reaches the first process, and the container goes on" {
	sc kill -s HUP web
	same "$output" web
	wait_until 20 logged HUP
	sc kill --signal=10 web
	wait_until 20 logged USR1
	sc ps --format '{{.Names}} {{.State}}'
	like "$output" '*web running*'
	[ ! -e /var/run/container/web/stopped ]
}

@test "kill: KILL is the default, and it has ended when kill returns" {
	sc kill web
	same "$output" web
	sc ps -a --format '{{.Names}} {{.State}}'
	like "$output" '*web exited*'
	same "$(field web .State.ExitCode)" 137
	sc 125 kill web
	like "$stderr" "*'web' does not run*"
}

@test "kill: what it ends is not started again by its restart policy" {
	scadm run -d --name=again --restart=always busybox sh -c 'trap "exit 0" TERM HUP; while :; do sleep 0.1; done' >/dev/null 3>&-
	wait_until 20 catches again TERM
	sc kill again
	[ -e /var/run/container/again/stopped ]
	sc ps -a --filter name=again --format '{{.State}}'
	same "$output" exited
	sc start again
	wait_until 20 catches again TERM
	sc kill -s TERM again
	[ -e /var/run/container/again/stopped ]
	sc rm -f again
}

@test "kill: all are asked before one is signalled; unknown signals and containers are refused" {
	sc 125 kill -s NOPE web
	sc 125 kill web nobody
	sc 125 kill nobody
	sc 125 kill
	sc 125 kill --no-such web
	sc 125 kill ''
	sc create --name=made busybox true
	sc 125 kill web made
	sc rm made
	sc ps --format '{{.Names}}'
	like "$output" '*web*'
}

@test "S22: kill: a recorded pid that is another process by now is not signalled" {
	bystander
	local boot record=/var/lib/scadm/containers/web
	cp "$record/pid" "$BATS_TEST_TMPDIR/pid"
	read -r _ _ boot <"$record/pid"
	printf '%s %s %s\n' "$bystander" $((started + 1)) "$boot" >"$record/pid.new"
	mv "$record/pid.new" "$record/pid"
	sc 125 kill web
	kill -0 "$bystander"
	cp "$BATS_TEST_TMPDIR/pid" "$record/pid"
	kill "$bystander"
	wait "$bystander" || true
}

@test "pause, unpause: the processes stand still and go on; ps says so" {
	requires freezer
	sc pause web
	same "$output" web
	paused_is web 1
	sc ps --format '{{.Status}}'
	like "$output" '*[(]Paused)*'
	sc 125 pause web
	like "$stderr" '*paused already*'
	sc kill -s HUP web
	sc unpause web
	paused_is web 0
	wait_until 20 logged HUP
	sc 125 unpause web
	like "$stderr" '*not paused*'
	sc 125 pause nobody
	sc 125 unpause nobody
	sc 125 pause
	sc 125 unpause
}

@test "a paused container dies: by kill, by its stop signal, by stop, by rm -f" {
	requires freezer
	sc pause web
	sc kill web
	same "$(field web .State.ExitCode)" 137
	sc start web
	wait_until 20 catches web TERM
	sc pause web
	sc kill -s TERM web
	wait_until 20 sh -c '[ "$(scadm ps -q)" = "" ]'
	sc start web
	wait_until 20 catches web TERM
	sc pause web
	sc stop -t 20 web
	sc start web
	sc pause web
	sc rm -f web
	scadm run -d --name=web busybox sleep 1000 >/dev/null 3>&-
}

@test "top: the processes as the host's ps shows them, and none of ours that wait for them" {
	sc exec -d web sleep 9100
	# it is back while the kernel still gives the process its new name
	wait_until 20 pgrep -f '^sleep 9100$'
	sc top web
	like "${lines[0]}" 'UID *PID *PPID *C *STIME *TTY *TIME *CMD'
	like "$output" '*sleep 9100*'
	unlike "$output" '*sc-*'
	sc top web -o pid,args
	like "${lines[0]}" '*PID *COMMAND*'
	like "$output" '*sleep 9100*'
	sc top web aux
	like "${lines[0]}" 'USER *PID *%CPU*'
	unlike "$output" '*sc-*'
	sc 125 top nobody
	sc 125 top
	sc 125 top web -o comm,nosuchcolumn
}

@test "top: no word becomes a command of a shell, and a container that does not run has no processes" {
	scadm top web '$(touch /tmp/evil)' '; touch /tmp/evil' 3>&- || true
	[ ! -e /tmp/evil ]
	sc create --name=made busybox true
	sc 125 top made
	like "$stderr" "*'made' does not run*"
	sc rm made
}

@test "port: where the ports of the record are published" {
	local record=/var/lib/scadm/containers/web
	sc port web
	same "$output" ''
	sc 125 port web 80
	like "$stderr" '*80/tcp*not published*'
	cp "$record/config.json" "$BATS_TEST_TMPDIR/config.json"
	sed 's|"Ports":{}|"Ports":{"8080/tcp":[{"HostIp":"0.0.0.0","HostPort":"80"},{"HostIp":"::","HostPort":"80"}],"53/udp":[{"HostIp":"127.0.0.1","HostPort":"5353"}],"9/tcp":null}|' \
		"$BATS_TEST_TMPDIR/config.json" >"$record/config.json"
	sc port web
	same "$output" '53/udp -> 127.0.0.1:5353
8080/tcp -> 0.0.0.0:80
8080/tcp -> [::]:80'
	sc port web 53/udp
	same "$output" 127.0.0.1:5353
	sc port web 8080
	same "$output" '0.0.0.0:80
[::]:80'
	sc 125 port web 53
	sc 125 port web 9
	sc 125 port web 80x
	sc 125 port web 80/icmp
	sc 125 port web 0
	sc 125 port nobody
	sc 125 port
	cp "$BATS_TEST_TMPDIR/config.json" "$record/config.json"
}

@test "kill, pause and unpause: the plan is what runs" {
	requires freezer
	run sh -c 'scadm -n pause web | sh -e && scadm ps --format "{{.Status}}" && scadm -n unpause web | sh -e' 3>&-
	same "$status" 0
	like "$output" '*[(]Paused)*'
	paused_is web 0
	run sh -c 'scadm -n kill -s HUP web | sh -e' 3>&-
	same "$status" 0
	wait_until 20 logged HUP
	sc -n kill web
	like "$output" '*sc-signal --start-time=* KILL *'
}
