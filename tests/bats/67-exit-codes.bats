#!/usr/bin/env bats
# exit statuses as docker documents them, for run, exec, wait and start -a; signals; stop; zombies

load helpers
load ready

# table COMMAND... - run each line of stdin, a status and a command for sh in a container, behind COMMAND...
table() {
	local expected command status wrong=''
	while read -r expected command; do
		status=0
		"$@" sh -c "$command" </dev/null || status=$?
		printf '%s: %s\n' "$command" "$status"
		[ "$status" -eq "$expected" ] || wrong="$wrong; '$command' gave $status, not $expected"
	done
	same "$wrong" ''
}

# statuses - what a command can end with
statuses() {
	cat <<-'END'
		0 true
		1 false
		3 exit 3
		125 exit 125
		126 exit 126
		127 exit 127
		255 exit 255
		130 sh -c 'kill -INT $$'; exit $?
		137 sh -c 'kill -KILL $$'; exit $?
		143 sh -c 'kill -TERM $$'; exit $?
		127 no-such-command
		126 /etc/passwd
	END
}

@test "exit status of run: that of the command" {
	statuses | table apart scadm run --rm busybox
}

@test "exit status of exec: that of the command" {
	running one
	statuses | table apart scadm exec one
	sc 127 exec one /no/such
	sc 126 exec one /etc
	sc rm -f one
}

@test "exit status of run: 126 and 127 when the command cannot be started, 125 when scadm fails" {
	sc 127 run --rm busybox /no/such
	sc 127 run --rm busybox no-such
	sc 126 run --rm busybox /etc
	sc 126 run --rm busybox /etc/passwd
	sc 125 run --rm --no-such-option busybox true
	sc 125 run --rm no-such-image true
	sc 125 run --rm --name=a/b busybox true
	sc 125 run --rm -w relative busybox true
	same "$(scadm ps -aq)" ''
}

@test "exit status of exec, wait, start, stop, kill, rm: 125 when there is no such container, or it does not run" {
	local verb
	for verb in 'exec nobody true' 'wait nobody' 'start -a nobody' 'stop nobody' 'kill nobody' 'rm nobody' 'logs nobody' 'attach nobody' 'inspect nobody'; do
		# split on purpose
		# shellcheck disable=SC2086
		run apart scadm $verb
		echo "$verb: $status"
		[ "$status" -eq 125 ] || [ "$status,${verb%% *}" = 1,inspect ]
	done
	sc create --name=still busybox true
	sc 125 exec still true
	sc rm still
}

@test "exit status of wait and start -a: that of the container, from the first end and from each later one" {
	local code
	for code in 0 7 255; do
		sc create --name=ends busybox sh -c "exit $code"
		sc "$code" start -a ends
		sc wait ends
		same "$output" "$code"
		sc "$code" start -a ends
		sc rm ends
	done
	sc create --name=ends busybox no-such
	sc 127 start -a ends
	sc rm ends
	sc create --name=ends busybox /etc
	sc 126 start -a ends
	sc rm ends
}

@test "exit status of wait: 137 of what was killed, 143 of what TERM ended, several in a row" {
	scadm run -d --name=killed busybox sleep 100 3>&-
	scadm run -d --name=ended busybox sh -c 'trap "exit 143" TERM; while :; do sleep 0.1; done' 3>&-
	wait_until 20 catches ended TERM
	scadm wait killed ended >"$BATS_TEST_TMPDIR/codes" 3>&- &
	sc kill killed
	sc stop ended
	wait
	same "$(cat "$BATS_TEST_TMPDIR/codes")" $'137\n143'
	same "$(scadm inspect --format '{{.State.ExitCode}}' killed ended)" $'137\n143'
	sc rm killed ended
}

@test "signals to scadm in the foreground: INT, TERM and HUP reach the command, and its status is ours" {
	local signal code got pid
	for signal in INT:42 TERM:43 HUP:44; do
		code=${signal#*:} signal=${signal%:*} got=0
		rm -f "$BATS_TEST_TMPDIR/out"
		env --default-signal=INT scadm run --rm --name=foreground busybox sh -c \
			'trap "exit 42" INT; trap "exit 43" TERM; trap "exit 44" HUP; echo up; while :; do sleep 0.1; done' \
			>"$BATS_TEST_TMPDIR/out" 2>&1 </dev/null 3>&- &
		pid=$!
		wait_until 20 grep -qx up "$BATS_TEST_TMPDIR/out"
		kill -"$signal" "$pid"
		wait "$pid" || got=$?
		echo "$signal gave $got"
		same "$got" "$code"
		wait_until 20 [ ! -e /var/lib/scadm/containers/foreground ]
	done
}

@test "signals to scadm in the foreground: USR1 reaches the command" {
	local pid got=0
	scadm run --rm --name=foreground busybox sh -c 'trap "exit 45" USR1; echo up; while :; do sleep 0.1; done' \
		>"$BATS_TEST_TMPDIR/out" 2>&1 </dev/null 3>&- &
	pid=$!
	wait_until 20 grep -qx up "$BATS_TEST_TMPDIR/out"
	kill -USR1 "$pid"
	wait "$pid" || got=$?
	same "$got" 45
	[ ! -e /var/lib/scadm/containers/foreground ]
}

@test "signals to scadm in the foreground: what the command takes does not change its status" {
	local pid got code
	for code in 0 9 127 143; do
		got=0
		scadm run --rm --name=foreground busybox sh -c 'trap "echo heard" WINCH; trap "exit $0" USR1; echo up; while :; do sleep 0.1; done' "$code" \
			>"$BATS_TEST_TMPDIR/out" 2>&1 </dev/null 3>&- &
		pid=$!
		wait_until 20 grep -qx up "$BATS_TEST_TMPDIR/out"
		kill -WINCH "$pid"
		wait_until 20 grep -qx heard "$BATS_TEST_TMPDIR/out"
		kill -USR1 "$pid"
		wait "$pid" || got=$?
		same "$got" "$code"
	done
}

@test "signals to scadm in the foreground: KILL ends the container too, and gc leaves nothing" {
	local pid got=0
	scadm run --rm --name=lost busybox sleep 1000 >"$BATS_TEST_TMPDIR/out" 2>&1 </dev/null 3>&- &
	pid=$!
	wait_until 20 [ -s /var/run/container/lost/pid ]
	kill -KILL "$pid"
	wait "$pid" || got=$?
	same "$got" 137
	wait_until 20 sh -c '! pgrep -x -f "sleep 1000"'
	sc gc
	[ ! -e /var/lib/scadm/containers/lost ]
}

@test "stop: one that ignores TERM takes its time and no more, one that hears it ends at once (S21)" {
	local begin took=6000 try
	scadm run -d --name=deaf busybox sh -c 'trap "" TERM; while :; do sleep 1; done' 3>&-
	# a machine that stood still meanwhile is no finding: who takes more time does so each time
	for try in 1 2 3; do
		[ "$took" -ge 6000 ] || break
		[ "$try" = 1 ] || sc start deaf
		begin=${EPOCHREALTIME/./}
		sc stop -t 2 deaf
		took=$(((${EPOCHREALTIME/./} - begin) / 1000))
		echo "it took $took ms"
		[ "$took" -ge 2000 ]
	done
	[ "$took" -lt 6000 ]
	same "$(scadm inspect --format '{{.State.Running}} {{.State.ExitCode}}' deaf)" 'false 137'
	running hears
	begin=${EPOCHREALTIME/./}
	sc stop -t 30 hears
	[ $(((${EPOCHREALTIME/./} - begin) / 1000)) -lt 10000 ]
	sc rm deaf hears
}

# zombies NAME - how many there are in a container
zombies() {
	scadm exec "$1" sh -c 'grep -l "^State:.Z" /proc/[0-9]*/status 2>/dev/null | wc -l'
}

# settled NAME - has its command become `sleep 1000`, have the others ended, and is nobody a zombie?
settled() {
	local shown
	# whole lines: init, too, has these words among its own
	shown=$'\n'$(scadm exec "$1" ps -o args)$'\n'
	[[ $shown == *$'\nsleep 1000\n'* && $shown != *$'\nsleep 0.1\n'* ]] && [ "$(zombies "$1")" = 0 ]
}

@test "zombies: --init reaps them, without it they stay with a command that does not" {
	command -v catatonit >/dev/null || command -v tini >/dev/null || skip 'needs catatonit or tini'
	scadm run -d --name=reaped --init busybox sh -c 'sh -c "sleep 0.1 & sleep 0.1 & exit 0"; exec sleep 1000' 3>&-
	scadm run -d --name=left busybox sh -c 'sh -c "sleep 0.1 & sleep 0.1 & exit 0"; exec sleep 1000' 3>&-
	wait_until 20 sh -c '[ "$(scadm exec left sh -c "grep -l ^State:.Z /proc/[0-9]*/status | wc -l")" -ge 2 ]'
	wait_until 20 settled reaped
	same "$(zombies reaped)" 0
	sc rm -f reaped left
	sc 7 run --rm --init busybox sh -c 'exit 7'
}
