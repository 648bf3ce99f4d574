/*
 * Giving pages back to the host, and taking them from guests.
 *
 * Memory in a file of its own (memfd, hugetlbfs) is freed by a hole in the file, for all who map it. Private
 * memory is freed by forgetting our pages; where it lies over somebody's file, that file's contents show again.
 */
#include <fcntl.h>
#include <sys/mman.h>
#include "base/checked.h"
#include "mem/ram.h"

bool ram_discard(struct ram_block *ram, uint64_t offset, uint64_t len)
{
	int ret;

	if (!len || len % ram->page_size || offset % ram->page_size ||
	    !range_fits(offset, len, ram->size) || ram->readonly_file) {
		errno = EINVAL;
		return false;
	}
	if (ram->shared && ram->fd >= 0)
		ret = fallocate(ram->fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
				ram->fd_offset + offset, len);
	else
		ret = madvise(ram->host + offset, len, ram->shared ? MADV_REMOVE : MADV_DONTNEED);
	dirty_mark(ram, offset, len);
	return !ret;
}

/* Any change of protection has the kernel tell KVM. One that only adds a right disturbs nobody. */
void ram_unmap_from_guests(struct ram_block *ram, uint64_t offset)
{
	uint8_t *page = ram->host + (offset & ~(ram->page_size - 1));

	if (ram->readonly_file)
		return;
	mprotect(page, ram->page_size, PROT_READ | PROT_WRITE | PROT_EXEC);
	mprotect(page, ram->page_size, PROT_READ | PROT_WRITE);
}
