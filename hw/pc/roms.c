/* Option ROMs that belong to no device: firmware finds them as files and copies them to its ROM area. */
#include "base/datafile.h"
#include "device/boot-order.h"
#include "hw/fw_cfg.h"
#include "hw/pc/pc.h"

bool pc_add_rom(struct pc_machine *pc, const char *name, int64_t index, GError **errp)
{
	g_autofree char *path = datafile_find(name), *bytes = NULL, *base = NULL, *file = NULL;
	g_autofree char *place = NULL;
	g_autoptr(GError) err = NULL;
	gsize size;

	if (!path) {
		error_set(errp, "Could not find option ROM '%s'", name);
		return false;
	}
	if (!g_file_get_contents(path, &bytes, &size, &err)) {
		error_set(errp, "Could not read option ROM '%s': %s", name, err->message);
		return false;
	}
	base = g_path_get_basename(path);
	file = g_strdup_printf("genroms/%s", base);
	place = g_strdup_printf("/rom@%s", file);
	return fw_cfg_add_file_bytes(pc->fw_cfg, file, bytes, size, errp) &&
	       boot_order_add(index, NULL, place, errp);
}

bool pc_add_user_roms(struct pc_machine *pc, GError **errp)
{
	const GArray *roms = pc->m.boot.roms;

	for (guint i = 0; roms && i < roms->len; i++) {
		const struct boot_rom *rom = &g_array_index(roms, struct boot_rom, i);

		if (!pc_add_rom(pc, rom->file, rom->index, errp))
			return false;
	}
	return true;
}
