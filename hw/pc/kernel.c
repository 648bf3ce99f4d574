/*
 * Straight into a kernel: what firmware would have done to the board, and the tables it would have
 * left in memory.
 *
 * The ACPI and SMBIOS tables lie at the end of RAM below 4 GiB, their root pointers where a kernel that is
 * not told looks for them. The chipset's registers are written at each reset, after the devices' own and before the kernel
 * is loaded: hooks run in the order they are added.
 */
#include "hw/boot.h"
#include "hw/guest-info.h"
#include "hw/i440fx.h"
#include "hw/pc/pc.h"

#define RSDP_ADDR   0xf5a00
#define SMBIOS_ADDR 0xf5a80

/* Registers of PCI configuration space as firmware sets them: function, offset, value. */
static const struct {
	uint8_t devfn, offset;
	uint32_t value;
} firmware_writes[] = {
	{1 << 3, 0x60, 0x0b0b0a0a}, /* PIRQA-D: ISA lines 10, 10, 11, 11 */
	{1 << 3 | 3, 0x3c, 9},      /* interrupt line: SCI */
	{1 << 3 | 3, 0x40, 0x601},  /* PM registers at port 600h */
	{1 << 3 | 3, 0x80, 1},      /* ... which answer */
	{1 << 3 | 3, 0x90, 0x701},  /* SMBus registers at port 700h */
	{1 << 3 | 3, 0xd2, 0x09},   /* SMBus enabled, its interrupt is SCI */
};

static void config_write(struct machine *m, uint8_t devfn, uint8_t offset, uint32_t value)
{
	unsigned size = offset & 3 ? 2 : 4;

	as_store(&m->io, NULL, 0xcf8, 4, BIT(31) | devfn << 8 | (offset & ~3));
	as_store(&m->io, NULL, 0xcfc + (offset & 3), size, value);
}

static void act_as_firmware(void *opaque)
{
	struct pc_machine *pc = opaque;

	i440fx_open_shadow_ram(pc->host);
	for (size_t i = 0; i < G_N_ELEMENTS(firmware_writes); i++)
		config_write(&pc->m, firmware_writes[i].devfn, firmware_writes[i].offset,
			     firmware_writes[i].value);
	if (pc->generation_id)
		vmgenid_set_address(pc->vmgenid, pc->generation_id);
}

static void unref_piece(gpointer piece)
{
	g_byte_array_unref(piece);
}

static GBytes *bytes_of(GByteArray *piece)
{
	return g_bytes_new_with_free_func(piece->data, piece->len, unref_piece,
					  g_byte_array_ref(piece));
}

/* What is put into memory beside the kernel. The bytes are owned. */
struct tables {
	struct boot_blob blobs[5];
	size_t count;
	uint64_t end;  /* free RAM below 4 GiB ends here */
	uint64_t facs; /* first of the ACPI tables; 0: there are none */
};

static void add_blob(struct tables *t, const char *name, uint64_t addr, GByteArray *piece)
{
	t->blobs[t->count++] = (struct boot_blob){name, addr, bytes_of(piece)};
}

static void clear_blobs(struct tables *t)
{
	while (t->count)
		g_bytes_unref(t->blobs[--t->count].bytes);
}

/* Whole pages at the end of RAM below 4 GiB. */
static bool reserve(struct tables *t, const char *name, uint64_t size, uint64_t *addr,
		    GError **errp)
{
	size = ROUND_UP(size, RAM_PAGE_SIZE);
	if (t->end < MIB + size) {
		error_set(errp,
			  "%" PRIu64 " KiB of RAM are too few for a kernel and %" PRIu64
			  " KiB of %s",
			  t->end / KIB, size / KIB, name);
		return false;
	}
	*addr = t->end -= size;
	return true;
}

/* The first page keeps its contents over sleep: it has the FACS, where the guest leaves word for waking. */
static bool add_acpi(struct tables *t, struct pc_machine *pc, struct e820_table *map, GError **errp)
{
	g_autoptr(acpi_tables) acpi = pc_describe(pc);
	GByteArray *tables = acpi->piece[ACPI_TABLES], *generation = acpi->piece[ACPI_GENERATION];
	uint64_t addr, size = tables->len, page;

	if (generation)
		size = ROUND_UP(size, ACPI_PAGE_SIZE) + generation->len;
	if (!reserve(t, "ACPI tables", size, &addr, errp) ||
	    !acpi_tables_place(acpi, addr, RSDP_ADDR, errp))
		return false;
	e820_set(map, addr, ROUND_UP(tables->len, RAM_PAGE_SIZE), E820_ACPI);
	e820_set(map, addr, RAM_PAGE_SIZE, E820_NVS);
	if (generation) {
		page = acpi_generation_place(acpi, addr);
		e820_set(map, page, RAM_PAGE_SIZE, E820_RESERVED);
		add_blob(t, "generation ID", page, generation);
		pc->generation_id = page + acpi->generation_offset;
		vmgenid_set_address(pc->vmgenid, pc->generation_id);
	}
	add_blob(t, "ACPI tables", addr, tables);
	t->facs = addr;
	add_blob(t, "ACPI root pointer", RSDP_ADDR, acpi->piece[ACPI_RSDP]);
	return true;
}

static bool add_smbios(struct tables *t, struct pc_machine *pc, struct e820_table *map,
		       GError **errp)
{
	g_autoptr(smbios_tables) smbios = pc_describe_smbios(pc, errp);
	uint64_t addr;

	if (!smbios || !reserve(t, "SMBIOS tables", smbios->table->len, &addr, errp))
		return false;
	smbios_tables_place(smbios, addr);
	e820_set(map, addr, ROUND_UP(smbios->table->len, RAM_PAGE_SIZE), E820_RESERVED);
	add_blob(t, "SMBIOS table", addr, smbios->table);
	add_blob(t, "SMBIOS entry point", SMBIOS_ADDR, smbios->anchor);
	return true;
}

static bool boot_with_tables(struct pc_machine *pc, struct e820_table *map, GError **errp)
{
	struct tables t = {.end = pc->m.below_4g};
	bool acpi = pc_has_acpi(pc), ok;
	struct boot_request req = {
		.kernel = pc->m.boot.kernel,
		.initrd = pc->m.boot.initrd,
		.append = pc->m.boot.append,
		.map = map,
		.rsdp = acpi ? RSDP_ADDR : 0,
	};

	ok = (!acpi || add_acpi(&t, pc, map, errp)) && add_smbios(&t, pc, map, errp);
	req.facs = t.facs;
	req.blobs = t.blobs;
	req.blob_count = t.count;
	ok = ok && boot_request_install(&req, &pc->m, errp);
	clear_blobs(&t);
	return ok;
}

bool pc_boots_directly(const struct pc_machine *pc)
{
	const struct machine *m = &pc->m;

	return m->boot.kernel && !m->boot.bios && !m->firmware && !m->flash[0].file &&
	       !boot_wants_firmware(m->boot.kernel);
}

/* The ROM is the first to boot from, as long as the user gives nothing else that place. */
static bool offer_kernel(struct pc_machine *pc, GError **errp)
{
	const char *rom;

	return boot_offer_kernel(&pc->m, pc->fw_cfg, &rom, errp) && pc_add_rom(pc, rom, 0, errp);
}

bool pc_boot_kernel(struct pc_machine *pc, GError **errp)
{
	struct e820_table map = {0};

	if (!pc->m.boot.kernel)
		return true;
	if (!pc_boots_directly(pc))
		return offer_kernel(pc, errp);
	pc_memory_map(pc, &map);
	e820_add_firmware(&map);
	reset_hook_add(act_as_firmware, pc);
	return boot_with_tables(pc, &map, errp);
}
