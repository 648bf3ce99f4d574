/*
 * Processors in the name space, and how they come and go.
 *
 * Where the board has the registers (docs/specs/acpi_cpu_hotplug of QEMU; hw/bridge/acpi-cpuhp.c), every
 * possible processor is an object. An event (_GPE._E02) calls CSCN, which goes from one processor
 * with something to tell to the next, notifies the operating system and clears what it told. The
 * registers work on the selected processor, so a mutex keeps methods apart.
 */
#include "hw/acpi/dsdt.h"
#include "hw/acpi/tables.h"

#define REGISTERS    "\\_SB.PCI0.PRES"
#define LENGTH       12
#define STA_WORKS    0x0f
#define DEVICE_CHECK 1 /* ACPI 6.4, 5.6.6 */
#define EJECT_ASKED  3

/* Commands of the registers */
enum { CMD_NEXT_EVENT, CMD_OST_EVENT, CMD_OST_STATUS };

static struct aml *reg(const char *name)
{
	g_autofree char *path = g_strdup_printf(REGISTERS ".%s", name);

	return aml_path(path);
}

/* Registers that belong together: the guest's methods one at a time. */
static struct aml *locked(struct aml *terms)
{
	return aml_list(aml_acquire(reg("CPLK")), terms, aml_release(reg("CPLK")));
}

static struct aml *registers(uint16_t port)
{
	static const struct aml_unit bits[] = {
		{NULL, 32},  {"CPEN", 1}, {"CINS", 1}, {"CRMV", 1}, {"CEJ0", 1},
		{"CEJF", 1}, {NULL, 3},   {"CCMD", 8}, {},
	};
	static const struct aml_unit words[] = {{"CSEL", 32}, {NULL, 32}, {"CDAT", 32}, {}};

	return aml_device(REGISTERS, aml_name("_HID", aml_eisaid("PNP0A06")),
			  aml_name("_UID", aml_string("CPU Hotplug resources")), aml_mutex("CPLK"),
			  aml_name("_CRS", aml_resources(aml_io(port, 1, LENGTH))),
			  aml_region("PRST", AML_SPACE_IO, port, LENGTH),
			  aml_field("PRST", AML_ACCESS_BYTE | AML_WRITE_AS_ZEROS, bits),
			  aml_field("PRST", AML_ACCESS_DWORD, words),
			  aml_method_serialized("_INI", 0,
						aml_store(aml_int(0), aml_path("CSEL"))));
}

static char *processor_name(unsigned index)
{
	return g_strdup_printf("C%03X", index);
}

static struct aml *notify_method(const struct acpi_machine *m)
{
	struct aml *terms = aml_list();

	for (unsigned i = 0; i < m->cpu_count; i++) {
		g_autofree char *name = processor_name(i);

		aml_add(terms, aml_if(aml_lequal(aml_arg(0), aml_int(i)),
				      aml_notify(aml_path(name), aml_arg(1))));
	}
	return aml_method_of("CTFY", 2, false, terms);
}

/* Local0 counts up: the next processor with an event is asked for until none comes any more. */
static struct aml *scan_method(const struct acpi_machine *m)
{
	struct aml *inserted =
		aml_if(aml_lequal(reg("CINS"), aml_int(1)),
		       aml_call("CTFY", aml_local(0), aml_int(DEVICE_CHECK)),
		       aml_store(aml_int(1), reg("CINS")), aml_store(aml_int(1), aml_local(1)));
	struct aml *removed =
		aml_if(aml_lequal(reg("CRMV"), aml_int(1)),
		       aml_call("CTFY", aml_local(0), aml_int(EJECT_ASKED)),
		       aml_store(aml_int(1), reg("CRMV")), aml_store(aml_int(1), aml_local(1)));
	struct aml *loop =
		aml_while(aml_lequal(aml_local(1), aml_int(1)), aml_store(aml_int(0), aml_local(1)),
			  aml_store(aml_local(0), reg("CSEL")),
			  aml_store(aml_int(CMD_NEXT_EVENT), reg("CCMD")),
			  aml_store(reg("CDAT"), aml_local(2)),
			  /* Those before the first were asked for already. */
			  aml_if(aml_lless(aml_local(2), aml_local(0)), aml_break()),
			  aml_store(aml_local(2), aml_local(0)), inserted, removed,
			  aml_add_to(aml_local(0), aml_int(1), aml_local(0)),
			  aml_if(aml_lequal(aml_local(0), aml_int(m->cpu_count)), aml_break()));

	return aml_method_serialized("CSCN", 0,
				     locked(aml_list(aml_store(aml_int(0), aml_local(0)),
						     aml_store(aml_int(1), aml_local(1)), loop)));
}

static struct aml *methods(const struct acpi_machine *m)
{
	struct aml *select = aml_store(aml_arg(0), reg("CSEL"));

	return aml_list(
		notify_method(m),
		aml_method_serialized(
			"CSTA", 1,
			locked(aml_list(select, aml_store(aml_int(0), aml_local(0)),
					aml_if(aml_lequal(reg("CPEN"), aml_int(1)),
					       aml_store(aml_int(STA_WORKS), aml_local(0))))),
			aml_return(aml_local(0))),
		aml_method_serialized("CEJ0", 1,
				      locked(aml_list(aml_store(aml_arg(0), reg("CSEL")),
						      aml_store(aml_int(1), reg("CEJ0"))))),
		scan_method(m),
		aml_method_serialized(
			"COST", 4,
			locked(aml_list(aml_store(aml_arg(0), reg("CSEL")),
					aml_store(aml_int(CMD_OST_EVENT), reg("CCMD")),
					aml_store(aml_arg(1), reg("CDAT")),
					aml_store(aml_int(CMD_OST_STATUS), reg("CCMD")),
					aml_store(aml_arg(2), reg("CDAT"))))));
}

/* What the MADT says of it once it is there. */
static struct aml *madt_entry(const struct acpi_machine *m, unsigned index)
{
	g_autoptr(GByteArray) entry = g_byte_array_new();

	madt_add_cpu(entry, m, index, true);
	return aml_name("_MAT", aml_buffer(aml_bytes(entry->data, entry->len)));
}

static struct aml *plug_methods(const struct acpi_machine *m, unsigned index)
{
	return aml_list(
		aml_method_serialized("_STA", 0, aml_return(aml_call("CSTA", aml_int(index)))),
		madt_entry(m, index),
		index ? aml_method("_EJ0", 1, aml_call("CEJ0", aml_int(index))) : aml_list(),
		aml_method_serialized("_OST", 3,
				      aml_call("COST", aml_int(index), aml_arg(0), aml_arg(1),
					       aml_arg(2))),
		m->nodes ? aml_name("_PXM", aml_int(m->cpus[index].node)) : aml_list());
}

static struct aml *processor(const struct acpi_machine *m, unsigned index)
{
	g_autofree char *name = processor_name(index);
	struct aml *terms = m->cpu_hotplug ? plug_methods(m, index) : aml_list();

	if (acpi_cpu_is_wide(m, index))
		return aml_device(name, aml_name("_HID", aml_string("ACPI0007")),
				  aml_name("_UID", aml_int(index)), terms);
	return aml_processor(name, index, terms);
}

struct aml *dsdt_processors(const struct acpi_machine *m)
{
	struct aml *list = aml_list();

	for (unsigned i = 0; i < m->cpu_count; i++)
		if (m->cpus[i].present || m->cpu_hotplug)
			aml_add(list, processor(m, i));
	return aml_list(m->cpu_hotplug ? registers(m->cpu_hotplug) : aml_list(),
			aml_device("\\_SB.CPUS", aml_name("_HID", aml_string("ACPI0010")),
				   aml_name("_CID", aml_eisaid("PNP0A05")),
				   m->cpu_hotplug ? methods(m) : aml_list(), list),
			m->cpu_hotplug ? aml_method("\\_GPE._E02", 0, aml_path("\\_SB.CPUS.CSCN"))
				       : aml_list());
}
