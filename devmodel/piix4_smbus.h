/* The SMBus host of the PIIX4, with no device on its bus: each transaction ends at
 * once with DEV_ERR. The slave registers are stored and do nothing. Source: Intel
 * 82371AB data sheet (order 290562), 7.3. */
#ifndef V2E_DEVMODEL_PIIX4_SMBUS_H
#define V2E_DEVMODEL_PIIX4_SMBUS_H

#include <stdbool.h>
#include <stdint.h>

#include "shared/bus.h"
#include "shared/irq.h"
#include "shared/snap.h"

struct piix4_smbus;

/* `irq` is high while an enabled completion is not acknowledged. Decodes nothing
 * until piix4_smbus_map(). */
struct piix4_smbus *piix4_smbus_new(struct bus *ports, struct irq_line irq);
void piix4_smbus_reset(struct piix4_smbus *smbus);
void piix4_smbus_state(struct piix4_smbus *smbus, struct snap *snap);
void piix4_smbus_free(struct piix4_smbus *smbus); /* NULL is fine */

/* Decodes 16 ports at `base`, a multiple of 16; 0: none. */
void piix4_smbus_map(struct piix4_smbus *smbus, uint16_t base);

#endif
