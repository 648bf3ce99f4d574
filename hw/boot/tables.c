/*
 * Tables the CPU and old kernels look for: descriptors, page tables, BIOS data; and the registers that
 * go with them.
 */
#include "abi/linux-boot.h"
#include "cpu/x86.h"
#include "internal.h"

#define PAGE_PRESENT BIT64(0)
#define PAGE_WRITE   BIT64(1)
#define PAGE_LARGE   BIT64(7)
#define TABLE_SIZE   4096
#define MAPPED_GIB   4
#define STACK_SIZE   4096

/*
 * Access bytes and flags of descriptors, as in struct x86_segment: present, system or not, type with
 * the accessed (or busy) bit that a loaded register has.
 */
#define ATTR_CODE   0x9b
#define ATTR_DATA   0x93
#define ATTR_TSS    0x8b
#define TR_SELECTOR 0x20

static const struct x86_segment flat_data = {
	.limit = 0xffffffff,
	.selector = LINUX_BOOT_DS,
	.attr = ATTR_DATA | SEG_ATTR_G | SEG_ATTR_DB,
};
static const struct x86_segment flat_code32 = {
	.limit = 0xffffffff,
	.selector = LINUX_BOOT_CS,
	.attr = ATTR_CODE | SEG_ATTR_G | SEG_ATTR_DB,
};
static const struct x86_segment flat_code64 = {
	.limit = 0xffffffff,
	.selector = LINUX_BOOT_CS,
	.attr = ATTR_CODE | SEG_ATTR_G | SEG_ATTR_L,
};
static const struct x86_segment task = {.limit = 0x67, .selector = TR_SELECTOR, .attr = ATTR_TSS};

/* A descriptor from a register (SDM vol. 3, 3.4.5); base 0. */
static uint64_t descriptor(const struct x86_segment *seg)
{
	uint64_t limit = seg->attr & SEG_ATTR_G ? seg->limit >> 12 : seg->limit;

	return (uint64_t)seg->attr << 40 | (limit & 0xf0000) << 32 | (limit & 0xffff);
}

/* The lower 4 GiB one to one, in pages of 2 MiB: one table of each upper level, and one for each GiB. */
static GByteArray *make_page_tables(uint64_t base)
{
	GByteArray *pages = g_byte_array_new();
	uint8_t *p;

	g_byte_array_set_size(pages, (2 + MAPPED_GIB) * TABLE_SIZE);
	p = pages->data;
	memset(p, 0, 2 * TABLE_SIZE);
	put_le64(p, (base + TABLE_SIZE) | PAGE_PRESENT | PAGE_WRITE);
	for (uint64_t i = 0; i < MAPPED_GIB; i++)
		put_le64(p + TABLE_SIZE + 8 * i,
			 (base + (2 + i) * TABLE_SIZE) | PAGE_PRESENT | PAGE_WRITE);
	for (uint64_t i = 0; i < MAPPED_GIB * 512; i++)
		put_le64(p + 2 * TABLE_SIZE + 8 * i,
			 i * 2 * MIB | PAGE_PRESENT | PAGE_WRITE | PAGE_LARGE);
	return pages;
}

static bool add_page_tables(struct boot_plan *plan, GError **errp)
{
	g_autoptr(GByteArray) pages = NULL;

	if (!plan_find_small(plan, "page tables", (2 + MAPPED_GIB) * TABLE_SIZE, TABLE_SIZE,
			     &plan->page_tables, errp))
		return false;
	pages = make_page_tables(plan->page_tables);
	return plan_add_bytes(plan, "page tables", plan->page_tables, pages->data, pages->len,
			      errp);
}

static bool add_stack(struct boot_plan *plan, GError **errp)
{
	struct boot_segment stack = {.what = "stack", .size = STACK_SIZE, .source = BOOT_FREE};

	if (!plan_find_small(plan, stack.what, stack.size, 16, &stack.addr, errp))
		return false;
	plan->stack_end = stack.addr + stack.size;
	return plan_add(plan, stack, errp);
}

bool plan_add_tables(struct boot_plan *plan, GError **errp)
{
	bool is_long = plan->mode == BOOT_MODE_LONG;
	uint8_t gdt[TR_SELECTOR + 16] = {0};

	/* The descriptor of a TSS has 16 bytes in long mode; the upper half is zero for base 0. */
	put_le64(gdt + LINUX_BOOT_CS, descriptor(is_long ? &flat_code64 : &flat_code32));
	put_le64(gdt + LINUX_BOOT_DS, descriptor(&flat_data));
	put_le64(gdt + TR_SELECTOR, descriptor(&task));
	if (!plan_find_small(plan, "descriptor table", sizeof(gdt), 16, &plan->gdt, errp) ||
	    !plan_add_bytes(plan, "descriptor table", plan->gdt, gdt, sizeof(gdt), errp))
		return false;
	return add_stack(plan, errp) && (!is_long || add_page_tables(plan, errp));
}

/*
 * The words of the BIOS data area that say where its extension lies and how much memory is below it:
 * kernels search there for tables, and put the code that starts other CPUs below.
 */
bool plan_add_bios_data(struct boot_plan *plan, GError **errp)
{
	uint64_t low = e820_ram_end(plan->map, 0), addr;
	uint8_t bda[0x100] = {0};

	if (!low || low > 640 * KIB || !plan_find_low(plan, sizeof(bda), 1, 0x400, 0x500, &addr))
		return true;
	put_le16(bda + 0x0e, low >> 4);
	put_le16(bda + 0x13, low / KIB);
	return plan_add_bytes(plan, "BIOS data", addr, bda, sizeof(bda), errp);
}

/* ---- Registers ---- */

static void set_msr(struct x86_state *state, uint32_t index, uint64_t value)
{
	uint32_t i = 0;

	while (i < state->msr_count && state->msrs[i].index != index)
		i++;
	if (i == X86_MSRS_MAX)
		return;
	state->msrs[i] = (struct x86_msr){index, value};
	state->msr_count = MAX(state->msr_count, i + 1);
}

static void set_segments(struct x86_state *state, const struct x86_segment *code)
{
	for (unsigned i = S_ES; i <= S_GS; i++)
		state->seg[i] = i == S_CS ? *code : flat_data;
	state->seg[S_TR] = task;
	state->seg[S_LDT] = (struct x86_segment){.attr = 0x82 | SEG_ATTR_UNUSABLE};
}

/* All memory is write-back (bit 11: enabled). Without it Linux does not use the PAT. */
void boot_set_memory_types(struct x86_state *state)
{
	set_msr(state, MSR_MTRR_DEF_TYPE, BIT(11) | 6);
}

void boot_plan_set_cpu(const struct boot_plan *plan, bool is_bsp, struct x86_state *state)
{
	bool is_long = plan->mode == BOOT_MODE_LONG;

	boot_set_memory_types(state);
	if (!is_bsp)
		return;
	memset(state->gpr, 0, sizeof(state->gpr));
	state->gpr[R_AX] = plan->ax;
	state->gpr[R_BX] = plan->bx;
	state->gpr[R_SI] = plan->si;
	state->gpr[R_SP] = plan->stack_end;
	state->rip = plan->entry;
	state->rflags = 2;
	set_segments(state, is_long ? &flat_code64 : &flat_code32);
	state->gdt = (struct x86_dtable){plan->gdt, TR_SELECTOR + 16 - 1};
	state->idt = (struct x86_dtable){0, 0};
	state->cr0 = CR0_PE | CR0_ET | (is_long ? CR0_PG : 0);
	state->cr3 = plan->page_tables;
	state->cr4 = is_long ? CR4_PAE : 0;
	state->efer = is_long ? EFER_LME | EFER_LMA : 0;
}
