#include "msr.h"
#include "base/trace.h"
#include "event/clock.h"
#include "sysregs.h"

TRACE_DEFINE(guest_errors_dbt_msr, "cpu %u: %s of MSR 0x%x");

#define MSR_TSC_ADJUST      0x3b
#define MSR_FEATURE_CONTROL 0x3a
#define MSR_SPEC_CTRL       0x48
#define MSR_PRED_CMD        0x49
#define MSR_MICROCODE       0x8b
#define MSR_MTRR_CAP        0xfe
#define MSR_SYSENTER_CS     0x174
#define MSR_MCG_CAP         0x179
#define MSR_PERF_STATUS     0x198
#define MSR_DEBUGCTL        0x1d9
#define MSR_MTRR_VARIABLE   0x200
#define MSR_MC0_CTL         0x400
#define MSR_X2APIC          0x800
#define MSR_XSS             0xda0
#define MSR_FS_BASE         0xc0000100
#define MSR_GS_BASE         0xc0000101
#define MSR_TSC_AUX         0xc0000103

#define MTRR_CAP       (MTRR_VARIABLE | BIT(8) | BIT(10)) /* fixed ranges, write combining */
#define MCG_CAP        (MCE_BANKS | BIT(8) | BIT(24))     /* MCG_CTL; recovery */
#define PERF_STATUS    (1000ULL | 4ULL << 40)
#define PAT_RESET      0x0007040600070406ULL
#define TSC_HZ_DEFAULT 1000000000ULL

/* ---- Time ---- */

uint64_t dbt_tsc_hz(const struct dbt_cpu *cpu)
{
	return cpu->acc->tsc_hz ? cpu->acc->tsc_hz : TSC_HZ_DEFAULT;
}

/* Ticks since the guest began; they stop when it stops. */
static uint64_t ticks(const struct dbt_cpu *cpu)
{
	uint64_t ns = clock_now(QCLOCK_VIRTUAL), hz = dbt_tsc_hz(cpu);

	if (hz == NS_PER_SEC)
		return ns;
	return (unsigned __int128)ns * hz / NS_PER_SEC;
}

uint64_t dbt_tsc(struct dbt_cpu *cpu)
{
	return ticks(cpu) + cpu->msrs->tsc_offset;
}

static void set_tsc(struct dbt_cpu *cpu, uint64_t value)
{
	uint64_t offset = value - ticks(cpu);

	cpu->msrs->tsc_adjust += offset - cpu->msrs->tsc_offset;
	cpu->msrs->tsc_offset = offset;
}

static void set_tsc_adjust(struct dbt_cpu *cpu, uint64_t value)
{
	cpu->msrs->tsc_offset += value - cpu->msrs->tsc_adjust;
	cpu->msrs->tsc_adjust = value;
}

/* ---- Registers that are just kept ---- */

enum check {
	CHECK_NONE,
	CHECK_CANONICAL,
	CHECK_32, /* the upper half is reserved */
	CHECK_PAT,
	CHECK_MTRR_TYPES, /* eight of them */
	CHECK_MTRR_BASE,
	CHECK_MTRR_MASK,
	CHECK_MTRR_DEF,
	CHECK_MC_CTL, /* 0 or all ones */
};

struct kept {
	uint32_t index, count;
	uint16_t offset; /* in struct dbt_msrs */
	uint8_t stride;  /* of the index */
	uint8_t check;
	uint8_t word, bit; /* the feature it comes with; FEAT_WORDS: always there */
};

#define KEPT(_index, _member, _check)                                                              \
	{                                                                                          \
		_index, 1, offsetof(struct dbt_msrs, _member), 1, _check, FEAT_WORDS, 0            \
	}
#define KEPT_IF(_index, _member, _check, _word, _bit)                                              \
	{                                                                                          \
		_index, 1, offsetof(struct dbt_msrs, _member), 1, _check, _word, _bit              \
	}
#define KEPT_MANY(_index, _count, _stride, _member, _check)                                        \
	{                                                                                          \
		_index, _count, offsetof(struct dbt_msrs, _member), _stride, _check, FEAT_WORDS, 0 \
	}

static const struct kept kept[] = {
	KEPT(MSR_FEATURE_CONTROL, feature_control, CHECK_NONE),
	KEPT_IF(MSR_SPEC_CTRL, spec_ctrl, CHECK_NONE, FEAT_7_0_EDX, 26),
	KEPT(MSR_SYSENTER_CS, sysenter_cs, CHECK_NONE),
	KEPT(0x175, sysenter_esp, CHECK_CANONICAL),
	KEPT(0x176, sysenter_eip, CHECK_CANONICAL),
	KEPT(0x17a, mcg_status, CHECK_NONE),
	KEPT(0x17b, mcg_ctl, CHECK_MC_CTL),
	KEPT(MSR_MISC_ENABLE, misc_enable, CHECK_NONE),
	KEPT_MANY(MSR_MTRR_VARIABLE, MTRR_VARIABLE, 2, mtrr_base, CHECK_MTRR_BASE),
	KEPT_MANY(MSR_MTRR_VARIABLE + 1, MTRR_VARIABLE, 2, mtrr_mask, CHECK_MTRR_MASK),
	KEPT(0x250, mtrr_fixed[0], CHECK_MTRR_TYPES),
	KEPT_MANY(0x258, 2, 1, mtrr_fixed[1], CHECK_MTRR_TYPES),
	KEPT_MANY(0x268, 8, 1, mtrr_fixed[3], CHECK_MTRR_TYPES),
	KEPT(MSR_PAT, pat, CHECK_PAT),
	KEPT(MSR_MTRR_DEF_TYPE, mtrr_def_type, CHECK_MTRR_DEF),
	KEPT_MANY(MSR_MC0_CTL, MCE_BANKS * 4, 1, mce_bank, CHECK_NONE),
	KEPT(0xc0000081, star, CHECK_NONE),
	KEPT_IF(0xc0000082, lstar, CHECK_CANONICAL, FEAT_8000_0001_EDX, 29),
	KEPT_IF(0xc0000083, cstar, CHECK_CANONICAL, FEAT_8000_0001_EDX, 29),
	KEPT_IF(0xc0000084, fmask, CHECK_32, FEAT_8000_0001_EDX, 29),
	KEPT_IF(0xc0000102, kernel_gs_base, CHECK_CANONICAL, FEAT_8000_0001_EDX, 29),
	KEPT_IF(MSR_TSC_AUX, tsc_aux, CHECK_32, FEAT_8000_0001_EDX, 27),
	KEPT_IF(0xc001011f, virt_spec_ctrl, CHECK_NONE, FEAT_8000_0008_EBX, 25),
};

static bool is_memory_type(unsigned type, bool pat)
{
	return type == 0 || type == 1 || (type >= 4 && type <= 6) || (pat && type == 7);
}

static bool are_memory_types(uint64_t value, bool pat)
{
	for (unsigned i = 0; i < 8; i++) {
		if (!is_memory_type(value >> i * 8 & 0xff, pat))
			return false;
	}
	return true;
}

static bool is_legal(const struct dbt_cpu *cpu, enum check check, uint64_t value)
{
	switch (check) {
	case CHECK_CANONICAL:
		return is_canonical(value);
	case CHECK_32:
		return !(value >> 32);
	case CHECK_PAT:
		return are_memory_types(value, true);
	case CHECK_MTRR_TYPES:
		return are_memory_types(value, false);
	case CHECK_MTRR_BASE:
		return is_memory_type(value & 0xff, false) && !(value & 0xf00) &&
		       !(value & ~cpu->phys_mask);
	case CHECK_MTRR_MASK:
		return !(value & 0x7ff) && !(value & ~cpu->phys_mask);
	case CHECK_MTRR_DEF:
		return is_memory_type(value & 0xff, false) && !(value & ~0xcffULL);
	case CHECK_MC_CTL:
		return !value || value == UINT64_MAX;
	default:
		return true;
	}
}

static uint64_t *find_kept(struct dbt_cpu *cpu, uint32_t index, const struct kept **row)
{
	for (size_t i = 0; i < G_N_ELEMENTS(kept); i++) {
		const struct kept *k = &kept[i];
		uint32_t n = index - k->index;

		if (n >= k->count * k->stride || n % k->stride)
			continue;
		if (k->word != FEAT_WORDS && !dbt_has(cpu, k->word, BIT64(k->bit)))
			return NULL;
		*row = k;
		return (uint64_t *)((char *)cpu->msrs + k->offset) + n / k->stride;
	}
	return NULL;
}

/*
 * Registers of models that systems touch though no feature bit promises them: they read as 0, and
 * writes do nothing.
 */
static const struct {
	uint32_t first, last;
} empty[] = {
	{0x17, 0x17},             /* PLATFORM_ID */
	{0x2a, 0x2a},             /* EBL_CR_POWERON */
	{0x34, 0x34},             /* SMI_COUNT */
	{0x79, 0x79},             /* BIOS_UPDT_TRIG */
	{0x119, 0x119},           /* BBL_CR_CTL */
	{0x199, 0x19c},           /* PERF_CTL, clock modulation, thermal */
	{0x1db, 0x1de},           /* last branches */
	{0xc0010010, 0xc0010010}, /* SYSCFG */
	{0xc0010015, 0xc0010015}, /* HWCR */
	{0xc001001f, 0xc0010020}, /* NB_CFG, patch loader */
	{0xc0010055, 0xc0010055}, /* interrupt pending message */
	{0xc0010112, 0xc0010114}, /* TSEG, VM_CR */
	{0xc0010117, 0xc0010117}, /* VM_HSAVE_PA */
	{0xc0010140, 0xc0010141}, /* OSVW */
	{0xc0011020, 0xc001102a}, /* LS_CFG ... DE_CFG */
};

static bool is_empty(uint32_t index)
{
	for (size_t i = 0; i < G_N_ELEMENTS(empty); i++) {
		if (index >= empty[i].first && index <= empty[i].last)
			return true;
	}
	return false;
}

/* ---- The local APIC's ---- */

static bool is_lapic(const struct dbt_cpu *cpu, uint32_t index)
{
	if (index == MSR_TSC_DEADLINE)
		return dbt_has(cpu, FEAT_1_ECX, BIT(24));
	return index == MSR_APIC_BASE || index - MSR_X2APIC < 0x100;
}

static bool read_lapic(struct dbt_cpu *cpu, uint32_t index, uint64_t *value)
{
	const struct accel_intr_ops *intr = cpu->acc->intr;
	void *opaque = cpu->acc->intr_opaque;

	*value = cpu->apic_base;
	if (!intr || !intr->get_base)
		return index == MSR_APIC_BASE;
	if (index == MSR_APIC_BASE)
		*value = intr->get_base(opaque);
	else if (index == MSR_TSC_DEADLINE)
		*value = intr->get_tsc_deadline(opaque);
	else
		return intr->msr_read(opaque, index, value);
	return true;
}

static bool write_lapic(struct dbt_cpu *cpu, uint32_t index, uint64_t value)
{
	const struct accel_intr_ops *intr = cpu->acc->intr;
	void *opaque = cpu->acc->intr_opaque;

	if (!intr || !intr->set_base)
		return false;
	if (index == MSR_APIC_BASE) {
		if (!intr->set_base(opaque, value))
			return false;
		cpu->apic_base = value;
		return true;
	}
	if (index == MSR_TSC_DEADLINE) {
		intr->set_tsc_deadline(opaque, value, dbt_tsc(cpu), dbt_tsc_hz(cpu));
		return true;
	}
	return intr->msr_write(opaque, index, value);
}

/* ---- RDMSR, WRMSR ---- */

static bool read_special(struct dbt_cpu *cpu, uint32_t index, uint64_t *value)
{
	switch (index) {
	case MSR_TSC:
		*value = dbt_tsc(cpu);
		return true;
	case MSR_TSC_ADJUST:
		*value = cpu->msrs->tsc_adjust;
		return dbt_has(cpu, FEAT_7_0_EBX, BIT(1));
	case MSR_MICROCODE:
		*value = cpu->msrs->microcode;
		return true;
	case MSR_MTRR_CAP:
		*value = MTRR_CAP;
		return dbt_has(cpu, FEAT_1_EDX, BIT(12));
	case MSR_MCG_CAP:
		*value = MCG_CAP;
		return true;
	case MSR_PERF_STATUS:
		*value = PERF_STATUS;
		return true;
	case MSR_DEBUGCTL:
		*value = cpu->msrs->debugctl;
		return true;
	case MSR_XSS:
		*value = cpu->xss;
		return dbt_has(cpu, FEAT_XSAVE, BIT(3));
	case MSR_EFER:
		*value = cpu->efer;
		return dbt_has(cpu, FEAT_8000_0001_EDX, BIT(29) | BIT(20) | BIT(11));
	case MSR_FS_BASE:
		*value = cpu->seg[S_FS].base;
		return dbt_has(cpu, FEAT_8000_0001_EDX, BIT(29));
	case MSR_GS_BASE:
		*value = cpu->seg[S_GS].base;
		return dbt_has(cpu, FEAT_8000_0001_EDX, BIT(29));
	default:
		return false;
	}
}

bool dbt_rdmsr(struct dbt_cpu *cpu, uint32_t index, uint64_t *value)
{
	const struct kept *row;
	uint64_t *member;
	bool ok;

	if (is_lapic(cpu, index)) {
		dbt_go_outside(cpu);
		ok = read_lapic(cpu, index, value);
		dbt_go_inside(cpu);
		return ok;
	}
	member = find_kept(cpu, index, &row);
	*value = member ? *member : 0;
	if (member || read_special(cpu, index, value) || is_empty(index))
		return true;
	trace(guest_errors_dbt_msr, cpu->acc->index, "read", index);
	return false;
}

static bool set_base(struct dbt_cpu *cpu, enum x86_seg seg, uint64_t value)
{
	if (!is_canonical(value) || !dbt_has(cpu, FEAT_8000_0001_EDX, BIT(29)))
		return false;
	cpu->seg[seg].base = cpu->seg_base[seg] = value;
	return true;
}

static bool write_special(struct dbt_cpu *cpu, uint32_t index, uint64_t value)
{
	switch (index) {
	case MSR_TSC:
		set_tsc(cpu, value);
		return true;
	case MSR_TSC_ADJUST:
		if (!dbt_has(cpu, FEAT_7_0_EBX, BIT(1)))
			return false;
		set_tsc_adjust(cpu, value);
		return true;
	case MSR_PRED_CMD:
		return dbt_has(cpu, FEAT_7_0_EDX, BIT(26)) ||
		       dbt_has(cpu, FEAT_8000_0008_EBX, BIT(12));
	case MSR_MICROCODE:
		return true; /* written with 0 before CPUID fills it in */
	case MSR_DEBUGCTL:
		cpu->msrs->debugctl = value & 3;
		return true;
	case MSR_XSS: /* there is no state for supervisors */
		return !value && dbt_has(cpu, FEAT_XSAVE, BIT(3));
	case MSR_EFER:
		if (!dbt_has(cpu, FEAT_8000_0001_EDX, BIT(29) | BIT(20) | BIT(11)))
			return false;
		dbt_set_efer(cpu, cpu->op, value);
		return true;
	case MSR_FS_BASE:
		return set_base(cpu, S_FS, value);
	case MSR_GS_BASE:
		return set_base(cpu, S_GS, value);
	default:
		return false;
	}
}

bool dbt_wrmsr(struct dbt_cpu *cpu, uint32_t index, uint64_t value)
{
	const struct kept *row;
	uint64_t *member;
	bool ok;

	if (is_lapic(cpu, index)) {
		dbt_go_outside(cpu);
		ok = write_lapic(cpu, index, value);
		dbt_recheck_interrupts(cpu);
		dbt_go_inside(cpu);
		return ok;
	}
	member = find_kept(cpu, index, &row);
	if (member) {
		if (!is_legal(cpu, row->check, value))
			return false;
		*member = value;
		return true;
	}
	if (write_special(cpu, index, value) || is_empty(index))
		return true;
	trace(guest_errors_dbt_msr, cpu->acc->index, "write", index);
	return false;
}

/* ---- State ---- */

static void power_on(struct dbt_cpu *cpu)
{
	struct dbt_msrs *m = cpu->msrs;

	*m = (struct dbt_msrs){
		.pat = PAT_RESET,
		.misc_enable = 1,
		.mcg_ctl = UINT64_MAX,
		.smbase = 0x30000,
		.microcode = dbt_is_intel(cpu) ? 1ULL << 32 : 0x01000065,
	};
	for (unsigned i = 0; i < MCE_BANKS; i++)
		m->mce_bank[i * 4] = UINT64_MAX;
}

void msrs_init(struct dbt_cpu *cpu)
{
	cpu->msrs = g_new0(struct dbt_msrs, 1);
	power_on(cpu);
}

void msrs_cleanup(struct dbt_cpu *cpu)
{
	g_clear_pointer(&cpu->msrs, g_free);
}

static void add(struct x86_state *s, uint32_t index, uint64_t value)
{
	if (s->msr_count < X86_MSRS_MAX)
		s->msrs[s->msr_count++] = (struct x86_msr){index, value};
}

#define MSR_SMBASE 0x9e

void msrs_get(struct dbt_cpu *cpu, struct x86_state *s)
{
	const struct kept *row;

	s->msr_count = 0;
	add(s, MSR_TSC, dbt_tsc(cpu));
	if (dbt_has(cpu, FEAT_7_0_EBX, BIT(1)))
		add(s, MSR_TSC_ADJUST, cpu->msrs->tsc_adjust);
	add(s, MSR_DEBUGCTL, cpu->msrs->debugctl);
	add(s, MSR_SMBASE, cpu->msrs->smbase);
	for (size_t i = 0; i < G_N_ELEMENTS(kept); i++) {
		for (uint32_t n = 0; n < kept[i].count; n++) {
			uint32_t index = kept[i].index + n * kept[i].stride;
			uint64_t *member = find_kept(cpu, index, &row);

			if (member)
				add(s, index, *member);
		}
	}
}

static void put_one(struct dbt_cpu *cpu, uint32_t index, uint64_t value, bool full)
{
	const struct kept *row;
	uint64_t *member = find_kept(cpu, index, &row);

	if (member)
		*member = value;
	else if (index == MSR_TSC && full)
		cpu->msrs->tsc_offset = value - ticks(cpu);
	else if (index == MSR_TSC_ADJUST && full)
		cpu->msrs->tsc_adjust = value;
	else if (index == MSR_DEBUGCTL)
		cpu->msrs->debugctl = value;
	else if (index == MSR_SMBASE)
		cpu->msrs->smbase = value;
}

/* A reset, or a state from elsewhere, gives what it does not mention its value of power-on. */
void msrs_put(struct dbt_cpu *cpu, const struct x86_state *s, bool full)
{
	if (full)
		power_on(cpu);
	for (uint32_t i = 0; i < MIN(s->msr_count, X86_MSRS_MAX); i++)
		put_one(cpu, s->msrs[i].index, s->msrs[i].value, full);
}
