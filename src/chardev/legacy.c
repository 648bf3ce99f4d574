/*
 * The short forms of -serial, -monitor, -qmp and their like.
 */
#include "internal.h"

static json_object *backend(const char *name)
{
	json_object *options = json_object_new_object();

	json_object_object_add(options, "backend", json_object_new_string(name));
	return options;
}

static void set_text(json_object *options, const char *name, const char *text)
{
	json_object_object_add(options, name, json_object_new_string(text));
}

/* Everything after the colon is a file name, commas and all. */
static json_object *with_path(const char *name, const char *path)
{
	json_object *options = backend(name);

	set_text(options, "path", path);
	return options;
}

/* "path,option=value..." */
static json_object *parse_unix(const char *text, GError **errp)
{
	json_object *options = opts_parse(text, "path", NULL, NULL, errp);

	if (options)
		set_text(options, "backend", "socket");
	return options;
}

/* Splits "host:port" or "[host]:port", where host may be empty. */
static bool split_host_port(const char *text, size_t len, char **host, char **port)
{
	g_autofree char *copy = g_strndup(text, len);
	char *start = copy, *colon;

	if (*copy == '[') {
		char *end = strchr(copy, ']');

		if (!end || end[1] != ':')
			return false;
		start = copy + 1;
		*end = '\0';
		colon = end + 1;
	} else {
		colon = strchr(copy, ':');
		if (!colon)
			return false;
		*colon = '\0';
	}
	if (!colon[1])
		return false;
	*host = g_strdup(start);
	*port = g_strdup(colon + 1);
	return true;
}

/* "host:port,option=value..."; @protocol NULL: plain TCP. */
static json_object *parse_tcp(const char *text, const char *protocol, GError **errp)
{
	g_autofree char *host = NULL, *port = NULL;
	size_t len = strcspn(text, ",");
	json_object *options;

	if (!split_host_port(text, len, &host, &port)) {
		error_set(errp, "'%s' is not of the form HOST:PORT", text);
		return NULL;
	}
	options = text[len] ? opts_parse(text + len + 1, NULL, NULL, NULL, errp)
			    : json_object_new_object();
	if (!options)
		return NULL;
	set_text(options, "backend", "socket");
	set_text(options, "host", host);
	set_text(options, "port", port);
	if (protocol)
		set_text(options, protocol, "on");
	return options;
}

static json_object *parse_file(const char *text, GError **errp)
{
	return with_path("file", text);
}

static json_object *parse_pipe(const char *text, GError **errp)
{
	return with_path("pipe", text);
}

static json_object *parse_plain_tcp(const char *text, GError **errp)
{
	return parse_tcp(text, NULL, errp);
}

static json_object *parse_telnet(const char *text, GError **errp)
{
	return parse_tcp(text, "telnet", errp);
}

static json_object *parse_tn3270(const char *text, GError **errp)
{
	return parse_tcp(text, "tn3270", errp);
}

static json_object *parse_websocket(const char *text, GError **errp)
{
	return parse_tcp(text, "websocket", errp);
}

/* "[host]:port[@[localhost]:localport]" */
static json_object *parse_udp(const char *text, GError **errp)
{
	g_autofree char *host = NULL, *port = NULL, *local = NULL, *local_port = NULL;
	const char *at = strchr(text, '@');
	json_object *options;

	if (!split_host_port(text, at ? (size_t)(at - text) : strlen(text), &host, &port) ||
	    (at && !split_host_port(at + 1, strlen(at + 1), &local, &local_port))) {
		error_set(errp, "'%s' is not of the form HOST:PORT[@HOST:PORT]", text);
		return NULL;
	}
	options = backend("udp");
	set_text(options, "host", host);
	set_text(options, "port", port);
	if (local) {
		set_text(options, "localaddr", local);
		set_text(options, "localport", local_port);
	}
	return options;
}

static json_object *parse_vc(const char *text, GError **errp)
{
	return backend("vc");
}

static json_object *parse_chardev(const char *text, GError **errp)
{
	json_object *options = json_object_new_object();

	set_text(options, "chardev", text);
	return options;
}

static const struct {
	const char *prefix;
	json_object *(*parse)(const char *text, GError **errp);
} prefixes[] = {
	{"chardev:", parse_chardev}, {"file:", parse_file},
	{"pipe:", parse_pipe},       {"tcp:", parse_plain_tcp},
	{"telnet:", parse_telnet},   {"tn3270:", parse_tn3270},
	{"udp:", parse_udp},         {"unix:", parse_unix},
	{"vc:", parse_vc},           {"websocket:", parse_websocket},
};

/* Words that stand alone. */
static const char *const words[] = {"braille", "msmouse", "none",     "null", "pty",
				    "stdio",   "testdev", "wctablet", "vc"};

static json_object *parse_plain(const char *text, GError **errp)
{
	for (size_t i = 0; i < G_N_ELEMENTS(words); i++)
		if (!strcmp(words[i], text))
			return backend(text);
	for (size_t i = 0; i < G_N_ELEMENTS(prefixes); i++)
		if (g_str_has_prefix(text, prefixes[i].prefix))
			return prefixes[i].parse(text + strlen(prefixes[i].prefix), errp);
	if (g_str_has_prefix(text, "/dev/parport"))
		return backend("parallel");
	if (g_str_has_prefix(text, "/dev/"))
		return with_path("serial", text);
	error_set(errp, "'%s' is not a valid char driver", text);
	error_add_hint(errp, "Use -chardev help to list them");
	return NULL;
}

json_object *chardev_options_from_legacy(const char *text, GError **errp)
{
	json_object *options;
	const char *rest;

	if (!g_str_has_prefix(text, "mon:"))
		return parse_plain(text, errp);
	rest = text + strlen("mon:");
	options = parse_plain(rest, errp);
	if (!options)
		return NULL;
	json_object_object_add(options, "mon", json_object_new_boolean(true));
	if (json_object_object_get(options, "chardev"))
		return options;
	set_text(options, "mux", "on");
	/* The guest shares the terminal with the monitor: Ctrl-C is for it, Ctrl-A x ends. */
	if (!strcmp(rest, "stdio"))
		set_text(options, "signal", "off");
	return options;
}
