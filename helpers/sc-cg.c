/* sc-cg: control groups of every version behind one path and one vocabulary
 * usage: sc-cg [--mounts=FILE] create CG [KEY=VALUE...] | set CG KEY=VALUE... |
 *              check KEY=VALUE... | get CG KEY... [-- CG KEY...]... | keys [CG] |
 *              exec CG PROG [ARG...] | freeze CG | thaw CG | kill CG | procs CG |
 *              stat CG... | rm [-p] CG
 * exit: 0; 125 own failure; exec: 126 PROG cannot be executed, 127 not found, else PROG's own.
 *
 * Rests on cgroups(7), cgroup_namespaces(7), cpuset(7), bpf(2), the kernel's
 * admin-guide/cgroup-v1/ and cgroup-v2.rst, and the OCI runtime specification. See sc-cg(8).
 * cg-hierarchy.h finds the mounts, cg-create.h makes, cg-names.h is the table of keys, cg-words.h
 * parses, cg-translate.h and cg-plan.h set, cg-get.h and cg-stat.h read, cg-processes.h freezes,
 * kills and removes, cg-devices.h is the device filter. */
#include <getopt.h>

#include "cg-create.h"
#include "cg-get.h"
#include "cg-stat.h"

static const char usage[] =
    "usage: sc-cg [--mounts=FILE] create CG [KEY=VALUE...] | set CG KEY=VALUE... | "
    "check KEY=VALUE... | get CG KEY... [-- CG KEY...]... | keys [CG] | exec CG PROG [ARG...] | "
    "freeze CG | thaw CG | kill CG | procs CG | stat CG... | rm [-p] CG";

static void parse_settings(struct settings *settings, char **words)
{
	memset(settings, 0, sizeof(*settings));
	while (*words)
		parse_setting(settings, *words++);
}

/* CG NULL: only validate */
static void set(const struct hierarchies *all, const char *cg, struct settings *settings)
{
	struct plan plan; /* large, and only as much of it touched as there is to do */
	int devices = -1, version = 0;

	plan.all = all;
	plan.cg = cg;
	plan.nputs = plan.nchecks = 0;
	if (settings->devices.n)
		version = must_host(&plan, settings->devices_key, DEVICES, &devices);
	plan_all(&plan, settings);
	if (!cg)
		return;
	write_plan(&plan);
	verify_plan(&plan);
	if (version == 1)
		set_devices_v1(devices, &settings->devices);
	else if (version == 2)
		set_devices_v2(devices, &settings->devices);
	/* last, because it waits */
	if (settings->at[FREEZE].key && settings->at[FREEZE].value)
		freeze(all, cg);
	else if (settings->at[FREEZE].key)
		thaw(all, cg);
}

/* what an exit takes back while it is set: exit(3) passes nothing on */
static struct unfinished {
	const struct hierarchies *all;
	const char *cg;
	struct made made;
} unfinished;

static void take_back_unfinished(void)
{
	if (unfinished.cg)
		take_back(unfinished.all, unfinished.cg, &unfinished.made);
}

/* whole, with its values, or not at all */
static void create_with(const struct hierarchies *all, const char *cg, char **words)
{
	struct settings settings;

	parse_settings(&settings, words);
	if (atexit(take_back_unfinished) != 0)
		die("atexit:");
	create(all, cg, &unfinished.made);
	if (!*words)
		return;
	unfinished.all = all;
	unfinished.cg = cg;
	set(all, cg, &settings);
	unfinished.cg = NULL;
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
	for (size_t i = 0; i < all->n; i++)
		if (in_hierarchy(&all->at[i], cg))
			return true;
	return false;
}

static int stat_all(const struct hierarchies *all, int n, char **cgs)
{
	int status = 0;

	for (int i = 0; i < n; i++) {
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

/* CG KEY... [-- CG KEY...]...: each block, whatever becomes of the others */
static int get_all(const struct hierarchies *all, int n, char **words)
{
	bool several = false;
	int status = 0;

	for (int i = 0; i < n; i++)
		several = several || strcmp(words[i], "--") == 0;
	for (int i = 0; i < n; i++) {
		const char *cg = words[i++];
		bool there = exists(all, cg);

		if (!there)
			warn("get %s: no such control group", cg);
		else if (several)
			printf("cgroup %s\n", cg);
		for (; i < n && strcmp(words[i], "--") != 0; i++)
			if (there && !get(all, cg, words[i]))
				status = EXIT_HELPER;
		if (!there)
			status = EXIT_HELPER;
	}
	return status;
}

/* all paths and the shape of the whole line, before anything is printed */
static void check_blocks(int n, char **words)
{
	for (int i = 0; i < n; i++) {
		check_path(words[i]);
		if (++i == n || strcmp(words[i], "--") == 0)
			die("get %s: no key; %s", words[i - 1], usage);
		while (i < n && strcmp(words[i], "--") != 0)
			i++;
		if (i == n - 1)
			die("get: nothing behind the last --; %s", usage);
	}
}

static int run(const char *mounts, int v2_fd, const char *verb, int argc, char **argv)
{
	enum verb {
		CREATE,
		SET_KEYS,
		CHECK,
		GET,
		KEYS,
		EXEC,
		FREEZE_ALL,
		THAW,
		KILL,
		PROCS,
		STAT,
		RM
	};
	/* how many words a verb takes; max 0: any number */
	static const struct {
		const char *name;
		int min, max;
	} verbs[] = {
	    [CREATE] = {"create", 1, 0},     [SET_KEYS] = {"set", 2, 0}, [CHECK] = {"check", 1, 0},
	    [GET] = {"get", 2, 0},           [KEYS] = {"keys", 0, 1},    [EXEC] = {"exec", 2, 0},
	    [FREEZE_ALL] = {"freeze", 1, 1}, [THAW] = {"thaw", 1, 1},    [KILL] = {"kill", 1, 1},
	    [PROCS] = {"procs", 1, 1},       [STAT] = {"stat", 1, 0},    [RM] = {"rm", 1, 1}};
	struct hierarchies all;
	struct settings settings;
	bool parents = false;
	size_t i = 0;

	while (i < LEN(verbs) && strcmp(verbs[i].name, verb) != 0)
		i++;
	if (i == LEN(verbs))
		die("no verb '%s'; %s", verb, usage);
	if (i == RM && argc > 0 && strcmp(argv[0], "-p") == 0) {
		parents = true;
		argc--;
		argv++;
	}
	if (argc < verbs[i].min || (verbs[i].max && argc > verbs[i].max))
		die("%s", usage);
	bool dashes = i == EXEC && strcmp(argv[1], "--") == 0;

	if (dashes && argc < 3)
		die("%s", usage);
	const char *cg = argc > 0 && i != CHECK ? argv[0] : NULL;

	if (i == GET)
		check_blocks(argc, argv);
	for (int n = 0; i == STAT && n < argc; n++)
		check_path(argv[n]);
	if (cg)
		check_path(cg);
	find_hierarchies(mounts, &all);
	switch ((enum verb)i) {
	case CREATE:
		create_with(&all, cg, argv + 1);
		break;
	case SET_KEYS:
	case CHECK:
		parse_settings(&settings, argv + (cg ? 1 : 0));
		set(&all, cg, &settings);
		break;
	case GET:
		return get_all(&all, argc, argv);
	case KEYS:
		if (cg && !exists(&all, cg))
			die("keys %s: no such control group", cg);
		print_keys(&all, cg);
		break;
	case EXEC:
		join_and_run(&all, cg, v2_fd, argv + (dashes ? 2 : 1));
	case FREEZE_ALL:
		freeze(&all, cg);
		break;
	case THAW:
		thaw(&all, cg);
		break;
	case PROCS:
		print_procs(&all, cg);
		break;
	case STAT:
		return stat_all(&all, argc, argv);
	case KILL:
	case RM:
		allow_descriptors();
		kill_all(&all, cg);
		if (i == RM)
			remove_all(&all, cg, parents);
		break;
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
