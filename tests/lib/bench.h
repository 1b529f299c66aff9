/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The devices that a test program runs on: PFs named on the command line or in
 * $VFIO_PF.  Other devices are not touched: they may be in use.
 */
#ifndef VFIO_SELFTEST_BENCH_H
#define VFIO_SELFTEST_BENCH_H

#include "pci.h"

#define BENCH_MAX_VFS	8

/* The PF of this run, and the VFs that were enabled for it. */
struct bench {
	char pf[PCI_ADDR_LEN];
	char vf[BENCH_MAX_VFS][PCI_ADDR_LEN];
	int nr_vfs;
};

extern struct bench bench;

/*
 * Run the harness once per PF, with @nr_vfs VFs (as many as the PF has, if
 * that is less) enabled before and disabled after it.
 */
int bench_run(int argc, char **argv, int nr_vfs,
	      int (*harness_run)(int argc, char **argv));

/* Enable VFs and learn their addresses; disable them. 0 or negative errno. */
int bench_enable_vfs(int nr_vfs);
int bench_disable_vfs(void);

/* $VFIO_PLAIN: a device that is neither PF nor VF, and bound to vfio-pci. */
bool bench_find_plain_device(char addr[PCI_ADDR_LEN]);

#endif
