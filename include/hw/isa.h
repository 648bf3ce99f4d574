/*
 * The ISA bus: port space, memory below 16 MiB, and sixteen interrupt lines.
 *
 * The bus is provided by a south bridge. Its devices find ports and lines through it and know no
 * more of the machine. A line may be driven by several devices; as on the real bus, sharing works
 * only as far as software copes with the last level written. Channels of DMA: see hw/dma.h.
 */
#ifndef HW_ISA_H
#define HW_ISA_H

#include "device/device.h"
#include "mem/region.h"

#define ISA_IRQS         16
#define ISA_DMA_CHANNELS 8

struct dma_channel;

struct isa_bus {
	struct bus bus;
	struct region *memory, *io;                /* of the machine; borrowed */
	struct irq *irqs[ISA_IRQS];                /* NULL: not wired */
	struct dma_channel *dma[ISA_DMA_CHANNELS]; /* the controllers' own; NULL: there is none */
};

struct isa_device {
	struct device dev;
};

/* Abstract base of every device on it. */
extern const struct device_type isa_device_type;

/* Readies a bus embedded in @parent, called "isa.0". The lines are wired by the provider. */
void isa_bus_init(struct isa_bus *bus, struct device *parent, struct region *memory,
		  struct region *io);

/* The bus a device is plugged into. */
struct isa_bus *isa_bus_of(struct isa_device *isa);

/* Maps a port region (made by region_init_io()) from @port on. region_cleanup() undoes it. */
void isa_add_ports(struct isa_device *isa, struct region *region, uint16_t port);

/* Line @n of the bus, 0 to 15; NULL if the board left it unwired. */
struct irq *isa_irq(struct isa_device *isa, unsigned n);

/* DMA channel @n of the bus, 0 to 7; NULL if there is no such. */
struct dma_channel *isa_dma(struct isa_device *isa, unsigned n);

#endif
