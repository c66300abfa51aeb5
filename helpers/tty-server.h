/* tty-server.h: the side of sc-tty that holds the pty, runs PROG and serves the fronts.
 *
 * It never waits for one party only: everything is non-blocking behind one poll(2).
 * Rests on ioctl_tty(2), pty(7), cmsg(3), unix(7), poll(2). */
#ifndef SC_TTY_SERVER_H
#define SC_TTY_SERVER_H

#include <poll.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <time.h>

#include "log-file.h"
#include "text-pages.h"
#include "tty.h"

#define QUEUE      (256 * 1024) /* output that may wait for a client */
#define GRACE_MS   250          /* in this time a client takes ... */
#define GRACE_TAKE 4096         /* ... so many bytes, or is dropped */
#define QUIET_MS   100          /* a pty that others keep open is drained when so long silent */
#define DRAIN_MS   2000         /* and after this time, but for what its program wrote itself: */
#define PTY_HOLDS  65536        /* more than that a pty never keeps for who does not read */
#define IDLE_MS    500          /* after that nothing is expected soon */
#define CLIENTS    16

struct client {
	int fd; /* -1: free */
	int patient, ready_sent, sized;
	struct queue out;
	long long stalled; /* since when, 0: not */
	size_t taken;      /* bytes since then */
};

struct server {
	const struct options *options;
	struct client clients[CLIENTS];
	struct queue in;
	struct log_file log;
	int listener, master, console, signals;
	int hung_up, silent; /* no front any more; nobody has the slave side open just now */
	pid_t child;
	int ended, status;
	long long ended_at;
	size_t own; /* bytes still to be read before all that PROG wrote is certain to be */
	char last;  /* input byte */
	struct winsize size;
	int sized;
	int idle;
	struct text_pages text;
};

static long long now_ms(void)
{
	struct timespec now;

	if (clock_gettime(CLOCK_MONOTONIC, &now) < 0)
		die("clock_gettime:");
	return (long long)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static int listen_on(const char *path)
{
	struct sockaddr_un address;
	int directory, fd = unix_socket(path, &address, &directory);
	const struct sockaddr *where = (const struct sockaddr *)&address;
	/* so that there is no moment with another mode than 0600 */
	mode_t mask = umask(0177);
	int bound = bind(fd, where, sizeof(address));

	if (bound < 0 && errno == EADDRINUSE) {
		/* left by a server that was killed, when nobody answers */
		int probe = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

		if (probe < 0)
			die("socket:");
		if (connect(probe, where, sizeof(address)) < 0 && errno == ECONNREFUSED) {
			struct stat status;

			if (lstat(path, &status) < 0 || !S_ISSOCK(status.st_mode))
				die("%s exists and is not a socket", path);
			if (unlink(path) < 0)
				die("unlink %s:", path);
			bound = bind(fd, where, sizeof(address));
		} else {
			errno = EADDRINUSE;
		}
		close_fd(probe);
	}
	if (bound < 0)
		die("bind %s:", path);
	at_exit.socket = path;
	at_exit.bound = getpid();
	if (listen(fd, CLIENTS) < 0)
		die("listen %s:", path);
	umask(mask);
	close_fd(directory);
	return fd;
}

static void client_add(struct server *server, int fd, int patient)
{
	size_t n = 0;

	while (n < CLIENTS && server->clients[n].fd >= 0)
		n++;
	if (n == CLIENTS) {
		close_fd(fd);
		return;
	}
	server->clients[n] = (struct client){.fd = fd, .patient = patient, .out = queue_new(QUEUE)};
}

static void client_drop(struct server *server, struct client *client)
{
	close_fd(client->fd);
	free(client->out.data);
	client->fd = -1;
	if (!client->patient || server->options->listen || server->ended)
		return;
	/* the only terminal is gone, as when a line is cut */
	server->hung_up = 1;
	close_fd(server->master);
	server->master = -1;
	if (kill(server->child, SIGHUP) < 0)
		warn("kill %d:", server->child);
}

static void set_size(struct server *server, struct client *client)
{
	struct winsize other = server->size;

	if (server->master < 0)
		return;
	/* a program draws its screen for somebody who has just come only if the size changes */
	if (client && !client->sized && !client->patient) {
		other.ws_row++;
		if (ioctl(server->master, TIOCSWINSZ, &other) < 0)
			warn("TIOCSWINSZ:");
	}
	if (ioctl(server->master, TIOCSWINSZ, &server->size) < 0)
		warn("TIOCSWINSZ:");
}

/* the end-of-file character ends a line first if there is one, and only then the input */
static void end_of_input(struct server *server)
{
	struct termios terminal;
	char eof[2] = {4, 4};

	if (server->master >= 0 && tcgetattr(server->master, &terminal) == 0)
		memset(eof, terminal.c_cc[VEOF], sizeof(eof));
	queue_add(&server->in, eof, server->last == '\n' ? 1 : 2);
	server->last = '\n';
}

static void client_read(struct server *server, struct client *client)
{
	char packet[1 + CHUNK];
	/* MSG_TRUNC: the real length, so that a packet that is too long is seen */
	ssize_t got = recv(client->fd, packet, sizeof(packet), MSG_DONTWAIT | MSG_TRUNC);
	size_t length = got > 0 ? (size_t)got - 1 : 0;

	if (later((int)got))
		return;
	if (got > 0 && packet[0] == 'd' && length > 0 && length <= CHUNK) {
		queue_add(&server->in, packet + 1, length);
		server->last = packet[length];
	} else if (got > 0 && packet[0] == 'w' && length == sizeof(server->size)) {
		memcpy(&server->size, packet + 1, length);
		server->sized = 1;
		set_size(server, client);
		client->sized = 1;
	} else if (got == 1 && packet[0] == 'e') {
		end_of_input(server);
	} else {
		client_drop(server, client);
	}
}

static void client_event(struct server *server, struct client *client, short events)
{
	/* two more than a packet, for the end-of-file characters */
	if (events & (POLLIN | POLLHUP | POLLERR) && queue_room(&server->in) >= CHUNK + 2)
		client_read(server, client);
	/* gone, and its last words cannot be passed on */
	else if (events & (POLLHUP | POLLERR))
		client_drop(server, client);
}

/* what waits for the client, as far as it goes; drops a client that takes too little */
static void client_write(struct server *server, struct client *client)
{
	char packet[1 + CHUNK] = "r";
	int finished = server->ended && server->master < 0;

	/* the pty may have come and gone while this client was away: then 'r' is due all the same
	 */
	if (!client->ready_sent && (server->master >= 0 || client->out.used > 0)) {
		ssize_t sent = send(client->fd, packet, 1, MSG_DONTWAIT | MSG_NOSIGNAL);

		if (sent < 0 && !later((int)sent))
			client_drop(server, client);
		if (sent < 0)
			return;
		client->ready_sent = 1;
	}
	packet[0] = 'd';
	while (client->out.used > 0) {
		size_t length = queue_front(&client->out, CHUNK);

		memcpy(packet + 1, client->out.data + client->out.start, length);
		ssize_t sent = send(client->fd, packet, 1 + length, MSG_DONTWAIT | MSG_NOSIGNAL);

		if (later((int)sent))
			break;
		if (sent < 0) {
			client_drop(server, client);
			return;
		}
		queue_drop(&client->out, length);
		client->taken += length;
	}
	if (finished && client->out.used == 0) {
		packet[0] = 'x';
		memcpy(packet + 1, &server->status, sizeof(server->status));
		ssize_t sent = send(client->fd, packet, 1 + sizeof(server->status),
				    MSG_DONTWAIT | MSG_NOSIGNAL);

		if (!later((int)sent)) {
			client_drop(server, client);
			return;
		}
	}
	if (client->patient || (!finished && queue_room(&client->out) >= CHUNK)) {
		client->stalled = 0;
	} else if (client->stalled == 0) {
		client->stalled = now_ms();
		client->taken = 0;
	} else if (now_ms() - client->stalled >= GRACE_MS) {
		if (client->taken < GRACE_TAKE)
			client_drop(server, client);
		client->stalled = now_ms();
		client->taken = 0;
	}
}

/* one read of the container's output; 0 when there is none now */
static int master_read(struct server *server)
{
	char data[CHUNK];
	ssize_t got = read(server->master, data, sizeof(data));

	if (later((int)got))
		return 0;
	if (got <= 0) {
		/* EIO: everybody has closed the other side, for now or for ever */
		server->silent = 1;
		return 0;
	}
	server->silent = 0;
	server->own -= server->own < (size_t)got ? server->own : (size_t)got;
	/* a terminal has one output only */
	log_add(&server->log, "stdout", data, (size_t)got);
	for (size_t n = 0; n < CLIENTS; n++)
		if (server->clients[n].fd >= 0)
			queue_add(&server->clients[n].out, data, (size_t)got);
	return 1;
}

static void master_write(struct server *server)
{
	size_t length = queue_front(&server->in, CHUNK);
	ssize_t sent = write(server->master, server->in.data + server->in.start, length);

	if (sent > 0)
		queue_drop(&server->in, (size_t)sent);
	else if (!later((int)sent))
		queue_drop(&server->in, server->in.used);
}

/* the message of console.h, or the end of PROG's side */
static void console_read(struct server *server)
{
	union {
		struct cmsghdr header;
		char space[CMSG_SPACE(sizeof(int))];
	} control;
	char name[128];
	struct iovec data = {name, sizeof(name)};
	struct msghdr message = {.msg_iov = &data,
				 .msg_iovlen = 1,
				 .msg_control = control.space,
				 .msg_controllen = sizeof(control.space)};
	ssize_t got = recvmsg(server->console, &message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
	struct cmsghdr *rights = got > 0 ? CMSG_FIRSTHDR(&message) : NULL;
	unsigned int number_of;
	int fd;

	if (later((int)got))
		return;
	close_fd(server->console);
	server->console = -1;
	if (!rights || rights->cmsg_level != SOL_SOCKET || rights->cmsg_type != SCM_RIGHTS ||
	    rights->cmsg_len != CMSG_LEN(sizeof(int)))
		return;
	memcpy(&fd, CMSG_DATA(rights), sizeof(fd));
	if (ioctl(fd, TIOCGPTN, &number_of) < 0)
		die("what came over the console socket is not a pty:");
	if (fcntl(fd, F_SETFL, O_NONBLOCK) < 0)
		die("fcntl O_NONBLOCK:");
	if (server->hung_up) {
		close_fd(fd);
		return;
	}
	server->master = fd;
	if (server->sized)
		set_size(server, NULL);
}

static void server_signal(struct server *server)
{
	int number_of, status;

	while ((number_of = signals_next(server->signals)) != 0) {
		if (number_of == SIGCHLD) {
			pid_t done = waitpid(server->child, &status, WNOHANG);

			if (done < 0 && !server->ended)
				die("waitpid:");
			if (done != server->child)
				continue;
			server->ended = 1;
			server->ended_at = now_ms();
			server->own = PTY_HOLDS;
			server->status = exit_status(status);
			/* a pty may have been sent just before the end */
			if (server->console >= 0)
				console_read(server);
		} else if (server->ended) {
			/* nobody to pass it on to, and somebody does not take the rest of the
			 * output */
			exit(server->status);
		} else if (number_of != SIGPIPE && number_of != SIGWINCH && number_of != SIGTSTP &&
			   kill(server->child, number_of) < 0) {
			warn("kill %d:", server->child);
		}
	}
}

static void server_loop(struct server *server)
{
	for (;;) {
		enum { SIGNALS, LISTENER, CONSOLE, MASTER, FIRST, FDS = FIRST + CLIENTS };
		struct pollfd fds[FDS] = {
		    [SIGNALS] = {server->signals, POLLIN, 0},
		    [LISTENER] = {server->listener, POLLIN, 0},
		    [CONSOLE] = {server->console, POLLIN, 0},
		    [MASTER] = {-1, 0, 0},
		};
		int room = 1, clients = 0, timeout = -1;

		for (size_t n = 0; n < CLIENTS; n++) {
			struct client *client = &server->clients[n];

			if (client->fd >= 0)
				client_write(server, client);
			fds[FIRST + n].fd = client->fd;
			if (client->fd < 0)
				continue;
			clients++;
			if (queue_room(&server->in) >= CHUNK + 2)
				fds[FIRST + n].events |= POLLIN;
			if (client->out.used > 0 || (server->ended && server->master < 0))
				fds[FIRST + n].events |= POLLOUT;
			if (queue_room(&client->out) < CHUNK)
				room = 0;
			if (client->stalled)
				timeout = GRACE_MS / 5;
		}
		if (server->ended && server->master < 0 && clients == 0)
			return;
		if (server->ended)
			queue_drop(&server->in, server->in.used);
		if (server->master >= 0 && !server->silent) {
			fds[MASTER].fd = room || server->in.used ? server->master : -1;
			fds[MASTER].events =
			    (short)((room ? POLLIN : 0) | (server->in.used ? POLLOUT : 0));
		}
		/* nobody has the slave side open: poll(2) would return at once, over and over */
		if (server->master >= 0 && (server->silent || (server->ended && room)))
			timeout = QUIET_MS;
		int may_idle = timeout < 0 && !server->idle;
		int ready = poll(fds, FDS, may_idle ? IDLE_MS : timeout);

		if (ready < 0 && errno != EINTR)
			die("poll:");
		if (ready > 0)
			server->idle = 0;
		if (ready < 0)
			continue;
		if (ready == 0 && may_idle) {
			text_pages_drop(&server->text);
			server->idle = 1;
		}
		if (fds[SIGNALS].revents)
			server_signal(server);
		if (fds[CONSOLE].revents && server->console >= 0)
			console_read(server);
		if (fds[LISTENER].revents) {
			int fd =
			    accept4(server->listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

			if (fd >= 0)
				client_add(server, fd, 0);
		}
		if (server->master >= 0 && (fds[MASTER].revents & POLLOUT))
			master_write(server);
		if (server->master >= 0 && room) {
			int more = master_read(server);
			int drained = !more && (server->silent || ready == 0);

			/* what the dead child wrote has been read when nothing comes any more;
			 * however long its reader, or we ourselves, stood still meanwhile */
			if (server->ended && !more)
				server->own = 0;
			if (server->ended &&
			    (drained ||
			     (server->own == 0 && now_ms() - server->ended_at > DRAIN_MS))) {
				close_fd(server->master);
				server->master = -1;
			}
		}
		for (size_t n = 0; n < CLIENTS; n++)
			if (server->clients[n].fd >= 0 &&
			    fds[FIRST + n].fd == server->clients[n].fd)
				client_event(server, &server->clients[n], fds[FIRST + n].revents);
	}
}

/* runs PROG and serves; front: the socket of the first client, or -1 */
static _Noreturn void serve(const struct options *options, char **argv, int front, int signals,
			    const sigset_t *before)
{
	struct server server = {.options = options,
				.in = queue_new(4 * CHUNK),
				.log = {.path = options->log,
					.max_size = options->log_max_size,
					.max_file = options->log_max_file,
					.fd = -1},
				.listener = -1,
				.master = -1,
				.signals = signals,
				.last = '\n'};
	int pair[2];

	for (size_t n = 0; n < CLIENTS; n++)
		server.clients[n].fd = -1;
	log_open(&server.log);
	if (options->listen)
		server.listener = listen_on(options->listen);
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0)
		die("socketpair:");
	server.child = fork();
	if (server.child < 0)
		die("fork:");
	if (server.child == 0) {
		if (pair[1] == 3 ? fcntl(3, F_SETFD, 0) < 0 : dup2(pair[1], 3) < 0)
			die("descriptor 3:");
		if (sigprocmask(SIG_SETMASK, before, NULL) < 0)
			die("sigprocmask:");
		chain(argv);
	}
	close_fd(pair[1]);
	server.console = pair[0];
	/* whoever reads from a pipe on the other side waits for PROG and the front, not for us */
	int nothing = open("/dev/null", O_RDWR | O_CLOEXEC);

	if (nothing < 0 || dup2(nothing, 0) < 0 || dup2(nothing, 1) < 0)
		die("/dev/null:");
	close_fd(nothing);
	if (front >= 0)
		client_add(&server, front, 1);
	server.text = text_pages_find();
	server_loop(&server);
	/* not earlier: the terminal was the container's */
	errno = server.log.error;
	if (errno)
		warn("write log %s:", options->log);
	exit(server.status);
}

#endif
