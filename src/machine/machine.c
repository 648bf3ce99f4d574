/*
 * The machine: its common properties, and the steps of a start.
 */
#include "machine/cpu-plug.h"
#include "machine/machine.h"
#include "machine/memory-backend.h"
#include "machine/numa.h"
#include "event/clock.h"
#include "event/lock.h"

static struct machine *current;

struct machine *machine_current(void)
{
	return current;
}

const struct machine_info *machine_type_info(const struct device_type *type)
{
	return device_type_class_data(type);
}

char *machine_type_name(const struct device_type *type)
{
	return g_strndup(type->name, strlen(type->name) - strlen("-machine"));
}

static bool machine_type_matches(const struct device_type *type, const char *name)
{
	const struct machine_info *info = machine_type_info(type);
	g_autofree char *full = NULL;

	if (!name)
		return info->is_default;
	full = g_strdup_printf("%s-machine", name);
	return !strcmp(type->name, full) || !g_strcmp0(info->alias, name);
}

const struct device_type *machine_type_find(const char *name, GError **errp)
{
	for (const struct device_type *const *t = device_types(); *t; t++) {
		if ((*t)->category == CATEGORY_MACHINE && !((*t)->flags & TYPE_ABSTRACT) &&
		    machine_type_matches(*t, name))
			return *t;
	}
	if (name)
		error_set(errp, "unsupported machine type");
	else
		error_set(errp, "No machine specified, and there is no default");
	error_add_hint(errp, "Use -machine help to list supported machines");
	return NULL;
}

static bool names_cpu(const char *driver)
{
	return g_str_has_suffix(driver, "x86_64-cpu");
}

/* A CPU's model and features are settled before there is a device, so its text takes them. */
char *machine_cpu_text(const struct machine_info *info, const char *cpu)
{
	size_t len = strcspn(cpu, ",");
	g_autofree char *model = g_strdup_printf("%.*s-x86_64-cpu", (int)len, cpu);
	GString *text = g_string_new_len(cpu, len);

	for (const struct machine_compat *c = info->compat; c && c->driver; c++) {
		if (info->version <= c->last &&
		    (!strcmp(c->driver, "x86_64-cpu") || !strcmp(c->driver, model)))
			g_string_append_printf(text, ",%s=%s", c->property, c->value);
	}
	g_string_append(text, cpu + len);
	return g_string_free(text, false);
}

static void add_compat(const struct machine_info *info)
{
	for (const struct machine_compat *c = info->compat; c && c->driver; c++) {
		if (info->version <= c->last && !names_cpu(c->driver))
			global_add_default(c->driver, c->property, c->value);
	}
}

struct machine *machine_new(const struct device_type *type)
{
	struct device *dev = device_new(type);
	struct machine *m = container_of(dev, struct machine, dev);

	m->info = machine_type_info(type);
	add_compat(m->info);
	m->ram_size = m->info->default_ram_size;
	m->boot.splash_time = m->boot.reboot_timeout = -1;
	m->rtc_clock = QCLOCK_HOST;
	current = m;
	return m;
}

/* ---- Memory ---- */

static void init_spaces(struct machine *m)
{
	region_init_container(&m->memory_root, m, "system", REGION_SIZE_MAX);
	region_init_container(&m->io_root, m, "io", 64 * KIB);
	address_space_init(&m->memory, "memory", &m->memory_root);
	address_space_init(&m->io, "I/O", &m->io_root);
	/* Guests of this family have always read zeroes from memory that is not there. */
	m->memory.nothing = 0;
}

/* The back end that -m, -mem-path and -mem-prealloc describe; it shows in query-memdev. */
static struct device *make_ram_backend(struct machine *m, GError **errp)
{
	struct device *dev = device_new(
		device_type_find(m->mem_path ? "memory-backend-file" : "memory-backend-ram"));
	g_autofree char *size = g_strdup_printf("%" PRIu64, m->ram_size);

	if (!device_set_text(dev, "size", size, errp) ||
	    !device_set_text(dev, "prealloc", m->mem_prealloc ? "on" : "off", errp) ||
	    !device_set_text(dev, "merge", m->mem_merge ? "on" : "off", errp) ||
	    !device_set_text(dev, "dump", m->dump_guest_core ? "on" : "off", errp) ||
	    (m->mem_path && !device_set_text(dev, "mem-path", m->mem_path, errp)) ||
	    !device_realize(dev, tree_container("/objects"), m->info->default_ram_id, NULL, errp)) {
		device_unref(dev);
		return NULL;
	}
	return dev;
}

static bool find_ram_backend(struct machine *m, GError **errp)
{
	uint64_t size;

	m->ram_backend = tree_find_id(m->memory_backend);
	if (!m->ram_backend || !memory_backend_ram(m->ram_backend)) {
		error_set(errp, "Memory backend '%s' not found", m->memory_backend);
		return false;
	}
	size = memory_backend_ram(m->ram_backend)->size;
	if (m->ram_size_given && size != m->ram_size) {
		error_set(errp,
			  "Machine memory size does not match the size of the memory backend");
		return false;
	}
	m->ram_size = size;
	return true;
}

static bool use_node_memory(struct numa_config *numa, GError **errp)
{
	for (unsigned i = 0; i < numa->count; i++) {
		struct device *dev = numa->node[i].memdev;
		bool again = false;

		for (unsigned j = 0; dev && j < i; j++)
			again |= numa->node[j].memdev == dev;
		if (again) {
			error_set(errp, "memory backend %s can't be used multiple times.",
				  dev->name);
			return false;
		}
		if (dev && !memory_backend_use(dev, errp))
			return false;
	}
	return true;
}

static bool init_ram(struct machine *m, GError **errp)
{
	if (!m->ram_size && !m->memory_backend)
		return true;
	if (m->numa)
		return use_node_memory(m->numa, errp);
	if (m->memory_backend) {
		if (!find_ram_backend(m, errp))
			return false;
	} else {
		m->ram_backend = make_ram_backend(m, errp);
	}
	if (!m->ram_backend)
		return false;
	m->ram = memory_backend_use(m->ram_backend, errp);
	return m->ram != NULL;
}

/* Fills @r with the @size bytes of all nodes' memory from @start on, one after the other. */
static void add_node_memory(struct machine *m, struct region *r, uint64_t start, uint64_t size)
{
	uint64_t at = 0;

	for (unsigned i = 0; i < m->numa->count; i++) {
		const struct numa_node *node = &m->numa->node[i];
		uint64_t first = MAX(at, start), end = MIN(at + node->size, start + size);

		if (first < end) {
			struct region *part = g_new0(struct region, 1);

			region_init_ram(part, m, node->memdev->name,
					memory_backend_ram(node->memdev), first - at, end - first);
			region_add(r, first - start, part, 0);
		}
		at += node->size;
	}
}

static void init_ram_region(struct machine *m, struct region *r, const char *name, uint64_t start,
			    uint64_t size)
{
	if (!m->numa) {
		region_init_ram(r, m, name, m->ram, start, size);
		return;
	}
	region_init_container(r, m, name, size);
	add_node_memory(m, r, start, size);
}

void machine_map_ram(struct machine *m, uint64_t limit)
{
	m->below_4g = MIN(m->ram_size, limit);
	m->above_4g = m->ram_size - m->below_4g;
	mem_begin();
	init_ram_region(m, &m->ram_below_4g, "ram-below-4g", 0, m->below_4g);
	region_add(&m->memory_root, 0, &m->ram_below_4g, 0);
	if (m->above_4g) {
		init_ram_region(m, &m->ram_above_4g, "ram-above-4g", m->below_4g, m->above_4g);
		region_add(&m->memory_root, 4 * GIB, &m->ram_above_4g, 0);
	}
	mem_commit();
}

/* ---- CPUs ---- */

static bool make_cpu(struct machine *m, const struct device_type *type, unsigned index,
		     GError **errp)
{
	struct device *dev = device_new(type);
	struct vcpu *cpu = container_of(dev, struct vcpu, dev);

	machine_cpu_prepare(m, cpu, index);
	if (!device_realize(dev, tree_container("/machine/unattached"), NULL, NULL, errp)) {
		device_unref(dev);
		return false;
	}
	return true;
}

const struct cpu_capabilities *machine_cpu_capabilities(struct machine *m)
{
	if (!m->caps_known && m->accel->ops->capabilities)
		m->accel->ops->capabilities(m->accel, &m->caps);
	m->caps_known = true;
	return &m->caps;
}

static bool make_cpus(struct machine *m, GError **errp)
{
	const struct device_type *type;

	m->cpus = g_new0(struct vcpu *, m->topo.maxcpus);
	if (!m->topo.cpus)
		return true;
	if (!cpu_resolve(&m->cpu, machine_cpu_capabilities(m), &m->features, errp))
		return false;
	type = x86_cpu_type_of(m->cpu.model);
	for (unsigned i = 0; i < m->topo.cpus; i++) {
		if (!make_cpu(m, type, i, errp))
			return false;
	}
	return true;
}

/* ---- Steps ---- */

static void accel_failed(void *opaque)
{
	system_internal_error();
}

static void init_smm_space(struct machine *m)
{
	region_init_container(&m->smm_root, m, "smm", REGION_SIZE_MAX);
	region_init_alias(&m->smm_all, m, "smm-system", &m->memory_root, 0, REGION_SIZE_MAX);
	region_add(&m->smm_root, 0, &m->smm_all, 0);
	address_space_init(&m->smm_memory, "SMM", &m->smm_root);
}

static void cleanup_smm_space(struct machine *m)
{
	address_space_cleanup(&m->smm_memory);
	region_cleanup(&m->smm_all);
	region_cleanup(&m->smm_root);
}

/* After the accelerator's init: does it have the mode? */
static bool settle_smm(struct machine *m, GError **errp)
{
	m->has_smm = m->accel->machine.smm && m->accel->smm;
	if (m->has_smm || !m->accel->machine.smm)
		return true;
	m->accel->machine.smm_memory = NULL;
	cleanup_smm_space(m);
	if (m->smm != ONOFFAUTO_ON)
		return true;
	error_set(errp, "System Management Mode not supported by this hypervisor.");
	return false;
}

static bool init_accel(struct machine *m, GError **errp)
{
	struct accel *a = m->accel;
	bool smm = m->info->wants_smm && m->info->wants_smm(m);

	if (smm)
		init_smm_space(m);
	a->machine = (struct accel_machine){
		.memory = &m->memory,
		.io = &m->io,
		.max_cpus = m->topo.maxcpus,
		.irqchip = m->info->split_irqchip ? IRQCHIP_SPLIT : IRQCHIP_ON,
		.smm_memory = smm ? &m->smm_memory : NULL,
		.smm = smm,
		.internal_error = accel_failed,
	};
	return (!a->ops->init || a->ops->init(a, errp)) && settle_smm(m, errp);
}

/* The accelerator hears of the finished map once, not of every step towards it. */
static bool build_board(struct machine *m, GError **errp)
{
	bool ok;

	mem_begin();
	ok = m->info->build(m, errp);
	mem_commit();
	return ok;
}

bool machine_setup(struct machine *m, GError **errp)
{
	init_spaces(m);
	if (!device_realize(&m->dev, tree_root(), "machine", NULL, errp))
		return false;
	if (!init_accel(m, errp) || !init_ram(m, errp) || !make_cpus(m, errp))
		return false;
	if (m->topo.cpus && m->accel->ops->irqchip_create &&
	    !m->accel->ops->irqchip_create(m->accel, errp))
		return false;
	return build_board(m, errp);
}

bool machine_finish(struct machine *m, GError **errp)
{
	for (unsigned i = 0; i < m->topo.maxcpus; i++) {
		if (m->cpus[i] && !vcpu_start(m->cpus[i], errp))
			return false;
	}
	if (m->info->finish && !m->info->finish(m, errp))
		return false;
	machine_reset(m);
	tree_set_ready(true);
	return true;
}

void machine_stop(struct machine *m)
{
	vcpus_pause(m);
	for (unsigned i = 0; i < m->topo.maxcpus; i++) {
		if (m->cpus[i])
			vcpu_destroy(m->cpus[i]);
	}
	if (m->accel->ops->cleanup)
		m->accel->ops->cleanup(m->accel);
}

void machine_reset(struct machine *m)
{
	device_reset(&m->dev);
	reset_hooks_run();
}

/* ---- Properties every machine has ---- */

/* There is no such object: clients look for the property, and a name is an error. */
static void *no_confidential_guest(const char *name, GError **errp)
{
	return NULL;
}

static const struct link_kind confidential_guest_link = {
	.name = "confidential-guest-support",
	.resolve = no_confidential_guest,
};

static bool refuse_memory_encryption(void *object, const struct field *field, GError **errp)
{
	error_set(errp, "No such memory encryption object '%s'",
		  ((struct machine *)object)->memory_encryption);
	return false;
}

static bool refuse_usb(void *object, const struct field *field, GError **errp)
{
	const struct machine *m = object;
	g_autofree char *name = machine_type_name(m->dev.type);

	if (!m->usb)
		return true;
	error_set(errp, "%s: usb=on is not supported: there is no USB controller", name);
	return false;
}

static const struct field machine_props[] = {
	PROP_STRING(struct machine, memory_backend, "memory-backend", NULL,
		    "ID of the memory back end that is the RAM"),
	PROP_STRING(struct machine, firmware, "firmware", NULL, "Firmware image"),
	PROP_BOOL(struct machine, mem_merge, "mem-merge", true, "Let the host merge equal pages"),
	PROP_BOOL(struct machine, dump_guest_core, "dump-guest-core", true,
		  "Include guest memory in a core dump"),
	{FIELD_AT(struct machine, memory_encryption, "memory-encryption", FIELD_STRING,
		  FIELD_IS_STRING(struct machine, memory_encryption),
		  "Object that encrypts the guest's memory: there is none"),
	 PROP_FLAGS, .set = refuse_memory_encryption},
	PROP_STRING(struct machine, dt_compatible, "dt-compatible", NULL,
		    "Accepted, has no effect on these machines"),
	PROP_INT(struct machine, phandle_start, "phandle-start", 0, INT32_MIN, INT32_MAX,
		 "Accepted, has no effect on these machines"),
	PROP_BOOL(struct machine, suppress_vmdesc, "suppress-vmdesc", false,
		  "Accepted, the migration stream always describes itself"),
	{FIELD_AT(struct machine, usb, "usb", FIELD_BOOL, FIELD_IS_BOOL(struct machine, usb),
		  "Have a USB controller: not supported"),
	 PROP_FLAGS, .set = refuse_usb},
	PROP_BOOL(struct machine, graphics, "graphics", true, "Have a display"),
	PROP_LINK(struct machine, confidential_guest, "confidential-guest-support",
		  &confidential_guest_link, "Object that hides the guest from its host"),
	FIELD_ROW_END,
};

const struct device_type machine_type = {
	.name = "machine",
	.help = "Machine",
	.category = CATEGORY_MACHINE,
	.size = sizeof(struct machine),
	.flags = TYPE_ABSTRACT | STATE_NONE,
	.props = machine_props,
};

static bool none_build(struct machine *m, GError **errp)
{
	if (m->boot.kernel) {
		error_set(errp,
			  "The -kernel parameter is not supported (this machine has nothing to "
			  "start it with)");
		return false;
	}
	if (m->ram)
		machine_map_ram(m, 4 * GIB);
	return true;
}

static const struct machine_info none_info = {
	.desc = "empty machine",
	.max_cpus = 1,
	.default_ram_id = "ram",
	.build = none_build,
};

/* A machine with nothing in it: clients start it to ask what the program can do. */
const struct device_type none_machine_type = {
	.name = "none-machine",
	.help = "Machine without devices",
	.base = &machine_type,
	.category = CATEGORY_MACHINE,
	.size = sizeof(struct machine),
	.flags = STATE_NONE,
	.class_data = &none_info,
};
