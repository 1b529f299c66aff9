// SPDX-License-Identifier: GPL-2.0-only
/*
 * Events in the use of PFs and VFs, intended or not: resets, mappings that
 * outlive their file, killed writers, drivers that match a VF, suspend, module
 * removal, groups without IOMMU.  In none of these does a device open without
 * its token, or is the count of a use lost.
 *
 * Two cases need their own machine:
 *
 *   vmtest.sh -a "intel_iommu=off vfio.enable_unsafe_noiommu_mode=1"
 *		for groups without IOMMU (CONFIG_VFIO_NOIOMMU)
 *   a kernel with vfio_pci as a module, for its removal
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <linux/vfio.h>

#include "kselftest_harness.h"
#include "lib/bench.h"
#include "lib/holder.h"

#define TEST_SECONDS	120

#define PCI_STUB	"pci-stub"
#define WAITS_FOR_USER	"vfio_unregister_group_dev"
#define NOIOMMU		"/sys/module/vfio/parameters/enable_unsafe_noiommu_mode"

static const char *pf = bench.pf;
static const char *vf = bench.vf[0];
static const char *vf2 = bench.vf[1];

FIXTURE(field)
{
	struct holder holder;
	struct job job;
};

FIXTURE_VARIANT(field)
{
	enum open_path path;
};

FIXTURE_VARIANT_ADD(field, type1) { .path = OPEN_TYPE1 };
FIXTURE_VARIANT_ADD(field, cdev) { .path = OPEN_CDEV };

FIXTURE_SETUP(field)
{
	char mode[8];

	if (!file_read(NOIOMMU, mode, sizeof(mode)) && mode[0] == 'Y')
		SKIP(return, "this machine is for groups without IOMMU");
	ASSERT_EQ(0, try_open(variant->path, pf, TOKEN_1));
	ASSERT_EQ(0, bench_enable_vfs(2));
}

FIXTURE_TEARDOWN(field)
{
	holder_release(&self->holder);
	EXPECT_EQ(0, bench_disable_vfs());
}

#define EXPECT_VF_IN_USE() do {						\
	EXPECT_EQ(-EACCES, try_open(variant->path, pf, TOKEN_2));	\
	EXPECT_EQ(-EACCES, try_open(variant->path, pf, NULL));		\
	EXPECT_EQ(-EACCES, try_open(variant->path, vf2, NULL));		\
	EXPECT_EQ(0, try_open(variant->path, vf2, TOKEN_1));		\
} while (0)

#define EXPECT_NO_VF_IN_USE() \
	EXPECT_EQ(0, try_open(variant->path, pf, TOKEN_2))

/* ---------------------------------------------------------------- resets */

/* Present only the PF's group or file, whatever else the reset affects. */
static int hot_reset(const struct user *user)
{
	struct {
		struct vfio_pci_hot_reset reset;
		__s32 fd;
	} args = { .reset.argsz = sizeof(args), .fd = user->group };

	args.reset.count = user->group >= 0;
	return ioctl(user->device, VFIO_DEVICE_PCI_HOT_RESET, &args) ? -errno :
								       0;
}

TEST_F_TIMEOUT(field, hot_reset_of_pf, TEST_SECONDS)
{
	struct vfio_pci_hot_reset_info info = { .argsz = sizeof(info) };
	struct user user;
	int ret;

	ASSERT_EQ(0, holder_open(&self->holder, variant->path, vf, TOKEN_1));
	ASSERT_EQ(0, user_init(&user, variant->path, pf));
	ASSERT_EQ(0, user_open(&user, TOKEN_1));
	ret = ioctl(user.device, VFIO_DEVICE_GET_PCI_HOT_RESET_INFO, &info);
	if (ret && errno == ENODEV) {
		user_exit(&user);
		SKIP(return, "the PF's bus cannot be reset");
	}
	/* If it also resets VFs, the caller does not have them. */
	ret = hot_reset(&user);
	EXPECT_TRUE(info.count > 1 ? ret == -EINVAL || ret == -EPERM : !ret)
		TH_LOG("hot reset of %u devices: %d", info.count, ret);
	user_exit(&user);
	EXPECT_VF_IN_USE();
	holder_release(&self->holder);
	EXPECT_NO_VF_IN_USE();
}

TEST_F_TIMEOUT(field, sysfs_reset_of_pf, TEST_SECONDS)
{
	ASSERT_EQ(0, holder_open(&self->holder, variant->path, vf, TOKEN_1));
	EXPECT_EQ(0, pci_write(pf, "reset", "1"));
	EXPECT_EQ(2, pci_read_int(pf, "sriov_numvfs"));
	EXPECT_VF_IN_USE();
	holder_release(&self->holder);
	EXPECT_NO_VF_IN_USE();
}

/* -------------------------------------------------------------- mappings */

/* A page of a BAR; MAP_FAILED if none can be mapped. */
static void *map_bar(const struct user *user)
{
	struct vfio_region_info info = { .argsz = sizeof(info) };

	for (info.index = 0; info.index <= VFIO_PCI_BAR5_REGION_INDEX;
	     info.index++) {
		info.argsz = sizeof(info);
		if (ioctl(user->device, VFIO_DEVICE_GET_REGION_INFO, &info) ||
		    !info.size || !(info.flags & VFIO_REGION_INFO_FLAG_MMAP))
			continue;
		return mmap(NULL, sysconf(_SC_PAGESIZE), PROT_READ, MAP_SHARED,
			    user->device, info.offset);
	}
	return MAP_FAILED;
}

TEST_F_TIMEOUT(field, mapping_outlives_file, TEST_SECONDS)
{
	struct user user;
	void *bar;

	ASSERT_EQ(0, user_init(&user, variant->path, vf));
	ASSERT_EQ(0, user_open(&user, TOKEN_1));
	bar = map_bar(&user);
	if (bar == MAP_FAILED)
		SKIP(return, "the VF has no BAR that can be mapped");
	user_exit(&user);
	EXPECT_VF_IN_USE();
	ASSERT_EQ(0, munmap(bar, sysconf(_SC_PAGESIZE)));
	EXPECT_NO_VF_IN_USE();
}

/* ------------------------------------------------- writers, and drivers */

static int disable_vfs_job(struct job *job, void *arg)
{
	return bench_disable_vfs();
}

/* The VF's link to its driver may be gone; the driver still finds the VF. */
static int unbind_vf_job(struct job *job, void *arg)
{
	return file_write("/sys/bus/pci/drivers/" VFIO_PCI "/unbind", vf);
}

/* A killed writer stays in the removal and locks the PF: its opens fail. */
TEST_F_TIMEOUT(field, killed_writer_of_numvfs, TEST_SECONDS)
{
	ASSERT_EQ(0, holder_open(&self->holder, variant->path, vf, TOKEN_1));
	ASSERT_EQ(0, job_start(&self->job, disable_vfs_job, NULL));
	ASSERT_TRUE(job_blocked_in(&self->job, SYS_write, WAITS_FOR_USER));
	ASSERT_EQ(0, kill(self->job.pid, SIGKILL));
	EXPECT_TRUE(job_blocked_in(&self->job, SYS_write, WAITS_FOR_USER));
	EXPECT_EQ(-EAGAIN, try_open(variant->path, pf, TOKEN_1));
	EXPECT_EQ(-EACCES, try_open(variant->path, pf, TOKEN_2));
	holder_release(&self->holder);
	job_wait(&self->job);
	EXPECT_EQ(0, pci_read_int(pf, "sriov_numvfs"));
	EXPECT_NO_VF_IN_USE();
	ASSERT_EQ(0, bench_enable_vfs(2));
	EXPECT_EQ(-EACCES, try_open(variant->path, vf, TOKEN_1));
	EXPECT_EQ(0, try_open(variant->path, vf, TOKEN_2));
}

TEST_F_TIMEOUT(field, unbind_during_numvfs_write, TEST_SECONDS)
{
	struct job unbind;
	int ret;

	ASSERT_EQ(0, holder_open(&self->holder, variant->path, vf, TOKEN_1));
	ASSERT_EQ(0, job_start(&self->job, disable_vfs_job, NULL));
	ASSERT_TRUE(job_blocked_in(&self->job, SYS_write, WAITS_FOR_USER));
	ASSERT_EQ(0, job_start(&unbind, unbind_vf_job, NULL));
	ASSERT_TRUE(job_blocked_in(&unbind, SYS_write, NULL));
	holder_release(&self->holder);
	EXPECT_EQ(0, job_next(&self->job));
	/* By then the VF has no driver, or is removed. */
	ret = job_next(&unbind);
	EXPECT_TRUE(ret == 0 || ret == -ENODEV)
		TH_LOG("unbind: %d", ret);
	job_wait(&self->job);
	job_wait(&unbind);
	EXPECT_FALSE(pci_exists(vf));
	EXPECT_NO_VF_IN_USE();
}

TEST_F_TIMEOUT(field, bind_of_captured_vf, TEST_SECONDS)
{
	char driver[PCI_DRIVER_LEN];

	EXPECT_EQ(-EBUSY, pci_bind(vf, VFIO_PCI));
	if (!pci_driver_exists(PCI_STUB))
		SKIP(return, "no driver %s", PCI_STUB);
	/* Its override names another driver, whether it is bound or not. */
	EXPECT_EQ(-ENODEV, pci_bind(vf, PCI_STUB));
	ASSERT_EQ(0, pci_unbind(vf));
	EXPECT_EQ(-ENODEV, pci_bind(vf, PCI_STUB));
	EXPECT_STREQ("", pci_driver(vf, driver));
	ASSERT_EQ(0, pci_probe(vf));
	EXPECT_STREQ(VFIO_PCI, pci_driver(vf, driver));
	EXPECT_EQ(-EACCES, try_open(variant->path, vf, NULL));
}

static int write_id(const char *file, const char *addr)
{
	char path[64], vendor[16], device[16], id[40];

	if (pci_read(addr, "vendor", vendor, sizeof(vendor)) ||
	    pci_read(addr, "device", device, sizeof(device)))
		return -EIO;
	snprintf(path, sizeof(path), "/sys/bus/pci/drivers/" VFIO_PCI "/%s",
		 file);
	snprintf(id, sizeof(id), "%s %s", vendor + 2, device + 2);
	return file_write(path, id);
}

/* vfio-pci now matches all such devices, but does not bind to this one. */
TEST_F_TIMEOUT(field, new_id_and_handed_vf, TEST_SECONDS)
{
	char driver[PCI_DRIVER_LEN];
	int ret;

	if (!pci_driver_exists(PCI_STUB))
		SKIP(return, "no driver %s", PCI_STUB);
	ASSERT_EQ(0, pci_move_to(vf, PCI_STUB));
	ret = write_id("new_id", vf);
	EXPECT_STREQ(PCI_STUB, pci_driver(vf, driver));
	EXPECT_STREQ(VFIO_PCI, pci_driver(vf2, driver));
	EXPECT_EQ(-EACCES, try_open(variant->path, vf2, NULL));
	EXPECT_EQ(0, ret);
	if (!ret)
		EXPECT_EQ(0, write_id("remove_id", vf));
}

/* --------------------------------------------------------------- suspend */

TEST_F_TIMEOUT(field, suspend_with_devices_open, TEST_SECONDS)
{
	struct holder pf_holder;

	if (getenv("VFIO_NO_SUSPEND"))
		SKIP(return, "the driver of this IOMMU cannot suspend");
	if (file_write("/sys/power/pm_test", "devices"))
		SKIP(return, "no pm_test (CONFIG_PM_DEBUG, CONFIG_SUSPEND)");
	ASSERT_EQ(0, holder_open(&pf_holder, variant->path, pf, TOKEN_1));
	ASSERT_EQ(0, holder_open(&self->holder, variant->path, vf, TOKEN_1));
	EXPECT_EQ(0, file_write("/sys/power/state", "freeze"));
	EXPECT_EQ(0, file_write("/sys/power/pm_test", "none"));
	EXPECT_EQ(2, pci_read_int(pf, "sriov_numvfs"));
	holder_release(&pf_holder);
	EXPECT_VF_IN_USE();
	holder_release(&self->holder);
	EXPECT_NO_VF_IN_USE();
}

/* -------------------------------------------------------- module removal */

static int remove_module(void)
{
	return syscall(SYS_delete_module, "vfio_pci", O_NONBLOCK) ? -errno : 0;
}

TEST_F_TIMEOUT(field, module_stays_while_open, TEST_SECONDS)
{
	if (access("/sys/module/vfio_pci/initstate", F_OK))
		SKIP(return, "vfio_pci is no module here");
	ASSERT_EQ(0, holder_open(&self->holder, variant->path, vf, TOKEN_1));
	EXPECT_EQ(-EAGAIN, remove_module());
	EXPECT_VF_IN_USE();

	/* And while its VFs are being disabled. */
	ASSERT_EQ(0, job_start(&self->job, disable_vfs_job, NULL));
	ASSERT_TRUE(job_blocked_in(&self->job, SYS_write, WAITS_FOR_USER));
	EXPECT_EQ(-EAGAIN, remove_module());
	holder_release(&self->holder);
	EXPECT_EQ(0, job_next(&self->job));
	job_wait(&self->job);
	EXPECT_NO_VF_IN_USE();
}

/* -------------------------------------------------- groups without IOMMU */

FIXTURE(noiommu)
{
	int container;
	int pf_group;
	int vf_group;
};

static int open_group(const char *addr, int container)
{
	char path[64];
	int group;

	snprintf(path, sizeof(path), "/dev/vfio/noiommu-%d",
		 pci_iommu_group(addr));
	group = open(path, O_RDWR | O_CLOEXEC);
	if (group < 0)
		return -errno;
	if (ioctl(group, VFIO_GROUP_SET_CONTAINER, &container))
		return -errno;
	return group;
}

FIXTURE_SETUP(noiommu)
{
	char mode[8];

	if (file_read(NOIOMMU, mode, sizeof(mode)) || mode[0] != 'Y')
		SKIP(return, "no groups without IOMMU in this machine");
	ASSERT_EQ(0, bench_enable_vfs(1));
	self->container = open("/dev/vfio/vfio", O_RDWR | O_CLOEXEC);
	ASSERT_LE(0, self->container);
	self->pf_group = open_group(pf, self->container);
	ASSERT_LE(0, self->pf_group);
	self->vf_group = open_group(vf, self->container);
	ASSERT_LE(0, self->vf_group);
	ASSERT_EQ(0, ioctl(self->container, VFIO_SET_IOMMU,
			   VFIO_NOIOMMU_IOMMU));
}

FIXTURE_TEARDOWN(noiommu)
{
	close(self->vf_group);
	close(self->pf_group);
	close(self->container);
	EXPECT_EQ(0, bench_disable_vfs());
}

static int try_device(int group, const char *addr, const char *token)
{
	int fd = group_get_device_token(group, addr, token);

	if (fd < 0)
		return fd;
	close(fd);
	return 0;
}

TEST_F_TIMEOUT(noiommu, same_rules, TEST_SECONDS)
{
	int fd;

	ASSERT_EQ(0, try_device(self->pf_group, pf, TOKEN_1));
	EXPECT_EQ(-EACCES, try_device(self->vf_group, vf, NULL));
	EXPECT_EQ(-EACCES, try_device(self->vf_group, vf, TOKEN_2));
	fd = group_get_device_token(self->vf_group, vf, TOKEN_1);
	ASSERT_LE(0, fd);
	EXPECT_EQ(-EACCES, try_device(self->pf_group, pf, NULL));
	EXPECT_EQ(-EACCES, try_device(self->pf_group, pf, TOKEN_2));
	EXPECT_EQ(0, try_device(self->pf_group, pf, TOKEN_1));
	close(fd);
	EXPECT_EQ(0, try_device(self->pf_group, pf, TOKEN_2));
}

int main(int argc, char **argv)
{
	return bench_run(argc, argv, 0, test_harness_run);
}
