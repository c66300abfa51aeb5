# shellcheck shell=sh
# shellcheck disable=SC2034,SC2154 # what is set here for lib/network.sh; the words of lib.sh, lib/json.sh, lib/address.sh and lib/subnet.sh
# lib/network-options.sh - the command line of `network create`, and what it lacks: all is refused or chosen here
#
# It sets what network_up of lib/network.sh wants: $network $driver $link $gateway $length $gateway6 $length6 $mtu $flags
# $range $network_range $network_id $network_config.

network_valued=' -d --driver --subnet --gateway --ip-range --mtu --label -o --opt --etcd --etcd-cacert --etcd-cert --etcd-key --etcd-user --etcd-prefix '

# network_options WORD... - read the options and the name; refuses what needs no look at the host
network_options() {
	local given=' ' family
	driver=bridge subnet='' subnet6='' gateway='' gateway6='' length='' length6='' range='' network_range='' mtu=0 flags=''
	ipv6='' internal='' labels='' options='' parent='' source_check=on etcd_given='' driver_options=''
	while next_option "$network_valued" "$@"; do
		shift "$used"
		case $option in
		-d | --driver) driver=$value ;;
		--subnet | --gateway | --ip-range)
			case $value in *:*) family=6 ;; *) family=4 ;; esac
			case $given in *" $option$family "*) bad_usage "$option '$value': a network has one IPv4 and one IPv6 range; this is the second" ;; esac
			given="$given$option$family "
			[ "$value" ] || bad_usage "$option needs a value"
			case $option$family in
			--subnet4) subnet=$value ;;
			--subnet6) subnet6=$value ipv6=1 ;;
			--gateway4) gateway=$value ;;
			--gateway6) gateway6=$value ipv6=1 ;;
			--ip-range4) network_range=$value ;;
			*) bad_usage "$option '$value': it is for the IPv4 range only" ;;
			esac
			;;
		--ipv6) ipv6=1 ;;
		--internal) internal=1 ;;
		--mtu) network_mtu "$option" "$value" ;;
		--label)
			[ "${value%%=*}" ] || die "--label '$value': write NAME=VALUE"
			network_member "$labels" "$value"
			labels=$members
			;;
		-o | --opt)
			case $value in ?*=*) ;; *) die "$option '$value': write KEY=VALUE" ;; esac
			network_member "$options" "$value"
			options=$members
			driver_options=$driver_options$value$nl
			case $value in *"$nl"*) die "$option: a value has no line breaks" ;; esac
			;;
		--etcd*)
			[ "$etcd_given" ] || {
				. "$SC_LIB/lib/etcd.sh"
				etcd_clear
			}
			etcd_given=$option
			etcd_option
			;;
		*) bad_usage "unknown option $option" ;;
		esac
	done
	shift "$used"
	[ $# -gt 0 ] || bad_usage 'what is the network to be called?'
	[ $# -eq 1 ] || case $2 in
	-?*) bad_usage "options stand before the name: '$2' comes too late" ;;
	*) bad_usage "unexpected '$2'" ;;
	esac
	network_name "$1"
	network=$1
	network_options_check
}

# network_member LIST KEY=TEXT - sets $members to LIST, members of a JSON object, with this one; of two with one name the later counts
network_member() {
	local key rest="$2" before="$nl$1"
	case $2 in *=*) rest=${2#*=} ;; *) rest='' ;; esac
	json_string "${2%%=*}"
	key=$json
	json_string "$rest"
	members=$1
	# no JSON string has a line break in it: only a member begins there
	case $before in
	*"$nl$key:"*)
		rest=${before#*"$nl$key:"}
		members=${before%%"$nl$key:"*}
		members=${members#"$nl"}
		members=${members%,}
		case $rest in *"$nl"*) members=$members${members:+,$nl}${rest#*"$nl"} ;; esac
		;;
	esac
	members=$members${members:+,$nl}$key:$json
}

# network_name NAME - refuse what cannot be the name of a new network
network_name() {
	valid_name network "$1"
	[ ${#1} -le 63 ] || die "network '$1': a name has at most 63 characters, as a part of a host name has (RFC 1035)"
	case $1 in
	bridge | host | none | container | default) die "network '$1': that name has a meaning of its own for --net; choose another" ;;
	*.6) die "network '$1': a name that ends in .6 is that of the IPv6 addresses of another network; choose another" ;;
	esac
}

# network_mtu OPTION VALUE - sets $mtu
network_mtu() {
	mtu=$2
	case $2 in '' | *[!0-9]* | 0* | ??????*) mtu=0 ;; esac
	[ "$mtu" -ge 68 ] && [ "$mtu" -le 65535 ] || die "$1 '$2': an MTU is a number from 68 to 65535"
}

# network_options_check - what of the options contradicts the driver, or another option
network_options_check() {
	local known rest
	case $driver in
	bridge) known='mtu source-check' ;;
	macvlan) known='mtu parent macvlan_mode' ;;
	vxlan) known='mtu source-check address block vni port ttl agent' ;;
	host-gw) known='mtu source-check address block ttl agent' ;;
	overlay) die "-d overlay: the driver for a network across hosts is vxlan here (or host-gw)" ;;
	host | null | none) die "-d '$driver': there is one such network, and it is there: --net=host or --net=none" ;;
	*) die "-d '$driver': there is no such driver; write bridge, macvlan, vxlan or host-gw" ;;
	esac
	case $driver in vxlan | host-gw)
		. "$SC_LIB/lib/peers.sh"
		peers_clear
		;;
	esac
	rest=$driver_options
	while [ "$rest" ]; do
		network_option "${rest%%"$nl"*}"
		rest=${rest#*"$nl"}
	done
	case $driver in
	vxlan | host-gw)
		[ "$etcd_given" ] || die "-d $driver: hosts find each other in etcd: give --etcd=http://HOST:2379"
		[ ! "$gateway$gateway6" ] || die "-d $driver: the gateway of each host is the first address of its block; leave --gateway away"
		[ ! "$network_range" ] || die "-d $driver: each host has a block of the range (-o block=24); leave --ip-range away"
		[ ! "$ipv6" ] || die "-d $driver: between hosts there is IPv4 only; leave --ipv6 away"
		;;
	*) [ ! "$etcd_given" ] || die "$etcd_given is for -d vxlan and -d host-gw; the network '$network' is one of this host" ;;
	esac
	if [ "$driver" = macvlan ]; then
		[ "$parent" ] || die "-d macvlan: give -o parent=LINK, the link of this host that the containers share ('ip link' lists them)"
		case $parent in lo | . | .. | *[!a-zA-Z0-9_.:-]* | ????????????????*) die "-o parent='$parent': that is no link containers can share" ;; esac
		[ -e "/sys/class/net/$parent" ] || die "-o parent=$parent: there is no such link on this host; 'ip link' lists them"
		[ "$subnet" ] || die "-d macvlan: give --subnet and --gateway of the network that $parent is in: 'ip route' tells"
	fi
	[ ! "$gateway" ] || [ "$subnet" ] || die "--gateway=$gateway: give the --subnet that it is in, too"
	[ ! "$gateway6" ] || [ "$subnet6" ] || die "--gateway=$gateway6: give the --subnet that it is in, too"
	[ ! "$network_range" ] || [ "$subnet" ] || die "--ip-range=$network_range: give the --subnet that it is a part of, too"
	[ ! "$ipv6" ] || [ -e /proc/sys/net/ipv6 ] || die "--ipv6: the kernel of this host has no IPv6"
	[ ! "$ipv6" ] || [ "$mtu" = 0 ] || [ "$mtu" -ge 1280 ] || die "--mtu '$mtu': IPv6 needs 1280 bytes"
	[ ! "$subnet" ] || network_subnet
	[ ! "$subnet6" ] || network_subnet6
}

# network_option KEY=VALUE - an option of the driver; $known are those it has
network_option() {
	local key="${1%%=*}" text="${1#*=}"
	case $key in
	com.docker.network.driver.mtu) key=mtu ;;
	com.docker.network.bridge.name) die "-o $key: scadm names the links of its networks, as its rules go by the name; 'scadm network inspect' tells it" ;;
	esac
	case " $known " in
	*" $key "*) ;;
	*) die "-o '$key': the driver $driver has no such option; it has: $known" ;;
	esac
	case $key in
	mtu) network_mtu "-o $key" "$text" ;;
	parent) parent=$text ;;
	macvlan_mode) [ "$text" = bridge ] || die "-o macvlan_mode='$text': only bridge, in which the containers reach each other" ;;
	source-check)
		case $text in on | off) source_check=$text ;; *) die "-o source-check='$text': on or off" ;; esac
		;;
	*) peers_option "$key" "$text" ;;
	esac
}

# network_subnet - check $subnet, $gateway and $network_range; sets $first $last (numbers) $length and $gateway
network_subnet() {
	local network from to
	subnet_parse "$subnet" ||
		die "--subnet '$subnet': write NETWORK/LENGTH such as 172.18.0.0/16, with a length from 8 to 30, of addresses that a host can have"
	first=$network
	address_text "$first"
	[ "$number" -eq "$first" ] || die "--subnet '$subnet': that is an address in a network; did you mean --subnet $address/$length --gateway ${subnet%/*}?"
	if [ "$gateway" ]; then
		address_number "$gateway" && [ "$number" -gt "$first" ] && [ "$number" -lt "$last" ] ||
			die "--gateway '$gateway': that is no address of a host in $subnet"
	else
		address_text $((first + 1))
		gateway=$address number=$((first + 1))
	fi
	[ "$network_range" ] || return 0
	host=$number from=${network_range#*/}
	case $network_range in */*) ;; *) from='' ;; esac
	address_length "$from" "$length" 32 && address_number "${network_range%/*}" || die "--ip-range '$network_range': write a part of $subnet, such as ${subnet%/*}/$((length + 2))"
	to=$((number | ((1 << (32 - from)) - 1)))
	[ "$number" -ge "$first" ] && [ "$to" -le "$last" ] && [ $((number >> (32 - from) << (32 - from))) -eq "$number" ] ||
		die "--ip-range '$network_range': that is not a network inside of $subnet"
	# what of it is the network's own, its broadcast address, and the gateway, nobody gets
	[ $((to - number + 1 - (number == first) - (to == last) - (host >= number && host <= to))) -gt 0 ] ||
		die "--ip-range '$network_range': no address of it is left for a container"
}

# network_subnet6 - the same for $subnet6 and $gateway6; sets $network6 (digits) $length6 and $gateway6
network_subnet6() {
	local digits address
	subnet6_parse "$subnet6" ||
		die "--subnet '$subnet6': write NETWORK/LENGTH such as fd00:1:2:3::/64, with a length from 64 to 126, of addresses that a host can have"
	address6_text "$network6"
	[ "$digits6" = "$network6" ] || die "--subnet '$subnet6': that is an address in a network; did you mean --subnet $address/$length6 --gateway ${subnet6%/*}?"
	subnet6=$address/$length6
	if [ "$gateway6" ]; then
		address6_digits "$gateway6" && [ "$digits" != "$network6" ] && subnet6_meet "$network6" "$length6" "$digits" 128 ||
			die "--gateway '$gateway6': that is no address of a host in $subnet6"
	else
		digits=${network6%?}1
	fi
	address6_text "$digits"
	gateway6=$address
}

# network_choose NAME - choose the ranges that nobody gave, and refuse those that somebody else has
# The caller holds network_lock: of two who choose at once the second sees what the first one has.
network_choose() {
	case $driver in vxlan | host-gw)
		peers_ask "$subnet" "$mtu"
		subnet=$range network=$1
		return 0
		;;
	esac
	if [ ! "$subnet" ]; then
		subnet_choose
		address_text "$first"
		subnet=$address/16
		network_subnet
	else
		subnet_unused "$first" "$last" || die "--subnet '$subnet': $met has that range, or a part of it; choose another"
		# on a link that is shared the host is in the range itself
		[ "$driver" = macvlan ] || subnet_free "$first" "$last" || die "--subnet '$subnet': $met meets that range; choose another"
	fi
	[ "$ipv6" ] || return 0
	if [ ! "$subnet6" ]; then
		# a range of one's own: fd and 40 random bits (RFC 4193), a part of the id
		subnet6=fd${id%"${id#??????????}"}
		subnet6=${subnet6%????????}:${subnet6#????}
		subnet6=${subnet6%????}:${subnet6#?????????}::/64
		network_subnet6
	fi
	subnet6_unused "$network6" "$length6" || die "--subnet '$subnet6': $met has that range, or a part of it; choose another"
	[ "$driver" = macvlan ] || subnet6_free "$network6" "$length6" || die "--subnet '$subnet6': $met meets that range; choose another"
}

# network_link - sets $link to a name for the bridge that no link and no network has: our prefix and digits of the id
network_link() {
	local digits="$id" file taken
	[ "$driver" != macvlan ] || {
		link=$parent
		return 0
	}
	while [ "$digits" ]; do
		link=$SC_PREFIX-br$digits
		while [ ${#link} -gt 15 ]; do
			link=${link%?}
		done
		digits=${digits#?} taken=''
		set +f
		for file in "$SC_ROOT"/networks/*/network; do
			set -f
			{ read -r _ taken _ <"$file"; } 2>/dev/null || continue
			[ "$taken" != "$link" ] || break
		done
		set -f
		[ "$taken" = "$link" ] || [ -e "/sys/class/net/$link" ] || [ "$link" = "$SC_PREFIX-br0" ] || return 0
	done
	die "SC_PREFIX '$SC_PREFIX' is so long that no name is left for another bridge: choose a shorter one"
}

# network_describe - sets $network_config to what `network inspect` shows, and $flags
network_describe() {
	local scope=local config created
	created=$(date -u +%Y-%m-%dT%H:%M:%SZ) || die 'cannot run date'
	case $driver in vxlan | host-gw) scope=global ;; esac
	[ "$internal" ] || [ "$driver" = macvlan ] || flags=nat
	[ ! "$internal" ] || flags=internal
	[ "$source_check" = on ] || flags=$flags,open
	config=$network_range
	if [ "$range" ]; then
		# of a range that hosts share: the block of this one
		address_number "$gateway"
		address_text $((number >> (32 - length) << (32 - length)))
		config=$address/$length
	fi
	config="{\"Subnet\":\"$subnet\",${config:+\"IPRange\":\"$config\",}\"Gateway\":\"$gateway\"}"
	[ ! "$ipv6" ] || config="$config,{\"Subnet\":\"$subnet6\",\"Gateway\":\"$gateway6\"}"
	[ "$ipv6" ] && ipv6=true || ipv6=false
	[ "$internal" ] && internal=true || internal=false
	network_config="{\"Name\":\"$network\",\"Id\":\"$network_id\",\"Created\":\"$created\",\"Scope\":\"$scope\",\"Driver\":\"$driver\",\"EnableIPv6\":$ipv6,\"IPAM\":{\"Driver\":\"sc-ipam\",\"Options\":{},\"Config\":[$config]},\"Internal\":$internal,\"Options\":{$options},\"Labels\":{$labels}}"
}
