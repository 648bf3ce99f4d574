/*
 * Devices through which host and guest tell each other about themselves: a panic (pvpanic), a copy of the
 * machine (vmgenid), where a kernel's notes for crash dumps are (vmcoreinfo). Firmware and guest find
 * them by files of the firmware configuration device.
 */
#ifndef HW_GUEST_INFO_H
#define HW_GUEST_INFO_H

#include "base/uuid.h"
#include "device/device.h"
#include "mem/space.h"

/*
 * Once all devices exist, the board attaches each of these that there is. Nothing is attached twice. False
 * with an error: a file of that name exists.
 */
extern const struct device_type pvpanic_type, vmgenid_type, vmcoreinfo_type;
bool pvpanic_attach(struct device *dev, struct device *fw_cfg, GError **errp);
bool vmcoreinfo_attach(struct device *dev, struct device *fw_cfg, GError **errp);
/* @changed is pulsed when the guest has got a new ID in @memory. */
bool vmgenid_attach(struct device *dev, struct device *fw_cfg, struct address_space *memory,
		    struct irq *changed, GError **errp);

/* The ID, as its text has it. */
const uint8_t *vmgenid_guid(const struct device *dev);

/*
 * The page that is put into guest memory, and where in it the ID is; firmware writes the address of
 * the ID (not of the page) to a file, and whoever acts as firmware calls vmgenid_set_address().
 */
#define VMGENID_PAGE_SIZE   4096
#define VMGENID_GUID_OFFSET 40
#define VMGENID_PAGE_FILE   "etc/vmgenid_guid"
#define VMGENID_ADDR_FILE   "etc/vmgenid_addr" /* 8 bytes */
void vmgenid_fill_page(const struct device *dev, uint8_t page[VMGENID_PAGE_SIZE]);
void vmgenid_set_address(struct device *dev, uint64_t addr);

#endif
