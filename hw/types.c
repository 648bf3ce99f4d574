/*
 * The one array of all device types. A type that is not here does not exist for users, for
 * introspection and for the generated tests; nothing registers itself. Abstract bases are listed too:
 * qom-list-types and -global know them by name.
 */
#include "accel/dbt.h"
#include "accel/kvm.h"
#include "accel/qtest.h"
#include "crypto/secret.h"
#include "crypto/tls.h"
#include "hw/dma.h"
#include "hw/flash.h"
#include "hw/fw_cfg.h"
#include "hw/ged.h"
#include "hw/guest-info.h"
#include "hw/i440fx.h"
#include "hw/i8042.h"
#include "hw/intc.h"
#include "hw/isa.h"
#include "hw/pc-versions.h"
#include "hw/pci.h"
#include "hw/pci/bridge.h"
#include "hw/piix.h"
#include "hw/rng.h"
#include "hw/rtc.h"
#include "hw/types.h"
#include "hw/virtio/mmio.h"
#include "hw/virtio/pci.h"
#include "machine/iothread.h"
#include "machine/machine.h"
#include "machine/memory-backend.h"

/* Chips and boards that no header declares. */
extern const struct device_type edu_type, pci_serial_2x_type, pci_serial_4x_type, pci_serial_type;
extern const struct device_type i6300esb_type, ib700_type, debug_exit_type, debugcon_type,
	fw_cfg_type, gsi_router_type, isa_parallel_type, isa_serial_type, pc_machine_type,
	i82801_bridge_type, pci_bridge_type, pcspk_type, port92_type, pvpanic_pci_type,
	virtio_rng_type, virtio_rng_pci_type, virtio_rng_pci_transitional_type,
	virtio_rng_pci_modern_type, virtconsole_type, virtio_balloon_type, virtio_balloon_pci_type,
	virtio_balloon_pci_modern_type, virtio_balloon_pci_transitional_type,
	virtio_serial_port_type, virtio_serial_type, virtio_serial_pci_type,
	virtio_serial_pci_modern_type, virtio_serial_pci_transitional_type, virtserialport_type;
extern const struct device_type microvm_machine_type, pc_testdev_type, pci_testdev_type;

static const struct device_type *const rows[] = {
	/* Machines */
	&machine_type,
	&none_machine_type,
	&microvm_machine_type,
#define ROW(_major, _minor) &pc_##_major##_##_minor##_machine_type,
	&pc_machine_type,
	PC_VERSIONS(ROW)
#undef ROW

		/* Memory back ends */
		& memory_backend_type,
	&memory_backend_file_type,
	&memory_backend_memfd_type,
	&memory_backend_ram_type,

	/* Secrets, and what proves who one is */
	&secret_common_type,
	&secret_keyring_type,
	&secret_type,
	&tls_creds_anon_type,
	&tls_creds_psk_type,
	&tls_creds_type,
	&tls_creds_x509_type,

	/* Threads */
	&iothread_type,

	/* Accelerators */
	&dbt_accel_type,
	&kvm_accel_type,
	&qtest_accel_type,

	/* The kernel's interrupt controllers and clocks */
	&kvm_i8259_type,
	&kvm_ioapic_type,
	&kvm_pit_type,
	&kvm_clock_type,

	/* Interrupt controllers and timers in the process */
	&apic_bus_type,
	&hpet_type,
	&i8259_type,
	&ioapic_type,
	&lapic_type,
	&pit_type,

	/* The PCI bus, bridges */
	&gsi_router_type,
	&ged_type,
	&i440fx_host_type,
	&i440fx_type,
	&i82801_bridge_type,
	&pci_bridge_base_type,
	&pci_bridge_type,
	&pci_device_type,
	&piix3_type,
	&piix4_pm_type,

	/* Cards */
	&edu_type,
	&pci_serial_2x_type,
	&pci_serial_4x_type,
	&pci_serial_type,
	&pci_testdev_type,
	&pvpanic_pci_type,

	/* For firmware, and for the guest to know about itself */
	&fw_cfg_io_type,
	&fw_cfg_mem_type,
	&fw_cfg_type,
	&vmcoreinfo_type,
	&vmgenid_type,
	&pflash_cfi01_type,

	/* The ISA bus and its devices */
	&debug_exit_type,
	&debugcon_type,
	&i8042_type,
	&i8237_type,
	&isa_device_type,
	&isa_parallel_type,
	&isa_serial_type,
	&pc_testdev_type,
	&pcspk_type,
	&port92_type,
	&pvpanic_type,
	&rtc_type,

	/* Watchdogs */
	&i6300esb_type,
	&ib700_type,

	/* Virtio: cores and transports, devices, and their PCI cards */
	&virtio_device_type,
	&virtio_mmio_type,
	&virtio_pci_either_type,
	&virtio_pci_modern_type,
	&virtio_pci_transitional_type,
	&virtio_pci_type,
	&virtconsole_type,
	&virtio_balloon_type,
	&virtio_balloon_pci_type,
	&virtio_balloon_pci_modern_type,
	&virtio_balloon_pci_transitional_type,
	&virtio_rng_type,
	&virtio_rng_pci_type,
	&virtio_rng_pci_modern_type,
	&virtio_rng_pci_transitional_type,
	&virtio_serial_port_type,
	&virtio_serial_type,
	&virtio_serial_pci_type,
	&virtio_serial_pci_modern_type,
	&virtio_serial_pci_transitional_type,
	&virtserialport_type,

	/* Sources of randomness */
	&rng_backend_type,
	&rng_builtin_type,
	&rng_egd_type,
	&rng_random_type,
};

const struct device_type *const *hw_types(void)
{
	static const struct device_type *const *all;
	GPtrArray *list;

	if (all)
		return all;
	list = g_ptr_array_new();
	for (size_t i = 0; i < G_N_ELEMENTS(rows); i++)
		g_ptr_array_add(list, (void *)rows[i]);
	for (const struct device_type *const *t = x86_cpu_types(); *t; t++)
		g_ptr_array_add(list, (void *)*t);
	g_ptr_array_add(list, NULL);
	all = (const struct device_type *const *)g_ptr_array_free(list, false);
	return all;
}
