#!/usr/bin/env bats
# cp and export: files between a container and this host, whatever the container does meanwhile

# what stands in single quotes is for the shell in the container; bats sets stderr; a cd that fails ends the test
# shellcheck disable=SC2016,SC2154,SC2164

load helpers
load ready

setup() {
	sc_setup
	cd "$BATS_TEST_TMPDIR"
	# a place that both the host and a container can have
	victim=/var/lib/victim
	mkdir src
	echo one >src/one
	mkdir src/sub
	echo two >src/sub/two
	ln -s one src/link
}

teardown() {
	local name
	for name in web idle; do
		[ ! -e "/var/run/container/$name" ] || scadm rm -f "$name" >/dev/null 3>&-
	done
	rm -rf "$victim"
	sc_teardown
}

# stopped NAME [OPTION...] - a container that has run and ended
stopped() {
	local name="$1"
	shift
	scadm run --keep --name="$name" "$@" busybox sh -c 'mkdir -p /here/dir && echo in >/here/file && echo deep >/here/dir/deep && ln -s /here/dir /here/link' 3>&-
}

# web [OPTION...] - a container that runs, with the same files
web() {
	scadm run -d --name=web "$@" busybox sh -c 'trap "exit 0" TERM; mkdir -p /here/dir && echo in >/here/file &&
		echo deep >/here/dir/deep && ln -s /here/dir /here/link && touch /ready; while :; do sleep 0.1; done' >/dev/null 3>&-
	wait_until 20 inside test -e /ready
}

# inside COMMAND... - in the running container web
inside() {
	local pid
	read -r pid _ </var/run/container/web/pid
	nsenter -t "$pid" -a -S 0 -G 0 -- "$@"
}

# names DIR - the names in it, in one line
names() {
	find "$1" -mindepth 1 -maxdepth 1 -printf '%P\n' | sort | xargs
}

# contents DIR - names, kinds and contents below it
contents() {
	(cd "$1" && find . -mindepth 1 -printf '%P %y %l\n' | sort && find . -type f | sort | xargs -r cat)
}

# rules CONTAINER - docker's table of what goes where, once into the container and once out of it
rules() {
	local name="$1"
	# a file: to a new name, over a file, into a directory
	sc cp src/one "$name:/new"
	sc cp src/sub/two "$name:/new"
	sc cp src/one "$name:/here"
	sc cp src/one "$name:/here/dir/"
	sc cp "$name:/new" back
	same "$(cat back)" two
	sc cp "$name:/here/one" back
	same "$(cat back)" one
	mkdir into
	sc cp "$name:/here/dir/one" into
	sc cp "$name:/here/dir/deep" into/
	same "$(names into)" 'deep one'
	# a directory: to a new name, into a directory, what is in it
	sc cp src "$name:/copied"
	sc cp src "$name:/here"
	sc cp src/. "$name:/here/dir"
	sc cp src/. "$name:/dotted/"
	for path in copied here/src dotted; do
		rm -rf got
		sc cp "$name:/$path" got
		same "$(contents got)" "$(contents src)"
	done
	rm -rf got && mkdir got
	sc cp "$name:/copied" got
	same "$(contents got/copied)" "$(contents src)"
	sc cp "$name:copied/." got/copied
	same "$(contents got/copied)" "$(contents src)"
	sc cp "$name:/here/dir/." got
	same "$(names got)" 'copied deep link one sub'
	# errors, with nothing made
	sc 125 cp src/one "$name:/nowhere/x"
	like "$stderr" '*no directory*nothing was copied*'
	sc 125 cp src "$name:/nowhere/x"
	sc 125 cp src/one "$name:/nowhere/"
	like "$stderr" '*no directory*'
	sc 125 cp src "$name:/new"
	like "$stderr" '*cannot be copied to a file*'
	sc 125 cp src/one/ "$name:/x"
	sc 125 cp src/one/. "$name:/x"
	sc 125 cp nothing "$name:/x"
	like "$stderr" '*no file or directory*nothing was copied*'
	sc 125 cp "$name:/nothing" x
	like "$stderr" '*no file or directory*'
	sc 125 cp "$name:/new/" x
	sc 125 cp "$name:/new" nowhere/x
	like "$stderr" '*no directory*'
	sc 125 cp "$name:/here" back
	sc 125 cp "$name:/here" src/one/x
	sc 125 cp "$name:/here/file" x/
	[ ! -e x ]
	sc 125 cp "$name:/x" y
}

@test "cp: docker's table of what goes where, in a container that runs" {
	web
	rules web
}

@test "cp: docker's table of what goes where, in one that has ended" {
	stopped idle
	rules idle
}

@test "cp: links stay links, -L follows one inside the root of the container" {
	web
	echo host >/etc/only-on-host
	inside ln -s /etc/only-on-host /here/out
	inside ln -s ../../../../here/file /here/up
	sc cp web:/here/link got
	same "$(readlink got)" /here/dir
	sc cp -L web:/here/link got2
	same "$(cat got2/deep)" deep
	sc cp -L web:/here/up got3
	same "$(cat got3)" in
	sc 125 cp -L web:/here/out got4
	sc cp web:/here/link/deep got5
	same "$(cat got5)" deep
	sc cp web:/here/link/. got6
	same "$(cat got6/deep)" deep
	# a link as the target is followed; one that dangles is where the new file goes, inside
	sc cp src/one web:/here/link
	same "$(inside cat /here/dir/one)" one
	sc 125 cp src/one web:/here/out/x
	rm /etc/only-on-host
	sc cp src/one web:/here/out
	same "$(inside cat /etc/only-on-host)" one
	[ ! -e /etc/only-on-host ]
	# the same on the way in
	sc cp src/link web:/l
	same "$(inside readlink /l)" one
	sc cp -L src/link web:/L
	same "$(inside cat /L)" one
	ln -s "$PWD/elsewhere" dangling
	sc cp web:/here/file dangling
	same "$(cat elsewhere)" in
}

@test "S24: cp: owners and rights: root inside, the caller outside; -a keeps them, and setuid bits only inwards" {
	local name
	web
	stopped idle
	chown 1234:77 src/one src/sub
	chmod 4750 src/one
	for name in web idle; do
		sc cp src "$name:/plain"
		sc cp -a src "$name:/kept"
		same "$(scadm cp "$name:/plain" - | tar --numeric-owner -tvf - | awk '$6 ~ /one|sub.$/ { print $1, $2 }' | xargs)" '-rwsr-x--- 0/0 drwxr-xr-x 0/0'
		same "$(scadm cp "$name:/kept" - | tar --numeric-owner -tvf - | awk '$6 ~ /one|sub.$/ { print $1, $2 }' | xargs)" '-rwsr-x--- 1234/77 drwxr-xr-x 1234/77'
		# a setuid program of the container does not become one of the host's root
		sc cp "$name:/kept" "out.$name"
		same "$(stat -c '%a %u:%g' "out.$name/one")" '750 0:0'
		sc cp -a "$name:/kept" "kept.$name"
		same "$(stat -c '%a %u:%g' "kept.$name/one")" '750 1234:77'
	done
	# uid 0 inside is another on disk, so it really is root's there
	same "$(inside stat -c '%u:%g %a' /plain/one /kept/one | xargs)" '0:0 4750 1234:77 4750'
	# there is no such owner inside
	chown 70000 src/one
	sc 125 cp -a src/one web:/x
	like "$stderr" '*x: belongs to 70000*'
	inside test ! -e /x
}

@test "S24: cp: capabilities of files are the container's own: they go in, and do not come out as the host's" {
	web
	setfattr -n security.capability -v 0x0100000200200000000000000000000000000000 src/one
	sc cp -a src/one web:/one
	sc cp -a web:/one back
	expect 1 getfattr -n security.capability back
	# an archive says what they are
	like "$(scadm cp web:/one - | tr -d '\000')" '*security.capability*'
	# on disk they are root's of the container, which is not the host's
	like "$(getfattr -e hex -n security.capability "/proc/$(cut -d' ' -f1 /var/run/container/web/pid)/root/one")" '*=0x0100000300200000*'
	sc cp web:/one plain
	expect 1 getfattr -n security.capability plain
}

@test "cp: names are bytes: line breaks, blanks, leading dashes, globs, colons, no UTF-8" {
	local word
	web
	for word in "$(printf 'two\nlines')" "$(printf 'ends\n')x" ' blank ' -rf '*' '$(x)' "it's" "$(printf '\377')" 'tab	x'; do
		echo "$word" >"./$word"
		sc cp "./$word" "web:/here/$word"
		sc cp "web:/here/$word" back
		cmp "./$word" back
		rm "./$word" back
	done
	echo colon >a:b
	sc cp ./a:b web:/a:b
	sc cp "$PWD/a:b" web:a:c
	same "$(inside cat /a:b /a:c | xargs)" 'colon colon'
	sc cp web:/a:b ./c:d
	same "$(cat c:d)" colon
}

@test "cp: a tar archive on standard input or output" {
	web
	scadm cp web:/here - >a.tar 3>&-
	same "$(tar -tf a.tar | xargs)" 'here/ here/dir/ here/dir/deep here/file here/link'
	scadm cp web:/here/file - 3>&- | tar -tf - >list
	same "$(cat list)" here/file 2>/dev/null || same "$(cat list)" file
	same "$(scadm cp web:/here/. - 3>&- | tar -tf - | head -n 1)" ./
	expect 0 sh -c 'tar -C src -cf - . | scadm cp - web:/here/dir'
	same "$(inside cat /here/dir/sub/two)" two
	# the usual links of a distribution are directories to whoever unpacks there
	inside ln -s here/dir /lib64
	mkdir -p tree/lib64 && echo lib >tree/lib64/so
	tar -C tree -cf b.tar lib64/so
	expect 0 sh -c 'scadm cp - web:/ <b.tar'
	same "$(inside cat /here/dir/so)" lib
	sc 125 cp - web:/nowhere </dev/null
	sc 125 cp - web:/here/file </dev/null
	like "$stderr" '*no directory*'
	sc 125 cp - web:/here </dev/null
	like "$stderr" '*is empty*'
	expect 125 sh -c 'head -c 3000 a.tar | scadm cp - web:/here'
	expect 125 sh -c 'head -c 3000 /dev/urandom | scadm cp - web:/here'
}

@test "cp: volumes are where the container sees them, running or not; a read-only one stays so" {
	local name
	mkdir vol ro
	echo v >vol/v
	web -v "$PWD/vol:/vol" -v "$PWD/ro:/ro:ro"
	stopped idle -v "$PWD/vol:/vol" -v "$PWD/ro:/ro:ro"
	for name in web idle; do
		sc cp "$name:/vol/v" "v.$name"
		same "$(cat "v.$name")" v
		sc cp src/one "$name:/vol/$name"
		same "$(cat "vol/$name")" one
		same "$(stat -c %u:%g "vol/$name")" 0:0
		sc 125 cp src/one "$name:/ro/x"
		like "$stderr" '*Read-only file system*'
	done
	same "$(ls ro)" ''
	# what is mounted is seen nowhere else
	run grep -c "$PWD/vol" /proc/self/mountinfo
	same "$output" 0
}

@test "cp: a container with a disk of its own, one with a read-only root, one that was never started" {
	requires loop
	stopped idle --disk-size=16m
	sc cp src/one idle:/one
	sc cp idle:/one back
	same "$(cat back)" one
	# of this file only: all sandboxes share the loop devices
	wait_until 20 sh -c '[ ! "$(losetup -j /var/lib/scadm/containers/idle/disk.ext4)" ]'
	# full: the old file stays, no other appears
	head -c 40000000 /dev/zero >big
	sc 125 cp big idle:/one
	like "$stderr" '*No space left*'
	sc cp idle:/one back
	same "$(cat back)" one
	same "$(scadm cp idle:/ - 3>&- | tar -tf - | grep -c sc-archive)" 0
	scadm rm idle >/dev/null 3>&-
	scadm run -d --name=web --read-only busybox sleep 100 >/dev/null 3>&-
	sc 125 cp src/one web:/one
	like "$stderr" '*Read-only*'
	sc cp web:/etc/passwd passwd
	scadm rm -f web >/dev/null 3>&-
	scadm run --keep --name=idle --read-only busybox true 3>&-
	sc 125 cp src/one idle:/one
	like "$stderr" '*Read-only*'
}

@test "cp: mistakes on the command line change nothing" {
	web
	sc 125 cp src/one
	sc 125 cp src/one web:/a web:/b
	sc 125 cp src/one back
	like "$stderr" '*NAME:PATH*'
	sc 125 cp web:/here web:/there
	like "$stderr" '*two steps*'
	sc 125 cp - -
	sc 125 cp '' web:/x
	sc 125 cp web: x
	sc 125 cp src/one nobody:/x
	like "$stderr" "*no container 'nobody'*"
	sc 125 cp ../x:/y /z
	sc 125 cp --nonsense src/one web:/x
	sc 125 cp web:/here/file /dev/null
	like "$stderr" '*neither a file nor a directory*'
	[ -c /dev/null ]
	sc 125 cp src/one web:/dev/null
	inside test -c /dev/null
}

@test "cp: the plan is the pipeline, and does the same" {
	local name
	web
	stopped idle
	for name in web idle; do
		sc -n cp src "$name:/planned"
		like "$output" "*sc-archive pack --name=planned / $PWD/src | *sc-archive unpack*"
		sc 125 cp "$name:/planned" x
		scadm -n cp src "$name:/planned" 3>&- | sh -e
		scadm -n cp "$name:/planned" "back.$name" 3>&- | sh -e
		same "$(contents "back.$name")" "$(contents src)"
	done
	sc -x cp src/one web:/explained
	like "$stderr" '*sc-archive pack*|*sc-archive unpack*'
	same "$(inside cat /explained)" one
}

@test "S4: a directory that becomes a link all the time: nothing of the host is read or written" {
	mkdir "$victim"
	echo secret >"$victim/file"
	scadm run -d --name=web busybox sh -c 'mkdir -p /var/lib/victim /swap/real; echo inside >/var/lib/victim/file; echo mine >/swap/real/file
		ln -s /var/lib/victim /swap/link; ln -s ../../../../../../../../../var/lib/victim /swap/up
		mv /swap/real /swap/x; touch /ready
		while :; do mv /swap/x /swap/real; mv -T /swap/link /swap/x; mv /swap/x /swap/link; mv /swap/real /swap/x; done' >/dev/null 3>&-
	wait_until 20 inside test -e /ready
	echo evil >evil
	for _ in 1 2 3 4; do
		rm -rf got got2 got3
		scadm cp -L web:/swap/x got 3>&- || :
		scadm cp web:/swap/x/file got2 3>&- || :
		scadm cp web:/swap got3 3>&- || :
		run grep -rls secret .
		same "$output" ''
		scadm cp evil web:/swap/x/evil 3>&- || :
		scadm cp src web:/swap/x/ 3>&- || :
		scadm cp src web:/swap/up/ 3>&- || :
	done
	same "$(ls "$victim") $(cat "$victim/file")" 'file secret'
}

@test "S4: the helper against the same race, more often" {
	local pid
	mkdir "$victim"
	echo secret >"$victim/file"
	scadm run -d --name=web busybox sh -c 'mkdir -p /swap/real /var/lib/victim; echo inside >/var/lib/victim/file; echo mine >/swap/real/file
		ln -s /var/lib/victim /swap/link; mv /swap/real /swap/x; touch /ready
		while :; do mv /swap/x /swap/real; mv -T /swap/link /swap/x; mv /swap/x /swap/link; mv /swap/real /swap/x; done' >/dev/null 3>&-
	wait_until 20 inside test -e /ready
	read -r pid start _ </var/run/container/web/pid
	tar -C src -cf a.tar sub
	expect 0 sh -c 'n=0; while [ "$n" -lt 200 ]; do n=$((n + 1))
		sc-archive pack --follow "--target=$1" "--start-time=$2" /swap/x/file
		sc-archive pack "--target=$1" "--start-time=$2" /swap
		sc-archive unpack --follow "--target=$1" "--start-time=$2" /swap/x <a.tar; done >>got 2>/dev/null; exit 0' - "$pid" "$start"
	grep -aq mine got
	run grep -ac secret got
	same "$output" 0
	same "$(ls "$victim") $(cat "$victim/file")" 'file secret'
	# a number that another process has by now
	expect 125 sc-archive stat "--target=$pid" --start-time=1 /
}

@test "S4: fifos, devices, sockets and libraries of a container: no hang, nothing of it is run or loaded" {
	web
	inside sh -c 'mkfifo /here/fifo; mkdir -p /lib/x86_64-linux-gnu /etc; for f in /lib/x86_64-linux-gnu/libnss_files.so.2 /lib/x86_64-linux-gnu/libc.so.6 /etc/ld.so.preload /etc/nsswitch.conf; do echo evil >$f; done'
	expect 0 timeout 60 scadm cp web:/here got
	[ -p got/fifo ]
	expect 0 timeout 60 scadm cp web:/here/fifo fifo2
	[ -p fifo2 ]
	expect 0 timeout 60 scadm cp got web:/again
	expect 0 timeout 60 sh -c 'scadm cp web:/ - >all.tar'
	# what the kernel tells of itself is not copied, nor are its links followed
	same "$(tar -tf all.tar | grep -c '^proc/.')" 0
	sc 125 cp web:/proc/1/root/etc/passwd x
	sc 125 cp web:/proc/self/root/etc/passwd x
	for path in /proc /proc/cpuinfo /sys/kernel /dev/pts; do
		sc 125 cp "web:$path" x
		like "$stderr" '*kernel*'
	done
	sc cp web:/lib/x86_64-linux-gnu/libc.so.6 evil
	same "$(cat evil)" evil
}

@test "S20: cp killed: nothing is mounted, locked or running, the same again works" {
	local child
	stopped idle
	mkfifo slow
	tar -C src -cf a.tar .
	# it waits for the rest of the archive, with the container's root mounted
	sh -c 'exec scadm cp - idle:/here <slow' 3>&- &
	child=$!
	exec 5>slow
	head -c 1000 a.tar >&5
	wait_until 20 pgrep -f '^sc-archive unpack --follow'
	kill -9 "$child"
	wait "$child" || :
	# as long as its root is mounted nobody starts it
	expect 1 flock -n /var/lib/scadm/containers/idle true
	exec 5>&-
	wait_until 20 sh -c '! pgrep -x sc-archive'
	sc cp src/one idle:/here/again
	sc cp idle:/here/again back
	same "$(cat back)" one
	sc rm idle
}

@test "export: the root without what is mounted on it, running or not; import gives the same tree" {
	mkdir vol
	echo v >vol/v
	web -v "$PWD/vol:/vol"
	inside rm /etc/group
	sc export -o run.tar web
	expect 0 sh -c 'scadm export web >again.tar'
	cmp run.tar again.tar
	same "$(tar -tf run.tar | grep -E '^(vol|proc|sys|dev)/.|^etc/group' | xargs)" ''
	like "$(tar -tf run.tar | xargs)" '*here/dir/deep*proc/*vol/*'
	same "$(tar --numeric-owner -tvf run.tar | awk '$2 != "0/0"' | wc -l)" 0
	scadm rm -f web >/dev/null 3>&-
	stopped idle -v "$PWD/vol:/vol"
	sc export -o idle.tar idle
	same "$(tar -tf idle.tar | grep -E '^(vol|proc|sys|dev)/.' | xargs)" ''
	same "$(tar -xOf idle.tar here/dir/deep)" deep
	sc import idle.tar exported
	mkdir a b
	tar -C a -xf idle.tar here etc/passwd bin
	scadm run --rm --name=web exported tar -C / -cf - here etc/passwd bin 3>&- | tar -C b -xf -
	same "$(cd b && find . -printf '%P %y %m %U %l\n' | sort)" "$(cd a && find . -printf '%P %y %m %U %l\n' | sort)"
	diff -r --no-dereference a b
	sc rmi exported
	sc 125 export
	sc 125 export idle extra
	sc 125 export -o /nowhere/x idle
	sc 125 export -o "$PWD" idle
	sc 125 export nobody
}

@test "export: a full disk leaves no half archive; the plan does the same" {
	stopped idle
	mkdir small
	mount -t tmpfs -o size=100k tmpfs small
	sc 125 export -o small/x.tar idle
	like "$stderr" '*No space left*'
	same "$(ls small)" ''
	umount small
	sc -n export -o planned.tar idle
	[ ! -e planned.tar ]
	scadm -n export -o planned.tar idle 3>&- | sh -e
	sc export -o real.tar idle
	same "$(stat -c %a planned.tar real.tar | xargs)" '600 600'
	cmp planned.tar real.tar
}
