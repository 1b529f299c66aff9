// SPDX-License-Identifier: GPL-2.0-only
/*
 * Does vf_token in sysfs say what an open takes, and does poll() tell when that
 * changes?
 */
#include <errno.h>
#include <poll.h>
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
	int fd;		/* the PF's file: poll() is about what was read there */
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

#define EXPECT_CHANGE_TO(what) do {					\
	char __need[PCI_NEED_LEN];					\
									\
	EXPECT_TRUE(changed(self->fd, -1));				\
	EXPECT_STREQ(what, pci_read_token_need(self->fd, __need));	\
} while (0)

static bool changed(int fd, int milliseconds)
{
	struct pollfd file = { .fd = fd, .events = POLLPRI };

	return poll(&file, 1, milliseconds) == 1 && file.revents & POLLPRI;
}

FIXTURE_SETUP(token_need)
{
	char need[PCI_NEED_LEN];

	ASSERT_EQ(0, try_open(variant->path, pf, TOKEN_1));
	self->fd = pci_open_token_need(pf);
	ASSERT_LE(0, self->fd);
	ASSERT_STREQ("optional", pci_read_token_need(self->fd, need));
}

FIXTURE_TEARDOWN(token_need)
{
	close(self->fd);
}

/* ------------------------------------------------------------ what it says */

TEST_F_TIMEOUT(token_need, what_is_advised_opens_the_device, TEST_SECONDS)
{
	EXPECT_NEED("optional", pf);
	EXPECT_EQ(0, try_open(variant->path, pf, NULL));
	EXPECT_EQ(0, try_open(variant->path, pf, TOKEN_1));
	EXPECT_NEED("required", vf);
	EXPECT_EQ(-EACCES, try_open(variant->path, vf, NULL));

	ASSERT_EQ(0, holder_open(&self->holder, variant->path, vf, TOKEN_1));
	EXPECT_NEED("required", pf);
	EXPECT_EQ(-EACCES, try_open(variant->path, pf, NULL));
	EXPECT_EQ(0, try_open(variant->path, pf, TOKEN_1));
	EXPECT_NEED("required", vf2);
	EXPECT_EQ(0, try_open(variant->path, vf2, TOKEN_1));

	holder_release(&self->holder);
	EXPECT_NEED("optional", pf);
	EXPECT_NEED("required", vf);
	EXPECT_EQ(0, try_open(variant->path, vf, TOKEN_1));
}

TEST_F_TIMEOUT(token_need, device_without_sriov_takes_none, TEST_SECONDS)
{
	char addr[PCI_ADDR_LEN];

	if (!bench_find_plain_device(addr))
		SKIP(return, "no device that is neither PF nor VF on vfio-pci");
	EXPECT_NEED("none", addr);
	EXPECT_EQ(-EINVAL, try_open(variant->path, addr, TOKEN_1));
	EXPECT_EQ(0, try_open(variant->path, addr, NULL));
}

/* ---------------------------------------------------------- when it changes */

TEST_F_TIMEOUT(token_need, poll_tells_of_first_open_and_last_close, TEST_SECONDS)
{
	struct holder second;

	EXPECT_FALSE(changed(self->fd, 0));
	ASSERT_EQ(0, holder_open(&self->holder, variant->path, vf, TOKEN_1));
	EXPECT_CHANGE_TO("required");

	/* Neither those that are refused, nor these, change anything. */
	EXPECT_EQ(-EACCES, try_open(variant->path, vf2, TOKEN_2));
	ASSERT_EQ(0, holder_open(&second, variant->path, vf2, TOKEN_1));
	EXPECT_EQ(0, try_open(variant->path, pf, TOKEN_1));
	holder_release(&self->holder);
	EXPECT_FALSE(changed(self->fd, 0));

	holder_release(&second);
	EXPECT_CHANGE_TO("optional");
}

TEST_F_TIMEOUT(token_need, killed_user_gives_back, TEST_SECONDS)
{
	ASSERT_EQ(0, holder_open(&self->holder, variant->path, vf, TOKEN_1));
	EXPECT_CHANGE_TO("required");
	holder_kill(&self->holder);
	EXPECT_CHANGE_TO("optional");
}

/* A file that was opened before is of no use then, and does no harm. */
TEST_F_TIMEOUT(token_need, pf_that_is_unbound_says_nothing, TEST_SECONDS)
{
	char need[PCI_NEED_LEN];

	ASSERT_EQ(0, pci_unbind(pf));
	EXPECT_STREQ("", pci_read_token_need(self->fd, need));
	EXPECT_EQ(-ENOENT, pci_open_token_need(pf));
	ASSERT_EQ(0, pci_bind(pf, VFIO_PCI));
	EXPECT_NEED("optional", pf);
	EXPECT_STREQ("", pci_read_token_need(self->fd, need));
	ASSERT_EQ(0, bench_enable_vfs(2));
}

/* --------------------------------------------------------- who may do what */

TEST_F_TIMEOUT(token_need, anybody_reads_it_and_nobody_writes, TEST_SECONDS)
{
	struct stat file;
	char path[64];

	ASSERT_EQ(0, fstat(self->fd, &file));
	EXPECT_EQ(0444, file.st_mode & 0777);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", self->fd);
	EXPECT_EQ(-EACCES, file_write(path, "none"));
	EXPECT_NEED("optional", pf);
}

int main(int argc, char **argv)
{
	return bench_run(argc, argv, 2, test_harness_run);
}
