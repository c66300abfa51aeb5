/* ipam-addr.h: addresses and networks, IPv4 and IPv6 alike, as numbers.
 *
 * Text is read and written by inet_pton(3) and inet_ntop(3): no octal, no short forms. */
#ifndef SC_IPAM_ADDR_H
#define SC_IPAM_ADDR_H

#include <arpa/inet.h>
#include <stdbool.h>
#include <stdint.h>

#include "sc.h"

#define IDS_MAX (1 << 24) /* addresses in a pool: a /8, or the low end of an IPv6 /64 */

/* IPv4 addresses are in the low 32 bits; a prefix never ends in hi */
struct address {
	int family;
	uint64_t hi, lo;
};

struct net {
	struct address base;
	unsigned length;
};

static bool parse_address(const char *word, struct address *out)
{
	unsigned char bytes[16] = {0};
	size_t count = 4;

	*out = (struct address){.family = AF_INET};
	if (inet_pton(AF_INET, word, bytes) != 1) {
		out->family = AF_INET6;
		count = 16;
		if (inet_pton(AF_INET6, word, bytes) != 1)
			return false;
	}
	for (size_t i = 0; i < count; i++) {
		out->hi = out->hi << 8 | out->lo >> 56;
		out->lo = out->lo << 8 | bytes[i];
	}
	return true;
}

struct name {
	char text[INET6_ADDRSTRLEN + 4];
};

static struct name address_name(struct address address)
{
	unsigned char bytes[16];
	struct name name = {""};

	for (int i = 0; i < 8; i++) {
		bytes[i] = (unsigned char)(address.hi >> (56 - 8 * i));
		bytes[i + 8] = (unsigned char)(address.lo >> (56 - 8 * i));
	}
	if (!inet_ntop(address.family, bytes + (address.family == AF_INET ? 12 : 0), name.text,
		       sizeof(name.text)))
		die("inet_ntop:");
	return name;
}

static struct name net_name(struct address address, unsigned length)
{
	struct name name = address_name(address);
	size_t used = strlen(name.text);

	(void)snprintf(name.text + used, sizeof(name.text) - used, "/%u", length % 1000);
	return name;
}

static uint64_t host_mask(int family, unsigned length)
{
	unsigned bits = (family == AF_INET ? 32 : 128) - length;

	return bits >= 64 ? UINT64_MAX : ((uint64_t)1 << bits) - 1;
}

/* number of addresses we look after */
static int64_t ids(const struct net *net)
{
	uint64_t mask = host_mask(net->base.family, net->length);

	return mask >= IDS_MAX ? IDS_MAX : (int64_t)mask + 1;
}

static bool contains(const struct net *net, struct address address)
{
	uint64_t mask = ~host_mask(net->base.family, net->length);

	return net->base.family == address.family && net->base.hi == address.hi &&
	       net->base.lo == (address.lo & mask);
}

/* ADDR/LEN; returns the address, *net is the network it is in */
static struct address parse_net(const char *word, unsigned min4, unsigned max4, unsigned min6,
				unsigned max6, struct net *net)
{
	const char *slash = strchr(word, '/');
	char before[INET6_ADDRSTRLEN] = "";
	struct address address;

	if (slash && (size_t)(slash - word) < sizeof(before))
		memcpy(before, word, (size_t)(slash - word));
	if (!slash || !parse_address(before, &address))
		die("'%s' is not ADDRESS/LENGTH, such as 10.0.2.0/24", word);
	bool v4 = address.family == AF_INET;

	net->length = (unsigned)number(word, slash + 1, v4 ? min4 : min6, v4 ? max4 : max6);
	net->base = address;
	net->base.lo &= ~host_mask(address.family, net->length);
	return address;
}

static bool is_reserved(const struct net *net)
{
	unsigned first = net->base.lo >> 24 & 0xff;

	if (net->base.family == AF_INET6)
		return net->base.hi == 0 || net->base.hi >> 56 == 0xff;
	return first == 0 || first == 127 || first >= 224;
}

#endif
