#!/usr/bin/env bats
# kill -9 at every step of run, then gc; SIGTERM at every step, no gc: nothing is left

load helpers
load ready

# every_step SIGNAL [gc] - stop a run at every step it has
every_step() {
	local step=0
	while stop_at "$step" "$1" run --name=k1 busybox true; do
		[ -z "${2-}" ] || scadm gc
		if ! wait_until 20 as_before; then
			echo "after SIG$1 at step $step:"
			tail -n 3 "$BATS_TEST_TMPDIR/out"
			diff "$BATS_TEST_TMPDIR/world.before" "$BATS_TEST_TMPDIR/now"
			return 1
		fi
		step=$((step + 1))
	done
	echo "$step steps"
	[ "$step" -ge 15 ]
}

@test "S20: kill -9 at every step of run, then gc: nothing is left" {
	requires script
	every_step KILL gc
}

@test "S20: SIGTERM at every step of run: nothing is left, without gc" {
	requires script
	every_step TERM
}

@test "S20: kill -9 while the container runs ends it, and the next verb cleans up" {
	scadm run --name=k2 busybox sleep 100 3>&- &
	wait_until 20 test -s /var/run/container/k2/pid
	read -r pid _ </var/run/container/k2/pid
	kill -9 "$!"
	wait_until 20 sh -c "! [ -e /proc/$pid ]"
	sc run --rm busybox true
	wait_until 20 as_before
}

@test "S25: INT and TERM end a foreground run, also one whose pid 1 has no handler" {
	local signal
	for signal in INT TERM HUP; do
		# a shell starts what it puts in the background with SIGINT ignored
		env --default-signal=INT scadm run --name=k3 busybox sleep 100 3>&- &
		wait_until 20 test -s /var/run/container/k3/pid
		kill "-$signal" "$!"
		status=0
		wait "$!" || status=$?
		echo "status $status after $signal"
		[ "$status" -eq $((128 + $(kill -l "$signal"))) ]
		wait_until 20 as_before
	done
}

@test "S21: the supervisor of a detached container is killed: the container goes on, rm -f ends it" {
	scadm run -d --name=k4 busybox sleep 100 >/dev/null 3>&-
	supervisor=$(basename "$(echo /var/run/container/.owners/*:containers:k4)")
	kill -9 "${supervisor%%:*}"
	sc ps
	like "$output" '*k4*Up*'
	sc rm -f k4
}

@test "S21: init is killed: the status is 137 and rm works" {
	scadm run -d --name=k5 busybox sleep 100 >/dev/null 3>&-
	read -r pid _ </var/run/container/k5/pid
	kill -9 "$pid"
	wait_until 20 sh -c 'scadm ps -a | grep -q "k5.*Exited (137)"'
	sc rm k5
}

@test "S21: supervisor and init are killed at once: gc and rm leave nothing" {
	killed k6
	sc gc
	sc ps -a
	like "$output" '*k6*Exited (137)*'
	run ! ip netns exec k6 true
	sc rm k6
}

@test "gc -n prints what gc would do and does nothing" {
	killed k7
	sc gc -n
	like "$output" '*scadm-undo /var/lib/scadm/containers/k7/undo keep*'
	test -e /run/netns/k7
	sc gc
	sc rm k7
}

@test "S22: after a reboot nothing is reported running, and what did not outlive it is undone" {
	killed k8
	# what a reboot takes: /run, and the network that scadm made
	ip netns del k8
	rm -rf /run/container
	ip link del sc-br0
	sc run --rm busybox true
	sc ps -a
	like "$output" '*k8*Exited (137)*'
	test -e /var/run/container/k8/config.json
	sc rm k8
}
