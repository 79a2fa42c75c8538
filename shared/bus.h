/* The I/O port space: 65,536 ports, open bus by default. Emulator and KVM exits
 * come through the same door. */
#ifndef V2E_SHARED_BUS_H
#define V2E_SHARED_BUS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct bus;

/* `size` is 1, 2 or 4 and never more than max_size; wider accesses arrive as
 * several, lowest port first. Who holds the lowest port gets the access (or each
 * part of it) whole, so a 16-bit port may be claimed by its first address. A NULL
 * read is open bus, a NULL write is dropped. */
struct bus_ops {
	const char *name;
	unsigned max_size; /* 1, 2 or 4 */
	uint32_t (*read)(void *owner, uint16_t port, unsigned size);
	void (*write)(void *owner, uint16_t port, unsigned size, uint32_t value);
	/* Optional: `count` items of `size` bytes for INS/OUTS at one port. Returns
	 * how many were moved; the rest go one by one. NULL: all one by one. */
	size_t (*read_many)(void *owner, uint16_t port, unsigned size, void *to, size_t count);
	size_t (*write_many)(void *owner, uint16_t port, unsigned size, const void *from, size_t count);
	bool is_proxy; /* accesses go on to another bus, which shows them to --trace io */
};

struct bus *bus_new(void);
void bus_free(struct bus *bus);

/* Ports first..last (inclusive) go to `ops`; later claims hide earlier ones.
 * `ops` must live as long as the bus. Returns 0, -ENOSPC past 255 claims, or -EINVAL
 * when last < first. */
int bus_claim(struct bus *bus, uint16_t first, uint16_t last, const struct bus_ops *ops, void *owner);
/* Gives back the ports that `owner` holds by `ops`, for relocatable BARs; what
 * an earlier claim held there comes back. */
void bus_release(struct bus *bus, const struct bus_ops *ops, void *owner);
/* Everything that nobody claims; a proxy in another process uses it. */
void bus_claim_rest(struct bus *bus, const struct bus_ops *ops, void *owner);

/* Hears of each access behind it: `count` items of `size` bytes at `data`,
 * little-endian; for comparing machines. */
struct bus_tap {
	void (*heard)(void *owner, uint16_t port, unsigned size, bool is_write, const void *data, size_t count);
	void *owner;
};
/* One at a time; its `heard` may be NULL: none. */
void bus_set_tap(struct bus *bus, struct bus_tap tap);

/* size: 1, 2 or 4. Upper bits of the result are zero. An access that runs past
 * port FFFFh wraps. */
uint32_t bus_read(struct bus *bus, uint16_t port, unsigned size);
void bus_write(struct bus *bus, uint16_t port, unsigned size, uint32_t value);
/* `count` items, little-endian, `to` and `from` need no alignment. Return `count`. */
size_t bus_read_many(struct bus *bus, uint16_t port, unsigned size, void *to, size_t count);
size_t bus_write_many(struct bus *bus, uint16_t port, unsigned size, const void *from, size_t count);

#endif
