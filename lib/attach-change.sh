# shellcheck shell=sh
# shellcheck disable=SC2034,SC2154 # what is set here for the verbs; the words of lib.sh, lib/journal.sh, lib/find.sh, lib/network.sh, lib/attach.sh and of
# these verbs themselves: new, the directory beside the journal, and go, the file in it that gives the word
# lib/attach-change.sh - a container that is there joins a network, or leaves one: what network connect and disconnect share
#
# Its record is changed by files that are made beside the journal, in $SC_ROOT/updates/NAME, and renamed.

. "$SC_LIB/lib/undo-later.sh"

# attach_change_lock - one such change, update or start of the container at a time; sets $pid, empty when it does not run
attach_change_lock() {
	[ -e "$record/config.json" ] || die "'$name' is being made, or was left half made ('scadm gc' removes that)"
	while [ "$door" != print ]; do
		lock_limits
		# who had it before us has put another file there
		[ ! "$record/config.json" -ef "/proc/$$/fd/7" ] || break
	done
	if is_running "$record"; then
		read -r pid start _ <"$record/pid"
		return 0
	fi
	find_state "$record"
	[ "$state" != restarting ] || die "'$name' is between two runs; try again when it runs, or 'scadm stop $name' first"
	lock_record
	! is_running "$record" || die "'$name' was started by another command just now"
	pid=''
}

# attach_change_ask - sets $id, $net, $hosts_own, $old_hosts, $hosts_seen and, with its networks, $attachments of the container
# $name; refuses one whose networks are not its own
attach_change_ask() {
	local json line source target
	json=$(cat "$record/config.json")
	net=${json#*'"NetworkMode":"'} id=${json#*'"Id":"'}
	net=${net%%'"'*} id=${id%%'"'*}
	case $net in
	host) die "'$name' has the network of the host: it can be on no other" ;;
	container:*) die "'$name' has the network of the container ${net#container:}: that one can be on another" ;;
	bridge | none) ;;
	*)
		[ -e "$record/networks" ] ||
			die "'$name' runs in the network namespace '$net', which is not its own: 'scadm connect-bridge --name=$net --bridge=…' plugs that into a network"
		;;
	esac
	while IFS= read -r line; do
		case $line in
		net-*=none) ;;
		net-*=*) die "'$name' has a rate or a priority, which are for the cable of its one network: 'scadm update --net-rate=none --net-prio=none $name' first" ;;
		esac
	done <"$record/limits"
	old_hosts='' hosts_seen=1
	resolve_read
	while read -r source target _; do
		case ${old_hosts:+more},$target in
		,/etc/hosts) old_hosts=$source ;;
		# a volume of the user's, and what that shows is his
		more,/etc/hosts | more,/etc) hosts_seen='' ;;
		esac
	done <"$record/fstab"
	[ "$old_hosts" ] || die "$record/fstab names no /etc/hosts: it is damaged"
	attach_read
}

# attach_change_show LINES - sets $command to the words that have $hosts follow the leases of the networks in LINES
attach_change_show() {
	local one
	command="sc-ipam $database hosts $hosts"
	while read -r one _; do
		command="$command $one"
		! attach_change_ipv6 "$one" || command="$command $one.6"
	done <<-END
		$1
	END
	[ ! "$hosts_own" ] || command="$command --own=$record/hosts.own"
}

# attach_change_own OLD - the lines that the container has of its own, when its first network is another one than in OLD
attach_change_own() {
	local line lines=''
	[ "$hosts_own" ] && [ "${1%% *}" != "${attachments%% *}" ] || return 0
	cmd cp "$record/hosts.own" "$new/hosts.own.new"
	cmd mv "$new/hosts.own.new" "$new/hosts.own"
	if [ "$attachments" ]; then
		resolve_lines
		return 0
	fi
	while IFS= read -r line; do
		# on no network it has no address and no gateway
		case $line in '- '* | 'host-gateway '*) ;; *) lines=$lines${lines:+$nl}$line ;; esac
	done <<-END
		$hosts_own
	END
	put "$record/hosts.own" "$lines"
}

# attach_change_alone - write $hosts for a container that is on no network
attach_change_alone() {
	local line text
	cmd sc-ipam "$database" hosts "$hosts"
	read -r line <"$record/hostname"
	text="127.0.0.1 localhost${nl}::1 localhost ip6-localhost ip6-loopback${nl}127.0.1.1 $line"
	if [ "$hosts_own" ]; then
		while IFS= read -r line; do
			text=$text$nl$line
		done <"$record/hosts.own"
	fi
	put "$hosts" "$text"
}

# attach_change_ipv6 NETWORK - whether it has IPv6; what is known of the other network stays
attach_change_ipv6() {
	local network driver link gateway length gateway6 length6 mtu flags range
	network_read "$1" && [ "$gateway6" ]
}

# attach_change_hosts OLD - have the hosts file $hosts show the networks in $attachments, and no longer those in OLD
# Of one that does not run only the file that no start writes.
attach_change_hosts() {
	local line='' command
	[ "$pid" ] || [ ! "$attachments" ] || return 0
	case $hosts in
	"$record/hosts")
		# one that nobody has mounted yet needs no way back
		if [ "$hosts" = "$old_hosts" ] && [ "$1" ]; then
			attach_change_show "$1"
			line="test ! -e $new/hosts.own || cp $new/hosts.own $record/hosts.own; $command"
		elif [ "$hosts" = "$old_hosts" ]; then
			cmd cp "$hosts" "$new/hosts.new"
			cmd mv "$new/hosts.new" "$new/hosts"
			line="test ! -e $new/hosts.own || cp $new/hosts.own $record/hosts.own; sc-ipam $database hosts $hosts; cp $new/hosts $hosts"
		fi
		;;
	*/hosts) return 0 ;;
	*) attach_hosts_unused "$hosts" ;;
	esac
	[ ! "$line" ] || undo_line "${go:+test -e $go || }{ $line; }"
	attach_change_own "$1"
	if [ "$attachments" ]; then
		note "The names of all its networks are in one file, for all containers that are on the same ones."
		attach_change_show "$attachments"
		# shellcheck disable=SC2086 # paths of settings, which have no blanks, and names
		cmd $command
	else
		attach_change_alone
	fi
}

# attach_change_processes - sets $processes to a line PID START for the container that runs, and each that has its network
attach_change_processes() {
	local others one pid="$pid"
	processes="$pid $start"
	[ "$hosts_seen" ] || processes=''
	set +f
	others=$(grep -lF "\"NetworkMode\":\"container:$short\"" "$SC_ROOT"/containers/*/config.json 2>/dev/null) || others=''
	set -f
	while read -r one; do
		[ "$one" ] && is_running "${one%/config.json}" || continue
		read -r pid one _ <"${one%/config.json}/pid"
		processes="$processes${processes:+$nl}$pid $one"
	done <<-END
		$others
	END
}

# attach_change_bind OLD NEW - sets $line to a command that has $processes see the file NEW instead of OLD; one that has put
# something else there keeps that
attach_change_bind() {
	local process started
	line=''
	[ "$1" != "$2" ] || return 0
	while read -r process started; do
		[ ! "$process" ] || line="$line${line:+; }test ! -d /proc/$process || sc-bind --target=$process --start-time=$started --instead-of=$1 $2 /etc/hosts || :"
	done <<-END
		$processes
	END
}

# attach_change_ports NETWORK - if the published ports go through the network: sets $gone to a command that has them go through the
# first in $attachments that can carry them, or takes them away, and $ports_now_json to what is left of them
attach_change_ports() {
	local target link address address6 published host_ip host_port protocol words='' forget
	gone='' moved='' ports_now_json=''
	publish_found && [ "$target" = "$1" ] || return 0
	publish_read
	if [ "$attachments" ] && (publish_network) 2>/dev/null; then
		publish_network
		attach_change_move "$address" "$address6"
		publish_ports_json
		return 0
	fi
	say "the published ports of '$name' are gone with '$1': it is on no other network that can have them"
	while read -r host_ip host_port protocol _; do
		words="$words $protocol:$host_port:$host_ip"
	done <<-END
		$published
	END
	publish_forget "$address" "$address6"
	gone="scadm-firewall rm SC-$short nat filter; ${forget:+$forget; }scadm-firewall release $short$words; rm -f $record/published"
	published=''
	publish_ports_json
}

# attach_change_move OLD OLD6 - sets $gone to a command that publishes on $target, no longer at these addresses; it needs the files of
# attach_change_moved: $moved, $moved_rules, $moved_rules6 and $moved_udp
attach_change_move() {
	local network driver gateway length gateway6 length6 mtu flags range one device='' mac veth forget transaction='' family rules jumps='' \
		chain="SC-$short" tag="-m comment --comment \"scadm $name\""
	network_read "$target" || die "the network '$target' was removed just now"
	while read -r one device mac address address6 _; do
		[ "$one" != "$target" ] || break
	done <<-END
		$attachments
	END
	publish_six=$gateway6 moved="$target $link $address $address6$nl$published"
	publish_family 4 "$address"
	moved_rules=$transaction moved_rules6='' transaction=''
	[ "$address6" = - ] || publish_family 6 "$address6"
	moved_rules6=$transaction
	attach_veth "$device"
	gone="scadm-firewall rm SC-$short nat filter; test ! -e $new/published || mv -f $new/published $record/published"
	gone="$gone; { iptables-restore -w 10 --noflush <$new/rules"
	[ ! "$moved_rules6" ] || gone="$gone && ip6tables-restore -w 10 --noflush <$new/rules6"
	gone="$gone && ip link set dev $veth type bridge_slave hairpin on; } || echo the published ports are not back yet: scadm network reload $target >&2"
	publish_forget "$1" "$2"
	gone="$gone${forget:+; $forget}"
	publish_forget "$address" "$address6"
	moved_udp=$forget
}

# attach_change_moved - the files for that, and what the end of the container has to do besides
attach_change_moved() {
	[ ! "$moved_udp" ] || undo_later "${moved_udp%%' >'*} " undo_line "$moved_udp"
	put "$new/published" "$moved"
	put "$new/rules" "$moved_rules"
	[ ! "$moved_rules6" ] || put "$new/rules6" "$moved_rules6"
}

# attach_change_files DIRECTORY - make there the files of the record as they are to be: networks, fstab, config.json
attach_change_files() {
	local json line fstab='' done='' ports="json_extract(j, '\$.NetworkSettings.Ports')"
	[ ! "${ports_now_json-}" ] || ports="json('$ports_now_json')"
	[ "$net" != none ] && [ "$attachments" ] || net=none
	[ ! "$attachments" ] || net=${attachments%% *}
	attach_json
	sql_string "{$first_json,\"Networks\":$networks_json}"
	json=$(
		sqlite3 -init /dev/null :memory: <<-END
			WITH record(j) AS (SELECT CAST(readfile('$record/config.json') AS TEXT))
			SELECT json_set(j, '\$.HostConfig.NetworkMode', '$net', '\$.NetworkSettings', json_set(json($sql),
				'\$.SandboxKey', json_extract(j, '\$.NetworkSettings.SandboxKey'), '\$.Ports', $ports))
			FROM record;
		END
	) || die "$record/config.json is damaged: 'scadm rm $name' removes the container"
	while IFS= read -r line; do
		case $done,$line in
		,"$old_hosts /etc/hosts "*) line="$hosts ${line#* }" done=1 ;;
		esac
		fstab=$fstab${fstab:+$nl}$line
	done <"$record/fstab"
	put "$1/networks" "$attachments"
	put "$1/fstab" "$fstab"
	put "$1/config.json" "$json"
}
