/* The life of a device: new, realize, reset, unrealize. */
#include "device/boot-order.h"
#include "internal.h"

struct device *device_new(const struct device_type *type)
{
	g_autofree const struct device_type **chain = type_chain(type);
	struct device *dev = g_malloc0(type->size);

	dev->type = type;
	dev->refs = 1;
	g_mutex_init(&dev->lock);
	if (device_type_inner(type))
		dev->inner = device_new(device_type_inner(type));
	for (const struct device_type **t = chain; *t; t++) {
		fields_set_defaults(type_core_props(*t), dev);
		fields_set_defaults((*t)->props, dev);
	}
	for (const struct device_type **t = chain; *t; t++) {
		if ((*t)->init)
			(*t)->init(dev);
	}
	globals_apply(dev);
	return dev;
}

struct device *device_ref(struct device *dev)
{
	g_atomic_int_inc(&dev->refs);
	return dev;
}

void device_unref(struct device *dev)
{
	if (!dev || !g_atomic_int_dec_and_test(&dev->refs))
		return;
	g_assert(!dev->parent);
	for (const struct device_type *t = dev->type; t; t = t->base)
		fields_clear(t->props, dev);
	device_free_irqs(dev);
	g_clear_pointer(&dev->children, g_ptr_array_unref);
	g_clear_pointer(&dev->buses, g_ptr_array_unref);
	g_clear_error(&dev->global_error);
	g_clear_pointer(&dev->inner, device_unref);
	g_mutex_clear(&dev->lock);
	g_free(dev->id);
	g_free(dev->name);
	g_free(dev);
}

/* ---- Realize ---- */

/* Undoes what stands below and on @dev's buses, and the first @done realize() of its chain. */
static void take_down(struct device *dev, const struct device_type **chain, size_t done)
{
	for (guint i = 0; dev->buses && i < dev->buses->len; i++) {
		struct bus *bus = g_ptr_array_index(dev->buses, i);

		while (bus->devices->len)
			device_unrealize(g_ptr_array_index(bus->devices, bus->devices->len - 1));
	}
	while (dev->children && dev->children->len)
		device_unrealize(g_ptr_array_index(dev->children, dev->children->len - 1));
	while (done--) {
		if (chain[done]->unrealize)
			chain[done]->unrealize(dev);
	}
	while (dev->buses && dev->buses->len)
		bus_cleanup(g_ptr_array_index(dev->buses, 0));
	device_free_irqs(dev);
}

static bool realize_chain(struct device *dev, GError **errp)
{
	g_autofree const struct device_type **chain = type_chain(dev->type);
	size_t done = 0;
	bool ok = true;

	for (; ok && chain[done]; done++) {
		if (chain[done]->realize && !chain[done]->realize(dev, errp)) {
			take_down(dev, chain, done);
			return false;
		}
	}
	for (size_t i = 0; ok && chain[i]; i++)
		ok = !chain[i]->realized || chain[i]->realized(dev, errp);
	if (!ok)
		take_down(dev, chain, done);
	return ok;
}

static bool take_boot_place(struct device *dev, GError **errp)
{
	const char *suffix = device_type_boot_suffix(dev->type);

	return !suffix || boot_order_add(dev->boot_index, dev, suffix, errp);
}

bool device_realize(struct device *dev, struct device *parent, const char *name, struct bus *bus,
		    GError **errp)
{
	g_assert(!dev->realized && !dev->parent);
	if (dev->global_error) {
		g_propagate_error(errp, g_steal_pointer(&dev->global_error));
		return false;
	}
	if (!parent)
		parent = tree_container("/machine/unattached");
	if (!tree_insert(dev, parent, name, errp))
		return false;
	if (bus && !bus_plug(bus, dev, errp))
		goto out;
	if (!take_boot_place(dev, errp) || !realize_chain(dev, errp))
		goto unplug;
	dev->realized = true;
	return true;

unplug:
	boot_order_remove(dev);
	bus_unplug(dev);
	dev->bus = NULL;
out:
	tree_remove(dev);
	return false;
}

struct device *device_create(const struct device_type *type, struct bus *bus)
{
	struct device *dev = device_new(type);
	GError *err = NULL;

	if (!device_realize(dev, NULL, NULL, bus, &err)) {
		g_prefix_error(&err, "the board's %s: ", type->name);
		error_report_err(err);
		abort();
	}
	return dev;
}

void device_withdraw(struct device *dev)
{
	if (!dev->realized)
		return;
	dev->realized = false;
	dev->leaving = true;
	boot_order_remove(dev);
	bus_unplug(dev);
}

void device_unrealize(struct device *dev)
{
	/* Off its bus first: unrealize may give the machine lock up while it waits for accesses to
	 * end, and then nobody must find the device there any more. */
	device_withdraw(dev);
	if (dev->leaving) {
		g_autofree const struct device_type **chain = type_chain(dev->type);

		dev->leaving = false;
		take_down(dev, chain, g_strv_length((char **)chain));
		dev->bus = NULL;
	}
	tree_remove(dev);
	device_unref(dev);
}

/* ---- Reset ---- */

static void reset_one(struct device *dev)
{
	g_autofree const struct device_type **chain = type_chain(dev->type);
	bool locked = dev->type->lock == LOCK_DEVICE;

	if (locked)
		device_lock(&dev->lock);
	for (const struct device_type **t = chain; *t; t++) {
		if ((*t)->reset)
			(*t)->reset(dev);
	}
	if (locked)
		device_unlock(&dev->lock);
}

/*
 * A device on a bus has two parents: its place in the tree and the provider of its bus. The first walk
 * goes by buses and skips such children, so that the provider is always reset first; the second
 * picks up those whose provider is not part of this reset.
 */
struct reset {
	GHashTable *seen;
	bool all;
};

static void reset_below(struct device *dev, void *opaque);

static void reset_child(struct device *dev, void *opaque)
{
	struct reset *reset = opaque;

	if (!dev->bus || reset->all)
		reset_below(dev, reset);
}

static void reset_below(struct device *dev, void *opaque)
{
	struct reset *reset = opaque;

	if (!dev->realized)
		return;
	if (g_hash_table_add(reset->seen, dev))
		reset_one(dev);
	else if (!reset->all)
		return;
	for (guint i = 0; !reset->all && dev->buses && i < dev->buses->len; i++) {
		struct bus *bus = g_ptr_array_index(dev->buses, i);

		if (bus->type->reset)
			bus->type->reset(bus);
		for (guint n = 0; n < bus->devices->len; n++)
			reset_below(g_ptr_array_index(bus->devices, n), reset);
	}
	device_foreach_child(dev, reset_child, reset);
}

void device_reset(struct device *dev)
{
	g_autoptr(GHashTable) seen = g_hash_table_new(NULL, NULL);
	struct reset reset = {.seen = seen};

	reset_below(dev, &reset);
	reset.all = true;
	reset_below(dev, &reset);
}
