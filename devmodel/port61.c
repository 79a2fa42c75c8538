#include "devmodel/port61.h"

#include <errno.h>
#include <glib.h>

#define PORT 0x61

#define GATE2         0x01u
#define SPEAKER_DATA  0x02u
#define SERR_DISABLE  0x04u
#define IOCHK_DISABLE 0x08u
#define REFRESH       0x10u
#define OUT2          0x20u
#define IOCHK_SEEN    0x40u
#define SERR_SEEN     0x80u
#define WRITABLE (GATE2 | SPEAKER_DATA | SERR_DISABLE | IOCHK_DISABLE)

/* Counter 1 of an AT divides the timer clock by this for each refresh. */
#define TICKS_PER_REFRESH 18u

struct port61 {
	struct i8254 *pit;
	struct clock *clock;
	struct irq_line nmi;
	uint8_t control; /* the writable bits */
	uint8_t seen;    /* IOCHK_SEEN, SERR_SEEN */
	bool input[2];   /* enum port61_input */
};

static const struct {
	uint8_t disable, seen;
} nmi_source[] = {
	[PORT61_IOCHK] = { IOCHK_DISABLE, IOCHK_SEEN },
	[PORT61_SERR] = { SERR_DISABLE, SERR_SEEN },
};

/* An input that is still high is seen again as soon as it is switched on. */
static void update_nmi(struct port61 *port)
{
	for (unsigned i = 0; i < G_N_ELEMENTS(nmi_source); i++) {
		if (port->control & nmi_source[i].disable)
			port->seen &= (uint8_t)~nmi_source[i].seen;
		else if (port->input[i])
			port->seen |= nmi_source[i].seen;
	}
	irq_set(&port->nmi, port->seen != 0);
}

static uint32_t port_read(void *owner, uint16_t address, unsigned size)
{
	struct port61 *port = owner;
	uint32_t value = port->control | port->seen;
	(void)address;
	(void)size;
	if (clock_ns_to_ticks(clock_now(port->clock), I8254_HZ) / TICKS_PER_REFRESH % 2)
		value |= REFRESH;
	if (i8254_out(port->pit, 2))
		value |= OUT2;
	return value;
}

static void port_write(void *owner, uint16_t address, unsigned size, uint32_t value)
{
	struct port61 *port = owner;
	(void)address;
	(void)size;
	port->control = (uint8_t)(value & WRITABLE);
	i8254_set_gate(port->pit, 2, value & GATE2);
	update_nmi(port);
}

static const struct bus_ops port_ops = {
	.name = "port61",
	.max_size = 1,
	.read = port_read,
	.write = port_write,
};

struct port61 *port61_new(struct bus *bus, struct i8254 *pit, struct clock *clock)
{
	struct port61 *port = g_new0(struct port61, 1);
	port->pit = pit;
	port->clock = clock;
	if (bus_claim(bus, PORT, PORT, &port_ops, port)) {
		g_free(port);
		errno = ENOSPC;
		return NULL;
	}
	port61_reset(port);
	return port;
}

void port61_reset(struct port61 *port)
{
	port->control = 0;
	port->seen = 0;
	i8254_set_gate(port->pit, 2, false);
	update_nmi(port);
}

void port61_state(struct port61 *port, struct snap *snap)
{
	snap_section(snap, "port61", 1);
	snap_u8(snap, "control", &port->control);
	snap_u8(snap, "seen", &port->seen);
	snap_bool(snap, "iochk", &port->input[PORT61_IOCHK]);
	snap_bool(snap, "serr", &port->input[PORT61_SERR]);
	if (!snap_is_loading(snap))
		return;
	if (port->control & ~WRITABLE || port->seen & ~(IOCHK_SEEN | SERR_SEEN))
		snap_fail(snap, "port61: control %02x, seen %02x", port->control, port->seen);
	port->control &= WRITABLE;
	port->seen &= IOCHK_SEEN | SERR_SEEN;
	irq_set(&port->nmi, port->seen != 0);
}

void port61_free(struct port61 *port)
{
	g_free(port);
}

void port61_connect_nmi(struct port61 *port, struct irq_line nmi)
{
	port->nmi = nmi;
	update_nmi(port);
}

static void input_set(void *owner, unsigned n, bool level)
{
	struct port61 *port = owner;
	port->input[n] = level;
	update_nmi(port);
}

struct irq_line port61_line(struct port61 *port, enum port61_input input)
{
	return (struct irq_line) { input_set, port, input };
}

bool port61_speaker(struct port61 *port)
{
	return port->control & SPEAKER_DATA && i8254_out(port->pit, 2);
}
