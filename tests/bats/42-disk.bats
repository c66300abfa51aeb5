#!/usr/bin/env bats
# --disk-size: a container fills its own disk and nobody else's, and leaves no mount and no loop device

# what stands in single quotes is for the shell in the container
# shellcheck disable=SC2016

load helpers
load ready

setup() {
	requires loop
	sc_setup
}

# fakes TOOL... - let these fail, in front of PATH
fakes() {
	local tool
	mkdir -p "$BATS_TEST_TMPDIR/fakes"
	rm -f "$BATS_TEST_TMPDIR/fakes/"*
	for tool; do
		printf '#!/bin/sh\necho "%s: no" >&2\nexit 1\n' "$tool" >"$BATS_TEST_TMPDIR/fakes/$tool"
		chmod +x "$BATS_TEST_TMPDIR/fakes/$tool"
	done
}

# megabytes_near BYTES MEGABYTES - is it that, within 5 %?
megabytes_near() {
	echo "$1 bytes, $2 MiB asked for"
	[ "$1" -ge $(($2 * 1048576 * 95 / 100)) ] && [ "$1" -le $(($2 * 1048576 * 105 / 100)) ]
}

# disk NAME SIZE CALL... - calls of lib/disk.sh for a container, as update makes them
disk() {
	cat >"$BATS_TEST_TMPDIR/call" <<-'END'
		. "$SC_LIB/lib.sh"
		. "$SC_LIB/lib/journal.sh"
		. "$SC_LIB/lib/ulimit.sh"
		. "$SC_LIB/lib/limits.sh"
		. "$SC_LIB/lib/disk.sh"
		option=--disk-size name=$1 record=$SC_ROOT/containers/$1
		read -r short <"$record/id"
		disk_find
		disk_parse "$2"
		shift 2
		for call; do "$call"; done
	END
	SC_LIB=$ROOT sh "$BATS_TEST_TMPDIR/call" "$@"
}

@test "S17: sizes that cannot be meant are refused before anything is made" {
	local size
	for size in 0 -1 7m 8388607 1x 08m '' 15t 14337g 99999999999999999999 8.5m '8 m' nan 50%; do
		sc 125 run --name=d1 "--disk-size=$size" busybox true
		like "$stderr" '*disk*size*'
	done
	sc 125 run --name=d1 --disk-size
	wait_until 10 as_before
}

@test "S17: writing ends at the size, within 5 %, with 'No space left on device', and what is there can be read" {
	local n
	for n in 8 40; do
		sc run --rm --net=none "--disk-size=${n}m" busybox sh -c '
			dd if=/dev/zero of=/big bs=64k 2>/dev/shm/why
			grep -c "No space left on device" /dev/shm/why
			wc -c </big
			dd if=/big bs=64k 2>/dev/null | wc -c
			rm /big
			echo again >/big
			cat /big
			df -k / | awk "END { print \$2 * 1024 }"'
		same "${lines[0]}" 1
		megabytes_near "${lines[1]}" "$n"
		same "${lines[2]}" "${lines[1]}"
		same "${lines[3]}" again
		megabytes_near "${lines[4]}" "$n"
	done
}

@test "S17: files come to an end as well" {
	sc run --rm --net=none --disk-size=16m busybox sh -c 'mkdir /f; cd /f; seq 6000 | xargs touch 2>/dev/shm/why; head -n 1 /dev/shm/why; ls | wc -l'
	like "${lines[0]}" '*No space left on device*'
	[ "${lines[1]}" -gt 1000 ]
	[ "${lines[1]}" -lt 4096 ]
}

@test "S17: a full disk hurts nobody else" {
	local before
	before=$(stat -f -c %a /var/lib/scadm)
	scadm run -d --name=full --net=none --disk-size=16m busybox sh -c 'dd if=/dev/zero of=/big bs=64k; dd if=/dev/zero of=/tmp/x; exec sleep 100' >/dev/null 3>&-
	wait_until 20 grep -q 'No space left' /var/lib/scadm/containers/full/container.log
	[ $(((before - $(stat -f -c %a /var/lib/scadm)) * $(stat -f -c %S /var/lib/scadm))) -lt 25165824 ]
	sc run --rm --net=none busybox sh -c 'dd if=/dev/zero of=/x bs=1M count=20 && wc -c </x'
	same "$output" 20971520
	sc run --rm --net=none --disk-size=16m busybox sh -c 'dd if=/dev/zero of=/x bs=1M count=10 && wc -c </x'
	same "$output" 10485760
	sc ps
	like "$output" '*full*Up*'
	sc rm -f full
}

@test "disk: what is deleted inside is given back to the host" {
	scadm run -d --name=d2 --net=none --disk-size=40m busybox sh -c 'dd if=/dev/zero of=/x bs=1M count=30; sync; : >/tmp/1
		while [ -e /x ]; do sleep 0.1; done; sync; : >/tmp/2; sleep 100' >/dev/null 3>&-
	wait_until 20 test -e /var/lib/scadm/containers/d2/disk/upper/tmp/1
	[ "$(du -k /var/lib/scadm/containers/d2/disk.ext4 | cut -f 1)" -gt 30000 ]
	read -r pid _ </var/run/container/d2/pid
	sc-nsexec --target="$pid" rm /x
	wait_until 20 sh -c '[ "$(du -k /var/lib/scadm/containers/d2/disk.ext4 | cut -f 1)" -lt 15000 ]'
	sc rm -f d2
}

@test "S24: nothing on it is for the host to run or open; inside, setuid and programs work" {
	scadm run -d --name=d3 --net=none --disk-size=16m busybox sh -c 'cp /bin/busybox /id; chmod 4755 /id; chmod 755 /; : >/tmp/1; sleep 100' >/dev/null 3>&-
	wait_until 20 test -e /var/lib/scadm/containers/d3/disk/upper/tmp/1
	like "$(findmnt -n -o OPTIONS -M /var/lib/scadm/containers/d3/disk)" '*nosuid,nodev,noexec*'
	run -126 /var/lib/scadm/containers/d3/disk/upper/id
	same "$(stat -c %a /var/lib/scadm/containers/d3)" 700
	sc rm -f d3
	sc run --rm --net=none --disk-size=16m --userns=host --security-opt no-new-privileges=false busybox sh -c '
		cp /bin/busybox /tmp/busybox; chmod 4755 /tmp/busybox; chmod 755 /
		printf "root::0:0::/:/bin/sh\nu::1000:1000::/:/bin/sh\n" >/etc/passwd
		su u -c "id -u; /tmp/busybox su -c \"id -u\"" </dev/null'
	same "${lines[0]}" 1000
	same "${lines[1]}" 0
}

@test "disk: with --userns=host, read-only and privileged" {
	sc run --rm --net=none --disk-size=16m --userns=host busybox sh -c 'dd if=/dev/zero of=/big bs=64k 2>/dev/null; wc -c </big'
	megabytes_near "$output" 16
	sc run --rm --net=none --disk-size=16m --privileged busybox sh -c 'dd if=/dev/zero of=/big bs=64k 2>/dev/null; wc -c </big'
	megabytes_near "$output" 16
	sc 1 run --rm --net=none --disk-size=16m --read-only busybox touch /x
}

@test "disk: one that has ended keeps its file and holds no loop device" {
	scadm run -d --name=d4 --net=none --disk-size=16m busybox sh -c 'echo kept >/file' >/dev/null 3>&-
	wait_until 30 sh -c '! mountpoint -q /var/lib/scadm/containers/d4/disk && [ -z "$(losetup -j /var/lib/scadm/containers/d4/disk.ext4)" ]'
	test -s /var/lib/scadm/containers/d4/disk.ext4
	same "$(field d4 .Limits.Actual)" ''
	# offline: what an ended container has can grow without any privilege over mounted file systems
	expect 0 disk d4 32m disk_set_ask disk_set
	same "$(blkid -o value -s TYPE /var/lib/scadm/containers/d4/disk.ext4)" ext4
	megabytes_near "$(dumpe2fs -h /var/lib/scadm/containers/d4/disk.ext4 2>/dev/null | awk '/^Block count/ { print $3 * 4096 - 4718592 }')" 32
	like "$(debugfs -R 'cat upper/file' /var/lib/scadm/containers/d4/disk.ext4 2>/dev/null)" kept
	expect 125 disk d4 16m disk_set_ask disk_set
	like "$stderr" '*can only grow*'
	sc rm d4
}

@test "disk: inspect's number is what the kernel enforces" {
	scadm run -d --name=d5 --net=none --disk-size=64m busybox sleep 100 >/dev/null 3>&-
	megabytes_near "$(field d5 '.Limits.Actual."disk-size"')" 64
	sc rm -f d5
}

@test "update: a disk grows while it is in use" {
	requires sys_resource
	scadm run -d --name=d6 --net=none --disk-size=16m busybox sh -c 'dd if=/dev/zero of=/big bs=64k; exec sleep 100' >/dev/null 3>&-
	wait_until 20 grep -q 'No space' /var/lib/scadm/containers/d6/container.log
	sc update --disk-size=40m d6
	same "$output" d6
	read -r pid _ </var/run/container/d6/pid
	megabytes_near "$(sc-nsexec --target="$pid" df -k / | awk 'END { print $2 * 1024 }')" 40
	sc-nsexec --target="$pid" dd if=/dev/zero of=/more bs=1M count=20
	run ! sc-nsexec --target="$pid" dd if=/dev/zero of=/most bs=1M count=20
	sc 125 update --disk-size=16m d6
	like "$stderr" '*can only grow*'
	sc rm -f d6
}

@test "update: a disk that cannot change is said to be so, and nothing is changed" {
	local length
	scadm run -d --name=d7 --net=none --disk-size=16m busybox sleep 100 >/dev/null 3>&-
	scadm run -d --name=d8 --net=none busybox sleep 100 >/dev/null 3>&-
	length=$(stat -c %s /var/lib/scadm/containers/d7/disk.ext4)
	sc 125 update --disk-size=8m d7
	like "$stderr" '*can only grow*'
	sc 125 update --disk-size=16m d8
	like "$stderr" '*without --disk-size*'
	# the kernel asks for this capability (ext4_resize_begin)
	expect 125 setpriv --bounding-set -sys_resource "$ROOT/bin/scadm" update --disk-size=40m d7
	like "$stderr" '*CAP_SYS_RESOURCE*'
	same "$(stat -c %s /var/lib/scadm/containers/d7/disk.ext4)" "$length"
	sc rm -f d7 d8
}

@test "S23: no loop device, no mkfs.ext4: refused before anything is made, with what to do" {
	fakes losetup
	PATH=$BATS_TEST_TMPDIR/fakes:$PATH sc 125 run --rm --disk-size=16m busybox true
	like "$stderr" '*loop device*losetup: no*modprobe loop*'
	printf '#!/bin/sh\necho /dev/loop4095\n' >"$BATS_TEST_TMPDIR/fakes/losetup"
	PATH=$BATS_TEST_TMPDIR/fakes:$PATH sc 125 run --rm --disk-size=16m busybox true
	like "$stderr" '*mknod /dev/loop4095 b 7 4095*'
	wait_until 10 as_before
}

@test "S23: whichever step of the disk fails, run says so and leaves nothing" {
	local tool
	for tool in truncate mkfs.ext4 mount; do
		fakes "$tool"
		PATH=$BATS_TEST_TMPDIR/fakes:$PATH sc 125 run --rm --disk-size=16m busybox true
		like "$stderr" "*$tool: no*failed (1): $tool *"
		wait_until 10 as_before
	done
	# and one that fails when the disk is mounted already
	sc 127 run --rm --disk-size=16m busybox /no/such/program
	wait_until 10 as_before
}

# killed_at PATTERN SIGNAL [after] - run under --step up to the line that matches (or let that one run, too), then send
# the signal to scadm at the prompt
killed_at() {
	local out="$BATS_TEST_TMPDIR/out" answers="$BATS_TEST_TMPDIR/answers" steps=0 pid
	rm -f "$out" "$answers" "$BATS_TEST_TMPDIR/pid"
	mkfifo "$answers"
	script -qefc "echo \$\$ >$BATS_TEST_TMPDIR/pid; exec scadm --step run --name=k1 --net=none --disk-size=8m busybox true" "$out" <"$answers" >/dev/null 2>&1 3>&- &
	exec 6>"$answers"
	while :; do
		wait_until 20 asked "$steps" "$out"
		! grep -a -B 1 'r\]un it' "$out" | tail -n 2 | head -n 1 | grep -qE "$1" || break
		steps=$((steps + 1))
		printf 'r\n' >&6
	done
	if [ "${3-}" ]; then
		printf 'r\n' >&6
		wait_until 20 asked $((steps + 1)) "$out"
	fi
	echo "SIG$2 ${3:-at} step $steps, $1"
	pid=$(cat "$BATS_TEST_TMPDIR/pid")
	kill "-$2" "$pid"
	wait_until 20 sh -c "! [ -e /proc/$pid ] || grep -q '^State:.Z' /proc/$pid/status"
	exec 6>&-
	wait
}

# asked STEPS FILE - has the run asked STEPS + 1 times?
asked() {
	[ "$(grep -ao 'r\]un it' "$2" | wc -l)" -gt "$1" ]
}

@test "S20: kill -9 at each step of the disk, then gc; SIGTERM, no gc: nothing is left" {
	requires script
	local pattern
	for pattern in '^truncate' '^mkfs.ext4' '^mkdir .*disk' '^printf.*umount' '^mount -t ext4'; do
		killed_at "$pattern" KILL
		scadm gc
		wait_until 10 as_before
	done
	killed_at '^mount -t ext4' KILL after
	findmnt -M /var/lib/scadm/containers/k1/disk
	scadm gc
	wait_until 10 as_before
	killed_at '^mkfs.ext4' TERM after
	wait_until 10 as_before
	killed_at '^mount -t ext4' TERM after
	wait_until 10 as_before
}

@test "S21: supervisor and init are killed at once: gc unmounts, rm leaves nothing" {
	local pid supervisor
	scadm run -d --name=k2 --net=none --disk-size=8m busybox sleep 100 >/dev/null 3>&-
	read -r pid _ </var/run/container/k2/pid
	supervisor=$(basename "$(echo /var/run/container/.owners/*:containers:k2)")
	kill -9 "${supervisor%%:*}" "$pid"
	wait_until 5 sh -c "! [ -e /proc/$pid ]"
	mountpoint -q /var/lib/scadm/containers/k2/disk
	sc gc
	run ! mountpoint -q /var/lib/scadm/containers/k2/disk
	wait_until 5 sh -c '[ -z "$(losetup -j /var/lib/scadm/containers/k2/disk.ext4)" ]'
	sc rm k2
}

@test "S27: rm never deletes through a mount: somebody who stands in the disk loses nothing and stops nothing" {
	scadm run -d --name=k3 --net=none --disk-size=8m busybox sleep 100 >/dev/null 3>&-
	(cd /var/lib/scadm/containers/k3/disk/upper && exec sleep 100) 3>&- &
	wait_until 5 sh -c "[ /proc/$!/cwd -ef /var/lib/scadm/containers/k3/disk/upper ]"
	sc rm -f k3
	test ! -e /var/lib/scadm/containers/k3
	kill "$!"
	wait "$!" || :
}

@test "S22: after a reboot, which leaves a disk without its mount, the container is ended and rm works" {
	scadm run -d --name=k4 --net=none --disk-size=8m busybox sleep 100 >/dev/null 3>&-
	local pid supervisor
	read -r pid _ </var/run/container/k4/pid
	supervisor=$(basename "$(echo /var/run/container/.owners/*:containers:k4)")
	kill -9 "${supervisor%%:*}" "$pid"
	wait_until 5 sh -c "! [ -e /proc/$pid ]"
	ip netns del k4
	# sc-clone, which writes how it ended, lives a moment longer
	wait_until 10 sh -c '! ps -e -o comm= | grep -q sc-clone'
	wait_until 10 umount /var/lib/scadm/containers/k4/disk
	rm -rf /run/container
	mkdir /run/container
	: >/run/container/.networks.lock
	: >/run/container/.boot.lock
	sc run --rm --net=none busybox true
	sc ps -a
	like "$output" '*k4*Exited (137)*'
	test -e /var/lib/scadm/containers/k4/disk.ext4
	sc rm k4
	ip link show sc-br0
}

@test "plan: run with a disk, in the foreground and detached" {
	# which loop device is free is nobody's choice
	scadm -n run --name=p1 --net=none --disk-size=8m busybox sh -c 'df -k / >&2; exit 7' >"$BATS_TEST_TMPDIR/plan"
	wait_until 10 as_before
	run -7 sh -e "$BATS_TEST_TMPDIR/plan"
	like "$output" '*overlay*'
	wait_until 10 as_before
	scadm -n run -d --name=p1 --net=none --disk-size=8m busybox sleep 100 >"$BATS_TEST_TMPDIR/plan"
	sh -e "$BATS_TEST_TMPDIR/plan" 3>&-
	world --normal | sed 's|/dev/loop[0-9]*|/dev/loopN|g' >"$BATS_TEST_TMPDIR/planned"
	sc rm -f p1
	wait_until 10 as_before
	scadm run -d --name=p1 --net=none --disk-size=8m busybox sleep 100 >/dev/null 3>&-
	world --normal | sed 's|/dev/loop[0-9]*|/dev/loopN|g' >"$BATS_TEST_TMPDIR/done"
	sc rm -f p1
	diff "$BATS_TEST_TMPDIR/planned" "$BATS_TEST_TMPDIR/done"
	grep -q 'mount.*/disk ext4 /dev/loopN' "$BATS_TEST_TMPDIR/done"
}

@test "disk: four at once, each with its own" {
	local n pids=()
	for n in 1 2 3 4; do
		scadm run --rm --name="q$n" --net=none --disk-size=$((8 * n))m busybox sh -c 'dd if=/dev/zero of=/big bs=64k 2>/dev/null; wc -c </big' \
			>"$BATS_TEST_TMPDIR/q$n" 2>"$BATS_TEST_TMPDIR/q$n.err" 3>&- &
		pids+=("$!")
	done
	for n in 1 2 3 4; do
		wait "${pids[n - 1]}"
		megabytes_near "$(cat "$BATS_TEST_TMPDIR/q$n")" $((8 * n))
	done
}

@test "S23: the host's disk is full below a disk that has room: the container gets errors, nobody else, and rm works" {
	local room="$BATS_TEST_TMPDIR/small" pid
	mkdir "$room"
	mount -t tmpfs -o size=24m tmpfs "$room"
	export SC_ROOT=$room/state SC_RUN=$room/run
	scadm image-build busybox >/dev/null 3>&-
	# its log lies on the disk that gets full
	sc run -d --name=h1 --net=none --userns=host --disk-size=64m busybox sh -c '
		dd if=/dev/zero of=/big bs=1M count=50 conv=fsync 2>/dev/shm/why; echo "status $?" >/dev/shm/status; exec sleep 1000'
	like "$stderr" '*less than this disk may take*'
	read -r pid _ <"$room/run/h1/pid"
	wait_until 60 sc-nsexec "--target=$pid" grep status /dev/shm/status
	expect 0 sc-nsexec "--target=$pid" cat /dev/shm/status /dev/shm/why
	like "$output" '*status 1*'
	expect 0 sc-nsexec "--target=$pid" cat /etc/hostname
	sc ps
	like "$output" '*h1*Up*'
	sc rm -f h1
	wait_until 5 sh -c "! losetup -l -n -O BACK-FILE | grep -q $room"
	sc run --rm --net=none --userns=host busybox echo room again
	unset SC_ROOT SC_RUN
	wait_until 10 umount "$room"
}

# quota_host TYPE - a state directory on a file system with project quota in force
quota_host() {
	local file="$BATS_TEST_TMPDIR/host"
	requires setquota
	truncate -s 400M "$file"
	case $1 in
	ext4) mkfs.ext4 -q -F -O quota,project -E quotatype=prjquota "$file" ;;
	xfs)
		requires mkfs.xfs
		mkfs.xfs -q -f "$file"
		;;
	esac
	mkdir "$BATS_TEST_TMPDIR/state"
	# a kernel without it says so here, and does not mount
	mount -o loop,prjquota "$file" "$BATS_TEST_TMPDIR/state" 2>"$BATS_TEST_TMPDIR/why" || skip "this kernel has no project quota for $1"
	# xfs without quota in the kernel mounts, and says so only in its log
	findmnt -n -o FS-OPTIONS -M "$BATS_TEST_TMPDIR/state" | grep -q prjquota || {
		umount "$BATS_TEST_TMPDIR/state"
		skip "this kernel has no project quota for $1"
	}
	export SC_ROOT=$BATS_TEST_TMPDIR/state/scadm SC_RUN=$BATS_TEST_TMPDIR/run
	scadm image-build busybox >/dev/null 3>&-
}

# quota_host_gone - no project may have a limit any more
quota_host_gone() {
	repquota -P -n "$BATS_TEST_TMPDIR/state" >"$BATS_TEST_TMPDIR/report"
	cat "$BATS_TEST_TMPDIR/report"
	run ! grep -E '^#1[0-9]{9} ' "$BATS_TEST_TMPDIR/report"
	unset SC_ROOT SC_RUN
	wait_until 10 umount "$BATS_TEST_TMPDIR/state"
}

# quota_holds MESSAGE - what a container sees at the end of its project
quota_holds() {
	local pid big project tools loader
	# busybox has no chattr: the host's, with all it needs
	tools=$BATS_TEST_TMPDIR/state/tools
	mkdir "$tools"
	ldd "$(command -v chattr)" | grep -o '/[^ ]*' | xargs cp -L -t "$tools" "$(command -v chattr)"
	loader=$(basename "$tools"/ld-*)
	sc run -d --name=j1 --net=none --disk-size=16m -v "$tools:/tools:ro" busybox sh -c 'dd if=/dev/zero of=/big bs=64k; wc -c </big; dd if=/big bs=64k 2>/dev/null | wc -c; exec sleep 100'
	test ! -e "$SC_ROOT/containers/j1/disk.ext4"
	wait_until 30 sh -c '[ "$(grep -c " stdout F [0-9]*$" "$1")" -ge 2 ]' sh "$SC_ROOT/containers/j1/container.log"
	cat "$SC_ROOT/containers/j1/container.log"
	grep -q "$1" "$SC_ROOT/containers/j1/container.log"
	megabytes_near "$(stat -c %s "$SC_ROOT/containers/j1/disk/upper/big")" 16
	read -r pid _ <"$SC_RUN/j1/pid"
	megabytes_near "$(sc-nsexec --target="$pid" df -k / | awk 'END { print $2 * 1024 }')" 16
	megabytes_near "$(field j1 '.Limits.Actual."disk-size"')" 16
	# the limit is the container's, not that of its record: the host still writes its log
	sc update --disk-size=32m j1
	sc-nsexec --target="$pid" dd if=/dev/zero of=/more bs=1M count=12
	run ! sc-nsexec --target="$pid" dd if=/dev/zero of=/most bs=1M count=12
	# down again: the kernel refuses what is new
	sc update --disk-size=16m j1
	sc-nsexec --target="$pid" rm /more /most
	run ! sc-nsexec --target="$pid" sh -c 'echo x >/new; dd if=/dev/zero of=/new bs=1M count=4'
	# nobody inside can give a file to another project, or to none
	big=$SC_ROOT/containers/j1/disk/upper/big
	project=$(lsattr -p "$big" | awk '{ print $1 }')
	same "$project" $((0x40000000 + 0x$(cut -c 6-12 "$SC_ROOT/containers/j1/id")))
	expect 1 sc-nsexec "--target=$pid" "/tools/$loader" --library-path /tools /tools/chattr -p 0 /big
	like "$stderr" '*setting project*'
	same "$(lsattr -p "$big" | awk '{ print $1 }')" "$project"
	sc rm -f j1
	# empty files are not free either
	sc run --rm --net=none --disk-size=16m busybox sh -c 'mkdir /f; cd /f; seq 3000 | xargs touch 2>/dev/null; ls | wc -l'
	[ "$output" -lt 2048 ]
	[ "$output" -gt 1900 ]
	# in the host's user namespace a project can be left: no project then
	sc run -d --name=j2 --net=none --userns=host --disk-size=16m busybox sleep 100
	test -e "$SC_ROOT/containers/j2/disk.ext4"
	sc rm -f j2
}

@test "S17: project quota of ext4 instead of a disk of its own" {
	quota_host ext4
	quota_holds 'Disk quota exceeded'
	quota_host_gone
}

@test "S17: project quota of xfs instead of a disk of its own" {
	quota_host xfs
	quota_holds 'No space left on device'
	quota_host_gone
}

@test "S17: a limit of the device below holds for what goes to a disk in a file, too" {
	requires io
	truncate -s 96M "$BATS_TEST_TMPDIR/file"
	mke2fs -q -t ext4 -O ^has_journal "$BATS_TEST_TMPDIR/file"
	local device
	device=$(losetup -f --show "$BATS_TEST_TMPDIR/file" 3>&-)
	mkdir "$BATS_TEST_TMPDIR/state"
	mount "$device" "$BATS_TEST_TMPDIR/state"
	cp -a /var/lib/scadm/images /var/lib/scadm/layers "$BATS_TEST_TMPDIR/state"
	SC_ROOT=$BATS_TEST_TMPDIR/state SC_RUN=/run/other sc run --rm --net=none --disk-size=32m --device-write-bps="$device:2m" busybox sh -c '
		read -r start _ </proc/uptime
		dd if=/dev/zero of=/file bs=256k count=16 oflag=direct 2>/dev/null
		read -r end _ </proc/uptime
		echo "$start $end"'
	# 4 MiB at 2 MiB/s
	echo "$output" | awk '{ print $2 - $1; exit $2 - $1 < 1.6 }'
	# what it had mounted goes in the background
	wait_until 10 umount "$BATS_TEST_TMPDIR/state"
	losetup -d "$device"
	rm -rf /run/other
}
