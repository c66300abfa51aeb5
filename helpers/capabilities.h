/* capabilities.h: what root may do inside a container.
 *
 * Sources: capabilities(7), prctl(2) PR_CAPBSET_DROP and PR_CAP_AMBIENT, capset(2),
 * cap_from_name(3). Link with -lcap (names only; the sets are written with plain calls).
 *
 *   unsigned long long set = caps_parse("default,-mknod,+net_admin");
 *   caps_bound(set);             while CAP_SETPCAP is still there
 *   setgroups(), setresgid(), setresuid()
 *   caps_apply(set, uid == 0);   last: afterwards nothing privileged is possible
 *
 * Inheritable and ambient end up empty: a capability that survives execve(2) of an
 * ordinary user's program is CVE-2022-24769 and CVE-2022-29162. */
#ifndef SC_CAPABILITIES_H
#define SC_CAPABILITIES_H

#include <ctype.h>
#include <strings.h>
#include <sys/capability.h>
#include <sys/prctl.h>

#include "sc.h"

#define CAPS_BIT(cap) (1ULL << (cap))
/* the 14 that docker gives, see SECURITY.md S7 */
#define CAPS_DEFAULT                                                                               \
	(CAPS_BIT(CAP_CHOWN) | CAPS_BIT(CAP_DAC_OVERRIDE) | CAPS_BIT(CAP_FSETID) |                 \
	 CAPS_BIT(CAP_FOWNER) | CAPS_BIT(CAP_MKNOD) | CAPS_BIT(CAP_NET_RAW) |                      \
	 CAPS_BIT(CAP_SETGID) | CAPS_BIT(CAP_SETUID) | CAPS_BIT(CAP_SETFCAP) |                     \
	 CAPS_BIT(CAP_SETPCAP) | CAPS_BIT(CAP_NET_BIND_SERVICE) | CAPS_BIT(CAP_SYS_CHROOT) |       \
	 CAPS_BIT(CAP_KILL) | CAPS_BIT(CAP_AUDIT_WRITE))

/* one word without its sign: default, all, CAP_NET_RAW, net_raw */
static unsigned long long caps_word(const char *word)
{
	char name[64] = "cap_";
	size_t length = strlen(word);
	cap_value_t cap;

	if (strcasecmp(word, "default") == 0)
		return CAPS_DEFAULT;
	if (strcasecmp(word, "all") == 0)
		return ~0ULL;
	if (strncasecmp(word, "cap_", 4) == 0) {
		word += 4;
		length -= 4;
	}
	if (length == 0 || length >= sizeof(name) - 4)
		die("capability '%s': no such name", word);
	/* cap_from_name stops at the first odd byte and takes numbers: neither is wanted */
	for (size_t n = 0; n < length; n++) {
		if (!isalpha((unsigned char)word[n]) && word[n] != '_')
			die("capability '%s': no such name", word);
		name[4 + n] = (char)tolower((unsigned char)word[n]);
	}
	name[4 + length] = '\0';
	if (cap_from_name(name, &cap) < 0 || cap < 0 || cap > 63)
		die("capability '%s': no such name, see capabilities(7)", word);
	return CAPS_BIT(cap);
}

/* "default,-mknod,+net_admin", from left to right, starting with none; "" is none */
__attribute__((unused)) static unsigned long long caps_parse(const char *list)
{
	unsigned long long set = 0;

	while (*list) {
		size_t length = strcspn(list, ",");
		char word[64];

		if (length == 0 || length >= sizeof(word))
			die("capabilities '%s': a list is NAME[,NAME...]", list);
		memcpy(word, list, length);
		word[length] = '\0';
		if (word[0] == '-')
			set &= ~caps_word(word + 1);
		else
			set |= caps_word(word + (word[0] == '+'));
		list += length;
		if (*list == ',' && !*++list)
			die("capabilities: the list ends in a comma");
	}
	return set;
}

/* the permitted set of this process: on some hosts root does not have every capability */
static unsigned long long caps_owned(void)
{
	struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3];

	if (capget(&header, data) < 0)
		die("capget:");
	return (unsigned long long)data[1].permitted << 32 | data[0].permitted;
}

/* bounding = set and what this process has: execve(2) gives root the bounding set back */
__attribute__((unused)) static void caps_bound(unsigned long long set)
{
	set &= caps_owned();
	for (int cap = 0; cap < 64; cap++) {
		if (set & CAPS_BIT(cap))
			continue;
		int has = prctl(PR_CAPBSET_READ, cap, 0, 0, 0);

		/* EINVAL: the kernel knows no capability with this or a higher number */
		if (has < 0 && errno == EINVAL)
			break;
		if (has < 0)
			die("prctl PR_CAPBSET_READ %d:", cap);
		if (has && prctl(PR_CAPBSET_DROP, cap, 0, 0, 0) < 0)
			die("prctl PR_CAPBSET_DROP %d:", cap);
	}
}

/* permitted = effective = set and what is left; none for anybody but root */
__attribute__((unused)) static void caps_apply(unsigned long long set, int is_root)
{
	struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3] = {0};

	set = is_root ? set & caps_owned() : 0;
	for (size_t n = 0; n < LEN(data); n++)
		data[n].permitted = data[n].effective = (__u32)(set >> (32 * n));
	if (prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) < 0)
		die("prctl PR_CAP_AMBIENT_CLEAR_ALL:");
	if (capset(&header, data) < 0)
		die("capset %#llx:", set);
}

#endif
