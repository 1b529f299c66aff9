/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Memory that a program and the device it opened both see, whichever way the
 * device was opened.
 */
#ifndef VFIO_CLIENT_DMA_H
#define VFIO_CLIENT_DMA_H

#include <stddef.h>

#include <linux/types.h>

#include "user.h"

/*
 * New memory, which the device finds at @iova.  It is the device's until @user
 * closes its IOMMU.  Returns NULL, with errno set, if that fails.
 */
void *dma_alloc(struct user *user, __u64 iova, size_t len);

#endif
