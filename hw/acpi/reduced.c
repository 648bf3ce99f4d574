/*
 * Hardware-reduced ACPI (ACPI 6.4, 4.1): no power management registers, no SCI, no legacy mode. Events
 * come from the generic event device, whose method the DSDT has; the FADT names registers for sleep
 * and reset. Whatever else there is stands in the DSDT by address, for nothing can be probed.
 */
#include "abi/acpi.h"
#include "base/checked.h"
#include "hw/acpi/dsdt.h"
#include "hw/acpi/tables.h"
#include "hw/ged.h"

#define STA_WORKS     0x0f /* 6.3.7 */
#define STA_HIDDEN    0x0b
#define STATUS_CHANGE 0x80
#define VIRTIO_SIZE   0x200

static struct aml *fw_cfg(const struct acpi_machine *m)
{
	if (!m->fw_cfg)
		return aml_list();
	return aml_device("FWCF", aml_name("_HID", aml_string("QEMU0002")),
			  aml_name("_STA", aml_int(STA_HIDDEN)),
			  aml_name("_CRS", aml_resources(aml_io(m->fw_cfg, 1, 12))));
}

static struct aml *serial(const struct acpi_isa_device *d)
{
	g_autofree char *name = g_strdup_printf("COM%u", d->index + 1);

	return aml_device(name, aml_name("_HID", aml_eisaid("PNP0501")),
			  aml_name("_UID", aml_int(d->index + 1)),
			  aml_name("_STA", aml_int(STA_WORKS)),
			  aml_name("_CRS", aml_resources(aml_io(d->port, 0, 8), aml_irq(d->irq))));
}

static struct aml *rtc(const struct acpi_isa_device *d)
{
	return aml_device("RTC", aml_name("_HID", aml_eisaid("PNP0B00")),
			  aml_name("_CRS", aml_resources(aml_io(d->port, 1, 8), aml_irq(d->irq))));
}

static struct aml *isa_devices(const struct acpi_machine *m, int kind)
{
	struct aml *list = aml_list();

	for (unsigned i = 0; i < m->isa_count; i++) {
		if (m->isa[i].kind == kind)
			aml_add(list, kind == ACPI_ISA_RTC ? rtc(&m->isa[i]) : serial(&m->isa[i]));
	}
	return list;
}

/* On an interrupt _EVT is called; it reads what has happened and tells the device concerned. */
static struct aml *event_device(const struct acpi_ged *ged)
{
	static const struct aml_unit units[] = {{"ESEL", 32}, {}};

	return aml_device(
		"GED", aml_name("_HID", aml_string("ACPI0013")),
		aml_name("_UID", aml_string("GED")),
		aml_name("_CRS", aml_resources(aml_interrupt(ged->gsi, true))),
		aml_region("EREG", AML_SPACE_MEMORY, ged->events, GED_EVENTS_SIZE),
		aml_field("EREG", AML_ACCESS_DWORD | AML_WRITE_AS_ZEROS, units),
		aml_method_serialized(
			"_EVT", 1, aml_store(aml_path("ESEL"), aml_local(0)),
			aml_if(aml_lequal(aml_and(aml_local(0), aml_int(GED_EVENT_POWER_BUTTON),
						  aml_path("")),
					  aml_int(GED_EVENT_POWER_BUTTON)),
			       aml_notify(aml_path("PWRB"), aml_int(STATUS_CHANGE)))));
}

static struct aml *power_button(void)
{
	return aml_device("PWRB", aml_name("_HID", aml_string("PNP0C0C")),
			  aml_name("_UID", aml_int(0)));
}

static struct aml *virtio(const struct acpi_virtio *v)
{
	g_autofree char *name = g_strdup_printf("VR%02u", v->index);

	return aml_device(name, aml_name("_HID", aml_string("LNRO0005")),
			  aml_name("_UID", aml_int(v->index)), aml_name("_CCA", aml_int(1)),
			  aml_name("_CRS", aml_resources(aml_registers(v->base, VIRTIO_SIZE),
							 aml_interrupt(v->gsi, false))));
}

struct aml *dsdt_build_reduced(const struct acpi_machine *m)
{
	struct aml *windows = aml_list();

	for (unsigned i = 0; i < m->virtio_count; i++)
		aml_add(windows, virtio(&m->virtio[i]));
	return aml_list(aml_scope("_SB", fw_cfg(m), isa_devices(m, ACPI_ISA_SERIAL),
				  isa_devices(m, ACPI_ISA_RTC), event_device(&m->ged),
				  power_button(), windows),
			aml_scope("\\",
				  aml_name("_S5", aml_package(aml_int(GED_SLEEP_OFF), aml_int(0),
							      aml_int(0), aml_int(0)))));
}

static bool has_rtc(const struct acpi_machine *m)
{
	for (unsigned i = 0; i < m->isa_count; i++) {
		if (m->isa[i].kind == ACPI_ISA_RTC)
			return true;
	}
	return false;
}

/* That there is no RTC is said, for Linux otherwise tries for long to read one. */
uint32_t fadt_add_reduced(struct acpi_tables *t, const struct acpi_machine *m, uint32_t dsdt)
{
	struct acpi_fadt5 fadt = {
		.v1.flags = ACPI_FADT_HW_REDUCED | ACPI_FADT_RESET_REG,
		.reset_reg = {.bit_width = 8, .address = m->ged.power + GED_RESET},
		.reset_value = GED_RESET_VALUE,
		.sleep_control = {.bit_width = 8, .address = m->ged.power + GED_SLEEP_CONTROL},
		.sleep_status = {.bit_width = 8, .address = m->ged.power + GED_SLEEP_STATUS},
	};
	uint32_t at;

	if (!has_rtc(m))
		fadt.v1.boot_arch = ACPI_FADT_NO_RTC;
	at = tables_add(t, m, "FACP", 5, &fadt, sizeof(fadt));

	tables_point(t, ACPI_TABLES, at + offsetof(struct acpi_fadt, dsdt), 4, dsdt);
	tables_point(t, ACPI_TABLES, at + offsetof(struct acpi_fadt5, x_dsdt), 8, dsdt);
	return at;
}
