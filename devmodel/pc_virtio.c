#include "devmodel/pc_virtio.h"

#include <errno.h>
#include <glib.h>

#include "devmodel/virtio_blk.h"
#include "devmodel/virtio_console.h"
#include "devmodel/virtio_mmio.h"
#include "devmodel/virtio_net.h"
#include "devmodel/virtio_rng.h"

/* Those that nothing else on the board has; the second is a printer port's. */
#define IRQ_EVEN 5u
#define IRQ_ODD  7u

struct pc_virtio {
	struct virtio_mmio *slot[PC_VIRTIO_SLOTS];
	struct irq_line line[PC_VIRTIO_SLOTS]; /* where each goes; some are the same */
	unsigned irq[PC_VIRTIO_SLOTS];
	uint8_t levels; /* bit n: what slot n drives */
};

static bool is_fitted(const struct pc_config *config, unsigned slot)
{
	return config->virtio >> slot & 1;
}

static unsigned irq_of(const struct pc_config *config, unsigned slot)
{
	return slot % 2 && !config->parallel ? IRQ_ODD : IRQ_EVEN;
}

static void set_level(void *owner, unsigned slot, bool level)
{
	struct pc_virtio *virtio = owner;
	bool any = false;
	virtio->levels = (uint8_t)((virtio->levels & ~(1u << slot)) | (unsigned)level << slot);
	for (unsigned n = 0; n < PC_VIRTIO_SLOTS; n++)
		any = any || (virtio->irq[n] == virtio->irq[slot] && virtio->levels >> n & 1);
	if (level)
		irq_set(&virtio->line[slot], false);
	irq_set(&virtio->line[slot], any);
}

static struct virtio *make_device(const struct pc_config *config, unsigned slot, const struct virtio_board *board)
{
	switch (slot) {
	case PC_VIRTIO_RNG:
		return virtio_rng_new(board);
	case PC_VIRTIO_CONSOLE:
		return virtio_console_new(board, config->virtio_console);
	case PC_VIRTIO_NET:
		return virtio_net_new(board, config->network, config->mac);
	default:
		return virtio_blk_new(board, config->virtio_disk[slot - PC_VIRTIO_DISK], slot - PC_VIRTIO_DISK);
	}
}

static bool fit(struct pc_virtio *virtio, struct pc_config *config, struct mem *mem, unsigned slot)
{
	const struct virtio_board board = {
		.mem = mem, .clock = config->clock, .irq = { set_level, virtio, slot }, .legacy = config->virtio_legacy,
	};
	struct virtio *device = make_device(config, slot, &board);
	if (slot >= PC_VIRTIO_DISK)
		config->virtio_disk[slot - PC_VIRTIO_DISK] = NULL;
	return (virtio->slot[slot] = virtio_mmio_new(mem, PC_VIRTIO_BASE + slot * VIRTIO_MMIO_SIZE, device));
}

struct pc_virtio *pc_virtio_new(struct pc_config *config, struct mem *mem, struct irq_line (*line)(void *owner, unsigned irq), void *owner)
{
	struct pc_virtio *virtio = g_new0(struct pc_virtio, 1);
	for (unsigned n = 0; n < PC_VIRTIO_SLOTS; n++) {
		virtio->irq[n] = irq_of(config, n);
		virtio->line[n] = line(owner, virtio->irq[n]);
	}
	for (unsigned n = 0; n < PC_VIRTIO_SLOTS; n++) {
		if (!is_fitted(config, n) || fit(virtio, config, mem, n))
			continue;
		int error = errno;
		pc_virtio_free(virtio);
		errno = error;
		return NULL;
	}
	return virtio;
}

void pc_virtio_reset(struct pc_virtio *virtio)
{
	for (unsigned n = 0; n < PC_VIRTIO_SLOTS; n++)
		if (virtio->slot[n])
			virtio_mmio_reset(virtio->slot[n]);
}

void pc_virtio_state(struct pc_virtio *virtio, struct snap *snap)
{
	for (unsigned n = 0; n < PC_VIRTIO_SLOTS; n++)
		if (virtio->slot[n])
			virtio_mmio_state(virtio->slot[n], snap);
}

void pc_virtio_free(struct pc_virtio *virtio)
{
	if (!virtio)
		return;
	for (unsigned n = 0; n < PC_VIRTIO_SLOTS; n++)
		virtio_mmio_free(virtio->slot[n]);
	g_free(virtio);
}

unsigned pc_virtio_devices(const struct pc_config *config, struct pc_device *device)
{
	unsigned count = 0;
	for (unsigned n = 0; n < PC_VIRTIO_SLOTS; n++)
		if (is_fitted(config, n))
			device[count++] = (struct pc_device){ PC_VIRTIO_BASE + n * VIRTIO_MMIO_SIZE, irq_of(config, n) };
	return count;
}
