/* nsexec-wait.h: the parent, which stays outside: signals in, status out.
 *
 * Sources: sigwaitinfo(2), pidfd_open(2), PR_SET_PDEATHSIG in prctl(2), pid_namespaces(7). */
#ifndef SC_NSEXEC_WAIT_H
#define SC_NSEXEC_WAIT_H

#include <linux/close_range.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#include "fork-into.h"
#include "sc.h"
#include "system-calls.h"

struct waiting {
	int shared; /* the child stays in our session, so the terminal itself signals it */
	int cgroup; /* of the child; -1: ours */
	int detach; /* the parent waits only until PROG runs */
};

/* the pipe to the parent; atexit(3) hands nothing on, and on_exit(3), which does, is not in musl */
static int failure_pipe;

static void tell_failed(void)
{
	ssize_t told = write(failure_pipe, "f", 1);

	(void)told; /* the exit status says it as well */
}

/* returns when PROG could not be run; when it runs, the end of the pipe is all that comes */
static void wait_for_start(const int *told)
{
	char byte;
	ssize_t got;

	if (close(told[1]) < 0)
		die("close:");
	do
		got = read(told[0], &byte, 1);
	while (got < 0 && errno == EINTR);
	if (got < 0)
		die("read what the child says:");
	if (got == 0)
		exit(0);
}

/* a change of user makes the kernel forget it. The pidfd tells whether it was too late: getppid(2)
 * is 0 in another pid namespace. */
static void die_with(int parent)
{
	struct pollfd its_end = {.fd = parent, .events = POLLIN};

	if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0)
		die("prctl PR_SET_PDEATHSIG:");
	if (poll(&its_end, 1, 0) != 0)
		die("the parent is gone");
}

/* Forks; returns a pidfd of the parent in the child. The parent stays to pass signals on and never
 * returns. */
static int fork_and_wait(const struct waiting *how)
{
	int told[2];
	sigset_t all, before, wanted;
	int self = (int)syscall(SYS_pidfd_open, getpid(), 0);

	if (self < 0)
		die("pidfd_open:");
	if (sigfillset(&all) < 0 || sigprocmask(SIG_SETMASK, &all, &before) < 0)
		die("sigprocmask:");
	/* a caller that ignores SIGCHLD would have the kernel throw the status away */
	if (signal(SIGCHLD, SIG_DFL) == SIG_ERR)
		die("signal SIGCHLD:");
	if (how->detach && pipe2(told, O_CLOEXEC) < 0)
		die("pipe:");
	pid_t child = fork_into(how->cgroup);

	/* ENOMEM is how the kernel says it of a pid namespace without its first process */
	if (child < 0)
		die(errno == ENOMEM ? "fork (has the first process there ended?):" : "fork:");
	if (child == 0) {
		die_with(self);
		failure_pipe = how->detach ? told[1] : -1;
		if (how->detach && (close(told[0]) < 0 || atexit(tell_failed) != 0))
			die("tell the parent:");
		if (sigprocmask(SIG_SETMASK, &before, NULL) < 0)
			die("sigprocmask:");
		return self;
	}
	if (how->detach)
		wait_for_start(told);
	/* the other end of a console socket must see that the child closed it */
	if (close_range(3, ~0U, 0) < 0)
		die("close_range:");
	/* a terminal may stop us */
	wanted = all;
	if (sigdelset(&wanted, SIGTSTP) < 0 || sigdelset(&wanted, SIGTTIN) < 0 ||
	    sigdelset(&wanted, SIGTTOU) < 0 || sigprocmask(SIG_SETMASK, &wanted, NULL) < 0)
		die("sigprocmask:");
	for (;;) {
		siginfo_t info;
		int status, number_of = sigwaitinfo(&wanted, &info);

		if (number_of < 0 && errno == EINTR)
			continue;
		if (number_of < 0)
			die("sigwaitinfo:");
		if (number_of != SIGCHLD) {
			if (!(how->shared && info.si_code == SI_KERNEL) &&
			    kill(child, number_of) < 0)
				warn("kill %d:", child);
			continue;
		}
		pid_t done = waitpid(child, &status, WNOHANG);

		if (done < 0)
			die("waitpid:");
		if (done == child)
			exit(WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status));
	}
}

#endif
