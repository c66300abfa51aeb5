/* process-limits.h: what a process hands on to its children and no cgroup knows.
 *
 * Sources: setrlimit(2), proc_pid_oom_score_adj(5). */
#ifndef SC_PROCESS_LIMITS_H
#define SC_PROCESS_LIMITS_H

#include <fcntl.h>
#include <stdbool.h>
#include <strings.h>
#include <sys/resource.h>

#include "sc.h"

/* NAME=SOFT[:HARD] */
static void set_rlimit(const char *text, bool apply)
{
	static const struct {
		const char *name;
		int resource;
	} limit[] = {{"as", RLIMIT_AS},
		     {"core", RLIMIT_CORE},
		     {"cpu", RLIMIT_CPU},
		     {"data", RLIMIT_DATA},
		     {"fsize", RLIMIT_FSIZE},
		     {"locks", RLIMIT_LOCKS},
		     {"memlock", RLIMIT_MEMLOCK},
		     {"msgqueue", RLIMIT_MSGQUEUE},
		     {"nice", RLIMIT_NICE},
		     {"nofile", RLIMIT_NOFILE},
		     {"nproc", RLIMIT_NPROC},
		     {"rss", RLIMIT_RSS},
		     {"rtprio", RLIMIT_RTPRIO},
		     {"rttime", RLIMIT_RTTIME},
		     {"sigpending", RLIMIT_SIGPENDING},
		     {"stack", RLIMIT_STACK}};
	const char *name = strncasecmp(text, "rlimit_", 7) == 0 ? text + 7 : text;
	size_t length = strcspn(name, "="), n = 0;
	char copy[64];
	rlim_t value[2];

	while (n < LEN(limit) &&
	       (strlen(limit[n].name) != length || strncasecmp(name, limit[n].name, length) != 0))
		n++;
	if (n == LEN(limit) || !name[length] || strlen(name + length + 1) >= sizeof(copy))
		die("--rlimit=%s: want NAME=SOFT[:HARD], see setrlimit(2)", text);
	memcpy(copy, name + length + 1, strlen(name + length + 1) + 1);
	char *hard = strchr(copy, ':');

	if (hard)
		*hard++ = '\0';
	for (size_t i = 0; i < LEN(value); i++) {
		const char *word = i && hard ? hard : copy;

		if (strcmp(word, "unlimited") == 0 || strcmp(word, "-1") == 0)
			value[i] = RLIM_INFINITY;
		else
			value[i] = number("--rlimit", word, 0, RLIM_INFINITY - 1);
	}
	struct rlimit both = {.rlim_cur = value[0], .rlim_max = value[1]};

	if (both.rlim_cur > both.rlim_max)
		die("--rlimit=%s: the soft limit is above the hard one", text);
	if (!apply || setrlimit((unsigned int)limit[n].resource, &both) == 0)
		return;
	if (errno != EPERM)
		die("--rlimit=%s:", text);
	warn("warning: --rlimit=%s (only with CAP_SYS_RESOURCE can a hard limit be raised):", text);
}

/* text NULL: only keeps the container from being spared by the OOM killer */
static void set_oom_score(const char *text)
{
	static const char path[] = "/proc/self/oom_score_adj";
	int fd = open(path, O_RDWR | O_CLOEXEC);
	char now;

	if (fd < 0 || read(fd, &now, 1) != 1)
		die("read %s:", path);
	if (!text && now == '-')
		text = "0";
	if (text && pwrite(fd, text, strlen(text), 0) < 0) {
		if (errno != EACCES && errno != EPERM)
			die("--oom-score-adj=%s:", text);
		warn("warning: --oom-score-adj=%s (needs CAP_SYS_RESOURCE):", text);
	}
	if (close(fd) < 0)
		die("close %s:", path);
}

#endif
