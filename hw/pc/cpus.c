/*
 * CPUs that come and go on this board: what it has for each, and how the guest hears of it.
 */
#include "abi/fw_cfg.h"
#include "hw/fw_cfg.h"
#include "hw/pc/pc.h"
#include "hw/piix.h"
#include "machine/cpu-plug.h"

/* The bus of local APICs in this process is complete before CPUs run. */
static bool attach(struct machine *m, struct vcpu *cpu, GError **errp)
{
	if (m->accel->irqchip != IRQCHIP_OFF)
		return true;
	if (m->accel->ops->executes && tree_ready()) {
		error_set(errp, "CPU hotplug needs local APICs in the accelerator");
		error_add_hint(errp, "Start the machine with kernel-irqchip=on or split");
		return false;
	}
	return lapic_create(pc_machine_of(m)->apic_bus, cpu, errp) != NULL;
}

static void plugged(struct machine *m, struct vcpu *cpu)
{
	piix4_pm_cpu_plugged(pc_machine_of(m)->pm, cpu->index);
}

static bool unplug(struct machine *m, struct vcpu *cpu, GError **errp)
{
	if (m->accel->irqchip == IRQCHIP_OFF && m->accel->ops->executes) {
		error_set(errp, "CPU hotplug needs local APICs in the accelerator");
		return false;
	}
	piix4_pm_cpu_unplug(pc_machine_of(m)->pm, cpu->index);
	return true;
}

/* Firmware waits for that many at the next start. */
static void counted(struct machine *m, unsigned present)
{
	struct pc_machine *pc = pc_machine_of(m);

	pc_cmos_put_cpus(pc, present);
	fw_cfg_add_uint(pc->fw_cfg, FW_CFG_NB_CPUS, present, 2);
}

const struct cpu_hotplug pc_cpu_hotplug = {attach, plugged, unplug, counted};
