/*
 * Requests to nodes: checked, aligned, tracked, split.
 *
 * All functions run in a coroutine on the node's loop and return 0 or a negative errno value. Offsets
 * and lengths are bytes, of any alignment: what the driver cannot take as it is, is read around and
 * merged here, serialised against overlapping requests. Reads beyond the end give zeros only where a
 * parent asks for it (a backing file that is shorter); otherwise requests outside the length fail with
 * -EIO.
 */
#ifndef BLOCK_REQUEST_H
#define BLOCK_REQUEST_H

#include <sys/uio.h>
#include "block/node.h"

/* A list of buffers and their total. */
struct iovs {
	struct iovec *iov;
	unsigned count;
	size_t size;
};
#define IOVS_OF(_buf, _len) (&(struct iovs){&(struct iovec){(void *)(_buf), (_len)}, 1, (_len)})
/* block/iovs.c. A slice borrows the buffers; iovs_slice_free() frees the array it made. */
struct iovs iovs_slice(const struct iovs *from, size_t offset, size_t len);
void iovs_slice_free(struct iovs *slice);
void iovs_to_buf(const struct iovs *iov, size_t offset, void *buf, size_t len);
void iovs_from_buf(const struct iovs *iov, size_t offset, const void *buf, size_t len);
void iovs_fill(const struct iovs *iov, size_t offset, uint8_t byte, size_t len);
bool iovs_is_zero(const struct iovs *iov);
bool buffer_is_zero(const void *buf, size_t len);

#define BLOCK_REQ_FUA          BIT(0)
#define BLOCK_REQ_MAY_UNMAP    BIT(1)
#define BLOCK_REQ_NO_FALLBACK  BIT(2) /* write_zeroes: rather -ENOTSUP than writing zeros */
#define BLOCK_REQ_COMPRESSED   BIT(3)
#define BLOCK_REQ_SERIALISING  BIT(4) /* nothing that overlaps runs at the same time */
#define BLOCK_REQ_COPY_ON_READ BIT(5)
#define BLOCK_REQ_UNCHANGED    BIT(6) /* writes what is there */
#define BLOCK_REQ_PREFETCH     BIT(7) /* reads into the image, data is not wanted */

int block_preadv(struct block_child *child, uint64_t offset, const struct iovs *iov,
		 unsigned flags);
int block_pwritev(struct block_child *child, uint64_t offset, const struct iovs *iov,
		  unsigned flags);
int block_pread(struct block_child *child, uint64_t offset, void *buf, size_t len);
int block_pwrite(struct block_child *child, uint64_t offset, const void *buf, size_t len);
/* Written and flushed before anything else is. */
int block_pwrite_sync(struct block_child *child, uint64_t offset, const void *buf, size_t len);
int block_write_zeroes(struct block_child *child, uint64_t offset, uint64_t len, unsigned flags);
int block_discard(struct block_child *child, uint64_t offset, uint64_t len);
int block_flush(struct block_node *node);
int block_truncate(struct block_child *child, uint64_t length, bool exact, int prealloc,
		   GError **errp);
int block_copy_range(struct block_child *from, uint64_t from_offset, struct block_child *to,
		     uint64_t to_offset, uint64_t len, unsigned flags);

struct block_extent;
/* Of this node alone, and of the chain down to (not including) @base (NULL: all of it). */
int block_status(struct block_node *node, uint64_t offset, uint64_t len,
		 struct block_extent *extent);
int block_status_above(struct block_node *node, struct block_node *base, bool include_base,
		       bool want_zero, uint64_t offset, uint64_t len, struct block_extent *extent);
/* 1 allocated above @base, 0 not; *count bytes it is true for. */
int block_is_allocated(struct block_node *node, uint64_t offset, uint64_t len, uint64_t *count);

/* The node's length now: asks the driver if it can change by itself. */
int block_get_length(struct block_node *node, uint64_t *length);

/* Buffers as the node's memory_alignment wants them. */
void *block_buffer(const struct block_node *node, size_t len);
void block_buffer_free(void *buf);

#endif
