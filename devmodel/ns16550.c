#include "devmodel/ns16550.h"

#include <errno.h>
#include <glib.h>
#include <string.h>

#define PORTS       8u
#define FIFO_SIZE   16u
#define CLOCK_HZ    1843200u
#define RESET_DIVISOR 12u /* 9,600 baud; the chip leaves it undefined */

enum reg {
	REG_DATA, /* RBR, THR; DLL with DLAB */
	REG_IER,  /* DLM with DLAB */
	REG_IIR,  /* FCR when written */
	REG_LCR, REG_MCR, REG_LSR, REG_MSR, REG_SCR,
};

#define IER_ERBFI 0x01u
#define IER_ETBEI 0x02u
#define IER_ELSI  0x04u
#define IER_EDSSI 0x08u
#define IER_MASK  0x0fu

/* Interrupt identification, in order of priority */
#define IIR_LINE_STATUS  0x06u
#define IIR_DATA         0x04u
#define IIR_TIMEOUT      0x0cu
#define IIR_THRE         0x02u
#define IIR_MODEM_STATUS 0x00u
#define IIR_NONE         0x01u
#define IIR_FIFOS        0xc0u

#define FCR_ENABLE     0x01u
#define FCR_RESET_RCVR 0x02u
#define FCR_RESET_XMIT 0x04u
#define FCR_TRIGGER_SHIFT 6
#define FCR_KEPT       0xc9u

#define LCR_WLS   0x03u
#define LCR_STB   0x04u
#define LCR_PEN   0x08u
#define LCR_BREAK 0x40u
#define LCR_DLAB  0x80u

#define MCR_DTR  0x01u
#define MCR_RTS  0x02u
#define MCR_OUT1 0x04u
#define MCR_OUT2 0x08u
#define MCR_LOOP 0x10u
#define MCR_MASK 0x1fu

#define LSR_DR   0x01u
#define LSR_OE   0x02u
#define LSR_BI   0x10u
#define LSR_THRE 0x20u
#define LSR_TEMT 0x40u
#define LSR_ERROR_IN_FIFO 0x80u
#define LSR_INTERRUPTS 0x1eu /* OE, PE, FE, BI */

#define MSR_TERI 0x04u
#define MSR_CTS  0x10u
#define MSR_DSR  0x20u
#define MSR_RI   0x40u
#define MSR_DCD  0x80u
#define MSR_DELTAS 0x0fu
#define MSR_REMOTE (MSR_CTS | MSR_DSR | MSR_DCD)

struct fifo {
	uint8_t data[FIFO_SIZE];
	uint8_t breaks[FIFO_SIZE]; /* LSR_BI where the character is a break */
	uint8_t first, count;
};

struct ns16550 {
	struct bus *bus;
	struct clock *clock;
	struct clock_timer *transmit_timer; /* end of the character in the shift register */
	struct clock_timer *timeout_timer;  /* characters that wait below the trigger level */
	struct irq_line irq;
	struct chardev *chardev;
	uint16_t port;

	uint8_t ier, fcr, lcr, mcr, msr, scr;
	uint8_t lsr; /* only OE and BI are kept, the others are computed */
	uint16_t divisor;
	struct fifo receiver, transmitter;
	uint8_t shift;     /* the character being sent, for the loop */
	bool shifting;
	bool thre_pending; /* the THRE interrupt was not seen yet */
	bool timed_out;    /* receiver characters waited too long */
};

static void fifo_clear(struct fifo *fifo)
{
	memset(fifo, 0, sizeof *fifo);
}

static void fifo_put(struct fifo *fifo, uint8_t data, uint8_t breaks)
{
	unsigned at = (fifo->first + fifo->count++) % FIFO_SIZE;
	fifo->data[at] = data;
	fifo->breaks[at] = breaks;
}

static uint8_t fifo_take(struct fifo *fifo)
{
	uint8_t data = fifo->data[fifo->first];
	fifo->breaks[fifo->first] = 0;
	fifo->first = (uint8_t)((fifo->first + 1) % FIFO_SIZE);
	fifo->count--;
	return data;
}

static bool has_fifos(const struct ns16550 *uart)
{
	return uart->fcr & FCR_ENABLE;
}

static unsigned capacity(const struct ns16550 *uart)
{
	return has_fifos(uart) ? FIFO_SIZE : 1;
}

static unsigned trigger_level(const struct ns16550 *uart)
{
	static const uint8_t levels[] = { 1, 4, 8, 14 };
	return has_fifos(uart) ? levels[uart->fcr >> FCR_TRIGGER_SHIFT] : 1;
}

static uint8_t word_mask(const struct ns16550 *uart)
{
	return (uint8_t)(0xff >> (3 - (uart->lcr & LCR_WLS)));
}

/* Start bit, data, parity, stop bits; one and a half are counted as two. */
static uint64_t character_ns(const struct ns16550 *uart)
{
	unsigned bits = 1 + 5 + (uart->lcr & LCR_WLS) + (uart->lcr & LCR_PEN ? 1 : 0) + (uart->lcr & LCR_STB ? 2 : 1);
	return clock_ticks_to_ns((uint64_t)bits * 16 * MAX(uart->divisor, 1), CLOCK_HZ);
}

static uint8_t identify(const struct ns16550 *uart)
{
	if ((uart->ier & IER_ELSI) && (uart->lsr & LSR_INTERRUPTS))
		return IIR_LINE_STATUS;
	if ((uart->ier & IER_ERBFI) && uart->receiver.count >= trigger_level(uart))
		return IIR_DATA;
	if ((uart->ier & IER_ERBFI) && uart->timed_out)
		return IIR_TIMEOUT;
	if ((uart->ier & IER_ETBEI) && uart->thre_pending)
		return IIR_THRE;
	if ((uart->ier & IER_EDSSI) && (uart->msr & MSR_DELTAS))
		return IIR_MODEM_STATUS;
	return IIR_NONE;
}

static void update_irq(struct ns16550 *uart)
{
	irq_set(&uart->irq, (uart->mcr & MCR_OUT2) && identify(uart) != IIR_NONE);
}

/* Each arrival and each read of a character starts the time-out anew. */
static void restart_timeout(struct ns16550 *uart)
{
	uart->timed_out = false;
	if (has_fifos(uart) && uart->receiver.count)
		clock_timer_set(uart->timeout_timer, clock_now(uart->clock) + 4 * character_ns(uart));
	else
		clock_timer_stop(uart->timeout_timer);
}

/* The break of a character shows when that character has become the next one. */
static void reveal_break(struct ns16550 *uart)
{
	if (uart->receiver.count)
		uart->lsr |= uart->receiver.breaks[uart->receiver.first];
}

static void accept_character(struct ns16550 *uart, uint8_t data, uint8_t breaks)
{
	if (uart->receiver.count < capacity(uart)) {
		fifo_put(&uart->receiver, data, breaks);
	} else {
		uart->lsr |= LSR_OE;
		if (!has_fifos(uart)) /* the newer character wins */
			uart->receiver.data[uart->receiver.first] = data;
	}
	if (uart->receiver.count == 1)
		reveal_break(uart);
	restart_timeout(uart);
	update_irq(uart);
}

static void on_timeout(void *owner)
{
	struct ns16550 *uart = owner;
	uart->timed_out = uart->receiver.count > 0;
	update_irq(uart);
}

static void load_shift(struct ns16550 *uart)
{
	uart->shift = fifo_take(&uart->transmitter);
	uart->shifting = true;
	if (!uart->transmitter.count)
		uart->thre_pending = true;
	clock_timer_set(uart->transmit_timer, clock_now(uart->clock) + character_ns(uart));
}

static void on_transmitted(void *owner)
{
	struct ns16550 *uart = owner;
	uart->shifting = false;
	if (uart->mcr & MCR_LOOP)
		accept_character(uart, uart->shift & word_mask(uart), 0);
	if (uart->transmitter.count)
		load_shift(uart);
	update_irq(uart);
}

static void write_thr(struct ns16550 *uart, uint8_t data)
{
	uart->thre_pending = false;
	/* The host is faster than any line: what would overrun still gets there. */
	if (!(uart->mcr & MCR_LOOP) && !(uart->lcr & LCR_BREAK))
		chardev_write(uart->chardev, &data, 1);
	if (uart->transmitter.count < capacity(uart))
		fifo_put(&uart->transmitter, data, 0);
	if (!uart->shifting)
		load_shift(uart);
	update_irq(uart);
}

static uint8_t read_rbr(struct ns16550 *uart)
{
	uint8_t data = uart->receiver.data[uart->receiver.first];
	if (uart->receiver.count) {
		data = fifo_take(&uart->receiver);
		reveal_break(uart);
	}
	restart_timeout(uart);
	update_irq(uart);
	return data;
}

static void write_ier(struct ns16550 *uart, uint8_t value)
{
	bool enabled = value & ~uart->ier & IER_ETBEI;
	uart->ier = value & IER_MASK;
	if (enabled && !uart->transmitter.count)
		uart->thre_pending = true;
	update_irq(uart);
}

static uint8_t read_iir(struct ns16550 *uart)
{
	uint8_t value = identify(uart);
	if (value == IIR_THRE)
		uart->thre_pending = false;
	update_irq(uart);
	return (uint8_t)(value | (has_fifos(uart) ? IIR_FIFOS : 0));
}

static void clear_receiver(struct ns16550 *uart)
{
	fifo_clear(&uart->receiver);
	restart_timeout(uart);
}

static void clear_transmitter(struct ns16550 *uart)
{
	if (uart->transmitter.count)
		uart->thre_pending = true;
	fifo_clear(&uart->transmitter);
}

static void write_fcr(struct ns16550 *uart, uint8_t value)
{
	bool toggled = (value ^ uart->fcr) & FCR_ENABLE;
	bool enabled = value & FCR_ENABLE;
	uart->fcr = enabled ? value & FCR_KEPT : 0;
	if (toggled || (enabled && (value & FCR_RESET_RCVR)))
		clear_receiver(uart);
	if (toggled || (enabled && (value & FCR_RESET_XMIT)))
		clear_transmitter(uart);
	update_irq(uart);
}

static void write_lcr(struct ns16550 *uart, uint8_t value)
{
	bool broken = value & ~uart->lcr & LCR_BREAK;
	uart->lcr = value;
	if (broken && (uart->mcr & MCR_LOOP))
		accept_character(uart, 0, LSR_BI);
}

/* In the loop the outputs come back as the inputs. */
static uint8_t modem_inputs(const struct ns16550 *uart)
{
	uint8_t mcr = uart->mcr;
	if (!(mcr & MCR_LOOP))
		return MSR_REMOTE;
	return (uint8_t)((mcr & MCR_RTS ? MSR_CTS : 0) | (mcr & MCR_DTR ? MSR_DSR : 0) |
	                 (mcr & MCR_OUT1 ? MSR_RI : 0) | (mcr & MCR_OUT2 ? MSR_DCD : 0));
}

static void update_modem(struct ns16550 *uart)
{
	uint8_t now = modem_inputs(uart), before = uart->msr & (uint8_t)~MSR_DELTAS;
	uint8_t deltas = (uint8_t)((now ^ before) >> 4);
	/* RI is noted only when it ends. */
	if (now & MSR_RI)
		deltas &= (uint8_t)~MSR_TERI;
	uart->msr = (uint8_t)(now | (uart->msr & MSR_DELTAS) | deltas);
}

static void write_mcr(struct ns16550 *uart, uint8_t value)
{
	uart->mcr = value & MCR_MASK;
	update_modem(uart);
	update_irq(uart);
}

static bool break_in_fifo(const struct ns16550 *uart)
{
	for (unsigned i = 0; i < uart->receiver.count; i++)
		if (uart->receiver.breaks[(uart->receiver.first + i) % FIFO_SIZE])
			return true;
	return false;
}

static uint8_t read_lsr(struct ns16550 *uart)
{
	uint8_t value = uart->lsr;
	if (uart->receiver.count)
		value |= LSR_DR;
	if (!uart->transmitter.count)
		value |= uart->shifting ? LSR_THRE : LSR_THRE | LSR_TEMT;
	if (has_fifos(uart) && break_in_fifo(uart))
		value |= LSR_ERROR_IN_FIFO;
	uart->lsr = 0;
	uart->receiver.breaks[uart->receiver.first] = 0;
	update_irq(uart);
	return value;
}

static uint8_t read_msr(struct ns16550 *uart)
{
	uint8_t value = uart->msr;
	uart->msr &= (uint8_t)~MSR_DELTAS;
	update_irq(uart);
	return value;
}

static uint8_t read_register(struct ns16550 *uart, enum reg reg)
{
	bool dlab = uart->lcr & LCR_DLAB;
	switch (reg) {
	case REG_DATA:
		return dlab ? (uint8_t)uart->divisor : read_rbr(uart);
	case REG_IER:
		return dlab ? (uint8_t)(uart->divisor >> 8) : uart->ier;
	case REG_IIR:
		return read_iir(uart);
	case REG_LCR:
		return uart->lcr;
	case REG_MCR:
		return uart->mcr;
	case REG_LSR:
		return read_lsr(uart);
	case REG_MSR:
		return read_msr(uart);
	case REG_SCR:
	default:
		return uart->scr;
	}
}

static uint32_t read_port(void *owner, uint16_t port, unsigned size)
{
	struct ns16550 *uart = owner;
	(void)size;
	return read_register(uart, (enum reg)(port - uart->port));
}

static void write_divisor(struct ns16550 *uart, enum reg reg, uint8_t value)
{
	if (reg == REG_DATA)
		uart->divisor = (uint16_t)((uart->divisor & 0xff00) | value);
	else
		uart->divisor = (uint16_t)((uart->divisor & 0x00ff) | value << 8);
}

static void write_register(struct ns16550 *uart, enum reg reg, uint8_t value)
{
	switch (reg) {
	case REG_DATA:
		write_thr(uart, value);
		break;
	case REG_IER:
		write_ier(uart, value);
		break;
	case REG_IIR:
		write_fcr(uart, value);
		break;
	case REG_LCR:
		write_lcr(uart, value);
		break;
	case REG_MCR:
		write_mcr(uart, value);
		break;
	case REG_SCR:
		uart->scr = value;
		break;
	case REG_LSR: /* for the factory's tests only */
	case REG_MSR:
		break;
	}
}

static void write_port(void *owner, uint16_t port, unsigned size, uint32_t value)
{
	struct ns16550 *uart = owner;
	enum reg reg = (enum reg)(port - uart->port);
	(void)size;
	if (reg <= REG_IER && (uart->lcr & LCR_DLAB))
		write_divisor(uart, reg, (uint8_t)value);
	else
		write_register(uart, reg, (uint8_t)value);
}

static const struct bus_ops ops = {
	.name = "ns16550",
	.max_size = 1,
	.read = read_port,
	.write = write_port,
};

static size_t room(void *owner)
{
	const struct ns16550 *uart = owner;
	return uart->mcr & MCR_LOOP ? 0 : capacity(uart) - uart->receiver.count;
}

static void receive(void *owner, uint8_t byte)
{
	accept_character(owner, byte, 0);
}

struct ns16550 *ns16550_new(struct bus *bus, uint16_t port, struct irq_line irq, struct clock *clock,
                            struct chardev *chardev)
{
	struct ns16550 *uart = g_new0(struct ns16550, 1);
	uart->bus = bus;
	uart->clock = clock;
	uart->irq = irq;
	uart->port = port;
	uart->chardev = chardev;
	uart->transmit_timer = clock_timer_new(clock, on_transmitted, uart);
	uart->timeout_timer = clock_timer_new(clock, on_timeout, uart);
	chardev_set_receiver(chardev, &(struct chardev_receiver){ .room = room, .receive = receive, .owner = uart });
	int error = bus_claim(bus, port, (uint16_t)(port + PORTS - 1), &ops, uart);
	if (error) {
		ns16550_free(uart);
		errno = -error;
		return NULL;
	}
	uart->divisor = RESET_DIVISOR;
	ns16550_reset(uart);
	return uart;
}

void ns16550_free(struct ns16550 *uart)
{
	if (!uart)
		return;
	bus_release(uart->bus, &ops, uart);
	chardev_set_receiver(uart->chardev, NULL);
	clock_timer_free(uart->transmit_timer);
	clock_timer_free(uart->timeout_timer);
	g_free(uart);
}

/* MR leaves the divisor and SCR alone. */
void ns16550_reset(struct ns16550 *uart)
{
	uart->ier = uart->fcr = uart->lcr = uart->mcr = uart->lsr = 0;
	fifo_clear(&uart->receiver);
	fifo_clear(&uart->transmitter);
	uart->shifting = uart->thre_pending = uart->timed_out = false;
	clock_timer_stop(uart->transmit_timer);
	clock_timer_stop(uart->timeout_timer);
	uart->msr = MSR_REMOTE;
	update_irq(uart);
}

static void fifo_state(struct fifo *fifo, struct snap *snap)
{
	struct fifo loaded = *fifo;
	snap_bytes(snap, "fifo_data", loaded.data, sizeof loaded.data);
	snap_bytes(snap, "fifo_breaks", loaded.breaks, sizeof loaded.breaks);
	snap_u8(snap, "fifo_first", &loaded.first);
	snap_u8(snap, "fifo_count", &loaded.count);
	if (loaded.first >= FIFO_SIZE || loaded.count > FIFO_SIZE)
		snap_fail(snap, "ns16550: FIFO of %u from %u", loaded.count, loaded.first);
	for (unsigned i = 0; i < FIFO_SIZE; i++)
		loaded.breaks[i] &= LSR_BI;
	if (snap_is_loading(snap) && !snap_error(snap))
		*fifo = loaded;
}

static void registers_state(struct ns16550 *uart, struct snap *snap)
{
	snap_u8(snap, "ier", &uart->ier);
	snap_u8(snap, "fcr", &uart->fcr);
	snap_u8(snap, "lcr", &uart->lcr);
	snap_u8(snap, "mcr", &uart->mcr);
	snap_u8(snap, "lsr", &uart->lsr);
	snap_u8(snap, "msr", &uart->msr);
	snap_u8(snap, "scr", &uart->scr);
	snap_u16(snap, "divisor", &uart->divisor);
	uart->ier &= IER_MASK;
	uart->mcr &= MCR_MASK;
	uart->lsr &= LSR_INTERRUPTS;
}

void ns16550_state(struct ns16550 *uart, struct snap *snap)
{
	snap_section(snap, "ns16550", 1);
	registers_state(uart, snap);
	fifo_state(&uart->receiver, snap);
	fifo_state(&uart->transmitter, snap);
	snap_u8(snap, "shift", &uart->shift);
	snap_bool(snap, "shifting", &uart->shifting);
	snap_bool(snap, "thre_pending", &uart->thre_pending);
	snap_bool(snap, "timed_out", &uart->timed_out);
	snap_timer(snap, "transmit_timer", uart->transmit_timer);
	snap_timer(snap, "timeout_timer", uart->timeout_timer);
	/* Without FIFOs one character is all that can wait. */
	if (uart->receiver.count > capacity(uart) || uart->transmitter.count > capacity(uart)) {
		snap_fail(snap, "ns16550: %u and %u characters without FIFOs", uart->receiver.count,
		          uart->transmitter.count);
		fifo_clear(&uart->receiver);
		fifo_clear(&uart->transmitter);
	}
}
