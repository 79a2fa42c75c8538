/* Linux kernels, zImage and bzImage, and what is wrapped as one (memtest86+, iPXE's
 * .lkrn): Linux, Documentation/arch/x86/boot.rst, protocol 2.00 and later. Their
 * real-mode set-up code is what starts. */
#ifndef V2E_LOADER_LINUX_IMAGE_H
#define V2E_LOADER_LINUX_IMAGE_H

#include <stdbool.h>
#include <stdint.h>

#include "loader/boot_plan.h"
#include "loader/loader_file.h"

struct linux_image {
	uint16_t protocol;       /* 2.02 is 0202h */
	bool high;               /* a bzImage: its main part belongs at 1 MiB */
	uint32_t setup_size;     /* of the real-mode part, boot sector included */
	uint64_t main_size;
	uint64_t run_size;       /* that the main part wants from its address on */
	uint64_t run_address;    /* where it will run */
	uint32_t command_line_max;
	uint64_t initrd_max;     /* the last address that an initrd may use */
};

/* Is there a boot sector's signature, and "HdrS" behind it? */
bool linux_image_is(const struct loader_file *file);

/* Returns false with *error (g_free): file, field, value, limit. */
bool linux_image_parse(const struct loader_file *file, struct linux_image *image, char **error);

/* Makes the plan (initialized): set-up code, main part, `initrd` (NULL: none) and
 * `append` (NULL: none), in which "vga=" is for the loader. */
bool linux_image_plan(const struct loader_file *file, const struct loader_file *initrd, const char *append,
                      struct boot_plan *plan, char **error);

#endif
