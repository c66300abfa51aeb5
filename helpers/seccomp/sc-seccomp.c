/* sc-seccomp: a readable list of system calls becomes a filter
 * usage: sc-seccomp PROFILE OUTPUT
 *
 * Runs when scadm is built; the format of PROFILE is explained in default.profile. OUTPUT is an
 * array of struct sock_filter for this machine's architecture and its 32-bit one.
 * Exit codes: 125 failure. Rests on seccomp(2), bpf's classic instructions in the kernel's
 * Documentation/networking/filter.rst, and libseccomp's tables of names and numbers.
 *
 * For each architecture the filter asks, in this order: is the number too new, does an errno line
 * meet it, which range of numbers with one verdict is it in (a binary search, so that a program
 * of 400 names is short: what the kernel has to check and translate at each start of a
 * container). Arguments of allow lines are compared in full, those of errno lines in their low
 * 32 bits, which is what the kernel looks at where such a line is needed. */
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <seccomp.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "../sc.h"

#define ERRNO_MAX  64
#define ALLOW_MAX  64
#define CODE_MAX   2048
#define NUMBER_MAX 1024
#define X32_NUMBER 0x40000000

#if __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
#error "the low half of an argument is looked for where little-endian machines have it"
#endif

/* one errno line, for one name */
struct refusal {
	char name[64];
	int error;
	bool compares;
	unsigned int argument;
	uint32_t value;
};

/* one allow line with a condition */
struct permission {
	char name[64];
	struct scmp_arg_cmp condition;
};

enum verdict { DENIED, ALLOWED, CONDITIONAL };

struct architecture {
	uint32_t token; /* libseccomp's are the kernel's AUDIT_ARCH_* */
	int newest;     /* highest number named */
	unsigned char verdict[NUMBER_MAX];
};

struct profile {
	struct architecture arch[2];
	size_t narch;
	struct refusal refusal[ERRNO_MAX];
	size_t nrefusal;
	struct permission permission[ALLOW_MAX];
	size_t npermission;
	unsigned int allowed, line;
	const char *file;
};

struct program {
	struct sock_filter code[CODE_MAX];
	size_t n;
};

static const struct {
	const char *name;
	int value;
} error_names[] = {
    {"EPERM", EPERM}, {"ENOSYS", ENOSYS}, {"EACCES", EACCES}, {"EAFNOSUPPORT", EAFNOSUPPORT}};

/* -1 when the architecture has no such call. For i386 libseccomp answers with a pseudo number that
 * stands for socketcall(2) or ipc(2) and the direct form; the direct one is in asm/unistd_32.h. */
static int number_in(uint32_t arch, const char *name)
{
	static const struct {
		const char *name;
		int number_of;
	} direct[] = {
	    {"recvmmsg", 337},   {"sendmmsg", 345},   {"socket", 359},      {"socketpair", 360},
	    {"bind", 361},       {"connect", 362},    {"listen", 363},      {"accept4", 364},
	    {"getsockopt", 365}, {"setsockopt", 366}, {"getsockname", 367}, {"getpeername", 368},
	    {"sendto", 369},     {"sendmsg", 370},    {"recvfrom", 371},    {"recvmsg", 372},
	    {"shutdown", 373},   {"semget", 393},     {"semctl", 394},      {"shmget", 395},
	    {"shmctl", 396},     {"shmat", 397},      {"shmdt", 398},       {"msgget", 399},
	    {"msgsnd", 400},     {"msgrcv", 401},     {"msgctl", 402}};

	for (size_t n = 0; arch == SCMP_ARCH_X86 && n < LEN(direct); n++)
		if (strcmp(name, direct[n].name) == 0)
			return direct[n].number_of;
	return seccomp_syscall_resolve_name_arch(arch, name);
}

static uint64_t parse_value(const struct profile *p, const char *word)
{
	char *end;

	errno = 0;
	uint64_t value = word ? strtoull(word, &end, 0) : 0;

	if (!word || !*word || *end || errno)
		die("%s line %u: '%s' is not a number", p->file, p->line, word ? word : "");
	return value;
}

static char *next_word(char **rest)
{
	char *word;

	do
		word = strsep(rest, " \t");
	while (word && !*word);
	return word;
}

/* "argN == VALUE" or "argN & MASK == VALUE", if word is the first of that */
static bool parse_condition(const struct profile *p, const char *word, char **rest,
			    struct scmp_arg_cmp *condition)
{
	uint64_t mask = UINT64_MAX;

	if (!word || strncmp(word, "arg", 3) != 0 || word[3] < '0' || word[3] > '5' || word[4])
		return false;
	const char *sign = next_word(rest);

	if (sign && strcmp(sign, "&") == 0) {
		mask = parse_value(p, next_word(rest));
		sign = next_word(rest);
	}
	if (!sign || strcmp(sign, "==") != 0)
		die("%s line %u: want argN [& MASK] == VALUE", p->file, p->line);
	*condition = (struct scmp_arg_cmp){.arg = (unsigned int)(word[3] - '0'),
					   .op = SCMP_CMP_MASKED_EQ,
					   .datum_a = mask,
					   .datum_b = parse_value(p, next_word(rest))};
	if (next_word(rest))
		die("%s line %u: more words than expected", p->file, p->line);
	return true;
}

/* notes the name and its verdict; false when this libseccomp has never heard of it */
static bool know(struct profile *p, const char *name, enum verdict verdict)
{
	if (seccomp_syscall_resolve_name(name) == __NR_SCMP_ERROR) {
		dprintf(STDERR_FILENO, "%s: note: %s line %u: %s is newer than this libseccomp\n",
			prog, p->file, p->line, name);
		return false;
	}
	for (size_t n = 0; n < p->narch; n++) {
		struct architecture *arch = &p->arch[n];
		int number_of = number_in(arch->token, name);

		if (number_of < 0)
			continue;
		if (number_of >= NUMBER_MAX)
			die("%s line %u: %s has number %d", p->file, p->line, name, number_of);
		if (number_of > arch->newest)
			arch->newest = number_of;
		if (arch->verdict[number_of] != DENIED && arch->verdict[number_of] != verdict)
			die("%s line %u: %s contradicts an earlier line", p->file, p->line, name);
		arch->verdict[number_of] = (unsigned char)verdict;
	}
	return true;
}

static void allow(struct profile *p, const char *name, const struct scmp_arg_cmp *condition)
{
	struct permission *permission = &p->permission[p->npermission];

	if (!know(p, name, condition ? CONDITIONAL : ALLOWED))
		return;
	p->allowed++;
	if (!condition)
		return;
	if (p->npermission == ALLOW_MAX || strlen(name) >= sizeof(permission->name))
		die("%s line %u: more than %d conditions", p->file, p->line, ALLOW_MAX);
	memcpy(permission->name, name, strlen(name) + 1);
	permission->condition = *condition;
	p->npermission++;
}

static void refuse(struct profile *p, const char *name, int error,
		   const struct scmp_arg_cmp *condition)
{
	struct refusal *r = &p->refusal[p->nrefusal];

	if (seccomp_syscall_resolve_name(name) == __NR_SCMP_ERROR)
		die("%s line %u: errno for an unknown name", p->file, p->line);
	if (p->nrefusal == ERRNO_MAX || strlen(name) >= sizeof(r->name))
		die("%s line %u: more than %d errno rules", p->file, p->line, ERRNO_MAX);
	if (condition && (condition->datum_a != UINT64_MAX || condition->datum_b > UINT32_MAX))
		die("%s line %u: errno compares 32 bits, without a mask", p->file, p->line);
	*r = (struct refusal){.error = error, .compares = condition};
	memcpy(r->name, name, strlen(name) + 1);
	if (condition) {
		r->argument = condition->arg;
		r->value = (uint32_t)condition->datum_b;
	}
	p->nrefusal++;
}

static int parse_errno(const struct profile *p, const char *word)
{
	for (size_t n = 0; word && n < LEN(error_names); n++)
		if (strcmp(word, error_names[n].name) == 0)
			return error_names[n].value;
	die("%s line %u: '%s' is no errno that is known here", p->file, p->line, word ? word : "");
}

static void parse_line(struct profile *p, char *line)
{
	struct scmp_arg_cmp condition;
	int error = 0;

	line[strcspn(line, "#\n")] = '\0';
	const char *verb = next_word(&line);

	if (!verb)
		return;
	if (strcmp(verb, "errno") == 0)
		error = parse_errno(p, next_word(&line));
	else if (strcmp(verb, "allow") != 0 && strcmp(verb, "deny") != 0)
		die("%s line %u: want allow, errno or deny", p->file, p->line);
	const char *name = next_word(&line);

	if (!name)
		die("%s line %u: no name", p->file, p->line);
	for (const char *next; name; name = next) {
		bool conditional;

		next = next_word(&line);
		conditional = parse_condition(p, next, &line, &condition);
		if (conditional)
			next = NULL;
		if (verb[0] == 'a')
			allow(p, name, conditional ? &condition : NULL);
		else if (verb[0] == 'e')
			refuse(p, name, error, conditional ? &condition : NULL);
		else if (conditional)
			die("%s line %u: deny takes no condition", p->file, p->line);
		else
			(void)know(p, name, DENIED);
	}
}

static void emit(struct program *out, struct sock_filter instruction)
{
	if (out->n == CODE_MAX)
		die("more than %d instructions", CODE_MAX);
	out->code[out->n++] = instruction;
}

static void emit_load(struct program *out, size_t offset)
{
	emit(out, (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, (uint32_t)offset));
}

/* if the accumulator compares so with value, fail with error */
static void emit_refuse(struct program *out, unsigned short comparison, uint32_t value, int error)
{
	emit(out, (struct sock_filter)BPF_JUMP(BPF_JMP | comparison | BPF_K, value, 0, 1));
	emit(out, (struct sock_filter)BPF_STMT(BPF_RET | BPF_K,
					       SECCOMP_RET_ERRNO | ((uint32_t)error & 0xffff)));
}

static void emit_return(struct program *out, uint32_t action)
{
	emit(out, (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, action));
}

/* 64 bits are compared as two halves */
static void emit_permissions(const struct profile *p, uint32_t token, int number_of,
			     struct program *out)
{
	for (size_t n = 0; n < p->npermission; n++) {
		const struct scmp_arg_cmp *c = &p->permission[n].condition;

		if (number_in(token, p->permission[n].name) != number_of)
			continue;
		for (unsigned int half = 0; half < 2; half++) {
			uint32_t mask = (uint32_t)(c->datum_a >> (32 * half));
			uint32_t value = (uint32_t)(c->datum_b >> (32 * half));

			emit_load(out,
				  offsetof(struct seccomp_data, args) + 8UL * c->arg + 4UL * half);
			emit(out, (struct sock_filter)BPF_STMT(BPF_ALU | BPF_AND | BPF_K, mask));
			/* over the other half and the return */
			emit(out, (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, value, 0,
							       half ? 1 : 4));
		}
		emit_return(out, SECCOMP_RET_ALLOW);
	}
	emit_return(out, SECCOMP_RET_ERRNO | EPERM);
}

/* n ranges by their first numbers; the accumulator is in one of them */
static void emit_search(const struct profile *p, const struct architecture *arch, const int *start,
			size_t n, struct program *out)
{
	if (n == 1) {
		if (arch->verdict[start[0]] == CONDITIONAL)
			emit_permissions(p, arch->token, start[0], out);
		else
			emit_return(out, arch->verdict[start[0]] == ALLOWED
					     ? SECCOMP_RET_ALLOW
					     : SECCOMP_RET_ERRNO | EPERM);
		return;
	}
	size_t middle = n / 2;
	size_t jump = out->n;

	emit(out, (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, (uint32_t)start[middle],
					       0, 0));
	emit_search(p, arch, start, middle, out);
	if (out->n - jump - 1 > UINT8_MAX)
		die("the filter became so long that a jump does not reach");
	out->code[jump].jt = (unsigned char)(out->n - jump - 1);
	emit_search(p, arch, start + middle, n - middle, out);
}

static void emit_ranges(const struct profile *p, const struct architecture *arch,
			struct program *out)
{
	int start[NUMBER_MAX];
	size_t n = 0;

	for (int i = 0; i <= arch->newest; i++)
		if (i == 0 || arch->verdict[i] != arch->verdict[i - 1] ||
		    arch->verdict[i] == CONDITIONAL)
			start[n++] = i;
	emit_search(p, arch, start, n, out);
}

static void emit_arch(const struct profile *p, const struct architecture *arch, struct program *out)
{
	emit_load(out, offsetof(struct seccomp_data, arch));
	emit(out, (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, arch->token, 1, 0));
	size_t around = out->n;

	emit(out, (struct sock_filter)BPF_STMT(BPF_JMP | BPF_JA, 0));
	emit_load(out, offsetof(struct seccomp_data, nr));
	/* x32 has the same architecture and numbers from X32_NUMBER on, so it is too new as well */
	_Static_assert(X32_NUMBER > NUMBER_MAX, "x32 is above every number");
	emit_refuse(out, BPF_JGT, (uint32_t)arch->newest, ENOSYS);
	for (size_t n = 0; n < p->nrefusal; n++) {
		const struct refusal *r = &p->refusal[n];
		int number_of = number_in(arch->token, r->name);

		if (number_of < 0)
			continue;
		if (!r->compares) {
			emit_refuse(out, BPF_JEQ, (uint32_t)number_of, r->error);
			continue;
		}
		emit(out, (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K,
						       (uint32_t)number_of, 0, 4));
		emit_load(out, offsetof(struct seccomp_data, args) + 8UL * r->argument);
		emit_refuse(out, BPF_JEQ, r->value, r->error);
		emit_load(out, offsetof(struct seccomp_data, nr));
	}
	emit_ranges(p, arch, out);
	out->code[around].k = (uint32_t)(out->n - around - 1);
}

static void add_architectures(struct profile *p)
{
	p->arch[p->narch++].token = seccomp_arch_native();
	if (p->arch[0].token == SCMP_ARCH_X86_64)
		p->arch[p->narch++].token = SCMP_ARCH_X86;
	else if (p->arch[0].token == SCMP_ARCH_AARCH64)
		p->arch[p->narch++].token = SCMP_ARCH_ARM;
}

static void write_program(const struct profile *p, const char *file)
{
	struct program program = {.n = 0};

	for (size_t n = 0; n < p->narch; n++)
		emit_arch(p, &p->arch[n], &program);
	/* any other architecture */
	emit_return(&program, SECCOMP_RET_ERRNO | ENOSYS);
	const size_t size = program.n * sizeof(program.code[0]);
	int out = open(file, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);

	if (out < 0)
		die("open %s:", file);
	if (write(out, program.code, size) != (ssize_t)size || close(out) < 0)
		die("write %s:", file);
	dprintf(STDERR_FILENO, "%s: %s: %u allow rules, %zu refusals, %zu instructions\n", prog,
		file, p->allowed, p->nrefusal, program.n);
}

int main(int argc, char **argv)
{
	struct profile p = {.narch = 0};
	char *line = NULL;
	size_t room = 0;

	prog = "sc-seccomp";
	if (argc != 3)
		die("usage: sc-seccomp PROFILE OUTPUT");
	p.file = argv[1];
	add_architectures(&p);
	FILE *file = fopen(p.file, "re");

	if (!file)
		die("open %s:", p.file);
	while (getline(&line, &room, file) >= 0) {
		p.line++;
		parse_line(&p, line);
	}
	if (ferror(file) || fclose(file) != 0)
		die("read %s:", p.file);
	free(line);
	write_program(&p, argv[2]);
	return 0;
}
