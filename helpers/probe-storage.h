/* probe-storage.h: probes of block devices, file systems and device nodes.
 *
 * Sources: open(2) (O_DIRECT, O_TMPFILE), openat2(2), fallocate(2), fsopen(2), faccessat(2),
 * proc(5), Documentation/admin-guide/cgroup-v1/blkio-controller.rst and devices.rst of the kernel.
 */
#ifndef SC_PROBE_STORAGE_H
#define SC_PROBE_STORAGE_H

#include <linux/fs.h>
#include <linux/magic.h>
#include <linux/openat2.h>
#include <sys/fsuid.h>
#include <sys/ioctl.h>
#include <sys/statfs.h>
#include <sys/sysmacros.h>

#include "probe.h"
#include "start-time.h"
#include "system-calls.h"

/* O_DIRECT wants memory, sizes and offsets in multiples of a block */
#define BLOCK       4096U
#define SIZE_MAX_IO 1048576U
/* written over and over, so that a fast disk does not fill up */
#define SPAN   67108864U
#define NOBODY 65534U

/* requests of SIZE bytes, one after another; the rate is counted when the first slices of the
 * kernel, in which it lets more pass, are over */
static void transfer_blocks(int fd, bool writing, size_t size, uint64_t span, uint64_t length)
{
	uint64_t start = microseconds(), until = start + length, from = 0, last = 0, done = 0;
	uint64_t offset = 0;
	char *buffer = aligned_alloc(BLOCK, size);

	if (!buffer)
		die("out of memory for %zu bytes", size);
	memset(buffer, 'p', size);
	if (span < size)
		die("less than %zu bytes to read", size);
	while (microseconds() < until) {
		ssize_t got = writing ? pwrite(fd, buffer, size, (off_t)offset)
				      : pread(fd, buffer, size, (off_t)offset);

		if (got < 0 && errno == EINTR)
			continue;
		if (got != (ssize_t)size)
			die("%s %zu bytes at %llu:", writing ? "write" : "read", size,
			    (unsigned long long)offset);
		offset = offset + 2 * size > span ? 0 : offset + size;
		last = microseconds();
		if (!from && last - start > length / 4)
			from = last;
		else if (from)
			done++;
	}
	free(buffer);
	if (!done || last == from)
		die("not two requests of %zu bytes in the time given", size);
	report("bytes_per_second", done * size * 1000000U / (last - from));
	report("ops_per_second", done * 1000000U / (last - from));
}

static void write_file(const char *directory, size_t size, uint64_t length)
{
	int fd = open(directory, O_TMPFILE | O_RDWR | O_DIRECT | O_NOFOLLOW | O_CLOEXEC, 0600);

	if (fd < 0)
		die("open a file without a name in %s:", directory);
	drop_privilege();
	transfer_blocks(fd, true, size, SPAN, length);
	shut(fd);
}

/* standard input, so that it was opened before we were in a control group that denies devices */
static void read_device(size_t size, uint64_t length)
{
	struct stat status;
	uint64_t bytes = 0;
	int flags = fcntl(STDIN_FILENO, F_GETFL);

	if (fstat(STDIN_FILENO, &status) < 0 || flags < 0)
		die("standard input:");
	if (!S_ISBLK(status.st_mode))
		die("standard input is no block device");
	if (fcntl(STDIN_FILENO, F_SETFL, flags | O_DIRECT) < 0)
		die("fcntl O_DIRECT:");
	if (ioctl(STDIN_FILENO, BLKGETSIZE64, &bytes) < 0)
		die("ioctl BLKGETSIZE64:");
	transfer_blocks(STDIN_FILENO, false, size, bytes, length);
}

/* Take what a user of the file system can get, at most BYTES, and give it back at once. Blocks that
 * are kept for root, and the quota that root may exceed, are no part of it. */
static void fill(const char *directory, uint64_t bytes)
{
	struct statfs before;
	struct stat status;
	uint64_t used = 0, step = 1ULL << 46;
	int error = 0;
	int fd = open(directory, O_TMPFILE | O_RDWR | O_NOFOLLOW | O_CLOEXEC, 0600);

	if (fd < 0)
		die("open a file without a name in %s:", directory);
	/* it reports no error, but the one before; -1 is nobody's and changes nothing */
	(void)setfsuid(NOBODY);
	if (setfsuid((uid_t)-1) != (int)NOBODY)
		die("setfsuid %u:", NOBODY);
	drop_privilege();
	alarm(10);
	if (fstatfs(fd, &before) < 0)
		die("fstatfs %s:", directory);
	while (step >= BLOCK && used < bytes) {
		if (step > bytes - used) {
			step /= 2;
			continue;
		}
		if (fallocate(fd, 0, (off_t)used, (off_t)step) == 0) {
			used += step;
			continue;
		}
		if (errno == EINTR)
			continue;
		if (errno != ENOSPC && errno != EDQUOT && errno != EFBIG)
			die("fallocate in %s:", directory);
		error = errno;
		step /= 2;
	}
	int full = fstat(fd, &status);

	if (ftruncate(fd, 0) < 0 || full < 0)
		die("measure what was filled of %s:", directory);
	shut(fd);
	report("filled", (unsigned long long)status.st_blocks * 512U);
	report("used", (unsigned long long)(before.f_blocks - before.f_bfree) *
			   (unsigned long long)before.f_frsize);
	report_word("refused", error ? error_name(error) : "no");
}

/* a tmpfs that nobody sees and that ends with its last descriptor */
static int private_tmpfs(void)
{
	int context = fsopen("tmpfs", FSOPEN_CLOEXEC);

	if (context < 0 || fsconfig(context, FSCONFIG_CMD_CREATE, NULL, NULL, 0) < 0)
		die("fsopen tmpfs:");
	int mount = fsmount(context, FSMOUNT_CLOEXEC, 0);

	if (mount < 0)
		die("fsmount tmpfs:");
	shut(context);
	return mount;
}

/* become PROG with the device node as standard input, made before PROG joins what may forbid it */
static _Noreturn void node(const char *type, const char *numbers, char **argv)
{
	char text[16];
	size_t digits = strcspn(numbers, ":");
	mode_t mode = strcmp(type, "b") == 0 ? S_IFBLK : S_IFCHR;

	if (strcmp(type, "b") != 0 && strcmp(type, "c") != 0)
		die("'%s' is no type of device: b or c", type);
	if (!numbers[digits] || digits >= sizeof(text))
		die("'%s' is not MAJOR:MINOR", numbers);
	memcpy(text, numbers, digits);
	text[digits] = '\0';
	dev_t device = makedev((unsigned int)number("major", text, 0, 4095),
			       (unsigned int)number("minor", numbers + digits + 1, 0, 1048575));
	int mount = private_tmpfs();

	if (mknodat(mount, "node", mode | 0600, device) < 0)
		die("mknod %s %s:", type, numbers);
	/* not opened: a driver may do things when it is, a watchdog would start to count */
	int fd = openat(mount, "node", O_PATH | O_CLOEXEC);

	if (fd < 0 || dup2(fd, STDIN_FILENO) < 0)
		die("open the node %s %s:", type, numbers);
	chain(argv);
}

/* What the kernel says to reading, writing and making the device that standard input is. It asks
 * the device control group in access(2) as in open(2). */
static void access_device(void)
{
	struct stat status;

	if (fstat(STDIN_FILENO, &status) < 0)
		die("standard input:");
	if (!S_ISBLK(status.st_mode) && !S_ISCHR(status.st_mode))
		die("standard input is no device");
	for (int n = 0; n < 2; n++) {
		long answer =
		    syscall(SYS_faccessat2, STDIN_FILENO, "", n ? W_OK : R_OK, AT_EMPTY_PATH);

		report_word(n ? "write" : "read", error_name(answer < 0 ? errno : 0));
	}
	int mount = private_tmpfs();
	int made = mknodat(mount, "node", (status.st_mode & S_IFMT) | 0600, status.st_rdev);

	report_word("mknod", error_name(made < 0 ? errno : 0));
	shut(mount);
}

/* The size of the tmpfs at PATH as a process sees it. Its root is hostile: PATH is resolved as if
 * that root were "/", through no link of /proc, nothing is opened, and SIGALRM ends us if a file
 * system does not answer. */
static void size(pid_t pid, unsigned long long start, const char *path)
{
	struct open_how how = {.flags = O_PATH | O_DIRECTORY | O_CLOEXEC,
			       .resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS};
	struct statfs filesystem;
	int process = open_process(pid, &start);
	int root = openat(process, "root", O_PATH | O_DIRECTORY | O_CLOEXEC);

	if (root < 0)
		die("open the root of process %d:", pid);
	drop_privilege();
	alarm(3);
	int fd = (int)syscall(SYS_openat2, root, path, &how, sizeof(how));

	if (fd < 0)
		die("open %s inside the root:", path);
	if (fstatfs(fd, &filesystem) < 0)
		die("fstatfs %s:", path);
	if (filesystem.f_type != TMPFS_MAGIC)
		die("%s inside the root is no tmpfs", path);
	report("size",
	       (unsigned long long)filesystem.f_blocks * (unsigned long long)filesystem.f_bsize);
}

#endif
