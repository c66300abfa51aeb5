# shellcheck shell=sh
# shellcheck disable=SC2034,SC2154 # what is set here for the verbs; the words of lib.sh, lib/find.sh and lib/attach.sh
# lib/cable.sh - the cables of a container that is there, for the verbs that look at them

# cable_device OPTION DEVICE - refuse what cannot be the name of a link
cable_device() {
	case $2 in
	'' | [!a-zA-Z0-9]* | *[!a-zA-Z0-9_.-]* | ????????????????*) die "$1 '$2': a link has 1 to 15 letters, digits, '_', '.' or '-' in its name" ;;
	esac
}

# cable_config - sets $net to the NetworkMode of $record, and $netns to the name of its network namespace (empty: the host's)
cable_config() {
	local json='' line
	[ -e "$record/config.json" ] || die "'$name' has no whole record: it is being made, or was left half made ('scadm gc' removes that)"
	while IFS= read -r line; do
		json=$json$line
	done <"$record/config.json"
	net=${json#*'"NetworkMode":"'} net=${net%%'"'*}
	netns=${json#*'"SandboxKey":"'} netns=${netns%%'"'*}
	netns=${netns#/run/netns/}
	case $netns in [!a-zA-Z0-9]* | *[!a-zA-Z0-9_.-]*) die "$record/config.json is damaged: 'scadm rm $name' removes the container" ;; esac
}

# cable_find [DEVICE] - sets $device and $veth to both ends of a cable of $name, its first one unless it is named
cable_find() {
	local network had=''
	cable_config
	attach_read
	while read -r network device _; do
		[ "$device" ] || continue
		had=$had${had:+, }$device
		[ "${1:-$device}" = "$device" ] || continue
		attach_veth "$device"
		[ -e "/sys/class/net/$veth" ] || die "the cable of '$name' to its network '$network' has no end on this host"
		return 0
	done <<-END
		$attachments
	END
	[ ! "$had" ] || die "'$name' has no $1; it has $had"
	die "'$name' has no cable of its own: its network is '$net'"
}
