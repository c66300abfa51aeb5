/* text-pages.h: a program that waits for days need not have its beginning in memory.
 *
 * The kernel maps 16 pages around each one that is touched; what only the start needed is unmapped
 * here, and mapped again if it is called after all. See madvise(2) MADV_DONTNEED and
 * dl_iterate_phdr(3). */
#ifndef SC_TEXT_PAGES_H
#define SC_TEXT_PAGES_H

#include <link.h>
#include <stdint.h>
#include <sys/mman.h>

#include "sc.h"

/* the pages of this program and its libraries that are only read */
struct text_pages {
	struct {
		uintptr_t from, to;
	} ranges[8];
	size_t count;
};

static int text_pages_add(struct dl_phdr_info *object, size_t size, void *data)
{
	struct text_pages *text = data;
	uintptr_t mask = ~((uintptr_t)getpagesize() - 1);

	(void)size;
	for (int n = 0; n < object->dlpi_phnum && text->count < LEN(text->ranges); n++) {
		const ElfW(Phdr) *segment = &object->dlpi_phdr[n];
		uintptr_t from = object->dlpi_addr + segment->p_vaddr;
		uintptr_t to = from + segment->p_memsz;

		if (segment->p_type != PT_LOAD || (segment->p_flags & PF_W))
			continue;
		text->ranges[text->count].from = from & mask;
		text->ranges[text->count].to = to & mask;
		text->count++;
	}
	return 0;
}

static struct text_pages text_pages_find(void)
{
	struct text_pages text = {.count = 0};

	(void)dl_iterate_phdr(text_pages_add, &text);
	return text;
}

/* no more than advice: that it is not taken costs nothing but memory */
static void text_pages_drop(const struct text_pages *text)
{
	for (size_t n = text->count; n-- > 0;)
		(void)madvise((void *)text->ranges[n].from,
			      text->ranges[n].to - text->ranges[n].from, MADV_DONTNEED);
}

#endif
