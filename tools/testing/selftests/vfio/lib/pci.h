/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A PCI function as sysfs shows it.  Functions are named by their address
 * ("0000:01:00.0").  What can fail returns 0 or a negative errno.
 */
#ifndef VFIO_SELFTEST_PCI_H
#define VFIO_SELFTEST_PCI_H

#include <stdbool.h>
#include <stddef.h>

#define PCI_ADDR_LEN	16
#define PCI_DRIVER_LEN	64

#define VFIO_PCI	"vfio-pci"
#define ENABLE_SRIOV	"/sys/module/vfio_pci/parameters/enable_sriov"

bool pci_exists(const char *addr);
bool pci_is_pf(const char *addr);
bool pci_is_vf(const char *addr);

/* One attribute of the function's directory, without its newline. */
int pci_read(const char *addr, const char *attr, char *buf, size_t len);
int pci_write(const char *addr, const char *attr, const char *value);
/* -1 if the attribute can't be read. */
int pci_read_int(const char *addr, const char *attr);

/* The name of the bound driver, "" if there is none. */
const char *pci_driver(const char *addr, char driver[PCI_DRIVER_LEN]);
/* What driver_override says, "" if it is not set. */
const char *pci_override(const char *addr, char driver[PCI_DRIVER_LEN]);
bool pci_driver_exists(const char *driver);
int pci_set_override(const char *addr, const char *driver);
int pci_unbind(const char *addr);
/* Bind to this very driver; the error is that of its probe. */
int pci_bind(const char *addr, const char *driver);
/* Let the driver core choose, as it does for a new device. */
int pci_probe(const char *addr);
/* Unbind, set the override, bind. */
int pci_move_to(const char *addr, const char *driver);

int pci_set_numvfs(const char *pf, int num);
int pci_vf(const char *pf, int index, char vf[PCI_ADDR_LEN]);

/* Does runtime power management suspend it?  Within two turns of the clock. */
bool pci_falls_asleep(const char *addr);

int pci_iommu_group(const char *addr);
/* The name of its character device below /dev/vfio/devices. */
int pci_vfio_cdev(const char *addr, char *name, size_t len);

#define PCI_NEED_LEN	32

/* vf_token of its vfio device: a file descriptor, and what it says now. */
int pci_open_token_need(const char *addr);
const char *pci_read_token_need(int fd, char need[PCI_NEED_LEN]);
/* Both, and closed again; "" if there is none. */
const char *pci_token_need(const char *addr, char need[PCI_NEED_LEN]);

/* The port above a function: -ENODEV on a root bus. */
int pci_port(const char *addr, char port[PCI_ADDR_LEN]);
/* Has a port nothing below it but this PF and its VFs? */
bool pci_is_alone(const char *port, const char *pf);

/* The functions bound to @driver, in order; returns how many, @max at most. */
int pci_list_bound(const char *driver, char addrs[][PCI_ADDR_LEN], int max);

/* Whole small files, for what is not below a function's directory. */
int file_read(const char *path, char *buf, size_t len);
int file_write(const char *path, const char *value);

#endif
