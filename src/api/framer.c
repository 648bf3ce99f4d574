/*
 * Bytes to values, for streams and for single texts.
 *
 * An error of grammar is known before the value's end, but the tokens after it still count towards
 * the balance of brackets, so it is reported at that end and nothing of the broken value is taken
 * for another one. After a byte that belongs to no token, or when a limit is hit, the brackets
 * cannot be trusted; then the rest is skipped up to the end of the line, the byte 0xff (by which
 * QMP clients ask for a fresh start), or the bracket that would have ended the value.
 */
#include "builder.h"

struct json_framer {
	json_framer_fn *fn;
	void *opaque;
	struct json_lexer lexer;
	struct json_builder builder;
	size_t size; /* bytes of the value so far */
	bool skipping;
	int skip_depth; /* open brackets while skipping */
};

struct json_framer *json_framer_new(json_framer_fn *fn, void *opaque)
{
	struct json_framer *framer = g_new0(struct json_framer, 1);

	framer->fn = fn;
	framer->opaque = opaque;
	json_lexer_init(&framer->lexer);
	json_builder_init(&framer->builder);
	return framer;
}

void json_framer_free(struct json_framer *framer)
{
	if (!framer)
		return;
	json_lexer_cleanup(&framer->lexer);
	json_builder_cleanup(&framer->builder);
	g_free(framer);
}

/* Reports what the builder has and makes it ready for the next value. */
static void framer_deliver(struct json_framer *framer)
{
	json_object *value = g_steal_pointer(&framer->builder.root);
	GError *error = g_steal_pointer(&framer->builder.error);

	json_builder_reset(&framer->builder);
	framer->size = 0;
	framer->fn(framer->opaque, error ? NULL : value, error);
	json_object_put(value);
	g_clear_error(&error);
}

/* Gives up the value: reports @error (taken over) and skips what is left of it. */
static void framer_abandon(struct json_framer *framer, GError *error)
{
	framer->skip_depth = MAX(framer->builder.braces + framer->builder.brackets, 0);
	framer->skipping = true;
	json_lexer_reset(&framer->lexer);
	g_clear_error(&framer->builder.error);
	framer->builder.error = error;
	framer_deliver(framer);
}

static void framer_bad_token(struct json_framer *framer)
{
	const GString *raw = framer->lexer.text;
	g_autofree char *text = g_utf8_make_valid(raw->str, raw->len);
	GError *error = NULL;

	error_set(&error, "JSON parse error, stray '%s'", text);
	framer_abandon(framer, error);
}

static bool framer_within_limits(struct json_framer *framer)
{
	struct json_builder *builder = &framer->builder;
	GError *error = NULL;

	if (framer->size > JSON_MAX_SIZE)
		error_set(&error, "JSON token size limit exceeded");
	else if (builder->tokens > JSON_MAX_TOKENS)
		error_set(&error, "JSON token count limit exceeded");
	else if (builder->braces + builder->brackets > JSON_MAX_DEPTH)
		error_set(&error, "JSON nesting depth limit exceeded");
	else
		return true;
	framer_abandon(framer, error);
	return false;
}

/*
 * While skipping. True when @byte begins something new and is to be looked at again; @within: it
 * was part of what is skipped and begins nothing.
 */
static bool framer_skip(struct json_framer *framer, unsigned char byte, bool within)
{
	bool opens = byte == '{' || byte == '[';

	if (byte == '\n' || byte == 0xff) {
		framer->skipping = false;
	} else if (opens && !framer->skip_depth && !within) {
		framer->skipping = false;
		return true;
	} else if (opens) {
		framer->skip_depth++;
	} else if ((byte == '}' || byte == ']') && framer->skip_depth) {
		framer->skipping = --framer->skip_depth > 0;
	}
	return false;
}

/* True when @byte was only the end of a token and must be looked at again. */
static bool framer_step(struct json_framer *framer, unsigned char byte)
{
	bool taken;
	enum json_token token = json_lexer_step(&framer->lexer, byte, &taken);

	switch (token) {
	case JSON_TOKEN_NONE:
		break;
	case JSON_TOKEN_ERROR:
		framer_bad_token(framer);
		/* The byte may have been the line's end, or a bracket. */
		framer_skip(framer, byte, true);
		return false;
	default:
		if (json_builder_add(&framer->builder, token, framer->lexer.text))
			framer_deliver(framer);
	}
	if (json_builder_is_inside(&framer->builder) || json_lexer_is_inside(&framer->lexer))
		framer->size += taken;
	framer_within_limits(framer);
	return !taken;
}

static void framer_byte(struct json_framer *framer, unsigned char byte)
{
	bool again = true;

	while (again)
		again = framer->skipping ? framer_skip(framer, byte, false)
					 : framer_step(framer, byte);
}

void json_framer_feed(struct json_framer *framer, const char *data, size_t len)
{
	for (size_t i = 0; i < len; i++)
		framer_byte(framer, data[i]);
}

/* ---- One value ---- */

struct single {
	json_object *value;
	GError *error;
	unsigned count;
};

static void single_take(void *opaque, json_object *value, GError *error)
{
	struct single *single = opaque;

	if (single->count++)
		return;
	single->value = json_object_get(value);
	single->error = error ? g_error_copy(error) : NULL;
}

/* What the end of the text means: a number ends there, a string or an object does not. */
static void single_finish(struct json_framer *framer, struct single *single)
{
	bool inside_string =
		framer->lexer.state == LEX_STRING || framer->lexer.state == LEX_STRING_ESCAPE;

	if (inside_string)
		framer_bad_token(framer);
	else
		framer_byte(framer, '\n');
	if (!single->count && framer->builder.error)
		framer_deliver(framer);
	if (!single->count)
		error_set(&single->error, "JSON parse error, premature EOI");
}

json_object *json_parse(const char *text, GError **errp)
{
	struct single single = {0};
	struct json_framer *framer = json_framer_new(single_take, &single);

	json_framer_feed(framer, text, strlen(text));
	single_finish(framer, &single);
	json_framer_free(framer);
	if (single.count > 1 && !single.error)
		error_set(&single.error, "Expecting at most one JSON value");
	if (!single.error && !single.value)
		error_set(&single.error, "JSON value is null");
	if (!single.error)
		return single.value;
	json_object_put(single.value);
	g_propagate_error(errp, single.error);
	return NULL;
}
