# shellcheck shell=sh
# shellcheck disable=SC2154 # the words of lib.sh and lib/options.sh: nl option value door
# lib/limits.sh - what a container may use: the options of run and update, and the record of what was asked
#
# $limits has a line KEY=VALUE for each limit in the order given, the last one of a key counts. Keys are the
# kernel's names of cgroup files, of either version, for sc-cg(8), and these of ours:
#	net-rate-in, net-rate-out	BITS_PER_SECOND:BURST_BYTES	traffic into and out of the container
#	net-prio			0 to 15				priority of what leaves the host
#	disk-size			bytes				of the writable layer
#	shm-size			bytes				of /dev/shm
#	ulimit.NAME			SOFT:HARD			setrlimit(2), -1 for unlimited
#	oom-score-adj			-1000 to 1000			proc_pid_oom_score_adj(5)
# The file $record/limits holds these lines: update changes it, inspect and verify read it.

limits_valued=' --limits -m --memory --memory-swap --memory-reservation --memory-swappiness --cpus -c --cpu-shares '
limits_valued="$limits_valued--cpu-period --cpu-quota --cpu-rt-period --cpu-rt-runtime --cpuset-cpus --cpuset-mems "
limits_valued="$limits_valued--pids-limit --blkio-weight --device-read-bps --device-write-bps --device-read-iops "
limits_valued="$limits_valued--device-write-iops --device-cgroup-rule --net-rate --net-rate-in --net-rate-out --net-prio "
limits_valued="$limits_valued--disk-size --shm-size --ulimit --oom-score-adj "
limits='' memory_asked='' swap_asked=''

# limits_option - take $option with its $value if it is one of a limit; status 1: it is none
limits_option() {
	case $option in
	--limits) limits_list "$value" ;;
	-m | --memory)
		case $value in
		max | -1) bytes=-1 memory_asked=-1 ;;
		*)
			limits_bytes "$value"
			memory_asked=$bytes
			[ "$bytes" -ge 1048576 ] || die "$option '$value': no program starts in less than 1m"
			;;
		esac
		limits_add memory.limit_in_bytes "$bytes"
		;;
	--memory-swap)
		swap_asked=1
		if [ "$value" = -1 ]; then bytes=-1; else limits_bytes "$value"; fi
		limits_add memory.memsw.limit_in_bytes "$bytes"
		;;
	--memory-reservation) limits_bytes "$value" && limits_add memory.soft_limit_in_bytes "$bytes" ;;
	--memory-swappiness) limits_add memory.swappiness "$value" ;;
	--cpus) limits_cpus "$value" ;;
	-c | --cpu-shares) limits_add cpu.shares "$value" ;;
	--cpu-period) limits_add cpu.cfs_period_us "$value" ;;
	--cpu-quota) limits_add cpu.cfs_quota_us "$value" ;;
	--cpu-rt-period) limits_add cpu.rt_period_us "$value" ;;
	--cpu-rt-runtime) limits_add cpu.rt_runtime_us "$value" ;;
	--cpuset-cpus) limits_add cpuset.cpus "$value" ;;
	--cpuset-mems) limits_add cpuset.mems "$value" ;;
	--pids-limit)
		case $value in
		-1 | 0) value=max ;;
		1) die "--pids-limit 1: at least 2: the first process, and the sc-clone that waits for it" ;;
		esac
		limits_add pids.max "$value"
		;;
	--blkio-weight) limits_add blkio.weight "$value" ;;
	--device-read-bps) limits_device read_bps "$value" ;;
	--device-write-bps) limits_device write_bps "$value" ;;
	--device-read-iops) limits_device read_iops "$value" ;;
	--device-write-iops) limits_device write_iops "$value" ;;
	--device-cgroup-rule) limits_add devices.allow "$value" ;;
	--net-rate)
		rate_parse "$option" "$value"
		limits_add net-rate-in "$rate"
		limits_add net-rate-out "$rate"
		;;
	--net-rate-in | --net-rate-out) rate_parse "$option" "$value" && limits_add "${option#--}" "$rate" ;;
	--net-prio)
		case $value in none | [0-9] | 1[0-5]) limits_add net-prio "$value" ;; *) die "--net-prio '$value': a number from 0 to 15, or none" ;; esac
		;;
	--disk-size) disk_parse "$value" && limits_add disk-size "$disk_size" ;;
	--shm-size) limits_bytes "$value" && limits_add shm-size "$bytes" ;;
	--ulimit) ulimit_parse "$value" && [ ! "$ulimit" ] || limits_add "ulimit.${ulimit%%=*}" "${ulimit#*=}" ;;
	--oom-score-adj) oom_score_adj_parse "$value" && [ ! "$score" ] || limits_add oom-score-adj "$score" ;;
	*) return 1 ;;
	esac
}

# limits_add KEY VALUE - add a line to $limits, without an earlier one that says the same thing
# Rules for devices and the words of io.max add up, throttles of version 1 are one for each device.
limits_add() {
	local line rest="$limits" same other=''
	case $2 in
	'' | *[!a-zA-Z0-9_.,:=/' '*+-]*) die "$option '$2': not a value this can have" ;;
	0[0-9]*) die "$option '$2': a number does not begin with 0" ;;
	esac
	case $1 in
	devices* | io.max | rdma.max | misc.max) same=$nl ;;
	*_device) same="$1=${2%% *} " ;;
	*) same=$1= ;;
	esac
	# the other version's name for the same
	case $1 in
	memory.limit_in_bytes) other=memory.max= ;;
	memory.max) other=memory.limit_in_bytes= ;;
	memory.soft_limit_in_bytes) other=memory.low= ;;
	memory.low) other=memory.soft_limit_in_bytes= ;;
	cpu.shares) other=cpu.weight ;;
	cpu.weight*) other=cpu.shares= ;;
	cpu.cfs_quota_us) other=cpu.max= ;;
	cpu.max) other=cpu.cfs_ ;;
	blkio.weight) other=io.weight= ;;
	io.weight) other=blkio.weight= ;;
	esac
	limits=''
	while [ "$rest" ]; do
		line=${rest%%"$nl"*} rest=${rest#"$line"} rest=${rest#"$nl"}
		case $line in
		"$same"*) ;;
		"${other:-$nl}"*) ;;
		*) limits=$limits${limits:+$nl}$line ;;
		esac
	done
	limits=$limits${limits:+$nl}$1=$2
}

# limits_list K=V,K=V - add the kernel's words; a piece without `=` belongs to the value before
limits_list() {
	local rest="$1," piece key='' kept=''
	while [ "$rest" ]; do
		piece=${rest%%,*} rest=${rest#*,}
		case $piece in
		*=*)
			[ ! "$key" ] || limits_add "$key" "$kept"
			key=${piece%%=*} kept=${piece#*=}
			case $key in
			'' | *[!a-zA-Z0-9_.]* | ulimit.*) key='' ;;
			memory.force_empty | memory.reclaim) die "--limits '$piece': that is an order and no limit; 'sc-cg set' gives it" ;;
			esac
			;;
		*) kept=$kept,$piece ;;
		esac
		[ "$key" ] && [ "$piece" ] || die "--limits '$1': write KEY=VALUE,KEY=VALUE with the kernel's file names"
	done
	limits_add "$key" "$kept"
}

# limits_device WHAT DEVICE:NUMBER - add a throttle; bytes may have k, m or g
limits_device() {
	local device="${2%:*}" number="${2##*:}"
	case $device in /* | [0-9]*:[0-9]*) ;; *) die "$option '$2': write DEVICE:NUMBER, such as /dev/sda:10m" ;; esac
	case $1,$number in *,max) ;; *bps,*) limits_bytes "$number" && number=$bytes ;; esac
	limits_add "blkio.throttle.$1_device" "$device $number"
}

# limits_bytes TEXT - sets $bytes; TEXT is a number with b, k, m or g
limits_bytes() {
	local digits="${1%[bkmgBKMG]}"
	case $digits in
	'' | *[!0-9]* | 0* | ??????????????*) die "$option '$1': a size is a number with k, m or g, such as 64m" ;;
	esac
	case $1 in *[mM] | *[gG]) [ ${#digits} -le 9 ] || die "$option '$1': that is more than any machine has" ;; esac
	case $1 in
	*[kK]) bytes=$((digits * 1024)) ;;
	*[mM]) bytes=$((digits * 1048576)) ;;
	*[gG]) bytes=$((digits * 1073741824)) ;;
	*) bytes=$digits ;;
	esac
	[ "$bytes" -gt 0 ] || die "$option '$1': must be more than nothing"
}

# limits_cpus NUMBER - add the quota that gives so many CPUs
limits_cpus() {
	local whole="${1%%.*}" part=''
	case $1 in *.*) part=${1#*.} ;; esac
	case $whole in 0) ;; 0*) whole=x ;; esac
	case $whole$part in '' | *[!0-9]* | ????????*) die "--cpus '$1': a number such as 1.5" ;; esac
	part=${part}000
	part=${part%"${part#???}"}
	while [ "$part" != "${part#0}" ] && [ ${#part} -gt 1 ]; do part=${part#0}; done
	part=$((whole * 100000 + part * 100))
	[ "$part" -ge 1000 ] || die "--cpus '$1': less than a hundredth of a CPU is not possible"
	limits_add cpu.cfs_period_us 100000
	limits_add cpu.cfs_quota_us "$part"
}

# limits_swap_alone - refuse --memory-swap without -m: it is the sum of the two
limits_swap_alone() {
	[ ! "$swap_asked" ] || [ "$memory_asked" ] || die '--memory-swap is memory and swap together: it goes with -m'
}

# limits_swap - with -m and no word on swap: as much swap as memory, as docker has it, where there is any swap
limits_swap() {
	local device
	[ "$memory_asked" ] && [ ! "$swap_asked" ] || return 0
	case $nl$limits in *"${nl}memory.memsw."* | *"${nl}memory.swap."*) return 0 ;; esac
	while read -r device _; do
		[ "$device" != Filename ] || continue
		[ "$memory_asked" = -1 ] && bytes=-1 || bytes=$((memory_asked * 2))
		limits_add memory.memsw.limit_in_bytes "$bytes"
	done </proc/swaps
}

# limits_split - sets $cgroup_limits to the lines of $limits that are for sc-cg, and a variable for each of ours:
# $net_rate_in $net_rate_out $net_prio $disk_size $shm_size $oom_score_adj, and $ulimits (lines NAME=SOFT:HARD)
limits_split() {
	local line rest="$limits" text
	cgroup_limits='' net_rate_in='' net_rate_out='' net_prio='' disk_size='' shm_size='' oom_score_adj='' ulimits=''
	while [ "$rest" ]; do
		line=${rest%%"$nl"*} rest=${rest#"$line"} rest=${rest#"$nl"} text=${line#*=}
		case $line in
		net-rate-in=*) net_rate_in=$text ;;
		net-rate-out=*) net_rate_out=$text ;;
		net-prio=*) net_prio=$text ;;
		disk-size=*) disk_size=$text ;;
		shm-size=*) shm_size=$text ;;
		oom-score-adj=*) oom_score_adj=$text ;;
		ulimit.*) ulimits=$ulimits${ulimits:+$nl}${line#ulimit.} ;;
		*) cgroup_limits=$cgroup_limits${cgroup_limits:+$nl}$line ;;
		esac
	done
}

# limits_check - whether this host can keep $cgroup_limits; sc-cg says what it cannot
limits_check() {
	local IFS="$nl"
	# shellcheck disable=SC2086 # split at line ends only, and there is no globbing (set -f)
	sc-cg check $cgroup_limits || die "these limits cannot be set; nothing was changed"
}

# limits_undo CGROUP LINES [UNTIL] - state the undo of limits_set: the old values in LINES, if the cgroup is still there
# and the file UNTIL, which goes when all is done
limits_undo() {
	local IFS="$nl" there
	quote "$1"
	there="! sc-cg stat $quoted >/dev/null 2>&1"
	[ ! "${3-}" ] || there="test ! -e $3 || $there"
	# shellcheck disable=SC2086 # as above
	quote sc-cg set "$1" $2
	[ ! "$2" ] || undo_line "$there || $quoted"
	# also if not even the next change is made whole: sc-cg may have written some of the files
	pending=0
}

# limits_before CGROUP - sets $before to what the kernel holds for the keys of $cgroup_limits, but for device rules
limits_before() {
	local line keys='' throttles=''
	before=''
	while IFS= read -r line; do
		case $line in
		devices*) continue ;;
		# the kernel lists only the devices that have a limit
		*_device=*) throttles=$throttles${line% *}" max"$nl ;;
		io.max=*)
			line=${line%% *}
			throttles="$throttles$line rbps=max wbps=max riops=max wiops=max$nl"
			;;
		esac
		keys="$keys ${line%%=*}"
	done <<-END
		$cgroup_limits
	END
	[ "$keys" ] || return 0
	# shellcheck disable=SC2086 # keys of the kernel, without blanks and globs (limits_list)
	before=$(sc-cg get "$1" $keys) || die "cannot read the limits that are to change"
	before=$throttles$before
}

# limits_set set|create CGROUP - have the kernel keep $cgroup_limits, for a cgroup that is there or in the same call as it is made
limits_set() {
	local IFS="$nl"
	hint "sc-cg(8) has the keys, 'sc-cg stat $2' what is used now, and 'scadm doctor' what this host can"
	# shellcheck disable=SC2086 # as above
	cmd sc-cg "$1" "$2" $cgroup_limits
}
