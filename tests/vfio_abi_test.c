// SPDX-License-Identifier: GPL-2.0-only
/*
 * Malformed calls that present a token, beyond those of the kernel's own
 * selftests: each is refused with its errno and without a log line.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <linux/vfio.h>

#include "kselftest_harness.h"
#include "lib/bench.h"
#include "lib/klog.h"
#include "lib/user.h"

#define TEST_SECONDS	60

static const char *pf = bench.pf;
static const char *vf = bench.vf[0];

/* -------------------------------------- VFIO_DEVICE_FEATURE_PCI_VF_TOKEN */

FIXTURE(feature)
{
	struct user pf;
	struct user vf;
};

FIXTURE_VARIANT(feature)
{
	enum open_path path;
};

FIXTURE_VARIANT_ADD(feature, type1) { .path = OPEN_TYPE1 };
FIXTURE_VARIANT_ADD(feature, cdev) { .path = OPEN_CDEV };

/* The PF is open and the token is TOKEN_1. */
FIXTURE_SETUP(feature)
{
	ASSERT_EQ(0, user_init(&self->pf, variant->path, pf));
	ASSERT_EQ(0, user_init(&self->vf, variant->path, vf));
	ASSERT_EQ(0, user_open(&self->pf, TOKEN_1));
}

FIXTURE_TEARDOWN(feature)
{
	user_exit(&self->vf);
	user_exit(&self->pf);
}

TEST_F_TIMEOUT(feature, token_must_be_readable, TEST_SECONDS)
{
	struct vfio_device_feature *feature;
	long page = sysconf(_SC_PAGESIZE);
	char *pages;

	/* The header ends the first page, no page follows. */
	pages = mmap(NULL, 2 * page, PROT_READ | PROT_WRITE,
		     MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	ASSERT_NE(MAP_FAILED, pages);
	ASSERT_EQ(0, munmap(pages + page, page));
	feature = (void *)(pages + page - sizeof(*feature));
	feature->argsz = sizeof(*feature) + TOKEN_BYTES;
	feature->flags = VFIO_DEVICE_FEATURE_SET |
			 VFIO_DEVICE_FEATURE_PCI_VF_TOKEN;

	EXPECT_EQ(-1, ioctl(self->pf.device, VFIO_DEVICE_FEATURE, feature));
	EXPECT_EQ(EFAULT, errno);
	EXPECT_EQ(0, user_try(&self->vf, TOKEN_1));
}

/* ---------------------------------- the group's request: "name [option]..." */

FIXTURE(group)
{
	struct user pf;
	struct user vf;
};

FIXTURE_VARIANT(group)
{
	enum open_path path;
};

FIXTURE_VARIANT_ADD(group, type1) { .path = OPEN_TYPE1 };
FIXTURE_VARIANT_ADD(group, compat) { .path = OPEN_COMPAT };

FIXTURE_SETUP(group)
{
	ASSERT_EQ(0, user_init(&self->pf, variant->path, pf));
	ASSERT_EQ(0, user_init(&self->vf, variant->path, vf));
	ASSERT_EQ(0, user_try(&self->pf, TOKEN_1));
}

FIXTURE_TEARDOWN(group)
{
	user_exit(&self->vf);
	user_exit(&self->pf);
}

/* Each %s is the device's name. */
static const char * const malformed[] = {
	"%s option",
	"%s option=" TOKEN_1,
	"%s vf_token",
	"%s vf_token=",
	"%s vf_token =" TOKEN_1,
	"%s vf_token= " TOKEN_1,
	"%s VF_TOKEN=" TOKEN_1,
	"%s vf_tokens=" TOKEN_1,
	"%s xvf_token=" TOKEN_1,
	"%s " TOKEN_1,
	"%s vf_token=" TOKEN_1 " option",
	"%s option vf_token=" TOKEN_1,
	"%s vf_token=" TOKEN_1 " vf_token=" TOKEN_1,
	"%s vf_token=" TOKEN_1 " vf_token=" TOKEN_2,
	"%s vf_token=" TOKEN_1 " vf_token",
	"%s vf_token=" TOKEN_1 "\t",
	"%s vf_token=" TOKEN_1 "\n",
	"%s vf_token=" TOKEN_1 ",",
	"%s \tvf_token=" TOKEN_1,
	/* Not a UUID */
	"%s vf_token=" TOKEN_1 "0",
	"%s vf_token={" TOKEN_1 "}",
	"%s vf_token=7d9e0c3a-52b4-4f16-8a6f-1c3b5e7f902",
	"%s vf_token=7d9e0c3a52b44f168a6f1c3b5e7f9021",
	"%s vf_token=7d9e0c3a-52b4-4f16-8a6f1-c3b5e7f9021",
	"%s vf_token=7d9e0c3a-52b4-4f16-8a6f_1c3b5e7f9021",
	"%s vf_token=7d9e0c3a-52b4-4f16-8a6f-1c3b5e7f90-1",
	"%s vf_token=7d9e0c3g-52b4-4f16-8a6f-1c3b5e7f9021",
	"%s vf_token=0x9e0c3a-52b4-4f16-8a6f-1c3b5e7f9021",
	"%s vf_token=7d9e0c3a 52b4-4f16-8a6f-1c3b5e7f9021",
};

static int request_formatted(int group, const char *format, const char *addr)
{
	char request[256];
	int fd;

	snprintf(request, sizeof(request), format, addr);
	fd = group_get_device(group, request);
	if (fd >= 0)
		close(fd);
	return fd < 0 ? fd : 0;
}

TEST_F_TIMEOUT(group, malformed_options_are_invalid, TEST_SECONDS)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(malformed); i++) {
		EXPECT_EQ(-EINVAL, request_formatted(self->vf.group,
						     malformed[i], vf))
			TH_LOG("VF: \"%s\"", malformed[i]);
		EXPECT_EQ(-EINVAL, request_formatted(self->pf.group,
						     malformed[i], pf))
			TH_LOG("PF: \"%s\"", malformed[i]);
	}
	/* None of them has set the token. */
	EXPECT_EQ(0, user_try(&self->vf, TOKEN_1));
}

TEST_F_TIMEOUT(group, plain_device_malformed_options, TEST_SECONDS)
{
	char addr[PCI_ADDR_LEN];
	struct user plain;
	size_t i;

	if (!bench_find_plain_device(addr))
		SKIP(return, "no device that is neither PF nor VF is bound to %s",
		     VFIO_PCI);
	ASSERT_EQ(0, user_init(&plain, variant->path, addr));
	for (i = 0; i < ARRAY_SIZE(malformed); i++) {
		EXPECT_EQ(-EINVAL, request_formatted(plain.group, malformed[i],
						     addr))
			TH_LOG("\"%s\"", malformed[i]);
	}
	user_exit(&plain);
}

/* Any program may probe for options.  Only refusals of tokens are logged. */
TEST_F_TIMEOUT(group, misuse_is_silent, TEST_SECONDS)
{
	char plain[PCI_ADDR_LEN];
	int log = klog_mark();
	size_t i;

	ASSERT_LE(0, log);
	for (i = 0; i < ARRAY_SIZE(malformed); i++) {
		request_formatted(self->vf.group, malformed[i], vf);
		request_formatted(self->pf.group, malformed[i], pf);
	}
	EXPECT_FALSE(klog_find(log, vf, ""));
	if (bench_find_plain_device(plain)) {
		EXPECT_EQ(-EINVAL, try_open(variant->path, plain, TOKEN_1));
		EXPECT_FALSE(klog_find(log, plain, ""));
	}
	EXPECT_EQ(-EACCES, user_try(&self->vf, TOKEN_2));
	EXPECT_TRUE(klog_find(log, vf, "token"));
	close(log);
}

TEST_F_TIMEOUT(group, other_devices_are_unknown, TEST_SECONDS)
{
	static const char * const unknown[] = {
		"",
		" ",
		" %s",
		" %s vf_token=" TOKEN_1,
		"%sx",
		"x%s",
		"%s\tvf_token=" TOKEN_1,
		"%s,vf_token=" TOKEN_1,
		"vf_token=" TOKEN_1,
		"vf_token=" TOKEN_1 " %s",
		"unknown vf_token=" TOKEN_1,
		"unknown option",
	};
	char request[256];
	size_t i;

	for (i = 0; i < ARRAY_SIZE(unknown); i++) {
		EXPECT_EQ(-ENODEV, request_formatted(self->vf.group, unknown[i],
						     vf))
			TH_LOG("\"%s\"", unknown[i]);
	}

	/* Part of its name; a device of another group. */
	snprintf(request, sizeof(request), "%.*s vf_token=%s",
		 (int)strlen(vf) - 1, vf, TOKEN_1);
	EXPECT_EQ(-ENODEV, group_get_device(self->vf.group, request));
	EXPECT_EQ(-ENODEV, group_get_device_token(self->vf.group, pf, TOKEN_1));
	EXPECT_EQ(-ENODEV, group_get_device_token(self->pf.group, vf, TOKEN_1));
}

TEST_F_TIMEOUT(group, request_must_be_terminated, TEST_SECONDS)
{
	long page = sysconf(_SC_PAGESIZE);
	char *pages, *request;
	size_t len;

	pages = mmap(NULL, 3 * page, PROT_READ | PROT_WRITE,
		     MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	ASSERT_NE(MAP_FAILED, pages);
	ASSERT_EQ(0, munmap(pages + 2 * page, page));

	EXPECT_EQ(-EFAULT, group_get_device(self->vf.group, NULL));
	EXPECT_EQ(-EFAULT, group_get_device(self->vf.group, pages + 2 * page));

	/* Memory ends where the string should end. */
	len = snprintf(NULL, 0, "%s vf_token=%s", vf, TOKEN_1);
	request = pages + 2 * page - len;
	memcpy(request, vf, strlen(vf));
	memcpy(request + strlen(vf), " vf_token=" TOKEN_1,
	       strlen(" vf_token=" TOKEN_1));
	EXPECT_EQ(-EFAULT, group_get_device(self->vf.group, request));

	/* It does not end within a page. */
	memset(pages, ' ', 2 * page);
	memcpy(pages, vf, strlen(vf));
	EXPECT_EQ(-EINVAL, group_get_device(self->vf.group, pages));
}

/* --------------------------------------------- VFIO_DEVICE_BIND_IOMMUFD */

FIXTURE(bind)
{
	unsigned char token[TOKEN_BYTES];
	struct vfio_device_bind_iommufd bind;
	int iommufd;
	int cdev;
};

/* A bind of the VF that lacks only the token. */
FIXTURE_SETUP(bind)
{
	ASSERT_EQ(0, try_open(OPEN_CDEV, pf, TOKEN_1));
	ASSERT_EQ(0, token_parse(TOKEN_1, self->token));
	self->iommufd = iommufd_open();
	ASSERT_LE(0, self->iommufd);
	self->cdev = cdev_open(vf);
	ASSERT_LE(0, self->cdev);
	self->bind.argsz = sizeof(self->bind);
	self->bind.iommufd = self->iommufd;
	self->bind.token_uuid_ptr = (uintptr_t)self->token;
}

FIXTURE_TEARDOWN(bind)
{
	close(self->cdev);
	close(self->iommufd);
}

TEST_F_TIMEOUT(bind, short_argsz_reads_as_zeros, TEST_SECONDS)
{
	const __u32 short_size =
		offsetof(struct vfio_device_bind_iommufd, token_uuid_ptr);
	struct vfio_device_bind_iommufd bind = self->bind;
	__u32 argsz;

	ASSERT_EQ(16, short_size);
	ASSERT_EQ(24, sizeof(bind));
	for (argsz = 0; argsz < sizeof(bind); argsz++) {
		bind.argsz = argsz;
		bind.flags = 0;
		EXPECT_EQ(argsz < short_size ? -EINVAL : -EACCES,
			  cdev_bind(self->cdev, &bind))
			TH_LOG("argsz %u, no flag", argsz);
		bind.flags = VFIO_DEVICE_BIND_FLAG_TOKEN;
		EXPECT_EQ(argsz < short_size ? -EINVAL : -EFAULT,
			  cdev_bind(self->cdev, &bind))
			TH_LOG("argsz %u, with the flag", argsz);
	}
}

TEST_F_TIMEOUT(bind, long_argsz_must_have_zeros, TEST_SECONDS)
{
	struct {
		struct vfio_device_bind_iommufd bind;
		unsigned char rest[40];
	} longer = { .bind = self->bind };
	__u32 argsz;
	size_t i;

	for (argsz = sizeof(self->bind) + 1; argsz <= sizeof(longer); argsz++) {
		longer.bind.argsz = argsz;
		longer.bind.flags = 0;
		EXPECT_EQ(-EACCES, cdev_bind(self->cdev, &longer.bind))
			TH_LOG("argsz %u", argsz);
		i = argsz - sizeof(self->bind) - 1;
		longer.rest[i] = 1;
		longer.bind.flags = VFIO_DEVICE_BIND_FLAG_TOKEN;
		EXPECT_EQ(-E2BIG, cdev_bind(self->cdev, &longer.bind))
			TH_LOG("argsz %u, the last byte is 1", argsz);
		longer.rest[i] = 0;
	}
	longer.bind.flags = VFIO_DEVICE_BIND_FLAG_TOKEN;
	EXPECT_EQ(0, cdev_bind(self->cdev, &longer.bind));
}

TEST_F_TIMEOUT(bind, memory_must_be_readable, TEST_SECONDS)
{
	const size_t short_size =
		offsetof(struct vfio_device_bind_iommufd, token_uuid_ptr);
	long page = sysconf(_SC_PAGESIZE);
	void *bind;
	char *end;

	end = mmap(NULL, 2 * page, PROT_READ | PROT_WRITE,
		   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	ASSERT_NE(MAP_FAILED, end);
	end += page;
	ASSERT_EQ(0, munmap(end, page));

	/* The token */
	self->bind.flags = VFIO_DEVICE_BIND_FLAG_TOKEN;
	self->bind.token_uuid_ptr = 0;
	EXPECT_EQ(-EFAULT, cdev_bind(self->cdev, &self->bind));
	self->bind.token_uuid_ptr = (uintptr_t)end;
	EXPECT_EQ(-EFAULT, cdev_bind(self->cdev, &self->bind));
	self->bind.token_uuid_ptr = (uintptr_t)end - TOKEN_BYTES + 1;
	EXPECT_EQ(-EFAULT, cdev_bind(self->cdev, &self->bind));

	/* The structure, up to argsz */
	EXPECT_EQ(-EFAULT, cdev_bind(self->cdev, NULL));
	EXPECT_EQ(-EFAULT, cdev_bind(self->cdev, (void *)end));
	bind = end - short_size;
	memcpy(bind, &self->bind, short_size);
	EXPECT_EQ(-EFAULT, cdev_bind(self->cdev, bind));
	self->bind.flags = 0;
	self->bind.argsz = short_size;
	memcpy(bind, &self->bind, short_size);
	EXPECT_EQ(-EACCES, cdev_bind(self->cdev, bind));
}

TEST_F_TIMEOUT(bind, iommufd_must_be_one, TEST_SECONDS)
{
	self->bind.flags = VFIO_DEVICE_BIND_FLAG_TOKEN;
	self->bind.iommufd = -1;
	EXPECT_EQ(-EINVAL, cdev_bind(self->cdev, &self->bind));
	self->bind.iommufd = 1 << 20;
	EXPECT_EQ(-EBADF, cdev_bind(self->cdev, &self->bind));
	self->bind.iommufd = self->cdev;
	EXPECT_EQ(-EBADFD, cdev_bind(self->cdev, &self->bind));
	/* The VF does not count as in use after that. */
	EXPECT_EQ(0, try_open(OPEN_CDEV, pf, TOKEN_2));
}

/* The group file is closed: only the open device blocks the bind. */
TEST_F_TIMEOUT(bind, group_open_blocks_bind, TEST_SECONDS)
{
	struct user user;
	int cdev;

	ASSERT_EQ(0, user_init(&user, OPEN_COMPAT, pf));
	ASSERT_EQ(0, user_open(&user, TOKEN_1));
	close(user.group);
	user.group = -1;

	cdev = cdev_open(pf);
	ASSERT_LE(0, cdev);
	ASSERT_EQ(0, token_parse(TOKEN_2, self->token));
	self->bind.flags = VFIO_DEVICE_BIND_FLAG_TOKEN;
	EXPECT_EQ(-EINVAL, cdev_bind(cdev, &self->bind));
	close(cdev);

	/* Nor has it set the token that it presented. */
	EXPECT_EQ(0, try_open(OPEN_CDEV, vf, TOKEN_1));
	user_exit(&user);
}

int main(int argc, char **argv)
{
	return bench_run(argc, argv, 1, test_harness_run);
}
