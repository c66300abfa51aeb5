/* cg-stat.h: what a control group uses, in one set of words for all versions. What the host does
 * not tell is left out. */
#ifndef CG_STAT_H
#define CG_STAT_H

#include "cg-processes.h"
#include "cg-translate.h"

static void print_stat(const char *key, unsigned long long value)
{
	char text[32];

	value_text(value, "max", text, sizeof(text));
	printf("%s %s\n", key, text);
}

/* the number behind KEY in lines "key number" */
static bool keyed(const char *text, const char *key, unsigned long long *value)
{
	const char *line = line_about(text, key);

	return line && kernel_number(line, value);
}

static bool plain(int dir, const char *file, unsigned long long *value)
{
	char text[64];

	return dir >= 0 && read_file(dir, file, text, sizeof(text)) && kernel_number(text, value);
}

/* the directory of CG where CONTROLLER is, and the version */
static int stat_dir(const struct hierarchies *all, const char *cg, const char *controller,
		    int *version)
{
	const struct hierarchy *in = serving(all, controller, cg);

	/* the cpu time of version 2 is there without any controller */
	if (!in && strncmp(controller, "cpu", 3) == 0)
		in = of_version(all, 2);
	*version = in ? in->version : 0;
	return in ? open_cg(in, cg) : -1;
}

static void stat_cpu(const struct hierarchies *all, const char *cg)
{
	char text[4096] = "";
	unsigned long long value;
	int version, dir = stat_dir(all, cg, "cpuacct", &version);

	if (version == 1 && plain(dir, "cpuacct.usage", &value))
		print_stat("cpu.usage_usec", value / 1000);
	else if (version == 2 && dir >= 0 && read_file(dir, "cpu.stat", text, sizeof(text)) &&
		 keyed(text, "usage_usec", &value))
		print_stat("cpu.usage_usec", value);
	close_dir(dir);
	dir = stat_dir(all, cg, "cpu", &version);
	if (dir >= 0 && (version == 1 || !text[0]) &&
	    !read_file(dir, "cpu.stat", text, sizeof(text)))
		text[0] = '\0';
	close_dir(dir);
	if (keyed(text, "nr_periods", &value))
		print_stat("cpu.nr_periods", value);
	if (keyed(text, "nr_throttled", &value))
		print_stat("cpu.nr_throttled", value);
	if (keyed(text, version == 1 ? "throttled_time" : "throttled_usec", &value))
		print_stat("cpu.throttled_usec", version == 1 ? value / 1000 : value);
}

/* version 1 counts the victims of each control group, version 2 those of the subtree */
static void add_oom_kills(int parent, const char *name, void *data)
{
	char path[NAME_MAX + 32], text[256];
	unsigned long long value;

	snprintf(path, sizeof(path), "%s/memory.oom_control", name);
	if (read_file(parent, path, text, sizeof(text)) && keyed(text, "oom_kill", &value))
		*(unsigned long long *)data += value;
}

/* the processes of the subtree; where both versions have it, version 2 lists those who were born in
 * the control group, and version 1 also who waits for them */
static void print_procs(const struct hierarchies *all, const char *cg)
{
	int dir = open_with(all, cg, 2, "cgroup.procs");

	if (dir < 0)
		dir = open_with(all, cg, 1, "cgroup.procs");
	if (dir < 0)
		die("procs %s: no such control group", cg);
	struct pids pids = list_pids(dir);

	for (size_t i = 0; i < pids.n; i++)
		if (pids.at[i] > 0)
			printf("%d\n", pids.at[i]);
	free(pids.at);
	close_dir(dir);
}

static void stat_swap(int dir, int version, const char *counters)
{
	unsigned long long value, limit;

	if (version == 2) {
		if (plain(dir, "memory.swap.current", &value))
			print_stat("memory.swap.current", value);
		if (plain(dir, "memory.swap.max", &value))
			print_stat("memory.swap.max", value);
		return;
	}
	if (keyed(counters, "total_swap", &value))
		print_stat("memory.swap.current", value);
	if (plain(dir, "memory.memsw.limit_in_bytes", &value) &&
	    plain(dir, "memory.limit_in_bytes", &limit))
		print_stat("memory.swap.max",
			   value == UNLIMITED || limit == UNLIMITED || limit > value
			       ? UNLIMITED
			       : value - limit);
}

/* prints the memory lines; true and the number when the kernel counts who was killed */
static bool stat_memory(const struct hierarchies *all, const char *cg,
			unsigned long long *oom_kills)
{
	static const struct {
		const char *key, *file[3];
	} rows[] = {{"memory.current", {0, "memory.usage_in_bytes", "memory.current"}},
		    {"memory.max", {0, "memory.limit_in_bytes", "memory.max"}},
		    {"memory.high", {0, 0, "memory.high"}},
		    {"memory.peak", {0, "memory.max_usage_in_bytes", "memory.peak"}}};
	static const char *const events[][2] = {{"high", "memory.events.high"},
						{"max", "memory.events.max"},
						{"oom", "memory.events.oom"}};
	unsigned long long value;
	char text[4096] = "", counters[CG_FILE_MAX] = "";
	int version, dir = stat_dir(all, cg, "memory", &version);
	bool counted;

	if (dir < 0)
		return false;
	for (size_t i = 0; i < LEN(rows); i++)
		if (rows[i].file[version] && plain(dir, rows[i].file[version], &value))
			print_stat(rows[i].key, value);
	if (!read_file(dir, "memory.stat", counters, sizeof(counters)))
		counters[0] = '\0';
	if (keyed(counters, version == 1 ? "total_inactive_file" : "inactive_file", &value))
		print_stat("memory.inactive_file", value);
	stat_swap(dir, version, counters);
	*oom_kills = 0;
	if (!read_file(dir, version == 1 ? "memory.oom_control" : "memory.events", text,
		       sizeof(text)))
		text[0] = '\0';
	if (version == 1 && plain(dir, "memory.failcnt", &value))
		print_stat("memory.events.max", value);
	for (size_t i = 0; version == 2 && i < LEN(events); i++)
		if (keyed(text, events[i][0], &value))
			print_stat(events[i][1], value);
	counted = keyed(text, "oom_kill", oom_kills);
	if (version == 1)
		walk(dir, add_oom_kills, oom_kills);
	close_dir(dir);
	return counted;
}

static void stat_pids(const struct hierarchies *all, const char *cg)
{
	static const char *const files[] = {"pids.current", "pids.max", "pids.peak"};
	unsigned long long value;
	int version, dir = stat_dir(all, cg, "pids", &version);

	for (size_t i = 0; i < LEN(files); i++)
		if (plain(dir, files[i], &value))
			print_stat(files[i], value);
	close_dir(dir);
}

/* the sum of the numbers behind WORD */
static unsigned long long sum_of(const char *text, const char *word)
{
	unsigned long long sum = 0;

	for (const char *at = text; (at = strstr(at, word));) {
		at += strlen(word);
		sum += strtoull(at, NULL, 10);
	}
	return sum;
}

/* bytes and requests, of all devices together */
static void stat_io(const struct hierarchies *all, const char *cg)
{
	static const struct {
		const char *keys[2], *files[2];
	} v1[] = {
	    {{"io.rbytes", "io.wbytes"},
	     {"blkio.throttle.io_service_bytes_recursive", "blkio.throttle.io_service_bytes"}},
	    {{"io.rios", "io.wios"},
	     {"blkio.throttle.io_serviced_recursive", "blkio.throttle.io_serviced"}}};
	static const char *const v2[][2] = {{"io.rbytes", "rbytes="},
					    {"io.wbytes", "wbytes="},
					    {"io.rios", "rios="},
					    {"io.wios", "wios="}};
	char text[CG_FILE_MAX];
	int version, dir = stat_dir(all, cg, "blkio", &version);

	if (dir < 0)
		dir = stat_dir(all, cg, "io", &version);
	if (dir < 0)
		return;
	if (version == 2 && read_file(dir, "io.stat", text, sizeof(text)))
		for (size_t i = 0; i < LEN(v2); i++)
			print_stat(v2[i][0], sum_of(text, v2[i][1]));
	for (size_t i = 0; version == 1 && i < LEN(v1); i++) {
		if (!read_file(dir, v1[i].files[0], text, sizeof(text)) &&
		    !read_file(dir, v1[i].files[1], text, sizeof(text)))
			continue;
		print_stat(v1[i].keys[0], sum_of(text, " Read "));
		print_stat(v1[i].keys[1], sum_of(text, " Write "));
	}
	close_dir(dir);
}

/* hugetlb.SIZE.current for the sizes that this machine has */
static void stat_huge(const struct hierarchies *all, const char *cg)
{
	int version, dir = stat_dir(all, cg, "hugetlb", &version);
	DIR *list = dir < 0 ? NULL : opendir("/sys/kernel/mm/hugepages");
	unsigned long long kb, value;
	char file[96], key[64];

	for (struct dirent *entry; list && (entry = readdir(list));) {
		if (strncmp(entry->d_name, "hugepages-", 10) != 0)
			continue;
		kb = strtoull(entry->d_name + 10, NULL, 10);
		snprintf(key, sizeof(key), "hugetlb.%llu%s",
			 kb >= 1U << 20   ? kb >> 20
			 : kb >= 1U << 10 ? kb >> 10
					  : kb,
			 kb >= 1U << 20   ? "GB"
			 : kb >= 1U << 10 ? "MB"
					  : "KB");
		snprintf(file, sizeof(file), "%s.%s", key,
			 version == 1 ? "usage_in_bytes" : "current");
		snprintf(key + strlen(key), sizeof(key) - strlen(key), ".current");
		if (plain(dir, file, &value))
			print_stat(key, value);
	}
	if (list && closedir(list) < 0)
		die("close /sys/kernel/mm/hugepages:");
	close_dir(dir);
}

/* the lines "some avg10=0.00 avg60=0.00 avg300=0.00 total=0" and "full ..." */
static void stat_pressure(const struct hierarchies *all, const char *cg)
{
	static const char *const files[] = {"cpu.pressure", "memory.pressure", "io.pressure"};
	static const char *const words[] = {"avg10", "avg60", "total"};
	const struct hierarchy *in = of_version(all, 2);
	int dir = in ? open_cg(in, cg) : -1;
	char text[512];

	for (size_t f = 0; dir >= 0 && f < LEN(files); f++) {
		if (!read_file(dir, files[f], text, sizeof(text)))
			continue;
		for (size_t kind = 0; kind < 2; kind++) {
			const char *of = kind ? "full" : "some", *line = line_about(text, of);
			char *rest = NULL, copy[128];

			if (!line)
				continue;
			snprintf(copy, sizeof(copy), "%.*s", (int)strcspn(line, "\n"), line);
			for (char *word = strtok_r(copy, " ", &rest); word;
			     word = strtok_r(NULL, " ", &rest)) {
				char *value = strchr(word, '=');

				if (value)
					*value++ = '\0';
				for (size_t i = 0; value && i < LEN(words); i++)
					if (strcmp(words[i], word) == 0)
						printf("%s.%s.%s %s\n", files[f], of, word, value);
			}
		}
	}
	close_dir(dir);
}

static void stat_cg(const struct hierarchies *all, const char *cg)
{
	unsigned long long oom_kills;

	stat_cpu(all, cg);
	bool counted = stat_memory(all, cg, &oom_kills);

	stat_pids(all, cg);
	if (counted)
		print_stat("oom_kill", oom_kills);
	stat_io(all, cg);
	stat_huge(all, cg);
	stat_pressure(all, cg);
}

#endif
