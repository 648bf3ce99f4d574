/*
 * SMBIOS tables: what the machine says of itself to inventory programs, from a description and the
 * user's `-smbios type=N,...` to bytes.
 *
 * The result is the table and the entry point (anchor) that leads to it. Firmware takes both as they
 * are, and fills in the address and the checksums; without firmware smbios_tables_place() does.
 */
#ifndef HW_SMBIOS_H
#define HW_SMBIOS_H

#include "api/json.h"
#include "base/common.h"
#include "base/error.h"

/* Borrowed for the time of the call. */
struct smbios_machine {
	const char *manufacturer, *product, *version; /* where the user names none */
	const uint8_t *uuid;                          /* 16 bytes as text reads; NULL: none */
	unsigned sockets;
	unsigned cores, threads;                  /* of one socket */
	uint32_t cpuid_signature, cpuid_features; /* leaf 1: EAX and EDX */
	uint64_t ram_size;
	uint64_t below_4g, above_4g; /* bytes of RAM at 0 and at 4 GiB */
	bool entry64;                /* the entry point of SMBIOS 3.0, not 2.8 */
	/* Bus << 8 | devfn of the PCI device with that ID; -1: there is none. NULL: no PCI. */
	int (*find_pci)(void *opaque, const char *id);
	void *opaque;
};

/* What the user asked for. */
struct smbios_settings;
struct smbios_settings *smbios_settings_new(void);
void smbios_settings_free(struct smbios_settings *s);

/*
 * One `-smbios`: members of @props are named as the option's fields, and have a "type". Later ones
 * win field by field; strings of type 11, and structures of types 8 and 41, gather. Or "file" alone:
 * structures with their strings, which take the place of those of their types.
 */
bool smbios_settings_add(struct smbios_settings *s, json_object *props, bool strict, GError **errp);

struct smbios_tables {
	GByteArray *table, *anchor;
};
#define SMBIOS_ANCHOR_ALIGN 16 /* in [0xf0000, 0x100000) */

/* @settings may be NULL. The caller owns the result; NULL when the table grows too long for 2.8,
 * or a device that the user named is not there. */
struct smbios_tables *smbios_tables_new(const struct smbios_machine *m,
					const struct smbios_settings *settings, GError **errp);
void smbios_tables_free(struct smbios_tables *t);
typedef struct smbios_tables smbios_tables;     /* for g_autoptr(smbios_tables) only */
typedef struct smbios_settings smbios_settings; /* for g_autoptr(smbios_settings) only */
G_DEFINE_AUTOPTR_CLEANUP_FUNC(smbios_tables, smbios_tables_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC(smbios_settings, smbios_settings_free)

/* The table will be at @table: completes the anchor, once. */
void smbios_tables_place(struct smbios_tables *t, uint32_t table);

#endif
