/* user-namespace.h: a container's user namespace and its maps.
 *
 * Sources: user_namespaces(7), newuidmap(1) for the meaning of a range.
 *
 * It is made by a process that does nothing else, because an idmapped mount needs it as a
 * descriptor long before anything enters it. */
#ifndef SC_USER_NAMESPACE_H
#define SC_USER_NAMESPACE_H

#include <fcntl.h>
#include <limits.h>
#include <linux/nsfs.h>
#include <sched.h>
#include <stdbool.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#include "sc.h"

#define MAPS_MAX 32

struct id_maps {
	struct {
		unsigned int inside, outside, count;
	} range[MAPS_MAX];
	size_t n;
};

/* INSIDE:OUTSIDE:COUNT */
static void map_add(struct id_maps *maps, const char *option, const char *text)
{
	char copy[64];
	unsigned int value[3];
	char *rest = copy;
	int length = snprintf(copy, sizeof(copy), "%s", text);

	if (length < 0 || (size_t)length >= sizeof(copy) || maps->n == MAPS_MAX)
		die("%s=%s: too long", option, text);
	for (size_t n = 0; n < LEN(value); n++) {
		const char *word = strsep(&rest, ":");

		if (!word || (n == LEN(value) - 1) != !rest)
			die("%s=%s: want INSIDE:OUTSIDE:COUNT", option, text);
		value[n] = (unsigned int)number(option, word, n == 2, UINT_MAX - 1);
	}
	if (value[0] > UINT_MAX - value[2] || value[1] > UINT_MAX - value[2])
		die("%s=%s: the range ends beyond the last id", option, text);
	maps->range[maps->n].inside = value[0];
	maps->range[maps->n].outside = value[1];
	maps->range[maps->n++].count = value[2];
}

__attribute__((unused)) static bool map_has(const struct id_maps *maps, unsigned int inside)
{
	for (size_t n = 0; maps && n < maps->n; n++)
		if (inside >= maps->range[n].inside &&
		    inside - maps->range[n].inside < maps->range[n].count)
			return true;
	return !maps;
}

/* the id outside; maps NULL: no user namespace, ids are what they are */
__attribute__((unused)) static unsigned int map_id(const struct id_maps *maps, unsigned int inside)
{
	if (!maps)
		return inside;
	for (size_t n = 0; n < maps->n; n++)
		if (inside >= maps->range[n].inside &&
		    inside - maps->range[n].inside < maps->range[n].count)
			return maps->range[n].outside + (inside - maps->range[n].inside);
	die("id %u is not in the map of the user namespace", inside);
}

static void map_write(pid_t child, const char *file, const struct id_maps *maps)
{
	char path[64], text[MAPS_MAX * 36];
	size_t used = 0;

	for (size_t n = 0; n < maps->n; n++) {
		int length =
		    snprintf(text + used, sizeof(text) - used, "%u %u %u\n", maps->range[n].inside,
			     maps->range[n].outside, maps->range[n].count);

		if (length < 0 || (size_t)length >= sizeof(text) - used)
			die("%s: the map is too long", file);
		used += (size_t)length;
	}
	if (snprintf(path, sizeof(path), "/proc/%d/%s", child, file) < 0)
		die("snprintf:");
	int fd = open(path, O_WRONLY | O_CLOEXEC);

	if (fd < 0)
		die("open %s:", path);
	/* the kernel takes the whole map in one write, once */
	if (write(fd, text, used) != (ssize_t)used)
		die("write %s (do ranges overlap?):", path);
	if (close(fd) < 0)
		die("close %s:", path);
}

/* the descriptor of a new user namespace with these maps, or ("net", CLONE_NEWNET) of another
 * namespace that is made with it and belongs to it */
static int make_user_namespace(const struct id_maps *uids, const struct id_maps *gids,
			       const char *which, int also)
{
	int ready[2], done[2], status;
	char byte, path[64];

	if (uids->n == 0 || gids->n == 0)
		die("--user needs --uid-map and --gid-map");
	if (pipe2(ready, O_CLOEXEC) < 0 || pipe2(done, O_CLOEXEC) < 0)
		die("pipe:");
	pid_t holder = fork();

	if (holder < 0)
		die("fork:");
	if (holder == 0) {
		/* EOF on done, also when the parent dies, ends it */
		if (close(done[1]) < 0 || unshare(CLONE_NEWUSER | also) < 0)
			die("unshare the user namespace:");
		if (write(ready[1], "r", 1) != 1 || read(done[0], &byte, 1) < 0)
			_exit(EXIT_HELPER);
		_exit(0);
	}
	if (close(ready[1]) < 0 || close(done[0]) < 0)
		die("close:");
	/* nothing to read: it has said why on its way out */
	if (read(ready[0], &byte, 1) != 1)
		exit(EXIT_HELPER);
	map_write(holder, "uid_map", uids);
	map_write(holder, "gid_map", gids);
	if (snprintf(path, sizeof(path), "/proc/%d/ns/%s", holder, which) < 0)
		die("snprintf:");
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		die("open %s:", path);
	if (close(done[1]) < 0 || close(ready[0]) < 0)
		die("close:");
	if (waitpid(holder, &status, 0) < 0)
		die("waitpid:");
	return fd;
}

/* the user namespace that the namespace of this file belongs to, see sc-netns(8) */
__attribute__((unused)) static int owning_user_namespace(const char *file)
{
	int of = open(file, O_RDONLY | O_NONBLOCK | O_CLOEXEC);

	if (of < 0)
		die("open %s:", file);
	int fd = ioctl(of, NS_GET_USERNS);

	if (fd < 0)
		die("ioctl NS_GET_USERNS %s:", file);
	if (close(of) < 0 || fcntl(fd, F_SETFD, FD_CLOEXEC) < 0)
		die("the user namespace of %s:", file);
	return fd;
}

#endif
