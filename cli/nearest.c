#include "cli/nearest.h"

#include <string.h>

#include <glib.h>

static unsigned least(unsigned a, unsigned b, unsigned c)
{
	unsigned smaller = MIN(a, b);
	return MIN(smaller, c);
}

/* Letters to insert, delete, change or swap with their neighbour (optimal string
 * alignment), one row of the table at a time. */
static unsigned edit_distance(const char *a, const char *b)
{
	size_t length = strlen(b);
	g_autofree unsigned *rows = g_new0(unsigned, 3 * (length + 1));
	unsigned *before = rows, *last = before + length + 1, *row = last + length + 1;
	for (unsigned j = 0; j <= length; j++)
		row[j] = j;
	for (unsigned i = 1; a[i - 1]; i++) {
		unsigned *oldest = before;
		before = last;
		last = row;
		row = oldest;
		row[0] = i;
		for (unsigned j = 1; j <= length; j++) {
			row[j] = least(last[j] + 1, row[j - 1] + 1, last[j - 1] + (a[i - 1] != b[j - 1]));
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
				row[j] = MIN(row[j], before[j - 2] + 1);
		}
	}
	return row[length];
}

const char *nearest_match(const char *word, const char *const *names)
{
	/* Nothing that we offer is that long, and the distance costs its square. */
	if (strlen(word) > 64)
		return NULL;
	const char *best = NULL;
	unsigned best_distance = MAX(1, (unsigned)strlen(word) / 3) + 1;
	for (; *names; names++) {
		unsigned distance = edit_distance(word, *names);
		if (distance < best_distance) {
			best = *names;
			best_distance = distance;
		}
	}
	return best;
}
