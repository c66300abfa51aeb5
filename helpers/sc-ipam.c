/* sc-ipam: lease addresses from a bitmap in sqlite
 * usage: sc-ipam --db=FILE VERB ... (the verbs: see verbs[] below, sc-ipam --help, sc-ipam(8))
 * exit codes: 0 done; 75 the address was taken in the meantime, ask next again; 125 all else
 *
 * Rests on https://www.sqlite.org/{wal,partialindex,lang_returning,json1}.html and hosts(5).
 *
 * ipam-db.h has the database, ipam-addr.h the addresses, ipam-pool.h the bitmap, ipam-hosts.h the
 * hosts files; here are the verbs. main() puts each verb into a transaction of its own. */
#include <getopt.h>
#include <signal.h>
#include <sysexits.h>

#include "ipam-hosts.h"

#define OPERAND   1   /* what getopt_long() returns for an operand */
#define LAST_NAME "~" /* sorts behind every name */

static void add_part(const struct request *rq, const struct pool *pool, int64_t part)
{
	unsigned char bits[PART / 8] = {0};
	int64_t start = part * PART, size = ids(&pool->net), free = PART;
	/* set are: network, gateway, broadcast, and what is behind the end of a small pool */
	int64_t never[] = {0, id_of(pool, pool->gateway), size - 1};

	for (int64_t i = size - start; i < PART; i++, free--)
		bits[i / 8] |= (unsigned char)(1 << i % 8);
	for (size_t i = 0; i < LEN(never); i++) {
		int64_t bit = never[i] - start;

		if (bit < 0 || bit >= PART || !never_leased(pool, never[i]))
			continue;
		bits[bit / 8] |= (unsigned char)(1 << bit % 8);
		free--;
	}
	(void)step(rq, query(rq, "INSERT INTO bitmaps VALUES(?1, ?2, ?3, ?4)", "siib", pool->name,
			     part, free, bits));
}

/* called before the database is opened as well: a mistake must not leave an empty one */
static struct pool new_pool(const struct request *rq)
{
	struct pool pool = {.name = valid("pool", rq->word[0])};
	const char *gateway = rq->option[GATEWAY], *range = rq->option[RANGE];
	int64_t first, last, count, size;

	pool.gateway = parse_net(rq->word[1], 8, 30, 64, 126, &pool.net);
	pool.range = pool.net;
	struct name subnet = net_name(pool.net.base, pool.net.length);
	bool stated = pool.gateway.lo != pool.net.base.lo;

	if (is_reserved(&pool.net))
		die("%s: %s is multicast, loopback or reserved", rq->text, subnet.text);
	if (gateway) {
		struct address other;

		if (!parse_address(gateway, &other))
			die("%s: gateway '%s' is not an address", rq->text, gateway);
		if (stated && (other.family != pool.gateway.family || other.hi != pool.gateway.hi ||
			       other.lo != pool.gateway.lo))
			die("%s: two gateways, %s and %s", rq->text,
			    address_name(pool.gateway).text, gateway);
		pool.gateway = other;
	} else if (!stated) {
		pool.gateway.lo++;
	}
	size = ids(&pool.net);
	if (!contains(&pool.net, pool.gateway))
		die("%s: gateway %s is outside of %s", rq->text, gateway, subnet.text);
	if (pool.gateway.lo == pool.net.base.lo ||
	    (pool.net.base.family == AF_INET &&
	     pool.gateway.lo == pool.net.base.lo + (uint64_t)size - 1))
		die("%s: gateway %s is the network or broadcast address of %s", rq->text,
		    address_name(pool.gateway).text, subnet.text);
	if (range) {
		struct address start = parse_net(range, 0, 32, 64, 128, &pool.range);

		if (start.lo != pool.range.base.lo || !contains(&pool.net, start) ||
		    pool.range.length < pool.net.length)
			die("%s: range %s is not a network inside %s", rq->text, range,
			    subnet.text);
	}
	count = range_of(&pool, &first, &last);
	if (count <= 0)
		die("%s: range %s has no address to lease", rq->text, range);
	/* the address before the range: the first search begins with the range */
	pool.last = first > 0 ? first - 1 : 0;
	return pool;
}

static char *pool_add(const struct request *rq)
{
	struct pool pool = new_pool(rq), old;
	struct name subnet = net_name(pool.net.base, pool.net.length);
	struct name gw = address_name(pool.gateway);
	struct name within = net_name(pool.range.base, pool.range.length);

	/* asked again: now nobody else can make them */
	if (schema_version(rq) == 0)
		execute(rq, SCHEMA);
	if (load_pool(rq, pool.name, &old)) {
		struct name is[3] = {net_name(old.net.base, old.net.length),
				     address_name(old.gateway),
				     net_name(old.range.base, old.range.length)};

		if (strcmp(is[0].text, subnet.text) != 0 || strcmp(is[1].text, gw.text) != 0 ||
		    strcmp(is[2].text, within.text) != 0)
			die("%s: pool %s exists with subnet %s, gateway %s, range %s", rq->text,
			    pool.name, is[0].text, is[1].text, is[2].text);
		return NULL;
	}
	sqlite3_stmt *stmt = query(rq, "SELECT name, subnet FROM pools", "");

	while (step(rq, stmt)) {
		(void)parse_net(column(stmt, 1), 8, 30, 64, 126, &old.net);
		if (contains(&old.net, pool.net.base) || contains(&pool.net, old.net.base))
			die("%s: %s overlaps pool %s (%s)", rq->text, subnet.text, column(stmt, 0),
			    column(stmt, 1));
	}
	stmt = query(rq, "INSERT INTO pools VALUES(?1, ?2, ?3, ?4, ?5)", "ssssi", pool.name,
		     subnet.text, gw.text, within.text, pool.last);
	(void)step(rq, stmt);
	for (int64_t part = 0; part * PART < ids(&pool.net); part++)
		add_part(rq, &pool, part);
	return NULL;
}

static char *pool_rm(const struct request *rq)
{
	const char *pool = valid("pool", rq->word[0]);
	sqlite3_stmt *stmt =
	    query(rq, "SELECT address, owner FROM leases WHERE pool = ?1 LIMIT 1", "s", pool);

	if (step(rq, stmt)) {
		if (!rq->option[IF_EMPTY])
			die("%s: not empty, %s is leased to %s", rq->text, column(stmt, 0),
			    column(stmt, 1));
		finish(rq, stmt);
		return NULL;
	}
	forget_files(rq, pool);
	(void)step(rq, query(rq, "DELETE FROM bitmaps WHERE pool = ?1", "s", pool));
	(void)step(rq, query(rq, "DELETE FROM pools WHERE name = ?1", "s", pool));
	return NULL;
}

static char *pool_list(const struct request *rq)
{
	const char *only = rq->words ? rq->word[0] : NULL, *comma = "";
	struct pool pool;

	if (only)
		need_pool(rq, only, &pool);
	sqlite3_stmt *stmt = query(rq,
				   "SELECT name, (SELECT count(*) FROM leases WHERE pool = name) "
				   "FROM pools WHERE name BETWEEN ?1 AND ?2 ORDER BY name",
				   "ss", only ? only : "", only ? only : LAST_NAME);
	const char *format = "%s%s %s %s %s %lld %lld\n";

	if (rq->option[FORMAT]) {
		(void)putchar('[');
		format = "%s{\"pool\":\"%s\",\"subnet\":\"%s\",\"gateway\":\"%s\",\"range\":\"%s\","
			 "\"leased\":%lld,\"size\":%lld}";
	}
	while (step(rq, stmt)) {
		int64_t first, last;

		need_pool(rq, column(stmt, 0), &pool);
		(void)printf(
		    format, comma, pool.name, net_name(pool.net.base, pool.net.length).text,
		    address_name(pool.gateway).text,
		    net_name(pool.range.base, pool.range.length).text,
		    sqlite3_column_int64(stmt, 1), (long long)range_of(&pool, &first, &last));
		comma = rq->option[FORMAT] ? "," : "";
	}
	if (rq->option[FORMAT])
		(void)puts("]");
	return NULL;
}

/* the free id behind --after, or behind the one taken last; a full pool ends the process */
static int64_t next_id(const struct request *rq, const struct pool *pool)
{
	const char *after = rq->option[AFTER];
	struct address address;
	int64_t first, last;
	int64_t count = range_of(pool, &first, &last), start = pool->last;

	if (after)
		start = parse_address(after, &address) ? id_of(pool, address) : -1;
	if (start < 0)
		die("%s: '%s' is not an address of %s", rq->text, after,
		    net_name(pool->net.base, pool->net.length).text);
	/* an address taken by name may be outside of the range */
	if (start < first || start > last)
		start = first - 1;
	int64_t id = search(rq, pool, start + 1, last);

	if (id < 0)
		id = search(rq, pool, first, start);
	if (id < 0)
		die("pool %s (%s): all %lld addresses are leased", pool->name,
		    net_name(pool->range.base, pool->range.length).text, (long long)count);
	return id;
}

static char *next(const struct request *rq)
{
	struct pool pool;

	need_pool(rq, rq->word[0], &pool);
	(void)puts(net_name(address_of(&pool, next_id(rq, &pool)), pool.net.length).text);
	return NULL;
}

/* the operands from the fourth on, with blanks between them; for sqlite3_free() */
static char *join_names(const struct request *rq)
{
	sqlite3_str *names = sqlite3_str_new(rq->db);

	for (int i = 3; i < rq->words; i++) {
		if (i > 3)
			sqlite3_str_appendchar(names, 1, ' ');
		sqlite3_str_appendall(names, valid("host name", rq->word[i]));
	}
	if (sqlite3_str_errcode(names) != SQLITE_OK)
		die("%s: %s", rq->text, strerror(ENOMEM));
	return sqlite3_str_finish(names);
}

/* what a verb returns whose change concerns one pool; for sqlite3_free() */
static char *changed(const struct request *rq, const char *pool)
{
	char *pools = sqlite3_mprintf("[\"%s\"]", pool);

	if (!pools)
		die("%s: %s", rq->text, strerror(ENOMEM));
	return pools;
}

static char *take(const struct request *rq)
{
	const char *owner = valid("owner", rq->word[2]), *never;
	char *names = join_names(rq);
	struct address address;
	struct pool pool;

	need_pool(rq, rq->word[0], &pool);
	bool any = strcmp(rq->word[1], "-") == 0;

	if (any)
		address = address_of(&pool, next_id(rq, &pool));
	else if (!parse_address(rq->word[1], &address))
		die("%s: '%s' is not an address", rq->text, rq->word[1]);
	int64_t id = id_of(&pool, address);

	if (id < 0)
		die("%s: outside of pool %s (%s%s)", rq->text, pool.name,
		    net_name(pool.net.base, pool.net.length).text,
		    contains(&pool.net, address) ? ", of which the low 2^24 addresses are leased"
						 : "");
	if ((never = never_leased(&pool, id)))
		die("%s: %s is the %s address of pool %s", rq->text, rq->word[1], never, pool.name);
	if (!mark(rq, pool.name, id, true)) {
		if (!step(rq, query(rq, "SELECT 1 FROM leases WHERE pool = ?1 AND host = ?2", "si",
				    pool.name, id)))
			damaged(rq, "the bitmap says taken, but there is no lease");
		/* no message: to lose this race is an answer, and the caller asks again */
		exit(EX_TEMPFAIL);
	}
	/* the address as we write it: the caller may have spelled an IPv6 address otherwise */
	struct name plain = address_name(address);

	(void)step(rq, query(rq,
			     "INSERT INTO leases VALUES(?1, ?2, ?3, ?4, ?5, "
			     "strftime('%Y-%m-%dT%H:%M:%SZ', 'now'))",
			     "sisss", pool.name, id, plain.text, owner, names ? names : ""));
	(void)step(rq,
		   query(rq, "UPDATE pools SET last = ?1 WHERE name = ?2", "is", id, pool.name));
	sqlite3_free(names);
	if (any)
		*rq->answer = net_name(address, pool.net.length);
	return changed(rq, pool.name);
}

/* an undo command, too: a lease that has gone since is no reason to fail */
static char *rename_lease(const struct request *rq)
{
	const char *owner = valid("owner", rq->word[2]);
	char *names = join_names(rq);
	struct address address;
	struct pool pool;

	if (!parse_address(rq->word[1], &address))
		die("%s: '%s' is not an address", rq->text, rq->word[1]);
	int64_t id = load_pool(rq, valid("pool", rq->word[0]), &pool) ? id_of(&pool, address) : -1;

	if (id >= 0)
		(void)step(rq, query(rq,
				     "UPDATE leases SET names = ?4 WHERE pool = ?1 AND host = ?2 "
				     "AND owner = ?3",
				     "siss", rq->word[0], id, owner, names ? names : ""));
	sqlite3_free(names);
	return id < 0 ? NULL : changed(rq, pool.name);
}

static char *drop(const struct request *rq)
{
	const char *pool = rq->words ? valid("pool", rq->word[0]) : NULL;
	const char *owner = rq->option[OWNER] ? valid("owner", rq->option[OWNER]) : NULL;
	sqlite3_stmt *stmt;

	if (rq->words == 2) {
		struct address address;
		struct pool known;
		int64_t id;

		if (!parse_address(rq->word[1], &address))
			die("%s: '%s' is not an address", rq->text, rq->word[1]);
		/* an undo command: a pool that has changed since is no reason to fail */
		if (!load_pool(rq, pool, &known) || (id = id_of(&known, address)) < 0)
			return NULL;
		stmt = query(rq,
			     "DELETE FROM leases WHERE pool = ?1 AND host = ?2 "
			     "AND (?3 IS NULL OR owner = ?3) RETURNING pool, host",
			     "sis", pool, id, owner);
	} else {
		if (!owner)
			die("drop: neither an address nor --owner");
		stmt = query(rq,
			     "DELETE FROM leases WHERE owner = ?1 AND (?2 IS NULL OR pool = ?2) "
			     "RETURNING pool, host",
			     "ss", owner, pool);
	}
	sqlite3_str *pools = sqlite3_str_new(rq->db);

	/* sqlite deletes all rows before it returns the first one */
	while (step(rq, stmt)) {
		const char *from = column(stmt, 0);

		if (!mark(rq, from, sqlite3_column_int64(stmt, 1), false))
			damaged(rq, "there was a lease, but the bitmap says free");
		sqlite3_str_appendf(pools, "%s\"%s\"", sqlite3_str_length(pools) ? "," : "[", from);
	}
	if (sqlite3_str_length(pools))
		sqlite3_str_appendchar(pools, 1, ']');
	if (sqlite3_str_errcode(pools) != SQLITE_OK)
		die("%s: %s", rq->text, strerror(ENOMEM));
	return sqlite3_str_finish(pools);
}

static char *list(const struct request *rq)
{
	const char *only = rq->words ? rq->word[0] : NULL;
	struct pool pool;

	if (only)
		need_pool(rq, only, &pool);
	sqlite3_stmt *stmt =
	    query(rq,
		  rq->option[FORMAT]
		      ? "SELECT json_group_array(json_object('pool', pool, 'address', address, "
			"'owner', owner, 'names', json(CASE names WHEN '' THEN '[]' ELSE "
			"'[' || replace(json_quote(names), ' ', '\",\"') || ']' END), "
			"'since', since)) FROM (SELECT * FROM leases "
			"WHERE pool BETWEEN ?1 AND ?2 ORDER BY pool, host)"
		      : "SELECT pool || ' ' || address || ' ' || owner || "
			"CASE names WHEN '' THEN '' ELSE ' ' || names END FROM leases "
			"WHERE pool BETWEEN ?1 AND ?2 ORDER BY pool, host",
		  "ss", only ? only : "", only ? only : LAST_NAME);

	while (step(rq, stmt))
		(void)puts(column(stmt, 0));
	return NULL;
}

/* called before the database is opened: whoever changes a lease writes to the files, from wherever
 * it is */
static void check_paths(const struct request *rq)
{
	const char *path = rq->word[0], *own = rq->option[OWN];

	if (path[0] != '/' || (own && own[0] != '/'))
		die("hosts: '%s' is not an absolute path", path[0] != '/' ? path : own);
	if (rq->words == 1 && own)
		die("hosts %s: --own, but no pool", path);
}

/* registers a file, and writes it */
static char *hosts(const struct request *rq)
{
	const char *path = rq->word[0], *own = rq->option[OWN] ? rq->option[OWN] : "";
	struct pool pool;

	unregister(rq, path);
	for (int i = 1; i < rq->words; i++) {
		need_pool(rq, rq->word[i], &pool);
		(void)step(rq, query(rq, "INSERT OR IGNORE INTO hosts VALUES(?1, ?2, ?3, ?4)",
				     "siss", path, (int64_t)i, pool.name, own));
	}
	/* what went wrong has been said */
	if (rq->words > 1 && write_hosts(rq, path, own, FOR_HOSTS) != WRITTEN)
		exit(EXIT_HELPER);
	return NULL;
}

/* UNDOES: what is not there is a success. ALONE: with one operand it is such an undo command */
enum { CREATES = 1, CHANGES = 2, UNDOES = 4, ALONE = 8 };

static const struct verb {
	const char *name, *usage;
	int min, max, does;
	unsigned options;
	char *(*run)(const struct request *rq); /* returns the pools whose hosts files change */
} verbs[] = {
    {"pool-add", "POOL SUBNET [--gateway=ADDR] [--range=CIDR]", 2, 2, CREATES | CHANGES,
     1 << GATEWAY | 1 << RANGE, pool_add},
    {"pool-rm", "POOL [--if-empty]", 1, 1, CHANGES | UNDOES, 1 << IF_EMPTY, pool_rm},
    {"pool-list", "[POOL] [--format=json]", 0, 1, 0, 1 << FORMAT, pool_list},
    {"next", "POOL [--after=ADDR]", 1, 1, 0, 1 << AFTER, next},
    {"take", "POOL ADDR|- OWNER [NAME...]", 3, 1000, CHANGES, 0, take},
    {"rename", "POOL ADDR OWNER [NAME...]", 3, 1000, CHANGES | UNDOES, 0, rename_lease},
    {"drop", "[POOL [ADDR]] [--owner=OWNER]", 0, 2, CHANGES | UNDOES, 1 << OWNER, drop},
    {"list", "[POOL] [--format=json]", 0, 1, 0, 1 << FORMAT, list},
    {"hosts", "FILE [POOL... [--own=LINES]]", 1, 100, CHANGES | ALONE, 1 << OWN, hosts},
};

static const struct option options[] = {
    {"db", required_argument, NULL, DB},       {"gateway", required_argument, NULL, GATEWAY},
    {"range", required_argument, NULL, RANGE}, {"if-empty", no_argument, NULL, IF_EMPTY},
    {"after", required_argument, NULL, AFTER}, {"own", required_argument, NULL, OWN},
    {"owner", required_argument, NULL, OWNER}, {"format", required_argument, NULL, FORMAT},
    {"help", no_argument, NULL, HELP},         {NULL, 0, NULL, 0},
};

static int help(void)
{
	for (size_t i = 0; i < LEN(verbs); i++)
		(void)printf("%s sc-ipam --db=FILE %s %s\n", i ? "      " : "usage:", verbs[i].name,
			     verbs[i].usage);
	return fflush(stdout) == 0 ? 0 : EXIT_HELPER;
}

/* Options and operands may be mixed, whatever POSIXLY_CORRECT says: "-" has getopt hand out
 * both in order. word[0] becomes the verb. */
static void parse(struct request *rq, int argc, char **argv)
{
	int c;

	opterr = 0;
	/* never more operands than have been read: argv serves as the array */
	rq->word = argv;
	while ((c = getopt_long(argc, argv, "-:", options, NULL)) != -1) {
		if (c == OPERAND)
			rq->word[rq->words++] = optarg;
		else if (c >= OPTIONS)
			die("%s option %s; see sc-ipam --help",
			    c == ':' ? "no value for" : "unknown", argv[optind - 1]);
		else if (optarg && !*optarg)
			die("no value for option --%s", options[c - DB].name);
		else
			rq->option[c] = optarg ? optarg : "yes";
	}
	while (optind < argc)
		rq->word[rq->words++] = argv[optind++];
}

int main(int argc, char **argv)
{
	struct request rq = {0};
	const struct verb *verb = NULL;
	struct name answer = {""};
	char shown[600];
	sigset_t all;

	prog = "sc-ipam";
	(void)umask(077);
	parse(&rq, argc, argv);
	if (rq.option[HELP])
		return help();
	for (size_t i = 0; rq.words && i < LEN(verbs); i++)
		if (strcmp(verbs[i].name, rq.word[0]) == 0)
			verb = &verbs[i];
	if (!verb)
		die("%s '%s'; see sc-ipam --help", rq.words ? "no verb" : "which verb?",
		    rq.words ? rq.word[0] : "");
	rq.word++;
	rq.words--;
	for (int i = DB; i < OPTIONS; i++)
		if (rq.option[i] && i != DB && !(verb->options & 1U << i))
			die("%s has no option --%s", verb->name, options[i - DB].name);
	if (!rq.option[DB] || rq.words < verb->min || rq.words > verb->max)
		die("usage: sc-ipam --db=FILE %s %s", verb->name, verb->usage);
	if (rq.option[FORMAT] && strcmp(rq.option[FORMAT], "json") != 0)
		die("%s: format '%s' is not json", verb->name, rq.option[FORMAT]);
	(void)snprintf(shown, sizeof(shown), "%s%s%.255s%s%.255s", verb->name,
		       rq.words > 0 ? " " : "", rq.words > 0 ? rq.word[0] : "",
		       rq.words > 1 ? " " : "", rq.words > 1 ? rq.word[1] : "");
	rq.text = shown;
	rq.answer = &answer;

	bool undoes = verb->does & UNDOES || (verb->does & ALONE && rq.words == 1);

	if (verb->does & CREATES)
		(void)new_pool(&rq);
	if (verb->run == hosts)
		check_paths(&rq);
	if (!open_db(&rq, verb->does & CREATES)) {
		if (rq.words && !undoes)
			die("%s: no pool '%s' in %s", rq.text, rq.word[verb->does & ALONE ? 1 : 0],
			    rq.option[DB]);
		if (rq.option[FORMAT])
			(void)puts("[]");
	} else if (verb->does & CHANGES) {
		execute(&rq, "BEGIN IMMEDIATE");
		/* no Ctrl-C between a hosts file and the commit */
		if (sigfillset(&all) < 0 || sigprocmask(SIG_BLOCK, &all, NULL) < 0)
			die("sigprocmask:");
		/* asked again, as another process may have been faster */
		if (rq.version == 1 && schema_version(&rq) == 1)
			execute(&rq, HOSTS_TABLE);
		reserve_log(&rq);
		char *pools = verb->run(&rq);

		commit(&rq, pools, undoes && verb->run != rename_lease ? FOR_UNDO : FOR_TAKE);
		sqlite3_free(pools);
		/* not before it is true */
		if (*answer.text)
			(void)puts(answer.text);
		trim_log(&rq);
	} else {
		execute(&rq, "BEGIN");
		(void)verb->run(&rq);
		execute(&rq, "COMMIT");
	}
	if (fflush(stdout) != 0 || ferror(stdout))
		die("write standard output:");
	return sqlite3_close(rq.db) == SQLITE_OK ? 0 : EXIT_HELPER;
}
