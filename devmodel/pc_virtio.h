/* The board's virtio devices: which are fitted, where they are, how a guest finds them.
 * Slot n has its page of registers at PC_VIRTIO_BASE + n * VIRTIO_MMIO_SIZE. Slots share
 * two interrupts; for each cause the line falls and rises again, so that no edge is
 * missed, and stays high while a device of it has something to tell. */
#ifndef V2E_DEVMODEL_PC_VIRTIO_H
#define V2E_DEVMODEL_PC_VIRTIO_H

#include "devmodel/fw_cfg.h"
#include "devmodel/pc.h"

/* Behind the places of I/O APIC, HPET and local APIC, in front of any BIOS. */
#define PC_VIRTIO_BASE 0xfef00000u

struct pc_virtio;

/* `line` gives the board's ISA interrupts. Takes over the disks of `config`, and clears
 * them there, of which it has made devices. Returns NULL with errno set. */
struct pc_virtio *pc_virtio_new(struct pc_config *config, struct mem *mem, struct irq_line (*line)(void *owner, unsigned irq), void *owner);
void pc_virtio_reset(struct pc_virtio *virtio);
void pc_virtio_state(struct pc_virtio *virtio, struct snap *snap);
void pc_virtio_free(struct pc_virtio *virtio); /* NULL is fine */

/* As pc_devices(); returns how many, at most PC_VIRTIO_SLOTS. */
unsigned pc_virtio_devices(const struct pc_config *config, struct pc_device *device);
/* Gives the firmware an ACPI table that names the devices, if there are any. */
void pc_virtio_add_acpi(struct fw_cfg *fw, const struct pc_config *config);

#endif
