/*
 * What firmware calls a PCI device: a name by its class, and its address ("ethernet@3,1"). On a root bus the
 * bus comes first. Source: IEEE 1275, PCI Bus Binding 2.1, 2.5. Classes that
 * are not in the table go by their IDs; SATA is not, because firmware knows those controllers so.
 */
#include "hw/bus/pci/internal.h"

static const struct {
	uint16_t class;
	const char *name;
} class_names[] = {
	{0x0000, "legacy-device"},
	{0x0001, "display"},
	{0x0100, "scsi"},
	{0x0101, "ide"},
	{0x0102, "fdc"},
	{0x0103, "ipi"},
	{0x0104, "raid"},
	{0x0200, "ethernet"},
	{0x0201, "token-ring"},
	{0x0202, "fddi"},
	{0x0203, "atm"},
	{0x0300, "display"},
	{0x0400, "video"},
	{0x0401, "sound"},
	{0x0403, "sound"},
	{0x0500, "memory"},
	{0x0501, "flash"},
	{0x0600, "host"},
	{0x0601, "isa"},
	{0x0602, "eisa"},
	{0x0603, "mca"},
	{0x0604, "pci-bridge"},
	{0x0605, "pcmcia"},
	{0x0606, "nubus"},
	{0x0607, "cardbus"},
	{0x0700, "serial"},
	{0x0701, "parallel"},
	{0x0800, "interrupt-controller"},
	{0x0801, "dma-controller"},
	{0x0802, "timer"},
	{0x0803, "rtc"},
	{0x0900, "keyboard"},
	{0x0901, "pen"},
	{0x0902, "mouse"},
	{0x0a00, "dock"},
	{0x0b00, "cpu"},
	{0x0c00, "firewire"},
	{0x0c01, "access-bus"},
	{0x0c02, "ssa"},
	{0x0c03, "usb"},
	{0x0c04, "fibre-channel"},
	{0x0c05, "smb"},
};

static const char *class_name(uint16_t class)
{
	for (size_t i = 0; i < G_N_ELEMENTS(class_names); i++) {
		if (class_names[i].class == class)
			return class_names[i].name;
	}
	return NULL;
}

char *pci_fw_path(struct device *dev)
{
	const struct pci_device *pci = pci_device_of(dev);
	const char *name = class_name(pci_get16(pci, PCI_CLASS));
	GString *path = g_string_new(pci_bus_of(pci)->bridge ? "/" : "/pci@i0cf8/");

	if (name)
		g_string_append(path, name);
	else
		g_string_append_printf(path, "pci%x,%x", pci_get16(pci, PCI_VENDOR_ID),
				       pci_get16(pci, PCI_DEVICE_ID));
	g_string_append_printf(path, "@%x", PCI_SLOT(pci->devfn));
	if (PCI_FUNCTION(pci->devfn))
		g_string_append_printf(path, ",%x", PCI_FUNCTION(pci->devfn));
	return g_string_free(path, false);
}
