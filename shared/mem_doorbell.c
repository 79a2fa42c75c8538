/* Registers that need not be waited for. */
#include <errno.h>
#include <stdlib.h>

#include "shared/mem_map.h"

int mem_add_doorbell(const struct mem_doorbell *doorbell)
{
	const struct mem_region *region = doorbell->region;
	uint64_t in_page = doorbell->offset & MEM_OFFSET_MASK;
	bool is_write = region->ops && region->ops->write && doorbell->size && doorbell->size <= region->ops->max_size;
	if (!is_write || doorbell->offset >= region->size || in_page + doorbell->size > MEM_PAGE_SIZE)
		return -EINVAL;
	struct mem_bell *bell = malloc(sizeof *bell);
	if (!bell)
		return -ENOMEM;
	*bell = (struct mem_bell){ region->mem->map->bells, *doorbell };
	region->mem->map->bells = bell;
	return 0;
}

void mem_for_each_doorbell(struct mem *mem, void (*visit)(void *owner, const struct mem_doorbell *doorbell), void *owner)
{
	if (mem->a20_mask != UINT32_MAX)
		return;
	for (const struct mem_bell *bell = mem->map->bells; bell; bell = bell->next) {
		struct mem_doorbell doorbell = bell->doorbell;
		doorbell.address = doorbell.region->address + doorbell.offset;
		if (doorbell.region->enabled && doorbell.address < MEM_SPACE &&
		    mem_map_writer(mem, (uint32_t)(doorbell.address >> MEM_PAGE_SHIFT)) == doorbell.region)
			visit(owner, &doorbell);
	}
}

void mem_ring(const struct mem_doorbell *doorbell)
{
	const struct mem_region *region = doorbell->region;
	region->ops->write(region->owner, doorbell->offset, doorbell->size, doorbell->value);
}
