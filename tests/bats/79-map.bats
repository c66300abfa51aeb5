#!/usr/bin/env bats
# map: what is drawn is what ip says, in four formats, whatever links are called

load helpers
load ready

# drawn - sets $output to the text of a map of all
drawn() {
	carried
	sc map "$@"
}

# carried - wait until the kernel has seen of links that both ends are up; a bridge without a port never has
carried() {
	wait_until 20 all_carried
	[[ $(ip -o link show type veth) != *' master sc-br0 '* ]] || wait_until 20 grep -qx up /sys/class/net/sc-br0/operstate
}

# all_carried - has no link that is up, of the host and of namespaces by name, one end only?
all_carried() {
	local name
	{
		ip -o link show up | grep -v ': sc-br'
		ip netns list | while read -r name _; do
			ip -n "$name" -o link show up
		done
	} >"$BATS_TEST_TMPDIR/links"
	! grep NO-CARRIER "$BATS_TEST_TMPDIR/links"
}

# line_with TEXT - the lines of $output that have it
line_with() {
	grep -F -e "$1" <<<"$output"
}

# a_house - links of all kinds, made with ip alone: bridges, cables, addresses, a way out, and a peer of a vxlan
a_house() {
	ip netns add attic
	ip netns add cellar
	ip link add stairs type bridge
	ip link set stairs up
	ip addr add 203.0.113.1/24 dev stairs
	ip link add step1 type veth peer name door netns attic
	ip link set step1 master stairs up
	ip -n attic addr add 203.0.113.2/24 dev door
	ip -n attic link set door up
	ip -n attic route add default via 203.0.113.1
	# both ends have the index 3, as those of other pairs may have
	ip -n attic link add lift type veth peer name lift netns cellar
	ip -n attic addr add 198.51.100.1/30 dev lift
	ip -n cellar addr add 198.51.100.2/30 dev lift
	ip link add street type veth peer name gate
	ip addr add 192.0.2.2/24 dev street
	ip link set street up
	ip link set gate up
	ip route add default via 192.0.2.1
	ip link add tunnel mtu 1400 type vxlan id 77 dstport 4789 local 192.0.2.2 dev street nolearning
	ip link set tunnel up
	bridge fdb append 02:42:00:00:00:09 dev tunnel dst 192.0.2.9
	ip neigh add 10.77.9.0 lladdr 02:42:00:00:00:09 dev tunnel nud permanent
	ip route add 10.77.9.0/24 via 10.77.9.0 dev tunnel onlink
	ip route add 10.88.0.0/16 via 192.0.2.7
}

# a_house_gone - take it away
a_house_gone() {
	local link
	ip netns del attic
	ip netns del cellar
	for link in tunnel street stairs; do
		ip link del "$link"
	done
	wait_until 20 sh -c '! ip link show step1'
}

@test "map: a host without networks is drawn, and nothing is changed" {
	sc run --rm --net=none busybox true
	ip netns add empty
	world >"$BATS_TEST_TMPDIR/before"
	expect 0 ip netns exec empty env SC_ROOT="$BATS_TEST_TMPDIR/none" scadm map
	same "$(sed -n 1p <<<"$output")" 'host: no links but lo'
	for format in text dot mermaid; do
		sc map --format "$format"
	done
	world >"$BATS_TEST_TMPDIR/after"
	diff "$BATS_TEST_TMPDIR/before" "$BATS_TEST_TMPDIR/after"
	ip netns del empty
}

@test "map: bridges, cables, addresses, ways out and peers are those that ip shows" {
	requires vxlan
	a_house
	drawn
	like "$(line_with stairs)" '?-- stairs (bridge*) 203.0.113.1/24'
	like "$(line_with step1)" '*-- step1 == door of namespace attic 203.0.113.2/24'
	line_with '   `-- default via 203.0.113.1'
	like "$(line_with street)" '*street*192.0.2.2/24*'
	line_with 'default via 192.0.2.1: outside'
	line_with '10.88.0.0/16 via 192.0.2.7'
	like "$(line_with tunnel)" '*tunnel (vxlan, id 77, from 192.0.2.2, UDP port 4789, MTU 1400)'
	line_with 'peer 192.0.2.9: 10.77.9.0/24'
	like "$(line_with lift)" '*-- lift (down) 198.51.100.1/30 == lift of namespace cellar (down) 198.51.100.2/30'
	# every global address of the host and of both namespaces, and no other
	for space in host attic cellar; do
		if [ "$space" = host ]; then set --; else set -- -n "$space"; fi
		ip "$@" -o addr show scope global
	done | awk '{ print $4 }' | sort >"$BATS_TEST_TMPDIR/known"
	grep -oE '[0-9a-f.:]+/[0-9]+' <<<"$output" | grep -vxE '10.77.9.0/24|10.88.0.0/16' | sort >"$BATS_TEST_TMPDIR/shown"
	diff "$BATS_TEST_TMPDIR/known" "$BATS_TEST_TMPDIR/shown"
	a_house_gone
}

@test "map: two cables between namespaces whose ends have the same indexes are told apart" {
	local name
	for name in a b c d; do
		ip netns add "$name"
	done
	ip -n a link add x type veth peer name x netns b
	ip -n c link add x type veth peer name x netns d
	drawn
	line_with 'x (down) == x of namespace b (down)'
	line_with 'x (down) == x of namespace d (down)'
	same "$(grep -c ' == x of' <<<"$output")" 2
	for name in a b c d; do
		ip netns del "$name"
	done
}

@test "map: containers, those that share a namespace, and those of the host" {
	running web
	scadm run -d --name=api --net=host busybox sleep 100 >/dev/null 3>&-
	scadm run -d --name=alone --net=none busybox sleep 100 >/dev/null 3>&-
	ip netns add shared
	scadm run -d --name=guest --net=shared busybox sleep 100 >/dev/null 3>&-
	drawn
	like "$output" 'host (with api)*'
	like "$(line_with "v-$(id12 web)")" "*-- v-$(id12 web) == eth0 of container web $(field web .NetworkSettings.IPAddress)/16"
	line_with 'container alone: no links but lo'
	line_with 'namespace shared (with guest): no links but lo'
	like "$(line_with sc-br0)" '*-- sc-br0 (bridge of network bridge, masquerades) 10.99.0.1/16'
	sc rm -f web api alone guest
	ip netns del shared
}

@test "map: a container on two networks, one without a way out, and what it publishes" {
	local id
	sc network create front
	sc network create --internal back
	sc run -d --name=web --net=front --net=back -p 8080:80 -p 127.0.0.1:5300-5301:53-54/udp busybox sleep 100
	id=$(id12 web)
	drawn
	like "$(line_with 'of network front')" '*-- sc-br* (bridge of network front, masquerades) *.1/*'
	like "$(line_with 'of network back')" '*-- sc-br* (bridge of network back, no way out) *.1/*'
	like "$(line_with "v-$id")" "*-- v-$id == eth0 of container web *"
	like "$(line_with "v1-$id")" "*-- v1-$id == eth1 of container web *"
	line_with '-- published 8080/tcp -> 80'
	line_with '-- published 127.0.0.1:5300/udp -> 53'
	line_with '-- published 127.0.0.1:5301/udp -> 54'
	drawn front
	line_with "v-$id == eth0 of container web"
	unlike "$output" '*eth1*'
	drawn web
	line_with 'of network back'
	sc rm -f web
	sc network rm front back
}

@test "map: with names only those are drawn, and what they hang on" {
	requires vxlan
	running web db
	a_house
	drawn web
	line_with "v-$(id12 web) == eth0 of container web"
	line_with 'sc-br0'
	line_with 'default via 192.0.2.1: outside'
	unlike "$output" '*container db*'
	unlike "$output" '*stairs*'
	drawn "$(id12 db)"
	line_with 'container db'
	unlike "$output" '*container web*'
	drawn bridge
	line_with 'container web'
	line_with 'container db'
	unlike "$output" '*attic*'
	drawn stairs
	line_with 'namespace attic'
	unlike "$output" '*cellar*'
	drawn cellar db
	line_with 'namespace cellar'
	line_with 'container db'
	unlike "$output" '*stairs*'
	sc rm -f web db
	a_house_gone
}

@test "map: bad words exit 125" {
	local word
	for word in '' . .. '*' % ../x nobody none -x; do
		sc 125 map "$word"
	done
	sc 125 map --format
	sc 125 map --format png
	like "$stderr" '*text, dot, mermaid or svg*'
	sc create --name=stopped busybox true
	sc 125 map stopped
	like "$stderr" "*'stopped' does not run*"
	sc rm stopped
}

@test "S12: links that a container named as it liked are text in every format" {
	requires dot
	local name
	ip netns add hostile
	# one of them has a control character, one is no UTF-8, and each format has its own mark of the end
	for name in 'x";' "x'--" "x\\" '\"]' '<b>&lt;' '"]-->o' '$(id)&amp;' '`id`' $'e\e[31m' $'u\377' '{|}' '#quot;'; do
		ip -n hostile link add "$name" type bridge
	done
	drawn hostile
	for name in 'x";' "x'--" "x\\" '\"]' '<b>&lt;' '"]-->o' '$(id)&amp;' '`id`' 'e?[31m' 'u' '{|}' '#quot;'; do
		line_with "-- $name (bridge, down)"
	done
	same "$(tr -d '\n -~' <<<"$output")" ''
	sc map --format dot hostile
	same "$(tr -d '\n -~' <<<"$output")" ''
	dot -Tplain <<<"$output" >"$BATS_TEST_TMPDIR/plain"
	# twelve boxes and no line between any
	same "$(grep -c '^node l' "$BATS_TEST_TMPDIR/plain")" 12
	same "$(grep -c '^edge' "$BATS_TEST_TMPDIR/plain")" 0
	sc map --format svg hostile
	like "$output" '*<svg*</svg>*'
	like "$output" '*&lt;b&gt;&amp;lt;*'
	unlike "$output" '*<b>*'
	sc map --format mermaid hostile
	# a line is a frame, or a box whose text has nothing but letters, numbers and codes
	same "$(grep -vE '^flowchart LR$|^  subgraph s[0-9]+\["[a-z ]*"\]$|^  end$|^    [le][0-9]+\["([A-Za-z0-9_.:/,=() -]|#[0-9]+;|<br/>)*"\]$' <<<"$output")" ''
	same "$(grep -c '^    l' <<<"$output")" 12
	ip netns del hostile
}

@test "map: dot, svg and mermaid have the boxes and lines of the text" {
	requires dot vxlan
	a_house
	sc map --format dot
	dot -Tplain <<<"$output" >"$BATS_TEST_TMPDIR/plain"
	same "$(grep -c 'style=bold' <<<"$output")" 3
	like "$output" '*label="namespace attic"*'
	like "$output" '*[[]label="default via 192.0.2.1"]*'
	like "$output" '*[[]label="10.77.9.0/24"]*'
	sc map --format svg
	like "$output" '<?xml*<svg*>namespace attic<*</svg>'
	sc map --format mermaid
	like "$output" 'flowchart LR*'
	same "$(grep -cE '^  l[0-9]+ === l[0-9]+$' <<<"$output")" 3
	same "$(grep -c '^  subgraph' <<<"$output")" "$(grep -c '^  end$' <<<"$output")"
	grep -E '^  l[0-9]+ -->\|"default via 192.0.2.1"\| outside$' <<<"$output"
	grep -E '^  l[0-9]+ -->\|"10.77.9.0/24"\| p[0-9]+$' <<<"$output"
	a_house_gone
}

@test "map: svg without graphviz says so" {
	requires dot
	local dot
	dot=$(command -v dot)
	# what is not executable is not found
	mount --bind /dev/null "$dot"
	run --separate-stderr scadm map --format svg
	umount "$dot"
	same "$status" 125
	like "$stderr" '*graphviz*'
}

@test "S23: without ip there is no map, and no empty one" {
	local ip
	ip=$(readlink -f "$(command -v ip)")
	mount --bind /dev/null "$ip"
	run --separate-stderr scadm map
	umount "$ip"
	same "$status" 125
	same "$output" ''
	like "$stderr" '*ip(8)*'
}

@test "S23: on a full disk map fails, in every format" {
	requires dot
	local format
	for format in text dot mermaid svg; do
		expect 125 sh -c 'scadm map --format "$1" >/dev/full' sh "$format"
		like "$stderr" '*cannot print the drawing*'
	done
}

@test "map: published ports are drawn at the container that has the address, and those that lead nowhere are told" {
	local address
	running web
	address=$(field web .NetworkSettings.IPAddress)
	iptables-restore --noflush <<-END
		*nat
		:SC-0123456789ab - [0:0]
		-A SC-0123456789ab -d 127.0.0.1/32 -p udp -m udp --dport 5353 -m comment --comment "scadm web" -j DNAT --to-destination $address:53
		-A SC-0123456789ab -p tcp -m tcp --dport 8080 -m comment --comment "scadm web" -j DNAT --to-destination 10.99.255.7:80
		-A PREROUTING -j SC-0123456789ab
		COMMIT
	END
	drawn
	line_with 'published 127.0.0.1:5353/udp -> 53'
	line_with 'stale: 8080/tcp is published for 10.99.255.7, and nobody here has that address'
	sc map --format dot web
	like "$output" '*outside -> l* [[]label="127.0.0.1:5353/udp -> 53"]*'
	# a chain that no packet comes to publishes nothing
	iptables -t nat -D PREROUTING -j SC-0123456789ab
	drawn
	unlike "$output" '*8080*'
	unlike "$output" '*5353*'
	iptables -t nat -F SC-0123456789ab
	iptables -t nat -X SC-0123456789ab
	sc rm -f web
}

@test "map: what is stale is seen: a name without a namespace, a cable into one that has no name" {
	local pid
	touch /run/netns/leftover
	unshare --net sleep 100 3>&- &
	pid=$!
	wait_until 20 sh -c "! [ /proc/$pid/ns/net -ef /proc/self/ns/net ]"
	ip link add dangles type veth peer name eth0 netns "$pid"
	drawn
	line_with 'stale: /run/netns/leftover is no network namespace'
	like "$(line_with dangles)" '*dangles (veth, down) == [?] in a namespace without a name'
	sc 125 map leftover
	like "$stderr" '*no network namespace*'
	rm /run/netns/leftover
	kill "$pid"
	wait_until 20 sh -c '! ip link show dangles'
}

@test "map: a container whose namespace lost its name is drawn all the same" {
	running web
	umount /run/netns/web
	drawn
	like "$(line_with "v-$(id12 web)")" '*== eth0 of container web 10.99.*'
	drawn web
	line_with 'of container web 10.99.'
	# the undo of the name finds it gone
	rm /run/netns/web
	sc rm -f web
	wait_until 20 sh -c '! ip link | grep v-'
}

@test "map: a macvlan hangs on its parent in another namespace" {
	requires macvlan
	ip netns add tower
	ip link add street type veth peer name gate
	ip link add link street name mac netns tower type macvlan mode bridge
	ip -n tower addr add 192.0.2.50/24 dev mac
	drawn
	line_with 'namespace tower: mac (macvlan, down, bridge) 192.0.2.50/24'
	ip netns del tower
	ip link del street
}

@test "map: a ring of cables and bridges within one namespace ends" {
	ip netns add ring
	ip -n ring link add b1 type bridge
	ip -n ring link add b2 type bridge
	ip -n ring link add p1 type veth peer name p2
	ip -n ring link add q1 type veth peer name q2
	ip -n ring link set p1 master b1
	ip -n ring link set p2 master b2
	ip -n ring link set q1 master b1
	ip -n ring link set q2 master b2
	drawn ring
	for name in b1 b2 p1 p2 q1 q2; do
		line_with "$name"
	done
	ip netns del ring
}

@test "map: 20 namespaces cost 20 processes more than none" {
	requires strace
	local n few many
	# the first word is the pid, as strace -f writes it
	strace -f -qq -o "$BATS_TEST_TMPDIR/few" -e trace=fork,vfork,clone,clone3 scadm map 3>&- >/dev/null
	for n in {1..20}; do
		ip netns add "n$n"
		ip link add "c$n" type veth peer name eth0 netns "n$n"
		ip link set "c$n" master sc-br0
	done
	strace -f -qq -o "$BATS_TEST_TMPDIR/many" -e trace=fork,vfork,clone,clone3 scadm map 3>&- >/dev/null
	few=$(grep -cE '= [0-9]+$' "$BATS_TEST_TMPDIR/few")
	many=$(grep -cE '= [0-9]+$' "$BATS_TEST_TMPDIR/many")
	echo "$few processes for the host alone, $many with 20 namespaces"
	[ "$few" -le 40 ]
	[ "$many" -le $((few + 22)) ]
	for n in {1..20}; do
		ip netns del "n$n"
	done
	wait_until 20 sh -c '! ip link show c20'
}
