/* Buses: who provides one, who sits on it, and how users name it. */
#include "internal.h"

/* ---- Names ---- */

struct bus_search {
	const char *name; /* NULL: any */
	const char *kind; /* NULL: any */
	bool with_room;
	struct bus *found;
};

/* How many bridges lead to it. */
static unsigned bus_depth(const struct bus *bus)
{
	unsigned depth = 0;

	for (; bus->parent->bus; bus = bus->parent->bus)
		depth++;
	return depth;
}

/* The first there is, but one nearer to the board before those behind it. */
static void match_bus(struct device *dev, void *opaque)
{
	struct bus_search *search = opaque;

	for (guint i = 0; dev->buses && i < dev->buses->len; i++) {
		struct bus *bus = g_ptr_array_index(dev->buses, i);

		if (search->name && strcmp(bus->name, search->name))
			continue;
		if (search->kind && strcmp(bus->type->kind, search->kind))
			continue;
		if (search->with_room && bus_is_full(bus))
			continue;
		if (!search->found || bus_depth(bus) < bus_depth(search->found))
			search->found = bus;
	}
}

static struct bus *search_bus(struct bus_search search)
{
	device_foreach(tree_root(), match_bus, &search);
	return search.found;
}

static char *default_name(const struct bus_type *type, struct device *parent)
{
	g_autofree char *kind = g_ascii_strdown(type->kind, -1);

	if (parent->id)
		return g_strdup_printf("%s.%u", parent->id, parent->buses->len);
	for (unsigned n = 0;; n++) {
		g_autofree char *name = g_strdup_printf("%s.%u", kind, n);

		if (!search_bus((struct bus_search){.name = name}))
			return g_steal_pointer(&name);
	}
}

void bus_init(struct bus *bus, const struct bus_type *type, struct device *parent, const char *name)
{
	if (!parent->buses)
		parent->buses = g_ptr_array_new();
	*bus = (struct bus){.type = type, .parent = parent, .devices = g_ptr_array_new()};
	bus->name = name ? g_strdup(name) : default_name(type, parent);
	g_ptr_array_add(parent->buses, bus);
}

void bus_cleanup(struct bus *bus)
{
	if (!bus->devices)
		return;
	g_assert(!bus->devices->len);
	g_ptr_array_remove(bus->parent->buses, bus);
	g_clear_pointer(&bus->devices, g_ptr_array_unref);
	g_clear_pointer(&bus->name, g_free);
}

bool bus_is_full(const struct bus *bus)
{
	return bus->full || (bus->max_devices && bus->devices->len >= bus->max_devices);
}

/* ---- Plugging ---- */

bool bus_plug(struct bus *bus, struct device *dev, GError **errp)
{
	if (bus_is_full(bus)) {
		error_set(errp, "Bus '%s' is full", bus->name);
		return false;
	}
	dev->bus = bus;
	if (bus->type->plug && !bus->type->plug(bus, dev, errp)) {
		dev->bus = NULL;
		return false;
	}
	g_ptr_array_add(bus->devices, dev);
	return true;
}

void bus_unplug(struct device *dev)
{
	struct bus *bus = dev->bus;

	if (!bus)
		return;
	g_ptr_array_remove(bus->devices, dev);
	if (bus->type->unplug)
		bus->type->unplug(bus, dev);
}

/* ---- Finding ---- */

struct bus *bus_find_kind(const char *kind)
{
	return search_bus((struct bus_search){.kind = kind, .with_room = true});
}

static void hint_devices(const struct bus *bus, GError **errp)
{
	g_autoptr(GString) list = g_string_new("");

	for (guint i = 0; i < bus->devices->len; i++) {
		struct device *dev = g_ptr_array_index(bus->devices, i);

		g_string_append_printf(list, "%s\"%s\"", i ? ", " : "", device_label(dev));
	}
	error_add_hint(errp, "devices at \"%s\": %s", bus->name, list->str);
}

static void hint_buses(const struct device *dev, GError **errp)
{
	g_autoptr(GString) list = g_string_new("");

	for (guint i = 0; dev->buses && i < dev->buses->len; i++) {
		struct bus *bus = g_ptr_array_index(dev->buses, i);

		g_string_append_printf(list, "%s\"%s\"", i ? ", " : "", bus->name);
	}
	error_add_hint(errp, "child buses at \"%s\": %s", device_label(dev), list->str);
}

/* By id, else by type's name. */
static struct device *device_on_bus(const struct bus *bus, const char *name, GError **errp)
{
	for (int by_type = 0; by_type < 2; by_type++) {
		for (guint i = 0; i < bus->devices->len; i++) {
			struct device *dev = g_ptr_array_index(bus->devices, i);
			const char *label = by_type ? dev->type->name : dev->id;

			if (label && !strcmp(label, name))
				return dev;
		}
	}
	error_set_class(errp, ERROR_DEVICE_NOT_FOUND, "Device '%s' not found", name);
	hint_devices(bus, errp);
	return NULL;
}

static struct bus *only_bus_of(const struct device *dev, GError **errp)
{
	if (dev->buses && dev->buses->len == 1)
		return g_ptr_array_index(dev->buses, 0);
	if (dev->buses && dev->buses->len) {
		error_set(errp, "Device '%s' has multiple child buses", device_label(dev));
		hint_buses(dev, errp);
	} else {
		error_set(errp, "Device '%s' has no child bus", device_label(dev));
	}
	return NULL;
}

static struct bus *bus_of(const struct device *dev, const char *name, GError **errp)
{
	for (guint i = 0; dev->buses && i < dev->buses->len; i++) {
		struct bus *bus = g_ptr_array_index(dev->buses, i);

		if (!strcmp(bus->name, name))
			return bus;
	}
	error_set(errp, "Bus '%s' not found", name);
	hint_buses(dev, errp);
	return NULL;
}

/* "pci.0/bridge/pci.1": bus and device in turn. */
static struct bus *bus_by_steps(const char *text, GError **errp)
{
	g_auto(GStrv) steps = g_strsplit(text, "/", 0);
	struct bus *bus = search_bus((struct bus_search){.name = steps[0]});

	if (!bus)
		error_set(errp, "Bus '%s' not found", steps[0]);
	for (size_t i = 1; bus && steps[i] && *steps[i]; i++) {
		struct device *dev = device_on_bus(bus, steps[i], errp);

		if (!dev)
			return NULL;
		if (!steps[i + 1] || !*steps[i + 1])
			return only_bus_of(dev, errp);
		bus = bus_of(dev, steps[++i], errp);
	}
	return bus;
}

/* "/machine/unattached/device[3]", with or without the bus's name at its end. */
static struct bus *bus_by_path(const char *path, GError **errp)
{
	struct device *dev = tree_find(path, NULL);
	const char *slash = strrchr(path, '/');

	if (dev)
		return only_bus_of(dev, errp);
	g_autofree char *parent = g_strndup(path, slash - path);
	dev = *parent ? tree_find(parent, NULL) : NULL;
	if (dev)
		return bus_of(dev, slash + 1, errp);
	error_set_class(errp, ERROR_DEVICE_NOT_FOUND, "Device '%s' not found", path + 1);
	return NULL;
}

static struct bus *bus_by_name(const char *name, GError **errp)
{
	struct device *dev;

	if (*name == '/')
		return bus_by_path(name, errp);
	if (!search_bus((struct bus_search){.name = name}) && !strchr(name, '/')) {
		dev = tree_find_id(name);
		if (dev && dev->buses && dev->buses->len)
			return only_bus_of(dev, errp);
	}
	return bus_by_steps(name, errp);
}

struct bus *bus_find(const char *name, GError **errp)
{
	struct bus *bus = bus_by_name(name, errp);

	if (bus && bus_is_full(bus)) {
		error_set(errp, "Bus '%s' is full", bus->name);
		return NULL;
	}
	return bus;
}
