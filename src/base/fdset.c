/*
 * Sets of file descriptors (-add-fd, add-fd) and opening by name.
 */
#include <fcntl.h>
#include <unistd.h>

#include "base/fdset.h"

#define FDSET_PREFIX "/dev/fdset/"

struct fdset {
	int64_t id;
	GArray *entries; /* struct fdset_entry */
};

/* All sets, by rising number. Main thread. */
static GArray *fdsets;

static void entry_clear(void *data)
{
	struct fdset_entry *entry = data;

	close(entry->fd);
	g_free(entry->opaque);
}

/* The place of set @id, or where it would go. */
static guint fdset_place(int64_t id, bool *found)
{
	guint i = 0;

	while (fdsets && i < fdsets->len && g_array_index(fdsets, struct fdset, i).id < id)
		i++;
	*found = fdsets && i < fdsets->len && g_array_index(fdsets, struct fdset, i).id == id;
	return i;
}

static int64_t fdset_free_id(void)
{
	int64_t id = 0;

	for (guint i = 0; fdsets && i < fdsets->len; i++, id++)
		if (g_array_index(fdsets, struct fdset, i).id != id)
			break;
	return id;
}

int64_t fdset_add(int64_t id, int fd, const char *opaque)
{
	struct fdset_entry entry = {.fd = fd, .opaque = g_strdup(opaque)};
	bool found;
	guint i;

	if (id < 0)
		id = fdset_free_id();
	if (!fdsets)
		fdsets = g_array_new(false, false, sizeof(struct fdset));
	i = fdset_place(id, &found);
	if (!found) {
		struct fdset set = {.id = id, .entries = g_array_new(false, false, sizeof(entry))};

		g_array_set_clear_func(set.entries, entry_clear);
		g_array_insert_val(fdsets, i, set);
	}
	g_array_append_val(g_array_index(fdsets, struct fdset, i).entries, entry);
	return id;
}

bool fdset_remove(int64_t id, int fd, GError **errp)
{
	bool found;
	guint i = fdset_place(id, &found);
	GArray *entries = found ? g_array_index(fdsets, struct fdset, i).entries : NULL;
	bool removed = found && fd < 0;

	for (guint n = 0; found && fd >= 0 && n < entries->len; n++) {
		if (g_array_index(entries, struct fdset_entry, n).fd != fd)
			continue;
		g_array_remove_index(entries, n);
		removed = true;
		break;
	}
	if (!removed) {
		if (fd < 0)
			error_set(errp, "File descriptor named 'fdset-id:%" PRId64 "' not found",
				  id);
		else
			error_set(errp,
				  "File descriptor named 'fdset-id:%" PRId64 ", fd:%d' not found",
				  id, fd);
		return false;
	}
	if (fd < 0 || !entries->len) {
		g_array_unref(entries);
		g_array_remove_index(fdsets, i);
	}
	return true;
}

void fdset_foreach(void (*fn)(int64_t id, const struct fdset_entry *entries, size_t count,
			      void *opaque),
		   void *opaque)
{
	for (guint i = 0; fdsets && i < fdsets->len; i++) {
		struct fdset *set = &g_array_index(fdsets, struct fdset, i);

		fn(set->id, (const struct fdset_entry *)set->entries->data, set->entries->len,
		   opaque);
	}
}

/* A duplicate of the member of @set that was opened as @flags want; -1 with errno. */
static int fdset_dup(const struct fdset *set, int flags)
{
	for (guint i = 0; i < set->entries->len; i++) {
		int fd = g_array_index(set->entries, struct fdset_entry, i).fd;
		int have = fcntl(fd, F_GETFL);

		if (have < 0)
			return -1;
		if ((have & O_ACCMODE) == (flags & O_ACCMODE))
			return fcntl(fd, F_DUPFD_CLOEXEC, 0);
	}
	errno = EACCES;
	return -1;
}

static int fdset_open(const char *number, int flags)
{
	char *end;
	int64_t id = g_ascii_strtoll(number, &end, 10);
	bool found;
	guint i;

	if (!*number || *end || id < 0) {
		errno = EINVAL;
		return -1;
	}
	i = fdset_place(id, &found);
	if (!found) {
		errno = ENOENT;
		return -1;
	}
	return fdset_dup(&g_array_index(fdsets, struct fdset, i), flags);
}

static int open_any(const char *path, int flags, mode_t mode, const char *what, GError **errp)
{
	int fd;

	if (g_str_has_prefix(path, FDSET_PREFIX))
		fd = fdset_open(path + strlen(FDSET_PREFIX), flags);
	else
		fd = open(path, flags | O_CLOEXEC, mode);
	if (fd < 0)
		error_set_errno(errp, errno, "Could not %s '%s'", what, path);
	return fd;
}

int path_open(const char *path, int flags, mode_t mode, GError **errp)
{
	return open_any(path, flags, mode, "open", errp);
}

int path_create(const char *path, int flags, mode_t mode, GError **errp)
{
	return open_any(path, flags | O_CREAT, mode, "create", errp);
}
