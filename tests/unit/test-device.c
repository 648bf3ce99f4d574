/* Devices: life, tree, properties, buses, lines, and what users add and remove. */
#include "trial-types.h"
#include "api/codec.h"
#include "device/describe.h"

#define assert_error(err, text)                                                                    \
	do {                                                                                       \
		g_assert_nonnull(err);                                                             \
		g_assert_cmpstr((err)->message, ==, text);                                         \
		g_clear_error(&(err));                                                             \
	} while (0)

static struct trial_card *card_of(struct device *dev)
{
	return container_of(dev, struct trial_card, base.dev);
}

static struct device *add(const char *json, GError **errp)
{
	g_autoptr(json_object) opts = json_parse(json, NULL);

	g_assert_nonnull(opts);
	return device_add(opts, errp);
}

static struct device *add_ok(const char *json)
{
	GError *err = NULL;
	struct device *dev = add(json, &err);

	g_assert_no_error(err);
	return dev;
}

static void add_fails(const char *json, const char *text)
{
	GError *err = NULL;

	g_assert_null(add(json, &err));
	assert_error(err, text);
}

/* ---- Life ---- */

static void test_life(void)
{
	struct trial_host *host = trial_setup();
	struct device *dev = device_new(&trial_card_type);
	GError *err = NULL;

	g_assert_cmpuint(card_of(dev)->base.size, ==, 16);
	g_assert_cmpstr(card_of(dev)->label, ==, "none");
	g_assert_cmpint(card_of(dev)->level, ==, -1);
	g_assert_true(device_realize(dev, NULL, NULL, &host->bus, &err));
	g_assert_cmpstr(trial_log->str, ==, "plug base.realize card.realize base.realized ");
	g_assert_true(dev->bus == &host->bus);
	g_string_truncate(trial_log, 0);
	device_reset(dev);
	g_assert_cmpstr(trial_log->str, ==, "base.reset card.reset ");
	g_string_truncate(trial_log, 0);
	device_unrealize(dev);
	g_assert_cmpstr(trial_log->str, ==, "unplug card.unrealize base.unrealize ");
	g_assert_cmpuint(host->bus.devices->len, ==, 0);
	trial_teardown(host);
}

static void test_realize_fails(void)
{
	struct trial_host *host = trial_setup();
	struct device *dev = device_new(&trial_card_type);
	guint before = tree_container("/machine/unattached")->children->len;
	GError *err = NULL;

	card_of(dev)->fail = true;
	g_assert_false(device_realize(dev, NULL, NULL, &host->bus, &err));
	assert_error(err, "card refuses");
	g_assert_cmpstr(trial_log->str, ==,
			"plug base.realize card.realize base.unrealize unplug ");
	g_assert_null(dev->parent);
	g_assert_null(dev->bus);
	g_assert_cmpuint(tree_container("/machine/unattached")->children->len, ==, before);

	card_of(dev)->fail = false;
	card_of(dev)->base.fail_realized = true;
	g_string_truncate(trial_log, 0);
	g_assert_false(device_realize(dev, NULL, NULL, &host->bus, &err));
	assert_error(err, "base refuses");
	g_assert_cmpstr(trial_log->str, ==,
			"plug base.realize card.realize base.realized card.unrealize "
			"base.unrealize unplug ");

	/* Nothing of the two attempts is in the way of a third. */
	card_of(dev)->base.fail_realized = false;
	g_assert_true(device_realize(dev, NULL, NULL, &host->bus, &err));
	device_unrealize(dev);
	trial_teardown(host);
}

static void test_reset_order(void)
{
	struct trial_host *host = trial_setup();

	/* In the tree the card comes before the provider of its bus; it is reset after it, and once. */
	add_ok("{'driver':'trial-card','id':'c'}");
	g_string_truncate(trial_log, 0);
	device_reset(tree_container("/machine"));
	g_assert_cmpstr(trial_log->str, ==, "host.reset bus.reset base.reset card.reset ");
	g_string_truncate(trial_log, 0);
	device_reset(tree_container("/machine/peripheral"));
	g_assert_cmpstr(trial_log->str, ==, "base.reset card.reset ");
	trial_teardown(host);
}

/* ---- Tree ---- */

static void test_tree(void)
{
	struct trial_host *host = trial_setup();
	struct device *card = add_ok("{'driver':'trial-card','id':'c0'}");
	struct device *plain = add_ok("{'driver':'trial-plain'}");
	g_autofree char *card_path = device_path(card), *plain_path = device_path(plain);
	g_autofree char *root_path = device_path(tree_root());
	GError *err = NULL;

	g_assert_cmpstr(card_path, ==, "/machine/peripheral/c0");
	g_assert_cmpstr(plain_path, ==, "/machine/peripheral-anon/device[0]");
	g_assert_cmpstr(root_path, ==, "/");
	g_assert_true(tree_find("/machine//peripheral/c0/", NULL) == card);
	g_assert_true(tree_find("c0", NULL) == card);
	g_assert_true(tree_find("peripheral/c0", NULL) == card);
	g_assert_true(tree_find("/", NULL) == tree_root());
	g_assert_true(tree_find_id("c0") == card);
	g_assert_null(tree_find_id("c1"));
	g_assert_null(tree_find("/machine/c0", &err));
	g_assert_cmpstr(error_class_name(err), ==, "DeviceNotFound");
	assert_error(err, "Device '/machine/c0' not found");
	g_assert_null(tree_find("device[0]", &err));
	assert_error(err, "Path 'device[0]' is ambiguous");
	trial_teardown(host);
}

static void test_take_place(void)
{
	struct trial_host *host = trial_setup();
	struct device *dev = device_new(&trial_plain_type);
	struct device *below = tree_container("/machine/place/below");
	GError *err = NULL;

	g_assert_true(device_realize(dev, tree_container("/machine"), "place", NULL, &err));
	g_assert_true(below->parent == dev);
	g_assert_true(tree_find("/machine/place/below", NULL) == below);

	struct device *other = device_new(&trial_plain_type);
	g_assert_false(device_realize(other, tree_container("/machine"), "place", NULL, &err));
	assert_error(err, "attempt to add duplicate property 'place' to object (type 'container')");
	device_unref(other);
	device_unrealize(dev);
	trial_teardown(host);
}

/* ---- Properties ---- */

static void test_properties(void)
{
	struct trial_host *host = trial_setup();
	struct device *dev = device_new(&trial_card_type);
	struct trial_card *card = card_of(dev);
	GError *err = NULL;

	g_assert_true(device_set_text(dev, "size", "0x20", &err));
	g_assert_cmpuint(card->base.size, ==, 32);
	g_assert_true(device_set_text(dev, "fast", "on", &err));
	g_assert_true(card->base.fast);
	g_assert_true(device_set_text(dev, "label", "one", &err));
	g_assert_true(device_set_text(dev, "label", "two", &err));
	g_assert_cmpstr(card->label, ==, "two");
	g_assert_true(device_set_text(dev, "mac", "c0ffee", &err));
	g_assert_cmpuint(card->mac, ==, 0xc0ffee);

	g_assert_false(device_set_text(dev, "mac", "zz", &err));
	assert_error(err, "Property 'trial-card.mac' doesn't take value 'zz'");
	g_assert_cmpuint(card->mac, ==, 0xc0ffee);
	g_assert_false(device_set_text(dev, "friend", "nobody", &err));
	assert_error(err, "Device 'nobody' not found");
	g_assert_false(device_set_text(dev, "size", "2000", &err));
	g_clear_error(&err);
	g_assert_cmpuint(card->base.size, ==, 32);
	g_assert_false(device_set_text(dev, "fast", "bad", &err));
	assert_error(err, "Parameter 'fast' expects 'on' or 'off'");
	g_assert_false(device_set_text(dev, "lable", "x", &err));
	g_assert_nonnull(strstr(error_hint(err), "label"));
	assert_error(err, "Property 'trial-card.lable' not found");
	g_assert_false(device_set_text(dev, "type", "x", &err));
	assert_error(err, "Property 'trial-card.type' is not writable");
	device_unref(dev);
	trial_teardown(host);
}

static void test_live(void)
{
	struct trial_host *host = trial_setup();
	struct device *dev = add_ok("{'driver':'tcard','id':'c','label':'x','level':3}");
	struct device *anon = add_ok("{'driver':'tcard'}");
	struct trial_card *card = card_of(dev);
	GError *err = NULL;

	g_assert_cmpstr(card->label, ==, "x");
	g_assert_cmpint(card->level, ==, 3);
	g_assert_false(device_set_text(dev, "label", "y", &err));
	assert_error(err,
		     "Attempt to set property 'label' on device 'c' (type 'trial-card') after it "
		     "was realized");
	g_assert_false(device_set_text(anon, "label", "y", &err));
	assert_error(
		err,
		"Attempt to set property 'label' on anonymous device (type 'trial-card') after "
		"it was realized");
	g_assert_true(device_set_text(dev, "tuned", "12", &err));
	g_assert_false(device_set_text(dev, "tuned", "13", &err));
	assert_error(err, "13 brings bad luck");
	g_assert_cmpuint(card->tuned, ==, 12);
	trial_teardown(host);
}

static void assert_prop(struct device *dev, const char *name, const char *json)
{
	g_autoptr(json_object) value = device_get_json(dev, name, NULL);
	g_autofree char *text = json_print(value, false);

	g_assert_cmpstr(text, ==, json);
}

static void test_get(void)
{
	struct trial_host *host = trial_setup();
	struct device *dev = add_ok("{'driver':'trial-card','id':'c','mac':'ab','fast':true}");
	GError *err = NULL;

	assert_prop(dev, "type", "\"trial-card\"");
	assert_prop(dev, "realized", "true");
	assert_prop(dev, "hotplugged", "false");
	assert_prop(dev, "parent_bus", "\"/machine/unattached/device[0]/trial.0\"");
	assert_prop(dev, "mac", "\"ab\"");
	assert_prop(dev, "fast", "true");
	assert_prop(dev, "size", "16");
	assert_prop(dev, "friend", "\"\"");
	assert_prop(dev, "mode", "\"auto\"");
	g_assert_null(device_get_json(dev, "nope", &err));
	assert_error(err, "Property 'trial-card.nope' not found");
	trial_teardown(host);
}

static void test_globals(void)
{
	struct trial_host *host = trial_setup();
	GError *err = NULL;

	g_assert_true(global_add("trial-base", "size", "99", &err));
	g_assert_true(global_add("tcard", "label", "global", &err));
	struct device *dev = add_ok("{'driver':'trial-card','level':1}");
	g_assert_cmpuint(card_of(dev)->base.size, ==, 99);
	g_assert_cmpstr(card_of(dev)->label, ==, "global");
	g_assert_true(global_add("trial-plain", "foo", "1", &err));
	add_fails("{'driver':'trial-plain'}",
		  "can't apply global trial-plain.foo=1: Property 'trial-plain.foo' not found");
	trial_teardown(host);
}

/* ---- Adding and removing ---- */

static void test_add_errors(void)
{
	struct trial_host *host = trial_setup();

	add_fails("{}", "Parameter 'driver' is missing");
	add_fails("{'driver':'foo'}", "'foo' is not a valid device model name");
	add_fails("{'driver':'trial-object'}", "'trial-object' is not a valid device model name");
	add_fails("{'driver':'trial-base'}",
		  "Parameter 'driver' expects a non-abstract device type");
	add_fails("{'driver':'trial-host'}", "Parameter 'driver' expects a pluggable device type");
	add_fails("{'driver':'trial-card','id':'1a'}", "Parameter 'id' expects an identifier");
	add_fails("{'driver':'trial-card','id':''}", "Parameter 'id' expects an identifier");
	add_fails("{'driver':'trial-card','id':'a b'}", "Parameter 'id' expects an identifier");
	add_fails("{'driver':'trial-card','foo':'1'}", "Property 'trial-card.foo' not found");
	add_fails("{'driver':'trial-card','bus':'none'}", "Bus 'none' not found");
	add_fails("{'driver':'trial-plain','bus':'trial.0'}",
		  "Device 'trial-plain' can't go on TRIAL bus");
	add_ok("{'driver':'trial-card','id':'a'}");
	add_fails("{'driver':'trial-card','id':'a'}", "Duplicate device ID 'a'");
	add_fails("{'driver':'trial-card','bus':'trial.0/a'}", "Device 'a' has no child bus");
	add_fails("{'driver':'trial-card','bus':'trial.0/b'}", "Device 'b' not found");
	add_fails("{'driver':'trial-card','bus':'/machine/x'}", "Bus 'x' not found");
	add_ok("{'driver':'trial-card','bus':'trial.0'}");
	add_fails("{'driver':'trial-card','bus':'trial.0'}", "Bus 'trial.0' is full");
	add_fails("{'driver':'trial-card'}", "No 'TRIAL' bus found for device 'trial-card'");
	trial_teardown(host);
}

static void count_event(void *opaque, const struct event_type *type, json_object *json)
{
	g_autofree char *text = json_print(json_object_object_get(json, "data"), false);

	g_string_append_printf(opaque, "%s %s\n", type->name, text);
}

static void test_hotplug(void)
{
	struct trial_host *host = trial_setup();
	g_autoptr(GString) events = g_string_new("");
	GError *err = NULL;

	tree_set_ready(true);
	event_set_sink(count_event, events);
	add_fails("{'driver':'trial-plain'}", "Device 'trial-plain' does not support hotplugging");
	struct device *dev = add_ok("{'driver':'trial-card','id':'h'}");
	g_assert_true(dev->hotplugged);
	g_assert_cmpuint(card_of(dev)->reg8, ==, 1); /* it was reset */
	g_assert_false(device_del("g", &err));
	g_assert_cmpstr(error_class_name(err), ==, "DeviceNotFound");
	assert_error(err, "Device 'g' not found");
	g_assert_false(device_del("/machine", &err));
	assert_error(err, "/machine is not a hotpluggable device");
	g_assert_true(device_del("h", &err));
	g_assert_cmpstr(
		events->str, ==,
		"DEVICE_DELETED {\"device\": \"h\", \"path\": \"/machine/peripheral/h\"}\n");
	g_assert_null(tree_find_id("h"));
	event_set_sink(NULL, NULL);
	trial_teardown(host);
}

static void object_fails(const char *json, bool lenient, const char *text)
{
	g_autoptr(json_object) opts = json_parse(json, NULL);
	GError *err = NULL;

	g_assert_null(object_add(opts, lenient, &err));
	assert_error(err, text);
}

static struct device *object_ok(const char *json)
{
	g_autoptr(json_object) opts = json_parse(json, NULL);
	GError *err = NULL;
	struct device *dev = object_add(opts, true, &err);

	g_assert_no_error(err);
	return dev;
}

static void test_objects(void)
{
	struct trial_host *host = trial_setup();
	GError *err = NULL;

	object_fails("{'id':'x'}", true, "Parameter 'qom-type' is missing");
	object_fails("{'qom-type':'foo','id':'x'}", true,
		     "Parameter 'qom-type' does not accept value 'foo'");
	object_fails("{'qom-type':'trial-card','id':'x'}", true,
		     "Parameter 'qom-type' does not accept value 'trial-card'");
	object_fails("{'qom-type':'trial-object'}", true, "Parameter 'id' is missing");
	object_fails("{'qom-type':'trial-object','id':'x'}", true, "Parameter 'size' is missing");
	object_fails("{'qom-type':'trial-object','id':'x','size':1,'foo':1}", false,
		     "Parameter 'foo' is unexpected");
	object_fails("{'qom-type':'trial-object','id':'x','size':'1','foo':1}", true,
		     "Invalid parameter 'foo'");
	object_fails("{'qom-type':'trial-object','id':'x','size':1,'share':'on'}", false,
		     "Invalid parameter type for 'share', expected: boolean");
	struct device *dev = object_ok("{'qom-type':'trial-object','id':'o','size':'64k'}");
	object_fails("{'qom-type':'trial-object','id':'o','size':1}", true,
		     "attempt to add duplicate property 'o' to object (type 'container')");
	struct device *card = add_ok("{'driver':'trial-card','friend':'o'}");
	g_assert_true(card_of(card)->friend == dev);
	assert_prop(card, "friend", "\"o\"");
	device_ref(dev);
	g_assert_false(object_del("o", &err));
	assert_error(err, "object 'o' is in use, can not be deleted");
	device_unref(dev);
	g_assert_true(object_del("o", &err));
	g_assert_false(object_del("o", &err));
	assert_error(err, "object 'o' not found");
	trial_teardown(host);
}

static void test_help(void)
{
	struct trial_host *host = trial_setup();
	g_autoptr(GString) out = g_string_new("");
	GError *err = NULL;

	device_help(out);
	g_assert_cmpstr(out->str, ==,
			"Input devices:\n"
			"name \"trial-plain\", desc \"Neither bus nor properties\"\n"
			"\n"
			"Misc devices:\n"
			"name \"trial-card\", bus TRIAL, alias \"tcard\", desc \"A card with "
			"everything\"\n");
	g_string_truncate(out, 0);
	object_help(out);
	g_assert_cmpstr(out->str, ==, "List of user creatable objects:\n  trial-object\n");
	g_string_truncate(out, 0);
	g_assert_true(device_type_help("tcard", out, &err));
	g_assert_true(g_str_has_prefix(out->str, "trial-card options:\n  fast=<bool>"));
	g_assert_nonnull(strstr(out->str, "  size=<uint32>"));
	g_string_truncate(out, 0);
	g_assert_true(device_type_help("trial-plain", out, &err));
	g_assert_cmpstr(out->str, ==, "There are no options for trial-plain.\n");
	g_assert_false(device_type_help("nope", out, &err));
	assert_error(err, "Device 'nope' not found");
	trial_teardown(host);
}

static void assert_json(json_object *value, const char *expected)
{
	g_autofree char *text = json_print(value, false);

	g_assert_cmpstr(text, ==, expected);
	json_object_put(value);
}

static void test_describe(void)
{
	struct trial_host *host = trial_setup();

	object_ok("{'qom-type':'trial-object','id':'o','size':'64k'}");
	assert_json(device_describe(tree_container("/objects")),
		    "[{\"name\": \"type\", \"type\": \"string\"}, "
		    "{\"name\": \"o\", \"type\": \"child<trial-object>\"}]");
	assert_json(device_describe(tree_find_id("o")),
		    "[{\"name\": \"type\", \"type\": \"string\"}, "
		    "{\"name\": \"size\", \"type\": \"size\"}, "
		    "{\"name\": \"share\", \"type\": \"bool\"}]");
	assert_json(device_type_describe(&trial_base_type),
		    "[{\"name\": \"size\", \"type\": \"uint32\", \"description\": \"Size of the "
		    "card\", \"default-value\": 16}, {\"name\": \"fast\", \"type\": \"bool\", "
		    "\"description\": \"Whether it is fast\", \"default-value\": false}]");
	assert_json(device_types_describe("trial-base", true),
		    "[{\"name\": \"trial-base\", \"parent\": \"device\", \"abstract\": true}, "
		    "{\"name\": \"trial-card\", \"parent\": \"trial-base\"}]");
	assert_json(device_types_describe("user-creatable", false),
		    "[{\"name\": \"trial-object\", \"parent\": \"object\"}]");
	trial_teardown(host);
}

/* ---- Lines ---- */

static void listener(void *opaque, unsigned n, int level)
{
	g_string_append_printf(opaque, "%u=%d ", n, level);
}

static void test_irq(void)
{
	struct trial_host *host = trial_setup();
	struct device *a = add_ok("{'driver':'trial-card'}"),
		      *b = add_ok("{'driver':'trial-card'}");
	g_autoptr(GString) in = g_string_new(""), out = g_string_new("");

	irq_set(card_of(a)->pins[1], 1); /* goes nowhere */
	device_connect(a, "out", 1, device_input(b, NULL, 3));
	irq_raise(card_of(a)->pins[1]);
	g_assert_cmpint(card_of(b)->seen[3], ==, 1);
	g_assert_true(device_tap_inputs(b, NULL, listener, in));
	g_assert_true(device_tap_outputs(a, "out", listener, out));
	g_assert_true(device_tap_outputs(a, "out", listener, out));
	g_assert_false(device_tap_outputs(a, "in", listener, out));
	irq_lower(card_of(a)->pins[1]);
	irq_pulse(card_of(a)->pins[0]);
	g_assert_cmpint(card_of(b)->seen[3], ==, 0);
	g_assert_cmpstr(in->str, ==, "3=0 ");
	g_assert_cmpstr(out->str, ==, "1=0 0=1 0=0 ");
	device_connect(a, "out", 0, device_input(b, "", 2));
	irq_raise(card_of(a)->pins[0]);
	g_assert_cmpint(card_of(b)->seen[2], ==, 1);
	g_assert_null(device_input(b, NULL, 4));
	g_assert_null(device_input(b, "foo", 0));
	trial_teardown(host);
}

/* ---- The check of types ---- */

static void test_check(void)
{
	static const struct device_type nameless = {.name = "a", .size = sizeof(struct device)};
	static const struct device_type liar = {.name = "b",
						.alias = "a",
						.help = "x",
						.base = &trial_card_type,
						.size = sizeof(struct trial_card),
						.flags = STATE_NONE};
	static const struct device_type small = {.name = "c",
						 .help = "x",
						 .base = &trial_card_type,
						 .size = 8,
						 .flags = TYPE_ABSTRACT | TYPE_USER_CREATABLE};
	static const struct device_type *const bad[] = {&nameless, &liar, &small, NULL};
	g_autofree char *none = device_types_check(trial_types);
	g_autofree char *faults = device_types_check(bad);

	g_assert_cmpstr(none, ==, NULL);
	g_assert_nonnull(strstr(faults, "'a' has no help"));
	g_assert_nonnull(strstr(faults, "'a' has neither state nor STATE_NONE"));
	g_assert_nonnull(strstr(faults, "the name 'a' is there twice"));
	g_assert_nonnull(strstr(faults, "'b' has state and says STATE_NONE"));
	g_assert_nonnull(strstr(faults, "'c' is smaller than its base"));
	g_assert_nonnull(strstr(faults, "'c' is abstract and user-creatable"));
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/device/life", test_life);
	g_test_add_func("/device/realize-fails", test_realize_fails);
	g_test_add_func("/device/reset-order", test_reset_order);
	g_test_add_func("/device/tree", test_tree);
	g_test_add_func("/device/take-place", test_take_place);
	g_test_add_func("/device/properties", test_properties);
	g_test_add_func("/device/live", test_live);
	g_test_add_func("/device/get", test_get);
	g_test_add_func("/device/add-errors", test_add_errors);
	g_test_add_func("/device/hotplug", test_hotplug);
	g_test_add_func("/device/objects", test_objects);
	g_test_add_func("/device/help", test_help);
	g_test_add_func("/device/describe", test_describe);
	g_test_add_func("/device/irq", test_irq);
	g_test_add_func("/device/check", test_check);
	g_test_add_func("/device/globals", test_globals);
	return g_test_run();
}
