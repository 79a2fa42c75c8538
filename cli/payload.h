/* What a machine is to start, found out from the options: a drive, another BIOS, or a
 * kernel; and the option ROMs. */
#ifndef V2E_CLI_PAYLOAD_H
#define V2E_CLI_PAYLOAD_H

#include "cli/run_options.h"
#include "loader/boot_rom.h"
#include "loader/firmware.h"
#include "loader/image.h"
#include "loader/kernel.h"

struct payload {
	const char *bios;      /* the options' or IMAGE; NULL: the default */
	const char *drive;     /* IMAGE that belongs into a drive, or NULL */
	struct image image;    /* what it is */
	struct kernel kernel;  /* kernel.kind is KERNEL_NONE: there is none */
	struct boot_rom rom;   /* starts it, unless its plan is BOOT_DIRECT */
	struct firmware option_rom[PC_ROMS - 1];
	char *rom_name[PC_ROMS - 1];
};

/* Looks at IMAGE, kernel and ROMs. `config` has the serial ports and the size of RAM,
 * and gets ROMs and kernel. The strings of `options` must outlive the payload.
 * Returns false with *error (g_free), and nothing to be cleared. */
bool payload_open(struct payload *payload, const struct run_options *options, struct pc_config *config, char **error);
void payload_clear(struct payload *payload); /* of zeros is fine */

/* The kernel's plan if it starts without firmware, or NULL. */
const struct boot_plan *payload_direct_plan(const struct payload *payload);

#endif
