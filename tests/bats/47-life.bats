#!/usr/bin/env bats
# create, start, stop, restart, wait, recreate: one container from its making to its end

load helpers
load ready

@test "create: makes a container that has not run, and prints its whole id" {
	sc create --name=c1 busybox true
	like "$output" '????????????????????????????????????????????????????????????????'
	sc ps -a --format '{{.Names}} {{.State}}'
	like "$output" 'c1 created'
	sc inspect --format '{{.State.Status}} {{.State.Running}} {{.State.Pid}}' c1
	same "$output" 'created false 0'
	sc rm c1
}

@test "create: what it says is refused before there is anything of it" {
	local word
	for word in --restart=sometimes --restart=on-failure:x --restart=on-failure:0 --stop-signal=NOPE --stop-timeout=-1 '--label==x' --no-such; do
		sc 125 create "$word" --name=bad busybox true
		[ ! -e /var/lib/scadm/containers/bad ]
	done
	sc 125 run --restart=always --rm -d busybox true
	sc 125 run --restart=always busybox true
	sc 125 create --name=bad nosuchimage true
	like "$stderr" "*there is no image 'nosuchimage:latest'*"
}

@test "start: a created container runs in the background; start of a running one changes nothing" {
	sc create --name=c2 busybox sleep 100
	sc start c2
	same "$output" c2
	sc inspect --format '{{.State.Running}}' c2
	same "$output" true
	read -r pid _ </var/run/container/c2/pid
	sc start c2
	same "$output" c2
	like "$(cat /var/run/container/c2/pid)" "$pid *"
	sc rm -f c2
}

@test "start -a: passes on output and exit status, again and again; what was written stays" {
	sc create --name=c3 busybox sh -c 'echo more >>/data; cat /data; echo wrong >&2; exit 4'
	sc 4 start -a c3
	same "$output" more
	same "$stderr" wrong
	sc 4 start -a c3
	same "$output" $'more\nmore'
	sc inspect --format '{{.State.Status}} {{.State.ExitCode}}' c3
	same "$output" 'exited 4'
	sc rm c3
}

@test "start -ai: gives the container our standard input, if it was made with -i" {
	sc create -i --name=c4 busybox cat
	run --separate-stderr scadm start -ai c4 <<<"words"
	same "$status $output" '0 words'
	sc rm c4
}

@test "start: arguments, environment, user, directory and limits are those it was made with (S17 S29)" {
	local odd
	odd=$(printf 'a\nb "q'"'"' $x \377 *')
	sc create --name=c5 -e "ODD=$odd" -u 7:8 -w /tmp/x -m 32m --hostname=host5 --cap-drop=ALL busybox \
		sh -c 'printf "%s|" "$@" "$ODD" "$(id -u):$(id -g)" "$PWD" "$(hostname)" "$(grep CapBnd /proc/self/status)"; printf "%s" "$#"' sh '' "$odd" -- -x
	scadm start -a c5 >"$BATS_TEST_TMPDIR/first" 3>&-
	scadm start -a c5 >"$BATS_TEST_TMPDIR/second" 3>&-
	cmp "$BATS_TEST_TMPDIR/first" "$BATS_TEST_TMPDIR/second"
	printf '|%s|--|-x|%s|7:8|/tmp/x|host5|CapBnd:\t0000000000000000|4' "$odd" "$odd" >"$BATS_TEST_TMPDIR/expected"
	cmp "$BATS_TEST_TMPDIR/first" "$BATS_TEST_TMPDIR/expected"
	sc rm c5
	sc create --name=c5 -m 32m busybox sleep 100
	sc start c5
	same "$(cgroup_value c5 memory.limit_in_bytes)" 33554432
	sc stop -t 0 c5
	sc start c5
	same "$(cgroup_value c5 memory.limit_in_bytes)" 33554432
	sc rm -f c5
}

@test "stop, start: the data, the id, the cgroup and the address stay, the pid is another" {
	local id pid address
	running web
	id=$(id12 web)
	read -r pid _ </var/run/container/web/pid
	sc inspect --format '{{.NetworkSettings.IPAddress}}' web
	address=$output
	sc exec web sh -c 'echo kept >/data'
	sc stop web
	same "$output" web
	run ! sc-cg stat "sc/$id"
	[ ! -e /run/netns/web ]
	sc start web
	same "$(id12 web)" "$id"
	sc-cg stat "sc/$id" >/dev/null
	unlike "$(cat /var/run/container/web/pid)" "$pid *"
	sc inspect --format '{{.NetworkSettings.IPAddress}}' web
	same "$output" "$address"
	sc exec web cat /data
	same "$output" kept
	sc rm -f web
}

@test "start: an address that another container took meanwhile is left to it" {
	local address
	running w1
	sc inspect --format '{{.NetworkSettings.IPAddress}}' w1
	address=$output
	sc stop w1
	sc-ipam --db=/var/lib/scadm/scadm.db take bridge "$address" other
	sc start w1
	sc inspect --format '{{.NetworkSettings.IPAddress}}' w1
	[ "$output" != "$address" ]
	same "$(scadm exec w1 ip -4 -o addr show eth0 | awk '{ print $4 }')" "$output/16"
	sc-ipam --db=/var/lib/scadm/scadm.db drop bridge "$address" --owner=other
	sc rm -f w1
}

# ignores NAME SIGNAL - does the first process of a container ignore the signal by now?
ignores() {
	local pid mask
	read -r pid _ <"/var/run/container/$1/pid"
	mask=$(sed -n 's/^SigIgn:[[:space:]]*//p' "/proc/$pid/status")
	[ $((0x$mask >> ($(kill -l "$2") - 1) & 1)) -eq 1 ]
}

@test "stop: what ignores TERM is killed after its time, no earlier and not much later" {
	local start took
	sc create --name=hard busybox sh -c 'trap "" TERM; while :; do sleep 0.1; done'
	# a machine that stood still meanwhile: once more
	for _ in 1 2 3 4 5; do
		sc start hard
		wait_until 20 ignores hard TERM
		start=$(date +%s%N)
		sc stop -t 1 hard
		took=$((($(date +%s%N) - start) / 1000000))
		echo "took $took ms"
		sc inspect --format '{{.State.ExitCode}}' hard
		same "$output" 137
		[ "$took" -ge 1000 ]
		[ "$took" -ge 5000 ] || break
	done
	[ "$took" -lt 5000 ]
	sc rm hard
	sc run -d --name=hard --stop-timeout=0 busybox sh -c 'trap "" TERM; while :; do sleep 0.1; done'
	sc stop hard
	sc rm hard
}

@test "stop: asks with the stop signal of the container" {
	sc run -d --name=usr --stop-signal=USR1 busybox sh -c 'trap "exit 9" USR1; while :; do sleep 0.1; done'
	wait_until 20 catches usr USR1
	sc stop usr
	sc inspect --format '{{.State.ExitCode}}' usr
	same "$output" 9
	sc start usr
	sc 125 stop -s NOPE usr
	sc stop -s KILL usr
	sc inspect --format '{{.State.ExitCode}}' usr
	same "$output" 137
	sc rm usr
}

@test "stop: a paused container ends too" {
	running calm
	sc pause calm
	sc stop calm
	sc inspect --format '{{.State.ExitCode}}' calm
	same "$output" 0
	sc rm calm
}

@test "stop: of one that has ended, or never ran, is done; an unknown name is an error and stops nothing" {
	running r1
	sc 125 stop r1 nobody
	sc inspect --format '{{.State.Running}}' r1
	same "$output" true
	sc stop r1
	sc stop r1
	sc rm r1
}

@test "wait: prints the exit status, of a running container when it has ended" {
	local waiter
	sc run -d --name=w5 busybox sh -c 'sleep 0.3; exit 5'
	sc wait w5
	same "$output" 5
	sc wait w5
	same "$output" 5
	sc rm w5
	sc run -d --rm --name=w6 busybox sh -c 'trap "exit 6" USR1; while :; do sleep 0.1; done'
	wait_until 20 catches w6 USR1
	scadm wait w6 >"$BATS_TEST_TMPDIR/waited" 3>&- &
	waiter=$!
	wait_until 20 pgrep -fx 'flock -s 7'
	sc kill -s USR1 w6
	wait "$waiter"
	same "$(cat "$BATS_TEST_TMPDIR/waited")" 6
}

@test "wait, inspect: one that has ended this moment has the status it ended with, however late sc-clone tells it" {
	local pid parent verb
	for verb in wait 'inspect --format {{.State.ExitCode}}'; do
		sc run -d --name=late busybox sh -c 'trap "exit 5" USR1; while :; do sleep 0.1; done'
		wait_until 20 catches late USR1
		read -r pid _ </var/run/container/late/pid
		parent=$(ps -o ppid= -p "$pid" | tr -d ' ')
		kill -STOP "$parent"
		kill -USR1 "$pid"
		wait_until 20 grep -q '^State:.Z' "/proc/$pid/status"
		(
			sleep 0.5
			kill -CONT "$parent"
		) 3>&- &
		# words without blanks
		# shellcheck disable=SC2086
		sc $verb late
		same "$output" 5
		wait "$!"
		sc rm late
	done
}

@test "restart: another process, the same container" {
	local pid
	running again
	read -r pid _ </var/run/container/again/pid
	sc restart again
	unlike "$(cat /var/run/container/again/pid)" "$pid *"
	sc rm -f again
}

@test "S25: run -d holds nothing of its caller, not even descriptors that no shell can name" {
	local pid terminal
	exec 42<"$BATS_TEST_FILENAME" 7<"$BATS_TEST_FILENAME"
	sc run -d --name=apart busybox sleep 100
	exec 42<&- 7<&-
	for pid in $(pgrep -f 'scadm-supervise -- apart|sc-log|sc-clone'); do
		run ! sh -c "ls -l /proc/$pid/fd | grep -F 47-life"
		terminal=$(ps -o tty= -p "$pid" | tr -d ' ')
		# of the test before, and only now at its end
		[ "$terminal" ] || [ -e "/proc/$pid" ] || continue
		same "$terminal" '?'
	done
	sc rm -f apart
}

@test "--init: zombies are reaped, and the first process passes signals on" {
	requires catatonit
	sc run -d --name=nurse --init busybox sh -c '(sh -c "sleep 0.1 & exec sleep 0.3" &); exec sleep 100'
	# the head, the init and `sleep 100`: whoever else there was has come and gone
	wait_until 20 sh -c 'scadm top nurse | awk "/:[0-9][0-9] sleep 100/ { slept = 1 } END { exit !(slept && NR == 3) }"'
	sc top nurse
	unlike "$output" '*defunct*'
	like "$(scadm exec nurse cat /proc/1/comm)" '*init*'
	run ! scadm exec nurse sh -c ': >>/dev/init'
	sc stop -t 60 nurse
	sc inspect --format '{{.State.ExitCode}}' nurse
	same "$output" 143
	sc rm nurse
}

@test "--rm: a detached container is removed when it has ended, a created one after its first run" {
	sc run -d --rm --name=gone busybox true
	wait_until 30 test ! -e /var/lib/scadm/containers/gone
	sc create --rm --name=gone busybox true
	sc start gone
	wait_until 30 test ! -e /var/lib/scadm/containers/gone
}

@test "start: a failing step takes back the steps before it, and the container stays as it was" {
	sc create --name=half busybox true
	mkdir "$BATS_TEST_TMPDIR/bin"
	printf '#!/bin/sh\nexit 3\n' >"$BATS_TEST_TMPDIR/bin/sc-netns"
	chmod +x "$BATS_TEST_TMPDIR/bin/sc-netns"
	cp -a "$SC_HELPERS"/. "$BATS_TEST_TMPDIR/bin.all"
	cp "$BATS_TEST_TMPDIR/bin/sc-netns" "$BATS_TEST_TMPDIR/bin.all/sc-netns"
	SC_HELPERS=$BATS_TEST_TMPDIR/bin.all sc 125 start half
	like "$stderr" '*failed (3): sc-netns *'
	sc start -a half
	sc rm half
}

@test "start: of a command that is not there is 127, of one that cannot run 126, as run says" {
	sc create --name=miss busybox nosuchprogram
	sc 127 start -a miss
	sc 127 start miss
	like "$stderr" '*nosuchprogram*'
	sc rm miss
	sc create --name=miss busybox /etc/passwd
	sc 126 start -a miss
	sc rm miss
}

@test "start, stop: the plan that -n prints does the same" {
	sc create --name=plan busybox sleep 100
	sc -n start plan
	sh -e <<<"$output" 3>&-
	sc inspect --format '{{.State.Running}}' plan
	same "$output" true
	sc -n stop -t 0 plan
	sh -e <<<"$output" 3>&-
	sc inspect --format '{{.State.Running}} {{.State.ExitCode}}' plan
	same "$output" 'false 137'
	sc rm plan
}

@test "create: the plan that -n prints makes the same record" {
	sc -n create --name=twin -v /tmp:/mnt -l a=b busybox sh -c 'echo "x y"'
	sh -e <<<"$output" >/dev/null 3>&-
	world --normal | grep twin >"$BATS_TEST_TMPDIR/planned"
	sc rm twin
	sc create --name=twin -v /tmp:/mnt -l a=b busybox sh -c 'echo "x y"'
	world --normal | grep twin >"$BATS_TEST_TMPDIR/made"
	diff "$BATS_TEST_TMPDIR/planned" "$BATS_TEST_TMPDIR/made"
	sc rm twin
}

@test "recreate: a new container by the same line, under the same name" {
	local id
	running old
	id=$(id12 old)
	sc exec old touch /written
	sc recreate old
	[ "$(id12 old)" != "$id" ]
	sc inspect --format '{{.State.Running}}' old
	same "$output" true
	sc 1 exec old test -e /written
	sc inspect --cmd old
	like "$output" "*scadm run -d --name=old busybox sh -c 'trap *"
	sc rm -f old
}

@test "recreate: when the new one cannot be made the old one is back" {
	local id
	sc create --name=stay --cidfile="$BATS_TEST_TMPDIR/cid" busybox true
	id=$(id12 stay)
	# the file is there now, which create refuses
	sc 125 recreate stay
	same "$(id12 stay)" "$id"
	sc rm stay
}

@test "S18: ten starts of one container at once start it once" {
	local n
	sc create --name=race busybox sleep 100
	for ((n = 0; n < 10; n++)); do
		scadm start race >/dev/null 2>&1 3>&- &
	done
	wait
	same "$(pgrep -fc 'scadm-supervise -- race')" 1
	sc rm -f race
}
