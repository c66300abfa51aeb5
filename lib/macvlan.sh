# shellcheck shell=sh
# shellcheck disable=SC2154 # the words of lib.sh, lib/network.sh and lib/plug.sh
# lib/macvlan.sh - networks of the driver macvlan: containers with a MAC of their own on a link of the host
#
# The link (-o parent=LINK) is the user's, and so is the network behind it: its router is the gateway, nothing of ours
# stands between, no rule and no bridge. The host itself does not reach these containers by that link, nor they it:
# the kernel hands a frame to the wire or to a neighbour, never up to its own parent.

# macvlan_check - refuse a parent that cannot carry macvlan links
macvlan_check() {
	local flags
	[ -e "/sys/class/net/$link" ] ||
		die "network '$network': there is no link '$link' on this host: 'ip link' lists them; one for a VLAN has to be made first, such as by 'ip link add link eth0 name eth0.10 type vlan id 10'"
	read -r flags <"/sys/class/net/$link/flags"
	[ $((flags & 8)) -eq 0 ] || die "network '$network': the parent '$link' is a loopback: nothing is behind it"
	[ ! -e "/sys/class/net/$link/brport" ] ||
		die "network '$network': the parent '$link' is a port of a bridge, which gets all that comes in: name the bridge, or another link"
	[ $((flags & 1)) -ne 0 ] || die "network '$network': the parent '$link' is down: 'ip link set dev $link up'"
}

# macvlan_up - what the host has of such a network: nothing but the record
macvlan_up() {
	macvlan_check
	macvlan_reserve
	note "The network is what is behind $link already. Each container gets a link of its own on it, with its own MAC."
}

# macvlan_reserve - have nobody lease an address that this host has on $link itself; the network is the owner
macvlan_reserve() {
	local number host address digits lines
	lines=$(ip -o address show dev "$link" scope global) || die "cannot ask for the addresses of $link (ip address)"
	address_number "$gateway"
	host=$number
	while read -r _ _ _ address _; do
		address=${address%/*}
		case $address in
		'' | "$gateway" | "$gateway6") continue ;;
		*:*)
			[ "$gateway6" ] && address6_digits "$gateway6" && subnet6_meet "$digits" "$length6" "$(address6_digits "$address" && printf %s "$digits")" 128 || continue
			set -- "$network.6" "$address"
			;;
		*)
			address_number "$address" && [ $((number >> (32 - length))) -eq $((host >> (32 - length))) ] || continue
			set -- "$network" "$address"
			;;
		esac
		note "This host has $2 on $link: no container gets it."
		undo sc-ipam "$database" drop "$@" "--owner=$network_id"
		cmd sc-ipam "$database" take "$@" "$network_id"
	done <<-END
		$lines
	END
}

# macvlan_plug - the link $device of $name on $link, made in its namespace and gone with that; $mac, $address and $address6 are its own
macvlan_plug() {
	local lines='' size=''
	[ "$mtu" = 0 ] || size=" mtu $mtu"
	note "A link of its own on $link: what it sends leaves by the wire, and what has its MAC there comes to it."
	hint "this needs macvlan in the kernel, and no other kind of link (ipvlan, a bond) on $link; has the namespace a $device already?"
	feed "link add link $link name $device address $mac$size netns $name type macvlan mode bridge" ip -batch -
	[ "$device" != eth0 ] || lines="link set dev lo up$nl"
	lines="${lines}address add $address/$length dev $device"
	[ "$address6" = - ] || lines="$lines${nl}address add $address6/$length6 dev $device"
	lines="$lines${nl}link set dev $device up"
	if [ ! "$routed" ] && ! network_flag internal; then
		routed=1
		lines="$lines${nl}route add default via $gateway${gateway6:+${nl}route add default via $gateway6}"
	fi
	feed "$lines" ip -n "$name" -batch -
}
