/* sc.h: how a helper ends, and how it reads a number.
 *
 * Every helper keeps the same contract (the one of env(1), timeout(1) and docker):
 *   125  the helper itself failed: usage, or a system call; one line on stderr
 *   126  the next program could not be executed     127  it was not found
 *   else the next program's own status; 128+n where a helper that waits saw signal n
 */
#ifndef SC_H
#define SC_H

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define EXIT_HELPER 125
#define LEN(array)  (sizeof(array) / sizeof((array)[0]))

/* set once, by the first statement of main() */
static const char *prog = "sc";

/* "prog: text" on stderr; a format that ends in a colon gets ": strerror(errno)".
 * What a user or an image said may be part of the text, so control characters are
 * written as \ooo: an error cannot drive the terminal. */
__attribute__((format(printf, 1, 0), unused)) static void complain(const char *fmt, va_list args)
{
	int error = errno;
	size_t used = strlen(fmt);
	char text[4096], shown[sizeof(text)];
	int length = vsnprintf(text, sizeof(text), fmt, args);
	size_t n = 0;

	if (length < 0)
		text[0] = '\0';
	for (const char *c = text; *c && n < sizeof(shown) - 5; c++) {
		unsigned char byte = (unsigned char)*c;

		if (byte >= ' ' && byte != 0x7f)
			shown[n++] = *c;
		else
			n += (size_t)snprintf(shown + n, 5, "\\%03o", byte);
	}
	shown[n] = '\0';
	if (used > 0 && fmt[used - 1] == ':')
		dprintf(STDERR_FILENO, "%s: %s %s\n", prog, shown, strerror(error));
	else
		dprintf(STDERR_FILENO, "%s: %s\n", prog, shown);
}

__attribute__((format(printf, 1, 2), unused)) static void warn(const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	complain(fmt, args);
	va_end(args);
}

__attribute__((format(printf, 1, 2), unused)) static _Noreturn void die(const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	complain(fmt, args);
	va_end(args);
	exit(EXIT_HELPER);
}

/* become the next program; never returns */
__attribute__((unused)) static _Noreturn void chain(char **argv)
{
	execvp(argv[0], argv);
	int error = errno;
	warn("exec %s:", argv[0]);
	exit(error == ENOENT || error == ENOTDIR ? 127 : 126);
}

/* the only way a number is read: decimal digits and nothing else, within [min, max] */
__attribute__((unused)) static unsigned long long
number(const char *what, const char *text, unsigned long long min, unsigned long long max)
{
	char *end;

	errno = 0;
	unsigned long long value = strtoull(text, &end, 10);

	if (text[0] < '0' || text[0] > '9' || *end || errno || value < min || value > max)
		die("%s: '%s' is not a number from %llu to %llu", what, text, min, max);
	return value;
}

#endif
