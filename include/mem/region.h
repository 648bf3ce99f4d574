/*
 * Memory regions, address spaces, and the flat view.
 *
 * The guest's physical memory, and its I/O ports, are each a tree of regions. A container has
 * children at offsets, with priorities; where children overlap the higher priority wins, and holes of
 * the winner let the lower shine through. An alias shows a window of another region elsewhere.
 * Leaves are RAM, ROM, ROM devices (read like ROM, written like I/O) and I/O.
 *
 * A tree is rendered into a flat view: a sorted array of ranges that do not overlap. Readers find a
 * range by bisection under RCU, without a lock. A writer changes the tree under the machine lock,
 * between mem_begin() and mem_commit(); the outermost commit renders every address space anew,
 * publishes the view, and tells the listeners the difference.
 *
 * Regions are embedded in their owner. Before the owner's memory goes it removes its regions from
 * the tree and calls region_cleanup(), which waits until no thread can be in its callbacks.
 */
#ifndef MEM_REGION_H
#define MEM_REGION_H

#include "base/common.h"
#include "event/lock.h"
#include "event/loop.h"

struct ram_block;
struct flat_view;
struct region;

#define REGION_SIZE_MAX (1ULL << 63)

enum mem_result {
	MEM_OK,
	MEM_UNASSIGNED, /* nothing there: reads give the space's `nothing`, writes vanish */
	MEM_REFUSED,    /* the region exists, this access is not allowed */
};

/*
 * Register callbacks, for ports and MMIO alike. @offset is from the region's start. Values are
 * little-endian.
 *
 * `valid` says what may reach the device (0 means 1 and 8: anything). As on a bus, what is wider than
 * valid.max, straddles the end of the region, or is unaligned without valid.unaligned arrives as
 * several accesses, lowest address first. What is then narrower than valid.min, or not to the taste
 * of accepts(), is refused: reads give the space's `nothing`, writes vanish.
 *
 * `impl` says what the callbacks handle (0 means 1 and 4). Wider accesses are split. A narrower one
 * becomes one of impl.min bytes: a read gives the bytes asked for out of it, a write has zeros in
 * the bytes that the guest did not write. Without impl.unaligned callbacks only see multiples of the
 * size as offset. A missing read or write refuses.
 */
struct io_ops {
	uint64_t (*read)(void *opaque, uint64_t offset, unsigned size);
	void (*write)(void *opaque, uint64_t offset, uint64_t value, unsigned size);
	struct {
		uint8_t min, max;
		bool unaligned;
		bool (*accepts)(void *opaque, uint64_t offset, unsigned size, bool is_write);
	} valid;
	struct {
		uint8_t min, max;
		bool unaligned;
	} impl;
	enum lock_kind lock;
};

enum region_kind {
	REGION_CONTAINER,
	REGION_RAM,
	REGION_ROM,
	REGION_ROM_DEVICE,
	REGION_IO,
	REGION_ALIAS,
};

struct region {
	const char *name;
	enum region_kind kind;
	bool enabled;
	bool readonly; /* RAM that the guest cannot write now (PAM, pflash) */
	bool romd;     /* ROM device: reads go straight to memory */
	bool nonvolatile;
	uint8_t dirty_users; /* BIT(enum dirty_user): who logs writes here */
	int priority;
	uint64_t addr; /* in the parent */
	uint64_t size; /* bytes, 1 .. REGION_SIZE_MAX */
	void *owner;   /* struct device, for tracing and `info mtree` */
	struct region *parent;
	GPtrArray
		*children; /* containers: struct region *, by priority, newest first among equals */

	const struct io_ops *ops; /* IO, ROM_DEVICE */
	void *opaque;
	GMutex *device_lock; /* LOCK_DEVICE: the owner's */
	bool reentrant;      /* callbacks may be entered from within a callback of the same owner */
	gint active;         /* accesses under way that do not hold the machine lock */

	struct ram_block *ram; /* RAM, ROM, ROM_DEVICE: memory and offset in it */
	uint64_t ram_offset;

	struct region *target; /* ALIAS */
	uint64_t target_offset;

	GArray *doorbells; /* struct doorbell */
	GArray *coalesced; /* struct addr_range: writes that may be batched */
};

struct addr_range {
	uint64_t start, size;
};

/* A write that rings an eventfd instead of calling the region's write(). */
struct doorbell {
	uint64_t offset;
	unsigned size; /* 0: any size */
	bool match_data;
	uint64_t data;
	struct notifier *notifier;
};

/* ---- Making regions. @name is borrowed and must outlive the region. ---- */
void region_init_container(struct region *r, void *owner, const char *name, uint64_t size);
void region_init_io(struct region *r, void *owner, const char *name, const struct io_ops *ops,
		    void *opaque, uint64_t size);
void region_init_ram(struct region *r, void *owner, const char *name, struct ram_block *ram,
		     uint64_t offset, uint64_t size);
void region_init_rom(struct region *r, void *owner, const char *name, struct ram_block *ram,
		     uint64_t offset, uint64_t size);
void region_init_rom_device(struct region *r, void *owner, const char *name,
			    const struct io_ops *ops, void *opaque, struct ram_block *ram,
			    uint64_t size);
void region_init_alias(struct region *r, void *owner, const char *name, struct region *target,
		       uint64_t offset, uint64_t size);
/* Removes it from its parent, frees what it holds, waits for readers. */
void region_cleanup(struct region *r);

/* ---- Changing the tree, under the machine lock ---- */
void mem_begin(void);
void mem_commit(void);

void region_add(struct region *parent, uint64_t addr, struct region *child, int priority);
void region_remove(struct region *child);
void region_set_enabled(struct region *r, bool enabled);
void region_set_addr(struct region *r, uint64_t addr);
void region_set_size(struct region *r, uint64_t size);
void region_set_readonly(struct region *r, bool readonly);
void region_set_romd(struct region *r, bool romd);
void region_set_target_offset(struct region *r, uint64_t offset); /* ALIAS */
void region_set_ram_offset(struct region *r, uint64_t offset);    /* RAM: bank switching */
void region_set_dirty_log(struct region *r, unsigned user, bool on);
void region_add_doorbell(struct region *r, const struct doorbell *bell);
void region_remove_doorbell(struct region *r, const struct doorbell *bell);
void region_add_coalesced(struct region *r, uint64_t start, uint64_t size);

/* Where an absolute address space address of @r is; false if it is not mapped. */
bool region_absolute_addr(const struct region *r, uint64_t *addr);

/* The tree, or the flat view, as `info mtree [-f]` shows it: one space, or all. Machine lock. */
struct address_space;
void address_space_print(const struct address_space *as, bool flat, GString *out);
void address_spaces_print(bool flat, GString *out);

#endif
