#!/usr/bin/env bats
# what is mounted into a container: -v, --mount, --tmpfs, volumes with and without a name, and attacks on them

load helpers
load ready

setup() {
	sc_setup
	src=$BATS_TEST_TMPDIR/src
	mkdir "$src"
	echo data >"$src/file"
	chown 1000:1000 "$src/file"
}

# image NAME COMMAND - import the tree of busybox after COMMAND changed it, as NAME
image() {
	mkdir "$BATS_TEST_TMPDIR/$1"
	cp -a /var/lib/scadm/layers/*/. "$BATS_TEST_TMPDIR/$1" 2>/dev/null
	(cd "$BATS_TEST_TMPDIR/$1" && sh -ec "$2")
	scadm import "$BATS_TEST_TMPDIR/$1" "$1" 3>&- >/dev/null
}

# helpers_where UNPACK [PACK] - make $BATS_TEST_TMPDIR/bin, the helpers, where unpacking into a volume, or packing, is this shell
# code; $place is the directory of the volume
helpers_where() {
	rm -rf "${BATS_TEST_TMPDIR:?}/bin"
	mkdir "$BATS_TEST_TMPDIR/bin"
	ln -s "$SC_HELPERS"/* "$BATS_TEST_TMPDIR/bin"
	rm "$BATS_TEST_TMPDIR/bin/sc-archive"
	printf '%s\n' '#!/bin/sh' 'PATH=${0%/bin/*}/real:$PATH' 'case $1 in' 'unpack)' 'for last; do place=$before before=$last; done' "${1:-:}" ';;' \
		"pack) ${2:-:} ;;" 'esac' 'exec sc-archive "$@"' >"$BATS_TEST_TMPDIR/bin/sc-archive"
	chmod 755 "$BATS_TEST_TMPDIR/bin/sc-archive"
	ln -sfn "$SC_HELPERS" "$BATS_TEST_TMPDIR/real"
}

# volumes - the names of all volumes, in one line
volumes() {
	scadm volume ls --format '{{.Name}}' 3>&- | tr '\n' ' '
}

@test "-v: a directory and a file of the host; owners are what they are outside, in both user namespaces" {
	for userns in auto host; do
		sc run --rm --userns="$userns" -v "$src:/data" -v "$src/file:/new/one" busybox sh -c \
			'stat -c %u:%g /data/file; cat /new/one; touch /data/root; touch /data/user; chown 1234:4321 /data/user'
		same "$output" $'1000:1000\ndata'
		same "$(stat -c %u:%g "$src/root" "$src/user")" $'0:0\n1234:4321'
		rm "$src/root" "$src/user"
	done
}

@test "-v and --mount: what is read-only cannot be written, and neither what is mounted below it" {
	# not a tmpfs: its owners can be translated only since Linux 6.3
	mkdir "$src/sub" "$BATS_TEST_TMPDIR/below"
	mount --bind "$BATS_TEST_TMPDIR/below" "$src/sub"
	for userns in auto host; do
		sc 1 run --rm --userns="$userns" -v "$src:/data:ro" busybox touch /data/x
		like "$stderr" '*Read-only*'
		sc 1 run --rm --userns="$userns" -v "$src:/data:ro,z" busybox touch /data/sub/x
		like "$stderr" '*Read-only*'
		sc 1 run --rm --userns="$userns" --mount "type=bind,src=$src,dst=/data,readonly" busybox touch /data/sub/x
	done
	sc run --rm --mount "type=bind,src=$src,dst=/data,ro=false" busybox touch /data/sub/x
	sc run --rm --mount "type=bind,source=$src,target=/data,bind-nonrecursive" busybox ls /data/sub
	same "$output" ''
	umount "$src/sub"
}

@test "-v: a source that is not there is made, and goes with the container when it stays empty; --mount refuses" {
	sc run --rm -v "$src/a/b:/data" -v "$src/c/d:/other" busybox touch /data/x
	test -e "$src/a/b/x"
	run ! test -e "$src/c"
	sc 125 run --rm --mount "type=bind,src=$src/e,dst=/data" busybox true
	like "$stderr" "*there is no $src/e on this host*mkdir*"
	run ! test -e "$src/e"
}

@test "-v: a relative source begins with a dot" {
	cd "$src"
	sc run --rm -v .:/data -v ./file:/f busybox cat /data/file /f
	same "$output" $'data\ndata'
	mkdir deep
	cd deep
	sc run --rm -v ..:/data:ro busybox cat /data/file
	same "$output" data
}

@test "mounts lie in each other, whatever their order on the command line" {
	mkdir "$src/inner" "$src/other"
	echo inner >"$src/inner/f"
	sc run --rm -v "$src/inner:/data/x/y" -v "$src:/data" --tmpfs /data/x busybox sh -c 'cat /data/x/y/f /data/file; ls -A /data/x'
	same "$output" $'inner\ndata\ny'
	rmdir "$src/x"
	sc 125 run --rm -v "$src:/data:ro" -v "$src/inner:/data/none" busybox true
	like "$stderr" '*/data/none*Read-only*'
}

@test "wrong words are refused before anything is changed, and the message says what is wrong" {
	world >"$BATS_TEST_TMPDIR/before"
	while read -r pattern arguments; do
		# the words of $arguments are words
		# shellcheck disable=SC2086
		sc 125 run --rm $arguments busybox true
		like "$stderr" "*$pattern*"
	done <<-END
		absolute -v $src:data
		..' -v $src:/a/../b
		mounted -v $src:/
		mounted -v $src:///./
		mounted -v $src:/proc
		mounted -v $src:/proc/sys
		mounted -v $src:/sys/fs
		mounted -v $src:/dev/.
		mounted --tmpfs /proc
		mounted --mount type=tmpfs,dst=/sys
		already -v $src:/a -v $src:/a/
		already -v $src:/a --tmpfs //a
		options -v $src:/a:wx
		SOURCE:TARGET -v a:b:c:d
		nocopy -v $src:/a:nocopy
		host -v name:/a:rslave
		name -v na/me:/a
		name -v .name:/a
		absolute -v :
		where --mount type=bind,src=$src
		type --mount type=cluster,dst=/a
		known --mount type=bind,src=$src,dst=/a,colour=red
		known --mount type=volume,src=v,dst=/a,volume-opt=o=size
		src= --mount type=bind,src=rel,dst=/a
		source --mount type=tmpfs,src=x,dst=/a
		type=tmpfs --mount type=bind,src=$src,dst=/a,tmpfs-size=1
		type=bind --mount type=volume,dst=/a,bind-propagation=rslave
		true --mount type=bind,src=$src,dst=/a,ro=maybe
		quote --mount type=bind,"src=$src,dst=/a
		quotes --mount type=bind,src="$src",dst=/a
		number --tmpfs /a:size=big
		number --tmpfs /a:mode=9
		options --tmpfs /a:lowerdir=/x
		number --mount type=tmpfs,dst=/a,tmpfs-mode=rwx
		no*container --volumes-from nobody
		shared*host -v $src:/a:shared
	END
	sc 125 run --rm -v '' busybox true
	sc 125 run --rm --mount '' busybox true
	same "$(world)" "$(cat "$BATS_TEST_TMPDIR/before")"
}

@test "--mount: comma-separated values with quotes, as docker reads them" {
	mkdir "$src/a,b" "$src/say \"x\""
	echo comma >"$src/a,b/f"
	echo quote >"$src/say \"x\"/f"
	sc run --rm --mount "type=bind,\"src=$src/a,b\",dst=/a" --mount "\"source=$src/say \"\"x\"\"\",type=bind,dst=/b" busybox cat /a/f /b/f
	same "$output" $'comma\nquote'
}

@test "S14: paths with blanks, line breaks, backslashes and what is no UTF-8 arrive byte for byte" {
	odd=$src/$'a b\tc\nd\\040e\xff"\''
	mkdir "$odd"
	echo odd >"$odd/f"
	target=$'/x y\tz\nt\\134"\xc3\xa9'
	sc run --rm -v "$odd:$target" busybox cat "$target/f"
	same "$output" odd
	apart scadm create --name=odd -v "$odd:$target" busybox true >/dev/null
	same "$(sqlite3 :memory: "SELECT json_extract(readfile('/var/run/container/odd/config.json'), '\$.Mounts[0].Destination')")" "$target"
	sc rm odd
}

@test "--tmpfs and --mount type=tmpfs: size, mode, owner inside, flags" {
	for userns in auto host; do
		sc run --rm --userns="$userns" --tmpfs /t --tmpfs /s:size=1m,mode=700,uid=1000,gid=1001,exec --mount type=tmpfs,dst=/m,tmpfs-size=65536,tmpfs-mode=0750 \
			busybox sh -c 'stat -c "%a %u:%g" /t /s /m; df -k /s /m | tail -n 2 | tr -s " " | cut -d " " -f 2; grep " /[tsm] " /proc/mounts'
		like "$output" $'1777 0:0\n700 1000:1001\n750 0:0\n1024\n64\n*'
		like "$output" '* /t tmpfs *nosuid,nodev,noexec*'
		like "$output" '* /s tmpfs rw,nosuid,nodev,relatime*'
	done
	sc 1 run --rm --tmpfs /t:ro busybox touch /t/x
	sc run --rm --read-only --tmpfs /run -v "$src:/data" busybox sh -c 'touch /run/x /data/y; ! touch /z 2>/dev/null'
	sc run --rm --mount type=tmpfs,dst=/dev/shm,tmpfs-size=8m busybox sh -c 'touch /dev/shm/x; df -m /dev/shm | tail -n 1 | tr -s " " | cut -d " " -f 2'
	same "$output" 8
}

@test "S1: what is mounted inside a volume stays inside; what the host mounts later stays outside" {
	mount --bind "$src" "$src"
	mount --make-shared "$src"
	mkdir "$src/in" "$src/out"
	sc run --rm --privileged -v "$src:/data" busybox sh -c 'mount -t tmpfs t /data/in && touch /data/in/x'
	run ! mountpoint -q "$src/in"
	run ! test -e "$src/in/x"
	apart scadm run -d --name=p1 -v "$src:/data" busybox sleep 100 >/dev/null
	mount -t tmpfs t "$src/out"
	touch "$src/out/here"
	run ! test -e "/proc/$(cut -d ' ' -f 1 /var/run/container/p1/pid)/root/data/out/here"
	umount "$src/out"
	sc rm -f p1
	umount "$src"
}

@test "rslave shows what the host mounts later, rshared the other way round too; shared needs the host's user namespace" {
	sc 125 run --rm -v "$src:/data:rslave" busybox true
	like "$stderr" '*nothing would come through*make-shared*'
	mount --bind "$src" "$src"
	mount --make-shared "$src"
	mkdir "$src/in" "$src/out"
	for userns in auto host; do
		apart scadm run -d --name=p2 --userns="$userns" -v "$src:/data:slave" busybox sleep 100 >/dev/null
		mount -t tmpfs t "$src/out"
		touch "$src/out/here"
		test -e "/proc/$(cut -d ' ' -f 1 /var/run/container/p2/pid)/root/data/out/here"
		umount "$src/out"
		run ! test -e "/proc/$(cut -d ' ' -f 1 /var/run/container/p2/pid)/root/data/out/here"
		sc rm -f p2
	done
	sc run --rm --privileged --mount "type=bind,src=$src,dst=/data,bind-propagation=rslave" busybox mount -t tmpfs t /data/in
	run ! mountpoint -q "$src/in"
	sc 125 run --rm --userns=auto -v "$src:/data:rshared" busybox true
	sc run --rm --privileged -v "$src:/data:rshared" busybox mount -t tmpfs t /data/in
	mountpoint -q "$src/in"
	umount "$src/in"
	umount "$src"
}

@test "a file system that cannot translate owners: the message says so, and what would work" {
	sc 125 run --rm -v /sys/kernel:/k busybox true
	like "$stderr" '*sysfs cannot translate owners*--userns=host*'
	sc run --rm --userns=host -v /sys/kernel:/k:ro busybox test -e /k/notes
	mkdir "$src/proc"
	mount -t proc proc "$src/proc"
	sc 125 run --rm -v "$src:/data" busybox true
	like "$stderr" '*mounted below it cannot*bind-nonrecursive*'
	sc run --rm --mount "type=bind,src=$src,dst=/data,bind-nonrecursive" busybox cat /data/file
	umount "$src/proc"
}

@test "S24: a set-user-id program in a volume gives nothing, inside or to another user of the host" {
	sc run --rm --security-opt no-new-privileges=false -v v1:/v busybox sh -c 'cp /bin/busybox /v/su && chmod 4755 /v/su; chmod 777 /v; grep " /v " /proc/mounts'
	like "$output" '*nosuid*'
	test -u /var/lib/scadm/volumes/v1/data/su
	run ! setpriv --reuid=12345 --regid=12345 --clear-groups test -e /var/lib/scadm/volumes/v1/data/su
	same "$(stat -c %a /var/lib/scadm)" 700
	sc volume rm v1
}

@test "a named volume is made, keeps what is written, and is had by several" {
	sc run --rm -v web:/data busybox sh -c 'echo hello >/data/f; chown 33:33 /data/f'
	sc run --rm --userns=host -v web:/other:ro busybox sh -c 'stat -c %u:%g /other/f; cat /other/f; touch /other/x || true'
	same "$output" $'33:33\nhello'
	sc run --rm --mount src=web,dst=/data busybox cat /data/f
	same "$output" hello
	same "$(volumes)" 'web '
	sc volume rm web
	same "$output" web
	same "$(volumes)" ''
}

@test "an empty volume begins with what the image has there: owners, modes, links; nocopy leaves it empty" {
	image filled 'mkdir -p data/dir; echo one >data/one; ln data/one data/two; ln -s one data/three; chown 7:8 data data/one; chmod 751 data; mkfifo data/.fifo; mkdir var/www; ln -s ../data var/link; ln -s /data/dir abs'
	sc run --rm -v full:/data filled sh -c 'cd /data; stat -c "%n %a %u:%g %h" . one; readlink three; test -p .fifo && ls -A'
	same "$output" $'. 751 7:8 3\none 644 7:8 2\none\n.fifo\ndir\none\nthree\ntwo'
	sc run --rm -v none:/data:nocopy filled ls -A /data
	same "$output" ''
	# nothing was written to it, so it is filled by the next who does not refuse that
	sc run --rm --mount src=none,dst=/var/link filled cat /var/link/one
	same "$output" one
	# what is in use already is not touched
	sc run --rm -v full:/data filled rm -rf /data/one /data/two
	sc run --rm -v full:/data filled ls /data
	same "$output" $'dir\nthree'
	sc run --rm --mount src=ro,dst=/data,ro filled cat /data/one
	same "$output" one
	sc volume rm full none ro
	sc rmi filled
}

@test "S2: links of the image do not lead the filling of a volume to files of the host" {
	mkdir "$BATS_TEST_TMPDIR/secret"
	echo secret >"$BATS_TEST_TMPDIR/secret/f"
	image links "ln -s $BATS_TEST_TMPDIR/secret one; ln -s ../../../../../../../../../..$BATS_TEST_TMPDIR/secret two; ln -s /proc/self/root/etc three; ln -s four four; mkdir -p .$BATS_TEST_TMPDIR/secret; echo own >.$BATS_TEST_TMPDIR/secret/own; ln -s /etc/passwd five; ln -s / six"
	for link in one two; do
		apart scadm create --name=l1 -v "$link:/$link" links true >/dev/null
		same "$(ls -A "/var/lib/scadm/volumes/$link/data")" own
		sc rm l1
	done
	for link in three four five; do
		apart scadm create --name=l1 -v "$link:/$link" links true >/dev/null
		same "$(ls -A "/var/lib/scadm/volumes/$link/data")" ''
		sc rm l1
	done
	apart scadm create --name=l1 -v "six:/six$BATS_TEST_TMPDIR/secret" links true >/dev/null
	same "$(ls -A /var/lib/scadm/volumes/six/data)" own
	sc rm l1
	sc volume rm one two three four five six
	sc rmi links
	same "$(ls -A "$BATS_TEST_TMPDIR/secret")" f
}

@test "S2, S4: a container that has an empty volume cannot lead its filling to a directory of the host" {
	local victim=$BATS_TEST_TMPDIR/victim
	mkdir "$victim"
	image evil 'mkdir -p data/sub; cd data/sub; n=0; while [ $n -lt 3000 ]; do : >f$n; n=$((n + 1)); done'
	scadm run -d --name=swap -v shared:/data busybox sh -c \
		"touch /ready; until [ -d /data/sub ]; do :; done; mv /data/sub /data/.x && ln -s $victim /data/sub; touch /swapped; sleep 1000" >/dev/null 3>&-
	wait_until 20 scadm exec swap test -e /ready
	# it wins when it is fast: then this is refused, and what was begun is removed without following its link
	run --separate-stderr scadm run --rm -v shared:/data evil true 3>&-
	[ "$status" -eq 0 ] || like "$stderr" '*cannot copy /data of the image*'
	wait_until 20 scadm exec swap test -e /swapped
	same "$(find "$victim" -mindepth 1 | wc -l)" 0
	sc rm -f swap
	sc volume rm shared
	sc rmi evil
}

@test "S4: what is left of half a copy is removed, and nothing that a link in it leads to" {
	helpers_where 'mkdir "$place/data/sub" && ln -s "$VICTIM" "$place/data/sub/link" && ln -s "$VICTIM" "$place/data/top"; exit 125'
	mkdir "$BATS_TEST_TMPDIR/victim"
	touch "$BATS_TEST_TMPDIR/victim/kept"
	sc volume create half
	VICTIM=$BATS_TEST_TMPDIR/victim SC_HELPERS=$BATS_TEST_TMPDIR/bin sc 125 run --rm -v half:/etc busybox true
	same "$(ls -A /var/lib/scadm/volumes/half/data)" ''
	test -e "$BATS_TEST_TMPDIR/victim/kept"
	sc volume rm half
}

@test "S23: a volume that cannot be filled is not there afterwards, and neither is the container" {
	helpers_where 'echo half >"$place/data/half"; echo "no space" >&2; exit 125'
	SC_HELPERS=$BATS_TEST_TMPDIR/bin sc 125 run --rm -v half:/etc busybox true
	like "$stderr" '*cannot copy /etc of the image*'
	same "$(volumes)" ''
	# nor when it is the reader that fails, and the writer is content
	helpers_where '' 'sc-archive "$@"; exit 125'
	SC_HELPERS=$BATS_TEST_TMPDIR/bin sc 125 run --rm -v half:/etc busybox true
	like "$stderr" '*cannot copy /etc of the image*'
	same "$(volumes)" ''
	helpers_where 'echo half >"$place/data/half"; echo "no space" >&2; exit 125'
	sc volume create half
	SC_HELPERS=$BATS_TEST_TMPDIR/bin sc 125 run --rm -v half:/etc busybox true
	same "$(ls -A /var/lib/scadm/volumes/half/data)" ''
	sc volume rm half
}

@test "anonymous volumes: --rm and rm -v remove them, rm keeps them; an image asks for them with VOLUME" {
	sc run --rm -v /anon --mount dst=/other busybox sh -c 'echo x >/anon/f; grep -c -E " /(anon|other) " /proc/mounts'
	same "$output" 2
	same "$(volumes)" ''
	image voluminous 'mkdir v1 v2; echo one >v1/f'
	mkdir "$BATS_TEST_TMPDIR/again"
	cp -a "$BATS_TEST_TMPDIR/voluminous/." "$BATS_TEST_TMPDIR/again"
	sc import -c 'VOLUME /v1' -c 'VOLUME /v2' "$BATS_TEST_TMPDIR/again" voluminous
	sc run --rm --read-only -v "$src:/v2" voluminous sh -c 'cat /v1/f /v2/file; echo two >/v1/f'
	same "$output" $'one\ndata'
	same "$(volumes)" ''
	apart scadm create --name=a1 voluminous true >/dev/null
	like "$(volumes)" '???????????????????????????????????????????????????????????????? *'
	same "$(scadm volume ls -q -f dangling=true)" ''
	sc rm a1
	sc volume ls -q -f dangling=true
	same "$(printf '%s\n' "$output" | wc -l)" 2
	sc volume prune -f
	like "$output" 'Deleted Volumes:*Total reclaimed space:*'
	apart scadm create --name=a1 voluminous true >/dev/null
	sc rm -v a1
	same "$(volumes)" ''
	sc rmi voluminous
}

@test "S22: start again: the volume is there with what was written, and a source that is gone is named" {
	mkdir "$src/gone"
	apart scadm run -d --name=s1 -v data:/data -v /anon -v "$src/gone:/gone" busybox sh -c 'echo x >>/data/f; echo x >>/anon/f; cat /data/f /anon/f | wc -l' >/dev/null
	sc wait s1
	rmdir "$src/gone"
	sc 125 start s1
	like "$stderr" "*there is no $src/gone*/gone*"
	mkdir "$src/gone"
	sc start s1
	sc wait s1
	sc logs s1
	same "$output" $'2\n4'
	mv /var/lib/scadm/volumes/data "$src/away"
	sc 125 start s1
	like "$stderr" "*the volume 'data'*volume create data*"
	mv "$src/away" /var/lib/scadm/volumes/data
	sc rm -v s1
	same "$(volumes)" 'data '
	sc volume rm data
}

@test "--volumes-from: those of another container, with its rights or fewer" {
	apart scadm create --name=from -v one:/one -v "$src:/src:ro" -v /anon --tmpfs /t busybox true >/dev/null
	sc run --rm --volumes-from from -v "$src:/anon" busybox sh -c 'echo 1 >/one/f; cat /src/file /anon/file; touch /src/x; test ! -e /t'
	like "$stderr" '*Read-only*'
	same "$output" $'data\ndata'
	sc 1 run --rm --volumes-from from:ro busybox touch /one/g
	sc rm -v from
	sc volume rm one
}

@test "S2: targets through links stay inside: of the image, of another volume, dangling, with dots" {
	mkdir "$BATS_TEST_TMPDIR/outside" "$src/deep"
	image crooked "ln -s $BATS_TEST_TMPDIR/outside abs; ln -s ../../../../..$BATS_TEST_TMPDIR/outside dots; ln -s /none/such dangling; ln -s /dev dev2; ln -s /sys sys2; ln -s /proc/sys proc2"
	ln -s "$BATS_TEST_TMPDIR/outside" "$src/deep/link"
	ln -s "../../../../../../../..$BATS_TEST_TMPDIR/outside" "$src/deep/up"
	ln -s /proc/self/root "$src/deep/magic"
	sc run --rm -v "$src:/abs/new" -v "$src:/dots/two" -v "$src:/dangling" crooked cat /abs/new/file /dots/two/file /none/such/file
	same "$output" $'data\ndata\ndata'
	sc run --rm -v "$src/deep:/v" -v "$src/file:/v/link/a" -v "$src/file:/v/up/b" crooked cat /v/link/a "$BATS_TEST_TMPDIR/outside/b"
	same "$output" $'data\ndata'
	same "$(ls -A "$BATS_TEST_TMPDIR/outside")" ''
	sc 125 run --rm -v "$src/deep:/v" -v "$src/file:/v/magic/tmp/c" crooked true
	for link in dev2 sys2 proc2; do
		sc 125 run --rm -v "$src:/$link" crooked true
	done
	sc run --rm -v "$src:/dev2/x" crooked cat /dev/x/file
	sc 125 run --rm -v "$src:/sys2/x" crooked true
	sc 125 run --rm -v "$src:/proc2/x" crooked true
	sc 125 run --rm --tmpfs /proc2 crooked true
	rm -rf "$src/deep"
	sc rmi crooked
}

@test "S2: a container that swaps a directory for a link while another starts does not lead it outside" {
	mkdir "$BATS_TEST_TMPDIR/outside"
	apart scadm run -d --name=swap -v "$src:/v" busybox sh -c "while :; do mkdir /v/dir; : >/v/swapping; rm -rf /v/dir; ln -s $BATS_TEST_TMPDIR/outside /v/dir; rm -f /v/dir; done" >/dev/null
	wait_until 20 test -e "$src/swapping"
	for round in 1 2 3 4 5 6; do
		run -0 sh -c 'scadm run --rm -v "$1:/v" -v "$1/file:/v/dir/a/new$2" -v "$1:/v/dir/b/dir$2" busybox sh -c "ls /v/dir/*" 2>&1 3>&- || true' sh "$src" "$round"
		unlike "$output" '*BUG*'
	done
	sc rm -f swap
	same "$(ls -A "$BATS_TEST_TMPDIR/outside")" ''
}

@test "S27: a volume in which something is mounted is not removed, and neither is what is mounted" {
	sc volume create mounted
	mkdir /var/lib/scadm/volumes/mounted/data/sub
	mount --bind "$src" /var/lib/scadm/volumes/mounted/data/sub
	sc 125 volume rm mounted
	like "$stderr" '*something is mounted on*umount*'
	sc volume prune -af
	test -e "$src/file"
	test -d /var/lib/scadm/volumes/mounted
	umount /var/lib/scadm/volumes/mounted/data/sub
	sc volume rm mounted
}

@test "volume create, ls, inspect, rm" {
	sc volume create
	like "$output" '????????????????????????????????????????????????????????????????'
	anonymous=$output
	sc volume create --label a=b --label 'say="x"' --label only one
	same "$output" one
	sc volume create one
	sc 125 volume create --label c=d one
	like "$stderr" '*there is a volume*already*'
	sc volume create two
	sc volume ls
	same "${lines[0]}" 'DRIVER   VOLUME NAME'
	same "${lines[2]}" 'local    one'
	sc volume ls -q --filter label=a
	same "$output" one
	sc volume ls -q --filter name=tw
	same "$output" two
	sc volume ls --filter name=one --format '{{.Name}} {{.Driver}} {{.Scope}} {{.Label "a"}} {{json .Labels}}'
	same "$output" 'one local local b "a=b,say=\"x\",only="'
	sc 125 volume ls --format '{{.Nothing}}'
	sc 125 volume ls --filter nothing=x
	sc volume inspect one two
	printf '%s\n' "$output" >"$BATS_TEST_TMPDIR/json"
	same "$(sqlite3 :memory: "SELECT json_extract(j, '\$[0].Labels.say') || json_extract(j, '\$[1].Name') FROM (SELECT readfile('$BATS_TEST_TMPDIR/json') AS j)")" '"x"two'
	sc volume inspect --format '{{.Mountpoint}}' one
	same "$output" /var/lib/scadm/volumes/one/data
	sc 125 volume inspect nothing
	apart scadm create --name=user -v one:/x busybox true >/dev/null
	sc volume ls -q --filter dangling=false
	same "$output" one
	sc 125 volume rm one
	like "$stderr" '*is used by user*scadm rm user*'
	sc 125 volume rm two one
	test -d /var/lib/scadm/volumes/two
	sc rm user
	sc volume rm one two "$anonymous"
	sc 125 volume rm one
	like "$stderr" '*there is no volume*'
	sc volume rm -f one
	for name in '' . .. '*' ../x a/b -x; do
		sc 125 volume rm -- "$name"
		sc 125 volume create -- "$name"
	done
}

@test "volume create: one that stands for a directory of the host; other drivers and options are refused" {
	sc volume create -o type=none -o o=bind -o device="$src" there
	sc run --rm -v there:/data busybox cat /data/file
	same "$output" data
	sc volume rm there
	test -e "$src/file"
	sc 125 volume create -o device="$src" there
	sc 125 volume create -o type=none -o o=bind -o device="$src/none" there
	sc 125 volume create -o type=nfs -o device=:/x there
	sc 125 volume create -d flocker there
	same "$(volumes)" ''
}

@test "volume-data: what the plans show can be said by hand, and twice" {
	sc volume-data drop /var/lib/scadm/volumes/none
	apart scadm create --name=one -v data:/etc busybox true >/dev/null
	sc 125 volume-data drop /var/lib/scadm/volumes/data
	like "$stderr" "*used by the container 'one'*"
	sc volume-data drop --of=/var/lib/scadm/containers/other /var/lib/scadm/volumes/data
	test -e /var/lib/scadm/volumes/data/data/passwd
	layer=$(basename /var/lib/scadm/layers/*[0-9a-f])
	rm /var/lib/scadm/volumes/data/data/passwd
	sc volume-data fill /var/lib/scadm/volumes/data/data /etc "$layer"
	run ! test -e /var/lib/scadm/volumes/data/data/passwd
	rm -rf /var/lib/scadm/volumes/data/data/*
	sc volume-data fill /var/lib/scadm/volumes/data/data /../etc/./ "$layer"
	test -e /var/lib/scadm/volumes/data/data/passwd
	sc 125 volume-data fill /var/lib/scadm/volumes/data/data /etc
	sc 125 volume-data
	# what one left who was killed while he removed it
	mkdir /var/lib/scadm/volumes/.gone-other-1
	sc volume-data drop --of=/var/lib/scadm/containers/one /var/lib/scadm/volumes/data
	sc rm one
	same "$(volumes)" ''
}

@test "S28: a damaged description of a volume does not hide the others" {
	sc volume create bad
	sc volume create good
	printf '{' >/var/lib/scadm/volumes/bad/volume.json
	same "$(volumes)" 'bad good '
	sc volume inspect good
	sc volume rm bad good
}

@test "what is printed for volumes is what runs, and the undo leaves nothing but named volumes" {
	scadm -n run --rm -v /anon -v "$src/new:/new" -v plan:/etc busybox ls /etc >"$BATS_TEST_TMPDIR/plan" 3>&-
	same "$(volumes)" ''
	run -0 sh -e "$BATS_TEST_TMPDIR/plan" 3>&-
	like "$output" '*passwd*'
	same "$(volumes)" 'plan '
	run ! test -e "$src/new"
	sc volume rm plan
	scadm -n volume create planned >"$BATS_TEST_TMPDIR/plan" 3>&-
	run -0 sh -e "$BATS_TEST_TMPDIR/plan" 3>&-
	same "$(volumes)" 'planned '
	sc volume rm planned
}

@test "S20: killed while it fills a volume: the next verb clears up" {
	helpers_where "touch $BATS_TEST_TMPDIR/filling; exec sleep 100"
	SC_HELPERS=$BATS_TEST_TMPDIR/bin setsid scadm run --rm --name=k1 -v killed:/etc busybox true 3>&- &
	wait_until 20 test -e "$BATS_TEST_TMPDIR/filling"
	kill -9 -- "-$!"
	wait "$!" || true
	sc gc
	same "$(volumes)" ''
	test ! -e /var/lib/scadm/containers/k1
}
