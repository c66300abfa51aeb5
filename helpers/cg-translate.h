/* cg-translate.h: settings in the words of either version onto the files of this host. */
#ifndef CG_TRANSLATE_H
#define CG_TRANSLATE_H

#include "cg-plan.h"

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

/* the shares the kernel gives to each nice value, -20 first (sched_prio_to_weight) */
static const unsigned int nice_shares[] = {
    88761, 71755, 56483, 46273, 36291, 29154, 23254, 18705, 14949, 11916, 9548, 7620, 6100, 4904,
    3906,  3121,  2501,  1991,  1586,  1277,  1024,  820,   655,   526,   423,  335,  272,  215,
    172,   137,   110,   87,    70,    56,    45,    36,    29,    23,    18,   15};

/* the nice value with the nearest shares, plus 20 */
static size_t nice_of_shares(unsigned long long shares)
{
	size_t best = 0;
	unsigned long long least = ULLONG_MAX;

	for (size_t i = 0; i < LEN(nice_shares); i++) {
		unsigned long long off =
		    shares > nice_shares[i] ? shares - nice_shares[i] : nice_shares[i] - shares;

		if (off < least) {
			least = off;
			best = i;
		}
	}
	return best;
}

static unsigned long long page_size(void)
{
	return (unsigned long long)sysconf(_SC_PAGESIZE);
}

static const struct hierarchy *of_version(const struct hierarchies *all, int version)
{
	for (size_t i = 0; i < all->n; i++)
		if (all->at[i].version == version)
			return &all->at[i];
	return NULL;
}

static bool in_hierarchy(const struct hierarchy *in, const char *cg)
{
	int dir = open_cg(in, cg);

	close_dir(dir);
	return dir >= 0;
}

/* what the controller of ROW is called in VERSION; 0 for either */
static const char *controller_name(const struct name *row, int version)
{
	if (strcmp(row->controller, "io") != 0 || version == 2)
		return row->controller;
	return version == 1 ? "blkio" : "io (blkio in version 1)";
}

/* the hierarchy whose file says what NAME says, if this host has one; else NULL, and in WHY the
 * reason */
static const struct hierarchy *host_of(const struct hierarchies *all, const char *cg, size_t name,
				       char *why, size_t size)
{
	const struct name *row = &names[name];
	const char *controller = row->controller, *note = row->note;
	const char *colon = note[0] ? ": " : "";
	const struct hierarchy *in = NULL, *v2 = of_version(all, 2);

	/* freezing uses version 2 where it can, since a process frozen by version 1 cannot be
	 * killed */
	if (v2 && row->file[2][0] && (strcmp(controller, CORE) == 0 || name == FREEZE))
		in = v2;
	else if (strcmp(controller, CORE) == 0)
		in = of_version(all, row->file[1][0] ? 1 : 2);
	if (!in && strcmp(controller, "io") == 0)
		in = serving(all, "blkio", cg);
	if (!in && strcmp(controller, CORE) != 0)
		in = serving(all, controller, cg);
	if (in && row->file[in->version][0])
		return in;
	if (in)
		snprintf(why, size,
			 "version %d of the %s controller, which this host uses, has no such "
			 "file%s%s",
			 in->version, controller_name(row, in->version), colon, note);
	else if (strcmp(controller, CORE) == 0)
		snprintf(why, size, "this host has no version %d hierarchy%s%s",
			 row->file[1][0] ? 1 : 2, colon, note);
	else if (!row->file[2][0])
		snprintf(why, size, "this host has no version 1 hierarchy of the %s controller%s%s",
			 controller_name(row, 1), colon, note);
	else if (cg && v2 && !in_hierarchy(v2, cg))
		snprintf(why, size, "control group %s does not exist", cg);
	else if (cg && v2 && serving(all, controller, NULL))
		snprintf(why, size,
			 "the %s controller is not enabled for %s: see cgroup.subtree_control of "
			 "its parent",
			 controller, cg);
	else
		snprintf(why, size,
			 "no hierarchy of this host has the %s controller (see cgroup.controllers "
			 "and /proc/cgroups)%s%s",
			 controller_name(row, 0), row->file[1][0] ? "" : colon,
			 row->file[1][0] ? "" : note);
	return NULL;
}

/* why KEY, which is NAME, cannot be set where IN serves it; false if it can */
static bool not_settable(size_t name, const struct hierarchy *in, char *why, size_t size)
{
	const struct name *row = &names[name];
	const char *note = row->note[0] ? row->note : "the kernel only tells it";

	if (row->access == READABLE && in)
		snprintf(why, size, "it can be read, but not set: %s",
			 strcmp(row->controller, CORE) == 0 ? note : "the kernel only tells it");
	else if (row->access == NEVER)
		snprintf(why, size, "it is not set here: %s", note);
	else
		return false;
	return true;
}

/* the version that serves KEY, which is NAME, and the directory there; -1 in DIR for check */
static int must_host(const struct plan *plan, const char *key, size_t name, int *dir)
{
	char why[400];
	const struct hierarchy *in = host_of(plan->all, plan->cg, name, why, sizeof(why));

	*dir = -1;
	if (not_settable(name, in, why, sizeof(why)) || !in)
		die("%s: %s", key, why);
	if (plan->cg && (*dir = open_cg(in, plan->cg)) < 0)
		die("%s: control group %s does not exist in %s", key, plan->cg, in->name);
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
	int version = must_host(plan, key, QUOTA, &dir);

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
	add_check(plan, key, dir, "cpu.max", q);
	add_check(plan, key, dir, "cpu.max", p)->at.word = 1;
}

/* Memory and swap. Version 1 limits the two together, version 2 swap alone. */
static void plan_memory(struct plan *plan, const struct settings *settings)
{
	const struct setting *memory = &settings->at[MEMORY], *swap = &settings->at[SWAP];
	const char *key = memory->key ? memory->key : swap->key;
	int dir;

	if (!key)
		return;
	int version = must_host(plan, key, MEMORY, &dir);
	const char *file = names[MEMORY].file[version], *swap_file = names[SWAP].file[version];
	bool known = memory->key || dir >= 0, accounted = dir < 0 || has_file(dir, swap_file);
	unsigned long long old = current(dir, file, 0, UNLIMITED);
	unsigned long long old_swap = accounted ? current(dir, swap_file, 0, UNLIMITED) : UNLIMITED;
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
		die("%s: memory and swap together (%llu) cannot be less than memory alone; set "
		    "the limits of both",
		    name, value);
	if (words == version) {
		if (swap->key)
			add_both(plan, name, dir, version, swap_file, value, page_size());
		return;
	}
	if (value != UNLIMITED) {
		if (!known)
			return;
		if (limit == UNLIMITED && swap->key)
			die("%s: version 1 limits memory and swap together, so a limit on swap "
			    "needs one on memory",
			    name);
		if (words == 2 && limit != UNLIMITED && value > LLONG_MAX - limit)
			die("%s: together with the memory limit this is too large", name);
		value = limit == UNLIMITED ? UNLIMITED : words == 1 ? value - limit : value + limit;
	}
	add_both(plan, name, dir, version, swap_file, value, page_size());
}

/* a soft limit of version 1 that is none is the highest number, a protection of version 2 that is
 * none is 0 */
static unsigned long long memory_low(unsigned long long value, int words, int version)
{
	if (words == 1 && version == 2 && value == UNLIMITED)
		return 0;
	if (words == 2 && version == 1 && value == 0)
		return UNLIMITED;
	return value;
}

static void plan_shares(struct plan *plan, const struct setting *setting)
{
	int dir, version = must_host(plan, setting->key, SHARES, &dir);
	unsigned long long value = setting->value;

	if (version != setting->version)
		value = version == 2 ? weight_of_shares(value) : shares_of_weight(value);
	add_both(plan, setting->key, dir, version, names[SHARES].file[version], value, 1);
}

/* nice N: version 2 has a file for it, version 1 the shares that it stands for */
static void plan_nice(struct plan *plan, const struct setting *setting)
{
	int dir, version = must_host(plan, setting->key, NICE_WEIGHT, &dir);
	const char *file = names[NICE_WEIGHT].file[version];
	char text[16];

	if (version == 1) {
		add_both(plan, setting->key, dir, 1, file, nice_shares[setting->value], 1);
		return;
	}
	snprintf(text, sizeof(text), "%d", (int)setting->value - NICE_LOWEST);
	add_put(plan, setting->key, dir, file, text);
	add_check(plan, setting->key, dir, file, 0)->text = setting->text;
}

/* the file for NAME: that of the scheduler BFQ where the kernel has no other, and the other way
 * round */
static const char *weight_file(int dir, int version, size_t name)
{
	bool bfq = name == BFQ_WEIGHT || name == BFQ_DEVICE_WEIGHT;
	const char *file = names[name].file[version];
	const char *other = names[bfq ? name - 1 : name + 1].file[version];

	return dir >= 0 && !has_file(dir, file) && has_file(dir, other) ? other : file;
}

static void plan_weight(struct plan *plan, const char *key, size_t name, int words,
			const char *device, unsigned long long value)
{
	int dir, version = must_host(plan, key, name, &dir);
	const char *file = weight_file(dir, version, name);
	bool io_words = words == 2 && (name == IO_WEIGHT || name == DEVICE_WEIGHT);
	bool io_file = strcmp(file, "io.weight") == 0, scaled = value != UNLIMITED;
	char text[96], number_text[32];

	if (scaled && io_words && !io_file)
		value = blkio_of_io(value);
	else if (scaled && !io_words && io_file)
		value = io_of_blkio(value);
	if (scaled && strncmp(file, "blkio.weight", 12) == 0 && value < 10)
		value = 10;
	if (!device[0]) {
		add_both(plan, key, dir, version, file, value, 1);
		return;
	}
	value_text(value, "default", number_text, sizeof(number_text));
	snprintf(text, sizeof(text), "%s %s", device, number_text);
	add_put(plan, key, dir, file, text);
	struct check *check = add_check(plan, key, dir, file, value);

	snprintf(check->at.about, sizeof(check->at.about), "%s", device);
}

static void plan_set(struct plan *plan, const struct setting *setting, size_t name)
{
	static const char *const effective[2][3] = {
	    {NULL, "cpuset.effective_cpus", "cpuset.cpus.effective"},
	    {NULL, "cpuset.effective_mems", "cpuset.mems.effective"},
	};
	unsigned char asked[CPUS_MAX / 8], there[CPUS_MAX / 8];
	int dir, version = must_host(plan, setting->key, name, &dir);
	const struct hierarchy *in = serving(plan->all, "cpuset", plan->cg);
	const char *list = effective[name == MEMS][version];
	char path[CG_PATH_MAX] = ".", text[CG_FILE_MAX];
	const char *slash = plan->cg ? strrchr(plan->cg, '/') : NULL;

	if (slash)
		snprintf(path, sizeof(path), "%.*s", (int)(slash - plan->cg), plan->cg);
	int parent = open_dir(in->root, path, O_PATH);

	if (parent < 0)
		die("%s: open the parent control group:", setting->key);
	if (!read_file(parent, list, text, sizeof(text)) || !parse_set(text, there) ||
	    !parse_set(setting->text, asked))
		die("%s: read %s of the parent:", setting->key, list);
	for (size_t i = 0; i < sizeof(asked); i++)
		if (asked[i] & ~there[i])
			die("%s: '%s' has some that are not there; there are %s", setting->key,
			    setting->text, text);
	close_dir(parent);
	const char *file = names[name].file[version];

	add_put(plan, setting->key, dir, file, "")->long_text = setting->text;
	add_check(plan, setting->key, dir, file, 0)->set = setting->text;
}

static void plan_rate(struct plan *plan, const struct line *line)
{
	const struct name *rate = &names[line->name];
	char text[96], number_text[32];
	int dir, version = must_host(plan, line->key, line->name, &dir);
	const char *file = rate->file[version];

	value_text(line->value, version == 1 ? "0" : "max", number_text, sizeof(number_text));
	if (version == 1)
		snprintf(text, sizeof(text), "%s %s", line->about, number_text);
	else
		snprintf(text, sizeof(text), "%s %s=%s", line->about, rate->words, number_text);
	add_put(plan, line->key, dir, file, text);
	struct check *check = add_check(plan, line->key, dir, file, line->value);

	snprintf(check->at.about, sizeof(check->at.about), "%s", line->about);
	check->at.name = version == 2 ? rate->words : NULL;
}

static void plan_line(struct plan *plan, const struct line *line)
{
	char text[192];
	int dir;

	if (names[line->name].kind == RATE) {
		plan_rate(plan, line);
		return;
	}
	if (names[line->name].kind == WEIGHT) {
		plan_weight(plan, line->key, line->name, line->version, line->about, line->value);
		return;
	}
	const char *file = names[line->name].file[must_host(plan, line->key, line->name, &dir)];

	snprintf(text, sizeof(text), "%s %s", line->about, line->text);
	add_put(plan, line->key, dir, file, text);
	struct check *check = add_check(plan, line->key, dir, file, 0);

	snprintf(check->at.about, sizeof(check->at.about), "%s", line->about);
	check->text = line->text;
}

static void plan_huge(struct plan *plan, const struct huge *huge)
{
	char file[64];
	int dir, version = must_host(plan, huge->key, huge->name, &dir);

	file_of(huge->name, version, huge->size, file, sizeof(file));
	add_both(plan, huge->key, dir, version, file, huge->value, huge->unit);
}

/* what is the same in both versions but for its name */
static void plan_plain(struct plan *plan, const struct setting *setting, size_t name)
{
	int dir, version = must_host(plan, setting->key, name, &dir);
	const struct name *row = &names[name];
	const char *file = row->file[version];
	char text[32];

	if (row->access == ORDER) {
		value_text(setting->value, "max", text, sizeof(text));
		add_put(plan, setting->key, dir, file, text);
	} else if (row->kind == WORD) {
		add_put(plan, setting->key, dir, file, setting->text);
		add_check(plan, setting->key, dir, file, 0)->text = setting->text;
	} else if (row->kind == PERCENT) {
		percent_text(setting->value, text, sizeof(text));
		add_put(plan, setting->key, dir, file, text);
		add_check(plan, setting->key, dir, file, setting->value)->at.percent = true;
	} else if (row->kind == SET) {
		add_put(plan, setting->key, dir, file, "")->long_text = setting->text;
		add_check(plan, setting->key, dir, file, 0)->set = setting->text;
	} else {
		unsigned long long value = setting->value;

		if (name == MEMORY_LOW)
			value = memory_low(value, setting->version, version);
		add_both(plan, setting->key, dir, version, file, value,
			 row->kind == SIZE ? page_size() : 1);
	}
}

static void plan_all(struct plan *plan, const struct settings *settings)
{
	plan_cpu_max(plan, settings);
	plan_memory(plan, settings);
	for (size_t i = 0; i < NAMES; i++) {
		const struct setting *setting = &settings->at[i];
		int dir;

		if (!setting->key || i == QUOTA || i == PERIOD || i == MEMORY || i == SWAP)
			continue;
		if (i == CPUS || i == MEMS)
			plan_set(plan, setting, i);
		else if (i == NICE_WEIGHT)
			plan_nice(plan, setting);
		else if (i == IO_WEIGHT || i == BFQ_WEIGHT)
			plan_weight(plan, setting->key, i, setting->version, "", setting->value);
		else if (i == FREEZE)
			must_host(plan, setting->key, i, &dir);
		else if (i == SHARES)
			plan_shares(plan, setting);
		else
			plan_plain(plan, setting, i);
	}
	for (size_t i = 0; i < settings->nlines; i++)
		plan_line(plan, &settings->lines[i]);
	for (size_t i = 0; i < settings->nhuge; i++)
		plan_huge(plan, &settings->huge[i]);
	check_files(plan);
}

#endif
