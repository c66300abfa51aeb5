/* sc-signal: a signal to one process, certainly the one that is meant
 * usage: sc-signal [--start-time=N] SIGNAL PID | sc-signal --number SIGNAL
 *   SIGNAL  TERM, SIGTERM, 15, RTMIN+3, RTMAX-1; large letters or small
 * exit: 0 sent; 1 there is no such process any more; 125 own failure
 *
 * kill(1) names a process by a number, which may be another's by the time it is used. Here a
 * pidfd is opened first and the start time compared then: the descriptor stays that of one
 * process. Rests on pidfd_open(2), pidfd_send_signal(2), signal(7), proc_pid_stat(5). See
 * sc-signal(8). */
#include <getopt.h>
#include <signal.h>
#include <strings.h>
#include <sys/syscall.h>

#include "sc.h"
#include "start-time.h"

/* what a C library keeps for itself is counted by the kernel and by bash(1) too */
#define REAL_TIME_FIRST 34
#define REAL_TIME_LAST  64

static const char usage[] =
    "usage: sc-signal [--start-time=N] SIGNAL PID | sc-signal --number SIGNAL";

static const struct {
	const char *name;
	int number;
} names[] = {
    {"HUP", SIGHUP},
    {"INT", SIGINT},
    {"QUIT", SIGQUIT},
    {"ILL", SIGILL},
    {"TRAP", SIGTRAP},
    {"ABRT", SIGABRT},
    {"IOT", SIGIOT},
    {"BUS", SIGBUS},
    {"FPE", SIGFPE},
    {"KILL", SIGKILL},
    {"USR1", SIGUSR1},
    {"SEGV", SIGSEGV},
    {"USR2", SIGUSR2},
    {"PIPE", SIGPIPE},
    {"ALRM", SIGALRM},
    {"TERM", SIGTERM},
    {"STKFLT", SIGSTKFLT},
    {"CHLD", SIGCHLD},
    {"CLD", SIGCHLD},
    {"CONT", SIGCONT},
    {"STOP", SIGSTOP},
    {"TSTP", SIGTSTP},
    {"TTIN", SIGTTIN},
    {"TTOU", SIGTTOU},
    {"URG", SIGURG},
    {"XCPU", SIGXCPU},
    {"XFSZ", SIGXFSZ},
    {"VTALRM", SIGVTALRM},
    {"PROF", SIGPROF},
    {"WINCH", SIGWINCH},
    {"IO", SIGIO},
    {"POLL", SIGIO},
    {"PWR", SIGPWR},
    {"SYS", SIGSYS},
    {"RTMIN", REAL_TIME_FIRST},
    {"RTMAX", REAL_TIME_LAST},
};

/* a name without SIG, or one with a distance to it */
static int named(const char *text, const char *asked)
{
	size_t length = strcspn(text, "+-");
	size_t n = 0;

	while (n < LEN(names) &&
	       (strlen(names[n].name) != length || strncasecmp(names[n].name, text, length) != 0))
		n++;
	if (n == LEN(names))
		die("signal '%s': no such name, see signal(7)", asked);
	int first = names[n].number;

	if (!text[length])
		return first;
	if ((text[length] == '+') != (first == REAL_TIME_FIRST) || first < REAL_TIME_FIRST)
		die("signal '%s': only RTMIN+N and RTMAX-N have a distance", asked);
	int distance = (int)number(asked, text + length + 1, 0, REAL_TIME_LAST - REAL_TIME_FIRST);

	return text[length] == '+' ? first + distance : first - distance;
}

static int parse_signal(const char *text)
{
	if (text[0] >= '0' && text[0] <= '9')
		return (int)number("signal", text, 1, REAL_TIME_LAST);
	return named(strncasecmp(text, "SIG", 3) == 0 ? text + 3 : text, text);
}

/* the process has ended, or it has only not been waited for: nobody there to be signalled */
static int gone(void)
{
	return errno == ESRCH || errno == ENOENT;
}

/* 1 when the process of PIDFD is the one that started then; its directory may vanish at any time */
static int started_then(pid_t pid, unsigned long long wanted)
{
	char path[32];

	if (snprintf(path, sizeof(path), "/proc/%d", pid) < 0)
		die("snprintf:");
	int process = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);

	if (process < 0 && gone())
		return 0;
	if (process < 0)
		die("open %s:", path);
	unsigned long long started;
	int there = start_time(process, &started);

	if (close(process) < 0)
		die("close %s:", path);
	return there && started == wanted;
}

int main(int argc, char **argv)
{
	static const struct option table[] = {{"start-time", required_argument, NULL, 's'},
					      {"number", no_argument, NULL, 'n'},
					      {NULL, 0, NULL, 0}};
	unsigned long long start = 0;
	int c, only_number = 0, check = 0;

	prog = "sc-signal";
	opterr = 0;
	while ((c = getopt_long(argc, argv, "+", table, NULL)) != -1) {
		if (c == 's') {
			start = number("--start-time", optarg, 0, ~0ULL - 1);
			check = 1;
		} else if (c == 'n') {
			only_number = 1;
		} else {
			die("%s", usage);
		}
	}
	if (argc - optind != (only_number ? 1 : 2) || (only_number && check))
		die("%s", usage);
	int signal_number = parse_signal(argv[optind]);

	if (only_number)
		return printf("%d\n", signal_number) < 0 || fflush(stdout) != 0 ? EXIT_HELPER : 0;
	pid_t pid = (pid_t)number("PID", argv[optind + 1], 1, 1 << 22);
	int process = (int)syscall(SYS_pidfd_open, pid, 0);

	if (process < 0 && gone())
		return 1;
	if (process < 0)
		die("pidfd_open %d:", pid);
	/* looked up after the descriptor was opened: were it another's by now, the signal below
	 * would find the process of the descriptor gone */
	if (check && !started_then(pid, start))
		return 1;
	if (syscall(SYS_pidfd_send_signal, process, signal_number, NULL, 0) < 0) {
		if (gone())
			return 1;
		die("signal %d to process %d:", signal_number, pid);
	}
	return 0;
}
