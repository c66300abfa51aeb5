# shellcheck shell=sh
# shellcheck disable=SC2034,SC2154 # what is read here for the verbs; the words of lib.sh, lib/journal.sh, lib/address.sh, lib/bridge.sh and lib/firewall.sh
# lib/network.sh - networks: what the record of one says, how it is made, found, repaired and forgotten
#
# A network is a record $SC_ROOT/networks/NAME: its journal, config.json (what `network inspect` shows), the hosts file
# that its containers share, and the line `network`, which a shell reads without another process:
#	DRIVER LINK GATEWAY LENGTH GATEWAY6 LENGTH6 MTU FLAGS RANGE
# `-` stands for none. FLAGS are words between commas: nat (masqueraded on the way out), internal (no way out),
# transient (goes with its last user), open (sources are not checked). Its pools of addresses are NAME and NAME.6.

database=--db=$SC_ROOT/scadm.db
# of all bridges and tunnels of ours, whatever their names and whoever's settings: rules know by it what is another network
network_group=1482

# network_read NAME - sets $network $driver $link $gateway $length $gateway6 $length6 $mtu $flags $range
# status 1: there is no such network (or the default one is not made yet)
network_read() {
	network=$1
	{ read -r driver link gateway length gateway6 length6 mtu flags range <"$SC_ROOT/networks/$1/network"; } 2>/dev/null || return 1
	[ "$gateway6" != - ] || gateway6='' length6=''
	[ "$range" != - ] || range=''
}

# network_flag WORD - whether that is one of $flags
network_flag() {
	case ,$flags, in *",$1,"*) ;; *) return 1 ;; esac
}

# network_driver - read in what the driver of the network needs besides a bridge
network_driver() {
	case $driver in
	macvlan) . "$SC_LIB/lib/macvlan.sh" ;;
	vxlan | host-gw)
		. "$SC_LIB/lib/etcd.sh"
		. "$SC_LIB/lib/peers.sh"
		;;
	esac
}

# network_up - make the network that the words of network_read, $network_range (a CIDR or empty) and $network_config (JSON) describe
network_up() {
	local record="$SC_ROOT/networks/$network"
	network_driver
	begin networks "$network"
	case $driver in vxlan | host-gw) peers_claim ;; esac
	put "$record/id" "$network_id"
	note "A pool of addresses: no two containers get the same one."
	undo sc-ipam "$database" pool-rm "$network"
	hint 'the range meets that of another network; see sc-ipam pool-list'
	cmd sc-ipam "$database" pool-add "$network" "$gateway/$length" ${network_range:+"--range=$network_range"}
	if [ "$gateway6" ]; then
		undo sc-ipam "$database" pool-rm "$network.6"
		hint 'the range meets that of another network; see sc-ipam pool-list'
		cmd sc-ipam "$database" pool-add "$network.6" "$gateway6/$length6"
	fi
	undo sc-ipam "$database" hosts "$record/hosts"
	cmd sc-ipam "$database" hosts "$record/hosts" "$network" ${gateway6:+"$network.6"}
	case $driver in
	macvlan) macvlan_up ;;
	*)
		undo_if "/sys/class/net/$link" ip link del dev "$link"
		bridge_up
		firewall_undo
		firewall_network
		;;
	esac
	case $driver in vxlan | host-gw) peers_up ;; esac
	put "$record/config.json" "$network_config"
	put "$record/network.new" "$driver $link $gateway $length ${gateway6:--} ${length6:--} $mtu ${flags:--} ${range:--}"
	cmd mv "$record/network.new" "$record/network"
	commit
}

# network_transient NAME LINK GATEWAY LENGTH FLAGS - make a network that goes with its last user
network_transient() {
	local id
	new_id
	network=$1 driver=bridge link=$2 gateway=$3 length=$4 gateway6='' length6='' mtu=0 flags=$5 range='' network_range=''
	network_id=$id
	address_number "$gateway"
	address_text $((number >> (32 - length) << (32 - length)))
	network_config="{\"Name\":\"$network\",\"Id\":\"$network_id\",\"Created\":\"$(date -u +%Y-%m-%dT%H:%M:%SZ)\",\"Scope\":\"local\",\"Driver\":\"bridge\",\"EnableIPv6\":false,\"IPAM\":{\"Driver\":\"sc-ipam\",\"Options\":{},\"Config\":[{\"Subnet\":\"$address/$length\",\"Gateway\":\"$gateway\"}]},\"Internal\":false,\"Options\":{},\"Labels\":{}}"
	network_up
}

# network_lock - one scadm makes or repairs networks, the others wait; the lock dies with its holder
network_lock() {
	[ "$door" != print ] || return 0
	# door: a place for the lock, which is no change; and a plan is run by one shell
	mkdir -p "$SC_RUN" || die "cannot make $SC_RUN"
	# door: as above
	exec 8>"$SC_RUN/.networks.lock"
	flock 8 || die "cannot lock $SC_RUN/.networks.lock"
}

# network_unlock - let the others on
network_unlock() {
	[ "$door" = print ] || exec 8>&-
}

# network_ready NAME - have the network as its record says, and make the default one; sets the words of network_read
# The caller has seen that it exists, or is the default one.
network_ready() {
	! network_read "$1" || ! network_whole || return 0
	network_lock
	if network_read "$1"; then
		network_whole || network_repair
	elif [ "$1" = bridge ]; then
		network_default
	else
		die "there is no network '$1': 'scadm network ls' lists them, 'scadm network create $1' makes it"
	fi
	network_unlock
}

# network_default - make the network that containers join by default
network_default() {
	[ ! -e "$SC_ROOT/networks/bridge" ] || network_forget bridge
	[ ! -e "/sys/class/net/$SC_PREFIX-br0" ] || die "a bridge $SC_PREFIX-br0 is there and scadm did not make it: remove it, or set SC_PREFIX"
	network_free_range
	network_transient bridge "$SC_PREFIX-br0" "$gateway" 16 nat,transient
	network_read bridge || [ "$door" = print ]
}

# network_free_range - sets $gateway to the first address of a free range for the default network
network_free_range() {
	local second=99 last
	# once in the life of a host: no start of a container has to read it
	. "$SC_LIB/lib/subnet.sh"
	while [ "$second" -lt 255 ]; do
		subnet_parse "10.$second.0.1/16"
		if subnet_free "$network" "$last" && subnet_unused "$network" "$last"; then
			gateway=10.$second.0.1
			return 0
		fi
		second=$((second + 1))
	done
	die "the host uses every range from 10.99.0.0/16 to 10.254.0.0/16; choose one with 'scadm network create --subnet=…'"
}

# network_whole - whether its link is up with its route, read from /proc/net/route
network_whole() {
	local device destination
	[ -e "/sys/class/net/$link" ] || return 1
	case $driver in
	macvlan) return 0 ;;
	vxlan | host-gw)
		network_driver
		peers_whole || return 1
		;;
	esac
	while read -r device destination _; do
		[ "$device" != "$link" ] || [ "$destination" = 00000000 ] || return 0
	done </proc/net/route
	return 1
}

# network_repair - put back what somebody, or a reboot, took from the network; its journal stands
network_repair() {
	network_driver
	note "The network $network lost its link or its address: put it back."
	case $driver in
	macvlan)
		macvlan_check
		return 0
		;;
	esac
	if [ -e "/sys/class/net/$link" ]; then
		feed "address replace $gateway/$length dev $link${gateway6:+${nl}address replace $gateway6/$length6 dev $link nodad}${nl}link set dev $link up" ip -batch -
	else
		bridge_up
	fi
	firewall_network
	case $driver in vxlan | host-gw) peers_repair ;; esac
}

# network_forget NAME - undo a network that nobody uses, or what is left of one; the caller holds network_lock
network_forget() {
	local own=''
	# what it has itself, see lib/macvlan.sh
	! grep -qsF -- '--owner=' "$SC_ROOT/networks/$1/undo" || read -r own <"$SC_ROOT/networks/$1/id" || own=''
	[ ! "$own" ] || cmd sc-ipam "$database" drop "$1" "--owner=$own"
	[ ! "$own" ] || cmd sc-ipam "$database" drop "$1.6" "--owner=$own"
	note "The step that can be refused comes first: who has an address, or takes one at this moment, keeps the network."
	hint "who has an address there? 'sc-ipam $database list $1'"
	cmd sc-ipam "$database" pool-rm "$1.6"
	hint "who has an address there? 'sc-ipam $database list $1'"
	cmd sc-ipam "$database" pool-rm "$1"
	cmd rm -f "$SC_ROOT/networks/$1/network"
	# with /. as flock would make a file where the directory is gone: somebody else was at it
	try flock "$SC_ROOT/networks/$1/." scadm-undo "$SC_ROOT/networks/$1/undo" || [ ! -e "$SC_ROOT/networks/$1/undo" ] ||
		die "not all of the network '$1' could be undone; 'scadm gc' tries again"
}

# network_idle NAME - whether nobody has an address on it
network_idle() {
	local leases own='' line status=0
	leases=$(sc-ipam "$database" list "$1" 2>/dev/null) || status=$?
	# 125: it has no pool; above that nobody could be asked
	[ "$status" -le 125 ] || return 1
	[ "$leases" ] || return 0
	# what it has reserved itself, see lib/macvlan.sh
	{ read -r own <"$SC_ROOT/networks/${1%.6}/id"; } 2>/dev/null || return 1
	while read -r _ _ line _; do
		[ "$line" = "$own" ] || return 1
	done <<-END
		$leases
	END
}

# network_users NAME - print the names of the containers whose record names the network
network_users() {
	local record line
	set +f
	for record in "$SC_ROOT"/containers/*; do
		set -f
		[ -e "$record/networks" ] || continue
		while read -r line; do
			[ "${line%% *}" != "$1" ] || printf '%s\n' "${record##*/}"
		done <"$record/networks"
	done
	set -f
}

# network_dismiss NAME - forget a transient network that nobody uses any longer
network_dismiss() {
	network_read "$1" && network_flag transient && [ "$1" != bridge ] || return 0
	network_lock
	if network_idle "$1" && [ ! "$(network_users "$1")" ]; then
		note "That was the last one in $1."
		network_forget "$1"
	fi
	network_unlock
}
