// SPDX-License-Identifier: GPL-2.0-only
/*
 * Is comparing the token and counting the open one atomic step?
 *
 * An open takes long, as it resets the device.  While one process sleeps in its
 * open, another process opens the other device with another token.  A VF that
 * was opened with one token must never be open together with its PF that was
 * opened with another.
 */
#include <errno.h>
#include <signal.h>

#include <libvfio.h>

#include "../kselftest_harness.h"
#include "sriov_util.h"

#define TIMEOUT	60
#define ROUNDS	2

FIXTURE(race)
{
	struct vfio_pci_device *device;
	struct opener opener;
};

FIXTURE_VARIANT(race)
{
	const char *pf_mode;
	const char *vf_mode;
};

FIXTURE_VARIANT_ADD(race, type1) {
	MODE_VFIO_TYPE1V2_IOMMU, MODE_VFIO_TYPE1V2_IOMMU
};

FIXTURE_VARIANT_ADD(race, compat) {
	MODE_IOMMUFD_COMPAT_TYPE1V2, MODE_IOMMUFD_COMPAT_TYPE1V2
};

FIXTURE_VARIANT_ADD(race, cdev) {
	MODE_IOMMUFD, MODE_IOMMUFD
};

FIXTURE_VARIANT_ADD(race, pf_type1_vf_cdev) {
	MODE_VFIO_TYPE1V2_IOMMU, MODE_IOMMUFD
};

FIXTURE_VARIANT_ADD(race, pf_cdev_vf_type1) {
	MODE_IOMMUFD, MODE_VFIO_TYPE1V2_IOMMU
};

FIXTURE_SETUP(race)
{
	if (!iommu_mode_supported(variant->pf_mode) ||
	    !iommu_mode_supported(variant->vf_mode))
		SKIP(return, "this kernel has no iommufd");
	ASSERT_EQ(0, open_once(variant->pf_mode, pf_bdf, TOKEN_1));
}

FIXTURE_TEARDOWN(race)
{
	device_cleanup(self->device);
}

/* Either open may succeed, but not both. */
static void expect_one_open(struct __test_metadata *_metadata, int first,
			    int second)
{
	EXPECT_TRUE(first == 0 || second == 0);
	EXPECT_TRUE(first == -EACCES || second == -EACCES)
		TH_LOG("first %d, second %d", first, second);
}

TEST_F_TIMEOUT(race, pf_opened_during_vf_open, TIMEOUT)
{
	int round, vf, pf;

	self->device = device_setup(variant->pf_mode, pf_bdf);
	for (round = 0; round < ROUNDS; round++) {
		ASSERT_EQ(0, device_try(self->device, TOKEN_1));
		ASSERT_TRUE(opener_opening(&self->opener, variant->vf_mode,
					   vf_bdf[1], TOKEN_1));
		pf = device_open(self->device, TOKEN_2);
		vf = opener_result(&self->opener);
		expect_one_open(_metadata, vf, pf);
		device_close(self->device);
		opener_stop(&self->opener, SIGTERM);
	}
}

TEST_F_TIMEOUT(race, vf_opened_during_pf_open, TIMEOUT)
{
	int vf, pf;

	self->device = device_setup(variant->vf_mode, vf_bdf[0]);
	ASSERT_TRUE(opener_opening(&self->opener, variant->pf_mode, pf_bdf,
				   TOKEN_2));
	vf = device_open(self->device, TOKEN_1);
	pf = opener_result(&self->opener);
	expect_one_open(_metadata, pf, vf);
	opener_stop(&self->opener, SIGTERM);
}

/* The PF driver may; the VF was admitted before and stays open. */
TEST_F_TIMEOUT(race, token_set_during_vf_open, TIMEOUT)
{
	self->device = device_setup(variant->pf_mode, pf_bdf);
	ASSERT_EQ(0, device_open(self->device, TOKEN_1));
	ASSERT_TRUE(opener_opening(&self->opener, variant->vf_mode, vf_bdf[1],
				   TOKEN_1));
	vfio_device_set_vf_token(self->device->fd, TOKEN_2);
	EXPECT_EQ(0, opener_result(&self->opener));
	EXPECT_EQ(-EACCES, open_once(variant->vf_mode, vf_bdf[0], TOKEN_1));
	EXPECT_EQ(0, open_once(variant->vf_mode, vf_bdf[0], TOKEN_2));
	opener_stop(&self->opener, SIGTERM);
}

int main(int argc, char *argv[])
{
	return run_with_vfs(argc, argv, MAX_VFS, test_harness_run);
}
