/* archive-pack.h: a tree to a tar archive.
 *
 * Sources: openat(2), symlink(7), proc_pid_fd(5), statfs(2); the image-spec of OCI, layer.md
 * "Whiteouts", and overlayfs.rst for what stands for them on disk.
 *
 * The tree may be that of a running container, which changes it while it is read. A name becomes a
 * descriptor once (O_PATH), and everything is asked of that. It is opened for reading only when it
 * is known to be a file or a directory: a fifo would never answer, and a device would act. */
#ifndef SC_ARCHIVE_PACK_H
#define SC_ARCHIVE_PACK_H

#include <dirent.h>
#include <linux/magic.h>
#include <search.h>
#include <sys/sysmacros.h>
#include <sys/vfs.h>

#include "archive-attributes.h"

#define WHITEOUT ".wh."
#define OPAQUE   ".wh..wh..opq"

struct packing {
	struct output out;
	struct ids ids;
	bool overlay, one_file_system;
	int descriptors; /* /proc/self/fd */
	void *links;     /* tsearch(3): files with more than one name that were packed already */
	char path[PATH_END];
	/* here and not where they are used: that would be once for each directory on the way */
	char name[PATH_END], data[32768];
};

struct link {
	dev_t device;
	ino_t inode;
	char path[];
};

static int compare_links(const void *a, const void *b)
{
	const struct link *one = a, *other = b;

	if (one->device != other->device)
		return one->device < other->device ? -1 : 1;
	if (one->inode != other->inode)
		return one->inode < other->inode ? -1 : 1;
	return 0;
}

/* the name under which the file was packed before; NULL: it was not, and now has this one */
static const char *other_name(struct packing *p, const struct stat *status, const char *path)
{
	size_t length = strlen(path) + 1;
	struct link *link = malloc(sizeof(*link) + length);

	if (!link)
		die("malloc:");
	link->device = status->st_dev;
	link->inode = status->st_ino;
	memcpy(link->path, path, length);
	struct link **found = tsearch(link, &p->links, compare_links);

	if (!found)
		die("tsearch:");
	if (*found == link)
		return NULL;
	free(link);
	return (*found)->path;
}

/* the very file that an O_PATH descriptor is of, open for reading */
static int open_again(const struct packing *p, int fd, int flags, const char *path)
{
	char number[16];

	if (snprintf(number, sizeof(number), "%d", fd) < 0)
		die("snprintf:");
	int again = openat(p->descriptors, number, O_RDONLY | O_NOCTTY | O_CLOEXEC | flags);

	if (again < 0)
		die("open %s:", path);
	return again;
}

static void shut_file(int fd)
{
	if (close(fd) < 0)
		die("close:");
}

/* as many bytes as the header has promised, whatever became of the file since */
static void pack_data(struct packing *p, int fd, uint64_t size, const char *path)
{
	static const char zeros[BLOCK];
	uint64_t left = size;

	while (left) {
		ssize_t n =
		    read(fd, p->data, left < sizeof(p->data) ? (size_t)left : sizeof(p->data));

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			die("read %s:", path);
		if (n == 0)
			break;
		put(&p->out, p->data, (size_t)n);
		left -= (uint64_t)n;
	}
	if (left)
		warn("%s: became shorter while it was read; the rest is zeros", path);
	for (; left; left -= left < BLOCK ? left : BLOCK)
		put(&p->out, zeros, left < BLOCK ? (size_t)left : BLOCK);
	put_padding(&p->out, size);
}

static void pack_file(struct packing *p, int fd, const char *path)
{
	struct bytes pax = {0};
	struct stat status;
	int file = open_again(p, fd, 0, path);

	if (fstat(file, &status) < 0)
		die("fstat %s:", path);
	(void)pack_attributes(&pax, file, &p->ids, p->overlay, path);
	put_member(&p->out, path, NULL, '0', &status, &p->ids, &pax);
	pack_data(p, file, (uint64_t)status.st_size, path);
	free(pax.data);
	shut_file(file);
}

/* put more text behind the path, which is `length` long */
static void path_add(struct packing *p, size_t length, const char *one, const char *other)
{
	int n = snprintf(p->path + length, sizeof(p->path) - length, "%s%s", one, other);

	if (n < 0 || (size_t)n >= sizeof(p->path) - length)
		die("a path is too long: %.64s...", p->path);
}

/* An empty file whose name says it all: nothing else of it depends on anything. It is in the
 * directory that is the first `length` bytes of the path. */
static void pack_mark(struct packing *p, size_t length, const char *mark, const char *name)
{
	struct bytes pax = {0};
	const struct stat none = {0};
	const struct ids as_is = {0};

	path_add(p, length, mark, name);
	put_member(&p->out, p->path, NULL, '0', &none, &as_is, &pax);
	free(pax.data);
}

static void pack_symlink(struct packing *p, int fd, const char *path, const struct stat *status)
{
	struct bytes pax = {0};
	ssize_t n = readlinkat(fd, "", p->name, sizeof(p->name));

	if (n < 0 || (size_t)n >= sizeof(p->name))
		die("readlink %s:", path);
	p->name[n] = '\0';
	put_member(&p->out, path, p->name, '2', status, &p->ids, &pax);
	free(pax.data);
}

/* what the kernel tells of itself there is no part of anybody's tree */
static bool is_of_kernel(int fd, const char *path)
{
	static const unsigned long kinds[] = {
	    PROC_SUPER_MAGIC,   SYSFS_MAGIC,      CGROUP_SUPER_MAGIC, CGROUP2_SUPER_MAGIC,
	    DEVPTS_SUPER_MAGIC, SECURITYFS_MAGIC, DEBUGFS_MAGIC,      TRACEFS_MAGIC,
	    BPF_FS_MAGIC,       NSFS_MAGIC,       EFIVARFS_MAGIC,     0x19800202 /* mqueue */};
	struct statfs filesystem;

	if (fstatfs(fd, &filesystem) < 0)
		die("fstatfs %s:", path);
	for (size_t n = 0; n < LEN(kinds); n++)
		if ((unsigned long)filesystem.f_type == kinds[n])
			return true;
	return false;
}

/* the names in a directory, in order, malloced; NULL behind the last */
static char **list_names(int fd, const char *path)
{
	size_t n = 0, room = 16;
	char **names = malloc(room * sizeof(*names));
	DIR *directory = fdopendir(fd);

	if (!directory || !names)
		die("open %s:", path);
	for (;;) {
		errno = 0;
		const struct dirent *entry = readdir(directory);

		if (!entry && errno)
			die("read %s:", path);
		if (!entry)
			break;
		if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
			continue;
		if (n + 1 == room) {
			char **more = realloc(names, 2 * room * sizeof(*names));

			if (!more)
				die("realloc:");
			names = more;
			room *= 2;
		}
		names[n] = strdup(entry->d_name);
		if (!names[n++])
			die("strdup:");
	}
	names[n] = NULL;
	qsort(names, n, sizeof(*names), compare_names);
	if (closedir(directory) < 0)
		die("close %s:", path);
	return names;
}

static void pack_node(struct packing *p, int fd, size_t name, dev_t around);

/* what is below a directory, whose path is `length` long */
static void pack_below(struct packing *p, int fd, char *const *names, size_t length, dev_t device)
{
	for (; *names; names++) {
		path_add(p, length, *names, "");
		int entry = openat(fd, *names, O_PATH | O_NOFOLLOW | O_CLOEXEC);

		if (entry < 0 && errno == ENOENT) {
			warn("%s: was removed while its directory was read", p->path);
			continue;
		}
		if (entry < 0)
			die("open %s:", p->path);
		pack_node(p, entry, length, device);
		shut_file(entry);
	}
}

static void pack_directory(struct packing *p, int fd, dev_t around)
{
	struct bytes pax = {0};
	struct stat status;
	int directory = open_again(p, fd, O_DIRECTORY, p->path);
	size_t length = strlen(p->path) + 1;

	path_add(p, length - 1, "/", "");
	if (fstat(directory, &status) < 0)
		die("fstat %s:", p->path);
	bool opaque = pack_attributes(&pax, directory, &p->ids, p->overlay, p->path);

	/* a layer is packed again from what it was unpacked to, where the top has lost its time */
	if ((p->overlay || p->one_file_system) && strcmp(p->path, "./") == 0)
		status.st_mtim = (struct timespec){0};
	put_member(&p->out, p->path, NULL, '5', &status, &p->ids, &pax);
	free(pax.data);
	if (status.st_dev != around && (p->one_file_system || is_of_kernel(directory, p->path))) {
		shut_file(directory);
		return;
	}
	/* the top of an archive whose names have no common first part */
	if (strcmp(p->path, "./") == 0)
		length = 0;
	if (opaque)
		pack_mark(p, length, OPAQUE, "");
	char **names = list_names(directory, p->path);

	pack_below(p, fd, names, length, status.st_dev);
	for (char **name = names; *name; name++)
		free(*name);
	free(names);
}

/* What an O_PATH descriptor is of. name: where the last part of the path begins; around: the device
 * of the directory it is in. */
static void pack_node(struct packing *p, int fd, size_t name, dev_t around)
{
	struct bytes pax = {0};
	struct stat status;
	const char *other = NULL;
	char type = '\0';

	if (fstat(fd, &status) < 0)
		die("fstat %s:", p->path);
	/* before anything else: all whiteouts may be one file with many names */
	if (p->overlay && S_ISCHR(status.st_mode) && status.st_rdev == 0) {
		memcpy(p->name, p->path + name, strlen(p->path + name) + 1);
		pack_mark(p, name, WHITEOUT, p->name);
		return;
	}
	if (p->overlay && strncmp(p->path + name, WHITEOUT, strlen(WHITEOUT)) == 0)
		die("%s: names that begin with " WHITEOUT " mean something else in a layer",
		    p->path);
	if (S_ISDIR(status.st_mode)) {
		pack_directory(p, fd, around);
		return;
	}
	if (S_ISSOCK(status.st_mode)) {
		warn("%s: left out, a socket is nothing that can be kept", p->path);
		return;
	}
	if (status.st_nlink > 1)
		other = other_name(p, &status, p->path);
	if (other) {
		put_member(&p->out, p->path, other, '1', &status, &p->ids, &pax);
		free(pax.data);
		return;
	}
	switch (status.st_mode & S_IFMT) {
	case S_IFREG:
		pack_file(p, fd, p->path);
		return;
	case S_IFLNK:
		pack_symlink(p, fd, p->path, &status);
		return;
	case S_IFCHR:
		type = '3';
		break;
	case S_IFBLK:
		type = '4';
		break;
	default:
		type = '6';
		break;
	}
	put_member(&p->out, p->path, NULL, type, &status, &p->ids, &pax);
	free(pax.data);
}

#endif
