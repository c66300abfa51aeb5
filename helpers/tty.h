/* tty.h: what the two sides of sc-tty share: packets, queues, signals, socket addresses.
 *
 * Rests on signalfd(2), unix(7), termios(3). */
#ifndef SC_TTY_H
#define SC_TTY_H

#include <fcntl.h>
#include <signal.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <termios.h>

#include "sc.h"

#define CHUNK 16384 /* bytes in a packet, after its kind */
#define KEYS  16

struct options {
	const char *log, *listen, *attach;
	unsigned long long log_max_size;
	unsigned int log_max_file;
	char keys[KEYS]; /* detach keys */
	size_t key_count;
	int no_stdin;
};

struct queue {
	char *data;
	size_t start, used, size;
};

/* what exit() has to put back, in the process that made it */
static struct {
	struct termios terminal;
	pid_t raw, bound;
	const char *socket;
} at_exit;

static void put_back(void)
{
	if (at_exit.raw == getpid() && tcsetattr(STDIN_FILENO, TCSADRAIN, &at_exit.terminal) < 0)
		warn("restore the terminal:");
	if (at_exit.bound == getpid() && unlink(at_exit.socket) < 0 && errno != ENOENT)
		warn("unlink %s:", at_exit.socket);
}

static int later(int result)
{
	return result < 0 && (errno == EAGAIN || errno == EINTR);
}

static struct queue queue_new(size_t size)
{
	struct queue queue = {malloc(size), 0, 0, size};

	if (!queue.data)
		die("malloc %zu:", size);
	return queue;
}

static size_t queue_room(const struct queue *queue)
{
	return queue->size - queue->used;
}

/* the caller has asked for the room */
static void queue_add(struct queue *queue, const char *data, size_t length)
{
	size_t at = (queue->start + queue->used) % queue->size;
	size_t first = length < queue->size - at ? length : queue->size - at;

	memcpy(queue->data + at, data, first);
	memcpy(queue->data, data + first, length - first);
	queue->used += length;
}

/* the longest piece in one block, at most limit */
static size_t queue_front(const struct queue *queue, size_t limit)
{
	size_t length = queue->size - queue->start;

	if (length > queue->used)
		length = queue->used;
	return length < limit ? length : limit;
}

static void queue_drop(struct queue *queue, size_t length)
{
	queue->start = (queue->start + length) % queue->size;
	queue->used -= length;
}

/* Blocks the signals that sc-tty acts on; returns a signalfd, and in *before the mask for PROG.
 * SIGPIPE is only blocked: EPIPE says the same. Being stopped by reading or writing in the
 * background stays as it is. */
static int signals_open(sigset_t *before)
{
	static const int handled[] = {SIGCHLD, SIGTERM, SIGINT,  SIGHUP,   SIGQUIT,
				      SIGUSR1, SIGUSR2, SIGPIPE, SIGWINCH, SIGTSTP};
	sigset_t set;

	/* ignored by the caller, it would take the status away */
	if (signal(SIGCHLD, SIG_DFL) == SIG_ERR || sigemptyset(&set) < 0)
		die("signal:");
	for (size_t n = 0; n < LEN(handled); n++)
		if (sigaddset(&set, handled[n]) < 0)
			die("sigaddset:");
	if (sigprocmask(SIG_BLOCK, &set, before) < 0)
		die("sigprocmask:");
	int fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);

	if (fd < 0)
		die("signalfd:");
	return fd;
}

/* 0: none waits */
static int signals_next(int fd)
{
	struct signalfd_siginfo info;
	ssize_t got = read(fd, &info, sizeof(info));

	if (got < 0 && errno != EAGAIN && errno != EINTR)
		die("read signalfd:");
	return got == sizeof(info) ? (int)info.ssi_signo : 0;
}

static int exit_status(int status)
{
	return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

/* A socket and its address; 107 bytes are not enough for every path, so a long one is named
 * by way of its directory's descriptor, which the caller closes. */
static int unix_socket(const char *path, struct sockaddr_un *address, int *directory)
{
	const char *name = strrchr(path, '/');
	int length = (int)strlen(path);

	*directory = -1;
	*address = (struct sockaddr_un){.sun_family = AF_UNIX};
	if (length == 0)
		die("the name of the socket is empty");
	if ((size_t)length < sizeof(address->sun_path)) {
		memcpy(address->sun_path, path, (size_t)length);
	} else {
		char *parent = name ? strndup(path, (size_t)(name + 1 - path)) : strdup(".");

		if (!parent)
			die("strdup:");
		*directory = open(parent, O_PATH | O_DIRECTORY | O_CLOEXEC);
		if (*directory < 0)
			die("open %s:", parent);
		free(parent);
		length = snprintf(address->sun_path, sizeof(address->sun_path),
				  "/proc/self/fd/%d/%s", *directory, name ? name + 1 : path);
		if (length < 0 || (size_t)length >= sizeof(address->sun_path))
			die("socket %s: the last part of the name is too long", path);
	}
	int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (fd < 0)
		die("socket:");
	return fd;
}

static void close_fd(int fd)
{
	if (fd >= 0 && close(fd) < 0)
		die("close:");
}

#endif
