/*
 * JSON tokens from a byte stream, one byte at a time.
 *
 * json-c supplies the values; its own tokener is not used, because it is laxer than QMP allows
 * (comments, NaN, repeated keys, lone surrogates, integers that saturate) and its errors are not the
 * ones clients know. The lexer is RFC 8259 plus strings in single quotes, with the escape \'.
 * Strings are delivered raw, quotes included; json_unescape() decodes them.
 */
#ifndef API_LEXER_H
#define API_LEXER_H

#include "base/common.h"
#include "base/error.h"

enum json_token {
	JSON_TOKEN_NONE,  /* more bytes are needed, or white space passed */
	JSON_TOKEN_PUNCT, /* one of {}[]:, */
	JSON_TOKEN_STRING,
	JSON_TOKEN_INTEGER,
	JSON_TOKEN_FLOAT,
	JSON_TOKEN_KEYWORD,
	JSON_TOKEN_ERROR, /* the text is what cannot continue, the offending byte included */
};

enum json_lexer_state {
	LEX_START,
	LEX_STRING,
	LEX_STRING_ESCAPE,
	LEX_MINUS,
	LEX_ZERO,
	LEX_DIGITS,
	LEX_POINT,
	LEX_FRACTION,
	LEX_EXPONENT,
	LEX_EXPONENT_SIGN,
	LEX_EXPONENT_DIGITS,
	LEX_KEYWORD,
};

struct json_lexer {
	enum json_lexer_state state;
	GString *text; /* of the token; valid until the next step */
	bool done;     /* text belongs to a token already delivered */
};

void json_lexer_init(struct json_lexer *lexer);
void json_lexer_cleanup(struct json_lexer *lexer);
void json_lexer_reset(struct json_lexer *lexer);

/* True when a token has begun and not ended. */
bool json_lexer_is_inside(const struct json_lexer *lexer);

/*
 * Looks at one byte. *@taken is false when the byte ended the token before it and must be given
 * again; an erroneous byte is always taken.
 */
enum json_token json_lexer_step(struct json_lexer *lexer, unsigned char byte, bool *taken);

/* Text of a raw string token, which may hold zero bytes. NULL with "JSON parse error, ...". */
GString *json_unescape(const GString *raw, GError **errp);

#endif
