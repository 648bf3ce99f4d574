/*
 * -readconfig: options in a file.
 *
 *	# comment
 *	[chardev "serial0"]
 *	  backend = "stdio"
 *	[memory]
 *	  size = "1G"
 *
 * A section is one use of the option with that group name; the quoted name is its id.
 */
#include <stdio.h>
#include <unistd.h>
#include "options.h"

struct reader {
	struct cli *cli;
	const char *path;
	unsigned line, section_line;
	const struct option *section; /* NULL: none begun */
	json_object *props;
};

/* The section is complete: uses it like an option. */
static bool reader_finish(struct reader *reader, GError **errp)
{
	g_autoptr(json_object) props = g_steal_pointer(&reader->props);
	g_autofree char *where = g_strdup_printf("%s:%u", reader->path, reader->section_line);
	struct option_use use = {.option = reader->section, .props = props, .where = where};

	if (!props)
		return true;
	if (option_apply(reader->cli, &use, errp))
		return true;
	g_prefix_error(errp, "%s: ", where);
	return false;
}

static bool reader_error(const struct reader *reader, const char *what, const char *text,
			 GError **errp)
{
	error_set(errp, "%s:%u: %s '%s'", reader->path, reader->line, what, text);
	return false;
}

static bool reader_section(struct reader *reader, const char *text, GError **errp)
{
	char group[64], id[128];
	int n = 0, m = 0;
	bool plain = sscanf(text, "[%63[^] \"]]%n", group, &n) == 1 && n && !text[n];
	bool named = !plain && sscanf(text, "[%63s \"%127[^\"]\"]%n", group, id, &m) == 2 && m &&
		     !text[m];

	if (!reader_finish(reader, errp))
		return false;
	if (!plain && !named)
		return reader_error(reader, "parse error at", text, errp);
	reader->section = option_find_group(group);
	if (!reader->section)
		return reader_error(reader, "There is no option group", group, errp);
	reader->section_line = reader->line;
	reader->props = json_object_new_object();
	if (named)
		json_add(reader->props, "id", json_object_new_string(id));
	return true;
}

static bool reader_pair(struct reader *reader, const char *text, GError **errp)
{
	const char *equals = strchr(text, '=');
	g_autofree char *key = equals ? g_strstrip(g_strndup(text, equals - text)) : NULL;
	g_autofree char *value = equals ? g_strstrip(g_strdup(equals + 1)) : NULL;
	size_t len = value ? strlen(value) : 0;

	if (len < 2 || value[0] != '"' || value[len - 1] != '"' || !*key)
		return reader_error(reader, "parse error at", text, errp);
	if (!reader->props)
		return reader_error(reader, "no section before", text, errp);
	value[len - 1] = 0;
	json_add(reader->props, key, json_object_new_string(value + 1));
	return true;
}

static bool reader_line(struct reader *reader, const char *text, GError **errp)
{
	if (!*text || *text == '#')
		return true;
	return *text == '[' ? reader_section(reader, text, errp) : reader_pair(reader, text, errp);
}

bool readconfig(struct cli *cli, const char *path, GError **errp)
{
	struct reader reader = {.cli = cli, .path = path};
	g_autoptr(GError) err = NULL;
	g_autofree char *text = NULL;
	bool ok = true;

	if (access(path, R_OK)) {
		error_set_errno(errp, errno, "Could not open '%s'", path);
		return false;
	}
	if (!g_file_get_contents(path, &text, NULL, &err)) {
		error_set(errp, "Cannot read config file: %s", err->message);
		return false;
	}
	g_auto(GStrv) lines = g_strsplit(text, "\n", -1);

	for (char **line = lines; ok && *line; line++) {
		reader.line++;
		ok = reader_line(&reader, g_strstrip(*line), errp);
	}
	ok = ok && reader_finish(&reader, errp);
	json_object_put(reader.props);
	return ok;
}
