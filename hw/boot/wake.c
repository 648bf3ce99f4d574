/*
 * Waking from S3 where no firmware runs.
 *
 * Before a guest sleeps it writes the address of real mode code below 1 MiB into the FACS, the firmware
 * waking vector (ACPI 6.5, 5.2.10 and 16.3.1). Firmware goes there after the reset that ends sleep; without
 * it we do. The wider vector of the same table is for a version of it that ours does not claim to be.
 */
#include "internal.h"
#include "abi/acpi.h"
#include "base/trace.h"
#include "cpu/x86.h"
#include "mem/space.h"

TRACE_DEFINE(boot_wake, "to 0x%x");

uint32_t boot_plan_waking_vector(const struct boot_plan *plan, struct address_space *as)
{
	uint8_t bytes[4];
	uint32_t vector;

	if (!plan->facs || as_read(as, plan->facs + offsetof(struct acpi_facs, waking_vector),
				   bytes, sizeof(bytes)) != MEM_OK)
		return 0;
	vector = get_le32(bytes);
	trace(boot_wake, vector);
	return vector < MIB ? vector : 0;
}

/* The state is that after reset: in real mode, other CPUs wait for the first. */
void boot_plan_wake_cpu(uint32_t vector, bool is_bsp, struct x86_state *state)
{
	boot_set_memory_types(state);
	if (!is_bsp)
		return;
	state->seg[S_CS].selector = vector >> 4;
	state->seg[S_CS].base = vector & ~0xfU;
	state->rip = vector & 0xf;
}
