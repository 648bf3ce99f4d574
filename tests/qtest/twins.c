/* See twins.h. */
#include <glib/gstdio.h>
#include <stdarg.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>
#include "twins.h"

#define IOAPIC      0xfec00000
#define IOAPIC_PINS 24
#define LAPIC       0xfee00000

/* ---- What is seen ---- */

void note(struct twin *t, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	g_string_append_vprintf(t->log, fmt, ap);
	va_end(ap);
	g_string_append_c(t->log, '\n');
}

static void note_pics(struct twin *t)
{
	for (unsigned base = 0x20; base <= 0xa0; base += 0x80) {
		qts_outb(t->s, base, 0x0a);
		note(t, "pic %x irr %02x", base, qts_inb(t->s, base));
		qts_outb(t->s, base, 0x0b);
		note(t, "pic %x isr %02x", base, qts_inb(t->s, base));
		note(t, "pic %x imr %02x", base, qts_inb(t->s, base + 1));
	}
}

void note_board(struct twin *t)
{
	static const uint16_t banks[] = {0x100, 0x180, 0x200};

	note_pics(t);
	for (unsigned pin = 0; pin < IOAPIC_PINS; pin++) {
		qts_writel(t->s, IOAPIC, 0x10 + 2 * pin);
		note(t, "ioapic %u %08x", pin, qts_readl(t->s, IOAPIC + 0x10));
	}
	for (unsigned i = 0; i < G_N_ELEMENTS(banks) * 8; i++) {
		unsigned offset = banks[i / 8] + i % 8 * 16;

		note(t, "lapic %x %08x", offset, qts_readl(t->s, LAPIC + offset));
	}
	note(t, "lapic count %x", qts_readl(t->s, LAPIC + 0x390));
}

/* By polling, as without a CPU nobody takes the vector. */
static void acknowledge(struct twin *t)
{
	for (unsigned n = 0; n < 16; n++) {
		uint8_t first, second = 0;

		qts_outb(t->s, 0x20, 0x0c);
		first = qts_inb(t->s, 0x20);
		if (!(first & 0x80))
			return;
		if ((first & 7) == 2) {
			qts_outb(t->s, 0xa0, 0x0c);
			second = qts_inb(t->s, 0xa0);
			qts_outb(t->s, 0xa0, 0x20);
		}
		qts_outb(t->s, 0x20, 0x20);
		note(t, "taken %02x %02x", first, second);
	}
}

void note_ticks(struct twin *t, unsigned count)
{
	for (unsigned i = 0; i < count; i++) {
		note(t, "at %" PRIi64, qts_clock_step_next(t->s));
		note_board(t);
		acknowledge(t);
	}
}

void note_step(struct twin *t, int64_t ns)
{
	note(t, "now %" PRIi64, qts_clock_step(t->s, ns));
	note_board(t);
}

void twin_init_pics(struct twin *t)
{
	static const uint8_t values[2][5] = {{0x11, 0x08, 0x04, 0x01, 0x00},
					     {0x11, 0x70, 0x02, 0x01, 0x00}};

	for (unsigned chip = 0; chip < 2; chip++) {
		for (unsigned i = 0; i < 5; i++)
			qts_outb(t->s, (chip ? 0xa0 : 0x20) + !!i, values[chip][i]);
	}
}

/* ---- The peer ---- */

void twin_connect(struct twin *t)
{
	struct sockaddr_un addr = {.sun_family = AF_UNIX};

	g_snprintf(addr.sun_path, sizeof(addr.sun_path), "%s/peer", t->dir);
	t->peer = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	g_assert_cmpint(connect(t->peer, (struct sockaddr *)&addr, sizeof(addr)), ==, 0);
}

void twin_send(struct twin *t, const void *data, size_t len)
{
	g_assert_cmpint(send(t->peer, data, len, MSG_NOSIGNAL), ==, len);
}

void twin_receive(struct twin *t, void *data, size_t len)
{
	g_assert_cmpint(recv(t->peer, data, len, MSG_WAITALL), ==, len);
}

/* ---- Playing a scene ---- */

static struct twin *twin_new(const struct scene *scene)
{
	struct twin *t = g_new0(struct twin, 1);
	g_auto(GStrv) parts = g_strsplit(scene->args, "%s", 0);
	g_autofree char *args = NULL;

	t->log = g_string_new("");
	t->dir = g_dir_make_tmp("twin-XXXXXX", NULL);
	t->peer = -1;
	args = g_strjoinv(t->dir, parts);
	t->s = qts_start(args);
	return t;
}

static void twin_free(struct twin *t)
{
	g_autofree char *path = g_build_filename(t->dir, "peer", NULL);

	qts_quit(t->s);
	for (unsigned i = 0; i < TWIN_QUEUES; i++) {
		if (t->queues[i])
			vq_free(t->queues[i]);
	}
	if (t->peer >= 0)
		close(t->peer);
	g_unlink(path);
	g_assert_cmpint(g_rmdir(t->dir), ==, 0);
	g_string_free(t->log, true);
	g_free(t->dir);
	g_free(t);
}

/* What the driver knows is in the guest's memory, so the heir knows it as well. */
static void inherit_driver(struct twin *heir, const struct twin *t)
{
	heir->buffer = t->buffer;
	heir->d = t->d;
	heir->d.io.opaque = heir->s;
	for (unsigned i = 0; i < TWIN_QUEUES; i++) {
		if (!t->queues[i])
			continue;
		heir->queues[i] = g_memdup2(t->queues[i], sizeof(struct vq));
		heir->queues[i]->d = &heir->d;
		heir->queues[i]->slots =
			g_memdup2(t->queues[i]->slots, t->queues[i]->size * sizeof(uint16_t));
	}
}

/* A fresh machine in the place of @t. */
static struct twin *heir_of(const struct scene *scene, struct twin *t)
{
	struct twin *heir = twin_new(scene);
	g_autofree char *state = qts_state_save(t->s);
	g_autofree uint8_t *memory = g_malloc(TWIN_LENGTH);

	heir->heir = true;

	if (t->peer >= 0)
		twin_connect(heir);
	qts_memread(t->s, TWIN_MEMORY, memory, TWIN_LENGTH);
	qts_memwrite(heir->s, TWIN_MEMORY, memory, TWIN_LENGTH);
	qts_clock_set(heir->s, qts_clock_step(t->s, 0));
	qts_state_load(heir->s, state);
	inherit_driver(heir, t);
	return heir;
}

static void compare(const struct twin *alone, const struct twin *t, const char *what)
{
	g_auto(GStrv) a = g_strsplit(alone->log->str, "\n", 0);
	g_auto(GStrv) b = g_strsplit(t->log->str, "\n", 0);
	unsigned faults = 0;

	for (size_t i = 0; a[i] && b[i] && faults < 10; i++) {
		if (!strcmp(a[i], b[i]))
			continue;
		g_test_message("line %zu: '%s', but %s '%s'", i + 1, a[i], what, b[i]);
		g_test_fail();
		faults++;
	}
	g_assert_cmpuint(g_strv_length(a), ==, g_strv_length(b));
}

static void play(gconstpointer data)
{
	const struct scene *scene = data;
	struct twin *alone = twin_new(scene), *saved = twin_new(scene), *heir;

	scene->begin(alone);
	scene->begin(saved);
	g_string_truncate(alone->log, 0);
	g_string_truncate(saved->log, 0);
	heir = heir_of(scene, saved);
	scene->go_on(alone);
	scene->go_on(saved);
	scene->go_on(heir);
	g_assert_cmpuint(alone->log->len, >, 0);
	compare(alone, saved, "after saving");
	compare(alone, heir, "restored");
	twin_free(alone);
	twin_free(saved);
	twin_free(heir);
}

void twins_add(const struct scene *scenes, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		g_autofree char *path = g_strdup_printf("/twins/%s", scenes[i].name);

		g_test_add_data_func(path, &scenes[i], play);
	}
}
