/* sc-clone: unshare, fork, build the container's view, become the command
 * usage: sc-clone --root=DIR [OPTION]... -- CMD [ARG]...
 *        sc-clone --root=DIR [OPTION]... --args=FILE
 *
 * Exit codes: 125 own failure, 126/127 CMD not executable/not found, else that of CMD, 128+n.
 * See sc-clone(8); namespaces(7), pid_namespaces(7), pivot_root(2), capabilities(7), OCI
 * runtime-spec config-linux.md. What is done, in this order, is child() below. */
#include <getopt.h>
#include <linux/close_range.h>
#include <poll.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>

#include "seal.h"

#include "clone-process.h"
#include "clone-root.h"
#include "clone-system.h"
#include "clone-wait.h"
#include "close-others.h"
#include "console.h"
#include "fork-into.h"
#include "standard-descriptors.h"

#define LIST_MAX  128
#define TTY_GROUP 5

struct list {
	const char *item[LIST_MAX];
	size_t n;
};

/* what the options say */
struct plan {
	int namespaces; /* CLONE_NEW* */
	bool user, dev, no_mask, read_only, no_new_privs, die_with_parent;
	const char *root, *fstab, *hostname, *oom_score, *as, *caps, *seccomp, *env_file, *args,
	    *cwd, *pid_file, *wait_fifo, *user_of;
	int console, ready, cgroup; /* descriptors, -1: none */
	struct id_maps uids, gids;
	struct list sysctls, rlimits, groups;
};

/* what of it was read from the host before anything was changed */
struct material {
	struct view view;
	struct credentials to;
	char *fstab;
	char **argv, **environment;
};

static void list_add(struct list *list, const char *option, const char *text)
{
	if (list->n == LIST_MAX)
		die("--%s: given more than %d times", option, LIST_MAX);
	list->item[list->n++] = text;
}

static void parse_string(struct plan *p, const char *name, const char *value)
{
	const struct {
		const char *name, **to;
	} string[] = {
	    {"root", &p->root},
	    {"fstab", &p->fstab},
	    {"hostname", &p->hostname},
	    {"oom-score-adj", &p->oom_score},
	    {"as", &p->as},
	    {"caps", &p->caps},
	    {"seccomp", &p->seccomp},
	    {"env-file", &p->env_file},
	    {"args", &p->args},
	    {"cwd", &p->cwd},
	    {"pid-file", &p->pid_file},
	    {"wait-fifo", &p->wait_fifo},
	    {"user-of", &p->user_of},
	};

	for (size_t n = 0; n < LEN(string); n++)
		if (strcmp(name, string[n].name) == 0) {
			if (!*value)
				die("--%s: empty", name);
			*string[n].to = value;
		}
}

static void parse_options_line(struct plan *p, int argc, char **argv)
{
	enum { STRING = 1, UID_MAP, GID_MAP, SYSCTL, RLIMIT, GROUP, CONSOLE, READY, CGROUP };
	enum { USER = 20, DEV, NO_MASK, READ_ONLY, NO_NEW_PRIVS, DIE_WITH_PARENT };
	static const struct option option[] = {
	    {"pid", no_argument, NULL, CLONE_NEWPID},
	    {"uts", no_argument, NULL, CLONE_NEWUTS},
	    {"ipc", no_argument, NULL, CLONE_NEWIPC},
	    {"cgroup", no_argument, NULL, CLONE_NEWCGROUP},
	    {"net", no_argument, NULL, CLONE_NEWNET},
	    {"time", no_argument, NULL, CLONE_NEWTIME},
	    {"user", no_argument, NULL, USER},
	    {"user-of", required_argument, NULL, STRING},
	    {"uid-map", required_argument, NULL, UID_MAP},
	    {"gid-map", required_argument, NULL, GID_MAP},
	    {"root", required_argument, NULL, STRING},
	    {"fstab", required_argument, NULL, STRING},
	    {"dev", no_argument, NULL, DEV},
	    {"no-mask", no_argument, NULL, NO_MASK},
	    {"read-only", no_argument, NULL, READ_ONLY},
	    {"hostname", required_argument, NULL, STRING},
	    {"sysctl", required_argument, NULL, SYSCTL},
	    {"rlimit", required_argument, NULL, RLIMIT},
	    {"oom-score-adj", required_argument, NULL, STRING},
	    {"as", required_argument, NULL, STRING},
	    {"group-add", required_argument, NULL, GROUP},
	    {"env-file", required_argument, NULL, STRING},
	    {"cwd", required_argument, NULL, STRING},
	    {"caps", required_argument, NULL, STRING},
	    {"no-new-privs", no_argument, NULL, NO_NEW_PRIVS},
	    {"seccomp", required_argument, NULL, STRING},
	    {"args", required_argument, NULL, STRING},
	    {"pid-file", required_argument, NULL, STRING},
	    {"die-with-parent", no_argument, NULL, DIE_WITH_PARENT},
	    {"wait-fifo", required_argument, NULL, STRING},
	    {"console-fd", required_argument, NULL, CONSOLE},
	    {"ready-fd", required_argument, NULL, READY},
	    {"cgroup-fd", required_argument, NULL, CGROUP},
	    {NULL, 0, NULL, 0},
	};
	int which = 0;

	opterr = 0;
	for (int c; (c = getopt_long(argc, argv, "+", option, &which)) != -1;) {
		switch (c) {
		case STRING:
			parse_string(p, option[which].name, optarg);
			break;
		case UID_MAP:
			map_add(&p->uids, "--uid-map", optarg);
			break;
		case GID_MAP:
			map_add(&p->gids, "--gid-map", optarg);
			break;
		case SYSCTL:
			list_add(&p->sysctls, "sysctl", optarg);
			break;
		case RLIMIT:
			list_add(&p->rlimits, "rlimit", optarg);
			break;
		case GROUP:
			list_add(&p->groups, "group-add", optarg);
			break;
		case CONSOLE:
			p->console = (int)number("--console-fd", optarg, 3, INT_MAX);
			break;
		case READY:
			p->ready = (int)number("--ready-fd", optarg, 3, INT_MAX);
			break;
		case CGROUP:
			p->cgroup = (int)number("--cgroup-fd", optarg, 3, INT_MAX);
			break;
		case USER:
			p->user = true;
			break;
		case DEV:
			p->dev = true;
			break;
		case NO_MASK:
			p->no_mask = true;
			break;
		case READ_ONLY:
			p->read_only = true;
			break;
		case NO_NEW_PRIVS:
			p->no_new_privs = true;
			break;
		case DIE_WITH_PARENT:
			p->die_with_parent = true;
			break;
		case '?':
			die("option %s: unknown or without its value, see sc-clone(8)",
			    argv[optind - 1]);
		default:
			p->namespaces |= c;
		}
	}
	if (!p->root)
		die("usage: sc-clone --root=DIR [OPTION]... -- CMD [ARG]...");
	if (!p->args == (optind == argc))
		die("want a command, as words or as --args=FILE; see sc-clone(8)");
}

/* 0, 1 and 2 are something, so that nothing else becomes them */
static void fill_stdio(void)
{
	int fd;

	do {
		fd = open("/dev/null", O_RDWR);
		if (fd < 0)
			die("open /dev/null:");
	} while (fd <= 2);
	shut(fd);
}

/* whatever else the caller had open stays out, here and in the child */
static void close_others(struct plan *p)
{
	struct stat status;

	if (p->console >= 0 && (fstat(p->console, &status) < 0 || !S_ISSOCK(status.st_mode)))
		die("--console-fd=%d is not a socket", p->console);
	if (p->ready >= 0 && (p->ready == p->console || fcntl(p->ready, F_GETFD) < 0))
		die("--ready-fd=%d is not an open descriptor of its own", p->ready);
	/* without a v2 hierarchy on this host there is nothing to hand over (sc-cg --v2-fd) */
	if (p->cgroup >= 0 && fcntl(p->cgroup, F_GETFD) < 0)
		p->cgroup = -1;
	const int kept[] = {p->console, p->ready, p->cgroup};

	close_all_but(kept, LEN(kept));
	for (size_t n = 0; n < LEN(kept); n++)
		if (kept[n] >= 0 && fcntl(kept[n], F_SETFD, FD_CLOEXEC) < 0)
			die("fcntl F_SETFD %d:", kept[n]);
}

/* reads and checks all that can be known beforehand */
static void prepare(const struct plan *p, struct material *m, char **argv)
{
	size_t length = 0;

	if (p->hostname && !(p->namespaces & CLONE_NEWUTS))
		die("--hostname needs --uts, it would change the host");
	for (size_t n = 0; n < p->sysctls.n; n++)
		set_sysctl(p->sysctls.item[n], p->namespaces & CLONE_NEWIPC, false);
	for (size_t n = 0; n < p->rlimits.n; n++)
		set_rlimit(p->rlimits.item[n], false);
	for (size_t n = 0; n < p->groups.n; n++)
		(void)number("--group-add", p->groups.item[n], 0, UINT_MAX - 1);
	if (p->oom_score) /* the kernel reads the sign */
		(void)number("--oom-score-adj", p->oom_score + (p->oom_score[0] == '-'), 0, 1000);
	m->to.caps = caps_parse(p->caps ? p->caps : "default");
	m->to.no_new_privs = p->no_new_privs;
	m->fstab = p->fstab ? read_whole(p->fstab, 1024UL * 1024, &length) : calloc(1, 1);
	if (!m->fstab)
		die("calloc:");
	if (strlen(m->fstab) != length)
		die("%s: contains a NUL byte", p->fstab);
	m->environment = read_environment(p->env_file);
	m->argv = p->args ? read_words(p->args) : argv;
	if (!m->argv[0])
		die("%s: no command in it", p->args);
	if (p->seccomp)
		seccomp_load(seccomp_open(p->seccomp), &m->to.filter);
	m->view =
	    (struct view){.root = -1, .user_ns = -1, .own_cgroup = p->namespaces & CLONE_NEWCGROUP};
	m->to.user_ns = -1;
	if (p->user) {
		m->view.uids = &p->uids;
		m->view.gids = &p->gids;
		m->view.user_ns = p->user_of ? owning_user_namespace(p->user_of)
					     : make_user_namespace(&p->uids, &p->gids, "user", 0);
		m->to.user_ns = m->view.user_ns;
	}
}

/* the pipe to the parent; atexit(3) hands nothing on, and on_exit(3), which does, is not in musl */
static int status_pipe;

/* the first that fails ends the setup, and with it the container */
static void tell_failed(void)
{
	ssize_t told = write(status_pipe, (char[]){TOLD_FAILED}, 1);

	(void)told; /* the exit status says it as well */
}

static void setup_namespaces(const struct plan *p)
{
	if (unshare(CLONE_NEWNS | (p->namespaces & ~(CLONE_NEWPID | CLONE_NEWTIME))) < 0)
		die("unshare:");
	/* before the first mount: what is done here must never appear on the host */
	if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
		die("make the mounts private:");
	for (size_t n = 0; n < p->sysctls.n; n++)
		set_sysctl(p->sysctls.item[n], p->namespaces & CLONE_NEWIPC, true);
	if (p->hostname && sethostname(p->hostname, strlen(p->hostname)) < 0)
		die("sethostname %s:", p->hostname);
}

static void setup_mounts(const struct plan *p, struct material *m)
{
	char *copy = strdup(m->fstab);

	if (!copy)
		die("strdup:");
	mount_root(&m->view, p->root, copy, p->fstab);
	free(copy);
	mount_fstab(&m->view, m->fstab, p->fstab);
	if (p->dev)
		setup_devices(m->view.root);
}

static void setup_identity(const struct plan *p, struct material *m)
{
	struct identity *who = &m->to.who;

	identity_resolve(m->view.root, p->as, who);
	for (size_t n = 0; n < p->groups.n; n++) {
		if (who->ngroups == LEN(who->groups))
			die("--group-add: more than %zu groups", LEN(who->groups));
		who->groups[who->ngroups++] =
		    (gid_t)number("--group-add", p->groups.item[n], 0, UINT_MAX - 1);
	}
	/* here, by a message that says which id, instead of EINVAL later */
	for (size_t n = 0; n < who->ngroups; n++)
		(void)map_id(m->view.gids, who->groups[n]);
}

static void setup_terminal(const struct plan *p, const struct material *m)
{
	int root = m->view.root;
	uid_t uid = map_id(m->view.uids, m->to.who.uid);

	if (p->console < 0) {
		if (setsid() < 0)
			die("setsid:");
		lend_pipes(uid);
		return;
	}
	int pts = open_below(root, "/dev/pts", O_PATH | O_DIRECTORY, RESOLVE_NO_SYMLINKS);

	if (pts < 0)
		die("open /dev/pts inside the root:");
	/* tty, as for the other terminals of the fstab, unless the map is too small to have it */
	gid_t group = map_has(m->view.gids, TTY_GROUP) ? TTY_GROUP : m->to.who.gid;
	int terminal = console_open(pts, p->console, uid, map_id(m->view.gids, group));

	bind_console(root, terminal);
	shut(terminal);
	shut(pts);
	shut(p->console);
}

static void setup_protection(const struct plan *p, const struct material *m, int null)
{
	struct mount_attr read_only = {.attr_set = MOUNT_ATTR_RDONLY};

	if (!p->no_mask)
		setup_masks(m->view.root, null);
	/* the directory is made while that is still possible */
	if (p->cwd)
		shut(make_below(m->view.root, p->cwd, true));
	if ((p->read_only || m->view.read_only) &&
	    set_attributes(m->view.root, false, read_only) < 0)
		die("make the root read-only:");
}

static int open_fifo(const char *file)
{
	struct stat status;
	int fifo = open(file, O_RDONLY | O_NONBLOCK | O_CLOEXEC);

	if (fifo < 0 || fstat(fifo, &status) < 0)
		die("open %s:", file);
	if (!S_ISFIFO(status.st_mode))
		die("%s is not a fifo", file);
	return fifo;
}

static _Noreturn void child(const struct plan *p, struct material *m, int status)
{
	int fifo = -1;

	status_pipe = status;
	if (atexit(tell_failed) != 0)
		die("atexit failed");
	die_with(status);
	/* whoever joins the container while it waits must not trace us */
	if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0)
		die("prctl PR_SET_DUMPABLE:");
	(void)umask(0022);
	set_oom_score(p->oom_score);
	new_keyring();
	clone_propagated(&m->view, m->fstab, p->fstab);
	setup_namespaces(p);
	if (p->wait_fifo)
		fifo = open_fifo(p->wait_fifo);
	/* after unshare: it has to be of this mount namespace */
	int null = open_null();

	if (p->user)
		own_as_mapped_root(map_id(m->view.uids, 0), map_id(m->view.gids, 0));
	setup_mounts(p, m);
	setup_identity(p, m);
	setup_terminal(p, m);
	setup_protection(p, m, null);
	shut(null);
	leave_old_root(m->view.root);
	if (p->dev)
		own_null();
	enter_directory(p->cwd ? p->cwd : "/");
	for (size_t n = 0; n < p->rlimits.n; n++)
		set_rlimit(p->rlimits.item[n], true);
	if (close_range(3, ~0U, CLOSE_RANGE_CLOEXEC) < 0)
		die("close_range:");
	drop_privileges(&m->to);
	die_with(status);
	if (fifo >= 0) {
		if (write(status, (char[]){TOLD_READY}, 1) != 1)
			die("write to the parent:");
		wait_for_fifo(fifo);
	}
	if (p->no_new_privs && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		die("prctl PR_SET_NO_NEW_PRIVS:");
	if (m->to.filter.len && p->no_new_privs)
		seccomp_install(&m->to.filter);
	unblock_signals();
	become(m->argv, m->environment, m->to.who.home);
}

int main(int argc, char **argv)
{
	struct plan p = {.console = -1, .ready = -1, .cgroup = -1};
	struct material m = {0};
	sigset_t signals;
	pid_t caller = getppid();
	int status[2];

	prog = "sc-clone";
	fill_stdio();
	run_sealed(argv);
	parse_options_line(&p, argc, argv);
	if (p.die_with_parent) {
		if (prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) < 0)
			die("prctl PR_SET_PDEATHSIG:");
		if (getppid() != caller)
			die("the caller has ended");
	}
	close_others(&p);
	refuse_directories();
	if (p.console < 0)
		only_write_terminals();
	reset_signals();
	forwarded_signals(&signals);
	if (sigprocmask(SIG_SETMASK, &signals, NULL) < 0)
		die("sigprocmask:");
	prepare(&p, &m, argv + optind);
	if (pipe2(status, O_CLOEXEC) < 0)
		die("pipe:");
	/* these two are of the next child, not of the caller */
	if (unshare(p.namespaces & (CLONE_NEWPID | CLONE_NEWTIME)) < 0)
		die("unshare:");
	struct waiting w = {.child = fork_into(p.cgroup),
			    .status = status[0],
			    .signals = -1,
			    .is_init = p.namespaces & CLONE_NEWPID,
			    .pid_file = p.pid_file,
			    .pid_fd = -1,
			    .ready = p.ready};

	if (w.child < 0)
		die(p.cgroup < 0 ? "fork:" : "fork into the cgroup of --cgroup-fd:");
	if (p.cgroup >= 0)
		shut(p.cgroup);
	if (w.child == 0) {
		shut(status[0]);
		if (p.ready >= 0)
			shut(p.ready);
		child(&p, &m, status[1]);
	}
	shut(status[1]);
	if (signal(SIGPIPE, SIG_IGN) == SIG_ERR)
		die("signal SIGPIPE:");
	if (p.console >= 0)
		shut(p.console);
	if (m.view.user_ns >= 0)
		shut(m.view.user_ns);
	w.signals = signalfd(-1, &signals, SFD_CLOEXEC);
	if (w.signals < 0)
		die("signalfd:");
	return wait_for(&w);
}
