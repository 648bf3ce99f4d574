/*
 * vmcoreinfo: a file of the firmware configuration device, into which a guest's kernel writes where its
 * notes for crash dumps are: format of the host's dump, of the guest's notes, size, address.
 */
#include "base/checked.h"
#include "hw/fw_cfg.h"
#include "hw/guest-info.h"

#define VMCOREINFO_FILE "etc/vmcoreinfo"
#define FORMAT_ELF      1

enum { HOST_FORMAT = 0, ALL = 16 }; /* offsets */

struct vmcoreinfo {
	struct device dev;
	struct device *fw_cfg;
	uint8_t content[ALL];
};

static struct vmcoreinfo *vmcoreinfo_of(struct device *dev)
{
	return container_of(dev, struct vmcoreinfo, dev);
}

static void content_written(void *opaque, const uint8_t *data, size_t offset, size_t len)
{
	struct vmcoreinfo *v = opaque;

	memcpy(v->content, data, ALL);
}

static void show_content(struct vmcoreinfo *v)
{
	g_autoptr(GBytes) content = g_bytes_new(v->content, ALL);

	/* It exists, and is not larger than before. */
	if (v->fw_cfg)
		fw_cfg_set_file(v->fw_cfg, VMCOREINFO_FILE, content, NULL);
}

static void clear_content(struct vmcoreinfo *v)
{
	memset(v->content, 0, ALL);
	put_le16(v->content + HOST_FORMAT, FORMAT_ELF);
	show_content(v);
}

bool vmcoreinfo_attach(struct device *dev, struct device *fw_cfg, GError **errp)
{
	struct vmcoreinfo *v = vmcoreinfo_of(dev);
	g_autoptr(GBytes) content = NULL;
	struct fw_cfg_file file = {
		.name = VMCOREINFO_FILE,
		.writable = true,
		.written = content_written,
		.opaque = v,
	};

	clear_content(v);
	file.content = content = g_bytes_new(v->content, ALL);
	if (!fw_cfg_add_file(fw_cfg, &file, errp))
		return false;
	v->fw_cfg = fw_cfg;
	return true;
}

static void vmcoreinfo_reset(struct device *dev)
{
	clear_content(vmcoreinfo_of(dev));
}

static bool vmcoreinfo_post_load(struct device *dev, GError **errp)
{
	show_content(vmcoreinfo_of(dev));
	return true;
}

static const struct field vmcoreinfo_state[] = {
	SAVE_BYTES(struct vmcoreinfo, content),
	FIELD_ROW_END,
};

const struct device_type vmcoreinfo_type = {
	.name = "vmcoreinfo",
	.help = "Takes the place of a kernel's notes for crash dumps",
	.size = sizeof(struct vmcoreinfo),
	.flags = TYPE_USER_CREATABLE,
	.state = vmcoreinfo_state,
	.reset = vmcoreinfo_reset,
	.post_load = vmcoreinfo_post_load,
};
