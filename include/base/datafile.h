/*
 * Files that come with the program or the distribution: firmware, option ROMs, key maps.
 *
 * A name that exists as it stands is taken; else it is looked for in the folders given with -L, in
 * order, then beside the program in the folder it was built in, then in our own and in those where distributions put QEMU's, SeaBIOS' and OVMF's files.
 */
#ifndef BASE_DATAFILE_H
#define BASE_DATAFILE_H

#include "base/common.h"

/* A further folder, before the built-in ones. Start-up only. */
void datafile_add_dir(const char *dir);

/* A path that can be read (caller frees), or NULL. */
char *datafile_find(const char *name);

/* The folders in order, each a line: -L help. */
void datafile_print_dirs(GString *out);

#endif
