/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A user of one device, on one of the paths to it.  user_init() prepares the
 * group and container, or the iommufd, so that user_open() is the open and
 * nothing else.
 *
 * Calls that can fail return 0, or a file descriptor, or a negative errno.
 */
#ifndef VFIO_SELFTEST_USER_H
#define VFIO_SELFTEST_USER_H

#include <stdbool.h>

#include <linux/types.h>

#include "pci.h"
#include "token.h"

enum open_path {
	OPEN_TYPE1,	/* group, in a container with the type1 IOMMU */
	OPEN_COMPAT,	/* group, with an iommufd in the container's place */
	OPEN_CDEV,	/* the device's own character device, and iommufd */
};

struct user {
	enum open_path path;
	char addr[PCI_ADDR_LEN];
	int iommu;
	int group;	/* -1 for a cdev */
	int device;	/* -1 while it is not open */
};

struct vfio_device_bind_iommufd;

const char *open_path_name(enum open_path path);
bool open_path_parse(const char *name, enum open_path *path);

int user_init(struct user *user, enum open_path path, const char *addr);
/* @token is the text of a UUID, NULL for none. */
int user_open(struct user *user, const char *token);
void user_close(struct user *user);
/* An open that is closed at once: the kernel's answer. */
int user_try(struct user *user, const char *token);
/* Closes everything. */
void user_exit(struct user *user);

/* The same, with a user for this call only. */
int try_open(enum open_path path, const char *addr, const char *token);

/* The system calls, for tests that choose every byte of them. */
int iommufd_open(void);
int group_get_device(int group, const char *request);
/* Another file descriptor for a device, by its name and token. */
int group_get_device_token(int group, const char *addr, const char *token);
int cdev_open(const char *addr);
int cdev_bind(int cdev, struct vfio_device_bind_iommufd *bind);

#endif
