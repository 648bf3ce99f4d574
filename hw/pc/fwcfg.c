/* What the board tells firmware through the firmware configuration device. */
#include "base/checked.h"
#include "hw/e820.h"
#include "hw/fw_cfg.h"
#include "hw/pc/pc.h"
#include "hw/piix.h"
#include "machine/numa.h"

#define FW_CFG_PORT        0x510
#define REBOOT_TIMEOUT_MAX 0xffff

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
	fw_cfg_add_uint(f, FW_CFG_NB_CPUS, m->topo.cpus, 2);
	fw_cfg_add_uint(f, FW_CFG_BOOT_MENU, m->boot.menu, 2);
	fw_cfg_add_uint(f, FW_CFG_MAX_CPUS, pc_apic_id_limit(m), 2);
	fw_cfg_add_uint(f, FW_CFG_IRQ0_OVERRIDE, 1, 4);
}

/* What lies in memory, but for what firmware is about to reserve itself. */
static bool add_memory_map(struct pc_machine *pc, GError **errp)
{
	struct e820_table map = {0};
	struct e820_entry entries[E820_MAX];

	e820_add_board(&map, pc->m.below_4g, pc->m.above_4g);
	for (unsigned i = 0; i < map.count; i++) {
		const struct e820_range *r = &map.range[i];

		entries[i] = (struct e820_entry){r->start, r->size, r->type};
	}
	return fw_cfg_add_file_bytes(pc->fw_cfg, "etc/e820", entries,
				     map.count * sizeof(entries[0]), errp);
}

static bool add_splash(struct pc_machine *pc, GError **errp)
{
	const struct boot_config *boot = &pc->m.boot;
	g_autoptr(GError) err = NULL;
	g_autofree char *image = NULL;
	const char *name;
	uint8_t wait[2];
	gsize size;

	if (boot->splash_time >= 0) {
		put_le16(wait, boot->splash_time);
		if (!fw_cfg_add_file_bytes(pc->fw_cfg, "etc/boot-menu-wait", wait, sizeof(wait),
					   errp))
			return false;
	}
	if (!boot->splash)
		return true;
	if (!g_file_get_contents(boot->splash, &image, &size, &err)) {
		error_set(errp, "failed to read splash file '%s': %s", boot->splash, err->message);
		return false;
	}
	if (size < 30 || (memcmp(image, "BM", 2) && memcmp(image, "\xff\xd8", 2))) {
		error_set(errp,
			  "splash file '%s' format not recognized; must be JPEG or 24 bit BMP",
			  boot->splash);
		return false;
	}
	name = image[0] == 'B' ? "bootsplash.bmp" : "bootsplash.jpg";
	return fw_cfg_add_file_bytes(pc->fw_cfg, name, image, size, errp);
}

static bool add_reboot_timeout(struct pc_machine *pc, GError **errp)
{
	int64_t timeout = pc->m.boot.reboot_timeout;
	uint8_t value[4];

	if (timeout > REBOOT_TIMEOUT_MAX) {
		error_set(errp, "reboot timeout is invalid, it should be a value between -1 and %d",
			  REBOOT_TIMEOUT_MAX);
		return false;
	}
	put_le32(value, timeout < 0 ? UINT32_MAX : timeout);
	return fw_cfg_add_file_bytes(pc->fw_cfg, "etc/boot-fail-wait", value, sizeof(value), errp);
}

/* One byte a sleep state S0 to S5: bit 7 says it is there, the rest is the value of the sleep type. */
static bool add_sleep_states(struct pc_machine *pc, GError **errp)
{
	struct piix4_pm_facts facts = piix4_pm_facts(pc->pm);
	uint8_t states[6] = {0x80, 0, 0, 1 | facts.s3 << 7, facts.s4_value | facts.s4 << 7, 0x80};

	return fw_cfg_add_file_bytes(pc->fw_cfg, "etc/system-states", states, sizeof(states), errp);
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
	return fw_cfg_add_file_bytes(pc->fw_cfg, "bios-geometry", NULL, 0, errp) &&
	       add_memory_map(pc, errp) && add_reboot_timeout(pc, errp) && add_splash(pc, errp) &&
	       add_sleep_states(pc, errp) && add_user_files(pc, errp);
}
