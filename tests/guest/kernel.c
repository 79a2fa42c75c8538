/* An example of a kernel: prints what it is told about the machine to the first
 * serial port, and to the screen where firmware has switched it on. Knows start_info,
 * multiboot and multiboot2, and where virtio devices may be. See make-kernel.sh. */
#include <stdbool.h>

#include "include/v2e/start_info.h"
#include "include/v2e/virtio.h"

#define SERIAL_PORT   0x3f8
#define SERIAL_STATUS 5
#define SERIAL_READY  0x20
#define SCREEN        ((volatile uint16_t *)0xb8000)
#define COLUMNS       80
#define ROWS          25

/* For the loader to be looked at: volatile keeps them in .data and .bss. */
static volatile uint32_t loaded = 0x12345678;
static volatile uint32_t cleared[1024];
static unsigned column, row;

int kernel_main(uint32_t magic, uint32_t info);

static void out8(uint16_t port, uint8_t value) { __asm__ volatile("outb %0, %1" : : "a"(value), "Nd"(port)); }

static uint8_t in8(uint16_t port)
{
	uint8_t value;
	__asm__ volatile("inb %1, %0" : "=a"(value) : "Nd"(port));
	return value;
}

/* Reads what a loader left at an address. */
static uint32_t at(uint32_t address) { return *(volatile const uint32_t *)address; }
static const char *text_at(uint32_t address) { return (const char *)address; }

static void put(char byte)
{
	while (!(in8(SERIAL_PORT + SERIAL_STATUS) & SERIAL_READY))
		;
	out8(SERIAL_PORT, (uint8_t)byte);
	if (byte == '\n') {
		column = 0;
		row = (row + 1) % ROWS;
		return;
	}
	if (column < COLUMNS)
		SCREEN[row * COLUMNS + column++] = (uint16_t)(0x0700 | (uint8_t)byte);
}

static void print(const char *text)
{
	while (*text)
		put(*text++);
}

static void print_hex(const char *name, uint32_t value)
{
	print(name);
	for (int shift = 28; shift >= 0; shift -= 4)
		put("0123456789abcdef"[value >> shift & 15]);
}

static void print_number(const char *name, uint32_t value)
{
	char digits[11];
	char *first = digits + 10;
	for (*first = 0; value || first == digits + 10; value /= 10)
		*--first = (char)('0' + value % 10);
	print(name);
	print(first);
}

static uint32_t sum_of(uint32_t begin, uint32_t end)
{
	uint32_t sum = 0;
	for (const uint8_t *byte = (const uint8_t *)begin; byte < (const uint8_t *)end; byte++)
		sum = sum * 31 + *byte;
	return sum;
}

static void print_module(uint32_t begin, uint32_t end, const char *words)
{
	print_number("module ", end - begin);
	print_hex(" bytes, aligned ", begin & 4095);
	print_hex(", sum ", sum_of(begin, end));
	print(": ");
	print(words);
	print("\n");
}

static void print_ram(uint32_t entry)
{
	print_hex("map ", at(entry + 4));
	print_hex("", at(entry));
	print_hex(" length ", at(entry + 12));
	print_hex("", at(entry + 8));
	print_number(" type ", at(entry + 16));
	print("\n");
}

/* --- start_info ------------------------------------------------------------------ */

static void print_start_info(const struct start_info *info)
{
	static const char *const uses[] = { "free", "kernel", "init" };
	const struct memory_map_entry *memory = (const struct memory_map_entry *)info->mem_entries;
	const struct device_map_entry *device = (const struct device_map_entry *)info->dev_entries;
	print_hex("start_info: ioapic ", info->ioapic_base);
	print("\n");
	for (uint32_t n = 0; n < info->mem_size; n++, memory++) {
		print_hex("memory ", memory->base);
		print_hex(" size ", memory->size);
		print(memory->flags & MEMORY_FLAG_READ_ONLY ? " read-only " : " ");
		print(memory->use <= MEMORY_USE_INIT ? uses[memory->use] : "?");
		print("\n");
	}
	for (uint32_t n = 0; n < info->dev_size; n++, device++) {
		print_hex(device->base_addr < START_INFO_PORTS ? "device port " : "device memory ", device->base_addr);
		print_number(" interrupt ", device->interrupt_num);
		print("\n");
	}
}

/* --- multiboot ------------------------------------------------------------------- */

static void print_multiboot(uint32_t info)
{
	print_hex("multiboot: flags ", at(info));
	print("\ncommand line: ");
	print(text_at(at(info + 16)));
	print("\nloader: ");
	print(text_at(at(info + 64)));
	print_number("\nlower ", at(info + 4));
	print_number(" upper ", at(info + 8));
	print("\n");
	for (uint32_t n = 0, module = at(info + 24); n < at(info + 20); n++, module += 16)
		print_module(at(module), at(module + 4), text_at(at(module + 8)));
	uint32_t end = at(info + 48) + at(info + 44);
	for (uint32_t entry = at(info + 48); entry < end; entry += at(entry) + 4)
		print_ram(entry + 4);
}

static void print_tag(uint32_t tag)
{
	switch (at(tag)) {
	case 1:
		print("command line: ");
		print(text_at(tag + 8));
		print("\n");
		break;
	case 2:
		print("loader: ");
		print(text_at(tag + 8));
		print("\n");
		break;
	case 3:
		print_module(at(tag + 8), at(tag + 12), text_at(tag + 16));
		break;
	case 4:
		print_number("lower ", at(tag + 8));
		print_number(" upper ", at(tag + 12));
		print("\n");
		break;
	case 6:
		for (uint32_t entry = tag + 16; entry < tag + at(tag + 4); entry += at(tag + 8))
			print_ram(entry);
		break;
	}
}

static void print_multiboot2(uint32_t info)
{
	uint32_t end = info + at(info), tag = info + 8;
	print("multiboot2\n");
	while (at(tag) && tag < end) {
		print_tag(tag);
		tag += (at(tag + 4) + 7) & ~7u;
	}
	print(tag + 8 == end ? "tags end where they should\n" : "tags do not end where they should\n");
}

/* --- virtio ------------------------------------------------------------------------ */

/* A queue of one descriptor; both sides write to it. */
static volatile struct __attribute__((aligned(16))) {
	uint32_t address, address_high, size;
	uint16_t flags, next;
	uint16_t available[4]; /* flags, index, entry, event */
	uint32_t used[4];      /* flags and index; entry: id, size; event */
	uint8_t bytes[16];
} queue;

static void put_at(uint32_t address, uint32_t value) { *(volatile uint32_t *)address = value; }

/* A driver for the entropy device, as short as can be: one request, and the answer is
 * waited for. */
static void ask_entropy(uint32_t base)
{
	static const uint16_t set_up[][2] = { { 0x70, 0 }, { 0x70, 3 }, { 0x24, 1 }, { 0x20, 1 }, { 0x70, 11 }, { 0x30, 0 }, { 0x38, 1 } };
	unsigned sum = 0;
	for (unsigned n = 0; n < sizeof set_up / sizeof *set_up; n++)
		put_at(base + set_up[n][0], set_up[n][1]);
	put_at(base + 0x80, (uint32_t)&queue);
	put_at(base + 0x90, (uint32_t)queue.available);
	put_at(base + 0xa0, (uint32_t)queue.used);
	put_at(base + 0x44, 1);
	put_at(base + 0x70, 15);
	queue.address = (uint32_t)queue.bytes;
	queue.size = sizeof queue.bytes;
	queue.flags = 2;
	queue.available[1] = 1;
	put_at(base + 0x50, 0);
	while (queue.used[0] >> 16 != 1)
		;
	for (unsigned n = 0; n < sizeof queue.bytes; n++)
		sum += queue.bytes[n];
	print_number("entropy: ", queue.used[2]);
	print(sum ? " bytes, status " : " bytes of zero, status ");
	print_number("", at(base + 0x70));
	print_number(", interrupt ", at(base + 0x60));
	print("\n");
	put_at(base + 0x70, 0);
}

static void print_virtio(void)
{
	for (unsigned slot = 0; slot < V2E_VIRTIO_SLOTS; slot++) {
		uint32_t base = V2E_VIRTIO_BASE + slot * V2E_VIRTIO_STEP;
		if (at(base) != V2E_VIRTIO_MAGIC)
			continue;
		print_hex("virtio ", base);
		print_number(" version ", at(base + 4));
		print_number(" device ", at(base + 8));
		print_number(" interrupt ", V2E_VIRTIO_IRQ(slot));
		print("\n");
		if (at(base + 4) == 2 && at(base + 8) == 4)
			ask_entropy(base);
	}
}

/* --- all ------------------------------------------------------------------------- */

static bool is_loaded(void)
{
	uint32_t sum = 0;
	for (unsigned n = 0; n < sizeof cleared / sizeof *cleared; n++)
		sum |= cleared[n];
	return loaded == 0x12345678 && !sum;
}

int kernel_main(uint32_t magic, uint32_t info)
{
	uint32_t flags;
	__asm__ volatile("pushf; pop %0" : "=r"(flags));
	print("kernel\n");
	if (magic == START_INFO_MAGIC)
		print_start_info((const struct start_info *)info);
	else if (magic == 0x2badb002)
		print_multiboot(info);
	else if (magic == 0x36d76289)
		print_multiboot2(info);
	else
		print_hex("unknown magic ", magic);
	print_virtio();
	print(flags & 0x200 ? "interrupts are on\n" : "interrupts are off\n");
	print(is_loaded() ? "all is loaded\n" : "something is not loaded\n");
	return 0x21;
}
