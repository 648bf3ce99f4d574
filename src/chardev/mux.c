/*
 * mux: several front ends on one back end. Output of all goes out; input goes to the one that has the
 * focus. The escape key (Ctrl-A) and a letter move the focus and do a few things more.
 *
 * The focus goes to the front end that came last, but for those that keep to the background
 * (monitors). What the focused one cannot take yet waits in a small buffer of its own.
 */
#include "event/clock.h"
#include "internal.h"

#define MUX_MAX     4
#define BUFFER_SIZE 64

struct mux_options {
	struct chardev_common common;
	char *chardev;
};

struct mux_client {
	struct chardev_frontend *fe;
	bool background;
	uint8_t data[BUFFER_SIZE];
	unsigned used;
};

struct mux_chardev {
	struct chardev chr;
	struct chardev_frontend *base;
	struct mux_client clients[MUX_MAX];
	unsigned count;
	unsigned focus;
	bool escaped; /* the escape key was the last byte */
	bool timestamps, line_start;
	int64_t first_line_ns; /* realtime of the first time stamp; 0: none yet */
};

/* What the world does for the keys x and s, and the escape key itself (0: not set). */
static struct chardev_hooks hooks;
static uint8_t escape_key;

void chardev_set_hooks(const struct chardev_hooks *new_hooks)
{
	hooks = *new_hooks;
}

void chardev_set_escape(uint8_t key)
{
	escape_key = key;
}

static uint8_t escape(void)
{
	return escape_key ? escape_key : 1;
}

/* ---- Output ---- */

static void put_timestamp(struct mux_chardev *mux, GString *out)
{
	int64_t now = clock_now(QCLOCK_REALTIME);
	int64_t s;

	if (!mux->first_line_ns)
		mux->first_line_ns = now;
	now -= mux->first_line_ns;
	s = now / NS_PER_SEC;
	g_string_append_printf(out, "[%02d:%02d:%02d.%03d] ", (int)(s / 3600), (int)(s / 60 % 60),
			       (int)(s % 60), (int)(now / NS_PER_MS % 1000));
}

static int mux_write(struct chardev *chr, const uint8_t *data, int len)
{
	struct mux_chardev *mux = container_of(chr, struct mux_chardev, chr);
	g_autoptr(GString) out = NULL;

	if (!mux->timestamps)
		return chardev_write(mux->base, data, len);
	out = g_string_sized_new(len + 32);
	for (int i = 0; i < len; i++) {
		if (mux->line_start)
			put_timestamp(mux, out);
		mux->line_start = data[i] == '\n';
		g_string_append_c(out, data[i]);
	}
	chardev_write_all(mux->base, out->str, out->len);
	return len;
}

static void print_key(GString *out, uint8_t key)
{
	if (key > 0 && key <= 26)
		g_string_append_printf(out, "C-%c", key - 1 + 'a');
	else
		g_string_append_printf(out, "<%d>", key);
}

static void mux_help(struct mux_chardev *mux)
{
	static const struct {
		char key;
		const char *help;
	} keys[] = {
		{'h', "print this help"},
		{'x', "exit emulator"},
		{'s', "save disk data back to file (if -snapshot)"},
		{'t', "toggle console timestamps"},
		{'b', "send break (magic sysrq)"},
		{'c', "switch between console and monitor"},
	};
	g_autoptr(GString) name = g_string_new(NULL), out = g_string_new("\n\r");

	print_key(name, escape());
	for (size_t i = 0; i < G_N_ELEMENTS(keys); i++)
		g_string_append_printf(out, "%s %c    %s\n\r", name->str, keys[i].key,
				       keys[i].help);
	g_string_append_printf(out, "%s %s  sends %s\n\r", name->str, name->str, name->str);
	chardev_write_all(mux->base, out->str, out->len);
}

static unsigned mux_notify(struct chardev_frontend *fe, void (*fn)(void *opaque), void *opaque)
{
	return chardev_notify_writable(container_of(fe->chr, struct mux_chardev, chr)->base, fn,
				       opaque);
}

static void mux_cancel_notify(struct chardev_frontend *fe, unsigned tag)
{
	chardev_cancel_notify(container_of(fe->chr, struct mux_chardev, chr)->base, tag);
}

/* ---- Input ---- */

static struct mux_client *focused(struct mux_chardev *mux)
{
	return mux->count ? &mux->clients[mux->focus] : NULL;
}

/* Hands on what waits in the focused client's buffer, as far as it takes it. */
static void mux_drain(struct chardev *chr)
{
	struct mux_chardev *mux = container_of(chr, struct mux_chardev, chr);
	struct mux_client *client = focused(mux);

	while (client && client->used) {
		uint8_t data[BUFFER_SIZE];
		int n = MIN((int)client->used, frontend_room(client->fe));

		if (n <= 0)
			return;
		memcpy(data, client->data, n);
		client->used -= n;
		memmove(client->data, client->data + n, client->used);
		client->fe->handlers.receive(client->fe->opaque, data, n);
		client = focused(mux);
	}
	if (mux->base)
		chardev_accept_input(mux->base);
}

static void mux_deliver(struct mux_chardev *mux, uint8_t byte)
{
	struct mux_client *client = focused(mux);

	if (!client)
		return;
	if (!client->used && frontend_room(client->fe) > 0)
		client->fe->handlers.receive(client->fe->opaque, &byte, 1);
	else if (client->used < BUFFER_SIZE)
		client->data[client->used++] = byte;
}

static void set_focus(struct mux_chardev *mux, unsigned focus)
{
	if (mux->focus != focus && mux->focus < mux->count)
		frontend_event(mux->clients[mux->focus].fe, CHARDEV_MUX_OUT);
	mux->focus = focus;
	mux->chr.fe = mux->clients[focus].fe;
	frontend_event(mux->chr.fe, CHARDEV_MUX_IN);
	mux_drain(&mux->chr);
}

static void mux_quit(struct mux_chardev *mux)
{
	static const char text[] = "QEMU: Terminated\n\r";

	chardev_write_all(mux->base, text, strlen(text));
	if (hooks.quit)
		hooks.quit();
}

static void mux_command(struct mux_chardev *mux, uint8_t key)
{
	if (key == escape()) {
		mux_deliver(mux, key);
		return;
	}
	switch (key) {
	case '?':
	case 'h':
		mux_help(mux);
		break;
	case 'x':
		mux_quit(mux);
		break;
	case 's':
		if (hooks.commit)
			hooks.commit();
		break;
	case 't':
		mux->timestamps = !mux->timestamps;
		mux->first_line_ns = 0;
		mux->line_start = false;
		break;
	case 'b':
		chardev_event(&mux->chr, CHARDEV_BREAK);
		break;
	case 'c':
		if (mux->count)
			set_focus(mux, (mux->focus + 1) % mux->count);
		break;
	}
}

/* As many as every client could buffer, since the focus may move between any two bytes; at least one
 * if the focused one takes it. */
static int mux_can_receive(void *opaque)
{
	struct mux_chardev *mux = opaque;
	struct mux_client *client = focused(mux);
	unsigned room = BUFFER_SIZE;

	if (!client || (client->used == BUFFER_SIZE && frontend_room(client->fe) <= 0))
		return 0;
	for (unsigned i = 0; i < mux->count; i++)
		room = MIN(room, BUFFER_SIZE - mux->clients[i].used);
	return room ? room : 1;
}

static void mux_receive(void *opaque, const uint8_t *data, int len)
{
	struct mux_chardev *mux = opaque;

	mux_drain(&mux->chr);
	for (int i = 0; i < len; i++) {
		if (mux->escaped) {
			mux->escaped = false;
			mux_command(mux, data[i]);
		} else if (data[i] == escape()) {
			mux->escaped = true;
		} else {
			mux_deliver(mux, data[i]);
		}
	}
}

static void mux_base_event(void *opaque, enum chardev_event event)
{
	struct mux_chardev *mux = opaque;

	if (event == CHARDEV_BREAK) {
		chardev_event(&mux->chr, event);
		return;
	}
	if (event != CHARDEV_OPENED && event != CHARDEV_CLOSED)
		return;
	mux->chr.open = event == CHARDEV_OPENED;
	for (unsigned i = 0; i < mux->count; i++)
		frontend_event(mux->clients[i].fe, event);
}

static const struct chardev_handlers mux_handlers = {
	.can_receive = mux_can_receive,
	.receive = mux_receive,
	.event = mux_base_event,
};

/* ---- Clients ---- */

static bool mux_add(struct chardev *chr, struct chardev_frontend *fe, GError **errp)
{
	struct mux_chardev *mux = container_of(chr, struct mux_chardev, chr);

	if (mux->count == MUX_MAX) {
		error_set(errp, "Device '%s' is in use: a multiplexer serves %d at most", chr->id,
			  MUX_MAX);
		return false;
	}
	mux->clients[mux->count++] =
		(struct mux_client){.fe = fe, .background = fe->handlers.background};
	chardev_set_open(mux->base, true);
	return true;
}

static unsigned client_index(const struct mux_chardev *mux, const struct chardev_frontend *fe)
{
	unsigned i = 0;

	while (i < mux->count && mux->clients[i].fe != fe)
		i++;
	return i;
}

/* The focus goes where it belongs; then a new client learns the state. */
static void mux_client_ready(struct chardev *chr, struct chardev_frontend *fe)
{
	struct mux_chardev *mux = container_of(chr, struct mux_chardev, chr);
	unsigned i = client_index(mux, fe);

	if (mux->count == 1 || !mux->clients[i].background || mux->focus == i) {
		set_focus(mux, i);
	} else {
		frontend_event(fe, CHARDEV_MUX_OUT);
		chr->fe = mux->clients[mux->focus].fe;
	}
	if (chr->open)
		frontend_event(fe, CHARDEV_OPENED);
}

static void mux_remove(struct chardev *chr, struct chardev_frontend *fe)
{
	struct mux_chardev *mux = container_of(chr, struct mux_chardev, chr);
	unsigned i = client_index(mux, fe);
	bool had_focus = i == mux->focus;

	memmove(&mux->clients[i], &mux->clients[i + 1],
		(--mux->count - i) * sizeof(mux->clients[0]));
	if (mux->focus > i)
		mux->focus--;
	chr->fe = NULL;
	chardev_set_open(mux->base, mux->count);
	if (!mux->count)
		return;
	mux->focus %= mux->count;
	if (had_focus)
		set_focus(mux, mux->focus);
	chr->fe = mux->clients[mux->focus].fe;
}

static bool mux_create(struct chardev *chr, const void *options, GError **errp)
{
	struct mux_chardev *mux = container_of(chr, struct mux_chardev, chr);
	const struct mux_options *opt = options;
	struct chardev *base = chardev_find(opt->chardev);

	if (!base) {
		error_set(errp, "mux: base chardev %s not found", opt->chardev);
		return false;
	}
	mux->base = chardev_attach(base, &mux_handlers, mux, NULL, errp);
	if (!mux->base)
		return false;
	chardev_set_open(mux->base, false);
	/* Until the base reports: what is written before then must not be lost. */
	chr->open = base->open;
	return true;
}

static void mux_destroy(struct chardev *chr)
{
	struct mux_chardev *mux = container_of(chr, struct mux_chardev, chr);

	chardev_detach(mux->base);
	mux->base = NULL;
}

static const struct field mux_rows[] = {
	CHARDEV_COMMON_ROWS(struct mux_options),
	ARG_STRING(struct mux_options, chardev, "chardev", "The device to share"),
	FIELD_ROW_END,
};
const struct field_set chardev_mux_set = {"ChardevMux", sizeof(struct mux_options), mux_rows};

static const struct field mux_flat[] = {
	CHARDEV_COMMON_ROWS(struct mux_options),
	OPT_STRING(struct mux_options, chardev, "chardev", "The device to share"),
	FIELD_ROW_END,
};

static bool mux_finish_flat(void *options, GError **errp)
{
	struct mux_options *opt = options;

	if (opt->chardev)
		return true;
	error_set(errp, "chardev: mux: no chardev given");
	return false;
}

const struct chardev_type chardev_mux = {
	.name = "mux",
	.help = "Several front ends on one other device, switched by Ctrl-A c",
	.size = sizeof(struct mux_chardev),
	.options = &chardev_mux_set,
	.flat = mux_flat,
	.finish_flat = mux_finish_flat,
	.create = mux_create,
	.destroy = mux_destroy,
	.write = mux_write,
	.accept_input = mux_drain,
	.add_frontend = mux_add,
	.remove_frontend = mux_remove,
	.frontend_ready = mux_client_ready,
	.notify = mux_notify,
	.cancel_notify = mux_cancel_notify,
};
