/* probe-load.h: probes that use up processors, memory, huge pages or processes.
 *
 * Sources: sched_setaffinity(2), getcpu(2), get_mempolicy(2), clone(2), mmap(2), cgroups(7). */
#ifndef SC_PROBE_LOAD_H
#define SC_PROBE_LOAD_H

#include <linux/mempolicy.h>
#include <poll.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/resource.h>

#include "probe.h"

#define BURNERS_MAX 256
#define TASK_STACK  2048U

static void pin(int cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET((size_t)cpu, &set);
	if (sched_setaffinity(0, sizeof(set), &set) < 0)
		die("sched_setaffinity CPU %d:", cpu);
}

static void spin(uint64_t until)
{
	while (microseconds() < until)
		for (volatile int n = 0; n < 20000; n++)
			;
}

/* COUNT processes that do nothing but compute; the first one is this one */
static void burn(uint64_t length, unsigned int count, int cpu)
{
	pid_t others[BURNERS_MAX];
	uint64_t until = microseconds() + length, used = 0;
	unsigned int started = 0;
	struct rusage usage;

	if (cpu >= 0)
		pin(cpu);
	while (started + 1 < count) {
		pid_t child = fork_bound();

		if (child == 0) {
			spin(until);
			_exit(0);
		}
		/* a limit on processes leaves us with fewer, which is no error */
		if (child < 0)
			break;
		others[started++] = child;
	}
	report("burning", started + 1U);
	spin(until);
	for (unsigned int n = 0; n < started; n++) {
		if (kill(others[n], SIGKILL) < 0 || waitpid(others[n], NULL, 0) < 0)
			die("end a child:");
	}
	for (int who = RUSAGE_CHILDREN; who <= RUSAGE_SELF; who++) {
		if (getrusage(who, &usage) < 0)
			die("getrusage:");
		used += (uint64_t)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * 1000000U +
			(uint64_t)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec);
	}
	report("cpu_usec", used);
}

/* 0-3,6 */
static void report_list(const char *key, const bool *set, size_t size)
{
	char text[4096] = "";
	size_t used = 0;

	for (size_t n = 0; n < size; n++) {
		size_t last = n;

		if (!set[n])
			continue;
		while (last + 1 < size && set[last + 1])
			last++;
		int more = last == n
			       ? snprintf(text + used, sizeof(text) - used, ",%zu", n)
			       : snprintf(text + used, sizeof(text) - used, ",%zu-%zu", n, last);

		if (more < 0 || (size_t)more >= sizeof(text) - used)
			die("%s: the list is too long", key);
		used += (size_t)more;
		n = last;
	}
	report_word(key, used ? text + 1 : "none");
}

/* the processors that really ran us when we asked for each of them, and the memory nodes */
static void cpus(void)
{
	bool ran[CPU_SETSIZE] = {false}, nodes[1024] = {false};
	unsigned long mask[LEN(nodes) / (8 * sizeof(unsigned long))] = {0};
	cpu_set_t set;

	for (int cpu = 0; cpu < CPU_SETSIZE; cpu++) {
		CPU_ZERO(&set);
		CPU_SET((size_t)cpu, &set);
		if (sched_setaffinity(0, sizeof(set), &set) == 0)
			ran[cpu] = sched_getcpu() == cpu;
		else if (errno != EINVAL)
			die("sched_setaffinity CPU %d:", cpu);
	}
	report_list("cpus", ran, LEN(ran));
	if (syscall(SYS_get_mempolicy, NULL, mask, LEN(nodes), NULL, MPOL_F_MEMS_ALLOWED) < 0) {
		/* a kernel without NUMA has one node */
		if (errno != ENOSYS)
			die("get_mempolicy:");
		mask[0] = 1;
	}
	for (size_t n = 0; n < LEN(nodes); n++)
		nodes[n] = mask[n / (8 * sizeof(mask[0]))] >> n % (8 * sizeof(mask[0])) & 1;
	report_list("mems", nodes, LEN(nodes));
}

/* Write to BYTES of fresh memory, saying how far we are: we may not live to say it at the end. */
static void touch(size_t bytes, uint64_t length)
{
	uint64_t until = microseconds() + length;
	size_t page = (size_t)sysconf(_SC_PAGESIZE), step = bytes / 256, done = 0;
	volatile char *memory = mmap(NULL, bytes, PROT_READ | PROT_WRITE,
				     MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	if (memory == MAP_FAILED)
		die("mmap %zu bytes:", bytes);
	step = step < 65536 ? 65536 : step > 4194304 ? 4194304 : step;
	while (done < bytes && microseconds() < until) {
		size_t end = bytes - done < step ? bytes : done + step;

		for (size_t at = done; at < end; at += page)
			memory[at] = 1;
		done = end;
		report("touched", done);
	}
	report("finished", done >= bytes);
}

/* the same in huge pages: SIGBUS ends us where the limit is, mmap(2) fails where pages are reserved
 */
static void huge(size_t size, size_t bytes)
{
	volatile char *memory;

	if ((size & (size - 1)) != 0)
		die("a huge page of %zu bytes: no power of two", size);
	for (size_t done = 0; done + size <= bytes; done += size) {
		memory = mmap(NULL, size, PROT_READ | PROT_WRITE,
			      MAP_PRIVATE | MAP_ANONYMOUS | MAP_HUGETLB |
				  __builtin_ctzll(size) << MAP_HUGE_SHIFT,
			      -1, 0);
		if (memory == MAP_FAILED) {
			report_word("refused", error_name(errno));
			return;
		}
		memory[0] = 1;
		report("touched", done + size);
	}
	report("finished", 1);
}

/* what a task of fork does: nothing, and without the state of a C library that it does not have */
__attribute__((no_sanitize("address", "undefined"))) static int idle(void *forever)
{
	do
		syscall(SYS_ppoll, NULL, 0, NULL, NULL, 0);
	while (forever);
	return 0;
}

/* Start tasks until the kernel refuses, or there are COUNT; hold them. Threads, because the kernel
 * counts those too and because nothing can part them from us: they end when we do. */
static void fork_tasks(size_t count, uint64_t length)
{
	uint64_t until = microseconds() + length;
	size_t started = 0;
	bool told = false;
	char *stacks = mmap(NULL, count * TASK_STACK, PROT_READ | PROT_WRITE,
			    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	if (stacks == MAP_FAILED)
		die("mmap %zu stacks:", count);
	while (microseconds() < until) {
		int error = 0;

		while (started < count && !error) {
			if (clone(idle, stacks + (started + 1) * TASK_STACK,
				  CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD |
				      CLONE_SYSVSEM,
				  stacks) < 0)
				error = errno;
			else
				started++;
		}
		if (!told) {
			report("forked", started);
			report_word("refused", error_name(error));
			told = true;
		}
		/* what ends in the container meanwhile leaves room, which we take */
		if (poll(NULL, 0, 5) < 0 && errno != EINTR)
			die("poll:");
	}
}

#endif
