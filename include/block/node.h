/*
 * The block graph.
 *
 * A node is something with sectors: a file (protocol driver), an image in it (format driver), or a
 * filter between others. Nodes have children by name ("file", "backing"), a length, a read-only flag
 * and limits. Devices, jobs and exports use a node through a struct block_backend (backend.h); one node
 * may have several parents as far as permissions allow.
 *
 *	virtio-blk, ide-hd	-> block_backend -> throttle -> qcow2 --file--> file "a.qcow2"
 *							      \--backing--> raw --file--> file "base.img"
 *
 * Requests (request.h) run in coroutines on the loop that owns the node; a tree is owned by one loop. The
 * graph is changed in the main thread with the machine lock held, on nodes that are drained
 * (block_drain_begin()): nobody has a request in flight and none begins.
 *
 * Permissions (QEMU's words): a parent says what it needs of a child, and what others may do
 * meanwhile. A node that cannot have all parents satisfied refuses the new one, with an error that names
 * both. Files are locked the same way, so that processes keep each other out (file/lock.c).
 */
#ifndef BLOCK_NODE_H
#define BLOCK_NODE_H

#include "api/json.h"
#include "base/common.h"
#include "base/error.h"
#include "event/coroutine.h"
#include "event/loop.h"

struct block_driver;
struct block_node;

#define BLOCK_SECTOR 512u
/* No image is longer: offsets and lengths fit an int64_t with room for alignment. */
#define BLOCK_LENGTH_MAX (INT64_MAX - (1 << 20))

enum block_perm {
	BLOCK_PERM_READ = BIT(0),      /* data is what a guest would see ("consistent read") */
	BLOCK_PERM_WRITE = BIT(1),     /* changes it */
	BLOCK_PERM_UNCHANGED = BIT(2), /* writes what reads the same (allocation by copy on read) */
	BLOCK_PERM_RESIZE = BIT(3),
	BLOCK_PERM_ALL = 15,
};

/* What a child is to its parent; decides defaults of options and permissions. */
enum block_role {
	BLOCK_ROLE_DATA = BIT(0),     /* guest data */
	BLOCK_ROLE_METADATA = BIT(1), /* the parent's own structures */
	BLOCK_ROLE_FILTERED = BIT(2), /* all of it, passed on */
	BLOCK_ROLE_COW = BIT(3),      /* backing */
	BLOCK_ROLE_PRIMARY = BIT(4),
};

struct block_child {
	char *name;                     /* "file" */
	struct block_node *node;        /* a reference */
	unsigned role;                  /* BIT mask of enum block_role */
	unsigned perm, shared;          /* enum block_perm */
	struct block_node *parent_node; /* one of these two */
	struct block_backend *parent_backend;
	unsigned drains; /* of the child, that this edge has told its parent of */
};

/* What a node can, or wants. 0: no limit, no preference. */
struct block_limits {
	uint32_t request_alignment; /* power of 2; offsets and lengths of requests to the driver */
	uint32_t memory_alignment;  /* of buffers (O_DIRECT) */
	uint32_t max_transfer;
	uint32_t discard_alignment, zeroes_alignment;
	uint64_t max_discard, max_zeroes;
};

enum block_flags {
	BLOCK_RDWR = BIT(0),
	BLOCK_AUTO_READ_ONLY = BIT(1), /* falls back to read-only where it may not write */
	BLOCK_NO_CACHE = BIT(2),       /* cache.direct */
	BLOCK_NO_FLUSH = BIT(3),       /* cache.no-flush: flushes are forgotten */
	BLOCK_UNMAP = BIT(4),          /* discard=unmap */
	BLOCK_COPY_ON_READ = BIT(5),
	BLOCK_NO_BACKING = BIT(6),   /* the backing file that the image names is not opened */
	BLOCK_NO_IO = BIT(7),        /* metadata only (info) */
	BLOCK_CHECK = BIT(8),        /* open although dirty or corrupt: it will be checked */
	BLOCK_PROTOCOL = BIT(9),     /* no format on top: take the file as it is */
	BLOCK_INACTIVE = BIT(10),    /* incoming migration: somebody else writes */
	BLOCK_FORCE_SHARE = BIT(11), /* no locks: look at an image in use */
};

enum block_detect_zeroes { DETECT_ZEROES_OFF, DETECT_ZEROES_ON, DETECT_ZEROES_UNMAP };

struct block_node {
	char *name; /* node-name; "#block123" if nobody gave one */
	const struct block_driver *driver;
	void *opaque; /* the driver's, driver->size bytes */
	struct loop *loop;
	gint refs;
	unsigned flags; /* as opened: enum block_flags */
	bool read_only;
	bool monitor_owned;   /* made by blockdev-add or -blockdev: blockdev-del may remove it */
	char *filename;       /* what people call it: path, URL or "json:{...}" */
	json_object *options; /* what it was opened with, children as node names or objects */
	uint64_t length;      /* bytes; kept by block_node_set_length() */
	struct block_limits limits;
	int detect_zeroes;
	GPtrArray *children, *parents;       /* struct block_child */
	struct block_child *file, *backing;  /* of these children, for short */
	char *backing_file, *backing_format; /* what the image's header says; NULL: nothing */
	bool encrypted;

	/* request.c */
	unsigned in_flight; /* atomic */
	unsigned drained;   /* nesting */
	GList *tracked;     /* requests under way; loop's thread */
	struct co_mutex tracked_lock;
	struct co_queue tracked_queue;
	uint64_t write_generation, flushed_generation;
	GSList *bitmaps; /* struct dirty_bitmap */
	GSList *write_notifiers;
};

/*
 * Opens what @options describe: {"driver": "qcow2", "file": {...} or "node-name", ...}, consumed.
 * Without "driver" the format is probed, with QEMU's warning for a writable raw image when
 * @warn_probed. @filename (may be NULL) fills in "filename" of the protocol: "path", "nbd:...",
 * "json:{...}". Plain code or coroutine, main thread. NULL with an error that names the file.
 */
struct block_node *block_open(const char *filename, json_object *options, unsigned flags,
			      GError **errp);
struct block_node *block_ref(struct block_node *node);
void block_unref(struct block_node *node); /* the last one closes: flushes, writes what is due */

struct block_node *block_find(const char *node_name);
struct block_node *block_next(struct block_node *node); /* NULL: the first; in order of opening */

/* Graph changes; main thread. */
struct block_child *block_attach_child(struct block_node *parent, struct block_node *child,
				       const char *name, unsigned role, unsigned perm,
				       unsigned shared, GError **errp); /* takes the reference */
void block_detach_child(struct block_child *child);
bool block_child_set_perm(struct block_child *child, unsigned perm, unsigned shared, GError **errp);
/* All parents of @from but those that would make a loop now use @to. */
bool block_replace(struct block_node *from, struct block_node *to, GError **errp);
/* For drivers in open(): the child "file" (or another) as the options say it, attached. */
struct block_child *block_open_child(struct block_node *parent, json_object *options,
				     const char *name, unsigned role, bool may_miss, GError **errp);
/* What @node shows through filters: itself, or the node that has the data. */
struct block_node *block_skip_filters(struct block_node *node);
/* The node below that provides data of unallocated areas: backing, or NULL. */
struct block_node *block_cow(struct block_node *node);

/* Nobody's request is in flight at the node or above it when begin returns, until end. Plain code. */
void block_drain_begin(struct block_node *node);
void block_drain_end(struct block_node *node);

/* From drivers: the length changed; parents and devices are told. */
void block_node_set_length(struct block_node *node, uint64_t length);

/* Runs @fn in a coroutine on the node's loop (NULL: the current one), turns the loop until it is done,
 * and returns its result. The way plain code does I/O. In a coroutine: a plain call. */
int block_run(struct loop *loop, int (*fn)(void *opaque), void *opaque);

#endif
