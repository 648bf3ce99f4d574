/*
 * The cheapest loop around KVM_RUN there can be: a guest of one page that makes N port reads or N
 * MMIO reads, and nothing behind them. What a VMM needs more than this is its own cost.
 *
 *	bare-kvm IMAGE	runs a 64 KiB firmware image until it writes to port 501h; prints exits and ns
 */
#include <fcntl.h>
#include <inttypes.h>
#include <linux/kvm.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#define IMAGE_SIZE 0x10000
#define EXIT_PORT  0x501

static void die(const char *what)
{
	perror(what);
	exit(1);
}

static int64_t now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000000000LL + t.tv_nsec;
}

static void *load_image(const char *path)
{
	void *mem =
		mmap(NULL, IMAGE_SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	int fd = open(path, O_RDONLY);

	if (mem == MAP_FAILED || fd < 0 || read(fd, mem, IMAGE_SIZE) != IMAGE_SIZE)
		die(path);
	close(fd);
	return mem;
}

static int make_vm(const char *image)
{
	int kvm = open("/dev/kvm", O_RDWR | O_CLOEXEC), vm;
	void *mem = load_image(image);
	const uint64_t places[] = {0xf0000, 0xffff0000};

	if (kvm < 0)
		die("/dev/kvm");
	vm = ioctl(kvm, KVM_CREATE_VM, 0);
	if (vm < 0 || ioctl(vm, KVM_SET_TSS_ADDR, 0xfffbd000) < 0)
		die("KVM_CREATE_VM");
	for (unsigned i = 0; i < 2; i++) {
		struct kvm_userspace_memory_region r = {
			.slot = i,
			.guest_phys_addr = places[i],
			.memory_size = IMAGE_SIZE,
			.userspace_addr = (uintptr_t)mem,
		};

		if (ioctl(vm, KVM_SET_USER_MEMORY_REGION, &r) < 0)
			die("KVM_SET_USER_MEMORY_REGION");
	}
	return vm;
}

int main(int argc, char **argv)
{
	uint64_t exits = 0;
	struct kvm_run *run;
	int vm, cpu;
	int64_t start;

	if (argc != 2)
		return 2;
	vm = make_vm(argv[1]);
	cpu = ioctl(vm, KVM_CREATE_VCPU, 0);
	run = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, cpu, 0);
	if (cpu < 0 || run == MAP_FAILED)
		die("KVM_CREATE_VCPU");
	start = now_ns();
	for (;;) {
		if (ioctl(cpu, KVM_RUN, 0) < 0)
			die("KVM_RUN");
		if (run->exit_reason == KVM_EXIT_IO && run->io.port == EXIT_PORT)
			break;
		if (run->exit_reason != KVM_EXIT_IO && run->exit_reason != KVM_EXIT_MMIO) {
			fprintf(stderr, "unexpected exit %u\n", run->exit_reason);
			return 1;
		}
		exits++;
	}
	printf("%" PRIu64 " %" PRId64 "\n", exits, now_ns() - start);
	return 0;
}
