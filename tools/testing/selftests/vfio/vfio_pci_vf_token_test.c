// SPDX-License-Identifier: GPL-2.0-only
/*
 * VF tokens: which opens of PFs and VFs does the kernel admit, on every path
 * that opens a device, and what do opens leave behind?
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <libvfio.h>

#include "../kselftest_harness.h"
#include "sriov_util.h"

#define TIMEOUT	60

/* TOKEN_1 with its first, its last digit changed */
#define TOKEN_1_HEAD	"8d9e0c3a-52b4-4f16-8a6f-1c3b5e7f9021"
#define TOKEN_1_TAIL	"7d9e0c3a-52b4-4f16-8a6f-1c3b5e7f9020"

#define TYPE1		MODE_VFIO_TYPE1V2_IOMMU
#define COMPAT		MODE_IOMMUFD_COMPAT_TYPE1V2

/* A PF and a VF, not open; the token is TOKEN_1. */
FIXTURE(token)
{
	struct vfio_pci_device *pf;
	struct vfio_pci_device *vf;
	struct opener opener;
};

FIXTURE_VARIANT(token)
{
	const char *mode;
};

FIXTURE_VARIANT_ADD(token, type1) { .mode = TYPE1 };
FIXTURE_VARIANT_ADD(token, compat) { .mode = COMPAT };
FIXTURE_VARIANT_ADD(token, cdev) { .mode = MODE_IOMMUFD };

FIXTURE_SETUP(token)
{
	if (!iommu_mode_supported(variant->mode))
		SKIP(return, "no %s in this kernel", variant->mode);
	self->pf = device_setup(variant->mode, pf_bdf);
	self->vf = device_setup(variant->mode, vf_bdf[0]);
	ASSERT_EQ(0, device_try(self->pf, TOKEN_1));
}

FIXTURE_TEARDOWN(token)
{
	device_cleanup(self->vf);
	device_cleanup(self->pf);
}

/* A PF accepts a new token if and only if no VF is in use. */
#define EXPECT_VF_IN_USE() EXPECT_EQ(-EACCES, device_try(self->pf, TOKEN_2))
#define EXPECT_NO_VF_IN_USE() EXPECT_EQ(0, device_try(self->pf, TOKEN_2))

/* ------------------------------------------------------------ the rules */

TEST_F_TIMEOUT(token, vf_requires_token, TIMEOUT)
{
	EXPECT_EQ(-EACCES, device_try(self->vf, NULL));
	EXPECT_EQ(-EACCES, device_try(self->vf, TOKEN_2));
	EXPECT_EQ(-EACCES, device_try(self->vf, TOKEN_NIL));
	EXPECT_EQ(-EACCES, device_try(self->vf, TOKEN_1_HEAD));
	EXPECT_EQ(-EACCES, device_try(self->vf, TOKEN_1_TAIL));
	EXPECT_NO_VF_IN_USE();
	EXPECT_EQ(-EACCES, device_try(self->vf, TOKEN_1));
	EXPECT_EQ(0, device_try(self->vf, TOKEN_2));
}

TEST_F_TIMEOUT(token, vf_in_use_until_closed, TIMEOUT)
{
	ASSERT_EQ(0, device_open(self->vf, TOKEN_1));
	EXPECT_VF_IN_USE();
	EXPECT_EQ(-EACCES, device_try(self->pf, NULL));
	EXPECT_EQ(0, device_try(self->pf, TOKEN_1));
	device_close(self->vf);
	EXPECT_NO_VF_IN_USE();
}

TEST_F_TIMEOUT(token, pf_open_keeps_token, TIMEOUT)
{
	ASSERT_EQ(0, device_open(self->pf, NULL));
	EXPECT_EQ(-EACCES, device_try(self->vf, NULL));
	EXPECT_EQ(0, device_try(self->vf, TOKEN_1));
}

TEST_F_TIMEOUT(token, pf_open_sets_token, TIMEOUT)
{
	ASSERT_EQ(0, device_open(self->pf, TOKEN_2));
	EXPECT_EQ(-EACCES, device_try(self->vf, TOKEN_1));
	EXPECT_EQ(0, device_try(self->vf, TOKEN_2));
}

TEST_F_TIMEOUT(token, nil_uuid_is_a_token, TIMEOUT)
{
	ASSERT_EQ(0, device_open(self->pf, TOKEN_NIL));
	EXPECT_EQ(-EACCES, device_try(self->vf, NULL));
	EXPECT_EQ(0, device_try(self->vf, TOKEN_NIL));
}

TEST_F_TIMEOUT(token, plain_device_rejects_token, TIMEOUT)
{
	struct vfio_pci_device *plain;
	char token[32];

	if (!plain_bdf())
		SKIP(return, "$VFIO_PLAIN names no device");
	plain = device_setup(variant->mode, plain_bdf());
	EXPECT_STREQ("", pci_vf_token(plain_bdf(), token));
	EXPECT_EQ(-EINVAL, device_try(plain, TOKEN_1));
	EXPECT_EQ(-EINVAL, device_try(plain, TOKEN_NIL));
	EXPECT_EQ(0, device_open(plain, NULL));
	EXPECT_EQ(-ENOTTY, device_set_token(plain->fd, TOKEN_1));
	device_cleanup(plain);
}

/* Every path checks the same token and counts in the same place. */
TEST_F_TIMEOUT(token, other_paths_agree, TIMEOUT)
{
	const char *other = strcmp(variant->mode, TYPE1) ? TYPE1 : MODE_IOMMUFD;

	if (!iommu_mode_supported(other))
		SKIP(return, "no %s in this kernel", other);
	EXPECT_EQ(-EACCES, open_once(other, vf_bdf[1], NULL));
	EXPECT_EQ(-EACCES, open_once(other, vf_bdf[1], TOKEN_2));
	EXPECT_EQ(0, open_once(other, vf_bdf[1], TOKEN_1));
	ASSERT_EQ(0, opener_open(&self->opener, other, vf_bdf[1], TOKEN_1));
	EXPECT_VF_IN_USE();
	EXPECT_EQ(-EACCES, device_try(self->pf, NULL));
	opener_stop(&self->opener, SIGTERM);
	EXPECT_NO_VF_IN_USE();
}

/* -------------------------------------- VFIO_DEVICE_FEATURE_PCI_VF_TOKEN */

TEST_F_TIMEOUT(token, feature_sets_token, TIMEOUT)
{
	ASSERT_EQ(0, device_open(self->pf, TOKEN_1));
	vfio_device_set_vf_token(self->pf->fd, TOKEN_2);
	EXPECT_EQ(-EACCES, device_try(self->vf, TOKEN_1));
	ASSERT_EQ(0, device_open(self->vf, TOKEN_2));
	/* Also while a VF is in use, which stays open. */
	vfio_device_set_vf_token(self->pf->fd, TOKEN_1);
	device_close(self->vf);
	EXPECT_EQ(-EACCES, device_try(self->vf, TOKEN_2));
	EXPECT_EQ(0, device_try(self->vf, TOKEN_1));
}

TEST_F_TIMEOUT(token, feature_rejects_misuse, TIMEOUT)
{
	const __u32 get = VFIO_DEVICE_FEATURE_GET;
	const __u32 set = VFIO_DEVICE_FEATURE_SET;
	const __u32 probe = VFIO_DEVICE_FEATURE_PROBE;
	unsigned char bytes[TOKEN_BYTES];
	int fd;

	ASSERT_EQ(0, token_parse(TOKEN_2, bytes));
	ASSERT_EQ(0, device_open(self->pf, NULL));
	fd = self->pf->fd;
	/* SET exists, GET does not. */
	EXPECT_EQ(0, device_feature(fd, probe, NULL, 0));
	EXPECT_EQ(0, device_feature(fd, probe | set, NULL, 0));
	EXPECT_EQ(0, device_feature(fd, probe | set, bytes, TOKEN_BYTES));
	EXPECT_EQ(-EINVAL, device_feature(fd, get, bytes, TOKEN_BYTES));
	EXPECT_EQ(-EINVAL, device_feature(fd, probe | get, NULL, 0));
	EXPECT_EQ(-EINVAL, device_feature(fd, get | set, bytes, TOKEN_BYTES));
	EXPECT_EQ(-EINVAL, device_feature(fd, 0, bytes, TOKEN_BYTES));
	/* Too short, unknown flag */
	EXPECT_EQ(-EINVAL, device_feature(fd, set, NULL, 0));
	EXPECT_EQ(-EINVAL, device_feature(fd, set, bytes, TOKEN_BYTES - 1));
	EXPECT_EQ(-EINVAL, device_feature(fd, set | 1U << 31, bytes,
					  TOKEN_BYTES));
	/* None of these has set it. */
	EXPECT_EQ(-EACCES, device_try(self->vf, TOKEN_2));
	ASSERT_EQ(0, device_open(self->vf, TOKEN_1));
	/* A VF has no such feature. */
	fd = self->vf->fd;
	EXPECT_EQ(-ENOTTY, device_feature(fd, set, bytes, TOKEN_BYTES));
	EXPECT_EQ(-ENOTTY, device_feature(fd, get, bytes, TOKEN_BYTES));
	EXPECT_EQ(-ENOTTY, device_feature(fd, probe, NULL, 0));
}

/* ------------------------------------------------- vf_token in sysfs */

static mode_t vf_token_mode(const char *bdf)
{
	const char *cdev = vfio_pci_get_cdev_path(bdf);
	struct stat stat_buf;
	char path[256];

	snprintf(path, sizeof(path),
		 "/sys/bus/pci/devices/%s/vfio-dev/%s/vf_token", bdf,
		 strrchr(cdev, '/') + 1);
	return stat(path, &stat_buf) ? 0 : stat_buf.st_mode & 0777;
}

/* Constant, so that it does not tell whether a VF is in use. */
TEST_F_TIMEOUT(token, sysfs_tells_requirement, TIMEOUT)
{
	char token[32];

	EXPECT_STREQ("optional", pci_vf_token(pf_bdf, token));
	EXPECT_STREQ("required", pci_vf_token(vf_bdf[0], token));
	ASSERT_EQ(0, device_open(self->vf, TOKEN_1));
	EXPECT_STREQ("optional", pci_vf_token(pf_bdf, token));
	EXPECT_STREQ("required", pci_vf_token(vf_bdf[0], token));
	EXPECT_EQ(0444, vf_token_mode(pf_bdf));
	EXPECT_EQ(0444, vf_token_mode(vf_bdf[0]));
}

/* ------------------------------------------ what ends an open gives back */

TEST_F_TIMEOUT(token, killed_vf_user, TIMEOUT)
{
	ASSERT_EQ(0, opener_open(&self->opener, variant->mode, vf_bdf[1],
				 TOKEN_1));
	EXPECT_VF_IN_USE();
	opener_stop(&self->opener, SIGKILL);
	EXPECT_NO_VF_IN_USE();
}

TEST_F_TIMEOUT(token, vf_user_killed_opening, TIMEOUT)
{
	ASSERT_TRUE(opener_opening(&self->opener, variant->mode, vf_bdf[1],
				   TOKEN_1));
	opener_stop(&self->opener, SIGKILL);
	EXPECT_NO_VF_IN_USE();
}

TEST_F_TIMEOUT(token, killed_pf_driver_returns, TIMEOUT)
{
	device_cleanup(self->pf);
	self->pf = NULL;
	ASSERT_EQ(0, opener_open(&self->opener, variant->mode, pf_bdf,
				 TOKEN_1));
	ASSERT_EQ(0, device_open(self->vf, TOKEN_1));
	opener_stop(&self->opener, SIGKILL);

	self->pf = device_setup(variant->mode, pf_bdf);
	EXPECT_VF_IN_USE();
	EXPECT_EQ(-EACCES, device_try(self->pf, NULL));
	EXPECT_EQ(0, device_open(self->pf, TOKEN_1));
	/* The token set last is the one that counts. */
	vfio_device_set_vf_token(self->pf->fd, TOKEN_2);
	device_close(self->pf);
	EXPECT_EQ(-EACCES, device_try(self->pf, TOKEN_1));
	EXPECT_EQ(0, device_try(self->pf, TOKEN_2));
}

TEST_F_TIMEOUT(token, pf_driver_killed_opening, TIMEOUT)
{
	device_cleanup(self->pf);
	self->pf = NULL;
	ASSERT_EQ(0, device_open(self->vf, TOKEN_1));
	ASSERT_TRUE(opener_opening(&self->opener, variant->mode, pf_bdf,
				   TOKEN_1));
	opener_stop(&self->opener, SIGKILL);
	self->pf = device_setup(variant->mode, pf_bdf);
	EXPECT_VF_IN_USE();
	EXPECT_EQ(0, device_try(self->pf, TOKEN_1));
}

static int unbind_vf(struct job *job, void *arg)
{
	return pci_unbind(vf_bdf[1]);
}

TEST_F_TIMEOUT(token, unbind_waits_for_user, TIMEOUT)
{
	struct job job;

	ASSERT_EQ(0, opener_open(&self->opener, variant->mode, vf_bdf[1],
				 TOKEN_1));
	ASSERT_EQ(0, job_start(&job, unbind_vf, NULL));
	EXPECT_TRUE(job_blocked_in(&job, SYS_write,
				   "vfio_unregister_group_dev"));
	opener_stop(&self->opener, SIGTERM);
	EXPECT_EQ(0, job_next(&job));
	job_wait(&job);
	EXPECT_NO_VF_IN_USE();

	/* Bound again, it requires the token and counts. */
	ASSERT_EQ(0, pci_bind(vf_bdf[1], VFIO_PCI));
	EXPECT_EQ(-EACCES, open_once(variant->mode, vf_bdf[1], NULL));
	ASSERT_EQ(0, opener_open(&self->opener, variant->mode, vf_bdf[1],
				 TOKEN_2));
	EXPECT_EQ(-EACCES, device_try(self->pf, TOKEN_1));
	opener_stop(&self->opener, SIGTERM);
}

/* ------------------------------ VFIO_GROUP_GET_DEVICE_FD: name, options */

FIXTURE(group)
{
	struct vfio_pci_device *pf;
	struct vfio_pci_device *vf;
};

FIXTURE_VARIANT(group)
{
	const char *mode;
};

FIXTURE_VARIANT_ADD(group, type1) { .mode = TYPE1 };
FIXTURE_VARIANT_ADD(group, compat) { .mode = COMPAT };

FIXTURE_SETUP(group)
{
	if (!iommu_mode_supported(variant->mode))
		SKIP(return, "no %s in this kernel", variant->mode);
	self->pf = device_setup(variant->mode, pf_bdf);
	self->vf = device_setup(variant->mode, vf_bdf[0]);
	ASSERT_EQ(0, device_try(self->pf, TOKEN_1));
}

FIXTURE_TEARDOWN(group)
{
	device_cleanup(self->vf);
	device_cleanup(self->pf);
}

static int request(struct vfio_pci_device *device, const char *string)
{
	int fd = ioctl(device->group_fd, VFIO_GROUP_GET_DEVICE_FD, string);

	if (fd < 0)
		return -errno;
	close(fd);
	return 0;
}

static int request_formatted(struct vfio_pci_device *device, const char *format)
{
	char string[256];

	snprintf(string, sizeof(string), format, device->bdf);
	return request(device, string);
}

TEST_F_TIMEOUT(group, rejects_malformed_options, TIMEOUT)
{
	/* The unit tests have more. */
	static const char * const malformed[] = {
		"%s option",
		"%s vf_token =" TOKEN_1,
		"%s vf_tokens=" TOKEN_1,
		"%s " TOKEN_1,
		"%s vf_token=" TOKEN_1 " option",
		"%s option vf_token=" TOKEN_1,
		"%s vf_token=" TOKEN_1 " vf_token=" TOKEN_1,
		"%s vf_token=" TOKEN_1 "\n",
		"%s vf_token=" TOKEN_1 ",",
		"%s \tvf_token=" TOKEN_1,
		"%s vf_token=" TOKEN_1 "0",
		"%s vf_token={" TOKEN_1 "}",
		"%s vf_token=7d9e0c3a-52b4-4f16-8a6f1-c3b5e7f9021",
		"%s vf_token=7d9e0c3a 52b4-4f16-8a6f-1c3b5e7f9021",
	};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(malformed); i++) {
		EXPECT_EQ(-EINVAL, request_formatted(self->vf, malformed[i]))
			TH_LOG("VF: \"%s\"", malformed[i]);
		EXPECT_EQ(-EINVAL, request_formatted(self->pf, malformed[i]))
			TH_LOG("PF: \"%s\"", malformed[i]);
	}
	EXPECT_EQ(0, device_try(self->vf, TOKEN_1));
}

TEST_F_TIMEOUT(group, accepts_blanks_and_capitals, TIMEOUT)
{
	EXPECT_EQ(0, request_formatted(self->vf, "%s   vf_token=" TOKEN_1));
	EXPECT_EQ(0, request_formatted(self->vf, "%s vf_token=" TOKEN_1 "  "));
	EXPECT_EQ(0, request_formatted(self->vf,
				       "%s vf_token=7D9E0C3A-52B4-4F16-8A6F-1C3B5E7F9021"));
	EXPECT_EQ(-EACCES, request_formatted(self->vf, "%s  "));
	EXPECT_EQ(-ENODEV, request_formatted(self->vf, " %s"));
	EXPECT_EQ(-ENODEV, request_formatted(self->vf, "%sx vf_token=" TOKEN_1));
	EXPECT_EQ(-EFAULT, request(self->vf, NULL));
}

/* Another file for a device that is open passes the same check. */
TEST_F_TIMEOUT(group, reopen_is_checked, TIMEOUT)
{
	struct vfio_pci_device again;

	ASSERT_EQ(0, device_open(self->vf, TOKEN_1));
	again = *self->vf;
	EXPECT_EQ(-EACCES, device_open(&again, NULL));
	EXPECT_EQ(-EACCES, device_open(&again, TOKEN_2));
	ASSERT_EQ(0, device_open(&again, TOKEN_1));

	/* The VF is in use until its last file is closed. */
	device_close(self->vf);
	EXPECT_EQ(-EACCES, device_try(self->pf, TOKEN_2));
	device_close(&again);
	ASSERT_EQ(0, device_open(self->pf, NULL));

	again = *self->pf;
	EXPECT_EQ(0, device_try(&again, TOKEN_2));
	EXPECT_EQ(-EACCES, device_try(self->vf, TOKEN_1));
	ASSERT_EQ(0, device_open(self->vf, TOKEN_2));
	EXPECT_EQ(-EACCES, device_try(&again, NULL));
	EXPECT_EQ(-EACCES, device_try(&again, TOKEN_1));
	EXPECT_EQ(0, device_try(&again, TOKEN_2));
}

/* --------------------------------------------- VFIO_DEVICE_BIND_IOMMUFD */

#define BIND_SHORT	offsetof(struct vfio_device_bind_iommufd, token_uuid_ptr)

/* A bind of the VF, complete but for the flag. */
FIXTURE(bind)
{
	struct vfio_device_bind_iommufd arg;
	unsigned char token[TOKEN_BYTES];
	struct vfio_pci_device *vf;
};

FIXTURE_SETUP(bind)
{
	if (!iommu_mode_supported(MODE_IOMMUFD))
		SKIP(return, "no iommufd in this kernel");
	ASSERT_EQ(0, open_once(MODE_IOMMUFD, pf_bdf, TOKEN_1));
	ASSERT_EQ(0, token_parse(TOKEN_1, self->token));
	self->vf = device_setup(MODE_IOMMUFD, vf_bdf[0]);
	vfio_pci_cdev_open(self->vf, vf_bdf[0]);
	self->arg.argsz = sizeof(self->arg);
	self->arg.iommufd = self->vf->iommu->iommufd;
	self->arg.token_uuid_ptr = (uintptr_t)self->token;
}

FIXTURE_TEARDOWN(bind)
{
	device_cleanup(self->vf);
}

static int bind_cdev(int cdev, const void *arg)
{
	return ioctl(cdev, VFIO_DEVICE_BIND_IOMMUFD, arg) ? -errno : 0;
}

TEST_F_TIMEOUT(bind, short_argsz_reads_zeros, TIMEOUT)
{
	__u32 argsz;

	ASSERT_EQ(16, BIND_SHORT);
	ASSERT_EQ(24, sizeof(self->arg));
	for (argsz = 0; argsz < sizeof(self->arg); argsz++) {
		self->arg.argsz = argsz;
		self->arg.flags = 0;
		ASSERT_EQ(argsz < BIND_SHORT ? -EINVAL : -EACCES,
			  bind_cdev(self->vf->fd, &self->arg));
		self->arg.flags = VFIO_DEVICE_BIND_FLAG_TOKEN;
		ASSERT_EQ(argsz < BIND_SHORT ? -EINVAL : -EFAULT,
			  bind_cdev(self->vf->fd, &self->arg));
	}
}

TEST_F_TIMEOUT(bind, long_argsz_needs_zeros, TIMEOUT)
{
	struct {
		struct vfio_device_bind_iommufd arg;
		unsigned char tail[40];
	} longer = { .arg = self->arg };
	size_t i;

	longer.arg.flags = VFIO_DEVICE_BIND_FLAG_TOKEN;
	for (i = 0; i < sizeof(longer.tail); i++) {
		longer.arg.argsz = sizeof(longer.arg) + i + 1;
		longer.tail[i] = 1;
		ASSERT_EQ(-E2BIG, bind_cdev(self->vf->fd, &longer));
		longer.tail[i] = 0;
	}
	EXPECT_EQ(0, bind_cdev(self->vf->fd, &longer));
}

TEST_F_TIMEOUT(bind, flag_presents_token, TIMEOUT)
{
	int bit;

	for (bit = 1; bit < 32; bit++) {
		self->arg.flags = 1U << bit;
		EXPECT_EQ(-EINVAL, bind_cdev(self->vf->fd, &self->arg));
		self->arg.flags |= VFIO_DEVICE_BIND_FLAG_TOKEN;
		EXPECT_EQ(-EINVAL, bind_cdev(self->vf->fd, &self->arg));
	}
	self->arg.flags = 0;
	EXPECT_EQ(-EACCES, bind_cdev(self->vf->fd, &self->arg));
	self->arg.flags = VFIO_DEVICE_BIND_FLAG_TOKEN;
	EXPECT_EQ(0, bind_cdev(self->vf->fd, &self->arg));
}

/* A bind that fails neither counts, nor sets or returns anything. */
TEST_F_TIMEOUT(bind, failed_bind_changes_nothing, TIMEOUT)
{
	struct vfio_pci_device *pf = device_setup(MODE_IOMMUFD, pf_bdf);
	int fd = self->vf->fd, other;

	self->arg.flags = VFIO_DEVICE_BIND_FLAG_TOKEN;
	self->arg.iommufd = -1;
	EXPECT_EQ(-EINVAL, bind_cdev(fd, &self->arg));
	self->arg.iommufd = fd;
	EXPECT_GT(0, bind_cdev(fd, &self->arg));
	EXPECT_EQ(0, device_try(pf, TOKEN_2));
	EXPECT_EQ(0, device_try(pf, TOKEN_1));

	/* A PF that is open: the second bind must not set its token. */
	ASSERT_EQ(0, device_open(pf, NULL));
	other = open(vfio_pci_get_cdev_path(pf_bdf), O_RDWR);
	ASSERT_LE(0, other);
	EXPECT_EQ(-EINVAL, __vfio_device_bind_iommufd(other,
						      pf->iommu->iommufd,
						      TOKEN_2));
	close(other);
	self->arg.iommufd = self->vf->iommu->iommufd;
	EXPECT_EQ(0, bind_cdev(fd, &self->arg));
	EXPECT_EQ(-EINVAL, bind_cdev(fd, &self->arg));
	device_close(pf);
	EXPECT_EQ(-EACCES, device_try(pf, TOKEN_2));
	device_cleanup(pf);
}

/* Nothing can be set on a PF that is not bound yet. */
TEST_F_TIMEOUT(bind, unbound_cdev_sets_nothing, TIMEOUT)
{
	int pf = open(vfio_pci_get_cdev_path(pf_bdf), O_RDWR);

	ASSERT_LE(0, pf);
	EXPECT_EQ(-EINVAL, device_set_token(pf, TOKEN_2));
	close(pf);
	self->arg.flags = VFIO_DEVICE_BIND_FLAG_TOKEN;
	EXPECT_EQ(0, bind_cdev(self->vf->fd, &self->arg));
}

int main(int argc, char *argv[])
{
	return run_with_vfs(argc, argv, MAX_VFS, test_harness_run);
}
