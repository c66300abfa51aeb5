/* fork-into.h: fork(2), but the child is in a cgroup of version 2 from its first instruction on.
 *
 * Moving a process there waits for an RCU grace period; being born there (CLONE_INTO_CGROUP of
 * clone(2)) costs nothing. */
#ifndef SC_FORK_INTO_H
#define SC_FORK_INTO_H

#include <fcntl.h>
#include <linux/sched.h>
#include <signal.h>
#include <sys/syscall.h>
#include <sys/types.h>

#include "sc.h"

/* cgroup: the descriptor of its directory, or -1 */
static pid_t fork_into(int cgroup)
{
	struct clone_args how = {
	    .flags = CLONE_INTO_CGROUP, .exit_signal = SIGCHLD, .cgroup = (__u64)cgroup};

	return cgroup < 0 ? fork() : (pid_t)syscall(SYS_clone3, &how, sizeof(how));
}

#endif
