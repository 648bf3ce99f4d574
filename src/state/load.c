/*
 * Records -> rows. What is read here may come from anywhere: nothing of it is believed before it is
 * checked, and no memory is taken on the word of a length alone.
 */
#include "internal.h"

struct record {
	const struct field *row; /* NULL: unknown and optional */
	uint32_t count;
	struct reader content;
};

static bool load_fields(const struct field *rows, void *object, struct reader r, unsigned depth,
			GError **errp);

/* ---- Scalars ---- */

static bool is_signed(const struct field *row)
{
	return row->kind == FIELD_INT || row->kind == FIELD_ENUM;
}

static uint64_t read_integer(const uint8_t *p, size_t width, bool sign)
{
	uint64_t value = 0;

	for (size_t i = 0; i < width; i++)
		value |= (uint64_t)p[i] << (8 * i);
	if (sign && width && width < 8 && p[width - 1] & 0x80)
		value |= ~0ULL << (8 * width);
	return value;
}

static bool integer_fits(const struct field *row, uint64_t value)
{
	switch (row->kind) {
	case FIELD_BOOL:
		return value <= 1;
	case FIELD_ENUM:
		return (int64_t)value == (int32_t)value &&
		       (!row->names || enum_name_of(row->names, (int32_t)value));
	default:
		return field_in_range(row, value);
	}
}

static bool check_count(const struct field *row, const struct record *rec, GError **errp)
{
	if (rec->count == row_count(row))
		return true;
	error_set(errp, "%" PRIu32 " elements instead of %u", rec->count, row_count(row));
	return false;
}

static bool load_integers(const struct field *row, uint8_t *ptr, struct record *rec, GError **errp)
{
	size_t width = rec->count ? rec->content.len / rec->count : 0;

	if (!check_count(row, rec, errp))
		return false;
	if (width < 1 || width > 8 || width * rec->count != rec->content.len) {
		error_set(errp, "%zu bytes for %" PRIu32 " integers", rec->content.len, rec->count);
		return false;
	}
	for (uint32_t i = 0; i < rec->count; i++) {
		uint64_t value = read_integer(rec->content.data + i * width, width, is_signed(row));

		if (!integer_fits(row, value)) {
			error_set(errp, "value 0x%" PRIx64 " is out of range", value);
			return false;
		}
		field_store(row, ptr + (size_t)i * row->width, value);
	}
	return true;
}

static bool load_numbers(const struct field *row, uint8_t *ptr, struct record *rec, GError **errp)
{
	if (!check_count(row, rec, errp))
		return false;
	if (rec->content.len != 8 * (size_t)rec->count) {
		error_set(errp, "%zu bytes for %" PRIu32 " numbers", rec->content.len, rec->count);
		return false;
	}
	for (uint32_t i = 0; i < rec->count; i++) {
		uint64_t bits = get_le64(rec->content.data + 8 * (size_t)i);

		memcpy(ptr + 8 * (size_t)i, &bits, sizeof(bits));
	}
	return true;
}

static bool load_bytes(const struct field *row, uint8_t *ptr, struct record *rec, GError **errp)
{
	if (rec->count != 1 || rec->content.len != row_count(row)) {
		error_set(errp, "%zu bytes instead of %u", rec->content.len, row_count(row));
		return false;
	}
	memcpy(ptr, rec->content.data, rec->content.len);
	return true;
}

/* ---- Text ---- */

/* New text without a zero in it, or NULL for an absent one; false: neither. */
static bool load_text(struct record *rec, char **text, GError **errp)
{
	size_t len = rec->content.len;

	*text = NULL;
	if (rec->count > 1 || (!rec->count && len)) {
		error_set(errp, "%" PRIu32 " elements instead of one", rec->count);
		return false;
	}
	if (len && memchr(rec->content.data, 0, len)) {
		error_set(errp, "text with a zero byte in it");
		return false;
	}
	if (rec->count)
		*text = g_strndup((const char *)rec->content.data, len);
	return true;
}

static bool load_string(uint8_t *ptr, struct record *rec, GError **errp)
{
	char *text;

	if (!load_text(rec, &text, errp))
		return false;
	g_free(*(char **)ptr);
	*(char **)ptr = text;
	return true;
}

/* ---- What has elements with lengths of their own ---- */

static bool next_element(struct record *rec, struct reader *element, GError **errp)
{
	*element = take_part(&rec->content, take_u32(&rec->content));
	if (rec->content.failed)
		error_set(errp, "an element is longer than what is there");
	return !rec->content.failed;
}

static bool no_rest(const struct record *rec, GError **errp)
{
	if (rec->content.len)
		error_set(errp, "%zu bytes too many", rec->content.len);
	return !rec->content.len;
}

/* Held by pointer: made anew if it was absent, freed if the stream has none. */
static bool prepare_pointer(const struct field *row, uint8_t *ptr, struct record *rec,
			    GError **errp)
{
	void **object = (void **)ptr;

	if (rec->count > 1) {
		error_set(errp, "%" PRIu32 " elements instead of one", rec->count);
		return false;
	}
	if (!rec->count)
		field_clear(row, ptr - row->offset);
	else if (!*object)
		*object = g_malloc0(row->sub->size);
	return true;
}

static bool load_structs(const struct field *row, uint8_t *ptr, struct record *rec, unsigned depth,
			 GError **errp)
{
	bool pointer = row->flags & FIELD_POINTER;
	uint8_t *object = ptr;
	struct reader element;

	if (pointer ? !prepare_pointer(row, ptr, rec, errp) : !check_count(row, rec, errp))
		return false;
	if (pointer)
		object = *(uint8_t **)ptr;
	for (uint32_t i = 0; i < rec->count; i++) {
		if (!next_element(rec, &element, errp) ||
		    !load_fields(row->sub->rows, object + (size_t)i * row->sub->size, element,
				 depth + 1, errp))
			return false;
	}
	return no_rest(rec, errp);
}

static bool load_customs(const struct field *row, uint8_t *ptr, struct record *rec, GError **errp)
{
	struct reader element;

	if (!check_count(row, rec, errp))
		return false;
	for (uint32_t i = 0; i < rec->count; i++) {
		if (!next_element(rec, &element, errp) ||
		    !row->custom->load(ptr + (size_t)i * row->width, element.data, element.len,
				       errp))
			return false;
	}
	return no_rest(rec, errp);
}

static bool load_content(const struct field *row, uint8_t *ptr, struct record *rec, unsigned depth,
			 GError **errp);

static size_t element_size(const struct field *elem)
{
	return elem->kind == FIELD_STRUCT ? elem->sub->size : elem->width;
}

static bool load_element(const struct field *elem, void *ptr, struct reader content, unsigned depth,
			 GError **errp)
{
	struct record rec = {.row = elem, .count = 1, .content = content};

	if (elem->kind == FIELD_STRUCT)
		return load_fields(elem->sub->rows, ptr, content, depth + 1, errp);
	return load_content(elem, ptr, &rec, depth + 1, errp);
}

static bool load_list(const struct field *row, uint8_t *ptr, struct record *rec, unsigned depth,
		      GError **errp)
{
	size_t size = element_size(row->elem);
	struct reader element;
	GArray *list;

	/* Each element has at least its length: the count cannot exceed what is there. */
	if (rec->count > STATE_COUNT_MAX || rec->count > rec->content.len / 4) {
		error_set(errp, "%" PRIu32 " elements are too many", rec->count);
		return false;
	}
	field_clear(row, ptr - row->offset);
	list = g_array_sized_new(false, true, size, 0);
	*(GArray **)ptr = list;
	for (uint32_t i = 0; i < rec->count; i++) {
		if (!next_element(rec, &element, errp))
			return false;
		g_array_set_size(list, i + 1);
		if (!load_element(row->elem, list->data + (size_t)i * size, element, depth, errp))
			return false;
	}
	return no_rest(rec, errp);
}

static bool load_content(const struct field *row, uint8_t *ptr, struct record *rec, unsigned depth,
			 GError **errp)
{
	switch (row->kind) {
	case FIELD_BYTES:
		return load_bytes(row, ptr, rec, errp);
	case FIELD_NUMBER:
		return load_numbers(row, ptr, rec, errp);
	case FIELD_STRING:
		return load_string(ptr, rec, errp);
	case FIELD_STRUCT:
		return load_structs(row, ptr, rec, depth, errp);
	case FIELD_LIST:
		return load_list(row, ptr, rec, depth, errp);
	case FIELD_CUSTOM:
		return load_customs(row, ptr, rec, errp);
	default:
		return load_integers(row, ptr, rec, errp);
	}
}

/* ---- Records ---- */

static const struct field *row_named(const struct field *rows, const uint8_t *name, size_t len)
{
	FIELDS_FOREACH (row, rows) {
		if (strlen(row->name) == len && !memcmp(row->name, name, len))
			return row;
	}
	return NULL;
}

static bool next_record(struct reader *r, const struct field *rows, struct record *rec,
			GError **errp)
{
	uint8_t name_len = take_u8(r);
	const uint8_t *name = take(r, name_len);
	uint8_t flags = take_u8(r);

	rec->count = take_u32(r);
	rec->content = take_part(r, take_u32(r));
	if (r->failed) {
		error_set(errp, "the records end in the middle of one");
		return false;
	}
	rec->row = row_named(rows, name, name_len);
	if (!rec->row && !(flags & RECORD_OPTIONAL)) {
		g_autofree char *text = g_strndup((const char *)name, name_len);
		g_autofree char *safe = g_strescape(text, NULL);

		error_set(errp, "field '%s' is unknown here", safe);
		return false;
	}
	return true;
}

static bool load_record(void *object, struct record *rec, unsigned depth, GError **errp)
{
	const struct field *row = rec->row;

	if (!load_content(row, field_ptr(row, object), rec, depth, errp)) {
		g_prefix_error(errp, "field '%s': ", row->name);
		return false;
	}
	if (row->has)
		*((bool *)object + row->has_offset) = true;
	return true;
}

/* Rows that must be there and are not. */
static bool check_missing(const struct field *rows, const void *object, const bool *seen,
			  GError **errp)
{
	FIELDS_FOREACH (row, rows) {
		if (seen[row - rows] || (row->flags & FIELD_OPTIONAL))
			continue;
		if (!row->needed || row->needed(object)) {
			error_set(errp, "field '%s' is missing", row->name);
			return false;
		}
	}
	return true;
}

static void forget_presence(const struct field *rows, void *object)
{
	FIELDS_FOREACH (row, rows) {
		if (row->has)
			*((bool *)object + row->has_offset) = false;
	}
}

static bool load_fields(const struct field *rows, void *object, struct reader r, unsigned depth,
			GError **errp)
{
	size_t count = 0;

	if (depth > STATE_DEPTH_MAX) {
		error_set(errp, "structures are nested deeper than %d", STATE_DEPTH_MAX);
		return false;
	}
	FIELDS_FOREACH (row, rows) {
		count++;
	}
	g_autofree bool *seen = g_new0(bool, count + 1);

	forget_presence(rows, object);
	while (r.len) {
		struct record rec;

		if (!next_record(&r, rows, &rec, errp))
			return false;
		if (!rec.row)
			continue;
		if (seen[rec.row - rows]) {
			error_set(errp, "field '%s' is there twice", rec.row->name);
			return false;
		}
		seen[rec.row - rows] = true;
		if (!load_record(object, &rec, depth, errp))
			return false;
	}
	return check_missing(rows, object, seen, errp);
}

bool state_load_fields(const struct field *rows, void *object, const uint8_t *data, size_t len,
		       GError **errp)
{
	return load_fields(rows, object, (struct reader){.data = data, .len = len}, 0, errp);
}

/* ---- Devices ---- */

static bool with_path(const struct device *dev, bool ok, GError **errp)
{
	if (!ok) {
		g_autofree char *path = device_path(dev);

		g_prefix_error(errp, "state of '%s' (%s): ", path, dev->type->name);
	}
	return ok;
}

bool load_device_rows(struct device *dev, const uint8_t *data, size_t len, GError **errp)
{
	g_autoptr(GArray) rows = device_type_state(dev->type);
	bool locked = dev->type->lock == LOCK_DEVICE;

	if (locked)
		device_lock(&dev->lock);
	bool ok = state_load_fields((const struct field *)rows->data, dev, data, len, errp);
	if (locked)
		device_unlock(&dev->lock);
	return with_path(dev, ok, errp);
}

static bool post_load(const struct device_type *type, struct device *dev, GError **errp)
{
	if (type->base && !post_load(type->base, dev, errp))
		return false;
	return !type->post_load || type->post_load(dev, errp);
}

bool device_post_load(struct device *dev, GError **errp)
{
	bool locked = dev->type->lock == LOCK_DEVICE;

	if (locked)
		device_lock(&dev->lock);
	bool ok = post_load(dev->type, dev, errp);
	if (locked)
		device_unlock(&dev->lock);
	return with_path(dev, ok, errp);
}

bool state_load_device(struct device *dev, const uint8_t *data, size_t len, GError **errp)
{
	return load_device_rows(dev, data, len, errp) && device_post_load(dev, errp);
}
