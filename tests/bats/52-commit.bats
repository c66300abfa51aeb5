#!/usr/bin/env bats
# commit and diff: a new layer of what a container changed

# a $ in single quotes is for sqlite, another shell or nobody; bats sets stderr; a cd that fails ends the test
# shellcheck disable=SC2016,SC2103,SC2154,SC2164

load helpers
load ready

setup() {
	sc_setup
	layers=/var/lib/scadm/layers images=/var/lib/scadm/images imports=/var/lib/scadm/imports
	cd "$BATS_TEST_TMPDIR"
}

teardown() {
	local ref
	for ref in $(scadm ps -a -q 3>&-); do
		scadm rm -f "$ref" 3>&-
	done
	for ref in $(scadm images --format '{{.Repository}}:{{.Tag}}' 3>&-); do
		case $ref in '<none>'* | busybox:latest) ;; *) scadm rmi -f "$ref" 3>&- ;; esac
	done
	scadm image prune -f 3>&-
	sc_teardown
}

# changed NAME [OPTION...] SCRIPT - a container that ran the script and has ended
changed() {
	local name="$1"
	shift
	set -- "$@" busybox sh -c "${*: -1}"
	# the script stands twice: as the last word now, and where it was
	set -- "${@:1:$#-5}" "${@: -4}"
	sc run --keep --net=none --name="$name" "$@"
}

# config REF JSONPATH - a value of an image's config
config() {
	sqlite3 :memory: "SELECT json_extract(readfile('$images/$1.json'), '$2')"
}

# top REF - the directory of an image's last layer
top() {
	local id
	id=$(config "$1" '$.rootfs.diff_ids[#-1]')
	echo "$layers/${id#sha256:}"
}

# in_image REF SCRIPT - what a shell says in a new container of it
in_image() {
	scadm run --rm --net=none "$1" sh -c "$2" 3>&-
}

# helpers_with NAME SCRIPT - the directory `helpers` with all helpers, and one more program
helpers_with() {
	rm -rf helpers
	mkdir helpers
	ln -s "$SC_HELPERS"/* helpers/
	printf '#!/bin/sh\n%s\n' "$2" >"helpers/$1"
	chmod +x "helpers/$1"
}

# nothing_left - no import, no image and no layer but busybox
nothing_left() {
	same "$(find "$imports" -mindepth 1) $(ls "$images") $(find "$layers" -mindepth 1 -maxdepth 1 -type d | wc -l)" ' busybox:latest.json 1'
}

@test "commit: files made, changed and removed are so in the image, and the layers below are shared" {
	changed c 'echo new >/root/new; echo more >>/etc/passwd; rm /bin/ls; rm -rf /var; mkdir /var; echo v >/var/v; chmod 700 /tmp; ln -s /x /root/l; mkdir -p /d/e; mkfifo /d/f'
	sc commit c made:1
	same "$output" "sha256:$(sha256sum <"$images/made:1.json" | cut -c1-64)"
	sc rm c
	like "$(in_image made:1 'cat /root/new; tail -n 1 /etc/passwd; ls /var; stat -c %a /tmp; readlink /root/l; stat -c %F /d/f; test -e /bin/ls || echo none')" 'new
more
v
700
/x
fifo
none'
	same "$(config made:1 '$.rootfs.diff_ids[0]')" "$(config busybox:latest '$.rootfs.diff_ids[0]')"
	same "$(config made:1 '$.history[0].created_by') $(config made:1 '$.history[1].created_by')" 'scadm import scadm commit'
	[ "$(du -s "$(top made:1)" | cut -f 1)" -lt 100 ]
	same "$(find "$layers" -mindepth 1 -maxdepth 1 -type d | wc -l)" 2
	# once more on top of it, by id, and without a name
	sc run --keep --net=none --name=c2 made:1 sh -c 'echo deep >/root/deep; rm /root/new'
	short=$(id12 c2)
	sc commit "$short"
	id=${output#sha256:}
	like "$(scadm images)" "*<none> *<none> *${id:0:12}*"
	same "$(in_image "$id" 'cat /root/deep; cat /root/new || echo gone')" 'deep
gone'
	sc rmi "$id"
	same "$output" "Deleted: sha256:$id"
}

@test "commit: what the container was made with is the image's, changes come on top, docker's words" {
	changed c -e 'A=1' -e 'B=x y
z' -w /tmp -u 7:8 true
	sc commit -a 'A B <a@example.org>' -m "it's \"it\"" -c 'ENV A=2 C=3' -c 'LABEL k=v' -c 'EXPOSE 80' -c 'VOLUME /data' -c 'STOPSIGNAL SIGINT' c a
	same "$(config a:latest '$.config.Env')" '["PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin","A=2 C=3","B=x y\nz"]'
	same "$(config a:latest '$.config.Cmd')" '["sh","-c","true"]'
	same "$(config a:latest '$.config.User') $(config a:latest '$.config.WorkingDir') $(config a:latest '$.config.StopSignal')" '7:8 /tmp SIGINT'
	same "$(config a:latest '$.config.Labels')$(config a:latest '$.config.ExposedPorts')$(config a:latest '$.config.Volumes')" '{"k":"v"}{"80/tcp":{}}{"/data":{}}'
	same "$(config a:latest '$.author')|$(config a:latest '$.history[1].comment')|$(config a:latest '$.history[1].author')" "A B <a@example.org>|it's \"it\"|A B <a@example.org>"
	same "$(config a:latest '$.architecture') $(config a:latest '$.os')" "$(config busybox:latest '$.architecture') linux"
	same "$(scadm run --rm --net=none a sh -c 'pwd; id -u; echo "$B"' 3>&-)" '/tmp
7
x y
z'
	# an entrypoint takes the command away that was written for another
	sc commit -c 'ENTRYPOINT ["/bin/echo","e"]' c b
	same "$(config b:latest '$.config.Entrypoint')$(config b:latest '$.config.Cmd')" '["/bin/echo","e"]'
	same "$(scadm run --rm --net=none b x 3>&-)" 'e x'
	sc commit --change 'CMD echo "$HOME"' c b
	same "$(config b:latest '$.config.Cmd')" '["/bin/sh","-c","echo \"$HOME\""]'
	for change in 'CMD ["a",1]' 'RUN x' 'EXPOSE 0' ''; do
		sc 125 commit -c "$change" c x
	done
	sc 125 commit
	sc 125 commit nosuch x
	sc 125 commit c 'B A'
	sc 125 commit c x y
	sc 125 commit --pause=maybe c x
	[ ! -e "$images/x:latest.json" ]
}

@test "commit: of a container that changed nothing, and of one that never ran" {
	changed c true
	sc commit c unchanged
	[ "$(stat -c %s "$(top unchanged:latest).json")" -lt 20 ]
	same "$(in_image unchanged 'ls -d /bin')" /bin
	[ "$(find "$(top unchanged:latest)" -type f -size +0 | wc -l)" -eq 0 ]
	same "$(stat -c '%a %u' "$(top unchanged:latest)")" "$(stat -c '%a %u' "$(top busybox:latest)")"
	sc create --net=none --name=n busybox sh
	sc commit n never
	same "$(stat -c '%a %u' "$(top never:latest)") $(ls -A "$(top never:latest)")" "$(stat -c '%a %u' "$(top busybox:latest)") "
	same "$(in_image never 'ls -d /bin')" /bin
	sc diff n
	same "$output" ''
}

@test "commit: a running container stands still meanwhile, goes on after that, and stays paused if it was" {
	requires freezer
	scadm run -d --net=none --name=r busybox sh -c 'n=0; while :; do n=$((n + 1)); echo $n >/a; echo $n >/b; done' >/dev/null 3>&-
	wait_until 20 scadm exec r test -e /b
	sc commit r still
	a=$(cat "$(top still:latest)/a") b=$(cat "$(top still:latest)/b")
	# an empty file is one that was being written
	[ "${a:-0}" -eq "${b:-0}" ] || [ -z "$a" ] || [ -z "$b" ] || [ "$a" -eq $((b + 1)) ]
	before=$(cat /var/lib/scadm/containers/r/upper/a)
	wait_until 20 sh -c '[ "$(cat /var/lib/scadm/containers/r/upper/a)" != "$1" ]' - "$before"
	sc-cg freeze "sc/$(id12 r)"
	sc commit r frozen
	like "$(cgroup_value r freezer.state)" FROZEN
	sc-cg thaw "sc/$(id12 r)"
	for pause in --no-pause --pause=false; do
		sc -n commit "$pause" r x
		unlike "$output" '*freeze*'
	done
	sc -n commit -p r x
	like "$output" '*freeze*thaw*'
	# killed in between: the next command lets it go on
	expect 137 sh -ec "$(printf '%s\n' "$output" | sed '/sc-cg freeze/q'); kill -9 \$\$"
	sc gc
	unlike "$(cgroup_value r freezer.state)" FROZEN
	sc rm -f r
}

@test "S4: commit: a hostile upper directory changes and discloses nothing outside" {
	requires python3
	echo secret >secret
	changed c 'ln -s /etc/shadow /root/abs; ln -s ../../../../../../etc/shadow /root/rel; ln -s /proc/self/root /root/root; mkfifo /root/fifo
		: >"/root/new
line"; rm -rf /home; ln -s / /home'
	ln "$BATS_TEST_TMPDIR/secret" /var/lib/scadm/containers/c/upper/root/hard 2>/dev/null || cp secret /var/lib/scadm/containers/c/upper/root/hard
	mknod /var/lib/scadm/containers/c/upper/root/sda b 8 0
	python3 -c 'import socket; socket.socket(socket.AF_UNIX).bind("/var/lib/scadm/containers/c/upper/root/sock")'
	sc commit c hostile
	like "$stderr" '*sock*left out*'
	like "$stderr" '*left out 1 device node*'
	root=$(top hostile:latest)/root
	same "$(readlink "$root/abs") $(readlink "$root/rel") $(readlink "$root/root")" '/etc/shadow ../../../../../../etc/shadow /proc/self/root'
	same "$(find "$root" -type b) $(find "$root" -type s)" ' '
	[ -p "$root/fifo" ] && [ -f "$root/$(printf 'new\nline')" ]
	[ -L "$(top hostile:latest)/home" ]
	same "$(in_image hostile 'readlink /home')" /
	same "$(cat secret)" secret
	# what would be a whiteout in a layer cannot be kept as a file, and is not made one
	changed w ': >/bin/.wh.ls'
	sc 125 commit w whiteout
	like "$stderr" '*bin/.wh.ls*'
	[ ! -e "$images/whiteout:latest.json" ]
}

@test "S4: commit --no-pause while the container swaps directories for links" {
	scadm run -d --net=none --name=s busybox sh -c 'mkdir /d /e; echo in >/d/f; while :; do mv /d /x; ln -s /etc /d; rm /d; mv /x /d; done' >/dev/null 3>&-
	wait_until 20 scadm exec s test -d /e
	for try in 1 2 3 4 5; do
		run scadm commit --no-pause s "swap$try" 3>&-
		[ "$status" -eq 0 ] || [ "$status" -eq 125 ]
		[ "$status" -ne 0 ] || [ -L "$(top "swap$try:latest")/d" ] || [ ! -e "$(top "swap$try:latest")/d/shadow" ]
	done
	sc rm -f s
}

@test "commit: owners are those of inside, whichever user namespace it had" {
	changed auto 'echo x >/f; chown 5:6 /f; chmod 4755 /f'
	sc run --keep --net=none --userns=host --name=host busybox sh -c 'echo x >/f; chown 5:6 /f; chmod 4755 /f'
	sc commit auto auto
	sc commit host host
	same "$(stat -c '%a %u:%g' "$(top auto:latest)/f")" '4755 5:6'
	same "$(stat -c '%a %u:%g' "$(top host:latest)/f")" '4755 5:6'
	same "$(in_image auto 'stat -c %u:%g /f')" 5:6
}

@test "commit and diff: a container with a disk of its own, running or not" {
	requires loop
	scadm run -d --net=none --disk-size=16m --name=d busybox sh -c 'echo one >/one; sleep 1000' >/dev/null 3>&-
	# not only made, but written
	wait_until 20 scadm exec d test -s /one
	sc diff d
	like "$output" '*A /one*'
	sc commit d running
	same "$(cat "$(top running:latest)/one")" one
	sc stop -t 0 d
	run ! mountpoint -q /var/lib/scadm/containers/d/disk
	sc diff d
	like "$output" '*A /one*'
	sc commit d stopped
	same "$(cat "$(top stopped:latest)/one")" one
	[ ! -e "$(top stopped:latest)/lost+found" ]
	run ! mountpoint -q /var/lib/scadm/containers/d/disk
	sc 125 -n commit d x
	sc start d
	wait_until 20 scadm exec d test -e /one
	sc rm -f d
}

@test "the plan of commit makes the same world" {
	changed c 'echo x >/x; rm /bin/ls'
	sc commit -m m c one
	world --normal >by-verb
	sc rmi one
	sc -n commit -m m c one
	expect 0 sh -ec "$output"
	world --normal | diff by-verb -
	sc rmi one
	sc create --net=none --name=n busybox sh
	sc -n commit n never
	expect 0 sh -ec "$output"
	same "$(in_image never 'ls -d /bin')" /bin
	# what changed since is not taken
	sc -n commit c two
	echo y >/var/lib/scadm/containers/c/upper/y
	expect 125 sh -ec "$output"
	[ ! -e "$images/two:latest.json" ]
}

@test "S20: kill -9 after each step of commit, then gc: a whole image or nothing" {
	changed c 'echo x >/x'
	sc -n commit c made
	printf '%s\n' "$output" >plan
	steps=$(wc -l <plan)
	[ "$steps" -gt 12 ]
	for step in $(seq 5 "$steps"); do
		{ head -n "$step" plan && echo 'kill -9 $$'; } >part
		expect 137 sh -e part
		sc gc
		same "$(find "$imports" -mindepth 1)" ''
		if [ -e "$images/made:latest.json" ]; then
			same "$(cat "$(top made:latest)/x")" x
			sc rmi made
		fi
		nothing_left
	done
}

@test "S23: a disk that fills during commit: a message, no half image, and the container is as it was" {
	export SC_ROOT=$BATS_TEST_TMPDIR/small/lib SC_RUN=$BATS_TEST_TMPDIR/small/run SC_PREFIX=small
	mkdir small
	mount -t tmpfs -o size=8m,mode=700 tmpfs small
	sc image-build busybox
	sc run --keep --net=none --name=c busybox dd if=/dev/urandom of=/big bs=1M count=4
	find small/lib/layers small/lib/images small/lib/imports >before
	sc 125 commit c full
	like "$stderr" '*No space left on device*'
	find small/lib/layers small/lib/images small/lib/imports | diff before -
	same "$(stat -c %s small/lib/containers/c/upper/big)" 4194304
	sc rm c
	sc rmi busybox
	umount small
	unset SC_ROOT SC_RUN SC_PREFIX
}

@test "S20: SIGTERM during commit unwinds" {
	changed c 'echo x >/x'
	# one that is at work until we have sent the signal. ROOT is that of helpers.bash
	# shellcheck disable=SC2153
	helpers_with scadm-unpack ": >$PWD/waits
read -r _ <$PWD/go
exec $ROOT/bin/scadm-unpack \"\$@\""
	mkfifo go
	SC_HELPERS=$PWD/helpers scadm commit c made >/dev/null 2>&1 3>&- &
	pid=$!
	wait_until 20 test -e waits
	kill -TERM "$pid"
	echo >go
	code=0
	wait "$pid" || code=$?
	same "$code" 143
	nothing_left
}

@test "commit beside rm and rmi: what the image needs stays" {
	changed c 'echo x >/x'
	sc commit c one
	sc run --keep --net=none --name=c2 one sh -c 'echo y >/y'
	sc rmi -f one
	sc commit c2 two
	same "$(in_image two 'cat /x /y')" 'x
y'
	same "$(config two:latest '$.history[0].created_by')" unknown
	sc rm c c2
	same "$(in_image two 'cat /x /y')" 'x
y'
	same "$(config two:latest '$.config.Cmd')" '["sh","-c","echo y >/y"]'
}

# --- diff -------------------------------------------------------------------------------------------------

@test "diff: A C D as docker words them, sorted, nothing for what is mounted" {
	mkdir vol
	changed c -v "$PWD/vol:/data/vol" true
	sc diff c
	same "$output" 'A /data'
	changed e 'echo x >>/etc/passwd; rm /bin/ls; mkdir -p /new/deep; echo >/new/deep/f; chmod 700 /tmp; rm -rf /var; echo v >/var; mkdir /etc/tmp; rmdir /etc/tmp; rm -rf /home; mkdir /home; chmod 755 /home'
	sc diff e
	same "$output" 'C /bin
D /bin/ls
C /etc
C /etc/passwd
A /new
A /new/deep
A /new/deep/f
C /tmp
C /var'
	sc diff "$(id12 e)"
	like "$output" '*D /bin/ls*'
	sc 125 diff nosuch
	sc 125 diff
	sc 125 diff c e
}

@test "diff: of a running container, and of one with names that are no names" {
	scadm run -d --net=none --name=r busybox sh -c 'printf x >"/a
b	c"; printf x >"/back\\slash"; printf x >"/ e"; printf x >"$(printf "/esc\033[31m")"; : >/done; sleep 1000' >/dev/null 3>&-
	wait_until 20 scadm exec r test -e /done
	sc diff r
	same "$output" 'A / e
A /a\nb\tc
A /back\134slash
A /done
A /esc\033[31m'
	sc rm -f r
}

@test "commit --no-pause of a container that is removed meanwhile makes no image, and no empty layer" {
	running_one() {
		sc run -d --net=none --name=c busybox sh -c 'echo x >/x; sleep 1000'
		wait_until 20 test -s /var/lib/scadm/containers/c/upper/x
	}
	# before it is read, and while it is read
	running_one
	# ROOT is that of helpers.bash
	# shellcheck disable=SC2153
	helpers_with uname "[ ! -e /var/lib/scadm/containers/c ] || SC_HELPERS=$SC_HELPERS $ROOT/bin/scadm rm -f c >/dev/null 2>&1
exec $(type -P uname) \"\$@\""
	SC_HELPERS=$PWD/helpers sc 125 commit --no-pause c one
	like "$stderr" '*meanwhile*'
	nothing_left
	running_one
	helpers_with scadm-unpack "$ROOT/bin/scadm-unpack \"\$@\" || exit
SC_HELPERS=$SC_HELPERS $ROOT/bin/scadm rm -f c >/dev/null 2>&1"
	SC_HELPERS=$PWD/helpers sc 125 commit --no-pause c one
	like "$stderr" '*meanwhile*'
	nothing_left
	# one that ends, and stays, is whole
	running_one
	helpers_with scadm-unpack "$ROOT/bin/scadm-unpack \"\$@\" || exit
SC_HELPERS=$SC_HELPERS $ROOT/bin/scadm kill c >/dev/null 2>&1; SC_HELPERS=$SC_HELPERS $ROOT/bin/scadm wait c >/dev/null"
	SC_HELPERS=$PWD/helpers sc commit --no-pause c one
	[ -e "$(top one:latest)/x" ]
	sc rm c
	sc rmi one
}
