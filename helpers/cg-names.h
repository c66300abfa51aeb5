/* cg-names.h: one table of every name the kernel gives to a file of a control group, from 4.x on:
 * which version has it, which controller it belongs to, what values it takes, and what says
 * the same in the other version or why nothing does. `sc-cg keys` prints it.
 *
 * Sources: Documentation/admin-guide/cgroup-v1/ (blkio-controller, cpuacct, cpusets, devices,
 * freezer-subsystem, hugetlb, memory, net_cls, net_prio, pids, rdma), cgroup-v2.rst, and
 * scheduler/sched-bwc.rst, sched-rt-group.rst, sched-util-clamp.rst; what corresponds to what
 * is taken from the OCI runtime specification (config-linux.md). */
#ifndef CG_NAMES_H
#define CG_NAMES_H

#include <limits.h>

#include "sc.h"

enum kind {
	TEXT,    /* lines; never set */
	NUMBER,  /* a number */
	AMOUNT,  /* a number, or no limit */
	SIZE,    /* bytes, with k m g, or no limit */
	PERCENT, /* with two decimals, or max */
	NICE,    /* -20 to 19 */
	SET,     /* a list like 0-3,6 */
	WORD,    /* one of words */
	STATE,   /* FROZEN, THAWED; 1, 0 */
	RATE,    /* a block device and a number */
	WEIGHT,  /* a number; for one device only with its name before it */
	LINE,    /* a name and what is kept under it */
	RULE     /* of devices */
};

enum access {
	SETTABLE, /* and readable */
	READABLE, /* and nothing else */
	ORDER,    /* written, and does something at once; nothing to read back */
	NEVER     /* not by this program */
};

/* The settings whose two versions differ by more than their name; the code knows these. */
enum {
	SHARES,
	NICE_WEIGHT,
	QUOTA,
	PERIOD,
	CPUS,
	MEMS,
	MEMORY,
	SWAP,
	MEMORY_LOW,
	IO_WEIGHT,
	BFQ_WEIGHT,
	DEVICE_WEIGHT,
	BFQ_DEVICE_WEIGHT,
	READ_BPS,
	WRITE_BPS,
	READ_IOPS,
	WRITE_IOPS,
	FREEZE,
	DEVICES,
	DEVICES_ALLOW,
	DEVICES_DENY,
	HUGE_LIMIT,
	HUGE_RESERVED
};

struct range {
	unsigned long long min, max; /* max 0: what the kind allows */
};

/* every version 2 control group has the files of this one; of version 1, all hierarchies */
#define CORE "core"

#define BANDWIDTH_MAX (1ULL << 44)
#define RATE_MAX      4294967294ULL /* the kernel takes the next number for "no limit" */

#define NO_REALTIME                                                                                \
	"version 2 leaves realtime processes alone; rtprio and rttime of setrlimit(2) limit them"
#define CPU_TIME   "version 2 counts it in cpu.stat; 'sc-cg stat' prints cpu.usage_usec everywhere"
#define CPU_EACH   "version 2 does not count each processor on its own"
#define PARTITION  "version 2 has cpuset.cpus.partition instead"
#define NO_SPREAD  "version 2 leaves that to the memory policy of each process, see set_mempolicy(2)"
#define KMEM       "version 2 counts memory of the kernel in memory.max and memory.stat"
#define KMEM_TCP   "version 2 counts network buffers in memory.max and in sock of memory.stat"
#define BOTH_SWAP  "version 2 counts swap alone: memory.swap.current, memory.swap.events"
#define EVENTS     "version 2 counts it in memory.events; 'sc-cg stat' prints memory.events.max"
#define CFQ        "that was the scheduler CFQ, which Linux 5.0 dropped; io.stat is what is left"
#define BFQ_COUNTS "version 2 has io.stat instead"
#define THROTTLED                                                                                  \
	"version 2 has io.stat instead; 'sc-cg stat' prints io.rbytes and io.rios everywhere"
#define PRESSURE "pressure is measured in version 2 only, which this host has not mounted"
#define V2_ONLY  "there is nothing like it in version 1"
#define NO_NET   "version 2 has no such controller; an eBPF program or iptables -m cgroup does it"
#define TOP_ONLY "that file is in the topmost directory alone and holds for the whole host"

/* arrays, not pointers: those would have to be relocated whenever the program starts */
struct name {
	char file[3][44]; /* in version 1, 2; a star stands for a size of huge pages */
	char controller[12];
	enum kind kind;
	enum access access;
	struct range range[3];
	char words[64]; /* of a WORD, with blanks around each; of a RATE in version 2 */
	char note[124]; /* what to do where there is no such file, or where it cannot be set */
};

/* one name to a line is what makes this a table */
/* clang-format off */
#define ANY {{0}}

static const struct name names[] = {
[SHARES]            = {{"", "cpu.shares", "cpu.weight"}, "cpu", NUMBER, SETTABLE, {{0}, {2, 262144}, {1, 10000}}, "", ""},
[NICE_WEIGHT]       = {{"", "cpu.shares", "cpu.weight.nice"}, "cpu", NICE, SETTABLE, ANY, "", ""},
[QUOTA]             = {{"", "cpu.cfs_quota_us", "cpu.max"}, "cpu", AMOUNT, SETTABLE, {{0}, {1000, BANDWIDTH_MAX}}, "", ""},
[PERIOD]            = {{"", "cpu.cfs_period_us", "cpu.max"}, "cpu", NUMBER, SETTABLE, {{0}, {1000, 1000000}}, "", ""},
[CPUS]              = {{"", "cpuset.cpus", "cpuset.cpus"}, "cpuset", SET, SETTABLE, ANY, "", ""},
[MEMS]              = {{"", "cpuset.mems", "cpuset.mems"}, "cpuset", SET, SETTABLE, ANY, "", ""},
[MEMORY]            = {{"", "memory.limit_in_bytes", "memory.max"}, "memory", SIZE, SETTABLE, ANY, "", ""},
[SWAP]              = {{"", "memory.memsw.limit_in_bytes", "memory.swap.max"}, "memory", SIZE, SETTABLE, ANY, "", ""},
[MEMORY_LOW]        = {{"", "memory.soft_limit_in_bytes", "memory.low"}, "memory", SIZE, SETTABLE, ANY, "", ""},
[IO_WEIGHT]         = {{"", "blkio.weight", "io.weight"}, "io", WEIGHT, SETTABLE, {{0}, {10, 1000}, {1, 10000}}, "", ""},
[BFQ_WEIGHT]        = {{"", "blkio.bfq.weight", "io.bfq.weight"}, "io", WEIGHT, SETTABLE, {{0}, {1, 1000}, {1, 1000}}, "", ""},
[DEVICE_WEIGHT]     = {{"", "blkio.weight_device", "io.weight"}, "io", WEIGHT, SETTABLE, {{0}, {10, 1000}, {1, 10000}}, "", ""},
[BFQ_DEVICE_WEIGHT] = {{"", "blkio.bfq.weight_device", "io.bfq.weight"}, "io", WEIGHT, SETTABLE, {{0}, {1, 1000}, {1, 1000}}, "", ""},
[READ_BPS]          = {{"", "blkio.throttle.read_bps_device", "io.max"}, "io", RATE, SETTABLE, ANY, "rbps", ""},
[WRITE_BPS]         = {{"", "blkio.throttle.write_bps_device", "io.max"}, "io", RATE, SETTABLE, ANY, "wbps", ""},
[READ_IOPS]         = {{"", "blkio.throttle.read_iops_device", "io.max"}, "io", RATE, SETTABLE, {{0}, {0, RATE_MAX}, {1, RATE_MAX}}, "riops", ""},
[WRITE_IOPS]        = {{"", "blkio.throttle.write_iops_device", "io.max"}, "io", RATE, SETTABLE, {{0}, {0, RATE_MAX}, {1, RATE_MAX}}, "wiops", ""},
[FREEZE]            = {{"", "freezer.state", "cgroup.freeze"}, "freezer", STATE, SETTABLE, ANY, "", ""},
[DEVICES]           = {{"", "devices", "devices"}, "devices", RULE, SETTABLE, ANY, " default ", "'sc-cg get' has devices.list on version 1"},
[DEVICES_ALLOW]     = {{"", "devices.allow", "devices.allow"}, "devices", RULE, SETTABLE, ANY, "", "devices.list has the rules on version 1"},
[DEVICES_DENY]      = {{"", "devices.deny", "devices.deny"}, "devices", RULE, SETTABLE, ANY, "", "devices.list has the rules on version 1"},
[HUGE_LIMIT]        = {{"", "hugetlb.*.limit_in_bytes", "hugetlb.*.max"}, "hugetlb", SIZE, SETTABLE, ANY, "", ""},
[HUGE_RESERVED]     = {{"", "hugetlb.*.rsvd.limit_in_bytes", "hugetlb.*.rsvd.max"}, "hugetlb", SIZE, SETTABLE, ANY, "", ""},

{{"", "cpu.cfs_burst_us", "cpu.max.burst"}, "cpu", NUMBER, SETTABLE, {{0}, {0, BANDWIDTH_MAX}, {0, BANDWIDTH_MAX}}, "", ""},
{{"", "cpu.idle", "cpu.idle"}, "cpu", NUMBER, SETTABLE, {{0}, {0, 1}, {0, 1}}, "", ""},
{{"", "cpu.uclamp.min", "cpu.uclamp.min"}, "cpu", PERCENT, SETTABLE, ANY, "", ""},
{{"", "cpu.uclamp.max", "cpu.uclamp.max"}, "cpu", PERCENT, SETTABLE, ANY, "", ""},
{{"", "cpu.rt_runtime_us", ""}, "cpu", AMOUNT, SETTABLE, {{0}, {0, BANDWIDTH_MAX}}, "", NO_REALTIME},
{{"", "cpu.rt_period_us", ""}, "cpu", NUMBER, SETTABLE, {{0}, {1, BANDWIDTH_MAX}}, "", NO_REALTIME},
{{"", "cpu.stat", "cpu.stat"}, "cpu", TEXT, READABLE, ANY, "", ""},
{{"", "cpu.stat.local", "cpu.stat.local"}, "cpu", TEXT, READABLE, ANY, "", ""},
{{"", "", "cpu.pressure"}, CORE, TEXT, READABLE, ANY, "", PRESSURE},
{{"", "", "irq.pressure"}, CORE, TEXT, READABLE, ANY, "", PRESSURE},

{{"", "cpuacct.usage", ""}, "cpuacct", NUMBER, READABLE, ANY, "", CPU_TIME},
{{"", "cpuacct.usage_user", ""}, "cpuacct", NUMBER, READABLE, ANY, "", CPU_TIME},
{{"", "cpuacct.usage_sys", ""}, "cpuacct", NUMBER, READABLE, ANY, "", CPU_TIME},
{{"", "cpuacct.stat", ""}, "cpuacct", TEXT, READABLE, ANY, "", CPU_TIME},
{{"", "cpuacct.usage_all", ""}, "cpuacct", TEXT, READABLE, ANY, "", CPU_EACH},
{{"", "cpuacct.usage_percpu", ""}, "cpuacct", TEXT, READABLE, ANY, "", CPU_EACH},
{{"", "cpuacct.usage_percpu_user", ""}, "cpuacct", TEXT, READABLE, ANY, "", CPU_EACH},
{{"", "cpuacct.usage_percpu_sys", ""}, "cpuacct", TEXT, READABLE, ANY, "", CPU_EACH},

{{"", "cpuset.effective_cpus", "cpuset.cpus.effective"}, "cpuset", TEXT, READABLE, ANY, "", ""},
{{"", "cpuset.effective_mems", "cpuset.mems.effective"}, "cpuset", TEXT, READABLE, ANY, "", ""},
{{"", "", "cpuset.cpus.partition"}, "cpuset", WORD, SETTABLE, ANY, " member root isolated ", "version 1 has cpuset.cpu_exclusive and cpuset.sched_load_balance instead"},
{{"", "", "cpuset.cpus.exclusive"}, "cpuset", SET, SETTABLE, ANY, "", "version 1 has cpuset.cpu_exclusive instead"},
{{"", "", "cpuset.cpus.exclusive.effective"}, "cpuset", TEXT, READABLE, ANY, "", V2_ONLY},
{{"", "", "cpuset.cpus.isolated"}, "cpuset", TEXT, NEVER, ANY, "", TOP_ONLY},
{{"", "cpuset.cpu_exclusive", ""}, "cpuset", NUMBER, SETTABLE, {{0}, {0, 1}}, "", PARTITION},
{{"", "cpuset.mem_exclusive", ""}, "cpuset", NUMBER, SETTABLE, {{0}, {0, 1}}, "", "version 2 has no exclusive memory nodes; give others another cpuset.mems"},
{{"", "cpuset.mem_hardwall", ""}, "cpuset", NUMBER, SETTABLE, {{0}, {0, 1}}, "", "version 2 has no exclusive memory nodes; give others another cpuset.mems"},
{{"", "cpuset.memory_migrate", ""}, "cpuset", NUMBER, SETTABLE, {{0}, {0, 1}}, "", "version 2 always moves the memory when cpuset.mems changes"},
{{"", "cpuset.memory_pressure", ""}, "cpuset", NUMBER, READABLE, ANY, "", "version 2 has memory.pressure instead"},
{{"", "cpuset.memory_pressure_enabled", ""}, "cpuset", NUMBER, NEVER, ANY, "", TOP_ONLY},
{{"", "cpuset.memory_spread_page", ""}, "cpuset", NUMBER, SETTABLE, {{0}, {0, 1}}, "", NO_SPREAD},
{{"", "cpuset.memory_spread_slab", ""}, "cpuset", NUMBER, SETTABLE, {{0}, {0, 1}}, "", NO_SPREAD},
{{"", "cpuset.sched_load_balance", ""}, "cpuset", NUMBER, SETTABLE, {{0}, {0, 1}}, "", PARTITION},
{{"", "cpuset.sched_relax_domain_level", ""}, "cpuset", AMOUNT, SETTABLE, {{0}, {0, 5}}, "", "version 2 does not say how far the scheduler looks for an idle processor"},

{{"", "", "memory.high"}, "memory", SIZE, SETTABLE, ANY, "", "version 1 does not slow a control group down before its limit; memory.limit_in_bytes is that limit"},
{{"", "", "memory.min"}, "memory", SIZE, SETTABLE, ANY, "", "version 1 guarantees no memory; memory.soft_limit_in_bytes only says who gives first"},
{{"", "", "memory.oom.group"}, "memory", NUMBER, SETTABLE, {{0}, {0}, {0, 1}}, "", "version 1 kills one process at a time"},
{{"", "", "memory.swap.high"}, "memory", SIZE, SETTABLE, ANY, "", "version 1 does not slow down who swaps; memory.memsw.limit_in_bytes is the limit"},
{{"", "", "memory.zswap.max"}, "memory", SIZE, SETTABLE, ANY, "", "version 1 does not limit compressed swap"},
{{"", "", "memory.zswap.writeback"}, "memory", NUMBER, SETTABLE, {{0}, {0}, {0, 1}}, "", "version 1 does not say it for each control group"},
{{"", "", "memory.reclaim"}, "memory", SIZE, ORDER, ANY, "", "version 1 has memory.force_empty, which reclaims all it can"},
{{"", "memory.usage_in_bytes", "memory.current"}, "memory", SIZE, READABLE, ANY, "", ""},
{{"", "memory.max_usage_in_bytes", "memory.peak"}, "memory", SIZE, READABLE, ANY, "", ""},
{{"", "memory.stat", "memory.stat"}, "memory", TEXT, READABLE, ANY, "", ""},
{{"", "memory.numa_stat", "memory.numa_stat"}, "memory", TEXT, READABLE, ANY, "", ""},
{{"", "", "memory.events"}, "memory", TEXT, READABLE, ANY, "", "version 1 has memory.failcnt and memory.oom_control instead"},
{{"", "", "memory.events.local"}, "memory", TEXT, READABLE, ANY, "", "version 1 has memory.failcnt and memory.oom_control instead"},
{{"", "", "memory.swap.current"}, "memory", SIZE, READABLE, ANY, "", "version 1 has swap in memory.stat; 'sc-cg stat' prints memory.swap.current everywhere"},
{{"", "", "memory.swap.peak"}, "memory", SIZE, READABLE, ANY, "", "version 1 has memory.memsw.max_usage_in_bytes, of memory and swap together"},
{{"", "", "memory.swap.events"}, "memory", TEXT, READABLE, ANY, "", "version 1 has memory.memsw.failcnt instead"},
{{"", "", "memory.zswap.current"}, "memory", SIZE, READABLE, ANY, "", V2_ONLY},
{{"", "", "memory.pressure"}, CORE, TEXT, READABLE, ANY, "", PRESSURE},
{{"", "memory.swappiness", ""}, "memory", NUMBER, SETTABLE, {{0}, {0, 200}}, "", "on version 2 vm.swappiness of the host holds; memory.swap.max=0 keeps a control group from swapping"},
{{"", "memory.oom_control", ""}, "memory", NUMBER, SETTABLE, {{0}, {0, 1}}, "", "version 2 always kills; memory.high slows down instead"},
{{"", "memory.move_charge_at_immigrate", ""}, "memory", NUMBER, SETTABLE, {{0}, {0, 3}}, "", "on version 2 memory stays where it was allocated when a process moves"},
{{"", "memory.use_hierarchy", ""}, "memory", NUMBER, SETTABLE, {{0}, {0, 1}}, "", "version 2 always counts what is below"},
{{"", "memory.force_empty", ""}, "memory", NUMBER, ORDER, ANY, "", "version 2 has memory.reclaim instead"},
{{"", "memory.pressure_level", ""}, "memory", TEXT, NEVER, ANY, "", "it is half of a request to be told, with cgroup.event_control, of a program that stays; version 2 has memory.pressure"},
{{"", "memory.failcnt", ""}, "memory", NUMBER, READABLE, ANY, "", EVENTS},
{{"", "memory.memsw.usage_in_bytes", ""}, "memory", SIZE, READABLE, ANY, "", BOTH_SWAP},
{{"", "memory.memsw.max_usage_in_bytes", ""}, "memory", SIZE, READABLE, ANY, "", BOTH_SWAP},
{{"", "memory.memsw.failcnt", ""}, "memory", NUMBER, READABLE, ANY, "", BOTH_SWAP},
{{"", "memory.kmem.limit_in_bytes", ""}, "memory", SIZE, SETTABLE, ANY, "", KMEM},
{{"", "memory.kmem.usage_in_bytes", ""}, "memory", SIZE, READABLE, ANY, "", KMEM},
{{"", "memory.kmem.max_usage_in_bytes", ""}, "memory", SIZE, READABLE, ANY, "", KMEM},
{{"", "memory.kmem.failcnt", ""}, "memory", NUMBER, READABLE, ANY, "", KMEM},
{{"", "memory.kmem.slabinfo", ""}, "memory", TEXT, READABLE, ANY, "", KMEM},
{{"", "memory.kmem.tcp.limit_in_bytes", ""}, "memory", SIZE, SETTABLE, ANY, "", KMEM_TCP},
{{"", "memory.kmem.tcp.usage_in_bytes", ""}, "memory", SIZE, READABLE, ANY, "", KMEM_TCP},
{{"", "memory.kmem.tcp.max_usage_in_bytes", ""}, "memory", SIZE, READABLE, ANY, "", KMEM_TCP},
{{"", "memory.kmem.tcp.failcnt", ""}, "memory", NUMBER, READABLE, ANY, "", KMEM_TCP},
/* not of kernel.org: some builds for small virtual machines have it */
{{"", "memory.shown_ram_in_bytes", ""}, "memory", SIZE, READABLE, ANY, "", "it is not of the kernel of kernel.org"},

{{"", "pids.max", "pids.max"}, "pids", AMOUNT, SETTABLE, {{0}, {0, 4194304}, {0, 4194304}}, "", ""},
{{"", "pids.current", "pids.current"}, "pids", NUMBER, READABLE, ANY, "", ""},
{{"", "pids.peak", "pids.peak"}, "pids", NUMBER, READABLE, ANY, "", ""},
{{"", "pids.events", "pids.events"}, "pids", TEXT, READABLE, ANY, "", ""},
{{"", "", "pids.events.local"}, "pids", TEXT, READABLE, ANY, "", "version 1 has pids.events"},

{{"", "", "io.latency"}, "io", LINE, SETTABLE, ANY, "", "version 1 aims at no latency; blkio.throttle.read_iops_device and the like limit the others"},
{{"", "blkio.prio.class", "io.prio.class"}, "io", WORD, SETTABLE, ANY, " no-change promote-to-rt restrict-to-be idle none-to-rt ", ""},
{{"", "", "io.low"}, "io", LINE, NEVER, ANY, "", "it was an experiment, which Linux 6.9 dropped; io.latency is what is left"},
{{"", "", "io.cost.qos"}, "io", LINE, NEVER, ANY, "", TOP_ONLY},
{{"", "", "io.cost.model"}, "io", LINE, NEVER, ANY, "", TOP_ONLY},
{{"", "", "io.stat"}, "io", TEXT, READABLE, ANY, "", "version 1 has blkio.throttle.io_service_bytes instead; 'sc-cg stat' prints io.rbytes everywhere"},
{{"", "", "io.pressure"}, CORE, TEXT, READABLE, ANY, "", PRESSURE},
{{"", "blkio.throttle.io_service_bytes", ""}, "io", TEXT, READABLE, ANY, "", THROTTLED},
{{"", "blkio.throttle.io_service_bytes_recursive", ""}, "io", TEXT, READABLE, ANY, "", THROTTLED},
{{"", "blkio.throttle.io_serviced", ""}, "io", TEXT, READABLE, ANY, "", THROTTLED},
{{"", "blkio.throttle.io_serviced_recursive", ""}, "io", TEXT, READABLE, ANY, "", THROTTLED},
{{"", "blkio.reset_stats", ""}, "io", NUMBER, ORDER, ANY, "", "version 2 never counts from 0 again"},
{{"", "blkio.leaf_weight", ""}, "io", NUMBER, SETTABLE, {{0}, {10, 1000}}, "", "version 2 has no processes beside children; put them into a child with an io.weight"},
{{"", "blkio.leaf_weight_device", ""}, "io", LINE, SETTABLE, ANY, "", "version 2 has no processes beside children; put them into a child with an io.weight"},
{{"", "blkio.bfq.io_service_bytes", ""}, "io", TEXT, READABLE, ANY, "", BFQ_COUNTS},
{{"", "blkio.bfq.io_service_bytes_recursive", ""}, "io", TEXT, READABLE, ANY, "", BFQ_COUNTS},
{{"", "blkio.bfq.io_serviced", ""}, "io", TEXT, READABLE, ANY, "", BFQ_COUNTS},
{{"", "blkio.bfq.io_serviced_recursive", ""}, "io", TEXT, READABLE, ANY, "", BFQ_COUNTS},
{{"", "blkio.bfq.time", ""}, "io", TEXT, READABLE, ANY, "", BFQ_COUNTS},
{{"", "blkio.bfq.time_recursive", ""}, "io", TEXT, READABLE, ANY, "", BFQ_COUNTS},
{{"", "blkio.bfq.sectors", ""}, "io", TEXT, READABLE, ANY, "", BFQ_COUNTS},
{{"", "blkio.bfq.sectors_recursive", ""}, "io", TEXT, READABLE, ANY, "", BFQ_COUNTS},
{{"", "blkio.bfq.io_service_time", ""}, "io", TEXT, READABLE, ANY, "", BFQ_COUNTS},
{{"", "blkio.bfq.io_service_time_recursive", ""}, "io", TEXT, READABLE, ANY, "", BFQ_COUNTS},
{{"", "blkio.bfq.io_wait_time", ""}, "io", TEXT, READABLE, ANY, "", BFQ_COUNTS},
{{"", "blkio.bfq.io_wait_time_recursive", ""}, "io", TEXT, READABLE, ANY, "", BFQ_COUNTS},
{{"", "blkio.bfq.io_merged", ""}, "io", TEXT, READABLE, ANY, "", BFQ_COUNTS},
{{"", "blkio.bfq.io_merged_recursive", ""}, "io", TEXT, READABLE, ANY, "", BFQ_COUNTS},
{{"", "blkio.bfq.io_queued", ""}, "io", TEXT, READABLE, ANY, "", BFQ_COUNTS},
{{"", "blkio.bfq.io_queued_recursive", ""}, "io", TEXT, READABLE, ANY, "", BFQ_COUNTS},
{{"", "blkio.bfq.avg_queue_size", ""}, "io", TEXT, READABLE, ANY, "", BFQ_COUNTS},
{{"", "blkio.bfq.group_wait_time", ""}, "io", TEXT, READABLE, ANY, "", BFQ_COUNTS},
{{"", "blkio.bfq.idle_time", ""}, "io", TEXT, READABLE, ANY, "", BFQ_COUNTS},
{{"", "blkio.bfq.empty_time", ""}, "io", TEXT, READABLE, ANY, "", BFQ_COUNTS},
{{"", "blkio.bfq.dequeue", ""}, "io", TEXT, READABLE, ANY, "", BFQ_COUNTS},
{{"", "blkio.time", ""}, "io", TEXT, READABLE, ANY, "", CFQ},
{{"", "blkio.time_recursive", ""}, "io", TEXT, READABLE, ANY, "", CFQ},
{{"", "blkio.sectors", ""}, "io", TEXT, READABLE, ANY, "", CFQ},
{{"", "blkio.sectors_recursive", ""}, "io", TEXT, READABLE, ANY, "", CFQ},
{{"", "blkio.io_service_bytes", ""}, "io", TEXT, READABLE, ANY, "", CFQ},
{{"", "blkio.io_service_bytes_recursive", ""}, "io", TEXT, READABLE, ANY, "", CFQ},
{{"", "blkio.io_serviced", ""}, "io", TEXT, READABLE, ANY, "", CFQ},
{{"", "blkio.io_serviced_recursive", ""}, "io", TEXT, READABLE, ANY, "", CFQ},
{{"", "blkio.io_service_time", ""}, "io", TEXT, READABLE, ANY, "", CFQ},
{{"", "blkio.io_service_time_recursive", ""}, "io", TEXT, READABLE, ANY, "", CFQ},
{{"", "blkio.io_wait_time", ""}, "io", TEXT, READABLE, ANY, "", CFQ},
{{"", "blkio.io_wait_time_recursive", ""}, "io", TEXT, READABLE, ANY, "", CFQ},
{{"", "blkio.io_merged", ""}, "io", TEXT, READABLE, ANY, "", CFQ},
{{"", "blkio.io_merged_recursive", ""}, "io", TEXT, READABLE, ANY, "", CFQ},
{{"", "blkio.io_queued", ""}, "io", TEXT, READABLE, ANY, "", CFQ},
{{"", "blkio.io_queued_recursive", ""}, "io", TEXT, READABLE, ANY, "", CFQ},
{{"", "blkio.avg_queue_size", ""}, "io", TEXT, READABLE, ANY, "", CFQ},
{{"", "blkio.group_wait_time", ""}, "io", TEXT, READABLE, ANY, "", CFQ},
{{"", "blkio.idle_time", ""}, "io", TEXT, READABLE, ANY, "", CFQ},
{{"", "blkio.empty_time", ""}, "io", TEXT, READABLE, ANY, "", CFQ},
{{"", "blkio.dequeue", ""}, "io", TEXT, READABLE, ANY, "", CFQ},
{{"", "blkio.unaccounted_time", ""}, "io", TEXT, READABLE, ANY, "", CFQ},

{{"", "hugetlb.*.usage_in_bytes", "hugetlb.*.current"}, "hugetlb", SIZE, READABLE, ANY, "", ""},
{{"", "hugetlb.*.rsvd.usage_in_bytes", "hugetlb.*.rsvd.current"}, "hugetlb", SIZE, READABLE, ANY, "", ""},
{{"", "hugetlb.*.max_usage_in_bytes", ""}, "hugetlb", SIZE, READABLE, ANY, "", "version 2 keeps no highest value of huge pages"},
{{"", "hugetlb.*.rsvd.max_usage_in_bytes", ""}, "hugetlb", SIZE, READABLE, ANY, "", "version 2 keeps no highest value of huge pages"},
{{"", "hugetlb.*.failcnt", ""}, "hugetlb", NUMBER, READABLE, ANY, "", "version 2 counts it in hugetlb.SIZE.events"},
{{"", "hugetlb.*.rsvd.failcnt", ""}, "hugetlb", NUMBER, READABLE, ANY, "", "version 2 does not count refused reservations"},
{{"", "hugetlb.*.numa_stat", "hugetlb.*.numa_stat"}, "hugetlb", TEXT, READABLE, ANY, "", ""},
{{"", "", "hugetlb.*.events"}, "hugetlb", TEXT, READABLE, ANY, "", "version 1 has hugetlb.SIZE.failcnt instead"},
{{"", "", "hugetlb.*.events.local"}, "hugetlb", TEXT, READABLE, ANY, "", "version 1 has hugetlb.SIZE.failcnt instead"},

{{"", "rdma.max", "rdma.max"}, "rdma", LINE, SETTABLE, ANY, "", ""},
{{"", "rdma.current", "rdma.current"}, "rdma", TEXT, READABLE, ANY, "", ""},

{{"", "misc.max", "misc.max"}, "misc", LINE, SETTABLE, ANY, "", ""},
{{"", "misc.current", "misc.current"}, "misc", TEXT, READABLE, ANY, "", ""},
{{"", "misc.peak", "misc.peak"}, "misc", TEXT, READABLE, ANY, "", ""},
{{"", "misc.events", "misc.events"}, "misc", TEXT, READABLE, ANY, "", ""},
{{"", "misc.events.local", "misc.events.local"}, "misc", TEXT, READABLE, ANY, "", ""},
{{"", "misc.capacity", "misc.capacity"}, "misc", TEXT, NEVER, ANY, "", TOP_ONLY},

{{"", "dmem.max", "dmem.max"}, "dmem", LINE, SETTABLE, ANY, "", ""},
{{"", "dmem.min", "dmem.min"}, "dmem", LINE, SETTABLE, ANY, "", ""},
{{"", "dmem.low", "dmem.low"}, "dmem", LINE, SETTABLE, ANY, "", ""},
{{"", "dmem.current", "dmem.current"}, "dmem", TEXT, READABLE, ANY, "", ""},
{{"", "dmem.capacity", "dmem.capacity"}, "dmem", TEXT, NEVER, ANY, "", TOP_ONLY},

{{"", "devices.list", ""}, "devices", TEXT, READABLE, ANY, "", "version 2 keeps device rules as an eBPF program, which has no list"},

{{"", "freezer.self_freezing", ""}, "freezer", NUMBER, READABLE, ANY, "", "version 2 has cgroup.freeze instead"},
{{"", "freezer.parent_freezing", ""}, "freezer", NUMBER, READABLE, ANY, "", "version 2 has frozen in cgroup.events instead"},

{{"", "net_cls.classid", ""}, "net_cls", NUMBER, SETTABLE, {{0}, {0, 4294967295ULL}}, "", NO_NET},

{{"", "net_prio.prioidx", ""}, "net_prio", NUMBER, READABLE, ANY, "", NO_NET},
{{"", "net_prio.ifpriomap", ""}, "net_prio", LINE, SETTABLE, ANY, "", NO_NET},

{{"", "", "cgroup.max.depth"}, CORE, AMOUNT, SETTABLE, {{0}, {0}, {0, INT_MAX}}, "", "version 1 does not limit how deep control groups nest"},
{{"", "", "cgroup.max.descendants"}, CORE, AMOUNT, SETTABLE, {{0}, {0}, {0, INT_MAX}}, "", "version 1 does not limit the number of control groups"},
{{"", "", "cgroup.type"}, CORE, WORD, SETTABLE, ANY, " threaded ", "version 1 puts threads anywhere, by its file tasks"},
{{"", "", "cgroup.pressure"}, CORE, NUMBER, SETTABLE, {{0}, {0}, {0, 1}}, "", PRESSURE},
{{"", "", "cgroup.controllers"}, CORE, TEXT, READABLE, ANY, "", "version 1 has /proc/cgroups"},
{{"", "", "cgroup.subtree_control"}, CORE, TEXT, READABLE, ANY, "", "'sc-cg create' enables the controllers above what it makes; version 1 has them everywhere"},
{{"", "", "cgroup.events"}, CORE, TEXT, READABLE, ANY, "", "version 1 tells of no events; 'sc-cg stat' and freezer.state have the state"},
{{"", "", "cgroup.stat"}, CORE, TEXT, READABLE, ANY, "", V2_ONLY},
{{"", "", "cgroup.stat.local"}, CORE, TEXT, READABLE, ANY, "", V2_ONLY},
{{"", "", "cgroup.kill"}, CORE, NUMBER, NEVER, ANY, "", "'sc-cg kill' does it on every version, and waits"},
{{"", "cgroup.procs", "cgroup.procs"}, CORE, TEXT, READABLE, ANY, "", "'sc-cg exec' puts a process there on every version"},
{{"", "", "cgroup.threads"}, CORE, TEXT, READABLE, ANY, "", "version 1 has its file tasks; 'sc-cg exec' puts a process there"},
{{"", "tasks", ""}, CORE, TEXT, READABLE, ANY, "", "'sc-cg exec' puts a process there; version 2 has cgroup.threads"},
{{"", "notify_on_release", ""}, CORE, NUMBER, SETTABLE, {{0}, {0, 1}}, "", "version 2 has populated in cgroup.events instead"},
{{"", "cgroup.clone_children", ""}, CORE, NUMBER, SETTABLE, {{0}, {0, 1}}, "", "version 2 always passes the cpuset of the parent on"},
{{"", "cgroup.event_control", ""}, CORE, TEXT, NEVER, ANY, "", "it registers an event for a program that stays; version 2 has memory.events and memory.pressure"},
{{"", "cgroup.sane_behavior", ""}, CORE, NUMBER, NEVER, ANY, "", "it is in the topmost directory alone, and always 0"},
{{"", "release_agent", ""}, CORE, TEXT, NEVER, ANY, "", "it runs a program of the host as root; no limit needs it"},
};
/* clang-format on */

#define NAMES LEN(names)

/* the table has * where a kernel has a size: "2MB" */
struct match {
	size_t name; /* NAMES: the kernel has no such file */
	int version; /* whose word it is; 1 if both have it */
	char size[16];
};

/* is TEXT, up to END, a size of huge pages: 64KB, 2MB, 1GB? */
static size_t huge_size(const char *text)
{
	size_t digits = strspn(text, "0123456789");

	if (digits == 0 || digits > 7 || !text[digits] || !strchr("KMG", text[digits]) ||
	    text[digits + 1] != 'B')
		return 0;
	return digits + 2;
}

static bool file_matches(const char *file, const char *key, struct match *found)
{
	const char *star = strchr(file, '*');
	size_t before, size;

	found->size[0] = '\0';
	if (!star)
		return strcmp(file, key) == 0;
	before = (size_t)(star - file);
	if (strncmp(file, key, before) != 0 || !(size = huge_size(key + before)) ||
	    strcmp(key + before + size, star + 1) != 0)
		return false;
	snprintf(found->size, sizeof(found->size), "%.*s", (int)size, key + before);
	return true;
}

static struct match find_name(const char *key)
{
	struct match found = {0};

	for (found.name = 0; found.name < NAMES; found.name++)
		for (found.version = 1; found.version <= 2; found.version++) {
			const char *file = names[found.name].file[found.version];

			if (file[0] == key[0] && file_matches(file, key, &found))
				return found;
		}
	return found;
}

/* the file of NAME in VERSION, with SIZE for the *; false if that version has none */
static bool file_of(size_t name, int version, const char *huge, char *file, size_t size)
{
	const char *pattern = names[name].file[version], *star;

	if (!pattern[0])
		return false;
	star = strchr(pattern, '*');
	if (star)
		snprintf(file, size, "%.*s%s%s", (int)(star - pattern), pattern, huge, star + 1);
	else
		snprintf(file, size, "%s", pattern);
	return true;
}

#endif
