# shellcheck shell=sh
# shellcheck disable=SC2034,SC2154 # what is set here for lib/check-container.sh and lib/check-host.sh; the words of lib.sh and lib/network.sh
# lib/check.sh - network check: what a step says, and the questions that both ways of looking ask
#
# Everything here is a query: the kernel is asked, and packets go to the one peer that was named.

stops='' broken='' unsure=''

# check_step STATUS STEP TEXT - print the line of a step: ok, FAILED, warning or unknown; $stops is the first that FAILED of
# all, $broken that of the way that is being followed, $unsure is 1 once a step was unknown
check_step() {
	printf '  %-7s  %-12s  %s\n' "$1" "$2" "$3"
	case $1 in
	FAILED) stops=${stops:-$2} broken=${broken:-$2} ;;
	unknown) unsure=1 ;;
	esac
}

# check_word KEY TEXT - sets $found to the word behind the word KEY in TEXT, or to nothing
check_word() {
	local key="$1"
	# shellcheck disable=SC2086 # split on purpose; lib.sh has set -f
	set -- $2
	found=''
	while [ $# -gt 1 ]; do
		if [ "$1" = "$key" ]; then
			found=$2
			return 0
		fi
		shift
	done
}

# check_read FILE - sets $found to the first line of a file of the kernel, empty if there is none
check_read() {
	{ read -r found <"$1"; } 2>/dev/null || found=''
}

# check_setting KEY - sets $found to a number below /proc/sys, where a shell would read its first digit only
check_setting() {
	found=$(cat "/proc/sys/$1" 2>/dev/null) || found=''
}

# check_count FILE GROUP NAME - sets $found to what the kernel has counted, such as /proc/net/snmp Icmp InDestUnreachs
check_count() {
	local names values name
	found=0
	while read -r names && read -r values; do
		case $names in "$2: "*) ;; *) continue ;; esac
		for name in $names; do
			if [ "$name" = "$3" ]; then
				found=${values%% *}
				return 0
			fi
			values=${values#* }
		done
	done <"$1"
}

# check_route ADDRESS - sets $route_device, $route_via (empty: on the link) and $route to what the kernel would do with a packet
# status 1: nothing, and $route says why
check_route() {
	route=$(ip -o route get "$1" 2>&1) || {
		route=${route#RTNETLINK answers: }
		return 1
	}
	route=${route%%\\*}
	check_word via "$route"
	route_via=$found
	check_word dev "$route"
	route_device=$found
	case $route in unreachable* | prohibit* | blackhole*) return 1 ;; esac
}

# check_ping ADDRESS [OPTION...] - whether it answers, for 3 seconds; $said is what ping(8) said
# The first packet may be lost while somebody asks who has the address, and a busy machine is slow.
check_ping() {
	local address="$1"
	shift
	said=$(ping -n -c 1 -w 3 "$@" "$address" 2>&1)
}

# check_size ADDRESS BYTES - whether an IPv4 packet of that size gets there and back in one piece, see ping(8) -M
# Four of them in a second: most of the sizes that are tried get no answer.
check_size() {
	said=$(ping -n -c 1 -w 1 -i 0.3 -M 'do' -s $(($2 - 28)) "$1" 2>&1)
}

# check_largest ADDRESS BYTES - sets $largest to the largest packet up to BYTES that gets there; status 1: not even one of 576
check_largest() {
	local low=576 high="$2" middle
	largest=$2
	! check_size "$1" "$2" || return 0
	# a router that does not just drop it says how much it takes
	case $said in
	*'mtu'[\ =:]*[0-9]*)
		middle=${said##*mtu} middle=${middle#"${middle%%[0-9]*}"} middle=${middle%%[!0-9]*}
		if [ ${#middle} -lt 6 ] && [ "$middle" -ge 576 ] && [ "$middle" -lt "$2" ] && check_size "$1" "$middle"; then
			largest=$middle
			return 0
		fi
		;;
	esac
	check_size "$1" "$low" || check_size "$1" "$low" || return 1
	while :; do
		while [ $((high - low)) -gt 1 ]; do
			middle=$(((low + high) / 2))
			if check_size "$1" "$middle"; then low=$middle; else high=$middle; fi
		done
		# on a busy machine an answer may be late: what is said to be too large was so twice
		check_size "$1" "$high" || break
		low=$high high=$2
		[ "$low" -lt "$2" ] || break
	done
	largest=$low
}

# check_can_size - whether this ping(8) can keep a packet in one piece (that of busybox cannot)
check_can_size() {
	case $(ping -V 2>&1) in *iputils*) ;; *) return 1 ;; esac
}

# check_neighbour ADDRESS DEVICE - sets $neighbour to the MAC address that has answered for it, or to nothing
check_neighbour() {
	check_word lladdr "$(ip neigh show "$1" dev "$2" 2>/dev/null)"
	neighbour=$found
}

# check_link - the bridge of the network
check_link() {
	local shown
	if ! shown=$(ip addr show dev "$link" 2>/dev/null); then
		check_step FAILED link "$link is gone: 'scadm network reload $network' puts it back"
		return 0
	fi
	check_read "/sys/class/net/$link/mtu"
	case $shown in
	*[\<,]UP[,\>]*"inet $gateway/$length "*) check_step ok link "$link is up and has $gateway/$length, MTU $found" ;;
	*[\<,]UP[,\>]*) check_step FAILED link "$link has lost its address $gateway/$length: 'scadm network reload $network' puts it back" ;;
	*) check_step FAILED link "$link is down: 'ip link set $link up', or 'scadm network reload $network'" ;;
	esac
}

# check_firewall - our chains, without which neighbours and the outside are not what the network says
check_firewall() {
	local rules line before='' jump='' policy='' again="'scadm network reload $network' puts it back"
	rules=$(iptables -w 10 -S 2>/dev/null) || {
		check_step unknown firewall "iptables does not answer ('iptables -S')"
		return 0
	}
	while IFS= read -r line; do
		case $line in
		"-P FORWARD "*) policy=${line##* } ;;
		"-A FORWARD "*" -j SC-$link") jump=1 ;;
		"-A FORWARD "*'"scadm '*) ;;
		"-A FORWARD "*' -j DROP'* | "-A FORWARD "*' -j REJECT'*) [ "$jump" ] || before=${before:-$line} ;;
		esac
	done <<-END
		$rules
	END
	case $nl$rules$nl in
	*"$nl-A SC-$link "*) ;;
	*) jump='' ;;
	esac
	if [ ! "$jump" ]; then
		check_step FAILED firewall "our chain SC-$link or the way to it is gone (somebody's flush?) and the policy of FORWARD is $policy: $again"
		return 0
	elif [ "$before" ]; then
		check_step warning firewall "before our chain comes: iptables $before"
	else
		check_step ok firewall "FORWARD (policy $policy) comes to our chain SC-$link"
	fi
	check_read "/sys/class/net/$link/netdev_group"
	[ "${found:-$network_group}" = "$network_group" ] ||
		check_step FAILED group "$link is in the link group $found and not $network_group, by which the rules of other networks know it: $again"
	network_flag nat || return 0
	rules=$(iptables -w 10 -t nat -S 2>/dev/null) || rules=''
	case $nl$rules$nl in
	*"$nl-A POSTROUTING "*" -j SC-$link$nl"*) check_step ok masquerade "on the way out packets get this host's address" ;;
	*) check_step FAILED masquerade "our chain SC-$link of the table nat is gone, and answers from outside do not come back: $again" ;;
	esac
}

# check_forwarding - whether this host passes on packets that are not its own
check_forwarding() {
	check_setting net/ipv4/ip_forward
	if [ "$found" = 1 ]; then
		check_step ok forwarding 'this host passes packets on'
	else
		check_step FAILED forwarding "net.ipv4.ip_forward is 0, so nothing leaves the network: 'scadm network reload $network', or 'sysctl net.ipv4.ip_forward=1'"
	fi
}
