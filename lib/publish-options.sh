# shellcheck shell=sh
# shellcheck disable=SC2034,SC2154 # what is set here for lib/publish.sh; the words of lib.sh, lib/options.sh and of the modules that run and create read in
# lib/publish-options.sh - which ports a new container publishes: -p, -P, --expose; sets $ports
# A part of lib/publish.sh, which reads it in.

publish_valued=' -p --publish --expose '
exposed='' publish_all=''

# --- the command line -------------------------------------------------------------------------------

# publish_option - take $option with its $value if it is one of these; status 1: it is not
publish_option() {
	case $option in
	-p | --publish) publish_parse "$value" ;;
	-P | --publish-all) publish_all=1 ;;
	--expose)
		publish_protocol "$value"
		publish_range "$spec"
		publish_each exposed - -
		;;
	*) return 1 ;;
	esac
}

# publish_wrong TEXT - refuse a -p
publish_wrong() {
	die "$option '$value': $1; write [ADDRESS:][HOSTPORT:]PORT[/tcp|/udp|/sctp], with numbers or ranges from 1 to 65535, such as 8080:80"
}

# publish_protocol TEXT - sets $spec to what stands before /PROTOCOL, and $protocol
publish_protocol() {
	spec=${1%/*} protocol=tcp
	case $1 in */*) protocol=${1##*/} ;; esac
	case $protocol in
	tcp | udp | sctp) ;;
	[tT][cC][pP]) protocol=tcp ;;
	[uU][dD][pP]) protocol=udp ;;
	[sS][cC][tT][pP]) protocol=sctp ;;
	*) publish_wrong "the protocol is tcp, udp or sctp" ;;
	esac
}

# publish_range TEXT - sets $low and $high from a port or LOW-HIGH
publish_range() {
	local port
	low=${1%%-*} high=${1#*-}
	for port in "$low" "$high"; do
		case $port in '' | *[!0-9]* | 0* | ??????*) publish_wrong "'$port' is no port" ;; esac
		[ "$port" -le 65535 ] || publish_wrong "'$port' is no port"
	done
	[ "$low" -le "$high" ] || publish_wrong "the range '$1' ends before it begins"
	[ $((high - low)) -lt 1024 ] || publish_wrong "the range '$1' has more than 1024 ports"
}

# publish_each VARIABLE HOSTIP HOSTPORT - add a line for each port from $low to $high to $ports or $exposed
# A HOSTPORT that is a port grows with that of the container.
publish_each() {
	local port="$low" host_port="$3" line
	while [ "$port" -le "$high" ]; do
		line="$2 $host_port $protocol $port"
		case $1 in
		ports) ports=$ports${ports:+$nl}$line ;;
		*) exposed=$exposed${exposed:+$nl}$line ;;
		esac
		port=$((port + 1))
		case $host_port in 0 | *-*) ;; *) host_port=$((host_port + 1)) ;; esac
	done
}

# publish_parse TEXT - add the lines of a -p to $ports
publish_parse() {
	local spec protocol host_ip=- host_port='' low high first last
	publish_protocol "$1"
	case $spec in
	'['*']:'*)
		host_ip=${spec%%']:'*} spec=${spec#*']:'}
		publish_address "${host_ip#'['}"
		case $spec in *:*:*) publish_wrong 'too many colons' ;; *:*) ;; *) publish_wrong 'an address stands before HOSTPORT:PORT, or :PORT' ;; esac
		;;
	*:*:*:*) publish_wrong 'too many colons (an IPv6 address stands in [])' ;;
	*:*:*)
		publish_address "${spec%%:*}"
		spec=${spec#*:}
		;;
	esac
	case $spec in *:*) host_port=${spec%%:*} ;; esac
	publish_range "${spec#*:}"
	case $host_port in
	'' | 0) publish_each ports "$host_ip" 0 ;;
	*)
		first=$low last=$high
		publish_range "$host_port"
		if [ $((high - low)) -eq $((last - first)) ]; then
			host_port=$low
		elif [ "$first" != "$last" ]; then
			publish_wrong 'the two ranges have different lengths'
		fi
		low=$first high=$last
		publish_each ports "$host_ip" "$host_port"
		;;
	esac
}

# publish_address ADDRESS - sets $host_ip to an address of the host; 0.0.0.0 and :: are all of one family
publish_address() {
	local number digits address
	case $1 in
	*:*)
		address6_digits "$1" || publish_wrong "'$1' is no address"
		address6_text "$digits"
		host_ip=$address
		case $digits in
		f[ef]*) publish_wrong "'$1' is link-local, or of a group: publish on another address" ;;
		# the kernel takes what is for ::1 from lo alone, and the answers come from a bridge
		00000000000000000000000000000001) publish_wrong "no container can answer for ::1: publish on 127.0.0.1" ;;
		esac
		;;
	*)
		address_number "$1" || publish_wrong "'$1' is no address"
		[ "$number" -eq 0 ] || { [ "$number" -ge 16777216 ] && [ "$number" -lt 3758096384 ]; } ||
			publish_wrong "'$1' is no address of a host"
		host_ip=$1
		;;
	esac
}

# --- a new container --------------------------------------------------------------------------------

# publish_ask - what follows from the options and the image together: sets $ports, and $ports_json (Config.ExposedPorts)
publish_ask() {
	local line rest key protocol
	# the image may say anything here
	rest=$ports_json
	while :; do
		case $rest in *'"'*'":'*) ;; *) break ;; esac
		rest=${rest#*'"'}
		key=${rest%%'"'*} rest=${rest#*'"'}
		protocol=${key##*/}
		case $key in *[!0-9]*/* | 0* | ??????*/* | /*) continue ;; */tcp | */udp | */sctp) ;; *) continue ;; esac
		[ "${key%/*}" -le 65535 ] || continue
		case "$nl$exposed$nl" in
		*"$nl- - $protocol ${key%/*}$nl"*) ;;
		*) exposed="$exposed${exposed:+$nl}- - $protocol ${key%/*}" ;;
		esac
	done
	publish_twice
	while read -r _ _ protocol key; do
		[ "$key" ] || continue
		case $nl$ports$nl in *" $protocol $key$nl"*) continue ;; esac
		[ "$publish_all" ] && line=0 || line=-
		ports="$ports${ports:+$nl}- $line $protocol $key"
	done <<-END
		$exposed
	END
	while read -r _ _ protocol key; do
		[ ! "$key" ] || publish_expose
	done <<-END
		$ports
	END
	publish_wanted || return 0
	publish_possible
}

# publish_expose - have $ports_json name $key/$protocol
publish_expose() {
	case $ports_json in
	*"\"$key/$protocol\""*) ;;
	'{}') ports_json="{\"$key/$protocol\":{}}" ;;
	*) ports_json="${ports_json%'}'},\"$key/$protocol\":{}}" ;;
	esac
}

# publish_twice - refuse a port of the host that -p names twice
publish_twice() {
	local host_ip host_port protocol port seen=' ' word other
	while read -r host_ip host_port protocol port; do
		case $host_port in 0 | *-* | '') continue ;; esac
		case $seen in *" $protocol:$host_port:"*) ;; *)
			seen="$seen$protocol:$host_port:$host_ip "
			continue
			;;
		esac
		for word in $seen; do
			case $word in
			"$protocol:$host_port:"*)
				other=${word#"$protocol:$host_port:"}
				! port_meet "$host_ip" "$other" || die "--publish: port $host_port/$protocol of the host stands there twice"
				;;
			esac
		done
		seen="$seen$protocol:$host_port:$host_ip "
	done <<-END
		$ports
	END
}

# publish_wanted - whether $ports has more than exposed ones
publish_wanted() {
	local host_port
	while read -r _ host_port _; do
		case $host_port in '' | -) ;; *) return 0 ;; esac
	done <<-END
		$ports
	END
	return 1
}

# publish_possible - refuse to publish where there is no network of ours to publish to
publish_possible() {
	local target
	case $net in
	host)
		say "with --net=host there is nothing to publish: the ports of the container are the host's own"
		ports=''
		return 0
		;;
	none) die "--publish does not go with --net=none: nobody else reaches that container" ;;
	container:*) die "--publish does not go with --net=container:$of_name: the ports are those of '$of_name': publish them there, with 'scadm run -p … --name=$of_name'" ;;
	esac
	[ "$attachments" ] || die "--publish does not go with --net=$net: scadm does not know the address in a namespace that others made"
	publish_network
}

# publish_network - sets $target to the first network that ports can be published to, and refuses what it cannot do
publish_network() {
	local network driver link gateway length gateway6='' length6 mtu flags range line why='' host_ip
	target=''
	while read -r line; do
		[ ! "$target" ] || continue
		if ! network_read "${line%% *}"; then
			# the default one, before it is made
			target=${line%% *} gateway6=''
		elif network_flag internal; then
			why="the network $network is internal: there is no way in"
		elif network_flag nat; then
			target=$network
		else
			why="the network $network ($driver) is reached without this host, and so are the ports of its containers"
		fi
	done <<-END
		$attachments
	END
	[ "$attachments" ] || die "--publish: '$name' is on no network, and published ports need one: 'scadm network connect NETWORK $name' first"
	[ "$target" ] || die "--publish: $why; published ports need another network besides, such as bridge"
	[ ! "$gateway6" ] || return 0
	while read -r host_ip _; do
		case $host_ip in *:*) die "--publish [$host_ip]:…: the network $target has no IPv6 ('scadm network create --ipv6' makes one that has)" ;; esac
	done <<-END
		$ports
	END
}

# publish_write - the file in the record
publish_write() {
	[ ! "$ports" ] || put "$record/ports" "$ports"
}
