/*
 * Tables for firmware: ACPI with the script that places it, SMBIOS, the memory map, what to boot from, and
 * what firmware puts into an MSR of every CPU. The same bytes as a kernel gets that is started without firmware.
 *
 * They are made when the machine is complete and again at each reset, for what has been plugged since.
 */
#include "abi/e820.h"
#include "base/checked.h"
#include "device/boot-order.h"
#include "hw/boot.h"
#include "hw/fw_cfg.h"
#include "hw/pc/pc.h"

#define FEATURE_CONTROL_LOCKED BIT64(0)
#define FEATURE_CONTROL_VMX    BIT64(2) /* outside SMX */
#define FEATURE_VMX            BIT64(5) /* CPUID 1 ECX */

static bool set_bytes(struct pc_machine *pc, const char *name, const void *data, size_t len,
		      GError **errp)
{
	g_autoptr(GBytes) content = g_bytes_new(data, len);

	return fw_cfg_set_file(pc->fw_cfg, name, content, errp);
}

static bool set_array(struct pc_machine *pc, const char *name, const GByteArray *bytes,
		      GError **errp)
{
	return set_bytes(pc, name, bytes->data, bytes->len, errp);
}

static bool set_acpi(struct pc_machine *pc, GError **errp)
{
	g_autoptr(acpi_tables) acpi = NULL;
	g_autoptr(GByteArray) script = NULL;

	if (!pc_has_acpi(pc))
		return true;
	acpi = pc_describe(pc);
	script = acpi_tables_script(acpi);
	return set_array(pc, ACPI_TABLES_FILE, acpi->piece[ACPI_TABLES], errp) &&
	       set_array(pc, ACPI_RSDP_FILE, acpi->piece[ACPI_RSDP], errp) &&
	       set_array(pc, ACPI_SCRIPT_FILE, script, errp);
}

static bool set_smbios(struct pc_machine *pc, GError **errp)
{
	g_autoptr(smbios_tables) smbios = pc_describe_smbios(pc, errp);

	return smbios && set_array(pc, "etc/smbios/smbios-tables", smbios->table, errp) &&
	       set_array(pc, "etc/smbios/smbios-anchor", smbios->anchor, errp);
}

/* What is reserved first, as QEMU has it. */
static bool set_e820(struct pc_machine *pc, GError **errp)
{
	struct e820_table map = {0};
	struct e820_entry entries[E820_MAX];
	unsigned n = 0;

	pc_memory_map(pc, &map);
	for (unsigned i = 0; i < 2 * map.count; i++) {
		const struct e820_range *r = &map.range[i % map.count];

		if ((r->type == E820_RAM) != (i >= map.count))
			continue;
		entries[n].start = GUINT64_TO_LE(r->start);
		entries[n].size = GUINT64_TO_LE(r->size);
		entries[n++].type = GUINT32_TO_LE(r->type);
	}
	return set_bytes(pc, "etc/e820", entries, n * sizeof(entries[0]), errp);
}

static bool set_feature_control(struct pc_machine *pc, GError **errp)
{
	uint8_t value[8];

	if (!(pc->m.features.words[FEAT_1_ECX] & FEATURE_VMX))
		return true;
	put_le64(value, FEATURE_CONTROL_LOCKED | FEATURE_CONTROL_VMX);
	return set_bytes(pc, "etc/msr_feature_control", value, sizeof(value), errp);
}

static bool set_boot_order(struct pc_machine *pc, GError **errp)
{
	g_autoptr(GBytes) order = boot_order_file(pc->m.boot.strict);

	return fw_cfg_set_file(pc->fw_cfg, "bootorder", order, errp);
}

static void refresh(void *opaque)
{
	g_autoptr(GError) err = NULL;

	/* What is new is of the size of what was accepted before, or nearly: warn, do not stop. */
	if (!set_acpi(opaque, &err) || !set_smbios(opaque, &err) || !set_boot_order(opaque, &err))
		warn_report("%s", err->message);
}

bool pc_add_tables(struct pc_machine *pc, GError **errp)
{
	if (!set_acpi(pc, errp) || !set_smbios(pc, errp) || !set_e820(pc, errp) ||
	    !set_boot_order(pc, errp) || !set_feature_control(pc, errp))
		return false;
	reset_hook_add(refresh, pc);
	return true;
}
