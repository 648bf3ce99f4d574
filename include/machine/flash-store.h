/*
 * What keeps the contents of a flash chip.
 *
 * A chip reads its store once when it is realized, and from then on tells it what the guest programs
 * or erases. The board makes the store and gives it to the chip, which owns it from then on.
 */
#ifndef MACHINE_FLASH_STORE_H
#define MACHINE_FLASH_STORE_H

#include "base/common.h"
#include "base/error.h"

struct flash_store;

struct flash_store_ops {
	bool (*read)(struct flash_store *s, uint64_t offset, void *buf, size_t len, GError **errp);
	/*
	 * [offset, offset + len) of the chip's @contents changed, which may go on changing after the return.
	 * Changes become permanent in the order of the calls, unless there are so many of them in too
	 * short a time that they have to be taken together.
	 */
	void (*write)(struct flash_store *s, const uint8_t *contents, uint64_t offset, size_t len);
	/* Waits for what was written; frees. */
	void (*close)(struct flash_store *s);
};

struct flash_store {
	const struct flash_store_ops *ops;
	uint64_t size;
	bool readonly; /* write is not called */
};

/* A raw image. What was written is in the file when the process ends, however it is told to. */
struct flash_store *flash_file_open(const char *path, bool readonly, GError **errp);

#endif
