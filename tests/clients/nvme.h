/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * An NVMe controller that is driven from here, through vfio: an admin queue, an
 * I/O queue, one command at a time, completions polled for.
 *
 * What can fail returns 0, a negative errno, or the status, above 0, that the
 * controller gave a command.
 */
#ifndef VFIO_CLIENT_NVME_H
#define VFIO_CLIENT_NVME_H

#include <stddef.h>

#include <linux/types.h>

#include "user.h"

struct nvme_queue {
	unsigned int id;
	unsigned int slot;	/* of the next command, and of its completion */
	unsigned int phase;	/* of a completion that is new */
	void *commands;
	void *completions;
};

struct nvme {
	struct user *user;
	volatile unsigned char *regs;
	unsigned char *memory;	/* queues and one page of data */
	struct nvme_queue admin;
	struct nvme_queue io;
	unsigned int block_size;	/* 0: the I/O queue isn't there yet */
};

/* @user has opened the function.  The controller is started. */
int nvme_init(struct nvme *nvme, struct user *user);
/* A reset of the function; the controller is started again. */
int nvme_reset(struct nvme *nvme);

/* A PF has queues and interrupts for itself that it may give to VFs. */
int nvme_release_resources(struct nvme *nvme);
/* @vf counts from 1. */
int nvme_set_online(struct nvme *nvme, unsigned int vf);

/* The controller's number, and what it calls its model. */
int nvme_identify(struct nvme *nvme, unsigned int *controller, char model[41]);

/* Namespace 1, all of it in pages, which blocks divide evenly. */
int nvme_read(struct nvme *nvme, __u64 block, void *data, size_t len);
int nvme_write(struct nvme *nvme, __u64 block, const void *data, size_t len);

#endif
