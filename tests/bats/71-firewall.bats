#!/usr/bin/env bats
# the rules of networks and of published ports: nothing of others is touched, nothing of ours is left, what was flushed comes back

load helpers
load ready

setup_file() {
	# fifty lives of containers, on a machine that may have more to do
	export BATS_TEST_TIMEOUT=400
	image_ready
}

# teardown - the leak check; what a test that failed has left is not the next one's
teardown() {
	local status=0
	sc_teardown || status=$?
	[ "$status" -eq 0 ] && [ -n "$BATS_TEST_COMPLETED" ] || {
		PATH=${PATH#"$BATS_TEST_TMPDIR/legacy:"}
		scadm ps -aq 3>&- | xargs -r scadm rm -f 3>&- || :
		scadm network prune -f 3>&- || :
		iptables -P FORWARD ACCEPT
		both -D FORWARD -j ACCEPT || :
		ip netns pids outside | xargs -r kill
		ip netns del outside || :
		scadm disconnect-bridge --name=lab --bridge=lab0 && scadm delete-netns --name=lab || :
	} >/dev/null 2>&1
	return "$status"
}

# legacy - from here on the older backend of iptables; its tables are there once somebody has looked at them
legacy() {
	local family part table
	mkdir "$BATS_TEST_TMPDIR/legacy"
	for family in iptables ip6tables; do
		for part in '' -save -restore; do
			ln -s "$(command -v "$family-legacy$part")" "$BATS_TEST_TMPDIR/legacy/$family$part"
		done
		for table in filter nat mangle raw; do
			"$family-legacy" -t "$table" -S >/dev/null
		done
	done
	PATH=$BATS_TEST_TMPDIR/legacy:$PATH
}

# rules - all there is, for both families, without counters and dates
rules() {
	{ iptables-save && ip6tables-save; } | sed 's/\[[0-9]*:[0-9]*\]//; /^#/d'
}

# like_docker - what a docker daemon leaves on a host, and a policy that drops
like_docker() {
	iptables-restore --noflush <<-'END'
		*filter
		:FORWARD DROP [0:0]
		:DOCKER - [0:0]
		:DOCKER-ISOLATION-STAGE-1 - [0:0]
		:DOCKER-ISOLATION-STAGE-2 - [0:0]
		:DOCKER-USER - [0:0]
		-A FORWARD -j DOCKER-USER
		-A FORWARD -j DOCKER-ISOLATION-STAGE-1
		-A FORWARD -o docker0 -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
		-A FORWARD -o docker0 -j DOCKER
		-A FORWARD -i docker0 ! -o docker0 -j ACCEPT
		-A FORWARD -i docker0 -o docker0 -j ACCEPT
		-A DOCKER-ISOLATION-STAGE-1 -i docker0 ! -o docker0 -j DOCKER-ISOLATION-STAGE-2
		-A DOCKER-ISOLATION-STAGE-1 -j RETURN
		-A DOCKER-ISOLATION-STAGE-2 -o docker0 -j DROP
		-A DOCKER-ISOLATION-STAGE-2 -j RETURN
		-A DOCKER-USER -j RETURN
		COMMIT
		*nat
		:DOCKER - [0:0]
		-A PREROUTING -m addrtype --dst-type LOCAL -j DOCKER
		-A OUTPUT ! -d 127.0.0.0/8 -m addrtype --dst-type LOCAL -j DOCKER
		-A POSTROUTING -s 172.17.0.0/16 ! -o docker0 -j MASQUERADE
		-A DOCKER -i docker0 -j RETURN
		COMMIT
	END
}

# docker_gone - take it away
docker_gone() {
	iptables-restore --noflush <<-'END'
		*filter
		:FORWARD ACCEPT [0:0]
		-F FORWARD
		-F DOCKER
		-F DOCKER-ISOLATION-STAGE-1
		-F DOCKER-ISOLATION-STAGE-2
		-F DOCKER-USER
		-X DOCKER
		-X DOCKER-ISOLATION-STAGE-1
		-X DOCKER-ISOLATION-STAGE-2
		-X DOCKER-USER
		COMMIT
		*nat
		-D PREROUTING -m addrtype --dst-type LOCAL -j DOCKER
		-D OUTPUT ! -d 127.0.0.0/8 -m addrtype --dst-type LOCAL -j DOCKER
		-D POSTROUTING -s 172.17.0.0/16 ! -o docker0 -j MASQUERADE
		-F DOCKER
		-X DOCKER
		COMMIT
	END
}

# sequence NUMBER NET - one short life of a container, chosen by chance
sequence() {
	local name="s$1" net="$2" port="$((8000 + RANDOM % 1000))" words=()
	[ $((RANDOM % 3)) -eq 0 ] || words+=(-p "$port:80")
	[ $((RANDOM % 3)) -ne 0 ] || words+=(-p "127.0.0.1:$port:53/udp" -p 81)
	[ $((RANDOM % 4)) -ne 0 ] || words+=(-p "$((port + 1000))-$((port + 1003)):90-93")
	echo "sequence $1: $net ${words[*]}"
	case $((RANDOM % 6)) in
	0) scadm run --rm --name="$name" --net="$net" "${words[@]}" busybox true ;;
	1)
		scadm create --name="$name" --net="$net" "${words[@]}" busybox sleep 100
		scadm start "$name"
		scadm rm -f "$name"
		;;
	2)
		scadm run -d --name="$name" --net="$net" "${words[@]}" busybox sleep 100
		scadm rename "$name" "r$1"
		scadm rm -f "r$1"
		;;
	3)
		killed "$name" --net="$net" "${words[@]}"
		scadm gc
		scadm rm -f "$name"
		;;
	4)
		# while it starts, at a moment chosen by chance
		setsid scadm run --name="$name" --net="$net" "${words[@]}" busybox true &
		sleep "0.$((RANDOM % 12 + 101))"
		kill -9 $! 2>/dev/null || :
		wait $! 2>/dev/null || :
		# the command that it was at goes on, and nobody can undo what is not done yet
		wait_until 20 nobody_in_session $!
		scadm gc
		[ ! -e "/var/lib/scadm/containers/$name" ] || scadm rm -f "$name"
		;;
	5)
		scadm run -d --name="$name" --net="$net" "${words[@]}" busybox sleep 100
		scadm restart -t 0 "$name"
		# somebody has removed rules of ours by hand
		iptables -t nat -F "SC-$(id12 "$name")" 2>/dev/null || :
		scadm rm -f "$name"
		;;
	esac >/dev/null 3>&-
}

# nobody_in_session PID - are all processes gone that were started by that one?
nobody_in_session() {
	! pgrep -s "$1"
}

# sequences NET - fifty of them, and the rules are the same after each
sequences() {
	local number net="$1"
	RANDOM=$((BATS_TEST_NUMBER * 1000 + SECONDS))
	rules >"$BATS_TEST_TMPDIR/rules.before"
	for number in {1..50}; do
		sequence "$number" "$net"
		wait_until 20 same_rules
	done
}

# same_rules - are they what they were?
same_rules() {
	rules >"$BATS_TEST_TMPDIR/rules.now"
	diff "$BATS_TEST_TMPDIR/rules.before" "$BATS_TEST_TMPDIR/rules.now"
}

# on_the_air - a container with a port works: in, out and by the host's own address
on_the_air() {
	same "$(ip netns exec outside curl -sS -m 30 http://192.0.2.1:8080/ 3>&-)" 'it works' &&
		same "$(curl -sS -m 30 http://127.0.0.1:8080/ 3>&-)" 'it works' &&
		same "$(ip netns exec web curl -sS -m 30 http://192.0.2.1:8080/ 3>&-)" 'it works' &&
		ip netns exec web ping -c 1 -W 20 192.0.2.2 >/dev/null
}

# web [OPTION...] - that container
web() {
	sc run -d --name=web -p 8080:80 "$@" busybox sh -c 'mkdir /tmp/w; echo it works >/tmp/w/index.html; exec httpd -f -p 80 -h /tmp/w'
	wait_until 20 ip netns exec web curl -sS -m 5 http://127.0.0.1/
}

# pinger NAME [OPTION...] - a container that does nothing
pinger() {
	local name="$1"
	shift
	sc run -d --name="$name" "$@" busybox sleep 1000
}

@test "the rules are the same, byte for byte, after each of 50 random lives of containers, kill -9 and gc among them" {
	sequences bridge
}

@test "the same with docker's chains there and a policy that drops, and the other way about with all of it flushed by its owner" {
	requires curl ping
	like_docker
	outside
	sc network create mine
	sequences mine
	web --net=mine
	on_the_air
	sc rm -f web
	web
	on_the_air
	sc rm -f web
	same_rules
	sc network rm mine
	docker_gone
	# the rules of the default network were among what its owner flushed
	sc run --rm -p 80 busybox true
	iptables -C FORWARD -m comment --comment 'scadm bridge' -j SC-sc-br0
	outside_gone
}

@test "the same with iptables-legacy, docker's chains and a policy that drops" {
	requires curl ping
	legacy
	like "$(iptables -V)" '*legacy*'
	rules >"$BATS_TEST_TMPDIR/rules.untouched"
	like_docker
	outside
	sc network create mine
	sequences mine
	web --net=mine
	on_the_air
	sc rm -f web
	same_rules
	sc network rm mine
	docker_gone
	outside_gone
	rules >"$BATS_TEST_TMPDIR/rules.after"
	PATH=${PATH#"$BATS_TEST_TMPDIR/legacy:"}
	diff "$BATS_TEST_TMPDIR/rules.untouched" "$BATS_TEST_TMPDIR/rules.after"
}

# another WORD... - scadm as another instance, on a host (a namespace) where nobody has used iptables yet
another() {
	SC_ROOT=/tmp/another SC_RUN=/tmp/another.run SC_PREFIX=an ip netns exec fresh "$@" 3>&-
}

@test "the first network of a host comes and goes: what iptables-save prints is the same as before, tables as well" {
	ip netns add fresh
	another iptables-save >"$BATS_TEST_TMPDIR/before"
	same "$(cat "$BATS_TEST_TMPDIR/before")" ''
	another scadm network create --ipv6 one
	another scadm network create two
	like "$(another iptables-save)" '*nat*SC-an-br*'
	same "$(another cat /proc/sys/net/ipv4/ip_forward)" 1
	same "$(another cat /proc/sys/net/ipv6/conf/all/forwarding)" 1
	another scadm network rm one
	like "$(another iptables-save)" '*nat*SC-an-br*'
	same "$(another cat /proc/sys/net/ipv4/ip_forward)" 1
	same "$(another cat /proc/sys/net/ipv6/conf/all/forwarding)" 0
	another scadm network rm two
	same "$(another iptables-save)" ''
	same "$(another ip6tables-save)" ''
	same "$(another cat /proc/sys/net/ipv4/ip_forward)" 0
	# a table that somebody made, though empty, is his
	another iptables -t nat -A PREROUTING -j ACCEPT
	another iptables -t nat -F
	another sysctl -qw net.ipv4.ip_forward=1
	another iptables-save | sed '/^#/d' >"$BATS_TEST_TMPDIR/before"
	another scadm network create one
	another scadm network rm one
	another iptables-save | sed '/^#/d' >"$BATS_TEST_TMPDIR/after"
	diff "$BATS_TEST_TMPDIR/before" "$BATS_TEST_TMPDIR/after"
	same "$(another cat /proc/sys/net/ipv4/ip_forward)" 1
	# nor is one removed that somebody has filled meanwhile
	another scadm network create one
	another iptables -A INPUT -p tcp --dport 23 -j DROP
	another scadm network rm one
	like "$(another iptables-save)" '*-A INPUT -p tcp -m tcp --dport 23 -j DROP*'
	ip netns del fresh
	rm -rf /tmp/another /tmp/another.run
}

@test "a flush of the host's rules, with or without the chains: network reload puts back what is ours, once" {
	requires curl ping
	local wipe
	outside
	web --net-prio=3
	pinger other
	rules | sort >"$BATS_TEST_TMPDIR/rules.before"
	for wipe in 'iptables -F' 'iptables -t nat -F' 'iptables -t nat -F; iptables -t nat -X; iptables -F; iptables -X' \
		'for t in raw mangle nat filter; do iptables -t $t -F; iptables -t $t -X; done; iptables -P FORWARD DROP' \
		'iptables -D FORWARD 1' "iptables -t nat -F SC-$(id12 web)" :; do
		echo "$wipe"
		sh -c "$wipe"
		sc network reload
		iptables -P FORWARD ACCEPT
		rules | sort >"$BATS_TEST_TMPDIR/rules.now"
		diff "$BATS_TEST_TMPDIR/rules.before" "$BATS_TEST_TMPDIR/rules.now"
		on_the_air
	done
	sc rm -f web other
	outside_gone
}

@test "a container that starts with a port after a flush finds the rules of its network again by itself" {
	requires curl ping
	outside
	iptables -F
	iptables -X
	iptables -t nat -F
	iptables -t nat -X
	web
	on_the_air
	sc rm -f web
	outside_gone
}

@test "S23: rm works where somebody has removed the rules, and the chains, and the reservations" {
	web
	iptables -t nat -F
	iptables -t nat -X
	rm -r /var/run/container/.ports
	sc rm -f web
	web
	iptables -D FORWARD -m comment --comment 'scadm bridge' -j SC-sc-br0
	sc rm -f web
	# the test itself has taken rules away that the leak check looks for
	sc run --rm -p 80 busybox true
}

@test "S23: where iptables-restore fails half way, or is not there, nothing stays and the message says what it was" {
	local tool
	tool=$(command -v iptables-restore)
	mkdir "$BATS_TEST_TMPDIR/bin"
	printf '#!/bin/sh\nsed "/^COMMIT/q" | %s "$@"\nexit 4\n' "$tool" >"$BATS_TEST_TMPDIR/bin/iptables-restore"
	chmod 755 "$BATS_TEST_TMPDIR/bin/iptables-restore"
	world >"$BATS_TEST_TMPDIR/unchanged"
	for words in 'run --name=web -p 8080:80 busybox true' 'run -d --name=web -p 8080:80 busybox sleep 100' 'network create one'; do
		# split on purpose
		# shellcheck disable=SC2086
		PATH=$BATS_TEST_TMPDIR/bin:$PATH expect 125 scadm $words
		like "$stderr" '*failed (4): iptables-restore*conntrack*'
		wait_until 20 sh -c "'$ROOT/tests/world' >'$BATS_TEST_TMPDIR/now'; cmp '$BATS_TEST_TMPDIR/now' '$BATS_TEST_TMPDIR/unchanged'"
	done
}

@test "networks do not reach each other, --internal has no way out, and the host reaches all" {
	requires ping curl
	local one two shut
	outside
	sc network create one
	sc network create --internal shut
	sc network create two
	pinger a --net=one
	pinger b --net=two
	pinger c --net=shut
	pinger d --net=shut
	web
	one=$(field a .NetworkSettings.Networks.one.IPAddress) two=$(field b .NetworkSettings.Networks.two.IPAddress)
	shut=$(field c .NetworkSettings.Networks.shut.IPAddress)
	ip netns exec a ping -c 1 -W 20 192.0.2.2
	ip netns exec d ping -c 1 -W 20 "$shut"
	ping -c 1 -W 20 "$shut"
	ping -c 1 -W 20 "$one"
	# a route that root in there might have made is no way either
	ip -n c route add default via "$(scadm network inspect --format '{{(index .IPAM.Config 0).Gateway}}' shut 3>&-)" || :
	run ! ip netns exec c ping -c 1 -W 1 192.0.2.2
	run ! ip netns exec c ping -c 1 -W 1 "$one"
	run ! ip netns exec a ping -c 1 -W 1 "$two"
	run ! ip netns exec a ping -c 1 -W 1 "$shut"
	run ! ip netns exec b ping -c 1 -W 1 "$one"
	# a port that is published on the host is outside for an internal network
	same "$(ip netns exec a curl -sS -m 30 http://192.0.2.1:8080/)" 'it works'
	run ! ip netns exec c curl -sS -m 1 http://192.0.2.1:8080/
	run ! ip netns exec c curl -sS -m 1 http://10.99.0.1:8080/
	sc rm -f a b c d web
	sc network rm one two shut
	outside_gone
}

# lab BRIDGE ADDRESS - a namespace lab in a bridge of connect-bridge with that name, with a way to all others
lab() {
	sc create-netns --name=lab
	sc connect-bridge --name=lab --subnet="$2/24" --bridge="$1"
	ip -n lab route add default via "${2%.*}.1"
}

# apart_from_lab NAME NETWORK - neither reaches the other, while there is a way that only the rules close
apart_from_lab() {
	local address
	address=$(field "$1" ".NetworkSettings.Networks.$2.IPAddress")
	run ! ip netns exec lab ping -c 1 -W 1 "$address"
	run ! ip netns exec "$1" ping -c 1 -W 1 10.44.0.3
	iptables -w 10 -I FORWARD -j ACCEPT
	ip netns exec lab ping -c 1 -W 20 "$address"
	ip netns exec "$1" ping -c 1 -W 20 10.44.0.3
	iptables -w 10 -D FORWARD -j ACCEPT
}

@test "S19: a bridge of connect-bridge with a name of its own is as apart as any network, whichever came first" {
	requires ping
	sc network create before
	pinger a --net=before
	lab lab0 10.44.0.3
	sc network create --internal after
	sc network create later
	pinger b --net=later
	pinger c --net=after
	ip netns exec lab ping -c 1 -W 20 10.44.0.1
	apart_from_lab a before
	apart_from_lab b later
	# nor is an internal one reached, by a route that root in there has made
	ip -n c route add default via "$(scadm network inspect --format '{{(index .IPAM.Config 0).Gateway}}' after 3>&-)"
	apart_from_lab c after
	# after a flush and a reload in another order as well, and where somebody has taken a link out of our group
	iptables -F FORWARD
	ip link set dev lab0 group default
	sc network reload later
	sc network reload lab0
	sc network reload
	apart_from_lab a before
	apart_from_lab b later
	sc rm -f a b c
	sc disconnect-bridge --name=lab --bridge=lab0
	sc delete-netns --name=lab
	sc network rm before after later
}

# errors PLACE - how many "unreachable" have come there, of ICMP and ICMPv6
errors() {
	ip netns exec "$1" awk '/^Icmp: / && $5 ~ /^[0-9]/ { four = $5 } $1 == "Icmp6InDestUnreachs" { six = $2 }
		END { print four + six }' /proc/net/snmp /proc/net/snmp6
}

# came PLACE NUMBER - have that many come there?
came() {
	same "$(errors "$1")" "$2"
}

# flow - b sends from port 4000 to a port 5353 outside, where somebody hears it, by both families
flow() {
	echo said | ip netns exec b socat -u - UDP4-SENDTO:192.0.2.2:5353,sourceport=4000
	echo said | ip netns exec b socat -u - 'UDP6-SENDTO:[2001:db8:2::2]:5353,sourceport=4000'
}

# forge FROM NETWORK WORD... - an ICMP error that the container FROM makes up, see fixtures/icmp-error.py
forge() {
	local from="$1" link
	read -r _ link _ <"/var/lib/scadm/networks/$2/network"
	shift 2
	flow
	ip netns exec "$from" python3 "$BATS_TEST_DIRNAME/fixtures/icmp-error.py" "$(cat "/sys/class/net/$link/address")" "$@"
}

# attacks - the errors about b's flow that c, of another network, sends to b, and a, of an internal one, to b and outside
attacks() {
	forge a na "$a4" 192.0.2.1 192.0.2.1 4000 192.0.2.2 5353
	forge c nc "$c4" 192.0.2.1 192.0.2.1 4000 192.0.2.2 5353
	forge a na "$a6" 2001:db8:2::1 2001:db8:2::1 4000 2001:db8:2::2 5353
	forge c nc "$c6" 2001:db8:2::1 2001:db8:2::1 4000 2001:db8:2::2 5353
	forge a na "$a4" 192.0.2.2 192.0.2.2 5353 "$b4" 4000
	forge a na "$a6" 2001:db8:2::2 2001:db8:2::2 5353 "$b6" 4000
}

# both COMMAND... - the same for iptables and ip6tables
both() {
	iptables -w 10 "$@"
	ip6tables -w 10 "$@"
}

@test "S19: an ICMP error that a container makes up about a flow of others neither crosses networks nor leaves an internal one" {
	requires socat python3 ipv6
	local four six a4 a6 b4 b6 c4 c6
	outside
	ip addr add 2001:db8:2::1/64 dev up0 nodad
	ip -n outside addr add 2001:db8:2::2/64 dev eth0 nodad
	sc network create --ipv6 nb
	sc network create --ipv6 nc
	sc network create --ipv6 --internal na
	pinger a --net=na
	pinger b --net=nb
	pinger c --net=nc
	for name in a b c; do
		printf -v "${name}4" %s "$(field "$name" ".NetworkSettings.Networks.n$name.IPAddress")"
		printf -v "${name}6" %s "$(field "$name" ".NetworkSettings.Networks.n$name.GlobalIPv6Address")"
	done
	ip netns exec outside socat -u UDP4-RECV:5353 "OPEN:$BATS_TEST_TMPDIR/heard4,creat,append" 3>&- &
	four=$!
	ip netns exec outside socat -u UDP6-RECV:5353,ipv6only=1 "OPEN:$BATS_TEST_TMPDIR/heard6,creat,append" 3>&- &
	six=$!
	wait_until 20 grep -q ':14E9 ' "/proc/$four/net/udp"
	wait_until 20 grep -q ':14E9 ' "/proc/$six/net/udp6"
	# the IPv6 address of the host may still be looked for
	wait_until 20 sh -c "ip netns exec b sh -c 'echo said | socat -u - UDP6-SENDTO:[2001:db8:2::2]:5353,sourceport=4000'; grep -q said '$BATS_TEST_TMPDIR/heard6'"
	same "$(errors b)" 0
	same "$(errors outside)" 0
	attacks
	# these are attacks, and of the two times six only those come that somebody let pass
	both -I FORWARD -j ACCEPT
	attacks
	wait_until 20 came b 4
	wait_until 20 came outside 2
	both -D FORWARD -j ACCEPT
	attacks
	same "$(errors b)" 4
	same "$(errors outside)" 2
	[ -s "$BATS_TEST_TMPDIR/heard4" ]
	kill "$four" "$six"
	sc rm -f a b c
	sc network rm na nb nc
	outside_gone
}

@test "an ICMP error from outside comes to the container that it is for: port unreachable, and too large, by both families" {
	requires ping socat ipv6
	outside
	ip addr add 2001:db8:2::1/64 dev up0 nodad
	ip -n outside -batch - <<-END
		addr add 2001:db8:2::2/64 dev eth0 nodad
		route add default via 2001:db8:2::1
		link add far0 mtu 1280 type veth peer name far1
		addr add 198.51.100.1/24 dev far0
		addr add 2001:db8:3::1/64 dev far0 nodad
		link set far1 up
		link set far0 up
	END
	ip netns exec outside sh -c 'echo 1 >/proc/sys/net/ipv4/ip_forward; echo 1 >/proc/sys/net/ipv6/conf/all/forwarding'
	ip route add 198.51.100.0/24 via 192.0.2.2
	ip route add 2001:db8:3::/64 via 2001:db8:2::2
	sc network create --ipv6 nb
	pinger b --net=nb
	wait_until 20 ip netns exec b ping -c 1 -W 1 2001:db8:2::2
	# what the looking for neighbours may have cost is not counted
	before=$(errors b)
	echo said | ip netns exec b socat -u - UDP4-SENDTO:192.0.2.2:5354
	wait_until 20 came b $((before + 1))
	echo said | ip netns exec b socat -u - 'UDP6-SENDTO:[2001:db8:2::2]:5354'
	wait_until 20 came b $((before + 2))
	run ip netns exec b ping -c 2 -W 20 -M 'do' -s 1372 198.51.100.2
	like "$output" '*mtu = 1280*'
	run ip netns exec b ping -c 2 -W 20 -M 'do' -s 1352 2001:db8:3::2
	like "$output" '*mtu*1280*'
	sc rm -f b
	sc network rm nb
	ip route del 198.51.100.0/24
	ip route del 2001:db8:3::/64
	outside_gone
}

@test "firewalld: the link goes into a zone that lets it pass, and out of it at the end" {
	mkdir "$BATS_TEST_TMPDIR/bin"
	cat >"$BATS_TEST_TMPDIR/bin/firewall-cmd" <<-END
		#!/bin/sh
		echo "\$*" >>$BATS_TEST_TMPDIR/calls
		case \$* in
		--state) echo running ;;
		*--change-interface=*) echo "\${*##*=}" >$BATS_TEST_TMPDIR/zone ;;
		*--query-interface=*) grep -qx "\${*##*=}" $BATS_TEST_TMPDIR/zone ;;
		*--remove-interface=*) grep -qx "\${*##*=}" $BATS_TEST_TMPDIR/zone && : >$BATS_TEST_TMPDIR/zone ;;
		esac
	END
	chmod 755 "$BATS_TEST_TMPDIR/bin/firewall-cmd"
	PATH=$BATS_TEST_TMPDIR/bin:$PATH
	sc network create zoned
	read -r _ link _ <"/var/lib/scadm/networks/zoned/network"
	same "$(cat "$BATS_TEST_TMPDIR/zone")" "$link"
	like "$(cat "$BATS_TEST_TMPDIR/calls")" '*--zone=trusted*'
	# firewalld forgot it, as it does when it reloads
	: >"$BATS_TEST_TMPDIR/zone"
	sc network reload zoned
	same "$(cat "$BATS_TEST_TMPDIR/zone")" "$link"
	sc network rm zoned
	same "$(cat "$BATS_TEST_TMPDIR/zone")" ''
}

@test "sysctl: the value comes back with the last user, unless somebody else has changed it" {
	local key=net/ipv4/conf/lo/rp_filter before
	before=$(cat /proc/sys/$key)
	echo 0 >/proc/sys/$key
	sc sysctl take $key 1 one
	sc sysctl take $key 1 two
	sc sysctl take $key 1 two
	same "$(cat /proc/sys/$key)" 1
	sc sysctl drop $key one
	same "$(cat /proc/sys/$key)" 1
	sc sysctl drop $key one
	sc sysctl drop $key two
	same "$(cat /proc/sys/$key)" 0
	sc sysctl drop $key two
	sc sysctl take $key 1 one
	echo 2 >/proc/sys/$key
	sc sysctl drop $key one
	same "$(cat /proc/sys/$key)" 2
	# of the boot before: nothing to put back
	sc sysctl take $key 1 one
	sed -i '1s/^[^ ]*/00000000-0000-0000-0000-000000000000/' "/var/lib/scadm/sysctls/${key//\//%}"
	sc sysctl drop $key one
	same "$(cat /proc/sys/$key)" 1
	[ ! -e /var/lib/scadm/sysctls ] || [ ! -e "/var/lib/scadm/sysctls/${key//\//%}" ]
	echo "$before" >/proc/sys/$key
	for key in '' ../../etc/passwd net//x /net/x net/ipv4/no_such_key 'net/ipv4/ip_forward x'; do
		sc 125 sysctl take "$key" 1 one
	done
	sc 125 sysctl take net/ipv4/ip_forward x one
	sc 125 sysctl take net/ipv4/ip_forward 1
	sc 125 sysctl take net/ipv4/ip_forward 1 ../x
}

@test "firewall: only chains of ours can be named, and what is gone can be removed again" {
	local word
	for word in FORWARD '' SC- '../x' 'SC-x y' INPUT; do
		sc 125 firewall rm "$word"
	done
	sc firewall rm SC-0123456789ab
	sc firewall rm SC-0123456789ab nat
	sc firewall tag SC-0123456789ab name
	sc 125 firewall tag SC-0123456789ab 'a"b'
	sc 125 firewall reserve 0123456789ab ../../x
	sc 125 firewall reserve 0123456789ab 'tcp:80:/x'
	sc 125 firewall flush SC-x
	sc 125 firewall rm
}
