# shellcheck shell=sh
# shellcheck disable=SC2154 # the words of lib.sh, lib/options.sh and bin/scadm-remote: nl option value used bundle verb door
# lib/remote.sh - a verb on another host: where it is, the words on their way through ssh, and ssh itself
#
# Words travel as one text that every shell reads the same between single quotes (sh, csh, fish, whatever the login
# shell is), and that printf(1) makes bytes again: \ooo stands for a byte that could mean something, \000 ends a word.

# how long that text may be in a command line: the kernel allows a word 128 KiB, and ssh makes one of all
remote_line=100000

# remote_host URL - sets $ssh_user $ssh_host $ssh_port; refuses what ssh, or a shell, could take for something else
remote_host() {
	local rest
	ssh_user='' ssh_port=''
	case $1 in
	ssh://?*) rest=${1#ssh://} ;;
	*) die "the host '$1': write ssh://[USER@]HOST[:PORT]; no other way leads to a host" ;;
	esac
	rest=${rest%/}
	case $rest in *@*) ssh_user=${rest%%@*} rest=${rest#*@} ;; esac
	case $rest in
	'['*']':*) ssh_host=${rest%%]*} ssh_port=${rest##*]:} ;;
	'['*']') ssh_host=${rest%]} ;;
	*:*) ssh_host=${rest%%:*} ssh_port=${rest#*:} ;;
	*) ssh_host=$rest ;;
	esac
	case $ssh_host in
	'['*)
		ssh_host=${ssh_host#'['}
		case $ssh_host in '' | *[!0-9a-fA-F:.]*) die "the host '$1': between [ and ] stands an IPv6 address" ;; esac
		;;
	'' | [!a-zA-Z0-9]* | *[!a-zA-Z0-9_.-]*) die "the host '$1': a host is letters, digits, '_', '.' and '-', and starts with a letter or digit" ;;
	esac
	case ${1#ssh://},$ssh_user in
	@*,*) die "the host '$1': there is no user before the @" ;;
	*,[!a-zA-Z0-9_]* | *,*[!a-zA-Z0-9_.+-]*) die "the host '$1': a user is letters, digits, '_', '.', '+' and '-', and starts with a letter or digit" ;;
	esac
	case $rest,$ssh_port in
	*:,* | *,*[!0-9]* | *,0* | *,??????*) die "the host '$1': a port is a number from 1 to 65535" ;;
	esac
	[ "${ssh_port:-1}" -le 65535 ] || die "the host '$1': a port is a number from 1 to 65535"
}

# remote_encode WORD... - sets $encoded to the words as they travel
remote_encode() {
	encoded=$(printf '%s\0' "$@" | od -An -v -to1 | awk '
		BEGIN {
			for (i = 33; i < 127; i++) {
				c = sprintf("%c", i)
				if (c ~ /[a-zA-Z0-9_.\/:=,+@-]/) plain[sprintf("%03o", i)] = c
			}
		}
		# a first byte that is a - would make an option of the text
		{
			for (i = 1; i <= NF; i++) {
				if (begun && ($i in plain)) printf "%s", plain[$i]
				else printf "\\%s", $i
				begun = 1
			}
		}')
}

# remote_command - sets $command to what the login shell over there is to run, up to the encoded words
# Of all that a shell can write it has only what csh and fish read in the same way: no !, no \, no line feed.
remote_command() {
	local word words=''
	# shellcheck disable=SC2086 # split on purpose: it may be `doas /opt/scadm/bin/scadm`
	for word in ${SCADM_REMOTE_COMMAND:-scadm}; do
		case $word in *[!a-zA-Z0-9_./:=,+@-]*) die "SCADM_REMOTE_COMMAND '$SCADM_REMOTE_COMMAND': a command is words of letters, digits and '_./:=,+@-'" ;; esac
		words="$words $word"
	done
	command="exec /bin/sh -c '"
	command="${command}PATH=\$PATH:/usr/local/sbin:/usr/local/bin:/usr/sbin:/sbin; "
	command="${command}command -v \"\$1\" >/dev/null || { echo \"scadm: there is no \$1 on the other host; install it there, or name it in SCADM_REMOTE_COMMAND\" >&2; exit 125; }; "
	command="${command}[ \"\$(id -u)\" = 0 ] || set -- sudo -n \"\$@\"; "
	command="${command}exec \"\$@\"' sh$words remote"
}

# remote_ssh COMMAND - run COMMAND on the other host, with our descriptor 3 as its standard input; sets $status
# What ssh says goes to a log that has no name any more: 255 can be its own status as well as that of the verb, and
# only the log tells which. A connection of its own: that it ends is how the other side notices that we did.
remote_ssh() {
	local log self terminal=-T pid='' interrupted=''
	[ ! "$tty" ] || terminal=-tt
	log=$(mktemp "${TMPDIR:-/tmp}/scadm.XXXXXX") || die "cannot make a temporary file in ${TMPDIR:-/tmp}"
	# door: a file of our own
	exec 9<>"$log"
	# door: the same
	rm -f "$log"
	# $$ is another one in a subshell
	read -r self _ </proc/self/stat
	trap 'remote_interrupt 2' INT
	trap 'remote_interrupt 15' TERM
	trap 'remote_interrupt 1' HUP
	trap 'remote_interrupt 3' QUIT
	# in the background, so that a signal meant for this shell alone is seen at once
	# shellcheck disable=SC2086 # SCADM_SSH_OPTIONS is split on purpose
	setpriv --pdeathsig TERM ssh -a -x -e none -S none -o ControlMaster=no -o ClearAllForwardings=yes -o RemoteCommand=none \
		-o PermitLocalCommand=no -o LogLevel=DEBUG1 -E "/proc/$self/fd/9" ${SCADM_SSH_OPTIONS-} \
		"$terminal" ${ssh_user:+-l "$ssh_user"} ${ssh_port:+-p "$ssh_port"} -- "$ssh_host" "$1" <&3 &
	pid=$!
	[ ! "$interrupted" ] || remote_interrupt "$interrupted"
	status=0
	wait "$pid" || status=$?
	if [ "$interrupted" ]; then
		# its status is that of our own signal
		wait "$pid" || :
		exit $((128 + interrupted))
	fi
	trap - INT TERM HUP QUIT
	[ "$status" -ne 255 ] || remote_failure
}

# remote_interrupt SIGNAL - ssh is to end, and with it the verb on the other host; reads $pid of remote_ssh
remote_interrupt() {
	interrupted=$1
	# door: a process of our own, which may have ended by itself
	[ ! "$pid" ] || kill "$pid" 2>/dev/null || :
}

# remote_failure - leave, unless ssh has got an exit status from the other side
remote_failure() {
	local line reason='' cr
	cr=$(printf '\r')
	while IFS= read -r line; do
		case $line in
		*'rtype exit-status '*) return 0 ;;
		debug1:* | OpenSSH_* | Authenticated\ * | Transferred:* | 'Bytes per second'* | '') ;;
		*) reason="$reason$nl  ${line%"$cr"}" ;;
		esac
	done <&9
	quote ssh ${ssh_user:+-l "$ssh_user"} ${ssh_port:+-p "$ssh_port"} "$ssh_host" true
	die "no answer from $host: ssh failed$reason$nl  does '$quoted' work?"
}
