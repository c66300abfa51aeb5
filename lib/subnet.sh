# shellcheck shell=sh
# shellcheck disable=SC2034,SC2154 # what is set here for the verbs; the words of lib.sh and lib/address.sh
# lib/subnet.sh - whether a range is free: no route of the host meets it, and no network of ours
#
# $met is what is in the way, in words. subnet_free of lib/address.sh belongs to them.
unset routes6

# subnet6_free DIGITS LENGTH - the same for an IPv6 range
subnet6_free() {
	local kind destination rest digits
	[ "${routes6+asked}" ] || routes6=$(ip -6 route show table all 2>/dev/null) || die "cannot ask for the host's routes (ip -6 route)"
	while read -r kind destination rest; do
		case $kind in *:*) destination=$kind ;; esac
		case $destination in
		*/*) ;;
		*) destination=$destination/128 ;;
		esac
		rest=${destination#*/} destination=${destination%/*}
		[ "$rest" -gt 3 ] 2>/dev/null && address6_digits "$destination" || continue
		! subnet6_meet "$1" "$2" "$digits" "$rest" || {
			met="the route of this host to $destination/$rest ('ip -6 route show table all')"
			return 1
		}
	done <<-END
		$routes6
	END
}

# subnet_unused FIRST LAST - whether no network of ours has an address of that range (numbers), up or not
subnet_unused() {
	local file address bits range number
	set +f
	for file in "$SC_ROOT"/networks/*/network; do
		set -f
		{ read -r _ _ address bits _ _ _ _ range <"$file"; } 2>/dev/null || continue
		case $range in */*) address=${range%/*} bits=${range#*/} ;; esac
		address_length "$bits" 1 32 && address_number "$address" || continue
		number=$((number >> (32 - bits) << (32 - bits)))
		file=${file%/network}
		met="the network '${file##*/}' ('scadm network inspect ${file##*/}')"
		[ "$number" -gt "$2" ] || [ $((number | ((1 << (32 - bits)) - 1))) -lt "$1" ] || return 1
	done
	set -f
}

# subnet6_unused DIGITS LENGTH - the same for an IPv6 range
subnet6_unused() {
	local file address bits digits
	set +f
	for file in "$SC_ROOT"/networks/*/network; do
		set -f
		{ read -r _ _ _ _ address bits _ <"$file"; } 2>/dev/null || continue
		address_length "$bits" 1 128 && address6_digits "$address" || continue
		file=${file%/network}
		met="the network '${file##*/}' ('scadm network inspect ${file##*/}')"
		! subnet6_meet "$1" "$2" "$digits" "$bits" || return 1
	done
	set -f
}

# subnet_choose - sets $first and $last (numbers) to a free range of 65534 addresses: as docker's, or else as our default network's
subnet_choose() {
	local number second
	# 172.18/16 to 172.31/16, then 10.100/16 to 10.254/16; 10.99/16 is left to the default network
	for second in 172.18 172.19 172.20 172.21 172.22 172.23 172.24 172.25 172.26 172.27 172.28 172.29 172.30 172.31; do
		address_number "$second.0.0"
		first=$number last=$((number + 65535))
		! subnet_free "$first" "$last" || ! subnet_unused "$first" "$last" || return 0
	done
	second=100
	while [ "$second" -lt 255 ]; do
		first=$(((10 << 24) + (second << 16))) last=$(((10 << 24) + (second << 16) + 65535))
		! subnet_free "$first" "$last" || ! subnet_unused "$first" "$last" || return 0
		second=$((second + 1))
	done
	die "every range from 172.18.0.0/16 to 172.31.0.0/16 and from 10.100.0.0/16 to 10.254.0.0/16 is used: choose one with --subnet"
}
