/*
 * Architectural state of an x86 CPU, independent of who executes it.
 *
 * Accelerators copy their state in and out of this; gdb, dumps, snapshots and migration see only
 * this. Registers have the meaning of the Intel SDM vol. 3 / AMD APM vol. 2. The FPU and vector
 * state is kept as an XSAVE area in standard (not compacted) format.
 */
#ifndef CPU_X86_H
#define CPU_X86_H

#include "base/common.h"
#include "base/field.h"

enum x86_gpr {
	R_AX,
	R_CX,
	R_DX,
	R_BX,
	R_SP,
	R_BP,
	R_SI,
	R_DI,
	R_8,
	R_9,
	R_10,
	R_11,
	R_12,
	R_13,
	R_14,
	R_15,
};

enum x86_seg { S_ES, S_CS, S_SS, S_DS, S_FS, S_GS, S_LDT, S_TR, S_COUNT };

/*
 * A segment register with its hidden part. `attr` has the layout of descriptor bits 40-55: type 3:0,
 * S 4, DPL 6:5, P 7, AVL 12, L 13, D/B 14, G 15; bit 16 marks it unusable (as VMX has it).
 */
struct x86_segment {
	uint64_t base;
	uint32_t limit; /* in bytes, granularity applied */
	uint16_t selector;
	uint32_t attr;
};
#define SEG_ATTR_P        BIT(7)
#define SEG_ATTR_L        BIT(13)
#define SEG_ATTR_DB       BIT(14)
#define SEG_ATTR_G        BIT(15)
#define SEG_ATTR_UNUSABLE BIT(16)

struct x86_dtable {
	uint64_t base;
	uint16_t limit;
};

/* XSAVE area: large enough for AVX-512, PKRU and AMX tile data. */
#define X86_XSAVE_MAX 12288

/* What a vCPU does when it is not running instructions (as KVM_MP_STATE_*). */
enum x86_mp_state {
	MP_RUNNABLE,
	MP_UNINITIALIZED, /* application processor before INIT */
	MP_INIT_RECEIVED, /* waits for SIPI */
	MP_HALTED,
	MP_SIPI_RECEIVED,
};

/* Exceptions, interrupts and NMIs on their way in. */
struct x86_events {
	bool exception_pending, exception_injected, exception_has_code, exception_has_payload;
	uint8_t exception_vector;
	uint32_t exception_code;
	uint64_t exception_payload;
	bool interrupt_injected, interrupt_soft;
	uint8_t interrupt_vector;
	uint8_t interrupt_shadow; /* bit 0: STI, bit 1: MOV SS */
	bool nmi_injected, nmi_pending, nmi_masked;
	bool in_smm, smi_pending, smm_inside_nmi, smi_latched_init;
	bool triple_fault_pending;
	uint32_t sipi_vector;
};

/* One MSR that must travel and has no member of its own. */
struct x86_msr {
	uint32_t index;
	uint64_t value;
};
#define X86_MSRS_MAX 512

/* State of a guest's own guests: KVM's structure for VMX or SVM with its header. */
#define X86_NESTED_MAX 8448

struct x86_state {
	uint64_t gpr[16];
	uint64_t rip, rflags;
	struct x86_segment seg[S_COUNT];
	struct x86_dtable gdt, idt;
	uint64_t cr0, cr2, cr3, cr4, cr8;
	uint64_t dr[8]; /* 0-3, 6, 7 */
	uint64_t efer;
	uint64_t apic_base;
	uint64_t xcr0;
	uint64_t pdptr[4];
	bool pdptrs_valid;
	uint8_t xsave[X86_XSAVE_MAX] __attribute__((aligned(64)));
	int mp_state; /* enum x86_mp_state */
	struct x86_events events;
	uint8_t lapic[1024]; /* register page of the local APIC as KVM lays it out */
	uint32_t msr_count;
	struct x86_msr msrs[X86_MSRS_MAX];
	uint32_t nested_size; /* 0: none */
	uint8_t nested[X86_NESTED_MAX] __attribute__((aligned(8)));
};

/* Registers as text, laid out as `info registers` shows them: appends to @out. @halted: shows HLT=1 */
void x86_state_print(const struct x86_state *s, bool halted, GString *out);

/* Rows of the above, for saved state. */
extern const struct field x86_state_rows[];

/* Register values after RESET# (SDM vol. 3, 10.1.1). An AP waits for INIT. @signature: CPUID 1 EAX. */
void x86_state_reset(struct x86_state *s, bool is_bsp, uint32_t signature);
/*
 * After INIT#: vector state, MSRs, APIC base and cache control stay as they are. The boot CPU starts
 * like after RESET#, an AP waits for the Startup IPI, which starts it at the beginning of a page.
 */
void x86_state_init(struct x86_state *s, bool is_bsp, uint32_t signature);
void x86_state_startup(struct x86_state *s, uint8_t page);

#define EFER_SCE   BIT64(0)
#define EFER_LME   BIT64(8)
#define EFER_LMA   BIT64(10)
#define EFER_NX    BIT64(11)
#define CR0_PE     BIT64(0)
#define CR0_MP     BIT64(1)
#define CR0_ET     BIT64(4)
#define CR0_NE     BIT64(5)
#define CR0_WP     BIT64(16)
#define CR0_NW     BIT64(29)
#define CR0_CD     BIT64(30)
#define CR0_PG     BIT64(31)
#define CR4_PAE    BIT64(5)
#define CR4_OSFXSR BIT64(9)

#define MSR_TSC             0x10
#define MSR_APIC_BASE       0x1b
#define MSR_MISC_ENABLE     0x1a0
#define MSR_PAT             0x277
#define MSR_MTRR_DEF_TYPE   0x2ff
#define MSR_TSC_DEADLINE    0x6e0
#define MSR_EFER            0xc0000080
#define MSR_KVM_SYSTEM_TIME 0x4b564d01

#define APIC_BASE_BSP    BIT64(8)
#define APIC_BASE_EXTD   BIT64(10)
#define APIC_BASE_ENABLE BIT64(11)

#endif
