#include "value.h"

size_t field_value_size(const struct field *field)
{
	switch (field->kind) {
	case FIELD_STRUCT:
		return field->flags & FIELD_POINTER ? sizeof(void *) : field->sub->size;
	case FIELD_ALTERNATE:
		return sizeof(struct field_alternate);
	case FIELD_NULL:
		return 1;
	default:
		return field->width;
	}
}

void field_clear_value(const struct field *field, void *ptr)
{
	struct field alone = *field;

	alone.offset = 0;
	alone.has = false;
	field_clear(&alone, ptr);
}
