/*
 * What a guest's own guests may have: the VMX capability MSRs (SDM vol. 3, appendix A).
 *
 * They start as the host's; a feature the CPU model does not have is taken out of them. In those of
 * controls the low half says what must be 1 and the high half what may be 1.
 */
#include "kvm.h"

uint64_t kvm_vmx_value(enum feature_word word, uint64_t host, uint64_t have)
{
	uint64_t named = 0;

	for (unsigned bit = 0; bit < 64; bit++) {
		if (cpu_feature_name(word, bit))
			named |= BIT64(bit);
	}
	if (!kvm_is_vmx_control(feature_words[word].leaf))
		return (host & ~named) | (host & named & have);
	return host & ~((named & ~have) << 32 & ~(host << 32));
}

unsigned kvm_vmx_entries(struct kvm_cpu *c, struct kvm_msr_entry *entries)
{
	const uint64_t *words = c->cpu->features.words;
	unsigned n = 0;

	if (!(words[FEAT_1_ECX] & BIT(5)))
		return 0;
	for (unsigned w = FEAT_VMX_PROCBASED_CTLS; w <= FEAT_VMX_VMFUNC; w++) {
		uint64_t host;

		if (kvm_feature_msr(c->kvm, feature_words[w].leaf, &host))
			entries[n++] = (struct kvm_msr_entry){
				.index = feature_words[w].leaf,
				.data = kvm_vmx_value(w, host, words[w]),
			};
	}
	return n;
}
