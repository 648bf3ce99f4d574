/* Adding and removing devices and objects at a user's request. */
#include "device/plug.h"
#include "event/loop.h"
#include "internal.h"

/* ---- Parameters ---- */

bool id_check(const char *id, GError **errp)
{
	bool ok = g_ascii_isalpha(*id);

	for (const char *c = id; ok && *c; c++)
		ok = g_ascii_isalnum(*c) || strchr("-._", *c);
	if (ok)
		return true;
	error_set(errp, "Parameter 'id' expects an identifier");
	error_add_hint(
		errp,
		"Identifiers consist of letters, digits, '-', '.', '_', starting with a letter.");
	return false;
}

/* The text of a member; NULL where it is missing or null. */
static const char *member(json_object *opts, const char *name)
{
	json_object *value = NULL;

	json_object_object_get_ex(opts, name, &value);
	return value ? json_object_get_string(value) : NULL;
}

static const char *needed_member(json_object *opts, const char *name, GError **errp)
{
	const char *text = member(opts, name);

	if (!text)
		error_set(errp, "Parameter '%s' is missing", name);
	return text;
}

static bool is_object_type(const struct device_type *type)
{
	return type->category == CATEGORY_BACKEND;
}

/* Types that -device knows, whether or not a user may make them. */
static bool is_device_type(const struct device_type *type)
{
	return type->category < CATEGORY_BACKEND;
}

static void hint_type(const char *name, bool (*filter)(const struct device_type *type),
		      GError **errp)
{
	g_autoptr(GPtrArray) names = g_ptr_array_new();
	const char *near;

	for (const struct device_type *const *t = device_types(); *t; t++) {
		if (filter(*t) && ((*t)->flags & TYPE_USER_CREATABLE))
			g_ptr_array_add(names, (void *)(*t)->name);
	}
	g_ptr_array_add(names, NULL);
	near = nearest_name(name, (const char *const *)names->pdata);
	if (near)
		error_add_hint(errp, "Did you mean '%s'?", near);
}

static const struct device_type *find_driver(const char *name, GError **errp)
{
	const struct device_type *type = device_type_find(name);

	if (!type || !is_device_type(type)) {
		error_set(errp, "'%s' is not a valid device model name", name);
		hint_type(name, is_device_type, errp);
		return NULL;
	}
	if (type->flags & TYPE_ABSTRACT) {
		error_set(errp, "Parameter 'driver' expects a non-abstract device type");
		return NULL;
	}
	if (!(type->flags & TYPE_USER_CREATABLE)) {
		error_set(errp, "Parameter 'driver' expects a pluggable device type");
		return NULL;
	}
	return type;
}

/* ---- device_add ---- */

/* The bus to plug into; *bus is NULL for a type that needs none. */
static bool choose_bus(const struct device_type *type, const char *name, struct bus **bus,
		       GError **errp)
{
	const char *kind = device_type_bus(type);

	*bus = NULL;
	if (name) {
		*bus = bus_find(name, errp);
		if (*bus && (!kind || strcmp((*bus)->type->kind, kind))) {
			error_set(errp, "Device '%s' can't go on %s bus", type->name,
				  (*bus)->type->kind);
			*bus = NULL;
		}
		return *bus != NULL;
	}
	if (kind) {
		*bus = bus_find_kind(kind);
		if (!*bus)
			error_set(errp, "No '%s' bus found for device '%s'", kind, type->name);
	}
	return !kind || *bus;
}

static bool check_hotplug(const struct device_type *type, const struct bus *bus, GError **errp)
{
	if (bus && !bus->type->hotplug) {
		error_set(errp, "Bus '%s' does not support hotplugging", bus->name);
		return false;
	}
	if (!(type->flags & TYPE_HOTPLUGGABLE)) {
		error_set(errp, "Device '%s' does not support hotplugging", type->name);
		return false;
	}
	return true;
}

static bool check_new_id(const char *id, GError **errp)
{
	struct device *peripherals = tree_container("/machine/peripheral");

	for (guint i = 0; peripherals->children && i < peripherals->children->len; i++) {
		struct device *dev = g_ptr_array_index(peripherals->children, i);

		if (!strcmp(dev->name, id)) {
			error_set(errp, "Duplicate device ID '%s'", id);
			return false;
		}
	}
	return true;
}

static void call_plugged(struct device *dev, const struct device_type *type)
{
	if (type->base)
		call_plugged(dev, type->base);
	if (type->plugged)
		type->plugged(dev);
}

static bool set_and_realize(struct device *dev, json_object *opts, struct bus *bus, GError **errp)
{
	struct device *parent =
		tree_container(dev->id ? "/machine/peripheral" : "/machine/peripheral-anon");

	dev->hotplugged = tree_ready();
	if (!device_set_all(dev, opts, errp) || !device_realize(dev, parent, dev->id, bus, errp))
		return false;
	if (!dev->hotplugged)
		return true;
	device_reset(dev);
	call_plugged(dev, dev->type);
	return true;
}

struct device *device_add(json_object *opts, GError **errp)
{
	const char *driver = needed_member(opts, "driver", errp);
	const char *id = member(opts, "id");
	const struct device_type *type = NULL;
	struct device *dev;
	struct bus *bus;

	if (!driver || (id && !id_check(id, errp)))
		return NULL;
	type = find_driver(driver, errp);
	if (!type || !choose_bus(type, member(opts, "bus"), &bus, errp))
		return NULL;
	if (tree_ready() && !check_hotplug(type, bus, errp))
		return NULL;
	if (id && !check_new_id(id, errp))
		return NULL;
	dev = device_new(type);
	dev->id = g_strdup(id);
	if (!set_and_realize(dev, opts, bus, errp)) {
		device_unref(dev);
		return NULL;
	}
	return dev;
}

/* ---- Events ---- */

struct device_gone {
	char *device, *path;
};
static const struct field device_gone_rows[] = {
	OPT_STRING(struct device_gone, device, "device", "The device's ID, if it has one"),
	ARG_STRING(struct device_gone, path, "path", "Its path in the tree"),
	FIELD_ROW_END,
};
static const struct field_set device_gone_set = {
	.name = "DeviceGone",
	.size = sizeof(struct device_gone),
	.rows = device_gone_rows,
};

enum { EVENT_DELETED, EVENT_UNPLUG_REFUSED };
const struct event_type device_events[] = {
	[EVENT_DELETED] = {"DEVICE_DELETED", "A device is gone, at a user's request",
			   &device_gone_set},
	[EVENT_UNPLUG_REFUSED] = {"DEVICE_UNPLUG_GUEST_ERROR",
				  "The guest does not let go of a device that shall be unplugged",
				  &device_gone_set},
	{NULL},
};

static void unplug_now(struct device *dev)
{
	g_autofree char *id = g_strdup(dev->id);
	g_autofree char *path = device_path(dev);

	device_unrealize(dev);
	event_emit(&device_events[EVENT_DELETED], &(struct device_gone){id, path});
}

/* In between it may have gone with its bus. */
static void unplug_later(void *opaque)
{
	struct device *dev = opaque;

	if (dev->leaving)
		unplug_now(dev);
	device_unref(dev);
}

void device_unplug_done(struct device *dev)
{
	dev->unplug_pending = true;
	device_withdraw(dev);
	loop_defer(loop_main(), unplug_later, device_ref(dev));
}

void device_unplug_refused(struct device *dev)
{
	g_autofree char *path = device_path(dev);

	dev->unplug_pending = false;
	event_emit(&device_events[EVENT_UNPLUG_REFUSED], &(struct device_gone){dev->id, path});
}

/* ---- device_del ---- */

/* The type in the chain of @dev whose unplug_request it is; NULL: none. */
static const struct device_type *unplug_type(const struct device *dev)
{
	const struct device_type *type = dev->type;

	while (type && !type->unplug_request)
		type = type->base;
	return type;
}

bool device_unplug(struct device *dev, GError **errp)
{
	const struct device_type *type = unplug_type(dev);

	if (dev->unplug_pending) {
		error_set(errp, "Device %s is already in the process of unplug", device_label(dev));
		return false;
	}
	if (!check_hotplug(dev->type, dev->bus, errp))
		return false;
	if (!type) {
		unplug_now(dev);
		return true;
	}
	dev->unplug_pending = true;
	/* The request may complete at once, and the device be gone. */
	device_ref(dev);
	bool ok = type->unplug_request(dev, errp);
	if (!ok)
		dev->unplug_pending = false;
	device_unref(dev);
	return ok;
}

bool device_del(const char *id, GError **errp)
{
	struct device *dev = NULL;

	if (*id == '/') {
		dev = tree_find(id, NULL);
	} else {
		g_autofree char *path = g_strdup_printf("/machine/peripheral/%s", id);

		dev = tree_find(path, NULL);
	}
	if (!dev) {
		error_set_class(errp, ERROR_DEVICE_NOT_FOUND, "Device '%s' not found", id);
		return false;
	}
	if (device_is_container(dev) || !is_device_type(dev->type)) {
		error_set(errp, "%s is not a hotpluggable device", id);
		return false;
	}
	return device_unplug(dev, errp);
}

/* ---- Objects ---- */

static bool has_needed_props(const struct device_type *type, json_object *opts, GError **errp)
{
	g_autoptr(GArray) rows = device_type_props(type);

	FIELDS_FOREACH (row, (const struct field *)rows->data) {
		if (row->flags & (FIELD_OPTIONAL | FIELD_READONLY))
			continue;
		if (!json_object_object_get_ex(opts, row->name, NULL)) {
			error_set(errp, "Parameter '%s' is missing", row->name);
			return false;
		}
	}
	return true;
}

struct device *object_add(json_object *opts, bool lenient, GError **errp)
{
	const char *name = needed_member(opts, "qom-type", errp);
	const struct device_type *type = name ? device_type_find(name) : NULL;
	const char *id;

	if (!name)
		return NULL;
	if (!type || !is_object_type(type) || !(type->flags & TYPE_USER_CREATABLE)) {
		error_set(errp, "Parameter 'qom-type' does not accept value '%s'", name);
		hint_type(name, is_object_type, errp);
		return NULL;
	}
	id = needed_member(opts, "id", errp);
	if (!id || !id_check(id, errp) || !has_needed_props(type, opts, errp))
		return NULL;

	struct device *dev = device_new(type);
	dev->id = g_strdup(id);
	if (!props_set_object(dev, opts, lenient, errp) ||
	    !device_realize(dev, tree_container("/objects"), id, NULL, errp)) {
		device_unref(dev);
		return NULL;
	}
	return dev;
}

bool object_del(const char *id, GError **errp)
{
	g_autofree char *path = g_strdup_printf("/objects/%s", id);
	struct device *dev = strchr(id, '/') ? NULL : tree_find(path, NULL);
	const struct device_type *type = dev ? unplug_type(dev) : NULL;
	GError *err = NULL;

	if (!dev || device_is_container(dev)) {
		error_set(errp, "object '%s' not found", id);
		return false;
	}
	if (g_atomic_int_get(&dev->refs) > 1 || (type && !type->unplug_request(dev, &err))) {
		if (!err)
			error_set(&err, "object '%s' is in use, can not be deleted", id);
		g_propagate_error(errp, err);
		return false;
	}
	device_unrealize(dev);
	return true;
}
