/*
 * The board's side of interrupt controllers and timers that live in the process.
 *
 * How they are wired depends on what the accelerator has of its own (enum irqchip_mode):
 *
 *	off	lines -> 8259 pair -> LINT0 of the local APICs;  lines -> IOAPIC -> messages -> local APICs
 *	split	lines -> 8259 pair -> the boot CPU;  lines -> IOAPIC -> messages -> accelerator
 *	on	lines -> accelerator
 *
 * Everything a line, an IOAPIC entry or a device's MSI says to a CPU is a message in MSI format
 * (Intel SDM vol. 3, 11.11: address 0FEEx'xxxxh, data); the APIC bus below understands them. Functions
 * need the machine lock unless they say otherwise.
 */
#ifndef HW_INTC_H
#define HW_INTC_H

#include "machine/vcpu.h"

extern const struct device_type i8259_type, pit_type, ioapic_type, lapic_type, apic_bus_type,
	hpet_type;

/* Who takes an interrupt message. Any thread. */
typedef void msi_sink_fn(void *opaque, const struct msi_message *msg);

/* ---- 8259A ---- */

/* The two of a PC before realize: ports, and lines that can be level-triggered. Inputs: 8 unnamed. */
struct device *i8259_new(bool master);
/* Once both are realized: the slave's output becomes the master's input 2. */
void i8259_cascade(struct device *master, struct device *slave);
/* INTA: the vector, which is in service now; -1: the output is low. */
int i8259_acknowledge(struct device *master);
/* The output's level. Any thread. */
bool i8259_output(struct device *master);
/* IRQCHIP_SPLIT: the master interrupts this CPU, which has its local APIC elsewhere. */
void i8259_attach_cpu(struct device *master, struct vcpu *cpu);

/* ---- 8254 ---- */

/* Output 0 drives @irq0. Before realize. Unnamed input 0: high keeps @irq0 quiet (HPET). */
void pit_configure(struct device *pit, struct irq *irq0);
/* Counter 2 belongs to port 61h: the level of its output now, and its gate. */
bool pit_speaker_output(struct device *pit);
void pit_set_speaker_gate(struct device *pit, bool gate);

/* ---- IOAPIC ---- */

#define IOAPIC_PINS  24
#define IOAPIC_BASE  0xfec00000
#define IOAPIC2_BASE 0xfec10000

struct ioapic_config {
	struct region *memory; /* mapped there */
	uint64_t addr;
	unsigned first_gsi; /* which global interrupt pin 0 is */
	msi_sink_fn *send;
	void *opaque;
	struct accel *split; /* IRQCHIP_SPLIT: its routes follow the entries; NULL otherwise */
};
/* Before realize. Inputs: 24 unnamed; with the first IOAPIC input 0 is pin 2, as the lines of a PC are wired. */
void ioapic_configure(struct device *ioapic, const struct ioapic_config *config);
/* What @ioapic hears of interrupts that have ended, @next hears too. */
void ioapic_chain(struct device *ioapic, struct device *next);
/* A CPU ended a level-triggered interrupt: for the first of a chain. Any thread, lock or not. */
void ioapic_eoi(struct device *ioapic, unsigned vector);

/* ---- Local APICs, and the bus between them ---- */

struct apic_bus_config {
	struct region *memory; /* the window of messages and registers is mapped there */
	bool executes;         /* false: no CPU runs, accesses go to the first local APIC */
};
/* Before realize. Inputs: unnamed 0 INTR (LINT0), 1 NMI (LINT1) of all. */
void apic_bus_configure(struct device *bus, const struct apic_bus_config *config);
/* The PIC whose output is INTR, or NULL; the IOAPIC that hears of level-triggered interrupts that have ended. */
void apic_bus_connect(struct device *bus, struct device *pic, struct device *ioapic);
/* A msi_sink_fn whose opaque is the bus. Any thread, lock or not. */
void apic_bus_send(void *bus, const struct msi_message *msg);

/* The local APIC of @cpu, realized as its child "lapic"; it is the CPU's source of interrupts. */
struct device *lapic_create(struct device *bus, struct vcpu *cpu, GError **errp);

/*
 * What an accelerator without local APICs calls on the vCPU's thread, besides struct accel_intr_ops: the
 * MSRs of x2APIC mode (800h to 8FFh), IA32_APIC_BASE, and IA32_TSC_DEADLINE. False: general protection.
 * @tsc, @tsc_hz: the guest's time stamp counter now, and its rate.
 */
bool lapic_msr_read(struct device *lapic, uint32_t index, uint64_t *value);
bool lapic_msr_write(struct device *lapic, uint32_t index, uint64_t value);
bool lapic_set_base(struct device *lapic, uint64_t value);
uint64_t lapic_tsc_deadline(struct device *lapic);
void lapic_set_tsc_deadline(struct device *lapic, uint64_t deadline, uint64_t tsc, uint64_t tsc_hz);

/* ---- HPET ---- */

#define HPET_BASE  0xfed00000
#define HPET_LINES 32

struct hpet_config {
	struct region *memory;        /* mapped there at HPET_BASE */
	struct irq *irqs[HPET_LINES]; /* global interrupts; NULL: not wired */
	struct irq *pit_off; /* high while the HPET stands in for PIT and RTC; NULL: nobody */
	msi_sink_fn *send;   /* FSB interrupts; NULL: none (property msi) */
	void *opaque;
};
/* Before realize. Inputs: unnamed 0 the PIT's, 1 the RTC's interrupt, passed on to lines 0 and 8. */
void hpet_configure(struct device *hpet, const struct hpet_config *config);

#endif
