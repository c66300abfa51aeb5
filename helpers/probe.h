/* probe.h: what all probes share: time, the line they print, and the rights they give up.
 *
 * Sources: clock_gettime(2), capabilities(7), capset(2), prctl(2). */
#ifndef SC_PROBE_H
#define SC_PROBE_H

#include <fcntl.h>
#include <linux/capability.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>

#include "sc.h"

/* no probe may take longer than this, whatever it is told */
#define SECONDS_MAX 60

static void shut(int fd)
{
	if (close(fd) < 0)
		die("close descriptor %d:", fd);
}

static uint64_t microseconds(void)
{
	struct timespec now;

	if (clock_gettime(CLOCK_MONOTONIC, &now) < 0)
		die("clock_gettime:");
	return (uint64_t)now.tv_sec * 1000000U + (uint64_t)now.tv_nsec / 1000U;
}

/* "1.5" in microseconds; and whatever happens, SIGALRM ends us a little later */
static uint64_t duration(const char *text)
{
	char whole[8], part[4] = "000";
	size_t digits = strcspn(text, ".");
	const char *rest = text[digits] ? text + digits + 1 : "0";

	if (digits == 0 || digits >= sizeof(whole) || !*rest || strlen(rest) >= sizeof(part))
		die("'%s' is no number of seconds with at most three decimals", text);
	memcpy(whole, text, digits);
	whole[digits] = '\0';
	for (size_t n = 0; rest[n]; n++)
		part[n] = rest[n];
	uint64_t length = number("seconds", whole, 0, SECONDS_MAX) * 1000000U +
			  number("seconds", part, 0, 999) * 1000U;

	alarm((unsigned int)(length / 1000000U) + 3);
	return length;
}

static int poll_milliseconds(uint64_t until)
{
	uint64_t now = microseconds();

	return now >= until ? 0 : (int)((until - now) / 1000U) + 1;
}

/* one line, at once: whoever reads it may be waiting for it, or we may not live to print another */
static void report(const char *key, unsigned long long value)
{
	if (dprintf(STDOUT_FILENO, "%s %llu\n", key, value) < 0)
		die("write to standard output:");
}

static void report_word(const char *key, const char *value)
{
	if (dprintf(STDOUT_FILENO, "%s %s\n", key, value) < 0)
		die("write to standard output:");
}

static const char *error_name(int error)
{
	switch (error) {
	case 0:
		return "ok";
	case EPERM:
		return "EPERM";
	case EACCES:
		return "EACCES";
	case EAGAIN:
		return "EAGAIN";
	case ENOMEM:
		return "ENOMEM";
	case ENOSPC:
		return "ENOSPC";
	case EDQUOT:
		return "EDQUOT";
	case ECONNREFUSED:
		return "ECONNREFUSED";
	default:
		return strerror(error);
	}
}

/* what a probe does from here on needs no privilege, so it has none */
static void drop_privilege(void)
{
	struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct none[_LINUX_CAPABILITY_U32S_3] = {0};

	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		die("prctl PR_SET_NO_NEW_PRIVS:");
	if (syscall(SYS_capset, &header, none) < 0)
		die("capset:");
}

/* a child that cannot outlive us; 0 in the child, -1 and errno when there may be no more processes
 */
static pid_t fork_bound(void)
{
	pid_t parent = getpid(), child = fork();

	if (child != 0)
		return child;
	if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0)
		die("prctl PR_SET_PDEATHSIG:");
	/* it died before we said so */
	if (getppid() != parent)
		_exit(EXIT_HELPER);
	return 0;
}

#endif
