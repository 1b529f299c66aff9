/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Memory whose end is known, for arguments that the kernel can read in part or
 * not at all.
 */
#ifndef VFIO_SELFTEST_MEMORY_H
#define VFIO_SELFTEST_MEMORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "random.h"

/* The memory after the end. */
enum memory_end {
	END_UNMAPPED,
	END_FORBIDDEN,	/* mapped, not to be read */
};

struct memory {
	unsigned char *start;
	unsigned char *end;
};

/* Bytes that can be read from an address on. */
struct span {
	const unsigned char *at;
	size_t len;
};

/* 0 or a negative errno. */
int memory_init(struct memory *memory, size_t len, enum memory_end end);
void memory_exit(struct memory *memory);

/* Copy to a place with other bytes after it; to the end of the memory. */
void *memory_put(struct memory *memory, struct random *random,
		 const void *data, size_t len);
void *memory_put_at_end(struct memory *memory, const void *data, size_t len);
/* Only the first @readable bytes can be read. */
void *memory_put_cut(struct memory *memory, const void *data, size_t readable);
int memory_set_read_only(struct memory *memory, bool read_only);

/* An unreadable address: NULL, unmapped, of the kernel, ... */
void *memory_bad_address(struct memory *memory, struct random *random);

bool memory_has(const struct memory *memory, uint64_t address);

#endif
