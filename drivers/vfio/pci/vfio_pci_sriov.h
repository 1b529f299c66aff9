/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * SR-IOV for vfio-pci, see vfio_pci_sriov.c.
 */
#ifndef VFIO_PCI_SRIOV_H
#define VFIO_PCI_SRIOV_H

#include <linux/errno.h>
#include <linux/kref.h>
#include <linux/spinlock.h>
#include <linux/types.h>
#include <linux/uuid.h>

struct kernfs_node;
struct vfio_device;
struct vfio_pci_core_device;

#ifdef CONFIG_PCI_IOV

/**
 * struct vfio_pci_pf - what vfio-pci knows about one PF that it drives
 *
 * @ref:	held by those who have a pointer to it
 * @lock:	protects @token and @vf_opens, so that an open is checked and
 *		counted in one step
 * @token:	the VF token, a secret: never leaves this structure
 * @vf_opens:	how many files of VFs are open or being opened; also read
 *		without the lock, for advice
 * @has_vfs:	SR-IOV is on, or about to be.  Written with both the
 *		device_lock() of the PF and the memory_lock of its
 *		vfio_pci_core_device held, read with either.
 * @lost_vf:	a VF could not be captured.  Of interest while SR-IOV is being
 *		enabled, and then written by the thread that does it.
 * @need_file:	the PF's vf_token in sysfs, to wake those who poll it.  Set
 *		before there are VFs, then constant; NULL if it has had none.
 */
struct vfio_pci_pf {
	struct kref	ref;
	spinlock_t	lock;	/* a leaf: no lock is taken with it held */
	uuid_t		token;
	unsigned long	vf_opens;
	bool		has_vfs;
	bool		lost_vf;
	struct kernfs_node *need_file;
};

struct vfio_pci_pf *vfio_pci_pf_alloc(void);
void vfio_pci_pf_put(struct vfio_pci_pf *pf);
void vfio_pci_pf_free(struct vfio_pci_pf *pf);
int vfio_pci_pf_admit_pf(struct vfio_pci_pf *pf, const uuid_t *token);
int vfio_pci_pf_admit_vf(struct vfio_pci_pf *pf, const uuid_t *token);
void vfio_pci_pf_unadmit_vf(struct vfio_pci_pf *pf);
void vfio_pci_pf_set_token(struct vfio_pci_pf *pf, const uuid_t *token);

int vfio_pci_sriov_init(struct vfio_pci_core_device *vdev);
void vfio_pci_sriov_uninit(struct vfio_pci_core_device *vdev);
int vfio_pci_sriov_feature_token(struct vfio_device *core_vdev, u32 flags,
				 void __user *arg, size_t argsz);

bool vfio_pci_pf_has_vfs(struct vfio_pci_core_device *vdev);
void vfio_pci_sriov_disable(struct vfio_pci_core_device *vdev);
int vfio_pci_sriov_register(void);
void vfio_pci_sriov_unregister(void);

#else

static inline int vfio_pci_sriov_init(struct vfio_pci_core_device *vdev)
{
	return 0;
}

static inline void vfio_pci_sriov_uninit(struct vfio_pci_core_device *vdev)
{
}

static inline int vfio_pci_sriov_feature_token(struct vfio_device *core_vdev,
					       u32 flags, void __user *arg,
					       size_t argsz)
{
	return -ENOTTY;
}

static inline bool vfio_pci_pf_has_vfs(struct vfio_pci_core_device *vdev)
{
	return false;
}

static inline void vfio_pci_sriov_disable(struct vfio_pci_core_device *vdev)
{
}

static inline int vfio_pci_sriov_register(void)
{
	return 0;
}

static inline void vfio_pci_sriov_unregister(void)
{
}

#endif /* CONFIG_PCI_IOV */

#endif /* VFIO_PCI_SRIOV_H */
