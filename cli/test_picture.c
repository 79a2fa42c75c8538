#include "cli/test_picture.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "cli/units.h"
#include "devmodel/display_png.h"

#define RED 0xff0000u

void test_picture_clear(struct test_picture *picture)
{
	g_free(picture->file);
	g_free(picture->mask);
	g_clear_pointer(&picture->ignore, g_array_unref);
	*picture = (struct test_picture){ 0 };
}

static bool in_rectangle(const struct surface_area *r, unsigned x, unsigned y)
{
	return x >= r->x && x - r->x < r->width && y >= r->y && y - r->y < r->height;
}

static bool is_ignored(const struct test_picture *how, const struct surface *mask, unsigned x, unsigned y)
{
	if (mask && !surface_row(mask, y)[x])
		return true;
	for (guint i = 0; how->ignore && i < how->ignore->len; i++)
		if (in_rectangle(&g_array_index(how->ignore, struct surface_area, i), x, y))
			return true;
	return false;
}

/* The largest difference of one of the three colours. */
static unsigned distance(uint32_t a, uint32_t b)
{
	unsigned largest = 0;
	for (unsigned shift = 0; shift < 24; shift += 8) {
		int d = abs((int)(a >> shift & 255) - (int)(b >> shift & 255));
		largest = MAX(largest, (unsigned)d);
	}
	return largest;
}

static uint32_t dim(uint32_t pixel)
{
	return (pixel >> 2 & 0x3f3f3fu) + 0x202020u;
}

struct tally {
	uint64_t off;
	unsigned worst;
	unsigned left, top, right, bottom; /* of what is off */
};

static void tally_add(struct tally *tally, unsigned x, unsigned y, unsigned by)
{
	if (!tally->off++)
		*tally = (struct tally){ 1, 0, x, y, x, y };
	tally->worst = MAX(tally->worst, by);
	tally->left = MIN(tally->left, x);
	tally->right = MAX(tally->right, x);
	tally->bottom = y;
}

static struct tally compare(const struct test_picture *how, const struct surface *seen, const struct surface *wanted,
                            const struct surface *mask, struct surface *difference)
{
	struct tally tally = { 0 };
	for (unsigned y = 0; y < seen->height; y++) {
		const uint32_t *a = surface_row(seen, y), *b = surface_row(wanted, y);
		for (unsigned x = 0; x < seen->width; x++) {
			unsigned by = a[x] == b[x] ? 0 : distance(a[x], b[x]);
			bool off = by > how->tolerance && !is_ignored(how, mask, x, y);
			if (off)
				tally_add(&tally, x, y, by);
			if (difference)
				surface_row(difference, y)[x] = off ? RED : dim(a[x]);
		}
	}
	return tally;
}

static bool read_mask(const struct test_picture *how, const struct surface *seen, struct surface *mask, char **why)
{
	g_autofree char *problem = NULL;
	if (!how->mask)
		return true;
	if (display_png_read(mask, how->mask, &problem) < 0) {
		*why = g_strdup_printf("the mask cannot be read: %s", problem);
		return false;
	}
	if (mask->width == seen->width && mask->height == seen->height)
		return true;
	*why = g_strdup_printf("the mask %s is %ux%u, the screen %ux%u", how->mask, mask->width, mask->height,
	                       seen->width, seen->height);
	return false;
}

bool test_picture_equal(const struct test_picture *how, const struct surface *seen, const struct surface *wanted,
                        struct surface *difference, char **why)
{
	if (seen->width != wanted->width || seen->height != wanted->height) {
		*why = g_strdup_printf("the screen is %ux%u, not %ux%u", seen->width, seen->height, wanted->width, wanted->height);
		return false;
	}
	struct surface *mask = surface_new(0, 0);
	bool equal = read_mask(how, seen, mask, why);
	if (equal) {
		if (difference)
			surface_resize(difference, seen->width, seen->height);
		struct tally tally = compare(how, seen, wanted, how->mask ? mask : NULL, difference);
		equal = tally.off <= how->pixels;
		if (!equal)
			*why = g_strdup_printf("%" PRIu64 " pixels differ, by up to %u, between %u,%u and %u,%u", tally.off, tally.worst,
			                       tally.left, tally.top, tally.right, tally.bottom);
	}
	surface_free(mask);
	return equal;
}
