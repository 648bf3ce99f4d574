/*
 * Trees, flat views, listeners.
 */
#include "base/checked.h"
#include "event/worker.h"
#include "mem/ram.h"
#include "mem/space.h"

static uint64_t no_read(void *opaque, uint64_t offset, unsigned size)
{
	return 0;
}

static void no_write(void *opaque, uint64_t offset, uint64_t value, unsigned size)
{
}

static const struct io_ops ops = {.read = no_read, .write = no_write};

static struct ram_block *new_ram(const char *name, uint64_t size)
{
	g_autoptr(GError) err = NULL;
	struct ram_block *ram = ram_new(name, size, NULL, &err);

	g_assert_no_error(err);
	return ram;
}

/* "start-end name[+offset][ flags];" for every range: a view in one string to compare with. */
static char *view_text(const struct address_space *as)
{
	GString *out = g_string_new(NULL);

	for (size_t i = 0; i < as->view->count; i++) {
		const struct flat_range *r = &as->view->ranges[i];

		g_string_append_printf(out, "%" PRIx64 "-%" PRIx64 " %s", r->start,
				       r->start + r->size - 1, r->region->name);
		if (r->offset)
			g_string_append_printf(out, "+%" PRIx64, r->offset);
		g_string_append(out, r->readonly ? " ro;" : ";");
	}
	return g_string_free(out, FALSE);
}

#define assert_view(as, expected)                                                                  \
	do {                                                                                       \
		g_autofree char *_text = view_text(as);                                            \
		g_assert_cmpstr(_text, ==, expected);                                              \
	} while (0)

static void test_priorities_and_holes(void)
{
	struct region root, low, high, inner, io;
	struct address_space as;

	region_init_container(&root, NULL, "root", 0x10000);
	region_init_io(&low, NULL, "low", &ops, NULL, 0x1000);
	region_init_container(&high, NULL, "high", 0x800);
	region_init_io(&inner, NULL, "inner", &ops, NULL, 0x100);
	region_init_io(&io, NULL, "io", &ops, NULL, 0x100);
	address_space_init(&as, "test", &root);
	assert_view(&as, "");
	region_add(&root, 0x1000, &low, 0);
	region_add(&root, 0x1400, &high, 1);
	assert_view(&as, "1000-1fff low;");
	region_add(&high, 0x40, &inner, 0);
	assert_view(&as, "1000-143f low;1440-153f inner;1540-1fff low+540;");

	/* The newest wins among equals; a lower one shows at its edges only. */
	region_add(&high, 0xc0, &io, 0);
	assert_view(&as, "1000-143f low;1440-14bf inner;14c0-15bf io;15c0-1fff low+5c0;");
	region_remove(&io);
	region_add(&high, 0xc0, &io, -1);
	assert_view(&as, "1000-143f low;1440-153f inner;1540-15bf io+80;15c0-1fff low+5c0;");

	/* Its container cuts it off. */
	region_set_size(&high, 0x100);
	assert_view(&as, "1000-143f low;1440-14ff inner;1500-1fff low+500;");
	region_set_enabled(&high, false);
	assert_view(&as, "1000-1fff low;");
	region_set_addr(&low, 0xff00);
	assert_view(&as, "ff00-ffff low;");

	region_cleanup(&io);
	region_cleanup(&inner);
	region_cleanup(&high);
	region_cleanup(&low);
	assert_view(&as, "");
	address_space_cleanup(&as);
	region_cleanup(&root);
}

static void test_aliases(void)
{
	struct ram_block *ram = new_ram("alias.ram", 0x100000);
	struct region root, ram_region, below, above, rom_alias;
	struct address_space as;
	uint64_t addr;

	region_init_container(&root, NULL, "root", REGION_SIZE_MAX);
	region_init_ram(&ram_region, NULL, "ram", ram, 0, 0x100000);
	region_init_alias(&below, NULL, "below", &ram_region, 0, 0x80000);
	region_init_alias(&above, NULL, "above", &ram_region, 0x80000, 0x80000);
	region_init_alias(&rom_alias, NULL, "rom-alias", &ram_region, 0xc000, 0x4000);
	address_space_init(&as, "test", &root);
	region_add(&root, 0, &below, 0);
	region_add(&root, 0x100000000, &above, 0);
	assert_view(&as, "0-7ffff ram;100000000-10007ffff ram+80000;");
	g_assert_true(region_absolute_addr(&ram_region, &addr));
	g_assert_cmphex(addr, ==, 0);

	/* The same piece through another alias is one range, until it differs. */
	region_add(&root, 0xc000, &rom_alias, 1);
	assert_view(&as, "0-7ffff ram;100000000-10007ffff ram+80000;");
	region_set_readonly(&rom_alias, true);
	assert_view(&as, "0-bfff ram;c000-ffff ram+c000 ro;10000-7ffff ram+10000;"
			 "100000000-10007ffff ram+80000;");
	region_set_target_offset(&rom_alias, 0);
	assert_view(&as, "0-bfff ram;c000-ffff ram ro;10000-7ffff ram+10000;"
			 "100000000-10007ffff ram+80000;");

	/* A change of the target alone is seen through the aliases. */
	region_set_enabled(&ram_region, false);
	assert_view(&as, "");
	g_assert_false(region_absolute_addr(&ram_region, &addr));

	region_cleanup(&rom_alias);
	region_cleanup(&above);
	region_cleanup(&below);
	region_cleanup(&ram_region);
	address_space_cleanup(&as);
	region_cleanup(&root);
	g_assert_cmpint(ram->refs, ==, 1);
	ram_unref(ram);
	g_assert_null(ram_find("alias.ram"));
}

/* An alias into a child of a container that is moved into another tree only later. */
static void test_alias_follows_its_target(void)
{
	struct region root, other, box, leaf, alias;
	struct address_space as;

	region_init_container(&root, NULL, "root", 0x10000);
	region_init_container(&other, NULL, "other", 0x10000);
	region_init_container(&box, NULL, "box", 0x1000);
	region_init_io(&leaf, NULL, "leaf", &ops, NULL, 0x10);
	region_init_alias(&alias, NULL, "alias", &box, 0, 0x1000);
	address_space_init(&as, "test", &root);
	region_add(&root, 0x2000, &alias, 0);
	region_add(&other, 0x5000, &box, 0);
	region_add(&box, 0x20, &leaf, 0);
	assert_view(&as, "2020-202f leaf;");
	region_remove(&box);
	region_set_addr(&leaf, 0x30);
	assert_view(&as, "2030-203f leaf;");
	region_cleanup(&leaf);
	assert_view(&as, "");
	region_cleanup(&alias);
	region_cleanup(&box);
	address_space_cleanup(&as);
	region_cleanup(&root);
	region_cleanup(&other);
}

/* ---- Listeners: what they hear, as one string ---- */

static void hear_begin(void *opaque)
{
	g_string_append(opaque, "[");
}

static void hear_commit(void *opaque)
{
	g_string_append(opaque, "]");
}

static void hear_del(void *opaque, const struct flat_range *range)
{
	g_string_append_printf(opaque, "-%s@%" PRIx64, range->region->name, range->start);
}

static void hear_add(void *opaque, const struct flat_range *range)
{
	g_string_append_printf(opaque, "+%s@%" PRIx64, range->region->name, range->start);
}

static void hear_log(void *opaque, const struct flat_range *range)
{
	g_string_append_printf(opaque, "L%s=%x", range->region->name, range->dirty_users);
}

static void hear_bell_add(void *opaque, const struct doorbell *bell)
{
	g_string_append_printf(opaque, "+bell@%" PRIx64, bell->offset);
}

static void hear_bell_del(void *opaque, const struct doorbell *bell)
{
	g_string_append_printf(opaque, "-bell@%" PRIx64, bell->offset);
}

static void hear_coalesced_add(void *opaque, const struct addr_range *range)
{
	g_string_append_printf(opaque, "+co@%" PRIx64, range->start);
}

static void hear_coalesced_del(void *opaque, const struct addr_range *range)
{
	g_string_append_printf(opaque, "-co@%" PRIx64, range->start);
}

static void hear_sync(void *opaque, const struct flat_range *range)
{
	g_string_append_printf(opaque, "S%s", range->region->name);
	dirty_mark(range->ram, range->ram_offset + RAM_PAGE_SIZE, 1);
}

static struct mem_listener ear(GString *heard)
{
	return (struct mem_listener){
		.opaque = heard,
		.begin = hear_begin,
		.commit = hear_commit,
		.range_del = hear_del,
		.range_add = hear_add,
		.log_changed = hear_log,
		.doorbell_add = hear_bell_add,
		.doorbell_del = hear_bell_del,
		.coalesced_add = hear_coalesced_add,
		.coalesced_del = hear_coalesced_del,
		.log_sync = hear_sync,
	};
}

#define assert_heard(heard, expected)                                                              \
	do {                                                                                       \
		g_assert_cmpstr((heard)->str, ==, expected);                                       \
		g_string_truncate(heard, 0);                                                       \
	} while (0)

static void test_listener_differences(void)
{
	g_autoptr(GString) heard = g_string_new(NULL);
	struct mem_listener listener = ear(heard);
	struct ram_block *ram = new_ram("listen.ram", 0x4000);
	struct region root, ram_region, io;
	struct address_space as;
	struct notifier notifier = {-1};
	struct doorbell bell = {.offset = 0x10, .size = 4, .notifier = &notifier};

	region_init_container(&root, NULL, "root", 0x100000);
	region_init_ram(&ram_region, NULL, "ram", ram, 0, 0x4000);
	region_init_io(&io, NULL, "io", &ops, NULL, 0x1000);
	address_space_init(&as, "test", &root);
	region_add(&root, 0, &ram_region, 0);
	listener_add(&as, &listener);
	assert_heard(heard, "[+ram@0]");

	region_add(&root, 0x8000, &io, 1);
	assert_heard(heard, "[+io@8000]");
	/* Under the RAM's nose: the piece after it is new, all removals come first. */
	region_set_addr(&io, 0x1000);
	assert_heard(heard, "[-ram@0-io@8000+ram@0+io@1000+ram@2000]");
	region_add_doorbell(&io, &bell);
	assert_heard(heard, "[+bell@1010]");
	region_add_coalesced(&io, 0x100, 0x10);
	assert_heard(heard, "[+co@1100]");
	mem_begin();
	region_set_addr(&io, 0x9000);
	region_set_enabled(&ram_region, false);
	region_set_enabled(&ram_region, true);
	assert_heard(heard, "");
	mem_commit();
	assert_heard(heard, "[-bell@1010-co@1100-ram@0-io@1000-ram@2000+ram@0+io@9000"
			    "+co@9100+bell@9010]");

	region_set_dirty_log(&ram_region, DIRTY_DISPLAY, true);
	assert_heard(heard, "[Lram=2]");
	dirty_test_and_clear(ram, DIRTY_DISPLAY, 0, 0x4000);
	address_space_sync_log(&as);
	assert_heard(heard, "Sram");
	g_assert_false(dirty_test_and_clear(ram, DIRTY_DISPLAY, 0, 0x1000));
	g_assert_true(dirty_test_and_clear(ram, DIRTY_DISPLAY, 0x1000, 0x1000));
	dirty_start(ram, DIRTY_MIGRATION, false);
	assert_heard(heard, "[Lram=3]");
	dirty_stop(ram, DIRTY_MIGRATION);
	region_set_dirty_log(&ram_region, DIRTY_DISPLAY, false);
	assert_heard(heard, "[Lram=2][Lram=0]");

	/* Nothing changed, nothing said. */
	mem_begin();
	region_set_addr(&io, 0x7000);
	region_set_addr(&io, 0x9000);
	mem_commit();
	assert_heard(heard, "");
	region_remove_doorbell(&io, &bell);
	assert_heard(heard, "[-bell@9010]");
	listener_remove(&as, &listener);
	assert_heard(heard, "[-co@9100-ram@0-io@9000]");

	region_cleanup(&io);
	region_cleanup(&ram_region);
	address_space_cleanup(&as);
	region_cleanup(&root);
	ram_unref(ram);
}

/* The owner may free a region at once, even in the middle of a transaction. */
static void test_cleanup_in_transaction(void)
{
	struct region root, *io = g_new(struct region, 1);
	struct address_space as;
	uint64_t value;

	region_init_container(&root, NULL, "root", 0x1000);
	region_init_io(io, NULL, "io", &ops, NULL, 0x100);
	address_space_init(&as, "test", &root);
	region_add(&root, 0, io, 0);
	mem_begin();
	region_cleanup(io);
	memset(io, 0xa5, sizeof(*io));
	g_free(io);
	g_assert_cmpint(as_load(&as, NULL, 0, 4, &value), ==, MEM_UNASSIGNED);
	mem_commit();
	address_space_cleanup(&as);
	region_cleanup(&root);
}

/* Views that were replaced do not pile up, although nobody waits for their readers. */
static void test_old_views_go(void)
{
	struct ram_block *ram = new_ram("old.ram", 0x1000);
	struct region root, ram_region;
	struct address_space as;

	region_init_container(&root, NULL, "root", REGION_SIZE_MAX);
	region_init_ram(&ram_region, NULL, "ram", ram, 0, 0x1000);
	address_space_init(&as, "test", &root);
	region_add(&root, 0, &ram_region, 0);
	for (unsigned i = 1; i <= 1000; i++)
		region_set_addr(&ram_region, i * 0x1000);
	worker_drain();
	for (unsigned i = 1; i <= 50; i++)
		region_set_addr(&ram_region, i * 0x1000);
	worker_drain();
	g_assert_cmpint(ram->refs, <, 150);
	region_cleanup(&ram_region);
	g_assert_cmpint(ram->refs, ==, 1);
	address_space_cleanup(&as);
	region_cleanup(&root);
	ram_unref(ram);
}

static void test_print(void)
{
	g_autoptr(GString) out = g_string_new(NULL);
	struct ram_block *ram = new_ram("print.ram", 0x100000);
	struct region root, empty, ram_region, below, io, rom;
	struct address_space as, twin, nothing;

	region_init_container(&root, NULL, "system", REGION_SIZE_MAX);
	region_init_container(&empty, NULL, "bus master container", REGION_SIZE_MAX);
	region_init_ram(&ram_region, NULL, "pc.ram", ram, 0, 0x100000);
	region_init_alias(&below, NULL, "ram-below-4g", &ram_region, 0, 0x80000);
	region_init_io(&io, NULL, "hpet", &ops, NULL, 0x400);
	region_init_rom(&rom, NULL, "pc.rom", ram, 0, 0x1000);
	address_space_init(&as, "memory", &root);
	address_space_init(&twin, "cpu-memory-0", &root);
	address_space_init(&nothing, "VGA", &empty);
	region_add(&root, 0xfed00000, &io, 0);
	region_add(&root, 0, &below, 0);
	region_add(&root, 0x40000, &rom, 1);
	address_space_print(&as, false, out);
	g_assert_cmpstr(out->str, ==,
			"address-space: memory\n"
			"  0000000000000000-ffffffffffffffff (prio 0, i/o): system\n"
			"    0000000000000000-000000000007ffff (prio 0, ram): alias ram-below-4g "
			"@pc.ram 0000000000000000-000000000007ffff\n"
			"    0000000000040000-0000000000040fff (prio 1, rom): pc.rom\n"
			"    00000000fed00000-00000000fed003ff (prio 0, i/o): hpet\n"
			"\n"
			"memory-region: pc.ram\n"
			"  0000000000000000-00000000000fffff (prio 0, ram): pc.ram\n"
			"\n");
	g_string_truncate(out, 0);
	address_spaces_print(true, out);
	g_assert_cmpstr(out->str, ==,
			"FlatView #0\n"
			" AS \"memory\", root: system\n"
			" AS \"cpu-memory-0\", root: system\n"
			" Root memory region: system\n"
			"  0000000000000000-000000000003ffff (prio 0, ram): pc.ram\n"
			"  0000000000040000-0000000000040fff (prio 1, rom): pc.rom\n"
			"  0000000000041000-000000000007ffff (prio 0, ram): pc.ram "
			"@0000000000041000\n"
			"  00000000fed00000-00000000fed003ff (prio 0, i/o): hpet\n"
			"\n"
			"FlatView #1\n"
			" AS \"VGA\", root: bus master container\n"
			" Root memory region: (none)\n"
			"  No rendered FlatView\n"
			"\n");
	address_space_cleanup(&nothing);
	address_space_cleanup(&twin);
	address_space_cleanup(&as);
	region_cleanup(&root);
	region_cleanup(&empty);
	region_cleanup(&below);
	region_cleanup(&io);
	region_cleanup(&rom);
	region_cleanup(&ram_region);
	ram_unref(ram);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/mem/view/priorities", test_priorities_and_holes);
	g_test_add_func("/mem/view/aliases", test_aliases);
	g_test_add_func("/mem/view/alias-follows", test_alias_follows_its_target);
	g_test_add_func("/mem/view/listener", test_listener_differences);
	g_test_add_func("/mem/view/cleanup-in-transaction", test_cleanup_in_transaction);
	g_test_add_func("/mem/view/old-views", test_old_views_go);
	g_test_add_func("/mem/view/print", test_print);
	return g_test_run();
}
