/*
 * The SMBIOS table: one structure after the other, each followed by its strings; and the anchor.
 *
 * Values that no specification asks for (speeds, form factors, handles) are those guests know from the
 * machine this one stands in for.
 */
#include "hw/smbios.h"

#include "abi/smbios.h"
#include "base/checked.h"
#include "settings.h"

#define MODULE_MAX   (16 * GIB) /* memory is shown as modules of up to that size */
#define NO_INFO      0xfffe     /* of an error handle: no error information */
#define NO_HANDLE    0xffff
#define UNKNOWN16    0xffff
#define MANY_CORES   0xff
#define TABLE_MAX_28 UINT16_MAX

enum {
	HANDLE_BIOS = 0x000,
	HANDLE_SYSTEM = 0x100,
	HANDLE_BOARD = 0x200,
	HANDLE_CHASSIS = 0x300,
	HANDLE_PROCESSOR = 0x400,
	HANDLE_CONNECTOR = 0x800,
	HANDLE_STRINGS = 0xe00,
	HANDLE_ARRAY = 0x1000,
	HANDLE_MODULE = 0x1100,
	HANDLE_ADDRESS = 0x1300,
	HANDLE_BOOT = 0x2000,
	HANDLE_ONBOARD = 0x2900,
	HANDLE_END = 0x7f00,
};

struct build {
	const struct smbios_machine *m;
	const struct smbios_settings *set;
	GByteArray *table;
	GByteArray *strings; /* of the structure at hand */
	unsigned string_count;
	unsigned count, max_size; /* of structures */
};

/* The number of a string of the structure at hand; 0 for none. */
static uint8_t add_string(struct build *b, const char *text)
{
	if (!text || !*text)
		return 0;
	g_byte_array_append(b->strings, (const uint8_t *)text, strlen(text) + 1);
	return ++b->string_count;
}

/*
 * Completes the structure at hand, @length bytes at @header. At least two NULs end it. It is dropped where
 * the user gave files with structures of its type.
 */
static void add_structure(struct build *b, unsigned type, unsigned handle,
			  struct smbios_header *header, size_t length)
{
	static const uint8_t zeros[2];
	unsigned start = b->table->len;

	header->type = type;
	header->length = length;
	header->handle = handle;
	if (!b->set->is_binary[type]) {
		g_byte_array_append(b->table, (const uint8_t *)header, length);
		g_byte_array_append(b->table, b->strings->data, b->strings->len);
		g_byte_array_append(b->table, zeros, b->string_count ? 1 : 2);
		b->count++;
		b->max_size = MAX(b->max_size, b->table->len - start);
	}
	g_byte_array_set_size(b->strings, 0);
	b->string_count = 0;
}

#define ADD(b, type, handle, s) add_structure(b, type, handle, &(s)->header, sizeof(*(s)))

static void add_bios(struct build *b)
{
	const struct smbios_set_bios *set = &b->set->bios;
	uint8_t release[2] = {0, 0};
	struct smbios_bios s = {
		.vendor_str = add_string(b, set->vendor),
		.start_segment = 0xe800,
		.characteristics = BIT(3),                 /* characteristics are not supported */
		.extension = {0, set->uefi ? 0x1c : 0x14}, /* virtual machine, target, UEFI */
		.controller_major = 0xff,
		.controller_minor = 0xff,
	};

	s.version_str = add_string(b, set->version);
	s.date_str = add_string(b, set->date);
	if (set->release)
		smbios_parse_release(set->release, release);
	s.major = release[0];
	s.minor = release[1];
	ADD(b, 0, HANDLE_BIOS, &s);
}

/* The first three fields of a UUID are numbers, least significant byte first. */
static void swap_uuid(uint8_t out[16], const uint8_t in[16])
{
	static const uint8_t order[16] = {3, 2, 1, 0, 5, 4, 7, 6, 8, 9, 10, 11, 12, 13, 14, 15};

	for (unsigned i = 0; i < 16; i++)
		out[i] = in[order[i]];
}

static void add_system(struct build *b)
{
	const struct smbios_set_system *set = &b->set->system;
	struct smbios_system s = {.wake_up = 6 /* power switch */};
	uint8_t uuid[16] = {0};

	s.manufacturer_str = add_string(b, set->manufacturer ?: b->m->manufacturer);
	s.product_str = add_string(b, set->product ?: b->m->product);
	s.version_str = add_string(b, set->version ?: b->m->version);
	s.serial_str = add_string(b, set->serial);
	if (set->uuid)
		smbios_parse_uuid(set->uuid, uuid);
	else if (b->m->uuid)
		memcpy(uuid, b->m->uuid, sizeof(uuid));
	swap_uuid(s.uuid, uuid);
	s.sku_str = add_string(b, set->sku);
	s.family_str = add_string(b, set->family);
	ADD(b, 1, HANDLE_SYSTEM, &s);
}

static void add_board(struct build *b)
{
	const struct smbios_set_board *set = &b->set->board;
	struct smbios_board s = {
		.features = BIT(0), /* hosts */
		.chassis = HANDLE_CHASSIS,
		.type = 0x0a, /* motherboard */
	};

	s.manufacturer_str = add_string(b, set->manufacturer ?: b->m->manufacturer);
	s.product_str = add_string(b, set->product ?: b->m->product);
	s.version_str = add_string(b, set->version ?: b->m->version);
	s.serial_str = add_string(b, set->serial);
	s.asset_str = add_string(b, set->asset);
	s.location_str = add_string(b, set->location);
	ADD(b, 2, HANDLE_BOARD, &s);
}

static void add_chassis(struct build *b)
{
	const struct smbios_set_chassis *set = &b->set->chassis;
	struct smbios_chassis s = {
		.type = 1,       /* other */
		.boot_state = 3, /* safe, all three */
		.power_state = 3,
		.thermal_state = 3,
		.security = 2, /* unknown */
	};

	s.manufacturer_str = add_string(b, set->manufacturer ?: b->m->manufacturer);
	s.version_str = add_string(b, set->version ?: b->m->version);
	s.serial_str = add_string(b, set->serial);
	s.asset_str = add_string(b, set->asset);
	s.sku_str = add_string(b, set->sku);
	ADD(b, 3, HANDLE_CHASSIS, &s);
}

static void add_processor(struct build *b, unsigned socket)
{
	const struct smbios_set_processor *set = &b->set->processor;
	g_autofree char *name = g_strdup_printf("%s%2x", set->sock_pfx ?: "CPU", socket);
	uint64_t id = set->processor_id;
	struct smbios_processor s = {
		.type = 3,   /* central processor */
		.family = 1, /* other */
		.signature = id ? (uint32_t)id : b->m->cpuid_signature,
		.features = id ? id >> 32 : b->m->cpuid_features,
		.max_speed = set->max_speed,
		.current_speed = set->current_speed,
		.status = 0x41, /* populated, enabled */
		.upgrade = 1,   /* other */
		.cache = {NO_HANDLE, NO_HANDLE, NO_HANDLE},
		.cores = MIN(b->m->cores, MANY_CORES),
		.cores_enabled = MIN(b->m->cores, MANY_CORES),
		.threads = MIN(b->m->threads, MANY_CORES),
		.characteristics = BIT(1), /* unknown */
		.family2 = 1,
		.cores2 = b->m->cores,
		.cores_enabled2 = b->m->cores,
		.threads2 = b->m->threads,
	};

	s.socket_str = add_string(b, name);
	s.manufacturer_str = add_string(b, set->manufacturer ?: b->m->manufacturer);
	s.version_str = add_string(b, set->version ?: b->m->version);
	s.serial_str = add_string(b, set->serial);
	s.asset_str = add_string(b, set->asset);
	s.part_str = add_string(b, set->part);
	add_structure(b, 4, HANDLE_PROCESSOR + socket, &s.header,
		      b->m->entry64 ? sizeof(s) : SMBIOS_PROCESSOR_LENGTH_28);
}

static void add_connectors(struct build *b)
{
	for (guint i = 0; i < b->set->connectors->len; i++) {
		const struct smbios_set_connector *set = b->set->connectors->pdata[i];
		struct smbios_connector s = {
			.internal_str = add_string(b, set->internal_reference),
			.external_type = set->connector_type,
			.port_type = set->port_type,
		};

		s.external_str = add_string(b, set->external_reference);
		ADD(b, 8, HANDLE_CONNECTOR + i, &s);
	}
}

static void add_oem_strings(struct build *b)
{
	const GPtrArray *strings = b->set->strings;
	struct smbios_oem_strings s = {};

	if (!strings->len)
		return;
	for (unsigned i = 0; i < strings->len; i++)
		s.count = add_string(b, strings->pdata[i]) ?: s.count;
	ADD(b, 11, HANDLE_STRINGS, &s);
}

static void add_memory_array(struct build *b, unsigned modules)
{
	uint64_t kib = b->m->ram_size / KIB;
	bool fits = kib < BIT(31);
	struct smbios_memory_array s = {
		.location = 1,         /* other */
		.use = 3,              /* system memory */
		.error_correction = 6, /* multi-bit ECC */
		.capacity = fits ? kib : BIT(31),
		.error_handle = NO_INFO,
		.devices = modules,
		.extended_capacity = fits ? 0 : b->m->ram_size,
	};

	ADD(b, 16, HANDLE_ARRAY, &s);
}

static void add_module(struct build *b, unsigned index, uint64_t size)
{
	const struct smbios_set_memory *set = &b->set->memory;
	g_autofree char *name = g_strdup_printf("%s %u", set->loc_pfx ?: "DIMM", index);
	struct smbios_memory_device s = {
		.array = HANDLE_ARRAY,
		.error_handle = NO_INFO,
		.total_width = UNKNOWN16,
		.data_width = UNKNOWN16,
		.size = DIV_ROUND_UP(size, MIB), /* of MODULE_MAX at most */
		.form_factor = 9,                /* DIMM */
		.type = 7,                       /* RAM */
		.detail = BIT(1),                /* other */
		.speed = set->speed,
		.configured_speed = set->speed,
	};

	s.locator_str = add_string(b, name);
	s.bank_str = add_string(b, set->bank);
	s.manufacturer_str = add_string(b, set->manufacturer ?: b->m->manufacturer);
	s.serial_str = add_string(b, set->serial);
	s.asset_str = add_string(b, set->asset);
	s.part_str = add_string(b, set->part);
	ADD(b, 17, HANDLE_MODULE + index, &s);
}

static void add_address(struct build *b, unsigned handle, uint64_t start, uint64_t size)
{
	uint64_t last = start + size - 1;
	bool fits = last / KIB < UINT32_MAX;
	struct smbios_mapped_address s = {
		.start = fits ? start / KIB : UINT32_MAX,
		.end = fits ? last / KIB : UINT32_MAX,
		.array = HANDLE_ARRAY,
		.partition_width = 1,
		.extended_start = fits ? 0 : start,
		.extended_end = fits ? 0 : last,
	};

	ADD(b, 19, handle, &s);
}

static void add_memory(struct build *b)
{
	uint64_t left = b->m->ram_size;
	unsigned modules = DIV_ROUND_UP(left, MODULE_MAX), handle;

	add_memory_array(b, modules);
	for (unsigned i = 0; i < modules; i++) {
		add_module(b, i, MIN(left, MODULE_MAX));
		left -= MIN(left, MODULE_MAX);
	}
	handle = MAX(HANDLE_ADDRESS, HANDLE_MODULE + modules);
	add_address(b, handle, 0, b->m->below_4g);
	if (b->m->above_4g)
		add_address(b, handle + 1, 4 * GIB, b->m->above_4g);
}

static bool add_onboard(struct build *b, GError **errp)
{
	for (guint i = 0; i < b->set->onboard->len; i++) {
		const struct smbios_set_onboard *set = b->set->onboard->pdata[i];
		struct smbios_onboard s = {.kind = 0x80 | set->kind, .instance = set->instance};
		int addr = 0;

		if (set->pcidev)
			addr = b->m->find_pci ? b->m->find_pci(b->m->opaque, set->pcidev) : -1;
		if (addr < 0) {
			error_set(errp, "No PCI device %s for SMBIOS type 41 entry %s", set->pcidev,
				  set->designation ?: "");
			return false;
		}
		s.designation_str = add_string(b, set->designation);
		s.bus = addr >> 8;
		s.devfn = addr;
		ADD(b, 41, HANDLE_ONBOARD + i, &s);
	}
	return true;
}

/* Files come first, as they are; they were checked when they were read. */
static void add_binary(struct build *b)
{
	const GByteArray *in = b->set->binary;

	for (size_t at = 0, size; at < in->len; at += size) {
		size = smbios_structure_size(in->data + at, in->len - at);
		b->count++;
		b->max_size = MAX(b->max_size, size);
	}
	g_byte_array_append(b->table, in->data, in->len);
}

static bool add_all(struct build *b, GError **errp)
{
	struct smbios_boot boot = {.status = 0 /* no errors */};
	struct smbios_header end;

	add_binary(b);
	if (b->set->has_bios)
		add_bios(b);
	add_system(b);
	if (b->set->has_board)
		add_board(b);
	add_chassis(b);
	for (unsigned i = 0; i < b->m->sockets; i++)
		add_processor(b, i);
	add_connectors(b);
	add_oem_strings(b);
	add_memory(b);
	ADD(b, 32, HANDLE_BOOT, &boot);
	if (!add_onboard(b, errp))
		return false;
	add_structure(b, 127, HANDLE_END, &end, sizeof(end));
	return true;
}

static void add_anchor(const struct build *b, GByteArray *out)
{
	struct smbios_anchor30 wide = {
		.length = sizeof(wide), .major = 3, .revision = 1, .max_size = b->table->len};
	struct smbios_anchor21 narrow = {
		.length = sizeof(narrow),
		.major = 2,
		.minor = 8,
		.max_size = b->max_size,
		.table_length = b->table->len,
		.count = b->count,
		.bcd_revision = 0x28,
	};

	memcpy(wide.anchor, "_SM3_", sizeof(wide.anchor));
	memcpy(narrow.anchor, "_SM_", sizeof(narrow.anchor));
	memcpy(narrow.intermediate, "_DMI_", sizeof(narrow.intermediate));
	if (b->m->entry64)
		g_byte_array_append(out, (uint8_t *)&wide, sizeof(wide));
	else
		g_byte_array_append(out, (uint8_t *)&narrow, sizeof(narrow));
}

struct smbios_tables *smbios_tables_new(const struct smbios_machine *m,
					const struct smbios_settings *settings, GError **errp)
{
	g_autoptr(smbios_tables) t = g_new0(struct smbios_tables, 1);
	g_autoptr(smbios_settings) none = smbios_settings_new();
	g_autoptr(GByteArray) strings = g_byte_array_new();
	struct build b = {.m = m, .set = settings ?: none, .strings = strings};

	t->anchor = g_byte_array_new();
	b.table = t->table = g_byte_array_new();
	if (!add_all(&b, errp))
		return NULL;
	if (!m->entry64 && b.table->len > TABLE_MAX_28) {
		error_set(errp, "SMBIOS 2.1 table length %u exceeds %u", b.table->len,
			  TABLE_MAX_28);
		error_add_hint(errp, "Use -machine smbios-entry-point-type=64.");
		return NULL;
	}
	add_anchor(&b, t->anchor);
	return g_steal_pointer(&t);
}

void smbios_tables_free(struct smbios_tables *t)
{
	if (!t)
		return;
	g_byte_array_unref(t->table);
	g_byte_array_unref(t->anchor);
	g_free(t);
}

static uint8_t checksum(const void *bytes, size_t size)
{
	const uint8_t *p = bytes;
	uint8_t sum = 0;

	while (size--)
		sum -= *p++;
	return sum;
}

void smbios_tables_place(struct smbios_tables *t, uint32_t table)
{
	struct smbios_anchor21 *narrow = (struct smbios_anchor21 *)t->anchor->data;
	struct smbios_anchor30 *wide = (struct smbios_anchor30 *)t->anchor->data;
	size_t start = offsetof(struct smbios_anchor21, intermediate);

	if (t->anchor->len == sizeof(*wide)) {
		wide->table = table;
		wide->checksum = checksum(wide, sizeof(*wide));
		return;
	}
	narrow->table = table;
	narrow->intermediate_checksum = checksum(narrow->intermediate, sizeof(*narrow) - start);
	narrow->checksum = checksum(narrow, sizeof(*narrow));
}
