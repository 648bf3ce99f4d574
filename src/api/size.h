/* The parser behind size_parse(), for callers with error texts of their own. */
#ifndef API_SIZE_H
#define API_SIZE_H

#include "base/common.h"

/* 0, -EINVAL, or -ERANGE when it is 2^64 or more. */
int size_scan(const char *text, uint64_t unit, uint64_t *size);

#endif
