/*
 * Interrupt routes: what a gsi means.
 *
 * KVM has one table for the VM, replaced as a whole. With the chips in the kernel, gsis 0 to 15 are
 * pins of both the PICs and the IOAPIC, as the lines of a PC are wired (the timer's line 0 goes to
 * IOAPIC pin 2), 16 to 23 pins of the IOAPIC alone. With a split irqchip the first 24 stand for the
 * messages of the userspace IOAPIC's entries. Above that, gsis stand for messages of devices, so
 * that an irqfd can name them. Replacing the table makes the kernel wait for its readers, so
 * changes within a batch are sent together.
 */
#include "kvm.h"
#include "event/lock.h"

#define FIRST_MESSAGE_GSI ACCEL_IOAPIC_PINS

TRACE_DEFINE(kvm_set_routes, "%u entries: %d");

static struct kvm_irq_routing_entry *entry_new(struct kvm_routes *r)
{
	if (r->table->nr == r->size) {
		r->size *= 2;
		r->table = g_realloc(r->table,
				     sizeof(*r->table) + r->size * sizeof(r->table->entries[0]));
	}
	return memset(&r->table->entries[r->table->nr++], 0, sizeof(r->table->entries[0]));
}

static void add_pin(struct kvm_routes *r, unsigned gsi, unsigned chip, unsigned pin)
{
	struct kvm_irq_routing_entry *e = entry_new(r);

	e->gsi = gsi;
	e->type = KVM_IRQ_ROUTING_IRQCHIP;
	e->u.irqchip.irqchip = chip;
	e->u.irqchip.pin = pin;
}

static void add_pc_pins(struct kvm_routes *r)
{
	for (unsigned i = 0; i < 16; i++) {
		if (i != 2) /* the cascade */
			add_pin(r, i, i < 8 ? KVM_IRQCHIP_PIC_MASTER : KVM_IRQCHIP_PIC_SLAVE,
				i & 7);
	}
	for (unsigned i = 0; i < KVM_IOAPIC_NUM_PINS; i++) {
		if (i != 2)
			add_pin(r, i, KVM_IRQCHIP_IOAPIC, i ? i : 2);
	}
}

static struct kvm_irq_routing_entry *find_message(struct kvm_routes *r, unsigned gsi)
{
	for (uint32_t i = 0; i < r->table->nr; i++) {
		struct kvm_irq_routing_entry *e = &r->table->entries[i];

		if (e->gsi == gsi && e->type == KVM_IRQ_ROUTING_MSI)
			return e;
	}
	return NULL;
}

static void remove_message(struct kvm_routes *r, unsigned gsi)
{
	struct kvm_irq_routing_entry *e = find_message(r, gsi);

	if (e)
		*e = r->table->entries[--r->table->nr];
}

static int send_table(struct kvm *k)
{
	int ret = kvm_ioctl(k->vm, KVM_SET_GSI_ROUTING, k->routes.table);

	trace(kvm_set_routes, k->routes.table->nr, ret);
	k->routes.stale = false;
	return ret;
}

static void changed(struct kvm *k)
{
	k->routes.stale = true;
	if (!k->routes.batch)
		send_table(k);
}

void kvm_route_begin(struct accel *a)
{
	kvm_of(a)->routes.batch++;
}

void kvm_route_commit(struct accel *a)
{
	struct kvm *k = kvm_of(a);

	if (!--k->routes.batch && k->routes.stale)
		send_table(k);
}

bool kvm_routes_init(struct kvm *k, GError **errp)
{
	struct kvm_routes *r = &k->routes;
	int ret;

	r->gsis = k->caps.irq_routing;
	if (r->gsis <= FIRST_MESSAGE_GSI) {
		error_set(errp, "kvm does not support KVM_CAP_IRQ_ROUTING with more than %d lines",
			  FIRST_MESSAGE_GSI);
		return false;
	}
	r->used = g_new0(unsigned long, DIV_ROUND_UP(r->gsis, GLIB_SIZEOF_LONG * 8));
	r->size = 64;
	r->table = g_malloc0(sizeof(*r->table) + r->size * sizeof(r->table->entries[0]));
	if (k->accel.irqchip != IRQCHIP_ON)
		return true;
	add_pc_pins(r);
	ret = send_table(k);
	if (!ret)
		return true;
	error_set_errno(errp, -ret, "Could not set %u interrupt routes", r->table->nr);
	return false;
}

void kvm_routes_cleanup(struct kvm *k)
{
	g_clear_pointer(&k->routes.table, g_free);
	g_clear_pointer(&k->routes.used, g_free);
}

static unsigned long *word_of(struct kvm_routes *r, unsigned gsi)
{
	return &r->used[gsi / (GLIB_SIZEOF_LONG * 8)];
}

static unsigned long bit_of(unsigned gsi)
{
	return 1UL << gsi % (GLIB_SIZEOF_LONG * 8);
}

static void set_message(struct kvm_routes *r, unsigned gsi, const struct msi_message *msg)
{
	struct kvm_irq_routing_entry *e = find_message(r, gsi);

	if (!e)
		e = entry_new(r);
	e->gsi = gsi;
	e->type = KVM_IRQ_ROUTING_MSI;
	e->u.msi.address_lo = (uint32_t)msg->addr;
	e->u.msi.address_hi = msg->addr >> 32;
	e->u.msi.data = msg->data;
}

int kvm_route_add(struct accel *a, const struct msi_message *msg)
{
	struct kvm *k = kvm_of(a);
	struct kvm_routes *r = &k->routes;

	if (!r->table)
		return -1;
	for (unsigned gsi = FIRST_MESSAGE_GSI; gsi < r->gsis; gsi++) {
		if (*word_of(r, gsi) & bit_of(gsi))
			continue;
		*word_of(r, gsi) |= bit_of(gsi);
		if (msg) {
			set_message(r, gsi, msg);
			changed(k);
		}
		return gsi;
	}
	return -1;
}

static bool is_same(const struct kvm_irq_routing_entry *e, const struct msi_message *msg)
{
	return e->u.msi.address_lo == (uint32_t)msg->addr &&
	       e->u.msi.address_hi == msg->addr >> 32 && e->u.msi.data == msg->data;
}

void kvm_route_update(struct accel *a, int gsi, const struct msi_message *msg)
{
	struct kvm *k = kvm_of(a);
	const struct kvm_irq_routing_entry *e;

	if (!k->routes.table)
		return;
	e = find_message(&k->routes, gsi);
	if (msg ? e && is_same(e, msg) : !e)
		return;
	if (msg)
		set_message(&k->routes, gsi, msg);
	else
		remove_message(&k->routes, gsi);
	changed(k);
}

void kvm_route_del(struct accel *a, int gsi)
{
	struct kvm_routes *r = &kvm_of(a)->routes;

	kvm_route_update(a, gsi, NULL);
	if (r->table && gsi >= FIRST_MESSAGE_GSI)
		*word_of(r, gsi) &= ~bit_of(gsi);
}
