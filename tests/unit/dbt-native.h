/*
 * Instructions run by the host CPU itself, to compare with.
 *
 * Everything an instruction can touch lies at fixed addresses below 2 GiB, the same for the host CPU and
 * for the engine under test: code, data with an unmapped page on either side, and the frame with the
 * registers. A child process runs the instructions: whatever they do, the test lives.
 */
#ifndef DBT_NATIVE_H
#define DBT_NATIVE_H

#include "base/common.h"

#define NATIVE_FRAME 0x1fff0000ULL
#define NATIVE_CODE  0x20000000ULL
#define NATIVE_DATA  0x10001000ULL
#define NATIVE_PAGE  4096
#define DATA_SIZE    (2 * NATIVE_PAGE)
#define CODE_ROOM    64

/* Two ways out of the code: the end, and where a branch leads. */
enum native_exit { EXIT_END, EXIT_BRANCH, EXIT_FAULT };

struct native_state {
	uint64_t gpr[16];
	uint64_t flags;
	uint8_t vec[16][32];
	uint8_t data[DATA_SIZE];
	uint32_t exit;
	/* EXIT_FAULT */
	uint64_t rip;
	uint32_t vector, error;
	uint64_t cr2;
};

struct native_case {
	uint8_t code[CODE_ROOM]; /* at NATIVE_CODE + start; ends with native_put_exit() */
	uint32_t start, end;     /* end: behind the instruction */
	bool is_32;              /* 32-bit code: the host's compatibility mode */
	struct native_state before, after;
};

/* What the code refers to at NATIVE_FRAME. */
struct native_frame {
	uint64_t exit[2]; /* addresses of the ways out */
	uint64_t code;
	uint64_t host_rsp;
	uint64_t gpr[16];
	uint64_t flags;
	uint64_t which;
	uint32_t far_code, far_selector;
	uint8_t vec[16][32] __attribute__((aligned(64)));
};

/* Maps all of it. Once. */
void native_init(void);
bool native_has_avx(void);
/* A jump to a way out, 7 bytes: indirect, or far in 32-bit code. */
#define EXIT_LEN 7
void native_put_exit(uint8_t *code, enum native_exit which, bool is_32);
/* Runs all of them in a child; @cases is from native_alloc(). Returns how many were run: if the child
 * died, the one it died of is not counted. */
unsigned native_run(struct native_case *cases, unsigned count);
struct native_case *native_alloc(unsigned count);
void native_free(struct native_case *cases, unsigned count);

#endif
