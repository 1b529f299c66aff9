// SPDX-License-Identifier: GPL-2.0-only
/*
 * Who may open what with which token: the table of VF token rules, row by row,
 * over every path that opens a device.
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
#include "lib/user.h"

#define TEST_SECONDS	60

/* TOKEN_1 with one digit changed at its start, at its end. */
#define TOKEN_1_HEAD	"8d9e0c3a-52b4-4f16-8a6f-1c3b5e7f9021"
#define TOKEN_1_TAIL	"7d9e0c3a-52b4-4f16-8a6f-1c3b5e7f9020"

static const char *pf = bench.pf;
static const char *vf = bench.vf[0];

/* ------------------------------------------------ the table, on every path */

FIXTURE(rules)
{
	struct user pf;
	struct user vf;
};

FIXTURE_VARIANT(rules)
{
	enum open_path path;
};

FIXTURE_VARIANT_ADD(rules, type1) { .path = OPEN_TYPE1 };
FIXTURE_VARIANT_ADD(rules, compat) { .path = OPEN_COMPAT };
FIXTURE_VARIANT_ADD(rules, cdev) { .path = OPEN_CDEV };

/* Nothing is open and the token is TOKEN_1. */
FIXTURE_SETUP(rules)
{
	ASSERT_EQ(0, user_init(&self->pf, variant->path, pf));
	ASSERT_EQ(0, user_init(&self->vf, variant->path, vf));
	ASSERT_EQ(0, user_try(&self->pf, TOKEN_1));
}

FIXTURE_TEARDOWN(rules)
{
	user_exit(&self->vf);
	user_exit(&self->pf);
}

TEST_F_TIMEOUT(rules, vf_opens_with_its_pfs_token_only, TEST_SECONDS)
{
	EXPECT_EQ(-EACCES, user_try(&self->vf, NULL));
	EXPECT_EQ(-EACCES, user_try(&self->vf, TOKEN_2));
	EXPECT_EQ(-EACCES, user_try(&self->vf, TOKEN_NIL));
	EXPECT_EQ(-EACCES, user_try(&self->vf, TOKEN_1_HEAD));
	EXPECT_EQ(-EACCES, user_try(&self->vf, TOKEN_1_TAIL));
	EXPECT_EQ(0, user_try(&self->vf, TOKEN_1));
}

TEST_F_TIMEOUT(rules, vf_is_in_use_until_closed, TEST_SECONDS)
{
	ASSERT_EQ(0, user_open(&self->vf, TOKEN_1));
	EXPECT_EQ(-EACCES, user_try(&self->pf, TOKEN_2));
	user_close(&self->vf);
	EXPECT_EQ(0, user_try(&self->pf, TOKEN_2));
}

TEST_F_TIMEOUT(rules, idle_pf_opened_without_token_keeps_it, TEST_SECONDS)
{
	ASSERT_EQ(0, user_open(&self->pf, NULL));
	EXPECT_EQ(-EACCES, user_try(&self->vf, NULL));
	EXPECT_EQ(0, user_try(&self->vf, TOKEN_1));
}

TEST_F_TIMEOUT(rules, idle_pf_opened_with_token_sets_it, TEST_SECONDS)
{
	ASSERT_EQ(0, user_open(&self->pf, TOKEN_2));
	EXPECT_EQ(-EACCES, user_try(&self->vf, TOKEN_1));
	EXPECT_EQ(0, user_try(&self->vf, TOKEN_2));
}

/* All zeroes is a token like any other, never "none". */
TEST_F_TIMEOUT(rules, nil_uuid_is_a_token, TEST_SECONDS)
{
	ASSERT_EQ(0, user_open(&self->pf, TOKEN_NIL));
	EXPECT_EQ(-EACCES, user_try(&self->vf, NULL));
	EXPECT_EQ(0, user_try(&self->vf, TOKEN_NIL));
}

TEST_F_TIMEOUT(rules, pf_with_vf_in_use_opens_with_the_token_only, TEST_SECONDS)
{
	ASSERT_EQ(0, user_open(&self->vf, TOKEN_1));
	EXPECT_EQ(-EACCES, user_try(&self->pf, NULL));
	EXPECT_EQ(-EACCES, user_try(&self->pf, TOKEN_2));
	EXPECT_EQ(0, user_try(&self->pf, TOKEN_1));
}

TEST_F_TIMEOUT(rules, plain_device_takes_no_token, TEST_SECONDS)
{
	char addr[PCI_ADDR_LEN];
	struct user plain;

	if (!bench_find_plain_device(addr))
		SKIP(return, "no device that is neither PF nor VF is bound to %s",
		     VFIO_PCI);
	ASSERT_EQ(0, user_init(&plain, variant->path, addr));
	EXPECT_EQ(-EINVAL, user_try(&plain, TOKEN_1));
	EXPECT_EQ(-EINVAL, user_try(&plain, TOKEN_NIL));
	EXPECT_EQ(0, user_open(&plain, NULL));
	EXPECT_EQ(-ENOTTY, device_set_token(plain.device, TOKEN_1));
	user_exit(&plain);
}

/* ------------------------------------------- the same rules at every door */

/* What the group path has set and let in counts for the cdev path, too. */
TEST(vf_cdev_is_no_way_around_the_token)
{
	ASSERT_EQ(0, try_open(OPEN_TYPE1, pf, TOKEN_1));
	EXPECT_EQ(-EACCES, try_open(OPEN_CDEV, vf, NULL));
}

TEST(pf_cdev_is_no_way_around_the_token)
{
	struct user user;

	ASSERT_EQ(0, try_open(OPEN_TYPE1, pf, TOKEN_1));
	ASSERT_EQ(0, user_init(&user, OPEN_TYPE1, vf));
	ASSERT_EQ(0, user_open(&user, TOKEN_1));
	EXPECT_EQ(-EACCES, try_open(OPEN_CDEV, pf, NULL));
	user_exit(&user);
}

TEST(vf_open_through_its_cdev_counts_for_the_group)
{
	struct user user;

	ASSERT_EQ(0, try_open(OPEN_TYPE1, pf, TOKEN_1));
	ASSERT_EQ(0, user_init(&user, OPEN_CDEV, vf));
	ASSERT_EQ(0, user_open(&user, TOKEN_1));
	EXPECT_EQ(-EACCES, try_open(OPEN_TYPE1, pf, TOKEN_2));
	user_exit(&user);
	EXPECT_EQ(0, try_open(OPEN_TYPE1, pf, TOKEN_2));
}

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

TEST_F_TIMEOUT(feature, sets_the_token, TEST_SECONDS)
{
	EXPECT_EQ(0, device_set_token(self->pf.device, TOKEN_2));
	EXPECT_EQ(-EACCES, user_try(&self->vf, TOKEN_1));
	ASSERT_EQ(0, user_open(&self->vf, TOKEN_2));
	/* Also while a VF is in use, which stays open. */
	EXPECT_EQ(0, device_set_token(self->pf.device, TOKEN_1));
	user_close(&self->vf);
	EXPECT_EQ(-EACCES, user_try(&self->vf, TOKEN_2));
	EXPECT_EQ(0, user_try(&self->vf, TOKEN_1));
}

TEST_F_TIMEOUT(feature, refuses_all_else, TEST_SECONDS)
{
	const __u32 get = VFIO_DEVICE_FEATURE_GET;
	const __u32 set = VFIO_DEVICE_FEATURE_SET;
	const __u32 probe = VFIO_DEVICE_FEATURE_PROBE;
	unsigned char bytes[TOKEN_BYTES];
	int fd;

	ASSERT_EQ(0, token_parse(TOKEN_2, bytes));
	fd = self->pf.device;

	/* There is SET, and it can be asked for. */
	EXPECT_EQ(0, device_feature(fd, probe, NULL, 0));
	EXPECT_EQ(0, device_feature(fd, probe | set, NULL, 0));
	EXPECT_EQ(0, device_feature(fd, probe | set, bytes, TOKEN_BYTES));
	/* There is no GET. */
	EXPECT_EQ(-EINVAL, device_feature(fd, get, bytes, TOKEN_BYTES));
	EXPECT_EQ(-EINVAL, device_feature(fd, probe | get, NULL, 0));
	EXPECT_EQ(-EINVAL, device_feature(fd, probe | get | set, NULL, 0));
	EXPECT_EQ(-EINVAL, device_feature(fd, get | set, bytes, TOKEN_BYTES));
	EXPECT_EQ(-EINVAL, device_feature(fd, 0, bytes, TOKEN_BYTES));
	/* Too small for a token, unknown flags. */
	EXPECT_EQ(-EINVAL, device_feature(fd, set, NULL, 0));
	EXPECT_EQ(-EINVAL, device_feature(fd, set, bytes, TOKEN_BYTES - 1));
	EXPECT_EQ(-EINVAL, device_feature(fd, set | (1u << 31), bytes,
					  TOKEN_BYTES));
	/* None of them has set it. */
	EXPECT_EQ(-EACCES, user_try(&self->vf, TOKEN_2));
	EXPECT_EQ(0, user_try(&self->vf, TOKEN_1));
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

TEST_F_TIMEOUT(feature, is_for_pfs_only, TEST_SECONDS)
{
	unsigned char bytes[TOKEN_BYTES] = {};
	int fd;

	ASSERT_EQ(0, user_open(&self->vf, TOKEN_1));
	fd = self->vf.device;
	EXPECT_EQ(-ENOTTY, device_feature(fd, VFIO_DEVICE_FEATURE_SET, bytes,
					  sizeof(bytes)));
	EXPECT_EQ(-ENOTTY, device_feature(fd, VFIO_DEVICE_FEATURE_GET, bytes,
					  sizeof(bytes)));
	EXPECT_EQ(-ENOTTY, device_feature(fd, VFIO_DEVICE_FEATURE_PROBE, NULL,
					  0));
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
	/* What is no UUID */
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

TEST_F_TIMEOUT(group, malformed_options_of_a_plain_device, TEST_SECONDS)
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

TEST_F_TIMEOUT(group, blanks_and_upper_case_are_fine, TEST_SECONDS)
{
	static const char * const good[] = {
		"%s   vf_token=" TOKEN_1,
		"%s vf_token=" TOKEN_1 "   ",
		"%s vf_token=7D9E0C3A-52B4-4F16-8A6F-1C3B5E7F9021",
	};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(good); i++) {
		EXPECT_EQ(0, request_formatted(self->vf.group, good[i], vf))
			TH_LOG("\"%s\"", good[i]);
	}
	/* Blanks alone are no option. */
	EXPECT_EQ(-EACCES, request_formatted(self->vf.group, "%s  ", vf));
}

TEST_F_TIMEOUT(group, names_of_other_devices_are_unknown, TEST_SECONDS)
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

TEST_F_TIMEOUT(group, request_must_be_readable_and_end, TEST_SECONDS)
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

	/* The end of memory comes where the string's should. */
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

TEST_F_TIMEOUT(group, further_opens_of_a_vf_are_checked, TEST_SECONDS)
{
	int fd;

	ASSERT_EQ(0, user_open(&self->vf, TOKEN_1));
	EXPECT_EQ(-EACCES, group_get_device_token(self->vf.group, vf, NULL));
	EXPECT_EQ(-EACCES, group_get_device_token(self->vf.group, vf, TOKEN_2));
	fd = group_get_device_token(self->vf.group, vf, TOKEN_1);
	ASSERT_LE(0, fd);

	/* It is in use until the last one is closed. */
	user_close(&self->vf);
	EXPECT_EQ(-EACCES, user_try(&self->pf, TOKEN_2));
	close(fd);
	EXPECT_EQ(0, user_try(&self->pf, TOKEN_2));
}

TEST_F_TIMEOUT(group, further_opens_of_a_pf_are_checked, TEST_SECONDS)
{
	int fd;

	/* None of its VFs is in use: a token becomes the token. */
	ASSERT_EQ(0, user_open(&self->pf, NULL));
	fd = group_get_device_token(self->pf.group, pf, TOKEN_2);
	ASSERT_LE(0, fd);
	close(fd);
	EXPECT_EQ(-EACCES, user_try(&self->vf, TOKEN_1));
	ASSERT_EQ(0, user_open(&self->vf, TOKEN_2));

	/* One is. */
	EXPECT_EQ(-EACCES, group_get_device_token(self->pf.group, pf, NULL));
	EXPECT_EQ(-EACCES, group_get_device_token(self->pf.group, pf, TOKEN_1));
	fd = group_get_device_token(self->pf.group, pf, TOKEN_2);
	EXPECT_LE(0, fd);
	close(fd);
}

/* --------------------------------------------- VFIO_DEVICE_BIND_IOMMUFD */

FIXTURE(bind)
{
	unsigned char token[TOKEN_BYTES];
	struct vfio_device_bind_iommufd bind;
	int iommufd;
	int cdev;
};

/* A bind of the VF that lacks nothing but its token. */
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

/* A token whose address has zeros where a short argsz cuts it. */
static void *map_token(const char *text)
{
	void *page = mmap((void *)(1UL << 36), sysconf(_SC_PAGESIZE),
			  PROT_READ | PROT_WRITE,
			  MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE,
			  -1, 0);

	if (page != MAP_FAILED && token_parse(text, page))
		return MAP_FAILED;
	return page;
}

TEST_F_TIMEOUT(bind, short_argsz_reads_as_zeros, TEST_SECONDS)
{
	const __u32 short_size =
		offsetof(struct vfio_device_bind_iommufd, token_uuid_ptr);
	struct vfio_device_bind_iommufd bind = self->bind;
	void *wrong = map_token(TOKEN_2);
	__u32 argsz;

	ASSERT_EQ(16, short_size);
	ASSERT_EQ(24, sizeof(bind));
	ASSERT_NE(MAP_FAILED, wrong);
	bind.token_uuid_ptr = (uintptr_t)wrong;
	for (argsz = 0; argsz <= sizeof(bind); argsz++) {
		bind.argsz = argsz;
		bind.flags = 0;
		EXPECT_EQ(argsz < short_size ? -EINVAL : -EACCES,
			  cdev_bind(self->cdev, &bind))
			TH_LOG("argsz %u, no flag", argsz);
		/* The bytes of the address that are not 0 begin with the fifth. */
		bind.flags = VFIO_DEVICE_BIND_FLAG_TOKEN;
		EXPECT_EQ(argsz < short_size ? -EINVAL :
			  argsz <= short_size + 4 ? -EFAULT : -EACCES,
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

TEST_F_TIMEOUT(bind, token_counts_only_with_its_flag, TEST_SECONDS)
{
	EXPECT_EQ(-EACCES, cdev_bind(self->cdev, &self->bind));
	self->bind.flags = VFIO_DEVICE_BIND_FLAG_TOKEN;
	EXPECT_EQ(0, cdev_bind(self->cdev, &self->bind));
}

TEST_F_TIMEOUT(bind, unknown_flags_are_invalid, TEST_SECONDS)
{
	int bit;

	for (bit = 1; bit < 32; bit++) {
		self->bind.flags = 1u << bit;
		EXPECT_EQ(-EINVAL, cdev_bind(self->cdev, &self->bind))
			TH_LOG("bit %d", bit);
		self->bind.flags |= VFIO_DEVICE_BIND_FLAG_TOKEN;
		EXPECT_EQ(-EINVAL, cdev_bind(self->cdev, &self->bind))
			TH_LOG("bit %d and the token's", bit);
	}
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

	/* The structure; without the flag its last member is not looked at. */
	EXPECT_EQ(-EFAULT, cdev_bind(self->cdev, NULL));
	EXPECT_EQ(-EFAULT, cdev_bind(self->cdev, (void *)end));
	bind = end - short_size;
	memcpy(bind, &self->bind, short_size);
	EXPECT_EQ(-EFAULT, cdev_bind(self->cdev, bind));
	self->bind.flags = 0;
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

TEST_F_TIMEOUT(bind, open_device_is_not_bound_again, TEST_SECONDS)
{
	int other;

	self->bind.flags = VFIO_DEVICE_BIND_FLAG_TOKEN;
	ASSERT_EQ(0, cdev_bind(self->cdev, &self->bind));
	EXPECT_EQ(-EINVAL, cdev_bind(self->cdev, &self->bind));
	other = cdev_open(vf);
	ASSERT_LE(0, other);
	EXPECT_EQ(-EINVAL, cdev_bind(other, &self->bind));
	close(other);

	/* What failed has neither counted nor given back. */
	EXPECT_EQ(-EACCES, try_open(OPEN_CDEV, pf, TOKEN_2));
	close(self->cdev);
	self->cdev = -1;
	EXPECT_EQ(0, try_open(OPEN_CDEV, pf, TOKEN_2));
}

/* The group's file is closed, and does not stand in the way any more. */
TEST_F_TIMEOUT(bind, device_open_by_its_group_is_not_bound, TEST_SECONDS)
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

	/* Nor has it set what it brought. */
	EXPECT_EQ(0, try_open(OPEN_CDEV, vf, TOKEN_1));
	user_exit(&user);
}

/* Before it is bound, a device is not open: nothing can be set on it. */
TEST_F_TIMEOUT(bind, unbound_pf_takes_no_token, TEST_SECONDS)
{
	int cdev = cdev_open(pf);

	ASSERT_LE(0, cdev);
	EXPECT_EQ(-EINVAL, device_set_token(cdev, TOKEN_2));
	close(cdev);
	EXPECT_EQ(0, try_open(OPEN_CDEV, vf, TOKEN_1));
}

int main(int argc, char **argv)
{
	return bench_run(argc, argv, 1, test_harness_run);
}
