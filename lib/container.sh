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
	fstab="overlay / overlay lowerdir=$lower,upperdir=$record/upper,workdir=$record/work,nodev,X-mount.mkdir$idmap 0 0
proc /proc proc X-mount.mkdir,nosuid,nodev,noexec 0 0
tmpfs /dev tmpfs X-mount.mkdir,nosuid,noexec,strictatime,mode=755,size=65536k 0 0
devpts /dev/pts devpts X-mount.mkdir,nosuid,noexec,newinstance,ptmxmode=0666,mode=0620,gid=5 0 0
tmpfs /dev/shm tmpfs X-mount.mkdir,nosuid,noexec,nodev,mode=1777,size=65536k 0 0
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

# container_bytes TEXT WHAT - sets $bytes; TEXT is a number with b, k, m or g
container_bytes() {
	local digits="${1%[bkmgBKMG]}"
	case $digits in
	'' | *[!0-9]* | 0* | ??????????????*) die "$2 '$1': a size is a number with k, m or g, such as 64m" ;;
	esac
	case $1 in *[mM] | *[gG]) [ ${#digits} -le 9 ] || die "$2 '$1': that is more than any machine has" ;; esac
	case $1 in
	*[kK]) bytes=$((digits * 1024)) ;;
	*[mM]) bytes=$((digits * 1048576)) ;;
	*[gG]) bytes=$((digits * 1073741824)) ;;
	*) bytes=$digits ;;
	esac
	[ "$bytes" -gt 0 ] || die "$2 '$1': must be more than nothing"
}

# container_cpus NUMBER - adds the quota that gives so many CPUs to $limits
container_cpus() {
	local whole="${1%%.*}" part=''
	case $1 in *.*) part=${1#*.} ;; esac
	case $whole in 0) ;; 0*) whole=x ;; esac
	case $whole$part in '' | *[!0-9]* | ????????*) die "--cpus '$1': a number such as 1.5" ;; esac
	part=${part}000
	part=${part%"${part#???}"}
	while [ "$part" != "${part#0}" ] && [ ${#part} -gt 1 ]; do part=${part#0}; done
	part=$((whole * 100000 + part * 100))
	[ "$part" -ge 1000 ] || die "--cpus '$1': less than a hundredth of a CPU is not possible"
	limits="$limits cpu.cfs_period_us=100000 cpu.cfs_quota_us=$part"
}

# container_limits LIST - adds the words of K=V,K=V to $limits; a piece without `=` belongs to the value before
container_limits() {
	local rest="$1," piece
	while [ "$rest" ]; do
		piece=${rest%%,*} rest=${rest#*,}
		case $piece in
		*[!a-zA-Z0-9_.:=/-]* | '') die "--limits '$1': write KEY=VALUE,KEY=VALUE with the kernel's file names" ;;
		*=*) limits="$limits $piece" ;;
		*)
			[ "$limits" ] || die "--limits '$1': write KEY=VALUE,KEY=VALUE"
			limits="$limits,$piece"
			;;
		esac
	done
}

# container_memory_swap SIZE - adds the limit of memory and swap together to $limits (-1: no limit)
container_memory_swap() {
	if [ "$1" = -1 ]; then
		bytes=-1
	else
		container_bytes "$1" --memory-swap
	fi
	limits="$limits memory.memsw.limit_in_bytes=$bytes"
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
	case $pids in -1 | 0) pids=max ;; esac
	asked=$limits
	case "$limits " in *' pids.max='*) ;; *) limits=" pids.max=$pids$limits" ;; esac
	[ "$privileged" ] || limits="devices=default$limits"
}
