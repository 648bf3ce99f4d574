/*
 * Block drivers: one const struct block_driver each, listed in block/drivers.c.
 *
 * Data operations run in coroutines on the node's loop, any number at a time: what a driver keeps in
 * memory about the image it guards with co_mutex where it yields. They get requests that request.c has
 * checked: inside the length, aligned to limits.request_alignment, not longer than max_transfer, not on
 * a read-only node. They return 0 or a negative errno value. A NULL operation has the default said
 * below. Children are reached through block_pread(node->file, ...) of request.h.
 */
#ifndef BLOCK_DRIVER_H
#define BLOCK_DRIVER_H

#include "api/codec.h"
#include "block/node.h"
#include "block/request.h"

enum block_kind { BLOCK_PROTOCOL_DRIVER, BLOCK_FORMAT_DRIVER, BLOCK_FILTER_DRIVER };

/* One extent of what block_status tells. */
struct block_extent {
	uint64_t length; /* bytes from the offset asked for: at least 1, at most what was asked */
	unsigned flags;  /* BLOCK_EXTENT_* */
	struct block_node *map_node; /* with OFFSET_VALID: where the data lies */
	uint64_t map_offset;
};
#define BLOCK_EXTENT_DATA         BIT(0) /* is data (not: reads as zeros without being stored) */
#define BLOCK_EXTENT_ZERO         BIT(1) /* reads as zeros */
#define BLOCK_EXTENT_ALLOCATED    BIT(2) /* this layer decides, not the backing file */
#define BLOCK_EXTENT_OFFSET_VALID BIT(3)
#define BLOCK_EXTENT_RAW          BIT(4) /* ask map_node at map_offset for the truth */
#define BLOCK_EXTENT_COMPRESSED   BIT(5)
#define BLOCK_EXTENT_EOF          BIT(6)

struct block_check {
	uint64_t corruptions, leaks, check_errors, corruptions_fixed, leaks_fixed;
	uint64_t image_end_offset, total_clusters, allocated_clusters, compressed_clusters,
		fragmented_clusters;
};
#define BLOCK_FIX_LEAKS  BIT(0)
#define BLOCK_FIX_ERRORS BIT(1)

struct block_measure {
	uint64_t required, fully_allocated, bitmaps;
	bool has_bitmaps;
};

struct block_snapshot {
	char *id, *name;
	uint64_t vm_state_size, disk_size;
	uint32_t date_sec, date_nsec;
	uint64_t vm_clock_nsec, icount; /* UINT64_MAX: none */
};

enum block_prealloc { PREALLOC_OFF, PREALLOC_METADATA, PREALLOC_FALLOC, PREALLOC_FULL };
extern const struct enum_name block_prealloc_names[];

struct block_driver {
	const char *name; /* as "driver" takes it */
	const char *help;
	enum block_kind kind;
	size_t size;                    /* of node->opaque, zeroed at open */
	const struct field *options;    /* runtime options over node->opaque; NULL: none */
	const char *const *url_schemes; /* protocols: "nbd", NULL-terminated */
	bool has_backing;               /* formats: may have a backing file */
	bool is_zero_fill;              /* a new image reads as zeros */

	/* Formats: 0-100, how sure it is that @buf, the beginning of the file, is its. */
	int (*probe)(const uint8_t *buf, size_t len, const char *filename);
	/* Protocols: "nbd://host/x" -> members of @options. */
	bool (*parse_filename)(const char *filename, json_object *options, GError **errp);

	/* node->opaque has the options. Plain code or coroutine; block_run() for I/O. */
	bool (*open)(struct block_node *node, GError **errp);
	void (*close)(struct block_node *node);
	/* New flags and options (already in @options' structure); prepare may fail, then abort. */
	bool (*reopen_prepare)(struct block_node *node, const void *options, unsigned flags,
			       void **state, GError **errp);
	void (*reopen_commit)(struct block_node *node, void *state);
	void (*reopen_abort)(struct block_node *node, void *state);
	void (*refresh_limits)(struct block_node *node); /* default: the file child's */
	/* What it needs of a child, given what its own parents need. Default: by role. */
	void (*child_perm)(struct block_node *node, const char *child, unsigned role, unsigned perm,
			   unsigned shared, unsigned *nperm, unsigned *nshared);
	/* The loop changes: stop using the old one; the new one is node->loop. */
	void (*detach_loop)(struct block_node *node);
	void (*attach_loop)(struct block_node *node);

	/* ---- coroutines ---- */
	int (*preadv)(struct block_node *node, uint64_t offset, const struct iovs *iov,
		      unsigned flags);
	int (*pwritev)(struct block_node *node, uint64_t offset, const struct iovs *iov,
		       unsigned flags); /* supported_write_flags: what it can of them */
	int (*flush)(
		struct block_node *node); /* own caches into the file; the file is flushed after */
	/* -ENOTSUP: zeros are written instead, or the discard is forgotten. */
	int (*write_zeroes)(struct block_node *node, uint64_t offset, uint64_t len, unsigned flags);
	int (*discard)(struct block_node *node, uint64_t offset, uint64_t len);
	/* Default: protocols all data; filters ask their child. @want_zero: precision matters. */
	int (*block_status)(struct block_node *node, bool want_zero, uint64_t offset, uint64_t len,
			    struct block_extent *extent);
	/* -ENOTSUP: read and written. */
	int (*copy_range_to)(struct block_node *node, uint64_t offset, struct block_node *to,
			     uint64_t to_offset, uint64_t len, unsigned flags);
	int (*pwritev_compressed)(struct block_node *node, uint64_t offset, const struct iovs *iov);
	int (*truncate)(struct block_node *node, uint64_t length, bool exact,
			enum block_prealloc prealloc, GError **errp);
	int (*get_length)(struct block_node *node,
			  uint64_t *length); /* if it can change by itself */
	int (*check)(struct block_node *node, struct block_check *result, unsigned fix);
	int (*change_backing)(struct block_node *node, const char *file, const char *format);
	int (*make_empty)(struct block_node *node);
	int (*amend)(struct block_node *node, json_object *options, GError **errp);
	int (*save_vmstate)(struct block_node *node, const struct iovs *iov, uint64_t offset);
	int (*load_vmstate)(struct block_node *node, const struct iovs *iov, uint64_t offset);
	int (*snapshot_create)(struct block_node *node, struct block_snapshot *s, GError **errp);
	int (*snapshot_goto)(struct block_node *node, const char *id, GError **errp);
	int (*snapshot_delete)(struct block_node *node, const char *id, GError **errp);

	/* ---- plain code ---- */
	GPtrArray *(*snapshot_list)(struct block_node *node); /* struct block_snapshot */
	/* ImageInfoSpecific's "data" (caller owns), and the node's part of BlockDriverInfo. */
	json_object *(*specific_info)(struct block_node *node);
	uint64_t (*allocated_size)(struct block_node *node); /* on the host; UINT64_MAX: unknown */
	bool (*dirty_shutdown)(struct block_node *node);
	uint32_t (*cluster_size)(struct block_node *node);

	/* Creation: rows over a structure of create_size, QMP's names (BlockdevCreateOptions*); the
	 * older names of -o in `create_legacy` where they differ. `file` is open for formats. */
	const struct field_set *create_options;
	const struct block_legacy_name *create_legacy;
	bool (*create)(const void *options, struct block_node *file, GError **errp);
	bool (*create_protocol)(const char *filename, const void *options, GError **errp);
	bool (*measure)(const void *options, struct block_node *from, struct block_measure *result,
			GError **errp);

	unsigned supported_write_flags, supported_zero_flags; /* BLOCK_REQ_* */
};

struct block_legacy_name {
	const char *legacy, *modern; /* "cluster_size", "cluster-size" */
};

extern const struct block_driver *const block_drivers[]; /* NULL-terminated: block/drivers.c */
const struct block_driver *block_driver_find(const char *name);
const struct block_driver *block_driver_for_url(const char *filename);

#endif
