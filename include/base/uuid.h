/* UUIDs in text: 8-4-4-4-12 hexadecimal digits, bytes in the order of the text. */
#ifndef BASE_UUID_H
#define BASE_UUID_H

#include "base/common.h"

#define UUID_SIZE 16

/* False where @text is no UUID; @uuid may then be half written. */
bool uuid_parse(const char *text, uint8_t uuid[UUID_SIZE]);
/* Caller frees. */
char *uuid_print(const uint8_t uuid[UUID_SIZE]);
/* The layout of firmware and of Windows: the first three groups little-endian. Its own inverse. */
void uuid_swap(uint8_t uuid[UUID_SIZE]);

#endif
