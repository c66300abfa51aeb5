/* signals.h: signals as a program finds them that no shell started (signal(7), sigaction(2)).
 *
 * By system call: glibc keeps two signals for itself and will not touch them, yet a caller may have
 * left them ignored. */
#ifndef SC_SIGNALS_H
#define SC_SIGNALS_H

#include <signal.h>
#include <stdint.h>
#include <sys/syscall.h>

#include "sc.h"

#define SIGNALS 64

/* every signal as the kernel has it at boot, those that glibc keeps for itself too */
static void reset_signals(void)
{
	/* zeroed, the kernel's struct sigaction of every architecture is SIG_DFL without flags */
	const unsigned long action[8] = {0};

	for (int n = 1; n <= SIGNALS; n++)
		if (syscall(SYS_rt_sigaction, n, action, NULL, SIGNALS / 8) < 0 && n != SIGKILL &&
		    n != SIGSTOP)
			die("sigaction %d:", n);
}

static void unblock_signals(void)
{
	const uint64_t none = 0;

	if (syscall(SYS_rt_sigprocmask, SIG_SETMASK, &none, NULL, SIGNALS / 8) < 0)
		die("sigprocmask:");
}

#endif
