# shellcheck shell=sh
# lib/doctor-cgroup.sh - rows of doctor: control groups, version 1, version 2 and both
# shellcheck disable=SC2154 # the words of lib/doctor.sh

# doctor_mount_of CONTROLLER - sets $point to where it is mounted as version 1; status 1: nowhere
doctor_mount_of() {
	local options words
	while read -r point options words; do
		case ,$words, in *",$1,"*) return 0 ;; esac
	done <<-END
		$v1
	END
	return 1
}

# doctor_cgroup - the rows of control groups
doctor_cgroup() {
	local kind='' parent="${SC_CGROUP:-$SC_PREFIX}" checked
	doctor_group 'control groups'
	top='' given='' handed=''
	if [ "$v2" ]; then
		doctor_read "$v2/cgroup.controllers"
		top=" $text "
		doctor_read "$v2/cgroup.subtree_control"
		given=" $text "
		doctor_read "$v2/$parent/cgroup.subtree_control"
		handed=" $text "
	fi
	case ${v1:+1},${v2:+2} in
	1,2) kind="both: v1 for each controller it has, v2 at $v2 for the rest" ;;
	1,) kind='v1' ;;
	,2) kind="v2 at $v2" ;;
	esac
	if [ ! "$kind" ]; then
		doctor_row missing 'cgroup version' run 'no control groups are mounted' \
			'mount -t cgroup2 cgroup2 /sys/fs/cgroup' 'or, as a container: docker run --privileged --cgroupns=private'
		return 0
	fi
	doctor_row ok 'cgroup version' run "$kind"
	doctor_cgroup_written
	if [ "$root" ] && [ -x "$helpers/sc-cg" ]; then
		if checked=$(sc-cg check pids.max=2048 devices=default 2>&1); then
			doctor_row ok 'default limits' run 'pids.max=2048 and the list of devices can be set'
		else
			doctor_first_line "$checked"
			doctor_row missing 'default limits' run "$line" 'the rows below say what is missing; --pids-limit=-1 does without the number of processes'
		fi
	fi
	doctor_controller cpu '--cpus, --cpu-shares' CGROUP_SCHED
	doctor_controller cpuset '--cpuset-cpus, --cpuset-mems' CPUSETS
	doctor_controller memory '-m, --memory' MEMCG
	doctor_controller pids run CGROUP_PIDS
	doctor_controller blkio '--blkio-weight, --device-*-bps' BLK_CGROUP
	doctor_controller hugetlb '--limits hugetlb.*' CGROUP_HUGETLB
	doctor_controller devices run CGROUP_BPF
	doctor_controller freezer 'stop, rm -f' CGROUP_FREEZER
	doctor_cgroup_details
	doctor_systemd "$parent"
}

# doctor_cgroup_written - the row of read-only mounts: one of them is enough to stop `run`
doctor_cgroup_written() {
	local point options words closed='' count=0
	while read -r point options words; do
		[ "$point" ] || continue
		case ,$options, in
		*,ro,*) ;;
		*) [ "$root" ] && [ ! -w "$point" ] || continue ;;
		esac
		closed="$closed $point" count=$((count + 1))
	done <<-END
		$v1${v2:+$v2 $v2_options cgroup2}
	END
	closed=${closed# }
	if [ "$closed" ]; then
		doctor_row missing 'cgroup mounts' run "read-only for us: ${closed%% *}$([ "$count" = 1 ] || echo " and $((count - 1)) more")" \
			"for at in $closed; do mount -o remount,rw \$at; done" 'or, as a container: docker run --privileged --cgroupns=private'
	else
		doctor_row ok 'cgroup mounts' run 'can be written'
	fi
}

# doctor_controller NAME NEEDS CONFIG - the row of one controller: where it is, or what brings it
doctor_controller() {
	local name="$1" found second="$1" point hierarchy='' enabled='' known word
	[ "$name" != blkio ] || second=io
	if doctor_mount_of "$name"; then
		doctor_row ok "$name" "$2" "v1 at $point"
		return 0
	fi
	case $v2,$name in
	/*,freezer) doctor_row ok "$name" "$2" 'v2: cgroup.freeze of every group' && return 0 ;;
	/*,devices) doctor_row ok "$name" "$2" 'v2: an eBPF program for each group' && return 0 ;;
	esac
	case $top in
	*" $second "*)
		found="v2 at $v2"
		case $given in *" $second "*) found="$found, handed down at the top" ;; *) found="$found, to be handed down (run does it)" ;; esac
		case $handed in *" $second "*) found="$found and in ${SC_CGROUP:-$SC_PREFIX}" ;; esac
		doctor_row ok "$second" "$2" "$found"
		return 0
		;;
	esac
	[ ! -r /proc/cgroups ] || while read -r known hierarchy _ enabled; do
		[ "$known" != "$name" ] || break
		enabled=''
	done </proc/cgroups
	doctor_read /proc/cmdline
	for word in $text; do
		case ,${word#cgroup_disable=}, in *,"$name",*) [ "$word" = "${word#cgroup_disable=}" ] || enabled=disabled ;; esac
	done
	case ${enabled:+${hierarchy:-0},$enabled} in
	*,disabled) doctor_row missing "$name" "$2" "cgroup_disable=$name on the kernel's command line" 'take it off, in the setting of the boot loader, and reboot' ;;
	*,0)
		doctor_boot "cgroup_enable=$name"
		doctor_row missing "$name" "$2" 'built in but switched off at boot' "$fix"
		;;
	0,1)
		if [ "$in_container" ] || [ -e "$v2/cgroup.events" ]; then
			doctor_row missing "$name" "$2" "not in cgroup.controllers: the group above does not hand it down" \
				"on the host: echo +$second >cgroup.subtree_control in the group above" "below systemd: Delegate=yes in its unit" \
				'if this is a container: docker run --privileged --cgroupns=private'
		else
			doctor_row missing "$name" "$2" 'built in but mounted nowhere' \
				"mkdir -p /sys/fs/cgroup/$name && mount -t cgroup -o $name cgroup /sys/fs/cgroup/$name"
		fi
		;;
	*,1)
		doctor_boot cgroup_no_v1=all
		doctor_row missing "$name" "$2" 'a hierarchy of version 1 has it, which is not mounted here' \
			"mkdir -p /sys/fs/cgroup/$name && mount -t cgroup -o $name cgroup /sys/fs/cgroup/$name" "or have version 2 alone: $fix"
		;;
	*)
		doctor_kernel_fix "$3"
		doctor_row missing "$name" "$2" 'not in this kernel' "$fix"
		;;
	esac
}

# doctor_cgroup_details - rows of single files: swap, kill, peak, weights of disks, huge pages, v2 alone
doctor_cgroup_details() {
	local point swap='no swap is on'
	[ ! -r /proc/swaps ] || {
		read -r _ && ! read -r text || swap='swap is on'
	} </proc/swaps
	if doctor_mount_of memory && [ -e "$point/memory.memsw.limit_in_bytes" ]; then
		doctor_row ok 'swap accounting' '--memory-swap' "v1: memory.memsw files; $swap"
	elif [ ! "$point" ] && [ "$v2" ] && case $top in *' memory '*) true ;; *) false ;; esac then
		if doctor_glob "$v2/*/memory.swap.max" || ! doctor_glob "$v2/*/memory.max"; then
			doctor_row ok 'swap accounting' '--memory-swap' "v2: memory.swap.max; $swap"
		else
			doctor_boot swapaccount=1
			doctor_row limited 'swap accounting' '--memory-swap' 'v2 without memory.swap.max' "$fix"
		fi
		if doctor_glob "$v2/*/memory.max" && ! doctor_glob "$v2/*/memory.peak"; then
			doctor_row limited memory.peak 'stats (peak of memory)' 'comes with Linux 5.19' 'boot Linux 6.1 or later'
		fi
	elif [ ! "$point" ]; then
		doctor_row limited 'swap accounting' '--memory-swap' 'there is no memory controller' 'see memory above'
	else
		doctor_boot swapaccount=1
		doctor_row limited 'swap accounting' '--memory-swap' 'the kernel does not count swap' "$fix"
	fi
	if [ "$v2" ] && [ "$kernel_number" -ge 514 ]; then
		doctor_row ok cgroup.kill 'rm -f, stop' 'v2: one write ends all processes of a group'
	else
		doctor_row limited cgroup.kill 'rm -f, stop' 'not there: processes are frozen, then killed one by one' \
			'mount -t cgroup2 cgroup2 /sys/fs/cgroup/unified   # Linux 5.14 or later'
	fi
	doctor_schedulers
	doctor_huge_pages
	if [ "$v1" ]; then
		doctor_boot 'systemd.unified_cgroup_hierarchy=1 cgroup_no_v1=all'
		doctor_row limited 'v2 alone' '--limits memory.high, memory.min' 'controllers are with v1, which has not all of the files of v2' "$fix"
	fi
}

# doctor_schedulers - the row of disks whose time can be shared by weight
doctor_schedulers() {
	local file seen='' first=''
	set +f
	for file in /sys/block/*/queue/scheduler; do
		set -f
		case $file in */loop* | */ram* | */zram* | */'*'/*) continue ;; esac
		doctor_read "$file"
		file=${file#/sys/block/} file=${file%%/*}
		first=${first:-$file}
		case $text in *'[bfq]'*) seen="$seen $file" ;; esac
	done
	set -f
	if [ "$seen" ]; then
		doctor_row ok 'disk weights' --blkio-weight "scheduler bfq:$seen"
	else
		doctor_module bfq:IOSCHED_BFQ
		case $module in
		absent)
			doctor_kernel_fix IOSCHED_BFQ
			doctor_row limited 'disk weights' --blkio-weight 'this kernel has no scheduler bfq: weights have no effect' "$fix"
			;;
		*) doctor_row limited 'disk weights' --blkio-weight 'no disk has the scheduler bfq: weights have no effect' \
			"modprobe bfq; echo bfq >/sys/block/${first:-DISK}/queue/scheduler" ;;
		esac
	fi
}

# doctor_huge_pages - the row of reserved huge pages
doctor_huge_pages() {
	local key value total=''
	while read -r key value _; do
		[ "$key" != HugePages_Total: ] || total=$value
	done </proc/meminfo
	case $total in
	'') doctor_row limited 'huge pages' '--limits hugetlb.*' 'not in this kernel' 'boot a kernel that is built with CONFIG_HUGETLBFS' ;;
	0) doctor_row limited 'huge pages' '--limits hugetlb.*' 'none reserved, so there is nothing to share out' \
		'sysctl -w vm.nr_hugepages=64' 'echo vm.nr_hugepages=64 >>/etc/sysctl.d/90-scadm.conf   # after a reboot too' ;;
	*) doctor_row ok 'huge pages' '--limits hugetlb.*' "$total reserved" ;;
	esac
}

# doctor_systemd PARENT - the row of systemd: is what we make below a unit that it leaves alone?
doctor_systemd() {
	local unit=scadm-cgroup.service
	if [ ! -d /run/systemd/system ]; then
		doctor_row ok 'systemd' run 'does not run here: nobody else arranges the control groups'
		return 0
	fi
	case $1 in
	*.service/* | *.scope/*)
		if [ -d "$v2/${1%/*}" ] || doctor_glob "/sys/fs/cgroup/*/${1%/*}"; then
			doctor_row ok 'systemd' 'run (limits that stay)' "our groups are below ${1%/*}"
		else
			unit=${1%/*}
			unit=${unit##*/}
			doctor_row limited 'systemd' 'run (limits that stay)' "SC_CGROUP names ${1%/*}, which does not run" "systemctl enable --now $unit"
		fi
		;;
	*)
		doctor_row limited 'systemd' 'run (limits that stay)' "our groups at /$1 are not below a unit: daemon-reload may take controllers away" \
			"systemctl enable --now $unit" "echo SC_CGROUP=system.slice/$unit/sc >>$SC_CONF"
		;;
	esac
}
