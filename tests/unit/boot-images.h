/*
 * For the tests of the kernel loaders: files that only exist in memory, and plans looked into.
 */
#ifndef TESTS_BOOT_IMAGES_H
#define TESTS_BOOT_IMAGES_H

#include "cpu/x86.h"
#include "hw/boot.h"

#define RSDP 0xf5000 /* what every request says */

struct image {
	int fd;
	char *name; /* to open it by */
};
struct image image_new(const void *bytes, size_t size);
void image_clear(struct image *image);
typedef struct image image; /* for g_auto(image) only */
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(image, image_clear)

/* A PC with so much RAM, its last 64 KiB below 4 GiB full of ACPI tables. */
struct e820_table map_of(uint64_t below_4g, uint64_t above_4g);

/* Any outcome; a plan that is as all plans must be; a failure with one line that has @text in it. */
struct boot_plan *plan_of(const char *kernel, const char *initrd, const char *append,
			  const struct e820_table *map, GError **errp);
struct boot_plan *good_plan(const char *kernel, const char *initrd, const char *append,
			    const struct e820_table *map);
void bad_plan(const char *kernel, const char *initrd, const char *append,
	      const struct e820_table *map, const char *text);

/* Planned memory as the guest will find it. */
const struct boot_segment *segment_at(const struct boot_plan *plan, uint64_t addr);
void plan_read(const struct boot_plan *plan, uint64_t addr, void *buf, size_t len);
void check_text(const struct boot_plan *plan, uint64_t addr, const char *text);

/* The boot CPU as it starts: from the state after reset (caller frees). */
struct x86_state *state_of(const struct boot_plan *plan);
void check_flat(const struct x86_state *s, bool is_long);

#endif
