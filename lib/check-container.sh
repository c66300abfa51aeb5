# shellcheck shell=sh
# shellcheck disable=SC2154 # the words of lib.sh, lib/find.sh, lib/network.sh, lib/attach.sh, lib/cable.sh, lib/check.sh and bin/scadm-network-check
# lib/check-container.sh - network check: a container of this host, from the bridge to its end of the cable

# check_here - who has the address $peer in the block of $network
check_here() {
	local line device mac address address6
	if [ "$peer" = "$gateway" ]; then
		printf '%s: the address of this host on %s\n' "$peer" "$network"
		check_link
		check_firewall
		return 0
	fi
	set +f
	for record in "$SC_ROOT"/containers/*; do
		set -f
		[ -e "$record/networks" ] || continue
		while read -r line device mac address address6 _; do
			[ "$line,$address" = "$network,$peer" ] && is_running "$record" || continue
			find_container "${record##*/}"
			cable_config
			check_container
			return 0
		done <"$record/networks"
	done
	set -f
	printf '%s: an address of %s (%s)\n' "$peer" "$network" "$link"
	check_link
	check_step FAILED owner "no container that runs has it: 'scadm network inspect $network' shows who has which"
}

# check_container - the line $network $device $mac $address $address6 of the record of $name
check_container() {
	broken=''
	printf '%s: %s on %s\n' "$name" "$device" "$network"
	if ! is_running "$record"; then
		check_step FAILED runs "'$name' does not run: 'scadm start $name'"
		return 0
	fi
	if ! network_read "$network"; then
		check_step FAILED network "there is no network '$network' any more: 'scadm network disconnect -f $network $name'"
		return 0
	fi
	if [ "$driver" = macvlan ]; then
		check_macvlan
		return 0
	fi
	check_link
	check_cable
	check_inside
	check_way
	check_answer
	check_source
	check_names
	check_firewall
	! network_flag nat || check_forwarding
}

# check_cable - the host's end of the cable
check_cable() {
	local again="'scadm network disconnect $network $name' and connect lay a new one"
	attach_veth "$device"
	if [ ! -e "/sys/class/net/$veth" ]; then
		check_step FAILED cable "$veth, the host's end, is gone: $again"
		return 0
	fi
	check_read "/sys/class/net/$veth/operstate"
	if [ ! "/sys/class/net/$veth/master" -ef "/sys/class/net/$link" ]; then
		check_step FAILED cable "$veth is not plugged into $link: 'ip link set $veth master $link'"
	elif [ "$found" = up ]; then
		check_step ok cable "$veth is plugged into $link and up"
	else
		check_step FAILED cable "$veth is $found: 'ip link set $veth up', or the other end is: 'ip -n $netns link set $device up'"
	fi
}

# check_inside - the container's end: up, its addresses and its routes
check_inside() {
	local shown mtu_inside
	if ! shown=$(ip -n "$netns" addr show dev "$device" 2>/dev/null); then
		check_step FAILED inside "there is no $device in the container: somebody removed it inside"
		return 0
	fi
	check_word mtu "$shown"
	mtu_inside=$found
	check_read "/sys/class/net/$link/mtu"
	case $shown in
	*[\<,]UP[,\>]*) ;;
	*)
		check_step FAILED inside "$device is down: 'ip -n $netns link set $device up'"
		return 0
		;;
	esac
	case $shown in
	*"link/ether $mac "*"inet $address/"*) check_step ok inside "$device is up and has $address and $mac, MTU $mtu_inside" ;;
	*"inet $address/"*) check_step FAILED inside "$device has not its MAC address $mac, and the source check drops what it sends: 'ip -n $netns link set $device address $mac'" ;;
	*) check_step FAILED inside "$device has not its address $address: 'ip -n $netns addr add $address/$length dev $device'" ;;
	esac
	if [ "$mtu_inside" -gt "${found:-65536}" ]; then
		check_step FAILED mtu "$device has MTU $mtu_inside and $link only $found, which drops what is larger: 'ip -n $netns link set $device mtu $found'"
	fi
	if network_flag internal; then
		return 0
	fi
	case $(ip -n "$netns" route show default 2>/dev/null) in
	default*) check_step ok 'way out' 'the container has a default route' ;;
	*) check_step FAILED 'way out' "the container has no default route: 'ip -n $netns route add default via $gateway'" ;;
	esac
}

# check_way - where this host sends packets for the container
check_way() {
	if ! check_route "$address"; then
		check_step FAILED route "this host has no route to $address ($route): 'scadm network reload $network'"
	elif [ "$route_device" != "$link" ]; then
		check_step FAILED route "this host sends packets for $address to $route_device and not to $link: 'ip route show to match $address' shows whose route has that range"
	else
		check_step ok route "this host sends packets for $address to $link"
	fi
}

# check_answer - whether it answers a ping, and if not what is known then; then as large a packet as its network has
check_answer() {
	local before dropped
	# it cannot, or the packet would leave on another way
	[ ! "$broken" ] || return 0
	check_dropped
	before=$found
	if check_ping "$address"; then
		check_step ok answer "$address answers a ping"
		check_whole
	else
		check_dropped
		dropped=$((found - before))
		check_neighbour "$address" "$link"
		case $neighbour in
		'') check_step FAILED answer "nobody on $link says that $address is his (ARP): 'scadm capture $name arp' shows whether the question arrives" ;;
		"$mac")
			check_step FAILED answer "$address has its MAC address, and answers no ping: 'scadm capture $name icmp' shows whether it arrives, 'ip netns exec $netns iptables -S' whether a firewall inside drops it"
			[ "$dropped" = 0 ] || check_step unknown source "of what it sent meanwhile $dropped frames were dropped: 'tc -s filter show dev $veth ingress'"
			;;
		*) check_step FAILED answer "somebody else ($neighbour) says on $link that $address is his: 'bridge fdb show br $link' shows at which port" ;;
		esac
	fi
	[ "$address6" != - ] || return 0
	if check_ping "$address6"; then
		check_step ok answer6 "$address6 answers a ping"
	else
		check_step FAILED answer6 "$address6 answers no ping: 'ip -6 neigh show dev $link' shows whether it is known, 'ip -n $netns -6 addr' whether it is there"
	fi
}

# check_dropped - sets $found to how much of what came from the container was dropped at the host's end
check_dropped() {
	local shown
	found=0
	shown=$(tc -s qdisc show dev "$veth" clsact 2>/dev/null) || return 0
	case $shown in *'(dropped '*) shown=${shown#*'(dropped '} && found=${shown%%[!0-9]*} ;; esac
}

# check_whole - whether a packet as large as the MTU gets through
check_whole() {
	check_can_size || return 0
	check_read "/sys/class/net/$link/mtu"
	if check_largest "$address" "$found"; then
		if [ "$largest" -eq "$found" ]; then
			check_step ok mtu "packets of $found bytes arrive whole"
		else
			check_step FAILED mtu "packets of $found bytes do not arrive, those up to $largest do: 'ip -n $netns link set $device mtu $found', or make the network with --mtu=$largest"
		fi
	else
		check_step FAILED mtu "no packet of 576 bytes arrives, though small ones do: is there a netem ('scadm netem $name')?"
	fi
}

# check_source - whether addresses of others are dropped at the cable
check_source() {
	if network_flag open; then
		check_step warning source "the network lets the container send with any address (-o source-check=off)"
		return 0
	fi
	case $(tc filter show dev "$veth" ingress 2>/dev/null) in
	*' bpf '*) check_step ok source "$veth drops what has not the container's addresses" ;;
	*) check_step warning source "$veth lets the container send with any address: a restart of the container brings the check back" ;;
	esac
}

# check_names - whether others find it by its name
check_names() {
	local one names
	while read -r one names; do
		case "$one $names " in
		"$address "*" $name "* | "$address $name "*)
			check_step ok name "others on $network find it as $names"
			return 0
			;;
		esac
		# a file that is not there names nobody
	done 2>/dev/null <"$SC_ROOT/networks/$network/hosts" || :
	check_step FAILED name "the hosts file of $network does not say that $name is $address: 'scadm restart $name' writes it"
}

# check_macvlan - what is there besides the host's own network stack
check_macvlan() {
	check_read "/sys/class/net/$link/operstate"
	case $found in
	'') check_step FAILED link "$link, on which the network stands, is gone" ;;
	down) check_step FAILED link "$link, on which the network stands, is down: 'ip link set $link up'" ;;
	*) check_step ok link "$link, on which the network stands, is $found" ;;
	esac
	check_inside
	check_step unknown answer "a host does not reach its own macvlan containers: ask from another host"
}
