/* A secondary system description table with one device object a slot, as AML. Source:
 * ACPI 6.4, 5.2.6 (header), 6.4.3 (resources), 20.2 (AML). */
#include <glib.h>
#include <string.h>

#include "devmodel/pc_virtio.h"
#include "devmodel/virtio_mmio.h"

/* SeaBIOS hands on each file of this prefix as a table. */
#define FILE_NAME   "acpi/virtio"
#define HEADER_SIZE 36u
#define CHECKSUM_AT 9u
#define LENGTH_AT   4u

enum { AML_NAME = 0x08, AML_BYTE = 0x0a, AML_STRING = 0x0d, AML_SCOPE = 0x10, AML_BUFFER = 0x11, AML_EXTENDED = 0x5b, AML_DEVICE = 0x82 };

static void put(GByteArray *to, const void *bytes, size_t size)
{
	g_byte_array_append(to, bytes, (guint)size);
}

static void put8(GByteArray *to, unsigned value)
{
	put(to, &(uint8_t){ (uint8_t)value }, 1);
}

static void put32(GByteArray *to, uint32_t value)
{
	value = GUINT32_TO_LE(value);
	put(to, &value, sizeof value);
}

/* PkgLength, in the form of two bytes, and what it is the length of; takes `body`. */
static void put_package(GByteArray *to, GByteArray *body)
{
	unsigned length = body->len + 2;
	put8(to, 0x40 | (length & 0xf));
	put8(to, length >> 4);
	put(to, body->data, body->len);
	g_byte_array_free(body, TRUE);
}

static void put_name(GByteArray *to, const char name[4])
{
	put8(to, AML_NAME);
	put(to, name, 4);
}

/* Memory32Fixed, Interrupt (level, high, shared), end. */
static void put_resources(GByteArray *to, const struct pc_device *device)
{
	GByteArray *buffer = g_byte_array_new();
	put8(buffer, AML_BYTE);
	put8(buffer, 12 + 9 + 2);
	put(buffer, (uint8_t[]){ 0x86, 9, 0, 1 }, 4);
	put32(buffer, device->base);
	put32(buffer, VIRTIO_MMIO_SIZE);
	put(buffer, (uint8_t[]){ 0x89, 6, 0, 0x09, 1 }, 5);
	put32(buffer, device->irq);
	put(buffer, (uint8_t[]){ 0x79, 0 }, 2);
	put_name(to, "_CRS");
	put8(to, AML_BUFFER);
	put_package(to, buffer);
}

static void put_device(GByteArray *to, const struct pc_device *device, unsigned n)
{
	static const char id[] = "LNRO0005";
	GByteArray *body = g_byte_array_new();
	char name[5];
	g_snprintf(name, sizeof name, "VIO%u", n % 10);
	put(body, name, 4);
	put_name(body, "_HID");
	put8(body, AML_STRING);
	put(body, id, sizeof id);
	put_name(body, "_UID");
	put8(body, AML_BYTE);
	put8(body, n);
	put_resources(body, device);
	put8(to, AML_EXTENDED);
	put8(to, AML_DEVICE);
	put_package(to, body);
}

static void put_header(GByteArray *to)
{
	put(to, "SSDT", 4);
	put32(to, 0); /* length */
	put8(to, 2);  /* revision: integers of 64 bits */
	put8(to, 0);  /* checksum */
	put(to, "V2E   VIRTIO  ", 14);
	put32(to, 1);
	put(to, "V2E ", 4);
	put32(to, 1);
	g_assert(to->len == HEADER_SIZE);
}

static void finish_header(GByteArray *table)
{
	uint32_t length = GUINT32_TO_LE(table->len);
	uint8_t sum = 0;
	memcpy(table->data + LENGTH_AT, &length, sizeof length);
	for (guint n = 0; n < table->len; n++)
		sum = (uint8_t)(sum + table->data[n]);
	table->data[CHECKSUM_AT] = (uint8_t)-sum;
}

void pc_virtio_add_acpi(struct fw_cfg *fw, const struct pc_config *config)
{
	struct pc_device device[PC_VIRTIO_SLOTS];
	unsigned count = pc_virtio_devices(config, device);
	if (!count)
		return;
	GByteArray *table = g_byte_array_new(), *scope = g_byte_array_new();
	put(scope, "\\_SB_", 5);
	for (unsigned n = 0; n < count; n++)
		put_device(scope, &device[n], n);
	put_header(table);
	put8(table, AML_SCOPE);
	put_package(table, scope);
	finish_header(table);
	fw_cfg_add_file(fw, FILE_NAME, table->data, table->len);
	g_byte_array_free(table, TRUE);
}
