# shellcheck shell=sh
# shellcheck disable=SC2034,SC2154 # what is set here for lib/copy.sh; the words of lib.sh, lib/copy.sh, lib/remote.sh and bin/scadm-remote
# lib/remote-copy.sh - cp with a container of another host: what lib/copy.sh decides is decided here, and what it does
# in a container is done there, by `scadm remote --copy`

# remote_copy_here - have lib/copy.sh reach containers on the other host
remote_copy_here() {
	# copy_at PLACE RUNNER ACTION PATH [OPTION]... - as in lib/copy.sh
	copy_at() {
		local place="$1" command words status tty=''
		shift 2
		if [ "$place" = host ]; then
			remote_copy_local "$@"
			return
		fi
		case $1 in
		unpack) exec 3<&0 ;;
		*) exec 3</dev/null ;;
		esac
		remote_encode remote --copy "$name" "$@"
		remote_command
		remote_ssh "$command --receive '$encoded'"
		return "$status"
	}
}

# remote_copy_local ACTION PATH [OPTION]... - sc-archive on this host; it needs a root of its own, and who is not root
# gets one in a user namespace
remote_copy_local() {
	local action="$1" at="$2" uid key _
	shift 2
	while read -r key _ uid _; do
		[ "$key" != Uid: ] || break
	done </proc/self/status
	if [ "$uid" = 0 ]; then
		sc-archive "$action" "$@" / "$at"
	else
		unshare --user --map-root-user sc-archive "$action" "$@" / "$at"
	fi
}

# remote_copy WORD... - the words of cp; leaves when it is done
remote_copy() {
	[ "$door" != print ] || die 'a plan of cp is one of the other host, where the files of this one are not: ask there'
	archive='' follow=''
	while next_option ' ' "$@"; do
		shift "$used"
		case $option in
		-a | --archive) archive=1 ;;
		-L | --follow-link) follow=1 ;;
		-q | --quiet) ;;
		*) bad_usage "unknown option $option" ;;
		esac
	done
	shift "$used"
	[ $# -eq 2 ] || bad_usage 'give a source and a destination, one of them NAME:PATH'
	copy_split "$1"
	source=$path name=$container from=${container:+container}
	copy_split "$2"
	dest=$path to=${container:+container}
	[ "$from$to" = container ] || bad_usage 'one of the two is a path of this host, the other one in a container: NAME:PATH'
	name=$name$container from=${from:-host} to=${to:-host}
	remote_copy_here
	if [ "$dest" = - ]; then
		[ ! -t 1 ] || die 'standard output is a terminal: send the archive to a file, or to tar -t'
		copy_source
		copy_at container command pack "$source" ${follow:+--follow} "--name=$base" || die "could not read all of $source"
	elif [ "$source" = - ]; then
		[ ! -t 0 ] || die 'standard input is a terminal, no archive'
		copy_stat container "$dest" --follow
		[ "$kind" = directory ] || die "$dest is no directory in '$name': an archive needs one that is there"
		copy_owners
		# shellcheck disable=SC2086 # options without blanks
		copy_at container command unpack "$real" $owners || die "could not write all of the archive to $dest"
	else
		copy_source
		copy_target
		copy_run
	fi
	exit 0
}
