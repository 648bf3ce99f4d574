/* Expressions: recursive descent, bounded in depth. Arithmetic wraps at 64 bits. */
#include "expr.h"

#define DEPTH_MAX 64

struct parser {
	const char *p;
	expr_register_fn *reg;
	void *opaque;
	unsigned depth;
	GError **errp;
};

static bool parse_logic(struct parser *ps, int64_t *value);

static void skip_blanks(struct parser *ps)
{
	while (g_ascii_isspace(*ps->p))
		ps->p++;
}

static bool parse_character(struct parser *ps, int64_t *value)
{
	if (!ps->p[1] || ps->p[2] != '\'') {
		error_set(ps->errp, "missing terminating ' character");
		return false;
	}
	*value = (uint8_t)ps->p[1];
	ps->p += 3;
	return true;
}

static bool parse_register(struct parser *ps, int64_t *value)
{
	size_t len = 1;
	g_autofree char *name = NULL;

	while (g_ascii_isalnum(ps->p[len]) || ps->p[len] == '_' || ps->p[len] == '.')
		len++;
	name = g_strndup(ps->p + 1, len - 1);
	if (!ps->reg || !ps->reg(ps->opaque, name, value)) {
		error_set(ps->errp, "unknown register");
		return false;
	}
	ps->p += len;
	return true;
}

static bool parse_number(struct parser *ps, int64_t *value)
{
	char *end;

	if (!*ps->p) {
		error_set(ps->errp, "unexpected end of expression");
		return false;
	}
	errno = 0;
	*value = g_ascii_isdigit(*ps->p) ? (int64_t)g_ascii_strtoull(ps->p, &end, 0) : 0;
	if (!g_ascii_isdigit(*ps->p) || end == ps->p) {
		error_set(ps->errp, "invalid char '%c' in expression", *ps->p);
		return false;
	}
	if (errno == ERANGE) {
		error_set(ps->errp, "number too large");
		return false;
	}
	ps->p = end;
	return true;
}

static bool parse_group(struct parser *ps, int64_t *value)
{
	ps->p++;
	if (!parse_logic(ps, value))
		return false;
	if (*ps->p != ')') {
		error_set(ps->errp, "')' expected");
		return false;
	}
	ps->p++;
	return true;
}

static bool parse_unary(struct parser *ps, int64_t *value);

static bool parse_prefixed(struct parser *ps, char op, int64_t *value)
{
	ps->p++;
	if (!parse_unary(ps, value))
		return false;
	if (op == '-')
		*value = (int64_t) - (uint64_t)*value;
	else if (op == '~')
		*value = ~*value;
	return true;
}

static bool parse_primary(struct parser *ps, int64_t *value)
{
	switch (*ps->p) {
	case '+':
	case '-':
	case '~':
		return parse_prefixed(ps, *ps->p, value);
	case '(':
		return parse_group(ps, value);
	case '\'':
		return parse_character(ps, value);
	case '$':
		return parse_register(ps, value);
	default:
		return parse_number(ps, value);
	}
}

static bool parse_unary(struct parser *ps, int64_t *value)
{
	bool ok;

	skip_blanks(ps);
	if (++ps->depth > DEPTH_MAX) {
		error_set(ps->errp, "expression nested too deeply");
		return false;
	}
	ok = parse_primary(ps, value);
	ps->depth--;
	skip_blanks(ps);
	return ok;
}

static bool divide(struct parser *ps, char op, int64_t *value, int64_t by)
{
	if (!by) {
		error_set(ps->errp, "division by zero");
		return false;
	}
	/* The one quotient that does not fit. */
	if (by == -1)
		*value = op == '/' ? (int64_t) - (uint64_t)*value : 0;
	else
		*value = op == '/' ? *value / by : *value % by;
	return true;
}

static bool parse_product(struct parser *ps, int64_t *value)
{
	if (!parse_unary(ps, value))
		return false;
	while (*ps->p == '*' || *ps->p == '/' || *ps->p == '%') {
		char op = *ps->p++;
		int64_t right;

		if (!parse_unary(ps, &right))
			return false;
		if (op == '*')
			*value = (int64_t)((uint64_t)*value * (uint64_t)right);
		else if (!divide(ps, op, value, right))
			return false;
	}
	return true;
}

static bool parse_sum(struct parser *ps, int64_t *value)
{
	if (!parse_product(ps, value))
		return false;
	while (*ps->p == '+' || *ps->p == '-') {
		char op = *ps->p++;
		int64_t right;

		if (!parse_product(ps, &right))
			return false;
		if (op == '-')
			right = (int64_t) - (uint64_t)right;
		*value = (int64_t)((uint64_t)*value + (uint64_t)right);
	}
	return true;
}

static bool parse_logic(struct parser *ps, int64_t *value)
{
	if (!parse_sum(ps, value))
		return false;
	while (*ps->p && strchr("&|^", *ps->p)) {
		char op = *ps->p++;
		int64_t right;

		if (!parse_sum(ps, &right))
			return false;
		*value = op == '&' ? *value & right : op == '|' ? *value | right : *value ^ right;
	}
	return true;
}

bool expr_eval(const char **text, expr_register_fn *reg, void *opaque, int64_t *value,
	       GError **errp)
{
	struct parser ps = {.p = *text, .reg = reg, .opaque = opaque, .errp = errp};
	bool ok = parse_logic(&ps, value);

	*text = ps.p;
	return ok;
}
