/*
 * The tables of a PC, their directory, and their placement. See include/hw/acpi.h.
 *
 * The FADT is of revision 1, like that of the machine this one stands in for: it has 32-bit port
 * addresses only, and leaves to the guest to look for legacy devices. RSDT and XSDT list the same
 * tables, for guests that know one or the other.
 */
#include "hw/acpi/tables.h"

#include <assert.h>
#include "abi/acpi.h"
#include "base/checked.h"
#include "hw/acpi/dsdt.h"

#define TABLE_ALIGN     8
#define RTC_CENTURY     0x32
#define NO_C2           0xfff
#define NO_C3           0xfff
#define HPET_BLOCK_ID   0x8086a201 /* Intel, 64-bit counter, three timers, legacy replacement */
#define APIC_FLAT_LIMIT 8          /* CPUs that flat logical destinations can tell apart */

/* ---- Pieces ---- */

uint32_t tables_append(struct acpi_tables *t, const void *bytes, size_t size, unsigned align)
{
	static const uint8_t zeros[ACPI_TABLES_ALIGN];
	GByteArray *piece = t->piece[ACPI_TABLES];
	uint32_t at = ROUND_UP(piece->len, align);

	g_byte_array_append(piece, zeros, at - piece->len);
	g_byte_array_append(piece, bytes, size);
	return at;
}

void tables_point(struct acpi_tables *t, enum acpi_piece in, uint32_t offset, uint32_t size,
		  uint32_t target)
{
	struct acpi_pointer pointer = {
		.in = in,
		.to = ACPI_TABLES,
		.offset = offset,
		.size = size,
	};

	put_le(t->piece[in]->data + offset, size, target);
	g_array_append_val(t->pointers, pointer);
}

void tables_point_to(struct acpi_tables *t, enum acpi_piece in, uint32_t offset, uint32_t size,
		     enum acpi_piece to)
{
	struct acpi_pointer pointer = {.in = in, .to = to, .offset = offset, .size = size};

	g_array_append_val(t->pointers, pointer);
}

void tables_sum(struct acpi_tables *t, enum acpi_piece in, uint32_t offset, uint32_t start,
		uint32_t length)
{
	struct acpi_checksum sum = {
		.in = in,
		.offset = offset,
		.start = start,
		.length = length,
	};

	g_array_append_val(t->checksums, sum);
}

/* Space is the padding of identifiers. */
static void set_id(char *id, size_t size, const char *text)
{
	size_t len = MIN(strlen(text), size);

	memset(id, ' ', size);
	memcpy(id, text, len);
}

/* But what a user gives is followed by zeros, as QEMU has it. */
static void set_user_id(char *id, size_t size, const char *text)
{
	memset(id, 0, size);
	memcpy(id, text, MIN(strlen(text), size));
}

static const char *oem_id(const struct acpi_machine *m)
{
	return m->oem_id ?: "BOCHS ";
}

uint32_t tables_add(struct acpi_tables *t, const struct acpi_machine *m, const char *signature,
		    uint8_t revision, const void *table, size_t size)
{
	uint32_t at = tables_append(t, table, size, TABLE_ALIGN);
	struct acpi_header *h = (struct acpi_header *)(t->piece[ACPI_TABLES]->data + at);

	set_id(h->signature, sizeof(h->signature), signature);
	h->length = size;
	h->revision = revision;
	set_user_id(h->oem_id, sizeof(h->oem_id), oem_id(m));
	set_user_id(h->oem_table_id, sizeof(h->oem_table_id), m->oem_table_id ?: "BXPC    ");
	h->oem_revision = 1;
	set_id(h->creator_id, sizeof(h->creator_id), "BXPC");
	h->creator_revision = 1;
	tables_sum(t, ACPI_TABLES, at + offsetof(struct acpi_header, checksum), at, size);
	return at;
}

/* ---- Tables of fixed layout ---- */

static uint32_t facs_add(struct acpi_tables *t)
{
	struct acpi_facs facs = {.signature = "FACS", .length = sizeof(facs)};

	return tables_append(t, &facs, sizeof(facs), ACPI_FACS_ALIGN);
}

static uint32_t dsdt_add(struct acpi_tables *t, const struct acpi_machine *m)
{
	bool reduced = m->ged.events;
	struct acpi_header header = {};
	g_autoptr(GByteArray) bytes = aml_finish(reduced ? dsdt_build_reduced(m) : dsdt_build(m));

	g_byte_array_prepend(bytes, (uint8_t *)&header, sizeof(header));
	return tables_add(t, m, "DSDT", reduced ? 2 : 1, bytes->data, bytes->len);
}

static uint32_t fadt_flags(const struct acpi_machine *m)
{
	return ACPI_FADT_WBINVD | ACPI_FADT_PROC_C1 | ACPI_FADT_SLP_BUTTON | ACPI_FADT_RTC_S4 |
	       ACPI_FADT_USE_PLATFORM_CLOCK |
	       (m->cpu_count > APIC_FLAT_LIMIT ? ACPI_FADT_APIC_CLUSTER : 0);
}

static uint32_t fadt_add(struct acpi_tables *t, const struct acpi_machine *m, uint32_t facs,
			 uint32_t dsdt)
{
	struct acpi_fadt fadt = {
		.int_model = 1,
		.sci_int = m->sci,
		.smi_cmd = m->smi_port,
		.acpi_enable = m->acpi_enable,
		.acpi_disable = m->acpi_disable,
		.pm1a_evt = m->pm_base,
		.pm1a_cnt = m->pm_base + 4,
		.pm_timer = m->pm_base + 8,
		.gpe0 = m->gpe0,
		.pm1_evt_len = 4,
		.pm1_cnt_len = 2,
		.pm_timer_len = 4,
		.gpe0_len = m->gpe0_len,
		.c2_latency = NO_C2,
		.c3_latency = NO_C3,
		.century = RTC_CENTURY,
		.flags = fadt_flags(m),
	};
	uint32_t at = tables_add(t, m, "FACP", 1, &fadt, sizeof(fadt));

	tables_point(t, ACPI_TABLES, at + offsetof(struct acpi_fadt, facs), 4, facs);
	tables_point(t, ACPI_TABLES, at + offsetof(struct acpi_fadt, dsdt), 4, dsdt);
	return at;
}

static uint32_t hpet_add(struct acpi_tables *t, const struct acpi_machine *m)
{
	struct acpi_hpet hpet = {.block_id = HPET_BLOCK_ID, .address.address = m->hpet};

	return tables_add(t, m, "HPET", 1, &hpet, sizeof(hpet));
}

static uint32_t mcfg_add(struct acpi_tables *t, const struct acpi_machine *m)
{
	struct acpi_mcfg mcfg = {.base = m->ecam, .bus_last = m->ecam_buses - 1};

	return tables_add(t, m, "MCFG", 1, &mcfg, sizeof(mcfg));
}

static uint32_t waet_add(struct acpi_tables *t, const struct acpi_machine *m)
{
	struct acpi_waet waet = {.flags = ACPI_WAET_PM_TIMER_GOOD};

	return tables_add(t, m, "WAET", 1, &waet, sizeof(waet));
}

/* ---- The directory ---- */

/* RSDT or XSDT: a header, then pointers of @width bytes to the tables whose offsets are @listed. */
static uint32_t directory_add(struct acpi_tables *t, const struct acpi_machine *m,
			      const char *signature, unsigned width, const GArray *listed)
{
	size_t size = sizeof(struct acpi_header) + width * listed->len;
	g_autofree uint8_t *table = g_malloc0(size);
	uint32_t at = tables_add(t, m, signature, 1, table, size);

	for (unsigned i = 0; i < listed->len; i++)
		tables_point(t, ACPI_TABLES, at + sizeof(struct acpi_header) + width * i, width,
			     g_array_index(listed, uint32_t, i));
	return at;
}

/* @rsdt: 0: there is none. */
static void rsdp_set(struct acpi_tables *t, const struct acpi_machine *m, uint32_t rsdt,
		     uint32_t xsdt)
{
	struct acpi_rsdp rsdp = {.revision = 2, .length = sizeof(rsdp)};

	set_id(rsdp.signature, sizeof(rsdp.signature), "RSD PTR ");
	set_user_id(rsdp.oem_id, sizeof(rsdp.oem_id), oem_id(m));
	g_byte_array_append(t->piece[ACPI_RSDP], (uint8_t *)&rsdp, sizeof(rsdp));
	if (rsdt)
		tables_point(t, ACPI_RSDP, offsetof(struct acpi_rsdp, rsdt), 4, rsdt);
	tables_point(t, ACPI_RSDP, offsetof(struct acpi_rsdp, xsdt), 8, xsdt);
	tables_sum(t, ACPI_RSDP, offsetof(struct acpi_rsdp, checksum), 0, ACPI_RSDP_V1_SIZE);
	tables_sum(t, ACPI_RSDP, offsetof(struct acpi_rsdp, extended_checksum), 0, sizeof(rsdp));
}

static void add_listed(GArray *listed, uint32_t table)
{
	g_array_append_val(listed, table);
}

static void build_pc(struct acpi_tables *t, const struct acpi_machine *m, GArray *listed)
{
	uint32_t facs = facs_add(t), dsdt = dsdt_add(t, m), rsdt, xsdt;

	add_listed(listed, fadt_add(t, m, facs, dsdt));
	add_listed(listed, madt_add(t, m));
	if (m->hpet)
		add_listed(listed, hpet_add(t, m));
	if (m->ecam)
		add_listed(listed, mcfg_add(t, m));
	if (m->nodes)
		add_listed(listed, srat_add(t, m));
	if (m->nodes && m->distances)
		add_listed(listed, slit_add(t, m));
	if (m->generation_page)
		add_listed(listed, generation_add(t, m));
	add_listed(listed, waet_add(t, m));
	rsdt = directory_add(t, m, "RSDT", 4, listed);
	xsdt = directory_add(t, m, "XSDT", 8, listed);
	rsdp_set(t, m, rsdt, xsdt);
}

static void build_reduced(struct acpi_tables *t, const struct acpi_machine *m, GArray *listed)
{
	uint32_t dsdt = dsdt_add(t, m);

	add_listed(listed, fadt_add_reduced(t, m, dsdt));
	add_listed(listed, madt_add(t, m));
	rsdp_set(t, m, 0, directory_add(t, m, "XSDT", 8, listed));
}

struct acpi_tables *acpi_tables_new(const struct acpi_machine *m)
{
	struct acpi_tables *t = g_new0(struct acpi_tables, 1);
	g_autoptr(GArray) listed = g_array_new(false, false, sizeof(uint32_t));

	t->piece[ACPI_TABLES] = g_byte_array_new();
	t->piece[ACPI_RSDP] = g_byte_array_new();
	t->pointers = g_array_new(false, false, sizeof(struct acpi_pointer));
	t->checksums = g_array_new(false, false, sizeof(struct acpi_checksum));
	if (m->ged.events)
		build_reduced(t, m, listed);
	else
		build_pc(t, m, listed);
	return t;
}

void acpi_tables_free(struct acpi_tables *t)
{
	if (!t)
		return;
	for (unsigned i = 0; i < ACPI_PIECES; i++)
		g_clear_pointer(&t->piece[i], g_byte_array_unref);
	g_array_unref(t->pointers);
	g_array_unref(t->checksums);
	g_free(t);
}

/* ---- Placement ---- */

static void add_address(struct acpi_tables *t, const struct acpi_pointer *p, const uint64_t *place)
{
	uint8_t *at = t->piece[p->in]->data + p->offset;

	put_le(at, p->size, get_le(at, p->size) + place[p->to]);
}

static void make_checksum(struct acpi_tables *t, const struct acpi_checksum *c)
{
	uint8_t *bytes = t->piece[c->in]->data, sum = 0;

	for (uint32_t i = 0; i < c->length; i++)
		sum += bytes[c->start + i];
	bytes[c->offset] -= sum;
}

uint64_t acpi_generation_place(const struct acpi_tables *t, uint64_t tables)
{
	return ROUND_UP(tables + t->piece[ACPI_TABLES]->len, ACPI_PAGE_SIZE);
}

bool acpi_tables_place(struct acpi_tables *t, uint64_t tables, uint64_t rsdp, GError **errp)
{
	const uint64_t place[ACPI_PIECES] = {
		[ACPI_TABLES] = tables,
		[ACPI_RSDP] = rsdp,
		[ACPI_GENERATION] = acpi_generation_place(t, tables),
	};
	uint64_t size = t->piece[ACPI_TABLES]->len;

	if (t->piece[ACPI_GENERATION])
		size = place[ACPI_GENERATION] + t->piece[ACPI_GENERATION]->len - tables;

	if (tables % ACPI_TABLES_ALIGN || !range_fits(tables, size, 4 * GIB)) {
		error_set(errp,
			  "ACPI tables of %" PRIu64 " bytes cannot lie at 0x%" PRIx64
			  ": they must start on %d bytes and end below 4 GiB",
			  size, tables, ACPI_TABLES_ALIGN);
		return false;
	}
	if (rsdp % ACPI_RSDP_ALIGN || rsdp < ACPI_RSDP_FIRST ||
	    !range_fits(rsdp, t->piece[ACPI_RSDP]->len, ACPI_RSDP_END)) {
		error_set(errp,
			  "The ACPI RSDP cannot lie at 0x%" PRIx64 ", guests would not find it",
			  rsdp);
		return false;
	}
	for (unsigned i = 0; i < t->pointers->len; i++)
		add_address(t, &g_array_index(t->pointers, struct acpi_pointer, i), place);
	for (unsigned i = 0; i < t->checksums->len; i++)
		make_checksum(t, &g_array_index(t->checksums, struct acpi_checksum, i));
	return true;
}
