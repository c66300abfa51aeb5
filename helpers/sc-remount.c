/* sc-remount: change the limits of a tmpfs that is mounted in the root of another process
 * usage: sc-remount --target=PID [--start-time=N] DIR OPTION=VALUE...
 *   OPTION  size=BYTES (with k, m or g), nr_inodes=NUMBER
 *
 * mount(8) can only name what is mounted in its own namespace, and joining that of a container
 * would be to run among its files. This takes a descriptor of DIR instead, found as if the root of
 * PID were "/", and changes the file system behind it. The container is hostile: it may have put a
 * link, another mount or a file system of the host there, and is refused then.
 *
 * Exit codes: 0; 125 own failure, nothing was changed. See sc-remount(8); openat2(2), statx(2),
 * fspick(2), fsconfig(2), pidfd_open(2), proc_pid_mountinfo(5), tmpfs(5). */
#include <fcntl.h>
#include <getopt.h>
#include <limits.h>
#include <linux/magic.h>
#include <linux/openat2.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>

#include "sc.h"
#include "start-time.h"
#include "system-calls.h"

enum limit { SIZE, INODES, LIMITS };

static const char *const limits[LIMITS] = {[SIZE] = "size", [INODES] = "nr_inodes"};

/* what the command line asks for; 0: leave it as it is (to tmpfs, 0 is no limit, which nobody gets
 * here) */
struct request {
	pid_t target;
	bool check_start;
	unsigned long long start_time;
	const char *directory;
	unsigned long long value[LIMITS];
};

static _Noreturn void usage(void)
{
	die("usage: sc-remount --target=PID [--start-time=N] DIR size=BYTES|nr_inodes=NUMBER...");
}

/* a number, for a size one that may end in k, m or g */
static unsigned long long amount(enum limit limit, const char *text)
{
	static const char units[] = "kmg";
	char digits[32];
	size_t length = strlen(text);
	unsigned int shift = 0;

	if (length >= sizeof(digits))
		die("%s: '%s' is too long", limits[limit], text);
	memcpy(digits, text, length + 1);
	if (limit == SIZE && length > 1) {
		const char *unit = strchr(units, digits[length - 1] | 0x20);

		if (unit && *unit) {
			shift = 10 * (unsigned int)(unit - units + 1);
			digits[length - 1] = '\0';
		}
	}
	return number(limits[limit], digits, 1, (unsigned long long)(LLONG_MAX >> shift)) << shift;
}

static void take_limit(struct request *want, const char *word)
{
	const char *value = strchr(word, '=');

	for (enum limit n = 0; value && n < LIMITS; n++) {
		size_t length = strlen(limits[n]);

		if (length != (size_t)(value - word) || strncmp(word, limits[n], length) != 0)
			continue;
		want->value[n] = amount(n, value + 1);
		return;
	}
	die("'%s': the options are size=BYTES and nr_inodes=NUMBER", word);
}

static struct request read_request(int argc, char **argv)
{
	static const struct option options[] = {{"target", required_argument, NULL, 't'},
						{"start-time", required_argument, NULL, 's'},
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
		default:
			usage();
		}
	}
	if (!want.target || argc - optind < 2)
		usage();
	want.directory = argv[optind++];
	if (want.directory[0] != '/')
		die("'%s' is not absolute", want.directory);
	for (; optind < argc; optind++)
		take_limit(&want, argv[optind]);
	return want;
}

/* the directory, by its path below the root of the process, through no link */
static int open_directory(const struct request *want, int process)
{
	struct open_how how = {
	    .flags = O_PATH | O_DIRECTORY | O_CLOEXEC,
	    .resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS | RESOLVE_NO_SYMLINKS,
	};
	int root = openat(process, "root", O_PATH | O_DIRECTORY | O_CLOEXEC);

	if (root < 0)
		die("open the root of process %d:", want->target);
	int directory = (int)syscall(SYS_openat2, root, want->directory, &how, sizeof(how));

	if (directory < 0)
		die("open %s in the root of process %d:", want->directory, want->target);
	if (close(root) < 0)
		die("close the root of process %d:", want->target);
	return directory;
}

/* Finds a mount of a process: the one with an id, or with NULL any of the file system. Its root
 * within the file system goes to root (64 bytes). false: there is none. */
static bool find_mount(const char *process, const char *id, const char *device, char *root)
{
	char path[64], its_id[32], its_device[32];
	char *line = NULL;
	size_t room = 0;
	bool seen = false;

	if (snprintf(path, sizeof(path), "/proc/%s/mountinfo", process) < 0)
		die("snprintf:");
	FILE *mounts = fopen(path, "re");

	if (!mounts)
		die("open %s:", path);
	while (!seen && getline(&line, &room, mounts) > 0) {
		/* ID PARENT MAJOR:MINOR ROOT MOUNT-POINT; of a root only whether it is "/" counts
		 */
		if (sscanf(line, "%31s %*s %31s %63s", its_id, its_device, root) != 3)
			die("%s: a line that is none: %s", path, line);
		seen = (!id || strcmp(its_id, id) == 0) && strcmp(its_device, device) == 0;
	}
	if (ferror(mounts))
		die("read %s:", path);
	free(line);
	if (fclose(mounts) != 0)
		die("close %s:", path);
	return seen;
}

/* Only a whole tmpfs that nobody but the container has. A volume is a file system that the host has
 * mounted as well, and no matter where; with the privilege to mount, the container may bind one
 * here. */
static void check_own(const struct request *want, int directory)
{
	struct statfs filesystem;
	struct statx at;
	char id[32], device[32], process[32], root[64];

	if (fstatfs(directory, &filesystem) < 0)
		die("fstatfs %s:", want->directory);
	if (filesystem.f_type != TMPFS_MAGIC)
		die("%s in the root of process %d is no tmpfs", want->directory, want->target);
	if (statx(directory, "", AT_EMPTY_PATH, STATX_INO | STATX_MNT_ID, &at) < 0)
		die("statx %s:", want->directory);
	if (!(at.stx_attributes & STATX_ATTR_MOUNT_ROOT))
		die("%s in the root of process %d is no mount point", want->directory,
		    want->target);
	if (!(at.stx_mask & STATX_MNT_ID))
		die("statx %s: this kernel does not number its mounts (Linux 5.8 does)",
		    want->directory);
	if (snprintf(id, sizeof(id), "%llu", (unsigned long long)at.stx_mnt_id) < 0 ||
	    snprintf(device, sizeof(device), "%u:%u", at.stx_dev_major, at.stx_dev_minor) < 0 ||
	    snprintf(process, sizeof(process), "%d", want->target) < 0)
		die("snprintf:");
	if (!find_mount(process, id, device, root))
		die("%s is not among the mounts of process %d", want->directory, want->target);
	if (strcmp(root, "/") != 0)
		die("%s in the root of process %d is only a part of a tmpfs", want->directory,
		    want->target);
	if (find_mount("self", NULL, device, root))
		die("%s in the root of process %d is a file system of the host", want->directory,
		    want->target);
}

/* the words of the kernel's own explanation, if it gave one, are better than any errno */
static _Noreturn void refused(int fs, const char *directory)
{
	int error = errno;
	char why[512];
	ssize_t n = read(fs, why, sizeof(why) - 1);

	errno = error;
	if (n > 2) {
		why[n] = '\0';
		why[strcspn(why, "\n")] = '\0';
		die("change %s (%s):", directory, why + 2);
	}
	die("change %s:", directory);
}

static void change(const struct request *want, int directory)
{
	char value[32];
	int fs = fspick(directory, "", FSPICK_EMPTY_PATH | FSPICK_CLOEXEC);

	if (fs < 0)
		die("fspick %s:", want->directory);
	for (enum limit n = 0; n < LIMITS; n++) {
		if (!want->value[n])
			continue;
		if (snprintf(value, sizeof(value), "%llu", want->value[n]) < 0)
			die("snprintf:");
		if (fsconfig(fs, FSCONFIG_SET_STRING, limits[n], value, 0) < 0)
			refused(fs, want->directory);
	}
	if (fsconfig(fs, FSCONFIG_CMD_RECONFIGURE, NULL, NULL, 0) < 0)
		refused(fs, want->directory);
	if (close(fs) < 0)
		die("close the file system:");
}

/* the kernel rounds a size up to whole pages, and everything else must be as it was asked for */
static void read_back(const struct request *want, int directory)
{
	struct statfs now;

	if (fstatfs(directory, &now) < 0)
		die("fstatfs %s:", want->directory);
	unsigned long long page = (unsigned long long)now.f_bsize;
	unsigned long long pages = want->value[SIZE] / page + (want->value[SIZE] % page != 0);

	if (want->value[SIZE] && now.f_blocks != pages)
		die("change %s: asked for a size of %llu, the kernel has %llu", want->directory,
		    want->value[SIZE], (unsigned long long)now.f_blocks * page);
	if (want->value[INODES] && now.f_files != want->value[INODES])
		die("change %s: asked for %llu inodes, the kernel has %llu", want->directory,
		    want->value[INODES], (unsigned long long)now.f_files);
}

int main(int argc, char **argv)
{
	prog = "sc-remount";
	struct request want = read_request(argc, argv);
	/* the container may have put a file system of its own there that never answers */
	alarm(10);
	/* opened first: what is read in /proc afterwards belongs to this or to a later process, and
	 * in the end the process of the pidfd still lives, so there is no later one */
	int alive = (int)syscall(SYS_pidfd_open, want.target, 0);

	if (alive < 0)
		die("pidfd_open %d:", want.target);
	int process = open_process(want.target, want.check_start ? &want.start_time : NULL);
	int directory = open_directory(&want, process);

	check_own(&want, directory);
	if (syscall(SYS_pidfd_send_signal, alive, 0, NULL, 0) < 0)
		die("process %d:", want.target);
	change(&want, directory);
	read_back(&want, directory);
	return 0;
}
