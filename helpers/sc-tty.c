/* sc-tty: relay between a terminal and the pty of a container.
 *
 * usage: sc-tty [--log=FILE] [--log-max-size=BYTES] [--log-max-file=N] [--listen=SOCKET]
 *               [--detach-keys=KEYS] [--no-stdin] [--die-with-parent] PROG [ARG...]
 *        sc-tty --attach=SOCKET [--detach-keys=KEYS] [--no-stdin]
 *
 * Two processes. The front (here) holds the caller's terminal and knows nothing of ptys. The
 * server (tty-server.h) holds the pty, is the parent of PROG and knows nothing of terminals;
 * the front is its first client, other fronts come by --attach. Their packets are described
 * in sc-tty(8), PROTOCOL.
 *
 * Status: PROG's, 128+n; 0 detached; 125 own failure, 126/127 PROG not executable/not found.
 * Rests on termios(3), ioctl_tty(2), poll(2), signalfd(2), unix(7). */
#include <getopt.h>
#include <sys/prctl.h>

#include "tty-server.h"

struct front {
	const struct options *options;
	int sock, signals, out;
	pid_t server; /* 0: somebody else's */
	int server_done, status;
	int ready, raw;          /* the pty exists; our terminal is in raw mode */
	int send_size, send_end; /* packets to be sent */
	int in_closed, detaching;
	size_t held; /* detach keys typed so far */
	struct queue output;
	char packet[1 + CHUNK]; /* input on its way */
	size_t length;
};

static void terminal_raw(struct front *front)
{
	struct termios raw;

	if (front->options->no_stdin || !isatty(STDIN_FILENO))
		return;
	if (tcgetattr(STDIN_FILENO, &raw) < 0)
		die("tcgetattr:");
	if (!front->raw)
		at_exit.terminal = raw;
	cfmakeraw(&raw);
	/* from here on exit() restores it */
	at_exit.raw = getpid();
	front->raw = 1;
	if (tcsetattr(STDIN_FILENO, TCSADRAIN, &raw) < 0)
		die("tcsetattr:");
}

/* we are asked to stop: a shell wants its terminal as it was meanwhile */
static void stop_and_continue(struct front *front)
{
	if (front->raw && tcsetattr(STDIN_FILENO, TCSADRAIN, &at_exit.terminal) < 0)
		warn("restore the terminal:");
	if (kill(getpid(), SIGSTOP) < 0)
		die("kill:");
	if (front->raw)
		terminal_raw(front);
	front->send_size = 1;
}

static void front_signal(struct front *front)
{
	int number_of, status;

	while ((number_of = signals_next(front->signals)) != 0) {
		if (number_of == SIGWINCH) {
			front->send_size = 1;
		} else if (number_of == SIGTSTP) {
			stop_and_continue(front);
		} else if (number_of == SIGCHLD) {
			if (front->server &&
			    waitpid(front->server, &status, WNOHANG) == front->server) {
				front->server_done = 1;
				front->status = exit_status(status);
			}
		} else if (number_of == SIGPIPE) {
			continue;
		} else if (!front->server) {
			exit(128 + number_of);
		} else if (!front->server_done && kill(front->server, number_of) < 0) {
			warn("kill %d:", front->server);
		}
	}
}

static void front_close(struct front *front)
{
	close_fd(front->sock);
	front->sock = -1;
	front->length = 0;
}

/* the window size packet; 0 when we have no terminal at all */
static size_t size_packet(char *packet)
{
	struct winsize size;

	for (int fd = 0; fd <= 2; fd++)
		if (ioctl(fd, TIOCGWINSZ, &size) == 0) {
			packet[0] = 'w';
			memcpy(packet + 1, &size, sizeof(size));
			return 1 + sizeof(size);
		}
	return 0;
}

/* puts one byte typed into the packet, or holds it back while it may belong to the keys */
static void type(struct front *front, char byte)
{
	const char *keys = front->options->keys;
	size_t count = front->options->key_count;

	while (count > 0) {
		if (keys[front->held] == byte) {
			if (++front->held == count)
				front->detaching = 1;
			return;
		}
		if (front->held == 0)
			break;
		/* let go of as few as needed for the rest to be a beginning of the keys again */
		size_t keep = front->held - 1;

		while (memcmp(keys, keys + front->held - keep, keep) != 0)
			keep--;
		memcpy(front->packet + front->length, keys, front->held - keep);
		front->length += front->held - keep;
		front->held = keep;
	}
	front->packet[front->length++] = byte;
}

static void read_input(struct front *front)
{
	char data[CHUNK - KEYS];
	ssize_t got = read(STDIN_FILENO, data, sizeof(data));

	if (later((int)got))
		return;
	front->packet[0] = 'd';
	front->length = 1;
	for (ssize_t n = 0; n < got && !front->detaching; n++)
		type(front, data[n]);
	if (got <= 0) {
		front->in_closed = 1;
		if (front->raw) {
			/* a terminal has no end, unless its line is cut */
			front_close(front);
			return;
		}
		memcpy(front->packet + 1, front->options->keys, front->held);
		front->length += front->held;
		front->held = 0;
		front->send_end = 1;
	}
	if (front->length == 1)
		front->length = 0;
}

/* what waits for the server, one packet after the other */
static void send_packets(struct front *front)
{
	while (front->sock >= 0) {
		char control[1 + sizeof(struct winsize)] = "e";
		const char *packet = front->packet;
		size_t length = front->length;

		/* a size may overtake input, the end of the input may not */
		if (front->send_size) {
			packet = control;
			length = size_packet(control);
			if (length == 0) {
				front->send_size = 0;
				continue;
			}
		} else if (length == 0 && front->send_end) {
			packet = control;
			length = 1;
		}
		if (length == 0)
			return;
		ssize_t sent = send(front->sock, packet, length, MSG_DONTWAIT | MSG_NOSIGNAL);

		if (later((int)sent))
			return;
		/* the server has gone; what it said before is still read */
		if (packet[0] == 'w')
			front->send_size = 0;
		else if (packet[0] == 'e')
			front->send_end = 0;
		else
			front->length = 0;
	}
}

static void receive_packet(struct front *front)
{
	char packet[1 + CHUNK];
	ssize_t got = recv(front->sock, packet, sizeof(packet), MSG_DONTWAIT);

	if (later((int)got))
		return;
	if (got <= 0) {
		if (!front->server && front->status < 0) {
			warn("disconnected: the server was killed, or this terminal was too slow");
			front->status = EXIT_HELPER;
		}
		front_close(front);
	} else if (packet[0] == 'd' && got > 1) {
		queue_add(&front->output, packet + 1, (size_t)got - 1);
	} else if (packet[0] == 'r' && !front->ready) {
		front->ready = 1;
		terminal_raw(front);
	} else if (packet[0] == 'x' && got == 1 + sizeof(front->status)) {
		memcpy(&front->status, packet + 1, sizeof(front->status));
	}
}

static void write_output(struct front *front)
{
	/* no more than a pipe takes at once when it says that it can take something */
	size_t length = queue_front(&front->output, front->out == STDOUT_FILENO ? 4096 : CHUNK);
	ssize_t sent = write(front->out, front->output.data + front->output.start, length);

	if (later((int)sent))
		return;
	if (sent >= 0) {
		queue_drop(&front->output, (size_t)sent);
		return;
	}
	/* nobody reads us any more: as good as a terminal that was closed */
	if (errno != EPIPE)
		warn("write standard output:");
	if (front->status < 0)
		front->status = EXIT_HELPER;
	queue_drop(&front->output, front->output.used);
	if (front->sock >= 0)
		front_close(front);
}

static void front_poll(struct front *front)
{
	enum { SIGNALS, SOCKET, IN, OUT, FDS };
	struct pollfd fds[FDS] = {
	    [SIGNALS] = {front->signals, POLLIN, 0},
	    [SOCKET] = {front->sock, 0, 0},
	    [IN] = {-1, POLLIN, 0},
	    [OUT] = {front->output.used > 0 ? front->out : -1, POLLOUT, 0},
	};
	int waiting = front->length > 0 || front->send_size || front->send_end;

	if (queue_room(&front->output) >= CHUNK)
		fds[SOCKET].events |= POLLIN;
	if (waiting)
		fds[SOCKET].events |= POLLOUT;
	/* a closed socket would end poll(2) again and again */
	if (fds[SOCKET].events == 0)
		fds[SOCKET].fd = -1;
	if (front->sock >= 0 && front->ready && !waiting && !front->in_closed &&
	    !front->options->no_stdin)
		fds[IN].fd = STDIN_FILENO;
	if (poll(fds, FDS, -1) < 0) {
		if (errno != EINTR)
			die("poll:");
		return;
	}
	if (fds[SIGNALS].revents)
		front_signal(front);
	if (fds[OUT].revents)
		write_output(front);
	if (front->sock >= 0 && fds[SOCKET].revents && queue_room(&front->output) >= CHUNK)
		receive_packet(front);
	if (front->sock >= 0 && fds[IN].revents)
		read_input(front);
}

/* A description of our own for standard output: O_NONBLOCK on the shared one would surprise the
 * shell, and without it a terminal stopped by ctrl-s would make us deaf to signals. */
static int open_output(void)
{
	struct stat status;
	int fd = -1;

	if (isatty(STDOUT_FILENO) ||
	    (fstat(STDOUT_FILENO, &status) == 0 && S_ISFIFO(status.st_mode)))
		fd = open("/proc/self/fd/1", O_WRONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	return fd < 0 ? STDOUT_FILENO : fd;
}

static _Noreturn void be_front(const struct options *options, int sock, int signals, pid_t server)
{
	struct front front = {.options = options,
			      .sock = sock,
			      .signals = signals,
			      .out = open_output(),
			      .server = server,
			      .status = -1,
			      .send_size = 1,
			      .output = queue_new(4 * CHUNK)};

	/* the server's status counts: it ends when PROG has ended */
	while (front.sock >= 0 || front.output.used > 0 || (server && !front.server_done)) {
		send_packets(&front);
		if (front.detaching && front.length == 0)
			exit(0);
		front_poll(&front);
	}
	exit(front.status < 0 ? EXIT_HELPER : front.status);
}

static int attach(const char *path)
{
	struct sockaddr_un address;
	int directory, sock = unix_socket(path, &address, &directory);

	if (connect(sock, (struct sockaddr *)&address, sizeof(address)) < 0)
		die("connect %s:", path);
	close_fd(directory);
	return sock;
}

/* "ctrl-p,ctrl-q" */
static size_t parse_keys(const char *list, char *keys)
{
	size_t count = 0;

	while (*list) {
		size_t length = strcspn(list, ",");

		if (count == KEYS)
			die("--detach-keys: more than %d keys", KEYS);
		if (length == 1)
			keys[count++] = list[0];
		else if (length == 6 && strncmp(list, "ctrl-", 5) == 0 &&
			 strchr("abcdefghijklmnopqrstuvwxyz@[\\]^_", list[5]))
			keys[count++] = (char)(list[5] & 0x1f);
		else
			die("--detach-keys: '%.*s' is not a character or ctrl-x", (int)length,
			    list);
		list += length;
		if (*list == ',' && !*++list)
			die("--detach-keys: the list ends in a comma");
	}
	return count;
}

static _Noreturn void usage(void)
{
	die("usage: sc-tty [--log=FILE] [--log-max-size=BYTES] [--log-max-file=N]"
	    " [--listen=SOCKET] [--detach-keys=KEYS] [--no-stdin] [--die-with-parent] [--]"
	    " PROG [ARG...] | --attach=SOCKET [--detach-keys=KEYS] [--no-stdin]");
}

static struct options parse_options(int argc, char **argv, pid_t parent)
{
	static const struct option table[] = {
	    {"log", required_argument, NULL, 'l'},
	    {"log-max-size", required_argument, NULL, 'm'},
	    {"log-max-file", required_argument, NULL, 'f'},
	    {"listen", required_argument, NULL, 's'},
	    {"attach", required_argument, NULL, 'a'},
	    {"detach-keys", required_argument, NULL, 'k'},
	    {"no-stdin", no_argument, NULL, 'n'},
	    {"die-with-parent", no_argument, NULL, 'd'},
	    {NULL, 0, NULL, 0},
	};
	struct options options = {.keys = {0}, .log_max_file = 1};
	int c;

	options.key_count = parse_keys("ctrl-p,ctrl-q", options.keys);
	/* getopt's own message is not ours: it shows control characters raw */
	opterr = 0;
	while ((c = getopt_long(argc, argv, "+", table, NULL)) != -1) {
		switch (c) {
		case 'l':
			options.log = optarg;
			break;
		case 'm':
			options.log_max_size = number("--log-max-size", optarg, 1, LLONG_MAX);
			break;
		case 'f':
			options.log_max_file =
			    (unsigned int)number("--log-max-file", optarg, 1, LOG_FILES);
			break;
		case 's':
			options.listen = optarg;
			break;
		case 'a':
			options.attach = optarg;
			break;
		case 'k':
			options.key_count = parse_keys(optarg, options.keys);
			break;
		case 'n':
			options.no_stdin = 1;
			break;
		case 'd':
			/* TERM, not KILL: the caller's terminal is put back, and PROG is told */
			if (prctl(PR_SET_PDEATHSIG, SIGTERM, 0, 0, 0) < 0)
				die("prctl PR_SET_PDEATHSIG:");
			if (getppid() != parent)
				die("the caller has ended");
			break;
		default:
			die("option %s: unknown, or wrongly with or without a value",
			    argv[optind - 1]);
		}
	}
	if ((optind < argc) == (options.attach != NULL))
		usage();
	if (options.attach && (options.log || options.listen))
		die("--attach goes with neither --log nor --listen");
	/* no way back */
	if (!options.attach && !options.listen)
		options.key_count = 0;
	return options;
}

int main(int argc, char **argv)
{
	int null, pair[2];
	pid_t parent = getppid();
	sigset_t before;

	prog = "sc-tty";
	/* a closed standard descriptor must not become one of ours */
	do
		null = open("/dev/null", O_RDWR);
	while (null >= 0 && null <= 2);
	if (null < 0)
		die("open /dev/null:");
	close_fd(null);
	struct options options = parse_options(argc, argv, parent);
	int signals = signals_open(&before);

	if (atexit(put_back) != 0)
		die("atexit:");
	if (options.attach)
		be_front(&options, attach(options.attach), signals, 0);
	/* detached: nobody to talk to now */
	if (options.listen && !isatty(STDIN_FILENO))
		serve(&options, argv + optind, -1, signals, &before);
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
		die("socketpair:");
	pid_t server = fork();

	if (server < 0)
		die("fork:");
	if (server == 0) {
		close_fd(pair[0]);
		/* a signalfd shows the signals of who reads it, but poll(2) those of who made it */
		close_fd(signals);
		signals = signals_open(NULL);
		if (setsid() < 0)
			die("setsid:");
		serve(&options, argv + optind, pair[1], signals, &before);
	}
	close_fd(pair[1]);
	be_front(&options, pair[0], signals, server);
}
