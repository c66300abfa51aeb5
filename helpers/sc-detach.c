/* sc-detach: leave the caller behind, then become another program
 *
 * usage: sc-detach [--keep=FD]... [--] PROG [ARG...]
 *   --keep=FD   do not close this descriptor
 *
 * A child goes on in a session of its own, without a descriptor of the caller's above 2 and with
 * signals as after login; the calling process ends at once with 0.
 * Status of the caller: 0, or 125 when there could be no child; what becomes of PROG it is not
 * told. Rests on setsid(2), close_range(2), daemon(3). */
#include <fcntl.h>
#include <getopt.h>
#include <signal.h>

#include "close-others.h"
#include "sc.h"
#include "signals.h"

#define KEPT 8

int main(int argc, char **argv)
{
	static const struct option table[] = {{"keep", required_argument, NULL, 'k'},
					      {NULL, 0, NULL, 0}};
	int keep[KEPT];
	size_t count = 0;

	prog = "sc-detach";
	opterr = 0;
	for (int c; (c = getopt_long(argc, argv, "+", table, NULL)) != -1;) {
		if (c != 'k')
			die("option %s: unknown or without its value, see sc-detach(8)",
			    argv[optind - 1]);
		if (count == KEPT)
			die("--keep: given more than %d times", KEPT);
		keep[count] = (int)number("--keep", optarg, 3, 1 << 20);
		if (fcntl(keep[count], F_GETFD) < 0)
			die("--keep=%s:", optarg);
		count++;
	}
	if (optind == argc)
		die("usage: sc-detach [--keep=FD]... [--] PROG [ARG...]");
	pid_t child = fork();

	if (child < 0)
		die("fork:");
	if (child > 0)
		return 0;
	if (setsid() < 0)
		die("setsid:");
	close_all_but(keep, count);
	reset_signals();
	unblock_signals();
	chain(argv + optind);
}
