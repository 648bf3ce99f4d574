#include <math.h>
#include "builder.h"

/* What may come next inside a container. */
enum expect {
	EXPECT_FIRST, /* a value or key, or the end */
	EXPECT_NEXT,  /* a value or key, after a comma */
	EXPECT_COLON,
	EXPECT_MEMBER, /* the value of a key */
	EXPECT_COMMA,  /* or the end */
};

struct json_frame {
	json_object *container; /* borrowed: its parent holds it */
	bool is_object;
	enum expect expect;
	char *key;
};

static void frame_clear(void *frame)
{
	g_free(((struct json_frame *)frame)->key);
}

void json_builder_init(struct json_builder *builder)
{
	*builder = (struct json_builder){
		.frames = g_array_new(false, true, sizeof(struct json_frame)),
	};
	g_array_set_clear_func(builder->frames, frame_clear);
}

void json_builder_reset(struct json_builder *builder)
{
	g_array_set_size(builder->frames, 0);
	g_clear_pointer(&builder->root, json_object_put);
	g_clear_error(&builder->error);
	builder->braces = builder->brackets = 0;
	builder->tokens = 0;
}

void json_builder_cleanup(struct json_builder *builder)
{
	json_builder_reset(builder);
	g_array_free(builder->frames, true);
}

bool json_builder_is_inside(const struct json_builder *builder)
{
	return builder->tokens > 0;
}

static struct json_frame *builder_top(struct json_builder *builder)
{
	GArray *frames = builder->frames;

	return frames->len ? &g_array_index(frames, struct json_frame, frames->len - 1) : NULL;
}

static void builder_fail(struct json_builder *builder, const char *what)
{
	error_set(&builder->error, "JSON parse error, %s", what);
}

/* Hands @value (owned) to the container that waits for it. */
static void builder_put(struct json_builder *builder, json_object *value)
{
	struct json_frame *top = builder_top(builder);

	if (!top) {
		builder->root = value;
		return;
	}
	if (top->is_object)
		json_object_object_add(top->container, top->key, value);
	else
		json_object_array_add(top->container, value);
	g_clear_pointer(&top->key, g_free);
	top->expect = EXPECT_COMMA;
}

static void builder_open(struct json_builder *builder, bool is_object)
{
	struct json_frame frame = {
		.container = is_object ? json_object_new_object() : json_object_new_array(),
		.is_object = is_object,
	};

	builder_put(builder, frame.container);
	g_array_append_val(builder->frames, frame);
}

static json_object *value_from_integer(const char *text)
{
	char *end;

	errno = 0;
	int64_t i = g_ascii_strtoll(text, &end, 10);
	if (!errno)
		return json_object_new_int64(i);
	errno = 0;
	uint64_t u = g_ascii_strtoull(text, &end, 10);
	if (!errno && text[0] != '-')
		return json_object_new_uint64(u);
	return json_object_new_double(g_ascii_strtod(text, NULL));
}

static json_object *value_from_float(struct json_builder *builder, const char *text)
{
	double d = g_ascii_strtod(text, NULL);

	if (isfinite(d))
		return json_object_new_double(d);
	builder_fail(builder, "number out of range");
	return NULL;
}

static bool builder_knows_keyword(struct json_builder *builder, const char *text)
{
	if (g_str_equal(text, "true") || g_str_equal(text, "false") || g_str_equal(text, "null"))
		return true;
	error_set(&builder->error, "JSON parse error, invalid keyword '%s'", text);
	return false;
}

static void builder_scalar(struct json_builder *builder, enum json_token token, const GString *text)
{
	json_object *value = NULL;

	switch (token) {
	case JSON_TOKEN_STRING: {
		GString *s = json_unescape(text, &builder->error);

		if (s) {
			value = json_object_new_string_len(s->str, s->len);
			g_string_free(s, true);
		}
		break;
	}
	case JSON_TOKEN_INTEGER:
		value = value_from_integer(text->str);
		break;
	case JSON_TOKEN_FLOAT:
		value = value_from_float(builder, text->str);
		break;
	default:
		if (builder_knows_keyword(builder, text->str) && text->str[0] != 'n')
			value = json_object_new_boolean(text->str[0] == 't');
	}
	if (!builder->error)
		builder_put(builder, value);
}

static void builder_value(struct json_builder *builder, enum json_token token, const GString *text)
{
	if (token != JSON_TOKEN_PUNCT)
		builder_scalar(builder, token, text);
	else if (text->str[0] == '{' || text->str[0] == '[')
		builder_open(builder, text->str[0] == '{');
	else
		builder_fail(builder, "expecting value");
}

static void builder_key(struct json_builder *builder, enum json_token token, const GString *text)
{
	struct json_frame *top = builder_top(builder);
	bool opens = text->str[0] == '{' || text->str[0] == '[';

	if (token == JSON_TOKEN_PUNCT && !opens)
		return builder_fail(builder, "expecting value");
	if (token == JSON_TOKEN_KEYWORD && !builder_knows_keyword(builder, text->str))
		return;
	if (token != JSON_TOKEN_STRING)
		return builder_fail(builder, "key is not a string in object");

	GString *key = json_unescape(text, &builder->error);

	if (!key)
		return;
	bool has_zero = strlen(key->str) != key->len;

	top->key = g_string_free(key, false);
	if (has_zero)
		return builder_fail(builder, "\\u0000 in a key");
	if (json_object_object_get_ex(top->container, top->key, NULL))
		return builder_fail(builder, "duplicate key");
	top->expect = EXPECT_COLON;
}

static void builder_close(struct json_builder *builder)
{
	g_array_set_size(builder->frames, builder->frames->len - 1);
}

static void builder_inside(struct json_builder *builder, struct json_frame *top,
			   enum json_token token, const GString *text)
{
	char punct = token == JSON_TOKEN_PUNCT ? text->str[0] : 0;
	bool ends = punct == (top->is_object ? '}' : ']');

	switch (top->expect) {
	case EXPECT_FIRST:
		if (ends)
			return builder_close(builder);
		/* fall through */
	case EXPECT_NEXT:
		if (top->is_object)
			return builder_key(builder, token, text);
		return builder_value(builder, token, text);
	case EXPECT_MEMBER:
		return builder_value(builder, token, text);
	case EXPECT_COLON:
		if (punct != ':')
			return builder_fail(builder, "missing : in object pair");
		top->expect = EXPECT_MEMBER;
		return;
	case EXPECT_COMMA:
		if (ends)
			return builder_close(builder);
		if (punct != ',')
			return builder_fail(builder, top->is_object ? "expected separator in dict"
								    : "expected separator in list");
		top->expect = EXPECT_NEXT;
	}
}

static void builder_count(struct json_builder *builder, enum json_token token, char punct)
{
	builder->tokens++;
	if (token != JSON_TOKEN_PUNCT)
		return;
	builder->braces += (punct == '{') - (punct == '}');
	builder->brackets += (punct == '[') - (punct == ']');
}

bool json_builder_add(struct json_builder *builder, enum json_token token, const GString *text)
{
	struct json_frame *top = builder_top(builder);

	builder_count(builder, token, text->str[0]);
	if (!builder->error) {
		if (top)
			builder_inside(builder, top, token, text);
		else
			builder_value(builder, token, text);
	}
	return builder->braces < 0 || builder->brackets < 0 ||
	       (!builder->braces && !builder->brackets);
}
