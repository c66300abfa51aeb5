#!/usr/bin/env bats
# the plan: what -n prints is what runs, and the undo takes it back

load helpers
load ready

# equal_worlds VERB... - the world after `scadm VERB` is the world after `scadm -n VERB | sh -e`; $undo_all takes both back
equal_worlds() {
	last=$(sqlite3 /var/lib/scadm/scadm.db "SELECT last FROM pools WHERE name = 'bridge'")
	scadm -n "$@" >"$BATS_TEST_TMPDIR/plan" 3>&-
	world >"$BATS_TEST_TMPDIR/untouched"
	cmp "$BATS_TEST_TMPDIR/untouched" "$BATS_TEST_TMPDIR/world.before"
	cat "$BATS_TEST_TMPDIR/plan"
	sh -e "$BATS_TEST_TMPDIR/plan" 3>&-
	settled >"$BATS_TEST_TMPDIR/planned"
	# the next free address is the one after the last taken: let both worlds have the same
	sqlite3 /var/lib/scadm/scadm.db "UPDATE pools SET last = $last WHERE name = 'bridge'"
	undo_all
	wait_until 20 as_before
	scadm "$@" 3>&-
	settled >"$BATS_TEST_TMPDIR/done"
	undo_all
	diff "$BATS_TEST_TMPDIR/planned" "$BATS_TEST_TMPDIR/done"
	wait_until 20 as_before
}

# settled - the world once it stays as it is: the kernel takes the veth of a deleted namespace away a moment later
settled() {
	local tries
	wait_until 20 no_loose_cable
	for tries in {1..20}; do
		world --normal >"$BATS_TEST_TMPDIR/settling.$((tries % 2))"
		! cmp -s "$BATS_TEST_TMPDIR"/settling.[01] || break
		sleep 0.1
	done
	cat "$BATS_TEST_TMPDIR/settling.0"
}

# no_loose_cable - has every cable of this host its other end in a namespace that still has a name?
no_loose_cable() {
	! ip -o link show type veth | grep -v ' link-netns '
}

# undo_all - replay the journals that the test's verbs left, by what is printed in the manual: the file and scadm undo
undo_all() {
	local journal
	[ ! -e /var/lib/scadm/containers/p1 ] || scadm rm -f p1 >/dev/null
	for journal in /var/lib/scadm/connections/*/undo /var/lib/scadm/netns/p*/undo /var/lib/scadm/cgroups/*/undo /var/lib/scadm/networks/sc-br[1-9]/undo; do
		[ ! -e "$journal" ] || scadm undo "$journal"
	done
}

@test "plan: run -d" {
	equal_worlds run -d --name=p1 -m 64m -e A=b busybox sh -c 'sleep 100 # a "quoted" $word'
}

@test "plan: run in the foreground leaves nothing either way" {
	equal_worlds run --name=p1 busybox true
}

@test "plan: run in the foreground with --keep, and its status" {
	equal_worlds run --keep --name=p1 busybox true
	scadm -n run --name=p1 busybox sh -c 'exit 7' >"$BATS_TEST_TMPDIR/plan7"
	run -7 sh -e "$BATS_TEST_TMPDIR/plan7"
}

@test "plan: create-netns" {
	equal_worlds create-netns --name=p1
}

@test "plan: connect-bridge makes its bridge" {
	ip netns add mine
	sc_setup
	equal_worlds connect-bridge --name=mine --subnet=10.0.2.3/24
	ip netns del mine
	sc_setup
}

@test "plan: connect-pair" {
	ip netns add one
	ip netns add two
	sc_setup
	equal_worlds connect-pair --netns=one,two --subnets=10.0.3.1/24,10.0.3.2/24
	ip netns del one
	ip netns del two
	sc_setup
}

@test "plan: create-cgroup" {
	requires pids
	equal_worlds create-cgroup --name=p1 --limits=pids.max=10
}

# removing_equals MAKE REMOVE - the plan of the removing verb removes what the verb removes
removing_equals() {
	eval "$1" >/dev/null 3>&-
	eval "scadm -n $2" >"$BATS_TEST_TMPDIR/plan"
	cat "$BATS_TEST_TMPDIR/plan"
	sh -e "$BATS_TEST_TMPDIR/plan" 3>&-
	wait_until 20 as_before
	eval "$1" >/dev/null 3>&-
	eval "scadm $2" >/dev/null
	wait_until 20 as_before
}

@test "plan: rm, rm -f, delete-netns, delete-cgroup, disconnect" {
	removing_equals 'scadm run --keep --name=p1 busybox true' 'rm p1'
	removing_equals 'scadm run -d --name=p1 busybox sleep 100' 'rm -f p1'
	removing_equals 'scadm create-netns --name=p1' 'delete-netns p1'
	removing_equals 'scadm create-cgroup --name=p1' 'delete-cgroup p1'
	removing_equals 'scadm create-netns --name=p1; scadm connect-bridge --name=p1 --subnet=10.0.5.3/24' 'delete-netns p1'
}

@test "explain: the lines are on stderr, the output is the command's own" {
	sc -x run --rm busybox echo hello
	same "$output" hello
	like "$stderr" '*sc-netns --uid-map=*sc-cg --v2-fd=6 exec*sc-clone*'
}

@test "plan: is short enough to read: no helper program is missing from it" {
	sc -n run --rm busybox true
	like "$output" '#!/bin/sh*sc-cg --v2-fd=6 exec sc/*sc-nsexec --net=/run/netns/*sc-clone*--args=*/args*'
}

@test "step: r runs one, q undoes" {
	requires script
	printf 'r\nr\nr\nq\n' >"$BATS_TEST_TMPDIR/answers"
	run -0 sh -c 'script -qec "scadm --step run --name=p1 busybox true; echo status \$?" /dev/null <"$1" 3>&-' sh "$BATS_TEST_TMPDIR/answers"
	like "$output" '*[[]r[]]un it*status 130*'
}

# failing N COMMAND... - run it where the Nth call of any tool fails; status 99: there were fewer calls
failing() {
	# each time others: what runs in the background may still be at those of the time before
	local n="$1" fakes="$BATS_TEST_TMPDIR/fakes.$1" tool status=0
	shift
	mkdir "$fakes"
	: >"$fakes/.calls"
	for tool in "$ROOT"/build/sc-* ip iptables iptables-restore mkdir ln sqlite3 flock; do
		cat >"$fakes/${tool##*/}" <<-END
			#!/bin/sh
			# one may run in the background: a line is appended whole
			read -r call </proc/sys/kernel/random/uuid
			echo \$call >>$fakes/.calls
			[ "\$(sed -n /\$call/= $fakes/.calls)" != $n ] || {
				echo "\${0##*/} \$*" >$fakes/.failed
				exit 1
			}
			exec $(PATH=$PATH command -v "$tool") "\$@"
		END
		chmod +x "$fakes/${tool##*/}"
	done
	cp "$ROOT/build/seccomp.bpf" "$fakes"
	SC_HELPERS=$fakes "$@" || status=$?
	[ "$(wc -l <"$fakes/.calls")" -ge "$n" ] || return 99
	return "$status"
}

@test "S23: whichever call of a tool fails, run says so and leaves nothing" {
	local n=1 status=0 failed
	while :; do
		status=0
		failing "$n" scadm run --name=f1 busybox true >"$BATS_TEST_TMPDIR/said" 2>&1 3>&- || status=$?
		[ "$status" -ne 99 ] || break
		wait_until 20 test -s "$BATS_TEST_TMPDIR/fakes.$n/.failed"
		failed=$(cat "$BATS_TEST_TMPDIR/fakes.$n/.failed")
		echo "call $n: $failed status $status: $(cat "$BATS_TEST_TMPDIR/said")"
		case $failed in
		# in the background; the cable goes with its namespace as well
		'ip link del dev v-'*) [ "$status" -eq 0 ] ;;
		*)
			# a call that fails is no success, but for those of the undo: what they leave is said, and gc takes it
			[ "$status" -ne 0 ] || like "$(cat "$BATS_TEST_TMPDIR/said")" '*undo failed*'
			# the chain is silent: its status is that of the container
			[ "$status" -eq 1 ] || [ -s "$BATS_TEST_TMPDIR/said" ]
			;;
		esac
		scadm gc
		wait_until 20 as_before
		n=$((n + 1))
	done
	echo "$n calls"
	[ "$n" -gt 12 ]
}

@test "journal: a name that is taken is refused before anything happens" {
	ip netns add taken
	sc 125 run --name=taken busybox true
	test -e /run/netns/taken
	ip netns del taken
}
