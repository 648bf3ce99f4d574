/*
 * The bus between local APICs: whom a message means, and what it does there (SDM vol. 3, 11.6 and 11.11).
 *
 * Its window, FEE00000h to FEEFFFFFh, is two things: a CPU finds the registers of its local APIC in one
 * page of it, and what devices write there are interrupt messages. Who writes tells them apart, and for
 * a CPU the address: at offset 0 of the page there is no register.
 */
#include "base/trace.h"
#include "lapic.h"

TRACE_DEFINE(apic_message, "delivery %u vector 0x%02x to %s 0x%x");
TRACE_DEFINE(apic_strange_message, "0x%" PRIx64 " <- 0x%x");
TRACE_DEFINE(apic_init, "cpu %u");
TRACE_DEFINE(apic_startup, "cpu %u at page 0x%02x");

#define WINDOW_SIZE     MIB
#define WINDOW_PRIORITY 4096
#define BROADCAST       0xff
#define BROADCAST_WIDE  0xffffffff
#define DFR_FLAT        0xf

/* MSI address and data. */
enum {
	MSI_LOGICAL = BIT(2),
	MSI_REDIRECTION = BIT(3),
	MSI_REMAPPABLE = BIT(4),
	MSI_LEVEL = BIT(15),
};

static struct apic_bus *apic_bus_of(struct device *dev)
{
	return container_of(dev, struct apic_bus, dev);
}

/* ---- To a CPU: work on its own thread, with the machine lock ---- */

static bool waits_for_startup(const struct vcpu *cpu)
{
	int state = cpu->acc.state.mp_state;

	return state == MP_UNINITIALIZED || state == MP_INIT_RECEIVED;
}

static void do_nmi(struct vcpu *cpu, void *opaque)
{
	const struct accel_ops *ops = cpu->acc.accel->ops;

	if (ops->vcpu_inject_nmi)
		ops->vcpu_inject_nmi(&cpu->acc);
	vcpu_wake(cpu);
}

static void do_smi(struct vcpu *cpu, void *opaque)
{
	const struct accel_ops *ops = cpu->acc.accel->ops;

	if (ops->vcpu_inject_smi)
		ops->vcpu_inject_smi(&cpu->acc);
	vcpu_wake(cpu);
}

static void do_init(struct vcpu *cpu, void *opaque)
{
	trace(apic_init, cpu->index);
	if (!vcpu_sync_state(cpu, NULL))
		return;
	x86_state_init(&cpu->acc.state, cpu->index == 0, cpu_signature(&cpu->acc.features));
	lapic_init_registers(opaque);
	cpu->acc.state_here = true;
	vcpu_wake(cpu);
}

static void do_startup(struct vcpu *cpu, void *opaque)
{
	unsigned page = GPOINTER_TO_UINT(opaque);

	if (!waits_for_startup(cpu) || !vcpu_sync_state(cpu, NULL))
		return;
	trace(apic_startup, cpu->index, page);
	x86_state_startup(&cpu->acc.state, page);
	cpu->acc.state_here = true;
	vcpu_wake(cpu);
}

void lapic_deliver(struct lapic *l, const struct apic_message *msg)
{
	switch ((enum apic_delivery)msg->delivery) {
	case DELIVERY_FIXED:
	case DELIVERY_LOWEST:
		lapic_accept(l, msg->vector, msg->level);
		break;
	case DELIVERY_SMI:
		vcpu_run_async(l->cpu, do_smi, NULL);
		break;
	case DELIVERY_NMI:
		vcpu_run_async(l->cpu, do_nmi, NULL);
		break;
	case DELIVERY_INIT:
		vcpu_run_async(l->cpu, do_init, l);
		break;
	case DELIVERY_STARTUP:
		vcpu_run_async(l->cpu, do_startup, GUINT_TO_POINTER(msg->vector));
		break;
	case DELIVERY_EXTINT:
		lapic_accept_extint(l);
		break;
	case DELIVERY_RESERVED:
		break;
	}
}

/* ---- Whom it means ---- */

static bool matches_physical(const struct lapic *l, const struct apic_message *msg)
{
	uint32_t id = lapic_get(l, APIC_ID);

	return msg->dest == (lapic_is_x2apic(l) ? id : id >> 24);
}

static bool matches_logical(const struct lapic *l, const struct apic_message *msg)
{
	uint32_t ldr = lapic_get(l, APIC_LDR), dest = msg->dest;

	if (lapic_is_x2apic(l))
		return ldr >> 16 == dest >> 16 && (ldr & dest & 0xffff);
	ldr >>= 24;
	if (lapic_get(l, APIC_DFR) >> 28 == DFR_FLAT)
		return ldr & dest & 0xff;
	return ldr >> 4 == (dest >> 4 & 15) && (ldr & dest & 15);
}

static bool matches(const struct lapic *l, const struct apic_message *msg)
{
	if (!lapic_is_present(l))
		return false;
	if (msg->dest == (msg->wide ? BROADCAST_WIDE : BROADCAST))
		return true;
	return msg->logical ? matches_logical(l, msg) : matches_physical(l, msg);
}

/* Of those that may take it, the one with the least to do; they take turns if that is the same. */
static struct lapic *lowest_priority(struct apic_bus *bus, const struct apic_message *msg)
{
	unsigned count = bus->lapics->len, first = g_atomic_int_add(&bus->turn, 1);
	struct lapic *best = NULL;
	uint32_t best_ppr = 0;

	for (unsigned i = 0; i < count; i++) {
		struct lapic *l = g_ptr_array_index(bus->lapics, (first + i) % count);
		uint32_t ppr;

		if (!lapic_is_enabled(l) || !matches(l, msg))
			continue;
		ppr = lapic_ppr(l);
		if (!best || ppr < best_ppr) {
			best = l;
			best_ppr = ppr;
		}
	}
	return best;
}

void apic_bus_deliver(struct apic_bus *bus, const struct apic_message *msg)
{
	trace(apic_message, msg->delivery, msg->vector, msg->logical ? "logical" : "physical",
	      msg->dest);
	if (msg->delivery == DELIVERY_LOWEST) {
		struct lapic *l = lowest_priority(bus, msg);

		if (l)
			lapic_deliver(l, msg);
		return;
	}
	for (guint i = 0; i < bus->lapics->len; i++) {
		struct lapic *l = g_ptr_array_index(bus->lapics, i);

		if (matches(l, msg))
			lapic_deliver(l, msg);
	}
}

/* ---- Messages of CPUs ---- */

enum shorthand { SHORTHAND_NONE, SHORTHAND_SELF, SHORTHAND_ALL, SHORTHAND_OTHERS };

static void send_to_all(struct lapic *from, const struct apic_message *msg, bool self_too)
{
	for (guint i = 0; i < from->bus->lapics->len; i++) {
		struct lapic *l = g_ptr_array_index(from->bus->lapics, i);

		if (lapic_is_present(l) && (l != from || self_too))
			lapic_deliver(l, msg);
	}
}

void lapic_send_ipi(struct lapic *l, uint32_t low, uint32_t dest)
{
	struct apic_message msg = {
		.dest = dest,
		.wide = lapic_is_x2apic(l),
		.logical = low & ICR_LOGICAL,
		.delivery = low >> 8 & 7,
		.vector = low & 0xff,
	};

	/* INIT Level De-assert once set arbitration IDs; there are none any more. */
	if (msg.delivery == DELIVERY_INIT && (low & ICR_LEVEL) && !(low & ICR_ASSERT))
		return;
	if (msg.delivery <= DELIVERY_LOWEST && msg.vector < APIC_FIRST_VECTOR) {
		lapic_error(l, ESR_SEND_ILLEGAL_VECTOR);
		return;
	}
	switch ((enum shorthand)(low >> ICR_SHORTHAND_SHIFT & 3)) {
	case SHORTHAND_NONE:
		apic_bus_deliver(l->bus, &msg);
		break;
	case SHORTHAND_SELF:
		lapic_deliver(l, &msg);
		break;
	case SHORTHAND_ALL:
		send_to_all(l, &msg, true);
		break;
	case SHORTHAND_OTHERS:
		send_to_all(l, &msg, false);
		break;
	}
}

/* ---- Messages of devices ---- */

void apic_bus_send(void *opaque, const struct msi_message *msi)
{
	struct apic_message msg = {
		.dest = (msi->addr >> 12 & 0xff) | (msi->addr >> 5 & 0x7f) << 8,
		.logical = msi->addr & MSI_LOGICAL,
		.delivery = msi->data >> 8 & 7,
		.vector = msi->data & 0xff,
		.level = msi->data & MSI_LEVEL,
	};

	if (msi->addr >> 20 != APIC_BASE_PAGE >> 20 || (msi->addr & MSI_REMAPPABLE)) {
		trace(apic_strange_message, msi->addr, msi->data);
		return;
	}
	if ((msi->addr & MSI_REDIRECTION) && msg.delivery == DELIVERY_FIXED)
		msg.delivery = DELIVERY_LOWEST;
	apic_bus_deliver(apic_bus_of(opaque), &msg);
}

/* ---- The window ---- */

struct lapic *apic_bus_current(struct apic_bus *bus)
{
	struct vcpu *cpu = vcpu_self();

	if (cpu)
		return cpu->acc.intr == &lapic_intr_ops ? cpu->acc.intr_opaque : NULL;
	return bus->config.executes || !bus->lapics->len ? NULL : bus->lapics->pdata[0];
}

/* The local APIC whose register is at @offset of the window. */
static struct lapic *register_owner(struct apic_bus *bus, uint64_t offset)
{
	struct lapic *l = apic_bus_current(bus);
	uint64_t addr = APIC_BASE_PAGE + offset;

	if (!l || !lapic_is_present(l) || lapic_is_x2apic(l) ||
	    addr / APIC_PAGE_SIZE != lapic_base(l) / APIC_PAGE_SIZE)
		return NULL;
	return offset % APIC_PAGE_SIZE >= 16 ? l : NULL;
}

static uint64_t window_read(void *opaque, uint64_t offset, unsigned size)
{
	struct lapic *l = register_owner(opaque, offset);

	return l ? lapic_page_read(l, offset % APIC_PAGE_SIZE) : 0;
}

static void window_write(void *opaque, uint64_t offset, uint64_t value, unsigned size)
{
	struct apic_bus *bus = opaque;
	struct lapic *l = register_owner(bus, offset);
	struct msi_message msg = {APIC_BASE_PAGE + offset, value};

	if (l)
		lapic_page_write(l, offset % APIC_PAGE_SIZE, value);
	else
		apic_bus_send(&bus->dev, &msg);
}

static const struct io_ops window_ops = {
	.read = window_read,
	.write = window_write,
	.valid = {.min = 4, .max = 4},
	.impl = {.min = 4, .max = 4},
	.lock = LOCK_NONE,
};

/* ---- Pins of all of them ---- */

static void lint_input(void *opaque, unsigned n, int level)
{
	struct apic_bus *bus = apic_bus_of(opaque);

	for (guint i = 0; i < bus->lapics->len; i++)
		lapic_set_lint(g_ptr_array_index(bus->lapics, i), n, level);
}

/* ---- Life ---- */

void apic_bus_configure(struct device *dev, const struct apic_bus_config *config)
{
	apic_bus_of(dev)->config = *config;
}

void apic_bus_connect(struct device *dev, struct device *pic, struct device *ioapic)
{
	struct apic_bus *bus = apic_bus_of(dev);

	bus->pic = pic;
	bus->ioapic = ioapic;
	if (pic)
		device_connect(pic, "", 0, device_input(dev, "", 0));
}

static bool apic_bus_realize(struct device *dev, GError **errp)
{
	struct apic_bus *bus = apic_bus_of(dev);

	if (!bus->config.memory) {
		error_set(errp, "apic-bus comes with the board");
		return false;
	}
	bus->lapics = g_ptr_array_new();
	device_add_inputs(dev, "", lint_input, 2);
	region_init_io(&bus->window, dev, "apic-msi", &window_ops, bus, WINDOW_SIZE);
	region_add(bus->config.memory, APIC_BASE_PAGE, &bus->window, WINDOW_PRIORITY);
	return true;
}

static void apic_bus_unrealize(struct device *dev)
{
	struct apic_bus *bus = apic_bus_of(dev);

	region_cleanup(&bus->window);
	g_clear_pointer(&bus->lapics, g_ptr_array_unref);
}

const struct device_type apic_bus_type = {
	.name = "apic-bus",
	.help = "Carries interrupt messages to local APICs",
	.category = CATEGORY_MISC,
	.size = sizeof(struct apic_bus),
	.flags = STATE_NONE,
	.lock = LOCK_NONE,
	.realize = apic_bus_realize,
	.unrealize = apic_bus_unrealize,
};
