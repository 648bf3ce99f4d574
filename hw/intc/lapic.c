/*
 * Local APIC: its registers, as a page of memory and as MSRs (SDM vol. 3, 11.4 and 11.12), and its life.
 */
#include "base/trace.h"
#include "event/lock.h"
#include "lapic.h"

TRACE_DEFINE(lapic_read, "cpu %u register 0x%02x0 -> 0x%08x");
TRACE_DEFINE(lapic_write, "cpu %u register 0x%02x0 <- 0x%08x");
TRACE_DEFINE(lapic_base, "cpu %u: 0x%" PRIx64);

#define CPUID_1_ECX_X2APIC       BIT(21)
#define CPUID_1_ECX_TSC_DEADLINE BIT(24)
#define FIRST_X2APIC_MSR         0x800
#define PAGE_PRIORITY            4097 /* above the window of messages */
#define ID_SHIFT                 24
#define XAPIC_ID_BITS            0xff000000
#define DFR_FIXED_BITS           0x0fffffff
#define TIME_MAX                 (INT64_MAX / 4) /* ns */

static bool has_feature(const struct lapic *l, uint32_t bit)
{
	return l->cpu->acc.features.words[FEAT_1_ECX] & bit;
}

/* ---- Which registers there are ---- */

enum access { ACCESS_READ = 1, ACCESS_WRITE = 2, ACCESS_BOTH = 3 };

struct reg_info {
	uint8_t reg, count;
	uint8_t page, msr; /* enum access, in either mode */
	uint32_t bits;     /* that can be written */
};

static const struct reg_info reg_table[] = {
	{APIC_ID, 1, ACCESS_BOTH, ACCESS_READ, XAPIC_ID_BITS},
	{APIC_VERSION, 1, ACCESS_READ, ACCESS_READ},
	{APIC_TPR, 1, ACCESS_BOTH, ACCESS_BOTH, 0xff},
	{APIC_APR, 1, ACCESS_READ, 0},
	{APIC_PPR, 1, ACCESS_READ, ACCESS_READ},
	{APIC_EOI, 1, ACCESS_BOTH, ACCESS_WRITE, 0},
	{APIC_RRD, 1, ACCESS_READ, 0},
	{APIC_LDR, 1, ACCESS_BOTH, ACCESS_READ, XAPIC_ID_BITS},
	{APIC_DFR, 1, ACCESS_BOTH, 0, ~DFR_FIXED_BITS},
	{APIC_SVR, 1, ACCESS_BOTH, ACCESS_BOTH, 0xff | SVR_ENABLED | SVR_NO_EOI_BROADCAST},
	{APIC_ISR, 3 * APIC_VECTOR_REGS, ACCESS_READ, ACCESS_READ},
	{APIC_ESR, 1, ACCESS_BOTH, ACCESS_BOTH, 0},
	{APIC_ICR, 1, ACCESS_BOTH, ACCESS_BOTH, 0xccfff},
	{APIC_ICR_HIGH, 1, ACCESS_BOTH, 0, XAPIC_ID_BITS},
	{APIC_LVT_TIMER, 1, ACCESS_BOTH, ACCESS_BOTH, 0x700ff},
	{APIC_LVT_THERMAL, 2, ACCESS_BOTH, ACCESS_BOTH, 0x107ff},
	{APIC_LVT_LINT0, 2, ACCESS_BOTH, ACCESS_BOTH, 0x1a7ff},
	{APIC_LVT_ERROR, 1, ACCESS_BOTH, ACCESS_BOTH, 0x100ff},
	{APIC_TIMER_INITIAL, 1, ACCESS_BOTH, ACCESS_BOTH, UINT32_MAX},
	{APIC_TIMER_CURRENT, 1, ACCESS_READ, ACCESS_READ},
	{APIC_TIMER_DIVIDE, 1, ACCESS_BOTH, ACCESS_BOTH, 0xb},
	{APIC_SELF_IPI, 1, 0, ACCESS_WRITE, 0xff},
};

static const struct reg_info *reg_find(unsigned reg)
{
	for (size_t i = 0; i < G_N_ELEMENTS(reg_table); i++) {
		if (reg - reg_table[i].reg < reg_table[i].count)
			return &reg_table[i];
	}
	return NULL;
}

static uint32_t version_of(const struct lapic *l)
{
	bool directed = has_feature(l, CPUID_1_ECX_X2APIC);

	return l->version | VERSION_MAX_LVT | (directed ? VERSION_NO_EOI_BROADCAST : 0);
}

/* ---- Reads ---- */

static uint32_t read_reg(struct lapic *l, unsigned reg)
{
	switch (reg) {
	case APIC_VERSION:
		return version_of(l);
	case APIC_PPR:
		return lapic_ppr(l);
	case APIC_APR:
	case APIC_EOI:
	case APIC_RRD:
		return 0;
	case APIC_TIMER_CURRENT:
		return lapic_timer_current(l);
	default:
		return lapic_get(l, reg);
	}
}

uint32_t lapic_page_read(struct lapic *l, unsigned offset)
{
	unsigned reg = offset / 16;
	const struct reg_info *info = reg_find(reg);
	uint32_t value = 0;

	if (info && (info->page & ACCESS_READ))
		value = read_reg(l, reg);
	else
		lapic_error(l, ESR_ILLEGAL_REGISTER);
	trace(lapic_read, l->cpu->index, reg, value);
	return value;
}

/* ---- Writes ---- */

static void write_svr(struct lapic *l, uint32_t value)
{
	if (!has_feature(l, CPUID_1_ECX_X2APIC))
		value &= ~SVR_NO_EOI_BROADCAST;
	lapic_put(l, APIC_SVR, value);
	if (value & SVR_ENABLED)
		return;
	for (unsigned reg = APIC_LVT_TIMER; reg <= APIC_LVT_ERROR; reg++)
		__atomic_fetch_or(&l->regs[reg], LVT_MASKED, __ATOMIC_SEQ_CST);
}

static void write_lvt(struct lapic *l, unsigned reg, uint32_t value)
{
	bool is_lint = reg == APIC_LVT_LINT0 || reg == APIC_LVT_LINT1;

	if (!(lapic_get(l, APIC_SVR) & SVR_ENABLED))
		value |= LVT_MASKED;
	if (reg == APIC_LVT_TIMER) {
		if (!has_feature(l, CPUID_1_ECX_TSC_DEADLINE))
			value &= ~LVT_TSC_DEADLINE;
		lapic_timer_write(l, reg, value);
		return;
	}
	if (is_lint && (value & LVT_LEVEL))
		value |= lapic_get(l, reg) & LVT_REMOTE_IRR;
	lapic_put(l, reg, value);
	/* A level may have waited for this. */
	if (is_lint && (value & LVT_LEVEL) &&
	    (__atomic_load_n(&l->lint_levels, __ATOMIC_SEQ_CST) & BIT(reg - APIC_LVT_LINT0)))
		lapic_local(l, reg);
}

static void write_reg(struct lapic *l, unsigned reg, uint32_t value)
{
	switch (reg) {
	case APIC_EOI:
		lapic_end_interrupt(l);
		break;
	case APIC_DFR:
		lapic_put(l, reg, value | DFR_FIXED_BITS);
		break;
	case APIC_SVR:
		write_svr(l, value);
		break;
	case APIC_ESR:
		lapic_put(l, reg, __atomic_exchange_n(&l->errors, 0, __ATOMIC_SEQ_CST));
		break;
	case APIC_ICR:
		lapic_put(l, reg, value);
		lapic_send_ipi(l, value, lapic_get(l, APIC_ICR_HIGH) >> ID_SHIFT);
		break;
	case APIC_LVT_TIMER ... APIC_LVT_ERROR:
		write_lvt(l, reg, value);
		break;
	case APIC_TIMER_INITIAL:
	case APIC_TIMER_DIVIDE:
		lapic_timer_write(l, reg, value);
		break;
	case APIC_SELF_IPI:
		if (value < APIC_FIRST_VECTOR)
			lapic_error(l, ESR_SEND_ILLEGAL_VECTOR);
		else
			lapic_accept(l, value, false);
		break;
	default:
		lapic_put(l, reg, value);
	}
}

void lapic_page_write(struct lapic *l, unsigned offset, uint32_t value)
{
	unsigned reg = offset / 16;
	const struct reg_info *info = reg_find(reg);

	trace(lapic_write, l->cpu->index, reg, value);
	if (info && (info->page & ACCESS_WRITE))
		write_reg(l, reg, value & info->bits);
	else
		lapic_error(l, ESR_ILLEGAL_REGISTER);
}

/* ---- MSRs of x2APIC mode ---- */

bool lapic_msr_read(struct device *dev, uint32_t index, uint64_t *value)
{
	struct lapic *l = lapic_of(dev);
	unsigned reg = index - FIRST_X2APIC_MSR;
	const struct reg_info *info = reg_find(reg);

	if (!lapic_is_x2apic(l) || !info || !(info->msr & ACCESS_READ))
		return false;
	*value = read_reg(l, reg);
	if (reg == APIC_ICR)
		*value |= (uint64_t)lapic_get(l, APIC_ICR_HIGH) << 32;
	trace(lapic_read, l->cpu->index, reg, (uint32_t)*value);
	return true;
}

bool lapic_msr_write(struct device *dev, uint32_t index, uint64_t value)
{
	struct lapic *l = lapic_of(dev);
	unsigned reg = index - FIRST_X2APIC_MSR;
	const struct reg_info *info = reg_find(reg);
	uint64_t bits;

	if (!lapic_is_x2apic(l) || !info || !(info->msr & ACCESS_WRITE))
		return false;
	bits = reg == APIC_ICR ? info->bits | 0xffffffff00000000 : info->bits;
	if (reg >= APIC_LVT_TIMER && reg <= APIC_LVT_ERROR)
		bits |= BIT(12) | LVT_REMOTE_IRR; /* read-only, not reserved */
	if (value & ~bits)
		return false;
	trace(lapic_write, l->cpu->index, reg, (uint32_t)value);
	if (reg != APIC_ICR) {
		write_reg(l, reg, value & info->bits);
		return true;
	}
	lapic_put(l, APIC_ICR_HIGH, value >> 32);
	lapic_put(l, APIC_ICR, value);
	lapic_send_ipi(l, value, value >> 32);
	return true;
}

/* ---- IA32_APIC_BASE ---- */

static uint64_t page_of(uint64_t base)
{
	return base & ~(uint64_t)(APIC_PAGE_SIZE - 1);
}

static bool in_window(uint64_t page)
{
	return page >> 20 == APIC_BASE_PAGE >> 20;
}

/* Several CPUs may have moved to one page, then one of the regions answers for all. */
static struct lapic *page_user(struct lapic *owner)
{
	struct lapic *l = apic_bus_current(owner->bus);
	bool here = l && lapic_is_present(l) && !lapic_is_x2apic(l) &&
		    page_of(lapic_base(l)) == page_of(lapic_base(owner));

	return here ? l : NULL;
}

static uint64_t moved_read(void *opaque, uint64_t offset, unsigned size)
{
	struct lapic *l = page_user(opaque);

	return l ? lapic_page_read(l, offset) : UINT32_MAX;
}

static void moved_write(void *opaque, uint64_t offset, uint64_t value, unsigned size)
{
	struct lapic *l = page_user(opaque);

	if (l)
		lapic_page_write(l, offset, value);
}

static const struct io_ops moved_ops = {
	.read = moved_read,
	.write = moved_write,
	.valid = {.min = 4, .max = 4},
	.impl = {.min = 4, .max = 4},
	.lock = LOCK_NONE,
};

/* The page at its usual place, and all around it, belong to the bus's window. */
static void map_page(struct lapic *l)
{
	uint64_t base = lapic_base(l), page = page_of(base);
	bool wanted = (base & APIC_BASE_ENABLE) && !(base & APIC_BASE_EXTD) && !in_window(page) &&
		      page < REGION_SIZE_MAX - APIC_PAGE_SIZE;

	if (!wanted && !l->page_mapped)
		return;
	MACHINE_LOCK_SCOPE();
	mem_begin();
	if (l->page_mapped)
		region_remove(&l->page);
	if (wanted)
		region_add(l->bus->config.memory, page, &l->page, PAGE_PRIORITY);
	l->page_mapped = wanted;
	mem_commit();
}

static uint32_t logical_x2apic_id(uint32_t id)
{
	return id >> 4 << 16 | BIT(id & 15);
}

void lapic_take_base(struct lapic *l, uint64_t value)
{
	uint64_t old = lapic_base(l), changed = old ^ value;

	trace(lapic_base, l->cpu->index, value);
	__atomic_store_n(&l->base, value, __ATOMIC_RELAXED);
	if ((changed & APIC_BASE_ENABLE) && !(value & APIC_BASE_ENABLE))
		lapic_init_registers(l);
	if (changed & APIC_BASE_EXTD) {
		bool x2apic = value & APIC_BASE_EXTD;

		lapic_put(l, APIC_ID, x2apic ? l->id : l->id << ID_SHIFT);
		lapic_put(l, APIC_LDR, x2apic ? logical_x2apic_id(l->id) : 0);
		lapic_put(l, APIC_ICR_HIGH, 0);
	}
	if (changed)
		map_page(l);
}

/* SDM vol. 3, figure 11-27: x2APIC mode is entered from xAPIC mode, and left for none at all. */
bool lapic_set_base(struct device *dev, uint64_t value)
{
	struct lapic *l = lapic_of(dev);
	uint64_t old = lapic_base(l), modes = APIC_BASE_ENABLE | APIC_BASE_EXTD;
	uint64_t from = old & modes, to = value & modes;
	unsigned phys_bits = l->cpu->acc.features.phys_bits;

	if ((value & (APIC_PAGE_SIZE - 1) & ~APIC_BASE_FLAGS) ||
	    (phys_bits && phys_bits < 64 && value >> phys_bits))
		return false;
	if (to & APIC_BASE_EXTD) {
		if (to != modes || !from || !has_feature(l, CPUID_1_ECX_X2APIC))
			return false;
	} else if ((from & APIC_BASE_EXTD) && to) {
		return false;
	}
	lapic_take_base(l, value);
	return true;
}

/* ---- Life ---- */

void lapic_init_registers(struct lapic *l)
{
	uint32_t id = lapic_get(l, APIC_ID);
	bool x2apic = lapic_is_x2apic(l);

	{
		MACHINE_LOCK_SCOPE();
		lapic_timer_reset(l);
	}
	for (unsigned reg = 0; reg < APIC_REGS; reg++)
		lapic_put(l, reg, 0);
	lapic_put(l, APIC_ID, id);
	lapic_put(l, APIC_LDR, x2apic ? logical_x2apic_id(l->id) : 0);
	lapic_put(l, APIC_DFR, UINT32_MAX);
	lapic_put(l, APIC_SVR, 0xff);
	for (unsigned reg = APIC_LVT_TIMER; reg <= APIC_LVT_ERROR; reg++)
		lapic_put(l, reg, LVT_MASKED);
	__atomic_store_n(&l->errors, 0, __ATOMIC_SEQ_CST);
	__atomic_store_n(&l->extint, 0, __ATOMIC_SEQ_CST);
}

/* The boot CPU takes the PIC's interrupts, as firmware would set it up (virtual wire mode). */
static void lapic_reset(struct device *dev)
{
	struct lapic *l = lapic_of(dev);
	bool is_bsp = l->cpu->index == 0;

	lapic_take_base(l, APIC_BASE_PAGE | APIC_BASE_ENABLE | (is_bsp ? APIC_BASE_BSP : 0));
	lapic_init_registers(l);
	lapic_put(l, APIC_ID, l->id << ID_SHIFT);
	if (is_bsp)
		lapic_put(l, APIC_LVT_LINT0, DELIVERY_EXTINT << 8);
}

static bool lapic_realize(struct device *dev, GError **errp)
{
	struct lapic *l = lapic_of(dev);

	if (!l->bus) {
		error_set(errp, "apic comes with its CPU");
		return false;
	}
	lapic_timer_init(l);
	region_init_io(&l->page, dev, "apic", &moved_ops, l, APIC_PAGE_SIZE);
	g_ptr_array_add(l->bus->lapics, l);
	l->cpu->acc.intr = &lapic_intr_ops;
	l->cpu->acc.intr_opaque = l;
	return true;
}

static void lapic_unrealize(struct device *dev)
{
	struct lapic *l = lapic_of(dev);

	l->cpu->acc.intr = NULL;
	g_ptr_array_remove(l->bus->lapics, l);
	region_cleanup(&l->page);
	timer_del(&l->timer);
}

struct device *lapic_create(struct device *bus, struct vcpu *cpu, GError **errp)
{
	struct device *dev = device_new(&lapic_type);
	struct lapic *l = lapic_of(dev);

	l->bus = container_of(bus, struct apic_bus, dev);
	l->cpu = cpu;
	l->id = cpu->acc.apic_id;
	if (device_realize(dev, &cpu->dev, "lapic", NULL, errp))
		return dev;
	device_unref(dev);
	return NULL;
}

static bool lapic_post_load(struct device *dev, GError **errp)
{
	struct lapic *l = lapic_of(dev);

	if ((l->base & (APIC_PAGE_SIZE - 1) & ~APIC_BASE_FLAGS) || ABS(l->timer_start) > TIME_MAX) {
		error_set(errp, "apic %u: base 0x%" PRIx64 ", timer started at %" PRId64, l->id,
			  l->base, l->timer_start);
		return false;
	}
	/* Vectors that do not exist. */
	l->regs[APIC_IRR] &= ~0U << APIC_FIRST_VECTOR;
	l->regs[APIC_ISR] &= ~0U << APIC_FIRST_VECTOR;
	map_page(l);
	return true;
}

static const struct field lapic_props[] = {
	PROP_UINT(struct lapic, id, "id", 0, UINT32_MAX, "APIC ID"),
	PROP_UINT(struct lapic, version, "version", 0x14, 0xff, "Version in the version register"),
	PROP_BOOL(struct lapic, vapic, "vapic", true, "Accepted for compatibility, does nothing"),
	FIELD_ROW_END,
};

static const struct field lapic_state[] = {
	SAVE_UINTS(struct lapic, regs),
	SAVE_UINT(struct lapic, base),
	SAVE_UINT(struct lapic, errors),
	SAVE_UINT(struct lapic, extint),
	SAVE_UINT(struct lapic, lint_levels),
	SAVE_TIMER(struct lapic, timer),
	SAVE_INT(struct lapic, timer_start),
	SAVE_UINT(struct lapic, tsc_deadline),
	FIELD_ROW_END,
};

const struct device_type lapic_type = {
	.name = "apic",
	.help = "Local APIC of a CPU",
	.category = CATEGORY_MISC,
	.size = sizeof(struct lapic),
	.lock = LOCK_NONE,
	.props = lapic_props,
	.state = lapic_state,
	.realize = lapic_realize,
	.unrealize = lapic_unrealize,
	.reset = lapic_reset,
	.post_load = lapic_post_load,
};
