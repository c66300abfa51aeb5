/* log-write.h: the parent of PROG: reads its pipes into the log, passes signals on.
 *
 * Everything is non-blocking behind one poll(2). Rests on pipe(7), fifo(7), signalfd(2), prctl(2)
 * PR_SET_PDEATHSIG, close_range(2). */
#ifndef SC_LOG_WRITE_H
#define SC_LOG_WRITE_H

#include <poll.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "close-others.h"
#include "log-file.h"
#include "system-calls.h"
#include "text-pages.h"

#define PIPE_SIZE    (1024 * 1024)
#define DRAIN_MS     2000 /* of what others still write when PROG has ended; never of its own */
#define IDLE_MS      500
#define COPY_AT_ONCE 4096 /* what a pipe takes for certain when poll(2) says that it takes some */

struct stream {
	const char *name;
	int from, to; /* -1: closed, and no copy is made */
	char *data;
	size_t start, used; /* of data: what is still to be copied */
	long long own; /* bytes that were in the pipe when PROG ended, and are still to be read */
};

struct writing {
	struct log_file log;
	const char *fifo;
	bool copy, die_with_parent;
	pid_t parent, child;
	int signals, fifo_fd;
	sigset_t before; /* the mask of our caller, for PROG */
	bool told;       /* the first failure of the log */
	bool idle;       /* nothing happened for a while */
	struct text_pages text;
	bool ended;
	int status;
	long long ended_at;
	struct stream streams[2];
};

static long long now_ms(void)
{
	struct timespec now;

	if (clock_gettime(CLOCK_MONOTONIC, &now) < 0)
		die("clock_gettime:");
	return (long long)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* all but those that mean an error of our own, and those that stop and continue a job */
static void open_signals(struct writing *w)
{
	static const int own[] = {SIGSEGV, SIGBUS,  SIGFPE,  SIGILL,  SIGTRAP, SIGABRT,
				  SIGSYS,  SIGTSTP, SIGTTIN, SIGTTOU, SIGCONT};
	sigset_t set;

	/* ignored by the caller, it would take the status away */
	if (signal(SIGCHLD, SIG_DFL) == SIG_ERR || sigfillset(&set) < 0)
		die("signal:");
	for (size_t n = 0; n < LEN(own); n++)
		if (sigdelset(&set, own[n]) < 0)
			die("sigdelset:");
	if (sigprocmask(SIG_BLOCK, &set, &w->before) < 0)
		die("sigprocmask:");
	w->signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	if (w->signals < 0)
		die("signalfd:");
}

/* We hold both ends, so that writers come and go and PROG never sees the end. Others may read:
 * /dev/stdin in the container is opened by whoever is root there. */
static int open_fifo(struct writing *w)
{
	if (!w->fifo)
		return -1;
	if (mkfifo(w->fifo, 0644) < 0 && errno != EEXIST)
		die("mkfifo %s:", w->fifo);
	w->fifo_fd = open(w->fifo, O_RDWR | O_NONBLOCK | O_CLOEXEC | O_NOFOLLOW);
	struct stat status;

	if (w->fifo_fd < 0 || fstat(w->fifo_fd, &status) < 0)
		die("open %s:", w->fifo);
	if (!S_ISFIFO(status.st_mode))
		die("%s is there already, and is no fifo", w->fifo);
	int fd = open(w->fifo, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);

	if (fd < 0)
		die("open %s:", w->fifo);
	return fd;
}

static void open_pipe(struct stream *stream, int *end)
{
	int ends[2];

	if (pipe2(ends, O_CLOEXEC) < 0)
		die("pipe:");
	stream->from = ends[0];
	*end = ends[1];
	/* room for what is written while we do not run; the usual size does too */
	(void)fcntl(stream->from, F_SETPIPE_SZ, PIPE_SIZE);
	if (fcntl(stream->from, F_SETFL, O_NONBLOCK) < 0)
		die("fcntl O_NONBLOCK:");
	stream->data = malloc(LOG_BUFFER);
	if (!stream->data)
		die("malloc %d:", LOG_BUFFER);
}

/* A description of our own for a pipe or terminal: O_NONBLOCK on the shared one would surprise
 * others, and without it a reader that sleeps would make us deaf. */
static int open_copy(int fd)
{
	char path[32];
	struct stat status;

	if (snprintf(path, sizeof(path), "/proc/self/fd/%d", fd) < 0)
		die("snprintf:");
	if (isatty(fd) || (fstat(fd, &status) == 0 && S_ISFIFO(status.st_mode))) {
		int own = open(path, O_WRONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);

		if (own >= 0)
			return own;
	}
	return fd;
}

static void start_child(struct writing *w, char **argv)
{
	int ends[2], in = open_fifo(w);

	for (size_t n = 0; n < LEN(w->streams); n++)
		open_pipe(&w->streams[n], &ends[n]);
	w->child = fork();
	if (w->child < 0)
		die("fork:");
	if (w->child == 0) {
		if ((in >= 0 && dup2(in, STDIN_FILENO) < 0) || dup2(ends[0], STDOUT_FILENO) < 0 ||
		    dup2(ends[1], STDERR_FILENO) < 0)
			die("dup2:");
		if (sigprocmask(SIG_SETMASK, &w->before, NULL) < 0)
			die("sigprocmask:");
		chain(argv);
	}
	shut(ends[0]);
	shut(ends[1]);
	shut(in);
}

/* whoever waits for the end of a pipe waits for PROG, not for us */
static void close_others(const struct writing *w)
{
	int kept[] = {w->signals,         w->fifo_fd,       w->log.fd,       w->streams[0].from,
		      w->streams[1].from, w->streams[0].to, w->streams[1].to};
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);

	if (null < 0 || dup2(null, STDIN_FILENO) < 0 || (!w->copy && dup2(null, STDOUT_FILENO) < 0))
		die("/dev/null:");
	close_all_but(kept, LEN(kept));
}

/* what PROG wrote is in the pipes when it has ended, in front of what others write after that */
static void end_of_child(struct writing *w, int status)
{
	w->ended = true;
	w->ended_at = now_ms();
	w->status = WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
	for (size_t n = 0; n < LEN(w->streams); n++) {
		int unread = 0;

		if (w->streams[n].from < 0)
			continue;
		if (ioctl(w->streams[n].from, FIONREAD, &unread) < 0)
			die("ioctl FIONREAD:");
		w->streams[n].own = unread;
	}
}

static void hear_signal(struct writing *w)
{
	struct signalfd_siginfo info;
	int status;

	while (read(w->signals, &info, sizeof(info)) == (ssize_t)sizeof(info)) {
		int number_of = (int)info.ssi_signo;

		if (number_of == SIGCHLD) {
			pid_t done = w->ended ? 0 : waitpid(w->child, &status, WNOHANG);

			if (done < 0)
				die("waitpid:");
			if (done > 0)
				end_of_child(w, status);
			continue;
		}
		/* nobody to pass it on to, and somebody does not take the rest of the output */
		if (w->ended && number_of != SIGPIPE && number_of != SIGWINCH)
			exit(w->status);
		/* a key of the terminal: PROG has got it too */
		bool of_the_terminal =
		    info.ssi_code == SI_KERNEL && (number_of == SIGINT || number_of == SIGQUIT);

		if (w->ended || number_of == SIGPIPE || of_the_terminal)
			continue;
		/* our caller was killed: what it ran ends, whether it wants to or not */
		if (w->die_with_parent && getppid() != w->parent)
			number_of = SIGKILL;
		if (kill(w->child, number_of) < 0)
			warn("kill %d:", w->child);
	}
}

static void read_stream(struct writing *w, struct stream *stream)
{
	ssize_t got = read(stream->from, stream->data, LOG_BUFFER);

	if (got < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (got < 0)
		die("read the %s of the program:", stream->name);
	if (got == 0) {
		shut(stream->from);
		stream->from = -1;
		return;
	}
	stream->own -= w->ended ? got : 0;
	log_add(&w->log, stream->name, stream->data, (size_t)got);
	if (w->log.error && !w->told) {
		errno = w->log.error;
		warn("write log %s:", w->log.path);
		w->told = true;
	}
	stream->start = 0;
	stream->used = stream->to >= 0 ? (size_t)got : 0;
}

static void copy_stream(struct stream *stream)
{
	size_t length = stream->used < COPY_AT_ONCE ? stream->used : COPY_AT_ONCE;
	ssize_t sent = write(stream->to, stream->data + stream->start, length);

	if (sent >= 0) {
		stream->start += (size_t)sent;
		stream->used -= (size_t)sent;
		return;
	}
	if (errno == EAGAIN || errno == EINTR)
		return;
	if (errno != EPIPE)
		warn("write the %s of the program:", stream->name);
	/* without a reader: so is PROG, and hears of it as it would of a pipe */
	stream->used = 0;
	stream->to = -1;
	if (stream->from >= 0) {
		shut(stream->from);
		stream->from = -1;
	}
}

/* false: all has been read and passed on */
static bool turn(struct writing *w)
{
	struct pollfd fds[1 + 2 * LEN(w->streams)] = {{w->signals, POLLIN, 0}};
	bool open = false, own = false, waiting = false;

	for (size_t n = 0; n < LEN(w->streams); n++) {
		struct stream *stream = &w->streams[n];
		bool full = stream->used > 0;

		fds[1 + n] = (struct pollfd){full ? -1 : stream->from, POLLIN, 0};
		fds[3 + n] = (struct pollfd){full ? stream->to : -1, POLLOUT, 0};
		open = open || stream->from >= 0;
		own = own || (stream->from >= 0 && stream->own > 0);
		waiting = waiting || full;
	}
	if (w->ended && !waiting && (!open || (!own && now_ms() - w->ended_at > DRAIN_MS)))
		return false;
	int ready = poll(fds, LEN(fds), w->ended && !waiting ? 0 : w->idle ? -1 : IDLE_MS);

	if (ready < 0 && errno != EINTR)
		die("poll:");
	/* a grandchild that keeps the pipe open and is silent is not waited for */
	if (ready == 0 && w->ended && !waiting)
		return false;
	if (ready == 0 && !w->idle)
		text_pages_drop(&w->text);
	w->idle = ready == 0;
	if (ready <= 0)
		return true;
	for (size_t n = 0; n < LEN(w->streams); n++) {
		if (fds[1 + n].revents)
			read_stream(w, &w->streams[n]);
		if (fds[3 + n].revents)
			copy_stream(&w->streams[n]);
	}
	if (fds[0].revents)
		hear_signal(w);
	return true;
}

static _Noreturn void run_logged(struct writing *w, char **argv)
{
	log_open(&w->log);
	open_signals(w);
	start_child(w, argv);
	if (w->copy)
		for (int n = 0; n < 2; n++)
			w->streams[n].to = open_copy(STDOUT_FILENO + n);
	close_others(w);
	w->text = text_pages_find();
	while (turn(w))
		;
	exit(w->status);
}

#endif
