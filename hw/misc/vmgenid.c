/*
 * vmgenid: a number that changes when the machine becomes another one.
 *
 * A guest that is started from a copy of itself, or goes on from an old snapshot, must not use the random
 * numbers of its past again. So there is a 128-bit ID in a page of its memory, and a general-purpose
 * event that says it has changed. Firmware puts the page there and tells where; the ACPI device VGEN
 * leads the guest to it. The ID is a property of this process, not of the saved state: when state
 * is loaded, the page gets the ID of the process that loads it.
 *
 * Source: Microsoft, "Virtual Machine Generation ID", 2018.
 */
#include "base/checked.h"
#include "base/trace.h"
#include "hw/fw_cfg.h"
#include "hw/guest-info.h"

TRACE_DEFINE(vmgenid_address, "ID is at 0x%" PRIx64);
TRACE_DEFINE(vmgenid_changed, "new ID written to 0x%" PRIx64);

struct vmgenid {
	struct device dev;
	struct address_space *memory;
	struct irq *changed;
	uint8_t guid[UUID_SIZE];
	uint64_t addr; /* of the ID in guest memory; 0: firmware did not say yet */
};

static struct vmgenid *vmgenid_of(struct device *dev)
{
	return container_of(dev, struct vmgenid, dev);
}

const uint8_t *vmgenid_guid(const struct device *dev)
{
	return vmgenid_of((struct device *)dev)->guid;
}

void vmgenid_fill_page(const struct device *dev, uint8_t page[VMGENID_PAGE_SIZE])
{
	uint8_t *guid = page + VMGENID_GUID_OFFSET;

	memset(page, 0, VMGENID_PAGE_SIZE);
	memcpy(guid, vmgenid_guid(dev), UUID_SIZE);
	uuid_swap(guid);
}

void vmgenid_set_address(struct device *dev, uint64_t addr)
{
	trace(vmgenid_address, addr);
	vmgenid_of(dev)->addr = addr;
}

/* Firmware wrote the file with the address. */
static void address_written(void *opaque, const uint8_t *data, size_t offset, size_t len)
{
	vmgenid_set_address(opaque, get_le64(data));
}

bool vmgenid_attach(struct device *dev, struct device *fw_cfg, struct address_space *memory,
		    struct irq *changed, GError **errp)
{
	static const uint8_t no_address[8];
	struct vmgenid *v = vmgenid_of(dev);
	g_autoptr(GBytes) content = g_bytes_new_static(no_address, sizeof(no_address));
	g_autofree uint8_t *page = g_malloc(VMGENID_PAGE_SIZE);
	struct fw_cfg_file file = {
		.name = VMGENID_ADDR_FILE,
		.content = content,
		.writable = true,
		.written = address_written,
		.opaque = dev,
	};

	v->memory = memory;
	v->changed = changed;
	vmgenid_fill_page(dev, page);
	return fw_cfg_add_file_bytes(fw_cfg, VMGENID_PAGE_FILE, page, VMGENID_PAGE_SIZE, errp) &&
	       fw_cfg_add_file(fw_cfg, &file, errp);
}

static void vmgenid_reset(struct device *dev)
{
	vmgenid_of(dev)->addr = 0;
}

/* The address is the guest's: what is not its memory takes no ID. */
static bool vmgenid_post_load(struct device *dev, GError **errp)
{
	struct vmgenid *v = vmgenid_of(dev);
	uint8_t guid[UUID_SIZE];

	if (!v->addr || !v->memory)
		return true;
	memcpy(guid, v->guid, UUID_SIZE);
	uuid_swap(guid);
	as_write(v->memory, v->addr, guid, UUID_SIZE);
	trace(vmgenid_changed, v->addr);
	irq_pulse(v->changed);
	return true;
}

/* ---- The property ---- */

static bool guid_parse(const char *text, void *ptr, GError **errp)
{
	uint8_t *guid = ptr, parsed[UUID_SIZE];

	if (!strcmp(text, "auto")) {
		g_autofree char *random = g_uuid_string_random();

		return uuid_parse(random, guid);
	}
	if (!uuid_parse(text, parsed))
		return false;
	memcpy(guid, parsed, UUID_SIZE);
	return true;
}

static char *guid_print(const void *ptr)
{
	return uuid_print(ptr);
}

static const struct field_custom guid_custom = {
	.name = "str",
	.parse = guid_parse,
	.print = guid_print,
};

static const struct field vmgenid_props[] = {
	PROP_CUSTOM(struct vmgenid, guid, "guid", &guid_custom, "auto",
		    "The ID, a UUID; auto: a random one"),
	FIELD_ROW_END,
};

static const struct field vmgenid_state[] = {
	SAVE_UINT(struct vmgenid, addr),
	FIELD_ROW_END,
};

const struct device_type vmgenid_type = {
	.name = "vmgenid",
	.help = "Tells the guest that it is a copy (VM generation ID)",
	.size = sizeof(struct vmgenid),
	.flags = TYPE_USER_CREATABLE,
	.props = vmgenid_props,
	.state = vmgenid_state,
	.reset = vmgenid_reset,
	.post_load = vmgenid_post_load,
};
