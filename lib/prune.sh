# shellcheck shell=sh
# shellcheck disable=SC2034,SC2154 # what is set here for the verbs; the words of lib.sh, lib/json.sh and lib/filter.sh
# lib/prune.sh - what the verbs that tidy up have in common: the question, the filters, sizes for people

# prune_options KEYS WORD... - read -f, -a and --filter (KEYS are those it knows) into $force, $all and $filters, and --volumes
prune_options() {
	local keys="$1"
	force='' all='' volumes=''
	shift
	while next_option ' --filter ' "$@"; do
		shift "$used"
		case $option in
		-f | --force) force=1 ;;
		-a | --all) all=1 ;;
		--volumes) volumes=1 ;;
		--filter) filter_add "$keys" "$value" ;;
		*) bad_usage "unknown option $option" ;;
		esac
	done
	shift "$used"
	[ $# -eq 0 ] || bad_usage "unexpected '$1'"
}

# prune_confirm TEXT - unless $force: say what is going to happen, and leave if the user does not want that
prune_confirm() {
	local answer=''
	[ ! "$force" ] && [ "$door" != print ] || return 0
	printf 'WARNING! %s\nAre you sure you want to continue? [y/N] ' "$1" >&2
	read -r answer || answer=''
	case $answer in [yY] | [yY][eE][sS]) ;; *) exit 0 ;; esac
}

# prune_where CREATED LABELS - sets $where to the condition in SQL on columns with a time and a JSON object of labels
prune_where() {
	local rest value
	filter_where "label=label:$2"
	filter_values 'label!' || values=''
	rest=$values
	while [ "$rest" ]; do
		value=${rest%%"$nl"*} rest=${rest#*"$nl"}
		sql_string "$value"
		case $value in *=*) value="e.key || '=' || e.value" ;; *) value=e.key ;; esac
		where="$where AND NOT EXISTS (SELECT 1 FROM json_each($2) AS e WHERE $value = $sql)"
	done
	filter_values until || values=''
	rest=$values
	while [ "$rest" ]; do
		prune_time "${rest%%"$nl"*}"
		rest=${rest#*"$nl"}
		where="$where AND strftime('%s', $1) + 0 < $seconds"
	done
}

# prune_time TEXT - sets $seconds, since 1970, to what until=TEXT means: 24h, 1h30m, seconds since 1970, or a date
prune_time() {
	local rest="$1" number back=0
	case $1 in
	'' | *[!0-9hms]*)
		# to date(1) nothing at all is a day, and so is a letter
		seconds=''
		case $1 in ????-*) seconds=$(date -d "$1" +%s 2>/dev/null) || seconds='' ;; esac
		[ "$seconds" ] || die "--filter 'until=$1': write how long ago (24h, 90m, 1h30m), or a date such as 2026-11-22T07:00:00"
		return 0
		;;
	*[hms]) ;;
	*)
		seconds=${1#"${1%%[!0]*}"}
		seconds=${seconds:-0}
		return 0
		;;
	esac
	while [ "$rest" ]; do
		number=${rest%%[hms]*} rest=${rest#"${rest%%[hms]*}"}
		number=${number#"${number%%[!0]*}"}
		[ ${#number} -le 9 ] || die "--filter 'until=$1': that is too long ago"
		case $rest in
		h*) back=$((back + ${number:-0} * 3600)) ;;
		m*) back=$((back + ${number:-0} * 60)) ;;
		s*) back=$((back + ${number:-0})) ;;
		esac
		rest=${rest#?}
	done
	seconds=$(($(date +%s) - back))
}

# prune_usage PATH... - sets $bytes to what these take on disk, without what is mounted below; one that is gone takes nothing
prune_usage() {
	bytes=0
	[ $# -gt 0 ] || return 0
	bytes=$(du -scxB1 -- "$@" 2>/dev/null | sed -n '$s/[^0-9].*//p')
	bytes=${bytes:-0}
}

# prune_size BYTES - sets $size, as docker writes it: four digits and a unit, 1000 of one are the next
prune_size() {
	local whole="$1" part='' unit
	for unit in B kB MB GB TB PB; do
		[ "$whole" -ge 1000 ] || break
		part=$((whole % 1000)) whole=$((whole / 1000))
	done
	if [ "$part" ]; then
		part=$((part + 1000))
		part=${part#1}
		while [ $((${#whole} + ${#part})) -gt 4 ]; do
			part=${part%?}
		done
		while :; do
			case $part in *0) part=${part%0} ;; *) break ;; esac
		done
	fi
	size=$whole${part:+.$part}$unit
}

# prune_report HEADING BYTES WORD... - print what was removed
prune_report() {
	local heading="$1" bytes="$2"
	shift 2
	[ "$door" != print ] || return 0
	[ $# -eq 0 ] || printf '%s\n' "$heading" "$@" ''
	prune_size "$bytes"
	printf 'Total reclaimed space: %s\n' "$size"
}
