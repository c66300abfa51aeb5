# shellcheck shell=sh
# shellcheck disable=SC2154 # the words of lib.sh and lib/network.sh
# lib/bridge.sh - the link of a network on the host

# bridge_up - make the bridge $link, with its addresses, up
bridge_up() {
	local key mac digit
	address_mac "$gateway"
	note "A bridge is a switch: every container's cable ends in it. Its own address is the gateway."
	# of its own: else it has that of one of its ports, and changes with them
	cmd ip link add "$link" address "$mac" group "$network_group" type bridge
	note "What comes from the containers must not change how the host routes, nor carry a foreign source."
	for key in ipv6/conf/"$link"/accept_ra=0 ipv4/conf/"$link"/accept_redirects=0 ipv4/conf/"$link"/rp_filter=1; do
		[ ! -e /proc/sys/net/ipv6/conf/all ] && [ "$key" != "${key#ipv6}" ] ||
			put "/proc/sys/net/${key%=*}" "${key##*=}"
	done
	set --
	[ "$mtu" = 0 ] || set -- "link set dev $link mtu $mtu"
	# a bridge has no other end that could have the address, and without a port it never finds that out
	feed "${1:+$1$nl}address add $gateway/$length dev $link${gateway6:+${nl}address add $gateway6/$length6 dev $link nodad}${nl}link set dev $link up" \
		ip -batch -
}
