#!/usr/bin/env bats
# Every name the kernel has for a file of a control group is set, read or refused by name: on this host as
# it is, as if it had version 2 alone or version 1 alone, and on made-up hosts that have every controller.

# awk programs and glob patterns are quoted on purpose
# shellcheck disable=SC2016

load helpers

setup() {
	sc_setup
	requires root
	cg=sc-cg-names-$BATS_TEST_NUMBER/web
}

teardown() {
	sc-cg rm -p "$cg"
	sc_teardown
}

# mounts VERSION - the path of a mountinfo that has the hierarchies of that version alone
mounts() {
	local type=cgroup file="$BATS_TEST_TMPDIR/v$1"
	[ "$1" = 1 ] || type=cgroup2
	grep " - $type " /proc/self/mountinfo >"$file" || return 1
	echo "$file"
}

# known - every name, with the version that has it: the kernel's own list, written down once more
known() {
	local name
	for name in cpu.shares cpu.cfs_quota_us cpu.cfs_period_us cpu.cfs_burst_us cpu.rt_runtime_us cpu.rt_period_us \
		cpuacct.usage cpuacct.usage_user cpuacct.usage_sys cpuacct.usage_all cpuacct.usage_percpu \
		cpuacct.usage_percpu_user cpuacct.usage_percpu_sys cpuacct.stat \
		cpuset.cpu_exclusive cpuset.effective_cpus cpuset.effective_mems cpuset.mem_exclusive cpuset.mem_hardwall \
		cpuset.memory_migrate cpuset.memory_pressure cpuset.memory_pressure_enabled cpuset.memory_spread_page \
		cpuset.memory_spread_slab cpuset.sched_load_balance cpuset.sched_relax_domain_level \
		memory.limit_in_bytes memory.soft_limit_in_bytes memory.usage_in_bytes memory.max_usage_in_bytes \
		memory.failcnt memory.memsw.limit_in_bytes memory.memsw.usage_in_bytes memory.memsw.max_usage_in_bytes \
		memory.memsw.failcnt memory.kmem.limit_in_bytes memory.kmem.usage_in_bytes memory.kmem.max_usage_in_bytes \
		memory.kmem.failcnt memory.kmem.slabinfo memory.kmem.tcp.limit_in_bytes memory.kmem.tcp.usage_in_bytes \
		memory.kmem.tcp.max_usage_in_bytes memory.kmem.tcp.failcnt memory.force_empty memory.use_hierarchy \
		memory.swappiness memory.oom_control memory.pressure_level memory.move_charge_at_immigrate \
		blkio.weight blkio.weight_device blkio.leaf_weight blkio.leaf_weight_device blkio.bfq.weight \
		blkio.bfq.weight_device blkio.prio.class blkio.reset_stats blkio.throttle.read_bps_device \
		blkio.throttle.write_bps_device blkio.throttle.read_iops_device blkio.throttle.write_iops_device \
		blkio.throttle.io_service_bytes blkio.throttle.io_service_bytes_recursive blkio.throttle.io_serviced \
		blkio.throttle.io_serviced_recursive blkio.time blkio.sectors blkio.io_service_bytes blkio.io_serviced \
		blkio.io_service_time blkio.io_wait_time blkio.io_merged blkio.io_queued blkio.avg_queue_size \
		blkio.group_wait_time blkio.idle_time blkio.empty_time blkio.dequeue blkio.unaccounted_time \
		blkio.bfq.time blkio.bfq.sectors blkio.bfq.io_service_bytes blkio.bfq.io_serviced blkio.bfq.dequeue \
		'hugetlb.*.limit_in_bytes' 'hugetlb.*.usage_in_bytes' 'hugetlb.*.max_usage_in_bytes' 'hugetlb.*.failcnt' \
		'hugetlb.*.rsvd.limit_in_bytes' 'hugetlb.*.rsvd.usage_in_bytes' 'hugetlb.*.rsvd.max_usage_in_bytes' \
		'hugetlb.*.rsvd.failcnt' devices.list freezer.state freezer.self_freezing freezer.parent_freezing \
		net_cls.classid net_prio.prioidx net_prio.ifpriomap tasks notify_on_release release_agent \
		cgroup.clone_children cgroup.event_control cgroup.sane_behavior; do
		printf '%s\t1\n' "$name"
	done
	for name in cpu.weight cpu.weight.nice cpu.max cpu.max.burst cpu.pressure irq.pressure \
		cpuset.cpus.effective cpuset.cpus.partition cpuset.cpus.exclusive cpuset.cpus.exclusive.effective \
		cpuset.cpus.isolated cpuset.mems.effective \
		memory.current memory.min memory.low memory.high memory.max memory.reclaim memory.peak memory.oom.group \
		memory.events memory.events.local memory.swap.current memory.swap.high memory.swap.peak memory.swap.max \
		memory.swap.events memory.zswap.current memory.zswap.max memory.zswap.writeback memory.pressure \
		io.stat io.cost.qos io.cost.model io.weight io.bfq.weight io.max io.latency io.low io.prio.class io.pressure \
		pids.events.local 'hugetlb.*.max' 'hugetlb.*.rsvd.max' 'hugetlb.*.current' 'hugetlb.*.rsvd.current' \
		'hugetlb.*.events' 'hugetlb.*.events.local' \
		cgroup.controllers cgroup.events cgroup.freeze cgroup.kill cgroup.max.depth cgroup.max.descendants \
		cgroup.pressure cgroup.stat cgroup.stat.local cgroup.subtree_control cgroup.threads cgroup.type; do
		printf '%s\t2\n' "$name"
	done
	for name in cpu.idle cpu.uclamp.min cpu.uclamp.max cpu.stat cpu.stat.local cpuset.cpus cpuset.mems \
		memory.stat memory.numa_stat pids.max pids.current pids.peak pids.events 'hugetlb.*.numa_stat' \
		rdma.max rdma.current misc.max misc.current misc.peak misc.events misc.events.local misc.capacity \
		dmem.max dmem.min dmem.low dmem.current dmem.capacity devices.allow devices.deny cgroup.procs; do
		printf '%s\t1,2\n' "$name"
	done
}

# listed FILE - every name of known is in FILE, which is from sc-cg keys, and no line there is incomplete
listed() {
	known >"$BATS_TEST_TMPDIR/known"
	awk -F '\t' '
		FILENAME ~ /known$/ { version[$1] = $2; next }
		{ lines++ }
		NF != 4 || $4 == "" || $3 !~ /^(set|read|order|refused)$/ { print "bad line: " $0; bad = 1 }
		seen[$1]++ { print "twice: " $1; bad = 1 }
		$1 in version && $2 != version[$1] { print $1 ": is of version " version[$1] ", not " $2; bad = 1 }
		END {
			for (name in version) if (!seen[name]) { print "unknown: " name; bad = 1 }
			exit bad || lines < 200
		}' "$BATS_TEST_TMPDIR/known" "$1"
}

# of WORD... - the names in $keys of which sc-cg says WORD, with a size of huge pages for the star
of() {
	local words="$*" size
	size=$(huge)
	awk -F '\t' -v words=" $words " -v size="$size" '
		index(words, " " $3 " ") && (size != "" || !/\*/) { sub(/\*/, size, $1); print $1 }' "$keys"
}

# huge - a size of huge pages that this host has, as the kernel writes it in names
huge() {
	[ ! -d /sys/kernel/mm/hugepages/hugepages-2048kB ] || echo 2MB
}

# what_it_says OPTION... - the test of one host: each name does what sc-cg keys says of it
what_it_says() {
	local names line
	keys=$BATS_TEST_TMPDIR/keys
	sc-cg "$@" create "$cg"
	sc-cg "$@" keys "$cg" >"$keys"
	listed "$keys"

	# all that can be read, in one call; rules of devices can only be set
	mapfile -t names < <(of set read | grep -vE '^devices(\.allow|\.deny)?$')
	expect 0 sc-cg "$@" get "$cg" "${names[@]}"
	same "$stderr" ""
	for line in "${names[@]}"; do
		# a file of lines for devices has none yet
		[[ $line == *_device || $line == io.max || $line == *.max && $line != memory.* ]] ||
			like $'\n'"$output" $'*\n'"$line=*"
	done

	# what was read can be set, and then is as it was: first in the words of version 1, then of version 2
	local version settings before
	for version in 1 2; do
		mapfile -t names < <(awk -F '\t' -v version="$version" -v size="$(huge)" '
			$3 == "set" && index($2, version) && (size != "" || !/\*/) { sub(/\*/, size, $1); print $1 }' "$keys" |
			grep -vE '^(devices|devices.allow|devices.deny|cgroup.type)$')
		[ "${#names[@]}" -gt 0 ] || continue
		before=$(sc-cg "$@" get "$cg" "${names[@]}")
		mapfile -t settings < <(grep -v '=$' <<<"$before")
		[ "${#settings[@]}" -eq 0 ] || expect 0 sc-cg "$@" set "$cg" "${settings[@]}"
		same "$(sc-cg "$@" get "$cg" "${names[@]}")" "$before"
	done

	# all that is refused, each by its name, in one call
	mapfile -t names < <(of refused)
	[ "${#names[@]}" -gt 0 ]
	expect 125 sc-cg "$@" get "$cg" "${names[@]}"
	same "$output" ""
	same "${#stderr_lines[@]}" "${#names[@]}"
	for line in "${!names[@]}"; do
		like "${stderr_lines[line]}" "sc-cg: ${names[line]}: ?*"
	done
}

# not_set OPTION... NAME... - setting each of these is refused in one line with its name, and says more
not_set() {
	local name options=()
	while [[ $1 == -* ]]; do
		options+=("$1")
		shift
	done
	for name; do
		expect 125 sc-cg "${options[@]}" set "$cg" "$name=1"
		same "${#stderr_lines[@]}" 1
		like "$stderr" "sc-cg: $name: ????????????????*"
		unlike "$stderr" '*no such key*'
	done
}

@test "every name does what 'sc-cg keys' says, on this host" {
	what_it_says
	# what the kernel only tells, and what another tool does
	not_set cpu.stat memory.stat pids.current cgroup.procs cgroup.controllers cgroup.kill release_agent \
		memory.pressure_level cpuset.cpus.isolated io.cost.qos
}

@test "every name does what 'sc-cg keys' says, with version 2 alone" {
	requires cgroup1 cgroup2
	local file
	file=$(mounts 2)
	what_it_says "--mounts=$file"
	not_set "--mounts=$file" memory.kmem.limit_in_bytes memory.use_hierarchy cpuset.memory_migrate cpuacct.usage \
		freezer.self_freezing devices.list tasks memory.failcnt cpu.rt_runtime_us
	expect 125 sc-cg "--mounts=$file" set "$cg" memory.max=1m
	like "$stderr" 'sc-cg: memory.max: *memory controller*'
	expect 125 sc-cg "--mounts=$file" set "$cg" cpuset.cpu_exclusive=1
	like "$stderr" 'sc-cg: cpuset.cpu_exclusive: *cpuset controller*cpuset.cpus.partition*'
	sc-cg "--mounts=$file" rm -p "$cg"
}

@test "every name does what 'sc-cg keys' says, with version 1 alone" {
	requires cgroup1
	local file
	file=$(mounts 1)
	what_it_says "--mounts=$file"
	not_set "--mounts=$file" cpu.pressure cgroup.max.depth cgroup.kill cgroup.type cpuset.cpus.partition memory.peak \
		memory.swap.current
	expect 125 sc-cg "--mounts=$file" set "$cg" memory.high=1m
	like "$stderr" 'sc-cg: memory.high: version 1 of the memory controller*memory.limit_in_bytes*'
	expect 125 sc-cg "--mounts=$file" set "$cg" rdma.max='mlx4_0 hca_handle=2'
	like "$stderr" 'sc-cg: rdma.max: *rdma controller*'
	sc-cg "--mounts=$file" rm -p "$cg"
}

@test "'sc-cg keys' knows every file this kernel shows in a control group" {
	local root name
	sc-cg create "$cg"
	sc-cg keys | awk -F '\t' '{ print $1 }' >"$BATS_TEST_TMPDIR/names"
	sed -n 's/^[^ ]* [^ ]* [^ ]* [^ ]* \([^ ]*\) .* - cgroup2\{0,1\} .*/\1/p' /proc/self/mountinfo |
		while read -r root; do
			find "$root/$cg" -maxdepth 1 -type f -printf '%f\n'
		done | sort -u | sed 's/^hugetlb\.[0-9]*[KMG]B\./hugetlb.*./' >"$BATS_TEST_TMPDIR/files"
	[ "$(wc -l <"$BATS_TEST_TMPDIR/files")" -ge 20 ]
	grep -vxFf "$BATS_TEST_TMPDIR/names" "$BATS_TEST_TMPDIR/files" >"$BATS_TEST_TMPDIR/new" || :
	same "$(cat "$BATS_TEST_TMPDIR/new")" ""
}

# host VERSION - a made-up host with every controller of that version: directories of plain files that keep
# what is written, and a mountinfo that calls them control groups
host() {
	local dir="$BATS_TEST_TMPDIR/host$1" size set device
	size=$(huge)
	mkdir -p "$dir"
	device=$(stat -c '%Hd:%Ld' "$dir")
	sc-cg keys | awk -F '\t' -v version="$1" -v size="${size:-2MB}" '
		index($2, version) { sub(/\*/, size, $1); print $1 }' >"$dir/names"
	if [ "$1" = 2 ]; then
		mkdir -p "$dir/all/$cg"
		echo 'cpuset cpu io memory hugetlb pids rdma misc dmem' |
			tee "$dir/all/cgroup.controllers" >"$dir/all/$cg/cgroup.controllers"
		fill "$dir/all/${cg%/*}" <"$dir/names"
		fill "$dir/all/$cg" <"$dir/names"
		echo 'cpuset cpu io memory hugetlb pids rdma misc dmem' >"$dir/all/$cg/cgroup.controllers"
		printf '1 1 %s / %s/all rw - cgroup2 cgroup2 rw\n' "$device" "$dir" >"$dir/mounts"
		return
	fi
	for set in cpu,cpuacct cpuset memory blkio pids hugetlb devices freezer rdma misc dmem; do
		mkdir -p "$dir/$set/$cg"
		grep -E "^(${set/,/|})\." "$dir/names" >"$dir/names.$set"
		fill "$dir/$set/${cg%/*}" <"$dir/names.$set"
		fill "$dir/$set/$cg" <"$dir/names.$set"
		printf '1 1 %s / %s/%s rw - cgroup cgroup rw,%s\n' "$device" "$dir" "$set" "$set"
	done >"$dir/mounts"
}

# fill DIR - the files named on standard input, as the kernel makes them: without a limit
fill() {
	local name
	while read -r name; do
		case $name in
		cpuset.*effective*) echo 0-3 ;;
		*limit_in_bytes | *_quota_us) echo -1 ;;
		cpu.max) echo 'max 100000' ;;
		*.max | *.high) echo max ;;
		*_device) ;;
		*) echo 0 ;;
		esac >"$1/$name"
	done
}

# on VERSION FILE - what the made-up host has in FILE, in $kept
on() {
	local file
	for file in "$BATS_TEST_TMPDIR/host$1"/*/"$cg/$2"; do
		kept=$(<"$file")
	done
}

# disk - MAJOR:MINOR of a whole disk
disk() {
	local one
	for one in /sys/dev/block/*; do
		[ -e "$one/partition" ] || [ ! -e "$one" ] || {
			echo "${one##*/}"
			return
		}
	done
	return 1
}

# lands VERSION KEY=VALUE FILE CONTENT [VALUE] - set on that host, it is CONTENT in FILE, and KEY is read as
# VALUE, or as it was set
lands() {
	local kept mounts="--mounts=$BATS_TEST_TMPDIR/host$1/mounts" key="${2%%=*}"
	expect 0 sc-cg "$mounts" set "$cg" "$2"
	same "$stderr" ""
	on "$1" "$3"
	same "$kept" "$4"
	expect 0 sc-cg "$mounts" get "$cg" "$key"
	like $'\n'"$output"$'\n' $'*\n'"$key=${5-${2#*=}}"$'\n*'
}

@test "every limit of version 1 lands in the right file of a host with version 2, and reads back" {
	local name disk
	host 2
	lands 2 cpu.shares=1024 cpu.weight 39 999
	lands 2 cpu.shares=999 cpu.weight 39
	lands 2 cpu.weight.nice=-7 cpu.weight.nice -7
	lands 2 cpu.cfs_quota_us=50000 cpu.max '50000 100000'
	lands 2 cpu.cfs_period_us=20000 cpu.max '50000 20000'
	lands 2 cpu.cfs_burst_us=7000 cpu.max.burst 7000
	lands 2 cpu.idle=1 cpu.idle 1
	lands 2 cpu.uclamp.min=12.50 cpu.uclamp.min 12.50
	lands 2 cpu.uclamp.max=max cpu.uclamp.max max
	lands 2 cpuset.cpus=0-1,3 cpuset.cpus 0-1,3
	lands 2 cpuset.mems=0 cpuset.mems 0
	lands 2 cpuset.cpus.partition=isolated cpuset.cpus.partition isolated
	lands 2 cpuset.cpus.exclusive=1 cpuset.cpus.exclusive 1
	lands 2 memory.limit_in_bytes=67108864 memory.max 67108864
	lands 2 memory.memsw.limit_in_bytes=100663296 memory.swap.max 33554432
	lands 2 memory.soft_limit_in_bytes=1048576 memory.low 1048576
	lands 2 memory.soft_limit_in_bytes=-1 memory.low 0
	for name in memory.high memory.min memory.swap.high memory.zswap.max; do
		lands 2 "$name=8388608" "$name" 8388608
	done
	lands 2 memory.oom.group=1 memory.oom.group 1
	lands 2 memory.zswap.writeback=0 memory.zswap.writeback 0
	lands 2 pids.max=50 pids.max 50
	lands 2 blkio.weight=500 io.weight 4950
	lands 2 blkio.bfq.weight=300 io.bfq.weight 300
	lands 2 io.prio.class=idle io.prio.class idle
	lands 2 blkio.prio.class=restrict-to-be io.prio.class restrict-to-be
	[ -z "$(huge)" ] || {
		lands 2 hugetlb.2MB.limit_in_bytes=4194304 hugetlb.2MB.max 4194304
		lands 2 hugetlb.2MB.rsvd.limit_in_bytes=2097152 hugetlb.2MB.rsvd.max 2097152
	}
	lands 2 'rdma.max=mlx4_0 hca_handle=2 hca_object=max' rdma.max 'mlx4_0 hca_handle=2 hca_object=max'
	lands 2 'misc.max=sev 3' misc.max 'sev 3'
	lands 2 'dmem.max=drm/vram0 1048576' dmem.max 'drm/vram0 1048576'
	lands 2 cgroup.max.depth=4 cgroup.max.depth 4
	disk=$(disk) || skip "needs a block device"
	lands 2 "blkio.weight_device=$disk 505" io.weight "$disk 5000"
	lands 2 "io.weight=$disk 77" io.weight "$disk 77"
	lands 2 "blkio.bfq.weight_device=$disk 77" io.bfq.weight "$disk 77"
	lands 2 "blkio.throttle.read_bps_device=$disk 1048576" io.max "$disk rbps=1048576"
	lands 2 "blkio.throttle.write_iops_device=$disk 100" io.max "$disk wiops=100"
	lands 2 "io.latency=$disk target=5000" io.latency "$disk target=5000"
}

@test "every limit of version 2 lands in the right file of a host with version 1, and reads back" {
	local disk kept
	host 1
	lands 1 cpu.weight=39 cpu.shares 999
	lands 1 cpu.weight.nice=-7 cpu.shares 4904
	lands 1 'cpu.max=50000 20000' cpu.cfs_quota_us 50000
	on 1 cpu.cfs_period_us
	same "$kept" 20000
	lands 1 cpu.max.burst=7000 cpu.cfs_burst_us 7000
	lands 1 cpu.rt_runtime_us=1000 cpu.rt_runtime_us 1000
	lands 1 cpu.uclamp.max=99.90 cpu.uclamp.max 99.90
	lands 1 cpuset.cpus=2 cpuset.cpus 2
	lands 1 cpuset.sched_load_balance=0 cpuset.sched_load_balance 0
	lands 1 memory.max=67108864 memory.limit_in_bytes 67108864
	lands 1 memory.swap.max=33554432 memory.memsw.limit_in_bytes 100663296
	lands 1 memory.low=1048576 memory.soft_limit_in_bytes 1048576
	lands 1 memory.low=0 memory.soft_limit_in_bytes -1
	lands 1 memory.swappiness=7 memory.swappiness 7
	lands 1 memory.kmem.limit_in_bytes=1048576 memory.kmem.limit_in_bytes 1048576
	lands 1 memory.kmem.tcp.limit_in_bytes=1048576 memory.kmem.tcp.limit_in_bytes 1048576
	lands 1 pids.max=max pids.max max
	lands 1 io.weight=4950 blkio.weight 500
	lands 1 blkio.leaf_weight=200 blkio.leaf_weight 200
	lands 1 io.prio.class=idle blkio.prio.class idle
	[ -z "$(huge)" ] || {
		lands 1 hugetlb.2MB.max=4194304 hugetlb.2MB.limit_in_bytes 4194304
		lands 1 hugetlb.2MB.rsvd.max=max hugetlb.2MB.rsvd.limit_in_bytes -1
		# how a kernel of version 1 writes "no limit" for pages of 2 MB and of 1 GB
		echo 9223372036852678656 >"$BATS_TEST_TMPDIR/host1/hugetlb/$cg/hugetlb.2MB.limit_in_bytes"
		echo 9223372035781033984 >"$BATS_TEST_TMPDIR/host1/hugetlb/$cg/hugetlb.2MB.rsvd.limit_in_bytes"
		expect 0 sc-cg "--mounts=$BATS_TEST_TMPDIR/host1/mounts" get "$cg" hugetlb.2MB.max hugetlb.2MB.rsvd.max
		same "$output" "hugetlb.2MB.max=max
hugetlb.2MB.rsvd.max=max"
	}
	disk=$(disk) || skip "needs a block device"
	lands 1 "io.bfq.weight=$disk 77" blkio.bfq.weight_device "$disk 77"
	expect 0 sc-cg "--mounts=$BATS_TEST_TMPDIR/host1/mounts" set "$cg" "io.max=$disk rbps=4096 wiops=9"
	on 1 blkio.throttle.read_bps_device
	same "$kept" "$disk 4096"
	on 1 blkio.throttle.write_iops_device
	same "$kept" "$disk 9"
	expect 0 sc-cg "--mounts=$BATS_TEST_TMPDIR/host1/mounts" get "$cg" io.max blkio.throttle.write_iops_device
	same "$output" "io.max=$disk rbps=4096 wbps=max riops=max wiops=9
blkio.throttle.write_iops_device=$disk 9"
}

@test "S17: values that no kernel takes are refused before anything is written" {
	local bad disk kept
	host 2
	disk=$(disk) || skip "needs a block device"
	for bad in cpu.uclamp.min=100.01 cpu.uclamp.min=1.234 cpu.uclamp.min=5. cpu.uclamp.min=.5 cpu.uclamp.min=-1 \
		cpu.uclamp.max=maximum cpuset.cpus.partition=owner cpuset.cpus.partition='root root' cpuset.cpus.exclusive=x \
		io.prio.class=realtime memory.oom.group=2 memory.zswap.writeback=yes cgroup.type=domain io.latency=x \
		"io.latency=$disk" "io.weight=$disk 0x5" "io.weight=$disk 10001" 'io.weight=default 0' "io.max=$disk rbps=0" \
		"io.max=$disk riops=4294967295" "blkio.throttle.read_bps_device=$disk" rdma.max=mlx4_0 misc.max=' 5' \
		cgroup.max.depth=-2 cgroup.max.depth=2147483648 hugetlb.2MB.rsvd.max=x hugetlb.2XB.max=5 hugetlb..max=5 \
		blkio.weight=9 "blkio.weight=$disk 100" memory.swappiness=60; do
		expect 125 sc-cg "--mounts=$BATS_TEST_TMPDIR/host2/mounts" set "$cg" pids.max=7 "$bad"
		like "$stderr" "sc-cg: ${bad%%=*}: *"
	done
	on 2 pids.max
	same "$kept" max
}

@test "a kernel that keeps something else than was asked is reported: rounded to pages, or not kept at all" {
	requires memory
	sc-cg create "$cg"
	# the same number in the words of the other version is rounded all the same
	expect 0 sc-cg set "$cg" memory.limit_in_bytes=2097153
	same "$stderr" "sc-cg: memory.limit_in_bytes: asked 2097153, kernel kept 2097152"
	expect 0 sc-cg set "$cg" memory.low=4097
	same "$stderr" "sc-cg: memory.low: asked 4097, kernel kept 4096"
	sc-cg keys "$cg" | grep -q '^memory.kmem.limit_in_bytes.*set' || return 0
	run sc-cg set "$cg" memory.kmem.limit_in_bytes=10m
	# kernels from 5.16 on no longer limit it, and must not let it seem so
	[ "$status" = 0 ] || like "$output" '*memory.kmem.limit_in_bytes: *asked 10485760*kept*'
}
