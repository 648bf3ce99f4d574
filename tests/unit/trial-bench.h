/*
 * A bench for chips without a machine: memory and port space, 1 MiB of RAM, an ISA bus with sixteen lines,
 * a PCI bus, and a PCI card that has one of everything.
 */
#ifndef TESTS_UNIT_TRIAL_BENCH_H
#define TESTS_UNIT_TRIAL_BENCH_H

#include "hw/isa.h"
#include "hw/pci.h"
#include "mem/ram.h"

#define BENCH_RAM (1 * MIB)

struct bench {
	struct device dev; /* provides both buses */
	struct region memory_root, io_root, ram_region;
	struct address_space memory, io;
	struct ram_block *ram;
	struct isa_bus isa;
	struct pci_bus pci;
	struct pci_mechanism1 mechanism1;
	struct irq lines[ISA_IRQS];
	uint16_t levels;         /* of the ISA lines */
	uint8_t intx;            /* of the PCI lines */
	struct msi_message last; /* message sent, */
	unsigned messages;       /* and how many */
};

/* The one bench of the process, made when first asked for. The clock is in manual mode. */
struct bench *bench(void);

/* Plays a list of accesses to ports and memory, steps of the clock and resets. For fuzzers. */
struct bench_window {
	struct address_space *as;
	uint64_t addr;
	uint32_t size;
};
void bench_play(const struct bench_window *windows, unsigned count, const uint8_t *data,
		size_t size);

/* The card: BAR 0 4 KiB of registers, 1 32 ports, 2-3 64 KiB in 64 bits, 4 MSI-X; MSI with 4 vectors. */
struct bench_card {
	struct pci_device pci;
	struct region registers, ports, window;
};
extern const struct device_type bench_card_type;

/* A bridge to another PCI bus. */
struct bench_bridge {
	struct pci_device pci;
	struct pci_bus bus;
};
extern const struct device_type bench_bridge_type;

#endif
