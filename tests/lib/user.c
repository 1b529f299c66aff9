// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <linux/vfio.h>

#include "user.h"

static int open_rw(const char *path)
{
	int fd = open(path, O_RDWR | O_CLOEXEC);

	return fd < 0 ? -errno : fd;
}

static void close_fd(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

const char *open_path_name(enum open_path path)
{
	switch (path) {
	case OPEN_TYPE1:
		return "type1";
	case OPEN_COMPAT:
		return "compat";
	case OPEN_CDEV:
		return "cdev";
	}
	return "unknown";
}

bool open_path_parse(const char *name, enum open_path *path)
{
	enum open_path one;

	for (one = OPEN_TYPE1; one <= OPEN_CDEV; one++) {
		if (!strcmp(name, open_path_name(one))) {
			*path = one;
			return true;
		}
	}
	return false;
}

int iommufd_open(void)
{
	return open_rw("/dev/iommu");
}

static int group_open(const char *addr)
{
	char path[PATH_MAX];
	int group;

	group = pci_iommu_group(addr);
	if (group < 0)
		return group;
	snprintf(path, sizeof(path), "/dev/vfio/%d", group);
	return open_rw(path);
}

int group_get_device(int group, const char *request)
{
	int fd = ioctl(group, VFIO_GROUP_GET_DEVICE_FD, request);

	return fd < 0 ? -errno : fd;
}

int group_get_device_token(int group, const char *addr, const char *token)
{
	char request[256];

	if (token)
		snprintf(request, sizeof(request), "%s vf_token=%s", addr,
			 token);
	else
		snprintf(request, sizeof(request), "%s", addr);
	return group_get_device(group, request);
}

int cdev_open(const char *addr)
{
	char path[PATH_MAX], name[64];
	int ret;

	ret = pci_vfio_cdev(addr, name, sizeof(name));
	if (ret)
		return ret;
	snprintf(path, sizeof(path), "/dev/vfio/devices/%s", name);
	return open_rw(path);
}

int cdev_bind(int cdev, struct vfio_device_bind_iommufd *bind)
{
	return ioctl(cdev, VFIO_DEVICE_BIND_IOMMUFD, bind) ? -errno : 0;
}

static int cdev_open_device(struct user *user, const char *token)
{
	struct vfio_device_bind_iommufd bind = {
		.argsz = sizeof(bind),
		.iommufd = user->iommu,
	};
	unsigned char bytes[TOKEN_BYTES];
	int cdev, ret;

	if (token) {
		ret = token_parse(token, bytes);
		if (ret)
			return ret;
		bind.flags = VFIO_DEVICE_BIND_FLAG_TOKEN;
		bind.token_uuid_ptr = (uintptr_t)bytes;
	}

	cdev = cdev_open(user->addr);
	if (cdev < 0)
		return cdev;
	ret = cdev_bind(cdev, &bind);
	if (ret) {
		close(cdev);
		return ret;
	}
	return cdev;
}

/* Both kinds of IOMMU accept the group as a container does. */
static int join_container(struct user *user)
{
	user->group = group_open(user->addr);
	if (user->group < 0)
		return user->group;
	if (ioctl(user->group, VFIO_GROUP_SET_CONTAINER, &user->iommu))
		return -errno;
	if (user->path == OPEN_TYPE1 &&
	    ioctl(user->iommu, VFIO_SET_IOMMU, VFIO_TYPE1v2_IOMMU))
		return -errno;
	return 0;
}

int user_init(struct user *user, enum open_path path, const char *addr)
{
	char cdev[64];
	int ret;

	user->path = path;
	user->group = -1;
	user->device = -1;
	snprintf(user->addr, sizeof(user->addr), "%s", addr);

	user->iommu = path == OPEN_TYPE1 ? open_rw("/dev/vfio/vfio") :
					   iommufd_open();
	if (user->iommu < 0)
		return user->iommu;
	if (path == OPEN_CDEV)
		ret = pci_vfio_cdev(addr, cdev, sizeof(cdev));
	else
		ret = join_container(user);
	if (ret)
		user_exit(user);
	return ret;
}

int user_open(struct user *user, const char *token)
{
	int fd;

	if (user->path == OPEN_CDEV)
		fd = cdev_open_device(user, token);
	else
		fd = group_get_device_token(user->group, user->addr, token);
	if (fd < 0)
		return fd;
	user->device = fd;
	return 0;
}

void user_close(struct user *user)
{
	close_fd(&user->device);
}

int user_try(struct user *user, const char *token)
{
	int ret = user_open(user, token);

	user_close(user);
	return ret;
}

void user_exit(struct user *user)
{
	close_fd(&user->device);
	close_fd(&user->group);
	close_fd(&user->iommu);
}

int try_open(enum open_path path, const char *addr, const char *token)
{
	struct user user;
	int ret;

	ret = user_init(&user, path, addr);
	if (ret)
		return ret;
	ret = user_try(&user, token);
	user_exit(&user);
	return ret;
}
