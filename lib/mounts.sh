# shellcheck shell=sh
# shellcheck disable=SC2034,SC2154 # what is set here for the verbs; the words of lib.sh, lib/options.sh, lib/container.sh and lib/volume.sh
# lib/mounts.sh - what is mounted into a container: -v, --mount, --tmpfs, --volumes-from, the VOLUMEs of its image
#
# run, create: mounts_option for each option; then, of lib/fstab.sh, mounts_ask when the image is known, mounts_make in the
# record; start: mounts_check
#
# $mounts_asked has a line for each: KIND SOURCE TARGET OPTIONS FLAGS, all as fields of fstab(5). KIND is bind, volume or
# tmpfs, SOURCE of a volume its name; OPTIONS are those of fstab, `-` or with a comma before each. FLAGS are letters:
# m the missing source is made, n nothing is copied from the image, a anonymous volume, 1 without the mounts below it.

. "$SC_LIB/lib/fstab.sh"
. "$SC_LIB/lib/volume.sh"

mounts_valued=' -v --volume --mount --tmpfs --volumes-from '
mounts_asked='' mounts_targets='' mounts_from='' mounts_fstab='' mounts_json='[]' binds_json='[]'

# mounts_option - take $option with its $value; status 1: it is not one of ours
mounts_option() {
	case $option in
	-v | --volume) mounts_volume "$value" ;;
	--mount) mounts_mount "$value" ;;
	--tmpfs) mounts_tmpfs "$value" ;;
	--volumes-from) mounts_from=$mounts_from$value$nl ;;
	*) return 1 ;;
	esac
	return 0
}

# mounts_wrong TEXT - refuse the option
mounts_wrong() {
	die "$option '$value': $1"
}

# mounts_target PATH - sets $target to where in the container that is, without needless slashes
mounts_target() {
	local rest="$1/" part
	target=''
	case $1 in /*) ;; *) mounts_wrong "the path in the container must be absolute, and '$1' is not" ;; esac
	while [ "$rest" ]; do
		part=${rest%%/*} rest=${rest#*/}
		case $part in
		'' | .) ;;
		..) mounts_wrong "the path in the container cannot have '..' in it" ;;
		*) target=$target/$part ;;
		esac
	done
	case $target in '' | /proc | /proc/* | /sys | /sys/* | /dev) mounts_wrong "nothing can be mounted on ${target:-/}" ;; esac
}

# mounts_taken - whether something is to be mounted on $target already; sets $word to it as a field
mounts_taken() {
	fstab_word "$target"
	case "$mounts_targets " in *" $word "*) ;; *) return 1 ;; esac
}

# mounts_add KIND SOURCE OPTIONS FLAGS - note a mount on $target
mounts_add() {
	local source
	fstab_word "$2"
	source=$word
	! mounts_taken || mounts_wrong "there is a mount on $target already"
	mounts_targets="$mounts_targets $word"
	mounts_asked="$mounts_asked$1 $source $word ${3:--} -$4$nl"
}

# mounts_anonymous OPTIONS FLAGS - note a volume without a name of its own
mounts_anonymous() {
	local id
	new_id
	mounts_add volume "$id" "$1" "a$2"
}

# mounts_source PATH - refuse a path of the host that is not there
mounts_source() {
	[ -e "$1" ] || mounts_wrong "there is no $1 on this host; make it first: mkdir -p $1"
}

# mounts_volume [SOURCE:]TARGET[:WORD,...] - note what -v asks for
mounts_volume() {
	local source="${1%%:*}" rest="${1#*:}" words='' options='' flags='' propagation='' path
	case $1 in
	*:*:*:*) mounts_wrong 'that is more than SOURCE:TARGET:OPTIONS; --mount takes paths with colons' ;;
	*:*:*) words=${rest#*:} rest=${rest%%:*} ;;
	*:*) ;;
	*)
		mounts_target "$1"
		mounts_anonymous '' ''
		return 0
		;;
	esac
	words=$words,
	while [ "$words" ]; do
		case ${words%%,*} in
		'' | rw | z | Z | consistent | cached | delegated) ;;
		ro) options=$options,ro ;;
		private | rprivate | shared | rshared | slave | rslave) propagation=,${words%%,*} ;;
		nocopy) flags=n ;;
		*) mounts_wrong "'${words%%,*}' is none of the options: ro rw z Z nocopy private slave shared rprivate rslave rshared" ;;
		esac
		words=${words#*,}
	done
	mounts_target "$rest"
	case $source in
	. | .. | ./* | ../*)
		absolute "$source"
		source=$(readlink -m "$path")
		;;
	esac
	case $source in
	/*)
		[ ! "$flags" ] || mounts_wrong 'nocopy is for volumes'
		# docker's -v makes it, docker's --mount does not
		[ -e "$source" ] || flags=m
		mounts_add bind "$source" "$options$propagation" "$flags"
		;;
	*)
		[ ! "$propagation" ] || mounts_wrong "${propagation#,} is for paths of the host, which begin with /"
		valid_name "$option '$1': the volume" "$source"
		mounts_add volume "$source" "$options" "$flags"
		;;
	esac
	json_string "$1"
	[ "$binds_json" = '[]' ] && binds_json="[$json]" || binds_json="${binds_json%]},$json]"
}

# mounts_field - take the first field off $rest, a line of comma-separated values (RFC 4180); sets $field
mounts_field() {
	case $rest in
	\"*)
		rest=${rest#?} field=''
		while :; do
			case $rest in *\"*) ;; *) mounts_wrong 'a quote has no end' ;; esac
			field=$field${rest%%\"*} rest=${rest#*\"}
			case $rest in
			\"*) field=$field\" rest=${rest#?} ;;
			,* | '') break ;;
			*) mounts_wrong 'behind the quote that ends a field there is a comma' ;;
			esac
		done
		rest=${rest#,}
		;;
	*)
		field=${rest%%,*}
		case $field in *\"*) mounts_wrong "quotes go around the whole of a field: '\"src=/a,b\"'" ;; esac
		case $rest in *,*) rest=${rest#*,} ;; *) rest='' ;; esac
		;;
	esac
}

# mounts_true TEXT - whether the value of a field means yes; a field without value does
mounts_true() {
	case $1 in
	*=1 | *=true | *=True | *=TRUE | *=t | *=T) ;;
	*=0 | *=false | *=False | *=FALSE | *=f | *=F) return 1 ;;
	*=*) mounts_wrong "'$1': write true or false" ;;
	esac
}

# mounts_mount FIELD,... - note what --mount asks for
mounts_mount() {
	local rest="$1" field type=volume source='' to='' options='' flags='' only=''
	while [ "$rest" ]; do
		mounts_field
		case $field in
		type=bind | type=volume | type=tmpfs) type=${field#*=} ;;
		type=*) mounts_wrong "the type is bind, volume or tmpfs, not '${field#*=}'" ;;
		source=* | src=*) source=${field#*=} ;;
		destination=* | dst=* | target=*) to=${field#*=} ;;
		ro | readonly | ro=* | readonly=*) ! mounts_true "$field" || options=$options,ro ;;
		consistency=* | bind-recursive=enabled | bind-recursive=writable | bind-recursive=readonly) ;;
		bind-recursive=disabled) flags=${flags}1 only="$only bind" ;;
		bind-nonrecursive | bind-nonrecursive=*)
			only="$only bind"
			! mounts_true "$field" || flags=${flags}1
			;;
		bind-propagation=private | bind-propagation=rprivate | bind-propagation=shared | bind-propagation=rshared | \
			bind-propagation=slave | bind-propagation=rslave)
			options=$options,${field#*=} only="$only bind"
			;;
		volume-nocopy | volume-nocopy=*)
			only="$only volume"
			! mounts_true "$field" || flags=${flags}n
			;;
		volume-driver=local) only="$only volume" ;;
		tmpfs-size=*) options=$options,size=${field#*=} only="$only tmpfs" ;;
		tmpfs-mode=*) options=$options,mode=${field#*=} only="$only tmpfs" ;;
		*) mounts_wrong "'$field' is not known here" ;;
		esac
	done
	[ "$to" ] || mounts_wrong 'where to? dst=PATH is missing'
	mounts_target "$to"
	for field in $only; do
		[ "$field" = "$type" ] || mounts_wrong "an option of type=$field does not go with type=$type"
	done
	case $type,$source in
	tmpfs,) mounts_tmpfs_options "${options#,}" ;;
	tmpfs,*) mounts_wrong 'type=tmpfs has no source' ;;
	bind,/*)
		mounts_source "$source"
		mounts_add bind "$source" "$options" "$flags"
		;;
	bind,*) mounts_wrong "type=bind wants src=, an absolute path of the host" ;;
	volume,) mounts_anonymous "$options" "$flags" ;;
	*)
		valid_name "$option '$1': the volume" "$source"
		mounts_add volume "$source" "$options" "$flags"
		;;
	esac
}

# mounts_tmpfs TARGET[:WORD,...] - note what --tmpfs asks for
mounts_tmpfs() {
	mounts_target "${1%%:*}"
	case $1 in *:*) mounts_tmpfs_options "${1#*:}" ;; *) mounts_tmpfs_options '' ;; esac
}

# mounts_tmpfs_options WORD,... - note a tmpfs on $target; an option that could be two for sc-clone is refused here
mounts_tmpfs_options() {
	local words="$1," word options=''
	while [ "$words" ]; do
		word=${words%%,*} words=${words#*,}
		case $word in
		'') continue ;;
		ro | rw | suid | nosuid | dev | nodev | exec | noexec | noatime | relatime | strictatime | nodiratime | diratime) ;;
		size=*[!0-9kKmMgG%]* | mode=*[!0-7]* | uid=*[!0-9]* | gid=*[!0-9]* | nr_inodes=*[!0-9kKmM]*) mounts_wrong "'$word' is not a number as it should be" ;;
		size=[0-9]* | mode=[0-7]* | uid=[0-9]* | gid=[0-9]* | nr_inodes=[0-9]*) ;;
		*) mounts_wrong "'$word' is none of the options: ro rw suid nosuid dev nodev exec noexec size= mode= uid= gid= nr_inodes=" ;;
		esac
		options=$options,$word
	done
	mounts_add tmpfs tmpfs "$options" ''
}
