// SPDX-License-Identifier: GPL-2.0-only
//
// Takes the older form of VF tokens and of SR-IOV support out of vfio-pci.
// Names and patterns only. What has to be found in which base is listed in
// "remove-list" and "removals".
// Comments, macros and preprocessor lines are left to remove-vf-token.pl.

// ---- whole functions, their declarations and exports

@ functions @
identifier f = {
	vfio_pci_core_match,
	vfio_pci_core_match_token_uuid,
	vfio_df_check_token,
	vfio_pci_validate_vf_token,
	vfio_pci_core_feature_token,
	vfio_pci_bus_notifier,
	vfio_pci_vf_init,
	vfio_pci_vf_uninit,
	vfio_pci_core_sriov_configure,
	vfio_pci_sriov_configure
};
@@
- f(...) { ... }

@ declarations @
identifier f = {
	vfio_pci_core_match,
	vfio_pci_core_match_token_uuid,
	vfio_pci_core_sriov_configure
};
type T;
parameter list P;
@@
- T f(P);

@ exports @
declarer name EXPORT_SYMBOL_GPL;
identifier f = {
	vfio_pci_core_match,
	vfio_pci_core_match_token_uuid,
	vfio_pci_core_sriov_configure
};
@@
- EXPORT_SYMBOL_GPL(f);

// ---- their uses

@ match_users @
symbol vfio_pci_core_match;
identifier table;
@@
struct vfio_device_ops table = {
-	.match = vfio_pci_core_match,
};

@ match_token_users @
symbol vfio_pci_core_match_token_uuid;
identifier table;
@@
struct vfio_device_ops table = {
-	.match_token_uuid = vfio_pci_core_match_token_uuid,
};

@ check_token_call @
expression device, bind;
identifier ret, out;
@@
- ret = vfio_df_check_token(device, bind);
- if (ret)
-	goto out;

@ sriov_configure_user @
symbol vfio_pci_sriov_configure;
identifier drv;
@@
struct pci_driver drv = {
-	.sriov_configure = vfio_pci_sriov_configure,
};

@ unregistration @
@@
vfio_pci_core_unregister_device(...)
{
	<...
-	vfio_pci_core_sriov_configure(...);
	...>
}

@ unregistration_uninit @
@@
vfio_pci_core_unregister_device(...)
{
	<...
-	vfio_pci_vf_uninit(...);
	...>
}

@ registration @
expression vdev;
identifier ret, out;
statement S;
@@
vfio_pci_core_register_device(...)
{
	<...
-	ret = vfio_pci_vf_init(vdev);
-	if (ret) S
	ret = vfio_pci_vga_init(vdev);
	if (ret)
-		goto out;
+		return ret;
	...>
}

@ registration_unwinding @
identifier out;
@@
- out:
- vfio_pci_vf_uninit(...);

// ---- the match operation

@ match_op @
symbol match;
type T;
@@
struct vfio_device_ops {
	...
-	T match;
	...
};

@ match_token_op @
symbol match_token_uuid;
type T;
@@
struct vfio_device_ops {
	...
-	T match_token_uuid;
	...
};

@ match_call @
symbol ops, match;
expression it, E;
identifier ret;
statement S;
@@
- int ret;
- if (it->ops->match) S else { ret = E; }
  if (
-     ret
+     E
      && vfio_device_try_get_registration(it)) { ... }

// ---- state and its uses

@ token_struct @
@@
- struct vfio_pci_vf_token { ... };

@ members @
identifier m = { vf_token, sriov_pfs_item, sriov_pf_core_dev, nb, sriov_active };
type T;
@@
struct vfio_pci_core_device {
	...
-	T m;
	...
};

@ pf_lists @
symbol vfio_pci_sriov_pfs_mutex, vfio_pci_sriov_pfs;
declarer name DEFINE_MUTEX;
declarer name LIST_HEAD;
@@
(
- static DEFINE_MUTEX(vfio_pci_sriov_pfs_mutex);
|
- static LIST_HEAD(vfio_pci_sriov_pfs);
)

@ vf_users @
expression vdev;
@@
- if (vdev->sriov_pf_core_dev) { ... }

@ pf_item @
expression vdev;
@@
- INIT_LIST_HEAD(&vdev->sriov_pfs_item);

@ power @
expression vdev;
identifier state;
@@
- if (state > PCI_D0) {
-	...
-	if (vdev->sriov_active)
-		return -EBUSY;
- }
