/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Failing allocations: the nth allocation of this task fails, and no other,
 * whether from the slab or, if the kernel can inject that, of pages.
 */
#ifndef VFIO_SELFTEST_FAULT_H
#define VFIO_SELFTEST_FAULT_H

#include <stdbool.h>

/* Can this kernel inject failures? */
bool fault_supported(void);
/*
 * Count every kind of allocation, whatever the settings were before.  With
 * $VFIO_FAULT_STACKS set, the kernel logs the stack of each failure.
 */
int fault_setup(void);
/*
 * Count only allocations made below one function, and not below others: names,
 * each of which may be NULL.  @not_last follows @not_first in the kernel's
 * text, and functions between them do not count either.  -ENOENT if this kernel
 * has no such function, but @not_first may be missing if alone.
 */
int fault_below(const char *only, const char *not_first, const char *not_last);
/* The @nth allocation from now on fails, 1 is the next one. */
int fault_arm(unsigned int nth);
/* Back to normal: 1 if the nth allocation was made and failed, 0 if not. */
int fault_disarm(void);

#endif
