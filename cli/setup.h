/* What a machine was built from: enough to build the like of it again, which a
 * saved state then fills. */
#ifndef V2E_CLI_SETUP_H
#define V2E_CLI_SETUP_H

#include "cli/run_options.h"
#include "devmodel/pc.h"
#include "shared/snap.h"

/* Where the contents of a drive are. */
enum setup_source {
	SETUP_NOTHING,
	SETUP_READ_ONLY, /* a file */
	SETUP_WRITABLE,  /* a file that the guest writes to */
	SETUP_OVERLAY,   /* a file, what the guest wrote is in the state */
	SETUP_MEMORY,    /* all in the state */
	SETUP_SOURCES,
};

struct setup_medium {
	uint8_t drive;   /* enum pc_drive_kind; floppies: PC_DRIVE_NONE */
	uint8_t source;  /* enum setup_source */
	uint64_t sectors;
	char *path;      /* absolute; NULL without a file */
};

#define SETUP_MEDIA (PC_DISKS + PC_FLOPPIES + PC_VIRTIO_DISKS)

struct setup {
	uint64_t memory;
	uint8_t cpu;        /* enum emu_cpu */
	uint8_t serials;
	uint16_t debug_port, exit_port; /* 0: none */
	bool nic;           /* an e1000; it or the virtio card has this address */
	uint8_t mac[6];
	struct snap_blob bios, vgabios, nic_rom;
	uint8_t virtio;     /* as in struct pc_config */
	bool virtio_legacy;
	struct setup_medium medium[SETUP_MEDIA]; /* IDE connectors, then floppies, then virtio disks */
};

/* What a CPU and `config` (its media open, its firmware and network card set) make. */
void setup_describe(struct setup *setup, enum emu_cpu cpu, const struct pc_config *config);
void setup_clear(struct setup *setup);

/* Is there a network card, of whatever kind? */
bool setup_has_card(const struct setup *setup);

/* Saves or loads; a load checks all but what the board and the drives check. */
void setup_state(struct setup *setup, struct snap *snap);

#endif
