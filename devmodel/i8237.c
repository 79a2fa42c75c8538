#include "devmodel/i8237.h"

#include <errno.h>
#include <glib.h>

#include "shared/log.h"

#define COMMAND_MEMORY_TO_MEMORY 0x01u
#define COMMAND_HOLD_CHANNEL_0   0x02u
#define COMMAND_DISABLE          0x04u
#define COMMAND_ROTATE           0x10u
#define COMMAND_DREQ_LOW         0x40u

#define MODE_TYPE     0x0cu
#define MODE_VERIFY   0x00u
#define MODE_WRITE    0x04u /* to memory */
#define MODE_READ     0x08u
#define MODE_AUTO     0x10u
#define MODE_DOWN     0x20u
#define MODE_SERVICE  0xc0u
#define MODE_BLOCK    0x80u
#define MODE_CASCADE  0xc0u

#define BIT_SET 0x04u /* in single mask and request writes */

/* Registers with A3 = 1. */
enum { COMMAND_STATUS = 8, REQUEST, SINGLE_MASK, MODE, CLEAR_FLIP_FLOP, MASTER_CLEAR_TEMPORARY, CLEAR_MASK, ALL_MASK };

#define CHANNELS 8u
#define CASCADE 4u

struct channel {
	uint16_t base_address, base_count;
	uint16_t address, count; /* current; count is transfers left less one */
	uint8_t mode;
	uint8_t *page;           /* its register in i8237.page */
	void (*serve)(void *owner);
	void *owner;
};

/* Bit n of each mask is channel n of this controller. */
struct controller {
	uint8_t command, mask, request, dreq, terminal_count, temporary;
	uint8_t lowest; /* channel of lowest priority */
	bool flip_flop; /* the high byte is next */
};

struct i8237 {
	struct controller controller[2];
	struct channel channel[CHANNELS];
	uint8_t page[16]; /* ports 80h-8Fh */
	struct mem *mem;
};

/* Index in the page registers. Channel 4 drives no address; 8Fh is refresh. */
static const uint8_t page_register[CHANNELS] = { 7, 3, 1, 2, 15, 11, 9, 10 };

static struct controller *controller_of(struct i8237 *dma, unsigned n)
{
	return &dma->controller[n >> 2];
}

static uint8_t bit_of(unsigned n)
{
	return (uint8_t)(1u << (n & 3u));
}

/* Words on channels 4-7. */
static unsigned unit_of(unsigned n)
{
	return n >= CASCADE ? 2 : 1;
}

static bool is_enabled(const struct controller *controller)
{
	return !(controller->command & COMMAND_DISABLE);
}

/* Channels 0-3 get the bus through channel 4. */
static bool has_bus(const struct i8237 *dma, unsigned n)
{
	const struct controller *master = &dma->controller[1];
	if (n >= CASCADE)
		return true;
	return is_enabled(master) && !(master->mask & bit_of(CASCADE)) &&
	       (dma->channel[CASCADE].mode & MODE_SERVICE) == MODE_CASCADE;
}

/* Software requests are served in block mode only, and heed no mask. */
static bool has_request(const struct i8237 *dma, unsigned n)
{
	return dma->controller[n >> 2].request & bit_of(n) && (dma->channel[n].mode & MODE_SERVICE) == MODE_BLOCK;
}

static bool is_granted(const struct i8237 *dma, unsigned n)
{
	const struct controller *controller = &dma->controller[n >> 2];
	if (!is_enabled(controller) || !has_bus(dma, n) || (dma->channel[n].mode & MODE_SERVICE) == MODE_CASCADE)
		return false;
	return !(controller->mask & bit_of(n)) || has_request(dma, n);
}

static uint64_t memory_address(const struct channel *channel, unsigned unit, uint16_t address)
{
	if (unit == 1)
		return (uint32_t)*channel->page << 16 | address;
	return (uint32_t)(*channel->page & 0xfe) << 16 | (uint32_t)address << 1;
}

/* Transfers that can go by before TC. */
static size_t transfers_left(const struct channel *channel)
{
	return channel->count + 1u;
}

static void advance(struct channel *channel, size_t transfers)
{
	uint16_t n = (uint16_t)transfers;
	channel->address = (uint16_t)(channel->mode & MODE_DOWN ? channel->address - n : channel->address + n);
	channel->count = (uint16_t)(channel->count - n);
}

static void reload(struct channel *channel)
{
	channel->address = channel->base_address;
	channel->count = channel->base_count;
}

static void reach_terminal_count(struct i8237 *dma, unsigned n)
{
	struct controller *controller = controller_of(dma, n);
	struct channel *channel = &dma->channel[n];
	controller->terminal_count |= bit_of(n);
	controller->request &= (uint8_t)~bit_of(n);
	if (channel->mode & MODE_AUTO)
		reload(channel);
	else
		controller->mask |= bit_of(n);
}

static void copy(struct i8237 *dma, uint64_t address, uint8_t *buffer, size_t size, bool to_memory)
{
	if (to_memory)
		mem_write_bytes(dma->mem, address, buffer, size);
	else
		mem_read_bytes(dma->mem, address, buffer, size);
}

/* The address counter has 16 bits: it wraps within its page. */
static void copy_up(struct i8237 *dma, unsigned n, uint8_t *buffer, size_t transfers, bool to_memory)
{
	const struct channel *channel = &dma->channel[n];
	unsigned unit = unit_of(n);
	size_t first = MIN(transfers, 0x10000u - channel->address);
	copy(dma, memory_address(channel, unit, channel->address), buffer, first * unit, to_memory);
	if (transfers > first)
		copy(dma, memory_address(channel, unit, 0), buffer + first * unit, (transfers - first) * unit,
		     to_memory);
}

static void copy_down(struct i8237 *dma, unsigned n, uint8_t *buffer, size_t transfers, bool to_memory)
{
	const struct channel *channel = &dma->channel[n];
	unsigned unit = unit_of(n);
	for (size_t i = 0; i < transfers; i++) {
		uint16_t address = (uint16_t)(channel->address - i);
		copy(dma, memory_address(channel, unit, address), buffer + i * unit, unit, to_memory);
	}
}

/* Runs `transfers` cycles, no more than transfers_left(). */
static void run_cycles(struct i8237 *dma, unsigned n, uint8_t *buffer, size_t transfers, bool to_memory)
{
	struct channel *channel = &dma->channel[n];
	unsigned type = channel->mode & MODE_TYPE;
	if (type == (to_memory ? MODE_WRITE : MODE_READ)) {
		(channel->mode & MODE_DOWN ? copy_down : copy_up)(dma, n, buffer, transfers, to_memory);
	} else {
		if (type != MODE_VERIFY)
			guest_error("i8237", "channel %u: mode %02x against the device", n, channel->mode);
		if (!to_memory)
			memset(buffer, 0xff, transfers * unit_of(n));
	}
	bool is_last = transfers == transfers_left(channel);
	advance(channel, transfers);
	if (is_last)
		reach_terminal_count(dma, n);
}

static void set_lowest(struct controller *controller, unsigned n)
{
	if (controller->command & COMMAND_ROTATE)
		controller->lowest = n & 3u;
}

size_t i8237_transfer(struct i8237 *dma, unsigned n, void *buffer, size_t size, bool to_memory, bool *terminal_count)
{
	struct controller *controller = controller_of(dma, n);
	struct channel *channel = &dma->channel[n];
	size_t wanted = size / unit_of(n);
	*terminal_count = false;
	controller->dreq |= bit_of(n);
	if (wanted && !is_granted(dma, n))
		return 0;
	size_t transfers = MIN(wanted, transfers_left(channel));
	if (transfers) {
		*terminal_count = transfers == transfers_left(channel);
		run_cycles(dma, n, buffer, transfers, to_memory);
		set_lowest(controller, n);
	}
	controller->dreq &= (uint8_t)~bit_of(n);
	return transfers * unit_of(n);
}

void i8237_withdraw(struct i8237 *dma, unsigned n)
{
	controller_of(dma, n)->dreq &= (uint8_t)~bit_of(n);
}

void i8237_attach(struct i8237 *dma, unsigned n, void (*serve)(void *owner), void *owner)
{
	dma->channel[n].serve = serve;
	dma->channel[n].owner = owner;
}

/* Nobody drives the data bus in a cycle that only software asked for. */
static void run_without_device(struct i8237 *dma, unsigned n)
{
	bool to_memory = (dma->channel[n].mode & MODE_TYPE) == MODE_WRITE;
	uint8_t floating[512];
	while (controller_of(dma, n)->request & bit_of(n)) {
		memset(floating, 0xff, sizeof floating);
		size_t transfers = MIN(transfers_left(&dma->channel[n]), sizeof floating / 2);
		run_cycles(dma, n, floating, transfers, to_memory);
	}
	set_lowest(controller_of(dma, n), n);
}

/* Channel 0 reads, channel 1 writes and counts. Channel 0 can only initialize
 * itself again at the common end, so its count must be the same for that. */
static void run_memory_to_memory(struct i8237 *dma)
{
	struct controller *controller = &dma->controller[0];
	struct channel *from = &dma->channel[0], *to = &dma->channel[1];
	bool hold = controller->command & COMMAND_HOLD_CHANNEL_0;
	for (size_t left = transfers_left(to); left; left--) {
		copy(dma, memory_address(from, 1, from->address), &controller->temporary, 1, false);
		copy(dma, memory_address(to, 1, to->address), &controller->temporary, 1, true);
		uint16_t held = from->address;
		advance(from, 1);
		if (hold)
			from->address = held;
		advance(to, 1);
	}
	controller->request &= (uint8_t)~bit_of(0);
	if (from->mode & MODE_AUTO && from->count == 0xffff)
		reload(from);
	reach_terminal_count(dma, 1);
}

static void serve(struct i8237 *dma, unsigned n)
{
	struct controller *controller = controller_of(dma, n);
	const struct channel *channel = &dma->channel[n];
	if (!is_granted(dma, n))
		return;
	if (controller->dreq & bit_of(n)) {
		if (channel->serve)
			channel->serve(channel->owner);
	} else if (n == 0 && controller->command & COMMAND_MEMORY_TO_MEMORY && has_request(dma, n)) {
		run_memory_to_memory(dma);
	} else if (has_request(dma, n)) {
		run_without_device(dma, n);
	}
}

/* After a write that may have granted something: in order of priority. */
static void serve_all(struct i8237 *dma)
{
	for (unsigned c = 0; c < 2; c++) {
		unsigned first = dma->controller[c].lowest + 1u;
		for (unsigned i = 0; i < 4; i++)
			serve(dma, c * 4 + ((first + i) & 3u));
	}
}

static void master_clear(struct controller *controller)
{
	*controller = (struct controller) { .mask = 0x0f, .dreq = controller->dreq, .lowest = 3 };
}

static void set_bit(uint8_t *mask, uint8_t value)
{
	uint8_t bit = bit_of(value);
	*mask = (uint8_t)(value & BIT_SET ? *mask | bit : *mask & ~bit);
}

static void write_command(struct controller *controller, uint8_t value)
{
	if (value & COMMAND_DREQ_LOW)
		guest_error("i8237", "DREQ active low");
	if (!(value & COMMAND_ROTATE))
		controller->lowest = 3;
	controller->command = value;
}

static void write_control(struct i8237 *dma, unsigned c, unsigned reg, uint8_t value)
{
	struct controller *controller = &dma->controller[c];
	switch (reg) {
	case COMMAND_STATUS:
		write_command(controller, value);
		break;
	case REQUEST:
		set_bit(&controller->request, value);
		break;
	case SINGLE_MASK:
		set_bit(&controller->mask, value);
		break;
	case MODE:
		dma->channel[c * 4 + (value & 3u)].mode = value & (uint8_t)~3u;
		break;
	case CLEAR_FLIP_FLOP:
		controller->flip_flop = false;
		break;
	case MASTER_CLEAR_TEMPORARY:
		master_clear(controller);
		break;
	case CLEAR_MASK:
		controller->mask = 0;
		break;
	default:
		controller->mask = value & 0x0fu;
	}
	serve_all(dma);
}

static uint8_t read_control(struct controller *controller, unsigned reg)
{
	uint8_t value;
	switch (reg) {
	case COMMAND_STATUS:
		value = (uint8_t)((controller->dreq | controller->request) << 4 | controller->terminal_count);
		controller->terminal_count = 0;
		return value;
	case MASTER_CLEAR_TEMPORARY:
		return controller->temporary;
	case ALL_MASK:
		return controller->mask | 0xf0u;
	default:
		guest_error("i8237", "read of write-only register %X", reg);
		return 0xff;
	}
}

static void write_half(uint16_t *word, bool high, uint8_t value)
{
	*word = (uint16_t)(high ? (*word & 0x00ffu) | value << 8 : (*word & 0xff00u) | value);
}

/* reg: 0-7, address and count of four channels. */
static void write_channel(struct i8237 *dma, unsigned c, unsigned reg, uint8_t value)
{
	struct channel *channel = &dma->channel[c * 4 + reg / 2];
	bool high = dma->controller[c].flip_flop;
	write_half(reg & 1 ? &channel->base_count : &channel->base_address, high, value);
	write_half(reg & 1 ? &channel->count : &channel->address, high, value);
	dma->controller[c].flip_flop = !high;
}

static uint8_t read_channel(struct i8237 *dma, unsigned c, unsigned reg)
{
	const struct channel *channel = &dma->channel[c * 4 + reg / 2];
	uint16_t word = reg & 1 ? channel->count : channel->address;
	bool high = dma->controller[c].flip_flop;
	dma->controller[c].flip_flop = !high;
	return (uint8_t)(high ? word >> 8 : word);
}

/* The second controller sits on A1-A4: each of its registers has two ports. */
static unsigned decode_port(uint16_t port, unsigned *c)
{
	*c = port >= 0xc0;
	return *c ? (port >> 1) & 15u : port & 15u;
}

static uint32_t controller_read(void *owner, uint16_t port, unsigned size)
{
	struct i8237 *dma = owner;
	unsigned c, reg = decode_port(port, &c);
	(void)size;
	return reg < 8 ? read_channel(dma, c, reg) : read_control(&dma->controller[c], reg);
}

static void controller_write(void *owner, uint16_t port, unsigned size, uint32_t value)
{
	struct i8237 *dma = owner;
	unsigned c, reg = decode_port(port, &c);
	(void)size;
	if (reg < 8)
		write_channel(dma, c, reg, (uint8_t)value);
	else
		write_control(dma, c, reg, (uint8_t)value);
}

static uint32_t page_read(void *owner, uint16_t port, unsigned size)
{
	const struct i8237 *dma = owner;
	(void)size;
	return dma->page[port & 15];
}

static void page_write(void *owner, uint16_t port, unsigned size, uint32_t value)
{
	struct i8237 *dma = owner;
	(void)size;
	dma->page[port & 15] = (uint8_t)value;
}

static const struct bus_ops controller_ops = {
	.name = "i8237",
	.max_size = 1,
	.read = controller_read,
	.write = controller_write,
};

static const struct bus_ops page_ops = {
	.name = "i8237.page",
	.max_size = 1,
	.read = page_read,
	.write = page_write,
};

struct i8237 *i8237_new(struct bus *bus, struct mem *mem)
{
	struct i8237 *dma = g_new0(struct i8237, 1);
	dma->mem = mem;
	if (bus_claim(bus, 0x00, 0x0f, &controller_ops, dma) || bus_claim(bus, 0xc0, 0xdf, &controller_ops, dma) ||
	    bus_claim(bus, 0x80, 0x8f, &page_ops, dma)) {
		bus_release(bus, &controller_ops, dma);
		g_free(dma);
		errno = ENOSPC;
		return NULL;
	}
	for (unsigned n = 0; n < CHANNELS; n++)
		dma->channel[n].page = &dma->page[page_register[n]];
	i8237_reset(dma);
	return dma;
}

void i8237_reset(struct i8237 *dma)
{
	memset(dma->page, 0, sizeof dma->page);
	for (unsigned c = 0; c < 2; c++)
		master_clear(&dma->controller[c]);
}

static void controller_check(struct controller *controller, struct snap *snap)
{
	uint8_t *masks[] = { &controller->mask, &controller->request, &controller->dreq, &controller->terminal_count };
	for (unsigned i = 0; i < G_N_ELEMENTS(masks); i++) {
		if (*masks[i] > 15)
			snap_fail(snap, "i8237: %02x for four channels", *masks[i]);
		*masks[i] &= 15;
	}
	if (controller->lowest > 3)
		snap_fail(snap, "i8237: priority %u", controller->lowest);
	controller->lowest &= 3;
}

static void controller_state(struct controller *controller, struct snap *snap)
{
	snap_u8(snap, "command", &controller->command);
	snap_u8(snap, "mask", &controller->mask);
	snap_u8(snap, "request", &controller->request);
	snap_u8(snap, "dreq", &controller->dreq);
	snap_u8(snap, "terminal_count", &controller->terminal_count);
	snap_u8(snap, "temporary", &controller->temporary);
	snap_u8(snap, "lowest", &controller->lowest);
	snap_bool(snap, "flip_flop", &controller->flip_flop);
	if (snap_is_loading(snap))
		controller_check(controller, snap);
}

void i8237_state(struct i8237 *dma, struct snap *snap)
{
	static const char *const section[CHANNELS] = {
		"i8237.0", "i8237.1", "i8237.2", "i8237.3", "i8237.4", "i8237.5", "i8237.6", "i8237.7",
	};
	snap_section(snap, "i8237.slave", 1);
	controller_state(&dma->controller[0], snap);
	snap_section(snap, "i8237.master", 1);
	controller_state(&dma->controller[1], snap);
	for (unsigned n = 0; n < CHANNELS; n++) {
		struct channel *channel = &dma->channel[n];
		snap_section(snap, section[n], 1);
		snap_u16(snap, "base_address", &channel->base_address);
		snap_u16(snap, "base_count", &channel->base_count);
		snap_u16(snap, "address", &channel->address);
		snap_u16(snap, "count", &channel->count);
		snap_u8(snap, "mode", &channel->mode);
	}
	snap_section(snap, "i8237.page", 1);
	snap_bytes(snap, "page", dma->page, sizeof dma->page);
}

void i8237_free(struct i8237 *dma)
{
	g_free(dma);
}
