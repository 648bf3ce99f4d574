/* The memory of one member apart from its structure. */
#ifndef API_VALUE_H
#define API_VALUE_H

#include "base/field.h"

/* Bytes the member takes. */
size_t field_value_size(const struct field *field);

/* field_clear() for a copy of the member at @ptr. */
void field_clear_value(const struct field *field, void *ptr);

#endif
