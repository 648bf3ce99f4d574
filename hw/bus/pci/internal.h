/* What the files of the PCI core share. */
#ifndef HW_BUS_PCI_INTERNAL_H
#define HW_BUS_PCI_INTERNAL_H

#include "hw/pci.h"

extern const struct bus_type pci_bus_type;
extern const struct field_custom pci_address_custom;
extern const struct field_custom pci_config_custom;
extern const struct field_custom pci_msix_custom;

/* config.c */
void pci_config_init(struct pci_device *pci);
void pci_config_free(struct pci_device *pci);
void pci_config_reset(struct pci_device *pci);
void pci_bars_update(struct pci_device *pci);
void pci_bars_unmap(struct pci_device *pci);

/* fw-path.c */
char *pci_fw_path(struct device *dev);

/* intx.c */
void pci_intx_update(struct pci_device *pci);

/* rom.c */
bool pci_rom_load(struct pci_device *pci, GError **errp);
void pci_rom_free(struct pci_device *pci);

/* msi.c, msix.c */
/* The table is another one now. */
void pci_msix_loaded(struct pci_device *pci);
void pci_msi_send(struct pci_device *pci, const struct msi_message *msg);
void pci_msi_written(struct pci_device *pci, unsigned offset, unsigned len);
void pci_msi_reset(struct pci_device *pci);
void pci_msix_written(struct pci_device *pci, unsigned offset, unsigned len);
void pci_msix_reset(struct pci_device *pci);
void pci_msix_free(struct pci_device *pci);

static inline bool pci_ranges_meet(unsigned a, unsigned alen, unsigned b, unsigned blen)
{
	return a < b + blen && b < a + alen;
}

#endif
