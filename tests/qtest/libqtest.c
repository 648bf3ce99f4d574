#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>
#include "libqtest.h"

#define LINES 256

struct peer {
	int fd;
	GString *input;
};

struct qts {
	pid_t pid;
	struct peer qtest, qmp;
	bool irq[LINES];
	GPtrArray *events; /* json_object *, not yet asked for */
};

static bool logging(void)
{
	return g_getenv("QTEST_LOG") != NULL;
}

/* ---- Sockets ---- */

static int listen_at(const char *path)
{
	struct sockaddr_un addr = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	g_assert_cmpint(fd, >=, 0);
	g_assert_cmpuint(strlen(path), <, sizeof(addr.sun_path));
	memcpy(addr.sun_path, path, strlen(path) + 1);
	g_assert_cmpint(bind(fd, (struct sockaddr *)&addr, sizeof(addr)), ==, 0);
	g_assert_cmpint(listen(fd, 1), ==, 0);
	return fd;
}

/* The child's connection. A child that died instead is noticed by polling for it between waits. */
static struct peer accept_child(int listener, pid_t pid)
{
	struct timeval tick = {.tv_usec = 50000};

	setsockopt(listener, SOL_SOCKET, SO_RCVTIMEO, &tick, sizeof(tick));
	for (;;) {
		int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC), status;

		if (fd >= 0) {
			close(listener);
			return (struct peer){fd, g_string_new("")};
		}
		g_assert_true(errno == EAGAIN || errno == EINTR);
		if (waitpid(pid, &status, WNOHANG) == pid)
			g_error("the binary ended at start, with status 0x%x", status);
	}
}

static void peer_send(struct peer *peer, const char *text)
{
	size_t len = strlen(text);

	if (logging())
		fprintf(stderr, "> %s", text);
	while (len) {
		ssize_t n = send(peer->fd, text, len, MSG_NOSIGNAL);

		if (n < 0)
			g_error("the binary hung up while '%s' was sent", text);
		text += n;
		len -= n;
	}
}

/* One line without its end; NULL when the other side has hung up. */
static char *peer_line(struct peer *peer)
{
	char *end;

	while (!(end = memchr(peer->input->str, '\n', peer->input->len))) {
		char data[4096];
		ssize_t n = read(peer->fd, data, sizeof(data));

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return NULL;
		g_string_append_len(peer->input, data, n);
	}
	char *line = g_strndup(peer->input->str, end - peer->input->str);
	g_string_erase(peer->input, 0, end - peer->input->str + 1);
	g_strchomp(line);
	if (logging())
		fprintf(stderr, "< %s\n", line);
	return line;
}

/* ---- Process ---- */

static void run_binary(const char *accel, const char *args, const char *dir)
{
	const char *binary = g_getenv("QTEST_QUAIL_BINARY");
	g_autoptr(GError) err = NULL;
	g_auto(GStrv) argv = NULL;
	g_autofree char *line = NULL;

	if (!binary)
		g_error("QTEST_QUAIL_BINARY is not set");
	line = g_strdup_printf("%s -qtest unix:%s/qtest -qtest-log %s -qmp unix:%s/qmp -accel %s "
			       "-nodefaults -display none %s",
			       binary, dir, logging() ? "/dev/stderr" : "none", dir, accel, args);
	g_shell_parse_argv(line, NULL, &argv, &err);
	g_assert_no_error(err);
	/* Does not outlive a test that is killed. */
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	execv(argv[0], argv);
	_exit(127);
}

static void greet(struct qts *s)
{
	g_autofree char *greeting = peer_line(&s->qmp);

	if (!greeting || !strstr(greeting, "\"QMP\""))
		g_error("not a QMP greeting: '%s'", greeting);
	json_object_put(qts_qmp(s, "{'execute':'qmp_capabilities'}"));
}

struct qts *qts_start_accel(const char *accel, const char *args)
{
	g_autofree char *dir = g_dir_make_tmp("qtest-XXXXXX", NULL);
	g_autofree char *qtest_path = g_strdup_printf("%s/qtest", dir);
	g_autofree char *qmp_path = g_strdup_printf("%s/qmp", dir);
	int qtest_fd = listen_at(qtest_path), qmp_fd = listen_at(qmp_path);
	struct qts *s = g_new0(struct qts, 1);

	s->events = g_ptr_array_new();
	s->pid = fork();
	g_assert_cmpint(s->pid, >=, 0);
	if (!s->pid)
		run_binary(accel, args, dir);
	s->qtest = accept_child(qtest_fd, s->pid);
	s->qmp = accept_child(qmp_fd, s->pid);
	unlink(qtest_path);
	unlink(qmp_path);
	rmdir(dir);
	greet(s);
	return s;
}

struct qts *qts_start(const char *args)
{
	return qts_start_accel("qtest", args);
}

static void peer_close(struct peer *peer)
{
	close(peer->fd);
	g_string_free(peer->input, true);
}

int qts_wait_exit(struct qts *s)
{
	int status = 0;

	while (waitpid(s->pid, &status, 0) < 0)
		g_assert_cmpint(errno, ==, EINTR);
	if (!WIFEXITED(status))
		g_error("the binary was killed by signal %d", WTERMSIG(status));
	peer_close(&s->qtest);
	peer_close(&s->qmp);
	for (guint i = 0; i < s->events->len; i++)
		json_object_put(g_ptr_array_index(s->events, i));
	g_ptr_array_unref(s->events);
	g_free(s);
	return WEXITSTATUS(status);
}

void qts_quit(struct qts *s)
{
	json_object_put(qts_qmp(s, "{'execute':'quit'}"));
	g_assert_cmpint(qts_wait_exit(s), ==, 0);
}

/* ---- Commands ---- */

/* True if the line was one of the asynchronous ones. */
static bool note_irq(struct qts *s, const char *line)
{
	unsigned n;
	char what[8];

	if (sscanf(line, "IRQ %7s %u", what, &n) != 2)
		return false;
	g_assert_cmpuint(n, <, LINES);
	s->irq[n] = !strcmp(what, "raise");
	return true;
}

static char *answer(struct qts *s, const char *command)
{
	g_autofree char *line = g_strdup_printf("%s\n", command);

	peer_send(&s->qtest, line);
	for (;;) {
		g_autofree char *reply = peer_line(&s->qtest);

		if (!reply)
			g_error("the binary hung up at '%s'", command);
		if (!note_irq(s, reply))
			return g_steal_pointer(&reply);
	}
}

char *qts_try(struct qts *s, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	g_autofree char *command = g_strdup_vprintf(fmt, args);
	va_end(args);
	return answer(s, command);
}

char *qts_command(struct qts *s, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	g_autofree char *command = g_strdup_vprintf(fmt, args);
	va_end(args);
	g_autofree char *reply = answer(s, command);
	if (strcmp(reply, "OK") && !g_str_has_prefix(reply, "OK "))
		g_error("'%.200s': %s", command, reply);
	return g_strdup(reply + MIN(strlen(reply), 3));
}

void qts_last_command(struct qts *s, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	g_autofree char *command = g_strdup_vprintf(fmt, args);
	va_end(args);
	g_autofree char *line = g_strdup_printf("%s\n", command);
	peer_send(&s->qtest, line);
}

static uint64_t ask(struct qts *s, const char *command, uint64_t addr)
{
	g_autofree char *value = qts_command(s, "%s 0x%" PRIx64, command, addr);
	char *end;
	uint64_t number = g_ascii_strtoull(value, &end, 0);

	g_assert_true(*value && !*end);
	return number;
}

static void tell(struct qts *s, const char *command, uint64_t addr, uint64_t value)
{
	g_free(qts_command(s, "%s 0x%" PRIx64 " 0x%" PRIx64, command, addr, value));
}

#define ACCESS(name, load, store, addr_type, type)                                                 \
	type qts_##load(struct qts *s, addr_type addr)                                             \
	{                                                                                          \
		return ask(s, #load, addr);                                                        \
	}                                                                                          \
	void qts_##store(struct qts *s, addr_type addr, type value)                                \
	{                                                                                          \
		tell(s, #store, addr, value);                                                      \
	}

ACCESS(b, inb, outb, uint16_t, uint8_t)
ACCESS(w, inw, outw, uint16_t, uint16_t)
ACCESS(l, inl, outl, uint16_t, uint32_t)
ACCESS(b, readb, writeb, uint64_t, uint8_t)
ACCESS(w, readw, writew, uint64_t, uint16_t)
ACCESS(l, readl, writel, uint64_t, uint32_t)
ACCESS(q, readq, writeq, uint64_t, uint64_t)

void qts_memread(struct qts *s, uint64_t addr, void *data, size_t len)
{
	g_autofree char *text = qts_command(s, "b64read 0x%" PRIx64 " 0x%zx", addr, len);
	gsize got;
	g_autofree guchar *bytes = g_base64_decode(text, &got);

	g_assert_cmpuint(got, ==, len);
	memcpy(data, bytes, len);
}

void qts_memwrite(struct qts *s, uint64_t addr, const void *data, size_t len)
{
	g_autofree char *text = g_base64_encode(data, len);

	g_free(qts_command(s, "b64write 0x%" PRIx64 " 0x%zx %s", addr, len, text));
}

void qts_memset(struct qts *s, uint64_t addr, uint8_t byte, size_t len)
{
	g_free(qts_command(s, "memset 0x%" PRIx64 " 0x%zx 0x%02x", addr, len, byte));
}

void qts_intercept_in(struct qts *s, const char *path)
{
	g_free(qts_command(s, "irq_intercept_in %s", path));
}

void qts_intercept_out(struct qts *s, const char *path)
{
	g_free(qts_command(s, "irq_intercept_out %s", path));
}

bool qts_irq(struct qts *s, unsigned n)
{
	g_assert_cmpuint(n, <, LINES);
	/* What was raised before the answer to a command has come with it. */
	g_free(qts_command(s, "endianness"));
	return s->irq[n];
}

void qts_set_irq_in(struct qts *s, const char *path, const char *name, unsigned n, int level)
{
	g_free(qts_command(s, "set_irq_in %s %s %u %d", path, name ? name : "unnamed-gpio-in", n,
			   level));
}

int64_t qts_clock_step(struct qts *s, int64_t ns)
{
	g_autofree char *now = qts_command(s, "clock_step %" PRIi64, ns);

	return g_ascii_strtoll(now, NULL, 0);
}

int64_t qts_clock_step_next(struct qts *s)
{
	g_autofree char *now = qts_command(s, "clock_step");

	return g_ascii_strtoll(now, NULL, 0);
}

int64_t qts_clock_set(struct qts *s, int64_t ns)
{
	g_autofree char *now = qts_command(s, "clock_set %" PRIi64, ns);

	return g_ascii_strtoll(now, NULL, 0);
}

void qts_reset(struct qts *s)
{
	g_free(qts_command(s, "quail_reset"));
}

void qts_roundtrip(struct qts *s)
{
	g_free(qts_command(s, "quail_state_roundtrip"));
}

char *qts_state_save(struct qts *s)
{
	return qts_command(s, "quail_state_save");
}

void qts_state_load(struct qts *s, const char *state)
{
	g_free(qts_command(s, "quail_state_load %s", state));
}

/* ---- QMP ---- */

static json_object *qmp_answer(struct qts *s, const char *command)
{
	g_autofree char *line = g_strdup_printf("%s\n", command);

	peer_send(&s->qmp, line);
	for (;;) {
		g_autofree char *reply = peer_line(&s->qmp);
		json_object *json = reply ? json_tokener_parse(reply) : NULL;

		if (!json)
			g_error("QMP: '%s': not JSON: '%s'", command,
				reply ? reply : "end of file");
		if (!json_object_object_get_ex(json, "event", NULL))
			return json;
		g_ptr_array_add(s->events, json);
	}
}

json_object *qts_qmp(struct qts *s, const char *fmt, ...)
{
	json_object *value = NULL;
	va_list args;

	va_start(args, fmt);
	g_autofree char *command = g_strdup_vprintf(fmt, args);
	va_end(args);
	json_object *json = qmp_answer(s, command);
	if (!json_object_object_get_ex(json, "return", &value))
		g_error("QMP: '%s': %s", command, json_object_get_string(json));
	json_object_get(value);
	json_object_put(json);
	return value;
}

char *qts_qmp_error(struct qts *s, const char *fmt, ...)
{
	json_object *error = NULL, *desc = NULL;
	va_list args;

	va_start(args, fmt);
	g_autofree char *command = g_strdup_vprintf(fmt, args);
	va_end(args);
	json_object *json = qmp_answer(s, command);
	if (!json_object_object_get_ex(json, "error", &error) ||
	    !json_object_object_get_ex(error, "desc", &desc))
		g_error("QMP: '%s' succeeded: %s", command, json_object_get_string(json));
	char *text = g_strdup(json_object_get_string(desc));
	json_object_put(json);
	return text;
}

static json_object *take_event(struct qts *s, const char *name)
{
	for (guint i = 0; i < s->events->len; i++) {
		json_object *event = g_ptr_array_index(s->events, i), *data = NULL;

		if (strcmp(json_object_get_string(json_object_object_get(event, "event")), name))
			continue;
		if (json_object_object_get_ex(event, "data", &data))
			json_object_get(data);
		else
			data = json_object_new_object();
		g_ptr_array_remove_index(s->events, i);
		json_object_put(event);
		return data;
	}
	return NULL;
}

json_object *qts_qmp_event(struct qts *s, const char *name)
{
	for (;;) {
		json_object *data = take_event(s, name);

		if (data)
			return data;
		g_autofree char *line = peer_line(&s->qmp);
		json_object *event = line ? json_tokener_parse(line) : NULL;
		if (!event)
			g_error("QMP ended before event %s", name);
		g_ptr_array_add(s->events, event);
	}
}
