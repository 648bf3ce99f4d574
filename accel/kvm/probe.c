/*
 * Is there a KVM, and does it execute the guest's kernel or only emulate it?
 *
 * Some hosts offer /dev/kvm without hardware support: user code of the guest runs, its kernel is
 * interpreted at some 2 million instructions a second, a hundredth of what hardware does. Nobody
 * would choose that over the translator. So a scratch VM counts down in ring 0, once for nothing (it
 * faults its page in) and then timed by the thread's CPU clock, which does not count the time other
 * processes take. A single slow run proves nothing on a busy host: the fastest of a few counts.
 */
#include "kvm.h"

#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#define LOOPS        4000
#define INSTRUCTIONS (2 * LOOPS)
#define RUNS         4
#define MIPS_LEAST   10 /* emulation: 2; hardware: above 1000, in an emulated machine above 50 */

/* 1: dec %ecx; jnz 1b; out %al,$0xf4; jmp 1b */
static const uint8_t code[] = {0x49, 0x75, 0xfd, 0xe6, 0xf4, 0xeb, 0xf9};

struct scratch {
	int vm, cpu;
	size_t run_size;
	struct kvm_run *run;
	uint8_t *page;
};

static int64_t cpu_time_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return t.tv_sec * 1000000000LL + t.tv_nsec;
}

static bool scratch_memory(struct scratch *s)
{
	struct kvm_userspace_memory_region region = {.memory_size = 4096};

	s->page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (s->page == MAP_FAILED)
		return false;
	memcpy(s->page, code, sizeof(code));
	region.userspace_addr = (uintptr_t)s->page;
	return !kvm_ioctl(s->vm, KVM_SET_USER_MEMORY_REGION, &region);
}

/* Flat 32-bit segments, protected mode without paging. */
static bool scratch_cpu(struct scratch *s)
{
	struct kvm_segment seg = {.limit = UINT32_MAX,
				  .selector = 8,
				  .type = 3,
				  .present = 1,
				  .db = 1,
				  .s = 1,
				  .g = 1};
	struct kvm_sregs sregs;

	s->cpu = kvm_ioctl_n(s->vm, KVM_CREATE_VCPU, 0);
	if (s->cpu < 0)
		return false;
	s->run = mmap(NULL, s->run_size, PROT_READ | PROT_WRITE, MAP_SHARED, s->cpu, 0);
	if (s->run == MAP_FAILED || kvm_ioctl(s->cpu, KVM_GET_SREGS, &sregs))
		return false;
	sregs.ds = sregs.es = sregs.fs = sregs.gs = sregs.ss = seg;
	seg.type = 11;
	sregs.cs = seg;
	sregs.cr0 |= CR0_PE;
	return !kvm_ioctl(s->cpu, KVM_SET_SREGS, &sregs);
}

/* CPU time of a countdown, or -1. */
static int64_t countdown(struct scratch *s, uint32_t loops)
{
	struct kvm_regs regs = {.rcx = loops, .rflags = 2};
	int64_t start = cpu_time_ns();
	int ret;

	if (kvm_ioctl(s->cpu, KVM_SET_REGS, &regs))
		return -1;
	do
		ret = kvm_ioctl_n(s->cpu, KVM_RUN, 0);
	while (ret == -EINTR || ret == -EAGAIN);
	if (ret || s->run->exit_reason != KVM_EXIT_IO)
		return -1;
	return cpu_time_ns() - start;
}

/* Best of several, in ns; -1: it does not work at all. */
static int64_t fastest(struct scratch *s, int64_t enough)
{
	int64_t best = INT64_MAX;

	if (countdown(s, 1) < 0)
		return -1;
	for (unsigned i = 0; i < RUNS && best > enough; i++) {
		int64_t ns = countdown(s, LOOPS);

		if (ns < 0)
			return -1;
		best = MIN(best, ns);
	}
	return best;
}

static void scratch_free(struct scratch *s)
{
	if (s->page != MAP_FAILED)
		munmap(s->page, 4096);
	if (s->run != MAP_FAILED)
		munmap(s->run, s->run_size);
	if (s->cpu >= 0)
		close(s->cpu);
	close(s->vm);
}

static bool judge(int64_t ns, GError **errp)
{
	int64_t enough = INSTRUCTIONS * 1000 / MIPS_LEAST;

	if (ns < 0) {
		error_set(errp, "KVM on this host does not run a 32-bit loop");
		return false;
	}
	if (ns <= enough)
		return true;
	error_set(errp,
		  "KVM on this host only emulates kernel code (%" PRId64
		  " million instructions per second)",
		  MAX(INSTRUCTIONS * 1000 / ns, 1));
	error_add_hint(errp, "\"-accel kvm\" uses it nevertheless");
	return false;
}

static bool measure(int fd, GError **errp)
{
	struct scratch s = {.cpu = -1, .run = MAP_FAILED, .page = MAP_FAILED};
	int64_t ns = -1;

	s.run_size = kvm_ioctl_n(fd, KVM_GET_VCPU_MMAP_SIZE, 0);
	s.vm = kvm_create_vm(fd, errp);
	if (s.vm < 0)
		return false;
	if (scratch_memory(&s) && scratch_cpu(&s))
		ns = fastest(&s, INSTRUCTIONS * 1000 / MIPS_LEAST);
	scratch_free(&s);
	return judge(ns, errp);
}

bool kvm_probe(bool by_name, GError **errp)
{
	int fd = kvm_open(errp);
	bool ok;

	if (fd < 0)
		return false;
	ok = by_name || measure(fd, errp);
	close(fd);
	return ok;
}
