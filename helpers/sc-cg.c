/* sc-cg: control groups of every version behind one path and one vocabulary
 * usage: sc-cg [--mounts=FILE] create CG | set CG KEY=VALUE... | check KEY=VALUE... |
 *              get CG KEY... | exec CG PROG [ARG...] | freeze CG | thaw CG | kill CG |
 *              stat CG... | rm [-p] CG
 * exit: 0; 125 own failure; exec: 126 PROG cannot be executed, 127 not found, else PROG's own.
 *
 * Rests on cgroups(7), cgroup_namespaces(7), cpuset(7), bpf(2), the kernel's
 * admin-guide/cgroup-v1/ and cgroup-v2.rst, and the OCI runtime specification. See sc-cg(8).
 * cg-hierarchy.h finds the mounts, cg-words.h knows the keys, cg-translate.h sets, cg-report.h
 * reads, cg-processes.h freezes, kills and removes, cg-devices.h is the device filter. */
#include <getopt.h>

#include "cg-report.h"

#define LEVELS (CG_PATH_MAX / 2)

static const char usage[] =
    "usage: sc-cg [--mounts=FILE] create CG | set CG KEY=VALUE... | check KEY=VALUE... | get CG "
    "KEY... | "
    "exec CG PROG [ARG...] | freeze CG | thaw CG | kill CG | stat CG... | rm [-p] CG";

/* what create did, so that it can be taken back */
struct made {
	size_t from[HIERARCHIES]; /* how many bytes of the path had been there, CG_PATH_MAX: all */
	bool init;                /* processes were moved to the leaf init */
	size_t nenabled;
	struct {
		size_t hierarchy,
		    prefix;    /* the control group is the first PREFIX bytes of the path */
		char text[96]; /* "-cpu -memory" */
	} enabled[LEVELS];
};

static void prefix_of(const char *cg, size_t length, char *path, size_t size)
{
	snprintf(path, size, "%.*s", (int)length, length ? cg : ".");
	if (length == 0)
		snprintf(path, size, ".");
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
			if (!write_file(to, "cgroup.procs", text) && errno != ESRCH) {
				free(pids.at);
				return false;
			}
		}
	}
	bool moved = pids.n == 0;

	free(pids.at);
	return moved;
}

/* Processes may sit only in the leaves once controllers are distributed; the root of our control
 * group namespace, unlike that of the host, is no exception. */
static bool make_room(int root, struct made *made)
{
	if (mkdirat(root, "init", 0755) < 0 && errno != EEXIST)
		return false;
	int leaf = open_dir(root, "init", O_PATH);
	bool moved = leaf >= 0 && move_procs(root, leaf);

	made->init = true;
	close_dir(leaf);
	return moved;
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
		int root = all->at[made->enabled[i].hierarchy].root;

		prefix_of(cg, made->enabled[i].prefix, path, sizeof(path));
		int dir = open_dir(root, path, O_PATH);

		if (dir >= 0 && !write_file(dir, "cgroup.subtree_control", made->enabled[i].text) &&
		    errno != EBUSY)
			warn("take back the controllers of %s:", path);
		close_dir(dir);
		int leaf = made->init && made->enabled[i].prefix == 0
			       ? open_dir(root, "init", O_PATH)
			       : -1;

		if (leaf >= 0 &&
		    (!move_procs(leaf, root) || unlinkat(root, "init", AT_REMOVEDIR) < 0))
			warn("take back the move of processes to init:");
		close_dir(leaf);
	}
}

/* distribute to the children of DIR what it has and our keys need; false and errno if refused */
static bool enable_controllers(int dir, size_t hierarchy, size_t prefix, struct made *made)
{
	static const char *const wanted[] = {"cpuset", "cpu", "io", "memory", "pids", "hugetlb"};
	char has[1024], passed[1024], on[96] = "";
	size_t used = 0;

	if (!read_file(dir, "cgroup.controllers", has, sizeof(has)) ||
	    !read_file(dir, "cgroup.subtree_control", passed, sizeof(passed)))
		return false;
	for (size_t i = 0; i < LEN(wanted); i++)
		if (has_word(has, wanted[i], ' ') && !has_word(passed, wanted[i], ' '))
			used += (size_t)snprintf(on + used, sizeof(on) - used, " +%s", wanted[i]);
	if (!used)
		return true;
	bool done = write_file(dir, "cgroup.subtree_control", on + 1);

	if (!done && errno == EBUSY && prefix == 0)
		done = make_room(dir, made) && write_file(dir, "cgroup.subtree_control", on + 1);
	if (!done || made->nenabled == LEN(made->enabled))
		return done;
	for (char *sign = on; (sign = strchr(sign, '+'));)
		*sign = '-';
	made->enabled[made->nenabled].hierarchy = hierarchy;
	made->enabled[made->nenabled].prefix = prefix;
	snprintf(made->enabled[made->nenabled++].text, sizeof(made->enabled[0].text), "%s", on + 1);
	return true;
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

/* one level of the path: its first LENGTH bytes, below its first UP bytes */
static bool make_level(const struct hierarchies *all, size_t i, const char *cg, size_t up,
		       size_t length, struct made *made)
{
	char path[CG_PATH_MAX], parent[CG_PATH_MAX];
	int root = all->at[i].root;

	prefix_of(cg, length, path, sizeof(path));
	prefix_of(cg, up, parent, sizeof(parent));
	if (all->at[i].version == 2) {
		int dir = open_dir(root, parent, O_PATH);
		bool enabled = dir >= 0 && enable_controllers(dir, i, up, made);
		int error = errno;

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

static void create(const struct hierarchies *all, const char *cg)
{
	struct made made = {0};

	for (size_t i = 0; i < HIERARCHIES; i++)
		made.from[i] = CG_PATH_MAX;
	for (size_t i = 0; i < all->n; i++)
		for (size_t up = 0, turns = 0; up < strlen(cg);) {
			size_t length = up + (cg[up] == '/');

			length += strcspn(cg + length, "/");
			if (make_level(all, i, cg, up, length, &made)) {
				up = length;
			} else if (errno == ENOENT && up > 0 && turns++ < 100) {
				/* somebody removed a parent that was empty; make it again */
				up = 0;
			} else {
				int error = errno;

				take_back(all, cg, &made);
				errno = error;
				die("create %s in %s:", cg, all->at[i].name);
			}
		}
}

static void set(const struct hierarchies *all, const char *cg, char **words)
{
	struct settings settings = {0};
	struct plan plan = {.all = all, .cg = cg};
	int devices = -1, version = 0;

	while (*words)
		parse_setting(&settings, *words++);
	if (settings.devices.n)
		version = host_of(all, cg, "devices", "devices", &devices);
	plan_all(&plan, &settings);
	if (!cg)
		return;
	write_plan(&plan);
	verify_plan(&plan);
	if (version == 1)
		set_devices_v1(devices, &settings.devices);
	else if (version == 2)
		set_devices_v2(devices, &settings.devices);
	/* last, because it waits */
	if (settings.at[FREEZE].key && settings.at[FREEZE].value)
		freeze(all, cg);
	else if (settings.at[FREEZE].key)
		thaw(all, cg);
}

static bool join_v2(int dir)
{
	if (write_file(dir, "cgroup.procs", "0"))
		return true;
	/* it has distributed its controllers, so only a leaf takes processes */
	if (errno != EBUSY || (mkdirat(dir, "sc-exec", 0755) < 0 && errno != EEXIST))
		return false;
	return write_file(dir, "sc-exec/cgroup.procs", "0");
}

/* PROG's child can be born in a v2 cgroup (CLONE_INTO_CGROUP) at no cost; moving ourselves there
 * waits for an RCU grace period */
static bool hand_over_v2(int dir, int fd)
{
	return dir == fd ? fcntl(dir, F_SETFD, 0) == 0 : dup2(dir, fd) == fd;
}

static _Noreturn void join_and_run(const struct hierarchies *all, const char *cg, int v2_fd,
				   char **argv)
{
	bool joined = false;

	for (size_t i = 0; i < all->n; i++) {
		int dir = open_cg(&all->at[i], cg);

		if (dir < 0)
			continue;
		/* "tasks" moves a thread, and we have only one; unlike cgroup.procs it does not
		 * wait for an RCU grace period, which takes 5 to 20 ms */
		bool done;

		if (all->at[i].version == 1)
			done = write_file(dir, "tasks", "0");
		else if (v2_fd >= 0)
			done = hand_over_v2(dir, v2_fd);
		else
			done = join_v2(dir);
		if (!done)
			die("join %s in %s:", cg, all->at[i].name);
		if (dir != v2_fd)
			close_dir(dir);
		joined = true;
	}
	if (!joined)
		die("exec %s: no such control group", cg);
	chain(argv);
}

static bool exists(const struct hierarchies *all, const char *cg)
{
	for (size_t i = 0; i < all->n; i++) {
		int dir = open_cg(&all->at[i], cg);

		close_dir(dir);
		if (dir >= 0)
			return true;
	}
	return false;
}

static int stat_all(const struct hierarchies *all, int n, char **cgs)
{
	int status = 0;

	for (int i = 0; i < n; i++) {
		check_path(cgs[i]);
		if (!exists(all, cgs[i])) {
			warn("stat %s: no such control group", cgs[i]);
			status = EXIT_HELPER;
			continue;
		}
		if (n > 1)
			printf("cgroup %s\n", cgs[i]);
		stat_cg(all, cgs[i]);
	}
	return status;
}

static int run(const char *mounts, int v2_fd, const char *verb, int argc, char **argv)
{
	/* how many words a verb takes, the last one being a limit only if it is not 0 */
	static const struct {
		const char *name;
		int min, max;
	} verbs[] = {{"create", 1, 1}, {"set", 2, 0},    {"check", 1, 0}, {"get", 2, 0},
		     {"exec", 2, 0},   {"freeze", 1, 1}, {"thaw", 1, 1},  {"kill", 1, 1},
		     {"stat", 1, 0},   {"rm", 1, 2}};
	struct hierarchies all;
	bool parents = false;
	size_t i = 0;

	while (i < LEN(verbs) && strcmp(verbs[i].name, verb) != 0)
		i++;
	if (i == LEN(verbs))
		die("no verb '%s'; %s", verb, usage);
	if (verb[0] == 'r' && argc > 0 && strcmp(argv[0], "-p") == 0) {
		parents = true;
		argc--;
		argv++;
	}
	if (argc < verbs[i].min || (verbs[i].max && argc > (verb[0] == 'r' ? 1 : verbs[i].max)))
		die("%s", usage);
	bool dashes = strcmp(verb, "exec") == 0 && strcmp(argv[1], "--") == 0;

	if (dashes && argc < 3)
		die("%s", usage);
	const char *cg = argv[0];

	find_hierarchies(mounts, &all);
	if (verb[0] == 'c' && verb[1] == 'h') {
		set(&all, NULL, argv);
		return 0;
	}
	check_path(cg);
	if (strcmp(verb, "create") == 0)
		create(&all, cg);
	else if (strcmp(verb, "set") == 0)
		set(&all, cg, argv + 1);
	else if (strcmp(verb, "get") == 0)
		for (int word = 1; word < argc; word++)
			get(&all, cg, argv[word]);
	else if (strcmp(verb, "exec") == 0)
		join_and_run(&all, cg, v2_fd, argv + (dashes ? 2 : 1));
	else if (strcmp(verb, "freeze") == 0)
		freeze(&all, cg);
	else if (strcmp(verb, "thaw") == 0)
		thaw(&all, cg);
	else if (strcmp(verb, "stat") == 0)
		return stat_all(&all, argc, argv);
	else {
		allow_descriptors();
		kill_all(&all, cg);
		if (verb[0] == 'r')
			remove_all(&all, cg, parents);
	}
	return 0;
}

int main(int argc, char **argv)
{
	static const struct option options[] = {
	    {"mounts", required_argument, NULL, 'm'}, {"v2-fd", required_argument, NULL, 'f'}, {0}};
	const char *mounts = "/proc/self/mountinfo";
	int c, v2_fd = -1;

	prog = "sc-cg";
	opterr = 0;
	while ((c = getopt_long(argc, argv, "+", options, NULL)) != -1) {
		if (c == 'm')
			mounts = optarg;
		else if (c == 'f')
			v2_fd = (int)number("--v2-fd", optarg, 3, 1023);
		else
			die("%s", usage);
	}
	if (optind == argc)
		die("%s", usage);
	int status = run(mounts, v2_fd, argv[optind], argc - optind - 1, argv + optind + 1);

	if (fflush(stdout) != 0)
		die("write to standard output:");
	return status;
}
