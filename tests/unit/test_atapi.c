#include <errno.h>
#include <glib.h>
#include <string.h>

#include "devmodel/cd_sector.h"
#include "tests/unit/ide_rig.h"

#define READY 0x50
#define DRQ   0x58
#define CHECK 0x51

static struct ide_rig rig;
static uint8_t reply[65536 * 2];

/* Sends 12 bytes; the interrupt reason is checked on the way. */
static void send(const uint8_t *packet, unsigned features, unsigned limit)
{
	ide_rig_out(&rig, RIG_DEVICE, 0xb0);
	ide_rig_out(&rig, RIG_ERROR, features);
	ide_rig_out(&rig, RIG_MID, limit & 0xff);
	ide_rig_out(&rig, RIG_HIGH, limit >> 8);
	ide_rig_out(&rig, RIG_COMMAND, 0xa0);
	ck_assert_uint_eq(ide_rig_in(&rig, RIG_CONTROL), DRQ);
	ck_assert_uint_eq(ide_rig_in(&rig, RIG_COUNT), 1);
	ide_rig_no_irq(&rig);
	ide_rig_write_words(&rig, packet, 6);
}

/* Collects DRQ blocks until the status phase; returns the bytes told by the byte
 * count, *blocks how many blocks they came in. Status in *status. */
static unsigned collect(uint8_t *status, unsigned *blocks)
{
	unsigned total = 0;
	memset(reply, 0xee, sizeof reply);
	for (*blocks = 0;; ++*blocks) {
		*status = ide_rig_irq(&rig);
		if (!(*status & 8))
			break;
		ck_assert_uint_eq(ide_rig_in(&rig, RIG_COUNT), 2);
		unsigned size = ide_rig_in(&rig, RIG_MID) | ide_rig_in(&rig, RIG_HIGH) << 8;
		ide_rig_read_words(&rig, reply + total, (size + 1) / 2);
		total += size;
	}
	ck_assert_uint_eq(ide_rig_in(&rig, RIG_COUNT), 3);
	return total;
}

static unsigned limited(const uint8_t *packet, unsigned limit, unsigned *blocks)
{
	uint8_t status;
	send(packet, 0, limit);
	unsigned size = collect(&status, blocks);
	ck_assert_uint_eq(status, READY);
	return size;
}

#define PACKET(...) ((const uint8_t[12]){ __VA_ARGS__ })

static unsigned run(const uint8_t *packet)
{
	unsigned blocks;
	return limited(packet, 0xfffe, &blocks);
}

static void fails(const uint8_t *packet, unsigned key, unsigned asc, unsigned ascq)
{
	uint8_t status;
	unsigned blocks;
	send(packet, 0, 0xfffe);
	ck_assert_uint_eq(collect(&status, &blocks), 0);
	ck_assert_uint_eq(status, CHECK);
	ck_assert_uint_eq(ide_rig_in(&rig, RIG_ERROR), key << 4);
	ck_assert_uint_eq(run(PACKET(0x03, [4] = 18)), 18);
	ck_assert_uint_eq(reply[0], 0x70);
	ck_assert_uint_eq(reply[2], key);
	ck_assert_uint_eq(reply[12], asc);
	ck_assert_uint_eq(reply[13], ascq);
}

static void expect_blocks(unsigned first, unsigned count)
{
	for (unsigned i = 0; i < count * 2048; i++)
		ck_assert_uint_eq(reply[i], ide_rig_byte(first * 4 + i / 512, i % 512));
}

static void setup(void)
{
	ide_rig_open(&rig);
	fails(PACKET(0), 6, 0x29, 0); /* the unit attention of power-on */
	ck_assert_uint_eq(run(PACKET(0)), 0);
}

static void teardown(void)
{
	ide_rig_close(&rig);
}

static unsigned be16(unsigned at)
{
	return (unsigned)(reply[at] << 8 | reply[at + 1]);
}

static uint32_t be32(unsigned at)
{
	return be16(at) << 16 | be16(at + 2);
}

START_TEST(identify_packet_device)
{
	uint16_t words[256];
	ide_rig_out(&rig, RIG_DEVICE, 0xb0);
	ide_rig_out(&rig, RIG_COMMAND, 0xa1);
	ck_assert_uint_eq(ide_rig_irq(&rig), DRQ);
	ide_rig_read_words(&rig, words, 256);
	ck_assert_uint_eq(words[0], 0x85c0);
	ck_assert_uint_eq(words[49] & 0x300, 0x300);
	ck_assert_mem_eq(&words[27], "2V EDCR-MO", 10);
	ck_assert_uint_eq(ide_rig_in(&rig, RIG_COMMAND), READY);
}
END_TEST

START_TEST(disk_commands_show_the_signature)
{
	static const uint8_t commands[] = { 0xec, 0x20 };
	for (unsigned i = 0; i < 2; i++) {
		ide_rig_out(&rig, RIG_DEVICE, 0xb0);
		ide_rig_out(&rig, RIG_MID, 0);
		ide_rig_out(&rig, RIG_HIGH, 0);
		ide_rig_out(&rig, RIG_COMMAND, commands[i]);
		ck_assert_uint_eq(ide_rig_irq(&rig), CHECK);
		ck_assert_uint_eq(ide_rig_in(&rig, RIG_ERROR), 4);
		ck_assert_uint_eq(ide_rig_in(&rig, RIG_MID), 0x14);
		ck_assert_uint_eq(ide_rig_in(&rig, RIG_HIGH), 0xeb);
	}
	ide_rig_out(&rig, RIG_COMMAND, 0x30);
	ck_assert_uint_eq(ide_rig_irq(&rig), CHECK);
}
END_TEST

START_TEST(device_reset)
{
	send(PACKET(0x28, [8] = 4), 0, 2048);
	ide_rig_out(&rig, RIG_COMMAND, 0x08);
	ide_rig_no_irq(&rig);
	ck_assert_uint_eq(ide_rig_in(&rig, RIG_COMMAND), 0);
	ck_assert_uint_eq(ide_rig_in(&rig, RIG_ERROR), 1);
	ck_assert_uint_eq(ide_rig_in(&rig, RIG_COUNT), 1);
	ck_assert_uint_eq(ide_rig_in(&rig, RIG_MID), 0x14);
	ck_assert_uint_eq(ide_rig_in(&rig, RIG_HIGH), 0xeb);
	ck_assert_uint_eq(ide_rig_in(&rig, RIG_DEVICE) & 0x10, 0x10);
}
END_TEST

static void ata(unsigned command, unsigned features, unsigned count, unsigned status)
{
	ide_rig_out(&rig, RIG_DEVICE, 0xb0);
	ide_rig_out(&rig, RIG_ERROR, features);
	ide_rig_out(&rig, RIG_COUNT, count);
	ide_rig_out(&rig, RIG_COMMAND, command);
	ck_assert_uint_eq(ide_rig_irq(&rig), status);
}

START_TEST(other_ata_commands)
{
	ata(0xef, 0x03, 0x42, READY);
	ata(0xef, 0x03, 0x7f, CHECK);
	ata(0xef, 0x66, 0, READY);
	ata(0xef, 0x02, 0, CHECK);
	ata(0xe5, 0, 0, READY);
	ck_assert_uint_eq(ide_rig_in(&rig, RIG_COUNT), 0xff);
	ata(0xe0, 0, 0, READY);
	ata(0xe1, 0, 0, READY);
	ata(0xe7, 0, 0, READY);
	ata(0x00, 0, 0, CHECK);
	ata(0xa0, 0x02, 0, CHECK); /* overlapped */
	ck_assert_uint_eq(ide_rig_in(&rig, RIG_ERROR), 4);
}
END_TEST

START_TEST(inquiry)
{
	ck_assert_uint_eq(run(PACKET(0x12, [4] = 36)), 36);
	ck_assert_uint_eq(reply[0], 5);
	ck_assert_uint_eq(reply[1], 0x80);
	ck_assert_mem_eq(reply + 8, "V2E     CD-ROM          ", 24);
	ck_assert_uint_eq(run(PACKET(0x12, [4] = 5)), 5);
	ck_assert_uint_eq(run(PACKET(0x12, [4] = 0)), 0);
	fails(PACKET(0x12, 1, 0x83, [4] = 36), 5, 0x24, 0);
}
END_TEST

START_TEST(unknown_packet)
{
	fails(PACKET(0x2a, [8] = 1), 5, 0x20, 0);
	ck_assert_uint_eq(run(PACKET(0x03, [4] = 18)), 18); /* sense is told once */
	ck_assert_uint_eq(reply[2], 0);
	ck_assert_uint_eq(reply[12], 0);
}
END_TEST

START_TEST(read_10)
{
	unsigned blocks;
	ck_assert_uint_eq(limited(PACKET(0x28, [5] = 7, [8] = 5), 2048, &blocks), 5 * 2048);
	ck_assert_uint_eq(blocks, 5);
	expect_blocks(7, 5);
	ck_assert_uint_eq(run(PACKET(0x28, [5] = 7, [8] = 0)), 0);
}
END_TEST

START_TEST(read_12)
{
	unsigned blocks;
	ck_assert_uint_eq(limited(PACKET(0xa8, [4] = 1, [5] = 0, [9] = 50), 0xffff, &blocks), 50 * 2048);
	ck_assert_uint_eq(blocks, 3); /* 31 + 1 (a buffer of 32), 18 */
	expect_blocks(256, 50);
	fails(PACKET(0xa8, [6] = 0xff, 0xff, 0xff, 0xff), 5, 0x21, 0);
	fails(PACKET(0xa8, 0, 0xff, 0xff, 0xff, 0xff, [9] = 2), 5, 0x21, 0);
}
END_TEST

START_TEST(byte_count_limits)
{
	uint8_t status;
	unsigned blocks;
	ck_assert_uint_eq(limited(PACKET(0x28, [8] = 1), 512, &blocks), 2048);
	ck_assert_uint_eq(blocks, 4);
	ck_assert_uint_eq(limited(PACKET(0x28, [8] = 1), 513, &blocks), 2048); /* odd: one less */
	ck_assert_uint_eq(blocks, 4);
	expect_blocks(0, 1);
	ck_assert_uint_eq(limited(PACKET(0x28, [8] = 3), 5000, &blocks), 3 * 2048); /* whole blocks */
	ck_assert_uint_eq(blocks, 2);
	ck_assert_uint_eq(limited(PACKET(0x12, [4] = 35), 10, &blocks), 35); /* 10, 10, 10, 5 */
	ck_assert_uint_eq(blocks, 4);
	ck_assert_uint_eq(reply[4], 31);
	ck_assert_uint_eq(limited(PACKET(0x28, [8] = 1), 2, &blocks), 2048);
	ck_assert_uint_eq(blocks, 1024);
	for (unsigned limit = 0; limit < 2; limit++) {
		send(PACKET(0x28, [8] = 1), 0, limit);
		ck_assert_uint_eq(collect(&status, &blocks), 0);
		ck_assert_uint_eq(status, CHECK);
		ck_assert_uint_eq(ide_rig_in(&rig, RIG_ERROR), 4);
	}
	ck_assert_uint_eq(limited(PACKET(0), 0, &blocks), 0); /* no data: no limit needed */
}
END_TEST

START_TEST(end_of_the_disc)
{
	ck_assert_uint_eq(run(PACKET(0x28, [4] = 399 >> 8, 399 & 0xff, [8] = 1)), 2048);
	expect_blocks(399, 1);
	fails(PACKET(0x28, [4] = 399 >> 8, 399 & 0xff, [8] = 2), 5, 0x21, 0);
	ck_assert_uint_eq(run(PACKET(0x25)), 8);
	ck_assert_uint_eq(be32(0), 399);
	ck_assert_uint_eq(be32(4), 2048);
	ck_assert_uint_eq(run(PACKET(0x2b, [5] = 1)), 0);
	fails(PACKET(0x2b, [4] = 400 >> 8, 400 & 0xff), 5, 0x21, 0);
}
END_TEST

START_TEST(image_with_a_broken_block)
{
	struct blk *disc = blk_memory_new(5 * 512, true);
	memset(blk_memory_data(disc), 0x33, 5 * 512);
	ide_change_cdrom(rig.ide, 0, 1, disc, false);
	fails(PACKET(0), 6, 0x28, 0);
	ck_assert_uint_eq(run(PACKET(0x25)), 8);
	ck_assert_uint_eq(be32(0), 1);
	ck_assert_uint_eq(run(PACKET(0x28, [8] = 2)), 4096);
	ck_assert_uint_eq(reply[2048 + 511], 0x33);
	ck_assert_uint_eq(reply[2048 + 512], 0);
	ck_assert_uint_eq(reply[4095], 0);
}
END_TEST

START_TEST(host_error)
{
	blk_memory_fail(rig.disc, 40, 40, -EIO);
	fails(PACKET(0x28, [5] = 10, [8] = 1), 3, 0x11, 0);
	fails(PACKET(0xbe, [5] = 10, [8] = 1, [9] = 0xf8), 3, 0x11, 0);
	ck_assert_uint_eq(run(PACKET(0x28, [5] = 11, [8] = 1)), 2048);
	blk_memory_fail(rig.disc, 0, 0, 0);
}
END_TEST

/* Parity check of ECMA-130, annex A: both syndromes of each code word vanish. */
static uint8_t times_alpha(unsigned value)
{
	return (uint8_t)(value << 1 ^ (value & 0x80 ? 0x1d : 0));
}

static void expect_code_word(const uint8_t *bytes, unsigned size)
{
	uint8_t sum = 0, weighted = 0;
	for (unsigned i = 0; i < size; i++) {
		sum ^= bytes[i];
		weighted = times_alpha(weighted) ^ bytes[i];
	}
	ck_assert_uint_eq(sum, 0);
	ck_assert_uint_eq(weighted, 0);
}

static void expect_parities(const uint8_t *sector)
{
	uint8_t word[45];
	for (unsigned column = 0; column < 86; column++) {
		for (unsigned row = 0; row < 26; row++)
			word[row] = sector[12 + row * 86 + column];
		expect_code_word(word, 26);
	}
	for (unsigned diagonal = 0; diagonal < 52; diagonal++) {
		for (unsigned i = 0; i < 43; i++)
			word[i] = sector[12 + (diagonal / 2 * 86 + diagonal % 2 + i * 88) % 2236];
		word[43] = sector[2248 + diagonal];
		word[44] = sector[2300 + diagonal];
		expect_code_word(word, 45);
	}
}

START_TEST(read_cd)
{
	ck_assert_uint_eq(run(PACKET(0xbe, [5] = 9, [8] = 2, [9] = 0x10)), 4096);
	expect_blocks(9, 2);
	ck_assert_uint_eq(run(PACKET(0xbe, 0x08, [5] = 9, [8] = 30, [9] = 0xf8)), 30 * 2352);
	for (unsigned i = 0; i < 30; i++) {
		const uint8_t *sector = reply + i * 2352;
		const uint8_t header[16] = { 0, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 0,
			0x00, 0x02, (uint8_t)((i + 9) / 10 << 4 | (i + 9) % 10), 1 };
		ck_assert_mem_eq(sector, header, 16);
		ck_assert_uint_eq(sector[16], ide_rig_byte((9 + i) * 4, 0));
		expect_parities(sector);
	}
	ck_assert_uint_eq(run(PACKET(0xbe, [5] = 9, [8] = 1, [9] = 0x20)), 4);
	ck_assert_uint_eq(run(PACKET(0xbe, [5] = 9, [8] = 1, [9] = 0x90)), 2060);
	ck_assert_uint_eq(run(PACKET(0xbe, [5] = 9, [8] = 1, [9] = 0x00)), 0);
	fails(PACKET(0xbe, 0x04, [8] = 1, [9] = 0x10), 5, 0x64, 0); /* audio */
	fails(PACKET(0xbe, [8] = 1, [9] = 0x12), 5, 0x24, 0);       /* C2 */
	fails(PACKET(0xbe, [8] = 1, [9] = 0x10, [10] = 1), 5, 0x24, 0);
	fails(PACKET(0xbe, [4] = 2, [8] = 1, [9] = 0x10), 5, 0x21, 0);
}
END_TEST

/* ECMA-130, 14.3: the code word, lowest bit of each byte first, is divisible by
 * (x^16 + x^15 + x^2 + 1)(x^16 + x^2 + x + 1). */
START_TEST(error_detection_code)
{
	uint8_t sector[CD_SECTOR_SIZE];
	for (unsigned i = 0; i < 2352; i++)
		sector[i] = (uint8_t)(i * 31);
	cd_sector_complete(sector, 123456);
	/* Bit by bit, lowest first: EDC included, the remainder is 0. */
	uint64_t polynomial = 0, rest = 0;
	for (unsigned a = 0; a < 17; a++)
		for (unsigned b = 0; b < 17; b++)
			if ((0x18005u >> a & 1) && (0x10007u >> b & 1))
				polynomial ^= 1ull << (a + b);
	for (unsigned i = 0; i < 2068 * 8; i++) {
		rest = rest << 1 | (sector[i / 8] >> i % 8 & 1);
		if (rest >> 32 & 1)
			rest ^= polynomial;
	}
	ck_assert_uint_eq(rest, 0);
}
END_TEST

START_TEST(read_cd_msf)
{
	ck_assert_uint_eq(run(PACKET(0xb9, [3] = 0, 2, 9, 0, 2, 11, [9] = 0x10)), 4096);
	expect_blocks(9, 2);
	fails(PACKET(0xb9, [3] = 0, 1, 74, 0, 2, 11, [9] = 0x10), 5, 0x24, 0);
	fails(PACKET(0xb9, [3] = 0, 2, 9, 0, 2, 8, [9] = 0x10), 5, 0x24, 0);
	fails(PACKET(0xb9, [3] = 0, 60, 9, 0, 2, 8, [9] = 0x10), 5, 0x24, 0);
}
END_TEST

START_TEST(read_toc)
{
	static const uint8_t lba[] = { 0, 18, 1, 1, 0, 0x14, 1, 0, 0, 0, 0, 0, 0, 0x14, 0xaa, 0, 0, 0, 1, 0x90 };
	static const uint8_t msf[] = { 0, 10, 1, 1, 0, 0x14, 0xaa, 0, 0, 0, 7, 25 };
	ck_assert_uint_eq(run(PACKET(0x43, [8] = 255)), 20);
	ck_assert_mem_eq(reply, lba, 20);
	ck_assert_uint_eq(run(PACKET(0x43, 2, [6] = 0xaa, [8] = 255)), 12);
	ck_assert_mem_eq(reply, msf, 12);
	ck_assert_uint_eq(run(PACKET(0x43, [8] = 4)), 4);
	fails(PACKET(0x43, [6] = 2, [8] = 255), 5, 0x24, 0);
	ck_assert_uint_eq(run(PACKET(0x43, [2] = 1, [8] = 255)), 12); /* sessions */
	ck_assert_uint_eq(be16(0), 10);
	ck_assert_uint_eq(reply[6], 1);
	ck_assert_uint_eq(run(PACKET(0x43, [8] = 255, [9] = 0x40)), 12); /* as INF-8020i has it */
	ck_assert_uint_eq(run(PACKET(0x43, [2] = 2, [8] = 255)), 48);
	ck_assert_uint_eq(reply[7], 0xa0);
	ck_assert_uint_eq(reply[4 + 22 + 3], 0xa2);
	ck_assert_uint_eq(reply[4 + 22 + 9], 7);
	ck_assert_uint_eq(reply[4 + 22 + 10], 25);
	ck_assert_uint_eq(reply[4 + 33 + 3], 1);
	ck_assert_uint_eq(reply[4 + 33 + 9], 2);
	fails(PACKET(0x43, [2] = 5, [8] = 255), 5, 0x24, 0);
}
END_TEST

START_TEST(mode_sense)
{
	ck_assert_uint_eq(run(PACKET(0x5a, [2] = 0x2a, [8] = 255)), 8 + 22);
	ck_assert_uint_eq(be16(0), 28);
	ck_assert_uint_eq(reply[2], 1);
	ck_assert_uint_eq(reply[8], 0x2a);
	ck_assert_uint_eq(reply[9], 20);
	ck_assert_uint_eq(reply[14] & 2, 0);
	run(PACKET(0x1e, [4] = 1));
	ck_assert_uint_eq(run(PACKET(0x1a, [2] = 0x2a, [4] = 255)), 4 + 22);
	ck_assert_uint_eq(reply[0], 25);
	ck_assert_uint_eq(reply[10] & 2, 2); /* locked */
	ck_assert_uint_eq(run(PACKET(0x5a, [2] = 0x3f, [8] = 255)), 8 + 8 + 8 + 16 + 22);
	ck_assert_uint_eq(run(PACKET(0x5a, [2] = 0x41, [8] = 255)), 16); /* nothing can be changed */
	ck_assert_uint_eq(reply[8], 1);
	ck_assert_uint_eq(reply[11], 0);
	fails(PACKET(0x5a, [2] = 0xc1, [8] = 255), 5, 0x39, 0);
	fails(PACKET(0x5a, [2] = 0x08, [8] = 255), 5, 0x24, 0);
}
END_TEST

START_TEST(get_configuration)
{
	unsigned size = run(PACKET(0x46, [7] = 1));
	ck_assert_uint_eq(be32(0), size - 4);
	ck_assert_uint_eq(be16(6), 8);
	unsigned features = 0;
	for (unsigned at = 8; at < size; at += 4u + reply[at + 3])
		features++;
	ck_assert_uint_eq(features, 6);
	ck_assert_uint_eq(run(PACKET(0x46, 1, [7] = 1)), 8 + 12 + 12 + 8 + 12 + 8); /* without DVD */
	ck_assert_uint_eq(run(PACKET(0x46, 2, 0, 0x1e, [7] = 1)), 16);
	ck_assert_uint_eq(be16(8), 0x1e);
	ck_assert_uint_eq(reply[10] & 1, 1);
	ck_assert_uint_eq(run(PACKET(0x46, 0, 0, 0x1f, [7] = 1)), 12);
	ck_assert_uint_eq(run(PACKET(0x46, 2, 0x77, 0x77, [7] = 1)), 8);
	fails(PACKET(0x46, 3, [7] = 1), 5, 0x24, 0);
}
END_TEST

START_TEST(disc_information)
{
	ck_assert_uint_eq(run(PACKET(0x51, [8] = 255)), 34);
	ck_assert_uint_eq(be16(0), 32);
	ck_assert_uint_eq(reply[2], 0x0e);
	ck_assert_uint_eq(reply[3], 1);
	ck_assert_uint_eq(run(PACKET(0xbb)), 0); /* SET CD SPEED */
	ck_assert_uint_eq(run(PACKET(0xbd, [9] = 8)), 8); /* MECHANISM STATUS */
	ck_assert_uint_eq(reply[1], 0);
	ck_assert_uint_eq(run(PACKET(0x42, 2, 0x40, 1, [8] = 255)), 16); /* READ SUB-CHANNEL */
	ck_assert_uint_eq(reply[1], 0x15);
	ck_assert_uint_eq(be16(2), 12);
	ck_assert_uint_eq(reply[10], 2);
	ck_assert_uint_eq(run(PACKET(0x42, 2, 0x40, 2, [8] = 255)), 24);
	ck_assert_uint_eq(run(PACKET(0x42, 2, 0, 1, [8] = 255)), 4);
	fails(PACKET(0x42, 2, 0x40, 4, [8] = 255), 5, 0x24, 0);
}
END_TEST

START_TEST(tray)
{
	run(PACKET(0x1e, [4] = 1));
	fails(PACKET(0x1b, [4] = 2), 5, 0x53, 2);
	struct blk *other = blk_memory_new(2048, true);
	ck_assert_int_eq(ide_change_cdrom(rig.ide, 0, 1, other, false), -EBUSY);
	ck_assert_int_eq(ide_change_cdrom(rig.ide, 0, 0, other, true), -ENODEV);
	blk_free(other);
	run(PACKET(0x1e));
	ck_assert_uint_eq(run(PACKET(0x1b, [4] = 2)), 0); /* eject */
	fails(PACKET(0), 2, 0x3a, 2);
	fails(PACKET(0x28, [8] = 1), 2, 0x3a, 2);
	run(PACKET(0xbd, [9] = 8));
	ck_assert_uint_eq(reply[1], 0x10);
	ck_assert_uint_eq(run(PACKET(0x4a, 1, [4] = 0x10, [8] = 8)), 8);
	ck_assert_uint_eq(reply[4], 3);
	ck_assert_uint_eq(reply[5], 1);
	ck_assert_uint_eq(run(PACKET(0x1b, [4] = 3)), 0); /* load */
	fails(PACKET(0), 6, 0x28, 0);
	ck_assert_uint_eq(run(PACKET(0x28, [8] = 1)), 2048);
	ck_assert_uint_eq(run(PACKET(0x1b, [4] = 0)), 0); /* stop, start */
	ck_assert_uint_eq(run(PACKET(0x1b, [4] = 1)), 0);
}
END_TEST

START_TEST(events)
{
	fails(PACKET(0x4a, 0, [4] = 0x10, [8] = 8), 5, 0x24, 0); /* not polled */
	ck_assert_uint_eq(run(PACKET(0x4a, 1, [4] = 0x02, [8] = 8)), 4);
	ck_assert_uint_eq(reply[2], 0x80);
	ck_assert_int_eq(ide_change_cdrom(rig.ide, 0, 1, NULL, false), 0);
	ck_assert_uint_eq(run(PACKET(0x4a, 1, [4] = 0x10, [8] = 8)), 8);
	ck_assert_uint_eq(be16(0), 6);
	ck_assert_uint_eq(reply[2], 4);
	ck_assert_uint_eq(reply[4], 3);
	ck_assert_uint_eq(reply[5], 0);
	fails(PACKET(0), 2, 0x3a, 1);
	ck_assert_uint_eq(run(PACKET(0x46, [7] = 1)) > 8, 1);
	ck_assert_uint_eq(be16(6), 0); /* no current profile */
	ck_assert_int_eq(ide_change_cdrom(rig.ide, 0, 1, blk_memory_new(2048, true), false), 0);
	ck_assert_uint_eq(run(PACKET(0x12, [4] = 36)), 36); /* INQUIRY leaves the attention */
	ck_assert_uint_eq(run(PACKET(0x4a, 1, [4] = 0x10, [8] = 8)), 8);
	ck_assert_uint_eq(reply[4], 2);
	ck_assert_uint_eq(reply[5], 2);
	run(PACKET(0x4a, 1, [4] = 0x10, [8] = 8));
	ck_assert_uint_eq(reply[4], 0); /* told once */
	fails(PACKET(0), 6, 0x28, 0);
}
END_TEST

START_TEST(disc_changed_under_a_read)
{
	send(PACKET(0x28, [8] = 100), 0, 2048);
	for (unsigned i = 0; i < 10; i++) {
		ck_assert_uint_eq(ide_rig_irq(&rig), DRQ);
		ide_rig_read_words(&rig, reply, 1024);
	}
	ide_change_cdrom(rig.ide, 0, 1, blk_memory_new(2048, true), true);
	uint8_t status;
	unsigned blocks;
	ide_rig_wait(&rig);
	collect(&status, &blocks);
	ck_assert_uint_eq(status, CHECK);
	ck_assert_uint_eq(ide_rig_in(&rig, RIG_ERROR), 0x20);
}
END_TEST

START_TEST(state_in_mid_transfer)
{
	uint8_t status;
	unsigned blocks;
	send(PACKET(0x28, [5] = 3, [8] = 40), 0, 4096);
	ck_assert_uint_eq(ide_rig_irq(&rig), DRQ);
	ide_rig_read_words(&rig, reply, 2048);
	ide_rig_move(&rig);
	ck_assert_uint_eq(collect(&status, &blocks), 38 * 2048);
	ck_assert_uint_eq(status, READY);
	expect_blocks(5, 38);
	send(PACKET(0x12, [4] = 5), 0, 4); /* an odd end */
	ide_rig_move(&rig);
	ck_assert_uint_eq(collect(&status, &blocks), 5);
}
END_TEST

Suite *suite_atapi(void)
{
	const TTest *const tests[] = {
		identify_packet_device, disk_commands_show_the_signature, device_reset, other_ata_commands, inquiry,
		unknown_packet, read_10, read_12, byte_count_limits, end_of_the_disc, image_with_a_broken_block,
		host_error, read_cd, error_detection_code, read_cd_msf, read_toc, mode_sense, get_configuration,
		disc_information, tray, events, disc_changed_under_a_read, state_in_mid_transfer,
	};
	Suite *suite = suite_create("atapi");
	TCase *tcase = tcase_create("atapi");
	tcase_add_checked_fixture(tcase, setup, teardown);
	for (unsigned i = 0; i < G_N_ELEMENTS(tests); i++)
		tcase_add_test(tcase, tests[i]);
	suite_add_tcase(suite, tcase);
	return suite;
}
