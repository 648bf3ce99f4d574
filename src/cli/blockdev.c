/*
 * -blockdev: images with names. What refers to one are the board's flash chips; so there are the drivers
 * that a flash image needs, "file" and, on top of one, "raw".
 */
#include "device/plug.h"
#include "options.h"

/* Everything a client may ask of such an image that makes no difference to it. */
struct cache_values {
	bool direct, no_flush;
};
static const struct field cache_rows[] = {
	PROP_BOOL(struct cache_values, direct, "direct", false, "Past the host's page cache"),
	PROP_BOOL(struct cache_values, no_flush, "no-flush", false, "Never flush"),
	{.kind = FIELD_END},
};
static const struct field_set cache_set = {"BlockdevCacheOptions", sizeof(struct cache_values),
					   cache_rows};

enum { DISCARD_IGNORE, DISCARD_UNMAP };
static const struct enum_name discard_names[] = {
	{"ignore", DISCARD_IGNORE, "do nothing"},
	{"unmap", DISCARD_UNMAP, "give room back"},
	{NULL, 0, NULL},
};

enum { AIO_THREADS, AIO_NATIVE, AIO_URING };
static const struct enum_name aio_names[] = {
	{"threads", AIO_THREADS, "a pool of threads"},
	{"native", AIO_NATIVE, "Linux AIO"},
	{"io_uring", AIO_URING, "io_uring"},
	{NULL, 0, NULL},
};

struct node_values {
	char *driver, *node_name;
	bool readonly, auto_readonly, force_share;
	int discard, zeroes, aio, locking;
	struct cache_values *cache;
	char *filename;    /* driver file */
	json_object *file; /* driver raw: a name, or a node of its own */
};

#define COMMON_ROWS                                                                                \
	ARG_STRING(struct node_values, driver, "driver", "file or raw"),                           \
		OPT_STRING(struct node_values, node_name, "node-name", "Name of the node"),        \
		PROP_BOOL(struct node_values, readonly, "read-only", false, "Do not write to it"), \
		PROP_BOOL(struct node_values, auto_readonly, "auto-read-only", false,              \
			  "Open it for writing only when somebody writes"),                        \
		PROP_BOOL(struct node_values, force_share, "force-share", false,                   \
			  "Others may write to it"),                                               \
		PROP_ENUM(struct node_values, discard, "discard", discard_names, DISCARD_IGNORE,   \
			  "What to do when the guest needs a part no more"),                       \
		OPT_STRUCT(struct node_values, cache, "cache", &cache_set, "Caching")

static const struct field file_rows[] = {
	COMMON_ROWS,
	ARG_STRING(struct node_values, filename, "filename", "The image file"),
	PROP_ENUM(struct node_values, aio, "aio", aio_names, AIO_THREADS, "How it is accessed"),
	PROP_ONOFFAUTO(struct node_values, locking, "locking", ONOFFAUTO_AUTO, "Lock the file"),
	{.kind = FIELD_END},
};

static const struct field raw_rows[] = {
	COMMON_ROWS,
	{FIELD_AT(struct node_values, file, "file", FIELD_ANY, sizeof(json_object *),
		  "The node below: its name, or what it is made of")},
	{.kind = FIELD_END},
};

static const struct field_set file_set = {"BlockdevFile", sizeof(struct node_values), file_rows};
static const struct field_set raw_set = {"BlockdevRaw", sizeof(struct node_values), raw_rows};

static const struct machine_flash *find_node(const struct cli *cli, const char *name)
{
	const GArray *nodes = cli->cfg->nodes;

	for (guint i = 0; i < nodes->len; i++) {
		const struct machine_flash *node = &g_array_index(nodes, struct machine_flash, i);

		if (!strcmp(node->node, name))
			return node;
	}
	return NULL;
}

static bool check_name(const struct cli *cli, const char *name, bool is_root, GError **errp)
{
	if (!name && is_root)
		error_set(errp, "'node-name' must be specified for the root node");
	else if (name && !id_check(name, NULL))
		error_set(errp, "Invalid node-name: '%s'", name);
	else if (name && find_node(cli, name))
		error_set(errp, "Duplicate nodes with node-name='%s'", name);
	else
		return true;
	return false;
}

static bool add_node(struct cli *cli, json_object *props, bool is_root, struct machine_flash *out,
		     GError **errp);

/* What a raw node lies on. @out: file and whether it may be written, owned. */
static bool node_below(struct cli *cli, json_object *file, struct machine_flash *out, GError **errp)
{
	const struct machine_flash *node;
	const char *name;

	if (json_object_is_type(file, json_type_object))
		return add_node(cli, file, false, out, errp);
	name = json_object_get_string(file);
	node = name ? find_node(cli, name) : NULL;
	if (!node) {
		error_set(errp, "Cannot find device='%s' nor node-name='%s'", name ?: "",
			  name ?: "");
		return false;
	}
	*out = (struct machine_flash){.file = g_strdup(node->file), .readonly = node->readonly};
	return true;
}

static bool decoded_node(struct cli *cli, const struct node_values *v, bool is_root,
			 struct machine_flash *out, GError **errp)
{
	if (!check_name(cli, v->node_name, is_root, errp))
		return false;
	if (v->filename)
		*out = (struct machine_flash){.file = g_strdup(v->filename)};
	else if (!node_below(cli, v->file, out, errp))
		return false;
	out->readonly |= v->readonly;
	if (v->node_name) {
		struct machine_flash node = {g_strdup(v->node_name), g_strdup(out->file),
					     out->readonly};

		g_array_append_val(cli->cfg->nodes, node);
	}
	return true;
}

static bool add_node(struct cli *cli, json_object *props, bool is_root, struct machine_flash *out,
		     GError **errp)
{
	const char *driver = props_text(props, "driver");
	const struct field_set *set = &file_set;
	struct node_values values = {NULL};
	bool ok;

	if (!driver) {
		error_set(errp, "Parameter 'driver' is missing");
		return false;
	}
	if (!strcmp(driver, "raw")) {
		set = &raw_set;
	} else if (strcmp(driver, "file")) {
		error_set(errp, "Parameter 'driver' does not accept value '%s'", driver);
		error_add_hint(errp, "Images are for flash chips: 'file', and 'raw' on one.");
		return false;
	}
	if (!codec_decode(set, props, &values, true, errp))
		return false;
	ok = decoded_node(cli, &values, is_root, out, errp);
	fields_clear(set->rows, &values);
	return ok;
}

static bool handle_blockdev(struct cli *cli, const struct option_use *use, GError **errp)
{
	struct machine_flash node = {NULL};

	if (!add_node(cli, use->props, true, &node, errp))
		return false;
	g_free((char *)node.file);
	return true;
}

const struct option blockdev_options[] = {
	{"blockdev", "[driver=]file|raw,node-name=N[,option][,...]",
	 "give the image of a flash chip a name, for -machine pflash0=N", OPTION_OPTS,
	 handle_blockdev, .implied = "driver", .flags = OPTION_NESTED},
	{NULL},
};
