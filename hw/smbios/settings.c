/* Rows of `-smbios type=N,...`, and how several of them add up. */
#include "settings.h"

#include "abi/smbios.h"
#include "api/codec.h"

#define SPEED_MAX   UINT16_MAX
#define STRINGS_MAX UINT8_MAX /* of a structure */

#define S struct smbios_set_bios
static const struct field bios_rows[] = {
	PROP_STRING(S, vendor, "vendor", NULL, "Vendor of the firmware"),
	PROP_STRING(S, version, "version", NULL, "Version of the firmware"),
	PROP_STRING(S, date, "date", NULL, "Release date of the firmware"),
	PROP_STRING(S, release, "release", NULL, "Release of the firmware, MAJOR.MINOR"),
	PROP_BOOL(S, uefi, "uefi", false, "The firmware is UEFI"),
	FIELD_ROW_END,
};
#undef S

#define S struct smbios_set_system
static const struct field system_rows[] = {
	PROP_STRING(S, manufacturer, "manufacturer", NULL, "Manufacturer of the system"),
	PROP_STRING(S, product, "product", NULL, "Name of the system"),
	PROP_STRING(S, version, "version", NULL, "Version of the system"),
	PROP_STRING(S, serial, "serial", NULL, "Serial number of the system"),
	PROP_STRING(S, uuid, "uuid", NULL, "UUID of the system"),
	PROP_STRING(S, sku, "sku", NULL, "Stock keeping unit"),
	PROP_STRING(S, family, "family", NULL, "Family of systems"),
	FIELD_ROW_END,
};
#undef S

#define S struct smbios_set_board
static const struct field board_rows[] = {
	PROP_STRING(S, manufacturer, "manufacturer", NULL, "Manufacturer of the board"),
	PROP_STRING(S, product, "product", NULL, "Name of the board"),
	PROP_STRING(S, version, "version", NULL, "Version of the board"),
	PROP_STRING(S, serial, "serial", NULL, "Serial number of the board"),
	PROP_STRING(S, asset, "asset", NULL, "Asset tag of the board"),
	PROP_STRING(S, location, "location", NULL, "Place of the board in the chassis"),
	FIELD_ROW_END,
};
#undef S

#define S struct smbios_set_chassis
static const struct field chassis_rows[] = {
	PROP_STRING(S, manufacturer, "manufacturer", NULL, "Manufacturer of the chassis"),
	PROP_STRING(S, version, "version", NULL, "Version of the chassis"),
	PROP_STRING(S, serial, "serial", NULL, "Serial number of the chassis"),
	PROP_STRING(S, asset, "asset", NULL, "Asset tag of the chassis"),
	PROP_STRING(S, sku, "sku", NULL, "Stock keeping unit"),
	FIELD_ROW_END,
};
#undef S

#define S struct smbios_set_processor
static const struct field processor_rows[] = {
	PROP_STRING(S, sock_pfx, "sock_pfx", NULL, "What sockets are called, before their number"),
	PROP_STRING(S, manufacturer, "manufacturer", NULL, "Manufacturer of the processors"),
	PROP_STRING(S, version, "version", NULL, "Version of the processors"),
	PROP_STRING(S, serial, "serial", NULL, "Serial number of the processors"),
	PROP_STRING(S, asset, "asset", NULL, "Asset tag of the processors"),
	PROP_STRING(S, part, "part", NULL, "Part number of the processors"),
	PROP_UINT(S, max_speed, "max-speed", 2000, 0, "Highest speed in MHz"),
	PROP_UINT(S, current_speed, "current-speed", 2000, 0, "Speed at start in MHz"),
	PROP_UINT(S, processor_id, "processor-id", 0, 0, "CPUID 1: EDX and EAX as one number"),
	FIELD_ROW_END,
};
#undef S

#define S struct smbios_set_connector
static const struct field connector_rows[] = {
	PROP_STRING(S, internal_reference, "internal_reference", NULL, "Name inside the case"),
	PROP_STRING(S, external_reference, "external_reference", NULL, "Name outside of it"),
	PROP_UINT(S, connector_type, "connector_type", 0, 0, "Type of the connector outside"),
	PROP_UINT(S, port_type, "port_type", 0, 0, "Type of the port"),
	FIELD_ROW_END,
};
#undef S

static const struct enum_name onboard_kinds[] = {
	{"other", 1, NULL},    {"unknown", 2, NULL},   {"video", 3, NULL}, {"scsi", 4, NULL},
	{"ethernet", 5, NULL}, {"tokenring", 6, NULL}, {"sound", 7, NULL}, {"pata", 8, NULL},
	{"sata", 9, NULL},     {"sas", 10, NULL},      {NULL, 0, NULL},
};
#define S struct smbios_set_onboard
static const struct field onboard_rows[] = {
	PROP_STRING(S, designation, "designation", NULL, "Name of the device on the board"),
	PROP_ENUM(S, kind, "kind", onboard_kinds, 1, "What it is"),
	PROP_UINT(S, instance, "instance", 1, 0, "Number among its kind"),
	PROP_STRING(S, pcidev, "pcidev", NULL, "ID of the PCI device"),
	FIELD_ROW_END,
};
#undef S

static const struct field string_row = {
	.kind = FIELD_STRING,
	.width = sizeof(char *),
	.name = "string",
	.help = "A string",
};
#define S struct smbios_set_strings
static const struct field strings_rows[] = {
	OPT_LIST(S, value, "value", &string_row, "Text of a string"),
	OPT_LIST(S, path, "path", &string_row, "File with the text of a string"),
	FIELD_ROW_END,
};
#undef S

#define S struct smbios_set_memory
static const struct field memory_rows[] = {
	PROP_STRING(S, loc_pfx, "loc_pfx", NULL, "What slots are called, before their number"),
	PROP_STRING(S, bank, "bank", NULL, "Name of the memory bank"),
	PROP_STRING(S, manufacturer, "manufacturer", NULL, "Manufacturer of the modules"),
	PROP_STRING(S, serial, "serial", NULL, "Serial number of the modules"),
	PROP_STRING(S, asset, "asset", NULL, "Asset tag of the modules"),
	PROP_STRING(S, part, "part", NULL, "Part number of the modules"),
	PROP_UINT(S, speed, "speed", 0, 0, "Speed in MT/s"),
	FIELD_ROW_END,
};
#undef S

static const struct {
	uint64_t type;
	const struct field *rows;
	size_t offset;
} kinds[] = {
	{0, bios_rows, offsetof(struct smbios_settings, bios)},
	{1, system_rows, offsetof(struct smbios_settings, system)},
	{2, board_rows, offsetof(struct smbios_settings, board)},
	{3, chassis_rows, offsetof(struct smbios_settings, chassis)},
	{4, processor_rows, offsetof(struct smbios_settings, processor)},
	{17, memory_rows, offsetof(struct smbios_settings, memory)},
};
#define TYPE_CONNECTOR 8
#define TYPE_STRINGS   11
#define TYPE_ONBOARD   41

/* Each member takes the place of an earlier one. */
static bool set_members(const struct field *rows, json_object *props, void *into, bool strict,
			GError **errp)
{
	json_object_object_foreach(props, name, value)
	{
		const struct field *row = fields_find(rows, name);

		if (g_str_equal(name, "type"))
			continue;
		if (!row) {
			error_set(errp, "Invalid parameter '%s'", name);
			return false;
		}
		if (!codec_decode_field(row, value, into, !strict, errp))
			return false;
	}
	return true;
}

static bool add_file(struct smbios_settings *s, const char *path, GError **errp)
{
	g_autofree char *text = NULL;
	gsize length;

	if (!g_file_get_contents(path, &text, &length, errp))
		return false;
	if (memchr(text, 0, length)) {
		error_set(errp, "NUL in OEM strings value in '%s'", path);
		return false;
	}
	g_ptr_array_add(s->strings, g_steal_pointer(&text));
	return true;
}

/* The numbers of strings are bytes. */
static bool add_strings(struct smbios_settings *s, json_object *props, bool strict, GError **errp)
{
	struct smbios_set_strings strings = {};
	bool ok = set_members(strings_rows, props, &strings, strict, errp);

	for (unsigned i = 0; ok && strings.value && i < strings.value->len; i++)
		g_ptr_array_add(s->strings, g_strdup(g_array_index(strings.value, char *, i)));
	for (unsigned i = 0; ok && strings.path && i < strings.path->len; i++)
		ok = add_file(s, g_array_index(strings.path, char *, i), errp);
	fields_clear(strings_rows, &strings);
	if (ok && s->strings->len > STRINGS_MAX) {
		g_ptr_array_set_size(s->strings, STRINGS_MAX);
		error_set(errp, "SMBIOS type 11 takes at most %d strings", STRINGS_MAX);
		return false;
	}
	return ok;
}

/* Types of which there may be any number: each -smbios is one more structure. */
static bool add_one(GPtrArray *list, const struct field *rows, size_t size, json_object *props,
		    bool strict, GError **errp)
{
	void *one = g_malloc0(size);

	fields_set_defaults(rows, one);
	g_ptr_array_add(list, one);
	return set_members(rows, props, one, strict, errp);
}

/* ---- file= ---- */

size_t smbios_structure_size(const uint8_t *bytes, size_t size)
{
	size_t end;

	if (size < sizeof(struct smbios_header) || bytes[1] < sizeof(struct smbios_header))
		return 0;
	for (end = bytes[1]; end + 2 <= size; end++) {
		if (!bytes[end] && !bytes[end + 1])
			return end + 2;
	}
	return 0;
}

static bool add_structures(struct smbios_settings *s, const uint8_t *bytes, size_t size,
			   const char *path, GError **errp)
{
	for (size_t at = 0, length; at < size; at += length) {
		unsigned type = bytes[at];

		length = smbios_structure_size(bytes + at, size - at);
		if (!length) {
			error_set(errp,
				  "SMBIOS file %s: what begins at byte %zu of %zu is no whole "
				  "structure",
				  path, at, size);
			return false;
		}
		if (s->has_fields[type]) {
			error_set(errp, "can't load type %u struct, fields already specified!",
				  type);
			return false;
		}
		s->is_binary[type] = true;
	}
	g_byte_array_append(s->binary, bytes, size);
	return true;
}

static bool add_binary(struct smbios_settings *s, const char *path, GError **errp)
{
	g_autofree char *bytes = NULL;
	gsize size;

	if (!g_file_get_contents(path, &bytes, &size, NULL) || !size) {
		error_set(errp, "Cannot read SMBIOS file %s", path);
		return false;
	}
	return add_structures(s, (const uint8_t *)bytes, size, path, errp);
}

/* The option's only other member. */
static bool add_option_file(struct smbios_settings *s, json_object *props, GError **errp)
{
	json_object_object_foreach(props, name, value)
	{
		if (!g_str_equal(name, "file")) {
			error_set(errp, "Invalid parameter '%s'", name);
			return false;
		}
		if (!add_binary(s, json_object_get_string(value), errp))
			return false;
	}
	return true;
}

bool smbios_parse_release(const char *text, uint8_t release[2])
{
	char *end;
	uint64_t major = g_ascii_strtoull(text, &end, 10), minor;

	if (end == text || *end != '.' || major > UINT8_MAX)
		return false;
	text = end + 1;
	minor = g_ascii_strtoull(text, &end, 10);
	if (end == text || *end || minor > UINT8_MAX)
		return false;
	release[0] = major;
	release[1] = minor;
	return true;
}

bool smbios_parse_uuid(const char *text, uint8_t uuid[16])
{
	if (!g_uuid_string_is_valid(text))
		return false;
	for (unsigned i = 0; i < 16; text += 2) {
		if (*text == '-')
			text++;
		uuid[i++] = g_ascii_xdigit_value(text[0]) << 4 | g_ascii_xdigit_value(text[1]);
	}
	return true;
}

/* What rows cannot say. */
static bool check(const struct smbios_settings *s, GError **errp)
{
	uint8_t release[2], uuid[16];

	if (s->bios.release && !smbios_parse_release(s->bios.release, release)) {
		error_set(errp, "Invalid release '%s', expected: MAJOR.MINOR, each up to 255",
			  s->bios.release);
		return false;
	}
	if (s->system.uuid && !smbios_parse_uuid(s->system.uuid, uuid)) {
		error_set(errp, "Invalid UUID '%s'", s->system.uuid);
		return false;
	}
	if (s->processor.max_speed > SPEED_MAX || s->processor.current_speed > SPEED_MAX) {
		error_set(errp, "SMBIOS CPU speed is too large (> %d)", SPEED_MAX);
		return false;
	}
	return true;
}

static bool add_fields(struct smbios_settings *s, uint64_t number, json_object *props, bool strict,
		       GError **errp)
{
	switch (number) {
	case TYPE_CONNECTOR:
		return add_one(s->connectors, connector_rows, sizeof(struct smbios_set_connector),
			       props, strict, errp);
	case TYPE_STRINGS:
		return add_strings(s, props, strict, errp);
	case TYPE_ONBOARD:
		return add_one(s->onboard, onboard_rows, sizeof(struct smbios_set_onboard), props,
			       strict, errp);
	}
	for (size_t i = 0; i < G_N_ELEMENTS(kinds); i++) {
		if (kinds[i].type != number)
			continue;
		s->has_bios |= number == 0;
		s->has_board |= number == 2;
		return set_members(kinds[i].rows, props, (char *)s + kinds[i].offset, strict,
				   errp) &&
		       check(s, errp);
	}
	error_set(errp, "Don't know how to build fields for SMBIOS type %" PRIu64, number);
	return false;
}

bool smbios_settings_add(struct smbios_settings *s, json_object *props, bool strict, GError **errp)
{
	json_object *type = json_object_object_get(props, "type");
	uint64_t number = type ? json_object_get_uint64(type) : 0;

	if (json_object_object_get(props, "file"))
		return add_option_file(s, props, errp);
	if (number < SMBIOS_TYPES && s->is_binary[number]) {
		error_set(errp, "can't add fields, binary file already loaded!");
		return false;
	}
	if (!add_fields(s, number, props, strict, errp))
		return false;
	s->has_fields[number] = true;
	return true;
}

static void connector_free(void *one)
{
	fields_clear(connector_rows, one);
	g_free(one);
}

static void onboard_free(void *one)
{
	fields_clear(onboard_rows, one);
	g_free(one);
}

struct smbios_settings *smbios_settings_new(void)
{
	struct smbios_settings *s = g_new0(struct smbios_settings, 1);

	for (size_t i = 0; i < G_N_ELEMENTS(kinds); i++)
		fields_set_defaults(kinds[i].rows, (char *)s + kinds[i].offset);
	s->strings = g_ptr_array_new_with_free_func(g_free);
	s->connectors = g_ptr_array_new_with_free_func(connector_free);
	s->onboard = g_ptr_array_new_with_free_func(onboard_free);
	s->binary = g_byte_array_new();
	return s;
}

void smbios_settings_free(struct smbios_settings *s)
{
	if (!s)
		return;
	for (size_t i = 0; i < G_N_ELEMENTS(kinds); i++)
		fields_clear(kinds[i].rows, (char *)s + kinds[i].offset);
	g_ptr_array_unref(s->strings);
	g_ptr_array_unref(s->connectors);
	g_ptr_array_unref(s->onboard);
	g_byte_array_unref(s->binary);
	g_free(s);
}
