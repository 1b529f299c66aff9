/* SPDX-License-Identifier: GPL-2.0-only */
/* VF tokens in their two forms: text for the group path, bytes for the rest. */
#ifndef VFIO_SELFTEST_TOKEN_H
#define VFIO_SELFTEST_TOKEN_H

#define TOKEN_BYTES	16
#define TOKEN_TEXT_LEN	37

/* Fixed ones for the tests that need some; no more than different. */
#define TOKEN_1		"7d9e0c3a-52b4-4f16-8a6f-1c3b5e7f9021"
#define TOKEN_2		"e1f2a3b4-c5d6-4789-9abc-def012345678"
#define TOKEN_NIL	"00000000-0000-0000-0000-000000000000"

/* 0, or -EINVAL for what is not the text of a UUID. */
int token_parse(const char *text, unsigned char bytes[TOKEN_BYTES]);
/* A new random one. */
void token_random(char text[TOKEN_TEXT_LEN]);

#endif
