// SPDX-License-Identifier: GPL-2.0-only
/*
 * Who waits for whom?  Four threads open and close four VFs with their token, two
 * of the first PF and two of the second one.  A fifth thread opens another VF of
 * the first PF with a wrong token meanwhile, as fast as it can.  For a kernel
 * with CONFIG_LOCK_STAT, which counts, and whose trace says which thread waited.
 * The threads have names: flooder, same-pf, other-pf.
 */
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "die.h"
#include "pci.h"
#include "user.h"

#define OPENS		50
#define NR_OPENERS	4
#define MAX_PFS		8

#define LOCK_STAT	"/proc/lock_stat"
#define LOCK_STAT_ON	"/proc/sys/kernel/lock_stat"
#define LOCK_EVENT	"/sys/kernel/tracing/events/lock/lock_contended/enable"

static char pfs[MAX_PFS][PCI_ADDR_LEN];
static int nr_pfs;
static char vfs[NR_OPENERS][PCI_ADDR_LEN];
static char flooded[PCI_ADDR_LEN];
static int done;

static void *open_and_close(void *arg)
{
	const char *vf = arg;
	struct user user;
	int i;

	must(vf, user_init(&user, OPEN_TYPE1, vf));
	for (i = 0; i < OPENS; i++)
		must(vf, user_try(&user, TOKEN_1));
	user_exit(&user);
	return NULL;
}

static void *flood(void *arg)
{
	unsigned long refused = 0;
	struct user user;
	int ret;

	must(arg, user_init(&user, OPEN_TYPE1, arg));
	while (!__atomic_load_n(&done, __ATOMIC_RELAXED)) {
		ret = user_try(&user, TOKEN_2);
		if (ret != -EACCES)
			die("flood", ret ? ret : -EEXIST);
		refused++;
	}
	user_exit(&user);
	printf("contend: %lu opens refused, %d VFs opened %d times each\n",
	       refused, NR_OPENERS, OPENS);
	return NULL;
}

static pthread_t start(const char *name, void *(*work)(void *arg), char *vf)
{
	pthread_t thread;

	must("thread", -pthread_create(&thread, NULL, work, vf));
	must("name", -pthread_setname_np(thread, name));
	return thread;
}

static void contend(void)
{
	pthread_t openers[NR_OPENERS], flooder;
	int i;

	flooder = start("flooder", flood, flooded);
	for (i = 0; i < NR_OPENERS; i++)
		openers[i] = start(i < NR_OPENERS / 2 ? "same-pf" : "other-pf",
				   open_and_close, vfs[i]);
	for (i = 0; i < NR_OPENERS; i++)
		pthread_join(openers[i], NULL);
	__atomic_store_n(&done, 1, __ATOMIC_RELAXED);
	pthread_join(flooder, NULL);
}

static void make_vfs(const char *pf, int nr)
{
	must("PF's token", try_open(OPEN_TYPE1, pf, TOKEN_1));
	must("VFs", pci_set_numvfs(pf, nr));
}

static void find_devices(void)
{
	char bound[MAX_PFS][PCI_ADDR_LEN];
	int i, n;

	n = pci_list_bound(VFIO_PCI, bound, MAX_PFS);
	for (i = 0; i < n; i++)
		if (pci_is_pf(bound[i]))
			memcpy(pfs[nr_pfs++], bound[i], PCI_ADDR_LEN);
	if (nr_pfs < 2)
		die("two PFs on vfio-pci", -ENODEV);
	must("enable_sriov", file_write(ENABLE_SRIOV, "Y"));
	make_vfs(pfs[0], 3);
	make_vfs(pfs[1], 2);
	must("VF", pci_vf(pfs[0], 0, vfs[0]));
	must("VF", pci_vf(pfs[0], 1, vfs[1]));
	must("VF", pci_vf(pfs[0], 2, flooded));
	must("VF", pci_vf(pfs[1], 0, vfs[2]));
	must("VF", pci_vf(pfs[1], 1, vfs[3]));
}

int main(void)
{
	find_devices();
	must(LOCK_EVENT, file_write(LOCK_EVENT, "1"));
	must(LOCK_STAT, file_write(LOCK_STAT, "0"));
	must(LOCK_STAT_ON, file_write(LOCK_STAT_ON, "1"));
	contend();
	must(LOCK_STAT_ON, file_write(LOCK_STAT_ON, "0"));
	must(LOCK_EVENT, file_write(LOCK_EVENT, "0"));
	return 0;
}
