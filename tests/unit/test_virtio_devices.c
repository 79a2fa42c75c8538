/* What the virtio devices do: entropy, block, console, network. */
#include "devmodel/virtio_blk.h"
#include "devmodel/virtio_console.h"
#include "devmodel/virtio_net.h"
#include "devmodel/virtio_rng.h"
#include "tests/unit/virtio_rig.h"

#define SIZE 16u

static struct virtio_rig rig;

static void start(void)
{
	virtio_rig_start(&rig, false);
}

static void stop(void)
{
	virtio_rig_stop(&rig);
}

static void desc(unsigned n, unsigned i, uint64_t address, uint32_t size, uint16_t flags, uint16_t next)
{
	virtio_rig_describe(&rig, n, i, address, size, flags, next);
}

static void offer(unsigned n, uint16_t head)
{
	virtio_rig_offer(&rig, n, head);
	virtio_rig_kick(&rig, n);
}

static uint32_t last_written(unsigned n)
{
	uint32_t written;
	ck_assert_uint_gt(virtio_rig_used(&rig, n), 0);
	virtio_rig_entry(&rig, n, virtio_rig_used(&rig, n) - 1u, &written);
	return written;
}

/* --- entropy -------------------------------------------------------------------------- */

static void fill(uint8_t *to, uint32_t size)
{
	desc(0, 0, RIG_BUFFER, size, D_WRITE, 0);
	offer(0, 0);
	ck_assert_uint_eq(last_written(0), size);
	memcpy(to, rig.ram + RIG_BUFFER, size);
}

START_TEST(rng_repeats_in_virtual_time)
{
	uint8_t first[600], second[600], third[600];
	const struct virtio_board board = virtio_rig_board(&rig);
	virtio_rig_fit(&rig, virtio_rng_new(&board));
	virtio_rig_drive(&rig, 0, 1, SIZE);
	fill(first, sizeof first);
	fill(second, sizeof second);
	ck_assert_mem_ne(first, second, sizeof first);
	stop();
	start();
	const struct virtio_board again = virtio_rig_board(&rig);
	virtio_rig_fit(&rig, virtio_rng_new(&again));
	virtio_rig_drive(&rig, 0, 1, SIZE);
	fill(third, sizeof third);
	ck_assert_mem_eq(first, third, sizeof first);
	unsigned ones = 0;
	for (unsigned n = 0; n < sizeof first; n++)
		ones += (unsigned)__builtin_popcount(first[n]);
	ck_assert_uint_gt(ones, 2200); /* of 4800 */
	ck_assert_uint_lt(ones, 2600);
}
END_TEST

START_TEST(rng_is_the_hosts_in_real_time)
{
	uint8_t first[64], second[64];
	struct clock *real = clock_new(CLOCK_KIND_REAL);
	struct virtio_board board = virtio_rig_board(&rig);
	for (unsigned n = 0; n < 2; n++) {
		board.clock = real;
		virtio_rig_fit(&rig, virtio_rng_new(&board));
		virtio_rig_drive(&rig, 0, 1, SIZE);
		fill(n ? second : first, sizeof first);
		if (n == 0)
			virtio_mmio_free(rig.mmio);
	}
	ck_assert_mem_ne(first, second, sizeof first);
	virtio_mmio_free(rig.mmio);
	rig.mmio = NULL;
	clock_free(real);
}
END_TEST

START_TEST(rng_fills_no_more_than_it_says)
{
	const struct virtio_board board = virtio_rig_board(&rig);
	virtio_rig_fit(&rig, virtio_rng_new(&board));
	virtio_rig_drive(&rig, 0, 1, SIZE);
	memset(rig.ram + RIG_BUFFER, 0, VIRTIO_RNG_MAX + 16);
	desc(0, 0, RIG_BUFFER, UINT32_MAX, D_WRITE, 0);
	offer(0, 0);
	ck_assert_uint_eq(last_written(0), VIRTIO_RNG_MAX);
	ck_assert_uint_eq(mem_read(rig.mem, RIG_BUFFER + VIRTIO_RNG_MAX, 8), 0);
	desc(0, 1, RIG_BUFFER, 64, 0, 0); /* nothing to be filled */
	offer(0, 1);
	ck_assert_uint_eq(last_written(0), 0);
	ck_assert(!virtio_rig_is_broken(&rig));
}
END_TEST

/* --- block ------------------------------------------------------------------------------ */

#define SECTORS 512u
#define HEADER  (RIG_BUFFER - 0x1000)
#define STATUS  (RIG_BUFFER - 0x800)

static struct blk *disk;

static void open_disk(bool read_only)
{
	const struct virtio_board board = virtio_rig_board(&rig);
	disk = blk_memory_new(SECTORS * BLK_SECTOR_SIZE, read_only);
	virtio_rig_fit(&rig, virtio_blk_new(&board, disk, 3));
	virtio_rig_drive(&rig, 0, 1, SIZE);
	for (unsigned n = 0; n < SECTORS * BLK_SECTOR_SIZE; n++)
		blk_memory_data(disk)[n] = (uint8_t)(n * 7 + n / 512);
}

/* Returns the status; *written is the used length. */
static uint8_t request(uint32_t type, uint64_t sector, uint32_t size, uint32_t *written)
{
	mem_write(rig.mem, HEADER, 4, type);
	mem_write(rig.mem, HEADER + 4, 4, 0);
	mem_write(rig.mem, HEADER + 8, 8, sector);
	rig.ram[STATUS] = 0xee;
	desc(0, 0, HEADER, 16, D_NEXT, size ? 1 : 2);
	desc(0, 1, RIG_BUFFER, size, type == 1 ? D_NEXT : D_NEXT | D_WRITE, 2);
	desc(0, 2, STATUS, 1, D_WRITE, 0);
	offer(0, 0);
	virtio_rig_pass(&rig); /* behind a flush it waits */
	*written = last_written(0);
	return rig.ram[STATUS];
}

START_TEST(blk_configuration)
{
	open_disk(false);
	ck_assert_uint_eq(virtio_rig_get(&rig, R_DEVICE), 2);
	ck_assert_uint_eq(virtio_rig_get(&rig, R_CONFIG), SECTORS);
	ck_assert_uint_eq(virtio_rig_get(&rig, R_CONFIG + 12), 254);
	ck_assert_uint_eq(mem_read(rig.mem, RIG_BASE + R_CONFIG + 1, 1), SECTORS >> 8);
	ck_assert_uint_eq(mem_read(rig.mem, RIG_BASE + R_CONFIG + 60, 8), 0);
	mem_write(rig.mem, RIG_BASE + R_CONFIG, 4, 7);
	ck_assert_uint_eq(virtio_rig_get(&rig, R_CONFIG), SECTORS);
	ck_assert_uint_eq(virtio_rig_get(&rig, R_FEATURES) & 0x20, 0);
}
END_TEST

START_TEST(blk_reads_and_writes)
{
	uint32_t written;
	open_disk(false);
	ck_assert_uint_eq(request(0, 5, 1024, &written), 0);
	ck_assert_uint_eq(written, 1025);
	ck_assert_mem_eq(rig.ram + RIG_BUFFER, blk_memory_data(disk) + 5 * 512, 1024);
	memset(rig.ram + RIG_BUFFER, 0x3c, 200000);
	ck_assert_uint_eq(request(1, 100, 200192, &written), 0); /* several pieces */
	ck_assert_uint_eq(written, 1);
	ck_assert_uint_eq(blk_memory_data(disk)[100 * 512], 0x3c);
	ck_assert_uint_eq(blk_memory_data(disk)[100 * 512 + 199999], 0x3c);
	ck_assert_uint_eq(blk_memory_data(disk)[99 * 512 + 511], (uint8_t)((99 * 512 + 511) * 7 + 99));
	ck_assert_uint_eq(request(0, SECTORS - 1, 512, &written), 0);
	ck_assert_uint_eq(request(0, SECTORS, 0, &written), 0);
}
END_TEST

START_TEST(blk_other_requests)
{
	uint32_t written;
	open_disk(false);
	ck_assert_uint_eq(blk_memory_flushes(disk), 0);
	ck_assert_uint_eq(request(4, 0, 0, &written), 0);
	ck_assert_uint_eq(blk_memory_flushes(disk), 1);
	ck_assert_uint_eq(request(8, 0, 20, &written), 0);
	ck_assert_uint_eq(written, 21);
	ck_assert_str_eq((char *)rig.ram + RIG_BUFFER, "v2e-virtio-3");
	ck_assert_uint_eq(request(11, 0, 512, &written), 2); /* discard was not offered */
	ck_assert_uint_eq(request(UINT32_MAX, 0, 512, &written), 2);
}
END_TEST

/* A guest that flushes without end does not keep its host from looking. */
START_TEST(blk_flushes_one_by_one)
{
	uint32_t written;
	open_disk(false);
	ck_assert_uint_eq(request(4, 0, 0, &written), 0);
	for (unsigned n = 0; n < 5; n++)
		virtio_rig_offer(&rig, 0, 0);
	virtio_rig_kick(&rig, 0);
	ck_assert_uint_eq(blk_memory_flushes(disk), 2);
	virtio_rig_pass(&rig);
	ck_assert_uint_eq(blk_memory_flushes(disk), 6);
	ck_assert_uint_eq(virtio_rig_used(&rig, 0), 6);
}
END_TEST

START_TEST(blk_refuses)
{
	static const struct { uint64_t sector; uint32_t size; } outside[] = {
		{ SECTORS, 512 }, { SECTORS - 1, 1024 }, { UINT64_MAX, 512 }, { UINT64_MAX - 1, 1024 }, { 1ull << 55, 512 },
		{ 0, 511 }, { 0, 513 }, { 0, (SECTORS + 1) * 512 }, { SECTORS - 200, 201 * 512 },
	};
	uint32_t written;
	open_disk(false);
	for (unsigned n = 0; n < G_N_ELEMENTS(outside); n++)
		for (uint32_t type = 0; type < 2; type++) {
			rig.ram[RIG_BUFFER] = 0x99;
			ck_assert_msg(request(type, outside[n].sector, outside[n].size, &written) == 1, "%u", n);
			ck_assert_uint_eq(written, type == 1);
			ck_assert_uint_eq(rig.ram[RIG_BUFFER], 0x99);
			ck_assert_uint_eq(blk_memory_data(disk)[0], 0);
		}
	blk_memory_fail(disk, 10, 10, -5);
	ck_assert_uint_eq(request(0, 9, 1024, &written), 1);
	ck_assert_uint_eq(request(4, 0, 0, &written), 1);
	blk_memory_fail(disk, 0, 0, 0);
	ck_assert_uint_eq(request(0, 9, 1024, &written), 0);
	ck_assert(!virtio_rig_is_broken(&rig));
}
END_TEST

START_TEST(blk_read_only)
{
	uint32_t written;
	open_disk(true);
	ck_assert_uint_eq(virtio_rig_get(&rig, R_FEATURES) & 0x20, 0x20);
	ck_assert_uint_eq(request(1, 0, 512, &written), 1);
	ck_assert_uint_eq(request(0, 0, 512, &written), 0);
}
END_TEST

/* Where header, data and status begin and end is the driver's to say. */
START_TEST(blk_any_layout)
{
	open_disk(false);
	mem_write(rig.mem, HEADER, 8, 0);
	mem_write(rig.mem, HEADER + 8, 8, 7);
	desc(0, 0, HEADER, 9, D_NEXT, 1);
	desc(0, 1, HEADER + 9, 7, D_NEXT, 2);
	desc(0, 2, RIG_BUFFER, 100, D_WRITE | D_NEXT, 3);
	desc(0, 3, RIG_BUFFER + 100, 413, D_WRITE, 0);
	offer(0, 0);
	ck_assert_uint_eq(last_written(0), 513);
	ck_assert_mem_eq(rig.ram + RIG_BUFFER, blk_memory_data(disk) + 7 * 512, 512);
	ck_assert_uint_eq(rig.ram[RIG_BUFFER + 512], 0);
}
END_TEST

START_TEST(blk_hostile_requests)
{
	static const struct { uint32_t header, data, status; } sizes[] = {
		{ 15, 512, 1 }, { 0, 512, 1 }, { 16, 0, 0 }, { 16, 64u << 20, 1 }, { 64u << 20, 0, 1 }, { 16, UINT32_MAX - 32, 1 },
	};
	open_disk(false);
	for (unsigned n = 0; n < G_N_ELEMENTS(sizes); n++) {
		virtio_rig_drive(&rig, 0, 1, SIZE);
		memset(rig.ram + HEADER, 0, 16);
		desc(0, 0, HEADER, sizes[n].header, D_NEXT, 1);
		desc(0, 1, RIG_BUFFER, sizes[n].data, D_WRITE | D_NEXT, 2);
		desc(0, 2, STATUS, sizes[n].status, D_WRITE, 0);
		offer(0, 0);
		ck_assert_msg(virtio_rig_is_broken(&rig), "%u", n);
		ck_assert_uint_eq(virtio_rig_used(&rig, 0), 0);
	}
	virtio_rig_drive(&rig, 0, 1, SIZE); /* data where no memory is, status in ROM */
	desc(0, 0, HEADER, 16, D_NEXT, 1);
	desc(0, 1, RIG_BASE, 512, D_WRITE | D_NEXT, 2);
	desc(0, 2, STATUS, 1, D_WRITE, 0);
	offer(0, 0);
	ck_assert(virtio_rig_is_broken(&rig));
	virtio_rig_drive(&rig, 0, 1, SIZE);
	desc(0, 0, HEADER, 16, D_NEXT, 2);
	desc(0, 2, RIG_ROM, 1, D_WRITE, 0);
	offer(0, 0);
	ck_assert(virtio_rig_is_broken(&rig));
}
END_TEST

/* --- console ------------------------------------------------------------------------------ */

static struct chardev *chardev;

static void open_console(void)
{
	char *error = NULL;
	const struct virtio_board board = virtio_rig_board(&rig);
	chardev = chardev_new("memory", &error);
	virtio_rig_fit(&rig, virtio_console_new(&board, chardev));
}

static void stop_console(void)
{
	stop();
	chardev_free(chardev);
	chardev = NULL;
}

START_TEST(console_writes)
{
	open_console();
	virtio_rig_drive(&rig, 0, 2, SIZE);
	for (unsigned n = 0; n < 10000; n++)
		rig.ram[RIG_BUFFER + n] = (uint8_t)('a' + n % 26);
	desc(1, 0, RIG_BUFFER, 5000, D_NEXT, 1);
	desc(1, 1, RIG_BUFFER + 5000, 5000, 0, 0);
	offer(1, 0);
	const GString *text = chardev_captured(chardev);
	ck_assert_uint_eq(text->len, 10000);
	ck_assert_mem_eq(text->str, rig.ram + RIG_BUFFER, 10000);
	ck_assert_uint_eq(last_written(1), 0);
	desc(1, 0, 0, 0, 0, 0); /* nothing */
	offer(1, 0);
	ck_assert_uint_eq(virtio_rig_used(&rig, 1), 2);
	desc(1, 0, 0, VIRTIO_CONSOLE_WRITE_MAX + 1, 0, 0);
	offer(1, 0);
	ck_assert(virtio_rig_is_broken(&rig));
	ck_assert_uint_eq(text->len, 10000);
	stop_console();
	start();
}
END_TEST

START_TEST(console_reads)
{
	open_console();
	chardev_feed(chardev, "waits", 5);
	virtio_rig_drive(&rig, VIRTIO_F_EVENT_INDEX, 2, SIZE);
	chardev_poll(chardev);
	virtio_rig_pass(&rig);
	ck_assert_uint_eq(virtio_rig_used(&rig, 0), 0); /* no buffers */
	desc(0, 0, RIG_BUFFER, 3, D_WRITE, 0);
	desc(0, 1, RIG_BUFFER + 16, 64, D_WRITE, 0);
	offer(0, 0);
	chardev_poll(chardev);
	virtio_rig_pass(&rig);
	ck_assert_uint_eq(last_written(0), 3);
	ck_assert_mem_eq(rig.ram + RIG_BUFFER, "wai", 3);
	ck_assert(rig.level);
	offer(0, 1); /* the rest was taken already */
	ck_assert_uint_eq(last_written(0), 2);
	ck_assert_mem_eq(rig.ram + RIG_BUFFER + 16, "ts", 2);
	offer(0, 1);
	chardev_feed(chardev, "more", 4);
	virtio_rig_pass(&rig);
	ck_assert_uint_eq(last_written(0), 4);
	stop_console();
	start();
}
END_TEST

START_TEST(console_loses_nothing_of_much_input)
{
	GString *got = g_string_new(NULL), *sent = g_string_new(NULL);
	open_console();
	virtio_rig_drive(&rig, 0, 2, SIZE);
	for (unsigned n = 0; n < 5000; n++)
		g_string_append_c(sent, (char)(n * 31));
	chardev_feed(chardev, sent->str, sent->len);
	for (unsigned n = 0; n < 200 && got->len < sent->len; n++) {
		desc(0, 0, RIG_BUFFER, 77, D_WRITE, 0);
		offer(0, 0);
		chardev_poll(chardev);
		virtio_rig_pass(&rig);
		g_string_append_len(got, (char *)rig.ram + RIG_BUFFER, (gssize)last_written(0));
	}
	ck_assert_uint_eq(got->len, sent->len);
	ck_assert_mem_eq(got->str, sent->str, sent->len);
	g_string_free(got, TRUE);
	g_string_free(sent, TRUE);
	stop_console();
	start();
}
END_TEST

/* --- network ------------------------------------------------------------------------------- */

static struct network network;
static GByteArray *sent_frame;
static unsigned frames;

static void take_frame(struct network *to, const uint8_t *frame, size_t size)
{
	(void)to;
	frames++;
	g_byte_array_set_size(sent_frame, 0);
	g_byte_array_append(sent_frame, frame, (guint)size);
}

static const struct network_ops tap_ops = { .send = take_frame, .free = network_fini };
static const uint8_t mac[6] = { 0x52, 0x54, 0, 1, 2, 3 };

static void open_card(bool legacy)
{
	rig.legacy = legacy;
	frames = 0;
	sent_frame = g_byte_array_new();
	network_init(&network, &tap_ops, rig.clock);
	const struct virtio_board board = virtio_rig_board(&rig);
	virtio_rig_fit(&rig, virtio_net_new(&board, &network, mac));
	virtio_rig_drive(&rig, 0, 2, SIZE);
}

static void stop_card(void)
{
	virtio_mmio_free(rig.mmio);
	rig.mmio = NULL;
	network_free(&network);
	g_byte_array_free(sent_frame, TRUE);
}

static void arrive(size_t size)
{
	uint8_t frame[2000];
	for (size_t n = 0; n < size; n++)
		frame[n] = (uint8_t)(n + size);
	network_deliver(&network, frame, size);
	virtio_rig_pass(&rig);
}

START_TEST(net_configuration)
{
	open_card(false);
	ck_assert_uint_eq(virtio_rig_get(&rig, R_DEVICE), 1);
	for (unsigned n = 0; n < 6; n++)
		ck_assert_uint_eq(mem_read(rig.mem, RIG_BASE + R_CONFIG + n, 1), mac[n]);
	ck_assert_uint_eq(mem_read(rig.mem, RIG_BASE + R_CONFIG + 6, 2), 1);
	mem_write(rig.mem, RIG_BASE + R_CONFIG, 1, 0x02);
	ck_assert_uint_eq(mem_read(rig.mem, RIG_BASE + R_CONFIG, 1), 0x52);
	stop_card();
}
END_TEST

/* In front of a frame are 12 bytes, and 10 before 1.0. */
START_TEST(net_sends)
{
	uint32_t before = _i ? 10 : 12;
	open_card(_i);
	memset(rig.ram + RIG_BUFFER, 0, 12);
	for (unsigned n = 0; n < 100; n++)
		rig.ram[RIG_BUFFER + before + n] = (uint8_t)(n + 1);
	desc(1, 0, RIG_BUFFER, before + 60, D_NEXT, 1);
	desc(1, 1, RIG_BUFFER + before + 60, 40, 0, 0);
	offer(1, 0);
	ck_assert_uint_eq(sent_frame->len, 100);
	ck_assert_uint_eq(sent_frame->data[0], 1);
	ck_assert_uint_eq(sent_frame->data[99], 100);
	ck_assert_uint_eq(last_written(1), 0);
	stop_card();
}
END_TEST

START_TEST(net_receives)
{
	uint32_t before = _i ? 10 : 12;
	open_card(_i);
	memset(rig.ram + RIG_BUFFER, 0xff, 4096);
	desc(0, 0, RIG_BUFFER, before, D_WRITE | D_NEXT, 1);
	desc(0, 1, RIG_BUFFER + 64, 1514, D_WRITE, 0);
	offer(0, 0);
	arrive(600);
	ck_assert(rig.level);
	ck_assert_uint_eq(last_written(0), before + 600);
	for (unsigned n = 0; n < before; n++)
		ck_assert_uint_eq(rig.ram[RIG_BUFFER + n], n == 10);
	ck_assert_uint_eq(rig.ram[RIG_BUFFER + before], 0xff);
	ck_assert_uint_eq(rig.ram[RIG_BUFFER + 64 + 599], (uint8_t)(599 + 600));
	ck_assert_uint_eq(rig.ram[RIG_BUFFER + 64 + 600], 0xff);
	stop_card();
}
END_TEST

START_TEST(net_waits_for_buffers)
{
	open_card(false);
	desc(0, 0, RIG_BUFFER, 2000, D_WRITE, 0);
	for (unsigned n = 0; n < 3; n++)
		arrive(100 + n);
	ck_assert_uint_eq(virtio_rig_used(&rig, 0), 0);
	for (unsigned n = 0; n < 3; n++) {
		offer(0, 0);
		virtio_rig_pass(&rig);
		ck_assert_uint_eq(virtio_rig_used(&rig, 0), n + 1);
		ck_assert_uint_eq(last_written(0), 112 + n);
	}
	desc(0, 0, RIG_BUFFER, 50, D_WRITE, 0); /* too small: the frame is lost, the buffer is not */
	offer(0, 0);
	arrive(100);
	ck_assert_uint_eq(last_written(0), 0);
	ck_assert(!virtio_rig_is_broken(&rig));
	virtio_rig_set(&rig, R_STATUS, 0); /* nobody there: what comes is dropped */
	arrive(100);
	virtio_rig_drive(&rig, 0, 2, SIZE);
	offer(0, 0);
	virtio_rig_pass(&rig);
	ck_assert_uint_eq(virtio_rig_used(&rig, 0), 0);
	stop_card();
}
END_TEST

START_TEST(net_hostile_frames)
{
	static const uint32_t sizes[] = { 0, 1, 12, 25, 12 + NETWORK_FRAME_MAX + 1, UINT32_MAX };
	open_card(false);
	for (unsigned n = 0; n < G_N_ELEMENTS(sizes); n++) {
		desc(1, 0, RIG_BUFFER, sizes[n], 0, 0);
		offer(1, 0);
		ck_assert_uint_eq(virtio_rig_used(&rig, 1), n + 1);
	}
	ck_assert_uint_eq(frames, 0);
	ck_assert(!virtio_rig_is_broken(&rig));
	desc(1, 0, RIG_RAM - 100, 200, 0, 0);
	offer(1, 0);
	ck_assert(virtio_rig_is_broken(&rig));
	virtio_rig_drive(&rig, 0, 2, SIZE);
	desc(0, 0, RIG_ROM, 2000, D_WRITE, 0); /* for what arrives */
	offer(0, 0);
	arrive(100);
	ck_assert(virtio_rig_is_broken(&rig));
	arrive(100);
	virtio_rig_drive(&rig, 0, 2, SIZE);
	virtio_rig_put16(&rig, rig.queue[0].avail + 2, SIZE + 1);
	arrive(100);
	ck_assert(virtio_rig_is_broken(&rig));
	virtio_rig_drive(&rig, 0, 2, SIZE);
	desc(0, 0, RIG_BUFFER, 100, D_WRITE | D_NEXT, 0);
	offer(0, 0);
	arrive(100);
	ck_assert(virtio_rig_is_broken(&rig));
	ck_assert_uint_eq(frames, 0);
	stop_card();
}
END_TEST

START_TEST(net_legacy_address)
{
	open_card(true);
	mem_write(rig.mem, RIG_BASE + R_CONFIG + 5, 1, 0x77);
	ck_assert_uint_eq(mem_read(rig.mem, RIG_BASE + R_CONFIG + 5, 1), 0x77);
	mem_write(rig.mem, RIG_BASE + R_CONFIG + 6, 1, 0);
	ck_assert_uint_eq(mem_read(rig.mem, RIG_BASE + R_CONFIG + 6, 1), 1);
	stop_card();
}
END_TEST

static void add_blk(TCase *tcase)
{
	tcase_add_test(tcase, blk_configuration);
	tcase_add_test(tcase, blk_reads_and_writes);
	tcase_add_test(tcase, blk_other_requests);
	tcase_add_test(tcase, blk_flushes_one_by_one);
	tcase_add_test(tcase, blk_refuses);
	tcase_add_test(tcase, blk_read_only);
	tcase_add_test(tcase, blk_any_layout);
	tcase_add_test(tcase, blk_hostile_requests);
}

static void add_net(TCase *tcase)
{
	tcase_add_test(tcase, net_configuration);
	tcase_add_loop_test(tcase, net_sends, 0, 2);
	tcase_add_loop_test(tcase, net_receives, 0, 2);
	tcase_add_test(tcase, net_waits_for_buffers);
	tcase_add_test(tcase, net_hostile_frames);
	tcase_add_test(tcase, net_legacy_address);
}

Suite *suite_virtio_devices(void);

Suite *suite_virtio_devices(void)
{
	Suite *suite = suite_create("virtio_devices");
	TCase *tcase = tcase_create("devices");
	tcase_add_checked_fixture(tcase, start, stop);
	tcase_add_test(tcase, rng_repeats_in_virtual_time);
	tcase_add_test(tcase, rng_is_the_hosts_in_real_time);
	tcase_add_test(tcase, rng_fills_no_more_than_it_says);
	add_blk(tcase);
	tcase_add_test(tcase, console_writes);
	tcase_add_test(tcase, console_reads);
	tcase_add_test(tcase, console_loses_nothing_of_much_input);
	add_net(tcase);
	suite_add_tcase(suite, tcase);
	return suite;
}
