/* See include/base/uuid.h. */
#include "base/uuid.h"

#define TEXT_SIZE 36

bool uuid_parse(const char *text, uint8_t uuid[UUID_SIZE])
{
	if (strlen(text) != TEXT_SIZE)
		return false;
	for (int i = 0, n = 0; i < TEXT_SIZE; i++) {
		int digit = g_ascii_xdigit_value(text[i]);

		if (i == 8 || i == 13 || i == 18 || i == 23) {
			if (text[i] != '-')
				return false;
			continue;
		}
		if (digit < 0)
			return false;
		uuid[n / 2] = uuid[n / 2] << 4 | digit;
		n++;
	}
	return true;
}

char *uuid_print(const uint8_t u[UUID_SIZE])
{
	return g_strdup_printf(
		"%02x%02x%02x%02x-%02x%02x-%02x%02x-%02x%02x-%02x%02x%02x%02x%02x%02x", u[0], u[1],
		u[2], u[3], u[4], u[5], u[6], u[7], u[8], u[9], u[10], u[11], u[12], u[13], u[14],
		u[15]);
}

static void swap(uint8_t *a, uint8_t *b)
{
	uint8_t was = *a;

	*a = *b;
	*b = was;
}

void uuid_swap(uint8_t u[UUID_SIZE])
{
	swap(&u[0], &u[3]);
	swap(&u[1], &u[2]);
	swap(&u[4], &u[5]);
	swap(&u[6], &u[7]);
}
