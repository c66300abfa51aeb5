# shellcheck shell=sh
# shellcheck disable=SC2154 # the words of lib.sh and lib/options.sh: nl option value used; and $valued of the verb
# lib/environment.sh - -e and --env-file, for run, create and exec

# environment_check WORD - refuse what is no NAME=VALUE and no NAME
environment_check() {
	case $1 in
	'' | =* | [!a-zA-Z_]*) die "$option '$1': write NAME=VALUE" ;;
	esac
}

# environment_of FUNCTION WORD... - call the shell function with the variables, NAME=VALUE, that the options in WORD... mean
environment_of() {
	local receiver="$1" left line text
	shift
	left=$#
	# the words of the command line leave at the front, what they mean for the environment is added at the end
	while next_option "$valued" "$@"; do
		shift "$used"
		left=$((left - used))
		case $option in
		-e | --env)
			case $value in
			*=*) set -- "$@" "$value" ;;
			*) ! text=$(printenv -- "$value" && echo .) || set -- "$@" "$value=${text%"$nl".}" ;;
			esac
			;;
		--env-file)
			while IFS= read -r line || [ "$line" ]; do
				case $line in
				'#'* | '') ;;
				*=*) set -- "$@" "$line" ;;
				*) ! text=$(printenv -- "$line" && echo .) || set -- "$@" "$line=${text%"$nl".}" ;;
				esac
			done <"$value"
			;;
		esac
	done
	shift "$left"
	"$receiver" "$@"
}
