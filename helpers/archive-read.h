/* archive-read.h: a tar archive, member by member, from somebody who is not trusted.
 *
 * Sources: pax(1) of POSIX.1-2017, tar(5); the GNU tar manual "Basic Tar Format" for long names
 * (types L and K) and numbers that are not octal.
 *
 * Whatever is not understood is refused: half of an archive, or another tree than the one that was
 * meant, is worse than none. */
#ifndef SC_ARCHIVE_READ_H
#define SC_ARCHIVE_READ_H

#include <limits.h>

#include "archive-tar.h"

#define EXTENDED_MAX                                                                               \
	(4U * 1024 * 1024) /* of one extended header; the kernel's attributes are smaller */

struct input {
	int fd;
	size_t at, end;
	char data[65536];
};

/* what is known of the next member; the strings are malloced, or NULL */
struct member {
	char type;
	char *path, *link;
	unsigned long long size; /* of the data that follows */
	unsigned int uid, gid;
	mode_t mode;
	struct timespec mtime;
	/* what an extended header said, which wins: pax records as they are, but for the known keys
	 */
	struct bytes attributes;
	bool has_size, has_uid, has_gid, has_mtime, sparse;
};

/* fills data, but for the end of the archive; the number of bytes */
static size_t take_some(struct input *in, char *data, size_t length)
{
	size_t done = 0;

	while (done < length) {
		if (in->at == in->end) {
			ssize_t n = read(in->fd, in->data, sizeof(in->data));

			if (n < 0 && errno == EINTR)
				continue;
			if (n < 0)
				die("read the archive:");
			if (n == 0)
				break;
			in->at = 0;
			in->end = (size_t)n;
		}
		size_t n = in->end - in->at < length - done ? in->end - in->at : length - done;

		memcpy(data + done, in->data + in->at, n);
		in->at += n;
		done += n;
	}
	return done;
}

static void take_all(struct input *in, char *data, size_t length)
{
	if (take_some(in, data, length) != length)
		die("the archive ends in the middle of a member");
}

static uint64_t padded(uint64_t length)
{
	return length + (BLOCK - length % BLOCK) % BLOCK;
}

static void skip(struct input *in, uint64_t length)
{
	char data[BLOCK];

	for (; length; length -= length < BLOCK ? length : BLOCK)
		take_all(in, data, length < BLOCK ? (size_t)length : BLOCK);
}

/* octal digits between blanks and NULs, or, with the first bit set, a binary number of any sign */
static long long field_number(const char *field, size_t size, const char *what)
{
	const unsigned char *byte = (const unsigned char *)field;
	unsigned long long value = 0;
	size_t n = 0;

	if (byte[0] & 0x80) {
		bool negative = byte[0] & 0x40;

		value = negative ? ~0ULL : 0;
		for (; n < size; n++) {
			unsigned int bits =
			    n ? byte[n] : (negative ? byte[0] | 0x80U : byte[0] & 0x7fU);

			if (value >> 55 != (negative ? 0x1ff : 0))
				die("the archive has a %s that is no number", what);
			value = value << 8 | bits;
		}
		return (long long)value;
	}
	while (n < size && byte[n] == ' ')
		n++;
	for (; n < size && byte[n] >= '0' && byte[n] <= '7'; n++) {
		if (value >> 59)
			die("the archive has a %s that is too large", what);
		value = value << 3 | (byte[n] - '0');
	}
	if (n < size && byte[n] != ' ' && byte[n] != '\0')
		die("the archive has a %s that is no number", what);
	return (long long)value;
}

static unsigned int id_number(long long id)
{
	if (id < 0 || id >= UINT_MAX)
		die("the archive has an owner that is no number");
	return (unsigned int)id;
}

/* seconds with an optional sign and fraction */
static struct timespec time_number(const char *text)
{
	struct timespec time = {0};
	char digits[10] = "000000000";
	char *end;

	errno = 0;
	time.tv_sec = strtoll(text, &end, 10);
	/* far beyond what any file system can keep */
	if (end == text || errno || (*end && *end != '.') || time.tv_sec < -(1LL << 40) ||
	    time.tv_sec > 1LL << 40)
		die("the archive has a time that is none");
	if (*end == '.') {
		size_t n = strspn(++end, "0123456789");

		if (end[n])
			die("the archive has a time that is none");
		memcpy(digits, end, n < 9 ? n : 9);
		time.tv_nsec = strtol(digits, NULL, 10);
		/* -1.5 is half a second before -1 */
		if (text[0] == '-' && time.tv_nsec) {
			time.tv_sec--;
			time.tv_nsec = 1000000000 - time.tv_nsec;
		}
	}
	return time;
}

static char *text_of(const char *data, size_t length, const char *what)
{
	char *text = strndup(data, length);

	if (!text)
		die("strndup:");
	if (strlen(text) != length || !length)
		die("the archive has a %s that is none", what);
	return text;
}

/* one record of an extended header; value has length bytes and a line feed behind it */
static void take_record(struct member *m, const char *key, const char *value, size_t length)
{
	static const char sparse[] = "GNU.sparse.";
	char *text = NULL;

	if (strncmp(key, "SCHILY.", 7) == 0) {
		record_add(&m->attributes, key, value, length);
		if (m->attributes.length > EXTENDED_MAX)
			die("the archive has too many attributes for one member");
		return;
	}
	m->sparse |= strncmp(key, sparse, strlen(sparse)) == 0;
	/* an empty value takes an earlier one back, and there is none */
	if (!length)
		return;
	if (strcmp(key, "path") == 0) {
		free(m->path);
		m->path = text_of(value, length, key);
	} else if (strcmp(key, "linkpath") == 0) {
		free(m->link);
		m->link = text_of(value, length, key);
	} else if (strcmp(key, "size") == 0) {
		text = text_of(value, length, key);
		m->size = number("the size of a member", text, 0, LLONG_MAX);
		m->has_size = true;
	} else if (strcmp(key, "uid") == 0) {
		text = text_of(value, length, key);
		m->uid = (unsigned int)number("the owner of a member", text, 0, UINT_MAX - 1);
		m->has_uid = true;
	} else if (strcmp(key, "gid") == 0) {
		text = text_of(value, length, key);
		m->gid = (unsigned int)number("the group of a member", text, 0, UINT_MAX - 1);
		m->has_gid = true;
	} else if (strcmp(key, "mtime") == 0) {
		text = text_of(value, length, key);
		m->mtime = time_number(text);
		m->has_mtime = true;
	}
	free(text);
}

/* "LENGTH KEY=VALUE\n" at *at: sets *value and *length, ends the key with a NUL; moves *at behind
 * it */
static char *next_record(char **at, const char *end, char **value, size_t *length)
{
	char *start = *at, *key;

	errno = 0;
	unsigned long long all = strtoull(start, &key, 10);

	if (*start < '0' || *start > '9' || errno || *key != ' ' || all > (size_t)(end - start) ||
	    all < (size_t)(key - start) + 4 || start[all - 1] != '\n')
		die("the archive has an extended header that is none");
	key++;
	*at = start + all;
	char *equals = memchr(key, '=', (size_t)(*at - key) - 1);

	if (!equals)
		die("the archive has an extended header that is none");
	*equals = '\0';
	*value = equals + 1;
	*length = (size_t)(*at - 1 - *value);
	return key;
}

/* the data of a member that only describes the next one, with a NUL behind it; malloced */
static char *take_text(struct input *in, unsigned long long size)
{
	if (size > EXTENDED_MAX)
		die("the archive has an extended header of %llu bytes", size);
	char *text = malloc((size_t)size + 1);

	if (!text)
		die("malloc:");
	take_all(in, text, (size_t)size);
	text[size] = '\0';
	skip(in, padded(size) - size);
	return text;
}

static void take_extended(struct input *in, struct member *m, unsigned long long size)
{
	char *text = take_text(in, size), *at = text, *value = NULL;
	size_t length = 0;

	while (at < text + size) {
		const char *key = next_record(&at, text + size, &value, &length);

		take_record(m, key, value, length);
	}
	free(text);
}

/* a name of GNU's, which has a NUL at its end */
static void take_long_name(struct input *in, char **to, unsigned long long size)
{
	free(*to);
	*to = take_text(in, size);
	if (!**to)
		die("the archive has a name that is none");
}

static char *field_text(const char *field, size_t size, const char *before, size_t before_size)
{
	size_t length = strnlen(field, size), front = strnlen(before, before_size);
	char *text = malloc(front + length + 2);

	if (!text)
		die("malloc:");
	memcpy(text, before, front);
	if (front)
		text[front++] = '/';
	memcpy(text + front, field, length);
	text[front + length] = '\0';
	return text;
}

/* what the header itself says, where no extended one did */
static void take_header(struct member *m, const struct tar_header *h)
{
	bool posix = memcmp(h->magic, "ustar", 6) == 0;

	if (!m->has_size)
		m->size = (unsigned long long)field_number(h->size, sizeof(h->size), "size");
	if (m->size > LLONG_MAX)
		die("the archive has a size below 0");
	if (!m->has_uid)
		m->uid = id_number(field_number(h->uid, sizeof(h->uid), "owner"));
	if (!m->has_gid)
		m->gid = id_number(field_number(h->gid, sizeof(h->gid), "group"));
	if (!m->has_mtime)
		m->mtime.tv_sec = field_number(h->mtime, sizeof(h->mtime), "time");
	m->mode = (mode_t)field_number(h->mode, sizeof(h->mode), "mode") & 07777;
	/* GNU tar has other things where POSIX has the prefix */
	if (!m->path)
		m->path =
		    field_text(h->name, sizeof(h->name), h->prefix, posix ? sizeof(h->prefix) : 0);
	if (!m->link)
		m->link = field_text(h->link, sizeof(h->link), "", 0);
	m->type = h->type ? h->type : '0';
	if (m->type == '7')
		m->type = '0';
	size_t length = strlen(m->path);

	/* how tar told directories before it had a type for them */
	if (m->type == '0' && length && m->path[length - 1] == '/')
		m->type = '5';
	if (m->type != '0')
		m->size = 0;
	if (m->type == 'S' || m->sparse)
		die("%s: files with holes (tar --sparse) are not understood: make the archive "
		    "without",
		    m->path);
}

static void forget_member(struct member *m)
{
	free(m->path);
	free(m->link);
	free(m->attributes.data);
	*m = (struct member){0};
}

static bool is_zero(const char *block)
{
	return !block[0] && memcmp(block, block + 1, BLOCK - 1) == 0;
}

/* the next member, whose data, m->size and padding, is still to be taken; false: the archive has
 * ended */
static bool next_member(struct input *in, struct member *m, bool first)
{
	struct tar_header h;

	forget_member(m);
	for (;; first = false) {
		size_t n = take_some(in, (char *)&h, sizeof(h));

		if (n == 0 && first)
			die("the archive is empty");
		if (n != sizeof(h))
			die("the archive ends too early");
		if (is_zero((const char *)&h)) {
			if (m->path || m->link || m->attributes.length)
				die("the archive ends behind an extended header");
			return false;
		}
		char sum[sizeof(h.checksum) + 1] = "";

		memcpy(sum, h.checksum, sizeof(h.checksum));
		if (strtoul(sum, NULL, 8) != checksum(&h))
			die("this is no tar archive, or a damaged one (or a compressed one: unpack "
			    "that first)");
		unsigned long long size =
		    (unsigned long long)field_number(h.size, sizeof(h.size), "size");

		switch (h.type) {
		case 'x':
			take_extended(in, m, size);
			break;
		case 'g':
			/* for all members that follow: a comment, such as git archive writes */
			free(take_text(in, size));
			break;
		case 'L':
			take_long_name(in, &m->path, size);
			break;
		case 'K':
			take_long_name(in, &m->link, size);
			break;
		default:
			take_header(m, &h);
			return true;
		}
	}
}

#endif
