/* The packet commands of a CD-ROM (MMC-3, INF-8020i). A disc has one session with
 * one data track. */
#include "devmodel/ide_private.h"

#include <glib.h>
#include <string.h>

#include "devmodel/cd_sector.h"
#include "shared/log.h"

#define NO_SENSE        0x00
#define NOT_READY       0x02
#define ILLEGAL_REQUEST 0x05
#define UNIT_ATTENTION  0x06

#define INVALID_FIELD 0x24

#define DATA_TRACK    0x14 /* ADR 1: position; control 4: data track */
#define LEAD_OUT      0xaa
#define CD_MAX_BLOCKS (90u * 60 * 75) /* what is bigger must be a DVD */

#define PART_USER_DATA 0x10

enum flag {
	NEEDS_DISC = 1,
	ANY_TIME = 2, /* a unit attention waits, does not stop it (SAM-2, 5.9.5) */
};

struct mmc_command {
	void (*run)(struct ide_drive *drive, const uint8_t *packet);
	unsigned flags;
};

static uint32_t get16(const uint8_t *bytes)
{
	return (uint32_t)bytes[0] << 8 | bytes[1];
}

static uint32_t get32(const uint8_t *bytes)
{
	return get16(bytes) << 16 | get16(bytes + 2);
}

static void put16(uint8_t *bytes, uint32_t value)
{
	bytes[0] = (uint8_t)(value >> 8);
	bytes[1] = (uint8_t)value;
}

static void put32(uint8_t *bytes, uint32_t value)
{
	put16(bytes, value >> 16);
	put16(bytes + 2, value);
}

static void put_address(uint8_t *bytes, uint32_t lba, bool as_msf)
{
	bytes[0] = 0;
	if (as_msf)
		cd_sector_msf(lba, bytes + 1);
	else
		put32(bytes, lba);
}

static uint8_t *blank_reply(struct ide_drive *drive, size_t size)
{
	return memset(drive->buffer, 0, size);
}

static void refuse_field(struct ide_drive *drive)
{
	ide_cd_fail(drive, ILLEGAL_REQUEST, INVALID_FIELD, 0);
}

static void not_ready(struct ide_drive *drive)
{
	ide_cd_fail(drive, NOT_READY, 0x3a, drive->cd.tray_open ? 2 : 1);
}

/* --- what and how --- */

static void test_unit_ready(struct ide_drive *drive, const uint8_t *packet)
{
	(void)packet;
	ide_cd_finish(drive);
}

static void request_sense(struct ide_drive *drive, const uint8_t *packet)
{
	struct ide_cd *cd = &drive->cd;
	uint8_t *reply = blank_reply(drive, 18);

	if (cd->sense_key == NO_SENSE && cd->attention) {
		cd->sense_key = UNIT_ATTENTION;
		cd->asc = cd->attention;
		cd->ascq = 0;
		cd->attention = 0;
	}
	reply[0] = 0x70; /* current error, fixed format */
	reply[2] = cd->sense_key;
	reply[7] = 10;
	reply[12] = cd->asc;
	reply[13] = cd->ascq;
	cd->sense_key = cd->asc = cd->ascq = 0;
	ide_cd_reply(drive, 18, packet[4]);
}

static void inquiry(struct ide_drive *drive, const uint8_t *packet)
{
	uint8_t *reply = blank_reply(drive, 36);

	if (packet[1] & 1 || packet[2]) { /* no vital product data */
		refuse_field(drive);
		return;
	}
	reply[0] = 0x05; /* CD-ROM */
	reply[1] = 0x80; /* removable */
	reply[3] = 0x21; /* ATAPI version 2, response format 1 */
	reply[4] = 31;
	memcpy(reply + 8, "V2E     CD-ROM          1.0 ", 28);
	ide_cd_reply(drive, 36, (uint32_t)get16(packet + 3));
}

static void start_stop(struct ide_drive *drive, const uint8_t *packet)
{
	struct ide_cd *cd = &drive->cd;
	bool load_eject = packet[4] & 2, start = packet[4] & 1;

	if (load_eject && !start && cd->locked) {
		ide_cd_fail(drive, ILLEGAL_REQUEST, 0x53, 2); /* removal prevented */
		return;
	}
	if (load_eject && !start && !cd->tray_open) {
		cd->event = drive->blk ? 3 : 0;
		cd->tray_open = true;
	} else if (load_eject && start && cd->tray_open) {
		ide_atapi_changed(drive);
	}
	ide_cd_finish(drive);
}

static void prevent_allow(struct ide_drive *drive, const uint8_t *packet)
{
	drive->cd.locked = packet[4] & 1;
	ide_cd_finish(drive);
}

static void set_speed(struct ide_drive *drive, const uint8_t *packet)
{
	(void)packet;
	ide_cd_finish(drive);
}

static void mechanism_status(struct ide_drive *drive, const uint8_t *packet)
{
	uint8_t *reply = blank_reply(drive, 8);

	reply[1] = drive->cd.tray_open ? 0x10 : 0;
	ide_cd_reply(drive, 8, get16(packet + 8));
}

static void event_status(struct ide_drive *drive, const uint8_t *packet)
{
	struct ide_cd *cd = &drive->cd;
	uint8_t *reply = blank_reply(drive, 8);

	if (!(packet[1] & 1)) { /* only polled, we have no queue */
		refuse_field(drive);
		return;
	}
	reply[3] = 0x10; /* classes: media */
	if (!(packet[4] & 0x10)) {
		put16(reply, 2);
		reply[2] = 0x80; /* none of those asked for */
		ide_cd_reply(drive, 4, get16(packet + 7));
		return;
	}
	put16(reply, 6);
	reply[2] = 4; /* media */
	reply[4] = cd->event;
	reply[5] = (uint8_t)((cd->tray_open ? 1 : 0) | (ide_cd_has_disc(drive) ? 2 : 0));
	if (get16(packet + 7) > 4)
		cd->event = 0;
	ide_cd_reply(drive, 8, get16(packet + 7));
}

/* --- mode pages --- */

static const uint8_t page_error_recovery[] = { 0x01, 6, 0x00, 0x05, 0, 0, 0, 0 };
static const uint8_t page_cd_parameters[] = { 0x0d, 6, 0, 0x0d, 0, 60, 0, 75 };
static const uint8_t page_audio_control[] = { 0x0e, 14, 4, 0, 0, 0, 0, 75, 1, 255, 2, 255, 0, 0, 0, 0 };
/* Mode 2 form 1 and 2, lock, eject, tray; 5,645 kB/s (32x). */
static const uint8_t page_capabilities[] = {
	0x2a, 20, 0x03, 0x00, 0x70, 0x60, 0x29, 0x00, 0x16, 0x0d, 0x00, 0x00, 0x02, 0x00, 0x16, 0x0d, 0, 0, 0, 0, 0, 0,
};

static const struct {
	const uint8_t *bytes;
	size_t size;
} mode_pages[] = {
	{ page_error_recovery, sizeof page_error_recovery },
	{ page_cd_parameters, sizeof page_cd_parameters },
	{ page_audio_control, sizeof page_audio_control },
	{ page_capabilities, sizeof page_capabilities },
};

/* Puts the wanted page, or all of them; returns its size. Nothing can be changed,
 * so the mask of what can is zeros. */
static uint32_t put_pages(const struct ide_drive *drive, uint8_t *to, uint8_t page, bool changeable)
{
	uint32_t at = 0;

	for (unsigned i = 0; i < G_N_ELEMENTS(mode_pages); i++) {
		const uint8_t *bytes = mode_pages[i].bytes;
		if (page != 0x3f && page != bytes[0])
			continue;
		memcpy(to + at, bytes, mode_pages[i].size);
		if (changeable)
			memset(to + at + 2, 0, mode_pages[i].size - 2);
		else if (bytes[0] == 0x2a && drive->cd.locked)
			to[at + 6] |= 0x02;
		at += (uint32_t)mode_pages[i].size;
	}
	return at;
}

static uint8_t medium_type(const struct ide_drive *drive)
{
	if (drive->cd.tray_open)
		return 0x71;
	return drive->blk ? 0x01 : 0x70;
}

static void mode_sense(struct ide_drive *drive, const uint8_t *packet, uint32_t header, uint32_t room)
{
	uint8_t *reply = blank_reply(drive, 128);
	uint32_t control = packet[2] >> 6;

	if (control == 3) {
		ide_cd_fail(drive, ILLEGAL_REQUEST, 0x39, 0); /* nothing can be saved */
		return;
	}
	uint32_t size = put_pages(drive, reply + header, packet[2] & 0x3f, control == 1);
	if (!size) {
		refuse_field(drive);
		return;
	}
	size += header;
	if (header == 8) {
		put16(reply, size - 2);
		reply[2] = medium_type(drive);
	} else {
		reply[0] = (uint8_t)(size - 1);
		reply[1] = medium_type(drive);
	}
	ide_cd_reply(drive, size, room);
}

static void mode_sense_6(struct ide_drive *drive, const uint8_t *packet)
{
	mode_sense(drive, packet, 4, packet[4]);
}

static void mode_sense_10(struct ide_drive *drive, const uint8_t *packet)
{
	mode_sense(drive, packet, 8, get16(packet + 7));
}

/* --- configuration --- */

#define PROFILE_CD  0x0008u
#define PROFILE_DVD 0x0010u

static uint16_t current_profile(const struct ide_drive *drive)
{
	uint32_t blocks = ide_cd_blocks(drive);

	if (!blocks)
		return 0;
	return blocks > CD_MAX_BLOCKS ? PROFILE_DVD : PROFILE_CD;
}

/* Features 5.3 of MMC-3: number, version and flags (bit 1 persistent, bit 0
 * current), additional length, additional bytes. */
static uint32_t put_profile_list(const struct ide_drive *drive, uint8_t *to)
{
	uint16_t profile = current_profile(drive);
	static const uint8_t list[12] = { 0, 0, 0x03, 8, 0, PROFILE_DVD, 0, 0, 0, PROFILE_CD, 0, 0 };

	memcpy(to, list, sizeof list);
	to[6] = profile == PROFILE_DVD;
	to[10] = profile == PROFILE_CD;
	return sizeof list;
}

static const uint8_t feature_core[] = { 0, 1, 0x0b, 8, 0, 0, 0, 2, 1, 0, 0, 0 };
static const uint8_t feature_removable[] = { 0, 3, 0x03, 4, 0x29, 0, 0, 0 };
static const uint8_t feature_random[] = { 0, 0x10, 0x00, 8, 0, 0, 8, 0, 0, 1, 0, 0 };
static const uint8_t feature_cd_read[] = { 0, 0x1e, 0x08, 4, 0, 0, 0, 0 };
static const uint8_t feature_dvd_read[] = { 0, 0x1f, 0x00, 0 };

static const struct {
	const uint8_t *bytes;
	size_t size;
	bool with_cd, with_dvd; /* current with such a disc only */
} features[] = {
	{ feature_core, sizeof feature_core, false, false },
	{ feature_removable, sizeof feature_removable, false, false },
	{ feature_random, sizeof feature_random, true, true },
	{ feature_cd_read, sizeof feature_cd_read, true, false },
	{ feature_dvd_read, sizeof feature_dvd_read, false, true },
};

static bool is_asked_for(unsigned feature, bool current, unsigned type, unsigned start)
{
	switch (type) {
	case 0:
		return feature >= start;
	case 1:
		return feature >= start && current;
	default:
		return feature == start;
	}
}

static uint32_t put_features(const struct ide_drive *drive, uint8_t *to, unsigned type, unsigned start)
{
	uint16_t profile = current_profile(drive);
	uint32_t at = is_asked_for(0, true, type, start) ? put_profile_list(drive, to) : 0;

	for (unsigned i = 0; i < G_N_ELEMENTS(features); i++) {
		bool current = features[i].bytes[2] & 1 || (features[i].with_cd && profile == PROFILE_CD) ||
		               (features[i].with_dvd && profile == PROFILE_DVD);
		if (!is_asked_for((unsigned)get16(features[i].bytes), current, type, start))
			continue;
		memcpy(to + at, features[i].bytes, features[i].size);
		to[at + 2] |= current;
		at += (uint32_t)features[i].size;
	}
	return at;
}

static void get_configuration(struct ide_drive *drive, const uint8_t *packet)
{
	uint8_t *reply = blank_reply(drive, 128);
	unsigned type = packet[1] & 3;

	if (type == 3) {
		refuse_field(drive);
		return;
	}
	uint32_t size = 8 + put_features(drive, reply + 8, type, (unsigned)get16(packet + 2));
	put32(reply, size - 4);
	put16(reply + 6, current_profile(drive));
	ide_cd_reply(drive, size, get16(packet + 7));
}

/* --- the disc's contents --- */

static void read_capacity(struct ide_drive *drive, const uint8_t *packet)
{
	uint8_t *reply = blank_reply(drive, 8);

	(void)packet;
	put32(reply, ide_cd_blocks(drive) - 1);
	put32(reply + 4, IDE_CD_BLOCK);
	ide_cd_reply(drive, 8, 8);
}

static uint8_t *put_toc_entry(uint8_t *to, uint8_t track, uint32_t lba, bool as_msf)
{
	to[1] = DATA_TRACK;
	to[2] = track;
	put_address(to + 4, lba, as_msf);
	return to + 8;
}

/* Format 0: the tracks from `start` on, and the lead-out. */
static uint32_t put_toc(struct ide_drive *drive, uint8_t *reply, uint8_t start, bool as_msf)
{
	uint8_t *at = reply + 4;

	if (start > 1 && start != LEAD_OUT)
		return 0;
	if (start <= 1)
		at = put_toc_entry(at, 1, 0, as_msf);
	at = put_toc_entry(at, LEAD_OUT, ide_cd_blocks(drive), as_msf);
	return (uint32_t)(at - reply);
}

/* Format 2: the lead-in's Q channel, an entry each for first track, last track,
 * lead-out, track 1. */
static uint32_t put_full_toc(struct ide_drive *drive, uint8_t *reply)
{
	static const uint8_t points[] = { 0xa0, 0xa1, 0xa2, 0x01 };
	uint8_t *at = reply + 4;

	for (unsigned i = 0; i < sizeof points; i++, at += 11) {
		at[0] = 1; /* session */
		at[1] = DATA_TRACK;
		at[3] = points[i];
		if (points[i] == 0xa2)
			cd_sector_msf(ide_cd_blocks(drive), at + 8);
		else if (points[i] == 0x01)
			cd_sector_msf(0, at + 8);
		else
			at[8] = 1;
	}
	return (uint32_t)(at - reply);
}

static void read_toc(struct ide_drive *drive, const uint8_t *packet)
{
	uint8_t *reply = blank_reply(drive, 64);
	bool as_msf = packet[1] & 2;
	/* MMC has the format in byte 2, INF-8020i in the top of byte 9. */
	unsigned format = packet[2] & 0xf ? packet[2] & 0xf : packet[9] >> 6;
	uint32_t size = 0;

	if (format == 0)
		size = put_toc(drive, reply, packet[6], as_msf);
	else if (format == 1)
		size = (uint32_t)(put_toc_entry(reply + 4, 1, 0, as_msf) - reply);
	else if (format == 2)
		size = put_full_toc(drive, reply);
	if (!size) {
		refuse_field(drive);
		return;
	}
	put16(reply, size - 2);
	reply[2] = reply[3] = 1; /* first and last track or session */
	ide_cd_reply(drive, size, get16(packet + 7));
}

static void read_disc_information(struct ide_drive *drive, const uint8_t *packet)
{
	uint8_t *reply = blank_reply(drive, 34);

	put16(reply, 32);
	reply[2] = 0x0e; /* complete, and its last session is */
	reply[3] = 1;    /* first track */
	reply[4] = 1;    /* sessions */
	reply[5] = reply[6] = 1; /* first and last track of the last session */
	reply[7] = 0x20; /* for unrestricted use */
	ide_cd_reply(drive, 34, get16(packet + 7));
}

static void read_subchannel(struct ide_drive *drive, const uint8_t *packet)
{
	static const uint8_t size_of_format[] = { 0, 16, 24, 24 };
	uint8_t *reply = blank_reply(drive, 24);
	unsigned format = packet[3];
	bool wanted = packet[2] & 0x40;

	if (wanted && (!format || format > 3)) {
		refuse_field(drive);
		return;
	}
	uint32_t size = wanted ? size_of_format[format] : 4;
	reply[1] = 0x15; /* no audio status */
	put16(reply + 2, size - 4);
	if (wanted) {
		reply[4] = (uint8_t)format;
		if (format != 2) { /* 2: catalogue number, there is none */
			reply[5] = DATA_TRACK;
			reply[6] = 1;
		}
	}
	if (wanted && format == 1) {
		reply[7] = 1; /* index */
		put_address(reply + 8, 0, packet[1] & 2);
		put_address(reply + 12, 0, packet[1] & 2);
	}
	ide_cd_reply(drive, size, get16(packet + 7));
}

/* --- reading --- */

static void read_range(struct ide_drive *drive, uint32_t lba, uint32_t count, uint8_t wanted)
{
	uint32_t total = ide_cd_blocks(drive);

	if (lba > total || count > total - lba)
		ide_cd_fail(drive, ILLEGAL_REQUEST, 0x21, 0); /* address out of range */
	else
		ide_cd_read(drive, lba, count, wanted);
}

static void read_10(struct ide_drive *drive, const uint8_t *packet)
{
	read_range(drive, get32(packet + 2), get16(packet + 7), PART_USER_DATA);
}

static void read_12(struct ide_drive *drive, const uint8_t *packet)
{
	read_range(drive, get32(packet + 2), get32(packet + 6), PART_USER_DATA);
}

static void seek_10(struct ide_drive *drive, const uint8_t *packet)
{
	if (get32(packet + 2) >= ide_cd_blocks(drive))
		ide_cd_fail(drive, ILLEGAL_REQUEST, 0x21, 0);
	else
		ide_cd_finish(drive);
}

static void read_cd_range(struct ide_drive *drive, const uint8_t *packet, uint32_t lba, uint32_t count)
{
	unsigned type = packet[1] >> 2 & 7;

	if (type > 2 || type == 1) { /* all our sectors are mode 1 */
		ide_cd_fail(drive, ILLEGAL_REQUEST, 0x64, 0);
	} else if (packet[9] & 0x06 || packet[10] & 7) { /* C2 errors, subchannels */
		refuse_field(drive);
	} else {
		read_range(drive, lba, count, packet[9]);
	}
}

static void read_cd(struct ide_drive *drive, const uint8_t *packet)
{
	read_cd_range(drive, packet, get32(packet + 2), get32(packet + 5) & 0xffffff);
}

static bool get_msf(const uint8_t *msf, uint32_t *lba)
{
	uint32_t frames = (msf[0] * 60u + msf[1]) * 75u + msf[2];

	*lba = frames - 150;
	return msf[1] < 60 && msf[2] < 75 && frames >= 150;
}

static void read_cd_msf(struct ide_drive *drive, const uint8_t *packet)
{
	uint32_t first, end;

	if (!get_msf(packet + 3, &first) || !get_msf(packet + 6, &end) || end < first)
		refuse_field(drive);
	else
		read_cd_range(drive, packet, first, end - first);
}

/* --- dispatch --- */

static const struct mmc_command commands[256] = {
	[0x00] = { test_unit_ready, NEEDS_DISC },
	[0x03] = { request_sense, ANY_TIME },
	[0x12] = { inquiry, ANY_TIME },
	[0x1a] = { mode_sense_6, 0 },
	[0x1b] = { start_stop, 0 },
	[0x1e] = { prevent_allow, 0 },
	[0x25] = { read_capacity, NEEDS_DISC },
	[0x28] = { read_10, NEEDS_DISC },
	[0x2b] = { seek_10, NEEDS_DISC },
	[0x42] = { read_subchannel, NEEDS_DISC },
	[0x43] = { read_toc, NEEDS_DISC },
	[0x46] = { get_configuration, ANY_TIME },
	[0x4a] = { event_status, ANY_TIME },
	[0x51] = { read_disc_information, NEEDS_DISC },
	[0x5a] = { mode_sense_10, 0 },
	[0xa8] = { read_12, NEEDS_DISC },
	[0xb9] = { read_cd_msf, NEEDS_DISC },
	[0xbb] = { set_speed, 0 },
	[0xbd] = { mechanism_status, 0 },
	[0xbe] = { read_cd, NEEDS_DISC },
};

void ide_mmc_command(struct ide_drive *drive)
{
	uint8_t packet[IDE_PACKET_SIZE]; /* replies are built over the buffer */

	memcpy(packet, drive->buffer, sizeof packet);
	const struct mmc_command *command = &commands[packet[0]];
	if (packet[0] != 0x03) /* REQUEST SENSE tells of the command before */
		drive->cd.sense_key = drive->cd.asc = drive->cd.ascq = NO_SENSE;
	if (!command->run) {
		guest_error("ide", "unknown packet command %02x", packet[0]);
		ide_cd_fail(drive, ILLEGAL_REQUEST, 0x20, 0);
	} else if (drive->cd.attention && !(command->flags & ANY_TIME)) {
		uint8_t asc = drive->cd.attention;
		drive->cd.attention = 0;
		ide_cd_fail(drive, UNIT_ATTENTION, asc, 0);
	} else if (command->flags & NEEDS_DISC && !ide_cd_has_disc(drive)) {
		not_ready(drive);
	} else {
		command->run(drive, packet);
	}
}
