// SPDX-License-Identifier: GPL-2.0-only
#include <stdint.h>
#include <sys/ioctl.h>
#include <sys/mman.h>

#include <linux/iommufd.h>
#include <linux/vfio.h>

#include "dma.h"

static int map_in_container(struct user *user, void *memory, __u64 iova,
			    size_t len)
{
	struct vfio_iommu_type1_dma_map map = {
		.argsz = sizeof(map),
		.flags = VFIO_DMA_MAP_FLAG_READ | VFIO_DMA_MAP_FLAG_WRITE,
		.vaddr = (uintptr_t)memory,
		.iova = iova,
		.size = len,
	};

	return ioctl(user->iommu, VFIO_IOMMU_MAP_DMA, &map);
}

/* A device opened by its cdev has no address space before it is given one. */
static int map_in_iommufd(struct user *user, void *memory, __u64 iova,
			  size_t len)
{
	struct iommu_ioas_alloc ioas = { .size = sizeof(ioas) };
	struct vfio_device_attach_iommufd_pt attach = {
		.argsz = sizeof(attach),
	};
	struct iommu_ioas_map map = {
		.size = sizeof(map),
		.flags = IOMMU_IOAS_MAP_FIXED_IOVA |
			 IOMMU_IOAS_MAP_READABLE | IOMMU_IOAS_MAP_WRITEABLE,
		.user_va = (uintptr_t)memory,
		.iova = iova,
		.length = len,
	};

	if (ioctl(user->iommu, IOMMU_IOAS_ALLOC, &ioas))
		return -1;
	attach.pt_id = ioas.out_ioas_id;
	if (ioctl(user->device, VFIO_DEVICE_ATTACH_IOMMUFD_PT, &attach))
		return -1;
	map.ioas_id = ioas.out_ioas_id;
	return ioctl(user->iommu, IOMMU_IOAS_MAP, &map);
}

void *dma_alloc(struct user *user, __u64 iova, size_t len)
{
	void *memory;
	int ret;

	memory = mmap(NULL, len, PROT_READ | PROT_WRITE,
		      MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (memory == MAP_FAILED)
		return NULL;
	if (user->path == OPEN_CDEV)
		ret = map_in_iommufd(user, memory, iova, len);
	else
		ret = map_in_container(user, memory, iova, len);
	return ret ? NULL : memory;
}
