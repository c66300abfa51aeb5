#!/usr/bin/env bats
# images: recipes, import, images, rmi, and what is left when they are interrupted

# a $ in single quotes is for sqlite, another shell or nobody; bats sets stderr; a cd that fails ends the test
# shellcheck disable=SC2016,SC2103,SC2154,SC2164

load helpers

setup() {
	sc_setup
	layers=/var/lib/scadm/layers images=/var/lib/scadm/images imports=/var/lib/scadm/imports
	# the first change makes the directories of the state: not to be seen as a leak
	scadm image-build busybox base >/dev/null 2>&1 3>&-
	scadm rmi base >/dev/null 3>&-
	world >"$BATS_TEST_TMPDIR/world.before"
	tree=$BATS_TEST_TMPDIR/tree
	mkdir -p "$tree/bin" "$tree/etc"
	echo one >"$tree/bin/one"
}

teardown() {
	local ref
	for ref in $(names); do
		scadm rmi -f "$ref" 3>&-
	done
	sc_teardown
}

# names - every image's NAME:TAG
names() {
	scadm images --format json | sed 's/.*"Repository":"\([^"]*\)","Tag":"\([^"]*\)".*/\1:\2/'
}

# config REF JSONPATH - a value of an image's config
config() {
	sqlite3 :memory: "SELECT json_extract(readfile('$images/$1.json'), '$2')"
}

# count DIR - how many entries; of layers the trees
count() {
	find "$1" -mindepth 1 -maxdepth 1 ! -path '*/layers/*.json' | wc -l
}

# layer REF - the directory of an image's layer
layer() {
	local id
	id=$(config "$1" '$.rootfs.diff_ids[0]')
	echo "$layers/${id#sha256:}"
}

@test "image-build busybox: an image of one static program, and it works" {
	sc image-build busybox
	like "$output" 'sha256:????????????????????????????????????????????????????????????????'
	same "$output" "sha256:$(sha256sum <"$images/busybox:latest.json" | cut -c1-64)"
	same "$(config busybox:latest '$.config.Cmd')" '["sh"]'
	same "$(config busybox:latest '$.rootfs.type')" layers
	root=$(layer busybox:latest)
	same "$(chroot "$root" /bin/sh -c '. /etc/os-release; echo $NAME; ls -d /root; id -u nobody')" "BusyBox
/root
65534"
	[ -L "$root/usr/bin/env" ] && [ ! -e "$root/dev/null" ]
	same "$(stat -c %a "$root" "$root/tmp" "$root/root")" "755
1777
700"
	same "$(count "$imports")" 0
}

@test "image-build: a dynamic program is not taken for a static busybox, and nothing is left" {
	sc 125 image-build busybox bb --busybox=/bin/ls
	like "$stderr" '*static*busybox-static*no image was made*'
}

@test "image-build: another recipe by its path, with a name, options and its own config" {
	cat >"$BATS_TEST_TMPDIR/mine.sh" <<-'END'
		#!/bin/sh -e
		echo "$2" >"$1/word"
		echo 'CMD ["/word", "a b"]' >"${1%/*}/changes"
	END
	sc 125 image-build "$BATS_TEST_TMPDIR/mine.sh" our/own:3 --say
	like "$stderr" '*chmod +x*'
	chmod +x "$BATS_TEST_TMPDIR/mine.sh"
	sc image-build "$BATS_TEST_TMPDIR/mine.sh" our/own:3 --say
	same "$(cat "$(layer our%own:3)/word")" --say
	same "$(config our%own:3 '$.config.Cmd')" '["/word","a b"]'
	sc 125 image-build nosuch
	like "$stderr" "*no recipe 'nosuch'*"
	sc 125 image-build ../images/busybox
	like "$stderr" "*no recipe*"
}

@test "image-build: a recipe that fails says so and leaves nothing" {
	printf '#!/bin/sh -e\necho half >"$1/half"\necho the disk is on fire >&2\nexit 3\n' >"$BATS_TEST_TMPDIR/bad.sh"
	chmod +x "$BATS_TEST_TMPDIR/bad.sh"
	sc 125 image-build "$BATS_TEST_TMPDIR/bad.sh"
	like "$stderr" '*the disk is on fire*failed (3)*no image was made*'
	same "$(count "$images") $(count "$layers") $(count "$imports")" '0 0 0'
}

@test "image-build alpine: from a minirootfs that is here, checked against a sum" {
	requires shared
	tar=$SHARED/alpine-minirootfs-3.20.3-x86_64.tar.gz
	sc 125 image-build alpine --tar="$tar" --sha256=0000
	like "$stderr" '*is not what it should be*'
	SC_ALPINE_TAR=$tar sc image-build alpine
	like "$(cat "$(layer alpine:latest)/etc/os-release")" '*Alpine Linux*'
	same "$(config alpine:latest '$.config.Cmd')" '["/bin/sh"]'
	[ "$(find /tmp "$HOME" -maxdepth 1 -name '*alpine*' | wc -l)" -eq 0 ]
}

@test "image-build centos: from a repository whose packages are signed" {
	requires shared dnf
	sc image-build centos --url="file://$SHARED/centos7-repo" --stub="file://$SHARED/centos7-stub-repo" \
		--key="$SHARED/centos7-repo/RPM-GPG-KEY-CentOS-7"
	root=$(layer centos:latest)
	like "$(cat "$root/etc/os-release")" '*CentOS Linux*'
	same "$(stat -c %a "$root")" 555
	same "$(find "$root/dev" -mindepth 1)" ''
	like "$(chroot "$root" /bin/bash -c 'echo $BASH_VERSION')" '4.2.*'
	[ -e "$root/var/lib/rpm/Packages" ] || [ -e "$root/var/lib/rpm/rpmdb.sqlite" ]
	same "$(find /tmp /var/tmp "$HOME" -maxdepth 1 \( -name '*dnf*' -o -name '.rpm*' \))" ''
}

@test "image-build centos: a wrong key and a dead repository make no image" {
	requires shared dnf
	sc 125 image-build centos --url="file://$SHARED/centos7-repo" --stub="file://$SHARED/centos7-stub-repo" --key=/etc/hostname
	like "$stderr" '*no image was made*'
	sc 125 image-build centos --url=file:///nowhere --key=/etc/hostname
	same "$(count "$images") $(count "$layers") $(count "$imports")" '0 0 0'
}

@test "import: a file, compressed in every way, a directory and stdin give the same layer" {
	ln -s one "$tree/bin/two"
	tar -C "$tree" --sort=name -cf "$BATS_TEST_TMPDIR/t.tar" .
	for how in gzip bzip2 xz zstd; do
		$how -k -c "$BATS_TEST_TMPDIR/t.tar" >"$BATS_TEST_TMPDIR/t.$how"
		sc import "$BATS_TEST_TMPDIR/t.$how" "$how"
	done
	sc import "$BATS_TEST_TMPDIR/t.tar" plain
	expect 0 sh -c 'scadm import - stdin <"$1"' - "$BATS_TEST_TMPDIR/t.tar"
	expect 0 sh -c 'cat "$1" | scadm import - stdinz:2' - "$BATS_TEST_TMPDIR/t.xz"
	same "$(count "$layers")" 1
	same "$(layer plain:latest)" "$layers/$(sha256sum <"$BATS_TEST_TMPDIR/t.tar" | cut -c1-64)"
	same "$(cat "$(layer plain:latest).json")" "{\"size\":$(stat -c %s "$BATS_TEST_TMPDIR/t.tar")}"
	sc import "$tree" dir1
	touch -d '2001-01-01' -a "$tree/bin/one"
	cd "$BATS_TEST_TMPDIR"
	sc import tree dir2
	same "$(layer dir1:latest)" "$(layer dir2:latest)"
	same "$(count "$layers")" 2
	same "$(cat "$(layer dir1:latest)/bin/two")" one
}

@test "import: changes as docker's, and what is none is refused before anything happens" {
	sc import -c 'ENV A="it'\''s"' -c 'env PATH=/bin' -c 'ENV A=2 3' -c 'LABEL a.b/c="d e"' -c 'EXPOSE 80 53/udp' -c 'WORKDIR /w' \
		-c 'USER 7:8' -c 'STOPSIGNAL SIGINT' -c 'VOLUME /data' -c 'ENTRYPOINT ["/bin/e","$x"]' -m "don't" "$tree" c:1
	same "$(config c:1 '$.config')" '{"User":"7:8","ExposedPorts":{"53/udp":{},"80/tcp":{}},"Env":["A=2 3","PATH=/bin"],"Entrypoint":["/bin/e","$x"],"Volumes":{"/data":{}},"WorkingDir":"/w","Labels":{"a.b/c":"d e"},"StopSignal":"SIGINT"}'
	same "$(config c:1 '$.history[0].comment')" "don't"
	same "$(config c:1 '$.os') $(config c:1 '$.rootfs.type')" 'linux layers'
	sc import "$tree" c:2 --change 'CMD echo "$HOME"; exit'
	same "$(config c:2 '$.config.Cmd')" '["/bin/sh","-c","echo \"$HOME\"; exit"]'
	for change in 'CMD ["a",1]' 'CMD [oops' 'ENV' 'ENV x' 'ENV =y' 'EXPOSE 0' 'EXPOSE 65536' 'EXPOSE 8x' 'EXPOSE 99999999999999999999' 'WORKDIR w' 'RUN x' 'CMD' ''; do
		sc 125 import -c "$change" "$tree" c:3
	done
	same "$(count "$images")" 2
}

@test "S15: what is no image name is refused, and nothing is touched" {
	sc import "$tree" keep
	for name in '' . .. '*' % _ / ../x A a//b a/ /a a: :b a:b:c a__ -a a-. 'a b' 'a;b' "$(printf 'a\nb')" "$(printf 'x%.0s' {1..300})" \
		"$(printf 'f%.0s' {1..64})" a/b:-c 'a@sha256:0'; do
		sc 125 import "$tree" "$name"
		sc 125 rmi "$name"
		sc 125 rmi -f "$name"
	done
	same "$(names)" keep:latest
	[ -e "$(layer keep:latest)/bin/one" ]
	for name in a a.b a_b a__b a---b reg.io:5000/x/y:V1.2_3 0 x/y/z; do
		sc import "$tree" "$name"
		sc rmi "$name"
	done
}

@test "import: a name that is there is replaced, and its layer goes unless another image has it" {
	sc import "$tree" a
	sc import "$tree" b
	old=$(layer a:latest)
	echo two >"$tree/bin/two"
	sc import "$tree" a
	[ -d "$old" ]
	sc import "$tree" b
	[ ! -e "$old" ]
	same "$(count "$layers")" 1
	sc rmi a
	same "$(count "$layers")" 1
	[ -e "$(layer b:latest)/bin/two" ]
}

@test "images: a table, ids, json; a damaged file hurts only itself" {
	sc images
	same "$output" 'REPOSITORY   TAG   IMAGE ID   CREATED   SIZE'
	sc import "$tree" reg.io:5000/a/b:t1
	sc import "$tree" zz
	sc images
	like "$output" 'REPOSITORY *TAG *IMAGE ID *CREATED *SIZE*reg.io:5000/a/b *t1 *'
	sc images -q --no-trunc zz
	same "$output" "sha256:$(sha256sum <"$images/zz:latest.json" | cut -c1-64)"
	sc images --format json zz
	same "$(sqlite3 :memory: "SELECT json_extract('$output', '\$.Repository') || json_extract('$output', '\$.Tag')")" zzlatest
	echo '{"cut' >"$images/bad'one:latest.json"
	echo '{"cut' >"$images/bad:latest.json"
	sc images
	like "$output" '*bad *latest*damaged*'
	like "$output" '*zz *latest*'
	sc rmi bad
	rm "$images/bad'one:latest.json"
	sc 125 images --format '{{.Nope}}'
	sc 125 images a b
}

@test "rmi: by id, by a prefix of it, several at once, all or none" {
	sc import "$tree" a
	id=${output#sha256:}
	cp "$images/a:latest.json" "$images/b:latest.json"
	sc 125 rmi "${id:0:12}"
	like "$stderr" '*several names*a:latest*b:latest*'
	sc 125 rmi a nosuch
	like "$stderr" "*no image 'nosuch'*"
	same "$(count "$images")" 2
	sc rmi -f "$id"
	same "$output" "Untagged: a:latest
Untagged: b:latest
Deleted: sha256:$id"
	same "$(count "$layers")" 0
	sc 125 rmi "$id"
	sc 125 rmi
}

@test "S27: rmi refuses an image that a container uses; with -f the container keeps its layer" {
	sc import "$tree" a
	record=/var/lib/scadm/containers/c1 root=$(layer a:latest)
	mkdir "$record"
	echo '{"Image":"a:latest"}' >"$record/config.json"
	echo "overlay / overlay lowerdir=$root 0 0" >"$record/fstab"
	sc 125 rmi a
	like "$stderr" "*used by the container 'c1'*"
	sc rmi -f a
	[ -e "$root/bin/one" ]
	rm -r "$record"
	scadm-layer prune "$layers"
	[ ! -e "$root" ]
}

@test "layer: what cannot be read keeps every layer, and garbage does as well" {
	sc import "$tree" a
	root=$(layer a:latest)
	mv "$images/a:latest.json" "$BATS_TEST_TMPDIR/kept"
	# a digest in a file that is no JSON is a digest
	sed 's/^.//' "$BATS_TEST_TMPDIR/kept" >"$images/a:latest.json"
	scadm-layer prune "$layers"
	[ -d "$root" ]
	# a directory at its place is what cannot be read as a file
	rm "$images/a:latest.json"
	mkdir "$images/a:latest.json"
	expect 125 scadm-layer prune "$layers"
	[ -d "$root" ]
	rmdir "$images/a:latest.json"
	expect 0 scadm-layer prune "$layers"
	[ ! -e "$root" ]
	expect 125 scadm-layer add "$layers"
	sc layer --help
}

@test "the plan of import, image-build and rmi makes the same world" {
	printf '#!/bin/sh -e\necho x >"$1/x"\ntouch -d @1 "$1/x" "$1"\n' >"$BATS_TEST_TMPDIR/r.sh"
	chmod +x "$BATS_TEST_TMPDIR/r.sh"
	sc import "$tree" a
	sc image-build "$BATS_TEST_TMPDIR/r.sh"
	world --normal >"$BATS_TEST_TMPDIR/by-verb"
	sc -n rmi a r
	world --normal | diff "$BATS_TEST_TMPDIR/by-verb" -
	expect 0 sh -ec "$output"
	cmp "$BATS_TEST_TMPDIR/world.before" <(world)
	sc -n import "$tree" a
	cmp "$BATS_TEST_TMPDIR/world.before" <(world)
	expect 0 sh -ec "$output"
	sc -n image-build "$BATS_TEST_TMPDIR/r.sh"
	expect 0 sh -ec "$output"
	world --normal | diff "$BATS_TEST_TMPDIR/by-verb" -
	expect 125 sh -c 'scadm -n import - x </dev/null'
	like "$stderr" '*save it to a file*'
}

@test "the plan of import does not take an archive that changed since" {
	sc -n import "$tree" a
	echo more >"$tree/more"
	plan=$output
	expect 125 sh -ec "$plan"
	like "$stderr" '*changed while it was read*'
	sc gc
	same "$(count "$images") $(count "$layers") $(count "$imports")" '0 0 0'
}

@test "S20: kill -9 after each step of import, then gc: a whole image or nothing" {
	sc -n import "$tree" a
	printf '%s\n' "$output" >"$BATS_TEST_TMPDIR/plan"
	steps=$(wc -l <"$BATS_TEST_TMPDIR/plan")
	[ "$steps" -gt 12 ]
	for step in $(seq 5 "$steps"); do
		{ head -n "$step" "$BATS_TEST_TMPDIR/plan" && echo 'kill -9 $$'; } >"$BATS_TEST_TMPDIR/part"
		expect 137 sh -e "$BATS_TEST_TMPDIR/part"
		sc gc
		same "$(count "$imports") $(count /run/container/.owners)" '0 0'
		if [ -e "$images/a:latest.json" ]; then
			[ -e "$(layer a:latest)/bin/one" ]
			sc rmi a
		fi
		same "$step: $(count "$images") $(count "$layers")" "$step: 0 0"
	done
}

@test "S20: kill -9 of an import that unpacks ends its processes, and gc leaves nothing" {
	mkfifo "$BATS_TEST_TMPDIR/pipe"
	scadm import - a <"$BATS_TEST_TMPDIR/pipe" >/dev/null 2>&1 3>&- &
	pid=$!
	exec 5>"$BATS_TEST_TMPDIR/pipe"
	dd if=/dev/zero bs=1M count=3 2>/dev/null | tar -C "$tree" -cf - . >&5
	wait_until 20 pgrep -x bsdtar
	kill -9 "$pid"
	wait "$pid" || true
	wait_until 20 sh -c '! pgrep -x bsdtar'
	exec 5>&-
	sc gc
	same "$(count "$images") $(count "$layers") $(count "$imports")" '0 0 0'
}

@test "import: SIGTERM unwinds" {
	mkfifo "$BATS_TEST_TMPDIR/pipe"
	scadm import - a <"$BATS_TEST_TMPDIR/pipe" >/dev/null 2>&1 3>&- &
	pid=$!
	exec 5>"$BATS_TEST_TMPDIR/pipe"
	tar -C "$tree" -cf - . >&5
	wait_until 20 pgrep -x bsdtar
	kill -TERM "$pid"
	exec 5>&-
	code=0
	wait "$pid" || code=$?
	same "$code" 143
	same "$(count "$images") $(count "$layers") $(count "$imports")" '0 0 0'
}

@test "import: eight at once, of one tree, and rmi beside them" {
	for n in 1 2 3 4 5 6 7 8; do
		scadm import "$tree" "n$n" >/dev/null 2>>"$BATS_TEST_TMPDIR/errors" 3>&- &
	done
	wait
	for n in 1 2 3 4 5 6 7; do
		scadm rmi "n$n" >/dev/null 2>>"$BATS_TEST_TMPDIR/errors" 3>&- &
		scadm import "$tree" "m$n" >/dev/null 2>>"$BATS_TEST_TMPDIR/errors" 3>&- &
	done
	wait
	same "$(cat "$BATS_TEST_TMPDIR/errors")" ''
	same "$(count "$images") $(count "$layers") $(count "$imports")" '8 1 0'
	[ -e "$(layer n8:latest)/bin/one" ]
}

@test "S23: a full disk fails with a message and leaves nothing" {
	mount -t tmpfs -o size=1m,mode=700 tmpfs "$BATS_TEST_TMPDIR/small" 2>/dev/null ||
		{ mkdir "$BATS_TEST_TMPDIR/small" && mount -t tmpfs -o size=1m,mode=700 tmpfs "$BATS_TEST_TMPDIR/small"; }
	dd if=/dev/zero of="$tree/big" bs=1M count=4 2>/dev/null
	SC_ROOT=$BATS_TEST_TMPDIR/small/lib SC_RUN=$BATS_TEST_TMPDIR/small/run sc 125 import "$tree" a
	like "$stderr" '*No space left on device*'
	same "$(find "$BATS_TEST_TMPDIR"/small/lib -mindepth 2 ! -path '*/blobs/sha256')" ''
	umount "$BATS_TEST_TMPDIR/small"
}

@test "S24: nobody else can look into the state, whatever the umask" {
	(umask 000 && scadm import "$tree" a >/dev/null 3>&-)
	same "$(stat -c %a /var/lib/scadm "$images" "$layers" "$imports")" "700
700
700
700"
	same "$(stat -c %a "$(layer a:latest)" "$images/a:latest.json")" "755
644"
	run setpriv --reuid=1000 --regid=1000 --clear-groups ls "$layers"
	[ "$status" -ne 0 ]
	(umask 077 && scadm import "$tree" a >/dev/null 3>&-)
	same "$(stat -c %a "$(layer a:latest)")" 755
}
