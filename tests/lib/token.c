// SPDX-License-Identifier: GPL-2.0-only
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "token.h"

static const char form[] = "xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx";

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
