/* sc-archive: a tree inside a root as a tar archive, and the other way
 * usage: sc-archive pack [--overlay] [--one-file-system] [--follow] [--name=NAME] WHERE [PATH]
 *        sc-archive unpack [--as=UID:GID] [--no-setuid] [--follow] WHERE DIR
 *        sc-archive stat [--follow] WHERE PATH
 *   WHERE  ROOT | --target=PID [--start-time=N] [--bare] | --fstab=FILE [--bare] ROOT;
 * [--uid-base=N]
 *
 * Exit codes: 0; 125 own failure. See sc-archive(8); pax(1) of POSIX, tar(5), the image-spec of OCI
 * (layer.md), chroot(2), openat2(2), capabilities(7). */
#include <getopt.h>
#include <signal.h>

#include "archive-root.h"

#include "archive-pack.h"
#include "archive-stat.h"
#include "archive-unpack.h"

struct request {
	struct root root;
	struct ids ids;
	bool overlay, one_file_system, follow, as, no_setuid;
	unsigned int uid, gid;
	const char *name, *path;
};

static _Noreturn void usage(void)
{
	die("usage: sc-archive pack|unpack|stat [OPTION]... [ROOT] [PATH], see sc-archive(8)");
}

/* UID:GID, as numbers: names are those of whoever has the database */
static void take_owner(struct request *want, const char *text)
{
	char uid[32];
	const char *colon = strchr(text, ':');

	if (!colon || (size_t)(colon - text) >= sizeof(uid))
		die("--as=%s: want UID:GID", text);
	memcpy(uid, text, (size_t)(colon - text));
	uid[colon - text] = '\0';
	want->uid = (unsigned int)number("--as", uid, 0, UINT_MAX - 1);
	want->gid = (unsigned int)number("--as", colon + 1, 0, UINT_MAX - 1);
	want->as = true;
}

static void read_request(struct request *want, int argc, char **argv)
{
	enum {
		OVERLAY_FORM = 1,
		ONE,
		FOLLOW,
		NAME,
		TARGET,
		START,
		FSTAB,
		BARE,
		BASE,
		AS,
		PLAIN,
		READ_ONLY
	};
	static const struct option options[] = {{"overlay", no_argument, NULL, OVERLAY_FORM},
						{"one-file-system", no_argument, NULL, ONE},
						{"follow", no_argument, NULL, FOLLOW},
						{"name", required_argument, NULL, NAME},
						{"target", required_argument, NULL, TARGET},
						{"start-time", required_argument, NULL, START},
						{"fstab", required_argument, NULL, FSTAB},
						{"bare", no_argument, NULL, BARE},
						{"uid-base", required_argument, NULL, BASE},
						{"as", required_argument, NULL, AS},
						{"no-setuid", no_argument, NULL, PLAIN},
						{"read-only", no_argument, NULL, READ_ONLY},
						{0}};
	struct root *root = &want->root;

	opterr = 0;
	for (int c; (c = getopt_long(argc, argv, "+", options, NULL)) != -1;) {
		switch (c) {
		case OVERLAY_FORM:
			want->overlay = true;
			break;
		case ONE:
			want->one_file_system = true;
			break;
		case FOLLOW:
			want->follow = true;
			break;
		case NAME:
			want->name = optarg;
			break;
		case TARGET:
			root->target = (pid_t)number("--target", optarg, 1, 1 << 22);
			break;
		case START:
			root->start_time = number("--start-time", optarg, 0, ~0ULL - 1);
			root->check_start = true;
			break;
		case FSTAB:
			root->fstab = optarg;
			break;
		case BARE:
			root->bare = true;
			break;
		case BASE:
			want->ids.base =
			    (unsigned int)number("--uid-base", optarg, 0, UINT_MAX - OWNERS);
			want->ids.limited = true;
			break;
		case AS:
			take_owner(want, optarg);
			break;
		case PLAIN:
			want->no_setuid = true;
			break;
		case READ_ONLY:
			root->read_only = true;
			break;
		default:
			die("option %s: unknown or without its value, see sc-archive(8)",
			    argv[optind - 1]);
		}
	}
	if (!root->target && optind < argc)
		root->directory = argv[optind++];
	if (optind < argc)
		want->path = argv[optind++];
	if (optind < argc || (!root->target && !root->directory) || (root->target && root->fstab))
		usage();
	if (root->bare && !root->target && !root->fstab)
		die("--bare needs --target or --fstab");
	if (root->read_only && !root->fstab)
		die("--read-only needs --fstab");
	if (want->path && !*want->path)
		die("the path is empty");
	if (want->name &&
	    (!*want->name || strchr(want->name, '/') || strcmp(want->name, "..") == 0))
		die("'%s' cannot be the name of a member", want->name);
}

/* the last part of a path, without slashes behind it; "." if that leads elsewhere */
static const char *last_part(const char *path, char *buffer, size_t size)
{
	size_t end = strlen(path);

	while (end > 0 && path[end - 1] == '/')
		end--;
	size_t start = end;

	while (start > 0 && path[start - 1] != '/')
		start--;
	int n = snprintf(buffer, size, "%.*s", (int)(end - start), path + start);

	if (n < 0 || (size_t)n >= size)
		die("%s: the path is too long", path);
	return !*buffer || strcmp(buffer, "..") == 0 ? "." : buffer;
}

static void pack(struct request *want, int descriptors)
{
	struct packing p = {0};
	char buffer[PATH_END];
	struct stat status;
	const char *path = want->path ? want->path : "/";
	unsigned long long capabilities =
	    CAPS_BIT(CAP_DAC_READ_SEARCH) | (want->overlay ? CAPS_BIT(CAP_SYS_ADMIN) : 0);

	p.out.fd = STDOUT_FILENO;
	p.overlay = want->overlay;
	p.one_file_system = want->one_file_system;
	p.descriptors = descriptors;
	if (isatty(STDOUT_FILENO))
		die("standard output is a terminal, which cannot show an archive");
	enter_root(&want->root, &want->ids, capabilities);
	p.ids = want->ids;
	int top = open_inside(path, O_PATH | (want->follow ? 0 : O_NOFOLLOW));

	if (top < 0)
		die("open %s:", path);
	if (fstat(top, &status) < 0)
		die("fstat %s:", path);
	if (is_of_kernel(top, path))
		die("%s is something that the kernel tells, and no part of a tree", path);
	if (S_ISSOCK(status.st_mode))
		die("%s is a socket, which is nothing that can be kept", path);
	path_add(&p, 0, want->name ? want->name : last_part(path, buffer, sizeof(buffer)), "");
	pack_node(&p, top, 0, status.st_dev);
	put_end(&p.out);
}

static void tell(struct request *want, int descriptors)
{
	if (!want->path)
		usage();
	enter_root(&want->root, &want->ids, CAPS_BIT(CAP_DAC_READ_SEARCH));
	tell_path(want->path, want->follow, descriptors);
}

static bool unpack(const struct request *want)
{
	const unsigned long long capabilities = CAPS_BIT(CAP_CHOWN) | CAPS_BIT(CAP_DAC_OVERRIDE) |
						CAPS_BIT(CAP_FOWNER) | CAPS_BIT(CAP_FSETID) |
						CAPS_BIT(CAP_SETFCAP);
	struct unpacking u = {.in = {.fd = STDIN_FILENO},
			      .ids = want->ids,
			      .as = want->as,
			      .no_setuid = want->no_setuid,
			      .follow = want->follow,
			      .uid = want->uid,
			      .gid = want->gid};

	if (!want->path)
		usage();
	if (isatty(STDIN_FILENO))
		die("standard input is a terminal, no archive");
	enter_root(&want->root, &u.ids, capabilities);
	u.top = open_inside(want->path, O_PATH | O_DIRECTORY);
	if (u.top < 0)
		die("open %s:", want->path);
	return unpack_archive(&u);
}

int main(int argc, char **argv)
{
	struct request want = {0};

	prog = "sc-archive";
	if (argc < 2)
		usage();
	read_request(&want, argc - 1, argv + 1);
	/* What the caller has open stays so, as there is no program to hand it to: a lock of his
	 * counts until the last who works under it is done. */
	/* who reads the archive and stops has said why */
	if (signal(SIGPIPE, SIG_DFL) == SIG_ERR)
		die("signal SIGPIPE:");
	(void)umask(0);
	allow_deep_trees();
	int descriptors = open("/proc/self/fd", O_PATH | O_DIRECTORY | O_CLOEXEC);

	if (descriptors < 0)
		die("open /proc/self/fd:");
	if (strcmp(argv[1], "pack") == 0)
		pack(&want, descriptors);
	else if (strcmp(argv[1], "unpack") == 0)
		return unpack(&want) ? 0 : EXIT_HELPER;
	else if (strcmp(argv[1], "stat") == 0)
		tell(&want, descriptors);
	else
		usage();
	return 0;
}
