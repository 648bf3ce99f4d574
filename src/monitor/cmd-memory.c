/* QMP commands that save guest memory to a file. */
#include <fcntl.h>
#include <unistd.h>

#include "base/fdset.h"
#include "internal.h"
#include "machine/machine.h"

#define CHUNK 4096

struct save_args {
	int64_t val, size, cpu_index;
	char *filename;
	bool has_cpu_index;
};
static const struct field memsave_rows[] = {
	ARG_INT(struct save_args, val, "val", "First address"),
	ARG_INT(struct save_args, size, "size", "Bytes"),
	ARG_STRING(struct save_args, filename, "filename", "File to write"),
	OPT_INT(struct save_args, cpu_index, "cpu-index",
		"vCPU whose page tables are used; the first if left out"),
	FIELD_ROW_END,
};
static const struct field_set memsave_set = {"memsave-arg", sizeof(struct save_args), memsave_rows};
static const struct field pmemsave_rows[] = {
	ARG_INT(struct save_args, val, "val", "First address"),
	ARG_INT(struct save_args, size, "size", "Bytes"),
	ARG_STRING(struct save_args, filename, "filename", "File to write"),
	FIELD_ROW_END,
};
static const struct field_set pmemsave_set = {"pmemsave-arg", sizeof(struct save_args),
					      pmemsave_rows};

static bool write_all(int fd, const void *data, size_t len, const char *name, GError **errp)
{
	for (const char *p = data; len;) {
		ssize_t n = write(fd, p, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0) {
			error_set_errno(errp, errno, "Could not write to '%s'", name);
			return false;
		}
		p += n;
		len -= n;
	}
	return true;
}

/* Copies guest-physical (@cpu NULL) or virtual memory to @fd, a chunk within a page at a time. */
static bool save_range(const struct save_args *arg, struct vcpu *cpu, int fd, GError **errp)
{
	struct machine *m = machine_current();
	uint64_t addr = arg->val, left = arg->size;
	uint8_t buf[CHUNK];

	while (left) {
		uint64_t len = MIN(left, CHUNK - addr % CHUNK), phys = addr;

		if (cpu && !cpu->acc.accel->ops->vcpu_translate(&cpu->acc, addr, &phys)) {
			error_set(errp, "Invalid addr 0x%016" PRIx64 "/%" PRId64 " specified",
				  (uint64_t)arg->val, arg->size);
			return false;
		}
		as_read(&m->memory, phys, buf, len);
		if (!write_all(fd, buf, len, arg->filename, errp))
			return false;
		addr += len;
		left -= len;
	}
	return true;
}

static bool check_range(const struct save_args *arg, GError **errp)
{
	if (arg->size >= 0)
		return true;
	error_set(errp, "Parameter 'size' expects a number of bytes, not %" PRId64, arg->size);
	return false;
}

struct save_job {
	const struct save_args *arg;
	int fd;
	GError **errp;
	bool ok;
};

static void save_on_cpu(struct vcpu *cpu, void *opaque)
{
	struct save_job *job = opaque;

	job->ok = save_range(job->arg, cpu, job->fd, job->errp);
}

static struct vcpu *cpu_by_index(const struct save_args *arg, GError **errp)
{
	struct machine *m = machine_current();
	int64_t i = arg->has_cpu_index ? arg->cpu_index : 0;

	if (!m || !m->cpus || i < 0 || i >= m->topo.maxcpus || !m->cpus[i]) {
		error_set(errp, "Parameter 'cpu-index' expects a CPU number");
		return NULL;
	}
	if (!m->cpus[i]->acc.accel->ops->vcpu_translate) {
		error_set(errp, "Accelerator '%s' has no virtual addresses", m->accel->ops->name);
		return NULL;
	}
	return m->cpus[i];
}

static bool save(const struct save_args *arg, struct vcpu *cpu, GError **errp)
{
	struct save_job job = {.arg = arg, .errp = errp};

	if (!check_range(arg, errp))
		return false;
	job.fd = path_open(arg->filename, O_WRONLY | O_CREAT | O_TRUNC, 0666, errp);
	if (job.fd < 0)
		return false;
	if (cpu)
		vcpu_run_on(cpu, save_on_cpu, &job);
	else
		job.ok = save_range(arg, NULL, job.fd, errp);
	close(job.fd);
	return job.ok;
}

static bool qmp_memsave(void *args, void *result, GError **errp)
{
	struct vcpu *cpu = cpu_by_index(args, errp);

	return cpu && save(args, cpu, errp);
}

static bool qmp_pmemsave(void *args, void *result, GError **errp)
{
	return save(args, NULL, errp);
}

const struct command memory_commands[] = {
	{"memsave", "Saves virtual memory of the guest to a file", &memsave_set, NULL, qmp_memsave},
	{"pmemsave", "Saves physical memory of the guest to a file", &pmemsave_set, NULL,
	 qmp_pmemsave},
	{NULL},
};
