/*
 * Carrying a plan out: at every reset of the machine, after its devices and CPUs have been reset.
 */
#include "internal.h"
#include "base/trace.h"
#include "machine/machine.h"
#include "machine/runstate.h"

#include <sys/random.h>

TRACE_DEFINE(boot_segment, "%s at 0x%" PRIx64 ", %" PRIu64 " bytes");

struct boot_installed {
	struct boot_plan *plan;
	struct machine *machine;
};

static bool no_memory(const struct boot_segment *seg, uint64_t addr, GError **errp)
{
	error_set(errp, "could not load the %s: there is no memory at 0x%" PRIx64, seg->what, addr);
	return false;
}

/* From the file right into the guest's memory. */
static bool load_file(struct address_space *as, const struct boot_segment *seg, GError **errp)
{
	uint64_t done = 0;

	while (done < seg->size) {
		uint64_t len = seg->size - done;
		struct as_mapping map;
		void *host = as_map(as, seg->addr + done, &len, true, &map);
		bool ok;

		if (!host)
			return no_memory(seg, seg->addr + done, errp);
		ok = boot_segment_read(seg, done, host, len, errp);
		as_unmap(&map, len);
		if (!ok)
			return false;
		done += len;
	}
	return true;
}

static bool load_random(struct address_space *as, const struct boot_segment *seg, GError **errp)
{
	uint8_t bytes[256];

	g_assert(seg->size <= sizeof(bytes)); /* getrandom() gives so much at once */
	if (getrandom(bytes, seg->size, 0) != (ssize_t)seg->size) {
		error_set_errno(errp, errno, "could not make the %s", seg->what);
		return false;
	}
	return as_write(as, seg->addr, bytes, seg->size) == MEM_OK ||
	       no_memory(seg, seg->addr, errp);
}

static bool load_segment(struct address_space *as, const struct boot_segment *seg, GError **errp)
{
	enum mem_result result = MEM_OK;

	trace(boot_segment, seg->what, seg->addr, seg->size);
	switch (seg->source) {
	case BOOT_BYTES:
		result = as_write_rom(as, seg->addr, g_bytes_get_data(seg->bytes, NULL), seg->size);
		break;
	case BOOT_FILE:
		return load_file(as, seg, errp);
	case BOOT_ZEROES:
		result = as_fill(as, seg->addr, 0, seg->size);
		break;
	case BOOT_RANDOM:
		return load_random(as, seg, errp);
	case BOOT_FREE:
		break;
	}
	return result == MEM_OK || no_memory(seg, seg->addr, errp);
}

static bool load_segments(const struct boot_plan *plan, struct address_space *as, GError **errp)
{
	size_t count;
	const struct boot_segment *seg = boot_plan_segments(plan, &count);

	for (size_t i = 0; i < count; i++) {
		if (!load_segment(as, &seg[i], errp))
			return false;
	}
	return true;
}

static void start_cpus(const struct boot_plan *plan, struct machine *m, uint32_t waking_vector)
{
	for (unsigned i = 0; i < m->topo.maxcpus; i++) {
		struct vcpu *cpu = m->cpus ? m->cpus[i] : NULL;

		if (cpu && waking_vector)
			boot_plan_wake_cpu(waking_vector, i == 0, &cpu->acc.state);
		else if (cpu)
			boot_plan_set_cpu(plan, i == 0, &cpu->acc.state);
	}
}

static void boot_reset(void *opaque)
{
	struct boot_installed *in = opaque;
	struct machine *m = in->machine;
	g_autoptr(GError) err = NULL;
	uint32_t vector = 0;

	if (runstate() == RUN_STATE_SUSPENDED)
		vector = boot_plan_waking_vector(in->plan, &m->memory);
	if (vector) {
		start_cpus(in->plan, m, vector);
		return;
	}
	if (!load_segments(in->plan, &m->memory, &err)) {
		error_report("%s", err->message);
		system_internal_error();
		return;
	}
	start_cpus(in->plan, m, 0);
}

void boot_plan_install(struct boot_plan *plan, struct machine *m)
{
	struct boot_installed *in = g_new0(struct boot_installed, 1);

	in->plan = plan;
	in->machine = m;
	reset_hook_add(boot_reset, in);
}

static bool read_device_tree(const char *file, GBytes **tree, GError **errp)
{
	g_autoptr(GError) err = NULL;
	char *bytes;
	gsize size;

	if (!g_file_get_contents(file, &bytes, &size, &err)) {
		error_set(errp, "error reading dtb %s: %s", file, err->message);
		return false;
	}
	*tree = g_bytes_new_take(bytes, size);
	return true;
}

bool boot_request_install(const struct boot_request *req, struct machine *m, GError **errp)
{
	struct boot_request with_tree = *req;
	g_autoptr(GBytes) tree = NULL;
	struct boot_plan *plan;

	if (m->boot.dtb && !read_device_tree(m->boot.dtb, &tree, errp))
		return false;
	if (tree)
		with_tree.device_tree = tree;
	plan = boot_plan_new(&with_tree, errp);
	if (plan)
		boot_plan_install(plan, m);
	return plan;
}
