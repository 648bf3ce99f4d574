/*
 * Block back ends: how devices, jobs and exports use a node.
 *
 * A back end has the name that -drive gave it (or none, with -blockdev), a root node that may come and
 * go (removable media), permissions, throttling, error policy, accounting. A device gets one through a
 * link property "drive", which names a back end or a node; in the second case one without a name is made.
 *
 * Requests may be submitted from plain code on the back end's loop (blk_aio_*: the callback runs there,
 * later) or from a coroutine (blk_*). They are counted; blk_drain() waits for them. Errors from below
 * go through werror and rerror (blk_error_action(), blk_error_act()): devices ask before they
 * report one to the guest.
 */
#ifndef BLOCK_BACKEND_H
#define BLOCK_BACKEND_H

#include "block/node.h"
#include "block/request.h"
#include "device/device.h"

struct block_backend;

enum block_error_policy {
	BLOCK_ERROR_REPORT,
	BLOCK_ERROR_IGNORE,
	BLOCK_ERROR_STOP,
	BLOCK_ERROR_ENOSPC,
	BLOCK_ERROR_AUTO
};

/* What a device wants to hear of. Main thread. */
struct blk_device_ops {
	void (*resized)(void *opaque);
	void (*media_changed)(void *opaque, bool load);
	bool (*is_tray_open)(void *opaque);
	bool (*is_medium_locked)(void *opaque);
	void (*eject_request)(void *opaque, bool force);
	/* Stop submitting, go on: the root is being drained. */
	void (*drain_begin)(void *opaque);
	void (*drain_end)(void *opaque);
};

struct block_backend *blk_new(struct loop *loop, const char *name, unsigned perm, unsigned shared);
struct block_backend *blk_find(const char *name);
struct block_backend *blk_next(struct block_backend *blk);
void blk_unref(struct block_backend *blk);
const char *blk_name(const struct block_backend *blk);  /* "" if none */
struct block_node *blk_root(struct block_backend *blk); /* NULL: no medium */
bool blk_insert(struct block_backend *blk, struct block_node *node, GError **errp);
void blk_remove(struct block_backend *blk);
bool blk_set_perm(struct block_backend *blk, unsigned perm, unsigned shared, GError **errp);
/* Moves the root's tree to @loop. */
bool blk_set_loop(struct block_backend *blk, struct loop *loop, GError **errp);
/* One device at a time; false with an error that names it. */
bool blk_attach_device(struct block_backend *blk, struct device *dev,
		       const struct blk_device_ops *ops, void *opaque, GError **errp);
void blk_detach_device(struct block_backend *blk);
struct device *blk_device(struct block_backend *blk);

/* Property row for a device: const char * "drive", resolved at realize by blk_of_drive(). */
extern const struct link_kind blk_link_kind;

uint64_t blk_length(struct block_backend *blk); /* 0: no medium */
bool blk_is_read_only(struct block_backend *blk);
bool blk_is_inserted(struct block_backend *blk);

/* ---- coroutines ---- */
int blk_preadv(struct block_backend *blk, uint64_t offset, const struct iovs *iov, unsigned flags);
int blk_pwritev(struct block_backend *blk, uint64_t offset, const struct iovs *iov, unsigned flags);
int blk_pread(struct block_backend *blk, uint64_t offset, void *buf, size_t len);
int blk_pwrite(struct block_backend *blk, uint64_t offset, const void *buf, size_t len);
int blk_write_zeroes(struct block_backend *blk, uint64_t offset, uint64_t len, unsigned flags);
int blk_discard(struct block_backend *blk, uint64_t offset, uint64_t len);
int blk_flush(struct block_backend *blk);

/* ---- plain code on the back end's loop; @done gets 0 or a negative errno value ---- */
typedef void blk_done_fn(void *opaque, int ret);
void blk_aio_preadv(struct block_backend *blk, uint64_t offset, const struct iovs *iov,
		    unsigned flags, blk_done_fn *done, void *opaque);
void blk_aio_pwritev(struct block_backend *blk, uint64_t offset, const struct iovs *iov,
		     unsigned flags, blk_done_fn *done, void *opaque);
void blk_aio_write_zeroes(struct block_backend *blk, uint64_t offset, uint64_t len, unsigned flags,
			  blk_done_fn *done, void *opaque);
void blk_aio_discard(struct block_backend *blk, uint64_t offset, uint64_t len, blk_done_fn *done,
		     void *opaque);
void blk_aio_flush(struct block_backend *blk, blk_done_fn *done, void *opaque);
/* SG_IO of a host device; -ENOTSUP elsewhere. */
void blk_aio_ioctl(struct block_backend *blk, unsigned long request, void *buf, blk_done_fn *done,
		   void *opaque);
void blk_drain(struct block_backend *blk);

/* What to do about @error of a read or write, by the policies. */
enum blk_error_action { BLK_ERROR_REPORT, BLK_ERROR_IGNORE, BLK_ERROR_STOP };
enum blk_error_action blk_error_action(struct block_backend *blk, bool is_read, int error);
/* Sends BLOCK_IO_ERROR and stops the guest if that is the action. */
void blk_error_act(struct block_backend *blk, enum blk_error_action action, bool is_read,
		   int error);

#endif
