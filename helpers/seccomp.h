/* seccomp.h: the system call filter, an array of struct sock_filter in a file.
 *
 * Sources: seccomp(2), the kernel's Documentation/userspace-api/seccomp_filter.rst.
 *
 *   int fd = seccomp_open(file);        while the host's paths can still be seen
 *   struct sock_fprog filter;
 *   seccomp_load(fd, &filter);          closes fd
 *   seccomp_install(&filter);           with no_new_privs last of all, after caps_apply();
 *                                       without, before CAP_SYS_ADMIN is given up */
#ifndef SC_SECCOMP_H
#define SC_SECCOMP_H

#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/syscall.h>

#include "sc.h"

/* the descriptor of the file, O_CLOEXEC */
__attribute__((unused)) static int seccomp_open(const char *file)
{
	int fd = open(file, O_RDONLY | O_CLOEXEC | O_NOCTTY);

	if (fd < 0)
		die("open seccomp filter %s:", file);
	return fd;
}

/* reads and closes fd; the instructions are malloced */
__attribute__((unused)) static void seccomp_load(int fd, struct sock_fprog *filter)
{
	const size_t limit = BPF_MAXINSNS * sizeof(struct sock_filter);
	char *bytes = malloc(limit + 1);
	size_t length = 0;

	if (!bytes)
		die("malloc %zu:", limit + 1);
	for (;;) {
		ssize_t got = read(fd, bytes + length, limit + 1 - length);

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			die("read seccomp filter:");
		length += (size_t)got;
		if (got == 0 || length > limit)
			break;
	}
	if (close(fd) < 0)
		die("close seccomp filter:");
	if (length == 0 || length > limit || length % sizeof(struct sock_filter))
		die("seccomp filter: not 1 to %d instructions of %zu bytes", BPF_MAXINSNS,
		    sizeof(struct sock_filter));
	filter->len = (unsigned short)(length / sizeof(struct sock_filter));
	filter->filter = (struct sock_filter *)(void *)bytes;
}

__attribute__((unused)) static void seccomp_install(const struct sock_fprog *filter)
{
	if (syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, filter) < 0)
		die("seccomp SECCOMP_SET_MODE_FILTER (%u instructions):", filter->len);
}

#endif
