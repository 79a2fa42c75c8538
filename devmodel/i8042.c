#include "devmodel/i8042.h"

#include <errno.h>
#include <glib.h>
#include <string.h>

#include "devmodel/ps2_queue.h"
#include "devmodel/ps2_scancodes.h"
#include "shared/log.h"

#define RAM_SIZE 32u

/* Status register */
#define STATUS_OBF      0x01u
#define STATUS_SYS      0x04u
#define STATUS_CMD      0x08u
#define STATUS_UNLOCKED 0x10u
#define STATUS_AUX_OBF  0x20u
#define STATUS_TIMEOUT  0x40u

/* Controller command byte: RAM byte 0 */
#define CCB_KEYBOARD_INT     0x01u
#define CCB_AUX_INT          0x02u
#define CCB_SYS              0x04u
#define CCB_KEYBOARD_DISABLE 0x10u
#define CCB_AUX_DISABLE      0x20u
#define CCB_TRANSLATE        0x40u
#define CCB_WRITABLE         0x7fu

/* Output port P2 */
#define OUTPUT_RESET   0x01u /* low resets the CPU */
#define OUTPUT_A20     0x02u
#define OUTPUT_LINES   0xccu /* clock and data of both ports, idle */
#define OUTPUT_IRQ1    0x10u
#define OUTPUT_IRQ12   0x20u

/* Input port P1: not locked, no manufacturing jumper, data lines idle */
#define INPUT_PORT 0xa3u

#define BREAK_PREFIX 0xf0u
#define TIMED_OUT    0xfeu

/* Commands that expect a byte at port 60h */
#define COMMAND_WRITE_OUTPUT   0xd1u
#define COMMAND_WRITE_KEYBOARD 0xd2u
#define COMMAND_WRITE_AUX_OUT  0xd3u
#define COMMAND_WRITE_AUX      0xd4u

struct i8042 {
	struct bus *bus;
	struct clock *clock;
	struct clock_timer *timer;
	struct irq_line irq1, irq12, a20;
	struct cpu_pins *pins;
	struct i8042_device device[I8042_PORTS];

	uint8_t ram[RAM_SIZE];
	uint8_t output;  /* the output buffer keeps its last byte */
	uint8_t status;  /* OBF, CMD, AUX_OBF, TIMEOUT; the others are computed */
	uint8_t command; /* waits for its byte, or 0 */
	bool a20_high;
	bool break_pending; /* F0h was swallowed by the translation */
	uint8_t last_port;  /* whose byte was last, so that both get their turn */
	/* The controller's own answers, with AUX and TIMEOUT bits, that found the
	 * output buffer full. */
	struct ps2_queue answers, answer_flags;
};

bool i8042_is_enabled(const struct i8042 *kbc, enum i8042_port port)
{
	return !(kbc->ram[0] & (port == I8042_AUX ? CCB_AUX_DISABLE : CCB_KEYBOARD_DISABLE));
}

static bool device_ready(const struct i8042 *kbc, enum i8042_port port)
{
	const struct i8042_device *device = &kbc->device[port];
	return i8042_is_enabled(kbc, port) && device->pending && device->pending(device->owner);
}

static void update_irqs(struct i8042 *kbc)
{
	bool full = kbc->status & STATUS_OBF, aux = kbc->status & STATUS_AUX_OBF;
	irq_set(&kbc->irq1, full && !aux && (kbc->ram[0] & CCB_KEYBOARD_INT));
	irq_set(&kbc->irq12, full && aux && (kbc->ram[0] & CCB_AUX_INT));
}

static void schedule(struct i8042 *kbc)
{
	bool wanted = kbc->answers.count || device_ready(kbc, I8042_KEYBOARD) || device_ready(kbc, I8042_AUX);
	if (kbc->status & STATUS_OBF || !wanted)
		clock_timer_stop(kbc->timer);
	else if (clock_timer_deadline(kbc->timer) == CLOCK_NEVER)
		clock_timer_set(kbc->timer, clock_now(kbc->clock) + I8042_BYTE_NS);
}

static void fill_output(struct i8042 *kbc, uint8_t byte, uint8_t flags)
{
	kbc->output = byte;
	kbc->status = (uint8_t)((kbc->status & ~(STATUS_AUX_OBF | STATUS_TIMEOUT)) | STATUS_OBF | flags);
	update_irqs(kbc);
}

/* Answers of the controller itself come at once where there is room: guests poll
 * for them with short patience. */
static void answer(struct i8042 *kbc, uint8_t byte, uint8_t flags)
{
	if (!(kbc->status & STATUS_OBF) && !kbc->answers.count) {
		fill_output(kbc, byte, flags);
		schedule(kbc);
	} else if (ps2_queue_put(&kbc->answers, byte)) {
		ps2_queue_put(&kbc->answer_flags, flags);
		schedule(kbc);
	} else {
		guest_error("i8042", "answer %02x lost: nobody reads the output buffer", byte);
	}
}

/* Returns false when the byte was a prefix that set 1 has not. */
static bool translate(struct i8042 *kbc, uint8_t *byte)
{
	if (!(kbc->ram[0] & CCB_TRANSLATE)) {
		kbc->break_pending = false;
		return true;
	}
	if (*byte == BREAK_PREFIX) {
		kbc->break_pending = true;
		return false;
	}
	*byte = (uint8_t)(ps2_scancodes_translate(*byte) | (kbc->break_pending ? 0x80 : 0));
	kbc->break_pending = false;
	return true;
}

static bool take_from_device(struct i8042 *kbc)
{
	enum i8042_port port = kbc->last_port == I8042_KEYBOARD ? I8042_AUX : I8042_KEYBOARD;
	if (!device_ready(kbc, port))
		port = (enum i8042_port)kbc->last_port;
	if (!device_ready(kbc, port))
		return false;
	kbc->last_port = (uint8_t)port;
	uint8_t byte = kbc->device[port].take(kbc->device[port].owner);
	if (port == I8042_AUX)
		fill_output(kbc, byte, STATUS_AUX_OBF);
	else if (translate(kbc, &byte))
		fill_output(kbc, byte, 0);
	return true;
}

static void fire(void *owner)
{
	struct i8042 *kbc = owner;
	uint8_t byte, flags = 0;
	while (!(kbc->status & STATUS_OBF)) {
		if (ps2_queue_take(&kbc->answers, &byte)) {
			ps2_queue_take(&kbc->answer_flags, &flags);
			fill_output(kbc, byte, flags);
		} else if (!take_from_device(kbc)) {
			break;
		}
	}
}

static void drive_a20(struct i8042 *kbc, bool high)
{
	kbc->a20_high = high;
	irq_set(&kbc->a20, high);
}

static void reset_cpu(struct i8042 *kbc)
{
	kbc->pins->init = true;
	cpu_pins_attend(kbc->pins);
}

static void write_output_port(struct i8042 *kbc, uint8_t value)
{
	drive_a20(kbc, value & OUTPUT_A20);
	if (!(value & OUTPUT_RESET))
		reset_cpu(kbc);
}

static uint8_t read_output_port(const struct i8042 *kbc)
{
	uint8_t value = OUTPUT_LINES | OUTPUT_RESET;
	if (kbc->a20_high)
		value |= OUTPUT_A20;
	if (kbc->status & STATUS_OBF)
		value |= kbc->status & STATUS_AUX_OBF ? OUTPUT_IRQ12 : OUTPUT_IRQ1;
	return value;
}

/* The clock lines, low while a port is disabled. */
static uint8_t read_test_inputs(const struct i8042 *kbc)
{
	return (uint8_t)(i8042_is_enabled(kbc, I8042_KEYBOARD) | i8042_is_enabled(kbc, I8042_AUX) << 1);
}

static void write_ram(struct i8042 *kbc, unsigned address, uint8_t value)
{
	kbc->ram[address] = address ? value : value & CCB_WRITABLE;
	update_irqs(kbc);
	schedule(kbc);
}

static void send_to_device(struct i8042 *kbc, enum i8042_port port, uint8_t byte)
{
	const struct i8042_device *device = &kbc->device[port];
	/* The controller opens the clock line to send, and leaves it open. */
	kbc->ram[0] &= (uint8_t)~(port == I8042_AUX ? CCB_AUX_DISABLE : CCB_KEYBOARD_DISABLE);
	if (device->receive)
		device->receive(device->owner, byte);
	else
		answer(kbc, TIMED_OUT, STATUS_TIMEOUT | (port == I8042_AUX ? STATUS_AUX_OBF : 0));
	schedule(kbc);
}

static void self_test(struct i8042 *kbc)
{
	kbc->ram[0] = CCB_SYS | CCB_KEYBOARD_DISABLE | CCB_AUX_DISABLE;
	kbc->break_pending = false;
	ps2_queue_clear(&kbc->answers);
	ps2_queue_clear(&kbc->answer_flags);
	kbc->status &= (uint8_t)~STATUS_OBF;
	update_irqs(kbc);
	answer(kbc, 0x55, 0);
}

static void run_answering_command(struct i8042 *kbc, uint8_t command)
{
	switch (command) {
	case 0xa4: /* is a password there? never */
		answer(kbc, 0xf1, 0);
		break;
	case 0xa9: /* test of the auxiliary port */
	case 0xab: /* test of the keyboard port */
		answer(kbc, 0x00, 0);
		break;
	case 0xaa:
		self_test(kbc);
		break;
	case 0xc0:
		answer(kbc, INPUT_PORT, 0);
		break;
	case 0xd0:
		answer(kbc, read_output_port(kbc), 0);
		break;
	case 0xe0:
		answer(kbc, read_test_inputs(kbc), 0);
		break;
	default:
		guest_error("i8042", "unknown command %02x", command);
	}
}

static void run_command(struct i8042 *kbc, uint8_t command)
{
	switch (command) {
	case 0x20 ... 0x3f:
		answer(kbc, kbc->ram[command & (RAM_SIZE - 1)], 0);
		break;
	case 0x60 ... 0x7f:
	case COMMAND_WRITE_OUTPUT ... COMMAND_WRITE_AUX:
		kbc->command = command;
		break;
	case 0xa7:
		write_ram(kbc, 0, kbc->ram[0] | CCB_AUX_DISABLE);
		break;
	case 0xa8:
		write_ram(kbc, 0, kbc->ram[0] & (uint8_t)~CCB_AUX_DISABLE);
		break;
	case 0xad:
		write_ram(kbc, 0, kbc->ram[0] | CCB_KEYBOARD_DISABLE);
		break;
	case 0xae:
		write_ram(kbc, 0, kbc->ram[0] & (uint8_t)~CCB_KEYBOARD_DISABLE);
		break;
	case 0xdd:
	case 0xdf:
		drive_a20(kbc, command == 0xdf);
		break;
	case 0xf0 ... 0xff: /* pulses low the output port lines whose bits are 0 */
		if (!(command & OUTPUT_RESET))
			reset_cpu(kbc);
		break;
	default:
		run_answering_command(kbc, command);
	}
}

static void write_data(struct i8042 *kbc, uint8_t value)
{
	uint8_t command = kbc->command;
	kbc->command = 0;
	switch (command) {
	case 0:
		send_to_device(kbc, I8042_KEYBOARD, value);
		break;
	case COMMAND_WRITE_OUTPUT:
		write_output_port(kbc, value);
		break;
	case COMMAND_WRITE_KEYBOARD:
		answer(kbc, value, 0);
		break;
	case COMMAND_WRITE_AUX_OUT:
		answer(kbc, value, STATUS_AUX_OBF);
		break;
	case COMMAND_WRITE_AUX:
		send_to_device(kbc, I8042_AUX, value);
		break;
	default:
		write_ram(kbc, command & (RAM_SIZE - 1), value);
	}
}

static uint8_t read_data(struct i8042 *kbc)
{
	kbc->status &= (uint8_t)~(STATUS_OBF | STATUS_AUX_OBF | STATUS_TIMEOUT);
	update_irqs(kbc);
	schedule(kbc);
	return kbc->output;
}

static uint32_t read_port(void *owner, uint16_t port, unsigned size)
{
	struct i8042 *kbc = owner;
	(void)size;
	if (port == I8042_DATA)
		return read_data(kbc);
	return kbc->status | STATUS_UNLOCKED | (kbc->ram[0] & CCB_SYS ? STATUS_SYS : 0);
}

static void write_port(void *owner, uint16_t port, unsigned size, uint32_t value)
{
	struct i8042 *kbc = owner;
	(void)size;
	if (port == I8042_DATA) {
		kbc->status &= (uint8_t)~STATUS_CMD;
		write_data(kbc, (uint8_t)value);
	} else {
		kbc->status |= STATUS_CMD;
		kbc->command = 0;
		run_command(kbc, (uint8_t)value);
	}
}

static const struct bus_ops ops = {
	.name = "i8042",
	.max_size = 1,
	.read = read_port,
	.write = write_port,
};

struct i8042 *i8042_new(struct bus *bus, struct clock *clock, struct irq_line irq1, struct irq_line irq12,
                        struct cpu_pins *pins, struct irq_line a20)
{
	struct i8042 *kbc = g_new0(struct i8042, 1);
	kbc->bus = bus;
	kbc->clock = clock;
	kbc->irq1 = irq1;
	kbc->irq12 = irq12;
	kbc->pins = pins;
	kbc->a20 = a20;
	kbc->timer = clock_timer_new(clock, fire, kbc);
	int error = bus_claim(bus, I8042_DATA, I8042_DATA, &ops, kbc);
	if (!error)
		error = bus_claim(bus, I8042_STATUS, I8042_STATUS, &ops, kbc);
	if (error) {
		i8042_free(kbc);
		errno = -error;
		return NULL;
	}
	i8042_reset(kbc);
	return kbc;
}

void i8042_free(struct i8042 *kbc)
{
	if (!kbc)
		return;
	bus_release(kbc->bus, &ops, kbc);
	clock_timer_free(kbc->timer);
	g_free(kbc);
}

void i8042_reset(struct i8042 *kbc)
{
	memset(kbc->ram, 0, sizeof kbc->ram);
	kbc->ram[0] = CCB_KEYBOARD_DISABLE | CCB_AUX_DISABLE;
	kbc->output = kbc->status = kbc->command = 0;
	kbc->break_pending = false;
	kbc->last_port = I8042_AUX;
	ps2_queue_clear(&kbc->answers);
	ps2_queue_clear(&kbc->answer_flags);
	clock_timer_stop(kbc->timer);
	update_irqs(kbc);
	drive_a20(kbc, true);
}

void i8042_state(struct i8042 *kbc, struct snap *snap)
{
	snap_section(snap, "i8042", 1);
	snap_bytes(snap, "ram", kbc->ram, sizeof kbc->ram);
	snap_u8(snap, "output", &kbc->output);
	snap_u8(snap, "status", &kbc->status);
	snap_u8(snap, "command", &kbc->command);
	snap_bool(snap, "a20_high", &kbc->a20_high);
	snap_bool(snap, "break_pending", &kbc->break_pending);
	snap_u8(snap, "last_port", &kbc->last_port);
	ps2_queue_state(&kbc->answers, snap);
	ps2_queue_state(&kbc->answer_flags, snap);
	snap_timer(snap, "timer", kbc->timer);
	if (!snap_is_loading(snap))
		return;
	kbc->status &= STATUS_OBF | STATUS_CMD | STATUS_AUX_OBF | STATUS_TIMEOUT;
	kbc->ram[0] &= CCB_WRITABLE;
	if (kbc->last_port >= I8042_PORTS || kbc->answers.count != kbc->answer_flags.count) {
		snap_fail(snap, "i8042: last port %u, %u answers, %u flags", kbc->last_port, kbc->answers.count,
		          kbc->answer_flags.count);
		kbc->last_port = I8042_KEYBOARD;
		ps2_queue_clear(&kbc->answers);
		ps2_queue_clear(&kbc->answer_flags);
	}
}

void i8042_attach(struct i8042 *kbc, enum i8042_port port, const struct i8042_device *device)
{
	kbc->device[port] = device ? *device : (struct i8042_device){ 0 };
	schedule(kbc);
}

void i8042_poke(struct i8042 *kbc)
{
	schedule(kbc);
}
