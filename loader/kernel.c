#include "loader/kernel.h"

#include "loader/elf_image.h"
#include "loader/flat_image.h"
#include "loader/linux_image.h"
#include "loader/multiboot.h"
#include "loader/multiboot2.h"

const char *kernel_kind_name(enum kernel_kind kind)
{
	static const char *const names[] = { "no kernel", "Linux", "multiboot", "multiboot2", "ELF", "flat binary" };
	return names[kind];
}

static bool has_boot_signature(const struct loader_file *file)
{
	return loader_file_has(file, 510, 2) && loader_file_16(file, 510) == 0xaa55;
}

static bool says_where_it_belongs(const struct loader_file *file, enum kernel_kind *kind)
{
	char *problem = NULL;
	struct multiboot_header first;
	struct multiboot2_header second;
	bool fine = false;
	if (multiboot_is(file)) {
		*kind = KERNEL_MULTIBOOT;
		fine = multiboot_parse(file, &first, &problem) && first.addresses.there;
	} else if (multiboot2_is(file)) {
		*kind = KERNEL_MULTIBOOT2;
		fine = multiboot2_parse(file, &second, &problem) && second.addresses.there;
	}
	g_free(problem);
	return fine;
}

enum kernel_kind kernel_detect(const struct loader_file *file)
{
	enum kernel_kind kind = KERNEL_NONE;
	if (linux_image_is(file))
		return KERNEL_LINUX;
	if (elf_is(file))
		return multiboot_is(file) ? KERNEL_MULTIBOOT : multiboot2_is(file) ? KERNEL_MULTIBOOT2 : KERNEL_ELF;
	if (has_boot_signature(file) || !says_where_it_belongs(file, &kind))
		return KERNEL_NONE;
	return kind;
}

/* --- modules -------------------------------------------------------------------- */

static bool open_module(struct kernel *kernel, const char *words, char **error)
{
	struct multiboot_module *module = &kernel->modules[kernel->module_count];
	size_t length = strcspn(words, " ");
	/* The file's name must live as long as the module. */
	char *path = g_strndup(words, length);
	g_ptr_array_add(kernel->plan.made, path);
	if (!loader_file_open(&module->file, path, error))
		return false;
	module->words = g_strdup(words);
	kernel->module_count++;
	return true;
}

static bool open_modules(struct kernel *kernel, const struct kernel_config *config, char **error)
{
	guint count = config->modules ? config->modules->len : 0, all = count + (config->initrd ? 1 : 0);
	if (all > MULTIBOOT_MODULES_MAX)
		return loader_refuse(config->path, error, "has %u modules, --initrd among them; give at most %u", all, MULTIBOOT_MODULES_MAX);
	kernel->modules = g_new0(struct multiboot_module, all);
	if (config->initrd && !open_module(kernel, config->initrd, error))
		return false;
	for (guint n = 0; n < count; n++)
		if (!open_module(kernel, config->modules->pdata[n], error))
			return false;
	return true;
}

/* --- plans ---------------------------------------------------------------------- */

static bool refuse_extras(const struct kernel *kernel, const struct kernel_config *config, bool initrd, bool append, bool modules, char **error)
{
	const char *extra = config->initrd && !initrd ? "--initrd" : config->append && !append ? "--append" :
	                    config->modules && config->modules->len && !modules ? "--module" : NULL;
	if (!extra)
		return true;
	return loader_refuse(config->path, error, "%s is for other kernels: this one is started as %s", extra,
	                     kernel->kind == KERNEL_LINUX ? "Linux, which has no modules; give --initrd" :
	                     kernel->kind == KERNEL_ELF ? "ELF with start_info, which has no place for it; give the kernel a multiboot header" :
	                     "a flat binary, which is told nothing");
}

static bool plan_linux(struct kernel *kernel, const struct kernel_config *config, char **error)
{
	if (!refuse_extras(kernel, config, true, true, false, error) ||
	    (config->initrd && !loader_file_open(&kernel->initrd, config->initrd, error)))
		return false;
	return linux_image_plan(&kernel->file, config->initrd ? &kernel->initrd : NULL, config->append, &kernel->plan, error);
}

static bool make_plan(struct kernel *kernel, const struct kernel_config *config, char **error)
{
	switch (kernel->kind) {
	case KERNEL_LINUX:
		return plan_linux(kernel, config, error);
	case KERNEL_MULTIBOOT:
		return open_modules(kernel, config, error) &&
		       multiboot_plan(&kernel->file, kernel->modules, kernel->module_count, config->append, &kernel->plan, error);
	case KERNEL_MULTIBOOT2:
		return open_modules(kernel, config, error) &&
		       multiboot2_plan(&kernel->file, kernel->modules, kernel->module_count, config->append, &kernel->plan, error);
	case KERNEL_ELF:
		return refuse_extras(kernel, config, false, false, false, error) &&
		       start_info_plan(&kernel->file, &config->board, &kernel->plan, error);
	case KERNEL_FLAT:
		return refuse_extras(kernel, config, false, false, false, error) &&
		       flat_image_plan(&kernel->file, config->address, &config->board, &kernel->plan, error);
	default:
		return loader_refuse(config->path, error, "is no kernel: no Linux (HdrS at byte 514), no ELF (7Fh ELF), no multiboot header; "
		                     "give --type flat and --load-at ADDRESS if it is code");
	}
}

static enum boot_mode mode_of(enum kernel_kind kind, uint64_t address)
{
	switch (kind) {
	case KERNEL_ELF:
		return BOOT_DIRECT;
	case KERNEL_MULTIBOOT:
	case KERNEL_MULTIBOOT2:
		return BOOT_PROTECTED;
	case KERNEL_FLAT:
		return flat_image_mode(address);
	default:
		return BOOT_REAL;
	}
}

bool kernel_open(struct kernel *kernel, const struct kernel_config *config, char **error)
{
	*kernel = (struct kernel){ .kind = config->kind };
	if (!loader_file_open(&kernel->file, config->path, error))
		return false;
	if (kernel->kind == KERNEL_NONE)
		kernel->kind = kernel_detect(&kernel->file);
	boot_plan_init(&kernel->plan, config->path, mode_of(kernel->kind, config->address), config->ram_size);
	if (!make_plan(kernel, config, error)) {
		kernel_clear(kernel);
		return false;
	}
	/* It is carried out at each reset; by then somebody may have built the kernel anew. */
	if (kernel->plan.mode == BOOT_DIRECT)
		boot_plan_keep(&kernel->plan);
	return true;
}

void kernel_clear(struct kernel *kernel)
{
	for (unsigned n = 0; n < kernel->module_count; n++) {
		loader_file_close(&kernel->modules[n].file);
		g_free(kernel->modules[n].words);
	}
	g_free(kernel->modules);
	loader_file_close(&kernel->file);
	loader_file_close(&kernel->initrd);
	if (kernel->plan.pieces)
		boot_plan_clear(&kernel->plan);
	*kernel = (struct kernel){ .kind = KERNEL_NONE };
}
