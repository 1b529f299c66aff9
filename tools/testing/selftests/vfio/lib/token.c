// SPDX-License-Identifier: GPL-2.0-only
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "token.h"

static const char form[] = "xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx";

static int hex_value(char c)
{
	return isdigit(c) ? c - '0' : tolower(c) - 'a' + 10;
}

int token_parse(const char *text, unsigned char bytes[TOKEN_BYTES])
{
	unsigned int nibble = 0;
	size_t i;

	if (strlen(text) != sizeof(form) - 1)
		return -EINVAL;

	for (i = 0; form[i]; i++) {
		if (form[i] == '-') {
			if (text[i] != '-')
				return -EINVAL;
			continue;
		}
		if (!isxdigit(text[i]))
			return -EINVAL;
		if (nibble % 2)
			bytes[nibble / 2] |= hex_value(text[i]);
		else
			bytes[nibble / 2] = hex_value(text[i]) << 4;
		nibble++;
	}
	return 0;
}

void token_random(char text[TOKEN_TEXT_LEN])
{
	unsigned char bytes[TOKEN_BYTES];
	unsigned int byte = 0;
	size_t i;

	if (getrandom(bytes, sizeof(bytes), 0) != sizeof(bytes)) {
		perror("getrandom");
		exit(1);
	}
	for (i = 0; form[i]; i++) {
		if (form[i] == '-') {
			text[i] = '-';
			continue;
		}
		sprintf(text + i, "%02x", bytes[byte++]);
		i++;
	}
	text[i] = '\0';
}
