/* For guests: where v2e's virtio devices are. Slot n has its registers (virtio 1.2, 4.2.2,
 * or 4.2.4 with --virtio-legacy) at V2E_VIRTIO_BASE + n * V2E_VIRTIO_STEP. Where nothing is
 * fitted all bits are ones; else the first word is V2E_VIRTIO_MAGIC. */
#ifndef V2E_VIRTIO_H
#define V2E_VIRTIO_H

#define V2E_VIRTIO_BASE  0xfef00000u
#define V2E_VIRTIO_STEP  0x1000u
#define V2E_VIRTIO_SLOTS 7u
#define V2E_VIRTIO_MAGIC 0x74726976u

/* IRQ of the 8259s. */
#define V2E_VIRTIO_IRQ(slot) ((slot) % 2 ? 7 : 5)

#endif
