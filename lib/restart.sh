# shellcheck shell=sh
# shellcheck disable=SC2034,SC2154 # what is set here for the verbs; the words of lib.sh and lib/options.sh
# lib/restart.sh - what happens when a container has ended: --restart
#
# $record/restart is POLICY MAXIMUM (not there: no); $record/restarts is COUNT DELAY, the times it was started again
# in a row and the tenths of a second that were waited for before the last one; $record/stopped is there while a
# person wants it stopped.

restart_valued=' --restart '
restart_policy=no restart_maximum=0

# restart_option - take $option with its $value if it is --restart; status 1: it is not
restart_option() {
	[ "$option" = --restart ] || return 1
	case $value in
	no | always | unless-stopped | on-failure) restart_policy=$value restart_maximum=0 ;;
	on-failure:[1-9] | on-failure:[1-9][0-9] | on-failure:[1-9][0-9][0-9] | on-failure:[1-9][0-9][0-9][0-9])
		restart_policy=on-failure restart_maximum=${value#*:}
		;;
	*) die "--restart '$value': no, always, unless-stopped or on-failure[:NUMBER]" ;;
	esac
}

# restart_check - refuse --restart where nobody would do it
restart_check() {
	[ "$restart_policy" != no ] || return 0
	[ ! "$remove" ] || die '--restart and --rm exclude each other: a container that is removed cannot start again'
	[ "$detach" ] || die '--restart is done by the supervisor of a container in the background: it goes with run -d, or with create'
}

# restart_due RECORD STATUS - whether the container that ended with STATUS starts again; sets $count and $delay (tenths of a second)
restart_due() {
	local policy='' maximum
	count=0 delay=0
	[ ! -e "$1/stopped" ] || return 1
	{ read -r policy maximum <"$1/restart"; } 2>/dev/null || return 1
	{ read -r count delay <"$1/restarts"; } 2>/dev/null || count=0 delay=0
	case $policy in
	always | unless-stopped) ;;
	on-failure) [ "$2" -ne 0 ] && { [ "$maximum" -eq 0 ] || [ "$count" -lt "$maximum" ]; } || return 1 ;;
	*) return 1 ;;
	esac
}

# restart_wanted RECORD - whether it has a policy still, and no person wants it stopped
restart_wanted() {
	[ -e "$1/restart" ] && [ ! -e "$1/stopped" ]
}

# restart_wait RECORD RAN - wait before the next start, after a run of RAN seconds; status 1: it is no longer wanted
# docker's times: a tenth of a second, doubled each time up to a minute; after a run of ten seconds from the beginning.
restart_wait() {
	local left
	[ "$2" -lt 10 ] || delay=0
	delay=$((delay * 2))
	[ "$delay" -gt 0 ] || delay=1
	[ "$delay" -le 600 ] || delay=600
	count=$((count + 1))
	# whoever reads it meanwhile sees the old one or the new one
	put "$1/restarts.new" "$count $delay"
	cmd mv "$1/restarts.new" "$1/restarts"
	# Who stops or removes the container says so in the record. No signal would do: a shell that was started while one
	# was ignored, as each supervisor after the first restart, can never hear of it.
	left=$delay
	while [ "$left" -gt 0 ] && restart_wanted "$1"; do
		if [ "$left" -ge 5 ]; then sleep 0.5; else sleep "0.$left"; fi 9<&-
		left=$((left - 5))
	done
	restart_wanted "$1"
}
