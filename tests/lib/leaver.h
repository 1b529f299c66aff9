/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A process that opens a device, and closes it when the kernel asks it to: the
 * device is to be removed.
 */
#ifndef VFIO_SELFTEST_LEAVER_H
#define VFIO_SELFTEST_LEAVER_H

#include "user.h"

struct leaver {
	struct job job;
	enum open_path path;
	const char *addr;
	const char *token;
};

/* Returns when the device is open; 0 or a negative errno. */
int leaver_open(struct leaver *leaver, enum open_path path, const char *addr,
		const char *token);
/* Returns when the process is gone: 0 if it was asked, and has closed all. */
int leaver_left(struct leaver *leaver);

#endif
