/*
 * Interrupt lines: a wire from one device's output to another's input.
 *
 * An input belongs to the device that owns it and calls its handler; an output is a pointer to an
 * input, NULL while nothing is connected. Lines carry levels; an edge is a change the receiver
 * notices. A receiver that looks for changes remembers the level of the wire, also across its own
 * reset: after that, or a load, drivers may drive the level that was there, and it must be no news.
 * Handlers run under the machine lock unless the receiver says it needs none (in-kernel interrupt
 * controllers: irq_set() from any thread).
 */
#ifndef DEVICE_IRQ_H
#define DEVICE_IRQ_H

#include "base/common.h"

typedef void irq_fn(void *opaque, unsigned n, int level);

struct irq {
	irq_fn *handler;
	void *opaque;
	unsigned n;
	irq_fn *intercept; /* qtest listens here; sees every level before the handler */
	void *intercept_opaque;
};

void irq_init(struct irq *irq, irq_fn *handler, void *opaque, unsigned n);

/* Drives the wire. A NULL wire goes nowhere. */
void irq_set(struct irq *irq, int level);
static inline void irq_raise(struct irq *irq)
{
	irq_set(irq, 1);
}
static inline void irq_lower(struct irq *irq)
{
	irq_set(irq, 0);
}
static inline void irq_pulse(struct irq *irq)
{
	irq_set(irq, 1);
	irq_set(irq, 0);
}

#endif
