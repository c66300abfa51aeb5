#!/usr/bin/env bats
# network create, ls, inspect, rm, prune, reload: named networks and what is refused

load helpers
load ready

# names - the names of all networks but the three, in one line
names() {
	scadm network ls -f type=custom --format '{{.Name}}' 3>&- | tr '\n' ' '
}

# record NAME - the line `network` of the record: sets $link $gateway $length $gateway6 $length6
record() {
	read -r _ link gateway length gateway6 length6 _ <"/var/lib/scadm/networks/$1/network"
}

# network_field NAME PATH - one field of what network inspect says: network_field web .Driver
network_field() {
	scadm network inspect "$1" >"$BATS_TEST_TMPDIR/inspected" 3>&-
	sqlite3 :memory: "SELECT json_extract(readfile('$BATS_TEST_TMPDIR/inspected'), '\$[0]$2')"
}

# refused PATTERN WORD... - network create WORD... says PATTERN, with 125
refused() {
	local pattern="$1"
	shift
	sc 125 network create "$@"
	like "$stderr" "$pattern"
	same "$output" ''
}

# unchanged [FILE] - is the world as it was when FILE (default: unchanged) was written?
# wait_until passes one
# shellcheck disable=SC2120
unchanged() {
	world >"$BATS_TEST_TMPDIR/now"
	diff "${1-$BATS_TEST_TMPDIR/unchanged}" "$BATS_TEST_TMPDIR/now"
}

@test "network create prints the id and makes a link, an address, a pool and rules; rm takes them all" {
	sc network create back
	like "$output" "$(printf '?%.0s' {1..64})"
	id=$output
	record back
	like "$link" 'sc-br*'
	[ ${#link} -le 15 ]
	ip -o addr show dev "$link" | grep -qF " $gateway/$length "
	iptables-save | grep -F "SC-$link"
	sc-ipam --db=/var/lib/scadm/scadm.db pool-list back
	same "$(network_field back .Id)" "$id"
	same "$(network_field back .Driver)" bridge
	same "$(network_field back '.IPAM.Config[0].Gateway')" "$gateway"
	sc network rm back
	same "$output" back
	same "$(names)" ''
}

@test "network ls: the three are always there; ids, filters, templates, json" {
	sc network ls
	like "${lines[0]}" 'NETWORK ID *NAME *DRIVER *SCOPE'
	like "$output" '*bridge *bridge *local*'
	like "$output" '*host *host *local*'
	like "$output" '*none *null *local*'
	sc network create --label env=test --label 'odd=a "quoted" $(word)' --internal alone
	id=$output
	sc network create --ipv6 two
	sc network ls -q --no-trunc -f name=alone
	same "$output" "$id"
	sc network ls -q -f id="${id:0:20}"
	same "$output" "${id:0:12}"
	sc network ls -f label=env=test --format '{{.Name}} {{.Label "odd"}} {{.Internal}} {{.IPv6}}'
	same "$output" 'alone a "quoted" $(word) true false'
	sc network ls -f type=builtin --format '{{.Name}}'
	same "$output" $'bridge\nhost\nnone'
	sc network ls -f dangling=true --format '{{.Name}} {{.IPv6}}'
	same "$output" $'alone false\ntwo true'
	sc network ls -f driver=null --format json
	like "$output" '{"ID":"????????????","Name":"none","Driver":"null","Scope":"local","IPv6":"false","Internal":"false","Labels":"","CreatedAt":*}'
	sc network ls -f scope=global -q
	same "$output" ''
	for words in '-f colour=red' '-f dangling=perhaps' '-f type=mine' '--format {{.Nothing}}' 'one' '--format='; do
		# split on purpose
		# shellcheck disable=SC2086
		sc 125 network ls $words
	done
	sc network rm alone two
}

@test "network inspect: docker's fields; several at once, by name or id; what is not there" {
	sc network create --subnet 10.4.0.0/20 --ip-range 10.4.1.0/24 --gateway 10.4.0.9 --label a=1 --label b=2 --label a=3 -o mtu=1400 net
	id=$output
	apart scadm run -d --name=in --net=net busybox sleep 100 >/dev/null
	sc network inspect -f '{{.Name}} {{.Scope}} {{.Internal}} {{.EnableIPv6}} {{json .Labels}} {{json .IPAM.Config}} {{json .Options}}' net
	same "$output" 'net local false false {"b":"2","a":"3"} [{"Subnet":"10.4.0.0/20","IPRange":"10.4.1.0/24","Gateway":"10.4.0.9"}] {"mtu":"1400"}'
	sc network inspect -f '{{range .Containers}}{{.Name}} {{.IPv4Address}} {{.MacAddress}}{{end}}' "${id:0:10}"
	like "$output" 'in 10.4.1.*/20 02:42:0a:04:01:*'
	# an address outside of the part is given to who asks for it
	sc run --rm --net=net --ip=10.4.15.7 busybox ip -o addr show dev eth0
	like "$output" '*10.4.15.7/20*'
	sc inspect -f '{{.Id}}' net
	same "$output" "$id"
	sc inspect --type network -f '{{.Driver}}' bridge
	same "$output" bridge
	sc 125 inspect --type volume net
	sc network inspect -f '{{.Name}} {{.Driver}}' bridge host none "$id"
	same "$output" $'bridge bridge\nhost host\nnone null\nnet bridge'
	sc 125 network inspect nope bridge
	like "$stderr" "*no network 'nope'*"
	like "$output" '*"Name": "bridge"*'
	sc 125 network inspect
	sc rm -f in
	sc network inspect -f '{{json .Containers}}' net
	same "$output" '{}'
	sc network rm net
	# every range has the same fields
	sc network create --subnet 10.4.0.0/20 --ipv6 --subnet fd00:4::/64 net
	sc network inspect -f '{{range .IPAM.Config}}{{.Subnet}} {{.IPRange}} {{.Gateway}},{{end}}' net host
	same "$output" '10.4.0.0/20  10.4.0.1,fd00:4::/64  fd00:4::1,'
	sc network rm net
}

@test "network without a verb that there is: says which there are, and help shows them" {
	for words in network 'network foo' 'network list' 'network remove x' 'network -q'; do
		# words without blanks
		# shellcheck disable=SC2086
		sc 125 $words
		like "$stderr" '*network create *Make a network*network rm *'
		same "$output" ''
	done
	like "$stderr" "*'network' wants one more word*"
	for words in 'network --help' 'network -h' 'network help' 'help network'; do
		# shellcheck disable=SC2086 # as above
		sc $words
		like "$output" '*network create *Make a network*network rm *'
		unlike "$output" '*volume*'
	done
	sc help network create
	like "$output" 'Make a network*--subnet*'
	sc 125 network create new --subnet 10.4.0.0/20
	like "$stderr" "*options stand before the name: '--subnet' comes too late*"
	for words in 'connect new web --alias x' 'disconnect new web -f'; do
		# shellcheck disable=SC2086 # as above
		sc 125 network $words
		like "$stderr" '*options stand before the names*'
	done
}

@test "network inspect: one sqlite3 for any number of networks and containers" {
	requires strace
	sc network create many
	running m1 m2 m3
	count() {
		strace -f -qq -e trace=execve -o "$BATS_TEST_TMPDIR/calls" scadm network inspect "$@" >/dev/null 3>&-
		grep -c ' = 0$' "$BATS_TEST_TMPDIR/calls"
	}
	same "$(count many bridge host none)" "$(count many)"
	sc rm -f m1 m2 m3
	sc network rm many
}

@test "without --subnet a range is chosen that no route of the host meets, and no network" {
	ip link add up0 type bridge
	ip link set up0 up
	ip addr add 172.18.5.1/24 dev up0
	ip route add blackhole 172.19.128.0/17
	# a tunnel that takes everything is not in the way
	ip route add 0.0.0.0/1 dev up0
	sc network create one
	record one
	same "$gateway/$length" 172.20.0.1/16
	# also when its link is gone
	ip link del "$link"
	sc network create two
	record two
	same "$gateway/$length" 172.21.0.1/16
	sc network rm one two
	ip route del blackhole 172.19.128.0/17
	ip link del up0
}

@test "S18: ranges that a network or a route of the host has are refused, IPv4 and IPv6" {
	requires ipv6
	ip link add up0 type bridge
	ip link set up0 up
	ip addr add 10.20.0.1/16 dev up0
	ip addr add fd00:20::1/64 dev up0 nodad
	sc network create --subnet 10.30.0.0/16 --subnet fd00:30::/64 mine
	world >"$BATS_TEST_TMPDIR/unchanged"
	refused "*route of this host to 10.20.0.0/16*" --subnet 10.20.128.0/24 other
	refused "*the network 'bridge'*" --subnet 10.0.0.0/8 other
	refused "*the network 'mine'*" --subnet 10.30.7.0/24 other
	refused "*the network 'mine'*" --subnet 10.24.0.0/13 other
	refused "*route of this host to fd00:20::/64*" --subnet fd00:20:0:0:8000::/65 other
	refused "*the network 'mine'*" --subnet fd00:30::/64 other
	refused "*the network 'mine'*" --subnet fd00:30:0:0:1::/80 other
	unchanged
	# neighbours are not in the way
	sc network create --subnet 10.21.0.0/16 --subnet fd00:20:0:1::/64 other
	sc network rm mine other
	ip link del up0
}

@test "S15, S18: bad input is refused with 125 and the reason, and nothing is changed" {
	sc network create taken
	world >"$BATS_TEST_TMPDIR/unchanged"
	for name in '' . .. '*' % _ / ../x a/b 'a b' $'a\nb' -x; do
		refused '*' -- "$name"
	done
	refused '*at most 63*' "$(printf 'n%.0s' {1..64})"
	refused '*at most 64*' "$(printf 'n%.0s' {1..65})"
	for name in bridge host none container default; do
		refused '*meaning of its own*' "$name"
	done
	refused '*.6*' web.6
	refused "*there is a network 'taken' already*" taken
	for subnet in 10.1.0.0 10.1.0.0/ 10.1.0.0/7 10.1.0.0/31 10.1.0.0/32 10.1.0.0/016 10.256.0.0/16 10.1.0/16 224.0.0.0/16 127.0.0.0/16 0.0.0.0/8 \
		240.0.0.0/8 10.1.0.0/16/16 x fd00::/63 fd00::/127 fe80::/64 ff02::/64 ::/64 fd00::1::/64 fd00:::/64 fd00::/064 ::ffff:10.1.0.0/112; do
		refused "*--subnet '$subnet'*" --subnet "$subnet" new
	done
	refused '*did you mean --subnet 10.1.2.0/24 --gateway 10.1.2.3*' --subnet 10.1.2.3/24 new
	refused '*did you mean --subnet fd00:7::/64*' --subnet fd00:7::5/64 new
	for gateway in 10.1.3.1 10.1.2.0 10.1.2.255 10.1.2 x fd00::1; do
		refused '*--gateway*' --subnet 10.1.2.0/24 --gateway "$gateway" new
	done
	for gateway in fd00:8::1 fd00:7:: 10.1.2.3 fd00:7::g; do
		refused '*--gateway*' --subnet fd00:7::/64 --gateway "$gateway" new
	done
	refused '*--subnet that it is in*' --gateway 10.1.2.1 new
	for part in 10.1.3.0/25 10.1.2.0/23 10.1.2.64/25 10.1.2.1/32 10.1.2.0/32 10.1.2.255/32 10.1.2.0 x; do
		refused '*--ip-range*' --subnet 10.1.2.0/24 --ip-range "$part" new
	done
	refused '*--ip-range*' --ip-range 10.1.2.0/25 new
	for mtu in 0 67 65536 -1 1500x 0x500 99999999999999999999 ''; do
		refused '*MTU*68 to 65535*' --mtu="$mtu" new
		refused '*MTU*68 to 65535*' -o mtu="$mtu" new
	done
	refused '*IPv6 needs 1280*' --ipv6 --mtu 1279 new
	refused '*second*' --subnet 10.1.0.0/16 --subnet 10.2.0.0/16 new
	refused '*no such driver*bridge, macvlan, vxlan or host-gw*' -d bridg new
	refused '*vxlan*' -d overlay new
	refused '*is there*' -d host new
	refused '*-o parent=LINK*' -d macvlan --subnet 10.1.0.0/16 new
	refused '*no such link*' -d macvlan --subnet 10.1.0.0/16 -o parent=nope new
	refused '*share*' -d macvlan --subnet 10.1.0.0/16 -o parent=../lo new
	refused "*'colour'*mtu source-check*" -o colour=red new
	refused '*scadm names the links*' -o com.docker.network.bridge.name=br7 new
	refused '*on or off*' -o source-check=maybe new
	refused '*KEY=VALUE*' -o mtu new
	refused '*NAME=VALUE*' --label =x new
	refused '*--etcd*' -d vxlan --subnet 10.64.0.0/12 new
	refused '*-d vxlan*' --etcd http://127.0.0.1:2379 new
	refused '*unknown option*' --colour new
	refused '*what is the network*'
	refused "*unexpected 'b'*" a b
	unchanged
	sc network rm taken
}

@test "etcd that cannot be reached: 125, and nothing is changed" {
	requires etcdctl
	world >"$BATS_TEST_TMPDIR/unchanged"
	refused '*etcd at http://127.0.0.1:1*' -d vxlan --subnet 10.64.0.0/12 --etcd http://127.0.0.1:1 -o address=192.0.2.1 new
	unchanged
}

@test "a name of 63 characters works, and the names of links do not depend on it" {
	long=$(printf 'n%.0s' {1..62})
	sc network create "${long}1"
	sc network create "${long}2"
	sc run --rm --net="${long}2" busybox true
	sc network rm "${long}1" "${long}2"
}

@test "S15: rm with what is no name, or the beginning of several ids, touches nothing" {
	sc network create one
	sc network create two
	for id in 17 1; do
		# ids that begin alike
		for name in one two; do
			printf '%s%062d\n' "$id" "${#name}" >"/var/lib/scadm/networks/$name/id"
		done
	done
	world >"$BATS_TEST_TMPDIR/unchanged"
	for word in '' . .. '*' % _ / ../x ./one one/ 1 10; do
		sc 125 network rm -- "$word"
		sc 125 network rm one "$word"
		unchanged
	done
	sc 125 network rm nope one
	for word in bridge host none; do
		sc 125 network rm "$word"
		like "$stderr" '*cannot be removed*'
		sc 125 network rm -f one "$word"
	done
	unchanged
	sc network rm -f one nope two
	same "$output" $'one\ntwo'
}

@test "rm: one that a container has stays, and with it those named beside it; -f takes stopped ones out" {
	sc network create used
	sc network create free
	apart scadm run -d --name=in --net=used busybox sleep 100 >/dev/null
	sc 125 network rm free used
	like "$stderr" "*'used' is used by in:*"
	sc 125 network rm -f free used
	like "$stderr" '*in, which runs*'
	same "$(names)" 'free used '
	sc stop -t 0 in
	sc 125 network rm free used
	sc network rm -f free used
	same "$(names)" ''
	sc rm in
}

@test "rm: an address that was left behind is dropped, one that somebody took by hand is not" {
	sc network create --subnet 10.40.0.0/24 net
	sc-ipam --db=/var/lib/scadm/scadm.db take net 10.40.0.9 0123456789ab gone
	sc-ipam --db=/var/lib/scadm/scadm.db take net 10.40.0.10 somebody
	sc 125 network rm net
	like "$stderr" "*'net' has addresses that somebody holds*"
	same "$(names)" 'net '
	sc-ipam --db=/var/lib/scadm/scadm.db drop net 10.40.0.10
	sc network rm net
}

@test "rm: one that connect-bridge plugged something into stays" {
	sc create-netns --name=ns
	sc network create --subnet 10.40.0.0/24 net
	sc connect-bridge --name=ns --bridge=net --subnet=10.40.0.7/24
	sc 125 network rm net
	like "$stderr" '*namespace ns*disconnect-bridge --name=ns --bridge=net*'
	sc 125 network rm -f net
	sc network prune -f
	same "$(names)" 'net '
	sc disconnect-bridge --name=ns --bridge=net
	sc network rm net
	sc delete-netns ns
}

@test "prune: those that no container has; filters; the plan" {
	sc network create --label keep=1 one
	sc network create two
	sc network create three
	sc create --name=in --net=three busybox true
	sc network prune -f --filter until=1h
	same "$output" ''
	sc network prune -f --filter label!=keep
	same "$output" $'Deleted Networks:\ntwo'
	run -0 sh -c 'echo n | scadm network prune' 3>&-
	scadm -n network prune >"$BATS_TEST_TMPDIR/plan" 3>&-
	same "$(names)" 'one three '
	run -0 sh -e "$BATS_TEST_TMPDIR/plan" 3>&-
	same "$(names)" 'three '
	sc 125 network prune -a
	sc 125 network prune -f --filter colour=red
	sc rm in
	sc system prune -f
	like "$output" '*Deleted Networks:*three*'
	same "$(names)" ''
}

@test "--mtu is that of the bridge and of the containers; --internal has no way out" {
	outside
	sc network create --mtu 1400 small
	sc network create --internal inside
	sc run --rm --net=small busybox sh -c 'cat /sys/class/net/eth0/mtu; ping -c 1 -W 20 192.0.2.2 >/dev/null && echo out'
	same "$output" $'1400\nout'
	record small
	same "$(cat "/sys/class/net/$link/mtu")" 1400
	apart scadm run -d --name=other --net=inside busybox sleep 100 >/dev/null
	sc run --rm --net=inside busybox sh -c 'ping -c 1 -W 20 other >/dev/null && echo inside; ! ping -c 1 -W 1 192.0.2.2 >/dev/null && echo shut; ip route'
	like "$output" $'inside\nshut*'
	same "$(network_field inside .Internal)" 1
	sc rm -f other
	sc network rm small inside
	outside_gone
}

@test "--ipv6: containers reach each other by it, in a range of the network's own" {
	requires ipv6
	sc network create --ipv6 six
	record six
	like "$gateway6" 'fd*::1'
	same "$length6" 64
	same "$(network_field six '.IPAM.Config[1].Gateway')" "$gateway6"
	apart scadm run -d --name=other --net=six busybox sleep 100 >/dev/null
	address=$(field other .NetworkSettings.Networks.six.GlobalIPv6Address)
	like "$address" "${gateway6%1}*"
	sc run --rm --net=six busybox ping -c 1 -W 20 "$address"
	ip link set dev "$link" down
	ip addr flush dev "$link"
	sc network reload six
	sc run --rm --net=six busybox ping -c 1 -W 20 "$gateway6"
	sc rm -f other
	sc network rm six
	sc network create --subnet FD00:0:0:30:0:0:0:0/64 --gateway fd00:0:0:30::FF six
	record six
	same "$gateway6/$length6" fd00:0:0:30::ff/64
	sc network rm six
}

@test "S18: a /29 gives five addresses, the sixth run fails with the name of the network, a freed one is used again" {
	sc network create --subnet 10.50.0.0/29 tiny
	for n in 1 2 3 4 5; do
		apart scadm run -d --name="t$n" --net=tiny busybox sleep 100 >/dev/null
	done
	sc network inspect -f '{{len .Containers}}' tiny
	same "$output" 5
	world >"$BATS_TEST_TMPDIR/unchanged"
	sc 125 run --name=t6 --net=tiny busybox true
	like "$stderr" '*tiny*'
	unchanged
	sc rm -f t3
	sc run --rm --net=tiny busybox true
	sc rm -f t1 t2 t4 t5
	sc network rm tiny
}

# same_worlds WORD... - `scadm -n WORD...` run by sh, undone, then `scadm WORD...`, undone: the same world each time
same_worlds() {
	scadm -n "$@" >"$BATS_TEST_TMPDIR/plan" 3>&-
	world | cmp - "$BATS_TEST_TMPDIR/world.before"
	cat "$BATS_TEST_TMPDIR/plan"
	sh -e "$BATS_TEST_TMPDIR/plan" 3>&-
	world --normal >"$BATS_TEST_TMPDIR/planned"
	scadm undo /var/lib/scadm/networks/new/undo
	world | cmp - "$BATS_TEST_TMPDIR/world.before"
	scadm "$@" 3>&-
	world --normal >"$BATS_TEST_TMPDIR/made"
	diff "$BATS_TEST_TMPDIR/planned" "$BATS_TEST_TMPDIR/made"
	scadm -n network rm new >"$BATS_TEST_TMPDIR/plan" 3>&-
	world --normal | cmp - "$BATS_TEST_TMPDIR/made"
	sh -e "$BATS_TEST_TMPDIR/plan" 3>&-
	world | cmp - "$BATS_TEST_TMPDIR/world.before"
}

@test "plan: network create and network rm: what is printed is what runs, and the undo takes it back" {
	same_worlds network create --subnet 10.60.0.0/16 --label 'a=it'\''s "$HOME"' new
	same_worlds network create --internal --mtu 1300 new
	if [ -e /proc/sys/net/ipv6 ]; then
		same_worlds network create --subnet 10.60.0.0/16 --subnet fd00:60::/64 new
	fi
}

@test "-o source-check=off, and what else is of a driver" {
	sc network create -o source-check=off one
	read -r _ _ _ _ _ _ _ flags _ </var/lib/scadm/networks/one/network
	same "$flags" nat,open
	sc network rm one
	ip link add up0 type bridge
	sc 125 network create -d macvlan -o parent=up0 --subnet 192.0.2.0/24 lan
	like "$stderr" '*up0*is down*'
	ip link set up0 up
	ip addr add 192.0.2.1/24 dev up0
	# the range is that of the parent, which the host has a route to
	sc network create -d macvlan -o parent=up0 --subnet 192.0.2.0/24 --gateway 192.0.2.1 lan
	sc network inspect -f '{{.Driver}} {{.Options.parent}}' lan
	same "$output" 'macvlan up0'
	sc network reload lan
	sc network rm lan
	ip link del up0
}

@test "S20: create and rm that are killed at any step leave nothing that the next command does not take" {
	requires script
	step=0
	while stop_at "$step" KILL network create --subnet 10.60.0.0/16 new; do
		scadm network create --subnet 10.60.0.0/16 new >/dev/null 3>&-
		sc network rm new
		world | cmp - "$BATS_TEST_TMPDIR/world.before"
		step=$((step + 3))
		[ "$step" -lt 100 ]
	done
	[ "$step" -gt 5 ]
	sc network rm new
	for step in 0 1; do
		sc network create --subnet 10.60.0.0/16 new
		stop_at "$step" KILL network rm new
		sc network rm -f new
		sc gc
		world | cmp - "$BATS_TEST_TMPDIR/world.before"
	done
}

@test "S23: rm works when link and rules were taken away by hand" {
	sc network create new
	record new
	ip link del "$link"
	iptables -F "SC-$link"
	iptables -D FORWARD "$(iptables -S FORWARD | grep -n "SC-$link" | head -n 1 | cut -d : -f 1 | awk '{ print $1 - 1 }')"
	sc network rm new
}

@test "S22: a network that a reboot took is put back when a container starts on it, with its address" {
	sc network create --subnet 10.80.0.0/24 one
	record one
	sc create --name=in --net=one busybox sleep 100
	sc start in
	sc exec in ip -o -4 addr show dev eth0
	address=$output
	sc stop -t 0 in
	ip link del "$link"
	iptables-save | grep -v "SC-$link" | iptables-restore
	sc network ls -f 'name=^one$' -q
	like "$output" '????????????'
	sc start in
	sc exec in ip -o -4 addr show dev eth0
	same "${output#*inet}" "${address#*inet}"
	sc exec in ping -c 1 -W 20 "$gateway"
	iptables-save -t filter | grep -F "SC-$link"
	iptables-save -t nat | grep -F "SC-$link"
	sc rm -f in
	sc network rm one
}

@test "S28: a damaged record hurts that network only" {
	sc network create one
	sc network create two
	echo '{"Name' >/var/lib/scadm/networks/one/config.json
	sc network ls --format '{{.Name}} {{.Driver}}' -f type=custom
	same "$output" $'one bridge\ntwo bridge'
	sc network inspect one two
	sc network rm one two
}

@test "S18: of ten who make one network at once one does; of those who choose ranges at once each gets another" {
	for n in 1 2 3 4 5 6 7 8 9 10; do
		{ scadm network create same >/dev/null 2>&1 3>&- && echo "$n" >>"$BATS_TEST_TMPDIR/winners"; } &
	done
	wait
	same "$(wc -l <"$BATS_TEST_TMPDIR/winners")" 1
	for n in 1 2 3 4; do
		scadm network create "n$n" >/dev/null 3>&- &
	done
	wait
	same "$(scadm network inspect -f '{{(index .IPAM.Config 0).Subnet}}' n1 n2 n3 n4 same 3>&- | sort -u | wc -l)" 5
	sc network rm same n1 n2 n3 n4
}

# serves - whether the web server of the next test answers for the host: there is no such file
serves() {
	(
		exec 5<>/dev/tcp/127.0.0.1/18080
		printf 'GET /nothing HTTP/1.0\r\n\r\n' >&5
		read -r -t 30 answer <&5
		[[ $answer == *404* ]]
	) 2>/dev/null
}

# expect_either COMMAND... - done, or refused with 125
expect_either() {
	run --separate-stderr apart "$@"
	printf '%s %s\n' "$status" "$stderr"
	[ "$status" -eq 0 ] || [ "$status" -eq 125 ]
}

@test "S20: networks that are removed while containers start on them: one of the two is refused, and nothing is left" {
	# at once, when the container has a record, when that names the network, when it has an address
	for moment in true 'test -e /var/lib/scadm/containers/in' 'test -e /var/lib/scadm/containers/in/networks' \
		'sc-ipam --db=/var/lib/scadm/scadm.db list net | grep -q .'; do
		scadm network create --subnet 10.40.0.0/24 net >/dev/null 3>&-
		scadm run -d --name=in --net=net busybox sleep 100 >"$BATS_TEST_TMPDIR/out" 2>&1 3>&- &
		wait_until 20 sh -c "$moment"
		expect_either scadm network rm net
		wait
		[ ! -e /var/lib/scadm/containers/in ] || sc rm -f in
		sc gc
		sc network rm -f net
		# the cable of a container goes in the background
		wait_until 20 unchanged "$BATS_TEST_TMPDIR/world.before"
	done
}

@test "reload puts back rules, links, addresses and cables, and leaves what is there" {
	outside
	iptables -P FORWARD DROP
	sc network create one
	record one
	apart scadm run -d --name=in --net=one -p 18080:80 busybox httpd -f -p 80 >/dev/null
	wait_until 20 serves
	iptables-save | sed 's/\[[0-9:]*\]//; /^#/d' >"$BATS_TEST_TMPDIR/rules"
	sc network reload
	iptables-save | sed 's/\[[0-9:]*\]//; /^#/d' | diff "$BATS_TEST_TMPDIR/rules" -
	iptables -F
	iptables -t nat -F
	sc 1 exec in ping -c 1 -W 1 192.0.2.2
	run ! serves
	sc network reload one
	sc exec in ping -c 1 -W 20 192.0.2.2
	serves
	ip link del "$link"
	sc network reload
	sc exec in ping -c 1 -W 20 192.0.2.2
	ip addr flush dev "$link"
	sc network reload one
	sc exec in ping -c 1 -W 20 192.0.2.2
	wait_until 20 serves
	iptables-save | sed 's/\[[0-9:]*\]//; /^#/d' | diff <(sort "$BATS_TEST_TMPDIR/rules") <(sort)
	sc 125 network reload nope
	sc network reload bridge host none
	sc rm -f in
	sc network rm one
	iptables -P FORWARD ACCEPT
	outside_gone
}

@test "reload: one that is broken does not keep the others from being put back" {
	ip link add lan0 type veth peer name lan1
	ip link set dev lan0 up
	sc network create -d macvlan -o parent=lan0 --subnet=198.51.100.0/24 aaa
	sc network create one
	record one
	ip link del lan0
	ip link del "$link"
	sc 125 network reload
	like "$stderr" "*no link 'lan0'*not put back: 'aaa'*"
	[ -e "/sys/class/net/$link" ]
	sc network rm aaa one
}

@test "events tell of networks that are made and removed" {
	now=$(date +%s)
	sc network create told
	id=$output
	sc network rm told
	sc events --since "$now" --until "$(($(date +%s) + 1))" -f network=told --format '{{.Type}} {{.Action}} {{.Actor.ID}} {{.Actor.Attributes.name}} {{.Actor.Attributes.type}}'
	same "$output" "network create $id told bridge"$'\n'"network destroy $id told bridge"
}
