/* Instructions run by the host CPU: dbt-native.h. */
#include "dbt-native.h"

#include <signal.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <ucontext.h>
#include <unistd.h>

/* Selectors of Linux: 64-bit code, 32-bit code, data. */
#define CODE_64 0x33
#define CODE_32 0x23

void native_enter(void), native_enter_avx(void), native_enter_32(void), native_exit_end(void),
	native_exit_branch(void), native_return(void);

/* The flags are loaded on the host's stack, then nothing changes them until they are stored. */
asm(".set frame, 0x1fff0000\n"
    ".set gpr, frame + 32\n"
    ".set flags, gpr + 128\n"
    ".set which, flags + 8\n"
    ".set far, frame + 176\n"
    ".set vec, frame + 192\n"
    ".text\n"
    ".globl native_enter_avx\n"
    "native_enter_avx:\n"
    "	vmovups vec, %ymm0\n	vmovups vec + 32, %ymm1\n	vmovups vec + 64, %ymm2\n"
    "	vmovups vec + 96, %ymm3\n	vmovups vec + 128, %ymm4\n	vmovups vec + 160, %ymm5\n"
    "	vmovups vec + 192, %ymm6\n	vmovups vec + 224, %ymm7\n	vmovups vec + 256, %ymm8\n"
    "	vmovups vec + 288, %ymm9\n	vmovups vec + 320, %ymm10\n	vmovups vec + 352, %ymm11\n"
    "	vmovups vec + 384, %ymm12\n	vmovups vec + 416, %ymm13\n	vmovups vec + 448, %ymm14\n"
    "	vmovups vec + 480, %ymm15\n"
    ".globl native_enter\n"
    "native_enter:\n"
    "	push %rbp\n	push %rbx\n	push %r12\n	push %r13\n	push %r14\n	push %r15\n"
    "	mov %rsp, frame + 24\n"
    "	pushq flags\n	popfq\n"
    "	mov gpr, %rax\n	mov gpr + 8, %rcx\n	mov gpr + 16, %rdx\n	mov gpr + 24, %rbx\n"
    "	mov gpr + 40, %rbp\n	mov gpr + 48, %rsi\n	mov gpr + 56, %rdi\n"
    "	mov gpr + 64, %r8\n	mov gpr + 72, %r9\n	mov gpr + 80, %r10\n	mov gpr + 88, %r11\n"
    "	mov gpr + 96, %r12\n	mov gpr + 104, %r13\n	mov gpr + 112, %r14\n"
    "	mov gpr + 120, %r15\n	mov gpr + 32, %rsp\n"
    "	jmp *frame + 16\n"
    ".globl native_enter_32\n"
    "native_enter_32:\n"
    "	push %rbp\n	push %rbx\n	push %r12\n	push %r13\n	push %r14\n	push %r15\n"
    "	mov %rsp, frame + 24\n"
    "	mov $0x2b, %eax\n	mov %eax, %ds\n	mov %eax, %es\n"
    "	pushq flags\n	popfq\n"
    "	mov gpr, %eax\n	mov gpr + 8, %ecx\n	mov gpr + 16, %edx\n	mov gpr + 24, %ebx\n"
    "	mov gpr + 40, %ebp\n	mov gpr + 48, %esi\n	mov gpr + 56, %edi\n"
    "	mov gpr + 32, %esp\n"
    "	ljmpl *far\n"
    ".globl native_exit_branch\n"
    "native_exit_branch:\n"
    "	movq $1, which\n"
    "	jmp 1f\n"
    ".globl native_exit_end\n"
    "native_exit_end:\n"
    "	movq $0, which\n"
    "1:	mov %rax, gpr\n	mov %rcx, gpr + 8\n	mov %rdx, gpr + 16\n	mov %rbx, gpr + 24\n"
    "	mov %rsp, gpr + 32\n	mov %rbp, gpr + 40\n	mov %rsi, gpr + 48\n	mov %rdi, gpr + 56\n"
    "	mov %r8, gpr + 64\n	mov %r9, gpr + 72\n	mov %r10, gpr + 80\n	mov %r11, gpr + 88\n"
    "	mov %r12, gpr + 96\n	mov %r13, gpr + 104\n	mov %r14, gpr + 112\n"
    "	mov %r15, gpr + 120\n"
    "	mov frame + 24, %rsp\n"
    "	pushfq\n	popq flags\n"
    ".globl native_return\n"
    "native_return:\n"
    "	cld\n"
    "	pop %r15\n	pop %r14\n	pop %r13\n	pop %r12\n	pop %rbx\n	pop %rbp\n"
    "	ret\n");
_Static_assert(offsetof(struct native_frame, gpr) == 32, "frame");
_Static_assert(offsetof(struct native_frame, flags) == 160, "frame");
_Static_assert(offsetof(struct native_frame, far_code) == 176, "frame");
_Static_assert(offsetof(struct native_frame, vec) == 192, "frame");

#define FAR_EXIT(_which) (NATIVE_CODE + NATIVE_PAGE + (_which)*16)

static struct native_frame *frame(void)
{
	return (struct native_frame *)NATIVE_FRAME;
}

bool native_has_avx(void)
{
	return __builtin_cpu_supports("avx");
}

static void map(uint64_t at, size_t size, int prot)
{
	void *p = mmap((void *)at, size, prot, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE,
		       -1, 0);

	g_assert(p == (void *)at);
}

void native_init(void)
{
	map(NATIVE_DATA, DATA_SIZE, PROT_READ | PROT_WRITE);
	map(NATIVE_DATA - NATIVE_PAGE, NATIVE_PAGE, PROT_NONE);
	map(NATIVE_DATA + DATA_SIZE, NATIVE_PAGE, PROT_NONE);
	map(NATIVE_CODE, 2 * NATIVE_PAGE, PROT_READ | PROT_WRITE | PROT_EXEC);
	map(NATIVE_FRAME, NATIVE_PAGE, PROT_READ | PROT_WRITE);
	frame()->exit[EXIT_END] = (uintptr_t)native_exit_end;
	frame()->exit[EXIT_BRANCH] = (uintptr_t)native_exit_branch;
	native_put_exit((uint8_t *)FAR_EXIT(EXIT_END), EXIT_END, false);
	native_put_exit((uint8_t *)FAR_EXIT(EXIT_BRANCH), EXIT_BRANCH, false);
}

/* 32-bit code cannot jump far enough: it goes by way of 64-bit code in its own neighbourhood. */
void native_put_exit(uint8_t *code, enum native_exit which, bool is_32)
{
	uint32_t slot = NATIVE_FRAME + which * 8, far = FAR_EXIT(which);
	uint16_t selector = CODE_64;

	if (is_32) {
		code[0] = 0xea;
		memcpy(code + 1, &far, 4);
		memcpy(code + 5, &selector, 2);
	} else {
		memcpy(code, "\xff\x24\x25", 3); /* jmp *slot */
		memcpy(code + 3, &slot, 4);
	}
}

struct native_case *native_alloc(unsigned count)
{
	void *p = mmap(NULL, count * sizeof(struct native_case) + NATIVE_PAGE,
		       PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	g_assert(p != MAP_FAILED);
	return p;
}

void native_free(struct native_case *cases, unsigned count)
{
	munmap(cases, count * sizeof(struct native_case) + NATIVE_PAGE);
}

/* ---- In the child ---- */

static struct native_state *running;

static void on_fault(int sig, siginfo_t *info, void *opaque)
{
	static const int order[16] = {REG_RAX, REG_RCX, REG_RDX, REG_RBX, REG_RSP, REG_RBP,
				      REG_RSI, REG_RDI, REG_R8,  REG_R9,  REG_R10, REG_R11,
				      REG_R12, REG_R13, REG_R14, REG_R15};
	ucontext_t *uc = opaque;
	greg_t *regs = uc->uc_mcontext.gregs;

	for (unsigned i = 0; i < 16; i++)
		frame()->gpr[i] = regs[order[i]];
	frame()->flags = regs[REG_EFL];
	frame()->which = EXIT_FAULT;
	running->rip = regs[REG_RIP];
	running->vector = regs[REG_TRAPNO];
	running->error = regs[REG_ERR];
	running->cr2 = regs[REG_CR2];
	regs[REG_RSP] = frame()->host_rsp;
	regs[REG_RIP] = (uintptr_t)native_return;
	regs[REG_CSGSFS] = (regs[REG_CSGSFS] & ~0xffffLL) | CODE_64;
	regs[REG_EFL] &= ~0x40500; /* AC, DF, TF */
}

static void catch_faults(void)
{
	static const int signals[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP};
	stack_t stack = {.ss_sp = g_malloc(65536), .ss_size = 65536};
	struct sigaction act = {.sa_sigaction = on_fault,
				.sa_flags = SA_SIGINFO | SA_ONSTACK | SA_NODEFER};

	sigaltstack(&stack, NULL);
	for (unsigned i = 0; i < G_N_ELEMENTS(signals); i++)
		sigaction(signals[i], &act, NULL);
}

static void run_one(struct native_case *c)
{
	struct native_frame *f = frame();

	running = &c->after;
	memcpy((void *)NATIVE_DATA, c->before.data, DATA_SIZE);
	memcpy((void *)(NATIVE_CODE + c->start), c->code, CODE_ROOM);
	memcpy(f->gpr, c->before.gpr, sizeof(f->gpr));
	memcpy(f->vec, c->before.vec, sizeof(f->vec));
	f->flags = c->before.flags | 0x202;
	f->code = NATIVE_CODE + c->start;
	f->far_code = f->code;
	f->far_selector = CODE_32;
	if (c->is_32)
		native_enter_32();
	else if (native_has_avx())
		native_enter_avx();
	else
		native_enter();
	memcpy(c->after.gpr, f->gpr, sizeof(f->gpr));
	c->after.flags = f->flags;
	c->after.exit = f->which;
	memcpy(c->after.data, (void *)NATIVE_DATA, DATA_SIZE);
}

unsigned native_run(struct native_case *cases, unsigned count)
{
	volatile uint32_t *progress = (uint32_t *)(cases + count);
	int status;
	pid_t pid;

	*progress = 0;
	pid = fork();
	g_assert(pid >= 0);
	if (!pid) {
		catch_faults();
		for (unsigned i = 0; i < count; i++) {
			*progress = i;
			run_one(&cases[i]);
		}
		_exit(0);
	}
	waitpid(pid, &status, 0);
	return WIFEXITED(status) && WEXITSTATUS(status) == 0 ? count : *progress;
}
