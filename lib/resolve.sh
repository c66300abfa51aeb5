# shellcheck shell=sh
# shellcheck disable=SC2034,SC2154 # what is set here for the verbs; the words of lib.sh, lib/options.sh, lib/address.sh, lib/network.sh and lib/create.sh
# lib/resolve.sh - how a container finds names: its resolv.conf(5), and lines in its hosts file that the others have not
#
# The file extra-hosts of a record has the lines of its own as they were asked for: `host-gateway` stands for the gateway
# of its first network and `-` for its address there. Each start writes them to hosts.own as they are then.

resolve_valued=' --dns --dns-search --dns-option --dns-opt --add-host '
# words with blanks between them, in the order of the command line
dns='' dns_search='' dns_options='' extra_hosts='' hosts_own=''

# resolve_option - take $option with its $value if it is one of resolve_valued; status 1: it is not
resolve_option() {
	case $option in
	--dns)
		resolve_address "$value" || die "--dns '$value': the address of a name server, such as 192.0.2.53 or 2001:db8::53"
		dns=$dns${dns:+ }$value
		;;
	--dns-search)
		case $value in .) ;; *) resolve_name "$value" || die "--dns-search '$value': the name of a domain, such as example.org, or '.' for none" ;; esac
		dns_search=$dns_search${dns_search:+ }$value
		;;
	--dns-option | --dns-opt)
		case $value in
		'' | [!a-zA-Z]* | *[!a-zA-Z0-9:._-]*) die "$option '$value': an option of resolv.conf(5), such as ndots:2" ;;
		esac
		dns_options=$dns_options${dns_options:+ }$value
		;;
	--add-host) resolve_host "$value" ;;
	*) return 1 ;;
	esac
}

# resolve_address WORD - whether it is an IPv4 or IPv6 address
resolve_address() {
	local number digits
	address_number "$1" || address6_digits "$1"
}

# resolve_name WORD - whether it can be the name of a host or a domain: labels (RFC 1123, and `_`) with dots between them
resolve_name() {
	local rest="$1." label
	[ ${#1} -le 253 ] || return 1
	while [ "$rest" ]; do
		label=${rest%%.*} rest=${rest#*.}
		case $label in '' | -* | *- | *[!a-zA-Z0-9_-]*) return 1 ;; esac
		[ ${#label} -le 63 ] || return 1
	done
}

# resolve_host TEXT - add what --add-host says, NAME:ADDRESS or NAME=ADDRESS, to $extra_hosts and $hosts_own
resolve_host() {
	local host address="$1"
	host=${1%%[:=]*}
	address=${address#"$host"}
	address=${address#?}
	case $address in '['*']') address=${address#?} address=${address%?} ;; esac
	resolve_name "$host" || die "--add-host '$1': write NAME:ADDRESS, such as db:192.0.2.7"
	[ "$address" = host-gateway ] || resolve_address "$address" ||
		die "--add-host '$1': '$address' is not an address, nor host-gateway"
	extra_hosts="$extra_hosts${extra_hosts:+ }$host:$address"
	hosts_own="$hosts_own${hosts_own:+$nl}$address $host"
}

# resolve_conf - sets $resolv_conf: the options', and else the host's name servers that a container can reach; a host name
# that is not the container's name becomes one of its own hosts lines. Reads $net $attachments $name $short $hostname
resolve_conf() {
	local file=/etc/resolv.conf key value first rest servers='' search='' options='' six=''
	case $net in
	container:*)
		[ ! "$dns$dns_search$dns_options$extra_hosts" ] ||
			die "--dns, --dns-search, --dns-option and --add-host do not go with --net=$net: the names are those of the other container"
		# what lib/attach-container.sh has found there
		resolv_conf=${resolv_conf-}
		return 0
		;;
	esac
	if [ ! "$attachments" ]; then
		case $nl$hosts_own in *"${nl}host-gateway "*) die "--add-host …:host-gateway: --net=$net has no gateway that scadm knows; write its address" ;; esac
		six=1
	elif [ "$hostname" != "$name" ] && [ "$hostname" != "$short" ]; then
		hosts_own="- $hostname${hosts_own:+$nl$hosts_own}"
	fi
	[ "$six" ] || ! resolve_six || six=1
	# the stub of systemd-resolved listens on the host's loopback; its real servers are in a file of their own
	if [ "$net" != host ] && [ -e /run/systemd/resolve/resolv.conf ] && resolve_stub; then
		file=/run/systemd/resolve/resolv.conf
	fi
	[ -e "$file" ] || file=/dev/null
	while read -r key first rest || [ "$key" ]; do
		value=$first${rest:+ $rest}
		case $key in
		nameserver)
			case $net,$first in
			host,*) ;;
			# nobody answers there in another network namespace
			*,127.* | *,::1 | *,0.0.0.0 | *,::) continue ;;
			# an address that is good on one link only
			*,*%*) continue ;;
			*,*:*) [ "$six" ] || continue ;;
			esac
			resolve_address "${first%%%*}" || continue
			servers=$servers${nl}nameserver\ $first
			;;
		# of these two, and of several, the last one counts
		search | domain) search=${value:+$nl$key $value} ;;
		options) options=$options${nl}options\ $value ;;
		esac
	done <"$file"
	if [ "$dns" ]; then
		servers=''
		for value in $dns; do
			servers=$servers${nl}nameserver\ $value
		done
	fi
	[ "$servers" ] || servers="${nl}nameserver 8.8.8.8${nl}nameserver 8.8.4.4"
	case $dns_search in
	'') ;;
	*) [ "$dns_search" = . ] && search='' || search=${nl}search\ $dns_search ;;
	esac
	[ ! "$dns_options" ] || options=${nl}options\ $dns_options
	resolv_conf=$servers$search$options
	resolv_conf=${resolv_conf#"$nl"}
}

# resolve_stub - whether /etc/resolv.conf names the stub of systemd-resolved
resolve_stub() {
	local key first _
	[ -e /etc/resolv.conf ] || return 0
	while read -r key first _ || [ "$key" ]; do
		case $key,$first in nameserver,127.0.0.53 | nameserver,127.0.0.54) return 0 ;; esac
	done </etc/resolv.conf
	return 1
}

# resolve_six - whether one of the networks of $attachments has IPv6
resolve_six() {
	local line gateway6
	while read -r line; do
		{ read -r _ _ _ _ gateway6 _ <"$SC_ROOT/networks/${line%% *}/network"; } 2>/dev/null || continue
		case $gateway6 in *:*) return 0 ;; esac
	done <<-END
		$attachments
	END
	return 1
}

# resolve_read - sets $hosts_own to what the record says was asked for
resolve_read() {
	local line
	hosts_own=''
	[ -e "$record/extra-hosts" ] || return 0
	while IFS= read -r line; do
		hosts_own=$hosts_own${hosts_own:+$nl}$line
	done <"$record/extra-hosts"
}

# resolve_lines - write the own lines as they are now; reads $attachments, with the addresses that were leased. A line goes
# without what it asks for: there may be no network, or one without a gateway
resolve_lines() {
	local network='' address='' address6='' first='' lines='' line own
	read -r network _ _ address address6 _ <<-END
		$attachments
	END
	# in a plan the default network may be only going to be there
	{ read -r _ _ first _ <"$SC_ROOT/networks/$network/network"; } 2>/dev/null || first=${gateway-}
	while read -r line; do
		case $line in
		'host-gateway '*) resolve_line "$first" ;;
		'- '*)
			own=$line
			resolve_line "$address6"
			line=$own
			resolve_line "$address"
			;;
		*) resolve_line "${line%% *}" ;;
		esac
	done <<-END
		$hosts_own
	END
	put "$record/hosts.own" "$lines"
}

# resolve_line ADDRESS - append $line to $lines with that address in the place of its first word; `-` or nothing: leave it out
resolve_line() {
	case $1 in '' | -) ;; *) lines="$lines${lines:+$nl}$1 ${line#* }" ;; esac
}

# resolve_array WORD... - sets $json to an array of the words, in which nothing needs escaping
resolve_array() {
	local word
	json=''
	for word; do
		json="$json${json:+,}\"$word\""
	done
	json="[$json]"
}

# resolve_json - sets $dns_json $dns_search_json $dns_options_json $extra_hosts_json, members of HostConfig
resolve_json() {
	local json
	# shellcheck disable=SC2086 # words without blanks, which were looked at one by one
	{
		resolve_array $dns && dns_json=$json
		resolve_array $dns_search && dns_search_json=$json
		resolve_array $dns_options && dns_options_json=$json
		resolve_array $extra_hosts && extra_hosts_json=$json
	}
}
