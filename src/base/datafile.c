/* See include/base/datafile.h. */
#include "base/datafile.h"
#include <unistd.h>
#include "config.h"

static const char *const builtin_dirs[] = {
	QUAIL_DATADIR,
	"/usr/share/qemu",
	"/usr/share/seabios",
	"/usr/lib/ipxe/qemu",
};

/* Folders of -L, set while the command line is read. */
static GPtrArray *added_dirs;

void datafile_add_dir(const char *dir)
{
	if (!added_dirs)
		added_dirs = g_ptr_array_new_with_free_func(g_free);
	g_ptr_array_add(added_dirs, g_strdup(dir));
}

/* What was built beside the program, for one that is not installed. */
static const char *build_dir(void)
{
	static char *dir;
	g_autofree char *program = NULL, *folder = NULL;

	if (dir)
		return dir;
	program = g_file_read_link("/proc/self/exe", NULL);
	folder = g_path_get_dirname(program ?: ".");
	dir = g_build_filename(folder, "pc-bios", NULL);
	return dir;
}

static const char *dir_at(guint i)
{
	guint added = added_dirs ? added_dirs->len : 0;

	if (i < added)
		return g_ptr_array_index(added_dirs, i);
	i -= added;
	if (!i)
		return build_dir();
	i--;
	return i < G_N_ELEMENTS(builtin_dirs) ? builtin_dirs[i] : NULL;
}

char *datafile_find(const char *name)
{
	const char *dir;

	if (!access(name, R_OK))
		return g_strdup(name);
	for (guint i = 0; (dir = dir_at(i)); i++) {
		g_autofree char *path = g_build_filename(dir, name, NULL);

		if (!access(path, R_OK))
			return g_steal_pointer(&path);
	}
	return NULL;
}

void datafile_print_dirs(GString *out)
{
	const char *dir;

	for (guint i = 0; (dir = dir_at(i)); i++)
		g_string_append_printf(out, "%s\n", dir);
}
