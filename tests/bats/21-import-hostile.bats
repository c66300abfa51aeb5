#!/usr/bin/env bats
# import of archives that want to get out, that are none, and that are strange but right

# a $ in single quotes is for sqlite, another shell or nobody; bats sets stderr; a cd that fails ends the test
# shellcheck disable=SC2016,SC2103,SC2154,SC2164

load helpers

setup() {
	sc_setup
	images=/var/lib/scadm/images layers=/var/lib/scadm/layers imports=/var/lib/scadm/imports
	cd "$BATS_TEST_TMPDIR"
	mkdir t
	echo good >t/good
	# what must not be reached: a file of the host, and one two levels above the tree
	victim=/var/lib/victim
	mkdir "$victim"
	echo secret >"$victim/file"
	chmod 640 "$victim/file"
	# the first change makes the directories of the state: not to be seen as a leak
	scadm import t first >/dev/null 3>&-
	scadm rmi first >/dev/null 3>&-
	outside >before
	world >"$BATS_TEST_TMPDIR/world.before"
}

teardown() {
	local ref
	for ref in $(scadm images --format json | sed 's/.*"Repository":"\([^"]*\)","Tag":"\([^"]*\)".*/\1:\2/'); do
		scadm rmi "$ref" 3>&-
	done
	rm -rf "$victim"
	sc_teardown
}

# outside - what an archive could have reached
outside() {
	find "$victim" /etc /var/lib/scadm /var/lib /usr/local /tmp -maxdepth 1 -printf '%p %y %m %U %n %s %l\n' | grep -v 'bats\| /tmp d' | sort
	cat "$victim/file"
}

# refused ARCHIVE PATTERN - import fails, says why, changed nothing outside and left nothing
refused() {
	sc 125 import "$1" evil
	like "$stderr" "$2"
	expect 125 sh -c 'scadm import - evil <"$1"' - "$1"
	like "$stderr" "$2"
	same "$(ls "$images" "$layers" "$imports")" "$(printf '%s:\n\n' "$images" "$imports" "$layers:" | sed 's/::$/:/')"
	diff before <(outside)
}

# harmless ARCHIVE - whether it is taken or not, nothing changed outside
harmless() {
	run scadm import "$1" evil 3>&-
	printf '%s\n' "$output"
	[ "$status" -eq 0 ] || [ "$status" -eq 125 ]
	[ "$status" -ne 0 ] || scadm rmi evil 3>&-
	same "$(ls "$images" "$imports" "$layers")" "$(printf '%s:\n\n' "$images" "$imports" "$layers:" | sed 's/::$/:/')"
	diff before <(outside)
}

# root - the only layer there is
root() {
	echo "$layers"/*[0-9a-f]
}

@test "S3: members outside: .. and absolute names" {
	tar -P -C t --transform='s|good|../../evil|' -cf a.tar good
	refused a.tar "*../../evil*"
	tar -P -C t --transform='s|good|x/../../../../../var/lib/victim/evil|' -cf a.tar good
	refused a.tar "*..*"
	tar -P -C t --transform='s|good|..|' -cf a.tar good
	refused a.tar "*"
	tar -P -C t --transform="s|good|$victim/file|" -cf a.tar good
	harmless a.tar
	tar -P -C t --transform="s|good|/etc/passwd|" -cf a.tar good
	harmless a.tar
}

@test "S3: members below a symlink, whichever way it points" {
	for target in "$victim" ../../../victim /var/lib/scadm / .. ../..; do
		rm -rf l && mkdir l && ln -s "$target" l/d
		tar -C l -cf a.tar d
		tar -P -C t --transform='s|good|d/file|' -rf a.tar good
		refused a.tar '*d/file*symlink*'
	done
	# through two of them, and by a directory whose mode and owner would be set
	rm -rf l && mkdir l && ln -s "$victim" l/d && ln -s d l/e
	tar -C l -cf a.tar d e
	tar -P -C t --transform='s|good|e/file|' -rf a.tar good
	refused a.tar '*'
	mkdir -m 777 t/sub
	tar -C l -cf a.tar d
	tar -C t --transform='s|sub|d|' --owner=1234 -rf a.tar sub
	harmless a.tar
	# a symlink replaced by a file is written beside it, not through it
	rm -rf l && mkdir l && ln -s "$victim/file" l/good
	tar -C l -cf a.tar good
	tar -C t -rf a.tar good
	harmless a.tar
}

@test "S3: hard links to files of the host" {
	ln t/good t/link
	for target in "$victim/file" /etc/shadow ../../../victim/file ../../../../../etc/shadow; do
		tar -P -C t --transform="s|^good\$|$target|RSh" --transform='s|^good$|a|' -cf a.tar good link
		tar -tvf a.tar
		harmless a.tar
		tar -P -C t --transform="s|^good\$|$target|rSh" -cf a.tar good link
		harmless a.tar
	done
	# by way of a symlink of the archive's own
	mkdir l && ln -s "$victim" l/d
	tar -C l -cf a.tar d
	tar -P -C t --transform='s|^good$|d/file|RSh' -rf a.tar good link
	harmless a.tar
	same "$(stat -c '%h %a' "$victim/file")" '1 640'
}

@test "S3: what is no tar archive makes no image: empty, zeros, text, zip, cut off" {
	: >a.tar
	refused a.tar '*is empty*'
	gzip -c a.tar >a.gz
	refused a.gz '*is empty*'
	head -c 10240 /dev/zero >a.tar
	refused a.tar '*holds nothing*'
	echo hello >a.tar
	refused a.tar '*no tar archive*'
	# by chance it could begin as gzip does
	{ echo hello && head -c 100000 /dev/urandom; } >a.tar
	refused a.tar '*no tar archive*'
	printf '#mtree\nx type=file contents=/etc/shadow\n%300s\n' ustar >a.tar
	refused a.tar '*no tar archive*'
	# mtree reads files of the host: with `ustar` where a tar has it, there is still no secret in its reach
	{ printf '#mtree\nx type=file contents=%s\n' "$victim/file" && head -c 257 /dev/zero | tr '\000' '\n'; } | head -c 257 >a.tar
	printf 'ustar\n%0600d' 0 >>a.tar
	harmless a.tar
	head -c 300000 /dev/urandom >t/big
	tar -C t -cf whole.tar .
	head -c 200000 whole.tar >a.tar
	refused a.tar '*runcated*'
	for how in gzip xz bzip2 zstd; do
		$how -c whole.tar >whole.z
		head -c 200000 whole.z >a.tar
		refused a.tar "*$how could not read*"
	done
	# a whole archive in a stream that is cut off or spoilt behind it
	gzip -c whole.tar | head -c -4 >a.tar
	refused a.tar '*gzip could not read*'
	sc 125 import /nowhere evil
	sc 125 import /dev/null evil
	like "$stderr" '*neither a file nor a directory*'
	mkfifo pipe
	sc 125 import pipe evil
	mkdir empty
	sc 125 import empty evil
	like "$stderr" '*holds nothing*'
	sc 125 import
	sc 125 import t
	sc 125 import t a b
}

@test "S10: device nodes are left out, and so are overlay's words" {
	mkdir t/dev
	mknod t/dev/null c 1 3
	mknod t/dev/sda b 8 0
	mknod t/white c 0 0
	tar -C t -cf a.tar .
	sc import a.tar a
	like "$stderr" '*left out 3 device nodes*'
	same "$(find "$(root)" -mindepth 1 -printf '%P\n' | sort)" "$(printf 'dev\ngood')"
	sc rmi a
	sc import t a
	same "$(find "$(root)" \( -type c -o -type b \))" ''
	sc rmi a
	rm -r t/dev t/white
	if python3 -c 'import os; os.setxattr("t", b"trusted.overlay.opaque", b"y")' 2>/dev/null; then
		tar --format=posix --xattrs --xattrs-include='*' -C t -cf a.tar .
		refused a.tar '*trusted.overlay.opaque*'
		sc import t a
	fi
}

@test "S3: what is strange but right survives, from an archive and from a directory" {
	cd t
	mkdir -m 1777 tmp
	mkdir -m 2755 setgid
	cp "$(type -P true)" bin-setuid
	chmod 4755 bin-setuid
	chown 1234:4321 good
	touch -d '2001-02-03 04:05:06' good
	ln good hard
	ln -s /etc/shadow abs
	ln -s ../../.. up
	ln -s good "$(printf 'link\nline')"
	mkfifo fifo
	touch "$(printf 'new\nline\n.')" -- -dash ' blank ' 'back\slash' "$(printf 'caf\303\251')" "$(printf 'bad\377\001')" '*' "it's"
	mkdir "$(printf 'l%.0s' {1..200})"
	touch "$(printf 'l%.0s' {1..200})/$(printf 'm%.0s' {1..200})" "$(printf 'l%.0s' {1..200})/$(printf 'm%.0s' {1..100})$(printf '\377')"
	mkdir -m 000 closed
	dd if=/dev/zero of=sparse bs=1 count=1 seek=5000000 2>/dev/null
	setcap cap_net_raw+ep bin-setuid 2>/dev/null || true
	chmod 4755 bin-setuid
	setcap cap_net_raw+ep bin-setuid 2>/dev/null || true
	chmod 555 .
	cd ..
	(cd t && find . -mindepth 1 -printf '%p %y %m %U %G %n %l %s %T@\0' | sort -z) >wanted
	for how in gnu posix dir; do
		if [ "$how" = dir ]; then
			sc import t "$how"
		else
			tar --format="$how" --xattrs --xattrs-include='*' -C t -cf "$how.tar" .
			sc import "$how.tar" "$how"
		fi
		root=$(sqlite3 :memory: "SELECT substr(json_extract(readfile('$images/$how:latest.json'), '\$.rootfs.diff_ids[0]'), 8)")
		# times: an archive of GNU's own format keeps only seconds
		(cd "$layers/$root" && find . -mindepth 1 -printf '%p %y %m %U %G %n %l %s %T@\0' | sort -z) >got
		diff <(tr '\0' '\n' <wanted | sed 's/ \([0-9]*\)\.[0-9]*$/ \1/') <(tr '\0' '\n' <got | sed 's/ \([0-9]*\)\.[0-9]*$/ \1/')
		same "$(stat -c '%a %u' "$layers/$root")" '555 0'
		same "$(getcap "$layers/$root/bin-setuid" | sed 's/.* //')" "$(getcap t/bin-setuid | sed 's/.* //')"
	done
	chmod 755 t
	chmod 755 t/closed
}

@test "S3: names that look like a drive, or begin with a backslash, keep all their characters" {
	mkdir -p t/C: t/etc
	touch t/a:b t/C:/in 't/\lead' t/etc/x:y t/.:z t/..x
	ln t/a:b t/etc/hard
	ln -s a:b t/link
	tar -C t -cf dotted.tar .
	(cd t && tar -cf ../plain.tar -- * .:z ..x)
	local source
	for source in t dotted.tar plain.tar; do
		sc import "$source" drive
		same "$(cd "$(root drive)" && find . | sort)" "$(cd t && find . | sort)"
		same "$(readlink "$(root drive)/link")" a:b
		[ "$(root drive)/a:b" -ef "$(root drive)/etc/hard" ]
	done
	sc rmi drive
}

@test "S3: a directory is read without following links out of it" {
	ln -s "$victim" t/dir
	ln -s "$victim/file" t/file
	mkdir t/mounted
	mount --bind "$victim" t/mounted
	sc import t a
	umount t/mounted
	same "$(readlink "$(root)/dir") $(readlink "$(root)/file")" "$victim $victim/file"
	same "$(ls "$(root)/mounted")" ''
}

@test "S12: names of files, changes and messages are no code" {
	touch 't/$(touch run)' 't/;touch run;' 't/`touch run`'
	cp -r t "$(printf 'a b$(id)\n;x')"
	sc import -c "ENV A=\$(touch $victim/run)" -m "');DROP TABLE c;--" "$(printf 'a b$(id)\n;x')" a
	sc -n import "$(printf "a b\$(id)\n;x")" b
	expect 0 sh -ec "$output"
	scadm images --format json | grep -q '"b"'
	[ ! -e "$victim/run" ] && [ ! -e run ]
}

@test "S16: control characters of names reach no terminal" {
	tar -P -C t --transform="s|good|../x$(printf '\033[31m')|" -cf a.tar good
	sc 125 import a.tar evil
	unlike "$stderr" "*$(printf '\033')*"
	sc 125 import "/nowhere$(printf '\033[31m')" evil
	unlike "$stderr" "*$(printf '\033')*"
}

@test "unpack: only its directory can be written, and its end leaves nothing" {
	tar -C t -cf a.tar .
	mkdir d
	echo x >d/x
	expect 125 scadm-unpack a.tar d
	like "$stderr" '*not empty*'
	rm d/x
	expect 125 scadm-unpack --expect=0123 a.tar d
	like "$stderr" '*changed*'
	rm d/good
	expect 0 scadm-unpack --report=sum a.tar d
	same "$(cat sum)" "$(sha256sum <a.tar | cut -c1-64) $(stat -c %s a.tar)"
	same "$(cat d/good)" good
	[ ! -e d.box ]
	same "$(grep -c "$BATS_TEST_TMPDIR" /proc/self/mountinfo)" 0
	sc unpack --help
}
