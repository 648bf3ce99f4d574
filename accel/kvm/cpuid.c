/*
 * What CPUs KVM can offer on this host, and telling it which one a vCPU is.
 */
#include "kvm.h"

#include <asm/kvm_para.h>
#include <cpuid.h>

#define BRAND_FIRST       0x80000002
#define BRAND_LAST        0x80000004
#define KVM_FEATURES_LEAF 0x40000001

#define MSR_UCODE_REV         0x8b
#define MSR_ARCH_CAPABILITIES 0x10a

#define CPUID_1_ECX_X2APIC       BIT(21)
#define CPUID_1_ECX_TSC_DEADLINE BIT(24)
#define CPUID_1_ECX_HYPERVISOR   BIT(31)
#define CPUID_6_EAX_ARAT         BIT(2)
#define CPUID_7_EDX_ARCH_CAPS    BIT(29)
/* Bits of leaf 1 EDX that AMD repeats in 80000001 EDX (APM vol. 3, E.4.2). */
#define CPUID_EDX_ALIASES 0x0183f3ff

struct kvm_cpuid2 *kvm_read_cpuid(int fd, unsigned long request)
{
	for (unsigned n = 128;; n *= 2) {
		struct kvm_cpuid2 *table =
			g_malloc0(sizeof(*table) + n * sizeof(table->entries[0]));
		int ret;

		table->nent = n;
		ret = kvm_ioctl(fd, request, table);
		if (!ret)
			return table;
		if (ret != -E2BIG || n > 4096) {
			table->nent = 0;
			return table;
		}
		g_free(table);
	}
}

void kvm_copy_leaves(const struct kvm_cpuid2 *from, struct cpuid_table *to)
{
	to->count = 0;
	for (uint32_t i = 0; i < from->nent && to->count < CPUID_LEAVES_MAX; i++) {
		const struct kvm_cpuid_entry2 *e = &from->entries[i];

		to->leaf[to->count++] = (struct cpuid_leaf){
			.leaf = e->function,
			.subleaf = e->index,
			.has_subleaf = e->flags & KVM_CPUID_FLAG_SIGNIFCANT_INDEX,
			.eax = e->eax,
			.ebx = e->ebx,
			.ecx = e->ecx,
			.edx = e->edx,
		};
	}
}

static struct cpuid_leaf *leaf_of(struct cpuid_table *t, uint32_t leaf, uint32_t subleaf)
{
	return (struct cpuid_leaf *)cpuid_find(t, leaf, subleaf);
}

/* ---- What CPUID does not say, or says wrongly ---- */

bool kvm_feature_msr(struct kvm *k, uint32_t index, uint64_t *value)
{
	struct {
		struct kvm_msrs head;
		struct kvm_msr_entry entry;
	} msr = {{.nmsrs = 1}, {.index = index}};

	if (!k->caps.feature_msrs || kvm_ioctl(k->fd, KVM_GET_MSRS, &msr) != 1)
		return false;
	*value = msr.entry.data;
	return true;
}

static bool has_arch_capabilities(struct kvm *k)
{
	uint64_t value;

	return kvm_feature_msr(k, MSR_ARCH_CAPABILITIES, &value);
}

static void fix_leaf_1(struct kvm *k, struct cpuid_leaf *l)
{
	bool lapic = k->accel.irqchip != IRQCHIP_OFF;

	l->ecx |= CPUID_1_ECX_HYPERVISOR;
	if (lapic && k->caps.tsc_deadline)
		l->ecx |= CPUID_1_ECX_TSC_DEADLINE;
	if (!lapic)
		l->ecx &= ~CPUID_1_ECX_X2APIC;
}

/* Tile data is offered once it is asked for (vcpu.c); until then the list leaves it out. */
static void fix_xstate(struct kvm *k, struct cpuid_leaf *l)
{
	uint64_t mask = 0;
	struct kvm_device_attr attr = {
		.attr = KVM_X86_XCOMP_GUEST_SUPP,
		.addr = (uintptr_t)&mask,
	};

	if (!k->caps.sys_attributes || kvm_ioctl(k->fd, KVM_GET_DEVICE_ATTR, &attr))
		return;
	l->eax |= (uint32_t)mask;
	l->edx |= mask >> 32;
}

static void fix_leaves(struct kvm *k, struct cpuid_table *t)
{
	struct cpuid_leaf *one = leaf_of(t, 1, 0), *l;

	if (!one)
		return;
	fix_leaf_1(k, one);
	if ((l = leaf_of(t, 6, 0)))
		l->eax |= CPUID_6_EAX_ARAT;
	if ((l = leaf_of(t, 7, 0)) && !has_arch_capabilities(k))
		l->edx &= ~CPUID_7_EDX_ARCH_CAPS;
	if ((l = leaf_of(t, 0xd, 0)))
		fix_xstate(k, l);
	if ((l = leaf_of(t, 0x80000001, 0)))
		l->edx |= one->edx & CPUID_EDX_ALIASES;
	if ((l = leaf_of(t, KVM_FEATURES_LEAF, 0))) {
		if (k->accel.irqchip == IRQCHIP_OFF)
			l->eax &= ~BIT(KVM_FEATURE_PV_UNHALT);
		l->edx |= BIT(KVM_HINTS_REALTIME);
	}
}

/* ---- Words ---- */

/* VMX control MSRs: the upper half says what may be 1 (SDM vol. 3, A.3 to A.5). */
bool kvm_is_vmx_control(uint32_t msr)
{
	return (msr >= 0x481 && msr <= 0x484) || msr == 0x48b || (msr >= 0x48d && msr <= 0x490);
}

static uint64_t msr_word(struct kvm *k, uint32_t index)
{
	uint64_t value = 0;

	kvm_feature_msr(k, index, &value);
	return kvm_is_vmx_control(index) ? value >> 32 : value;
}

static uint64_t cpuid_word(const struct cpuid_table *t, const struct feature_word_info *info)
{
	const struct cpuid_leaf *l = cpuid_find(t, info->leaf, info->subleaf);

	if (!l)
		return 0;
	return info->reg == 0 ? l->eax : info->reg == 1 ? l->ebx : info->reg == 2 ? l->ecx : l->edx;
}

/* KVM's list may leave the brand out; the CPU itself says it. */
static void add_brand(struct cpuid_table *t)
{
	for (uint32_t leaf = BRAND_FIRST; leaf <= BRAND_LAST; leaf++) {
		struct cpuid_leaf *l = leaf_of(t, leaf, 0);

		if (!l && t->count < CPUID_LEAVES_MAX) {
			l = &t->leaf[t->count++];
			*l = (struct cpuid_leaf){.leaf = leaf};
		}
		if (l)
			__get_cpuid(leaf, &l->eax, &l->ebx, &l->ecx, &l->edx);
	}
}

static unsigned phys_bits(const struct cpuid_table *t)
{
	const struct cpuid_leaf *l = cpuid_find(t, 0x80000008, 0);

	return l && (l->eax & 0xff) ? l->eax & 0xff : 36;
}

void kvm_capabilities(struct accel *a, struct cpu_capabilities *caps)
{
	struct kvm *k = kvm_of(a);
	g_autofree struct kvm_cpuid2 *table = kvm_read_cpuid(k->fd, KVM_GET_SUPPORTED_CPUID);
	int khz;

	memset(caps, 0, sizeof(*caps));
	kvm_copy_leaves(table, &caps->host);
	fix_leaves(k, &caps->host);
	add_brand(&caps->host);
	for (unsigned i = 0; i < FEAT_WORDS; i++) {
		const struct feature_word_info *info = &feature_words[i];

		caps->words[i] =
			info->is_msr ? msr_word(k, info->leaf) : cpuid_word(&caps->host, info);
	}
	caps->phys_bits = phys_bits(&caps->host);
	caps->is_kvm = true;
	kvm_hyperv_capabilities(k, caps);
	kvm_feature_msr(k, MSR_UCODE_REV, &caps->ucode_rev);
	khz = k->caps.vm_tsc_control ? kvm_ioctl_n(k->vm, KVM_GET_TSC_KHZ, 0) : 0;
	caps->tsc_khz = MAX(khz, 0);
}

/* ---- A vCPU's leaves ---- */

#define TIMING_LEAF 0x40000010

/* How fast the TSC is a vCPU knows, on a KVM whose machines do not. */
static void fill_timing(struct kvm_cpu *c)
{
	struct cpuid_table *t = &c->cpu->cpuid;
	struct cpuid_leaf *timing = leaf_of(t, TIMING_LEAF, 0);

	if (timing && !timing->eax)
		timing->eax = MAX(kvm_ioctl_n(c->fd, KVM_GET_TSC_KHZ, 0), 0);
}

bool kvm_set_cpuid(struct kvm_cpu *c, GError **errp)
{
	const struct cpuid_table *t = &c->cpu->cpuid;
	g_autofree struct kvm_cpuid2 *out =
		g_malloc0(sizeof(*out) + t->count * sizeof(out->entries[0]));
	int ret;

	fill_timing(c);
	for (unsigned i = 0; i < t->count; i++) {
		const struct cpuid_leaf *l = &t->leaf[i];

		out->entries[i] = (struct kvm_cpuid_entry2){
			.function = l->leaf,
			.index = l->subleaf,
			.flags = l->has_subleaf ? KVM_CPUID_FLAG_SIGNIFCANT_INDEX : 0,
			.eax = l->eax,
			.ebx = l->ebx,
			.ecx = l->ecx,
			.edx = l->edx,
		};
	}
	out->nent = t->count;
	ret = kvm_ioctl(c->fd, KVM_SET_CPUID2, out);
	if (!ret)
		return true;
	error_set_errno(errp, -ret, "Could not set the %u CPUID leaves of CPU %u", t->count,
			c->cpu->index);
	return false;
}
