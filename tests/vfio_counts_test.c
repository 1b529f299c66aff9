// SPDX-License-Identifier: GPL-2.0-only
/*
 * Is the count of VFs in use dropped at once, however an open ends?  The tests
 * open the PF with a token that is not the one set: while a VF is in use, the
 * open is refused; otherwise it sets the token.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <linux/userfaultfd.h>
#include <linux/vfio.h>

#include "kselftest_harness.h"
#include "lib/bench.h"
#include "lib/holder.h"

#define TEST_SECONDS	60

static const char *pf = bench.pf;
static const char *vf = bench.vf[0];

FIXTURE(counts)
{
	struct user pf;
};

FIXTURE_VARIANT(counts)
{
	enum open_path path;
};

FIXTURE_VARIANT_ADD(counts, type1) { .path = OPEN_TYPE1 };
FIXTURE_VARIANT_ADD(counts, compat) { .path = OPEN_COMPAT };
FIXTURE_VARIANT_ADD(counts, cdev) { .path = OPEN_CDEV };

FIXTURE_SETUP(counts)
{
	ASSERT_EQ(0, user_init(&self->pf, variant->path, pf));
	ASSERT_EQ(0, user_try(&self->pf, TOKEN_1));
}

FIXTURE_TEARDOWN(counts)
{
	user_exit(&self->pf);
}

#define EXPECT_VF_IN_USE() \
	EXPECT_EQ(-EACCES, user_try(&self->pf, TOKEN_2))
#define EXPECT_NO_VF_IN_USE() \
	EXPECT_EQ(0, user_try(&self->pf, TOKEN_2))

/* ------------------------------- opens that fail after they were admitted */

/* The type of the container's IOMMU is not set, so it cannot be used. */
static int open_without_iommu(const char *addr, const char *token)
{
	int container, group, fd;
	char path[64];

	snprintf(path, sizeof(path), "/dev/vfio/%d", pci_iommu_group(addr));
	container = open("/dev/vfio/vfio", O_RDWR | O_CLOEXEC);
	group = open(path, O_RDWR | O_CLOEXEC);
	if (container < 0 || group < 0 ||
	    ioctl(group, VFIO_GROUP_SET_CONTAINER, &container))
		return -EIO;
	fd = group_get_device_token(group, addr, token);
	if (fd >= 0)
		close(fd);
	close(group);
	close(container);
	return fd < 0 ? fd : 0;
}

/* An address that the device's IOMMU group has reserved, for MSI mostly. */
static bool reserved_address(const char *addr, unsigned long long *iova)
{
	char path[128], regions[256];

	snprintf(path, sizeof(path),
		 "/sys/kernel/iommu_groups/%d/reserved_regions",
		 pci_iommu_group(addr));
	if (file_read(path, regions, sizeof(regions)))
		return false;
	*iova = strtoull(regions, NULL, 16);
	return *iova;
}

/* The address space has a mapping where the device's must not have one. */
static int open_with_unfit_mappings(const char *addr, const char *token)
{
	struct vfio_iommu_type1_dma_map map = {
		.argsz = sizeof(map),
		.flags = VFIO_DMA_MAP_FLAG_READ,
		.size = sysconf(_SC_PAGESIZE),
	};
	unsigned long long iova;
	struct user user;
	void *page;
	int ret;

	page = mmap(NULL, map.size, PROT_READ | PROT_WRITE,
		    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (page == MAP_FAILED || !reserved_address(addr, &iova))
		return -EIO;
	map.iova = iova;
	map.vaddr = (uintptr_t)page;
	ret = user_init(&user, OPEN_COMPAT, addr);
	if (ret)
		return ret;
	if (ioctl(user.iommu, VFIO_IOMMU_MAP_DMA, &map))
		ret = -EIO;
	else
		ret = user_try(&user, token);
	user_exit(&user);
	munmap(page, map.size);
	return ret;
}

/* A bind whose argument is in a page that @protect protects against writes. */
static int bind_in_page(const char *addr, const char *token,
			int (*protect)(void *page, size_t len))
{
	struct vfio_device_bind_iommufd *bind;
	unsigned char bytes[TOKEN_BYTES];
	size_t len = sysconf(_SC_PAGESIZE);
	int iommufd, cdev, ret;

	bind = mmap(NULL, len, PROT_READ | PROT_WRITE,
		    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	iommufd = iommufd_open();
	cdev = cdev_open(addr);
	if (bind == MAP_FAILED || iommufd < 0 || cdev < 0 ||
	    token_parse(token, bytes))
		return -EIO;
	bind->argsz = sizeof(*bind);
	bind->flags = VFIO_DEVICE_BIND_FLAG_TOKEN;
	bind->iommufd = iommufd;
	bind->token_uuid_ptr = (uintptr_t)bytes;
	if (protect(bind, len))
		return -EIO;
	ret = cdev_bind(cdev, bind);
	close(cdev);
	close(iommufd);
	munmap(bind, len);
	return ret;
}

static int read_only(void *page, size_t len)
{
	return mprotect(page, len, PROT_READ);
}

/* The number of the bound device can't be written back. */
static int bind_in_read_only_memory(const char *addr, const char *token)
{
	return bind_in_page(addr, token, read_only);
}

static const struct {
	int (*open)(const char *addr, const char *token);
	int error;
} failing[] = {
	[OPEN_TYPE1] = { open_without_iommu, -EINVAL },
	[OPEN_COMPAT] = { open_with_unfit_mappings, -EADDRINUSE },
	[OPEN_CDEV] = { bind_in_read_only_memory, -EFAULT },
};

TEST_F_TIMEOUT(counts, open_failed_after_admission, TEST_SECONDS)
{
	EXPECT_EQ(failing[variant->path].error,
		  failing[variant->path].open(vf, TOKEN_1));
	EXPECT_NO_VF_IN_USE();
}

/* The failed open has not set the token. */
TEST_F_TIMEOUT(counts, pf_open_failed_after_admission, TEST_SECONDS)
{
	user_exit(&self->pf);
	EXPECT_EQ(failing[variant->path].error,
		  failing[variant->path].open(pf, TOKEN_2));
	EXPECT_EQ(-EACCES, try_open(variant->path, vf, TOKEN_2));
	EXPECT_EQ(0, try_open(variant->path, vf, TOKEN_1));
}

TEST_F_TIMEOUT(counts, refused_open, TEST_SECONDS)
{
	EXPECT_EQ(-EACCES, try_open(variant->path, vf, NULL));
	EXPECT_EQ(-EACCES, try_open(variant->path, vf, TOKEN_2));
	EXPECT_NO_VF_IN_USE();
}

/* ------------------------------------------------------- killed processes */

TEST_F_TIMEOUT(counts, killed_vf_user, TEST_SECONDS)
{
	struct holder holder;

	ASSERT_EQ(0, holder_open(&holder, variant->path, vf, TOKEN_1));
	EXPECT_VF_IN_USE();
	holder_kill(&holder);
	EXPECT_NO_VF_IN_USE();
}

TEST_F_TIMEOUT(counts, killed_while_opening, TEST_SECONDS)
{
	struct holder holder;

	ASSERT_TRUE(holder_open_half_way(&holder, variant->path, vf, TOKEN_1))
		TH_LOG("the VF's open was never seen asleep");
	holder_kill(&holder);
	EXPECT_NO_VF_IN_USE();
}

/* ------------------------------------------------ while the PF is opened */

static int userfaultfd(void)
{
	return syscall(SYS_userfaultfd, O_CLOEXEC);
}

/* A write to the page sleeps, as nothing handles its fault. */
static int write_waits(void *page, size_t len)
{
	struct uffdio_api api = {
		.api = UFFD_API,
		.features = UFFD_FEATURE_PAGEFAULT_FLAG_WP,
	};
	struct uffdio_register all = {
		.range = { (uintptr_t)page, len },
		.mode = UFFDIO_REGISTER_MODE_WP,
	};
	struct uffdio_writeprotect protect = {
		.range = { (uintptr_t)page, len },
		.mode = UFFDIO_WRITEPROTECT_MODE_WP,
	};
	int fd = userfaultfd();

	return fd < 0 || ioctl(fd, UFFDIO_API, &api) ||
	       ioctl(fd, UFFDIO_REGISTER, &all) ||
	       ioctl(fd, UFFDIO_WRITEPROTECT, &protect);
}

static int bind_for_ever(struct job *job, void *arg)
{
	return bind_in_page(pf, TOKEN_1, write_waits);
}

/* A VF is closed meanwhile; an open waits until the open of the PF has ended, or is killed. */
TEST(pf_open_delays_opens_only)
{
	struct holder holder;
	struct job job;
	int fd = userfaultfd();

	if (fd < 0)
		SKIP(return, "this kernel has no userfaultfd");
	close(fd);
	ASSERT_EQ(0, try_open(OPEN_CDEV, pf, TOKEN_1));
	ASSERT_EQ(0, holder_open(&holder, OPEN_CDEV, vf, TOKEN_1));
	ASSERT_EQ(0, job_start(&job, bind_for_ever, NULL));
	ASSERT_TRUE(job_blocked_in(&job, SYS_ioctl, "handle_userfault"));
	holder_release(&holder);
	ASSERT_TRUE(holder_open_half_way(&holder, OPEN_CDEV, vf, TOKEN_1));
	EXPECT_TRUE(job_blocked_in(&holder.job, SYS_ioctl, NULL));
	holder_kill(&holder);
	ASSERT_TRUE(holder_open_half_way(&holder, OPEN_CDEV, vf, TOKEN_1));
	EXPECT_TRUE(job_blocked_in(&holder.job, SYS_ioctl, NULL));
	job_kill(&job, SIGKILL);
	EXPECT_EQ(0, holder_opened(&holder));
	holder_release(&holder);
}

/* -------------------------------------------------------- removed devices */

static int unbind_vf(struct job *job, void *arg)
{
	return pci_unbind(vf);
}

static int disable_all(struct job *job, void *arg)
{
	return bench_disable_vfs();
}

/* Start it, see it wait for the VF's holder, end the holder. */
static int leave_with_vf_open(struct holder *holder,
			      int (*leave)(struct job *job, void *arg))
{
	struct job job;
	int ret;

	ret = job_start(&job, leave, NULL);
	if (ret)
		return ret;
	if (!job_blocked_in(&job, SYS_write, "vfio_unregister_group_dev"))
		return -EIO;
	holder_release(holder);
	ret = job_next(&job);
	job_wait(&job);
	return ret;
}

TEST_F_TIMEOUT(counts, vf_unbound, TEST_SECONDS)
{
	struct holder holder;

	ASSERT_EQ(0, holder_open(&holder, variant->path, vf, TOKEN_1));
	EXPECT_VF_IN_USE();
	EXPECT_EQ(0, leave_with_vf_open(&holder, unbind_vf));
	EXPECT_NO_VF_IN_USE();

	/* Bound again, the VF counts again. */
	ASSERT_EQ(0, pci_bind(vf, VFIO_PCI));
	ASSERT_EQ(0, holder_open(&holder, variant->path, vf, TOKEN_2));
	EXPECT_EQ(-EACCES, user_try(&self->pf, TOKEN_1));
	holder_release(&holder);
}

TEST_F_TIMEOUT(counts, vfs_disabled, TEST_SECONDS)
{
	struct holder holder;

	ASSERT_EQ(0, holder_open(&holder, variant->path, vf, TOKEN_1));
	EXPECT_VF_IN_USE();
	EXPECT_EQ(0, leave_with_vf_open(&holder, disable_all));
	EXPECT_NO_VF_IN_USE();

	/* New VFs require the token that was set meanwhile. */
	ASSERT_EQ(0, bench_enable_vfs(1));
	EXPECT_EQ(-EACCES, try_open(variant->path, vf, TOKEN_1));
	EXPECT_EQ(0, try_open(variant->path, vf, TOKEN_2));
}

int main(int argc, char **argv)
{
	return bench_run(argc, argv, 1, test_harness_run);
}
