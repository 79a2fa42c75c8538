/* mkdisk BOOT VMLINUX INITRD MEMORY-MIB COMMAND-LINE DISK
 *
 * Makes a disk image that boots a kernel by its PVH entry (Xen's
 * docs/misc/pvh.pandoc), as fast as a boot sector can: loaded flat, no
 * decompressor. Prints the number of cylinders (16 heads, 63 sectors). */
#include <elf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <glib.h>

#define SECTOR       512u
#define CHUNK        (256u * SECTOR)
#define CYLINDER     (16u * 63u * SECTOR)
#define PARAMETERS   480u     /* in the boot sector */
#define INFO_SIZE    0x10000u /* in front of the initrd */
#define AT_MODULES   0x100u
#define AT_MAP       0x140u
#define AT_LINE      0x200u
#define XEN_PVH_NOTE 18u

struct kernel {
	const uint8_t *file;
	gsize size;
	uint64_t base, end, file_end;
	uint32_t entry;
};

static void fail(const char *what)
{
	fprintf(stderr, "mkdisk: %s\n", what);
	exit(1);
}

static char *read_file(const char *path, gsize *size)
{
	char *data;
	GError *error = NULL;
	if (!g_file_get_contents(path, &data, size, &error))
		fail(error->message);
	return data;
}

static void look_at_notes(struct kernel *kernel, const Elf64_Phdr *header)
{
	uint64_t at = header->p_offset, end = at + header->p_filesz;
	while (at + sizeof(Elf64_Nhdr) <= end && end <= kernel->size) {
		Elf64_Nhdr note;
		memcpy(&note, kernel->file + at, sizeof note);
		uint64_t name = at + sizeof note, data = name + ((note.n_namesz + 3u) & ~3u);
		if (note.n_type == XEN_PVH_NOTE && note.n_namesz == 4 && data + 4 <= end && !memcmp(kernel->file + name, "Xen", 4))
			memcpy(&kernel->entry, kernel->file + data, 4);
		at = data + ((note.n_descsz + 3u) & ~3u);
	}
}

static const Elf64_Phdr *program_headers(const struct kernel *kernel, unsigned *count)
{
	const Elf64_Ehdr *elf = (const Elf64_Ehdr *)(const void *)kernel->file;
	if (kernel->size < sizeof *elf || memcmp(elf->e_ident, ELFMAG, SELFMAG) ||
	    elf->e_phoff + (uint64_t)elf->e_phnum * sizeof(Elf64_Phdr) > kernel->size)
		fail("the kernel is no 64-bit ELF file");
	*count = elf->e_phnum;
	return (const Elf64_Phdr *)(const void *)(kernel->file + elf->e_phoff);
}

static void look_at_kernel(struct kernel *kernel)
{
	unsigned count;
	const Elf64_Phdr *headers = program_headers(kernel, &count);
	kernel->base = UINT64_MAX;
	for (unsigned n = 0; n < count; n++) {
		const Elf64_Phdr *header = &headers[n];
		if (header->p_type == PT_NOTE)
			look_at_notes(kernel, header);
		if (header->p_type != PT_LOAD)
			continue;
		kernel->base = MIN(kernel->base, header->p_paddr);
		kernel->end = MAX(kernel->end, header->p_paddr + header->p_memsz);
		kernel->file_end = MAX(kernel->file_end, header->p_paddr + header->p_filesz);
	}
	if (!kernel->entry || kernel->base >= kernel->file_end)
		fail("the kernel has no PVH entry");
}

static GByteArray *flatten(const struct kernel *kernel)
{
	unsigned count;
	const Elf64_Phdr *headers = program_headers(kernel, &count);
	GByteArray *image = g_byte_array_new();
	g_byte_array_set_size(image, (guint)(kernel->file_end - kernel->base));
	memset(image->data, 0, image->len);
	for (unsigned n = 0; n < count; n++) {
		const Elf64_Phdr *header = &headers[n];
		if (header->p_type != PT_LOAD)
			continue;
		if (header->p_offset + header->p_filesz > kernel->size)
			fail("the kernel is cut short");
		memcpy(image->data + (header->p_paddr - kernel->base), kernel->file + header->p_offset, header->p_filesz);
	}
	return image;
}

static void pad(GByteArray *bytes, guint unit)
{
	guint old = bytes->len, size = (old + unit - 1) / unit * unit;
	g_byte_array_set_size(bytes, size);
	memset(bytes->data + old, 0, size - old);
}

static void put32(uint8_t *at, uint32_t value)
{
	memcpy(at, &value, sizeof value);
}

static void put64(uint8_t *at, uint64_t value)
{
	memcpy(at, &value, sizeof value);
}

static void put_range(uint8_t *at, uint64_t address, uint64_t size, uint32_t type)
{
	put64(at, address);
	put64(at + 8, size);
	put32(at + 16, type);
}

/* struct hvm_start_info, one module, the memory map, the command line; the initrd. */
static GByteArray *make_blob(uint32_t address, const char *initrd, gsize initrd_size, uint64_t memory, const char *line)
{
	GByteArray *blob = g_byte_array_new();
	pad(g_byte_array_append(blob, (const guint8 *)"", 1), INFO_SIZE);
	uint8_t *info = blob->data;
	put32(info, 0x336ec578);
	put32(info + 4, 1);
	put32(info + 12, 1);
	put64(info + 16, address + AT_MODULES);
	put64(info + 24, address + AT_LINE);
	put64(info + 40, address + AT_MAP);
	put32(info + 48, 3);
	put64(info + AT_MODULES, address + INFO_SIZE);
	put64(info + AT_MODULES + 8, initrd_size);
	put_range(info + AT_MAP, 0, 0x9fc00, 1);
	put_range(info + AT_MAP + 24, 0xf0000, 0x10000, 2);
	put_range(info + AT_MAP + 48, 0x100000, memory - 0x110000, 1);
	g_strlcpy((char *)info + AT_LINE, line, INFO_SIZE - AT_LINE);
	return g_byte_array_append(blob, (const guint8 *)initrd, (guint)initrd_size);
}

int main(int argc, char **argv)
{
	gsize size, boot_size, initrd_size;
	if (argc != 7)
		fail("BOOT VMLINUX INITRD MEMORY-MIB COMMAND-LINE DISK are wanted");
	char *boot = read_file(argv[1], &boot_size), *initrd = read_file(argv[3], &initrd_size);
	struct kernel kernel = { .file = (const uint8_t *)read_file(argv[2], &size) };
	kernel.size = size;
	look_at_kernel(&kernel);
	GByteArray *image = flatten(&kernel);
	uint32_t blob_address = (uint32_t)((kernel.end + 0x400000) & ~UINT64_C(0xfffff));
	GByteArray *blob = make_blob(blob_address, initrd, initrd_size, strtoull(argv[4], NULL, 0) << 20, argv[5]);
	pad(image, CHUNK);
	pad(blob, CHUNK);
	if (boot_size != SECTOR)
		fail("the boot sector is no sector");
	uint8_t *parameters = (uint8_t *)boot + PARAMETERS;
	put32(parameters, (uint32_t)kernel.base);
	put32(parameters + 4, image->len / CHUNK);
	put32(parameters + 8, blob_address);
	put32(parameters + 12, blob->len / CHUNK);
	put32(parameters + 16, kernel.entry);
	GByteArray *disk = g_byte_array_append(g_byte_array_new(), (const guint8 *)boot, SECTOR);
	pad(disk, CHUNK);
	g_byte_array_append(disk, image->data, image->len);
	g_byte_array_append(disk, blob->data, blob->len);
	pad(disk, CYLINDER);
	if (!g_file_set_contents(argv[6], (const char *)disk->data, disk->len, NULL))
		fail("the disk cannot be written");
	printf("%u\n", disk->len / CYLINDER);
	return 0;
}
