/* QMP sessions: negotiation, replies, errors, queue, connections, events, out-of-band commands. */
#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>
#include <glib/gstdio.h>

#include "event/clock.h"
#include "event/coroutine.h"
#include "event/lock.h"
#include "monitor/monitor.h"
#include "src/monitor/internal.h"

/* ---- A small interface ---- */

static GMutex gate_lock;
static GCond gate_cond;
static bool gate_open;

/* Waits, in the main loop, for open-gate: only an out-of-band command can come past it. */
static bool run_wait_gate(void *args, void *result, GError **errp)
{
	g_mutex_lock(&gate_lock);
	while (!gate_open)
		g_cond_wait(&gate_cond, &gate_lock);
	gate_open = false;
	g_mutex_unlock(&gate_lock);
	return true;
}

static bool run_open_gate(void *args, void *result, GError **errp)
{
	g_mutex_lock(&gate_lock);
	gate_open = true;
	g_cond_signal(&gate_cond);
	g_mutex_unlock(&gate_lock);
	return true;
}

static bool run_fail(void *args, void *result, GError **errp)
{
	error_set_class(errp, ERROR_DEVICE_NOT_FOUND, "Device 'x' not found");
	error_add_hint(errp, "look elsewhere");
	return false;
}

/* Waits until the test wakes it, while others are served. */
static struct coroutine *sleeper;

static bool run_sleep(void *args, void *result, GError **errp)
{
	sleeper = co_self();
	co_yield ();
	return true;
}

struct number_event {
	int64_t number;
	char *id;
};
static const struct field number_rows[] = {
	ARG_INT(struct number_event, number, "number", "A number"),
	OPT_STRING(struct number_event, id, "id", "An object"),
	FIELD_ROW_END,
};
static const struct field_set number_set = {"Number", sizeof(struct number_event), number_rows};
static const struct event_type trial_events[] = {
	{"PLAIN", "Not limited", &number_set},
	{"LIMITED", "Limited", &number_set, 100},
	{NULL},
};

static bool run_emit(void *args, void *result, GError **errp)
{
	event_emit(&trial_events[0], args);
	return true;
}

static const struct command trial_commands[] = {
	{"wait-gate", "Waits", NULL, NULL, run_wait_gate},
	{"open-gate", "Ends the waiting", NULL, NULL, run_open_gate, COMMAND_OOB},
	{"sleep", "Sleeps", NULL, NULL, run_sleep, COMMAND_COROUTINE},
	{"fail", "Fails", NULL, NULL, run_fail},
	{"emit", "Sends an event before it replies", &number_set, NULL, run_emit},
	{NULL},
};
static const struct command *const command_tables[] = {trial_commands, qmp_commands, fd_commands,
						       NULL};
static const struct event_type *const event_tables[] = {trial_events, NULL};
static const struct api_tables tables = {command_tables, event_tables};

/* ---- A client ---- */

struct client {
	int fd;
	GString *in;
};

static char *dir, *path;

static struct client *client_new(void)
{
	struct client *c = g_new0(struct client, 1);
	struct sockaddr_un sun = {.sun_family = AF_UNIX};

	c->in = g_string_new(NULL);
	c->fd = socket(AF_UNIX, SOCK_STREAM, 0);
	g_strlcpy(sun.sun_path, path, sizeof(sun.sun_path));
	g_assert_cmpint(connect(c->fd, (struct sockaddr *)&sun, sizeof(sun)), ==, 0);
	return c;
}

static void client_free(struct client *c)
{
	close(c->fd);
	g_string_free(c->in, true);
	g_free(c);
}

static void client_send(struct client *c, const char *text)
{
	g_assert_cmpint(write(c->fd, text, strlen(text)), ==, strlen(text));
}

/* The next line, without its CR LF, turning the loop meanwhile. */
static char *client_line(struct client *c)
{
	char *end, *line;

	while (!(end = strchr(c->in->str, '\n'))) {
		struct pollfd p = {.fd = c->fd, .events = POLLIN};
		char buf[4096];
		ssize_t n;

		loop_run_once(loop_main(), false);
		if (poll(&p, 1, 1) <= 0)
			continue;
		n = read(c->fd, buf, sizeof(buf));
		g_assert_cmpint(n, >, 0);
		g_string_append_len(c->in, buf, n);
	}
	g_assert_true(end > c->in->str && end[-1] == '\r');
	line = g_strndup(c->in->str, end - 1 - c->in->str);
	g_string_erase(c->in, 0, end + 1 - c->in->str);
	return line;
}

static void expect(struct client *c, const char *wanted)
{
	g_autofree char *line = client_line(c);

	g_assert_cmpstr(line, ==, wanted);
}

static void ask(struct client *c, const char *request, const char *reply)
{
	client_send(c, request);
	expect(c, reply);
}

/* An event, apart from its time. */
static void expect_event(struct client *c, const char *rest)
{
	g_autofree char *line = client_line(c);
	const char *event = strstr(line, "\"event\"");

	g_assert_true(g_str_has_prefix(line, "{\"timestamp\": {\"seconds\": "));
	g_assert_nonnull(event);
	g_assert_cmpstr(event, ==, rest);
}

#define GREETING                                                                                   \
	"{\"QMP\": {\"version\": {\"qemu\": {\"micro\": 0, \"minor\": 2, \"major\": 7}, "          \
	"\"package\": \"Quail\"}, \"capabilities\": [\"oob\"]}}"
#define ERROR(text)     "{\"error\": {\"class\": \"GenericError\", \"desc\": \"" text "\"}}"
#define NOT_FOUND(text) "{\"error\": {\"class\": \"CommandNotFound\", \"desc\": \"" text "\"}}"
#define OK              "{\"return\": {}}"

static struct client *negotiated(void)
{
	struct client *c = client_new();

	expect(c, GREETING);
	ask(c, "{\"execute\":\"qmp_capabilities\"}", OK);
	return c;
}

/* ---- Tests ---- */

static void test_negotiation(void)
{
	struct client *c = client_new();

	expect(c, GREETING);
	ask(c, "{\"execute\":\"fail\"}",
	    NOT_FOUND("Expecting capabilities negotiation with 'qmp_capabilities'"));
	event_emit(&trial_events[0], &(struct number_event){1}); /* not for this client yet */
	ask(c, "{\"execute\":\"qmp_capabilities\",\"arguments\":{\"enable\":[\"nope\"]}}",
	    ERROR("Parameter 'enable[0]' does not accept value 'nope'"));
	ask(c, "{\"execute\":\"qmp_capabilities\",\"id\":\"a\"}",
	    "{\"return\": {}, \"id\": \"a\"}");
	ask(c, "{\"execute\":\"qmp_capabilities\"}",
	    NOT_FOUND("Capabilities negotiation is already complete, command ignored"));
	client_free(c);
}

static void test_errors(void)
{
	struct client *c = negotiated();

	ask(c, "{\"execute\":\"nope\"}", NOT_FOUND("The command nope has not been found"));
	ask(c, "{\"execute\":\"fail\",\"id\":[1,null]}",
	    "{\"id\": [1, null], \"error\": {\"class\": \"DeviceNotFound\", \"desc\": "
	    "\"Device 'x' not found\"}}");
	ask(c, "[]", ERROR("QMP input must be a JSON object"));
	ask(c, "{}", ERROR("QMP input lacks member 'execute'"));
	ask(c, "{\"execute\":3}", ERROR("QMP input member 'execute' must be a string"));
	ask(c, "{\"execute\":\"fail\",\"arguments\":[]}",
	    ERROR("QMP input member 'arguments' must be an object"));
	ask(c, "{\"execute\":\"fail\",\"foo\":1}", ERROR("QMP input member 'foo' is unexpected"));
	ask(c, "{\"exec-oob\":\"open-gate\"}", ERROR("QMP input member 'exec-oob' is unexpected"));
	ask(c, "{\"execute\":\"fail\",\"arguments\":{\"x\":1}}",
	    ERROR("Parameter 'x' is unexpected"));
	ask(c, "{\"execute\":\"getfd\",\"arguments\":{\"fdname\":\"x\"}}",
	    ERROR("No file descriptor supplied via SCM_RIGHTS"));
	client_send(c, "xyz\n");
	g_free(client_line(c)); /* its words are the parser's; the session goes on */
	ask(c, "{\"execute\":\"nope\"}", NOT_FOUND("The command nope has not been found"));
	client_free(c);
}

static void test_queue(void)
{
	struct client *c = negotiated();
	g_autoptr(GString) many = g_string_new(NULL);

	for (int i = 0; i < 500; i++)
		g_string_append_printf(many,
				       "{\"execute\":\"emit\",\"id\":%d,\"arguments\":"
				       "{\"number\":%d}}",
				       i, i);
	client_send(c, many->str);
	for (int i = 0; i < 500; i++) { /* in order, each event before its reply */
		g_autofree char *event =
			g_strdup_printf("\"event\": \"PLAIN\", \"data\": {\"number\": %d}}", i);
		g_autofree char *reply = g_strdup_printf("{\"return\": {}, \"id\": %d}", i);

		expect_event(c, event);
		expect(c, reply);
	}
	client_free(c);
}

/* A client that does not read costs memory for its output only; the next one begins anew. */
static void test_connections(void)
{
	for (int i = 0; i < 5; i++) {
		struct client *c = negotiated();

		client_send(c, "{\"execute\":\"emit\",\"arguments\":{\"number\":1}}{\"execute\":");
		client_free(c);
	}
}

/* What a client asked for ends when it has gone and another is there: that one hears nothing of it. */
static void test_late_reply(void)
{
	struct client *c = negotiated();

	client_send(c, "{\"execute\":\"sleep\",\"id\":\"old\"}");
	while (!sleeper)
		loop_run_once(loop_main(), true);
	client_free(c);
	c = client_new();
	expect(c, GREETING);
	co_wake(sleeper);
	ask(c, "{\"execute\":\"qmp_capabilities\",\"id\":\"new\"}",
	    "{\"return\": {}, \"id\": \"new\"}");
	client_free(c);
}

/* A client that writes all it wants and closes its half hears everything. */
static void test_half_closed(void)
{
	struct client *c = client_new();

	client_send(c, "{\"execute\":\"qmp_capabilities\"}");
	for (int i = 0; i < 100; i++)
		client_send(c, "{\"execute\":\"emit\",\"arguments\":{\"number\":1}}");
	g_assert_cmpint(shutdown(c->fd, SHUT_WR), ==, 0);
	expect(c, GREETING);
	expect(c, OK);
	for (int i = 0; i < 100; i++) {
		expect_event(c, "\"event\": \"PLAIN\", \"data\": {\"number\": 1}}");
		expect(c, OK);
	}
	client_free(c);
}

#define GREEDY 1000 /* requests whose replies are as long: 10 MB */

static char *greedy_request(unsigned i)
{
	g_autofree char *pad = g_strnfill(10000, 'x');

	return g_strdup_printf("{\"execute\":\"fail\",\"id\":\"%u %s\"}\n", i, pad);
}

/* Writes until the other side has stopped to read. The requests it took altogether. */
static unsigned write_until_full(struct client *c, GString *todo, unsigned next)
{
	for (unsigned idle = 0; idle < 100;) {
		g_autofree char *more = todo->len || next == GREEDY ? NULL : greedy_request(next++);
		ssize_t n;

		if (more)
			g_string_append(todo, more);
		n = send(c->fd, todo->str, todo->len, MSG_DONTWAIT | MSG_NOSIGNAL);
		if (n > 0)
			g_string_erase(todo, 0, n);
		idle = n > 0 ? 0 : idle + 1;
		loop_run_once(loop_main(), false);
	}
	return next;
}

/* Replies nobody reads take a bounded place: then requests wait, and none is lost. */
static void test_greedy(void)
{
	struct client *c = negotiated();
	g_autoptr(GString) todo = g_string_new(NULL);
	unsigned next = write_until_full(c, todo, 0);

	g_assert_cmpuint(next, <, GREEDY / 2);
	for (unsigned i = 0; i < GREEDY; i++) {
		g_autofree char *wanted = g_strdup_printf("{\"id\": \"%u xxx", i), *line = NULL;

		line = client_line(c);
		g_assert_true(g_str_has_prefix(line, wanted));
		if (i % 50 == 0)
			next = write_until_full(c, todo, next);
	}
	client_free(c);
}

static void test_oob(void)
{
	struct client *c = client_new();

	expect(c, GREETING);
	ask(c, "{\"execute\":\"qmp_capabilities\",\"arguments\":{\"enable\":[\"oob\"]}}", OK);
	ask(c, "{\"exec-oob\":\"fail\",\"id\":1}",
	    "{\"id\": 1, \"error\": {\"class\": \"GenericError\", \"desc\": \"The command fail does "
	    "not support OOB\"}}");
	client_send(c, "{\"execute\":\"wait-gate\",\"id\":1}{\"execute\":\"fail\",\"id\":2}"
		       "{\"exec-oob\":\"open-gate\",\"id\":3}");
	expect(c, "{\"return\": {}, \"id\": 3}");
	expect(c, "{\"return\": {}, \"id\": 1}");
	g_free(client_line(c));
	ask(c, "{\"execute\":\"fail\",\"exec-oob\":\"fail\"}",
	    ERROR("QMP input member 'exec-oob' clashes with 'execute'"));
	client_free(c);
	c = negotiated(); /* the next client has not asked for it */
	ask(c, "{\"exec-oob\":\"open-gate\"}", ERROR("QMP input member 'exec-oob' is unexpected"));
	client_free(c);
}

static void test_rate_limit(void)
{
	struct client *c = negotiated();
	int64_t start = clock_now(QCLOCK_REALTIME);

	for (int i = 0; i < 10; i++)
		event_emit(&trial_events[1], &(struct number_event){i});
	event_emit(&trial_events[1], &(struct number_event){100, (char *)"other"});
	expect_event(c, "\"event\": \"LIMITED\", \"data\": {\"number\": 0}}");
	expect_event(c, "\"event\": \"LIMITED\", \"data\": {\"number\": 100, \"id\": \"other\"}}");
	expect_event(c, "\"event\": \"LIMITED\", \"data\": {\"number\": 9}}");
	g_assert_cmpint(clock_now(QCLOCK_REALTIME) - start, >=, 99 * NS_PER_MS);
	client_free(c);
}

int main(int argc, char **argv)
{
	g_autoptr(json_object) options = json_object_new_object();
	GError *err = NULL;
	int status;

	g_test_init(&argc, &argv, NULL);
	loop_init_main();
	api_set_tables(&tables);
	dir = g_dir_make_tmp("quail-qmp-XXXXXX", NULL);
	path = g_build_filename(dir, "s", NULL);
	json_add(options, "backend", json_object_new_string("socket"));
	json_add(options, "path", json_object_new_string(path));
	json_add(options, "server", json_object_new_string("on"));
	json_add(options, "wait", json_object_new_string("off"));
	g_assert_true(monitor_new(NULL, chardev_new("c", options, &err), true, false, &err));
	g_assert_no_error(err);
	g_test_add_func("/qmp/negotiation", test_negotiation);
	g_test_add_func("/qmp/errors", test_errors);
	g_test_add_func("/qmp/queue", test_queue);
	g_test_add_func("/qmp/greedy", test_greedy);
	g_test_add_func("/qmp/connections", test_connections);
	g_test_add_func("/qmp/late-reply", test_late_reply);
	g_test_add_func("/qmp/half-closed", test_half_closed);
	g_test_add_func("/qmp/rate-limit", test_rate_limit);
	g_test_add_func("/qmp/oob", test_oob);
	status = g_test_run();
	monitor_cleanup_all();
	chardev_cleanup_all();
	g_rmdir(dir);
	g_free(path);
	g_free(dir);
	return status;
}
