/* sc-nsexec: join namespaces, then become another program.
 *
 * usage: sc-nsexec [--TYPE=FILE]... [identity] [--] PROG [ARG...]
 *        sc-nsexec --target=PID [--start-time=N] [--except=TYPE,...] [identity] [--] PROG [ARG...]
 *   TYPE      user cgroup ipc uts net pid mnt time
 *   identity  --as=USER[:GROUP] --caps=LIST --no-new-privs --seccomp=FILE --env-file=FILE
 *             --cwd=DIR --rlimit=NAME=SOFT:HARD --oom-score-adj=N --args=FILE
 *             --console-fd=N --cgroup-fd=N --detach
 *
 * Status: 125 own failure, 126/127 PROG not executable/not found, else PROG's, 128+n.
 * Rests on setns(2), pidfd_open(2), ioctl_ns(2), namespaces(7), user_namespaces(7),
 * openat2(2), keyctl(2), prctl(2), close_range(2), proc(5). See sc-nsexec(8). */
#include <fcntl.h>
#include <getopt.h>
#include <grp.h>
#include <limits.h>
#include <linux/keyctl.h>
#include <linux/nsfs.h>
#include <sched.h>

#include "capabilities.h"
#include "console.h"
#include "nsexec-wait.h"
#include "nsexec-words.h"
#include "passwd.h"
#include "process-limits.h"
#include "sc.h"
#include "seal.h"
#include "seccomp.h"
#include "signals.h"
#include "standard-descriptors.h"
#include "start-time.h"
#include "system-calls.h"

/* in linux/magic.h of newer kernels only */
#define NSFS_TYPE 0x6e736673
#define RLIMITS   32

enum type { USER, CGROUP, IPC, UTS, NET, PID, MNT, TIME, TYPES };

/* in the order of joining, but for user */
static const struct {
	const char *name;
	int flag;
} types[TYPES] = {
    [USER] = {"user", CLONE_NEWUSER}, [CGROUP] = {"cgroup", CLONE_NEWCGROUP},
    [IPC] = {"ipc", CLONE_NEWIPC},    [UTS] = {"uts", CLONE_NEWUTS},
    [NET] = {"net", CLONE_NEWNET},    [PID] = {"pid", CLONE_NEWPID},
    [MNT] = {"mnt", CLONE_NEWNS},     [TIME] = {"time", CLONE_NEWTIME},
};

enum option_id {
	TARGET = TYPES,
	START,
	EXCEPT,
	AS,
	CAPS,
	NNP,
	SECCOMP,
	ENV,
	CWD,
	RLIMIT,
	OOM,
	ARGS,
	CONSOLE,
	DETACH,
	CGROUP_FD
};

/* what the command line asks for */
struct request {
	const char *file[TYPES];
	pid_t target;
	unsigned long long start_time;
	int check_start, except; /* except: CLONE_NEW flags */
	const char *as, *caps, *seccomp, *cwd, *oom_score, *args;
	const char *env[ENV_FILES], *rlimits[RLIMITS];
	size_t nenv, nrlimits;
	int no_new_privs, console_fd, cgroup_fd, detach;
	int fresh; /* an identity option or --target: session, keyring, signals, descriptors */
};

/* everything of the host that is needed, read before the first namespace is joined */
struct prepared {
	int ns[TYPES], pidfd; /* -1: none */
	int flags;            /* CLONE_NEW* to join */
	struct sock_fprog filter;
	unsigned long long caps;
	char **environment, **args;
	struct identity who;
	int known;         /* who: from the root of the target; else it is looked up late */
	uid_t uid_outside; /* (uid_t)-1: not known */
};

static int except_flags(const char *list)
{
	int flags = 0;

	for (;;) {
		size_t length = strcspn(list, ","), n = 0;

		while (n < TYPES && (strlen(types[n].name) != length ||
				     strncmp(types[n].name, list, length) != 0))
			n++;
		if (n == TYPES)
			die("--except: '%.*s' is no namespace type", (int)length, list);
		flags |= types[n].flag;
		if (!list[length])
			return flags;
		list += length + 1;
	}
}

static _Noreturn void usage(void)
{
	die("usage: sc-nsexec [--TYPE=FILE]... | --target=PID [--start-time=N] [--except=TYPE,...]"
	    " [--as=USER[:GROUP]] [--caps=LIST] [--no-new-privs] [--seccomp=FILE] [--env-file=FILE]"
	    " [--cwd=DIR] [--rlimit=NAME=SOFT:HARD] [--oom-score-adj=N] [--args=FILE]"
	    " [--console-fd=N] [--cgroup-fd=N] [--detach] [--] PROG [ARG...]");
}

static struct request options(int argc, char **argv)
{
	struct request want = {.console_fd = -1, .cgroup_fd = -1};
	struct option table[] = {
	    {"target", required_argument, NULL, TARGET},
	    {"start-time", required_argument, NULL, START},
	    {"except", required_argument, NULL, EXCEPT},
	    {"as", required_argument, NULL, AS},
	    {"caps", required_argument, NULL, CAPS},
	    {"no-new-privs", no_argument, NULL, NNP},
	    {"seccomp", required_argument, NULL, SECCOMP},
	    {"env-file", required_argument, NULL, ENV},
	    {"cwd", required_argument, NULL, CWD},
	    {"rlimit", required_argument, NULL, RLIMIT},
	    {"oom-score-adj", required_argument, NULL, OOM},
	    {"args", required_argument, NULL, ARGS},
	    {"console-fd", required_argument, NULL, CONSOLE},
	    {"cgroup-fd", required_argument, NULL, CGROUP_FD},
	    {"detach", no_argument, NULL, DETACH},
	    {"user", required_argument, NULL, USER},
	    {"cgroup", required_argument, NULL, CGROUP},
	    {"ipc", required_argument, NULL, IPC},
	    {"uts", required_argument, NULL, UTS},
	    {"net", required_argument, NULL, NET},
	    {"pid", required_argument, NULL, PID},
	    {"mnt", required_argument, NULL, MNT},
	    {"time", required_argument, NULL, TIME},
	    {NULL, 0, NULL, 0},
	};
	int c, files = 0;

	/* getopt's own message is not ours: it shows control characters raw */
	opterr = 0;
	/* "+": the options of PROG are not ours */
	while ((c = getopt_long(argc, argv, "+", table, NULL)) != -1) {
		if (c >= AS && c <= DETACH)
			want.fresh = 1;
		switch (c) {
		case TARGET:
			want.target = (pid_t)number("--target", optarg, 1, 1 << 22);
			want.fresh = 1;
			break;
		case START:
			want.start_time = number("--start-time", optarg, 0, ~0ULL - 1);
			want.check_start = 1;
			break;
		case EXCEPT:
			want.except |= except_flags(optarg);
			break;
		case AS:
			want.as = optarg;
			break;
		case CAPS:
			want.caps = optarg;
			break;
		case NNP:
			want.no_new_privs = 1;
			break;
		case SECCOMP:
			want.seccomp = optarg;
			break;
		case ENV:
			if (want.nenv == ENV_FILES)
				die("--env-file: given more than %d times", ENV_FILES);
			want.env[want.nenv++] = optarg;
			break;
		case CWD:
			want.cwd = optarg;
			break;
		case RLIMIT:
			if (want.nrlimits == RLIMITS)
				die("--rlimit: given more than %d times", RLIMITS);
			set_rlimit(optarg, false);
			want.rlimits[want.nrlimits++] = optarg;
			break;
		case OOM:
			/* the kernel reads the sign */
			(void)number("--oom-score-adj", optarg + (optarg[0] == '-'), 0, 1000);
			want.oom_score = optarg;
			break;
		case ARGS:
			want.args = optarg;
			break;
		case CGROUP_FD:
			want.cgroup_fd = (int)number("--cgroup-fd", optarg, 3, INT_MAX);
			break;
		case DETACH:
			want.detach = 1;
			break;
		case CONSOLE:
			want.console_fd = (int)number("--console-fd", optarg, 3, 1 << 20);
			break;
		default:
			if (c < 0 || c >= TYPES)
				die("option %s: unknown, or wrongly with or without a value",
				    argv[optind - 1]);
			if (!*optarg)
				die("--%s: the name of the file is empty", types[c].name);
			want.file[c] = optarg;
			files = 1;
		}
	}
	if (files && want.target)
		die("--target and a namespace file exclude each other");
	if ((want.check_start || want.except) && !want.target)
		die("--start-time and --except need --target");
	if (want.cgroup_fd >= 0 && !want.target)
		die("--cgroup-fd needs --target");
	if ((optind == argc) == !want.args)
		usage();
	return want;
}

static int open_namespace(const char *file, enum type type)
{
	/* O_NONBLOCK: a fifo would wait for a writer */
	int fd = open(file, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	struct statfs filesystem;

	if (fd < 0)
		die("open %s namespace %s:", types[type].name, file);
	if (fstatfs(fd, &filesystem) < 0)
		die("fstatfs %s:", file);
	if (filesystem.f_type != NSFS_TYPE)
		die("%s is not a namespace; whatever was mounted there is gone", file);
	int flag = ioctl(fd, NS_GET_NSTYPE);

	if (flag < 0)
		die("ioctl NS_GET_NSTYPE %s:", file);
	for (size_t n = 0; n < TYPES; n++)
		if (flag == types[n].flag && n != type)
			die("%s is a %s namespace, not a %s namespace", file, types[n].name,
			    types[type].name);
	if (flag != types[type].flag)
		die("%s is not a %s namespace", file, types[type].name);
	return fd;
}

/* the uid that INSIDE of the target's user namespace is here; (uid_t)-1: none */
static uid_t outside(pid_t target, uid_t inside)
{
	char path[64], line[128];
	uid_t uid = (uid_t)-1;

	if (snprintf(path, sizeof(path), "/proc/%d/uid_map", target) < 0)
		die("snprintf:");
	FILE *map = fopen(path, "re");

	if (!map)
		die("open %s:", path);
	while (fgets(line, sizeof(line), map)) {
		char *rest = line;
		unsigned long first = strtoul(rest, &rest, 10), here = strtoul(rest, &rest, 10);
		unsigned long count = strtoul(rest, &rest, 10);

		if (inside >= first && inside - first < count)
			uid = (uid_t)(here + (inside - first));
	}
	if (fclose(map) != 0)
		die("close %s:", path);
	return uid;
}

/* Before anything is joined, as the pipes of our caller can be lent only by the root that owns
 * them. An ordinary user may join and yet not look in there: it looks late, with the new root. */
static void prepare_identity(const struct request *want, struct prepared *have)
{
	char path[64];

	if (snprintf(path, sizeof(path), "/proc/%d/root", want->target) < 0)
		die("snprintf:");
	int root = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);

	have->known = root >= 0;
	if (!have->known)
		return;
	identity_resolve(root, want->as, &have->who);
	have->uid_outside = outside(want->target, have->who.uid);
	if (close(root) < 0)
		die("close %s:", path);
}

/* a pidfd that is certainly the wanted process, and which of its namespaces are not ours */
static void prepare_target(const struct request *want, struct prepared *have)
{
	struct stat ours, theirs;
	char path[64];

	/* opened first: what is read in /proc afterwards belongs to this or to a later process,
	 * and in the end the process of the pidfd is still alive, so there is no later one */
	have->pidfd = (int)syscall(SYS_pidfd_open, want->target, 0);
	if (have->pidfd < 0)
		die("pidfd_open %d:", want->target);
	if (want->check_start && close(open_process(want->target, &want->start_time)) < 0)
		die("close process %d:", want->target);
	for (size_t n = 0; n < TYPES; n++) {
		if (want->except & types[n].flag)
			continue;
		if (snprintf(path, sizeof(path), "/proc/%d/ns/%s", want->target, types[n].name) < 0)
			die("snprintf:");
		if (stat(path, &theirs) < 0) {
			/* a kernel without this kind of namespace */
			if (errno == ENOENT &&
			    syscall(SYS_pidfd_send_signal, have->pidfd, 0, NULL, 0) == 0)
				continue;
			die("stat %s:", path);
		}
		if (snprintf(path, sizeof(path), "/proc/self/ns/%s", types[n].name) < 0)
			die("snprintf:");
		if (stat(path, &ours) < 0)
			die("stat %s:", path);
		if (ours.st_ino != theirs.st_ino || ours.st_dev != theirs.st_dev)
			have->flags |= types[n].flag;
	}
	if (have->flags & CLONE_NEWNS)
		prepare_identity(want, have);
	if (syscall(SYS_pidfd_send_signal, have->pidfd, 0, NULL, 0) < 0)
		die("process %d:", want->target);
}

static struct prepared prepare(const struct request *want)
{
	struct prepared have = {.pidfd = -1, .who = {.home = "/"}, .uid_outside = (uid_t)-1};
	size_t count;

	for (enum type type = 0; type < TYPES; type++) {
		have.ns[type] = want->file[type] ? open_namespace(want->file[type], type) : -1;
		if (have.ns[type] >= 0)
			have.flags |= types[type].flag;
	}
	if (want->target)
		prepare_target(want, &have);
	if (want->seccomp)
		seccomp_load(seccomp_open(want->seccomp), &have.filter);
	if (want->caps)
		have.caps = caps_parse(want->caps);
	have.environment = read_environment(want->env, want->nenv);
	if (want->args) {
		have.args = read_words(want->args, &count);
		if (count == 0)
			die("%s: no program", want->args);
	}
	if (want->console_fd >= 0 && fcntl(want->console_fd, F_SETFD, FD_CLOEXEC) < 0)
		die("--console-fd %d:", want->console_fd);
	return have;
}

static void join_file(int fd, enum type type)
{
	if (fd < 0)
		return;
	if (setns(fd, types[type].flag) < 0)
		die("setns %s:", types[type].name);
	if (close(fd) < 0)
		die("close %s namespace:", types[type].name);
}

/* Root joins the pid namespace alone, forks, and the child joins the rest: the parent stays
 * outside, and the cgroup that the child is born in can still be seen (nsdelegate, cgroups(7)). */
static void join_pid(struct prepared *have)
{
	if ((have->flags & CLONE_NEWPID) && setns(have->pidfd, CLONE_NEWPID) < 0)
		die("setns to the pid namespace of the target:");
	have->flags &= ~CLONE_NEWPID;
}

static void join(const struct prepared *have)
{
	if (have->pidfd >= 0) {
		/* one call for all: the kernel checks everything before it changes anything */
		if (have->flags && setns(have->pidfd, have->flags) < 0)
			die("setns to the namespaces of the target:");
		if (close(have->pidfd) < 0)
			die("close pidfd:");
	} else {
		int user_first = have->ns[USER] >= 0 && !(caps_owned() & CAPS_BIT(CAP_SYS_ADMIN));

		if (user_first)
			join_file(have->ns[USER], USER);
		for (enum type type = USER + 1; type < TYPES; type++)
			join_file(have->ns[type], type);
		if (!user_first)
			join_file(have->ns[USER], USER);
	}
	if ((have->flags & CLONE_NEWNS) && chdir("/") < 0)
		die("chdir / of the mount namespace:");
}

/* nothing that the caller ignores, blocks or masks is known inside */
static void fresh_process(void)
{
	if (getsid(0) != getpid() && setsid() < 0)
		die("setsid:");
	if (syscall(SYS_keyctl, KEYCTL_JOIN_SESSION_KEYRING, NULL) < 0 && errno != ENOSYS)
		die("keyctl KEYCTL_JOIN_SESSION_KEYRING:");
	reset_signals();
	unblock_signals();
	umask(0022);
}

static int open_inside(int root, const char *path)
{
	struct open_how how = {.flags = O_PATH | O_DIRECTORY | O_CLOEXEC,
			       .resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS};
	int fd = (int)syscall(SYS_openat2, root, path, &how, sizeof(how));

	if (fd < 0)
		die("directory %s of the container:", path);
	return fd;
}

/* In a user namespace made by an ordinary user setgroups(2) is shut. Root has dropped its groups
 * before joining then, and an ordinary user may keep those that it has anyway. */
static void become_user(const struct identity *who, int privileged)
{
	if (setgroups(who->ngroups, who->groups) < 0 &&
	    !(errno == EPERM && who->ngroups <= 1 && (!privileged || getgroups(0, NULL) == 0)))
		die("setgroups (%zu groups; a user namespace may forbid it):", who->ngroups);
	if (setresgid(who->gid, who->gid, who->gid) < 0)
		die("setresgid %u:", who->gid);
	if (setresuid(who->uid, who->uid, who->uid) < 0)
		die("setresuid %u:", who->uid);
}

static void enter(const struct request *want, struct prepared *have, int parent, int privileged)
{
	int root = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);

	if (root < 0)
		die("open / of the container:");
	fresh_process();
	/* root of the namespace, so that a terminal made here is of an id that there is in it */
	if (privileged && (have->flags & CLONE_NEWUSER))
		become_user(&(struct identity){0}, privileged);
	/* read as late as possible, as root, in the root that was entered */
	if (!have->known && (want->as || have->environment))
		identity_resolve(root, want->as, &have->who);
	if (want->console_fd >= 0) {
		int pts = open_inside(root, "/dev/pts");

		/* the group stays the one of the devpts mount, usually tty */
		console_open(pts, want->console_fd, have->who.uid, (gid_t)-1);
	}
	if (want->cwd) {
		int cwd = open_inside(root, want->cwd);

		if (fchdir(cwd) < 0)
			die("chdir %s of the container:", want->cwd);
	}
	for (size_t n = 0; n < want->nrlimits; n++)
		set_rlimit(want->rlimits[n], true);
	if (close_range(3, ~0U, CLOSE_RANGE_CLOEXEC) < 0)
		die("close_range:");
	if (want->caps)
		caps_bound(have->caps);
	/* without no_new_privs a filter takes CAP_SYS_ADMIN; with it, it comes last */
	if (want->seccomp && !want->no_new_privs)
		seccomp_install(&have->filter);
	if (want->as || (have->flags & CLONE_NEWUSER))
		become_user(&have->who, privileged);
	if (want->as || want->caps)
		caps_apply(want->caps ? have->caps : ~0ULL, geteuid() == 0);
	if (want->detach && prctl(PR_SET_PDEATHSIG, 0) < 0)
		die("prctl PR_SET_PDEATHSIG:");
	if (parent >= 0 && !want->detach)
		die_with(parent);
	if (want->no_new_privs && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		die("prctl PR_SET_NO_NEW_PRIVS:");
	if (want->seccomp && want->no_new_privs)
		seccomp_install(&have->filter);
	if (have->environment)
		set_environment(have->environment, have->who.home);
}

/* what the caller gives us as 0, 1 and 2, fit for a container */
static void lend_descriptors(const struct prepared *have, int privileged)
{
	refuse_directories();
	only_write_terminals();
	if (privileged)
		protect_null();
	if (have->known && have->uid_outside != (uid_t)-1)
		lend_pipes(have->uid_outside);
}

/* the program keeps nothing of the caller; what could not be run is still told there */
static void run_detached(char **argv)
{
	int caller = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 3);

	if (caller < 0 || dup2(STDOUT_FILENO, STDERR_FILENO) < 0)
		die("dup standard error:");
	execvp(argv[0], argv);
	int error = errno;

	if (dup2(caller, STDERR_FILENO) < 0)
		exit(EXIT_HELPER);
	errno = error;
}

int main(int argc, char **argv)
{
	prog = "sc-nsexec";
	struct request want = options(argc, argv);
	int seen = want.target || want.file[PID] || want.file[MNT];

	if (seen)
		run_sealed(argv);
	struct prepared have = prepare(&want);

	/* without a v2 hierarchy on this host there is nothing to hand over (sc-cg --v2-fd) */
	if (want.cgroup_fd >= 0 && fcntl(want.cgroup_fd, F_SETFD, FD_CLOEXEC) < 0)
		want.cgroup_fd = -1;
	int privileged = (caps_owned() & CAPS_BIT(CAP_SYS_ADMIN)) != 0;
	/* setsid(2) refuses the leader of a process group */
	int forks = (have.flags & CLONE_NEWPID) || want.detach || want.cgroup_fd >= 0 ||
		    (want.fresh && getpgrp() == getpid());

	/* before the container can see us: no ptrace(2), no /proc/PID/fd (CVE-2016-9962) */
	if (seen && prctl(PR_SET_DUMPABLE, 0) < 0)
		die("prctl PR_SET_DUMPABLE:");
	if (privileged && (have.flags & CLONE_NEWUSER) && setgroups(0, NULL) < 0)
		die("setgroups:");
	if (want.target)
		set_oom_score(want.oom_score);
	if (want.target && want.console_fd < 0)
		lend_descriptors(&have, privileged);
	/* root is in the other namespaces only after the fork */
	int twice = privileged && have.pidfd >= 0;

	if (twice)
		join_pid(&have);
	else
		join(&have);
	int parent = -1;

	if (forks)
		parent = fork_and_wait(&(struct waiting){
		    .shared = !want.fresh, .cgroup = want.cgroup_fd, .detach = want.detach});
	if (twice)
		join(&have);
	if (want.fresh)
		enter(&want, &have, parent, privileged);
	else if (have.flags & CLONE_NEWUSER)
		become_user(&(struct identity){0}, privileged);
	char **words = have.args ? have.args : argv + optind;

	if (want.detach)
		run_detached(words);
	chain(words);
}
