#include "trial-types.h"

GString *trial_log;

static void note(const char *text)
{
	g_string_append_printf(trial_log, "%s ", text);
}

/* ---- The host: provides a bus of two places ---- */

static bool trial_plug(struct bus *bus, struct device *dev, GError **errp)
{
	note("plug");
	return true;
}

static void trial_unplug(struct bus *bus, struct device *dev)
{
	note("unplug");
}

static void trial_bus_reset(struct bus *bus)
{
	note("bus.reset");
}

static const struct bus_type trial_bus = {
	.kind = "TRIAL",
	.help = "A bus for tests",
	.plug = trial_plug,
	.unplug = trial_unplug,
	.reset = trial_bus_reset,
	.hotplug = true,
};

static bool host_realize(struct device *dev, GError **errp)
{
	struct trial_host *host = container_of(dev, struct trial_host, dev);

	bus_init(&host->bus, &trial_bus, dev, NULL);
	host->bus.max_devices = 2;
	return true;
}

static void host_reset(struct device *dev)
{
	container_of(dev, struct trial_host, dev)->resets++;
	note("host.reset");
}

const struct device_type trial_host_type = {
	.name = "trial-host",
	.help = "Provides the trial bus",
	.category = CATEGORY_BRIDGE,
	.size = sizeof(struct trial_host),
	.flags = STATE_NONE,
	.realize = host_realize,
	.reset = host_reset,
};

/* ---- The base of cards ---- */

static bool base_realize(struct device *dev, GError **errp)
{
	note("base.realize");
	return true;
}

static bool base_realized(struct device *dev, GError **errp)
{
	note("base.realized");
	if (container_of(dev, struct trial_base, dev)->fail_realized) {
		error_set(errp, "base refuses");
		return false;
	}
	return true;
}

static void base_unrealize(struct device *dev)
{
	note("base.unrealize");
}

static void base_reset(struct device *dev)
{
	container_of(dev, struct trial_base, dev)->status = 0;
	note("base.reset");
}

static const struct field base_props[] = {
	PROP_UINT(struct trial_base, size, "size", 16, 1024, "Size of the card"),
	PROP_BOOL(struct trial_base, fast, "fast", false, "Whether it is fast"),
	FIELD_ROW_END,
};

static const struct field base_state[] = {
	SAVE_UINT(struct trial_base, status),
	FIELD_ROW_END,
};

const struct device_type trial_base_type = {
	.name = "trial-base",
	.help = "What cards have in common",
	.bus = "TRIAL",
	.size = sizeof(struct trial_base),
	.flags = TYPE_ABSTRACT,
	.props = base_props,
	.state = base_state,
	.realize = base_realize,
	.realized = base_realized,
	.unrealize = base_unrealize,
	.reset = base_reset,
};

/* ---- A card ---- */

static void *friend_resolve(const char *name, GError **errp)
{
	return tree_find_type(name, &trial_object_type, errp);
}

static const char *friend_name(void *target)
{
	return device_label(target);
}

static const struct link_kind friend_link = {"trial-object", friend_resolve, friend_name};

static bool mac_parse(const char *text, void *ptr, GError **errp)
{
	char *end;

	*(uint64_t *)ptr = g_ascii_strtoull(text, &end, 16);
	return end != text && !*end;
}

static char *mac_print(const void *ptr)
{
	return g_strdup_printf("%" PRIx64, *(const uint64_t *)ptr);
}

static const struct field_custom mac_custom = {"hex", mac_parse, mac_print};

static bool set_tuned(void *object, const struct field *field, GError **errp)
{
	struct trial_card *card = object;

	if (card->tuned == 13) {
		error_set(errp, "13 brings bad luck");
		return false;
	}
	return true;
}

static const struct field card_props[] = {
	PROP_STRING(struct trial_card, label, "label", "none", "What is written on it"),
	PROP_ONOFFAUTO(struct trial_card, mode, "mode", ONOFFAUTO_AUTO, "How it works"),
	PROP_INT(struct trial_card, level, "level", -1, -5, 5, "Level"),
	PROP_LINK(struct trial_card, friend, "friend", &friend_link, "Whom it knows"),
	PROP_CUSTOM(struct trial_card, mac, "mac", &mac_custom, "0", "Address"),
	{
		FIELD_AT(struct trial_card, tuned, "tuned", FIELD_UINT, 4,
			 "May change at any time"),
		.flags = FIELD_OPTIONAL | FIELD_HAS_DEFAULT | FIELD_LIVE,
		.set = set_tuned,
	},
	FIELD_ROW_END,
};

static const struct field inner_state[] = {
	SAVE_UINT(struct trial_inner, kind),
	SAVE_UINTS(struct trial_inner, values),
	FIELD_ROW_END,
};
static const struct field_set inner_set = {"inner", sizeof(struct trial_inner), inner_state};

static void blob_save(const void *ptr, GByteArray *out)
{
	g_byte_array_append(out, ptr, 2);
}

static bool blob_load(void *ptr, const uint8_t *data, size_t len, GError **errp)
{
	if (len != 2) {
		error_set(errp, "%zu bytes instead of 2", len);
		return false;
	}
	memcpy(ptr, data, 2);
	return true;
}

static const struct field_custom blob_custom = {
	.name = "blob", .save = blob_save, .load = blob_load};

static bool extra_needed(const void *object)
{
	return ((const struct trial_card *)object)->flag;
}

static const struct field card_state[] = {
	SAVE_UINT(struct trial_card, reg8),
	SAVE_UINT(struct trial_card, reg16),
	{FIELD_AT(struct trial_card, reg32, "reg32", FIELD_INT, 4, ""), .min = -100, .max = 100},
	SAVE_UINT(struct trial_card, reg64),
	SAVE_BOOL(struct trial_card, flag),
	SAVE_UINTS(struct trial_card, table),
	SAVE_BYTES(struct trial_card, bytes),
	SAVE_STRUCT(struct trial_card, inner, &inner_set),
	SAVE_STRUCTS(struct trial_card, inners, &inner_set),
	{FIELD_AT(struct trial_card, text, "text", FIELD_STRING, sizeof(char *), "")},
	{FIELD_AT(struct trial_card, extra, "extra", FIELD_UINT, 1, ""), .needed = extra_needed},
	{FIELD_AT(struct trial_card, optional, "optional", FIELD_UINT, 1, ""),
	 .flags = FIELD_OPTIONAL},
	SAVE_CUSTOM(struct trial_card, blob, &blob_custom),
	FIELD_ROW_END,
};

static struct trial_card *card_of(struct device *dev)
{
	return container_of(dev, struct trial_card, base.dev);
}

static void card_input(void *opaque, unsigned n, int level)
{
	card_of(opaque)->seen[n] = level;
}

static bool card_realize(struct device *dev, GError **errp)
{
	struct trial_card *card = card_of(dev);

	note("card.realize");
	if (card->fail) {
		error_set(errp, "card refuses");
		return false;
	}
	device_add_inputs(dev, NULL, card_input, 4);
	device_add_outputs(dev, "out", card->pins, 2);
	return true;
}

static void card_unrealize(struct device *dev)
{
	note("card.unrealize");
	g_clear_pointer(&card_of(dev)->text, g_free);
}

static void card_reset(struct device *dev)
{
	struct trial_card *card = card_of(dev);

	note("card.reset");
	card->reg8 = 1;
	card->reg16 = 0;
	card->reg32 = 0;
	card->reg64 = 0;
	card->flag = false;
	card->extra = 0;
	card->optional = 7;
	memset(card->table, 0, sizeof(card->table));
	g_clear_pointer(&card->text, g_free);
}

static bool card_post_load(struct device *dev, GError **errp)
{
	struct trial_card *card = card_of(dev);

	card->post_loads++;
	if (card->reg8 == 0xee) {
		error_set(errp, "register 8 cannot be 0xee");
		return false;
	}
	return true;
}

const struct device_type trial_card_type = {
	.name = "trial-card",
	.alias = "tcard",
	.help = "A card with everything",
	.base = &trial_base_type,
	.size = sizeof(struct trial_card),
	.flags = TYPE_USER_CREATABLE | TYPE_HOTPLUGGABLE,
	.props = card_props,
	.state = card_state,
	.realize = card_realize,
	.unrealize = card_unrealize,
	.reset = card_reset,
	.post_load = card_post_load,
};

/* ---- A device without bus or properties, and a back end ---- */

const struct device_type trial_plain_type = {
	.name = "trial-plain",
	.help = "Neither bus nor properties",
	.category = CATEGORY_INPUT,
	.size = sizeof(struct device),
	.flags = TYPE_USER_CREATABLE | STATE_NONE,
};

struct trial_object {
	struct device dev;
	uint64_t size;
	bool share;
};

static const struct field object_props[] = {
	{FIELD_AT(struct trial_object, size, "size", FIELD_SIZE, 8, "Bytes")},
	PROP_BOOL(struct trial_object, share, "share", false, "Shared"),
	FIELD_ROW_END,
};

const struct device_type trial_object_type = {
	.name = "trial-object",
	.help = "A back end",
	.category = CATEGORY_BACKEND,
	.size = sizeof(struct trial_object),
	.flags = TYPE_USER_CREATABLE | STATE_NONE,
	.props = object_props,
};

const struct device_type *const trial_types[] = {
	&trial_host_type,  &trial_base_type,   &trial_card_type,
	&trial_plain_type, &trial_object_type, NULL,
};

/* ---- Set-up ---- */

struct trial_host *trial_setup(void)
{
	struct device *dev;

	device_types_set(trial_types);
	if (!trial_log)
		trial_log = g_string_new("");
	dev = device_create(&trial_host_type, NULL);
	g_string_truncate(trial_log, 0);
	return container_of(dev, struct trial_host, dev);
}

static void drop_children(const char *path)
{
	struct device *dev = tree_container(path);

	while (dev->children && dev->children->len)
		device_unrealize(g_ptr_array_index(dev->children, 0));
}

void trial_teardown(struct trial_host *host)
{
	tree_set_ready(false);
	device_unrealize(&host->dev);
	drop_children("/machine/peripheral");
	drop_children("/machine/peripheral-anon");
	drop_children("/objects");
}
