// SPDX-License-Identifier: GPL-2.0-only
/*
 * SR-IOV for vfio-pci: who may open a PF and its VFs, and who drives a new VF.
 *
 * A PF driver can reset its VFs, starve them and often read their data.  When
 * it runs in userspace, whoever opens a VF must show that they trust it, and
 * whoever opens the PF while VFs are in use must show that the VFs' users
 * trust them.  Both show it with the VF token, a UUID that each PF has.
 *
 * Opening a VF takes the token of its PF, if vfio-pci drives the PF.  Opening
 * a PF sets its token if one is given, as long as no VF is in use; while one
 * is, opening the PF takes the token, too.  Whoever has the PF open can set
 * another token at any time.  Nobody can read it back.
 *
 * Each open is admitted in one step, under vfio_pci_pf::lock: the token is
 * compared, and a VF's open counted (or a PF's token set), before the device
 * is touched; a VF's count is given back after its device is closed.  So
 * admission is the moment that orders all opens of a PF and its VFs: an open
 * that fails later is one that was closed at once.
 *
 * The lock is a spinlock and a leaf, and the only one that a decision waits for.
 * Those who poll vf_token of the PF are woken after it, by the first open of a VF
 * and by the last close.
 *
 * When vfio-pci drives a PF, each new VF gets the driver_override vfio-pci
 * before a driver can probe it, or no driver ever.  (Not on s390, where VFs of
 * the firmware are linked to their PF after they were added.)  An administrator
 * may change the override of a VF.  VFs are enabled and disabled with the
 * device_lock() of the PF held.  (Not so single ones that EEH of powernv takes off
 * the bus and puts back: these are new VFs, which are captured.)
 */

#include <crypto/utils.h>
#include <linux/device.h>
#include <linux/notifier.h>
#include <linux/pci.h>
#include <linux/pm_runtime.h>
#include <linux/ratelimit.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/sysfs.h>
#include <linux/uaccess.h>
#include <linux/vfio.h>
#include <linux/vfio_pci_core.h>
#include <linux/xarray.h>
#include <kunit/static_stub.h>
#include <kunit/visibility.h>

#include "vfio_pci_priv.h"
#include "vfio_pci_sriov.h"

#define CREATE_TRACE_POINTS
#include "vfio_pci_sriov_trace.h"

#define VFIO_PCI_DRIVER_NAME	"vfio-pci"

/*
 * The PFs that vfio-pci and its variants drive, by the address of their
 * pci_dev.  A PF is in here from before it can have VFs until after its last
 * one is removed, and leaves before its own reference is dropped.
 */
static DEFINE_XARRAY(vfio_pci_pfs);

/* The state of a VF's PF, with a reference; NULL if not driven by vfio-pci. */
static struct vfio_pci_pf *vfio_pci_pf_get(struct pci_dev *physfn)
{
	struct vfio_pci_pf *pf;

	xa_lock(&vfio_pci_pfs);
	pf = xa_load(&vfio_pci_pfs, (unsigned long)physfn);
	if (pf)
		kref_get(&pf->ref);
	xa_unlock(&vfio_pci_pfs);

	return pf;
}

/**
 * vfio_pci_pf_alloc - state of a PF, with a random token and no VF in use
 *
 * Context: may sleep.
 * Return: the state with one reference, for vfio_pci_pf_put(); NULL if there
 * is no memory.
 */
struct vfio_pci_pf *vfio_pci_pf_alloc(void)
{
	struct vfio_pci_pf *pf;

	pf = kzalloc(sizeof(*pf), GFP_KERNEL);
	if (!pf)
		return NULL;

	kref_init(&pf->ref);
	spin_lock_init(&pf->lock);
	uuid_gen(&pf->token);
	return pf;
}
EXPORT_SYMBOL_IF_KUNIT(vfio_pci_pf_alloc);

/**
 * vfio_pci_pf_free - give back the memory of a PF's state, token wiped
 * @pf: state that nobody uses any more
 *
 * Apart from vfio_pci_pf_put() so that a test can look at what is freed.
 */
void vfio_pci_pf_free(struct vfio_pci_pf *pf)
{
	KUNIT_STATIC_STUB_REDIRECT(vfio_pci_pf_free, pf);
	kfree(pf);
}
EXPORT_SYMBOL_IF_KUNIT(vfio_pci_pf_free);

static void vfio_pci_pf_release(struct kref *ref)
{
	struct vfio_pci_pf *pf = container_of(ref, struct vfio_pci_pf, ref);

	WARN_ON_ONCE(pf->vf_opens);
	memzero_explicit(&pf->token, sizeof(pf->token));
	sysfs_put(pf->need_file);
	vfio_pci_pf_free(pf);
}

/**
 * vfio_pci_pf_put - drop a reference
 * @pf: the state of a PF, or NULL
 */
void vfio_pci_pf_put(struct vfio_pci_pf *pf)
{
	if (pf)
		kref_put(&pf->ref, vfio_pci_pf_release);
}
EXPORT_SYMBOL_IF_KUNIT(vfio_pci_pf_put);

/* In constant time: how long it takes says nothing about the token. */
static bool vfio_pci_pf_token_is(struct vfio_pci_pf *pf, const uuid_t *token)
{
	lockdep_assert_held(&pf->lock);

	return token && !crypto_memneq(&pf->token, token, sizeof(*token));
}

/* A VF is in use, or none is any more: wake those who poll vf_token of the PF. */
static void vfio_pci_pf_need_changed(struct vfio_pci_pf *pf)
{
	if (pf->need_file)
		sysfs_notify_dirent(pf->need_file);
}

/**
 * vfio_pci_pf_admit_vf - may a VF be opened? If so, count it
 * @pf: the state of its PF
 * @token: the token that the opener gave, NULL if none
 *
 * Context: process context.
 * Return: 0, and vfio_pci_pf_unadmit_vf() is due when the VF is closed again;
 * -EACCES without the PF's token.
 */
int vfio_pci_pf_admit_vf(struct vfio_pci_pf *pf, const uuid_t *token)
{
	bool first = false;
	int ret = -EACCES;

	if (!token)
		return ret;

	spin_lock(&pf->lock);
	if (vfio_pci_pf_token_is(pf, token)) {
		first = !pf->vf_opens;
		WRITE_ONCE(pf->vf_opens, pf->vf_opens + 1);
		ret = 0;
	}
	spin_unlock(&pf->lock);

	if (first)
		vfio_pci_pf_need_changed(pf);
	return ret;
}
EXPORT_SYMBOL_IF_KUNIT(vfio_pci_pf_admit_vf);

/**
 * vfio_pci_pf_unadmit_vf - a VF's open that was admitted has been closed
 * @pf: the state of its PF
 */
void vfio_pci_pf_unadmit_vf(struct vfio_pci_pf *pf)
{
	bool last;

	spin_lock(&pf->lock);
	if (!WARN_ON_ONCE(!pf->vf_opens))
		WRITE_ONCE(pf->vf_opens, pf->vf_opens - 1);
	last = !pf->vf_opens;
	spin_unlock(&pf->lock);

	if (last)
		vfio_pci_pf_need_changed(pf);
}
EXPORT_SYMBOL_IF_KUNIT(vfio_pci_pf_unadmit_vf);

/**
 * vfio_pci_pf_admit_pf - may the PF be opened? If so, set a token that is given
 * @pf: its state
 * @token: the token that the opener gave, NULL if none
 *
 * Context: process context.
 * Return: 0; -EACCES if a VF is in use and @token is not the PF's.
 */
int vfio_pci_pf_admit_pf(struct vfio_pci_pf *pf, const uuid_t *token)
{
	int ret = 0;

	spin_lock(&pf->lock);
	if (pf->vf_opens) {
		if (!vfio_pci_pf_token_is(pf, token))
			ret = -EACCES;
	} else if (token) {
		uuid_copy(&pf->token, token);
	}
	spin_unlock(&pf->lock);

	return ret;
}
EXPORT_SYMBOL_IF_KUNIT(vfio_pci_pf_admit_pf);

/**
 * vfio_pci_pf_set_token - set the token, whether or not VFs are in use
 * @pf: the state of a PF that the caller has open
 * @token: what opens from now on take
 *
 * Context: process context.
 */
void vfio_pci_pf_set_token(struct vfio_pci_pf *pf, const uuid_t *token)
{
	spin_lock(&pf->lock);
	uuid_copy(&pf->token, token);
	spin_unlock(&pf->lock);
}
EXPORT_SYMBOL_IF_KUNIT(vfio_pci_pf_set_token);

static struct vfio_pci_core_device *
vfio_pci_core_device_of(struct vfio_device *core_vdev)
{
	return container_of(core_vdev, struct vfio_pci_core_device, vdev);
}

static int vfio_pci_sriov_admit(struct vfio_device *core_vdev,
				const uuid_t *token, const char **why)
{
	struct vfio_pci_core_device *vdev = vfio_pci_core_device_of(core_vdev);
	int ret;

	if (!vdev->pdev->is_virtfn) {
		ret = vfio_pci_pf_admit_pf(vdev->pf, token);
		if (!ret && token)
			trace_vfio_pci_token_set(core_vdev->dev, "open");
		*why = token ? "wrong VF token, and a VF is in use" :
			       "no VF token given, and a VF is in use";
	} else if (vdev->pf) {
		ret = vfio_pci_pf_admit_vf(vdev->pf, token);
		*why = token ? "wrong VF token" :
			       "no VF token given, its PF is driven by vfio-pci";
	} else {
		ret = token ? -EINVAL : 0;
		*why = "VF token given, but its PF is not driven by vfio-pci";
	}

	return ret;
}

static void vfio_pci_sriov_unadmit(struct vfio_device *core_vdev)
{
	struct vfio_pci_core_device *vdev = vfio_pci_core_device_of(core_vdev);

	if (vdev->pdev->is_virtfn && vdev->pf)
		vfio_pci_pf_unadmit_vf(vdev->pf);
}

/* Without the lock: anybody may ask, and must not hold up those who open. */
static const char *vfio_pci_sriov_token_need(struct vfio_device *core_vdev)
{
	struct vfio_pci_core_device *vdev = vfio_pci_core_device_of(core_vdev);

	if (!vdev->pf)
		return "none";
	if (vdev->pdev->is_virtfn || READ_ONCE(vdev->pf->vf_opens))
		return "required";
	return "optional";
}

static const struct vfio_admission_ops vfio_pci_sriov_admission_ops = {
	.admit		= vfio_pci_sriov_admit,
	.unadmit	= vfio_pci_sriov_unadmit,
	.token_need	= vfio_pci_sriov_token_need,
};

/**
 * vfio_pci_sriov_feature_token - VFIO_DEVICE_FEATURE_PCI_VF_TOKEN
 * @core_vdev: the device, open
 * @flags: flags of the ioctl
 * @arg: the 16 bytes of the new token
 * @argsz: how many bytes userspace says are at @arg
 *
 * Context: may sleep.
 * Return: 0; -ENOTTY if the device is not a PF; -EINVAL for GET, no operation
 * or a small @argsz; -EFAULT if @arg can't be read.
 */
int vfio_pci_sriov_feature_token(struct vfio_device *core_vdev, u32 flags,
				 void __user *arg, size_t argsz)
{
	struct vfio_pci_core_device *vdev = vfio_pci_core_device_of(core_vdev);
	uuid_t token;
	int ret;

	if (!vdev->pdev->is_physfn)
		return -ENOTTY;

	ret = vfio_check_feature(flags, argsz, VFIO_DEVICE_FEATURE_SET,
				 sizeof(token));
	if (ret < 0 && __ratelimit(&core_vdev->refusals))
		pci_info(vdev->pdev,
			 "feature refused: the VF token can be set only, from %zu bytes\n",
			 sizeof(token));
	if (ret != 1)
		return ret;

	ret = copy_from_user(&token, arg, sizeof(token)) ? -EFAULT : 0;
	if (!ret) {
		vfio_pci_pf_set_token(vdev->pf, &token);
		trace_vfio_pci_token_set(core_vdev->dev, "feature");
	}

	memzero_explicit(&token, sizeof(token));
	return ret;
}

/**
 * vfio_pci_sriov_init - let opens of a PF or VF pass admission
 * @vdev: the device, about to be registered
 *
 * Nothing happens to a device that is neither PF nor VF.
 *
 * Context: may sleep, with the device_lock() held.
 * Return: 0, and vfio_pci_sriov_uninit() is due; -errno.
 */
int vfio_pci_sriov_init(struct vfio_pci_core_device *vdev)
{
	struct pci_dev *pdev = vdev->pdev;
	int ret;

	if (!pdev->is_physfn && !pdev->is_virtfn)
		return 0;

	if (pdev->is_physfn) {
		vdev->pf = vfio_pci_pf_alloc();
		if (!vdev->pf)
			return -ENOMEM;

		ret = xa_insert(&vfio_pci_pfs, (unsigned long)pdev, vdev->pf,
				GFP_KERNEL);
		if (ret) {
			vfio_pci_pf_put(vdev->pf);
			vdev->pf = NULL;
			return ret;
		}
	} else {
		vdev->pf = vfio_pci_pf_get(pci_physfn(pdev));
	}

	vdev->vdev.admission_ops = &vfio_pci_sriov_admission_ops;
	return 0;
}
EXPORT_SYMBOL_IF_KUNIT(vfio_pci_sriov_init);

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
EXPORT_SYMBOL_IF_KUNIT(vfio_pci_sriov_uninit);

/**
 * vfio_pci_pf_has_vfs - must the device stay in D0 because its VFs need it?
 * @vdev: the device
 *
 * Context: with the memory_lock held for writing.
 * Return: true if it must.
 */
bool vfio_pci_pf_has_vfs(struct vfio_pci_core_device *vdev)
{
	lockdep_assert_held_write(&vdev->memory_lock);

	return vdev->pdev->is_physfn && vdev->pf->has_vfs;
}

/*
 * While there are VFs, the PF stays in D0: runtime PM has a user more, and
 * whoever drives the PF can't put it to sleep.
 */
static int vfio_pci_sriov_power_up(struct vfio_pci_core_device *vdev)
{
	int ret;

	ret = pm_runtime_resume_and_get(&vdev->pdev->dev);
	if (ret)
		return ret;

	down_write(&vdev->memory_lock);
	ret = vfio_pci_set_power_state(vdev, PCI_D0);
	vdev->pf->has_vfs = !ret;
	up_write(&vdev->memory_lock);

	if (ret)
		pm_runtime_put(&vdev->pdev->dev);
	return ret;
}

/* Not _sync: nobody has to wait until the PF is asleep. */
static void vfio_pci_sriov_power_release(struct vfio_pci_core_device *vdev)
{
	down_write(&vdev->memory_lock);
	vdev->pf->has_vfs = false;
	up_write(&vdev->memory_lock);

	pm_runtime_put(&vdev->pdev->dev);
}

static int vfio_pci_sriov_enable(struct vfio_pci_core_device *vdev, int nr_virtfn)
{
	struct pci_dev *pdev = vdev->pdev;
	struct vfio_pci_pf *pf = vdev->pf;
	int ret;

	device_lock_assert(&pdev->dev);

	/* Not from sysfs, which looks itself: for whoever else calls this */
	if (pf->has_vfs)
		return -EBUSY;

	if (!pf->need_file)
		pf->need_file = sysfs_get_dirent(vdev->vdev.device.kobj.sd,
						 "vf_token");

	ret = vfio_pci_sriov_power_up(vdev);
	if (ret)
		return ret;

	pf->lost_vf = false;
	ret = pci_enable_sriov(pdev, nr_virtfn);
	if (ret)
		goto out_power;

	if (pf->lost_vf) {
		ret = -ENOMEM;
		goto out_disable;
	}
	return nr_virtfn;

out_disable:
	pci_disable_sriov(pdev);
out_power:
	vfio_pci_sriov_power_release(vdev);
	return ret;
}

/**
 * vfio_pci_sriov_disable - disable the VFs of a PF, if it has any
 * @vdev: the PF, or any other device
 *
 * Context: sleeps until the users of the VFs have closed them, with the
 * device_lock() held.
 */
void vfio_pci_sriov_disable(struct vfio_pci_core_device *vdev)
{
	device_lock_assert(&vdev->pdev->dev);

	if (!vdev->pdev->is_physfn || !vdev->pf->has_vfs)
		return;

	pci_disable_sriov(vdev->pdev);
	vfio_pci_sriov_power_release(vdev);
}

/**
 * vfio_pci_core_sriov_configure - enable or disable the VFs of a PF
 * @vdev: the PF
 * @nr_virtfn: how many VFs to enable; 0 to disable all, which waits for their
 *	       users to close them
 *
 * Context: may sleep, with the device_lock() held.
 * Return: @nr_virtfn; -EBUSY if there are VFs already; -ENOMEM if not all VFs
 * could be captured; what the PCI core says.
 */
int vfio_pci_core_sriov_configure(struct vfio_pci_core_device *vdev,
				  int nr_virtfn)
{
	if (nr_virtfn)
		return vfio_pci_sriov_enable(vdev, nr_virtfn);

	vfio_pci_sriov_disable(vdev);
	return 0;
}
EXPORT_SYMBOL_GPL(vfio_pci_core_sriov_configure);

/*
 * A VF was added to the bus, and no driver can match it yet.  If it can't be
 * kept from host drivers with an override, it gets no driver at all, ever: to
 * the driver core a dead device is one that is about to be removed.  The lock
 * of the VF is free: no driver is being bound, so nobody notifies under it.
 */
static void vfio_pci_sriov_capture(struct vfio_pci_pf *pf, struct pci_dev *vf)
{
	struct pci_dev *physfn = pci_physfn(vf);

	if (!device_set_driver_override(&vf->dev, VFIO_PCI_DRIVER_NAME)) {
		pci_info(physfn,
			 "VF %s captured: driver_override is vfio-pci\n",
			 pci_name(vf));
		trace_vfio_pci_vf_captured(physfn, vf);
		return;
	}

	device_lock(&vf->dev);
	kill_device(&vf->dev);
	device_unlock(&vf->dev);
	pf->lost_vf = true;
	pci_err(physfn, "VF %s can't be captured, it gets no driver\n",
		pci_name(vf));
}

static void vfio_pci_sriov_bound(struct pci_dev *vf)
{
	struct pci_dev *physfn = pci_physfn(vf);
	const char *name = vf->dev.driver->name;

	if (!strcmp(name, VFIO_PCI_DRIVER_NAME))
		return;

	pci_warn(physfn, "VF %s is now driven by %s, not by vfio-pci\n",
		 pci_name(vf), name);
	trace_vfio_pci_vf_left(physfn, vf, name);
}

static int vfio_pci_sriov_notify(struct notifier_block *nb,
				 unsigned long action, void *data)
{
	struct pci_dev *vf = to_pci_dev(data);
	struct vfio_pci_pf *pf;

	if (!vf->is_virtfn ||
	    (action != BUS_NOTIFY_ADD_DEVICE && action != BUS_NOTIFY_BOUND_DRIVER))
		return NOTIFY_DONE;

	pf = vfio_pci_pf_get(pci_physfn(vf));
	if (!pf)
		return NOTIFY_DONE;

	if (action == BUS_NOTIFY_ADD_DEVICE)
		vfio_pci_sriov_capture(pf, vf);
	else
		vfio_pci_sriov_bound(vf);

	vfio_pci_pf_put(pf);
	return NOTIFY_OK;
}

static struct notifier_block vfio_pci_sriov_nb = {
	.notifier_call = vfio_pci_sriov_notify,
};

/**
 * vfio_pci_sriov_register - begin to watch the PCI bus for new VFs
 *
 * Return: 0, and vfio_pci_sriov_unregister() is due; -errno.
 */
int vfio_pci_sriov_register(void)
{
	return bus_register_notifier(&pci_bus_type, &vfio_pci_sriov_nb);
}

/**
 * vfio_pci_sriov_unregister - undo vfio_pci_sriov_register()
 */
void vfio_pci_sriov_unregister(void)
{
	bus_unregister_notifier(&pci_bus_type, &vfio_pci_sriov_nb);
}
