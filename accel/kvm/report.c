/*
 * What is said when a vCPU cannot go on: the reason as an error, the registers and the code around
 * the instruction pointer in the log.
 */
#include "kvm.h"

#define CODE_BEFORE 16
#define CODE_BYTES  64

static void append_code(struct kvm_cpu *c, GString *out)
{
	const struct x86_state *s = &c->cpu->state;
	uint64_t start = s->seg[S_CS].base + s->rip - CODE_BEFORE, paddr;
	uint8_t byte;

	g_string_append(out, "Code=");
	for (unsigned i = 0; i < CODE_BYTES; i++) {
		bool here = i == CODE_BEFORE;

		if (kvm_vcpu_translate(c->cpu, start + i, &paddr) &&
		    as_read(c->kvm->accel.machine.memory, paddr, &byte, 1) == MEM_OK)
			g_string_append_printf(out, "%s%02x%s ", here ? "<" : "", byte,
					       here ? ">" : "");
		else
			g_string_append(out, "?? ");
	}
	out->str[out->len - 1] = '\n';
}

static enum run_result log_registers(struct kvm_cpu *c)
{
	g_autoptr(GString) text = g_string_new(NULL);

	if (!c->cpu->state_here && kvm_vcpu_get_state(c->cpu, NULL))
		c->cpu->state_here = true;
	if (c->cpu->state_here) {
		x86_state_print(&c->cpu->state, c->halted, text);
		append_code(c, text);
		log_printf("%s", text->str);
	}
	return RUN_ERROR;
}

static void report_internal_error(const struct kvm_run *run)
{
	uint32_t count = MIN(run->internal.ndata, G_N_ELEMENTS(run->internal.data));

	error_report("KVM internal error. Suberror: %u%s", run->internal.suberror,
		     run->internal.suberror == KVM_INTERNAL_ERROR_EMULATION
			     ? " (an instruction KVM cannot emulate)"
			     : "");
	for (uint32_t i = 0; i < count; i++)
		log_printf("extra data[%u]: 0x%016" PRIx64 "\n", i,
			   (uint64_t)run->internal.data[i]);
}

enum run_result kvm_report_exit(struct kvm_cpu *c)
{
	const struct kvm_run *run = c->run;

	switch (run->exit_reason) {
	case KVM_EXIT_INTERNAL_ERROR:
		report_internal_error(run);
		break;
	case KVM_EXIT_FAIL_ENTRY:
		error_report("KVM: entry failed, hardware error 0x%" PRIx64,
			     (uint64_t)run->fail_entry.hardware_entry_failure_reason);
		break;
	case KVM_EXIT_UNKNOWN:
		error_report("KVM: unknown exit, hardware reason %" PRIx64,
			     (uint64_t)run->hw.hardware_exit_reason);
		break;
	case KVM_EXIT_NOTIFY:
		error_report("KVM: CPU %u let no event in for long (notify VM exit, flags 0x%x)",
			     c->cpu->index, run->notify.flags);
		break;
	default:
		error_report("KVM: unknown exit reason %u", run->exit_reason);
	}
	return log_registers(c);
}

enum run_result kvm_report_failure(struct kvm_cpu *c, int error)
{
	error_report("kvm run failed %s (CPU %u)", g_strerror(error), c->cpu->index);
	return log_registers(c);
}
