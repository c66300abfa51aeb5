# shellcheck shell=sh
# shellcheck disable=SC2154 # the words of lib.sh and lib/options.sh: option value, and of run: tty foreground record
# lib/log.sh - the log of a container: the options of run and create, and the times that logs is asked for
#
# The log is written by sc-log(8), or by sc-tty(8) when there is a terminal. There is one format, that of CRI;
# docker's names of drivers that keep a file with a size stand for it too.

log_valued=' --log-driver --log-opt '
log_driver='' log_max_size='' log_max_file=''

# log_option - take $option with its $value if it is one of the log; status 1: it is none
log_option() {
	case $option in
	--log-driver)
		case $value in
		file | json-file | local | k8s-file) log_driver='file' ;;
		none) log_driver=none ;;
		*) die "--log-driver '$value': it is file (or json-file or local, which mean the same here) or none" ;;
		esac
		;;
	--log-opt)
		case $value in
		max-size=*)
			log_bytes "${value#*=}"
			log_max_size=${value#*=}
			;;
		max-file=*)
			log_max_file=${value#*=}
			case $log_max_file in
			'' | 0* | *[!0-9]* | ????*) die "--log-opt '$value': the number of files is from 1 to 999" ;;
			esac
			;;
		*) die "--log-opt '$value': write max-size=SIZE (such as 10m) or max-file=NUMBER" ;;
		esac
		;;
	*) return 1 ;;
	esac
}

# log_ask - refuse options of the log that do not go together
log_ask() {
	[ "$log_driver" != none ] || [ ! "$log_max_size$log_max_file" ] || die '--log-driver=none keeps nothing: --log-opt does not go with it'
	[ ! "$log_max_file" ] || [ "$log_max_size" ] || die '--log-opt max-file needs --log-opt max-size: without it there is only one file'
}

# log_bytes SIZE - sets $bytes to a size such as 512, 10k, 10m, 1g (powers of 1024)
log_bytes() {
	local count="${1%[bBkKmMgG]}" factor=1
	# no more than 15 digits together: what is multiplied still fits
	case $count in
	'' | 0* | *[!0-9]* | ??????????*) die "--log-opt max-size: '$1' is not a size such as 512k, 10m or 1g" ;;
	esac
	case $1 in
	*[kK]) factor=1024 ;;
	*[mM]) factor=1048576 ;;
	*[gG]) factor=1073741824 ;;
	esac
	bytes=$((count * factor))
}

# log_json - sets $log_json to the LogConfig of config.json
log_json() {
	log_json=''
	[ ! "$log_max_size" ] || log_json="\"max-size\":\"$log_max_size\""
	[ ! "$log_max_file" ] || log_json="$log_json,\"max-file\":\"$log_max_file\""
	log_json="{\"Type\":\"${log_driver:-file}\",\"Config\":{$log_json}}"
}

# log_words - sets $log_words to the options of sc-log write, with $tty of sc-tty, that say where the log goes
# From $log_driver $log_max_size $log_max_file; a supervisor stands in the record, who runs in the $foreground does
# not. To be split: none has a blank in it.
log_words() {
	local file=--file= prefix=--
	[ ! "$tty" ] || file=--log= prefix=--log-
	log_words=$file
	# no name: nothing is kept, but somebody reads
	[ "$log_driver" != none ] || return 0
	log_words=$file${foreground:+$record/}container.log
	[ "$log_max_size" ] || return 0
	log_bytes "$log_max_size"
	log_words="$log_words ${prefix}max-size=$bytes${log_max_file:+ ${prefix}max-file=$log_max_file}"
}

# log_time OPTION TEXT - sets $seconds since 1970 from a time of RFC 3339, from how long ago (1h30m), or from such seconds
log_time() {
	local rest="$2" count unit back=0
	case $2 in
	*[!0-9.]*) ;;
	[0-9]*)
		seconds=$2
		return 0
		;;
	esac
	case $2 in
	[0-9][0-9][0-9][0-9]-[0-9]*)
		case $2 in *[!0-9TtZz:.+-]*) rest='' ;; esac
		[ "$rest" ] && seconds=$(date -d "$2" +%s.%N 2>/dev/null) || die "$1 '$2': there is no such time; write it as 2026-11-22T07:00:00Z"
		return 0
		;;
	esac
	while :; do
		count=${rest%%[!0-9]*} unit=${rest#"${rest%%[!0-9]*}"}
		case $count,$unit in
		,* | 0?*,* | ??????????*,*) unit='' ;;
		*,h*) back=$((back + count * 3600)) ;;
		*,m*) back=$((back + count * 60)) ;;
		*,s*) back=$((back + count)) ;;
		*) unit='' ;;
		esac
		[ "$unit" ] || die "$1 '$2': write a time such as 2026-11-22T07:00:00Z, how long ago such as 1h30m, or seconds since 1970"
		rest=${unit#?}
		[ "$rest" ] || break
	done
	seconds=$(date +%s.%N)
	seconds=$((${seconds%.*} - back)).${seconds#*.}
	case $seconds in -*) seconds=0 ;; esac
}

# log_is_none RECORD - whether nothing of what the container writes is kept
log_is_none() {
	local line
	while IFS= read -r line || [ "$line" ]; do
		# in a value these quotes would have backslashes
		case $line in *'"LogConfig":{"Type":"none"'*) return 0 ;; esac
	done <"$1/config.json"
	return 1
}
