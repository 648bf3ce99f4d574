/*
 * The tree that holds every device, and the way to find one in it.
 *
 * Inner nodes that stand for nothing (/machine/unattached) are devices of the type "container": made
 * on demand, and replaced when a device takes their name.
 */
#include "internal.h"

static const struct device_type container_type = {
	.name = "container",
	.help = "A place in the device tree",
	.size = sizeof(struct device),
	.flags = STATE_NONE,
};

static struct device *root;
static bool ready;

bool device_is_container(const struct device *dev)
{
	return dev->type == &container_type;
}

void tree_set_ready(bool on)
{
	ready = on;
}

bool tree_ready(void)
{
	return ready;
}

static struct device *child_find(const struct device *dev, const char *name, size_t len)
{
	for (guint i = 0; dev->children && i < dev->children->len; i++) {
		struct device *child = g_ptr_array_index(dev->children, i);

		if (!strncmp(child->name, name, len) && !child->name[len])
			return child;
	}
	return NULL;
}

static void child_add(struct device *parent, struct device *dev)
{
	if (!parent->children)
		parent->children = g_ptr_array_new();
	g_ptr_array_add(parent->children, dev);
	dev->parent = parent;
}

static struct device *container_add(struct device *parent, const char *name, size_t len)
{
	struct device *dev = device_new(&container_type);

	dev->name = g_strndup(name, len);
	dev->realized = true;
	child_add(parent, dev);
	return dev;
}

struct device *tree_root(void)
{
	if (!root) {
		root = device_new(&container_type);
		root->name = g_strdup("");
		root->realized = true;
		tree_container("/machine/peripheral");
		tree_container("/machine/peripheral-anon");
		tree_container("/machine/unattached");
		tree_container("/objects");
		tree_container("/chardevs");
	}
	return root;
}

/* The next component of a path; skips slashes. False at the end. */
static bool path_next(const char **path, size_t *len)
{
	*path += strspn(*path, "/");
	*len = strcspn(*path, "/");
	return *len > 0;
}

struct device *tree_container(const char *path)
{
	struct device *dev = tree_root();
	size_t len;

	for (; path_next(&path, &len); path += len) {
		struct device *child = child_find(dev, path, len);

		dev = child ? child : container_add(dev, path, len);
	}
	return dev;
}

/* ---- Putting in, taking out ---- */

static char *free_name(const struct device *parent)
{
	for (unsigned n = 0;; n++) {
		g_autofree char *name = g_strdup_printf("device[%u]", n);

		if (!child_find(parent, name, strlen(name)))
			return g_steal_pointer(&name);
	}
}

/* @dev steps into the place of the container @old. */
static void take_place(struct device *old, struct device *dev)
{
	while (old->children && old->children->len)
		child_add(dev, g_ptr_array_steal_index(old->children, 0));
	tree_remove(old);
	device_unref(old);
}

bool tree_insert(struct device *dev, struct device *parent, const char *name, GError **errp)
{
	g_autofree char *free = name ? NULL : free_name(parent);
	struct device *old = name ? child_find(parent, name, strlen(name)) : NULL;

	if (old && !device_is_container(old)) {
		error_set(errp, "attempt to add duplicate property '%s' to object (type '%s')",
			  name, parent->type->name);
		return false;
	}
	if (old)
		take_place(old, dev);
	g_free(dev->name);
	dev->name = name ? g_strdup(name) : g_steal_pointer(&free);
	child_add(parent, dev);
	return true;
}

void tree_remove(struct device *dev)
{
	if (!dev->parent)
		return;
	g_ptr_array_remove(dev->parent->children, dev);
	dev->parent = NULL;
}

/* ---- Finding ---- */

char *device_path(const struct device *dev)
{
	GString *path = g_string_new("");

	for (; dev && dev != root; dev = dev->parent) {
		g_string_prepend(path, dev->name ? dev->name : "?");
		g_string_prepend_c(path, '/');
	}
	if (!path->len)
		g_string_append_c(path, '/');
	return g_string_free(path, false);
}

const char *device_label(const struct device *dev)
{
	return dev->id ? dev->id : dev->type->name;
}

static struct device *walk_down(struct device *dev, const char *path)
{
	size_t len;

	for (; dev && path_next(&path, &len); path += len)
		dev = child_find(dev, path, len);
	return dev;
}

struct partial {
	const char *path;
	struct device *found;
	unsigned count;
};

static void match_partial(struct device *dev, void *opaque)
{
	struct partial *partial = opaque;
	struct device *found = walk_down(dev, partial->path);

	if (found && found != dev) {
		partial->found = found;
		partial->count++;
	}
}

struct device *tree_find(const char *path, GError **errp)
{
	struct partial partial = {.path = path};

	if (*path == '/') {
		partial.found = walk_down(tree_root(), path);
	} else {
		device_foreach(tree_root(), match_partial, &partial);
		if (partial.count > 1) {
			error_set(errp, "Path '%s' is ambiguous", path);
			return NULL;
		}
	}
	if (!partial.found)
		error_set_class(errp, ERROR_DEVICE_NOT_FOUND, "Device '%s' not found", path);
	return partial.found;
}

struct device *tree_find_type(const char *path, const struct device_type *type, GError **errp)
{
	struct device *dev = tree_find(path, errp);

	if (dev && !device_type_is_a(dev->type, type)) {
		error_set(errp, "Device '%s' is a %s, expected: %s", path, dev->type->name,
			  type->name);
		return NULL;
	}
	return dev;
}

struct device *tree_find_id(const char *id)
{
	static const char *const places[] = {"/machine/peripheral", "/objects"};

	for (size_t i = 0; i < G_N_ELEMENTS(places); i++) {
		struct device *dev = child_find(tree_container(places[i]), id, strlen(id));

		if (dev)
			return dev;
	}
	return NULL;
}

void device_foreach_child(struct device *dev, void (*fn)(struct device *child, void *opaque),
			  void *opaque)
{
	for (guint i = 0; dev->children && i < dev->children->len; i++)
		fn(g_ptr_array_index(dev->children, i), opaque);
}

struct visit {
	void (*fn)(struct device *dev, void *opaque);
	void *opaque;
};

static void visit_below(struct device *dev, void *opaque)
{
	struct visit *visit = opaque;

	visit->fn(dev, visit->opaque);
	device_foreach_child(dev, visit_below, visit);
}

void device_foreach(struct device *dev, void (*fn)(struct device *dev, void *opaque), void *opaque)
{
	struct visit visit = {.fn = fn, .opaque = opaque};

	visit_below(dev, &visit);
}
