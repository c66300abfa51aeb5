/* start-time.h: the directory of a process in /proc, certainly of the one that is meant.
 *
 * A number comes back when its process has ended, a number and a start time together do not. The
 * directory stays that of this very process, whoever gets its number later. See
 * proc_pid_stat(5). */
#ifndef SC_START_TIME_H
#define SC_START_TIME_H

#include <fcntl.h>
#include <sys/types.h>

#include "sc.h"

/* field 22 of stat; field 2 may contain anything, so it is counted from its ")". Returns 0 when the
 * process has ended. */
static int start_time(int process, unsigned long long *start)
{
	char text[1024];
	int fd = openat(process, "stat", O_RDONLY | O_CLOEXEC);
	ssize_t got = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);

	if (got < 0 && errno != ENOENT && errno != ESRCH)
		die("read the stat of the process:");
	if (fd >= 0 && close(fd) < 0)
		die("close the stat of the process:");
	if (got < 0)
		return 0;
	text[got] = '\0';
	char *at = strrchr(text, ')');

	for (int field = 2; at && field < 22; field++)
		at = strchr(at + 1, ' ');
	if (!at)
		die("the stat of the process has no field 22");
	at++;
	at[strcspn(at, " \n")] = '\0';
	*start = number("start time", at, 0, ~0ULL - 1);
	return 1;
}

/* a descriptor of /proc/PID; with START, only of the process that started then */
__attribute__((unused)) static int open_process(pid_t pid, const unsigned long long *start)
{
	char path[32];

	if (snprintf(path, sizeof(path), "/proc/%d", pid) < 0)
		die("snprintf:");
	int process = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);

	if (process < 0)
		die("open %s:", path);
	if (start) {
		unsigned long long started;

		if (!start_time(process, &started))
			die("process %d has ended", pid);
		if (started != *start)
			die("process %d started at %llu, not at %llu: it is not the one recorded",
			    pid, started, *start);
	}
	return process;
}

#endif
