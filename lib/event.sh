# shellcheck shell=sh
# shellcheck disable=SC2154 # the words of lib.sh: door
# lib/event.sh - what happened to containers, images, volumes and networks since the boot, for `scadm events`
#
# $SC_RUN/.events.log has a line for each: UPTIME TYPE ACTION ID NAME [KEY=VALUE]..., between tabs. UPTIME is that
# of the kernel, in seconds and hundredths: reading it takes no process, and a clock that is set changes no order.
# Beyond 1 MB the file becomes .events.log.1, and the one that was that goes.

# event_id NAME SHORT - sets $id to all digits of the id of a container, of which the verbs know the first
event_id() {
	local line
	id=$2
	{ read -r line <"$SC_ROOT/containers/$1/config.json"; } 2>/dev/null || return 0
	line=${line#*'"Id":"'}
	line=${line%%'"'*}
	case $line in "$2"*) id=$line ;; esac
}

# event TYPE ACTION ID NAME [KEY=VALUE]... - note what was done; it is no change itself, so a plan does not show it
event() {
	local uptime line word id="$3" place=0
	[ "$door" != print ] || return 0
	case $1,$3 in container,????????????) event_id "$4" "$3" ;; esac
	read -r uptime line </proc/uptime
	line=$uptime
	for word; do
		place=$((place + 1))
		[ "$place" -ne 3 ] || word=$id
		case $word in *[[:cntrl:]]*) word=$(printf '%s' "$word" | tr '\000-\037\177' '?') ;; esac
		line="$line	$word"
	done
	umask 077
	# door: a note of a change is none; and a full disk does not undo what was done
	{ printf '%s\n' "$line" >>"$SC_RUN/.events.log"; } 2>/dev/null || say "could not note the event in $SC_RUN/.events.log"
	umask 022
	# few look at the size, as that takes a process: of run one in 256, by the id, and of other verbs one in a hundred
	case $2,$3,$uptime in
	start,* | die,* | create,*[!0],* | create,*[!0]?,*) ;;
	create,* | *00) event_rotate ;;
	esac
}

# event_networks connect|disconnect RECORD SHORT NAME - note it for each network that a container is on
event_networks() {
	local network type network_id id
	[ "$door" != print ] && [ -e "$2/networks" ] || return 0
	event_id "$4" "$3"
	# of a network that was removed meanwhile nothing is known, and the record of one with --rm may go, too
	{
		while read -r network type; do
			{ read -r network_id <"$SC_ROOT/networks/$network/id" && read -r type _ <"$SC_ROOT/networks/$network/network"; } 2>/dev/null || continue
			event network "$1" "$network_id" "$network" "container=$id" "type=$type"
		done <"$2/networks"
	} 2>/dev/null || return 0
}

# event_rotate - begin a new file if this one is long; who writes to it meanwhile has it open and loses nothing
event_rotate() {
	# door: as above; the lock has find look again when somebody was faster
	flock "$SC_RUN" find "$SC_RUN/.events.log" -size +1000k -exec mv -f '{}' '{}.1' ';' 2>/dev/null || return 0
}
