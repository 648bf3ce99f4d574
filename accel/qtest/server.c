/*
 * The qtest server's line discipline on a character device, and its log:
 *
 *	[I 0.000000] OPENED		a client came (or "[I +1.000000] CLOSED": went)
 *	[R +0.040435] inb 0x64		received, seconds after it came
 *	[S +0.040465] OK 0x0018		sent
 */
#include <stdio.h>
#include "accel/qtest.h"

#define LINE_MAX_BYTES (256 * MIB)

struct qtest_server {
	struct qtest *qt;
	struct chardev_frontend *fe;
	GString *input;
	FILE *log;
	bool log_owned;
	gint64 opened_us;
};

static void PRINTF_LIKE(2, 3) log_line(struct qtest_server *server, const char *fmt, ...)
{
	va_list args;

	if (!server->log)
		return;
	va_start(args, fmt);
	vfprintf(server->log, fmt, args);
	va_end(args);
	fputc('\n', server->log);
	fflush(server->log);
}

static double elapsed(const struct qtest_server *server)
{
	return (g_get_monotonic_time() - server->opened_us) / 1e6;
}

static void server_log(void *opaque, const char *text)
{
	struct qtest_server *server = opaque;

	log_line(server, "[S +%f] %s", elapsed(server), text);
}

static void server_reply(void *opaque, const char *text)
{
	struct qtest_server *server = opaque;

	chardev_write_all(server->fe, text, strlen(text));
}

static void process_lines(struct qtest_server *server)
{
	char *end;

	while ((end = memchr(server->input->str, '\n', server->input->len))) {
		size_t len = end - server->input->str;
		g_autofree char *line = g_strndup(server->input->str, len);

		g_string_erase(server->input, 0, len + 1);
		if (len && line[len - 1] == '\r')
			line[len - 1] = '\0';
		log_line(server, "[R +%f] %s", elapsed(server), line);
		qtest_command(server->qt, line);
	}
}

static void server_receive(void *opaque, const uint8_t *data, int len)
{
	struct qtest_server *server = opaque;

	if (server->input->len + len > LINE_MAX_BYTES)
		g_string_truncate(server->input, 0);
	g_string_append_len(server->input, (const char *)data, len);
	if (memchr(data, '\n', len))
		process_lines(server);
}

static void server_event(void *opaque, enum chardev_event event)
{
	struct qtest_server *server = opaque;

	if (event == CHARDEV_OPENED) {
		server->opened_us = g_get_monotonic_time();
		g_string_truncate(server->input, 0);
		qtest_opened(server->qt);
		log_line(server, "[I 0.000000] OPENED");
	} else if (event == CHARDEV_CLOSED) {
		log_line(server, "[I +%f] CLOSED", elapsed(server));
	}
}

static const struct chardev_handlers handlers = {
	.receive = server_receive,
	.event = server_event,
};

static bool open_log(struct qtest_server *server, const char *name, GError **errp)
{
	if (!name) {
		server->log = stderr;
	} else if (strcmp(name, "none")) {
		server->log = fopen(name, "we");
		server->log_owned = true;
		if (!server->log) {
			error_set_errno(errp, errno, "Could not open the qtest log '%s'", name);
			return false;
		}
	}
	return true;
}

struct qtest_server *qtest_server_new(struct chardev *chr, const char *log,
				      const struct qtest_target *target, GError **errp)
{
	struct qtest_server *server = g_new0(struct qtest_server, 1);

	server->input = g_string_new("");
	server->opened_us = g_get_monotonic_time();
	server->qt = qtest_new(target, server_reply, server_log, server);
	if (!open_log(server, log, errp)) {
		qtest_server_free(server);
		return NULL;
	}
	server->fe = chardev_attach(chr, &handlers, server, NULL, errp);
	if (!server->fe) {
		qtest_server_free(server);
		return NULL;
	}
	chardev_set_open(server->fe, true);
	return server;
}

void qtest_server_free(struct qtest_server *server)
{
	chardev_detach(server->fe);
	qtest_free(server->qt);
	g_string_free(server->input, true);
	if (server->log_owned && server->log)
		fclose(server->log);
	g_free(server);
}
