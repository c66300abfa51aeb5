/* clone-wait.h: the parent, which stays outside: signals in, status out.
 *
 * Sources: signalfd(2), pid_namespaces(7) "The namespace init process", proc(5). */
#ifndef SC_CLONE_WAIT_H
#define SC_CLONE_WAIT_H

#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <sys/file.h>
#include <sys/signalfd.h>
#include <sys/wait.h>

#include "clone-paths.h"
#include "text-pages.h"

#define IDLE_MS 500

/* what the child tells its parent; when it becomes the command the pipe just ends */
#define TOLD_READY  'r' /* set up, waits for the fifo */
#define TOLD_FAILED 'f'

struct waiting {
	pid_t child;
	int status;  /* the pipe from the child; -1 when it has ended */
	int signals; /* signalfd */
	bool is_init;
	bool started;         /* the command runs */
	bool due;             /* it is time for the pid-file */
	int killed_by;        /* the signal that SIGKILL stands for */
	const char *pid_file; /* NULL when none is left to be written */
	int pid_fd;           /* that file, or -1: how it ended is added there */
	int ready;            /* where to say that; -1: nowhere, or done */
};

/* all but those that mean an error of our own, or that a reader of ours has gone */
static void forwarded_signals(sigset_t *set)
{
	static const int own[] = {SIGSEGV, SIGBUS,  SIGFPE, SIGILL,
				  SIGTRAP, SIGABRT, SIGSYS, SIGPIPE};

	if (sigfillset(set) < 0)
		die("sigfillset:");
	for (size_t n = 0; n < LEN(own); n++)
		if (sigdelset(set, own[n]) < 0)
			die("sigdelset:");
}

static const char *after_line(const char *text, const char *name)
{
	const char *line = strstr(text, name);

	return line ? line + strlen(name) : "0";
}

/* would init of a pid namespace never notice? (not handled, not ignored, not blocked) */
static bool drops(pid_t pid, int signal_number)
{
	static const char *const sets[] = {"\nSigBlk:\t", "\nSigIgn:\t", "\nSigCgt:\t"};
	char path[64];
	size_t length;
	uint64_t minds = 0;

	if (snprintf(path, sizeof(path), "/proc/%d/status", pid) < 0)
		die("snprintf:");
	char *text = read_whole(path, 65536, &length);

	for (size_t n = 0; n < LEN(sets); n++)
		minds |= strtoull(after_line(text, sets[n]), NULL, 16);
	free(text);
	return !(minds >> (signal_number - 1) & 1);
}

static void forward(struct waiting *w, int signal_number)
{
	bool ends = signal_number == SIGTERM || signal_number == SIGINT ||
		    signal_number == SIGHUP || signal_number == SIGQUIT;

	/* before exec the child is ours: a signal would only stay pending and then be lost */
	if (ends && (!w->started || (w->is_init && drops(w->child, signal_number)))) {
		w->killed_by = signal_number;
		signal_number = SIGKILL;
	}
	/* not waited for yet, so the pid is still the child's */
	if (kill(w->child, signal_number) < 0)
		warn("kill %d:", w->child);
}

/* "PID STARTTIME BOOTID\n": no other process ever has the same */
static void process_name(pid_t pid, char *line, size_t size)
{
	char path[64];
	size_t length;
	unsigned long long start;

	if (snprintf(path, sizeof(path), "/proc/%d/stat", pid) < 0)
		die("snprintf:");
	char *stat_line = read_whole(path, 65536, &length);
	char *boot = read_whole("/proc/sys/kernel/random/boot_id", 64, &length);
	/* field 2 is a name in parentheses and may contain anything; 22 is the 20th after it */
	const char *field = strrchr(stat_line, ')');

	for (int n = 2; field && n < 22; n++) {
		field = strchr(field, ' ');
		field += field != NULL;
	}
	start = field ? strtoull(field, NULL, 10) : 0;
	boot[strcspn(boot, "\n")] = '\0';
	int used = snprintf(line, size, "%d %llu %s\n", pid, start, boot);

	if (used < 0 || (size_t)used >= size)
		die("snprintf:");
	free(stat_line);
	free(boot);
}

static bool write_line(int fd, const char *line)
{
	return write(fd, line, strlen(line)) == (ssize_t)strlen(line) && close(fd) == 0;
}

/* Whole or not at all. The descriptor that is returned stays open in this process and is locked
 * (flock(2)): who waits for the lock waits for our end. */
static int write_locked(const char *file, const char *line)
{
	char temporary[PATH_MAX];
	int length = snprintf(temporary, sizeof(temporary), "%s.%d", file, getpid());

	if (length < 0 || (size_t)length >= sizeof(temporary))
		die("--pid-file=%s: too long", file);
	int fd = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0644);

	if (fd < 0 || write(fd, line, strlen(line)) != (ssize_t)strlen(line))
		die("write %s:", temporary);
	if (flock(fd, LOCK_EX | LOCK_NB) < 0)
		die("flock %s:", temporary);
	if (rename(temporary, file) < 0)
		die("rename %s to %s:", temporary, file);
	return fd;
}

/* false: a fifo that nobody has opened yet */
static bool write_pid_file(struct waiting *w, const char *file, pid_t pid)
{
	char line[128];
	struct stat status;

	process_name(pid, line, sizeof(line));
	if (stat(file, &status) == 0 && S_ISFIFO(status.st_mode)) {
		int fifo = open(file, O_WRONLY | O_NONBLOCK | O_CLOEXEC);

		if (fifo < 0 && errno == ENXIO)
			return false;
		if (fifo < 0 || !write_line(fifo, line))
			die("write %s:", file);
		return true;
	}
	w->pid_fd = write_locked(file, line);
	return true;
}

static void record(struct waiting *w)
{
	if (w->due && w->pid_file && write_pid_file(w, w->pid_file, w->child))
		w->pid_file = NULL;
	if (w->due && !w->pid_file && w->ready >= 0) {
		/* whoever wanted to know may have stopped waiting */
		if (write(w->ready, "0\n", 2) != 2 && errno != EPIPE)
			die("write to --ready-fd=%d:", w->ready);
		shut(w->ready);
		w->ready = -1;
	}
}

/* reads one word of the child */
static void hear(struct waiting *w)
{
	char told;
	ssize_t got = read(w->status, &told, 1);
	bool ready = got == 0 || (got == 1 && told == TOLD_READY);

	if (got < 0)
		die("read what the child says:");
	if (got == 0 || told == TOLD_FAILED) {
		w->started = got == 0;
		shut(w->status);
		w->status = -1;
	}
	w->due = ready;
	record(w);
}

/* the exit status of the child, when it has one */
static bool ended(struct waiting *w, int *code)
{
	siginfo_t info = {0};

	/* WNOWAIT: what the pid-file tells is read while the pid is still its own */
	if (waitid(P_PID, (id_t)w->child, &info, WEXITED | WNOHANG | WNOWAIT) < 0)
		die("waitid:");
	if (info.si_pid == 0)
		return false;
	while (w->status >= 0)
		hear(w);
	if (waitid(P_PID, (id_t)w->child, &info, WEXITED) < 0)
		die("waitid:");
	if (info.si_code == CLD_EXITED)
		*code = info.si_status;
	else if (w->killed_by && info.si_status == SIGKILL)
		*code = 128 + w->killed_by;
	else
		*code = 128 + info.si_status;
	return true;
}

/* returns the exit status; a die() in here takes the child along (PDEATHSIG) */
static int wait_for(struct waiting *w)
{
	struct text_pages text = text_pages_find();
	struct signalfd_siginfo got;
	bool idle = false;
	int code = 0;

	for (;;) {
		struct pollfd from[] = {{.fd = w->signals, .events = POLLIN},
					{.fd = w->status, .events = POLLIN}};
		/* only a fifo without a reader is asked for again and again */
		bool retry = w->due && w->pid_file;

		int ready = poll(from, LEN(from), retry ? 20 : w->started && !idle ? IDLE_MS : -1);

		if (ready < 0 && errno != EINTR)
			die("poll:");
		/* from here on we only wait, perhaps for years */
		if (ready == 0 && !retry && !idle) {
			text_pages_drop(&text);
			idle = true;
		}
		record(w);
		if (from[1].revents)
			hear(w);
		if (!from[0].revents)
			continue;
		if (read(w->signals, &got, sizeof(got)) != (ssize_t)sizeof(got))
			die("read signalfd:");
		if (got.ssi_signo != SIGCHLD)
			forward(w, (int)got.ssi_signo);
		else if (ended(w, &code)) {
			/* the status of the command counts also when the disk is full */
			if (w->pid_fd >= 0 && dprintf(w->pid_fd, "%d\n", code) < 0)
				warn("write the exit status %d to %s:", code, "--pid-file");
			return code;
		}
	}
}

#endif
