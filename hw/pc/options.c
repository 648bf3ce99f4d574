/*
 * The options of -machine pc. Some ask for things this machine does not have, or cannot leave out:
 * these take what is the case anyway, so that command lines made for QEMU run, and refuse the rest.
 */
#include "hw/pc/pc.h"

#define FIRMWARE_USUAL   (16 * MIB)
#define OEM_ID_MAX       6
#define OEM_TABLE_ID_MAX 8

static bool set_max_ram_below_4g(void *object, const struct field *field, GError **errp)
{
	const struct pc_machine *pc = object;

	if (pc->max_ram_below_4g > 4 * GIB) {
		error_set(errp,
			  "Machine option 'max-ram-below-4g=%" PRIu64
			  "' expects size less than or equal to 4G",
			  pc->max_ram_below_4g);
		return false;
	}
	if (pc->max_ram_below_4g < MIB)
		warn_report("Only %" PRIu64 " bytes of RAM below the 4GiB boundary,"
			    "BIOS may not work with less than 1MiB",
			    pc->max_ram_below_4g);
	return true;
}

static bool set_max_fw_size(void *object, const struct field *field, GError **errp)
{
	const struct pc_machine *pc = object;

	if (pc->max_fw_size > FIRMWARE_USUAL) {
		error_set(errp,
			  "max-fw-size=%" PRIu64 ": firmware of more than %" PRIu64
			  " bytes would lie where the interrupt controllers are",
			  pc->max_fw_size, (uint64_t)FIRMWARE_USUAL);
		return false;
	}
	return true;
}

static bool check_length(const struct field *field, const char *text, size_t max, GError **errp)
{
	if (!text || strlen(text) <= max)
		return true;
	error_set(errp, "User specified %s value is bigger than %zu bytes in size", field->name,
		  max);
	return false;
}

static bool set_oem_id(void *object, const struct field *field, GError **errp)
{
	return check_length(field, ((struct pc_machine *)object)->oem_id, OEM_ID_MAX, errp);
}

static bool set_oem_table_id(void *object, const struct field *field, GError **errp)
{
	return check_length(field, ((struct pc_machine *)object)->oem_table_id, OEM_TABLE_ID_MAX,
			    errp);
}

/* Why nothing but the default can be had. */
static const struct {
	const char *option, *reason;
} reasons[] = {
	{"vmport", "there is no VMware port"},
	{"nvdimm", "there are no non-volatile memory modules"},
	{"cxl", "there is no CXL bus"},
	{"bus-lock-ratelimit", "bus locks are not limited"},
};

static bool refuse(const struct field *field, GError **errp)
{
	for (size_t i = 0; i < G_N_ELEMENTS(reasons); i++) {
		if (strcmp(field->name, reasons[i].option) == 0)
			error_set(errp, "%s is not supported: %s", field->name, reasons[i].reason);
	}
	return false;
}

static bool set_absent(void *object, const struct field *field, GError **errp)
{
	return field_load(field, field_ptr(field, object)) == field->def || refuse(field, errp);
}

static bool set_vmport(void *object, const struct field *field, GError **errp)
{
	return ((struct pc_machine *)object)->m.vmport != ONOFFAUTO_ON || refuse(field, errp);
}

static bool set_nvdimm_persistence(void *object, const struct field *field, GError **errp)
{
	const char *text = ((struct pc_machine *)object)->nvdimm_persistence;

	if (!text || !strcmp(text, "cpu") || !strcmp(text, "mem-ctrl"))
		return true;
	error_set(errp, "-machine nvdimm-persistence=%s: unsupported option", text);
	return false;
}

static bool set_speaker_audio(void *object, const struct field *field, GError **errp)
{
	error_set(errp, "Property 'isa-pcspk.audiodev' can't find value '%s'",
		  ((struct pc_machine *)object)->speaker_audio);
	return false;
}

bool pc_has_acpi(const struct pc_machine *pc)
{
	return pc->acpi != ONOFFAUTO_OFF && !pc->m.no_acpi;
}

#define PC struct pc_machine

const struct field pc_props[] = {
	{FIELD_AT(PC, max_ram_below_4g, "max-ram-below-4g", FIELD_SIZE, 8,
		  "Where RAM below 4 GiB ends at the latest"),
	 PROP_FLAGS, .set = set_max_ram_below_4g},
	PROP_STRING(PC, pflash[0], "pflash0", NULL,
		    "Node with the image of the first flash chip, which holds firmware"),
	PROP_STRING(PC, pflash[1], "pflash1", NULL, "Node with the image of the second"),
	{FIELD_AT(PC, max_fw_size, "max-fw-size", FIELD_SIZE, 8,
		  "Bytes of firmware at most, in all flash chips"),
	 PROP_FLAGS, .def = PC_FLASH_MAX, .set = set_max_fw_size},
	PROP_BOOL(PC, want_hpet, "hpet", true, "Have high precision event timers"),
	PROP_ONOFFAUTO(PC, m.smm, "smm", ONOFFAUTO_AUTO, "Have system management mode"),
	PROP_ONOFFAUTO(PC, acpi, "acpi", ONOFFAUTO_AUTO, "Have ACPI tables"),
	PROP_ONOFFAUTO(PC, want_pic, "pic", ONOFFAUTO_AUTO, "Have 8259 interrupt controllers"),
	PROP_ONOFFAUTO(PC, want_pit, "pit", ONOFFAUTO_AUTO, "Have an 8254 timer"),
	PROP_BOOL(PC, i8042, "i8042", true, "Have a keyboard controller"),
	PROP_ENUM(PC, smbios_entry_point, "smbios-entry-point-type", pc_smbios_entry_names,
		  PC_SMBIOS_32, "Which entry point the SMBIOS table has"),
	{FIELD_AT(PC, oem_id, "x-oem-id", FIELD_STRING, FIELD_IS_STRING(PC, oem_id),
		  "Maker that the ACPI tables name, of up to 6 characters"),
	 PROP_FLAGS, .set = set_oem_id},
	{FIELD_AT(PC, oem_table_id, "x-oem-table-id", FIELD_STRING,
		  FIELD_IS_STRING(PC, oem_table_id),
		  "Name that the maker gave them, of up to 8 characters"),
	 PROP_FLAGS, .set = set_oem_table_id},

	/* What this board has no use for, as QEMU's has none. */
	PROP_BOOL(PC, sata, "sata", true, "Accepted, has no effect on this board"),
	PROP_BOOL(PC, smbus, "smbus", true, "Accepted, has no effect on this board"),
	PROP_BOOL(PC, bypass_iommu, "default-bus-bypass-iommu", false,
		  "Accepted, there is no IOMMU to bypass"),

	/* What there is not. */
	{FIELD_AT(PC, m.vmport, "vmport", FIELD_ENUM, FIELD_IS_ENUM(PC, m.vmport),
		  "Have VMware's port: not supported"),
	 .flags = FIELD_OPTIONAL | FIELD_HAS_DEFAULT | FIELD_ONOFF_TEXT, .names = onoffauto_names,
	 .def = ONOFFAUTO_AUTO, .set = set_vmport},
	{FIELD_AT(PC, nvdimm, "nvdimm", FIELD_BOOL, FIELD_IS_BOOL(PC, nvdimm),
		  "Have non-volatile memory modules: not supported"),
	 PROP_FLAGS, .set = set_absent},
	{FIELD_AT(PC, nvdimm_persistence, "nvdimm-persistence", FIELD_STRING,
		  FIELD_IS_STRING(PC, nvdimm_persistence),
		  "How far such modules protect what is written: cpu or mem-ctrl"),
	 PROP_FLAGS, .set = set_nvdimm_persistence},
	{FIELD_AT(PC, cxl, "cxl", FIELD_BOOL, FIELD_IS_BOOL(PC, cxl), "Have CXL: not supported"),
	 PROP_FLAGS, .set = set_absent},
	{FIELD_AT(PC, bus_lock_ratelimit, "bus-lock-ratelimit", FIELD_UINT, 8,
		  "Bus locks a second that the guest may take: no limit is supported"),
	 PROP_FLAGS, .set = set_absent},
	{FIELD_AT(PC, speaker_audio, "pcspk-audiodev", FIELD_STRING,
		  FIELD_IS_STRING(PC, speaker_audio), "Where the speaker is heard: nowhere"),
	 PROP_FLAGS, .set = set_speaker_audio},
	FIELD_ROW_END,
};
