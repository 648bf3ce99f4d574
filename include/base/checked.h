/*
 * Arithmetic that cannot wrap unnoticed, and little-endian access to unaligned bytes.
 *
 * Lengths and addresses that a guest, a file or a peer chose are added and multiplied only with these.
 */
#ifndef BASE_CHECKED_H
#define BASE_CHECKED_H

#include "base/common.h"

/* True when the result does not fit the type of *@r (kernel's check_add_overflow in spirit). */
#define ADD_OVERFLOWS(a, b, r) __builtin_add_overflow(a, b, r)
#define SUB_OVERFLOWS(a, b, r) __builtin_sub_overflow(a, b, r)
#define MUL_OVERFLOWS(a, b, r) __builtin_mul_overflow(a, b, r)

/* True when [start, start + len) lies inside [0, size), for any values at all. */
static inline bool range_fits(uint64_t start, uint64_t len, uint64_t size)
{
	return len <= size && start <= size - len;
}

#define DEFINE_LE(bits)                                                                            \
	static inline uint##bits##_t get_le##bits(const void *p)                                   \
	{                                                                                          \
		uint##bits##_t v;                                                                  \
		memcpy(&v, p, sizeof(v));                                                          \
		return GUINT##bits##_FROM_LE(v);                                                   \
	}                                                                                          \
	static inline void put_le##bits(void *p, uint##bits##_t v)                                 \
	{                                                                                          \
		v = GUINT##bits##_TO_LE(v);                                                        \
		memcpy(p, &v, sizeof(v));                                                          \
	}                                                                                          \
	static inline uint##bits##_t get_be##bits(const void *p)                                   \
	{                                                                                          \
		uint##bits##_t v;                                                                  \
		memcpy(&v, p, sizeof(v));                                                          \
		return GUINT##bits##_FROM_BE(v);                                                   \
	}                                                                                          \
	static inline void put_be##bits(void *p, uint##bits##_t v)                                 \
	{                                                                                          \
		v = GUINT##bits##_TO_BE(v);                                                        \
		memcpy(p, &v, sizeof(v));                                                          \
	}

DEFINE_LE(16)
DEFINE_LE(32)
DEFINE_LE(64)
#undef DEFINE_LE

/* Reads or writes @size (1, 2, 4, 8) little-endian bytes. */
static inline uint64_t get_le(const void *p, unsigned size)
{
	uint64_t v = 0;
	memcpy(&v, p, size);
	return GUINT64_FROM_LE(v);
}

static inline void put_le(void *p, unsigned size, uint64_t v)
{
	v = GUINT64_TO_LE(v);
	memcpy(p, &v, size);
}

#endif
