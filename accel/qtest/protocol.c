/*
 * The qtest protocol: lines in, lines out.
 *
 * Every command is a row; its function gets the words of the line. Words are separated by exactly
 * one space, as QEMU has it.
 */
#include "accel/qtest.h"
#include "base/checked.h"
#include "event/clock.h"
#include "state/state.h"

#define TRANSFER_MAX (64 * MIB) /* bytes of one read, write or memset */
#define LINES_MAX    256        /* interrupt lines whose level is remembered */

struct qtest {
	struct qtest_target target;
	qtest_reply_fn *reply;
	qtest_log_fn *log;
	void *opaque;
	struct device *tapped; /* whose lines are intercepted; NULL: nobody's */
	bool levels[LINES_MAX];
};

struct qtest_row {
	const char *name;
	unsigned args; /* at least so many */
	void (*run)(struct qtest *qt, char **words);
	bool clock; /* only where guest time is manual */
};

static void PRINTF_LIKE(2, 3) say(struct qtest *qt, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	g_autofree char *text = g_strdup_vprintf(fmt, args);
	va_end(args);
	qt->log(qt->opaque, text);
	g_autofree char *line = g_strdup_printf("%s\n", text);
	qt->reply(qt->opaque, line);
}

/* ---- Arguments ---- */

static bool number(struct qtest *qt, const char *word, uint64_t *value)
{
	char *end;

	errno = 0;
	*value = g_ascii_strtoull(word, &end, 0);
	if (!errno && end != word && !*end)
		return true;
	say(qt, "FAIL Invalid number '%s'", word);
	return false;
}

static bool length(struct qtest *qt, const char *word, uint64_t *len)
{
	if (!number(qt, word, len))
		return false;
	if (*len <= TRANSFER_MAX)
		return true;
	say(qt, "FAIL %" PRIu64 " bytes are too many, the limit is %" PRIu64 "", *len,
	    TRANSFER_MAX);
	return false;
}

static bool port(struct qtest *qt, const char *word, uint64_t *addr)
{
	if (!number(qt, word, addr))
		return false;
	if (*addr <= 0xffff)
		return true;
	say(qt, "FAIL Port 0x%" PRIx64 " is beyond 0xffff", *addr);
	return false;
}

/* The width is the command's last letter. */
static unsigned width_of(const char *command)
{
	switch (command[strlen(command) - 1]) {
	case 'b':
		return 1;
	case 'w':
		return 2;
	case 'l':
		return 4;
	default:
		return 8;
	}
}

/* ---- Ports and memory ---- */

static void run_in(struct qtest *qt, char **words)
{
	uint64_t addr, value = 0;

	if (!port(qt, words[1], &addr))
		return;
	as_load(qt->target.io, NULL, addr, width_of(words[0]), &value);
	say(qt, "OK 0x%04" PRIx64, value);
}

static void run_out(struct qtest *qt, char **words)
{
	uint64_t addr, value;

	if (!port(qt, words[1], &addr) || !number(qt, words[2], &value))
		return;
	as_store(qt->target.io, NULL, addr, width_of(words[0]), value);
	say(qt, "OK");
}

static void run_load(struct qtest *qt, char **words)
{
	uint64_t addr, value = 0;

	if (!number(qt, words[1], &addr))
		return;
	as_load(qt->target.memory, NULL, addr, width_of(words[0]), &value);
	say(qt, "OK 0x%016" PRIx64, value);
}

static void run_store(struct qtest *qt, char **words)
{
	uint64_t addr, value;

	if (!number(qt, words[1], &addr) || !number(qt, words[2], &value))
		return;
	as_store(qt->target.memory, NULL, addr, width_of(words[0]), value);
	say(qt, "OK");
}

/* Memory as it is before the guest runs: what is not there reads as zeroes. */
static uint8_t *fetch(struct qtest *qt, char **words, uint64_t *len)
{
	uint64_t addr;
	uint8_t *data;

	if (!number(qt, words[1], &addr) || !length(qt, words[2], len))
		return NULL;
	data = g_malloc0(*len + 1);
	as_read(qt->target.memory, addr, data, *len);
	return data;
}

static void run_read(struct qtest *qt, char **words)
{
	uint64_t len;
	g_autofree uint8_t *data = fetch(qt, words, &len);
	g_autoptr(GString) hex = g_string_new("");

	if (!data)
		return;
	for (uint64_t i = 0; i < len; i++)
		g_string_append_printf(hex, "%02x", data[i]);
	say(qt, "OK 0x%s", hex->str);
}

static void run_b64read(struct qtest *qt, char **words)
{
	uint64_t len;
	g_autofree uint8_t *data = fetch(qt, words, &len);

	if (!data)
		return;
	g_autofree char *text = g_base64_encode(data, len);
	say(qt, "OK %s", text);
}

/* Data is "0x" and two digits a byte; what is missing is zero. */
static void run_write(struct qtest *qt, char **words)
{
	uint64_t addr, len;
	size_t digits = strlen(words[3]);

	if (!number(qt, words[1], &addr) || !length(qt, words[2], &len))
		return;
	if (digits < 3) {
		say(qt, "ERR invalid argument size");
		return;
	}
	g_autofree uint8_t *data = g_malloc0(len + 1);
	for (uint64_t i = 0; i < len && 2 * i + 3 < digits; i++) {
		int high = g_ascii_xdigit_value(words[3][2 * i + 2]);
		int low = g_ascii_xdigit_value(words[3][2 * i + 3]);

		data[i] = MAX(high, 0) << 4 | MAX(low, 0);
	}
	as_write(qt->target.memory, addr, data, len);
	say(qt, "OK");
}

static void run_b64write(struct qtest *qt, char **words)
{
	uint64_t addr, len;
	size_t found;

	if (!number(qt, words[1], &addr) || !length(qt, words[2], &len))
		return;
	g_autofree uint8_t *data = g_base64_decode(words[3], &found);
	if (found != len) {
		g_autofree char *text = g_strdup_printf(
			"b64write: data length mismatch (told %" PRIu64 ", found %zu)", len, found);

		qt->log(qt->opaque, text);
	}
	as_write(qt->target.memory, addr, data, MIN(found, len));
	say(qt, "OK");
}

static void run_memset(struct qtest *qt, char **words)
{
	uint64_t addr, len, byte;

	if (!number(qt, words[1], &addr) || !length(qt, words[2], &len) ||
	    !number(qt, words[3], &byte))
		return;
	as_fill(qt->target.memory, addr, byte, len);
	say(qt, "OK");
}

static void run_endianness(struct qtest *qt, char **words)
{
	say(qt, "OK little");
}

/* ---- Interrupt lines ---- */

static void line_changed(void *opaque, unsigned n, int level)
{
	struct qtest *qt = opaque;

	if (n >= LINES_MAX || qt->levels[n] == !!level)
		return;
	qt->levels[n] = level;
	say(qt, "IRQ %s %u", level ? "raise" : "lower", n);
}

static void run_intercept(struct qtest *qt, char **words)
{
	struct device *dev = tree_find(words[1], NULL);
	bool out = g_str_has_suffix(words[0], "_out");

	if (!dev) {
		say(qt, "FAIL Unknown device");
		return;
	}
	if (qt->tapped) {
		say(qt, qt->tapped == dev ? "OK" : "FAIL IRQ intercept already enabled");
		return;
	}
	if (out)
		device_tap_outputs(dev, NULL, line_changed, qt);
	else
		device_tap_inputs(dev, NULL, line_changed, qt);
	qt->tapped = dev;
	say(qt, "OK");
}

static void run_set_irq_in(struct qtest *qt, char **words)
{
	struct device *dev = tree_find(words[1], NULL);
	bool unnamed = !strcmp(words[2], "unnamed-gpio-in");
	uint64_t n, level;
	struct irq *irq;

	if (!dev) {
		say(qt, "FAIL Unknown device");
		return;
	}
	if (!number(qt, words[3], &n) || !number(qt, words[4], &level))
		return;
	irq = n <= UINT_MAX ? device_input(dev, unnamed ? NULL : words[2], n) : NULL;
	if (!irq) {
		say(qt, "FAIL Unknown input");
		return;
	}
	irq_set(irq, level != 0);
	say(qt, "OK");
}

/* ---- Time ---- */

static void run_clock_step(struct qtest *qt, char **words)
{
	int64_t now = clock_virtual_get(), target = clock_virtual_deadline();
	uint64_t ns;

	if (words[1]) {
		if (!number(qt, words[1], &ns))
			return;
		target = ns <= (uint64_t)(INT64_MAX - now) ? now + (int64_t)ns : INT64_MAX;
	} else if (target == INT64_MAX) {
		target = now;
	}
	say(qt, "OK %" PRIi64, clock_virtual_step(MAX(target, now)));
}

static void run_clock_set(struct qtest *qt, char **words)
{
	uint64_t ns;

	if (!number(qt, words[1], &ns))
		return;
	ns = MIN(ns, INT64_MAX);
	say(qt, "OK %" PRIi64, clock_virtual_step(MAX((int64_t)ns, clock_virtual_get())));
}

/* ---- Ours ---- */

static void run_reset(struct qtest *qt, char **words)
{
	qt->target.reset(qt->target.opaque);
	say(qt, "OK");
}

/* For another process to load. */
static void run_state_save(struct qtest *qt, char **words)
{
	g_autoptr(GByteArray) state = g_byte_array_new();

	state_save_tree(state);
	g_autofree char *text = g_base64_encode(state->data, state->len);
	say(qt, "OK %s", text);
}

static void run_state_load(struct qtest *qt, char **words)
{
	g_autoptr(GError) err = NULL;
	size_t len;
	g_autofree uint8_t *state = g_base64_decode(words[1], &len);

	if (state_load_tree(state, len, &err))
		say(qt, "OK");
	else
		say(qt, "FAIL %s", err->message);
}

/* Save, reset, load, save again: the two must be equal. */
static void run_roundtrip(struct qtest *qt, char **words)
{
	g_autoptr(GByteArray) before = g_byte_array_new(), after = g_byte_array_new();
	g_autoptr(GError) err = NULL;

	state_save_tree(before);
	qt->target.reset(qt->target.opaque);
	if (!state_load_tree(before->data, before->len, &err)) {
		say(qt, "FAIL %s", err->message);
		return;
	}
	state_save_tree(after);
	g_autofree char *difference =
		state_compare(before->data, before->len, after->data, after->len);
	if (difference)
		say(qt, "FAIL %s", difference);
	else
		say(qt, "OK %u", before->len);
}

/* ---- Dispatch ---- */

static const struct qtest_row rows[] = {
	{"inb", 1, run_in},
	{"inw", 1, run_in},
	{"inl", 1, run_in},
	{"outb", 2, run_out},
	{"outw", 2, run_out},
	{"outl", 2, run_out},
	{"readb", 1, run_load},
	{"readw", 1, run_load},
	{"readl", 1, run_load},
	{"readq", 1, run_load},
	{"writeb", 2, run_store},
	{"writew", 2, run_store},
	{"writel", 2, run_store},
	{"writeq", 2, run_store},
	{"read", 2, run_read},
	{"write", 3, run_write},
	{"b64read", 2, run_b64read},
	{"b64write", 3, run_b64write},
	{"memset", 3, run_memset},
	{"endianness", 0, run_endianness},
	{"irq_intercept_in", 1, run_intercept},
	{"irq_intercept_out", 1, run_intercept},
	{"set_irq_in", 4, run_set_irq_in},
	{"clock_step", 0, run_clock_step, .clock = true},
	{"clock_set", 1, run_clock_set, .clock = true},
	{"quail_reset", 0, run_reset},
	{"quail_state_load", 1, run_state_load},
	{"quail_state_save", 0, run_state_save},
	{"quail_state_roundtrip", 0, run_roundtrip},
};

static const struct qtest_row *row_find(const struct qtest *qt, const char *name)
{
	for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
		if (!strcmp(rows[i].name, name))
			return rows[i].clock && !qt->target.clock_manual ? NULL : &rows[i];
	}
	return NULL;
}

void qtest_command(struct qtest *qt, const char *line)
{
	g_auto(GStrv) words = g_strsplit(line, " ", 0);
	const char *name = words[0] ? words[0] : "";
	const struct qtest_row *row = row_find(qt, name);

	if (!row)
		say(qt, "FAIL Unknown command '%s'", name);
	else if (g_strv_length(words) - 1 < row->args)
		say(qt, "FAIL Command '%s' needs %u arguments", name, row->args);
	else
		row->run(qt, words);
}

void qtest_opened(struct qtest *qt)
{
	memset(qt->levels, 0, sizeof(qt->levels));
}

struct qtest *qtest_new(const struct qtest_target *target, qtest_reply_fn *reply, qtest_log_fn *log,
			void *opaque)
{
	struct qtest *qt = g_new0(struct qtest, 1);

	*qt = (struct qtest){.target = *target, .reply = reply, .log = log, .opaque = opaque};
	return qt;
}

void qtest_free(struct qtest *qt)
{
	if (qt->tapped) {
		device_tap_inputs(qt->tapped, NULL, NULL, NULL);
		device_tap_outputs(qt->tapped, NULL, NULL, NULL);
	}
	g_free(qt);
}
