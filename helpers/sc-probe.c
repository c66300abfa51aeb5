/* sc-probe: use up one resource and say how much of it there was.
 *
 * usage: sc-probe watch [--with=PID] SECONDS PROG [ARG...]
 *        sc-probe burn SECONDS [COUNT [CPU]]     sc-probe cpus
 *        sc-probe touch BYTES SECONDS            sc-probe huge SIZE BYTES
 *        sc-probe fork COUNT SECONDS
 *        sc-probe write DIR SIZE SECONDS         sc-probe read SIZE SECONDS <DEVICE
 *        sc-probe fill DIR BYTES                 sc-probe size PID START-TIME PATH
 *        sc-probe node c|b MAJOR:MINOR PROG [ARG...]      sc-probe access <NODE
 *        sc-probe serve DEVICE ADDRESS PEER SECONDS send|receive RATE
 *        sc-probe connect ADDRESS PORT SECONDS send|receive RATE
 *
 * It is the last link of a chain (sc-cg exec CG sc-probe burn 2), so that a limit binds it. It
 * prints lines `key value`, ends within the time it was given, and leaves nothing: no process, no
 * file.
 *
 * Status: 0 measured, 125 own failure, 126/127 PROG not executable/not found (watch, node).
 * Rests on cgroups(7), prctl(2), pidfd_open(2) and what the probe-*.h name. See sc-probe(8). */
#include "probe-load.h"
#include "probe-net.h"
#include "probe-storage.h"
#include "probe.h"

#define BYTES_MAX (1ULL << 46)

static const char usage[] = "usage: sc-probe watch|burn|cpus|touch|huge|fork|write|read|fill|size|"
			    "node|access|serve|connect ..., see sc-probe(8)";

/* the child of watch: who must go because of too little memory is this one, not the container */
static _Noreturn void become_victim(char **argv)
{
	int fd = open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);

	if (fd < 0 || write(fd, "1000", 4) != 4)
		die("write to /proc/self/oom_score_adj:");
	shut(fd);
	chain(argv);
}

enum end { BY_ITSELF, LATE, UNWANTED };

/* what comes first: the end of the child, that of the time, or that of who wants to know */
static enum end first_end(int child, int with, uint64_t until)
{
	for (;;) {
		struct pollfd waiting[] = {{.fd = child, .events = POLLIN},
					   {.fd = with, .events = POLLIN},
					   {.fd = STDOUT_FILENO}};
		int left = poll_milliseconds(until);
		int n = left > 0 ? poll(waiting, LEN(waiting), left) : 0;

		if (n < 0 && errno != EINTR)
			die("poll:");
		if (n > 0 && waiting[0].revents)
			return BY_ITSELF;
		if (n > 0 && (waiting[1].revents || waiting[2].revents))
			return UNWANTED;
		if (left <= 0)
			return LATE;
	}
}

/* Run PROG from outside of its limits: it ends with us, with process WITH, with whoever reads its
 * output, or when the time is over. */
static int watch(int argc, char **argv)
{
	siginfo_t how = {0};
	int with = -1;

	if (argc > 0 && strncmp(argv[0], "--with=", 7) == 0) {
		pid_t pid = (pid_t)number("--with", argv[0] + 7, 1, 1 << 22);

		with = (int)syscall(SYS_pidfd_open, pid, 0);
		if (with < 0)
			die("pidfd_open %d:", pid);
		argc--;
		argv++;
	}
	if (argc < 2)
		die("%s", usage);
	uint64_t until = microseconds() + duration(argv[0]);

	/* the kernel throws the status away when the caller had this ignored */
	if (signal(SIGCHLD, SIG_DFL) == SIG_ERR)
		die("signal SIGCHLD:");
	pid_t child = fork_bound();

	if (child < 0)
		die("fork:");
	if (child == 0)
		become_victim(argv + 1);
	/* a reader that went away is no reason to leave the child alone */
	if (signal(SIGPIPE, SIG_IGN) == SIG_ERR)
		die("signal SIGPIPE:");
	int fd = (int)syscall(SYS_pidfd_open, child, 0);

	if (fd < 0)
		die("pidfd_open %d:", child);
	enum end end = first_end(fd, with, until);

	if (end != BY_ITSELF && kill(child, SIGKILL) < 0)
		die("kill %d:", child);
	if (waitid(P_PID, (id_t)child, &how, WEXITED) < 0)
		die("wait for %d:", child);
	int status = how.si_code == CLD_EXITED ? how.si_status : 128 + how.si_status;

	if (end == LATE)
		report_word("ended", "late");
	else if (end == BY_ITSELF)
		report("ended", (unsigned int)status);
	return end == BY_ITSELF && status >= EXIT_HELPER && status <= 127 ? status : 0;
}

/* kinds that need no privilege from the beginning on */
static bool run_plain(const char *kind, int n, char **argv)
{
	if (strcmp(kind, "burn") == 0 && n >= 1 && n <= 3) {
		unsigned int count =
		    n > 1 ? (unsigned int)number("COUNT", argv[1], 1, BURNERS_MAX) : 1;
		int cpu = n > 2 ? (int)number("CPU", argv[2], 0, CPU_SETSIZE - 1) : -1;

		drop_privilege();
		burn(duration(argv[0]), count, cpu);
	} else if (strcmp(kind, "cpus") == 0 && n == 0) {
		drop_privilege();
		alarm(10);
		cpus();
	} else if (strcmp(kind, "touch") == 0 && n == 2) {
		drop_privilege();
		touch((size_t)number("BYTES", argv[0], 1, BYTES_MAX), duration(argv[1]));
	} else if (strcmp(kind, "huge") == 0 && n == 2) {
		drop_privilege();
		alarm(10);
		huge((size_t)number("SIZE", argv[0], 4096, 1ULL << 40),
		     (size_t)number("BYTES", argv[1], 1, BYTES_MAX));
	} else if (strcmp(kind, "fork") == 0 && n == 2) {
		drop_privilege();
		fork_tasks((size_t)number("COUNT", argv[0], 1, 1 << 20), duration(argv[1]));
	} else if (strcmp(kind, "read") == 0 && n == 2) {
		drop_privilege();
		read_device((size_t)number("SIZE", argv[0], 512, SIZE_MAX_IO), duration(argv[1]));
	} else {
		return false;
	}
	return true;
}

int main(int argc, char **argv)
{
	int n = argc - 2;
	char **words = argv + 2;

	prog = "sc-probe";
	if (argc < 2)
		die("%s", usage);
	const char *kind = argv[1];

	if (strcmp(kind, "watch") == 0)
		return watch(n, words);
	if (run_plain(kind, n, words))
		return 0;
	if (strcmp(kind, "node") == 0 && n >= 3)
		node(words[0], words[1], words + 2);
	if (strcmp(kind, "access") == 0 && n == 0)
		access_device();
	else if (strcmp(kind, "write") == 0 && n == 3)
		write_file(words[0], (size_t)number("SIZE", words[1], 512, SIZE_MAX_IO),
			   duration(words[2]));
	else if (strcmp(kind, "fill") == 0 && n == 2)
		fill(words[0], number("BYTES", words[1], BLOCK, BYTES_MAX));
	else if (strcmp(kind, "size") == 0 && n == 3)
		size((pid_t)number("PID", words[0], 1, 1 << 22),
		     number("START-TIME", words[1], 0, ~0ULL - 1), words[2]);
	else if (strcmp(kind, "serve") == 0 && n == 6)
		serve(words[0], words[1], words[2], duration(words[3]), words[4],
		      number("RATE", words[5], 1000, RATE_MAX));
	else if (strcmp(kind, "connect") == 0 && n == 5)
		connect_to(words[0], (in_port_t)number("PORT", words[1], 1, 65535),
			   duration(words[2]), words[3], number("RATE", words[4], 1000, RATE_MAX));
	else
		die("%s", usage);
	return 0;
}
