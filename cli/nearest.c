#include "cli/nearest.h"

#include <string.h>

#include <glib.h>

static unsigned least(unsigned a, unsigned b, unsigned c)
{
	unsigned smaller = MIN(a, b);
	return MIN(smaller, c);
}

/* Levenshtein's distance, one row at a time. */
static unsigned edit_distance(const char *a, const char *b)
{
	size_t length = strlen(b);
	g_autofree unsigned *row = g_new(unsigned, length + 1);
	for (unsigned j = 0; j <= length; j++)
		row[j] = j;
	for (unsigned i = 1; a[i - 1]; i++) {
		unsigned diagonal = row[0];
		row[0] = i;
		for (unsigned j = 1; j <= length; j++) {
			unsigned above = row[j];
			row[j] = least(above + 1, row[j - 1] + 1, diagonal + (a[i - 1] != b[j - 1]));
			diagonal = above;
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
