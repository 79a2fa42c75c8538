/* Kernels that are started without a boot loader of their own: which kind a file is,
 * and the plan that starts it. */
#ifndef V2E_LOADER_KERNEL_H
#define V2E_LOADER_KERNEL_H

#include "loader/multiboot_common.h"
#include "loader/start_info.h"

enum kernel_kind {
	KERNEL_NONE,       /* as the kind that is wanted: find out */
	KERNEL_LINUX,      /* linux_image.h */
	KERNEL_MULTIBOOT,  /* multiboot.h */
	KERNEL_MULTIBOOT2, /* multiboot2.h */
	KERNEL_ELF,        /* start_info.h */
	KERNEL_FLAT,       /* flat_image.h; only if the user says so */
};

/* How much of a file kernel_detect() wants to see. */
#define KERNEL_HEAD 32768u

/* By the first KERNEL_HEAD bytes of a file, or all that it has. A multiboot header in
 * a file that is no ELF counts only if it says where the file belongs, and not behind
 * the signature of a boot sector: GRUB's own core on a disk has one. */
enum kernel_kind kernel_detect(const struct loader_file *file);

/* "Linux", "multiboot", "multiboot2", "ELF", "flat binary". */
const char *kernel_kind_name(enum kernel_kind kind);

struct kernel_config {
	const char *path;
	enum kernel_kind kind;      /* KERNEL_NONE: by the file */
	const char *append;         /* NULL: no command line */
	const char *initrd;         /* NULL: none. For multiboot it is the first module */
	const GPtrArray *modules;   /* "FILE WORDS" */
	uint64_t address;           /* KERNEL_FLAT */
	uint64_t ram_size;
	struct start_info_board board;
};

struct kernel {
	enum kernel_kind kind;
	struct loader_file file, initrd;
	struct multiboot_module *modules; /* NULL: none */
	unsigned module_count;
	struct boot_plan plan;
};

/* Opens all files and makes the plan. The strings of `config` must outlive it.
 * Returns false with *error (g_free) and nothing to be cleared. */
bool kernel_open(struct kernel *kernel, const struct kernel_config *config, char **error);
void kernel_clear(struct kernel *kernel); /* of zeros is fine */

#endif
