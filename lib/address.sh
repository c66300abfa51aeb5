# shellcheck shell=sh
# lib/address.sh - addresses as numbers (IPv4) and as 32 hexadecimal digits (IPv6): parse, print, compare; no process
unset routes4

# address_number ADDRESS - sets $number to the 32-bit value of a dotted quad; status 1: it is not one
address_number() {
	local rest="$1." part count=0
	number=0
	while [ "$rest" ]; do
		part=${rest%%.*} rest=${rest#*.}
		case $part in
		'' | *[!0-9]* | 0?* | ????*) return 1 ;;
		esac
		[ "$part" -le 255 ] || return 1
		number=$((number * 256 + part)) count=$((count + 1))
	done
	[ "$count" -eq 4 ]
}

# address_text NUMBER - sets $address to the dotted quad
address_text() {
	address=$(($1 >> 24 & 255)).$(($1 >> 16 & 255)).$(($1 >> 8 & 255)).$(($1 & 255))
}

# address_length TEXT MIN MAX - whether the text is a prefix length in that range
address_length() {
	case $1 in '' | *[!0-9]* | 0?* | ????*) return 1 ;; esac
	[ "$1" -ge "$2" ] && [ "$1" -le "$3" ]
}

# address_mac ADDRESS - sets $mac to 02:42 and the bytes of an IPv4 address: who remembers it for that address is right
address_mac() {
	local rest="$1." byte
	mac=02:42
	while [ "$rest" ]; do
		byte=${rest%%.*} rest=${rest#*.}
		address_hexadecimal $((byte / 16))
		mac=$mac:$digit
		address_hexadecimal $((byte % 16))
		mac=$mac$digit
	done
}

# address_hexadecimal NUMBER - sets $digit to the hexadecimal digit of 0 to 15
address_hexadecimal() {
	local digits=0123456789abcdef index="$1"
	while [ "$index" -gt 0 ]; do
		digits=${digits#?} index=$((index - 1))
	done
	digit=${digits%"${digits#?}"}
}

# subnet_parse ADDRESS/LENGTH - sets $host $length $network (number) $last (number of the broadcast address)
# status 1: it is not an IPv4 address with a prefix length of 8 to 30 for use on a network
subnet_parse() {
	host=${1%/*} length=${1##*/}
	case $1 in */*) ;; *) return 1 ;; esac
	address_length "$length" 8 30 || return 1
	address_number "$host" || return 1
	network=$((number >> (32 - length) << (32 - length)))
	last=$((network | ((1 << (32 - length)) - 1)))
	# 0/8, 127/8 and everything from multicast up are no addresses of a link
	[ "$number" -ge 16777216 ] && [ $((number >> 24)) -ne 127 ] && [ "$number" -lt 3758096384 ]
}

# subnet_free FIRST LAST - whether no route of the host meets that range (numbers); asks `ip route` once; sets $met, the route
subnet_free() {
	local kind destination rest end number
	[ "${routes4+asked}" ] || routes4=$(ip -4 route show table all) || die "cannot ask for the host's routes (ip -4 route)"
	while read -r kind destination rest; do
		# blackhole, local, … stand before what they are for
		case $kind in *[!0-9./]*) ;; *) destination=$kind ;; esac
		case $destination in
		*/*) ;;
		*) destination=$destination/32 ;;
		esac
		rest=${destination#*/} destination=${destination%/*}
		# the two halves of everything, which a tunnel puts before the default route, are no range of somebody's
		[ "$rest" -gt 1 ] 2>/dev/null && address_number "$destination" || continue
		end=$((number | ((1 << (32 - rest)) - 1)))
		[ "$number" -gt "$2" ] || [ "$end" -lt "$1" ] || {
			met="the route of this host to $destination/$rest ('ip route show table all')"
			return 1
		}
	done <<-END
		$routes4
	END
}

# address6_digits ADDRESS - sets $digits to the 32 digits of an IPv6 address; status 1: it is not one
# (one with a dotted quad at its end is not taken: those are IPv4 addresses in disguise)
address6_digits() {
	local head="$1" tail='' parts count
	case $1 in
	'' | *[!0-9a-fA-F:]* | *:::* | *::*::* | :[!:]* | *[!:]: | :) return 1 ;;
	*::*) head=${1%%::*} tail=${1#*::} ;;
	esac
	address6_groups "$head" || return 1
	parts=$digits
	address6_groups "$tail" || return 1
	count=$((${#parts} + ${#digits}))
	case $1 in
	*::*)
		[ "$count" -le 28 ] || return 1
		while [ "$count" -lt 32 ]; do
			parts=${parts}0 count=$((count + 1))
		done
		;;
	*) [ "$count" -eq 32 ] || return 1 ;;
	esac
	digits=$parts$digits
	case $digits in *[A-F]*) digits=$(printf '%s' "$digits" | tr A-F a-f) ;; esac
}

# address6_groups GROUPS - sets $digits to four for each; status 1: one has more
address6_groups() {
	local rest="$1" part
	digits=''
	while [ "$rest" ]; do
		part=${rest%%:*}
		case $rest in *:*) rest=${rest#*:} ;; *) rest='' ;; esac
		[ ${#part} -le 4 ] || return 1
		part=000$part
		digits=$digits${part#"${part%????}"}
	done
}

# address6_text DIGITS - sets $address to the address as the kernel prints it (RFC 5952)
address6_text() {
	local rest="$1" part zeros=:0:0:0:0:0:0:0:0
	address=''
	while [ "$rest" ]; do
		part=${rest%"${rest#????}"} rest=${rest#????}
		part=${part#"${part%%[!0]*}"}
		address=$address:${part:-0}
	done
	# the first of the longest runs of zeros is left out; a single one is written
	while [ "$zeros" != :0 ]; do
		case $address: in
		*"$zeros:"*)
			part=${address%%"$zeros"*}
			rest=$address:
			rest=${rest#*"$zeros:"}
			address=${part#:}::${rest%:}
			return 0
			;;
		esac
		zeros=${zeros%:0}
	done
	address=${address#:}
}

# address6_network DIGITS LENGTH - sets $digits to those of the network: the address with its other bits 0
address6_network() {
	local rest="$1" left="$2" digit
	digits=''
	while [ "$rest" ]; do
		digit=${rest%"${rest#?}"} rest=${rest#?}
		[ "$left" -ge 4 ] || digit=$(((0x$digit >> (4 - left)) << (4 - left)))
		case $digit in
		10) digit=a ;;
		12) digit=c ;;
		14) digit=e ;;
		esac
		digits=$digits$digit
		left=$((left > 4 ? left - 4 : 0))
	done
}

# subnet6_parse ADDRESS/LENGTH - sets $digits6 (of the address), $network6 (of the network) and $length6
# status 1: it is not an IPv6 address with a prefix length of 64 to 126 for use on a network
subnet6_parse() {
	local digits
	length6=${1##*/}
	case $1 in */*) ;; *) return 1 ;; esac
	address_length "$length6" 64 126 && address6_digits "${1%/*}" || return 1
	digits6=$digits
	# global and unique local addresses: what is link-local or multicast is no range for a network
	case $digits in [23]* | f[cd]*) ;; *) return 1 ;; esac
	address6_network "$digits6" "$length6"
	network6=$digits
}

# subnet6_meet DIGITS LENGTH DIGITS LENGTH - whether the two ranges have an address in common
subnet6_meet() {
	local digits first length="$2"
	[ "$length" -le "$4" ] || length=$4
	address6_network "$1" "$length"
	first=$digits
	address6_network "$3" "$length"
	[ "$first" = "$digits" ]
}
