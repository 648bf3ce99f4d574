/*
 * QMP commands about character devices.
 */
#include "internal.h"

/* ---- query-chardev, query-chardev-backends ---- */

struct chardev_info {
	char *label, *filename;
	bool frontend_open;
};
static const struct field chardev_info_rows[] = {
	ARG_STRING(struct chardev_info, label, "label", "Name of the device"),
	ARG_STRING(struct chardev_info, filename, "filename", "What it is connected to"),
	ARG_BOOL(struct chardev_info, frontend_open, "frontend-open",
		 "Whether the guest's side is open"),
	FIELD_ROW_END,
};
static const struct field_set chardev_info_set = {"ChardevInfo", sizeof(struct chardev_info),
						  chardev_info_rows};

static void add_info(struct chardev *chr, void *opaque)
{
	struct chardev_info info = {
		.label = g_strdup(chr->id),
		.filename = g_strdup(chr->filename),
		.frontend_open = chr->fe && chr->fe->guest_open,
	};

	g_array_append_val(opaque, info);
}

static bool qmp_query_chardev(void *args, void *result, GError **errp)
{
	GArray *list = g_array_new(false, true, sizeof(struct chardev_info));

	chardev_foreach(add_info, list);
	*(GArray **)result = list;
	return true;
}

struct backend_info {
	char *name;
};
static const struct field backend_info_rows[] = {
	ARG_STRING(struct backend_info, name, "name", "Name of the back end"),
	FIELD_ROW_END,
};
static const struct field_set backend_info_set = {"ChardevBackendInfo", sizeof(struct backend_info),
						  backend_info_rows};

static bool qmp_query_backends(void *args, void *result, GError **errp)
{
	GArray *list = g_array_new(false, true, sizeof(struct backend_info));

	for (size_t i = 0; chardev_types[i]; i++) {
		struct backend_info info = {g_strdup(chardev_types[i]->name)};

		g_array_append_val(list, info);
	}
	*(GArray **)result = list;
	return true;
}

/* ---- chardev-add, chardev-remove, chardev-send-break ---- */

/* A back end, and the options that its kind has. */
struct backend_args {
	int kind;   /* index into kinds[] */
	void *opts; /* options of that type */
};
struct add_args {
	char *id;
	struct backend_args backend;
};
struct add_result {
	char *pty;
};

enum kind {
	KIND_FILE,
	KIND_SERIAL,
	KIND_PIPE,
	KIND_SOCKET,
	KIND_UDP,
	KIND_PTY,
	KIND_NULL,
	KIND_MUX,
	KIND_STDIO,
	KIND_RINGBUF,
	KIND_MEMORY,
	KIND_COUNT
};
static const struct chardev_type *const kinds[KIND_COUNT] = {
	[KIND_FILE] = &chardev_file,      [KIND_SERIAL] = &chardev_serial,
	[KIND_PIPE] = &chardev_pipe,      [KIND_SOCKET] = &chardev_socket,
	[KIND_UDP] = &chardev_udp,        [KIND_PTY] = &chardev_pty,
	[KIND_NULL] = &chardev_null,      [KIND_MUX] = &chardev_mux,
	[KIND_STDIO] = &chardev_stdio,    [KIND_RINGBUF] = &chardev_ringbuf,
	[KIND_MEMORY] = &chardev_ringbuf,
};
static const struct enum_name kind_names[] = {
	{"file", KIND_FILE, NULL},       {"serial", KIND_SERIAL, NULL}, {"pipe", KIND_PIPE, NULL},
	{"socket", KIND_SOCKET, NULL},   {"udp", KIND_UDP, NULL},       {"pty", KIND_PTY, NULL},
	{"null", KIND_NULL, NULL},       {"mux", KIND_MUX, NULL},       {"stdio", KIND_STDIO, NULL},
	{"ringbuf", KIND_RINGBUF, NULL}, {"memory", KIND_MEMORY, NULL}, {NULL, 0, NULL},
};

/* Each branch is {"data": OPTIONS}. */
#define BACKEND_BRANCH(_name, _set)                                                                \
	static const struct field _name##_rows[] = {                                               \
		{                                                                                  \
			FIELD_AT(struct backend_data, data, "data", FIELD_STRUCT, sizeof(void *),  \
				 "Options of the back end"),                                       \
			.flags = FIELD_POINTER,                                                    \
			.sub = &(_set),                                                            \
		},                                                                                 \
		FIELD_ROW_END,                                                                     \
	};                                                                                         \
	static const struct field_set _name##_branch = {#_name "Wrapper",                          \
							sizeof(struct backend_data), _name##_rows}

struct backend_data {
	void *data;
};
BACKEND_BRANCH(ChardevFile, chardev_file_set);
BACKEND_BRANCH(ChardevSerial, chardev_serial_set);
BACKEND_BRANCH(ChardevPipe, chardev_pipe_set);
BACKEND_BRANCH(ChardevSocket, chardev_socket_set);
BACKEND_BRANCH(ChardevUdp, chardev_udp_set);
BACKEND_BRANCH(ChardevPty, chardev_pty_set);
BACKEND_BRANCH(ChardevNull, chardev_null_set);
BACKEND_BRANCH(ChardevMux, chardev_mux_set);
BACKEND_BRANCH(ChardevStdio, chardev_stdio_set);
BACKEND_BRANCH(ChardevRingbuf, chardev_ringbuf_set);

static const struct field_branch kind_branches[] = {
	{KIND_FILE, &ChardevFile_branch},      {KIND_SERIAL, &ChardevSerial_branch},
	{KIND_PIPE, &ChardevPipe_branch},      {KIND_SOCKET, &ChardevSocket_branch},
	{KIND_UDP, &ChardevUdp_branch},        {KIND_PTY, &ChardevPty_branch},
	{KIND_NULL, &ChardevNull_branch},      {KIND_MUX, &ChardevMux_branch},
	{KIND_STDIO, &ChardevStdio_branch},    {KIND_RINGBUF, &ChardevRingbuf_branch},
	{KIND_MEMORY, &ChardevRingbuf_branch}, {0, NULL},
};
static const struct field backend_rows[] = {
	ARG_ENUM(struct backend_args, kind, "type", kind_names, "Kind of back end"),
	ARG_UNION(struct backend_args, opts, "type", kind_branches),
	FIELD_ROW_END,
};
static const struct field_set backend_set = {"ChardevBackend", sizeof(struct backend_args),
					     backend_rows};
static const struct field add_rows[] = {
	ARG_STRING(struct add_args, id, "id", "Name of the new device"),
	ARG_STRUCT(struct add_args, backend, "backend", &backend_set, "What it is made of"),
	FIELD_ROW_END,
};
static const struct field_set add_set = {"chardev-add-arg", sizeof(struct add_args), add_rows};
static const struct field add_result_rows[] = {
	OPT_STRING(struct add_result, pty, "pty", "Name of the new pseudo-terminal"),
	FIELD_ROW_END,
};
static const struct field_set add_result_set = {"ChardevReturn", sizeof(struct add_result),
						add_result_rows};

static bool qmp_chardev_add(void *args, void *result, GError **errp)
{
	struct add_args *add = args;
	struct add_result *ret = result;
	const struct chardev_type *type = kinds[add->backend.kind];
	struct chardev *chr;

	if (chardev_find(add->id)) {
		error_set(errp, "Chardev with id '%s' already exists", add->id);
		return false;
	}
	chr = chardev_create(add->id, type, add->backend.opts, errp);
	if (!chr) {
		g_prefix_error(errp, "Failed to add chardev '%s': ", add->id);
		return false;
	}
	chardev_set_alias(chr, enum_name_of(kind_names, add->backend.kind));
	if (type == &chardev_pty)
		ret->pty = g_strdup(chr->filename + strlen("pty:"));
	return true;
}

struct id_args {
	char *id;
};
static const struct field id_rows[] = {
	ARG_STRING(struct id_args, id, "id", "Name of the device"),
	FIELD_ROW_END,
};
static const struct field_set id_set = {"chardev-id-arg", sizeof(struct id_args), id_rows};

static bool qmp_chardev_remove(void *args, void *result, GError **errp)
{
	return chardev_remove(((struct id_args *)args)->id, errp);
}

static bool qmp_send_break(void *args, void *result, GError **errp)
{
	struct id_args *arg = args;
	struct chardev *chr = chardev_find(arg->id);

	if (!chr) {
		error_set(errp, "Chardev '%s' not found", arg->id);
		return false;
	}
	chardev_event(chr, CHARDEV_BREAK);
	return true;
}

/* ---- ringbuf-read, ringbuf-write ---- */

enum data_format { DATA_UTF8, DATA_BASE64 };
static const struct enum_name data_format_names[] = {
	{"utf8", DATA_UTF8, "Text"},
	{"base64", DATA_BASE64, "Base64, for any bytes"},
	{NULL, 0, NULL},
};

struct ringbuf_args {
	char *device, *data;
	int64_t size;
	int format;
};
#define FORMAT_ROW                                                                                 \
	PROP_ENUM(struct ringbuf_args, format, "format", data_format_names, DATA_UTF8,             \
		  "How data is written")
static const struct field write_rows[] = {
	ARG_STRING(struct ringbuf_args, device, "device", "Name of the ring buffer"),
	ARG_STRING(struct ringbuf_args, data, "data", "What to write"),
	FORMAT_ROW,
	FIELD_ROW_END,
};
static const struct field_set write_set = {"ringbuf-write-arg", sizeof(struct ringbuf_args),
					   write_rows};
static const struct field read_rows[] = {
	ARG_STRING(struct ringbuf_args, device, "device", "Name of the ring buffer"),
	ARG_INT(struct ringbuf_args, size, "size", "Bytes to read at most"),
	FORMAT_ROW,
	FIELD_ROW_END,
};
static const struct field_set read_set = {"ringbuf-read-arg", sizeof(struct ringbuf_args),
					  read_rows};

static struct chardev *ringbuf_find(const char *id, GError **errp)
{
	struct chardev *chr = chardev_find(id);

	if (!chr)
		error_set(errp, "Device '%s' not found", id);
	return chr;
}

static bool base64_valid(const char *text)
{
	size_t len = strlen(text), body = strspn(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklm"
						       "nopqrstuvwxyz0123456789+/");

	return len % 4 == 0 && len - body <= 2 && strspn(text + body, "=") == len - body;
}

static bool qmp_ringbuf_write(void *args, void *result, GError **errp)
{
	struct ringbuf_args *arg = args;
	struct chardev *chr = ringbuf_find(arg->device, errp);
	g_autofree uint8_t *decoded = NULL;
	gsize len = strlen(arg->data);

	if (!chr)
		return false;
	if (arg->format == DATA_UTF8)
		return ringbuf_put(chr, (uint8_t *)arg->data, len, errp);
	if (!base64_valid(arg->data)) {
		error_set(errp, "Base64 data contains invalid characters");
		return false;
	}
	decoded = g_base64_decode(arg->data, &len);
	return ringbuf_put(chr, decoded, len, errp);
}

static bool qmp_ringbuf_read(void *args, void *result, GError **errp)
{
	struct ringbuf_args *arg = args;
	struct chardev *chr = ringbuf_find(arg->device, errp);
	g_autoptr(GByteArray) bytes = NULL;
	g_autofree char *text = NULL;

	if (!chr)
		return false;
	if (arg->size <= 0) {
		error_set(errp, "size must be greater than zero");
		return false;
	}
	bytes = ringbuf_take(chr, arg->size, errp);
	if (!bytes)
		return false;
	/* The guest may have written anything; JSON carries only text. */
	text = arg->format == DATA_BASE64 ? g_base64_encode(bytes->data, bytes->len)
					  : g_utf8_make_valid((char *)bytes->data, bytes->len);
	*(json_object **)result = json_object_new_string(text);
	return true;
}

static const struct field text_elem = {
	.name = "text",
	.help = "What was read",
	.kind = FIELD_STRING,
	.width = sizeof(char *),
};

const struct command chardev_commands[] = {
	{"query-chardev", "Character devices and what they are connected to", NULL,
	 &chardev_info_set, qmp_query_chardev, COMMAND_RESULT_LIST | COMMAND_PRECONFIG},
	{"query-chardev-backends", "Back ends that character devices can be made of", NULL,
	 &backend_info_set, qmp_query_backends, COMMAND_RESULT_LIST | COMMAND_PRECONFIG},
	{"chardev-add", "Makes a character device", &add_set, &add_result_set, qmp_chardev_add,
	 COMMAND_PRECONFIG},
	{"chardev-remove", "Removes a character device that nobody uses", &id_set, NULL,
	 qmp_chardev_remove, COMMAND_PRECONFIG},
	{"chardev-send-break", "Sends a break to whoever uses the device", &id_set, NULL,
	 qmp_send_break, COMMAND_PRECONFIG},
	{"ringbuf-write", "Writes into a ring buffer device", &write_set, NULL, qmp_ringbuf_write},
	{"ringbuf-read", "Takes data out of a ring buffer device", &read_set, NULL,
	 qmp_ringbuf_read, COMMAND_RESULT_ANY, .result_elem = &text_elem},
	{NULL},
};
