/*
 * Resource descriptors (ACPI 6.4, 6.4). Small ones have type and length in their first byte, large
 * ones a type with bit 7 set and a length of two bytes, which does not count these three.
 */
#include "hw/acpi/aml.h"

#include <assert.h>
#include "base/checked.h"

enum {
	SMALL_IRQ = 0x22,
	SMALL_IO = 0x47,
	SMALL_END = 0x79,
	LARGE_MEMORY32_FIXED = 0x86,
	LARGE_DWORD_SPACE = 0x87,
	LARGE_WORD_SPACE = 0x88,
	LARGE_INTERRUPT = 0x89,
	LARGE_QWORD_SPACE = 0x8a,
};

enum { SPACE_MEMORY, SPACE_IO, SPACE_BUS };

#define IO_DECODE16        BIT(0)
#define INTERRUPT_CONSUMER BIT(0)
#define INTERRUPT_EDGE     BIT(1)
#define INTERRUPT_SHARED   BIT(3)
#define SPACE_MIN_FIXED    BIT(2)
#define SPACE_MAX_FIXED    BIT(3)
#define MEMORY_WRITABLE    BIT(0)
#define MEMORY_CACHEABLE   BIT(1)
#define IO_ENTIRE_RANGE    (BIT(0) | BIT(1))

struct aml *aml_io(uint16_t base, uint8_t align, uint8_t length)
{
	uint8_t d[8] = {SMALL_IO, IO_DECODE16};

	put_le16(d + 2, base);
	put_le16(d + 4, base);
	d[6] = align;
	d[7] = length;
	return aml_bytes(d, sizeof(d));
}

struct aml *aml_irq(unsigned irq)
{
	uint8_t d[3] = {SMALL_IRQ};

	assert(irq < 16);
	put_le16(d + 1, BIT(irq));
	return aml_bytes(d, sizeof(d));
}

static struct aml *memory32(uint32_t base, uint32_t length, uint8_t flags)
{
	uint8_t d[12] = {LARGE_MEMORY32_FIXED, sizeof(d) - 3, 0, flags};

	put_le32(d + 4, base);
	put_le32(d + 8, length);
	return aml_bytes(d, sizeof(d));
}

struct aml *aml_memory32(uint32_t base, uint32_t length)
{
	return memory32(base, length, 0);
}

struct aml *aml_registers(uint32_t base, uint32_t length)
{
	return memory32(base, length, MEMORY_WRITABLE);
}

static struct aml *interrupts(const uint32_t *gsi, unsigned count, uint8_t flags)
{
	uint8_t d[AML_INTERRUPTS_FIRST + 4 * AML_INTERRUPTS_MAX] = {LARGE_INTERRUPT};

	assert(count >= 1 && count <= AML_INTERRUPTS_MAX);
	put_le16(d + 1, 2 + 4 * count);
	d[3] = INTERRUPT_CONSUMER | flags;
	d[4] = count;
	for (unsigned i = 0; i < count; i++)
		put_le32(d + AML_INTERRUPTS_FIRST + 4 * i, gsi[i]);
	return aml_bytes(d, AML_INTERRUPTS_FIRST + 4 * count);
}

struct aml *aml_interrupts(const uint32_t *gsi, unsigned count)
{
	return interrupts(gsi, count, INTERRUPT_SHARED);
}

struct aml *aml_interrupt(uint32_t gsi, bool edge)
{
	return interrupts(&gsi, 1, edge ? INTERRUPT_EDGE : 0);
}

/* Granularity, first, last, translation and length, in numbers of @size bytes. */
static struct aml *address_space(uint8_t descriptor, unsigned size, uint8_t type, uint8_t flags,
				 uint64_t first, uint64_t last)
{
	uint8_t d[6 + 5 * 8] = {descriptor};

	assert(last >= first);
	put_le16(d + 1, 3 + 5 * size);
	d[3] = type;
	d[4] = SPACE_MIN_FIXED | SPACE_MAX_FIXED;
	d[5] = flags;
	put_le(d + 6 + size, size, first);
	put_le(d + 6 + 2 * size, size, last);
	put_le(d + 6 + 4 * size, size, last - first + 1);
	return aml_bytes(d, 6 + 5 * size);
}

struct aml *aml_bus_window(uint16_t first, uint16_t last)
{
	return address_space(LARGE_WORD_SPACE, 2, SPACE_BUS, 0, first, last);
}

struct aml *aml_io_window(uint16_t first, uint16_t last)
{
	return address_space(LARGE_WORD_SPACE, 2, SPACE_IO, IO_ENTIRE_RANGE, first, last);
}

struct aml *aml_memory_window(uint64_t first, uint64_t last, bool cacheable)
{
	uint8_t flags = MEMORY_WRITABLE | (cacheable ? MEMORY_CACHEABLE : 0);

	if (last <= UINT32_MAX)
		return address_space(LARGE_DWORD_SPACE, 4, SPACE_MEMORY, flags, first, last);
	return address_space(LARGE_QWORD_SPACE, 8, SPACE_MEMORY, flags, first, last);
}

/* The end tag's checksum of 0 means that there is none. */
struct aml *aml_resources_of(struct aml *descriptors)
{
	static const uint8_t end[] = {SMALL_END, 0};

	aml_add(descriptors, aml_bytes(end, sizeof(end)));
	return aml_buffer(descriptors);
}
