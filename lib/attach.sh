# shellcheck shell=sh
# shellcheck disable=SC2034,SC2154 # what is set here for the verbs; the words of lib.sh, lib/address.sh, lib/network.sh and lib/lease.sh
# lib/attach.sh - the networks that a container is on: its record of them, and which addresses it is to have
#
# The file `networks` of a container's record has a line for each network, in the order of its devices:
#	NETWORK DEVICE MAC ADDRESS ADDRESS6 ASKED ALIASES
# `-` stands for none. The addresses are the last ones it had; ASKED are the words ip, ip6 and mac, for what the user
# chose and therefore stays. $attachments has these lines.

# attach_read - sets $attachments to the lines of $record
attach_read() {
	local line
	attachments=''
	if [ ! -e "$record/networks" ]; then
		# of a version that had one network
		[ "$net" != bridge ] || attachments='bridge eth0 - - - - -'
		return 0
	fi
	while IFS= read -r line; do
		[ ! "$line" ] || attachments=$attachments${attachments:+$nl}$line
	done <"$record/networks"
}

# attach_renumber - its devices are eth0, eth1, … again, whatever network it left while it ran
attach_renumber() {
	local network rest lines="$attachments" index=0
	attachments=''
	while read -r network _ rest; do
		[ ! "$network" ] || attachments="$attachments${attachments:+$nl}$network eth$index $rest"
		index=$((index + 1))
	done <<-END
		$lines
	END
}

# attach_hosts - sets $hosts to the hosts file that it has mounted: it shows the names of all its networks
attach_hosts() {
	local line names=''
	hosts=$record/hosts
	[ "$attachments" ] && [ ! "$hosts_own" ] || return 0
	hosts=$SC_ROOT/networks/${attachments%% *}/hosts
	case $attachments in *"$nl"*) ;; *) return 0 ;; esac
	# the same file for all that are on the same networks
	while read -r line; do
		names="$names${names:++}$line"
	done <<-END
		$(printf '%s\n' "$attachments" | cut -d ' ' -f 1 | sort)
	END
	hosts=$SC_ROOT/networks/${names%%+*}/hosts+${names#*+}
	# as long as the kernel lets a name be
	[ ${#names} -lt 250 ] || hosts=$record/hosts
}

# attach_hosts_unused FILE - sets $line to a command that forgets the hosts file of several networks when no other container has
# it mounted
attach_hosts_unused() {
	line="test \"\$(find $SC_ROOT/containers -maxdepth 2 -name fstab ! -path $record/fstab -exec grep -lF -- '$1 ' {} +)\" || { sc-ipam $database hosts $1; rm -f $1; }"
}

# attach_ask - have its networks ready, and choose addresses; what is set in $attachments is literal then
attach_ask() {
	local line lines="$attachments" network device mac address address6 asked aliases chosen chosen6
	attachments=''
	[ "$lines" ] || return 0
	while read -r network device mac address address6 asked aliases; do
		# to make a network needs $address itself
		chosen=$address chosen6=$address6
		network_ready "$network"
		attach_address
		attach_mac_free
		attachments="$attachments${attachments:+$nl}$network $device $mac $chosen $chosen6 $asked $aliases"
	done <<-END
		$lines
	END
}

# attach_address - refuse addresses that cannot be; sets $chosen $chosen6 and $mac
attach_address() {
	local first last number
	attach_range "$gateway/$length"
	case ,$asked, in
	*,ip,*)
		address_number "$chosen" && [ "$number" -gt "$first" ] && [ "$number" -lt "$last" ] && [ "$chosen" != "$gateway" ] ||
			die "--ip '$chosen': the network $network has $gateway/$length; its addresses are in that range, and the gateway's is taken"
		;;
	*)
		# the one it had, unless the network is another by now
		address_number "$chosen" && [ "$number" -gt "$first" ] && [ "$number" -lt "$last" ] && [ "$chosen" != "$gateway" ] || chosen=-
		;;
	esac
	if [ "$chosen" = - ]; then
		attach_next "$network" "$gateway"
		chosen=$address
	fi
	if [ ! "$gateway6" ]; then
		case ,$asked, in *,ip6,*) die "--ip6 '$chosen6': the network $network has no IPv6 ('scadm network create --ipv6' makes one that has)" ;; esac
		chosen6=-
	elif [ "$chosen6" = - ]; then
		attach_next "$network.6" "$gateway6"
		chosen6=$address
	fi
	attach_mac "$chosen"
}

# attach_range ADDRESS/LENGTH - sets $first and $last, the numbers of its network and broadcast addresses
attach_range() {
	address_number "${1%/*}"
	first=$((number >> (32 - ${1#*/}) << (32 - ${1#*/})))
	last=$((first | ((1 << (32 - ${1#*/})) - 1)))
}

# attach_next POOL GATEWAY - sets $address to a free one; in a plan the network may be only going to be there
attach_next() {
	if [ "$door" = print ] && [ ! -e "$SC_ROOT/networks/$network/network" ]; then
		address=${2%.*}.2
		return 0
	fi
	lease_next "$1"
}

# attach_mac ADDRESS - sets $mac to what follows from the address, unless the user chose it
attach_mac() {
	case ,$asked, in *,mac,*) ;; *) address_mac "$1" ;; esac
}

# attach_mac_free - refuse a $mac that the user chose and that a container which runs has on $network: frames for one reach the other
attach_mac_free() {
	local other
	case ,$asked, in *,mac,*) ;; *) return 0 ;; esac
	set +f
	other=$(grep -lsi -- "^$network eth[0-9] $mac " /dev/null "$SC_ROOT"/containers/*/networks) || other=''
	set -f
	for other in $other; do
		other=${other%/networks}
		[ "$other" != "${record-}" ] && (is_running "$other") || continue
		die "--mac-address '$mac': the container '${other##*/}' has it on the network $network already"
	done
}

# attach_veth DEVICE - sets $veth to the host's end of the cable of that device
attach_veth() {
	veth=v${1#eth}-$short
	[ "$1" != eth0 ] || veth=v-$short
}

# attach_json - sets $networks_json (NetworkSettings.Networks) and $first_json, the members of NetworkSettings for eth0
attach_json() {
	local line network device mac address address6 asked aliases rest json all='' known
	first_json='"Bridge":"","IPAddress":"","IPPrefixLen":0,"Gateway":"","MacAddress":""'
	while read -r network device mac address address6 asked aliases; do
		[ "$network" ] || continue
		network_id='' known=''
		! network_read "$network" || known=1
		[ ! "$known" ] || read -r network_id <"$SC_ROOT/networks/$network/id"
		[ "$address" != - ] || address=''
		[ "$address6" != - ] || address6=''
		[ "$mac" != - ] || mac=''
		[ "$aliases" != - ] || aliases=''
		json=''
		while [ "$aliases" ]; do
			json="$json${json:+,}\"${aliases%%,*}\""
			case $aliases in *,*) aliases=${aliases#*,} ;; *) aliases='' ;; esac
		done
		rest=''
		case ,$asked, in *,ip,*) rest="\"IPv4Address\":\"$address\"" ;; esac
		case ,$asked, in *,ip6,*) rest="$rest${rest:+,}\"IPv6Address\":\"$address6\"" ;; esac
		# of a network that is not made yet there is only what was asked
		[ "$known" ] || address='' address6=''
		line='"IPAddress":"","IPPrefixLen":0,"Gateway":"","MacAddress":"'$mac'"'
		[ ! "$address" ] || line="\"IPAddress\":\"$address\",\"IPPrefixLen\":$length,\"Gateway\":\"$gateway\",\"MacAddress\":\"$mac\""
		[ ! "$address6" ] || line="$line,\"GlobalIPv6Address\":\"$address6\",\"GlobalIPv6PrefixLen\":$length6,\"IPv6Gateway\":\"$gateway6\""
		[ "$device" != eth0 ] || first_json="\"Bridge\":\"${known:+$link}\",$line"
		all="$all${all:+,}\"$network\":{\"NetworkID\":\"$network_id\",$line,\"Aliases\":[$json],\"IPAMConfig\":{$rest}}"
	done <<-END
		$attachments
	END
	case $net in
	container:*) ;;
	*) [ "$attachments" ] || all="\"$net\":{\"NetworkID\":\"\",\"IPAddress\":\"\",\"IPPrefixLen\":0,\"Gateway\":\"\",\"MacAddress\":\"\",\"Aliases\":[],\"IPAMConfig\":{}}" ;;
	esac
	networks_json="{$all}"
}
