#!/usr/bin/env bats
# What comes out of a container has the container's own addresses as its source, or is dropped at the host's end of its cable

load helpers
load ready

teardown() {
	local network
	# what a test that failed left is not to fail the next one
	[ "${BATS_TEST_COMPLETED:-}" ] || {
		scadm ps -aq | xargs -r scadm rm -f >/dev/null
		for network in six back open; do
			[ ! -e "/var/lib/scadm/networks/$network" ] || scadm network rm "$network" >/dev/null
		done
		[ ! -e /run/netns/outside ] || outside_gone
	}
	sc_teardown
}

# check ARG... - have lib/source-check.sh print the program
check() {
	sh -c 'SC_LIB=$1; shift; . "$SC_LIB/lib.sh"; . "$SC_LIB/lib/address.sh"; . "$SC_LIB/lib/source-check.sh"
		source_check "$@"; printf "%s\n" "$source_filter"' sh "$ROOT" "$@"
}

# wires - namespaces a and b with an eth0 each: all that comes out of a goes into b, after the filters of va, be it that they
# leave it to the next one, which hands it over, or that they let it pass and the bridge does
wires() {
	bridge_firewall 0
	ip netns add a
	ip netns add b
	ip -batch - <<-END
		link add wires up type bridge mcast_snooping 0
		link add va type veth peer name eth0 address 02:42:0a:63:00:02 netns a
		link add vb type veth peer name eth0 netns b
		link set va up master wires
		link set vb up master wires
	END
	# nothing of their own to say
	ip netns exec a sh -c 'echo 1 >/proc/sys/net/ipv6/conf/eth0/disable_ipv6'
	ip netns exec b sh -c 'echo 1 >/proc/sys/net/ipv6/conf/eth0/disable_ipv6'
	ip -n a link set eth0 up
	ip -n b link set eth0 up
	forwarding va vb
	tc -batch - <<-END
		qdisc replace dev va clsact
		filter replace dev va ingress protocol all prio 2 handle 800::1 u32 match u32 0 0 at -4 action mirred egress redirect dev vb
	END
}

# forwarding LINK... - wait until the kernel has seen that these ports of bridges have both ends up: before that it drops frames
forwarding() {
	local link
	for link; do
		wait_until 20 grep -qx up "/sys/class/net/$link/operstate"
		wait_until 20 grep -qx 3 "/sys/class/net/$link/brport/state"
	done
}

# wires_gone - take them away
wires_gone() {
	ip netns del a
	ip netns del b
	ip link del wires
	wait_until 20 sh -c '! ip link show va && ! ip link show vb'
	bridge_firewall "$before"
}

# bridge_firewall NUMBER - whether frames between the ports of a bridge pass iptables, where the kernel has that; sets $before
bridge_firewall() {
	local file=/proc/sys/net/bridge/bridge-nf-call
	before=$1
	[ -e "$file-iptables" ] || return 0
	before=$(cat "$file-iptables")
	echo "$1" >"$file-iptables"
	echo "$1" >"$file-ip6tables"
}

# frames [NAME...] - which frames that a sends come to b
frames() {
	python3 "$BATS_TEST_DIRNAME/fixtures/source-frames.py" /run/netns/a /run/netns/b 02:42:0a:63:00:02 10.99.0.2 fd00:99::2 "$@"
}

@test "S26: only frames with its own MAC and addresses leave a container, whatever it sends" {
	requires rates python3 ipv6
	wires
	# so that what is dropped below is dropped by the check
	run -0 frames
	echo "$output"
	unlike "$output" '*dropped*'
	[ "${#lines[@]}" -gt 80 ]
	sc-filter va "$(check va 02:42:0a:63:00:02 10.99.0.2 fd00:99::2)"
	run -0 frames
	same "$(grep -vE '^(arrived own|dropped [^o])' <<<"$output")" ''
	[ "$(grep -c '^arrived own' <<<"$output")" -gt 25 ]
	[ "$(grep -c '^dropped' <<<"$output")" -gt 50 ]
	wires_gone
}

@test "S26: the check without IPv6 lets none of it pass, and it may be set twice" {
	requires rates python3
	wires
	sc-filter va "$(check va 02:42:0a:63:00:02 10.99.0.2 -)"
	sc-filter va "$(check va 02:42:0a:63:00:02 10.99.0.2 -)"
	same "$(tc filter show dev va ingress | grep -c bytecode)" 1
	run -0 frames 'own IPv4' 'own ARP' own6 IPv6
	same "$(grep -vE '^(arrived own [^6]|dropped (own6|IPv6))' <<<"$output")" ''
	[ "$(grep -c 'dropped own6' <<<"$output")" -gt 10 ]
	wires_gone
}

@test "S12, S15: what is no address becomes no filter" {
	local word
	for word in '' x 02:42:0a:63:00 02:42:0a:63:00:02:03 02:42:0a:63:00:zz '02:42:0a:63:00:0 2' '$(id)'; do
		expect 125 check va "$word" 10.99.0.2 -
		same "$output" ''
		like "$stderr" '*is no MAC address'
	done
	for word in '' x 10.99.0 10.99.0.256 10.99.0.2.3 '10.99.0.2;id' fd00::1; do
		expect 125 check va 02:42:0a:63:00:02 "$word" -
		same "$output" ''
		like "$stderr" '*is no IPv4 address'
	done
	for word in '' x fd00::1::2 fd00:1 12345::1 10.99.0.2 ::ffff:10.99.0.2; do
		expect 125 check va 02:42:0a:63:00:02 10.99.0.2 "$word"
		same "$output" ''
		like "$stderr" '*is no IPv6 address'
	done
}

# address_of NAME - its address on its first network
address_of() {
	field "$1" .NetworkSettings.IPAddress
}

# cable_of NAME - the host's end of its cable
cable_of() {
	echo "v-$(id12 "$1")"
}

# unchecked NAME COMMAND... - run it while nobody looks at what NAME sends
unchecked() {
	local cable program
	cable=$(cable_of "$1")
	program=$(tc filter show dev "$cable" ingress prio 1 | grep -o "bytecode '.*")
	shift
	tc filter del dev "$cable" ingress prio 1
	"$@"
	echo "filter add dev $cable ingress protocol all prio 1 handle 1 bpf da $program" | tc -batch -
}

# evil [OPTION...] - a container that may do with its own network what it likes, and its neighbour
evil() {
	scadm run -d --name=victim busybox sleep 1000 >/dev/null 3>&-
	scadm run -d --cap-add=NET_ADMIN --cap-add=NET_RAW --name=evil "$@" busybox sleep 1000 >/dev/null 3>&-
	forwarding "$(cable_of victim)" "$(cable_of evil)"
	victim=$(address_of victim)
	gateway=$(field victim .NetworkSettings.Gateway)
}

# neighbour - the MAC address that the host believes the victim has
neighbour() {
	ip neigh show "$victim" dev sc-br0 | sed -n 's/.*lladdr \([^ ]*\).*/\1/p'
}

# neighbour_is MAC - is it that one?
neighbour_is() {
	same "$(neighbour)" "$1"
}

# poison - let evil say that the victim's address is its own
poison() {
	ip neigh replace "$victim" lladdr 02:00:00:00:00:01 dev sc-br0 nud stale
	scadm exec evil arping -A -c 2 -I eth0 -s "$victim" "$gateway"
}

@test "S26: by ARP a container can neither take its neighbour's place nor the host's" {
	local mac
	evil
	mac=$(field evil .NetworkSettings.MacAddress)
	scadm exec evil ip addr add "$victim/32" dev eth0
	echo 1 >/proc/sys/net/ipv4/conf/sc-br0/arp_accept
	poison
	same "$(neighbour)" 02:00:00:00:00:01
	# the attack is one
	unchecked evil poison
	wait_until 20 neighbour_is "$mac"
	ip neigh del "$victim" dev sc-br0
	# nor does it answer the host who asks for the victim, whatever it does
	ip -n victim link set eth0 down
	run ! ping -c 1 -W 1 "$victim"
	unlike "$(neighbour)" "$mac"
	ip -n victim link set eth0 up
	wait_until 30 ping -c 1 -W 3 "$victim"
	# its own address is answered for
	ping -c 1 -W 20 "$(address_of evil)"
	echo 0 >/proc/sys/net/ipv4/conf/sc-br0/arp_accept
	sc rm -f victim evil
}

@test "its own packets pass, the large ones that are cut later and those in fragments too, unharmed and both ways" {
	sc run -d --name=web busybox sh -c 'head -c 30000000 /dev/urandom >/tmp/sent; nc -l -p 5001 >/tmp/got; nc -l -p 5002 </tmp/sent; sleep 1000'
	wait_until 20 listening web 1389
	head -c 30000000 /dev/urandom >"$BATS_TEST_TMPDIR/sent"
	bash -c 'cat "$1" >"/dev/tcp/$0/5001"' "$(address_of web)" "$BATS_TEST_TMPDIR/sent"
	wait_until 20 listening web 138A
	bash -c 'cat <"/dev/tcp/$0/5002"' "$(address_of web)" >"$BATS_TEST_TMPDIR/got"
	same "$(scadm exec web cat /tmp/got | sha256sum)" "$(sha256sum <"$BATS_TEST_TMPDIR/sent")"
	same "$(scadm exec web cat /tmp/sent | sha256sum)" "$(sha256sum <"$BATS_TEST_TMPDIR/got")"
	ping -c 1 -W 20 -s 5000 "$(address_of web)"
	scadm exec web ping -c 1 -W 20 -s 5000 "$(field web .NetworkSettings.Gateway)"
	sc rm -f web
}

# listening NAME PORT - does somebody in the container listen there? PORT in hexadecimal
listening() {
	grep -q ":$2 .* 0A " "/proc/$(init_of "$1")/net/tcp" "/proc/$(init_of "$1")/net/tcp6"
}

# init_of NAME - the pid of its first process
init_of() {
	sed -n '1s/ .*//p' "/var/run/container/$1/pid"
}

# counted ADDRESS PROTOCOL - how many packets with that source arrived at the host
counted() {
	iptables -w 10 -t raw -v -S PREROUTING | sed -n "s|^-A PREROUTING -s $1/32 -p $2 -c \([0-9]*\) .*|\1|p"
}

# ping_as ADDRESS - let evil send three packets from there to the host; no answer comes
ping_as() {
	scadm exec evil ping -c 3 -W 1 -i 0.2 -I "$1" "$gateway" || :
}

# counts MORE ADDRESS PROTOCOL - have so many arrived, or more?
counts() {
	[ "$(counted "$2" "$3")" -ge "$1" ]
}

@test "S26: a source address that is the neighbour's does not arrive, one's own does, whether or not bridged frames pass iptables" {
	local own number
	evil
	own=$(address_of evil)
	scadm exec evil ip addr add "$victim/32" dev eth0
	for number in 0 1; do
		bridge_firewall "$number"
		iptables -w 10 -t raw -I PREROUTING -s "$victim" -p icmp
		iptables -w 10 -t raw -I PREROUTING -s "$own" -p icmp
		ping_as "$victim"
		same "$(counted "$victim" icmp)" 0
		ping_as "$own"
		wait_until 20 counts 3 "$own" icmp
		unchecked evil ping_as "$victim"
		wait_until 20 counts 3 "$victim" icmp
		iptables -w 10 -t raw -D PREROUTING -s "$victim" -p icmp
		iptables -w 10 -t raw -D PREROUTING -s "$own" -p icmp
		bridge_firewall "$before"
	done
	sc rm -f victim evil
}

@test "S26: frames of every sort from one container to another: none that is not its own arrives" {
	requires python3
	local own mac number
	evil --privileged
	own=$(address_of evil)
	mac=$(field evil .NetworkSettings.MacAddress)
	for number in 0 1; do
		bridge_firewall "$number"
		run -0 python3 "$BATS_TEST_DIRNAME/fixtures/source-frames.py" /run/netns/evil /run/netns/victim "$mac" "$own" fd00:99::2
		bridge_firewall "$before"
		same "$(grep -E '^arrived ([^o]|own6)' <<<"$output")" ''
		like "$output" '*arrived own IPv4*arrived own ARP request*'
	done
	sc rm -f victim evil
}

@test "S26: with IPv6 it has its own address of that too, and no container is a router" {
	requires python3 ipv6
	local own mac own6 address6
	sc network create --ipv6 --subnet=10.97.0.0/24 --subnet=fd00:97::/64 six
	evil --net=six
	scadm run -d --name=friend --net=six busybox sleep 1000 >/dev/null 3>&-
	own=$(field evil .NetworkSettings.IPAddress)
	own6=$(field evil .NetworkSettings.GlobalIPv6Address)
	mac=$(field evil .NetworkSettings.MacAddress)
	address6=$(field friend .NetworkSettings.GlobalIPv6Address)
	scadm exec friend ping -c 1 -W 20 "$own6"
	scadm exec evil ping -c 1 -W 20 evil
	run -0 python3 "$BATS_TEST_DIRNAME/fixtures/source-frames.py" /run/netns/evil /run/netns/friend "$mac" "$own" "$own6"
	same "$(grep -E '^arrived [^o]' <<<"$output")" ''
	like "$output" '*arrived own6 UDP*arrived own6 advertisement*'
	scadm exec evil ip addr add fd00:97::6666/64 dev eth0
	run ! scadm exec evil ping -c 1 -W 1 -I fd00:97::6666 "$address6"
	scadm exec evil ping -c 1 -W 20 -I "$own6" "$address6"
	sc rm -f victim evil friend
	sc network rm six
}

@test "S26: the priority of another one's packets cannot be had by its address" {
	requires rates
	local chain
	outside
	evil
	scadm run -d --name=first --net-prio=6 busybox sleep 1000 >/dev/null 3>&-
	victim=$(address_of first)
	chain=SC-$(id12 first)
	scadm exec evil ip addr add "$victim/32" dev eth0
	run ! classified
	unchecked evil wait_until 30 classified
	sc rm -f victim evil first
	outside_gone
}

# classified - evil sends with the address of another: is a packet of it taken for one of that other?
classified() {
	scadm exec evil ping -c 3 -W 1 -i 0.2 -I "$victim" 192.0.2.2 || :
	unlike "$(iptables -w 10 -t mangle -v -S "$chain")" '* -c 0 0 *'
}

# ping_local - let evil send to an address of the host that is in 127.0.0.0/8
ping_local() {
	scadm exec evil ping -c 1 -W 1 127.0.0.5 || :
}

@test "S19, S26: 127.0.0.1 of the host does not hear a container that addresses it, even where the link would take it" {
	evil
	# what publishing to 127.0.0.1 needs of the bridge
	echo 1 >/proc/sys/net/ipv4/conf/sc-br0/route_localnet
	ip netns exec evil sh -c 'echo 1 >/proc/sys/net/ipv4/conf/eth0/route_localnet'
	scadm exec evil sh -c "ip addr del 127.0.0.1/8 dev lo; ip route add 127.0.0.5 via $gateway"
	iptables -w 10 -t raw -I PREROUTING -s "$(address_of evil)" -p icmp
	ping_local
	same "$(counted "$(address_of evil)" icmp)" 0
	# the first of two guards
	unchecked evil ping_local
	wait_until 20 counts 1 "$(address_of evil)" icmp
	iptables -w 10 -t raw -D PREROUTING -s "$(address_of evil)" -p icmp
	echo 0 >/proc/sys/net/ipv4/conf/sc-br0/route_localnet
	sc rm -f victim evil
}

@test "rates come and go, and the check stays" {
	requires rates
	local own link
	evil --net-rate=5mbit
	own=$(address_of evil)
	link=$(cable_of evil)
	scadm exec evil ip addr add "$victim/32" dev eth0
	iptables -w 10 -t raw -I PREROUTING -s "$victim" -p icmp
	like "$(tc filter show dev "$link" ingress)" '*pref 1 bpf*pref 2 u32*mirred*'
	ping_as "$victim"
	sc update --net-rate=none evil
	like "$(tc filter show dev "$link" ingress)" '*pref 1 bpf*'
	unlike "$(tc filter show dev "$link" ingress)" '*pref 2*'
	ping_as "$victim"
	sc update --net-rate-out=3mbit evil
	like "$(tc filter show dev "$link" ingress)" '*pref 1 bpf*pref 2 u32*mirred*'
	ping_as "$victim"
	# somebody was killed between the link and the filter
	tc filter del dev "$link" ingress prio 2
	sc update --net-rate-out=none evil
	like "$(tc filter show dev "$link" ingress)" '*pref 1 bpf*'
	unlike "$(tc filter show dev "$link" ingress)" '*pref 2*'
	same "$(counted "$victim" icmp)" 0
	ping -c 1 -W 20 "$own"
	iptables -w 10 -t raw -D PREROUTING -s "$victim" -p icmp
	sc rm -f victim evil
}

@test "a network with -o source-check=off has no check, and rates there come and go" {
	requires rates
	sc network create -o source-check=off open
	sc run -d --name=web --net=open busybox sleep 1000
	same "$(tc filter show dev "$(cable_of web)" ingress)" ''
	sc update --net-rate=5mbit web
	like "$(tc filter show dev "$(cable_of web)" ingress)" '*pref 2 u32*mirred*'
	sc update --net-rate=none web
	same "$(tc filter show dev "$(cable_of web)" ingress)" ''
	sc rm -f web
	sc network rm open
}

@test "each cable of a container on two networks has the check of that network's address" {
	local short
	sc network create --subnet=10.97.0.0/24 back
	sc run -d --name=web --net=bridge --net=back busybox sleep 1000
	short=$(id12 web)
	like "$(tc filter show dev "v-$short" ingress)" "*21 0 * $(number "$(field web .NetworkSettings.Networks.bridge.IPAddress)"),*"
	like "$(tc filter show dev "v1-$short" ingress)" "*21 0 * $(number "$(field web .NetworkSettings.Networks.back.IPAddress)"),*"
	sc rm -f web
	sc network rm back
}

# number ADDRESS - the address as one number
number() {
	sh -c 'SC_LIB=$1; . "$SC_LIB/lib.sh"; . "$SC_LIB/lib/address.sh"; address_number "$2"; echo "$number"' sh "$ROOT" "$1"
}

@test "connect-bridge: a namespace by name is checked as well" {
	local link
	sc create-netns --name=lab
	sc connect-bridge --name=lab --subnet=10.97.0.2/24
	link=$(ip -o link show master sc-br1 | sed 's/^[0-9]*: \([^@:]*\).*/\1/')
	like "$(tc filter show dev "$link" ingress)" "*21 0 * $(number 10.97.0.2),*"
	ip netns exec lab ping -c 1 -W 20 10.97.0.1
	ip -n lab addr add 10.97.0.3/24 dev eth0
	run ! ip netns exec lab ping -c 1 -W 1 -I 10.97.0.3 10.97.0.1
	sc disconnect-bridge --name=lab
	sc delete-netns --name=lab
}

# watched - a sc-filter that says of the link, before it sets the check, whether it is up and in a bridge; sets $fakes
watched() {
	fakes=$BATS_TEST_TMPDIR/fakes
	mkdir "$fakes"
	cp -P "$SC_HELPERS"/sc-* "$SC_HELPERS/seccomp.bpf" "$fakes"
	rm "$fakes/sc-filter"
	cat >"$fakes/sc-filter" <<-END
		#!/bin/sh
		read -r flags <"/sys/class/net/\$1/flags"
		plugged=out
		[ ! -e "/sys/class/net/\$1/master" ] || plugged=in
		echo "\$((flags & 1)) \$plugged" >>"$BATS_TEST_TMPDIR/seen"
		exec "$(readlink -f "$SC_HELPERS/sc-filter")" "\$@"
	END
	chmod +x "$fakes/sc-filter"
}

@test "S26: what runs already finds no moment without the check when a cable comes: our end is down, and in no bridge, until then" {
	local fakes
	watched
	sc network create --subnet=10.97.0.0/24 back
	sc run -d --cap-add=NET_ADMIN --name=evil busybox sleep 1000
	SC_HELPERS=$fakes sc network connect back evil
	same "$(cat "$BATS_TEST_TMPDIR/seen")" '0 out'
	scadm exec evil ping -c 1 -W 20 10.97.0.1
	like "$(tc filter show dev "v1-$(id12 evil)" ingress)" '*bpf*'
	# and where it comes back to the network that it left
	SC_HELPERS=$fakes sc network disconnect bridge evil
	SC_HELPERS=$fakes sc network connect bridge evil
	same "$(cat "$BATS_TEST_TMPDIR/seen")" "0 out
0 out"
	sc create-netns --name=lab
	SC_HELPERS=$fakes sc connect-bridge --name=lab --subnet=10.96.0.2/24
	same "$(cat "$BATS_TEST_TMPDIR/seen")" "0 out
0 out
0 out"
	ip netns exec lab ping -c 1 -W 20 10.96.0.1
	sc disconnect-bridge --name=lab
	sc delete-netns --name=lab
	sc rm -f evil
	sc network rm back
}

@test "S23: a kernel without cls_bpf: an error that names it and the way without, and nothing stays" {
	local fakes="$BATS_TEST_TMPDIR/fakes"
	mkdir "$fakes"
	cp -P "$SC_HELPERS"/sc-* "$SC_HELPERS/seccomp.bpf" "$fakes"
	# as a kernel says that has no cls_bpf
	rm "$fakes/sc-filter"
	printf '#!/bin/sh\necho "sc-filter: $1: add filter bpf: No such file or directory" >&2\nexit 125\n' >"$fakes/sc-filter"
	chmod +x "$fakes/sc-filter"
	SC_HELPERS=$fakes sc 125 run --name=web busybox true
	like "$stderr" '*add filter bpf*failed (125): sc-filter v-*cls_bpf*source-check=off*'
	SC_HELPERS=$fakes sc 125 run --name=web --net-rate=5mbit busybox true
	like "$stderr" '*add filter bpf*failed (125): sc-filter v-*cls_bpf*source-check=off*'
}

@test "plan: what -n prints makes the same check" {
	local program
	scadm -n run -d --name=web --ip=10.99.0.77 busybox sleep 1000 >"$BATS_TEST_TMPDIR/plan" 3>&-
	like "$(cat "$BATS_TEST_TMPDIR/plan")" "*sc-filter v-* '31,*"
	run -0 sh -e "$BATS_TEST_TMPDIR/plan" 3>&-
	program=$(tc filter show dev "$(cable_of web)" ingress)
	like "$program" '*direct-action*'
	sc rm -f web
	sc run -d --name=web --ip=10.99.0.77 busybox sleep 1000
	same "$(tc filter show dev "$(cable_of web)" ingress)" "$program"
	sc rm -f web
}
