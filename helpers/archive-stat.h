/* archive-stat.h: what a path is, and where it leads.
 *
 * Sources: openat2(2), readlink(2), proc_pid_fd(5). */
#ifndef SC_ARCHIVE_STAT_H
#define SC_ARCHIVE_STAT_H

#include "archive-root.h"

/* "KIND\nPATH", with no line feed at the end: a path may have some */
static void tell_kind(const char *kind, const char *path)
{
	if (printf("%s\n%s", kind, path) < 0 || fflush(stdout) != 0)
		die("write:");
}

static const char *kind_of(int fd, const char *path)
{
	struct stat status;

	if (fstat(fd, &status) < 0)
		die("fstat %s:", path);
	if (S_ISDIR(status.st_mode))
		return "directory";
	if (S_ISREG(status.st_mode))
		return "file";
	return S_ISLNK(status.st_mode) ? "link" : "other";
}

/* the path of a descriptor in this root, without links and dots */
static void tell_descriptor(int fd, const char *path, int descriptors)
{
	char number[16], real[PATH_END];

	if (snprintf(number, sizeof(number), "%d", fd) < 0)
		die("snprintf:");
	ssize_t n = readlinkat(descriptors, number, real, sizeof(real) - 1);

	if (n < 0)
		die("readlink %s:", path);
	real[n] = '\0';
	if (real[0] != '/')
		die("%s: is not in this root", path);
	tell_kind(kind_of(fd, path), real);
}

/* What is not there may be a link to what is not there: then that is the name for a new file. The
 * directory it is to be in has to be there. */
static void tell_missing(const char *path)
{
	char where[PATH_MAX], link[PATH_MAX];
	int n = snprintf(where, sizeof(where), "%s", path);

	if (n < 0 || (size_t)n >= sizeof(where))
		die("%s: the path is too long", path);
	for (size_t end = strlen(where); end > 1 && where[end - 1] == '/'; end--)
		where[end - 1] = '\0';
	for (int links = 0;; links++) {
		int fd = open_inside(where, O_PATH | O_NOFOLLOW);

		if (fd < 0)
			break;
		ssize_t length = readlinkat(fd, "", link, sizeof(link) - 1);

		shut(fd);
		if (length < 0 || links == LINKS_MAX)
			die("open %s:", path);
		link[length] = '\0';
		follow_dangling(where, (size_t)(strrchr(where, '/') - where) + 1, link, "");
		for (size_t end = strlen(where); end > 1 && where[end - 1] == '/'; end--)
			where[end - 1] = '\0';
	}
	if (errno != ENOENT)
		die("open %s:", path);
	char *slash = strrchr(where, '/');
	char *name = strdup(slash + 1);

	if (!name)
		die("strdup:");
	slash[1] = '\0';
	int parent = open_inside(where, O_PATH | O_DIRECTORY);

	if (parent < 0 && (errno == ENOENT || errno == ENOTDIR)) {
		tell_kind("nowhere", where);
	} else {
		if (parent < 0)
			die("open %s:", where);
		shut(parent);
		memcpy(slash + 1, name, strlen(name) + 1);
		tell_kind("missing", where);
	}
	free(name);
}

/* file, directory, link (one that is not followed), other; missing, or nowhere: not even its
 * directory */
static void tell_path(const char *path, bool follow, int descriptors)
{
	if (path[0] != '/')
		die("%s: the path is not absolute", path);
	int fd = open_inside(path, O_PATH | (follow ? 0 : O_NOFOLLOW));

	if (fd >= 0) {
		tell_descriptor(fd, path, descriptors);
		shut(fd);
	} else if (errno == ENOENT) {
		tell_missing(path);
	} else if (errno == ENOTDIR) {
		tell_kind("nowhere", path);
	} else {
		die("open %s:", path);
	}
}

#endif
