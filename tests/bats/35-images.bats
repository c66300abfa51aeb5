#!/usr/bin/env bats
# run: on the images of distributions, and where the state directory is on an overlay

load helpers
load ready

# release IMAGE - what the image says it is
release() {
	scadm run --rm "$1" cat /etc/os-release 3>&-
}

@test "run: busybox" {
	like "$(release busybox)" '*BusyBox*'
}

@test "run: Alpine" {
	requires plain_helpers shared
	sc image-build alpine --tar="$SHARED/alpine-minirootfs-3.20.3-x86_64.tar.gz"
	like "$(release alpine)" '*Alpine Linux*'
	sc run --rm --limits=cpu.shares=256,cpu.cfs_quota_us=50000,memory.limit_in_bytes=16777216 alpine sh -c 'apk --version; id -u'
	sc rmi alpine
}

@test "run: CentOS 7, and its bash in 2 MiB is killed for memory, with 16 MiB it is not" {
	requires plain_helpers shared dnf rpm memory
	cp -a "$SHARED/centos7-repo" "$SHARED/centos7-stub-repo" "$BATS_TEST_TMPDIR"
	sc image-build centos --url="file://$BATS_TEST_TMPDIR/centos7-repo" --stub="file://$BATS_TEST_TMPDIR/centos7-stub-repo" --key="file://$BATS_TEST_TMPDIR/centos7-repo/RPM-GPG-KEY-CentOS-7" --release=7
	like "$(release centos)" '*CentOS Linux*'
	sc run --rm centos stat -c %a /
	same "$output" 555
	sc run --rm --name=centos1 --limits=cpu.shares=256,memory.limit_in_bytes=16777216 centos bash -c 'ls / | wc -l; echo $BASH_VERSION'
	like "$output" '*4.2*'
	sc 137 run --keep --name=centos2 --limits=memory.limit_in_bytes=2097152 centos bash -c 'while :; do x=$(ls -lR /usr); done'
	same "$(field centos2 .State.OOMKilled)" 1
	sc rm centos2
	sc rmi centos
}

@test "run: Debian" {
	[ -e "$ROOT/build/debian.tar" ] || skip "no build/debian.tar: 'make build/debian.tar' makes it and needs Debian's archive"
	sc import "$ROOT/build/debian.tar" debian -c 'CMD ["bash"]'
	like "$(release debian)" '*Debian GNU/Linux*'
	sc run --rm -m 64m debian bash -c 'dpkg --version | head -1; perl -e "print 6*7"'
	like "$output" '*42'
	sc rmi debian
}

@test "state on an overlay: it moves to an ext4 file, and run works" {
	requires loop overlay
	local d=$BATS_TEST_TMPDIR/o
	mkdir "$d" "$d/l" "$d/u" "$d/w" "$d/m"
	mount -t overlay overlay -o "lowerdir=$d/l,upperdir=$d/u,workdir=$d/w" "$d/m"
	export SC_ROOT=$d/m/state SC_RUN=$d/m/run SC_PREFIX=ov
	sc image-build busybox
	like "$stderr" "*state.ext4*"
	sc run --rm --net=none busybox sh -c 'echo written >/file; cat /file'
	same "$output" written
	sc run --rm busybox true
	sc gc
	umount "$d/m/state"
	# what a reboot takes
	rm -rf "$d/m/run"
	sc run --rm --net=none busybox true
	umount "$d/m/state"
	umount "$d/m"
	unset SC_ROOT SC_RUN SC_PREFIX
}
