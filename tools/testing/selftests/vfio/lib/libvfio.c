// SPDX-License-Identifier: GPL-2.0-only
#include <fcntl.h>
#include <glob.h>
#include <limits.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <libvfio.h>

#include "../../kselftest.h"
#include "../sriov_util.h"

#define DEVICES		"/sys/bus/pci/devices"
#define CONTAINER	"/dev/vfio/vfio"
#define IOMMUFD		"/dev/iommu"

#define FAIL_UNLESS(condition, fmt, ...) do {				\
	if (!(condition))						\
		ksft_exit_fail_msg(fmt ": %s\n", ##__VA_ARGS__,		\
				   strerror(errno));			\
} while (0)

static int open_file(const char *path)
{
	int fd = open(path, O_RDWR | O_CLOEXEC);

	FAIL_UNLESS(fd >= 0, "open %s", path);
	return fd;
}

static const struct iommu_mode modes[] = {
	{ MODE_VFIO_TYPE1V2_IOMMU, CONTAINER, VFIO_TYPE1v2_IOMMU },
	{ MODE_IOMMUFD_COMPAT_TYPE1V2, IOMMUFD, VFIO_TYPE1v2_IOMMU },
	{ MODE_IOMMUFD, NULL, 0 },
};

struct iommu *iommu_init(const char *iommu_mode)
{
	struct iommu *iommu = calloc(1, sizeof(*iommu));
	size_t i;

	FAIL_UNLESS(iommu, "calloc");
	for (i = 0; i < ARRAY_SIZE(modes); i++)
		if (!strcmp(modes[i].name, iommu_mode))
			iommu->mode = &modes[i];
	FAIL_UNLESS(iommu->mode, "unknown IOMMU mode %s", iommu_mode);
	if (iommu->mode->container_path)
		iommu->container_fd = open_file(iommu->mode->container_path);
	else
		iommu->iommufd = open_file(IOMMUFD);
	return iommu;
}

void iommu_cleanup(struct iommu *iommu)
{
	close(iommu->mode->container_path ? iommu->container_fd :
					    iommu->iommufd);
	free(iommu);
}

struct vfio_pci_device *vfio_pci_device_alloc(const char *bdf,
					      struct iommu *iommu)
{
	struct vfio_pci_device *device = calloc(1, sizeof(*device));

	FAIL_UNLESS(device, "calloc");
	device->bdf = bdf;
	device->iommu = iommu;
	return device;
}

void vfio_pci_device_free(struct vfio_pci_device *device)
{
	free(device);
}

void vfio_pci_group_setup(struct vfio_pci_device *device, const char *bdf)
{
	char path[64];

	snprintf(path, sizeof(path), "/dev/vfio/%d",
		 sysfs_iommu_group_get(bdf));
	device->group_fd = open_file(path);
	FAIL_UNLESS(!ioctl(device->group_fd, VFIO_GROUP_SET_CONTAINER,
			   &device->iommu->container_fd), "set container");
}

void vfio_container_set_iommu(struct vfio_pci_device *device)
{
	struct iommu *iommu = device->iommu;

	FAIL_UNLESS(!ioctl(iommu->container_fd, VFIO_SET_IOMMU,
			   iommu->mode->iommu_type), "set IOMMU");
}

void __vfio_pci_group_get_device_fd(struct vfio_pci_device *device,
				    const char *bdf, const char *vf_token)
{
	char request[128];

	snprintf(request, sizeof(request), "%s%s%s", bdf,
		 vf_token ? " vf_token=" : "", vf_token ?: "");
	device->fd = ioctl(device->group_fd, VFIO_GROUP_GET_DEVICE_FD, request);
}

const char *vfio_pci_get_cdev_path(const char *bdf)
{
	char path[PATH_MAX], *cdev;
	glob_t found;

	snprintf(path, sizeof(path), DEVICES "/%s/vfio-dev/vfio*", bdf);
	FAIL_UNLESS(!glob(path, 0, NULL, &found), "%s: no cdev", bdf);
	FAIL_UNLESS(asprintf(&cdev, "/dev/vfio/devices/%s",
			     strrchr(found.gl_pathv[0], '/') + 1) > 0, "asprintf");
	globfree(&found);
	return cdev;
}

void vfio_pci_cdev_open(struct vfio_pci_device *device, const char *bdf)
{
	const char *path = vfio_pci_get_cdev_path(bdf);

	device->fd = open_file(path);
	free((void *)path);
}

int __vfio_device_bind_iommufd(int device_fd, int iommufd,
			       const char *vf_token)
{
	struct vfio_device_bind_iommufd bind = {
		.argsz = sizeof(bind),
		.iommufd = iommufd,
	};
	unsigned char bytes[TOKEN_BYTES];

	if (vf_token) {
		if (token_parse(vf_token, bytes))
			return -EINVAL;
		bind.flags = VFIO_DEVICE_BIND_FLAG_TOKEN;
		bind.token_uuid_ptr = (uintptr_t)bytes;
	}
	return ioctl(device_fd, VFIO_DEVICE_BIND_IOMMUFD, &bind) ? -errno : 0;
}

void vfio_device_set_vf_token(int fd, const char *vf_token)
{
	errno = -device_set_token(fd, vf_token);
	FAIL_UNLESS(!errno, "set token %s", vf_token);
}

/* The last component of a link; NULL if the link does not exist. */
static char *read_link(const char *bdf, const char *link)
{
	char path[PATH_MAX], target[PATH_MAX];
	ssize_t len;

	snprintf(path, sizeof(path), DEVICES "/%s/%s", bdf, link);
	len = readlink(path, target, sizeof(target) - 1);
	if (len < 0)
		return NULL;
	target[len] = '\0';
	return strdup(strrchr(target, '/') + 1);
}

int sysfs_sriov_numvfs_get(const char *bdf)
{
	char value[32];

	errno = -pci_read(bdf, "sriov_numvfs", value, sizeof(value));
	FAIL_UNLESS(!errno, "%s: read sriov_numvfs", bdf);
	return atoi(value);
}

char *sysfs_sriov_vf_bdf_get(const char *pf_bdf, int i)
{
	char link[32], *bdf;

	snprintf(link, sizeof(link), "virtfn%d", i);
	bdf = read_link(pf_bdf, link);
	FAIL_UNLESS(bdf, "%s: VF %d", pf_bdf, i);
	return bdf;
}

int sysfs_iommu_group_get(const char *bdf)
{
	char *group = read_link(bdf, "iommu_group");
	int number;

	FAIL_UNLESS(group, "%s: IOMMU group", bdf);
	number = atoi(group);
	free(group);
	return number;
}

char *sysfs_driver_get(const char *bdf)
{
	return read_link(bdf, "driver");
}

const char *vfio_selftests_get_bdf(int *argc, char *argv[])
{
	const char *bdf = getenv("VFIO_SELFTESTS_BDF");

	if (*argc > 1 && strchr(argv[*argc - 1], ':'))
		bdf = argv[--*argc];
	if (!bdf)
		ksft_exit_skip("no device: name one, or set $VFIO_SELFTESTS_BDF\n");
	return bdf;
}
