/* Ports and device registers, at which KVM_RUN comes back. */
#include <string.h>

#include <glib.h>

#include "hv/kvm_private.h"

void kvm_io_ports(struct kvm *kvm)
{
	const struct kvm_run *run = kvm->run;
	struct bus *bus = kvm->config.bus;
	uint8_t *data = (uint8_t *)run + run->io.data_offset;
	kvm->stats.io++;
	if (run->io.direction == KVM_EXIT_IO_OUT)
		bus_write_many(bus, run->io.port, run->io.size, data, run->io.count);
	else
		bus_read_many(bus, run->io.port, run->io.size, data, run->io.count);
}

/* The largest aligned power of two: MMIO that crosses a page comes in odd parts. */
static unsigned part_size(uint64_t address, unsigned left)
{
	unsigned size = 8;
	while (size > left || (address & (size - 1)))
		size /= 2;
	return size;
}

void kvm_io_memory(struct kvm *kvm)
{
	struct mem *mem = kvm->config.mem;
	struct kvm_run *run = kvm->run;
	uint64_t address = run->mmio.phys_addr;
	unsigned length = MIN(run->mmio.len, sizeof run->mmio.data);
	bool whole = length == 1 || length == 2 || length == 4 || length == 8;
	kvm->stats.mmio++;
	if (kvm_bell_is_at(kvm->bell, address))
		kvm_bell_answer(kvm->bell);
	for (unsigned done = 0, size; done < length; done += size) {
		uint64_t at = address + done, value = 0;
		size = whole ? length : part_size(at, length - done);
		if (at < MEM_SPACE)
			at &= mem->a20_mask;
		if (run->mmio.is_write) {
			memcpy(&value, run->mmio.data + done, size);
			mem_write(mem, at, size, value);
		} else {
			value = mem_read(mem, at, size);
			memcpy(run->mmio.data + done, &value, size);
		}
		kvm_step_mmio(kvm->step, at, size, value, run->mmio.is_write);
	}
}
