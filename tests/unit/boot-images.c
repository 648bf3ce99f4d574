/*
 * See boot-images.h.
 */
#include "boot-images.h"

#include "base/checked.h"

#include <sys/mman.h>
#include <unistd.h>

/* ---- Files that only exist here ---- */

struct image image_new(const void *bytes, size_t size)
{
	struct image image = {.fd = memfd_create("image", MFD_CLOEXEC)};

	g_assert_cmpint(write(image.fd, bytes, size), ==, size);
	image.name = g_strdup_printf("/proc/self/fd/%d", image.fd);
	return image;
}

void image_clear(struct image *image)
{
	close(image->fd);
	g_free(image->name);
}
/* A PC with so much RAM, its last 64 KiB below 4 GiB full of ACPI tables. */
struct e820_table map_of(uint64_t below_4g, uint64_t above_4g)
{
	struct e820_table map = {0};

	e820_add_board(&map, below_4g, above_4g);
	e820_add_firmware(&map);
	e820_set(&map, below_4g - 64 * KIB, 64 * KIB, E820_ACPI);
	return map;
}

struct boot_plan *plan_of(const char *kernel, const char *initrd, const char *append,
			  const struct e820_table *map, GError **errp)
{
	const struct boot_request req = {
		.kernel = kernel,
		.initrd = initrd,
		.append = append,
		.map = map,
		.rsdp = RSDP,
	};

	return boot_plan_new(&req, errp);
}

/* What every plan must be, whatever it was made from. */
static void check_plan(const struct boot_plan *plan, const struct e820_table *map)
{
	uint8_t byte;
	size_t count;
	const struct boot_segment *seg = boot_plan_segments(plan, &count);

	g_assert_cmpuint(count, >, 0);
	for (size_t i = 0; i < count; i++) {
		g_assert_cmpuint(seg[i].size, >, 0);
		g_assert_true(e820_is_ram(map, seg[i].addr, seg[i].size));
		if (i)
			g_assert_cmphex(seg[i - 1].addr + seg[i - 1].size, <=, seg[i].addr);
		if (seg[i].source == BOOT_BYTES)
			g_assert_cmpuint(g_bytes_get_size(seg[i].bytes), ==, seg[i].size);
		if (seg[i].source == BOOT_FILE)
			g_assert_true(boot_segment_read(&seg[i], seg[i].size - 1, &byte, 1, NULL));
	}
}

struct boot_plan *good_plan(const char *kernel, const char *initrd, const char *append,
			    const struct e820_table *map)
{
	g_autoptr(GError) err = NULL;
	struct boot_plan *plan = plan_of(kernel, initrd, append, map, &err);

	g_assert_no_error(err);
	check_plan(plan, map);
	return plan;
}

/* Fails with one line that has @text in it. */
void bad_plan(const char *kernel, const char *initrd, const char *append,
	      const struct e820_table *map, const char *text)
{
	g_autoptr(GError) err = NULL;

	g_assert_null(plan_of(kernel, initrd, append, map, &err));
	g_assert_nonnull(err);
	g_assert_null(strchr(err->message, '\n'));
	if (!strstr(err->message, text))
		g_error("'%s' is not in '%s'", text, err->message);
}

const struct boot_segment *segment_at(const struct boot_plan *plan, uint64_t addr)
{
	size_t count;
	const struct boot_segment *seg = boot_plan_segments(plan, &count);

	for (size_t i = 0; i < count; i++) {
		if (addr >= seg[i].addr && addr - seg[i].addr < seg[i].size)
			return &seg[i];
	}
	g_error("nothing at 0x%" PRIx64, addr);
}

/* Planned memory as the guest will find it. */
void plan_read(const struct boot_plan *plan, uint64_t addr, void *buf, size_t len)
{
	const struct boot_segment *seg = segment_at(plan, addr);
	uint64_t at = addr - seg->addr;

	g_assert_true(range_fits(at, len, seg->size));
	if (seg->source == BOOT_BYTES)
		memcpy(buf, (const char *)g_bytes_get_data(seg->bytes, NULL) + at, len);
	else if (seg->source == BOOT_FILE)
		g_assert_true(boot_segment_read(seg, at, buf, len, NULL));
	else
		memset(buf, 0, len);
}

void check_text(const struct boot_plan *plan, uint64_t addr, const char *text)
{
	g_autofree char *got = g_malloc(strlen(text) + 1);

	plan_read(plan, addr, got, strlen(text) + 1);
	g_assert_cmpstr(got, ==, text);
}

void check_flat(const struct x86_state *s, bool is_long)
{
	for (unsigned i = S_ES; i <= S_GS; i++) {
		g_assert_cmphex(s->seg[i].base, ==, 0);
		g_assert_cmphex(s->seg[i].limit, ==, 0xffffffff);
		g_assert_cmphex(s->seg[i].selector, ==, i == S_CS ? 0x10 : 0x18);
		g_assert_cmphex(s->seg[i].attr, ==, i != S_CS ? 0xc093 : is_long ? 0xa09b : 0xc09b);
	}
	g_assert_cmphex(s->rflags, ==, 2);
	g_assert_cmphex(s->cr0, ==, is_long ? 0x80000011 : 0x11);
	g_assert_cmphex(s->cr4, ==, is_long ? 0x20 : 0);
	g_assert_cmphex(s->efer, ==, is_long ? 0x500 : 0);
}

/* The boot CPU as it starts: from the state after reset. */
struct x86_state *state_of(const struct boot_plan *plan)
{
	struct x86_state *s = g_new0(struct x86_state, 1);

	x86_state_reset(s, true, 0x663);
	boot_plan_set_cpu(plan, true, s);
	g_assert_cmpint(segment_at(plan, s->gpr[R_SP] - 1)->source, ==, BOOT_FREE);
	return s;
}
