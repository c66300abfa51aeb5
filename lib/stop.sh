# shellcheck shell=sh
# shellcheck disable=SC2034,SC2154 # what is set here for the verbs; the words of lib.sh, lib/options.sh and lib/find.sh
# lib/stop.sh - the end of a container, as a person asks for it: for stop, restart and rm

# stop_options WORD... - the options of stop and restart: sets $seconds and $signal (empty: as the record says) and $operands,
# the number of words after them
stop_options() {
	seconds='' signal=''
	while next_option ' -t --time --timeout -s --signal ' "$@"; do
		shift "$used"
		case $option in
		-t | --time | --timeout)
			case $value in '' | *[!0-9]* | ??????*) bad_usage "$option '$value': a number of seconds" ;; esac
			seconds=$value
			;;
		-s | --signal)
			sc-signal --number "$value" >/dev/null || exit 125
			signal=$value
			;;
		*) bad_usage "unknown option $option" ;;
		esac
	done
	shift "$used"
	operands=$#
	[ $# -gt 0 ] || bad_usage 'which container?'
}

# stop_supervisor - wait at most ten seconds until the container runs or nobody answers for it any longer: its supervisor
# may wait before the next start, which it leaves at once when the record says `stopped`, or be about to start it
stop_supervisor() {
	local waited=0
	[ "$door" != print ] || return 0
	while [ "$waited" -lt 200 ] && ! is_running "$record" && find_owner "$name"; do
		sleep 0.05
		waited=$((waited + 1))
	done
}

# stop_released - wait until all that the container had is released
stop_released() {
	local waited=0
	[ "$door" != print ] && [ -e "$record" ] || return 0
	# door: to wait is no change
	flock -s -w 30 "$record/." true || [ ! -e "$record" ] || die "'$name' has ended, but its supervisor does not get on: look at $record/supervise.log"
	# a run in the foreground has no lock
	while [ "$waited" -lt 200 ] && find_owner "$name"; do
		sleep 0.05
		waited=$((waited + 1))
	done
}

# stop_container SECONDS [SIGNAL] - end the container with $name $record $short: its stop signal, and KILL when it lives on
stop_container() {
	local seconds="$1" signal="${2-}" start status=0
	if [ -e "$record/restart" ]; then
		note "Who wants it stopped says so first: no restart policy starts it again."
		cmd touch "$record/stopped"
	fi
	stop_supervisor
	# one with --rm may end this moment, and its record goes
	if is_running "$record" && { read -r pid start _ <"$record/pid"; } 2>/dev/null; then
		stop_settings
		signal=${signal:-$stop_signal} seconds=${seconds:-$stop_timeout}
		note "Its first process is told to end; a pause would keep that from it."
		try sc-signal "--start-time=$start" "$signal" "$pid" || status=$?
		[ "$status" -le 1 ] || failed "$status" sc-signal "$signal" "$pid"
		# where it has ended by itself just now, its cgroup is gone too
		try sc-cg thaw "$SC_CGROUP/$short" || ! is_running "$record" || failed 125 sc-cg thaw "$SC_CGROUP/$short"
		note "sc-clone has the pid file locked until it has ended; who does not end in $seconds seconds is killed."
		# shellcheck disable=SC2016 # for the sh of the plan
		cmd sh -c 'flock -s -w "$1" "$2" true || sc-cg kill "$3"' sh "$seconds" "$record/pid" "$SC_CGROUP/$short"
	fi
	stop_released
	event container stop "$short" "$name"
}

# stop_settings - sets $stop_signal and $stop_timeout from the record
stop_settings() {
	read -r stop_signal stop_timeout <<-END || die "cannot read $record/config.json"
		$(sqlite3 -init /dev/null -separator ' ' :memory: "
			SELECT coalesce(nullif(json_extract(j, '\$.Config.StopSignal'), ''), 'TERM'), coalesce(json_extract(j, '\$.Config.StopTimeout'), 10)
			FROM (SELECT CAST(readfile('$record/config.json') AS TEXT) AS j);" 2>/dev/null)
	END
	case $stop_timeout in '' | *[!0-9]*) stop_timeout=10 ;; esac
	sc-signal --number -- "$stop_signal" >/dev/null 2>&1 || stop_signal=TERM
}
