/* JSON values from tokens: the grammar, without recursion. */
#ifndef API_BUILDER_H
#define API_BUILDER_H

#include "api/json.h"
#include "lexer.h"

#define JSON_MAX_DEPTH  1024
#define JSON_MAX_TOKENS (2 * MIB)
#define JSON_MAX_SIZE   (64 * MIB)

struct json_builder {
	GArray *frames;       /* struct json_frame: the open containers, innermost last */
	json_object *root;    /* the whole value, or the outermost container */
	int braces, brackets; /* balance; a value ends when both are zero or one is negative */
	size_t tokens;
	GError *error; /* the first; the tokens after it only count towards the balance */
};

void json_builder_init(struct json_builder *builder);
void json_builder_cleanup(struct json_builder *builder);
void json_builder_reset(struct json_builder *builder);

/* True when tokens of an unfinished value have been seen. */
bool json_builder_is_inside(const struct json_builder *builder);

/* Adds a token. True when it was the last of a value: then either ->error or ->root is set. */
bool json_builder_add(struct json_builder *builder, enum json_token token, const GString *text);

#endif
