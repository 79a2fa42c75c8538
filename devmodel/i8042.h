/* Keyboard controller with two PS/2 ports at 60h and 64h. Source: Intel UPI-42
 * data sheet; IBM PS/2 Hardware Interface Technical Reference, "Keyboard and
 * Auxiliary Device Controller".
 *
 * The controller takes commands at once (the input buffer is never seen full);
 * bytes from the devices reach the output buffer I8042_BYTE_NS after it became
 * empty, so each of them is an edge of IRQ 1 or IRQ 12. No byte is overwritten:
 * devices are held off while the buffer is full or their port is disabled. */
#ifndef V2E_DEVMODEL_I8042_H
#define V2E_DEVMODEL_I8042_H

#include <stdbool.h>
#include <stdint.h>

#include "shared/bus.h"
#include "shared/clock.h"
#include "shared/irq.h"
#include "shared/snap.h"

#define I8042_DATA    0x60
#define I8042_STATUS  0x64 /* read; writes are commands */
#define I8042_BYTE_NS 200000u

struct i8042;

enum i8042_port { I8042_KEYBOARD, I8042_AUX, I8042_PORTS };

/* What hangs on a PS/2 port. */
struct i8042_device {
	/* The host sends a byte. */
	void (*receive)(void *owner, uint8_t byte);
	/* Has the device a byte to send? After a change to true it calls i8042_poke(). */
	bool (*pending)(void *owner);
	/* Takes that byte; only called when pending. */
	uint8_t (*take)(void *owner);
	void *owner;
};

/* `irq1` and `irq12` follow the full output buffer where the command byte lets
 * them; `pins` gets `init` for a CPU reset; `a20` follows bit 1 of the output
 * port, which is high after reset.
 * Returns NULL with errno set when the bus has no room. */
struct i8042 *i8042_new(struct bus *bus, struct clock *clock, struct irq_line irq1, struct irq_line irq12,
                        struct cpu_pins *pins, struct irq_line a20);
void i8042_free(struct i8042 *kbc); /* NULL is fine */
/* Power-on: both ports disabled, no interrupts, no translation, A20 high. */
void i8042_reset(struct i8042 *kbc);
/* Its devices are to be loaded along with it: what they have to send is under way
 * by its timer. */
void i8042_state(struct i8042 *kbc, struct snap *snap);

/* `device` is copied; NULL unplugs. Bytes for a port without device time out:
 * the host reads FEh with bit 6 of the status set. */
void i8042_attach(struct i8042 *kbc, enum i8042_port port, const struct i8042_device *device);
/* A device has something to send. */
void i8042_poke(struct i8042 *kbc);
/* Does the command byte let the device send? */
bool i8042_is_enabled(const struct i8042 *kbc, enum i8042_port port);

#endif
