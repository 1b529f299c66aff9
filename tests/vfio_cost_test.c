// SPDX-License-Identifier: GPL-2.0-only
/*
 * Does work grow with the number of PFs or VFs that vfio-pci has?  It must not,
 * neither for a new device nor for an open.  And does the work of a refusal tell
 * how much of a token is right?
 *
 * CPU time is too coarse to tell, unless it counts instructions: tests/machines/count.sh
 * boots a machine in which it does, with many PFs.
 */
#include <ctype.h>
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <linux/vfio.h>

#include "kselftest_harness.h"
#include "lib/bench.h"
#include "lib/user.h"

#define TEST_SECONDS	120
#define MAX_OTHERS	32
#define ROUNDS		16
#define OPENS		32	/* in a row, more than are logged */

#define PCI_STUB	"pci-stub"
#define PCI_PF_STUB	"pci-pf-stub"

static const char *pf = bench.pf;
static const char *vf = bench.vf[0];

FIXTURE(cost)
{
	char others[MAX_OTHERS][PCI_ADDR_LEN];
	int nr_others;
};

static void list_others(struct _test_data_cost *self)
{
	char bound[MAX_OTHERS][PCI_ADDR_LEN];
	int i, n;

	self->nr_others = 0;
	n = pci_list_bound(VFIO_PCI, bound, MAX_OTHERS);
	for (i = 0; i < n; i++)
		if (pci_is_pf(bound[i]) && strcmp(bound[i], pf))
			memcpy(self->others[self->nr_others++], bound[i],
			       PCI_ADDR_LEN);
}

/*
 * Bind all PFs but one to a driver that does nothing, so that only the work
 * that VFIO adds is compared.  Its work for the first PF is not growth.
 */
static int stub_others(struct _test_data_cost *self)
{
	int i, ret = 0;

	for (i = 1; i < self->nr_others && !ret; i++)
		ret = pci_move_to(self->others[i], PCI_STUB);
	return ret;
}

FIXTURE_SETUP(cost)
{
	if (!getenv("VFIO_ICOUNT"))
		SKIP(return, "CPU time does not count instructions here (tests/machines/count.sh)");
	list_others(self);
	if (self->nr_others < 4)
		SKIP(return, "%d other PFs bound to %s are too few to tell",
		     self->nr_others, VFIO_PCI);
}

FIXTURE_TEARDOWN(cost)
{
	char driver[PCI_DRIVER_LEN];
	int i;

	for (i = 0; i < self->nr_others; i++) {
		if (strcmp(pci_driver(self->others[i], driver), VFIO_PCI))
			EXPECT_EQ(0, pci_move_to(self->others[i], VFIO_PCI));
	}
	EXPECT_EQ(0, pci_write(pf, "sriov_drivers_autoprobe", "1"));
	EXPECT_EQ(0, bench_disable_vfs());
	if (!strcmp(pci_driver(pf, driver), PCI_PF_STUB))
		pci_move_to(pf, VFIO_PCI);
	EXPECT_STREQ(VFIO_PCI, pci_driver(pf, driver));
}

static long long instructions(void)
{
	struct timespec now;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
	return now.tv_sec * 1000000000LL + now.tv_nsec;
}

/*
 * The least of some rounds, as interrupts only add to it.  Earlier rounds do
 * not count, as they find the allocator's caches as others left them.
 */
static long long least(long long (*measure)(void))
{
	long long cost, best = -1;
	int round;

	for (round = -ROUNDS; round < ROUNDS; round++) {
		cost = measure();
		if (cost < 0)
			return cost;
		if (round >= 0 && (best < 0 || cost < best))
			best = cost;
	}
	return best;
}

static long long time_enabling(void)
{
	long long start, cost;
	int ret;

	start = instructions();
	ret = bench_enable_vfs(BENCH_MAX_VFS);
	cost = instructions() - start;
	if (!ret)
		ret = bench_disable_vfs();
	return ret ? ret : cost;
}

static long long change_driver(void)
{
	long long start;
	int ret;

	start = instructions();
	ret = pci_bind(vf, PCI_STUB);
	if (!ret)
		ret = pci_unbind(vf);
	return ret ? ret : instructions() - start;
}

static enum open_path open_path;
static const char *open_token;

/* For cdevs, only the bind is counted. */
static int try_bind(int cdev, const struct user *user, const void *token)
{
	struct vfio_device_bind_iommufd bind = {
		.argsz = sizeof(bind),
		.flags = VFIO_DEVICE_BIND_FLAG_TOKEN,
		.iommufd = user->iommu,
		.token_uuid_ptr = (uintptr_t)token,
	};

	return cdev_bind(cdev, &bind);
}

/* Instructions of OPENS opens that are refused. */
static long long refused_in_a_row(void)
{
	unsigned char token[TOKEN_BYTES];
	int cdev = -1, ret, i;
	long long start, cost;
	struct user user;

	ret = user_init(&user, open_path, vf);
	if (!ret && open_path == OPEN_CDEV) {
		/* Not counted: parsing some digits costs more than others. */
		ret = token_parse(open_token, token);
		cdev = cdev_open(vf);
		if (cdev < 0)
			ret = cdev;
	}
	if (ret)
		return ret;
	start = instructions();
	for (i = 0; i < OPENS; i++) {
		ret = open_path == OPEN_CDEV ? try_bind(cdev, &user, token) :
					       user_try(&user, open_token);
		if (ret != -EACCES)
			break;
	}
	cost = instructions() - start;
	if (cdev >= 0)
		close(cdev);
	user_exit(&user);
	return i == OPENS ? cost : -EIO;
}

static long long refused_opens(void)
{
	long long cost = refused_in_a_row();

	return cost < 0 ? cost : cost / OPENS;
}

static void expect_no_growth(struct __test_metadata *_metadata,
			     const char *what, long long few, long long many,
			     long long limit)
{
	ksft_print_msg("%s: %lld instructions, %lld with more devices\n", what,
		       few, many);
	EXPECT_LT(0, few);
	EXPECT_LT(0, many);
	EXPECT_LT(many - few, limit);
}

/*
 * A VF of a PF on a host driver is bound to another driver.  This does not
 * concern vfio-pci, and each PF that looks at the VF costs more than this.
 */
#define PER_PF	20

TEST_F_TIMEOUT(cost, driver_changes_with_many_pfs, TEST_SECONDS)
{
	long long few, many;

	if (!pci_driver_exists(PCI_PF_STUB) || !pci_driver_exists(PCI_STUB))
		SKIP(return, "no drivers %s and %s in this kernel", PCI_PF_STUB,
		     PCI_STUB);
	ASSERT_EQ(0, pci_move_to(pf, PCI_PF_STUB));
	ASSERT_EQ(0, pci_write(pf, "sriov_drivers_autoprobe", "0"));
	ASSERT_EQ(0, bench_enable_vfs(1));
	ASSERT_EQ(0, pci_set_override(vf, PCI_STUB));
	many = least(change_driver);
	ASSERT_EQ(0, stub_others(self));
	few = least(change_driver);
	expect_no_growth(_metadata, "changing a driver", few, many,
			 (self->nr_others - 1) * PER_PF);
}

/*
 * VFs that vfio-pci captures.  VFIO's groups are in a list and its devices have
 * names in sysfs, which costs 540 for each PF and VF on Debian's 6.12; a notifier
 * that each PF registers costs 9,600.
 */
#define PER_CAPTURED_VF	1000

TEST_F_TIMEOUT(cost, vfs_captured_with_many_pfs, TEST_SECONDS)
{
	int nr_vfs = pci_read_int(pf, "sriov_totalvfs");
	long long few, many;

	many = least(time_enabling);
	ASSERT_EQ(0, stub_others(self));
	few = least(time_enabling);
	expect_no_growth(_metadata, "enabling all VFs", few, many,
			 (self->nr_others - 1) * nr_vfs * PER_CAPTURED_VF);
}

/* Any look at each PF, or each VF, for an open costs more than this. */
#define PER_DEVICE	8

TEST_F_TIMEOUT(cost, opens_with_many_pfs, TEST_SECONDS)
{
	static const char * const presented[] = { NULL, TOKEN_2 };
	long long few[2], many[2];
	int i;

	ASSERT_EQ(0, try_open(OPEN_TYPE1, pf, TOKEN_1));
	ASSERT_EQ(0, bench_enable_vfs(1));
	for (i = 0; i < 2; i++) {
		open_token = presented[i];
		many[i] = least(refused_opens);
	}
	ASSERT_EQ(0, stub_others(self));
	for (i = 0; i < 2; i++) {
		open_token = presented[i];
		few[i] = least(refused_opens);
	}
	expect_no_growth(_metadata, "refused without token", few[0], many[0],
			 self->nr_others * PER_DEVICE);
	expect_no_growth(_metadata, "refused with a wrong one", few[1], many[1],
			 self->nr_others * PER_DEVICE);
}

TEST_F_TIMEOUT(cost, opens_with_many_vfs, TEST_SECONDS)
{
	long long few, many;
	int nr_vfs;

	ASSERT_EQ(0, try_open(OPEN_TYPE1, pf, TOKEN_1));
	open_token = TOKEN_2;
	ASSERT_EQ(0, bench_enable_vfs(1));
	few = least(refused_opens);
	ASSERT_EQ(0, bench_disable_vfs());
	ASSERT_EQ(0, bench_enable_vfs(BENCH_MAX_VFS));
	nr_vfs = bench.nr_vfs;
	many = least(refused_opens);
	expect_no_growth(_metadata, "refused with a wrong one", few, many,
			 (nr_vfs - 1) * PER_DEVICE);
}

/*
 * TOKEN_1 with one byte changed: a digit becomes another digit, so that parsing
 * costs the same.
 */
static void differ_in(char token[TOKEN_TEXT_LEN], int byte)
{
	int dashes = (byte >= 4) + (byte >= 6) + (byte >= 8) + (byte >= 10);
	char *at = token + 2 * byte + dashes;

	memcpy(token, TOKEN_1, TOKEN_TEXT_LEN);
	if (!isdigit(*at))
		at++;
	*at ^= 1;
}

FIXTURE(comparison)
{
};

FIXTURE_VARIANT(comparison)
{
	enum open_path path;
};

FIXTURE_VARIANT_ADD(comparison, text) { .path = OPEN_TYPE1 };
FIXTURE_VARIANT_ADD(comparison, bytes) { .path = OPEN_CDEV };

FIXTURE_SETUP(comparison)
{
	if (!getenv("VFIO_ICOUNT"))
		SKIP(return, "CPU time does not count instructions here (tests/machines/count.sh)");
	ASSERT_EQ(0, try_open(OPEN_TYPE1, pf, TOKEN_1));
	ASSERT_EQ(0, bench_enable_vfs(1));
}

FIXTURE_TEARDOWN(comparison)
{
	EXPECT_EQ(0, bench_disable_vfs());
}

/*
 * A comparison that stops where tokens differ, even if it compares 8 bytes at
 * once, costs at least an instruction more in each open for some byte.  So the
 * totals of all opens must not differ by half as many.
 */
TEST_F_TIMEOUT(comparison, time_independent_of_match, TEST_SECONDS)
{
	static char token[TOKEN_TEXT_LEN];
	long long cost, first = 0;
	int byte;

	open_path = variant->path;
	open_token = token;
	for (byte = 0; byte < TOKEN_BYTES; byte++) {
		differ_in(token, byte);
		cost = least(refused_in_a_row);
		ASSERT_LT(0, cost);
		if (!byte)
			first = cost;
		ksft_print_msg("byte %d wrong: %d opens take %lld instructions, %lld each\n",
			       byte, OPENS, cost, (cost + OPENS / 2) / OPENS);
		EXPECT_GT(OPENS / 2, llabs(cost - first));
	}
}

int main(int argc, char **argv)
{
	return bench_run(argc, argv, 0, test_harness_run);
}
