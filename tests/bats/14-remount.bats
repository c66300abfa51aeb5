#!/usr/bin/env bats
# sc-remount: a tmpfs in the root of another process, which is hostile

load helpers

setup() {
	sc_setup
	process='' other=''
	mkdir "$BATS_TEST_TMPDIR/shm"
	there=$BATS_TEST_TMPDIR/shm
}

teardown() {
	[ -z "$other" ] || kill -9 "$other"
	[ -z "$process" ] || {
		kill -9 "$process"
		# that it was killed is its status
		wait "$process" 2>/dev/null || :
	}
	sc_teardown
}

# hostile SCRIPT - a process with mounts of its own, made by SCRIPT ($1 is $there); sets $process
hostile() {
	unshare --mount sh -ec "$1"'; : >"$1.ready"; exec sleep 1000' sh "$there" >/dev/null 2>&1 3>&- &
	process=$!
	wait_until 20 test -e "$there.ready"
	started=$(cut -d ' ' -f 22 "/proc/$process/stat")
}

# room - how many KiB the tmpfs at $there in the root of the process has
room() {
	# df makes /proc/PID/root the root of its own namespace
	nsenter "--mount=/proc/$process/ns/mnt" df -k --output=size "$there" | tail -n 1 | tr -d ' '
}

# refused PATTERN OPERAND... - is it an error that says so, and has the tmpfs its megabyte still?
refused() {
	local pattern="$1"
	shift
	expect 125 sc-remount "--target=$process" "$@"
	like "$stderr" "sc-remount: $pattern"
	same "$(room)" 1024
}

@test "remount: size and number of files change while the file system is in use, its flags stay" {
	hostile 'mount -t tmpfs -o size=1m,nosuid,nodev,mode=1770 tmpfs "$1"'
	exec 7>"/proc/$process/root$there/open"
	expect 0 sc-remount "--target=$process" "--start-time=$started" "$there" size=4m
	same "$(room)" 4096
	expect 0 sc-remount "--target=$process" "--start=$started" "$there" size=5000 nr_inodes=77
	same "$(room)" 8
	same "$(nsenter "--mount=/proc/$process/ns/mnt" df --output=itotal "$there" | tail -n 1 | tr -d ' ')" 77
	like "$(grep " $there " "/proc/$process/mounts")" 'tmpfs * rw,nosuid,nodev,*size=8k,*mode=1770*'
	exec 7>&-
}

@test "remount: less than there is in it is refused in the kernel's own words, and nothing has changed" {
	hostile 'mount -t tmpfs -o size=1m tmpfs "$1"; head -c 500000 /dev/zero >"$1/full"'
	refused '*' "$there" size=100k
	same "$(wc -c <"/proc/$process/root$there/full")" 500000
}

@test "remount: bad words are refused" {
	local word
	hostile 'mount -t tmpfs -o size=1m tmpfs "$1"'
	for word in size=0 size= size=-1 size=1x size=k size=50% size=99999999999g size=+1 'size= 1' mode=777 ro uid=0 size \
		huge=always nr_inodes=0 nr_inodes=1k nr_inodes=x ''; do
		refused '*' "$there" "$word"
	done
	refused 'usage*' "$there"
	refused '*absolute*' "${there#/}" size=4m
	expect 125 sc-remount "$there" size=4m
	for word in 0 -1 1x 99999999999; do
		expect 125 sc-remount "--target=$word" "$there" size=4m
	done
	refused "*'x'*" --start-time=x "$there" size=4m
}

@test "S22: a process that only has the same number, or none, is left alone" {
	hostile 'mount -t tmpfs -o size=1m tmpfs "$1"'
	refused '*not the one recorded*' "--start-time=$((started + 1))" "$there" size=4m
	sleep 0 3>&- &
	other=$!
	builtin wait "$other"
	expect 125 sc-remount "--target=$other" "$there" size=4m
	like "$stderr" '*No such process*'
	other=''
}

@test "S2: links on the way are refused, wherever they lead" {
	hostile 'mount -t tmpfs -o size=1m tmpfs "$1"; ln -s "$1" "$1.link"; ln -s / "$1/root"'
	refused '*levels of symbolic links*' "$there.link" size=4m
	refused '*levels of symbolic links*' "$there/root$there" size=4m
	refused '*levels of symbolic links*' "/proc/1/root$there" size=4m
	refused '*levels of symbolic links*' "/proc/self/cwd" size=4m
	# above the root is the root
	expect 0 sc-remount "--target=$process" "/../../..$there/../shm" size=4m
}

@test "S1: only a whole tmpfs, at its mount point" {
	hostile 'mount -t tmpfs -o size=1m tmpfs "$1"; mkdir "$1/inner" "$1/part"; mount --bind "$1/inner" "$1/part"'
	refused '*is no mount point' "$there/inner" size=4m
	refused '*only a part of a tmpfs' "$there/part" size=4m
	refused '*is no tmpfs' /proc size=4m
	refused '*No such file*' "$there/none" size=4m
}

@test "S1: a file system of the host is never changed, wherever the container has bound it" {
	local before
	before=$(df -k --output=size,itotal /run)
	hostile 'mount -t tmpfs -o size=1m tmpfs "$1"; mkdir "$1/run"; mount --rbind /run "$1/run"; mount --bind /run /dev/shm'
	refused '*a file system of the host' "$there/run" size=4m
	refused '*a file system of the host' /dev/shm size=4m
	refused '*a file system of the host' /run size=4m nr_inodes=100
	same "$(df -k --output=size,itotal /run)" "$before"
}

@test "S1: nor while the container exchanges what is there" {
	local before n refusals=0 deadline=$((SECONDS + 30))
	before=$(df -k --output=size,itotal /run)
	hostile 'mount -t tmpfs -o size=1m tmpfs "$1"; mkdir -p "$1/a/shm" "$1/b/shm"; mount -t tmpfs -o size=1m tmpfs "$1/a/shm"
		mount --bind /run "$1/b/shm"
		while :; do mv "$1/a" "$1/c"; mv "$1/b" "$1/a"; mv "$1/a" "$1/b"; mv "$1/c" "$1/a"; done 2>/dev/null & true'
	# whoever exchanges is a child of the hostile process, in its mount namespace
	other=$(pgrep -P "$process")
	# 60 times, and as long as who exchanges stood still meanwhile
	for ((n = 0; n < 60 || (refusals == 0 && SECONDS < deadline); n++)); do
		sc-remount "--target=$process" "$there/a/shm" size=4m 2>>"$BATS_TEST_TMPDIR/refusals" 3>&- || refusals=$((refusals + 1))
	done
	sort "$BATS_TEST_TMPDIR/refusals" | uniq -c
	echo "$refusals of $n refused"
	[ "$refusals" -gt 0 ]
	same "$(df -k --output=size,itotal /run)" "$before"
}

@test "remount: --shm-size of a container can grow and shrink, and is what df shows inside" {
	scadm image-build busybox >/dev/null 3>&-
	sc_setup
	scadm run -d --name=s1 --net=none busybox sleep 1000 >/dev/null 3>&-
	read -r pid start _ </var/run/container/s1/pid
	expect 0 sc-remount "--target=$pid" "--start-time=$start" /dev/shm size=4m
	same "$(sc-nsexec --target="$pid" df -k /dev/shm | awk 'END { print $2 }')" 4096
	sc-nsexec --target="$pid" dd if=/dev/zero of=/dev/shm/x bs=64k count=32
	expect 125 sc-remount "--target=$pid" "--start-time=$start" /dev/shm size=1m
	expect 0 sc-remount "--target=$pid" "--start-time=$start" /dev/shm size=2m
	run ! sc-nsexec --target="$pid" dd if=/dev/zero of=/dev/shm/y bs=64k count=1
	sc rm -f s1
}
