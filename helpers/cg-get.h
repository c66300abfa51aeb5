/* cg-get.h: what the control groups of this host say, in the words that were asked for, and
 * which names there are. A function that cannot answer warns and returns false. */
#ifndef CG_GET_H
#define CG_GET_H

#include "cg-processes.h"
#include "cg-translate.h"

/* what is asked, and the directory to read */
struct question {
	const char *key, *cg;
	struct match is;
	int dir, version; /* of the hierarchy that serves it */
};

static void print_value(const char *key, unsigned long long value, const char *unlimited)
{
	char text[32];

	value_text(value, unlimited, text, sizeof(text));
	printf("%s=%s\n", key, text);
}

static bool unread(const struct question *ask, const char *file)
{
	if (errno == ENOENT)
		warn("%s: the kernel of this host has no %s in %s", ask->key, file, ask->cg);
	else
		warn("%s: read %s of %s:", ask->key, file, ask->cg);
	return false;
}

static bool read_number(const struct question *ask, const char *file, size_t word,
			unsigned long long *value)
{
	struct place at = {.word = word};

	snprintf(at.file, sizeof(at.file), "%s", file);
	return read_place(ask->dir, &at, value) || unread(ask, file);
}

static bool get_cpu_max(const struct question *ask)
{
	const char *file = names[PERIOD].file[ask->version];
	unsigned long long quota, period;
	char text[32];

	if (!read_number(ask, names[QUOTA].file[ask->version], 0, &quota) ||
	    !read_number(ask, file, (size_t)ask->version - 1, &period))
		return false;
	value_text(quota, "max", text, sizeof(text));
	if (ask->is.version == 2)
		printf("%s=%s %llu\n", ask->key, text, period);
	else if (ask->is.name == QUOTA)
		print_value(ask->key, quota, "-1");
	else
		print_value(ask->key, period, "-1");
	return true;
}

static bool get_swap(const struct question *ask)
{
	unsigned long long value, limit;

	if (!read_number(ask, names[SWAP].file[ask->version], 0, &value) ||
	    !read_number(ask, names[MEMORY].file[ask->version], 0, &limit))
		return false;
	if (ask->version != ask->is.version && value != UNLIMITED)
		value = limit == UNLIMITED     ? UNLIMITED
			: ask->is.version == 1 ? value + limit
					       : value - limit;
	print_value(ask->key, value, ask->is.version == 1 ? "-1" : "max");
	return true;
}

static bool get_shares(const struct question *ask)
{
	bool nice = ask->is.name == NICE_WEIGHT;
	const char *file = names[ask->is.name].file[ask->version];
	unsigned long long value;
	char text[32];

	if (nice && ask->version == 2) {
		if (!read_file(ask->dir, file, text, sizeof(text)))
			return unread(ask, file);
		printf("%s=%s\n", ask->key, text);
		return true;
	}
	if (!read_number(ask, file, 0, &value))
		return false;
	/* that of an idle control group, which nobody can ask for */
	if (value == 0)
		value = 1;
	if (nice)
		printf("%s=%d\n", ask->key, (int)nice_of_shares(value) - NICE_LOWEST);
	else if (ask->version == ask->is.version)
		print_value(ask->key, value, "max");
	else
		print_value(ask->key,
			    ask->is.version == 2 ? weight_of_shares(value)
						 : shares_of_weight(value),
			    "max");
	return true;
}

/* the lines of FILE: those of devices, or the one without a device */
static bool get_weights(const struct question *ask, const char *file, bool devices)
{
	bool io_words = ask->is.version == 2 && ask->is.name == IO_WEIGHT;
	bool io_file = strcmp(file, "io.weight") == 0;
	char text[CG_FILE_MAX], *rest = NULL;

	if (!read_file(ask->dir, file, text, sizeof(text)))
		return unread(ask, file);
	for (char *line = strtok_r(text, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest)) {
		char *space = strchr(line, ' ');
		bool whole = !space || strncmp(line, "default ", 8) == 0;
		unsigned long long value;

		if (whole == devices || !kernel_number(space ? space + 1 : line, &value))
			continue;
		if (io_words && !io_file)
			value = io_of_blkio(value);
		else if (!io_words && io_file)
			value = blkio_of_io(value);
		if (devices)
			printf("%s=%.*s %llu\n", ask->key, (int)(space - line), line, value);
		else
			printf("%s=%llu\n", ask->key, value);
	}
	return true;
}

/* version 1 has a file for the devices, version 2 has them in one file with the rest */
static bool get_weight(const struct question *ask)
{
	size_t name = ask->is.name;
	bool device_words = name == DEVICE_WEIGHT || name == BFQ_DEVICE_WEIGHT;
	size_t whole = device_words ? name - DEVICE_WEIGHT + IO_WEIGHT : name;
	size_t each = whole - IO_WEIGHT + DEVICE_WEIGHT;
	const char *file = weight_file(ask->dir, ask->version, whole);
	const char *device_file = weight_file(ask->dir, ask->version, each);

	if (!device_words && !get_weights(ask, file, false))
		return false;
	if (!device_words && (ask->is.version == 1 || !has_file(ask->dir, device_file)))
		return true;
	return get_weights(ask, device_file, true);
}

static bool get_text(const struct question *ask, const char *file)
{
	char text[CG_FILE_MAX], *rest = NULL;

	if (!read_file(ask->dir, file, text, sizeof(text)))
		return unread(ask, file);
	if (!text[0])
		printf("%s=\n", ask->key);
	for (char *line = strtok_r(text, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest))
		printf("%s=%s\n", ask->key, line);
	return true;
}

/* an empty list of version 2 means what the parent has */
static bool get_set(const struct question *ask)
{
	const char *file = names[ask->is.name].file[ask->version];
	char text[CG_FILE_MAX], effective[64];

	if (!read_file(ask->dir, file, text, sizeof(text)))
		return unread(ask, file);
	snprintf(effective, sizeof(effective), "%s.effective", file);
	if (!text[0] && ask->version == 2 && !read_file(ask->dir, effective, text, sizeof(text)))
		return unread(ask, effective);
	printf("%s=%s\n", ask->key, text);
	return true;
}

/* the limits of DEVICE: all as a line of io.max, or only the one that was asked for */
static bool get_rates_of(const struct question *ask, const char *device)
{
	bool all = ask->is.version == 2;

	if (all)
		printf("%s=%s", ask->key, device);
	for (size_t i = READ_BPS; i <= WRITE_IOPS; i++) {
		struct place at = {.name = ask->version == 2 ? names[i].words : NULL};
		unsigned long long value;
		char shown[32];

		if (!all && i != ask->is.name)
			continue;
		snprintf(at.file, sizeof(at.file), "%s", names[i].file[ask->version]);
		snprintf(at.about, sizeof(at.about), "%s", device);
		if (!read_place(ask->dir, &at, &value))
			return unread(ask, at.file);
		value_text(value, "max", shown, sizeof(shown));
		if (all)
			printf(" %s=%s", names[i].words, shown);
		else if (value != UNLIMITED)
			printf("%s=%s %s\n", ask->key, device, shown);
	}
	if (all)
		printf("\n");
	return true;
}

/* the lines of io.max out of the four files of version 1, or one of these out of io.max */
static bool get_rates(const struct question *ask)
{
	size_t files = ask->version == 1 ? WRITE_IOPS - READ_BPS + 1 : 1;
	char seen[4096] = " ", text[CG_FILE_MAX], device[64], word[80];

	if (ask->version == 1 && ask->is.version == 1)
		files = 1;
	for (size_t f = 0; f < files; f++) {
		size_t name = files == 1 ? ask->is.name : READ_BPS + f;
		const char *file = names[name].file[ask->version];
		char *rest = NULL;

		if (!read_file(ask->dir, file, text, sizeof(text)))
			return unread(ask, file);
		for (char *line = strtok_r(text, "\n", &rest); line;
		     line = strtok_r(NULL, "\n", &rest)) {
			snprintf(device, sizeof(device), "%.*s", (int)strcspn(line, " "), line);
			snprintf(word, sizeof(word), " %s ", device);
			if (strstr(seen, word) || strlen(seen) + strlen(word) >= sizeof(seen))
				continue;
			snprintf(seen + strlen(seen), sizeof(seen) - strlen(seen), "%s", word + 1);
			if (!get_rates_of(ask, device))
				return false;
		}
	}
	return true;
}

static bool is_frozen(int dir, int version)
{
	return dir >= 0 && current(dir, names[FREEZE].file[version], 0, 0) == 1;
}

static bool get_frozen(const struct hierarchies *all, const struct question *ask)
{
	int v1 = open_with(all, ask->cg, 1, "freezer.state");
	int v2 = open_with(all, ask->cg, 2, "cgroup.freeze");
	bool frozen = is_frozen(v1, 1) || is_frozen(v2, 2);

	if (v1 < 0 && v2 < 0) {
		warn("%s: neither cgroup.freeze nor freezer.state in %s", ask->key, ask->cg);
		return false;
	}
	printf("%s=%s\n", ask->key,
	       ask->is.version == 2 ? (frozen ? "1" : "0") : (frozen ? "FROZEN" : "THAWED"));
	close_dir(v1);
	close_dir(v2);
	return true;
}

/* what is the same in both versions but for its name */
static bool get_plain(const struct question *ask)
{
	const struct name *row = &names[ask->is.name];
	unsigned long long value;
	char file[96];

	file_of(ask->is.name, ask->version, ask->is.size, file, sizeof(file));
	if (row->kind != NUMBER && row->kind != AMOUNT && row->kind != SIZE)
		return get_text(ask, file);
	if (!read_number(ask, file, 0, &value))
		return false;
	if (ask->is.name == MEMORY_LOW)
		value = memory_low(value, ask->version, ask->is.version);
	/* where both versions have the name, the answer is in the words of the host */
	print_value(ask->key, value,
		    ask->is.version == 1 &&
			    (!row->file[2][0] || strcmp(row->file[1], row->file[2]) != 0)
			? "-1"
			: "max");
	return true;
}

static bool answer(const struct hierarchies *all, const struct question *ask)
{
	switch (ask->is.name) {
	case QUOTA:
	case PERIOD:
		return get_cpu_max(ask);
	case SWAP:
		return get_swap(ask);
	case SHARES:
	case NICE_WEIGHT:
		return get_shares(ask);
	case FREEZE:
		return get_frozen(all, ask);
	case CPUS:
	case MEMS:
		return get_set(ask);
	default:
		break;
	}
	if (names[ask->is.name].kind == WEIGHT)
		return get_weight(ask);
	if (names[ask->is.name].kind == RATE)
		return get_rates(ask);
	return get_plain(ask);
}

static bool readable(size_t name)
{
	return names[name].access == READABLE ||
	       (names[name].access == SETTABLE && names[name].kind != RULE);
}

static bool get(const struct hierarchies *all, const char *cg, const char *key)
{
	struct question ask = {.key = key, .cg = cg, .is = find_name(key)};
	char why[400];

	if (ask.is.name == NAMES) {
		warn("%s: no such key; 'sc-cg keys' lists them", key);
		return false;
	}
	const struct hierarchy *in = host_of(all, cg, ask.is.name, why, sizeof(why));

	if (!readable(ask.is.name)) {
		warn("%s: it cannot be read: %s", key,
		     names[ask.is.name].note[0] ? names[ask.is.name].note : "it is an order");
		return false;
	}
	if (!in || (ask.dir = open_cg(in, cg)) < 0) {
		if (in)
			warn("%s: control group %s does not exist in %s", key, cg, in->name);
		else
			warn("%s: %s", key, why);
		return false;
	}
	ask.version = in->version;
	bool answered = answer(all, &ask);

	close_dir(ask.dir);
	return answered;
}

/* one line of keys: name, versions, what can be done, and by which file, or why it cannot */
static void print_key(const struct hierarchies *all, const char *cg, size_t name, int version)
{
	static const char *const words[] = {
	    [SETTABLE] = "set", [READABLE] = "read", [ORDER] = "order", [NEVER] = "refused"};
	const struct name *row = &names[name];
	const char *key = row->file[version], *word = words[row->access];
	bool both = version == 1 && row->file[2][0] && strcmp(row->file[2], key) == 0;
	char text[400];
	const struct hierarchy *in = host_of(all, cg, name, text, sizeof(text));
	const char *file = in ? row->file[in->version] : NULL;
	int dir = in && cg ? open_cg(in, cg) : -1;

	if (in && row->kind == WEIGHT)
		file = weight_file(dir, in->version, name);
	if (row->access == NEVER) {
		snprintf(text, sizeof(text), "%s", row->note);
	} else if (in && row->kind == RULE) {
		snprintf(text, sizeof(text), "%s", in->version == 2 ? "an eBPF program" : file);
	} else if (dir >= 0 && !strchr(file, '*') && !has_file(dir, file)) {
		word = "refused";
		snprintf(text, sizeof(text), "the kernel of this host has no %s", file);
	} else if (in) {
		snprintf(text, sizeof(text), "%s", file);
	} else {
		word = "refused";
	}
	close_dir(dir);
	printf("%s\t%s\t%s\t%s\n", key, both ? "1,2" : version == 1 ? "1" : "2", word, text);
}

/* the table, as it holds for CG or, if that is NULL, for any control group of this host */
static void print_keys(const struct hierarchies *all, const char *cg)
{
	for (size_t i = 0; i < NAMES; i++)
		for (int version = 1; version <= 2; version++) {
			const char *key = names[i].file[version];

			/* some stand for two files, and have each name twice */
			if (key[0] && (strchr(key, '*') || find_name(key).name == i) &&
			    (version == 1 || !names[i].file[1][0] ||
			     strcmp(names[i].file[1], key) != 0))
				print_key(all, cg, i, version);
		}
}

#endif
