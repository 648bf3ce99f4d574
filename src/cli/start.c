/*
 * The start, step by step: each function is one group of options.
 */
#include <fcntl.h>

#include "cli/start.h"
#include "accel/qtest.h"
#include "base/fdset.h"
#include "base/datafile.h"
#include "base/trace.h"
#include "chardev/chardev.h"
#include "device/plug.h"
#include "event/clock.h"
#include "hw/smbios.h"
#include "hw/types.h"
#include "machine/numa.h"
#include "monitor/monitor.h"

/* An error of an option says which option it was. */
static bool blame(const char *where, bool ok, GError **errp)
{
	if (!ok && where && *where)
		g_prefix_error(errp, "%s: ", where);
	return ok;
}

static const char *item_text(const struct config_item *item, const char *key)
{
	json_object *value;

	return json_object_object_get_ex(item->props, key, &value) ? json_object_get_string(value)
								   : NULL;
}

static bool start_log(const struct config *cfg, GError **errp)
{
	if (cfg->log_file && !log_open(cfg->log_file, errp))
		return false;
	if (cfg->log_items && !log_set_items(cfg->log_items, errp))
		return blame("-d", false, errp);
	for (guint i = 0; i < cfg->traces->len; i++) {
		const char *pattern = cfg->traces->pdata[i];

		if (g_str_has_prefix(pattern, "file:")) {
			if (!trace_switch_file(pattern + 5, errp))
				return blame("-trace", false, errp);
		} else if (!trace_switch(pattern)) {
			warn_report("trace event '%s' does not exist", pattern);
		}
	}
	error_set_prefix(cfg->msg_timestamp, cfg->msg_guest_name ? cfg->name : NULL);
	return true;
}

static bool start_process(const struct config *cfg, GError **errp)
{
	if (cfg->daemonize && !process_daemonize(errp))
		return false;
	if (cfg->pidfile && !process_write_pidfile(cfg->pidfile, errp))
		return false;
	process_catch_signals();
	return true;
}

static bool start_globals(const struct config *cfg, GError **errp)
{
	for (guint i = 0; i < cfg->globals->len; i++) {
		const struct config_global *g =
			&g_array_index(cfg->globals, struct config_global, i);

		if (!global_add(g->driver, g->property, g->value, errp))
			return blame(g->where, false, errp);
	}
	return true;
}

/* The sets own duplicates: one descriptor may be in several. */
static bool start_fdsets(const struct config *cfg, GError **errp)
{
	for (guint i = 0; i < cfg->fds->len; i++) {
		const struct config_fd *f = &g_array_index(cfg->fds, struct config_fd, i);
		int fd = fcntl(f->fd, F_DUPFD_CLOEXEC, 3);

		if (fd < 0) {
			error_set_errno(errp, errno, "-add-fd: Could not duplicate descriptor %d",
					f->fd);
			return false;
		}
		fdset_add(f->set, fd, f->opaque);
	}
	return true;
}

static struct chardev *find_chardev(const char *id, GError **errp)
{
	struct chardev *chr = chardev_find(id);

	if (!chr)
		error_set(errp, "chardev \"%s\" not found", id);
	return chr;
}

static bool start_chardevs(const struct config *cfg, GError **errp)
{
	if (cfg->escape_key)
		chardev_set_escape(cfg->escape_key);
	for (guint i = 0; i < cfg->chardevs->len; i++) {
		const struct config_item *item =
			&g_array_index(cfg->chardevs, struct config_item, i);

		if (!chardev_new(item_text(item, "id"), item->props, errp))
			return blame(item->where, false, errp);
	}
	return true;
}

/* Credentials and secrets come before the back ends that refer to them, the rest after what it refers to. */
static bool start_objects(const struct config *cfg, bool early, GError **errp)
{
	for (guint i = 0; i < cfg->objects->len; i++) {
		const struct config_item *item =
			&g_array_index(cfg->objects, struct config_item, i);
		const struct device_type *type = device_type_find(item_text(item, "qom-type"));

		if (early != (type && (type->flags & TYPE_EARLY)))
			continue;
		if (!object_add(item->props, !item->strict, errp))
			return blame(item->where, false, errp);
	}
	return true;
}

/* ---- Accelerator ---- */

static const struct device_type *accel_type_find(const char *name)
{
	for (const struct device_type *const *t = device_types(); *t; t++) {
		const struct accel_ops *ops;

		if ((*t)->category != CATEGORY_ACCEL || ((*t)->flags & TYPE_ABSTRACT))
			continue;
		ops = device_type_class_data(*t);
		if (!strcmp(ops->name, name) || !g_strcmp0(ops->alias, name))
			return *t;
	}
	return NULL;
}

static struct accel *try_accel(const char *name, bool by_name, GError **errp)
{
	const struct device_type *type = accel_type_find(name);
	const struct accel_ops *ops;
	struct accel *accel;

	if (!type) {
		error_set(errp, "invalid accelerator %s", name);
		return NULL;
	}
	ops = device_type_class_data(type);
	if (ops->probe && !ops->probe(by_name, errp)) {
		g_prefix_error(errp, "failed to initialize %s: ", name);
		return NULL;
	}
	accel = container_of(device_new(type), struct accel, dev);
	accel->ops = ops;
	return accel;
}

/* Properties of -machine that are the accelerator's. An accelerator without them ignores them. */
static const char *const machine_accel_props[] = {"kernel-irqchip", "kvm-shadow-mem"};

static bool set_accel(struct accel *accel, const struct config *cfg, const struct config_item *item,
		      GError **errp)
{
	json_object *value;

	for (size_t i = 0; cfg->machine && i < G_N_ELEMENTS(machine_accel_props); i++) {
		const char *name = machine_accel_props[i];

		if (json_object_object_get_ex(cfg->machine, name, &value) &&
		    device_type_prop(accel->dev.type, name) &&
		    !device_set_json(&accel->dev, name, value, errp))
			return blame("-machine", false, errp);
	}
	if (item) {
		g_autoptr(json_object) props = NULL;

		json_object_deep_copy(item->props, &props, NULL);
		json_object_object_del(props, "accel");
		return blame(item->where, device_set_all(&accel->dev, props, errp), errp);
	}
	return true;
}

/* What is tried if the user names none. */
static const char *const default_accels[] = {"kvm", "dbt"};

/* One of several that cannot work is passed over with a line; the last one's reason is the error. */
static struct accel *choose_accel(const struct config *cfg, const struct config_item **given,
				  GError **errp)
{
	guint count = cfg->accels->len ?: G_N_ELEMENTS(default_accels);

	*given = NULL;
	for (guint i = 0; i < count; i++) {
		const struct config_item *item =
			cfg->accels->len ? &g_array_index(cfg->accels, struct config_item, i)
					 : NULL;
		const char *name = item ? item_text(item, "accel") : default_accels[i];
		g_autoptr(GError) err = NULL;
		struct accel *accel = try_accel(name, item != NULL, &err);

		if (accel) {
			*given = item;
			return accel;
		}
		if (i + 1 == count) {
			g_propagate_error(errp, g_steal_pointer(&err));
			if (item)
				blame(item->where, false, errp);
			return NULL;
		}
		info_report("%s", err->message);
	}
	g_assert_not_reached();
}

/* ---- Machine ---- */

static bool set_memory(struct machine *m, const struct config *cfg, GError **errp)
{
	if (cfg->ram_size) {
		m->ram_size = cfg->ram_size;
		m->ram_size_given = true;
	}
	m->ram_slots = cfg->ram_slots;
	m->ram_max = cfg->ram_max;
	m->mem_path = g_strdup(cfg->mem_path);
	m->mem_prealloc = cfg->mem_prealloc;
	return true;
}

static bool set_cpus(struct machine *m, const struct config *cfg, GError **errp)
{
	g_autofree char *name = machine_type_name(m->dev.type);
	g_autofree char *cpu = NULL;

	m->topo = cfg->smp;
	if (!cpu_topology_complete(&m->topo, m->info->max_cpus, name, errp))
		return false;
	if (!m->info->default_cpu) {
		m->topo = (struct cpu_topology){0};
		return true;
	}
	cpu = machine_cpu_text(m->info, cfg->cpu ?: m->info->default_cpu);
	return cpu_config_parse(cpu, &m->cpu, errp);
}

static bool set_ports(char *const *ids, struct chardev **ports, unsigned count, const char *option,
		      GError **errp)
{
	for (unsigned i = 0; i < count; i++) {
		if (!ids[i])
			continue;
		ports[i] = find_chardev(ids[i], errp);
		if (!ports[i]) {
			g_prefix_error(errp, "-%s chardev:%s: ", option, ids[i]);
			return false;
		}
	}
	return true;
}

static bool set_all_ports(struct machine *m, const struct config *cfg, GError **errp)
{
	bool serial = !cfg->serial_is_default || !m->info->no_serial;
	bool parallel = !cfg->parallel_is_default || !m->info->no_parallel;

	return (!serial || set_ports(cfg->serial, m->serial, MACHINE_SERIALS, "serial", errp)) &&
	       (!parallel ||
		set_ports(cfg->parallel, m->parallel, MACHINE_PARALLELS, "parallel", errp));
}

static bool set_machine(struct machine *m, const struct config *cfg, GError **errp)
{
	m->boot = cfg->boot;
	memcpy(m->flash, cfg->flash, sizeof(m->flash));
	m->nodes = cfg->nodes;
	m->no_defaults = cfg->no_defaults;
	m->no_hpet = cfg->no_hpet;
	m->no_acpi = cfg->no_acpi;
	m->has_uuid = cfg->has_uuid;
	memcpy(m->uuid, cfg->uuid, sizeof(m->uuid));
	m->name = cfg->name;
	m->rtc_localtime = cfg->rtc_base == RTC_LOCALTIME;
	m->rtc_clock = cfg->rtc_clock;
	m->rtc_has_date = cfg->rtc_base == RTC_DATE;
	m->rtc_date = cfg->rtc_date;
	if (cfg->machine) {
		g_autoptr(json_object) props = NULL;

		json_object_deep_copy(cfg->machine, &props, NULL);
		for (size_t i = 0; i < G_N_ELEMENTS(machine_accel_props); i++)
			json_object_object_del(props, machine_accel_props[i]);
		if (!device_set_all(&m->dev, props, errp))
			return blame(cfg->machine_where, false, errp);
	}
	return set_memory(m, cfg, errp) && set_cpus(m, cfg, errp) && set_all_ports(m, cfg, errp);
}

static bool set_smbios(struct machine *m, const struct config *cfg, GError **errp)
{
	m->smbios = smbios_settings_new();
	for (guint i = 0; i < cfg->smbios->len; i++) {
		const struct config_item *item = &g_array_index(cfg->smbios, struct config_item, i);

		if (!smbios_settings_add(m->smbios, item->props, item->strict, errp))
			return blame(item->where, false, errp);
	}
	return true;
}

static bool set_numa(struct machine *m, const struct config *cfg, GError **errp)
{
	for (guint i = 0; i < cfg->numa->len; i++) {
		const struct config_item *item = &g_array_index(cfg->numa, struct config_item, i);

		if (!numa_add(m, item->props, item->strict, errp))
			return blame(item->where, false, errp);
	}
	return numa_complete(m, errp);
}

static bool start_board(const struct config *cfg, struct machine **out, GError **errp)
{
	const struct device_type *type = machine_type_find(cfg->machine_type, errp);
	const struct config_item *given;
	struct accel *accel;
	struct machine *m;

	if (!type)
		return blame(cfg->machine_where, false, errp);
	accel = choose_accel(cfg, &given, errp);
	if (!accel || !set_accel(accel, cfg, given, errp))
		return false;
	m = *out = machine_new(type);
	m->accel = accel;
	*run_actions() = cfg->actions;
	return set_machine(m, cfg, errp) && set_smbios(m, cfg, errp) && set_numa(m, cfg, errp) &&
	       machine_setup(m, errp);
}

static bool start_devices(const struct config *cfg, GError **errp)
{
	for (guint i = 0; i < cfg->devices->len; i++) {
		const struct config_item *item =
			&g_array_index(cfg->devices, struct config_item, i);

		if (!device_add(item->props, errp))
			return blame(item->where, false, errp);
	}
	return true;
}

/* ---- Servers ---- */

static bool start_monitors(const struct config *cfg, GError **errp)
{
	for (guint i = 0; i < cfg->monitors->len; i++) {
		const struct config_monitor *mon =
			&g_array_index(cfg->monitors, struct config_monitor, i);
		struct chardev *chr = find_chardev(mon->chardev, errp);

		if (!chr || !monitor_new(mon->id, chr, mon->qmp, mon->pretty, errp))
			return blame(mon->where, false, errp);
	}
	return true;
}

static void qtest_reset(void *opaque)
{
	machine_reset(opaque);
}

static bool start_qtest(const struct config *cfg, struct machine *m, GError **errp)
{
	struct chardev *chr;
	const struct qtest_target target = {
		.memory = &m->memory,
		.io = &m->io,
		.clock_manual = !strcmp(m->accel->ops->name, "qtest"),
		.reset = qtest_reset,
		.opaque = m,
	};

	if (!cfg->qtest)
		return true;
	chr = find_chardev(cfg->qtest, errp);
	return blame("-qtest", chr && qtest_server_new(chr, cfg->qtest_log, &target, errp), errp);
}

static void start_folders(const struct config *cfg)
{
	for (guint i = 0; i < cfg->data_dirs->len; i++)
		datafile_add_dir(cfg->data_dirs->pdata[i]);
}

bool start_machine(const struct config *cfg, GError **errp)
{
	struct machine *m;

	start_folders(cfg);
	if (!start_log(cfg, errp) || !start_process(cfg, errp) || !start_globals(cfg, errp) ||
	    !start_fdsets(cfg, errp) || !start_objects(cfg, true, errp) ||
	    !start_chardevs(cfg, errp) || !start_objects(cfg, false, errp) ||
	    !start_board(cfg, &m, errp) || !start_devices(cfg, errp) ||
	    !start_monitors(cfg, errp) || !start_qtest(cfg, m, errp) || !machine_finish(m, errp))
		return false;
	globals_warn_unused();
	return true;
}
