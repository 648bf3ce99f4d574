/* The loop over the arguments, and from a row to its handler. */
#include <stdio.h>
#include "options.h"

const struct option_table option_tables[] = {
	{"Help", help_options},
	{"Standard options", machine_options},
	{"Devices and objects", device_options},
	{"Block device options", drive_options},
	{NULL, blockdev_options},
	{"Display options", display_options},
	{"i386 target only", pc_options},
	{"Character device options", backend_options},
	{"Boot Image or Kernel specific", boot_options},
	{"Debug/Expert options", debug_options},
	{NULL, NULL},
};

/* ---- Finding rows ---- */

#define OPTIONS_FOREACH(opt)                                                                       \
	for (const struct option_table *table = option_tables; table->options; table++)            \
		for (const struct option *opt = table->options; opt->name; opt++)

const struct option *option_find(const char *name)
{
	OPTIONS_FOREACH(opt)
	{
		if (g_str_equal(opt->name, name))
			return opt;
	}
	return NULL;
}

const struct option *option_find_group(const char *group)
{
	OPTIONS_FOREACH(opt)
	{
		if (opt->group && g_str_equal(opt->group, group))
			return opt;
	}
	return NULL;
}

const char *option_nearest(const char *name)
{
	g_autoptr(GPtrArray) names = g_ptr_array_new();

	OPTIONS_FOREACH(opt)
	{
		if (!(opt->flags & OPTION_HIDDEN))
			g_ptr_array_add(names, (char *)opt->name);
	}
	g_ptr_array_add(names, NULL);
	return nearest_name(name, (const char *const *)names->pdata);
}

/* ---- Helpers of handlers ---- */

bool store_text(struct cli *cli, const struct option_use *use, GError **errp)
{
	char **member = (char **)((char *)cli->cfg + use->option->offset);

	g_free(*member);
	*member = g_strdup(use->text);
	return true;
}

bool store_flag(struct cli *cli, const struct option_use *use, GError **errp)
{
	*(bool *)((char *)cli->cfg + use->option->offset) = true;
	return true;
}

bool store_nothing(struct cli *cli, const struct option_use *use, GError **errp)
{
	return true;
}

const char *props_text(json_object *props, const char *name)
{
	json_object *value;

	if (!json_object_object_get_ex(props, name, &value) ||
	    !json_object_is_type(value, json_type_string))
		return NULL;
	return json_object_get_string(value);
}

char *props_take(json_object *props, const char *name)
{
	char *text = g_strdup(props_text(props, name));

	if (text)
		json_object_object_del(props, name);
	return text;
}

void config_add_item(GArray *items, json_object *props, bool strict, const char *where)
{
	struct config_item item = {
		.props = json_object_get(props),
		.strict = strict,
		.where = g_strdup(where),
	};

	g_array_append_val(items, item);
}

/* ---- Rows at work ---- */

/* Keys without a row, in the words of the flat options. */
static bool check_keys(const struct option *opt, json_object *props, GError **errp)
{
	g_autoptr(GPtrArray) names = g_ptr_array_new();

	FIELDS_FOREACH (row, opt->set->rows)
		g_ptr_array_add(names, (char *)row->name);
	g_ptr_array_add(names, NULL);
	json_object_object_foreach(props, key, value)
	{
		const char *const *known = (const char *const *)names->pdata;

		(void)value;
		if (g_strv_contains(known, key))
			continue;
		const char *near = nearest_name(key, known);

		error_set(errp, "Invalid parameter '%s'", key);
		if (near)
			error_add_hint(errp, "Did you mean '%s'?", near);
		return false;
	}
	return true;
}

/* The uses of a merging option so far, @props included. Owned by @cli. */
static json_object *merge_use(struct cli *cli, const struct option *opt, json_object *props)
{
	json_object *all = g_hash_table_lookup(cli->merged, opt);

	if (!all) {
		all = json_object_new_object();
		g_hash_table_insert(cli->merged, (void *)opt, all);
	}
	keyval_merge(all, props);
	return all;
}

/* A nested option's fields are members of a group: "Parameter 'smp.foo' is unexpected". */
static bool decode_nested(const struct option *opt, json_object *props, void *values, GError **errp)
{
	const struct field row = {.name = opt->name, .kind = FIELD_STRUCT, .sub = opt->set};

	return codec_decode_field(&row, props, values, true, errp);
}

/* Flat options have always worded this one differently. */
static void reword(GError *err)
{
	static const char codec_words[] = "expects integer";

	if (!g_str_has_suffix(err->message, codec_words))
		return;
	err->message[strlen(err->message) - strlen(codec_words)] = 0;
	char *text = g_strconcat(err->message, "expects a number", NULL);

	g_free(err->message);
	err->message = text;
}

static bool decode_flat(const struct option *opt, json_object *props, void *values, GError **errp)
{
	GError *err = NULL;

	if (!check_keys(opt, props, errp))
		return false;
	if (codec_decode(opt->set, props, values, true, &err))
		return true;
	reword(err);
	g_propagate_error(errp, err);
	return false;
}

bool option_apply(struct cli *cli, struct option_use *use, GError **errp)
{
	const struct option *opt = use->option;
	g_autofree void *values = NULL;
	bool ok;

	if (opt->flags & OPTION_MERGE)
		use->props = merge_use(cli, opt, use->props);
	if (!opt->set || use->help)
		return opt->handle(cli, use, errp);
	use->values = values = g_malloc0(opt->set->size);
	if (!(opt->flags & OPTION_NESTED ? decode_nested : decode_flat)(opt, use->props, values,
									errp))
		return false;
	ok = opt->handle(cli, use, errp);
	fields_clear(opt->set->rows, values);
	return ok;
}

static json_object *cut_argument(struct option_use *use, GError **errp)
{
	const struct option *opt = use->option;
	bool *help = opt->flags & OPTION_HELP ? &use->help : NULL;

	return (opt->flags & OPTION_NESTED ? keyval_parse : opts_parse)(use->text, opt->implied,
									opt->lists, help, errp);
}

/* An option whose rows are all there is to say about it. */
static bool answer_rows(struct cli *cli, const struct option *opt)
{
	GString *out = g_string_new(NULL);

	g_string_append_printf(out, "-%s options:\n", opt->name);
	fields_print_help(opt->set->rows, out);
	return cli_answer(cli, out);
}

/* One option as typed; the error does not say where. */
static bool use_option(struct cli *cli, struct option_use *use, GError **errp)
{
	const struct option *opt = use->option;

	bool asks = use->text && (g_str_equal(use->text, "help") || g_str_equal(use->text, "?"));

	if (opt->kind != OPTION_OPTS) {
		use->help = opt->flags & OPTION_HELP && asks;
		return opt->handle(cli, use, errp);
	}
	if (asks && opt->set && !(opt->flags & OPTION_HELP))
		return answer_rows(cli, opt);
	g_autoptr(json_object) props = cut_argument(use, errp);

	use->props = props;
	use->strict = use->text[0] == '{';
	return props && option_apply(cli, use, errp);
}

bool option_rewrite(struct cli *cli, const char *name, const char *text,
		    const struct option_use *use, GError **errp)
{
	struct option_use rewritten = {
		.option = option_find(name), .text = text, .where = use->where};

	return use_option(cli, &rewritten, errp);
}

/* ---- The loop ---- */

static bool unknown_option(const char *arg, GError **errp)
{
	const char *name = arg + strspn(arg, "-");
	const char *near = option_nearest(name);

	error_set(errp, "%s: invalid option", arg);
	if (near)
		error_add_hint(errp, "Did you mean '-%s'?", near);
	return false;
}

static bool parse_one(struct cli *cli, int *i, int argc, char **argv, GError **errp)
{
	const char *arg = argv[*i];
	const char *name = arg + (g_str_has_prefix(arg, "--") ? 2 : 1);
	struct option_use use = {.option = option_find(name)};

	if (!use.option)
		return unknown_option(arg, errp);
	if (use.option->kind != OPTION_FLAG) {
		if (*i + 1 >= argc) {
			error_set(errp, "%s: requires an argument", arg);
			return false;
		}
		use.text = argv[++*i];
	}
	g_autofree char *where = use.text ? g_strdup_printf("%s %s", arg, use.text) : g_strdup(arg);

	use.where = where;
	if (use_option(cli, &use, errp))
		return true;
	g_prefix_error(errp, "%s: ", where);
	return false;
}

static bool parse_all(struct cli *cli, int argc, char **argv, GError **errp)
{
	for (int i = 1; i < argc && cli->action == CONFIG_RUN; i++) {
		if (argv[i][0] != '-' || !argv[i][1]) {
			error_set(errp, "%s: unexpected argument: options begin with '-'", argv[i]);
			return false;
		}
		if (!parse_one(cli, &i, argc, argv, errp))
			return false;
	}
	return cli->action == CONFIG_DONE || cli_finish(cli, errp);
}

static void put_json(void *json)
{
	json_object_put(json);
}

struct config *config_parse(int argc, char **argv, const struct cli_help *help,
			    enum config_action *action, GError **errp)
{
	struct cli cli = {
		.cfg = config_new(),
		.help = help,
		.action = CONFIG_RUN,
		.merged = g_hash_table_new_full(NULL, NULL, NULL, put_json),
		.default_serial = true,
		.default_parallel = true,
		.default_monitor = true,
	};
	bool ok = parse_all(&cli, argc, argv, errp);

	g_hash_table_unref(cli.merged);
	*action = cli.action;
	if (!ok)
		g_clear_pointer(&cli.cfg, config_free);
	return cli.cfg;
}
