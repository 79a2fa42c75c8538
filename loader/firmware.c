#include "loader/firmware.h"

#include <errno.h>
#include <stdarg.h>
#include <string.h>
#include <sys/stat.h>

#include <glib.h>

#define BIOS_BLOCK   0x10000u
#define RESET_VECTOR 16u /* bytes before the end */
#define ROM_BLOCK    512u

/* A kind of firmware: how its messages speak of it. */
struct source {
	const char *what, *remedy, *fallback;
	size_t max;
};

static const struct source bios_source = { "BIOS", "install the package seabios or give --bios FILE", V2E_SEABIOS, FIRMWARE_BIOS_MAX };
static const struct source vgabios_source = { "VGA BIOS", "install the package seabios or give --vgabios FILE", V2E_VGABIOS, FIRMWARE_VGABIOS_MAX };
static const struct source nic_source = { "option ROM", "install the package ipxe-qemu or give --net-rom FILE", V2E_NIC_ROM, FIRMWARE_ROM_MAX };
static const struct source rom_source = { "option ROM", "give one such as those of the package ipxe-qemu", "", FIRMWARE_ROM_MAX };

static bool refuse(const struct source *source, const char *path, char **error, const char *format, ...)
	__attribute__((format(printf, 4, 5)));

static bool refuse(const struct source *source, const char *path, char **error, const char *format, ...)
{
	va_list arguments;
	va_start(arguments, format);
	g_autofree char *why = g_strdup_vprintf(format, arguments);
	va_end(arguments);
	*error = g_strdup_printf("%s: %s %s; %s", path, source->what, why, source->remedy);
	return false;
}

static bool load(const struct source *source, const char *path, struct firmware *firmware, char **error)
{
	struct stat status;
	if (stat(path, &status) < 0)
		return refuse(source, path, error, "cannot be opened: %s", g_strerror(errno));
	if (!S_ISREG(status.st_mode))
		return refuse(source, path, error, "is not a regular file");
	if (!status.st_size || (uint64_t)status.st_size > source->max)
		return refuse(source, path, error, "size is %lld bytes, not 1 to %zu", (long long)status.st_size, source->max);
	g_autoptr(GError) problem = NULL;
	char *data;
	if (!g_file_get_contents(path, &data, &firmware->size, &problem))
		return refuse(source, path, error, "cannot be read");
	firmware->data = (uint8_t *)data;
	return true;
}

static bool check_bios(const struct source *source, const char *path, const struct firmware *bios, char **error)
{
	if (!bios->size || bios->size % BIOS_BLOCK)
		return refuse(source, path, error, "size is %zu bytes, not a multiple of 64 KiB", bios->size);
	const uint8_t *vector = bios->data + bios->size - RESET_VECTOR;
	bool blank = (*vector == 0x00 || *vector == 0xff) && !memcmp(vector, vector + 1, RESET_VECTOR - 1);
	if (blank)
		return refuse(source, path, error, "reset vector is blank (16 bytes before the end)");
	return true;
}

static bool check_rom(const struct source *source, const char *path, const struct firmware *rom, char **error)
{
	if (rom->size < 3 || rom->data[0] != 0x55 || rom->data[1] != 0xaa)
		return refuse(source, path, error, "signature is not 55h AAh");
	size_t length = rom->data[2] * ROM_BLOCK;
	if (!length || length > rom->size)
		return refuse(source, path, error, "length byte says %zu bytes, the file has %zu", length, rom->size);
	uint8_t sum = 0;
	for (size_t i = 0; i < length; i++)
		sum = (uint8_t)(sum + rom->data[i]);
	if (sum)
		return refuse(source, path, error, "checksum is %02xh, not 00h", sum);
	return true;
}

static bool load_checked(const struct source *source, bool (*check)(const struct source *, const char *, const struct firmware *, char **),
                         const char *path, struct firmware *firmware, char **error)
{
	*firmware = (struct firmware){ NULL, 0 };
	if (!path)
		path = source->fallback;
	if (load(source, path, firmware, error) && check(source, path, firmware, error))
		return true;
	firmware_clear(firmware);
	return false;
}

bool firmware_load_bios(const char *path, struct firmware *bios, char **error)
{
	return load_checked(&bios_source, check_bios, path, bios, error);
}

bool firmware_load_vgabios(const char *path, struct firmware *vgabios, char **error)
{
	return load_checked(&vgabios_source, check_rom, path, vgabios, error);
}

bool firmware_load_rom(const char *path, struct firmware *rom, char **error)
{
	return load_checked(&rom_source, check_rom, path, rom, error);
}

bool firmware_load_nic_rom(const char *path, struct firmware *rom, char **error)
{
	return load_checked(&nic_source, check_rom, path, rom, error);
}

void firmware_clear(struct firmware *firmware)
{
	g_free(firmware->data);
	*firmware = (struct firmware){ NULL, 0 };
}
