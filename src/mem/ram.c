/*
 * RAM blocks: the list of them, and their life.
 */
#include <assert.h>
#include <sys/mman.h>
#include <unistd.h>
#include "ram-map.h"

/*
 * The list has a lock of its own, because the last reference to a block may go in any thread: with a
 * mapping, or with an old flat view. Only the list's lock lets a count of references reach zero.
 */
struct ram_list {
	GMutex lock;
	GPtrArray *blocks; /* in order of creation */
};

static struct ram_list *ram_list(void)
{
	static struct ram_list list;

	return &list;
}

static struct ram_block *find_locked(struct ram_list *list, const char *name)
{
	for (guint i = 0; list->blocks && i < list->blocks->len; i++) {
		struct ram_block *ram = g_ptr_array_index(list->blocks, i);

		if (!strcmp(ram->name, name))
			return ram;
	}
	return NULL;
}

static bool ram_list_add(struct ram_block *ram, GError **errp)
{
	struct ram_list *list = ram_list();
	g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&list->lock);

	if (find_locked(list, ram->name)) {
		error_set(errp, "RAM block '%s' exists already", ram->name);
		return false;
	}
	if (!list->blocks)
		list->blocks = g_ptr_array_new();
	g_ptr_array_add(list->blocks, ram);
	return true;
}

static void ram_free(struct ram_block *ram)
{
	if (ram->discard_data && ram->host)
		madvise(ram->host, ram->size, MADV_REMOVE);
	if (ram->map)
		munmap(ram->map, ram->map_size);
	if (ram->fd >= 0)
		close(ram->fd);
	for (unsigned user = 0; user < DIRTY_USERS; user++)
		g_free(ram->dirty[user]);
	g_free(ram->code);
	g_free(ram->name);
	g_free(ram);
}

/* The flags stay when the watcher goes: a late dirty_mark() may still look at them. */
void ram_set_watch(struct ram_block *ram, const struct ram_watch *watch)
{
	if (watch && !ram->code)
		__atomic_store_n(&ram->code, g_malloc0(ram->size >> RAM_PAGE_BITS),
				 __ATOMIC_RELEASE);
	__atomic_store_n(&ram->watch, watch, __ATOMIC_SEQ_CST);
}

/* All of this is advice: a host without KSM or huge pages runs the guest as well. */
static void ram_advise(struct ram_block *ram, const struct ram_options *opt)
{
	madvise(ram->host, ram->size, MADV_DONTFORK);
	madvise(ram->host, ram->size, MADV_HUGEPAGE);
	if (opt->merge)
		madvise(ram->host, ram->size, MADV_MERGEABLE);
	if (opt->no_dump)
		madvise(ram->host, ram->size, MADV_DONTDUMP);
}

static bool ram_fill(struct ram_block *ram, const struct ram_options *opt, GError **errp)
{
	if (!ram_open_backing(ram, opt, errp) || !ram_map(ram, opt, errp))
		return false;
	ram_advise(ram, opt);
	if (!ram_bind(ram, opt, errp))
		return false;
	return !opt->prealloc || ram_preallocate(ram, opt->prealloc_threads, errp);
}

struct ram_block *ram_new(const char *name, uint64_t size, const struct ram_options *opt,
			  GError **errp)
{
	static const struct ram_options defaults;
	struct ram_block *ram;

	if (!opt)
		opt = &defaults;
	if (!size || size > RAM_SIZE_MAX) {
		error_set(errp,
			  "cannot set up guest memory '%s' of %" PRIu64 " bytes: 1 to %" PRIu64
			  " are possible",
			  name, size, (uint64_t)RAM_SIZE_MAX);
		return NULL;
	}
	ram = g_new0(struct ram_block, 1);
	ram->name = g_strdup(name);
	ram->size = size;
	ram->fd = -1;
	ram->fd_offset = opt->offset;
	ram->shared = opt->share;
	ram->readonly_file = opt->path && opt->readonly;
	ram->refs = 1;
	if (!ram_fill(ram, opt, errp) || !ram_list_add(ram, errp)) {
		ram_free(ram);
		return NULL;
	}
	ram->discard_data = opt->path && opt->share && opt->discard_data;
	return ram;
}

struct ram_block *ram_ref(struct ram_block *ram)
{
	g_atomic_int_inc(&ram->refs);
	return ram;
}

void ram_unref(struct ram_block *ram)
{
	struct ram_list *list = ram_list();
	gint refs;

	for (;;) {
		refs = g_atomic_int_get(&ram->refs);
		if (refs == 1)
			break;
		if (g_atomic_int_compare_and_exchange(&ram->refs, refs, refs - 1))
			return;
	}
	g_mutex_lock(&list->lock);
	bool last = g_atomic_int_dec_and_test(&ram->refs);

	if (last)
		g_ptr_array_remove(list->blocks, ram);
	g_mutex_unlock(&list->lock);
	if (last)
		ram_free(ram);
}

static void unref_block(gpointer ram)
{
	ram_unref(ram);
}

void ram_foreach(void (*fn)(struct ram_block *ram, void *opaque), void *opaque)
{
	struct ram_list *list = ram_list();
	g_autoptr(GPtrArray) blocks = g_ptr_array_new_with_free_func(unref_block);

	g_mutex_lock(&list->lock);
	for (guint i = 0; list->blocks && i < list->blocks->len; i++)
		g_ptr_array_add(blocks, ram_ref(g_ptr_array_index(list->blocks, i)));
	g_mutex_unlock(&list->lock);
	for (guint i = 0; i < blocks->len; i++)
		fn(g_ptr_array_index(blocks, i), opaque);
}

struct ram_block *ram_find(const char *name)
{
	struct ram_list *list = ram_list();
	g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&list->lock);

	struct ram_block *ram = find_locked(list, name);

	return ram ? ram_ref(ram) : NULL;
}

struct ram_block *ram_find_host(const void *host, uint64_t *offset)
{
	struct ram_list *list = ram_list();
	g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&list->lock);

	for (guint i = 0; list->blocks && i < list->blocks->len; i++) {
		struct ram_block *ram = g_ptr_array_index(list->blocks, i);
		uint64_t distance = (uintptr_t)host - (uintptr_t)ram->host;

		if (distance < ram->size) {
			*offset = distance;
			return ram_ref(ram);
		}
	}
	return NULL;
}
