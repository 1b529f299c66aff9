// SPDX-License-Identifier: GPL-2.0-only
#include <ctype.h>
#include <unistd.h>

#include "kselftest.h"
#include "search.h"

#define HALF	(TOKEN_BYTES / 2)

static void add_needle(struct search *search, const unsigned char *bytes)
{
	uint64_t needle = 0;
	int i;

	for (i = 0; i < HALF; i++)
		needle = needle << 8 | bytes[i];
	for (i = 0; i < search->count; i++)
		if (search->needles[i] == needle)
			return;
	if (search->count == SEARCH_MAX)
		ksft_exit_fail_msg("too many tokens to look for\n");
	search->needles[search->count++] = needle;
	search->filter[needle >> 6 & 63] |= 1ULL << (needle & 63);
}

/* Words of so many bytes, each with its bytes reversed. */
static void reverse_words(unsigned char *out, const unsigned char *token,
			  int word)
{
	int i;

	for (i = 0; i < TOKEN_BYTES; i++)
		out[i] = token[i - i % word + word - 1 - i % word];
}

/* Some formats (%pUl) print the first fields of a UUID as numbers. */
static void reverse_fields(unsigned char *out, const unsigned char *token)
{
	static const int order[TOKEN_BYTES] = {
		3, 2, 1, 0, 5, 4, 7, 6, 8, 9, 10, 11, 12, 13, 14, 15,
	};
	int i;

	for (i = 0; i < TOKEN_BYTES; i++)
		out[i] = token[order[i]];
}

void search_add(struct search *search, const unsigned char token[TOKEN_BYTES])
{
	unsigned char bytes[TOKEN_BYTES];
	int word;

	for (word = 1; word <= TOKEN_BYTES; word *= 2) {
		reverse_words(bytes, token, word);
		add_needle(search, bytes);
		add_needle(search, bytes + HALF);
	}
	reverse_fields(bytes, token);
	add_needle(search, bytes);
	add_needle(search, bytes + HALF);
}

static bool is_needle(const struct search *search, uint64_t value)
{
	int i;

	if (!(search->filter[value >> 6 & 63] & 1ULL << (value & 63)))
		return false;
	for (i = 0; i < search->count; i++)
		if (search->needles[i] == value)
			return true;
	return false;
}

static bool add_digit(const struct search *search, struct search_state *state,
		      unsigned char c)
{
	int value = isdigit(c) ? c - '0' : tolower(c) - 'a' + 10;

	state->digits = state->digits << 4 | value;
	return ++state->nr_digits >= 2 * HALF &&
	       is_needle(search, state->digits);
}

/* Characters other than digits do not count, nor does the 0 of "0x". */
static bool add_text(const struct search *search, struct search_state *state,
		     unsigned char c)
{
	bool zero = state->after_zero;

	state->after_zero = c == '0';
	if (isxdigit(c))
		return add_digit(search, state, c);
	if (zero && (c == 'x' || c == 'X'))
		state->digits >>= 4;
	return false;
}

bool search_data(const struct search *search, struct search_state *state,
		 const void *data, size_t len)
{
	const unsigned char *at = data, *end = at + len;

	for (; at < end; at++) {
		state->bytes = state->bytes << 8 | *at;
		if (++state->nr_bytes >= HALF && is_needle(search, state->bytes))
			return true;
		if (add_text(search, state, *at))
			return true;
	}
	return false;
}

bool search_fd(const struct search *search, int fd, unsigned long long *len)
{
	static unsigned char buf[65536];
	struct search_state state = {};
	ssize_t n;

	while ((n = read(fd, buf, sizeof(buf))) > 0) {
		*len += n;
		if (search_data(search, &state, buf, n))
			return true;
	}
	return false;
}
