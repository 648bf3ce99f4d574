/*
 * Address spaces: the one door to guest memory, dispatch of register accesses, listeners.
 *
 * Every access to guest memory by address goes through here: it is overflow-checked, takes a length,
 * honours read-only regions and marks pages dirty. Nobody else turns a guest address into a pointer.
 *
 * Thread-safety: as_read(), as_write(), as_load(), as_store(), as_map() may be called from any thread,
 * with or without the machine lock; they take RCU read locks and, for register callbacks, the lock
 * the region declares.
 */
#ifndef MEM_SPACE_H
#define MEM_SPACE_H

#include "mem/region.h"

/* One range of a flat view. */
struct flat_range {
	uint64_t start;
	uint64_t size;
	struct region *region; /* a leaf */
	uint64_t offset;       /* of start in the region */
	uint8_t *host;         /* RAM, ROM, ROM_DEVICE: host address of start; else NULL */
	struct ram_block *ram;
	uint64_t ram_offset;    /* of start in the block */
	bool readonly;          /* writes do not reach memory */
	bool io_read, io_write; /* goes to callbacks */
	uint8_t dirty_users;
	uint32_t bell_first, bell_count; /* its doorbells in the view's array */
};

struct flat_view {
	size_t count;
	struct flat_range *ranges; /* by start */
	/* doorbells and coalesced ranges in absolute addresses, sorted by them */
	GArray *doorbells; /* struct doorbell, offset absolute */
	GArray *coalesced; /* struct addr_range */
	GPtrArray *roots;  /* tops of the trees it was rendered from; never dereferenced */
};

struct address_space {
	const char *name;
	struct region *root;
	uint8_t nothing;        /* what a byte reads as where nothing is, or access is refused */
	struct flat_view *view; /* RCU */
	GPtrArray *listeners;
	struct address_space *next;
};

/* Under the machine lock. The root, and what listens, must outlive the space. */
/* `nothing` is FFH, as on a bus that nobody drives, until the owner says otherwise. */
void address_space_init(struct address_space *as, const char *name, struct region *root);
void address_space_cleanup(struct address_space *as);

/* A reader's memory of the last range it hit; one per vCPU and space, zeroed at the start. */
struct space_hint {
	const struct flat_view *view;
	size_t index;
};

/* ---- Transfers. They cross ranges, touch RAM and registers alike. Result: the worst seen. ---- */
enum mem_result as_read(struct address_space *as, uint64_t addr, void *buf, uint64_t len);
enum mem_result as_write(struct address_space *as, uint64_t addr, const void *buf, uint64_t len);
enum mem_result as_fill(struct address_space *as, uint64_t addr, uint8_t byte, uint64_t len);

/* One little-endian access of 1, 2, 4 or 8 bytes, as a CPU or a bus master makes it. */
enum mem_result as_load(struct address_space *as, struct space_hint *hint, uint64_t addr,
			unsigned size, uint64_t *value);
enum mem_result as_store(struct address_space *as, struct space_hint *hint, uint64_t addr,
			 unsigned size, uint64_t value);

/* Writes into ROM too: firmware and loaders, before the guest runs. */
enum mem_result as_write_rom(struct address_space *as, uint64_t addr, const void *buf,
			     uint64_t len);

/*
 * A mapping: guest memory as host memory for a while. Only RAM can be mapped; *len shrinks to what is
 * contiguous. While it exists the block cannot go away. as_unmap() marks what was written dirty.
 * Returns NULL where there is no RAM (or it is read-only and @is_write).
 */
struct as_mapping {
	void *host;
	uint64_t len;
	struct ram_block *ram;
	uint64_t ram_offset;
	bool is_write;
};
void *as_map(struct address_space *as, uint64_t addr, uint64_t *len, bool is_write,
	     struct as_mapping *map);
void as_unmap(struct as_mapping *map, uint64_t written);

/*
 * For a CPU that is a listener of the space: what lies at @addr, and how far it goes on. What it says
 * holds until the listener has heard of a change. False: nothing, or registers both ways.
 */
struct as_ram {
	uint8_t *host;
	struct ram_block *ram;
	uint64_t ram_offset, len;
	bool readable, writable; /* goes to memory, not to registers */
};
bool as_find_ram(struct address_space *as, struct space_hint *hint, uint64_t addr,
		 struct as_ram *found);

/* ---- Listeners: accelerators, vhost, VFIO ---- */
struct mem_listener {
	void *opaque;
	/* Between begin and commit: first all removals, then all additions. Ranges that did not change
	 * are not reported. A change of dirty_users alone is `log_changed`. NULL callbacks are skipped. */
	void (*begin)(void *opaque);
	void (*range_del)(void *opaque, const struct flat_range *range);
	void (*range_add)(void *opaque, const struct flat_range *range);
	void (*log_changed)(void *opaque, const struct flat_range *range);
	void (*doorbell_add)(void *opaque, const struct doorbell *bell); /* offset absolute */
	void (*doorbell_del)(void *opaque, const struct doorbell *bell);
	void (*coalesced_add)(void *opaque, const struct addr_range *range);
	void (*coalesced_del)(void *opaque, const struct addr_range *range);
	void (*commit)(void *opaque);
	/* Brings dirty information of the range into the bitmaps (dirty_mark()). */
	void (*log_sync)(void *opaque, const struct flat_range *range);
};
void listener_add(struct address_space *as, const struct mem_listener *listener);
void listener_remove(struct address_space *as, const struct mem_listener *listener);

/* Asks every listener of @as to sync its log for all ranges that somebody logs. */
void address_space_sync_log(struct address_space *as);

#endif
