/* See acpi-cpuhp.h. */
#include "hw/bridge/acpi-cpuhp.h"
#include "base/trace.h"
#include "device/plug.h"
#include "machine/cpu-plug.h"
#include "machine/events.h"

TRACE_DEFINE(acpi_cpuhp_read, "register 0x%02x is 0x%x");
TRACE_DEFINE(acpi_cpuhp_write, "register 0x%02x := 0x%x");

/* Where reading and writing differ, the first name is that of writing. */
enum {
	REG_SELECT = 0x00,
	REG_DATA2 = 0x00,
	REG_FLAGS = 0x04,
	REG_COMMAND = 0x05,
	REG_DATA = 0x08,
};

/* Flags, as the register has them. EJECTED is ours: the CPU is on its way out, and gone for the guest. */
enum {
	FLAG_ENABLED = BIT(0),
	FLAG_INSERTING = BIT(1),
	FLAG_REMOVING = BIT(2),
	FLAG_EJECT = BIT(3),
	FLAG_FIRMWARE_EJECTS = BIT(4),
	FLAG_EJECTED = BIT(7),
	FLAGS_PENDING = FLAG_INSERTING | FLAG_REMOVING | FLAG_FIRMWARE_EJECTS,
};

enum { CMD_NEXT_EVENT, CMD_OST_EVENT, CMD_OST_STATUS, CMD_ARCH_ID, CMDS };

/* _OST (ACPI 6.4, 6.3.5): an eject was asked for, and did not succeed. */
#define OST_EJECT_REQUEST 3
#define OST_EJECT_SHUT    0x103
#define OST_IN_PROGRESS   0x84

static unsigned cpu_count(const struct acpi_cpuhp *hp)
{
	return MIN(hp->machine->topo.maxcpus, ACPI_CPUHP_MAX);
}

static struct vcpu *cpu_at(const struct acpi_cpuhp *hp, unsigned index)
{
	return hp->flags[index] & FLAG_EJECTED ? NULL : hp->machine->cpus[index];
}

/* ---- The old form ---- */

static uint64_t legacy_read(void *opaque, uint64_t offset, unsigned size)
{
	const struct acpi_cpuhp *hp = opaque;
	uint8_t bits = 0;

	for (unsigned i = 0; i < cpu_count(hp); i++) {
		const struct vcpu *cpu = cpu_at(hp, i);

		if (cpu && cpu->acc.apic_id / 8 == offset)
			bits |= BIT(cpu->acc.apic_id % 8);
	}
	return bits;
}

static void map_registers(struct acpi_cpuhp *hp)
{
	mem_begin();
	region_set_enabled(&hp->legacy_regs, !hp->modern);
	region_set_enabled(&hp->regs, hp->modern);
	mem_commit();
}

static void legacy_write(void *opaque, uint64_t offset, uint64_t value, unsigned size)
{
	struct acpi_cpuhp *hp = opaque;

	if (offset || value)
		return;
	hp->modern = true;
	map_registers(hp);
}

static const struct io_ops legacy_ops = {
	.read = legacy_read,
	.write = legacy_write,
	.valid = {.min = 1, .max = 4},
	.impl = {.min = 1, .max = 1},
};

/* ---- The new form ---- */

static uint8_t flags_of(const struct acpi_cpuhp *hp)
{
	return (hp->flags[hp->selected] & FLAGS_PENDING) |
	       (cpu_at(hp, hp->selected) ? FLAG_ENABLED : 0);
}

static uint32_t data_of(const struct acpi_cpuhp *hp)
{
	switch (hp->command) {
	case CMD_NEXT_EVENT:
		return hp->selected;
	case CMD_ARCH_ID:
		return cpu_place_of_index(&hp->machine->topo, hp->selected).apic_id;
	default:
		return 0;
	}
}

static uint64_t cpuhp_read(void *opaque, uint64_t offset, unsigned size)
{
	const struct acpi_cpuhp *hp = opaque;
	uint32_t value = 0;

	if (hp->selected >= cpu_count(hp))
		return 0;
	if (offset == REG_FLAGS)
		value = flags_of(hp);
	else if (offset == REG_DATA)
		value = data_of(hp);
	trace(acpi_cpuhp_read, (unsigned)offset, value);
	return value;
}

static void eject(struct acpi_cpuhp *hp)
{
	unsigned index = hp->selected;

	if (!index || !cpu_at(hp, index))
		return;
	hp->flags[index] = FLAG_EJECTED;
	machine_cpu_eject(hp->machine, index);
}

static void write_flags(struct acpi_cpuhp *hp, uint8_t value)
{
	uint8_t *flags = &hp->flags[hp->selected];

	if (value & FLAG_INSERTING)
		*flags &= ~FLAG_INSERTING;
	else if (value & FLAG_REMOVING)
		*flags &= ~FLAG_REMOVING;
	else if (value & FLAG_EJECT)
		eject(hp);
	else if (value & FLAG_FIRMWARE_EJECTS)
		*flags ^= FLAG_FIRMWARE_EJECTS;
}

/* The next CPU, from the selected one on and around, of which the guest has not heard everything. */
static void select_next_event(struct acpi_cpuhp *hp)
{
	unsigned count = cpu_count(hp);

	for (unsigned i = 0; i < count; i++) {
		unsigned index = (hp->selected + i) % count;

		if (hp->flags[index] & FLAGS_PENDING) {
			hp->selected = index;
			return;
		}
	}
}

static void write_command(struct acpi_cpuhp *hp, uint8_t value)
{
	if (value >= CMDS)
		return;
	hp->command = value;
	if (value == CMD_NEXT_EVENT)
		select_next_event(hp);
}

/* The operating system cannot do without it: a user may try again. */
static void check_refusal(struct acpi_cpuhp *hp, unsigned index)
{
	uint32_t event = hp->ost_event[index], status = hp->ost_status[index];
	struct vcpu *cpu = cpu_at(hp, index);

	if (cpu && cpu->dev.unplug_pending && status && status != OST_IN_PROGRESS &&
	    (event == OST_EJECT_REQUEST || event == OST_EJECT_SHUT))
		device_unplug_refused(&cpu->dev);
}

static void report_ost(struct acpi_cpuhp *hp)
{
	unsigned index = hp->selected;
	struct vcpu *cpu = cpu_at(hp, index);
	g_autofree char *slot = g_strdup_printf("%u", index);
	struct acpi_ost_event event = {
		.info =
			{
				.device = cpu ? cpu->dev.id : NULL,
				.slot = slot,
				.slot_type = ACPI_SLOT_CPU,
				.source = hp->ost_event[index],
				.status = hp->ost_status[index],
			},
	};

	event_emit(&run_events[EVENT_ACPI_DEVICE_OST], &event);
	check_refusal(hp, index);
}

static void write_data(struct acpi_cpuhp *hp, uint32_t value)
{
	if (hp->command == CMD_OST_EVENT) {
		hp->ost_event[hp->selected] = value;
	} else if (hp->command == CMD_OST_STATUS) {
		hp->ost_status[hp->selected] = value;
		report_ost(hp);
	}
}

static void cpuhp_write(void *opaque, uint64_t offset, uint64_t value, unsigned size)
{
	struct acpi_cpuhp *hp = opaque;

	trace(acpi_cpuhp_write, (unsigned)offset, (unsigned)value);
	if (offset == REG_SELECT)
		hp->selected = value;
	else if (hp->selected >= cpu_count(hp))
		return;
	else if (offset == REG_FLAGS)
		write_flags(hp, value);
	else if (offset == REG_COMMAND)
		write_command(hp, value);
	else if (offset == REG_DATA)
		write_data(hp, value);
}

static const struct io_ops cpuhp_ops = {
	.read = cpuhp_read,
	.write = cpuhp_write,
	.valid = {.min = 1, .max = 4},
	.impl = {.min = 1, .max = 4},
};

/* ---- The machine's side ---- */

void acpi_cpuhp_plugged(struct acpi_cpuhp *hp, unsigned index)
{
	if (index >= ACPI_CPUHP_MAX)
		return;
	hp->flags[index] = hp->modern ? FLAG_INSERTING : 0;
	acpi_pm_raise_gpe(hp->pm, ACPI_GPE_CPU_HOTPLUG);
}

void acpi_cpuhp_unplug(struct acpi_cpuhp *hp, unsigned index)
{
	if (index >= ACPI_CPUHP_MAX)
		return;
	hp->flags[index] |= FLAG_REMOVING;
	acpi_pm_raise_gpe(hp->pm, ACPI_GPE_CPU_HOTPLUG);
}

void acpi_cpuhp_init(struct acpi_cpuhp *hp, struct device *owner, struct acpi_pm *pm,
		     struct machine *machine, struct region *io, uint64_t port)
{
	hp->pm = pm;
	hp->machine = machine;
	region_init_io(&hp->legacy_regs, owner, "acpi-cpu-hotplug", &legacy_ops, hp,
		       ACPI_CPUHP_LEGACY_SIZE);
	region_init_io(&hp->regs, owner, "acpi-cpu-hotplug", &cpuhp_ops, hp, ACPI_CPUHP_SIZE);
	region_add(io, port, &hp->legacy_regs, 0);
	region_add(io, port, &hp->regs, 0);
	map_registers(hp);
}

void acpi_cpuhp_cleanup(struct acpi_cpuhp *hp)
{
	region_cleanup(&hp->legacy_regs);
	region_cleanup(&hp->regs);
}

void acpi_cpuhp_post_load(struct acpi_cpuhp *hp)
{
	map_registers(hp);
}

static const struct field acpi_cpuhp_rows[] = {
	SAVE_BOOL(struct acpi_cpuhp, modern),
	SAVE_UINT(struct acpi_cpuhp, selected),
	SAVE_UINT(struct acpi_cpuhp, command),
	SAVE_UINTS(struct acpi_cpuhp, flags),
	SAVE_UINTS(struct acpi_cpuhp, ost_event),
	SAVE_UINTS(struct acpi_cpuhp, ost_status),
	FIELD_ROW_END,
};

const struct field_set acpi_cpuhp_state = {
	"acpi-cpuhp",
	sizeof(struct acpi_cpuhp),
	acpi_cpuhp_rows,
};
