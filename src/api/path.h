/* Where in nested JSON the codec is, for errors: "backend.data.addr", "keys[0].data". */
#ifndef API_PATH_H
#define API_PATH_H

#include "base/common.h"

struct path {
	const struct path *up; /* NULL: outermost */
	const char *name;      /* of a member; NULL: a list element */
	unsigned index;
};

/* The whole path (caller frees). */
char *path_text(const struct path *path);

#endif
