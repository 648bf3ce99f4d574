/*
 * The frequency of the time stamp counter.
 */
#include "kvm.h"

/* Frequencies this near count as one: guests calibrate no better. NTP corrects up to 500 ppm. */
#define TOLERANCE_PPM 250

static bool near(int64_t want, int64_t have)
{
	return ABS(want - have) * 1000000 <= want * TOLERANCE_PPM;
}

bool kvm_set_tsc_rate(struct kvm_cpu *c, GError **errp)
{
	int64_t want = c->cpu->tsc_hz / 1000, have;

	if (!want)
		return true;
	if (c->kvm->caps.tsc_control && want <= UINT32_MAX &&
	    !kvm_ioctl_n(c->fd, KVM_SET_TSC_KHZ, want))
		return true;
	have = c->kvm->caps.get_tsc_khz ? kvm_ioctl_n(c->fd, KVM_GET_TSC_KHZ, 0) : 0;
	if (have > 0 && near(want, have))
		return true;
	error_set(errp,
		  "TSC frequency mismatch between VM (%" PRId64 " kHz) and host (%" PRId64
		  " kHz), and TSC scaling unavailable",
		  want, MAX(have, 0));
	return false;
}
