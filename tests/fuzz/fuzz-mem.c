/*
 * Random trees, rendered by flatten.c and by the slowest reference there is: a function that asks,
 * for one address, who answers there. Random accesses through the real door are compared with what
 * the reference says of each byte.
 *
 * The space is 256 units; a unit is 16 bytes, so that accesses straddle ranges all the time.
 */
#include "base/checked.h"
#include "mem/ram.h"
#include "mem/space.h"

#define REGIONS    12
#define SPACE_SIZE 4096
#define UNIT       16

struct input {
	const uint8_t *data;
	size_t len;
};

static unsigned take(struct input *in)
{
	if (!in->len)
		return 0;
	in->len--;
	return *in->data++;
}

struct forest {
	struct region regions[REGIONS];
	unsigned count;
	struct ram_block *ram;
	struct address_space as;
	struct region spare_root;
	struct flat_view *told; /* what the listener thinks */
	unsigned ring;          /* register accesses so far */
};

/* Registers answer with a byte made of who they are and where; writes vanish. */
static uint8_t register_byte(const struct region *r, uint64_t offset)
{
	return (uintptr_t)r->opaque * 37 + offset;
}

static uint64_t fuzz_read(void *opaque, uint64_t offset, unsigned size)
{
	struct region fake = {.opaque = opaque};
	uint64_t value = 0;

	for (unsigned i = 0; i < size; i++)
		value |= (uint64_t)register_byte(&fake, offset + i) << (8 * i);
	return value;
}

static void fuzz_write(void *opaque, uint64_t offset, uint64_t value, unsigned size)
{
	g_assert_cmpint(size, <=, 8);
	g_assert_cmphex(value & ~(~0ULL >> (64 - 8 * size)), ==, 0);
}

static const struct io_ops ops[] = {
	{.read = fuzz_read, .write = fuzz_write},
	{.read = fuzz_read, .write = fuzz_write, .lock = LOCK_NONE, .impl = {4, 4}},
	{.read = fuzz_read, .write = fuzz_write, .valid = {1, 1}},
	{.read = fuzz_read,
	 .write = fuzz_write,
	 .valid = {.unaligned = true},
	 .impl = {1, 8, true}},
};

/* ---- The reference ---- */

struct answer {
	const struct region *leaf; /* NULL: nobody */
	uint64_t offset;
	bool readonly;
};

static struct answer ask(const struct region *r, int64_t at, bool readonly)
{
	struct answer answer = {NULL};

	if (!r->enabled || at < 0 || at >= (int64_t)r->size)
		return answer;
	readonly |= r->readonly;
	if (r->kind == REGION_ALIAS)
		return ask(r->target, at + (int64_t)r->target_offset, readonly);
	for (guint i = 0; r->children && i < r->children->len && !answer.leaf; i++) {
		const struct region *child = g_ptr_array_index(r->children, i);

		answer = ask(child, at - (int64_t)child->addr, readonly);
	}
	if (!answer.leaf && r->kind != REGION_CONTAINER)
		answer = (struct answer){r, at, readonly};
	return answer;
}

static const struct flat_range *range_at(const struct flat_view *view, uint64_t addr)
{
	for (size_t i = 0; i < view->count; i++) {
		if (addr - view->ranges[i].start < view->ranges[i].size)
			return &view->ranges[i];
	}
	return NULL;
}

static void check_view(const struct forest *f, const struct flat_view *view)
{
	for (uint64_t addr = 0; addr < SPACE_SIZE; addr++) {
		struct answer expected = ask(&f->regions[0], addr, false);
		const struct flat_range *range = range_at(view, addr);

		g_assert_true((range ? range->region : NULL) == expected.leaf);
		if (!range)
			continue;
		g_assert_cmphex(range->offset + addr - range->start, ==, expected.offset);
		if (range->region->kind == REGION_RAM)
			g_assert_true(range->readonly == expected.readonly);
	}
	for (size_t i = 1; i < view->count; i++) {
		const struct flat_range *a = &view->ranges[i - 1], *b = &view->ranges[i];

		g_assert_cmphex(a->start + a->size, <=, b->start);
		/* Neighbours that could be one are one. */
		g_assert_false(a->start + a->size == b->start && a->region == b->region &&
			       a->offset + a->size == b->offset && a->readonly == b->readonly &&
			       a->io_read == b->io_read && a->io_write == b->io_write);
	}
}

/* ---- A listener that keeps a view of its own from the differences ---- */

static void told_del(void *opaque, const struct flat_range *range)
{
	struct forest *f = opaque;

	for (size_t i = 0; i < f->told->count; i++) {
		if (f->told->ranges[i].start != range->start)
			continue;
		g_assert_true(f->told->ranges[i].region == range->region);
		f->told->ranges[i] = f->told->ranges[--f->told->count];
		return;
	}
	g_assert_not_reached();
}

static void told_add(void *opaque, const struct flat_range *range)
{
	struct forest *f = opaque;

	for (size_t i = 0; i < f->told->count; i++) {
		const struct flat_range *other = &f->told->ranges[i];

		g_assert_true(other->start + other->size <= range->start ||
			      range->start + range->size <= other->start);
	}
	g_assert_cmpuint(f->told->count, <, SPACE_SIZE);
	f->told->ranges[f->told->count++] = *range;
}

static void check_told(const struct forest *f)
{
	g_assert_cmpuint(f->told->count, ==, f->as.view->count);
	for (size_t i = 0; i < f->told->count; i++) {
		const struct flat_range *range = range_at(f->as.view, f->told->ranges[i].start);

		g_assert_nonnull(range);
		g_assert_cmphex(range->start, ==, f->told->ranges[i].start);
		g_assert_cmphex(range->size, ==, f->told->ranges[i].size);
		g_assert_true(range->region == f->told->ranges[i].region);
		g_assert_true(range->host == f->told->ranges[i].host);
		g_assert_true(range->readonly == f->told->ranges[i].readonly);
	}
}

/* ---- Building and changing trees ---- */

static void make_region(struct forest *f, struct input *in)
{
	struct region *r = &f->regions[f->count];
	uint64_t size = (take(in) % 64 + 1) * UNIT - take(in) % 3;
	struct region *target = &f->regions[take(in) % f->count];
	unsigned kind = take(in);

	switch (kind % 6) {
	case 0:
		region_init_container(r, NULL, "container", size);
		break;
	case 1:
		region_init_ram(r, NULL, "ram", f->ram, kind * UNIT, size);
		break;
	case 2:
		region_init_rom(r, NULL, "rom", f->ram, kind * UNIT, size);
		break;
	case 3:
		region_init_rom_device(r, NULL, "romd", &ops[0], GINT_TO_POINTER(f->count), f->ram,
				       size);
		break;
	case 4:
		region_init_io(r, NULL, "io", &ops[kind / 6 % G_N_ELEMENTS(ops)],
			       GINT_TO_POINTER(f->count), size);
		break;
	default:
		/* Targets are older, so there is no ring; the root would hold the alias. */
		if (target == &f->regions[0])
			region_init_container(r, NULL, "box", size);
		else
			region_init_alias(r, NULL, "alias", target, take(in) * 4, size);
	}
	f->count++;
}

/* A ring of containers and aliases would be our own mistake, so it is not made here. */
static bool reaches(const struct region *from, const struct region *to)
{
	if (from == to)
		return true;
	if (from->kind == REGION_ALIAS)
		return reaches(from->target, to);
	for (guint i = 0; from->children && i < from->children->len; i++) {
		if (reaches(g_ptr_array_index(from->children, i), to))
			return true;
	}
	return false;
}

static void move_region(struct forest *f, struct region *r, struct input *in)
{
	struct region *parent = &f->regions[take(in) % f->count];

	if (r->parent)
		region_remove(r);
	if (parent->kind == REGION_ALIAS || reaches(r, parent))
		return;
	region_add(parent, take(in) * UNIT, r, take(in) % 5 - 2);
}

static void change(struct forest *f, struct input *in)
{
	struct region *r = &f->regions[1 + take(in) % (f->count - 1)];

	switch (take(in) % 8) {
	case 0:
		region_set_enabled(r, !r->enabled);
		break;
	case 1:
		region_set_addr(r, take(in) * 8);
		break;
	case 2:
		region_set_size(r, take(in) % 128 + 1);
		break;
	case 3:
		region_set_readonly(r, !r->readonly);
		break;
	case 4:
		if (r->kind == REGION_ROM_DEVICE)
			region_set_romd(r, !r->romd);
		break;
	case 5:
		if (r->kind == REGION_ALIAS)
			region_set_target_offset(r, take(in) * 4);
		else if (r->ram)
			region_set_ram_offset(r, take(in) * UNIT);
		break;
	default:
		move_region(f, r, in);
	}
}

/* ---- Accesses ---- */

static bool is_register(const struct region *leaf)
{
	return leaf &&
	       (leaf->kind == REGION_IO || (leaf->kind == REGION_ROM_DEVICE && !leaf->romd));
}

static uint8_t expected_byte(const struct forest *f, uint64_t addr)
{
	struct answer a = ask(&f->regions[0], addr, false);

	if (!a.leaf)
		return 0xff;
	if (is_register(a.leaf))
		return register_byte(a.leaf, a.offset);
	return f->ram->host[a.leaf->ram_offset + a.offset];
}

/*
 * An access belongs to the register where it begins, even if another leaf lies over its middle. Bytes
 * that an access begun up to seven bytes earlier may have swallowed are not compared.
 */
static bool blurred(const struct forest *f, uint64_t addr, unsigned i)
{
	const struct region *leaf = ask(&f->regions[0], addr + i, false).leaf;

	for (unsigned back = 1; back < 8 && back <= i; back++) {
		const struct region *before = ask(&f->regions[0], addr + i - back, false).leaf;

		if (before != leaf && is_register(before))
			return true;
	}
	return false;
}

static bool writable(const struct forest *f, uint64_t addr)
{
	struct answer a = ask(&f->regions[0], addr, false);

	return a.leaf && a.leaf->kind == REGION_RAM && !a.readonly;
}

static void check_read(struct forest *f, uint64_t addr, unsigned len)
{
	uint8_t got[256];

	as_read(&f->as, addr, got, len);
	for (unsigned i = 0; i < len; i++) {
		if (!blurred(f, addr, i))
			g_assert_cmphex(got[i], ==, expected_byte(f, addr + i));
	}
}

static void check_load(struct forest *f, struct space_hint *hint, uint64_t addr, unsigned size)
{
	uint64_t value;

	as_load(&f->as, hint, addr, size, &value);
	for (unsigned i = 0; i < size; i++) {
		if (!blurred(f, addr, i))
			g_assert_cmphex((uint8_t)(value >> (8 * i)), ==,
					expected_byte(f, addr + i));
	}
}

/* Memory changes where it may, and nowhere else: seen in the block, where aliases coincide. */
static void check_write(struct forest *f, uint64_t addr, unsigned len, uint8_t byte)
{
	g_autofree uint8_t *expected = g_memdup2(f->ram->host, f->ram->size);
	uint8_t bytes[256];

	memset(bytes, byte, sizeof(bytes));
	for (unsigned i = 0; i < len; i++) {
		struct answer a = ask(&f->regions[0], addr + i, false);

		if (writable(f, addr + i))
			expected[a.leaf->ram_offset + a.offset] = byte;
	}
	as_write(&f->as, addr, bytes, len);
	for (unsigned i = 0; i < len; i++) {
		struct answer a = ask(&f->regions[0], addr + i, false);

		if (writable(f, addr + i) && blurred(f, addr, i))
			expected[a.leaf->ram_offset + a.offset] =
				f->ram->host[a.leaf->ram_offset + a.offset];
	}
	g_assert_cmpmem(f->ram->host, f->ram->size, expected, f->ram->size);
}

static void check_map(struct forest *f, uint64_t addr, uint64_t len)
{
	struct as_mapping map;
	uint8_t *host = as_map(&f->as, addr, &len, true, &map);

	g_assert_true((host != NULL) == (len && writable(f, addr)));
	for (uint64_t i = 0; i < len; i++) {
		struct answer a = ask(&f->regions[0], addr + i, false);

		g_assert_true(writable(f, addr + i));
		g_assert_true(host + i == f->ram->host + a.leaf->ram_offset + a.offset);
	}
	as_unmap(&map, len);
}

static void make_access(struct forest *f, struct space_hint *hint, struct input *in)
{
	uint64_t addr = (take(in) << 4 | take(in)) % SPACE_SIZE;
	unsigned what = take(in), len = take(in);

	switch (what % 5) {
	case 0:
		check_read(f, addr, len);
		break;
	case 1:
		check_load(f, hint, addr, 1 << len % 4);
		break;
	case 2:
		check_write(f, addr, len, what);
		break;
	case 3:
		check_map(f, addr, len);
		break;
	default:
		as_store(&f->as, hint, addr, 1 << len % 4, what);
	}
}

/* ---- One run ---- */

static void run(struct forest *f, struct input *in)
{
	struct mem_listener listener = {.opaque = f, .range_del = told_del, .range_add = told_add};
	struct space_hint hint = {0};

	region_init_container(&f->regions[f->count++], NULL, "root", SPACE_SIZE);
	address_space_init(&f->as, "fuzz", &f->regions[0]);
	listener_add(&f->as, &listener);
	while (f->count < REGIONS)
		make_region(f, in);
	for (unsigned i = 1; i < f->count; i++)
		move_region(f, &f->regions[i], in);
	while (in->len) {
		unsigned batch = take(in);

		mem_begin();
		for (unsigned i = 0; i <= batch % 4; i++)
			change(f, in);
		mem_commit();
		check_view(f, f->as.view);
		check_told(f);
		for (unsigned i = 0; i < 4; i++)
			make_access(f, &hint, in);
	}
	listener_remove(&f->as, &listener);
	g_assert_cmpuint(f->told->count, ==, 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	g_autofree struct flat_range *ranges = g_new(struct flat_range, SPACE_SIZE);
	struct flat_view told = {.ranges = ranges};
	struct forest f = {.ram = ram_new("fuzz", 8192, NULL, NULL), .told = &told};
	struct input in = {data, MIN(len, 512)};

	for (unsigned i = 0; i < 8192; i++)
		f.ram->host[i] = i * 7;
	run(&f, &in);
	for (unsigned i = f.count; i-- > 0;)
		region_cleanup(&f.regions[i]);
	address_space_cleanup(&f.as);
	g_assert_cmpint(f.ram->refs, ==, 1);
	ram_unref(f.ram);
	return 0;
}
