# ready.bash: for files that run containers: the busybox image and the default bridge are there before the
# first test, so that the leak check sees only what the test itself did.

# setup_file - for a file that has none
setup_file() {
	image_ready
}

# image_ready - an image and a bridge
image_ready() {
	in_sandbox
	scadm image-build busybox >/dev/null 3>&-
	scadm run --rm busybox true 3>&-
	cables_gone
	# gc removes a bridge on which nobody has an address
	sc-ipam --db=/var/lib/scadm/scadm.db take bridge 10.99.200.1 keep
}

# cables_gone - wait until no container has a cable: those of containers that ended are removed in the background
cables_gone() {
	wait_until 20 sh -c '! ip -o link | grep -qE ": v[0-9]?-[0-9a-f]{12}[@:]"'
}

# id12 NAME - the first 12 digits of the id of a container
id12() {
	cat "/var/run/container/$1/id"
}

# cgroup_value NAME KEY - what the kernel holds for a container, in the words of KEY
cgroup_value() {
	sc-cg get "sc/$(id12 "$1")" "$2" | sed 's/^[^=]*=//'
}

# running NAME... - start containers in the background that end when told
running() {
	local name
	for name; do
		scadm run -d --name="$name" busybox sh -c 'trap "exit 0" TERM; while :; do sleep 0.1; done' >/dev/null 3>&-
		wait_until 20 catches "$name" TERM
	done
}

# catches NAME SIGNAL... - has the first process of a container set its traps for these signals? It runs before that, and
# what comes then is lost: the kernel drops it
catches() {
	local pid mask signal
	read -r pid _ <"/var/run/container/$1/pid"
	mask=$(sed -n 's/^SigCgt:[[:space:]]*//p' "/proc/$pid/status")
	shift
	for signal; do
		[ $((0x$mask >> ($(kill -l "$signal") - 1) & 1)) -eq 1 ] || return 1
	done
}

# released NAME - does nobody answer for a container any more? Then all it had is gone, and its log is whole
released() {
	! compgen -G "/var/run/container/.owners/*:containers:$1" >/dev/null
}

# field NAME PATH - one field of what inspect says: field web .State.ExitCode
field() {
	scadm inspect "$1" >"$BATS_TEST_TMPDIR/inspected" 3>&-
	sqlite3 :memory: "SELECT json_extract(readfile('$BATS_TEST_TMPDIR/inspected'), '\$[0]$2')"
}

# killed NAME [OPTION...] - start a container in the background, then kill -9 its supervisor and its init at once
killed() {
	local pid supervisor
	scadm run -d --name="$1" "${@:2}" busybox sleep 100 >/dev/null 3>&-
	read -r pid _ <"/var/run/container/$1/pid"
	supervisor=$(basename "$(echo /var/run/container/.owners/*:containers:"$1")")
	kill -9 "${supervisor%%:*}" "$pid"
	wait_until 20 sh -c "! [ -e /proc/$pid ]"
}

# outside - a namespace that is not ours, 192.0.2.2, with a cable to this host
outside() {
	ip netns add outside
	ip link add up0 type veth peer name eth0 netns outside
	ip addr add 192.0.2.1/24 dev up0
	ip link set up0 up
	ip -n outside addr add 192.0.2.2/24 dev eth0
	ip -n outside link set eth0 up
	ip -n outside route add default via 192.0.2.1
}

# outside_gone - take it away
outside_gone() {
	ip netns del outside
	# the kernel takes it apart later
	wait_until 30 sh -c '! ip link show up0'
}

# stop_at STEP SIGNAL WORD... - start a verb under --step, let it take STEP steps, send SIGNAL to scadm at the prompt
# status 1: it had fewer steps
stop_at() {
	local step="$1" signal="$2" out="$BATS_TEST_TMPDIR/out" answers="$BATS_TEST_TMPDIR/answers" n pid
	shift 2
	rm -f "$out" "$answers" "$BATS_TEST_TMPDIR/pid"
	mkfifo "$answers"
	script -qefc "echo \$\$ >$BATS_TEST_TMPDIR/pid; exec scadm --step $*" "$out" <"$answers" >/dev/null 2>&1 3>&- &
	exec 6>"$answers"
	for ((n = 0; n < step; n++)); do
		printf 'r\n' >&6
	done
	wait_until 20 reached "$step" "$out"
	if grep -q 'Script done' "$out"; then
		exec 6>&-
		wait
		return 1
	fi
	pid=$(cat "$BATS_TEST_TMPDIR/pid")
	kill "-$signal" "$pid"
	# a shell that is on its way into `read` hears of a signal when it has the answer: then it takes two
	if ! wait_until 5 ended "$pid"; then
		kill "-$signal" "$pid" || :
		wait_until 20 ended "$pid"
	fi
	exec 6>&-
	wait
}

# as_before - is the world the one before the test?
as_before() {
	world >"$BATS_TEST_TMPDIR/now"
	cmp "$BATS_TEST_TMPDIR/now" "$BATS_TEST_TMPDIR/world.before"
}

# ended PID - is it no more, or only not waited for?
ended() {
	! [ -e "/proc/$1" ] || grep -q '^State:.Z' "/proc/$1/status"
}

# reached STEP FILE - has the verb asked STEP + 1 times, or ended?
reached() {
	[ "$(grep -o 'r\]un it' "$2" | wc -l)" -gt "$1" ] || grep -q 'Script done' "$2"
}
