/* What the board tells its firmware: the CMOS RAM's set-up values and the items of
 * the configuration device. Sources: IBM PC AT Technical Reference, "Real-time
 * Clock/CMOS RAM"; SeaBIOS, docs/Runtime_config. */
#ifndef V2E_DEVMODEL_PC_SETUP_H
#define V2E_DEVMODEL_PC_SETUP_H

#include "devmodel/fw_cfg.h"
#include "devmodel/i82077.h"
#include "devmodel/ide.h"
#include "devmodel/mc146818.h"
#include "devmodel/pc.h"

/* Both after the drives have been attached. */
void pc_setup_cmos(struct mc146818 *rtc, const struct pc_config *config, const struct ide *ide,
                   const struct i82077 *fdc);
void pc_setup_fw_cfg(struct fw_cfg *fw, const struct pc_config *config);

#endif
