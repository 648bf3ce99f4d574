/*
 * The firmware configuration device: items, files and their directory. See include/hw/fw_cfg.h.
 *
 * A file's key follows from its place in the sorted list of names, so keys shift while the board is
 * still adding files and are stable from the first guest instruction on. The directory is made anew
 * whenever it is selected.
 */
#include "hw/nvram/fw_cfg.h"
#include "base/checked.h"
#include "base/trace.h"

TRACE_DEFINE(fw_cfg_select, "key 0x%04x, %zu bytes");

static void item_free(void *ptr)
{
	struct fw_cfg_item *item = ptr;

	g_clear_pointer(&item->content, g_bytes_unref);
	g_free(item->writable);
	g_free(item->name);
	g_free(item);
}

static void item_set(struct fw_cfg_item *item, GBytes *content, bool writable)
{
	GBytes *old = item->content;

	item->content = content ? g_bytes_ref(content) : NULL;
	if (old)
		g_bytes_unref(old);
	g_clear_pointer(&item->writable, g_free);
	item->len = 0;
	item->data = content ? g_bytes_get_data(content, &item->len) : NULL;
	if (writable && item->len) {
		item->writable = g_memdup2(item->data, item->len);
		item->data = item->writable;
	}
}

/* ---- Numbered items ---- */

static struct fw_cfg_item *item_at(struct fw_cfg *f, uint16_t key)
{
	struct fw_cfg_item *item = g_hash_table_lookup(f->items, GUINT_TO_POINTER(key));

	if (!item) {
		item = g_new0(struct fw_cfg_item, 1);
		g_hash_table_insert(f->items, GUINT_TO_POINTER(key), item);
	}
	return item;
}

void fw_cfg_add_gbytes(struct device *dev, uint16_t key, GBytes *content)
{
	item_set(item_at(fw_cfg_of(dev), key), content, false);
}

void fw_cfg_add_bytes(struct device *dev, uint16_t key, const void *data, size_t len)
{
	g_autoptr(GBytes) content = g_bytes_new(data, len);

	fw_cfg_add_gbytes(dev, key, content);
}

void fw_cfg_add_uint(struct device *dev, uint16_t key, uint64_t value, unsigned width)
{
	uint8_t bytes[8];

	put_le(bytes, width, value);
	fw_cfg_add_bytes(dev, key, bytes, width);
}

void fw_cfg_add_string(struct device *dev, uint16_t key, const char *text)
{
	fw_cfg_add_bytes(dev, key, text, strlen(text) + 1);
}

/* ---- Files ---- */

/* Where @name is, or belongs. */
static guint file_place(const struct fw_cfg *f, const char *name, bool *found)
{
	guint i = 0;
	int order = 1;

	for (; i < f->files->len; i++) {
		const struct fw_cfg_item *file = g_ptr_array_index(f->files, i);

		order = strcmp(name, file->name);
		if (order <= 0)
			break;
	}
	*found = i < f->files->len && !order;
	return i;
}

static struct fw_cfg_item *file_find(const struct fw_cfg *f, const char *name)
{
	bool found;
	guint i = file_place(f, name, &found);

	return found ? g_ptr_array_index(f->files, i) : NULL;
}

bool fw_cfg_add_file(struct device *dev, const struct fw_cfg_file *file, GError **errp)
{
	struct fw_cfg *f = fw_cfg_of(dev);
	struct fw_cfg_item *item;
	bool found;
	guint place = file_place(f, file->name, &found);

	if (strlen(file->name) >= FW_CFG_NAME_SIZE) {
		error_set(errp, "fw_cfg file name '%s' too long (max. %d char)", file->name,
			  FW_CFG_NAME_SIZE - 1);
		return false;
	}
	if (found) {
		error_set(errp, "duplicate fw_cfg file name: %s", file->name);
		return false;
	}
	if (f->files->len >= f->file_slots) {
		error_set(errp, "no room for fw_cfg file '%s': all %u slots are in use", file->name,
			  f->file_slots);
		return false;
	}
	item = g_new0(struct fw_cfg_item, 1);
	item->name = g_strdup(file->name);
	item->selected = file->selected;
	item->written = file->written;
	item->opaque = file->opaque;
	item_set(item, file->content, file->writable);
	g_ptr_array_insert(f->files, place, item);
	return true;
}

bool fw_cfg_add_file_bytes(struct device *dev, const char *name, const void *data, size_t len,
			   GError **errp)
{
	g_autoptr(GBytes) content = g_bytes_new(data, len);
	struct fw_cfg_file file = {.name = name, .content = content};

	return fw_cfg_add_file(dev, &file, errp);
}

bool fw_cfg_set_file(struct device *dev, const char *name, GBytes *content, GError **errp)
{
	struct fw_cfg_item *item = file_find(fw_cfg_of(dev), name);
	struct fw_cfg_file file = {.name = name, .content = content};

	if (!item)
		return fw_cfg_add_file(dev, &file, errp);
	item_set(item, content, item->writable);
	return true;
}

const uint8_t *fw_cfg_file_data(struct device *dev, const char *name, size_t *len)
{
	const struct fw_cfg_item *item = file_find(fw_cfg_of(dev), name);

	if (!item)
		return NULL;
	*len = item->len;
	return item->data;
}

static GBytes *make_directory(const struct fw_cfg *f)
{
	GByteArray *out = g_byte_array_new();
	uint8_t count[4];

	put_be32(count, f->files->len);
	g_byte_array_append(out, count, sizeof(count));
	for (guint i = 0; i < f->files->len; i++) {
		const struct fw_cfg_item *file = g_ptr_array_index(f->files, i);
		struct fw_cfg_dir_entry entry = {
			.size = GUINT32_TO_BE(file->len),
			.key = GUINT16_TO_BE(FW_CFG_FILE_FIRST + i),
		};

		g_strlcpy(entry.name, file->name, sizeof(entry.name));
		g_byte_array_append(out, (const uint8_t *)&entry, sizeof(entry));
	}
	return g_byte_array_free_to_bytes(out);
}

/* ---- Selecting and reading ---- */

static struct fw_cfg_item *item_of_key(struct fw_cfg *f, uint16_t key)
{
	unsigned file = (key & FW_CFG_KEY_MASK) - FW_CFG_FILE_FIRST;

	key &= FW_CFG_KEY_MASK | FW_CFG_ARCH_LOCAL;
	if (!(key & FW_CFG_ARCH_LOCAL) && key >= FW_CFG_FILE_FIRST)
		return file < f->files->len ? g_ptr_array_index(f->files, file) : NULL;
	return g_hash_table_lookup(f->items, GUINT_TO_POINTER(key));
}

struct fw_cfg_item *fw_cfg_selected(struct fw_cfg *f)
{
	return f->key == FW_CFG_NOTHING ? NULL : item_of_key(f, f->key);
}

void fw_cfg_select(struct fw_cfg *f, uint16_t key)
{
	struct fw_cfg_item *item;

	if (key == FW_CFG_FILE_DIR) {
		g_autoptr(GBytes) directory = make_directory(f);

		item_set(item_at(f, FW_CFG_FILE_DIR), directory, false);
	}
	f->key = (key & FW_CFG_KEY_MASK) < FW_CFG_FILE_FIRST + f->file_slots ? key : FW_CFG_NOTHING;
	f->offset = 0;
	item = fw_cfg_selected(f);
	trace(fw_cfg_select, key, item ? item->len : 0);
	if (item && item->selected)
		item->selected(item->opaque);
}

uint8_t fw_cfg_next_byte(struct fw_cfg *f)
{
	const struct fw_cfg_item *item = fw_cfg_selected(f);

	return item && f->offset < item->len ? item->data[f->offset++] : 0;
}

/* ---- Life, common to both forms ---- */

void fw_cfg_configure(struct device *dev, const struct fw_cfg_config *config)
{
	fw_cfg_of(dev)->config = *config;
}

static void fw_cfg_init(struct device *dev)
{
	struct fw_cfg *f = fw_cfg_of(dev);

	f->items = g_hash_table_new_full(NULL, NULL, NULL, item_free);
	f->files = g_ptr_array_new_with_free_func(item_free);
}

static bool fw_cfg_realize(struct device *dev, GError **errp)
{
	struct fw_cfg *f = fw_cfg_of(dev);

	if (f->file_slots < FW_CFG_FILE_SLOTS_MIN ||
	    f->file_slots > FW_CFG_KEY_MASK - FW_CFG_FILE_FIRST) {
		error_set(errp, "\"x-file-slots\" must be between 0x%x and 0x%x",
			  FW_CFG_FILE_SLOTS_MIN, FW_CFG_KEY_MASK - FW_CFG_FILE_FIRST);
		return false;
	}
	fw_cfg_add_bytes(dev, FW_CFG_SIGNATURE, "QEMU", 4);
	fw_cfg_add_uint(dev, FW_CFG_ID,
			FW_CFG_HAS_TRADITIONAL | (f->dma_enabled ? FW_CFG_HAS_DMA : 0), 4);
	return true;
}

static void fw_cfg_unrealize(struct device *dev)
{
	struct fw_cfg *f = fw_cfg_of(dev);

	g_clear_pointer(&f->items, g_hash_table_unref);
	g_clear_pointer(&f->files, g_ptr_array_unref);
}

static void fw_cfg_reset(struct device *dev)
{
	struct fw_cfg *f = fw_cfg_of(dev);

	f->dma_addr = 0;
	fw_cfg_select(f, 0);
}

/* What is made when it is selected is made again; reading goes on where it was. */
static bool fw_cfg_post_load(struct device *dev, GError **errp)
{
	struct fw_cfg *f = fw_cfg_of(dev);
	uint32_t offset = f->offset;

	if (f->key != FW_CFG_NOTHING)
		fw_cfg_select(f, f->key);
	f->offset = offset;
	return true;
}

static const struct field fw_cfg_props[] = {
	PROP_UINT(struct fw_cfg, file_slots, "x-file-slots", 0x20, UINT16_MAX,
		  "Room for so many files"),
	PROP_BOOL(struct fw_cfg, dma_enabled, "dma_enabled", true, "Offer the DMA interface"),
	FIELD_ROW_END,
};

static const struct field fw_cfg_state[] = {
	SAVE_UINT(struct fw_cfg, key),
	SAVE_UINT(struct fw_cfg, offset),
	SAVE_UINT(struct fw_cfg, dma_addr),
	FIELD_ROW_END,
};

const struct device_type fw_cfg_type = {
	.name = "fw_cfg",
	.help = "Firmware configuration device",
	.size = sizeof(struct fw_cfg),
	.flags = TYPE_ABSTRACT,
	.props = fw_cfg_props,
	.state = fw_cfg_state,
	.init = fw_cfg_init,
	.realize = fw_cfg_realize,
	.unrealize = fw_cfg_unrealize,
	.reset = fw_cfg_reset,
	.post_load = fw_cfg_post_load,
};
