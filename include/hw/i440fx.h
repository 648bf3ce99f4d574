/*
 * The board's side of the Intel 440FX host bridge: RAM, shadow RAM and PCI below one roof.
 */
#ifndef HW_I440FX_H
#define HW_I440FX_H

#include "hw/pci.h"

struct i440fx_config {
	struct region *memory, *io; /* roots of the guest's spaces */
	struct address_space *dma;  /* what bus masters see: the memory space */
	struct region *ram;         /* RAM from address 0 up */
	struct region *smm;         /* what CPUs in SMM see; NULL: there is no such mode */
	uint64_t ram_size;          /* all of it, bytes */
};

extern const struct device_type i440fx_host_type; /* provides "pci.0" */
extern const struct device_type i440fx_type;      /* its function 00.0 */

/* Both before realize; the function takes the configuration of its host. */
void i440fx_host_configure(struct device *dev, const struct i440fx_config *config);

struct pci_bus *i440fx_bus(struct device *host);
/* The PCI memory space; shines through wherever there is no RAM. */
struct region *i440fx_pci_memory(struct device *host);

/* Size of the window for 64-bit BARs above RAM (property pci-hole64-size). */
uint64_t i440fx_hole64_size(struct device *host);

/* What firmware does before it hands over: C0000h to FFFFFh become plain RAM. */
void i440fx_open_shadow_ram(struct device *host);

#endif
