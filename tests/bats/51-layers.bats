#!/usr/bin/env bats
# images of many layers: whiteouts, opaque directories, the store, and the verbs that look at images

# a $ in single quotes is for sqlite, another shell or nobody; bats sets stderr; a cd that fails ends the test
# shellcheck disable=SC2016,SC2103,SC2154,SC2164

load helpers

setup() {
	sc_setup
	layers=/var/lib/scadm/layers images=/var/lib/scadm/images blobs=/var/lib/scadm/blobs/sha256
	cd "$BATS_TEST_TMPDIR"
	mkdir t
	echo one >t/one
	# the first change makes the directories of the state: not to be seen as a leak
	scadm import t first >/dev/null 3>&-
	scadm rmi first >/dev/null 3>&-
	mkdir -p "$blobs"
	world >"$BATS_TEST_TMPDIR/world.before"
}

teardown() {
	local ref
	for ref in $(scadm images --format '{{.Repository}}:{{.Tag}}' 3>&-); do
		[ "$ref" = '<none>:<none>' ] || scadm rmi -f "$ref" 3>&-
	done
	scadm image prune -f 3>&-
	sc_teardown
}

# unpacked ARCHIVE [OPTION...] - a layer unpacked into the directory `tree`
unpacked() {
	local archive="$1"
	shift
	rm -rf tree && mkdir tree
	expect 0 scadm-unpack --layer "$@" "$archive" tree
}

# whiteouts - the whiteouts of `tree`, sorted
whiteouts() {
	(cd tree && find . -type c -exec stat -c '%t:%T %n' {} + | sort)
}

# opaque - the opaque directories of `tree`, sorted
opaque() {
	getfattr -R -h -n trusted.overlay.opaque --only-values tree >/dev/null 2>&1 || true
	(cd tree && getfattr -R -h -n trusted.overlay.opaque . 2>/dev/null | sed -n 's/^# file: //p' | sort)
}

# described DIR - each entry of a tree: name, kind, mode, owner, target, size and contents (of busybox once, not by its 400 names)
described() {
	(cd "$1" && find . -printf '%p %y %m %U:%G %l\0' | sort -z | tr '\0' '\n' && find . -type f -printf '%s %p\n' | sort &&
		find . -type f \( -links 1 -o -name busybox \) -print0 | sort -z | xargs -0 sha256sum)
}

# merged REF DIR - the tree of an image as overlayfs shows it, copied to DIR
merged() {
	local file="$images/$1.json" hex lower='' number=0
	mkdir names view
	mount -t tmpfs tmpfs names
	for hex in $(sqlite3 :memory: "SELECT substr(value, 8) FROM json_each(readfile('$file'), '\$.rootfs.diff_ids') ORDER BY key DESC"); do
		ln -s "$layers/$hex" "names/$number"
		lower=$lower${lower:+:}$number number=$((number + 1))
	done
	mkdir names/none
	(cd names && mount -t overlay -o "ro,lowerdir=$lower:none" overlay ../view)
	cp -a view "$2"
	umount view
	umount names
	rmdir view names
}

# --- one layer ------------------------------------------------------------------------------------------

@test "unpack --layer: .wh.NAME is a whiteout, .wh..wh..opq an opaque directory, and neither stays as a file" {
	mkdir -p t/a t/b/c
	: >t/a/.wh.gone
	: >t/.wh.top
	: >t/b/.wh..wh..opq
	echo x >t/b/c/x
	touch -d '2001-02-03 04:05:06' t/a t/b
	chmod 2750 t/a
	chown 12:13 t/a
	tar -C t -cf a.tar a b one .wh.top
	unpacked a.tar
	same "$(whiteouts)" '0:0 ./a/gone
0:0 ./top'
	same "$(opaque)" b
	same "$(find tree -name '.wh*')" ''
	# a directory is as the archive has it: the marks in it leave no trace
	same "$(stat -c '%a %u:%g %Y' tree/a)" "2750 12:13 $(date -d '2001-02-03 04:05:06' +%s)"
	same "$(stat -c '%a %Y' tree/b)" "755 $(date -d '2001-02-03 04:05:06' +%s)"
	same "$(cat tree/b/c/x)" x
	[ ! -e tree.box ]
}

@test "unpack --layer: a whiteout says nothing of its own layer" {
	mkdir -p t/dir t/later
	echo in >t/dir/in
	: >t/.wh.dir
	: >t/.wh.one
	ln -s /etc t/link
	: >t/.wh.link
	# in front of what it is called after, and behind it
	tar -C t -cf a.tar .wh.dir dir one .wh.one .wh.link link
	unpacked a.tar
	same "$(whiteouts)" ''
	same "$(opaque)" dir
	same "$(cat tree/one) $(cat tree/dir/in) $(readlink tree/link)" 'one in /etc'
}

@test "S3: unpack --layer: hostile marks are refused or harmless" {
	: >t/.wh.
	tar -C t -cf a.tar .
	mkdir tree
	expect 125 scadm-unpack --layer a.tar tree
	like "$stderr" '*whiteout of nothing*'
	for name in .wh.. .wh...; do
		rm -rf tree t/.wh* && mkdir tree
		: >"t/$name"
		tar -C t -cf a.tar .
		expect 125 scadm-unpack --layer a.tar tree
		like "$stderr" '*of the directory itself*'
	done
	rm -rf tree t/.wh* && mkdir tree
	tar -P -C t --transform='s|one|.wh.../../../x|' -cf a.tar one
	expect 125 scadm-unpack --layer a.tar tree
	# below a symlink
	rm -rf tree && mkdir tree
	ln -s "$BATS_TEST_TMPDIR/t" t/l
	tar -C t -cf a.tar l
	tar -P -C t --transform='s|one|l/.wh.one|' -rf a.tar one
	expect 125 scadm-unpack --layer a.tar tree
	same "$(cat t/one)" one
	# a mark that is a directory, with a mark in it; one that is a link; notes of aufs
	rm t/l
	mkdir -p t/.wh.d/.wh..wh..opq t/.wh..wh.plnk
	: >t/.wh.d/.wh.x
	ln -s "$BATS_TEST_TMPDIR/t/one" t/.wh.l
	echo x >t/.wh..wh.plnk/1.2
	tar -C t -cf a.tar .
	unpacked a.tar
	same "$(whiteouts)" '0:0 ./d
0:0 ./l'
	same "$(opaque)" ''
	same "$(find tree -mindepth 1 -printf '%P\n' | sort)" 'd
l
one'
	same "$(cat t/one)" one
}

@test "unpack --layer: names with newlines, blanks, backslashes, bytes that are no UTF-8" {
	for name in 'a b' 'a\b' "$(printf 'new\nline\n.')" "$(printf 'bad\377')" '#x' 'x=y' -n '*' '\101' "it's" '$(id)' ' type=dir' "$(printf 'caf\303\251')"; do
		: >"t/.wh.$name"
		mkdir "t/d$name"
		: >"t/d$name/.wh..wh..opq"
	done
	tar -C t -cf a.tar .
	unpacked a.tar
	same "$(cd tree && find . -type c -print0 | sort -z | tr '\0' '|')" "$(cd t && find . -name '.wh.*' ! -name '.wh..wh*' -printf '%P\0' -maxdepth 1 | sed -z 's/^.wh./.\//' | sort -z | tr '\0' '|')"
	same "$(opaque | wc -l)" 13
}

@test "S10: unpack --layer: device nodes are left out, whiteouts stay, the words of overlayfs do not get in" {
	mkdir t/d
	mknod t/d/sda b 8 0
	mknod t/d/zero c 0 0
	: >t/d/.wh.x
	tar -C t -cf a.tar .
	unpacked a.tar
	like "$stderr" '*left out 2 device nodes*'
	same "$(whiteouts)" '0:0 ./d/x'
	setfattr -n trusted.overlay.opaque -v y t/d
	rm t/d/sda t/d/zero
	tar --format=posix --xattrs --xattrs-include='*' -C t -cf a.tar .
	rm -rf tree && mkdir tree
	expect 125 scadm-unpack --layer a.tar tree
	like "$stderr" '*trusted.overlay.opaque*'
}

@test "unpack --layer: owners, modes, times, capabilities, attributes and links survive beside whiteouts" {
	cp "$(type -P true)" t/setuid
	chown 1234:4321 t/setuid
	setcap cap_net_raw+ep t/setuid
	chmod 4755 t/setuid
	setfattr -n user.note -v 'a b' t/one
	ln t/one t/hard
	ln -s ../../x t/soft
	mkfifo t/fifo
	mkdir -m 1777 t/tmp
	setfattr -n user.note -v dir t/tmp
	: >t/tmp/.wh.gone
	touch -d '2001-02-03 04:05:06.5' t/tmp t/one
	tar --format=posix --xattrs --xattrs-include='*' -C t -cf a.tar .
	unpacked a.tar
	same "$(stat -c '%a %u:%g' tree/setuid) $(getcap tree/setuid | sed 's/.* //')" '4755 1234:4321 cap_net_raw=ep'
	same "$(getfattr --only-values -n user.note tree/one) $(getfattr --only-values -n user.note tree/tmp)" 'a b dir'
	same "$(stat -c '%h' tree/hard) $(readlink tree/soft) $(stat -c %F tree/fifo)" '2 ../../x fifo'
	same "$(stat -c '%a %.9Y' tree/tmp) $(stat -c %.9Y tree/one)" "$(stat -c '%a %.9Y' t/tmp) $(stat -c %.9Y t/one)"
}

@test "unpack --layer --below: a directory that is only part of a path is what it is in the layers below" {
	mkdir -p t/etc/deep t/srv
	chmod 750 t/etc
	chown 7:8 t/etc
	touch -d 2001-02-03 t/etc
	chmod 555 t
	tar -C t -cf base.tar .
	sc import base.tar base
	base=$(cd "$layers" && echo *[0-9a-f])
	chmod 755 t
	echo x >t/etc/deep/x
	mkdir -p t/new/dir
	echo y >t/new/dir/y
	tar -C t -cf a.tar etc/deep/x new/dir/y
	unpacked a.tar "--below=$base"
	same "$(stat -c '%a %u:%g %Y' tree/etc)" "750 7:8 $(stat -c %Y t/etc)"
	same "$(stat -c '%a %u:%g' tree tree/new tree/new/dir | tr '\n' ' ')" '555 0:0 755 0:0 755 0:0 '
	# where a nearer layer has something else there, that counts
	ln -s /etc t/out
	tar -C t -cf link.tar out
	sc import link.tar link
	link=$(find "$layers" -mindepth 1 -maxdepth 1 -type d ! -name "$base" -printf '%f')
	tar -P -C t --transform='s|one|out/one|' -cf a.tar one
	unpacked a.tar "--below=$link:$base"
	same "$(stat -c '%F %a' tree/out)" 'directory 755'
	expect 125 scadm-unpack --layer --below=../x a.tar tree
	# nobody below: the bottom layer
	unpacked a.tar
	same "$(stat -c '%a' tree)" 755
}

@test "unpack --layer: an empty layer is one, what is no archive is none, a wrong digest is refused" {
	head -c 1024 /dev/zero >e.tar
	# as umoci insert writes it: without the padding of the last file, and without an end
	tar -C t -cf a.tar one
	head -c 516 a.tar >cut.tar
	unpacked cut.tar
	same "$(cat tree/one) $(stat -c %a tree/one)" 'one 644'
	head -c 515 a.tar >cut.tar
	rm -rf tree && mkdir tree
	expect 125 scadm-unpack --layer cut.tar tree
	unpacked e.tar --report=sum
	same "$(cat sum)" '5f70bf18a086007016e948b04aed3b82103a36bea41755b6cddfaf10ace3c6ef 1024'
	same "$(ls -A tree)$(stat -c %a tree)" 755
	echo text >x.tar
	expect 125 scadm-unpack --layer x.tar tree
	: >x.tar
	expect 125 scadm-unpack --layer x.tar tree
	tar -C t -cf a.tar .
	expect 125 scadm-unpack --layer --expect=sha256:0000 a.tar tree
	like "$stderr" '*is not the layer it should be*'
}

@test "unpack --layer: 3000 whiteouts cost a handful of processes, not one each" {
	mkdir t/d
	(cd t/d && seq -f .wh.%g 3000 | xargs touch)
	tar -C t -cf a.tar .
	before=$(sh -c 'echo $$')
	unpacked a.tar
	after=$(sh -c 'echo $$')
	same "$(whiteouts | wc -l)" 3000
	[ $((after - before)) -lt 150 ]
}

@test "import: a name that would be a whiteout is left out: there is nothing below" {
	: >t/.wh.one
	mkdir -p t/d/.wh.x/y
	: >t/d/.wh..wh..opq
	tar -C t -cf a.tar .
	sc import a.tar a
	like "$stderr" '*left out 3 names*'
	same "$(cd "$layers"/*[0-9a-f] && find . -mindepth 1 | sort)" './d
./one'
	sc import t b
	same "$(find "$layers" -name '.wh*' -o -type c)" ''
}

# --- the store ------------------------------------------------------------------------------------------

@test "layer: what is known of a layer stands beside it, goes with it, and its blob as well" {
	hex=$(printf 'a%.0s' {1..64}) blob=$(printf 'b%.0s' {1..64})
	mkdir tree2
	echo kept >"$blobs/$blob"
	expect 125 scadm-layer add t "$layers/$hex" 12x
	expect 125 scadm-layer add t "$layers/$hex" 12 "$blob" 5 application/x
	expect 125 scadm-layer add t "$layers/$hex" 12 "sha256:$blob" 5 'a"b'
	expect 125 scadm-layer add t "$layers/$hex" 12 "sha256:${blob%b}c" 5 application/x
	[ ! -e "$layers/$hex" ] && [ ! -e "$layers/$hex.json" ]
	expect 0 scadm-layer add t "$layers/$hex" 12
	same "$(cat "$layers/$hex.json")" '{"size":12}'
	# known better now, and not worse again
	expect 0 scadm-layer add tree2 "$layers/$hex" 12 "sha256:$blob" 5 application/vnd.oci.image.layer.v1.tar+gzip
	expect 0 scadm-layer add tree2 "$layers/$hex" 12
	[ -d tree2 ]
	same "$(cat "$layers/$hex.json")" "{\"size\":12,\"blob\":\"sha256:$blob\",\"blobSize\":5,\"mediaType\":\"application/vnd.oci.image.layer.v1.tar+gzip\"}"
	mkdir -p /var/lib/scadm/imports/x
	echo "$hex" >/var/lib/scadm/imports/x/keep
	expect 0 scadm-layer prune "$layers"
	[ -e "$layers/$hex/one" ] && [ -e "$blobs/$blob" ]
	# a pull that is under way names its blobs
	echo "sha256:$blob" >/var/lib/scadm/imports/x/keep
	expect 0 scadm-layer prune "$layers"
	[ ! -e "$layers/$hex" ] && [ ! -e "$layers/$hex.json" ] && [ -e "$blobs/$blob" ]
	rm -r /var/lib/scadm/imports/x
	expect 0 scadm-layer prune "$layers"
	[ ! -e "$blobs/$blob" ]
	mkdir t
	echo one >t/one
}

# --- many layers ----------------------------------------------------------------------------------------

# grown LAYOUT - the busybox of shared/testdata with layers that delete, replace and hide, made by umoci
grown() {
	local layout="$1" image="$1:busybox:1.38.0-musl"
	cp -r "$SHARED/busybox-oci/musl" "$layout"
	chmod -R u+w "$layout"
	rm -f "$layout"/*.gz "$layout"/image-*.json
	image=$layout:b
	umoci tag --image "$layout:busybox:1.38.0-musl" b
	umoci rm --image "$layout:busybox:1.38.0-musl"
	umoci insert --image "$image" --whiteout /bin/env
	umoci insert --image "$image" --whiteout /etc
	mkdir -p add/conf.d
	echo a >add/conf.d/a
	umoci insert --image "$image" add /etc
	echo b >add/conf.d/b
	rm add/conf.d/a
	umoci insert --image "$image" --opaque add /etc
	umoci insert --image "$image" add/conf.d/b /home/deep/er/b
	umoci unpack --image "$image" bundle
	rm -rf bundle/rootfs/root bundle/rootfs/bin/cat
	mkdir -p bundle/rootfs/root/new bundle/rootfs/data
	chmod 1770 bundle/rootfs/data
	chown 5:6 bundle/rootfs/data
	echo d >bundle/rootfs/data/d
	cp bundle/rootfs/bin/busybox bundle/rootfs/data/setuid
	chmod 4711 bundle/rootfs/data/setuid
	ln -s /data bundle/rootfs/link
	# a directory becomes a file, a file a directory
	rm -rf bundle/rootfs/tmp bundle/rootfs/bin/ls
	echo f >bundle/rootfs/tmp
	mkdir bundle/rootfs/bin/ls
	umoci repack --image "$image" bundle
	rm -r bundle
}

@test "many layers: the merged tree equals what umoci unpacks" {
	requires shared umoci overlay
	grown layout
	umoci raw unpack --image layout:b wanted
	sc load -i layout --name grown
	[ "$(sqlite3 :memory: "SELECT json_array_length(readfile('$images/grown:latest.json'), '\$.rootfs.diff_ids')")" -eq 7 ]
	merged grown:latest got
	diff <(described wanted) <(described got)
	[ ! -e got/bin/env ] && [ ! -e got/etc/passwd ] && [ -d got/bin/ls ]
	chroot got /bin/sh -c 'test -x /bin/busybox'
}

@test "many layers: whiteouts and opaque directories made by hand, in any order of members" {
	requires overlay
	mkdir -p l1/d/sub l1/e l2/d l3/d l4/d
	echo 1 >l1/d/sub/f
	echo 1 >l1/d/g
	echo 1 >l1/e/h
	echo 2 >l2/d/new
	: >l2/d/.wh..wh..opq
	: >l2/.wh.e
	mkdir l3/e
	: >l3/d/.wh.new
	echo 3 >l3/e/i
	: >l4/.wh.d
	echo 4 >l4/d/last
	below='' number=0 ids=''
	for layer in l1 l2 l3 l4; do
		number=$((number + 1))
		(cd "$layer" && find . -mindepth 1 -maxdepth 1 -printf '%P\n' | sort -r) >members
		tar -C "$layer" --sort=name --mtime=@1 -T members -cf "$layer.tar"
		mkdir "tree$number"
		expect 0 scadm-unpack --layer --report=sum --below="$below" "$layer.tar" "tree$number"
		read -r hex size <sum
		ids="$ids${ids:+,}\"sha256:$hex\"" below=$hex${below:+:$below}
		mkdir -p /var/lib/scadm/imports/x
		echo "$ids" >/var/lib/scadm/imports/x/keep
		expect 0 scadm-layer add "tree$number" "$layers/$hex" "$size"
		printf '{"rootfs":{"type":"layers","diff_ids":[%s]}}\n' "$ids" >"$images/n$number:latest.json"
	done
	rm -r /var/lib/scadm/imports/x
	merged n1:latest got1
	merged n2:latest got2
	merged n3:latest got3
	merged n4:latest got4
	same "$(cd got1 && find . -type f | sort | tr '\n' ' ')" './d/g ./d/sub/f ./e/h '
	same "$(cd got2 && find . -type f | sort | tr '\n' ' ')" './d/new '
	same "$(cd got3 && find . -type f | sort | tr '\n' ' ')" './e/i '
	same "$(cd got4 && find . -type f | sort | tr '\n' ' ')" './d/last ./e/i '
	# layers are shared, and go when the last image that has them goes
	same "$(find "$layers" -mindepth 1 -maxdepth 1 -type d | wc -l)" 4
	sc rmi n1 n2 n4
	same "$(find "$layers" -mindepth 1 -maxdepth 1 -type d | wc -l)" 3
	sc rmi n3
	same "$(find "$layers" -mindepth 1 -maxdepth 1 | wc -l)" 0
}

@test "many layers: an image of 130 layers runs, and diff and commit cope with them" {
	requires overlay
	sc image-build busybox
	ids="\"sha256:$(cd "$layers" && echo *[0-9a-f])\""
	for number in {1..129}; do
		hex=$(printf '%064x' "$number")
		mkdir -p "$layers/$hex/many"
		echo "$number" >"$layers/$hex/many/$number"
		ids="$ids,\"sha256:$hex\""
	done
	printf '{"config":{"Cmd":["sh"]},"rootfs":{"type":"layers","diff_ids":[%s]}}\n' "$ids" >"$images/many:latest.json"
	sc run --rm --net=none many sh -c 'ls /many | wc -l'
	same "$output" 129
	sc run --keep --net=none --name=m many sh -c 'rm /many/7; echo x >/many/130'
	sc diff m
	same "$output" 'C /many
A /many/130
D /many/7'
	sc commit m more
	sc run --rm --net=none more sh -c 'ls /many | wc -l'
	same "$output" 129
	sc rm m
}

# --- the verbs ------------------------------------------------------------------------------------------

@test "tag: one more name, another's name, the same layers; rmi of one name only takes the name" {
	sc import t a
	id=$output
	sc tag a reg.io:5000/x/b:2
	sc tag "${id:7:12}" c
	same "$(scadm images --no-trunc -q | sort -u)" "$id"
	echo two >t/two
	sc import t other
	sc tag other c
	same "$(scadm images --format '{{.Repository}}' -f reference=c --no-trunc) $(scadm images -q c)" "c $(scadm images -q other)"
	sc tag a a
	sc rmi a
	same "$output" 'Untagged: a:latest'
	[ -e "$images/reg.io:5000%x%b:2.json" ]
	sc rmi reg.io:5000/x/b:2
	like "$output" "*Deleted: $id"
	sc 125 tag nosuch x
	sc 125 tag other 'B A'
	sc 125 tag other
}

@test "tag: kill -9 after each step leaves the old name or the new one" {
	sc import t a
	sc -n tag a b
	printf '%s\n' "$output" >plan
	for step in $(seq 5 "$(wc -l <plan)"); do
		{ head -n "$step" plan && echo 'kill -9 $$'; } >part
		expect 137 sh -e part
		sc gc
		same "$(find /var/lib/scadm/imports -mindepth 1)" ''
		[ ! -e "$images/b:latest.json" ] || sc rmi b
		[ -e "$images/a:latest.json" ]
	done
	expect 0 sh -e plan
	cmp "$images/a:latest.json" "$images/b:latest.json"
}

@test "history: a line for each step, the last first, with sizes; an image that tells nothing has its layers" {
	sc import -m "first's" t a
	sc history a
	like "$output" "IMAGE *CREATED *CREATED BY *SIZE *COMMENT*${lines[1]%% *} * scadm import * first's"
	hex=$(cd "$layers" && echo *[0-9a-f])
	printf '{"created":"2020-01-01T00:00:00Z","rootfs":{"type":"layers","diff_ids":["sha256:%s","sha256:%s"]},"history":[%s,%s,%s]}\n' "$hex" "$hex" \
		'{"created":"2019-01-01T00:00:00Z","created_by":"ADD base\tx"}' '{"created_by":"ENV a=\"b\"","empty_layer":true}' \
		'{"created_by":"RUN a very long line that is longer than forty-five characters"}' >"$images/b:latest.json"
	size=$(scadm images --format '{{.Size}}' a)
	sc history --format '{{.CreatedBy}}|{{.Size}}|{{.Comment}}' b
	same "$output" "RUN a very long line that is longer than for…|$size|
ENV a=\"b\"|0B|
ADD base\\tx|$size|"
	sc history --no-trunc --format '{{json .CreatedBy}}' b
	same "${lines[0]} ${lines[2]}" '"RUN a very long line that is longer than forty-five characters" "ADD base\tx"'
	sc history -q b
	same "$output" "$(scadm images -q b)
<missing>
<missing>"
	printf '{"rootfs":{"type":"layers","diff_ids":["sha256:%s"]}}\n' "$hex" >"$images/c:latest.json"
	sc history --format '{{.ID}} {{.Size}}' c
	same "$output" "$(scadm images -q c) $size"
	echo '{"cut' >"$images/d:latest.json"
	sc 125 history d
	sc 125 history nosuch
	sc 125 history --format '{{.Nope}}' a
	sc rmi d
}

@test "image inspect: docker's fields, several images, templates; what is not there is an error" {
	sc import -c 'CMD ["a","b c"]' -c 'LABEL k="v w"' -c 'EXPOSE 80' -m note t a
	id=$output
	sc tag a b:2
	sc image inspect a
	printf '%s' "$output" >got.json
	same "$(sqlite3 :memory: "SELECT json_extract(j, '\$[0].Id') || json_extract(j, '\$[0].RepoTags') || json_extract(j, '\$[0].Config.Cmd') || json_extract(j, '\$[0].Comment') || json_extract(j, '\$[0].RootFS.Type') FROM (SELECT readfile('got.json') AS j)")" \
		"${id}[\"a:latest\",\"b:2\"][\"a\",\"b c\"]notelayers"
	sc image inspect -f '{{.Id}} {{index .Config.Labels "k"}} {{.Os}}' a b:2
	same "$output" "$id v w linux
$id v w linux"
	sc 125 image inspect a nosuch
	like "$output" '\[\{"Id"*'
	like "$stderr" "*no image 'nosuch'*"
	sc 125 image inspect nosuch
	same "$output" '[]'
	sc 1 image inspect -f '{{.Nope}}' a
	sc 125 image inspect
}

@test "images: filters and templates with docker's names" {
	sc import -c 'LABEL stage=test' t a/b:1
	sed -i 's/"created":"[^"]*"/"created":"2020-01-01T00:00:00Z"/' "$images/a%b:1.json"
	echo two >t/two
	sc import t c
	same "$(scadm images --format '{{.Repository}}:{{.Tag}}' -f label=stage)" a/b:1
	same "$(scadm images --format '{{.Repository}}:{{.Tag}}' -f label=stage=prod)" ''
	same "$(scadm images --format '{{.Repository}}:{{.Tag}}' -f 'reference=a/*')" a/b:1
	same "$(scadm images --format '{{.Repository}}:{{.Tag}}' -f 'reference=*:latest')" c:latest
	same "$(scadm images --format '{{.Repository}}' -f before=c)" a/b
	same "$(scadm images --format '{{.Repository}}' -f since=a/b:1)" c
	same "$(scadm images --format '{{.Repository}}' -f until=24h)" a/b
	same "$(scadm images -q -f dangling=true)" ''
	same "$(scadm images --format 'table {{.Tag}}\t{{.Repository}}' c)" 'TAG      REPOSITORY
latest   c'
	same "$(scadm images --format '{{json .}}' c)" "$(scadm images --format json c)"
	like "$(scadm images --format json c)" '{"Repository":"c","Tag":"latest",*}'
	sc 125 images -f nope=1
	sc 125 images -f dangling=x
	sc 125 images -f before=nosuch
	sc 125 images --format '{{.Nope}}'
}

@test "images: the number of processes does not depend on the number of images and layers" {
	sc import t a
	hex=$(cd "$layers" && echo *[0-9a-f])
	before=$(sh -c 'echo $$')
	sc images
	one=$(($(sh -c 'echo $$') - before))
	for number in {1..200}; do
		printf '{"created":"2020-01-01T00:00:00Z","n":%s,"rootfs":{"type":"layers","diff_ids":["sha256:%s"]}}\n' "$number" "$hex" >"$images/n$number:latest.json"
	done
	before=$(sh -c 'echo $$')
	sc images
	same "${#lines[@]}" 202
	[ $(($(sh -c 'echo $$') - before)) -le $((one + 2)) ]
	rm "$images"/n*.json
}

@test "image prune: images without a name; with -a those of which there is no container; then their layers" {
	sc import t a
	id=${output#sha256:}
	cp "$images/a:latest.json" "$images/sha256:$id.json"
	echo two >t/two
	sc import t b
	other=${output#sha256:}
	mv "$images/b:latest.json" "$images/sha256:$other.json"
	same "$(scadm images --format '{{.Repository}}:{{.Tag}}' -f dangling=true | sort -u)" '<none>:<none>'
	expect 0 sh -c 'echo n | scadm image prune'
	same "$(scadm images -q -f dangling=true | wc -l)" 2
	sc -n image prune -f
	plan=$output
	expect 0 sh -c 'echo y | scadm image prune'
	like "$output" "*deleted: sha256:$other*Total reclaimed space: *"
	unlike "$output" "*deleted: sha256:$id*"
	same "$(find "$layers" -mindepth 1 -maxdepth 1 -type d | wc -l) $(ls "$images")" '1 a:latest.json'
	expect 0 sh -ec "$plan"
	mkdir /var/lib/scadm/containers/c1
	echo '{"Image":"a:latest"}' >/var/lib/scadm/containers/c1/config.json
	sc image prune -a -f
	same "$output" 'Total reclaimed space: 0B'
	rm -r /var/lib/scadm/containers/c1
	sc image prune -a -f --filter until=24h
	sc image prune -a -f --filter label=x
	same "$(ls "$images")" a:latest.json
	sc image prune -a -f --filter 'label!=x'
	like "$output" "*untagged: a:latest
deleted: sha256:$id*"
	same "$(find "$images" "$layers" -mindepth 1)" ''
	sc 125 image prune --filter nope=1
	sc 125 image prune x
}

@test "rmi: an image without a name goes by its id, and its id is no name for a new one of another" {
	sc import t a
	id=${output#sha256:}
	mv "$images/a:latest.json" "$images/sha256:$id.json"
	sc images
	like "$output" "*<none> *<none> *${id:0:12}*"
	sc tag "${id:0:12}" named
	same "$(ls "$images")" named:latest.json
	mv "$images/named:latest.json" "$images/sha256:$id.json"
	sc rmi "$id"
	same "$output" "Deleted: sha256:$id"
	same "$(ls "$layers")" ''
}

@test "S16, S29: a time that is none makes no rows of its own in images and history" {
	sc import t a
	sed 's/"created":"[^"]*"/"created":"x\\nfake\\t<none>\\tdeadbeef0000"/g' "$images/a:latest.json" >"$images/b:latest.json"
	rm "$images/a:latest.json"
	sc images
	same "${#lines[@]}" 2
	like "${lines[1]}" 'b *latest *\?*'
	sc images -q
	same "${#lines[@]}" 1
	sc images --format '{{.CreatedSince}}|{{.CreatedAt}}'
	same "$output" '?|x\nfake\t<none>\tdeadbeef0000'
	sc history b
	same "${#lines[@]}" 2
	sc history --format '{{.CreatedSince}}' b
	same "$output" '?'
	# no time at all
	sed -i 's/"created":"[^"]*",*//g' "$images/b:latest.json"
	sc images --format '{{.CreatedSince}}|{{.CreatedAt}}'
	same "$output" '?|'
	sc history --format '{{.CreatedSince}}|{{.CreatedAt}}' b
	same "$output" '?|'
	sc image prune -a -f
	like "$output" '*untagged: b:latest*'
}

@test "S28: an image with labels that are none hurts only itself" {
	sc import t a
	sed 's/"config":{/&"Labels":"x",/' "$images/a:latest.json" >"$images/b:latest.json"
	sed 's/"config":{/"config":"x","c":{/' "$images/a:latest.json" >"$images/c:latest.json"
	sc images --format '{{.Repository}}|{{.Labels}}'
	same "$output" 'a|
b|
c|'
	sc image prune -f --filter label=x
	sc image prune -f --filter 'label!=x'
	same "$(find "$images" -type f | wc -l)" 3
}

@test "S28: a list that could not be made is an error" {
	sc import t a
	mkdir helpers
	ln -s "$SC_HELPERS"/* helpers/
	printf '#!/bin/sh\nexit 1\n' >helpers/sqlite3
	chmod +x helpers/sqlite3
	SC_HELPERS=$PWD/helpers sc 125 images
	like "$stderr" '*cannot read the images*'
	SC_HELPERS=$PWD/helpers sc 125 system df
	SC_HELPERS=$PWD/helpers sc 125 history a
}

@test "S3: sha256 is no name for an image, whoever gives it" {
	sc import t a
	id=${output#sha256:}
	other=$(printf 'b%.0s' {1..64})
	for name in "sha256:$id" "sha256:$other" sha256 sha256:latest; do
		sc 125 tag a "$name"
		like "$stderr" '*begins the id of an image*'
		sc 125 import t "$name"
		sc 125 pull "$name"
	done
	sc 125 run "a@sha256:$other" true
	same "$(ls "$images")" a:latest.json
	# the sum, and nothing else
	echo '{"rootfs":{}}' >"$images/sha256:$id.json"
	same "$(scadm image inspect -f '{{.RepoTags}}' "sha256:$id")" '[a:latest]'
	rm "$images/sha256:$id.json"
}

@test "S28: layer prune: a digest behind a NUL byte is a digest" {
	sc import t a
	hex=$(cd "$layers" && echo *[0-9a-f])
	{ printf '{}\0' && cat "$images/a:latest.json"; } >"$images/b:latest.json"
	rm "$images/a:latest.json"
	expect 0 scadm-layer prune "$layers"
	[ -d "$layers/$hex" ]
	rm "$images/b:latest.json"
	expect 0 scadm-layer prune "$layers"
}
