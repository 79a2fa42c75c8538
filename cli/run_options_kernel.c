#include <string.h>

#include "cli/run_options_internal.h"
#include "cli/units.h"

bool run_options_set_type(void *target, const char *value, char **error)
{
	static const char *const names[] = {
		"auto", "cdrom", "disk", "floppy", "boot-sector", "bios", "linux", "multiboot", "multiboot2", "elf", "flat",
	};
	struct run_options *options = target;
	for (unsigned i = 0; i < G_N_ELEMENTS(names); i++)
		if (!strcmp(names[i], value)) {
			options->type = (enum run_type)i;
			return true;
		}
	*error = g_strdup_printf("unknown kind '%s'; give auto, cdrom, disk, floppy, boot-sector, bios, linux, multiboot, multiboot2, elf or flat", value);
	return false;
}

bool run_type_is_kernel(enum run_type type)
{
	return type >= RUN_TYPE_LINUX;
}

bool run_options_set_kernel(void *target, const char *value, char **error)
{
	struct run_options *options = target;
	return run_options_set_file(&options->kernel, value, error);
}

bool run_options_set_initrd(void *target, const char *value, char **error)
{
	struct run_options *options = target;
	return run_options_set_file(&options->initrd, value, error);
}

bool run_options_set_append(void *target, const char *value, char **error)
{
	struct run_options *options = target;
	(void)error;
	options->append = g_strdup(value);
	return true;
}

bool run_options_add_module(void *target, const char *value, char **error)
{
	struct run_options *options = target;
	return run_options_add_file(options->modules, *value == ' ' ? "" : value, error);
}

bool run_options_set_load_at(void *target, const char *value, char **error)
{
	struct run_options *options = target;
	return units_parse_number(value, 0, UINT32_MAX, &options->load_at, error);
}

bool run_options_add_option_rom(void *target, const char *value, char **error)
{
	struct run_options *options = target;
	/* One place is the kernel loader's. */
	if (options->option_roms->len == PC_ROMS - 1) {
		*error = g_strdup_printf("too many option ROMs; give at most %u", PC_ROMS - 1);
		return false;
	}
	return run_options_add_file(options->option_roms, value, error);
}
