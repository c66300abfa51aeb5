/* close-others.h: of the descriptors that a program was started with, only the known ones stay.
 *
 * Rests on close_range(2). */
#ifndef SC_CLOSE_OTHERS_H
#define SC_CLOSE_OTHERS_H

#include <stddef.h>

#include "sc.h"
#include "system-calls.h"

/* closes all above 2 but those in kept, in any order; negative ones do not count */
static void close_all_but(const int *kept, size_t count)
{
	unsigned int first = 3;

	for (;;) {
		int next = -1;

		for (size_t n = 0; n < count; n++)
			if (kept[n] >= (int)first && (next < 0 || kept[n] < next))
				next = kept[n];
		if (next < 0)
			break;
		if ((unsigned int)next > first && close_range(first, (unsigned int)next - 1, 0) < 0)
			die("close_range:");
		first = (unsigned int)next + 1;
	}
	if (close_range(first, ~0U, 0) < 0)
		die("close_range:");
}

#endif
