/* Decoding of what is not composed: one JSON value to one C member, the bounds checked. */
#ifndef API_SCALAR_H
#define API_SCALAR_H

#include "api/codec.h"
#include "path.h"

/* "Invalid parameter type for 'PATH', expected: WHAT". Returns false. */
bool decode_type_error(const struct path *path, const char *what, GError **errp);

/* For kinds BOOL to ENUM, ANY, NULL, LINK, CUSTOM. @ptr is the member, zeroed. */
bool decode_scalar(const struct field *field, json_object *json, void *ptr, bool lenient,
		   const struct path *path, GError **errp);

/* Appends the spellings of @names nearest to @text as a hint, if one is near. */
void hint_nearest_enum(const struct enum_name *names, const char *text, GError **errp);

#endif
