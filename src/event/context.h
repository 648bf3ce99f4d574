/*
 * Contexts: stacks that a thread can leave and come back to. The machinery under coroutines.
 */
#ifndef EVENT_CONTEXT_H
#define EVENT_CONTEXT_H

#include "base/common.h"

struct context {
	void *sp; /* where the registers were saved, while it is not running */

	/* The stack, for AddressSanitizer; of a thread's own stack filled in when it is left. */
	const void *stack;
	size_t stack_size;
};

/* Makes the first switch to @context call @fn(@opaque) on the given stack. @fn never returns. */
void context_init(struct context *context, void *stack, size_t size, void (*fn)(void *opaque),
		  void *opaque);

/* To be called first in @fn. */
void context_entered(void);

/* Leaves @from, which is running, for @to; returns when somebody switches back to @from. */
void context_switch(struct context *from, struct context *to);

/* As context_switch(), for the last time: nobody will come back. */
void context_leave(struct context *from, struct context *to) __attribute__((noreturn));

/* Stacks that are not anybody's thread stack, for the leak checker's sake. */
void context_stack_mapped(void *stack, size_t size);
void context_stack_unmapped(void *stack, size_t size);

#endif
