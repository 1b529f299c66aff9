/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A PF and two of its VFs, opened by two PF drivers and two VF drivers: programs
 * that fail, die and start again at any time. The series is the model with
 * SEPARATE, LEAK and EARLY 0. Each of these as 1 is wrong: SEPARATE counts a VF's
 * open when the device is ready, not when the token is checked; LEAK does not give
 * a count back if an open fails; EARLY does before the device is closed.
 */
byte token = 3, vf_opens;	/* struct vfio_pci_pf; nobody knows token 3 */
bool lock;			/* vfio_pci_pf::lock */
bool pf_taken;			/* group or cdev of the PF: one program at a time */

/* For p1 and p4: the tokens of the files that are open; was the token set by
 * feature since that VF was admitted?; how many VF drivers are at work. */
byte pf_with[2], vf_with[2], busy;
bool set_since[2], p1 = true, p4 = true;

#define AGREE(v, p)	(!vf_with[v] || !pf_with[p] || vf_with[v] == pf_with[p] || set_since[v])
inline check_p1()	{ p1 = AGREE(0, 0) && AGREE(0, 1) && AGREE(1, 0) && AGREE(1, 1); assert(p1) }
inline spin_lock()	{ atomic { !lock -> lock = true } }
inline spin_unlock()	{ lock = false }
inline count(n)		{ d_step { p4 = vf_opens + n >= 0; assert(p4); vf_opens = vf_opens + n } }
inline choose(t)	{ if :: t = 0 :: t = 1 :: t = 2 fi }	/* 0: no token */

/* Opens the PF by VFIO_GROUP_GET_DEVICE_FD (group.c) or VFIO_DEVICE_BIND_IOMMUFD
 * (device_cdev.c): vfio_device_admit(), vfio_df_open(); closes it: vfio_df_close(). */
proctype pf_driver(byte me)
{
	byte with;
	bool open;

	do
	:: atomic { !pf_taken -> pf_taken = true }; choose(with); spin_lock();
	   if	/* vfio_pci_pf_admit_pf() */
	   :: vf_opens && with != token -> spin_unlock(); printf("PF driver %d gives T%d: refused, a VF is in use\n", me + 1, with); goto out
	   :: vf_opens && with == token
	   :: !vf_opens && with -> token = with
	   :: !vf_opens && !with
	   fi;
	   d_step { lock = false; printf("PF driver %d gives T%d: admitted, VFs in use: %d, the token: T%d\n", me + 1, with, vf_opens, token) };
	   if	/* vfio_df_device_first_open(): resets the PF, may fail */
	   :: d_step { open = true; pf_with[me] = with; printf("PF driver %d: the PF is open\n", me + 1); check_p1() }
	   :: printf("PF driver %d: the PF does not open\n", me + 1)
	   fi;
	   do	/* VFIO_DEVICE_FEATURE: vfio_pci_pf_set_token() */
	   :: open -> if :: with = 1 :: with = 2 fi; spin_lock();
	      d_step { token = with; pf_with[me] = with; set_since[0] = true; set_since[1] = true; printf("PF driver %d sets T%d\n", me + 1, with) };
	      spin_unlock()
	   :: d_step { open = false; pf_with[me] = 0; printf("PF driver %d: the PF is closed\n", me + 1) }; break
	   od;
out:	   with = 0; pf_taken = false;
	   if :: printf("PF driver %d starts again\n", me + 1) :: break fi
	od
}

/* Opens its VF in the same ways; vfio_device_unadmit() follows a failed open or a close. */
proctype vf_driver(byte me)
{
	byte with;

	do
	:: choose(with); busy++; spin_lock();
	   if	/* vfio_pci_pf_admit_vf() */
	   :: with != token -> spin_unlock(); printf("VF driver %d gives T%d: refused\n", me + 1, with); goto out
	   :: else -> d_step { set_since[me] = false; printf("VF driver %d gives T%d: it is the token, go on\n", me + 1, with) }
	   fi;
	   count(!SEPARATE); spin_unlock();
	   if	/* vfio_df_device_first_open(): resets the VF, may fail or be interrupted */
	   :: true
	   :: spin_lock(); count(-!(SEPARATE || LEAK)); spin_unlock(); printf("VF driver %d: the VF does not open\n", me + 1); goto out
	   fi;
	   spin_lock(); count(SEPARATE); spin_unlock();	/* only unpatched: vfio_pci_core_finish_enable() */
	   d_step { vf_with[me] = with; printf("VF driver %d: the VF is open\n", me + 1); check_p1() };
	   spin_lock(); count(-EARLY); spin_unlock();
	   d_step { vf_with[me] = 0; printf("VF driver %d: the VF is closed\n", me + 1) };
	   spin_lock(); count(-!EARLY); spin_unlock();	/* vfio_pci_pf_unadmit_vf() */
out:	   with = 0;
	   d_step { busy--; p4 = busy || !vf_opens; assert(p4) };
	   if :: printf("VF driver %d starts again\n", me + 1) :: break fi
	od
}

init	/* when all have ended, all must be as it was */
{
	atomic { run pf_driver(1); run pf_driver(0); run vf_driver(1); run vf_driver(0) };
	d_step { _nr_pr == 1; p4 = !vf_opens && !lock && !pf_taken; assert(p4) }
}
