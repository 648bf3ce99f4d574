/* `-smbios type=N,...` as structures, one for each type. */
#ifndef SMBIOS_SETTINGS_H
#define SMBIOS_SETTINGS_H

#include "hw/smbios.h"

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

struct smbios_set_strings {
	GArray *value, *path; /* char * */
};

struct smbios_set_memory {
	char *loc_pfx, *bank, *manufacturer, *serial, *asset, *part;
	uint16_t speed;
};

struct smbios_settings {
	bool has_bios, has_board;
	struct smbios_set_bios bios;
	struct smbios_set_system system;
	struct smbios_set_board board;
	struct smbios_set_chassis chassis;
	struct smbios_set_processor processor;
	struct smbios_set_memory memory;
	GPtrArray *strings; /* char *: of type 11 */
};

/* Two numbers of a byte each; false if @text is something else. */
bool smbios_parse_release(const char *text, uint8_t release[2]);
bool smbios_parse_uuid(const char *text, uint8_t uuid[16]);

#endif
