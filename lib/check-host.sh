# shellcheck shell=sh
# shellcheck disable=SC2154 # the words of lib.sh, lib/address.sh, lib/network.sh, lib/attach.sh, lib/etcd.sh, lib/peers.sh, lib/check.sh and bin/scadm-network-check
# lib/check-host.sh - network check: another host of a network across hosts, and what is behind it

# the bytes that vxlan puts around a packet: Ethernet, vxlan, UDP and IPv4 headers
check_envelope=50

# check_host - the way to another host of $network: $peer is an address in its block, or its own
check_host() {
	local first last number target='' host='' mend known='' known_block='' known_host='' end='' answers='' pid
	peers_read "$SC_ROOT/networks/$network" || die "the record of the network '$network' is damaged: 'scadm network rm $network' removes it"
	[ "$peer" != "$peers_address" ] || die "'$peer' is this host itself; peers are the others"
	attach_range "$range"
	address_number "$peer"
	if [ "$number" -ge "$first" ] && [ "$number" -le "$last" ]; then target=$peer; else host=$peer; fi
	mend="'scadm network agent --once $network' tells the kernel what etcd says"
	broken=''
	printf '%s: over %s (%s)\n' "$peer" "$network" "$driver"
	check_link
	[ "$driver" = host-gw ] || check_vxlan
	check_agent
	check_etcd
	if check_entries; then
		check_underlay
		if [ "$driver" = host-gw ] || check_tunnel; then
			check_target
			check_mtu
		fi
	elif [ "$host" ]; then
		check_underlay
	fi
	check_forwarding
	check_firewall
}

# check_peers - leave of the networks $across those in which etcd knows the host $peer, or does not answer; refuse if there is none
check_peers() {
	local all="$across" pairs peers peers_own revision etcd_answer=''
	across=''
	for network in $all; do
		if command -v etcdctl >/dev/null && peers_read "$SC_ROOT/networks/$network" && etcd_read "$SC_ROOT/networks/$network/etcd" && etcd_get "$etcd_prefix/$network/"; then
			[ "$peer" != "$peers_address" ] || die "'$peer' is this host itself; peers are the others"
			peers_list
			case "$nl$peers" in *" $peer "*) ;; *) continue ;; esac
		fi
		across="$across $network"
	done
	[ "$across" ] || die "'$peer' is in no network of this host, nor does etcd know it as a host of$all: 'scadm network ls' lists them; 'scadm network check ${all##* } $peer' looks for the host all the same"
}

# check_agent - whether somebody tells the kernel what etcd says
check_agent() {
	if [ "$peers_agent" = off ]; then
		check_step unknown agent "it is not started by scadm here (-o agent=off): does 'systemctl status scadm-network@$network' say that it runs?"
	elif peers_agent_runs; then
		check_step ok agent "it runs ($pid)"
	else
		check_step warning agent "it does not run: new hosts are not heard of, and the block of this host is lost when its lease ends: 'scadm network reload $network'"
	fi
}

# check_etcd - sets $known (1: etcd answers), and $known_block and $known_host, what it says of the peer
check_etcd() {
	local entry address rest wanted="$number" pairs peers peers_own revision
	etcd_answer="no etcdctl here, or no options for it in $SC_ROOT/networks/$network/etcd"
	if ! command -v etcdctl >/dev/null || ! etcd_read "$SC_ROOT/networks/$network/etcd" || ! etcd_get "$etcd_prefix/$network/"; then
		etcd_why
		check_step warning etcd "no answer ($why): hosts that are known stay so, new ones are not heard of"
		return 0
	fi
	known=1
	peers_list
	while read -r entry address rest; do
		[ "$entry" ] || continue
		attach_range "$entry"
		if [ "$address" = "$host" ] || { [ "$target" ] && [ "$wanted" -ge "$first" ] && [ "$wanted" -le "$last" ]; }; then
			known_block=$entry known_host=$address
		fi
	done <<-END
		$peers
	END
	[ "$peers_own" ] || check_step warning etcd "the block $block is not this host's any more, so others do not find it: 'scadm network reload $network'"
	if [ "$known_block" ]; then
		check_step ok etcd "the block $known_block is that of $known_host"
	else
		check_step FAILED etcd "no host has ${target:+a block with }$peer: is the network '$network' made there, and does its agent run ('scadm network check $network $peers_address' there)?"
	fi
}

# check_entries - what the kernel knows of the peer; sets $host, $target and for vxlan $end of the tunnel; status 1: packets do not leave for it
check_entries() {
	if [ ! "$target" ]; then
		check_reverse || return 1
	fi
	if ! check_route "$target"; then
		check_step FAILED route "no route to $target ($route)${known_block:+, and etcd knows whose it is}: $mend"
		return 1
	fi
	case $driver in
	vxlan) check_entries_vxlan || return 1 ;;
	*)
		if [ ! "$route_via" ]; then
			check_step FAILED route "packets for $target go to $route_device, and not to a host that has it: 'ip route show to match $target' shows whose route has that range"
			return 1
		fi
		check_step ok route "packets for $target go by $route_via on $route_device"
		host=$route_via
		;;
	esac
	[ "${known_host:-$host}" = "$host" ] ||
		check_step FAILED route "packets go to the host $host, where etcd says $known_host: $mend"
}

# check_reverse - sets $target to an address of the block of $host; status 1: nothing knows of it
check_reverse() {
	local line mac
	if [ "$known_block" ]; then
		attach_range "$known_block"
		address_text $((first + 1))
		target=$address
		return 0
	fi
	# etcd does not say: the kernel may still know
	if [ "$driver" = vxlan ]; then
		mac=$(bridge fdb show dev "$vxlan" 2>/dev/null | sed -n "s/^\([0-9a-f:]*\) dst $host .*/\1/p" | head -n 1)
		[ ! "$mac" ] || target=$(ip -4 neigh show dev "$vxlan" 2>/dev/null | sed -n "s/^\([0-9.]*\) lladdr $mac .*/\1/p" | head -n 1)
	else
		line=$(ip -4 route show proto "$peers_protocol" via "$host" 2>/dev/null | head -n 1)
		target=${line%%/*}
	fi
	if [ ! "$target" ]; then
		check_step FAILED route "this host knows no block of $host on '$network'"
		return 1
	fi
	# the first address of the block itself is that of the vxlan link there, the next one that of the bridge
	address_number "$target"
	address_text $((number + 1))
	target=$address
}

# check_entries_vxlan - route, neighbour and forwarding entry; status 1: one is missing
check_entries_vxlan() {
	local line mac=''
	if [ "$route_device" != "$vxlan" ]; then
		check_step FAILED route "packets for $target go to $route_device and not to $vxlan: 'ip route show to match $target' shows whose route has that range"
		return 1
	fi
	end=$route_via
	check_step ok route "packets for $target go by $end on $vxlan"
	check_neighbour "$end" "$vxlan"
	if [ ! "$neighbour" ]; then
		check_step FAILED neighbour "no MAC address is known for $end on $vxlan: $mend"
		return 1
	fi
	check_step ok neighbour "$end has $neighbour"
	while read -r mac line; do
		[ "$mac" = "$neighbour" ] || continue
		check_word dst "- $line"
		break
	done <<-END
		$(bridge fdb show dev "$vxlan" 2>/dev/null)
	END
	if [ "$mac" != "$neighbour" ] || [ ! "$found" ]; then
		check_step FAILED fdb "no host is known for $neighbour: $mend"
		return 1
	fi
	check_step ok fdb "packets for $neighbour go to the host $found"
	host=$found
}

# check_underlay - the host itself; sets $answers if it does
check_underlay() {
	if ! check_route "$host"; then
		check_step FAILED host "no route to the host $host ($route): is the link to it up?"
		return 0
	fi
	if [ "$driver" = host-gw ] && [ "$route_via" ]; then
		check_step FAILED host "$host is behind the router $route_via: host-gw is for hosts on one link, vxlan for others"
		return 0
	fi
	if check_ping "$host"; then
		answers=1
		check_step ok host "$host answers a ping${route_via:+, by way of $route_via} on $route_device"
		return 0
	fi
	check_neighbour "${route_via:-$host}" "$route_device"
	case $said,$neighbour in
	*'not permitted'*,*) check_step unknown host "a firewall of this host lets no ping out to $host: 'iptables -S OUTPUT'" ;;
	*,'') check_step FAILED host "nobody on $route_device says that ${route_via:-$host} is his (ARP): is it switched on, and the cable plugged in?" ;;
	*)
		if [ "$route_via" ]; then
			check_step unknown host "$host answers no ping: it is down behind the router $route_via, or somebody filters ICMP"
		else
			check_step unknown host "$host answers no ping, though it is there ($neighbour): somebody filters ICMP, or it has just gone"
		fi
		;;
	esac
}

# check_target - whether the address itself answers
check_target() {
	if check_ping "$target"; then
		check_step ok answer "$target answers a ping"
	else
		check_step FAILED answer "$target answers no ping: does it run there ('scadm network check $network $target' on $host)?"
	fi
}

# check_mtu - whether the way to the host takes packets as large as the network's
check_mtu() {
	local outer="$mtu" inner="$mtu" through="${end:-$target}"
	check_can_size || return 0
	[ "$driver" = host-gw ] || outer=$((mtu + check_envelope))
	if [ ! "$answers" ]; then
		# who does not answer pings outside may do so inside
		check_largest "$through" "$inner" || largest=0
		[ "$driver" = host-gw ] || largest=$((largest + check_envelope))
	elif ! check_largest "$host" "$outer"; then
		largest=0
	fi
	if [ "$largest" -ge "$outer" ]; then
		check_step ok mtu "packets of $inner bytes cross whole${end:+, in envelopes of $outer}"
	elif [ "$largest" -le 576 ]; then
		check_step unknown mtu "no packet of more than a few bytes crosses whole: see the steps before"
	elif check_size "$through" "$inner"; then
		check_step warning mtu "the way to $host takes packets of $largest bytes, so that larger ones cross in pieces, which is slow: make '$network' with --mtu=$((largest - outer + inner)) on all hosts"
	else
		check_step FAILED mtu "the way to $host takes packets of $largest bytes, where '$network' needs $outer: make it with --mtu=$((largest - outer + inner)) on all hosts"
	fi
}

. "$SC_LIB/lib/json.sh"
. "$SC_LIB/lib/etcd.sh"
. "$SC_LIB/lib/peers.sh"
. "$SC_LIB/lib/check-tunnel.sh"
