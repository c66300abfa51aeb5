# shellcheck shell=sh
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

# record_true TEXT - sets $json to true when there is TEXT, else to false
record_true() {
	[ "$1" ] && json=true || json=false
}

# record_json WORD... - sets $config to the record of the container that runs WORD...
record_json() {
	local path args command image_json network user_json workdir_json netns_path
	local tty_json stdin_json privileged_json read_only_json remove_json
	json_string "$1"
	path=$json
	record_array "$@"
	command=$json
	shift
	record_array "$@"
	args=$json
	json_string "$image"
	image_json=$json
	json_string "${user-}"
	user_json=$json
	json_string "${workdir:-/}"
	workdir_json=$json
	if [ "$net" = bridge ]; then
		network="\"Bridge\":\"$bridge\",\"IPAddress\":\"$address\",\"IPPrefixLen\":$length,\"Gateway\":\"$gateway\","
	else
		network='"Bridge":"","IPAddress":"","IPPrefixLen":0,"Gateway":"",'
	fi
	case $net in
	host) netns_path='' ;;
	bridge | none) netns_path=/run/netns/$name ;;
	*) netns_path=/run/netns/$net ;;
	esac
	record_true "$tty"
	tty_json=$json
	record_true "$interactive"
	stdin_json=$json
	record_true "$privileged"
	privileged_json=$json
	record_true "$read_only"
	read_only_json=$json
	[ "$keep" ] && remove_json=false || remove_json=true
	config="{\"Id\":\"$id\",\"Name\":\"$name\",\"Created\":\"$created\",\"Path\":$path,\"Args\":$args,\"Image\":$image_json,
\"Config\":{\"Hostname\":\"$hostname\",\"User\":$user_json,\"WorkingDir\":$workdir_json,\"Tty\":$tty_json,\"OpenStdin\":$stdin_json,\"Image\":$image_json,\"Cmd\":$command},
\"HostConfig\":{\"NetworkMode\":\"$net\",\"UsernsMode\":\"$userns\",\"AutoRemove\":$remove_json,\"Privileged\":$privileged_json,\"ReadonlyRootfs\":$read_only_json,\"Capabilities\":\"$caps\",\"CgroupParent\":\"$SC_CGROUP\"},
\"NetworkSettings\":{$network\"SandboxKey\":\"$netns_path\"},
\"CgroupPath\":\"$cgroup\",\"LogPath\":\"$record/container.log\"}"
}
