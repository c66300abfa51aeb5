# shellcheck shell=sh
# shellcheck disable=SC2034,SC2154 # what is set here for lib/attach.sh; the words of lib.sh, lib/options.sh and lib/address.sh
# lib/attach-options.sh - which networks a new container is to be on: sets $net and, for lib/attach.sh, $attachments

attach_valued=' --net --network --ip --ip6 --mac-address --network-alias --net-alias '
option='--net' attachments='' net='' ip='' ip6='' mac_address='' network_aliases=''

# attach_option - take $option with its $value if it is one of attach_valued; status 1: it is not
attach_option() {
	case $option in
	--net | --network) attach_networks "$value" ;;
	--ip) ip=$value ;;
	--ip6) ip6=$value ;;
	--mac-address) mac_address=$value ;;
	--network-alias | --net-alias)
		valid_name "$option" "$value"
		network_aliases=$network_aliases${network_aliases:+,}$value
		;;
	*) return 1 ;;
	esac
}

# attach_networks TEXT - add to $attachments: NET, A,B, NET:ip=…,alias=… or name=NET,ip=…
attach_networks() {
	local rest word words=''
	case $1 in
	container:*)
		[ ! "$net" ] || die "$option '$1': a container shares the network of another, or has networks of its own"
		net=$1
		return 0
		;;
	name=*) rest=${1#name=} words=1 ;;
	*:*) rest=${1%%:*},${1#*:} words=1 ;;
	*) rest=$1 ;;
	esac
	[ "$rest" ] || die "$option: the name is empty; is a variable?"
	rest=$rest,
	while [ "$rest" ]; do
		word=${rest%%,*} rest=${rest#*,}
		case $word in default) word=bridge ;; esac
		attach_network "$word"
		if [ "$words" ]; then
			attach_words "$rest"
			return 0
		fi
	done
}

# attach_network NAME - a line for one more network; none, host and a namespace's name go to $net
attach_network() {
	local index=0 line
	valid_name "$option" "$1"
	while read -r line; do
		[ ! "$line" ] || index=$((index + 1))
		[ "${line%% *}" != "$1" ] || die "$option '$1' is there twice"
	done <<-END
		$attachments
	END
	attach_network_id "$1"
	set -- "$word"
	if [ "$1" != bridge ] && [ ! -e "$SC_ROOT/networks/$1/network" ]; then
		[ ! "$net" ] || die "$option '$1': it goes together with networks only ('scadm network ls'), and '$net' came before"
		net=$1
		return 0
	fi
	[ "$index" -lt 10 ] || die "$option '$1': a container is on ten networks at most"
	[ "${net:-$1}" = "${attachments%% *}" ] || [ ! "$net" ] || die "$option '$1' does not go together with '$net'"
	net=${net:-$1}
	attachments="$attachments${attachments:+$nl}$1 eth$index - - - - -"
}

# attach_network_id WORD - sets $word to the name of the network with that id, or one that begins so; else to WORD
attach_network_id() {
	local file id
	word=$1
	case $1 in *[!0-9a-f]*) return 0 ;; esac
	[ ! -e "$SC_ROOT/networks/$1" ] && [ ! -e "/run/netns/$1" ] || return 0
	set +f
	for file in "$SC_ROOT"/networks/*/id; do
		set -f
		{ read -r id <"$file"; } 2>/dev/null || continue
		case $id in "$1"*) ;; *) continue ;; esac
		[ "$word" = "$1" ] || die "$option '$1' is the beginning of more than one id of a network; 'scadm network ls' shows more of them"
		word=${file%/id}
		word=${word##*/}
	done
	set -f
}

# attach_words WORDS - what the line added last asks for: ip=ADDRESS,ip6=ADDRESS,mac=ADDRESS,alias=NAME,… with a comma at the end
attach_words() {
	local rest="$1" word ip='' ip6='' mac_address='' network_aliases=''
	[ "$attachments" ] || die "$option: '$net' is no network: it takes no words behind it"
	while [ "$rest" ]; do
		word=${rest%%,*} rest=${rest#*,}
		case $word in
		ip=*) ip=${word#*=} ;;
		ip6=*) ip6=${word#*=} ;;
		mac=* | mac-address=*) mac_address=${word#*=} ;;
		alias=*)
			valid_name "$option alias" "${word#*=}"
			network_aliases=$network_aliases${network_aliases:+,}${word#*=}
			;;
		*) die "$option: '$word' is not known: ip=, ip6=, mac= and alias= are" ;;
		esac
	done
	line=${attachments##*"$nl"}
	attachments=${attachments%"$line"}
	attach_asked
	attachments=$attachments$line
}

# attach_asked - have $line ask for $ip $ip6 $mac_address $network_aliases
attach_asked() {
	local network device mac address address6 asked aliases
	read -r network device mac address address6 asked aliases <<-END
		$line
	END
	asked=''
	if [ "$ip" ]; then
		address_number "$ip" || die "--ip '$ip': an IPv4 address such as 10.0.2.3"
		address=$ip asked=ip
	fi
	if [ "$ip6" ]; then
		case $ip6 in *[!0-9a-fA-F:]* | *:::*) die "--ip6 '$ip6': an IPv6 address such as fd00::5" ;; *:*:*) ;; *) die "--ip6 '$ip6': an IPv6 address such as fd00::5" ;; esac
		address6=$ip6 asked=$asked${asked:+,}ip6
	fi
	if [ "$mac_address" ]; then
		attach_mac_valid "$mac_address"
		mac=$mac_address asked=$asked${asked:+,}mac
	fi
	line="$network $device $mac $address $address6 ${asked:--} ${network_aliases:--}"
}

# attach_mac_valid ADDRESS - refuse what is not six bytes, and what stands for a group
attach_mac_valid() {
	local rest="$1:" byte count=0
	while [ "$rest" ]; do
		byte=${rest%%:*} rest=${rest#*:} count=$((count + 1))
		case $byte in [0-9a-fA-F][0-9a-fA-F]) ;; *) count=9 ;; esac
	done
	case $count,$1 in
	6,?[13579bdfBDF]:*) die "--mac-address '$1': that is the address of a group; make its second digit even" ;;
	6,00:00:00:00:00:00) die "--mac-address '$1': the address of nobody" ;;
	6,*) ;;
	*) die "--mac-address '$1': six bytes such as 02:42:0a:63:00:02" ;;
	esac
}

# attach_defaults - what follows from the options together
attach_defaults() {
	local line rest
	[ "$net" ] || attach_network bridge
	[ "$ip$ip6$mac_address$network_aliases" ] || return 0
	[ "$attachments" ] || die "--ip, --ip6, --mac-address and --network-alias are for a container on a network, and --net=$net is none"
	line=${attachments%%"$nl"*}
	rest=${attachments#"$line"}
	case $line in *' - -') ;; *) die "--ip, --ip6, --mac-address and --network-alias are said twice for ${line%% *}" ;; esac
	attach_asked
	attachments=$line$rest
}
