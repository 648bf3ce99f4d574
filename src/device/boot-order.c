/* See include/device/boot-order.h. */
#include "device/boot-order.h"

struct boot_entry {
	int64_t index;
	struct device *dev;
	char *suffix;
};

static void entry_clear(void *opaque)
{
	g_free(((struct boot_entry *)opaque)->suffix);
}

static GArray *entries(void)
{
	static GArray *list; /* struct boot_entry, by index */

	if (!list) {
		list = g_array_new(false, true, sizeof(struct boot_entry));
		g_array_set_clear_func(list, entry_clear);
	}
	return list;
}

/* Where @index is, or belongs. */
static guint entry_place(int64_t index, bool *found)
{
	GArray *list = entries();
	guint place = 0;

	while (place < list->len && g_array_index(list, struct boot_entry, place).index < index)
		place++;
	*found = place < list->len && g_array_index(list, struct boot_entry, place).index == index;
	return place;
}

bool boot_order_check(int64_t index, GError **errp)
{
	bool found = false;

	if (index >= 0)
		entry_place(index, &found);
	if (found)
		error_set(errp, "The bootindex %" PRId64 " has already been used", index);
	return !found;
}

bool boot_order_add(int64_t index, struct device *dev, const char *suffix, GError **errp)
{
	struct boot_entry entry = {index, dev, NULL};
	bool found;
	guint place;

	if (index < 0)
		return true;
	place = entry_place(index, &found);
	if (found && !dev) {
		error_set(errp, "Two devices with same boot index %" PRId64, index);
		return false;
	}
	if (!boot_order_check(index, errp))
		return false;
	entry.suffix = g_strdup(suffix ?: "");
	g_array_insert_val(entries(), place, entry);
	return true;
}

void boot_order_remove(struct device *dev)
{
	GArray *list = entries();

	for (guint i = list->len; i-- > 0;) {
		if (g_array_index(list, struct boot_entry, i).dev == dev)
			g_array_remove_index(list, i);
	}
}

char *device_fw_path(struct device *dev)
{
	g_autofree char *above = NULL, *own = NULL;

	if (!dev || !dev->bus)
		return g_strdup("");
	above = device_fw_path(dev->bus->parent);
	own = dev->bus->type->fw_path ? dev->bus->type->fw_path(dev)
				      : g_strdup_printf("/%s", dev->type->name);
	return g_strconcat(above, own ?: "", NULL);
}

GBytes *boot_order_file(bool strict)
{
	g_autoptr(GPtrArray) lines = g_ptr_array_new_with_free_func(g_free);
	GArray *list = entries();
	char *text;

	for (guint i = 0; i < list->len; i++) {
		const struct boot_entry *entry = &g_array_index(list, struct boot_entry, i);
		g_autofree char *path = device_fw_path(entry->dev);

		g_ptr_array_add(lines, g_strconcat(path, entry->suffix, NULL));
	}
	if (!lines->len)
		return g_bytes_new(NULL, 0);
	if (strict)
		g_ptr_array_add(lines, g_strdup("HALT"));
	g_ptr_array_add(lines, NULL);
	text = g_strjoinv("\n", (char **)lines->pdata);
	return g_bytes_new_take(text, strlen(text) + 1);
}
