#!/usr/bin/env bats
# health checks: the options, the check, and what is told of it

load helpers
load ready

teardown() {
	[ ! -e "$BATS_TEST_TMPDIR/image.json" ] || cp "$BATS_TEST_TMPDIR/image.json" /var/lib/scadm/images/busybox*.json
	scadm rm -f h1 >/dev/null 2>&1 3>&- || true
	sc_teardown
}

# healthy TEXT - does the record say so?
healthy() {
	like "$(cat /var/lib/scadm/containers/h1/health)" "$1"
}

# checked - run a container that is healthy while /ok is there, looked at five times a second
checked() {
	scadm run -d --name=h1 --health-cmd 'echo "looked"; test -e /ok' --health-interval 200ms --health-timeout 5s --health-retries 2 "$@" busybox \
		sh -c 'trap "exit 3" TERM; while :; do sleep 0.1; done' >/dev/null 3>&-
}

@test "health: starting, then healthy or unhealthy as the test says, in ps too; and events tell of a change" {
	checked
	wait_until 30 healthy 'unhealthy *'
	sc ps --format '{{.Status}}'
	like "$output" 'Up *[(]unhealthy)'
	sc exec h1 touch /ok
	wait_until 30 healthy 'healthy 0'
	sc ps --format '{{.Status}}'
	like "$output" 'Up *[(]healthy)'
	wait_until 20 grep -q 'health_status: unhealthy' /var/run/container/.events.log
	wait_until 20 grep -q 'health_status: healthy' /var/run/container/.events.log
	sc exec h1 rm /ok
	wait_until 30 healthy 'unhealthy *'
}

@test "health: it is starting before the first check, and failures in the start period do not count" {
	checked --health-start-period 1h
	healthy 'starting 0'
	wait_until 30 test -s /var/lib/scadm/containers/h1/health.log
	healthy 'starting 0'
	sc exec h1 touch /ok
	wait_until 30 healthy 'healthy 0'
	sc exec h1 rm /ok
	wait_until 30 healthy 'unhealthy *'
}

@test "health: the last five results are kept, as lines of JSON" {
	checked
	wait_until 30 sh -c 'scadm exec h1 true; [ "$(wc -l </var/lib/scadm/containers/h1/health.log)" = 5 ] && grep -qE "unhealthy ([6-9]|[1-9][0-9])" /var/lib/scadm/containers/h1/health'
	run sqlite3 :memory: "SELECT json_extract(value, '\$.ExitCode') || json_extract(value, '\$.Output') FROM
		json_each('[' || rtrim(replace(CAST(readfile('/var/lib/scadm/containers/h1/health.log') AS TEXT), char(10), ','), ',') || ']')"
	same "$status" 0
	same "$output" '1looked
1looked
1looked
1looked
1looked'
}

@test "health: a check that takes too long is killed and counts as a failure" {
	scadm run -d --name=h1 --health-cmd 'sleep 7777' --health-interval 100ms --health-timeout 300ms --health-retries 1 busybox sleep 1000 >/dev/null 3>&-
	wait_until 30 healthy 'unhealthy *'
	like "$(cat /var/lib/scadm/containers/h1/health.log)" '*"ExitCode":-1,"Output":"Health check exceeded timeout*'
	sc rm -f h1
	wait_until 30 sh -c '! pgrep -f "sleep [7]777"'
}

@test "health: a check that writes without end, or odd bytes, hurts nobody" {
	scadm run -d --name=h1 --health-cmd 'yes "$(printf "\377\"\\\\")" | head -c 3000000' --health-interval 100ms --health-timeout 10s busybox sleep 1000 >/dev/null 3>&-
	wait_until 30 healthy 'healthy 0'
	[ "$(wc -c </var/lib/scadm/containers/h1/health.log)" -lt 70000 ]
	run sqlite3 :memory: "SELECT json_valid('[' || rtrim(replace(CAST(readfile('/var/lib/scadm/containers/h1/health.log') AS TEXT), char(10), ','), ',') || ']')"
	same "$output" 1
}

@test "health: the checks end with the container, are there again after a start, and outlive a rename" {
	checked
	wait_until 30 healthy 'unhealthy *'
	sc exec h1 touch /ok
	sc rename h1 h2
	wait_until 30 grep -q '^healthy' /var/lib/scadm/containers/h2/health
	sc rename h2 h1
	sc stop h1
	wait_until 30 sh -c '! pgrep -f "scadm-[h]ealth"'
	sc ps -a --format '{{.Status}}'
	unlike "$output" '*healthy*'
	sc start h1
	wait_until 30 healthy 'healthy 0'
}

@test "health: while it is paused there are no checks" {
	requires freezer
	checked
	wait_until 30 healthy 'unhealthy *'
	sc pause h1
	wait_until 30 sh -c 'a=$(cat /var/lib/scadm/containers/h1/health); sleep 0.7; [ "$a" = "$(cat /var/lib/scadm/containers/h1/health)" ]'
	sc unpause h1
	sc exec h1 touch /ok
	wait_until 30 healthy 'healthy 0'
}

@test "health: without a check nothing of it is there; --no-healthcheck turns off that of an image" {
	scadm run -d --name=h1 busybox sleep 1000 >/dev/null 3>&-
	[ ! -e /var/lib/scadm/containers/h1/health ]
	run pgrep -f 'scadm-[h]ealth'
	same "$output" ''
	sc 125 health h1
	like "$stderr" '*no health check*'
	sc rm -f h1
	sc create --name=h1 --no-healthcheck busybox true
	like "$(cat /var/lib/scadm/containers/h1/config.json)" '*"Healthcheck":{"Test":\["NONE"]}*'
	sc start h1
	[ ! -e /var/lib/scadm/containers/h1/health ]
}

@test "health: the check of an image is the default, and each option replaces its part" {
	cp /var/lib/scadm/images/busybox*.json "$BATS_TEST_TMPDIR/image.json"
	local file
	file=$(echo /var/lib/scadm/images/busybox*.json)
	sqlite3 :memory: "SELECT json_set(readfile('$BATS_TEST_TMPDIR/image.json'), '\$.config.Healthcheck', json('{\"Test\":[\"CMD\",\"test\",\"-e\",\"/ok it\"],\"Interval\":200000000,\"Retries\":1}'))" >"$file"
	scadm run -d --name=h1 busybox sleep 1000 >/dev/null 3>&-
	wait_until 30 healthy 'unhealthy *'
	sc exec h1 touch '/ok it'
	wait_until 30 healthy 'healthy 0'
	sc rm -f h1
	sc create --name=h1 --health-retries 7 busybox true
	like "$(cat /var/lib/scadm/containers/h1/config.json)" '*"Test":\["CMD","test","-e","/ok it"\],"Interval":200000000,"Retries":7}*'
}

# facts JSON - what scadm-health makes of such a Healthcheck: INTERVAL TIMEOUT START_PERIOD RETRIES, and the test
facts() {
	(
		cd "$BATS_TEST_TMPDIR" || exit
		printf '{"Config":{"Healthcheck":%s}}' "$1" >config.json
		sh -euc 'nl="
"; name=h1; die() { echo "died: $1"; exit 125; }
			eval "$(sed -n "/^health_settings() {/,/^}/p" "$0/bin/scadm-health")"
			health_settings; echo "$interval $timeout $start_period $retries $test"' "$ROOT"
	)
}

@test "health: what an image says of the times is taken within bounds: no loop without a pause, none that ends at once" {
	local test='"Test":["CMD","x"]'
	same "$(facts "{$test}")" '30.000 30.000 0 3 "CMD"
"x"'
	like "$(facts "{$test,\"Interval\":1,\"Timeout\":1,\"StartPeriod\":-1,\"Retries\":-7}")" '0.100 0.100 0 1 *'
	like "$(facts "{$test,\"Interval\":-1000000000,\"Timeout\":-1}")" '0.100 0.100 0 3 *'
	like "$(facts "{$test,\"Interval\":9223372036854775807,\"Timeout\":1e300,\"StartPeriod\":1e300,\"Retries\":9223372036854775807}")" '1000000.000 1000000.000 1000000000 99999 *'
	like "$(facts "{$test,\"Interval\":\"1s\",\"Timeout\":[1],\"StartPeriod\":{\"a\":1},\"Retries\":\"x y\"}")" '30.000 30.000 0 3 *'
	like "$(facts "{$test,\"Interval\":true,\"Timeout\":null,\"Retries\":2.7}")" '30.000 30.000 0 2 *'
	like "$(facts "{$test,\"Interval\":1500000000,\"Timeout\":2e9,\"StartPeriod\":3000000000,\"Retries\":4}")" '1.500 2.000 3000 4 *'
	like "$(facts '{"Test":["CMD",7,"x"]}')" 'died: *'
	like "$(facts '{"Test":"CMD"}')" 'died: *'
}

@test "health: an interval of one nanosecond is a tenth of a second" {
	cp /var/lib/scadm/images/busybox*.json "$BATS_TEST_TMPDIR/image.json"
	local file from to before after
	file=$(echo /var/lib/scadm/images/busybox*.json)
	sqlite3 :memory: "SELECT json_set(readfile('$BATS_TEST_TMPDIR/image.json'), '\$.config.Healthcheck', json('{\"Test\":[\"CMD\",\"sh\",\"-c\",\"echo >>/looks\"],\"Interval\":1}'))" >"$file"
	scadm run -d --name=h1 busybox sleep 1000 >/dev/null 3>&-
	wait_until 30 healthy 'healthy 0'
	# the clock is read first and last: a pause of our own makes the time longer, never shorter
	read -r from _ </proc/uptime
	before=$(scadm exec h1 cat /looks 3>&- | wc -l)
	wait_until 30 sh -c '[ "$(scadm exec h1 cat /looks | wc -l)" -ge 8 ]'
	after=$(scadm exec h1 cat /looks 3>&- | wc -l)
	read -r to _ </proc/uptime
	# no more than 10 a second, and one more at each end
	awk -v looks="$((after - before))" -v from="$from" -v to="$to" 'BEGIN {
		print looks, "looks in", to - from, "s"
		exit !(looks <= (to - from) * 10 + 2)
	}'
}

@test "health: options are read as docker reads them, and nonsense is refused" {
	local pair
	for pair in 1.5s=1500000000 1m30s=90000000000 08s=8000000000 1h=3600000000000 500ms=500000000; do
		sc create --name=h1 --health-cmd true --health-interval "${pair%=*}" busybox true
		like "$(cat /var/lib/scadm/containers/h1/config.json)" "*\"Interval\":${pair#*=}}*"
		sc rm h1
	done
	for pair in --health-interval=5 --health-interval=1x --health-interval= --health-timeout=-1s --health-interval=10us --health-start-period=s \
		--health-retries=0 --health-retries=x --health-cmd= --health-interval=999999999h; do
		sc 125 create --name=h1 --health-cmd true "$pair" busybox true
	done
	sc 125 create --name=h1 --health-interval=5s busybox true
	sc 125 create --name=h1 --no-healthcheck --health-cmd true busybox true
	[ ! -e /var/lib/scadm/containers/h1 ]
}

@test "S21: health: its supervisor killed -9, the checks end with it and come back with its successor" {
	local owner
	checked
	wait_until 30 healthy 'unhealthy *'
	owner=$(cd /var/run/container/.owners && echo *:containers:h1)
	kill -9 "${owner%%:*}"
	wait_until 30 sh -c '! pgrep -f "scadm-[h]ealth"'
	sc exec h1 touch /ok
	scadm gc 3>&-
	wait_until 30 healthy 'healthy 0'
}
