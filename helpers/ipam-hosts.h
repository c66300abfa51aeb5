/* ipam-hosts.h: the hosts files (hosts(5)) of sc-ipam, which running containers have mounted.
 *
 * Table hosts says which file shows the leases of which pools. Whoever changes a lease writes the
 * files of its pool, inside the transaction: so the cost of a lease is that of the files of its
 * network, and a line that another process writes is never lost. */
#ifndef SC_IPAM_HOSTS_H
#define SC_IPAM_HOSTS_H

#include <sys/stat.h>

#include "ipam-pool.h"

#define PAD_MAX (64L * 1024) /* bytes; see write_lines() */
#define OWN_MAX (64L * 1024) /* bytes of lines that a file has of its own */

/* For hosts every mistake is an error. For take a file that is none is left out and said, as it may
 * be that of another container; what a full disk spoils is an error. For undo commands nothing is
 * one, and a missing file stays away. */
enum purpose { FOR_HOSTS, FOR_TAKE, FOR_UNDO };

enum outcome { WRITTEN, LEFT_OUT, DIRECTORY_GONE, FAILED };

static bool directory_gone(const char *path)
{
	char *directory = sqlite3_mprintf("%.*s", (int)(strrchr(path, '/') - path) + 1, path);
	bool gone =
	    directory && access(directory, F_OK) < 0 && (errno == ENOENT || errno == ENOTDIR);

	sqlite3_free(directory);
	return gone;
}

/* Opens a regular file and never follows a link. Returns the descriptor, or -1 with *outcome. */
static int open_hosts(const struct request *rq, const char *path, enum purpose purpose,
		      struct stat *status, enum outcome *outcome)
{
	int flags = O_RDWR | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK;
	int fd = open(path, flags);

	*outcome = purpose == FOR_HOSTS ? FAILED : LEFT_OUT;
	if (fd < 0 && (errno == ENOENT || errno == ENOTDIR)) {
		if (purpose != FOR_HOSTS && directory_gone(path))
			*outcome = DIRECTORY_GONE;
		if (purpose == FOR_UNDO || *outcome == DIRECTORY_GONE)
			return -1;
		fd = open(path, flags | O_CREAT | O_EXCL, 0600);
		if (fd >= 0 && fchmod(fd, 0644) < 0) {
			warn("%s: chmod %s:", rq->text, path);
			(void)close(fd);
			return -1;
		}
	}
	if (fd < 0 || fstat(fd, status) < 0) {
		warn("%s: open %s:", rq->text, path);
	} else if (!S_ISREG(status->st_mode)) {
		warn("%s: open %s: not a regular file", rq->text, path);
	} else {
		return fd;
	}
	if (fd >= 0)
		(void)close(fd);
	return -1;
}

/* In place, since containers have this inode mounted. What is behind the new content is
 * overwritten by empty lines before it is cut off: a reader in between never sees half of
 * an old line. A file may have been made huge, so this has a limit. */
static bool write_lines(sqlite3_str *lines, int fd, off_t size)
{
	off_t length = sqlite3_str_length(lines), done = 0;
	off_t end = size < length + PAD_MAX ? size : length + PAD_MAX;

	if (sqlite3_str_length(lines) < end)
		sqlite3_str_appendchar(lines, (int)(end - sqlite3_str_length(lines)), '\n');
	errno = ENOMEM;
	if (sqlite3_str_errcode(lines) != SQLITE_OK)
		return false;
	/* a full disk is noticed here, while the old content is untouched */
	if (fallocate(fd, FALLOC_FL_KEEP_SIZE, 0, length) < 0 &&
	    (errno == ENOSPC || errno == EDQUOT))
		return false;
	while (done < sqlite3_str_length(lines)) {
		ssize_t wrote = pwrite(fd, sqlite3_str_value(lines) + done,
				       (size_t)(sqlite3_str_length(lines) - done), done);

		if (wrote < 0)
			return false;
		done += wrote;
	}
	return ftruncate(fd, length) == 0;
}

/* The lines of --own. false: there are none, or not all of them, and that was said; a file that
 * went since it was registered simply has none. */
static bool append_own(const struct request *rq, sqlite3_str *lines, const char *path,
		       enum purpose purpose)
{
	char text[4096];
	struct stat status;
	off_t done = 0;
	ssize_t got = 1;
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);

	if (fd < 0 && errno == ENOENT && purpose != FOR_HOSTS)
		return true;
	if (fd < 0 || fstat(fd, &status) < 0) {
		warn("%s: open %s:", rq->text, path);
		got = -1;
	} else if (!S_ISREG(status.st_mode) || status.st_size > OWN_MAX) {
		warn("%s: %s is not a regular file of at most 64 KB", rq->text, path);
		got = -1;
	}
	for (; got > 0 && done < OWN_MAX; done += got) {
		got = pread(fd, text, sizeof(text), done);
		if (got < 0)
			warn("%s: read %s:", rq->text, path);
		else
			sqlite3_str_append(lines, text, (int)got);
	}
	if (done > 0 && sqlite3_str_errcode(lines) == SQLITE_OK &&
	    sqlite3_str_value(lines)[sqlite3_str_length(lines) - 1] != '\n')
		sqlite3_str_appendchar(lines, 1, '\n');
	if (fd >= 0)
		(void)close(fd);
	return got >= 0;
}

static enum outcome write_hosts(const struct request *rq, const char *path, const char *own,
				enum purpose purpose)
{
	enum outcome outcome;
	struct stat status;
	int fd = open_hosts(rq, path, purpose, &status, &outcome);

	if (fd < 0)
		return outcome;
	sqlite3_str *lines = sqlite3_str_new(rq->db);

	sqlite3_str_appendall(lines,
			      "127.0.0.1 localhost\n::1 localhost ip6-localhost ip6-loopback\n");
	if (*own && !append_own(rq, lines, own, purpose) && purpose == FOR_HOSTS)
		exit(EXIT_HELPER);
	sqlite3_stmt *stmt = query(rq,
				   "SELECT address, names FROM hosts JOIN leases USING(pool) "
				   "WHERE path = ?1 AND names <> '' ORDER BY place, host",
				   "s", path);

	while (step(rq, stmt)) {
		sqlite3_str_appendall(lines, column(stmt, 0));
		sqlite3_str_appendchar(lines, 1, ' ');
		sqlite3_str_appendall(lines, column(stmt, 1));
		sqlite3_str_appendchar(lines, 1, '\n');
	}
	bool written = write_lines(lines, fd, status.st_size);

	if (!written)
		warn("%s: write %s:", rq->text, path);
	sqlite3_free(sqlite3_str_finish(lines));
	if (close(fd) < 0 && written) {
		warn("%s: close %s:", rq->text, path);
		written = false;
	}
	return written ? WRITTEN : FAILED;
}

static void unregister(const struct request *rq, const char *path)
{
	(void)step(rq, query(rq, "DELETE FROM hosts WHERE path = ?1", "s", path));
}

/* For a pool that goes. It has no lease, so no file has a line of it. A file that shows other pools
 * as well goes too: nobody is on all of them any longer. */
static void forget_files(const struct request *rq, const char *pool)
{
	sqlite3_stmt *stmt = query(rq,
				   "SELECT path FROM hosts GROUP BY path "
				   "HAVING count(*) > 1 AND sum(pool = ?1) > 0",
				   "s", pool);

	while (step(rq, stmt)) {
		const char *path = column(stmt, 0);

		/* what is in the way, or gone with its directory, is no reason to fail */
		if (unlink(path) < 0 && errno != ENOENT && errno != ENOTDIR)
			warn("%s: remove %s:", rq->text, path);
	}
	(void)step(rq, query(rq,
			     "DELETE FROM hosts WHERE path IN "
			     "(SELECT path FROM hosts WHERE pool = ?1)",
			     "s", pool));
}

/* Writes every file that shows one of the pools, a JSON array. A file whose directory is gone was
 * that of a network or a container that is gone. false: one could not be written. */
static bool update_hosts(const struct request *rq, const char *pools, enum purpose purpose)
{
	bool all = true;
	sqlite3_stmt *stmt = query(rq,
				   "SELECT DISTINCT path, own FROM hosts WHERE pool IN "
				   "(SELECT value FROM json_each(?1))",
				   "s", pools);

	while (step(rq, stmt)) {
		char *path = sqlite3_mprintf("%s", column(stmt, 0));

		if (!path)
			die("%s: %s", rq->text, strerror(ENOMEM));
		switch (write_hosts(rq, path, column(stmt, 1), purpose)) {
		case DIRECTORY_GONE:
			unregister(rq, path);
			break;
		case FAILED:
			all = false;
			break;
		case WRITTEN:
		case LEFT_OUT:
			break;
		}
		sqlite3_free(path);
	}
	return all;
}

/* The files are written before the commit, while the lock keeps others away. If one cannot be
 * written, or the commit fails, they are written once more, from the leases as they are without
 * us. pools: those whose leases have changed, as a JSON array, or NULL. */
static void commit(const struct request *rq, const char *pools, enum purpose purpose)
{
	char *why = NULL;
	bool written = !pools || update_hosts(rq, pools, purpose) || purpose == FOR_UNDO;

	if (written && sqlite3_exec(rq->db, "COMMIT", NULL, NULL, NULL) == SQLITE_OK)
		return;
	if (written)
		why = sqlite3_mprintf("%s: %s", rq->option[DB], sqlite3_errmsg(rq->db));
	(void)sqlite3_exec(rq->db, "ROLLBACK", NULL, NULL, NULL);
	if (pools) {
		execute(rq, "BEGIN IMMEDIATE");
		(void)update_hosts(rq, pools, FOR_UNDO);
		(void)sqlite3_exec(rq->db, "ROLLBACK", NULL, NULL, NULL);
	}
	if (why)
		die("%s: %s (no lease was changed)", rq->text, why);
	/* said where it happened */
	exit(EXIT_HELPER);
}

#endif
