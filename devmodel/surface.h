/* A picture: what a screen shows, what a PNG holds. */
#ifndef V2E_DEVMODEL_SURFACE_H
#define V2E_DEVMODEL_SURFACE_H

#include <stdbool.h>
#include <stdint.h>

/* The most that surface_resize() grants in each direction. */
#define SURFACE_MAX_SIDE 8192u

struct surface {
	unsigned width, height;
	uint32_t *pixels; /* 00RRGGBB, rows from the top without gaps; owned */
};

/* Black, or empty (no pixels) for a side of 0. NULL for a side past
 * SURFACE_MAX_SIDE. */
struct surface *surface_new(unsigned width, unsigned height);
void surface_free(struct surface *surface); /* NULL is fine */

/* The pixels are black afterwards, unless the size was this already: then they
 * stay. Returns false, and changes nothing, for a side past SURFACE_MAX_SIDE. */
bool surface_resize(struct surface *surface, unsigned width, unsigned height);

/* A rectangle of it, in pixels. */
struct surface_area {
	unsigned x, y, width, height;
};

void surface_fill(struct surface *surface, uint32_t color);

static inline uint32_t *surface_row(const struct surface *surface, unsigned y)
{
	return surface->pixels + (uint64_t)y * surface->width;
}

/* Of size and pixels; the same in every run and on every host. */
uint64_t surface_hash(const struct surface *surface);
bool surface_equal(const struct surface *a, const struct surface *b);

/* The number of colours in an area, counted up to `limit`; 0 if any of it lies
 * outside. */
unsigned surface_count_colors(const struct surface *surface, const struct surface_area *area, unsigned limit);

#endif
