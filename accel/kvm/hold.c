/*
 * Kicking vCPUs out of KVM_RUN, and keeping them out.
 *
 * A kick must not be lost between a vCPU's last look at its flags and its entry into the guest. It sets
 * kvm_run.immediate_exit, which KVM reads at the start of KVM_RUN, and sends a signal, which makes a
 * guest that has got further than that leave with EINTR. The handler does nothing.
 */
#include "kvm.h"

#include <sched.h>
#include <signal.h>

#define KICK_SIGNAL SIGUSR1

static void ignore_signal(int number)
{
}

bool kvm_kick_init(GError **errp)
{
	struct sigaction action = {.sa_handler = ignore_signal, .sa_flags = SA_RESTART};

	if (!sigaction(KICK_SIGNAL, &action, NULL))
		return true;
	error_set_errno(errp, errno, "Could not install the handler of SIGUSR1");
	return false;
}

void kvm_kick(struct kvm_cpu *c)
{
	__atomic_store_n(&c->run->immediate_exit, 1, __ATOMIC_SEQ_CST);
	if (__atomic_load_n(&c->in_run, __ATOMIC_SEQ_CST))
		pthread_kill(c->thread, KICK_SIGNAL);
}

void kvm_vcpu_kick(struct accel_cpu *cpu)
{
	struct kvm_cpu *c = __atomic_load_n(&cpu->data, __ATOMIC_ACQUIRE);

	if (c)
		kvm_kick(c);
}

void kvm_hold_init(struct kvm *k)
{
	g_mutex_init(&k->hold.lock);
	g_cond_init(&k->hold.released);
	k->hold.cpus = g_ptr_array_new();
}

void kvm_hold_cleanup(struct kvm *k)
{
	g_ptr_array_unref(k->hold.cpus);
	g_cond_clear(&k->hold.released);
	g_mutex_clear(&k->hold.lock);
}

/* Waits for each vCPU to leave; the calling thread's own is not in there. Leaving takes as long as
 * a signal does, and nobody sleeps on the way out, so this does not sleep either. */
void kvm_hold(struct kvm *k)
{
	g_mutex_lock(&k->hold.lock);
	__atomic_add_fetch(&k->hold.count, 1, __ATOMIC_SEQ_CST);
	for (guint i = 0; i < k->hold.cpus->len; i++) {
		struct kvm_cpu *c = k->hold.cpus->pdata[i];

		if (__atomic_load_n(&c->in_run, __ATOMIC_SEQ_CST))
			kvm_kick(c);
	}
	for (guint i = 0; i < k->hold.cpus->len; i++) {
		struct kvm_cpu *c = k->hold.cpus->pdata[i];

		while (__atomic_load_n(&c->in_run, __ATOMIC_ACQUIRE))
			sched_yield();
	}
	g_mutex_unlock(&k->hold.lock);
}

void kvm_release(struct kvm *k)
{
	g_mutex_lock(&k->hold.lock);
	if (!__atomic_sub_fetch(&k->hold.count, 1, __ATOMIC_SEQ_CST))
		g_cond_broadcast(&k->hold.released);
	g_mutex_unlock(&k->hold.lock);
}

void kvm_wait_released(struct kvm *k)
{
	g_mutex_lock(&k->hold.lock);
	while (__atomic_load_n(&k->hold.count, __ATOMIC_RELAXED))
		g_cond_wait(&k->hold.released, &k->hold.lock);
	g_mutex_unlock(&k->hold.lock);
}
