#include "cli/config.h"
#include "event/clock.h"

static void item_clear(void *p)
{
	struct config_item *item = p;

	json_object_put(item->props);
	g_free(item->where);
}

static void global_clear(void *p)
{
	struct config_global *global = p;

	g_free(global->driver);
	g_free(global->property);
	g_free(global->value);
	g_free(global->where);
}

static void monitor_clear(void *p)
{
	struct config_monitor *monitor = p;

	g_free(monitor->id);
	g_free(monitor->chardev);
	g_free(monitor->where);
}

static void fd_clear(void *p)
{
	g_free(((struct config_fd *)p)->opaque);
}

static void fw_cfg_clear(void *p)
{
	struct boot_fw_cfg *file = p;

	g_free(file->name);
	g_bytes_unref(file->content);
}

static void rom_clear(void *p)
{
	g_free(((struct boot_rom *)p)->file);
}

static GArray *list_new(size_t size, GDestroyNotify clear)
{
	GArray *list = g_array_new(false, true, size);

	g_array_set_clear_func(list, clear);
	return list;
}

static GArray *items_new(void)
{
	return list_new(sizeof(struct config_item), item_clear);
}

static void node_clear(void *ptr)
{
	struct machine_flash *node = ptr;

	g_free((char *)node->node);
	g_free((char *)node->file);
}

struct config *config_new(void)
{
	struct config *cfg = g_new0(struct config, 1);

	*cfg = (struct config){
		.machine = json_object_new_object(),
		.accels = items_new(),
		.objects = items_new(),
		.chardevs = items_new(),
		.devices = items_new(),
		.smbios = items_new(),
		.numa = items_new(),
		.globals = list_new(sizeof(struct config_global), global_clear),
		.monitors = list_new(sizeof(struct config_monitor), monitor_clear),
		.fds = list_new(sizeof(struct config_fd), fd_clear),
		.nodes = list_new(sizeof(struct machine_flash), node_clear),
		.boot = {.splash_time = -1, .reboot_timeout = -1},
		.rtc_clock = QCLOCK_HOST,
		.autostart = true,
		.actions = {REBOOT_RESET, SHUTDOWN_POWEROFF, PANIC_SHUTDOWN, WATCHDOG_RESET},
		.traces = g_ptr_array_new_with_free_func(g_free),
		.data_dirs = g_ptr_array_new_with_free_func(g_free),
	};
	cfg->boot.fw_cfg = list_new(sizeof(struct boot_fw_cfg), fw_cfg_clear);
	cfg->boot.roms = list_new(sizeof(struct boot_rom), rom_clear);
	return cfg;
}

/* The strings of struct boot_config are const for its readers, but the configuration's own. */
static void boot_free(struct boot_config *boot)
{
	const char *const strings[] = {boot->kernel, boot->initrd, boot->append, boot->dtb,
				       boot->bios,   boot->order,  boot->once,   boot->splash};

	for (size_t i = 0; i < G_N_ELEMENTS(strings); i++)
		g_free((char *)strings[i]);
	g_array_unref(boot->fw_cfg);
	g_array_unref(boot->roms);
}

static void lists_free(struct config *cfg)
{
	GArray *const lists[] = {cfg->accels, cfg->objects, cfg->chardevs, cfg->devices,
				 cfg->smbios, cfg->numa,    cfg->globals,  cfg->monitors,
				 cfg->fds,    cfg->nodes};

	for (size_t i = 0; i < G_N_ELEMENTS(lists); i++)
		g_array_unref(lists[i]);
	g_ptr_array_unref(cfg->traces);
	g_ptr_array_unref(cfg->data_dirs);
}

void config_free(struct config *cfg)
{
	if (!cfg)
		return;
	char *const strings[] = {cfg->machine_type, cfg->machine_where, cfg->cpu,
				 cfg->mem_path,     cfg->name,          cfg->process_name,
				 cfg->pidfile,      cfg->qtest,         cfg->qtest_log,
				 cfg->log_file,     cfg->log_items};

	for (size_t i = 0; i < G_N_ELEMENTS(strings); i++)
		g_free(strings[i]);
	for (int i = 0; i < MACHINE_SERIALS; i++)
		g_free(cfg->serial[i]);
	for (int i = 0; i < MACHINE_PARALLELS; i++)
		g_free(cfg->parallel[i]);
	boot_free(&cfg->boot);
	for (int i = 0; i < MACHINE_FLASHES; i++)
		g_free((char *)cfg->flash[i].file);
	lists_free(cfg);
	json_object_put(cfg->machine);
	g_free(cfg);
}
