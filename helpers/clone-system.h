/* clone-system.h: devices, masks and settings.
 *
 * Sources: null(4), random(4), tty(4), devpts in mount(8), proc(5), setrlimit(2), OCI
 * runtime-spec config-linux.md "Default Devices", SECURITY.md S9 S10 S26 S30. */
#ifndef SC_CLONE_SYSTEM_H
#define SC_CLONE_SYSTEM_H

#include <linux/magic.h>
#include <sys/sysmacros.h>

#include "clone-paths.h"
#include "process-limits.h"

/* they tell about the host, or its other containers, or are known side channels */
static const char *const masked[] = {
    "/proc/acpi",
    "/proc/asound",
    "/proc/interrupts",
    "/proc/kcore",
    "/proc/keys",
    "/proc/latency_stats",
    "/proc/sched_debug",
    "/proc/scsi",
    "/proc/timer_list",
    "/proc/timer_stats",
    "/sys/devices/virtual/powercap",
    "/sys/firmware",
    "/sys/fs/selinux",
};

/* they set something of the host */
static const char *const write_protected[] = {
    "/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger",
};

/* the host's own /dev/null: the one of the image may be anything (CVE-2025-31133) */
static int open_null(void)
{
	struct stat status;
	int fd = open("/dev/null", O_PATH | O_NOFOLLOW | O_CLOEXEC);

	if (fd < 0 || fstat(fd, &status) < 0)
		die("open /dev/null:");
	if (!S_ISCHR(status.st_mode) || status.st_rdev != makedev(1, 3))
		die("/dev/null of the host is not the device 1:3");
	return fd;
}

/* Nodes come from mknod. Where that is refused (a container that holds no CAP_MKNOD runs us) a
 * node of the host with the right number is bound instead. */
static void make_node(int dev, const char *name, dev_t device)
{
	/* a read-only mount still lets a device be written to, but not its mode and owner */
	struct mount_attr attributes = {.attr_set = MOUNT_ATTR_RDONLY, .propagation = MS_PRIVATE};
	char path[32];
	struct stat status;

	if (mknodat(dev, name, S_IFCHR | 0666, device) == 0) {
		/* whatever the umask is */
		if (fchmodat(dev, name, 0666, 0) < 0)
			die("chmod /dev/%s:", name);
		return;
	}
	if (errno != EPERM)
		die("mknod /dev/%s:", name);
	if (snprintf(path, sizeof(path), "/dev/%s", name) < 0)
		die("snprintf:");
	int node = open(path, O_PATH | O_NOFOLLOW | O_CLOEXEC);

	if (node < 0 || fstat(node, &status) < 0 || !S_ISCHR(status.st_mode) ||
	    status.st_rdev != device)
		die("mknod /dev/%s is refused, and the host has no such device", name);
	if (make_entry(dev, name, false) < 0)
		die("create /dev/%s:", name);
	int tree = clone_tree(node, "", false);
	int target = openat(dev, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);

	if (tree < 0 || target < 0 || set_attributes(tree, false, attributes) < 0)
		die("bind /dev/%s:", name);
	attach(tree, target, name);
	shut(tree);
	shut(target);
	shut(node);
}

static int open_dev(int root)
{
	int dev = open_below(root, "/dev", O_PATH | O_DIRECTORY, RESOLVE_NO_SYMLINKS);

	if (dev < 0)
		die("open /dev inside the root:");
	if (magic_of(dev, "/dev") != TMPFS_MAGIC)
		die("/dev: the fstab has no tmpfs for it");
	return dev;
}

static void setup_devices(int root)
{
	static const struct {
		const char *name;
		unsigned int major_id, minor_id;
	} node[] = {{"null", 1, 3},   {"zero", 1, 5},    {"full", 1, 7},
		    {"random", 1, 8}, {"urandom", 1, 9}, {"tty", 5, 0}};
	static const struct {
		const char *name, *target;
	} link[] = {{"fd", "/proc/self/fd"},
		    {"stdin", "/proc/self/fd/0"},
		    {"stdout", "/proc/self/fd/1"},
		    {"stderr", "/proc/self/fd/2"},
		    {"ptmx", "pts/ptmx"}};
	int dev = open_dev(root);

	for (size_t n = 0; n < LEN(node); n++)
		make_node(dev, node[n].name, makedev(node[n].major_id, node[n].minor_id));
	for (size_t n = 0; n < LEN(link); n++)
		if (symlinkat(link[n].target, dev, link[n].name) < 0)
			die("symlink /dev/%s:", link[n].name);
	shut(dev);
}

/* the terminal as /dev/console, onto a file that was not there before (CVE-2025-52565) */
static void bind_console(int root, int terminal)
{
	int dev = open_dev(root);

	if (make_entry(dev, "console", false) < 0)
		die("create /dev/console:");
	int target = openat(dev, "console", O_PATH | O_NOFOLLOW | O_CLOEXEC);
	int tree = clone_tree(terminal, "", false);

	if (target < 0 || tree < 0)
		die("bind /dev/console:");
	attach(tree, target, "/dev/console");
	shut(tree);
	shut(target);
	shut(dev);
}

/* an empty file or directory over path; paths that this kernel lacks need none */
static void mask_path(int root, const char *path, int null, int *empty)
{
	struct mount_attr attributes = {.attr_set = MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID |
						    MOUNT_ATTR_NOEXEC,
					.propagation = MS_PRIVATE};
	int target = open_below(root, path, O_PATH, RESOLVE_NO_SYMLINKS);
	int tree;

	if (target < 0 && (errno == ENOENT || errno == ENOTDIR))
		return;
	if (target < 0)
		die("mask %s:", path);
	if (!is_directory(target, path)) {
		tree = clone_tree(null, "", false);
	} else if (*empty < 0) {
		int fs = fsopen("tmpfs", FSOPEN_CLOEXEC);

		if (fs < 0 || fsconfig(fs, FSCONFIG_SET_STRING, "mode", "755", 0) < 0 ||
		    fsconfig(fs, FSCONFIG_SET_FLAG, "ro", NULL, 0) < 0 ||
		    fsconfig(fs, FSCONFIG_CMD_CREATE, NULL, NULL, 0) < 0)
			die("mask %s with an empty tmpfs:", path);
		tree = *empty = fsmount(fs, FSMOUNT_CLOEXEC, 0);
		shut(fs);
	} else {
		tree = clone_tree(*empty, "", false);
	}
	if (tree < 0 || set_attributes(tree, false, attributes) < 0)
		die("mask %s:", path);
	attach(tree, target, path);
	if (tree != *empty)
		shut(tree);
	shut(target);
}

static void write_protect(int root, const char *path)
{
	struct mount_attr attributes = {.attr_set = MOUNT_ATTR_RDONLY, .propagation = MS_PRIVATE};
	int target = open_below(root, path, O_PATH, RESOLVE_NO_SYMLINKS);

	if (target < 0 && (errno == ENOENT || errno == ENOTDIR))
		return;
	int tree = target < 0 ? -1 : clone_tree(target, "", true);

	if (tree < 0 || set_attributes(tree, true, attributes) < 0)
		die("make %s read-only:", path);
	attach(tree, target, path);
	shut(tree);
	shut(target);
}

static void setup_masks(int root, int null)
{
	char path[64];
	int empty = -1;

	for (size_t n = 0; n < LEN(write_protected); n++)
		write_protect(root, write_protected[n]);
	for (size_t n = 0; n < LEN(masked); n++)
		mask_path(root, masked[n], null, &empty);
	for (unsigned int cpu = 0;; cpu++) {
		if (snprintf(path, sizeof(path), "/sys/devices/system/cpu/cpu%u", cpu) < 0)
			die("snprintf:");
		int fd = open_below(root, path, O_PATH, RESOLVE_NO_SYMLINKS);

		if (fd < 0)
			break;
		shut(fd);
		if (snprintf(path, sizeof(path), "/sys/devices/system/cpu/cpu%u/thermal_throttle",
			     cpu) < 0)
			die("snprintf:");
		mask_path(root, path, null, &empty);
	}
	if (empty >= 0)
		shut(empty);
}

static void write_proc(const char *path, const char *value)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC | O_NOFOLLOW);

	if (fd < 0)
		die("open %s:", path);
	if (magic_of(fd, path) != PROC_SUPER_MAGIC)
		die("%s: /proc of the host is not a procfs", path);
	if (write(fd, value, strlen(value)) != (ssize_t)strlen(value))
		die("write '%s' to %s:", value, path);
	shut(fd);
}

/* KEY=VALUE; what is not of a namespace is a setting of the host. Asked before anything is done
 * (apply false), and set through the host's /proc, which shows the namespaces of the reader. */
static void set_sysctl(const char *text, bool own_ipc, bool apply)
{
	static const char *const ipc[] = {"kernel/shm", "kernel/msg", "fs/mqueue/"};
	char path[PATH_MAX] = "/proc/sys/";
	const size_t start = strlen(path);
	size_t length = strcspn(text, "=");
	bool is_ipc = false;

	if (!text[length] || length == 0 || start + length >= sizeof(path))
		die("--sysctl=%s: want KEY=VALUE", text);
	/* dots become slashes, so no .. is left */
	for (size_t n = 0; n < length; n++)
		path[start + n] = (char)(text[n] == '.' ? '/' : text[n]);
	path[start + length] = '\0';
	for (size_t n = 0; n < LEN(ipc); n++)
		is_ipc |= strncmp(path + start, ipc[n], strlen(ipc[n])) == 0;
	is_ipc |= strcmp(path + start, "kernel/sem") == 0;
	if (!is_ipc && strncmp(path + start, "net/", 4) != 0)
		die("--sysctl=%s: not of a namespace, it would change the host", text);
	if (is_ipc && !own_ipc)
		die("--sysctl=%s: needs --ipc, it would change the host", text);
	if (apply)
		write_proc(path, text + length + 1);
}

#endif
