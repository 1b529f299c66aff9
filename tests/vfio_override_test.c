// SPDX-License-Identifier: GPL-2.0-only
/*
 * Log lines about the drivers of VFs, VFs of a PF on a host driver, and failing
 * captures.  vfio_pci_sriov_test has the rest.
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

static bool is_nvme(const char *addr)
{
	return pci_read_int(addr, "class") == 0x010802;
}

/*
 * As an administrator does it: unbind, clear the override, probe.  The nvme
 * driver cannot start a VF that the PF's driver has not brought online, and
 * waits long for it.  Use pci-stub, which is also a host driver.
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

TEST_F_TIMEOUT(override, handover_is_logged, TEST_SECONDS)
{
	char driver[PCI_DRIVER_LEN], message[128];

	ASSERT_EQ(0, bench_enable_vfs(1));
	EXPECT_TRUE(klog_find(self->log, vf, "captured: driver_override is vfio-pci"));
	if (is_nvme(vf) && !pci_driver_exists(PCI_STUB))
		SKIP(return, "no driver %s for this VF", PCI_STUB);
	give_to_host(vf, driver);
	if (!driver[0])
		SKIP(return, "no driver of this kernel matches %s", vf);
	EXPECT_STRNE(VFIO_PCI, driver);
	/*
	 * pci-stub leaves DMA to userspace, like a VFIO driver other than that
	 * of the PF, so it is not warned of.
	 */
	snprintf(message, sizeof(message), "is now bound to host driver %s",
		 driver);
	EXPECT_EQ(strcmp(driver, PCI_STUB) != 0,
		  klog_find(self->log, vf, message));

	ASSERT_EQ(0, pci_move_to(vf, VFIO_PCI));
	EXPECT_DRIVER(VFIO_PCI, vf);
	EXPECT_FALSE(klog_find(self->log, vf, "is now bound to"));
}

TEST_F_TIMEOUT(override, refused_probe_is_logged, TEST_SECONDS)
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

	/* Only a driver of the PF can remove them. */
	ASSERT_EQ(0, pci_move_to(pf, leaver));
	EXPECT_EQ(0, bench_disable_vfs());
}

TEST_F_TIMEOUT(override, vf_of_host_pf, TEST_SECONDS)
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
	/* virtio-pci enables VFs only if the device offers VIRTIO_F_SR_IOV. */
	if (bench_enable_vfs(1)) {
		ASSERT_EQ(0, pci_move_to(pf, PCI_PF_STUB));
		ASSERT_EQ(0, bench_enable_vfs(1));
	}
	EXPECT_OVERRIDE("", vf);
	EXPECT_DRIVER("", vf);

	/* vfio-pci opens it without a token, and rejects any. */
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

/* Captures of the first VF, then of the second, when the first has a driver. */
TEST_F_TIMEOUT(override, failed_capture_fails_enable, TEST_SECONDS)
{
	bool lost[2] = { false, false };
	char addr[2][PCI_ADDR_LEN];
	int log[2], users, n, i, ret, hit, failed, tries;

	if (!fault_supported())
		SKIP(return, "no failslab with stacktrace filter in this kernel");
	ASSERT_EQ(0, bench_enable_vfs(2));
	for (i = 0; i < 2; i++)
		snprintf(addr[i], sizeof(addr[i]), "%s", bench.vf[i]);
	ASSERT_EQ(0, bench_disable_vfs());
	users = pci_read_int(pf, "power/runtime_usage");

	ASSERT_EQ(0, fault_setup());
	/* The setter has another name in some kernels. */
	if (fault_below("__device_set_driver_override", NULL, NULL))
		ASSERT_EQ(0, fault_below("driver_set_override", NULL, NULL));
	/*
	 * Each allocation in turn, until each VF was the one that failed.  Some
	 * are those of kmemleak or KASAN, not the same ones in each call.
	 */
	n = 1;
	for (tries = 0; !lost[0] || !lost[1]; tries++) {
		ASSERT_GT(40, tries);
		for (i = 0; i < 2; i++)
			log[i] = klog_mark();
		ASSERT_EQ(0, fault_arm(n));
		ret = bench_enable_vfs(2);
		hit = fault_disarm();
		ASSERT_LE(0, hit);
		n = hit ? n + 1 : 1;
		failed = 0;
		for (i = 0; i < 2; i++) {
			if (klog_find(log[i], addr[i], "cannot set driver_override of VF")) {
				EXPECT_TRUE(klog_find(log[i], pf, "SR-IOV refused"));
				lost[i] = true;
				failed++;
			}
			close(log[i]);
		}
		if (!ret) {
			/* The VFs must not be affected. */
			EXPECT_EQ(0, failed);
			for (i = 0; i < 2; i++)
				EXPECT_OVERRIDE(VFIO_PCI, addr[i]);
			EXPECT_EQ(0, bench_disable_vfs());
			continue;
		}
		EXPECT_EQ(-ENOMEM, ret);
		EXPECT_EQ(1, hit);
		EXPECT_EQ(1, failed);
		EXPECT_EQ(0, pci_read_int(pf, "sriov_numvfs"));
		EXPECT_FALSE(pci_exists(addr[0]));
		EXPECT_FALSE(pci_exists(addr[1]));
		EXPECT_EQ(users, pci_read_int(pf, "power/runtime_usage"));
	}
	EXPECT_FALSE(klog_find(self->log, pf, "is now bound to"));
	EXPECT_EQ(0, bench_enable_vfs(2));
}

int main(int argc, char **argv)
{
	return bench_run(argc, argv, 0, test_harness_run);
}
