/*
 * The machine pc in its versions: pc-i440fx-7.2 is today's, the others keep for guests that were
 * installed under them what these would see change. Rows are here only for what both show: what is
 * read out of QEMU 7.2 under both names differs in that, and so does what is read here.
 */
#include "hw/pc-versions.h"
#include "hw/pc/pc.h"

#define UPTO(_major, _minor) MACHINE_VERSION(_major, _minor)

static const struct machine_compat compat[] = {
	{UPTO(7, 1), "virtio-device", "queue_reset", "off"},
	{UPTO(7, 1), "virtio-rng-pci", "vectors", "0"},
	{UPTO(6, 1), "x86_64-cpu", "hv-version-id-build", "7100"},
	{UPTO(6, 1), "x86_64-cpu", "hv-version-id-major", "6"},
	{UPTO(6, 1), "x86_64-cpu", "hv-version-id-minor", "1"},
	{UPTO(6, 0), "qemu64-x86_64-cpu", "family", "6"},
	{UPTO(6, 0), "qemu64-x86_64-cpu", "model", "6"},
	{UPTO(6, 0), "qemu64-x86_64-cpu", "stepping", "3"},
	{UPTO(6, 0), "x86_64-cpu", "x-vendor-cpuid-only", "off"},
	{UPTO(5, 1), "pvpanic", "events", "1"},
	{UPTO(5, 0), "virtio-device", "x-disable-legacy-check", "on"},
	{UPTO(5, 0), "virtio-balloon-device", "page-poison", "off"},
	{UPTO(4, 2), "virtio-device", "use-disabled-flag", "off"},
	{UPTO(4, 0), "virtio-device", "use-started", "off"},
	{UPTO(4, 0), "virtio-balloon-device", "qemu-4-0-config-size", "on"},
	{UPTO(3, 1), "virtio-balloon-device", "qemu-4-0-config-size", "off"},
	{UPTO(3, 1), "x86_64-cpu", "x-intel-pt-auto-level", "off"},
	{UPTO(3, 0), "x86_64-cpu", "x-hv-synic-kvm-only", "on"},
	{UPTO(2, 10), "x86_64-cpu", "x-hv-max-vps", "64"},
	{UPTO(2, 8), "fw_cfg_io", "x-file-slots", "16"},
	{UPTO(2, 8), "x86_64-cpu", "tcg-cpuid", "off"},
	{UPTO(2, 8), "x86_64-cpu", "vmware-cpuid-freq", "off"},
	{UPTO(2, 7), "ioapic", "version", "17"},
	{UPTO(2, 7), "virtio-pci", "page-per-vq", "on"},
	{UPTO(2, 7), "virtio-serial-device", "emergency-write", "off"},
	{UPTO(2, 7), "x86_64-cpu", "full-cpuid-auto-level", "off"},
	{UPTO(2, 7), "x86_64-cpu", "l3-cache", "off"},
	{UPTO(2, 6), "virtio-pci-either", "disable-modern", "on"},
	{UPTO(2, 6), "virtio-pci-either", "disable-legacy", "off"},
	{UPTO(2, 6), "x86_64-cpu", "cpuid-0xb", "off"},
	{UPTO(2, 6), "x86_64-cpu", "fill-mtrr-mask", "off"},
	{UPTO(2, 4), "fw_cfg_io", "dma_enabled", "off"},
	{UPTO(1, 6), "qemu64-x86_64-cpu", "model", "2"},
	{UPTO(1, 4), "virtio-serial-pci", "vectors", "32"},
	{},
};

/* The last version that has the quirk. */
static const unsigned quirks[] = {
	[PC_QUIRK_NO_HT_HOLE] = UPTO(7, 0),
	[PC_QUIRK_ROOT_UID_1] = UPTO(5, 1),
	[PC_QUIRK_NO_HOLE64] = UPTO(2, 10),
	[PC_QUIRK_ALL_BELOW_4G] = UPTO(1, 7),
};

bool pc_has_quirk(const struct pc_machine *pc, enum pc_quirk quirk)
{
	return pc->m.info->version && pc->m.info->version <= quirks[quirk];
}

#define NEWEST MACHINE_VERSION(7, 2)

#define PC_DEFINE(_major, _minor)                                                                  \
	static const struct machine_info pc_##_major##_##_minor##_info = {                         \
		.alias = MACHINE_VERSION(_major, _minor) == NEWEST ? "pc" : NULL,                  \
		.desc = "Standard PC (i440FX + PIIX, 1996)",                                       \
		.family = "pc_piix",                                                               \
		.version = MACHINE_VERSION(_major, _minor),                                        \
		.compat = compat,                                                                  \
		.is_default = MACHINE_VERSION(_major, _minor) == NEWEST,                           \
		.deprecated = MACHINE_VERSION(_major, _minor) <= UPTO(1, 7),                       \
		.numa_mem = MACHINE_VERSION(_major, _minor) <= UPTO(5, 0),                         \
		.max_cpus = 255,                                                                   \
		.default_cpu = "qemu64",                                                           \
		.default_ram_id = "pc.ram",                                                        \
		.default_ram_size = 128 * MIB,                                                     \
		.wakes_up = true,                                                                  \
		.wants_smm = pc_wants_smm,                                                         \
		.cpu_hotplug = &pc_cpu_hotplug,                                                    \
		.build = pc_build,                                                                 \
		.finish = pc_finish,                                                               \
	};                                                                                         \
	const struct device_type pc_##_major##_##_minor##_machine_type = {                         \
		.name = "pc-i440fx-" #_major "." #_minor "-machine",                               \
		.help = "Standard PC (i440FX + PIIX, 1996)",                                       \
		.base = &pc_machine_type,                                                          \
		.category = CATEGORY_MACHINE,                                                      \
		.size = sizeof(struct pc_machine),                                                 \
		.flags = STATE_NONE,                                                               \
		.class_data = &pc_##_major##_##_minor##_info,                                      \
	};
PC_VERSIONS(PC_DEFINE)
