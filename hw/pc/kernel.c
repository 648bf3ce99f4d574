/*
 * Straight into a kernel: what firmware would have done to the board, and the tables it would have
 * left in memory.
 *
 * The ACPI tables lie at the end of RAM below 4 GiB, the RSDP where a kernel that is not told looks for
 * it. The chipset's registers are written at each reset, after the devices' own and before the kernel
 * is loaded: hooks run in the order they are added.
 */
#include "hw/boot.h"
#include "hw/i440fx.h"
#include "hw/pc/pc.h"

#define RSDP_ADDR 0xf5a00

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

/* Without ACPI (-no-acpi) there is nothing to add to the plain map. */
static bool boot_plain(struct pc_machine *pc, const struct e820_table *map, GError **errp)
{
	return boot_kernel(&pc->m, map, 0, NULL, 0, errp);
}

static bool boot_with_tables(struct pc_machine *pc, struct e820_table *map, GError **errp)
{
	g_autoptr(acpi_tables) acpi = pc_describe(pc);
	uint64_t size = ROUND_UP(acpi->piece[ACPI_TABLES]->len, RAM_PAGE_SIZE);
	struct boot_blob blobs[] = {
		{.name = "ACPI tables"},
		{.name = "ACPI root pointer", .addr = RSDP_ADDR},
	};
	bool ok;

	if (pc->m.below_4g < MIB + size) {
		error_set(errp,
			  "%" PRIu64 " KiB of RAM are too few for a kernel and %" PRIu64
			  " KiB of ACPI tables",
			  pc->m.ram_size / KIB, size / KIB);
		return false;
	}
	blobs[0].addr = pc->m.below_4g - size;
	if (!acpi_tables_place(acpi, blobs[0].addr, RSDP_ADDR, errp))
		return false;
	e820_set(map, blobs[0].addr, size, E820_ACPI);
	blobs[0].bytes = bytes_of(acpi->piece[ACPI_TABLES]);
	blobs[1].bytes = bytes_of(acpi->piece[ACPI_RSDP]);
	ok = boot_kernel(&pc->m, map, RSDP_ADDR, blobs, G_N_ELEMENTS(blobs), errp);
	g_bytes_unref(blobs[0].bytes);
	g_bytes_unref(blobs[1].bytes);
	return ok;
}

bool pc_boot_kernel(struct pc_machine *pc, GError **errp)
{
	struct e820_table map = {0};

	if (!pc->m.boot.kernel || pc->m.boot.bios || pc->m.firmware)
		return true;
	e820_add_board(&map, pc->m.below_4g, pc->m.above_4g);
	e820_add_firmware(&map);
	reset_hook_add(act_as_firmware, pc);
	return pc->m.no_acpi ? boot_plain(pc, &map, errp) : boot_with_tables(pc, &map, errp);
}
