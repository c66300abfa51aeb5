/* log-tail.h: finds where the last lines begin, from the end, so that the size of a log does not
 * matter.
 *
 * Lines are counted, not records: one that is in pieces is shown from its first piece, even if
 * there are records of the other stream between them. */
#ifndef SC_LOG_TAIL_H
#define SC_LOG_TAIL_H

#include "log-read.h"

#define BLOCK  65536
#define BEYOND (1024 * 1024) /* how far the first piece of a line is looked for */

struct counting {
	struct reading *r;
	unsigned long long lines;
	bool open[STREAMS];   /* the first piece of a line that counts was not seen yet */
	bool closed[STREAMS]; /* nothing before counts */
	struct place place;   /* of the record that is looked at */
	long long beyond;     /* bytes since the last line was counted */
};

/* one record; false: what is before it does not matter */
static bool count_record(struct counting *c, const char *head)
{
	bool complete = true;
	int stream = head ? parse_head(head, &complete) : -1;

	if (stream < 0)
		head = NULL;
	stream = stream < 0 ? OUT : stream;
	if (c->closed[stream] || !is_wanted(c->r, head, stream))
		return true;
	if (complete || !c->open[stream]) {
		/* the last piece of a line */
		c->open[stream] = c->lines < c->r->tail;
		c->closed[stream] = !c->open[stream];
		c->lines += c->open[stream];
	}
	if (c->open[stream])
		c->r->start[stream] = c->place;
	return !(c->closed[OUT] || !c->r->wanted[OUT]) || !(c->closed[ERR] || !c->r->wanted[ERR]);
}

/* all records before end, the last one first */
static bool count_file(struct counting *c, char *block, off_t end)
{
	int fd = c->r->files[c->place.file].fd;
	off_t low = end, next = end;

	while (low > 0) {
		size_t length = low < BLOCK ? (size_t)low : BLOCK;

		low -= (off_t)length;
		if (pread(fd, block, length, low) != (ssize_t)length)
			die("read %s:", c->r->path);
		const char *at = block + length;

		for (;;) {
			const char *found = memrchr(block, '\n', (size_t)(at - block));

			/* a record begins behind it, or at the beginning of the file */
			if (!found && low > 0)
				break;
			const char *begin = found ? found + 1 : block;
			char head[LOG_HEAD];

			c->place.at = low + (begin - block);
			at = found ? found : block;
			if (c->place.at < next) {
				bool has_head = next - c->place.at >= LOG_HEAD;

				if (has_head && pread(fd, head, LOG_HEAD, c->place.at) != LOG_HEAD)
					die("read %s:", c->r->path);
				if (c->lines >= c->r->tail)
					c->beyond += next - c->place.at;
				next = c->place.at;
				if (!count_record(c, has_head ? head : NULL) || c->beyond > BEYOND)
					return false;
			}
			if (!found)
				break;
		}
	}
	return true;
}

/* sets where r begins to read, and from where each stream is shown */
static void find_tail(struct reading *r)
{
	struct counting c = {.r = r};
	char *block = malloc(BLOCK);

	if (!block)
		die("malloc %d:", BLOCK);
	/* nothing of what is there now */
	for (int n = 0; n < STREAMS; n++)
		r->start[n] = (struct place){0, file_end(&r->files[0])};
	for (size_t n = 0; n < r->count && r->tail > 0; n++) {
		c.place.file = n;
		if (!count_file(&c, block, file_end(&r->files[n])))
			break;
	}
	free(block);
	const struct place *first = &r->start[OUT], *other = &r->start[ERR];

	if (other->file > first->file || (other->file == first->file && other->at < first->at))
		first = other;
	r->file = first->file;
	r->at = first->at;
}

#endif
