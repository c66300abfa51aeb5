/* archive-root.h: the root that a tree is in, and how to have nothing else.
 *
 * Sources: chroot(2), setns(2), open_tree(2), pivot_root(2), capabilities(7), proc_pid_root(5).
 *
 * The root may be that of a container, which is hostile. Once it is ours no name leads out of it,
 * whatever is exchanged in it, and what belongs to it is never run or loaded: by then this program
 * has all it needs. (CVE-2018-15664 and CVE-2019-14271 were copies that did one of these.) */
#ifndef SC_ARCHIVE_ROOT_H
#define SC_ARCHIVE_ROOT_H

#include <sched.h>
#include <sys/fsuid.h>
#include <sys/resource.h>

/* sc-clone's, of which an archive needs a part */
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wunused-function"
#include "capabilities.h"
#include "clone-root.h"
#pragma GCC diagnostic pop

#include "archive-tar.h"
#include "start-time.h"

/* which root: a directory; that of a process; or one that the lines of an fstab make */
struct root {
	const char *directory, *fstab;
	pid_t target;
	bool check_start, bare, read_only;
	unsigned long long start_time;
};

/* The owners of the process of a container, as they are on disk: its user namespace has one range.
 * A process without one of its own has all. */
static void read_ids(int process, struct ids *ids)
{
	unsigned int inside, outside, count;
	int fd = openat(process, "uid_map", O_RDONLY | O_CLOEXEC);
	FILE *map = fd < 0 ? NULL : fdopen(fd, "r");

	if (!map)
		die("open the uid_map of the process:");
	/* three numbers of the kernel's own */
	/* NOLINTNEXTLINE(cert-err34-c) */
	if (fscanf(map, "%u %u %u", &inside, &outside, &count) != 3)
		die("the uid_map of the process is empty");
	if (fclose(map) != 0)
		die("close the uid_map of the process:");
	if (inside == 0 && outside == 0 && count == UINT_MAX)
		return;
	if (inside != 0 || count != OWNERS)
		die("the uid_map of the process has other ranges than one of %d", OWNERS);
	ids->limited = true;
	ids->base = outside;
}

/* the root of the process that is meant, even if another has its number by now */
static int root_of_process(const struct root *want, struct ids *ids)
{
	int process = open_process(want->target, want->check_start ? &want->start_time : NULL);
	int root = openat(process, "root", O_PATH | O_DIRECTORY | O_CLOEXEC);

	if (root < 0)
		die("open the root of process %d:", want->target);
	if (!ids->limited)
		read_ids(process, ids);
	if (want->bare) {
		int namespace = openat(process, "ns/mnt", O_RDONLY | O_CLOEXEC);

		/* only who is in the namespace may copy a mount of it */
		if (namespace < 0 || setns(namespace, CLONE_NEWNS) < 0)
			die("join the mounts of process %d:", want->target);
		shut(namespace);
		int alone = clone_tree(root, "", false);

		if (alone < 0)
			die("open_tree of the root of process %d:", want->target);
		shut(root);
		root = alone;
	}
	shut(process);
	return root;
}

/* Only the file system of the root and what is bound into it: what the kernel tells of itself, and
 * what is lost when a container ends (tmpfs), is nothing of one that does not run. */
static char *lasting_lines(char *text, const char *file, bool bare)
{
	struct bytes kept = {0};

	for (char *line; (line = strsep(&text, "\n"));) {
		char target[PATH_MAX], type[64];
		/* the lengths are one less than the arrays */
		int fields = sscanf(line, "%*s %4095s %63s", target, type);

		if (line[0] == '#' || fields <= 0)
			continue;
		if (fields != 2)
			die("%s: a line that is none: %s", file, line);
		if (strcmp(target, "/") != 0 && (bare || strcmp(type, "none") != 0))
			continue;
		bytes_add(&kept, line, strlen(line));
		bytes_add(&kept, "\n", 1);
	}
	bytes_add(&kept, "", 1);
	return kept.data;
}

/* mounts of a container that does not run, seen by nobody else, gone with this process */
static void enter_fstab(const struct root *want)
{
	struct view view = {.root = -1, .user_ns = -1};
	size_t length = 0;
	char *text = read_whole(want->fstab, 1024UL * 1024, &length);

	if (strlen(text) != length)
		die("%s: contains a NUL byte", want->fstab);
	char *lines = lasting_lines(text, want->fstab, want->bare);
	char *copy = strdup(lines);

	if (!copy)
		die("strdup:");
	if (unshare(CLONE_NEWNS) < 0)
		die("unshare:");
	if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
		die("make the mounts private:");
	mount_root(&view, want->directory, copy, want->fstab);
	mount_fstab(&view, lines, want->fstab);
	if ((view.read_only || want->read_only) &&
	    set_attributes(view.root, false, (struct mount_attr){.attr_set = MOUNT_ATTR_RDONLY}) <
		0)
		die("make the root read-only:");
	leave_old_root(view.root);
	free(copy);
	free(lines);
	free(text);
}

/* From here on "/" is that root. capabilities: all that is left. New files belong to root inside.
 */
static void enter_root(const struct root *want, struct ids *ids, unsigned long long capabilities)
{
	if (want->fstab) {
		enter_fstab(want);
	} else {
		int root = want->target ? root_of_process(want, ids)
					: open(want->directory, O_PATH | O_DIRECTORY | O_CLOEXEC);

		if (root < 0)
			die("open %s:", want->directory);
		if (fchdir(root) < 0 || chroot(".") < 0)
			die("chroot to %s:", want->directory ? want->directory : "the root");
		shut(root);
	}
	if (ids->limited) {
		(void)setfsgid(ids->base);
		(void)setfsuid(ids->base);
		if ((uid_t)setfsuid((uid_t)-1) != ids->base ||
		    (gid_t)setfsgid((gid_t)-1) != ids->base)
			die("setfsuid %u:", ids->base);
	}
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		die("prctl PR_SET_NO_NEW_PRIVS:");
	caps_apply(capabilities, 1);
}

/* -1 and errno, or a descriptor of what path is in the root that this process has by now */
static int open_inside(const char *path, int flags)
{
	int root = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);

	if (root < 0)
		die("open the root:");
	int fd = open_below(root, path, flags, 0);
	int error = errno;

	shut(root);
	errno = error;
	return fd;
}

/* a tree may be as deep as a path is long, and each directory on the way is a descriptor */
static void allow_deep_trees(void)
{
	struct rlimit files;

	if (getrlimit(RLIMIT_NOFILE, &files) < 0)
		die("getrlimit:");
	if (files.rlim_cur < PATH_END) {
		files.rlim_cur = files.rlim_max < PATH_END ? files.rlim_max : PATH_END;
		if (setrlimit(RLIMIT_NOFILE, &files) < 0)
			die("setrlimit:");
	}
}

#endif
