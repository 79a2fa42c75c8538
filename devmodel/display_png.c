#include "devmodel/display_png.h"

#include <errno.h>
#include <fcntl.h>
#include <glib.h>
#include <glib/gstdio.h>
#include <png.h>
#include <stdio.h>
#include <unistd.h>

static int fail(char **error, int code, const char *path, const char *what)
{
	if (error)
		*error = g_strdup_printf("%s: %s", path, what);
	return code;
}

static int fail_errno(char **error, const char *path)
{
	int code = errno ? errno : EIO;
	return fail(error, -code, path, g_strerror(code));
}

static uint8_t *to_rgb(const struct surface *surface)
{
	size_t count = (size_t)surface->width * surface->height;
	uint8_t *rgb = g_new(uint8_t, count * 3);
	for (size_t i = 0; i < count; i++) {
		uint32_t pixel = surface->pixels[i];
		rgb[i * 3] = (uint8_t)(pixel >> 16);
		rgb[i * 3 + 1] = (uint8_t)(pixel >> 8);
		rgb[i * 3 + 2] = (uint8_t)pixel;
	}
	return rgb;
}

static void from_rgb(struct surface *surface, const uint8_t *rgb)
{
	size_t count = (size_t)surface->width * surface->height;
	for (size_t i = 0; i < count; i++)
		surface->pixels[i] = (uint32_t)(rgb[i * 3] << 16 | rgb[i * 3 + 1] << 8 | rgb[i * 3 + 2]);
}

static int encode(const struct surface *surface, FILE *file, const char *path, char **error)
{
	png_image image = {
		.version = PNG_IMAGE_VERSION, .width = surface->width, .height = surface->height,
		.format = PNG_FORMAT_RGB,
	};
	uint8_t *rgb = to_rgb(surface);
	int done = png_image_write_to_stdio(&image, file, 0, rgb, 0, NULL);
	g_free(rgb);
	if (!done)
		return fail(error, -EIO, path, image.message);
	return 0;
}

/* Takes over the descriptor. */
static int encode_to(const struct surface *surface, int fd, const char *path, char **error)
{
	FILE *file = fdopen(fd, "wb");
	if (!file) {
		int result = fail_errno(error, path);
		close(fd);
		return result;
	}
	int result = encode(surface, file, path, error);
	errno = 0;
	if (fclose(file) && !result)
		result = fail_errno(error, path);
	return result;
}

int display_png_write(const struct surface *surface, const char *path, char **error)
{
	if (!surface->width || !surface->height)
		return fail(error, -EINVAL, path, "the picture is empty");
	char *temporary = g_strconcat(path, ".XXXXXX", NULL);
	int fd = g_mkstemp_full(temporary, O_RDWR | O_CLOEXEC, 0666);
	int result = fd < 0 ? fail_errno(error, path) : encode_to(surface, fd, path, error);
	if (!result && g_rename(temporary, path))
		result = fail_errno(error, path);
	if (result && fd >= 0)
		g_unlink(temporary);
	g_free(temporary);
	return result;
}

static int decode(struct surface *surface, FILE *file, const char *path, char **error)
{
	png_image image = { .version = PNG_IMAGE_VERSION };
	const png_color black = { 0, 0, 0 };
	if (!png_image_begin_read_from_stdio(&image, file))
		return fail(error, -EINVAL, path, image.message);
	if (image.width > SURFACE_MAX_SIDE || image.height > SURFACE_MAX_SIDE) {
		png_image_free(&image);
		return fail(error, -EINVAL, path, "the picture is too large");
	}
	image.format = PNG_FORMAT_RGB;
	uint8_t *rgb = g_malloc(PNG_IMAGE_SIZE(image));
	int done = png_image_finish_read(&image, &black, rgb, 0, NULL);
	if (done) {
		surface_resize(surface, image.width, image.height);
		from_rgb(surface, rgb);
	}
	g_free(rgb);
	return done ? 0 : fail(error, -EINVAL, path, image.message);
}

int display_png_read(struct surface *surface, const char *path, char **error)
{
	FILE *file = g_fopen(path, "rb");
	if (!file)
		return fail_errno(error, path);
	int result = decode(surface, file, path, error);
	fclose(file);
	return result;
}
