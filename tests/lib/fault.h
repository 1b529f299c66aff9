/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Memory that the kernel can't get: the nth allocation of this task fails, be
 * it from the slab or, where the kernel can do that, of pages, and no other.
 */
#ifndef VFIO_SELFTEST_FAULT_H
#define VFIO_SELFTEST_FAULT_H

#include <stdbool.h>

/* Does this kernel have what it takes? */
bool fault_supported(void);
/*
 * Let every kind of allocation count, whoever changed the settings before.
 * With $VFIO_FAULT_STACKS set the kernel logs where it failed which.
 */
int fault_setup(void);
/*
 * Let only those count that are made below one function, and not below others:
 * names, each of which may be NULL.  @not_last comes after @not_first in the
 * kernel's text, and what is between them does not count either.  -ENOENT if
 * this kernel has no such function, but @not_first may be missing if alone.
 */
int fault_below(const char *only, const char *not_first, const char *not_last);
/* The @nth allocation from now on fails, 1 is the next one. */
int fault_arm(unsigned int nth);
/* Back to normal: 1 if the nth allocation came and failed, 0 if not. */
int fault_disarm(void);

#endif
