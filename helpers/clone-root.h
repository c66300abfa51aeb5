/* clone-root.h: the new root, and how to leave the old one.
 *
 * Sources: pivot_root(2) "pivot_root(".", ".")", overlayfs.rst, mount_setattr(2).
 *
 * The layers of an overlay get short names on a tmpfs of their own: any number of layers with any
 * names fits the one page of options that mount(2) takes, and an idmapped layer has to be
 * mounted somewhere (Linux before 6.15). Both disappear with the old root. */
#ifndef SC_CLONE_ROOT_H
#define SC_CLONE_ROOT_H

#include "clone-mounts.h"

struct overlay {
	char *lower, *upper, *work;
	char options[4096];
	size_t used;
};

static void overlay_option(struct overlay *o, const char *separator, const char *text)
{
	int length =
	    snprintf(o->options + o->used, sizeof(o->options) - o->used, "%s%s", separator, text);

	if (length < 0 || (size_t)length >= sizeof(o->options) - o->used)
		die("overlay: more options than fit in %zu bytes", sizeof(o->options));
	o->used += (size_t)length;
}

static bool take(char **to, char *word, const char *name)
{
	size_t length = strlen(name);

	if (strncmp(word, name, length) != 0)
		return false;
	*to = word + length;
	return true;
}

/* the workspace gets `name`, a mount of source as its owners are on disk, translated */
static void idmapped_layer(int space, const char *name, int tree, const char *source, int user_ns)
{
	idmap_tree(tree, user_ns, false, source);
	if (mkdirat(space, name, 0700) < 0)
		die("mkdir %s:", name);
	int target = openat(space, name, O_PATH | O_DIRECTORY | O_CLOEXEC);

	if (target < 0)
		die("open %s:", name);
	attach(tree, target, source);
	shut(target);
	shut(tree);
}

/* the directory both lie in, if that is one; the names in it */
static char *common_parent(struct overlay *o, const char **upper, const char **work)
{
	char *slash = strrchr(o->upper, '/');
	const char *other = strrchr(o->work, '/');

	if (!slash || !other || slash - o->upper != other - o->work ||
	    strncmp(o->upper, o->work, (size_t)(slash - o->upper)) != 0 || !slash[1] || !other[1])
		die("overlay: upperdir %s and workdir %s are not in one directory", o->upper,
		    o->work);
	*upper = slash + 1;
	*work = other + 1;
	*slash = '\0';
	return o->upper;
}

static void take_options(struct overlay *o, struct mount *m)
{
	char *rest;

	for (size_t n = 0; n < m->ndata; n++)
		if (!take(&o->lower, m->data[n], "lowerdir=") &&
		    !take(&o->upper, m->data[n], "upperdir=") &&
		    !take(&o->work, m->data[n], "workdir="))
			overlay_option(o, o->used ? "," : "", m->data[n]);
	if (!o->lower)
		die("overlay: no lowerdir=");
	if (!o->upper != !o->work)
		die("overlay: upperdir= and workdir= go together");
	for (rest = o->lower; (rest = strchr(rest, ':'));)
		if (rest++[1] == ':')
			die("overlay: '::' in lowerdir is not supported");
}

/* A new upperdir has the owner and the mode of the top of the image: they are those of / inside. */
static void make_upper(const struct overlay *o, const char *top)
{
	struct stat status;

	if (mkdir(o->work, 0700) < 0 && errno != EEXIST)
		die("mkdir %s:", o->work);
	if (mkdir(o->upper, 0700) < 0) {
		if (errno != EEXIST)
			die("mkdir %s:", o->upper);
		return;
	}
	if (stat(top, &status) < 0)
		die("stat %s:", top);
	if (lchown(o->work, 0, 0) < 0 || lchown(o->upper, status.st_uid, status.st_gid) < 0 ||
	    chmod(o->upper, status.st_mode & 07777) < 0)
		die("give %s the owner and mode of the image:", o->upper);
}

static void add_upper(struct overlay *o, int space, int user_ns, int tree)
{
	const char *upper = "", *work = "";

	if (tree < 0) {
		if (symlinkat(o->upper, space, "upper") < 0 || symlinkat(o->work, space, "work"))
			die("symlink %s:", o->upper);
		overlay_option(o, ",upperdir=", "upper,workdir=work");
		return;
	}
	const char *parent = common_parent(o, &upper, &work);

	idmapped_layer(space, "rw", tree, parent, user_ns);
	/* short and plain, whatever they are called */
	if (strpbrk(upper, ",:\\") || strpbrk(work, ",:\\"))
		die("overlay: upperdir and workdir must not contain , : or \\");
	overlay_option(o, ",upperdir=rw/", upper);
	overlay_option(o, ",workdir=rw/", work);
}

/* mounts a new tmpfs on root, in this mount namespace, and goes there */
static int make_workspace(const char *root)
{
	struct mount m = {.source = "scadm", .target = root, .type = "tmpfs"};
	const struct view none = {.root = -1, .user_ns = -1};
	int target = open(root, O_PATH | O_DIRECTORY | O_CLOEXEC);

	if (target < 0)
		die("open %s:", root);
	int space = new_mount(&none, &m);

	attach(space, target, root);
	if (fchdir(space) < 0)
		die("chdir to the workspace:");
	shut(target);
	return space;
}

static void overlay_root(const char *root, struct mount *m, int user_ns)
{
	struct overlay o = {0};
	int layer[LAYERS_MAX], tree = -1;
	char *source[LAYERS_MAX];
	size_t n = 0;
	bool idmap = m->idmap && user_ns >= 0;

	take_options(&o, m);
	/* cloned before the workspace hides what may be below root */
	for (char *rest = o.lower; (source[n] = strsep(&rest, ":")); n++) {
		if (n == LAYERS_MAX - 1)
			die("overlay: more than %d layers", LAYERS_MAX - 1);
		unescape(source[n]);
		if (source[n][0] != '/')
			die("overlay: lowerdir '%s' is not absolute", source[n]);
		layer[n] = idmap ? clone_source(source[n], false) : -1;
	}
	if (o.upper && (o.upper[0] != '/' || o.work[0] != '/'))
		die("overlay: upperdir '%s' or workdir is not absolute", o.upper);
	if (o.upper && m->mkdir)
		make_upper(&o, source[0]);
	if (o.upper && idmap) {
		struct overlay copy = o;
		const char *names[2];
		char upper[PATH_MAX];

		if (snprintf(upper, sizeof(upper), "%s", o.upper) >= (int)sizeof(upper))
			die("overlay: upperdir is too long");
		copy.upper = upper;
		tree = clone_source(common_parent(&copy, &names[0], &names[1]), false);
	}
	int space = make_workspace(root);

	overlay_option(&o, o.used ? "," : "", "lowerdir=");
	for (size_t i = 0; i < n; i++) {
		char name[16];

		if (snprintf(name, sizeof(name), "%zu", i) < 0)
			die("snprintf:");
		if (idmap)
			idmapped_layer(space, name, layer[i], source[i], user_ns);
		else if (symlinkat(source[i], space, name) < 0)
			die("symlink %s:", source[i]);
		overlay_option(&o, i ? ":" : "", name);
	}
	if (o.upper)
		add_upper(&o, space, user_ns, tree);
	if (mount(m->source, ".", "overlay", 0, o.options) < 0)
		die("mount / (overlay of %s%s):", source[0],
		    errno == EINVAL ? ", the kernel's log says more" : "");
	shut(space);
}

/* makes the new root; afterwards view->root is its descriptor */
static void mount_root(struct view *view, const char *root, char *text, const char *file)
{
	struct mount m = {.source = root, .target = "/", .type = "rbind", .bind = true};
	int line = 0;

	m.recursive = true;
	while (next_mount(&text, file, &line, &m) && strcmp(m.target, "/") != 0)
		m = (struct mount){.source = root,
				   .target = "/",
				   .type = "rbind",
				   .bind = true,
				   .recursive = true};
	/* what is still missing in it must be made first */
	view->read_only = m.set & MOUNT_ATTR_RDONLY;
	m.set &= ~(uint64_t)MOUNT_ATTR_RDONLY;
	if (m.bind) {
		int tree = bind_mount(view, &m);
		int target = open(root, O_PATH | O_DIRECTORY | O_CLOEXEC);

		if (target < 0)
			die("open %s:", root);
		attach(tree, target, root);
		shut(target);
		view->root = tree;
	} else if (strcmp(m.type, "overlay") == 0) {
		struct mount_attr attributes = {
		    .attr_set = m.set, .attr_clr = m.clear, .propagation = MS_PRIVATE};

		overlay_root(root, &m, view->user_ns);
		view->root = open(root, O_PATH | O_DIRECTORY | O_CLOEXEC);
		if (view->root < 0)
			die("open %s:", root);
		if (set_attributes(view->root, false, attributes) < 0)
			die("mount /: set the flags:");
	} else {
		die("mount /: type %s is neither overlay nor bind", m.type);
	}
}

/* the old root, all its mounts and every way back to them are gone afterwards */
static void leave_old_root(int root)
{
	if (fchdir(root) < 0)
		die("chdir to the new root:");
	if (syscall(SYS_pivot_root, ".", ".") < 0)
		die("pivot_root:");
	/* the old root now lies on top of the new one, and "." is in it */
	if (umount2(".", MNT_DETACH) < 0)
		die("umount the old root:");
	if (chdir("/") < 0)
		die("chdir /:");
	shut(root);
}

#endif
