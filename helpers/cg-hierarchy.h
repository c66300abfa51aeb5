/* cg-hierarchy.h: where the control group hierarchies of this host are, and how their files
 * are read and written.
 *
 * A hierarchy is a mount of type cgroup (version 1: some controllers, or a name) or cgroup2
 * (version 2: what version 1 did not take). See proc_pid_mountinfo(5), cgroups(7),
 * cgroup_namespaces(7). */
#ifndef CG_HIERARCHY_H
#define CG_HIERARCHY_H

#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <time.h>

#include "sc.h"

#define HIERARCHIES   32
#define CG_PATH_MAX   1024
#define CG_FILE_MAX   65536
#define CG_WAIT_MS    10000
#define LIST_SIZE(of) (sizeof((of)->at) / sizeof((of)->at[0]))

struct hierarchy {
	int version;
	int root;       /* the directory of the mount */
	int rank;       /* of several mounts of the same hierarchy the highest is used */
	char name[256]; /* "cpu,cpuacct", "name=systemd", "cgroup2": for messages and comparison */
};

struct hierarchies {
	size_t n;
	struct hierarchy at[HIERARCHIES];
};

/* is WORD one of the words of LIST, which has SEPARATOR between them? */
static bool has_word(const char *list, const char *word, char separator)
{
	size_t length = strlen(word);

	for (const char *c = list; (c = strstr(c, word)); c++)
		if ((c == list || c[-1] == separator) &&
		    (c[length] == '\0' || c[length] == separator || c[length] == '\n'))
			return true;
	return false;
}

/* mountinfo writes space, tab, newline and backslash as \ooo */
static void unescape(char *text)
{
	char *to = text;

	for (const char *from = text; *from; to++) {
		if (from[0] == '\\' && from[1] && from[2] && from[3]) {
			*to = (char)((from[1] - '0') * 64 + (from[2] - '0') * 8 + (from[3] - '0'));
			from += 4;
		} else {
			*to = *from++;
		}
	}
	*to = '\0';
}

/* what a version 1 mount is of, out of its super options: rw,xattr,cpu,cpuacct,name=x */
static void v1_name(char *options, char *name, size_t size)
{
	static const char *const controllers =
	    "cpuset cpu cpuacct blkio memory devices freezer net_cls perf_event net_prio "
	    "hugetlb pids rdma misc dmem debug";
	char *rest = NULL;

	name[0] = '\0';
	for (char *word = strtok_r(options, ",\n", &rest); word;
	     word = strtok_r(NULL, ",\n", &rest)) {
		size_t used = strlen(name);

		if (strncmp(word, "name=", 5) != 0 && !has_word(controllers, word, ' '))
			continue;
		if (used + strlen(word) + 2 > size)
			die("a mount of type cgroup has too many controllers: %s", word);
		snprintf(name + used, size - used, "%s%s", used ? "," : "", word);
	}
}

static void add_hierarchy(struct hierarchies *all, const struct hierarchy *found)
{
	for (size_t i = 0; i < all->n; i++) {
		struct hierarchy *known = &all->at[i];

		if (strcmp(known->name, found->name) != 0)
			continue;
		int spare = found->root;

		if (found->rank >= known->rank) {
			spare = known->root;
			*known = *found;
		}
		if (close(spare) < 0)
			die("close a second mount of %s:", found->name);
		return;
	}
	if (all->n == LIST_SIZE(all))
		die("more than %d control group hierarchies", HIERARCHIES);
	all->at[all->n++] = *found;
}

/* one line of mountinfo: id parent dev root directory options [tags] - type source super */
static void mountinfo_line(char *line, struct hierarchies *all)
{
	struct hierarchy found = {.root = -1};
	char *fields[6], *super[3], *rest = NULL;
	char *tail = strstr(line, " - ");
	struct stat status;
	char device[32];

	if (!tail)
		return;
	*tail = '\0';
	for (size_t i = 0; i < LEN(fields); i++)
		if (!(fields[i] = strtok_r(i ? NULL : line, " ", &rest)))
			return;
	for (size_t i = 0; i < LEN(super); i++)
		if (!(super[i] = strtok_r(i ? NULL : tail + 3, " \n", &rest)))
			return;
	if (strcmp(super[0], "cgroup2") == 0) {
		found.version = 2;
		snprintf(found.name, sizeof(found.name), "cgroup2");
	} else if (strcmp(super[0], "cgroup") == 0) {
		found.version = 1;
		v1_name(super[2], found.name, sizeof(found.name));
	}
	/* a root that starts with /.. lies above our control group namespace */
	if (!found.name[0] || strncmp(fields[3], "/..", 3) == 0)
		return;
	found.rank =
	    (strcmp(fields[3], "/") == 0 ? 2 : 0) + (has_word(fields[5], "rw", ',') ? 1 : 0);
	unescape(fields[4]);
	found.root = open(fields[4], O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (found.root < 0)
		return;
	if (fstat(found.root, &status) < 0)
		die("fstat %s:", fields[4]);
	/* else another mount covers this one */
	snprintf(device, sizeof(device), "%u:%u", major(status.st_dev), minor(status.st_dev));
	if (strcmp(device, fields[2]) == 0)
		add_hierarchy(all, &found);
	else if (close(found.root) < 0)
		die("close %s:", fields[4]);
}

static void find_hierarchies(const char *mounts, struct hierarchies *all)
{
	FILE *file = fopen(mounts, "re");
	char *line = NULL;
	size_t size = 0;

	all->n = 0;
	if (!file)
		die("open %s:", mounts);
	while (getline(&line, &size, file) >= 0)
		if (strstr(line, " - cgroup"))
			mountinfo_line(line, all);
	if (ferror(file))
		die("read %s:", mounts);
	free(line);
	if (fclose(file) != 0)
		die("close %s:", mounts);
	if (all->n == 0)
		die("no control group hierarchy in %s: is /sys/fs/cgroup mounted here?", mounts);
}

/* the path is meant below every mount, so it must not be able to leave one */
static void check_path(const char *cg)
{
	if (strlen(cg) >= CG_PATH_MAX)
		die("the control group path is longer than %d bytes", CG_PATH_MAX - 1);
	for (const char *c = cg; *c; c++)
		if ((unsigned char)*c < ' ' || *c == 0x7f)
			die("control group '%s': control characters are not allowed", cg);
	for (const char *word = cg;; word++) {
		size_t length = strcspn(word, "/");

		if (length == 0 || (length <= 2 && strspn(word, ".") >= length))
			die("control group '%s' must be a relative path like sc/web, without empty "
			    "words, . "
			    "and ..",
			    cg);
		if (length > NAME_MAX)
			die("control group '%s': a word is longer than %d bytes", cg, NAME_MAX);
		word += length;
		if (!*word)
			return;
	}
}

/* -1 and errno, as open(2); O_PATH descriptors are enough for *at calls */
static int open_dir(int dir, const char *path, int flags)
{
	return openat(dir, path, flags | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
}

/* the directory of CG in a hierarchy, -1 where it has none */
static int open_cg(const struct hierarchy *in, const char *cg)
{
	int dir = open_dir(in->root, cg, O_PATH);

	if (dir < 0 && errno != ENOENT && errno != ENODEV && errno != ENOTDIR)
		die("open control group %s in %s:", cg, in->name);
	return dir;
}

static void close_dir(int dir)
{
	if (dir >= 0 && close(dir) < 0)
		die("close a directory:");
}

static bool has_file(int dir, const char *file)
{
	if (faccessat(dir, file, F_OK, 0) == 0)
		return true;
	if (errno != ENOENT && errno != ENODEV)
		die("access %s:", file);
	return false;
}

/* whole file into TEXT, without the last newline; false and errno if that cannot be done */
static bool read_file(int dir, const char *file, char *text, size_t size)
{
	int fd = openat(dir, file, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	size_t used = 0;
	ssize_t got;

	text[0] = '\0';
	if (fd < 0)
		return false;
	while ((got = read(fd, text + used, size - 1 - used)) > 0)
		used += (size_t)got;
	int error = got < 0 ? errno : (used == size - 1 ? EFBIG : 0);

	text[used] = '\0';
	if (used > 0 && text[used - 1] == '\n')
		text[used - 1] = '\0';
	if (close(fd) < 0 && !error)
		error = errno;
	errno = error;
	return error == 0;
}

/* one write(2), since the kernel takes each as one request; false and errno if refused */
static bool write_file(int dir, const char *file, const char *text)
{
	int fd = openat(dir, file, O_WRONLY | O_TRUNC | O_CLOEXEC | O_NOFOLLOW);

	if (fd < 0)
		return false;
	ssize_t put = write(fd, text, strlen(text));
	int error = put < 0 ? errno : ((size_t)put < strlen(text) ? EIO : 0);

	if (close(fd) < 0 && !error)
		error = errno;
	errno = error;
	return error == 0;
}

/* the hierarchy that serves CONTROLLER: version 1 if it is mounted there, else version 2 where
 * the control group (or, with CG NULL, the top) has it; NULL if none does */
static const struct hierarchy *serving(const struct hierarchies *all, const char *controller,
				       const char *cg)
{
	const struct hierarchy *found = NULL;
	char text[1024];

	for (size_t i = 0; i < all->n; i++) {
		const struct hierarchy *in = &all->at[i];

		if (in->version == 1 && has_word(in->name, controller, ','))
			return in;
		if (in->version == 2)
			found = in;
	}
	if (!found)
		return NULL;
	int dir = open_dir(found->root, cg ? cg : ".", O_PATH);

	/* what every version 2 control group has, whatever its parent distributes */
	bool served = strcmp(controller, "freezer") == 0 || strcmp(controller, "devices") == 0;

	if (dir >= 0 && !served && read_file(dir, "cgroup.controllers", text, sizeof(text)))
		served = has_word(text, controller, ' ');
	close_dir(dir);
	return served ? found : NULL;
}

static unsigned long long now_ms(void)
{
	struct timespec now;

	if (clock_gettime(CLOCK_MONOTONIC, &now) < 0)
		die("clock_gettime:");
	return (unsigned long long)now.tv_sec * 1000 + (unsigned long long)now.tv_nsec / 1000000;
}

/* short at first, because processes die within a millisecond; false when the time is over */
static bool wait_a_bit(unsigned long long deadline, unsigned int *turn)
{
	unsigned int shift = *turn < 7 ? (*turn)++ : 7;
	struct timespec pause = {.tv_nsec = 200000L << shift};

	if (now_ms() >= deadline)
		return false;
	if (nanosleep(&pause, NULL) < 0 && errno != EINTR)
		die("nanosleep:");
	return true;
}

#endif
