/* sc-hangup: end a program when nobody hears it any more
 * usage: sc-hangup [--words=FD] PROG [ARG...]
 *
 * A program that sshd runs without a terminal is told nothing when the connection is gone. What
 * sshd does then is to close its end of the program's standard error. This becomes PROG and leaves
 * behind a process that waits for that, and sends PROG a SIGTERM. It is no child of PROG, and it
 * ends with PROG. What can be read from descriptor FD are further words for PROG, each ended by
 * NUL: a shell cannot make words of bytes without looking at each.
 *
 * Exit codes: those of PROG; 125 own failure, 126 PROG cannot be executed, 127 it is not there.
 * See sc-hangup(8); poll(2) about POLLHUP, pidfd_open(2), pidfd_send_signal(2), sshd(8). */
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "sc.h"
#include "system-calls.h"

#define WORDS_BYTES (6 * 1024 * 1024) /* execve(2) takes no more */

/* until PROG has ended, or nobody is left at the other end of descriptor 2 */
static _Noreturn void watch(int program)
{
	struct pollfd ends[] = {{.fd = program, .events = POLLIN},
				{.fd = STDERR_FILENO, .events = 0}};

	while (poll(ends, LEN(ends), -1) < 0)
		if (errno != EINTR)
			_exit(EXIT_HELPER);
	/* ESRCH: it has just ended by itself */
	if (ends[0].revents == 0 && (ends[1].revents & (POLLHUP | POLLERR)) != 0 &&
	    syscall(SYS_pidfd_send_signal, program, SIGTERM, NULL, 0) < 0 && errno != ESRCH)
		_exit(EXIT_HELPER);
	_exit(0);
}

/* hold nothing that somebody could wait for the end of: only PROG and standard error */
static _Noreturn void become_watcher(int program)
{
	if (setsid() < 0)
		die("setsid:");
	if (chdir("/") < 0)
		die("chdir /:");
	if (dup2(program, STDIN_FILENO) < 0)
		die("dup2:");
	if (close(STDOUT_FILENO) < 0 && errno != EBADF)
		die("close:");
	if (close_range(STDERR_FILENO + 1, ~0U, 0) < 0)
		die("close_range:");
	watch(STDIN_FILENO);
}

/* the words that argv and what is read from fd make together; fd is closed */
static char **add_words(char **argv, int argc, int fd)
{
	size_t length = 0, words = 0;
	char *text = malloc(WORDS_BYTES);

	if (!text)
		die("malloc:");
	for (ssize_t got = 1; got != 0; length += (size_t)got) {
		if (length == WORDS_BYTES)
			die("descriptor %d: more than %d bytes", fd, WORDS_BYTES);
		got = read(fd, text + length, WORDS_BYTES - length);
		if (got < 0)
			die("read descriptor %d:", fd);
	}
	if (close(fd) < 0)
		die("close descriptor %d:", fd);
	if (length > 0 && text[length - 1])
		die("descriptor %d: the last word does not end in a NUL byte", fd);
	for (size_t n = 0; n < length; n++)
		words += !text[n];
	char **all = calloc((size_t)argc + words + 1, sizeof(*all));

	if (!all)
		die("calloc:");
	memcpy(all, argv, (size_t)argc * sizeof(*all));
	for (size_t n = 0; n < words; n++, text += strlen(text) + 1)
		all[(size_t)argc + n] = text;
	return all;
}

int main(int argc, char **argv)
{
	int status;

	prog = "sc-hangup";
	argc--, argv++;
	if (argc > 0 && strncmp(argv[0], "--words=", strlen("--words=")) == 0) {
		int fd = (int)number("--words", argv[0] + strlen("--words="), 3, INT_MAX);

		argc--, argv++;
		argv = add_words(argv, argc, fd);
	}
	if (argc < 1 || argv[0][0] == '-')
		die("usage: sc-hangup [--words=FD] PROG [ARG...]");
	/* by descriptor: the number of a process that has ended may be another's a moment later */
	int program = (int)syscall(SYS_pidfd_open, getpid(), 0);

	if (program < 0)
		die("pidfd_open:");
	pid_t between = fork();

	if (between < 0)
		die("fork:");
	if (between == 0) {
		/* a child of a child that has ended: PROG may wait for its own children only */
		pid_t watcher = fork();

		if (watcher < 0)
			die("fork:");
		if (watcher == 0)
			become_watcher(program);
		_exit(0);
	}
	if (waitpid(between, &status, 0) != between)
		die("waitpid:");
	if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
		exit(EXIT_HELPER);
	if (close(program) < 0)
		die("close:");
	chain(argv);
}
