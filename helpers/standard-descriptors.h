/* standard-descriptors.h: what a container may do with the 0, 1 and 2 of its caller.
 *
 * Sources: tty_ioctl(4) TIOCSTI, null(4), open(2) O_PATH, pipe(7), proc_pid_fd(5), SECURITY.md S1
 * S6 S10 S13. */
#ifndef SC_STANDARD_DESCRIPTORS_H
#define SC_STANDARD_DESCRIPTORS_H

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/vfs.h>

#include "sc.h"
#include "system-calls.h"

#ifndef PIPEFS_MAGIC
#define PIPEFS_MAGIC 0x50495045
#endif

/* From a directory of the host openat(2) and chroot(2) lead to all of the host, and so may a
 * descriptor that is a mere path */
static void refuse_directories(void)
{
	static const char *const names[] = {"standard input", "standard output", "standard error"};

	for (int n = 0; n < (int)LEN(names); n++) {
		struct stat status;
		int flags = fcntl(n, F_GETFL);

		if (flags < 0 || fstat(n, &status) < 0)
			die("%s:", names[n]);
		if (S_ISDIR(status.st_mode) || (flags & O_PATH))
			die("%s is a %s, by which the container could leave its root: give it a "
			    "file, a pipe or /dev/null",
			    names[n], S_ISDIR(status.st_mode) ? "directory" : "mere path (O_PATH)");
	}
}

/* Without a terminal of its own a container writes to the caller's; what is typed there is not for
 * it. The descriptor of a terminal usually allows both. */
static void only_write_terminals(void)
{
	for (int n = 1; n <= 2; n++) {
		char path[32];

		if (!isatty(n))
			continue;
		if (snprintf(path, sizeof(path), "/proc/self/fd/%d", n) < 0)
			die("snprintf:");
		int fd = open(path, O_WRONLY | O_NOCTTY | O_CLOEXEC);

		if (fd < 0 || dup2(fd, n) < 0)
			die("open %s:", path);
		if (close(fd) < 0)
			die("close:");
	}
}

/* the host's /dev/null as a standard descriptor is an inode that root of the container could chmod
 */
__attribute__((unused)) static void own_null(void)
{
	for (int n = 0; n <= 2; n++) {
		struct stat status;

		if (fstat(n, &status) < 0)
			die("fstat %d:", n);
		if (!S_ISCHR(status.st_mode) || status.st_rdev != makedev(1, 3))
			continue;
		int fd = open("/dev/null", O_RDWR | O_NOFOLLOW | O_CLOEXEC);

		if (fd < 0 || fstat(fd, &status) < 0)
			die("open the container's /dev/null:");
		if (!S_ISCHR(status.st_mode) || status.st_rdev != makedev(1, 3))
			die("/dev/null of the container is another device");
		if (dup2(fd, n) < 0)
			die("dup2:");
		if (close(fd) < 0)
			die("close:");
	}
}

/* /dev/null once more, on a mount of its own that is read-only: a device there can be written to,
 * but its mode and owner cannot be changed */
static int open_protected_null(void)
{
	struct mount_attr read_only = {.attr_set = MOUNT_ATTR_RDONLY};
	struct stat status;
	char path[32];
	int tree = open_tree(AT_FDCWD, "/dev/null", OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);

	if (tree < 0 || mount_setattr(tree, "", AT_EMPTY_PATH, &read_only, sizeof(read_only)) < 0)
		die("a mount of /dev/null:");
	if (snprintf(path, sizeof(path), "/proc/self/fd/%d", tree) < 0)
		die("snprintf:");
	int fd = open(path, O_RDWR | O_CLOEXEC);

	if (fd < 0 || fstat(fd, &status) < 0)
		die("open /dev/null:");
	if (!S_ISCHR(status.st_mode) || status.st_rdev != makedev(1, 3))
		die("/dev/null of the host is not the device 1:3");
	if (close(tree) < 0)
		die("close:");
	return fd;
}

/* as own_null, for a container that runs and may have removed its /dev/null */
__attribute__((unused)) static void protect_null(void)
{
	struct stat status;
	int null = -1;

	for (int n = 0; n <= 2; n++) {
		if (fstat(n, &status) < 0)
			die("fstat %d:", n);
		if (!S_ISCHR(status.st_mode) || status.st_rdev != makedev(1, 3))
			continue;
		if (null < 0)
			null = open_protected_null();
		if (dup2(null, n) < 0)
			die("dup2:");
	}
	if (null >= 0 && close(null) < 0)
		die("close:");
}

/* /dev/stdout is opened anew through /proc: a pipe of our caller has to admit the user. Only a
 * pipe without a name: the owner of a file is the caller's business. */
static void lend_pipes(uid_t uid)
{
	for (int fd = 0; fd <= 2; fd++) {
		struct statfs filesystem;

		if (fstatfs(fd, &filesystem) == 0 && filesystem.f_type == PIPEFS_MAGIC &&
		    fchown(fd, uid, (gid_t)-1) < 0)
			die("fchown the pipe %d:", fd);
	}
}

#endif
