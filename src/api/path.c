#include "path.h"

static void path_append(const struct path *path, GString *out)
{
	if (path->up)
		path_append(path->up, out);
	if (!path->name)
		g_string_append_printf(out, "[%u]", path->index);
	else
		g_string_append_printf(out, "%s%s", out->len ? "." : "", path->name);
}

char *path_text(const struct path *path)
{
	GString *out = g_string_new(NULL);

	path_append(path, out);
	return g_string_free(out, false);
}
