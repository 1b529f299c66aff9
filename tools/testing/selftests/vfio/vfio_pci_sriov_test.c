// SPDX-License-Identifier: GPL-2.0-only
/*
 * SR-IOV of a PF on vfio-pci: which driver do its VFs get, when are there VFs at
 * all, and what happens to the PF, its power and its users when VFs are created
 * and removed?
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <libvfio.h>

#include "../kselftest_harness.h"
#include "sriov_util.h"

#define TIMEOUT		90

#define PCI_STUB	"pci-stub"
#define DEBUGFS		"/sys/kernel/debug/"
#define FAILSLAB	DEBUGFS "failslab/"
#define FAIL_NTH	"/proc/self/fail-nth"

FIXTURE(sriov)
{
	const char *mode;
	char pf_override[PCI_DRIVER_LEN];
	int users;
	struct opener opener;
};

FIXTURE_SETUP(sriov)
{
	self->mode = iommu_mode_supported(MODE_IOMMUFD) ?
		     MODE_IOMMUFD : MODE_VFIO_TYPE1V2_IOMMU;
	pci_override(pf_bdf, self->pf_override);
	self->users = pci_read_int(pf_bdf, "power/runtime_usage");
}

/* Restore the PF: bound to vfio-pci, without VFs. */
FIXTURE_TEARDOWN(sriov)
{
	char driver[PCI_DRIVER_LEN];

	if (!pci_exists(pf_bdf))
		EXPECT_EQ(0, file_write("/sys/bus/pci/rescan", "1"));
	EXPECT_EQ(0, file_write(ENABLE_SRIOV, "Y"));
	EXPECT_EQ(0, pci_write(pf_bdf, "sriov_drivers_autoprobe", "1"));
	EXPECT_EQ(0, disable_vfs());
	if (strcmp(pci_driver(pf_bdf, driver), VFIO_PCI)) {
		EXPECT_EQ(0, pci_move_to(pf_bdf, VFIO_PCI));
		EXPECT_EQ(0, pci_set_override(pf_bdf, self->pf_override));
	}
	EXPECT_EQ(self->users, pci_read_int(pf_bdf, "power/runtime_usage"));
}

#define EXPECT_DRIVER(driver, bdf) do {					\
	char __buf[PCI_DRIVER_LEN];					\
									\
	EXPECT_STREQ(driver, pci_driver(bdf, __buf));			\
} while (0)

#define EXPECT_OVERRIDE(driver, bdf) do {				\
	char __buf[PCI_DRIVER_LEN];					\
									\
	EXPECT_STREQ(driver, pci_override(bdf, __buf));			\
} while (0)

/* ------------------------------------------------------------- capture */

TEST_F_TIMEOUT(sriov, new_vfs_are_captured, TIMEOUT)
{
	int i;

	ASSERT_EQ(0, enable_vfs(MAX_VFS));
	for (i = 0; i < MAX_VFS; i++) {
		EXPECT_OVERRIDE(VFIO_PCI, vf_bdf[i]);
		EXPECT_DRIVER(VFIO_PCI, vf_bdf[i]);
	}
}

/* Autoprobe does not apply to devices that have a driver_override. */
TEST_F_TIMEOUT(sriov, autoprobe_off_still_captures, TIMEOUT)
{
	ASSERT_EQ(0, pci_write(pf_bdf, "sriov_drivers_autoprobe", "0"));
	ASSERT_EQ(0, enable_vfs(1));
	EXPECT_OVERRIDE(VFIO_PCI, vf_bdf[0]);
	EXPECT_DRIVER(VFIO_PCI, vf_bdf[0]);
}

TEST_F_TIMEOUT(sriov, vf_handed_to_host_driver, TIMEOUT)
{
	if (access("/sys/bus/pci/drivers/" PCI_STUB, F_OK))
		SKIP(return, "no driver %s", PCI_STUB);
	ASSERT_EQ(0, open_once(self->mode, pf_bdf, TOKEN_1));
	ASSERT_EQ(0, enable_vfs(2));
	ASSERT_EQ(0, pci_move_to(vf_bdf[1], PCI_STUB));

	/* The other VF requires the token, and is the only one that counts. */
	EXPECT_EQ(-EACCES, open_once(self->mode, vf_bdf[0], NULL));
	ASSERT_EQ(0, opener_open(&self->opener, self->mode, vf_bdf[0],
				 TOKEN_1));
	EXPECT_EQ(-EACCES, open_once(self->mode, pf_bdf, TOKEN_2));
	opener_stop(&self->opener, SIGTERM);
	EXPECT_EQ(0, open_once(self->mode, pf_bdf, TOKEN_2));
	EXPECT_DRIVER(PCI_STUB, vf_bdf[1]);

	ASSERT_EQ(0, pci_move_to(vf_bdf[1], VFIO_PCI));
	EXPECT_EQ(-EACCES, open_once(self->mode, vf_bdf[1], NULL));
	EXPECT_EQ(0, open_once(self->mode, vf_bdf[1], TOKEN_2));
}

/* ----------------------------------------------------- when VFs exist */

TEST_F_TIMEOUT(sriov, parameter_off_no_vfs, TIMEOUT)
{
	ASSERT_EQ(0, file_write(ENABLE_SRIOV, "N"));
	EXPECT_EQ(-ENOENT, enable_vfs(1));
	EXPECT_EQ(0, sysfs_sriov_numvfs_get(pf_bdf));
	EXPECT_EQ(self->users, pci_read_int(pf_bdf, "power/runtime_usage"));
	ASSERT_EQ(0, file_write(ENABLE_SRIOV, "Y"));
	EXPECT_EQ(0, enable_vfs(1));
}

TEST_F_TIMEOUT(sriov, rebound_pf_has_new_token, TIMEOUT)
{
	char token[32];

	ASSERT_EQ(0, open_once(self->mode, pf_bdf, TOKEN_1));
	ASSERT_EQ(0, enable_vfs(1));
	ASSERT_EQ(0, pci_unbind(pf_bdf));
	EXPECT_STREQ("", pci_vf_token(pf_bdf, token));
	EXPECT_EQ(0, sysfs_sriov_numvfs_get(pf_bdf));
	ASSERT_EQ(0, pci_bind(pf_bdf, VFIO_PCI));
	ASSERT_EQ(0, enable_vfs(1));
	EXPECT_EQ(-EACCES, open_once(self->mode, vf_bdf[0], TOKEN_1));
	EXPECT_EQ(-EACCES, open_once(self->mode, vf_bdf[0], TOKEN_NIL));
	EXPECT_EQ(-EACCES, open_once(self->mode, vf_bdf[0], NULL));
}

/* --------------------------------------------------------- failed capture */

/* The addresses of a kernel function, up to the symbol that follows it. */
static int find_function(const char *name, unsigned long *start,
			 unsigned long *end)
{
	unsigned long address;
	char symbol[256];
	FILE *symbols;

	*start = 0;
	*end = ~0UL;
	symbols = fopen("/proc/kallsyms", "r");
	if (!symbols)
		return -errno;
	while (fscanf(symbols, "%lx %*c %255s%*[^\n]", &address, symbol) == 2) {
		if (*start && address > *start) {
			*end = address;
			break;
		}
		if (!strcmp(symbol, name))
			*start = address;
	}
	fclose(symbols);
	return *start ? 0 : -ENOENT;
}

static int set_failslab(const char *name, unsigned long value)
{
	char path[64], text[32];

	snprintf(path, sizeof(path), FAILSLAB "%s", name);
	snprintf(text, sizeof(text), "%#lx", value);
	return file_write(path, text);
}

/* The kernel may have these as well; fail-nth would count their calls. */
static void reject_other_faults(const char *below)
{
	file_write(DEBUGFS "fail_page_alloc/reject-end", below);
	file_write(DEBUGFS "fail_usercopy/reject-end", below);
}

/* Fail the next allocation that this process makes below a function. */
static int fail_below(const char *function)
{
	unsigned long start, end;
	int ret = find_function(function, &start, &end) ?:
		  set_failslab("require-start", start) ?:
		  set_failslab("require-end", end) ?:
		  set_failslab("stacktrace-depth", 32) ?:
		  file_write(FAILSLAB "ignore-gfp-wait", "N");

	reject_other_faults("0xffffffffffffffff");
	return ret ? ret : file_write(FAIL_NTH, "1");
}

/* Restore the defaults; true if the allocation was made and failed. */
static bool has_failed(void)
{
	char left[16];
	bool failed;

	failed = !file_read(FAIL_NTH, left, sizeof(left)) && !atoi(left);
	file_write(FAIL_NTH, "0");
	set_failslab("require-start", 0);
	set_failslab("require-end", ~0UL);
	reject_other_faults("0");
	return failed;
}

/* A VF without driver_override would get a host driver. */
TEST_F_TIMEOUT(sriov, failed_capture_fails_enable, TIMEOUT)
{
	if (access(FAILSLAB "require-start", W_OK) || access(FAIL_NTH, W_OK))
		SKIP(return, "no failslab with stacktrace filter");
	ASSERT_EQ(0, enable_vfs(2));
	ASSERT_EQ(0, disable_vfs());
	/* The setter has another name in some kernels. */
	if (fail_below("__device_set_driver_override"))
		ASSERT_EQ(0, fail_below("driver_set_override"));
	EXPECT_EQ(-ENOMEM, pci_set_numvfs(pf_bdf, 2));
	EXPECT_TRUE(has_failed());
	EXPECT_EQ(0, sysfs_sriov_numvfs_get(pf_bdf));
	EXPECT_FALSE(pci_exists(vf_bdf[0]));
	EXPECT_FALSE(pci_exists(vf_bdf[1]));
	EXPECT_EQ(self->users, pci_read_int(pf_bdf, "power/runtime_usage"));
	EXPECT_EQ(0, enable_vfs(2));
}

/* --------------------------------------------------------------- power */

TEST_F_TIMEOUT(sriov, vfs_keep_pf_awake, TIMEOUT)
{
	if (self->users < 0)
		SKIP(return, "no runtime_usage (CONFIG_PM_ADVANCED_DEBUG)");
	ASSERT_EQ(0, enable_vfs(1));
	EXPECT_EQ(self->users + 1, pci_read_int(pf_bdf, "power/runtime_usage"));
	EXPECT_FALSE(pci_is_suspended(pf_bdf));
	ASSERT_EQ(0, disable_vfs());
	EXPECT_EQ(self->users, pci_read_int(pf_bdf, "power/runtime_usage"));
	ASSERT_EQ(0, enable_vfs(2));
	EXPECT_EQ(self->users + 1, pci_read_int(pf_bdf, "power/runtime_usage"));
}

/* ------------------------------------------------------------- removal */

static int disable_vfs_job(struct job *job, void *arg)
{
	return disable_vfs();
}

static int unbind_pf_job(struct job *job, void *arg)
{
	return pci_unbind(pf_bdf);
}

static int remove_pf_job(struct job *job, void *arg)
{
	return pci_write(pf_bdf, "remove", "1");
}

/* Start it while a VF is open; it must wait for the user in vfio. */
static void expect_wait_for_user(struct __test_metadata *_metadata,
				 const char *mode,
				 int (*work)(struct job *job, void *arg))
{
	struct opener opener;
	struct job job;

	ASSERT_EQ(0, open_once(mode, pf_bdf, TOKEN_1));
	ASSERT_EQ(0, enable_vfs(1));
	ASSERT_EQ(0, opener_open(&opener, mode, vf_bdf[0], TOKEN_1));
	ASSERT_EQ(0, job_start(&job, work, NULL));
	EXPECT_TRUE(job_blocked_in(&job, SYS_write,
				   "vfio_unregister_group_dev"));
	opener_stop(&opener, SIGTERM);
	EXPECT_EQ(0, job_next(&job));
	job_wait(&job);
	EXPECT_FALSE(pci_exists(vf_bdf[0]));
}

TEST_F_TIMEOUT(sriov, disable_waits_for_user, TIMEOUT)
{
	expect_wait_for_user(_metadata, self->mode, disable_vfs_job);
	/* New VFs have the PF's token, and none is in use. */
	ASSERT_EQ(0, enable_vfs(1));
	EXPECT_EQ(-EACCES, open_once(self->mode, vf_bdf[0], TOKEN_2));
	EXPECT_EQ(0, open_once(self->mode, vf_bdf[0], TOKEN_1));
	EXPECT_EQ(0, open_once(self->mode, pf_bdf, TOKEN_2));
}

TEST_F_TIMEOUT(sriov, unbind_waits_for_user, TIMEOUT)
{
	expect_wait_for_user(_metadata, self->mode, unbind_pf_job);
	ASSERT_EQ(0, pci_bind(pf_bdf, VFIO_PCI));
}

TEST_F_TIMEOUT(sriov, removal_waits_for_user, TIMEOUT)
{
	expect_wait_for_user(_metadata, self->mode, remove_pf_job);
	EXPECT_FALSE(pci_exists(pf_bdf));
	ASSERT_EQ(0, file_write("/sys/bus/pci/rescan", "1"));
	ASSERT_TRUE(pci_exists(pf_bdf));
	ASSERT_EQ(0, pci_move_to(pf_bdf, VFIO_PCI));
	ASSERT_EQ(0, enable_vfs(1));
	EXPECT_EQ(-EACCES, open_once(self->mode, vf_bdf[0], TOKEN_1));
}

int main(int argc, char *argv[])
{
	return run_with_vfs(argc, argv, 0, test_harness_run);
}
