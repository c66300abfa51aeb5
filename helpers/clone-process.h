/* clone-process.h: from root with a new view to the command.
 *
 * Sources: credentials(7), setfsuid(2), keyctl(2), PR_SET_PDEATHSIG in prctl(2), signal(7),
 * environ(7), SECURITY.md S6 S7 S8 S12 S13. */
#ifndef SC_CLONE_PROCESS_H
#define SC_CLONE_PROCESS_H

#include <grp.h>
#include <linux/keyctl.h>
#include <linux/securebits.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <sys/fsuid.h>
#include <sys/prctl.h>

#include "capabilities.h"
#include "clone-paths.h"
#include "passwd.h"
#include "seccomp.h"
#include "signals.h"
#include "user-namespace.h"

#define WORDS_BYTES (16UL * 1024 * 1024) /* more than execve(2) takes */

static const char default_path[] = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/* NUL-terminated words of a file, as an argument vector with room for one word more */
static char **read_words(const char *file)
{
	size_t length, count = 0;
	char *text = read_whole(file, WORDS_BYTES, &length);

	if (length > 0 && text[length - 1])
		die("%s: the last word has no NUL behind it", file);
	for (size_t n = 0; n < length; n++)
		count += !text[n];
	char **words = calloc(count + 2, sizeof(*words));

	if (!words)
		die("calloc:");
	for (size_t n = 0; n < count; n++) {
		words[n] = text;
		text += strlen(text) + 1;
	}
	return words;
}

/* the whole environment of the command */
static char **read_environment(const char *file)
{
	char **words = file ? read_words(file) : calloc(2, sizeof(*words));

	if (!words)
		die("calloc:");
	for (size_t n = 0; words[n]; n++)
		if (!strchr(words[n], '=') || words[n][0] == '=')
			die("%s: '%s' is not NAME=VALUE", file, words[n]);
	return words;
}

static const char *find_variable(char **words, const char *name)
{
	size_t length = strlen(name);

	for (size_t n = 0; words[n]; n++)
		if (strncmp(words[n], name, length) == 0 && words[n][length] == '=')
			return words[n] + length + 1;
	return NULL;
}

/* From now on the container's root owns what is made; everything else about us stays real root.
 * An idmapped layer refuses files of an id that its map lacks, and id 0 of the host is one. */
static void own_as_mapped_root(uid_t uid, gid_t gid)
{
	if (prctl(PR_SET_SECUREBITS, SECBIT_NO_SETUID_FIXUP, 0, 0, 0) < 0)
		die("prctl PR_SET_SECUREBITS:");
	(void)setfsgid(gid);
	(void)setfsuid(uid);
	if ((uid_t)setfsuid((uid_t)-1) != uid || (gid_t)setfsgid((gid_t)-1) != gid)
		die("setfsuid %u:", uid);
	if (prctl(PR_SET_SECUREBITS, 0, 0, 0, 0) < 0)
		die("prctl PR_SET_SECUREBITS:");
}

/* Each change of credentials clears it. status is the pipe that only the parent reads. */
static void die_with(int status)
{
	struct pollfd parent = {.fd = status};

	if (prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) < 0)
		die("prctl PR_SET_PDEATHSIG:");
	if (poll(&parent, 1, 0) < 0)
		die("poll:");
	if (parent.revents & POLLERR)
		exit(EXIT_HELPER);
}

/* ENOSYS: a kernel without keys; EDQUOT would be an accident, not an attack */
static void new_keyring(void)
{
	if (syscall(SYS_keyctl, KEYCTL_JOIN_SESSION_KEYRING, NULL, 0, 0, 0) < 0 && errno != ENOSYS)
		die("keyctl KEYCTL_JOIN_SESSION_KEYRING:");
}

struct credentials {
	struct identity who;
	unsigned long long caps;
	int user_ns; /* -1: none */
	bool no_new_privs;
	struct sock_fprog filter; /* len 0: none */
};

/* The order matters: without no_new_privs a filter needs CAP_SYS_ADMIN (of the namespace just
 * entered), the bounding set CAP_SETPCAP, the ids CAP_SETUID; then nothing is left. */
static void drop_privileges(const struct credentials *to)
{
	if (to->user_ns >= 0) {
		if (setns(to->user_ns, CLONE_NEWUSER) < 0)
			die("enter the user namespace:");
		shut(to->user_ns);
	}
	if (to->filter.len && !to->no_new_privs)
		seccomp_install(&to->filter);
	caps_bound(to->caps);
	if (setgroups(to->who.ngroups, to->who.groups) < 0)
		die("setgroups:");
	if (setresgid(to->who.gid, to->who.gid, to->who.gid) < 0)
		die("setgid %u:", to->who.gid);
	if (setresuid(to->who.uid, to->who.uid, to->who.uid) < 0)
		die("setuid %u:", to->who.uid);
	caps_apply(to->caps, to->who.uid == 0);
}

/* until somebody has opened the other end and written or closed */
static void wait_for_fifo(int fifo)
{
	struct pollfd writer = {.fd = fifo, .events = POLLIN};

	while (poll(&writer, 1, -1) < 0)
		if (errno != EINTR)
			die("poll the fifo:");
	shut(fifo);
}

static void enter_directory(const char *path)
{
	int root = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);

	if (root < 0)
		die("open /:");
	int directory = make_below(root, path, true);

	if (fchdir(directory) < 0)
		die("chdir %s:", path);
	shut(directory);
	shut(root);
}

/* environment has room for HOME */
static _Noreturn void become(char **argv, char **environment, const char *home)
{
	const char *path = find_variable(environment, "PATH");

	if (!find_variable(environment, "HOME")) {
		size_t count = 0;
		char *variable = NULL;

		while (environment[count])
			count++;
		if (asprintf(&variable, "HOME=%s", home) < 0)
			die("asprintf:");
		environment[count] = variable;
	}
	environ = environment;
	if (path) {
		execvp(argv[0], argv);
	} else {
		/* as if the image said so, without telling the command */
		path = default_path;
		if (setenv("PATH", path, 1) < 0)
			die("setenv:");
		execvpe(argv[0], argv, environment);
	}
	int error = errno;

	if (error == ENOENT && !strchr(argv[0], '/'))
		warn("exec %s: %s (not found in PATH %s, or the interpreter it names is missing)",
		     argv[0], strerror(error), path);
	else if (error == ENOENT && access(argv[0], F_OK) == 0)
		warn("exec %s: %s (it exists, but not its interpreter or loader)", argv[0],
		     strerror(error));
	else
		warn("exec %s: %s", argv[0], strerror(error));
	exit(error == ENOENT || error == ENOTDIR ? 127 : 126);
}

#endif
