/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A PF and two of its VFs, opened by two PF drivers and two VF drivers: programs that fail,
 * die and start again at any time. The series is the model with SEPARATE, LEAK, EARLY, BARE
 * and LATE 0. Each of these as 1 is wrong: SEPARATE counts a VF's open when the device is
 * ready, not when the token is checked; LEAK does not give a count back if an open fails;
 * EARLY does before the device is closed; BARE lets a PF driver without a token in while a
 * VF is in use; LATE does not hold the lock while the PF opens, but sets the token after.
 */
byte token = 3, vf_opens;	/* struct vfio_pci_pf; token 3 is random, no program knows it */
bool lock;			/* vfio_pci_pf::lock */
bool pf_taken;			/* group or cdev of the PF: one program at a time */

/* For p1 and p4: the token that the PF's driver gave or set, if the PF is open; for each VF
 * the token that a PF driver beside it must have, the VF's own or what was set by feature
 * since; which VFs are open; how many VF drivers are at work. VFs count from 1. */
byte pf_with, must[3], busy;
bool vf_open[3], p1 = true, p4 = true;

#define BESIDE_VFS(t)	((!vf_open[1] || t == must[1]) && (!vf_open[2] || t == must[2]))
inline check_admit(t)	{ p1 = BESIDE_VFS(t); assert(p1) }
inline check_p1()	{ p1 = !pf_with || BESIDE_VFS(pf_with); assert(p1) }
inline lock_pf()	{ atomic { !lock -> lock = true } }
inline unlock_pf()	{ lock = false }
inline count(n)		{ d_step { p4 = vf_opens + n >= 0; assert(p4); vf_opens = vf_opens + n } }
inline choose(t)	{ if :: t = 1 :: t = 2 :: t = 0 fi }	/* 0: no token */

/* Opens the PF by VFIO_GROUP_GET_DEVICE_FD (group.c) or VFIO_DEVICE_BIND_IOMMUFD
 * (device_cdev.c): vfio_device_get_admission(), vfio_df_open(),
 * vfio_device_end_admission(); closes it: vfio_df_close(). */
proctype pf_driver(byte me)
{
	byte with;

	do
	:: atomic { !pf_taken -> pf_taken = true }; choose(with); lock_pf();
	   if	/* vfio_pci_pf_open() */
	   :: vf_opens && with != token && (with || !BARE) ->
	      unlock_pf(); printf("PF driver %d presents T%d: refused\n", me, with); goto out
	   :: else
	   fi;
	   d_step { printf("PF driver %d presents T%d: admitted, VFs in use: %d\n", me, with, vf_opens);
		    check_admit(with); lock = !LATE };
	   if	/* vfio_df_device_first_open(): resets the PF, may fail */
	   :: printf("PF driver %d: the PF does not open\n", me); lock = lock && LATE; goto out
	   :: d_step { pf_with = with; token = (with -> with : token);
		       printf("PF driver %d: the PF is open\n", me); check_p1() };
	      lock = lock && LATE	/* vfio_pci_sriov_end() */
	   fi;
	   do	/* VFIO_DEVICE_FEATURE: vfio_pci_pf_set_token() */
	   :: if :: with = 1 :: with = 2 fi; lock_pf();
	      d_step { token = with; pf_with = with; printf("PF driver %d sets T%d\n", me, with);
		       must[1] = (must[1] -> with : 0); must[2] = (must[2] -> with : 0) };
	      unlock_pf()
	   :: d_step { pf_with = 0; printf("PF driver %d: the PF is closed\n", me) }; break
	   od;
out:	   with = 0; pf_taken = false;
	   if :: true :: break fi
	od
}

/* Opens its VF in the same ways; vfio_device_put_admission() follows a failed open or a close. */
proctype vf_driver(byte me)
{
	byte with;

	do
	:: choose(with); busy++; lock_pf();
	   if	/* vfio_pci_pf_open_vf() */
	   :: with != token ->
	      unlock_pf(); printf("VF driver %d presents T%d: refused\n", me, with); goto out
	   :: else -> must[me] = with; printf("VF driver %d presents T%d: match\n", me, with)
	   fi;
	   count(!SEPARATE); unlock_pf();
	   if	/* vfio_df_device_first_open(): resets the VF, may fail or be interrupted */
	   :: true
	   :: printf("VF driver %d: the VF does not open\n", me);
	      count(-!(SEPARATE || LEAK)); goto out
	   fi;
	   lock_pf(); count(SEPARATE); unlock_pf(); /* stock: vfio_pci_core_finish_enable() */
	   d_step { vf_open[me] = true; printf("VF driver %d: the VF is open\n", me); check_p1() };
	   count(-EARLY);
	   d_step { vf_open[me] = false; printf("VF driver %d: the VF is closed\n", me) };
	   count(-!EARLY);	/* vfio_pci_sriov_put(), without the lock */
out:	   with = 0; must[me] = 0;
	   d_step { busy--; p4 = busy || !vf_opens; assert(p4) };
	   if :: true :: break fi
	od
}

init	/* when all have ended, all must be as it was */
{
	if :: token = 1; printf("T1 is set, and nothing is open\n") :: true fi;
	atomic { run vf_driver(2); run vf_driver(1); run pf_driver(2); run pf_driver(1) };
	d_step { _nr_pr == 1; p4 = !vf_opens && !lock && !pf_taken; assert(p4) }
}
