# shellcheck shell=sh
# lib/address.sh - IPv4 addresses as numbers: parse, print, compare; no process

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

# subnet_parse ADDRESS/LENGTH - sets $host $length $network (number) $last (number of the broadcast address)
# status 1: it is not an IPv4 address with a prefix length of 8 to 30 for use on a network
subnet_parse() {
	host=${1%/*} length=${1##*/}
	case $1 in */*) ;; *) return 1 ;; esac
	case $length in '' | *[!0-9]* | 0* | ???*) return 1 ;; esac
	[ "$length" -ge 8 ] && [ "$length" -le 30 ] || return 1
	address_number "$host" || return 1
	network=$((number >> (32 - length) << (32 - length)))
	last=$((network | ((1 << (32 - length)) - 1)))
	# 0/8, 127/8 and everything from multicast up are no addresses of a link
	[ "$number" -ge 16777216 ] && [ $((number >> 24)) -ne 127 ] && [ "$number" -lt 3758096384 ]
}

# subnet_free NETWORK LAST - whether no route of the host meets that range (numbers); asks `ip route`
subnet_free() {
	local first="$1" end="$2" destination rest routes
	routes=$(ip -4 route show table main) || die "cannot ask for the host's routes (ip -4 route)"
	while read -r destination rest; do
		case $destination in
		default | '') continue ;;
		*/*) ;;
		*) destination=$destination/32 ;;
		esac
		address_number "${destination%/*}" || continue
		rest=$((number | ((1 << (32 - ${destination##*/})) - 1)))
		[ "$number" -gt "$end" ] || [ "$rest" -lt "$first" ] || return 1
	done <<-END
		$routes
	END
}
