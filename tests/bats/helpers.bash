# helpers.bash: what every test file loads. A file may define its own setup and teardown around ours:
#
#	load helpers
#	setup() { sc_setup; ... }
#	teardown() { ...; sc_teardown; }
#	@test "S7: unknown capabilities are refused" {
#		sc 125 run --cap-add NOPE img true
#		like "$stderr" '*NOPE*'
#	}
#
# Output of a test is seen only when it fails, so say much. No sleep: wait_until. No `! cmd` (bats does not
# notice that it fails): run ! cmd.

bats_require_minimum_version 1.5.0

ROOT=$(readlink -f "$BATS_TEST_DIRNAME")
ROOT=${ROOT%/tests/bats*}
SHARED=$(readlink -m "$ROOT/../shared/testdata")
SC_HELPERS=${SC_HELPERS:-$ROOT/build}
PATH=$SC_HELPERS:$ROOT/bin:$PATH
# a leak of memory at the end of a helper that is about to exec is none
ASAN_OPTIONS=${ASAN_OPTIONS:-detect_leaks=0}
export ROOT SHARED SC_HELPERS PATH ASAN_OPTIONS

# in_sandbox - fail outside of a sandbox: what is tested here runs as root
in_sandbox() {
	[ -n "${SC_SANDBOX:-}" ] && [ "$SC_SANDBOX" = "$(readlink /proc/self/ns/net)" ] && return 0
	echo "these tests change the network, mounts and cgroups of the machine they run on; type:" >&2
	echo "  tests/sandbox bats ${BATS_TEST_FILENAME#"$PWD/"}" >&2
	return 1
}

# setup_file - for a file that has none; one that has calls in_sandbox first
setup_file() {
	in_sandbox
}

# setup - for a file that has none
setup() {
	sc_setup
}

# teardown - for a file that has none
teardown() {
	sc_teardown
}

# sc_setup - remember the world; before the first test of a file once it stands still, as setup_file may have left the
# kernel something to clean up
sc_setup() {
	in_sandbox
	if [ ! -e "$BATS_FILE_TMPDIR/settled" ]; then
		wait_until 20 world_settled
		: >"$BATS_FILE_TMPDIR/settled"
	fi
	# nothing is passed on purpose
	# shellcheck disable=SC2119
	world >"$BATS_TEST_TMPDIR/world.before"
}

# world_settled - are two looks at the world, a moment apart, the same?
world_settled() {
	local before
	# nothing is passed on purpose
	# shellcheck disable=SC2119
	before=$(world)
	sleep 0.2
	# shellcheck disable=SC2119
	[ "$(world)" = "$before" ]
}

# sc_teardown - the leak check: is the world as it was? The kernel may take 20 seconds to clean up
sc_teardown() {
	[ -e "$BATS_TEST_TMPDIR/world.before" ] || return 0
	local deadline=$((SECONDS + 20))
	while :; do
		# nothing is passed on purpose
		# shellcheck disable=SC2119
		world >"$BATS_TEST_TMPDIR/world.after"
		cmp -s "$BATS_TEST_TMPDIR/world.before" "$BATS_TEST_TMPDIR/world.after" && return 0
		[ "$SECONDS" -lt "$deadline" ] || break
		sleep 0.05
	done
	echo "left behind (+) or taken away (-) by this test, after 20 seconds:"
	diff -U 0 "$BATS_TEST_TMPDIR/world.before" "$BATS_TEST_TMPDIR/world.after" | grep '^[+-][^+-]'
	return 1
}

# world [--normal] - all that a verb can have changed, see tests/world
# a test passes --normal, the leak check nothing
# shellcheck disable=SC2120
world() {
	"$ROOT/tests/world" "$@"
}

# sc [STATUS] ARG... - run scadm, expect STATUS (0); sets $status, $output, $stderr as run does
sc() {
	local expected=0
	case $1 in
	[0-9] | [0-9][0-9] | [0-9][0-9][0-9])
		expected=$1
		shift
		;;
	esac
	expect "$expected" scadm "$@"
}

# apart COMMAND... - run it without the descriptor bats prints on: bats waits for whoever holds it, and a
# container may live longer than its test
apart() {
	"$@" 3>&-
}

# expect STATUS COMMAND... - the same for any command
expect() {
	local expected="$1" flags=(--separate-stderr)
	shift
	# bats warns about every 127 that it was not told of
	[ "$expected" -ne 127 ] || flags+=(-127)
	run "${flags[@]}" apart "$@"
	printf '$%s\n' "$(printf ' %q' "$@")"
	[ -z "$output" ] || printf '%s\n' "$output"
	[ -z "$stderr" ] || printf 'stderr: %s\n' "$stderr"
	[ "$status" -eq "$expected" ] && return 0
	printf 'status is %s, expected %s\n' "$status" "$expected"
	return 1
}

# like GOT PATTERN - does GOT match a shell pattern?
like() {
	# the pattern is a pattern
	# shellcheck disable=SC2053
	[[ $1 == $2 ]] && return 0
	printf 'got:      %q\nexpected: %s\n' "$1" "$2"
	return 1
}

# unlike GOT PATTERN - does GOT not match it?
unlike() {
	# the pattern is a pattern
	# shellcheck disable=SC2053
	[[ $1 != $2 ]] && return 0
	printf 'got:          %q\nnot expected: %s\n' "$1" "$2"
	return 1
}

# same GOT EXPECTED - are both the same, byte for byte?
same() {
	[ "$1" = "$2" ] && return 0
	printf 'got:      %q\nexpected: %q\n' "$1" "$2"
	diff -U 2 <(printf '%s\n' "$2") <(printf '%s\n' "$1") | sed 1,2d
	return 1
}

# wait_until SECONDS COMMAND... - try a condition 20 times a second until it holds
wait_until() {
	local deadline=$((SECONDS + $1 + 1)) seconds="$1"
	shift
	while ! "$@" >/dev/null 2>&1 3>&-; do
		if [ "$SECONDS" -ge "$deadline" ]; then
			printf 'not true after %s seconds:%s\n' "$seconds" "$(printf ' %q' "$@")"
			"$@" 3>&- || return 1
			return 0
		fi
		sleep 0.05
	done
}

# wait [PID...] - without PID for the children of the test, but not for the clock that bats runs beside it
# when there is a limit (BATS_TEST_TIMEOUT): that one ends when the time is over
wait() {
	local child
	if [ $# -gt 0 ] || [ -z "${BATS_killer_pid:-}" ]; then
		builtin wait "$@"
		return
	fi
	for child in $(jobs -p); do
		# as for a bare wait, what became of them does not matter
		[ "$child" = "$BATS_killer_pid" ] || builtin wait "$child" || :
	done
}

# ends PID STATUS - wait for a child, and compare (run would wait in a subshell, which has no children)
ends() {
	local got=0
	wait "$1" || got=$?
	same "$got" "$2"
}

# one_of_three COMMAND... - does it hold once? For what is measured: the host may stand still meanwhile, and a limit that does
# not hold fails each time. COMMAND must join its checks by &&: bats does not see which of them fails in here
one_of_three() {
	local try
	for try in 1 2 3; do
		"$@" && return 0
		echo "that was try $try"
	done
	return 1
}

# has_controller NAME... - is one of these cgroup controllers here, in either version?
has_controller() {
	local name
	for name; do
		grep -qE " - cgroup [^ ]+ ([^ ]*,)?$name(,|\$)" /proc/self/mountinfo && return 0
		awk '/ - cgroup2 / { print $5 "/cgroup.controllers" }' /proc/self/mountinfo |
			xargs -r cat 2>/dev/null | tr ' ' '\n' | grep -qx "$name" && return 0
	done
	return 1
}

# requires FEATURE... - skip unless this machine has all of them; a word that is not in the table fails.
# This is for what a machine may lack, not for what make deps installs everywhere.
requires() {
	local feature
	for feature; do
		case $feature in
		root) [ "$(id -u)" = 0 ] ;;
		cgroup1) grep -q ' - cgroup ' /proc/self/mountinfo ;;
		cgroup2) grep -q ' - cgroup2 ' /proc/self/mountinfo ;;
		cgroup2_memory) awk '/ - cgroup2 / { print $5 "/cgroup.controllers" }' /proc/self/mountinfo | xargs -r cat | grep -qw memory ;;
		memory | pids | cpu | cpuset | hugetlb) has_controller "$feature" ;;
		devices) has_controller devices || grep -q ' - cgroup2 ' /proc/self/mountinfo ;;
		freezer) has_controller freezer || grep -q ' - cgroup2 ' /proc/self/mountinfo ;;
		io) has_controller io blkio ;;
		huge_pages) [ "$(cat /sys/kernel/mm/hugepages/hugepages-2048kB/free_hugepages 2>/dev/null || echo 0)" -ge 4 ] ;;
		swap) [ -e /sys/fs/cgroup/memory/memory.memsw.limit_in_bytes ] || [ -e /sys/fs/cgroup/init/memory.swap.max ] ;;
		overlay) grep -qw overlay /proc/filesystems ;;
		userns) unshare --user true 2>/dev/null ;;
		timens) [ -e /proc/self/ns/time ] ;;
		seccomp) grep -q '^Seccomp:' /proc/self/status ;;
		ipv6) [ -e /proc/sys/net/ipv6 ] ;;
		shared) [ -d "$SHARED" ] ;;
		loop) [ -e /dev/loop-control ] && losetup -f >/dev/null 2>&1 ;;
		vxlan) unshare --net ip link add vx0 type vxlan id 1 dstport 4789 2>/dev/null ;;
		fuse | kvm | net/tun) [ -e "/dev/$feature" ] ;;
		macvlan) unshare --net sh -ec 'ip link add c0 type veth peer name c1 && ip link add m0 link c0 type macvlan' 2>/dev/null ;;
		netem) unshare --net tc qdisc add dev lo root netem delay 1ms 2>/dev/null ;;
		rates)
			unshare --net sh -ec 'ip link add i0 type ifb && tc qdisc add dev i0 root tbf rate 1mbit burst 3k limit 9k
				tc qdisc add dev lo clsact && tc filter add dev lo ingress u32 match u32 0 0 action mirred egress redirect dev i0' 2>/dev/null
			;;
		psi) grep -q ' - cgroup2 ' /proc/self/mountinfo && cat /proc/pressure/cpu >/dev/null 2>&1 ;;
		two_cpus) [ "$(nproc)" -ge 2 ] ;;
		sys_resource) [ $((0x$(awk '/^CapEff/ { print $2 }' /proc/self/status) >> 24 & 1)) -eq 1 ] ;;
		plain_helpers) ! nm -D "$SC_HELPERS/sc-clone" 2>/dev/null | grep -q __asan_init ;;
		strace) strace -qq -o /dev/null true 2>/dev/null ;;
		qemu) command -v qemu-system-x86_64 >/dev/null ;;
		nft | docker-registry | umoci | skopeo | catatonit | sshd | tmux | script | mmdebstrap | dnf | rpm | yum | bsdtar | runc | crun | podman | docker | dot | tcpdump | etcd | etcdctl | openssl | nc | socat | curl | nginx | conntrack | ping | python3 | gcc | clang | jq | ssh | sudo | pv | zstd | git | e2fsck | setquota | mkfs.xfs)
			command -v "$feature" >/dev/null
			;;
		*)
			echo "BUG: requires $feature: not in the table of tests/bats/helpers.bash" >&2
			return 1
			;;
		esac || skip "needs $feature"
	done
}
