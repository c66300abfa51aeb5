# shellcheck shell=sh
# lib/options.sh - the command line, for every verb: --flag value, --flag=value, -e value, -evalue, -itd
# A part of lib.sh, which reads it in.

# usage - print the usage text of this verb: its line 2 and its `#:` lines
usage() {
	local line
	while IFS= read -r line; do
		case $line in
		'#: '*) printf '%s\n' "${line#???}" ;;
		'#:') echo ;;
		'# '*) [ "${seen_summary-}" ] || printf '%s\n\n' "${line#? }" && seen_summary=1 ;;
		esac
	done <"$0"
}

# bad_usage TEXT - a mistake on the command line: nothing was changed
bad_usage() {
	die "$verb: $1; see 'scadm $verb --help'"
}

# need_root - nothing here works for another user: the state is root's alone
need_root() {
	local key uid _
	while read -r key _ uid _; do
		[ "$key" != Uid: ] || break
	done <"/proc/$$/status"
	[ "$uid" = 0 ] || die "$verb needs root: sudo scadm $verb …"
}

# next_option VALUED [WORD]... - takes the next option: sets $option, $value and $used (words to shift away)
# VALUED: the options that take a value, between spaces. status 1: no more options ($used is 1 for a `--`)
next_option() {
	local valued="$1" rest
	shift
	used=1 value=''
	if [ "$bundle" ]; then
		option=-${bundle%"${bundle#?}"} rest=${bundle#?} bundle='' used=0
	else
		case ${1-} in
		--)
			need_root
			return 1
			;;
		--?*=*) option=${1%%=*} rest=${1#*=} ;;
		--?*) option=$1 rest='' ;;
		-?*) rest=${1#-?} option=${1%"$rest"} ;;
		*)
			used=0
			need_root
			return 1
			;;
		esac
	fi
	case $option in -h | --help)
		usage
		exit 0
		;;
	esac
	case $valued in
	*" $option "*)
		value=$rest
		case ${1-} in --*=*) return 0 ;; esac
		value=${rest#=}
		used=1
		[ ! "$rest" ] || return 0
		[ $# -gt 1 ] || bad_usage "$option needs a value"
		value=$2 used=2
		;;
	*)
		case $option in
		--*) [ ! "$rest" ] || bad_usage "$option is no option here, or one without a value" ;;
		*)
			bundle=$rest
			[ "$rest" ] && used=0 || used=1
			;;
		esac
		;;
	esac
}
