/*
 * RAM blocks and dirty bitmaps.
 */
#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>
#include <glib/gstdio.h>
#include "mem/ram.h"

static struct ram_block *make(uint64_t size, const struct ram_options *opt)
{
	g_autoptr(GError) err = NULL;
	struct ram_block *ram = ram_new("test.ram", size, opt, &err);

	g_assert_no_error(err);
	return ram;
}

static void assert_fails(uint64_t size, const struct ram_options *opt, const char *text)
{
	g_autoptr(GError) err = NULL;

	g_assert_null(ram_new("test.ram", size, opt, &err));
	g_assert_nonnull(err);
	g_assert_nonnull(strstr(err->message, text));
	g_assert_null(ram_find("test.ram"));
}

static uint64_t resident_pages(const struct ram_block *ram)
{
	uint64_t count = 0, pages = ram->size / RAM_PAGE_SIZE;
	g_autofree unsigned char *vec = g_malloc0(pages);

	g_assert_cmpint(mincore(ram->host, ram->size, vec), ==, 0);
	for (uint64_t i = 0; i < pages; i++)
		count += vec[i] & 1;
	return count;
}

static void test_lazy(void)
{
	struct ram_block *ram = make(64 * MIB, NULL);

	g_assert_cmpuint((uintptr_t)ram->host % (2 * MIB), ==, 0);
	g_assert_cmpuint(resident_pages(ram), ==, 0);
	g_assert_cmpuint(ram->page_size, ==, RAM_PAGE_SIZE);
	g_assert_cmpint(ram->fd, ==, -1);
	memset(ram->host + 64 * MIB - 4, 1, 4);
	ram_unref(ram);
}

static void test_names(void)
{
	struct ram_block *ram = make(5000, NULL), *again;
	g_autoptr(GError) err = NULL;
	uint64_t offset;

	g_assert_cmpuint(ram->size, ==, 8192);
	g_assert_true(ram_find("test.ram") == ram);
	g_assert_true(ram_find_host(ram->host + 8191, &offset) == ram);
	g_assert_cmpint(ram->refs, ==, 3);
	ram_unref(ram);
	ram_unref(ram);
	g_assert_cmpuint(offset, ==, 8191);
	g_assert_null(ram_find_host(ram->host + 8192, &offset));
	again = ram_new("test.ram", 4096, NULL, &err);
	g_assert_null(again);
	g_assert_cmpstr(err->message, ==, "RAM block 'test.ram' exists already");
	ram_unref(ram);
	g_assert_null(ram_find("test.ram"));
}

static void count_block(struct ram_block *ram, void *opaque)
{
	GString *names = opaque;

	g_string_append_printf(names, "%s ", ram->name);
}

static void test_foreach(void)
{
	g_autoptr(GString) names = g_string_new(NULL);
	struct ram_block *a = ram_new("b", 4096, NULL, NULL), *b = ram_new("a", 4096, NULL, NULL);

	ram_foreach(count_block, names);
	g_assert_cmpstr(names->str, ==, "b a ");
	ram_unref(a);
	ram_unref(b);
}

static void test_prealloc(void)
{
	struct ram_options opt = {.prealloc = true, .prealloc_threads = 3};
	struct ram_block *ram = make(8 * MIB + 4096, &opt);

	g_assert_cmpuint(resident_pages(ram), ==, 2049);
	ram_unref(ram);
	opt.memfd = opt.share = true;
	ram = make(8 * MIB, &opt);
	g_assert_cmpuint(resident_pages(ram), ==, 2048);
	ram_unref(ram);
}

static void test_memfd(void)
{
	struct ram_options opt = {.memfd = true, .share = true, .seal = true};
	struct ram_block *ram = make(MIB, &opt);
	char byte = 0;

	g_assert_cmpint(ram->fd, >=, 0);
	ram->host[12345] = 42;
	g_assert_cmpint(pread(ram->fd, &byte, 1, 12345), ==, 1);
	g_assert_cmpint(byte, ==, 42);
	g_assert_cmpint(ftruncate(ram->fd, 0), ==, -1);
	g_assert_cmpint(ftruncate(ram->fd, 2 * MIB), ==, -1);
	ram_unref(ram);

	opt = (struct ram_options){.memfd = true};
	ram = make(MIB, &opt);
	ram->host[12345] = 42;
	g_assert_cmpint(pread(ram->fd, &byte, 1, 12345), ==, 1);
	g_assert_cmpint(byte, ==, 0);
	ram_unref(ram);

	opt.hugetlb = true;
	opt.hugetlb_size = 3 * MIB;
	assert_fails(4 * MIB, &opt, "Hugepage size must be a power of 2");
	opt.hugetlb_size = 2 * MIB;
	assert_fails(MIB, &opt, "failed to ");
}

/* A lack of huge pages is an error with numbers, never a SIGBUS. */
static void test_huge_pages(void)
{
	struct ram_options opt = {.memfd = true, .hugetlb = true, .hugetlb_size = 2 * MIB};
	g_autofree char *free_pages = NULL;
	g_autoptr(GError) err = NULL;

	if (!g_file_get_contents("/sys/kernel/mm/hugepages/hugepages-2048kB/free_hugepages",
				 &free_pages, NULL, NULL) ||
	    atoi(free_pages)) {
		g_test_skip("needs a host with 2 MiB huge pages, of which none is free");
		return;
	}
	g_assert_null(ram_new("test.ram", 4 * MIB, &opt, &err));
	g_assert_cmpstr(err->message, ==,
			"unable to map backing store for guest RAM 'test.ram' of 4 MiB: "
			"Cannot allocate memory");
	g_assert_cmpstr(error_hint(err), ==,
			"2 huge pages of 2 MiB are needed, the host has 0 free; "
			"see /proc/sys/vm/nr_hugepages");
	opt.no_reserve = opt.prealloc = true;
	assert_fails(4 * MIB, &opt,
		     "preallocating 4 MiB of guest memory 'test.ram' failed: "
		     "not enough free huge pages");
}

static void test_file(void)
{
	g_autofree char *dir = g_dir_make_tmp("quail-ram-XXXXXX", NULL);
	g_autofree char *path = g_build_filename(dir, "ram", NULL);
	struct ram_options opt = {.path = path, .share = true};
	struct ram_block *ram = make(MIB, &opt);
	struct stat st;

	g_assert_cmpint(stat(path, &st), ==, 0);
	g_assert_cmpint(st.st_size, ==, MIB);
	ram->host[4096] = 7;
	ram_unref(ram);
	/* What the guest left is there again; private changes stay private. */
	opt.share = false;
	ram = make(MIB, &opt);
	g_assert_cmpint(ram->host[4096], ==, 7);
	ram->host[4096] = 8;
	ram_unref(ram);
	opt.readonly = opt.share = true;
	opt.prealloc = true;
	ram = make(MIB, &opt);
	g_assert_cmpint(ram->host[4096], ==, 7);
	g_assert_true(ram->readonly_file);
	ram_unref(ram);
	opt.prealloc = opt.readonly = false;
	assert_fails(2 * MIB, &opt,
		     "backing store size 0x100000 does not match 'size' option 0x200000");
	opt.align = 3000;
	assert_fails(MIB, &opt, "alignment 0xbb8 must be multiples of page size 0x1000");
	opt.align = 3 * 4096;
	assert_fails(MIB, &opt, "alignment 0x3000 must be a power of two");
	opt.align = 16 * MIB;
	ram = make(MIB, &opt);
	g_assert_cmpuint((uintptr_t)ram->host % (16 * MIB), ==, 0);
	ram_unref(ram);
	opt.discard_data = true;
	ram = make(MIB, &opt);
	ram->host[0] = 1;
	ram_unref(ram);
	opt.offset = MIB / 2;
	ram = make(MIB / 2, &opt);
	g_assert_cmpint(ram->host[0], ==, 0);
	ram_unref(ram);
	g_assert_cmpint(g_unlink(path), ==, 0);

	/* A folder: nothing is left in it. A file that could not be used: neither. */
	opt = (struct ram_options){.path = dir};
	ram = make(MIB, &opt);
	ram_unref(ram);
	opt.path = path;
	assert_fails(100, &opt,
		     "memory size 0x64 must be equal to or larger than page size 0x1000");
	g_assert_cmpint(g_rmdir(dir), ==, 0);
	assert_fails(MIB, &opt, "can't open backing store");
}

static void test_impossible(void)
{
	struct ram_options opt = {.policy = 2 /* bind */};
	unsigned long nodes[2] = {0, 1UL << 50};

	assert_fails(0, NULL, "of 0 bytes");
	assert_fails(UINT64_MAX, NULL, "cannot set up guest memory");
	assert_fails(900ULL << 40, NULL, "cannot set up guest memory 'test.ram' of 900 TiB");
	opt.host_nodes = nodes;
	opt.host_node_bits = 128;
	assert_fails(MIB, &opt, "cannot bind memory to host NUMA nodes");
}

/* ---- Dirty bitmaps ---- */

static void test_dirty(void)
{
	struct ram_block *ram = make(1000 * RAM_PAGE_SIZE, NULL);
	unsigned long bits[2];

	dirty_mark(ram, 0, ram->size); /* nobody listens */
	dirty_start(ram, DIRTY_DISPLAY, false);
	dirty_start(ram, DIRTY_MIGRATION, true);
	g_assert_true(dirty_test_and_clear(ram, DIRTY_MIGRATION, ram->size - 1, 1));
	g_assert_false(dirty_test_and_clear(ram, DIRTY_MIGRATION, ram->size - 1, 1));
	g_assert_true(dirty_test_and_clear(ram, DIRTY_MIGRATION, 0, ram->size));
	g_assert_false(dirty_test_and_clear(ram, DIRTY_DISPLAY, 0, ram->size));

	/* Pages 62 to 66, seen from page 60. */
	dirty_mark(ram, 63 * RAM_PAGE_SIZE - 1, 4 * RAM_PAGE_SIZE);
	g_assert_cmpuint(dirty_snapshot(ram, DIRTY_DISPLAY, 60 * RAM_PAGE_SIZE, 66 * RAM_PAGE_SIZE,
					bits),
			 ==, 5);
	g_assert_cmphex(bits[0], ==, 0x7c);
	g_assert_cmphex(bits[1], ==, 0);
	g_assert_cmpuint(dirty_snapshot(ram, DIRTY_DISPLAY, 0, ram->size / 10, bits), ==, 0);
	g_assert_cmpuint(dirty_snapshot(ram, DIRTY_MIGRATION, 2 * RAM_PAGE_SIZE, 65 * RAM_PAGE_SIZE,
					bits),
			 ==, 5);
	g_assert_cmphex(bits[0], ==, 0xfULL << 60);
	g_assert_cmphex(bits[1], ==, 1);

	/* Starts nest. */
	dirty_start(ram, DIRTY_DISPLAY, false);
	dirty_stop(ram, DIRTY_DISPLAY);
	dirty_mark(ram, 0, 1);
	g_assert_true(dirty_test_and_clear(ram, DIRTY_DISPLAY, 0, 1));
	dirty_stop(ram, DIRTY_DISPLAY);
	dirty_mark(ram, 0, 1);
	g_assert_false(dirty_test_and_clear(ram, DIRTY_DISPLAY, 0, 1));
	ram_unref(ram);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/mem/ram/lazy", test_lazy);
	g_test_add_func("/mem/ram/names", test_names);
	g_test_add_func("/mem/ram/foreach", test_foreach);
	g_test_add_func("/mem/ram/prealloc", test_prealloc);
	g_test_add_func("/mem/ram/memfd", test_memfd);
	g_test_add_func("/mem/ram/huge-pages", test_huge_pages);
	g_test_add_func("/mem/ram/file", test_file);
	g_test_add_func("/mem/ram/impossible", test_impossible);
	g_test_add_func("/mem/ram/dirty", test_dirty);
	return g_test_run();
}
