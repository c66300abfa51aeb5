/* cg-report.h: what the control groups of this host say, in the words that were asked for (get)
 * or in one set of words for all versions (stat). */
#ifndef CG_REPORT_H
#define CG_REPORT_H

#include "cg-processes.h"
#include "cg-translate.h"

static void print_value(const char *key, unsigned long long value, const char *unlimited)
{
	char text[32];

	value_text(value, unlimited, text, sizeof(text));
	printf("%s=%s\n", key, text);
}

static unsigned long long must_read(const char *key, int dir, const char *file, size_t word)
{
	struct place at = {.word = word};
	unsigned long long value;

	snprintf(at.file, sizeof(at.file), "%s", file);
	if (!read_place(dir, &at, &value))
		die("%s: read %s:", key, file);
	return value;
}

static void get_cpu_max(const struct hierarchies *all, const char *cg, const char *key)
{
	int dir, version = host_of(all, cg, key, "cpu", &dir);
	const char *const file[3] = {NULL, "cpu.cfs_period_us", "cpu.max"};
	unsigned long long quota =
	    must_read(key, dir, version == 1 ? "cpu.cfs_quota_us" : "cpu.max", 0);
	unsigned long long period = must_read(key, dir, file[version], version - 1U);
	char text[32];

	value_text(quota, "max", text, sizeof(text));
	if (strcmp(key, "cpu.max") == 0)
		printf("%s=%s %llu\n", key, text, period);
	else if (strcmp(key, "cpu.cfs_quota_us") == 0)
		print_value(key, quota, "-1");
	else
		print_value(key, period, "-1");
	close_dir(dir);
}

static void get_swap(const struct hierarchies *all, const char *cg, const char *key, int words)
{
	static const char *const files[3] = {NULL, "memory.memsw.limit_in_bytes",
					     "memory.swap.max"};
	int dir, version = host_of(all, cg, key, "memory", &dir);
	unsigned long long value = must_read(key, dir, files[version], 0);
	unsigned long long limit = must_read(key, dir, knobs[MEMORY].file[version], 0);

	if (version != words && value != UNLIMITED)
		value = limit == UNLIMITED ? UNLIMITED : words == 1 ? value + limit : value - limit;
	print_value(key, value, words == 1 ? "-1" : "max");
	close_dir(dir);
}

static void get_weight(int dir, int version, size_t knob, int words, const char *key)
{
	size_t other = knob == WEIGHT ? BFQ_WEIGHT : WEIGHT;
	const char *file = knobs[knob].file[version];

	if (knob != SHARES && !has_file(dir, file))
		file = knobs[other].file[version];
	unsigned long long value = must_read(key, dir, file, 0);
	bool io_words = strcmp(key, "io.weight") == 0, io_file = strcmp(file, "io.weight") == 0;

	if (knob == SHARES && version != words)
		value = words == 2 ? weight_of_shares(value) : shares_of_weight(value);
	else if (knob != SHARES && io_words && !io_file)
		value = io_of_blkio(value);
	else if (knob != SHARES && !io_words && io_file)
		value = blkio_of_io(value);
	print_value(key, value, "max");
}

static void get_file_text(const char *key, int dir, const char *file)
{
	char text[CG_FILE_MAX];

	if (!read_file(dir, file, text, sizeof(text)))
		die("%s: read %s:", key, file);
	for (char *rest = NULL, *line = strtok_r(text, "\n", &rest); line;
	     line = strtok_r(NULL, "\n", &rest))
		printf("%s=%s\n", key, line);
}

/* an empty list of version 2 means what the parent has */
static void get_set(const char *key, int dir, int version, const char *file)
{
	char text[CG_FILE_MAX], effective[64];

	if (!read_file(dir, file, text, sizeof(text)))
		die("%s: read %s:", key, file);
	snprintf(effective, sizeof(effective), "%s.effective", file);
	if (!text[0] && version == 2 && !read_file(dir, effective, text, sizeof(text)))
		die("%s: read %s:", key, effective);
	printf("%s=%s\n", key, text);
}

/* the lines of io.max out of the four files of version 1, or one of these out of io.max */
static void get_throttles(const struct hierarchies *all, const char *cg, const char *key)
{
	int dir, version = host_of(all, cg, key, "io", &dir);
	size_t only = find_rate(key), files = version == 1 ? RATES : 1;
	char seen[4096] = " ", text[CG_FILE_MAX], device[32], word[48];

	if (version == 1 && only < RATES) {
		get_file_text(key, dir, rates[only].v1);
		close_dir(dir);
		return;
	}
	for (size_t f = 0; f < files; f++) {
		if (!read_file(dir, version == 1 ? rates[f].v1 : "io.max", text, sizeof(text)))
			die("%s: read %s:", key, version == 1 ? rates[f].v1 : "io.max");
		for (char *rest = NULL, *line = strtok_r(text, "\n", &rest); line;
		     line = strtok_r(NULL, "\n", &rest)) {
			snprintf(device, sizeof(device), "%.*s", (int)strcspn(line, " "), line);
			snprintf(word, sizeof(word), " %s ", device);
			if (strstr(seen, word) || strlen(seen) + strlen(word) >= sizeof(seen))
				continue;
			snprintf(seen + strlen(seen), sizeof(seen) - strlen(seen), "%s", word + 1);
			if (only == RATES)
				printf("%s=%s", key, device);
			for (size_t r = 0; r < RATES; r++) {
				struct place at = {.name = version == 2 ? rates[r].word : NULL};
				unsigned long long value;
				char shown[32];

				snprintf(at.file, sizeof(at.file), "%s",
					 version == 1 ? rates[r].v1 : "io.max");
				snprintf(at.device, sizeof(at.device), "%s", device);
				if (!read_place(dir, &at, &value))
					die("%s: read %s:", key, at.file);
				value_text(value, "max", shown, sizeof(shown));
				if (only == RATES)
					printf(" %s=%s", rates[r].word, shown);
				else if (r == only && value != UNLIMITED)
					printf("%s=%s %s\n", key, device, shown);
			}
			if (only == RATES)
				printf("\n");
		}
	}
	close_dir(dir);
}

static bool is_frozen(int dir, int version)
{
	return dir >= 0 &&
	       current(dir, version == 2 ? "cgroup.freeze" : "freezer.state", 0, 0) == 1;
}

static void get_frozen(const struct hierarchies *all, const char *cg, const char *key, int words)
{
	int v1 = open_with(all, cg, 1, "freezer.state"),
	    v2 = open_with(all, cg, 2, "cgroup.freeze");

	if (v1 < 0 && v2 < 0)
		die("%s: no such control group %s, or neither cgroup.freeze nor freezer.state in "
		    "it",
		    key, cg);
	bool frozen = is_frozen(v1, 1) || is_frozen(v2, 2);

	printf("%s=%s\n", key, words == 2 ? (frozen ? "1" : "0") : frozen ? "FROZEN" : "THAWED");
	close_dir(v1);
	close_dir(v2);
}

static void get_knob(const struct hierarchies *all, const char *cg, size_t knob, int words,
		     const char *key)
{
	int dir, version = host_of(all, cg, key, knobs[knob].controller, &dir);

	if (!knobs[knob].file[version])
		die("%s: version %d of the %s controller, which this host uses, has no such "
		    "setting",
		    key, version, knobs[knob].controller);
	if (knobs[knob].kind == SET)
		get_set(key, dir, version, knobs[knob].file[version]);
	else if (knob == SHARES || knob == WEIGHT || knob == BFQ_WEIGHT)
		get_weight(dir, version, knob, words, key);
	else
		print_value(key, must_read(key, dir, knobs[knob].file[version], 0),
			    words == 1 && knob != PIDS ? "-1" : "max");
	close_dir(dir);
}

static void get(const struct hierarchies *all, const char *cg, const char *key)
{
	struct huge huge = {0};
	int words, dir;
	size_t knob = find_knob(key, &words);

	if (knob == QUOTA || knob == PERIOD) {
		get_cpu_max(all, cg, key);
	} else if (knob == SWAP) {
		get_swap(all, cg, key, words);
	} else if (knob == FREEZE) {
		get_frozen(all, cg, key, words);
	} else if (knob < KNOBS) {
		get_knob(all, cg, knob, words, key);
	} else if (find_rate(key) < RATES || strcmp(key, "io.max") == 0) {
		get_throttles(all, cg, key);
	} else if (parse_huge_key(key, &huge, &words)) {
		int version = host_of(all, cg, key, "hugetlb", &dir);
		char file[64];

		huge_file(&huge, version, file, sizeof(file));
		print_value(key, must_read(key, dir, file, 0), words == 1 ? "-1" : "max");
		close_dir(dir);
	} else if (strcmp(key, "devices.list") == 0) {
		if (host_of(all, cg, key, "devices", &dir) == 2)
			die("%s: version 2 keeps device rules as an eBPF program, which has no "
			    "list",
			    key);
		get_file_text(key, dir, key);
		close_dir(dir);
	} else {
		die("%s: no such key; sc-cg(8) lists them", key);
	}
}

static void print_stat(const char *key, unsigned long long value)
{
	char text[32];

	value_text(value, "max", text, sizeof(text));
	printf("%s %s\n", key, text);
}

/* KEY out of lines "key number"; false if it is not there */
static bool keyed(int dir, const char *file, const char *key, unsigned long long *value)
{
	char text[CG_FILE_MAX];
	const char *line;

	if (!read_file(dir, file, text, sizeof(text)) || !(line = device_line(text, key)))
		return false;
	return kernel_number(line, value);
}

static bool plain(int dir, const char *file, unsigned long long *value)
{
	char text[64];

	return read_file(dir, file, text, sizeof(text)) && kernel_number(text, value);
}

/* version 1 counts the victims of each control group, version 2 those of the subtree */
static void add_oom_kills(int parent, const char *name, void *data)
{
	char path[NAME_MAX + 32];
	unsigned long long value;

	snprintf(path, sizeof(path), "%s/memory.oom_control", name);
	if (keyed(parent, path, "oom_kill", &value))
		*(unsigned long long *)data += value;
}

/* the bytes read and written of all devices */
static bool io_bytes(int dir, int version, unsigned long long bytes[2])
{
	static const char *const files[] = {"io.stat", "blkio.throttle.io_service_bytes_recursive",
					    "blkio.throttle.io_service_bytes"};
	const char *const words[2] = {version == 2 ? "rbytes=" : " Read ",
				      version == 2 ? "wbytes=" : " Write "};
	char text[CG_FILE_MAX];
	const char *file = version == 2 ? files[0] : has_file(dir, files[1]) ? files[1] : files[2];

	bytes[0] = bytes[1] = 0;
	if (!read_file(dir, file, text, sizeof(text)))
		return false;
	for (size_t i = 0; i < 2; i++)
		for (const char *at = text; (at = strstr(at, words[i]));) {
			at += strlen(words[i]);
			bytes[i] += strtoull(at, NULL, 10);
		}
	return true;
}

/* the directory of CG where CONTROLLER is; cpu.stat of version 2 is there without any */
static int stat_dir(const struct hierarchies *all, const char *cg, const char *controller,
		    int *version)
{
	const struct hierarchy *in = serving(all, controller, cg);

	for (size_t i = 0; !in && strncmp(controller, "cpu", 3) == 0 && i < all->n; i++)
		if (all->at[i].version == 2)
			in = &all->at[i];
	*version = in ? in->version : 0;
	return in ? open_cg(in, cg) : -1;
}

static void stat_cpu(const struct hierarchies *all, const char *cg)
{
	unsigned long long value;
	int version, dir = stat_dir(all, cg, "cpuacct", &version);

	if (dir >= 0 && version == 1 && plain(dir, "cpuacct.usage", &value))
		print_stat("cpu.usage_usec", value / 1000);
	else if (dir >= 0 && version == 2 && keyed(dir, "cpu.stat", "usage_usec", &value))
		print_stat("cpu.usage_usec", value);
	close_dir(dir);
	dir = stat_dir(all, cg, "cpu", &version);
	if (dir >= 0 && keyed(dir, "cpu.stat", "nr_throttled", &value))
		print_stat("cpu.nr_throttled", value);
	if (dir >= 0 &&
	    keyed(dir, "cpu.stat", version == 1 ? "throttled_time" : "throttled_usec", &value))
		print_stat("cpu.throttled_usec", version == 1 ? value / 1000 : value);
	close_dir(dir);
}

static void stat_memory(const struct hierarchies *all, const char *cg,
			unsigned long long *oom_kills, bool *has_oom)
{
	static const struct {
		const char *key, *file[3];
	} rows[] = {{"memory.current", {0, "memory.usage_in_bytes", "memory.current"}},
		    {"memory.max", {0, "memory.limit_in_bytes", "memory.max"}},
		    {"memory.peak", {0, "memory.max_usage_in_bytes", "memory.peak"}}};
	unsigned long long value;
	int version, dir = stat_dir(all, cg, "memory", &version);

	if (dir < 0)
		return;
	for (size_t i = 0; i < LEN(rows); i++)
		if (plain(dir, rows[i].file[version], &value))
			print_stat(rows[i].key, value);
	if (version == 1 ? keyed(dir, "memory.stat", "total_swap", &value)
			 : plain(dir, "memory.swap.current", &value))
		print_stat("memory.swap.current", value);
	*oom_kills = 0;
	if (version == 1) {
		*has_oom = keyed(dir, "memory.oom_control", "oom_kill", oom_kills);
		walk(dir, add_oom_kills, oom_kills);
	} else {
		*has_oom = keyed(dir, "memory.events", "oom_kill", oom_kills);
	}
	close_dir(dir);
}

static void stat_cg(const struct hierarchies *all, const char *cg)
{
	unsigned long long value, oom_kills, bytes[2];
	bool has_oom = false;
	int version, dir;

	stat_cpu(all, cg);
	stat_memory(all, cg, &oom_kills, &has_oom);
	dir = stat_dir(all, cg, "pids", &version);
	if (dir >= 0 && plain(dir, "pids.current", &value))
		print_stat("pids.current", value);
	if (dir >= 0 && plain(dir, "pids.max", &value))
		print_stat("pids.max", value);
	close_dir(dir);
	if (has_oom)
		print_stat("oom_kill", oom_kills);
	dir = stat_dir(all, cg, "blkio", &version);
	if (dir < 0)
		dir = stat_dir(all, cg, "io", &version);
	if (dir >= 0 && io_bytes(dir, version, bytes)) {
		print_stat("io.rbytes", bytes[0]);
		print_stat("io.wbytes", bytes[1]);
	}
	close_dir(dir);
}

#endif
