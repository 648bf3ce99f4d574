/* `-smbios type=N,...` as structures, one for each type. */
#ifndef SMBIOS_SETTINGS_H
#define SMBIOS_SETTINGS_H

#include "hw/smbios.h"

#define SMBIOS_TYPES 256

struct smbios_set_bios {
	char *vendor, *version, *date;
	char *release; /* "MAJOR.MINOR" */
	bool uefi;
};

struct smbios_set_system {
	char *manufacturer, *product, *version, *serial, *uuid, *sku, *family;
};

struct smbios_set_board {
	char *manufacturer, *product, *version, *serial, *asset, *location;
};

struct smbios_set_chassis {
	char *manufacturer, *version, *serial, *asset, *sku;
};

struct smbios_set_processor {
	char *sock_pfx, *manufacturer, *version, *serial, *asset, *part;
	uint64_t max_speed, current_speed; /* MHz */
	uint64_t processor_id; /* EAX in the low half, EDX in the high; 0: the CPU's own */
};

struct smbios_set_connector {
	char *internal_reference, *external_reference;
	uint8_t connector_type, port_type;
};

struct smbios_set_onboard {
	char *designation;
	int kind; /* type of device as the structure has it */
	uint8_t instance;
	char *pcidev; /* ID of a PCI device; NULL: none */
};

struct smbios_set_strings {
	GArray *value, *path; /* char * */
};

struct smbios_set_memory {
	char *loc_pfx, *bank, *manufacturer, *serial, *asset, *part;
	uint16_t speed;
};

struct smbios_settings {
	bool has_bios, has_board; /* structures that are left out unless asked for */
	struct smbios_set_bios bios;
	struct smbios_set_system system;
	struct smbios_set_board board;
	struct smbios_set_chassis chassis;
	struct smbios_set_processor processor;
	struct smbios_set_memory memory;
	GPtrArray *strings;    /* char *: of type 11 */
	GPtrArray *connectors; /* struct smbios_set_connector * */
	GPtrArray *onboard;    /* struct smbios_set_onboard * */
	GByteArray *binary;    /* structures from files, as they are */
	/* Types that a file, or fields, have been given of: a type is the one or the other. */
	bool is_binary[SMBIOS_TYPES], has_fields[SMBIOS_TYPES];
};

/*
 * The size of the structure at the start of @bytes with its strings and their end; 0 when it is not all
 * there.
 */
size_t smbios_structure_size(const uint8_t *bytes, size_t size);

/* Two numbers of a byte each; false if @text is something else. */
bool smbios_parse_release(const char *text, uint8_t release[2]);
bool smbios_parse_uuid(const char *text, uint8_t uuid[16]);

#endif
