/* clone-cgroup.h: what the container sees of its control groups: its own, read-only.
 *
 * Sources: cgroups(7), cgroup_namespaces(7), OCI runtime-spec config-linux.md "Default
 * Filesystems". The names of hierarchies are taken from the host's /sys/fs/cgroup. */
#ifndef SC_CLONE_CGROUP_H
#define SC_CLONE_CGROUP_H

#include <dirent.h>
#include <linux/magic.h>

#include "clone-paths.h"

#define CGROUP_DIR   "/sys/fs/cgroup"
#define CGROUP_FLAGS (MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC)

/* where this process is */
struct groups {
	char *text; /* /proc/self/cgroup: read once, by way of a lock of the whole machine */
	bool own;   /* a cgroup namespace of the container's own has been made */
};

/* is word one of those in the list? */
static bool in_list(const char *list, const char *word, size_t length)
{
	while (*list) {
		size_t n = strcspn(list, ",");

		if (n == length && strncmp(list, word, n) == 0)
			return true;
		list += n + (list[n] == ',');
	}
	return false;
}

/* The line of /proc/self/cgroup for a directory of the host: "N:cpu,cpuacct:/path" in any order,
 * "N:name=systemd:/path", "0::/path". Gives its second and third field, or false. */
static bool cgroup_line(char *text, const char *name, bool v2, char **controllers, char **path)
{
	for (char *line; (line = strsep(&text, "\n"));) {
		char *number_of = strsep(&line, ":");

		*controllers = strsep(&line, ":");
		*path = line;
		if (!line || !number_of)
			continue;
		if (v2 ? !**controllers
		       : in_list(*controllers, name, strcspn(name, ",")) ||
			     (strncmp(*controllers, "name=", 5) == 0 &&
			      strcmp(*controllers + 5, name) == 0))
			return true;
	}
	return false;
}

/* a hierarchy as this cgroup namespace sees it: its root is the container's group */
static int cgroup_mount(bool v2, char *controllers)
{
	int fs = fsopen(v2 ? "cgroup2" : "cgroup", FSOPEN_CLOEXEC);

	if (fs < 0)
		die("mount cgroup:");
	if (strncmp(controllers, "name=", 5) == 0) {
		if (fsconfig(fs, FSCONFIG_SET_FLAG, "none", NULL, 0) < 0 ||
		    fsconfig(fs, FSCONFIG_SET_STRING, "name", controllers + 5, 0) < 0)
			die("mount cgroup %s:", controllers);
	} else {
		for (char *rest = controllers, *word; (word = strsep(&rest, ","));)
			if (*word && fsconfig(fs, FSCONFIG_SET_FLAG, word, NULL, 0) < 0)
				die("mount cgroup %s:", word);
	}
	if (fsconfig(fs, FSCONFIG_CMD_CREATE, NULL, NULL, 0) < 0)
		die("mount cgroup %s:", controllers);
	int tree = fsmount(fs, FSMOUNT_CLOEXEC, CGROUP_FLAGS);

	if (tree < 0)
		die("mount cgroup %s:", controllers);
	shut(fs);
	return tree;
}

/* the caller's own group, of the host's mount; -1 when it is out of reach */
static int cgroup_bind(int host, const char *path)
{
	struct mount_attr attributes = {.attr_set = CGROUP_FLAGS, .propagation = MS_PRIVATE};
	/* a group above the cgroup namespace shows as /.. here */
	int group = open_below(host, path, O_PATH | O_DIRECTORY, 0);

	if (group < 0)
		return -1;
	int tree = clone_tree(group, "", false);

	if (tree < 0)
		die("bind cgroup %s:", path);
	if (set_attributes(tree, false, attributes) < 0)
		die("bind cgroup %s: set the flags:", path);
	shut(group);
	return tree;
}

/* one hierarchy of the host onto a directory; no line: this process is in no group of it */
static void cgroup_one(int host, const char *name, int target, const struct groups *groups)
{
	char *text = strdup(groups->text);
	char *controllers, *path;
	bool v2 = magic_of(host, name) == CGROUP2_SUPER_MAGIC;

	if (!text)
		die("strdup:");
	if (cgroup_line(text, name, v2, &controllers, &path)) {
		int tree = groups->own ? cgroup_mount(v2, controllers) : cgroup_bind(host, path);

		if (tree >= 0) {
			attach(tree, target, name);
			shut(tree);
		}
	}
	free(text);
}

static void cgroup_entry(int host, const char *name, int target, const struct groups *groups)
{
	struct stat status;
	int from = open_below(host, name, O_PATH | O_NOFOLLOW, 0);

	if (from < 0 || fstat(from, &status) < 0)
		die("open %s/%s:", CGROUP_DIR, name);
	if (S_ISLNK(status.st_mode)) { /* cpu -> cpu,cpuacct */
		char link[PATH_MAX];
		ssize_t n = readlinkat(from, "", link, sizeof(link) - 1);

		if (n < 0)
			die("readlink %s/%s:", CGROUP_DIR, name);
		link[n] = '\0';
		if (symlinkat(link, target, name) < 0)
			die("symlink %s:", name);
	} else if (S_ISDIR(status.st_mode)) {
		long magic = magic_of(from, name);

		if (magic == CGROUP_SUPER_MAGIC || magic == CGROUP2_SUPER_MAGIC) {
			int directory = make_below(target, name, true);

			cgroup_one(from, name, directory, groups);
			shut(directory);
		}
	}
	shut(from);
}

/* v1 and hybrid: a directory for each hierarchy, on a tmpfs that ends up read-only */
static void cgroup_tree(int host, int target, const char *name, const struct groups *groups)
{
	struct mount_attr attributes = {.attr_set = MOUNT_ATTR_RDONLY};
	int fs = fsopen("tmpfs", FSOPEN_CLOEXEC);

	if (fs < 0 || fsconfig(fs, FSCONFIG_SET_STRING, "mode", "755", 0) < 0 ||
	    fsconfig(fs, FSCONFIG_SET_STRING, "size", "64k", 0) < 0 ||
	    fsconfig(fs, FSCONFIG_CMD_CREATE, NULL, NULL, 0) < 0)
		die("mount a tmpfs for %s:", name);
	int tree = fsmount(fs, FSMOUNT_CLOEXEC, CGROUP_FLAGS & ~(unsigned)MOUNT_ATTR_RDONLY);

	if (tree < 0)
		die("mount a tmpfs for %s:", name);
	/* attached first: before Linux 6.15 nothing can be mounted on a detached tree */
	attach(tree, target, name);
	int listing = openat(host, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *list = listing < 0 ? NULL : fdopendir(listing);

	if (!list)
		die("open %s:", CGROUP_DIR);
	errno = 0;
	for (const struct dirent *entry; (entry = readdir(list)); errno = 0)
		if (entry->d_name[0] != '.')
			cgroup_entry(host, entry->d_name, tree, groups);
	if (errno || closedir(list) < 0)
		die("read %s:", CGROUP_DIR);
	if (set_attributes(tree, false, attributes) < 0)
		die("make %s read-only:", name);
	shut(tree);
	shut(fs);
}

/* onto target; own: a cgroup namespace of the container's own has been made */
static void mount_cgroups(int target, const char *name, bool own)
{
	size_t length;
	struct groups groups = {read_whole("/proc/self/cgroup", 1024UL * 1024, &length), own};
	int host = open(CGROUP_DIR, O_PATH | O_DIRECTORY | O_CLOEXEC);

	if (host < 0)
		die("open %s:", CGROUP_DIR);
	if (magic_of(host, CGROUP_DIR) == CGROUP2_SUPER_MAGIC)
		cgroup_one(host, "cgroup2", target, &groups);
	else
		cgroup_tree(host, target, name, &groups);
	shut(host);
	free(groups.text);
}

#endif
