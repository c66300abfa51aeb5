# shellcheck shell=sh
# shellcheck disable=SC2154 # the words of lib.sh, lib/journal.sh, lib/etcd.sh and lib/peers.sh
# lib/peers-apply.sh - make the kernel's ways to other blocks equal to the peers that etcd names
#
# Only entries of our own are touched: routes of our protocol in the range of the network, and what is on our vxlan link.

# peers_apply - add what is missing for $peers, take away what none of them has
peers_apply() {
	case $driver in
	vxlan) peers_apply_vxlan ;;
	*) peers_apply_routes ;;
	esac
}

# peers_apply_vxlan - a route, a neighbour and a forwarding entry for each peer
peers_apply_vxlan() {
	local routes neighbours entries block address mac rest first='' then='' gone=''
	routes=$(ip -4 route show dev "$vxlan" proto "$peers_protocol") && neighbours=$(ip -4 neigh show dev "$vxlan") && entries=$(bridge fdb show dev "$vxlan") ||
		die "cannot ask for the ways of $vxlan: is the link gone? 'scadm network reload $network' puts it back"
	routes=$nl$routes$nl neighbours=$nl$neighbours$nl entries=$nl$entries$nl
	while read -r block address mac _; do
		[ "$block" ] || continue
		# from the outside in: when the route is there, the rest of the way is
		case $entries in *"$nl$mac dst $address "*) ;; *) first="$first${nl}fdb replace $mac dev $vxlan dst $address" ;; esac
		case $neighbours in *"$nl${block%/*} lladdr $mac PERMANENT"*) ;; *) then="$then${nl}neigh replace ${block%/*} lladdr $mac dev $vxlan nud permanent" ;; esac
		case $routes in *"$nl$block via ${block%/*} "*) ;; *) then="$then${nl}route replace $block via ${block%/*} dev $vxlan onlink proto $peers_protocol" ;; esac
	done <<-END
		$peers
	END
	while read -r block rest; do
		case $nl$peers in *"$nl$block "*) ;; *) [ ! "$block" ] || gone="$gone${nl}route del $block dev $vxlan proto $peers_protocol" ;; esac
	done <<-END
		$routes
	END
	while read -r address rest; do
		case $nl$peers in *"$nl$address/"*) ;; *) [ ! "$address" ] || gone="$gone${nl}neigh del $address dev $vxlan" ;; esac
	done <<-END
		$neighbours
	END
	[ ! "$first" ] || note "Peers that came: the host behind each MAC address, then that address, then the route."
	[ ! "$first" ] || feed "${first#"$nl"}" bridge -batch -
	[ ! "$gone$then" ] || feed "${gone#"$nl"}${gone:+${then:+$nl}}${then#"$nl"}" ip -4 -batch -
	gone=''
	while read -r mac rest; do
		# a changed host was put in the place of the old one
		case $peers in *" $mac "*) continue ;; esac
		case $rest in 'dst '*) ;; *) continue ;; esac
		rest=${rest#dst }
		gone="$gone${nl}fdb del $mac dev $vxlan dst ${rest%% *}"
	done <<-END
		$entries
	END
	[ ! "$gone" ] || feed "${gone#"$nl"}" bridge -batch -
}

# peers_apply_routes - a route to the block of each peer, who must be on the same link
peers_apply_routes() {
	local routes block address line rest source number change=''
	routes=$(ip -4 route show proto "$peers_protocol" root "$range") || die "cannot ask for the routes of this host (ip -4 route)"
	routes=$nl$routes$nl
	# what this host sends itself has an address that they have a way back to; without its bridge it has none
	address_number "$vtep"
	address_text $((number + 1))
	source=$(ip -4 -o address show to "$address/32") || die "cannot ask for the addresses of this host (ip -4 address)"
	[ ! "$source" ] || source=" src $address"
	while read -r block rest; do
		case $block in '' | unreachable) continue ;; esac
		case $nl$peers in *"$nl$block "*) ;; *) change="$change${nl}route del $block proto $peers_protocol" ;; esac
	done <<-END
		$routes
	END
	while read -r block address _; do
		[ "$block" ] || continue
		case $routes in
		*"$nl$block via $address dev "*)
			rest=${routes#*"$nl$block via $address dev "}
			case " ${rest%%"$nl"*} " in *"$source "*) continue ;; esac
			;;
		esac
		line=$(ip -4 -o route get "$address" 2>/dev/null) || line=''
		case $line in
		"$address dev "*)
			line=${line#*' dev '}
			change="$change${nl}route replace $block via $address dev ${line%% *} proto $peers_protocol$source"
			;;
		*) peers_behind "$address" "$block" "${line%% src *}" ;;
		esac
	done <<-END
		$peers
	END
	[ ! "$change" ] || feed "${change#"$nl"}" ip -4 -batch -
}

# peers_behind ADDRESS BLOCK ROUTE - say once that a peer of host-gw cannot be routed to
peers_behind() {
	case ${peers_said-} in *" $1 "*) return 0 ;; esac
	peers_said="${peers_said- } $1 "
	say "host-gw: the host $1 is not on the same link (${3:-no route}), its block $2 is not reached: such hosts want -d vxlan"
}
