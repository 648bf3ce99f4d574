/* The rows as text for people, and as query-command-line-options. */
#include <stdio.h>
#include "config.h"
#include "options.h"

#define HELP_COLUMN 16

static void print_version(GString *out)
{
	g_string_append(out, "QEMU emulator version " QUAIL_VERSION " (Quail " QUAIL_VERSION ")\n");
}

static void print_option(const struct option *opt, GString *out)
{
	g_autofree char *head =
		g_strdup_printf("-%s%s%s", opt->name, opt->syntax ? " " : "", opt->syntax ?: "");
	g_auto(GStrv) lines = g_strsplit(opt->help, "\n", -1);
	bool beside = strlen(head) < HELP_COLUMN;

	g_string_append_printf(out, "%-*s%s", beside ? HELP_COLUMN : 0, head, beside ? "" : "\n");
	for (char **line = lines; *line; line++) {
		if (!beside || line != lines)
			g_string_append_printf(out, "%*s", HELP_COLUMN, "");
		g_string_append_printf(out, "%s\n", *line);
	}
}

static void print_usage(GString *out)
{
	print_version(out);
	g_string_append(out, "usage: quail [options]\n");
	for (const struct option_table *table = option_tables; table->options; table++) {
		if (table->title)
			g_string_append_printf(out, "\n%s:\n", table->title);
		for (const struct option *opt = table->options; opt->name; opt++) {
			if (!(opt->flags & OPTION_HIDDEN))
				print_option(opt, out);
		}
	}
	g_string_append(out, "\nWhen using -nographic, press 'ctrl-a h' to get some help.\n");
}

bool cli_answer(struct cli *cli, GString *text)
{
	fwrite(text->str, 1, text->len, stdout);
	g_string_free(text, true);
	cli->action = CONFIG_DONE;
	return true;
}

static bool handle_help(struct cli *cli, const struct option_use *use, GError **errp)
{
	GString *out = g_string_new(NULL);

	print_usage(out);
	return cli_answer(cli, out);
}

static bool handle_version(struct cli *cli, const struct option_use *use, GError **errp)
{
	GString *out = g_string_new(NULL);

	print_version(out);
	return cli_answer(cli, out);
}

const struct option help_options[] = {
	{"h", NULL, "display this help and exit", OPTION_FLAG, handle_help},
	{"help", NULL, "display this help and exit", OPTION_FLAG, handle_help,
	 .flags = OPTION_HIDDEN},
	{"version", NULL, "display version information and exit", OPTION_FLAG, handle_version},
	{NULL},
};

/* ---- query-command-line-options ---- */

static const char *parameter_type(const struct field *row)
{
	switch (row->kind) {
	case FIELD_BOOL:
		return "boolean";
	case FIELD_INT:
	case FIELD_UINT:
		return "number";
	case FIELD_SIZE:
		return "size";
	default:
		return "string";
	}
}

static void add_text(json_object *json, const char *name, const char *text)
{
	json_add(json, name, json_object_new_string(text));
}

static json_object *describe_option(const struct option *opt)
{
	json_object *json = json_object_new_object(), *parameters = json_object_new_array();

	FIELDS_FOREACH (row, opt->set ? opt->set->rows : NULL) {
		json_object *parameter = json_object_new_object();

		add_text(parameter, "name", row->name);
		add_text(parameter, "help", row->help);
		add_text(parameter, "type", parameter_type(row));
		json_append(parameters, parameter);
	}
	json_add(json, "parameters", parameters);
	add_text(json, "option", opt->group);
	return json;
}

json_object *cli_describe_options(const char *option, GError **errp)
{
	g_autoptr(json_object) list = json_object_new_array();

	for (const struct option_table *table = option_tables; table->options; table++) {
		for (const struct option *opt = table->options; opt->name; opt++) {
			if (opt->group && !(opt->flags & OPTION_HIDDEN) &&
			    (!option || g_str_equal(option, opt->group)))
				json_append(list, describe_option(opt));
		}
	}
	if (!option || json_object_array_length(list))
		return g_steal_pointer(&list);
	error_set(errp, "invalid option name: %s", option);
	return NULL;
}
