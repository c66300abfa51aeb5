/* archive-tar.h: the tar format of POSIX (pax), as it is written.
 *
 * Sources: pax(1) of POSIX.1-2017 "ustar Interchange Format" and "pax Extended Header", tar(5);
 * star(1) for the SCHILY keys, which every tar program of today reads.
 *
 * The bytes depend on the tree alone, and are the same with every version of this program: they
 * are packed again for each push, and their digest has to be the one of the first time. So times
 * are whole seconds, there is no name of an owner, and an extended header only where it is needed.
 */
#ifndef SC_ARCHIVE_TAR_H
#define SC_ARCHIVE_TAR_H

#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/stat.h>

#include "sc.h"

#define BLOCK    512
#define PATH_END 4096 /* the longest name of a member, its NUL included */
#define OWNERS   65536
#define NOBODY   65534

struct tar_header {
	char name[100], mode[8], uid[8], gid[8], size[12], mtime[12], checksum[8], type, link[100];
	char magic[6], version[2], uname[32], gname[32], major[8], minor[8], prefix[155], pad[12];
};
_Static_assert(sizeof(struct tar_header) == BLOCK, "a tar header is a block");

/* bytes that grow */
struct bytes {
	char *data;
	size_t length, room;
};

/* owners inside a container are those on disk less base; without limit they are the same */
struct ids {
	bool limited;
	unsigned int base;
};

struct output {
	int fd;
	size_t used;
	char data[65536];
};

static void bytes_add(struct bytes *to, const void *data, size_t length)
{
	if (length > SIZE_MAX / 2 - to->length)
		die("out of memory");
	if (to->length + length > to->room) {
		size_t room = 2 * (to->length + length) + 256;
		char *grown = realloc(to->data, room);

		if (!grown)
			die("realloc:");
		to->data = grown;
		to->room = room;
	}
	if (length)
		memcpy(to->data + to->length, data, length);
	to->length += length;
}

static unsigned int digits_of(size_t number)
{
	unsigned int digits = 1;

	for (; number > 9; number /= 10)
		digits++;
	return digits;
}

/* "LENGTH KEY=VALUE\n": the length counts its own digits */
static void record_add(struct bytes *to, const char *key, const void *value, size_t length)
{
	size_t rest = strlen(key) + length + 3; /* blank, =, line feed */
	size_t all = rest + digits_of(rest);
	char number[32];

	if (digits_of(all) != digits_of(rest))
		all = rest + digits_of(all);
	int n = snprintf(number, sizeof(number), "%zu ", all);

	if (n < 0 || (size_t)n >= sizeof(number))
		die("snprintf:");
	bytes_add(to, number, (size_t)n);
	bytes_add(to, key, strlen(key));
	bytes_add(to, "=", 1);
	bytes_add(to, value, length);
	bytes_add(to, "\n", 1);
}

static void record_number(struct bytes *to, const char *key, long long value)
{
	char text[32];
	int n = snprintf(text, sizeof(text), "%lld", value);

	if (n < 0 || (size_t)n >= sizeof(text))
		die("snprintf:");
	record_add(to, key, text, (size_t)n);
}

static void flush(struct output *out)
{
	for (size_t done = 0; done < out->used;) {
		ssize_t n = write(out->fd, out->data + done, out->used - done);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			die("write the archive:");
		done += (size_t)n;
	}
	out->used = 0;
}

static void put(struct output *out, const void *data, size_t length)
{
	const char *from = data;

	while (length) {
		size_t n = sizeof(out->data) - out->used;

		if (n > length)
			n = length;
		memcpy(out->data + out->used, from, n);
		out->used += n;
		from += n;
		length -= n;
		if (out->used == sizeof(out->data))
			flush(out);
	}
}

/* what follows `length` bytes, up to the next block */
static void put_padding(struct output *out, uint64_t length)
{
	static const char zeros[BLOCK];

	if (length % BLOCK)
		put(out, zeros, BLOCK - length % BLOCK);
}

/* octal digits and a NUL; false: it does not fit, and the field says 0 */
static bool octal(char *field, size_t size, long long value)
{
	char text[24];
	bool fits = value >= 0 && (unsigned long long)value >> (3 * (size - 1)) == 0;
	int n = snprintf(text, sizeof(text), "%0*llo", (int)size - 1,
			 fits ? (unsigned long long)value : 0ULL);

	if (n < 0 || (size_t)n != size - 1)
		die("snprintf:");
	memcpy(field, text, size);
	return fits;
}

static unsigned int checksum(const struct tar_header *header)
{
	const unsigned char *byte = (const unsigned char *)header;
	const size_t at = offsetof(struct tar_header, checksum);
	unsigned int sum = 0;

	/* the field itself counts as blanks */
	for (size_t n = 0; n < sizeof(*header); n++)
		sum += n >= at && n < at + sizeof(header->checksum) ? ' ' : byte[n];
	return sum;
}

static void put_header(struct output *out, struct tar_header *header, char type)
{
	header->type = type;
	memcpy(header->magic, "ustar", 6);
	memcpy(header->version, "00", 2);
	(void)octal(header->checksum, sizeof(header->checksum) - 1, checksum(header));
	header->checksum[7] = ' ';
	put(out, header, sizeof(*header));
}

/* the beginning of a long one has to do in the field: who cannot read the record sees at least that
 */
static void put_name(char *field, size_t size, const char *name, struct bytes *pax, const char *key)
{
	size_t length = strlen(name);

	if (length > size)
		record_add(pax, key, name, length);
	memcpy(field, name, length < size ? length : size);
}

/* One member: an extended header if there are records or a value does not fit, then its own.
 * pax: records of attributes, changed. size: of the data that the caller writes. */
static void put_member(struct output *out, const char *path, const char *link, char type,
		       const struct stat *status, const struct ids *ids, struct bytes *pax)
{
	struct tar_header header = {0}, extended = {0};
	unsigned long long size = type == '0' ? (unsigned long long)status->st_size : 0;
	unsigned int uid = status->st_uid, gid = status->st_gid;

	if (ids->limited) {
		/* below base it wraps around, and is far above */
		uid = uid - ids->base < OWNERS ? uid - ids->base : NOBODY;
		gid = gid - ids->base < OWNERS ? gid - ids->base : NOBODY;
	}
	put_name(header.name, sizeof(header.name), path, pax, "path");
	if (link)
		put_name(header.link, sizeof(header.link), link, pax, "linkpath");
	(void)octal(header.mode, sizeof(header.mode), status->st_mode & 07777);
	if (!octal(header.uid, sizeof(header.uid), uid))
		record_number(pax, "uid", uid);
	if (!octal(header.gid, sizeof(header.gid), gid))
		record_number(pax, "gid", gid);
	if (!octal(header.size, sizeof(header.size), (long long)size))
		record_number(pax, "size", (long long)size);
	if (!octal(header.mtime, sizeof(header.mtime), status->st_mtime))
		record_number(pax, "mtime", status->st_mtime);
	bool device = type == '3' || type == '4';

	if (!octal(header.major, sizeof(header.major), device ? major(status->st_rdev) : 0) ||
	    !octal(header.minor, sizeof(header.minor), device ? minor(status->st_rdev) : 0))
		die("%s: tar has no room for the numbers of this device", path);
	if (pax->length) {
		static const char directory[] = "PaxHeaders/";
		const char *slash = path + strlen(path);

		/* the last part of the name, that of a directory has a slash behind it */
		while (slash > path && (slash[-1] != '/' || !slash[0] || !slash[1]))
			slash--;
		memcpy(extended.name, directory, strlen(directory));
		size_t room = sizeof(extended.name) - strlen(directory) - 1;

		memcpy(extended.name + strlen(directory), slash, strnlen(slash, room));
		(void)octal(extended.mode, sizeof(extended.mode), 0644);
		(void)octal(extended.uid, sizeof(extended.uid), 0);
		(void)octal(extended.gid, sizeof(extended.gid), 0);
		(void)octal(extended.size, sizeof(extended.size), (long long)pax->length);
		(void)octal(extended.mtime, sizeof(extended.mtime), 0);
		(void)octal(extended.major, sizeof(extended.major), 0);
		(void)octal(extended.minor, sizeof(extended.minor), 0);
		put_header(out, &extended, 'x');
		put(out, pax->data, pax->length);
		put_padding(out, pax->length);
	}
	put_header(out, &header, type);
}

/* two blocks of zeros */
static void put_end(struct output *out)
{
	static const char zeros[2 * BLOCK];

	put(out, zeros, sizeof(zeros));
	flush(out);
}

#endif
