/*
 * edu: a PCI card for teaching how to write drivers. It inverts bits, computes factorials, raises interrupts
 * (INTx or MSI) on demand, and moves bytes between guest memory and 4 KiB of its own.
 *
 * Registers below 80h take doublewords, those of DMA also quadwords; anything else reads as ones. A
 * transfer takes 100 ms; what does not fit the buffer is not moved at all. A factorial is there at once:
 * modulo 2^32 it is 0 from 34! on.
 *
 * Source: QEMU, docs/specs/edu.txt (interface only).
 */
#include "base/trace.h"
#include "event/clock.h"
#include "event/loop.h"
#include "hw/pci.h"

TRACE_DEFINE(edu_dma, "from 0x%" PRIx64 " to 0x%" PRIx64 ", 0x%" PRIx64 " bytes, command 0x%x");
TRACE_DEFINE(guest_errors_edu_dma, "0x%" PRIx64 " bytes at 0x%" PRIx64 " are not in the buffer");

#define BAR_SIZE   MIB
#define BUFFER     0x40000
#define BUFFER_LEN 4096
#define DMA_TIME   (100 * 1000 * 1000LL) /* ns */
#define ID         0x010000ed

enum {
	REG_ID = 0x00,
	REG_INVERT = 0x04,
	REG_FACTORIAL = 0x08,
	REG_STATUS = 0x20,
	REG_IRQ_STATUS = 0x24,
	REG_IRQ_RAISE = 0x60,
	REG_IRQ_ACK = 0x64,
	REG_DMA_SOURCE = 0x80,
	REG_DMA_TARGET = 0x88,
	REG_DMA_COUNT = 0x90,
	REG_DMA_COMMAND = 0x98,

	STATUS_IRQ = 0x80, /* interrupt when a factorial is done */
	IRQ_FACTORIAL = 0x001,
	IRQ_DMA = 0x100,

	DMA_RUN = 0x1,
	DMA_TO_GUEST = 0x2,
	DMA_IRQ = 0x4,
};

struct edu {
	struct pci_device pci;
	struct region regs;
	uint64_t dma_mask;
	uint32_t inverted, factorial, status, irq_status;
	uint64_t source, target, count, command;
	struct timer timer;
	uint8_t buffer[BUFFER_LEN];
};

static struct edu *edu_of(struct device *dev)
{
	return container_of(dev, struct edu, pci.dev);
}

/* ---- Interrupts ---- */

static void raise_irq(struct edu *e, uint32_t bits)
{
	e->irq_status |= bits;
	if (!e->irq_status)
		return;
	if (pci_msi_enabled(&e->pci))
		pci_msi_notify(&e->pci, 0);
	else
		pci_set_irq(&e->pci, true);
}

static void lower_irq(struct edu *e, uint32_t bits)
{
	e->irq_status &= ~bits;
	if (!e->irq_status && !pci_msi_enabled(&e->pci))
		pci_set_irq(&e->pci, false);
}

/* ---- DMA ---- */

/* Where @addr is in the buffer; NULL if not all of it is. */
static uint8_t *in_buffer(struct edu *e, uint64_t addr, uint64_t len)
{
	if (addr >= BUFFER && range_fits(addr - BUFFER, len, BUFFER_LEN))
		return e->buffer + (addr - BUFFER);
	trace(guest_errors_edu_dma, len, addr);
	return NULL;
}

static void move_bytes(struct edu *e)
{
	bool to_guest = e->command & DMA_TO_GUEST;
	uint8_t *here = in_buffer(e, to_guest ? e->source : e->target, e->count);

	trace(edu_dma, e->source, e->target, e->count, (unsigned)e->command);
	if (!here)
		return;
	if (to_guest)
		pci_dma_write(&e->pci, e->target & e->dma_mask, here, e->count);
	else
		pci_dma_read(&e->pci, e->source & e->dma_mask, here, e->count);
}

static void dma_done(void *opaque)
{
	struct edu *e = opaque;

	if (!(e->command & DMA_RUN))
		return;
	move_bytes(e);
	e->command &= ~(uint64_t)DMA_RUN;
	if (e->command & DMA_IRQ)
		raise_irq(e, IRQ_DMA);
}

static uint64_t *dma_register(struct edu *e, uint64_t offset)
{
	switch (offset) {
	case REG_DMA_SOURCE:
		return &e->source;
	case REG_DMA_TARGET:
		return &e->target;
	case REG_DMA_COUNT:
		return &e->count;
	case REG_DMA_COMMAND:
		return &e->command;
	default:
		return NULL;
	}
}

static void write_dma(struct edu *e, uint64_t offset, uint64_t value)
{
	uint64_t *reg = dma_register(e, offset);

	/* While a transfer is under way its registers are what they are. */
	if (!reg || e->command & DMA_RUN || (offset == REG_DMA_COMMAND && !(value & DMA_RUN)))
		return;
	*reg = value;
	if (offset == REG_DMA_COMMAND)
		timer_set(&e->timer, clock_now(QCLOCK_VIRTUAL) + DMA_TIME);
}

/* ---- Registers ---- */

static uint64_t edu_read(void *opaque, uint64_t offset, unsigned size)
{
	struct edu *e = opaque;
	const uint64_t *reg = dma_register(e, offset);

	if (reg)
		return *reg;
	if (size != 4)
		return UINT64_MAX;
	switch (offset) {
	case REG_ID:
		return ID;
	case REG_INVERT:
		return e->inverted;
	case REG_FACTORIAL:
		return e->factorial;
	case REG_STATUS:
		return e->status;
	case REG_IRQ_STATUS:
		return e->irq_status;
	default:
		return UINT64_MAX;
	}
}

/* At most 34 steps: as many numbers in a row have 2^32 as a divisor, wherever they start. */
static uint32_t factorial_of(uint32_t n)
{
	uint32_t result = 1;

	while (n > 1 && result)
		result *= n--;
	return result;
}

static void edu_write(void *opaque, uint64_t offset, uint64_t value, unsigned size)
{
	struct edu *e = opaque;

	if (offset >= REG_DMA_SOURCE) {
		write_dma(e, offset, value);
		return;
	}
	if (size != 4)
		return;
	switch (offset) {
	case REG_INVERT:
		e->inverted = ~value;
		break;
	case REG_FACTORIAL:
		e->factorial = factorial_of(value);
		if (e->status & STATUS_IRQ)
			raise_irq(e, IRQ_FACTORIAL);
		break;
	case REG_STATUS:
		e->status = value & STATUS_IRQ;
		break;
	case REG_IRQ_RAISE:
		raise_irq(e, value);
		break;
	case REG_IRQ_ACK:
		lower_irq(e, value);
		break;
	}
}

static const struct io_ops edu_ops = {
	.read = edu_read,
	.write = edu_write,
	.valid = {.min = 4, .max = 8},
	.impl = {.min = 4, .max = 8},
};

/* ---- Life ---- */

static bool edu_realize(struct device *dev, GError **errp)
{
	struct edu *e = edu_of(dev);

	e->pci.config[PCI_INTERRUPT_PIN] = 1;
	if (!pci_msi_init(&e->pci, 0, 1, true, false, errp))
		return false;
	timer_init(&e->timer, loop_main(), QCLOCK_VIRTUAL, dma_done, e);
	region_init_io(&e->regs, dev, "edu-mmio", &edu_ops, e, BAR_SIZE);
	pci_set_bar(&e->pci, 0, 0, &e->regs);
	return true;
}

static void edu_unrealize(struct device *dev)
{
	struct edu *e = edu_of(dev);

	region_cleanup(&e->regs); /* first: until then a CPU may start a transfer */
	timer_del(&e->timer);
}

static void edu_reset(struct device *dev)
{
	struct edu *e = edu_of(dev);

	timer_del(&e->timer);
	e->inverted = e->factorial = e->status = e->irq_status = 0;
	e->source = e->target = e->count = e->command = 0;
	memset(e->buffer, 0, sizeof(e->buffer));
}

static const struct field edu_props[] = {
	PROP_UINT(struct edu, dma_mask, "dma_mask", (1ULL << 28) - 1, 0,
		  "Address bits it can drive"),
	FIELD_ROW_END,
};

static const struct field edu_state[] = {
	SAVE_UINT(struct edu, inverted),
	SAVE_UINT(struct edu, factorial),
	SAVE_UINT(struct edu, status),
	SAVE_UINT(struct edu, irq_status),
	SAVE_UINT(struct edu, source),
	SAVE_UINT(struct edu, target),
	SAVE_UINT(struct edu, count),
	SAVE_UINT(struct edu, command),
	SAVE_TIMER(struct edu, timer),
	SAVE_BYTES(struct edu, buffer),
	FIELD_ROW_END,
};

static const struct pci_info edu_info = {
	.vendor = 0x1234,
	.device = 0x11e8,
	.revision = 0x10,
	.class = PCI_CLASS_CODE(0x00, 0xff, 0x00),
};

const struct device_type edu_type = {
	.name = "edu",
	.help = "Card for learning to write drivers",
	.base = &pci_device_type,
	.size = sizeof(struct edu),
	.flags = TYPE_USER_CREATABLE | TYPE_HOTPLUGGABLE,
	.class_data = &edu_info,
	.props = edu_props,
	.state = edu_state,
	.realize = edu_realize,
	.unrealize = edu_unrealize,
	.reset = edu_reset,
};
