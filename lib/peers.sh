# shellcheck shell=sh
# shellcheck disable=SC2034,SC2154 # what is set here for the verbs; the words of lib.sh, lib/journal.sh, lib/address.sh, lib/etcd.sh and lib/network.sh
# lib/peers.sh - networks across hosts, drivers vxlan and host-gw: this host among its peers
#
# Each host has a block of the network's range on a bridge of its own and leases single addresses of it by itself.
# Between the blocks packets are routed. etcd knows the network by these keys:
#	PREFIX/NETWORK/config           {"driver","range","blockLength","mtu","vni","port"}, made once
#	PREFIX/NETWORK/blocks/A.B.C.D-N {"host","address","vtepMac"}, with a lease that the agent of the host keeps alive
# The record of the network here has the file `etcd` (how to reach it) and the file `peer`: a line that a shell reads,
#	DRIVER LINK BLOCK RANGE HOST ADDRESS MTU VNI PORT TTL AGENT      HOST is a random id of this membership
# and the text of the key config. What etcd says was written by others: every field is looked at before it is used.

# what marks routes of ours, see ip-route(8) protocol; nobody in /etc/iproute2/rt_protos has it
peers_protocol=83

# peers_clear - no options yet
peers_clear() {
	peers_block_length='' peers_address='' peers_vni='' peers_port='' peers_ttl=15 peers_agent=on
}

# peers_option KEY VALUE - take an -o of these drivers; status 1: it is not one
peers_option() {
	case $1 in
	block)
		address_length "$2" 9 30 || die "-o block=$2: the length of a host's block, from 9 to 30, such as 24"
		peers_block_length=$2
		;;
	address)
		peers_unicast "$2" || die "-o address=$2: the IPv4 address by which other hosts reach this one"
		peers_address=$2
		;;
	vni)
		peers_number "$2" 1 16777215 || die "-o vni=$2: a number from 1 to 16777215"
		peers_vni=$2
		;;
	port)
		peers_number "$2" 1 65535 || die "-o port=$2: a UDP port from 1 to 65535; that of vxlan is 4789"
		peers_port=$2
		;;
	ttl)
		peers_number "$2" 3 3600 || die "-o ttl=$2: seconds from 3 to 3600 after which a host that vanished is forgotten"
		peers_ttl=$2
		;;
	agent)
		case $2 in on | off) peers_agent=$2 ;; *) die "-o agent=$2: on, or off when systemd runs scadm-network@NAME.service" ;; esac
		;;
	*) return 1 ;;
	esac
}

# peers_number TEXT MIN MAX - whether the text is a number in that range
peers_number() {
	case $1 in '' | *[!0-9]* | 0* | ?????????*) return 1 ;; esac
	[ "$1" -ge "$2" ] && [ "$1" -le "$3" ]
}

# peers_bounds RANGE - sets $low and $high (numbers), the first and the last address; status 1: that is no range
peers_bounds() {
	local host length network last number
	subnet_parse "$1" && [ "$number" -eq "$network" ] || return 1
	low=$network high=$last
}

# peers_unicast ADDRESS - whether it is the address of one host; sets $number
peers_unicast() {
	address_number "$1" && [ "$number" -ge 16777216 ] && [ $((number >> 24)) -ne 127 ] && [ "$number" -lt 3758096384 ]
}

# peers_block - sets $block to the block that $gateway and $length are of, and $vtep to its own address
peers_block() {
	address_number "$gateway"
	address_text $((number >> (32 - length) << (32 - length)))
	vtep=$address block=$address/$length
}

# peers_mac ADDRESS - sets $mac to the one of the vxlan link of the host with the block that begins there
peers_mac() {
	address_mac "$1"
	mac=02:58${mac#02:42}
}

# peers_read DIR - sets the words of the file `peer` in a record; status 1: there is none
peers_read() {
	{ read -r driver link block range peers_host peers_address mtu peers_vni peers_port peers_ttl peers_agent && IFS= read -r peers_config; } 2>/dev/null <"$1/peer" || return 1
	length=${block#*/} vtep=${block%/*} peers_block_length=${block#*/}
	vxlan=$SC_PREFIX-vx${link#"$SC_PREFIX-br"}
}

# peers_claim - have a block in etcd that is ours; of those who want the same one etcd lets one have it
peers_claim() {
	local record="$SC_ROOT/networks/$network" id status was tries=0
	new_id
	peers_host=${id%"${id#????????????}"}
	note "Other hosts read in etcd which block of the range is this host's. Its key goes with a lease of $peers_ttl seconds."
	etcd_write "$record/etcd"
	while :; do
		peers_block
		put "$record/peer" "$driver $link $block $range $peers_host $peers_address $mtu $peers_vni $peers_port $peers_ttl $peers_agent" "$peers_config"
		undo scadm-network-block release "$network" "$block"
		status=0
		try scadm-network-block claim "$network" "$block" || status=$?
		[ "$status" -ne 0 ] || break
		[ "$status" -eq 75 ] || failed "$status" scadm-network-block claim "$network" "$block"
		was=$gateway$nl$range$nl$pairs tries=$((tries + 1))
		peers_ask "$peers_range" "$peers_mtu"
		case $gateway$nl$range$nl$pairs in "$was") tries=$((tries + 100)) ;; esac
		[ "$tries" -lt 300 ] || die "etcd at $etcd_endpoints does not let this host have the block $block, though nobody has it there: see 'etcdctl get --prefix $etcd_prefix/$network/'"
		# it was looked at only then
		case ${was#*"$nl"} in "$range$nl"*) ;; *) die "the range of '$network' is another one by now, $range: make the network again" ;; esac
		was=\"${was%%"$nl"*}\"
		network_config=${network_config%%"$was"*}\"$gateway\"${network_config#*"$was"}
	done
	pending=0
}

# peers_up - what a network across hosts has besides its bridge
peers_up() {
	peers_block
	vxlan=$SC_PREFIX-vx${link#"$SC_PREFIX-br"}
	if [ "$driver" = vxlan ]; then
		undo scadm-firewall rm "SC-$vxlan"
		undo_if "/sys/class/net/$vxlan" ip link del dev "$vxlan"
	fi
	# with a way out it is the firewall's, see lib/firewall.sh
	network_flag nat || undo scadm-sysctl drop net/ipv4/ip_forward "$link"
	undo ip -4 route flush proto "$peers_protocol" root "$range"
	peers_links
	undo scadm-network-agent --stop -- "$network"
	pending=0
	peers_agent_up
}

# peers_links - the vxlan link, if there is to be one, and the end of the way for addresses that no host has
peers_links() {
	local mac
	if [ "$driver" = vxlan ]; then
		vxlan_guard "$vxlan"
		peers_mac "$vtep"
		vxlan_up "$vxlan" "$mac" "$vtep"
	fi
	network_flag nat || cmd scadm-sysctl take net/ipv4/ip_forward 1 "$link"
	note "What is for a block that no host has must not leave by the default route."
	feed "route replace unreachable $range proto $peers_protocol" ip -4 -batch -
}

# peers_agent_up - have the ways to the other blocks, and somebody who keeps them
peers_agent_up() {
	if [ "$peers_agent" = off ]; then
		try scadm-network-agent --once -- "$network" || say "the ways to other hosts are to be made by the agent that you start: systemctl start scadm-network@$network"
		return 0
	fi
	note "The agent keeps the lease alive and the ways to the other blocks as etcd has them."
	try scadm-network-agent --detach -- "$network" ||
		die "without its agent '$network' reaches no other host, and no container joins it; what the agent says is above, and in $SC_ROOT/networks/$network/agent.log"
}

# peers_whole - whether nothing of it is missing: the link, up, and the agent that keeps the block ours; asks no process
peers_whole() {
	local bits pid
	peers_read "$SC_ROOT/networks/$network" || return 1
	if [ "$driver" = vxlan ]; then
		{ read -r bits <"/sys/class/net/$vxlan/flags"; } 2>/dev/null && [ $((bits & 1)) -eq 1 ] || return 1
	fi
	[ "$peers_agent" = off ] || peers_agent_runs
}

# peers_agent_runs - whether the agent of $network does; sets $pid
peers_agent_runs() {
	local agent=''
	{ read -r agent <"$SC_ROOT/networks/$network/agent"; } 2>/dev/null || return 1
	pid=${agent%%:*}
	[ "${agent##*:}" = "$boot_id" ] && is_process "${agent%:*}"
}

# peers_repair - put back what somebody, a reboot or a kill took; the agent claims our block again if it has to
peers_repair() {
	peers_read "$SC_ROOT/networks/$network" || die "the record of the network '$network' is damaged: 'scadm network rm $network' removes it"
	peers_links
	# it looks at the kernel when it starts
	[ "$peers_agent" = off ] || cmd scadm-network-agent --stop -- "$network"
	peers_agent_up
}

. "$SC_LIB/lib/peers-ask.sh"
. "$SC_LIB/lib/peers-list.sh"
. "$SC_LIB/lib/vxlan.sh"
