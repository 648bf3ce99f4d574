/*
 * The MultiProcessor table (Intel MultiProcessor Specification 1.4, chapter 4): how a kernel learns of CPUs
 * and the I/O APIC where there is no ACPI. The floating pointer comes first, the configuration table behind it.
 */
#include "abi/mptable.h"
#include "hw/mptable.h"

#define ISA_BUS    0
#define ISA_LINES  16
#define TIMER_PIN  2 /* where line 0 of a PC goes */
#define IOAPIC_ID  0
#define TO_ALL     0xff
#define LOCAL_APIC 0xfee00000
#define OEM        "QUAIL   "

static uint8_t checksum(const void *bytes, size_t size)
{
	uint8_t sum = 0;

	for (size_t i = 0; i < size; i++)
		sum += ((const uint8_t *)bytes)[i];
	return -sum;
}

static void add(GByteArray *t, const void *entry, size_t size)
{
	g_byte_array_append(t, entry, size);
}

static void add_cpus(GByteArray *t, const struct mp_machine *m)
{
	for (unsigned i = 0; i < m->cpus; i++) {
		struct mp_processor e = {
			.type = MP_PROCESSOR,
			.apic_id = m->apic_ids[i],
			.apic_version = m->apic_version,
			.flags = MP_CPU_ENABLED | (i ? 0 : MP_CPU_BOOT),
			.signature = m->signature,
			.features = m->features,
		};

		add(t, &e, sizeof(e));
	}
}

static void add_chips(GByteArray *t, const struct mp_machine *m)
{
	struct mp_bus bus = {.type = MP_BUS, .id = ISA_BUS, .name = "ISA   "};
	struct mp_ioapic ioapic = {
		.type = MP_IOAPIC,
		.id = IOAPIC_ID,
		.version = m->ioapic_version,
		.flags = MP_IOAPIC_ENABLED,
		.address = m->ioapic,
	};

	add(t, &bus, sizeof(bus));
	add(t, &ioapic, sizeof(ioapic));
}

static void add_lines(GByteArray *t, const struct mp_machine *m)
{
	for (unsigned i = 0; i < ISA_LINES; i++) {
		struct mp_interrupt e = {
			.type = MP_INTERRUPT,
			.kind = MP_INT,
			.flags = m->level_lines & BIT(i) ? MP_ACTIVE_HIGH | MP_LEVEL : 0,
			.bus = ISA_BUS,
			.line = i,
			.apic = IOAPIC_ID,
			.pin = i ? i : TIMER_PIN,
		};

		if (i != TIMER_PIN) /* the cascade */
			add(t, &e, sizeof(e));
	}
}

/* LINT0 of all is the PICs', LINT1 NMI. */
static void add_local_lines(GByteArray *t)
{
	static const uint8_t kinds[] = {MP_EXTINT, MP_NMI};

	for (unsigned i = 0; i < G_N_ELEMENTS(kinds); i++) {
		struct mp_interrupt e = {
			.type = MP_LOCAL_INTERRUPT, .kind = kinds[i], .apic = TO_ALL, .pin = i};

		add(t, &e, sizeof(e));
	}
}

static void finish(GByteArray *t, unsigned entries)
{
	struct mp_header *header = (struct mp_header *)(t->data + sizeof(struct mp_pointer));

	header->length = t->len - sizeof(struct mp_pointer);
	header->entries = entries;
	header->checksum = checksum(header, header->length);
}

GByteArray *mp_table_new(const struct mp_machine *m, uint32_t addr)
{
	GByteArray *t = g_byte_array_new();
	struct mp_pointer pointer = {
		.signature = "_MP_",
		.table = addr + sizeof(pointer),
		.paragraphs = sizeof(pointer) / 16,
		.revision = MP_REVISION,
	};
	struct mp_header header = {
		.signature = "PCMP",
		.revision = MP_REVISION,
		.oem = OEM,
		.product = "microvm     ",
		.local_apic = LOCAL_APIC,
	};

	pointer.checksum = checksum(&pointer, sizeof(pointer));
	add(t, &pointer, sizeof(pointer));
	add(t, &header, sizeof(header));
	add_cpus(t, m);
	add_chips(t, m);
	add_lines(t, m);
	add_local_lines(t);
	finish(t, m->cpus + 2 + (ISA_LINES - 1) + 2);
	return t;
}
