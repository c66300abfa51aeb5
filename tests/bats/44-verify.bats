#!/usr/bin/env bats
# sc-probe: one resource used up, and how much of it there was. verify: the limits of a container, proved.

# what stands in single quotes is for the shells that are started with it
# shellcheck disable=SC2016

load helpers
load ready

setup() {
	sc_setup
	cg=sc/probed-$BATS_TEST_NUMBER
}

teardown() {
	sc-cg rm -p "$cg"
	sc_teardown
}

# limited KEY=VALUE... - a control group to probe
limited() {
	sc-cg create "$cg"
	sc-cg set "$cg" "$@"
}

# value KEY - the last value of KEY in $output
value() {
	awk -v key="$1" '$1 == key { value = $2 } END { print value }' <<<"$output"
}

# about NUMBER EXPECTED PERCENT - is NUMBER as expected, give or take?
about() {
	[ $(($1 * 100)) -ge $(($2 * (100 - $3))) ] && [ $(($1 * 100)) -le $(($2 * (100 + $3))) ] && return 0
	printf '%s is not within %s %% of %s\n' "$1" "$3" "$2"
	return 1
}

# number KEY LEAST MOST COMMAND... - does the command succeed and print KEY with a number in that range?
number() {
	local key="$1" least="$2" most="$3" found
	shift 3
	run apart "$@"
	found=$(value "$key")
	echo "status $status, $key ${found:=none}, $least to $most expected: $output"
	[ "$status" -eq 0 ] && [ "$found" != none ] && [ "$found" -ge "$least" ] && [ "$found" -le "$most" ]
}

# measures KEY LEAST MOST COMMAND... - the same, one time of three
measures() {
	one_of_three number "$@"
}

# in_verify SCRIPT - sets $fakes to a directory for SC_HELPERS where sc-cg runs SCRIPT first when it is asked for numbers: in
# the middle of a measurement
in_verify() {
	fakes=$BATS_TEST_TMPDIR/fakes
	mkdir "$fakes"
	printf '#!/bin/sh\n[ "$1" != stat ] || {\n%s\n}\nexec %s "$@"\n' "$1" "$SC_HELPERS/sc-cg" >"$fakes/sc-cg"
	chmod +x "$fakes/sc-cg"
}

# verdict LIMIT - the fields of its row in $output, with one blank between them
verdict() {
	grep "^$1 " <<<"$output" | tr -s ' '
}

# verified STATUS NAME [LIMIT PATTERN]... - verify says so of each LIMIT, one time of three
verified() {
	one_of_three says "$@"
}
says() {
	local expected=$1 name=$2 ok=1 i
	shift 2
	expect "$expected" scadm verify "$name" || ok=''
	for ((i = 1; i < $#; i += 2)); do
		like "$(verdict "${!i}")" "${*:i+1:1}" || ok=''
	done
	[ "$ok" ]
}

# stays NAME OPTION... - start a container that does nothing
stays() {
	scadm run -d --name "$@" busybox sleep 1000 >/dev/null 3>&-
}

# nobody_in CONTROL-GROUP - has it no process?
nobody_in() {
	[ "$(sc-cg stat "$1" | sed -n 's/^pids.current //p')" = 0 ]
}

@test "sc-probe: usage errors are 125 and one line" {
	local words
	for words in '' frobnicate 'burn' 'burn x' 'burn 1 0' 'burn 61' 'burn 1.2345' 'touch 5' 'touch -1 1' 'fork 0 1' 'watch 1' \
		'watch --with=0 1 true' 'huge 3000000 6000000' 'read 4096' 'write / 100 1' 'fill /' 'node x 1:3 true' 'node c 13 true' 'size 1 /' \
		'serve lo 127.0.0.1 x 1 send 1000000' 'connect 127.0.0.1 0 1 send 1000000' 'connect 127.0.0.1 9 1 up 1000000'; do
		# shellcheck disable=SC2086 # words
		expect 125 sc-probe $words </dev/null
		like "$stderr" 'sc-probe: *'
		same "${#stderr_lines[@]}" 1
	done
}

@test "sc-probe burn: computes as long as it is told, in as many processes" {
	measures cpu_usec 40000 440000 sc-probe burn 0.4
	same "$(value burning)" 1
	expect 0 sc-probe burn 0.2 3
	same "$(value burning)" 3
	expect 125 sc-probe burn 0.1 1 1000
}

@test "sc-probe burn: a limit on processes leaves it fewer" {
	requires pids
	limited pids.max=2
	expect 0 sc-probe watch 5 sc-cg exec "$cg" sc-probe burn 0.2 5
	same "$(value burning)" 2
}

@test "sc-probe touch: is killed where the limit is, and nobody else" {
	requires memory
	limited memory.max=32m memory.swap.max=0
	sc-cg exec "$cg" sleep 100 3>&- &
	local other=$!
	wait_until 20 grep -qx sleep "/proc/$other/comm"
	expect 0 sc-probe watch 5 sc-cg exec "$cg" sc-probe touch 67108864 4
	same "$(value ended)" 137
	[ "$(value touched)" -le 33554432 ]
	[ "$(value touched)" -ge 20000000 ]
	kill -0 "$other"
	kill "$other"
	ends "$other" 143
	expect 0 sc-probe touch 4194304 4
	same "$(value finished)" 1
}

@test "sc-probe fork: as many as the limit lets it have, held until the reader goes, and none is left" {
	requires pids
	limited pids.max=50
	run bash -c 'sc-probe watch 5 sc-cg exec "$1" sc-probe fork 100 4 | { read -r a; read -r b; echo "$a"; echo "$b"; sc-cg stat "$1"; }' sh "$cg"
	same "$(value forked)" 49
	same "$(value refused)" EAGAIN
	same "$(value pids.current)" 50
	wait_until 5 nobody_in "$cg"
	expect 0 sc-probe watch 5 sc-cg exec "$cg" sc-probe fork 5 0.5
	same "$(value forked)" 5
	same "$(value refused)" ok
}

@test "sc-probe cpus: where it ran" {
	requires cpuset two_cpus
	limited cpuset.cpus=1
	expect 0 sc-cg exec "$cg" sc-probe cpus
	same "$(value cpus)" 1
	same "$(value mems)" 0
	expect 0 sc-probe cpus
	unlike "$(value cpus)" 1
}

@test "sc-probe watch: tells how it ended, in time" {
	expect 0 sc-probe watch 5 true
	same "$output" 'ended 0'
	expect 0 sc-probe watch 5 sh -c 'kill -9 $$'
	same "$output" 'ended 137'
	expect 0 sc-probe watch 0.2 sleep 100
	same "$output" 'ended late'
	expect 127 sc-probe watch 5 /no/such/program
	expect 0 sc-probe watch 5 cat /proc/self/oom_score_adj
	like "$output" '1000*'
}

@test "sc-probe watch: all ends with it, with --with, and with the reader" {
	local pid
	sleep 100 3>&- &
	pid=$!
	sc-probe watch "--with=$pid" 50 sh -c 'echo $$; exec sc-probe burn 50 3' >"$BATS_TEST_TMPDIR/out" 3>&- &
	wait_until 20 grep -q burning "$BATS_TEST_TMPDIR/out"
	kill -9 "$pid"
	wait_until 20 ended "$(head -n 1 "$BATS_TEST_TMPDIR/out")"
	ends "$!" 0

	sc-probe watch 50 sc-probe burn 50 2 >"$BATS_TEST_TMPDIR/other" 3>&- &
	pid=$!
	wait_until 20 grep -q burning "$BATS_TEST_TMPDIR/other"
	kill -9 "$pid"
	# the leak check looks for processes called sc-

	run bash -c 'sc-probe watch 50 sh -c '\''echo $$; exec sleep 100'\'' | { read -r pid; echo "$pid"; }'
	wait_until 20 ended "$output"
}

@test "sc-probe fill: takes what there is and gives it back" {
	requires loop
	truncate -s 20M /tmp/filled.img
	mkfs.ext4 -q /tmp/filled.img
	mkdir -p /tmp/filled
	mount -o loop /tmp/filled.img /tmp/filled
	local before after
	before=$(stat -f -c %a /tmp/filled)
	expect 0 sc-probe fill /tmp/filled 1000000000
	after=$(stat -f -c %a /tmp/filled)
	umount /tmp/filled
	rm -rf /tmp/filled /tmp/filled.img
	same "$after" "$before"
	same "$(value refused)" ENOSPC
	about "$(value filled)" 18000000 15
}

@test "sc-probe write, read: the rate of a block device, with and without a limit" {
	requires loop io
	truncate -s 20M /tmp/filled.img
	mkfs.ext4 -q /tmp/filled.img
	mkdir -p /tmp/filled
	mount -o loop /tmp/filled.img /tmp/filled
	local loop device left right=''
	loop=$(findmnt -rn -o SOURCE /tmp/filled) device=$(findmnt -rn -o MAJ:MIN /tmp/filled)
	limited "io.max=$device wbps=1048576 riops=100"
	measures bytes_per_second 838861 1258291 sc-probe watch 5 sc-cg exec "$cg" sc-probe write /tmp/filled 65536 2 &&
		measures ops_per_second 80 120 sc-probe watch 5 sc-cg exec "$cg" sc-probe read 4096 2 <"$loop" &&
		measures bytes_per_second 10000000 1000000000000 sc-probe read 65536 1 <"$loop" && right=1
	left=$(find /tmp/filled -type f | wc -l)
	umount /tmp/filled
	rm -rf /tmp/filled /tmp/filled.img
	[ "$right" ]
	same "$left" 0
	expect 125 sc-probe read 4096 1 </dev/null
	like "$stderr" '*no block device*'
}

@test "sc-probe node, access: what a control group says to a device, without opening it" {
	requires devices
	limited devices=default
	# 10:130 is the watchdog: opening it would reboot the machine
	for device in 1:3,ok 1:1,EPERM 10:130,EPERM; do
		expect 0 sc-probe node c "${device%,*}" sc-cg exec "$cg" sc-probe access
		same "$(value read),$(value write),$(value mknod)" "${device#*,},${device#*,},ok"
	done
	expect 0 sc-probe node b 7:0 sc-probe access
	same "$(value read)" ok
	expect 125 sc-probe access </etc/passwd
}

@test "sc-probe serve, connect: counts what arrives, and hears only its peer" {
	# half more than it is told, so that a shaper always has work
	measures bits_per_second 9600000 14400000 bash -c 'sc-probe serve lo 127.0.0.1 127.0.0.1 0.8 receive 8000000 | { read -r _ port; sc-probe connect 127.0.0.1 "$port" 0.8 send 8000000; cat; }'
	measures bits_per_second 9600000 14400000 bash -c 'sc-probe serve lo 127.0.0.1 127.0.0.1 0.8 send 8000000 | { read -r _ port; sc-probe connect 127.0.0.1 "$port" 0.8 receive 8000000; cat; }'
	run bash -c 'sc-probe serve lo 127.0.0.1 127.0.0.2 0.5 receive 8000000 2>&1 | { read -r _ port; sc-probe connect 127.0.0.1 "$port" 0.3 send 8000000; cat; }'
	like "$output" '*nothing came from 127.0.0.2*'
}

@test "S2: sc-probe size: a path is looked up in the root of the process, and leads nowhere else" {
	stays p1 --shm-size 8m
	local pid start upper=/var/lib/scadm/containers/p1/upper
	read -r pid start _ </var/run/container/p1/pid
	expect 0 sc-probe size "$pid" "$start" /dev/shm
	same "$(value size)" 8388608
	expect 0 sc-probe size "$pid" "$start" ../../../dev/shm
	same "$(value size)" 8388608
	ln -s /../../dev/shm "$upper/link"
	expect 0 sc-probe size "$pid" "$start" /link
	same "$(value size)" 8388608
	ln -s /proc/self/root/dev/shm "$upper/magic"
	expect 125 sc-probe size "$pid" "$start" /magic
	expect 125 sc-probe size "$pid" "$start" /etc
	like "$stderr" '*no tmpfs*'
	expect 125 sc-probe size "$pid" 5 /dev/shm
	like "$stderr" '*not the one recorded*'
	sc rm -f p1
}

@test "verify: mistakes are 125, before anything is measured" {
	sc 125 verify
	sc 125 verify no-such
	sc 125 verify --nope x
	running p2
	sc 125 verify p2 p2
	sc-cg freeze "sc/$(id12 p2)"
	sc 125 verify p2
	like "$stderr" '*paused*'
	sc-cg thaw "sc/$(id12 p2)"
	killed p3
	sc 125 verify p3
	like "$stderr" '*does not run*'
	sc rm -f p2 p3
}

# quick NAME - does verify take no more than a few seconds? 8 on a machine with nothing else to do
quick() {
	local started=$SECONDS
	scadm verify "$1" >/dev/null 3>&- || [ $? -eq 1 ] || return 1
	echo "it took $((SECONDS - started)) seconds"
	[ $((SECONDS - started)) -le 20 ]
}

@test "verify: quota, memory, processes, CPUs and rates hold, measured in a few seconds" {
	requires cpu memory pids cpuset two_cpus
	stays v1 --cpus=0.1 -m 24m --pids-limit=100 --cpuset-cpus=1 --net-rate-in=10mbit --net-rate-out=5mbit
	one_of_three quick v1
	verified 0 v1 cpuset.cpus 'cpuset.cpus 1 1 ok' \
		cpu.max 'cpu.max 10.0 % of a CPU * ok' \
		memory.max 'memory.max 24.0 MiB * ok' \
		pids.max 'pids.max 100 100, then EAGAIN ok' \
		devices 'devices default *r=ok*r=EPERM* ok' \
		net-rate-in 'net-rate-in 10.0 mbit * ok' \
		net-rate-out 'net-rate-out 5.0 mbit * ok'
	sc rm -f v1
}

@test "verify: what is not kept is FAILED, and the status is 1" {
	requires cpu memory pids devices
	stays v2 --cpus=0.05 -m 64m --pids-limit=100 --net-rate-in=10mbit
	local cgroup
	cgroup=sc/$(id12 v2)
	sc-cg set "$cgroup" cpu.max=max memory.max=128m pids.max=150 devices.allow='c 1:1 r'
	tc qdisc del dev "v-$(id12 v2)" root
	verified 1 v2 cpu.max '* FAILED' memory.max '* FAILED' pids.max '* FAILED' devices '* FAILED' net-rate-in '* FAILED'
	sc rm -f v2
}

@test "verify -q: only what is not ok; a reason is not ok" {
	requires memory pids cpuset
	stays v3 -m 100g --pids-limit=max --cpuset-cpus=0
	sc verify -q v3
	unlike "$output" '*cpuset*'
	like "$(verdict memory.max)" 'memory.max * not measured: *'
	sc rm -f v3
	stays v3 --pids-limit=100 --cpuset-cpus=0
	sc verify -q v3
	same "$output" ''
	sc rm -f v3
}

@test "verify: a busy container does not make a limit look broken, and lives" {
	requires cpu memory
	# so little of a CPU is left for it on a host that is busy, too
	scadm run -d --name=v4 --cpus=0.1 -m 64m busybox sh -c 'head -c 20m /dev/zero | tail & while :; do :; done' >/dev/null 3>&-
	verified 0 v4 cpu.max 'cpu.max 10.0 % of a CPU * ok' memory.max 'memory.max 64.0 MiB * ok'
	same "$(field v4 .State.Running)" 1
	sc rm -f v4
}

@test "verify: a container whose memory is nearly full lives" {
	requires memory pids
	local id
	scadm run -d --name=v15 -m 64m busybox awk 'BEGIN { x = sprintf("%40000000s", ""); for (;;) system("sleep 1") }' >/dev/null 3>&-
	id=$(id12 v15)
	wait_until 30 sh -c "sc-cg stat sc/$id | awk '\$1 == \"memory.current\" && \$2 > 35000000 { found = 1 } END { exit !found }'"
	# 2048 tasks are 50 MiB of the kernel's memory, which killing one of them does not free at once
	verified 0 v15 memory.max 'memory.max 64.0 MiB * ok' pids.max 'pids.max 2048 - not measured: *memory*'
	same "$(field v15 .State.Running)" 1
	sc rm -f v15
}

@test "verify: a weight is measured beside a control group of four times as much, which goes away" {
	requires cpu
	stays v5 -c 256
	verified 0 v5 cpu.shares 'cpu.shares 256 * of a CPU beside one of * ok'
	sc-cg set "sc/$(id12 v5)" cpu.shares=1024
	verified 1 v5 cpu.shares '* FAILED'
	sc rm -f v5
}

@test "S20: verify killed in the middle leaves nothing that runs, and gc removes the rest" {
	requires cpu
	local pid cgroup fakes
	stays v6 -c 256
	cgroup=sc/verify-$(id12 v6)
	# it stands still where both use the CPU
	in_verify "[ -e $BATS_TEST_TMPDIR/still ] || { echo \$\$ >$BATS_TEST_TMPDIR/still; exec sleep 100; }"
	SC_HELPERS=$fakes scadm verify v6 >/dev/null 3>&- &
	pid=$!
	wait_until 20 test -s "$BATS_TEST_TMPDIR/still"
	sc-cg stat "$cgroup" | grep 'pids.current [1-9]' || echo "they have ended by themselves"
	kill -9 "$pid"
	ends "$pid" 137
	kill "$(cat "$BATS_TEST_TMPDIR/still")"
	wait_until 20 nobody_in "$cgroup"
	wait_until 20 sh -c '! ps -e -o comm= | grep -q sc-probe'
	sc gc
	expect 125 sc-cg stat "$cgroup"
	sc rm -f v6
}

@test "verify: ulimits, oom_score_adj and /dev/shm are those of the first process" {
	stays v7 --ulimit nofile=100:200 --oom-score-adj=100 --shm-size=8m
	sc verify v7
	like "$(verdict ulimit.nofile)" 'ulimit.nofile 100:200 100:200 ok'
	like "$(verdict oom-score-adj)" 'oom-score-adj 100 100 ok'
	like "$(verdict shm-size)" 'shm-size 8.0 MiB 8.0 MiB ok'
	local pid
	read -r pid _ </var/run/container/v7/pid
	prlimit --pid "$pid" --nofile=50:60
	sc verify v7
	like "$(verdict ulimit.nofile)" '*50:60 not measured: *'
	sc rm -f v7
}

@test "verify: rules for devices, each by a device it is about" {
	requires devices
	stays v8 --limits=devices.allow='c 10:229 rw' --device-cgroup-rule='b 7:* r'
	sc verify v8
	same "$(grep -c '^devices.* ok$' <<<"$output")" 3
	like "$output" '*c 10:229 r=ok w=ok*'
	like "$output" '*b 7:0 r=ok*'
	sc rm -f v8
}

@test "verify: what a container may write to a device that it has a volume on" {
	requires loop io
	truncate -s 20M /tmp/volume.img
	mkfs.ext4 -q /tmp/volume.img
	mkdir -p /tmp/volume
	mount -o loop /tmp/volume.img /tmp/volume
	local loop
	loop=$(findmnt -rn -o SOURCE /tmp/volume)
	scadm run -d --name=v9 -v /tmp/volume:/data --device-write-bps="$loop:1m" --device-read-iops="$loop:50" busybox sleep 1000 >/dev/null 3>&-
	local held=''
	! verified 0 v9 'io.max 7:[0-9]* wbps' '* 1048576 * ok' 'io.max 7:[0-9]* riops' '* 50 * ok' || held=1
	scadm rm -f v9
	umount /tmp/volume
	rm -rf /tmp/volume /tmp/volume.img
	[ "$held" ]
}

@test "verify: huge pages end where the limit is" {
	requires hugetlb huge_pages
	stays v12 --limits=hugetlb.2MB.max=4m
	sc verify v12
	like "$(verdict hugetlb.2MB.max)" 'hugetlb.2MB.max 4.0 MiB refused at 4.0 MiB ok'
	sc rm -f v12
}

@test "verify: huge pages that are not there are no reason to be content" {
	requires hugetlb
	stays v13 --limits=hugetlb.2MB.max=64g
	sc verify v13
	like "$(verdict hugetlb.2MB.max)" '* not measured: * huge pages of that size are free*'
	sc rm -f v13
}

@test "verify: a priority is read back, and that is no measurement" {
	stays v14 --net-prio=3
	sc verify v14
	like "$(verdict net-prio)" 'net-prio 3 3 not measured: *'
	iptables -t mangle -F "SC-$(id12 v14)"
	sc 1 verify v14
	like "$(verdict net-prio)" 'net-prio 3 none FAILED'
	sc rm -f v14
}

@test "verify: a disk of its own is as large as was asked" {
	requires loop
	stays v10 --disk-size=50m
	sc verify v10
	like "$(verdict disk-size)" 'disk-size 50.0 MiB *, then ENOSPC ok'
	sc rm -f v10
}

# as_planned - is the world as it was before the plan was run?
as_planned() {
	world >"$BATS_TEST_TMPDIR/world.after-plan"
	diff "$BATS_TEST_TMPDIR/world.planned" "$BATS_TEST_TMPDIR/world.after-plan"
}

@test "verify -n: the plan is a script that measures and leaves the world as it was" {
	requires cpu pids
	stays v11 -c 256 --pids-limit=50 --net-rate-in=10mbit
	world >"$BATS_TEST_TMPDIR/world.planned"
	scadm -n verify v11 >"$BATS_TEST_TMPDIR/plan" 3>&-
	measures bits_per_second 1 12000000 sh -e "$BATS_TEST_TMPDIR/plan"
	same "$(value refused)" EAGAIN
	wait_until 5 as_planned
	sc rm -f v11
}

@test "verify: a container that ends meanwhile is no failure of its limits" {
	local pid fakes
	sc run -d --name=brief --net=none -m 50m --cpus 0.5 busybox sleep 1000
	read -r pid _ </var/run/container/brief/pid
	in_verify "kill -9 $pid 2>/dev/null; while [ -e /proc/$pid ]; do sleep 0.05; done"
	SC_HELPERS=$fakes sc 125 verify brief
	like "$stderr" '*has ended*'
	unlike "$output" '*FAILED*'
	sc rm -f brief
}

@test "verify: in very little memory, or where the container would be the victim, memory is left alone" {
	requires memory
	sc run -d --name=small --net=none -m 2m busybox sleep 100
	sc run -d --name=first --net=none -m 40m --oom-score-adj 1000 busybox sleep 100
	sc verify small
	like "$output" '*memory.max*not measured*'
	sc verify first
	like "$output" '*memory.max*not measured*'
	like "$(scadm ps)" '*small*'
	like "$(scadm ps)" '*first*'
	sc rm -f small first
}

# both_at_once - two that measure the same: does each say that its limits hold?
both_at_once() {
	local other status failed=''
	scadm verify both >"$BATS_TEST_TMPDIR/one" 3>&- &
	other=$!
	expect 0 scadm verify both || failed=1
	status=0
	wait "$other" || status=$?
	cat "$BATS_TEST_TMPDIR/one"
	[ ! "$failed" ] && same "$status" 0 && unlike "$output$(cat "$BATS_TEST_TMPDIR/one")" '*FAILED*'
}

@test "verify: two at once wait for each other" {
	sc run -d --name=both --pids-limit=50 --net-rate=10mbit busybox sleep 100
	one_of_three both_at_once
	sc rm -f both
}
