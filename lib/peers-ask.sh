# shellcheck shell=sh
# shellcheck disable=SC2034,SC2154 # what is set here for lib/peers.sh; the words of lib.sh, lib/json.sh, lib/address.sh, lib/subnet.sh, lib/etcd.sh and lib/peers.sh
# lib/peers-ask.sh - all that must be known of a network across hosts before the first change; only queries

# peers_ask RANGE MTU - all that must be known of a network across hosts before the first change; only queries
# takes $network $driver and the options; sets $gateway $length (of our block) $range $mtu and $peers_config. RANGE: a
# CIDR, or empty to take what the first host said. MTU: 0 for the largest
peers_ask() {
	peers_range=$1 peers_mtu=$2
	etcd_ask
	etcd_get "$etcd_prefix/$network/" || etcd_refuse
	peers_underlay
	peers_agree
	peers_range_meant
	# asked once more because somebody was faster, it is ours already
	[ -e "$SC_ROOT/networks/$network" ] || peers_range_free
	[ "$driver" != host-gw ] || peers_on_link
	peers_choose
}

# peers_range_free - refuse a range that this host uses for something else; each address it has, also on a link that is
# down, has a route
peers_range_free() {
	local low high met=''
	peers_bounds "$range"
	subnet_free "$low" "$high" && subnet_unused "$low" "$high" ||
		die "the range $range of '$network' meets $met: all hosts of a network have one range, so it must be free on each"
}

# peers_range_meant - refuse a range that only etcd says and that is of addresses of the world, and any that has in it what
# this host must reach without the network: whoever writes to etcd would get all that is sent there
peers_range_meant() {
	local low high file word address endpoint rest="$etcd_endpoints,"
	peers_bounds "$range"
	[ "$peers_range" ] || peers_private ||
		die "etcd says that '$network' has the range $range, which is of addresses that others have in the world: what this host sends to those would go to its peers: say --subnet=$range if you mean it"
	for file in /etc/resolv.conf /run/systemd/resolve/resolv.conf; do
		[ -r "$file" ] || continue
		while read -r word address _; do
			[ "$word" != nameserver ] || peers_outside "$address" "a name server of this host ($file)"
		done <"$file"
	done
	while [ "$rest" ]; do
		endpoint=${rest%%,*} rest=${rest#*,}
		word=${endpoint#*://}
		word=${word%:*}
		case $word in
		*[!0-9.]*) address=$(getent ahostsv4 "$word" 2>/dev/null) || address='' ;;
		*) address=$word ;;
		esac
		while read -r address _; do
			peers_outside "$address" "where etcd is ($endpoint)"
		done <<-END
			$address
		END
	done
}

# peers_outside ADDRESS WHAT - refuse the range if its ends, $low and $high, have that address between them
peers_outside() {
	local number
	address_number "$1" || return 0
	[ "$number" -lt "$low" ] || [ "$number" -gt "$high" ] || die "the range $range of '$network' has $1 in it, $2: make the network with another range"
}

# peers_private - whether all from $low to $high is of addresses that nobody has in the world (RFC 1918, 6598, 2544)
peers_private() {
	local first="$low" end="$high" one
	local low high
	for one in 10.0.0.0/8 172.16.0.0/12 192.168.0.0/16 100.64.0.0/10 198.18.0.0/15; do
		peers_bounds "$one"
		[ "$first" -lt "$low" ] || [ "$end" -gt "$high" ] || return 0
	done
	return 1
}

# peers_agree - have $range $peers_block_length $mtu $peers_vni $peers_port from etcd, where the first host put them, and
# refuse what was asked otherwise; or make them
peers_agree() {
	local known_driver known_range known_length known_mtu known_vni known_port wanted low high
	peers_config=''
	case $nl$pairs in
	*"${nl}config "*)
		peers_config=${nl}$pairs
		peers_config=${peers_config#*"${nl}config "}
		peers_config=${peers_config%%"$nl"*}
		peers_config=${peers_config#* * }
		peers_config_parse
		[ "$driver" = "$known_driver" ] || die "the network '$network' has the driver $known_driver on its other hosts: take -d $known_driver, or another name"
		[ "${peers_range:-$known_range}" = "$known_range" ] || die "--subnet $peers_range: on its other hosts the network '$network' has $known_range: leave --subnet away, or take another name"
		for wanted in "block ${peers_block_length:-$known_length} $known_length" "vni ${peers_vni:-$known_vni} $known_vni" "port ${peers_port:-$known_port} $known_port"; do
			case $wanted in "${wanted%% *} ${wanted##* } ${wanted##* }") ;; *) die "-o ${wanted%% *}=…: on its other hosts the network '$network' has ${wanted##* }" ;; esac
		done
		case $peers_mtu in 0 | "$known_mtu") ;; *) die "MTU $peers_mtu: on its other hosts the network '$network' has $known_mtu" ;; esac
		[ "$known_mtu" -le "$peers_largest" ] || die "the network '$network' carries packets of $known_mtu bytes, of which $peers_device here takes $peers_largest: raise the MTU of $peers_device, or make the network with --mtu=$peers_largest on all hosts"
		range=$known_range peers_block_length=$known_length mtu=$known_mtu peers_vni=$known_vni peers_port=$known_port
		return 0
		;;
	esac
	[ "$peers_range" ] || die "the first host of a network says its range: --subnet=10.64.0.0/12, of which each host gets a block (-o block=24)"
	peers_bounds "$peers_range" || die "--subnet '$peers_range': write RANGE/LENGTH such as 10.64.0.0/12, with a length from 8 to 29"
	range=$peers_range peers_block_length=${peers_block_length:-24} mtu=$peers_mtu
	[ "$peers_block_length" -gt "${range#*/}" ] || die "--subnet '$range' has no place for more than one block of /$peers_block_length: choose a larger range, or smaller blocks with -o block="
	[ "$mtu" != 0 ] || mtu=$peers_largest
	[ "$mtu" -le "$peers_largest" ] || die "MTU $mtu: $peers_device takes packets of $peers_outer bytes, so that $peers_largest is the largest here"
	case $driver in
	vxlan)
		# the same on each host that makes the network first at the same moment, and another for each network
		[ "$peers_vni" ] || peers_vni=$(printf '%s' "$etcd_prefix/$network" | cksum)
		peers_vni=$((${peers_vni%% *} % 16777215 + 1)) peers_port=${peers_port:-4789}
		;;
	*)
		[ ! "$peers_vni$peers_port" ] || die "-o vni and port: only the driver vxlan has them"
		peers_vni=0 peers_port=0
		;;
	esac
	peers_config="{\"driver\":\"$driver\",\"range\":\"$range\",\"blockLength\":$peers_block_length,\"mtu\":$mtu,\"vni\":$peers_vni,\"port\":$peers_port}"
}

# peers_config_parse - sets the words known_… of the caller to what the JSON $peers_config says
peers_config_parse() {
	local row wrong="the key $etcd_prefix/$network/config in etcd is not one that scadm wrote: see 'etcdctl get', or take another --etcd-prefix"
	sql_string "$peers_config"
	row=$(
		sqlite3 -init /dev/null :memory: <<-END
			WITH c(j) AS (SELECT $sql) SELECT concat FROM (SELECT CASE WHEN json_valid(j) THEN json_extract(j, '\$.driver') || ' ' ||
				json_extract(j, '\$.range') || ' ' || json_extract(j, '\$.blockLength') || ' ' || json_extract(j, '\$.mtu') || ' ' ||
				json_extract(j, '\$.vni') || ' ' || json_extract(j, '\$.port') END AS concat FROM c);
		END
	) || die "$wrong"
	read -r known_driver known_range known_length known_mtu known_vni known_port <<-END
		$row
	END
	peers_bounds "$known_range" && address_length "$known_length" 9 30 &&
		[ "$known_length" -gt "${known_range#*/}" ] && peers_number "$known_mtu" 68 65535 || die "$wrong"
	case $known_driver,$known_vni,$known_port in
	host-gw,0,0) ;;
	vxlan,*) peers_number "$known_vni" 1 16777215 && peers_number "$known_port" 1 65535 || die "$wrong" ;;
	*) die "$wrong" ;;
	esac
}

# peers_underlay - sets $peers_address, by which other hosts reach this one, its link $peers_device, and how large packets
# may be there ($peers_outer) and in the network ($peers_largest)
peers_underlay() {
	local target="${etcd_endpoints%%,*}" line
	if [ ! "$peers_address" ]; then
		target=${target#*://}
		target=${target%:*}
		# the way to etcd, or else the way out, is the way to the peers
		peers_unicast "$target" || target=198.51.100.1
		line=$(ip -4 -o route get "$target" 2>/dev/null) || line=''
		case $line in *' src '*) ;; *) die "which address of this host do the others reach? 'ip route' has no way to etcd: say it with -o address=ADDRESS" ;; esac
		line=${line#*' src '}
		peers_address=${line%% *}
		peers_unicast "$peers_address" || die "'$peers_address', from which this host speaks with etcd, is not for other hosts: say another with -o address=ADDRESS"
	fi
	line=$(ip -4 -o address show to "$peers_address/32" 2>/dev/null) || line=''
	[ "$line" ] || die "-o address=$peers_address: this host has no such address ('ip -4 address' lists them)"
	read -r _ peers_device _ <<-END
		$line
	END
	[ "$peers_device" != lo ] || die "-o address=$peers_address: that is on lo; say one that other hosts reach with -o address=ADDRESS"
	read -r peers_outer <"/sys/class/net/$peers_device/mtu"
	peers_largest=$peers_outer
	# an IPv4, a UDP and a VXLAN header, and the Ethernet header of what is inside
	[ "$driver" != vxlan ] || peers_largest=$((peers_outer - 50))
}

# peers_on_link - refuse a network of routes (host-gw) when a peer is behind a router
peers_on_link() {
	local block='' address line peers='' peers_own=''
	peers_list
	while read -r _ address _; do
		[ "$address" ] || continue
		line=$(ip -4 -o route get "$address" 2>/dev/null) || line=''
		case $line in
		'') die "host-gw: there is no route to the host $address of this network ('ip route get $address')" ;;
		*' via '*) die "host-gw: the host $address is not on the same link ('ip route get $address' shows a gateway, which would not know the way to the containers): take -d vxlan" ;;
		esac
	done <<-END
		$peers
	END
}

# peers_choose - sets $gateway and $length to those of the first block that nobody has
peers_choose() {
	local low high
	peers_bounds "$range"
	length=$peers_block_length
	while [ "$low" -le "$high" ]; do
		address_text "$low"
		case $nl$pairs in
		*"${nl}blocks/$address-$length "*) low=$((low + (1 << (32 - length)))) ;;
		*)
			address_text $((low + 1))
			gateway=$address
			return 0
			;;
		esac
	done
	die "all blocks of $range are taken: 'etcdctl get --prefix --keys-only $etcd_prefix/$network/blocks/' lists them; make the network with a larger range, or smaller blocks"
}
