#!/usr/bin/env bats
# sc-nsexec: entering namespaces that exist. The "container" of these tests is made by unshare(1), so that
# nothing here depends on sc-clone.

# programs in single quotes are for an inner shell
# shellcheck disable=SC2016
load helpers

setup() {
	sc_setup
	requires root
	ip netns add web-ns
	tree=$BATS_TEST_TMPDIR/tree
	unshared=
}

teardown() {
	if [ -n "$unshared" ]; then
		kill -9 "$unshared" || :
		wait "$unshared" 2>/dev/null || :
	fi
	ip netns del web-ns
	sc_teardown
}

# refused ARG... - sc-nsexec fails with 125 and one line
refused() {
	expect 125 sc-nsexec "$@"
	like "$stderr" 'sc-nsexec: *'
	[ "${#stderr_lines[@]}" = 1 ]
	same "$output" ""
}

# child_is PARENT NAME - PARENT has a child called NAME; its pid goes to $target
child_is() {
	# there is no newline at the end of the file, so read says 1
	read -r target _ <"/proc/$1/task/$1/children" || [ -n "$target" ] && [ "$(cat "/proc/$target/comm")" = "$2" ]
}

# container - a root file system with its first process; sets $target and $started
container() {
	local applet
	mkdir -p "$tree/bin" "$tree/proc" "$tree/dev/pts" "$tree/etc" "$tree/tmp" "$tree/root" "$tree/var/www"
	cp "$(command -v busybox)" "$tree/bin/busybox"
	for applet in sh sleep cat id ls readlink tty env pwd kill ps stat umount true unlink; do
		ln -s busybox "$tree/bin/$applet"
	done
	printf '%s\n' root:x:0:0::/root:/bin/sh www:x:33:34::/var/www:/bin/sh >"$tree/etc/passwd"
	printf '%s\n' root:x:0: www:x:34: log:x:50:www,nobody other:x:51:xwww >"$tree/etc/group"
	unshare -mnpiuC --fork --kill-child --propagation private sh -c '
		mount --bind "$1" "$1"
		cd "$1"
		mount -t proc proc proc
		mount -t devpts -o newinstance,ptmxmode=0666,gid=5,mode=620 devpts dev/pts
		pivot_root . .
		/bin/umount -l .
		exec /bin/sleep 1000' sh "$tree" >"$BATS_TEST_TMPDIR/container" 2>&1 3>&- &
	unshared=$!
	wait_until 20 child_is "$unshared" sleep || {
		cat "$BATS_TEST_TMPDIR/container"
		return 1
	}
	started=$(sed 's/.*) //' "/proc/$target/stat" | cut -d ' ' -f 20)
}

# words FILE WORD... - each word with a NUL byte behind it
words() {
	local file=$1
	shift
	: >"$file"
	[ $# -eq 0 ] || printf '%s\0' "$@" >"$file"
}

@test "--net joins a named network namespace, in the same process, and changes nothing else" {
	before=$(readlink /proc/self/ns/net)
	expect 0 sh -c 'echo $$; exec sc-nsexec --net=/run/netns/web-ns sh -c "echo \$\$; readlink /proc/self/ns/net /proc/self/ns/mnt; umask; ip -br link"'
	same "${lines[0]}" "${lines[1]}"
	unlike "${lines[2]}" "$before"
	same "${lines[3]}" "$(readlink /proc/self/ns/mnt)"
	like "$output" '*lo *'
}

@test "the status is that of the program; 126 and 127 when there is none" {
	expect 7 sc-nsexec --net=/run/netns/web-ns sh -c 'exit 7'
	expect 127 sc-nsexec --net=/run/netns/web-ns no-such-program
	expect 126 sc-nsexec --net=/run/netns/web-ns /etc/passwd
}

@test "files are checked to be namespaces of the named kind before anything is joined" {
	: >"$BATS_TEST_TMPDIR/empty"
	mkfifo "$BATS_TEST_TMPDIR/fifo"
	refused --uts=/run/netns/web-ns true
	like "$stderr" '*is a net namespace, not a uts namespace'
	refused --net="$BATS_TEST_TMPDIR/empty" true
	like "$stderr" '*is not a namespace*'
	refused --net="$BATS_TEST_TMPDIR/fifo" true
	refused --net=/run/netns/nobody true
	refused --net=/run/netns/web-ns --mnt=/proc/self/ns/uts true
}

@test "nonsense is refused" {
	refused
	refused --net= true
	refused --target=0 true
	refused --target=1x true
	refused --target=-1 true
	refused --target=99999999999999999999 true
	refused --start-time=5 true
	refused --except=net true
	refused --target=1 --except=nut true
	refused --target=1 --except=net, true
	refused --target=1 --net=/run/netns/web-ns true
	refused --caps=nope true
	refused --caps=12 true
	refused --caps=chown=ep true
	refused --caps=chown, true
	refused --console-fd=2 true
	refused --console-fd=99 true
	refused --nonsense true
}

@test "--target enters every namespace of a process" {
	container
	expect 0 sc-nsexec --target="$target" --start-time="$started" sh -c '
		for ns in cgroup ipc mnt net pid uts; do readlink /proc/self/ns/$ns; done; pwd; readlink /proc/1/exe'
	theirs=$(for ns in cgroup ipc mnt net pid uts; do readlink "/proc/$target/ns/$ns"; done)
	same "$output" "$theirs
/
/bin/busybox"
	expect 0 sc-nsexec --target="$target" --except=net,uts readlink /proc/self/ns/net
	same "$output" "$(readlink /proc/self/ns/net)"
}

@test "S22: --start-time refuses another process with the recorded number" {
	container
	refused --target="$target" --start-time=$((started + 1)) true
	like "$stderr" '*not the one recorded'
}

@test "S11 S13: what --target starts has its own session, no descriptors, signals or umask of ours" {
	container
	exec 7<"$BATS_TEST_FILENAME"
	expect 0 sh -c 'trap "" INT TERM QUIT CHLD USR1; umask 0; exec "$@"' sh \
		sc-nsexec --target="$target" --as=www --caps=default cat /proc/self/status
	exec 7<&-
	for line in 'Umask: 0022' 'Uid: 33 33 33 33' 'Gid: 34 34 34 34' 'Groups: 34 50' 'SigBlk: 0000000000000000' \
		'SigIgn: 0000000000000000' 'CapInh: 0000000000000000' 'CapPrm: 0000000000000000' \
		'CapEff: 0000000000000000' 'CapAmb: 0000000000000000'; do
		tr '\t' ' ' <<<"$output" | sed 's/ *$//' | grep -qxF "$line" || {
			echo "no line: $line"
			return 1
		}
	done
	exec 7<"$BATS_TEST_FILENAME"
	expect 0 sc-nsexec --target="$target" ls /proc/self/fd
	exec 7<&-
	# 3 is the directory that ls reads
	same "$output" "0
1
2
3"
	expect 0 sc-nsexec --target="$target" sh -c 'read -r _ _ _ _ group session _ </proc/self/stat; echo $(($$ - group)) $(($$ - session))'
	same "$output" "0 0"
}

@test "S7: --caps sets bounding, permitted and effective, never more than we have" {
	container
	expect 0 sc-nsexec --target="$target" --as=0 --caps=default,-kill,+CAP_SYS_NICE cat /proc/self/status
	for set in Prm Eff Bnd; do
		# docker's 14 less capability 5, and 23
		like "$output" "*Cap$set:	00000000a88425db*"
	done
	expect 0 sc-nsexec --target="$target" --as=0 --caps=all cat /proc/self/status
	ours=$(sed -n 's/^CapPrm:.//p' /proc/self/status)
	like "$output" "*CapPrm:	$ours*"
	expect 0 sc-nsexec --target="$target" --as=0 --caps= cat /proc/self/status
	like "$output" "*CapBnd:	0000000000000000*"
}

@test "--as: names and numbers of the container's files, as docker resolves them" {
	container
	for pair in 'www=uid=33(www) gid=34(www) groups=34(www),50(log)' '33=uid=33(www) gid=34(www) groups=34(www),50(log)' \
		'www:other=uid=33(www) gid=51(other) groups=51(other)' '4242=uid=4242 gid=0(root) groups=0(root)' \
		'4242:4343=uid=4242 gid=4343 groups=4343'; do
		expect 0 sc-nsexec --target="$target" --as="${pair%%=*}" id
		for word in ${pair#*=}; do
			like "$output" "*${word%%,*}*"
		done
	done
	for who in nobody www:nobody :www www: : -1 4294967295; do
		refused --target="$target" --as="$who" true
	done
}

@test "S2: /etc/passwd of the container is resolved inside it and must be a file" {
	container
	echo host:x:77:77::/:/bin/sh >"$BATS_TEST_TMPDIR/host"
	rm "$tree/etc/passwd"
	for link in "$BATS_TEST_TMPDIR/host" "../../../../../../..$BATS_TEST_TMPDIR/host" "/proc/1/root$BATS_TEST_TMPDIR/host" passwd; do
		ln -sfn "$link" "$tree/etc/passwd"
		refused --target="$target" --as=host true
	done
	rm "$tree/etc/passwd"
	mkfifo "$tree/etc/passwd"
	expect 125 timeout 60 sc-nsexec --target="$target" --as=www true
	rm "$tree/etc/passwd"
	mknod "$tree/etc/passwd" c 1 5
	expect 125 timeout 60 sc-nsexec --target="$target" --as=www true
	rm "$tree/etc/passwd"
	truncate -s 1048577 "$tree/etc/passwd"
	refused --target="$target" --as=0 true
	rm "$tree/etc/passwd"
	expect 0 sc-nsexec --target="$target" --as=5 id -u
	same "$output" 5
}

@test "S6: --cwd stays in the container" {
	container
	ln -s /proc/self/fd/7 "$tree/evil"
	ln -s ../../../.. "$tree/up"
	exec 7</
	refused --target="$target" --cwd=/proc/self/fd/7 true
	refused --target="$target" --cwd=/evil true
	exec 7<&-
	refused --target="$target" --cwd=/missing true
	refused --target="$target" --cwd=/etc/passwd true
	expect 0 sc-nsexec --target="$target" --cwd=/up pwd
	same "$output" /
	expect 0 sc-nsexec --target="$target" --cwd=../../var/www pwd
	same "$output" /var/www
}

@test "S5: what the container sees of sc-nsexec is a sealed copy" {
	container
	sc-nsexec --target="$target" sh -c 'echo up; exec sleep 1000' >"$BATS_TEST_TMPDIR/out" 3>&- &
	parent=$!
	wait_until 20 grep -q up "$BATS_TEST_TMPDIR/out"
	same "$(readlink "/proc/$parent/exe")" '/memfd:sc-nsexec (deleted)'
	same "$(cat "/proc/$parent/comm")" sc-nsexec
	kill -9 "$parent"
	wait "$parent" || :
	expect 0 sc-nsexec --target="$target" readlink /proc/self/exe
	same "$output" /bin/busybox
}

@test "S12 S14: --env-file is the whole environment and --args the whole command, byte for byte" {
	container
	words "$BATS_TEST_TMPDIR/env" A=1 $'B=x\ny=z' PATH=/bin 'E='
	LEAK=1 expect 0 sc-nsexec --target="$target" --env-file="$BATS_TEST_TMPDIR/env" --as=www env
	same "$output" $'A=1\nB=x\ny=z\nPATH=/bin\nE=\nHOME=/var/www'
	words "$BATS_TEST_TMPDIR/args" sh -c 'printf "<%s>" "$@"' sh '' $'a\nb' -- -x '$(id)' "'" '*' $'\377' $'end\n'
	expect 0 sc-nsexec --target="$target" --args="$BATS_TEST_TMPDIR/args"
	same "$output" $'<><a\nb><--><-x><$(id)><\'><*><\377><end\n>'
	refused --target="$target" --args="$BATS_TEST_TMPDIR/args" true
	printf 'A=1\0B' >"$BATS_TEST_TMPDIR/env"
	refused --target="$target" --env-file="$BATS_TEST_TMPDIR/env" true
	for bad in '' =x name; do
		words "$BATS_TEST_TMPDIR/env" "$bad"
		refused --target="$target" --env-file="$BATS_TEST_TMPDIR/env" true
	done
	words "$BATS_TEST_TMPDIR/args"
	refused --target="$target" --args="$BATS_TEST_TMPDIR/args"
}

@test "S8: --seccomp with and without --no-new-privs" {
	container
	# errno EPERM for unlink(2) and unlinkat(2) of x86_64, else allow
	printf '\40\0\0\0\0\0\0\0\25\0\1\0\127\0\0\0\25\0\0\1\7\1\0\0\6\0\0\0\1\0\5\0\6\0\0\0\0\0\377\177' >"$BATS_TEST_TMPDIR/filter"
	for option in --as=www --no-new-privs; do
		expect 0 sc-nsexec --target="$target" --caps=default "$option" --seccomp="$BATS_TEST_TMPDIR/filter" cat /proc/self/status
		like "$output" '*Seccomp:	2*'
	done
	like "$output" '*NoNewPrivs:	1*'
	if [ "$(uname -m)" = x86_64 ]; then
		: >"$tree/tmp/x"
		expect 1 sc-nsexec --target="$target" --seccomp="$BATS_TEST_TMPDIR/filter" unlink /tmp/x
		like "$stderr" '*not permitted*'
	fi
	head -c 39 "$BATS_TEST_TMPDIR/filter" >"$BATS_TEST_TMPDIR/cut"
	refused --seccomp="$BATS_TEST_TMPDIR/cut" true
	head -c 24 "$BATS_TEST_TMPDIR/filter" >"$BATS_TEST_TMPDIR/cut"
	refused --seccomp="$BATS_TEST_TMPDIR/cut" true
	refused --seccomp=/dev/null true
	refused --seccomp=/dev/zero true
}

@test "the parent passes signals on, returns 128+n, and takes the child with it" {
	container
	expect 137 sc-nsexec --target="$target" sh -c 'kill -9 $$'
	expect 6 sc-nsexec --target="$target" sh -c 'exit 6'
	sc-nsexec --target="$target" sh -c 'trap "exit 5" TERM; echo up; while :; do sleep 0.05; done' >"$BATS_TEST_TMPDIR/out" 3>&- &
	parent=$!
	wait_until 20 grep -q up "$BATS_TEST_TMPDIR/out"
	kill -TERM "$parent"
	got=0
	wait "$parent" || got=$?
	same "$got" 5
	: >"$BATS_TEST_TMPDIR/out"
	# the user changes: then the kernel forgets what prctl(2) said about the parent's death
	sc-nsexec --target="$target" --as=www sh -c 'echo up; exec sleep 2000' >"$BATS_TEST_TMPDIR/out" 3>&- &
	parent=$!
	wait_until 20 grep -q up "$BATS_TEST_TMPDIR/out"
	kill -KILL "$parent"
	wait "$parent" || :
	wait_until 20 sh -c '! pgrep -fx "sleep 2000"'
}

@test "named files: --pid forks, --mnt changes the root" {
	container
	expect 3 sc-nsexec --pid="/proc/$target/ns/pid" --mnt="/proc/$target/ns/mnt" --net="/proc/$target/ns/net" \
		sh -c 'readlink /proc/1/exe; exit 3'
	same "$output" /bin/busybox
}

@test "user namespaces: root joins last, a user joins first" {
	requires userns
	unshare -Urn sleep 1000 3>&- &
	unshared=$!
	wait_until 20 grep -q sleep "/proc/$unshared/comm"
	expect 0 sc-nsexec --target="$unshared" sh -c 'id -u; readlink /proc/self/ns/user /proc/self/ns/net'
	same "$output" "0
$(readlink "/proc/$unshared/ns/user" "/proc/$unshared/ns/net")"
	kill -9 "$unshared"
	wait "$unshared" || :
	setpriv --reuid=1000 --regid=1000 --clear-groups unshare -Urn sleep 1000 3>&- &
	unshared=$!
	wait_until 20 grep -q sleep "/proc/$unshared/comm"
	expect 0 setpriv --reuid=1000 --regid=1000 --clear-groups sc-nsexec --user="/proc/$unshared/ns/user" \
		--net="/proc/$unshared/ns/net" sh -c 'id -u; readlink /proc/self/ns/net'
	same "$output" "0
$(readlink "/proc/$unshared/ns/net")"
	expect 125 setpriv --reuid=1000 --regid=1000 --clear-groups sc-nsexec --net="/proc/$unshared/ns/net" true
}

@test "S13: --console-fd gives a terminal of the container's own devpts" {
	container
	expect 4 sc-tty sc-nsexec --console-fd=3 --target="$target" --as=www sh -c 'tty; stat -c "%U %a" "$(tty)"; ls -1 /proc/self/fd; exit 4' </dev/null
	same "${output//$'\r'/}" "/dev/pts/0
www 620
0
1
2
3"
	# a devpts that is none is refused
	sc-nsexec --target="$target" busybox umount -l /dev/pts
	expect 125 sc-tty sc-nsexec --console-fd=3 --target="$target" true </dev/null
	like "$stderr" '*is not a devpts'
}
