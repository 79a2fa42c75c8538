#include "cli/payload.h"

#include "cli/run_options_internal.h"

static bool look_at_image(struct payload *payload, const struct run_options *options, char **error)
{
	static const enum image_kind kinds[] = {
		[RUN_TYPE_CDROM] = IMAGE_CDROM, [RUN_TYPE_DISK] = IMAGE_DISK, [RUN_TYPE_FLOPPY] = IMAGE_FLOPPY,
		[RUN_TYPE_BOOT_SECTOR] = IMAGE_BOOT_SECTOR, [RUN_TYPE_BIOS] = IMAGE_BIOS,
	};
	if (!options->kernel && (run_type_is_kernel(options->type) || options->load_at != UINT64_MAX))
		return image_check(options->image, IMAGE_KERNEL, &payload->image, error);
	if (options->type == RUN_TYPE_AUTO || run_type_is_kernel(options->type))
		return image_detect(options->image, &payload->image, error);
	return image_check(options->image, kinds[options->type], &payload->image, error);
}

/* Returns the file that is the kernel, or NULL with or without *error. */
static const char *place_image(struct payload *payload, const struct run_options *options, char **error)
{
	if (!options->image)
		return options->kernel;
	if (!look_at_image(payload, options, error))
		return NULL;
	if (payload->image.kind == IMAGE_KERNEL && options->kernel) {
		*error = g_strdup_printf("two kernels, '%s' and '%s'; leave one out", options->kernel, options->image);
		return NULL;
	}
	if (payload->image.kind == IMAGE_BIOS && options->bios) {
		*error = g_strdup_printf("two BIOSes, '%s' and '%s'; leave one out", options->bios, options->image);
		return NULL;
	}
	if (payload->image.kind == IMAGE_KERNEL)
		return options->image;
	if (payload->image.kind == IMAGE_BIOS)
		payload->bios = options->image;
	else
		payload->drive = options->image;
	return options->kernel;
}

static enum kernel_kind wanted_kind(const struct run_options *options)
{
	static const enum kernel_kind kinds[] = {
		[RUN_TYPE_LINUX] = KERNEL_LINUX, [RUN_TYPE_MULTIBOOT] = KERNEL_MULTIBOOT, [RUN_TYPE_MULTIBOOT2] = KERNEL_MULTIBOOT2,
		[RUN_TYPE_ELF] = KERNEL_ELF, [RUN_TYPE_FLAT] = KERNEL_FLAT,
	};
	if (options->load_at != UINT64_MAX)
		return KERNEL_FLAT;
	return run_type_is_kernel(options->type) ? kinds[options->type] : KERNEL_NONE;
}

static bool refuse_strays(const struct run_options *options, char **error)
{
	const char *stray = options->initrd ? "--initrd" : options->append ? "--append" : options->modules->len ? "--module" : NULL;
	if (stray)
		*error = g_strdup_printf("%s: there is no kernel; give --kernel FILE", stray);
	return !stray;
}

static bool open_kernel(struct payload *payload, const char *path, const struct run_options *options, struct pc_config *config, char **error)
{
	struct pc_device device[PC_DEVICES];
	struct device_map_entry entry[PC_DEVICES];
	unsigned devices = pc_devices(config, device);
	for (unsigned n = 0; n < devices; n++)
		entry[n] = (struct device_map_entry){ device[n].base, device[n].irq };
	const struct kernel_config kernel = {
		.path = path, .kind = wanted_kind(options), .append = options->append, .initrd = options->initrd,
		.modules = options->modules, .address = options->load_at, .ram_size = config->ram_size,
		.board = { .ioapic_base = 0, .device = entry, .devices = devices },
	};
	if (!kernel_open(&payload->kernel, &kernel, error))
		return false;
	if (payload->kernel.plan.mode == BOOT_DIRECT)
		return true;
	if (!boot_rom_make(&payload->kernel.plan, &payload->rom, error))
		return false;
	config->kernel = payload->rom.data;
	config->kernel_size = payload->rom.data_size;
	config->rom[0] = (struct pc_rom){ BOOT_ROM_NAME, payload->rom.rom, payload->rom.rom_size };
	config->boot_rom = BOOT_ROM_NAME;
	return true;
}

static bool open_option_roms(struct payload *payload, const struct run_options *options, struct pc_config *config, char **error)
{
	unsigned first = config->rom[0].name ? 1 : 0;
	for (guint n = 0; n < options->option_roms->len; n++) {
		struct firmware *rom = &payload->option_rom[n];
		if (!firmware_load_rom(options->option_roms->pdata[n], rom, error))
			return false;
		payload->rom_name[n] = g_strdup_printf("option-%u.rom", n);
		config->rom[first + n] = (struct pc_rom){ payload->rom_name[n], rom->data, rom->size };
	}
	return true;
}

bool payload_open(struct payload *payload, const struct run_options *options, struct pc_config *config, char **error)
{
	*payload = (struct payload){ .bios = options->bios };
	const char *kernel = place_image(payload, options, error);
	bool fine = kernel ? open_kernel(payload, kernel, options, config, error) : !*error && refuse_strays(options, error);
	if (fine && open_option_roms(payload, options, config, error))
		return true;
	payload_clear(payload);
	return false;
}

void payload_clear(struct payload *payload)
{
	kernel_clear(&payload->kernel);
	boot_rom_clear(&payload->rom);
	for (unsigned n = 0; n < PC_ROMS - 1; n++) {
		firmware_clear(&payload->option_rom[n]);
		g_free(payload->rom_name[n]);
	}
	*payload = (struct payload){ .bios = NULL };
}

const struct boot_plan *payload_direct_plan(const struct payload *payload)
{
	bool direct = payload->kernel.kind != KERNEL_NONE && payload->kernel.plan.mode == BOOT_DIRECT;
	return direct ? &payload->kernel.plan : NULL;
}
