/*
 * PCI configuration space as software sees it: PCI Local Bus Specification 3.0, chapter 6;
 * PCI-to-PCI Bridge Architecture 1.2, chapter 3.
 */
#ifndef ABI_PCI_H
#define ABI_PCI_H

#define PCI_CONFIG_SIZE  256
#define PCIE_CONFIG_SIZE 4096
#define PCI_HEADER_SIZE  0x40

enum pci_register {
	PCI_VENDOR_ID = 0x00,
	PCI_DEVICE_ID = 0x02,
	PCI_COMMAND = 0x04,
	PCI_STATUS = 0x06,
	PCI_REVISION = 0x08,
	PCI_CLASS_INTERFACE = 0x09,
	PCI_CLASS = 0x0a,
	PCI_CACHE_LINE_SIZE = 0x0c,
	PCI_LATENCY_TIMER = 0x0d,
	PCI_HEADER_TYPE = 0x0e,
	PCI_BAR0 = 0x10,
	PCI_SUBSYSTEM_VENDOR_ID = 0x2c,
	PCI_SUBSYSTEM_ID = 0x2e,
	PCI_ROM_BAR = 0x30,
	PCI_CAPABILITIES = 0x34,
	PCI_INTERRUPT_LINE = 0x3c,
	PCI_INTERRUPT_PIN = 0x3d,

	/* Header type 1: bridges */
	PCI_PRIMARY_BUS = 0x18,
	PCI_SECONDARY_BUS = 0x19,
	PCI_SUBORDINATE_BUS = 0x1a,
	PCI_IO_BASE = 0x1c,
	PCI_IO_LIMIT = 0x1d,
	PCI_SECONDARY_STATUS = 0x1e,
	PCI_MEMORY_BASE = 0x20,
	PCI_MEMORY_LIMIT = 0x22,
	PCI_PREFETCH_BASE = 0x24,
	PCI_PREFETCH_LIMIT = 0x26,
	PCI_PREFETCH_BASE_HIGH = 0x28,
	PCI_PREFETCH_LIMIT_HIGH = 0x2c,
	PCI_BRIDGE_WINDOWS_END = 0x30,
	PCI_BRIDGE_ROM_BAR = 0x38,
	PCI_BRIDGE_CONTROL = 0x3e,
};

enum pci_command_bit {
	PCI_COMMAND_IO = 0x0001,
	PCI_COMMAND_MEMORY = 0x0002,
	PCI_COMMAND_MASTER = 0x0004,
	PCI_COMMAND_SERR = 0x0100,
	PCI_COMMAND_INTX_DISABLE = 0x0400,
};

enum pci_status_bit {
	PCI_STATUS_INTERRUPT = 0x0008,
	PCI_STATUS_CAPABILITIES = 0x0010,
	PCI_STATUS_66MHZ = 0x0020,
	PCI_STATUS_FAST_BACK = 0x0080,
	PCI_STATUS_MASTER_PARITY = 0x0100,
	PCI_STATUS_DEVSEL_MEDIUM = 0x0200,
	PCI_STATUS_ERRORS = 0xf900, /* cleared by writing ones */
};

#define PCI_PREFETCH_64BIT 0x01 /* in base and limit */

enum pci_bridge_control_bit {
	PCI_BRIDGE_VGA = 0x0008,
	PCI_BRIDGE_RESET = 0x0040,
	PCI_BRIDGE_CONTROL_BITS = 0x0bff, /* what software may write, */
	PCI_BRIDGE_TIMER_STATUS = 0x0400, /* and clear by writing ones */
};

#define PCI_HEADER_BRIDGE        0x01
#define PCI_HEADER_MULTIFUNCTION 0x80

enum pci_bar_bit {
	PCI_BAR_IO = 0x01,
	PCI_BAR_64BIT = 0x04,
	PCI_BAR_PREFETCH = 0x08,
	PCI_ROM_ENABLE = 0x01,
};

enum pci_capability {
	PCI_CAP_PM = 0x01,
	PCI_CAP_MSI = 0x05,
	PCI_CAP_VENDOR = 0x09,
	PCI_CAP_SLOT_ID = 0x04,
	PCI_CAP_SSVID = 0x0d,
	PCI_CAP_EXPRESS = 0x10,
	PCI_CAP_MSIX = 0x11,
};

/* MSI capability: offsets from its start. The mask and pending dwords follow the data word. */
enum pci_msi_register {
	PCI_MSI_CONTROL = 2,
	PCI_MSI_ADDRESS = 4,
	PCI_MSI_ADDRESS_HIGH = 8,
	PCI_MSI_DATA_32 = 8,
	PCI_MSI_DATA_64 = 12,
	PCI_MSI_MASK_32 = 12,
	PCI_MSI_MASK_64 = 16,
};

enum pci_msi_control {
	PCI_MSI_ENABLE = 0x0001,
	PCI_MSI_CAPABLE_SHIFT = 1,
	PCI_MSI_ENABLED_SHIFT = 4,
	PCI_MSI_ENABLED_COUNT = 0x0070,
	PCI_MSI_64BIT = 0x0080,
	PCI_MSI_MASKABLE = 0x0100,
};

enum pci_msix_register {
	PCI_MSIX_CONTROL = 2,
	PCI_MSIX_TABLE = 4,
	PCI_MSIX_PBA = 8,
	PCI_MSIX_CAP_SIZE = 12,
	PCI_MSIX_ENTRY_SIZE = 16,
	PCI_MSIX_ENTRY_DATA = 8,
	PCI_MSIX_ENTRY_CONTROL = 12,
};

enum pci_msix_control {
	PCI_MSIX_FUNCTION_MASK = 0x4000,
	PCI_MSIX_ENABLE = 0x8000,
	PCI_MSIX_ENTRY_MASKED = 0x01,
};

#define PCI_CLASS_CODE(base, sub, interface) ((base) << 16 | (sub) << 8 | (interface))

#define PCI_VENDOR_INTEL      0x8086
#define PCI_VENDOR_REDHAT     0x1af4
#define PCI_VENDOR_QEMU       0x1b36 /* Red Hat's IDs for QEMU's devices */
#define PCI_SUBSYSTEM_GENERIC 0x1100

#endif
