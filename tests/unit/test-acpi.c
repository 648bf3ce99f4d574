/* AML against bytes assembled by hand from ACPI 6.4, chapter 20; tables by their own arithmetic. */
#include "abi/acpi.h"
#include "base/checked.h"
#include "hw/acpi.h"
#include "hw/acpi/aml.h"

/* @hex: digits, blanks between them as one likes. */
static void check(struct aml *term, const char *hex)
{
	g_autoptr(GByteArray) bytes = aml_finish(term);
	g_autoptr(GString) got = g_string_new(NULL);
	g_autoptr(GString) want = g_string_new(NULL);

	for (unsigned i = 0; i < bytes->len; i++)
		g_string_append_printf(got, "%02x", bytes->data[i]);
	for (; *hex; hex++)
		if (*hex != ' ')
			g_string_append_c(want, *hex);
	g_assert_cmpstr(got->str, ==, want->str);
}

static void test_integers(void)
{
	check(aml_int(0), "00");
	check(aml_int(1), "01");
	check(aml_int(2), "0a 02");
	check(aml_int(0xff), "0a ff");
	check(aml_int(0x100), "0b 0001");
	check(aml_int(0xffff), "0b ffff");
	check(aml_int(0x10000), "0c 00000100");
	check(aml_int(0xffffffff), "0c ffffffff");
	check(aml_int(0x100000000), "0e 0000000001000000");
	check(aml_int(UINT64_MAX - 1), "0e feffffffffffffff");
	check(aml_int(UINT64_MAX), "ff");
}

static void test_data(void)
{
	check(aml_string(""), "0d 00");
	check(aml_string("QEMU"), "0d 51454d55 00");
	check(aml_eisaid("PNP0A03"), "0c 41d00a03");
	check(aml_eisaid("PNP0C0F"), "0c 41d00c0f");
	check(aml_local(0), "60");
	check(aml_local(7), "67");
	check(aml_arg(0), "68");
	check(aml_arg(6), "6e");
	check(aml_buffer(aml_bytes("\x01\x02", 2)), "11 05 0a02 0102");
	check(aml_package(), "12 02 00");
	check(aml_package(aml_int(0), aml_list(aml_int(1), aml_int(5)), aml_path("X")),
	      "12 0a 04 00 01 0a05 585f5f5f");
}

static void test_names(void)
{
	check(aml_path(""), "00");
	check(aml_path("\\"), "5c 00");
	check(aml_path("_SB"), "5f53425f");
	check(aml_path("LNKA"), "4c4e4b41");
	check(aml_path("^^X1"), "5e 5e 58315f5f");
	check(aml_path("\\_SB.PCI0"), "5c 2e 5f53425f 50434930");
	check(aml_path("A.B.C"), "2f 03 415f5f5f 425f5f5f 435f5f5f");
}

/* A scope whose name and @bytes of content follow the PkgLength. */
static void check_length(unsigned bytes, const char *length)
{
	g_autofree uint8_t *filler = g_malloc0(bytes);
	g_autoptr(GByteArray) scope = aml_finish(aml_scope("X", aml_bytes(filler, bytes)));
	g_autofree char *start = NULL;
	size_t size = strlen(length) / 2;
	GString *hex = g_string_new(NULL);

	for (size_t i = 1; i <= size; i++)
		g_string_append_printf(hex, "%02x", scope->data[i]);
	start = g_string_free(hex, false);
	g_assert_cmpstr(start, ==, length);
	g_assert_cmpuint(scope->len, ==, 1 + size + 4 + bytes);
	g_assert_cmpint(memcmp(scope->data + 1 + size, "X___", 4), ==, 0);
}

static void test_lengths(void)
{
	check_length(0, "05");
	check_length(0x3f - 1 - 4, "3f");
	check_length(0x40 - 1 - 4, "4104"); /* 0x41: the second byte counts too */
	check_length(0xfff - 2 - 4, "4fff");
	check_length(0x1000 - 2 - 4, "810001"); /* 0x1001 */
	check_length(0xfffff - 3 - 4, "8fffff");
	check_length(0x100000 - 3 - 4, "c1000001"); /* 0x100001 */
}

static void test_objects(void)
{
	static const struct aml_unit units[] = {{"AB", 8}, {NULL, 56}, {"CD", 64}, {}};

	check(aml_name("_ADR", aml_int(0x10000)), "08 5f414452 0c 00000100");
	check(aml_device("DEV", aml_name("_UID", aml_int(0))), "5b82 0b 4445565f 08 5f554944 00");
	check(aml_scope("\\_SB"), "10 06 5c 5f53425f");
	check(aml_processor("C001", 1), "5b83 0b 43303031 01 00000000 00");
	check(aml_method("_DIS", 0), "14 06 5f444953 00");
	check(aml_method("_SRS", 1), "14 06 5f535253 01");
	check(aml_method_serialized("_SRS", 1), "14 06 5f535253 09");
	check(aml_region("REG", AML_SPACE_IO, 0x510, 12), "5b80 5245475f 01 0b1005 0a0c");
	check(aml_region("REG", AML_SPACE_PCI_CONFIG, 0x60, 4), "5b80 5245475f 02 0a60 0a04");
	check(aml_field("REG", AML_ACCESS_DWORD | AML_LOCK, units),
	      "5b81 13 5245475f 13 41425f5f 08 00 38 43445f5f 4004");
}

static void test_code(void)
{
	check(aml_return(aml_int(0)), "a4 00");
	check(aml_store(aml_arg(0), aml_path("X")), "70 68 585f5f5f");
	check(aml_or(aml_local(0), aml_int(128), aml_local(1)), "7d 60 0a80 61");
	check(aml_if(aml_and(aml_arg(0), aml_int(128), aml_path("")), aml_return(aml_int(9))),
	      "a0 09 7b 68 0a80 00 a4 0a09");
	check(aml_if(aml_lless(aml_arg(0), aml_int(3))), "a0 05 95 68 0a03");
	check(aml_call("F", aml_int(1), aml_local(2)), "465f5f5f 01 62");
	check(aml_create_dword_field(aml_arg(0), aml_int(5), aml_path("X")), "8a 68 0a05 585f5f5f");
}

static void test_resources(void)
{
	static const uint32_t gsi[] = {5, 0x10a};

	check(aml_io(0x3f8, 1, 8), "47 01 f803 f803 01 08");
	check(aml_irq(12), "22 0010");
	check(aml_memory32(0xfed00000, 0x400), "86 0900 00 0000d0fe 00040000");
	check(aml_interrupts(gsi, 2), "89 0a00 09 02 05000000 0a010000");
	check(aml_bus_window(0, 0xff), "88 0d00 02 0c 00 0000 0000 ff00 0000 0001");
	check(aml_io_window(0xd00, 0xffff), "88 0d00 01 0c 03 0000 000d ffff 0000 00f3");
	check(aml_memory_window(0xa0000, 0xbffff, true),
	      "87 1700 00 0c 03 00000000 00000a00 ffff0b00 00000000 00000200");
	check(aml_memory_window(0x100000000, 0x17fffffff, false),
	      "8a 2b00 00 0c 01 0000000000000000 0000000001000000 ffffff7f01000000"
	      " 0000000000000000 0000008000000000");
	check(aml_resources(aml_irq(4)), "11 08 0a05 22 1000 79 00");
	check(aml_resources(), "11 05 0a02 79 00");
}

static const struct acpi_cpu cpus[] = {{0, true}, {1, false}};
static const struct acpi_machine machine = {
	.cpus = cpus,
	.cpu_count = 2,
	.ioapic = 0xfec00000,
	.pm_base = 0x600,
	.sci = 9,
};

static uint8_t sum(const uint8_t *bytes, size_t size)
{
	uint8_t total = 0;

	while (size--)
		total += *bytes++;
	return total;
}

#define TABLES_AT 0x7fe0000
#define RSDP_AT   0xf5a40

static const uint8_t *table_at(const struct acpi_tables *t, uint64_t address)
{
	GByteArray *piece = t->piece[ACPI_TABLES];
	const struct acpi_header *h;

	g_assert_cmpuint(address, >=, TABLES_AT);
	g_assert(range_fits(address - TABLES_AT, sizeof(*h), piece->len));
	h = (const struct acpi_header *)(piece->data + (address - TABLES_AT));
	g_assert(range_fits(address - TABLES_AT, h->length, piece->len));
	return (const uint8_t *)h;
}

/* @signatures one after the other, as listed by a directory of pointers of @width bytes. */
static void check_directory(const struct acpi_tables *t, uint64_t address, unsigned width,
			    const char *signatures)
{
	const uint8_t *table = table_at(t, address);
	unsigned length = get_le32(table + 4);

	g_assert_cmpuint(length, ==, sizeof(struct acpi_header) + strlen(signatures) / 4 * width);
	g_assert_cmpuint(sum(table, length), ==, 0);
	for (unsigned at = sizeof(struct acpi_header); at < length; at += width, signatures += 4) {
		const uint8_t *listed = table_at(t, get_le(table + at, width));

		g_assert_cmpint(memcmp(listed, signatures, 4), ==, 0);
		g_assert_cmpuint(sum(listed, get_le32(listed + 4)), ==, 0);
	}
}

static void test_place(void)
{
	g_autoptr(acpi_tables) t = acpi_tables_new(&machine);
	const struct acpi_rsdp *rsdp = (struct acpi_rsdp *)t->piece[ACPI_RSDP]->data;
	const struct acpi_fadt *fadt;

	g_assert_true(acpi_tables_place(t, TABLES_AT, RSDP_AT, NULL));
	g_assert_cmpint(memcmp(rsdp->signature, "RSD PTR ", 8), ==, 0);
	g_assert_cmpuint(rsdp->revision, ==, 2);
	g_assert_cmpuint(sum((uint8_t *)rsdp, 20), ==, 0);
	g_assert_cmpuint(sum((uint8_t *)rsdp, rsdp->length), ==, 0);
	check_directory(t, rsdp->rsdt, 4, "FACPAPICWAET");
	check_directory(t, rsdp->xsdt, 8, "FACPAPICWAET");

	fadt = (struct acpi_fadt *)table_at(t, get_le32(table_at(t, rsdp->rsdt) + 36));
	g_assert_cmpuint(fadt->facs % ACPI_FACS_ALIGN, ==, 0);
	g_assert_cmpint(memcmp(table_at(t, fadt->facs), "FACS", 4), ==, 0);
	g_assert_cmpint(memcmp(table_at(t, fadt->dsdt), "DSDT", 4), ==, 0);
	g_assert_cmpuint(sum(table_at(t, fadt->dsdt), get_le32(table_at(t, fadt->dsdt) + 4)), ==,
			 0);
	g_assert_cmpuint(fadt->pm1a_evt, ==, 0x600);
	g_assert_cmpuint(fadt->pm1a_cnt, ==, 0x604);
	g_assert_cmpuint(fadt->pm_timer, ==, 0x608);
	g_assert_cmpuint(fadt->flags & ACPI_FADT_APIC_CLUSTER, ==, 0);
}

/* What firmware is told adds up to the same as what we do ourselves. */
static void test_records(void)
{
	g_autoptr(acpi_tables) t = acpi_tables_new(&machine);

	for (unsigned i = 0; i < t->pointers->len; i++) {
		struct acpi_pointer *p = &g_array_index(t->pointers, struct acpi_pointer, i);

		g_assert(range_fits(p->offset, p->size, t->piece[p->in]->len));
		g_assert_cmpuint(get_le(t->piece[p->in]->data + p->offset, p->size), <,
				 t->piece[p->to]->len);
	}
	for (unsigned i = 0; i < t->checksums->len; i++) {
		struct acpi_checksum *c = &g_array_index(t->checksums, struct acpi_checksum, i);

		g_assert(range_fits(c->start, c->length, t->piece[c->in]->len));
		g_assert_cmpuint(c->offset - c->start, <, c->length);
		g_assert_cmpuint(t->piece[c->in]->data[c->offset], ==, 0);
	}
	/* FADT to FACS and DSDT, two directories of three, RSDP to both; two sums in the RSDP */
	g_assert_cmpuint(t->pointers->len, ==, 2 + 3 + 3 + 2);
	g_assert_cmpuint(t->checksums->len, ==, 6 + 2);
}

static void test_refused(void)
{
	static const struct {
		uint64_t tables, rsdp;
		const char *error;
	} places[] = {
		{0x1000020, RSDP_AT, "*64 bytes*"},
		{0xffffffc0, RSDP_AT, "*below 4 GiB*"},
		{UINT64_MAX - 63, RSDP_AT, "*below 4 GiB*"},
		{TABLES_AT, 0x9fc00, "*RSDP cannot lie at 0x9fc00*"},
		{TABLES_AT, 0xf0008, "*RSDP*"},
		{TABLES_AT, 0xfffe0, "*RSDP*"},
	};

	for (unsigned i = 0; i < G_N_ELEMENTS(places); i++) {
		g_autoptr(acpi_tables) t = acpi_tables_new(&machine);
		g_autoptr(GError) err = NULL;

		g_assert_false(acpi_tables_place(t, places[i].tables, places[i].rsdp, &err));
		g_assert_true(g_pattern_match_simple(places[i].error, err->message));
	}
}

static const uint8_t *find_table(const struct acpi_tables *t, const char *signature)
{
	const uint8_t *start = t->piece[ACPI_TABLES]->data;
	const uint8_t *end = start + t->piece[ACPI_TABLES]->len;

	for (; start < end; start += ROUND_UP(get_le32(start + 4), 8))
		if (memcmp(start, signature, 4) == 0)
			return start;
	return NULL;
}

static void test_madt(void)
{
	static const struct acpi_cpu wide[] = {{0xfe, true}, {0xff, true}};
	struct acpi_machine m = machine;
	g_autoptr(acpi_tables) narrow = acpi_tables_new(&m);
	const uint8_t *madt = find_table(narrow, "APIC");

	g_assert_cmpuint(get_le32(madt + 4), ==, 44 + 2 * 8 + 12 + 5 * 10 + 6);
	g_assert_cmpint(memcmp(madt + 44, "\0\x8\0\0\1\0\0\0\0\x8\1\1\0\0\0\0", 16), ==, 0);

	m.cpus = wide;
	g_autoptr(acpi_tables) t = acpi_tables_new(&m);

	madt = find_table(t, "APIC");
	g_assert_cmpuint(get_le32(madt + 4), ==, 44 + 8 + 16 + 12 + 5 * 10 + 12);
	g_assert_cmpint(memcmp(madt + 52, "\x9\x10\0\0\xff\0\0\0\1\0\0\0\1\0\0\0", 16), ==, 0);
}

/* What is not there is not listed. */
static void test_present(void)
{
	struct acpi_machine m = machine;
	g_autoptr(acpi_tables) bare = acpi_tables_new(&m);

	g_assert_null(find_table(bare, "HPET"));
	g_assert_null(find_table(bare, "MCFG"));
	m.hpet = 0xfed00000;
	m.ecam = 0xb0000000;
	m.ecam_buses = 64;

	g_autoptr(acpi_tables) full = acpi_tables_new(&m);
	const struct acpi_mcfg *mcfg = (struct acpi_mcfg *)find_table(full, "MCFG");
	const struct acpi_hpet *hpet = (struct acpi_hpet *)find_table(full, "HPET");

	g_assert_nonnull(mcfg);
	g_assert_cmpuint(mcfg->base, ==, 0xb0000000);
	g_assert_cmpuint(mcfg->bus_last, ==, 63);
	g_assert_nonnull(hpet);
	g_assert_cmpuint(hpet->address.address, ==, 0xfed00000);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/acpi/aml/integers", test_integers);
	g_test_add_func("/acpi/aml/data", test_data);
	g_test_add_func("/acpi/aml/names", test_names);
	g_test_add_func("/acpi/aml/lengths", test_lengths);
	g_test_add_func("/acpi/aml/objects", test_objects);
	g_test_add_func("/acpi/aml/code", test_code);
	g_test_add_func("/acpi/aml/resources", test_resources);
	g_test_add_func("/acpi/tables/place", test_place);
	g_test_add_func("/acpi/tables/records", test_records);
	g_test_add_func("/acpi/tables/refused", test_refused);
	g_test_add_func("/acpi/tables/madt", test_madt);
	g_test_add_func("/acpi/tables/present", test_present);
	return g_test_run();
}
