// SPDX-License-Identifier: GPL-2.0-only
/*
 * Which driver gets the VFs of a PF that is bound to vfio-pci, and when there
 * are VFs at all.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "kselftest_harness.h"
#include "lib/bench.h"
#include "lib/fault.h"
#include "lib/klog.h"
#include "lib/user.h"

#define TEST_SECONDS	90

#define PCI_STUB	"pci-stub"
#define PCI_PF_STUB	"pci-pf-stub"

static const char *pf = bench.pf;
static const char *vf = bench.vf[0];
static const char *vf2 = bench.vf[1];

static const enum open_path paths[] = { OPEN_TYPE1, OPEN_COMPAT, OPEN_CDEV };

FIXTURE(override)
{
	char pf_override[PCI_DRIVER_LEN];
	int log;
};

FIXTURE_SETUP(override)
{
	pci_override(pf, self->pf_override);
	self->log = klog_mark();
	ASSERT_LE(0, self->log);
}

/* The PF is on vfio-pci, without VFs, whatever the test has left. */
FIXTURE_TEARDOWN(override)
{
	char driver[PCI_DRIVER_LEN];

	close(self->log);
	EXPECT_EQ(0, file_write(ENABLE_SRIOV, "Y"));
	EXPECT_EQ(0, pci_write(pf, "sriov_drivers_autoprobe", "1"));
	EXPECT_EQ(0, bench_disable_vfs());
	if (strcmp(pci_driver(pf, driver), VFIO_PCI)) {
		EXPECT_EQ(0, pci_move_to(pf, VFIO_PCI));
		EXPECT_EQ(0, pci_set_override(pf, self->pf_override));
	}
}

#define EXPECT_DRIVER(driver, addr) do {				\
	char __driver[PCI_DRIVER_LEN];					\
									\
	EXPECT_STREQ(driver, pci_driver(addr, __driver));		\
} while (0)

#define EXPECT_OVERRIDE(driver, addr) do {				\
	char __driver[PCI_DRIVER_LEN];					\
									\
	EXPECT_STREQ(driver, pci_override(addr, __driver));		\
} while (0)

/* --------------------------------------------------------------- capture */

TEST_F_TIMEOUT(override, new_vfs_are_captured, TEST_SECONDS)
{
	int i;

	ASSERT_EQ(0, bench_enable_vfs(BENCH_MAX_VFS));
	ASSERT_LT(1, bench.nr_vfs);
	for (i = 0; i < bench.nr_vfs; i++) {
		EXPECT_OVERRIDE(VFIO_PCI, bench.vf[i]);
		EXPECT_DRIVER(VFIO_PCI, bench.vf[i]);
	}
}

/* It is not for devices that have an override. */
TEST_F_TIMEOUT(override, autoprobe_makes_no_difference, TEST_SECONDS)
{
	const char *vf = bench.vf[0];

	ASSERT_EQ(0, pci_write(pf, "sriov_drivers_autoprobe", "0"));
	ASSERT_EQ(0, bench_enable_vfs(1));
	EXPECT_OVERRIDE(VFIO_PCI, vf);
	EXPECT_DRIVER(VFIO_PCI, vf);

	ASSERT_EQ(0, pci_unbind(vf));
	ASSERT_EQ(0, pci_set_override(vf, PCI_STUB));
	ASSERT_EQ(0, pci_probe(vf));
	EXPECT_DRIVER(PCI_STUB, vf);

	ASSERT_EQ(0, pci_unbind(vf));
	ASSERT_EQ(0, pci_set_override(vf, ""));
	ASSERT_EQ(0, pci_probe(vf));
	EXPECT_DRIVER("", vf);
}

static bool is_nvme(const char *addr)
{
	return pci_read_int(addr, "class") == 0x010802;
}

/*
 * As an administrator does it: unbind, clear the override, probe.  The nvme
 * driver can't start a VF that the PF's driver has not brought online, and
 * waits long to see it: pci-stub is a host driver as well.
 */
static const char *give_to_host(const char *addr, char driver[PCI_DRIVER_LEN])
{
	driver[0] = '\0';
	if (pci_unbind(addr))
		return driver;
	if (is_nvme(addr)) {
		pci_set_override(addr, PCI_STUB);
		pci_bind(addr, PCI_STUB);
	} else {
		pci_set_override(addr, "");
		pci_probe(addr);
	}
	return pci_driver(addr, driver);
}

TEST_F_TIMEOUT(override, vf_goes_to_a_host_driver_and_back, TEST_SECONDS)
{
	char driver[PCI_DRIVER_LEN], message[128];

	ASSERT_EQ(0, try_open(OPEN_CDEV, pf, TOKEN_1));
	ASSERT_EQ(0, bench_enable_vfs(1));
	if (is_nvme(vf) && !pci_driver_exists(PCI_STUB))
		SKIP(return, "no driver %s for this VF", PCI_STUB);
	give_to_host(vf, driver);
	if (!driver[0])
		SKIP(return, "no driver of this kernel takes %s", vf);
	EXPECT_STRNE(VFIO_PCI, driver);
	/* pci-stub does nothing with a VF, which is worth no warning. */
	snprintf(message, sizeof(message), "is now bound to host driver %s",
		 driver);
	EXPECT_EQ(strcmp(driver, PCI_STUB) != 0,
		  klog_find(self->log, vf, message));

	ASSERT_EQ(0, pci_move_to(vf, VFIO_PCI));
	EXPECT_DRIVER(VFIO_PCI, vf);
	EXPECT_FALSE(klog_find(self->log, vf, "is now bound to"));
	EXPECT_EQ(-EACCES, try_open(OPEN_CDEV, vf, NULL));
	EXPECT_EQ(0, try_open(OPEN_CDEV, vf, TOKEN_1));
}

TEST_F_TIMEOUT(override, host_vf_beside_a_vfio_vf, TEST_SECONDS)
{
	char driver[PCI_DRIVER_LEN];
	struct user user;

	ASSERT_EQ(0, try_open(OPEN_CDEV, pf, TOKEN_1));
	ASSERT_EQ(0, bench_enable_vfs(2));
	if (is_nvme(vf) && !pci_driver_exists(PCI_STUB))
		SKIP(return, "no driver %s for this VF", PCI_STUB);
	give_to_host(vf2, driver);
	if (!driver[0])
		SKIP(return, "no driver of this kernel takes %s", vf2);

	EXPECT_DRIVER(VFIO_PCI, vf);
	EXPECT_EQ(-EACCES, try_open(OPEN_CDEV, vf, NULL));
	ASSERT_EQ(0, user_init(&user, OPEN_CDEV, vf));
	ASSERT_EQ(0, user_open(&user, TOKEN_1));
	EXPECT_EQ(-EACCES, try_open(OPEN_CDEV, pf, TOKEN_2));
	EXPECT_EQ(0, try_open(OPEN_CDEV, pf, TOKEN_1));
	user_exit(&user);
	/* The one that the host drives is none in use here. */
	EXPECT_EQ(0, try_open(OPEN_CDEV, pf, TOKEN_2));
	EXPECT_DRIVER(driver, vf2);
}

/* ------------------------------------------------------- whether at all */

TEST_F_TIMEOUT(override, no_vfs_while_enable_sriov_is_off, TEST_SECONDS)
{
	ASSERT_EQ(0, file_write(ENABLE_SRIOV, "N"));
	EXPECT_EQ(-ENOENT, bench_enable_vfs(1));
	EXPECT_EQ(0, pci_read_int(pf, "sriov_numvfs"));
	ASSERT_EQ(0, file_write(ENABLE_SRIOV, "Y"));
	EXPECT_EQ(0, bench_enable_vfs(1));
}

/*
 * Let a driver go that leaves VFs behind: vfio-pci could neither have captured
 * them nor know who uses them.
 */
TEST_F_TIMEOUT(override, pf_with_vfs_is_refused_at_probe, TEST_SECONDS)
{
	const char *leaver = PCI_PF_STUB;

	if (!pci_driver_exists(leaver) && is_nvme(pf))
		leaver = "nvme";
	if (!pci_driver_exists(leaver))
		SKIP(return, "no driver %s to leave VFs behind", leaver);

	ASSERT_EQ(0, pci_move_to(pf, leaver));
	ASSERT_EQ(0, pci_write(pf, "sriov_drivers_autoprobe", "0"));
	ASSERT_EQ(0, bench_enable_vfs(1));
	EXPECT_EQ(-EBUSY, pci_move_to(pf, VFIO_PCI));
	EXPECT_DRIVER("", pf);
	EXPECT_TRUE(klog_find(self->log, pf, "SR-IOV enabled"));

	/* Without them it is taken. */
	ASSERT_EQ(0, pci_move_to(pf, leaver));
	ASSERT_EQ(0, bench_disable_vfs());
	EXPECT_EQ(0, pci_move_to(pf, VFIO_PCI));
}

/* ------------------------------------------- a PF that vfio-pci has not got */

TEST_F_TIMEOUT(override, vfs_of_a_host_pf_are_left_alone, TEST_SECONDS)
{
	char driver[PCI_DRIVER_LEN], need[32];
	size_t i;

	ASSERT_EQ(0, pci_unbind(pf));
	ASSERT_EQ(0, pci_set_override(pf, ""));
	pci_probe(pf);
	if (!pci_driver(pf, driver)[0])
		SKIP(return, "no driver of this kernel takes %s", pf);
	ASSERT_STRNE(VFIO_PCI, driver);
	ASSERT_EQ(0, pci_write(pf, "sriov_drivers_autoprobe", "0"));
	ASSERT_EQ(0, bench_enable_vfs(1));
	EXPECT_OVERRIDE("", vf);
	EXPECT_DRIVER("", vf);

	/* It can be used through vfio-pci, and there is no token for it. */
	ASSERT_EQ(0, pci_move_to(vf, VFIO_PCI));
	EXPECT_STREQ("", pci_vf_token(vf, need));
	for (i = 0; i < ARRAY_SIZE(paths); i++) {
		EXPECT_EQ(0, try_open(paths[i], vf, NULL))
			TH_LOG("over %s", open_path_name(paths[i]));
		EXPECT_EQ(-EINVAL, try_open(paths[i], vf, TOKEN_1))
			TH_LOG("over %s", open_path_name(paths[i]));
		EXPECT_EQ(-EINVAL, try_open(paths[i], vf, TOKEN_NIL))
			TH_LOG("over %s", open_path_name(paths[i]));
	}
}

/* A PF that comes to vfio-pci anew has a token that nobody knows. */
TEST_F_TIMEOUT(override, pf_bound_anew_has_a_random_token, TEST_SECONDS)
{
	ASSERT_EQ(0, try_open(OPEN_CDEV, pf, TOKEN_1));
	ASSERT_EQ(0, pci_unbind(pf));
	ASSERT_EQ(0, pci_bind(pf, VFIO_PCI));
	ASSERT_EQ(0, bench_enable_vfs(1));
	EXPECT_EQ(-EACCES, try_open(OPEN_CDEV, vf, TOKEN_1));
	EXPECT_EQ(-EACCES, try_open(OPEN_CDEV, vf, TOKEN_NIL));
	EXPECT_EQ(-EACCES, try_open(OPEN_CDEV, vf, NULL));
	EXPECT_EQ(0, try_open(OPEN_CDEV, pf, TOKEN_1));
	EXPECT_EQ(0, try_open(OPEN_CDEV, vf, TOKEN_1));
}

/* -------------------------------------------------- a capture that fails */

TEST_F_TIMEOUT(override, vfs_that_cant_be_captured_dont_come, TEST_SECONDS)
{
	static const char * const setters[] = {
		"__device_set_driver_override",
		"driver_set_override",
	};
	char addr[PCI_ADDR_LEN];
	int ret = -ENOENT;
	int users;
	size_t i;

	if (!fault_supported())
		SKIP(return, "no failslab with stacktrace filter in this kernel");
	ASSERT_EQ(0, fault_setup());
	for (i = 0; i < ARRAY_SIZE(setters) && ret; i++)
		ret = fault_below(setters[i], NULL, NULL);
	ASSERT_EQ(0, ret);

	/* Learn the VF's address while it can be had. */
	ASSERT_EQ(0, bench_enable_vfs(2));
	snprintf(addr, sizeof(addr), "%s", vf);
	ASSERT_EQ(0, bench_disable_vfs());
	users = pci_read_int(pf, "power/runtime_usage");

	ASSERT_EQ(0, fault_arm(1));
	ret = bench_enable_vfs(2);
	EXPECT_EQ(1, fault_disarm());
	EXPECT_EQ(-ENOMEM, ret);
	EXPECT_EQ(0, pci_read_int(pf, "sriov_numvfs"));
	EXPECT_FALSE(pci_exists(addr));
	EXPECT_FALSE(klog_find(self->log, addr, "is now bound to"));
	EXPECT_EQ(users, pci_read_int(pf, "power/runtime_usage"));

	/* With memory it works as ever. */
	ASSERT_EQ(0, bench_enable_vfs(2));
	EXPECT_DRIVER(VFIO_PCI, vf);
	EXPECT_DRIVER(VFIO_PCI, vf2);
}

int main(int argc, char **argv)
{
	return bench_run(argc, argv, 0, test_harness_run);
}
