/* log-read.h: prints the text of records, file after file, and waits for more.
 *
 * Rests on inotify(7), flock(2), and on how log-file.h rotates: a file only ever moves to a
 * greater number, so that looking at the numbers upwards misses none. */
#ifndef SC_LOG_READ_H
#define SC_LOG_READ_H

#include <poll.h>
#include <sys/inotify.h>

#include "log-file.h"

#define INPUT      131072
#define GAP        16  /* numbers that may be missing: a writer was killed while it rotated */
#define LOCK_TRIES 9   /* a file is closed a moment before its lock is gone */
#define LOCK_MS    20  /* that long at first, and twice as long each time: 10 s in all */
#define NO_WATCH   200 /* ms, where there is no inotify instance left */

enum { OUT, ERR, STREAMS };

struct file {
	int fd;
	dev_t device;
	ino_t inode;
};

/* where a record begins */
struct place {
	size_t file;
	off_t at;
};

struct reading {
	const char *path;
	bool follow, stamps, wanted[STREAMS];
	char since[LOG_STAMP + 1], until[LOG_STAMP + 1]; /* empty: no limit */
	long long until_ms;                              /* the same, of CLOCK_REALTIME */
	bool has_tail;
	unsigned long long tail;

	struct file files[LOG_FILES + 1]; /* the newest first */
	size_t count;
	size_t file; /* the one that is read */
	off_t at;    /* of the next byte in it */
	struct place start[STREAMS];

	/* the record that is being printed, as far as it has come */
	bool inside, shown, complete;
	int stream;
	bool in_line[STREAMS]; /* the last record was part of a line */

	char *output;
	size_t used;
	int to;

	int watch;
	int lock_tries;
};

/* --- the output ------------------------------------------------------------------------------- */

static void flush(struct reading *r)
{
	size_t done = 0;

	while (done < r->used) {
		ssize_t sent = write(r->to, r->output + done, r->used - done);
		struct pollfd room = {r->to, POLLOUT, 0};

		if (sent >= 0)
			done += (size_t)sent;
		else if (errno == EAGAIN && poll(&room, 1, -1) < 0 && errno != EINTR)
			die("poll:");
		else if (errno != EAGAIN && errno != EINTR)
			die("write standard %s:", r->to == STDOUT_FILENO ? "output" : "error");
	}
	r->used = 0;
}

static void print(struct reading *r, const char *text, size_t length)
{
	int to = r->stream == OUT ? STDOUT_FILENO : STDERR_FILENO;

	/* the order between the two is kept */
	if (to != r->to || r->used + length > LOG_BUFFER)
		flush(r);
	r->to = to;
	while (length > 0) {
		size_t piece = length < LOG_BUFFER ? length : LOG_BUFFER;

		memcpy(r->output + r->used, text, piece);
		r->used += piece;
		text += piece;
		length -= piece;
		if (length > 0)
			flush(r);
	}
}

/* --- records ---------------------------------------------------------------------------------- */

/* the stream of a record, -1 for what is none; head has LOG_HEAD bytes */
static int parse_head(const char *head, bool *complete)
{
	static const char form[] = "dddd-dd-ddTdd:dd:dd.dddddddddZ std";

	for (size_t n = 0; n < sizeof(form) - 1; n++)
		if (n < LOG_STAMP && form[n] == 'd' ? head[n] < '0' || head[n] > '9'
						    : head[n] != form[n])
			return -1;
	const char *rest = head + sizeof(form) - 1;
	int stream = memcmp(rest, "out ", 4) == 0 ? OUT : memcmp(rest, "err ", 4) == 0 ? ERR : -1;

	if (stream < 0 || (rest[4] != 'F' && rest[4] != 'P') || rest[5] != ' ')
		return -1;
	*complete = rest[4] == 'F';
	return stream;
}

/* is it of a stream and of a time that was asked for? head: NULL for what is no record */
static bool is_wanted(const struct reading *r, const char *head, int stream)
{
	if (!r->wanted[stream])
		return false;
	return !head || ((!r->since[0] || memcmp(head, r->since, LOG_STAMP) >= 0) &&
			 (!r->until[0] || memcmp(head, r->until, LOG_STAMP) <= 0));
}

/* returns the bytes before the text */
static size_t begin_record(struct reading *r, const char *data, size_t length, off_t at)
{
	bool line_break = memchr(data, '\n', length < LOG_HEAD ? length : LOG_HEAD) != NULL;
	bool complete = true;
	int stream = length < LOG_HEAD || line_break ? -1 : parse_head(data, &complete);
	const char *head = stream < 0 ? NULL : data;

	/* what is no record is printed as it is */
	r->stream = stream < 0 ? OUT : stream;
	r->complete = complete;
	r->inside = true;
	const struct place *start = &r->start[r->stream];

	r->shown = is_wanted(r, head, r->stream) &&
		   (r->file < start->file || (r->file == start->file && at >= start->at));
	if (r->shown && head && r->stamps && !r->in_line[r->stream])
		print(r, head, LOG_STAMP + 1);
	if (r->shown)
		r->in_line[r->stream] = !complete;
	return head ? LOG_HEAD : 0;
}

/* prints; returns how many bytes it could make sense of. last: nothing comes after data */
static size_t digest(struct reading *r, const char *data, size_t length, bool last)
{
	size_t done = 0;

	while (done < length) {
		const char *from = data + done;
		size_t left = length - done;

		if (!r->inside) {
			if (left < LOG_HEAD && !last && !memchr(from, '\n', left))
				break;
			size_t head = begin_record(r, from, left, r->at + (off_t)done);

			done += head;
			from += head;
			left -= head;
		}
		const char *end = memchr(from, '\n', left);
		size_t piece = end ? (size_t)(end - from) : left;

		if (r->shown)
			print(r, from, piece + (end && r->complete));
		done += piece + (end != NULL);
		r->inside = !end;
	}
	return done;
}

/* --- files ------------------------------------------------------------------------------------ */

static bool same_file(const struct file *a, const struct file *b)
{
	return a->device == b->device && a->inode == b->inode;
}

/* false: there is no such file */
static bool open_file(const char *path, unsigned int number_of, struct file *file)
{
	char name[PATH_MAX];
	struct stat status;

	log_name(name, path, number_of);
	file->fd = open(name, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	if (file->fd < 0 && errno == ENOENT)
		return false;
	if (file->fd < 0 || fstat(file->fd, &status) < 0)
		die("open %s:", name);
	file->device = status.st_dev;
	file->inode = status.st_ino;
	return true;
}

/* all files that there are; false: they moved so fast that one was seen between two others twice */
static bool try_open_files(struct reading *r)
{
	unsigned int gap = 0;
	bool sound = true;

	r->count = 0;
	for (unsigned int n = 0; n <= LOG_FILES && gap < GAP; n++) {
		struct file *file = &r->files[r->count];

		if (!open_file(r->path, n, file)) {
			gap++;
			continue;
		}
		gap = 0;
		size_t twin = 0;

		while (twin < r->count && !same_file(file, &r->files[twin]))
			twin++;
		if (twin == r->count) {
			r->count++;
			continue;
		}
		/* rotated this moment: it has two names, or has got the next one */
		sound = sound && twin + 1 == r->count;
		shut(file->fd);
	}
	return sound;
}

static void close_files(struct reading *r)
{
	for (size_t n = 0; n < r->count; n++)
		shut(r->files[n].fd);
	r->count = 0;
}

static void open_files(struct reading *r)
{
	for (int tries = 0; !try_open_files(r) && tries < 100; tries++)
		close_files(r);
}

/* from the beginning of every file */
static void show_all(struct reading *r)
{
	for (int n = 0; n < STREAMS; n++)
		r->start[n] = (struct place){SIZE_MAX, 0};
}

/* Goes on with the file that was made after the one just read, or with the oldest there is when
 * that one was removed since. */
static void open_next(struct reading *r)
{
	const struct file was = r->files[r->file];
	size_t n = 0;

	for (size_t other = 0; other < r->count; other++)
		if (other != r->file)
			shut(r->files[other].fd);
	/* while it is open nobody gets its number */
	open_files(r);
	while (n < r->count && !same_file(&was, &r->files[n]))
		n++;
	shut(was.fd);
	/* not found: n is their count, and n - 1 the oldest */
	r->file = n > 0 ? n - 1 : 0;
	r->at = 0;
	r->inside = false;
	show_all(r);
}

static bool is_current(const struct reading *r)
{
	struct stat status;

	/* removed: nothing comes any more, which the lock says as well */
	return stat(r->path, &status) < 0 || (status.st_dev == r->files[r->file].device &&
					      status.st_ino == r->files[r->file].inode);
}

/* somebody writes to the file, or has just now rotated it away */
static bool is_written(const struct file *file)
{
	if (flock(file->fd, LOCK_SH | LOCK_NB) == 0) {
		if (flock(file->fd, LOCK_UN) < 0)
			die("flock:");
		return false;
	}
	if (errno != EWOULDBLOCK)
		die("flock:");
	return true;
}

/* where the last record ends that is whole */
static off_t whole_records(int fd, off_t size)
{
	char data[4096];

	while (size > 0) {
		off_t from = size > (off_t)sizeof(data) ? size - (off_t)sizeof(data) : 0;
		ssize_t got = pread(fd, data, (size_t)(size - from), from);

		if (got < 0)
			die("read:");
		const char *end = memrchr(data, '\n', (size_t)got);

		if (end)
			return from + (end + 1 - data);
		size = from;
	}
	return 0;
}

/* where to stop when nothing more is waited for */
static off_t file_end(const struct file *file)
{
	struct stat status;

	if (fstat(file->fd, &status) < 0)
		die("fstat:");
	/* the last one may be in the making */
	return is_written(file) ? whole_records(file->fd, status.st_size) : status.st_size;
}

/* --- reading ---------------------------------------------------------------------------------- */

/* prints the file up to end (-1: as far as it goes) */
static void print_file(struct reading *r, char *input, off_t end, bool last)
{
	int fd = r->files[r->file].fd;

	for (;;) {
		size_t most = end >= 0 && end - r->at < INPUT ? (size_t)(end - r->at) : INPUT;
		ssize_t got = most > 0 ? pread(fd, input, most, r->at) : 0;

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			die("read %s:", r->path);
		size_t used = digest(r, input, (size_t)got, last && (size_t)got < INPUT);

		r->at += (off_t)used;
		if (used == 0)
			return;
	}
}

static void watch(struct reading *r)
{
	char directory[PATH_MAX];
	const char *name = strrchr(r->path, '/');

	log_name(directory, r->path, 0);
	if (name)
		directory[name == r->path ? 1 : name - r->path] = '\0';
	r->watch = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
	if (r->watch >= 0 && inotify_add_watch(r->watch, name ? directory : ".",
					       IN_MODIFY | IN_CLOSE_WRITE | IN_MOVED_TO |
						   IN_DELETE | IN_DELETE_SELF) < 0) {
		/* the user has too many of them: look at the clock instead */
		shut(r->watch);
		r->watch = -1;
	}
}

/* until something happens in the directory; the time of --until ends it too */
static void wait_for_more(struct reading *r)
{
	char events[4096] __attribute__((aligned(__alignof__(struct inotify_event))));
	struct pollfd from = {r->watch, POLLIN, 0};
	struct timespec now;
	long long most = r->watch < 0 ? NO_WATCH : -1;

	if (r->lock_tries > 0) {
		most = LOCK_MS << (LOCK_TRIES - r->lock_tries);
		r->lock_tries--;
	}
	if (r->until[0]) {
		if (clock_gettime(CLOCK_REALTIME, &now) < 0)
			die("clock_gettime:");
		long long left = r->until_ms - now.tv_sec * 1000LL - now.tv_nsec / 1000000;

		/* in steps: the clock may be set */
		left = left < 1 ? 1 : left < 60000 ? left : 60000;
		most = most >= 0 && most < left ? most : left;
	}
	if (poll(&from, 1, (int)most) < 0 && errno != EINTR)
		die("poll:");
	for (ssize_t got; (got = read(r->watch, events, sizeof(events))) > 0;) {
		const struct inotify_event *event;

		for (char *at = events; at < events + got; at += sizeof(*event) + event->len) {
			event = (const struct inotify_event *)at;
			if (event->mask & (IN_CLOSE_WRITE | IN_DELETE | IN_Q_OVERFLOW))
				r->lock_tries = LOCK_TRIES;
		}
	}
}

static bool is_over(const struct reading *r)
{
	struct timespec now;

	if (!r->until[0])
		return false;
	if (clock_gettime(CLOCK_REALTIME, &now) < 0)
		die("clock_gettime:");
	return now.tv_sec * 1000LL + now.tv_nsec / 1000000 > r->until_ms;
}

/* to the end of the container */
static void follow(struct reading *r, char *input)
{
	for (;;) {
		bool over = is_over(r);

		print_file(r, input, -1, false);
		/* in this order: a new file has its name before the lock of the old one is gone */
		bool written = is_written(&r->files[r->file]);
		bool current = is_current(r);

		if (written && current) {
			flush(r);
			if (over)
				return;
			wait_for_more(r);
			continue;
		}
		/* what came before it was the end */
		print_file(r, input, -1, true);
		flush(r);
		if (current)
			return;
		open_next(r);
		if (r->count == 0)
			return;
	}
}

static void read_log(struct reading *r)
{
	char *input = malloc(INPUT);

	r->output = malloc(LOG_BUFFER);
	if (!input || !r->output)
		die("malloc %d:", INPUT);
	while (r->file > 0) {
		print_file(r, input, -1, true);
		r->inside = false;
		r->file--;
		r->at = 0;
	}
	if (r->follow)
		follow(r, input);
	else
		print_file(r, input, file_end(&r->files[0]), true);
	flush(r);
	free(input);
	free(r->output);
}

#endif
