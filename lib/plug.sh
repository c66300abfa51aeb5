# shellcheck shell=sh
# shellcheck disable=SC2034,SC2154 # what is set here for lib/attach.sh; the words of lib.sh, lib/journal.sh, lib/network.sh, lib/lease.sh, lib/attach.sh and lib/source-check.sh
# lib/plug.sh - a container that starts gets what $attachments says: leases, a hosts file, cables
#
# The host's end of a cable is v-ID12 for eth0, v1-ID12 for eth1.

# attach_up - lease the addresses and lay the cables of all its networks
attach_up() {
	local lines="$attachments" network device mac address address6 asked aliases veth cables='' routed='' busy=''
	attachments=''
	while read -r network device mac address address6 asked aliases; do
		network_read "$network" || [ "$door" = print ] || die "the network '$network' was removed just now"
		note "An address that nobody else has, and a line in the hosts file of the network."
		attach_take
		attachments="$attachments${attachments:+$nl}$network $device $mac $address $address6 $asked $aliases"
	done <<-END
		$lines
	END
	while read -r _ device _; do
		attach_veth "$device"
		cables="${cables}ip link del dev $veth >/dev/null 2>&1 & "
	done <<-END
		$attachments
	END
	note "Its undo is in the background, as it waits for RCU (30 ms). Without it the cable goes with the namespace, which"
	note "what was still to be sent when the container ended can keep for minutes, and its address with it."
	undo_line "${cables% }"
	attach_hosts_up
	while read -r network device mac address address6 asked aliases; do
		network_read "$network" || [ "$door" = print ] || die "the network '$network' was removed just now"
		attach_veth "$device"
		attach_plug
	done <<-END
		$attachments
	END
}

# attach_hosts_up - have a hosts file of its own, or one of several networks, follow their leases
attach_hosts_up() {
	local line
	[ ! "$hosts_own" ] || resolve_lines
	case $hosts in
	"$SC_ROOT/networks/"*/hosts) return 0 ;;
	"$record"/*) undo sc-ipam "$database" hosts "$hosts" ;;
	# also when it is there: one of the networks may have been made anew
	*)
		attach_hosts_unused "$hosts"
		undo_line "$line"
		;;
	esac
	set -- sc-ipam "$database" hosts "$hosts"
	while read -r line; do
		network_read "${line%% *}" || :
		set -- "$@" "$network" ${gateway6:+"$network.6"}
	done <<-END
		$attachments
	END
	cmd "$@" ${hosts_own:+"--own=$record/hosts.own"}
}

# attach_take - lease $address and $address6 on $network, or the next free ones if another was faster; sets both, and $mac
attach_take() {
	local taken
	attach_lease "$network" "$address" ip
	taken=$leased
	if [ "$address6" != - ]; then
		attach_lease "$network.6" "$address6" ip6
		address6=$leased
	fi
	address=$taken
	attach_mac "$address"
}

# attach_lease POOL ADDRESS WORD - lease it to the container under its name, id and aliases; sets $leased
# WORD in $asked: that one or none
attach_lease() {
	local pool="$1" word="$3" rest="$aliases" status address
	leased=$2
	set -- "$name"
	[ "$name" = "$short" ] || set -- "$@" "$short"
	[ "$rest" != - ] || rest=''
	while [ "$rest" ]; do
		set -- "$@" "${rest%%,*}"
		case $rest in *,*) rest=${rest#*,} ;; *) rest='' ;; esac
	done
	while :; do
		undo sc-ipam "$database" drop "$pool" "$leased" "--owner=$id"
		status=0
		try sc-ipam "$database" take "$pool" "$leased" "$id" "$@" || status=$?
		[ "$status" -ne 0 ] || break
		[ "$status" -eq 75 ] || failed "$status" sc-ipam take "$pool" "$leased"
		case ,$asked, in
		*,"$word",*) attach_taken ;;
		*)
			lease_next "$pool" "--after=$leased"
			leased=$address
			;;
		esac
	done
	pending=0
}

# attach_taken - say who has the address that the user chose
attach_taken() {
	local address owner names own
	{ read -r own <"$SC_ROOT/networks/$network/id"; } 2>/dev/null || own=''
	while read -r _ address owner names; do
		[ "$address $owner" != "$leased $own" ] || die "the address $leased of the network $network is this host's own, on $link"
		[ "$address" != "$leased" ] || die "the address $leased of the network $pool is taken: ${names:-$owner} has it"
	done <<-END
		$(sc-ipam "$database" list "$pool")
	END
	die "the address $leased of the network $pool is taken"
}

# attach_plug - the cable $veth - $device of $name into $network, with $mac $address $address6; the first that has
# a way out gets the default route, unless it is $routed already
attach_plug() {
	local inside='' out=''
	if [ "$driver" = macvlan ]; then
		network_driver
		macvlan_plug
		return 0
	fi
	[ "$device" != eth0 ] || inside="link set dev lo up$nl"
	if [ ! "$routed" ] && ! network_flag internal; then
		routed=1 out="${nl}route add default via $gateway${gateway6:+${nl}route add default via $gateway6}"
	fi
	# the other blocks of a network across hosts are behind the gateway
	[ ! "$range" ] || out="$out${nl}route add $range via $gateway dev $device"
	attach_cable "$name" "${hairpin-}" "$inside" "$out"
}

# attach_cable NETNS HAIRPIN FIRST LAST - lay the cable; FIRST and LAST are further ip commands for the inside, HAIRPIN lets
# the bridge send back what came from it; $busy: something may run in the namespace already. Its undo is the caller's: 'ip netns
# del' takes the cable along without waiting, 'ip link del' waits for RCU.
attach_cable() {
	local size='' add plug="link set dev $veth master $link up${2:+${nl}link set dev $veth type bridge_slave hairpin on}"
	[ "$mtu" = 0 ] || size=" mtu $mtu"
	add="link add $veth$size type veth peer name $device address $mac$size netns $1"
	note "A veth pair is a cable: $veth stays here in the bridge, $device goes inside."
	hint "is the namespace there, and has it no $device yet? 'ip -n $1 link' tells"
	[ "$busy" ] || add=$add$nl$plug
	feed "$add" ip -batch -
	attach_check
	# what runs in there already finds no moment without the check: nothing passes as long as our end is down
	[ ! "$busy" ] || feed "$plug" ip -batch -
	[ "$address6" = - ] || set -- "$1" "$2" "$3" "${nl}address add $address6/$length6 dev $device nodad$4"
	feed "${3}address add $address/$length dev $device${nl}link set dev $device up$4" ip -n "$1" -batch -
}

# attach_check - let nothing out of the cable $veth that has not $mac and $address; and the limits of the container's rate
attach_check() {
	local source_filter
	if ! network_flag open; then
		note "Nothing leaves the container with an address that is not its own: this program is asked of every frame."
		source_check "$veth" "$mac" "$address" "$address6"
		hint 'this needs sch_ingress and cls_bpf in the kernel; a network made with -o source-check=off does without'
		cmd sc-filter "$veth" "$source_filter"
	fi
	[ ! "${net_rate_in-}${net_rate_out-}" ] || [ "$device" != eth0 ] || rate_links ''
}
