# shellcheck shell=sh
# shellcheck disable=SC2034,SC2154 # what is set here for the verbs; the words of lib.sh and of the modules that run and create read in
# lib/create.sh - a new container, before it starts: what is asked, and the files of its record

# create_ask WORD... - everything that can be wrong is found before anything is changed
create_ask() {
	new_id
	short=${id%"${id#????????????}"}
	run_options "$@"
	attach_container_ask
	name=${name:-$short} hostname=${hostname:-$name}
	[ ! "$remove$keep" ] || [ "$remove$keep" = 1 ] || die '--rm and --keep exclude each other'
	run_defaults
	record=$SC_ROOT/containers/$name cgroup=$SC_CGROUP/$short
	[ ! -e "$record" ] || die "there is a container '$name' already; 'scadm rm $name' removes it"
	[ ! "$asked" ] || limits_check
	disk_ask
	container_network_check
	create_image
	container_image_read
	health_ask
	container_userns
	publish_ask
	resolve_conf
	attach_hosts
	attach_container_files
	mounts_ask
	container_fstab
}

# create_image - find the image; sets $image and $image_file
create_image() {
	image_ref "$image" || image_lookup "$image" || die "$ref_error"
	if [ ! -e "$image_file" ] && [ "$ref" != busybox:latest ]; then
		[ ! -e "$SC_LIB/images/${ref%:*}.sh" ] || die "there is no image '$ref' yet; 'scadm image-build ${ref%:*}' makes it, 'scadm pull $image' fetches it from a registry"
		image_lookup "$image" || die "there is no image '$ref'; 'scadm images' lists what there is, pull, load, import and image-build make one"
	fi
	image=$ref
	if [ ! -e "$image_file" ]; then
		[ "$door" != print ] || die "the image busybox is not built yet: 'scadm image-build busybox' first"
		cmd scadm-image-build busybox >&2
	fi
}

# create_record WORD... - make the record with all that outlives a run of the container
create_record() {
	local layer
	begin containers "$name"
	note "The mounts of the container, as an fstab: sc-clone makes them, inside, in this order."
	put "$record/fstab" "$fstab"
	# from here on the layers are in use: rmi looks into the fstabs
	for layer in $layers; do
		[ "$door" = print ] || [ -d "$SC_ROOT/layers/$layer" ] || die "the image $image was removed just now"
	done
	put "$record/id" "$short"
	put "$record/limits" "$limits"
	put "$record/hostname" "$hostname"
	put "$record/resolv.conf" "$resolv_conf"
	[ ! "$hosts_own" ] || put "$record/extra-hosts" "$hosts_own"
	[ ! "$hosts_own" ] || put "$record/hosts.own" "$hosts_own"
	[ "$attachments" ] || [ "$hosts" != "$record/hosts" ] || put "$hosts" "127.0.0.1 localhost${nl}::1 localhost ip6-localhost ip6-loopback${nl}127.0.1.1 $hostname${hosts_own:+$nl$hosts_own}"
	note "The environment, the command, and the line that was typed: words that end with a NUL byte, whatever is in them."
	create_environment "$@"
	create_command "$@"
	put0 "$record/argv" "$verb" "$@"
	[ "$restart_policy" = no ] || put "$record/restart" "$restart_policy $restart_maximum"
	disk_file
	mounts_make
	[ ! "$keep" ] || undo_line '# keep'
}

# create_config - the record config.json, the last file of a new container; reads $attachments
create_config() {
	[ ! "$attachments" ] || put "$record/networks" "$attachments"
	publish_write
	record_json
	hint=''
	put "$record/config.json" "$config"
	cmd ln -s "$record" "$SC_RUN/$name"
	[ ! "$id_file" ] || put "$id_file" "$id"
	event container create "$id" "$name" "image=$image"
}

# environment_file_check FILE - refuse a file that cannot be read, or has a line that is no variable
environment_file_check() {
	local line
	[ -r "$1" ] && [ ! -d "$1" ] || die "--env-file '$1': not a file that can be read"
	while IFS= read -r line || [ "$line" ]; do
		case $line in
		'' | '#'*) ;;
		*) case ${line%%=*} in '' | [!a-zA-Z_]* | *[[:blank:]]*) die "--env-file '$1': the line '$line' is not NAME=VALUE" ;; esac ;;
		esac
	done <"$1"
}

# create_environment WORD... - write the env file from the options in WORD...: later words win over earlier ones
create_environment() {
	environment_of create_environment_put "$@"
}

# create_environment_put NAME=VALUE... - the same from the variables of the options, which come behind those of the image
create_environment_put() {
	local added="$#" kind json text
	while read -r kind json; do
		[ "$kind" = env ] || continue
		json_text "$json"
		set -- "$@" "$text"
	done <<-END
		$facts
	END
	while [ "$added" -gt 0 ]; do
		set -- "$@" "$1"
		shift
		added=$((added - 1))
	done
	set -- PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin "HOSTNAME=$hostname" container=scadm ${tty:+TERM=xterm} "$@"
	record_array "$@"
	env_json=$json
	put0 "$record/env" "$@"
}

# create_command WORD... - write the command to the file args: --entrypoint or the image's, then the words after the image or its CMD
create_command() {
	local kind json
	shift $(($# - operands))
	[ $# -gt 0 ] || [ "$entrypoint_given" ] || while read -r kind json; do
		[ "$kind" = cmd ] || continue
		json_text "$json"
		set -- "$@" "$text"
	done <<-END
		$facts
	END
	record_array "$@"
	cmd_json=$json entrypoint_json=null
	if [ "$entrypoint_given" ]; then
		if [ "$entrypoint" ]; then
			record_array "$entrypoint"
			entrypoint_json=$json
			set -- "$entrypoint" "$@"
		fi
	else
		# these words come last to first: each goes to the front
		while read -r kind json; do
			case $kind in
			entrypoint)
				json_text "$json"
				set -- "$text" "$@"
				;;
			entrypoints) entrypoint_json=$json ;;
			esac
		done <<-END
			$facts
		END
	fi
	[ $# -gt 0 ] || die "the image $image names no command: give one"
	json_string "$1"
	path_json=$json
	put0 "$record/args" ${init:+/dev/init --} "$@"
	shift
	record_array "$@"
	args_json=$json
}
