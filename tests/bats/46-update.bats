#!/usr/bin/env bats
# update: limits change while the container runs, all of them or none

# what stands in single quotes is for the shell in the container
# shellcheck disable=SC2016

load helpers
load ready

teardown() {
	scadm ps -aq 2>/dev/null | xargs -r scadm rm -f >/dev/null 2>&1 3>&-
	sc_teardown
}

# init NAME - the pid of its first process
init() {
	cut -d' ' -f1 "/var/run/container/$1/pid"
}

# asked NAME - what was asked for it so far
asked() {
	cat "/var/run/container/$1/limits"
}

# everything NAME - what was asked for it, and what the kernel keeps
everything() {
	asked "$1"
	sc-cg get "sc/$(id12 "$1")" pids.max memory.max
}

@test "update: memory, CPU, processes and a weight, at once and in one call" {
	requires memory cpu pids
	running u1
	sc update -m 64m --cpus=0.5 --cpu-shares=512 --pids-limit=77 u1
	same "$output" u1
	same "$(cgroup_value u1 memory.max)" 67108864
	same "$(cgroup_value u1 cpu.max)" '50000 100000'
	# 512 of 1024 shares, in words that version 2 does not round
	same "$(cgroup_value u1 cpu.weight)" 20
	same "$(cgroup_value u1 pids.max)" 77
	like "$(asked u1)" '*memory.limit_in_bytes=67108864*'
	sc update --pids-limit=-1 u1
	same "$(cgroup_value u1 pids.max)" max
	same "$(asked u1 | grep -c '^pids.max=')" 1
	sc rm -f u1
}

@test "update: of several containers each gets its own" {
	running u16
	sc run -d --name=u17 --shm-size=8m busybox sleep 100
	sc update --net-prio=5 --shm-size=4m u16 u17
	for name in u16 u17; do
		like "$(iptables -t mangle -S "SC-$(id12 $name)")" "*-s $(field $name .NetworkSettings.IPAddress)/32*0000:0005*"
		like "$(grep ' /dev/shm ' "/proc/$(init $name)/mountinfo")" '*size=4096k*'
	done
	sc rm -f u16 u17
}

@test "update: several containers; an unknown one, and none is changed" {
	requires pids
	running u2 u3
	sc 125 update --pids-limit=55 u2 nobody u3
	same "$(cgroup_value u2 pids.max)" 2048
	sc update --pids-limit=55 u2 u3
	same "$(cgroup_value u2 pids.max) $(cgroup_value u3 pids.max)" '55 55'
	sc rm -f u2 u3
}

@test "update: a step that fails takes back the steps before it" {
	requires pids memory
	running u4
	local before
	before=$(cgroup_value u4 pids.max)
	# the kernel of the container has no such ulimit to give: prlimit fails after the cgroup was changed
	mkdir "$BATS_TEST_TMPDIR/bin"
	printf '#!/bin/sh\nexit 1\n' >"$BATS_TEST_TMPDIR/bin/prlimit"
	chmod +x "$BATS_TEST_TMPDIR/bin/prlimit"
	PATH="$BATS_TEST_TMPDIR/bin:$PATH" sc 125 update --pids-limit=66 -m 32m --ulimit nofile=50 u4
	same "$(cgroup_value u4 pids.max)" "$before"
	same "$(cgroup_value u4 memory.max)" max
	unlike "$(asked u4)" '*pids.max=66*'
	# and it was thawed
	sc rm -f u4
}

@test "update: what one call to the cgroup wrote before it failed is taken back too" {
	requires cpu pids
	sc run -d --name=u18 --net=none --limits=cpu.idle=1 busybox sleep 100
	local before
	before=$(sc-cg get "sc/$(id12 u18)" pids.max cpu.max)
	# the weight of an idle cgroup cannot be set
	sc 125 update --cpus 0.5 --pids-limit 44 -c 300 u18
	same "$(sc-cg get "sc/$(id12 u18)" pids.max cpu.max)" "$before"
	sc rm -f u18
}

@test "update: kill -9 after the record has the new limits: they stay" {
	requires pids
	running u22
	mkdir "$BATS_TEST_TMPDIR/bin"
	printf '#!/bin/sh\ncase $* in *updates/*) kill -9 $PPID; sleep 1 ;; esac\nexec /bin/rm "$@"\n' >"$BATS_TEST_TMPDIR/bin/rm"
	chmod +x "$BATS_TEST_TMPDIR/bin/rm"
	PATH="$BATS_TEST_TMPDIR/bin:$PATH" sc 137 update --pids-limit=33 u22
	sc gc
	same "$(cgroup_value u22 pids.max) $(asked u22 | sed -n 's/^pids.max=//p')" '33 33'
	sc rm -f u22
}

@test "update: a throttle that a failed update set is lifted again" {
	requires io loop
	truncate -s 16M "$BATS_TEST_TMPDIR/file"
	local device
	device=$(losetup -f --show "$BATS_TEST_TMPDIR/file" 3>&-)
	running u23
	mkdir "$BATS_TEST_TMPDIR/bin"
	printf '#!/bin/sh\nexit 1\n' >"$BATS_TEST_TMPDIR/bin/mv"
	chmod +x "$BATS_TEST_TMPDIR/bin/mv"
	PATH="$BATS_TEST_TMPDIR/bin:$PATH" sc 125 update --device-write-bps="$device:1m" u23
	like "$stderr" '*failed*mv*'
	same "$(sc-cg get "sc/$(id12 u23)" blkio.throttle.write_bps_device)" ''
	sc rm -f u23
	losetup -d "$device"
}

@test "update: one that is paused stays so" {
	requires freezer
	running u19
	sc-cg freeze "sc/$(id12 u19)"
	sc update --oom-score-adj 300 u19
	same "$(cgroup_value u19 cgroup.freeze)" 1
	same "$(cat "/proc/$(init u19)/oom_score_adj")" 300
	sc rm -f u19
}

@test "update: four at once of one container, one after the other" {
	requires pids
	running u20
	local n pids=()
	for n in 41 42 43 44; do
		scadm update --pids-limit=$n u20 >/dev/null 3>&- &
		pids+=($!)
	done
	for n in "${pids[@]}"; do
		wait "$n"
	done
	like "$(cgroup_value u20 pids.max)" '4[1234]'
	same "$(asked u20 | sed -n 's/^pids.max=//p')" "$(cgroup_value u20 pids.max)"
	sc rm -f u20
}

@test "update: -m max lifts the limit, and the kernel's other name for it does not stay in the record" {
	requires memory
	sc run -d --name=u21 --net=none --limits=memory.max=32m busybox sleep 100
	sc update -m 64m u21
	unlike "$(asked u21)" '*memory.max=*'
	sc update -m max u21
	same "$(cgroup_value u21 memory.max)" max
	sc rm -f u21
}

@test "update: kill -9 in the middle; the next command takes the half back" {
	requires pids
	running u5
	mkdir "$BATS_TEST_TMPDIR/bin"
	printf '#!/bin/sh\nkill -9 $PPID\nsleep 1\n' >"$BATS_TEST_TMPDIR/bin/prlimit"
	chmod +x "$BATS_TEST_TMPDIR/bin/prlimit"
	PATH="$BATS_TEST_TMPDIR/bin:$PATH" sc 137 update --pids-limit=44 --ulimit nofile=50 u5
	sc gc
	same "$(cgroup_value u5 pids.max)" 2048
	wait_until 5 grep -q '^State:.*[SR]' "/proc/$(init u5)/status"
	sc update --pids-limit=44 u5
	same "$(cgroup_value u5 pids.max)" 44
	sc rm -f u5
}

@test "update: ulimits and oom_score_adj of every process of the container" {
	sc run -d --name=u6 --net=none busybox sh -c 'sleep 100 & sleep 100'
	wait_until 20 sh -c "[ \$(sc-cg procs sc/$(id12 u6) | wc -l) = 2 ]"
	sc update --ulimit nofile=50:60 --oom-score-adj 300 u6
	local pid pids
	pids=$(sc-cg procs "sc/$(id12 u6)")
	[ -n "$pids" ]
	for pid in $pids; do
		like "$(grep 'Max open files' "/proc/$pid/limits")" '*50 *60 *files*'
		same "$(cat "/proc/$pid/oom_score_adj")" 300
	done
	sc rm -f u6
}

@test "update: /dev/shm grows and shrinks while it is in use" {
	sc run -d --name=u7 --net=none --shm-size=1m busybox sleep 100
	sc update --shm-size=2m u7
	like "$(grep ' /dev/shm ' "/proc/$(init u7)/mountinfo")" '*size=2048k*'
	sc rm -f u7
}

@test "update: rates, in the container's own network only" {
	running u8
	sc update --net-rate=10mbit u8
	like "$(tc qdisc show dev "v-$(id12 u8)")" '*tbf*rate 10Mbit*'
	like "$(tc qdisc show dev "i-$(id12 u8)")" '*tbf*rate 10Mbit*'
	sc update --net-rate-in=20mbit u8
	like "$(tc qdisc show dev "v-$(id12 u8)")" '*tbf*rate 20Mbit*'
	like "$(tc qdisc show dev "i-$(id12 u8)")" '*tbf*rate 10Mbit*'
	sc update --net-rate=none u8
	unlike "$(tc qdisc show)" '*tbf*'
	sc rm -f u8
	sc run -d --name=u9 --net=none busybox sleep 100
	sc 125 update --net-rate=1mbit u9
	sc rm -f u9
}

@test "update: a device rule is added to those there are" {
	requires devices loop
	# 10:237 is /dev/loop-control, which anybody may open whom the cgroup lets
	sc run -d --name=u10 --net=none --userns=host busybox sh -c 'mknod /dev/try c 10 237; while ! (: </dev/try) 2>/dev/null; do sleep 0.1; done; echo x >/dev/null && exit 7'
	sc update --device-cgroup-rule='c 10:237 r' u10
	wait_until 20 sh -c 'scadm ps -a | grep u10 | grep -q "Exited (7)"'
	sc rm u10
}

@test "update: bad words are 125 and change nothing" {
	running u11
	local option before
	before=$(everything u11)
	for option in '' '-m x' '--cpus 0' '--limits no.such=1' '--nonsense' '--pids-limit x' '--disk-size 100m'; do
		# the words of $option are options
		# shellcheck disable=SC2086
		sc 125 update $option u11
		[ -n "$stderr" ]
	done
	sc 125 update -m 64m
	same "$(everything u11)" "$before"
	sc rm -f u11
}

@test "update: of one that has ended, the record changes" {
	sc run -d --name=u12 --net=none busybox true
	wait_until 20 sh -c 'scadm ps -a | grep u12 | grep -q Exited'
	sc update --pids-limit=12 u12
	like "$(asked u12)" '*pids.max=12*'
	sc rm u12
}

@test "plan: update is a script that does the same" {
	requires pids
	running u13
	sc -n update --pids-limit=31 --net-rate-in=5mbit u13
	printf '%s\n' "$output" >"$BATS_TEST_TMPDIR/plan"
	expect 0 sh -e "$BATS_TEST_TMPDIR/plan"
	same "$(cgroup_value u13 pids.max)" 31
	like "$(asked u13)" '*pids.max=31*'
	like "$(tc qdisc show dev "v-$(id12 u13)")" '*tbf*rate 5Mbit*'
	sc rm -f u13
}

@test "set-cgroup of a container is update" {
	requires pids
	running u14
	sc set-cgroup --name=u14 --limits=pids.max=21
	same "$(cgroup_value u14 pids.max)" 21
	like "$(asked u14)" '*pids.max=21*'
	sc rm -f u14
}

@test "verify does not make a later kill look like a lack of memory" {
	requires memory plain_helpers
	sc run -d --name=u15 --net=none -m 32m busybox sleep 100
	expect 0 scadm verify u15
	like "$output" '*memory.max*ok*'
	kill -9 "$(init u15)"
	wait_until 20 sh -c 'scadm ps -a | grep u15 | grep -q "Exited (137)"'
	same "$(field u15 .State.OOMKilled)" 0
	sc rm u15
}
