# shellcheck shell=sh
# shellcheck disable=SC2034,SC2154 # what is read here for the modules; the words of lib.sh, lib/journal.sh and lib/network.sh
# lib/firewall.sh - the chains of a network: what may pass between it, the other networks and the world
#
# Every rule of ours is in a chain of ours and tagged: SC-LINK for a network ("scadm NETWORK"), SC-ID12 for a container
# ("scadm NAME", see lib/publish.sh and lib/rate.sh). In the chains of the kernel there are only jumps to them. Whatever
# belongs together goes to iptables-restore --noflush in one piece; `:CHAIN` there makes the chain, or empties it.
# The undo of a chain is `scadm-firewall rm CHAIN`, which finds it, and the jumps to it, in every table.

# firewall_undo - state the undo of what firewall_network makes of $network $link $gateway $length $gateway6 $flags
firewall_undo() {
	# replayed last: as long as the host forwards, the rules say what
	undo scadm-firewall rm "SC-$link"
	! firewall_zoned || undo_line "! firewall-cmd -q --zone=trusted --query-interface=$link 2>/dev/null || firewall-cmd -q --zone=trusted --remove-interface=$link"
	undo scadm-sysctl drop "$link"
	# all of them are harmless where nothing was made
	pending=0
}

# firewall_network - the chains of a network, and the sysctls it needs; what is there already is made anew, once
firewall_network() {
	firewall_read
	firewall_reload_network
}

# firewall_reload_network - the same, when $jumps has been read
firewall_reload_network() {
	local transaction group chain="SC-$link" tag="-m comment --comment \"scadm $network\""
	if { read -r group <"/sys/class/net/$link/netdev_group"; } 2>/dev/null && [ "$group" != "$network_group" ]; then
		note "The networks know each other by the group of their links."
		cmd ip link set dev "$link" group "$network_group"
	fi
	cmd scadm-firewall base "$chain"
	if firewall_zoned; then
		note "firewalld refuses what comes from a link that is in no zone."
		cmd firewall-cmd -q --zone=trusted "--change-interface=$link"
	fi
	note "Rules in a chain of our own: which frames may pass between the ports of $link, to other links, and in."
	firewall_chains 4
	hint 'this needs the modules comment, conntrack, devgroup and addrtype of iptables, and nat'
	feed "$transaction" iptables-restore -w 10 --noflush
	if [ "$gateway6" ]; then
		firewall_chains 6
		hint 'this needs the modules comment, conntrack, devgroup and addrtype of ip6tables, and nat'
		feed "$transaction" ip6tables-restore -w 10 --noflush
	fi
	if network_flag nat || [ "$range" ]; then firewall_forwarding; fi
}

# firewall_zoned - whether firewalld is at work
firewall_zoned() {
	command -v firewall-cmd >/dev/null && [ "$(firewall-cmd --state 2>/dev/null)" = running ]
}

# firewall_forwarding - let the host forward packets, now that the rules say which
firewall_forwarding() {
	local device
	note "The host hands on what is for others, as a router does. The guard in the table raw comes before route_localnet,"
	note "which lets the host reach a published port by 127.0.0.1: nothing from the wire ever has such an address."
	cmd scadm-sysctl take net/ipv4/ip_forward 1 "$link"
	! network_flag nat || put "/proc/sys/net/ipv4/conf/$link/route_localnet" 1
	[ "$gateway6" ] || return 0
	firewall_routers
	for device in $routers; do
		note "A host that forwards no longer listens to the router that it has its own route from, unless it is told to."
		cmd scadm-sysctl take "net/ipv6/conf/$device/accept_ra" 2 "$link"
	done
	cmd scadm-sysctl take net/ipv6/conf/all/forwarding 1 "$link"
}

# firewall_routers - sets $routers to the links of which the host has an IPv6 route from a router that told it
firewall_routers() {
	local word last=''
	routers=''
	for word in $(ip -6 route show default proto ra 2>/dev/null); do
		[ "$last" != dev ] || routers="$routers $word"
		last=$word
	done
}

# firewall_read - sets $jumps to the jumps to chains of ours that are there: lines FAMILY TABLE PARENT CHAIN RULE
firewall_read() {
	local family saved
	jumps=''
	for family in '' 6; do
		[ ! "$family" ] || [ -e /proc/sys/net/ipv6 ] || continue
		# what it says on stderr is a warning about tables of the other kind
		saved=$("ip${family}tables-save" 2>/dev/null) || die "cannot read the rules of the firewall: 'ip${family}tables-save' failed"
		jumps=$jumps$(printf '%s\n' "$saved" | awk -v family="${family:-4}" '
			/^\*/ { table = substr($0, 2) }
			$1 == "-A" && $(NF - 1) == "-j" && $NF ~ /^SC-/ { print family, table, $2, $NF, $0 }')$nl
	done
}

# firewall_chains FAMILY - sets $transaction to what iptables-restore is to do for the network
firewall_chains() {
	local family="$1" rules range_family=''
	transaction=''
	[ "$1" = 6 ] || range_family=$range
	if network_flag nat; then
		rules=''
		if [ "$1" = 4 ]; then
			firewall_rule "-i $link -d 127.0.0.0/8" DROP
			firewall_rule "-i $link -s 127.0.0.0/8" DROP
			firewall_table raw "-I PREROUTING"
			rules=''
			set -- 4 "$gateway/$length"
		else
			set -- 6 "$gateway6/$length6"
		fi
		# to the outside, and back in (hairpin) so that the answer comes back this way too
		[ ! "$range_family" ] || firewall_rule "-s $2 -d $range_family ! -o $link" RETURN
		firewall_rule "-s $2 ! -o $link" MASQUERADE
		firewall_rule "-s $2 -o $link -m conntrack --ctstate DNAT" MASQUERADE
		[ "$family" = 6 ] || firewall_rule "-s 127.0.0.0/8 -o $link -m conntrack --ctstate DNAT" MASQUERADE
		firewall_table nat "-I POSTROUTING"
	elif network_flag internal; then
		# the ports that others have published on this host are outside as well
		rules=''
		firewall_rule "-i $link -m addrtype --dst-type LOCAL" ACCEPT
		firewall_table nat "-I PREROUTING"
	fi
	rules=''
	firewall_filter
	firewall_table filter "-I FORWARD"
}

# firewall_filter - add to $rules those of the table filter; containers put theirs behind the first three (see lib/publish.sh)
# RELATED is an ICMP error: whoever quotes a packet of another's flow makes one, so it comes from outside only, never from
# a network of ours to another.
firewall_filter() {
	local kind table parent to rule ours="-m devgroup --dst-group $network_group" outside="-m devgroup ! --src-group $network_group" tunnel=''
	[ "$driver" != vxlan ] || tunnel=$SC_PREFIX-vx${link#"$SC_PREFIX-br"}
	firewall_rule "-i $link -o $link" ACCEPT
	firewall_rule "-i $link -m conntrack --ctstate ESTABLISHED" ACCEPT
	firewall_rule "-o $link -m conntrack --ctstate ESTABLISHED" ACCEPT
	while read -r kind table parent to rule; do
		case $kind,$table,$parent in "$family,filter,$chain") rules="$rules$nl$rule" ;; esac
	done <<-END
		$jumps
	END
	# the other blocks of a network across hosts: what comes from there was sent by a container of it
	case $range_family,$tunnel in
	?*,?*)
		firewall_rule "-i $tunnel -s $range_family -o $link" ACCEPT
		firewall_rule "-i $link -o $tunnel -d $range_family" ACCEPT
		firewall_rule "-i $tunnel" DROP
		;;
	?*,) firewall_rule "$outside -s $range_family -o $link" ACCEPT ;;
	esac
	network_flag internal || firewall_rule "$outside -o $link -m conntrack --ctstate RELATED" ACCEPT
	firewall_rule "-o $link" DROP
	# by a port that is published on this host: the other network's chain says whether
	network_flag internal || firewall_rule "-i $link $ours -m conntrack --ctstate DNAT" RETURN
	firewall_rule "-i $link $ours" DROP
	[ ! "$range_family" ] || [ "$tunnel" ] || firewall_rule "-i $link -d $range_family" ACCEPT
	if network_flag nat; then
		firewall_rule "-i $link" ACCEPT
	elif network_flag internal; then
		firewall_rule "-i $link" DROP
	fi
}

# firewall_rule MATCH TARGET - add a rule of $chain to $rules
firewall_rule() {
	rules="$rules${rules:+$nl}-A $chain $1 $tag -j $2"
}

# firewall_table TABLE JUMP... - add to $transaction: $chain with $rules in that table of $family, and each JUMP to it
# (`-I PARENT MATCH…`) that $jumps does not have
firewall_table() {
	local table="$1" jump parent
	transaction="$transaction${transaction:+$nl}*$table
:$chain - [0:0]
$rules"
	shift
	for jump; do
		parent=${jump#-? }
		case $nl$jumps in
		*"$nl$family $table ${parent%% *} $chain "*) ;;
		*) transaction="$transaction$nl$jump $tag -j $chain" ;;
		esac
	done
	transaction="$transaction${nl}COMMIT"
}

# firewall_reload_priority - put back the chain by which what $name sends has its priority (lib/rate.sh), if it is gone
firewall_reload_priority() {
	local line net_prio='' address
	[ -e "$record/limits" ] || return 0
	while IFS= read -r line; do
		case $line in net-prio=*) net_prio=${line#*=} ;; esac
	done <"$record/limits"
	case $net_prio in '' | none) return 0 ;; esac
	case $nl$jumps in *"${nl}4 mangle POSTROUTING SC-$short "*) return 0 ;; esac
	{ read -r _ _ _ address _ <"$record/networks"; } 2>/dev/null || return 0
	rate_priority
}
