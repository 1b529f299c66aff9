/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Open VFIO PCI devices and read SR-IOV state from sysfs.
 *
 * Functions assert: on failure they print the reason and exit.  Those with two
 * leading underscores report failure to the caller instead.
 */
#ifndef SELFTESTS_VFIO_LIBVFIO_H
#define SELFTESTS_VFIO_LIBVFIO_H

#include <errno.h>
#include <linux/vfio.h>

/* IOMMU modes: who translates the DMA, and through which interface. */
#define MODE_VFIO_TYPE1V2_IOMMU		"vfio_type1v2_iommu"
#define MODE_IOMMUFD_COMPAT_TYPE1V2	"iommufd_compat_type1v2"
#define MODE_IOMMUFD			"iommufd"

struct iommu_mode {
	const char *name;
	const char *container_path;	/* NULL: open devices through cdevs */
	unsigned long iommu_type;
};

struct iommu {
	const struct iommu_mode *mode;
	int container_fd;
	int iommufd;
};

struct iommu *iommu_init(const char *iommu_mode);
void iommu_cleanup(struct iommu *iommu);

struct vfio_pci_device {
	const char *bdf;
	int fd;
	int group_fd;
	struct iommu *iommu;
};

struct vfio_pci_device *vfio_pci_device_alloc(const char *bdf,
					      struct iommu *iommu);
void vfio_pci_device_free(struct vfio_pci_device *device);

/* Group path: device->fd is -1, and errno set, if the kernel refuses. */
void vfio_pci_group_setup(struct vfio_pci_device *device, const char *bdf);
void vfio_container_set_iommu(struct vfio_pci_device *device);
void __vfio_pci_group_get_device_fd(struct vfio_pci_device *device,
				    const char *bdf, const char *vf_token);

/* cdev path: 0 or a negative errno from the bind. */
const char *vfio_pci_get_cdev_path(const char *bdf);
void vfio_pci_cdev_open(struct vfio_pci_device *device, const char *bdf);
int __vfio_device_bind_iommufd(int device_fd, int iommufd,
			       const char *vf_token);

void vfio_device_set_vf_token(int fd, const char *vf_token);

/* Strings are allocated; the caller frees them.  NULL: no driver is bound. */
int sysfs_sriov_numvfs_get(const char *bdf);
char *sysfs_sriov_vf_bdf_get(const char *pf_bdf, int i);
int sysfs_iommu_group_get(const char *bdf);
char *sysfs_driver_get(const char *bdf);

/* The device to test: the last argument, or $VFIO_SELFTESTS_BDF. */
const char *vfio_selftests_get_bdf(int *argc, char *argv[]);

#endif
