/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A PCI function as sysfs shows it.  Functions are named by their address
 * ("0000:01:00.0").  Calls that can fail return 0 or a negative errno.
 */
#ifndef VFIO_SELFTEST_PCI_H
#define VFIO_SELFTEST_PCI_H

#include <stdbool.h>
#include <stddef.h>

#include "sriov_util.h"

#define PCI_ADDR_LEN	16
bool pci_is_pf(const char *addr);
bool pci_is_vf(const char *addr);

bool pci_driver_exists(const char *driver);
int pci_vf(const char *pf, int index, char vf[PCI_ADDR_LEN]);

int pci_iommu_group(const char *addr);
/* The name of its character device below /dev/vfio/devices. */
int pci_vfio_cdev(const char *addr, char *name, size_t len);

/* The port above a function: -ENODEV on a root bus. */
int pci_port(const char *addr, char port[PCI_ADDR_LEN]);
/* Has a port nothing below it but this PF and its VFs? */
bool pci_is_alone(const char *port, const char *pf);

/* The functions bound to @driver, in order; returns how many, @max at most. */
int pci_list_bound(const char *driver, char addrs[][PCI_ADDR_LEN], int max);

/* Does any process or kernel thread sleep in this function of the kernel? */
bool any_sleeps_in(const char *function);

#endif
