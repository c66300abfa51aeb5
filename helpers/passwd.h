/* passwd.h: who USER[:GROUP] is, asked of a container's own /etc/passwd and /etc/group.
 *
 * Sources: passwd(5), group(5), openat2(2); the answers are those of docker run --user.
 * Never getpwnam(3): NSS would load libraries, from the host or, after setns(2), from the
 * container (CVE-2019-14271). The files are hostile: they are looked up below root_fd as if
 * that were "/", must be regular, and at most 1 MiB is read. */
#ifndef SC_PASSWD_H
#define SC_PASSWD_H

#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/types.h>

#include "sc.h"

#define IDENTITY_GROUPS 64
#define IDENTITY_BYTES  (1024 * 1024)

struct identity {
	uid_t uid;
	gid_t gid;
	gid_t groups[IDENTITY_GROUPS]; /* all of them, gid included: setgroups(2) takes them */
	size_t ngroups;
	char home[4096];
};

/* a piece of the file; not terminated */
struct identity_text {
	const char *at;
	size_t length;
};

static int identity_openat2(int root_fd, const char *path, int flags)
{
	struct open_how how = {.flags = (unsigned long long)flags | O_CLOEXEC,
			       .resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS};
	int fd = -1;

	/* EAGAIN: somebody renamed directories meanwhile; a container could do so for ever */
	for (int tries = 0; tries < 32; tries++) {
		fd = (int)syscall(SYS_openat2, root_fd, path, &how, sizeof(how));
		if (fd >= 0 || errno != EAGAIN)
			break;
	}
	return fd;
}

static void identity_regular(int fd, const char *path)
{
	struct stat status;

	if (fstat(fd, &status) < 0)
		die("fstat %s of the container:", path);
	if (!S_ISREG(status.st_mode))
		die("%s of the container is not a regular file", path);
}

/* the whole file, malloced; a file that does not exist is empty */
static struct identity_text identity_read(int root_fd, const char *path)
{
	/* O_PATH first: just opening a device or a fifo may do something */
	int look = identity_openat2(root_fd, path, O_PATH);

	if (look < 0 && (errno == ENOENT || errno == ENOTDIR))
		return (struct identity_text){NULL, 0};
	if (look < 0)
		die("open %s of the container:", path);
	identity_regular(look, path);
	int fd = identity_openat2(root_fd, path, O_RDONLY | O_NONBLOCK | O_NOCTTY);

	if (fd < 0)
		die("open %s of the container:", path);
	identity_regular(fd, path);
	/* one byte more than allowed, to see that there is more */
	char *text = malloc(IDENTITY_BYTES + 1);
	size_t length = 0;

	if (!text)
		die("malloc %d:", IDENTITY_BYTES);
	for (;;) {
		ssize_t got = read(fd, text + length, IDENTITY_BYTES + 1 - length);

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			die("read %s of the container:", path);
		length += (size_t)got;
		if (length > IDENTITY_BYTES)
			die("%s of the container is longer than %d bytes", path, IDENTITY_BYTES);
		if (got == 0)
			break;
	}
	if (close(fd) < 0 || close(look) < 0)
		die("close %s of the container:", path);
	return (struct identity_text){text, length};
}

/* takes the part up to the next separator off the front of *rest; 0 when there is none left */
static int identity_split(struct identity_text *rest, char separator, struct identity_text *part)
{
	if (!rest->at)
		return 0;
	const char *end = rest->length ? memchr(rest->at, separator, rest->length) : NULL;

	part->at = rest->at;
	if (end) {
		part->length = (size_t)(end - rest->at);
		rest->at = end + 1;
		rest->length -= part->length + 1;
	} else {
		part->length = rest->length;
		*rest = (struct identity_text){NULL, 0};
	}
	return 1;
}

/* the fields of one line; 0 when there are fewer than wanted (a comment, a NIS line) */
static int identity_fields(struct identity_text line, struct identity_text *fields, size_t wanted)
{
	size_t n = 0;

	while (n < wanted && identity_split(&line, ':', &fields[n]))
		n++;
	return n == wanted && fields[0].length > 0;
}

static int identity_equal(struct identity_text text, struct identity_text other)
{
	return text.length == other.length && memcmp(text.at, other.at, text.length) == 0;
}

/* 1 and *id when the text is a decimal id; (uid_t)-1 means "no change" to the kernel */
static int identity_number(struct identity_text text, unsigned int *id)
{
	unsigned long long value = 0;

	if (text.length == 0 || text.length > 10)
		return 0;
	for (size_t n = 0; n < text.length; n++) {
		if (text.at[n] < '0' || text.at[n] > '9')
			return 0;
		value = value * 10 + (unsigned long long)(text.at[n] - '0');
	}
	if (value >= 0xffffffffULL)
		return 0;
	*id = (unsigned int)value;
	return 1;
}

static void identity_add_group(struct identity *out, gid_t gid)
{
	for (size_t n = 0; n < out->ngroups; n++)
		if (out->groups[n] == gid)
			return;
	/* leaving one out could open a file whose mode shuts that group out */
	if (out->ngroups == IDENTITY_GROUPS)
		die("the user is in more than %d groups of the container", IDENTITY_GROUPS);
	out->groups[out->ngroups++] = gid;
}

/* fills in uid, gid and home; the name from passwd (empty: no entry) */
static struct identity_text identity_user(struct identity_text file, struct identity_text user,
					  struct identity *out)
{
	unsigned int wanted;
	int numeric = identity_number(user, &wanted);
	struct identity_text line, field[6];

	while (identity_split(&file, '\n', &line)) {
		unsigned int uid, gid;

		if (!identity_fields(line, field, LEN(field)) || !identity_number(field[2], &uid) ||
		    !identity_number(field[3], &gid))
			continue;
		if (numeric ? uid != wanted : !identity_equal(field[0], user))
			continue;
		out->uid = uid;
		out->gid = gid;
		if (field[5].length > 0 && field[5].length < sizeof(out->home) &&
		    field[5].at[0] == '/') {
			memcpy(out->home, field[5].at, field[5].length);
			out->home[field[5].length] = '\0';
		}
		return field[0];
	}
	if (!numeric)
		die("user '%.*s': not in /etc/passwd of the container", (int)user.length, user.at);
	out->uid = wanted;
	return (struct identity_text){"", 0};
}

static void identity_group(struct identity_text file, struct identity_text group,
			   struct identity *out)
{
	struct identity_text line, field[3];
	unsigned int gid;

	if (identity_number(group, &out->gid))
		return;
	while (identity_split(&file, '\n', &line))
		if (identity_fields(line, field, LEN(field)) && identity_equal(field[0], group) &&
		    identity_number(field[2], &gid)) {
			out->gid = gid;
			return;
		}
	die("group '%.*s': not in /etc/group of the container", (int)group.length, group.at);
}

/* every group that lists the user as a member */
static void identity_memberships(struct identity_text file, struct identity_text name,
				 struct identity *out)
{
	struct identity_text line, field[4], member;
	unsigned int gid;

	while (identity_split(&file, '\n', &line)) {
		if (!identity_fields(line, field, LEN(field)) || !identity_number(field[2], &gid))
			continue;
		while (identity_split(&field[3], ',', &member))
			if (identity_equal(member, name))
				identity_add_group(out, gid);
	}
}

/* spec is USER[:GROUP], names or numbers; NULL or "" is root. A number needs no entry. */
__attribute__((unused)) static void identity_resolve(int root_fd, const char *spec,
						     struct identity *out)
{
	struct identity_text user, group = {NULL, 0};
	struct identity_text passwd = identity_read(root_fd, "/etc/passwd");
	struct identity_text groups = identity_read(root_fd, "/etc/group");

	if (!spec || !*spec)
		spec = "0";
	user.at = spec;
	user.length = strcspn(spec, ":");
	if (spec[user.length] == ':')
		group =
		    (struct identity_text){spec + user.length + 1, strlen(spec + user.length + 1)};
	if (user.length == 0 || (group.at && group.length == 0))
		die("user '%s': want USER[:GROUP]", spec);
	*out = (struct identity){.home = "/"};
	struct identity_text name = identity_user(passwd, user, out);

	/* as with docker, a group that was asked for stands alone */
	if (group.at)
		identity_group(groups, group, out);
	else if (name.length > 0)
		identity_memberships(groups, name, out);
	/* the primary group too: else a set-group-id program would shed it (CVE-2022-36109) */
	identity_add_group(out, out->gid);
	free((void *)(uintptr_t)passwd.at);
	free((void *)(uintptr_t)groups.at);
}

#endif
