# shellcheck shell=sh
# shellcheck disable=SC2154 # the words of lib.sh, lib/find.sh and the verb: door nl name record short pid
# lib/copy.sh - the root of a container, running or not, for sc-archive: cp and export
#
# A running container is reached through its process: volumes and all are where it sees them. That of one that does
# not run is mounted again by its fstab, in a mount namespace that is sc-archive's own and ends with it.

# copy_find WORD - sets $name $record $short of a container, and $target (empty: it does not run) and $start_time
copy_find() {
	find_container "$1"
	target='' start_time='' bare=''
	[ -s "$record/fstab" ] || die "'$name' is not made yet, or its record is damaged: there is no $record/fstab"
	if ! is_running "$record"; then
		# Held until we end: whoever starts or removes it meanwhile waits. Not by what outlives us.
		# without `command` a shell ends when exec cannot open a file
		{ command exec 9<"$record"; } 2>/dev/null || die "'$name' was removed just now"
		# door: a lock is no change; and a plan is run by one shell
		flock -w 60 9 || die "'$name' is being started, stopped or copied: try again when that is done"
		is_running "$record" || ! find_owner "$name" || die "'$name' is being made or removed by process $owner_pid: try again when that is done"
	fi
	if is_running "$record"; then
		{ read -r target start_time _ <"$record/pid"; } 2>/dev/null || die "'$name' has ended just now"
		exec 9<&-
		return 0
	fi
	disk_find
	userns=$(copy_fact HostConfig.UsernsMode) && read_only=$(copy_fact HostConfig.ReadonlyRootfs) ||
		die "cannot read $record/config.json: is it damaged?"
}

# copy_fact PATH - print a field of the container's record
copy_fact() {
	sqlite3 -init /dev/null :memory: "SELECT json_extract(readfile('$record/config.json'), '\$.$1')"
}

# copy_at PLACE RUNNER ACTION PATH [OPTION]... - RUNNER gets the words of sc-archive for PATH in PLACE: host or container
copy_at() {
	local place="$1" runner="$2" action="$3" at="$4"
	shift 4
	if [ "$place" = host ]; then
		"$runner" sc-archive "$action" "$@" / "$at"
		return
	fi
	[ "$action" != unpack ] || set -- --follow "$@"
	if [ "$target" ]; then
		"$runner" sc-archive "$action" "$@" "--target=$target" "--start-time=$start_time" ${bare:+--bare} "$at"
		return
	fi
	# its files lie on disk with the owners they have inside, and it has 65536 of them
	[ "$userns" != auto ] || set -- "$@" --uid-base=0
	[ "$read_only" != 1 ] || set -- "$@" --read-only
	set -- sc-archive "$action" "$@" "--fstab=$record/fstab" ${bare:+--bare} "$SC_ROOT/merged" "$at"
	if [ "$disk_kind" = loop ] && ! mountpoint -q "$record/disk"; then
		# the mount is seen by no other process, and goes with this one
		# shellcheck disable=SC2016 # words for the other shell
		set -- unshare --mount --propagation private sh -c \
			'mount -t ext4 -o loop,nosuid,nodev,noexec,noatime "$1" "$2" && shift 2 && exec "$@"' sh "$record/disk.ext4" "$record/disk" "$@"
	fi
	"$runner" "$@"
}

# copy_stat PLACE PATH [--follow] - sets $kind (directory file link other missing nowhere) and $real, where PATH leads
copy_stat() {
	local told
	told=$(copy_at "$1" command stat "$2" ${3+"$3"} && echo .) || die "cannot look at $2${name:+ ($1 $name)}"
	kind=${told%%"$nl"*} real=${told#*"$nl"}
	real=${real%.}
}

# copy_split ARG - sets $container (empty: a path of this host) and $path, by docker's rule
copy_split() {
	container='' path=$1
	case $1 in
	/* | .* | -) ;;
	*:*) container=${1%%:*} path=${1#*:} ;;
	esac
	[ "$path" ] || bad_usage "'$1' has no path in it"
	case $container,$path in
	,-) ;;
	,*) absolute "$path" ;;
	*,/*) ;;
	# the root is where relative paths of a container begin
	*) path=/$path ;;
	esac
}

# copy_source - look at the source, $from and $source: sets $source_kind and $base, the name it has in an archive
copy_source() {
	copy_stat "$from" "$source" ${follow:+--follow}
	source_kind=$kind
	case $source_kind in
	missing | nowhere) die "there is no file or directory $source${name:+ on the $from side ($name)}: nothing was copied" ;;
	esac
	base=${source%"${source##*[!/]}"}
	base=${base##*/}
	case $base in
	'' | .) base=. ;;
	..) base=${real##*/} base=${base:-.} ;;
	esac
}

# copy_target - look at the target, $to and $dest: sets $dir, which is there, and $base, the name the source gets in it
copy_target() {
	local slash=''
	case $dest in */ | */.) slash=1 ;; esac
	copy_stat "$to" "$dest" --follow
	case $kind,$source_kind,$slash in
	directory,*)
		dir=$real
		return 0
		;;
	nowhere,*) die "there is no directory for $dest (looked at $real): make it first; nothing was copied" ;;
	missing,directory,* | missing,*,'') ;;
	missing,*) die "there is no directory $dest to copy a file into: make it first, or leave the slash away; nothing was copied" ;;
	other,*) die "$dest is neither a file nor a directory, and is not replaced" ;;
	*,directory,*) die "$dest is a file, and a directory cannot be copied to a file" ;;
	esac
	dir=${real%/*} base=${real##*/}
	dir=${dir:-/}
}

# copy_owners - sets $owners, the options that say whose the copy is; what goes out brings no rights along
copy_owners() {
	owners=''
	[ "$archive" ] || owners=--as=0:0
	[ "$to" = container ] || owners="$owners --no-setuid"
}

# copy_run - the copy itself: one program reads the tree, the other writes it, with a pipe in between
copy_run() {
	local line status=0 broken
	copy_owners
	# shellcheck disable=SC2086 # options without blanks
	set -- $owners
	if [ "$door" != run ]; then
		copy_at "$from" quote pack "$source" ${follow:+--follow} "--name=$base"
		line=$quoted
		copy_at "$to" quote unpack "$dir" "$@"
		step "$line | $quoted" || return 0
	fi
	broken=$({ { copy_at "$from" command pack "$source" ${follow:+--follow} "--name=$base" || echo "$?" >&8; } |
		copy_at "$to" command unpack "$dir" "$@" >&2; } 8>&1) || status=$?
	[ ! "$broken" ] || die "could not read all of $source"
	[ "$status" -eq 0 ] || die "could not write all of $source to $dir"
}

# copy_only PLACE ACTION PATH [OPTION]... - one half of a copy: the other end of the archive is our stdin or stdout
copy_only() {
	local place="$1" action="$2" at="$3"
	shift 3
	if [ "$door" != run ]; then
		copy_at "$place" quote "$action" "$at" "$@"
		step "$quoted" || return 0
	fi
	copy_at "$place" command "$action" "$at" "$@" || die "could not $action $at"
}
