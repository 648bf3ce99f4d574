/*
 * The software accelerator: x86-64 on x86-64, where there is no usable KVM.
 *
 *	decode*.c	bytes -> struct insn				(insn.h)
 *	translate.c	struct insn -> operations of a block		(op.h)
 *	block.c		the cache of blocks, invalidation
 *	run.c		the loop: look for events, find a block, run it
 *	op-*.c		operations by family; flags.h: lazy flags
 *	mmu.c, mem.h	page walks, the TLB, access to guest memory
 *	code-pages.c	who watches which page of code
 *	segment.c, far.c, task.c, event.c	protection: descriptors, far transfers, tasks, delivery
 *	system.c, msr.c, cpuid.c, debug.c	system instructions
 *	host-*.c, x87.c, xstate.c	floating point and vectors on the host's own units (host.h)
 *	accel.c		struct accel_ops, state in and out
 *
 * Each vCPU has a thread, which owns its struct dbt_cpu; others reach it only through `requests`
 * (code-pages.c) and exit_request. Guest memory accesses of the CPU are host accesses of the same
 * width, LOCKed ones host atomics: the host's memory order is the guest's.
 *
 * A fault (dbt_fault) does not return: it jumps back to the loop, which works out the instruction's
 * address from cpu->op and delivers the exception. Hence no function that may fault holds anything
 * that must be given back: no lock, no heap memory, no machine lock, no RCU section.
 */
#ifndef DBT_H
#define DBT_H

#include "accel/accel.h"
#include "accel/dbt.h"
#include "insn.h"
#include "op.h"

#include <setjmp.h>

/* Slots of dbt_cpu.gpr beyond the 16 registers, so that every address is base + index + disp. */
#define GPR_ZERO 16 /* always 0: no base, no index */
#define GPR_BLOCK                                                                                  \
	17 /* block_rip, for RIP-relative operands: disp is relative to the block's start */
#define GPR_SLOTS 18

/* What a block's meaning depends on, besides its bytes. dbt_update_mode() keeps cpu->mode. */
#define MODE_LONG  BIT(0) /* EFER.LMA */
#define MODE_CS64  BIT(1) /* 64-bit code */
#define MODE_CS32  BIT(2) /* default operand and address size of CS is 32 */
#define MODE_SS32  BIT(3) /* stack pointer is ESP (in 64-bit code RSP anyhow) */
#define MODE_PE    BIT(4)
#define MODE_VM    BIT(5) /* virtual-8086 */
#define MODE_FLAT  BIT(6) /* CS, DS, ES, SS: usable, base 0, limit 4 GiB, writable data */
#define MODE_CPL3  BIT(7)
#define MODE_STEP  BIT(8)  /* TF, or the debugger steps, or breakpoints: blocks of one */
#define MODE_ALIGN BIT(9)  /* alignment is checked: CR0.AM, RFLAGS.AC, CPL 3 */
#define MODE_TS    BIT(10) /* CR0.TS: FPU, vectors raise #NM */
#define MODE_EM    BIT(11) /* CR0.EM */
#define MODE_MP    BIT(12) /* CR0.MP */
#define MODE_FXSR  BIT(13) /* CR4.OSFXSR */
#define MODE_AVX   BIT(14) /* CR4.OSXSAVE, XCR0.AVX */
#define MODE_SMM   BIT(15)
#define MODE_IOPL3 BIT(16) /* CPL <= IOPL: CLI, STI, IN, OUT go unchecked */
#define MODE_XSAVE BIT(17) /* CR4.OSXSAVE */
#define MODE_UMIP  BIT(18) /* CR4.UMIP */
#define MODE_FSGS  BIT(19) /* CR4.FSGSBASE */
#define MODE_BREAK BIT(20) /* data breakpoints are armed */

enum {
	EXC_DE,
	EXC_DB,
	EXC_NMI,
	EXC_BP,
	EXC_OF,
	EXC_BR,
	EXC_UD,
	EXC_NM,
	EXC_DF,
	EXC_TS = 10,
	EXC_NP,
	EXC_SS,
	EXC_GP,
	EXC_PF,
	EXC_MF = 16,
	EXC_AC,
	EXC_MC,
	EXC_XM
};

#define FLAG_CF      BIT(0)
#define FLAG_PF      BIT(2)
#define FLAG_AF      BIT(4)
#define FLAG_ZF      BIT(6)
#define FLAG_SF      BIT(7)
#define FLAG_TF      BIT(8)
#define FLAG_IF      BIT(9)
#define FLAG_DF      BIT(10)
#define FLAG_OF      BIT(11)
#define FLAG_IOPL    (3u << 12)
#define FLAG_NT      BIT(14)
#define FLAG_RF      BIT(16)
#define FLAG_VM      BIT(17)
#define FLAG_AC      BIT(18)
#define FLAG_VIF     BIT(19)
#define FLAG_VIP     BIT(20)
#define FLAG_ID      BIT(21)
#define FLAGS_STATUS (FLAG_CF | FLAG_PF | FLAG_AF | FLAG_ZF | FLAG_SF | FLAG_OF)

/* ---- TLB: see mem.h ---- */

#define TLB_BITS 10
#define TLB_SIZE (1u << TLB_BITS)

/* Whose rights an access has: which of the TLBs it looks into. */
enum mmu_index {
	MMU_KERNEL,      /* CPL 0-2, may touch user pages */
	MMU_KERNEL_SMAP, /* CPL 0-2, may not: CR4.SMAP and no RFLAGS.AC, or an implicit access */
	MMU_USER,
	MMU_INDEXES
};

/*
 * A tag is the linear address of the page if an access of the kind goes straight to host memory; any
 * other value sends it the slow way: not there, registers, a page of code (writes), a breakpoint.
 */
#define TLB_NONE 1ULL
struct tlb_entry {
	uint64_t read, write, exec;
	uint64_t phys;    /* of the page */
	intptr_t to_host; /* host address = linear address + to_host */
};

struct vec {
	uint8_t b[32];
} __attribute__((aligned(32)));

/* Something another thread asks of a vCPU; it does it between two blocks. code-pages.c */
struct dbt_requests;
struct dbt_machine;
struct host_state;

/* What goes to the guest as an exception, interrupt or NMI. */
struct dbt_fault {
	uint8_t vector;
	bool has_code;
	uint32_t code;
	uint64_t cr2; /* of EXC_PF */
	uint64_t dr6; /* of EXC_DB: bits to set */
};

struct dbt_cpu {
	/* What operations touch most */
	uint64_t gpr[GPR_SLOTS];
	uint64_t cc_dst, cc_src; /* lazy flags: flags.h */
	uint32_t cc_op;
	uint32_t flags; /* RFLAGS without the six status flags, except with CC_FLAGS: flags.h */
	uint64_t seg_base[S_COUNT]; /* = seg[].base, for EA_64_SEG */
	uint64_t map_epoch;
	uint32_t mode;
	uint8_t mmu_index; /* of data accesses as the program makes them */
	uint8_t cpl;
	struct block *block;
	const struct op *op; /* set before whatever may fault: mem.h's slow paths, dbt_fault() */
	uint64_t rip;        /* between blocks */
	struct accel_cpu *acc;
	struct dbt_machine *machine;

	struct tlb_entry tlb[MMU_INDEXES][TLB_SIZE];
	struct vec vec[16];
	struct host_state *host; /* x87, MXCSR: host.h */

	/* The rest of the architecture */
	struct x86_segment seg[S_COUNT];
	struct x86_dtable gdt, idt;
	uint64_t cr0, cr2, cr3, cr4;
	uint64_t dr[8];
	uint64_t efer, apic_base, xcr0, xss;
	uint64_t pdptr[4];
	struct dbt_msrs *msrs; /* the MSRs nobody else keeps: msr.c */
	uint64_t phys_mask;    /* bits a physical address may have */
	uint64_t a20_mask;

	/* Events */
	bool halted; /* HLT or MWAIT */
	bool shadow; /* interrupts held off for one instruction (STI, MOV SS) */
	bool nmi_pending, nmi_masked, smi_pending;
	bool in_smm, smm_inside_nmi;
	bool shut_down;    /* triple fault */
	uint8_t mp_state;  /* enum x86_mp_state */
	bool intr_pending; /* what accel_intr_ops.pending() last said */
	bool delivering;   /* a fault now is a fault in delivery: event.c */
	uint8_t delivering_vector;
	bool alone;          /* the next block has one instruction: it writes into its own code */
	bool debug_hit;      /* debug_stop says why: dbt_run() returns RUN_DEBUG, and clears it */
	uint64_t db_pending; /* DR6 bits of a #DB that follows the instruction: debug_after() */
	struct mmu_pages *pages; /* of the TLB's entries, what the slow ways need: mmu.c */
	struct dbt_fault fault;
	struct x86_events
		*inject; /* an event that was half delivered when the state came in, or NULL */
	jmp_buf loop;

	struct block_cache *cache;
	struct dbt_requests *requests;
	int in_guest;    /* atomic; dbt_exclusive_begin() */
	uint64_t icount; /* instructions run, where -icount counts */
	int64_t budget;  /* of them, before the loop has to look at the clock */
	struct debug_request debug;
	struct debug_stop debug_stop;
};

enum thread_mode { THREAD_MULTI, THREAD_SINGLE };

/* The accelerator. */
struct dbt_machine {
	struct accel accel;
	int thread; /* enum thread_mode */
	uint64_t tb_size;
	GPtrArray *cpus; /* struct dbt_cpu; guarded by lock */
	GMutex lock;
	struct code_pages *code;
	struct dbt_cpu *exclusive; /* atomic: the only one that may run guest code; NULL: all */
	GCond exclusive_change;    /* with lock: that, or some in_guest, changed */
	bool icount;
	/* of the machine's options; icount.c */
	int icount_shift;
};

static inline struct dbt_cpu *dbt_cpu_of(struct accel_cpu *cpu)
{
	return cpu->data;
}

/* ---- run.c: faults do not return ---- */
_Noreturn void dbt_fault(struct dbt_cpu *cpu, const struct op *op, unsigned vector);
_Noreturn void dbt_fault_code(struct dbt_cpu *cpu, const struct op *op, unsigned vector,
			      uint32_t code);
_Noreturn void dbt_page_fault(struct dbt_cpu *cpu, const struct op *op, uint64_t lin,
			      uint32_t code);
/* Leaves the block without a fault; the instruction will run again (cpu->op says which). */
_Noreturn void dbt_leave(struct dbt_cpu *cpu);

/* ---- event.c: delivery. cpu->rip is the address to return to ---- */
enum event_kind {
	EVENT_FAULT,
	EVENT_TRAP,
	EVENT_SOFT,
	EVENT_SOFT_INT3,
	EVENT_INT1,
	EVENT_EXTERNAL,
	EVENT_NMI
};
void dbt_deliver(struct dbt_cpu *cpu, enum event_kind kind, const struct dbt_fault *fault);
/* A fault was raised (cpu->fault): benign, contributory or page fault against what was being
 * delivered; sets shut_down for a triple fault. */
void dbt_deliver_fault(struct dbt_cpu *cpu);
/* What came half delivered with the state (cpu->inject), before anything else is run. */
void dbt_deliver_injected(struct dbt_cpu *cpu);
/* SMI, with cpu->rip the instruction that follows; RSM. */
void dbt_enter_smm(struct dbt_cpu *cpu);
void dbt_leave_smm(struct dbt_cpu *cpu, const struct op *op);

/* ---- segment.c ---- */
/* From selector and descriptor tables, with all checks; faults. */
void dbt_load_segment(struct dbt_cpu *cpu, const struct op *op, enum x86_seg seg,
		      uint16_t selector);
/* In real and virtual-8086 mode. */
void dbt_set_segment_real(struct dbt_cpu *cpu, enum x86_seg seg, uint16_t selector);
/* After any change of CR0, CR4, EFER, XCR0, RFLAGS, segments, CPL, debug registers: mode, mmu_index,
 * seg_base. */
void dbt_update_mode(struct dbt_cpu *cpu);
/* Checks a memory operand against its segment, and gives its linear address; faults with #GP or #SS. */
uint64_t dbt_segment_linear(struct dbt_cpu *cpu, const struct op *op, unsigned seg, uint64_t offset,
			    unsigned size, bool is_write);

/* ---- far.c, task.c: each sets rip and ends the block ---- */
void dbt_jump_far(struct dbt_cpu *cpu, const struct op *op, uint16_t selector, uint64_t offset,
		  unsigned osize);
void dbt_call_far(struct dbt_cpu *cpu, const struct op *op, uint16_t selector, uint64_t offset,
		  unsigned osize, uint64_t return_rip);
void dbt_return_far(struct dbt_cpu *cpu, const struct op *op, unsigned osize, unsigned pop);
void dbt_iret(struct dbt_cpu *cpu, const struct op *op, unsigned osize);
enum task_reason { TASK_JUMP, TASK_CALL, TASK_IRET, TASK_EVENT };
void dbt_task_switch(struct dbt_cpu *cpu, const struct op *op, uint16_t selector,
		     enum task_reason reason, uint64_t next_rip, const uint32_t *error_code);

/* ---- Registers with consequences ---- */
void dbt_set_cr0(struct dbt_cpu *cpu, const struct op *op, uint64_t value);
void dbt_set_cr3(struct dbt_cpu *cpu, const struct op *op, uint64_t value);
void dbt_set_cr4(struct dbt_cpu *cpu, const struct op *op, uint64_t value);
void dbt_set_efer(struct dbt_cpu *cpu, const struct op *op, uint64_t value);
/* All of RFLAGS, status flags included. dbt_set_rflags() updates the mode. flags.c */
uint64_t dbt_rflags(struct dbt_cpu *cpu);
void dbt_set_rflags(struct dbt_cpu *cpu, uint64_t value, uint64_t mask);
bool dbt_rdmsr(struct dbt_cpu *cpu, uint32_t index, uint64_t *value); /* false: #GP */
bool dbt_wrmsr(struct dbt_cpu *cpu, uint32_t index, uint64_t value);
uint64_t dbt_tsc(struct dbt_cpu *cpu);

/* ---- code-pages.c: requests between vCPUs, pages of code ---- */
/*
 * acc->exit_request has two bits. EXIT_MACHINE (somebody called vcpu_kick()): dbt_run() returns.
 * EXIT_SERVE: dbt_run() calls requests_serve() between two blocks, which clears it, and goes on.
 */
#define EXIT_MACHINE 1
#define EXIT_SERVE   2
void requests_serve(struct dbt_cpu *cpu);
/*
 * A vCPU is inside while it uses its TLB and blocks; others may wait for it to serve them then. Outside
 * (not in dbt_run(), in a device's callback, waiting for a lock) nobody waits. dbt_go_inside() may drop
 * entries of the TLB, never blocks. The two include host_enter() and host_leave(). dbt_run() goes inside
 * and calls requests_serve() at its start, goes outside at its end and around accel_intr_ops.
 */
void dbt_go_inside(struct dbt_cpu *cpu);
void dbt_go_outside(struct dbt_cpu *cpu);
/* Before the bytes of a block are read for decoding: from now on a write to the page is noticed. */
void code_page_watch(struct dbt_cpu *cpu, uint64_t phys);

/* ---- debug.c: with MODE_STEP the loop calls these before and after each instruction ---- */
/* Code breakpoints at cpu->rip: the guest's raise #DB here, of the debugger's true is returned. */
bool debug_before(struct dbt_cpu *cpu);
/* TF (@old_flags: RFLAGS before the instruction), data breakpoints, steps of the debugger; as above. */
bool debug_after(struct dbt_cpu *cpu, uint32_t old_flags);

/* ---- op-system.c: for INS and OUTS too. The permission is checked first, once an instruction ---- */
void port_check(struct dbt_cpu *cpu, const struct op *op, uint16_t port, unsigned size);
uint32_t port_read(struct dbt_cpu *cpu, const struct op *op, uint16_t port, unsigned size);
void port_write(struct dbt_cpu *cpu, const struct op *op, uint16_t port, unsigned size,
		uint32_t value);

/* ---- block.c, translate.c ---- */
struct block_cache *block_cache_new(uint64_t bytes);
void block_cache_free(struct block_cache *cache);
/* The block at cpu->rip in cpu->mode, decoded if need be; faults if it cannot be fetched. */
struct block *block_get(struct dbt_cpu *cpu);
void block_flush_page(struct dbt_cpu *cpu, uint64_t phys_page);
void block_flush_all(struct dbt_cpu *cpu);

/* ---- run.c ---- */
enum run_result dbt_run(struct accel_cpu *acc);

#endif
