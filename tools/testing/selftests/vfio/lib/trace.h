/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The trace events of vfio, in an instance of the trace that is the test's own:
 * what others trace is left alone.
 */
#ifndef VFIO_SELFTEST_TRACE_H
#define VFIO_SELFTEST_TRACE_H

#include <stdbool.h>

#define TRACE_DIR	"/sys/kernel/tracing/instances/vfio_selftest"

#include "../../kselftest.h"

/* Does this kernel have trace events, be it none of vfio? */
bool trace_supported(void);
/* With an empty trace.  0 or a negative errno: -ENOENT without vfio's events. */
int trace_start(void);
/* Nothing remains of it; 0 also if it was not started. */
int trace_stop(void);
/* Forget what was traced. */
int trace_clear(void);
/* What was traced, each line after these words. */
void trace_print(const char *before);
/*
 * How many events were exactly this, name and all: "event: member=value ...".
 * A negative errno if the trace can't be read.
 */
int __printf(1, 2) trace_count(const char *format, ...);
/* How many had this name and came from this device. */
int trace_count_of(const char *event, const char *dev);

#endif
