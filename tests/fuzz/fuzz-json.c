/*
 * The JSON framer in arbitrary portions, then the codec over what came out, and key=value text.
 * Whatever is accepted must survive being printed and read again.
 */
#include "api/codec.h"

enum kind { KIND_NONE, KIND_SOME };
static const struct enum_name kind_names[] = {
	{"none", KIND_NONE, NULL}, {"some", KIND_SOME, NULL}, {NULL, 0, NULL}};

struct leaf {
	int32_t i;
	uint16_t u;
	uint64_t size;
	double number;
	char *text;
};
static const struct field leaf_rows[] = {
	PROP_INT(struct leaf, i, "i", 3, -100, 100, "Signed"),
	PROP_UINT(struct leaf, u, "u", 0, 0, "Unsigned"),
	PROP_SIZE(struct leaf, size, "s", 0, "Size"),
	{.name = "n",
	 .help = "Number",
	 .kind = FIELD_NUMBER,
	 .flags = FIELD_OPTIONAL,
	 .width = sizeof(double),
	 .offset = offsetof(struct leaf, number)},
	PROP_STRING(struct leaf, text, "t", "x", "Text"),
	{.kind = FIELD_END},
};
static const struct field_set leaf_set = {"Leaf", sizeof(struct leaf), leaf_rows};
static const struct field leaf_elem = {
	.name = "leaf", .kind = FIELD_STRUCT, .width = sizeof(struct leaf), .sub = &leaf_set};
static const struct field alternatives[] = {
	{.name = "t", .kind = FIELD_STRING, .width = sizeof(char *)},
	{.name = "o", .kind = FIELD_STRUCT, .width = sizeof(void *), .sub = &leaf_set},
	{.name = "z", .kind = FIELD_NULL},
	{.kind = FIELD_END},
};

struct root {
	bool b;
	int kind;
	union {
		struct leaf leaf;
	} branch;
	struct leaf *pointer;
	GArray *list;
	struct field_alternate alt;
	json_object *any;
};
static const struct field_branch branches[] = {{KIND_SOME, &leaf_set}, {0, NULL}};
static const struct field root_rows[] = {
	PROP_BOOL(struct root, b, "b", true, "Flag"),
	PROP_ENUM(struct root, kind, "k", kind_names, KIND_NONE, "Tag"),
	ARG_UNION(struct root, branch, "k", branches),
	OPT_STRUCT(struct root, pointer, "p", &leaf_set, "Pointer"),
	OPT_LIST(struct root, list, "l", &leaf_elem, "List"),
	{.name = "a",
	 .help = "Either",
	 .kind = FIELD_ALTERNATE,
	 .flags = FIELD_OPTIONAL,
	 .width = sizeof(struct field_alternate),
	 .offset = offsetof(struct root, alt),
	 .alternatives = alternatives},
	OPT_ANY(struct root, any, "any", "Anything"),
	{.kind = FIELD_END},
};
static const struct field_set root_set = {"Root", sizeof(struct root), root_rows};

/* What was printed can be read, and means the same from then on. The first time a double may become the
 * integer it is equal to: -0.0 prints as "-0", as QEMU's does, which is the integer 0. */
static void check_print(json_object *value)
{
	g_autofree char *once = json_print(value, false);
	g_autoptr(json_object) again = json_parse(once, NULL);
	g_autofree char *twice = json_print(again, false);
	g_autoptr(json_object) finally = json_parse(twice, NULL);
	g_autofree char *thrice = json_print(finally, false);

	g_assert(!value || g_str_equal(twice, thrice));
}

static void check_decode(json_object *value, bool lenient)
{
	struct root root = {0}, zero = {0};

	if (!codec_decode(&root_set, value, &root, lenient, NULL)) {
		g_assert(!memcmp(&root, &zero, sizeof(root)));
		return;
	}
	g_autoptr(json_object) out = codec_encode(&root_set, &root);
	struct root again = {0};

	g_assert(codec_decode(&root_set, out, &again, false, NULL));
	fields_clear(root_rows, &again);
	fields_clear(root_rows, &root);
}

static void take(void *opaque, json_object *value, GError *error)
{
	if (error) {
		g_assert(g_utf8_validate(error->message, -1, NULL));
		return;
	}
	check_print(value);
	if (json_object_is_type(value, json_type_object)) {
		check_decode(value, false);
		check_decode(value, true);
	}
}

static void fuzz_text(const char *text)
{
	static const char *const lists[] = {"l", NULL};
	bool help = false;
	g_autoptr(json_object) flat = opts_parse(text, "b", lists, &help, NULL);
	g_autoptr(json_object) nested = keyval_parse(text, "b", lists, &help, NULL);
	g_autoptr(json_object) value = json_parse(text, NULL);
	uint64_t size;

	if (flat)
		check_decode(flat, true);
	if (nested)
		check_decode(nested, true);
	if (value)
		check_print(value);
	if (size_parse(text, 1, &size, NULL, "x"))
		g_free(size_print(size));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The first byte is the size of the portions. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (!size)
		return 0;
	size_t portion = data[0] + 1;
	struct json_framer *framer = json_framer_new(take, NULL);

	for (size_t at = 1; at < size; at += portion)
		json_framer_feed(framer, (const char *)data + at, MIN(portion, size - at));
	json_framer_free(framer);
	g_autofree char *text = g_strndup((const char *)data + 1, size - 1);

	fuzz_text(text);
	return 0;
}
