/* console.h: a terminal made by the container's own devpts.
 *
 * Sources: pts(4), ioctl_tty(2) (TIOCSPTLCK, TIOCGPTPEER, TIOCSCTTY), cmsg(3), setsid(2);
 * the console socket is that of the OCI runtimes: one message, the name of the terminal as
 * its data and the master side as SCM_RIGHTS.
 *
 * A pty of the host's devpts would show the host's device number to the container, and
 * lending the caller's own terminal lets the container type on it (TIOCSTI, CVE-2017-5226). */
#ifndef SC_CONSOLE_H
#define SC_CONSOLE_H

#include <fcntl.h>
#include <linux/magic.h>
#include <linux/openat2.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/vfs.h>
#include <termios.h>

#include "sc.h"

static void console_send(int socket_fd, int master, const char *name)
{
	union {
		struct cmsghdr header;
		char space[CMSG_SPACE(sizeof(int))];
	} control = {.space = {0}};
	struct iovec data = {(void *)(uintptr_t)name, strlen(name)};
	struct msghdr message = {.msg_iov = &data,
				 .msg_iovlen = 1,
				 .msg_control = control.space,
				 .msg_controllen = sizeof(control.space)};
	struct cmsghdr *rights = CMSG_FIRSTHDR(&message);

	rights->cmsg_level = SOL_SOCKET;
	rights->cmsg_type = SCM_RIGHTS;
	rights->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(rights), &master, sizeof(int));
	ssize_t sent;

	do
		sent = sendmsg(socket_fd, &message, MSG_NOSIGNAL);
	while (sent < 0 && errno == EINTR);
	if (sent < 0)
		die("console: send the terminal to socket %d:", socket_fd);
}

/* Makes a pty in the devpts directory pts_dir_fd, sends its master side over socket_fd and
 * makes its slave side the controlling terminal and descriptors 0, 1 and 2 of this process,
 * in a session of its own. Returns the slave side (O_CLOEXEC), to bind on /dev/console. */
__attribute__((unused)) static int console_open(int pts_dir_fd, int socket_fd, uid_t uid, gid_t gid)
{
	struct open_how how = {.flags = O_RDWR | O_NOCTTY | O_CLOEXEC,
			       .resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_XDEV};
	int unlocked = 0;
	unsigned int number_of;
	char name[32];
	struct stat status;
	struct statfs filesystem;

	/* looked at before the open: what the container calls its devpts may be anything */
	if (fstatfs(pts_dir_fd, &filesystem) < 0)
		die("console: fstatfs /dev/pts of the container:");
	if (filesystem.f_type != DEVPTS_SUPER_MAGIC)
		die("console: /dev/pts of the container is not a devpts");
	int master = (int)syscall(SYS_openat2, pts_dir_fd, "ptmx", &how, sizeof(how));

	if (master < 0)
		die("console: open /dev/pts/ptmx of the container:");
	if (fstat(master, &status) < 0)
		die("console: fstat /dev/pts/ptmx of the container:");
	if (!S_ISCHR(status.st_mode) || status.st_rdev != makedev(5, 2))
		die("console: /dev/pts/ptmx of the container is not the device 5:2");
	if (ioctl(master, TIOCGPTN, &number_of) < 0)
		die("console: TIOCGPTN:");
	if (snprintf(name, sizeof(name), "/dev/pts/%u", number_of) < 0)
		die("console: snprintf:");
	if (ioctl(master, TIOCSPTLCK, &unlocked) < 0)
		die("console: TIOCSPTLCK:");
	/* by its master, never by a name that the container could have put elsewhere */
	int slave = ioctl(master, TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC);

	if (slave < 0)
		die("console: TIOCGPTPEER:");
	if (fchown(slave, uid, gid) < 0)
		die("console: fchown to %u:%u:", uid, gid);
	if (fchmod(slave, 0620) < 0)
		die("console: fchmod:");
	console_send(socket_fd, master, name);
	if (close(master) < 0)
		die("console: close:");
	if (getsid(0) != getpid() && setsid() < 0)
		die("console: setsid (a leader of a process group has to fork first):");
	if (ioctl(slave, TIOCSCTTY, 0) < 0)
		die("console: TIOCSCTTY:");
	for (int fd = 0; fd <= 2; fd++)
		if (dup2(slave, fd) < 0)
			die("console: dup2 to %d:", fd);
	return slave;
}

#endif
