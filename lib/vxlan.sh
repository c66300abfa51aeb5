# shellcheck shell=sh
# shellcheck disable=SC2154 # the words of lib.sh, lib/network.sh and lib/peers.sh
# lib/vxlan.sh - the link that carries packets for other blocks in UDP datagrams to their hosts (RFC 7348)
#
# It learns nothing: the agent tells it each peer, as a route (its block), a neighbour entry (the MAC address of the
# peer's link) and an entry of the forwarding database (the host that has this MAC address).

# vxlan_up VXLAN MAC VTEP - make the link, if it is not there, with the first address of our block for itself
vxlan_up() {
	local key
	if [ ! -e "/sys/class/net/$1" ]; then
		note "A vxlan link puts packets into UDP datagrams. It sends only to peers it was told of (nolearning)."
		hint "another network may have the vni $peers_vni on port $peers_port here: 'ip -d link show type vxlan'; choose another with -o vni="
		cmd ip link add "$1" address "$2" mtu "$mtu" group "$network_group" type vxlan id "$peers_vni" local "$peers_address" dstport "$peers_port" nolearning
		for key in ipv6/conf/"$1"/disable_ipv6=1 ipv4/conf/"$1"/accept_redirects=0 ipv4/conf/"$1"/rp_filter=1; do
			[ ! -e /proc/sys/net/ipv6/conf/all ] && [ "$key" != "${key#ipv6}" ] ||
				put "/proc/sys/net/${key%=*}" "${key##*=}"
		done
	fi
	feed "address replace $3/32 dev $1${nl}link set dev $1 group $network_group up" ip -batch -
}

# vxlan_guard VXLAN - keep containers, of any network and host, from sending such datagrams themselves: nobody looks into them,
# so that anything could be in them, from anybody. A peer sends them to $peers_address and to no other address of this host.
vxlan_guard() {
	local tag="-m comment --comment \"scadm $network\"" jump
	jump="-I PREROUTING $tag -j SC-$1$nl"
	! iptables -w 10 -t raw -C PREROUTING -m comment --comment "scadm $network" -j "SC-$1" 2>/dev/null || jump=''
	note "A datagram that a container sends to a peer's port $peers_port would be unpacked there: they do not leave."
	cmd scadm-firewall base "SC-$1"
	feed "*raw
:SC-$1 - [0:0]
-A SC-$1 -m devgroup --src-group $network_group ! -d $range -p udp -m udp --dport $peers_port $tag -j DROP
-A SC-$1 ! -d $peers_address -p udp -m udp --dport $peers_port -m addrtype --dst-type LOCAL $tag -j DROP
${jump}COMMIT" iptables-restore -w 10 --noflush
}
