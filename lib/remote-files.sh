# shellcheck shell=sh
# shellcheck disable=SC2154 # the words of lib.sh, lib/options.sh, lib/remote.sh and bin/scadm-remote
# lib/remote-files.sh - the words of a verb that is going to another host: those that name a file or a variable of
# this host stay here, and what they stand for is streamed
#
# Set are $source (read here, standard input over there), $output (written here from standard output over there),
# $environment (lines for --env-file), $input (the verb reads) and $want_tty (1: it wants a terminal; both: only if its
# output is one too).

# remote_flags VERB - sets $flags to the options of a verb that take no value, between spaces; status 1: its words need
# no look
remote_flags() {
	case $1 in
	run | create) flags=' -i --interactive -t --tty -d --detach --rm --keep --read-only --privileged --init --no-healthcheck -P --publish-all -q --quiet ' ;;
	exec) flags=' -i --interactive -t --tty -d --detach --privileged ' ;;
	start) flags=' -a --attach -i --interactive ' ;;
	attach) flags=' --no-stdin ' ;;
	login) flags=' --password-stdin ' ;;
	import | save | export | load) flags=' -q --quiet ' ;;
	cp) flags=' -a --archive -L --follow-link -q --quiet ' ;;
	*-prune) flags=' -a --all -f --force --volumes ' ;;
	*) return 1 ;;
	esac
}

# remote_option FLAGS [WORD]... - next_option, for options that take a value unless they are among FLAGS
remote_option() {
	local flags="$1" word
	shift
	if [ "$bundle" ]; then
		word=-${bundle%"${bundle#?}"}
	else
		case ${1-} in
		--*) word=${1%%=*} ;;
		*) word=${1%"${1#??}"} ;;
		esac
	fi
	case $flags in
	*" $word "*) next_option '' "$@" ;;
	*) next_option " $word " "$@" ;;
	esac
}

# remote_words WORD... - read the words of $verb, and send it
remote_words() {
	local left="$#" number=0 ended='' line
	# the words leave at the front, those for the other host are added at the end
	while [ "$left" -gt 0 ] || [ "$bundle" ]; do
		if [ ! "$ended" ] && remote_option "$flags" "$@"; then
			shift "$used"
			left=$((left - used))
			[ "$left" -ge 0 ] || bad_usage "$option needs a value"
			! remote_local || continue
			case $flags,$option in
			*" $option "*,*) set -- "$@" "$option" ;;
			import,--changes) ;;
			*,--*) set -- "$@" "$option=$value" ;;
			*) set -- "$@" "$option" "$value" ;;
			esac
			continue
		fi
		number=$((number + 1))
		case $used,$ended,$verb,$number in
		1,,*) ended=1 number=$((number - 1)) ;;
		*,run,* | *,create,* | *,exec,*) ended=1 ;;
		*,import,1)
			source=$1
			shift
			set -- - "$@"
			;;
		esac
		set -- "$@" "$1"
		shift
		left=$((left - 1))
	done
	send "$verb" "$@"
}

# remote_local - keep $option with $value here, as it names something of this host; status 1: it is for the other host
remote_local() {
	case $verb,$option in
	load,-i | load,--input) source=$value ;;
	save,-o | save,--output | export,-o | export,--output) output=$value ;;
	run,-e | run,--env | create,-e | create,--env | exec,-e | exec,--env)
		case $value in *=*) return 1 ;; esac
		remote_variable "$value"
		;;
	run,--env-file | create,--env-file | exec,--env-file) remote_env_file "$value" ;;
	run,--cidfile | create,--cidfile) die '--cidfile: the file would be on the other host; the id is printed by run -d and by create' ;;
	import,--changes) die '--changes: the file would be on the other host; write its lines as -c CHANGE' ;;
	*)
		case $option in
		-t | --tty) want_tty=1 ;;
		-i | --interactive) input=1 ;;
		-d | --detach) detached=1 ;;
		-f | --force) confirm='' ;;
		--password-stdin) input=1 confirm='' ;;
		-a | --attach) [ "$verb" != start ] || want_tty=both ;;
		--no-stdin) no_stdin=1 ;;
		esac
		return 1
		;;
	esac
}

# remote_variable NAME - add a variable of ours to $environment, if there is one
remote_variable() {
	local text
	case $1 in '' | [0-9]* | *[!a-zA-Z0-9_]*) return 0 ;; esac
	text=$(printenv -- "$1" && echo .) || return 0
	text=${text%"$nl".}
	case $text in *"$nl"*) die "-e $1: its value here has more than one line; write -e $1=\"\$$1\"" ;; esac
	environment="$environment$1=$text$nl"
}

# remote_env_file FILE - add the lines of a file to $environment
remote_env_file() {
	local line
	[ -r "$1" ] && [ ! -d "$1" ] || die "--env-file '$1': not a file that can be read"
	while IFS= read -r line || [ "$line" ]; do
		case $line in
		'#'* | '') ;;
		*=*) environment="$environment$line$nl" ;;
		*) remote_variable "$line" ;;
		esac
	done <"$1"
}

# remote_archive FILE - write what is to be read from there to standard output: a directory as a tar archive
remote_archive() {
	if [ -d "$1" ]; then
		# door: a query, it writes to a pipe
		tar --create --directory="$1" --sort=name --numeric-owner --one-file-system --format=posix \
			--pax-option='exthdr.name=%d/PaxHeaders/%f,delete=atime,delete=ctime' --warning=no-file-ignored \
			--acls --xattrs --xattrs-include='user.*' --xattrs-include=security.capability --file=- .
	else
		cat <"$1"
	fi
}

# remote_terminal - sets $tty when the verb is to have a terminal over there, and descriptor 3 to what it reads
remote_terminal() {
	tty=''
	case $verb in
	attach) [ "$no_stdin" ] || input=1 want_tty=both ;;
	start) [ ! "$want_tty$input" ] || want_tty=both ;;
	login | *-prune) [ ! "$confirm" ] || input=1 want_tty=1 ;;
	load) [ "$source" ] || input=1 ;;
	import) [ "$source" != - ] || input=1 ;;
	esac
	[ ! "$detached" ] || want_tty=''
	[ "$door" != step ] || want_tty=1
	if [ -t 0 ]; then
		case $want_tty in
		1) tty=1 ;;
		both) [ ! -t 1 ] || tty=1 ;;
		esac
	fi
	if [ "$input$tty" ] && [ -e "/proc/$$/fd/0" ]; then
		exec 3<&0
	else
		exec 3</dev/null
	fi
}

# remote_store COMMAND LINE... - keep the lines on the other host; sets $store to the word that says where
remote_store() {
	local command="$1" tty='' status
	shift
	store=$(
		exec 3<<-END
			$(printf '%s\n' "$@")
		END
		remote_ssh "$command"
		exit "$status"
	) || exit
	case $store in
	*[!a-zA-Z0-9_./-]*) die "no answer from $host: it said '$store'" ;;
	/*/.words.*) store=--stored=$store ;;
	*) die "no answer from $host: it said '$store'" ;;
	esac
}

# remote_stream COMMAND - run COMMAND over there between $source and $output; sets $status
remote_stream() {
	if [ "$output" ]; then
		remote_save "$1"
	elif [ ! "$source" ] || [ "$source" = - ]; then
		remote_ssh "$1"
	elif [ -d "$source" ]; then
		status=0
		# a pipeline has one status: what could not be read makes the archive one that no reader takes for whole
		{ remote_archive "$source" || echo broken; } | { exec 3<&0 && remote_ssh "$1" && exit "$status"; } || status=$?
	else
		exec 3<"$source"
		remote_ssh "$1"
	fi
}

# remote_save COMMAND - the same, with $output as the file that is there only when it is whole
remote_save() {
	if [ -e "$output" ] && [ ! -f "$output" ]; then
		# door: /dev/null, a fifo
		remote_ssh "$1" >"$output"
		return 0
	fi
	partial=$(mktemp "$output.XXXXXX") || die "cannot write $output"
	# door: a file of this host, while the plan is one for the other
	trap 'rm -f "$partial"' EXIT
	# door: the same
	remote_ssh "$1" >"$partial"
	# door: the same
	[ "$status" -ne 0 ] || mv -f "$partial" "$output" || die "cannot write $output"
}

# remote_check - refuse files that cannot be streamed
remote_check() {
	local broken
	[ ! "$source$output" ] || [ "$door" != print ] || die "a plan of $verb is one of the other host, where that file is not: ask there"
	case $verb,$source,$output in
	import,-,* | load,,*) [ ! -t 0 ] || die 'stdin is a terminal, no archive' ;;
	save,,'' | export,,'') [ ! -t 1 ] || die "an archive is not for a terminal: $verb -o FILE" ;;
	*) [ -e "$source" ] || [ ! "$source" ] || die "$source: there is no such file or directory" ;;
	esac
	[ ! "$source" ] || [ "$source" = - ] || [ -r "$source" ] || die "$source: cannot be read"
	[ ! -d "$source" ] || {
		broken=$({ { remote_archive "$source" || echo broken >&8; } | cat >/dev/null; } 8>&1)
		[ ! "$broken" ] || die "$source: could not be read to its end"
	}
}
