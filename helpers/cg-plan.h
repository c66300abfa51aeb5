/* cg-plan.h: what is to be written into which file, and what has to stand there afterwards.
 *
 * All settings become a plan first: a list of writes and a list of checks. Nothing is written
 * until the whole plan stands. */
#ifndef CG_PLAN_H
#define CG_PLAN_H

#include "cg-words.h"

#define PLAN_MAX 192

/* where in a file a value stands: the word'th word, or on ABOUT's line, there behind NAME= */
struct place {
	char file[80], about[64];
	size_t word;
	const char *name;
	bool percent;
};

struct check {
	const char *key;
	int dir;
	struct place at;
	unsigned long long value, unit; /* the kernel may round down to UNIT */
	const char *set;                /* or: these numbers */
	const char *text;               /* or: this text, with a device these words */
};

struct put {
	const char *key;
	int dir;
	char file[80], text[192];
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

/* a number as the kernel prints it, with what stands around it; false if there is none */
static bool kernel_number(const char *text, unsigned long long *value)
{
	static const char *const before[] = {"default ", "oom_kill_disable "};

	for (size_t i = 0; i < LEN(before); i++)
		if (strncmp(text, before[i], strlen(before[i])) == 0)
			text += strlen(before[i]);
	if (strncmp(text, "max", 3) == 0 || strncmp(text, "-1", 2) == 0) {
		*value = UNLIMITED;
	} else if (strncmp(text, "THAWED", 6) == 0 || strncmp(text, "FR", 2) == 0) {
		*value = text[0] == 'F';
	} else if (*text >= '0' && *text <= '9') {
		*value = strtoull(text, NULL, 10);
		if (*value >= BYTES_UNLIMITED)
			*value = UNLIMITED;
	} else {
		return false;
	}
	return true;
}

/* the line about ABOUT in TEXT, behind that word; NULL if there is none */
static const char *line_about(const char *text, const char *about)
{
	size_t length = strlen(about);

	for (; *text; text += strcspn(text, "\n"), text += *text == '\n')
		if (strncmp(text, about, length) == 0 && text[length] == ' ')
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
	errno = EINVAL;
	if (at->percent)
		return parse_percent(text, value);
	from = at->about[0] ? line_about(text, at->about) : text;
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

static struct check *add_check(struct plan *plan, const char *key, int dir, const char *file,
			       unsigned long long value)
{
	if (plan->nchecks == PLAN_MAX)
		die("%s: too many settings in one call", key);
	struct check *check = &plan->checks[plan->nchecks++];

	*check = (struct check){.key = key, .dir = dir, .value = value, .unit = 1};
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

static void percent_text(unsigned long long value, char *text, size_t size)
{
	if (value == PERCENT_MAX)
		snprintf(text, size, "max");
	else
		snprintf(text, size, "%llu.%02llu", value / 100, value % 100);
}

static void add_both(struct plan *plan, const char *key, int dir, int version, const char *file,
		     unsigned long long value, unsigned long long unit)
{
	char text[32];

	value_text(value, version == 1 && strcmp(file, "pids.max") != 0 ? "-1" : "max", text,
		   sizeof(text));
	add_put(plan, key, dir, file, text);
	add_check(plan, key, dir, file, value)->unit = unit;
}

/* the whole plan, before the first write */
static void check_files(const struct plan *plan)
{
	for (size_t i = 0; plan->cg && i < plan->nputs; i++)
		if (!has_file(plan->puts[i].dir, plan->puts[i].file))
			die("%s: the kernel of this host has no %s", plan->puts[i].key,
			    plan->puts[i].file);
}

/* an idle control group has the weight 0, below the least that can be asked for */
static bool is_asked(const struct check *check, unsigned long long value)
{
	return value == check->value ||
	       (value == 0 && check->value == 1 && strcmp(check->at.file, "cpu.weight") == 0);
}

/* has the kernel what PUT was to write already? The shares of an idle control group, say, cannot be
 * written, not even as they are. */
static bool is_kept(const struct plan *plan, const struct put *put)
{
	bool found = false;

	for (size_t i = 0; i < plan->nchecks; i++) {
		const struct check *check = &plan->checks[i];
		unsigned long long value;

		if (check->dir != put->dir || strcmp(check->at.file, put->file) != 0)
			continue;
		if (check->set || check->text || !read_place(check->dir, &check->at, &value) ||
		    !is_asked(check, value))
			return false;
		found = true;
	}
	return found;
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
			else if (!is_kept(plan, put))
				refused = put;
		}
	} while (refused && progress);
	errno = EINVAL;
	if (refused)
		die("%s: write '%s' to %s of %s (contradicts another limit of it or its parent?):",
		    refused->key, refused->long_text ? refused->long_text : refused->text,
		    refused->file, plan->cg);
}

/* are all of the words ASKED on LINE? */
static bool has_words(const char *line, const char *asked)
{
	char text[256], copy[256], *rest = NULL;

	snprintf(text, sizeof(text), "%.*s", (int)strcspn(line, "\n"), line);
	snprintf(copy, sizeof(copy), "%s", asked);
	for (char *word = strtok_r(copy, " ", &rest); word; word = strtok_r(NULL, " ", &rest))
		if (!has_word(text, word, ' '))
			return false;
	return true;
}

static void verify_text(const struct check *check)
{
	unsigned char asked[CPUS_MAX / 8], kept[CPUS_MAX / 8];
	char text[CG_FILE_MAX];
	const char *line = text;

	if (!read_file(check->dir, check->at.file, text, sizeof(text)))
		die("%s: read back %s:", check->key, check->at.file);
	if (check->set) {
		if (!parse_set(check->set, asked) || !parse_set(text, kept) ||
		    memcmp(asked, kept, sizeof(asked)) != 0)
			die("%s: asked %s, but the kernel kept '%s'", check->key, check->set, text);
		return;
	}
	if (check->at.about[0])
		line = line_about(text, check->at.about);
	if (check->at.about[0] ? !line || !has_words(line, check->text)
			       : strcmp(text, check->text) != 0)
		die("%s: asked %s, but the kernel kept '%.*s'", check->key, check->text,
		    line ? (int)strcspn(line, "\n") : 0, line ? line : "");
}

/* what the kernel rounded is told, what it did not keep is an error */
static void verify_plan(const struct plan *plan)
{
	char want[32], have[32];

	for (size_t i = 0; i < plan->nchecks; i++) {
		const struct check *check = &plan->checks[i];
		unsigned long long value;
		bool rounded = check->unit > 1 && check->value != UNLIMITED;

		if (check->set || check->text) {
			verify_text(check);
			continue;
		}
		if (!read_place(check->dir, &check->at, &value))
			die("%s: read back %s:", check->key, check->at.file);
		if (is_asked(check, value))
			continue;
		if (check->at.percent) {
			/* the kernel has 1024 steps to a processor */
			rounded = value == PERCENT_MAX && check->value >= 9995;
			percent_text(check->value, want, sizeof(want));
			percent_text(value, have, sizeof(have));
		} else {
			rounded = rounded && check->value / check->unit * check->unit == value;
			value_text(check->value, "max", want, sizeof(want));
			value_text(value, "max", have, sizeof(have));
		}
		if (rounded)
			warn("%s: asked %s, kernel kept %s", check->key, want, have);
		else
			die("%s: asked %s, but the kernel kept %s", check->key, want, have);
	}
}

#endif
