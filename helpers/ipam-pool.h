/* ipam-pool.h: a pool of sc-ipam and its bitmap.
 *
 * An address is an id here: its distance from the network address. The bitmap is cut into rows
 * of PART ids, and an index lists only the rows that have room. That is the summary that makes
 * the search independent of the number of leases: one index lookup, one row of 1 KB, also at the
 * far end of a full /8. (In one BLOB of 2 MB sqlite would walk a chain of 512 pages to get
 * there.) Sqlite itself keeps the index, so it cannot differ from the counts in the rows. */
#ifndef SC_IPAM_POOL_H
#define SC_IPAM_POOL_H

#include "ipam-addr.h"
#include "ipam-db.h"

#define NAME_SIZE 256

struct pool {
	const char *name;
	struct net net, range;
	struct address gateway;
	int64_t last;
};

/* names end up in the hosts file and in lists: nothing in them may end a word or a line */
static const char *valid(const char *what, const char *name)
{
	const char *letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.-";
	size_t length = strlen(name);

	if (length == 0 || length >= NAME_SIZE || strspn(name, letters) != length ||
	    strchr("_.-", name[0]))
		die("%s '%s' is not a name ([a-zA-Z0-9][a-zA-Z0-9_.-]*, at most 255 characters)",
		    what, name);
	return name;
}

static bool load_pool(const struct request *rq, const char *name, struct pool *pool)
{
	sqlite3_stmt *stmt =
	    query(rq, "SELECT subnet, gateway, range, last FROM pools WHERE name = ?1", "s",
		  valid("pool", name));

	if (!step(rq, stmt))
		return false;
	pool->name = name;
	(void)parse_net(column(stmt, 0), 8, 30, 64, 126, &pool->net);
	(void)parse_net(column(stmt, 2), 8, 32, 64, 128, &pool->range);
	pool->last = sqlite3_column_int64(stmt, 3);
	if (!parse_address(column(stmt, 1), &pool->gateway) || pool->last < 0 ||
	    !contains(&pool->net, pool->range.base) || pool->last >= ids(&pool->net))
		damaged(rq, "the row in pools makes no sense");
	finish(rq, stmt);
	return true;
}

static void need_pool(const struct request *rq, const char *name, struct pool *pool)
{
	if (!load_pool(rq, name, pool))
		die("%s: no pool '%s' in %s", rq->text, name, rq->option[DB]);
}

static int64_t id_of(const struct pool *pool, struct address address)
{
	uint64_t id = address.lo - pool->net.base.lo;

	return contains(&pool->net, address) && id < (uint64_t)ids(&pool->net) ? (int64_t)id : -1;
}

static struct address address_of(const struct pool *pool, int64_t id)
{
	struct address address = pool->net.base;

	address.lo += (uint64_t)id;
	return address;
}

static const char *never_leased(const struct pool *pool, int64_t id)
{
	if (id == 0)
		return "network";
	if (id == id_of(pool, pool->gateway))
		return "gateway";
	if (pool->net.base.family == AF_INET && id == ids(&pool->net) - 1)
		return "broadcast";
	return NULL;
}

/* first and last id of the range; returns how many of them can be leased */
static int64_t range_of(const struct pool *pool, int64_t *first, int64_t *last)
{
	int64_t end = ids(&pool->net) - 1, gateway = id_of(pool, pool->gateway);

	*first = id_of(pool, pool->range.base);
	*last = *first + ids(&pool->range) - 1;
	if (*last > end)
		*last = end;
	return *first < 0
		   ? 0
		   : *last - *first + 1 - (*first == 0) - (gateway >= *first && gateway <= *last) -
			 (pool->net.base.family == AF_INET && *last == end);
}

/* the first clear bit of [from, to], or -1 */
static int first_free(const unsigned char *bits, int from, int to)
{
	for (int i = from; i <= to;) {
		uint64_t word;

		memcpy(&word, bits + (size_t)i / 64 * 8, sizeof(word));
		if (i % 64 == 0 && word == UINT64_MAX)
			i += 64;
		else if (!(bits[i / 8] & 1 << i % 8))
			return i;
		else
			i++;
	}
	return -1;
}

/* the first free id of [from, to], or -1; looks at three rows at most, since only the room of
 * the first and the last row may lie outside of [from, to] */
static int64_t search(const struct request *rq, const struct pool *pool, int64_t from, int64_t to)
{
	if (from > to)
		return -1;
	sqlite3_stmt *stmt = query(rq,
				   "SELECT part, bits FROM bitmaps WHERE pool = ?1 AND free > 0 "
				   "AND part BETWEEN ?2 AND ?3 ORDER BY part",
				   "sii", pool->name, from / PART, to / PART);

	while (step(rq, stmt)) {
		int64_t start = sqlite3_column_int64(stmt, 0) * PART;

		if (sqlite3_column_bytes(stmt, 1) != PART / 8)
			damaged(rq, "a bitmap has the wrong size");
		int bit =
		    first_free(sqlite3_column_blob(stmt, 1), from > start ? (int)(from - start) : 0,
			       to < start + PART ? (int)(to - start) : PART - 1);

		if (bit >= 0) {
			finish(rq, stmt);
			return start + bit;
		}
	}
	return -1;
}

/* false: the bit has that value already */
static bool mark(const struct request *rq, const char *pool, int64_t id, bool taken)
{
	unsigned char bits[PART / 8], bit = (unsigned char)(1 << id % 8);
	unsigned char *byte = bits + id % PART / 8;
	sqlite3_stmt *stmt = query(rq, "SELECT bits FROM bitmaps WHERE pool = ?1 AND part = ?2",
				   "si", pool, id / PART);

	if (!step(rq, stmt) || sqlite3_column_bytes(stmt, 0) != sizeof(bits))
		damaged(rq, "a bitmap is missing or has the wrong size");
	memcpy(bits, sqlite3_column_blob(stmt, 0), sizeof(bits));
	finish(rq, stmt);
	if (taken == !!(*byte & bit))
		return false;
	*byte ^= bit;
	stmt = query(rq,
		     "UPDATE bitmaps SET bits = ?1, free = free + ?2 WHERE pool = ?3 AND part = ?4",
		     "bisi", bits, (int64_t)(taken ? -1 : 1), pool, id / PART);
	return !step(rq, stmt);
}

#endif
