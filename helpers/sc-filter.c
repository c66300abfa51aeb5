/* sc-filter: have a packet filter look at all that comes in by a link
 * usage: sc-filter LINK PROGRAM
 *
 * PROGRAM is in the classic language of packet filters, as tc(8) takes it behind `bytecode` and
 * 'tcpdump -ddd' prints it: the number of instructions, then for each a comma and the numbers
 * CODE TRUE FALSE K. It stands first among the filters at the link's ingress and its result is the
 * verdict: 0xffffffff lets the next one decide, 2 drops. What is there already is replaced.
 *
 * It does what this does:
 *	tc qdisc replace dev LINK clsact
 *	tc filter replace dev LINK ingress protocol all prio 1 handle 1 bpf da bytecode PROGRAM
 * but tc(8) asks for the list of all links before, which with a thousand containers takes longer
 * than all else in the start of one.
 *
 * Exit codes: 0; 125 own failure. See sc-filter(8); tc-bpf(8), rtnetlink(7),
 * linux/Documentation/networking/filter.rst. */
#include <arpa/inet.h>
#include <linux/filter.h>
#include <linux/if_ether.h>
#include <linux/pkt_cls.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

#include "sc.h"

struct program {
	struct sock_filter instruction[BPF_MAXINSNS];
	unsigned short count;
};

/* a message as it grows; its attributes are aligned to four bytes */
struct message {
	struct nlmsghdr header;
	struct tcmsg tc;
	char attributes[sizeof(struct program) + 256];
};

/* the next number of the text, and that it ends in one of `ends` */
static unsigned long long part(const char **text, unsigned long long max, const char *ends)
{
	unsigned long long value = 0;
	const char *at = *text;

	if (*at < '0' || *at > '9')
		die("program: a number is missing at '%.20s'", *text);
	for (; *at >= '0' && *at <= '9'; at++) {
		value = value * 10 + (unsigned long long)(*at - '0');
		if (value > max)
			die("program: a number at '%.20s' is above %llu", *text, max);
	}
	if (!strchr(ends, *at))
		die("program: cannot read on at '%.20s'", at);
	*text = *at ? at + 1 : at;
	return value;
}

static void parse(const char *text, struct program *program)
{
	program->count = (unsigned short)part(&text, BPF_MAXINSNS, ",");
	if (program->count == 0)
		die("program: no instructions");
	for (unsigned short i = 0; i < program->count; i++) {
		struct sock_filter *one = &program->instruction[i];

		one->code = (__u16)part(&text, UINT16_MAX, " ");
		one->jt = (__u8)part(&text, UINT8_MAX, " ");
		one->jf = (__u8)part(&text, UINT8_MAX, " ");
		one->k = (__u32)part(&text, UINT32_MAX, i + 1 < program->count ? "," : "");
	}
}

static struct rtattr *add(struct message *message, unsigned short type, const void *data,
			  size_t length)
{
	size_t used = NLMSG_ALIGN(message->header.nlmsg_len);
	struct rtattr *attribute = (struct rtattr *)(void *)((char *)message + used);

	if (used + RTA_SPACE(length) > sizeof(*message))
		die("BUG: a message of more than %zu bytes", sizeof(*message));
	attribute->rta_type = type;
	attribute->rta_len = (unsigned short)RTA_LENGTH(length);
	if (length > 0)
		memcpy(RTA_DATA(attribute), data, length);
	message->header.nlmsg_len = (__u32)(used + RTA_SPACE(length));
	return attribute;
}

static void begin(struct message *message, unsigned short type, unsigned short flags, int link)
{
	memset(message, 0, sizeof(*message));
	message->header.nlmsg_len = NLMSG_LENGTH(sizeof(message->tc));
	message->header.nlmsg_type = type;
	message->header.nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK | NLM_F_CREATE | flags;
	message->tc.tcm_family = AF_UNSPEC;
	message->tc.tcm_ifindex = link;
}

/* send it, and wait for the kernel's word on it; errno is that word */
static bool done(int fd, const struct message *message)
{
	struct {
		struct nlmsghdr header;
		struct nlmsgerr error;
		char rest[4096];
	} answer;
	ssize_t length = send(fd, message, message->header.nlmsg_len, 0);

	if (length < 0)
		die("send:");
	do
		length = recv(fd, &answer, sizeof(answer), 0);
	while (length < 0 && errno == EINTR);
	if (length < 0)
		die("recv:");
	if ((size_t)length < NLMSG_LENGTH(sizeof(answer.error)) ||
	    answer.header.nlmsg_type != NLMSG_ERROR)
		die("the kernel's answer is no answer");
	errno = -answer.error.error;
	return errno == 0;
}

int main(int argc, char **argv)
{
	struct program program = {0};
	struct message message;
	struct rtattr *options;
	__u32 direct = TCA_BPF_FLAG_ACT_DIRECT;
	unsigned int link;
	int fd;

	prog = "sc-filter";
	if (argc != 3)
		die("usage: sc-filter LINK PROGRAM");
	parse(argv[2], &program);
	link = if_nametoindex(argv[1]);
	if (link == 0)
		die("link %s:", argv[1]);
	fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
	if (fd < 0)
		die("socket:");

	begin(&message, RTM_NEWQDISC, NLM_F_REPLACE, (int)link);
	message.tc.tcm_parent = TC_H_CLSACT;
	message.tc.tcm_handle = TC_H_MAKE(TC_H_CLSACT, 0);
	(void)add(&message, TCA_KIND, "clsact", sizeof("clsact"));
	if (!done(fd, &message))
		die("%s: add qdisc clsact:", argv[1]);

	begin(&message, RTM_NEWTFILTER, 0, (int)link);
	message.tc.tcm_parent = TC_H_MAKE(TC_H_CLSACT, TC_H_MIN_INGRESS);
	message.tc.tcm_handle = 1;
	message.tc.tcm_info = TC_H_MAKE(1U << 16, htons(ETH_P_ALL));
	(void)add(&message, TCA_KIND, "bpf", sizeof("bpf"));
	options = add(&message, TCA_OPTIONS, NULL, 0);
	(void)add(&message, TCA_BPF_OPS_LEN, &program.count, sizeof(program.count));
	(void)add(&message, TCA_BPF_OPS, program.instruction,
		  program.count * sizeof(program.instruction[0]));
	(void)add(&message, TCA_BPF_FLAGS, &direct, sizeof(direct));
	options->rta_len =
	    (unsigned short)((char *)&message + message.header.nlmsg_len - (char *)options);
	if (!done(fd, &message))
		die("%s: add filter bpf:", argv[1]);
	return 0;
}
