/* QMP's query-pci and HMP's info pci: what is on the PCI buses, as configuration space says. */
#include "api/codec.h"
#include "hmp.h"
#include "hw/pci.h"
#include "hw/pci/bridge.h"
#include "internal.h"

static const struct {
	uint16_t class;
	const char *name;
} class_names[] = {
	{0x0001, "VGA controller"},
	{0x0100, "SCSI controller"},
	{0x0101, "IDE controller"},
	{0x0102, "Floppy controller"},
	{0x0103, "IPI controller"},
	{0x0104, "RAID controller"},
	{0x0106, "SATA controller"},
	{0x0107, "SAS controller"},
	{0x0180, "Storage controller"},
	{0x0200, "Ethernet controller"},
	{0x0201, "Token Ring controller"},
	{0x0202, "FDDI controller"},
	{0x0203, "ATM controller"},
	{0x0280, "Network controller"},
	{0x0300, "VGA controller"},
	{0x0301, "XGA controller"},
	{0x0302, "3D controller"},
	{0x0380, "Display controller"},
	{0x0400, "Video controller"},
	{0x0401, "Audio controller"},
	{0x0402, "Phone"},
	{0x0403, "Audio controller"},
	{0x0480, "Multimedia controller"},
	{0x0500, "RAM controller"},
	{0x0501, "Flash controller"},
	{0x0580, "Memory controller"},
	{0x0600, "Host bridge"},
	{0x0601, "ISA bridge"},
	{0x0602, "EISA bridge"},
	{0x0603, "MC bridge"},
	{0x0604, "PCI bridge"},
	{0x0605, "PCMCIA bridge"},
	{0x0606, "NUBUS bridge"},
	{0x0607, "CARDBUS bridge"},
	{0x0608, "RACEWAY bridge"},
	{0x0680, "Bridge"},
	{0x0700, "Serial port"},
	{0x0701, "Parallel port"},
	{0x0800, "Interrupt controller"},
	{0x0801, "DMA controller"},
	{0x0802, "Timer"},
	{0x0803, "RTC"},
	{0x0900, "Keyboard"},
	{0x0901, "Pen"},
	{0x0902, "Mouse"},
	{0x0a00, "Dock station"},
	{0x0b00, "i386 cpu"},
	{0x0c00, "Firewire controller"},
	{0x0c01, "Access bus controller"},
	{0x0c02, "SSA controller"},
	{0x0c03, "USB controller"},
	{0x0c04, "Fibre channel controller"},
	{0x0c05, "SMBus"},
};

static const char *class_name(uint16_t class)
{
	for (size_t i = 0; i < G_N_ELEMENTS(class_names); i++) {
		if (class_names[i].class == class)
			return class_names[i].name;
	}
	return NULL;
}

/* ---- The rows, for the schema; the tree of buses is built as JSON ---- */

struct pci_class_row {
	char *desc;
	int64_t class;
};
static const struct field class_rows[] = {
	OPT_STRING(struct pci_class_row, desc, "desc", "What it is, if that is known"),
	ARG_INT(struct pci_class_row, class, "class", "Class code"),
	FIELD_ROW_END,
};
static const struct field_set class_set = {"PciDeviceClass", sizeof(struct pci_class_row),
					   class_rows};

struct pci_id_row {
	int64_t device, vendor, subsystem, subsystem_vendor;
	bool has_subsystem, has_subsystem_vendor;
};
static const struct field id_rows[] = {
	ARG_INT(struct pci_id_row, device, "device", "Device ID"),
	ARG_INT(struct pci_id_row, vendor, "vendor", "Vendor ID"),
	OPT_INT(struct pci_id_row, subsystem, "subsystem", "Subsystem ID"),
	OPT_INT(struct pci_id_row, subsystem_vendor, "subsystem-vendor", "Subsystem vendor ID"),
	FIELD_ROW_END,
};
static const struct field_set id_set = {"PciDeviceId", sizeof(struct pci_id_row), id_rows};

struct pci_range_row {
	int64_t base, limit;
};
static const struct field range_rows[] = {
	ARG_INT(struct pci_range_row, base, "base", "First address"),
	ARG_INT(struct pci_range_row, limit, "limit", "Last address"),
	FIELD_ROW_END,
};
static const struct field_set range_set = {"PciMemoryRange", sizeof(struct pci_range_row),
					   range_rows};

struct pci_bus_row {
	int64_t number, secondary, subordinate;
	struct pci_range_row io, memory, prefetch;
};
static const struct field bus_rows[] = {
	ARG_INT(struct pci_bus_row, number, "number", "Primary bus"),
	ARG_INT(struct pci_bus_row, secondary, "secondary", "Bus behind it"),
	ARG_INT(struct pci_bus_row, subordinate, "subordinate", "Last bus behind it"),
	ARG_STRUCT(struct pci_bus_row, io, "io_range", &range_set, "Ports passed on"),
	ARG_STRUCT(struct pci_bus_row, memory, "memory_range", &range_set, "Memory passed on"),
	ARG_STRUCT(struct pci_bus_row, prefetch, "prefetchable_range", &range_set,
		   "Prefetchable memory passed on"),
	FIELD_ROW_END,
};
static const struct field_set bus_set = {"PciBusInfo", sizeof(struct pci_bus_row), bus_rows};

struct pci_bridge_row {
	struct pci_bus_row bus;
	json_object *devices;
};
static const struct field bridge_rows[] = {
	ARG_STRUCT(struct pci_bridge_row, bus, "bus", &bus_set, "Numbers and windows"),
	OPT_ANY(struct pci_bridge_row, devices, "devices",
		"Functions behind it, as those of a bus"),
	FIELD_ROW_END,
};
static const struct field_set bridge_set = {"PciBridgeInfo", sizeof(struct pci_bridge_row),
					    bridge_rows};

struct pci_region_row {
	int64_t bar, address, size;
	char *type;
	bool has_prefetch, prefetch, has_mem_type_64, mem_type_64;
};
static const struct field region_rows[] = {
	ARG_INT(struct pci_region_row, bar, "bar", "Number; 6: the option ROM"),
	ARG_STRING(struct pci_region_row, type, "type", "io or memory"),
	ARG_INT(struct pci_region_row, address, "address", "Where it is mapped; -1: nowhere"),
	ARG_INT(struct pci_region_row, size, "size", "Bytes"),
	OPT_BOOL(struct pci_region_row, prefetch, "prefetch", "Memory may be prefetched"),
	OPT_BOOL(struct pci_region_row, mem_type_64, "mem_type_64", "Memory: 64-bit address"),
	FIELD_ROW_END,
};
static const struct field_set region_set = {"PciMemoryRegion", sizeof(struct pci_region_row),
					    region_rows};
static const struct field region_elem = {
	.kind = FIELD_STRUCT,
	.width = sizeof(struct pci_region_row),
	.sub = &region_set,
};

struct pci_function_row {
	int64_t bus, slot, function, irq, irq_pin;
	bool has_irq;
	struct pci_class_row class_info;
	struct pci_id_row id;
	char *qdev_id;
	struct pci_bridge_row *bridge;
	GArray *regions;
};
static const struct field function_rows[] = {
	ARG_INT(struct pci_function_row, bus, "bus", "Bus number"),
	ARG_INT(struct pci_function_row, slot, "slot", "Slot"),
	ARG_INT(struct pci_function_row, function, "function", "Function"),
	ARG_STRUCT(struct pci_function_row, class_info, "class_info", &class_set, "Class"),
	ARG_STRUCT(struct pci_function_row, id, "id", &id_set, "Who made it"),
	OPT_INT(struct pci_function_row, irq, "irq", "Interrupt line register"),
	ARG_INT(struct pci_function_row, irq_pin, "irq_pin", "Pin, 1 for INTA; 0: none"),
	ARG_STRING(struct pci_function_row, qdev_id, "qdev_id", "The user's id, or empty"),
	OPT_STRUCT(struct pci_function_row, bridge, "pci_bridge", &bridge_set, "Of a bridge"),
	ARG_LIST(struct pci_function_row, regions, "regions", &region_elem, "BARs"),
	FIELD_ROW_END,
};
static const struct field_set function_set = {"PciDeviceInfo", sizeof(struct pci_function_row),
					      function_rows};
static const struct field function_elem = {
	.kind = FIELD_STRUCT,
	.width = sizeof(struct pci_function_row),
	.sub = &function_set,
};

struct pci_root_row {
	int64_t bus;
	GArray *devices;
};
static const struct field root_rows[] = {
	ARG_INT(struct pci_root_row, bus, "bus", "Number of the root bus"),
	ARG_LIST(struct pci_root_row, devices, "devices", &function_elem, "Functions on it"),
	FIELD_ROW_END,
};
static const struct field_set root_set = {"PciInfo", sizeof(struct pci_root_row), root_rows};

/* ---- Reading configuration space ---- */

static GArray *describe_regions(const struct pci_device *pci)
{
	GArray *regions = g_array_new(false, true, sizeof(struct pci_region_row));

	for (unsigned n = 0; n <= PCI_ROM_SLOT; n++) {
		const struct pci_bar *bar = &pci->bars[n];
		bool is_io = bar->type & PCI_BAR_IO;
		struct pci_region_row row = {
			.bar = n,
			.address = pci_bar_address(pci, n),
			.size = bar->size,
			.has_prefetch = !is_io,
			.prefetch = bar->type & PCI_BAR_PREFETCH,
			.has_mem_type_64 = !is_io,
			.mem_type_64 = bar->type & PCI_BAR_64BIT,
		};

		if (!bar->region)
			continue;
		row.type = g_strdup(is_io ? "io" : "memory");
		g_array_append_val(regions, row);
	}
	return regions;
}

static json_object *describe_bus(struct pci_bus *bus);

static struct pci_range_row window_of(const struct pci_device *pci, enum pci_window window)
{
	uint64_t base, limit;

	pci_bridge_window(pci, window, &base, &limit);
	return (struct pci_range_row){.base = base, .limit = limit};
}

static struct pci_bridge_row *describe_bridge(struct pci_device *pci)
{
	struct pci_bridge *b = container_of(pci, struct pci_bridge, pci);
	struct pci_bridge_row *row = g_new0(struct pci_bridge_row, 1);

	row->bus = (struct pci_bus_row){
		.number = pci->config[PCI_PRIMARY_BUS],
		.secondary = pci->config[PCI_SECONDARY_BUS],
		.subordinate = pci->config[PCI_SUBORDINATE_BUS],
		.io = window_of(pci, PCI_WINDOW_PORTS),
		.memory = window_of(pci, PCI_WINDOW_MEMORY),
		.prefetch = window_of(pci, PCI_WINDOW_PREFETCH),
	};
	/* Without a number what is behind it cannot be reached. */
	if (row->bus.secondary)
		row->devices = describe_bus(&b->bus);
	return row;
}

static struct pci_function_row describe_function(struct pci_device *pci)
{
	uint16_t class = pci_get16(pci, PCI_CLASS);
	bool bridge = device_type_is_a(pci->dev.type, &pci_bridge_base_type);
	struct pci_function_row row = {
		.bus = pci_bus_number(pci_bus_of(pci)),
		.slot = PCI_SLOT(pci->devfn),
		.function = PCI_FUNCTION(pci->devfn),
		.irq_pin = pci->config[PCI_INTERRUPT_PIN],
		.has_irq = pci->config[PCI_INTERRUPT_PIN],
		.irq = pci->config[PCI_INTERRUPT_LINE],
		.qdev_id = g_strdup(pci->dev.id ? pci->dev.id : ""),
	};

	row.class_info = (struct pci_class_row){g_strdup(class_name(class)), class};
	row.id.vendor = pci_get16(pci, PCI_VENDOR_ID);
	row.id.device = pci_get16(pci, PCI_DEVICE_ID);
	row.id.has_subsystem = row.id.has_subsystem_vendor = !pci->info->bridge;
	row.id.subsystem = pci_get16(pci, PCI_SUBSYSTEM_ID);
	row.id.subsystem_vendor = pci_get16(pci, PCI_SUBSYSTEM_VENDOR_ID);
	row.bridge = bridge ? describe_bridge(pci) : NULL;
	row.regions = describe_regions(pci);
	return row;
}

static void add_function(struct pci_device *pci, void *opaque)
{
	struct pci_function_row row = describe_function(pci);

	json_object_array_add(opaque, codec_encode(&function_set, &row));
	fields_clear(function_rows, &row);
}

static json_object *describe_bus(struct pci_bus *bus)
{
	json_object *list = json_object_new_array();

	pci_bus_foreach(bus, add_function, list);
	return list;
}

static void add_roots(struct device *dev, void *opaque)
{
	for (guint i = 0; dev->buses && i < dev->buses->len; i++) {
		struct bus *base = dev->buses->pdata[i];
		struct pci_bus *bus = container_of(base, struct pci_bus, bus);
		json_object *root;

		if (!g_str_has_prefix(base->type->kind, "PCI") || bus->bridge)
			continue;
		root = json_object_new_object();
		json_object_object_add(root, "bus", json_object_new_int64(pci_bus_number(bus)));
		json_object_object_add(root, "devices", describe_bus(bus));
		json_object_array_add(opaque, root);
	}
}

static bool qmp_query_pci(void *args, void *result, GError **errp)
{
	json_object *list = json_object_new_array();

	device_foreach(tree_root(), add_roots, list);
	*(json_object **)result = list;
	return true;
}

const struct command pci_commands[] = {
	{"query-pci", "What is on the PCI buses", NULL, &root_set, qmp_query_pci,
	 COMMAND_RESULT_ANY | COMMAND_RESULT_LIST},
	{NULL},
};

/* ---- HMP ---- */

static json_object *member(json_object *object, const char *name)
{
	return json_object_object_get(object, name);
}

static int64_t number(json_object *object, const char *name)
{
	return json_object_get_int64(member(object, name));
}

static void print_region(GString *out, json_object *region)
{
	uint64_t address = number(region, "address"), last = address + number(region, "size") - 1;

	g_string_append_printf(out, "      BAR%d: ", (int)number(region, "bar"));
	if (!g_strcmp0(json_object_get_string(member(region, "type")), "io")) {
		g_string_append_printf(out, "I/O at 0x%04" PRIx64 " [0x%04" PRIx64 "].\n", address,
				       last);
		return;
	}
	g_string_append_printf(out, "%d bit%s memory at 0x%08" PRIx64 " [0x%08" PRIx64 "].\n",
			       json_object_get_boolean(member(region, "mem_type_64")) ? 64 : 32,
			       json_object_get_boolean(member(region, "prefetch")) ? " prefetchable"
										   : "",
			       address, last);
}

static void print_range(GString *out, const char *what, unsigned digits, json_object *range)
{
	g_string_append_printf(out, "      %s [0x%0*" PRIx64 ", 0x%0*" PRIx64 "]\n", what, digits,
			       (uint64_t)number(range, "base"), digits,
			       (uint64_t)number(range, "limit"));
}

static void print_bridge(GString *out, json_object *bus)
{
	g_string_append_printf(out,
			       "      BUS %" PRId64 ".\n      secondary bus %" PRId64
			       ".\n      subordinate bus %" PRId64 ".\n",
			       number(bus, "number"), number(bus, "secondary"),
			       number(bus, "subordinate"));
	print_range(out, "IO range", 4, member(bus, "io_range"));
	print_range(out, "memory range", 8, member(bus, "memory_range"));
	print_range(out, "prefetchable memory range", 8, member(bus, "prefetchable_range"));
}

static void print_functions(GString *out, json_object *list);

static void print_function(GString *out, json_object *dev)
{
	json_object *class = member(dev, "class_info"), *id = member(dev, "id");
	json_object *bridge = member(dev, "pci_bridge"), *regions = member(dev, "regions");
	json_object *desc = member(class, "desc");

	g_string_append_printf(out,
			       "  Bus %2" PRId64 ", device %3" PRId64 ", function %" PRId64
			       ":\n    ",
			       number(dev, "bus"), number(dev, "slot"), number(dev, "function"));
	if (desc)
		g_string_append(out, json_object_get_string(desc));
	else
		g_string_append_printf(out, "Class %04d", (int)number(class, "class"));
	g_string_append_printf(out, ": PCI device %04x:%04x\n", (unsigned)number(id, "vendor"),
			       (unsigned)number(id, "device"));
	if (member(id, "subsystem"))
		g_string_append_printf(out, "      PCI subsystem %04x:%04x\n",
				       (unsigned)number(id, "subsystem-vendor"),
				       (unsigned)number(id, "subsystem"));
	if (member(dev, "irq"))
		g_string_append_printf(out, "      IRQ %d, pin %c\n", (int)number(dev, "irq"),
				       (char)('A' + number(dev, "irq_pin") - 1));
	if (bridge)
		print_bridge(out, member(bridge, "bus"));
	for (size_t i = 0; i < json_object_array_length(regions); i++)
		print_region(out, json_object_array_get_idx(regions, i));
	g_string_append_printf(out, "      id \"%s\"\n",
			       json_object_get_string(member(dev, "qdev_id")));
	if (bridge && member(bridge, "devices"))
		print_functions(out, member(bridge, "devices"));
}

static void print_functions(GString *out, json_object *list)
{
	for (size_t i = 0; i < json_object_array_length(list); i++)
		print_function(out, json_object_array_get_idx(list, i));
}

void hmp_print_pci(struct hmp *hmp, json_object *result)
{
	for (size_t i = 0; i < json_object_array_length(result); i++)
		print_functions(hmp->out, member(json_object_array_get_idx(result, i), "devices"));
}
