/*
 * The one codec between C structures (described by rows, base/field.h), JSON and key=value text.
 *
 * Error texts are QEMU's: "Parameter 'x' is missing", "Parameter 'x' is unexpected",
 * "Invalid parameter type for 'x', expected: integer", "Parameter 'x' expects a value between ...",
 * "Invalid parameter 'x'" ...; a misspelt name gets the nearest one as hint.
 */
#ifndef API_CODEC_H
#define API_CODEC_H

#include "api/json.h"
#include "base/field.h"

/*
 * JSON -> structure. @object holds nothing yet (zeroed); defaults are set first. Every row not
 * optional must be there, every member must have a row. On failure @object is cleared again.
 * @lenient accepts text for numbers and booleans, as key=value and the older properties need
 * ("write-cache": "on").
 */
bool codec_decode(const struct field_set *set, json_object *json, void *object, bool lenient,
		  GError **errp);

/* Structure -> JSON object (caller owns). Absent members are left out. */
json_object *codec_encode(const struct field_set *set, const void *object);

/*
 * One member: used by qom-get/qom-set, -device properties, HMP. The new value
 * takes the old one's place, or on failure leaves it. The rows' set(), get(), FIELD_READONLY and FIELD_LIVE
 * are the caller's business.
 */
bool codec_decode_field(const struct field *field, json_object *json, void *object, bool lenient,
			GError **errp);
json_object *codec_encode_field(const struct field *field, const void *object);
bool codec_parse_field(const struct field *field, const char *text, void *object, GError **errp);
char *codec_print_field(const struct field *field, const void *object);

/*
 * key=value text -> JSON object of strings. ",," stands for a comma in a value. @implied names the key
 * of a leading bare value ("backend" of `-chardev null,id=x`; NULL: none allowed). "help" or "?"
 * standing alone sets *@help if @help is not NULL. Repeated keys: the last wins, unless @lists names
 * the key (NULL-terminated; then the values gather in a list). Text starting with '{' is parsed as
 * JSON instead.
 *
 * opts_parse() takes keys as they are; a bare key means key=on, a bare "nokey" key=off.
 * keyval_parse() nests them by dots, and wants a value: "a.b=1,c.0=x" -> {"a":{"b":"1"},"c":["x"]}.
 */
json_object *opts_parse(const char *text, const char *implied, const char *const *lists, bool *help,
			GError **errp);
json_object *keyval_parse(const char *text, const char *implied, const char *const *lists,
			  bool *help, GError **errp);

/* Moves the members of @from (not consumed) into @into, recursively; those of @from win. */
void keyval_merge(json_object *into, json_object *from);

/* Parses "512M", "1.5G", "0x1000", "64k"; @unit multiplies a number without suffix (1: bytes). */
bool size_parse(const char *text, uint64_t unit, uint64_t *size, GError **errp, const char *what);
/* "512M" when exact, else rounded for people: "1.5 GiB". Caller frees. */
char *size_print(uint64_t size);

/* Type of a row as help shows it: "bool", "uint32", "size", "str", "OnOffAuto", "link<...>". */
char *field_type_name(const struct field *field);

/* Help for a set of rows: "  name=<type>  - sentence (default: x)", one a line, sorted. */
void fields_print_help(const struct field *rows, GString *out);

#endif
