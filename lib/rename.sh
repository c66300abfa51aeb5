# shellcheck shell=sh
# shellcheck disable=SC2154 # the words of lib.sh, lib/journal.sh, lib/net.sh and bin/scadm-rename: SC_ROOT SC_RUN database quoted old new short
# lib/rename.sh - every place that has the name of a container: journals, fstab, config.json, links, namespaces, leases

# a line that says the same as the one before goes
once='x;G;/^\(.*\)\n\1$/d;s/^.*\n//'

# rename_words FROM TO - sets $s to the commands of sed that put TO where the name FROM stands in a journal or an fstab
# Only in places where it is the name of this container: it may be a word like `del`, too.
rename_words() {
	local from places end
	from=$(printf '%s\n' "$SC_ROOT $SC_RUN $1" | sed 's/\./\\./g')
	places=${from#* }
	places="${from%% *}/containers/\\|${places%% *}/\\|/run/netns/\\|netns del \\|ip -n \\|:containers:\\|/connections/\\|:connections:"
	places="$places\\|/connections/[a-zA-Z0-9_.-]*:\\|:connections:[a-zA-Z0-9_.-]*:"
	end="\\([ /:,'\"]\\|\$\\)"
	# a name that ends where the next one begins is found the second time
	s=":a;s#\\($places\\)${from##* }$end#\\1$2\\2#;ta"
}

# rename_config FROM TO - sets $s to the same for config.json
rename_config() {
	local from
	from=$(printf '%s\n' "$1" | sed 's/\./\\./g')
	s="1s#^\\({\"Id\":\"[0-9a-f]*\",\"Name\":\"\\)$from\"#\\1$2\"#;s#\\(\"SandboxKey\":\"/run/netns/\\)$from\"#\\1$2\"#"
	s="$s;s#\\(\"LogPath\":\"$SC_ROOT/containers/\\)$from/#\\1$2/#"
}

# rename_link - the name in $SC_RUN
rename_link() {
	undo rm -f "$SC_RUN/$new"
	cmd ln -sfn "$SC_ROOT/containers/$new" "$SC_RUN/$new"
	undo ln -sfn "$SC_ROOT/containers/$old" "$SC_RUN/$old"
	cmd rm -f "$SC_RUN/$old"
}

# rename_network - the network namespace, the name of the address, and what was plugged in by hand
rename_network() {
	local connection other
	[ "$mode" = bridge ] || [ "$mode" = none ] || return 0
	if [ -e "/run/netns/$old" ]; then
		note "A namespace has a name as long as it is mounted on a file: it gets a second one, then loses the first."
		undo_if "/run/netns/$new" ip netns del "$new"
		cmd touch "/run/netns/$new"
		cmd mount --bind "/run/netns/$old" "/run/netns/$new"
		undo_line "test -e /run/netns/$old || { touch /run/netns/$old && mount --bind /run/netns/$new /run/netns/$old; }"
		cmd ip netns del "$old"
	fi
	if [ "$bridge" != - ] && [ "$address" ]; then
		net_database
		rename_lease "$bridge" "$address" "$id" "$short"
	fi
	set +f
	for connection in "$SC_ROOT/connections/$old:"* "$SC_ROOT/connections/"*":$old"; do
		set -f
		[ -e "$connection/undo" ] || continue
		other=${connection##*/}
		case $other in
		"$old:"*)
			other=${other#*:}
			rename_connection "$connection" "$SC_ROOT/connections/$new:$other"
			rename_leases "$other"
			;;
		# the second one of a pair, and not a bridge of that name
		*) [ -e "$SC_ROOT/bridges/$old" ] || rename_connection "$connection" "$SC_ROOT/connections/${other%:*}:$new" ;;
		esac
	done
	set -f
}

# rename_connection FROM TO - the record of a cable
rename_connection() {
	undo_line "test ! -e $2/undo || mv -T $2 $1"
	cmd mv -T "$1" "$2"
	rename_words "$new" "$old"
	quote sed -i -e "$s" "$2/undo"
	undo_line "test ! -e $2/undo || $quoted"
	rename_words "$old" "$new"
	cmd sed -i -e "$s" "$2/undo"
}

# rename_leases BRIDGE - the addresses there that were plugged in by hand
rename_leases() {
	local address owner names
	[ -e "$SC_ROOT/bridges/$1/hosts" ] || return 0
	net_database
	while read -r _ address owner names; do
		[ "$names" != "$old" ] || rename_lease "$1" "$address" "$owner"
	done <<-END
		$(sc-ipam "$database" list "$1")
	END
}

# rename_lease BRIDGE ADDRESS OWNER [NAME] - the new name for the old one; NAME is a second one that stays
rename_lease() {
	local hosts="--hosts=$SC_ROOT/bridges/$1/hosts" bridge="$1" address="$2" owner="$3" short="${4-}" also=''
	net_database
	[ "$old" = "$short" ] || also=$short
	undo sc-ipam "$database" rename "$bridge" "$address" "$owner" "$old" ${also:+"$also"} "$hosts"
	[ "$new" = "$short" ] && also='' || also=$short
	cmd sc-ipam "$database" rename "$bridge" "$address" "$owner" "$new" ${also:+"$also"} "$hosts"
}
