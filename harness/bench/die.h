/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * For programs that measure: what fails ends them, with a line that says what.
 */
#ifndef VFIO_BENCH_DIE_H
#define VFIO_BENCH_DIE_H

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* @ret is a negative errno, here and below. */
static inline void die(const char *what, int ret)
{
	printf("%s: %s: %s\n", program_invocation_short_name, what,
	       strerror(abs(ret)));
	exit(1);
}

static inline void must(const char *what, int ret)
{
	if (ret < 0)
		die(what, ret);
}

#endif
