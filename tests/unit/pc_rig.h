/* A board with all that can be fitted, for its tests. */
#ifndef V2E_TESTS_UNIT_PC_RIG_H
#define V2E_TESTS_UNIT_PC_RIG_H

#include <check.h>
#include <glib.h>
#include <string.h>

#include "devmodel/pc.h"

#define PC_RIG_BIOS_SIZE (256u << 10)
#define MIB (1u << 20)

struct pc_rig {
	struct clock *clock;
	struct chardev *chars[4]; /* COM1, COM2, LPT1, the firmware's log */
	uint8_t bios[PC_RIG_BIOS_SIZE], vgabios[1024];
	struct pc_config config;
	struct pc *pc;
};

/* Each byte of the BIOS tells its 4 KiB block; the VGA BIOS is all 56h. Nothing is
 * built yet. */
static inline void pc_rig_setup(struct pc_rig *rig)
{
	rig->clock = clock_new(CLOCK_KIND_VIRTUAL);
	for (unsigned n = 0; n < G_N_ELEMENTS(rig->chars); n++)
		rig->chars[n] = chardev_new("memory", NULL);
	for (unsigned n = 0; n < PC_RIG_BIOS_SIZE; n++)
		rig->bios[n] = (uint8_t)(n >> 12);
	memset(rig->vgabios, 0x56, sizeof rig->vgabios);
	rig->config = (struct pc_config){
		.ram_size = 32 * MIB, .bios = rig->bios, .bios_size = PC_RIG_BIOS_SIZE,
		.vgabios = rig->vgabios, .vgabios_size = sizeof rig->vgabios,
		.serial = { rig->chars[0], rig->chars[1] }, .parallel = rig->chars[2],
		.debug = rig->chars[3], .debug_port = 0x402, .exit_port = 0xf4,
		.clock = rig->clock, .cpu_signature = 0x611, .rtc_start = 1000000000,
	};
	rig->pc = NULL;
}

static inline void pc_rig_teardown(struct pc_rig *rig)
{
	pc_free(rig->pc);
	for (unsigned n = 0; n < G_N_ELEMENTS(rig->chars); n++)
		chardev_free(rig->chars[n]);
	clock_free(rig->clock);
}

static inline struct pc *pc_rig_build(struct pc_rig *rig)
{
	char *error = NULL;
	struct pc *built = pc_new(&rig->config, &error);
	ck_assert_msg(built != NULL, "%s", error);
	return built;
}

static inline void pc_rig_out(struct pc_rig *rig, uint16_t port, uint8_t value)
{
	bus_write(pc_bus(rig->pc), port, 1, value);
}

static inline uint8_t pc_rig_in(struct pc_rig *rig, uint16_t port)
{
	return (uint8_t)bus_read(pc_bus(rig->pc), port, 1);
}

static inline uint8_t pc_rig_cmos(struct pc_rig *rig, uint8_t index)
{
	pc_rig_out(rig, 0x70, index);
	return pc_rig_in(rig, 0x71);
}

static inline void pc_rig_start_pic(struct pc_rig *rig, uint16_t port, uint8_t base, uint8_t cascade)
{
	pc_rig_out(rig, port, 0x11);
	pc_rig_out(rig, port + 1, base);
	pc_rig_out(rig, port + 1, cascade);
	pc_rig_out(rig, port + 1, 0x01);
	pc_rig_out(rig, port + 1, 0x00);
}

/* Vector of the interrupt that the CPU gets now, or 0. */
static inline uint8_t pc_rig_vector(struct pc_rig *rig)
{
	struct cpu_pins *pins = pc_pins(rig->pc);
	return pins->intr ? pins->acknowledge(pins->owner) : 0;
}

static inline void pc_rig_build_with_interrupts(struct pc_rig *rig)
{
	rig->pc = pc_rig_build(rig);
	pc_rig_start_pic(rig, 0x20, 0x20, 0x04);
	pc_rig_start_pic(rig, 0xa0, 0x28, 0x02);
	ck_assert_uint_eq(pc_rig_vector(rig), 0);
}

/* Lets guest time go by, deadline by deadline. */
static inline void pc_rig_pass(struct pc_rig *rig, uint64_t ns)
{
	uint64_t end = clock_now(rig->clock) + ns;
	while (clock_next_deadline(rig->clock) <= end) {
		clock_wait_until(rig->clock, clock_next_deadline(rig->clock));
		clock_run_due(rig->clock);
	}
	clock_wait_until(rig->clock, end);
}

#endif
