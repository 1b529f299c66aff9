/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The hotplug slot that a function sits in, and the port above it.  Calls that
 * can fail return 0 or a negative errno.
 */
#ifndef VFIO_SELFTEST_SLOT_H
#define VFIO_SELFTEST_SLOT_H

#include <linux/types.h>

#include "pci.h"

/* In the environment: the file for requests to the host. */
#define SLOT_HOST	"VFIO_HOTPLUG"

struct slot {
	char name[32];		/* below /sys/bus/pci/slots */
	char port[PCI_ADDR_LEN];
	unsigned int express;	/* offset of the port's capability */
};

int slot_find(struct slot *slot, const char *addr);

/* "unplug" or "plug": the host does it some time later. */
int slot_ask_host(const struct slot *slot, const char *what);

/* Without power, the slot has no device for QEMU. */
bool slot_has_power_control(const struct slot *slot);
bool slot_has_card(const struct slot *slot);
/* The power indicator is neither on nor blinking. */
bool slot_is_dark(const struct slot *slot);
bool slot_is_lit(const struct slot *slot);
/* Turn it on: after boot it may be dark, with a card that works. */
int slot_light(const struct slot *slot);

/* By the guest, orderly. */
int slot_set_power(const struct slot *slot, bool on);
/* The device is gone at once, and the kernel learns of it later. */
int slot_pull(const struct slot *slot);

#endif
