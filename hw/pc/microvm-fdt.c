/*
 * The device tree of a microvm: the same nodes as QEMU's, written front to back by libfdt.
 *
 * Interrupts have two cells, the pin of the I/O APIC and 0 for edge or level as the bus has it. Handles
 * begin with the last I/O APIC's.
 */
#include "hw/pc/microvm.h"

#include <assert.h>
#include <libfdt.h>
#include "hw/virtio/mmio.h"

#define TREE_MAX      (64 * KIB)
#define FIRST_PHANDLE 0x8000
#define IOAPIC_SIZE   0x1000

struct tree {
	void *fdt;
	int err; /* the first, sticky */
	unsigned ioapics;
};

static void note(struct tree *t, int err)
{
	if (!t->err)
		t->err = err;
}

static void put_cells(struct tree *t, const char *name, const uint32_t *cells, unsigned count)
{
	uint32_t be[8];

	assert(count <= G_N_ELEMENTS(be));
	for (unsigned i = 0; i < count; i++)
		be[i] = cpu_to_fdt32(cells[i]);
	note(t, fdt_property(t->fdt, name, be, count * sizeof(be[0])));
}
#define put(t, name, ...)                                                                          \
	put_cells(t, name, (uint32_t[]){__VA_ARGS__},                                              \
		  sizeof((uint32_t[]){__VA_ARGS__}) / sizeof(uint32_t))

static void put_text(struct tree *t, const char *name, const char *text)
{
	note(t, fdt_property_string(t->fdt, name, text));
}

static void begin(struct tree *t, const char *name, uint32_t addr)
{
	g_autofree char *unit = g_strdup_printf("%s@%x", name, addr);

	note(t, fdt_begin_node(t->fdt, unit));
}

static void end(struct tree *t)
{
	note(t, fdt_end_node(t->fdt));
}

static uint32_t ioapic_phandle(const struct tree *t, unsigned index)
{
	return FIRST_PHANDLE + t->ioapics - 1 - index;
}

static void add_device(struct tree *t, const char *name, const char *compatible, uint32_t addr,
		       uint32_t size, uint32_t gsi, bool coherent)
{
	begin(t, name, addr);
	put_text(t, "compatible", compatible);
	put(t, "reg", 0, addr, 0, size);
	if (coherent)
		put_cells(t, "dma-coherent", NULL, 0);
	put(t, "interrupt-parent", ioapic_phandle(t, gsi / IOAPIC_PINS));
	put(t, "interrupts", gsi % IOAPIC_PINS, 0);
	end(t);
}

static void add_ioapic(struct tree *t, unsigned index, const char *name, uint32_t addr)
{
	begin(t, name, addr);
	put_text(t, "compatible", "intel,ce4100-ioapic");
	put_cells(t, "interrupt-controller", NULL, 0);
	put(t, "#interrupt-cells", 2);
	put(t, "#address-cells", 2);
	put(t, "reg", 0, addr, 0, IOAPIC_SIZE);
	put(t, "phandle", ioapic_phandle(t, index));
	put(t, "linux,phandle", ioapic_phandle(t, index));
	end(t);
}

static void add_chosen(struct tree *t, bool serial)
{
	note(t, fdt_begin_node(t->fdt, "chosen"));
	if (serial)
		put_text(t, "stdout-path", "/serial@3f8");
	end(t);
}

static void add_nodes(struct tree *t, struct microvm *v)
{
	bool serial = v->isa_serial && v->pc.m.serial[0];

	put_text(t, "compatible", "linux,microvm");
	put(t, "#address-cells", 2);
	put(t, "#size-cells", 2);
	add_chosen(t, serial);
	add_ioapic(t, 0, "ioapic1", IOAPIC_BASE);
	if (v->pc.ioapic2)
		add_ioapic(t, 1, "ioapic2", IOAPIC2_BASE);
	MICROVM_FOREACH_VIRTIO(i, v)
	add_device(t, "virtio_mmio", "virtio,mmio", virtio_mmio_addr(v->virtio[i]),
		   MICROVM_VIRTIO_SIZE, v->virtio_gsi + i, true);
	if (serial)
		add_device(t, "serial", "ns16550", MICROVM_SERIAL_PORT, 8, MICROVM_SERIAL_IRQ,
			   false);
	if (v->pc.rtc)
		add_device(t, "rtc", "motorola,mc146818", MICROVM_RTC_PORT, 8, MICROVM_RTC_IRQ,
			   false);
}

GBytes *microvm_device_tree(struct microvm *v)
{
	struct tree t = {.fdt = g_malloc0(TREE_MAX), .ioapics = v->pc.ioapic2 ? 2 : 1};

	note(&t, fdt_create(t.fdt, TREE_MAX));
	note(&t, fdt_finish_reservemap(t.fdt));
	note(&t, fdt_begin_node(t.fdt, ""));
	add_nodes(&t, v);
	end(&t);
	note(&t, fdt_finish(t.fdt));
	assert(!t.err); /* a tree of at most three dozen nodes */
	return g_bytes_new_take(t.fdt, fdt_totalsize(t.fdt));
}
