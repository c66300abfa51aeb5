#!/usr/bin/env bats
# sc-cg: control groups of every version behind one path and one vocabulary.
# What needs version 2 alone is asked with --mounts, a mountinfo that has the cgroup2 line only.

# what stands in single quotes is for the shells that are started with it
# shellcheck disable=SC2016

load helpers

setup() {
	sc_setup
	requires root
	cg=sc-cg-$BATS_TEST_NUMBER/web
	v2="--mounts=$BATS_TEST_TMPDIR/v2"
	grep ' - cgroup2 ' /proc/self/mountinfo >"$BATS_TEST_TMPDIR/v2" || :
}

teardown() {
	sc-cg rm -p "$cg"
	sc_teardown
}

# refused ARG... - sc-cg fails with 125 and one line
refused() {
	run -125 --separate-stderr sc-cg "$@"
	like "$stderr" 'sc-cg: *'
	[ "${#stderr_lines[@]}" = 1 ]
	[ -z "$output" ]
}

# roots - the mount point of each hierarchy
roots() {
	sed -n 's/^[^ ]* [^ ]* [^ ]* [^ ]* \([^ ]*\) .* - cgroup2\{0,1\} .*/\1/p' /proc/self/mountinfo
}

# loaded - how many hierarchies have our control group
loaded() {
	local root n=0
	for root in $(roots); do
		[ ! -d "$root/$cg" ] || n=$((n + 1))
	done
	echo "$n"
}

# accounts_swap - skip where the kernel has no file for it
accounts_swap() {
	sc-cg get "$cg" memory.swap.max || skip "needs swap accounting"
}

# sleeper CG [OPTION...] - a process in CG that only a signal ends; its pid is in $pid
sleeper() {
	local at=$1
	shift
	sc-cg "$@" exec "$at" sleep 1000 3>&- &
	pid=$!
	wait_until 20 grep -q sleep "/proc/$pid/comm"
}

# is_gone PID - no such process, or a zombie that nobody has waited for yet
is_gone() {
	[ ! -e "/proc/$1" ] || grep -q '^State:.Z' "/proc/$1/status"
}

@test "create makes the directory, and missing parents, in every hierarchy" {
	sc-cg create "$cg"
	[ "$(loaded)" = "$(roots | wc -l)" ]
}

@test "create: an existing control group is an error, and stays" {
	sc-cg create "$cg"
	refused create "$cg"
	like "$stderr" '*File exists*'
	[ "$(loaded)" = "$(roots | wc -l)" ]
}

@test "create with settings: they are there when it returns" {
	requires pids cpu
	expect 0 sc-cg create "$cg" pids.max=11 cpu.weight=39
	same "$output$stderr" ""
	same "$(sc-cg get "$cg" pids.max)" pids.max=11
	same "$(sc-cg get "$cg" cpu.weight)" cpu.weight=39
	[ "$(loaded)" = "$(roots | wc -l)" ]
}

@test "create with settings: on version 2, with rules for devices" {
	requires cgroup2
	mknod "$BATS_TEST_TMPDIR/kmsg" c 1 11
	expect 0 sc-cg "$v2" create "$cg" cgroup.max.depth=2 devices=default
	same "$(sc-cg "$v2" get "$cg" cgroup.max.depth)" cgroup.max.depth=2
	dd if="$BATS_TEST_TMPDIR/kmsg" of=/dev/null iflag=nonblock count=0
	run ! sc-cg "$v2" exec "$cg" dd if="$BATS_TEST_TMPDIR/kmsg" of=/dev/null iflag=nonblock count=0
	like "$output" '*Operation not permitted*'
}

@test "create with settings: when one is refused nothing is made, and parents that were there stay" {
	requires pids cpu
	local word
	for word in pids.max=x pids.max nonsense=1 = '' pids.max=-5 memory.max=1x; do
		refused create "$cg" pids.max=11 "$word"
		[ "$(loaded)" = 0 ]
		[ ! -d "$(roots | tail -n 1)/${cg%/*}" ]
	done
	# the kernel refuses this one: more in a burst than in a period
	sc-cg check cpu.cfs_quota_us=10000 cpu.cfs_burst_us=20000
	refused create "$cg" pids.max=11 cpu.cfs_quota_us=10000 cpu.cfs_burst_us=20000
	[ "$(loaded)" = 0 ]
	[ ! -d "$(roots | tail -n 1)/${cg%/*}" ]
	sc-cg create "${cg%/*}"
	refused create "$cg" pids.max=11 cpu.cfs_quota_us=10000 cpu.cfs_burst_us=20000
	[ "$(loaded)" = 0 ]
	[ -d "$(roots | tail -n 1)/${cg%/*}" ]
	# of somebody else: it keeps what it has
	sc-cg create "$cg" pids.max=11
	refused create "$cg" pids.max=12
	same "$(sc-cg get "$cg" pids.max)" pids.max=11
}

@test "create takes back what it made when one hierarchy refuses" {
	local last
	last=$(roots | tail -n 1)
	mkdir -p "$last/$cg"
	refused create "$cg"
	[ "$(loaded)" = 1 ]
}

@test "create: twenty at once below a parent that none of them finds" {
	local i pids=''
	for i in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do
		sc-cg create "${cg%/*}/n$i" 3>&- &
		pids="$pids $!"
	done
	for i in $pids; do
		wait "$i"
	done
	sc-cg create "$cg"
	for i in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do
		sc-cg exec "${cg%/*}/n$i" true
		sc-cg rm -p "${cg%/*}/n$i"
	done
}

@test "S15: a path that could leave the hierarchy is refused by every verb" {
	local path verb
	for path in '' / /a a/ a//b . .. ../a a/../b a/./b "$(printf 'a\nb')" "$(printf '%256s' '' | tr ' ' x)"; do
		for verb in create freeze thaw kill stat rm; do
			refused "$verb" "$path"
		done
		refused exec "$path" true
		refused set "$path" pids.max=5
		refused get "$path" pids.max
	done
}

@test "usage errors are 125 and say how it is called" {
	refused
	like "$stderr" '*usage: sc-cg*'
	refused frobnicate a
	refused create
	refused create a b
	refused set a
	refused rm -p -p a
	refused exec a
	refused exec a --
	refused --colour create a
	refused --mounts=/nonexistent create a
}

@test "exec: the process is in the control group before its first instruction" {
	sc-cg create "$cg"
	run -0 sc-cg exec "$cg" cat /proc/self/cgroup
	run ! grep -v ":/$cg\$" <<<"$output"
}

@test "exec is the same process, and its status is that of the program" {
	sc-cg create "$cg"
	run -7 sc-cg exec "$cg" sh -c 'exit 7'
	run -0 sh -c 'echo $$; exec sc-cg exec "$1" sh -c '\''echo $$'\' - "$cg"
	[ "${lines[0]}" = "${lines[1]}" ]
	run -127 sc-cg exec "$cg" no-such-program
	run -126 sc-cg exec "$cg" /etc/passwd
	refused exec "$cg/absent" true
	like "$stderr" '*no such control group*'
}

@test "S6: exec passes no descriptor of its own on" {
	sc-cg create "$cg"
	run -0 sc-cg exec "$cg" sh -c 'ls -l /proc/self/fd | grep cgroup || echo none'
	[ "$output" = none ]
}

@test "S14: exec passes the arguments byte for byte" {
	sc-cg create "$cg"
	sc-cg exec "$cg" printf '[%s]' '' -- $'a\nb' '*' '$(id)' $'\377' >"$BATS_TEST_TMPDIR/out"
	printf '[%s]' '' -- $'a\nb' '*' '$(id)' $'\377' | cmp - "$BATS_TEST_TMPDIR/out"
}

@test "set takes the words of either version, get answers in the words it is asked in" {
	requires memory pids cpu
	sc-cg create "$cg"
	sc-cg set "$cg" memory.limit_in_bytes=64m pids.max=100 cpu.cfs_quota_us=50000 cpu.weight=39
	run -0 sc-cg get "$cg" memory.max memory.limit_in_bytes pids.max cpu.max cpu.cfs_quota_us \
		cpu.cfs_period_us cpu.weight
	[ "$output" = "memory.max=67108864
memory.limit_in_bytes=67108864
pids.max=100
cpu.max=50000 100000
cpu.cfs_quota_us=50000
cpu.cfs_period_us=100000
cpu.weight=39" ]
	sc-cg set "$cg" memory.max=max cpu.max='max 20000' pids.max=-1
	run -0 sc-cg get "$cg" memory.max memory.limit_in_bytes pids.max cpu.max cpu.cfs_quota_us
	[ "$output" = "memory.max=max
memory.limit_in_bytes=-1
pids.max=max
cpu.max=max 20000
cpu.cfs_quota_us=-1" ]
}

@test "set: every weight comes back as the weight it was" {
	requires cpu
	local weight
	sc-cg create "$cg"
	for weight in 1 2 3 10 39 99 100 101 2500 5000 9998 9999 10000; do
		sc-cg set "$cg" "cpu.weight=$weight"
		[ "$(sc-cg get "$cg" cpu.weight)" = "cpu.weight=$weight" ]
	done
}

@test "set: the two ways to limit swap are each other plus memory" {
	requires memory
	sc-cg create "$cg"
	accounts_swap
	sc-cg set "$cg" memory.max=64m memory.swap.max=0
	[ "$(sc-cg get "$cg" memory.memsw.limit_in_bytes)" = memory.memsw.limit_in_bytes=67108864 ]
	sc-cg set "$cg" memory.limit_in_bytes=64m memory.memsw.limit_in_bytes=96m
	[ "$(sc-cg get "$cg" memory.swap.max)" = memory.swap.max=33554432 ]
	# each key keeps what it would have kept on its own version
	sc-cg set "$cg" memory.max=80m
	[ "$(sc-cg get "$cg" memory.swap.max)" = memory.swap.max=33554432 ]
	sc-cg set "$cg" memory.limit_in_bytes=64m
	[ "$(sc-cg get "$cg" memory.memsw.limit_in_bytes)" = memory.memsw.limit_in_bytes=117440512 ]
}

@test "set: limits on memory and swap can be raised and lowered in any order of words" {
	requires memory
	local a b size
	sc-cg create "$cg"
	accounts_swap
	for size in 64 256 16 128 8; do
		a=memory.limit_in_bytes=${size}m b=memory.memsw.limit_in_bytes=$((size * 2))m
		sc-cg set "$cg" "$a" "$b"
		sc-cg set "$cg" "$b" "$a"
		[ "$(sc-cg get "$cg" memory.limit_in_bytes)" = "memory.limit_in_bytes=$((size * 1048576))" ]
	done
	refused set "$cg" memory.limit_in_bytes=64m memory.memsw.limit_in_bytes=32m
	refused set "$cg" memory.limit_in_bytes=1g
	like "$stderr" '*set the limits of both*'
	# version 2 limits swap alone
	! grep -qE ' - cgroup [^ ]+ ([^ ]*,)?memory(,|$)' /proc/self/mountinfo ||
		refused set "$cg" memory.limit_in_bytes=max memory.swap.max=5m
}

@test "set: quota, period and burst that contradict the old ones are written in an order that works" {
	requires cpu
	sc-cg create "$cg"
	sc-cg set "$cg" cpu.max='50000 100000'
	sc-cg get "$cg" cpu.max.burst || skip "needs cpu.max.burst"
	sc-cg set "$cg" cpu.max='50000 100000' cpu.max.burst=40000
	sc-cg set "$cg" cpu.max='20000 50000' cpu.cfs_burst_us=10000
	sc-cg set "$cg" cpu.max.burst=60000 cpu.max='90000 100000'
	run -0 sc-cg get "$cg" cpu.max cpu.max.burst
	[ "$output" = "cpu.max=90000 100000
cpu.max.burst=60000" ]
}

@test "set reads back: a value that the kernel rounds is a warning" {
	requires memory
	sc-cg create "$cg"
	run -0 --separate-stderr sc-cg set "$cg" memory.max=2097153
	[ "$stderr" = "sc-cg: memory.max: asked 2097153, kernel kept 2097152" ]
}

@test "S17: malformed, negative, overflowing and unknown settings are refused by set and check, and nothing is written" {
	requires memory pids cpu cpuset
	local bad
	sc-cg create "$cg"
	sc-cg set "$cg" pids.max=77
	for bad in memory.max=abc memory.max=-1x memory.max=-2 memory.max= memory.max=nan memory.max=inf \
		memory.max=1.5m memory.max=' 5' memory.max=5mm memory.max=m memory.max=0x10 memory.max=+5 \
		memory.max=9223372036854775808 memory.max=99999999999999999999 memory.max=9999999999g \
		pids.max=-5 pids.max=4194305 pids.max=5k cpu.shares=1 cpu.shares=262145 cpu.weight=0 \
		cpu.weight=10001 cpu.max=999 cpu.max='5000 999' cpu.max='5000 10000 5' cpu.cfs_quota_us=0 \
		cpu.cfs_period_us=-1 cpuset.cpus=8191 cpuset.cpus=99999999999 cpuset.cpus=1-0 cpuset.cpus=0- \
		cpuset.cpus=,0 cpuset.cpus=x cpuset.mems=77 freezer.state=COLD cgroup.freeze=2 \
		io.max=5 io.max='0:99999999 rbps=1' io.max='1:1 rbps=x' hugetlb.3MB.max=1 hugetlb.max=1 \
		devices=none devices.allow=d devices.allow='c 1:3' devices.allow='c 1:3 rr' devices.allow='c 1:x r' \
		devices.deny='c 4096:0 r' nonsense=1 =1 pids.max memory.max.x=5 $'pids\n=1'; do
		refused set "$cg" pids.max=5 "$bad"
		refused check pids.max=5 "$bad"
	done
	[ "$(sc-cg get "$cg" pids.max)" = pids.max=77 ]
}

@test "check accepts what set accepts and changes nothing" {
	requires memory pids cpu cpuset
	sc-cg check memory.max=64m memory.swap.max=64m pids.max=max cpu.max='max 100000' cpuset.cpus=0 \
		cpuset.mems=0 devices=default cgroup.freeze=1
}

@test "a key that no controller of this host serves is an error that names the controller" {
	requires cgroup1 cgroup2 pids
	sc-cg "$v2" create "$cg"
	grep -qw pids "$(awk '{ print $5 }' "$BATS_TEST_TMPDIR/v2")/cgroup.controllers" && skip "needs a hybrid host"
	refused "$v2" set "$cg" pids.max=5
	like "$stderr" '*pids.max*pids controller*'
}

@test "S17: a memory hog is killed, and stat counts it" {
	requires memory
	sc-cg create "$cg"
	sc-cg set "$cg" memory.max=16m
	sc-cg set "$cg" memory.swap.max=0
	run -137 sc-cg exec "$cg" dd if=/dev/zero of=/dev/null bs=64M count=1
	run -0 sc-cg stat "$cg"
	like "$output" '*memory.max 16777216*'
	run ! grep -x 'oom_kill 0' <<<"$output"
}

@test "S17: a fork bomb stays within pids.max, and kill and rm end it" {
	requires pids
	sc-cg create "$cg"
	sc-cg set "$cg" pids.max=50
	# a shell that cannot fork ends; with command eval the first one does not, so that the bomb cannot die out
	sc-cg exec "$cg" sh -c 'bomb() { bomb | bomb & }; while :; do command eval bomb; wait; done' >/dev/null 2>&1 3>&- &
	wait_until 20 sh -c '[ "$(sc-cg stat "$1" | sed -n "s/pids.current //p")" -ge 40 ]' - "$cg"
	[ "$(sc-cg stat "$cg" | sed -n 's/pids.current //p')" -le 50 ]
	sc-cg kill "$cg"
	same "$(sc-cg procs "$cg")" ""
	# a dead one counts until somebody has waited for it
	wait_until 20 sh -c 'sc-cg stat "$1" | grep -x "pids.current 0"' - "$cg"
}

@test "S10: devices=default denies what is not on the list" {
	requires devices
	mknod "$BATS_TEST_TMPDIR/null" c 1 3
	mknod "$BATS_TEST_TMPDIR/kmsg" c 1 11
	sc-cg create "$cg"
	sc-cg exec "$cg" dd if="$BATS_TEST_TMPDIR/kmsg" of=/dev/null iflag=nonblock count=0
	sc-cg set "$cg" devices=default
	sc-cg exec "$cg" dd if="$BATS_TEST_TMPDIR/null" of=/dev/null
	run ! sc-cg exec "$cg" dd if="$BATS_TEST_TMPDIR/kmsg" of=/dev/null iflag=nonblock count=0
	like "$output" '*Operation not permitted*'
	# mknod of any node is on the list
	sc-cg exec "$cg" mknod "$BATS_TEST_TMPDIR/disk" b 8 0
}

@test "devices on version 2: an eBPF program with the rules of the last call, the last match decides" {
	requires cgroup2
	mknod "$BATS_TEST_TMPDIR/zero" c 1 5
	mknod "$BATS_TEST_TMPDIR/full" c 1 7
	# allowed ACCESS NODE - ask inside, with the node as standard output or input
	allowed() {
		case $1 in
		r) sc-cg "$v2" exec "$cg" sh -c ': <"$1"' - "$BATS_TEST_TMPDIR/$2" ;;
		w) sc-cg "$v2" exec "$cg" sh -c ': >"$1"' - "$BATS_TEST_TMPDIR/$2" ;;
		rw) sc-cg "$v2" exec "$cg" sh -c ': <>"$1"' - "$BATS_TEST_TMPDIR/$2" ;;
		m)
			sc-cg "$v2" exec "$cg" mknod "$BATS_TEST_TMPDIR/new" c 1 5 || return
			rm "$BATS_TEST_TMPDIR/new"
			;;
		esac
	}
	sc-cg "$v2" create "$cg"
	allowed rw zero
	sc-cg "$v2" set "$cg" devices.deny=a
	run ! allowed r zero
	run ! allowed m zero
	sc-cg "$v2" set "$cg" devices.deny=a devices.allow='c 1:5 r'
	allowed r zero
	run ! allowed w zero
	run ! allowed rw zero
	run ! allowed r full
	sc-cg "$v2" set "$cg" devices.deny=a devices.allow='c 1:5 r' devices.allow='c 1:* w'
	allowed rw zero
	allowed w full
	run ! allowed rw full
	sc-cg "$v2" set "$cg" devices.deny=a devices.allow='c *:* rwm' devices.deny='c 1:7 w'
	allowed rw zero
	allowed r full
	run ! allowed rw full
	allowed m zero
	sc-cg "$v2" set "$cg" devices.deny='c 1:5 m'
	run ! allowed m zero
	allowed rw full
	sc-cg "$v2" set "$cg" devices=default
	allowed rw zero
}

@test "freeze returns when all have stopped, thaw lets them go on" {
	requires freezer
	sc-cg create "$cg"
	sleeper "$cg"
	sc-cg freeze "$cg"
	[ "$(sc-cg get "$cg" freezer.state)" = freezer.state=FROZEN ]
	[ "$(sc-cg get "$cg" cgroup.freeze)" = cgroup.freeze=1 ]
	sc-cg thaw "$cg"
	[ "$(sc-cg get "$cg" cgroup.freeze)" = cgroup.freeze=0 ]
	sc-cg set "$cg" freezer.state=FROZEN
	[ "$(sc-cg get "$cg" freezer.state)" = freezer.state=FROZEN ]
	sc-cg kill "$cg"
	# of the group at once; what is left of it is a matter of the kernel
	same "$(sc-cg procs "$cg")" ""
	wait_until 20 is_gone "$pid"
}

@test "kill ends frozen processes and those of control groups below, on version 1 alone, too" {
	requires cgroup1 freezer
	grep ' - cgroup ' /proc/self/mountinfo >"$BATS_TEST_TMPDIR/v1"
	local v1=--mounts=$BATS_TEST_TMPDIR/v1 below
	sc-cg "$v1" create "$cg"
	sc-cg "$v1" create "$cg/a/b"
	sleeper "$cg" "$v1"
	below=$pid
	sleeper "$cg/a/b" "$v1"
	sc-cg "$v1" freeze "$cg/a"
	sc-cg "$v1" kill "$cg"
	same "$(sc-cg "$v1" procs "$cg")$(sc-cg "$v1" procs "$cg/a/b")" ""
	wait_until 20 is_gone "$pid"
	wait_until 20 is_gone "$below"
	sc-cg "$v1" rm "$cg"
}

@test "kill and rm touch no process outside, and refuse the control group they run in" {
	local inside
	sc-cg create "$cg"
	sc-cg create "${cg%/*}/other"
	sleeper "${cg%/*}/other"
	inside=$pid
	sc-cg rm "$cg"
	kill -0 "$inside"
	sc-cg create "$cg"
	refused exec "$cg" sc-cg rm "$cg"
	like "$stderr" '*this very process*'
	refused exec "$cg" sc-cg freeze "$cg"
	sc-cg rm "${cg%/*}/other"
	wait_until 20 is_gone "$inside"
}

@test "rm kills, removes what the container made below, and is content when nothing is there" {
	local root
	sc-cg create "$cg"
	for root in $(roots); do
		mkdir -p "$root/$cg/a/b/c" "$root/$cg/d"
	done
	sleeper "$cg"
	sc-cg rm "$cg"
	[ "$(loaded)" = 0 ]
	wait_until 20 is_gone "$pid"
	sc-cg rm "$cg"
	sc-cg rm -p "$cg"
	sc-cg rm never/was/there
}

@test "rm leaves the parent; rm -p takes it when it is empty and leaves it when it is not" {
	local root
	root=$(roots | tail -n 1)
	sc-cg create "$cg"
	sc-cg create "${cg%/*}/other"
	sc-cg rm "$cg"
	[ -d "$root/${cg%/*}" ]
	sc-cg rm -p "$cg"
	[ -d "$root/${cg%/*}/other" ]
	sc-cg rm -p "${cg%/*}/other"
	[ ! -d "$root/${cg%/*}" ]
}

@test "rm removes a control group nested five hundred deep" {
	local root path i
	root=$(roots | tail -n 1)
	sc-cg create "$cg"
	path=$root/$cg
	for ((i = 0; i < 500; i++)); do
		path=$path/d
	done
	mkdir -p "$path"
	sc-cg rm "$cg"
	[ ! -d "$root/$cg" ]
}

@test "stat has the same keys everywhere, and goes on after one that is absent" {
	requires memory pids
	sc-cg create "$cg"
	run -0 sc-cg stat "$cg"
	like "$output" '*cpu.usage_usec *memory.current *memory.max max*pids.current 0*pids.max max*oom_kill 0*'
	run ! grep -vE '^[a-zA-Z0-9_.]+ ([0-9.]+|max)$' <<<"$output"
	run -125 --separate-stderr sc-cg stat "$cg/absent" "$cg"
	like "$output" "cgroup $cg*memory.current*"
	like "$stderr" 'sc-cg: stat *absent*'
}

@test "hugetlb: either name, huge pages this host has, rounded to whole ones" {
	requires hugetlb
	[ -d /sys/kernel/mm/hugepages/hugepages-2048kB ] || skip "needs huge pages of 2 MB"
	sc-cg create "$cg"
	run -0 --separate-stderr sc-cg set "$cg" hugetlb.2MB.limit_in_bytes=3m
	[ "$stderr" = "sc-cg: hugetlb.2MB.limit_in_bytes: asked 3145728, kernel kept 2097152" ]
	run -0 sc-cg get "$cg" hugetlb.2MB.max hugetlb.2MB.limit_in_bytes
	[ "$output" = "hugetlb.2MB.max=2097152
hugetlb.2MB.limit_in_bytes=2097152" ]
}

@test "--mounts: version 2 alone, a mount that is not there does not count" {
	requires cgroup1 cgroup2
	sc-cg "$v2" create "$cg"
	[ "$(loaded)" = 1 ]
	sed 's/^\([^ ]* [^ ]*\) [^ ]*/\1 0:9999/' "$BATS_TEST_TMPDIR/v2" >"$BATS_TEST_TMPDIR/covered"
	refused "--mounts=$BATS_TEST_TMPDIR/covered" kill "$cg"
	like "$stderr" '*no control group hierarchy*'
	sc-cg "$v2" rm "$cg"
	[ "$(loaded)" = 0 ]
}

@test "get: several control groups in one call, and what cannot be told stops nothing" {
	requires pids
	sc-cg create "$cg"
	sc-cg create "${cg%/*}/other"
	sc-cg set "$cg" pids.max=11
	expect 0 sc-cg get "$cg" pids.max pids.current -- "${cg%/*}/other" pids.max
	same "$output" "cgroup $cg
pids.max=11
pids.current=0
cgroup ${cg%/*}/other
pids.max=max"
	expect 125 sc-cg get never/there pids.max -- "$cg" nonsense memory.reclaim pids.max
	same "$output" "cgroup $cg
pids.max=11"
	like "$stderr" 'sc-cg: get never/there: no such control group
sc-cg: nonsense: no such key*
sc-cg: memory.reclaim: *'
	refused get "$cg" --
	refused get "$cg" pids.max --
	refused get "$cg" pids.max -- "$cg"
	refused get "$cg" pids.max -- ../x pids.max
	sc-cg rm "${cg%/*}/other"
}

@test "stat: pressure, periods, peaks and huge pages where the host has them" {
	requires memory pids cpu
	sc-cg create "$cg"
	sc-cg exec "$cg" true
	expect 0 sc-cg stat "$cg"
	like "$output" $'*\ncpu.nr_periods 0\n*'
	like "$output" $'*\nmemory.swap.max max\n*'
	like "$output" $'*\nmemory.events.max 0\n*'
	if sc-cg keys "$cg" | grep -q '^pids.peak.*read'; then
		like "$output" $'*\npids.peak [1-9]*\n*'
	fi
	if has_controller io blkio; then
		like "$output" $'*\nio.rios *\nio.wios *'
	fi
	if [ -d /sys/kernel/mm/hugepages/hugepages-2048kB ] && has_controller hugetlb; then
		like "$output" $'*\nhugetlb.2MB.current 0\n*'
	fi
	if sc-cg keys "$cg" | grep -q '^memory.high.*set'; then
		like "$output" $'*\nmemory.high max\n*memory.events.high 0\n*memory.events.oom 0\n*'
	fi
	if sc-cg get "$cg" memory.pressure >/dev/null; then
		# true may have waited on a busy machine
		like "$output" $'*\ncpu.pressure.some.avg10 +([0-9]).[0-9][0-9]\ncpu.pressure.some.avg60 +([0-9]).[0-9][0-9]\ncpu.pressure.some.total *'
		like "$output" $'*\nmemory.pressure.full.avg10 +([0-9]).[0-9][0-9]\n*\nio.pressure.full.total *'
	fi
}

@test "stat: the pressure of processes that wait for the cpu is told" {
	requires cgroup2 cpu
	sc-cg create "$cg"
	sc-cg get "$cg" cpu.pressure || skip "needs pressure stall information"
	local pids='' pid
	for pid in 1 2 3 4; do
		sc-cg exec "$cg" sh -c 'while :; do :; done' 3>&- &
		pids="$pids $!"
	done
	wait_until 20 sh -c 'sc-cg stat "$1" | grep -q "^cpu.pressure.some.total [1-9]"' - "$cg"
	# who joins later is not killed
	wait_until 20 sh -c '[ "$(sc-cg procs "$1" | wc -l)" -eq 4 ]' - "$cg"
	sc-cg kill "$cg"
	for pid in $pids; do
		wait "$pid" || [ $? = 137 ]
	done
}

@test "set: a nice value is the weight the kernel gives to it, in either vocabulary" {
	requires cpu
	local nice
	sc-cg create "$cg"
	for nice in -20 -5 0 1 19; do
		sc-cg set "$cg" "cpu.weight.nice=$nice"
		same "$(sc-cg get "$cg" cpu.weight.nice)" "cpu.weight.nice=$nice"
	done
	for nice in -21 20 -0 +1 5x '' 1.5 007; do
		refused set "$cg" "cpu.weight.nice=$nice"
	done
	# the two say the same, so the last one counts
	sc-cg set "$cg" cpu.weight.nice=19 cpu.weight=100
	same "$(sc-cg get "$cg" cpu.weight)" cpu.weight=100
	sc-cg set "$cg" cpu.weight=100 cpu.weight.nice=19
	same "$(sc-cg get "$cg" cpu.weight.nice)" cpu.weight.nice=19
}

@test "set: what only version 1 limits: swappiness, the memory killer, network buffers, cpusets" {
	requires cgroup1 memory cpuset
	sc-cg create "$cg"
	sc-cg keys "$cg" | grep -q '^memory.swappiness.*set' || skip "needs the memory controller in version 1"
	sc-cg set "$cg" memory.swappiness=11 memory.oom_control=1 memory.kmem.tcp.limit_in_bytes=8m cpuset.memory_migrate=1
	expect 0 sc-cg get "$cg" memory.swappiness memory.oom_control memory.kmem.tcp.limit_in_bytes cpuset.memory_migrate
	same "$output" "memory.swappiness=11
memory.oom_control=1
memory.kmem.tcp.limit_in_bytes=8388608
cpuset.memory_migrate=1"
	# orders leave nothing to read back
	sc-cg set "$cg" memory.force_empty=1
	refused get "$cg" memory.force_empty
}

@test "set: realtime quota and period on version 1" {
	requires cgroup1 cpu
	sc-cg create "$cg"
	sc-cg keys "$cg" | grep -q '^cpu.rt_runtime_us.*set' || skip "needs CONFIG_RT_GROUP_SCHED"
	refused set "$cg" cpu.rt_runtime_us=5000
	like "$stderr" '*cpu.rt_runtime_us*parent*'
	# the root of the sandbox and the parent have to have some to give
	local top
	top=$(awk '/ - cgroup .*[, ]cpu(,|$)/ { print $5 }' /proc/self/mountinfo | head -n 1)
	echo 20000 >"$top/cpu.rt_runtime_us" || skip "needs realtime time in the control group of the sandbox"
	sc-cg set "${cg%/*}" cpu.rt_runtime_us=10000
	sc-cg set "$cg" cpu.rt_period_us=500000 cpu.rt_runtime_us=4000
	expect 0 sc-cg get "$cg" cpu.rt_runtime_us cpu.rt_period_us
	same "$output" "cpu.rt_runtime_us=4000
cpu.rt_period_us=500000"
	sc-cg rm -p "$cg"
	# the kernel counts a removed control group for a moment
	wait_until 20 sh -c 'echo 0 >"$1/cpu.rt_runtime_us"' - "$top"
}

@test "set: what only version 2 limits: depth, descendants, pressure; memory.high and its like" {
	requires cgroup2
	sc-cg create "$cg"
	sc-cg set "$cg" cgroup.max.depth=2 cgroup.max.descendants=3
	expect 0 sc-cg get "$cg" cgroup.max.depth cgroup.max.descendants
	same "$output" "cgroup.max.depth=2
cgroup.max.descendants=3"
	refused create "$cg/a/b/c"
	sc-cg keys "$cg" | grep -q '^memory.high.*set' || return 0
	sc-cg set "$cg" memory.high=32m memory.min=4k memory.low=8m memory.oom.group=1
	expect 0 sc-cg get "$cg" memory.high memory.min memory.low memory.soft_limit_in_bytes memory.oom.group
	same "$output" "memory.high=33554432
memory.min=4096
memory.low=8388608
memory.soft_limit_in_bytes=8388608
memory.oom.group=1"
	# no soft limit is no protection, not protection of everything
	sc-cg set "$cg" memory.soft_limit_in_bytes=-1
	same "$(sc-cg get "$cg" memory.low)" memory.low=0
}

@test "set: reservations of huge pages, and the highest number that version 1 prints, is no limit" {
	requires hugetlb
	[ -d /sys/kernel/mm/hugepages/hugepages-2048kB ] || skip "needs huge pages of 2 MB"
	sc-cg create "$cg"
	sc-cg set "$cg" hugetlb.2MB.rsvd.limit_in_bytes=4m hugetlb.2MB.max=9223372036854771712
	expect 0 sc-cg get "$cg" hugetlb.2MB.rsvd.max hugetlb.2MB.max hugetlb.2MB.limit_in_bytes
	same "$output" "hugetlb.2MB.rsvd.max=4194304
hugetlb.2MB.max=max
hugetlb.2MB.limit_in_bytes=-1"
}

@test "set: a weight for one disk, where the scheduler of that disk has weights" {
	requires io loop
	local loop queue out
	sc-cg create "$cg"
	truncate -s 4M "$BATS_TEST_TMPDIR/disk"
	loop=$(losetup -f --show "$BATS_TEST_TMPDIR/disk")
	queue=/sys/block/${loop##*/}/queue/scheduler
	out=$(cat "$queue")
	if ! grep -q bfq "$queue" || ! echo bfq >"$queue"; then
		losetup -d "$loop"
		skip "needs the disk scheduler bfq"
	fi
	# undone before anything is looked at
	run sc-cg set "$cg" "io.bfq.weight=$loop 300" io.bfq.weight=200
	local set_status=$status set_output=$output
	run sc-cg get "$cg" io.bfq.weight blkio.bfq.weight_device blkio.bfq.weight
	local got=$output
	run sc-cg set "$cg" "io.bfq.weight=$loop default"
	local reset=$status
	out=${out#*[}
	echo "${out%]*}" >"$queue"
	losetup -d "$loop"
	echo "$set_output"
	same "$set_status" 0
	same "$reset" 0
	like "$got" "io.bfq.weight=200
io.bfq.weight=7:* 300
blkio.bfq.weight_device=7:* 300
blkio.bfq.weight=200"
}

@test "kill and rm give up on what cannot die, name it, and leave the control group for a second rm" {
	requires loop
	local loop top other="${cg%/*}/above/below" freezer killer
	sc-cg create "$cg"
	sc-cg create "$other"
	truncate -s 8M "$BATS_TEST_TMPDIR/disk"
	mkfs.ext4 -q "$BATS_TEST_TMPDIR/disk"
	mkdir "$BATS_TEST_TMPDIR/mnt"
	loop=$(losetup -f --show "$BATS_TEST_TMPDIR/disk")
	mount "$loop" "$BATS_TEST_TMPDIR/mnt"
	fsfreeze -f "$BATS_TEST_TMPDIR/mnt"
	# it waits inside the kernel, where no signal reaches it
	sc-cg exec "$cg" sh -c ': >"$1/here"; echo >"$1/mnt/file"' - "$BATS_TEST_TMPDIR" 3>&- &
	local stuck=$!
	# it waits in there also while it joins
	wait_until 20 [ -e "$BATS_TEST_TMPDIR/here" ]
	wait_until 20 grep -q '^State:.D' "/proc/$stuck/status"
	# nor does one reach who is frozen by version 1 further up; both at once, as each takes 10 seconds
	freezer=$(awk '/ - cgroup .*[, ]freezer(,|$)/ { print $5 }' /proc/self/mountinfo | head -n 1)
	if [ -n "$freezer" ]; then
		sleeper "$other"
		echo FROZEN >"$freezer/${other%/*}/freezer.state"
	fi
	sc-cg kill "$other" 2>"$BATS_TEST_TMPDIR/killer" 3>&- &
	killer=$!
	run -125 --separate-stderr sc-cg rm "$cg"
	local said=$stderr
	for top in $(roots); do
		[ -d "$top/$cg" ] || said="$top/$cg is gone"
	done
	local killed=0
	wait "$killer" || killed=$?
	[ -z "$freezer" ] || echo THAWED >"$freezer/${other%/*}/freezer.state"
	fsfreeze -u "$BATS_TEST_TMPDIR/mnt"
	sc-cg rm "$cg"
	sc-cg rm -p "$other"
	wait_until 20 is_gone "$stuck"
	umount "$BATS_TEST_TMPDIR/mnt"
	losetup -d "$loop"
	like "$said" "sc-cg: kill $cg: after 10 s *still there*: $stuck(D)"
	[ -z "$freezer" ] || {
		same "$killed" 125
		like "$(cat "$BATS_TEST_TMPDIR/killer")" "sc-cg: kill $other: *above this one is frozen* $pid(*)"
	}
}

@test "create: a controller that a parent cannot hand on is named" {
	requires cgroup2 hugetlb
	grep -qw hugetlb "$(awk '/ - cgroup2 / { print $5; exit }' /proc/self/mountinfo)/cgroup.controllers" ||
		skip "needs a controller in version 2"
	sc-cg "$v2" create "$cg"
	sleeper "$cg" "$v2"
	# only leaves take processes and this one has one
	refused "$v2" create "$cg/below"
	like "$stderr" 'sc-cg: create */below in cgroup2: a control group above it cannot hand on *+hugetlb*processes of its own: *busy*'
	sc-cg "$v2" kill "$cg"
	sc-cg "$v2" create "$cg/below"
	sc-cg "$v2" rm "$cg"
}

@test "create: below a delegated unit its processes move to a leaf, and nothing above it is touched" {
	requires cgroup2
	local top unit=${cg%/*}/unit.service
	top=$(awk '/ - cgroup2 / { print $5; exit }' /proc/self/mountinfo)
	mkdir -p "$top/$unit"
	setfattr -n user.delegate -v 1 "$top/$unit" || {
		rmdir "$top/$unit" "$top/${unit%/*}"
		skip "needs extended attributes on control groups, and attr"
	}
	grep -q . "$top/cgroup.controllers" || skip "needs a controller in version 2"
	local controllers
	controllers=$(cat "$top/cgroup.subtree_control")
	sh -c 'echo $$ >"$1/cgroup.procs"; exec sleep 1000' - "$top/$unit" 3>&- &
	local service=$!
	wait_until 20 grep -q sleep "/proc/$service/comm"
	# what is above the unit is somebody else's: without a controller from there, there is none below
	sc-cg "$v2" create "$unit/sc/one"
	same "$(cat "$top/${unit%/*}/cgroup.subtree_control")" ""
	same "$(cat "$top/$unit/cgroup.procs")" "$service"
	sc-cg "$v2" rm -p "$unit/sc/one"
	sed 's/[^ ]*/+&/g' "$top/cgroup.controllers" >"$top/${unit%/*}/cgroup.subtree_control"
	sc-cg "$v2" create "$unit/sc/one"
	same "$(cat "$top/$unit/cgroup.procs")" ""
	same "$(cat "$top/$unit/init/cgroup.procs")" "$service"
	same "$(cat "$top/$unit/sc/one/cgroup.controllers")" "$(cat "$top/cgroup.controllers")"
	same "$(cat "$top/cgroup.subtree_control")" "$controllers"
	refused "$v2" create "$unit/sc/one"
	same "$(cat "$top/$unit/init/cgroup.procs")" "$service"
	sc-cg "$v2" rm "${cg%/*}"
}

@test "create: without the mark of a delegation processes stay where they are" {
	requires cgroup2
	local top
	top=$(awk '/ - cgroup2 / { print $5; exit }' /proc/self/mountinfo)
	grep -q . "$top/cgroup.controllers" || skip "needs a controller in version 2"
	sc-cg "$v2" create "$cg"
	sleeper "$cg" "$v2"
	refused "$v2" create "$cg/below"
	same "$(cat "$top/$cg/cgroup.procs")" "$pid"
	[ ! -d "$top/$cg/init" ]
	[ ! -d "$top/$cg/below" ]
}

@test "create: inside the cgroup namespace of a container its processes move to a leaf first" {
	requires cgroup2
	local top
	top=$(awk '/ - cgroup2 / { print $5; exit }' /proc/self/mountinfo)
	grep -q . "$top/cgroup.controllers" || skip "needs a controller in version 2"
	sc-cg "$v2" create "$cg"
	# what fails further down takes the move back
	sc-cg "$v2" set "$cg" cgroup.max.depth=1
	expect 0 sc-cg "$v2" exec "$cg" unshare --cgroup --mount sh -ec '
		umount -R /sys/fs/cgroup
		mount -t cgroup2 none /sys/fs/cgroup
		sc-cg create inner/one 2>&1 && exit 1
		cat /proc/self/cgroup
		find /sys/fs/cgroup -mindepth 1 -type d
		echo "handed on: $(cat /sys/fs/cgroup/cgroup.subtree_control)"'
	like "$output" "sc-cg: create inner/one in cgroup2: *
*0::/
handed on: "
	sc-cg "$v2" set "$cg" cgroup.max.depth=max
	expect 0 sc-cg "$v2" exec "$cg" unshare --cgroup --mount sh -ec '
		umount -R /sys/fs/cgroup
		mount -t cgroup2 none /sys/fs/cgroup
		sc-cg create inner/one
		sc-cg exec inner/one cat /proc/self/cgroup
		cat /proc/self/cgroup
		cat /sys/fs/cgroup/inner/one/cgroup.controllers
		sc-cg rm -p inner/one'
	like "$output" "*0::/inner/one
*0::/init
$(cat "$top/cgroup.controllers")"
	[ -d "$top/$cg/init" ]
}

@test "threaded control groups below: kill, freeze and stat work, and one of its own says what to name" {
	requires cgroup2
	local top
	top=$(awk '/ - cgroup2 / { print $5; exit }' /proc/self/mountinfo)
	sc-cg "$v2" create "$cg"
	mkdir "$top/$cg/threads"
	sc-cg "$v2" set "$cg/threads" cgroup.type=threaded
	same "$(sc-cg "$v2" get "$cg/threads" cgroup.type)" cgroup.type=threaded
	sleeper "$cg" "$v2"
	echo "$pid" >"$top/$cg/threads/cgroup.threads"
	sc-cg "$v2" freeze "$cg"
	sc-cg "$v2" thaw "$cg"
	expect 0 sc-cg "$v2" stat "$cg"
	refused "$v2" kill "$cg/threads"
	like "$stderr" '*threaded*'
	kill -0 "$pid"
	sc-cg "$v2" kill "$cg"
	same "$(sc-cg "$v2" procs "$cg")" ""
	wait_until 20 is_gone "$pid"
	sc-cg "$v2" rm "$cg"
}
