/* clone-paths.h: paths inside a root that somebody hostile has filled.
 *
 * Sources: openat2(2), open_tree(2), move_mount(2), mount_setattr(2), symlink(7).
 *
 * A path is turned into a descriptor once, as if the root were "/", and what happens then
 * happens to that descriptor: between a check and a use there is nothing to exchange. */
#ifndef SC_CLONE_PATHS_H
#define SC_CLONE_PATHS_H

#include <fcntl.h>
#include <limits.h>
#include <linux/openat2.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/syscall.h>

#include "sc.h"
#include "system-calls.h"

#ifndef MOUNT_ATTR_NOSYMFOLLOW
#define MOUNT_ATTR_NOSYMFOLLOW 0x00200000
#endif

#define LINKS_MAX 40

static void shut(int fd)
{
	if (close(fd) < 0)
		die("close descriptor %d:", fd);
}

/* the whole file and a NUL behind it, malloced; at most limit bytes */
static char *read_whole(const char *file, size_t limit, size_t *length)
{
	int fd = open(file, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	char *text = NULL;
	size_t room = 0, used = 0;

	if (fd < 0)
		die("open %s:", file);
	for (;;) {
		if (used + 1 >= room) {
			room = room ? 2 * room : 4096;
			text = realloc(text, room);
			if (!text)
				die("read %s:", file);
		}
		ssize_t got = read(fd, text + used, room - used - 1);

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			die("read %s:", file);
		if (got == 0)
			break;
		used += (size_t)got;
		if (used > limit)
			die("%s: longer than %zu bytes", file, limit);
	}
	shut(fd);
	text[used] = '\0';
	*length = used;
	return text;
}

/* -1 and errno, or a descriptor of what path is below root */
static int open_below(int root, const char *path, int flags, uint64_t resolve)
{
	struct open_how how = {.flags = (uint64_t)flags | O_CLOEXEC,
			       .resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS | resolve};
	int fd = -1;

	/* EAGAIN: a directory on the way was renamed meanwhile */
	for (int tries = 0; tries < 32; tries++) {
		fd = (int)syscall(SYS_openat2, root, path, &how, sizeof(how));
		if (fd >= 0 || errno != EAGAIN)
			break;
	}
	return fd;
}

/* what a name that leads to nothing means: the rest of the path starts over behind its target */
static void follow_dangling(char *path, size_t start, const char *link, const char *rest)
{
	char joined[PATH_MAX];
	int length = snprintf(joined, sizeof(joined), "%.*s%s/%s", link[0] == '/' ? 0 : (int)start,
			      path, link, rest);

	if (length < 0 || (size_t)length >= sizeof(joined))
		die("%s: the path becomes too long", path);
	memcpy(path, joined, (size_t)length + 1);
}

static int make_entry(int at, const char *name, bool directory)
{
	if (directory)
		return mkdirat(at, name, 0755);
	int fd = openat(at, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0644);

	if (fd < 0)
		return -1;
	shut(fd);
	return 0;
}

/* the descriptor (O_PATH) of target below root; what is missing is made, the last name as a
 * directory or an empty file. A link to nowhere is followed, and its target made. */
static int make_below(int root, const char *target, bool directory)
{
	char path[PATH_MAX], link[PATH_MAX];
	size_t done = 0;
	int links = 0;
	int at = open_below(root, "/", O_PATH | O_DIRECTORY, 0);

	if (at < 0)
		die("open the root:");
	if (strlen(target) >= sizeof(path))
		die("%s: the path is too long", target);
	memcpy(path, target, strlen(target) + 1);
	for (;;) {
		size_t start = done + strspn(path + done, "/");

		if (!path[start])
			return at;
		size_t end = start + strcspn(path + start, "/");
		bool last = !path[end + strspn(path + end, "/")];
		char separator = path[end];

		path[end] = '\0';
		int next = open_below(root, path, O_PATH, 0);

		if (next < 0 && errno == ENOENT) {
			if (make_entry(at, path + start, directory || !last) == 0) {
				struct open_how how = {.flags = O_PATH | O_NOFOLLOW | O_CLOEXEC,
						       .resolve =
							   RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS};

				next =
				    (int)syscall(SYS_openat2, at, path + start, &how, sizeof(how));
			} else if (errno == EEXIST && links++ < LINKS_MAX) {
				ssize_t n = readlinkat(at, path + start, link, sizeof(link) - 1);

				path[end] = separator;
				if (n >= 0) {
					link[n] = '\0';
					follow_dangling(path, start, link, path + end);
					done = 0;
					shut(at);
					at = open_below(root, "/", O_PATH | O_DIRECTORY, 0);
					if (at < 0)
						die("open the root:");
				} else if (errno != EINVAL && errno != ENOENT) {
					die("readlink %s:", target);
				}
				continue;
			}
		}
		if (next < 0)
			die("make %s inside the root:", target);
		path[end] = separator;
		shut(at);
		at = next;
		done = end;
	}
}

static long magic_of(int fd, const char *what)
{
	struct statfs filesystem;

	if (fstatfs(fd, &filesystem) < 0)
		die("fstatfs %s:", what);
	return (long)filesystem.f_type;
}

static bool is_directory(int fd, const char *what)
{
	struct stat status;

	if (fstat(fd, &status) < 0)
		die("fstat %s:", what);
	return S_ISDIR(status.st_mode);
}

/* a detached copy of what fd (or, with fd AT_FDCWD, path) is; -1 and errno */
static int clone_tree(int fd, const char *path, bool recursive)
{
	unsigned int flags = OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC;

	if (!*path)
		flags |= AT_EMPTY_PATH;
	if (recursive)
		flags |= AT_RECURSIVE;
	return open_tree(fd, path, flags);
}

static int set_attributes(int tree, bool recursive, struct mount_attr attributes)
{
	return mount_setattr(tree, "", AT_EMPTY_PATH | (recursive ? (unsigned)AT_RECURSIVE : 0U),
			     &attributes, sizeof(attributes));
}

static void attach(int tree, int target, const char *name)
{
	if (move_mount(tree, "", target, "", MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH) < 0)
		die("mount on %s:", name);
}

#endif
