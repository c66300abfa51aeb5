# shellcheck shell=sh
# shellcheck disable=SC2034,SC2154 # what is set here for the verbs; the words of lib.sh, lib/json.sh and lib/network.sh
# lib/networks.sh - networks by name or id, all of them as a table, who uses one, and how one is removed
#
# Three are always there, as with docker: bridge, which is made when a container first joins it, host and none.

# what these have for an id, for lists, as nothing is made for them: the SHA-256 of their names
networks_bridge_id=17f29b073143d8cd97b5bbe492bdeffec1c5fee55cc1fe2112c8b9335f8b6121
networks_host_id=4740ae6347b0172c01254ff55bae5aff5199f4446e7f6d643d40185b3f475145
networks_none_id=140bedbf9c3f6d56a9846d2ba7088798683f4da0c248231336e6a05679e4fdfe

# networks_id NAME - sets $id; status 1: there is no such network
networks_id() {
	id=''
	{ read -r id <"$SC_ROOT/networks/$1/id"; } 2>/dev/null || case $1 in
	bridge) id=$networks_bridge_id ;;
	host) id=$networks_host_id ;;
	none) id=$networks_none_id ;;
	*) return 1 ;;
	esac
	case $id in *[!0-9a-f]*) return 1 ;; esac
}

# networks_names - sets $names to those of all networks, with a blank between them
networks_names() {
	local file
	names='bridge host none'
	set +f
	for file in "$SC_ROOT"/networks/*/network; do
		set -f
		file=${file%/network}
		file=${file##*/}
		case $file in bridge | *[!a-zA-Z0-9_.-]*) ;; *) names="$names $file" ;; esac
	done
	set -f
}

# networks_find WORD - sets $name and $id of the network with that name, or whose id begins so and no other's; status 1: there is none
networks_find() {
	local names found='' found_id=''
	case $1 in -?*) bad_usage "options stand before the names: '$1' comes too late" ;; esac
	valid_name network "$1"
	name=$1
	case $1 in bridge | host | none) networks_id "$1" && return 0 ;; esac
	if [ -e "$SC_ROOT/networks/$1/network" ]; then
		# a damaged id is no reason to look for another network
		networks_id "$1" || id=''
		return 0
	fi
	case $1 in *[!0-9a-f]*) return 1 ;; esac
	networks_names
	for name in $names; do
		networks_id "$name" || continue
		case $id in
		"$1"*)
			[ ! "$found" ] || die "'$1' is the beginning of more than one id: $found and $name"
			found=$name found_id=$id
			;;
		esac
	done
	name=$found id=$found_id
	[ "$name" ]
}

# networks_known WORD - the same; refuses what is not there
networks_known() {
	networks_find "$1" || die "there is no network '$1'; 'scadm network ls' lists what there is"
}

# networks_table - sets $networks_table to the SQL that makes a table of them: network(name, id, created, j, used), whose j is JSON as
# docker has it, without Containers. What is damaged has the empty values. used: how many containers have it, running or not.
networks_table() {
	local file used names rows=''
	networks_names
	for file in $names; do
		networks_id "$file" || id=''
		rows="$rows${rows:+,}('$file','$id',CAST(readfile('$SC_ROOT/networks/$file/config.json') AS TEXT))"
	done
	set +f
	used=$(grep -hsoE '^[a-zA-Z0-9_.-]+ ' /dev/null "$SC_ROOT"/containers/*/networks) || used=''
	set -f
	networks_table="CREATE TEMP TABLE used(name);
CREATE TEMP TABLE file(name, id, j);
INSERT INTO file VALUES $rows;"
	while read -r file; do
		[ ! "$file" ] || networks_table="$networks_table
INSERT INTO used VALUES ('$file');"
	done <<-END
		$used
	END
	networks_table="$networks_table
UPDATE file SET j = '{}' WHERE NOT coalesce(json_valid(j), 0);
UPDATE file SET j = '{}' WHERE json_type(j) IS NOT 'object';
CREATE TEMP TABLE network AS SELECT name, id, coalesce(json_extract(j, '\$.Created'), '') AS created,
	json_patch(json_object('Name', name, 'Id', id, 'Created', '0001-01-01T00:00:00Z', 'Scope', 'local',
		'Driver', CASE name WHEN 'none' THEN 'null' WHEN 'host' THEN 'host' ELSE 'bridge' END, 'EnableIPv6', json('false'),
		'IPAM', json('{\"Driver\":\"default\",\"Options\":{},\"Config\":[]}'), 'Internal', json('false'), 'Attachable', json('false'), 'Ingress', json('false'),
		'ConfigFrom', json('{\"Network\":\"\"}'), 'ConfigOnly', json('false'), 'Containers', json('{}'), 'Options', json('{}'), 'Labels', json('{}')), j) AS j,
	(SELECT count(*) FROM used WHERE used.name = file.name) AS used FROM file;
UPDATE network SET j = json_set(j, '\$.IPAM.Config', json((SELECT json_group_array(json_patch('{\"Subnet\":\"\",\"IPRange\":\"\",\"Gateway\":\"\"}', value))
	FROM json_each(j, '\$.IPAM.Config')))) WHERE json_type(j, '\$.IPAM.Config') = 'array';"
}

# networks_cables NAME - sets $cables to the namespaces that connect-bridge plugged into the network
networks_cables() {
	local file
	cables=''
	set +f
	for file in "$SC_ROOT/connections/"*":$1"; do
		set -f
		[ -e "$file/undo" ] || continue
		file=${file##*/}
		cables="$cables ${file%%:*}"
	done
	set -f
}

# networks_own NAME - refuse to remove one of the three
networks_own() {
	case $1 in bridge | host | none) die "the network '$1' is always there: it cannot be removed" ;; esac
}

# networks_unused NAME [TEXT] - refuse to remove one that somebody has; TEXT: what else there is to do
networks_unused() {
	local users
	users=$(network_users "$1" | tr '\n' ' ')
	users=${users% }
	[ ! "$users" ] || die "the network '$1' is used by $users: 'scadm network disconnect $1 CONTAINER' or 'scadm rm CONTAINER' first${2-}"
	networks_cables "$1"
	[ ! "$cables" ] || die "the network '$1' is used by the namespace$cables: 'scadm disconnect-bridge --name=${cables##* } --bridge=$1' first"
}

# networks_leases NAME - drop what addresses containers have left behind that are no more, and refuse if somebody has one
networks_leases() {
	! network_idle "$1" || ! network_idle "$1.6" || return 0
	ipam_reclaim "$1"
	ipam_reclaim "$1.6"
	[ "$door" = print ] || { network_idle "$1" && network_idle "$1.6"; } ||
		die "the network '$1' has addresses that somebody holds: 'sc-ipam $database list $1' tells who"
}

# networks_remove NAME ID - remove a network that nobody uses; the caller holds network_lock
networks_remove() {
	local driver=''
	{ read -r driver _ <"$SC_ROOT/networks/$1/network"; } 2>/dev/null || driver=bridge
	networks_leases "$1"
	network_forget "$1"
	event network destroy "$2" "$1" "type=$driver"
}
