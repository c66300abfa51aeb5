/* sc-log: keep what a container writes, and print it again.
 *
 * usage: sc-log write [--file=FILE] [--max-size=BYTES] [--max-file=N] [--copy] [--stdin=FIFO]
 *                     [--die-with-parent] [--] PROG [ARG...]
 *        sc-log read --file=FILE [--follow] [--tail=N] [--since=SECONDS[.FRACTION]]
 *                    [--until=SECONDS[.FRACTION]] [--timestamps] [--stdout] [--stderr]
 *
 * `write` is the parent of PROG and has pipes for its output (log-write.h); each line becomes a
 * record (log-file.h). `read` prints the text of records (log-read.h), on the stream it came
 * from. The format is described in sc-log(8), FILES.
 *
 * Status: of write PROG's, 128+n; of read 0; 125 own failure, 126/127 PROG not executable/not
 * found. Rests on pipe(7), flock(2), inotify(7). */
#include <getopt.h>

#include "log-tail.h"
#include "log-write.h"

static _Noreturn void usage(void)
{
	die("usage: sc-log write [--file=FILE] [--max-size=BYTES] [--max-file=N] [--copy]"
	    " [--stdin=FIFO] [--die-with-parent] [--] PROG [ARG...] | read --file=FILE [--follow]"
	    " [--tail=N] [--since=SECONDS] [--until=SECONDS] [--timestamps] [--stdout] [--stderr]");
}

/* "1763794800.5"; with `round_up` what is not said of the fraction is 9, else 0 */
static struct timespec seconds(const char *what, const char *text, bool round_up)
{
	char whole[32], fraction[10] = "000000000";
	size_t length = strcspn(text, ".");
	const char *rest = text[length] ? text + length + 1 : NULL;

	if (round_up)
		memset(fraction, '9', sizeof(fraction) - 1);
	if (length >= sizeof(whole) || (rest && (strlen(rest) > 9 || !*rest)))
		die("%s: '%s' is not a number of seconds since 1970, with at most 9 digits after"
		    " the point",
		    what, text);
	memcpy(whole, text, length);
	whole[length] = '\0';
	for (size_t n = 0; rest && rest[n]; n++)
		fraction[n] = rest[n];
	/* the year 9999 is the last that has four digits */
	return (struct timespec){(time_t)number(what, whole, 0, 253402300799ULL),
				 (long)number(what, fraction, 0, 999999999)};
}

static _Noreturn void write_main(int argc, char **argv)
{
	static const struct option table[] = {
	    {"file", required_argument, NULL, 'f'},
	    {"max-size", required_argument, NULL, 's'},
	    {"max-file", required_argument, NULL, 'n'},
	    {"copy", no_argument, NULL, 'c'},
	    {"stdin", required_argument, NULL, 'i'},
	    {"die-with-parent", no_argument, NULL, 'd'},
	    {NULL, 0, NULL, 0},
	};
	struct writing w = {
	    .log = {.max_file = 1, .fd = -1},
	    .parent = getppid(),
	    .fifo_fd = -1,
	    .streams = {{.name = "stdout", .from = -1, .to = -1},
			{.name = "stderr", .from = -1, .to = -1}},
	};
	int c;

	while ((c = getopt_long(argc, argv, "+", table, NULL)) != -1) {
		switch (c) {
		case 'f':
			w.log.path = optarg;
			break;
		case 's':
			w.log.max_size = number("--max-size", optarg, 1, LLONG_MAX);
			break;
		case 'n':
			w.log.max_file = (unsigned int)number("--max-file", optarg, 1, LOG_FILES);
			break;
		case 'c':
			w.copy = true;
			break;
		case 'i':
			w.fifo = optarg;
			break;
		case 'd':
			w.die_with_parent = true;
			break;
		default:
			die("option %s: unknown, or wrongly with or without a value",
			    argv[optind - 1]);
		}
	}
	if (optind == argc)
		usage();
	if (w.die_with_parent) {
		if (prctl(PR_SET_PDEATHSIG, SIGTERM, 0, 0, 0) < 0)
			die("prctl PR_SET_PDEATHSIG:");
		if (getppid() != w.parent)
			die("the caller has ended");
	}
	run_logged(&w, argv + optind);
}

static void read_main(int argc, char **argv)
{
	static const struct option table[] = {
	    {"file", required_argument, NULL, 'f'},
	    {"follow", no_argument, NULL, 'w'},
	    {"tail", required_argument, NULL, 'n'},
	    {"since", required_argument, NULL, 's'},
	    {"until", required_argument, NULL, 'u'},
	    {"timestamps", no_argument, NULL, 't'},
	    {"stdout", no_argument, NULL, '1'},
	    {"stderr", no_argument, NULL, '2'},
	    {NULL, 0, NULL, 0},
	};
	struct reading r = {.to = STDOUT_FILENO, .watch = -1};
	struct timespec time;
	int c;

	while ((c = getopt_long(argc, argv, "+", table, NULL)) != -1) {
		switch (c) {
		case 'f':
			r.path = optarg;
			break;
		case 'w':
			r.follow = true;
			break;
		case 'n':
			r.tail = number("--tail", optarg, 0, ULLONG_MAX);
			r.has_tail = true;
			break;
		case 's':
			time = seconds("--since", optarg, false);
			log_stamp(r.since, &time);
			break;
		case 'u':
			time = seconds("--until", optarg, true);
			log_stamp(r.until, &time);
			r.until_ms = time.tv_sec * 1000LL + time.tv_nsec / 1000000;
			break;
		case 't':
			r.stamps = true;
			break;
		case '1':
			r.wanted[OUT] = true;
			break;
		case '2':
			r.wanted[ERR] = true;
			break;
		default:
			die("option %s: unknown, or wrongly with or without a value",
			    argv[optind - 1]);
		}
	}
	if (optind < argc || !r.path)
		usage();
	if (!r.wanted[OUT] && !r.wanted[ERR])
		r.wanted[OUT] = r.wanted[ERR] = true;
	if (r.follow)
		watch(&r);
	open_files(&r);
	if (r.count == 0)
		return;
	r.file = r.count - 1;
	show_all(&r);
	if (r.has_tail)
		find_tail(&r);
	read_log(&r);
	close_files(&r);
}

int main(int argc, char **argv)
{
	int null;

	prog = "sc-log";
	/* a closed standard descriptor must not become one of ours */
	do
		null = open("/dev/null", O_RDWR);
	while (null >= 0 && null <= 2);
	if (null < 0 || close(null) < 0)
		die("/dev/null:");
	/* getopt's own message is not ours: it shows control characters raw */
	opterr = 0;
	if (argc > 1 && strcmp(argv[1], "write") == 0)
		write_main(argc - 1, argv + 1);
	if (argc < 2 || strcmp(argv[1], "read") != 0)
		usage();
	read_main(argc - 1, argv + 1);
	return 0;
}
