/*
 * Architectural state: its rows, and its values after reset.
 */
#include "cpu/x86.h"

static const struct field segment_rows[] = {
	SAVE_UINT(struct x86_segment, base),
	SAVE_UINT(struct x86_segment, limit),
	SAVE_UINT(struct x86_segment, selector),
	SAVE_UINT(struct x86_segment, attr),
	FIELD_ROW_END,
};
static const struct field_set segment_set = {
	"x86_segment",
	sizeof(struct x86_segment),
	segment_rows,
};

static const struct field dtable_rows[] = {
	SAVE_UINT(struct x86_dtable, base),
	SAVE_UINT(struct x86_dtable, limit),
	FIELD_ROW_END,
};
static const struct field_set dtable_set = {"x86_dtable", sizeof(struct x86_dtable), dtable_rows};

static const struct field event_rows[] = {
	SAVE_BOOL(struct x86_events, exception_pending),
	SAVE_BOOL(struct x86_events, exception_injected),
	SAVE_BOOL(struct x86_events, exception_has_code),
	SAVE_BOOL(struct x86_events, exception_has_payload),
	SAVE_UINT(struct x86_events, exception_vector),
	SAVE_UINT(struct x86_events, exception_code),
	SAVE_UINT(struct x86_events, exception_payload),
	SAVE_BOOL(struct x86_events, interrupt_injected),
	SAVE_BOOL(struct x86_events, interrupt_soft),
	SAVE_UINT(struct x86_events, interrupt_vector),
	SAVE_UINT(struct x86_events, interrupt_shadow),
	SAVE_BOOL(struct x86_events, nmi_injected),
	SAVE_BOOL(struct x86_events, nmi_pending),
	SAVE_BOOL(struct x86_events, nmi_masked),
	SAVE_BOOL(struct x86_events, in_smm),
	SAVE_BOOL(struct x86_events, smi_pending),
	SAVE_BOOL(struct x86_events, smm_inside_nmi),
	SAVE_BOOL(struct x86_events, smi_latched_init),
	SAVE_BOOL(struct x86_events, triple_fault_pending),
	SAVE_UINT(struct x86_events, sipi_vector),
	FIELD_ROW_END,
};
static const struct field_set event_set = {"x86_events", sizeof(struct x86_events), event_rows};

static const struct field msr_rows[] = {
	SAVE_UINT(struct x86_msr, index),
	SAVE_UINT(struct x86_msr, value),
	FIELD_ROW_END,
};
static const struct field_set msr_set = {"x86_msr", sizeof(struct x86_msr), msr_rows};

static bool has_nested(const void *object)
{
	return ((const struct x86_state *)object)->nested_size > 0;
}

const struct field x86_state_rows[] = {
	SAVE_UINTS(struct x86_state, gpr),
	SAVE_UINT(struct x86_state, rip),
	SAVE_UINT(struct x86_state, rflags),
	SAVE_STRUCTS(struct x86_state, seg, &segment_set),
	SAVE_STRUCT(struct x86_state, gdt, &dtable_set),
	SAVE_STRUCT(struct x86_state, idt, &dtable_set),
	SAVE_UINT(struct x86_state, cr0),
	SAVE_UINT(struct x86_state, cr2),
	SAVE_UINT(struct x86_state, cr3),
	SAVE_UINT(struct x86_state, cr4),
	SAVE_UINT(struct x86_state, cr8),
	SAVE_UINTS(struct x86_state, dr),
	SAVE_UINT(struct x86_state, efer),
	SAVE_UINT(struct x86_state, apic_base),
	SAVE_UINT(struct x86_state, xcr0),
	SAVE_UINTS(struct x86_state, pdptr),
	SAVE_BOOL(struct x86_state, pdptrs_valid),
	SAVE_BYTES(struct x86_state, xsave),
	SAVE_ENUM(struct x86_state, mp_state),
	SAVE_STRUCT(struct x86_state, events, &event_set),
	SAVE_BYTES(struct x86_state, lapic),
	SAVE_UINT(struct x86_state, msr_count),
	SAVE_STRUCTS(struct x86_state, msrs, &msr_set),
	{
		FIELD_AT(struct x86_state, nested_size, "nested_size", FIELD_UINT, 4, ""),
		.flags = FIELD_OPTIONAL,
		.needed = has_nested,
	},
	{
		FIELD_AT(struct x86_state, nested, "nested", FIELD_BYTES, 1, ""),
		.flags = FIELD_OPTIONAL,
		.count = X86_NESTED_MAX,
		.needed = has_nested,
	},
	FIELD_ROW_END,
};

static void add_msr(struct x86_state *s, uint32_t index, uint64_t value)
{
	s->msrs[s->msr_count++] = (struct x86_msr){index, value};
}

static void reset_segments(struct x86_state *s)
{
	for (unsigned i = S_ES; i <= S_GS; i++)
		s->seg[i] = (struct x86_segment){.limit = 0xffff, .attr = 0x93};
	s->seg[S_CS] = (struct x86_segment){
		.base = 0xffff0000,
		.limit = 0xffff,
		.selector = 0xf000,
		.attr = 0x9b,
	};
	s->seg[S_LDT] = (struct x86_segment){.limit = 0xffff, .attr = 0x82};
	s->seg[S_TR] = (struct x86_segment){.limit = 0xffff, .attr = 0x8b};
	s->gdt.limit = s->idt.limit = 0xffff;
}

/*
 * Local APIC registers, 16 bytes apart: spurious vector FFH, LVT entries masked, DFR flat. The boot
 * CPU's LINT0 takes the PIC's interrupts, as firmware would set it up (virtual wire mode).
 */
static void reset_lapic(struct x86_state *s, bool is_bsp)
{
	static const uint16_t masked[] = {0x2f0, 0x320, 0x330, 0x340, 0x350, 0x360, 0x370};
	uint32_t v;

#define LAPIC_SET(_reg, _value) (v = (_value), memcpy(s->lapic + (_reg), &v, 4))
	memset(s->lapic, 0, sizeof(s->lapic));
	LAPIC_SET(0x30, 0x50014); /* version 14H, 6 LVT entries */
	LAPIC_SET(0xe0, 0xffffffff);
	LAPIC_SET(0xf0, 0xff);
	for (size_t i = 0; i < G_N_ELEMENTS(masked); i++)
		LAPIC_SET(masked[i], BIT(16));
	if (is_bsp)
		LAPIC_SET(0x350, 0x700);
#undef LAPIC_SET
}

/* What RESET and INIT have in common, onto zeroes. */
static void reset_registers(struct x86_state *s, uint32_t signature)
{
	reset_segments(s);
	s->rip = 0xfff0;
	s->rflags = 2;
	s->gpr[R_DX] = signature;
	s->dr[6] = 0xffff0ff0;
	s->dr[7] = 0x400;
}

void x86_state_init(struct x86_state *s, bool is_bsp, uint32_t signature)
{
	memset(s->gpr, 0, sizeof(s->gpr));
	memset(s->dr, 0, sizeof(s->dr));
	memset(&s->gdt, 0, sizeof(s->gdt));
	memset(&s->idt, 0, sizeof(s->idt));
	memset(&s->events, 0, sizeof(s->events));
	reset_registers(s, signature);
	s->cr0 = CR0_ET | (s->cr0 & (CR0_CD | CR0_NW));
	s->cr2 = s->cr3 = s->cr4 = s->cr8 = s->efer = 0;
	s->pdptrs_valid = false;
	s->mp_state = is_bsp ? MP_RUNNABLE : MP_INIT_RECEIVED;
}

void x86_state_startup(struct x86_state *s, uint8_t page)
{
	s->seg[S_CS].selector = page << 8;
	s->seg[S_CS].base = page << 12;
	s->rip = 0;
	s->mp_state = MP_RUNNABLE;
}

void x86_state_reset(struct x86_state *s, bool is_bsp, uint32_t signature)
{
	memset(s, 0, sizeof(*s));
	reset_registers(s, signature);
	s->cr0 = CR0_ET | CR0_CD | CR0_NW;
	s->xcr0 = 1;
	s->xsave[0] = 0x7f; /* FCW 037FH: all x87 exceptions masked */
	s->xsave[1] = 0x03;
	s->xsave[24] = 0x80; /* MXCSR 1F80H */
	s->xsave[25] = 0x1f;
	s->xsave[512] = 3; /* XSTATE_BV: both are not in their initial state by the bytes above */
	s->apic_base = 0xfee00000 | APIC_BASE_ENABLE | (is_bsp ? APIC_BASE_BSP : 0);
	s->mp_state = is_bsp ? MP_RUNNABLE : MP_UNINITIALIZED;
	reset_lapic(s, is_bsp);
	add_msr(s, MSR_PAT, 0x0007040600070406ULL);
	add_msr(s, MSR_MISC_ENABLE, 1);
	add_msr(s, MSR_MTRR_DEF_TYPE, 0);
	add_msr(s, MSR_TSC, 0);
}
