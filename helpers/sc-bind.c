/* sc-bind: show another file where one of ours is mounted in the root of another process
 * usage: sc-bind --target=PID [--start-time=N] --instead-of=OLD FILE PATH
 *
 * The hosts file of a container is a bind mount, and the container keeps it as long as it runs.
 * When it joins another network it is to see another file; mount(8) cannot put that into the
 * namespace of the container without running among files that the container controls. This takes
 * a copy of the mount of FILE here, joins the mount namespace of the process, and puts the copy
 * in the place of the mount of OLD, found as if the root of the process were "/". The container is
 * hostile: where something else is at PATH, nothing is mounted.
 *
 * Exit codes: 0, also when FILE is shown there already; 125 own failure, nothing was changed.
 * See sc-bind(8); open_tree(2), mount_setattr(2), move_mount(2), openat2(2), setns(2). */
#include <fcntl.h>
#include <getopt.h>
#include <linux/openat2.h>
#include <sched.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>

#include "sc.h"
#include "start-time.h"
#include "system-calls.h"

/* Linux 6.5; an older kernel says EINVAL */
#ifndef MOVE_MOUNT_BENEATH
#define MOVE_MOUNT_BENEATH 0x00000200
#endif

struct request {
	pid_t target;
	bool check_start;
	unsigned long long start_time;
	const char *old, *file, *path;
};

static _Noreturn void usage(void)
{
	die("usage: sc-bind --target=PID [--start-time=N] --instead-of=OLD FILE PATH");
}

static struct request read_request(int argc, char **argv)
{
	static const struct option options[] = {{"target", required_argument, NULL, 't'},
						{"start-time", required_argument, NULL, 's'},
						{"instead-of", required_argument, NULL, 'i'},
						{0}};
	struct request want = {0};
	int c;

	/* getopt's own message shows control characters raw */
	opterr = 0;
	while ((c = getopt_long(argc, argv, "+", options, NULL)) != -1) {
		switch (c) {
		case 't':
			want.target = (pid_t)number("--target", optarg, 1, 1 << 22);
			break;
		case 's':
			want.start_time = number("--start-time", optarg, 0, ~0ULL - 1);
			want.check_start = true;
			break;
		case 'i':
			want.old = optarg;
			break;
		default:
			usage();
		}
	}
	if (!want.target || !want.old || argc - optind != 2)
		usage();
	want.file = argv[optind];
	want.path = argv[optind + 1];
	if (want.path[0] != '/')
		die("'%s' is not absolute", want.path);
	return want;
}

static void shut(int fd, const char *what)
{
	if (close(fd) < 0)
		die("close %s:", what);
}

static struct stat status_of(const char *file)
{
	struct stat status;

	if (lstat(file, &status) < 0)
		die("stat %s:", file);
	if (!S_ISREG(status.st_mode))
		die("%s is no regular file", file);
	return status;
}

/* a descriptor of the user namespace of the process, or -1 when it is our own */
static int other_user_namespace(int process)
{
	struct stat ours, theirs;
	int fd = openat(process, "ns/user", O_RDONLY | O_CLOEXEC);

	if (fd < 0 || fstat(fd, &theirs) < 0 || stat("/proc/self/ns/user", &ours) < 0)
		die("the user namespace of the process:");
	if (ours.st_dev != theirs.st_dev || ours.st_ino != theirs.st_ino)
		return fd;
	shut(fd, "the user namespace");
	return -1;
}

/* the file as a mount that is nowhere yet, with the flags that sc-clone gives to such a line of an
 * fstab */
static int detached_mount(const char *file, int user_ns)
{
	struct mount_attr attributes = {.attr_set = MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID |
						    MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC,
					.propagation = MS_PRIVATE};
	int tree =
	    open_tree(AT_FDCWD, file, OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_SYMLINK_NOFOLLOW);

	if (tree < 0)
		die("bind %s:", file);
	if (user_ns >= 0) {
		attributes.attr_set |= MOUNT_ATTR_IDMAP;
		attributes.userns_fd = (uint64_t)user_ns;
	}
	if (mount_setattr(tree, "", AT_EMPTY_PATH, &attributes, sizeof(attributes)) < 0)
		die("set the flags of the mount of %s:", file);
	return tree;
}

/* whether fd is the root of a mount, and that of this very file */
static bool shows(int fd, const struct stat *file, const char *path)
{
	struct statx at;

	if (statx(fd, "", AT_EMPTY_PATH, STATX_INO, &at) < 0)
		die("statx %s:", path);
	return (at.stx_attributes & STATX_ATTR_MOUNT_ROOT) && at.stx_ino == file->st_ino &&
	       makedev(at.stx_dev_major, at.stx_dev_minor) == file->st_dev;
}

/* what is at the path below the root of the process, found through no link */
static int open_path(int root, const char *path)
{
	struct open_how how = {
	    .flags = O_PATH | O_CLOEXEC,
	    .resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS | RESOLVE_NO_SYMLINKS,
	};
	int fd = (int)syscall(SYS_openat2, root, path, &how, sizeof(how));

	if (fd < 0)
		die("open %s in the root of the process:", path);
	return fd;
}

/* The mount whose root fd is, away. umount(2) knows only paths, and no path of the container is to
 * be trusted: this one is a name in a /proc of ours, which the current directory is. */
static void unmount(int fd, const char *path)
{
	char name[16];

	if (snprintf(name, sizeof(name), "%d", fd) < 0)
		die("snprintf:");
	if (umount2(name, MNT_DETACH) < 0)
		die("unmount what was at %s:", path);
}

static void replace(int tree, int old, int root, const char *path)
{
	/* the new one goes beneath the old one: at no moment is there neither of them */
	const unsigned int flags = MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH;

	if (move_mount(tree, "", old, "", flags | MOVE_MOUNT_BENEATH) == 0) {
		unmount(old, path);
		return;
	}
	if (errno != EINVAL)
		die("mount on %s:", path);
	unmount(old, path);
	/* what is under it is the container's, and just a place */
	int place = open_path(root, path);

	if (move_mount(tree, "", place, "", flags) < 0)
		die("mount on %s:", path);
	shut(place, path);
}

int main(int argc, char **argv)
{
	prog = "sc-bind";
	struct request want = read_request(argc, argv);
	/* the container may have put a file system of its own there that never answers */
	alarm(10);
	int process = open_process(want.target, want.check_start ? &want.start_time : NULL);
	int descriptors = open("/proc/self/fd", O_PATH | O_DIRECTORY | O_CLOEXEC);
	int root = openat(process, "root", O_PATH | O_DIRECTORY | O_CLOEXEC);
	int mounts = openat(process, "ns/mnt", O_RDONLY | O_CLOEXEC);

	if (descriptors < 0 || root < 0 || mounts < 0)
		die("open the root of process %d:", want.target);
	struct stat file = status_of(want.file), old_file = status_of(want.old);
	int tree = detached_mount(want.file, other_user_namespace(process));

	if (setns(mounts, CLONE_NEWNS) < 0 || fchdir(descriptors) < 0)
		die("join the mounts of process %d:", want.target);
	int old = open_path(root, want.path);

	if (shows(old, &file, want.path))
		return 0;
	if (!shows(old, &old_file, want.path))
		die("what process %d has at %s is not %s: it is left alone", want.target, want.path,
		    want.old);
	replace(tree, old, root, want.path);
	return 0;
}
