/*
 * A virtual machine for the tests of accel/kvm: RAM at 0, a console at port E9h, a register at ports
 * 10h-17h and at 1000000h, and a port F4h that ends the run. Guest code stands in the test itself:
 *
 *	GUEST(hello, "mov $'h', %al; out %al, $0xe9; out %al, $0xf4");
 *	...
 *	guest_load(h, &guest_hello);	at 1000h, real mode, flat segments at 0, stack below 8000h
 *	guest_run(h);
 */
#ifndef TESTS_KVM_HARNESS_H
#define TESTS_KVM_HARNESS_H

#include "accel/accel.h"
#include "accel/kvm.h"
#include "event/lock.h"
#include "mem/ram.h"
#include "mem/space.h"

#define RAM_SIZE   (4 * MIB)
#define CODE_AT    0x1000
#define REGISTER   0x1000000 /* guest-physical */
#define PORT_DEBUG 0xe9
#define PORT_STOP  0xf4

struct guest_code {
	const uint8_t *start, *end;
};
#define GUEST(_name, _text)                                                                        \
	__asm__(".pushsection .rodata\n.code16\nguest_" #_name "_start:\n" _text "\nguest_" #_name \
		"_end:\n.code64\n.popsection");                                                    \
	extern const uint8_t guest_##_name##_start[], guest_##_name##_end[];                       \
	static const struct guest_code guest_##_name = {guest_##_name##_start, guest_##_name##_end}

struct access {
	bool is_write;
	uint64_t offset, value;
	unsigned size;
};

struct harness {
	struct region memory_root, io_root, ram_region, io_register, mmio_register, debug, stop;
	struct address_space memory, io;
	struct ram_block *ram;
	struct device *dev;
	struct accel *accel;
	struct accel_cpu cpu;
	GString *console;
	GArray *accesses; /* struct access: what the registers saw */
	uint64_t next_read;
};

/* A machine with its vCPU made on the calling thread, or NULL and the test is skipped. @props:
 * "name=value" properties of the accelerator, NULL-terminated list. */
struct harness *harness_new(const char *const *props);
/* The same without a vCPU: for tests with threads. */
struct harness *harness_new_without_cpu(const char *const *props);
void harness_make_cpu(struct harness *h);
void harness_free(struct harness *h);

void guest_load(struct harness *h, const struct guest_code *code);
/* Runs until the guest stops itself, or cannot go on. */
enum run_result guest_run(struct harness *h);
/* Loads, runs, and expects the guest to stop itself. */
void guest_play(struct harness *h, const struct guest_code *code);

#endif
