# shellcheck shell=sh
# shellcheck disable=SC2034,SC2154 # what is set here for the verbs; the words of lib.sh, lib/journal.sh and lib/network.sh
# lib/netns.sh - network namespaces by name, and the cables that were plugged into them by hand: connect-bridge, connect-pair

# netns_undo_link NETNS LINK - the undo of a link inside a namespace, known by a name or an altname of ours
netns_undo_link() {
	undo_line "! ip -n $1 link show dev $2 >/dev/null 2>&1 || ip -n $1 link del dev $2"
}

# netns_pair A,B - sets $a and $b
netns_pair() {
	case $1 in *,*) ;; *) bad_usage '--netns=A,B is needed' ;; esac
	a=${1%%,*} b=${1#*,}
	valid_name --netns "$a"
	valid_name --netns "$b"
}

# netns_free_device NETNS - print the first of eth0, eth1, … that the namespace does not have
netns_free_device() {
	local links index=0
	links=$(ip -n "$1" -o link) || die "cannot look into the namespace '$1'"
	while :; do
		case $links in
		*": eth$index:"* | *": eth$index@"*) index=$((index + 1)) ;;
		*) break ;;
		esac
	done
	printf 'eth%s\n' "$index"
}

# netns_users NETNS - print the name of a running container that uses the namespace, if there is one
netns_users() {
	local record
	set +f
	for record in "$SC_ROOT"/containers/*; do
		set -f
		[ -e "$record/pid" ] && is_running "$record" || continue
		[ ! "/proc/$pid/ns/net" -ef "/run/netns/$1" ] || printf '%s\n' "${record##*/}"
	done
	set -f
}

# netns_disconnect_all NETNS - undo every connection of a namespace
netns_disconnect_all() {
	local connection
	set +f
	for connection in "$SC_ROOT/connections/$1:"* "$SC_ROOT/connections/"*":$1"; do
		set -f
		[ ! -e "$connection/undo" ] || netns_disconnect "${connection##*/}"
	done
	set -f
}

# netns_disconnect CONNECTION - undo a connection; a transient network that nobody else uses goes too
netns_disconnect() {
	local network="${1#*:}" last=1 names
	# in a plan the connections before this one are only going to be undone: $disconnected knows them
	disconnected="${disconnected-} ${1%%:*} "
	while read -r _ _ _ names; do
		case $disconnected in *" $names "*) ;; *) [ ! "$names" ] || last='' ;; esac
	done <<-END
		$(sc-ipam "$database" list "$network" 2>/dev/null)
	END
	cmd flock "$SC_ROOT/connections/$1/." scadm-undo "$SC_ROOT/connections/$1/undo"
	[ "$last" ] && [ "$network" != bridge ] && network_read "$network" && network_flag transient || return 0
	network_lock
	if [ "$door" = print ] || network_idle "$network"; then
		note "That was the last one in $network."
		network_forget "$network"
	fi
	network_unlock
}
