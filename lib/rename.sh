# shellcheck shell=sh
# shellcheck disable=SC2154 # the words of lib.sh, lib/journal.sh, lib/network.sh, lib/attach.sh, lib/publish.sh and bin/scadm-rename
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

# rename_hosts - sets $follow to the words that sc-ipam wants behind the path of a hosts file, if the container has one of its
# own and it is in use, and $own if that has lines of its own
rename_hosts() {
	local line gateway6
	follow='' own=''
	case $state in running | paused) ;; *) return 0 ;; esac
	[ "$attachments" ] && [ -e "$record/hosts" ] || return 0
	[ ! -e "$record/hosts.own" ] || own=1
	while read -r line; do
		line=${line%% *}
		follow=$follow${follow:+ }$line
		{ read -r _ _ _ _ gateway6 _ <"$SC_ROOT/networks/$line/network"; } 2>/dev/null || gateway6=-
		[ "$gateway6" = - ] || follow="$follow $line.6"
	done <<-END
		$attachments
	END
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
	local connection other line
	[ "$own_netns" ] || return 0
	if [ -e "/run/netns/$old" ]; then
		note "A namespace has a name as long as it is mounted on a file: it gets a second one, then loses the first."
		undo_if "/run/netns/$new" ip netns del "$new"
		cmd touch "/run/netns/$new"
		cmd mount --bind "/run/netns/$old" "/run/netns/$new"
		undo_line "test -e /run/netns/$old || { touch /run/netns/$old && mount --bind /run/netns/$new /run/netns/$old; }"
		cmd ip netns del "$old"
	fi
	while read -r line; do
		[ ! "$line" ] || rename_leases "${line%% *}"
		[ ! "$line" ] || rename_leases "${line%% *}.6"
	done <<-END
		$attachments
	END
	publish_rename
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
		*) [ -e "$SC_ROOT/networks/$old" ] || rename_connection "$connection" "$SC_ROOT/connections/${other%:*}:$new" ;;
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

# rename_leases POOL - give the leases there that are the container's, or were plugged in by hand, the new name for the old one
rename_leases() {
	local address owner names
	while read -r _ address owner names; do
		case $owner,$names in "$id",* | *,"$old") rename_lease "$1" "$address" "$owner" "$names" ;; esac
	done <<-END
		$(sc-ipam "$database" list "$1" 2>/dev/null)
	END
}

# rename_lease POOL ADDRESS OWNER NAMES - the new name comes first, then the id and the aliases it has
rename_lease() {
	local pool="$1" address="$2" owner="$3" names="$4" rest name
	rest=$names
	set -- "$new"
	[ "$owner" != "$id" ] || [ "$new" = "$short" ] || set -- "$@" "$short"
	while [ "$rest" ]; do
		name=${rest%% *}
		case $rest in *' '*) rest=${rest#* } ;; *) rest='' ;; esac
		case $name in "$old" | "$short" | "$new") ;; *) set -- "$@" "$name" ;; esac
	done
	# shellcheck disable=SC2086 # words that sc-ipam made of names
	undo sc-ipam "$database" rename "$pool" "$address" "$owner" $names
	cmd sc-ipam "$database" rename "$pool" "$address" "$owner" "$@"
}
