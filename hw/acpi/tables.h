/* Appending tables to a piece, and noting what must be done when its place is known. */
#ifndef ACPI_TABLES_H
#define ACPI_TABLES_H

#include "hw/acpi.h"

/*
 * Appends @size bytes on a boundary of @align and returns their offset. The bytes stay where they
 * are only until the next call.
 */
uint32_t tables_append(struct acpi_tables *t, const void *bytes, size_t size, unsigned align);

/* A table that is complete but for its header: fills that in, and has its checksum made. */
uint32_t tables_add(struct acpi_tables *t, const struct acpi_machine *m, const char *signature,
		    uint8_t revision, const void *table, size_t size);

/* The member at @offset of piece @in, @size bytes wide, is to point to @target in the tables. */
void tables_point(struct acpi_tables *t, enum acpi_piece in, uint32_t offset, uint32_t size,
		  uint32_t target);
/* The same with the start of piece @to. */
void tables_point_to(struct acpi_tables *t, enum acpi_piece in, uint32_t offset, uint32_t size,
		     enum acpi_piece to);

void tables_sum(struct acpi_tables *t, enum acpi_piece in, uint32_t offset, uint32_t start,
		uint32_t length);

/* NUMA nodes: which CPUs and memory they have, how far they are apart. */
uint32_t srat_add(struct acpi_tables *t, const struct acpi_machine *m);
uint32_t slit_add(struct acpi_tables *t, const struct acpi_machine *m);

/* Of a machine with a generic event device. */
uint32_t fadt_add_reduced(struct acpi_tables *t, const struct acpi_machine *m, uint32_t dsdt);
/* The entry of one CPU. */
void madt_add_cpu(GByteArray *madt, const struct acpi_machine *m, unsigned index, bool enabled);
uint32_t madt_add(struct acpi_tables *t, const struct acpi_machine *m);

/* The page with the generation ID, and the SSDT that leads to it. */
uint32_t generation_add(struct acpi_tables *t, const struct acpi_machine *m);

#endif
