// SPDX-License-Identifier: GPL-2.0-only
/*
 * A PF is removed, alone or with its port, or reset, while one of its VFs is
 * open.  The removal asks the VF's user to close it and waits; afterwards all
 * is as new.  A reset does not change which opens are admitted.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <linux/vfio.h>

#include "kselftest_harness.h"
#include "lib/bench.h"
#include "lib/holder.h"
#include "lib/leaver.h"

#define TEST_SECONDS	120

static const char *pf = bench.pf;

FIXTURE(remove)
{
	char vf[PCI_ADDR_LEN];
	char pf_override[PCI_DRIVER_LEN];
};

FIXTURE_VARIANT(remove)
{
	enum open_path path;
};

FIXTURE_VARIANT_ADD(remove, type1) { .path = OPEN_TYPE1 };
FIXTURE_VARIANT_ADD(remove, compat) { .path = OPEN_COMPAT };
FIXTURE_VARIANT_ADD(remove, cdev) { .path = OPEN_CDEV };

static int scan_bus(void)
{
	return file_write("/sys/bus/pci/rescan", "1");
}

FIXTURE_SETUP(remove)
{
	pci_override(pf, self->pf_override);
	ASSERT_EQ(0, try_open(OPEN_CDEV, pf, TOKEN_1));
	ASSERT_EQ(0, bench_enable_vfs(1));
	memcpy(self->vf, bench.vf[0], PCI_ADDR_LEN);
}

/* A host driver may be bound to a PF that was removed and added. */
FIXTURE_TEARDOWN(remove)
{
	char driver[PCI_DRIVER_LEN];

	if (!pci_exists(pf))
		EXPECT_EQ(0, scan_bus());
	if (strcmp(pci_driver(pf, driver), VFIO_PCI)) {
		EXPECT_EQ(0, pci_move_to(pf, VFIO_PCI));
		EXPECT_EQ(0, pci_set_override(pf, self->pf_override));
	}
	EXPECT_EQ(0, bench_disable_vfs());
}

/* ------------------------------------------------------------- removals */

static int remove_pf(struct job *job, void *arg)
{
	return pci_write(pf, "remove", "1");
}

/* The host driver of a PF that was added may still be probing it. */
static int move_back(void)
{
	int ret;

	do
		ret = pci_move_to(pf, VFIO_PCI);
	while (ret == -EBUSY);
	return ret;
}

static void come_back(struct __test_metadata *_metadata, const char *vf)
{
	EXPECT_FALSE(pci_exists(pf));
	EXPECT_FALSE(pci_exists(vf));
	ASSERT_EQ(0, scan_bus());
	ASSERT_TRUE(pci_exists(pf));
	EXPECT_EQ(0, pci_read_int(pf, "sriov_numvfs"));
	ASSERT_EQ(0, move_back());

	/* As new: with a random token, and no VF in use. */
	ASSERT_EQ(0, bench_enable_vfs(1));
	EXPECT_EQ(-EACCES, try_open(OPEN_CDEV, vf, TOKEN_1));
	EXPECT_EQ(0, try_open(OPEN_CDEV, pf, TOKEN_2));
	EXPECT_EQ(0, try_open(OPEN_CDEV, vf, TOKEN_2));
}

TEST_F_TIMEOUT(remove, waits_for_vf_users, TEST_SECONDS)
{
	struct holder holder;
	struct job job;

	ASSERT_EQ(0, holder_open(&holder, variant->path, self->vf, TOKEN_1));
	ASSERT_EQ(0, job_start(&job, remove_pf, NULL));
	ASSERT_TRUE(job_blocked_in(&job, SYS_write,
				   "vfio_unregister_group_dev"));
	holder_release(&holder);
	EXPECT_EQ(0, job_next(&job));
	job_wait(&job);
	come_back(_metadata, self->vf);
}

TEST_F_TIMEOUT(remove, asks_vf_users, TEST_SECONDS)
{
	struct leaver user;

	ASSERT_EQ(0, leaver_open(&user, variant->path, self->vf, TOKEN_1));
	EXPECT_EQ(0, remove_pf(NULL, NULL));
	EXPECT_EQ(0, leaver_left(&user));
	come_back(_metadata, self->vf);
}

TEST_F_TIMEOUT(remove, asks_pf_and_vf_users, TEST_SECONDS)
{
	struct leaver on_vf, on_pf;

	ASSERT_EQ(0, leaver_open(&on_vf, variant->path, self->vf, TOKEN_1));
	ASSERT_EQ(0, leaver_open(&on_pf, variant->path, pf, TOKEN_1));
	EXPECT_EQ(0, remove_pf(NULL, NULL));
	EXPECT_EQ(0, leaver_left(&on_pf));
	EXPECT_EQ(0, leaver_left(&on_vf));
	come_back(_metadata, self->vf);
}

TEST_F_TIMEOUT(remove, port_asks_all_users, TEST_SECONDS)
{
	struct leaver on_vf, on_pf;
	char port[PCI_ADDR_LEN];

	if (pci_port(pf, port) || !pci_is_alone(port, pf))
		SKIP(return, "the PF has no port of its own");
	if (!access("/proc/device-tree", F_OK))
		SKIP(return, "buses get new numbers here, and the PF another address");
	ASSERT_EQ(0, leaver_open(&on_vf, variant->path, self->vf, TOKEN_1));
	ASSERT_EQ(0, leaver_open(&on_pf, variant->path, pf, TOKEN_1));
	EXPECT_EQ(0, pci_write(port, "remove", "1"));
	EXPECT_FALSE(pci_exists(port));
	EXPECT_EQ(0, leaver_left(&on_pf));
	EXPECT_EQ(0, leaver_left(&on_vf));
	come_back(_metadata, self->vf);
}

/* --------------------------------------------------------------- resets */

static void still_in_use(struct __test_metadata *_metadata, const char *vf)
{
	EXPECT_EQ(1, pci_read_int(pf, "sriov_numvfs"));
	EXPECT_EQ(-EACCES, try_open(OPEN_CDEV, pf, TOKEN_2));
	EXPECT_EQ(-EACCES, try_open(OPEN_CDEV, pf, NULL));
	EXPECT_EQ(0, try_open(OPEN_CDEV, pf, TOKEN_1));
	EXPECT_TRUE(pci_exists(vf));
}

static void out_of_use(struct __test_metadata *_metadata, const char *vf)
{
	EXPECT_EQ(0, try_open(OPEN_CDEV, vf, TOKEN_1));
	EXPECT_EQ(0, try_open(OPEN_CDEV, pf, TOKEN_2));
	EXPECT_EQ(0, try_open(OPEN_CDEV, vf, TOKEN_2));
}

TEST_F_TIMEOUT(remove, pf_reset_by_administrator, TEST_SECONDS)
{
	struct holder holder;

	ASSERT_EQ(0, holder_open(&holder, variant->path, self->vf, TOKEN_1));
	EXPECT_EQ(0, pci_write(pf, "reset", "1"));
	still_in_use(_metadata, self->vf);
	holder_release(&holder);
	out_of_use(_metadata, self->vf);
}

TEST_F_TIMEOUT(remove, pf_reset_by_its_user, TEST_SECONDS)
{
	struct holder holder;
	struct user user;

	ASSERT_EQ(0, holder_open(&holder, variant->path, self->vf, TOKEN_1));
	ASSERT_EQ(0, user_init(&user, variant->path, pf));
	ASSERT_EQ(0, user_open(&user, TOKEN_1));
	EXPECT_EQ(0, ioctl(user.device, VFIO_DEVICE_RESET));
	user_exit(&user);
	still_in_use(_metadata, self->vf);
	holder_release(&holder);
	out_of_use(_metadata, self->vf);
}

int main(int argc, char **argv)
{
	return bench_run(argc, argv, 0, test_harness_run);
}
