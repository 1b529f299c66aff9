// SPDX-License-Identifier: GPL-2.0-only
/*
 * Is checking a token and counting a device as in use one step?
 *
 * An open takes long, because it resets the device.  That is the window: while
 * one process sleeps inside its open, another opens the other end with another
 * token.  Each case is right if some serial order of the same calls leads
 * there, so a VF opened with one token is never open beside a PF opened with
 * another.
 */
#include <errno.h>
#include <stdio.h>
#include <unistd.h>

#include "../kselftest_harness.h"
#include "lib/bench.h"
#include "lib/holder.h"

#define TEST_SECONDS	60
#define ROUNDS		2

static const char *pf = bench.pf;
static const char *vf = bench.vf[0];
static const char *vf2 = bench.vf[1];

FIXTURE(race)
{
	struct user pf;
	struct user vf;
};

FIXTURE_VARIANT(race)
{
	enum open_path pf;
	enum open_path vf;
};

FIXTURE_VARIANT_ADD(race, type1) { OPEN_TYPE1, OPEN_TYPE1 };
FIXTURE_VARIANT_ADD(race, compat) { OPEN_COMPAT, OPEN_COMPAT };
FIXTURE_VARIANT_ADD(race, cdev) { OPEN_CDEV, OPEN_CDEV };
FIXTURE_VARIANT_ADD(race, cdev_vf_type1_pf) { OPEN_TYPE1, OPEN_CDEV };
FIXTURE_VARIANT_ADD(race, type1_vf_cdev_pf) { OPEN_CDEV, OPEN_TYPE1 };

FIXTURE_SETUP(race)
{
	ASSERT_EQ(0, user_init(&self->pf, variant->pf, pf));
	ASSERT_EQ(0, user_init(&self->vf, variant->vf, vf));
}

FIXTURE_TEARDOWN(race)
{
	user_exit(&self->vf);
	user_exit(&self->pf);
}

/*
 * One of the two, not both: which one is up to the kernel, but the one that is
 * open must have been let in with the token that counts.
 */
static void expect_one_open(struct __test_metadata *_metadata, int first,
			    int second)
{
	EXPECT_TRUE(first == 0 || second == 0);
	EXPECT_TRUE(first == -EACCES || second == -EACCES)
		TH_LOG("first %d, second %d: a VF is open beside a PF with another token",
		       first, second);
}

TEST_F_TIMEOUT(race, pf_opened_while_a_vf_is_being_opened, TEST_SECONDS)
{
	struct holder holder;
	int round, vf_result, pf_result;

	for (round = 0; round < ROUNDS; round++) {
		ASSERT_EQ(0, user_try(&self->pf, TOKEN_1));
		ASSERT_TRUE(holder_open_half_way(&holder, variant->vf, vf2, TOKEN_1))
			TH_LOG("the VF's open was never seen asleep");
		pf_result = user_open(&self->pf, TOKEN_2);
		vf_result = holder_opened(&holder);
		expect_one_open(_metadata, vf_result, pf_result);
		user_close(&self->pf);
		holder_release(&holder);
	}
}

TEST_F_TIMEOUT(race, vf_opened_while_its_pf_is_being_opened, TEST_SECONDS)
{
	struct holder holder;
	int vf_result, pf_result;

	ASSERT_EQ(0, user_try(&self->pf, TOKEN_1));
	user_exit(&self->pf);
	ASSERT_TRUE(holder_open_half_way(&holder, variant->pf, pf, TOKEN_2))
		TH_LOG("the PF's open was never seen asleep");
	vf_result = user_open(&self->vf, TOKEN_1);
	pf_result = holder_opened(&holder);
	expect_one_open(_metadata, pf_result, vf_result);
	holder_release(&holder);
}

/*
 * The PF's holder may.  A VF's open that has begun to reset the device is past
 * the check: it stays, and the next one needs the new token.
 */
TEST_F_TIMEOUT(race, token_set_while_a_vf_is_being_opened, TEST_SECONDS)
{
	struct holder holder;

	ASSERT_EQ(0, user_open(&self->pf, TOKEN_1));
	ASSERT_TRUE(holder_open_half_way(&holder, variant->vf, vf2, TOKEN_1))
		TH_LOG("the VF's open was never seen asleep");
	EXPECT_EQ(0, device_set_token(self->pf.device, TOKEN_2));
	EXPECT_EQ(0, holder_opened(&holder));
	EXPECT_EQ(-EACCES, user_try(&self->vf, TOKEN_1));
	EXPECT_EQ(0, user_try(&self->vf, TOKEN_2));
	holder_release(&holder);
}

int main(int argc, char **argv)
{
	return bench_run(argc, argv, 2, test_harness_run);
}
