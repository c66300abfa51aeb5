#!/usr/bin/env bats
# what a reviewer broke once, by the number of the requirement

load helpers
load ready

@test "S19: what was not published cannot be reached from outside, answers can" {
	outside
	running web
	# a packet that is sent before the kernel has noticed that the cable is up at both ends is lost
	sc run --rm busybox sh -c 'n=1; until ping -c 1 -W 2 192.0.2.2; do [ $n -lt 10 ] || exit 1; n=$((n + 1)); done'
	run ! ip netns exec outside ping -c 1 -W 1 "$(field web .NetworkSettings.IPAddress)"
	sc rm -f web
	outside_gone
}

@test "S19: networks do not reach each other" {
	sc create-netns --name=other
	sc connect-bridge --name=other --subnet=10.0.2.3/24
	ip -n other route add default via 10.0.2.1
	sc 1 run --rm busybox ping -c 1 -W 1 10.0.2.3
	running web
	run ! ip netns exec other ping -c 1 -W 1 "$(field web .NetworkSettings.IPAddress)"
	sc rm -f web
	sc delete-netns other
}

@test "S19: a container cannot become the router of the host" {
	same "$(cat /proc/sys/net/ipv6/conf/sc-br0/accept_ra)" 0
	same "$(cat /proc/sys/net/ipv4/conf/sc-br0/accept_redirects)" 0
	same "$(cat /proc/sys/net/ipv4/conf/sc-br0/rp_filter)" 1
}

@test "S10: the host's /dev/null is not what a container gets as its standard input" {
	sc run --rm --userns=host busybox chmod 600 /proc/self/fd/0
	same "$(stat -c %a /dev/null)" 666
	sc run --rm --userns=host busybox sh -c 'chmod 600 /dev/stdin; echo x >/dev/null'
	same "$(stat -c %a /dev/null)" 666
}

@test "S13: without -t what is typed on the caller's terminal is not for the container" {
	requires script
	run sh -c 'printf "secret\n" | script -qec "scadm run --rm busybox sh -c \"head -n 1 <&2 || echo refused\"" /dev/null 3>&-'
	like "$output" '*refused*'
}

@test "S2: a volume through a link of the image to /dev gets no nodes" {
	mkdir "$BATS_TEST_TMPDIR/root" "$BATS_TEST_TMPDIR/v"
	cp -a /var/lib/scadm/layers/*/. "$BATS_TEST_TMPDIR/root"
	ln -s /dev "$BATS_TEST_TMPDIR/root/data"
	ln -s /sys "$BATS_TEST_TMPDIR/root/data2"
	sc import "$BATS_TEST_TMPDIR/root" linked
	sc 125 run --rm -v "$BATS_TEST_TMPDIR/v:/data" linked true
	sc 125 run --rm -v "$BATS_TEST_TMPDIR/v:/data2" linked true
	same "$(ls -A "$BATS_TEST_TMPDIR/v")" ''
	sc rmi linked
}

@test "S12: variables of the caller and a .sqliterc change nothing" {
	mkdir "$BATS_TEST_TMPDIR/home"
	printf '.headers on\n.mode box\n' >"$BATS_TEST_TMPDIR/home/.sqliterc"
	sleep 60 &
	HOME=$BATS_TEST_TMPDIR/home impatience=$! IFS=/ CDPATH=/ sc run --rm busybox echo same
	same "$output" same
	kill -0 "$!"
	kill "$!"
}

@test "S17: sizes with leading zeros or that overflow are refused" {
	sc 125 run --rm -m 010m busybox true
	sc 125 run --rm -m 17179869185g busybox true
	sc 125 run --rm --cpus 010 busybox true
}

@test "S20: a journal that could not be written to leaves no name behind" {
	mkdir /var/lib/scadm/containers/half
	: >/var/lib/scadm/containers/half/undo
	: >"/var/run/container/.owners/999999:1:containers:half"
	sc gc
	sc run --rm --name=half busybox true
}

@test "S27: after a reboot a namespace of the user's that has the name of ours is not deleted" {
	killed r1
	ip netns del r1
	rm -rf /run/container
	mkdir /run/container
	: >/run/container/.networks.lock
	: >/run/container/.boot.lock
	ip netns add r1
	sc run --rm busybox true
	test -e /run/netns/r1
	ip netns del r1
	sc rm r1
}

@test "S27: rm of a container takes what was plugged into its namespace, and nothing of a cgroup of that name" {
	running p1
	sc create-cgroup --name=p1
	sc connect-bridge --name=p1 --subnet=10.21.0.2/24
	sc delete-cgroup p1
	test -e /var/run/container/p1/config.json
	sc rm -f p1
}

@test "another user is told that this needs root" {
	for verb in 'ps' 'images' 'run busybox true' 'gc' 'rm x'; do
		# the words of $verb are words
		# shellcheck disable=SC2086
		expect 125 setpriv --reuid=12345 --regid=12345 --clear-groups "$ROOT/bin/scadm" $verb
		like "$stderr" '*needs root*'
	done
	expect 0 setpriv --reuid=12345 --regid=12345 --clear-groups "$ROOT/bin/scadm" run --help
	like "$output" 'Run a command*usage: scadm run*'
}

@test "S25: closed descriptors, no environment, a directory that is gone" {
	run -0 sh -c 'scadm run --rm busybox true <&- 3>&-'
	run -0 sh -c 'scadm run --rm busybox true >&- 2>&- 3>&-'
	run -0 env -i "$ROOT/bin/scadm" run --rm busybox echo bare
	same "$output" bare
	mkdir "$BATS_TEST_TMPDIR/gone"
	run sh -c 'cd "$1" && rmdir "$1" && scadm run --rm busybox true && scadm import . x' sh "$BATS_TEST_TMPDIR/gone"
	[ "$status" -eq 125 ]
	like "$output" '*directory is gone*'
}

@test "plan: run -i does not read the rest of its own plan" {
	scadm -n run -i --rm --name=pi busybox cat >"$BATS_TEST_TMPDIR/plan" 3>&-
	for shell in dash bash; do
		run -0 sh -c '"$1" -e <"$2" 3>&-' sh "$shell" "$BATS_TEST_TMPDIR/plan"
		same "$output" ''
	done
}

# evil_image NAME JSON - an image like busybox whose config has JSON merged into it
evil_image() {
	sqlite3 :memory: "SELECT json_patch(readfile('/var/lib/scadm/images/busybox:latest.json'), '$2');" >"/var/lib/scadm/images/$1:latest.json"
}

@test "S7 S8 S12: an image whose config only looks like a config gets no say in the record" {
	local word forged='{}},\\"HostConfig\\":{\\"UsernsMode\\":\\"host\\",\\"Privileged\\":true,\\"Capabilities\\":\\"all\\",\\"NetworkMode\\":\\"host\\",\\"SecurityOpt\\":[\\"seccomp=unconfined\\"]},\\"Z\\":{\\"z\\":1'
	forged=${forged//\\\\/\\}
	for word in ExposedPorts Healthcheck Labels Entrypoint; do
		evil_image evil "{\"config\":{\"$word\":\"$forged\"}}"
		sc create --net=none --name=forged evil sleep 100
		sc inspect -f '{{.HostConfig.Privileged}} {{.HostConfig.UsernsMode}} {{.HostConfig.NetworkMode}} {{.HostConfig.Capabilities}}' forged
		same "$output" 'false auto none default'
		sc start forged
		same "$(scadm exec forged grep -c '^Seccomp:.2' /proc/self/status 3>&-)" 1
		unlike "$(scadm exec forged cat /proc/self/uid_map 3>&-)" '* 4294967295*'
		sc rm -f forged
	done
	evil_image evil '{"config":{"Healthcheck":"x\nlayer \"0000\"\nports {}"}}'
	sc run --rm --net=none evil true
	rm /var/lib/scadm/images/evil:latest.json
}

@test "S21: a stop signal of an image that is none is refused, one in a record is TERM" {
	evil_image evil '{"config":{"StopSignal":"--number"}}'
	sc 125 create --name=sig evil true
	[ ! -e /var/lib/scadm/containers/sig ]
	sc create --name=sig --stop-signal=USR1 evil sh -c 'trap "exit 7" TERM; while :; do sleep 0.1; done'
	sed -i 's/"StopSignal":"USR1"/"StopSignal":"BOGUS"/' /var/lib/scadm/containers/sig/config.json
	sc start sig
	wait_until 20 catches sig TERM
	sc stop sig
	sc inspect -f '{{.State.ExitCode}}' sig
	same "$output" 7
	sc rm sig
	rm /var/lib/scadm/images/evil:latest.json
}

@test "S21 S28: a line break in the name of the container's first process keeps no verb from working" {
	sc run -d --name=broken busybox sh -c 'printf "a\nb) R 1" >/proc/1/comm; while :; do sleep 0.1; done'
	wait_until 20 sh -c 'read -r pid _ </var/run/container/broken/pid; grep -qx a "/proc/$pid/comm"'
	sc ps -q
	sc exec broken true
	sc inspect -f '{{.State.Running}}' broken
	same "$output" true
	boss=$(basename "$(echo /var/run/container/.owners/*:containers:broken)")
	kill -9 "${boss%%:*}"
	sc run --rm busybox true
	sc gc
	sc stop -t 0 broken
	sc rm broken
}

@test "S23: stderr on a full disk: the status is that of the failure, and what was made is undone" {
	run scadm run --net=nosuch --name=full busybox true 2>/dev/full
	same "$status" 125
	run scadm run --name=full busybox /no/such/program 2>/dev/full
	same "$status" 127
	[ ! -e /var/lib/scadm/containers/full ]
}

@test "S23: a disk that is full when the container ends: all that it had is released" {
	sc run -d --name=filled busybox sh -c 'trap "exit 0" TERM; while :; do sleep 0.1; done'
	# as if the disk were full: nothing new can be made in the record
	chattr +i /var/lib/scadm/containers/filled 2>/dev/null || skip "the file system has no attributes"
	run scadm stop -t 5 filled
	[ ! -e /run/netns/filled ]
	chattr -i /var/lib/scadm/containers/filled
	sc gc
	sc start filled
	sc rm -f filled
}
