/* cg-translate.h: settings in the words of either version onto the files of this host, and back.
 *
 * All settings become a plan first: a list of writes and a list of checks. Nothing is written
 * until the whole plan stands. */
#ifndef CG_TRANSLATE_H
#define CG_TRANSLATE_H

#include "cg-words.h"

#define PLAN_MAX 192

/* where in a file a value stands: the word'th word, or on DEVICE's line, there behind NAME= */
struct place {
	char file[80];
	size_t word;
	char device[32];
	const char *name;
};

struct check {
	const char *key;
	struct place at;
	unsigned long long value, unit; /* the kernel may round down to UNIT */
	const char *set;
};

struct put {
	const char *key;
	int dir;
	char file[80], text[128];
	const char *long_text; /* instead of text */
	bool done;
};

struct plan {
	const struct hierarchies *all;
	const char *cg; /* NULL: only validate */
	size_t nputs, nchecks;
	struct put puts[PLAN_MAX];
	struct check checks[PLAN_MAX];
};

static unsigned long long weight_of_shares(unsigned long long shares)
{
	return 1 + (shares - 2) * 9999 / 262142;
}

/* rounded up, so that the way back gives the same weight */
static unsigned long long shares_of_weight(unsigned long long weight)
{
	return 2 + ((weight - 1) * 262142 + 9998) / 9999;
}

static unsigned long long io_of_blkio(unsigned long long weight)
{
	return weight < 10 ? 1 : 1 + (weight - 10) * 9999 / 990;
}

static unsigned long long blkio_of_io(unsigned long long weight)
{
	return 10 + ((weight - 1) * 990 + 9998) / 9999;
}

/* a number as the kernel prints it, with what stands around it; false if there is none */
static bool kernel_number(const char *text, unsigned long long *value)
{
	static const char *const before[] = {"default ", "oom_kill_disable "};
	/* version 1 counts pages and has no word for "no limit" */
	const unsigned long long v1_unlimited = BYTES_MAX /
						(unsigned long long)sysconf(_SC_PAGESIZE) *
						(unsigned long long)sysconf(_SC_PAGESIZE);

	for (size_t i = 0; i < LEN(before); i++)
		if (strncmp(text, before[i], strlen(before[i])) == 0)
			text += strlen(before[i]);
	if (strncmp(text, "max", 3) == 0 || strncmp(text, "-1", 2) == 0) {
		*value = UNLIMITED;
	} else if (strncmp(text, "THAWED", 6) == 0 || strncmp(text, "FR", 2) == 0) {
		*value = text[0] == 'F';
	} else if (*text >= '0' && *text <= '9') {
		*value = strtoull(text, NULL, 10);
		if (*value >= v1_unlimited)
			*value = UNLIMITED;
	} else {
		return false;
	}
	return true;
}

/* the line of DEVICE in TEXT, behind its number; NULL if it has none */
static const char *device_line(const char *text, const char *device)
{
	size_t length = strlen(device);

	for (; *text; text += strcspn(text, "\n"), text += *text == '\n')
		if (strncmp(text, device, length) == 0 && text[length] == ' ')
			return text + length + 1;
	return NULL;
}

/* false and errno if the file cannot be read or has no such value; a device that is not
 * listed has no limit */
static bool read_place(int dir, const struct place *at, unsigned long long *value)
{
	char text[CG_FILE_MAX];
	const char *from;

	*value = UNLIMITED;
	if (!read_file(dir, at->file, text, sizeof(text)))
		return false;
	from = at->device[0] ? device_line(text, at->device) : text;
	if (!from)
		return true;
	if (at->name) {
		const char *end = from + strcspn(from, "\n");

		from = strstr(from, at->name);
		if (!from || from > end)
			return true;
		from += strlen(at->name) + 1;
	}
	for (size_t i = 0; i < at->word && *from; i++) {
		from += strcspn(from, " \n");
		from += strspn(from, " \n");
	}
	errno = EINVAL;
	return kernel_number(from, value);
}

static struct put *add_put(struct plan *plan, const char *key, int dir, const char *file,
			   const char *text)
{
	if (plan->nputs == PLAN_MAX)
		die("%s: too many settings in one call", key);
	struct put *put = &plan->puts[plan->nputs++];

	*put = (struct put){.key = key, .dir = dir};
	snprintf(put->file, sizeof(put->file), "%s", file);
	snprintf(put->text, sizeof(put->text), "%s", text);
	return put;
}

static struct check *add_check(struct plan *plan, const char *key, const char *file,
			       unsigned long long value)
{
	if (plan->nchecks == PLAN_MAX)
		die("%s: too many settings in one call", key);
	struct check *check = &plan->checks[plan->nchecks++];

	*check = (struct check){.key = key, .value = value, .unit = 1};
	snprintf(check->at.file, sizeof(check->at.file), "%s", file);
	return check;
}

static void value_text(unsigned long long value, const char *unlimited, char *text, size_t size)
{
	if (value == UNLIMITED)
		snprintf(text, size, "%s", unlimited);
	else
		snprintf(text, size, "%llu", value);
}

static void add_both(struct plan *plan, const char *key, int dir, int version, const char *file,
		     unsigned long long value, unsigned long long unit)
{
	char text[32];

	value_text(value, version == 1 && strcmp(file, "pids.max") != 0 ? "-1" : "max", text,
		   sizeof(text));
	add_put(plan, key, dir, file, text);
	add_check(plan, key, file, value)->unit = unit;
}

static unsigned long long page_size(void)
{
	return (unsigned long long)sysconf(_SC_PAGESIZE);
}

/* the version whose hierarchy serves CONTROLLER, and its directory; -1 in DIR for check */
static int host_of(const struct hierarchies *all, const char *cg, const char *key,
		   const char *controller, int *dir)
{
	bool io = strcmp(controller, "io") == 0;
	const struct hierarchy *in = serving(all, io ? "blkio" : controller, cg);

	/* version 2 has another name for it */
	if (!in && io)
		in = serving(all, controller, cg);
	*dir = -1;
	if (in && cg && (*dir = open_cg(in, cg)) < 0)
		die("%s: control group %s does not exist in %s", key, cg, in->name);
	if (!in && cg) {
		for (size_t i = 0; i < all->n; i++) {
			int top = all->at[i].version == 2 ? open_cg(&all->at[i], cg) : -1;

			if (all->at[i].version == 2 && top < 0)
				die("%s: control group %s does not exist", key, cg);
			close_dir(top);
		}
		if (serving(all, controller, NULL))
			die("%s: the %s controller is not enabled for %s: see "
			    "cgroup.subtree_control of its parent",
			    key, controller, cg);
	}
	if (!in)
		die("%s: no hierarchy of this host has the %s controller (see cgroup.controllers "
		    "and "
		    "/proc/cgroups)",
		    key, controller);
	return in->version;
}

static unsigned long long current(int dir, const char *file, size_t word,
				  unsigned long long otherwise)
{
	struct place at = {.word = word};
	unsigned long long value;

	snprintf(at.file, sizeof(at.file), "%s", file);
	return dir >= 0 && read_place(dir, &at, &value) ? value : otherwise;
}

static void plan_cpu_max(struct plan *plan, const struct settings *settings)
{
	const struct setting *quota = &settings->at[QUOTA], *period = &settings->at[PERIOD];
	const char *key = quota->key ? quota->key : period->key;
	char text[64], word[32];
	int dir;

	if (!key)
		return;
	int version = host_of(plan->all, plan->cg, key, "cpu", &dir);

	if (version == 1) {
		if (period->key)
			add_both(plan, period->key, dir, 1, "cpu.cfs_period_us", period->value, 1);
		if (quota->key)
			add_both(plan, quota->key, dir, 1, "cpu.cfs_quota_us", quota->value, 1);
		return;
	}
	unsigned long long q = quota->key ? quota->value : current(dir, "cpu.max", 0, UNLIMITED);
	unsigned long long p = period->key ? period->value : current(dir, "cpu.max", 1, 100000);

	value_text(q, "max", word, sizeof(word));
	snprintf(text, sizeof(text), "%s %llu", word, p);
	add_put(plan, key, dir, "cpu.max", text);
	add_check(plan, key, "cpu.max", q);
	add_check(plan, key, "cpu.max", p)->at.word = 1;
}

/* Memory and swap. Version 1 limits the two together, version 2 swap alone. */
static void plan_memory(struct plan *plan, const struct settings *settings)
{
	static const char *const files[3] = {NULL, "memory.memsw.limit_in_bytes",
					     "memory.swap.max"};
	const struct setting *memory = &settings->at[MEMORY], *swap = &settings->at[SWAP];
	const char *key = memory->key ? memory->key : swap->key;
	int dir;

	if (!key)
		return;
	int version = host_of(plan->all, plan->cg, key, "memory", &dir);
	const char *file = knobs[MEMORY].file[version];
	bool known = memory->key || dir >= 0, accounted = dir < 0 || has_file(dir, files[version]);
	unsigned long long old = current(dir, file, 0, UNLIMITED);
	unsigned long long old_swap =
	    accounted ? current(dir, files[version], 0, UNLIMITED) : UNLIMITED;
	unsigned long long limit = memory->key ? memory->value : old, value = swap->value;

	if (memory->key)
		add_both(plan, memory->key, dir, version, file, memory->value, page_size());
	if (!accounted) {
		if (swap->key)
			warn("%s: this kernel does not account swap; not limited", swap->key);
		return;
	}
	/* what this call wants, as memory and swap together (1) or as swap alone (2) */
	int words = swap->version;

	if (!swap->key) {
		words = memory->version;
		value = old_swap;
		if (limit != UNLIMITED)
			limit -= limit % page_size();
		if (version == 1 && words == 2 && value != UNLIMITED && old != UNLIMITED)
			value -= old;
		else if (version == 2 && words == 1 && value != UNLIMITED && old != UNLIMITED)
			value += old;
		else if (version == 2)
			return;
		if (value == UNLIMITED || (version == 2 && old == UNLIMITED))
			return;
	}
	const char *name = swap->key ? swap->key : memory->key;

	if (known && words == 1 && value != UNLIMITED && (limit == UNLIMITED || limit > value))
		die("%s: memory and swap together (%llu) cannot be limited below the memory limit; "
		    "give both "
		    "memory.limit_in_bytes and memory.memsw.limit_in_bytes",
		    name, value);
	if (words == version) {
		if (swap->key)
			add_both(plan, name, dir, version, files[version], value, page_size());
		return;
	}
	if (value != UNLIMITED) {
		if (!known)
			return;
		if (limit == UNLIMITED && swap->key)
			die("%s: version 1 limits memory and swap together, so a limit on swap "
			    "needs one on memory",
			    name);
		if (words == 2 && limit != UNLIMITED && value > BYTES_MAX - limit)
			die("%s: together with the memory limit this is too large", name);
		value = limit == UNLIMITED ? UNLIMITED : words == 1 ? value - limit : value + limit;
	}
	add_both(plan, name, dir, version, files[version], value, page_size());
}

static void plan_weight(struct plan *plan, const struct settings *settings, size_t knob)
{
	const struct setting *setting = &settings->at[knob];
	unsigned long long value = setting->value;
	int dir, version = host_of(plan->all, plan->cg, setting->key, knobs[knob].controller, &dir);
	const char *file = knobs[knob].file[version];

	if (knob == SHARES && version != setting->version)
		value = version == 2 ? weight_of_shares(value) : shares_of_weight(value);
	if (knob == WEIGHT || knob == BFQ_WEIGHT) {
		size_t other = knob == WEIGHT ? BFQ_WEIGHT : WEIGHT;
		bool io_words = knob == WEIGHT && setting->version == 2;

		if (dir >= 0 && !has_file(dir, file) && has_file(dir, knobs[other].file[version]))
			file = knobs[other].file[version];
		bool io_file = strcmp(file, "io.weight") == 0;

		if (io_words && !io_file)
			value = blkio_of_io(value);
		else if (!io_words && io_file)
			value = io_of_blkio(value);
		if (strcmp(file, "blkio.weight") == 0 && value < 10)
			value = 10;
	}
	add_both(plan, setting->key, dir, version, file, value, 1);
}

static void plan_set(struct plan *plan, const struct setting *setting, size_t knob)
{
	static const char *const effective[2][3] = {
	    {NULL, "cpuset.effective_cpus", "cpuset.cpus.effective"},
	    {NULL, "cpuset.effective_mems", "cpuset.mems.effective"},
	};
	unsigned char asked[CPUS_MAX / 8], there[CPUS_MAX / 8];
	int dir, version = host_of(plan->all, plan->cg, setting->key, "cpuset", &dir);
	const struct hierarchy *in = serving(plan->all, "cpuset", plan->cg);
	char path[CG_PATH_MAX] = ".", text[CG_FILE_MAX];
	const char *slash = plan->cg ? strrchr(plan->cg, '/') : NULL;

	if (slash)
		snprintf(path, sizeof(path), "%.*s", (int)(slash - plan->cg), plan->cg);
	int parent = open_dir(in->root, path, O_PATH);

	if (parent < 0)
		die("%s: open the parent control group:", setting->key);
	if (!read_file(parent, effective[knob == MEMS][version], text, sizeof(text)) ||
	    !parse_set(text, there) || !parse_set(setting->text, asked))
		die("%s: read %s of the parent:", setting->key, effective[knob == MEMS][version]);
	for (size_t i = 0; i < sizeof(asked); i++)
		if (asked[i] & ~there[i])
			die("%s: '%s' has some that are not there; there are %s", setting->key,
			    setting->text, text);
	close_dir(parent);
	add_put(plan, setting->key, dir, knobs[knob].file[version], "")->long_text = setting->text;
	add_check(plan, setting->key, knobs[knob].file[version], 0)->set = setting->text;
}

static void plan_throttle(struct plan *plan, const struct throttle *throttle)
{
	const struct rate *rate = &rates[throttle->rate];
	char text[96], number_text[32];
	int dir, version = host_of(plan->all, plan->cg, throttle->key, "io", &dir);

	value_text(throttle->value, version == 1 ? "0" : "max", number_text, sizeof(number_text));
	if (version == 1)
		snprintf(text, sizeof(text), "%s %s", throttle->device, number_text);
	else
		snprintf(text, sizeof(text), "%s %s=%s", throttle->device, rate->word, number_text);
	const char *file = version == 1 ? rate->v1 : "io.max";

	add_put(plan, throttle->key, dir, file, text);
	struct check *check = add_check(plan, throttle->key, file, throttle->value);

	snprintf(check->at.device, sizeof(check->at.device), "%s", throttle->device);
	check->at.name = version == 2 ? rate->word : NULL;
}

static void huge_file(const struct huge *huge, int version, char *file, size_t size)
{
	snprintf(file, size, "hugetlb.%s%s", huge->size, version == 1 ? ".limit_in_bytes" : ".max");
}

static void plan_huge(struct plan *plan, const struct huge *huge)
{
	char file[64];
	int dir, version = host_of(plan->all, plan->cg, huge->key, "hugetlb", &dir);

	huge_file(huge, version, file, sizeof(file));
	add_both(plan, huge->key, dir, version, file, huge->value, huge->unit);
}

static void plan_all(struct plan *plan, const struct settings *settings)
{
	plan_cpu_max(plan, settings);
	plan_memory(plan, settings);
	for (size_t i = 0; i < KNOBS; i++) {
		const struct setting *setting = &settings->at[i];
		int dir;

		if (!setting->key || i == QUOTA || i == PERIOD || i == MEMORY || i == SWAP)
			continue;
		if (knobs[i].kind == SET) {
			plan_set(plan, setting, i);
			continue;
		}
		if (i == SHARES || i == WEIGHT || i == BFQ_WEIGHT) {
			plan_weight(plan, settings, i);
			continue;
		}
		int version = host_of(plan->all, plan->cg, setting->key, knobs[i].controller, &dir);

		if (!knobs[i].file[version])
			die("%s: version %d of the %s controller, which this host uses, has no "
			    "such setting",
			    setting->key, version, knobs[i].controller);
		if (i == FREEZE)
			close_dir(dir);
		else
			add_both(plan, setting->key, dir, version, knobs[i].file[version],
				 setting->value, knobs[i].kind == SIZE ? page_size() : 1);
	}
	for (size_t i = 0; i < settings->nthrottles; i++)
		plan_throttle(plan, &settings->throttles[i]);
	for (size_t i = 0; i < settings->nhuge; i++)
		plan_huge(plan, &settings->huge[i]);
	for (size_t i = 0; plan->cg && i < plan->nputs; i++)
		if (!has_file(plan->puts[i].dir, plan->puts[i].file))
			die("%s: the kernel of this host has no %s", plan->puts[i].key,
			    plan->puts[i].file);
}

/* The kernel refuses a value that contradicts another file (EINVAL) although the whole would
 * be consistent; so what was refused is tried again as long as something else succeeds. */
static void write_plan(struct plan *plan)
{
	const struct put *refused = NULL;
	bool progress;

	do {
		refused = NULL;
		progress = false;
		for (size_t i = 0; i < plan->nputs; i++) {
			struct put *put = &plan->puts[i];
			const char *text = put->long_text ? put->long_text : put->text;

			if (put->done)
				continue;
			put->done = write_file(put->dir, put->file, text);
			if (put->done)
				progress = true;
			else if (errno != EINVAL)
				die("%s: write '%s' to %s of %s:", put->key, text, put->file,
				    plan->cg);
			else
				refused = put;
		}
	} while (refused && progress);
	errno = EINVAL;
	if (refused)
		die("%s: write '%s' to %s of %s (contradicts another limit of it or its parent?):",
		    refused->key, refused->long_text ? refused->long_text : refused->text,
		    refused->file, plan->cg);
}

static int dir_of(const struct plan *plan, const char *file)
{
	for (size_t i = 0; i < plan->nputs; i++)
		if (strcmp(plan->puts[i].file, file) == 0)
			return plan->puts[i].dir;
	return -1;
}

static void verify_plan(const struct plan *plan)
{
	unsigned char asked[CPUS_MAX / 8], kept[CPUS_MAX / 8];
	char text[CG_FILE_MAX], want[32], have[32];

	for (size_t i = 0; i < plan->nchecks; i++) {
		const struct check *check = &plan->checks[i];
		int dir = dir_of(plan, check->at.file);
		unsigned long long value;

		if (check->set) {
			if (!read_file(dir, check->at.file, text, sizeof(text)))
				die("%s: read back:", check->key);
			if (!parse_set(check->set, asked) || !parse_set(text, kept) ||
			    memcmp(asked, kept, sizeof(asked)) != 0)
				die("%s: asked %s, kernel kept '%s'", check->key, check->set, text);
			continue;
		}
		if (!read_place(dir, &check->at, &value))
			die("%s: read back %s:", check->key, check->at.file);
		if (value == check->value)
			continue;
		value_text(check->value, "max", want, sizeof(want));
		value_text(value, "max", have, sizeof(have));
		if (check->unit > 1 && check->value != UNLIMITED &&
		    check->value / check->unit * check->unit == value)
			warn("%s: asked %s, kernel kept %s", check->key, want, have);
		else
			die("%s: asked %s, but the kernel kept %s", check->key, want, have);
	}
}

#endif
