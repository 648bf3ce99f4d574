/*
 * Kernel and initrd files: regular ones stay open and are read where they are needed, others (a pipe,
 * a device) are read once and kept.
 *
 * Nothing is mapped: a file that somebody shortens while the guest runs is then a short read, which can
 * be reported, and not a signal.
 */
#include "internal.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

/* Of what is no regular file more than this is a mistake, such as /dev/zero. */
#define STREAM_MAX (2 * GIB)

static ssize_t read_some(int fd, void *buf, size_t len, uint64_t offset, bool seekable)
{
	ssize_t n;

	do {
		n = seekable ? pread(fd, buf, len, offset) : read(fd, buf, len);
	} while (n < 0 && errno == EINTR);
	return n;
}

static bool read_stream(struct boot_file *file, GError **errp)
{
	g_autoptr(GByteArray) all = g_byte_array_new();
	g_autofree uint8_t *chunk = g_malloc(64 * KIB);
	ssize_t n;

	while ((n = read_some(file->fd, chunk, 64 * KIB, 0, false)) > 0) {
		if (all->len + n > STREAM_MAX) {
			error_set(errp,
				  "could not load %s '%s': it is larger than %" PRIu64 " bytes",
				  file->what, file->name, STREAM_MAX);
			return false;
		}
		g_byte_array_append(all, chunk, n);
	}
	if (n < 0) {
		error_set_errno(errp, errno, "could not load %s '%s'", file->what, file->name);
		return false;
	}
	file->size = all->len;
	file->bytes = g_byte_array_free_to_bytes(g_steal_pointer(&all));
	close(file->fd);
	file->fd = -1;
	return true;
}

struct boot_file *boot_file_open(const char *what, const char *name, GError **errp)
{
	g_autoptr(boot_file) file = g_new0(struct boot_file, 1);
	struct stat st;

	file->refs = 1;
	file->what = what;
	file->name = g_strdup(name);
	file->fd = open(name, O_RDONLY | O_CLOEXEC);
	if (file->fd < 0 || fstat(file->fd, &st) < 0) {
		error_set_errno(errp, errno, "could not open %s file '%s'", what, name);
		return NULL;
	}
	if (S_ISREG(st.st_mode))
		file->size = st.st_size;
	else if (!read_stream(file, errp))
		return NULL;
	return g_steal_pointer(&file);
}

struct boot_file *boot_file_ref(struct boot_file *file)
{
	file->refs++;
	return file;
}

void boot_file_unref(struct boot_file *file)
{
	if (!file || --file->refs)
		return;
	if (file->fd >= 0)
		close(file->fd);
	g_clear_pointer(&file->bytes, g_bytes_unref);
	g_free(file->name);
	g_free(file);
}

static bool too_short(const struct boot_file *file, uint64_t offset, size_t len, uint64_t size,
		      GError **errp)
{
	error_set(errp,
		  "could not load %s '%s': it is truncated: %zu bytes wanted at offset %" PRIu64
		  ", the file has %" PRIu64,
		  file->what, file->name, len, offset, size);
	return false;
}

bool boot_file_read(const struct boot_file *file, uint64_t offset, void *buf, size_t len,
		    GError **errp)
{
	size_t done = 0;

	if (!range_fits(offset, len, file->size))
		return too_short(file, offset, len, file->size, errp);
	if (!len)
		return true;
	if (file->bytes) {
		memcpy(buf, (const uint8_t *)g_bytes_get_data(file->bytes, NULL) + offset, len);
		return true;
	}
	while (done < len) {
		ssize_t n =
			read_some(file->fd, (char *)buf + done, len - done, offset + done, true);

		if (n < 0) {
			error_set_errno(errp, errno, "could not load %s '%s'", file->what,
					file->name);
			return false;
		}
		if (!n)
			return too_short(file, offset, len, offset + done, errp);
		done += n;
	}
	return true;
}
