#include "devmodel/a20.h"

#include <glib.h>

struct a20 {
	struct mem *mem;
	uint8_t inputs; /* levels, bit n is input n */
};

static void drive(void *owner, unsigned n, bool level)
{
	struct a20 *gate = owner;
	bool was_open = gate->inputs;
	gate->inputs = (uint8_t)(level ? gate->inputs | 1u << n : gate->inputs & ~(1u << n));
	/* Each call makes all who cache addresses start anew. */
	if (was_open != (gate->inputs != 0))
		mem_set_a20(gate->mem, !was_open);
}

struct a20 *a20_new(struct mem *mem)
{
	struct a20 *gate = g_new0(struct a20, 1);
	gate->mem = mem;
	return gate;
}

void a20_free(struct a20 *gate)
{
	g_free(gate);
}

void a20_state(struct a20 *gate, struct snap *snap)
{
	snap_section(snap, "a20", 1);
	snap_u8(snap, "inputs", &gate->inputs);
	if (!snap_is_loading(snap))
		return;
	gate->inputs &= (1u << A20_INPUTS) - 1;
	mem_set_a20(gate->mem, gate->inputs);
}

struct irq_line a20_line(struct a20 *gate, enum a20_input input)
{
	return (struct irq_line){ .set = drive, .owner = gate, .n = input };
}
