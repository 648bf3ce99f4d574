/*
 * The guest's x87 registers and MXCSR in the host's; exceptions of the host's units.
 *
 * MXCSR is loaded by host_enter(): every stub may need it. The x87 registers come with the first x87 or
 * MMX instruction, as few programs have any. An unmasked exception raises SIGFPE in a stub; the
 * handler lets the thread go on in stub_faulted(), as if the stub had called it in its place, and that
 * leaves the block with the guest's exception.
 */
#include "base/error.h"
#include "host-row.h"

#include <signal.h>
#include <ucontext.h>

#define MXCSR_DEFAULT 0x1f80
#define FCW_DEFAULT   0x37f

static __thread struct host_state *current;

static struct sigaction previous[_NSIG];

static uint32_t get_mxcsr(void)
{
	uint32_t value;

	asm volatile("stmxcsr %0" : "=m"(value));
	return value;
}

static void set_mxcsr(uint32_t value)
{
	asm volatile("ldmxcsr %0" : : "m"(value));
}

/* ---- x87 ---- */

void host_x87_load(struct host_state *h)
{
	struct fx_image image;

	/* Only its x87 part is ours. */
	asm volatile("fxsave64 %0" : "=m"(image));
	memcpy(&image, &h->x87, offsetof(struct fx_image, mxcsr));
	memcpy(image.st, h->x87.st, sizeof(image.st));
	image.fip = image.fdp = image.fop = 0;
	asm volatile("fxrstor64 %0" : : "m"(image));
	h->x87_live = true;
}

static void x87_fetch(struct host_state *h)
{
	struct fx_image image;

	asm volatile("fxsave64 %0" : "=m"(image));
	memcpy(&h->x87, &image, offsetof(struct fx_image, mxcsr));
	memcpy(h->x87.st, image.st, sizeof(image.st));
	h->x87.fip = h->fip;
	h->x87.fdp = h->fdp;
	h->x87.fop = h->fop;
}

void host_x87_save(struct host_state *h)
{
	if (!h->x87_live)
		return;
	x87_fetch(h);
	/* Whoever uses x87 next in this process expects it empty, with nothing pending. */
	asm volatile("fninit");
	h->x87_live = false;
}

/* ---- Entering and leaving ---- */

void host_enter(struct dbt_cpu *cpu)
{
	struct host_state *h = cpu->host;

	current = h;
	h->live = true;
	set_mxcsr(h->mxcsr);
}

void host_leave(struct dbt_cpu *cpu)
{
	struct host_state *h = cpu->host;

	h->mxcsr = get_mxcsr();
	set_mxcsr(MXCSR_DEFAULT);
	host_x87_save(h);
	h->live = false;
}

bool host_cpu_init(struct dbt_cpu *cpu)
{
	struct host_state *h = g_aligned_alloc0(1, sizeof(*h), _Alignof(struct host_state));

	h->cpu = cpu;
	h->mxcsr = MXCSR_DEFAULT;
	h->x87.fcw = FCW_DEFAULT;
	cpu->host = h;
	return true;
}

void host_cpu_cleanup(struct dbt_cpu *cpu)
{
	g_clear_pointer(&cpu->host, g_aligned_free);
}

/* ---- Exceptions ---- */

/* SIMD exceptions, x87 ones, and what the host calls undefined though the table did not. */
static _Noreturn void stub_faulted(struct dbt_cpu *cpu, uint64_t signal, uint64_t code)
{
	unsigned vector = signal == SIGILL ? EXC_UD : EXC_XM;

	if (signal == SIGFPE && cpu->host->x87_live) {
		uint16_t status;

		asm volatile("fnstsw %0" : "=m"(status));
		if (status & 0x80)
			vector = EXC_MF;
	}
	dbt_fault(cpu, cpu->op, vector);
}

static void pass_on(int signal, siginfo_t *info, void *context)
{
	const struct sigaction *old = &previous[signal];

	if (old->sa_flags & SA_SIGINFO) {
		old->sa_sigaction(signal, info, context);
	} else if (old->sa_handler != SIG_DFL && old->sa_handler != SIG_IGN) {
		old->sa_handler(signal);
	} else { /* returns to the instruction, which now ends the process */
		sigaction(signal, old, NULL);
	}
}

static void on_signal(int signal, siginfo_t *info, void *context)
{
	ucontext_t *uc = context;
	greg_t *regs = uc->uc_mcontext.gregs;

	if (!current || !current->live || !host_stub_contains(regs[REG_RIP])) {
		pass_on(signal, info, context);
		return;
	}
	regs[REG_RIP] = (greg_t)stub_faulted;
	regs[REG_RDI] = (greg_t)current->cpu;
	regs[REG_RSI] = signal;
	regs[REG_EFL] &= ~0x400; /* the ABI wants DF clear */
}

bool host_init(GError **errp)
{
	struct sigaction action = {.sa_sigaction = on_signal, .sa_flags = SA_SIGINFO};
	static const int signals[] = {SIGFPE, SIGILL};

	if (!host_stub_init(errp))
		return false;
	sigemptyset(&action.sa_mask);
	for (unsigned i = 0; i < G_N_ELEMENTS(signals); i++) {
		struct sigaction now;

		sigaction(signals[i], NULL, &now);
		if ((now.sa_flags & SA_SIGINFO) && now.sa_sigaction == on_signal)
			continue;
		previous[signals[i]] = now;
		sigaction(signals[i], &action, NULL);
	}
	return true;
}

/* ---- XSAVE areas in standard format ---- */

#define XSTATE_BV  512
#define XSAVE_YMM  576
#define XSTATE_X87 BIT(0)
#define XSTATE_SSE BIT(1)
#define XSTATE_AVX BIT(2)

void host_store_xsave(struct dbt_cpu *cpu, uint8_t *area)
{
	struct host_state *h = cpu->host;
	struct fx_image image = h->x87;
	uint64_t present = XSTATE_X87 | XSTATE_SSE | (cpu->xcr0 & XSTATE_AVX);

	g_assert(!h->live);
	image.mxcsr = h->mxcsr;
	image.mxcsr_mask = 0xffff;
	for (unsigned i = 0; i < 16; i++) {
		memcpy(image.xmm[i], cpu->vec[i].b, 16);
		memcpy(area + XSAVE_YMM + 16 * i, cpu->vec[i].b + 16, 16);
	}
	memcpy(area, &image, sizeof(image));
	memcpy(area + XSTATE_BV, &present, sizeof(present));
}

/* Parts that XSTATE_BV calls initial are; MXCSR is always there. */
void host_load_xsave(struct dbt_cpu *cpu, const uint8_t *area)
{
	static const struct fx_image initial = {.fcw = FCW_DEFAULT};
	struct host_state *h = cpu->host;
	struct fx_image image;
	uint64_t present;

	g_assert(!h->live);
	memcpy(&image, area, sizeof(image));
	memcpy(&present, area + XSTATE_BV, sizeof(present));
	h->mxcsr = image.mxcsr & 0xffff;
	h->x87 = present & XSTATE_X87 ? image : initial;
	h->fip = h->x87.fip;
	h->fdp = h->x87.fdp;
	h->fop = h->x87.fop;
	memset(cpu->vec, 0, sizeof(cpu->vec));
	for (unsigned i = 0; i < 16; i++) {
		if (present & XSTATE_SSE)
			memcpy(cpu->vec[i].b, image.xmm[i], 16);
		if (present & XSTATE_AVX)
			memcpy(cpu->vec[i].b + 16, area + XSAVE_YMM + 16 * i, 16);
	}
}
