// SPDX-License-Identifier: GPL-2.0-only
/*
 * SR-IOV for vfio-pci: VF tokens, and the drivers of new VFs.
 *
 * A PF driver can reset its VFs, starve them and often read their data.  When
 * a program drives the PF, the programs that use its VFs must trust it, and
 * while they use them, no program that they do not trust may open the PF.  They
 * prove this trust with the VF token, a UUID that each PF has.  It is random
 * until it is set, and cannot be read back.
 *
 *  - An open of a VF requires the token of its PF, if the PF is bound to
 *    vfio-pci or a variant of it.  Otherwise it rejects any token.
 *  - While no VF is in use, an open of the PF that presents a token sets it.
 *  - While a VF is in use, an open of the PF requires the token.
 *  - A program that has the PF open can set another token at any time.
 *
 * A VF is in use from the admission of an open until after its device is
 * closed.  vfio_pci_pf::lock protects the token and orders all opens of a PF and
 * its VFs: an open of a VF compares the token and counts itself in one critical
 * section, before the device is touched; an open of the PF, which resets the VFs,
 * holds the lock until it has ended, and sets the token only if it has succeeded.
 * Closes do not take it, and a task that waits for it can be killed.  It is taken
 * before group_lock and dev_set->lock.
 *
 * While a PF is bound to vfio-pci, each new VF gets the name of the kernel driver
 * of the PF as its driver_override before any driver can probe it.  If that fails,
 * no driver can ever bind to the VF, nor can SR-IOV be enabled with it.  The
 * administrator may change the driver_override afterwards.  VFs are added and
 * removed with the device_lock() of the PF held, except by EEH of powernv, which
 * removes and adds single VFs.  On s390, VFs are linked to their PF after they were
 * added, so they are not captured; and they may outlive the binding of their PF,
 * whose token they then require until they are bound again.
 */

#include <crypto/utils.h>
#include <linux/atomic.h>
#include <linux/device.h>
#include <linux/kref.h>
#include <linux/mutex.h>
#include <linux/notifier.h>
#include <linux/pci.h>
#include <linux/pm_runtime.h>
#include <linux/ratelimit.h>
#include <linux/slab.h>
#include <linux/sysfs.h>
#include <linux/uaccess.h>
#include <linux/vfio.h>
#include <linux/vfio_pci_core.h>
#include <linux/xarray.h>
#include <kunit/static_stub.h>

#include "vfio_pci_priv.h"

/*
 * State that a PF shares with its VFs.  Each of their devices holds a reference,
 * so the PF may be unbound first.
 */
struct vfio_pci_pf {
	struct mutex	lock;		/* protects token, and vf_opens against increase */
	struct kref	refs;
	uuid_t		token;
	atomic_long_t	vf_opens;	/* files of VFs, open or being opened */
	bool		lost_vf;	/* a VF was not captured while SR-IOV was enabled */
	char		driver[];	/* name of the kernel driver of the PF */
};

/*
 * Maps the pci_dev of a PF bound to vfio-pci to its state, from before it has VFs
 * until after; the PF's device holds the reference.
 */
static DEFINE_XARRAY(vfio_pci_pfs);

static struct vfio_pci_pf *vfio_pci_pf_alloc(const char *driver)
{
	size_t len = strlen(driver);
	struct vfio_pci_pf *pf = kzalloc_flex(*pf, driver, len + 1);

	if (!pf)
		return NULL;

	memcpy(pf->driver, driver, len);
	kref_init(&pf->refs);
	mutex_init(&pf->lock);
	uuid_gen(&pf->token);
	return pf;
}

static void vfio_pci_pf_free(struct vfio_pci_pf *pf)
{
	KUNIT_STATIC_STUB_REDIRECT(vfio_pci_pf_free, pf);
	kfree(pf);
}

/* Return a reference, or NULL if @physfn is not bound to vfio-pci or a variant. */
static struct vfio_pci_pf *vfio_pci_pf_get(struct pci_dev *physfn)
{
	struct vfio_pci_pf *pf;

	xa_lock(&vfio_pci_pfs);
	pf = xa_load(&vfio_pci_pfs, (unsigned long)physfn);
	if (pf)
		kref_get(&pf->refs);
	xa_unlock(&vfio_pci_pfs);

	return pf;
}

static void vfio_pci_pf_release(struct kref *refs)
{
	struct vfio_pci_pf *pf = container_of(refs, struct vfio_pci_pf, refs);

	mutex_destroy(&pf->lock);
	memzero_explicit(&pf->token, sizeof(pf->token));
	vfio_pci_pf_free(pf);
}

static void vfio_pci_pf_put(struct vfio_pci_pf *pf)
{
	if (pf)
		kref_put(&pf->refs, vfio_pci_pf_release);
}

/* Only this function unlocks; unit tests make a competing call here. */
static void vfio_pci_pf_unlock(struct vfio_pci_pf *pf)
{
	mutex_unlock(&pf->lock);
	KUNIT_STATIC_STUB_REDIRECT(vfio_pci_pf_unlock, pf);
}

/* Compare in constant time, so that timing does not reveal the token. */
static bool vfio_pci_pf_token_is(struct vfio_pci_pf *pf, const uuid_t *token)
{
	lockdep_assert_held(&pf->lock);

	return !crypto_memneq(&pf->token, token, sizeof(*token));
}

/* Called with the lock held; returns without it. */
static int vfio_pci_pf_open_vf(struct vfio_pci_pf *pf, const uuid_t *token)
{
	int ret = -EACCES;

	if (vfio_pci_pf_token_is(pf, token)) {
		atomic_long_inc(&pf->vf_opens);
		ret = 0;
	}
	vfio_pci_pf_unlock(pf);

	return ret;
}

/* Called with the lock held.  If it returns 0, vfio_pci_sriov_end() unlocks. */
static int vfio_pci_pf_open(struct vfio_pci_pf *pf, const uuid_t *token)
{
	if (!atomic_long_read(&pf->vf_opens) ||
	    (token && vfio_pci_pf_token_is(pf, token)))
		return 0;

	vfio_pci_pf_unlock(pf);
	return -EACCES;
}

/* The caller has the PF open.  Open VFs are not affected. */
static int vfio_pci_pf_set_token(struct vfio_pci_pf *pf, const uuid_t *token)
{
	if (mutex_lock_killable(&pf->lock))
		return -EINTR;

	pf->token = *token;
	vfio_pci_pf_unlock(pf);
	return 0;
}

static struct vfio_pci_core_device *to_vdev(struct vfio_device *core_vdev)
{
	return container_of(core_vdev, struct vfio_pci_core_device, vdev);
}

static int vfio_pci_sriov_get(struct vfio_device *core_vdev, const uuid_t *token)
{
	struct vfio_pci_core_device *vdev = to_vdev(core_vdev);
	struct pci_dev *pdev = vdev->pdev;
	int ret;

	if (!vdev->pf)
		ret = token ? -EINVAL : 0;
	else if (pdev->is_virtfn && !token)
		ret = -EACCES;
	else if (mutex_lock_killable(&vdev->pf->lock))
		return -EINTR;
	else if (pdev->is_virtfn)
		ret = vfio_pci_pf_open_vf(vdev->pf, token);
	else
		ret = vfio_pci_pf_open(vdev->pf, token);

	/* Rate-limit per device: one must not hide refusals by others */
	if (!ret || !__ratelimit(&vdev->refusals))
		return ret;

	pci_info(pdev, !vdev->pf ?
		 "open refused: VF token presented, but the PF is not bound to vfio-pci\n" :
		 token ? "open refused: wrong VF token\n" :
			 "open refused: VF token required\n");
	return ret;
}

static void vfio_pci_sriov_put(struct vfio_device *core_vdev)
{
	struct vfio_pci_core_device *vdev = to_vdev(core_vdev);

	if (vdev->pf && vdev->pdev->is_virtfn)
		WARN_ON_ONCE(atomic_long_dec_return(&vdev->pf->vf_opens) < 0);
}

static void vfio_pci_sriov_end(struct vfio_device *core_vdev,
			       const uuid_t *token, bool opened)
{
	struct vfio_pci_core_device *vdev = to_vdev(core_vdev);

	if (!opened)
		vfio_pci_sriov_put(core_vdev);
	if (vdev->pdev->is_virtfn)
		return;

	lockdep_assert_held(&vdev->pf->lock);
	if (opened && token)
		vdev->pf->token = *token;
	vfio_pci_pf_unlock(vdev->pf);
}

static const struct vfio_admission_ops vfio_pci_sriov_admission_ops = {
	.get	= vfio_pci_sriov_get,
	.end	= vfio_pci_sriov_end,
	.put	= vfio_pci_sriov_put,
};

/* Constant while the device is bound, so it does not reveal whether VFs are in use. */
static ssize_t vf_token_show(struct device *dev, struct device_attribute *attr, char *buf)
{
	struct pci_dev *pdev = to_pci_dev(dev->parent);

	return sysfs_emit(buf, pdev->is_virtfn ? "required\n" : "optional\n");
}
static DEVICE_ATTR_RO(vf_token);

static struct attribute *vfio_pci_sriov_attrs[] = {
	&dev_attr_vf_token.attr,
	NULL,
};
ATTRIBUTE_GROUPS(vfio_pci_sriov);

/**
 * vfio_pci_sriov_feature_token - VFIO_DEVICE_FEATURE_PCI_VF_TOKEN
 * @core_vdev: the device, open
 * @flags: flags of the ioctl
 * @arg: the 16 bytes of the new token
 * @argsz: number of bytes at @arg
 *
 * Context: may sleep.
 * Return: 0; -ENOTTY if the device is not a PF; -EINVAL for GET or a small
 * @argsz; -EFAULT; -EINTR if the task is being killed.
 */
int vfio_pci_sriov_feature_token(struct vfio_device *core_vdev, u32 flags,
				 void __user *arg, size_t argsz)
{
	struct vfio_pci_core_device *vdev = to_vdev(core_vdev);
	uuid_t token;
	int ret;

	if (!vdev->pdev->is_physfn)
		return -ENOTTY;

	ret = vfio_check_feature(flags, argsz, VFIO_DEVICE_FEATURE_SET,
				 sizeof(token));
	if (ret != 1)
		return ret;

	ret = copy_from_user(&token, arg, sizeof(token)) ? -EFAULT : 0;
	if (!ret)
		ret = vfio_pci_pf_set_token(vdev->pf, &token);

	memzero_explicit(&token, sizeof(token));
	return ret;
}

/**
 * vfio_pci_sriov_uninit - undo vfio_pci_sriov_init()
 * @vdev: the device, not registered any more
 *
 * Context: may sleep.
 */
void vfio_pci_sriov_uninit(struct vfio_pci_core_device *vdev)
{
	if (vdev->pdev->is_physfn)
		xa_erase(&vfio_pci_pfs, (unsigned long)vdev->pdev);
	vfio_pci_pf_put(vdev->pf);
	vdev->pf = NULL;
}

/**
 * vfio_pci_sriov_init - set up admission of a PF or VF
 * @vdev: any device that is about to be registered
 *
 * It owns admission_ops and the attribute groups of a PF or VF.
 *
 * Context: may sleep.
 * Return: 0, and the caller must call vfio_pci_sriov_uninit(); -ENOMEM; -EBUSY if
 * a device has been registered for this PF.
 */
int vfio_pci_sriov_init(struct vfio_pci_core_device *vdev)
{
	struct pci_dev *pdev = vdev->pdev;
	int ret;

	if (!pdev->is_physfn && !pdev->is_virtfn)
		return 0;

	if (pdev->is_virtfn) {
		vdev->pf = vfio_pci_pf_get(pci_physfn(pdev));
	} else {
		vdev->pf = vfio_pci_pf_alloc(pdev->driver->name);
		if (!vdev->pf)
			return -ENOMEM;

		ret = xa_insert(&vfio_pci_pfs, (unsigned long)pdev, vdev->pf,
				GFP_KERNEL);
		if (ret) {
			vfio_pci_pf_put(vdev->pf);
			vdev->pf = NULL;
			return ret;
		}
	}

	ratelimit_state_init(&vdev->refusals, DEFAULT_RATELIMIT_INTERVAL,
			     DEFAULT_RATELIMIT_BURST);
	if (vdev->pf)
		vdev->vdev.device.groups = vfio_pci_sriov_groups;
	vdev->vdev.admission_ops = &vfio_pci_sriov_admission_ops;
	return 0;
}

static int vfio_pci_sriov_set_numvfs(struct pci_dev *pdev, int nr_virtfn)
{
	KUNIT_STATIC_STUB_REDIRECT(vfio_pci_sriov_set_numvfs, pdev, nr_virtfn);
	if (nr_virtfn)
		return pci_enable_sriov(pdev, nr_virtfn);

	pci_disable_sriov(pdev);
	return 0;
}

/*
 * A PF must stay in D0 while it has VFs.  The memory_lock keeps writes of
 * PCI_PM_CTRL out until has_vfs is set.
 */
static int vfio_pci_sriov_enable(struct vfio_pci_core_device *vdev, int nr_virtfn)
{
	struct pci_dev *pdev = vdev->pdev;
	int ret;

	ret = pm_runtime_resume_and_get(&pdev->dev);
	if (ret)
		return ret;

	down_write(&vdev->memory_lock);
	ret = vfio_pci_set_power_state(vdev, PCI_D0);
	if (!ret)
		WRITE_ONCE(vdev->has_vfs, true);
	up_write(&vdev->memory_lock);
	if (ret)
		goto out_pm;

	WRITE_ONCE(vdev->pf->lost_vf, false);
	ret = vfio_pci_sriov_set_numvfs(pdev, nr_virtfn);
	if (!ret && READ_ONCE(vdev->pf->lost_vf)) {
		pci_warn(pdev, "SR-IOV refused: not all VFs captured; waiting for users\n");
		vfio_pci_sriov_set_numvfs(pdev, 0);
		ret = -ENOMEM;
	}
	if (!ret)
		return nr_virtfn;

	WRITE_ONCE(vdev->has_vfs, false);
out_pm:
	pm_runtime_put(&pdev->dev);
	return ret;
}

/**
 * vfio_pci_core_sriov_configure - enable or disable the VFs of a PF
 * @vdev: the PF, or any device if @nr_virtfn is 0
 * @nr_virtfn: how many VFs to enable, or 0 to disable all
 *
 * Context: with the device_lock() held.  Disabling waits until users close the
 * VFs, and so does enabling if it fails because a VF cannot be captured.
 * Return: @nr_virtfn; -EINVAL if the PF has VFs; -ENOMEM if a VF cannot be
 * captured; -errno.
 */
int vfio_pci_core_sriov_configure(struct vfio_pci_core_device *vdev,
				  int nr_virtfn)
{
	device_lock_assert(&vdev->pdev->dev);
	if (nr_virtfn)
		return vdev->has_vfs ? -EINVAL :
				       vfio_pci_sriov_enable(vdev, nr_virtfn);
	if (!vdev->has_vfs)
		return 0;

	vfio_pci_sriov_set_numvfs(vdev->pdev, 0);
	/* No memory_lock: a racing PCI_PM_CTRL write is ignored at most */
	WRITE_ONCE(vdev->has_vfs, false);
	pm_runtime_put(&vdev->pdev->dev);
	return 0;
}
EXPORT_SYMBOL_GPL(vfio_pci_core_sriov_configure);

static int vfio_pci_sriov_override(struct pci_dev *vf, const char *name)
{
	KUNIT_STATIC_STUB_REDIRECT(vfio_pci_sriov_override, vf, name);
	return device_set_driver_override(&vf->dev, name);
}

/*
 * The VF was added to the bus, and no driver can match it yet.  The result of
 * a notifier is ignored, so to the driver core a VF that cannot be captured
 * must look like one that is being removed: no driver will bind to it.
 */
static void vfio_pci_sriov_capture(struct vfio_pci_pf *pf,
				   struct pci_dev *physfn, struct pci_dev *vf)
{
	if (!vfio_pci_sriov_override(vf, pf->driver)) {
		pci_info(physfn, "VF %s captured: driver_override is %s\n",
			 pci_name(vf), pf->driver);
		return;
	}

	device_lock(&vf->dev);
	kill_device(&vf->dev);
	device_unlock(&vf->dev);

	WRITE_ONCE(pf->lost_vf, true);
	pci_warn(physfn, "cannot set driver_override of VF %s; no driver will bind to it\n",
		 pci_name(vf));
}

static int vfio_pci_sriov_notify(struct notifier_block *nb,
				 unsigned long action, void *data)
{
	struct pci_dev *vf = to_pci_dev(data);
	struct pci_dev *physfn = pci_physfn(vf);
	struct vfio_pci_pf *pf;

	if (!vf->is_virtfn || (action != BUS_NOTIFY_ADD_DEVICE &&
			       action != BUS_NOTIFY_BOUND_DRIVER))
		return NOTIFY_DONE;

	/* The PF may be unbound meanwhile: EEH does not hold its device_lock() */
	pf = vfio_pci_pf_get(physfn);
	if (!pf)
		return NOTIFY_DONE;

	if (action == BUS_NOTIFY_ADD_DEVICE)
		vfio_pci_sriov_capture(pf, physfn, vf);
	else if (!to_pci_driver(vf->dev.driver)->driver_managed_dma)
		pci_warn(physfn, "VF %s is now bound to host driver %s\n",
			 pci_name(vf), vf->dev.driver->name);
	vfio_pci_pf_put(pf);
	return NOTIFY_OK;
}

struct notifier_block vfio_pci_sriov_nb = {
	.notifier_call = vfio_pci_sriov_notify,
};

#ifdef CONFIG_VFIO_PCI_SRIOV_KUNIT_TEST
#include "vfio_pci_sriov_kunit.c"
#endif
