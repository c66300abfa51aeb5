#!/usr/bin/env bats
# pull, push, login and logout, with Debian's docker-registry on 127.0.0.1

# bats sets stderr
# shellcheck disable=SC2154

load helpers

layout=$SHARED/busybox-oci/musl
config=sha256:654fc8fd836e35f4a64586bddf8f59b9029b48cf80f520834c6c98ca8ab5def9
blob=5c3b447848a98e48dce106cb3e6acbd4fb6f9b26ee778798137349ce01f4d3c1
diff_id=0f8918d0fe4f272ce8acece89916a9ba0b240584d3c1dd1943f343f69b0d0ffb
registry=127.0.0.1:5000
locked=127.0.0.1:5001

# serve NAME PORT [LINES] - start a registry; its log is NAME.log, its pid in NAME.pid
serve() {
	cd "$BATS_FILE_TMPDIR" || return 1
	printf 'version: 0.1\nlog: {level: info, accesslog: {disabled: false}}\nstorage: {filesystem: {rootdirectory: %s/data}}\nhttp: {addr: 127.0.0.1:%s}\n%s\n' \
		"$PWD" "$2" "${3-}" >"$1.yml"
	docker-registry serve "$1.yml" >"$1.log" 2>&1 3>&- &
	echo "$!" >"$1.pid"
	disown
	wait_until 20 grep -q "listening on" "$1.log"
}

setup_file() {
	in_sandbox
	requires shared skopeo docker-registry
	serve open 5000
	# the password is secret, by bcrypt
	# shellcheck disable=SC2016
	echo 'user:$2b$05$abcdefghijklmnopqrstuuOQiyCxlgf/oeuTqixKmWdcYUh4Hjl0a' >"$BATS_FILE_TMPDIR/htpasswd"
	serve locked 5001 "auth: {htpasswd: {realm: here, path: $BATS_FILE_TMPDIR/htpasswd}}"
	scadm load -q -i "$layout" --name base >/dev/null 3>&-
	scadm push "base" "$registry/a/base:1" >/dev/null 3>&-
	scadm run --rm --net=none base true 3>&-
	scadm rmi base 3>&-
}

teardown_file() {
	local name
	for name in open locked; do
		[ ! -e "$BATS_FILE_TMPDIR/$name.pid" ] || kill "$(cat "$BATS_FILE_TMPDIR/$name.pid")"
	done
}

setup() {
	sc_setup
	cd "$BATS_TEST_TMPDIR" || return 1
	forget
}

teardown() {
	# one that failed must not make the others fail
	if [ -z "${BATS_TEST_COMPLETED:-}" ]; then
		umount "$BATS_TEST_TMPDIR/small" 2>/dev/null || :
		rm -f /var/lib/scadm/auth.json
		scadm images --format json | sed 's/.*"Repository":"\([^"]*\)","Tag":"\([^"]*\)".*/\1:\2/' | xargs -r scadm rmi -f 3>&- || :
	fi
	sc_teardown
}

# settled - wait until the open registry has no connection: it writes down a request when it has answered it, and closes its
# end after that
settled() {
	wait_until 20 sh -c '! ss -Htn state established state close-wait "( sport = :5000 )" | grep -q .'
}

# forget - empty the log of the open registry
forget() {
	settled
	: >"$BATS_FILE_TMPDIR/open.log"
}

# fetched - what was read from the open registry since the test began, without the question whether it is one
fetched() {
	settled
	sed -n 's|.*"GET /v2/\([^ ]*\) HTTP.*|\1|p' "$BATS_FILE_TMPDIR/open.log" | grep . || :
}

# stored DIGEST - the file in which the registry has it
stored() {
	echo "$BATS_FILE_TMPDIR/data/docker/registry/v2/blobs/sha256/${1:0:2}/$1/data"
}

# nothing_left - no image, no blob, no layer, no import
nothing_left() {
	same "$(find /var/lib/scadm/images /var/lib/scadm/blobs /var/lib/scadm/layers /var/lib/scadm/imports -mindepth 1 ! -name sha256)" ''
}

@test "pull: the image is there by its own digests, and runs" {
	sc pull $registry/a/base:1
	like "$output" "Digest: sha256:????????????????????????????????????????????????????????????????
$registry/a/base:1"
	same "sha256:$(sha256sum </var/lib/scadm/images/127.0.0.1:5000%a%base:1.json | cut -c1-64)" "$config"
	cmp "/var/lib/scadm/blobs/sha256/$blob" "$layout/blobs/sha256/$blob"
	sc run --rm --net=none "$registry/a/base:1" busybox echo it runs
	same "$output" 'it runs'
	sc pull -q "$registry/a/base:1"
	same "$output" "$config"
	sc rmi "$registry/a/base:1"
	nothing_left
}

@test "push, then pull: the same id and the same digest of the manifest" {
	sc load -i "$layout" --name mine
	sc push mine $registry/b/mine:2
	like "$output" "$registry/b/mine:2: digest: sha256:*"
	digest=${output##* }
	sc rmi mine
	sc pull "$registry/b/mine:2"
	same "$output" "Digest: $digest
$registry/b/mine:2"
	sc push -q "$registry/b/mine:2"
	same "$output" "$registry/b/mine:2"
	expect 0 skopeo inspect --tls-verify=false --format '{{.Digest}}' "docker://$registry/b/mine:2"
	same "$output" "$digest"
	sc rmi "$registry/b/mine:2"
}

@test "pull: only layers that are not here are fetched" {
	# a second layer on the one of base, made by skopeo and umoci from what the registry has
	requires umoci
	skopeo copy -q "oci:$layout" oci:two:1
	umoci new --image two:empty
	mkdir -p add/etc && echo more >add/etc/more
	umoci insert --image two:1 add/etc/more /etc/more
	skopeo copy -q --dest-tls-verify=false oci:two:1 "docker://$registry/a/two:1"
	sc pull "$registry/a/base:1"
	forget
	sc pull "$registry/a/two:1"
	layers=$(fetched | grep /blobs/ | sort | uniq -c | sort -n)
	unlike "$layers" "*$blob*"
	# the config, which is asked for first, and one layer
	same "$(fetched | grep -c /blobs/)" 3
	forget
	sc pull "$registry/a/two:1"
	same "$(fetched | grep /blobs/ | sort -u | wc -l)" 1
	sc run --rm --net=none "$registry/a/two:1" busybox cat /etc/more
	same "$output" more
	sc rmi "$registry/a/two:1"
	# the other still has its layer
	sc run --rm --net=none "$registry/a/base:1" busybox echo still
	same "$output" still
	sc rmi "$registry/a/base:1"
	nothing_left
}

@test "push: what was imported is packed again; a layer that is here is not fetched back" {
	mkdir -p tree/etc
	echo word >tree/etc/word
	touch -d @1000 tree tree/etc
	sc import tree plain
	sc push plain "$registry/b/plain:1"
	same "$stderr" ''
	forget
	sc pull "$registry/b/plain:1"
	same "$(fetched | grep /blobs/ | sort -u | wc -l)" 1
	same "$(sha256sum </var/lib/scadm/images/127.0.0.1:5000%b%plain:1.json)" "$(sha256sum </var/lib/scadm/images/plain:latest.json)"
	sc rmi plain "$registry/b/plain:1"
	sc pull "$registry/b/plain:1"
	same "$(cat /var/lib/scadm/layers/*/etc/word)" word
	sc rmi "$registry/b/plain:1"
}

@test "pull: by digest; the name gets it as its tag, or the tag that stands there" {
	digest=$(skopeo inspect --tls-verify=false --format '{{.Digest}}' "docker://$registry/a/base:1")
	sc pull "$registry/a/base@$digest"
	same "$output" "Digest: $digest
$registry/a/base:sha256-${digest#sha256:}"
	sc pull "$registry/a/base:mine@$digest"
	same "$output" "Digest: $digest
$registry/a/base:mine"
	sc rmi "$registry/a/base:mine" "$registry/a/base:sha256-${digest#sha256:}"
	sc 125 pull "$registry/a/base@sha256:$(printf '%064d' 0)"
	like "$stderr" '*manifest unknown*'
	sc 125 pull "$registry/a/base@sha256:12"
	like "$stderr" '*64 hexadecimal digits*'
}

@test "pull: docker's manifest, schema 2: the id is docker's too" {
	# what docker build wrote has keys that are not OCI's: they must not be lost, or the id is another
	cp -r "$layout" docker
	chmod -R u+w docker
	cd docker
	sed 's/"architecture"/"docker_version": "20.10", "container_config": {"Hostname": "x"}, &/' "blobs/sha256/${config#sha256:}" >c.json
	sum=$(sha256sum <c.json | cut -c1-64)
	cp c.json "blobs/sha256/$sum"
	sed "s/${config#sha256:}/$sum/; s/\"size\": 462/\"size\": $(stat -c %s c.json)/" blobs/sha256/a34ce* >m.json
	cp m.json "blobs/sha256/$(sha256sum <m.json | cut -c1-64)"
	sed -i "s/a34ce92094b7b100a98fbd21411a92825f6827b1bc5f6918c253516c90556998/$(sha256sum <m.json | cut -c1-64)/; s/608/$(stat -c %s m.json)/" index.json
	skopeo copy -q --format v2s2 --dest-tls-verify=false oci:. "docker://$registry/a/docker:1"
	sc pull -q "$registry/a/docker:1"
	same "$output" "sha256:$sum"
	sc run --rm --net=none "$registry/a/docker:1" busybox echo it runs
	same "$output" 'it runs'
	sc rmi "$registry/a/docker:1"
	nothing_left
}

@test "pull --platform: of an index the one for this machine, or the one that is asked for" {
	requires umoci
	skopeo copy -q "oci:$layout" oci:multi:1
	cd multi
	sed 's/amd64/arm64/' "$layout/blobs/sha256/${config#sha256:}" >c.json
	arm=$(sha256sum <c.json | cut -c1-64)
	cp c.json "blobs/sha256/$arm"
	sed "s/${config#sha256:}/$arm/" blobs/sha256/a34ce* >m.json
	sum=$(sha256sum <m.json | cut -c1-64)
	cp m.json "blobs/sha256/$sum"
	printf '{"schemaVersion":2,"mediaType":"application/vnd.oci.image.index.v1+json","manifests":[{"mediaType":"application/vnd.oci.image.manifest.v1+json","digest":"sha256:%s","size":608,"platform":{"os":"linux","architecture":"arm64","variant":"v8"}},{"mediaType":"application/vnd.oci.image.manifest.v1+json","digest":"sha256:%s","size":608,"platform":{"os":"linux","architecture":"amd64"}}]}' \
		"$sum" a34ce92094b7b100a98fbd21411a92825f6827b1bc5f6918c253516c90556998 >list.json
	list=$(sha256sum <list.json | cut -c1-64)
	cp list.json "blobs/sha256/$list"
	printf '{"schemaVersion":2,"manifests":[{"mediaType":"application/vnd.oci.image.index.v1+json","digest":"sha256:%s","size":%s,"annotations":{"org.opencontainers.image.ref.name":"1"}}]}' \
		"$list" "$(stat -c %s list.json)" >index.json
	skopeo copy -q --all --dest-tls-verify=false oci:.:1 "docker://$registry/a/multi:1"
	sc pull --platform=linux/amd64 "$registry/a/multi:1"
	same "$output" "Digest: sha256:$list
$registry/a/multi:1"
	sc pull -q --platform=linux/arm64 "$registry/a/multi:1"
	same "$output" "sha256:$arm"
	sc 125 pull --platform=linux/s390x "$registry/a/multi:1"
	like "$stderr" '*has no image for linux/s390x*'
	sc rmi "$registry/a/multi:1"
}

@test "S3: what somebody changed in the registry is refused, and nothing is left" {
	local file digest
	skopeo copy -q --dest-tls-verify=false "oci:$layout" "docker://$registry/a/evil:1"
	digest=$(skopeo inspect --tls-verify=false --format '{{.Digest}}' "docker://$registry/a/evil:1")
	# the layer
	file=$(stored "$blob")
	cp "$file" good
	printf x | dd of="$file" bs=1 seek=5000 conv=notrunc status=none
	sc 125 pull "$registry/a/evil:1"
	like "$stderr" '*failed*skopeo*'
	cp good "$file"
	nothing_left
	# the config
	file=$(stored "${config#sha256:}")
	cp "$file" good
	sed -i 's/musl/glib/' "$file"
	sc 125 pull "$registry/a/evil:1"
	like "$stderr" '*digest*'
	cp good "$file"
	nothing_left
	# the manifest, of which a tag says nothing: it has another digest then, under which there is none
	file=$(stored "${digest#sha256:}")
	cp "$file" good
	sed -i 's/1.38.0/6.66.6/' "$file"
	sc 125 pull "$registry/a/evil:1"
	like "$stderr" '*cannot be fetched*'
	sc 125 pull "$registry/a/evil@$digest"
	like "$stderr" '*is not what its digest says*'
	cp good "$file"
	nothing_left
	# an image whose config names another layer than it has
	cp -r "$layout" lie
	chmod -R u+w lie
	cd lie
	sed "s/$diff_id/$(printf '%064d' 0)/" "blobs/sha256/${config#sha256:}" >c.json
	sum=$(sha256sum <c.json | cut -c1-64)
	cp c.json "blobs/sha256/$sum"
	sed "s/${config#sha256:}/$sum/" blobs/sha256/a34ce* >m.json
	cp m.json "blobs/sha256/$(sha256sum <m.json | cut -c1-64)"
	sed -i "s/a34ce92094b7b100a98fbd21411a92825f6827b1bc5f6918c253516c90556998/$(sha256sum <m.json | cut -c1-64)/" index.json
	skopeo copy -q --dest-tls-verify=false oci:. "docker://$registry/a/lie:1"
	sc 125 pull "$registry/a/lie:1"
	like "$stderr" '*is not the layer it should be*'
	nothing_left
}

@test "login: wrong and right passwords; without one there is a hint; the file is root's alone" {
	sc load -q -i "$layout" --name base
	sc 125 push base "$locked/a/base:1"
	like "$stderr" "*'scadm login $locked'*"
	expect 125 sh -c "echo wrong | scadm login -u user --password-stdin $locked"
	like "$stderr" '*invalid username/password*'
	[ ! -e /var/lib/scadm/auth.json ] || unlike "$(cat /var/lib/scadm/auth.json)" "*$locked*"
	expect 0 sh -c "echo secret | scadm login -u user --password-stdin $locked"
	same "$output" 'Login Succeeded!'
	same "$(stat -c '%a %U' /var/lib/scadm/auth.json)" '600 root'
	sc push base "$locked/a/base:1"
	sc pull "$locked/a/base:1"
	sc rmi "$locked/a/base:1"
	# for another registry nothing has changed
	sc pull "$registry/a/base:1"
	sc rmi "$registry/a/base:1"
	sc logout "$locked"
	sc 125 pull "$locked/a/base:1"
	like "$stderr" "*'scadm login $locked'*"
	sc 125 logout "$locked"
	like "$stderr" "*not logged in to $locked*"
	sc login -u user -p secret "$locked"
	like "$stderr" '*--password-stdin is better*'
	sc logout --all
	[ ! -e /var/lib/scadm/auth.json ]
	sc rmi base
}

@test "login: no password in a plan, in what --explain prints, or in the words of a process" {
	expect 0 sh -c "scadm -n login -u user -p secret $locked 2>/dev/null >plan"
	unlike "$(cat plan)" '*secret*'
	like "$(cat plan)" '*skopeo login*--password-stdin*'
	expect 0 sh -c 'echo secret | sh -e plan'
	sc logout "$locked"
	expect 0 sh -c "echo secret | scadm -x login -u user --password-stdin $locked"
	unlike "$stderr" '*secret*'
	requires strace
	expect 0 sh -c "echo secret | strace -f -qq -e trace=execve -s 999 -o trace scadm login -u user --password-stdin $locked"
	expect 1 grep secret trace
	expect 0 strace -f -qq -e trace=execve -s 999 -o trace scadm login -u user -p secret "$locked"
	same "$(grep -c 'secret' trace)" "$(grep -c 'scadm.*login.*secret' trace)"
	expect 1 grep 'skopeo.*secret' trace
	sc logout -a
}

@test "pull: the user's own passwords are used where scadm login has none" {
	sc load -q -i "$layout" --name base
	export REGISTRY_AUTH_FILE=$PWD/own.json
	echo secret | skopeo login --tls-verify=false -u user --password-stdin "$locked" >/dev/null
	sc push base "$locked/a/own:1"
	sc pull "$locked/a/own:1"
	sc rmi "$locked/a/own:1" base
}

@test "pull: what goes wrong is said with its cause: no registry, no such tag, no TLS" {
	sc 125 pull 127.0.0.1:1/a
	like "$stderr" '*connection refused*is 127.0.0.1:1 the right name*127.0.0.1:1/a:latest cannot be fetched*'
	sc 125 pull "$registry/a/base:nosuch"
	like "$stderr" '*manifest unknown*check the name and the tag*'
	sc 125 pull --tls-verify=true "$registry/a/base:1"
	like "$stderr" '*does not speak TLS*--tls-verify=false*'
	sc 125 pull --tls-verify=maybe "$registry/a/base:1"
	like "$stderr" '*true or false*'
	sc 125 pull
	like "$stderr" '*give the name of one image*'
	sc 125 push nosuch
	like "$stderr" "*there is no image 'nosuch'*"
	sc 125 logout
	like "$stderr" '*not logged in to docker.io*'
	nothing_left
}

@test "pull: short names are docker's" {
	# there is no network in here: the message tells the whole name
	sc 125 pull busybox
	like "$stderr" '*docker.io/library/busybox:latest cannot be fetched*'
	sc 125 pull docker.io/library/busybox:1
	like "$stderr" '*docker.io/library/busybox:1 cannot be fetched*'
	sc 125 pull some/one
	like "$stderr" '*docker.io/some/one:latest cannot be fetched*'
	sc 125 pull localhost/one
	like "$stderr" '*localhost/one:latest cannot be fetched*'
}

@test "S15: what is no name is refused before anything is asked" {
	local name
	for name in '' . .. / '*' ../x 'a b' "a;b" '$(x)' 'A/B' a//b a@b a@sha256: "$registry/../x" "$(printf 'a\nb')"; do
		sc 125 pull "$name"
		unlike "$stderr" '*skopeo*'
	done
	same "$(fetched)" ''
	for name in . 'a b' '-x' '$(x)' a/b; do
		sc 125 login -u user -p x -- "$name"
		unlike "$stderr" '*skopeo*'
	done
}

@test "S20: pull killed while it fetches: skopeo ends too, and after gc nothing is left" {
	local pid skopeo
	mkdir bin
	mkfifo go
	# one that waits before it copies
	cat >bin/skopeo <<-END
		#!/bin/sh
		case " \$* " in *' copy '*) echo "\$\$" >"$PWD/waits" && read -r go <"$PWD/go" ;; esac
		exec $(command -v skopeo) "\$@"
	END
	chmod +x bin/skopeo
	PATH=$PWD/bin:$PATH scadm pull "$registry/a/base:1" >/dev/null 2>&1 3>&- &
	pid=$!
	wait_until 30 test -s waits
	skopeo=$(cat waits)
	kill -9 "$pid"
	wait "$pid" || :
	wait_until 30 sh -c "! [ -e /proc/$skopeo ]"
	same "$(find /var/lib/scadm/imports -mindepth 1 -maxdepth 1 | wc -l)" 1
	sc gc
	nothing_left
}

@test "S20: pull stopped by INT or TERM: nothing is left" {
	local signal pid
	mkdir bin
	printf '#!/bin/sh\ncase " $* " in *" copy "*) : >"%s/waits" && exec sleep 100 ;; esac\nexec %s "$@"\n' "$PWD" "$(command -v skopeo)" >bin/skopeo
	chmod +x bin/skopeo
	for signal in INT TERM; do
		rm -f waits
		# as from a terminal: to all of them
		PATH=$PWD/bin:$PATH setsid env --default-signal=INT scadm pull "$registry/a/base:1" >/dev/null 2>&1 3>&- &
		pid=$!
		wait_until 30 test -e waits
		kill "-$signal" -- "-$pid"
		wait
		nothing_left
	done
}

@test "pull: several at once of the same image, and rmi beside them" {
	local n
	sc pull "$registry/a/base:1"
	for n in 1 2 3; do
		scadm pull "$registry/a/base:$n@$(skopeo inspect --tls-verify=false --format '{{.Digest}}' "docker://$registry/a/base:1")" >"out$n" 2>&1 3>&- &
	done
	sc rmi "$registry/a/base:1" || sc rmi "$registry/a/base:1"
	wait
	like "$(cat out2 out3)" "*$registry/a/base:2*$registry/a/base:3"
	expect 0 test -d "/var/lib/scadm/layers/$diff_id"
	sc rmi "$registry/a/base:2" "$registry/a/base:3"
	[ ! -e "/var/lib/scadm/images/127.0.0.1:5000%a%base:1.json" ] || sc rmi "$registry/a/base:1"
	nothing_left
}

@test "S16: what a registry says reaches the terminal without its control characters" {
	requires script python3
	cat >evil.py <<-'END'
		import http.server
		class Evil(http.server.BaseHTTPRequestHandler):
		    def do_GET(self):
		        self.send_response(200 if self.path == '/v2/' else 403)
		        self.end_headers()
		        self.wfile.write(b'{"errors":[{"code":"DENIED","message":"\u001b[2Jgone\u0007"}]}')
		    def log_message(self, *words):
		        pass
		http.server.HTTPServer(('127.0.0.1', 5002), Evil).serve_forever()
	END
	python3 evil.py 3>&- &
	wait_until 30 bash -c ': </dev/tcp/127.0.0.1/5002'
	run script -qec 'scadm pull 127.0.0.1:5002/a' /dev/null 3>&-
	kill "$!"
	like "$output" '*gone*'
	unlike "$output" $'*\e\[2J*'
	unlike "$output" $'**'
}

@test "S23: a disk that fills during pull: a clear error, nothing is left" {
	mkdir small
	mount -t tmpfs -o size=800k tmpfs small
	SC_ROOT=$PWD/small/root SC_RUN=$PWD/run sc 125 pull "$registry/a/base:1"
	like "$stderr" '*no space left on device*the disk is full*'
	same "$(find small/root/images small/root/layers small/root/imports -mindepth 1)" ''
	umount small
}

@test "plan: pull and push print what sh runs, and the world is the same as after the verbs" {
	sc pull "$registry/a/base:1"
	world --normal >verb
	sc rmi "$registry/a/base:1"
	scadm -n pull "$registry/a/base:1" >plan
	expect 0 sh -e plan
	world --normal >planned
	same "$(cat planned)" "$(cat verb)"
	scadm -n push "$registry/a/base:1" "$registry/b/planned:1" >plan
	expect 0 sh -e plan
	sc pull "$registry/b/planned:1"
	sc rmi "$registry/a/base:1" "$registry/b/planned:1"
	nothing_left
}

@test "S3: a registry whose config is a path makes pull open nothing" {
	cp -r "$layout" lie
	chmod -R u+w lie
	cd lie
	cp "blobs/sha256/${config#sha256:}" "$BATS_TEST_TMPDIR/real.json"
	printf '%s' "$BATS_TEST_TMPDIR/real.json" >c.json
	sum=$(sha256sum <c.json | cut -c1-64)
	cp c.json "blobs/sha256/$sum"
	sed "s/${config#sha256:}/$sum/; s/\"size\": *$(stat -c %s "$BATS_TEST_TMPDIR/real.json")\b/\"size\":$(stat -c %s c.json)/" blobs/sha256/a34ce* >m.json
	skopeo copy -q --dest-tls-verify=false "oci:$layout" "docker://$registry/a/path:1"
	# the registry's own files: a client would look into the config
	digest=$(sha256sum <m.json | cut -c1-64)
	for file in c.json m.json; do
		hex=$(sha256sum <"$file" | cut -c1-64)
		mkdir -p "$BATS_FILE_TMPDIR/data/docker/registry/v2/blobs/sha256/${hex:0:2}/$hex" \
			"$BATS_FILE_TMPDIR/data/docker/registry/v2/repositories/a/path/_layers/sha256/$hex" \
			"$BATS_FILE_TMPDIR/data/docker/registry/v2/repositories/a/path/_manifests/revisions/sha256/$hex"
		cp "$file" "$(stored "$hex")"
		printf 'sha256:%s' "$hex" >"$BATS_FILE_TMPDIR/data/docker/registry/v2/repositories/a/path/_layers/sha256/$hex/link"
		printf 'sha256:%s' "$hex" >"$BATS_FILE_TMPDIR/data/docker/registry/v2/repositories/a/path/_manifests/revisions/sha256/$hex/link"
	done
	sc 125 pull "$registry/a/path@sha256:$digest"
	like "$stderr" "*the config sha256:$sum of $registry/a/path is no JSON*"
	nothing_left
}
