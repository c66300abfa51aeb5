# shellcheck shell=sh
# lib/container.sh - what a container is made of: its image, its mounts (an fstab), its limits, its record

# container_fstab - sets $fstab: the root, the mounts that the OCI runtime-spec names for Linux, the volumes
container_fstab() {
	local layer lower=''
	for layer in $layers; do
		lower=$lower${lower:+:}$SC_ROOT/layers/$layer
	done
	fstab="overlay / overlay lowerdir=$lower,upperdir=$disk_layers/upper,workdir=$disk_layers/work,nodev,X-mount.mkdir$idmap 0 0
proc /proc proc X-mount.mkdir,nosuid,nodev,noexec 0 0
tmpfs /dev tmpfs X-mount.mkdir,nosuid,noexec,strictatime,mode=755,size=65536k 0 0
devpts /dev/pts devpts X-mount.mkdir,nosuid,noexec,newinstance,ptmxmode=0666,mode=0620,gid=5 0 0
tmpfs /dev/shm tmpfs X-mount.mkdir,nosuid,noexec,nodev,mode=1777,size=${shm_size:-67108864} 0 0
mqueue /dev/mqueue mqueue X-mount.mkdir,nosuid,noexec,nodev 0 0
sysfs /sys sysfs X-mount.mkdir,nosuid,noexec,nodev,ro 0 0
cgroup /sys/fs/cgroup cgroup nosuid,noexec,nodev,relatime,ro 0 0
$hosts /etc/hosts none bind,ro,X-mount.mkdir$idmap 0 0
$record/resolv.conf /etc/resolv.conf none bind,ro,X-mount.mkdir$idmap 0 0
$record/hostname /etc/hostname none bind,ro,X-mount.mkdir$idmap 0 0"
	[ ! "$init" ] || fstab="$fstab$nl$init /dev/init none bind,ro,nosuid,nodev,X-mount.mkdir 0 0"
	[ ! "$mounts_fstab" ] || fstab=$fstab$nl$mounts_fstab
}

# plain_word TEXT - print TEXT if it has only letters, digits and `_.,:-`; it becomes part of a command
plain_word() {
	case $1 in
	'' | *[!a-zA-Z0-9_.,:-]*) die "'$1' cannot be the value of an option here" ;;
	esac
	printf '%s' "$1"
}

# container_network_check - refuse a network that is not there
container_network_check() {
	local line
	if [ "$attachments" ]; then
		while read -r line; do
			[ "${line%% *}" = bridge ] || [ -e "$SC_ROOT/networks/${line%% *}/network" ] ||
				die "there is no network '${line%% *}': 'scadm network ls' lists them, 'scadm network create ${line%% *}' makes it"
		done <<-END
			$attachments
		END
	fi
	container_netns
	[ ! "$own_netns" ] || [ ! -e "/run/netns/$name" ] ||
		die "a network namespace '$name' is there already; choose another --name, or use it with --net=$name"
	case $net in container:*) return 0 ;; esac
	[ "$own_netns" ] || [ "$net" = host ] || [ -e "/run/netns/$netns" ] ||
		die "there is no network '$net', and no network namespace of that name: 'scadm network ls' and 'ip netns' list them; 'scadm network create $net' makes the one, 'scadm create-netns --name=$net' the other"
}

# container_netns - sets $netns to the name of its network namespace (none: the host's) and $own_netns if it has that for itself
container_netns() {
	own_netns='' netns=$net
	case $net in
	host) netns='' ;;
	none) own_netns=1 netns=$name ;;
	container:*) attach_container_netns ;;
	*) [ ! "$attachments" ] || own_netns=1 netns=$name ;;
	esac
}

# container_image_read - sets $created $layers $labels_json $ports_json $image_volumes $image_health and, unless the user
# chose them, $workdir $user and $stop_signal; keeps $facts
container_image_read() {
	local kind json
	layers='' image_volumes='' image_health='' labels_json='{}' ports_json='{}'
	sql_string "{$labels}"
	# a line for each fact: KIND and JSON, so that a value with line breaks is still one line
	facts=$(
		# of a layer that is there twice the upper one is enough, and an overlay wants no other
		sqlite3 -init /dev/null :memory: <<-END
			CREATE TEMP TABLE image AS SELECT readfile('$image_file') AS j;
			-- these become part of config.json as they are: text that only looks like an object has no say there
			CREATE TEMP TABLE part AS SELECT key, type, json(iif(type IN ('object', 'array'), value, 'null')) AS value
				FROM image, json_each(j, '\$.config');
			SELECT 'now ' || json_quote(strftime('%Y-%m-%dT%H:%M:%fZ', 'now'));
			SELECT 'layer ' || json_quote(substr(value, 8)) FROM image, json_each(j, '\$.rootfs.diff_ids') GROUP BY value ORDER BY max(key) DESC;
			SELECT 'env ' || json_quote(e.value) FROM part, json_each(part.value) AS e WHERE part.key = 'Env' AND part.type = 'array';
			SELECT 'entrypoint ' || json_quote(e.value) FROM part, json_each(part.value) AS e WHERE part.key = 'Entrypoint' AND part.type = 'array' ORDER BY e.key DESC;
			SELECT 'entrypoints ' || value FROM part WHERE key = 'Entrypoint' AND type = 'array';
			SELECT 'cmd ' || json_quote(e.value) FROM part, json_each(part.value) AS e WHERE part.key = 'Cmd' AND part.type = 'array';
			SELECT 'workdir ' || json_quote(value) FROM image, json_each(j, '\$.config.WorkingDir') WHERE value <> '';
			SELECT 'user ' || json_quote(value) FROM image, json_each(j, '\$.config.User') WHERE value <> '';
			SELECT 'stopsignal ' || json_quote(value) FROM image, json_each(j, '\$.config.StopSignal') WHERE value <> '';
			SELECT 'volume ' || json_quote(key) FROM image, json_each(j, '\$.config.Volumes');
			SELECT 'health ' || value FROM part WHERE key = 'Healthcheck' AND type = 'object';
			SELECT 'ports ' || value FROM part WHERE key = 'ExposedPorts' AND type = 'object';
			SELECT 'labels ' || json_patch(coalesce((SELECT value FROM part WHERE key = 'Labels' AND type = 'object'), '{}'), $sql);
		END
	) || die "cannot read $image_file; is it whole? 'scadm rmi $image' removes it"
	while read -r kind json; do
		json_text "$json"
		case $kind in
		now) created=$text ;;
		layer)
			case $text in '' | *[!0-9a-f]*) die "$image_file: '$text' is not the digest of a layer" ;; esac
			layers="$layers $text"
			;;
		workdir) workdir=${workdir:-$text} ;;
		user) user=${user:-$text} ;;
		stopsignal)
			[ "$stop_signal" ] || ! sc-signal --number -- "$text" >/dev/null || stop_signal=$text
			[ "$stop_signal" ] || die "the image $image says so of its stop signal: choose one by --stop-signal"
			;;
		volume) image_volumes=$image_volumes${image_volumes:+$nl}$text ;;
		health) image_health=$json ;;
		ports) ports_json=$json ;;
		labels) labels_json=$json ;;
		esac
	done <<-END
		$facts
	END
	[ "$layers" ] || die "$image_file names no layers"
}

# container_userns - sets $uid_base, $idmap and $user_of: which uids outside stand for 0 to 65535 inside
# A range of its own for each container, by its id, out of those that systemd leaves to container managers.
# In a namespace of create-netns it is the range of that: root there has a say in its network.
container_userns() {
	idmap='' uid_base='' user_of=''
	[ "$userns" = auto ] || return 0
	idmap=,X-mount.idmap
	id_range
	if [ "$own_netns" ]; then
		user_of=/run/netns/$name
	elif [ -e "$SC_ROOT/netns/$netns/uid_base" ]; then
		read -r uid_base <"$SC_ROOT/netns/$netns/uid_base"
		user_of=/run/netns/$netns
	fi
	attach_container_userns
}

# container_init - sets $init to a program of this host that reaps zombies and passes signals on; it is mounted read-only
container_init() {
	local program
	for program in catatonit tini-static; do
		init=$(command -v "$program") || continue
		init=$(readlink -f "$init")
		return 0
	done
	die '--init: neither catatonit nor tini-static is installed: apt-get install catatonit'
}
