/*
 * Intel 6300ESB I/O controller hub: its watchdog timer, a function of its own on the PCI bus.
 *
 * It counts down in two stages of 20 bits each, in units of 2^15 or 2^5 PCI clocks (1 ms or 1 us).
 * The end of the first may interrupt, which here nobody listens to; that of the second resets the machine,
 * unless switched off, or begins the first again in "free running" mode. Registers in memory are written after
 * 80h and 86h have been written to the reload register, each time.
 *
 * Source: Intel 6300ESB I/O Controller Hub data sheet (300641-004), 15.
 */
#include "base/trace.h"
#include "event/clock.h"
#include "event/loop.h"
#include "hw/pci.h"
#include "machine/watchdog.h"

TRACE_DEFINE(i6300esb_stage, "stage %u for %" PRId64 " ns");

enum {
	REG_CONFIG = 0x60, /* 16 bits */
	CONFIG_INTERRUPT = 0x11,
	CONFIG_FAST = 0x04,
	CONFIG_NO_RESET = 0x20,
	CONFIG_WRITABLE = CONFIG_INTERRUPT | CONFIG_FAST | CONFIG_NO_RESET,

	REG_LOCK = 0x68, /* 8 bits */
	LOCK_LOCKED = 0x01,
	LOCK_ENABLE = 0x02,
	LOCK_FREE_RUNNING = 0x04,
	LOCK_WRITABLE = LOCK_LOCKED | LOCK_ENABLE | LOCK_FREE_RUNNING,

	MEM_TIMER1 = 0x00, /* 20 bits: the length of the stages */
	MEM_TIMER2 = 0x04,
	MEM_RELOAD = 0x0c, /* 16 bits */
	RELOAD_UNLOCK1 = 0x80,
	RELOAD_UNLOCK2 = 0x86,
	RELOAD_TIMER = 0x0100,
	RELOAD_EXPIRED = 0x0200, /* write 1 to clear */
	RELOAD_HAS_EXPIRED = 0x1200,
	MEM_SIZE = 16,
};

#define PCI_MHZ     33
#define PRELOAD_MAX 0xfffff

struct i6300esb {
	struct pci_device pci;
	struct region regs;
	struct timer timer;
	uint32_t preload[2];
	bool enabled;   /* as the lock register said last */
	uint8_t stage;  /* that runs, or ran last: 0 or 1 */
	uint8_t unlock; /* writes of the sequence seen, 2: the next one counts */
	bool expired;   /* has reset the machine; it survives that */
};

static struct i6300esb *i6300esb_of(struct device *dev)
{
	return container_of(dev, struct i6300esb, pci.dev);
}

/* ---- The timer ---- */

static void start(struct i6300esb *w, unsigned stage)
{
	unsigned shift = w->pci.config[REG_CONFIG] & CONFIG_FAST ? 5 : 15;
	int64_t clocks = (int64_t)MAX(w->preload[stage], 1) << shift;
	int64_t ns = clocks * 1000 / PCI_MHZ;

	if (!(w->pci.config[REG_LOCK] & LOCK_ENABLE))
		return;
	trace(i6300esb_stage, stage + 1, ns);
	w->stage = stage;
	timer_set(&w->timer, clock_now(QCLOCK_VIRTUAL) + ns);
}

static void set_lock(struct i6300esb *w, uint8_t value)
{
	w->pci.config[REG_LOCK] = value;
	w->pci.writable[REG_LOCK] = value & LOCK_LOCKED ? 0 : LOCK_WRITABLE;
}

/* All but `expired`. */
static void power_on(struct i6300esb *w)
{
	timer_del(&w->timer);
	pci_set16(&w->pci, REG_CONFIG, 0);
	set_lock(w, 0);
	w->preload[0] = w->preload[1] = PRELOAD_MAX;
	w->enabled = false;
	w->stage = w->unlock = 0;
}

static void expired(void *opaque)
{
	struct i6300esb *w = opaque;

	if (w->stage == 0) {
		start(w, 1);
		return;
	}
	if (!(w->pci.config[REG_CONFIG] & CONFIG_NO_RESET)) {
		w->expired = true;
		watchdog_expired();
		power_on(w);
	}
	if (w->pci.config[REG_LOCK] & LOCK_FREE_RUNNING)
		start(w, 0);
}

/* ---- Configuration space ---- */

static void config_written(struct pci_device *pci, unsigned offset, unsigned len)
{
	struct i6300esb *w = container_of(pci, struct i6300esb, pci);
	uint8_t lock = pci->config[REG_LOCK];

	if (offset > REG_LOCK || offset + len <= REG_LOCK)
		return;
	set_lock(w, lock);
	if (!(lock & LOCK_ENABLE))
		timer_del(&w->timer);
	else if (!w->enabled)
		start(w, 0);
	w->enabled = lock & LOCK_ENABLE;
}

/* ---- Registers in memory ---- */

static uint64_t esb_read(void *opaque, uint64_t offset, unsigned size)
{
	struct i6300esb *w = opaque;

	return offset == MEM_RELOAD && size == 2 && w->expired ? RELOAD_HAS_EXPIRED : 0;
}

/* One of the two writes that allow a third. */
static bool is_unlocking(struct i6300esb *w, uint64_t offset, uint64_t value)
{
	if (offset != MEM_RELOAD)
		return false;
	if (value == RELOAD_UNLOCK1) {
		w->unlock = 1;
		return true;
	}
	if (value == RELOAD_UNLOCK2 && w->unlock == 1) {
		w->unlock = 2;
		return true;
	}
	return false;
}

static void reload(struct i6300esb *w, uint64_t value)
{
	if (value & RELOAD_TIMER)
		start(w, 0);
	if (value & RELOAD_EXPIRED)
		w->expired = false;
}

static void esb_write(void *opaque, uint64_t offset, uint64_t value, unsigned size)
{
	struct i6300esb *w = opaque;

	if (is_unlocking(w, offset, value) || size == 1 || w->unlock != 2)
		return;
	w->unlock = 0;
	if (offset == MEM_RELOAD && size == 2)
		reload(w, value);
	else if ((offset == MEM_TIMER1 || offset == MEM_TIMER2) && size == 4)
		w->preload[offset / 4] = value & PRELOAD_MAX;
}

static const struct io_ops esb_ops = {
	.read = esb_read,
	.write = esb_write,
	.impl = {.min = 1, .max = 4},
};

/* ---- Life ---- */

static bool i6300esb_realize(struct device *dev, GError **errp)
{
	struct i6300esb *w = i6300esb_of(dev);

	timer_init(&w->timer, loop_main(), QCLOCK_VIRTUAL, expired, w);
	put_le16(w->pci.writable + REG_CONFIG, CONFIG_WRITABLE);
	region_init_io(&w->regs, dev, "i6300esb", &esb_ops, w, MEM_SIZE);
	pci_set_bar(&w->pci, 0, 0, &w->regs);
	power_on(w);
	return true;
}

static void i6300esb_unrealize(struct device *dev)
{
	struct i6300esb *w = i6300esb_of(dev);

	region_cleanup(&w->regs); /* first: until then a CPU may start the timer */
	timer_del(&w->timer);
}

static void i6300esb_reset(struct device *dev)
{
	power_on(i6300esb_of(dev));
}

static bool i6300esb_post_load(struct device *dev, GError **errp)
{
	struct i6300esb *w = i6300esb_of(dev);

	if (w->stage > 1 || w->unlock > 2) {
		error_set(errp, "i6300esb: there is no stage %u, or %u unlocking writes", w->stage,
			  w->unlock);
		return false;
	}
	w->preload[0] &= PRELOAD_MAX;
	w->preload[1] &= PRELOAD_MAX;
	set_lock(w, w->pci.config[REG_LOCK] & LOCK_WRITABLE);
	w->enabled = w->pci.config[REG_LOCK] & LOCK_ENABLE;
	return true;
}

static const struct field i6300esb_state[] = {
	SAVE_TIMER(struct i6300esb, timer),  SAVE_UINTS(struct i6300esb, preload),
	SAVE_UINT(struct i6300esb, stage),   SAVE_UINT(struct i6300esb, unlock),
	SAVE_BOOL(struct i6300esb, expired), FIELD_ROW_END,
};

static const struct pci_info i6300esb_info = {
	.vendor = PCI_VENDOR_INTEL,
	.device = 0x25ab,
	.class = PCI_CLASS_CODE(0x08, 0x80, 0x00),
	.config_written = config_written,
};

const struct device_type i6300esb_type = {
	.name = "i6300esb",
	.help = "Intel 6300ESB",
	.base = &pci_device_type,
	.category = CATEGORY_WATCHDOG,
	.size = sizeof(struct i6300esb),
	.flags = TYPE_USER_CREATABLE | TYPE_HOTPLUGGABLE,
	.class_data = &i6300esb_info,
	.state = i6300esb_state,
	.realize = i6300esb_realize,
	.unrealize = i6300esb_unrealize,
	.reset = i6300esb_reset,
	.post_load = i6300esb_post_load,
};
