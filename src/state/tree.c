/* All devices as one stream. */
#include "internal.h"

bool device_has_state(const struct device *dev)
{
	for (const struct device_type *t = dev->type; t; t = t->base) {
		if (t->state)
			return dev->realized;
	}
	return false;
}

/* ---- Saving ---- */

static void save_section(struct device *dev, void *opaque)
{
	GByteArray *out = opaque;
	g_autofree char *path = device_path(dev);
	size_t begin;

	if (!device_has_state(dev))
		return;
	put_u8(out, STATE_DEVICE);
	put_u32(out, strlen(path));
	g_byte_array_append(out, (const uint8_t *)path, strlen(path));
	put_u8(out, strlen(dev->type->name));
	g_byte_array_append(out, (const uint8_t *)dev->type->name, strlen(dev->type->name));
	begin = begin_length(out);
	state_save_device(dev, out);
	end_length(out, begin);
}

void state_save_tree(GByteArray *out)
{
	g_byte_array_append(out, (const uint8_t *)STATE_MAGIC, strlen(STATE_MAGIC));
	device_foreach(tree_root(), save_section, out);
	put_u8(out, STATE_END);
}

/* ---- Loading ---- */

struct load {
	GHashTable *loaded; /* struct device * */
	bool ok;
	GError **errp;
};

static struct device *section_device(const char *path, const char *type, struct load *load)
{
	struct device *dev = tree_find(path, NULL);

	if (!dev || !device_has_state(dev)) {
		error_set(load->errp, "the state has a device '%s' (%s) that is not here", path,
			  type);
		return NULL;
	}
	if (strcmp(dev->type->name, type)) {
		error_set(load->errp, "device '%s' is a %s here, a %s in the state", path,
			  dev->type->name, type);
		return NULL;
	}
	if (!g_hash_table_add(load->loaded, dev)) {
		error_set(load->errp, "the state has device '%s' twice", path);
		return NULL;
	}
	return dev;
}

static char *take_text(struct reader *r, size_t len)
{
	const uint8_t *p = take(r, len);

	return g_strndup((const char *)p, p ? len : 0);
}

static bool load_section(struct reader *r, struct load *load)
{
	g_autofree char *path = take_text(r, take_u32(r));
	g_autofree char *type = take_text(r, take_u8(r));
	struct reader records = take_part(r, take_u32(r));
	struct device *dev;

	if (r->failed) {
		error_set(load->errp, "the state is cut off");
		return false;
	}
	if (*path != '/' || !g_utf8_validate(path, -1, NULL) || !g_utf8_validate(type, -1, NULL)) {
		error_set(load->errp, "the state has a section without a valid path");
		return false;
	}
	dev = section_device(path, type, load);
	return dev && load_device_rows(dev, records.data, records.len, load->errp);
}

static bool load_sections(struct reader *r, struct load *load)
{
	for (;;) {
		uint8_t kind = take_u8(r);

		if (r->failed) {
			error_set(load->errp, "the state is cut off");
			return false;
		}
		if (kind == STATE_END)
			break;
		if (kind != STATE_DEVICE) {
			error_set(load->errp, "the state has a section of the unknown kind %u",
				  kind);
			return false;
		}
		if (!load_section(r, load))
			return false;
	}
	if (r->len)
		error_set(load->errp, "the state goes on for %zu bytes after its end", r->len);
	return !r->len;
}

static void check_loaded(struct device *dev, void *opaque)
{
	struct load *load = opaque;

	if (load->ok && device_has_state(dev) && !g_hash_table_contains(load->loaded, dev)) {
		g_autofree char *path = device_path(dev);

		error_set(load->errp, "the state lacks device '%s' (%s)", path, dev->type->name);
		load->ok = false;
	}
}

static void run_post_load(struct device *dev, void *opaque)
{
	struct load *load = opaque;

	if (load->ok && device_has_state(dev))
		load->ok = device_post_load(dev, load->errp);
}

bool state_load_tree(const uint8_t *data, size_t len, GError **errp)
{
	g_autoptr(GHashTable) loaded = g_hash_table_new(NULL, NULL);
	struct load load = {.loaded = loaded, .ok = true, .errp = errp};
	struct reader r = {.data = data, .len = len};
	const uint8_t *magic = take(&r, strlen(STATE_MAGIC));

	if (!magic || memcmp(magic, STATE_MAGIC, strlen(STATE_MAGIC))) {
		error_set(errp, "this is not saved state: it does not begin with '%s'",
			  STATE_MAGIC);
		return false;
	}
	if (!load_sections(&r, &load))
		return false;
	device_foreach(tree_root(), check_loaded, &load);
	if (load.ok)
		device_foreach(tree_root(), run_post_load, &load);
	return load.ok;
}
