# shellcheck shell=sh
# shellcheck disable=SC2034,SC2154 # what is set here for lib/publish.sh; the words of lib.sh and lib/find.sh
# lib/port.sh - which port of the host is whose: containers that published it, and sockets that are bound to it
#
# A port that a container has is a file $SC_RUN/.ports/PROTOCOL:PORT:ADDRESS with the first 12 digits of its id (- is
# every address). It is made with the first change of its start and goes with the last one's undo, so that of two
# who want a port at the same moment one gets it. Of one who died with it, it is no longer true.

# port_meet ADDRESS ADDRESS - whether two sockets with these addresses could not have the same port
port_meet() {
	case $1,$2 in
	-,* | *,-) ;;
	0.0.0.0,*:* | ::,*.* | *:*,0.0.0.0 | *.*,::) return 1 ;;
	0.0.0.0,* | ::,* | *,0.0.0.0 | *,::) ;;
	*) [ "$1" = "$2" ] ;;
	esac
}

# port_reservations - sets $reserved to the ports that containers have: PROTOCOL:PORT:ADDRESS between blanks
port_reservations() {
	local file
	reserved=' '
	set +f
	for file in "$SC_RUN"/.ports/*; do
		set -f
		[ ! -e "$file" ] || reserved="$reserved${file##*/} "
	done
	set -f
}

# port_reserved PROTOCOL PORT ADDRESS [ID] - whether a living container (not ID) has one of $reserved that meets this one;
# sets $holder to its name
port_reserved() {
	local rest="$reserved" address other
	holder=''
	while :; do
		case $rest in *" $1:$2:"*) rest=${rest#*" $1:$2:"} ;; *) return 1 ;; esac
		address=${rest%% *} rest=" ${rest#* }"
		port_meet "$3" "$address" && { read -r other <"$SC_RUN/.ports/$1:$2:$address"; } 2>/dev/null || continue
		[ "$other" != "${4-}" ] && port_holder "$other" || continue
		return 0
	done
}

# port_holder ID - whether the container with these 12 digits runs, or somebody makes it; sets $holder to its name
port_holder() {
	local dir short='' pid='' owner_pid=''
	set +f
	for dir in "$SC_ROOT"/containers/*; do
		set -f
		{ read -r short <"$dir/id"; } 2>/dev/null && [ "$short" = "$1" ] || continue
		holder=${dir##*/}
		is_running "$dir" || find_owner "$holder" || return 1
		return 0
	done
	set -f
	return 1
}

# port_reserve ID PROTOCOL:PORT:ADDRESS... - have all of them, or say who has one
port_reserve() {
	local id="$1" word rest reserved
	shift
	port_reservations
	for word; do
		rest=${word#*:}
		case $word in [!a-z]* | */* | *[!a-z0-9.:-]*) die "'$word' is no PROTOCOL:PORT:ADDRESS" ;; esac
		! port_reserved "${word%%:*}" "${rest%%:*}" "${rest#*:}" "$id" ||
			die "port ${rest%%:*}/${word%%:*} of this host was published by '$holder' just now; choose another, or stop '$holder'"
	done
	[ -e "$SC_RUN/.ports" ] || cmd mkdir -m 0700 "$SC_RUN/.ports"
	for word; do
		put "$SC_RUN/.ports/$word" "$id"
	done
}

# port_release ID PROTOCOL:PORT:ADDRESS... - give back what is still its own
port_release() {
	local id="$1" word other
	shift
	for word; do
		shift
		case $word in */*) die "'$word' is no PROTOCOL:PORT:ADDRESS" ;; esac
		{ read -r other <"$SC_RUN/.ports/$word"; } 2>/dev/null && [ "$other" = "$id" ] || continue
		set -- "$@" "$SC_RUN/.ports/$word"
	done
	[ $# -eq 0 ] || cmd rm -f "$@"
	[ ! -e "$SC_RUN/.ports" ] || try rmdir --ignore-fail-on-non-empty "$SC_RUN/.ports"
}

# port_sockets - sets $sockets to what is bound on this host: lines PROTOCOL PORT HEXADECIMAL-ADDRESS
port_sockets() {
	local file protocol place state port
	sockets=''
	for file in tcp tcp6 udp udp6; do
		[ -e "/proc/net/$file" ] || continue
		protocol=${file%6}
		while read -r _ place _ state _; do
			case $protocol,$state in
			*,st) continue ;;
			# those that listen come first, then all connections of the host
			tcp,0A | udp,*) ;;
			*) break ;;
			esac
			port=$((0x${place##*:}))
			sockets="$sockets$protocol $port ${place%:*}$nl"
		done <"/proc/net/$file"
	done
}

# port_bound PROTOCOL PORT ADDRESS - whether one of $sockets has that; sets $holder to words that say so
port_bound() {
	local rest="$nl$sockets" place
	while :; do
		case $rest in *"$nl$1 $2 "*) rest=${rest#*"$nl$1 $2 "} ;; *) return 1 ;; esac
		place=${rest%%"$nl"*} rest=$nl${rest#*"$nl"}
		port_place "$place"
		port_meet "$3" "$place" || continue
		holder="a socket of this host"
		return 0
	done
}

# port_place HEXADECIMAL - sets $place to the address as text, - for every address
# The kernel prints words of 4 bytes as numbers of this machine: the first byte comes last on all but s390x.
port_place() {
	case $1 in
	# one that takes both families is written like this, and one that takes only IPv6 as well
	00000000000000000000000000000000) place=- ;;
	0000000000000000FFFF0000????????) port_quad "${1#????????????????????????}" ;;
	????????) port_quad "$1" ;;
	*) port_words "$1" ;;
	esac
}

# port_words HEXADECIMAL - the same for 16 bytes
port_words() {
	local rest="$1" digits='' address
	while [ "$rest" ]; do
		set -- "${rest%"${rest#??}"}" "${rest#??}"
		set -- "$1" "${2%"${2#??}"}" "${2#??}"
		set -- "$1" "$2" "${3%"${3#??}"}" "${3#??}"
		digits=$digits${4%"${4#??}"}$3$2$1 rest=${4#??}
	done
	address6_digits "$(printf '%s' "$digits" | sed 's/..../&:/g;s/:$//')" && address6_text "$digits"
	place=$address
}

# port_quad HEXADECIMAL - the same for 4 bytes
port_quad() {
	place=$((0x$1 & 255)).$((0x$1 >> 8 & 255)).$((0x$1 >> 16 & 255)).$((0x$1 >> 24))
}

# port_process PROTOCOL PORT - sets $holder to the process that has the port, as ss(8) tells it
port_process() {
	local line
	line=$(ss -Hlnp "--$1" "sport = :$2" 2>/dev/null) || return 0
	case $line in
	*'users:(("'*)
		line=${line#*'users:(("'}
		holder="process ${line%%\"*} (${line#*pid=}"
		holder="${holder%%,*})"
		;;
	esac
}
