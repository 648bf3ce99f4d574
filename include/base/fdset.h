/*
 * Sets of file descriptors, and the one way to open a file by a name that a user gave.
 *
 * -add-fd and QMP's add-fd put descriptors that somebody else opened into numbered sets; the path
 * /dev/fdset/N then stands for whichever descriptor of set N has the access mode that is wanted. The
 * sets own their descriptors; path_open() returns duplicates.
 */
#ifndef BASE_FDSET_H
#define BASE_FDSET_H

#include <sys/types.h>
#include "base/common.h"
#include "base/error.h"

struct fdset_entry {
	int fd;
	char *opaque; /* the client's note; NULL */
};

/* Takes @fd over. @id -1: the smallest number that is free. Returns the set's number. */
int64_t fdset_add(int64_t id, int fd, const char *opaque);

/* Closes @fd of the set, or with @fd -1 all of them. "File descriptor named '...' not found" */
bool fdset_remove(int64_t id, int fd, GError **errp);

/* Calls @fn once for each set, by rising number. */
void fdset_foreach(void (*fn)(int64_t id, const struct fdset_entry *entries, size_t count,
			      void *opaque),
		   void *opaque);

/*
 * open(2) with close-on-exec, of /dev/fdset/N too. @flags as open(2), @mode for O_CREAT, which path_create()
 * adds. The caller owns the result; -1 with an error "Could not open 'NAME': ...", or "... create".
 */
int path_open(const char *path, int flags, mode_t mode, GError **errp);
int path_create(const char *path, int flags, mode_t mode, GError **errp);

#endif
