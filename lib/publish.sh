# shellcheck shell=sh
# shellcheck disable=SC2034,SC2154 # what is set here for the verbs; the words of lib.sh and of the modules that run, create and start read in
# lib/publish.sh - ports of a container that the host answers for: -p, -P, --expose
#
# The file `ports` of a container's record is what was asked, a line each, with - for every address:
#	HOSTIP HOSTPORT PROTOCOL PORT
# HOSTPORT is a number, LOW-HIGH for the first free one of these, 0 for any free one, or - where the port is only
# exposed. The file `published` is what it got when it started last: a line NETWORK LINK ADDRESS ADDRESS6 (- for
# none) and then the same lines, with numbers. $ports and $published have these lines.

. "$SC_LIB/lib/port.sh"
. "$SC_LIB/lib/publish-options.sh"
. "$SC_LIB/lib/publish-json.sh"

ports='' published='' hairpin='' publish_six=''

# publish_read - sets $ports from $record
publish_read() {
	local line
	ports=''
	[ -e "$record/ports" ] || return 0
	while IFS= read -r line; do
		[ ! "$line" ] || ports=$ports${ports:+$nl}$line
	done <"$record/ports"
}

# publish_check - choose ports where the user did not, and refuse those that somebody has; sets $published and $hairpin
publish_check() {
	local target host_ip host_port protocol port sockets reserved holder addresses=''
	published='' hairpin='' publish_repair='' publish_six=''
	publish_wanted || return 0
	publish_network
	port_sockets
	port_reservations
	while read -r host_ip host_port protocol port; do
		case $host_port in
		-) continue ;;
		0) publish_free 32768 60999 ;;
		*-*) publish_free "${host_port%-*}" "${host_port#*-}" ;;
		*)
			! port_reserved "$protocol" "$host_port" "$host_ip" "$short" ||
				die "port $host_port/$protocol of this host is published by '$holder' already; choose another, or stop '$holder'"
			if port_bound "$protocol" "$host_port" "$host_ip"; then
				port_process "$protocol" "$host_port"
				die "port $host_port/$protocol of this host is taken by $holder; choose another, or 0 for any that is free"
			fi
			;;
		esac
		publish_here
		published="$published${published:+$nl}$host_ip $host_port $protocol $port"
	done <<-END
		$ports
	END
	# to answer a container that asked for itself by the host's address, a bridge sends back what came from there
	hairpin=1
	publish_whole
}

# publish_free LOW HIGH - sets $host_port to a free one in that range; where the search begins tells the container's id
publish_free() {
	local index=0 span="$(($2 - $1 + 1))" first="$((0x${short%????????}))"
	[ "$1" = 32768 ] || first=0
	while [ "$index" -lt "$span" ]; do
		host_port=$(($1 + (first + index) % span)) index=$((index + 1))
		case "$nl$published$nl" in *" $host_port $protocol "*) continue ;; esac
		port_bound "$protocol" "$host_port" "$host_ip" || port_reserved "$protocol" "$host_port" "$host_ip" "$short" || return 0
	done
	die "no port from $1 to $2 ($protocol) of this host is free for port $port of '$name'"
}

# publish_here - refuse an address that this host does not have
publish_here() {
	case $host_ip in
	- | 0.0.0.0 | :: | 127.*) return 0 ;;
	esac
	[ "$addresses" ] || addresses=$(ip -o address show) || die "cannot ask for the host's addresses (ip address)"
	case $addresses in
	*" $host_ip/"*) ;;
	*) die "--publish $host_ip:…: no link of this host has that address; 'ip address' shows those there are" ;;
	esac
}

# publish_whole - sets $publish_six if $target has IPv6, and $publish_repair if the chain of the network is no longer where it was: somebody flushed the rules
publish_whole() {
	local network driver link gateway length gateway6 length6 mtu flags range
	# a plan: it is only going to be there
	network_read "$target" || return 0
	publish_six=$gateway6 publish_repair=1
	! iptables -w 10 -C FORWARD -m comment --comment "scadm $network" -j "SC-$link" 2>/dev/null || publish_repair=''
}

# publish_up - have the host answer for $published
publish_up() {
	local address='' address6='' jumps='' target words='' forget host_ip host_port protocol port
	[ "$published" ] || return 0
	publish_network
	# in a plan it may be only going to be there, and its words are set already
	network_read "$target" || [ "$door" = print ]
	while read -r host_ip _ _ host_port protocol _; do
		[ "$host_ip" != "$target" ] || address=$host_port address6=$protocol
	done <<-END
		$attachments
	END
	while read -r host_ip host_port protocol _; do
		words="$words $protocol:$host_port:$host_ip"
	done <<-END
		$published
	END
	note "These ports of the host are the container's, unless somebody was faster."
	# shellcheck disable=SC2086 # words without blanks or globs
	undo scadm-firewall release "$short" $words
	# shellcheck disable=SC2086 # as above
	cmd scadm-firewall reserve "$short" $words
	put "$record/published" "$target $link $address $address6" "$published"
	[ ! "$publish_repair" ] || firewall_network
	jumps=''
	publish_forget "$address" "$address6"
	# replayed when the rules are gone
	[ ! "$forget" ] || undo_line "$forget"
	# in every table: lib/rate.sh has a chain of that name as well
	undo scadm-firewall rm "SC-$short"
	# of several tables the first may be done when the next one fails
	pending=0
	publish_rules
	publish_flows
}

# publish_forget ADDRESS ADDRESS6 - sets $forget to a command that has the kernel forget UDP that went to ports of $published
# there, if one is UDP: it has no end, and what goes on would reach whoever has the address next
publish_forget() {
	forget=''
	case $nl$published in *" udp "*) ;; *) return 0 ;; esac
	command -v conntrack >/dev/null || return 0
	forget="conntrack -D -p udp --reply-src $1 >/dev/null 2>&1 || :"
	case $2 in
	- | '') ;;
	*) forget="$forget; conntrack -D -f ipv6 -p udp --reply-src $2 >/dev/null 2>&1 || :" ;;
	esac
}

# publish_rules - the chains of the container $name at $address $address6, and jumps to them that $jumps does not have
publish_rules() {
	local transaction='' family rules chain="SC-$short" tag="-m comment --comment \"scadm $name\""
	note "What comes to such a port of the host gets the container's address (DNAT), and only that may pass to it."
	note "An address 127.0.0.1 is the host's own: from the wire it would be a forgery."
	publish_family 4 "$address"
	hint 'this needs nat and the modules comment, conntrack and addrtype of iptables'
	[ ! "$transaction" ] || feed "$transaction" iptables-restore -w 10 --noflush
	case $address6 in
	- | '') ;;
	*)
		transaction=''
		publish_family 6 "$address6"
		hint 'this needs nat and the modules comment, conntrack and addrtype of ip6tables'
		[ ! "$transaction" ] || feed "$transaction" ip6tables-restore -w 10 --noflush
		;;
	esac
}

# publish_family FAMILY ADDRESS - set $transaction for one of the two
publish_family() {
	local host_ip host_port protocol port to never='' local_only='! -d 127.0.0.0/8 ' filter='' seen=' '
	family=$1 rules='' to=$2
	# who asks for ::1 is to hear at once that nobody is there: see publish_address
	[ "$family" = 4 ] || local_only='! -d ::1/128 ' never=$local_only to="[$2]"
	while read -r host_ip host_port protocol port; do
		case $family,$host_ip in
		4,*:* | 6,*.*) continue ;;
		*,- | 4,0.0.0.0 | 6,::) firewall_rule "-p $protocol --dport $host_port" "DNAT --to-destination $to:$port" ;;
		*) firewall_rule "-d $host_ip -p $protocol --dport $host_port" "DNAT --to-destination $to:$port" ;;
		esac
		case $seen in *" $protocol:$port "*) continue ;; esac
		seen="$seen$protocol:$port "
		filter="$filter${filter:+$nl}-A $chain -p $protocol --dport $port -m conntrack --ctstate DNAT $tag -j ACCEPT"
	done <<-END
		$published
	END
	[ "$rules" ] || return 0
	firewall_table nat "-A PREROUTING $local_only-m addrtype --dst-type LOCAL" "-A OUTPUT $never-m addrtype --dst-type LOCAL"
	rules=$filter
	# behind the three that most packets meet, see firewall_filter
	firewall_table filter "-I SC-$link 4 -d $2 -o $link"
}

# publish_flows - have the kernel forget where it sent what goes on without end: UDP to such a port, before it was published
publish_flows() {
	local host_port protocol
	command -v conntrack >/dev/null || return 0
	while read -r _ host_port protocol _; do
		# its status says whether there were any
		[ "$protocol" != udp ] || try conntrack -D -p udp --orig-port-dst "$host_port" >/dev/null 2>&1 || :
	done <<-END
		$published
	END
}

# publish_reload - put back the rules of the container $name, which runs, when $jumps has been read
publish_reload() {
	local link address address6 line target
	publish_found || return 0
	publish_rules
}

# publish_found - sets $target $link $address $address6 and $published from $record; status 1: it has no ports
publish_found() {
	local line
	published=''
	[ -e "$record/published" ] || return 1
	{
		read -r target link address address6
		while read -r line; do
			published=$published${published:+$nl}$line
		done
	} <"$record/published"
	[ "$published" ]
}

# publish_rename - have the rules of the container that was $old say $new
publish_rename() {
	local line found=''
	[ ! -e "$SC_ROOT/containers/$new/published" ] || found=1
	[ ! -e "$SC_ROOT/containers/$new/limits" ] || while IFS= read -r line; do
		case $line in net-prio=*) found=1 ;; esac
	done <"$SC_ROOT/containers/$new/limits"
	[ "$found" ] || [ "$door" = print ] || return 0
	undo scadm-firewall tag "SC-$short" "$old"
	cmd scadm-firewall tag "SC-$short" "$new"
}
