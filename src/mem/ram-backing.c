/*
 * What backs a RAM block: nothing (anonymous memory), a memfd, a file, an unlinked file in a folder.
 */
#include <fcntl.h>
#include <linux/magic.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>
#include "base/checked.h"
#include "ram-map.h"

#ifndef MFD_HUGE_SHIFT
#define MFD_HUGE_SHIFT 26
#endif

char *ram_size_text(uint64_t size)
{
	static const struct {
		uint64_t unit;
		const char *name;
	} units[] = {{GIB << 10, "TiB"}, {GIB, "GiB"}, {MIB, "MiB"}, {KIB, "KiB"}};

	for (size_t i = 0; i < G_N_ELEMENTS(units); i++) {
		if (size && size % units[i].unit == 0)
			return g_strdup_printf("%" PRIu64 " %s", size / units[i].unit,
					       units[i].name);
	}
	return g_strdup_printf("%" PRIu64 " bytes", size);
}

void ram_hint_huge_pages(const struct ram_block *ram, GError **errp)
{
	g_autofree char *path = NULL, *text = NULL, *page = ram_size_text(ram->page_size);

	if (ram->page_size == RAM_PAGE_SIZE)
		return;
	path = g_strdup_printf("/sys/kernel/mm/hugepages/hugepages-%" PRIu64 "kB/free_hugepages",
			       ram->page_size >> 10);
	if (!g_file_get_contents(path, &text, NULL, NULL))
		return;
	error_add_hint(errp,
		       "%" PRIu64 " huge pages of %s are needed, the host has %s free; "
		       "see /proc/sys/vm/nr_hugepages",
		       ram->size / ram->page_size, page, g_strchomp(text));
}

static uint64_t fd_page_size(int fd)
{
	struct statfs fs;

	if (fstatfs(fd, &fs) == 0 && fs.f_type == HUGETLBFS_MAGIC)
		return fs.f_bsize;
	return RAM_PAGE_SIZE;
}

static bool resize(struct ram_block *ram, const char *what, GError **errp)
{
	uint64_t size;

	if (ADD_OVERFLOWS(ram->fd_offset, ram->size, &size) || size > INT64_MAX) {
		error_set(errp, "failed to resize %s for RAM block '%s': too large", what,
			  ram->name);
		return false;
	}
	if (ftruncate(ram->fd, size) == 0)
		return true;
	error_set_errno(errp, errno, "failed to resize %s to %" PRIu64, what, size);
	if (size % ram->page_size)
		error_add_hint(errp,
			       "The size must be a multiple of the page size, %" PRIu64 " bytes",
			       ram->page_size);
	return false;
}

static bool open_memfd(struct ram_block *ram, const struct ram_options *opt, GError **errp)
{
	unsigned flags = MFD_CLOEXEC | (opt->seal ? MFD_ALLOW_SEALING : 0);

	if (opt->hugetlb_size && !IS_POWER_OF_2(opt->hugetlb_size)) {
		error_set(errp, "Hugepage size must be a power of 2");
		return false;
	}
	if (opt->hugetlb) {
		flags |= MFD_HUGETLB;
		if (opt->hugetlb_size)
			flags |= (unsigned)__builtin_ctzll(opt->hugetlb_size) << MFD_HUGE_SHIFT;
	}
	ram->fd = memfd_create("memory-backend-memfd", flags);
	if (ram->fd < 0) {
		error_set_errno(errp, errno, "failed to create memfd");
		if (opt->hugetlb_size)
			error_add_hint(errp,
				       "/sys/kernel/mm/hugepages lists the huge page sizes this "
				       "host has; %" PRIu64 " KiB were asked for",
				       opt->hugetlb_size >> 10);
		return false;
	}
	ram->page_size = fd_page_size(ram->fd);
	if (!resize(ram, "memfd", errp))
		return false;
	if (opt->seal && fcntl(ram->fd, F_ADD_SEALS, F_SEAL_GROW | F_SEAL_SHRINK | F_SEAL_SEAL)) {
		error_set_errno(errp, errno, "failed to seal the memfd of '%s'", ram->name);
		return false;
	}
	return true;
}

/* A name in @folder that is gone again as soon as the file is open. */
static int open_unlinked(const char *folder, const char *name)
{
	g_autofree char *plain = g_strdelimit(g_strdup(name), "/", '_');
	g_autofree char *path = g_strdup_printf("%s/quail_mem.%s.XXXXXX", folder, plain);
	int fd = g_mkstemp_full(path, O_RDWR | O_CLOEXEC, 0600);

	if (fd >= 0)
		unlink(path);
	return fd;
}

/* Opens opt->path; *created says that there was no file of that name. */
static int open_file(const struct ram_block *ram, const struct ram_options *opt, bool *created)
{
	int fd = open(opt->path, (opt->readonly ? O_RDONLY : O_RDWR) | O_CLOEXEC);
	struct stat st;

	if (fd >= 0 && fstat(fd, &st) == 0 && S_ISDIR(st.st_mode)) {
		close(fd);
		errno = EISDIR;
		fd = -1;
	}
	if (fd < 0 && errno == EISDIR && !opt->readonly)
		return open_unlinked(opt->path, ram->name);
	if (fd < 0 && errno == ENOENT && !opt->readonly) {
		fd = open(opt->path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
		*created = fd >= 0;
	}
	return fd;
}

/* An empty file is extended; one with content must be large enough. */
static bool fit_file(struct ram_block *ram, GError **errp)
{
	struct stat st;

	ram->size = ROUND_UP(ram->size, ram->page_size);
	if (fstat(ram->fd, &st)) {
		error_set_errno(errp, errno, "can't stat backing store of '%s'", ram->name);
		return false;
	}
	if (!S_ISREG(st.st_mode))
		return true;
	if (!st.st_size && !ram->readonly_file)
		return resize(ram, "backing store", errp);
	if (range_fits(ram->fd_offset, ram->size, st.st_size))
		return true;
	error_set(errp, "backing store size 0x%" PRIx64 " does not match 'size' option 0x%" PRIx64,
		  (uint64_t)st.st_size, ram->size);
	return false;
}

static bool check_file_options(const struct ram_block *ram, const struct ram_options *opt,
			       GError **errp)
{
	if (ram->size < ram->page_size) {
		error_set(errp,
			  "memory size 0x%" PRIx64
			  " must be equal to or larger than page size 0x%" PRIx64,
			  ram->size, ram->page_size);
		return false;
	}
	if (opt->align % ram->page_size) {
		error_set(errp, "alignment 0x%" PRIx64 " must be multiples of page size 0x%" PRIx64,
			  opt->align, ram->page_size);
		return false;
	}
	if (opt->align && !IS_POWER_OF_2(opt->align)) {
		error_set(errp, "alignment 0x%" PRIx64 " must be a power of two", opt->align);
		return false;
	}
	if (opt->offset % ram->page_size) {
		error_set(errp, "offset 0x%" PRIx64 " must be multiples of page size 0x%" PRIx64,
			  opt->offset, ram->page_size);
		return false;
	}
	return true;
}

static bool open_path(struct ram_block *ram, const struct ram_options *opt, GError **errp)
{
	bool created = false;

	ram->fd = open_file(ram, opt, &created);
	if (ram->fd < 0) {
		error_set_errno(errp, errno, "can't open backing store %s for guest RAM",
				opt->path);
		return false;
	}
	ram->page_size = fd_page_size(ram->fd);
	if (check_file_options(ram, opt, errp) && fit_file(ram, errp))
		return true;
	if (created)
		unlink(opt->path);
	return false;
}

bool ram_open_backing(struct ram_block *ram, const struct ram_options *opt, GError **errp)
{
	ram->page_size = RAM_PAGE_SIZE;
	if (opt->path)
		return open_path(ram, opt, errp);
	ram->size = ROUND_UP(ram->size, RAM_PAGE_SIZE);
	return !opt->memfd || open_memfd(ram, opt, errp);
}
