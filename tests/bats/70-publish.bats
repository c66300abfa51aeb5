#!/usr/bin/env bats
# published ports: -p, -P, --expose: who reaches them, from where, and who does not

load helpers
load ready

# teardown - the leak check; what a test that failed has left is not the next one's
teardown() {
	local status=0
	sc_teardown || status=$?
	[ "$status" -eq 0 ] && [ -n "$BATS_TEST_COMPLETED" ] || {
		scadm ps -aq 3>&- | xargs -r scadm rm -f 3>&- || :
		scadm network prune -f 3>&- || :
		ip netns pids outside | xargs -r kill
		ip netns del outside || :
		ip netns del mine || :
	} >/dev/null 2>&1
	return "$status"
}

# web NAME [OPTION...] - a container that answers "this is NAME" on port 80
web() {
	local name="$1"
	shift
	sc run -d --name="$name" "$@" busybox sh -c "mkdir /tmp/w; echo this is $name >/tmp/w/index.html; exec httpd -f -p 80 -h /tmp/w"
	wait_until 20 ip netns exec "$name" curl -sS -m 30 http://127.0.0.1/
}

# get PLACE HOST:PORT - what the page there says, seen from the host (-), or from a namespace
get() {
	if [ "$1" = - ]; then
		curl -sS -m 30 "http://$2/" 3>&-
	else
		ip netns exec "$1" curl -sS -m 30 "http://$2/" 3>&-
	fi
}

# closed PLACE HOST:PORT - nobody answers there
closed() {
	local status=0
	if [ "$1" = - ]; then
		curl -sS -m 1 "http://$2/" >"$BATS_TEST_TMPDIR/page" 3>&- || status=$?
	else
		ip netns exec "$1" curl -sS -m 1 "http://$2/" >"$BATS_TEST_TMPDIR/page" 3>&- || status=$?
	fi
	# refused, or no answer in time
	case $status in 7 | 28) return 0 ;; esac
	echo "status $status from $2 as seen by $1"
	cat "$BATS_TEST_TMPDIR/page"
	return 1
}

# no_rule_of NAME - is there no rule that has its tag?
no_rule_of() {
	run ! grep -F "scadm $1\"" <(iptables-save)
}

# echoed PLACE HOST PORT TEXT - the datagram that comes back from there
echoed() {
	local inside=()
	[ "$1" = - ] || inside=(ip netns exec "$1")
	"${inside[@]}" bash -c 'exec 9<>"/dev/udp/$0/$1" && echo "$2" >&9 && timeout 30 head -n 1 <&9' "$2" "$3" "$4" 3>&-
}

# ended PID... - end servers of the test, and wait for that: the next test may have their ports
ended() {
	local pid
	for pid; do
		kill "$pid"
		wait "$pid" || [ $? -eq 143 ]
	done
}

# refused PATTERN WORD... - run WORD... says PATTERN, with 125, and changes nothing
refused() {
	local pattern="$1"
	shift
	sc 125 run --name=refused "$@" busybox true
	like "$stderr" "$pattern"
	world >"$BATS_TEST_TMPDIR/now"
	cmp "$BATS_TEST_TMPDIR/now" "$BATS_TEST_TMPDIR/unchanged"
}

@test "-p: from outside, from the host by all of its addresses, from the container itself and its neighbours" {
	requires curl
	local call
	outside
	web web -p 8080:80
	running neighbour
	for call in 0 1; do
		# both ways of a packet through a bridge
		[ ! -e /proc/sys/net/bridge/bridge-nf-call-iptables ] || echo "$call" >/proc/sys/net/bridge/bridge-nf-call-iptables
		same "$(get outside 192.0.2.1:8080)" 'this is web'
		same "$(get - 127.0.0.1:8080)" 'this is web'
		same "$(get - 192.0.2.1:8080)" 'this is web'
		same "$(get - 10.99.0.1:8080)" 'this is web'
		same "$(get web 192.0.2.1:8080)" 'this is web'
		same "$(get web 10.99.0.1:8080)" 'this is web'
		same "$(get neighbour 192.0.2.1:8080)" 'this is web'
		same "$(get neighbour 10.99.0.1:8080)" 'this is web'
		same "$(get neighbour "$(field web .NetworkSettings.IPAddress):80")" 'this is web'
	done
	sc port web
	same "$output" '80/tcp -> 0.0.0.0:8080'
	sc ps --format '{{.Ports}}' --filter name=web
	same "$output" '0.0.0.0:8080->80/tcp'
	sc rm -f web neighbour
	no_rule_of web
	outside_gone
}

@test "-p: from another network by the host's address, though the two do not reach each other" {
	requires curl
	sc network create other
	web web -p 8080:80
	running far
	sc run -d --name=stranger --net=other busybox sh -c 'trap "exit 0" TERM; while :; do sleep 0.1; done'
	same "$(get stranger 10.99.0.1:8080)" 'this is web'
	closed stranger "$(field web .NetworkSettings.IPAddress):80"
	# and the other way about, whichever of the two networks came first
	sc rm -f web
	web web --net=other -p 8080:80
	same "$(get far 10.99.0.1:8080)" 'this is web'
	closed far "$(field web .NetworkSettings.Networks.other.IPAddress):80"
	sc rm -f web far stranger
	sc network rm other
}

@test "-p udp: an answer comes back, from outside and by 127.0.0.1" {
	requires socat
	local server
	outside
	sc run -d --name=echo -p 5300:53/udp -p 5300:53 busybox sleep 1000
	# -t: a datagram is the end of a question, and cat has half a second without
	ip netns exec echo socat -t 30 UDP4-RECVFROM:53,fork EXEC:cat 3>&- &
	server=$!
	wait_until 20 grep -q ':0035 ' "/proc/$server/net/udp"
	same "$(echoed - 127.0.0.1 5300 one)" one
	same "$(echoed outside 192.0.2.1 5300 two)" two
	sc port echo 53/udp
	same "$output" 0.0.0.0:5300
	ended "$server"
	sc rm -f echo
	outside_gone
}

@test "-p udp: a flow that went on before the port was published finds the container, and the next container" {
	requires socat conntrack
	local server client
	outside
	# the client says something 5 times a second, always from port 4000, whether or not there is anybody
	ip netns exec outside sh -c 'while sleep 0.2; do echo tick; done | socat -u - UDP4-SENDTO:192.0.2.1:5300,sourceport=4000' >/dev/null 2>&1 3>&- &
	client=$!
	wait_until 20 grep -q 'udp .*sport=4000 dport=5300' /proc/net/nf_conntrack
	for name in first second; do
		sc run -d --name="$name" -p 5300:53/udp busybox sleep 1000
		ip netns exec "$name" socat -u UDP4-RECV:53 "OPEN:$BATS_TEST_TMPDIR/$name,creat,append" 3>&- &
		server=$!
		wait_until 20 grep -q tick "$BATS_TEST_TMPDIR/$name"
		ended "$server"
		sc rm -f "$name"
	done
	pkill -P "$client"
	wait "$client" || :
	outside_gone
}

# ticks FAMILY HOST - somebody outside says "tick" to port 5300 of HOST 5 times a second, always from port 4000; sets $client
ticks() {
	ip netns exec outside sh -c 'while sleep 0.2; do echo tick; done | socat -u - "$0"' "UDP$1-SENDTO:$2:5300,sourceport=4000" >/dev/null 2>&1 3>&- &
	client=$!
}

# answering NAME FAMILY - in the container an echo is at port 53, and the flow of the ticks has two ways
answering() {
	ip netns exec "$1" socat -t 30 "UDP$2-RECVFROM:53,fork" EXEC:cat 3>&- &
	server=$!
	wait_until 20 sh -c 'grep "udp .*sport=4000 dport=5300" /proc/net/nf_conntrack | grep "sport=53 dport=4000" | grep -v UNREPLIED'
}

# got NAME - how many UDP packets came there, whether or not somebody waits for them
got() {
	ip netns exec "$1" awk '$1 == "Udp:" && $2 ~ /^[0-9]/ { four = $2 + $3 } $1 ~ /^Udp6(InDatagrams|NoPorts)$/ { six += $2 }
		END { print four + six }' /proc/net/snmp /proc/net/snmp6
}

# left_alone NAME - the next tick goes to the host itself, and nothing of the flow to the container
left_alone() {
	wait_until 20 sh -c 'grep "udp .*sport=4000 dport=5300" /proc/net/nf_conntrack | grep "sport=5300 dport=4000"'
	same "$(got "$1")" 0
}

@test "S19: -p udp: a flow that goes on when its port is gone does not come to the container that has the address next" {
	requires socat conntrack
	local server client
	outside
	ticks 4 192.0.2.1
	for end in 'stop -t 0' 'network disconnect bridge' 'rm -f'; do
		sc run -d --name=old --ip=10.99.0.88 -p 5300:53/udp busybox sleep 1000
		answering old 4
		# split on purpose
		# shellcheck disable=SC2086
		sc $end old
		ended "$server"
		sc run -d --name=next --ip=10.99.0.88 busybox sleep 1000
		left_alone next
		sc rm -f next
		[ "$end" = 'rm -f' ] || sc rm -f old
	done
	pkill -P "$client"
	wait "$client" || :
	outside_gone
}

@test "S19: -p udp: the same by IPv6" {
	requires socat conntrack ipv6
	local server client
	outside
	ip addr add 2001:db8:2::1/64 dev up0 nodad
	ip -n outside addr add 2001:db8:2::2/64 dev eth0 nodad
	sc network create --ipv6 --subnet=10.97.0.0/24 --subnet=fd00:97::/64 six
	ticks 6 '[2001:db8:2::1]'
	sc run -d --name=old --net=six --ip6=fd00:97::88 -p 5300:53/udp busybox sleep 1000
	answering old 6
	sc rm -f old
	ended "$server"
	sc run -d --name=next --net=six --ip6=fd00:97::88 busybox sleep 1000
	left_alone next
	sc rm -f next
	sc network rm six
	pkill -P "$client"
	wait "$client" || :
	outside_gone
}

@test "-p: only the published port is reachable, and only by the host's address" {
	requires curl socat
	local other
	outside
	web web -p 8080:80
	ip netns exec web socat TCP4-LISTEN:81,fork EXEC:'echo open' 3>&- &
	other=$!
	wait_until 20 grep -q ':0051 ' "/proc/$other/net/tcp"
	closed outside 192.0.2.1:80
	closed outside 192.0.2.1:81
	closed - 127.0.0.1:80
	ip -n outside route add 10.99.0.0/16 via 192.0.2.1
	closed outside "$(field web .NetworkSettings.IPAddress):80"
	closed outside "$(field web .NetworkSettings.IPAddress):81"
	ended "$other"
	sc rm -f web
	outside_gone
}

@test "S19: -p 127.0.0.1:… is for the host alone: not by its other addresses, nor by routing, nor by a forged 127.0.0.1" {
	requires curl
	local address
	outside
	web web -p 127.0.0.1:8080:80
	address=$(field web .NetworkSettings.IPAddress)
	same "$(get - 127.0.0.1:8080)" 'this is web'
	closed - 192.0.2.1:8080
	closed outside 192.0.2.1:8080
	ip -n outside route add 10.99.0.0/16 via 192.0.2.1
	closed outside "$address:80"
	# a machine next door that sends to 127.0.0.1 on the wire
	ip netns exec outside sysctl -qw net.ipv4.conf.all.route_localnet=1
	ip -n outside route add 127.0.0.1/32 via 192.0.2.1 src 192.0.2.2
	closed outside 127.0.0.1:8080
	sc rm -f web
	# nor when it is published for everybody
	web web -p 8080:80
	closed outside 127.0.0.1:8080
	sc rm -f web
	outside_gone
}

@test "S19: what listens on the host's 127.0.0.1 is reached neither from outside nor from a container" {
	requires curl socat
	local server
	outside
	web web -p 8080:80
	socat -t 30 TCP4-LISTEN:9999,bind=127.0.0.1,fork,reuseaddr EXEC:cat 3>&- &
	server=$!
	wait_until 20 grep -q ':270F ' /proc/net/tcp
	same "$(echo said | socat -t 30 - TCP4:127.0.0.1:9999 3>&-)" said
	ip netns exec outside sysctl -qw net.ipv4.conf.all.route_localnet=1
	ip -n outside route add 127.0.0.1/32 via 192.0.2.1 src 192.0.2.2
	closed outside 127.0.0.1:9999
	# as root of its own network namespace, with routes of its own making
	ip netns exec web sysctl -qw net.ipv4.conf.all.route_localnet=1
	ip -n web route del local 127.0.0.0/8 dev lo
	ip -n web route del local 127.0.0.1 dev lo
	ip -n web route add 127.0.0.1/32 via 10.99.0.1 src "$(field web .NetworkSettings.IPAddress)"
	closed web 127.0.0.1:9999
	# each of the two guards alone is enough: here without the one at the cable
	tc qdisc del dev "v-$(id12 web)" clsact
	closed web 127.0.0.1:9999
	same "$(cat /proc/sys/net/ipv4/conf/all/route_localnet)" 0
	same "$(cat /proc/sys/net/ipv4/conf/up0/route_localnet)" 0
	ended "$server"
	sc rm -f web
	outside_gone
}

@test "-p ranges: one to one, or the first free one of a range" {
	requires curl
	web a -p 8000-8002:80-82 -p 9000-9010:80
	sc port a
	same "$output" "80/tcp -> 0.0.0.0:8000
80/tcp -> 0.0.0.0:9000
81/tcp -> 0.0.0.0:8001
82/tcp -> 0.0.0.0:8002"
	web b -p 9000-9010:80
	sc port b 80
	same "$output" 0.0.0.0:9001
	same "$(get - 127.0.0.1:8000)" 'this is a'
	same "$(get - 127.0.0.1:9000)" 'this is a'
	same "$(get - 127.0.0.1:9001)" 'this is b'
	sc rm -f a
	web c -p 9000-9000:80
	same "$(get - 127.0.0.1:9000)" 'this is c'
	# the cable of a goes in the background
	wait_until 20 sh -c '[ "$(ip -o link | grep -c ": v-")" = 2 ]'
	world >"$BATS_TEST_TMPDIR/unchanged"
	refused '*no port from 9000 to 9001*free*' -p 9000-9001:80
	sc rm -f b c
}

@test "-p without a port of the host, -P and --expose: free ones, others at each start if they must" {
	requires curl
	local port
	sc create --name=plain busybox true
	sc export -o "$BATS_TEST_TMPDIR/root.tar" plain
	sc rm plain
	sc import --change 'EXPOSE 80 53/udp' --change 'CMD ["httpd", "-f", "-p", "80"]' "$BATS_TEST_TMPDIR/root.tar" exposing
	sc run -d --name=a -P --expose=7000-7001 exposing
	same "$(field a '.Config.ExposedPorts' | tr ',' '\n' | wc -l)" 4
	sc port a
	same "$(wc -l <<<"$output")" 4
	like "$output" '53/udp -> 0.0.0.0:[3-6][0-9][0-9][0-9][0-9]*'
	port=$(scadm port a 80 3>&-)
	wait_until 20 get - "127.0.0.1:${port#*:}"
	sc run -d --name=b -p 80 -p 127.0.0.1::81 -p 0:82 exposing
	port=$(scadm port b 80 3>&-)
	wait_until 20 get - "127.0.0.1:${port#*:}"
	sc port b 81
	like "$output" '127.0.0.1:[3-6]????'
	# exposed and not published
	same "$(sqlite3 :memory: "SELECT json_type(readfile('/var/lib/scadm/containers/b/config.json'), '\$.NetworkSettings.Ports.53/udp')")" null
	same "$(field b '.HostConfig.PortBindings."82/tcp"[0].HostPort')" ''
	# what took its port while it was stopped keeps it
	port=$(scadm port b 80 3>&-)
	sc stop -t 1 b
	sc port b
	same "$output" ''
	web c -p "${port#*:}:80"
	sc start b
	unlike "$(scadm port b 80 3>&-)" "$port"
	sc rm -f a b c
	sc rmi exposing
}

@test "-p: docker's words in inspect" {
	web web -p 8080:80 -p 127.0.0.1:9000:9000/udp
	same "$(field web .HostConfig.PortBindings)" '{"80/tcp":[{"HostIp":"","HostPort":"8080"}],"9000/udp":[{"HostIp":"127.0.0.1","HostPort":"9000"}]}'
	same "$(field web .NetworkSettings.Ports)" '{"80/tcp":[{"HostIp":"0.0.0.0","HostPort":"8080"}],"9000/udp":[{"HostIp":"127.0.0.1","HostPort":"9000"}]}'
	same "$(field web .Config.ExposedPorts)" '{"80/tcp":{},"9000/udp":{}}'
	sc rm -f web
}

@test "a port that another container has is refused by its name, before anything is changed; other addresses and protocols are not" {
	web web -p 8080:80 -p 127.0.0.1:9000:90
	world >"$BATS_TEST_TMPDIR/unchanged"
	refused "*8080/tcp*published by 'web'*" -p 8080:80
	refused "*8080/tcp*'web'*" -p 127.0.0.1:8080:80
	refused "*8080/tcp*'web'*" -p 8070-8090:70-90
	refused "*9000/tcp*'web'*" -p 9000:80
	sc run --rm -p 8080:80/udp -p 127.0.0.2:9000:80 busybox true
	sc create --name=later -p 8080:80 busybox true
	sc 125 start later
	like "$stderr" "*8080/tcp*'web'*"
	# who is stopped has no port
	sc stop -t 1 web
	sc start later
	# it has ended, and its supervisor has given the port back
	wait_until 20 sh -c '[ "$(scadm ps -q)" = "" ] && ! [ -e /var/run/container/.ports ]'
	sc start web
	sc rm -f web later
}

@test "a port that a process of the host listens on is refused, saying which one" {
	requires socat
	local server udp six
	socat TCP4-LISTEN:8080,bind=127.0.0.1,fork EXEC:cat 3>&- &
	server=$!
	socat UDP4-RECVFROM:5300,fork EXEC:cat 3>&- &
	udp=$!
	socat TCP6-LISTEN:8081,fork EXEC:cat 3>&- &
	six=$!
	wait_until 20 grep -q ':1F90 ' /proc/net/tcp
	wait_until 20 grep -q ':14B4 ' /proc/net/udp
	wait_until 20 grep -q ':1F91 ' /proc/net/tcp6
	world >"$BATS_TEST_TMPDIR/unchanged"
	refused "*8080/tcp*process socat ($server)*" -p 8080:80
	refused "*8080/tcp*process socat ($server)*" -p 127.0.0.1:8080:80
	refused "*5300/udp*process socat ($udp)*" -p 5300:53/udp
	refused "*8081/tcp*process socat ($six)*" -p 8081:80
	sc run --rm -p 127.0.0.2:8080:80 -p 8080:80/udp -p 5300:53/tcp busybox true
	# a free one of a range is none of these
	sc run -d --name=web -p 8080-8082:80 busybox sleep 100
	same "$(scadm port web 80 3>&-)" 0.0.0.0:8082
	ended "$server" "$udp" "$six"
	sc rm -f web
}

@test "S20: of those who want one port at the same moment one gets it, and a kill -9 leaves it free" {
	local n
	for n in {1..8}; do
		(scadm run -d --name="n$n" -p 8080:80 busybox sleep 100 >"$BATS_TEST_TMPDIR/o$n" 2>"$BATS_TEST_TMPDIR/e$n" 3>&- && echo "n$n" >>"$BATS_TEST_TMPDIR/won") || : &
	done
	wait
	same "$(wc -l <"$BATS_TEST_TMPDIR/won")" 1
	same "$(grep -l '8080/tcp' "$BATS_TEST_TMPDIR"/e? | wc -l)" 7
	same "$(cat /var/run/container/.ports/*)" "$(id12 "$(cat "$BATS_TEST_TMPDIR/won")")"
	same "$(iptables-save | grep -c 'dport 8080 ')" 1
	sc rm -f "$(cat "$BATS_TEST_TMPDIR/won")"
	killed web -p 8080:80
	sc run --rm -p 8080:80 busybox true
	sc rm -f web
	[ ! -e /var/run/container/.ports ]
}

@test "-p with no network of ours: refused, and with the host's network said to be pointless" {
	ip netns add mine
	sc network create --internal closed
	running web
	world >"$BATS_TEST_TMPDIR/unchanged"
	refused '*--net=none*' --net=none -p 8080:80
	refused '*--net=mine*' --net=mine -p 8080:80
	refused '*internal*' --net=closed -p 8080:80
	refused "*the ports are those of 'web'*" --net=container:web -p 8080:80
	sc run --rm --net=host -p 8080:80 busybox true
	like "$stderr" "*--net=host*host's own*"
	sc rm -f web
	sc network rm closed
	ip netns del mine
}

@test "-p and --expose: the protocol in any case" {
	web any -p 18080:80/TCP -p 18080:80/Udp --expose 81/uDP
	like "$(get - 127.0.0.1:18080)" '*this is any*'
	same "$(scadm port any | sort)" "80/tcp -> 0.0.0.0:18080
80/udp -> 0.0.0.0:18080"
	like "$(field any .Config.ExposedPorts)" '*"81/udp"*'
	sc rm -f any
}

@test "-p: bad input is refused with 125, and nothing is changed" {
	local word
	world >"$BATS_TEST_TMPDIR/unchanged"
	for word in 0 65536 80:0 0:0 65536:80 80:65536 80:80:80:80 : :: a b:80 80:a 80/x 80/ /tcp '' ' ' 80-79 80-:80 -80:80 8000-8002:80-81 \
		8000:80-81 256.0.0.1:80:80 1.2.3:80:80 224.0.0.1:80:80 '[::1:80:80' '[x]:80:80' '[ff02::1]:80:80' ::1:80:80 080:80 1e3:80 '80 81' \
		'*:80' '$(id):80' 1-5000:1-5000; do
		refused '*' -p "$word"
		like "$stderr" '*-p*'
	done
	refused '*stands there twice*' -p 80:80 -p 80:81
	refused '*stands there twice*' -p 80:80 -p 127.0.0.1:80:81
	refused '*no link of this host has that address*' -p 198.51.100.7:80:80
	refused '*no IPv6*' -p '[2001:db8::1]:80:80'
	refused '*no container can answer for ::1*127.0.0.1*' -p '[::1]:80:80'
	refused '*--expose*' --expose 0
	refused '*--expose*' --expose 80:80
}

@test "S22: stop, start and restart keep the port; rename keeps it, and the rules have the new name" {
	requires curl
	web web -p 8080:80
	sc stop -t 1 web
	closed - 127.0.0.1:8080
	no_rule_of web
	[ ! -e /var/run/container/.ports ]
	sc start web
	wait_until 20 get - 127.0.0.1:8080
	sc restart -t 1 web
	wait_until 20 get - 127.0.0.1:8080
	sc rename web shop
	no_rule_of web
	same "$(iptables-save | grep -c 'scadm shop"')" 5
	same "$(get - 127.0.0.1:8080)" 'this is web'
	sc 125 run --name=other -p 8080:80 busybox true
	like "$stderr" "*'shop'*"
	sc rm -f shop
	no_rule_of shop
}

@test "the plan of run -p is what it does, and its undo takes it back" {
	requires curl
	scadm -n run -d --name=web -p 8080:80 -p 81/udp busybox sh -c 'mkdir /tmp/w; echo planned >/tmp/w/index.html; exec httpd -f -p 80 -h /tmp/w' >"$BATS_TEST_TMPDIR/plan" 3>&-
	cat "$BATS_TEST_TMPDIR/plan"
	world >"$BATS_TEST_TMPDIR/untouched"
	cmp "$BATS_TEST_TMPDIR/untouched" "$BATS_TEST_TMPDIR/world.before"
	sh -e "$BATS_TEST_TMPDIR/plan" 3>&-
	wait_until 20 get - 127.0.0.1:8080
	same "$(get - 127.0.0.1:8080)" planned
	sc 125 run --name=other -p 8080:80 busybox true
	sc rm -f web
}

@test "IPv6: published on a network that has it, from outside, from the host, and the hairpin" {
	requires curl ipv6
	outside
	ip addr add 2001:db8:2::1/64 dev up0 nodad
	ip -n outside addr add 2001:db8:2::2/64 dev eth0 nodad
	sc network create --ipv6 six
	web web --net=six -p 8080:80
	wait_until 20 get outside '[2001:db8:2::1]:8080'
	same "$(get outside '[2001:db8:2::1]:8080')" 'this is web'
	same "$(get - '[2001:db8:2::1]:8080')" 'this is web'
	same "$(get web '[2001:db8:2::1]:8080')" 'this is web'
	same "$(get outside 192.0.2.1:8080)" 'this is web'
	# localhost is ::1 first for many a program: it hears at once that it has to try 127.0.0.1
	expect 7 curl -sS -m 30 'http://[::1]:8080/'
	same "$(get - localhost:8080)" 'this is web'
	like "$(field web .NetworkSettings.Ports)" '*"HostIp":"0.0.0.0"*"HostIp":"::"*'
	sc rm -f web
	web web --net=six -p '[2001:db8:2::1]:8080:80'
	wait_until 20 get outside '[2001:db8:2::1]:8080'
	same "$(get outside '[2001:db8:2::1]:8080')" 'this is web'
	closed outside 192.0.2.1:8080
	sc port web
	same "$output" '80/tcp -> [2001:db8:2::1]:8080'
	sc rm -f web
	sc network rm six
	outside_gone
}

@test "100 MB pass a published port unharmed, both ways" {
	requires curl nginx
	local port
	outside
	head -c 104857600 /dev/urandom >"$BATS_TEST_TMPDIR/data"
	sum=$(sha256sum <"$BATS_TEST_TMPDIR/data")
	sc run -d --name=web -p 8080:80 busybox sleep 1000
	mkdir "$BATS_TEST_TMPDIR/put"
	cat >"$BATS_TEST_TMPDIR/nginx.conf" <<-END
		daemon off; pid $BATS_TEST_TMPDIR/nginx.pid; user root; error_log $BATS_TEST_TMPDIR/error.log;
		events { }
		http { access_log off; client_max_body_size 200m; client_body_temp_path $BATS_TEST_TMPDIR/body;
		server { listen 80; root $BATS_TEST_TMPDIR; location /put { dav_methods PUT; } } }
	END
	ip netns exec web nginx -c "$BATS_TEST_TMPDIR/nginx.conf" 3>&- &
	port=$!
	wait_until 20 ip netns exec outside curl -sS -m 2 -o /dev/null http://192.0.2.1:8080/nginx.conf
	same "$(ip netns exec outside curl -sS -m 100 http://192.0.2.1:8080/data 3>&- | sha256sum)" "$sum"
	ip netns exec outside curl -sS -m 100 -T "$BATS_TEST_TMPDIR/data" http://192.0.2.1:8080/put/data 3>&-
	same "$(sha256sum <"$BATS_TEST_TMPDIR/put/data")" "$sum"
	rm -f "$BATS_TEST_TMPDIR/data" "$BATS_TEST_TMPDIR/put/data"
	kill "$port"
	wait "$port" || :
	sc rm -f web
	outside_gone
}
