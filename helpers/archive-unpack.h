/* archive-unpack.h: a tar archive to a tree, in the root that this process has.
 *
 * Sources: openat2(2), rename(2), linkat(2), utimensat(2), fsetxattr(2), symlink(7).
 *
 * Neither the archive nor whoever else can write the tree is trusted. Each file is made under a
 * name nobody knows, finished by its descriptor alone, and only then gets its own name, in place of
 * another file: what is there is the old one or the new one, also when the disk is full. */
#ifndef SC_ARCHIVE_UNPACK_H
#define SC_ARCHIVE_UNPACK_H

#include "archive-attributes.h"
#include "archive-read.h"

struct later {
	char *path;
	struct timespec mtime;
};

struct unpacking {
	struct input in;
	struct ids ids;
	bool as, no_setuid, follow; /* follow: a directory may be a link to one, within the root */
	unsigned int uid, gid;      /* of --as */
	int top;                    /* where it goes, O_PATH */
	bool failed;
	/* the file that is being made */
	int parent;
	char temporary[64];
	unsigned int count;
	/* the times of directories, which change as long as something is put into them */
	struct later *later;
	size_t nlater;
};

/* what was begun does not stay; the caller has said why */
static _Noreturn void give_up(const struct unpacking *u)
{
	if (unlinkat(u->parent, u->temporary, 0) < 0 && errno != ENOENT)
		warn("remove %s:", u->temporary);
	exit(EXIT_HELPER);
}

static unsigned int id_outside(const struct unpacking *u, unsigned int id, const char *path)
{
	if (!u->ids.limited)
		return id;
	if (id >= OWNERS)
		die("%s: belongs to %u, and in the container there are %d owners", path, id,
		    OWNERS);
	return id + u->ids.base;
}

static int open_part(const struct unpacking *u, int at, const char *part)
{
	struct open_how how = {.flags = O_PATH | O_DIRECTORY | O_CLOEXEC,
			       .resolve =
				   RESOLVE_NO_MAGICLINKS | (u->follow ? 0 : RESOLVE_NO_SYMLINKS)};

	return (int)syscall(SYS_openat2, at, part, &how, sizeof(how));
}

/* The directory that path is in; what is missing on the way is made. name: its last part, "" if
 * there is none. The copy it points into is freed by the caller. */
static int open_parent(const struct unpacking *u, char *path, const char **name, bool make)
{
	int at = fcntl(u->top, F_DUPFD_CLOEXEC, 3);
	char *rest = path, *part;

	if (at < 0)
		die("fcntl:");
	*name = "";
	while ((part = strsep(&rest, "/"))) {
		if (!*part || strcmp(part, ".") == 0)
			continue;
		if (strcmp(part, "..") == 0)
			die("the archive has a name with '..' in it, which could lead anywhere");
		if (**name) {
			int next = open_part(u, at, *name);

			if (next < 0 && errno == ENOENT && make) {
				if (mkdirat(at, *name, 0755) < 0)
					die("mkdir %s:", *name);
				next = open_part(u, at, *name);
				if (next >= 0 && u->as &&
				    fchownat(next, "", id_outside(u, u->uid, *name),
					     id_outside(u, u->gid, *name), AT_EMPTY_PATH) < 0)
					die("chown %s:", *name);
			}
			if (next < 0 && errno == ELOOP)
				die("%s: the archive wants to write below it, and it is a symbolic "
				    "link",
				    *name);
			if (next < 0)
				die("open %s:", *name);
			shut(at);
			at = next;
		}
		*name = part;
	}
	return at;
}

/* ids and capabilities as they have to be on disk; value has room for a vfs_ns_cap_data */
static size_t capability_outside(const struct unpacking *u, char *value, size_t length)
{
	struct vfs_ns_cap_data data = {0};

	memcpy(&data, value, length < sizeof(data) ? length : sizeof(data));
	if (!u->ids.limited || u->ids.base == 0)
		return length;
	data.magic_etc =
	    htole32(VFS_CAP_REVISION_3 | (le32toh(data.magic_etc) & ~VFS_CAP_REVISION_MASK));
	data.rootid = htole32(le32toh(data.rootid) + u->ids.base);
	memcpy(value, &data, sizeof(data));
	return sizeof(data);
}

/* one entry of the text of a list, such as user:1000:r-x or user:ann:rwx:1000; false: it is none */
static bool acl_entry(const struct unpacking *u, char *text, struct posix_acl_xattr_entry *entry)
{
	static const struct {
		const char *word;
		unsigned int tag, named;
	} words[] = {{"user", ACL_USER_OBJ, ACL_USER},
		     {"group", ACL_GROUP_OBJ, ACL_GROUP},
		     {"mask", ACL_MASK, 0},
		     {"other", ACL_OTHER, 0}};
	const char *field[4] = {"", "", "", ""};
	unsigned int rights = 0, tag = 0, id = ~0U;
	size_t n = 0;

	while (n < LEN(field) && (field[n] = strsep(&text, ":")))
		n++;
	if (n < 3 || text)
		return false;
	for (size_t i = 0; i < LEN(words); i++)
		if (strcmp(field[0], words[i].word) == 0)
			tag = *field[1] ? words[i].named : words[i].tag;
	if (*field[1]) {
		const char *digits = n == 4 ? field[3] : field[1];

		/* a name is one of another host */
		if (!*digits || strspn(digits, "0123456789") != strlen(digits) ||
		    strlen(digits) > 10)
			return false;
		id = (unsigned int)number("access control list", digits, 0, UINT_MAX - 1);
		if (u->ids.limited && id >= OWNERS)
			return false;
		id += u->ids.base;
	}
	for (const char *c = field[2]; *c; c++) {
		if (!strchr("rwx-", *c))
			return false;
		rights |= *c == 'r' ? ACL_READ : 0;
		rights |= *c == 'w' ? ACL_WRITE : 0;
		rights |= *c == 'x' ? ACL_EXECUTE : 0;
	}
	entry->e_tag = htole16(tag);
	entry->e_perm = htole16(rights);
	entry->e_id = htole32(id);
	return tag != 0;
}

static int compare_entries(const void *a, const void *b)
{
	const struct posix_acl_xattr_entry *one = a, *other = b;

	if (one->e_tag != other->e_tag)
		return le16toh(one->e_tag) < le16toh(other->e_tag) ? -1 : 1;
	if (one->e_id != other->e_id)
		return le32toh(one->e_id) < le32toh(other->e_id) ? -1 : 1;
	return 0;
}

/* sets a list from its text, which is changed; what it cannot say is left out, and said */
static void set_acl(const struct unpacking *u, int fd, const char *name, char *text,
		    const char *path)
{
	const struct posix_acl_xattr_header header = {.a_version =
							  htole32(POSIX_ACL_XATTR_VERSION)};
	struct posix_acl_xattr_entry entries[1024] = {{0}};
	struct bytes value = {0};
	size_t n = 0;

	for (char *word; (word = strsep(&text, ",\n"));) {
		if (!*word)
			continue;
		if (n == LEN(entries) || !acl_entry(u, word, &entries[n])) {
			warn("%s: left out its access control list: an entry is no number", path);
			return;
		}
		n++;
	}
	/* the order of the kernel is that of the tags */
	qsort(entries, n, sizeof(entries[0]), compare_entries);
	bytes_add(&value, &header, sizeof(header));
	bytes_add(&value, entries, n * sizeof(entries[0]));
	if (fsetxattr(fd, name, value.data, value.length, 0) < 0) {
		warn("set the access control list of %s:", path);
		if (errno != ENOTSUP && errno != EINVAL)
			give_up(u);
	}
	free(value.data);
}

static void set_attribute(const struct unpacking *u, int fd, const char *key, char *value,
			  size_t length, const char *path)
{
	/* room for the root of a user namespace */
	char capability[sizeof(struct vfs_ns_cap_data)] = "";
	const char *name = key + strlen(XATTR_RECORD);

	if (strcmp(key, "SCHILY.acl.access") == 0 || strcmp(key, "SCHILY.acl.default") == 0) {
		value[length] = '\0';
		set_acl(u, fd, key[11] == 'a' ? ACL_ACCESS : ACL_DEFAULT, value, path);
		return;
	}
	if (strncmp(key, XATTR_RECORD, strlen(XATTR_RECORD)) != 0)
		return;
	if (strcmp(name, XATTR_NAME_CAPS) == 0) {
		if (u->no_setuid)
			return;
		if (length != XATTR_CAPS_SZ_2 && length != XATTR_CAPS_SZ_3) {
			warn("%s: its capabilities are none", path);
			give_up(u);
		}
		memcpy(capability, value, length);
		length = capability_outside(u, capability, length);
		value = capability;
	} else if (strncmp(name, "user.", 5) != 0) {
		/* what the security modules and overlays of another host said of it */
		return;
	}
	if (fsetxattr(fd, name, value, length, 0) == 0)
		return;
	warn("set %s of %s:", name, path);
	/* a file system that has none can still have the file */
	if (errno != ENOTSUP)
		give_up(u);
}

/* Owner, attributes, mode, time: in this order, as the first takes setuid bits and capabilities
 * away, and the third is the one of a list too */
static void finish(const struct unpacking *u, int fd, const struct member *m)
{
	unsigned int uid = id_outside(u, u->as ? u->uid : m->uid, m->path);
	unsigned int gid = id_outside(u, u->as ? u->gid : m->gid, m->path);
	mode_t mode = u->no_setuid ? m->mode & 01777 : m->mode;
	const struct timespec times[] = {{.tv_nsec = UTIME_OMIT}, m->mtime};

	if (fchown(fd, uid, gid) < 0) {
		warn("chown %s:", m->path);
		give_up(u);
	}
	for (char *at = m->attributes.data; at && at < m->attributes.data + m->attributes.length;) {
		char *value = NULL;
		size_t length = 0;
		char *key =
		    next_record(&at, m->attributes.data + m->attributes.length, &value, &length);

		set_attribute(u, fd, key, value, length, m->path);
	}
	if (fchmod(fd, mode) < 0 || futimens(fd, times) < 0) {
		warn("set the mode and the time of %s:", m->path);
		give_up(u);
	}
}

static void unpack_data(struct unpacking *u, int fd, const struct member *m)
{
	char data[32768];

	for (unsigned long long left = m->size; left;) {
		size_t n = left < sizeof(data) ? (size_t)left : sizeof(data);

		if (take_some(&u->in, data, n) != n) {
			warn("%s: the archive ends in the middle of it", m->path);
			give_up(u);
		}
		for (size_t done = 0; done < n;) {
			ssize_t written = write(fd, data + done, n - done);

			if (written < 0 && errno == EINTR)
				continue;
			if (written < 0) {
				warn("write %s:", m->path);
				give_up(u);
			}
			done += (size_t)written;
		}
		left -= n;
	}
}

static void unpack_file(struct unpacking *u, const struct member *m)
{
	int fd = openat(u->parent, u->temporary,
			O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);

	if (fd < 0)
		die("create %s:", m->path);
	unpack_data(u, fd, m);
	finish(u, fd, m);
	/* some file systems tell only now that they are full */
	if (close(fd) < 0) {
		warn("close %s:", m->path);
		give_up(u);
	}
}

/* a symbolic link or a fifo was made: make it what it has to be, if it is still that and ours */
static void finish_node(struct unpacking *u, const struct member *m, mode_t type)
{
	const struct timespec times[] = {{.tv_nsec = UTIME_OMIT}, m->mtime};
	struct stat status;
	int fd = openat(u->parent, u->temporary, O_PATH | O_NOFOLLOW | O_CLOEXEC);

	if (fd < 0 || fstat(fd, &status) < 0) {
		warn("open %s:", m->path);
		give_up(u);
	}
	if ((status.st_mode & S_IFMT) != type ||
	    status.st_uid != (u->ids.limited ? u->ids.base : 0) || status.st_nlink != 1)
		die("%s: somebody put something else in its place", m->path);
	if (fchownat(fd, "", id_outside(u, u->as ? u->uid : m->uid, m->path),
		     id_outside(u, u->as ? u->gid : m->gid, m->path), AT_EMPTY_PATH) < 0 ||
	    utimensat(fd, "", times, AT_EMPTY_PATH) < 0) {
		warn("set the owner and the time of %s:", m->path);
		give_up(u);
	}
	shut(fd);
}

static void unpack_hard_link(struct unpacking *u, const struct member *m)
{
	char *copy = strdup(m->link);
	const char *name;

	if (!copy)
		die("strdup:");
	int from = open_parent(u, copy, &name, false);

	if (!*name)
		die("%s: the archive has a hard link to nothing", m->path);
	if (linkat(from, name, u->parent, u->temporary, 0) < 0)
		die("link %s to %s:", m->path, m->link);
	shut(from);
	free(copy);
}

/* a directory that is there stays, and gets the owner and the mode of the archive */
static void unpack_directory(struct unpacking *u, const struct member *m, const char *name)
{
	if (mkdirat(u->parent, name, 0700) < 0 && errno != EEXIST)
		die("mkdir %s:", m->path);
	int fd = openat(u->parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

	if (fd < 0 && errno == ENOTDIR)
		die("%s: cannot put a directory in the place of a file", m->path);
	if (fd < 0)
		die("open %s:", m->path);
	/* there is nothing to remove when this fails */
	u->temporary[0] = '\0';
	finish(u, fd, m);
	shut(fd);
	struct later *more = realloc(u->later, (u->nlater + 1) * sizeof(*more));

	if (!more)
		die("realloc:");
	u->later = more;
	u->later[u->nlater] = (struct later){strdup(m->path), m->mtime};
	if (!u->later[u->nlater++].path)
		die("strdup:");
}

/* the finished file gets its name, in place of what is no directory */
static void give_name(struct unpacking *u, const struct member *m, const char *name)
{
	if (renameat(u->parent, u->temporary, u->parent, name) < 0) {
		if (errno == EISDIR || errno == ENOTEMPTY || errno == EEXIST)
			warn("%s: cannot put a file in the place of a directory", m->path);
		else
			warn("rename to %s:", m->path);
		give_up(u);
	}
	/* to rename a file to another name of it does nothing */
	if (m->type == '1' && unlinkat(u->parent, u->temporary, 0) < 0 && errno != ENOENT)
		die("remove %s:", u->temporary);
}

static void unpack_member(struct unpacking *u, const struct member *m)
{
	char *copy = strdup(m->path);
	const char *name;

	if (!copy)
		die("strdup:");
	/* before anything is made */
	(void)id_outside(u, u->as ? u->uid : m->uid, m->path);
	(void)id_outside(u, u->as ? u->gid : m->gid, m->path);
	u->parent = open_parent(u, copy, &name, true);
	int n =
	    snprintf(u->temporary, sizeof(u->temporary), ".sc-archive.%d.%u", getpid(), u->count++);

	if (n < 0 || (size_t)n >= sizeof(u->temporary))
		die("snprintf:");
	if (!*name) {
		/* the directory that everything goes into is somebody's already */
		if (m->type != '5')
			die("the archive has a member without a name");
	} else if (m->type == '0') {
		unpack_file(u, m);
		give_name(u, m, name);
	} else if (m->type == '1') {
		unpack_hard_link(u, m);
		give_name(u, m, name);
	} else if (m->type == '2') {
		if (symlinkat(m->link, u->parent, u->temporary) < 0)
			die("symlink %s:", m->path);
		finish_node(u, m, S_IFLNK);
		give_name(u, m, name);
	} else if (m->type == '5') {
		unpack_directory(u, m, name);
	} else if (m->type == '6') {
		if (mkfifoat(u->parent, u->temporary, m->mode & 0777) < 0)
			die("mkfifo %s:", m->path);
		finish_node(u, m, S_IFIFO);
		give_name(u, m, name);
	} else if (m->type == '3' || m->type == '4') {
		warn("%s: left out, it is a device", m->path);
		u->failed = true;
	} else {
		die("%s: the archive says it is of type '%c', which is not understood", m->path,
		    m->type);
	}
	shut(u->parent);
	free(copy);
}

static void set_times(struct unpacking *u)
{
	/* last first: those inside before those around them */
	while (u->nlater > 0) {
		struct later *later = &u->later[--u->nlater];
		const struct timespec times[] = {{.tv_nsec = UTIME_OMIT}, later->mtime};
		const char *name;
		int at = open_parent(u, later->path, &name, false);
		int fd = openat(at, name, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

		if (fd < 0 || utimensat(fd, "", times, AT_EMPTY_PATH) < 0)
			die("set the time of directory %s:", name);
		shut(fd);
		shut(at);
		free(later->path);
	}
	free(u->later);
	u->later = NULL;
}

/* the whole archive; false: something was left out, which was said */
static bool unpack_archive(struct unpacking *u)
{
	struct member m = {0};
	char rest[4096];

	for (bool first = true; next_member(&u->in, &m, first); first = false) {
		unpack_member(u, &m);
		skip(&u->in, m.type == '0' ? padded(m.size) - m.size : 0);
	}
	forget_member(&m);
	set_times(u);
	/* whoever wrote the archive may have filled it up, and is not to be ended by that */
	while (take_some(&u->in, rest, sizeof(rest)) > 0)
		;
	return !u->failed;
}

#endif
