/* ipam-db.h: the database of sc-ipam: open it, ask it, and say what went wrong.
 *
 * Every value is a bound parameter. An error ends the process: what is not committed by
 * then has not happened (https://www.sqlite.org/wal.html). */
#ifndef SC_IPAM_DB_H
#define SC_IPAM_DB_H

#include <fcntl.h>
#include <sqlite3.h>
#include <stdbool.h>
#include <stdint.h>
#include <time.h>

#include "ipam-addr.h"

#define PART       8192           /* addresses in a row of table bitmaps */
#define PATIENCE   10             /* seconds to wait for other processes */
#define CHECKPOINT 100            /* pages of log; see trim_log() */
#define RESERVE    (1024L * 1024) /* bytes of log, some 250 pages: room for drop on a full disk */
#define SCHEMA                                                                                     \
	"CREATE TABLE pools(name TEXT PRIMARY KEY NOT NULL, subnet TEXT NOT NULL, "                \
	"gateway TEXT NOT NULL, range TEXT NOT NULL, last INTEGER NOT NULL) WITHOUT ROWID;"        \
	"CREATE TABLE bitmaps(pool TEXT NOT NULL, part INTEGER NOT NULL, free INTEGER NOT NULL, "  \
	"bits BLOB NOT NULL, UNIQUE(pool, part));"                                                 \
	"CREATE INDEX room ON bitmaps(pool, part) WHERE free > 0;"                                 \
	"CREATE TABLE leases(pool TEXT NOT NULL, host INTEGER NOT NULL, address TEXT NOT NULL, "   \
	"owner TEXT NOT NULL, names TEXT NOT NULL, since TEXT NOT NULL, PRIMARY KEY(pool, host)) " \
	"WITHOUT ROWID;"                                                                           \
	"CREATE INDEX owners ON leases(owner);" HOSTS_TABLE
/* what version 2 brought: the hosts files that show a pool, and the lines each has of its own */
#define HOSTS_TABLE                                                                                \
	"CREATE TABLE hosts(path TEXT NOT NULL, place INTEGER NOT NULL, pool TEXT NOT NULL, "      \
	"own TEXT NOT NULL, PRIMARY KEY(path, pool)) WITHOUT ROWID;"                               \
	"CREATE INDEX shows ON hosts(pool);"                                                       \
	"PRAGMA user_version = 2;"
#define VERSION 2

/* from 2: 1 is what getopt_long() returns for an operand */
enum option_name {
	DB = 2,
	GATEWAY,
	RANGE,
	IF_EMPTY,
	AFTER,
	HOSTS,
	OWN,
	OWNER,
	FORMAT,
	HELP,
	OPTIONS
};

struct request {
	const char *option[OPTIONS];
	char **word; /* the operands */
	int words;
	const char *text;    /* the verb and its first operands, for messages */
	struct name *answer; /* what to print when it is done */
	sqlite3 *db;
	int64_t version; /* of the tables, 0 when there are none */
	int log_pages;
};

static _Noreturn void fail(const struct request *rq)
{
	int code = sqlite3_errcode(rq->db) & 0xff, error = sqlite3_system_errno(rq->db);
	const char *why = "";

	if (code == SQLITE_BUSY)
		why = " (other processes kept it locked for 10 seconds)";
	else if (code == SQLITE_FULL)
		why = " (nothing was changed)";
	else if (code == SQLITE_CORRUPT || code == SQLITE_NOTADB)
		why = " (move it away, or see '.recover' in sqlite3(1))";
	else if ((code == SQLITE_CANTOPEN || code == SQLITE_IOERR) && error)
		why = strerror(error);
	die("%s: %s: %s%s%s", rq->text, rq->option[DB], sqlite3_errmsg(rq->db),
	    *why && *why != ' ' ? ": " : "", why);
}

static _Noreturn void damaged(const struct request *rq, const char *what)
{
	die("%s: %s: %s; the database is damaged", rq->text, rq->option[DB], what);
}

/* types: s = text or NULL, i = int64_t, b = bits of one part */
static sqlite3_stmt *query(const struct request *rq, const char *sql, const char *types, ...)
{
	sqlite3_stmt *stmt;
	va_list args;
	int code = sqlite3_prepare_v2(rq->db, sql, -1, &stmt, NULL);

	va_start(args, types);
	for (int i = 0; code == SQLITE_OK && types[i]; i++) {
		if (types[i] == 's')
			code = sqlite3_bind_text(stmt, i + 1, va_arg(args, const char *), -1,
						 SQLITE_STATIC);
		else if (types[i] == 'i')
			code = sqlite3_bind_int64(stmt, i + 1, va_arg(args, int64_t));
		else
			code = sqlite3_bind_blob(stmt, i + 1, va_arg(args, const void *), PART / 8,
						 SQLITE_STATIC);
	}
	va_end(args);
	if (code != SQLITE_OK)
		fail(rq);
	return stmt;
}

/* to the next row; without one the statement is finished and gone */
static bool step(const struct request *rq, sqlite3_stmt *stmt)
{
	int code = sqlite3_step(stmt);

	if (code == SQLITE_ROW)
		return true;
	if (code != SQLITE_DONE || sqlite3_finalize(stmt) != SQLITE_OK)
		fail(rq);
	return false;
}

static void finish(const struct request *rq, sqlite3_stmt *stmt)
{
	if (sqlite3_finalize(stmt) != SQLITE_OK)
		fail(rq);
}

static void execute(const struct request *rq, const char *sql)
{
	if (sqlite3_exec(rq->db, sql, NULL, NULL, NULL) != SQLITE_OK)
		fail(rq);
}

static const char *column(sqlite3_stmt *stmt, int index)
{
	const unsigned char *value = sqlite3_column_text(stmt, index);

	return value ? (const char *)value : "";
}

/* Sqlite's own busy timeout sleeps longer the longer it has waited, so that with many
 * processes the unlucky one is overtaken until it gives up. Here all wait alike. */
static int wait_turn(void *since, int calls)
{
	struct timespec *start = since, now, nap = {0, 1000000 + (getpid() % 16) * 100000};

	if (clock_gettime(CLOCK_MONOTONIC, &now) < 0)
		return 0;
	if (calls == 0)
		*start = now;
	if (now.tv_sec - start->tv_sec > PATIENCE)
		return 0;
	return nanosleep(&nap, NULL) == 0 || errno == EINTR;
}

static int64_t schema_version(const struct request *rq)
{
	sqlite3_stmt *stmt = query(rq, "PRAGMA user_version", "");
	int64_t version = step(rq, stmt) ? sqlite3_column_int64(stmt, 0) : 0;

	finish(rq, stmt);
	if (version > VERSION)
		die("%s: %s is version %lld, made by a newer sc-ipam", rq->text, rq->option[DB],
		    (long long)version);
	return version;
}

static int log_grew(void *pages, sqlite3 *db, const char *name, int count)
{
	(void)db;
	(void)name;
	*(int *)pages = count;
	return SQLITE_OK;
}

/* false: there is no database, or none of ours in the file */
static bool open_db(struct request *rq, bool create)
{
	static struct timespec waiting; /* sqlite keeps a pointer to it until exit */
	int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX;
	/* "./" because sqlite has its own idea of names such as :memory: */
	const char *dot = rq->option[DB][0] == '/' ? "" : "./";
	char *path = sqlite3_mprintf("%s%s", dot, rq->option[DB]);

	if (!path)
		die("open %s: %s", rq->option[DB], strerror(ENOMEM));
	if (!create && access(path, F_OK) < 0 && (errno == ENOENT || errno == ENOTDIR)) {
		sqlite3_free(path);
		return false;
	}
	int code = sqlite3_open_v2(path, &rq->db, flags | (create ? SQLITE_OPEN_CREATE : 0), NULL);

	sqlite3_free(path);
	if (code != SQLITE_OK || sqlite3_extended_result_codes(rq->db, 1) != SQLITE_OK ||
	    sqlite3_busy_handler(rq->db, wait_turn, &waiting) != SQLITE_OK)
		fail(rq);
	/* Each process is the last to close the file: without this each of them would write
	 * the log back, fsync twice and delete it. */
	if (sqlite3_db_config(rq->db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL) != SQLITE_OK)
		fail(rq);
	/* With a write-ahead log NORMAL never damages the database. What a power cut may
	 * take is the last leases, of containers that ended in the same power cut; FULL
	 * would pay an fsync for each lease. */
	execute(rq, "PRAGMA synchronous = NORMAL");
	(void)sqlite3_wal_hook(rq->db, log_grew, &rq->log_pages);
	if ((rq->version = schema_version(rq)) > 0)
		return true;
	if (!create)
		return false;
	/* the switch can fail as busy without asking wait_turn() */
	for (int calls = 0;; calls++) {
		code = sqlite3_exec(rq->db, "PRAGMA journal_mode = WAL", NULL, NULL, NULL);
		if (code == SQLITE_OK)
			return true;
		if ((code & 0xff) != SQLITE_BUSY || !wait_turn(&waiting, calls))
			fail(rq);
	}
}

/* Blocks for the log in advance, so that on a full disk addresses can still be dropped.
 * On a disk that is full already, or cannot do it, there is no reserve and no harm. */
static void reserve_log(const struct request *rq)
{
	const char *log = sqlite3_filename_wal(sqlite3_db_filename(rq->db, "main"));
	int fd = log ? open(log, O_WRONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK) : -1;

	if (fd < 0)
		return;
	(void)fallocate(fd, FALLOC_FL_KEEP_SIZE, 0, RESERVE);
	(void)close(fd);
}

/* Each process that finds itself alone reads the whole log, so it is kept short. Sqlite's own
 * checkpoints would not do: that a log may be used from its start again is noted in FILE-shm,
 * which the next process that is alone makes anew, and so the log would grow for ever. Hence
 * TRUNCATE. If others are reading, the next one does it. */
static void trim_log(const struct request *rq)
{
	if (rq->log_pages < CHECKPOINT)
		return;
	(void)sqlite3_busy_handler(rq->db, NULL, NULL);
	if (sqlite3_wal_checkpoint_v2(rq->db, NULL, SQLITE_CHECKPOINT_TRUNCATE, NULL, NULL) ==
	    SQLITE_OK)
		reserve_log(rq);
}

#endif
