/*
 * Intel 82093AA I/O APIC: 24 pins, each with an entry that says what message its interrupt is.
 *
 * An edge sends the message and is forgotten. A level sends it once and sets Remote IRR in the entry;
 * when a CPU ends an interrupt with that vector, Remote IRR falls, and if the level is still there the
 * message goes out again. CPUs tell all IOAPICs which vector has ended (ioapic_eoi()), unless software
 * has switched that off and writes the vector into the EOI register of the one that is concerned.
 *
 * With a split irqchip the messages also are routes of the accelerator, by number of pin: it learns
 * from them which vectors are level-triggered, and irqfds may send them without us.
 *
 * Source: 82093AA data sheet (290566-001); EOI register: version 20H (ICH, 252516-001, 9.5.5).
 */
#include "base/trace.h"
#include "event/lock.h"
#include "hw/intc.h"

TRACE_DEFINE(ioapic_write, "register 0x%02x <- 0x%08x");
TRACE_DEFINE(ioapic_read, "register 0x%02x -> 0x%08x");
TRACE_DEFINE(ioapic_send, "pin %u: 0x%" PRIx64 " <- 0x%x");
TRACE_DEFINE(ioapic_eoi, "vector 0x%02x");

enum {
	WINDOW_SIZE = 0x1000,
	IOREGSEL = 0x00,
	IOWIN = 0x10,
	IOEOI = 0x40,

	REG_ID = 0x00,
	REG_VERSION = 0x01,
	REG_ARBITRATION = 0x02,
	REG_ENTRIES = 0x10,
	ID_SHIFT = 24,
	ID_MASK = 0x0f,

	VERSION_EOI = 0x20, /* the first with an EOI register */
};

/* An entry of the redirection table. */
#define ENTRY_VECTOR     0xffULL
#define ENTRY_DELIVERY   BITS64(10, 8)
#define ENTRY_LOGICAL    BIT64(11)
#define ENTRY_PENDING    BIT64(12)
#define ENTRY_REMOTE_IRR BIT64(14)
#define ENTRY_LEVEL      BIT64(15)
#define ENTRY_MASKED     BIT64(16)
#define ENTRY_READ_ONLY  (ENTRY_PENDING | ENTRY_REMOTE_IRR)
#define ENTRY_REMAPPABLE BIT64(48)
#define ENTRY_DEST_SHIFT 56
/* KVM's extension: bits 14 to 8 of the destination, where Linux knows the host offers it. */
#define ENTRY_DEST_HIGH(_e) ((_e) >> 49 & 0x7f)

#define DELIVERY_FIXED  0
#define DELIVERY_LOWEST 1

struct ioapic {
	struct device dev;
	struct ioapic_config config;
	struct ioapic *next; /* of a chain */
	uint8_t version;

	struct region window;
	uint32_t lines; /* levels of the wires, whatever happens to the chip */

	uint32_t id, ioregsel, irr;
	uint64_t ioredtbl[IOAPIC_PINS];
};

static struct ioapic *ioapic_of(struct device *dev)
{
	return container_of(dev, struct ioapic, dev);
}

/* ---- Messages ---- */

static unsigned delivery_of(uint64_t entry)
{
	return (entry & ENTRY_DELIVERY) >> 8;
}

/* NMI, INIT and the like are edges, whatever the entry says. */
static bool is_level(uint64_t entry)
{
	return (entry & ENTRY_LEVEL) && delivery_of(entry) <= DELIVERY_LOWEST;
}

/* False: there is no message for us to make, interrupt remapping is not here. */
static bool message_of(uint64_t entry, struct msi_message *msg)
{
	if (entry & ENTRY_REMAPPABLE)
		return false;
	msg->addr = 0xfee00000 | entry >> ENTRY_DEST_SHIFT << 12 | ENTRY_DEST_HIGH(entry) << 5 |
		    (entry & ENTRY_LOGICAL ? 1 << 2 : 0);
	msg->data = (entry & (ENTRY_VECTOR | ENTRY_DELIVERY)) |
		    (is_level(entry) ? 1 << 15 | 1 << 14 : 0);
	return true;
}

static void update_route(struct ioapic *s, unsigned pin)
{
	struct accel *a = s->config.split;
	struct msi_message msg;
	bool shown;

	if (!a)
		return;
	shown = !(s->ioredtbl[pin] & ENTRY_MASKED) && message_of(s->ioredtbl[pin], &msg);
	a->ops->route_update(a, s->config.first_gsi + pin, shown ? &msg : NULL);
}

static void update_routes(struct ioapic *s)
{
	struct accel *a = s->config.split;

	if (!a)
		return;
	a->ops->route_begin(a);
	for (unsigned pin = 0; pin < IOAPIC_PINS; pin++)
		update_route(s, pin);
	a->ops->route_commit(a);
}

/* ---- Pins ---- */

/* Sends what the pin wants to say, if it may. */
static void service(struct ioapic *s, unsigned pin)
{
	uint64_t *entry = &s->ioredtbl[pin];
	struct msi_message msg;

	if (!(s->irr & BIT(pin)) || (*entry & ENTRY_MASKED))
		return;
	if (!is_level(*entry))
		s->irr &= ~BIT(pin);
	else if (*entry & ENTRY_REMOTE_IRR)
		return;
	else
		*entry |= ENTRY_REMOTE_IRR;
	if (!message_of(*entry, &msg))
		return;
	trace(ioapic_send, pin, msg.addr, msg.data);
	s->config.send(s->config.opaque, &msg);
}

static void ioapic_input(void *opaque, unsigned n, int level)
{
	struct ioapic *s = ioapic_of(opaque);
	unsigned pin = n || s->config.first_gsi ? n : 2;
	bool was = s->lines & BIT(pin);

	s->lines = level ? s->lines | BIT(pin) : s->lines & ~BIT(pin);
	if (is_level(s->ioredtbl[pin]))
		s->irr = level ? s->irr | BIT(pin) : s->irr & ~BIT(pin);
	else if (level && !was && !(s->ioredtbl[pin] & ENTRY_MASKED))
		s->irr |= BIT(pin);
	service(s, pin);
}

static void end_interrupt(struct ioapic *s, unsigned vector)
{
	trace(ioapic_eoi, vector);
	for (unsigned pin = 0; pin < IOAPIC_PINS; pin++) {
		uint64_t *entry = &s->ioredtbl[pin];

		if ((*entry & ENTRY_VECTOR) != vector || !(*entry & ENTRY_REMOTE_IRR))
			continue;
		*entry &= ~ENTRY_REMOTE_IRR;
		service(s, pin);
	}
}

void ioapic_eoi(struct device *dev, unsigned vector)
{
	MACHINE_LOCK_SCOPE();

	for (struct ioapic *s = ioapic_of(dev); s; s = s->next)
		end_interrupt(s, vector);
}

/* ---- Registers ---- */

static void write_entry(struct ioapic *s, unsigned pin, uint64_t value)
{
	uint64_t *entry = &s->ioredtbl[pin];
	bool was_level = is_level(*entry);

	*entry = (value & ~ENTRY_READ_ONLY) | (*entry & ENTRY_READ_ONLY);
	/* How software ends a level-triggered interrupt without an EOI register: to edge and back. */
	if (!is_level(*entry))
		*entry &= ~ENTRY_REMOTE_IRR;
	if (is_level(*entry))
		s->irr = (s->irr & ~BIT(pin)) | (s->lines & BIT(pin));
	else if (was_level)
		s->irr &= ~BIT(pin);
	update_route(s, pin);
	service(s, pin);
}

static uint32_t read_register(const struct ioapic *s)
{
	unsigned reg = s->ioregsel, pin = (reg - REG_ENTRIES) / 2;

	switch (reg) {
	case REG_ID:
	case REG_ARBITRATION:
		return s->id << ID_SHIFT;
	case REG_VERSION:
		return s->version | (IOAPIC_PINS - 1) << 16;
	}
	if (reg < REG_ENTRIES || pin >= IOAPIC_PINS)
		return 0;
	return s->ioredtbl[pin] >> (reg & 1 ? 32 : 0);
}

static void write_register(struct ioapic *s, uint32_t value)
{
	unsigned reg = s->ioregsel, pin = (reg - REG_ENTRIES) / 2;

	if (reg == REG_ID) {
		s->id = value >> ID_SHIFT & ID_MASK;
	} else if (reg >= REG_ENTRIES && pin < IOAPIC_PINS) {
		uint64_t entry = s->ioredtbl[pin];

		if (reg & 1)
			entry = (uint32_t)entry | (uint64_t)value << 32;
		else
			entry = (entry & ~(uint64_t)UINT32_MAX) | value;
		write_entry(s, pin, entry);
	}
}

/* Registers repeat every 256 bytes. */
static uint64_t ioapic_read(void *opaque, uint64_t offset, unsigned size)
{
	struct ioapic *s = opaque;
	uint32_t value;

	switch (offset & 0xff) {
	case IOREGSEL:
		return s->ioregsel;
	case IOWIN:
		value = read_register(s);
		trace(ioapic_read, s->ioregsel, value);
		return value;
	default:
		return 0;
	}
}

static void ioapic_write(void *opaque, uint64_t offset, uint64_t value, unsigned size)
{
	struct ioapic *s = opaque;

	switch (offset & 0xff) {
	case IOREGSEL:
		s->ioregsel = (uint8_t)value;
		break;
	case IOWIN:
		trace(ioapic_write, s->ioregsel, (uint32_t)value);
		write_register(s, value);
		break;
	case IOEOI:
		if (s->version >= VERSION_EOI)
			end_interrupt(s, (uint8_t)value);
		break;
	}
}

static const struct io_ops ioapic_ops = {
	.read = ioapic_read,
	.write = ioapic_write,
	.impl = {.min = 4, .max = 4},
};

/* ---- Board ---- */

static void accel_eoi(void *opaque, unsigned vector)
{
	ioapic_eoi(opaque, vector);
}

void ioapic_configure(struct device *dev, const struct ioapic_config *config)
{
	ioapic_of(dev)->config = *config;
}

void ioapic_chain(struct device *dev, struct device *next)
{
	ioapic_of(dev)->next = ioapic_of(next);
}

/* ---- Life ---- */

static bool ioapic_realize(struct device *dev, GError **errp)
{
	struct ioapic *s = ioapic_of(dev);
	struct accel *a = s->config.split;

	if (!s->config.memory) {
		error_set(errp, "ioapic comes with the board");
		return false;
	}
	if (s->version != 0x11 && s->version != VERSION_EOI) {
		error_set(errp, "IOAPIC version 0x11 or 0x20 supported.");
		return false;
	}
	device_add_inputs(dev, "", ioapic_input, IOAPIC_PINS);
	region_init_io(&s->window, dev, "ioapic", &ioapic_ops, s, WINDOW_SIZE);
	region_add(s->config.memory, s->config.addr, &s->window, 0);
	if (a && !s->config.first_gsi) {
		a->ioapic_opaque = dev;
		a->ioapic_eoi = accel_eoi;
	}
	return true;
}

static void ioapic_unrealize(struct device *dev)
{
	struct ioapic *s = ioapic_of(dev);

	if (s->config.split && !s->config.first_gsi)
		s->config.split->ioapic_eoi = NULL;
	region_cleanup(&s->window);
}

static void ioapic_reset(struct device *dev)
{
	struct ioapic *s = ioapic_of(dev);

	s->id = s->ioregsel = s->irr = 0;
	for (unsigned pin = 0; pin < IOAPIC_PINS; pin++)
		s->ioredtbl[pin] = ENTRY_MASKED;
	update_routes(s);
}

static bool ioapic_post_load(struct device *dev, GError **errp)
{
	struct ioapic *s = ioapic_of(dev);

	if (s->ioregsel > UINT8_MAX || s->id > ID_MASK) {
		error_set(errp, "ioapic: register 0x%x, ID %u", s->ioregsel, s->id);
		return false;
	}
	update_routes(s);
	return true;
}

static const struct field ioapic_props[] = {
	PROP_UINT(struct ioapic, version, "version", VERSION_EOI, 0xff, "Version: 17 or 32"),
	FIELD_ROW_END,
};

static const struct field ioapic_state[] = {
	SAVE_UINT(struct ioapic, id),        SAVE_UINT(struct ioapic, ioregsel),
	SAVE_UINT(struct ioapic, irr),       SAVE_UINT(struct ioapic, lines),
	SAVE_UINTS(struct ioapic, ioredtbl), FIELD_ROW_END,
};

const struct device_type ioapic_type = {
	.name = "ioapic",
	.help = "Intel 82093AA I/O APIC",
	.category = CATEGORY_MISC,
	.size = sizeof(struct ioapic),
	.props = ioapic_props,
	.state = ioapic_state,
	.realize = ioapic_realize,
	.unrealize = ioapic_unrealize,
	.reset = ioapic_reset,
	.post_load = ioapic_post_load,
};
