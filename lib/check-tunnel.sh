# shellcheck shell=sh
# shellcheck disable=SC2154 # the words of lib.sh, lib/peers.sh, lib/check.sh and lib/check-host.sh
# lib/check-tunnel.sh - network check: the vxlan link, and what the kernel counts when nothing comes back by it

# check_vxlan - the link into the tunnel, and the port where it ends here
check_vxlan() {
	local shown line port
	if ! shown=$(ip -o link show dev "$vxlan" 2>/dev/null); then
		check_step FAILED vxlan "$vxlan is gone: 'scadm network reload $network' puts it back"
		return 0
	fi
	case $shown in
	*[\<,]UP[,\>]*) ;;
	*)
		check_step FAILED vxlan "$vxlan is down: 'ip link set $vxlan up'"
		return 0
		;;
	esac
	if [ ! "$(ip -o addr show to "$peers_address/32" 2>/dev/null)" ]; then
		check_step FAILED vxlan "this host no longer has the address $peers_address that others send to: make the network again with -o address="
		return 0
	fi
	port=$(printf '%04X' "$peers_port")
	while read -r _ line _; do
		case $line in
		*:"$port")
			check_step ok vxlan "$vxlan is up; this host listens on UDP port $peers_port"
			return 0
			;;
		esac
	done </proc/net/udp
	check_step FAILED vxlan "nothing listens on UDP port $peers_port here, though $vxlan is up: 'ip -d link show $vxlan'"
}

# check_tunnel - whether a packet gets through to the other end of the tunnel, and if not what the kernel has counted; status 1: it does not
check_tunnel() {
	local sent received refused filtered
	check_read "/sys/class/net/$vxlan/statistics/tx_packets"
	sent=$found
	check_read "/sys/class/net/$vxlan/statistics/rx_packets"
	received=$found
	check_count /proc/net/snmp Icmp InDestUnreachs
	refused=$found
	check_count /proc/net/netstat TcpExt IPReversePathFilter
	filtered=$found
	if check_ping "$end"; then
		check_step ok tunnel "$end, the other end, answers a ping: UDP port $peers_port is open on both sides"
		return 0
	fi
	check_count /proc/net/snmp Icmp InDestUnreachs
	if [ "$found" -gt "$refused" ]; then
		check_step FAILED tunnel "$host answers that UDP port $peers_port is closed: is the network '$network' up there ('scadm network reload $network' there)? a firewall that rejects says the same"
		return 1
	fi
	check_count /proc/net/netstat TcpExt IPReversePathFilter
	if [ "$found" -gt "$filtered" ]; then
		check_step FAILED tunnel "the answer came by another link than the one to its sender, and rp_filter drops such: 'ip route get $host', 'sysctl -a -r rp_filter'"
		return 1
	fi
	check_read "/sys/class/net/$vxlan/statistics/rx_packets"
	if [ "$found" -gt "$received" ]; then
		check_step FAILED tunnel "packets come out of the tunnel here, but no answer of $end: does a firewall of this host drop ICMP ('iptables -S INPUT')?"
		return 1
	fi
	check_read "/sys/class/net/$vxlan/statistics/tx_packets"
	if [ "$found" -le "$sent" ]; then
		check_step FAILED tunnel "no packet left by $vxlan: a firewall of this host may drop it ('iptables -S OUTPUT')"
		return 1
	fi
	check_input
	check_step FAILED tunnel "packets leave for $host and none comes back: UDP port $peers_port is filtered on the way or there ('iptables -I INPUT -p udp --dport $peers_port -j ACCEPT'), or that host does not know this one ('scadm network check $network $peers_address' there)"
	return 1
}

# check_input - a rule of this host that is about the port and drops, or a policy that does with no rule to let it in
check_input() {
	local line policy='' accepted=''
	while IFS= read -r line; do
		case $line in
		'-P INPUT '*) policy=${line##* } ;;
		'-A INPUT -j ACCEPT') accepted=1 ;;
		*"dport $peers_port "*'-j DROP' | *"dport $peers_port "*'-j REJECT'*) check_step FAILED port "here: iptables $line" ;;
		*"dport $peers_port "*'-j ACCEPT') accepted=1 ;;
		esac
	done <<-END
		$(iptables -w 10 -S 2>/dev/null)
	END
	[ "$policy" != DROP ] || [ "$accepted" ] ||
		check_step FAILED port "INPUT has the policy DROP here, and no rule that lets the tunnel in: 'iptables -I INPUT -p udp --dport $peers_port -j ACCEPT'"
}
