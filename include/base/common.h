/*
 * What every file may assume: fixed-width types, GLib, and a handful of macros that GLib lacks.
 * Nothing here has state or an implementation file.
 */
#ifndef BASE_COMMON_H
#define BASE_COMMON_H

#include <errno.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <glib.h>

#define KIB (UINT64_C(1) << 10)
#define MIB (UINT64_C(1) << 20)
#define GIB (UINT64_C(1) << 30)

#define BIT(n)   (1U << (n))
#define BIT64(n) (1ULL << (n))

/* Bits @lo to @hi, both included: BITS64(11, 8) is 0xf00. */
#define BITS64(hi, lo) ((~0ULL >> (63 - (hi))) & (~0ULL << (lo)))

/* The structure whose @member is at @ptr; refuses a @ptr of another type. */
#define container_of(ptr, type, member)                                                            \
	({                                                                                         \
		const __typeof__(((type *)0)->member) *_member_ptr = (ptr);                        \
		(type *)((char *)_member_ptr - offsetof(type, member));                            \
	})

#define ROUND_DOWN(n, to)  ((n) / (to) * (to))
#define ROUND_UP(n, to)    ROUND_DOWN((n) + (to)-1, to)
#define DIV_ROUND_UP(n, d) (((n) + (d)-1) / (d))

#define IS_POWER_OF_2(n) ((n) && !((n) & ((n)-1)))

#define PRINTF_LIKE(fmt, args) __attribute__((format(printf, fmt, args)))
#define MUST_CHECK             __attribute__((warn_unused_result))

#endif
