/*
 * Preallocation: every page of a block gets its memory now, not when the guest first touches it.
 *
 * MADV_POPULATE_WRITE (Linux 5.14) does it and returns an error where a touch would be a SIGBUS. On
 * older kernels pages are touched through process_vm_readv() and process_vm_writev() on ourselves,
 * a byte a page read and written back: these too fail with EFAULT where a plain store would kill.
 */
#include <sys/mman.h>
#include <sys/uio.h>
#include <unistd.h>
#include "ram-map.h"

#ifndef MADV_POPULATE_READ
#define MADV_POPULATE_READ  22
#define MADV_POPULATE_WRITE 23
#endif

/* More threads than this only fight for the kernel's locks; less work than that is not worth one. */
#define MAX_THREADS     16
#define WORK_PER_THREAD (64 * MIB)

#define TOUCH_BATCH 512

struct prealloc {
	struct ram_block *ram;
	uint64_t start, len;
	int err;
	GThread *thread;
};

static int touch_batch(uint8_t *host, uint64_t page_size, unsigned count, bool readonly)
{
	struct iovec remote[TOUCH_BATCH];
	uint8_t bytes[TOUCH_BATCH];
	struct iovec local = {bytes, count};

	for (unsigned i = 0; i < count; i++)
		remote[i] = (struct iovec){host + i * page_size, 1};
	if (process_vm_readv(getpid(), &local, 1, remote, count, 0) != count)
		return errno ? errno : EFAULT;
	if (!readonly && process_vm_writev(getpid(), &local, 1, remote, count, 0) != count)
		return errno ? errno : EFAULT;
	return 0;
}

static int touch(struct ram_block *ram, uint64_t start, uint64_t len)
{
	int err = 0;

	errno = 0;
	while (len && !err) {
		uint64_t count = MIN(len / ram->page_size, TOUCH_BATCH);

		err = touch_batch(ram->host + start, ram->page_size, count, ram->readonly_file);
		start += count * ram->page_size;
		len -= count * ram->page_size;
	}
	return err;
}

static void *prealloc_run(void *opaque)
{
	struct prealloc *p = opaque;
	int advice = p->ram->readonly_file ? MADV_POPULATE_READ : MADV_POPULATE_WRITE;
	int ret;

	do {
		ret = madvise(p->ram->host + p->start, p->len, advice);
	} while (ret && errno == EINTR);
	if (ret)
		p->err = errno == EINVAL ? touch(p->ram, p->start, p->len) : errno;
	return NULL;
}

static unsigned thread_count(const struct ram_block *ram, unsigned wanted)
{
	uint64_t pages = ram->size / ram->page_size;
	uint64_t useful = DIV_ROUND_UP(ram->size, WORK_PER_THREAD);

	if (!wanted)
		wanted = MIN(MIN(g_get_num_processors(), MAX_THREADS), useful);
	return MIN(wanted, pages);
}

static int run_threads(struct ram_block *ram, unsigned count)
{
	g_autofree struct prealloc *work = g_new0(struct prealloc, count);
	uint64_t pages = ram->size / ram->page_size, done = 0;
	int err = 0;

	for (unsigned i = 0; i < count; i++) {
		uint64_t share = (pages - done) / (count - i);

		work[i].ram = ram;
		work[i].start = done * ram->page_size;
		work[i].len = share * ram->page_size;
		done += share;
		/* The last share is this thread's own; so is what no thread could be made for. */
		if (i + 1 < count)
			work[i].thread = g_thread_try_new("prealloc", prealloc_run, &work[i], NULL);
		if (!work[i].thread)
			prealloc_run(&work[i]);
	}
	for (unsigned i = 0; i < count; i++) {
		if (work[i].thread)
			g_thread_join(work[i].thread);
		if (!err)
			err = work[i].err;
	}
	return err;
}

bool ram_preallocate(struct ram_block *ram, unsigned threads, GError **errp)
{
	int err = run_threads(ram, thread_count(ram, threads));
	g_autofree char *size = ram_size_text(ram->size);

	if (!err)
		return true;
	if (err == EFAULT || err == ENOMEM)
		error_set(errp, "preallocating %s of guest memory '%s' failed: not enough free %s",
			  size, ram->name,
			  ram->page_size > RAM_PAGE_SIZE ? "huge pages" : "memory");
	else
		error_set_errno(errp, err, "preallocating %s of guest memory '%s' failed", size,
				ram->name);
	ram_hint_huge_pages(ram, errp);
	return false;
}
