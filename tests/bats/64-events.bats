#!/usr/bin/env bats
# events: what happened, in docker's words

load helpers
load ready

# teardown - nothing of a failed test is left
teardown() {
	scadm ps -aq 2>/dev/null | xargs -r scadm rm -f >/dev/null 2>&1 3>&-
	[ -z "${follower:-}" ] || kill "$follower" 2>/dev/null || :
	sc_teardown
}

# emit TYPE ACTION ID NAME [KEY=VALUE]... - note an event, as the verbs do
emit() {
	sh -c '. "$ROOT/lib.sh"; . "$ROOT/lib/event.sh"; event "$@"' "$ROOT/bin/scadm-" "$@"
}

# so_far [OPTION]... - sets $output to the events since the beginning of the test
so_far() {
	sc events --since "$began" --until 0s "$@"
}

# setup - the beginning of a test
setup() {
	sc_setup
	began=$(date +%s.%N)
}

# lines_of FILE NUMBER - has it so many lines?
lines_of() {
	[ "$(wc -l <"$1")" -eq "$2" ]
}

# helpers_of PID - print the processes below it
helpers_of() {
	cat "/proc/$1/task/$1/children"
}

# a_second_after TIME - is it a second later?
a_second_after() {
	awk -v now="$(date +%s.%N)" -v then="$1" 'BEGIN { exit !(now - then > 1) }'
}

@test "events: the life of a container" {
	scadm run -d --name=web busybox sleep 1000 >/dev/null 3>&-
	sc rm -f web
	wait_until 20 sh -c "scadm events --since $began --until 0s | grep -q 'container destroy'"
	so_far -f container=web --format '{{.Type}} {{.Action}} {{.Actor.Attributes.name}}'
	like "$output" $'container create web\ncontainer start web\n*'
	like "$output" $'*container die web*'
	like "$output" $'*container destroy web'
	so_far -f event=start
	like "$output" '20??-??-??T??:??:??.?????????Z container start * (image=busybox:latest, name=web)'
}

@test "events: a container comes to its networks when it starts, and leaves them when it ends" {
	scadm network create two >/dev/null 3>&-
	scadm run --net=bridge,two --name=short busybox true 3>&-
	scadm run -d --name=long busybox sleep 1000 >/dev/null 3>&-
	sc rm -f long
	wait_until 20 sh -c "scadm events --since $began --until 0s | grep -q 'container destroy'"
	so_far -f type=network -f event=connect -f event=disconnect --format '{{.Action}} {{.Actor.Attributes.name}} {{.Actor.Attributes.type}}'
	same "$output" $'connect bridge bridge\nconnect two bridge\ndisconnect bridge bridge\ndisconnect two bridge\nconnect bridge bridge\ndisconnect bridge bridge'
	so_far -f type=network -f event=connect --format '{{.Actor.Attributes.container}}'
	same "${#lines[0]}" 64
	scadm network rm two 3>&-
}

@test "events: fields, JSON, and what is not there" {
	emit container die 0123456789ab web image=busybox:latest exitCode=3
	emit volume create data data
	so_far --format json
	like "${lines[0]}" '{"status":"die","id":"0123456789ab","from":"busybox:latest","Type":"container","Action":"die","Actor":{"ID":"0123456789ab","Attributes":{"exitCode":"3","image":"busybox:latest","name":"web"}},"scope":"local","time":??????????,"timeNano":???????????????????}'
	same "$(sqlite3 :memory: "SELECT json_valid('${lines[1]}')")" 1
	so_far --format '{{.Type}}/{{.Action}}/{{.ID}}/{{.Actor.ID}}/{{.From}}/{{.Actor.Attributes.exitCode}}'
	same "$output" $'container/die/0123456789ab/0123456789ab/busybox:latest/3\nvolume/create/data/data//<no value>'
	so_far --format '{{range $k, $v := .Actor.Attributes}}{{$k}}={{$v}} {{end}}'
	same "${lines[0]}" 'exitCode=3 image=busybox:latest name=web '
	sc 125 events --since "$began" --until 0s --format '{{.Nope}}'
	same "$output" ''
	sc 125 events --since "$began" --until 0s --format '{{.Actor.Nope}}'
	same "$output" ''
	sc 125 events --format 'table {{.Type}}'
	sc 125 events --since never
	sc 125 events -f what=ever
	sc 125 events word
}

@test "events: filters, --since and --until" {
	local middle now
	emit container start aaaaaaaaaaaa web image=busybox:latest
	emit image pull alpine:3 alpine:3
	emit volume create data data
	# on both sides more than --since and --until may be wrong by: two clocks are compared
	now=$(date +%s.%N)
	wait_until 20 a_second_after "$now"
	middle=$(date +%s.%N)
	wait_until 20 a_second_after "$middle"
	emit container stop aaaaaaaaaaaa web image=busybox:latest
	while IFS='|' read -r pair actions; do
		# split on purpose: several filters in one line
		# shellcheck disable=SC2086
		so_far $pair --format '{{.Action}}'
		same "${output//$'\n'/ }" "$actions"
	done <<-'END'
		|start pull create stop
		-f type=container|start stop
		-f type=image -f type=volume|pull create
		-f event=stop|stop
		-f container=web|start stop
		-f container=aaaaaa|start stop
		-f container=aaaaaaaaaaaabbbbbbbb -f event=start|start
		-f container=w|
		-f image=busybox|start stop
		-f image=alpine:3|pull
		-f volume=data|create
		-f label=image=busybox:latest|start stop
	END
	sc events --since "$middle" --until 0s --format '{{.Action}}'
	same "$output" stop
	sc events --since "$began" --until "$middle" --format '{{.Action}}'
	same "$output" $'start\npull\ncreate'
}

@test "events: follows, ends at a signal at once, and leaves no process" {
	local signal child
	for signal in TERM INT KILL; do
		# a job in the background of a script ignores INT
		env --default-signal=INT scadm events >"$BATS_TEST_TMPDIR/$signal" 3>&- &
		follower=$!
		wait_until 20 sh -c "[ \$(wc -w </proc/$follower/task/$follower/children) = 2 ]"
		child=$(helpers_of "$follower")
		wait_until 20 sh -c "for pid in $child; do tr '\\0' ' ' </proc/\$pid/cmdline; done | grep -q '^tail'"
		emit container start aaaaaaaaaaaa "by-$signal"
		wait_until 20 grep -q "name=by-$signal" "$BATS_TEST_TMPDIR/$signal"
		emit container stop aaaaaaaaaaaa "by-$signal"
		wait_until 20 lines_of "$BATS_TEST_TMPDIR/$signal" 2
		kill -s "$signal" "$follower"
		wait_until 20 sh -c "! [ -e /proc/$follower ] || grep -q '^State:.Z' /proc/$follower/status"
		for child in $child; do
			wait_until 20 sh -c "! [ -e /proc/$child ] || grep -q '^State:.Z' /proc/$child/status"
		done
		wait "$follower" || :
		follower=''
	done
}

@test "events: --until in a moment ends then" {
	local started="$SECONDS"
	emit container start aaaaaaaaaaaa early
	sc events --until "$(($(date +%s) + 2))" -f container=early --format '{{.Action}}'
	same "$output" start
	# and not when the next event comes, of which there is none
	[ $((SECONDS - started)) -le 30 ]
}

@test "S16: an event is one line whatever a name has in it" {
	emit container start aaaaaaaaaaaa web $'image=a\nb\tc\x1b[0m"\\'
	so_far
	same "${#lines[@]}" 1
	unlike "$output" $'*\x1b*'
	so_far --format '{{.From}}'
	# the backslash in single quotes is meant
	# shellcheck disable=SC1003
	same "$output" 'a?b?c?[0m"\'
	so_far --format json
	same "$(sqlite3 :memory: "SELECT json_valid('${output//\'/\'\'}')")" 1
	# a line that a full disk cut short hurts nobody
	printf '12.3\tcontainer\nnonsense\n' >>/var/run/container/.events.log
	so_far --format '{{.Action}}'
	same "$output" start
}

@test "events: many at once lose no line, and the log is bounded" {
	local n size
	sh -ec '. "$ROOT/lib.sh"; . "$ROOT/lib/event.sh"
		i=0; while [ "$i" -lt 12000 ]; do printf "1.00\tcontainer\tfill\tx\ty\timage=%070d\n" "$i"; i=$((i + 1)); done >>"$SC_RUN/.events.log"' "$ROOT/bin/scadm-"
	for n in 1 2 3 4; do
		sh -ec '. "$ROOT/lib.sh"; . "$ROOT/lib/event.sh"
			i=0; while [ "$i" -lt 250 ]; do event container mark "$1-$i" "$1-$i"; i=$((i + 1)); done' "$ROOT/bin/scadm-" "$n" 3>&- &
	done
	wait
	scadm events --since "$began" --until 0s -f event=mark --format '{{.ID}}' >"$BATS_TEST_TMPDIR/marks"
	same "$(sort -u "$BATS_TEST_TMPDIR/marks" | wc -l)" 1000
	same "$(wc -l <"$BATS_TEST_TMPDIR/marks")" 1000
	# a second file is all that there ever is
	wait_until 20 sh -ec '. "$ROOT/lib.sh"; . "$ROOT/lib/event.sh"; event_rotate; event container last x y; [ "$(wc -c <"$SC_RUN/.events.log")" -le 1025000 ]' "$ROOT/bin/scadm-"
	size=$(cat /var/run/container/.events.log* | wc -c)
	[ "$size" -lt 2100000 ]
	same "$(stat -c %a /var/run/container/.events.log)" 600
	rm -f /var/run/container/.events.log.1
}

@test "events: a plan notes nothing" {
	sc -n run -d --name=web busybox true
	so_far
	same "$output" ''
}
