/* log-file.h: writes the log of a container: records, rotation, what happens when the disk is full.
 *
 * The format is that of the Kubernetes CRI (pkg/kubelet/kuberuntime/logs there), a line each:
 * `2026-11-22T07:00:00.123456789Z stdout F text`, with P for F when the line goes on in the next
 * record of that stream. Whoever writes holds flock(2) on the file that has the name without a
 * number; described in sc-log(8), FILES. */
#ifndef SC_LOG_FILE_H
#define SC_LOG_FILE_H

#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>

#include "sc.h"

#define LOG_STAMP  30               /* bytes of a time */
#define LOG_HEAD   (LOG_STAMP + 10) /* " stdout F " */
#define LOG_TEXT   16384            /* bytes of text in a record at most */
#define LOG_BUFFER 65536
#define LOG_FILES  999

struct log_file {
	const char *path;            /* NULL: nothing is kept */
	unsigned long long max_size; /* 0: no limit */
	unsigned int max_file;
	int fd;
	unsigned long long grown; /* bytes in the file; after a failed rotation, bytes since then */
	unsigned long long lost;  /* bytes of text, until the log says so */
	int error;                /* the first one */
	size_t used;
	char *buffer;
};

/* count decimal digits of value, and after them a character; returns what is behind it */
static char *log_digits(char *to, unsigned long value, int count, char after)
{
	for (int n = count - 1; n >= 0; n--) {
		to[n] = (char)('0' + value % 10);
		value /= 10;
	}
	to[count] = after;
	return to + count + 1;
}

/* "2026-11-22T07:00:00.123456789Z"; times compare as their texts do. By hand, as this is done for
 * each read: strftime(3) and printf(3) would keep 200 KiB of code in memory. */
static void log_stamp(char stamp[LOG_STAMP + 1], const struct timespec *when)
{
	struct tm parts;
	char *to = stamp;

	if (!gmtime_r(&when->tv_sec, &parts) || parts.tm_year > 9999 - 1900)
		die("the time %lld cannot be written", (long long)when->tv_sec);
	to = log_digits(to, (unsigned long)parts.tm_year + 1900, 4, '-');
	to = log_digits(to, (unsigned long)parts.tm_mon + 1, 2, '-');
	to = log_digits(to, (unsigned long)parts.tm_mday, 2, 'T');
	to = log_digits(to, (unsigned long)parts.tm_hour, 2, ':');
	to = log_digits(to, (unsigned long)parts.tm_min, 2, ':');
	to = log_digits(to, (unsigned long)parts.tm_sec, 2, '.');
	to = log_digits(to, (unsigned long)when->tv_nsec, 9, 'Z');
	*to = '\0';
}

/* PATH, or PATH.NUMBER */
static void log_name(char name[PATH_MAX], const char *path, unsigned int number_of)
{
	int length = number_of ? snprintf(name, PATH_MAX, "%s.%u", path, number_of)
			       : snprintf(name, PATH_MAX, "%s", path);

	if (length < 0 || length >= PATH_MAX)
		die("%s: the name is too long", path);
}

__attribute__((unused)) static void shut(int fd)
{
	if (fd >= 0 && close(fd) < 0)
		die("close:");
}

static void log_failed(struct log_file *log)
{
	if (!log->error)
		log->error = errno;
}

static void log_open(struct log_file *log)
{
	const struct timespec pause = {0, 10000000};
	struct stat status;
	char name[PATH_MAX], last = '\n';
	int tries = 0;

	if (!log->path || !*log->path) {
		log->path = NULL;
		return;
	}
	log->buffer = malloc(LOG_BUFFER);
	if (!log->buffer)
		die("malloc %d:", LOG_BUFFER);
	log->fd =
	    open(log->path, O_RDWR | O_APPEND | O_CREAT | O_CLOEXEC | O_NOCTTY | O_NOFOLLOW, 0600);
	if (log->fd < 0)
		die("open log %s:", log->path);
	/* a reader holds it for a moment, to see whether somebody writes */
	while (flock(log->fd, LOCK_EX | LOCK_NB) < 0) {
		if (errno != EWOULDBLOCK)
			die("flock %s:", log->path);
		if (tries++ == 500)
			die("%s: another process writes this log", log->path);
		/* being woken early does no harm */
		(void)nanosleep(&pause, NULL);
	}
	if (fstat(log->fd, &status) < 0)
		die("fstat %s:", log->path);
	if (!S_ISREG(status.st_mode))
		return;
	log->grown = (unsigned long long)status.st_size;
	/* a writer before us was killed within a record, or its disk was full */
	if (log->grown > 0 && pread(log->fd, &last, 1, status.st_size - 1) != 1)
		die("read %s:", log->path);
	if (last != '\n' && write(log->fd, "\n", 1) == 1)
		log->grown++;
	/* left from a time with a greater --max-file */
	for (unsigned int n = log->max_file; log->max_size && n <= LOG_FILES; n++) {
		log_name(name, log->path, n);
		if (unlink(name) < 0)
			break;
	}
}

/* writes whole records; those that do not fit are counted as lost */
static bool log_put(struct log_file *log, const char *data, size_t length)
{
	struct stat status;
	size_t done = 0;

	while (done < length) {
		ssize_t sent = write(log->fd, data + done, length - done);

		if (sent >= 0)
			done += (size_t)sent;
		else if (errno != EINTR)
			break;
	}
	log->grown += done;
	if (done == length)
		return true;
	log_failed(log);
	const char *whole = done > 0 ? memrchr(data, '\n', done) : NULL;
	size_t kept = whole ? (size_t)(whole + 1 - data) : 0;

	/* not half a record */
	if (kept < done && fstat(log->fd, &status) == 0 && S_ISREG(status.st_mode) &&
	    ftruncate(log->fd, status.st_size - (off_t)(done - kept)) == 0)
		log->grown -= done - kept;
	for (const char *record = data + kept; record < data + length;) {
		const char *end = memchr(record, '\n', (size_t)(data + length - record));

		if (!end)
			break;
		log->lost += (size_t)(end - record) - LOG_HEAD + (record[LOG_HEAD - 2] == 'F');
		record = end + 1;
	}
	return false;
}

/* says in the log what is missing from it; false: there is no room for that either */
static bool log_tell(struct log_file *log)
{
	char record[LOG_HEAD + 128], stamp[LOG_STAMP + 1];
	unsigned long long lost = log->lost;
	struct timespec now;

	if (lost == 0)
		return true;
	if (clock_gettime(CLOCK_REALTIME, &now) < 0)
		die("clock_gettime:");
	log_stamp(stamp, &now);
	int length = snprintf(record, sizeof(record),
			      "%s stderr F %s: %llu bytes of output were lost here: %s\n", stamp,
			      prog, lost, strerror(log->error));

	if (length < 0 || (size_t)length >= sizeof(record))
		die("snprintf:");
	bool told = log_put(log, record, (size_t)length);

	log->lost = told ? 0 : lost;
	return told;
}

/* writes what is held back; the container goes on whatever becomes of its log */
static void log_flush(struct log_file *log)
{
	if (log->used == 0)
		return;
	/* without room for that the rest is tried all the same, and counted */
	log_tell(log);
	log_put(log, log->buffer, log->used);
	log->used = 0;
}

/* The file of now becomes .1 before its name is given to the next one, so that there is no
 * moment without it; a reader sees nothing twice, as both names are one file until then. */
static void log_rotate(struct log_file *log)
{
	char from[PATH_MAX], to[PATH_MAX];
	int length = snprintf(to, sizeof(to), "%s.new", log->path);

	if (length < 0 || (size_t)length >= sizeof(to))
		die("%s: the name is too long", log->path);
	int fd = open(
	    to, O_WRONLY | O_APPEND | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOCTTY | O_NOFOLLOW, 0600);

	/* locked before it can be found: readers take a log that is not locked for ended */
	if (fd < 0 || flock(fd, LOCK_EX | LOCK_NB) < 0)
		goto failed;
	for (unsigned int n = log->max_file - 1; n > 1; n--) {
		log_name(from, log->path, n - 1);
		log_name(to, log->path, n);
		if (rename(from, to) < 0 && errno != ENOENT)
			goto failed;
	}
	if (log->max_file > 1) {
		log_name(to, log->path, 1);
		if ((unlink(to) < 0 && errno != ENOENT) || link(log->path, to) < 0)
			goto failed;
	}
	(void)snprintf(to, sizeof(to), "%s.new", log->path);
	if (rename(to, log->path) < 0)
		goto failed;
	if (close(log->fd) < 0)
		log_failed(log);
	log->fd = fd;
	log->grown = 0;
	return;
failed:
	log_failed(log);
	if (fd >= 0 && close(fd) < 0)
		log_failed(log);
	/* the next attempt is due when as much again was written */
	log->grown = 0;
}

/* one record: `length` bytes of text, and a line break when the line is complete */
static void log_record(struct log_file *log, const char *stamp, const char *stream,
		       const char *text, size_t length, bool complete)
{
	size_t size = LOG_HEAD + length + 1;

	if (log->used + size > LOG_BUFFER)
		log_flush(log);
	if (log->max_size && log->grown + log->used > 0 &&
	    log->grown + log->used + size > log->max_size) {
		log_flush(log);
		log_rotate(log);
	}
	char *to = log->buffer + log->used;

	memcpy(to, stamp, LOG_STAMP);
	to[LOG_STAMP] = ' ';
	memcpy(to + LOG_STAMP + 1, stream, 6);
	to[LOG_HEAD - 3] = ' ';
	to[LOG_HEAD - 2] = complete ? 'F' : 'P';
	to[LOG_HEAD - 1] = ' ';
	memcpy(to + LOG_HEAD, text, length);
	to[size - 1] = '\n';
	log->used += size;
}

/* what was read from stream, which is "stdout" or "stderr", and when: now */
static void log_add(struct log_file *log, const char *stream, const char *data, size_t length)
{
	char stamp[LOG_STAMP + 1];
	struct timespec now;

	if (!log->path || length == 0)
		return;
	if (clock_gettime(CLOCK_REALTIME, &now) < 0)
		die("clock_gettime:");
	log_stamp(stamp, &now);
	while (length > 0) {
		/* a line break after the most that fits still belongs to it */
		size_t most = length > LOG_TEXT ? LOG_TEXT + 1 : length;
		const char *end = memchr(data, '\n', most);
		size_t piece = end ? (size_t)(end - data) : most > LOG_TEXT ? LOG_TEXT : most;

		log_record(log, stamp, stream, data, piece, end != NULL);
		piece += end != NULL;
		data += piece;
		length -= piece;
	}
	log_flush(log);
}

#endif
