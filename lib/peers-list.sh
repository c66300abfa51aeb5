# shellcheck shell=sh
# shellcheck disable=SC2034,SC2154 # what is set here for the verbs; the words of lib.sh, lib/json.sh, lib/address.sh, lib/etcd.sh and lib/peers.sh
# lib/peers-list.sh - the other hosts of a network as etcd has them, each field checked, for it was written by others

# peers_list - sets $peers from $pairs, $range, $driver and our own $block: lines BLOCK ADDRESS MAC HOST (MAC is - for
# host-gw); and $peers_own: LEASE HOST of the key of our own block, if it is there. Says once what it leaves out
peers_list() {
	local key lease value address mac host rows='' entry low high range_low range_high number
	peers='' peers_own=''
	while read -r key _ lease value; do
		case $key in blocks/*) ;; *) continue ;; esac
		case ${key#blocks/} in *[!0-9.-]*) continue ;; esac
		sql_string "$value"
		rows="$rows${rows:+,}('${key#blocks/}','$lease',$sql)"
	done <<-END
		$pairs
	END
	[ "$rows" ] || return 0
	rows=$(
		sqlite3 -init /dev/null :memory: <<-END
			WITH b(k, l, j) AS (VALUES $rows), f(k, l, host, address, mac) AS (SELECT k, l, CASE WHEN json_valid(j) THEN json_extract(j, '\$.host') END,
				CASE WHEN json_valid(j) THEN json_extract(j, '\$.address') END, CASE WHEN json_valid(j) THEN json_extract(j, '\$.vtepMac') END FROM b)
			SELECT k || ' ' || l || ' ' || CASE WHEN host GLOB '*[^0-9a-f]*' OR host IN ('', NULL) THEN '?' ELSE ifnull(host, '?') END || ' ' ||
				CASE WHEN address GLOB '*[^0-9.]*' OR address = '' THEN '?' ELSE ifnull(address, '?') END || ' ' ||
				CASE WHEN mac GLOB '*[^0-9a-f:]*' OR mac = '' THEN '?' ELSE ifnull(mac, '-') END FROM f;
		END
	) || rows=''
	peers_bounds "$range"
	range_low=$low range_high=$high
	while read -r key lease host address mac; do
		[ "$key" ] || continue
		entry=${key%-*}/${key##*-}
		if [ "$entry" = "${block-}" ]; then
			peers_own="$lease $host"
			continue
		fi
		# a lease of our own from before, that is about to end
		[ "$address" != "$peers_address" ] || continue
		peers_entry || {
			peers_ignored "$key"
			continue
		}
		peers="$peers$entry $address $mac $host$nl"
	done <<-END
		$rows
	END
}

# peers_entry - whether $entry $address $mac $host of peers_list may be used: a whole block of the range, a host, and
# the MAC address that the link of the host with this block has: any other is to take what is for another peer
peers_entry() {
	local given="$mac"
	[ "${entry#*/}" = "$peers_block_length" ] && peers_bounds "$entry" && [ "$low" -ge "$range_low" ] && [ "$high" -le "$range_high" ] || return 1
	peers_unicast "$address" || return 1
	[ "$number" -lt "$range_low" ] || [ "$number" -gt "$range_high" ] || return 1
	[ "$host" != '?' ] || return 1
	[ "$driver" = vxlan ] || {
		mac=-
		return 0
	}
	peers_mac "${entry%/*}"
	[ "$given" = "$mac" ]
}

# peers_ignored KEY - say once that an entry is not used
peers_ignored() {
	case ${peers_said-} in *" $1 "*) return 0 ;; esac
	peers_said="${peers_said- } $1 "
	say "$etcd_prefix/$network/blocks/$1 in etcd is no block of $range with a host that can be reached: not used"
}
