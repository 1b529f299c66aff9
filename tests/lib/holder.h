/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A process that opens a device and keeps it open until it is released or
 * killed.
 */
#ifndef VFIO_SELFTEST_HOLDER_H
#define VFIO_SELFTEST_HOLDER_H

#include "user.h"

struct holder {
	struct job job;
	enum open_path path;
	const char *addr;
	const char *token;
};

/* Both return the open's result; the first after holder_open_half_way(). */
int holder_opened(struct holder *holder);
int holder_open(struct holder *holder, enum open_path path, const char *addr,
		const char *token);
/* Returns while it sleeps inside its open; false if it was never seen asleep. */
bool holder_open_half_way(struct holder *holder, enum open_path path,
			  const char *addr, const char *token);

/*
 * Both return when the process and its open files are gone.  One that was never
 * started, or has ended this way already, is left alone.
 */
void holder_kill(struct holder *holder);
void holder_release(struct holder *holder);

#endif
