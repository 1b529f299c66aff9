/* SPDX-License-Identifier: GPL-2.0-only */
/* The kernel's log, from a given moment on. */
#ifndef VFIO_SELFTEST_KLOG_H
#define VFIO_SELFTEST_KLOG_H

#include <stdbool.h>
#include <stddef.h>

/* A mark at the log's end, or a negative errno. */
int klog_mark(void);
/* Reads on from the mark: one record's text, false at the end. */
bool klog_next(int mark, char *record, size_t len);
/*
 * Reads on from the mark, to a record that holds both strings or to the end of
 * the log as it is now.
 */
bool klog_find(int mark, const char *one, const char *two);

#endif
