#!/usr/bin/env bats
# the driver macvlan: containers with a MAC of their own on a link of the host

load helpers
load ready

setup() {
	requires macvlan
	sc_setup
	# the network that the host is in: a router, 198.51.100.1, behind lan0
	ip netns add router
	ip link add lan0 type veth peer name eth0 netns router
	ip link set dev lan0 up
	ip -n router address add 198.51.100.1/24 dev eth0
	ip -n router link set dev eth0 up
	ip -n router link set dev lo up
}

teardown() {
	local others
	[ -n "${BATS_TEST_COMPLETED-}" ] || {
		others=$(scadm network ls -q --filter type=custom)
		# ids without blanks
		# shellcheck disable=SC2086
		gone $others
	}
	[ ! -e /run/netns/router ] || ip netns del router
	wait_until 20 sh -c '! [ -e /sys/class/net/lan0 ]'
	sc_teardown
}

# macvlan NAME OPTION... - make a network of that kind on lan0
macvlan() {
	local name="$1"
	shift
	scadm network create -d macvlan -o parent=lan0 --subnet=198.51.100.0/24 --gateway=198.51.100.1 "$@" "$name" >/dev/null 3>&-
}

# sleeper NAME OPTION... - a container that waits; no name server answers here, so that none is asked
sleeper() {
	local name="$1"
	shift
	scadm run -d --name="$name" --dns=127.0.0.1 "$@" busybox sleep 1000 >/dev/null 3>&-
}

# gone NAME... - end all containers, then remove the networks NAME...
gone() {
	# names without blanks
	# shellcheck disable=SC2046
	[ -z "$(scadm ps -aq)" ] || scadm rm -f $(scadm ps -aq) >/dev/null 3>&-
	[ $# -eq 0 ] || scadm network rm "$@" >/dev/null 3>&-
}

# reaches NAME WORD - does the container get an answer of WORD?
reaches() {
	scadm exec "$1" ping -c 1 -W 20 "$2" >/dev/null 3>&-
}

# parent_is TEXT - is lan0 as it was when ip said that?
parent_is() {
	same "$(ip -o -d link show lan0 | sed 's/promiscuity [0-9]* //')" "$(printf '%s\n' "$1" | sed 's/promiscuity [0-9]* //')"
}

# refused PATTERN WORD... - is it an error of bad input, that says so and changes nothing?
refused() {
	local pattern="$1"
	shift
	world >"$BATS_TEST_TMPDIR/remembered"
	sc 125 "$@"
	like "$stderr" "*$pattern*"
	world | diff "$BATS_TEST_TMPDIR/remembered" -
}

@test "macvlan: containers are in the network of the host: by name among themselves, and the router sees each with its own MAC" {
	rules=$(iptables-save | grep -v '^[:#]' | sort)
	macvlan lan --ip-range=198.51.100.128/25
	sleeper a --net=lan
	sleeper b --net=lan
	like "$(field a .NetworkSettings.IPAddress)" '198.51.100.1[2-9]?'
	reaches a b
	reaches b a
	reaches a 198.51.100.1
	like "$(ip -n router neigh show "$(field a .NetworkSettings.IPAddress)")" "*$(field a .NetworkSettings.MacAddress)*"
	sc exec a ip route
	like "$output" '*default via 198.51.100.1 dev eth0*'
	expect 0 ip netns exec router ping -c 1 -W 20 "$(field b .NetworkSettings.IPAddress)"
	# nothing of ours on the host: no link, no rule
	same "$(iptables-save | grep -v '^[:#]' | sort)" "$rules"
	[ ! -e "/sys/class/net/v-$(id12 a)" ]
	gone lan
}

@test "macvlan: the host's own addresses on the parent are nobody else's" {
	ip address add 198.51.100.2/24 dev lan0
	ip address add 198.51.100.4/24 dev lan0
	ip address add 203.0.113.4/24 dev lan0
	ip address add fd00:51::2/125 dev lan0 nodad
	macvlan lan --ip-range=198.51.100.4/31 --ipv6 --subnet=fd00:51::/125 --gateway=fd00:51::1
	sleeper a --net=lan
	same "$(field a .NetworkSettings.IPAddress) $(field a .NetworkSettings.Networks.lan.GlobalIPv6Address)" '198.51.100.5 fd00:51::3'
	wait_until 20 sh -c "! ip -n a address show dev eth0 | grep -q tentative"
	refused 'addresses are leased' run --net=lan busybox true
	refused "the address 198.51.100.4 of the network lan is this host's own, on lan0" run --net=lan --ip=198.51.100.4 busybox true
	same "$(scadm exec a grep -c 198.51.100.4 /etc/hosts 3>&-)" 0
	sc gc
	refused "this host's own" run --net=lan --ip=198.51.100.2 busybox true
	gone lan
	for address in 198.51.100.4/24 198.51.100.2/24 203.0.113.4/24 fd00:51::2/125; do
		ip address del "$address" dev lan0
	done
}

@test "macvlan: a server is reached from the network, without -p, which is refused" {
	macvlan lan
	scadm run -d --name=web --net=lan --ip=198.51.100.80 --mac-address=02:42:00:00:00:80 busybox httpd -f -h /bin >/dev/null 3>&-
	wait_until 20 ip netns exec router curl -sf -o "$BATS_TEST_TMPDIR/got" http://198.51.100.80/busybox
	scadm cp web:/bin/busybox "$BATS_TEST_TMPDIR/busybox" 3>&-
	cmp "$BATS_TEST_TMPDIR/got" "$BATS_TEST_TMPDIR/busybox"
	like "$(ip -n router neigh show 198.51.100.80)" '*02:42:00:00:00:80*'
	refused '' run -d --name=no --net=lan -p 80:80 busybox httpd -f
	gone lan
}

@test "macvlan: a container joins and leaves one while it runs, and keeps it over stop and start" {
	macvlan lan
	sleeper a
	sc network connect --ip 198.51.100.7 lan a
	reaches a 198.51.100.1
	same "$(field a .NetworkSettings.Networks.lan.IPAddress)" 198.51.100.7
	scadm stop -t 0 a >/dev/null 3>&-
	sc start a
	reaches a 198.51.100.1
	sc network disconnect bridge a
	reaches a 198.51.100.1
	sc exec a ip route
	like "$output" 'default via 198.51.100.1 dev eth1*'
	sc network connect bridge a
	sc network disconnect lan a
	same "$(scadm exec a ip -o link 3>&- | grep -c 'eth')" 1
	scadm stop -t 0 a >/dev/null 3>&-
	sc start a
	reaches a 10.99.0.1
	gone lan
}

@test "macvlan: --internal has no way out; --mtu and IPv6 are had" {
	macvlan inner --internal --mtu=1400 --ipv6 --subnet=fd00:51::/64
	sleeper a --net=inner
	sleeper b --net=inner
	unlike "$(scadm exec a ip route 3>&-)" '*default*'
	same "$(scadm exec a cat /sys/class/net/eth0/mtu 3>&-)" 1400
	wait_until 20 sh -c "! ip -n a address show dev eth0 | grep -q tentative"
	wait_until 20 sh -c "! ip -n b address show dev eth0 | grep -q tentative"
	expect 0 ip netns exec a ping -c 1 -W 20 "$(field b .NetworkSettings.Networks.inner.GlobalIPv6Address)"
	gone inner
}

@test "S21, S20: what ends, is removed, or is killed leaves no link, and the parent as it was" {
	macvlan lan
	before=$(ip -o -d link show lan0)
	sc run --rm --net=lan busybox true
	sleeper a --net=lan
	sc rm -f a
	scadm run -d --name=b --net=lan busybox sleep 1000 >/dev/null 3>&-
	read -r pid _ </var/run/container/b/pid
	supervisor=$(basename "$(echo /var/run/container/.owners/*:containers:b)")
	kill -9 "${supervisor%%:*}" "$pid"
	wait_until 20 sh -c "! [ -e /proc/$pid ]"
	scadm gc 3>&-
	scadm rm b >/dev/null 3>&-
	# the kernel takes links in namespaces that are gone apart later
	wait_until 20 parent_is "$before"
	scadm network rm lan >/dev/null 3>&-
}

@test "macvlan: the parent has to be there, up, no loopback, no port of a bridge, also when the container starts" {
	macvlan lan
	scadm create --name=a --net=lan busybox sleep 1000 >/dev/null 3>&-
	refused '' network create -d macvlan x
	refused 'there is no such link on this host' network create -d macvlan -o parent=nope --subnet=192.0.2.0/24 x
	refused 'is no link containers can share' network create -d macvlan -o parent=lo --subnet=192.0.2.0/24 x
	ip link set dev lan0 down
	refused "ip link set dev lan0 up" network create -d macvlan -o parent=lan0 --subnet=192.0.2.0/24 x
	ip link set dev lan0 up
	ip link add br-user type bridge
	ip link set dev lan0 master br-user
	refused 'is a port of a bridge' network create -d macvlan -o parent=lan0 --subnet=192.0.2.0/24 x
	ip link del dev br-user
	ip netns del router
	wait_until 20 sh -c '! [ -e /sys/class/net/lan0 ]'
	refused "there is no link 'lan0'" start a
	gone lan
}

@test "macvlan: what -n prints is what it does" {
	scadm -n network create -d macvlan -o parent=lan0 --subnet=198.51.100.0/24 lan >"$BATS_TEST_TMPDIR/plan" 3>&-
	world | diff "$BATS_TEST_TMPDIR/world.before" - >"$BATS_TEST_TMPDIR/changed" || :
	unlike "$(cat "$BATS_TEST_TMPDIR/changed")" '*networks/lan*'
	sh -e "$BATS_TEST_TMPDIR/plan" >/dev/null 3>&-
	scadm -n run -d --name=a --net=lan --ip=198.51.100.9 busybox sleep 1000 >"$BATS_TEST_TMPDIR/plan" 3>&-
	sh -e "$BATS_TEST_TMPDIR/plan" >/dev/null 3>&-
	reaches a 198.51.100.1
	gone lan
}
