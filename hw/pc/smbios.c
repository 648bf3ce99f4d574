/* What the SMBIOS tables of this board say. */
#include "hw/i440fx.h"
#include "hw/pc/pc.h"

const struct enum_name pc_smbios_entry_names[] = {
	{"32", PC_SMBIOS_32, "SMBIOS 2.8: the table lies below 4 GiB, of 64 KiB at most"},
	{"64", PC_SMBIOS_64, "SMBIOS 3.0"},
	{NULL, 0, NULL},
};

static int find_pci(void *opaque, const char *id)
{
	struct device *dev = tree_find_id(id);
	struct pci_device *pci;

	if (!dev || !device_type_is_a(dev->type, &pci_device_type))
		return -1;
	pci = pci_device_of(dev);
	return pci_bus_number(pci_bus_of(pci)) << 8 | pci->devfn;
}

struct smbios_tables *pc_describe_smbios(struct pc_machine *pc, GError **errp)
{
	const struct machine *m = &pc->m;
	const struct cpu_topology *topo = &m->topo;
	g_autofree char *name = machine_type_name(m->dev.type);
	unsigned cores = MAX(topo->dies * topo->cores, 1), threads = MAX(cores * topo->threads, 1);
	const struct smbios_machine smbios = {
		.manufacturer = "QEMU",
		.product = m->info->desc,
		.version = name,
		.uuid = m->has_uuid ? m->uuid : NULL,
		.sockets = DIV_ROUND_UP(topo->cpus, threads),
		.cores = cores,
		.threads = threads,
		.cpuid_signature = cpu_signature(&m->features),
		.cpuid_features = m->features.words[FEAT_1_EDX],
		.ram_size = m->ram_size,
		.below_4g = m->below_4g,
		.above_4g = m->above_4g,
		.entry64 = pc->smbios_entry_point == PC_SMBIOS_64,
		.find_pci = find_pci,
	};

	return smbios_tables_new(&smbios, m->smbios, errp);
}
