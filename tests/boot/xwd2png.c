/* xwd2png A.xwd A.png: what xwd(1) wrote of a window with 32 bits a pixel, as a
 * picture for pngdiff. The header: XWDFile.h of the X Window System, version 7. */
#include <arpa/inet.h>
#include <png.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum field { HEADER_SIZE, VERSION_FIELD, FORMAT, DEPTH, WIDTH, HEIGHT, XOFFSET, BYTE_ORDER_FIELD, BITMAP_UNIT, BITMAP_BIT_ORDER,
             BITMAP_PAD, BITS_PER_PIXEL, BYTES_PER_LINE, VISUAL, RED, GREEN, BLUE, BITS_PER_RGB, COLORMAP, COLOURS, FIELDS = 25 };

static void fail(const char *name, const char *why)
{
	fprintf(stderr, "xwd2png: %s: %s\n", name, why);
	exit(2);
}

int main(int argc, char **argv)
{
	uint32_t field[FIELDS];
	FILE *file = argc == 3 ? fopen(argv[1], "rb") : NULL;
	if (!file || fread(field, sizeof field, 1, file) != 1)
		fail(argv[argc - 1], "usage: xwd2png A.xwd A.png");
	for (unsigned i = 0; i < FIELDS; i++)
		field[i] = ntohl(field[i]);
	uint32_t width = field[WIDTH], height = field[HEIGHT], line = field[BYTES_PER_LINE];
	if (field[VERSION_FIELD] != 7 || field[BITS_PER_PIXEL] != 32 || field[BYTE_ORDER_FIELD] || field[RED] != 0xff0000 ||
	    width > 8192 || height > 8192 || line < width * 4)
		fail(argv[1], "is of another kind");
	fseek(file, (long)field[HEADER_SIZE] + 12 * (long)field[COLOURS], SEEK_SET);
	uint8_t *pixels = malloc((size_t)line * height + 1);
	if (!pixels || fread(pixels, line, height, file) != height)
		fail(argv[1], "is cut off");
	for (size_t i = 3; i < (size_t)line * height; i += 4)
		pixels[i] = 0xff;
	png_image image = { .version = PNG_IMAGE_VERSION, .width = width, .height = height, .format = PNG_FORMAT_BGRA };
	if (!png_image_write_to_file(&image, argv[2], 0, pixels, (png_int_32)line, NULL))
		fail(argv[2], image.message);
	free(pixels);
	fclose(file);
	return 0;
}
