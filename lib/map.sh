# shellcheck shell=sh
# shellcheck disable=SC2154 # the words of lib.sh, lib/journal.sh, lib/find.sh and lib/json.sh
# lib/map.sh - the networks of this host as a neutral list, which lib/map-FORMAT.awk draws
#
# The kernel is asked: one ip(8) for each network namespace, and a fixed number of other processes. Records give names
# only: to bridges (networks), and to namespaces in which containers run. The list is lines of fields between tabs, `-` for
# none; lib/map-list.awk reads it:
#	space   ID KIND NAME NOTE                 KIND host, container, namespace, stale
#	link    ID SPACE NAME KIND NOTE BRIDGE CABLE PARENT NETWORK FAR
#	        BRIDGE it is a port of that link; CABLE the link at its other end; PARENT the link it is made upon;
#	        FAR where the other end is, if it is not on the map
#	address LINK ADDRESS/LENGTH
#	route   LINK DESTINATION GATEWAY WHERE    WHERE outside, peer (a host that is not on the map), inside
#	port    LINK TEXT                         published; LINK is the one that has the address
#	peer    LINK REMOTE BLOCK NOTE            of a vxlan
#	stray   TEXT                              what leads nowhere
# Sources: ip-link(8), ip-address(8), ip-netns(8), bridge(8), iptables-save(8), rtnetlink(7).

# map_row TABLE VALUE... - add a row to $map_rows, the SQL of what the shell knows
map_row() {
	local table="$1" values=''
	shift
	while [ $# -gt 0 ]; do
		sql_string "$1"
		values="$values${values:+,}$sql"
		shift
	done
	map_rows="${map_rows}INSERT OR IGNORE INTO $table VALUES($values);$nl"
}

# map_running - sets $map_processes to `PID CONTAINER` lines of those that run; gives cables the names of their containers
map_running() {
	local dir short pid
	map_processes=$nl
	set +f
	for dir in "$SC_ROOT"/containers/*; do
		set -f
		{ read -r short <"$dir/id"; } 2>/dev/null || continue
		map_row record "$short" "${dir##*/}"
		! is_running "$dir" || map_processes="$map_processes$pid ${dir##*/}$nl"
	done
	set -f
}

# map_spaces - sets $map_spaces to `SPACE FILE` lines, one for each network namespace that has a name or a container
# Two names of one namespace are one space: the inode number is what it is known by. Space 0 is the host.
map_spaces() {
	local pid name file inode device found seen='' space=0 host_device='' kind
	set -- /proc/self/ns/net
	set +f
	for file in /run/netns/*; do
		[ ! -e "$file" ] || set -- "$@" "$file"
	done
	set -f
	while read -r pid name; do
		[ ! "$pid" ] || set -- "$@" "/proc/$pid/ns/net"
	done <<-END
		$map_processes
	END
	# one that ends while it is looked at is not shown
	found=$(stat -L -c '%d %i %n' "$@" 2>/dev/null) || [ "$found" ] || die 'cannot look at the namespaces in /run/netns and /proc'
	map_spaces='' map_inodes=' '
	while read -r device inode file; do
		host_device=${host_device:-$device} name=${file##*/} kind=namespace
		case $file in
		/proc/self/*) name=host kind=host ;;
		/proc/*)
			pid=${file#/proc/} pid=${pid%%/*}
			name=${map_processes#*"$nl$pid "}
			name=${name%%"$nl"*} kind=container
			;;
		esac
		if [ "$device" != "$host_device" ]; then
			map_row stale "$file"
			continue
		fi
		case $map_inodes in
		*" $inode="*)
			seen=${map_inodes#*" $inode="}
			seen=${seen%% *}
			;;
		*)
			seen=$space space=$((space + 1))
			map_inodes="$map_inodes$inode=$seen " map_spaces="$map_spaces$seen $file$nl"
			map_row space "$seen" "$kind" "$name"
			;;
		esac
		case $file in
		/run/netns/*) map_row alias "$name" "$seen" ;;
		/proc/self/*) ;;
		*) map_row inhabitant "$seen" "$name" ;;
		esac
	done <<-END
		$found
	END
}

# map_networks - tell which link is the bridge of which network
map_networks() {
	local dir driver link _
	set +f
	for dir in "$SC_ROOT"/networks/*; do
		set -f
		{ read -r driver link _ <"$dir/network"; } 2>/dev/null || continue
		map_row network "${dir##*/}" "$driver" "$link"
	done
	set -f
}

# map_wanted WORD - add what the word names: a network, the link of a bridge, a container, a namespace
map_wanted() {
	local found='' file='' link inode _
	if networks_find "$1"; then
		found=1
		if { read -r _ link _ <"$SC_ROOT/networks/$name/network"; } 2>/dev/null; then
			[ -e "/sys/class/net/$link" ] || die "the link $link of network '$name' is gone; 'scadm network reload $name' makes it again"
			map_row wanted link "$link"
		elif [ "$name" = host ]; then
			map_row wanted space 0
		else
			die "network '$name' has no link, so there is nothing to draw"
		fi
	elif [ -e "/sys/class/net/$1/bridge" ]; then
		map_row wanted link "$1"
		found=1
	fi
	if is_running "$SC_ROOT/containers/$1"; then
		file=/proc/$pid/ns/net
	elif [ -e "/run/netns/$1" ]; then
		file=/run/netns/$1
	elif [ ! "$found" ]; then
		# its own words say that there is no such container, but not what else was looked for
		(find_container "$1") 2>/dev/null ||
			die "there is no network, container or namespace '$1', or it begins several ids; 'scadm network ls', 'scadm ps -a' and 'ip netns' list them"
		find_container "$1"
		is_running "$record" || die "'$name' does not run, so the kernel has nothing of it to draw; 'scadm start $name' starts it"
		file=/proc/$pid/ns/net
	fi
	[ "$file" ] || return 0
	inode=$(stat -L -c %i "$file") || die "the namespace of '$1' went away just now"
	case $map_inodes in *" $inode="*) ;; *) die "'$1': $file is no network namespace; what it was for is gone" ;; esac
	inode=${map_inodes#*" $inode="}
	map_row wanted space "${inode%% *}"
}

# map_look SPACE FILE QUERY - print what ip says of a namespace; one that ends meanwhile says nothing
map_look() {
	echo "space $1"
	# door: queries only, in the namespace
	sc-nsexec "--net=$2" ip -j -d -force -batch - 2>/dev/null <<-END || :
		$3
	END
}

# map_facts - print all that the kernel says, for lib/map-facts.awk
map_facts() {
	local space file query="address show${nl}route show table all type unicast${nl}neighbour show nud permanent"
	# the host knows its neighbours by number (nsid), and ip their names; the host's file comes first
	query="$query${nl}netns list-id"
	while read -r space file; do
		[ ! "$space" ] || map_look "$space" "$file" "$query"
		query=${query%"${nl}netns list-id"}
	done <<-END
		$map_spaces
	END
	echo 'space 0'
	bridge -j fdb show 2>/dev/null || say 'bridge(8) does not say which peers there are'
	# with -t nat it would load a module where nobody has rules
	iptables-save 2>/dev/null || say 'iptables-save(8) does not say what is published'
	! command -v ip6tables-save >/dev/null || ip6tables-save 2>/dev/null || :
}

# map_unnamed - print the neighbours of namespaces that have other cables than to the host: only they can say whereto
map_unnamed() {
	local space file
	while read -r space file; do
		case $map_asking in *" $space "*) map_look "$space" "$file" 'netns list-id' ;; esac
	done <<-END
		$map_spaces
	END
}

# map_sql FILE - run lib/map-pairs.sql, then lib/FILE.sql, on what is known
map_sql() {
	{
		cat "$SC_LIB/lib/map-tables.sql"
		printf 'BEGIN;\n%s\n%s\n' "$map_rows" "$map_known"
		cat "$SC_LIB/lib/map-pairs.sql" "$SC_LIB/lib/$1.sql"
	} | sqlite3 -init /dev/null -batch -separator '	' :memory:
}

# map_list - print the list
map_list() {
	map_known=$(map_facts | awk -f "$SC_LIB/lib/map-facts.awk")
	map_asking=$(map_sql map-ask) || die 'sqlite3 cannot put together what ip, bridge and iptables-save say'
	case $map_asking in *nothing*) die 'ip(8), run by sc-nsexec, says nothing of the links of this host; is it there, and are the helpers built? "make"' ;; esac
	if [ "$map_asking" ]; then
		# a number on each line
		map_asking=" $(printf '%s' "$map_asking" | tr '\n' ' ') "
		map_known=$map_known$nl$(map_unnamed | awk -f "$SC_LIB/lib/map-facts.awk")
	fi
	map_sql map-list || die 'sqlite3 cannot put together what ip, bridge and iptables-save say'
}

# map_draw FORMAT LIST - sets $drawing to the list as text, dot or mermaid
map_draw() {
	local format="$1" list="$2"
	case $format in
	text) set -- -f "$SC_LIB/lib/map-text.awk" ;;
	*) set -- -f "$SC_LIB/lib/map-graph.awk" -f "$SC_LIB/lib/map-$format.awk" ;;
	esac
	drawing=$(printf '%s\n' "$list" | awk -f "$SC_LIB/lib/map-list.awk" "$@") || die 'cannot run awk, which draws'
}
