# shellcheck shell=sh
# shellcheck disable=SC2034,SC2154 # what is set here for the verbs; the words of lib.sh and lib/remote.sh: ssh_host
# lib/context.sh - names for hosts: $XDG_CONFIG_HOME/scadm/contexts/NAME holds one line, the host; `current` holds the
# name of the one that verbs go to. bin/scadm reads both. `default` is this host, and has no file.

# need_root - contexts are the user's own
need_root() {
	:
}

# context_directory - sets $contexts to the directory of contexts, and $directory to where it lies
context_directory() {
	[ "${XDG_CONFIG_HOME:-${HOME-}}" ] || die 'contexts are kept in ~/.config/scadm, and there is no HOME'
	directory=${XDG_CONFIG_HOME:-$HOME/.config}/scadm
	contexts=$directory/contexts
}

# context_host NAME - sets $host to the host of a context, nothing for default; status 1: there is no such context
context_host() {
	host=''
	[ "$1" != default ] || return 0
	valid_name context "$1"
	[ -f "$contexts/$1" ] || return 1
	# a last line without its end is one all the same
	read -r host <"$contexts/$1" || :
	case $host in '' | *[!a-zA-Z0-9_.:/@+%-]*) [ "${host#*[}" != "$host" ] || host='(damaged)' ;; esac
	case $host in *[[:cntrl:]\\\"]*) host='(damaged)' ;; esac
}

# context_known NAME - the same, and leave when there is no such context
context_known() {
	context_host "$1" || die "there is no context '$1'; 'scadm context ls' lists them"
}

# context_current - sets $current to the name of the context that verbs go to
context_current() {
	current=''
	# without that file it is the default
	{ read -r current <"$directory/current"; } 2>/dev/null || :
	current=${current:-default}
}

# context_use NAME - have verbs go to that host
context_use() {
	if [ "$1" = default ]; then
		cmd rm -f "$directory/current"
	else
		put "$directory/current.new" "$1"
		cmd mv -f "$directory/current.new" "$directory/current"
	fi
}
