/*
 * Transfers: the one door to guest memory.
 *
 * A transfer goes piece by piece: a piece is what one range of the flat view, or one hole, has of it.
 * Memory is copied within an RCU read section; for a register the section ends before the callback
 * (dispatch.h), and the map may be another one when the next piece is looked up, as on hardware.
 */
#include <assert.h>
#include "base/checked.h"
#include "base/trace.h"
#include "dispatch.h"
#include "internal.h"
#include "rcu.h"

TRACE_DEFINE(guest_errors_mem_unassigned, "%s of nothing at 0x%" PRIx64 ", %" PRIu64 " bytes");

enum transfer_kind { TRANSFER_READ, TRANSFER_WRITE, TRANSFER_FILL, TRANSFER_WRITE_ROM };

struct transfer {
	struct address_space *as;
	struct space_hint *hint; /* NULL: none */
	enum transfer_kind kind;
	uint64_t addr, len;  /* what is left */
	uint8_t *to;         /* READ */
	const uint8_t *from; /* WRITE, WRITE_ROM */
	uint8_t byte;        /* FILL */
	enum mem_result worst;
};

enum piece_kind { PIECE_HOLE, PIECE_MEMORY, PIECE_REGISTER, PIECE_CLOSED };

struct piece {
	enum piece_kind kind;
	const struct flat_view *view;
	const struct flat_range *range; /* but for holes */
	uint64_t offset;                /* in the range */
	uint64_t len;
};

static inline const struct flat_range *find_range(const struct flat_view *view,
						  struct space_hint *hint, uint64_t addr)
{
	size_t i;

	if (hint && hint->view == view && hint->index < view->count) {
		const struct flat_range *range = &view->ranges[hint->index];

		if (addr - range->start < range->size)
			return range;
	}
	i = flat_view_search(view, addr);
	if (i == view->count)
		return NULL;
	if (hint)
		*hint = (struct space_hint){view, i};
	return &view->ranges[i];
}

static enum piece_kind range_kind(const struct flat_range *range, enum transfer_kind kind)
{
	if (kind == TRANSFER_READ)
		return range->io_read ? PIECE_REGISTER : PIECE_MEMORY;
	if (kind == TRANSFER_WRITE_ROM)
		return range->host && !range->ram->readonly_file ? PIECE_MEMORY : PIECE_CLOSED;
	if (range->io_write)
		return PIECE_REGISTER;
	return range->readonly ? PIECE_CLOSED : PIECE_MEMORY;
}

/* The piece the transfer goes on with. Under RCU, or the machine lock. */
static struct piece next_piece(const struct transfer *t)
{
	struct piece p = {.kind = PIECE_HOLE, .len = t->len};

	p.view = rcu_dereference(t->as->view);
	p.range = find_range(p.view, t->hint, t->addr);
	if (!p.range)
		return p;
	if (p.range->start > t->addr) {
		p.len = MIN(t->len, p.range->start - t->addr);
		return p;
	}
	p.offset = t->addr - p.range->start;
	p.kind = range_kind(p.range, t->kind);
	/* An access to a register is the register's where it begins, though another region of higher
	 * priority may lie over its middle: a dword to CF8h passes over the reset control at CF9h. */
	if (p.kind == PIECE_REGISTER)
		p.len = MIN(t->len, p.range->region->size - p.range->offset - p.offset);
	else
		p.len = MIN(t->len, p.range->size - p.offset);
	return p;
}

static void advance(struct transfer *t, uint64_t len, enum mem_result result)
{
	t->addr += len;
	t->len -= len;
	if (t->to)
		t->to += len;
	if (t->from)
		t->from += len;
	t->worst = MAX(t->worst, result);
}

/* What a driver and a device agree on without a lock is 2, 4 or 8 bytes, and must not be torn. */
static void copy_untorn(void *to, const void *from, uint64_t len)
{
	switch (len) {
	case 2:
		memcpy(to, from, 2);
		break;
	case 4:
		memcpy(to, from, 4);
		break;
	case 8:
		memcpy(to, from, 8);
		break;
	default:
		memcpy(to, from, len);
	}
}

static void transfer_memory(struct transfer *t, const struct piece *p)
{
	uint8_t *host = p->range->host + p->offset;

	if (t->kind == TRANSFER_READ) {
		copy_untorn(t->to, host, p->len);
	} else {
		if (t->kind == TRANSFER_FILL)
			memset(host, t->byte, p->len);
		else
			copy_untorn(host, t->from, p->len);
		dirty_mark(p->range->ram, p->range->ram_offset + p->offset, p->len);
	}
	advance(t, p->len, MEM_OK);
}

static void transfer_nothing(struct transfer *t, const struct piece *p)
{
	bool hole = p->kind == PIECE_HOLE;

	if (hole)
		trace(guest_errors_mem_unassigned, t->kind == TRANSFER_READ ? "read" : "write",
		      t->addr, p->len);
	if (t->to)
		memset(t->to, t->as->nothing, p->len);
	advance(t, p->len, hole ? MEM_UNASSIGNED : MEM_REFUSED);
}

static uint64_t nothing_read(const struct address_space *as, unsigned size)
{
	return as->nothing * (~0ULL / 0xff) & (~0ULL >> (64 - size * 8));
}

static uint64_t register_value(const struct transfer *t, unsigned width)
{
	return t->kind == TRANSFER_FILL ? t->byte * 0x0101010101010101ULL : get_le(t->from, width);
}

/* Doorbells are for CPUs and bus masters that would have called write() with the whole store. */
static bool ring_doorbell(struct transfer *t, const struct piece *p)
{
	const GArray *bells = p->view->doorbells;

	if (t->kind != TRANSFER_WRITE || t->len > 8 || p->len < t->len || !IS_POWER_OF_2(t->len))
		return false;
	for (uint32_t i = 0; i < p->range->bell_count; i++) {
		const struct doorbell *bell =
			&g_array_index(bells, struct doorbell, p->range->bell_first + i);

		if (bell->offset != t->addr || (bell->size && bell->size != t->len) ||
		    (bell->match_data && bell->data != get_le(t->from, t->len)))
			continue;
		notifier_set(bell->notifier);
		advance(t, t->len, MEM_OK);
		return true;
	}
	return false;
}

static void call_register(struct transfer *t, struct region *r, uint64_t offset, uint64_t len)
{
	unsigned width = dispatch_width(r->ops, offset, len);
	enum mem_result result;
	uint64_t value;

	if (t->kind == TRANSFER_READ) {
		result = dispatch_read(r, offset, width, &value);
		put_le(t->to, width, result == MEM_OK ? value : nothing_read(t->as, width));
	} else {
		result = dispatch_write(r, offset, width, register_value(t, width));
	}
	advance(t, width, result);
}

/* The view stands still under the lock; the one seen before it was taken may be gone. */
static void transfer_register_locked(struct transfer *t)
{
	MACHINE_LOCK_SCOPE();
	struct piece p = next_piece(t);

	if (p.kind == PIECE_REGISTER && p.range->region->ops->lock == LOCK_MACHINE)
		call_register(t, p.range->region, p.range->offset + p.offset, p.len);
}

/* Leaves the RCU read section. May make no progress, when the map changed just now. */
static void transfer_register(struct transfer *t, const struct piece *p)
{
	struct region *r = p->range->region;
	uint64_t offset = p->range->offset + p->offset;

	if (p->range->bell_count && ring_doorbell(t, p)) {
		rcu_read_unlock();
		return;
	}
	if (r->ops->lock == LOCK_MACHINE && (machine_locked() || !device_locked())) {
		rcu_read_unlock();
		transfer_register_locked(t);
		return;
	}
	g_atomic_int_inc(&r->active);
	rcu_read_unlock();
	call_register(t, r, offset, p->len);
	g_atomic_int_add(&r->active, -1);
}

static enum mem_result transfer_run(struct transfer *t)
{
	while (t->len) {
		rcu_read_lock();
		struct piece p = next_piece(t);

		if (p.kind == PIECE_REGISTER) {
			transfer_register(t, &p);
			continue;
		}
		if (p.kind == PIECE_MEMORY)
			transfer_memory(t, &p);
		else
			transfer_nothing(t, &p);
		rcu_read_unlock();
	}
	return t->worst;
}

/* Nothing goes round the end of the 64-bit space. */
static bool wraps(uint64_t addr, uint64_t len)
{
	uint64_t last;

	return len && ADD_OVERFLOWS(addr, len - 1, &last);
}

enum mem_result as_read(struct address_space *as, uint64_t addr, void *buf, uint64_t len)
{
	struct transfer t = {.as = as, .kind = TRANSFER_READ, .addr = addr, .len = len, .to = buf};

	if (wraps(addr, len)) {
		memset(buf, as->nothing, len);
		return MEM_REFUSED;
	}
	return transfer_run(&t);
}

enum mem_result as_write(struct address_space *as, uint64_t addr, const void *buf, uint64_t len)
{
	struct transfer t = {
		.as = as, .kind = TRANSFER_WRITE, .addr = addr, .len = len, .from = buf};

	return wraps(addr, len) ? MEM_REFUSED : transfer_run(&t);
}

enum mem_result as_fill(struct address_space *as, uint64_t addr, uint8_t byte, uint64_t len)
{
	struct transfer t = {
		.as = as, .kind = TRANSFER_FILL, .addr = addr, .len = len, .byte = byte};

	return wraps(addr, len) ? MEM_REFUSED : transfer_run(&t);
}

enum mem_result as_write_rom(struct address_space *as, uint64_t addr, const void *buf, uint64_t len)
{
	struct transfer t = {
		.as = as, .kind = TRANSFER_WRITE_ROM, .addr = addr, .len = len, .from = buf};

	return wraps(addr, len) ? MEM_REFUSED : transfer_run(&t);
}

static uint64_t load_sized(const void *host, unsigned size)
{
	switch (size) {
	case 1:
		return *(const uint8_t *)host;
	case 2:
		return get_le16(host);
	case 4:
		return get_le32(host);
	default:
		return get_le64(host);
	}
}

static void store_sized(void *host, unsigned size, uint64_t value)
{
	switch (size) {
	case 1:
		*(uint8_t *)host = value;
		break;
	case 2:
		put_le16(host, value);
		break;
	case 4:
		put_le32(host, value);
		break;
	default:
		put_le64(host, value);
	}
}

enum mem_result as_load(struct address_space *as, struct space_hint *hint, uint64_t addr,
			unsigned size, uint64_t *value)
{
	uint8_t bytes[8];
	struct transfer t = {.as = as,
			     .hint = hint,
			     .kind = TRANSFER_READ,
			     .addr = addr,
			     .len = size,
			     .to = bytes};
	bool done;

	assert(size <= 8 && IS_POWER_OF_2(size));
	if (wraps(addr, size)) {
		*value = nothing_read(as, size);
		return MEM_REFUSED;
	}
	rcu_read_lock();
	struct piece p = next_piece(&t);

	done = p.kind == PIECE_MEMORY && p.len == size;
	if (done)
		*value = load_sized(p.range->host + p.offset, size);
	rcu_read_unlock();
	if (done)
		return MEM_OK;
	transfer_run(&t);
	*value = load_sized(bytes, size);
	return t.worst;
}

enum mem_result as_store(struct address_space *as, struct space_hint *hint, uint64_t addr,
			 unsigned size, uint64_t value)
{
	uint8_t bytes[8];
	struct transfer t = {.as = as,
			     .hint = hint,
			     .kind = TRANSFER_WRITE,
			     .addr = addr,
			     .len = size,
			     .from = bytes};
	bool done;

	assert(size <= 8 && IS_POWER_OF_2(size));
	if (wraps(addr, size))
		return MEM_REFUSED;
	put_le(bytes, 8, value);
	rcu_read_lock();
	struct piece p = next_piece(&t);

	done = p.kind == PIECE_MEMORY && p.len == size;
	if (done) {
		store_sized(p.range->host + p.offset, size, value);
		dirty_mark(p.range->ram, p.range->ram_offset + p.offset, size);
	}
	rcu_read_unlock();
	return done ? MEM_OK : transfer_run(&t);
}

bool as_find_ram(struct address_space *as, struct space_hint *hint, uint64_t addr,
		 struct as_ram *found)
{
	const struct flat_range *range;
	bool is_ram;

	rcu_read_lock();
	range = find_range(rcu_dereference(as->view), hint, addr);
	is_ram = range && addr >= range->start && range->host;
	if (is_ram) {
		uint64_t offset = addr - range->start;

		*found = (struct as_ram){
			.host = range->host + offset,
			.ram = range->ram,
			.ram_offset = range->ram_offset + offset,
			.len = range->size - offset,
			.readable = !range->io_read,
			.writable = !range->readonly && !range->io_write,
		};
	}
	rcu_read_unlock();
	return is_ram;
}
