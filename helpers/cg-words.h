/* cg-words.h: the parsing of KEY=VALUE into settings. Nothing here looks at the control groups of
 * the host; which keys there are stands in cg-names.h. */
#ifndef CG_WORDS_H
#define CG_WORDS_H

#include "cg-devices.h"
#include "cg-names.h"

#define UNLIMITED ULLONG_MAX
/* Version 1 has no word for "no limit" but the highest number of whole pages, huge ones for
 * hugetlb; no machine has as much memory. */
#define BYTES_UNLIMITED ((unsigned long long)LLONG_MAX - (1ULL << 35))
#define CPUS_MAX        8192
#define PERCENT_MAX     10000 /* in hundredths */
#define NICE_LOWEST     20
#define LINE_MAX_BYTES  120

struct setting {
	const char *key; /* as it was given, for messages; NULL while nothing was */
	int version;     /* whose vocabulary the value is in */
	unsigned long long value;
	const char *text; /* of a SET or a WORD */
};

/* one of several lines of a file, each with what it is about as its first word */
struct line {
	const char *key;
	size_t name;
	int version;
	char about[64];
	unsigned long long value;
	char *text; /* of a LINE */
};

struct huge {
	const char *key;
	size_t name;
	char size[16];
	unsigned long long unit, value;
};

struct settings {
	struct setting at[NAMES];
	size_t nlines, nhuge;
	struct line lines[64];
	struct huge huge[16];
	struct device_rules devices;
	const char *devices_key;
};

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
		range.max = LLONG_MAX;
	if (kind == SIZE && length > 1 && length < sizeof(digits)) {
		const char *suffix = strchr(suffixes, text[length - 1] | 0x20);

		if (suffix && *suffix) {
			shift = 10 * (unsigned int)(suffix - suffixes + 1);
			snprintf(digits, sizeof(digits), "%.*s", (int)length - 1, text);
			text = digits;
		}
	}
	unsigned long long value = number(key, text, range.min >> shift, range.max >> shift)
				   << shift;

	return kind == SIZE && value >= BYTES_UNLIMITED ? UNLIMITED : value;
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

/* "12.5" into hundredths; the kernel keeps two decimals */
static bool parse_percent(const char *text, unsigned long long *value)
{
	size_t whole = strspn(text, "0123456789"), decimals;
	const char *dot = text + whole;

	if (strcmp(text, "max") == 0) {
		*value = PERCENT_MAX;
		return true;
	}
	decimals = *dot == '.' ? strspn(dot + 1, "0123456789") : 0;
	if (whole == 0 || whole > 3 || decimals > 2 || (*dot && decimals == 0) ||
	    (*dot && dot[1 + decimals]))
		return false;
	*value = strtoull(text, NULL, 10) * 100;
	for (size_t i = 0, place = 10; i < decimals; i++, place /= 10)
		*value += (unsigned long long)(dot[1 + i] - '0') * place;
	return *value <= PERCENT_MAX;
}

/* "8:0" or "/dev/sda" into "8:0"; the kernel knows whole disks only */
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
		die("%s: %s is a partition; the kernel takes only a whole disk", key, device);
}

/* of two with the same name and the same first word the last counts */
static struct line *add_line(struct settings *to, const struct line *found)
{
	size_t i = 0;

	while (i < to->nlines &&
	       (to->lines[i].name != found->name || strcmp(to->lines[i].about, found->about) != 0))
		i++;
	if (i == LEN(to->lines))
		die("%s: more than %zu lines of devices in one call", found->key, LEN(to->lines));
	to->lines[i] = *found;
	if (i == to->nlines)
		to->nlines++;
	return &to->lines[i];
}

static void add_rate(struct settings *to, size_t name, int version, const char *key,
		     const char *device, const char *value)
{
	struct line found = {.key = key, .name = name, .version = version};

	parse_device(key, device, found.about, sizeof(found.about));
	found.value = parse_value(key, value, name == READ_BPS || name == WRITE_BPS ? SIZE : AMOUNT,
				  (struct range){version == 2, names[name].range[version].max});
	/* version 1 says "no limit" with a 0 */
	if (found.value == 0)
		found.value = UNLIMITED;
	add_line(to, &found);
}

/* io.max=DEVICE rbps=N ... */
static void parse_io_max(struct settings *to, const char *key, char *value)
{
	char *rest = NULL, *device = strtok_r(value, " ", &rest), *word;
	size_t count = 0;

	for (; (word = strtok_r(NULL, " ", &rest)); count++) {
		char *number_text = strchr(word, '=');
		size_t i = READ_BPS;

		if (number_text)
			*number_text++ = '\0';
		while (i <= WRITE_IOPS && strcmp(names[i].words, word) != 0)
			i++;
		if (!number_text || i > WRITE_IOPS)
			die("%s: '%s' is none of rbps=N wbps=N riops=N wiops=N", key, word);
		add_rate(to, i, 2, key, device, number_text);
	}
	if (count == 0)
		die("%s: must be a device and at least one of rbps=N wbps=N riops=N wiops=N", key);
}

/* "200", "default 200"; with a device "8:0 200", "/dev/sda default" */
static void parse_weight(struct settings *to, size_t name, int version, const char *key,
			 char *value)
{
	size_t whole = name == IO_WEIGHT || name == DEVICE_WEIGHT ? IO_WEIGHT : BFQ_WEIGHT;
	struct range range = names[name].range[version];
	char *space = strchr(value, ' ');
	struct line found = {.key = key, .version = version};

	if (name != whole && !space)
		die("%s: '%s' is not a device and a number", key, value);
	if (!space || strncmp(value, "default ", 8) == 0) {
		const char *text = space ? space + 1 : value;

		to->at[whole] = (struct setting){.key = key,
						 .version = version,
						 .value = number(key, text, range.min, range.max)};
		return;
	}
	if (version == 1 && name == whole)
		die("%s: '%s' is not a number; %s_device takes a device, too", key, value, key);
	*space = '\0';
	found.name = whole == IO_WEIGHT ? DEVICE_WEIGHT : BFQ_DEVICE_WEIGHT;
	parse_device(key, value, found.about, sizeof(found.about));
	found.value = strcmp(space + 1, "default") == 0 || strcmp(space + 1, "0") == 0
			  ? UNLIMITED
			  : number(key, space + 1, range.min, range.max);
	add_line(to, &found);
}

/* "NAME WORD...", where NAME may be the path of a block device */
static void parse_line(struct settings *to, size_t name, int version, const char *key, char *value)
{
	struct line found = {.key = key, .name = name, .version = version};
	char *space = strchr(value, ' ');

	if (!space || space == value || !space[1] || strlen(space) > LINE_MAX_BYTES)
		die("%s: '%s' is not a name and, in at most %d bytes, what is to hold for it", key,
		    value, LINE_MAX_BYTES);
	*space = '\0';
	if (value[0] == '/')
		parse_device(key, value, found.about, sizeof(found.about));
	else if (strlen(value) >= sizeof(found.about))
		die("%s: the name '%s' is longer than %zu bytes", key, value,
		    sizeof(found.about) - 1);
	else
		snprintf(found.about, sizeof(found.about), "%s", value);
	found.text = space + 1;
	add_line(to, &found);
}

static void parse_huge(struct settings *to, const struct match *found, const char *key,
		       const char *value)
{
	struct huge huge = {.key = key, .name = found->name};
	unsigned long long count = strtoull(found->size, NULL, 10);
	char path[96];
	size_t i = 0;

	memcpy(huge.size, found->size, sizeof(huge.size));
	huge.unit = count << (strchr(huge.size, 'K') ? 10 : strchr(huge.size, 'M') ? 20 : 30);
	huge.value = parse_value(key, value, SIZE, (struct range){0});
	snprintf(path, sizeof(path), "/sys/kernel/mm/hugepages/hugepages-%llukB", huge.unit / 1024);
	if (access(path, F_OK) < 0)
		die("%s: this host has no huge pages of that size: %s:", key, path);
	while (i < to->nhuge &&
	       (to->huge[i].name != huge.name || strcmp(to->huge[i].size, huge.size) != 0))
		i++;
	if (i == LEN(to->huge))
		die("%s: more than %zu settings of huge pages in one call", key, LEN(to->huge));
	to->huge[i] = huge;
	if (i == to->nhuge)
		to->nhuge++;
}

static void parse_word(const char *key, const char *words, const char *value)
{
	char word[32];

	snprintf(word, sizeof(word), " %s ", value);
	if (strlen(value) + 2 >= sizeof(word) || strchr(value, ' ') || !strstr(words, word))
		die("%s: '%s' is none of%.*s", key, value, (int)strlen(words) - 1, words);
}

static long parse_nice(const char *key, const char *text)
{
	long nice = strtol(text, NULL, 10);
	char canonical[16];

	snprintf(canonical, sizeof(canonical), "%ld", nice);
	if (strcmp(text, canonical) != 0 || nice < -NICE_LOWEST || nice >= NICE_LOWEST)
		die("%s: '%s' is not a number from %d to %d", key, text, -NICE_LOWEST,
		    NICE_LOWEST - 1);
	return nice;
}

static void parse_plain(struct settings *to, size_t name, int version, const char *key, char *value)
{
	struct setting *at = &to->at[name];
	const struct range range = names[name].range[version];
	unsigned char bits[CPUS_MAX / 8];

	*at = (struct setting){.key = key, .version = version, .text = value};
	switch (names[name].kind) {
	case SET:
		if (!parse_set(value, bits))
			die("%s: '%s' is not a list of numbers like 0-3,6", key, value);
		break;
	case WORD:
		parse_word(key, names[name].words, value);
		break;
	case STATE:
		at->value = strcmp(value, version == 1 ? "FROZEN" : "1") == 0;
		if (!at->value && strcmp(value, version == 1 ? "THAWED" : "0") != 0)
			die("%s: '%s' is neither %s", key, value,
			    version == 1 ? "FROZEN nor THAWED" : "1 nor 0");
		break;
	case PERCENT:
		if (!parse_percent(value, &at->value))
			die("%s: '%s' is neither a percentage from 0.00 to 100.00 nor max", key,
			    value);
		break;
	case NICE:
		at->value = NICE_LOWEST + (unsigned long long)parse_nice(key, value);
		break;
	default:
		at->value = parse_value(key, value, names[name].kind, range);
	}
	/* these two are one number */
	if (name == SHARES || name == NICE_WEIGHT)
		to->at[name == SHARES ? NICE_WEIGHT : SHARES].key = NULL;
}

/* the two words of cpu.max are the two files of version 1, and kept like those */
static void parse_cpu_max(struct settings *to, const char *key, char *value)
{
	char *period = strchr(value, ' ');

	if (period) {
		*period++ = '\0';
		parse_plain(to, PERIOD, 1, key, period);
	}
	parse_plain(to, QUOTA, 1, key, value);
}

static void parse_throttle(struct settings *to, size_t name, const char *key, char *value)
{
	char *space = strrchr(value, ' ');

	if (!space)
		die("%s: '%s' is not a device and a number", key, value);
	*space = '\0';
	add_rate(to, name, 1, key, value, space + 1);
}

/* WORD is KEY=VALUE and is cut into these in place */
static void parse_setting(struct settings *to, char *key)
{
	char *value = strchr(key, '=');

	if (!value || value == key)
		die("'%s' is not KEY=VALUE", key);
	*value++ = '\0';
	if (!*value)
		die("%s: the value is empty", key);
	struct match found = find_name(key);
	size_t name = found.name;

	if (name < NAMES && names[name].kind == RULE)
		to->devices_key = key;
	if (name == NAMES)
		die("%s: no such key; 'sc-cg keys' lists them", key);
	/* what cannot be set is refused where the host is known, for whatever value */
	if (names[name].access == READABLE || names[name].access == NEVER)
		to->at[name] = (struct setting){.key = key, .version = found.version};
	else if (name == QUOTA && found.version == 2)
		parse_cpu_max(to, key, value);
	else if (name == DEVICES && strcmp(value, "default") == 0)
		add_default_devices(&to->devices);
	else if (name == DEVICES)
		die("%s: '%s' is not 'default'; devices.allow and devices.deny take rules", key,
		    value);
	else if (name == DEVICES_ALLOW || name == DEVICES_DENY)
		add_device_rule(&to->devices, key, value, name == DEVICES_ALLOW);
	else if (name == HUGE_LIMIT || name == HUGE_RESERVED)
		parse_huge(to, &found, key, value);
	else if (names[name].kind == RATE && found.version == 2)
		parse_io_max(to, key, value);
	else if (names[name].kind == RATE)
		parse_throttle(to, name, key, value);
	else if (names[name].kind == WEIGHT)
		parse_weight(to, name, found.version, key, value);
	else if (names[name].kind == LINE)
		parse_line(to, name, found.version, key, value);
	else
		parse_plain(to, name, found.version, key, value);
}

#endif
