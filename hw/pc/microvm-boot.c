/*
 * How a microvm's guest learns what there is: ACPI tables, a device tree, the command line; given to a
 * kernel that is started directly, or to firmware.
 *
 * The tables lie at the end of RAM below 4 GiB, the root pointer where kernels look for it.
 */
#include "hw/pc/microvm.h"

#include "base/datafile.h"
#include "hw/boot.h"
#include "hw/fw_cfg.h"
#include "hw/mptable.h"
#include "hw/virtio/mmio.h"

#define ROOT_ADDR 0xf5a00            /* of ACPI tables, or the MP table */
#define BIOS_ACPI "bios-microvm.bin" /* SeaBIOS without PCI */
#define BIOS_BARE "qboot.rom"

/* ---- ACPI ---- */

static unsigned describe_isa(const struct microvm *v, struct acpi_isa_device *isa)
{
	unsigned n = 0;

	if (v->isa_serial && v->pc.m.serial[0])
		isa[n++] = (struct acpi_isa_device){ACPI_ISA_SERIAL, 0, MICROVM_SERIAL_PORT,
						    MICROVM_SERIAL_IRQ};
	if (v->pc.rtc)
		isa[n++] = (struct acpi_isa_device){ACPI_ISA_RTC, 0, MICROVM_RTC_PORT,
						    MICROVM_RTC_IRQ};
	return n;
}

static unsigned describe_virtio(const struct microvm *v, struct acpi_virtio *windows)
{
	unsigned n = 0;

	MICROVM_FOREACH_VIRTIO(i, v)
	windows[n++] = (struct acpi_virtio){i, virtio_mmio_addr(v->virtio[i]), v->virtio_gsi + i};
	return n;
}

static struct acpi_tables *describe(const struct microvm *v)
{
	struct acpi_isa_device isa[2];
	struct acpi_virtio windows[MICROVM_VIRTIOS];
	g_autoptr(GArray) cpus = pc_describe_cpus(&v->pc.m);
	const struct acpi_machine acpi = {
		.cpus = (struct acpi_cpu *)cpus->data,
		.cpu_count = cpus->len,
		.ioapic = IOAPIC_BASE,
		.ioapic2 = v->pc.ioapic2 ? IOAPIC2_BASE : 0,
		.fw_cfg = MICROVM_FW_CFG,
		.isa = isa,
		.isa_count = describe_isa(v, isa),
		.ged = {MICROVM_GED_EVENTS, MICROVM_GED_POWER, MICROVM_GED_GSI},
		.virtio = windows,
		.virtio_count = describe_virtio(v, windows),
	};

	return acpi_tables_new(&acpi);
}

/* ---- MP table ---- */

/* The wires of virtio devices are levels. */
static uint16_t level_lines(const struct microvm *v)
{
	uint16_t lines = 0;

	MICROVM_FOREACH_VIRTIO(i, v)
	lines |= BIT(v->virtio_gsi + i);
	return lines;
}

static GByteArray *describe_mp(const struct microvm *v)
{
	const struct machine *m = &v->pc.m;
	const struct cpuid_leaf *leaf = cpuid_find(&m->cpus[0]->acc.cpuid, 1, 0);
	g_autofree uint8_t *ids = g_new(uint8_t, m->topo.cpus);
	struct mp_machine mp = {
		.apic_ids = ids,
		.apic_version = 0x14,
		.ioapic_version = m->accel->irqchip == IRQCHIP_ON ? 0x11 : 0x20,
		.signature = leaf ? leaf->eax : 0,
		.features = leaf ? leaf->edx : 0,
		.ioapic = IOAPIC_BASE,
		.level_lines = level_lines(v),
	};

	/* The table has eight bits for them, and 255 is everybody. */
	for (unsigned i = 0; i < m->topo.cpus; i++) {
		if (m->cpus[i]->place.apic_id < 255)
			ids[mp.cpus++] = m->cpus[i]->place.apic_id;
	}
	return mp_table_new(&mp, ROOT_ADDR);
}

/* ---- Straight into a kernel ---- */

/* "virtio_mmio.device=512@0xfeb00000:5" for each device (Linux, kernel-parameters.txt). */
static char *command_line(const struct microvm *v)
{
	const char *append = v->pc.m.boot.append;
	GString *text = g_string_new(append ?: "");

	if (microvm_has_acpi(v) || !v->auto_cmdline)
		return g_string_free(text, false);
	MICROVM_FOREACH_VIRTIO(i, v)
	g_string_append_printf(text, "%svirtio_mmio.device=%u@0x%" PRIx64 ":%u",
			       text->len ? " " : "", MICROVM_VIRTIO_SIZE,
			       virtio_mmio_addr(v->virtio[i]), v->virtio_gsi + i);
	return g_string_free(text, false);
}

static bool add_acpi(const struct microvm *v, struct e820_table *map, struct boot_request *req,
		     struct boot_blob *blobs, GError **errp)
{
	static const char *const names[] = {"ACPI tables", "ACPI root pointer"};
	g_autoptr(acpi_tables) acpi = describe(v);
	uint64_t size = ROUND_UP(acpi->piece[ACPI_TABLES]->len, RAM_PAGE_SIZE);
	uint64_t ram_end = v->pc.m.below_4g, at[] = {ram_end - size, ROOT_ADDR};

	if (ram_end < MIB + size) {
		error_set(errp, "%" PRIu64 " KiB of RAM are too few for a kernel and ACPI tables",
			  ram_end / KIB);
		return false;
	}
	if (!acpi_tables_place(acpi, at[ACPI_TABLES], ROOT_ADDR, errp))
		return false;
	e820_set(map, at[ACPI_TABLES], size, E820_ACPI);
	for (unsigned i = 0; i < G_N_ELEMENTS(at); i++)
		blobs[req->blob_count++] = (struct boot_blob){
			names[i], at[i], g_bytes_new(acpi->piece[i]->data, acpi->piece[i]->len)};
	req->rsdp = ROOT_ADDR;
	return true;
}

/*
 * Where an 8086 begins, and where some operating systems jump to start over, Linux without a keyboard
 * controller among them. PUSH 0 thrice; MOV BP, SP; LIDT [BP]; INT3: no way to deliver it, so a reset.
 */
#define FIRST_INSTRUCTION 0xffff0
static const uint8_t start_over[] = {0x6a, 0x00, 0x6a, 0x00, 0x6a, 0x00, 0x89,
				     0xe5, 0x0f, 0x01, 0x5e, 0x00, 0xcc};

/*
 * An operating system on hardware-reduced ACPI takes the PICs as firmware leaves them: masked. Anything
 * else would reach the boot CPU's LINT0, which lets it through.
 */
static void act_as_firmware(void *opaque)
{
	static const struct {
		uint8_t port, value;
	} writes[] = {
		{0x20, 0x11}, {0x21, 0x08}, {0x21, 0x04}, {0x21, 0x01}, {0x21, 0xff},
		{0xa0, 0x11}, {0xa1, 0x70}, {0xa1, 0x02}, {0xa1, 0x01}, {0xa1, 0xff},
	};
	struct machine *m = opaque;

	as_write(&m->memory, FIRST_INSTRUCTION, start_over, sizeof(start_over));
	if (m->accel->irqchip == IRQCHIP_ON) {
		m->accel->ops->mask_pics(m->accel);
		return;
	}
	for (size_t i = 0; i < G_N_ELEMENTS(writes); i++)
		as_store(&m->io, NULL, writes[i].port, 1, writes[i].value);
}

static bool boot_directly(struct microvm *v, GError **errp)
{
	struct machine *m = &v->pc.m;
	struct e820_table map = {0};
	struct boot_blob blobs[ACPI_PIECES] = {};
	g_autoptr(GBytes) tree = microvm_device_tree(v);
	struct boot_request req = {
		.kernel = m->boot.kernel,
		.initrd = m->boot.initrd,
		.append = m->boot.append,
		.map = &map,
		.blobs = blobs,
		.device_tree = tree,
	};
	bool ok;

	reset_hook_add(act_as_firmware, m);
	e820_add_board(&map, m->below_4g, m->above_4g);
	e820_add_firmware(&map);
	if (!microvm_has_acpi(v))
		blobs[req.blob_count++] = (struct boot_blob){
			"MP table", ROOT_ADDR, g_byte_array_free_to_bytes(describe_mp(v))};
	ok = (!microvm_has_acpi(v) || add_acpi(v, &map, &req, blobs, errp)) &&
	     boot_request_install(&req, m, errp);
	while (req.blob_count)
		g_bytes_unref(blobs[--req.blob_count].bytes);
	return ok;
}

/* ---- Through firmware ---- */

static bool add_piece(struct microvm *v, const char *name, const GByteArray *piece, GError **errp)
{
	return fw_cfg_add_file_bytes(v->pc.fw_cfg, name, piece->data, piece->len, errp);
}

static bool add_tables(struct microvm *v, GError **errp)
{
	g_autoptr(acpi_tables) acpi = describe(v);
	g_autoptr(GByteArray) script = acpi_tables_script(acpi);

	return add_piece(v, ACPI_TABLES_FILE, acpi->piece[ACPI_TABLES], errp) &&
	       add_piece(v, ACPI_RSDP_FILE, acpi->piece[ACPI_RSDP], errp) &&
	       add_piece(v, ACPI_SCRIPT_FILE, script, errp);
}

static bool load_bios(struct microvm *v, GError **errp)
{
	struct machine *m = &v->pc.m;
	const char *name = m->boot.bios ?: m->firmware;
	const char *usual = microvm_has_acpi(v) ? BIOS_ACPI : BIOS_BARE;
	g_autofree char *path = name ? NULL : datafile_find(usual);

	/* Tests that drive registers do without. */
	if (!name && !path && !m->accel->ops->executes)
		return true;
	return pc_load_bios(&v->pc, &m->memory_root, name ?: usual, errp);
}

static bool boot_firmware(struct microvm *v, GError **errp)
{
	g_autoptr(GBytes) tree = microvm_device_tree(v);
	struct fw_cfg_file file = {.name = "etc/fdt", .content = tree};

	return (!microvm_has_acpi(v) || add_tables(v, errp)) &&
	       fw_cfg_add_file(v->pc.fw_cfg, &file, errp) &&
	       (!v->pc.m.boot.kernel || !v->option_roms || pc_boot_kernel(&v->pc, errp)) &&
	       load_bios(v, errp);
}

/* ---- Both ---- */

/* The machine is complete and would now run; the request is carried out instead. */
static bool dump_tree(struct microvm *v, GError **errp)
{
	g_autoptr(GBytes) tree = microvm_device_tree(v);
	g_autoptr(GError) err = NULL;
	gsize size;
	const char *bytes = g_bytes_get_data(tree, &size);

	if (!g_file_set_contents(v->dumpdtb, bytes, size, &err)) {
		error_set(errp, "could not write the device tree: %s", err->message);
		return false;
	}
	info_report("dtb dumped to %s. Exiting.", v->dumpdtb);
	system_shutdown_with_code(SHUTDOWN_HOST_QMP_QUIT, 0);
	return true;
}

bool microvm_boot(struct microvm *v, GError **errp)
{
	if (v->dumpdtb)
		return dump_tree(v, errp);
	v->append = command_line(v);
	v->pc.m.boot.append = v->append;
	return pc_boots_directly(&v->pc) ? boot_directly(v, errp) : boot_firmware(v, errp);
}
