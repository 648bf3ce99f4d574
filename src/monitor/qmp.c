/*
 * QMP sessions.
 *
 * A client is greeted, negotiates, and then sends commands. Requests are queued in order and served one
 * at a time from the main loop; while some wait, or replies that nobody reads, nothing more is read. So
 * the end of the input is met after what was asked before it is answered: a client may write its
 * commands, close its half of the connection, and read. A client that has enabled the capability "oob" may
 * write exec-oob instead of execute: then the session's bytes are read by the monitors' own thread until
 * QUEUE_MAX requests wait, and such commands run right there, past the queue and without the machine lock.
 * Sessions on one device follow each other: each new connection begins anew. What is still being worked on
 * at the end of the input is answered all the same, as standard output outlives standard input.
 */
#include "api/command.h"
#include "event/coroutine.h"
#include "event/lock.h"
#include "internal.h"

#define QUEUE_MAX  8
#define READ_CHUNK 4096

struct request {
	json_object *json; /* the whole request; NULL: a syntax error */
	GError *error;
	unsigned connection; /* of which it came */
};

struct qmp_session {
	struct monitor *mon;
	bool pretty;
	struct json_framer *framer;
	struct bottom_half *serve; /* of the main loop */

	/* Guarded by the monitor's lock */
	GQueue queue;        /* struct request */
	unsigned connection; /* counts them: what belongs to an older one is dropped */
	bool negotiated, oob;

	/* Main loop */
	struct request *running;
	bool busy;
	bool later; /* the command wants what it asked for to happen before its reply */
	json_object *result;
	GError *error;
};

/* ---- Output ---- */

static void send_json(struct monitor *mon, json_object *json)
{
	g_autofree char *text = json_print(json, mon->qmp->pretty);
	g_autofree char *line = g_strconcat(text, "\n", NULL);

	monitor_write(mon, line);
}

static void send_greeting(struct monitor *mon)
{
	g_autoptr(json_object) hello = json_object_new_object();
	json_object *qmp = json_object_new_object(), *version = json_object_new_object();
	json_object *numbers = json_object_new_object(), *capabilities = json_object_new_array();

	json_add(numbers, "micro", json_object_new_int(MONITOR_MICRO));
	json_add(numbers, "minor", json_object_new_int(MONITOR_MINOR));
	json_add(numbers, "major", json_object_new_int(MONITOR_MAJOR));
	json_add(version, "qemu", numbers);
	json_add(version, "package", json_object_new_string(MONITOR_PACKAGE));
	json_add(qmp, "version", version);
	if (chardev_can_move(mon->chr))
		json_append(capabilities, json_object_new_string("oob"));
	json_add(qmp, "capabilities", capabilities);
	json_add(hello, "QMP", qmp);
	send_json(mon, hello);
}

void qmp_send_event(struct monitor *mon, json_object *event)
{
	bool wanted;

	g_mutex_lock(&mon->lock);
	wanted = mon->qmp->negotiated;
	g_mutex_unlock(&mon->lock);
	if (wanted)
		send_json(mon, event);
}

static json_object *error_json(const GError *err)
{
	json_object *json = json_object_new_object();

	json_add(json, "class", json_object_new_string(error_class_name(err)));
	json_add(json, "desc", json_object_new_string(err->message));
	return json;
}

/* Takes over result and error; one of them is given. */
static void send_reply(struct monitor *mon, json_object *request, json_object *result, GError *err)
{
	g_autoptr(json_object) reply = json_object_new_object();
	json_object *id = NULL;

	if (json_object_is_type(request, json_type_object))
		json_object_object_get_ex(request, "id", &id);
	if (result)
		json_add(reply, "return", result);
	if (json_object_is_type(request, json_type_object) &&
	    json_object_object_get_ex(request, "id", NULL))
		json_add(reply, "id", json_object_get(id));
	if (err)
		json_add(reply, "error", error_json(err));
	g_clear_error(&err);
	send_json(mon, reply);
}

/* ---- Requests ---- */

static bool check_member(const char *name, json_object *value, bool oob, GError **errp)
{
	if (!strcmp(name, "id"))
		return true;
	if (!strcmp(name, "execute") || (oob && !strcmp(name, "exec-oob"))) {
		if (json_object_is_type(value, json_type_string))
			return true;
		error_set(errp, "QMP input member '%s' must be a string", name);
	} else if (!strcmp(name, "arguments")) {
		if (json_object_is_type(value, json_type_object))
			return true;
		error_set(errp, "QMP input member 'arguments' must be an object");
	} else {
		error_set(errp, "QMP input member '%s' is unexpected", name);
	}
	return false;
}

static bool check_request(json_object *request, bool oob, GError **errp)
{
	bool execute, exec_oob;

	if (!json_object_is_type(request, json_type_object)) {
		error_set(errp, "QMP input must be a JSON object");
		return false;
	}
	json_object_object_foreach(request, name, value)
	{
		if (!check_member(name, value, oob, errp))
			return false;
	}
	execute = json_object_object_get_ex(request, "execute", NULL);
	exec_oob = json_object_object_get_ex(request, "exec-oob", NULL);
	if (execute && exec_oob)
		error_set(errp, "QMP input member 'exec-oob' clashes with 'execute'");
	else if (!execute && !exec_oob)
		error_set(errp, "QMP input lacks member 'execute'");
	else
		return true;
	return false;
}

static bool is_oob(json_object *request)
{
	return json_object_is_type(request, json_type_object) &&
	       json_object_is_type(json_object_object_get(request, "exec-oob"), json_type_string);
}

static const struct command *find_command(json_object *request, bool negotiated, GError **errp)
{
	bool oob = is_oob(request);
	const char *name = json_object_get_string(
		json_object_object_get(request, oob ? "exec-oob" : "execute"));
	const struct command *cmd = command_find(name);

	if (!negotiated && strcmp(name, "qmp_capabilities") != 0)
		error_set_class(errp, ERROR_COMMAND_NOT_FOUND,
				"Expecting capabilities negotiation with 'qmp_capabilities'");
	else if (negotiated && !strcmp(name, "qmp_capabilities"))
		error_set_class(errp, ERROR_COMMAND_NOT_FOUND,
				"Capabilities negotiation is already complete, command ignored");
	else if (!cmd)
		error_set_class(errp, ERROR_COMMAND_NOT_FOUND, "The command %s has not been found",
				name);
	else if (oob && !(cmd->flags & COMMAND_OOB))
		error_set(errp, "The command %s does not support OOB", name);
	else
		return cmd;
	return NULL;
}

static json_object *run_request(struct monitor *mon, json_object *json, GError **errp)
{
	const struct command *cmd;
	json_object *result;
	bool oob, negotiated;

	g_mutex_lock(&mon->lock);
	oob = mon->qmp->oob;
	negotiated = mon->qmp->negotiated;
	g_mutex_unlock(&mon->lock);
	if (!check_request(json, oob, errp))
		return NULL;
	cmd = find_command(json, negotiated, errp);
	if (!cmd)
		return NULL;
	monitor_set_current(mon);
	result = command_run(cmd, json_object_object_get(json, "arguments"), errp);
	monitor_set_current(NULL);
	return result;
}

static void request_free(struct request *request)
{
	json_object_put(request->json);
	g_clear_error(&request->error);
	g_free(request);
}

/* ---- The queue, on the main loop ---- */

static struct request *next_request(struct qmp_session *session)
{
	struct monitor *mon = session->mon;
	struct request *request;

	g_mutex_lock(&mon->lock);
	while ((request = g_queue_pop_head(&session->queue)) &&
	       request->connection != session->connection)
		request_free(request);
	g_mutex_unlock(&mon->lock);
	return request;
}

/* The client that asked is still there: its successor is not told what it did not ask. */
static bool is_awaited(struct qmp_session *session)
{
	bool awaited;

	g_mutex_lock(&session->mon->lock);
	awaited = session->running->connection == session->connection;
	g_mutex_unlock(&session->mon->lock);
	return awaited;
}

/* The end of the running request: its reply, and on to the next. */
static void finish_request(struct qmp_session *session)
{
	json_object *result = g_steal_pointer(&session->result);
	GError *error = g_steal_pointer(&session->error);

	if (is_awaited(session)) {
		send_reply(session->mon, session->running->json, result, error);
	} else {
		json_object_put(result);
		g_clear_error(&error);
	}
	request_free(g_steal_pointer(&session->running));
	session->busy = session->later = false;
	bh_schedule(session->serve);
	chardev_accept_input(session->mon->fe);
}

static void serve_running(void *opaque)
{
	struct qmp_session *session = opaque;

	session->error = g_steal_pointer(&session->running->error);
	if (!session->error)
		session->result =
			run_request(session->mon, session->running->json, &session->error);
	if (session->later)
		bh_schedule(session->serve);
	else
		finish_request(session);
}

void qmp_reply_later(void)
{
	struct monitor *mon = monitor_current();

	if (mon && mon->qmp)
		mon->qmp->later = true;
}

static bool wants_coroutine(json_object *json)
{
	const struct command *cmd = NULL;

	if (check_request(json, false, NULL))
		cmd = command_find(json_object_get_string(json_object_object_get(json, "execute")));
	return cmd && cmd->flags & COMMAND_COROUTINE;
}

static void serve_next(void *opaque)
{
	struct qmp_session *session = opaque;

	if (session->later) {
		finish_request(session);
		return;
	}
	if (session->busy)
		return;
	session->running = next_request(session);
	if (!session->running)
		return;
	session->busy = true;
	if (session->running->json && wants_coroutine(session->running->json))
		co_start(serve_running, session);
	else
		serve_running(session);
}

/* ---- Input, on the main loop or the monitors' thread ---- */

static void got_value(void *opaque, json_object *value, GError *error)
{
	struct monitor *mon = opaque;
	struct qmp_session *session = mon->qmp;
	struct request *request = g_new0(struct request, 1);
	bool oob;

	request->json = json_object_get(value);
	request->error = error ? g_error_copy(error) : NULL;
	g_mutex_lock(&mon->lock);
	request->connection = session->connection;
	oob = session->oob && is_oob(value);
	if (!oob)
		g_queue_push_tail(&session->queue, request);
	g_mutex_unlock(&mon->lock);
	if (oob) {
		GError *err = NULL;
		json_object *result = run_request(mon, value, &err);

		send_reply(mon, value, result, err);
		request_free(request);
	} else {
		bh_schedule(session->serve);
	}
}

static int qmp_can_receive(void *opaque)
{
	struct monitor *mon = opaque;
	unsigned limit;
	bool full;

	g_mutex_lock(&mon->lock);
	limit = mon->qmp->oob ? QUEUE_MAX : 1;
	full = g_queue_get_length(&mon->qmp->queue) >= limit || monitor_is_backed_up(mon);
	g_mutex_unlock(&mon->lock);
	return full ? 0 : READ_CHUNK;
}

static void qmp_receive(void *opaque, const uint8_t *data, int len)
{
	struct monitor *mon = opaque;

	json_framer_feed(mon->qmp->framer, (const char *)data, len);
}

/* What has come of a request without its end is forgotten. */
static void restart_framer(struct monitor *mon)
{
	json_framer_free(mon->qmp->framer);
	mon->qmp->framer = json_framer_new(got_value, mon);
}

static void start_session(struct monitor *mon)
{
	struct qmp_session *session = mon->qmp;

	g_mutex_lock(&mon->lock);
	session->connection++;
	session->negotiated = session->oob = false;
	g_mutex_unlock(&mon->lock);
	monitor_discard(mon);
	restart_framer(mon);
}

static void qmp_event(void *opaque, enum chardev_event event)
{
	struct monitor *mon = opaque;

	if (event == CHARDEV_OPENED) {
		start_session(mon);
		send_greeting(mon);
	} else if (event == CHARDEV_CLOSED) {
		restart_framer(mon);
		monitor_flush_again(mon);
		monitor_close_fds(mon);
	}
}

static const struct chardev_handlers handlers = {
	.background = true,
	.can_receive = qmp_can_receive,
	.receive = qmp_receive,
	.event = qmp_event,
};

const struct chardev_handlers *qmp_handlers(void)
{
	return &handlers;
}

struct qmp_session *qmp_session_new(struct monitor *mon, bool pretty)
{
	struct qmp_session *session = g_new0(struct qmp_session, 1);

	session->mon = mon;
	session->pretty = pretty;
	session->serve = bh_new(loop_main(), serve_next, session);
	session->framer = json_framer_new(got_value, mon);
	g_queue_init(&session->queue);
	return session;
}

void qmp_session_end(struct qmp_session *session)
{
	if (session->later)
		finish_request(session);
}

void qmp_session_free(struct qmp_session *session)
{
	struct request *request;

	if (session->running)
		request_free(session->running);
	json_object_put(session->result);
	g_clear_error(&session->error);
	while ((request = g_queue_pop_head(&session->queue)))
		request_free(request);
	bh_free(session->serve);
	json_framer_free(session->framer);
	g_free(session);
}

/* ---- Negotiation ---- */

enum qmp_capability { QMP_CAPABILITY_OOB };
static const struct enum_name capability_names[] = {
	{"oob", QMP_CAPABILITY_OOB, "Commands out of band: past those that wait"},
	{NULL, 0, NULL},
};
static const struct field capability_elem = {
	.name = "capability",
	.help = "A capability",
	.kind = FIELD_ENUM,
	.width = sizeof(int),
	.names = capability_names,
};
struct capabilities_args {
	GArray *enable;
};
static const struct field capabilities_rows[] = {
	OPT_LIST(struct capabilities_args, enable, "enable", &capability_elem,
		 "Capabilities to use, of those that the greeting offers"),
	FIELD_ROW_END,
};
static const struct field_set capabilities_set = {
	"qmp_capabilities-arg", sizeof(struct capabilities_args), capabilities_rows};

/* From the next byte on, input is read by the monitors' own thread. */
static bool enable_oob(struct monitor *mon, GError **errp)
{
	struct loop *loop;

	if (!chardev_can_move(mon->chr)) {
		error_set(errp, "Monitor does not support capability 'oob'");
		return false;
	}
	loop = monitor_loop(errp);
	return loop && monitor_move(mon, loop, errp);
}

static bool qmp_capabilities(void *args, void *result, GError **errp)
{
	const struct capabilities_args *arg = args;
	struct monitor *mon = monitor_current();
	bool oob = arg->enable && arg->enable->len;

	if (!mon || !mon->qmp) {
		error_set(errp, "Only a QMP client can negotiate");
		return false;
	}
	if (oob && !enable_oob(mon, errp))
		return false;
	g_mutex_lock(&mon->lock);
	mon->qmp->negotiated = true;
	mon->qmp->oob = oob;
	g_mutex_unlock(&mon->lock);
	return true;
}

const struct command qmp_commands[] = {
	{"qmp_capabilities", "Ends the negotiation: from now on commands are served",
	 &capabilities_set, NULL, qmp_capabilities, COMMAND_PRECONFIG},
	{NULL},
};
