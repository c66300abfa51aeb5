/* sc-netns: make a named network namespace that belongs to a user namespace
 * usage: sc-netns --uid-map=INSIDE:OUTSIDE:COUNT... --gid-map=INSIDE:OUTSIDE:COUNT... NAME
 *
 * 'ip netns add' makes namespaces that belong to the host's user namespace: root of a container
 * with a user namespace of its own holds no privilege there, not even that of ping. This makes
 * /run/netns/NAME belong to a new user namespace with the given maps, which sc-clone finds again
 * through it (--user-of). 'ip netns' lists, enters and deletes it as any other.
 *
 * Exit codes: 0; 125 own failure. See sc-netns(8); ip-netns(8), user_namespaces(7),
 * network_namespaces(7), ioctl_ns(2). */
#include <fcntl.h>
#include <getopt.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/stat.h>

#include "user-namespace.h"

#define DIRECTORY "/run/netns"

/* what 'ip netns add' does before its first namespace, so that every mount namespace of the host
 * sees, and lets go of, what is mounted there */
static void share_directory(void)
{
	if (mkdir(DIRECTORY, 0755) < 0 && errno != EEXIST)
		die("mkdir " DIRECTORY ":");
	if (mount("", DIRECTORY, "none", MS_SHARED | MS_REC, NULL) == 0)
		return;
	/* EINVAL: not a mount point yet */
	if (errno != EINVAL || mount(DIRECTORY, DIRECTORY, "none", MS_BIND | MS_REC, NULL) < 0 ||
	    mount("", DIRECTORY, "none", MS_SHARED | MS_REC, NULL) < 0)
		die("make " DIRECTORY " a shared mount:");
}

/* a bind mount of the namespace's file keeps the namespace when its last process is gone */
static void name_namespace(int namespace, const char *file)
{
	char source[64];
	int fd = open(file, O_RDONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0);

	if (fd < 0)
		die("create %s:", file);
	if (close(fd) < 0)
		die("close %s:", file);
	if (snprintf(source, sizeof(source), "/proc/self/fd/%d", namespace) < 0)
		die("snprintf:");
	if (mount(source, file, "none", MS_BIND, NULL) < 0) {
		warn("mount %s on %s:", source, file);
		if (unlink(file) < 0)
			warn("unlink %s:", file);
		exit(EXIT_HELPER);
	}
}

int main(int argc, char **argv)
{
	static const struct option options[] = {{"uid-map", required_argument, NULL, 'u'},
						{"gid-map", required_argument, NULL, 'g'},
						{0}};
	struct id_maps uids = {0}, gids = {0};
	char file[sizeof(DIRECTORY) + 256];
	int c;

	prog = "sc-netns";
	opterr = 0;
	while ((c = getopt_long(argc, argv, "+", options, NULL)) != -1) {
		if (c != 'u' && c != 'g')
			die("usage: sc-netns --uid-map=MAP... --gid-map=MAP... NAME");
		map_add(c == 'u' ? &uids : &gids, c == 'u' ? "--uid-map" : "--gid-map", optarg);
	}
	if (argc - optind != 1)
		die("usage: sc-netns --uid-map=MAP... --gid-map=MAP... NAME");
	const char *name = argv[optind];

	if (!*name || strchr(name, '/') || strcmp(name, ".") == 0 || strcmp(name, "..") == 0)
		die("'%s' cannot be the name of a namespace", name);
	int length = snprintf(file, sizeof(file), DIRECTORY "/%s", name);

	if (length < 0 || (size_t)length >= sizeof(file))
		die("'%s' is too long for a name", name);
	int namespace = make_user_namespace(&uids, &gids, "net", CLONE_NEWNET);

	share_directory();
	name_namespace(namespace, file);
	return 0;
}
