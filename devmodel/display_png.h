/* Screenshots as PNG files, 8-bit RGB, at the mode's own resolution. */
#ifndef V2E_DEVMODEL_DISPLAY_PNG_H
#define V2E_DEVMODEL_DISPLAY_PNG_H

#include "devmodel/surface.h"

/* Writes a temporary file beside `path`, then renames it, so that a reader never
 * sees half a picture. Returns 0 or a negative errno (-EINVAL: the surface is
 * empty, -EIO: libpng failed) and, when `error` is not NULL, sets *error to a
 * message for g_free(). */
int display_png_write(const struct surface *surface, const char *path, char **error);

/* Any PNG of up to SURFACE_MAX_SIDE a side; transparent parts are laid on black.
 * Returns 0 or a negative errno (-EINVAL: no PNG, damaged or too large), *error
 * as above; the surface keeps what it had on failure. */
int display_png_read(struct surface *surface, const char *path, char **error);

#endif
