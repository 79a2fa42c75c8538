/* Facts about screenshots, for tests to judge:
 *
 *	pngdiff info A.png [X Y WIDTH HEIGHT]
 *		width, height, and the number of distinct colours
 *	pngdiff diff A.png B.png [X Y WIDTH HEIGHT]
 *		the number of pixels that differ, and the box around them
 *		(left, top, right, bottom; both ends inside), 0 0 0 0 if none do
 *
 * on one line of numbers. The rectangle narrows the look to a part of the
 * picture. Exit status: 0, or 2 when a file cannot be read, the two pictures
 * differ in size, or the rectangle lies outside. */
#include <png.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct picture {
	const char *name;
	uint32_t width, height;
	uint32_t *pixels;
};

struct rectangle {
	uint32_t x, y, width, height;
};

static void fail(const char *name, const char *why)
{
	fprintf(stderr, "pngdiff: %s: %s\n", name, why);
	exit(2);
}

static struct picture read_picture(const char *name)
{
	png_image image = { .version = PNG_IMAGE_VERSION };
	if (!png_image_begin_read_from_file(&image, name))
		fail(name, image.message);
	image.format = PNG_FORMAT_RGBA;
	uint32_t *pixels = malloc(PNG_IMAGE_SIZE(image));
	if (!pixels)
		fail(name, "too large");
	if (!png_image_finish_read(&image, NULL, pixels, 0, NULL))
		fail(name, image.message);
	return (struct picture){ name, image.width, image.height, pixels };
}

static uint32_t read_number(const char *word)
{
	char *end;
	unsigned long value = strtoul(word, &end, 10);
	if (!*word || *end || value > UINT32_MAX)
		fail(word, "is no number");
	return (uint32_t)value;
}

static struct rectangle read_rectangle(const struct picture *picture, int count, char **words)
{
	if (!count)
		return (struct rectangle){ 0, 0, picture->width, picture->height };
	struct rectangle part = {
		read_number(words[0]), read_number(words[1]), read_number(words[2]), read_number(words[3]),
	};
	if (!part.width || !part.height || part.x > picture->width || part.width > picture->width - part.x ||
	    part.y > picture->height || part.height > picture->height - part.y)
		fail(picture->name, "the rectangle lies outside");
	return part;
}

static uint32_t pixel(const struct picture *picture, uint32_t x, uint32_t y)
{
	return picture->pixels[(size_t)y * picture->width + x];
}

static int compare_pixels(const void *a, const void *b)
{
	uint32_t left = *(const uint32_t *)a, right = *(const uint32_t *)b;
	return (left > right) - (left < right);
}

static size_t count_colours(const struct picture *picture, struct rectangle part)
{
	size_t total = (size_t)part.width * part.height, colours = 1;
	uint32_t *sorted = malloc(total * sizeof *sorted);
	if (!sorted)
		fail(picture->name, "too large");
	for (uint32_t y = 0; y < part.height; y++)
		memcpy(sorted + (size_t)y * part.width,
		       picture->pixels + (size_t)(part.y + y) * picture->width + part.x, part.width * sizeof *sorted);
	qsort(sorted, total, sizeof *sorted, compare_pixels);
	for (size_t i = 1; i < total; i++)
		colours += sorted[i] != sorted[i - 1];
	free(sorted);
	return colours;
}

static void print_difference(const struct picture *a, const struct picture *b, struct rectangle part)
{
	size_t differing = 0;
	uint32_t left = 0, top = 0, right = 0, bottom = 0;
	for (uint32_t y = part.y; y < part.y + part.height; y++)
		for (uint32_t x = part.x; x < part.x + part.width; x++) {
			if (pixel(a, x, y) == pixel(b, x, y))
				continue;
			left = !differing || x < left ? x : left;
			right = x > right ? x : right;
			top = differing ? top : y;
			bottom = y;
			differing++;
		}
	printf("%zu %u %u %u %u\n", differing, left, top, right, bottom);
}

int main(int argc, char **argv)
{
	bool info = argc > 1 && !strcmp(argv[1], "info");
	bool diff = argc > 1 && !strcmp(argv[1], "diff");
	int rest = argc - (info ? 3 : 4);
	if ((!info && !diff) || (rest != 0 && rest != 4)) {
		fprintf(stderr, "usage: pngdiff info A.png [X Y WIDTH HEIGHT]\n"
		                "       pngdiff diff A.png B.png [X Y WIDTH HEIGHT]\n");
		return 2;
	}
	struct picture a = read_picture(argv[2]);
	struct rectangle part = read_rectangle(&a, rest, argv + argc - rest);
	if (info) {
		printf("%u %u %zu\n", a.width, a.height, count_colours(&a, part));
	} else {
		struct picture b = read_picture(argv[3]);
		if (a.width != b.width || a.height != b.height)
			fail(b.name, "has another size");
		print_difference(&a, &b, part);
		free(b.pixels);
	}
	free(a.pixels);
	return 0;
}
