#!/usr/bin/env bats
# Limits hold: measured from outside, on whatever version of cgroups this kernel has

# what stands in single quotes is for the shell in the container
# shellcheck disable=SC2016

load helpers
load ready

setup() {
	sc_setup
	loop='' pages=''
}

teardown() {
	scadm ps -aq 2>/dev/null | xargs -r scadm rm -f >/dev/null 2>&1 3>&-
	[ ! -d "$BATS_TEST_TMPDIR/disk" ] || umount "$BATS_TEST_TMPDIR/disk" 2>/dev/null || :
	[ -z "$loop" ] || losetup -d "$loop"
	[ -z "$pages" ] || echo "$pages" >/proc/sys/vm/nr_hugepages
	sc_teardown
}

# usage NAME - the CPU time of a container so far, in microseconds
usage() {
	sc-cg stat "sc/$(id12 "$1")" | sed -n 's/^cpu.usage_usec //p'
}

# now - microseconds on the clock that only goes forward
now() {
	awk '{ printf "%.0f\n", $1 * 1000000 }' /proc/uptime
}

# between VALUE LOW HIGH - is it in the range?
between() {
	awk -v value="$1" -v low="$2" -v high="$3" 'BEGIN {
		if (value >= low && value <= high) exit 0
		printf "%s is not between %s and %s\n", value, low, high
		exit 1
	}'
}

# burners LIMITS NAME... - containers that use all the CPU they get
burners() {
	local limits="$1" name
	shift
	for name; do
		# the words of $limits are options
		# shellcheck disable=SC2086
		scadm run -d --name="$name" --net=none $limits busybox sh -c 'while :; do :; done' >/dev/null 3>&-
	done
}

# cgroups_left - every directory in any hierarchy that is named as our containers are
cgroups_left() {
	find /sys/fs/cgroup -type d -path '*/sc/????????????'
}

# share NAME LEAST MOST - is its part of one CPU, in thousandths, in the range? Three times too much is wrong: once it may be
# time that the host had taken away, and that the kernel counts. Less than LEAST it is while others keep it from the CPUs
share() {
	local start used part tries more=0
	for tries in {1..20}; do
		start=$(now) used=$(usage "$1")
		sleep 2
		part=$((($(usage "$1") - used) * 1000 / ($(now) - start)))
		between "$part" "$2" "$3" && return 0
		[ "$part" -le "$3" ] || more=$((more + 1))
		[ "$more" -lt 3 ] || break
	done
	echo "in $tries tries it was never right"
	return 1
}

# weighed LEAST MOST - how many hundredths of the CPU time of light does heavy get in six seconds?
weighed() {
	local before after light heavy
	# both in one look
	mapfile -t before < <(sc-cg stat "sc/$(id12 light)" "sc/$(id12 heavy)" | sed -n 's/^cpu.usage_usec //p')
	sleep 6
	mapfile -t after < <(sc-cg stat "sc/$(id12 light)" "sc/$(id12 heavy)" | sed -n 's/^cpu.usage_usec //p')
	light=$((after[0] - before[0])) heavy=$((after[1] - before[1]))
	echo "light $light heavy $heavy"
	[ "$light" -gt 0 ] && between $((heavy * 100 / light)) "$1" "$2"
}

# answers - does the host start a program within two seconds?
answers() {
	local start
	start=$(now)
	expect 0 true && [ $(($(now) - start)) -lt 2000000 ]
}

# unchanged WORLD - is the world that one?
unchanged() {
	same "$(world)" "$1"
}

@test "S17: --cpus=0.1 is 10 % of one CPU, and within 2" {
	requires cpu
	burners --cpus=0.1 q1
	share q1 80 120
}

@test "S17: weights of 1 to 4 on one CPU share it 1 to 4, and within 15 %" {
	requires cpu cpuset
	burners '--cpuset-cpus=0 --cpu-shares=256' light
	burners '--cpuset-cpus=0 --cpu-shares=1024' heavy
	# both run now; what they used while only one did does not count
	one_of_three weighed 340 460
}

@test "S17: a cpuset pins: every process of the container runs there and nowhere else" {
	requires cpuset two_cpus
	sc run --rm --net=none --cpuset-cpus=1 busybox sh -c 'grep Cpus_allowed_list /proc/self/status; (cut -d" " -f39 /proc/self/stat)'
	same "$output" $'Cpus_allowed_list:\t1\n1'
}

@test "S17: who takes more memory than allowed is killed: 137, OOMKilled, and a sentence about it" {
	requires memory
	sc 137 run --keep --name=hog --net=none -m 16m busybox sh -c 'x=a; while :; do x=$x$x; done'
	like "$stderr" '*killed for memory*'
	same "$(field hog .State.OOMKilled) $(field hog .State.ExitCode)" '1 137'
	sc rm hog
}

@test "S17: a fork bomb gets as many processes as pids.max says; the host answers meanwhile; rm ends it" {
	requires pids plain_helpers
	sc run -d --name=bomb --net=none --pids-limit=40 busybox sh -c 'f() { while :; do sleep 100 & f & done; }; f & exec sleep 100'
	wait_until 20 sh -c "sc-cg stat sc/$(id12 bomb) | awk '\$1 == \"pids.current\" && \$2 >= 30 { found = 1 } END { exit !found }'"
	one_of_three answers
	between "$(sc-cg stat "sc/$(id12 bomb)" | sed -n 's/^pids.current //p')" 30 40
	sc rm -f bomb
	same "$(cgroups_left)" ''
}

@test "S17: a rate for a device holds for direct writes, within 20 %" {
	requires io loop
	truncate -s 64M "$BATS_TEST_TMPDIR/file"
	mke2fs -q -t ext4 -O ^has_journal "$BATS_TEST_TMPDIR/file"
	loop=$(losetup -f --show "$BATS_TEST_TMPDIR/file" 3>&-)
	mkdir "$BATS_TEST_TMPDIR/disk"
	mount "$loop" "$BATS_TEST_TMPDIR/disk"
	sc run --rm --net=none --device-write-bps="$loop:4m" -v "$BATS_TEST_TMPDIR/disk:/disk" busybox sh -c '
		head -c 8388608 /dev/zero >/disk/file; sync
		for try in 1 2 3 4 5; do
			read -r start _ </proc/uptime
			dd if=/dev/zero of=/disk/file bs=262144 count=32 oflag=direct conv=notrunc 2>/dev/null
			read -r end _ </proc/uptime
			echo "$start $end"
		done'
	# 8 MiB at 4 MiB/s are 2 seconds; longer only while others keep it from the CPUs
	echo "$output" | awk '{
		rate = 8 / ($2 - $1)
		if (rate > 4.8) wrong = 1
		if (rate >= 3.2) right = 1
	} END { exit wrong || !right }'
	wait_until 10 umount "$BATS_TEST_TMPDIR/disk"
}

@test "S17: huge pages: as many as the limit says, and no more" {
	requires hugetlb plain_helpers
	[ "$(cat /sys/kernel/mm/hugepages/hugepages-2048kB/free_hugepages)" -ge 4 ] || {
		pages=$(cat /proc/sys/vm/nr_hugepages)
		# of the whole machine; teardown puts it back
		echo $((pages + 8)) >/proc/sys/vm/nr_hugepages
		[ "$(cat /sys/kernel/mm/hugepages/hugepages-2048kB/free_hugepages)" -ge 4 ] || skip "needs huge pages: this machine has no 8 MiB in one piece"
	}
	# 128 + SIGBUS
	sc 135 run --rm --net=none --limits=hugetlb.2MB.max=4m -v "$SC_HELPERS/sc-probe:/sc-probe:ro" busybox /sc-probe huge 2097152 8388608
	same "${lines[${#lines[@]} - 1]}" 'touched 4194304'
}

@test "S10: a node of a device that is not on docker's list cannot be opened (EPERM), one of /dev/null can" {
	requires devices loop
	# 10:237 is /dev/loop-control, which anybody may open whom the cgroup lets
	sc 1 run --rm --net=none --userns=host busybox sh -c 'mknod /dev/other c 1 3 && echo x >/dev/other && echo written
		mknod /dev/try c 10 237 && head -c 1 /dev/try'
	like "$output" 'written*'
	like "$stderr" '*/dev/try: Operation not permitted'
}

@test "S10: --device-cgroup-rule opens one more, for what the rule says only" {
	requires devices loop
	sc 1 run --rm --net=none --userns=host --device-cgroup-rule='c 10:237 r' busybox sh -c 'mknod /dev/try c 10 237 && (: </dev/try) && echo open
		(: >/dev/try)'
	same "$output" 'open'
	like "$stderr" '*/dev/try: Operation not permitted'
}

# settled NAME - does it use no CPU? The sc-clone that waits for it is counted, and tidies up after half a second
settled() {
	local used
	used=$(usage "$1")
	sleep 0.6
	[ "$(usage "$1")" = "$used" ]
}

@test "a frozen container uses no CPU, a thawed one goes on" {
	requires freezer
	burners '' ice
	sc-cg freeze "sc/$(id12 ice)"
	local before
	# one that computes never settles
	wait_until 30 settled ice
	before=$(usage ice)
	sc-cg thaw "sc/$(id12 ice)"
	wait_until 20 sh -c "[ \$(sc-cg stat sc/$(id12 ice) | sed -n 's/^cpu.usage_usec //p') -gt $before ]"
}

@test "run says what the kernel made of a value" {
	requires memory
	sc run --rm --net=none --limits=memory.max=20971521 busybox true
	like "$stderr" '*memory.max: asked 20971521, kernel kept 20971520*'
}

@test "S17: what is not a limit is refused with 125, and nothing has changed" {
	local before option
	before=$(world)
	for option in '-m abc' '-m -1x' '-m 0' '-m 99999999999g' '-m 1' '--memory-swap x' '-m 64m --memory-swap 32m' '--memory-reservation nan' \
		'--cpus 0' '--cpus -1' '--cpus nan' '--cpus 1e3' '-c 1' '-c 262145' '--cpu-quota 1' '--cpu-period 1' '--cpuset-cpus 99' '--cpuset-cpus 1-' \
		'--cpuset-mems 99' '--pids-limit x' '--pids-limit 1' '--limits memory.max=0100m' '--limits ulimit.nofile=9:9' '--userns=host --cap-add=NET_ADMIN --net-rate 1mbit' '--privileged --net-rate=1mbit' '--pids-limit 99999999999' '--blkio-weight 5' '--device-write-bps /dev/null:1m' '--device-write-bps 99:99:1m' \
		'--device-read-iops /dev/loop0:x' '--device-cgroup-rule x' '--limits no.such.key=1' '--limits memory.max' '--limits =1' '--limits cpu.weight=10001' \
		'--ulimit nofile' '--ulimit nofile=2:1' '--ulimit nofile=x' '--ulimit files=1' '--oom-score-adj 1001' '--oom-score-adj x' '--shm-size x' '--shm-size 0' \
		'--net-rate x' '--net-rate 0' '--net-rate -1mbit' '--net-prio 16' '--net-prio x' '--disk-size x' '--disk-size 1' '--net=none --net-rate 1mbit'; do
		# the words of $option are options
		# shellcheck disable=SC2086
		sc 125 run --rm $option busybox true
		[ -n "$stderr" ]
	done
	wait_until 5 unchanged "$before"
}

@test "--ulimit, --oom-score-adj and --shm-size are what the process inside has" {
	sc run --rm --net=none --ulimit nofile=100:200 --ulimit core=0 --oom-score-adj 500 --shm-size 1m busybox sh -c '
		ulimit -Sn; ulimit -Hn; ulimit -c; cat /proc/self/oom_score_adj; df -k /dev/shm | tail -n 1 | tr -s " " | cut -d" " -f2'
	same "$output" $'100\n200\n0\n500\n1024'
	sc run --rm --net=none --shm-size 1m busybox sh -c 'dd if=/dev/zero of=/dev/shm/x bs=1M count=2 2>&1 | grep -o "No space left on device"'
	same "$output" 'No space left on device'
}

@test "a value that root may not set on this machine is said once, and skipped" {
	# capability 24, CAP_SYS_RESOURCE
	[ $(((0x$(sed -n 's/^CapEff:[^0-9a-f]*//p' /proc/self/status) >> 24) & 1)) = 0 ] || skip "needs a root without CAP_SYS_RESOURCE"
	sc run --rm --net=none --ulimit nofile=1000:99999999 --oom-score-adj -500 busybox sh -c 'cat /proc/self/oom_score_adj'
	same "$output" 0
	same "$(printf '%s\n' "$stderr" | grep -c skipped)" 2
	like "$stderr" '*--ulimit nofile=1000:99999999: skipped*CAP_SYS_RESOURCE*--oom-score-adj -500: skipped*'
}

@test "S17: after rm no cgroup is left in any hierarchy" {
	sc run -d --name=gone --net=none -m 32m --cpus=0.5 --pids-limit=50 busybox sh -c 'sleep 100 & sleep 100'
	[ -n "$(cgroups_left)" ]
	sc rm -f gone
	same "$(cgroups_left)" ''
}
