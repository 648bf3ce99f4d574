/* -device pvpanic, vmgenid and vmcoreinfo: their files for firmware, and lines. */
#include "hw/guest-info.h"
#include "hw/pc/pc.h"

#define GPE_GENERATION_ID 5

struct search {
	const struct device_type *type;
	GPtrArray *found;
};

static void note_device(struct device *dev, void *opaque)
{
	struct search *s = opaque;

	if (dev->realized && dev->type == s->type)
		g_ptr_array_add(s->found, dev);
}

static GPtrArray *find_all(const struct device_type *type)
{
	struct search s = {type, g_ptr_array_new()};

	device_foreach(tree_root(), note_device, &s);
	return s.found;
}

/* The device of a type of which there may be one; NULL: none. False: several. */
static bool find_one(const struct device_type *type, struct device **dev, GError **errp)
{
	g_autoptr(GPtrArray) all = find_all(type);

	*dev = all->len ? all->pdata[0] : NULL;
	if (all->len <= 1)
		return true;
	error_set(errp, "at most one %s device is permitted", type->name);
	return false;
}

static bool attach_panic_ports(struct pc_machine *pc, GError **errp)
{
	g_autoptr(GPtrArray) all = find_all(&pvpanic_type);

	for (guint i = 0; i < all->len; i++) {
		if (!pvpanic_attach(all->pdata[i], pc->fw_cfg, errp))
			return false;
	}
	return true;
}

bool pc_attach_guest_info(struct pc_machine *pc, GError **errp)
{
	struct device *coreinfo;

	if (!attach_panic_ports(pc, errp) || !find_one(&vmcoreinfo_type, &coreinfo, errp) ||
	    !find_one(&vmgenid_type, &pc->vmgenid, errp))
		return false;
	if (coreinfo && !vmcoreinfo_attach(coreinfo, pc->fw_cfg, errp))
		return false;
	if (!pc->vmgenid)
		return true;
	if (!pc->pm) {
		error_set(errp, "vmgenid needs the ACPI events of a PC, this machine has none");
		return false;
	}
	return vmgenid_attach(pc->vmgenid, pc->fw_cfg, &pc->m.memory,
			      device_input(pc->pm, "gpe", GPE_GENERATION_ID), errp);
}
