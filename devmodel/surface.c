#include "devmodel/surface.h"

#include <glib.h>
#include <string.h>

struct surface *surface_new(unsigned width, unsigned height)
{
	struct surface *surface = g_new0(struct surface, 1);
	if (!surface_resize(surface, width, height)) {
		g_free(surface);
		return NULL;
	}
	return surface;
}

void surface_free(struct surface *surface)
{
	if (!surface)
		return;
	g_free(surface->pixels);
	g_free(surface);
}

bool surface_resize(struct surface *surface, unsigned width, unsigned height)
{
	if (width > SURFACE_MAX_SIDE || height > SURFACE_MAX_SIDE)
		return false;
	if (width == surface->width && height == surface->height)
		return true;
	g_free(surface->pixels);
	surface->pixels = g_new0(uint32_t, (size_t)width * height);
	surface->width = width;
	surface->height = height;
	return true;
}

static size_t count(const struct surface *surface)
{
	return (size_t)surface->width * surface->height;
}

void surface_fill(struct surface *surface, uint32_t color)
{
	for (size_t i = 0; i < count(surface); i++)
		surface->pixels[i] = color;
}

/* FNV-1a, a pixel at a time, with a last turn that lets the high bits of every
 * pixel reach the low bits of the result. */
static uint64_t mix(uint64_t hash, uint32_t word)
{
	return (hash ^ word) * 0x100000001b3ull;
}

uint64_t surface_hash(const struct surface *surface)
{
	uint64_t hash = mix(mix(0xcbf29ce484222325ull, surface->width), surface->height);
	for (size_t i = 0; i < count(surface); i++)
		hash = mix(hash, surface->pixels[i]);
	return hash ^ hash >> 32;
}

bool surface_equal(const struct surface *a, const struct surface *b)
{
	return a->width == b->width && a->height == b->height &&
	       (!count(a) || !memcmp(a->pixels, b->pixels, count(a) * sizeof *a->pixels));
}

static bool is_inside(const struct surface *surface, const struct surface_area *area)
{
	return area->x <= surface->width && area->width <= surface->width - area->x &&
	       area->y <= surface->height && area->height <= surface->height - area->y;
}

unsigned surface_count_colors(const struct surface *surface, const struct surface_area *area, unsigned limit)
{
	if (!is_inside(surface, area))
		return 0;
	g_autoptr(GHashTable) colors = g_hash_table_new(NULL, NULL);
	for (unsigned y = area->y; y < area->y + area->height; y++) {
		const uint32_t *row = surface_row(surface, y);
		for (unsigned x = area->x; x < area->x + area->width && g_hash_table_size(colors) < limit; x++)
			if (x == area->x || row[x] != row[x - 1])
				g_hash_table_add(colors, GUINT_TO_POINTER(row[x]));
	}
	return g_hash_table_size(colors);
}
