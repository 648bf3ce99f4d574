#include <sched.h>
#include "dispatch.h"
#include "internal.h"
#include "rcu.h"
#include "base/trace.h"

TRACE_DEFINE(memory_region_ops_read,
	     "region '%s' offset 0x%" PRIx64 " value 0x%" PRIx64 " size %u");
TRACE_DEFINE(memory_region_ops_write,
	     "region '%s' offset 0x%" PRIx64 " value 0x%" PRIx64 " size %u");
TRACE_DEFINE(guest_errors_mem_refused,
	     "Invalid %s at offset 0x%" PRIx64 ", size %u, region '%s', reason: %s");

/* More levels than devices have reasons to reach through one another, few enough for any stack. */
#define MAX_NESTING 16

/* Device locks are held for microseconds; a wait this long can only be a loop. */
#define NESTED_LOCK_WAIT_US 20000

struct dispatch_frame {
	struct region *region;
	GMutex *lock; /* taken for this one; NULL: none */
	unsigned depth;
	struct dispatch_frame *outer;
};

/* The callbacks this thread is in, innermost first. */
static __thread struct dispatch_frame *innermost;

static uint64_t low_bytes(unsigned size)
{
	return ~0ULL >> (64 - size * 8);
}

unsigned dispatch_width(const struct io_ops *ops, uint64_t offset, uint64_t len)
{
	uint64_t width = MIN(len, ops->valid.max ? ops->valid.max : 8);

	if (width & (width - 1))
		width = 1ULL << (63 - __builtin_clzll(width));
	if (!ops->valid.unaligned && (offset & (width - 1)))
		width = offset & -offset;
	return width;
}

static const char *access_fault(const struct region *r, uint64_t offset, unsigned size,
				bool is_write)
{
	const struct io_ops *ops = r->ops;

	if (is_write ? !ops->write : !ops->read)
		return is_write ? "not writable" : "not readable";
	if (size < ops->valid.min)
		return "invalid size";
	if (ops->valid.accepts && !ops->valid.accepts(r->opaque, offset, size, is_write))
		return "rejected";
	return NULL;
}

static bool is_reentry(const struct region *r)
{
	for (struct dispatch_frame *f = innermost; f; f = f->outer) {
		if (f->region == r || (r->owner && f->region->owner == r->owner))
			return !r->reentrant;
	}
	return innermost && innermost->depth >= MAX_NESTING;
}

/* The widths callbacks are called with: all of one access have the same. */
static unsigned callback_width(const struct io_ops *ops, uint64_t offset, unsigned size)
{
	unsigned min = ops->impl.min ? ops->impl.min : 1;
	unsigned max = ops->impl.max ? ops->impl.max : 4;
	unsigned width = size;

	if (!ops->impl.unaligned && (offset & (width - 1)))
		width = offset & -offset;
	return CLAMP(width, min, max);
}

static uint64_t call_read(struct region *r, uint64_t offset, unsigned size)
{
	unsigned width = callback_width(r->ops, offset, size);
	uint64_t at = r->ops->impl.unaligned ? offset : offset & ~(uint64_t)(width - 1);
	uint64_t value = 0;

	for (; at < offset + size; at += width) {
		uint64_t part = r->ops->read(r->opaque, at, width) & low_bytes(width);

		value |= at < offset ? part >> (offset - at) * 8 : part << (at - offset) * 8;
	}
	return value & low_bytes(size);
}

static void call_write(struct region *r, uint64_t offset, unsigned size, uint64_t value)
{
	unsigned width = callback_width(r->ops, offset, size);
	uint64_t at = r->ops->impl.unaligned ? offset : offset & ~(uint64_t)(width - 1);

	value &= low_bytes(size);
	for (; at < offset + size; at += width) {
		uint64_t part =
			at < offset ? value << (offset - at) * 8 : value >> (at - offset) * 8;

		r->ops->write(r->opaque, at, part & low_bytes(width), width);
	}
}

static bool lock_device(GMutex *lock)
{
	int64_t deadline;

	if (!device_locked()) {
		device_lock(lock);
		return true;
	}
	deadline = g_get_monotonic_time() + NESTED_LOCK_WAIT_US;
	while (!device_trylock(lock)) {
		if (g_get_monotonic_time() > deadline)
			return false;
		sched_yield();
	}
	return true;
}

/* Enters the callbacks of @frame's region, or says why not. */
static const char *dispatch_enter(struct dispatch_frame *frame)
{
	struct region *r = frame->region;
	GMutex *lock = r->ops->lock == LOCK_DEVICE ? r->device_lock : NULL;

	if (innermost && is_reentry(r))
		return "re-entered";
	if (r->ops->lock != LOCK_DEVICE && device_locked() && !machine_locked())
		return "out of reach under a device's lock";
	if (lock && !lock_device(lock))
		return "deadlock";
	frame->lock = lock;
	frame->outer = innermost;
	frame->depth = innermost ? innermost->depth + 1 : 1;
	innermost = frame;
	return NULL;
}

static void dispatch_leave(struct dispatch_frame *frame)
{
	innermost = frame->outer;
	if (frame->lock)
		device_unlock(frame->lock);
}

enum mem_result dispatch_read(struct region *r, uint64_t offset, unsigned size, uint64_t *value)
{
	struct dispatch_frame frame = {.region = r};
	const char *fault = dispatch_enter(&frame);

	if (!fault) {
		fault = access_fault(r, offset, size, false);
		if (!fault)
			*value = call_read(r, offset, size);
		dispatch_leave(&frame);
	}
	if (fault) {
		trace(guest_errors_mem_refused, "read", offset, size, r->name, fault);
		*value = low_bytes(size);
		return MEM_REFUSED;
	}
	trace(memory_region_ops_read, r->name, offset, *value, size);
	return MEM_OK;
}

enum mem_result dispatch_write(struct region *r, uint64_t offset, unsigned size, uint64_t value)
{
	struct dispatch_frame frame = {.region = r};
	const char *fault = dispatch_enter(&frame);

	trace(memory_region_ops_write, r->name, offset, value, size);
	if (!fault) {
		fault = access_fault(r, offset, size, true);
		if (!fault)
			call_write(r, offset, size, value);
		dispatch_leave(&frame);
	}
	if (!fault)
		return MEM_OK;
	trace(guest_errors_mem_refused, "write", offset, size, r->name, fault);
	return MEM_REFUSED;
}

/* Callbacks of @r that this very thread is in: a device that goes away by its own register. */
static gint own_frames(const struct region *r)
{
	gint count = 0;

	for (struct dispatch_frame *f = innermost; f; f = f->outer)
		count += f->region == r && r->ops->lock != LOCK_MACHINE;
	return count;
}

/* Others may have what they wait for. A transaction that is open is its opener's, and not theirs. */
static void let_others(void)
{
	unsigned depth = mem_state()->depth;

	mem_state()->depth = 0;
	machine_unlock();
	g_usleep(20);
	machine_lock();
	mem_state()->depth = depth;
}

void dispatch_wait_idle(struct region *r)
{
	gint own;

	mem_synchronize();
	if (!r->ops)
		return;
	own = own_frames(r);
	while (g_atomic_int_get(&r->active) > own) {
		if (machine_locked() && r->ops->lock != LOCK_DEVICE)
			let_others();
		else
			g_usleep(20);
	}
}
