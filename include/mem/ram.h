/*
 * RAM blocks: host memory that backs guest RAM, ROM and video memory; and dirty tracking.
 *
 * A block is made by a back end (anonymous, memfd, file) and referenced by regions. It is mapped once
 * and stays where it is. Blocks have names that are unique in the machine ("pc.ram", "pc.bios"):
 * snapshots and `info ramblock` know them by these.
 */
#ifndef MEM_RAM_H
#define MEM_RAM_H

#include "base/common.h"
#include "base/error.h"

enum dirty_user { DIRTY_MIGRATION, DIRTY_DISPLAY, DIRTY_CODE, DIRTY_USERS };

/* No host address space has room for more. */
#define RAM_SIZE_MAX (1ULL << 56)

#define RAM_PAGE_BITS 12
#define RAM_PAGE_SIZE (1ULL << RAM_PAGE_BITS)

struct ram_block;

/*
 * Who keeps copies of what is in the block (decoded instructions), or tells of writes late. `code` has
 * flags of the watcher's for each page, set and cleared with atomic instructions.
 */
#define RAM_PAGE_CODE 1 /* written() is called after the page was written */
struct ram_watch {
	/* Any thread, after a write by anybody but the CPU to pages with RAM_PAGE_CODE. */
	void (*written)(void *opaque, struct ram_block *ram, uint64_t offset, uint64_t len);
	/* Any thread: dirty bits were taken. When it returns, the next write of a CPU to any page of the
	 * block calls dirty_mark(), and those before it are in memory. */
	void (*cleaned)(void *opaque, struct ram_block *ram);
	void *opaque;
};

struct ram_block {
	char *name;
	uint8_t *host;
	uint64_t size;      /* usable bytes, a multiple of page_size */
	uint64_t page_size; /* of the backing: 4096, 2 MiB, 1 GiB */
	int fd;             /* -1: anonymous */
	uint64_t fd_offset;
	bool shared;
	bool readonly_file;
	gint refs;
	bool discard_data; /* the file's content may be thrown away with the block */
	uint8_t dirty_on;  /* BIT(enum dirty_user): whose bitmap is kept */
	unsigned dirty_starts[DIRTY_USERS]; /* dirty_start() calls without their dirty_stop() */
	unsigned long *dirty[DIRTY_USERS]; /* a bit a page, allocated when a user first asks; RCU */
	const struct ram_watch *watch;     /* NULL: nobody; set once, by ram_set_watch() */
	uint8_t *code;                     /* RAM_PAGE_*, a byte a page; NULL without watch */
	void *map;                         /* what was mapped: host, and a guard page behind it */
	size_t map_size;
};

/* How memory is to be had. Zeroed means: anonymous, private, lazily allocated. */
struct ram_options {
	const char *path; /* mem-path: file, or folder to make an unlinked file in; NULL: no file */
	bool memfd;
	bool hugetlb; /* memfd */
	uint64_t hugetlb_size;
	bool seal;
	bool share;
	bool prealloc;
	unsigned prealloc_threads; /* 0: as many as is sensible */
	bool merge;                /* KSM */
	bool no_dump;
	bool no_reserve;
	bool readonly;
	bool discard_data;
	bool pmem;
	uint64_t align;
	uint64_t offset;
	const unsigned long *host_nodes; /* bitmap, host_node_bits long; NULL: no binding */
	unsigned host_node_bits;
	int policy; /* MPOL_* */
};

/* A block of @size bytes (rounded up to the page size). NULL with an error that has the numbers. */
struct ram_block *ram_new(const char *name, uint64_t size, const struct ram_options *opt,
			  GError **errp);
struct ram_block *ram_ref(struct ram_block *ram);
void ram_unref(struct ram_block *ram);

/* Every block, in order of creation. Machine lock. */
void ram_foreach(void (*fn)(struct ram_block *ram, void *opaque), void *opaque);
/* A new reference, or NULL. Any thread. */
struct ram_block *ram_find(const char *name);

/* The block and offset a host address lies in (KVM's memory-failure reports): a new reference; NULL if none. */
struct ram_block *ram_find_host(const void *host, uint64_t *offset);

/* Machine lock; @watch outlives the block, or is taken away (NULL) when no CPU runs. */
void ram_set_watch(struct ram_block *ram, const struct ram_watch *watch);

/*
 * Gives whole pages of the backing (page_size) back to the host; a reader finds zeros, or what the file has. False
 * with errno.
 */
bool ram_discard(struct ram_block *ram, uint64_t offset, uint64_t len);

/*
 * Page tables that follow the process's own (KVM's second level) forget the page at @offset. Everybody else may
 * go on using it.
 */
void ram_unmap_from_guests(struct ram_block *ram, uint64_t offset);

/*
 * Dirty tracking. While a user is on, all ranges of all flat views that show the block are logged
 * (flat_range.dirty_users); starts nest. Start and stop under the machine lock. dirty_mark() sets the bits of all users that are on; it is what every write that
 * does not come from the CPU calls (as_write() and as_unmap() do it).
 */
void dirty_start(struct ram_block *ram, enum dirty_user user, bool all_dirty);
void dirty_stop(struct ram_block *ram, enum dirty_user user);
void dirty_mark(struct ram_block *ram, uint64_t offset, uint64_t len);
bool dirty_test_and_clear(struct ram_block *ram, enum dirty_user user, uint64_t offset,
			  uint64_t len);
/* Copies and clears the bits of [offset, offset+len) into @bits (bit 0 is offset's page). Count. */
uint64_t dirty_snapshot(struct ram_block *ram, enum dirty_user user, uint64_t offset, uint64_t len,
			unsigned long *bits);

#endif
