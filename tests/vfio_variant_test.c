// SPDX-License-Identifier: GPL-2.0-only
/*
 * A VF bound to a vfio-pci variant driver without code for tokens,
 * virtio_vfio_pci: requires the token, counts, and is not warned of.
 */
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#include <libvfio.h>

#include "kselftest_harness.h"
#include "lib/klog.h"
#include "sriov_util.h"

#define TEST_SECONDS	120
#define VARIANT		"virtio_vfio_pci"

FIXTURE(variant)
{
	int log;
	struct opener opener;
};

FIXTURE_VARIANT(variant)
{
	const char *mode;
};

FIXTURE_VARIANT_ADD(variant, type1) { .mode = MODE_VFIO_TYPE1V2_IOMMU };
FIXTURE_VARIANT_ADD(variant, compat) { .mode = MODE_IOMMUFD_COMPAT_TYPE1V2 };
FIXTURE_VARIANT_ADD(variant, cdev) { .mode = MODE_IOMMUFD };

FIXTURE_SETUP(variant)
{
	self->log = klog_mark();
	ASSERT_LE(0, self->log);
	ASSERT_EQ(0, open_once(variant->mode, pf_bdf, TOKEN_1));
	ASSERT_EQ(0, pci_move_to(vf_bdf[0], VARIANT));
}

FIXTURE_TEARDOWN(variant)
{
	EXPECT_EQ(0, pci_move_to(vf_bdf[0], VFIO_PCI));
	close(self->log);
}

TEST_F_TIMEOUT(variant, follows_the_rules, TEST_SECONDS)
{
	char token[32];

	EXPECT_STREQ("required", pci_vf_token(vf_bdf[0], token));
	EXPECT_EQ(-EACCES, open_once(variant->mode, vf_bdf[0], NULL));
	EXPECT_TRUE(klog_find(self->log, vf_bdf[0], "VF token required"));
	EXPECT_EQ(-EACCES, open_once(variant->mode, vf_bdf[0], TOKEN_2));
	EXPECT_TRUE(klog_find(self->log, vf_bdf[0], "wrong VF token"));

	ASSERT_EQ(0, opener_open(&self->opener, variant->mode, vf_bdf[0], TOKEN_1));
	EXPECT_EQ(-EACCES, open_once(variant->mode, pf_bdf, NULL));
	EXPECT_EQ(-EACCES, open_once(variant->mode, pf_bdf, TOKEN_2));
	EXPECT_EQ(0, open_once(variant->mode, pf_bdf, TOKEN_1));
	opener_stop(&self->opener, SIGTERM);
	EXPECT_EQ(0, open_once(variant->mode, pf_bdf, TOKEN_2));
}

TEST_F_TIMEOUT(variant, bind_is_not_logged, TEST_SECONDS)
{
	EXPECT_FALSE(klog_find(self->log, vf_bdf[0], "is now bound to"));
}

/* VFs that no test opened, as many as the device has */
TEST_F_TIMEOUT(variant, all_vfs_require_token, TEST_SECONDS)
{
	int i, total = pci_read_int(pf_bdf, "sriov_totalvfs");
	char *vf;

	ASSERT_EQ(0, disable_vfs());
	ASSERT_EQ(0, enable_vfs(total));
	ASSERT_EQ(0, open_once(variant->mode, pf_bdf, TOKEN_1));
	for (i = 0; i < total; i++) {
		vf = sysfs_sriov_vf_bdf_get(pf_bdf, i);
		EXPECT_EQ(-EACCES, open_once(variant->mode, vf, TOKEN_2));
		EXPECT_EQ(0, open_once(variant->mode, vf, TOKEN_1));
		free(vf);
	}
	ASSERT_EQ(0, disable_vfs());
	ASSERT_EQ(0, enable_vfs(MAX_VFS));
}

int main(int argc, char *argv[])
{
	return run_with_vfs(argc, argv, MAX_VFS, test_harness_run);
}
