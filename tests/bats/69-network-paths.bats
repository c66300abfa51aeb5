#!/usr/bin/env bats
# every way a packet may take, and those it may not, on each kind of host: between containers, out, in and back again
#
# The host is the namespace of the test, 192.0.2.1 its address towards `outside`, a namespace that stands for the internet.

load helpers
load ready

setup() {
	requires ping curl socat
	sc_setup
	outside
	# to whoever calls it says where the call came from
	serve outside TCP-LISTEN:8000,reuseaddr,fork 'SYSTEM:echo $SOCAT_PEERADDR'
}

teardown() {
	local pid
	for pid in "${served[@]}"; do
		kill "$pid"
		wait "$pid" || [ $? -eq 143 ]
	done
	outside_gone
	[ "${BATS_TEST_COMPLETED:-}" ] || {
		scadm ps -aq | xargs -r scadm rm -f >/dev/null
		scadm network prune -f >/dev/null
	}
	sc_teardown
}

served=()

# serve NAMESPACE ADDRESS ADDRESS - socat in the background, until the test is over
# It gives an answer 30 seconds after the question is over, and not half of one.
serve() {
	ip netns exec "$1" socat -t 30 "$2" "$3" 3>&- &
	served+=("$!")
	wait_until 20 listens "$1" "${2#*:}"
}

# listens NAMESPACE PORT,... - does somebody listen there?
listens() {
	[ "$(ip netns exec "$1" ss -Htuln "sport = :${2%%,*}")" ]
}

# people - web on the network one, with published ports; friend beside it; stranger on the network two; plain on the default one
people() {
	sc network create one
	sc network create two
	sc run -d --name=web --net=one -p 8080:80 -p 5353:53/udp busybox \
		sh -c 'mkdir /tmp/www; echo this is web >/tmp/www/index.html; exec httpd -f -p 80 -h /tmp/www'
	sc run -d --name=friend --net=one busybox sleep 1000
	sc run -d --name=stranger --net=two busybox sleep 1000
	sc run -d --name=plain busybox sleep 1000
	echoes
	wait_until 20 listens web 80
}

# echoes - a server in web that sends back what comes on UDP port 53
echoes() {
	# one socket for all: with UDP-LISTEN there is none for a moment after each question
	serve web UDP-RECVFROM:53,reuseaddr,fork EXEC:cat
}

# nobody_left - they and their networks are gone
nobody_left() {
	sc rm -f web friend stranger plain
	sc network rm one two
}

# address_of NAME - the address of a container on its first network
address_of() {
	awk 'NR == 1 { print $4 }' "/var/lib/scadm/containers/$1/networks"
}

# pings NAME PEER - do they hear each other?
pings() {
	expect 0 scadm exec "$1" ping -c 1 -W 20 "$2"
}

# deaf NAME PEER - PEER, whatever that means to NAME, does not answer
deaf() {
	run ! apart scadm exec "$1" ping -c 1 -W 1 "$2"
}

# page NAMESPACE HOST - the page that web has, seen from there (-: from the host)
page() {
	case $1 in
	-) expect 0 curl -sS -m 30 "http://$2:8080/" ;;
	*) expect 0 ip netns exec "$1" curl -sS -m 30 "http://$2:8080/" ;;
	esac
	same "$output" 'this is web'
}

# echo_from NAMESPACE HOST - the datagram that web sends back, seen from there
echo_from() {
	local inside=()
	[ "$1" = - ] || inside=(ip netns exec "$1")
	same "$("${inside[@]}" bash -c 'exec 9<>"/dev/udp/$1/5353" && echo "hello from $0" >&9 && timeout 30 head -n 1 <&9' "$1" "$2" 3>&-)" "hello from $1"
}

# paths - all of them
paths() {
	local one from
	# one network: by name; two networks: not at all, until somebody is on both
	pings web friend
	pings friend web
	pings friend "$(id12 web)"
	deaf web stranger
	deaf web "$(address_of stranger)"
	deaf stranger "$(address_of web)"
	deaf plain "$(address_of web)"
	sc network connect two web
	pings web stranger
	pings stranger web
	deaf friend stranger
	sc network disconnect two web
	deaf web "$(address_of stranger)"
	deaf stranger web
	pings web friend

	# out, with the address of the host; a stranger outside cannot come in the same way
	for one in web stranger plain; do
		expect 0 scadm exec "$one" nc 192.0.2.2 8000
		same "$output" 192.0.2.1
		run ! apart ip netns exec outside ping -c 1 -W 1 "$(address_of "$one")"
	done

	# in by the published ports: from outside, from the host by all its addresses, and from every container by that of
	# the host, web itself too
	for from in outside web friend stranger plain -; do
		page "$from" 192.0.2.1
		echo_from "$from" 192.0.2.1
	done
	page - 127.0.0.1
	echo_from - 127.0.0.1
	page - 10.99.0.1
	# by that port and no other
	run ! apart ip netns exec outside curl -sS -m 1 "http://$(address_of web):80/"
	run ! apart ip netns exec stranger curl -sS -m 1 "http://$(address_of web):80/"
}

@test "every path on a plain host; with bridges that ask the firewall and such that do not" {
	local call was=''
	people
	[ ! -e /proc/sys/net/bridge/bridge-nf-call-iptables ] || was=$(cat /proc/sys/net/bridge/bridge-nf-call-iptables)
	for call in 0 1; do
		[ ! "$was" ] || echo "$call" >/proc/sys/net/bridge/bridge-nf-call-iptables
		paths
	done
	[ ! "$was" ] || echo "$was" >/proc/sys/net/bridge/bridge-nf-call-iptables
	nobody_left
}

@test "every path on a host with FORWARD DROP and the chains of docker, which are there afterwards as before" {
	local before
	iptables -P FORWARD DROP
	iptables-restore --noflush <<-END
		*filter
		:DOCKER - [0:0]
		:DOCKER-ISOLATION-STAGE-1 - [0:0]
		:DOCKER-USER - [0:0]
		-A FORWARD -j DOCKER-USER
		-A FORWARD -j DOCKER-ISOLATION-STAGE-1
		-A FORWARD -o docker0 -j DOCKER
		-A DOCKER-ISOLATION-STAGE-1 -j RETURN
		-A DOCKER-USER -j RETURN
		COMMIT
	END
	before=$(iptables-save | sed 's/\[.*\]//; /^#/d')
	people
	paths
	nobody_left
	same "$(iptables-save | sed 's/\[.*\]//; /^#/d')" "$before"
	iptables -D FORWARD -j DOCKER-USER
	iptables -D FORWARD -j DOCKER-ISOLATION-STAGE-1
	iptables -D FORWARD -o docker0 -j DOCKER
	iptables -F DOCKER-USER
	iptables -F DOCKER-ISOLATION-STAGE-1
	iptables -X DOCKER
	iptables -X DOCKER-USER
	iptables -X DOCKER-ISOLATION-STAGE-1
	iptables -P FORWARD ACCEPT
}

@test "every path after a flush of the firewall, when network reload has put it back" {
	people
	iptables -F
	iptables -t nat -F
	sc network reload
	paths
	nobody_left
}

@test "every path after a stop and a start of all of them" {
	people
	kill "${served[1]}"
	wait "${served[1]}" || [ $? -eq 143 ]
	unset 'served[1]'
	sc stop -t 0 web friend stranger plain
	run ! apart curl -sS -m 1 http://192.0.2.1:8080/
	# in another order, so that addresses may change
	sc start plain stranger friend web
	echoes
	wait_until 20 listens web 80
	paths
	nobody_left
}

@test "100 MB arrive unharmed: published, by 127.0.0.1, by the hairpin, between containers by name, and from outside" {
	requires nginx
	local sum url pid
	mkdir "$BATS_TEST_TMPDIR/www"
	head -c 100000000 /dev/urandom >"$BATS_TEST_TMPDIR/www/data"
	sum=$(sha256sum <"$BATS_TEST_TMPDIR/www/data")
	sc network create one
	sc run -d --name=web --net=one -p 8080:80 -v "$BATS_TEST_TMPDIR/www:/www:ro" busybox httpd -f -p 80 -h /www
	sc run -d --name=friend --net=one busybox sleep 1000
	wait_until 20 listens web 80
	same "$(ip netns exec outside curl -sS http://192.0.2.1:8080/data | sha256sum)" "$sum"
	same "$(curl -sS http://127.0.0.1:8080/data | sha256sum)" "$sum"
	for url in http://web/data http://192.0.2.1:8080/data; do
		expect 0 scadm exec friend sh -c "wget -q -O - $url | sha256sum"
		same "$output" "$sum"
	done
	# a server outside, a client in a container
	printf '%s\n' 'user root;' "pid $BATS_TEST_TMPDIR/nginx.pid;" "error_log $BATS_TEST_TMPDIR/nginx.log;" 'events {}' \
		"http { access_log off; server { listen 8001; root $BATS_TEST_TMPDIR/www; } }" >"$BATS_TEST_TMPDIR/nginx.conf"
	chmod -R a+rX "$BATS_TEST_TMPDIR/www"
	ip netns exec outside nginx -c "$BATS_TEST_TMPDIR/nginx.conf" 3>&-
	wait_until 20 listens outside 8001
	expect 0 scadm exec friend sh -c 'wget -q -O - http://192.0.2.2:8001/data | sha256sum'
	same "$output" "$sum"
	pid=$(cat "$BATS_TEST_TMPDIR/nginx.pid")
	kill "$pid"
	wait_until 20 sh -c "! [ -e /proc/$pid ]"
	sc rm -f web friend
	sc network rm one
}
