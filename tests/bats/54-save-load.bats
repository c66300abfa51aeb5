#!/usr/bin/env bats
# save and load: archives of docker and podman, OCI layouts, and those that somebody tampered with

# bats sets stderr
# shellcheck disable=SC2154

load helpers
load ready

layout=$SHARED/busybox-oci/musl
config=sha256:654fc8fd836e35f4a64586bddf8f59b9029b48cf80f520834c6c98ca8ab5def9
manifest=a34ce92094b7b100a98fbd21411a92825f6827b1bc5f6918c253516c90556998
blob=5c3b447848a98e48dce106cb3e6acbd4fb6f9b26ee778798137349ce01f4d3c1
diff_id=0f8918d0fe4f272ce8acece89916a9ba0b240584d3c1dd1943f343f69b0d0ffb
image=busybox:1.38.0-musl

setup() {
	requires shared
	# the first load makes it: not to be seen as a leak
	mkdir -p /var/lib/scadm/blobs/sha256
	sc_setup
	cd "$BATS_TEST_TMPDIR" || return 1
}

teardown() {
	# one that failed must not make the others fail
	if [ -z "${BATS_TEST_COMPLETED:-}" ]; then
		umount "$BATS_TEST_TMPDIR/small" "$BATS_TEST_TMPDIR/merged" 2>/dev/null || :
		scadm images --format json | sed 's/.*"Repository":"\([^"]*\)","Tag":"\([^"]*\)".*/\1:\2/' | grep -vx busybox:latest |
			xargs -r scadm rmi -f 3>&- || :
	fi
	sc_teardown
}

# podman_here ARG... - podman with all that is its own in the directory of the test
podman_here() {
	podman --root "$PWD/p/root" --runroot "$PWD/p/run" --tmpdir "$PWD/p/tmp" --storage-driver vfs --cgroup-manager cgroupfs \
		--events-backend file --runtime runc "$@"
}

# copy - a layout that can be written to
copy() {
	rm -rf "$BATS_TEST_TMPDIR/copy"
	cp -r "$layout" "$BATS_TEST_TMPDIR/copy"
	chmod -R u+w "$BATS_TEST_TMPDIR/copy"
	cd "$BATS_TEST_TMPDIR/copy" || return 1
}

# add_blob FILE - put a file where its digest says, print the digest's digits
add_blob() {
	local sum
	sum=$(sha256sum <"$1" | cut -c1-64)
	cp "$1" "blobs/sha256/$sum"
	echo "$sum"
}

# new_manifest SED - change the manifest with SED, and the index to have the changed one
new_manifest() {
	local sum
	sed "$1" "blobs/sha256/$manifest" >m.json
	sum=$(add_blob m.json)
	sed -i "s/$manifest/$sum/" index.json
}

# many_layers DIR [gzip] - an OCI layout of three layers: files, whiteouts and an opaque directory; one by zstd unless told
many_layers() {
	local n=0 layers='' ids='' sum
	mkdir -p "$1/blobs/sha256" l1/d l1/e l2/d l3/e
	echo one >l1/d/one && echo gone >l1/d/gone && echo below >l1/e/below
	: >l2/d/.wh.gone && echo two >l2/d/two && chmod 4755 l2/d/two
	: >l3/e/.wh..wh..opq && echo three >l3/e/three
	cd "$1" || return 1
	for n in 1 2 3; do
		sum=''
		tar -C "../l$n" -cf layer --sort=name .
		ids="$ids${ids:+,}\"sha256:$(sha256sum <layer | cut -c1-64)\""
		case $n in
		1) gzip -n layer && mv layer.gz layer && sum=+gzip ;;
		2) [ "${2-}" ] || { zstd -q --rm layer && mv layer.zst layer && sum=+zstd; } ;;
		esac
		layers="$layers${layers:+,}{\"mediaType\":\"application/vnd.oci.image.layer.v1.tar$sum\",\"digest\":\"sha256:$(add_blob layer)\",\"size\":$(stat -c %s layer)}"
	done
	printf '{"architecture":"amd64","os":"linux","config":{"Cmd":["/bin/sh"]},"rootfs":{"type":"layers","diff_ids":[%s]}}' "$ids" >config
	printf '{"schemaVersion":2,"config":{"mediaType":"application/vnd.oci.image.config.v1+json","digest":"sha256:%s","size":%s},"layers":[%s]}' \
		"$(add_blob config)" "$(stat -c %s config)" "$layers" >manifest
	printf '{"schemaVersion":2,"manifests":[{"mediaType":"application/vnd.oci.image.manifest.v1+json","digest":"sha256:%s","size":%s,"annotations":{"org.opencontainers.image.ref.name":"many/layers:1"}}]}' \
		"$(add_blob manifest)" "$(stat -c %s manifest)" >index.json
	echo '{"imageLayoutVersion":"1.0.0"}' >oci-layout
	rm layer config manifest
	cd .. || return 1
}

@test "load: an OCI layout; the config is kept byte for byte, so the id is that of its digest" {
	sc load -i "$layout"
	same "$output" "Loaded image: $image"
	cmp "/var/lib/scadm/images/$image.json" "$layout/blobs/sha256/${config#sha256:}"
	cmp "/var/lib/scadm/blobs/sha256/$blob" "$layout/blobs/sha256/$blob"
	same "$(cat "/var/lib/scadm/layers/$diff_id.json")" \
		"{\"size\":1761280,\"blob\":\"sha256:$blob\",\"blobSize\":886160,\"mediaType\":\"application/vnd.oci.image.layer.v1.tar+gzip\"}"
	sc run --rm --net=none "$image" busybox echo it runs
	same "$output" 'it runs'
	sc load -q -i "$layout"
	same "$output" "$config"
	sc load -i "$layout" --name other
	same "$output" 'Loaded image: other:latest'
	sc rmi "$image" other
}

@test "load: archives from a file and from stdin, plain, gzip, xz and zstd" {
	local file
	tar -C "$layout" -cf oci.tar .
	gzip -k oci.tar && xz -k oci.tar && zstd -q oci.tar
	for file in oci.tar oci.tar.gz oci.tar.xz oci.tar.zst; do
		sc load -i "$file"
		same "$output" "Loaded image: $image"
		sc rmi "$image"
		expect 0 sh -c "scadm load <$file"
		same "$output" "Loaded image: $image"
		sc rmi "$image"
	done
}

@test "save: the same bytes again, by the same digests, and skopeo reads it as docker-archive and as oci-archive" {
	requires skopeo
	sc load -i "$layout"
	sc save -o one.tar "$image"
	expect 0 sh -c "scadm save $image >two.tar"
	cmp one.tar two.tar
	expect 0 skopeo inspect --raw --config oci-archive:one.tar
	same "sha256:$(printf '%s\n' "$output" | sha256sum | cut -c1-64)" "$config"
	expect 0 skopeo inspect oci-archive:one.tar
	like "$output" "*\"sha256:$blob\"*"
	expect 0 skopeo inspect "docker-archive:one.tar:$image"
	like "$output" "*\"sha256:$diff_id\"*"
	sc rmi "$image"
	sc load -i one.tar
	same "$output" "Loaded image: $image"
	sc save -o three.tar "$image"
	cmp one.tar three.tar
	sc rmi "$image"
}

@test "save: an OCI directory, and an archive without manifest.json" {
	requires skopeo
	sc load -i "$layout"
	sc save --format oci-dir -o dir "$image"
	expect 0 skopeo inspect oci:dir
	[ ! -e dir/manifest.json ]
	sc save --format oci-archive -o oci.tar "$image"
	expect 2 tar -tf oci.tar ./manifest.json
	expect 0 tar -tf oci.tar ./oci-layout
	sc 125 save --format oci-dir -o dir "$image"
	like "$stderr" '*is a directory that is there already*'
	sc 125 save --format oci-dir "$image"
	like "$stderr" '*needs -o*'
	sc 125 save --format zip "$image"
	like "$stderr" '*docker-archive, oci-archive or oci-dir*'
	sc 125 save -o /nosuch/x.tar "$image"
	like "$stderr" '*no directory /nosuch*'
	sc 125 save -o /dev/null "$image"
	like "$stderr" '*no regular file*'
	[ -c /dev/null ]
	sc 125 save nosuch
	like "$stderr" "*there is no image 'nosuch'*"
	sc rmi "$image"
}

@test "save and load: several images in one archive, with all their names, each layer once" {
	sc load -i "$layout"
	sc load -i "$layout" --name second/name:2
	many_layers many
	sc load -i many
	sc save -o all.tar "$image" second/name:2 many/layers:1
	same "$(tar -tf all.tar | grep -c 'sha256/.')" 8
	sc rmi "$image" second/name:2 many/layers:1
	sc load -i all.tar
	same "$output" "Loaded image: $image
Loaded image: second/name:2
Loaded image: many/layers:1"
	sc 125 load -i all.tar --name one
	like "$stderr" "*several images: 'one:latest' cannot be the name of all*"
	sc rmi "$image" second/name:2 many/layers:1
}

@test "load: many layers: the merged tree is what umoci unpacks" {
	requires umoci
	many_layers many gzip
	sc load -i many
	expect 0 umoci unpack --image many:many/layers:1 unpacked
	mkdir merged
	mount -t overlay -o "ro,lowerdir=$(sqlite3 :memory: "SELECT group_concat('/var/lib/scadm/layers/' || substr(value, 8), ':')
		FROM (SELECT value FROM json_each(readfile('/var/lib/scadm/images/many%layers:1.json'), '\$.rootfs.diff_ids') ORDER BY key DESC)")" overlay merged
	(cd merged && find . -mindepth 1 -printf '%P %y %m %U %G %s %T@ %l\n' | sed '/ d /s/ [0-9]* \([0-9.]* \)$/ \1/' | sort) >merged.list
	(cd unpacked/rootfs && find . -mindepth 1 -printf '%P %y %m %U %G %s %T@ %l\n' | sed '/ d /s/ [0-9]* \([0-9.]* \)$/ \1/' | sort) >unpacked.list
	umount merged
	same "$(cat merged.list)" "$(cat unpacked.list)"
	like "$(cat merged.list)" 'd d *d/one*d/two f 4755*e/three*'
	sc rmi many/layers:1
}

@test "save: an image saved here is loaded by podman, with the same id, and runs there" {
	requires podman runc
	mkdir p
	sc load -i "$layout"
	sc save -o docker.tar "$image"
	sc save --format oci-archive -o oci.tar "$image"
	for file in docker.tar oci.tar; do
		expect 0 podman_here load -i "$file"
		like "$output" "*Loaded image: docker.io/library/$image*"
		expect 0 podman_here images --no-trunc -q
		same "$output" "$config"
		expect 0 podman_here run --rm --network=none "$image" busybox echo from podman
		same "$output" 'from podman'
		expect 0 podman_here save -o "podman-$file" "$image"
		expect 0 podman_here save --format oci-archive -o "podman-oci-$file" "$image"
		expect 0 podman_here rmi -a -f
	done
	sc rmi "$image"
	for file in podman-docker.tar podman-oci-docker.tar podman-oci.tar podman-oci-oci.tar; do
		sc load -i "$file"
		same "$output" "Loaded image: $image"
		same "$(sha256sum <"/var/lib/scadm/images/$image.json")" "${config#sha256:}  -"
		sc run --rm --net=none "$image" busybox echo from scadm
		same "$output" 'from scadm'
		sc rmi "$image"
	done
	# podman's own process that cleans up may be in one for a moment more
	wait_until 30 sh -c "find /sys/fs/cgroup -depth -type d -path '*/libpod_parent*' -exec rmdir {} \;; ! find /sys/fs/cgroup -type d -path '*/libpod_parent*' | grep -q ."
}

@test "save: what was imported is packed again, and loads to the same tree" {
	mkdir -p tree/bin tree/etc
	echo word >tree/etc/word
	chmod 4755 tree/bin
	ln -s ../etc/word tree/bin/link
	sc import tree plain
	sc save -o plain.tar plain
	sc rmi plain
	sc load -i plain.tar
	same "$output" 'Loaded image: plain:latest'
	cd /var/lib/scadm/layers || return 1
	hex=$(sqlite3 :memory: "SELECT substr(json_extract(readfile('/var/lib/scadm/images/plain:latest.json'), '\$.rootfs.diff_ids[0]'), 8)")
	same "$(cat "$hex/etc/word") $(readlink "$hex/bin/link") $(stat -c %a "$hex/bin")" 'word ../etc/word 4755'
	cd "$BATS_TEST_TMPDIR" || return 1
	sc rmi plain
}

@test "S3: a layout with a changed blob, config, manifest or diff_id is refused and leaves nothing" {
	copy
	printf x >>"blobs/sha256/$blob"
	sc 125 load -i .
	like "$stderr" "*the layer sha256:$blob is not what its digest says*"
	copy
	sed -i 's/musl/glib/' "blobs/sha256/${config#sha256:}"
	sc 125 load -i .
	like "$stderr" "*the config $config is not what its digest says*"
	copy
	printf ' ' >>"blobs/sha256/$manifest"
	sc 125 load -i .
	like "$stderr" "*the manifest sha256:$manifest is not what its digest says*"
	# all digests are right, but the config names another layer
	copy
	sed "s/$diff_id/$(printf '%064d' 0)/" "blobs/sha256/${config#sha256:}" >c.json
	new_manifest "s/${config#sha256:}/$(add_blob c.json)/"
	sc 125 load -i .
	like "$stderr" '*is not the layer it should be*'
	# no such file
	copy
	rm "blobs/sha256/$blob"
	sc 125 load -i .
	like "$stderr" "*cannot read*$blob*"
	same "$(find /var/lib/scadm/images /var/lib/scadm/blobs /var/lib/scadm/imports -type f ! -name 'busybox:latest.json')" ''
}

@test "S3: a layout whose JSON is hostile: other digests, types, numbers of layers, both kinds in one" {
	local bad
	copy
	sed -i 's/"sha256:[0-9a-f]*"/"sha256:..\/..\/..\/etc\/passwd"/' index.json
	sc 125 load -i .
	like "$stderr" '*which is no sha256*'
	copy
	sed -i 's/"sha256:[0-9a-f]*"/"a\\nb c"/' index.json
	sc 125 load -i .
	like "$stderr" '*which is no sha256*'
	copy
	echo '{"manifests":' >index.json
	sc 125 load -i .
	like "$stderr" '*index.json cannot be read*'
	copy
	echo '{"manifests":[]}' >index.json
	sc 125 load -i .
	like "$stderr" '*index.json names no image*'
	for bad in 's/layer.v1.tar+gzip/layer.nondistributable.v1.tar+gzip/:*not distributed with the image*' 's/tar+gzip/tar+rot13/:*of the type*nobody here can read*' \
		's/image.config/helm.config/:*not that of an image*' 's/"layers": \[/"manifests": [], &/:*neither that of an image nor*' \
		's/"digest": "sha256:5c/"digest": "sha512:5c/:*no sha256*'; do
		copy
		new_manifest "${bad%%:\**}"
		sc 125 load -i .
		like "$stderr" "${bad##*:}"
	done
	copy
	sed 's/"diff_ids": \[/&"sha256:'"$diff_id"'",/' "blobs/sha256/${config#sha256:}" >c.json
	new_manifest "s/${config#sha256:}/$(add_blob c.json)/"
	sc 125 load -i .
	like "$stderr" '*fewer layers than its config names*'
	copy
	sed 's/"os": "linux"/"os": "windows"/' "blobs/sha256/${config#sha256:}" >c.json
	new_manifest "s/${config#sha256:}/$(add_blob c.json)/"
	sc 125 load -i .
	like "$stderr" "*for the operating system 'windows'*"
}

@test "S3: links, fifos and paths in an archive lead nowhere" {
	copy
	rm "blobs/sha256/$blob"
	ln -s /etc/shadow "blobs/sha256/$blob"
	tar -cf ../link.tar .
	sc 125 load -i ../link.tar
	like "$stderr" '*made of directories and files*'
	sc 125 load -i .
	like "$stderr" '*made of directories and files*'
	rm "blobs/sha256/$blob"
	mkfifo "blobs/sha256/$blob"
	tar -cf ../fifo.tar .
	sc 125 load -i ../fifo.tar
	like "$stderr" '*made of directories and files*'
	# docker save: paths in manifest.json
	cd "$BATS_TEST_TMPDIR"
	mkdir d
	for path in ../../../etc/passwd /etc/passwd a/../../x ''; do
		printf '[{"Config":"%s","RepoTags":["x:1"],"Layers":["l.tar"]}]' "$path" >d/manifest.json
		: >d/l.tar
		tar -C d -cf d.tar .
		sc 125 load -i d.tar
		like "$stderr" '*manifest.json names the file*'
	done
	mkdir "d/$diff_id"
	ln -s ../../../../etc/passwd "d/$diff_id/layer.tar"
	tar -C d -cf d.tar .
	sc 125 load -i d.tar
	like "$stderr" '*made of directories and files*'
	# a line break in the target of a link makes a line about another one, below a link to the outside
	rm -r d && mkdir -p "d/$(printf '%064d' 1)" "d/$(printf '%064d' 2)" /var/lib/scadm/outside
	echo x >"d/$(printf '%064d' 2)/layer.tar"
	ln -s /var/lib/scadm/outside "d/$(printf '%064d' 3)"
	ln -s "../$(printf '%064d' 2)/layer.tar
$(printf '%064d' 3)/layer.tar ../$(printf '%064d' 2)/layer.tar" "d/$(printf '%064d' 1)/layer.tar"
	tar -C d -cf d.tar .
	sc 125 load -i d.tar
	like "$stderr" '*made of directories and files*'
	rmdir /var/lib/scadm/outside
	same "$(find /var/lib/scadm/imports -mindepth 1)" ''
}

@test "load: docker save of old has links between equal layers, and a config that must be as its name says" {
	mkdir d
	tar -C "$layout" -cf /dev/null .
	gzip -dc <"$layout/blobs/sha256/$blob" >layer
	a=$(printf '%064d' 1) b=$(printf '%064d' 2)
	mkdir "d/$a" "d/$b"
	mv layer "d/$a/layer.tar"
	ln -s "../$a/layer.tar" "d/$b/layer.tar"
	sed "s/\"sha256:$diff_id\"/&,&/" "$layout/blobs/sha256/${config#sha256:}" >c
	id=$(sha256sum <c | cut -c1-64)
	cp c "d/$id.json"
	echo "[{\"Config\":\"$id.json\",\"RepoTags\":[\"old:1\",\"old:2\"],\"Layers\":[\"$a/layer.tar\",\"$b/layer.tar\"]}]" >d/manifest.json
	tar -C d -cf d.tar .
	sc load -i d.tar
	same "$output" 'Loaded image: old:1
Loaded image: old:2'
	sc run --rm --net=none old:2 busybox echo twice
	same "$output" twice
	sc rmi old:1 old:2
	echo >>"d/$id.json"
	tar -C d -cf d.tar .
	sc 125 load -i d.tar
	like "$stderr" '*is not what its name says*'
}

@test "load: no name, no image, no archive, no file: what to do is said" {
	copy
	sed -i '/image.name/d; s/"busybox:1.38.0-musl",*/"latest"/' index.json
	sc 125 load -i .
	like "$stderr" "*the image $config has no name: give it one with --name*"
	sc load -i . --name mine
	same "$output" 'Loaded image: mine:latest'
	sc rmi mine
	cd "$BATS_TEST_TMPDIR"
	mkdir empty && : >empty/x
	sc 125 load -i empty
	like "$stderr" "*neither manifest.json*'scadm import'*"
	echo text >text
	sc 125 load -i text
	like "$stderr" '*no tar archive*'
	tar -C "$layout" -czf whole.tar.gz .
	head -c 300000 whole.tar.gz >half.tar.gz
	sc 125 load -i half.tar.gz
	like "$stderr" '*nothing was taken from*'
	sc 125 load -i nosuch
	like "$stderr" '*no such file or directory*'
	sc 125 load -i whole.tar.gz --name 'B@D'
	like "$stderr" '*no image name*'
	sc 125 load word
	like "$stderr" "*unexpected 'word'*"
}

@test "load: of an image for many machines the fitting one, or the one that is asked for" {
	sed 's/amd64/arm64/' "$layout/blobs/sha256/${config#sha256:}" >arm.json
	copy
	arm=$(add_blob ../arm.json)
	sed "s/${config#sha256:}/$arm/" "blobs/sha256/$manifest" >m.json
	arm_manifest=$(add_blob m.json)
	printf '{"schemaVersion":2,"manifests":[{"digest":"sha256:%s","platform":{"os":"linux","architecture":"arm64","variant":"v8"}},{"digest":"sha256:%s","platform":{"os":"linux","architecture":"amd64"}},{"digest":"sha256:%s","platform":{"os":"unknown","architecture":"unknown"}}]}' \
		"$arm_manifest" "$manifest" "$(printf '%064d' 0)" >list.json
	list=$(add_blob list.json)
	printf '{"manifests":[{"digest":"sha256:%s","annotations":{"org.opencontainers.image.ref.name":"multi:1"}}]}' "$list" >index.json
	sc load -q -i . --platform linux/amd64
	same "$output" "$config"
	sc load -q -i . --platform linux/arm64
	same "$output" "sha256:$arm"
	sc 125 load -q -i . --platform linux/s390x
	like "$stderr" '*has no image for linux/s390x*--platform*'
	sc 125 load -q -i . --platform windows
	like "$stderr" '*--platform is linux/ARCH*'
	sc rmi multi:1
}

@test "S23: a disk that fills during load or save: a clear error, nothing is left" {
	local small=$PWD/small
	mkdir small
	mount -t tmpfs -o size=1500k tmpfs small
	SC_ROOT=$small/root SC_RUN=$PWD/run sc 125 load -i "$layout"
	like "$stderr" '*failed*'
	same "$(find small/root/images small/root/layers small/root/blobs small/root/imports -mindepth 1 ! -path '*/blobs/sha256')" ''
	umount small
	sc load -i "$layout"
	mount -t tmpfs -o size=500k tmpfs small
	sc 125 save -o small/x.tar "$image"
	like "$stderr" '*failed*tar*is the disk full?*'
	same "$(find small -mindepth 1)" ''
	umount small
	sc rmi "$image"
}

@test "S20: load killed at any moment: after gc nothing is left" {
	local step pid
	tar -C "$layout" -cf oci.tar .
	for step in archive archive/blobs keep tree; do
		# in a session of its own: all that it starts can be found by that
		setsid scadm load -i oci.tar >/dev/null 2>&1 3>&- &
		pid=$!
		while [ -e "/proc/$pid/exe" ] && ! compgen -G "/var/lib/scadm/imports/*/$step" >/dev/null; do :; done
		kill -9 "$pid" 2>/dev/null || :
		wait "$pid" || :
		wait_until 30 sh -c "! pgrep -s $pid"
		sc gc
		[ ! -e "/var/lib/scadm/images/$image.json" ] || sc rmi "$image"
		same "$(find /var/lib/scadm/imports /var/lib/scadm/blobs -mindepth 1 ! -name sha256)" ''
		[ ! -e "/var/lib/scadm/layers/$diff_id" ]
	done
}

@test "plan: load and save print what sh runs, and the world is the same as after the verbs" {
	sc load -i "$layout"
	world --normal >verb
	sc rmi "$image"
	scadm -n load -i "$layout" >plan
	expect 0 sh -e plan
	world --normal >planned
	same "$(cat planned)" "$(cat verb)"
	sc save -o verb.tar "$image"
	scadm -n save -o plan.tar "$image" >plan
	expect 0 sh -e plan
	cmp verb.tar plan.tar
	scadm -n save "$image" >plan
	sh -e plan >stdout.tar
	cmp verb.tar stdout.tar
	expect 125 sh -c 'scadm -n load <verb.tar'
	like "$stderr" '*a plan cannot keep what comes on stdin*'
	sc rmi "$image"
}

@test "store: only the record of an import is taken, and a layout stands by itself" {
	sc 125 store
	like "$stderr" '*add or layout*'
	mkdir -p rec/archive
	sc 125 store add "$PWD/rec"
	like "$stderr" '*is no record of an import*'
	sc 125 store add "$PWD/nosuch"
	like "$stderr" '*there is no*'
	sc 125 store layout "$PWD/rec"
	like "$stderr" '*give a directory and an image*'
	sc 125 store layout "$PWD/rec" nosuch
	like "$stderr" "*there is no image 'nosuch'*"
	sc 125 -n store layout "$PWD/rec" busybox
	like "$stderr" '*depends on what it finds*'
	mkdir -p lay
	sc store layout "$PWD/lay" busybox
	same "$(cat lay/oci-layout)" '{"imageLayoutVersion":"1.0.0"}'
}

# new_config SED - change the config with SED, and manifest and index to have the changed one
new_config() {
	sed "$1" "blobs/sha256/${config#sha256:}" >c.json
	new_manifest "s/${config#sha256:}/$(add_blob c.json)/"
}

@test "S3: a config with a value of the wrong type is refused, null is as good as nothing" {
	local bad
	for bad in '"ExposedPorts":[]' '"Labels":"x"' '"Labels":["x"]' '"Volumes":1' '"Healthcheck":"x"' '"Entrypoint":"sh"' '"Cmd":{"a":"b"}' \
		'"Cmd":["sh",1]' '"Env":[null]' '"Env":"A=b"' '"User":0' '"WorkingDir":["/"]' '"StopSignal":9'; do
		copy
		new_config "s|\"config\": *{|&$bad,|"
		sc 125 load -i . --name bad
		like "$stderr" "*the config of the image is damaged: config.$(expr "$bad" : '"\([A-Za-z]*\)')*"
	done
	copy
	new_config 's/"config": *{/"config":[],"config2":{/'
	sc 125 load -i . --name bad
	like "$stderr" '*damaged: config is not*'
	copy
	new_config 's/"config": *{/&"Labels":null,"ExposedPorts":null,"Volumes":null,"Healthcheck":null,"User":null,"StopSignal":null,/'
	sc load -i . --name good
	sc rmi good
}

@test "S3: no archive gives an image the id of another as its name" {
	local name id
	sc load -i "$layout" --name trusted
	name=${config/sha256:/sha256:}
	mkdir evil
	for n in 1 2; do
		copy
		if [ "$n" = 1 ]; then
			sed -i "s|\"io.containerd.image.name\": *\"[^\"]*\"|\"io.containerd.image.name\": \"$name\"|" index.json
		else
			sed -i "s|\"io.containerd.image.name\": *\"[^\"]*\"|\"io.containerd.image.name\": \"docker.io/library/$name\"|" index.json
		fi
		sed -i 's|"org.opencontainers.image.ref.name": *"[^"]*"|"org.opencontainers.image.ref.name": "x"|' index.json
		new_config 's/"os"/"author":"evil","os"/'
		sc 125 load -i .
		like "$stderr" '*has no name*'
	done
	sc 125 load -i . --name "$name"
	like "$stderr" '*begins the id of an image*'
	# docker save
	mkdir d
	cp "blobs/sha256/$blob" d/layer
	id=$(sha256sum <c.json | cut -c1-64)
	cp c.json "d/$id.json"
	printf '[{"Config":"%s.json","RepoTags":["%s"],"Layers":["layer"]}]' "$id" "$name" >d/manifest.json
	tar -C d -cf d.tar .
	sc 125 load -i d.tar
	like "$stderr" '*has no name*'
	same "$(ls /var/lib/scadm/images)" 'busybox:latest.json
trusted:latest.json'
	# one that is there all the same, from elsewhere
	cp c.json "/var/lib/scadm/images/$name.json"
	sc image inspect -f '{{.Id}} {{.RepoTags}}' "$name"
	same "$output" "$config [trusted:latest]"
	sc 125 image inspect "$id"
	sc rmi trusted
	sc 125 run --rm --net=none "$name" true
	like "$stderr" '*there is no image*'
	sc image prune -f
	same "$(ls /var/lib/scadm/images)" busybox:latest.json
}

@test "save and load: an image without a name has none there either" {
	local id
	sc load -i "$layout" --name a
	mv /var/lib/scadm/images/a:latest.json "/var/lib/scadm/images/$config.json"
	sc run --rm --net=none "$config" true
	sc save -o x.tar "$config"
	sc rmi "$config"
	sc load -q -i x.tar
	same "$output" "$config"
	same "$(ls /var/lib/scadm/images)" "busybox:latest.json
$config.json"
	sc rmi "$config"
}

@test "S3: a config with a NUL byte, behind which something else stands, is refused" {
	copy
	{ cat "blobs/sha256/${config#sha256:}" && printf '\0{"junk":"%s"}' "$diff_id"; } >c.json
	new_manifest "s/${config#sha256:}/$(add_blob c.json)/"
	sc 125 load -i .
	like "$stderr" '*holds a NUL byte*'
	mkdir d
	cp "blobs/sha256/$blob" d/layer
	sum=$(sha256sum <c.json | cut -c1-64)
	cp c.json "d/$sum.json"
	printf '[{"Config":"%s.json","RepoTags":["a:1"],"Layers":["layer"]}]' "$sum" >d/manifest.json
	tar -C d -cf d.tar .
	sc 125 load -i d.tar
	like "$stderr" '*holds a NUL byte*'
}

@test "S23: save says so when there is room for the layers, but not for the manifests" {
	local small=$PWD/small free
	mkdir small
	mount -t tmpfs -o size=5m tmpfs small
	# what the state and the layers need is there already; layers are links to what was kept
	SC_ROOT=$small/root SC_RUN=$PWD/run sc load -i "$layout"
	mkdir -p small/l/blobs/sha256
	dd if=/dev/zero of=small/fill bs=4k status=none 2>/dev/null || :
	# a page for the copy of the config, none for the manifest
	free=$(stat -c %s small/fill)
	truncate -s $((free - 4096)) small/fill
	SC_ROOT=$small/root SC_RUN=$PWD/run expect 125 scadm-store layout "$small/l" "$image"
	like "$stderr" '*cannot write*manifest*is the disk full?*'
	umount small
}
