#!/usr/bin/env bats
# logs and attach: what containers write, and being there

load helpers
load ready

setup() {
	sc_setup
	cd "$BATS_TEST_TMPDIR" || return
	log=
}

teardown() {
	tmux -L logs kill-server 2>/dev/null 3>&- || :
	tmux -L logs2 kill-server 2>/dev/null 3>&- || :
	# of a test that failed
	[ ! -e /var/run/container/c ] || scadm rm -f c 3>&-
	sc_teardown
}

# detached NAME OPTION... -- SHELL-TEXT - a busybox in the background; sets $log
detached() {
	local name="$1" options=()
	shift
	while [ "$1" != -- ]; do
		options+=("$1")
		shift
	done
	scadm run -d --name="$name" "${options[@]}" busybox sh -c "$2" >id 3>&-
	log=/var/run/container/$name/container.log
}

# waits_for NAME TEXT - until the container has written it
waits_for() {
	wait_until 20 grep -q -- "$2" "/var/run/container/$1/container.log"
}

# tell NAME SIGNAL - a signal to the first process of a container, past scadm
tell() {
	local pid
	read -r pid _ <"/var/run/container/$1/pid"
	kill "-$2" "$pid"
}

# supervised NAME - the processes scadm left running for a container
supervised() {
	local supervisor
	supervisor=$(basename "$(echo /var/run/container/.owners/*:containers:"$1")")
	supervisor=${supervisor%%:*}
	echo "$supervisor"
	# the shell's child is sc-log or sc-tty, the child of that sc-clone; whose child is the container
	pgrep -P "$supervisor"
	pgrep -P "$(pgrep -P "$supervisor")"
}

@test "logs: both streams, each on its own; tail, times, one stream; a container that runs, one that has ended" {
	# one after the other is in the log: of two pipes with something in them either may be read first
	detached c -- 'trap "echo last; exit 3" USR1; trap "echo err >&2" USR2; trap "echo more" HUP; echo out; while :; do sleep 0.05; done'
	waits_for c out
	tell c USR2
	waits_for c err
	tell c HUP
	waits_for c more
	sc logs c
	same "$output" $'out\nmore'
	same "$stderr" err
	sc logs --stderr c
	same "$output$stderr" err
	sc logs -n 1 "$(cat id)"
	same "$output$stderr" more
	sc logs --tail=2 -t c
	like "$output" '????-??-??T??:??:??.?????????Z more'
	like "$stderr" '????-??-??T??:??:??.?????????Z err'
	sc logs -n all c
	same "$output" $'out\nmore'
	scadm logs -f c >followed 2>followed.err 3>&- &
	follower=$!
	wait_until 20 grep -q more followed
	tell c USR1
	ends "$follower" 0
	same "$(cat followed)" $'out\nmore\nlast'
	same "$(cat followed.err)" err
	sc logs --tail 1 c
	same "$output" last
	same "$(stat -c %a "$log")" 600
	sc rm -f c
}

@test "logs --since, --until: RFC 3339, how long ago, seconds" {
	detached c -- 'trap "echo two; exit" USR1; echo one; while :; do sleep 0.05; done'
	waits_for c one
	first=$(awk '{ print $1; exit }' "$log")
	# a whole second lies between the two
	wait_until 20 sh -c "[ \"\$(date +%s)\" -ge $(($(date -d "$first" +%s) + 2)) ]"
	tell c USR1
	waits_for c two
	sc logs --since "$first" c
	same "$output" $'one\ntwo'
	sc logs --until "$first" c
	same "$output" one
	sc logs --since "$(date -d "$first + 1 second" +%s)" c
	same "$output" two
	sc logs --since 1h30m --until 0s c
	same "$output" $'one\ntwo'
	sc logs --until 10m c
	same "$output" ""
	sc logs --since 2000-01-01 c
	same "$output" $'one\ntwo'
	for bad in yesterday 5x -1m 2026-13-01 '2026-11-22T07:00:00Z;x' 1m30 '' h 99999999999h; do
		sc 125 logs --since "$bad" c
		like "$stderr" 'scadm: *--since*'
	done
	sc rm -f c
}

@test "logs: a container that never ran has none, one with --log-driver=none keeps none; bad options" {
	sc create --name=c busybox true
	sc logs c
	same "$output$stderr" ""
	sc logs -f c
	sc rm c
	sc run -d --name=c --log-driver=none busybox sh -c 'echo lost; sleep 100'
	sc 125 logs c
	like "$stderr" '*--log-driver=none*'
	sc 125 attach c
	[ ! -e /var/run/container/c/container.log ]
	[ ! -s /var/run/container/c/supervise.log ]
	sc rm -f c
	sc 125 logs
	sc 125 logs nobody
	sc 125 logs --tail x nobody
	sc 125 logs --details nobody
	sc 125 logs a b
	for bad in --log-driver=syslog --log-opt=max-size=x --log-opt=max-size=0 --log-opt=max-file=0 --log-opt=labels=x \
		--log-opt=max-file=1000 --log-opt=max-size=9999999999g; do
		sc 125 run --rm "$bad" busybox true
	done
}

@test "--log-opt: the log is kept in files of a size, logs reads them all; inspect tells" {
	detached c --log-driver=json-file --log-opt max-size=10k --log-opt max-file=3 -- 'seq 1 2000'
	scadm wait c 3>&-
	same "$(tail -n 1 "$log" | cut -d ' ' -f 4)" 2000
	same "$(find /var/run/container/c/ -name 'container.log*' | wc -l)" 3
	[ "$(stat -c %s "$log.1")" -le 10240 ]
	scadm logs c >got 3>&-
	seq "$(head -n 1 got)" 2000 | cmp - got
	[ "$(wc -l <got)" -gt 400 ]
	same "$(field c '.HostConfig.LogConfig.Config."max-size"')" 10k
	same "$(field c '.HostConfig.LogConfig.Config."max-file"')" 3
	# the options outlive a stop
	sc start c
	scadm wait c 3>&-
	wait_until 20 released c
	scadm logs c >got 3>&-
	same "$(tail -n 1 got)" 2000
	same "$(find /var/run/container/c/ -name 'container.log*' | wc -l)" 3
	sc rm -f c
}

@test "S16: logs: fake records, NUL, CR, a line of 300 KB, 8 MB: byte for byte, twice" {
	{
		printf '2026-11-22T07:00:00.000000000Z stderr F not a record\n'
		printf 'nul \0 cr \r\n'
		head -c 300000 /dev/zero | tr '\0' x
		printf '\n'
		head -c 8388608 /dev/urandom
	} >all
	mkdir data
	mv all data
	sc run -d --name=c -v "$PWD/data:/data:ro" busybox cat /data/all
	scadm wait c 3>&-
	scadm logs c 3>&- | cmp - data/all
	sc start c
	scadm wait c 3>&-
	scadm logs c 3>&- | cmp - <(cat data/all data/all)
	sc rm -f c
}

@test "logs -f ends with the container, also when all of scadm's processes are killed" {
	detached c -- 'echo up; sleep 100'
	waits_for c up
	scadm logs -f c >followed 3>&- &
	follower=$!
	wait_until 20 grep -q up followed
	pids=$(supervised c)
	read -r pid _ </var/run/container/c/pid
	# three numbers
	# shellcheck disable=SC2086
	kill -9 $pids "$pid"
	ends "$follower" 0
	sc rm -f c
}

@test "logs: what a container wrote is there when wait has told its end, however late it is written down" {
	local clone writer
	detached c -- 'trap "seq 1 10000; exit 3" USR1; echo up; while :; do sleep 0.05; done'
	waits_for c up
	read -r pid _ </var/run/container/c/pid
	clone=$(ps -o ppid= -p "$pid" | tr -d ' ')
	writer=$(ps -o ppid= -p "$clone" | tr -d ' ')
	kill -STOP "$writer"
	kill -USR1 "$pid"
	(
		wait_until 20 grep -q '^State:.Z' "/proc/$clone/status" || :
		sleep 0.5
		kill -CONT "$writer"
	) 3>&- &
	sc wait c
	same "$output" 3
	scadm logs c 3>&- | cmp - <(
		echo up
		seq 1 10000
	)
	wait "$!"
	sc rm c
}

@test "logs: what could not be started says why" {
	sc 127 run -d --name=c busybox no-such-program
	like "$stderr" '*no-such-program*'
	[ ! -e /var/run/container/c ]
}

@test "logs of a container with a terminal" {
	sc run -dt --name=c --log-opt max-size=1m busybox sh -c 'echo out; echo err >&2; test -t 1 && echo terminal'
	scadm wait c 3>&-
	sc logs c
	same "$output" $'out\r\nerr\r\nterminal\r'
	same "$stderr" ""
	same "$(stat -c %a /var/run/container/c/container.log)" 600
	sc rm -f c
}

@test "attach: what comes from now on, signals, the container's status" {
	detached c -- 'trap "echo got it; exit 9" TERM; echo up; n=0; while :; do sleep 0.1; n=$((n + 1)); echo tick $n; done'
	waits_for c up
	scadm attach c >seen 3>&- &
	here=$!
	wait_until 20 grep -q tick seen
	kill -TERM "$here"
	ends "$here" 9
	unlike "$(cat seen)" '*up*'
	like "$(tail -n 1 seen)" 'got it'
	sc 125 attach c
	like "$stderr" '*does not run*'
	sc 125 attach nobody
	sc 125 attach --sig-proxy=perhaps c
	sc rm -f c
	# one that was killed
	detached c -- 'sleep 100'
	scadm attach c 3>&- &
	here=$!
	wait_until 20 pgrep -f 'sc-log read.*--follow'
	read -r pid _ </var/run/container/c/pid
	kill -9 "$pid"
	ends "$here" 137
	sc rm -f c
}

@test "attach --sig-proxy=false: a signal ends only us" {
	detached c -- 'echo up; sleep 100'
	waits_for c up
	scadm attach --sig-proxy=false c 3>&- &
	here=$!
	wait_until 20 pgrep -f 'sc-log read.*--follow'
	kill -TERM "$here"
	ends "$here" 143
	wait_until 20 sh -c '! pgrep -f "[s]c-log read"'
	same "$(field c .State.Running)" 1
	sc rm -f c
}

@test "attach: what is typed arrives, from one after the other; --no-stdin only looks" {
	detached c -i -- 'while read -r line; do echo "heard $line"; [ "$line" != end ] || exit 4; done'
	wait_until 20 [ -p /var/run/container/c/stdin ]
	mkfifo keys
	scadm attach c <keys >seen 3>&- &
	here=$!
	exec 8>keys
	echo one >&8
	wait_until 20 grep -q 'heard one' seen
	echo ignored | scadm attach --no-stdin c >looked 3>&- 8>&- &
	looker=$!
	wait_until 20 sh -c 'pgrep -fc "[s]c-log read" | grep -qx 2'
	# the end of one's input is not that of the container
	exec 8>&-
	echo end >/var/run/container/c/stdin
	ends "$here" 4
	ends "$looker" 4
	same "$(cat seen)" $'heard one\nheard end'
	same "$(cat looked)" 'heard end'
	sc rm -f c
}

@test "attach: the status of a container with --rm" {
	sc run -d --rm --name=c busybox sh -c 'trap "exit 6" USR1; echo up; while :; do sleep 0.05; done'
	waits_for c up
	scadm attach c 3>&- &
	here=$!
	wait_until 20 pgrep -f 'sc-log read.*--follow'
	kill -USR1 "$here"
	ends "$here" 6
	wait_until 20 [ ! -e /var/run/container/c ]
}

@test "attach: a container with a terminal; the detach keys leave it running" {
	requires tmux
	sc run -dit --name=c busybox sh
	tmux -L logs -f /dev/null new-session -d -s t -x 80 -y 24 "scadm attach --detach-keys=ctrl-x,d c; echo left with \$?; exec sleep 60" 3>&-
	wait_until 20 [ -S /var/run/container/c/console ]
	tmux -L logs send-keys -t t 'echo here-$((1+1))' Enter
	wait_until 20 sh -c 'tmux -L logs capture-pane -p -t t | grep -q here-2'
	tmux -L logs send-keys -t t C-x d
	wait_until 20 sh -c 'tmux -L logs capture-pane -p -t t | grep -q "left with 0"'
	same "$(field c .State.Running)" 1
	tmux -L logs kill-server
	# that one may still be on its way out
	tmux -L logs2 -f /dev/null new-session -d -s t -x 80 -y 24 "scadm attach c; echo left with \$?; exec sleep 60" 3>&-
	tmux -L logs2 send-keys -t t 'exit 5' Enter
	wait_until 20 sh -c 'tmux -L logs2 capture-pane -p -t t | grep -q "left with 5"'
	sc rm -f c
}

# light NAME - do the processes scadm left running for a container have at most 1.5 MB for themselves?
light() {
	local pid pss total=0
	for pid in $(supervised "$1"); do
		pss=$(awk '/^Pss:/ { print $2 }' "/proc/$pid/smaps_rollup")
		echo "$(cat "/proc/$pid/comm") $pss KiB"
		total=$((total + pss))
	done
	[ "$total" -gt 0 ] && [ "$total" -le 1536 ]
}

@test "a detached container costs at most 1.5 MB of memory, without its own" {
	requires plain_helpers
	for terminal in '' -t; do
		detached c $terminal -- 'echo up; sleep 100'
		waits_for c up
		same "$(supervised c | wc -l)" 3
		# what only the start needed is let go after half a second, in which nothing happens
		wait_until 20 light c
		sc rm -f c
	done
}

@test "64 MB/s for 3 s: nothing is lost, and two readers of logs -f do not slow the container down" {
	requires pv plain_helpers
	mkdir data
	mkfifo data/pipe
	seq 10000001 13200000 | sed 's/$/ a line of what a service may say of itself at a busy time/' >all
	[ "$(stat -c %s all)" -ge $((64 * 1024 * 1024 * 3)) ]
	# a machine that others use too: once more, if there were others
	begin=$SECONDS
	while :; do
		for readers in 0 2; do
			scadm run -d --name=c -v "$PWD/data:/data" busybox sh -c 'cat /data/pipe' >id 3>&-
			pids=
			for ((n = 0; n < readers; n++)); do
				scadm logs -f c 3>&- | cmp - all 3>&- &
				pids="$pids $!"
			done
			start=$(date +%s%N)
			pv -q -L 64M all >data/pipe
			scadm wait c 3>&-
			took[readers]=$((($(date +%s%N) - start) / 1000000))
			for pid in $pids; do
				ends "$pid" 0
			done
			scadm logs c 3>&- | cmp - all
			sc rm -f c
		done
		echo "alone ${took[0]} ms, with two readers ${took[2]} ms"
		[ "${took[2]}" -gt $((took[0] * 115 / 100)) ] && [ $((SECONDS - begin)) -lt 75 ] || break
	done
	[ "${took[2]}" -le $((took[0] * 115 / 100)) ]
}
