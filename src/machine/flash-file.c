/*
 * A flash chip's contents in a file: see include/machine/flash-store.h.
 *
 * Writes wait in a queue that one job at a time works off in the worker pool, oldest first, so that
 * the file goes through the states the chip went through. A guest that writes faster than the disk gets
 * the whole of its queue replaced by one write. The process does not end before the queue is empty.
 */
#include "base/fdset.h"
#include "event/worker.h"
#include "machine/flash-store.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

struct flash_file {
	struct flash_store store;
	char *path;
	int fd;

	GMutex lock;
	GQueue writes;   /* struct flash_write * */
	uint64_t queued; /* bytes in it */
	bool working;    /* a job is in the pool */
	bool failed;     /* has been reported */
};

struct flash_write {
	uint64_t offset;
	GBytes *bytes;
};

static struct flash_file *file_of(struct flash_store *s)
{
	return container_of(s, struct flash_file, store);
}

static void write_free(struct flash_write *w)
{
	g_bytes_unref(w->bytes);
	g_free(w);
}

/* 0, or an errno value. */
static int write_all(int fd, const uint8_t *data, size_t len, uint64_t offset)
{
	while (len) {
		ssize_t n = pwrite(fd, data, len, offset);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n ? errno : EIO;
		data += n;
		offset += n;
		len -= n;
	}
	return 0;
}

/* The next write, or NULL: then the job is over. */
static struct flash_write *next_write(struct flash_file *f)
{
	struct flash_write *w;

	g_mutex_lock(&f->lock);
	w = g_queue_pop_head(&f->writes);
	f->working = w != NULL;
	f->queued -= w ? g_bytes_get_size(w->bytes) : 0;
	g_mutex_unlock(&f->lock);
	return w;
}

static int flash_work(void *opaque)
{
	struct flash_file *f = opaque;
	struct flash_write *w;

	while ((w = next_write(f))) {
		gsize len;
		const uint8_t *data = g_bytes_get_data(w->bytes, &len);
		int err = write_all(f->fd, data, len, w->offset);

		if (err && !f->failed)
			error_report("Could not write %zu bytes at %" PRIu64
				     " of flash file '%s': %s",
				     len, w->offset, f->path, g_strerror(err));
		f->failed = err != 0;
		write_free(w);
	}
	return 0;
}

/* All that waits, and [*start, *end), as one range. Holds the lock. */
static void take_together(struct flash_file *f, uint64_t *start, uint64_t *end)
{
	struct flash_write *w;

	while ((w = g_queue_pop_head(&f->writes))) {
		*start = MIN(*start, w->offset);
		*end = MAX(*end, w->offset + g_bytes_get_size(w->bytes));
		write_free(w);
	}
	f->queued = 0;
}

static void flash_file_write(struct flash_store *s, const uint8_t *contents, uint64_t offset,
			     size_t len)
{
	struct flash_file *f = file_of(s);
	struct flash_write *w = g_new(struct flash_write, 1);
	uint64_t end = offset + len;
	bool was_working;

	g_mutex_lock(&f->lock);
	if (f->queued + len > s->size)
		take_together(f, &offset, &end);
	*w = (struct flash_write){offset, g_bytes_new(contents + offset, end - offset)};
	g_queue_push_tail(&f->writes, w);
	f->queued += end - offset;
	was_working = f->working;
	f->working = true;
	g_mutex_unlock(&f->lock);
	if (!was_working)
		worker_submit(loop_main(), flash_work, NULL, f);
}

static bool flash_file_read(struct flash_store *s, uint64_t offset, void *buf, size_t len,
			    GError **errp)
{
	struct flash_file *f = file_of(s);
	uint8_t *p = buf;

	while (len) {
		ssize_t n = pread(f->fd, p, len, offset);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0) {
			error_set_errno(errp, n ? errno : EIO, "Could not read flash file '%s'",
					f->path);
			return false;
		}
		p += n;
		offset += n;
		len -= n;
	}
	return true;
}

static void flash_file_close(struct flash_store *s)
{
	struct flash_file *f = file_of(s);

	worker_drain();
	close(f->fd);
	g_mutex_clear(&f->lock);
	g_free(f->path);
	g_free(f);
}

static const struct flash_store_ops flash_file_ops = {
	.read = flash_file_read,
	.write = flash_file_write,
	.close = flash_file_close,
};

/* Size and kind of what was opened; -1 with an error. */
static int64_t file_size(int fd, const char *path, GError **errp)
{
	struct stat st;

	if (fstat(fd, &st)) {
		error_set_errno(errp, errno, "Could not open '%s'", path);
		return -1;
	}
	if (!S_ISREG(st.st_mode)) {
		error_set(errp, "'%s' is no regular file", path);
		return -1;
	}
	return st.st_size;
}

struct flash_store *flash_file_open(const char *path, bool readonly, GError **errp)
{
	int fd = path_open(path, readonly ? O_RDONLY : O_RDWR, 0, errp);
	int64_t size = fd < 0 ? -1 : file_size(fd, path, errp);
	struct flash_file *f;

	if (size < 0) {
		if (fd >= 0)
			close(fd);
		return NULL;
	}
	f = g_new0(struct flash_file, 1);
	f->store = (struct flash_store){&flash_file_ops, size, readonly};
	f->path = g_strdup(path);
	f->fd = fd;
	g_mutex_init(&f->lock);
	return &f->store;
}
