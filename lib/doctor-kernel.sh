# shellcheck shell=sh
# lib/doctor-kernel.sh - rows of doctor: who we are, the kernel, control groups, namespaces
# shellcheck disable=SC2154 # the words of lib/doctor.sh

capability_names='chown dac_override dac_read_search fowner fsetid kill setgid setuid setpcap linux_immutable
net_bind_service net_broadcast net_admin net_raw ipc_lock ipc_owner sys_module sys_rawio sys_chroot sys_ptrace
sys_pacct sys_admin sys_boot sys_nice sys_resource sys_time sys_tty_config mknod lease audit_write audit_control
setfcap mac_override mac_admin syslog wake_alarm block_suspend audit_read perfmon bpf checkpoint_restore'

# doctor_identity - sets $uid, $release, $root (real root), $in_container, $capabilities and $seccomp_mode
doctor_identity() {
	local key value first='' count=''
	uid='' capabilities=0 seccomp_mode='' in_container='' root=''
	while read -r key value _; do
		case $key in
		Uid:) uid=$value ;;
		CapEff:) capabilities=$((0x$value)) ;;
		Seccomp:) seccomp_mode=$value ;;
		esac
	done </proc/self/status
	[ "$uid" != 0 ] || root=1
	doctor_read /proc/sys/kernel/osrelease
	release=$text
	user_namespace=''
	# empty where no map is written yet
	[ ! -r /proc/self/uid_map ] || read -r first _ count </proc/self/uid_map || :
	[ "$first,$count" = 0,4294967295 ] || [ ! "$first" ] || user_namespace=1
	[ ! -e /.dockerenv ] && [ ! -e /run/.containerenv ] && [ ! "${container-}" ] && [ ! "$user_namespace" ] || in_container=1
}

# doctor_kernel - the rows of who we are and what the kernel lets us do
doctor_kernel() {
	local number=0 name lost='' powerful=' chown dac_override fowner kill setgid setuid setpcap net_admin sys_chroot sys_admin mknod '
	doctor_group kernel
	powerless=''
	case $uid,$user_namespace in
	0,) doctor_row ok root run 'user id 0' ;;
	0,1) doctor_row limited root run 'root of a user namespace: what the host reserves to its own root fails' \
		'run it as root of the host, or in a container started with docker run --privileged' ;;
	*) doctor_row missing root run "user id $uid; what only root can look at is not looked at" 'sudo scadm doctor' ;;
	esac
	doctor_kernel_version
	for name in $capability_names; do
		if [ $((capabilities >> number & 1)) = 0 ]; then
			lost="$lost $name"
			case $powerful in *" $name "*) powerless="$powerless $name" ;; esac
		fi
		number=$((number + 1))
	done
	lost=${lost# }
	[ ! "$root" ] || case $lost,$powerless in
	,) doctor_row ok capabilities 'run, --privileged' 'all' ;;
	*,) doctor_row limited capabilities '--privileged, --cap-add' "all but $lost" \
		'outside of a container root has them all; in one: docker run --privileged, or --cap-add for each' ;;
	*) doctor_row missing capabilities run "without$powerless" 'docker run --privileged, or --cap-add for each, if this is a container' ;;
	esac
	case " $lost " in
	*' sys_resource '*) doctor_row limited CAP_SYS_RESOURCE '--ulimit, --oom-score-adj < 0' 'not there: hard limits cannot be raised, nor the score lowered' \
		'docker run --cap-add=SYS_RESOURCE, or CapabilityBoundingSet= of the systemd unit that starts the shell' ;;
	*) doctor_row ok CAP_SYS_RESOURCE '--ulimit, --oom-score-adj < 0' 'there' ;;
	esac
	if [ "$seccomp_mode" ]; then
		[ "$seccomp_mode" = 0 ] && name='there' || name='there; this shell is below a filter itself'
		doctor_row ok seccomp run "$name"
	else
		doctor_kernel_fix SECCOMP_FILTER
		doctor_row missing seccomp 'run, but for seccomp=unconfined' 'this kernel has no system call filters' "$fix"
	fi
	doctor_security_modules
	doctor_processes
	# the file may be there and not give anything
	doctor_read /proc/pressure/memory
	if [ "$text" ]; then
		doctor_row ok PSI 'stats (pressure)' '/proc/pressure'
	else
		doctor_boot psi=1
		doctor_row limited PSI 'stats (pressure)' 'no stall times in /proc/pressure' "$fix"
	fi
}

# doctor_kernel_version - the row of the version: what is used that older ones lack
doctor_kernel_version() {
	local major="${release%%.*}" minor="${release#*.}" number old=''
	minor=${minor%%[!0-9]*}
	case $major,$minor in *[!0-9,]* | ,* | *,) major=0 minor=0 ;; esac
	number=$((major * 100 + minor))
	[ "$number" -ge 506 ] || old="$old, openat2 (5.6)"
	[ "$number" -ge 507 ] || old="$old, a birth in a cgroup (5.7)"
	[ "$number" -ge 509 ] || old="$old, close_range (5.9)"
	[ "$number" -ge 512 ] || old="$old, idmapped mounts (5.12)"
	[ "$number" -ge 514 ] || old="$old, cgroup.kill (5.14)"
	if [ "$number" -lt 514 ]; then
		doctor_row missing 'kernel version' run "$release lacks ${old#, }" 'boot Linux 6.1 or later: the newest kernel package of this distribution'
	elif [ "$number" -lt 519 ]; then
		doctor_row limited 'kernel version' 'run, but for --userns=host' "$release lacks idmapped overlays (5.19)" \
			'boot Linux 6.1 or later: the newest kernel package of this distribution'
	else
		doctor_row ok 'kernel version' run "$release"
	fi
	kernel_number=$number
}

# doctor_security_modules - the row of AppArmor and SELinux
doctor_security_modules() {
	local found='' profile
	doctor_read /sys/module/apparmor/parameters/enabled
	if [ "$text" = Y ]; then
		doctor_read /proc/self/attr/current
		profile=${text:-unconfined}
		doctor_read /proc/sys/kernel/apparmor_restrict_unprivileged_userns
		[ "$text" = 1 ] && found='AppArmor keeps user namespaces from others than root; not from us' || found='AppArmor: no profile for containers'
		case $profile in
		unconfined*) ;;
		*)
			doctor_row limited AppArmor 'run (mounts)' "we are confined by the profile $profile" \
				'docker run --security-opt apparmor=unconfined, if this is a container; else run from an unconfined shell'
			return 0
			;;
		esac
	fi
	doctor_read /sys/fs/selinux/enforce
	[ "$text" != 1 ] || found="${found:+$found; }SELinux enforces, and does not tell our containers apart: they have the label of this shell"
	doctor_row ok 'AppArmor SELinux' run "${found:-neither is in force}"
}

# doctor_processes - the row of how many processes there can be: kernel.pid_max, and the cgroups above us
doctor_processes() {
	local id names path dir='' max least='' tightest='' found point
	doctor_sysctl /proc/sys/kernel/pid_max
	max=${text:-0}
	found="kernel.pid_max ${text:-could not be read}"
	[ ! -r /proc/self/cgroup ] || while IFS=: read -r id names path; do
		case $id,$names in
		*,pids) ! doctor_mount_of pids || dir=$point$path ;;
		0,*) [ "$dir" ] || dir=$v2$path ;;
		esac
	done </proc/self/cgroup
	while [ "$dir" ] && [ "$dir" != "${dir%/*}" ] && [ "$dir" != /sys/fs/cgroup ]; do
		doctor_read "$dir/pids.max"
		case $text in
		'' | *[!0-9]*) ;;
		*)
			if [ ! "$least" ] || [ "$text" -lt "$least" ]; then
				least=$text tightest=$dir
				doctor_read "$dir/pids.current"
				found="kernel.pid_max $max; our cgroup may hold $least, has ${text:-?}"
			fi
			;;
		esac
		dir=${dir%/*}
	done
	if [ "${least:-500}" -lt 500 ]; then
		doctor_row limited processes run "$found" "echo max >$tightest/pids.max, or raise the limit of the unit or container that it belongs to"
	elif [ "$max" != 0 ] && [ "$max" -lt 500 ]; then
		doctor_row limited processes run "$found" 'sysctl -w kernel.pid_max=4194304'
	else
		doctor_row ok processes run "$found"
	fi
}

# doctor_namespaces - a row for each kind, and what keeps us from making them
doctor_namespaces() {
	local type needs found option
	doctor_group namespaces
	for type in mnt pid net ipc uts cgroup user time; do
		needs=run
		[ "$type" != user ] || needs='run, but for --userns=host'
		doctor_sysctl "/proc/sys/user/max_${type}_namespaces"
		if [ "$type" = time ]; then
			[ -e "/proc/self/ns/$type" ] && found=there || found='not in this kernel'
			doctor_row ok time 'sc-nsexec --time; not run' "$found"
		elif [ ! -e "/proc/self/ns/$type" ]; then
			case $type in
			user) option=USER_NS ;;
			net) option=NET_NS ;;
			pid) option=PID_NS ;;
			ipc) option=IPC_NS ;;
			uts) option=UTS_NS ;;
			*) option=CGROUPS ;;
			esac
			doctor_kernel_fix "$option"
			doctor_row missing "$type" "$needs" 'not in this kernel' "$fix"
		elif [ "$text" = 0 ]; then
			doctor_row missing "$type" "$needs" "user.max_${type}_namespaces is 0" \
				"sysctl -w user.max_${type}_namespaces=15000" \
				"echo user.max_${type}_namespaces=15000 >>/etc/sysctl.d/90-scadm.conf   # after a reboot too"
		else
			doctor_row ok "$type" "$needs" "there${text:+, at most $text}"
		fi
	done
	doctor_read /proc/sys/kernel/unprivileged_userns_clone
	[ "$text" != 0 ] || doctor_row ok 'userns of others' '(scadm is root)' 'kernel.unprivileged_userns_clone is 0: no concern of ours'
	doctor_tried container run 'namespaces, proc, sysfs, capabilities, seccomp: a container of nothing was made' sc-clone \
		'if this is a container: docker run --privileged; else the message names what the kernel refused'
}
