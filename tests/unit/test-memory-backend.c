/*
 * memory-backend-* objects, made the way -object makes them.
 */
#include <glib/gstdio.h>
#include "api/json.h"
#include "device/plug.h"
#include "machine/memory-backend.h"

static const struct device_type *const types[] = {
	&memory_backend_type,
	&memory_backend_ram_type,
	&memory_backend_memfd_type,
	&memory_backend_file_type,
	NULL,
};

static struct device *make(const char *json, GError **errp)
{
	g_autoptr(json_object) opts = json_tokener_parse(json);

	g_assert_nonnull(opts);
	return object_add(opts, true, errp);
}

static struct device *make_ok(const char *json)
{
	g_autoptr(GError) err = NULL;
	struct device *dev = make(json, &err);

	g_assert_no_error(err);
	return dev;
}

static void assert_fails(const char *json, const char *text)
{
	g_autoptr(GError) err = NULL;

	g_assert_null(make(json, &err));
	g_assert_nonnull(err);
	g_assert_cmpstr(err->message, ==, text);
	g_assert_null(ram_find("m"));
}

#define RAM(rest)   "{'qom-type':'memory-backend-ram','id':'m'" rest "}"
#define MEMFD(rest) "{'qom-type':'memory-backend-memfd','id':'m'" rest "}"
#define FILE_(rest) "{'qom-type':'memory-backend-file','id':'m'" rest "}"

static void test_kinds(void)
{
	struct ram_block *found;
	struct device *dev = make_ok(RAM(",'size':'2M'"));

	g_assert_cmpuint(memory_backend_ram(dev)->size, ==, 2 * MIB);
	found = ram_find("m");
	g_assert_true(found == memory_backend_ram(dev));
	ram_unref(found);
	g_assert_false(memory_backend_ram(dev)->shared);
	g_assert_true(object_del("m", NULL));
	g_assert_null(ram_find("m"));

	dev = make_ok(MEMFD(",'size':'2M','x-use-canonical-path-for-ramblock-id':'on'"));
	g_assert_true(memory_backend_ram(dev)->shared);
	g_assert_cmpint(memory_backend_ram(dev)->fd, >=, 0);
	found = ram_find("/objects/m");
	g_assert_nonnull(found);
	ram_unref(found);
	g_assert_true(object_del("m", NULL));

	dev = make_ok(FILE_(",'size':'2M','mem-path':'/dev/shm','share':'on','prealloc':'on'"));
	g_assert_true(memory_backend_ram(dev)->shared);
	g_assert_true(object_del("m", NULL));
}

static void test_errors(void)
{
	assert_fails(RAM(""), "Parameter 'size' is missing");
	assert_fails(RAM(",'size':'0'"),
		     "property 'size' of memory-backend-ram doesn't take value '0'");
	assert_fails(RAM(",'size':'1M','prealloc-threads':'0'"),
		     "property 'prealloc-threads' of memory-backend-ram doesn't take value '0'");
	assert_fails(RAM(",'size':'1M','prealloc':'on','reserve':'off'"),
		     "'prealloc=on' and 'reserve=off' are incompatible");
	assert_fails(RAM(",'size':'1M','policy':'bind'"), "host-nodes must be set for policy bind");
	assert_fails(
		RAM(",'size':'1M','host-nodes':[0]"),
		"host-nodes must be empty for policy default, or you should explicitly specify "
		"a policy other than default");
	assert_fails(RAM(",'size':'1M','policy':'bind','host-nodes':[129]"),
		     "Invalid host-nodes value: 129");
	assert_fails(RAM(",'size':'1M','policy':'bind','host-nodes':'100-101'"),
		     "cannot bind memory to host NUMA nodes: Invalid argument");
	assert_fails(RAM(",'size':'900T'"),
		     "cannot set up guest memory 'm' of 900 TiB: Cannot allocate memory");
	assert_fails(FILE_(",'size':'1M'"), "Parameter 'mem-path' is missing");
	assert_fails(FILE_(",'size':'1M','mem-path':'/nonexistent/x'"),
		     "can't open backing store /nonexistent/x for guest RAM: "
		     "No such file or directory");
	assert_fails(MEMFD(",'size':'4M','hugetlb':'on','hugetlbsize':'3M'"),
		     "Hugepage size must be a power of 2");
}

static void test_use(void)
{
	struct device *dev = make_ok(RAM(",'size':'1M'"));
	g_autoptr(GError) err = NULL;
	GError *busy = NULL;

	g_assert_true(memory_backend_link.resolve("m", &err) == dev);
	g_assert_no_error(err);
	g_assert_cmpstr(memory_backend_link.name_of(dev), ==, "m");
	g_assert_null(memory_backend_link.resolve("n", &busy));
	g_assert_cmpstr(busy->message, ==, "Memory backend 'n' not found");
	g_clear_error(&busy);
	g_assert_nonnull(memory_backend_use(dev, &err));
	g_assert_no_error(err);
	g_assert_null(memory_backend_use(dev, &busy));
	g_assert_cmpstr(busy->message, ==, "memory backend 'm' is already in use");
	g_clear_error(&busy);
	g_assert_false(object_del("m", &busy));
	g_assert_cmpstr(busy->message, ==, "object 'm' is in use, can not be deleted");
	g_clear_error(&busy);
	memory_backend_release(dev);
	g_assert_true(object_del("m", &err));
}

static void test_tables(void)
{
	for (size_t i = 0; types[i]; i++) {
		struct field_set set = {types[i]->name, types[i]->size, types[i]->props};
		g_autofree char *faults = fields_check(&set);

		g_assert_null(faults);
	}
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	device_types_set(types);
	g_test_add_func("/machine/memory-backend/kinds", test_kinds);
	g_test_add_func("/machine/memory-backend/errors", test_errors);
	g_test_add_func("/machine/memory-backend/use", test_use);
	g_test_add_func("/machine/memory-backend/tables", test_tables);
	return g_test_run();
}
