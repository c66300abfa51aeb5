# shellcheck shell=sh
# shellcheck disable=SC2034,SC2154 # what is set here for the verbs; the words of lib.sh, lib/json.sh, lib/mounts.sh and lib/create.sh
# lib/fstab.sh - from what is to be mounted into a container to the lines of its fstab. A part of lib/mounts.sh, which reads it in.

# fstab_word TEXT - sets $word to TEXT as a field of fstab(5)
fstab_word() {
	local rest="$1"
	word=$1
	case $1 in *[" 	\\$nl"]*) word='' ;; *) return 0 ;; esac
	while [ "$rest" ]; do
		case $rest in
		' '*) word=$word'\040' ;;
		'	'*) word=$word'\011' ;;
		"$nl"*) word=$word'\012' ;;
		\\*) word=$word'\134' ;;
		*) word=$word${rest%"${rest#?}"} ;;
		esac
		rest=${rest#?}
	done
}

# fstab_text WORD - sets $text to what a field of fstab(5) says
fstab_text() {
	local rest="$1"
	text=''
	while :; do
		case $rest in *\\*) ;; *) break ;; esac
		text=$text${rest%%\\*} rest=${rest#*\\}
		case $rest in
		040*) text="$text " ;;
		011*) text="$text	" ;;
		012*) text=$text$nl ;;
		134*) text=$text\\ ;;
		esac
		rest=${rest#???}
	done
	text=$text$rest
}

# mounts_ask - sets $mounts_fstab, $mounts_json; adds what --volumes-from and the image ask for. Reads $image_volumes,
# $idmap, $userns. What lies below another mount comes after it.
mounts_ask() {
	local kind source target options flags depth=1 deeper=1 option value
	while IFS= read -r value; do
		option=--volumes-from
		[ ! "$value" ] || mounts_from "$value"
	done <<-END
		$mounts_from
	END
	while IFS= read -r value; do
		option='VOLUME of the image'
		[ "$value" ] || continue
		mounts_target "$value"
		mounts_taken || mounts_anonymous '' ''
	done <<-END
		$image_volumes
	END
	mounts_json=''
	while [ "$deeper" ]; do
		deeper=''
		while read -r kind source target options flags; do
			[ "$kind" ] || continue
			mounts_depth "$target"
			[ "$level" -le "$depth" ] || deeper=1
			[ "$level" -ne "$depth" ] || mounts_line
		done <<-END
			$mounts_asked
		END
		depth=$((depth + 1))
	done
	mounts_json="[${mounts_json#,}]"
}

# mounts_depth PATH - sets $level to the number of names in the path
mounts_depth() {
	local IFS=/
	# shellcheck disable=SC2086 # split on purpose
	set -- $1
	level=$(($# - 1))
}

# mounts_line - add the mount $kind $source $target $options $flags to $mounts_fstab and $mounts_json
mounts_line() {
	local type=rbind writable=true propagation='' mode='' place="$source" volume='' line destination
	[ "$options" != - ] || options=''
	case $options, in *,ro,*) writable=false mode=ro ;; esac
	case $flags in *1*) type='bind' ;; esac
	[ "$kind" != bind ] || mounts_propagation
	[ "$kind" != volume ] || volume=$source place=$SC_ROOT/volumes/$source/data
	if [ "$kind" = tmpfs ]; then
		line="tmpfs $target tmpfs X-mount.mkdir,nosuid,nodev,noexec,mode=1777$options 0 0" place=''
	else
		line="$place $target none $type,X-mount.mkdir,nosuid,nodev$options$idmap 0 0"
	fi
	mounts_fstab=$mounts_fstab${mounts_fstab:+$nl}$line
	fstab_text "$target"
	json_string "$text"
	destination=$json
	fstab_text "$place"
	json_string "$text"
	mounts_json="$mounts_json,{\"Type\":\"$kind\",${volume:+\"Name\":\"$volume\",}\"Source\":$json,\"Destination\":$destination,\
${volume:+\"Driver\":\"local\",}\"Mode\":\"$mode\",\"RW\":$writable,\"Propagation\":\"$propagation\"}"
}

# mounts_propagation - sets $propagation of a bind mount, and refuses what would not be as asked
mounts_propagation() {
	local have
	propagation=rprivate
	case $options, in
	*,shared,* | *,rshared,*) propagation=rshared ;;
	*,slave,* | *,rslave,*) propagation=rslave ;;
	*) return 0 ;;
	esac
	fstab_text "$source"
	# in a user namespace nobody can mount, but what a mistake would let through is the host's
	[ "$propagation,$userns" != rshared,auto ] ||
		die "$text: 'shared' lets a container mount on the host, which goes with --userns=host only; rslave shows it what the host mounts"
	have=$(findmnt -rno PROPAGATION -T "$text") || die "cannot find out on which file system $text is (findmnt -T)"
	case $propagation,$have in
	rshared,*shared* | rslave,*shared* | rslave,*slave*) ;;
	*) die "$text lies on a mount that is $have: nothing would come through; 'mount --make-shared $(findmnt -rno TARGET -T "$text")' first" ;;
	esac
}

# mounts_make - make what the fstab names and is not there: directories, volumes with what the image has at their place
mounts_make() {
	local kind source target options flags text
	while read -r kind source target options flags; do
		fstab_text "$source"
		case $kind,$flags in
		bind,*m*) mounts_directory "$text" ;;
		volume,*)
			fstab_text "$target"
			mounts_fill "$source" "$text" "$flags"
			;;
		esac
	done <<-END
		$mounts_asked
	END
}

# mounts_directory PATH - make a directory of the host, with those above it; what stays empty goes with the container
mounts_directory() {
	[ ! -e "$1" ] || return 0
	case $1 in *"$nl"*) die "there is no directory $1 on this host; make it first" ;; esac
	case ${1%/*} in '') ;; *) mounts_directory "${1%/*}" ;; esac
	undo_if "$1" rmdir --ignore-fail-on-non-empty "$1"
	hint "-v makes a source that is not there, as docker does"
	cmd mkdir "$1"
}

# mounts_fill NAME TARGET FLAGS - make the volume if it is not there; while it is empty, it gets what the image has at TARGET
mounts_fill() {
	local volume="$SC_ROOT/volumes/$1" labels=null copy=1
	case $3 in *n*) copy='' ;; esac
	if [ -d "$volume" ]; then
		volume_is_empty "$volume/data" && [ "$copy" ] || return 0
		volume=$volume/data
	else
		case $3 in *a*)
			labels='{"com.docker.volume.anonymous":""}'
			quote "$record/keep_volumes"
			undo_line "test -e $quoted || scadm-volume-data drop --of=$record $volume"
			;;
		esac
		volume_begin "$1" "$id" "$created" "$labels" null
		volume=$made/data
	fi
	if [ "$copy" ]; then
		note "A volume that is empty begins with what the image has at $2."
		# split on purpose: digests
		# shellcheck disable=SC2086
		cmd scadm-volume-data fill "$volume" "$2" $layers
	fi
	[ "$volume" != "${made-}/data" ] || volume_end "$1"
}

# mounts_check RECORD - refuse to start a container whose fstab names a directory or file of the host that is gone
mounts_check() {
	local source target type options _
	# one that is being made has none yet
	[ -e "$1/fstab" ] || return 0
	while read -r source target type options _; do
		case $type,$options in none,*bind,* | none,bind* | none,rbind*) ;; *) continue ;; esac
		fstab_text "$source"
		[ ! -e "$text" ] || continue
		# the hosts file of a network is there when its first address is taken
		case $text in "$SC_ROOT"/networks/* | "$SC_ROOT"/containers/*/hosts) continue ;; esac
		source=$text
		fstab_text "$target"
		case $source in
		"$SC_ROOT"/volumes/*/data)
			source=${source%/data}
			die "the volume '${source##*/}', which is mounted on $text, is gone: 'scadm volume create ${source##*/}' makes an empty one"
			;;
		*) die "there is no $source any more, which is mounted on $text: put it back, then try again" ;;
		esac
	done <"$1/fstab"
}

# mounts_from NAME[:ro|rw] - note the volumes and directories of another container
mounts_from() {
	local name record short from="${1%%:*}" options='' kind json source row
	case $1 in
	*:ro) options=,ro ;;
	*:rw) ;;
	*:*) mounts_wrong 'write NAME, NAME:ro or NAME:rw' ;;
	esac
	find_container "$from"
	row=$(
		sqlite3 -init /dev/null :memory: <<-END
			SELECT json_extract(value, '\$.Type') || iif(json_extract(value, '\$.RW'), '', ',ro') || ' ' ||
				json_quote(coalesce(json_extract(value, '\$.Name'), json_extract(value, '\$.Source'))) || char(10) ||
				json_quote(json_extract(value, '\$.Destination'))
			FROM json_each(readfile('$record/config.json'), '\$.Mounts') WHERE json_extract(value, '\$.Type') <> 'tmpfs';
		END
	) || die "cannot read the record of '$from'"
	[ "$row" ] || return 0
	while read -r kind json; do
		json_text "$json"
		source=$text
		IFS= read -r json
		json_text "$json"
		mounts_target "$text"
		! mounts_taken || continue
		case $kind in *,ro) mounts_add "${kind%,ro}" "$source" ,ro '' ;; *) mounts_add "$kind" "$source" "$options" '' ;; esac
	done <<-END
		$row
	END
}
