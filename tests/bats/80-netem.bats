#!/usr/bin/env bats
# netem: the network of a container is made late, slow, lossy, damaged, and good again

load helpers
load ready

teardown() {
	# what a test that failed left is not to fail the next one
	[ "${BATS_TEST_COMPLETED:-}" ] || scadm ps -aq | xargs -r scadm rm -f >/dev/null
	sc_teardown
}

# idle NAME OPTION... - a container that does nothing
idle() {
	scadm run -d --name "$@" busybox sleep 1000 >/dev/null 3>&-
}

# gone NAME... - without a container that does not end by TERM being waited for
gone() {
	scadm rm -f "$@" >/dev/null
}

# address_of NAME - its address on its first network
address_of() {
	awk 'NR == 1 { print $4 }' "/var/lib/scadm/containers/$1/networks"
}

@test "netem: what is not understood changes nothing" {
	local word
	idle web
	for word in delay delay= delay=x delay=10 delay=10min delay=-1ms delay=61s delay=60.5s delay=1.ms delay=.5s delay=1e3ms \
		'delay=10ms;x' delay=00ms jitter=5ms loss=x loss=101% loss=100.1 loss=-1 loss=1%% loss= corrupt=nan duplicate=1.1234567 \
		rate=fast rate=none rate=1mbit:10k rate=1 limit=0 limit=1.5 limit=1000001 reorder=1% =1 =; do
		sc 125 netem web "$word"
	done
	sc 125 netem web delay=1ms delay=2ms
	sc 125 netem web --clear delay=1ms
	sc 125 netem -i eth1 web delay=1ms
	like "$stderr" "*'web' has no eth1; it has eth0*"
	sc 125 netem -i '../x' web delay=1ms
	sc 125 netem nobody delay=1ms
	sc 125 netem
	unlike "$(tc qdisc show dev "v-$(id12 web)")" '*netem*'
	sc netem web
	same "$output" none
	gone web
	idle bare --net=none
	sc 125 netem bare delay=1ms
	like "$stderr" "*'bare' has no cable of its own: its network is 'none'*"
	gone bare
	scadm create --name=still busybox true >/dev/null
	sc 125 netem still delay=1ms
	scadm rm still
}

@test "netem: a kernel without it: the error names the module, and nothing has changed" {
	idle web
	mkdir "$BATS_TEST_TMPDIR/bin"
	cat >"$BATS_TEST_TMPDIR/bin/tc" <<-END
		#!/bin/sh
		case "\$*" in *netem*) echo 'Error: Specified qdisc kind is unknown.' >&2; exit 2 ;; esac
		exec $(command -v tc) "\$@"
	END
	chmod +x "$BATS_TEST_TMPDIR/bin/tc"
	PATH=$BATS_TEST_TMPDIR/bin:$PATH sc 125 netem web delay=10ms
	like "$stderr" '*tc qdisc add dev v-* root netem delay 10ms*sch_netem*'
	sc netem web
	same "$output" none
	gone web
}

@test "netem: -n prints the very line" {
	idle web
	sc -n netem web loss=0.5% delay=100ms jitter=10ms rate=1mbit duplicate=1 corrupt=100% limit=50
	same "$(tail -n 1 <<<"$output")" \
		"tc qdisc add dev v-$(id12 web) root netem delay 100ms 10ms limit 50 loss 0.5% rate 1000000bit duplicate 1% corrupt 100%"
	gone web
}

@test "netem: a cable that has a shaper keeps it" {
	requires rates
	idle web --net-rate-in=10mbit
	sc 125 netem web delay=10ms
	like "$stderr" '*--net-rate-in*rate=*'
	like "$(tc qdisc show dev "v-$(id12 web)")" '*tbf*root*10Mbit*'
	sc netem web --clear
	like "$(tc qdisc show dev "v-$(id12 web)")" '*tbf*root*10Mbit*'
	gone web
}

# answers_after NAME MS - does it answer a ping, and no sooner?
answers_after() {
	local time
	time=$(ping -c 1 -W 20 "$(address_of "$1")" | sed -n 's/.*time=\([0-9]*\).*/\1/p')
	echo "answer after $time ms"
	[ "$time" -ge "$2" ]
}

@test "netem: packets are late, lost, and whole again after --clear; a container that starts again has none" {
	requires netem ping
	idle web
	sc netem web delay=300ms
	answers_after web 300
	# what is not named again is no longer in force
	sc netem web loss=100%
	sc netem web
	like "$output" '*loss 100%*'
	unlike "$output" '*delay*'
	run ! ping -c 2 -i 0.2 -W 1 "$(address_of web)"
	sc netem web --clear
	sc netem web
	same "$output" none
	sc netem web --clear
	ping -c 1 -W 20 "$(address_of web)"
	sc netem web corrupt=10% duplicate=50% rate=1mbit delay=1ms jitter=1ms
	sc stop -t 0 web
	sc start web
	sc netem web
	same "$output" none
	gone web
}

@test "netem: of a container on several networks the cable that is named" {
	requires netem
	scadm network create other >/dev/null
	idle web --net=bridge --net=other
	sc netem -i eth1 web loss=100%
	like "$(tc qdisc show dev "v1-$(id12 web)")" '*netem*loss 100%*'
	unlike "$(tc qdisc show dev "v-$(id12 web)")" '*netem*'
	gone web
	scadm network rm other
}
