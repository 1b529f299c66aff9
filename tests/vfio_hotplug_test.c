// SPDX-License-Identifier: GPL-2.0-only
/*
 * A PF is unplugged while it and one of its VFs are open: by the host, by the
 * slot's power switch, or without warning.  Like any removal, this asks the
 * users to close and waits until they have; afterwards all is as new.
 *
 * The host is QEMU, as vmtest.sh starts it: only QEMU can plug a device again.
 * Limits of QEMU 10.0:
 *
 * - It aborts when an nvme with SR-IOV is unplugged ("subsys.c: Assertion
 *   `subsys->ctrls[cntlid] == SUBSYS_SLOT_RSVD' failed").  Therefore the slot of
 *   the nvme has no power control: its removals are orderly, and QEMU keeps the
 *   device until the slot is switched on again.  It cannot be pulled; the test
 *   pulls another PF instead.
 * - It cannot remove a root port ("Bus 'pcie.0' does not support hotplugging"),
 *   nor plug a port below a switch that was plugged.
 */
#include <errno.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "kselftest_harness.h"
#include "lib/bench.h"
#include "lib/holder.h"
#include "lib/leaver.h"
#include "lib/slot.h"

#define TEST_SECONDS	240

static const char *pf = bench.pf;

/* The host needs real time, which a sleeping guest could skip. */
#define WAIT_FOR_HOST(condition) \
	do { \
		while (!(condition)) \
			sched_yield(); \
	} while (0)

/* The guest's kernel needs seconds of the guest's own time. */
#define WAIT_FOR_KERNEL(condition) \
	do { \
		while (!(condition)) \
			usleep(10000); \
	} while (0)

static const char *const no_host =
	"no device can be plugged again ($" SLOT_HOST " is not set): see vmtest.sh";

/* --------------------------------------------------------- out and in again */

static bool is_out(const struct slot *slot)
{
	return slot_is_dark(slot) && !pci_exists(pf) &&
	       !(slot_has_power_control(slot) && slot_has_card(slot));
}

/*
 * If a card is plugged while the kernel still checks the empty slot, the kernel
 * finds it before the press of its button, which then asks for its removal.
 * Once the kernel knows that the slot is off, soon after it has turned off the
 * light, a write to the switch waits for the end of that check, and fails
 * without a card.
 */
static int plug_card(const struct slot *slot)
{
	int ret;

	sleep(1);
	ret = slot_set_power(slot, true);
	if (ret != -ENODEV)
		return -EBUSY;
	ret = slot_ask_host(slot, "plug");
	if (!ret)
		WAIT_FOR_HOST(slot_has_card(slot));
	return ret;
}

/* The light is on only after a host driver could bind to the PF. */
static int plug_in(const struct slot *slot)
{
	int ret = 0;

	if (slot_has_card(slot))
		WAIT_FOR_KERNEL(!slot_set_power(slot, true));
	else
		ret = plug_card(slot);
	if (ret)
		return ret;
	WAIT_FOR_KERNEL(slot_is_lit(slot) && pci_exists(pf));
	return pci_move_to(pf, VFIO_PCI);
}

static void press_button(struct __test_metadata *_metadata,
			 const struct slot *slot)
{
	ASSERT_EQ(0, slot_ask_host(slot, "unplug"));
	WAIT_FOR_HOST(!slot_is_lit(slot));
}

static void come_back(struct __test_metadata *_metadata,
		      const struct slot *slot, const char *vf)
{
	WAIT_FOR_KERNEL(is_out(slot));
	EXPECT_FALSE(pci_exists(vf));
	ASSERT_EQ(0, plug_in(slot));
	EXPECT_FALSE(pci_exists(vf));
	EXPECT_EQ(0, pci_read_int(pf, "sriov_numvfs"));

	/* As new: with a random token, and no VF in use. */
	ASSERT_EQ(0, bench_enable_vfs(1));
	EXPECT_EQ(-EACCES, try_open(OPEN_CDEV, vf, TOKEN_1));
	EXPECT_EQ(0, try_open(OPEN_CDEV, pf, TOKEN_2));
	EXPECT_EQ(0, try_open(OPEN_CDEV, vf, TOKEN_2));
}

/*
 * The device cannot be opened any more, and the thread that removes it sleeps
 * in vfio until its user has closed it.
 */
static bool waits_for_user(const char *addr)
{
	char name[32];

	return pci_vfio_cdev(addr, name, sizeof(name)) &&
	       any_sleeps_in("vfio_unregister_group_dev");
}

/* A failed test may have left it unplugged. */
static int put_back(const struct slot *slot)
{
	char driver[PCI_DRIVER_LEN];

	if (!strcmp(pci_driver(pf, driver), VFIO_PCI))
		return bench_disable_vfs();
	return plug_in(slot);
}

/* ------------------------------------------------------- with a warning */

FIXTURE(unplug)
{
	struct slot slot;
	char vf[PCI_ADDR_LEN];
};

FIXTURE_VARIANT(unplug)
{
	enum open_path path;
};

FIXTURE_VARIANT_ADD(unplug, type1) { .path = OPEN_TYPE1 };
FIXTURE_VARIANT_ADD(unplug, compat) { .path = OPEN_COMPAT };
FIXTURE_VARIANT_ADD(unplug, cdev) { .path = OPEN_CDEV };

FIXTURE_SETUP(unplug)
{
	if (!getenv(SLOT_HOST))
		SKIP(return, "%s", no_host);
	ASSERT_EQ(0, slot_find(&self->slot, pf));
	ASSERT_EQ(0, slot_light(&self->slot));
	ASSERT_EQ(0, try_open(OPEN_CDEV, pf, TOKEN_1));
	ASSERT_EQ(0, bench_enable_vfs(1));
	memcpy(self->vf, bench.vf[0], PCI_ADDR_LEN);
}

FIXTURE_TEARDOWN(unplug)
{
	EXPECT_EQ(0, put_back(&self->slot));
}

TEST_F_TIMEOUT(unplug, host_asks_users, TEST_SECONDS)
{
	struct leaver on_vf, on_pf;

	ASSERT_EQ(0, leaver_open(&on_pf, variant->path, pf, TOKEN_1));
	ASSERT_EQ(0, leaver_open(&on_vf, variant->path, self->vf, TOKEN_1));
	press_button(_metadata, &self->slot);
	EXPECT_EQ(0, leaver_left(&on_vf));
	EXPECT_EQ(0, leaver_left(&on_pf));
	come_back(_metadata, &self->slot, self->vf);
}

TEST_F_TIMEOUT(unplug, host_waits_for_users, TEST_SECONDS)
{
	struct holder holder;

	ASSERT_EQ(0, holder_open(&holder, variant->path, self->vf, TOKEN_1));
	press_button(_metadata, &self->slot);
	WAIT_FOR_KERNEL(waits_for_user(self->vf));
	EXPECT_TRUE(pci_exists(pf));
	EXPECT_TRUE(pci_exists(self->vf));
	holder_release(&holder);
	come_back(_metadata, &self->slot, self->vf);
}

static int switch_off(struct job *job, void *arg)
{
	return slot_set_power(arg, false);
}

TEST_F_TIMEOUT(unplug, switch_waits_for_users, TEST_SECONDS)
{
	struct holder holder;
	struct job job;

	ASSERT_EQ(0, holder_open(&holder, variant->path, self->vf, TOKEN_1));
	ASSERT_EQ(0, job_start(&job, switch_off, &self->slot));
	WAIT_FOR_KERNEL(waits_for_user(self->vf));
	EXPECT_TRUE(pci_exists(pf));
	EXPECT_TRUE(job_blocked_in(&job, SYS_write,
				   "pciehp_sysfs_disable_slot"));
	holder_release(&holder);
	EXPECT_EQ(0, job_next(&job));
	job_wait(&job);
	come_back(_metadata, &self->slot, self->vf);
}

/* ------------------------------------------------------------ without one */

FIXTURE(pull)
{
	struct slot slot;
	char vf[PCI_ADDR_LEN];
};

FIXTURE_VARIANT(pull)
{
	enum open_path path;
};

FIXTURE_VARIANT_ADD(pull, type1) { .path = OPEN_TYPE1 };
FIXTURE_VARIANT_ADD(pull, compat) { .path = OPEN_COMPAT };
FIXTURE_VARIANT_ADD(pull, cdev) { .path = OPEN_CDEV };

/* Use the PF of the bench, or else another idle one. */
static bool choose_pf(struct slot *slot)
{
	char bound[32][PCI_ADDR_LEN];
	int i, n;

	if (!slot_find(slot, pf) && slot_has_power_control(slot))
		return true;
	n = pci_list_bound(VFIO_PCI, bound, 32);
	for (i = 0; i < n; i++) {
		if (!pci_is_pf(bound[i]) ||
		    pci_read_int(bound[i], "sriov_numvfs") ||
		    slot_find(slot, bound[i]) || !slot_has_power_control(slot))
			continue;
		memcpy(bench.pf, bound[i], PCI_ADDR_LEN);
		return true;
	}
	return false;
}

FIXTURE_SETUP(pull)
{
	if (!getenv(SLOT_HOST))
		SKIP(return, "%s", no_host);
	if (!choose_pf(&self->slot))
		SKIP(return, "no PF sits in a slot with power control");
	ASSERT_EQ(0, slot_light(&self->slot));
	ASSERT_EQ(0, try_open(OPEN_CDEV, pf, TOKEN_1));
	ASSERT_EQ(0, bench_enable_vfs(1));
	memcpy(self->vf, bench.vf[0], PCI_ADDR_LEN);
}

FIXTURE_TEARDOWN(pull)
{
	EXPECT_EQ(0, put_back(&self->slot));
}

TEST_F_TIMEOUT(pull, asks_users, TEST_SECONDS)
{
	struct leaver on_vf, on_pf;

	ASSERT_EQ(0, leaver_open(&on_pf, variant->path, pf, TOKEN_1));
	ASSERT_EQ(0, leaver_open(&on_vf, variant->path, self->vf, TOKEN_1));
	ASSERT_EQ(0, slot_pull(&self->slot));
	EXPECT_FALSE(slot_has_card(&self->slot));
	EXPECT_EQ(0, leaver_left(&on_vf));
	EXPECT_EQ(0, leaver_left(&on_pf));
	come_back(_metadata, &self->slot, self->vf);
}

TEST_F_TIMEOUT(pull, waits_for_users, TEST_SECONDS)
{
	struct holder holder;

	ASSERT_EQ(0, holder_open(&holder, variant->path, self->vf, TOKEN_1));
	ASSERT_EQ(0, slot_pull(&self->slot));
	EXPECT_FALSE(slot_has_card(&self->slot));
	WAIT_FOR_KERNEL(waits_for_user(self->vf));
	EXPECT_TRUE(pci_exists(pf));
	EXPECT_TRUE(pci_exists(self->vf));
	holder_release(&holder);
	come_back(_metadata, &self->slot, self->vf);
}

/* The death of a user also ends the wait. */
TEST_F_TIMEOUT(pull, ends_with_users, TEST_SECONDS)
{
	struct holder on_vf, on_pf;

	ASSERT_EQ(0, holder_open(&on_pf, variant->path, pf, TOKEN_1));
	ASSERT_EQ(0, holder_open(&on_vf, variant->path, self->vf, TOKEN_1));
	ASSERT_EQ(0, slot_pull(&self->slot));
	WAIT_FOR_KERNEL(waits_for_user(self->vf));
	holder_kill(&on_vf);
	WAIT_FOR_KERNEL(waits_for_user(pf));
	holder_kill(&on_pf);
	come_back(_metadata, &self->slot, self->vf);
}

/*
 * pciehp takes reset_lock and pci_rescan_remove_lock in both orders whenever it
 * removes a device, whatever the driver.  Lockdep reports this once and then
 * checks no lock any more, which would blind it for all other tests.  With
 * lockdep.prove_locking=0 it does not check the order of locks.
 */
int main(int argc, char **argv)
{
	char order[8];

	if (!file_read("/proc/sys/kernel/prove_locking", order, sizeof(order)) &&
	    order[0] != '0')
		ksft_exit_skip("lockdep is on, and pciehp would end its work\n");
	return bench_run(argc, argv, 0, test_harness_run);
}
