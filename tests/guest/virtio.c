/* A driver of the first virtio disk, for make-kernel.sh, which sees whether each
 * notification gets there, in order with all else that it asks the device for, and
 * nowhere where it should not. Each sector of the disk begins with its number.
 * -DINTERRUPTS waits for interrupts as well, -DREPEAT=N makes N rounds of each kind;
 * -DONLY=one_by_one, or another, does nothing else, to be measured.
 *
 * It passes with status 42 at the exit port; any other is the number of what failed. */
#include <stdbool.h>

#include "include/v2e/virtio.h"

#include <stdint.h>

#ifndef REPEAT
#define REPEAT 200
#endif

#define BASE    (V2E_VIRTIO_BASE + 3 * V2E_VIRTIO_STEP)
#define IRQ     V2E_VIRTIO_IRQ(3)
#define PASSED  42
#define ENTRIES 128
#define BATCH   (ENTRIES / 3)
#define SECTORS 64

enum { NOTIFY = 0x50, INTERRUPT_STATUS = 0x60, INTERRUPT_ACK = 0x64, STATUS = 0x70 };

/* In reach of real mode; survives a reset. */
struct low {
	struct {
		uint32_t address, high, size;
		uint16_t flags, next;
	} descriptor[ENTRIES];
	uint16_t available_flags, available_index, available[ENTRIES], available_event, pad;
	uint16_t used_flags, used_index;
	struct {
		uint32_t id, size;
	} used[ENTRIES];
	struct {
		uint32_t type, reserved, sector, sector_high, data[128], status;
	} request[BATCH];
	uint32_t boots;
};
#define LOW ((volatile struct low *)0x10000)

/* virtio_start.S */
extern uint16_t trip(uint32_t notify, uint32_t watched);
extern void load_idt(void *table, uint32_t size);
extern char on_interrupt[], on_spurious[];

int kernel_main(uint32_t magic, uint32_t info);
void interrupt_came(void);

static uint16_t sent; /* requests since the device was set up */
static volatile uint32_t interrupts;

static void out8(uint16_t port, uint8_t value) { __asm__ volatile("outb %0, %1" : : "a"(value), "Nd"(port) : "memory"); }

static uint8_t in8(uint16_t port)
{
	uint8_t value;
	__asm__ volatile("inb %1, %0" : "=a"(value) : "Nd"(port));
	return value;
}

static uint32_t get(uint32_t offset) { return *(volatile uint32_t *)(BASE + offset); }
static void put(uint32_t offset, uint32_t value) { *(volatile uint32_t *)(BASE + offset) = value; }

static void say(const char *text)
{
	for (; *text; text++) {
		while (!(in8(0x3fd) & 0x20))
			;
		out8(0x3f8, (uint8_t)*text);
	}
}

static void say_number(const char *name, unsigned value)
{
	char digits[12], *first = digits + 11;
	for (*first = 0; value || first == digits + 11; value /= 10)
		*--first = (char)('0' + value % 10);
	say(name);
	say(first);
	say("\n");
}

static void require(bool holds, uint8_t number)
{
	if (!holds)
		out8(0xf4, number);
}

/* --- the device --------------------------------------------------------------------- */

static void set_up(void)
{
	static const uint16_t writes[][2] = { { 0x70, 0 }, { 0x70, 3 }, { 0x24, 1 }, { 0x20, 1 }, { 0x70, 11 }, { 0x30, 0 }, { 0x38, ENTRIES } };
	for (unsigned n = 0; n < sizeof writes / sizeof *writes; n++)
		put(writes[n][0], writes[n][1]);
	put(0x80, (uint32_t)LOW->descriptor);
	put(0x90, (uint32_t)&LOW->available_flags);
	put(0xa0, (uint32_t)&LOW->used_flags);
	LOW->available_index = LOW->used_index = sent = 0;
	put(0x44, 1);
	put(STATUS, 15);
}

/* Request n of a batch: a sector is read. */
static void ask(unsigned n, uint32_t sector)
{
	volatile struct low *low = LOW;
	const uint32_t address[] = { (uint32_t)&low->request[n], (uint32_t)low->request[n].data, (uint32_t)&low->request[n].status };
	static const uint16_t size[] = { 16, 512, 1 }, flags[] = { 1, 3, 2 };
	for (unsigned part = 0; part < 3; part++) {
		low->descriptor[3 * n + part].address = address[part];
		low->descriptor[3 * n + part].size = size[part];
		low->descriptor[3 * n + part].flags = flags[part];
		low->descriptor[3 * n + part].next = (uint16_t)(3 * n + part + 1);
	}
	low->request[n].type = 0;
	low->request[n].sector = sector;
	low->request[n].data[0] = low->request[n].status = 0xffffffff;
	low->available[sent++ % ENTRIES] = (uint16_t)(3 * n);
	low->available_index = sent;
}

static bool is_read(unsigned n)
{
	return LOW->request[n].data[0] == LOW->request[n].sector && !(LOW->request[n].status & 0xff);
}

/* Nothing here makes the processor leave the guest. */
static void wait(void)
{
	while (LOW->used_index != sent)
		__asm__ volatile("pause");
}

static void acknowledge(void) { put(INTERRUPT_ACK, get(INTERRUPT_STATUS)); }

/* --- what is tried -------------------------------------------------------------------- */

static void one_by_one(void)
{
	for (unsigned n = 0; n < REPEAT; n++) {
		ask(0, n % SECTORS);
		put(NOTIFY, 0);
		wait();
		require(is_read(0), 1);
	}
	acknowledge();
}

static void in_batches(void)
{
	for (unsigned round = 0; round < REPEAT / 8; round++) {
		for (unsigned n = 0; n < BATCH; n++) {
			ask(n, (round + n) % SECTORS);
			if (n % 4 == 3)
				put(NOTIFY, 0);
		}
		put(NOTIFY, 0);
		wait();
		for (unsigned n = 0; n < BATCH; n++)
			require(is_read(n), 2);
	}
	acknowledge();
}

/* All else at the device comes behind a notification: its interrupt can be seen. */
static void in_order(void)
{
	for (unsigned n = 0; n < REPEAT; n++) {
		ask(0, n % SECTORS);
		put(NOTIFY, 0);
		require(get(INTERRUPT_STATUS) == 1, 3);
		require(LOW->used_index == sent && is_read(0), 4);
		acknowledge();
	}
}

/* Nothing is owed to a device behind its reset. */
static void before_reset(void)
{
	for (unsigned n = 0; n < REPEAT / 8; n++) {
		ask(0, n % SECTORS);
		put(NOTIFY, 0);
		put(STATUS, 0);
		require(LOW->used_index == sent && is_read(0), 5);
		set_up();
	}
}

static void tell_keyboard_controller(uint16_t port, uint8_t value)
{
	while (in8(0x64) & 2)
		;
	out8(port, value);
}

/* With A20 masked there is no device; the code is where that changes nothing. */
static void without_a20(void)
{
	out8(0x92, 2);
	tell_keyboard_controller(0x64, 0xd1); /* the other of the two that can open it */
	tell_keyboard_controller(0x60, 0xdd);
	for (unsigned n = 0; n < REPEAT / 8; n++) {
		ask(0, n % SECTORS);
		tell_keyboard_controller(0x92, 0);
		put(NOTIFY, 0);
		out8(0x92, 2);
		require(get(INTERRUPT_STATUS) == 0 && LOW->used_index != sent, 6);
		put(NOTIFY, 0);
		wait();
		require(is_read(0), 7);
		acknowledge();
	}
}

/* Out of protected mode and back, right behind a notification. */
static void through_real_mode(void)
{
	unsigned at_once = 0;
	for (unsigned n = 0; n < REPEAT / 8; n++) {
		ask(0, n % SECTORS);
		at_once += trip(BASE + NOTIFY, (uint32_t)&LOW->used_index) == sent;
		wait();
		require(is_read(0), 8);
		acknowledge();
	}
	say_number("done in real mode: ", at_once); /* with one engine that is chance */
}

#ifdef INTERRUPTS
static struct gate {
	uint16_t low, selector, flags, high;
} gates[256];

void interrupt_came(void)
{
	interrupts++;
	acknowledge();
	out8(0x20, 0x20);
}

static void by_interrupt(void)
{
	static const uint8_t controller[][2] = { { 0x20, 0x11 }, { 0x21, 0x20 }, { 0x21, 4 }, { 0x21, 1 }, { 0x21, (uint8_t)~(1 << IRQ) } };
	for (unsigned n = 0; n < 256; n++) {
		uint32_t code = (uint32_t)(n == 0x20 + IRQ ? on_interrupt : on_spurious);
		gates[n] = (struct gate){ (uint16_t)code, 8, 0x8e00, (uint16_t)(code >> 16) };
	}
	load_idt(gates, sizeof gates);
	for (unsigned n = 0; n < sizeof controller / sizeof *controller; n++)
		out8(controller[n][0], controller[n][1]);
	for (unsigned n = 0; n < REPEAT; n++) {
		ask(0, n % SECTORS);
		put(NOTIFY, 0);
		/* The last chance to come is between STI and HLT. */
		while (LOW->used_index != sent)
			__asm__ volatile("sti; hlt; cli" : : : "memory");
		require(is_read(0), 9);
	}
	/* And while it runs. */
	for (unsigned n = 0; n < REPEAT; n++) {
		uint32_t before = interrupts;
		ask(0, n % SECTORS);
		__asm__ volatile("sti");
		put(NOTIFY, 0);
		while (interrupts == before)
			__asm__ volatile("pause");
		__asm__ volatile("cli");
		require(LOW->used_index == sent && is_read(0), 10);
	}
	say_number("interrupts: ", interrupts >= 2 * REPEAT ? 2 * REPEAT : interrupts);
}
#else
void interrupt_came(void) { }
static void by_interrupt(void) { }
#endif

int kernel_main(uint32_t magic, uint32_t info)
{
	static void (*const tries[])(void) = {
#ifdef ONLY
		ONLY,
#endif
		one_by_one, in_batches, in_order, before_reset, without_a20, through_real_mode, by_interrupt, one_by_one,
	};
	(void)magic, (void)info;
	require(get(0) == V2E_VIRTIO_MAGIC && get(8) == 2, 11);
	set_up();
	say_number("boot ", LOW->boots);
	for (unsigned n = 0; n < sizeof tries / sizeof *tries; n++) {
		tries[n]();
		say_number("tried ", n);
#ifdef ONLY
		return PASSED;
#endif
	}
	/* Once more from the start, with something still asked for. */
	if (!LOW->boots++) {
		ask(0, 1);
		put(NOTIFY, 0);
		out8(0xcf9, 6);
		for (;;)
			;
	}
	require(LOW->boots == 2, 12);
	return PASSED;
}
