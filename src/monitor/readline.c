/*
 * The line editor. The terminal understands ESC [ D (left), ESC [ C (right) and ESC [ K (clear to the end of
 * the line); the line is taken to fit on one row.
 */
#include "readline.h"

#define LINE_MAX_LEN 4095
#define HISTORY_MAX  64

enum key_state { KEY_PLAIN, KEY_ESC, KEY_CSI, KEY_SS3 };

struct readline {
	const struct readline_ops *ops;
	void *opaque;
	char *prompt;
	GString *line;
	size_t cursor;
	enum key_state state;
	unsigned csi_number;
	GPtrArray *history;
	guint history_at; /* history->len: the line being typed */
	char *typed;      /* which is kept here meanwhile */
};

static void print(struct readline *rl, const char *text)
{
	rl->ops->print(rl->opaque, text);
}

static void print_times(struct readline *rl, const char *text, size_t n)
{
	g_autoptr(GString) out = g_string_new(NULL);

	while (n--)
		g_string_append(out, text);
	if (out->len)
		print(rl, out->str);
}

/* ---- Changing the line ---- */

static void move_to(struct readline *rl, size_t to)
{
	if (to < rl->cursor)
		print_times(rl, "\033[D", rl->cursor - to);
	else
		print_times(rl, "\033[C", to - rl->cursor);
	rl->cursor = to;
}

/* Prints from the cursor on, and returns to it. */
static void redraw_tail(struct readline *rl)
{
	print(rl, rl->line->str + rl->cursor);
	print(rl, "\033[K");
	print_times(rl, "\033[D", rl->line->len - rl->cursor);
}

static void insert_text(struct readline *rl, const char *text)
{
	size_t len = strlen(text);

	if (rl->line->len + len > LINE_MAX_LEN)
		return;
	g_string_insert(rl->line, rl->cursor, text);
	print(rl, text);
	rl->cursor += len;
	if (rl->cursor < rl->line->len)
		redraw_tail(rl);
}

static void insert_byte(struct readline *rl, uint8_t byte)
{
	char text[2] = {(char)byte, '\0'};

	insert_text(rl, text);
}

static void delete_range(struct readline *rl, size_t from, size_t to)
{
	if (from == to)
		return;
	move_to(rl, from);
	g_string_erase(rl->line, from, to - from);
	redraw_tail(rl);
}

static void replace_line(struct readline *rl, const char *text)
{
	move_to(rl, 0);
	g_string_truncate(rl->line, 0);
	print(rl, "\033[K");
	insert_text(rl, text);
}

static size_t word_left(const struct readline *rl)
{
	size_t i = rl->cursor;

	while (i && rl->line->str[i - 1] == ' ')
		i--;
	while (i && rl->line->str[i - 1] != ' ')
		i--;
	return i;
}

static size_t word_right(const struct readline *rl)
{
	size_t i = rl->cursor;

	while (i < rl->line->len && rl->line->str[i] == ' ')
		i++;
	while (i < rl->line->len && rl->line->str[i] != ' ')
		i++;
	return i;
}

/* ---- History ---- */

static void history_add(struct readline *rl, const char *line)
{
	if (!*line)
		return;
	for (guint i = 0; i < rl->history->len; i++) {
		if (!strcmp(rl->history->pdata[i], line)) {
			g_ptr_array_remove_index(rl->history, i);
			break;
		}
	}
	if (rl->history->len == HISTORY_MAX)
		g_ptr_array_remove_index(rl->history, 0);
	g_ptr_array_add(rl->history, g_strdup(line));
}

static void history_show(struct readline *rl, guint at)
{
	if (rl->history_at == rl->history->len) {
		g_free(rl->typed);
		rl->typed = g_strdup(rl->line->str);
	}
	rl->history_at = at;
	replace_line(rl, at == rl->history->len ? rl->typed : rl->history->pdata[at]);
}

static void history_up(struct readline *rl)
{
	if (rl->history_at)
		history_show(rl, rl->history_at - 1);
}

static void history_down(struct readline *rl)
{
	if (rl->history_at < rl->history->len)
		history_show(rl, rl->history_at + 1);
}

/* ---- Completion ---- */

static size_t common_prefix(const GPtrArray *words)
{
	const char *first = words->pdata[0];
	size_t len = strlen(first);

	for (guint i = 1; i < words->len; i++) {
		size_t n = 0;

		while (n < len && first[n] == ((const char *)words->pdata[i])[n])
			n++;
		len = n;
	}
	return len;
}

static int compare_words(gconstpointer a, gconstpointer b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* All candidates in columns, then the line again. */
static void show_candidates(struct readline *rl, GPtrArray *words)
{
	g_autoptr(GString) out = g_string_new("\n");
	size_t width = 0, column = 0;
	size_t end = rl->cursor;

	g_ptr_array_sort(words, compare_words);
	for (guint i = 0; i < words->len; i++)
		width = MAX(width, strlen(words->pdata[i]) + 2);
	for (guint i = 0; i < words->len; i++) {
		g_string_append_printf(out, "%-*s", (int)width, (char *)words->pdata[i]);
		column += width;
		if (column + width > 79 || i + 1 == words->len) {
			g_string_append_c(out, '\n');
			column = 0;
		}
	}
	g_string_append(out, rl->prompt);
	g_string_append(out, rl->line->str);
	print(rl, out->str);
	rl->cursor = rl->line->len;
	move_to(rl, end);
}

static void complete(struct readline *rl)
{
	g_autoptr(GPtrArray) words = g_ptr_array_new_with_free_func(g_free);
	g_autofree char *text = g_strndup(rl->line->str, rl->cursor), *more = NULL;
	size_t typed = rl->ops->complete ? rl->ops->complete(rl->opaque, text, words) : 0;
	size_t common;

	if (!words->len)
		return;
	common = common_prefix(words);
	if (common > typed) {
		more = g_strndup((char *)words->pdata[0] + typed, common - typed);
		insert_text(rl, more);
	}
	if (words->len == 1 && common && ((char *)words->pdata[0])[common - 1] != '/')
		insert_text(rl, " ");
	else if (words->len > 1 && common <= typed)
		show_candidates(rl, words);
}

/* ---- Keys ---- */

static void enter(struct readline *rl)
{
	g_autofree char *line = g_strdup(rl->line->str);

	print(rl, "\n");
	history_add(rl, line);
	readline_reset(rl);
	rl->ops->line(rl->opaque, line);
}

static void control_key(struct readline *rl, uint8_t byte)
{
	switch (byte) {
	case 1: /* ^A */
		move_to(rl, 0);
		break;
	case 2: /* ^B */
		if (rl->cursor)
			move_to(rl, rl->cursor - 1);
		break;
	case 4: /* ^D */
		if (rl->cursor < rl->line->len)
			delete_range(rl, rl->cursor, rl->cursor + 1);
		break;
	case 5: /* ^E */
		move_to(rl, rl->line->len);
		break;
	case 6: /* ^F */
		if (rl->cursor < rl->line->len)
			move_to(rl, rl->cursor + 1);
		break;
	case 8: /* ^H */
	case 127:
		if (rl->cursor)
			delete_range(rl, rl->cursor - 1, rl->cursor);
		break;
	case 9:
		complete(rl);
		break;
	case 10:
	case 13:
		enter(rl);
		break;
	case 11: /* ^K */
		delete_range(rl, rl->cursor, rl->line->len);
		break;
	case 14: /* ^N */
		history_down(rl);
		break;
	case 16: /* ^P */
		history_up(rl);
		break;
	case 21: /* ^U */
		delete_range(rl, 0, rl->cursor);
		break;
	case 23: /* ^W */
		delete_range(rl, word_left(rl), rl->cursor);
		break;
	case 27:
		rl->state = KEY_ESC;
		break;
	}
}

static void escape_key(struct readline *rl, uint8_t byte)
{
	rl->state = KEY_PLAIN;
	switch (byte) {
	case '[':
		rl->state = KEY_CSI;
		rl->csi_number = 0;
		break;
	case 'O':
		rl->state = KEY_SS3;
		break;
	case 'b':
		move_to(rl, word_left(rl));
		break;
	case 'f':
		move_to(rl, word_right(rl));
		break;
	case 'd':
		delete_range(rl, rl->cursor, word_right(rl));
		break;
	}
}

/* ESC [ NUMBER ~ */
static void numbered_key(struct readline *rl)
{
	switch (rl->csi_number) {
	case 1:
	case 7:
		control_key(rl, 1);
		break;
	case 3:
		control_key(rl, 4);
		break;
	case 4:
	case 8:
		control_key(rl, 5);
		break;
	}
}

/* ESC [ LETTER, ESC O LETTER */
static void cursor_key(struct readline *rl, uint8_t byte)
{
	switch (byte) {
	case 'A':
		history_up(rl);
		break;
	case 'B':
		history_down(rl);
		break;
	case 'C':
		control_key(rl, 6);
		break;
	case 'D':
		control_key(rl, 2);
		break;
	case 'F':
		control_key(rl, 5);
		break;
	case 'H':
		control_key(rl, 1);
		break;
	case '~':
		numbered_key(rl);
		break;
	}
}

void readline_feed(struct readline *rl, uint8_t byte)
{
	switch (rl->state) {
	case KEY_PLAIN:
		if (byte < 32 || byte == 127)
			control_key(rl, byte);
		else
			insert_byte(rl, byte);
		break;
	case KEY_ESC:
		escape_key(rl, byte);
		break;
	case KEY_CSI:
		if (g_ascii_isdigit(byte)) {
			rl->csi_number = MIN(rl->csi_number * 10 + (byte - '0'), 1000);
			break;
		}
		/* fall through */
	case KEY_SS3:
		rl->state = KEY_PLAIN;
		cursor_key(rl, byte);
		break;
	}
}

void readline_prompt(struct readline *rl)
{
	readline_reset(rl);
	print(rl, rl->prompt);
}

void readline_reset(struct readline *rl)
{
	g_string_truncate(rl->line, 0);
	rl->cursor = 0;
	rl->state = KEY_PLAIN;
	rl->history_at = rl->history->len;
}

const GPtrArray *readline_history(const struct readline *rl)
{
	return rl->history;
}

struct readline *readline_new(const struct readline_ops *ops, void *opaque, const char *prompt)
{
	struct readline *rl = g_new0(struct readline, 1);

	rl->ops = ops;
	rl->opaque = opaque;
	rl->prompt = g_strdup(prompt);
	rl->line = g_string_new(NULL);
	rl->history = g_ptr_array_new_with_free_func(g_free);
	return rl;
}

void readline_free(struct readline *rl)
{
	g_string_free(rl->line, true);
	g_ptr_array_unref(rl->history);
	g_free(rl->prompt);
	g_free(rl->typed);
	g_free(rl);
}
