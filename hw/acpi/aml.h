/*
 * AML, the bytecode of ACPI's DSDT (ACPI 6.4, chapter 20), written so that the C reads like ASL.
 *
 * AML is prefix code. A term is an opcode followed by its operands, each a term again; nothing marks
 * where it ends, an interpreter knows how many operands an opcode has. So a term is just bytes, and
 * to build a larger one is to put smaller ones in a row. That is all this does: a `struct aml` holds
 * the bytes of some terms, each function returns a new one and *consumes* those it is given, and a
 * whole DSDT is one nested expression:
 *
 *	aml_device("LNKA", aml_name("_HID", aml_eisaid("PNP0C0F")),
 *		   aml_method("_STA", 0, aml_return(aml_call("IQST", aml_path("PRQ0")))))
 *
 * Where there are as many terms as the machine has things, aml_add() appends them to a list.
 *
 * Four things are more than an opcode and operands:
 *  - Packages of code (scopes, devices, methods, buffers, ...) carry their length after the opcode,
 *    and count it: PkgLength (20.2.4). Up to 63 it is one byte. Otherwise the first byte has the
 *    number of further bytes in bits 7:6 and the low four bits of the length in 3:0; the others add
 *    eight bits each. The length of the length depends on the length, so it is found by trying.
 *  - Integers (20.2.3) have the shortest of six forms: Zero, One, Ones, and a prefix byte with 1, 2,
 *    4 or 8 bytes, least significant first.
 *  - Names (20.2.2) are segments of four characters, padded with '_'. A path of two has a prefix of
 *    0x2e, of more 0x2f and their number; before that '\' for the root or '^' for each parent.
 *  - Fields (20.2.5.2) list widths in bits, spelt like a PkgLength that does not count itself.
 *
 * An invocation of a method has no opcode: it is the name, then the arguments. Readers must know
 * from the method's declaration how many there are.
 *
 * Malformed names and the like are mistakes of our code, and asserted.
 */
#ifndef ACPI_AML_H
#define ACPI_AML_H

#include "base/common.h"

struct aml;

/* The terms one after the other, NULL ends them. */
struct aml *aml_join(struct aml *const *terms);
#define aml_list(...) aml_join((struct aml *const[]){__VA_ARGS__ __VA_OPT__(, ) NULL})

/* Appends to a list. */
void aml_add(struct aml *list, struct aml *term);

/* Turns the term into its bytes, which the caller then owns; or drops it. */
GByteArray *aml_finish(struct aml *term);
void aml_free(struct aml *term);

/* ---- Data ---- */
struct aml *aml_int(uint64_t value);
struct aml *aml_string(const char *text);
struct aml *aml_eisaid(const char *id); /* "PNP0A03", as the integer it packs into */
struct aml *aml_path(const char *path); /* "\\_SB.PCI0", "^LNKA", "" (null name: no target) */
struct aml *aml_local(unsigned n);
struct aml *aml_arg(unsigned n);

/* Bytes that are no term: what a buffer holds. */
struct aml *aml_bytes(const void *data, size_t size);
struct aml *aml_buffer(struct aml *bytes);
struct aml *aml_package_of(struct aml *elements);
#define aml_package(...) aml_package_of(aml_list(__VA_ARGS__))

/* ---- Named objects ---- */
struct aml *aml_name(const char *path, struct aml *value);
struct aml *aml_scope_of(const char *path, struct aml *terms);
struct aml *aml_device_of(const char *path, struct aml *terms);
struct aml *aml_processor_of(const char *path, uint8_t id, struct aml *terms);
struct aml *aml_method_of(const char *path, unsigned args, bool serialized, struct aml *terms);
#define aml_scope(path, ...)         aml_scope_of(path, aml_list(__VA_ARGS__))
#define aml_device(path, ...)        aml_device_of(path, aml_list(__VA_ARGS__))
#define aml_processor(path, id, ...) aml_processor_of(path, id, aml_list(__VA_ARGS__))
#define aml_method(path, args, ...)  aml_method_of(path, args, false, aml_list(__VA_ARGS__))
/* What a method that creates names needs: one invocation at a time. */
#define aml_method_serialized(path, args, ...)                                                     \
	aml_method_of(path, args, true, aml_list(__VA_ARGS__))

enum aml_space { AML_SPACE_MEMORY = 0, AML_SPACE_IO = 1, AML_SPACE_PCI_CONFIG = 2 };
struct aml *aml_region(const char *path, enum aml_space space, uint64_t start, uint64_t length);

enum aml_field_flags {
	AML_ACCESS_BYTE = 1,
	AML_ACCESS_DWORD = 3,
	AML_LOCK = BIT(4),
	AML_WRITE_AS_ZEROS = 2 << 5,
};
struct aml_unit {
	const char *name; /* NULL: unused bits; a table of units ends with 0 bits */
	unsigned bits;
};
struct aml *aml_field(const char *region, unsigned flags, const struct aml_unit *units);

/* ---- Code: an opcode and its operands ---- */
enum aml_opcode {
	AML_STORE = 0x70,
	AML_ADD = 0x72,
	AML_AND = 0x7b,
	AML_OR = 0x7d,
	AML_SHIFT_RIGHT = 0x7a,
	AML_NOTIFY = 0x86,
	AML_INDEX = 0x88,
	AML_CREATE_DWORD_FIELD = 0x8a,
	AML_LOR = 0x91,
	AML_LEQUAL = 0x93,
	AML_LGREATER = 0x94,
	AML_LLESS = 0x95,
	AML_RETURN = 0xa4,
};
struct aml *aml_code(enum aml_opcode opcode, struct aml *operands);
struct aml *aml_if_of(struct aml *condition, struct aml *terms);

/* Loops, and who may be in a piece of code: waits for ever. */
struct aml *aml_while_of(struct aml *condition, struct aml *terms);
struct aml *aml_break(void);
struct aml *aml_mutex(const char *path);
struct aml *aml_acquire(struct aml *mutex);
struct aml *aml_release(struct aml *mutex);
#define aml_while(condition, ...) aml_while_of(condition, aml_list(__VA_ARGS__))

#define aml_if(condition, ...)    aml_if_of(condition, aml_list(__VA_ARGS__))
#define aml_return(value)         aml_code(AML_RETURN, value)
#define aml_store(value, target)  aml_code(AML_STORE, aml_list(value, target))
#define aml_and(a, b, target)     aml_code(AML_AND, aml_list(a, b, target))
#define aml_or(a, b, target)      aml_code(AML_OR, aml_list(a, b, target))
#define aml_add_to(a, b, target)  aml_code(AML_ADD, aml_list(a, b, target))
#define aml_notify(device, value) aml_code(AML_NOTIFY, aml_list(device, value))
/* A reference to an element; it takes no second name for it. */
#define aml_index(of, n)      aml_code(AML_INDEX, aml_list(of, n, aml_path("")))
#define aml_shr(a, b, target) aml_code(AML_SHIFT_RIGHT, aml_list(a, b, target))
#define aml_lor(a, b)         aml_code(AML_LOR, aml_list(a, b))
#define aml_lequal(a, b)      aml_code(AML_LEQUAL, aml_list(a, b))
#define aml_lgreater(a, b)    aml_code(AML_LGREATER, aml_list(a, b))
#define aml_lless(a, b)       aml_code(AML_LLESS, aml_list(a, b))
#define aml_create_dword_field(buffer, index, name)                                                \
	aml_code(AML_CREATE_DWORD_FIELD, aml_list(buffer, index, name))
#define aml_call(path, ...) aml_list(aml_path(path), __VA_ARGS__)

/* ---- Resource templates (6.4): descriptors of what a device uses, in a buffer ---- */
struct aml *aml_resources_of(struct aml *descriptors);
#define aml_resources(...) aml_resources_of(aml_list(__VA_ARGS__))

struct aml *aml_io(uint16_t base, uint8_t align, uint8_t length);
struct aml *aml_irq(unsigned irq); /* ISA's way: edge, active high, exclusive */
struct aml *aml_memory32(uint32_t base, uint32_t length);  /* read-only */
struct aml *aml_registers(uint32_t base, uint32_t length); /* the same, writable */

/* Interrupts as PCI's lines arrive at the chips here: level, active high, shared. */
struct aml *aml_interrupts(const uint32_t *gsi, unsigned count);
/* One that is not shared, active high. */
struct aml *aml_interrupt(uint32_t gsi, bool edge);
#define AML_INTERRUPTS_MAX   8
#define AML_INTERRUPTS_FIRST 5 /* offset of the first number in the descriptor */

/* Ranges that a bridge passes on: from @first to @last, both included. */
struct aml *aml_bus_window(uint16_t first, uint16_t last);
struct aml *aml_io_window(uint16_t first, uint16_t last);
struct aml *aml_memory_window(uint64_t first, uint64_t last, bool cacheable);

#endif
