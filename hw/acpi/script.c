/*
 * The linker script of the tables, for firmware that places them: allocate both pieces, turn offsets
 * into addresses, then sum up.
 */
#include "abi/table-loader.h"
#include "base/checked.h"
#include "hw/acpi.h"

static const char *const files[ACPI_PIECES] = {
	[ACPI_TABLES] = ACPI_TABLES_FILE,
	[ACPI_RSDP] = ACPI_RSDP_FILE,
	[ACPI_GENERATION] = ACPI_GENERATION_FILE,
};

static void append(GByteArray *out, const struct loader_command *command)
{
	g_byte_array_append(out, (const uint8_t *)command, sizeof(*command));
}

static void allocate(GByteArray *out, enum acpi_piece piece, uint32_t align, enum loader_zone zone)
{
	struct loader_command c = {.kind = GUINT32_TO_LE(LOADER_ALLOCATE)};

	g_strlcpy(c.allocate.file, files[piece], LOADER_NAME_SIZE);
	c.allocate.align = GUINT32_TO_LE(align);
	c.allocate.zone = zone;
	append(out, &c);
}

static void add_pointer(GByteArray *out, const struct acpi_pointer *p)
{
	struct loader_command c = {.kind = GUINT32_TO_LE(LOADER_ADD_POINTER)};

	g_strlcpy(c.pointer.dest, files[p->in], LOADER_NAME_SIZE);
	g_strlcpy(c.pointer.source, files[p->to], LOADER_NAME_SIZE);
	c.pointer.offset = GUINT32_TO_LE(p->offset);
	c.pointer.size = p->size;
	append(out, &c);
}

static void add_checksum(GByteArray *out, const struct acpi_checksum *s)
{
	struct loader_command c = {.kind = GUINT32_TO_LE(LOADER_ADD_CHECKSUM)};

	g_strlcpy(c.checksum.file, files[s->in], LOADER_NAME_SIZE);
	c.checksum.offset = GUINT32_TO_LE(s->offset);
	c.checksum.start = GUINT32_TO_LE(s->start);
	c.checksum.length = GUINT32_TO_LE(s->length);
	append(out, &c);
}

/* Firmware is to tell where the generation ID came to lie. */
static void report_generation(GByteArray *out, const struct acpi_tables *t)
{
	struct loader_command c = {.kind = GUINT32_TO_LE(LOADER_WRITE_POINTER)};

	g_strlcpy(c.report.dest, ACPI_GENERATION_ADDRESS_FILE, LOADER_NAME_SIZE);
	g_strlcpy(c.report.source, files[ACPI_GENERATION], LOADER_NAME_SIZE);
	c.report.source_offset = GUINT32_TO_LE(t->generation_offset);
	c.report.size = 8;
	append(out, &c);
}

GByteArray *acpi_tables_script(const struct acpi_tables *t)
{
	GByteArray *out = g_byte_array_new();

	allocate(out, ACPI_RSDP, ACPI_RSDP_ALIGN, LOADER_FSEG);
	if (t->piece[ACPI_GENERATION])
		allocate(out, ACPI_GENERATION, ACPI_PAGE_SIZE, LOADER_HIGH);
	allocate(out, ACPI_TABLES, ACPI_TABLES_ALIGN, LOADER_HIGH);
	if (t->piece[ACPI_GENERATION])
		report_generation(out, t);
	for (guint i = 0; i < t->pointers->len; i++)
		add_pointer(out, &g_array_index(t->pointers, struct acpi_pointer, i));
	for (guint i = 0; i < t->checksums->len; i++)
		add_checksum(out, &g_array_index(t->checksums, struct acpi_checksum, i));
	return out;
}
