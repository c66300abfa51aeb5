/* cg-words.h: the vocabulary: which keys there are, what values they take, and the parsing of
 * KEY=VALUE into settings. Nothing here looks at the control groups of the host.
 *
 * The names are the kernel's (Documentation/admin-guide/cgroup-v1/, cgroup-v2.rst); what
 * corresponds to what is taken from the OCI runtime specification (config-linux.md). */
#ifndef CG_WORDS_H
#define CG_WORDS_H

#include "cg-devices.h"

#define UNLIMITED ULLONG_MAX
#define BYTES_MAX ((unsigned long long)LLONG_MAX)
#define CPUS_MAX  8192

enum kind {
	NUMBER,
	AMOUNT,
	SIZE,
	SET,
	FREEZER
}; /* AMOUNT and SIZE have "no limit"; SIZE has k m g */

enum {
	SHARES,
	QUOTA,
	PERIOD,
	BURST,
	IDLE,
	RT_RUNTIME,
	RT_PERIOD,
	CPUS,
	MEMS,
	MEMORY,
	SWAP,
	MEMORY_LOW,
	MEMORY_HIGH,
	MEMORY_MIN,
	SWAPPINESS,
	OOM_CONTROL,
	OOM_GROUP,
	PIDS,
	WEIGHT,
	BFQ_WEIGHT,
	FREEZE,
	KNOBS
};

struct range {
	unsigned long long min, max;
};

static const struct knob {
	const char *file[3]; /* [1] and [2]: its name in version 1 and 2, NULL if it has none */
	const char *controller;
	enum kind kind;
	struct range range[3];
} knobs[KNOBS] = {
    [SHARES] = {{0, "cpu.shares", "cpu.weight"}, "cpu", NUMBER, {{0}, {2, 262144}, {1, 10000}}},
    [QUOTA] = {{0, "cpu.cfs_quota_us", "cpu.max"}, "cpu", AMOUNT, {{0}, {1000, 1ULL << 44}}},
    [PERIOD] = {{0, "cpu.cfs_period_us", "cpu.max"}, "cpu", NUMBER, {{0}, {1000, 1000000}}},
    [BURST] = {{0, "cpu.cfs_burst_us", "cpu.max.burst"},
	       "cpu",
	       NUMBER,
	       {{0}, {0, 1ULL << 44}, {0, 1ULL << 44}}},
    [IDLE] = {{0, "cpu.idle", "cpu.idle"}, "cpu", NUMBER, {{0}, {0, 1}, {0, 1}}},
    [RT_RUNTIME] = {{0, "cpu.rt_runtime_us", 0}, "cpu", AMOUNT, {{0}, {0, 1ULL << 44}}},
    [RT_PERIOD] = {{0, "cpu.rt_period_us", 0}, "cpu", NUMBER, {{0}, {1, 1ULL << 44}}},
    [CPUS] = {{0, "cpuset.cpus", "cpuset.cpus"}, "cpuset", SET, {{0}}},
    [MEMS] = {{0, "cpuset.mems", "cpuset.mems"}, "cpuset", SET, {{0}}},
    [MEMORY] = {{0, "memory.limit_in_bytes", "memory.max"}, "memory", SIZE, {{0}}},
    [SWAP] = {{0, "memory.memsw.limit_in_bytes", "memory.swap.max"}, "memory", SIZE, {{0}}},
    [MEMORY_LOW] = {{0, "memory.soft_limit_in_bytes", "memory.low"}, "memory", SIZE, {{0}}},
    [MEMORY_HIGH] = {{0, 0, "memory.high"}, "memory", SIZE, {{0}}},
    [MEMORY_MIN] = {{0, 0, "memory.min"}, "memory", SIZE, {{0}}},
    [SWAPPINESS] = {{0, "memory.swappiness", 0}, "memory", NUMBER, {{0}, {0, 100}}},
    [OOM_CONTROL] = {{0, "memory.oom_control", 0}, "memory", NUMBER, {{0}, {0, 1}}},
    [OOM_GROUP] = {{0, 0, "memory.oom.group"}, "memory", NUMBER, {{0}, {0}, {0, 1}}},
    [PIDS] = {{0, "pids.max", "pids.max"}, "pids", AMOUNT, {{0}, {0, 4194304}, {0, 4194304}}},
    [WEIGHT] = {{0, "blkio.weight", "io.weight"}, "io", NUMBER, {{0}, {10, 1000}, {1, 10000}}},
    [BFQ_WEIGHT] = {{0, "blkio.bfq.weight", "io.bfq.weight"},
		    "io",
		    NUMBER,
		    {{0}, {1, 1000}, {1, 1000}}},
    [FREEZE] = {{0, "freezer.state", "cgroup.freeze"}, "freezer", FREEZER, {{0}}},
};

enum { READ_BPS, WRITE_BPS, READ_IOPS, WRITE_IOPS, RATES };

static const struct rate {
	const char *v1, *word; /* the file of version 1, the word in io.max of version 2 */
	enum kind kind;
} rates[RATES] = {
    [READ_BPS] = {"blkio.throttle.read_bps_device", "rbps", SIZE},
    [WRITE_BPS] = {"blkio.throttle.write_bps_device", "wbps", SIZE},
    [READ_IOPS] = {"blkio.throttle.read_iops_device", "riops", AMOUNT},
    [WRITE_IOPS] = {"blkio.throttle.write_iops_device", "wiops", AMOUNT},
};

struct setting {
	const char *key; /* as it was given, for messages; NULL while nothing was */
	int version;     /* whose vocabulary the value is in */
	unsigned long long value;
	const char *text; /* of a SET */
};

struct throttle {
	const char *key;
	char device[32];
	size_t rate;
	unsigned long long value;
};

struct huge {
	const char *key;
	char size[32]; /* "2MB" or "2MB.rsvd" */
	unsigned long long unit, value;
};

struct settings {
	struct setting at[KNOBS];
	size_t nthrottles, nhuge;
	struct throttle throttles[64];
	struct huge huge[16];
	struct device_rules devices;
};

/* the knob KEY names, and in which version's words; KNOBS if none. cpu.max is found as QUOTA */
static size_t find_knob(const char *key, int *version)
{
	for (size_t i = 0; i < KNOBS; i++)
		for (*version = 1; *version <= 2; ++*version)
			if (knobs[i].file[*version] && strcmp(knobs[i].file[*version], key) == 0)
				return i;
	return KNOBS;
}

static size_t find_rate(const char *key)
{
	size_t i = 0;

	while (i < RATES && strcmp(rates[i].v1, key) != 0)
		i++;
	return i;
}

static unsigned long long parse_value(const char *key, const char *text, enum kind kind,
				      struct range range)
{
	static const char suffixes[] = "kmg";
	char digits[32];
	unsigned int shift = 0;
	size_t length = strlen(text);

	if (kind != NUMBER && (strcmp(text, "max") == 0 || strcmp(text, "-1") == 0))
		return UNLIMITED;
	if (range.max == 0)
		range.max = BYTES_MAX;
	if (kind == SIZE && length > 1 && length < sizeof(digits)) {
		const char *suffix = strchr(suffixes, text[length - 1] | 0x20);

		if (suffix && *suffix) {
			shift = 10 * (unsigned int)(suffix - suffixes + 1);
			snprintf(digits, sizeof(digits), "%.*s", (int)length - 1, text);
			text = digits;
		}
	}
	return number(key, text, range.min >> shift, range.max >> shift) << shift;
}

/* a list like 0-3,6 into a bitmap; false if it is none */
static bool parse_set(const char *text, unsigned char bits[CPUS_MAX / 8])
{
	memset(bits, 0, CPUS_MAX / 8);
	for (;;) {
		unsigned long from, to;
		char *end;

		if (*text < '0' || *text > '9')
			return false;
		errno = 0;
		from = to = strtoul(text, &end, 10);
		if (*end == '-') {
			if (end[1] < '0' || end[1] > '9')
				return false;
			to = strtoul(end + 1, &end, 10);
		}
		if (errno || from > to || to >= CPUS_MAX || (*end && *end != ','))
			return false;
		for (unsigned long i = from; i <= to; i++)
			bits[i / 8] |= (unsigned char)(1U << (i % 8));
		if (!*end)
			return true;
		text = end + 1;
	}
}

/* "8:0" or "/dev/sda" into "8:0"; the kernel throttles whole disks only */
static void parse_device(const char *key, const char *text, char *device, size_t size)
{
	char path[PATH_MAX];
	struct stat status;

	if (text[0] == '/') {
		if (stat(text, &status) < 0)
			die("%s: stat %s:", key, text);
		if (!S_ISBLK(status.st_mode))
			die("%s: %s is not a block device", key, text);
		snprintf(device, size, "%u:%u", major(status.st_rdev), minor(status.st_rdev));
	} else {
		int major_number, minor_number;
		const char *rest = text;

		if (!device_number(&rest, ':', &major_number) ||
		    !device_number(&rest, '\0', &minor_number) || major_number == DEVICE_ANY ||
		    minor_number == DEVICE_ANY)
			die("%s: '%s' is neither MAJOR:MINOR nor a path", key, text);
		snprintf(device, size, "%d:%d", major_number, minor_number);
	}
	snprintf(path, sizeof(path), "/sys/dev/block/%s", device);
	if (access(path, F_OK) < 0)
		die("%s: there is no block device %s:", key, device);
	snprintf(path, sizeof(path), "/sys/dev/block/%s/partition", device);
	if (access(path, F_OK) == 0)
		die("%s: %s is a partition; only a whole disk can be throttled", key, device);
}

static void add_throttle(struct settings *to, const char *key, const char *device, size_t rate,
			 const char *value)
{
	struct throttle found = {.key = key, .rate = rate};
	size_t i = 0;

	parse_device(key, device, found.device, sizeof(found.device));
	found.value = parse_value(key, value, rates[rate].kind, (struct range){0});
	/* version 1 says "no limit" with a 0 */
	if (found.value == 0)
		found.value = UNLIMITED;
	while (i < to->nthrottles && (to->throttles[i].rate != rate ||
				      strcmp(to->throttles[i].device, found.device) != 0))
		i++;
	if (i == LEN(to->throttles))
		die("%s: more than %zu throttles in one call", key, LEN(to->throttles));
	to->throttles[i] = found;
	if (i == to->nthrottles)
		to->nthrottles++;
}

/* io.max=DEVICE rbps=N ... */
static void parse_io_max(struct settings *to, const char *key, char *value)
{
	char *rest = NULL, *device = strtok_r(value, " ", &rest), *word;
	size_t words = 0;

	for (; (word = strtok_r(NULL, " ", &rest)); words++) {
		char *number_text = strchr(word, '=');
		size_t i = 0;

		if (number_text)
			*number_text++ = '\0';
		while (i < RATES && strcmp(rates[i].word, word) != 0)
			i++;
		if (!number_text || i == RATES)
			die("%s: '%s' is none of rbps=N wbps=N riops=N wiops=N", key, word);
		add_throttle(to, key, device, i, number_text);
	}
	if (words == 0)
		die("%s: must be a device and at least one of rbps=N wbps=N riops=N wiops=N", key);
}

/* hugetlb.SIZE.limit_in_bytes, hugetlb.SIZE.max, both with .rsvd after SIZE; false if KEY is not */
static bool parse_huge_key(const char *key, struct huge *found, int *version)
{
	static const char *const ends[3] = {NULL, ".limit_in_bytes", ".max"};
	size_t length = strlen(key);
	char digits[16];

	if (strncmp(key, "hugetlb.", 8) != 0)
		return false;
	for (*version = 1; *version <= 2; ++*version) {
		size_t end = strlen(ends[*version]);

		if (length <= 8 + end || length - 8 - end >= sizeof(found->size) ||
		    strcmp(key + length - end, ends[*version]) != 0)
			continue;
		snprintf(found->size, sizeof(found->size), "%.*s", (int)(length - 8 - end),
			 key + 8);
		size_t count = strspn(found->size, "0123456789");
		const char *unit = found->size + count;

		if (count == 0 || count >= 8 || !strchr("KMG", *unit) || unit[1] != 'B' ||
		    (unit[2] && strcmp(unit + 2, ".rsvd") != 0))
			return false;
		snprintf(digits, sizeof(digits), "%.*s", (int)count, found->size);
		found->unit = number(key, digits, 1, 9999999) << (*unit == 'K'   ? 10
								  : *unit == 'M' ? 20
										 : 30);
		return true;
	}
	return false;
}

static void parse_huge(struct settings *to, struct huge *found, const char *key, const char *value)
{
	char path[96];
	size_t i = 0;

	found->key = key;
	found->value = parse_value(key, value, SIZE, (struct range){0});
	snprintf(path, sizeof(path), "/sys/kernel/mm/hugepages/hugepages-%llukB",
		 found->unit / 1024);
	if (access(path, F_OK) < 0)
		die("%s: this host has no huge pages of that size: %s:", key, path);
	while (i < to->nhuge && strcmp(to->huge[i].size, found->size) != 0)
		i++;
	if (i == LEN(to->huge))
		die("%s: more than %zu settings of huge pages in one call", key, LEN(to->huge));
	to->huge[i] = *found;
	if (i == to->nhuge)
		to->nhuge++;
}

static void parse_knob(struct settings *to, size_t knob, int version, const char *key, char *value)
{
	struct setting *at = &to->at[knob];

	*at = (struct setting){.key = key, .version = version, .text = value};
	if (knobs[knob].kind == SET) {
		unsigned char bits[CPUS_MAX / 8];

		if (!parse_set(value, bits))
			die("%s: '%s' is not a list of numbers like 0-3,6", key, value);
	} else if (knobs[knob].kind == FREEZER) {
		at->value = strcmp(value, version == 1 ? "FROZEN" : "1") == 0;
		if (!at->value && strcmp(value, version == 1 ? "THAWED" : "0") != 0)
			die("%s: '%s' is neither %s", key, value,
			    version == 1 ? "FROZEN nor THAWED" : "1 nor 0");
	} else {
		at->value = parse_value(key, value, knobs[knob].kind, knobs[knob].range[version]);
	}
}

/* the two words of cpu.max are the two files of version 1, and kept like those */
static void parse_cpu_max(struct settings *to, const char *key, char *value)
{
	char *period = strchr(value, ' ');

	if (period) {
		*period++ = '\0';
		parse_knob(to, PERIOD, 1, key, period);
	}
	parse_knob(to, QUOTA, 1, key, value);
}

/* WORD is KEY=VALUE and is cut into these in place */
static void parse_setting(struct settings *to, char *word)
{
	char *value = strchr(word, '=');
	struct huge huge = {0};
	int version;

	if (!value || value == word)
		die("'%s' is not KEY=VALUE", word);
	*value++ = '\0';
	if (!*value)
		die("%s: the value is empty", word);
	size_t knob = find_knob(word, &version), rate = find_rate(word);

	if (strcmp(word, "cpu.max") == 0) {
		parse_cpu_max(to, word, value);
	} else if (knob < KNOBS) {
		parse_knob(to, knob, version, word, value);
	} else if (strcmp(word, "io.max") == 0) {
		parse_io_max(to, word, value);
	} else if (rate < RATES) {
		char *space = strrchr(value, ' ');

		if (!space)
			die("%s: '%s' is not a device and a number", word, value);
		*space = '\0';
		add_throttle(to, word, value, rate, space + 1);
	} else if (strcmp(word, "devices.allow") == 0 || strcmp(word, "devices.deny") == 0) {
		add_device_rule(&to->devices, word, value, word[8] == 'a');
	} else if (strcmp(word, "devices") == 0 && strcmp(value, "default") == 0) {
		add_default_devices(&to->devices);
	} else if (parse_huge_key(word, &huge, &version)) {
		parse_huge(to, &huge, word, value);
	} else {
		die("%s: no such key; sc-cg(8) lists them", word);
	}
}

#endif
