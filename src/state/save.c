/* Rows -> records. */
#include "internal.h"

/* ---- Content. Each returns the record's count. ---- */

static uint32_t save_integers(const struct field *row, const uint8_t *ptr, GByteArray *out)
{
	for (unsigned i = 0; i < row_count(row); i++) {
		uint8_t bytes[8];

		put_le64(bytes, field_load(row, ptr + (size_t)i * row->width));
		g_byte_array_append(out, bytes, row->width);
	}
	return row_count(row);
}

static uint32_t save_numbers(const struct field *row, const uint8_t *ptr, GByteArray *out)
{
	for (unsigned i = 0; i < row_count(row); i++) {
		uint64_t bits;
		uint8_t bytes[8];

		memcpy(&bits, ptr + i * sizeof(bits), sizeof(bits));
		put_le64(bytes, bits);
		g_byte_array_append(out, bytes, sizeof(bytes));
	}
	return row_count(row);
}

static uint32_t save_text(const char *text, GByteArray *out)
{
	if (!text)
		return 0;
	g_byte_array_append(out, (const uint8_t *)text, strlen(text));
	return 1;
}

static uint32_t save_structs(const struct field *row, const uint8_t *ptr, GByteArray *out)
{
	const uint8_t *object = row->flags & FIELD_POINTER ? *(uint8_t *const *)ptr : ptr;
	uint32_t count = row->flags & FIELD_POINTER ? object != NULL : row_count(row);

	for (uint32_t i = 0; i < count; i++) {
		size_t begin = begin_length(out);

		state_save_fields(row->sub->rows, object + (size_t)i * row->sub->size, out);
		end_length(out, begin);
	}
	return count;
}

static uint32_t save_custom(const struct field *row, const uint8_t *ptr, GByteArray *out)
{
	for (unsigned i = 0; i < row_count(row); i++) {
		size_t begin = begin_length(out);

		row->custom->save(ptr + (size_t)i * row->width, out);
		end_length(out, begin);
	}
	return row_count(row);
}

static uint32_t save_content(const struct field *row, const uint8_t *ptr, GByteArray *out);

static uint32_t save_list(const struct field *row, const void *ptr, GByteArray *out)
{
	GArray *list = *(GArray *const *)ptr;
	guint count = list ? list->len : 0;

	for (guint i = 0; i < count; i++) {
		size_t begin = begin_length(out);
		const char *element = list->data + (size_t)i * g_array_get_element_size(list);

		/* One structure needs no second length: its records are the element. */
		if (row->elem->kind == FIELD_STRUCT)
			state_save_fields(row->elem->sub->rows, element, out);
		else
			save_content(row->elem, (const uint8_t *)element, out);
		end_length(out, begin);
	}
	return count;
}

static uint32_t save_content(const struct field *row, const uint8_t *ptr, GByteArray *out)
{
	switch (row->kind) {
	case FIELD_BYTES:
		g_byte_array_append(out, ptr, row_count(row));
		return 1;
	case FIELD_NUMBER:
		return save_numbers(row, ptr, out);
	case FIELD_STRING:
		return save_text(*(char *const *)ptr, out);
	case FIELD_STRUCT:
		return save_structs(row, ptr, out);
	case FIELD_LIST:
		return save_list(row, ptr, out);
	case FIELD_CUSTOM:
		return save_custom(row, ptr, out);
	default:
		return save_integers(row, ptr, out);
	}
}

/* ---- Records ---- */

static void save_record(const struct field *row, const void *object, GByteArray *out)
{
	size_t name_len = strlen(row->name), count_at, begin;

	put_u8(out, name_len);
	g_byte_array_append(out, (const uint8_t *)row->name, name_len);
	put_u8(out, row->flags & FIELD_OPTIONAL ? RECORD_OPTIONAL : 0);
	count_at = out->len;
	put_u32(out, 0);
	begin = begin_length(out);
	uint32_t count = save_content(row, (const uint8_t *)object + row->offset, out);
	end_length(out, begin);
	put_le32(out->data + count_at, count);
}

void state_save_fields(const struct field *rows, const void *object, GByteArray *out)
{
	FIELDS_FOREACH (row, rows) {
		bool absent = row->has && !*((const bool *)object + row->has_offset);

		if (!absent && (!row->needed || row->needed(object)))
			save_record(row, object, out);
	}
}

static void pre_save(const struct device_type *type, struct device *dev)
{
	if (type->base)
		pre_save(type->base, dev);
	if (type->pre_save)
		type->pre_save(dev);
}

void state_save_device(struct device *dev, GByteArray *out)
{
	g_autoptr(GArray) rows = device_type_state(dev->type);
	bool locked = dev->type->lock == LOCK_DEVICE;

	if (locked)
		device_lock(&dev->lock);
	pre_save(dev->type, dev);
	state_save_fields((const struct field *)rows->data, dev, out);
	if (locked)
		device_unlock(&dev->lock);
}
