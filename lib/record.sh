# shellcheck shell=sh
# shellcheck disable=SC2154 # the words of lib.sh, lib/json.sh and lib/create.sh
# lib/record.sh - config.json, the record of a container: docker's field names, so that docker's habits work

# record_array WORD... - sets $json to a JSON array of strings
record_array() {
	local word all=''
	for word; do
		json_string "$word"
		all=$all${all:+,}$json
	done
	json="[$all]"
}

# record_field NAME TEXT - add a member with a string to $config
record_field() {
	json_string "$2"
	config=$config\"$1\":$json,
}

# record_true NAME TEXT - add a member to $config: true when there is TEXT, else false
record_true() {
	if [ "$2" ]; then config=$config\"$1\":true,; else config=$config\"$1\":false,; fi
}

# record_raw NAME JSON - add a member to $config as it is
record_raw() {
	config=$config\"$1\":$2,
}

# record_end TEXT - end an object, or an array, of $config
record_end() {
	config=${config%,}$1
}

# record_network - sets $settings_json to NetworkSettings: the networks and ports that the container has, or had last
record_network() {
	attach_json
	publish_ports_json
	settings_json="{$first_json,\"Networks\":$networks_json,\"SandboxKey\":\"${netns:+/run/netns/$netns}\",\"Ports\":$ports_now_json}"
}

# record_json - sets $config to the record of the container
record_json() {
	local security=''
	[ ! "$no_new_privs" ] || security='"no-new-privileges"'
	[ "$seccomp" ] || security=$security${security:+,}'"seccomp=unconfined"'
	log_json
	publish_bindings_json
	resolve_json
	config="{\"Id\":\"$id\",\"Name\":\"$name\",\"Created\":\"$created\",\"Path\":$path_json,\"Args\":$args_json,"
	record_field Image "$image"
	# what the image has a word in comes last: of two members with one name the first one counts
	config=$config$nl'"HostConfig":{'
	record_field NetworkMode "$net"
	record_field UsernsMode "$userns"
	[ "$keep" ] && record_true AutoRemove '' || record_true AutoRemove 1
	record_true Privileged "$privileged"
	record_true ReadonlyRootfs "$read_only"
	record_field Capabilities "$caps"
	record_field CgroupParent "$SC_CGROUP"
	record_true Init "$init"
	record_raw RestartPolicy "{\"Name\":\"$restart_policy\",\"MaximumRetryCount\":$restart_maximum}"
	record_raw LogConfig "$log_json"
	record_raw Binds "$binds_json"
	record_raw SecurityOpt "[$security]"
	record_raw PortBindings "$bindings_json"
	record_raw Dns "$dns_json"
	record_raw DnsSearch "$dns_search_json"
	record_raw DnsOptions "$dns_options_json"
	record_raw ExtraHosts "$extra_hosts_json"
	record_network
	record_end "},$nl\"Mounts\":$mounts_json,$nl\"NetworkSettings\":$settings_json,"
	record_field CgroupPath "$cgroup"
	record_field LogPath "$record/container.log"
	config=$config$nl'"Config":{'
	record_field Hostname "$hostname"
	record_field User "$user"
	record_field WorkingDir "${workdir:-/}"
	record_true Tty "$tty"
	record_true OpenStdin "$interactive"
	record_field Image "$image"
	record_raw Env "$env_json"
	record_raw Cmd "$cmd_json"
	record_raw Entrypoint "$entrypoint_json"
	record_raw Labels "$labels_json"
	record_raw ExposedPorts "$ports_json"
	record_field StopSignal "$stop_signal"
	record_raw StopTimeout "${stop_timeout:-null}"
	[ ! "$health_json" ] || record_raw Healthcheck "$health_json"
	record_end '}}'
}
