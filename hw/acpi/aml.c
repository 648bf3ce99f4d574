/* Terms of AML. See aml.h. */
#include "hw/acpi/aml.h"

#include <assert.h>
#include "base/checked.h"

enum {
	OP_ZERO = 0x00,
	OP_ONE = 0x01,
	OP_NAME = 0x08,
	OP_BYTE = 0x0a,
	OP_WORD = 0x0b,
	OP_DWORD = 0x0c,
	OP_STRING = 0x0d,
	OP_QWORD = 0x0e,
	OP_SCOPE = 0x10,
	OP_BUFFER = 0x11,
	OP_PACKAGE = 0x12,
	OP_METHOD = 0x14,
	OP_DUAL_NAME = 0x2e,
	OP_MULTI_NAME = 0x2f,
	OP_EXTENDED = 0x5b,
	OP_LOCAL0 = 0x60,
	OP_ARG0 = 0x68,
	OP_IF = 0xa0,
	OP_WHILE = 0xa2,
	OP_BREAK = 0xa5,
	OP_ONES = 0xff,
};

enum {
	EXT_MUTEX = 0x01,
	EXT_ACQUIRE = 0x23,
	EXT_RELEASE = 0x27,
	EXT_REGION = 0x80,
	EXT_FIELD = 0x81,
	EXT_DEVICE = 0x82,
	EXT_PROCESSOR = 0x83,
};

struct aml {
	GByteArray *bytes;
	unsigned terms;
};

static struct aml *aml_new(void)
{
	struct aml *a = g_new0(struct aml, 1);

	a->bytes = g_byte_array_new();
	a->terms = 1;
	return a;
}

static void put_byte(struct aml *a, uint8_t byte)
{
	g_byte_array_append(a->bytes, &byte, 1);
}

static void put_number(struct aml *a, unsigned size, uint64_t value)
{
	uint8_t bytes[8];

	put_le(bytes, size, value);
	g_byte_array_append(a->bytes, bytes, size);
}

GByteArray *aml_finish(struct aml *term)
{
	GByteArray *bytes = term->bytes;

	g_free(term);
	return bytes;
}

void aml_free(struct aml *term)
{
	g_byte_array_unref(aml_finish(term));
}

/* Appends the bytes of @term, which goes away. */
static void put_term(struct aml *a, struct aml *term)
{
	g_byte_array_append(a->bytes, term->bytes->data, term->bytes->len);
	aml_free(term);
}

void aml_add(struct aml *list, struct aml *term)
{
	list->terms += term->terms;
	put_term(list, term);
}

struct aml *aml_join(struct aml *const *terms)
{
	struct aml *list = aml_new();

	list->terms = 0;
	for (; *terms; terms++)
		aml_add(list, *terms);
	return list;
}

/* ---- Names ---- */

static bool name_char(char c)
{
	return g_ascii_isupper(c) || g_ascii_isdigit(c) || c == '_';
}

static void put_segment(struct aml *a, const char *segment)
{
	size_t len = strlen(segment);

	assert(len >= 1 && len <= 4 && !g_ascii_isdigit(segment[0]));
	for (size_t i = 0; i < 4; i++) {
		assert(i >= len || name_char(segment[i]));
		put_byte(a, i < len ? segment[i] : '_');
	}
}

static void put_path(struct aml *a, const char *path)
{
	while (*path == '\\' || *path == '^')
		put_byte(a, *path++);

	g_auto(GStrv) segments = g_strsplit(path, ".", -1);
	unsigned count = g_strv_length(segments);

	assert(count <= UINT8_MAX);
	if (count == 0)
		put_byte(a, OP_ZERO);
	else if (count == 2)
		put_byte(a, OP_DUAL_NAME);
	else if (count > 2) {
		put_byte(a, OP_MULTI_NAME);
		put_byte(a, count);
	}
	for (unsigned i = 0; i < count; i++)
		put_segment(a, segments[i]);
}

struct aml *aml_path(const char *path)
{
	struct aml *a = aml_new();

	put_path(a, path);
	return a;
}

/* ---- Lengths ---- */

/* How many bytes a PkgLength of this value takes at least. */
static unsigned package_length_size(uint64_t length)
{
	unsigned size = 1;

	while (length > (size == 1 ? 0x3f : BITS64(3 + 8 * (size - 1), 0)))
		size++;
	assert(size <= 4);
	return size;
}

static void put_package_length(struct aml *a, unsigned size, uint32_t length)
{
	if (size == 1) {
		put_byte(a, length);
		return;
	}
	put_byte(a, (size - 1) << 6 | (length & 0xf));
	put_number(a, size - 1, length >> 4);
}

/* The length of what follows counts the length itself. */
static void put_package(struct aml *a, struct aml *content)
{
	unsigned size = 1;

	while (package_length_size(content->bytes->len + size) > size)
		size++;
	put_package_length(a, size, content->bytes->len + size);
	put_term(a, content);
}

/* ---- Data ---- */

static void put_int(struct aml *a, uint64_t value)
{
	static const struct {
		uint64_t max;
		uint8_t op, size;
	} forms[] = {
		{UINT8_MAX, OP_BYTE, 1},
		{UINT16_MAX, OP_WORD, 2},
		{UINT32_MAX, OP_DWORD, 4},
		{UINT64_MAX, OP_QWORD, 8},
	};
	unsigned i = 0;

	if (value <= 1 || value == UINT64_MAX) {
		put_byte(a, value == 0 ? OP_ZERO : value == 1 ? OP_ONE : OP_ONES);
		return;
	}
	while (value > forms[i].max)
		i++;
	put_byte(a, forms[i].op);
	put_number(a, forms[i].size, value);
}

struct aml *aml_int(uint64_t value)
{
	struct aml *a = aml_new();

	put_int(a, value);
	return a;
}

struct aml *aml_string(const char *text)
{
	struct aml *a = aml_new();

	put_byte(a, OP_STRING);
	g_byte_array_append(a->bytes, (const uint8_t *)text, strlen(text) + 1);
	return a;
}

/*
 * Three letters of five bits and four hexadecimal digits, most significant first (19.3.4): the
 * integer is their value with its four bytes reversed.
 */
struct aml *aml_eisaid(const char *id)
{
	struct aml *a = aml_new();
	uint32_t v = 0;

	assert(strlen(id) == 7);
	for (int i = 0; i < 3; i++) {
		assert(g_ascii_isupper(id[i]));
		v = v << 5 | (id[i] - '@');
	}
	for (int i = 3; i < 7; i++) {
		assert(g_ascii_isxdigit(id[i]));
		v = v << 4 | g_ascii_xdigit_value(id[i]);
	}
	put_byte(a, OP_DWORD);
	put_number(a, 4, GUINT32_SWAP_LE_BE(v));
	return a;
}

struct aml *aml_local(unsigned n)
{
	struct aml *a = aml_new();

	assert(n < 8);
	put_byte(a, OP_LOCAL0 + n);
	return a;
}

struct aml *aml_arg(unsigned n)
{
	struct aml *a = aml_new();

	assert(n < 7);
	put_byte(a, OP_ARG0 + n);
	return a;
}

struct aml *aml_bytes(const void *data, size_t size)
{
	struct aml *a = aml_new();

	g_byte_array_append(a->bytes, data, size);
	return a;
}

struct aml *aml_buffer(struct aml *bytes)
{
	struct aml *a = aml_new(), *content = aml_int(bytes->bytes->len);

	put_term(content, bytes);
	put_byte(a, OP_BUFFER);
	put_package(a, content);
	return a;
}

struct aml *aml_package_of(struct aml *elements)
{
	struct aml *a = aml_new(), *content = aml_new();

	assert(elements->terms <= UINT8_MAX);
	put_byte(content, elements->terms);
	put_term(content, elements);
	put_byte(a, OP_PACKAGE);
	put_package(a, content);
	return a;
}

/* ---- Named objects ---- */

struct aml *aml_name(const char *path, struct aml *value)
{
	struct aml *a = aml_new();

	put_byte(a, OP_NAME);
	put_path(a, path);
	put_term(a, value);
	return a;
}

struct aml *aml_scope_of(const char *path, struct aml *terms)
{
	struct aml *a = aml_new(), *content = aml_path(path);

	put_term(content, terms);
	put_byte(a, OP_SCOPE);
	put_package(a, content);
	return a;
}

struct aml *aml_device_of(const char *path, struct aml *terms)
{
	struct aml *a = aml_new(), *content = aml_path(path);

	put_term(content, terms);
	put_byte(a, OP_EXTENDED);
	put_byte(a, EXT_DEVICE);
	put_package(a, content);
	return a;
}

/* A processor without a register block of its own. */
struct aml *aml_processor_of(const char *path, uint8_t id, struct aml *terms)
{
	struct aml *a = aml_new(), *content = aml_path(path);

	put_byte(content, id);
	put_number(content, 4, 0);
	put_byte(content, 0);
	put_term(content, terms);
	put_byte(a, OP_EXTENDED);
	put_byte(a, EXT_PROCESSOR);
	put_package(a, content);
	return a;
}

struct aml *aml_method_of(const char *path, unsigned args, bool serialized, struct aml *terms)
{
	struct aml *a = aml_new(), *content = aml_path(path);

	assert(args < 8);
	put_byte(content, args | (serialized ? BIT(3) : 0));
	put_term(content, terms);
	put_byte(a, OP_METHOD);
	put_package(a, content);
	return a;
}

struct aml *aml_region(const char *path, enum aml_space space, uint64_t start, uint64_t length)
{
	struct aml *a = aml_new();

	put_byte(a, OP_EXTENDED);
	put_byte(a, EXT_REGION);
	put_path(a, path);
	put_byte(a, space);
	put_int(a, start);
	put_int(a, length);
	return a;
}

struct aml *aml_field(const char *region, unsigned flags, const struct aml_unit *units)
{
	struct aml *a = aml_new(), *content = aml_path(region);

	put_byte(content, flags);
	for (; units->bits; units++) {
		if (units->name)
			put_segment(content, units->name);
		else
			put_byte(content, 0);
		put_package_length(content, package_length_size(units->bits), units->bits);
	}
	put_byte(a, OP_EXTENDED);
	put_byte(a, EXT_FIELD);
	put_package(a, content);
	return a;
}

/* ---- Code ---- */

struct aml *aml_code(enum aml_opcode opcode, struct aml *operands)
{
	struct aml *a = aml_new();

	put_byte(a, opcode);
	put_term(a, operands);
	return a;
}

static struct aml *conditional(uint8_t op, struct aml *condition, struct aml *terms)
{
	struct aml *a = aml_new();

	put_term(condition, terms);
	put_byte(a, op);
	put_package(a, condition);
	return a;
}

struct aml *aml_if_of(struct aml *condition, struct aml *terms)
{
	return conditional(OP_IF, condition, terms);
}

struct aml *aml_while_of(struct aml *condition, struct aml *terms)
{
	return conditional(OP_WHILE, condition, terms);
}

struct aml *aml_break(void)
{
	struct aml *a = aml_new();

	put_byte(a, OP_BREAK);
	return a;
}

static struct aml *extended(uint8_t op, struct aml *operand)
{
	struct aml *a = aml_new();

	put_byte(a, OP_EXTENDED);
	put_byte(a, op);
	put_term(a, operand);
	return a;
}

struct aml *aml_mutex(const char *path)
{
	struct aml *a = extended(EXT_MUTEX, aml_path(path));

	put_byte(a, 0); /* sync level */
	return a;
}

struct aml *aml_acquire(struct aml *mutex)
{
	struct aml *a = extended(EXT_ACQUIRE, mutex);

	put_number(a, 2, UINT16_MAX); /* no time limit */
	return a;
}

struct aml *aml_release(struct aml *mutex)
{
	return extended(EXT_RELEASE, mutex);
}
