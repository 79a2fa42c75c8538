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
