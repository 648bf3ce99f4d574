/*
 * Descriptors that QMP clients pass with SCM_RIGHTS: by name (getfd), and into sets (add-fd).
 */
#include <unistd.h>

#include "base/fdset.h"
#include "internal.h"

void monitor_close_fds(struct monitor *mon)
{
	GHashTableIter iter;
	gpointer value;

	g_mutex_lock(&mon->lock);
	g_hash_table_iter_init(&iter, mon->fds);
	while (g_hash_table_iter_next(&iter, NULL, &value)) {
		close(GPOINTER_TO_INT(value));
		g_hash_table_iter_remove(&iter);
	}
	g_mutex_unlock(&mon->lock);
}

int monitor_take_passed_fd(GError **errp)
{
	struct monitor *mon = monitor_current();
	int fd = mon && mon->fe ? chardev_take_fd(mon->fe) : -1;

	if (fd < 0)
		error_set(errp, "No file descriptor supplied via SCM_RIGHTS");
	return fd;
}

/* Takes the descriptor called @name out of the table; -1: there is none. */
static int take_named(struct monitor *mon, const char *name)
{
	gpointer value;
	int fd = -1;

	g_mutex_lock(&mon->lock);
	if (g_hash_table_lookup_extended(mon->fds, name, NULL, &value)) {
		fd = GPOINTER_TO_INT(value);
		g_hash_table_remove(mon->fds, name);
	}
	g_mutex_unlock(&mon->lock);
	return fd;
}

int monitor_lookup_fd(const char *name, GError **errp)
{
	struct monitor *mon = monitor_current();
	int fd;

	if (!mon)
		return -2;
	fd = take_named(mon, name);
	if (fd < 0)
		error_set(errp, "File descriptor named '%s' has not been found", name);
	return fd;
}

/* ---- getfd, closefd ---- */

struct name_args {
	char *fdname;
};
static const struct field name_rows[] = {
	ARG_STRING(struct name_args, fdname, "fdname", "Name of the descriptor"),
	FIELD_ROW_END,
};
static const struct field_set name_set = {"fdname-arg", sizeof(struct name_args), name_rows};

static bool qmp_getfd(void *args, void *result, GError **errp)
{
	struct name_args *arg = args;
	struct monitor *mon = monitor_current();
	int fd = monitor_take_passed_fd(errp), old;

	if (fd < 0)
		return false;
	if (g_ascii_isdigit(arg->fdname[0])) {
		close(fd);
		error_set(errp, "Parameter 'fdname' expects a name not starting with a digit");
		return false;
	}
	old = take_named(mon, arg->fdname);
	if (old >= 0)
		close(old);
	g_mutex_lock(&mon->lock);
	g_hash_table_insert(mon->fds, g_strdup(arg->fdname), GINT_TO_POINTER(fd));
	g_mutex_unlock(&mon->lock);
	return true;
}

static bool qmp_closefd(void *args, void *result, GError **errp)
{
	struct name_args *arg = args;
	struct monitor *mon = monitor_current();
	int fd = mon ? take_named(mon, arg->fdname) : -1;

	if (fd < 0) {
		error_set(errp, "File descriptor named '%s' not found", arg->fdname);
		return false;
	}
	close(fd);
	return true;
}

/* ---- add-fd, remove-fd, query-fdsets ---- */

struct add_args {
	bool has_fdset_id;
	int64_t fdset_id;
	char *opaque;
};
static const struct field add_rows[] = {
	OPT_INT(struct add_args, fdset_id, "fdset-id", "Number of the set; a new one if left out"),
	OPT_STRING(struct add_args, opaque, "opaque", "A note that query-fdsets shows"),
	FIELD_ROW_END,
};
static const struct field_set add_set = {"add-fd-arg", sizeof(struct add_args), add_rows};

struct add_result {
	int64_t fdset_id, fd;
};
static const struct field add_result_rows[] = {
	ARG_INT(struct add_result, fdset_id, "fdset-id", "Number of the set"),
	ARG_INT(struct add_result, fd, "fd", "The descriptor in this process"),
	FIELD_ROW_END,
};
static const struct field_set add_result_set = {"AddfdInfo", sizeof(struct add_result),
						add_result_rows};

static bool qmp_add_fd(void *args, void *result, GError **errp)
{
	struct add_args *arg = args;
	struct add_result *ret = result;
	int fd = monitor_take_passed_fd(errp);

	if (fd < 0)
		return false;
	if (arg->has_fdset_id && arg->fdset_id < 0) {
		close(fd);
		error_set(errp, "Parameter 'fdset-id' expects a non-negative value");
		return false;
	}
	ret->fdset_id = fdset_add(arg->has_fdset_id ? arg->fdset_id : -1, fd, arg->opaque);
	ret->fd = fd;
	return true;
}

struct remove_args {
	int64_t fdset_id, fd;
	bool has_fd;
};
static const struct field remove_rows[] = {
	ARG_INT(struct remove_args, fdset_id, "fdset-id", "Number of the set"),
	OPT_INT(struct remove_args, fd, "fd", "The descriptor; all of the set if left out"),
	FIELD_ROW_END,
};
static const struct field_set remove_set = {"remove-fd-arg", sizeof(struct remove_args),
					    remove_rows};

static bool qmp_remove_fd(void *args, void *result, GError **errp)
{
	struct remove_args *arg = args;

	if (arg->has_fd && (arg->fd < 0 || arg->fd > INT_MAX)) {
		error_set(errp,
			  "File descriptor named 'fdset-id:%" PRId64 ", fd:%" PRId64 "' not found",
			  arg->fdset_id, arg->fd);
		return false;
	}
	return fdset_remove(arg->fdset_id, arg->has_fd ? arg->fd : -1, errp);
}

struct fd_info {
	int64_t fd;
	char *opaque;
};
static const struct field fd_info_rows[] = {
	ARG_INT(struct fd_info, fd, "fd", "The descriptor"),
	OPT_STRING(struct fd_info, opaque, "opaque", "The note that came with it"),
	FIELD_ROW_END,
};
static const struct field_set fd_info_set = {"FdsetFdInfo", sizeof(struct fd_info), fd_info_rows};
static const struct field fd_info_elem = {
	.name = "fd",
	.help = "A descriptor",
	.kind = FIELD_STRUCT,
	.width = sizeof(struct fd_info),
	.sub = &fd_info_set,
};
struct fdset_info {
	int64_t fdset_id;
	GArray *fds;
};
static const struct field fdset_info_rows[] = {
	ARG_INT(struct fdset_info, fdset_id, "fdset-id", "Number of the set"),
	ARG_LIST(struct fdset_info, fds, "fds", &fd_info_elem, "What is in it"),
	FIELD_ROW_END,
};
static const struct field_set fdset_info_set = {"FdsetInfo", sizeof(struct fdset_info),
						fdset_info_rows};

static void add_fdset(int64_t id, const struct fdset_entry *entries, size_t count, void *opaque)
{
	struct fdset_info set = {id, g_array_new(false, true, sizeof(struct fd_info))};

	for (size_t i = 0; i < count; i++) {
		struct fd_info info = {entries[i].fd, g_strdup(entries[i].opaque)};

		g_array_append_val(set.fds, info);
	}
	g_array_append_val(opaque, set);
}

static bool qmp_query_fdsets(void *args, void *result, GError **errp)
{
	GArray *list = g_array_new(false, true, sizeof(struct fdset_info));

	fdset_foreach(add_fdset, list);
	*(GArray **)result = list;
	return true;
}

const struct command fd_commands[] = {
	{"getfd", "Keeps a passed descriptor under a name", &name_set, NULL, qmp_getfd},
	{"closefd", "Closes a descriptor kept with getfd", &name_set, NULL, qmp_closefd},
	{"add-fd", "Adds a passed descriptor to a set", &add_set, &add_result_set, qmp_add_fd},
	{"remove-fd", "Closes descriptors of a set", &remove_set, NULL, qmp_remove_fd},
	{"query-fdsets", "Sets of descriptors", NULL, &fdset_info_set, qmp_query_fdsets,
	 COMMAND_RESULT_LIST},
	{NULL},
};
