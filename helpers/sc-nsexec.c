/* sc-nsexec: join namespaces, then become another program.
 *
 * usage: sc-nsexec [--TYPE=FILE]... [identity] [--] PROG [ARG...]
 *        sc-nsexec --target=PID [--start-time=N] [--except=TYPE,...] [identity] [--] PROG [ARG...]
 *   TYPE      user cgroup ipc uts net pid mnt time
 *   identity  --as=USER[:GROUP] --caps=LIST --no-new-privs --seccomp=FILE --env-file=FILE
 *             --cwd=DIR --args=FILE --console-fd=N
 *
 * Status: 125 own failure, 126/127 PROG not executable/not found, else PROG's, 128+n.
 * Rests on setns(2), pidfd_open(2), ioctl_ns(2), namespaces(7), user_namespaces(7),
 * openat2(2), keyctl(2), prctl(2), close_range(2), proc(5). See sc-nsexec(8). */
#include <fcntl.h>
#include <getopt.h>
#include <grp.h>
#include <linux/close_range.h>
#include <linux/keyctl.h>
#include <linux/nsfs.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <sys/wait.h>

#include "capabilities.h"
#include "console.h"
#include "passwd.h"
#include "sc.h"
#include "seal.h"
#include "seccomp.h"
#include "signals.h"
#include "start-time.h"
#include "system-calls.h"

/* in linux/magic.h of newer kernels only */
#define NSFS_TYPE 0x6e736673
/* execve(2) takes no more than 3/4 of 8 MiB */
#define WORDS_BYTES (6 * 1024 * 1024)

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

enum option_id { TARGET = TYPES, START, EXCEPT, AS, CAPS, NNP, SECCOMP, ENV, CWD, ARGS, CONSOLE };

/* what the command line asks for */
struct request {
	const char *file[TYPES];
	pid_t target;
	unsigned long long start_time;
	int check_start, except; /* except: CLONE_NEW flags */
	const char *as, *caps, *seccomp, *env, *cwd, *args;
	int no_new_privs, console_fd;
	int fresh; /* an identity option or --target: session, keyring, signals, descriptors */
};

/* everything of the host that is needed, read before the first namespace is joined */
struct prepared {
	int ns[TYPES], pidfd; /* -1: none */
	int flags;            /* CLONE_NEW* to join */
	struct sock_fprog filter;
	unsigned long long caps;
	char **environment, **args;
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
	    " [--cwd=DIR] [--args=FILE] [--console-fd=N] [--] PROG [ARG...]");
}

static struct request options(int argc, char **argv)
{
	struct request want = {.console_fd = -1};
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
	    {"args", required_argument, NULL, ARGS},
	    {"console-fd", required_argument, NULL, CONSOLE},
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
		if (c >= AS && c <= CONSOLE)
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
			want.env = optarg;
			break;
		case CWD:
			want.cwd = optarg;
			break;
		case ARGS:
			want.args = optarg;
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
	if ((optind == argc) == !want.args)
		usage();
	return want;
}

/* NUL-terminated words of a file; one slot is left free before the closing NULL */
static char **read_words(const char *file, size_t *count)
{
	int fd = open(file, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	char *text = malloc(WORDS_BYTES + 1);
	size_t length = 0, words = 0;

	if (fd < 0)
		die("open %s:", file);
	if (!text)
		die("malloc:");
	for (;;) {
		ssize_t got = read(fd, text + length, WORDS_BYTES + 1 - length);

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			die("read %s:", file);
		length += (size_t)got;
		if (length > WORDS_BYTES)
			die("%s: longer than %d bytes", file, WORDS_BYTES);
		if (got == 0)
			break;
	}
	if (length > 0 && text[length - 1])
		die("%s: the last word does not end in a NUL byte", file);
	if (close(fd) < 0)
		die("close %s:", file);
	for (size_t n = 0; n < length; n++)
		words += !text[n];
	char **list = calloc(words + 2, sizeof(*list));

	if (!list)
		die("calloc %zu words:", words);
	for (size_t n = 0, at = 0; n < words; at += strlen(text + at) + 1)
		list[n++] = text + at;
	*count = words;
	return list;
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
	if (syscall(SYS_pidfd_send_signal, have->pidfd, 0, NULL, 0) < 0)
		die("process %d:", want->target);
}

static struct prepared prepare(const struct request *want)
{
	struct prepared have = {.pidfd = -1};
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
	if (want->env) {
		have.environment = read_words(want->env, &count);
		for (size_t n = 0; n < count; n++) {
			const char *equals = strchr(have.environment[n], '=');

			if (!equals || equals == have.environment[n])
				die("%s: '%s' is not NAME=VALUE", want->env, have.environment[n]);
		}
	}
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

/* Forks; returns in the child. The parent stays to pass signals on and never returns.
 * shared: the child stays in our session, so the terminal itself signals it. */
static void fork_and_wait(int shared)
{
	sigset_t all, before, wanted;
	int self = (int)syscall(SYS_pidfd_open, getpid(), 0);

	if (self < 0)
		die("pidfd_open:");
	if (sigfillset(&all) < 0 || sigprocmask(SIG_SETMASK, &all, &before) < 0)
		die("sigprocmask:");
	/* a caller that ignores SIGCHLD would have the kernel throw the status away */
	if (signal(SIGCHLD, SIG_DFL) == SIG_ERR)
		die("signal SIGCHLD:");
	pid_t child = fork();

	if (child < 0)
		die("fork:");
	if (child == 0) {
		struct pollfd parent = {.fd = self, .events = POLLIN};

		/* getppid() is 0 in another pid namespace; the pidfd tells whether it was too late
		 */
		if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0)
			die("prctl PR_SET_PDEATHSIG:");
		if (poll(&parent, 1, 0) != 0)
			die("the parent is gone");
		if (close(self) < 0)
			die("close pidfd:");
		if (sigprocmask(SIG_SETMASK, &before, NULL) < 0)
			die("sigprocmask:");
		return;
	}
	/* the other end of a console socket must see that the child closed it */
	if (close_range(3, ~0U, 0) < 0)
		die("close_range:");
	/* a terminal may stop us */
	wanted = all;
	if (sigdelset(&wanted, SIGTSTP) < 0 || sigdelset(&wanted, SIGTTIN) < 0 ||
	    sigdelset(&wanted, SIGTTOU) < 0 || sigprocmask(SIG_SETMASK, &wanted, NULL) < 0)
		die("sigprocmask:");
	for (;;) {
		siginfo_t info;
		int status, number_of = sigwaitinfo(&wanted, &info);

		if (number_of < 0 && errno == EINTR)
			continue;
		if (number_of < 0)
			die("sigwaitinfo:");
		if (number_of != SIGCHLD) {
			if (!(shared && info.si_code == SI_KERNEL) && kill(child, number_of) < 0)
				warn("kill %d:", child);
			continue;
		}
		pid_t done = waitpid(child, &status, WNOHANG);

		if (done < 0)
			die("waitpid:");
		if (done == child)
			exit(WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status));
	}
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

/* the environment of the file; docker adds HOME as well */
static void set_environment(char **list, const char *home)
{
	static char variable[sizeof(((struct identity *)NULL)->home) + 5];
	size_t n = 0;
	int has_home = 0;

	for (; list[n]; n++)
		has_home |= strncmp(list[n], "HOME=", 5) == 0;
	if (!has_home) {
		if (snprintf(variable, sizeof(variable), "HOME=%s", home) < 0)
			die("snprintf:");
		list[n] = variable;
	}
	environ = list;
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

static void enter(const struct request *want, const struct prepared *have, int forked,
		  int privileged)
{
	struct identity who = {.home = "/"};
	int root = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);

	if (root < 0)
		die("open / of the container:");
	fresh_process();
	/* read as late as possible, as root, in the root that was entered */
	if (want->as || have->environment)
		identity_resolve(root, want->as, &who);
	if (want->console_fd >= 0) {
		int pts = open_inside(root, "/dev/pts");

		/* the group stays the one of the devpts mount, usually tty */
		console_open(pts, want->console_fd, who.uid, (gid_t)-1);
	}
	if (want->cwd) {
		int cwd = open_inside(root, want->cwd);

		if (fchdir(cwd) < 0)
			die("chdir %s of the container:", want->cwd);
	}
	if (close_range(3, ~0U, 0) < 0)
		die("close_range:");
	if (want->caps)
		caps_bound(have->caps);
	/* without no_new_privs a filter takes CAP_SYS_ADMIN; with it, it comes last */
	if (want->seccomp && !want->no_new_privs)
		seccomp_install(&have->filter);
	if (want->as || (have->flags & CLONE_NEWUSER))
		become_user(&who, privileged);
	if (want->as || want->caps)
		caps_apply(want->caps ? have->caps : ~0ULL, geteuid() == 0);
	/* a change of user made the kernel forget it */
	if (forked && prctl(PR_SET_PDEATHSIG, SIGKILL) < 0)
		die("prctl PR_SET_PDEATHSIG:");
	if (want->no_new_privs && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		die("prctl PR_SET_NO_NEW_PRIVS:");
	if (want->seccomp && want->no_new_privs)
		seccomp_install(&have->filter);
	if (have->environment)
		set_environment(have->environment, who.home);
}

int main(int argc, char **argv)
{
	prog = "sc-nsexec";
	struct request want = options(argc, argv);
	int seen = want.target || want.file[PID] || want.file[MNT];

	if (seen)
		run_sealed(argv);
	struct prepared have = prepare(&want);
	int privileged = (caps_owned() & CAPS_BIT(CAP_SYS_ADMIN)) != 0;
	/* setsid(2) refuses the leader of a process group */
	int forks = (have.flags & CLONE_NEWPID) || (want.fresh && getpgrp() == getpid());

	/* before the container can see us: no ptrace(2), no /proc/PID/fd (CVE-2016-9962) */
	if (seen && prctl(PR_SET_DUMPABLE, 0) < 0)
		die("prctl PR_SET_DUMPABLE:");
	if (privileged && (have.flags & CLONE_NEWUSER) && setgroups(0, NULL) < 0)
		die("setgroups:");
	join(&have);
	if (forks)
		fork_and_wait(!want.fresh);
	if (want.fresh)
		enter(&want, &have, forks, privileged);
	else if (have.flags & CLONE_NEWUSER)
		become_user(&(struct identity){0}, privileged);
	chain(have.args ? have.args : argv + optind);
}
