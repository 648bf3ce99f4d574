/*
 * The memory map: ranges that override what was said before.
 */
#include "hw/e820.h"

#define EBDA_START  0x9fc00 /* extended BIOS data area: the last KiB below 640 KiB */
#define VIDEO_START 0xa0000
#define BIOS_START  0xf0000
#define KVM_START   0xfeffc000 /* identity map page and TSS that KVM needs on Intel CPUs */
#define KVM_SIZE    0x4000
#define FLASH_START 0xfffc0000
#define FLASH_SIZE  0x40000

static void append(struct e820_table *t, uint64_t start, uint64_t end, enum e820_type type)
{
	struct e820_range *last = t->count ? &t->range[t->count - 1] : NULL;

	if (start >= end)
		return;
	if (last && last->type == type && last->start + last->size == start) {
		last->size += end - start;
		return;
	}
	g_assert(t->count < E820_MAX);
	t->range[t->count++] = (struct e820_range){start, end - start, type};
}

/* What is left of the old ranges around the new one, in order. */
void e820_set(struct e820_table *t, uint64_t start, uint64_t size, enum e820_type type)
{
	const struct e820_table old = *t;
	uint64_t end = start + size;
	bool done = false;

	g_assert(end >= start);
	if (!size)
		return;
	t->count = 0;
	for (unsigned i = 0; i < old.count; i++) {
		const struct e820_range *r = &old.range[i];

		append(t, r->start, MIN(r->start + r->size, start), r->type);
		if (!done && r->start + r->size > start) {
			if (type)
				append(t, start, end, type);
			done = true;
		}
		append(t, MAX(r->start, end), r->start + r->size, r->type);
	}
	if (!done && type)
		append(t, start, end, type);
}

void e820_add_board(struct e820_table *t, uint64_t below_4g, uint64_t above_4g)
{
	e820_set(t, 0, below_4g, E820_RAM);
	e820_set(t, 4 * GIB, above_4g, E820_RAM);
	e820_set(t, KVM_START, KVM_SIZE, E820_RESERVED);
}

void e820_add_firmware(struct e820_table *t)
{
	e820_set(t, VIDEO_START, BIOS_START - VIDEO_START, 0);
	e820_set(t, EBDA_START, VIDEO_START - EBDA_START, E820_RESERVED);
	e820_set(t, BIOS_START, MIB - BIOS_START, E820_RESERVED);
	e820_set(t, FLASH_START, FLASH_SIZE, E820_RESERVED);
}

uint64_t e820_ram_end(const struct e820_table *t, uint64_t start)
{
	for (unsigned i = 0; i < t->count; i++) {
		const struct e820_range *r = &t->range[i];

		if (r->type == E820_RAM && start >= r->start && start - r->start < r->size)
			return r->start + r->size;
	}
	return 0;
}

bool e820_is_ram(const struct e820_table *t, uint64_t start, uint64_t size)
{
	uint64_t end = e820_ram_end(t, start);

	return end && size <= end - start;
}
