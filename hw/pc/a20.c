/*
 * The A20 gate: address line 20 of the CPUs, which old programs pull down to have addresses wrap at 1 MiB.
 *
 * Port 92h holds it and the keyboard controller drives it by way of that chip: who wrote last, wins. The
 * CPUs are told where the accelerator can mask addresses; where it cannot (KVM), the registers are all
 * there is of it.
 */
#include "hw/i8042.h"
#include "hw/pc/pc.h"

extern const struct device_type port92_type;

static void set_high(struct vcpu *cpu, void *opaque)
{
	cpu->acc.accel->ops->vcpu_set_a20(&cpu->acc, true);
}

static void set_low(struct vcpu *cpu, void *opaque)
{
	cpu->acc.accel->ops->vcpu_set_a20(&cpu->acc, false);
}

/* The CPU that asked has it before its next instruction. */
static void a20_change(void *opaque, unsigned n, int level)
{
	struct machine *m = opaque;
	vcpu_fn *set = level ? set_high : set_low;

	if (!m->accel->ops->vcpu_set_a20)
		return;
	for (unsigned i = 0; m->cpus && i < m->topo.maxcpus; i++) {
		if (m->cpus[i] && m->cpus[i] == vcpu_self())
			set(m->cpus[i], NULL);
		else if (m->cpus[i])
			vcpu_run_async(m->cpus[i], set, NULL);
	}
}

void pc_make_a20(struct pc_machine *pc)
{
	struct device *gate = device_create(&port92_type, &pc->isa->bus), *keyboard;

	irq_init(&pc->a20, a20_change, &pc->m, 0);
	device_connect(gate, "", 0, &pc->a20);
	if (!pc->i8042)
		return;
	keyboard = device_create(&i8042_type, &pc->isa->bus);
	device_connect(keyboard, "a20", 0, device_input(gate, "", 0));
}
