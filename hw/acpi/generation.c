/*
 * The table of the VM generation ID: an SSDT with the device VGEN, whose method ADDR returns the address of
 * the ID (two integers, lower half first), and the handler of the event that says it has changed.
 *
 * The page lies below 4 GiB, so that its address fits the name VGIA, an integer of four bytes that whoever
 * places the tables fills in. 0 means nobody did, and the device is not there.
 *
 * Source: Microsoft, "Virtual Machine Generation ID", 2018; names as QEMU's.
 */
#include "hw/acpi/tables.h"

#include "abi/acpi.h"
#include "base/checked.h"
#include "hw/acpi/aml.h"

#define TABLE_ID      "VMGENID"
#define STA_WORKS     0x0f
#define NOTIFY_CHANGE 0x80
#define VGIA_VALUE    6 /* offset of the integer in Name (VGIA, dword): opcode, name, prefix */

static struct aml *generation_device(uint32_t offset)
{
	return aml_device("VGEN", aml_name("_HID", aml_string("QEMUVGID")),
			  aml_name("_CID", aml_string("VM_Gen_Counter")),
			  aml_name("_DDN", aml_string("VM_Gen_Counter")),
			  aml_method("_STA", 0, aml_store(aml_int(STA_WORKS), aml_local(0)),
				     aml_if(aml_lequal(aml_path("VGIA"), aml_int(0)),
					    aml_store(aml_int(0), aml_local(0))),
				     aml_return(aml_local(0))),
			  aml_method("ADDR", 0,
				     aml_store(aml_package(aml_int(0), aml_int(0)), aml_local(0)),
				     aml_add_to(aml_path("VGIA"), aml_int(offset),
						aml_index(aml_local(0), aml_int(0))),
				     aml_return(aml_local(0))));
}

/* Always four bytes, for an address to be filled in. */
static struct aml *address_name(void)
{
	static const uint8_t bytes[] = {0x08, 'V', 'G', 'I', 'A', 0x0c, 0, 0, 0, 0};

	return aml_bytes(bytes, sizeof(bytes));
}

uint32_t generation_add(struct acpi_tables *t, const struct acpi_machine *m)
{
	struct acpi_header header = {};
	g_autoptr(GByteArray) bytes = aml_finish(aml_list(
		address_name(), aml_scope("\\_SB", generation_device(m->generation_offset)),
		aml_method("\\_GPE._E05", 0,
			   aml_notify(aml_path("\\_SB.VGEN"), aml_int(NOTIFY_CHANGE)))));
	struct acpi_machine named = *m;
	uint32_t at;

	g_byte_array_prepend(bytes, (uint8_t *)&header, sizeof(header));
	named.oem_table_id = TABLE_ID;
	at = tables_add(t, &named, "SSDT", 1, bytes->data, bytes->len);
	tables_point_to(t, ACPI_TABLES, at + sizeof(header) + VGIA_VALUE, 4, ACPI_GENERATION);
	t->piece[ACPI_GENERATION] = g_byte_array_new();
	g_byte_array_append(t->piece[ACPI_GENERATION], m->generation_page, m->generation_size);
	t->generation_offset = m->generation_offset;
	return at;
}
