/* archive-attributes.h: extended attributes, access control lists and capabilities of a file, as
 * records of a pax header.
 *
 * Sources: xattr(7), acl(5), capabilities(7) "File capabilities", <linux/posix_acl_xattr.h>;
 * star(1) for SCHILY.xattr.NAME (the bytes) and SCHILY.acl.access (text, here with numbers only).
 *
 * All of them are of an open file or directory: no name is looked up twice, and none is asked of a
 * database of users. */
#ifndef SC_ARCHIVE_ATTRIBUTES_H
#define SC_ARCHIVE_ATTRIBUTES_H

#include <endian.h>
#include <linux/capability.h>
#include <linux/posix_acl.h>
#include <linux/posix_acl_xattr.h>
#include <linux/xattr.h>
#include <sys/xattr.h>

#include "archive-tar.h"

#define XATTR_RECORD "SCHILY.xattr."
#define ACL_ACCESS   "system.posix_acl_access"
#define ACL_DEFAULT  "system.posix_acl_default"
#define OVERLAY      "trusted.overlay."

/* a list of names or a value, malloced, with a NUL behind it; NULL: there is none. The kernel has
 * no larger ones (XATTR_SIZE_MAX, XATTR_LIST_MAX). */
static char *read_attribute(int fd, const char *name, size_t *length)
{
	static const size_t room = 65536;
	char *data = malloc(room + 1);

	if (!data)
		die("malloc:");
	ssize_t n = name ? fgetxattr(fd, name, data, room) : flistxattr(fd, data, room);

	if (n < 0) {
		int error = errno;

		free(data);
		errno = error;
		return NULL;
	}
	data[n] = '\0';
	*length = (size_t)n;
	return data;
}

/* {tag, permissions, id}... as text: user::rwx,user:1000:r--,mask::r-x */
static void pack_acl(struct bytes *pax, const char *key, const char *value, size_t length,
		     const struct ids *ids, const char *path)
{
	static const struct {
		unsigned int tag;
		const char *word;
		bool named;
	} words[] = {
	    {ACL_USER_OBJ, "user", false},   {ACL_USER, "user", true},
	    {ACL_GROUP_OBJ, "group", false}, {ACL_GROUP, "group", true},
	    {ACL_MASK, "mask", false},       {ACL_OTHER, "other", false},
	};
	struct bytes text = {0};
	const char *end = value + length;

	value += sizeof(struct posix_acl_xattr_header);
	for (; value + sizeof(struct posix_acl_xattr_entry) <= end;
	     value += sizeof(struct posix_acl_xattr_entry)) {
		struct posix_acl_xattr_entry entry;
		char line[64], who[16] = "";
		size_t n = 0;

		memcpy(&entry, value, sizeof(entry));
		unsigned int rights = le16toh(entry.e_perm), id = le32toh(entry.e_id);

		while (n < LEN(words) && words[n].tag != le16toh(entry.e_tag))
			n++;
		if (n == LEN(words))
			die("%s: an access control list with a tag of %u", path,
			    le16toh(entry.e_tag));
		if (ids->limited)
			id = id - ids->base < OWNERS ? id - ids->base : NOBODY;
		if (words[n].named && snprintf(who, sizeof(who), "%u", id) < 0)
			die("snprintf:");
		int used =
		    snprintf(line, sizeof(line), "%s%s:%s:%c%c%c", text.length ? "," : "",
			     words[n].word, who, rights & ACL_READ ? 'r' : '-',
			     rights & ACL_WRITE ? 'w' : '-', rights & ACL_EXECUTE ? 'x' : '-');

		if (used < 0 || (size_t)used >= sizeof(line))
			die("snprintf:");
		bytes_add(&text, line, (size_t)used);
	}
	if (text.length)
		record_add(pax, key, text.data, text.length);
	free(text.data);
}

/* Capabilities that count in one user namespace carry its root (version 3). In the archive those of
 * the container's root are plain ones (version 2), as they are inside. */
static void pack_capability(struct bytes *pax, const char *value, size_t length,
			    const struct ids *ids)
{
	struct vfs_ns_cap_data data = {0};

	memcpy(&data, value, length < sizeof(data) ? length : sizeof(data));
	unsigned int version = le32toh(data.magic_etc), root = le32toh(data.rootid);

	if (length == XATTR_CAPS_SZ_3 && (version & VFS_CAP_REVISION_MASK) == VFS_CAP_REVISION_3) {
		if (ids->limited)
			root -= ids->base;
		data.rootid = htole32(root);
		if (root == 0) {
			data.magic_etc =
			    htole32(VFS_CAP_REVISION_2 | (version & ~VFS_CAP_REVISION_MASK));
			length = XATTR_CAPS_SZ_2;
		}
		value = (const char *)&data;
	}
	record_add(pax, XATTR_RECORD XATTR_NAME_CAPS, value, length);
}

static int compare_names(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* An overlay tells itself here what tar has other words for, or none. true: the directory is
 * opaque, nothing of the layers below it shows through */
static bool is_opaque(const char *name, const char *value, size_t length, const char *path)
{
	name += strlen(OVERLAY);
	if (strcmp(name, "redirect") == 0 || strcmp(name, "metacopy") == 0 ||
	    strcmp(name, "whiteout") == 0)
		die("%s: has " OVERLAY "%s, which cannot be said in a layer: mount without "
		    "redirect_dir and metacopy",
		    path, name);
	if (strcmp(name, "opaque") != 0)
		return false;
	if (length != 1 || value[0] != 'y')
		die("%s: " OVERLAY "opaque is not y", path);
	return true;
}

/* one attribute of a file to its record; returns whether it says that the directory is opaque */
static bool pack_attribute(struct bytes *pax, const char *name, const char *value, size_t length,
			   const struct ids *ids, bool overlay, const char *path)
{
	char key[XATTR_NAME_MAX + sizeof(XATTR_RECORD)];

	if (strncmp(name, OVERLAY, strlen(OVERLAY)) == 0)
		return overlay && is_opaque(name, value, length, path);
	if (strcmp(name, ACL_ACCESS) == 0) {
		pack_acl(pax, "SCHILY.acl.access", value, length, ids, path);
	} else if (strcmp(name, ACL_DEFAULT) == 0) {
		pack_acl(pax, "SCHILY.acl.default", value, length, ids, path);
	} else if (strcmp(name, XATTR_NAME_CAPS) == 0) {
		pack_capability(pax, value, length, ids);
	} else if (strncmp(name, "user.", 5) == 0 && !strchr(name, '=')) {
		int n = snprintf(key, sizeof(key), XATTR_RECORD "%s", name);

		if (n < 0 || (size_t)n >= sizeof(key))
			die("%s: the name of an attribute is too long", path);
		record_add(pax, key, value, length);
	}
	return false;
}

/* the records of all attributes, by their names in order; returns whether a directory is opaque */
static bool pack_attributes(struct bytes *pax, int fd, const struct ids *ids, bool overlay,
			    const char *path)
{
	size_t length = 0, n = 0;
	char *list = read_attribute(fd, NULL, &length);
	bool opaque = false;

	if (!list) {
		/* a file system that has none */
		if (errno != ENOTSUP)
			die("list the attributes of %s:", path);
		list = calloc(1, 1);
		if (!list)
			die("calloc:");
	}
	/* a name is a character and its NUL at least */
	char **names = calloc(length / 2 + 1, sizeof(*names));

	if (!names)
		die("calloc:");
	for (size_t at = 0; at < length; at += strlen(list + at) + 1)
		names[n++] = list + at;
	qsort(names, n, sizeof(*names), compare_names);
	for (size_t i = 0; i < n; i++) {
		size_t size = 0;
		char *value = read_attribute(fd, names[i], &size);

		/* removed meanwhile; or of another user namespace, and none of ours */
		if (!value && errno != ENODATA && errno != EOVERFLOW && errno != ENOTSUP)
			die("read %s of %s:", names[i], path);
		if (value && pack_attribute(pax, names[i], value, size, ids, overlay, path))
			opaque = true;
		free(value);
	}
	free(names);
	free(list);
	return opaque;
}

#endif
