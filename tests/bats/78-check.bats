#!/usr/bin/env bats
# looking at networks: capture, network check
#
# For networks across hosts there is a second host, far: a network namespace with mounts and a state directory of its own,
# and a cable to the bridge lan of the namespace of the test, where etcd listens on 192.0.2.1.

load helpers
load ready

endpoint=http://192.0.2.1:2379
far_root=/var/lib/scadm/far

teardown() {
	# what a test that failed left is not to fail the next one
	[ "${BATS_TEST_COMPLETED:-}" ] || {
		scadm ps -aq | xargs -r scadm rm -f >/dev/null
		[ ! -e /run/far.pid ] || hosts_down
	}
	sc_teardown
}

# idle NAME OPTION... - a container that does nothing
idle() {
	local link
	scadm run -d --name "$@" busybox sleep 1000 >/dev/null 3>&-
	for link in /sys/class/net/v*-"$(id12 "$1")"; do
		[ ! -e "$link" ] || seen_up "${link##*/}"
	done
}

# gone NAME... - without a container that does not end by TERM being waited for
gone() {
	scadm rm -f "$@" >/dev/null
}

# capturing WORD... - start scadm capture, and wait until it looks; sets $capture; what it says is in the files seen and said
capturing() {
	cd "$BATS_TEST_TMPDIR" || return
	rm -f seen said
	# what a shell starts in the background ignores INT
	env --default-signal=INT scadm capture "$@" >seen 2>said 3>&- &
	capture=$!
	wait_until 20 grep -q 'listening on' said
}

# address_of NAME - its address on its first network
address_of() {
	awk 'NR == 1 { print $4 }' "/var/lib/scadm/containers/$1/networks"
}

# tell FROM - say what a capture saw
tell() {
	cat said seen
}

# seen_up LINK, seen_down LINK - wait until the kernel has seen that both ends of a cable are up, or that one is not
seen_up() {
	wait_until 20 grep -qx up "/sys/class/net/$1/operstate"
}
seen_down() {
	wait_until 20 run ! grep -qx up "/sys/class/net/$1/operstate"
}

# checked STATUS PEER... - network check has that status
checked() {
	local expected="$1"
	shift
	sc "$expected" network check "$@"
}

# breaks_at STEP PATTERN PEER... - that step is the first that fails, and what it says is like that
breaks_at() {
	local step="$1" pattern="$2"
	shift 2
	checked 1 "$@"
	like "$output" "*The way to ${!#} breaks at: $step"
	like "$(grep "^  FAILED *$step " <<<"$output" | head -n 1)" "$pattern"
}

@test "capture: shows the packets of a container, with the line that does it" {
	requires tcpdump ping
	idle web
	capturing web -c 2 -- icmp
	ping -c 1 "$(address_of web)"
	wait "$capture"
	tell
	same "$(head -n 1 said)" 'ip netns exec web tcpdump --immediate-mode -Z tcpdump -c 2 -l -n -i any -- icmp'
	like "$(head -n 1 seen)" "* eth0  In  IP 10.99.0.1 > $(address_of web): ICMP echo request,*"
	like "$(tail -n 1 seen)" "* eth0  Out IP $(address_of web) > 10.99.0.1: ICMP echo reply,*"
	gone web
}

@test "capture: the line it prints does the same in a shell, and -n runs nothing" {
	requires tcpdump ping
	idle web
	cd "$BATS_TEST_TMPDIR"
	sc -n capture web -w "a file's.pcap" -c 1 -- icmp
	like "$output" "ip netns exec web tcpdump * >'$BATS_TEST_TMPDIR/a file'\\\\''s.pcap'"
	test ! -e "a file's.pcap"
	sh -c "$output" 2>said 3>&- &
	wait_until 20 grep -q 'listening on' said
	ping -c 1 "$(address_of web)"
	wait "$!"
	like "$(tcpdump -n -r "a file's.pcap" 2>&1)" '*ICMP echo request*'
	gone web
}

@test "capture -w: a file of the caller's that nobody else reads, with whole packets in it at any time" {
	requires tcpdump ping
	idle web
	capturing -w 'to keep' web icmp
	test ! -s seen
	same "$(stat -c '%a %U' 'to keep')" '600 root'
	ping -c 1 "$(address_of web)"
	wait_until 20 eval 'tcpdump -n -r "to keep" 2>&1 | grep "echo reply"'
	kill "$capture"
	wait "$capture"
	tell
	like "$(cat said)" '*2 packets captured*'
	# the container has no such file
	sc exec web ls /
	unlike "$output" '*to keep*'
	rm 'to keep'
	gone web
}

# ends_while_pinged PID - send a packet that is seen: is that process gone?
ends_while_pinged() {
	ping -c 1 -W 5 "$(address_of web)"
	! kill -0 "$1"
}

@test "capture -w -: a pipe, without a terminal, and it ends with its reader" {
	requires tcpdump ping
	local pid
	idle web
	cd "$BATS_TEST_TMPDIR"
	{ scadm capture web -w - icmp 2>said | tcpdump -n -c 1 -r - >seen 2>/dev/null; } </dev/null 3>&- &
	wait_until 20 grep -q 'listening on' said
	pid=$!
	# it hears that its reader is gone when it writes the next packet
	wait_until 30 ends_while_pinged "$pid"
	wait "$pid"
	like "$(cat seen)" '*ICMP echo request*'
	gone web
}

@test "capture: ends with the container, also at a device that does not go with the cable" {
	requires tcpdump
	local device
	for device in lo any eth0; do
		idle web
		capturing -i "$device" web
		gone web
		wait "$capture"
		wait_until 20 run ! pgrep -x tcpdump
	done
	# none has only lo
	idle bare --net=none
	capturing bare
	gone bare
	wait "$capture"
}

@test "capture: TERM and INT end it, and it says how many packets it saw" {
	requires tcpdump ping
	local signal
	idle web
	for signal in TERM INT; do
		capturing web icmp
		ping -c 1 "$(address_of web)"
		wait_until 20 grep -q 'echo reply' seen
		kill "-$signal" "$capture"
		wait "$capture"
		tell
		like "$(cat said)" '*2 packets captured*'
		run ! pgrep -x tcpdump
		# it was told to end, and nobody waits for that
		wait_until 20 run ! pgrep -x flock
	done
	gone web
}

@test "capture: a network by its name, and a namespace" {
	requires tcpdump ping
	idle web
	capturing bridge -c 1 -- icmp
	ping -c 1 "$(address_of web)"
	wait "$capture"
	like "$(head -n 1 said)" 'tcpdump * -i sc-br0 *'
	like "$(cat seen)" '*ICMP echo request*'
	ip netns add plain
	ip -n plain link set lo up
	capturing plain -c 1 -- icmp
	ip netns exec plain ping -c 1 127.0.0.1
	wait "$capture"
	like "$(cat seen)" '*lo *127.0.0.1 > 127.0.0.1: ICMP echo request*'
	ip netns del plain
	gone web
}

@test "S12 S15: capture: hostile names, devices and filters are refused before a file is made" {
	requires tcpdump
	local word
	idle web
	cd "$BATS_TEST_TMPDIR"
	for word in '' . .. '*' % ../x /etc nobody; do
		sc 125 capture -w made "$word"
	done
	sc 125 capture
	# no word of a filter is an option of tcpdump
	for word in "-w$PWD/made" '--postrotate-command=touch made' -zsh '$(touch made)' 'icmp; touch made' 'no filter'; do
		sc 125 capture -w made web -- "$word"
		like "$stderr" "*tcpdump refuses that*"
	done
	for word in nope '' '-w' 'eth0;x' 0123456789abcdef; do
		sc 125 capture -w made -i "$word" web
	done
	for word in 0 -1 x 1x '' 12345678901; do
		sc 125 capture -w made -c "$word" web
	done
	sc 125 capture -w /no/such/file web
	sc 125 capture -w "$PWD" web
	sc 125 capture --snaplen=1 web
	test ! -e made
	gone web
	idle shared --net=host
	sc 125 capture shared
	like "$stderr" "*network of this host*"
	gone shared
	scadm create --name=still busybox true >/dev/null
	sc 125 capture still
	like "$stderr" "*does not run*"
	scadm rm still
}

@test "network check: a container by name, id and address; all is well, and nothing is changed" {
	requires ping
	local before
	idle web
	before=$(world)
	checked 0 web
	like "$output" 'web: eth0 on bridge*The way to web is whole'
	unlike "$output" '*FAILED*'
	unlike "$output" '*warning*'
	checked 0 "$(id12 web)"
	checked 0 bridge web
	checked 0 "$(address_of web)"
	like "$output" 'web: eth0 on bridge*'
	checked 0 10.99.0.1
	same "$(world)" "$before"
	gone web
}

@test "network check: each of several networks, or the one that is named; IPv6" {
	requires ping ipv6
	scadm network create --ipv6 other >/dev/null
	idle web --net=bridge --net=other
	checked 0 web
	like "$output" '*eth0 on bridge*eth1 on other*answer6*'
	checked 0 other web
	unlike "$output" '*bridge*'
	checked 0 "$(awk '$1 == "other" { print $5 }' /var/lib/scadm/containers/web/networks)"
	gone web
	scadm network rm other
}

@test "network check: says which step on the way to a container is broken" {
	requires ping
	local veth address mac
	idle web
	veth=v-$(id12 web)
	address=$(address_of web)
	mac=$(awk '{ print $3 }' /var/lib/scadm/containers/web/networks)

	ip link set "$veth" nomaster
	breaks_at cable '*not plugged into sc-br0*ip link set v-*' web
	ip link set "$veth" master sc-br0

	ip link set "$veth" down
	seen_down "$veth"
	breaks_at cable '*is down*' web
	ip link set "$veth" up
	seen_up "$veth"

	ip -n web link set eth0 down
	seen_down "$veth"
	breaks_at cable '*ip -n web link set eth0 up*' web
	ip -n web link set eth0 up
	ip -n web route add default via 10.99.0.1
	seen_up "$veth"

	ip -n web addr del "$address/16" dev eth0
	breaks_at inside "*addr add $address/16*" web
	ip -n web addr add "$address/16" dev eth0
	ip -n web route add default via 10.99.0.1

	ip -n web link set eth0 address 02:42:00:00:00:99
	breaks_at inside "*$mac*" web
	ip -n web link set eth0 address "$mac"
	ip -n web neigh flush all
	ip neigh flush dev sc-br0

	ip -n web route del default
	breaks_at 'way out' '*route add default*' web
	ip -n web route add default via 10.99.0.1

	ip -n web link set eth0 mtu 9000
	breaks_at mtu '*9000*' web
	ip -n web link set eth0 mtu 1500
	ip link set sc-br0 mtu 1500

	ip route add "$address/32" dev lo
	breaks_at route '*to lo and not to sc-br0*' web
	ip route del "$address/32" dev lo

	ip netns exec web iptables -A INPUT -p icmp -j DROP
	breaks_at answer '*answers no ping*firewall inside*' web
	ip netns exec web iptables -D INPUT -p icmp -j DROP

	scadm kill web
	wait_until 20 eval '[ "$(field web .State.Running)" = 0 ]'
	breaks_at runs '*scadm start web*' web
	gone web
}

@test "network check: somebody else answers for the address" {
	requires ping
	idle web
	ip netns add thief
	ip link add steal type veth peer name eth0 netns thief
	ip link set steal master sc-br0 up
	ip -n web link set eth0 down
	seen_down "v-$(id12 web)"
	ip -n thief link set eth0 up
	ip -n thief addr add "$(address_of web)/16" dev eth0
	ip neigh flush dev sc-br0
	checked 1 web
	like "$output" '*FAILED   cable*'
	ip -n web link set eth0 up
	ip -n web route add default via 10.99.0.1
	seen_up "v-$(id12 web)"
	seen_up steal
	# only the thief answers ARP
	ip netns exec web sysctl -q -w net.ipv4.conf.eth0.arp_ignore=8
	ip netns exec thief iptables -A INPUT -p icmp -j DROP
	ip neigh flush dev sc-br0
	breaks_at answer '*somebody else*bridge fdb show br sc-br0*' web
	ip link del steal
	ip netns del thief
	gone web
}

@test "network check: what a flush of the firewall took, and a bridge without its address" {
	requires ping
	idle web
	ip addr del 10.99.0.1/16 dev sc-br0
	breaks_at link '*scadm network reload bridge*' web
	ip addr add 10.99.0.1/16 dev sc-br0
	iptables-save >"$BATS_TEST_TMPDIR/rules"
	iptables -F FORWARD
	breaks_at firewall '*SC-sc-br0*scadm network reload bridge*' web
	iptables-restore <"$BATS_TEST_TMPDIR/rules"
	iptables -t nat -F POSTROUTING
	breaks_at masquerade '*scadm network reload bridge*' web
	iptables-restore <"$BATS_TEST_TMPDIR/rules"
	iptables -I FORWARD -s 192.0.2.77 -j DROP
	checked 0 web
	like "$output" '*warning  firewall*192.0.2.77*'
	iptables -D FORWARD -s 192.0.2.77 -j DROP
	ip link set dev sc-br0 group default
	breaks_at group '*scadm network reload bridge*' web
	sc network reload bridge
	echo 0 >/proc/sys/net/ipv4/ip_forward
	breaks_at forwarding '*ip_forward*' web
	echo 1 >/proc/sys/net/ipv4/ip_forward
	checked 0 web
	gone web
}

@test "network check: what cannot be a peer is refused" {
	requires ping
	local word
	for word in '' . .. '*' % _ / ../x nobody 192.0.2.77 1.2.3 1.2.3.4.5 999.1.1.1 ::1 fd00::77 a:b 'x;y' 10.99.0.1/16; do
		sc 125 network check "$word"
		sc 125 network check bridge "$word"
	done
	sc 125 network check
	sc 125 network check nowhere 10.99.0.1
	sc 125 network check '../x' 10.99.0.1
	sc 125 network check a b c
	sc 125 network check --fix web
	idle bare --net=none
	sc 125 network check bare
	like "$stderr" "*'bare' is on no network*"
	gone bare
	checked 1 10.99.77.77
	like "$output" '*no container that runs has it*'
}

# hosts_up DRIVER - this host and far have a network `over` of that driver
hosts_up() {
	ip link add lan type bridge
	ip addr add 192.0.2.1/24 dev lan
	ip link set lan up
	ip netns add far
	ip link add up-far type veth peer name eth0 netns far
	ip link set up-far master lan up
	ip -n far addr add 192.0.2.2/24 dev eth0
	ip -n far link set lo up
	ip -n far link set eth0 up
	etcd --data-dir "$BATS_TEST_TMPDIR/etcd" --listen-client-urls "$endpoint" --advertise-client-urls "$endpoint" \
		--listen-peer-urls http://127.0.0.1:2380 --log-level error >"$BATS_TEST_TMPDIR/etcd.log" 2>&1 3>&- &
	echo "$!" >/run/etcd.pid
	ip netns exec far unshare -m sh -ec '
		mount --make-rprivate /
		umount -l /sys
		mount -t sysfs sysfs /sys
		: >/run/far.up
		exec sleep 100000' >/dev/null 2>&1 3>&- &
	echo "$!" >/run/far.pid
	wait_until 60 env ETCDCTL_API=3 etcdctl --endpoints="$endpoint" --command-timeout=1s endpoint health
	wait_until 20 test -e /run/far.up
	sc network create -d "$1" --subnet=10.64.0.0/16 --etcd="$endpoint" over
	expect 0 far scadm network create -d "$1" --etcd="$endpoint" over
	far_address=$(far cat "$far_root/networks/over/network" | awk '{ print $3 }')
	wait_until 20 ping -c 1 -W 3 "$far_address"
}

# far COMMAND... - run it on that host
far() {
	nsenter -t "$(cat /run/far.pid)" -m -n env "SC_ROOT=$far_root" SC_RUN=/var/run/far "$@"
}

# hosts_down - both leave the network, and far is gone
hosts_down() {
	local pid
	scadm network rm over
	far scadm network rm over
	for pid in "$(cat /run/far.pid)" "$(cat /run/etcd.pid)"; do
		kill "$pid"
		wait_until 20 sh -c "! [ -e /proc/$pid ] || grep -q '^State:.Z' /proc/$pid/status"
	done
	ip netns del far
	ip link del lan
	wait_until 20 eval '! ip link show up-far'
	rm -rf "$far_root" /var/run/far /run/far.pid /run/far.up /run/etcd.pid
}

@test "network check: another host by vxlan, by its own address and by one of its block" {
	requires etcd ping
	hosts_up vxlan
	checked 0 192.0.2.2
	like "$output" '*ok  *vxlan*ok  *agent*ok  *etcd*ok  *route*ok  *neighbour*ok  *fdb*ok  *host*ok  *tunnel*ok  *answer*ok  *mtu*ok  *forwarding*ok  *firewall*'
	checked 0 "$far_address"
	checked 0 over "$far_address"
	checked 1 over 10.64.77.1
	like "$output" '*FAILED   etcd*no host has a block with 10.64.77.1*'
	checked 1 over 192.0.2.77
	like "$output" '*FAILED   etcd*FAILED   host*'
	sc 125 network check 11.64.200.5
	like "$stderr" '*in no network of this host, nor does etcd know it as a host of over*network check over 11.64.200.5*'
	sc 125 network check over 192.0.2.1
	sc 125 network check bridge 192.0.2.2
	hosts_down
}

@test "network check: another host by vxlan: says which step is broken" {
	requires etcd ping
	hosts_up vxlan
	local vxlan mac vtep pid there
	vxlan=$(basename /sys/class/net/sc-vx*)
	there=$(far sh -c 'basename /sys/class/net/sc-vx*')
	read -r mac _ < <(bridge fdb show dev "$vxlan" | grep 192.0.2.2)
	vtep=$(ip neigh show dev "$vxlan" | awk -v mac="$mac" '$3 == mac { print $1 }')

	# the port is filtered there
	far iptables -I INPUT -p udp --dport 4789 -j DROP
	breaks_at tunnel '*packets leave for 192.0.2.2 and none comes back: UDP port 4789*' "$far_address"
	far iptables -D INPUT -p udp --dport 4789 -j DROP

	# it is closed there
	far ip link set "$there" down
	breaks_at tunnel '*192.0.2.2 answers that UDP port 4789 is closed*' "$far_address"
	far ip link set "$there" up
	# the routes that led there went with it
	far scadm network agent --once over

	# it is filtered here
	iptables -I INPUT -p udp --dport 4789 -j DROP
	breaks_at port '*-A INPUT -p udp -m udp --dport 4789 -j DROP*' "$far_address"
	iptables -D INPUT -p udp --dport 4789 -j DROP

	# somebody filters pings outside of the tunnel: it says so, and finds nothing else
	far iptables -I INPUT -p icmp -d 192.0.2.2 -j DROP
	checked 0 192.0.2.2
	like "$output" '*unknown  host*filters ICMP*ok  *mtu*'
	far iptables -D INPUT -p icmp -d 192.0.2.2 -j DROP

	# the way outside takes less, and drops what is larger without a word
	far ip link set eth0 mtu 1400
	checked 1 "$far_address"
	like "$output" '*FAILED   mtu*--mtu=135[0-4] on all hosts*'
	far ip link set eth0 mtu 1500

	# without the agent nobody puts back what is taken here
	pid=$(sed 's/:.*//' /var/lib/scadm/networks/over/agent)
	scadm network agent --stop -- over
	checked 0 "$far_address"
	like "$output" '*warning  agent*scadm network reload over*'
	bridge fdb del "$mac" dev "$vxlan" dst 192.0.2.2
	breaks_at fdb '*scadm network agent --once over*' "$far_address"
	ip neigh del "$vtep" dev "$vxlan"
	breaks_at neighbour '*scadm network agent --once over*' 192.0.2.2
	ip route del "$(ip route show dev "$vxlan" | awk '/via/ { print $1 }')"
	breaks_at route '*etcd knows whose it is*scadm network agent --once over*' "$far_address"
	scadm network agent --once over
	checked 0 "$far_address"
	ip link set "$vxlan" down
	breaks_at vxlan "*ip link set $vxlan up*" "$far_address"
	ip link del "$vxlan"
	breaks_at vxlan '*scadm network reload over*' "$far_address"
	scadm network reload over
	wait_until 20 ping -c 1 -W 3 "$far_address"
	checked 0 "$far_address"
	unlike "$output" '*warning*'
	hosts_down
}

@test "network check: etcd is down: what is known still works, and it says so" {
	requires etcd ping
	hosts_up vxlan
	local pid
	pid=$(cat /run/etcd.pid)
	kill -STOP "$pid"
	checked 0 192.0.2.2
	like "$output" '*warning  etcd*'
	checked 0 "$far_address"
	kill -CONT "$pid"
	hosts_down
}

@test "network check: another host by host-gw, and the steps that break" {
	requires etcd ping
	hosts_up host-gw
	checked 0 192.0.2.2
	like "$output" '*ok  *route*go by 192.0.2.2 on lan*ok  *host*ok  *answer*ok  *mtu*'
	checked 0 "$far_address"
	far ip link set eth0 down
	breaks_at host '*nobody on lan says that 192.0.2.2 is his (ARP)*' 192.0.2.2
	far ip link set eth0 up
	far iptables -I INPUT -p icmp -d "$far_address" -j DROP
	breaks_at answer "*$far_address answers no ping*" "$far_address"
	far iptables -D INPUT -p icmp -d "$far_address" -j DROP
	# a packet of 1500 bytes gets lost
	far ip link set eth0 mtu 1400
	checked 1 192.0.2.2
	like "$output" '*FAILED   mtu*--mtu=140[0-4] on all hosts*'
	far ip link set eth0 mtu 1500
	hosts_down
}
