/* seal.h: run from a sealed copy of oneself.
 *
 * A helper that root runs into a container is visible there as /proc/PID/exe, and a
 * container could open that link for writing and so change the host's binary
 * (CVE-2019-5736). The copy is a memfd(2) that nobody can write to any more
 * (F_SEAL_WRITE, see fcntl(2)): what the container finds is a file of no use. */
#ifndef SC_SEAL_H
#define SC_SEAL_H

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/sendfile.h>
#include <sys/stat.h>

#include "sc.h"
#include "system-calls.h"

extern char **environ;

/* returns at once in the sealed copy; the first call replaces the process by that copy */
__attribute__((unused)) static void run_sealed(char **argv)
{
	const int seals = F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE;
	int self = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
	struct stat status;

	if (self < 0)
		die("open /proc/self/exe:");
	if (fcntl(self, F_GET_SEALS) == seals) {
		/* without this ps(1) shows the number of a descriptor */
		if (prctl(PR_SET_NAME, prog) < 0)
			die("prctl PR_SET_NAME:");
		if (close(self) < 0)
			die("close /proc/self/exe:");
		return;
	}
	if (fstat(self, &status) < 0)
		die("fstat /proc/self/exe:");
	int copy = memfd_create(prog, MFD_CLOEXEC | MFD_ALLOW_SEALING);

	if (copy < 0)
		die("memfd_create %s:", prog);
	for (off_t left = status.st_size; left > 0;) {
		ssize_t sent = sendfile(copy, self, NULL, (size_t)left);

		if (sent <= 0)
			die("sendfile /proc/self/exe:");
		left -= sent;
	}
	if (fchmod(copy, 0500) < 0)
		die("fchmod memfd:");
	if (fcntl(copy, F_ADD_SEALS, seals) < 0)
		die("fcntl F_ADD_SEALS:");
	if (execveat(copy, "", argv, environ, AT_EMPTY_PATH) < 0)
		die("execveat memfd:");
}

#endif
