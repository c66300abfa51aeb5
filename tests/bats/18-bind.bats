#!/usr/bin/env bats
# sc-bind: another file where one of ours is mounted in the root of another process, which is hostile

load helpers

setup() {
	sc_setup
	process=''
	base=$BATS_TEST_TMPDIR
	echo old >"$base/old"
	echo new >"$base/new"
	mkdir "$base/root"
	: >"$base/root/hosts"
	echo secret >"$base/secret"
}

teardown() {
	[ -z "$process" ] || {
		kill -9 "$process"
		# that it was killed is its status
		wait "$process" 2>/dev/null || :
	}
	sc_teardown
}

# hostile SCRIPT - a process with mounts of its own, made by SCRIPT in $base; its root is $base/root; sets $process
hostile() {
	unshare --mount sh -ec "cd $base; $1; : >ready; exec sleep 1000" >/dev/null 2>&1 3>&- &
	process=$!
	wait_until 20 test -e "$base/ready"
	started=$(cut -d ' ' -f 22 "/proc/$process/stat")
}

# shown - what the process sees at $base/root/hosts
shown() {
	nsenter "--mount=/proc/$process/ns/mnt" cat "$base/root/hosts"
}

# mounts_at - the lines of its mounts at $base/root/hosts
mounts_at() {
	awk -v at="$base/root/hosts" '$5 == at' "/proc/$process/mountinfo"
}

# refused PATTERN OPTION... - is it an error that says so, and have the mounts of the process not changed?
refused() {
	local pattern="$1" before
	shift
	before=$(cat "/proc/$process/mountinfo")
	expect 125 sc-bind "--target=$process" "$@"
	like "$stderr" "sc-bind: $pattern"
	same "$(cat "/proc/$process/mountinfo")" "$before"
}

@test "bind: one file of ours takes the place of another, and there is one mount as before" {
	hostile 'mount --bind old root/hosts'
	same "$(shown)" old
	expect 0 sc-bind "--target=$process" "--start-time=$started" "--instead-of=$base/old" "$base/new" "$base/root/hosts"
	same "$(shown)" new
	same "$(mounts_at | wc -l)" 1
	like "$(mounts_at)" '*/new * ro,nosuid,nodev,noexec,*'
	unlike "$(mounts_at)" '*shared:*'
	run ! grep -F "$base/root/hosts" /proc/self/mountinfo
}

@test "bind: once more is no change, and back is what it was" {
	hostile 'mount --bind old root/hosts'
	expect 0 sc-bind "--target=$process" "--instead-of=$base/old" "$base/new" "$base/root/hosts"
	before=$(mounts_at)
	expect 0 sc-bind "--target=$process" "--instead-of=$base/old" "$base/new" "$base/root/hosts"
	same "$(mounts_at)" "$before"
	expect 0 sc-bind "--target=$process" "--instead-of=$base/new" "$base/old" "$base/root/hosts"
	same "$(shown)" old
	same "$(mounts_at | wc -l)" 1
}

@test "bind: a file that a process holds open stays open; who opens it next reads the new one" {
	hostile 'mount --bind old root/hosts; exec 5<root/hosts'
	expect 0 sc-bind "--target=$process" "--instead-of=$base/old" "$base/new" "$base/root/hosts"
	same "$(cat "/proc/$process/fd/5")" old
	same "$(shown)" new
}

@test "bind: a kernel before 6.5, which cannot mount beneath, has the same result" {
	requires strace
	hostile 'mount --bind old root/hosts'
	expect 0 strace -f -o "$base/trace" -e inject=move_mount:error=EINVAL:when=1 \
		"$SC_HELPERS/sc-bind" "--target=$process" "--instead-of=$base/old" "$base/new" "$base/root/hosts"
	like "$(cat "$base/trace")" '*INJECTED*'
	same "$(shown)" new
	same "$(mounts_at | wc -l)" 1
}

@test "S2: bind: what is not the file that is to go stays: another file, no mount, a link, a directory, nothing" {
	hostile 'mount --bind secret root/hosts; mkdir root/dir; : >root/plain; ln -s hosts root/link; ln -s / root/top'
	refused "what process $process has at * is not $base/old: it is left alone" "--instead-of=$base/old" "$base/new" "$base/root/hosts"
	refused "what process $process has at * is not $base/old: it is left alone" "--instead-of=$base/old" "$base/new" "$base/root/plain"
	refused "what process $process has at * is not $base/old: it is left alone" "--instead-of=$base/old" "$base/new" "$base/root/dir"
	refused 'open * Too many levels of symbolic links' "--instead-of=$base/secret" "$base/new" "$base/root/link"
	refused 'open * Too many levels of symbolic links' "--instead-of=$base/secret" "$base/new" "$base/root/top$base/root/hosts"
	refused 'open * No such file or directory' "--instead-of=$base/old" "$base/new" "$base/root/none"
	same "$(shown)" secret
}

@test "S2: bind: a process in a root of its own cannot lead it out of there" {
	mkdir "$base/root/etc"
	: >"$base/root/etc/hosts"
	ln -s ../../../.. "$base/root/up"
	busybox=$(command -v busybox)
	cp "$busybox" "$base/root/busybox"
	hostile 'mount --bind old root/etc/hosts; exec chroot root /busybox sh -c ": >/ready; exec /busybox sleep 1000"' &
	wait_until 20 test -e "$base/root/ready"
	: >"$base/ready"
	wait
	# it says that it is ready a moment before it is that
	wait_until 20 pgrep -f '^/busybox sleep 1000$'
	process=$(pgrep -f '^/busybox sleep 1000$')
	expect 0 sc-bind "--target=$process" "--instead-of=$base/old" "$base/new" /../../etc/../etc/hosts
	same "$(cat "/proc/$process/root/etc/hosts")" new
	refused 'open * Too many levels of symbolic links' "--instead-of=$base/old" "$base/new" /up/etc/hosts
	refused 'open * No such file or directory' "--instead-of=$base/old" "$base/new" "$base/root/etc/hosts"
}

@test "bind: bad input: no process, another start time, no regular file, a path that is not absolute" {
	hostile 'mount --bind old root/hosts'
	refused "process $process started at $started, not at 1*" --start-time=1 "--instead-of=$base/old" "$base/new" "$base/root/hosts"
	refused "$base is no regular file" "--instead-of=$base/old" "$base" "$base/root/hosts"
	ln -s new "$base/alias"
	refused "$base/alias is no regular file" "--instead-of=$base/old" "$base/alias" "$base/root/hosts"
	refused "stat $base/gone: No such file or directory" "--instead-of=$base/gone" "$base/new" "$base/root/hosts"
	refused "'hosts' is not absolute" "--instead-of=$base/old" "$base/new" hosts
	refused 'usage: *' "$base/new" "$base/root/hosts"
	refused 'usage: *' "--instead-of=$base/old" "$base/new"
	refused 'usage: *' "--instead-of=$base/old" "$base/new" "$base/root/hosts" more
	expect 125 sc-bind --target=0 "--instead-of=$base/old" "$base/new" "$base/root/hosts"
	expect 125 sc-bind --target=4194304 "--instead-of=$base/old" "$base/new" "$base/root/hosts"
	same "$(shown)" old
}
