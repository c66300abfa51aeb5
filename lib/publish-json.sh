# shellcheck shell=sh
# shellcheck disable=SC2034,SC2154 # what is set here for lib/record.sh; the words of lib.sh and lib/publish.sh
# lib/publish-json.sh - ports in docker's words, from $ports and $published
# A part of lib/publish.sh, which reads it in.

# publish_bindings_json - sets $bindings_json to HostConfig.PortBindings
publish_bindings_json() {
	bindings_json='{}'
	! publish_wanted || publish_json bindings_json "$ports" asked
}

# publish_ports_json - sets $ports_now_json to NetworkSettings.Ports
publish_ports_json() {
	ports_now_json='{}'
	[ ! "$ports" ] || publish_json ports_now_json "$published" now
}

# publish_json VARIABLE LINES KIND - set it to an object with an array for each PORT/PROTOCOL of $ports; null (now), or
# nothing (asked), where LINES bind it to nothing. None of the words has anything that JSON would want escaped.
publish_json() {
	json=$(
		printf '%s\n' "$ports" - "$2" | awk -v kind="$3" -v six="$publish_six" '
			$1 == "-" && NF == 1 { bound = 1; next }
			{ key = "\"" $4 "/" $3 "\"" }
			!bound && !(key in place) && NF == 4 { place[key] = ++count; keys[count] = key }
			bound && NF == 4 && $2 != "-" {
				port = ",\"HostPort\":\"" ($2 == 0 ? "" : $2) "\"}"
				comma = bindings[key] == "" ? "" : ","
				if ($1 != "-") bindings[key] = bindings[key] comma "{\"HostIp\":\"" $1 "\"" port
				else if (kind == "asked") bindings[key] = bindings[key] comma "{\"HostIp\":\"\"" port
				else bindings[key] = bindings[key] comma "{\"HostIp\":\"0.0.0.0\"" port (six == "" ? "" : ",{\"HostIp\":\"::\"" port)
			}
			END {
				for (n = 1; n <= count; n++) {
					key = keys[n]
					if (key in bindings) text = "[" bindings[key] "]"
					else if (kind == "now") text = "null"
					else continue
					printf "%s%s:%s", comma_between, key, text
					comma_between = ","
				}
			}'
	) || die 'awk could not write the ports as JSON'
	case $1 in
	bindings_json) bindings_json="{$json}" ;;
	*) ports_now_json="{$json}" ;;
	esac
}
