/*
 * Mapping a RAM block: address space is reserved first, so that the start can be aligned and a guard
 * page follows the end. Nothing here touches a page of it.
 */
#include <linux/mempolicy.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>
#include "ram-map.h"

/* What the host's page tables map in one piece where they can. */
#define LARGE_PAGE_SIZE (2 * MIB)

static uint64_t map_alignment(const struct ram_block *ram, const struct ram_options *opt)
{
	uint64_t align = MAX(ram->page_size, opt->align);

	return ram->size >= LARGE_PAGE_SIZE ? MAX(align, LARGE_PAGE_SIZE) : align;
}

static bool map_fails(const struct ram_block *ram, GError **errp)
{
	g_autofree char *size = ram_size_text(ram->size);
	int err = errno;

	if (ram->fd >= 0)
		error_set_errno(errp, err, "unable to map backing store for guest RAM '%s' of %s",
				ram->name, size);
	else
		error_set_errno(errp, err, "cannot set up guest memory '%s' of %s", ram->name,
				size);
	ram_hint_huge_pages(ram, errp);
	return false;
}

/* Keeps [host, host + size) and the page behind it of what was reserved. */
static void trim(uint8_t *reserved, uint64_t reserved_size, struct ram_block *ram)
{
	uint8_t *end = ram->host + ram->size + ram->page_size;

	if (ram->host > reserved)
		munmap(reserved, ram->host - reserved);
	if (end < reserved + reserved_size)
		munmap(end, reserved + reserved_size - end);
	ram->map = ram->host;
	ram->map_size = ram->size + ram->page_size;
}

static void *map_block(struct ram_block *ram, const struct ram_options *opt)
{
	int prot = PROT_READ | (ram->readonly_file ? 0 : PROT_WRITE);
	int flags = MAP_FIXED | (ram->fd < 0 ? MAP_ANONYMOUS : 0) |
		    (opt->no_reserve ? MAP_NORESERVE : 0);
	void *host = MAP_FAILED;

	/* Persistent memory wants the file system's promise; one that gives none is used as it is. */
	if (opt->pmem && ram->shared)
		host = mmap(ram->host, ram->size, prot, flags | MAP_SHARED_VALIDATE | MAP_SYNC,
			    ram->fd, ram->fd_offset);
	if (host == MAP_FAILED)
		host = mmap(ram->host, ram->size, prot,
			    flags | (ram->shared ? MAP_SHARED : MAP_PRIVATE), ram->fd,
			    ram->fd_offset);
	return host;
}

bool ram_map(struct ram_block *ram, const struct ram_options *opt, GError **errp)
{
	uint64_t align = map_alignment(ram, opt);
	uint64_t size = ram->size + ram->page_size + align;
	uint8_t *reserved;

	if (align > RAM_SIZE_MAX) {
		errno = ENOMEM;
		return map_fails(ram, errp);
	}
	reserved = mmap(NULL, size, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (reserved == MAP_FAILED)
		return map_fails(ram, errp);
	ram->host = (uint8_t *)ROUND_UP((uintptr_t)reserved, align);
	if (map_block(ram, opt) == MAP_FAILED) {
		map_fails(ram, errp);
		munmap(reserved, size);
		ram->host = NULL;
		return false;
	}
	trim(reserved, size, ram);
	return true;
}

bool ram_bind(struct ram_block *ram, const struct ram_options *opt, GError **errp)
{
	if (opt->policy == MPOL_DEFAULT && !opt->host_nodes)
		return true;
	/* The kernel looks at one bit less than it is told. */
	if (syscall(SYS_mbind, ram->host, ram->size, opt->policy, opt->host_nodes,
		    opt->host_nodes ? opt->host_node_bits + 1 : 0,
		    MPOL_MF_STRICT | MPOL_MF_MOVE) == 0)
		return true;
	/* A kernel without NUMA has one node, to which everything is bound. */
	if (errno == ENOSYS && opt->policy == MPOL_DEFAULT)
		return true;
	error_set_errno(errp, errno, "cannot bind memory to host NUMA nodes");
	return false;
}
