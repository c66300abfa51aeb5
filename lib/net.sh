# shellcheck shell=sh
# shellcheck disable=SC2154 # the words of lib.sh, lib/journal.sh and lib/address.sh
# lib/net.sh - namespaces, bridges, veth pairs and the few firewall rules a bridge needs
#
# A bridge that scadm made has a record $SC_ROOT/bridges/NAME: its journal, the file `subnet` (gateway/length)
# and the hosts file that its containers share. Its pool of addresses has the bridge's name in scadm.db.

# net_database - sets $database to the word that tells sc-ipam our database
net_database() {
	database=--db=$SC_ROOT/scadm.db
}

# net_bridge_known BRIDGE - whether scadm made this bridge and it is there; sets $gateway and $length
net_bridge_known() {
	[ -e "$SC_ROOT/bridges/$1/subnet" ] && [ -e "/sys/class/net/$1/bridge" ] || return 1
	IFS=/ read -r gateway length <"$SC_ROOT/bridges/$1/subnet"
}

# net_bridge_free_range - sets $gateway $length to the first free range for the default bridge
net_bridge_free_range() {
	local second=99
	while [ "$second" -lt 255 ]; do
		subnet_parse "10.$second.0.1/16"
		if subnet_free "$network" "$last"; then
			gateway=10.$second.0.1
			return 0
		fi
		second=$((second + 1))
	done
	die "the host uses every range from 10.99.0.0/16 to 10.254.0.0/16; choose one with connect-bridge"
}

# net_bridge_up BRIDGE GATEWAY LENGTH [nat] - make the bridge, its pool and its rules, in a record of its own
net_bridge_up() {
	local bridge="$1" gateway="$2" length="$3" nat="${4-}" forwarding
	net_database
	begin bridges "$bridge"
	note "A bridge is a switch: every container's cable ends in it. Its own address is the gateway."
	undo sc-ipam "$database" pool-rm "$bridge"
	hint 'the range meets that of another network; see sc-ipam pool-list'
	cmd sc-ipam "$database" pool-add "$bridge" "$gateway/$length"
	undo_if "/sys/class/net/$bridge" ip link del dev "$bridge"
	net_link "$bridge" "$gateway" "$length"
	net_undo_chain filter FORWARD "$bridge"
	if [ "$nat" ]; then
		# a shell reads byte by byte and /proc/sys gives only the first: no line end is seen
		read -r forwarding </proc/sys/net/ipv4/ip_forward || [ "$forwarding" ]
		[ "$forwarding" = 1 ] || undo_line 'echo 0 >/proc/sys/net/ipv4/ip_forward'
		net_undo_chain nat POSTROUTING "$bridge"
	fi
	net_rules "$bridge" "$gateway/$length" "$nat"
	put "$SC_ROOT/bridges/$bridge/subnet" "$gateway/$length"
	commit
}

# net_link BRIDGE GATEWAY LENGTH - the link itself, up and with its address
net_link() {
	local key
	cmd ip link add "$1" type bridge
	note "What comes from the containers must not change how the host routes, nor carry a foreign source."
	for key in ipv6/conf/"$1"/accept_ra=0 ipv4/conf/"$1"/accept_redirects=0 ipv4/conf/"$1"/rp_filter=1; do
		[ ! -e /proc/sys/net/ipv6/conf/all ] && [ "$key" != "${key#ipv6}" ] ||
			put "/proc/sys/net/${key%=*}" "${key##*=}"
	done
	feed "address add $2/$3 dev $1${nl}link set dev $1 up" ip -batch -
}

# net_rules BRIDGE SUBNET [nat] - the chains of a bridge, each table in one transaction
net_rules() {
	local chain="SC-$1" forward
	# between its ports; answers to what was asked from inside; nothing else in, and not to our other bridges
	forward="-A $chain -i $1 -o $1 -j ACCEPT
-A $chain -o $1 -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
-A $chain -o $1 -j DROP
-A $chain -i $1 -o $SC_PREFIX-br+ -j DROP"
	[ ! "${3-}" ] || forward="$forward$nl-A $chain -i $1 -j ACCEPT"
	note "Frames between its ports may pass the host's FORWARD chain: our own chain lets them, and others not in."
	feed "*filter
:$chain - [0:0]
$forward
-I FORWARD -m comment --comment \"scadm $1\" -j $chain
COMMIT" iptables-restore -w 10 --noflush
	[ "${3-}" ] || return 0
	note "To the outside the containers speak with the host's address (masquerading)."
	put /proc/sys/net/ipv4/ip_forward 1
	feed "*nat
:$chain - [0:0]
-A $chain -s $2 ! -o $1 -j MASQUERADE
-I POSTROUTING -m comment --comment \"scadm $1\" -j $chain
COMMIT" iptables-restore -w 10 --noflush
}

# net_undo_chain TABLE PARENT BRIDGE - the undo of our chain and of the jump to it, each where it is there
net_undo_chain() {
	local jump="$2 -m comment --comment 'scadm $3' -j SC-$3"
	undo_line "! iptables -w 10 -t $1 -S SC-$3 >/dev/null 2>&1 || { iptables -w 10 -t $1 -F SC-$3 && iptables -w 10 -t $1 -X SC-$3; }"
	undo_line "! iptables -w 10 -t $1 -C $jump 2>/dev/null || iptables -w 10 -t $1 -D $jump"
	pending=0
}

# net_default_bridge - make or repair the bridge that containers join by default; sets $bridge $gateway $length
net_default_bridge() {
	bridge=$SC_PREFIX-br0
	net_bridge_known "$bridge" && net_bridge_has_address "$bridge" "$gateway" && return 0
	# one scadm makes it, the others wait here; the lock dies with its holder
	if [ "$door" != print ]; then
		# door: a place for the lock, which is no change; and a plan is run by one shell
		mkdir -p "$SC_RUN"
		# door: as above
		exec 8>"$SC_RUN/.bridges.lock"
		flock 8
	fi
	if [ ! -e "$SC_ROOT/bridges/$bridge/subnet" ]; then
		[ ! -e "$SC_ROOT/bridges/$bridge" ] || net_bridge_forget "$bridge"
		[ ! -e "/sys/class/net/$bridge" ] || die "a bridge $bridge is there and scadm did not make it: remove it, or set SC_PREFIX"
		length=16
		net_bridge_free_range
		net_bridge_up "$bridge" "$gateway" "$length" nat
	elif ! net_bridge_known "$bridge" || ! net_bridge_has_address "$bridge" "$gateway"; then
		net_bridge_repair
	fi
	[ "$door" = print ] || exec 8>&-
}

# net_bridge_repair - put back what somebody, or a reboot, took from the default bridge; its journal stands
net_bridge_repair() {
	IFS=/ read -r gateway length <"$SC_ROOT/bridges/$bridge/subnet"
	note "The bridge $bridge lost its link or its address: put it back."
	if [ -e "/sys/class/net/$bridge" ]; then
		feed "address replace $gateway/$length dev $bridge${nl}link set dev $bridge up" ip -batch -
	else
		net_link "$bridge" "$gateway" "$length"
	fi
	iptables -w 10 -C FORWARD -m comment --comment "scadm $bridge" -j "SC-$bridge" 2>/dev/null ||
		net_rules "$bridge" "$gateway/$length" nat
}

# net_bridge_forget BRIDGE - undo a bridge that nobody uses, or what is left of one
net_bridge_forget() {
	cmd flock "$SC_ROOT/bridges/$1" scadm-undo "$SC_ROOT/bridges/$1/undo"
}

# net_bridge_has_address BRIDGE GATEWAY - whether the link is up with its route, read from /proc/net/route
net_bridge_has_address() {
	local device destination
	address_number "$2"
	while read -r device destination _; do
		[ "$device" != "$1" ] || [ "$destination" = 00000000 ] || return 0
	done </proc/net/route
	return 1
}

# net_bridge_idle BRIDGE - whether nobody has an address on it
net_bridge_idle() {
	net_database
	[ ! "$(sc-ipam "$database" list "$1")" ]
}

# net_take BRIDGE ADDRESS OWNER NAME... - lease the address, or the next free one if another was faster; sets $address
net_take() {
	local bridge="$1" owner_id="$3" hosts="$SC_ROOT/bridges/$1/hosts" status
	address=$2
	shift 3
	net_database
	while :; do
		undo sc-ipam "$database" drop "$bridge" "$address" "--owner=$owner_id" "--hosts=$hosts"
		status=0
		try sc-ipam "$database" take "$bridge" "$address" "$owner_id" "$@" "--hosts=$hosts" || status=$?
		[ "$status" -ne 0 ] || break
		[ "$status" -eq 75 ] || failed "$status" sc-ipam take "$bridge" "$address"
		address=$(sc-ipam "$database" next "$bridge" "--after=$address") || die "no address for the container on $bridge"
		address=${address%/*}
	done
	pending=0
}

# net_plug NETNS BRIDGE VETH DEVICE ADDRESS/LENGTH [GATEWAY [LINES]] - a cable from the bridge into the namespace;
# LINES are further ip commands for the inside
# Its undo is the caller's: 'ip netns del' takes the cable along without waiting, 'ip link del' waits for RCU.
net_plug() {
	note "A veth pair is a cable: $3 stays here in the bridge, $4 goes inside."
	hint "is the namespace there, and has it no $4 yet? 'ip -n $1 link' tells"
	feed "link add $3 type veth peer name $4 netns $1${nl}link set dev $3 master $2 up" ip -batch -
	feed "${7:+$7$nl}address add $5 dev $4${nl}link set dev $4 up${6:+${nl}route add default via $6}" \
		ip -n "$1" -batch -
}

# net_undo_link NETNS LINK - the undo of a link inside a namespace, known by a name or an altname of ours
net_undo_link() {
	undo_line "! ip -n $1 link show dev $2 >/dev/null 2>&1 || ip -n $1 link del dev $2"
}

# net_pair A,B - sets $a and $b
net_pair() {
	case $1 in *,*) ;; *) bad_usage '--netns=A,B is needed' ;; esac
	a=${1%%,*} b=${1#*,}
	valid_name --netns "$a"
	valid_name --netns "$b"
}

# net_free_device NETNS - print the first of eth0, eth1, … that the namespace does not have
net_free_device() {
	local links index=0
	links=$(ip -n "$1" -o link) || die "cannot look into the namespace '$1'"
	while :; do
		case $links in
		*": eth$index:"* | *": eth$index@"*) index=$((index + 1)) ;;
		*) break ;;
		esac
	done
	printf 'eth%s\n' "$index"
}

# net_lease_free BRIDGE ADDRESS - whether nobody holds a lease of it
net_lease_free() {
	local leased _
	net_database
	while read -r _ leased _; do
		[ "$leased" != "$2" ] || return 1
	done <<-END
		$(sc-ipam "$database" list "$1")
	END
}

# net_users NETNS - print the name of a running container that uses the namespace, if there is one
net_users() {
	local record
	set +f
	for record in "$SC_ROOT"/containers/*; do
		set -f
		[ -e "$record/pid" ] && is_running "$record" || continue
		[ ! "/proc/$pid/ns/net" -ef "/run/netns/$1" ] || printf '%s\n' "${record##*/}"
	done
	set -f
}

# net_disconnect_all NETNS - undo every connection of a namespace
net_disconnect_all() {
	local connection
	set +f
	for connection in "$SC_ROOT/connections/$1:"* "$SC_ROOT/connections/"*":$1"; do
		set -f
		[ ! -e "$connection/undo" ] || net_disconnect "${connection##*/}"
	done
	set -f
}

# net_disconnect CONNECTION - undo a connection; a bridge that scadm made and nobody else uses goes too
net_disconnect() {
	local bridge="${1#*:}" last=1 names
	# in a plan the connections before this one are only going to be undone: $disconnected knows them
	disconnected="${disconnected-} ${1%%:*} "
	net_database
	while read -r _ _ _ names; do
		case $disconnected in *" $names "*) ;; *) [ ! "$names" ] || last='' ;; esac
	done <<-END
		$(sc-ipam "$database" list "$bridge" 2>/dev/null)
	END
	cmd flock "$SC_ROOT/connections/$1" scadm-undo "$SC_ROOT/connections/$1/undo"
	[ -e "$SC_ROOT/bridges/$bridge/undo" ] || return 0
	[ "$bridge" != "$SC_PREFIX-br0" ] && [ "$last" ] || return 0
	note "That was the last one in $bridge."
	net_bridge_forget "$bridge"
}
