/*
 * Making regions and taking them apart.
 */
#include <assert.h>
#include "base/checked.h"
#include "internal.h"
#include "dispatch.h"
#include "rcu.h"

static void region_init(struct region *r, enum region_kind kind, void *owner, const char *name,
			uint64_t size)
{
	assert(size > 0 && size <= REGION_SIZE_MAX);
	*r = (struct region){
		.name = name,
		.kind = kind,
		.enabled = true,
		.romd = kind == REGION_ROM_DEVICE,
		.size = size,
		.owner = owner,
	};
}

static void region_set_ram(struct region *r, struct ram_block *ram, uint64_t offset)
{
	assert(range_fits(offset, r->size, ram->size));
	r->ram = ram_ref(ram);
	r->ram_offset = offset;
}

void region_init_container(struct region *r, void *owner, const char *name, uint64_t size)
{
	region_init(r, REGION_CONTAINER, owner, name, size);
}

void region_init_io(struct region *r, void *owner, const char *name, const struct io_ops *ops,
		    void *opaque, uint64_t size)
{
	region_init(r, REGION_IO, owner, name, size);
	r->ops = ops;
	r->opaque = opaque;
}

void region_init_ram(struct region *r, void *owner, const char *name, struct ram_block *ram,
		     uint64_t offset, uint64_t size)
{
	region_init(r, REGION_RAM, owner, name, size);
	region_set_ram(r, ram, offset);
}

void region_init_rom(struct region *r, void *owner, const char *name, struct ram_block *ram,
		     uint64_t offset, uint64_t size)
{
	region_init(r, REGION_ROM, owner, name, size);
	region_set_ram(r, ram, offset);
}

void region_init_rom_device(struct region *r, void *owner, const char *name,
			    const struct io_ops *ops, void *opaque, struct ram_block *ram,
			    uint64_t size)
{
	region_init(r, REGION_ROM_DEVICE, owner, name, size);
	r->ops = ops;
	r->opaque = opaque;
	region_set_ram(r, ram, 0);
}

void region_init_alias(struct region *r, void *owner, const char *name, struct region *target,
		       uint64_t offset, uint64_t size)
{
	region_init(r, REGION_ALIAS, owner, name, size);
	r->target = target;
	r->target_offset = offset;
}

static void region_drop_dirty_logs(struct region *r)
{
	for (unsigned user = 0; user < DIRTY_USERS; user++) {
		if (r->dirty_users & BIT(user))
			dirty_stop(r->ram, user);
	}
	r->dirty_users = 0;
}

/*
 * Inside a transaction the views still show the region, although it left the tree: what changed so
 * far is published here and now, so that the owner may free the memory on return.
 */
void region_cleanup(struct region *r)
{
	mem_begin();
	if (r->parent)
		region_remove(r);
	while (r->children && r->children->len)
		region_remove(g_ptr_array_index(r->children, 0));
	region_drop_dirty_logs(r);
	mem_publish();
	mem_commit();
	dispatch_wait_idle(r);
	g_clear_pointer(&r->children, g_ptr_array_unref);
	g_clear_pointer(&r->doorbells, g_array_unref);
	g_clear_pointer(&r->coalesced, g_array_unref);
	g_clear_pointer(&r->ram, ram_unref);
}

bool region_is_leaf(const struct region *r)
{
	return r->kind != REGION_CONTAINER && r->kind != REGION_ALIAS;
}

struct region *region_top(struct region *r)
{
	while (r->parent)
		r = r->parent;
	return r;
}
