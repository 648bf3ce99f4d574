/*
 * JSON: json-c's values, a framer for streams of them, and QEMU's way to print them.
 */
#ifndef API_JSON_H
#define API_JSON_H

#include <json-c/json.h>
#include "base/common.h"
#include "base/error.h"

typedef struct json_object json_object;
G_DEFINE_AUTOPTR_CLEANUP_FUNC(json_object, json_object_put)

/* Parses exactly one value, which is not null. Depth and size are bounded. The caller owns the result. */
json_object *json_parse(const char *text, GError **errp);

/* Text as QMP prints it: `{"a": 1, "b": [true]}`; non-ASCII as \uXXXX. Pretty: 4-space indented. */
char *json_print(json_object *value, bool pretty);

/*
 * The framer cuts a byte stream into values (QMP sockets, guests' agents). Bytes may arrive in any
 * portions. A syntax error is reported once and the framer resynchronises at the next newline or
 * balanced end. Limits: 1024 levels, 64 MiB a value.
 */
struct json_framer;
/* Both are borrowed. Without an error, @value NULL is JSON's null. Must not free the framer. */
typedef void json_framer_fn(void *opaque, json_object *value, GError *error);
struct json_framer *json_framer_new(json_framer_fn *fn, void *opaque);
void json_framer_feed(struct json_framer *framer, const char *data, size_t len);
void json_framer_free(struct json_framer *framer);

/* Shorthands for building results by hand. Both take over @value. */
void json_add(json_object *object, const char *name, json_object *value);
void json_append(json_object *array, json_object *value);

#endif
