/* The board's devices, saved in the middle of operations: twins.h. */
#include "twins.h"

#define PC     "-machine pc -m 16M -rtc base=2024-02-29T13:14:15,clock=vm "
#define SOCKET "-chardev socket,id=c,path=%s/peer,server=on,wait=off "
#define MS     1000000LL

/* ---- 16550A ---- */

#define COM1 0x3f8
enum { DATA, IER, IIR, LCR, MCR, LSR, MSR, FCR = IIR };

/* 9600 baud, FIFOs with a trigger level of 8, OUT2 opens the way to the PIC. The peer sends @len bytes. */
static void serial_begin(struct twin *t, uint8_t ier, const char *bytes)
{
	twin_init_pics(t);
	twin_connect(t);
	qts_outb(t->s, COM1 + LCR, 0x83);
	qts_outb(t->s, COM1 + DATA, 12);
	qts_outb(t->s, COM1 + IER, 0);
	qts_outb(t->s, COM1 + LCR, 0x03);
	qts_outb(t->s, COM1 + FCR, 0x87);
	qts_outb(t->s, COM1 + MCR, 0x0b);
	qts_outb(t->s, COM1 + IER, ier);
	if (!bytes[0])
		return;
	twin_send(t, bytes, strlen(bytes));
	while (!(qts_inb(t->s, COM1 + LSR) & 1))
		qts_inb(t->s, COM1 + MSR);
}

static void serial_read(struct twin *t)
{
	for (unsigned i = 0; i < 20; i++) {
		note(t, "iir %02x", qts_inb(t->s, COM1 + IIR));
		note(t, "lsr %02x", qts_inb(t->s, COM1 + LSR));
		note(t, "data %02x", qts_inb(t->s, COM1 + DATA));
		note_board(t);
	}
	note(t, "msr %02x", qts_inb(t->s, COM1 + MSR));
}

/* Fewer bytes than the trigger level: the interrupt comes when four characters' time has gone by. */
static void serial_few_begin(struct twin *t)
{
	serial_begin(t, 0x01, "abcde");
	qts_clock_step(t->s, 1 * MS);
}

static void serial_few_go_on(struct twin *t)
{
	note(t, "iir %02x", qts_inb(t->s, COM1 + IIR));
	note_ticks(t, 3);
	serial_read(t);
}

static void serial_many_begin(struct twin *t)
{
	serial_begin(t, 0x05, "0123456789a");
	g_assert_cmphex(qts_inb(t->s, COM1 + DATA), ==, '0');
	note_board(t);
}

static void serial_empty_begin(struct twin *t)
{
	serial_begin(t, 0x02, "");
	qts_outb(t->s, COM1 + DATA, 'x');
}

/* In the loop the bytes sent fill the own FIFO; modem lines show as inputs. */
static void serial_loop_begin(struct twin *t)
{
	serial_begin(t, 0x0d, "");
	qts_outb(t->s, COM1 + MCR, 0x1f);
	for (unsigned i = 0; i < 18; i++) /* overrun */
		qts_outb(t->s, COM1 + DATA, 'A' + i);
}

static void serial_go_on(struct twin *t)
{
	note_board(t);
	serial_read(t);
	note_ticks(t, 2);
}

/* ---- Timers ---- */

static void pit_program(struct twin *t, unsigned counter, unsigned mode, uint16_t count)
{
	qts_outb(t->s, 0x43, counter << 6 | 0x30 | mode << 1);
	qts_outb(t->s, 0x40 + counter, count);
	qts_outb(t->s, 0x40 + counter, count >> 8);
}

static void pit_begin(struct twin *t)
{
	twin_init_pics(t);
	qts_outb(t->s, 0x61, 0x01);
	pit_program(t, 0, 2, 11932);
	pit_program(t, 1, 3, 18);
	pit_program(t, 2, 0, 40000);
	qts_clock_step(t->s, 23 * MS);
	/* A latched count of which one byte is read, one and a status, and half of a new count. */
	qts_outb(t->s, 0x43, 0x00);
	qts_inb(t->s, 0x40);
	qts_outb(t->s, 0x43, 0xc8);
	qts_outb(t->s, 0x41, 0x20);
}

static void pit_read(struct twin *t)
{
	for (unsigned i = 0; i < 3; i++)
		note(t, "pit %u %02x %02x %02x", i, qts_inb(t->s, 0x40 + i),
		     qts_inb(t->s, 0x40 + i), qts_inb(t->s, 0x40 + i));
	note(t, "port 61 %02x", qts_inb(t->s, 0x61));
}

static void pit_go_on(struct twin *t)
{
	qts_outb(t->s, 0x41, 0x00);
	pit_read(t);
	for (unsigned i = 0; i < 4; i++) {
		note_ticks(t, 2);
		pit_read(t);
	}
}

/* A square wave, and a one-shot that has not fired. */
static void pit_shot_begin(struct twin *t)
{
	twin_init_pics(t);
	pit_program(t, 0, 4, 30000);
	qts_outb(t->s, 0x61, 0x03);
	pit_program(t, 2, 3, 1000);
	qts_clock_step(t->s, 11 * MS);
}

#define RTC_IRQ_TICKS 12

static void cmos_write(struct twin *t, uint8_t index, uint8_t value)
{
	qts_outb(t->s, 0x70, index);
	qts_outb(t->s, 0x71, value);
}

static uint8_t cmos_read(struct twin *t, uint8_t index)
{
	qts_outb(t->s, 0x70, index);
	return qts_inb(t->s, 0x71);
}

/* 8 Hz, the update's end, and an alarm two seconds ahead. */
static void rtc_begin(struct twin *t)
{
	twin_init_pics(t);
	cmos_write(t, 0x01, 0x17);
	cmos_write(t, 0x03, 0xff);
	cmos_write(t, 0x05, 0xff);
	cmos_write(t, 0x0a, 0x2d);
	cmos_write(t, 0x0b, 0x72);
	qts_clock_step(t->s, 437 * MS);
	qts_outb(t->s, 0x70, 0x0c);
}

static void rtc_go_on(struct twin *t)
{
	note(t, "c %02x", qts_inb(t->s, 0x71));
	for (unsigned i = 0; i < 3 * RTC_IRQ_TICKS; i++) {
		note_ticks(t, 1);
		note(t, "second %02x", cmos_read(t, 0));
		note(t, "a %02x c %02x", cmos_read(t, 0x0a), cmos_read(t, 0x0c));
	}
}

#define HPET 0xfed00000

static void hpet_timer(struct twin *t, unsigned n, uint32_t config, uint32_t comparator,
		       uint32_t period)
{
	qts_writel(t->s, HPET + 0x100 + 0x20 * n, config);
	qts_writel(t->s, HPET + 0x108 + 0x20 * n, comparator);
	if (period)
		qts_writel(t->s, HPET + 0x108 + 0x20 * n, period);
}

static void ioapic_entry(struct twin *t, unsigned pin, uint32_t entry)
{
	qts_writel(t->s, 0xfec00000, 0x10 + 2 * pin);
	qts_writel(t->s, 0xfec00010, entry);
}

/* One periodic in the PIT's place, one level-triggered, one that is one-shot and 32 bits. */
static void hpet_begin(struct twin *t)
{
	twin_init_pics(t);
	qts_writel(t->s, 0xfee000f0, 0x1ff);
	ioapic_entry(t, 20, 0x8071);
	ioapic_entry(t, 21, 0x0072);
	hpet_timer(t, 0, 0x14c, 100000, 70000);
	hpet_timer(t, 1, 20 << 9 | 0x006, 250000, 0);
	hpet_timer(t, 2, 21 << 9 | 0x104, 333333, 0);
	qts_writel(t->s, HPET + 0x10, 3);
	qts_clock_step(t->s, 3 * MS);
}

static void hpet_go_on(struct twin *t)
{
	for (unsigned i = 0; i < 4; i++) {
		note_ticks(t, 1);
		note(t, "count %x status %x", qts_readl(t->s, HPET + 0xf0),
		     qts_readl(t->s, HPET + 0x20));
		for (unsigned n = 0; n < 3; n++)
			note(t, "comparator %x", qts_readl(t->s, HPET + 0x108 + 0x20 * n));
	}
	qts_writel(t->s, HPET + 0x20, 7);
	qts_writel(t->s, 0xfec00040, 0x71);
	note_board(t);
}

#define LAPIC 0xfee00000

static void lapic_begin(struct twin *t, uint32_t lvt)
{
	qts_writel(t->s, LAPIC + 0xf0, 0x1ff);
	qts_writel(t->s, LAPIC + 0x3e0, 0x03); /* by 16 */
	qts_writel(t->s, LAPIC + 0x320, lvt);
	qts_writel(t->s, LAPIC + 0x380, 1000000);
	qts_clock_step(t->s, 5 * MS + 123);
}

static void lapic_periodic_begin(struct twin *t)
{
	lapic_begin(t, 0x20040);
}

/* With interrupts sent to itself, one of which is an error. */
static void lapic_shot_begin(struct twin *t)
{
	lapic_begin(t, 0x00041);
	qts_writel(t->s, LAPIC + 0x370, 0x42);
	qts_writel(t->s, LAPIC + 0x300, 0x40081);
	qts_writel(t->s, LAPIC + 0x300, 0x40005);
	qts_writel(t->s, LAPIC + 0x80, 0x30);
}

static void lapic_go_on(struct twin *t)
{
	note_step(t, 3 * MS);
	note_ticks(t, 3);
	qts_writel(t->s, LAPIC + 0x280, 0);
	for (unsigned offset = 0x20; offset < 0x400; offset += 16)
		note(t, "lapic %x %08x", offset, qts_readl(t->s, LAPIC + offset));
}

/* ---- Interrupt controllers ---- */

/* COM1 in service, the timer and the clock waiting; then the second PIC is in the middle of a set-up. */
static void pic_begin(struct twin *t)
{
	serial_begin(t, 0x02, "");
	qts_outb(t->s, 0x20, 0x0c);
	note(t, "%02x", qts_inb(t->s, 0x20));
	rtc_begin(t);
	qts_outb(t->s, COM1 + IER, 0x00);
	qts_outb(t->s, COM1 + IER, 0x02);
	qts_outb(t->s, 0x20, 0x68); /* special mask mode */
	qts_outb(t->s, 0x21, 0x10);
	qts_outb(t->s, 0x4d1, 0x0e);
	qts_outb(t->s, 0xa0, 0x11);
	qts_outb(t->s, 0xa1, 0x70);
}

static void pic_go_on(struct twin *t)
{
	note_board(t);
	qts_outb(t->s, 0xa1, 0x02);
	qts_outb(t->s, 0xa1, 0x01);
	note_board(t);
	qts_outb(t->s, 0x21, 0x00);
	note(t, "elcr %02x %02x", qts_inb(t->s, 0x4d0), qts_inb(t->s, 0x4d1));
	note_ticks(t, 4);
}

/* A level that is served, one that waits behind a mask, an edge that waits, one that was lost. */
static void ioapic_begin(struct twin *t)
{
	qts_writel(t->s, LAPIC + 0xf0, 0x1ff);
	ioapic_entry(t, 16, 0x08061);
	ioapic_entry(t, 17, 0x18062);
	ioapic_entry(t, 5, 0x10063);
	ioapic_entry(t, 6, 0x00064);
	for (unsigned i = 0; i < 4; i++) {
		static const uint8_t pins[] = {16, 17, 5, 6};

		qts_set_irq_in(t->s, "ioapic", "unnamed-gpio-in", pins[i], 1);
	}
	qts_set_irq_in(t->s, "ioapic", "unnamed-gpio-in", 5, 0);
}

static void ioapic_go_on(struct twin *t)
{
	note_board(t);
	ioapic_entry(t, 17, 0x08062);
	ioapic_entry(t, 5, 0x00063);
	note_board(t);
	qts_writel(t->s, 0xfec00040, 0x61); /* still high: once more */
	note_board(t);
	qts_set_irq_in(t->s, "ioapic", "unnamed-gpio-in", 16, 0);
	qts_writel(t->s, 0xfec00040, 0x61);
	qts_set_irq_in(t->s, "ioapic", "unnamed-gpio-in", 6, 1); /* no edge */
	note_board(t);
}

/* ---- PCI: lines, and a transfer under way ---- */

#define CARD QTS_DEVFN(4, 0)
#define BAR  0xe0000000

static void edu_begin(struct twin *t)
{
	twin_init_pics(t);
	qts_pci_writel(t->s, 0, QTS_DEVFN(1, 0), 0x60, 0x0b0a0905);
	qts_writel(t->s, LAPIC + 0xf0, 0x1ff);
	for (unsigned pin = 16; pin < 20; pin++)
		ioapic_entry(t, pin, 0x8060 + pin);
	qts_pci_map_bar(t->s, 0, CARD, 0, BAR);
	qts_pci_writew(t->s, 0, CARD, 4, 6);
	qts_memwrite(t->s, TWIN_MEMORY, "sixteen letters", 16);
	qts_writel(t->s, BAR + 0x60, 0x10);
	qts_writeq(t->s, BAR + 0x80, TWIN_MEMORY);
	qts_writeq(t->s, BAR + 0x88, 0x40000);
	qts_writeq(t->s, BAR + 0x90, 16);
	qts_writel(t->s, BAR + 0x98, 5);
	qts_clock_step(t->s, 1 * MS);
}

static void edu_go_on(struct twin *t)
{
	char got[16];

	note_board(t);
	note(t, "command %x", qts_readl(t->s, BAR + 0x98));
	qts_writel(t->s, BAR + 0x64, 0x10);
	note_ticks(t, 2);
	note(t, "command %x interrupts %x", qts_readl(t->s, BAR + 0x98),
	     qts_readl(t->s, BAR + 0x24));
	qts_writeq(t->s, BAR + 0x80, 0x40000);
	qts_writeq(t->s, BAR + 0x88, TWIN_MEMORY + 64);
	qts_writel(t->s, BAR + 0x98, 3);
	note_ticks(t, 1);
	qts_memread(t->s, TWIN_MEMORY + 64, got, 16);
	note(t, "got %.16s", got);
	qts_writel(t->s, BAR + 0x64, 0x100);
	note_board(t);
}

/* ---- Keyboard controller ---- */

static void i8042_read(struct twin *t, unsigned count)
{
	for (unsigned i = 0; i < count; i++) {
		note(t, "status %02x", qts_inb(t->s, 0x64));
		note_board(t);
		note(t, "data %02x", qts_inb(t->s, 0x60));
	}
}

/* Answers of keyboard and mouse wait, and both are in the middle of a command. */
static void i8042_begin(struct twin *t)
{
	twin_init_pics(t);
	qts_outb(t->s, 0x64, 0x60);
	qts_outb(t->s, 0x60, 0x47);
	qts_outb(t->s, 0x64, 0xa8);
	qts_outb(t->s, 0x60, 0xf2);
	note(t, "%02x", qts_inb(t->s, 0x60));
	qts_outb(t->s, 0x64, 0xd4);
	qts_outb(t->s, 0x60, 0xe9);
	qts_outb(t->s, 0x60, 0xf3);
	qts_outb(t->s, 0x64, 0xd4);
	qts_outb(t->s, 0x60, 0xf3);
	qts_outb(t->s, 0x64, 0xd4);
}

static void i8042_go_on(struct twin *t)
{
	qts_outb(t->s, 0x60, 0x64); /* the mouse's sample rate */
	i8042_read(t, 10);
	qts_outb(t->s, 0x60, 0x0b); /* the keyboard's repeat rate */
	i8042_read(t, 3);
	qts_outb(t->s, 0x64, 0xd4);
	qts_outb(t->s, 0x60, 0xe9);
	i8042_read(t, 5);
	note_ticks(t, 2);
}

/* ---- fw_cfg, DMA controllers, flash ---- */

/* Half of the directory is read, and half of a descriptor's address written. */
static void fw_cfg_begin(struct twin *t)
{
	qts_outw(t->s, 0x510, 0x19);
	for (unsigned i = 0; i < 7; i++)
		qts_inb(t->s, 0x511);
	qts_memwrite(t->s, TWIN_MEMORY, "\0\0\0\2\0\0\0\20\0\0\0\0\0\20\1\0", 16);
	qts_outl(t->s, 0x514, 0);
}

static void fw_cfg_go_on(struct twin *t)
{
	uint8_t got[16];

	for (unsigned i = 0; i < 200; i++)
		note(t, "%02x", qts_inb(t->s, 0x511));
	qts_outl(t->s, 0x518, GUINT32_TO_BE(TWIN_MEMORY));
	note(t, "control %08x", qts_readl(t->s, TWIN_MEMORY));
	qts_memread(t->s, TWIN_MEMORY + 0x100, got, 16);
	for (unsigned i = 0; i < 16; i++)
		note(t, "%02x", got[i]);
	note(t, "%02x", qts_inb(t->s, 0x511));
}

/* Half of an address is written, half of a count read, a channel asked for by software. */
static void i8237_begin(struct twin *t)
{
	qts_outb(t->s, 0x0b, 0x59);
	qts_outb(t->s, 0x0c, 0);
	qts_outb(t->s, 0x03, 0x34);
	qts_outb(t->s, 0x03, 0x12);
	qts_outb(t->s, 0x83, 0x07);
	qts_inb(t->s, 0x03);
	qts_outb(t->s, 0xd6, 0x86);
	qts_outb(t->s, 0xd2, 0x05);
	qts_outb(t->s, 0xd8, 0);
	qts_outb(t->s, 0xc8, 0x78);
	qts_outb(t->s, 0x0f, 0x0d);
}

static void i8237_go_on(struct twin *t)
{
	note(t, "count %02x", qts_inb(t->s, 0x03));
	qts_outb(t->s, 0xc8, 0x56);
	for (unsigned i = 0; i < 16; i++)
		note(t, "%02x %02x %02x", qts_inb(t->s, i), qts_inb(t->s, 0xc0 + 2 * i),
		     qts_inb(t->s, 0x80 + i));
}

/* ---- Watchdogs, power management ---- */

#define ESB QTS_DEVFN(5, 0)

static void esb_begin(struct twin *t)
{
	static const uint16_t stages[] = {1000, 600};

	qts_pci_map_bar(t->s, 0, ESB, 0, BAR);
	for (unsigned i = 0; i < 2; i++) {
		qts_writew(t->s, BAR + 0xc, 0x80);
		qts_writew(t->s, BAR + 0xc, 0x86);
		qts_writel(t->s, BAR + 4 * i, stages[i]);
	}
	qts_pci_writeb(t->s, 0, ESB, 0x68, 2);
	qts_clock_step(t->s, 700 * MS);
	qts_writew(t->s, BAR + 0xc, 0x80); /* half of what unlocks */
}

static void esb_second_begin(struct twin *t)
{
	esb_begin(t);
	qts_clock_step(t->s, 700 * MS);
}

static void watchdog_go_on(struct twin *t)
{
	for (unsigned i = 0; i < 3; i++) {
		json_object *reply;

		note_ticks(t, 1);
		reply = qts_qmp(t->s, "{'execute':'query-status'}");
		note(t, "%s", json_object_to_json_string(reply));
		json_object_put(reply);
	}
}

static void esb_go_on(struct twin *t)
{
	watchdog_go_on(t);
	note(t, "reload %x lock %x", qts_readw(t->s, BAR + 0xc), qts_pci_readb(t->s, 0, ESB, 0x68));
}

static void ib700_begin(struct twin *t)
{
	qts_outb(t->s, 0x443, 0x0c);
	qts_clock_step(t->s, 2500 * MS);
}

#define PM     QTS_DEVFN(1, 3)
#define PM_IO  0x600
#define SMB_IO 0x700

/* The timer is about to overflow with its interrupt enabled; a block of the SMBus is half read. */
static void pm_begin(struct twin *t)
{
	twin_init_pics(t);
	qts_pci_writel(t->s, 0, PM, 0x40, PM_IO | 1);
	qts_pci_writeb(t->s, 0, PM, 0x80, 1);
	qts_pci_writel(t->s, 0, PM, 0x90, SMB_IO | 1);
	qts_pci_writeb(t->s, 0, PM, 0xd2, 1);
	qts_outw(t->s, PM_IO, 1);
	qts_outw(t->s, PM_IO + 2, 1);
	qts_outb(t->s, SMB_IO + 4, 0xa1);
	qts_outb(t->s, SMB_IO + 3, 2);
	qts_outb(t->s, SMB_IO + 2, 0x54);
	for (unsigned i = 0; i < 3; i++)
		qts_inb(t->s, SMB_IO + 7);
	qts_clock_step(t->s, 2000 * MS);
}

static void pm_go_on(struct twin *t)
{
	note(t, "timer %x", qts_inl(t->s, PM_IO + 8));
	note(t, "smbus %02x %02x", qts_inb(t->s, SMB_IO), qts_inb(t->s, SMB_IO + 5));
	for (unsigned i = 0; i < 8; i++)
		note(t, "byte %02x", qts_inb(t->s, SMB_IO + 7));
	for (unsigned i = 0; i < 3; i++) {
		note_ticks(t, 1);
		note(t, "status %04x", qts_inw(t->s, PM_IO));
		qts_outw(t->s, PM_IO, 1);
		note_board(t);
	}
}

static const struct scene scenes[] = {
	{"serial/few", PC SOCKET "-serial chardev:c", serial_few_begin, serial_few_go_on},
	{"serial/many", PC SOCKET "-serial chardev:c", serial_many_begin, serial_go_on},
	{"serial/empty", PC SOCKET "-serial chardev:c", serial_empty_begin, serial_go_on},
	{"serial/loop", PC SOCKET "-serial chardev:c", serial_loop_begin, serial_go_on},
	{"pit/rate", PC, pit_begin, pit_go_on},
	{"pit/shot", PC, pit_shot_begin, pit_go_on},
	{"rtc", PC, rtc_begin, rtc_go_on},
	{"hpet", PC, hpet_begin, hpet_go_on},
	{"lapic/periodic", PC, lapic_periodic_begin, lapic_go_on},
	{"lapic/shot", PC, lapic_shot_begin, lapic_go_on},
	{"pic", PC SOCKET "-serial chardev:c", pic_begin, pic_go_on},
	{"ioapic", PC, ioapic_begin, ioapic_go_on},
	{"edu", PC "-device edu,addr=4", edu_begin, edu_go_on},
	{"i8042", PC, i8042_begin, i8042_go_on},
	{"fw_cfg", PC, fw_cfg_begin, fw_cfg_go_on},
	{"i8237", PC, i8237_begin, i8237_go_on},
	{"i6300esb/first", PC "-device i6300esb,addr=5 -action watchdog=pause", esb_begin,
	 esb_go_on},
	{"i6300esb/second", PC "-device i6300esb,addr=5 -action watchdog=pause", esb_second_begin,
	 esb_go_on},
	{"ib700", PC "-device ib700 -action watchdog=pause", ib700_begin, watchdog_go_on},
	{"piix4-pm", PC, pm_begin, pm_go_on},
};

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_set_nonfatal_assertions();
	twins_add(scenes, G_N_ELEMENTS(scenes));
	return g_test_run();
}
