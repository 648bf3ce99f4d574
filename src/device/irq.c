/* Interrupt lines, and their places in a device. */
#include "internal.h"

void irq_init(struct irq *irq, irq_fn *handler, void *opaque, unsigned n)
{
	*irq = (struct irq){.handler = handler, .opaque = opaque, .n = n};
}

void irq_set(struct irq *irq, int level)
{
	if (!irq)
		return;
	if (irq->intercept)
		irq->intercept(irq->intercept_opaque, irq->n, level);
	irq->handler(irq->opaque, irq->n, level);
}

static void group_free(void *data)
{
	struct irq_group *group = data;

	g_free(group->in);
	g_free(group->taps);
	g_free(group->real);
	g_free(group);
}

static struct irq_group *group_new(GPtrArray **groups, const char *name, unsigned count)
{
	struct irq_group *group = g_new0(struct irq_group, 1);

	group->name = name ? name : "";
	group->count = count;
	if (!*groups)
		*groups = g_ptr_array_new_with_free_func(group_free);
	g_ptr_array_add(*groups, group);
	return group;
}

static struct irq_group *group_find(GPtrArray *groups, const char *name)
{
	for (guint i = 0; groups && i < groups->len; i++) {
		struct irq_group *group = g_ptr_array_index(groups, i);

		if (!strcmp(group->name, name ? name : ""))
			return group;
	}
	return NULL;
}

void device_free_irqs(struct device *dev)
{
	g_clear_pointer(&dev->inputs, g_ptr_array_unref);
	g_clear_pointer(&dev->outputs, g_ptr_array_unref);
}

struct irq *device_add_inputs(struct device *dev, const char *name, irq_fn *handler, unsigned count)
{
	struct irq_group *group = group_new(&dev->inputs, name, count);

	group->in = g_new0(struct irq, count);
	for (unsigned i = 0; i < count; i++)
		irq_init(&group->in[i], handler, dev, i);
	return group->in;
}

void device_add_outputs(struct device *dev, const char *name, struct irq **pins, unsigned count)
{
	group_new(&dev->outputs, name, count)->out = pins;
}

struct irq *device_input(struct device *dev, const char *name, unsigned n)
{
	struct irq_group *group = group_find(dev->inputs, name);

	return group && n < group->count ? &group->in[n] : NULL;
}

void device_connect(struct device *dev, const char *name, unsigned n, struct irq *target)
{
	struct irq_group *group = group_find(dev->outputs, name);

	g_assert(group && n < group->count);
	if (group->taps)
		group->real[n] = target;
	else
		group->out[n] = target;
}

bool device_tap_inputs(struct device *dev, const char *name, irq_fn *listener, void *opaque)
{
	struct irq_group *group = group_find(dev->inputs, name);

	for (unsigned i = 0; group && i < group->count; i++) {
		group->in[i].intercept = listener;
		group->in[i].intercept_opaque = opaque;
	}
	return group != NULL;
}

/* The wire behind a tapped output: on to where the pin led before. */
static void tap_forward(void *opaque, unsigned n, int level)
{
	struct irq_group *group = opaque;

	irq_set(group->real[n], level);
}

bool device_tap_outputs(struct device *dev, const char *name, irq_fn *listener, void *opaque)
{
	struct irq_group *group = group_find(dev->outputs, name);

	if (!group || group->taps)
		return group != NULL;
	group->taps = g_new0(struct irq, group->count);
	group->real = g_new0(struct irq *, group->count);
	for (unsigned i = 0; i < group->count; i++) {
		irq_init(&group->taps[i], tap_forward, group, i);
		group->taps[i].intercept = listener;
		group->taps[i].intercept_opaque = opaque;
		group->real[i] = group->out[i];
		group->out[i] = &group->taps[i];
	}
	return true;
}
