/*
 * The plan: segments that lie in RAM and do not overlap, and places for those that may lie anywhere.
 */
#include "internal.h"

static struct boot_segment *segment_at(const struct boot_plan *plan, guint i)
{
	return &g_array_index(plan->segments, struct boot_segment, i);
}

static void segment_clear(void *opaque)
{
	struct boot_segment *seg = opaque;

	g_clear_pointer(&seg->bytes, g_bytes_unref);
	g_clear_pointer(&seg->file, boot_file_unref);
}

static void plan_init(struct boot_plan *plan, const struct boot_request *req)
{
	plan->map = req->map;
	plan->facs = req->facs;
	plan->segments = g_array_new(false, true, sizeof(struct boot_segment));
	g_array_set_clear_func(plan->segments, segment_clear);
}

void boot_plan_free(struct boot_plan *plan)
{
	if (!plan)
		return;
	g_array_unref(plan->segments);
	g_free(plan);
}

const struct boot_segment *boot_plan_segments(const struct boot_plan *plan, size_t *count)
{
	*count = plan->segments->len;
	return (const struct boot_segment *)plan->segments->data;
}

bool boot_segment_read(const struct boot_segment *seg, uint64_t pos, void *buf, size_t len,
		       GError **errp)
{
	return boot_file_read(seg->file, seg->offset + pos, buf, len, errp);
}

/* ---- Adding ---- */

/* The first segment that ends behind @addr: where one at @addr belongs. */
static guint plan_position(const struct boot_plan *plan, uint64_t addr)
{
	guint lo = 0, hi = plan->segments->len;

	while (lo < hi) {
		guint mid = lo + (hi - lo) / 2;
		const struct boot_segment *seg = segment_at(plan, mid);

		if (seg->addr + seg->size <= addr)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

/* What overlaps [addr, addr + size), which does not wrap; NULL: nothing. */
static const struct boot_segment *plan_overlap(const struct boot_plan *plan, uint64_t addr,
					       uint64_t size)
{
	guint i = plan_position(plan, addr);
	const struct boot_segment *seg;

	if (i == plan->segments->len)
		return NULL;
	seg = segment_at(plan, i);
	return seg->addr < addr + size ? seg : NULL;
}

static bool plan_insert(struct boot_plan *plan, struct boot_segment *seg, GError **errp)
{
	const struct boot_segment *other = plan_overlap(plan, seg->addr, seg->size);

	if (other) {
		error_set(errp,
			  "%s (%" PRIu64 " bytes at 0x%" PRIx64 ") overlaps %s (%" PRIu64
			  " bytes at 0x%" PRIx64 ")",
			  seg->what, seg->size, seg->addr, other->what, other->size, other->addr);
		return false;
	}
	g_array_insert_val(plan->segments, plan_position(plan, seg->addr), *seg);
	return true;
}

bool plan_has_ram(const struct boot_plan *plan, const struct boot_segment *seg, GError **errp)
{
	uint64_t end = e820_ram_end(plan->map, seg->addr);

	if (e820_is_ram(plan->map, seg->addr, seg->size))
		return true;
	error_set(errp,
		  "%s needs %" PRIu64 " bytes of memory at 0x%" PRIx64 ", the machine has %" PRIu64
		  " there",
		  seg->what, seg->size, seg->addr, end ? end - seg->addr : 0);
	return false;
}

bool plan_add(struct boot_plan *plan, struct boot_segment seg, GError **errp)
{
	if (seg.size && (!plan_has_ram(plan, &seg, errp) || !plan_insert(plan, &seg, errp))) {
		segment_clear(&seg);
		return false;
	}
	if (!seg.size)
		segment_clear(&seg);
	return true;
}

bool plan_add_file(struct boot_plan *plan, const char *what, uint64_t addr, struct boot_file *file,
		   uint64_t offset, uint64_t size, GError **errp)
{
	return plan_add(plan,
			(struct boot_segment){
				.what = what,
				.addr = addr,
				.size = size,
				.source = BOOT_FILE,
				.file = boot_file_ref(file),
				.offset = offset,
			},
			errp);
}

bool plan_add_bytes(struct boot_plan *plan, const char *what, uint64_t addr, const void *bytes,
		    size_t size, GError **errp)
{
	return plan_add(plan,
			(struct boot_segment){
				.what = what,
				.addr = addr,
				.size = size,
				.source = BOOT_BYTES,
				.bytes = g_bytes_new(bytes, size),
			},
			errp);
}

bool plan_add_blob(struct boot_plan *plan, const struct boot_blob *blob, GError **errp)
{
	struct boot_segment seg = {
		.what = blob->name,
		.addr = blob->addr,
		.size = g_bytes_get_size(blob->bytes),
		.source = BOOT_BYTES,
		.bytes = g_bytes_ref(blob->bytes),
	};

	g_assert(seg.addr + seg.size >= seg.addr);
	if (seg.size && plan_insert(plan, &seg, errp))
		return true;
	segment_clear(&seg);
	return !g_bytes_get_size(blob->bytes);
}

/* ---- Finding room ---- */

/* The lowest free place in the one piece of RAM [start, end). */
static bool find_low_in(const struct boot_plan *plan, uint64_t start, uint64_t end, uint64_t size,
			uint64_t align, uint64_t *addr)
{
	for (;;) {
		const struct boot_segment *other;

		if (start > UINT64_MAX - align)
			return false;
		start = ROUND_UP(start, align);
		if (start >= end || size > end - start)
			return false;
		other = plan_overlap(plan, start, size);
		if (!other)
			break;
		start = other->addr + other->size;
	}
	*addr = start;
	return true;
}

static bool find_high_in(const struct boot_plan *plan, uint64_t start, uint64_t end, uint64_t size,
			 uint64_t align, uint64_t *addr)
{
	for (;;) {
		const struct boot_segment *other;
		uint64_t at;

		if (end < start || size > end - start)
			return false;
		at = ROUND_DOWN(end - size, align);
		if (at < start)
			return false;
		other = plan_overlap(plan, at, size);
		if (!other) {
			*addr = at;
			return true;
		}
		end = other->addr;
	}
}

bool plan_find_low(const struct boot_plan *plan, uint64_t size, uint64_t align, uint64_t min,
		   uint64_t end, uint64_t *addr)
{
	for (unsigned i = 0; i < plan->map->count; i++) {
		const struct e820_range *r = &plan->map->range[i];

		if (r->type == E820_RAM &&
		    find_low_in(plan, MAX(r->start, min), MIN(r->start + r->size, end), size, align,
				addr))
			return true;
	}
	return false;
}

bool plan_find_high(const struct boot_plan *plan, uint64_t size, uint64_t align, uint64_t min,
		    uint64_t end, uint64_t *addr)
{
	for (unsigned i = plan->map->count; i-- > 0;) {
		const struct e820_range *r = &plan->map->range[i];

		if (r->type == E820_RAM &&
		    find_high_in(plan, MAX(r->start, min), MIN(r->start + r->size, end), size,
				 align, addr))
			return true;
	}
	return false;
}

bool plan_find_small(const struct boot_plan *plan, const char *what, uint64_t size, uint64_t align,
		     uint64_t *addr, GError **errp)
{
	if (plan_find_low(plan, size, align, BOOT_LOW_START, BOOT_LOW_END, addr) ||
	    plan_find_low(plan, size, align, BOOT_LOW_END, 4 * GIB, addr))
		return true;
	error_set(errp, "no room in memory below 4 GiB for the %s (%" PRIu64 " bytes)", what, size);
	return false;
}

/* ---- Structures that point at each other ---- */

bool arena_init(struct boot_arena *arena, struct boot_plan *plan, const char *what,
		uint64_t capacity, GError **errp)
{
	arena->what = what;
	arena->capacity = capacity;
	if (!plan_find_small(plan, what, capacity, 16, &arena->base, errp))
		return false;
	arena->bytes = g_byte_array_sized_new(capacity);
	return true;
}

uint64_t arena_append(struct boot_arena *arena, const void *data, size_t size)
{
	static const uint8_t zeros[8];
	uint64_t addr = arena->base + arena->bytes->len;

	g_assert(range_fits(arena->bytes->len, ARENA_SIZE(size), arena->capacity));
	g_byte_array_append(arena->bytes, data, size);
	g_byte_array_append(arena->bytes, zeros, ARENA_SIZE(size) - size);
	return addr;
}

uint64_t arena_append_string(struct boot_arena *arena, const char *text)
{
	return arena_append(arena, text, strlen(text) + 1);
}

bool arena_finish(struct boot_arena *arena, struct boot_plan *plan, GError **errp)
{
	bool ok = plan_add_bytes(plan, arena->what, arena->base, arena->bytes->data,
				 arena->bytes->len, errp);

	g_byte_array_unref(g_steal_pointer(&arena->bytes));
	return ok;
}

/* ---- Making one ---- */

/* In the order of QEMU's trying: a file that could be several kinds is the first of them. */
static const struct boot_loader *const loaders[] = {
	&linux_loader,
	&multiboot_loader,
	&pvh_loader,
};

static bool plan_load(struct boot_plan *plan, struct boot_file *kernel,
		      const struct boot_request *req, GError **errp)
{
	for (size_t i = 0; i < G_N_ELEMENTS(loaders); i++) {
		enum boot_kind kind = loaders[i]->load(plan, kernel, req, errp);

		if (kind != BOOT_NOT_MINE)
			return kind == BOOT_DONE;
	}
	error_set(errp,
		  "invalid kernel header: '%s' (%" PRIu64
		  " bytes) is neither a Linux bzImage nor a multiboot or ELF image",
		  kernel->name, kernel->size);
	return false;
}

struct boot_plan *boot_plan_new(const struct boot_request *req, GError **errp)
{
	g_autoptr(boot_plan) plan = g_new0(struct boot_plan, 1);
	g_autoptr(boot_file) kernel = NULL;

	plan_init(plan, req);
	for (size_t i = 0; i < req->blob_count; i++) {
		if (!plan_add_blob(plan, &req->blobs[i], errp))
			return NULL;
	}
	kernel = boot_file_open("kernel", req->kernel, errp);
	if (!kernel || !plan_load(plan, kernel, req, errp) ||
	    (!req->firmware && !plan_add_bios_data(plan, errp)))
		return NULL;
	plan->map = NULL;
	return g_steal_pointer(&plan);
}
