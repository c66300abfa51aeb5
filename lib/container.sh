# shellcheck shell=sh
# lib/container.sh - what a container is made of: its image, its mounts (an fstab), its limits, its record

# fstab_word TEXT - sets $word to TEXT as a field of fstab(5)
fstab_word() {
	word=$1
	case $word in
	*[[:space:]\\]*) word=$(printf '%s.' "$1" | sed 's/\\/\\134/g; s/ /\\040/g; s/	/\\011/g' | tr '\n' '\001' | sed 's/\x01/\\012/g') && word=${word%.} ;;
	esac
}

# container_volume SRC:DST[:OPTIONS] - sets $mount to its line of fstab; refuses what cannot be meant
container_volume() {
	local source="${1%%:*}" target="${1#*:}" options=''
	case $1 in *:*) ;; *) die "-v '$1': write HOST-PATH:CONTAINER-PATH[:ro]" ;; esac
	case $target in
	*:*) options=${target##*:} target=${target%:*} ;;
	esac
	case $source in /*) ;; *) die "-v '$1': the host's path must be absolute" ;; esac
	case $target in
	/*) ;;
	*) die "-v '$1': the container's path must be absolute" ;;
	esac
	case $target/ in
	/ | // | /proc/* | /sys/* | /dev/ | */../*) die "-v '$1': a volume cannot be mounted on $target" ;;
	esac
	case $options in '' | rw | ro) ;; *) die "-v '$1': the option is ro or rw, not '$options'" ;; esac
	[ -e "$source" ] || die "-v '$1': there is no $source on this host; make it first: mkdir -p $source"
	fstab_word "$source"
	mount=$word
	fstab_word "$target"
	mount="$mount $word none rbind,X-mount.mkdir,nosuid,nodev${options:+,$options}"
}

# container_fstab - sets $fstab: the root, the mounts that the OCI runtime-spec names for Linux, the volumes
container_fstab() {
	local layer lower='' line
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
	while IFS= read -r line; do
		[ ! "$line" ] || fstab="$fstab$nl$line$idmap 0 0"
	done <<-END
		$volumes
	END
}

# container_resolv_conf - sets $resolv_conf: the host's name servers that a container can reach
container_resolv_conf() {
	local file=/etc/resolv.conf key value
	resolv_conf=''
	# the stub of systemd-resolved listens on the host's loopback; its real servers are listed here
	[ ! -e /run/systemd/resolve/resolv.conf ] || file=/run/systemd/resolve/resolv.conf
	[ -e "$file" ] || file=/dev/null
	while read -r key value || [ "$key" ]; do
		case $key,$value,$net in
		nameserver,127.0.0.53,* | nameserver,::1,[!h]* | nameserver,127.*,[!h]*) ;;
		nameserver,127.*,host | nameserver,[0-9a-fA-F]*,* | search,* | domain,* | options,*)
			resolv_conf="$resolv_conf${resolv_conf:+$nl}$key $value"
			;;
		esac
	done <"$file"
	case $resolv_conf in
	*nameserver*) ;;
	*) resolv_conf="$resolv_conf${resolv_conf:+$nl}nameserver 8.8.8.8${nl}nameserver 8.8.4.4" ;;
	esac
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
	case $net in
	bridge | none | host) hosts=$record/hosts ;;
	*)
		[ -e "/run/netns/$net" ] || die "there is no network namespace '$net'; 'scadm create-netns --name=$net' makes it, 'ip netns' lists them"
		hosts=$record/hosts
		;;
	esac
	[ "$net" != bridge ] && [ "$net" != none ] || [ ! -e "/run/netns/$name" ] ||
		die "a network namespace '$name' is there already; choose another --name, or use it with --net=$name"
}

# container_image_read - sets $created $layers and, unless the user chose them, $workdir and $user; keeps $facts
container_image_read() {
	local kind json
	layers=''
	# a line for each fact: KIND and a JSON string, so that a value with line breaks is still one line
	facts=$(
		sqlite3 -init /dev/null :memory: <<-END
			CREATE TEMP TABLE image AS SELECT readfile('$image_file') AS j;
			SELECT 'now ' || json_quote(strftime('%Y-%m-%dT%H:%M:%fZ', 'now'));
			SELECT 'layer ' || json_quote(substr(value, 8)) FROM image, json_each(j, '\$.rootfs.diff_ids') ORDER BY key DESC;
			SELECT 'env ' || json_quote(value) FROM image, json_each(j, '\$.config.Env');
			SELECT 'entrypoint ' || json_quote(value) FROM image, json_each(j, '\$.config.Entrypoint') ORDER BY key DESC;
			SELECT 'cmd ' || json_quote(value) FROM image, json_each(j, '\$.config.Cmd');
			SELECT 'workdir ' || json_quote(value) FROM image, json_each(j, '\$.config.WorkingDir') WHERE value <> '';
			SELECT 'user ' || json_quote(value) FROM image, json_each(j, '\$.config.User') WHERE value <> '';
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
	case $net in
	bridge | none) user_of=/run/netns/$name ;;
	*)
		if [ -e "$SC_ROOT/netns/$net/uid_base" ]; then
			read -r uid_base <"$SC_ROOT/netns/$net/uid_base"
			user_of=/run/netns/$net
		fi
		;;
	esac
}

# container_defaults - what follows from the options together: keep, user namespace, privilege, limits
container_defaults() {
	foreground=1
	if [ "$detach" ]; then
		foreground=''
		[ "$remove" ] || keep=1
	fi
	if [ "$privileged" ]; then
		[ "$userns" != auto ] || die '--privileged is root on the host: it goes with --userns=host only'
		userns=host seccomp='' no_new_privs='' caps=all
	fi
	userns=${userns:-auto}
	asked=$limits
	limits_swap_alone
	limits_swap
	case $nl$limits in *"${nl}pids.max="*) ;; *) limits=pids.max=2048${limits:+$nl}$limits ;; esac
	[ "$privileged" ] || limits=devices=default$nl$limits
	limits_split
	# who may change the network of the host may lay itself another cable
	case $userns,$net_rate_in$net_rate_out$net_prio,$caps in
	host,?*,*all* | host,?*,*[+,][nN][eE][tT]_[aA][dD][mM][iI][nN]* | host,?*,*[cC][aA][pP]_[nN][eE][tT]_[aA][dD][mM][iI][nN]*)
		die '--net-rate and --net-prio do not bind a container that is root of the network of the host (--userns=host with NET_ADMIN)'
		;;
	esac
	case $net,$net_rate_in$net_rate_out$net_prio in
	bridge,* | *,) ;;
	*) die '--net-rate and --net-prio are for the cable of the container itself: they go with --net=bridge only' ;;
	esac
}
