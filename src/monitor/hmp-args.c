/* Taking a command line apart. */
#include "expr.h"
#include "hmp.h"
#include "machine/machine.h"

static void skip_blanks(const char **text)
{
	while (g_ascii_isspace(**text))
		(*text)++;
}

/* One character after a backslash. */
static char unescape(char c)
{
	switch (c) {
	case 'n':
		return '\n';
	case 'r':
		return '\r';
	default:
		return c;
	}
}

static char *quoted_word(const char **text, GError **errp)
{
	GString *word = g_string_new(NULL);
	const char *p = *text + 1;

	for (; *p && *p != '"'; p++) {
		if (*p != '\\') {
			g_string_append_c(word, *p);
			continue;
		}
		p++;
		if (!*p || !strchr("nr\\'\"", *p)) {
			error_set(errp, "unsupported escape code: '\\%c'", *p);
			g_string_free(word, true);
			return NULL;
		}
		g_string_append_c(word, unescape(*p));
	}
	if (!*p) {
		error_set(errp, "unterminated string");
		g_string_free(word, true);
		return NULL;
	}
	*text = p + 1;
	return g_string_free(word, false);
}

char *hmp_next_word(const char **text, GError **errp)
{
	const char *start;

	skip_blanks(text);
	start = *text;
	if (!*start)
		return NULL;
	if (*start == '"')
		return quoted_word(text, errp);
	while (**text && !g_ascii_isspace(**text))
		(*text)++;
	return g_strndup(start, *text - start);
}

/* ---- Registers in expressions ---- */

struct hmp_registers {
	struct hmp *hmp;
	const struct x86_state *state; /* fetched with the first register */
};

static bool segment_value(const struct x86_state *s, const char *name, int64_t *value)
{
	static const char names[][3] = {"es", "cs", "ss", "ds", "fs", "gs"};

	for (unsigned i = 0; i < G_N_ELEMENTS(names); i++) {
		size_t len = strlen(names[i]);

		if (strncmp(name, names[i], len) != 0)
			continue;
		if (!name[len])
			*value = s->seg[i].selector;
		else if (!strcmp(name + len, ".base"))
			*value = (int64_t)s->seg[i].base;
		else if (!strcmp(name + len, ".limit"))
			*value = s->seg[i].limit;
		else
			return false;
		return true;
	}
	return false;
}

static bool general_value(const struct x86_state *s, const char *name, int64_t *value)
{
	static const char names[16][4] = {"ax", "cx", "dx",  "bx",  "sp",  "bp",  "si",  "di",
					  "r8", "r9", "r10", "r11", "r12", "r13", "r14", "r15"};

	for (unsigned i = 0; i < 16; i++) {
		if (i >= 8 && !strcmp(name, names[i])) {
			*value = (int64_t)s->gpr[i];
			return true;
		}
		if (i < 8 && (name[0] == 'e' || name[0] == 'r') && !strcmp(name + 1, names[i])) {
			*value = name[0] == 'r' ? (int64_t)s->gpr[i] : (uint32_t)s->gpr[i];
			return true;
		}
	}
	return false;
}

static bool register_value(void *opaque, const char *name, int64_t *value)
{
	struct hmp_registers *regs = opaque;
	const struct x86_state *s = regs->state;
	struct vcpu *cpu;

	if (!s) {
		cpu = hmp_cpu(regs->hmp, true, NULL);
		if (!cpu)
			return false;
		s = regs->state = &cpu->acc.state;
	}
	if (general_value(s, name, value) || segment_value(s, name, value))
		return true;
	if (!strcmp(name, "rip") || !strcmp(name, "pc"))
		*value = (int64_t)s->rip;
	else if (!strcmp(name, "eip"))
		*value = (uint32_t)s->rip;
	else if (!strcmp(name, "eflags") || !strcmp(name, "rflags"))
		*value = (int64_t)s->rflags;
	else
		return false;
	return true;
}

/* ---- Kinds ---- */

static bool parse_format(struct hmp *hmp, const char **text, GError **errp)
{
	struct hmp_format *f = &hmp->format;
	const char *p = *text + 1;

	if (g_ascii_isdigit(*p)) {
		char *end;

		f->count = (int)MIN(g_ascii_strtoull(p, &end, 10), 1 << 20);
		p = end;
	}
	for (; *p && !g_ascii_isspace(*p); p++) {
		static const char sizes[] = "bhwg";
		const char *size = strchr(sizes, *p);

		if (size) {
			f->size = 1 << (size - sizes);
		} else if (strchr("xduoc", *p)) {
			f->letter = *p;
		} else if (*p == 'i') {
			error_set(errp, "no disassembler here: format 'i' is not available");
			return false;
		} else {
			error_set(errp, "invalid char in format: '%c'", *p);
			return false;
		}
	}
	*text = p;
	return true;
}

static bool take_format(struct hmp *hmp, const char **text, GError **errp)
{
	skip_blanks(text);
	hmp->format = (struct hmp_format){.count = 1, .letter = hmp->last_letter, .size = -1};
	if (**text == '/' && !parse_format(hmp, text, errp))
		return false;
	hmp->last_letter = hmp->format.letter;
	if (hmp->format.size > 0)
		hmp->last_size = hmp->format.size;
	return true;
}

static bool take_number(struct hmp *hmp, const struct hmp_arg *arg, const char **text,
			json_object *out, GError **errp)
{
	struct hmp_registers regs = {.hmp = hmp};
	int64_t value;

	skip_blanks(text);
	if (!**text && arg->optional)
		return true;
	if (!expr_eval(text, register_value, &regs, &value, errp))
		return false;
	json_add(out, arg->name, json_object_new_int64(value));
	return true;
}

static bool take_word(const char *names, const struct hmp_arg *arg, const char **text,
		      json_object *out, GError **errp)
{
	g_autoptr(GError) err = NULL;
	g_autofree char *word = hmp_next_word(text, &err);

	if (err) {
		g_propagate_error(errp, g_steal_pointer(&err));
		return false;
	}
	if (word)
		json_add(out, arg->name, json_object_new_string(word));
	else if (!arg->optional)
		error_set(errp, "%s: string expected", names);
	return word || arg->optional;
}

static bool take_rest(const char *names, const struct hmp_arg *arg, const char **text,
		      json_object *out, GError **errp)
{
	skip_blanks(text);
	if (**text)
		json_add(out, arg->name, json_object_new_string(*text));
	else if (!arg->optional) {
		error_set(errp, "%s: string expected", names);
		return false;
	}
	*text += strlen(*text);
	return true;
}

static bool take_switch(const char *names, const struct hmp_arg *arg, const char **text,
			json_object *out, GError **errp)
{
	g_autofree char *word = hmp_next_word(text, NULL);

	if (!word && arg->optional)
		return true;
	if (word && (!strcmp(word, "on") || !strcmp(word, "off"))) {
		json_add(out, arg->name, json_object_new_boolean(word[1] == 'n'));
		return true;
	}
	error_set(errp, "%s: expected 'on' or 'off'", names);
	return false;
}

static bool take_flag(const struct hmp_arg *arg, const char **text, json_object *out)
{
	size_t len = strlen(arg->name);

	skip_blanks(text);
	if (strncmp(*text, arg->name, len) == 0 &&
	    (!(*text)[len] || g_ascii_isspace((*text)[len]))) {
		*text += len;
		json_add(out, arg->name, json_object_new_boolean(true));
	}
	return true;
}

static bool take_arg(struct hmp *hmp, const char *names, const struct hmp_arg *arg,
		     const char **text, json_object *out, GError **errp)
{
	switch (arg->kind) {
	case HMP_WORD:
		return take_word(names, arg, text, out, errp);
	case HMP_REST:
		return take_rest(names, arg, text, out, errp);
	case HMP_NUMBER:
		return take_number(hmp, arg, text, out, errp);
	case HMP_SWITCH:
		return take_switch(names, arg, text, out, errp);
	case HMP_FLAG:
		return take_flag(arg, text, out);
	case HMP_FORMAT:
		return take_format(hmp, text, errp);
	default:
		g_assert_not_reached();
	}
}

json_object *hmp_parse_args(struct hmp *hmp, const char *names, const struct hmp_arg *args,
			    const char *text, GError **errp)
{
	g_autoptr(json_object) out = json_object_new_object();

	for (unsigned i = 0; i < HMP_ARGS_MAX && args[i].kind != HMP_END; i++)
		if (!take_arg(hmp, names, &args[i], &text, out, errp))
			return NULL;
	skip_blanks(&text);
	if (*text) {
		error_set(errp, "%s: extraneous characters at the end of line", names);
		return NULL;
	}
	return g_steal_pointer(&out);
}

/* ---- Access ---- */

const char *hmp_text(json_object *args, const char *name)
{
	return json_object_get_string(json_object_object_get(args, name));
}

int64_t hmp_number(json_object *args, const char *name)
{
	return json_object_get_int64(json_object_object_get(args, name));
}

bool hmp_flag(json_object *args, const char *name)
{
	return json_object_get_boolean(json_object_object_get(args, name));
}
