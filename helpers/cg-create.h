/* cg-create.h: the making of a control group in every hierarchy, with what a version 2 host needs
 * on the way down: controllers that are handed on, and processes in the leaves only.
 *
 * cgroup-v2.rst ("Top-down Constraint", "No Internal Process Constraint", "Delegation"),
 * cgroup-v1/cpusets.rst; systemd's CGROUP_DELEGATION.md for the mark of a delegated unit. */
#ifndef CG_CREATE_H
#define CG_CREATE_H

#include <sys/xattr.h>

#include "cg-processes.h"

#define LEVELS 64

/* what create did, so that it can be taken back */
struct made {
	size_t from[HIERARCHIES]; /* how many bytes of the path had been there, CG_PATH_MAX: all */
	char refused[96];         /* what could not be handed on: "+cpu +memory" */
	int room;                 /* whose processes were moved to the leaf init, -1: nobody's */
	size_t nenabled;
	struct {
		int dir;
		char text[96]; /* "-cpu -memory" */
	} enabled[LEVELS];
};

static void prefix_of(const char *cg, size_t length, char *path, size_t size)
{
	snprintf(path, size, "%.*s", length ? (int)length : 1, length ? cg : ".");
}

static bool move_procs(int from, int to)
{
	struct pids pids = {0};
	char text[16];

	for (int turn = 0; turn < 100; turn++) {
		pids.n = 0;
		read_procs(from, ".", &pids);
		if (pids.n == 0)
			break;
		for (size_t i = 0; i < pids.n; i++) {
			snprintf(text, sizeof(text), "%d", pids.at[i]);
			/* 0 stands for one that our pid namespace does not show, and would move us
			 */
			errno = EBUSY;
			if (pids.at[i] == 0 ||
			    (!write_file(to, "cgroup.procs", text) && errno != ESRCH)) {
				free(pids.at);
				return false;
			}
		}
	}
	bool moved = pids.n == 0;

	free(pids.at);
	errno = EBUSY;
	return moved;
}

/* systemd marks the control group of a unit that it leaves to the unit (Delegate=) */
static bool is_delegated(int dir)
{
	static const char *const marks[] = {"trusted.delegate", "user.delegate"};
	int fd = open_dir(dir, ".", O_RDONLY); /* an O_PATH descriptor has no attributes */
	bool found = false;
	char value;

	for (size_t i = 0; fd >= 0 && i < LEN(marks); i++)
		if (fgetxattr(fd, marks[i], &value, 1) == 1 && value == '1')
			found = true;
	close_dir(fd);
	return found;
}

/* Where we begin to change things: the bytes of the path up to the innermost delegated unit on it.
 * 0 means that there is none, and that we begin at the root of our control group namespace. */
static size_t delegated_at(int root, const char *cg)
{
	char path[CG_PATH_MAX];
	size_t found = 0;

	for (size_t length = strcspn(cg, "/"); cg[length];
	     length += 1 + strcspn(cg + length + 1, "/")) {
		prefix_of(cg, length, path, sizeof(path));
		int dir = open_dir(root, path, O_PATH);

		if (dir < 0)
			break;
		if (is_delegated(dir))
			found = length;
		close_dir(dir);
	}
	return found;
}

/* Processes may sit only in the leaves once controllers are distributed; the root of our control
 * group namespace, unlike that of the host, is no exception, nor is a delegated unit. */
static bool make_room(int dir, struct made *made)
{
	if (mkdirat(dir, "init", 0755) < 0 && errno != EEXIST)
		return false;
	int leaf = open_dir(dir, "init", O_PATH);
	bool moved = leaf >= 0 && move_procs(dir, leaf);
	int error = errno;

	made->room = dir;
	close_dir(leaf);
	errno = error;
	return moved;
}

/* what others got from the controllers meanwhile is not taken from them: DIR has other children */
static bool in_use(int dir, bool has_init)
{
	struct stat status;

	return fstat(dir, &status) < 0 || status.st_nlink > 2U + has_init;
}

static void take_back(const struct hierarchies *all, const char *cg, const struct made *made)
{
	char path[CG_PATH_MAX];

	for (size_t i = 0; i < all->n; i++)
		for (size_t length = strlen(cg); made->from[i] < length;) {
			prefix_of(cg, length, path, sizeof(path));
			/* somebody else may already use what is not the last word */
			if (unlinkat(all->at[i].root, path, AT_REMOVEDIR) < 0 && errno != EBUSY &&
			    errno != ENOENT && errno != ENOTEMPTY)
				warn("take back %s in %s:", path, all->at[i].name);
			while (length > 0 && cg[--length] != '/')
				;
		}
	for (size_t i = made->nenabled; i-- > 0;) {
		int dir = made->enabled[i].dir;

		if (!in_use(dir, dir == made->room) &&
		    !write_file(dir, "cgroup.subtree_control", made->enabled[i].text) &&
		    errno != EBUSY && !gone(errno))
			warn("take back the controllers of a parent of %s:", cg);
	}
	int leaf = made->room >= 0 ? open_dir(made->room, "init", O_PATH) : -1;

	if (leaf >= 0 &&
	    (!move_procs(leaf, made->room) || unlinkat(made->room, "init", AT_REMOVEDIR) < 0))
		warn("take back the move of processes to init:");
	close_dir(leaf);
}

/* write all of ON, "+cpu +memory", or find out which one it is that the kernel refuses */
static bool hand_on(int dir, bool may_make_room, char *on, struct made *made)
{
	char *rest = NULL, copy[96], *end = on;
	bool done = write_file(dir, "cgroup.subtree_control", on);

	if (!done && errno == EBUSY && may_make_room) {
		if (!make_room(dir, made)) {
			*on = '\0';
			return false;
		}
		done = write_file(dir, "cgroup.subtree_control", on);
	}
	if (done)
		return true;
	int error = errno;

	snprintf(copy, sizeof(copy), "%s", on);
	*end = '\0';
	/* it has processes: all are refused for that, and one by one some would make it threaded */
	if (error == EBUSY) {
		snprintf(made->refused, sizeof(made->refused), "%s", copy);
		errno = error;
		return false;
	}
	for (char *word = strtok_r(copy, " ", &rest); word; word = strtok_r(NULL, " ", &rest)) {
		if (!write_file(dir, "cgroup.subtree_control", word)) {
			snprintf(made->refused, sizeof(made->refused), "%s", word);
			return false;
		}
		end += snprintf(end, sizeof(copy) - (size_t)(end - on), "%s%s",
				end == on ? "" : " ", word);
	}
	return true;
}

/* distribute to the children of DIR what it has and our keys need; false and errno if refused.
 * DIR is remembered when something has to be taken back from it. */
static bool enable_controllers(int dir, bool may_make_room, struct made *made)
{
	static const char *const wanted[] = {"cpuset",  "cpu",  "io",   "memory", "pids",
					     "hugetlb", "rdma", "misc", "dmem"};
	char has[1024], passed[1024], on[96] = "";
	size_t used = 0;

	if (!read_file(dir, "cgroup.controllers", has, sizeof(has)) ||
	    !read_file(dir, "cgroup.subtree_control", passed, sizeof(passed)))
		return false;
	for (size_t i = 0; i < LEN(wanted); i++)
		if (has_word(has, wanted[i], ' ') && !has_word(passed, wanted[i], ' '))
			used += (size_t)snprintf(on + used, sizeof(on) - used, "%s+%s",
						 used ? " " : "", wanted[i]);
	if (!used)
		return true;
	bool done = hand_on(dir, may_make_room, on, made);
	int error = errno;

	if (on[0] && made->nenabled < LEN(made->enabled)) {
		for (char *sign = on; (sign = strchr(sign, '+'));)
			*sign = '-';
		made->enabled[made->nenabled].dir = dir;
		snprintf(made->enabled[made->nenabled++].text, sizeof(made->enabled[0].text), "%s",
			 on);
	}
	errno = error;
	return done;
}

/* without cpus and memory nodes nobody can join; without use_hierarchy limits would not add up */
static bool fill_v1(const struct hierarchy *in, const char *path, const char *parent)
{
	static const char *const files[] = {"cpuset.cpus", "cpuset.mems"};
	char text[CG_FILE_MAX], from[CG_PATH_MAX + 32], to[CG_PATH_MAX + 32];

	for (size_t i = 0; has_word(in->name, "cpuset", ',') && i < LEN(files); i++) {
		snprintf(to, sizeof(to), "%s/%s", path, files[i]);
		snprintf(from, sizeof(from), "%s/%s", parent, files[i]);
		if (!read_file(in->root, to, text, sizeof(text)))
			return false;
		if (!text[0] && (!read_file(in->root, from, text, sizeof(text)) ||
				 !write_file(in->root, to, text)))
			return false;
	}
	if (!has_word(in->name, "memory", ','))
		return true;
	snprintf(to, sizeof(to), "%s/memory.use_hierarchy", path);
	if (read_file(in->root, to, text, sizeof(text)))
		return strcmp(text, "0") != 0 || write_file(in->root, to, "1");
	return errno == ENOENT;
}

/* one level of the path: its first LENGTH bytes, below its first UP bytes; what is above its first
 * OURS bytes is not ours to change */
static bool make_level(const struct hierarchies *all, size_t i, const char *cg, size_t up,
		       size_t length, size_t ours, struct made *made)
{
	char path[CG_PATH_MAX], parent[CG_PATH_MAX];
	int root = all->at[i].root;

	prefix_of(cg, length, path, sizeof(path));
	prefix_of(cg, up, parent, sizeof(parent));
	if (all->at[i].version == 2 && up >= ours) {
		int dir = open_dir(root, parent, O_PATH);
		size_t before = made->nenabled;
		bool enabled = dir >= 0 && enable_controllers(dir, up == ours, made);
		int error = errno;

		/* what has to be taken back from it needs it */
		if (dir != made->room && made->nenabled == before)
			close_dir(dir);
		errno = error;
		if (!enabled)
			return false;
	}
	if (mkdirat(root, path, 0755) == 0) {
		if (made->from[i] > up)
			made->from[i] = up;
	} else if (errno != EEXIST || !cg[length]) {
		return false;
	}
	return all->at[i].version == 2 || fill_v1(&all->at[i], path, parent);
}

/* CG in one hierarchy; false and errno if that failed */
static bool create_in(const struct hierarchies *all, size_t i, const char *cg, struct made *made)
{
	size_t ours = all->at[i].version == 2 ? delegated_at(all->at[i].root, cg) : 0;

	for (size_t up = 0, turns = 0; up < strlen(cg);) {
		size_t length = up + (cg[up] == '/');

		length += strcspn(cg + length, "/");
		if (make_level(all, i, cg, up, length, ours, made))
			up = length;
		else if (errno == ENOENT && up > 0 && turns++ < 100)
			/* somebody removed a parent that was empty; make it again */
			up = 0;
		else
			return false;
	}
	return true;
}

static void create(const struct hierarchies *all, const char *cg, struct made *made)
{
	made->nenabled = 0;
	made->refused[0] = '\0';
	made->room = -1;
	for (size_t i = 0; i < HIERARCHIES; i++)
		made->from[i] = CG_PATH_MAX;
	for (size_t i = 0; i < all->n; i++) {
		if (create_in(all, i, cg, made))
			continue;
		int error = errno;

		take_back(all, cg, made);
		errno = error;
		if (made->refused[0])
			die("create %s in %s: a control group above it cannot hand on %s%s:", cg,
			    all->at[i].name, made->refused,
			    error == EBUSY ? " while it has processes of its own" : "");
		die("create %s in %s:", cg, all->at[i].name);
	}
}

#endif
