// SPDX-License-Identifier: GPL-2.0-only
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "random.h"

/* Each bit of the result depends on each of the argument (a bijection). */
static uint64_t scatter(uint64_t x)
{
	x ^= x >> 32;
	x *= 0xd6e8feb86659fd93ULL;
	x ^= x >> 32;
	x *= 0xd6e8feb86659fd93ULL;
	return x ^ (x >> 32);
}

void random_init(struct random *random, uint64_t seed, uint64_t index)
{
	random->state = scatter(seed + 1) ^ scatter(~index);
}

uint64_t random_next(struct random *random)
{
	/* Any odd number without a pattern visits all states. */
	random->state += 0x9d3c8a5b7f21e647ULL;
	return scatter(random->state);
}

uint32_t random_below(struct random *random, uint64_t limit)
{
	return (random_next(random) >> 32) * limit >> 32;
}

bool random_one_in(struct random *random, uint32_t limit)
{
	return !random_below(random, limit);
}

void random_fill(struct random *random, void *buf, size_t len)
{
	unsigned char *byte = buf;

	while (len--)
		*byte++ = random_next(random);
}

uint64_t number_from_environment(const char *name, uint64_t otherwise)
{
	const char *text = getenv(name);
	char *end;
	uint64_t number;

	if (!text || !*text)
		return otherwise;
	number = strtoull(text, &end, 0);
	if (*end) {
		fprintf(stderr, "# %s=%s is no number\n", name, text);
		exit(1);
	}
	return number;
}

uint64_t length_from_environment(const char *name, uint64_t usual,
				 uint64_t deep)
{
	bool is_deep = number_from_environment("VFIO_DEEP", 0);

	return number_from_environment(name, is_deep ? deep : usual);
}

uint64_t random_seed_of_run(void)
{
	uint64_t seed;

	if (getrandom(&seed, sizeof(seed), 0) != sizeof(seed)) {
		perror("getrandom");
		exit(1);
	}
	/* Short enough to be typed. */
	seed = number_from_environment("VFIO_SEED", seed % 1000000000);
	printf("# VFIO_SEED=%llu\n", (unsigned long long)seed);
	return seed;
}
