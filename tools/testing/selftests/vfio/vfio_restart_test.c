// SPDX-License-Identifier: GPL-2.0-only
/*
 * A PF driver in userspace dies while VFs of it are in use.  It comes back in
 * with the token that it had, and nobody else gets in.
 */
#include <errno.h>
#include <unistd.h>

#include "../kselftest_harness.h"
#include "lib/bench.h"
#include "lib/holder.h"

#define TEST_SECONDS	60

static const char *pf = bench.pf;
static const char *vf = bench.vf[0];
static const char *vf2 = bench.vf[1];

FIXTURE(restart)
{
	struct holder pf_driver;
	struct user vf;
};

FIXTURE_VARIANT(restart)
{
	enum open_path path;
};

FIXTURE_VARIANT_ADD(restart, type1) { .path = OPEN_TYPE1 };
FIXTURE_VARIANT_ADD(restart, compat) { .path = OPEN_COMPAT };
FIXTURE_VARIANT_ADD(restart, cdev) { .path = OPEN_CDEV };

/* A PF driver, and a VF in use. */
FIXTURE_SETUP(restart)
{
	ASSERT_EQ(0, holder_open(&self->pf_driver, variant->path, pf, TOKEN_1));
	ASSERT_EQ(0, user_init(&self->vf, variant->path, vf));
	ASSERT_EQ(0, user_open(&self->vf, TOKEN_1));
}

FIXTURE_TEARDOWN(restart)
{
	user_exit(&self->vf);
}

TEST_F_TIMEOUT(restart, killed_pf_driver_comes_back_with_the_token,
	       TEST_SECONDS)
{
	holder_kill(&self->pf_driver);

	EXPECT_EQ(-EACCES, try_open(variant->path, pf, NULL));
	EXPECT_EQ(-EACCES, try_open(variant->path, pf, TOKEN_2));
	EXPECT_EQ(0, holder_open(&self->pf_driver, variant->path, pf, TOKEN_1));

	/* The token is what it was. */
	EXPECT_EQ(-EACCES, try_open(variant->path, vf2, NULL));
	EXPECT_EQ(-EACCES, try_open(variant->path, vf2, TOKEN_2));
	EXPECT_EQ(0, try_open(variant->path, vf2, TOKEN_1));
	holder_release(&self->pf_driver);
}

/* What counts is the token it set last, not the one it came in with. */
TEST_F_TIMEOUT(restart, token_set_later_outlives_its_process, TEST_SECONDS)
{
	struct user again;

	holder_kill(&self->pf_driver);
	ASSERT_EQ(0, user_init(&again, variant->path, pf));
	ASSERT_EQ(0, user_open(&again, TOKEN_1));
	ASSERT_EQ(0, device_set_token(again.device, TOKEN_2));
	user_close(&again);

	EXPECT_EQ(-EACCES, user_try(&again, TOKEN_1));
	EXPECT_EQ(0, user_try(&again, TOKEN_2));
	user_exit(&again);
}

/* Killed while it opens the PF: its open may end, nothing of it stays. */
TEST_F_TIMEOUT(restart, pf_driver_killed_inside_its_open, TEST_SECONDS)
{
	holder_kill(&self->pf_driver);
	ASSERT_TRUE(holder_open_half_way(&self->pf_driver, variant->path, pf,
					 TOKEN_1))
		TH_LOG("the PF's open was never seen asleep");
	holder_kill(&self->pf_driver);

	EXPECT_EQ(-EACCES, try_open(variant->path, pf, TOKEN_2));
	EXPECT_EQ(0, try_open(variant->path, pf, TOKEN_1));
}

int main(int argc, char **argv)
{
	return bench_run(argc, argv, 2, test_harness_run);
}
