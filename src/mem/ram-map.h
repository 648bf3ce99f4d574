/*
 * Getting host memory for a RAM block: the steps that ram_new() is made of.
 */
#ifndef MEM_RAM_MAP_H
#define MEM_RAM_MAP_H

#include "mem/ram.h"

/*
 * Opens or makes what backs the block, as @opt says, and sets ram->fd and ram->page_size. The size is
 * rounded up to whole pages.
 */
bool ram_open_backing(struct ram_block *ram, const struct ram_options *opt, GError **errp);

/* Maps it at a suitable alignment with a guard page behind; sets ram->host, map and map_size. */
bool ram_map(struct ram_block *ram, const struct ram_options *opt, GError **errp);

/* Binds it to host NUMA nodes. */
bool ram_bind(struct ram_block *ram, const struct ram_options *opt, GError **errp);

/* Makes the host find all pages now, with several threads. */
bool ram_preallocate(struct ram_block *ram, unsigned threads, GError **errp);

/* "2 MiB", "1 GiB", "4096 bytes": the largest unit that divides @size. */
char *ram_size_text(uint64_t size);

/* Adds how many huge pages the host has free to an error about a lack of them. */
void ram_hint_huge_pages(const struct ram_block *ram, GError **errp);

#endif
