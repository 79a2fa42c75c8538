/* Both 8237A DMA controllers of the AT: channels 0-3 (bytes) at 00h-0Fh, 4-7
 * (words; 4 is the cascade) at C0h-DFh, page registers at 80h-8Fh. Channels 0-3
 * reach memory through channel 4: it must be unmasked and in cascade mode, as a
 * BIOS sets it. A cycle takes no time. Sources: Intel 8237A data sheet
 * (order 231466), Intel 82371SB (PIIX3) data sheet. */
#ifndef V2E_DEVMODEL_I8237_H
#define V2E_DEVMODEL_I8237_H

#include <stdbool.h>
#include <stddef.h>

#include "shared/bus.h"
#include "shared/mem.h"
#include "shared/snap.h"

struct i8237;

/* Returns NULL with errno set when the bus has no room. */
struct i8237 *i8237_new(struct bus *bus, struct mem *mem);
/* RESET pin: master clear of both, and page registers zero. */
void i8237_reset(struct i8237 *dma);
void i8237_state(struct i8237 *dma, struct snap *snap);
void i8237_free(struct i8237 *dma); /* NULL is fine; the bus must not be used after */

/* `serve` (DACK) is called when a channel whose i8237_transfer() could not be
 * granted may go on now because the guest has unmasked, enabled or requested it.
 * It comes out of the guest's port write and should call i8237_transfer() again.
 * channel: 0-3, 5-7. */
void i8237_attach(struct i8237 *dma, unsigned channel, void (*serve)(void *owner), void *owner);

/* A device with DREQ up moves up to `size` bytes between `buffer` and memory;
 * `to_memory` is the device's own direction. Returns how many bytes were moved;
 * it stops at the terminal count (*terminal_count = true, else false). Then:
 *  - all moved, or terminal count: DREQ drops;
 *  - 0 and no terminal count (masked, disabled, no bus): DREQ stays up, shows in
 *    the status register, and `serve` is called when the channel is granted.
 * Verify mode and a direction that does not fit the mode register run the
 * cycles without moving data (`buffer` of a reading device is filled with FF).
 * On channels 5-7 an odd last byte is not moved, and DREQ drops. */
size_t i8237_transfer(struct i8237 *dma, unsigned channel, void *buffer, size_t size,
                      bool to_memory, bool *terminal_count);
/* The device drops DREQ (its reset, an abort). */
void i8237_withdraw(struct i8237 *dma, unsigned channel);

#endif
