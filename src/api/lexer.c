#include "lexer.h"

void json_lexer_init(struct json_lexer *lexer)
{
	lexer->text = g_string_new(NULL);
	json_lexer_reset(lexer);
}

void json_lexer_cleanup(struct json_lexer *lexer)
{
	g_string_free(lexer->text, true);
}

void json_lexer_reset(struct json_lexer *lexer)
{
	lexer->state = LEX_START;
	lexer->done = true;
}

bool json_lexer_is_inside(const struct json_lexer *lexer)
{
	return lexer->state != LEX_START;
}

/* The byte belongs to the token, which goes on in @state. */
static enum json_token lexer_continue(struct json_lexer *lexer, unsigned char byte,
				      enum json_lexer_state state)
{
	g_string_append_c(lexer->text, (char)byte);
	lexer->state = state;
	return JSON_TOKEN_NONE;
}

/* The byte is the token's last. */
static enum json_token lexer_finish(struct json_lexer *lexer, unsigned char byte,
				    enum json_token token)
{
	g_string_append_c(lexer->text, (char)byte);
	json_lexer_reset(lexer);
	return token;
}

/* The token ended before this byte. */
static enum json_token lexer_end_before(struct json_lexer *lexer, enum json_token token,
					bool *taken)
{
	*taken = false;
	json_lexer_reset(lexer);
	return token;
}

static enum json_token lexer_start(struct json_lexer *lexer, unsigned char byte)
{
	switch (byte) {
	case ' ':
	case '\t':
	case '\r':
	case '\n':
		return JSON_TOKEN_NONE;
	case '{':
	case '}':
	case '[':
	case ']':
	case ':':
	case ',':
		return lexer_finish(lexer, byte, JSON_TOKEN_PUNCT);
	case '"':
	case '\'':
		return lexer_continue(lexer, byte, LEX_STRING);
	case '-':
		return lexer_continue(lexer, byte, LEX_MINUS);
	case '0':
		return lexer_continue(lexer, byte, LEX_ZERO);
	case '1' ... '9':
		return lexer_continue(lexer, byte, LEX_DIGITS);
	case 'a' ... 'z':
		return lexer_continue(lexer, byte, LEX_KEYWORD);
	default:
		return lexer_finish(lexer, byte, JSON_TOKEN_ERROR);
	}
}

/* Control characters, and the two bytes that UTF-8 never has, cannot stand in a string. */
static bool byte_fits_string(unsigned char byte)
{
	return byte >= 0x20 && byte < 0xfe;
}

static enum json_token lexer_string(struct json_lexer *lexer, unsigned char byte)
{
	if (!byte_fits_string(byte))
		return lexer_finish(lexer, byte, JSON_TOKEN_ERROR);
	if (lexer->state == LEX_STRING_ESCAPE)
		return lexer_continue(lexer, byte, LEX_STRING);
	if (byte == '\\')
		return lexer_continue(lexer, byte, LEX_STRING_ESCAPE);
	if (byte == (unsigned char)lexer->text->str[0])
		return lexer_finish(lexer, byte, JSON_TOKEN_STRING);
	return lexer_continue(lexer, byte, LEX_STRING);
}

/* After digits that may end an integer. */
static enum json_token lexer_integer(struct json_lexer *lexer, unsigned char byte, bool *taken)
{
	if (byte == '.')
		return lexer_continue(lexer, byte, LEX_POINT);
	if (byte == 'e' || byte == 'E')
		return lexer_continue(lexer, byte, LEX_EXPONENT);
	if (!g_ascii_isdigit(byte))
		return lexer_end_before(lexer, JSON_TOKEN_INTEGER, taken);
	if (lexer->state == LEX_ZERO)
		return lexer_finish(lexer, byte, JSON_TOKEN_ERROR);
	return lexer_continue(lexer, byte, LEX_DIGITS);
}

static enum json_token lexer_number(struct json_lexer *lexer, unsigned char byte, bool *taken)
{
	bool digit = g_ascii_isdigit(byte);

	switch (lexer->state) {
	case LEX_MINUS:
		if (digit)
			return lexer_continue(lexer, byte, byte == '0' ? LEX_ZERO : LEX_DIGITS);
		break;
	case LEX_POINT:
		if (digit)
			return lexer_continue(lexer, byte, LEX_FRACTION);
		break;
	case LEX_FRACTION:
		if (digit)
			return lexer_continue(lexer, byte, LEX_FRACTION);
		if (byte == 'e' || byte == 'E')
			return lexer_continue(lexer, byte, LEX_EXPONENT);
		return lexer_end_before(lexer, JSON_TOKEN_FLOAT, taken);
	case LEX_EXPONENT:
		if (byte == '+' || byte == '-')
			return lexer_continue(lexer, byte, LEX_EXPONENT_SIGN);
		/* fall through */
	case LEX_EXPONENT_SIGN:
		if (digit)
			return lexer_continue(lexer, byte, LEX_EXPONENT_DIGITS);
		break;
	default: /* LEX_EXPONENT_DIGITS */
		if (digit)
			return lexer_continue(lexer, byte, LEX_EXPONENT_DIGITS);
		return lexer_end_before(lexer, JSON_TOKEN_FLOAT, taken);
	}
	return lexer_finish(lexer, byte, JSON_TOKEN_ERROR);
}

enum json_token json_lexer_step(struct json_lexer *lexer, unsigned char byte, bool *taken)
{
	*taken = true;
	if (lexer->done) {
		g_string_truncate(lexer->text, 0);
		lexer->done = false;
	}
	switch (lexer->state) {
	case LEX_START:
		return lexer_start(lexer, byte);
	case LEX_STRING:
	case LEX_STRING_ESCAPE:
		return lexer_string(lexer, byte);
	case LEX_ZERO:
	case LEX_DIGITS:
		return lexer_integer(lexer, byte, taken);
	case LEX_KEYWORD:
		if (g_ascii_islower(byte))
			return lexer_continue(lexer, byte, LEX_KEYWORD);
		return lexer_end_before(lexer, JSON_TOKEN_KEYWORD, taken);
	default:
		return lexer_number(lexer, byte, taken);
	}
}

/* ---- Strings ---- */

/* Four hexadecimal digits at @p, or -1. The raw token ends with a quote, which is no digit. */
static int hex4(const char *p)
{
	int value = 0;

	for (int i = 0; i < 4; i++) {
		int digit = g_ascii_xdigit_value(p[i]);

		if (digit < 0)
			return -1;
		value = value << 4 | digit;
	}
	return value;
}

/* Unicode's noncharacters are refused, as are surrogates that are not a pair. */
static bool is_character(uint32_t c)
{
	return c <= 0x10ffff && (c & 0xfffff800) != 0xd800 && (c & 0xfffe) != 0xfffe &&
	       !(c >= 0xfdd0 && c <= 0xfdef);
}

/* @p is at the backslash of \uXXXX. Returns what follows, or NULL. */
static const char *unescape_unicode(const char *p, GString *out)
{
	int64_t c = hex4(p + 2);
	size_t used = 6;

	if (c >= 0xd800 && c < 0xdc00 && p[6] == '\\' && p[7] == 'u') {
		int low = hex4(p + 8);

		if (low >= 0xdc00 && low < 0xe000) {
			c = 0x10000 + ((c & 0x3ff) << 10) + (low & 0x3ff);
			used = 12;
		}
	}
	if (c < 0 || !is_character(c))
		return NULL;
	/* g_string_append_unichar() would lose the zero. */
	if (c)
		g_string_append_unichar(out, c);
	else
		g_string_append_c(out, 0);
	return p + used;
}

/* @p is at a backslash. Returns what follows the escape, or NULL with an error. */
static const char *unescape_one(const char *p, GString *out, GError **errp)
{
	static const char from[] = "\"'\\/bfnrt", to[] = "\"'\\/\b\f\n\r\t";
	const char *at = strchr(from, p[1]);

	if (at) {
		g_string_append_c(out, to[at - from]);
		return p + 2;
	}
	if (p[1] != 'u') {
		error_set(errp, "JSON parse error, invalid escape sequence in string");
		return NULL;
	}
	const char *next = unescape_unicode(p, out);

	if (next)
		return next;
	g_autofree char *shown = g_utf8_make_valid(p, strnlen(p, 6));

	error_set(errp, "JSON parse error, %s is not a valid Unicode character", shown);
	return NULL;
}

/* A run without backslashes. Returns its end, or NULL with an error. */
static const char *copy_plain(const char *p, const char *end, GString *out, GError **errp)
{
	const char *stop = memchr(p, '\\', end - p) ?: end;

	for (const char *c = p; c < stop; c = g_utf8_next_char(c)) {
		uint32_t unichar = g_utf8_get_char_validated(c, stop - c);

		if (!is_character(unichar)) { /* errors are above 0x10ffff, too */
			error_set(errp, "JSON parse error, invalid UTF-8 sequence in string");
			return NULL;
		}
	}
	g_string_append_len(out, p, stop - p);
	return stop;
}

GString *json_unescape(const GString *raw, GError **errp)
{
	const char *p = raw->str + 1, *end = raw->str + raw->len - 1;
	GString *out = g_string_sized_new(raw->len);

	while (p && p < end)
		p = *p == '\\' ? unescape_one(p, out, errp) : copy_plain(p, end, out, errp);
	if (!p) {
		g_string_free(out, true);
		return NULL;
	}
	return out;
}
