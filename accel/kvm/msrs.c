/*
 * Model specific registers.
 *
 * Which ones travel is the kernel's list (KVM_GET_MSR_INDEX_LIST), and a few it has never listed
 * (MTRRs, machine check banks); those that cannot be read with this CPU model are dropped once, when
 * the first vCPU is made. What they contain then is remembered: a reset, or a state from elsewhere,
 * gives a register it does not mention its value of power-on.
 *
 * A KVM_{GET,SET}_MSRS that meets an entry it refuses returns that entry's number.
 */
#include "kvm.h"

TRACE_DEFINE(kvm_msr_refused, "cpu %u: %s of MSR 0x%x");

#define MSR_FEATURE_CONTROL   0x3a
#define MSR_ARCH_CAPABILITIES 0x10a
#define MSR_PERF_CAPABILITIES 0x345
#define MSR_MC0_CTL           0x400
#define MSR_UCODE_REV         0x8b

#define MCE_BANKS  10
#define MCG_CTL_P  BIT64(8)
#define MCG_SER_P  BIT64(24)
#define MCG_LMCE_P BIT64(27)
#define BATCH      128 /* entries an ioctl: the kernel takes fewer than 256 */

struct msr_range {
	uint32_t first, count;
};

static const struct msr_range unlisted[] = {
	{0x200, 16}, /* MTRR_PHYSBASEn, PHYSMASKn */
	{0x250, 1},  /* MTRR_FIX64K */
	{0x258, 2},  /* MTRR_FIX16K */
	{0x268, 8},  /* MTRR_FIX4K */
	{MSR_PAT, 1}, {MSR_MTRR_DEF_TYPE, 1}, {MSR_MC0_CTL, 4 * MCE_BANKS},
};

/* These run with time, or belong to a time: only a full put sets them. */
static const struct msr_range timed[] = {
	{MSR_TSC, 3},        /* and the first form of KVM's clocks, 0x11 and 0x12 */
	{0x40000000, 0x1f0}, /* Hyper-V's clocks, timers, interrupt controller */
	{0x4b564d00, 8},     /* KVM's clocks, async page faults, steal time, EOI */
};

/*
 * Of Hyper-V's registers the kernel lists one of each kind. These are no state: numbers, clocks, and
 * doors through which nothing comes back.
 */
static const struct msr_range hyperv = {0x40000000, 0x1f0};
static const struct msr_range hyperv_fixed[] = {
	{0x40000002, 2}, /* VP_INDEX, RESET */
	{0x40000020, 1}, /* TIME_REF_COUNT */
	{0x40000022, 2}, /* TSC_FREQUENCY, APIC_FREQUENCY */
	{0x40000084, 1}, /* EOM */
};
static const struct {
	enum hv_feature feature;
	struct msr_range range;
} hyperv_unlisted[] = {
	{HV_SYNIC, {0x40000080, 4}},  /* SCONTROL, SVERSION, SIEFP, SIMP */
	{HV_SYNIC, {0x40000090, 16}}, /* SINTn */
	{HV_STIMER, {0x400000b0, 8}}, /* STIMERn_CONFIG, _COUNT */
};

static bool in_ranges(const struct msr_range *r, size_t n, uint32_t index)
{
	for (size_t i = 0; i < n; i++) {
		if (index - r[i].first < r[i].count)
			return true;
	}
	return false;
}

/* ---- Transfers ---- */

struct batch {
	struct kvm_msrs head;
	struct kvm_msr_entry entries[BATCH];
};

/* Calls @request for all of @entries; a refused one is marked by an index of UINT32_MAX. */
static int transfer(struct kvm_cpu *c, unsigned long request, struct kvm_msr_entry *entries,
		    unsigned count)
{
	struct batch b;

	for (unsigned done = 0; done < count;) {
		unsigned n = MIN(count - done, BATCH);
		int ret;

		b.head.nmsrs = n;
		b.head.pad = 0;
		memcpy(b.entries, entries + done, n * sizeof(*entries));
		ret = kvm_ioctl(c->fd, request, &b);
		if (ret < 0)
			return ret;
		memcpy(entries + done, b.entries, ret * sizeof(*entries));
		done += ret;
		if (ret == (int)n)
			continue;
		trace(kvm_msr_refused, c->cpu->index, request == KVM_GET_MSRS ? "read" : "write",
		      entries[done].index);
		entries[done++].index = UINT32_MAX;
	}
	return 0;
}

/* ---- The list ---- */

static struct kvm_msr_list *read_list(struct kvm *k)
{
	struct kvm_msr_list probe = {}, *list;

	kvm_ioctl(k->fd, KVM_GET_MSR_INDEX_LIST, &probe); /* fails, with the number */
	list = g_malloc0(sizeof(*list) + probe.nmsrs * sizeof(list->indices[0]));
	list->nmsrs = probe.nmsrs;
	if (kvm_ioctl(k->fd, KVM_GET_MSR_INDEX_LIST, list) < 0)
		list->nmsrs = 0;
	return list;
}

static void add_index(GArray *entries, uint32_t index)
{
	struct kvm_msr_entry entry = {.index = index};

	for (guint i = 0; i < entries->len; i++) {
		if (g_array_index(entries, struct kvm_msr_entry, i).index == index)
			return;
	}
	g_array_append_val(entries, entry);
}

static void add_range(GArray *entries, const struct msr_range *range)
{
	for (uint32_t i = 0; i < range->count; i++)
		add_index(entries, range->first + i);
}

/* Without enlightenments none of their registers is touched: the kernel sets them up on first use. */
static bool is_state(const struct cpu_hyperv *hv, uint32_t index)
{
	if (!in_ranges(&hyperv, 1, index))
		return true;
	return hv->on && !in_ranges(hyperv_fixed, G_N_ELEMENTS(hyperv_fixed), index);
}

static GArray *candidates(struct kvm *k, const struct cpu_hyperv *hv)
{
	GArray *entries = g_array_new(false, true, sizeof(struct kvm_msr_entry));
	g_autofree struct kvm_msr_list *list = read_list(k);

	for (uint32_t i = 0; i < list->nmsrs; i++) {
		if (is_state(hv, list->indices[i]))
			add_index(entries, list->indices[i]);
	}
	for (size_t i = 0; i < G_N_ELEMENTS(unlisted); i++)
		add_range(entries, &unlisted[i]);
	for (size_t i = 0; i < G_N_ELEMENTS(hyperv_unlisted); i++) {
		if (hv->on && hv->have[hyperv_unlisted[i].feature])
			add_range(entries, &hyperv_unlisted[i].range);
	}
	return entries;
}

/* What the machine check registers of a PC processor offer; without this KVM shows 32 banks. */
static bool set_up_machine_check(struct kvm_cpu *c, GError **errp)
{
	uint64_t supported = 0, wanted = MCG_CTL_P | MCG_SER_P, cap;

	kvm_ioctl(c->kvm->fd, KVM_X86_GET_MCE_CAP_SUPPORTED, &supported);
	if (c->cpu->features.lmce && !(supported & MCG_LMCE_P)) {
		error_set(errp, "kvm: LMCE not supported");
		return false;
	}
	if (c->cpu->features.lmce)
		wanted |= MCG_LMCE_P;
	cap = (supported & wanted) | MCE_BANKS;
	if (supported)
		kvm_ioctl(c->fd, KVM_X86_SETUP_MCE, &cap);
	return true;
}

/* Registers that say what the CPU model can do. */
static void set_feature_msrs(struct kvm_cpu *c)
{
	const uint64_t *words = c->cpu->features.words;
	struct kvm_msr_entry entries[3 + KVM_VMX_ENTRIES];
	unsigned n = kvm_vmx_entries(c, entries);

	if (c->cpu->features.ucode_rev)
		entries[n++] = (struct kvm_msr_entry){
			.index = MSR_UCODE_REV,
			.data = c->cpu->features.ucode_rev,
		};
	if (words[FEAT_7_0_EDX] & BIT(29))
		entries[n++] = (struct kvm_msr_entry){
			.index = MSR_ARCH_CAPABILITIES,
			.data = words[FEAT_ARCH_CAPABILITIES],
		};
	if (words[FEAT_1_ECX] & BIT(15))
		entries[n++] = (struct kvm_msr_entry){
			.index = MSR_PERF_CAPABILITIES,
			.data = words[FEAT_PERF_CAPABILITIES],
		};
	if (n)
		transfer(c, KVM_SET_MSRS, entries, n);
}

bool kvm_msrs_init(struct kvm_cpu *c, GError **errp)
{
	struct kvm *k = c->kvm;
	g_autoptr(GArray) entries = NULL;
	int ret;

	if (!set_up_machine_check(c, errp))
		return false;
	set_feature_msrs(c);
	if (k->power_on)
		return true;
	entries = candidates(k, &c->cpu->features.hv);
	ret = transfer(c, KVM_GET_MSRS, (struct kvm_msr_entry *)entries->data, entries->len);
	if (ret) {
		error_set_errno(errp, -ret, "Could not read the MSRs of CPU %u", c->cpu->index);
		return false;
	}
	k->power_on = g_array_new(false, true, sizeof(struct kvm_msr_entry));
	for (guint i = 0; i < entries->len && k->power_on->len < X86_MSRS_MAX; i++) {
		struct kvm_msr_entry *e = &g_array_index(entries, struct kvm_msr_entry, i);

		if (e->index != UINT32_MAX)
			g_array_append_val(k->power_on, *e);
	}
	return true;
}

/* ---- State ---- */

int kvm_get_msrs(struct kvm_cpu *c, struct x86_state *s)
{
	const GArray *list = c->kvm->power_on;
	g_autofree struct kvm_msr_entry *entries =
		g_memdup2(list->data, list->len * sizeof(struct kvm_msr_entry));
	int ret = transfer(c, KVM_GET_MSRS, entries, list->len);

	if (ret)
		return ret;
	s->msr_count = 0;
	for (guint i = 0; i < list->len; i++) {
		if (entries[i].index != UINT32_MAX)
			s->msrs[s->msr_count++] =
				(struct x86_msr){entries[i].index, entries[i].data};
	}
	return 0;
}

/* The state's value of @index, starting the search where the last one ended: both are in one order. */
static const struct x86_msr *find(const struct x86_state *s, uint32_t index, uint32_t *hint)
{
	uint32_t count = MIN(s->msr_count, X86_MSRS_MAX);

	for (uint32_t i = 0; i < count; i++) {
		uint32_t at = (*hint + i) % count;

		if (s->msrs[at].index == index) {
			*hint = at + 1;
			return &s->msrs[at];
		}
	}
	return NULL;
}

/* The value @index is to get; false if it is to be left alone. */
static bool wanted(struct kvm_cpu *c, const struct x86_state *s, bool full, uint32_t *hint,
		   const struct kvm_msr_entry *power_on, uint64_t *value)
{
	uint32_t index = power_on->index;
	const struct x86_msr *msr = find(s, index, hint);

	if (index == MSR_TSC_DEADLINE) /* after the local APIC */
		return false;
	if (!full) {
		*value = msr ? msr->value : 0;
		return msr && !in_ranges(timed, G_N_ELEMENTS(timed), index);
	}
	if (index == MSR_TSC)
		*value = msr ? msr->value : 0;
	else
		*value = msr ? msr->value : power_on->data;
	return c->ran || *value != power_on->data;
}

/* Written with 0 it ends VMX operation, and only then CR4.VMXE may be cleared. */
int kvm_put_feature_control(struct kvm_cpu *c, const struct x86_state *s)
{
	struct kvm_msr_entry entry = {.index = MSR_FEATURE_CONTROL};
	const struct x86_msr *msr;
	uint32_t hint = 0;

	if (!c->ran || !(c->cpu->features.words[FEAT_1_ECX] & BIT(5)))
		return 0;
	msr = find(s, MSR_FEATURE_CONTROL, &hint);
	entry.data = msr ? msr->value : 0;
	return transfer(c, KVM_SET_MSRS, &entry, 1);
}

int kvm_put_msrs(struct kvm_cpu *c, const struct x86_state *s, bool full)
{
	const GArray *list = c->kvm->power_on;
	g_autofree struct kvm_msr_entry *entries = g_new0(struct kvm_msr_entry, list->len);
	unsigned n = 0;
	uint32_t hint = 0;

	for (guint i = 0; i < list->len; i++) {
		const struct kvm_msr_entry *e = &g_array_index(list, struct kvm_msr_entry, i);
		uint64_t value;

		if (wanted(c, s, full, &hint, e, &value))
			entries[n++] = (struct kvm_msr_entry){.index = e->index, .data = value};
	}
	return transfer(c, KVM_SET_MSRS, entries, n);
}

int kvm_put_tsc_deadline(struct kvm_cpu *c, const struct x86_state *s)
{
	struct kvm_msr_entry entry = {.index = MSR_TSC_DEADLINE};
	const struct x86_msr *msr;
	uint32_t hint = 0;

	if (!kvm_has_lapic(c->kvm) || !c->kvm->caps.tsc_deadline)
		return 0;
	msr = find(s, MSR_TSC_DEADLINE, &hint);
	if (!msr && !c->ran)
		return 0;
	entry.data = msr ? msr->value : 0;
	return transfer(c, KVM_SET_MSRS, &entry, 1);
}
