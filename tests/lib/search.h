/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Look for tokens in data of any kind: as text with anything between the hex
 * digits, as bytes, and both in each byte order that a kernel may use.
 */
#ifndef VFIO_SELFTEST_SEARCH_H
#define VFIO_SELFTEST_SEARCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "token.h"

#define SEARCH_MAX	128	/* halves of tokens, in different orders */

struct search {
	uint64_t needles[SEARCH_MAX];
	int count;
	uint64_t filter[64];	/* a bit for 12 bits of each needle */
};

/* The state of a search in one stream of data. */
struct search_state {
	uint64_t bytes;
	uint64_t digits;
	unsigned long long nr_bytes;
	unsigned long long nr_digits;
	bool after_zero;
};

/* A new search has no tokens; half of a token is enough to find it. */
void search_add(struct search *search, const unsigned char token[TOKEN_BYTES]);

/* True if a token is in the data, which may go on where the last call ended. */
bool search_data(const struct search *search, struct search_state *state,
		 const void *data, size_t len);
/* To the end of the file; an unreadable file has no token. */
bool search_fd(const struct search *search, int fd, unsigned long long *len);

#endif
