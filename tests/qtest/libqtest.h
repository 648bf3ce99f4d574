/*
 * A client of the qtest protocol, for tests of devices on the real binary.
 *
 *	struct qts *s = qts_start("-machine pc -device isa-debug-exit,iobase=0xf4");
 *	g_assert_cmphex(qts_inb(s, 0x64), ==, 0x18);
 *	qts_quit(s);
 *
 * The binary comes from the environment variable QTEST_QUAIL_BINARY (meson sets it). Every reply is
 * checked: what is not "OK" fails the test with the command and the answer. Nothing here waits for
 * a time; a binary that ends or hangs up fails the test at once. QTEST_LOG=1 shows the traffic on
 * standard error.
 */
#ifndef TESTS_QTEST_LIBQTEST_H
#define TESTS_QTEST_LIBQTEST_H

#include <json-c/json.h>
#include "base/common.h"

struct qts;

/*
 * Starts the binary with `-accel qtest -nodefaults -display none`, a qtest and a QMP socket, and @args
 * (words separated by blanks, quotes as in a shell). The guest's clock stands at 0.
 */
struct qts *qts_start(const char *args) __attribute__((warn_unused_result));
/* As above under another accelerator; add -S, or its vCPUs run. Its guest time is not ours to move. */
struct qts *qts_start_accel(const char *accel, const char *args)
	__attribute__((warn_unused_result));
/* QMP's quit, and an exit status of 0. */
void qts_quit(struct qts *s);
/* Waits for the process to end by itself (isa-debug-exit, power-off); its exit status. */
int qts_wait_exit(struct qts *s);

/* ---- Ports and memory ---- */
uint8_t qts_inb(struct qts *s, uint16_t port);
uint16_t qts_inw(struct qts *s, uint16_t port);
uint32_t qts_inl(struct qts *s, uint16_t port);
void qts_outb(struct qts *s, uint16_t port, uint8_t value);
void qts_outw(struct qts *s, uint16_t port, uint16_t value);
void qts_outl(struct qts *s, uint16_t port, uint32_t value);
uint8_t qts_readb(struct qts *s, uint64_t addr);
uint16_t qts_readw(struct qts *s, uint64_t addr);
uint32_t qts_readl(struct qts *s, uint64_t addr);
uint64_t qts_readq(struct qts *s, uint64_t addr);
void qts_writeb(struct qts *s, uint64_t addr, uint8_t value);
void qts_writew(struct qts *s, uint64_t addr, uint16_t value);
void qts_writel(struct qts *s, uint64_t addr, uint32_t value);
void qts_writeq(struct qts *s, uint64_t addr, uint64_t value);
void qts_memread(struct qts *s, uint64_t addr, void *data, size_t len);
void qts_memwrite(struct qts *s, uint64_t addr, const void *data, size_t len);
void qts_memset(struct qts *s, uint64_t addr, uint8_t byte, size_t len);

/* ---- Interrupt lines: of one device per process, by its path ---- */
void qts_intercept_in(struct qts *s, const char *path);
void qts_intercept_out(struct qts *s, const char *path);
/* The level of a line as last reported. */
bool qts_irq(struct qts *s, unsigned n);
void qts_set_irq_in(struct qts *s, const char *path, const char *name, unsigned n, int level);

/* ---- Time, in ns ---- */
int64_t qts_clock_step(struct qts *s, int64_t ns);
int64_t qts_clock_step_next(struct qts *s); /* to the next timer */
int64_t qts_clock_set(struct qts *s, int64_t ns);

/* ---- Machine ---- */
void qts_reset(struct qts *s);
/* Save, reset, load, save: the test fails with the name of the field that came back different. */
void qts_roundtrip(struct qts *s);
/* The state of all devices as text (caller frees), for another process with the same devices. Guest
 * memory is not in it. */
char *qts_state_save(struct qts *s);
void qts_state_load(struct qts *s, const char *state);
/* Any command; the words after "OK" (caller frees), or, from qts_try(), the whole answer. */
char *qts_command(struct qts *s, const char *fmt, ...) PRINTF_LIKE(2, 3);
char *qts_try(struct qts *s, const char *fmt, ...) PRINTF_LIKE(2, 3);
/* A command that may end the process before it answers; qts_wait_exit() must follow. */
void qts_last_command(struct qts *s, const char *fmt, ...) PRINTF_LIKE(2, 3);

/* ---- QMP ---- */
/* @json as printf makes it, e.g. "{'execute':'device_add','arguments':{'driver':'%s'}}". Returns the
 * "return" member (caller puts it); an error fails the test. */
json_object *qts_qmp(struct qts *s, const char *json, ...) PRINTF_LIKE(2, 3);
/* Expects an error; its "desc" (caller frees). */
char *qts_qmp_error(struct qts *s, const char *json, ...) PRINTF_LIKE(2, 3);
/* Runs until an event called @name has come (or came since the last call); its "data" or {}. */
json_object *qts_qmp_event(struct qts *s, const char *name);

/* ---- PCI configuration mechanism #1; @devfn is slot << 3 | function ---- */
#define QTS_DEVFN(slot, fn) ((slot) << 3 | (fn))
uint8_t qts_pci_readb(struct qts *s, unsigned bus, unsigned devfn, unsigned offset);
uint16_t qts_pci_readw(struct qts *s, unsigned bus, unsigned devfn, unsigned offset);
uint32_t qts_pci_readl(struct qts *s, unsigned bus, unsigned devfn, unsigned offset);
void qts_pci_writeb(struct qts *s, unsigned bus, unsigned devfn, unsigned offset, uint8_t value);
void qts_pci_writew(struct qts *s, unsigned bus, unsigned devfn, unsigned offset, uint16_t value);
void qts_pci_writel(struct qts *s, unsigned bus, unsigned devfn, unsigned offset, uint32_t value);
/* The first function with these IDs on bus 0, or -1. */
int qts_pci_find(struct qts *s, uint16_t vendor, uint16_t device);
/* Size of a BAR (0: none) by writing all ones; the BAR is put back. */
uint64_t qts_pci_bar_size(struct qts *s, unsigned bus, unsigned devfn, unsigned bar);
/* Maps a BAR at @addr (I/O or memory, by its kind), and enables decoding. */
void qts_pci_map_bar(struct qts *s, unsigned bus, unsigned devfn, unsigned bar, uint64_t addr);
/* Offset of a capability, or 0. */
uint8_t qts_pci_find_cap(struct qts *s, unsigned bus, unsigned devfn, uint8_t id);

#endif
