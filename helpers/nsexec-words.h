/* nsexec-words.h: the arguments and the environment, from files of words ended by NUL bytes.
 *
 * Sources: environ(7), execve(2), proc_pid_environ(5). */
#ifndef SC_NSEXEC_WORDS_H
#define SC_NSEXEC_WORDS_H

#include <fcntl.h>

#include "passwd.h"
#include "sc.h"

/* execve(2) takes no more than 3/4 of 8 MiB */
#define WORDS_BYTES (6 * 1024 * 1024)
#define ENV_FILES   4

/* NUL-terminated words of a file; one slot is left free behind them, for HOME */
static char **read_words(const char *file, size_t *count)
{
	int fd = open(file, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	char *text = malloc(WORDS_BYTES + 1);
	size_t length = 0, words = 0;

	if (fd < 0)
		die("open %s:", file);
	if (!text)
		die("malloc:");
	for (;;) {
		ssize_t got = read(fd, text + length, WORDS_BYTES + 1 - length);

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			die("read %s:", file);
		length += (size_t)got;
		if (length > WORDS_BYTES)
			die("%s: longer than %d bytes", file, WORDS_BYTES);
		if (got == 0)
			break;
	}
	if (length > 0 && text[length - 1])
		die("%s: the last word does not end in a NUL byte", file);
	if (close(fd) < 0)
		die("close %s:", file);
	for (size_t n = 0; n < length; n++)
		words += !text[n];
	char **list = calloc(words + 2, sizeof(*list));

	if (!list)
		die("calloc %zu words:", words);
	for (size_t n = 0, at = 0; n < words; at += strlen(text + at) + 1)
		list[n++] = text + at;
	*count = words;
	return list;
}

/* the words of all files; a variable of a later file replaces that of an earlier one */
static char **read_environment(const char *const *files, size_t n)
{
	char **all = NULL;
	size_t count = 0;

	for (size_t file = 0; file < n; file++) {
		size_t more, before = count;
		char **words = read_words(files[file], &more);

		all = reallocarray(all, count + more + 2, sizeof(*all));
		if (!all)
			die("reallocarray:");
		for (size_t i = 0; i < more; i++) {
			const char *equals = strchr(words[i], '=');
			size_t length = equals ? (size_t)(equals - words[i]) + 1 : 0, at = 0;

			if (length < 2)
				die("%s: '%s' is not NAME=VALUE", files[file], words[i]);
			while (at < before && strncmp(all[at], words[i], length) != 0)
				at++;
			all[at < before ? at : count++] = words[i];
		}
		free(words);
	}
	if (all)
		all[count] = all[count + 1] = NULL;
	return all;
}

/* the environment of the file; docker adds HOME as well */
static void set_environment(char **list, const char *home)
{
	static char variable[sizeof(((struct identity *)NULL)->home) + 5];
	size_t n = 0;
	int has_home = 0;

	for (; list[n]; n++)
		has_home |= strncmp(list[n], "HOME=", 5) == 0;
	if (!has_home) {
		if (snprintf(variable, sizeof(variable), "HOME=%s", home) < 0)
			die("snprintf:");
		list[n] = variable;
	}
	environ = list;
}

#endif
