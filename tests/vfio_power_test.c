// SPDX-License-Identifier: GPL-2.0-only
/*
 * A PF with VFs stays awake, and its references of runtime power management,
 * which keep it awake, are put afterwards.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <linux/pci_regs.h>
#include <linux/vfio.h>

#include "kselftest_harness.h"
#include "lib/bench.h"
#include "lib/fault.h"
#include "lib/user.h"

#define TEST_SECONDS	60

static const char *pf = bench.pf;
static const char *vf = bench.vf[0];

FIXTURE(power)
{
	int users;	/* of the PF, as runtime PM counts them */
	int open;	/* 1 if an open counts as one */
};

static int count_users(void)
{
	return pci_read_int(pf, "power/runtime_usage");
}

FIXTURE_SETUP(power)
{
	char idle_d3[8];

	self->users = count_users();
	if (self->users < 0)
		SKIP(return, "no runtime_usage: CONFIG_PM_ADVANCED_DEBUG is off");
	/* With disable_idle_d3 vfio-pci keeps the PF awake from its probe. */
	ASSERT_EQ(0, file_read("/sys/module/vfio_pci/parameters/disable_idle_d3",
			       idle_d3, sizeof(idle_d3)));
	ASSERT_EQ(!strcmp(idle_d3, "Y"), self->users);
	self->open = !self->users;
}

/* Without VFs and users, the references are as before, whatever happened. */
FIXTURE_TEARDOWN(power)
{
	EXPECT_EQ(0, bench_disable_vfs());
	EXPECT_EQ(self->users, count_users());
}

#define EXPECT_MORE_USERS(more) \
	EXPECT_EQ(self->users + (more), count_users())

/* ---------------------------------------------------------- enable, disable */

TEST_F_TIMEOUT(power, all_vfs_count_once, TEST_SECONDS)
{
	ASSERT_EQ(0, bench_enable_vfs(1));
	EXPECT_MORE_USERS(1);
	ASSERT_EQ(0, bench_disable_vfs());
	EXPECT_MORE_USERS(0);
	ASSERT_EQ(0, bench_enable_vfs(2));
	EXPECT_MORE_USERS(1);
	ASSERT_EQ(0, bench_disable_vfs());
	EXPECT_MORE_USERS(0);
	ASSERT_EQ(0, bench_disable_vfs());
	EXPECT_MORE_USERS(0);
}

TEST_F_TIMEOUT(power, pf_opens_count_separately, TEST_SECONDS)
{
	struct user user, vf_user;

	ASSERT_EQ(0, user_init(&user, OPEN_TYPE1, pf));
	ASSERT_EQ(0, user_open(&user, TOKEN_1));
	EXPECT_MORE_USERS(self->open);
	ASSERT_EQ(0, bench_enable_vfs(1));
	EXPECT_MORE_USERS(self->open + 1);
	ASSERT_EQ(0, user_init(&vf_user, OPEN_TYPE1, vf));
	ASSERT_EQ(0, user_open(&vf_user, TOKEN_1));
	EXPECT_MORE_USERS(self->open + 1);
	user_exit(&user);
	EXPECT_MORE_USERS(1);
	user_exit(&vf_user);
	EXPECT_MORE_USERS(1);
}

TEST_F_TIMEOUT(power, failed_enable_frees_power, TEST_SECONDS)
{
	ASSERT_EQ(0, file_write(ENABLE_SRIOV, "N"));
	EXPECT_EQ(-ENOENT, bench_enable_vfs(1));
	ASSERT_EQ(0, file_write(ENABLE_SRIOV, "Y"));
	EXPECT_MORE_USERS(0);

	if (!fault_supported())
		SKIP(return, "no failslab with stacktrace filter in this kernel");
	ASSERT_EQ(0, fault_setup());
	ASSERT_EQ(0, fault_below("pci_enable_sriov", NULL, NULL));
	ASSERT_EQ(0, fault_arm(1));
	EXPECT_EQ(-ENOMEM, bench_enable_vfs(2));
	EXPECT_EQ(1, fault_disarm());
	EXPECT_EQ(0, pci_read_int(pf, "sriov_numvfs"));
	EXPECT_MORE_USERS(0);
}

TEST_F_TIMEOUT(power, unbind_frees_power, TEST_SECONDS)
{
	ASSERT_EQ(0, bench_enable_vfs(2));
	EXPECT_MORE_USERS(1);
	ASSERT_EQ(0, pci_unbind(pf));
	EXPECT_EQ(0, pci_read_int(pf, "sriov_numvfs"));
	ASSERT_EQ(0, pci_bind(pf, VFIO_PCI));
	EXPECT_MORE_USERS(0);
}

/* It sleeps without VFs, in a moment or two, and is awake with them. */
TEST_F_TIMEOUT(power, pf_stays_awake_with_vfs, TEST_SECONDS)
{
	if (self->users)
		SKIP(return, "%s does not sleep when it is idle", pf);
	while (!pci_is_suspended(pf))
		usleep(10000);
	ASSERT_EQ(0, bench_enable_vfs(1));
	EXPECT_FALSE(pci_is_suspended(pf));
	EXPECT_EQ(0, try_open(OPEN_TYPE1, pf, TOKEN_1));
	EXPECT_FALSE(pci_is_suspended(pf));
	EXPECT_MORE_USERS(1);
	ASSERT_EQ(0, bench_disable_vfs());
	while (!pci_is_suspended(pf))
		usleep(10000);
}

/* ----------------------------------------- a PF driver that asks for sleep */

static int enter_low_power(int device, bool enter)
{
	return device_feature(device, VFIO_DEVICE_FEATURE_SET |
			      (enter ? VFIO_DEVICE_FEATURE_LOW_POWER_ENTRY :
				       VFIO_DEVICE_FEATURE_LOW_POWER_EXIT),
			      NULL, 0);
}

TEST_F_TIMEOUT(power, low_power_keeps_pf_awake, TEST_SECONDS)
{
	struct user user;

	ASSERT_EQ(0, user_init(&user, OPEN_TYPE1, pf));
	ASSERT_EQ(0, user_open(&user, TOKEN_1));
	ASSERT_EQ(0, bench_enable_vfs(1));
	ASSERT_EQ(0, enter_low_power(user.device, true));
	EXPECT_MORE_USERS(self->open);
	EXPECT_FALSE(pci_is_suspended(pf));
	ASSERT_EQ(0, enter_low_power(user.device, false));
	EXPECT_MORE_USERS(self->open + 1);
	user_exit(&user);
}

/* Offset of the power management capability in configuration space, or 0. */
static uint8_t find_pm(int device, off_t config)
{
	uint8_t at, cap[2];

	if (pread(device, &at, 1, config + PCI_CAPABILITY_LIST) != 1)
		return 0;
	while (at && pread(device, cap, 2, config + at) == 2) {
		if (cap[0] == PCI_CAP_ID_PM)
			return at;
		at = cap[1];
	}
	return 0;
}

TEST_F_TIMEOUT(power, d3hot_is_rejected, TEST_SECONDS)
{
	struct vfio_region_info config = {
		.argsz = sizeof(config),
		.index = VFIO_PCI_CONFIG_REGION_INDEX,
	};
	const uint16_t d3hot = 3, d0 = 0;
	struct user user;
	char state[16];
	uint8_t pm;
	off_t at;

	ASSERT_EQ(0, user_init(&user, OPEN_TYPE1, pf));
	ASSERT_EQ(0, user_open(&user, TOKEN_1));
	ASSERT_EQ(0, ioctl(user.device, VFIO_DEVICE_GET_REGION_INFO, &config));
	pm = find_pm(user.device, config.offset);
	if (!pm)
		SKIP(return, "%s has no power management capability", pf);
	at = config.offset + pm + PCI_PM_CTRL;

	/* Without VFs it enters D3hot, so this would also be seen with VFs. */
	ASSERT_EQ(2, pwrite(user.device, &d3hot, 2, at));
	ASSERT_EQ(0, pci_read(pf, "power_state", state, sizeof(state)));
	EXPECT_STREQ("D3hot", state);
	ASSERT_EQ(2, pwrite(user.device, &d0, 2, at));

	ASSERT_EQ(0, bench_enable_vfs(1));
	pwrite(user.device, &d3hot, 2, at);
	ASSERT_EQ(0, pci_read(pf, "power_state", state, sizeof(state)));
	EXPECT_STREQ("D0", state);
	user_exit(&user);
}

int main(int argc, char **argv)
{
	return bench_run(argc, argv, 0, test_harness_run);
}
