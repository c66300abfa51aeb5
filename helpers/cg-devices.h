/* cg-devices.h: which device nodes a control group may open or make.
 *
 * Version 1 takes rules as text: Documentation/admin-guide/cgroup-v1/devices.rst. Version 2 has
 * no files for it; it asks an eBPF program of type BPF_PROG_TYPE_CGROUP_DEVICE that is
 * attached to the control group: bpf(2), "Device controller" in cgroup-v2.rst. The rules of
 * one call become one such program here, a few instructions for each rule. */
#ifndef CG_DEVICES_H
#define CG_DEVICES_H

#include <linux/bpf.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/syscall.h>

#include "cg-hierarchy.h"

#define DEVICE_RULES   256
#define DEVICE_ANY     (-1)
#define DEVICE_PROGRAM "sc_devices"
#define INSNS_PER_RULE 8
#define INSNS_AROUND   8

struct device_rule {
	bool allow;
	char type; /* a for everything, b, c */
	int major, minor;
	unsigned int access; /* of BPF_DEVCG_ACC_* */
};

struct device_rules {
	size_t n;
	struct device_rule at[DEVICE_RULES];
};

static bool device_number(const char **text, char end, int *value)
{
	char *stop;

	if ((*text)[0] == '*') {
		*value = DEVICE_ANY;
		stop = (char *)*text + 1;
	} else {
		if ((*text)[0] < '0' || (*text)[0] > '9')
			return false;
		errno = 0;
		unsigned long parsed = strtoul(*text, &stop, 10);

		if (errno || parsed > (end == ':' ? 0xfff : 0xfffff))
			return false;
		*value = (int)parsed;
	}
	*text = stop + 1;
	return *stop == end;
}

static bool parse_device_rule(const char *text, bool allow, struct device_rule *rule)
{
	static const struct {
		char letter;
		unsigned int bit;
	} letters[] = {
	    {'r', BPF_DEVCG_ACC_READ}, {'w', BPF_DEVCG_ACC_WRITE}, {'m', BPF_DEVCG_ACC_MKNOD}};

	*rule = (struct device_rule){.allow = allow, .type = text[0]};
	if (strcmp(text, "a") == 0 || strcmp(text, "a *:* rwm") == 0) {
		rule->major = rule->minor = DEVICE_ANY;
		return true;
	}
	if ((text[0] != 'b' && text[0] != 'c') || text[1] != ' ')
		return false;
	text += 2;
	if (!device_number(&text, ':', &rule->major) || !device_number(&text, ' ', &rule->minor))
		return false;
	for (; *text; text++) {
		size_t i = 0;

		while (i < LEN(letters) && letters[i].letter != *text)
			i++;
		if (i == LEN(letters) || (rule->access & letters[i].bit))
			return false;
		rule->access |= letters[i].bit;
	}
	return rule->access != 0;
}

static void add_device_rule(struct device_rules *rules, const char *key, const char *text,
			    bool allow)
{
	if (rules->n == LIST_SIZE(rules))
		die("%s: more than %d rules in one call", key, DEVICE_RULES);
	if (!parse_device_rule(text, allow, &rules->at[rules->n]))
		die("%s: '%s' is no device rule like 'a' or 'c 1:3 rwm'", key, text);
	rules->n++;
}

/* the list of docker, runc and the OCI runtime specification */
static void add_default_devices(struct device_rules *rules)
{
	static const char *const allowed[] = {"c *:* m",   "b *:* m",    "c 1:3 rwm", "c 1:5 rwm",
					      "c 1:7 rwm", "c 1:8 rwm",  "c 1:9 rwm", "c 5:0 rwm",
					      "c 5:2 rwm", "c 136:* rwm"};

	add_device_rule(rules, "devices", "a", false);
	for (size_t i = 0; i < LEN(allowed); i++)
		add_device_rule(rules, "devices", allowed[i], true);
}

static void device_text(int number, char *text, size_t size)
{
	if (number == DEVICE_ANY)
		snprintf(text, size, "*");
	else
		snprintf(text, size, "%d", number);
}

static void print_device_rule(const struct device_rule *rule, char *text, size_t size)
{
	char first[16], second[16];

	device_text(rule->major, first, sizeof(first));
	device_text(rule->minor, second, sizeof(second));
	if (rule->type == 'a')
		snprintf(text, size, "a");
	else
		snprintf(text, size, "%c %s:%s %s%s%s", rule->type, first, second,
			 rule->access & BPF_DEVCG_ACC_READ ? "r" : "",
			 rule->access & BPF_DEVCG_ACC_WRITE ? "w" : "",
			 rule->access & BPF_DEVCG_ACC_MKNOD ? "m" : "");
}

/* does devices.list, in LIST, have RULE? */
static bool listed(const char *list, const struct device_rule *rule)
{
	struct device_rule has;
	char line[64];

	for (; *list; list += strcspn(list, "\n"), list += *list == '\n') {
		snprintf(line, sizeof(line), "%.*s", (int)strcspn(list, "\n"), list);
		if (parse_device_rule(line, true, &has) && has.type == rule->type &&
		    has.major == rule->major && has.minor == rule->minor &&
		    (has.access & rule->access) == rule->access)
			return true;
	}
	return false;
}

static void set_devices_v1(int dir, const struct device_rules *rules)
{
	char text[64], list[CG_FILE_MAX];
	size_t from = 0;

	for (size_t i = 0; i < rules->n; i++) {
		const struct device_rule *rule = &rules->at[i];
		const char *file = rule->allow ? "devices.allow" : "devices.deny";

		print_device_rule(rule, text, sizeof(text));
		if (!write_file(dir, file, text))
			die("write '%s' to %s (a control group cannot have more than its parent, "
			    "nor "
			    "change all while it has children):",
			    text, file);
		/* only what no later rule takes away can be looked for */
		if (!rule->allow || rule->type == 'a')
			from = i;
	}
	if (!read_file(dir, "devices.list", list, sizeof(list)))
		die("read devices.list:");
	bool open = strncmp(list, "a ", 2) == 0;

	if (rules->at[from].type == 'a' && open != rules->at[from].allow)
		die("devices: the kernel did not keep '%s a'",
		    rules->at[from].allow ? "allow" : "deny");
	for (size_t i = from; !open && i < rules->n; i++) {
		if (!rules->at[i].allow || rules->at[i].type == 'a' || listed(list, &rules->at[i]))
			continue;
		print_device_rule(&rules->at[i], text, sizeof(text));
		die("devices.allow: the kernel did not keep '%s'", text);
	}
}

/* The accesses that were asked for are in r3. From the last rule to the first, an allowing rule
 * clears those it covers and allows when none is left; a denying one that covers any denies. */
static size_t compile_devices(const struct device_rules *rules, struct bpf_insn *code)
{
	size_t n = 0, first = 0;

#define EMIT(operation, to, from, offset, number)                                                  \
	(code[n++] = (struct bpf_insn){.code = (unsigned char)(operation),                         \
				       .dst_reg = (to),                                            \
				       .src_reg = (from),                                          \
				       .off = (short)(offset),                                     \
				       .imm = (number)})
	EMIT(BPF_LDX | BPF_MEM | BPF_W, BPF_REG_2, BPF_REG_1,
	     offsetof(struct bpf_cgroup_dev_ctx, access_type), 0);
	EMIT(BPF_LDX | BPF_MEM | BPF_W, BPF_REG_4, BPF_REG_1,
	     offsetof(struct bpf_cgroup_dev_ctx, major), 0);
	EMIT(BPF_LDX | BPF_MEM | BPF_W, BPF_REG_5, BPF_REG_1,
	     offsetof(struct bpf_cgroup_dev_ctx, minor), 0);
	EMIT(BPF_ALU64 | BPF_MOV | BPF_X, BPF_REG_3, BPF_REG_2, 0, 0);
	EMIT(BPF_ALU64 | BPF_RSH | BPF_K, BPF_REG_3, 0, 0, 16);
	EMIT(BPF_ALU64 | BPF_AND | BPF_K, BPF_REG_2, 0, 0, 0xffff);
	for (size_t i = 0; i < rules->n; i++)
		if (rules->at[i].type == 'a')
			first = i;
	/* a control group without rules allows everything */
	bool open = rules->at[first].type != 'a' || rules->at[first].allow;

	for (size_t i = rules->n; i-- > first;) {
		const struct device_rule *rule = &rules->at[i];
		/* jumps count from the next instruction; this is how far the end of the rule is */
		int left =
		    4 + (rule->major != DEVICE_ANY) + (rule->minor != DEVICE_ANY) + !rule->allow;

		if (rule->type == 'a')
			break;
		EMIT(BPF_JMP | BPF_JNE | BPF_K, BPF_REG_2, 0, left,
		     rule->type == 'b' ? BPF_DEVCG_DEV_BLOCK : BPF_DEVCG_DEV_CHAR);
		if (rule->major != DEVICE_ANY)
			EMIT(BPF_JMP | BPF_JNE | BPF_K, BPF_REG_4, 0, --left, rule->major);
		if (rule->minor != DEVICE_ANY)
			EMIT(BPF_JMP | BPF_JNE | BPF_K, BPF_REG_5, 0, --left, rule->minor);
		if (rule->allow) {
			EMIT(BPF_ALU64 | BPF_AND | BPF_K, BPF_REG_3, 0, 0, (int)~rule->access);
			EMIT(BPF_JMP | BPF_JNE | BPF_K, BPF_REG_3, 0, 2, 0);
		} else {
			EMIT(BPF_ALU64 | BPF_MOV | BPF_X, BPF_REG_0, BPF_REG_3, 0, 0);
			EMIT(BPF_ALU64 | BPF_AND | BPF_K, BPF_REG_0, 0, 0, (int)rule->access);
			EMIT(BPF_JMP | BPF_JEQ | BPF_K, BPF_REG_0, 0, 2, 0);
		}
		EMIT(BPF_ALU64 | BPF_MOV | BPF_K, BPF_REG_0, 0, 0, rule->allow);
		EMIT(BPF_JMP | BPF_EXIT, 0, 0, 0, 0);
	}
	EMIT(BPF_ALU64 | BPF_MOV | BPF_K, BPF_REG_0, 0, 0, open);
	EMIT(BPF_JMP | BPF_EXIT, 0, 0, 0, 0);
#undef EMIT
	return n;
}

static int bpf_call(enum bpf_cmd command, union bpf_attr *attr)
{
	return (int)syscall(SYS_bpf, command, attr, sizeof(*attr));
}

static int load_devices(const struct device_rules *rules)
{
	struct bpf_insn code[DEVICE_RULES * INSNS_PER_RULE + INSNS_AROUND];
	union bpf_attr attr;

	memset(&attr, 0, sizeof(attr));
	attr.prog_type = BPF_PROG_TYPE_CGROUP_DEVICE;
	attr.insn_cnt = (unsigned int)compile_devices(rules, code);
	attr.insns = (uintptr_t)code;
	attr.license = (uintptr_t) "Dual MIT/GPL";
	snprintf(attr.prog_name, sizeof(attr.prog_name), DEVICE_PROGRAM);
	int fd = bpf_call(BPF_PROG_LOAD, &attr);

	if (fd < 0)
		die("devices: load an eBPF program of %u instructions (needs CAP_BPF or root):",
		    attr.insn_cnt);
	return fd;
}

static unsigned int attached_devices(int dir, unsigned int *ids, unsigned int room)
{
	union bpf_attr attr;

	memset(&attr, 0, sizeof(attr));
	attr.query.target_fd = (unsigned int)dir;
	attr.query.attach_type = BPF_CGROUP_DEVICE;
	attr.query.prog_ids = (uintptr_t)ids;
	attr.query.prog_cnt = room;
	if (bpf_call(BPF_PROG_QUERY, &attr) < 0)
		die("devices: list the eBPF programs of the control group:");
	return attr.query.prog_cnt;
}

/* a descriptor of program ID if it carries our name, else -1 */
static int own_program(unsigned int id)
{
	struct bpf_prog_info info = {0};
	union bpf_attr attr;

	memset(&attr, 0, sizeof(attr));
	attr.prog_id = id;
	int fd = bpf_call(BPF_PROG_GET_FD_BY_ID, &attr);

	if (fd < 0)
		return -1;
	memset(&attr, 0, sizeof(attr));
	attr.info.bpf_fd = (unsigned int)fd;
	attr.info.info_len = sizeof(info);
	attr.info.info = (uintptr_t)&info;
	if (bpf_call(BPF_OBJ_GET_INFO_BY_FD, &attr) == 0 && strcmp(info.name, DEVICE_PROGRAM) == 0)
		return fd;
	close_dir(fd);
	return -1;
}

/* the new program first, then the old ones go: in between both have to agree */
static void set_devices_v2(int cg, const struct device_rules *rules)
{
	unsigned int before[64], after[64];
	int dir = open_dir(cg, ".", O_RDONLY); /* bpf(2) takes no O_PATH descriptor */
	union bpf_attr attr;

	if (dir < 0)
		die("devices: open the control group:");
	int program = load_devices(rules);
	unsigned int n = attached_devices(dir, before, LEN(before));

	memset(&attr, 0, sizeof(attr));
	attr.target_fd = (unsigned int)dir;
	attr.attach_bpf_fd = (unsigned int)program;
	attr.attach_type = BPF_CGROUP_DEVICE;
	attr.attach_flags = BPF_F_ALLOW_MULTI;
	if (bpf_call(BPF_PROG_ATTACH, &attr) < 0)
		die("devices: attach the eBPF program:");
	for (unsigned int i = 0; i < n && i < LEN(before); i++) {
		int old = own_program(before[i]);

		if (old < 0)
			continue;
		attr.attach_bpf_fd = (unsigned int)old;
		attr.attach_flags = 0;
		if (bpf_call(BPF_PROG_DETACH, &attr) < 0)
			die("devices: detach the earlier eBPF program:");
		close_dir(old);
	}
	unsigned int now = attached_devices(dir, after, LEN(after));
	int own = now ? own_program(after[now - 1]) : -1;

	if (own < 0)
		die("devices: the kernel did not keep the eBPF program");
	close_dir(own);
	close_dir(program);
	close_dir(dir);
}

#endif
