/* cg-processes.h: what happens to all processes of a control group: freeze, thaw, kill, and
 * the removal of the empty directories.
 *
 * Between reading a pid and using it the process may die and the number may be given to
 * another. So a pidfd (pidfd_open(2)) is opened for each pid, and only those pids are
 * signalled that a second reading still lists: the descriptor then is of that process. */
#ifndef CG_PROCESSES_H
#define CG_PROCESSES_H

#include <signal.h>
#include <sys/resource.h>
#include <sys/syscall.h>

#include "cg-hierarchy.h"

struct pids {
	size_t n, room;
	pid_t *at;
};

/* a container may nest its control groups deeply, and a walk holds a descriptor for each level */
static void allow_descriptors(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) < 0)
		die("getrlimit RLIMIT_NOFILE:");
	limit.rlim_cur = limit.rlim_max;
	if (setrlimit(RLIMIT_NOFILE, &limit) < 0)
		die("setrlimit RLIMIT_NOFILE:");
}

static bool gone(int error)
{
	return error == ENOENT || error == ENODEV || error == ESRCH;
}

/* call VISIT for DIR and everything below it, the deepest first; both may vanish meanwhile */
static void walk(int dir, void (*visit)(int parent, const char *name, void *data), void *data)
{
	int copy = open_dir(dir, ".", O_RDONLY);
	DIR *list = copy < 0 ? NULL : fdopendir(copy);

	if (!list) {
		if (!gone(errno))
			die("open a control group directory:");
		close_dir(copy);
		return;
	}
	for (struct dirent *entry; (entry = readdir(list));) {
		if (entry->d_type != DT_DIR || strcmp(entry->d_name, ".") == 0 ||
		    strcmp(entry->d_name, "..") == 0)
			continue;
		int child = open_dir(dir, entry->d_name, O_PATH);

		if (child < 0) {
			if (!gone(errno))
				die("open control group %s:", entry->d_name);
			continue;
		}
		walk(child, visit, data);
		close_dir(child);
		visit(dir, entry->d_name, data);
	}
	if (closedir(list) < 0)
		die("close a control group directory:");
}

static void add_pid(struct pids *pids, pid_t pid)
{
	if (pids->n == pids->room) {
		pids->room = pids->room ? pids->room * 2 : 64;
		pids->at = reallocarray(pids->at, pids->room, sizeof(*pids->at));
		if (!pids->at)
			die("out of memory for a list of processes");
	}
	pids->at[pids->n++] = pid;
}

static void read_procs(int parent, const char *name, void *data)
{
	char path[NAME_MAX + 32];
	char *line = NULL;
	size_t size = 0;

	snprintf(path, sizeof(path), "%s/cgroup.procs", name);
	int fd = openat(parent, path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	FILE *file = fd < 0 ? NULL : fdopen(fd, "r");

	if (!file) {
		if (!gone(errno))
			die("open %s:", path);
		return;
	}
	while (getline(&line, &size, file) > 0) {
		line[strcspn(line, "\n")] = '\0';
		add_pid(data, (pid_t)number("cgroup.procs", line, 0, INT_MAX));
	}
	/* a threaded control group has no list of processes; those are in the one above */
	if (ferror(file) && errno == EOPNOTSUPP && strcmp(name, ".") == 0)
		die("this control group holds threads of processes that are in one above it "
		    "(cgroup.type is threaded); name that one");
	if (ferror(file) && !gone(errno) && errno != EOPNOTSUPP)
		die("read %s:", path);
	free(line);
	if (fclose(file) != 0)
		die("close %s:", path);
}

static int compare_pids(const void *one, const void *other)
{
	pid_t a = *(const pid_t *)one, b = *(const pid_t *)other;

	return (a > b) - (a < b);
}

/* every process of DIR and below, sorted */
static struct pids list_pids(int dir)
{
	struct pids pids = {0};

	walk(dir, read_procs, &pids);
	read_procs(dir, ".", &pids);
	if (pids.n)
		qsort(pids.at, pids.n, sizeof(*pids.at), compare_pids);
	return pids;
}

static bool has_pid(const struct pids *pids, pid_t pid)
{
	return pids->n && bsearch(&pid, pids->at, pids->n, sizeof(pid), compare_pids);
}

static void refuse_own(const struct pids *pids, const char *verb, const char *cg)
{
	if (has_pid(pids, getpid()))
		die("%s %s: this very process is in that control group; call from outside", verb,
		    cg);
}

static void kill_pids(int dir, const struct pids *pids)
{
	int fds[128];

	for (size_t from = 0; from < pids->n; from += LEN(fds)) {
		size_t n = 0;

		for (; n < LEN(fds) && from + n < pids->n; n++) {
			pid_t pid = pids->at[from + n];

			/* 0 stands for a process that our pid namespace does not show */
			fds[n] = pid > 0 ? (int)syscall(SYS_pidfd_open, pid, 0) : -1;
			if (fds[n] < 0 && pid > 0 && errno != ESRCH && errno != EINVAL)
				die("pidfd_open %d:", pid);
		}
		struct pids still = list_pids(dir);

		for (size_t i = 0; i < n; i++) {
			if (fds[i] < 0)
				continue;
			if (has_pid(&still, pids->at[from + i]) &&
			    syscall(SYS_pidfd_send_signal, fds[i], SIGKILL, NULL, 0) < 0 &&
			    errno != ESRCH)
				die("kill process %d:", pids->at[from + i]);
			close_dir(fds[i]);
		}
		free(still.at);
	}
}

/* write TEXT to FILE of NAME unless it has it already; DATA is a pair FILE, TEXT */
static void write_everywhere(int parent, const char *name, void *data)
{
	const char *const *pair = data;
	char path[NAME_MAX + 64], now[64];

	snprintf(path, sizeof(path), "%s/%s", name, pair[0]);
	if (!read_file(parent, path, now, sizeof(now)) || strcmp(now, pair[1]) == 0)
		return;
	if (!write_file(parent, path, pair[1]) && !gone(errno))
		die("write %s to %s:", pair[1], path);
}

static void thaw_v1(int dir)
{
	const char *pair[2] = {"freezer.state", "THAWED"};

	/* the top first: what is below a frozen one stays frozen */
	write_everywhere(dir, ".", pair);
	walk(dir, write_everywhere, pair);
}

/* the directory of CG in the hierarchy that has FILE, -1 if there is none */
static int open_with(const struct hierarchies *all, const char *cg, int version, const char *file)
{
	for (size_t i = 0; i < all->n; i++) {
		if (all->at[i].version != version)
			continue;
		int dir = open_cg(&all->at[i], cg);

		if (dir >= 0 && has_file(dir, file))
			return dir;
		close_dir(dir);
	}
	return -1;
}

/* version 2 first: what version 1 froze cannot be killed */
static void freeze(const struct hierarchies *all, const char *cg)
{
	unsigned long long deadline = now_ms() + CG_WAIT_MS;
	unsigned int turn = 0;
	char text[1024];
	int version = 2, dir = open_with(all, cg, 2, "cgroup.freeze");

	if (dir < 0) {
		version = 1;
		dir = open_with(all, cg, 1, "freezer.state");
	}
	if (dir < 0)
		die("freeze %s: no such control group, or neither cgroup.freeze nor freezer.state "
		    "in it",
		    cg);
	struct pids pids = list_pids(dir);

	refuse_own(&pids, "freeze", cg);
	free(pids.at);
	const char *file = version == 2 ? "cgroup.freeze" : "freezer.state";

	do {
		/* again on every turn: a version 1 freezer that meets a fork has to be asked again
		 */
		if (!write_file(dir, file, version == 2 ? "1" : "FROZEN"))
			die("freeze %s: write %s:", cg, file);
		if (!read_file(dir, version == 2 ? "cgroup.events" : file, text, sizeof(text)))
			die("freeze %s: read the state:", cg);
		if (version == 2 ? has_word(text, "frozen 1", '\n') : strcmp(text, "FROZEN") == 0) {
			close_dir(dir);
			return;
		}
	} while (wait_a_bit(deadline, &turn));
	if (!write_file(dir, file, version == 2 ? "0" : "THAWED"))
		warn("thaw %s again:", cg);
	die("freeze %s: not all processes stopped within %d s (one may be in an uninterruptible "
	    "wait); thawed it again",
	    cg, CG_WAIT_MS / 1000);
}

static void thaw(const struct hierarchies *all, const char *cg)
{
	int v2 = open_with(all, cg, 2, "cgroup.freeze"),
	    v1 = open_with(all, cg, 1, "freezer.state");

	if (v1 < 0 && v2 < 0)
		die("thaw %s: no such control group, or neither cgroup.freeze nor freezer.state in "
		    "it",
		    cg);
	if (v2 >= 0 && !write_file(v2, "cgroup.freeze", "0"))
		die("thaw %s: write cgroup.freeze:", cg);
	if (v1 >= 0 && !write_file(v1, "freezer.state", "THAWED"))
		die("thaw %s: write freezer.state:", cg);
	close_dir(v2);
	close_dir(v1);
}

/* the letter of proc_pid_stat(5) for what PID is doing, ? where that cannot be seen */
static char state_of(pid_t pid)
{
	char path[32], text[512];

	snprintf(path, sizeof(path), "/proc/%d/stat", pid);
	const char *behind =
	    read_file(AT_FDCWD, path, text, sizeof(text)) ? strrchr(text, ')') : NULL;

	return behind && behind[1] ? behind[2] : '?';
}

static _Noreturn void name_survivors(const char *cg, int freezer, const struct pids *pids)
{
	char text[256] = "", above[16];
	bool frozen = freezer >= 0 &&
		      read_file(freezer, "freezer.parent_freezing", above, sizeof(above)) &&
		      strcmp(above, "1") == 0;

	for (size_t i = 0; i < pids->n && strlen(text) < sizeof(text) - 24; i++)
		snprintf(text + strlen(text), sizeof(text) - strlen(text), " %d(%c)", pids->at[i],
			 state_of(pids->at[i]));
	die("kill %s: after %d s these processes are still there (D: waits inside the kernel; 0: "
	    "of another pid namespace)%s:%s",
	    cg, CG_WAIT_MS / 1000,
	    frozen ? "; a control group above this one is frozen, thaw that" : "", text);
}

/* one attempt in one hierarchy; true if there was nobody */
static bool kill_once(const struct hierarchy *in, int dir, int freezer, const char *cg,
		      struct pids *pids)
{
	const char *const frozen = "FROZEN";

	*pids = list_pids(dir);
	if (pids->n == 0)
		return true;
	refuse_own(pids, "kill", cg);
	if (in->version == 2 && write_file(dir, "cgroup.kill", "1"))
		return false;
	if (in->version == 2 && errno != ENOENT && errno != EOPNOTSUPP && !gone(errno))
		die("kill %s: write cgroup.kill:", cg);
	/* so that nobody forks between the reading of the list and the signals */
	if (freezer >= 0 && !write_file(freezer, "freezer.state", frozen) && !gone(errno))
		die("kill %s: freeze:", cg);
	free(pids->at);
	*pids = list_pids(dir);
	kill_pids(dir, pids);
	return false;
}

static void kill_all(const struct hierarchies *all, const char *cg)
{
	unsigned long long deadline = now_ms() + CG_WAIT_MS;
	int freezer = open_with(all, cg, 1, "freezer.state");
	unsigned int turn = 0;
	bool empty;

	do {
		struct pids left = {0};

		empty = true;
		/* from the end: version 2, mounted last on hybrid hosts, kills best */
		for (size_t i = all->n; i-- > 0;) {
			int dir = open_cg(&all->at[i], cg);
			struct pids pids = {0};

			if (dir >= 0 && !kill_once(&all->at[i], dir, freezer, cg, &pids)) {
				empty = false;
				for (size_t p = 0; p < pids.n; p++)
					add_pid(&left, pids.at[p]);
			}
			free(pids.at);
			close_dir(dir);
			/* a signal waits until its process is thawed */
			if (!empty && freezer >= 0)
				thaw_v1(freezer);
			/* those who are dying now are in the other hierarchies too */
			if (!empty)
				break;
		}
		if (!empty && !wait_a_bit(deadline, &turn))
			name_survivors(cg, freezer, &left);
		free(left.at);
	} while (!empty);
	close_dir(freezer);
}

static void remove_below(int parent, const char *name, void *data)
{
	bool *busy = data;

	if (unlinkat(parent, name, AT_REMOVEDIR) < 0 && !gone(errno)) {
		if (errno != EBUSY && errno != ENOTEMPTY)
			die("remove control group %s:", name);
		*busy = true;
	}
}

/* CG and all below it in one hierarchy; false if something was busy */
static bool remove_once(const struct hierarchy *in, const char *cg)
{
	int dir = open_cg(in, cg);
	bool busy = false;

	if (dir < 0)
		return true;
	/* most have no children, and for those one call is enough */
	if (unlinkat(in->root, cg, AT_REMOVEDIR) < 0) {
		walk(dir, remove_below, &busy);
		remove_below(in->root, cg, &busy);
	}
	close_dir(dir);
	return !busy;
}

static void remove_all(const struct hierarchies *all, const char *cg, bool parents)
{
	unsigned long long deadline = now_ms() + CG_WAIT_MS;
	char path[CG_PATH_MAX];

	for (size_t i = 0; i < all->n; i++) {
		unsigned int turn = 0;
		char *slash;

		while (!remove_once(&all->at[i], cg)) {
			/* somebody may have joined since the last kill */
			kill_all(all, cg);
			if (!wait_a_bit(deadline, &turn))
				die("remove %s from %s: still busy after %d s", cg, all->at[i].name,
				    CG_WAIT_MS / 1000);
		}
		snprintf(path, sizeof(path), "%s", cg);
		while (parents && (slash = strrchr(path, '/'))) {
			*slash = '\0';
			if (unlinkat(all->at[i].root, path, AT_REMOVEDIR) < 0 && !gone(errno))
				break;
		}
	}
}

#endif
