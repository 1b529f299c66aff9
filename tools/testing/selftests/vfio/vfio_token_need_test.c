// SPDX-License-Identifier: GPL-2.0-only
/*
 * vf_token in sysfs is there on devices that take a token and on no others, and
 * says whether it is required.  It never changes while the device is bound, so
 * it does not tell whether a VF is in use.
 */
#include <errno.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../kselftest_harness.h"
#include "lib/bench.h"
#include "lib/holder.h"

#define TEST_SECONDS	60

static const char *pf = bench.pf;
static const char *vf = bench.vf[0];
static const char *vf2 = bench.vf[1];

FIXTURE(token_need)
{
	struct holder holder;
};

FIXTURE_VARIANT(token_need)
{
	enum open_path path;
};

FIXTURE_VARIANT_ADD(token_need, type1) { .path = OPEN_TYPE1 };
FIXTURE_VARIANT_ADD(token_need, compat) { .path = OPEN_COMPAT };
FIXTURE_VARIANT_ADD(token_need, cdev) { .path = OPEN_CDEV };

#define EXPECT_NEED(what, addr) do {					\
	char __need[PCI_NEED_LEN];					\
									\
	EXPECT_STREQ(what, pci_token_need(addr, __need));		\
} while (0)

FIXTURE_SETUP(token_need)
{
	ASSERT_EQ(0, try_open(variant->path, pf, TOKEN_1));
}

FIXTURE_TEARDOWN(token_need)
{
}

TEST_F_TIMEOUT(token_need, what_is_advised_opens_the_device, TEST_SECONDS)
{
	EXPECT_NEED("optional", pf);
	EXPECT_EQ(0, try_open(variant->path, pf, NULL));
	EXPECT_EQ(0, try_open(variant->path, pf, TOKEN_1));
	EXPECT_NEED("required", vf);
	EXPECT_EQ(-EACCES, try_open(variant->path, vf, NULL));

	/* The PF's token is the right one then, and the file does not change. */
	ASSERT_EQ(0, holder_open(&self->holder, variant->path, vf, TOKEN_1));
	EXPECT_NEED("optional", pf);
	EXPECT_NEED("required", vf);
	EXPECT_NEED("required", vf2);
	EXPECT_EQ(-EACCES, try_open(variant->path, pf, NULL));
	EXPECT_EQ(0, try_open(variant->path, pf, TOKEN_1));
	holder_release(&self->holder);
	EXPECT_NEED("optional", pf);
	EXPECT_NEED("required", vf);
}

TEST_F_TIMEOUT(token_need, other_devices_have_no_file, TEST_SECONDS)
{
	char addr[PCI_ADDR_LEN];

	if (!bench_find_plain_device(addr))
		SKIP(return, "no device that is neither PF nor VF on vfio-pci");
	EXPECT_EQ(-ENOENT, pci_open_token_need(addr));
	EXPECT_EQ(-EINVAL, try_open(variant->path, addr, TOKEN_1));
	EXPECT_EQ(0, try_open(variant->path, addr, NULL));
}

TEST_F_TIMEOUT(token_need, pf_unbound_and_bound_again, TEST_SECONDS)
{
	ASSERT_EQ(0, pci_unbind(pf));
	EXPECT_EQ(-ENOENT, pci_open_token_need(pf));
	ASSERT_EQ(0, pci_bind(pf, VFIO_PCI));
	EXPECT_NEED("optional", pf);
	ASSERT_EQ(0, bench_enable_vfs(2));
	EXPECT_NEED("required", vf);
}

TEST_F_TIMEOUT(token_need, everybody_reads_and_nobody_writes, TEST_SECONDS)
{
	struct stat file;
	char path[64];
	int fd;

	fd = pci_open_token_need(pf);
	ASSERT_LE(0, fd);
	ASSERT_EQ(0, fstat(fd, &file));
	EXPECT_EQ(0444, file.st_mode & 0777);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	EXPECT_EQ(-EACCES, file_write(path, "required"));
	EXPECT_NEED("optional", pf);
	close(fd);
}

int main(int argc, char **argv)
{
	return bench_run(argc, argv, 2, test_harness_run);
}
