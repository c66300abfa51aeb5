# shellcheck shell=sh
# shellcheck disable=SC2034,SC2154 # what is set here for lib/record.sh and lib/start.sh; the words of lib.sh: option value
# lib/health.sh - the options of run and create for a health check; bin/scadm-health makes the check
#
# In the record it is docker's Config.Healthcheck: {"Test":["CMD-SHELL","…"],"Interval":NS,"Timeout":NS,"StartPeriod":NS,
# "Retries":N}; what is not there is 30 s, 30 s, 0 and 3. ["NONE"] is what --no-healthcheck makes of that of an image.

health_valued=' --health-cmd --health-interval --health-timeout --health-retries --health-start-period '
health_cmd='' health_interval='' health_timeout='' health_retries='' health_start_period='' health_none='' health_json='' health=''

# health_option - take $option with its $value if it is one of the health check; status 1: it is none
health_option() {
	case $option in
	--health-cmd)
		[ "$value" ] || die "$option '': which command? --no-healthcheck is for none"
		health_cmd=$value
		;;
	--health-interval) health_duration "$value" && health_interval=$nanoseconds ;;
	--health-timeout) health_duration "$value" && health_timeout=$nanoseconds ;;
	--health-start-period) health_duration "$value" && health_start_period=$nanoseconds ;;
	--health-retries)
		case $value in '' | *[!0-9]* | 0* | ??????*) die "$option '$value': a number of failures in a row, from 1 on" ;; esac
		health_retries=$value
		;;
	--no-healthcheck) health_none=1 ;;
	*) return 1 ;;
	esac
}

# health_duration TEXT - sets $nanoseconds; TEXT is as docker has it: 30s, 1m30s, 1.5s, 500ms, and 0 for the default
health_duration() {
	local rest="$1" whole part unit
	nanoseconds=0
	[ "$rest" ] || die "$option '': write a duration such as 30s or 1m30s"
	[ "$rest" != 0 ] || rest=''
	while [ "$rest" ]; do
		whole=${rest%%[!0-9]*} rest=${rest#"${rest%%[!0-9]*}"} part=''
		case $rest in
		.*)
			rest=${rest#.}
			part=${rest%%[!0-9]*} rest=${rest#"${rest%%[!0-9]*}"}
			;;
		esac
		unit=${rest%%[!a-z]*} rest=${rest#"${rest%%[!a-z]*}"}
		case $unit in h) unit=3600000000 ;; m) unit=60000000 ;; s) unit=1000000 ;; ms) unit=1000 ;; us) unit=1 ;; *) unit='' ;; esac
		case $unit,$whole$part in ,* | *, | *,??????????*) die "$option '$1': write a duration such as 30s or 1m30s; the units are h, m, s and ms" ;; esac
		# of a fraction three digits count; the shell has no others than whole numbers, and 08 is none of them
		part=${part}000
		part=1${part%"${part#???}"}
		while [ "$whole" != "${whole#0}" ] && [ ${#whole} -gt 1 ]; do whole=${whole#0}; done
		[ "${whole:-0}" -le 100000000 ] && [ "$((${whole:-0} * (unit / 1000 + 1)))" -le 100000000000 ] || die "$option '$1': too long"
		nanoseconds=$((nanoseconds + (${whole:-0} * 1000 + part - 1000) * unit))
	done
	[ "$nanoseconds" = 0 ] || [ "$nanoseconds" -ge 1000000 ] || die "$option '$1': at least 1ms"
}

# health_ask - sets $health_json, and $health (empty: no check), from the options and the $image_health of the image
health_ask() {
	local options="$health_cmd$health_interval$health_timeout$health_retries$health_start_period"
	[ ! "$health_none" ] || [ ! "$options" ] || die '--no-healthcheck and the options of a health check exclude each other'
	health_json=${image_health-} health=''
	if [ "$health_none" ]; then
		health_json='{"Test":["NONE"]}'
	elif [ "$options" ]; then
		if [ "$health_cmd" ]; then
			json_string "$health_cmd"
			health_json="{\"Test\":[\"CMD-SHELL\",$json]}"
		fi
		[ "$health_json" ] || die 'what is to be checked? --health-cmd says it; the image has no health check'
		options=${health_interval:+,\"Interval\":$health_interval}${health_timeout:+,\"Timeout\":$health_timeout}
		options=$options${health_start_period:+,\"StartPeriod\":$health_start_period}${health_retries:+,\"Retries\":$health_retries}
		sql_string "$health_json"
		[ ! "$options" ] || health_json=$(
			sqlite3 -init /dev/null :memory: <<-END
				SELECT json_patch($sql, '{${options#,}}');
			END
		) || die 'cannot put the health check together (sqlite3)'
	fi
	case $health_json in *'"Test":["CMD'*) health=1 ;; esac
}
