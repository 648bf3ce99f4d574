/* The MultiProcessor table: what it says, and that it adds up. */
#include "abi/mptable.h"
#include "hw/mptable.h"

#define ADDR   0xf5a00
#define IOAPIC 0xfec00000

static uint8_t sum(const void *bytes, size_t size)
{
	uint8_t total = 0;

	for (size_t i = 0; i < size; i++)
		total += ((const uint8_t *)bytes)[i];
	return total;
}

static GByteArray *make(unsigned cpus)
{
	uint8_t ids[255];
	struct mp_machine m = {
		.apic_ids = ids,
		.cpus = cpus,
		.apic_version = 0x14,
		.ioapic_version = 0x20,
		.signature = 0x663,
		.features = 0x789,
		.ioapic = IOAPIC,
		.level_lines = 1 << 12,
	};

	for (unsigned i = 0; i < cpus; i++)
		ids[i] = i;
	return mp_table_new(&m, ADDR);
}

static const struct mp_header *header_of(const GByteArray *t)
{
	return (const struct mp_header *)(t->data + sizeof(struct mp_pointer));
}

static void test_sums(void)
{
	static const unsigned counts[] = {1, 2, 255};

	for (unsigned i = 0; i < G_N_ELEMENTS(counts); i++) {
		g_autoptr(GByteArray) t = make(counts[i]);
		const struct mp_pointer *p = (const struct mp_pointer *)t->data;
		const struct mp_header *h = header_of(t);

		g_assert_cmpmem(p->signature, 4, "_MP_", 4);
		g_assert_cmphex(p->table, ==, ADDR + sizeof(*p));
		g_assert_cmphex(sum(p, sizeof(*p)), ==, 0);
		g_assert_cmpmem(h->signature, 4, "PCMP", 4);
		g_assert_cmpuint(h->length + sizeof(*p), ==, t->len);
		g_assert_cmphex(sum(h, h->length), ==, 0);
		/* It ends before the top of the BIOS area, where kernels look for it. */
		g_assert_cmphex(ADDR + t->len, <=, 0x100000);
	}
}

/* Walks the entries as a kernel does: by type, which never falls. */
static void test_entries(void)
{
	static const uint8_t sizes[] = {20, 8, 8, 8, 8};
	g_autoptr(GByteArray) t = make(3);
	const struct mp_header *h = header_of(t);
	const uint8_t *p = (const uint8_t *)(h + 1), *end = (const uint8_t *)h + h->length;
	unsigned count[5] = {0}, last = 0;

	for (unsigned i = 0; i < h->entries; i++) {
		g_assert_true(p < end && *p < 5 && *p >= last);
		last = *p;
		count[last]++;
		p += sizes[last];
	}
	g_assert_true(p == end);
	g_assert_cmpuint(count[MP_PROCESSOR], ==, 3);
	g_assert_cmpuint(count[MP_BUS], ==, 1);
	g_assert_cmpuint(count[MP_IOAPIC], ==, 1);
	g_assert_cmpuint(count[MP_INTERRUPT], ==, 15);
	g_assert_cmpuint(count[MP_LOCAL_INTERRUPT], ==, 2);
}

static void test_lines(void)
{
	g_autoptr(GByteArray) t = make(1);
	const struct mp_processor *cpu = (const struct mp_processor *)(header_of(t) + 1);
	const struct mp_bus *bus = (const struct mp_bus *)(cpu + 1);
	const struct mp_ioapic *ioapic = (const struct mp_ioapic *)(bus + 1);
	const struct mp_interrupt *line = (const struct mp_interrupt *)(ioapic + 1);

	g_assert_cmphex(cpu->flags, ==, MP_CPU_ENABLED | MP_CPU_BOOT);
	g_assert_cmphex(cpu->signature, ==, 0x663);
	g_assert_cmphex(ioapic->address, ==, IOAPIC);
	for (unsigned i = 0; i < 15; i++) {
		unsigned n = i < 2 ? i : i + 1;

		g_assert_cmpuint(line[i].line, ==, n);
		g_assert_cmpuint(line[i].pin, ==, n ? n : 2);
		g_assert_cmphex(line[i].flags, ==, n == 12 ? MP_ACTIVE_HIGH | MP_LEVEL : 0);
	}
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/mptable/sums", test_sums);
	g_test_add_func("/mptable/entries", test_entries);
	g_test_add_func("/mptable/lines", test_lines);
	return g_test_run();
}
