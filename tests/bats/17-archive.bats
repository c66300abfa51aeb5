#!/usr/bin/env bats
# sc-archive: a tree to a tar archive and back, inside a root, with nothing else in reach

# bats sets stderr; a $ in single quotes is for another shell; a cd that fails ends the test
# shellcheck disable=SC2016,SC2154,SC2164

load helpers

setup() {
	sc_setup
	cd "$BATS_TEST_TMPDIR"
	mkdir t
	echo good >t/good
}

# tree - a tree with one of everything that survives, below t
tree() {
	mkdir -p t/dir/empty t/odd
	echo data >t/dir/file
	ln t/dir/file t/dir/second
	ln -s ../good t/dir/link
	ln -s /etc/shadow t/dir/absolute
	ln -s "$(printf 'x%.0s' {1..150})" t/dir/long-target
	mkfifo -m 622 t/dir/fifo
	printf '%s' "$(printf '0123456789%.0s' {1..100})" >"t/odd/$(printf 'long%.0s' {1..50})"
	echo n >"t/odd/$(printf 'two\nlines')"
	echo n >"t/odd/$(printf '\377\376 bytes')"
	echo n >'t/odd/ä ö' && echo n >t/odd/-rf && echo n >'t/odd/*'
	head -c 100000 /dev/urandom >t/odd/random
	: >t/odd/nothing
	echo s >t/dir/setuid
	chown 1234:65000 t/dir/setuid
	chmod 6755 t/dir/setuid
	chmod 1777 t/dir/empty
	chmod 000 t/odd/nothing
	touch -d @-5 t/dir/file
	touch -d @99999999999 t/odd/random
	touch -d @1 t/dir/empty
	touch -d @2 t/dir t/odd t
}

# listing DIR - all that a tree is: names, kinds, modes, owners, sizes, times in seconds, links, contents, attributes
listing() {
	(cd "$1" && find . -printf '%P %y %m %U:%G %Ts %l %n\n' | sed 's/^ d .*//' | sort && find . -type f -print0 | LC_ALL=C sort -z | xargs -0 sha256sum)
}

# unpacked TAR [OPTION...] - unpack into out, which is new
unpacked() {
	local archive="$1"
	shift
	rm -rf out
	mkdir out
	expect 0 sh -c 'archive=$1 && shift && exec sc-archive unpack "$@" / "$PWD/out" <"$archive"' - "$archive" "$@"
}

# refused TAR PATTERN - it fails and says why, and wrote nothing outside of out
refused() {
	rm -rf out
	mkdir out
	expect 125 sh -c 'exec sc-archive unpack / "$PWD/out" <"$1"' - "$1"
	like "$stderr" "sc-archive: $2"
	same "$(cat victim/file)" secret
	same "$(ls victim)" file
	run find out -name '.sc-archive*'
	same "$output" ''
}

# names DIR - the names in it, in one line
names() {
	find "$1" -mindepth 1 -maxdepth 1 -printf '%P\n' | sort | xargs
}

# victim - what must not be reached
victim() {
	mkdir victim
	echo secret >victim/file
}

@test "pack and unpack: the same tree, byte for byte" {
	tree
	sc-archive pack --name=. / "$PWD/t" >a.tar
	unpacked a.tar
	same "$(listing out)" "$(listing t)"
	same "$(stat -c %i out/dir/file)" "$(stat -c %i out/dir/second)"
}

@test "pack: the same tree gives the same bytes, whatever the order and times of its making" {
	tree
	sc-archive pack / "$PWD/t" >a.tar
	sc-archive pack --name=. / "$PWD/t" >dot.tar
	unpacked dot.tar
	touch -d @2 out
	cat out/dir/file t/odd/random >/dev/null
	sc-archive pack --name=t / "$PWD/out" >b.tar
	cmp a.tar b.tar
}

@test "pack: GNU tar and bsdtar read it" {
	local reader
	tree
	sc-archive pack --name=. / "$PWD/t" >a.tar
	for reader in "tar --numeric-owner -p -xf a.tar -C out" "bsdtar -p --numeric-owner -xf a.tar -C out"; do
		rm -rf out && mkdir out
		# words of a command
		# shellcheck disable=SC2086
		expect 0 $reader
		same "$(listing out)" "$(listing t)"
	done
}

@test "unpack: what GNU tar and bsdtar write, in each of their formats" {
	local format
	tree
	for format in gnu posix; do
		tar -C t --numeric-owner "--format=$format" -cf a.tar .
		unpacked a.tar
		same "$(listing out)" "$(listing t)"
	done
	(cd t && bsdtar --numeric-owner --format=pax -cf ../a.tar .)
	unpacked a.tar
	same "$(listing out)" "$(listing t)"
	# those before POSIX know neither long names nor fifos
	tar -C t --format=v7 -cf a.tar good dir/empty
	unpacked a.tar
	same "$(ls out out/dir)" "$(printf 'out:\ndir\ngood\n\nout/dir:\nempty')"
}

@test "extended attributes, access control lists and capabilities survive" {
	setfattr -n user.text -v 'a=b' t/good || skip 'needs extended attributes of users'
	setfattr -n user.binary -v 0x00ff0a00 t/good
	mkdir t/d
	setfattr -n user.dir -v x t/d
	# version 2, cap_net_raw+ep
	setfattr -n security.capability -v 0x0100000200200000000000000000000000000000 t/good
	# user::rwx,user:4711:r--,group::r-x,mask::r-x,other::--- and the default of a directory
	setfattr -n system.posix_acl_access -v 0x0200000001000700ffffffff020004006712000004000500ffffffff10000500ffffffff20000000ffffffff t/good
	setfattr -n system.posix_acl_default -v 0x0200000001000700ffffffff04000500ffffffff08000600d007000010000700ffffffff20000000ffffffff t/d
	sc-archive pack --name=. / "$PWD/t" >a.tar
	unpacked a.tar
	same "$(cd out && getfattr -d -m - -e hex good d)" "$(cd t && getfattr -d -m - -e hex good d)"
	like "$(getfattr -d -m - -e hex out/good)" '*security.capability=0x010000020020*'
	# what GNU tar says of them
	tar -C t --acls --xattrs --xattrs-include='*' --format=posix -cf b.tar .
	unpacked b.tar
	same "$(getfattr -d -m 'user|acl|cap' -e hex out/good out/d)" "$(getfattr -d -m 'user|acl|cap' -e hex t/good t/d | sed 's/: t/: out/')"
	# a copy for somebody else brings no rights along
	chmod 6755 t/good
	sc-archive pack --name=. / "$PWD/t" >a.tar
	unpacked a.tar --as=7:8 --no-setuid
	same "$(stat -c '%u:%g %a' out/good)" '7:8 755'
	unlike "$(getfattr -d -m - out/good)" '*capability*'
}

@test "--overlay: whiteouts and opaque directories become the words of a layer" {
	mkdir -p lower/gone/x lower/opaque/old lower/kept upper work merged
	echo old >lower/file
	echo old >lower/two
	if ! mount -t overlay -o lowerdir=lower,upperdir=upper,workdir=work overlay merged; then
		# an overlay cannot have its upper layer on an overlay
		mkdir space && mount -t tmpfs tmpfs space && mv lower upper work space
		mount -t overlay -o lowerdir=space/lower,upperdir=space/upper,workdir=space/work overlay merged
		cd space
	fi
	merged=$BATS_TEST_TMPDIR/merged
	rm -r "$merged/gone" "$merged/file" "$merged/two" "$merged/opaque"
	mkdir "$merged/opaque"
	echo new >"$merged/opaque/new"
	umount "$merged"
	sc-archive pack --overlay "$PWD/upper" >"$BATS_TEST_TMPDIR/a.tar"
	cd "$BATS_TEST_TMPDIR"
	[ ! -d space ] || umount space
	same "$(tar -tf a.tar | sort)" "$(printf '%s\n' ./ .wh.file .wh.gone .wh.two opaque/ opaque/.wh..wh..opq opaque/new)"
	run tar -tvf a.tar
	unlike "$output" '*[bc]rw*'
	run grep -ac trusted a.tar
	same "$output" 0
}

@test "--overlay: what a layer cannot say is refused" {
	touch t/.wh.good
	expect 125 sh -c 'sc-archive pack --overlay "$PWD/t" >/dev/null'
	like "$stderr" '*.wh.good*'
	rm t/.wh.good
	mkdir t/d
	setfattr -n trusted.overlay.redirect -v /x t/d || skip 'needs attributes of the system'
	expect 125 sh -c 'sc-archive pack --overlay "$PWD/t" >/dev/null'
	like "$stderr" '*trusted.overlay.redirect*'
	# without, it is one attribute of many that are not ours
	expect 0 sh -c 'sc-archive pack "$PWD/t" >/dev/null'
}

@test "--uid-base: owners in the archive are those inside" {
	touch t/root t/user t/stranger
	chown 500000:500000 t t/root
	chown 501000:565535 t/user
	chown 0:565536 t/stranger
	sc-archive pack --uid-base=500000 --name=. / "$PWD/t" >a.tar
	same "$(tar --numeric-owner -tvf a.tar | awk '{ print $2, $6 }')" "$(printf '%s\n' '0/0 ./' '65534/65534 good' '0/0 root' '65534/65534 stranger' '1000/65535 user')"
	unpacked a.tar --uid-base=700000
	same "$(stat -c %u:%g out/root out/user out/stranger | xargs)" '700000:700000 701000:765535 765534:765534'
	# one that has no place there
	chown 65536 t/good
	tar -C t --numeric-owner -cf a.tar good
	rm -rf out && mkdir out
	expect 125 sh -c 'sc-archive unpack --uid-base=700000 / "$PWD/out" <a.tar'
	like "$stderr" '*good: belongs to 65536*'
	same "$(ls -A out)" ''
}

@test "S4: a path is resolved inside the root, whatever links are there" {
	victim
	mkdir root
	cp -R t root/t
	ln -s "$PWD/victim" root/absolute
	ln -s ../../../../../../.."$PWD/victim" root/dots
	ln -s /proc/self/root root/magic
	for path in /absolute/file /dots/file "/magic$PWD/victim/file" /../../../..$PWD/victim/file; do
		expect 125 sh -c 'sc-archive pack "$PWD/root" "$1" >leaked' - "$path"
		like "$stderr" '*open *No such file*'
		expect 125 sh -c 'sc-archive pack "$PWD/root" /t | sc-archive unpack --follow "$PWD/root" "${1%/file}"' - "$path"
	done
	same "$(ls victim)" file
	# a link stays one, unless it is to be followed, and then leads to what is there inside
	same "$(sc-archive pack "$PWD/root" /absolute | tar -tvf - | sed 's/.* absolute/absolute/')" "absolute -> $PWD/victim"
	mkdir -p "root$PWD/victim"
	same "$(sc-archive pack --follow "$PWD/root" /absolute | tar -tf -)" absolute/
	same "$(sc-archive pack "$PWD/root" /absolute/. | tar -tf -)" ./
}

@test "S4: fifos and devices are never opened, kernel file systems not entered" {
	mkfifo t/fifo
	mknod t/null c 1 3
	mkdir t/proc t/sub
	mount -t proc proc t/proc
	mount -t tmpfs tmpfs t/sub
	touch t/sub/file
	expect 0 timeout 60 sh -c 'sc-archive pack / "$PWD/t" >a.tar && sc-archive pack --one-file-system / "$PWD/t" >b.tar'
	umount t/proc t/sub
	same "$(tar -tf a.tar | xargs)" 't/ t/fifo t/good t/null t/proc/ t/sub/ t/sub/file'
	same "$(tar -tf b.tar | xargs)" 't/ t/fifo t/good t/null t/proc/ t/sub/'
	mkdir out
	expect 125 sh -c 'sc-archive unpack / "$PWD/out" <a.tar'
	like "$stderr" '*t/null: left out, it is a device*'
	same "$(names out/t)" 'fifo good proc sub'
}

@test "S4: after chroot nothing is opened but the tree, and nothing is left of root's privileges" {
	requires strace plain_helpers
	strace -f -o trace sc-archive pack "$PWD/t" >a.tar
	sed '1,/chroot/d' trace | grep -E 'open' >opened
	same "$(grep -vcE 'openat2?\([0-9]+, "[^/]|openat\(AT_FDCWD, "/", |openat2\([0-9]+, "/", ' opened)" 0
	like "$(cat trace)" '*chroot(".")*PR_SET_NO_NEW_PRIVS*effective=1<<CAP_DAC_READ_SEARCH, permitted=1<<CAP_DAC_READ_SEARCH, inheritable=0*'
	mkdir out
	strace -f -o trace sc-archive unpack / "$PWD/out" <a.tar
	like "$(cat trace)" '*chroot(".")*effective=1<<CAP_CHOWN|1<<CAP_DAC_OVERRIDE|1<<CAP_FOWNER|1<<CAP_FSETID|1<<CAP_SETFCAP, permitted*'
	same "$(sed '1,/chroot/d' trace | grep -cE 'gconv|locale|nss|passwd|\.so')" 0
}

@test "S3: members outside: .., absolute names, names below a symlink" {
	victim
	tar -P -C t --transform='s|good|../victim/evil|' -cf a.tar good
	refused a.tar "*'..'*"
	tar -P -C t --transform='s|good|x/../../victim/evil|' -cf a.tar good
	refused a.tar "*'..'*"
	# a leading slash is that of the directory
	tar -P -C t --transform="s|good|$PWD/victim/file|" -cf a.tar good
	unpacked a.tar
	same "$(cat victim/file "out$PWD/victim/file")" "$(printf 'secret\ngood')"
	for target in "$PWD/victim" ../victim / ..; do
		rm -rf l && mkdir l && ln -s "$target" l/d
		tar -C l -cf a.tar d
		tar -P -C t --transform='s|good|d/file|' -rf a.tar good
		refused a.tar '*symbolic link*'
		mkdir t/sub
		tar -C l -cf a.tar d
		tar -C t --transform='s|sub|d|' --mode=777 --owner=1234 -rf a.tar sub
		refused a.tar '*'
		rmdir t/sub
	done
	# a link in the place of a file is replaced, not written through
	rm -rf l && mkdir l && ln -s "$PWD/victim/file" l/good
	tar -C l -cf a.tar good
	tar -C t -rf a.tar good
	unpacked a.tar
	same "$(cat victim/file)" secret
	same "$(stat -c %F out/good)" 'regular file'
}

@test "S3: hard links lead to nothing outside" {
	victim
	ln t/good t/link
	for target in "$PWD/victim/file" ../victim/file ../../../../../etc/shadow /etc/shadow; do
		tar -P -C t --transform="s|^good\$|$target|RSh" --transform='s|^good$|a|' -cf a.tar good link
		refused a.tar '*'
	done
	rm -rf l && mkdir l && ln -s "$PWD/victim" l/d
	tar -C l -cf a.tar d
	tar -P -C t --transform='s|^good$|d/file|RSh' -rf a.tar good link
	refused a.tar '*symbolic link*'
	same "$(stat -c '%h %U' victim/file)" '1 root'
}

@test "S3: what is no archive, and one that is cut off or changed, fails" {
	local size at byte
	victim
	: >a.tar
	refused a.tar '*is empty*'
	head -c 2000 /dev/urandom >a.tar
	refused a.tar '*no tar archive*'
	gzip -c /etc/passwd >a.tar
	refused a.tar '*'
	tree
	sc-archive pack --name=. / "$PWD/t" >whole.tar
	for size in 1 511 512 600 1024 1500 5000 90000; do
		head -c "$size" whole.tar >a.tar
		refused a.tar '*archive ends*'
	done
	# a header of every kind is in the first blocks: any change of one is noticed, or makes another name of it
	for at in 0 3 100 108 116 124 136 148 156 157 257 329 345; do
		for byte in '\000' '\377' 9 /; do
			cp whole.tar a.tar
			# shellcheck disable=SC2059
			printf "$byte" | dd of=a.tar bs=1 seek="$((at + 1024))" conv=notrunc status=none
			rm -rf out && mkdir out
			run sc-archive unpack / "$PWD/out" <a.tar
			[ "$status" -eq 0 ] || [ "$status" -eq 125 ]
		done
	done
	same "$(cat victim/file)" secret
}

@test "S3: extended headers that lie" {
	local record
	victim
	for record in '5 a=b' '3 =\n' '99999999999999999999 path=x\n' '-7 a=b\n' '7 path\n' ' 7 a=bc\n' '10 path=a\0\n' '18 size=99999999\n\n' '14 size=-1234\n' '13 uid=66666\0\n' '15 mtime=1e400\n'; do
		echo x >t/PAXBODY
		tar -C t --format=ustar -cf a.tar PAXBODY good
		# type x in the place of 0, and the sum of the header with it: 0x78 - 0x30 = 72 more
		sum=$(dd if=a.tar bs=1 skip=148 count=6 status=none)
		printf 'x' | dd of=a.tar bs=1 seek=156 conv=notrunc status=none
		head -c 512 /dev/zero | dd of=a.tar bs=1 seek=512 conv=notrunc status=none
		# shellcheck disable=SC2059
		printf -- "$record" >record
		dd if=record of=a.tar bs=1 seek=512 conv=notrunc status=none
		size=$(stat -c %s record)
		old=2
		printf '%011o' "$size" | dd of=a.tar bs=1 seek=124 conv=notrunc status=none
		digits() { printf '%011o' "$1" | fold -w 1 | awk '{ n += $1 } END { print n }'; }
		printf '%06o' $((0$sum + 72 + $(digits "$size") - $(digits "$old"))) | dd of=a.tar bs=1 seek=148 conv=notrunc status=none
		refused a.tar '*'
		unlike "$stderr" '*no tar archive*'
	done
}

@test "unpack: a file is replaced whole, a directory by no file, a file by no directory" {
	mkdir -p dest/isdir
	echo old >dest/good
	ln dest/good keep
	tar -C t -cf a.tar good
	sc-archive unpack / "$PWD/dest" <a.tar
	same "$(cat dest/good keep)" "$(printf 'good\nold')"
	mv t/good t/isdir
	tar -C t -cf a.tar isdir
	expect 125 sh -c 'sc-archive unpack / "$PWD/dest" <a.tar'
	like "$stderr" '*isdir: cannot put a file in the place of a directory*'
	rm t/isdir && mkdir t/good
	tar -C t -cf a.tar good
	expect 125 sh -c 'sc-archive unpack / "$PWD/dest" <a.tar'
	like "$stderr" '*good*cannot put a directory in the place of a file*'
	same "$(names dest)" 'good isdir'
}

@test "S23: a full disk leaves the old file and nothing else" {
	mkdir small
	mount -t tmpfs -o size=200k tmpfs small
	echo old >small/big
	head -c 1000000 /dev/zero >t/big
	tar -C t -cf a.tar big
	expect 125 sh -c 'sc-archive unpack / "$PWD/small" <a.tar'
	like "$stderr" '*write big: No space left on device*'
	same "$(ls -A small) $(cat small/big)" 'big old'
	umount small
}

@test "a tree as deep as a path is long, and one deeper" {
	requires python3
	python3 -c '
import os
os.chdir("t")
for n in range(2300):
    os.mkdir("d")
    os.chdir("d")'
	expect 125 sh -c 'sc-archive pack / "$PWD/t" >/dev/null'
	like "$stderr" '*too long*'
	python3 -c '
import os
os.chdir("t")
for n in range(1500): os.chdir("d")
os.rename("d", "'"$PWD"'/rest")'
	expect 0 sh -c 'sc-archive pack --name=. / "$PWD/t" >a.tar'
	same "$(tar -tf a.tar | grep -c /)" 1501
	unpacked a.tar
	rm -rf t/d rest out
}

@test "stat: what a path is and where it leads" {
	mkdir -p root/d
	echo x >root/d/f
	ln -s d/f root/l
	ln -s /d root/a
	ln -s nowhere/x root/dangling
	ln -s d/new root/new
	ln -s loop root/loop
	mkfifo root/p
	same "$(sc-archive stat "$PWD/root" /d/../a/f | xargs)" 'file /d/f'
	same "$(sc-archive stat "$PWD/root" /l | xargs)" 'link /l'
	same "$(sc-archive stat --follow "$PWD/root" /l | xargs)" 'file /d/f'
	same "$(sc-archive stat "$PWD/root" /a/ | xargs)" 'directory /d'
	same "$(sc-archive stat "$PWD/root" /p | xargs)" 'other /p'
	same "$(sc-archive stat "$PWD/root" /d/none | xargs)" 'missing /d/none'
	same "$(sc-archive stat "$PWD/root" /none/ | xargs)" 'missing /none'
	same "$(sc-archive stat --follow "$PWD/root" /new | xargs)" 'missing /d/new'
	same "$(sc-archive stat --follow "$PWD/root" /dangling | xargs)" 'nowhere /nowhere/'
	same "$(sc-archive stat "$PWD/root" /d/f/x | xargs)" 'nowhere /d/f/x'
	expect 125 sc-archive stat --follow "$PWD/root" /loop
	like "$stderr" '*open /loop*'
}

@test "bad usage: 125 before anything is done" {
	local words
	for words in '' 'pick /' 'pack' 'pack / / /' 'pack --name=a/b /' 'pack --name= /' 'pack --nonsense /' 'unpack /' 'stat /' 'stat / relative' \
		'pack --bare /' 'pack --target=0' 'pack --target=x' 'pack --target=1 --fstab=/x /' 'pack --uid-base=-1 /' 'pack --uid-base=4294967295 /' \
		'unpack --as=root:root / /' 'unpack --as=1 / /' 'pack --read-only /' 'pack --target=1 --start-time=7' 'pack /nowhere' 'pack / /nowhere'; do
		# shellcheck disable=SC2086
		expect 125 sc-archive $words
		like "$stderr" 'sc-archive: *'
		same "$output" ''
	done
}
