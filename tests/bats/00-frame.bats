#!/usr/bin/env bats
# The frame itself: the sandbox harms nobody, the helpers fail when they should, the runner counts right
load helpers

# nested COMMAND... - a sandbox in the sandbox
nested() {
	"$ROOT/tests/sandbox" "$@" 3>&-
}

# gone PID - has the process ended? (a zombie has)
gone() {
	! grep -q '^State:[[:space:]]*[^Z]' "/proc/$1/status" 2>/dev/null
}

# host_view - what a sandbox must leave alone, seen from outside of it
host_view() {
	world
	find /dev /run /tmp -xdev ! -path "$BATS_RUN_TMPDIR*" -printf '%p %y %m %l\n' | sort
	cat /etc/hosts
}

@test "sandbox: passes on exit status, words and standard input" {
	expect 7 nested sh -c 'exit 7'
	expect 137 nested sh -c 'kill -9 $$'
	expect 127 nested /no/such/program
	expect 0 nested printf '[%s]' 'a b' '' '*' $'x\ny'
	same "$output" $'[a b][][*][x\ny]'
	same "$(echo through | nested cat)" through
}

@test "sandbox: what is deleted or changed inside is still there outside" {
	host_view >"$BATS_TEST_TMPDIR/before"
	# what cannot be deleted (a mount point, a read-only file) is not the question here
	nested sh -c '
		find /dev /run /etc /var /tmp /usr/bin -xdev -type f -delete -o -xdev ! -type d -delete
		ip link add d0 type bridge
		ip netns add other
		mkdir /sys/fs/cgroup/*/inner /sys/fs/cgroup/inner
	' >/dev/null 2>&1 || true
	# a loop device goes a moment after its file system
	wait_until 20 eval 'host_view >"$BATS_TEST_TMPDIR/after" && diff "$BATS_TEST_TMPDIR/before" "$BATS_TEST_TMPDIR/after"'
	[ -x /usr/bin/env ]
	[ -c /dev/null ]
}

@test "sandbox: has namespaces of its own and no network but lo" {
	local ns
	for ns in mnt net pid ipc uts cgroup; do
		[ "$(nested readlink "/proc/self/ns/$ns")" != "$(readlink "/proc/self/ns/$ns")" ]
	done
	same "$(nested sh -c 'ip -o link | cut -d " " -f 2')" lo:
	same "$(nested hostname)" sandbox
}

@test "sandbox: the number of processes is bounded" {
	requires pids
	same "$(nested sh -c 'cat /sys/fs/cgroup/pids/pids.max /sys/fs/cgroup/pids.max 2>/dev/null')" 2000
}

@test "sandbox: no process outlives it, not a detached one, not a frozen one" {
	nested sh -c '
		setsid sleep 314 &
		if [ -d /sys/fs/cgroup/freezer ]; then
			mkdir /sys/fs/cgroup/freezer/cold
			sleep 314 & echo $! >/sys/fs/cgroup/freezer/cold/cgroup.procs
			echo FROZEN >/sys/fs/cgroup/freezer/cold/freezer.state
		fi'
	run ! pgrep -f 'sleep 314'
}

@test "sandbox: ends at once when it is told to" {
	[ -z "${SC_TEST_SH:-}" ] || skip "the script tests/sandbox itself is tested with the sh of this machine"
	local pid status=0
	nested sleep 301 &
	pid=$!
	wait_until 20 pgrep -x -f 'sleep 301'
	# the subshell of bats' own & is the parent of the sandbox
	kill -TERM "$(pgrep -P "$pid" -f tests/sandbox || echo "$pid")"
	wait "$pid" || status=$?
	same "$status" 143
	wait_until 20 eval '! pgrep -x -f "sleep 301"'
}

# abandoned - is there a cgroup of a sandbox, and nobody in any?
abandoned() {
	grep -q . <(find /sys/fs/cgroup -name 'sc-test-*') &&
		! find /sys/fs/cgroup -path '*/sc-test-*' -name cgroup.procs -exec cat {} + | grep -q .
}

@test "sandbox: after kill -9 the next one removes the cgroup" {
	[ -z "${SC_TEST_SH:-}" ] || skip "the script tests/sandbox itself is tested with the sh of this machine"
	local pid
	nested sleep 302 &
	pid=$!
	wait_until 20 pgrep -x -f 'sleep 302'
	kill -KILL "$(pgrep -P "$pid" -f tests/sandbox || echo "$pid")"
	wait "$pid" || true
	wait_until 20 eval '! pgrep -x -f "sleep 302"'
	# the others die too, and in any order
	wait_until 20 abandoned
	nested true
	run ! grep -q . <(find /sys/fs/cgroup -name 'sc-test-*')
}

@test "sandbox: /bin/sh can be dash, bash or busybox, and runs the tools in PATH" {
	[ -z "${SC_TEST_SH:-}" ] || skip "the script tests/sandbox itself is tested with the sh of this machine"
	local shell
	for shell in dash bash ash; do
		[ "$shell" != ash ] || requires shared
		SC_TEST_SH=$shell expect 0 nested /bin/sh -c 'printf "%s," "${BASH_VERSION:+bash}"; env --version'
		case $shell in
		bash) like "$output" 'bash,*GNU*' ;;
		*) like "$output" ',*GNU*' ;;
		esac
	done
	SC_TEST_SH=fish expect 125 nested true
}

@test "helpers: outside of a sandbox nothing runs" {
	SC_SANDBOX='' expect 1 in_sandbox
	like "$stderr" '*tests/sandbox bats*'
	SC_SANDBOX='net:[1]' expect 1 in_sandbox
}

@test "helpers: the leak check finds a link, a rule, a mount, a cgroup and a file" {
	local leak
	mkdir -p "$BATS_TEST_TMPDIR/m" /var/lib/scadm
	world >"$BATS_TEST_TMPDIR/world.before"
	for leak in 'ip link add d9 type bridge|ip link del d9' \
		'iptables -t nat -A POSTROUTING -j MASQUERADE|iptables -t nat -D POSTROUTING -j MASQUERADE' \
		"mount -t tmpfs tmpfs $BATS_TEST_TMPDIR/m|umount $BATS_TEST_TMPDIR/m" \
		'ip netns add leak|ip netns del leak' \
		'echo 1 >/proc/sys/net/ipv4/ip_forward|echo 0 >/proc/sys/net/ipv4/ip_forward' \
		'echo x >/var/lib/scadm/leak|rm /var/lib/scadm/leak'; do
		sh -c "${leak%%|*}"
		run diff "$BATS_TEST_TMPDIR/world.before" <(world)
		[ "$status" -eq 1 ]
		sh -c "${leak#*|}"
		wait_until 20 eval 'diff "$BATS_TEST_TMPDIR/world.before" <(world)'
	done
}

@test "helpers: two equal runs have the same normal world" {
	make_one() {
		ip link add d8 type bridge
		mkdir -p /var/lib/scadm/containers/x
		cat /proc/sys/kernel/random/uuid >/var/lib/scadm/containers/x/config.json
		world --normal >"$1"
		ip link del d8
		rm -r /var/lib/scadm/containers
	}
	make_one "$BATS_TEST_TMPDIR/one"
	make_one "$BATS_TEST_TMPDIR/two"
	diff "$BATS_TEST_TMPDIR/one" "$BATS_TEST_TMPDIR/two"
	grep -q 'x/config.json: UUID' "$BATS_TEST_TMPDIR/one"
}

@test "helpers: expect, like, same and wait_until fail when they should" {
	run expect 0 false
	[ "$status" -eq 1 ]
	run like abc 'b*'
	[ "$status" -eq 1 ]
	run unlike abc 'a*'
	[ "$status" -eq 1 ]
	run same 'a ' a
	[ "$status" -eq 1 ]
	run wait_until 0 false
	[ "$status" -eq 1 ]
	wait_until 0 true
}

@test "helpers: wait without a number ends when the children have ended" {
	(exit 3) &
	sleep 0.2 &
	wait
	same "$(jobs -rp | grep -vx "${BATS_killer_pid:-none}" || true)" ''
}

@test "helpers: requires knows its words" {
	requires root overlay
	run requires no_such_word
	[ "$status" -eq 1 ]
	like "$output" 'BUG: *'
}

@test "runner: counts passed, failed and skipped, crashed and empty files" {
	local dir="$BATS_TEST_TMPDIR/frame/tests"
	mkdir -p "$dir/bats"
	cp "$ROOT/tests/run" "$dir/run"
	# A sandbox that is none: the files below do nothing. One of them is killed soon, and only that one, on however
	# slow a machine.
	printf '#!/bin/sh\ncase $* in */e.bats) exec timeout 3 "$@" ;; *) exec "$@" ;; esac\n' >"$dir/sandbox"
	chmod 755 "$dir/sandbox"
	printf '@test "fine" { true; }\n@test "bad" { echo why; false; }\n@test "not here" { skip "no such kernel"; }\n' >"$dir/bats/a.bats"
	printf 'setup_file() { false; }\n@test "x" { true; }\n@test "y" { true; }\n' >"$dir/bats/b.bats"
	printf 'oops( {\n' >"$dir/bats/c.bats"
	: >"$dir/bats/d.bats"
	printf '@test "slow" { sleep 600; }\n' >"$dir/bats/e.bats"
	# the bats inside must not take itself for a part of this one
	local fresh=(env -u SC_LOG) name
	for name in "${!BATS_@}"; do
		fresh+=(-u "$name")
	done
	fresh+=(PATH=/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin JOBS=2 FILE_SECONDS=100)
	run apart "${fresh[@]}" "$dir/run"
	printf '%s\n' "$output"
	[ "$status" -eq 1 ]
	same "${output##*$'\n'}" '1 passed, 6 failed, 1 skipped'
	like "$output" '*# why*'
	like "$output" '*skipped  a: not here: no such kernel*'
	run apart "${fresh[@]}" "$dir/run" --totals
	same "${lines[-1]}" '1 passed, 6 failed, 1 skipped'
	run apart "${fresh[@]}" FILE_SECONDS=1 "$dir/run" "$dir/bats/e.bats"
	[ "$status" -eq 1 ]
	same "${lines[-1]}" '0 passed, 1 failed, 0 skipped'
	like "$output" '*e was killed after 1 seconds*'
	run apart "${fresh[@]}" "$dir/run" "$dir/bats/missing.bats"
	[ "$status" -eq 125 ]
	printf '@test "fine" { true; }\n' >"$dir/bats/f.bats"
	run apart "${fresh[@]}" "$dir/run" "$dir/bats/f.bats"
	[ "$status" -eq 0 ]
	same "${lines[-1]}" '1 passed, 0 failed, 0 skipped'
	run apart "${fresh[@]}" ALSO_FAILED=lint "$dir/run" "$dir/bats/f.bats"
	[ "$status" -eq 1 ]
	same "${lines[-1]}" '1 passed, 1 failed, 0 skipped'
}

@test "lint: finds a change that is not behind the door, and leaves what is" {
	local dir="$BATS_TEST_TMPDIR/tree" line
	mkdir -p "$dir/bin" "$dir/lib"
	for line in 'ip link add br0 type bridge' 'mount -t tmpfs x /y' 'echo 1 >/proc/sys/net/ipv4/ip_forward' \
		'[ -e x ] || rm -rf "$x"' 'if ip -n "$ns" addr add 10.0.0.1/8 dev lo; then' 'x=$(mkdir y)' 'sc-cg create "$cg"' \
		'iptables -t nat -A POSTROUTING -j MASQUERADE' 'cmd echo 1 >"$file"'; do
		printf '#!/bin/sh\n# X\n%s\n' "$line" >"$dir/bin/scadm-x"
		run "$ROOT/tests/lint/door" "$dir"
		printf '%s -> %s\n' "$line" "$status"
		[ "$status" -eq 1 ]
	done
	for line in 'ip -j link show dev br0' 'cmd ip link add br0 type bridge' 'undo ip link del br0' 'kill -0 "$pid" 2>/dev/null' \
		'x=$((1 << 3 > 2))' 'note "mount is next; mkdir too"' 'try mkdir "$x" || die "no"' 'undo_if /x rm -r /x' \
		'rm -f "$temporary" # door: a file of our own' 'iptables -S SC >/dev/null 2>&1' '# mount all'; do
		printf '#!/bin/sh\n# X\n%s\n' "$line" >"$dir/bin/scadm-x"
		run "$ROOT/tests/lint/door" "$dir"
		printf '%s -> %s\n' "$line" "$output"
		[ "$status" -eq 0 ]
	done
}

@test "lint: finds files that are too long" {
	mkdir -p "$BATS_TEST_TMPDIR/tree/helpers"
	seq 601 >"$BATS_TEST_TMPDIR/tree/helpers/sc-x.c"
	expect 1 "$ROOT/tests/lint/sizes" "$BATS_TEST_TMPDIR/tree"
	seq 600 >"$BATS_TEST_TMPDIR/tree/helpers/sc-x.c"
	expect 0 "$ROOT/tests/lint/sizes" "$BATS_TEST_TMPDIR/tree"
}

@test "deps: with all there it prints one line and asks no package manager" {
	mkdir "$BATS_TEST_TMPDIR/bin"
	printf '#!/bin/sh\necho asked; exit 1\n' >"$BATS_TEST_TMPDIR/bin/apt-get"
	chmod 755 "$BATS_TEST_TMPDIR/bin/apt-get"
	expect 0 env PATH="$BATS_TEST_TMPDIR/bin:$PATH" "$ROOT/deps.sh" run
	same "$output" 'deps: all there for: run'
	expect 2 "$ROOT/deps.sh" nonsense
	expect 2 "$ROOT/deps.sh"
}

@test "deps: names what is missing and why, and goes on without one that cannot be had" {
	local bin="$BATS_TEST_TMPDIR/bin" tool
	mkdir "$bin"
	for tool in sh env cat id awk tr sed ls ip tc sqlite3; do
		ln -s "$(command -v "$tool")" "$bin/$tool"
	done
	cat >"$bin/apt-get" <<-'END'
		#!/bin/sh
		echo "apt-get $*"
		case "$* " in *" iptables "*) exit 100 ;; *" update "*) exit 0 ;; esac
	END
	chmod 755 "$bin/apt-get"
	sed '/^PATH=/d' "$ROOT/deps.sh" >"$BATS_TEST_TMPDIR/deps.sh"
	expect 1 env PATH="$bin" sh "$BATS_TEST_TMPDIR/deps.sh" run
	like "$stderr" '*missing: iptables (iptables): published ports*could not install iptables*'
	like "$output" '*install --no-install-recommends pv*'
	unlike "$output" '*iproute2*'
}

@test "make: install and uninstall are exact" {
	local to="$BATS_TEST_TMPDIR/to" source="$BATS_TEST_TMPDIR/source"
	mkdir "$source"
	# without the disks of tests/vm
	tar -C "$ROOT" --exclude=./.git --exclude=./build/vm --exclude=./build/log -cf - . | tar -C "$source" -xf -
	make -s -C "$source" DESTDIR="$to" PREFIX=/opt/sc install
	[ "$(readlink -f "$to/opt/sc/bin/scadm")" = "$to/opt/sc/lib/scadm/bin/scadm" ]
	[ -e "$to/opt/sc/lib/scadm/lib.sh" ]
	[ -e "$to/opt/sc/share/man/man8/sc-cg.8" ]
	make -s -C "$source" DESTDIR="$to" PREFIX=/opt/sc uninstall
	run find "$to" ! -type d
	same "$output" ''
}

@test "vm: where there is no machine to be had, that is one skipped test with its reason" {
	local bin="$BATS_TEST_TMPDIR/bin" tree="$BATS_TEST_TMPDIR/tree" tool
	mkdir -p "$bin" "$tree/build"
	cp -a "$ROOT/tests" "$ROOT/images" "$ROOT/deps.sh" "$tree"
	cp "$SC_HELPERS/sc-clone" "$tree/build"
	for tool in sh awk basename cat date find grep id ln mkdir readlink rm sed sort tail uname; do
		ln -s "$(command -v "$tool")" "$bin/$tool"
	done
	expect 0 env PATH="$bin" "$tree/tests/vm/run"
	like "$output" '*skipped  vm: *no qemu-system-x86_64 here*'
	same "${lines[-1]}" '0 passed, 0 failed, 1 skipped'
}
