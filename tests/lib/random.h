/* SPDX-License-Identifier: GPL-2.0-only */
/* Random choices that a seed repeats, and numbers from the environment. */
#ifndef VFIO_SELFTEST_RANDOM_H
#define VFIO_SELFTEST_RANDOM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct random {
	uint64_t state;
};

/* Each index of a seed has its own choices. */
void random_init(struct random *random, uint64_t seed, uint64_t index);
uint64_t random_next(struct random *random);
/* 0 to @limit - 1; @limit is at most 2^32. */
uint32_t random_below(struct random *random, uint64_t limit);
bool random_one_in(struct random *random, uint32_t limit);
void random_fill(struct random *random, void *buf, size_t len);

/* $VFIO_SEED, or a random seed; printed, so that it can be repeated. */
uint64_t random_seed_of_run(void);
/* The number in this variable; @otherwise if it is not set. */
uint64_t number_from_environment(const char *name, uint64_t otherwise);
/* The same, with a different default for a long run ($VFIO_DEEP). */
uint64_t length_from_environment(const char *name, uint64_t usual,
				 uint64_t deep);

#endif
