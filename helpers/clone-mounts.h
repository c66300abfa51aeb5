/* clone-mounts.h: the root and everything that an fstab(5) puts into it.
 *
 * Sources: fstab(5), mount(8), fsopen(2), fsmount(2), mount_setattr(2) MOUNT_ATTR_IDMAP, the
 * kernel's Documentation/filesystems/overlayfs.rst, OCI runtime-spec config.md "Mounts".
 *
 * Each mount is made detached, gets its flags, and only then becomes visible. */
#ifndef SC_CLONE_MOUNTS_H
#define SC_CLONE_MOUNTS_H

#include <linux/magic.h>
#include <sys/sysmacros.h>

#include "clone-cgroup.h"
#include "clone-paths.h"
#include "user-namespace.h"

#define DATA_MAX       64
#define LAYERS_MAX     500 /* the kernel's OVL_MAX_STACK */
#define PROPAGATED_MAX 64

/* one line; the strings point into the text of the file */
struct mount {
	const char *source, *target, *type;
	int line;
	uint64_t set, clear;
	uint64_t propagation; /* 0: private */
	bool bind, recursive, idmap, mkdir;
	char *data[DATA_MAX];
	size_t ndata;
};

/* what the container's mounts have in common */
struct view {
	int root;    /* O_PATH, the new root */
	int user_ns; /* -1: none */
	bool own_cgroup;
	bool read_only;                    /* "/" was asked to be so */
	const struct id_maps *uids, *gids; /* NULL without user_ns */
	/* clones of sources that keep in touch with the host, by the line of the fstab */
	struct {
		int line, tree;
	} propagated[PROPAGATED_MAX];
	size_t npropagated;
};

static const struct {
	const char *name;
	uint64_t set, clear;
} mount_flags[] = {
    {"ro", MOUNT_ATTR_RDONLY, 0},
    {"rw", 0, MOUNT_ATTR_RDONLY},
    {"nosuid", MOUNT_ATTR_NOSUID, 0},
    {"suid", 0, MOUNT_ATTR_NOSUID},
    {"nodev", MOUNT_ATTR_NODEV, 0},
    {"dev", 0, MOUNT_ATTR_NODEV},
    {"noexec", MOUNT_ATTR_NOEXEC, 0},
    {"exec", 0, MOUNT_ATTR_NOEXEC},
    {"noatime", MOUNT_ATTR_NOATIME, MOUNT_ATTR__ATIME},
    {"relatime", MOUNT_ATTR_RELATIME, MOUNT_ATTR__ATIME},
    {"strictatime", MOUNT_ATTR_STRICTATIME, MOUNT_ATTR__ATIME},
    {"nodiratime", MOUNT_ATTR_NODIRATIME, 0},
    {"diratime", 0, MOUNT_ATTR_NODIRATIME},
    {"nosymfollow", MOUNT_ATTR_NOSYMFOLLOW, 0},
    {"symfollow", 0, MOUNT_ATTR_NOSYMFOLLOW},
    /* what is so anyway */
    {"defaults", 0, 0},
};

/* \040 and its like, in place */
static void unescape(char *text)
{
	char *to = text;

	for (const char *from = text; *from; to++) {
		if (from[0] == '\\' && from[1] >= '0' && from[1] <= '3' && from[2] >= '0' &&
		    from[2] <= '7' && from[3] >= '0' && from[3] <= '7') {
			*to = (char)((from[1] - '0') * 64 + (from[2] - '0') * 8 + (from[3] - '0'));
			from += 4;
		} else {
			*to = *from++;
		}
	}
	*to = '\0';
}

static bool mount_flag(struct mount *m, const char *word)
{
	for (size_t n = 0; n < LEN(mount_flags); n++) {
		if (strcmp(word, mount_flags[n].name) != 0)
			continue;
		/* the last of two that contradict counts, as in mount(8) */
		m->set = (m->set & ~mount_flags[n].clear) | mount_flags[n].set;
		m->clear = (m->clear & ~mount_flags[n].set) | mount_flags[n].clear;
		return true;
	}
	return false;
}

/* A line that says none of these is private: nothing mounted on one side is seen on the other. One
 * mount of a recursive bind alone cannot be told apart, so "slave" is what mount(8) calls rslave.
 */
static bool mount_propagation(struct mount *m, const char *word)
{
	static const struct {
		const char *name;
		uint64_t propagation;
	} words[] = {
	    {"private", 0},       {"rprivate", 0},       {"slave", MS_SLAVE},
	    {"rslave", MS_SLAVE}, {"shared", MS_SHARED}, {"rshared", MS_SHARED},
	};

	for (size_t n = 0; n < LEN(words); n++)
		if (strcmp(word, words[n].name) == 0) {
			m->propagation = words[n].propagation;
			return true;
		}
	return false;
}

static void parse_options(struct mount *m, char *options)
{
	for (char *word; (word = strsep(&options, ","));) {
		if (!*word || mount_flag(m, word) || mount_propagation(m, word))
			continue;
		if (strcmp(word, "bind") == 0 || strcmp(word, "rbind") == 0) {
			m->bind = true;
			m->recursive = word[0] == 'r';
		} else if (strcmp(word, "X-mount.idmap") == 0) {
			m->idmap = true;
		} else if (strcmp(word, "X-mount.mkdir") == 0) {
			m->mkdir = true;
		} else if (m->ndata == DATA_MAX) {
			die("mount %s: more than %d options", m->target, DATA_MAX);
		} else {
			/* layers are taken apart at colons first */
			if (strncmp(word, "lowerdir=", strlen("lowerdir=")) != 0)
				unescape(word);
			m->data[m->ndata++] = word;
		}
	}
}

/* the next line that says something, or false at the end of the text */
static bool next_mount(char **text, const char *file, int *line, struct mount *m)
{
	for (char *rest; (rest = strsep(text, "\n"));) {
		char *field[4];

		++*line;
		rest += strspn(rest, " \t");
		if (!*rest || *rest == '#')
			continue;
		for (size_t n = 0; n < LEN(field); n++) {
			field[n] = rest + strspn(rest, " \t");
			rest = field[n] + strcspn(field[n], " \t");
			if (rest == field[n])
				die("%s line %d: want SOURCE TARGET TYPE OPTIONS", file, *line);
			if (*rest)
				*rest++ = '\0';
		}
		unescape(field[0]);
		unescape(field[1]);
		*m = (struct mount){
		    .source = field[0], .target = field[1], .type = field[2], .line = *line};
		if (m->target[0] != '/')
			die("%s line %d: target '%s' is not absolute", file, *line, m->target);
		m->bind = strcmp(m->type, "bind") == 0 || strcmp(m->type, "rbind") == 0;
		m->recursive = m->type[0] == 'r' && m->bind;
		parse_options(m, field[3]);
		if (m->propagation && (!m->bind || strcmp(m->target, "/") == 0))
			die("%s line %d: only a bind mount can be shared or a slave, and not the "
			    "root",
			    file, *line);
		return true;
	}
	return false;
}

/* the words of the kernel's own explanation, if it gave one, are better than any errno */
static _Noreturn void die_new(int fs, const struct mount *m)
{
	int error = errno;
	char why[512];
	ssize_t n = read(fs, why, sizeof(why) - 1);

	if (n > 0) {
		why[n] = '\0';
		why[strcspn(why, "\n")] = '\0';
	}
	errno = error;
	if (n > 2)
		die("mount %s (%s, %s):", m->target, m->type, why + 2);
	die("mount %s (%s):", m->target, m->type);
}

/* uid=, gid=: what the fstab says are ids inside, what the kernel wants are ids outside */
static char *outside_id(const struct view *view, const char *name, char *value)
{
	static const char *const ids[] = {"uid", "gid"};
	char *text = NULL;

	for (size_t n = 0; view->uids && n < LEN(ids); n++) {
		const struct id_maps *maps = n ? view->gids : view->uids;

		if (strcmp(name, ids[n]) != 0)
			continue;
		if (asprintf(&text, "%u",
			     map_id(maps, (unsigned)number(name, value, 0, UINT_MAX - 1))) < 0)
			die("asprintf:");
		return text;
	}
	return value;
}

/* a new file system, detached */
static int new_mount(const struct view *view, struct mount *m)
{
	int fs = fsopen(m->type, FSOPEN_CLOEXEC);

	if (fs < 0)
		die("mount %s: file system %s:", m->target, m->type);
	if (fsconfig(fs, FSCONFIG_SET_STRING, "source", m->source, 0) < 0)
		die_new(fs, m);
	for (size_t n = 0; n < m->ndata; n++) {
		char *value = m->data[n];
		const char *name = strsep(&value, "=");

		if (value)
			value = outside_id(view, name, value);
		if (fsconfig(fs, value ? FSCONFIG_SET_STRING : FSCONFIG_SET_FLAG, name, value, 0) <
		    0)
			die_new(fs, m);
	}
	if (fsconfig(fs, FSCONFIG_CMD_CREATE, NULL, NULL, 0) < 0)
		die_new(fs, m);
	int tree = fsmount(fs, FSMOUNT_CLOEXEC, (unsigned int)m->set);

	if (tree < 0)
		die_new(fs, m);
	shut(fs);
	return tree;
}

/* the type of the file system that a device number belongs to, for a message */
static void type_of(int tree, char *type, size_t size)
{
	struct stat status;
	FILE *mounts = fopen("/proc/self/mountinfo", "re");
	char line[4096], device[32];

	(void)snprintf(type, size, "this file system");
	if (!mounts || fstat(tree, &status) < 0)
		return;
	(void)snprintf(device, sizeof(device), " %u:%u ", major(status.st_dev),
		       minor(status.st_dev));
	while (fgets(line, sizeof(line), mounts)) {
		const char *words = strstr(line, " - ");

		if (words && strstr(line, device) && strstr(line, device) < words) {
			words += 3;
			(void)snprintf(type, size, "%.*s", (int)strcspn(words, " "), words);
			break;
		}
	}
	(void)fclose(mounts);
}

static void idmap_tree(int tree, int user_ns, bool recursive, const char *source)
{
	struct mount_attr attributes = {.attr_set = MOUNT_ATTR_IDMAP,
					.userns_fd = (uint64_t)user_ns};
	char type[64];

	if (set_attributes(tree, recursive, attributes) == 0)
		return;
	int error = errno;

	/* it is all or nothing, so this alone tells the top from what is mounted below it */
	if (recursive && set_attributes(tree, false, attributes) == 0) {
		errno = error;
		die("idmap %s: a file system mounted below it cannot translate owners; without "
		    "these (bind-nonrecursive) or with --userns=host it would work:",
		    source);
	}
	type_of(tree, type, sizeof(type));
	errno = error;
	die("idmap %s: %s cannot translate owners here, --userns=host would work:", source, type);
}

static int clone_source(const char *source, bool recursive)
{
	int tree = clone_tree(AT_FDCWD, source, recursive);

	if (tree < 0)
		die("bind %s:", source);
	return tree;
}

/* Once the mounts of our namespace are private, what is cloned of them is so too. Sources that keep
 * in touch with the host's are therefore cloned first, while we are still in its mount namespace.
 */
static void clone_propagated(struct view *view, const char *fstab, const char *file)
{
	char *copy = strdup(fstab), *text = copy;
	struct mount m;

	if (!copy)
		die("strdup:");
	for (int line = 0; next_mount(&text, file, &line, &m);) {
		if (!m.propagation)
			continue;
		if (view->npropagated == PROPAGATED_MAX)
			die("%s: more than %d mounts are shared or slaves", file, PROPAGATED_MAX);
		view->propagated[view->npropagated].line = line;
		view->propagated[view->npropagated++].tree = clone_source(m.source, m.recursive);
	}
	free(copy);
}

static int bind_source(const struct view *view, const struct mount *m)
{
	for (size_t n = 0; m->propagation && n < view->npropagated; n++)
		if (view->propagated[n].line == m->line)
			return view->propagated[n].tree;
	return clone_source(m->source, m->recursive);
}

static int bind_mount(const struct view *view, struct mount *m)
{
	struct mount_attr attributes = {.attr_set = m->set,
					.attr_clr = m->clear,
					.propagation =
					    m->propagation ? m->propagation : MS_PRIVATE};
	int tree = bind_source(view, m);

	if (m->ndata)
		die("mount %s: unknown option %s", m->target, m->data[0]);
	if (m->idmap && view->user_ns >= 0)
		idmap_tree(tree, view->user_ns, m->recursive, m->source);
	if (set_attributes(tree, m->recursive, attributes) < 0)
		die("mount %s: set the flags:", m->target);
	return tree;
}

/* A volume must not stand in for what the kernel says in /proc: labels and settings written
 * there would go nowhere (CVE-2019-16884, CVE-2019-19921). Files that only report are fine. */
static void check_target(const struct view *view, const struct mount *m, int target)
{
	static const char *const reports[] = {"/proc/cpuinfo", "/proc/diskstats", "/proc/loadavg",
					      "/proc/meminfo", "/proc/stat",      "/proc/swaps",
					      "/proc/uptime",  "/proc/slabinfo"};
	struct stat root, here;
	const char *name = m->target + strspn(m->target, "/");

	if (fstat(view->root, &root) < 0 || fstat(target, &here) < 0)
		die("fstat %s:", m->target);
	if (root.st_dev == here.st_dev && root.st_ino == here.st_ino)
		die("mount %s: that is the root itself", m->target);
	/* A link of the image may lead a volume onto /dev or /sys, and what we put there into it;
	 * these two lie in our own /dev, which is no link. */
	if (m->bind && S_ISDIR(here.st_mode) && strcmp(m->target, "/dev/shm") != 0 &&
	    strcmp(m->target, "/dev/mqueue") != 0) {
		struct statx at;

		if (statx(target, "", AT_EMPTY_PATH, STATX_INO, &at) < 0)
			die("statx %s:", m->target);
		if (at.stx_attributes & STATX_ATTR_MOUNT_ROOT)
			die("mount %s: something is mounted there already", m->target);
	}
	if (strcmp(name, "proc") == 0 && strcmp(m->type, "proc") == 0)
		return;
	if (magic_of(target, m->target) == PROC_SUPER_MAGIC) {
		for (size_t n = 0; m->bind && n < LEN(reports); n++)
			if (strcmp(m->target, reports[n]) == 0 && S_ISREG(here.st_mode))
				return;
		die("mount %s: it lies in /proc, which nothing may replace", m->target);
	}
	if (strncmp(name, "proc", 4) == 0 && (!name[4] || name[4] == '/'))
		die("mount %s: only type proc can be mounted there", m->target);
}

/* where in the root; links in place of /proc, /sys and /dev are an attack on what follows */
static int find_target(const struct view *view, const struct mount *m, bool directory)
{
	static const char *const plain[] = {"proc", "sys", "dev"};
	const char *name = m->target + strspn(m->target, "/");
	struct stat status;
	int target;

	for (size_t n = 0; n < LEN(plain); n++) {
		size_t length = strlen(plain[n]);

		if (strncmp(name, plain[n], length) != 0 || (name[length] && name[length] != '/'))
			continue;
		if (fstatat(view->root, plain[n], &status, AT_SYMLINK_NOFOLLOW) == 0 &&
		    S_ISLNK(status.st_mode))
			die("mount %s: /%s of the image is a symbolic link", m->target, plain[n]);
	}
	if (m->mkdir)
		target = make_below(view->root, m->target, directory);
	else
		target = open_below(view->root, m->target, O_PATH, 0);
	if (target < 0)
		die("mount %s: find it inside the root:", m->target);
	check_target(view, m, target);
	if (is_directory(target, m->target) != directory)
		die("mount %s: one of source and target is a directory, the other a file",
		    m->target);
	return target;
}

static void mount_line(const struct view *view, struct mount *m)
{
	int target;

	if (strcmp(m->type, "cgroup") == 0 && !m->bind) {
		target = find_target(view, m, true);
		mount_cgroups(target, m->target, view->own_cgroup);
	} else {
		int tree = m->bind ? bind_mount(view, m) : new_mount(view, m);

		target = find_target(view, m, is_directory(tree, m->source));
		attach(tree, target, m->target);
		shut(tree);
	}
	shut(target);
}

static void mount_fstab(const struct view *view, char *text, const char *file)
{
	struct mount m;

	for (int line = 0; next_mount(&text, file, &line, &m);)
		if (strcmp(m.target, "/") != 0)
			mount_line(view, &m);
}

#endif
