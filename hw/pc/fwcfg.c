/* What the board tells firmware through the firmware configuration device. */
#include "base/checked.h"
#include "base/datafile.h"
#include "hw/fw_cfg.h"
#include "hw/pc/pc.h"
#include "machine/cpu-plug.h"
#include "hw/piix.h"
#include "machine/numa.h"

#define FW_CFG_PORT    0x510
#define HPETS_MAX      8
#define HPET_ITEM_SIZE 15
#define BMP_DEPTH      28 /* offset of the bits of a pixel */

bool pc_make_fw_cfg(struct pc_machine *pc, GError **errp)
{
	struct fw_cfg_config config = {
		.root = &pc->m.io_root,
		.addr = FW_CFG_PORT,
		.dma = &pc->m.memory,
	};
	struct device *dev = device_new(&fw_cfg_io_type);

	fw_cfg_configure(dev, &config);
	if (!device_realize(dev, &pc->m.dev, "fw_cfg", NULL, errp)) {
		device_unref(dev);
		return false;
	}
	pc->fw_cfg = dev;
	return true;
}

/* One past the largest APIC ID any CPU of the topology can have. */
unsigned pc_apic_id_limit(const struct machine *m)
{
	return m->topo.maxcpus ? cpu_place_of_index(&m->topo, m->topo.maxcpus - 1).apic_id + 1 : 0;
}

/* Counts of nodes, the node of each APIC ID, the size of each node's memory: 8 bytes each. */
static void add_numa(struct pc_machine *pc)
{
	const struct machine *m = &pc->m;
	const struct numa_config *numa = m->numa;
	unsigned nodes = numa ? numa->count : 0, ids = pc_apic_id_limit(m);
	size_t size = 8 * (1 + ids + nodes);
	g_autofree uint8_t *table = g_malloc0(size);

	put_le64(table, nodes);
	for (unsigned i = 0; numa && i < numa->cpus; i++)
		put_le64(table + 8 * (1 + cpu_place_of_index(&m->topo, i).apic_id),
			 numa->cpu_node[i]);
	for (unsigned i = 0; i < nodes; i++)
		put_le64(table + 8 * (1 + ids + i), numa->node[i].size);
	fw_cfg_add_bytes(pc->fw_cfg, FW_CFG_NUMA, table, size);
}

static void add_numbers(struct pc_machine *pc)
{
	const struct machine *m = &pc->m;
	struct device *f = pc->fw_cfg;

	fw_cfg_add_bytes(f, FW_CFG_UUID, m->uuid, sizeof(m->uuid));
	fw_cfg_add_uint(f, FW_CFG_RAM_SIZE, m->ram_size, 8);
	fw_cfg_add_uint(f, FW_CFG_NOGRAPHIC, !m->graphics, 2);
	fw_cfg_add_uint(f, FW_CFG_NB_CPUS, machine_cpus_present(m), 2);
	fw_cfg_add_uint(f, FW_CFG_BOOT_MENU, m->boot.menu, 2);
	fw_cfg_add_uint(f, FW_CFG_MAX_CPUS, pc_apic_id_limit(m), 2);
	fw_cfg_add_uint(f, FW_CFG_IRQ0_OVERRIDE, 1, 4);
}

/*
 * How many HPETs there are, and of each the ID its first register shows, the address, the shortest period and
 * how its page is protected; FFh for none.
 */
static void add_hpet(struct pc_machine *pc)
{
	uint8_t item[1 + HPETS_MAX * HPET_ITEM_SIZE] = {pc->hpet ? 1 : 0xff};
	uint64_t id;

	if (pc->hpet && as_load(&pc->m.memory, NULL, HPET_BASE, 4, &id) == MEM_OK) {
		put_le32(item + 1, id);
		put_le64(item + 5, HPET_BASE);
	}
	fw_cfg_add_bytes(pc->fw_cfg, FW_CFG_HPET, item, sizeof(item));
}

static const char *splash_file(const uint8_t *image, size_t size, const char *name, GError **errp)
{
	if (size > 2 && image[0] == 0xff && image[1] == 0xd8)
		return "bootsplash.jpg";
	if (size < BMP_DEPTH + 2 || memcmp(image, "BM", 2)) {
		error_set(errp,
			  "splash file '%s' format not recognized; must be JPEG or 24 bit BMP",
			  name);
		return NULL;
	}
	if (get_le16(image + BMP_DEPTH) != 24) {
		error_set(errp,
			  "splash file '%s' has %u bits a pixel; only 24bpp bmp file is supported",
			  name, get_le16(image + BMP_DEPTH));
		return NULL;
	}
	return "bootsplash.bmp";
}

static bool add_splash(struct pc_machine *pc, GError **errp)
{
	const char *splash = pc->m.boot.splash, *name;
	g_autofree char *path = splash ? datafile_find(splash) : NULL, *image = NULL;
	g_autoptr(GError) err = NULL;
	gsize size;

	if (!splash)
		return true;
	if (!path) {
		error_set(errp, "failed to find file '%s'", splash);
		return false;
	}
	if (!g_file_get_contents(path, &image, &size, &err)) {
		error_set(errp, "failed to read splash file '%s': %s", splash, err->message);
		return false;
	}
	name = splash_file((const uint8_t *)image, size, splash, errp);
	return name && fw_cfg_add_file_bytes(pc->fw_cfg, name, image, size, errp);
}

/* In milliseconds: how long the menu waits; how long to wait before a reboot when nothing could be booted. */
static bool add_waits(struct pc_machine *pc, GError **errp)
{
	const struct boot_config *boot = &pc->m.boot;
	uint8_t menu[2], fail[4];

	put_le16(menu, boot->splash_time);
	put_le32(fail, boot->reboot_timeout);
	return (boot->splash_time < 0 || fw_cfg_add_file_bytes(pc->fw_cfg, "etc/boot-menu-wait",
							       menu, sizeof(menu), errp)) &&
	       fw_cfg_add_file_bytes(pc->fw_cfg, "etc/boot-fail-wait", fail, sizeof(fail), errp);
}

/* One byte a sleep state S0 to S5: bit 7 says it is there, the rest is the value of the sleep type. */
static bool add_sleep_states(struct pc_machine *pc, GError **errp)
{
	struct piix4_pm_facts pm;

	if (!pc->pm || !pc_has_acpi(pc))
		return true;
	pm = piix4_pm_facts(pc->pm);
	return fw_cfg_add_file_bytes(
		pc->fw_cfg, "etc/system-states",
		(uint8_t[6]){0x80, 0, 0, 1 | pm.s3 << 7, pm.s4_value | pm.s4 << 7, 0x80}, 6, errp);
}

static bool add_user_files(struct pc_machine *pc, GError **errp)
{
	GArray *files = pc->m.boot.fw_cfg;

	for (guint i = 0; files && i < files->len; i++) {
		const struct boot_fw_cfg *user = &g_array_index(files, struct boot_fw_cfg, i);
		struct fw_cfg_file file = {.name = user->name, .content = user->content};

		if (!fw_cfg_add_file(pc->fw_cfg, &file, errp))
			return false;
	}
	return true;
}

bool pc_fill_fw_cfg(struct pc_machine *pc, GError **errp)
{
	add_numbers(pc);
	add_numa(pc);
	add_hpet(pc);
	return fw_cfg_add_file_bytes(pc->fw_cfg, "bios-geometry", NULL, 0, errp) &&
	       add_waits(pc, errp) && add_splash(pc, errp) && add_sleep_states(pc, errp) &&
	       add_user_files(pc, errp);
}
