/* The boot order: the property "bootindex" of what firmware boots from, and the list it makes. */
#include "device/boot-order.h"
#include "trial-types.h"

static const struct device_type disk_type = {
	.name = "trial-disk",
	.help = "Can be booted from",
	.category = CATEGORY_STORAGE,
	.bus = "TRIAL",
	.size = sizeof(struct device),
	.flags = TYPE_USER_CREATABLE | STATE_NONE,
	.boot_suffix = "/disk@0,0",
};

static const struct device_type tape_type = {
	.name = "trial-tape",
	.help = "Boots from another place",
	.base = &disk_type,
	.category = CATEGORY_STORAGE,
	.size = sizeof(struct device),
	.flags = TYPE_USER_CREATABLE | STATE_NONE,
	.boot_suffix = "/tape@0",
};

/* ---- A card that carries a disk, and takes its place in the path ---- */

struct carrier {
	struct device dev;
	struct bus bus;
};

static char *no_path(struct device *dev)
{
	return NULL;
}

static const struct bus_type inside = {
	.kind = "TRIAL", .help = "The inside of a card", .fw_path = no_path};

static bool carrier_realize(struct device *dev, GError **errp)
{
	struct carrier *c = container_of(dev, struct carrier, dev);

	bus_init(&c->bus, &inside, dev, "inside");
	if (device_realize(device_ref(dev->inner), dev, "disk", &c->bus, errp))
		return true;
	device_unref(dev->inner);
	return false;
}

static const struct device_type carrier_type = {
	.name = "trial-carrier",
	.help = "Carries a disk",
	.bus = "TRIAL",
	.size = sizeof(struct carrier),
	.flags = TYPE_USER_CREATABLE | STATE_NONE,
	.inner = &disk_type,
	.realize = carrier_realize,
};

static const struct device_type *const types[] = {
	&trial_host_type, &disk_type, &tape_type, &carrier_type, &trial_plain_type, NULL,
};

/* ---- Tests ---- */

static struct trial_host *setup(void)
{
	struct trial_host *host = trial_setup();

	device_types_set(types);
	return host;
}

static struct device *add(const char *json, const char *error)
{
	g_autoptr(json_object) opts = json_parse(json, NULL);
	g_autoptr(GError) err = NULL;
	struct device *dev = device_add(opts, &err);

	g_assert_cmpstr(err ? err->message : NULL, ==, error);
	return dev;
}

static void assert_order(bool strict, const char *expected)
{
	g_autoptr(GBytes) list = boot_order_file(strict);
	size_t len;
	const char *text = g_bytes_get_data(list, &len);

	g_assert_cmpmem(text, len, expected, *expected ? strlen(expected) + 1 : 0);
}

static void set(struct device *dev, const char *value, const char *error)
{
	g_autoptr(GError) err = NULL;

	g_assert_cmpint(device_set_text(dev, "bootindex", value, &err), ==, !error);
	g_assert_cmpstr(err ? err->message : NULL, ==, error);
}

static void test_property(void)
{
	struct trial_host *host = setup();
	g_autofree char *faults = device_types_check(types);
	g_autoptr(GArray) rows = device_type_props(&tape_type);
	g_autoptr(json_object) value = NULL;
	struct device *dev;

	g_assert_cmpstr(faults, ==, NULL);
	g_assert_cmpuint(rows->len, ==, 1);
	g_assert_nonnull(device_type_prop(&carrier_type, "bootindex"));
	g_assert_null(device_type_prop(&trial_plain_type, "bootindex"));
	dev = add("{'driver':'trial-disk'}", NULL);
	value = device_get_json(dev, "bootindex", NULL);
	g_assert_cmpint(json_object_get_int(value), ==, -1);
	assert_order(true, "");
	trial_teardown(host);
}

static void test_order(void)
{
	struct trial_host *host = setup();

	add("{'driver':'trial-disk','id':'a','bootindex':5}", NULL);
	add("{'driver':'trial-tape','id':'b','bootindex':'2'}", NULL);
	assert_order(false, "/trial-tape/tape@0\n/trial-disk/disk@0,0");
	assert_order(true, "/trial-tape/tape@0\n/trial-disk/disk@0,0\nHALT");
	device_unrealize(tree_find_id("b"));
	assert_order(false, "/trial-disk/disk@0,0");
	add("{'driver':'trial-carrier','id':'c','bootindex':0}", NULL);
	assert_order(false, "/trial-carrier/disk@0,0\n/trial-disk/disk@0,0");
	trial_teardown(host);
	assert_order(true, "");
}

static void test_taken(void)
{
	struct trial_host *host = setup();
	GError *err = NULL;

	add("{'driver':'trial-disk','bootindex':1}", NULL);
	add("{'driver':'trial-tape','bootindex':1}", "The bootindex 1 has already been used");
	assert_order(false, "/trial-disk/disk@0,0");
	/* What was refused has left its place on the bus. */
	add("{'driver':'trial-tape','bootindex':-7}", NULL);
	assert_order(false, "/trial-disk/disk@0,0");
	g_assert_false(boot_order_add(1, NULL, "/rom@x", &err));
	g_assert_cmpstr(err->message, ==, "Two devices with same boot index 1");
	g_clear_error(&err);
	trial_teardown(host);
}

static void test_live(void)
{
	struct trial_host *host = setup();
	struct device *a = add("{'driver':'trial-disk','id':'a','bootindex':1}", NULL);
	struct device *b = add("{'driver':'trial-tape','id':'b'}", NULL);

	set(b, "0", NULL);
	assert_order(false, "/trial-tape/tape@0\n/trial-disk/disk@0,0");
	set(b, "1", "The bootindex 1 has already been used");
	assert_order(false, "/trial-tape/tape@0\n/trial-disk/disk@0,0");
	set(a, "-1", NULL);
	assert_order(false, "/trial-tape/tape@0");
	set(b, "7", NULL);
	set(a, "3", NULL);
	assert_order(false, "/trial-disk/disk@0,0\n/trial-tape/tape@0");
	trial_teardown(host);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/boot-order/property", test_property);
	g_test_add_func("/boot-order/order", test_order);
	g_test_add_func("/boot-order/taken", test_taken);
	g_test_add_func("/boot-order/live", test_live);
	return g_test_run();
}
