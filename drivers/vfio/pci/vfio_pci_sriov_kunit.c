// SPDX-License-Identifier: GPL-2.0-only
/*
 * Unit tests of the VF token: rules, counts and options, with no hardware.
 */

#include <kunit/static_stub.h>
#include <kunit/test.h>
#include <kunit/visibility.h>
#include <linux/delay.h>
#include <linux/hrtimer.h>
#include <linux/kthread.h>
#include <linux/ktime.h>
#include <linux/module.h>
#include <linux/pci.h>
#include <linux/prandom.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/vfio.h>
#include <linux/vfio_pci_core.h>
#include <linux/wait.h>

#include "../vfio.h"
#include "vfio_pci_sriov.h"
#include "vfio_pci_sriov_check.h"

static unsigned int operations = 100000;
module_param(operations, uint, 0444);
MODULE_PARM_DESC(operations, "Calls that threads make at once, all in all (default: 100000)");

static const uuid_t t1 = UUID_INIT(0xbd8d9d2b, 0x5a5f, 0x4f5a,
				   0xa2, 0x11, 0xf5, 0x91, 0x51, 0x4b, 0xa1, 0xf3);
static const uuid_t t2 = UUID_INIT(0x00000000, 0x0000, 0x0000,
				   0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00);

/* A PF with token t1 and no VF in use. */
static int sriov_test_init(struct kunit *test)
{
	struct vfio_pci_pf *pf = vfio_pci_pf_alloc();

	KUNIT_ASSERT_NOT_NULL(test, pf);
	vfio_pci_pf_admit_pf(pf, &t1);
	test->priv = pf;
	return 0;
}

static void sriov_test_exit(struct kunit *test)
{
	struct vfio_pci_pf *pf = test->priv;

	if (!pf)
		return;
	KUNIT_EXPECT_EQ(test, pf->vf_opens, 0);
	vfio_pci_pf_put(pf);
}

/* Is it the token? Asked the way that a VF's opener would. */
static bool token_is(struct vfio_pci_pf *pf, const uuid_t *token)
{
	if (vfio_pci_pf_admit_vf(pf, token))
		return false;
	vfio_pci_pf_unadmit_vf(pf);
	return true;
}

static void a_new_pf_has_a_token_that_nobody_knows(struct kunit *test)
{
	struct vfio_pci_pf *a = vfio_pci_pf_alloc();
	struct vfio_pci_pf *b = vfio_pci_pf_alloc();

	KUNIT_ASSERT_NOT_NULL(test, a);
	KUNIT_ASSERT_NOT_NULL(test, b);
	KUNIT_EXPECT_FALSE(test, token_is(a, &t2));
	KUNIT_EXPECT_FALSE(test, token_is(a, &b->token));
	KUNIT_EXPECT_FALSE(test, token_is(b, &a->token));
	vfio_pci_pf_put(a);
	vfio_pci_pf_put(b);
}

static void a_vf_opens_with_the_token_only(struct kunit *test)
{
	struct vfio_pci_pf *pf = test->priv;

	KUNIT_EXPECT_EQ(test, vfio_pci_pf_admit_vf(pf, NULL), -EACCES);
	KUNIT_EXPECT_EQ(test, vfio_pci_pf_admit_vf(pf, &t2), -EACCES);
	KUNIT_EXPECT_EQ(test, pf->vf_opens, 0);
	KUNIT_EXPECT_EQ(test, vfio_pci_pf_admit_vf(pf, &t1), 0);
	KUNIT_EXPECT_EQ(test, pf->vf_opens, 1);
	vfio_pci_pf_unadmit_vf(pf);
}

static void each_byte_of_the_token_matters(struct kunit *test)
{
	struct vfio_pci_pf *pf = test->priv;
	int i;

	for (i = 0; i < UUID_SIZE; i++) {
		uuid_t wrong = t1;

		wrong.b[i] ^= 1;
		KUNIT_EXPECT_EQ_MSG(test, vfio_pci_pf_admit_vf(pf, &wrong), -EACCES,
				    "byte %d", i);
	}
}

static void each_open_of_a_vf_is_counted(struct kunit *test)
{
	struct vfio_pci_pf *pf = test->priv;

	KUNIT_EXPECT_EQ(test, vfio_pci_pf_admit_vf(pf, &t1), 0);
	KUNIT_EXPECT_EQ(test, vfio_pci_pf_admit_vf(pf, &t1), 0);
	KUNIT_EXPECT_EQ(test, vfio_pci_pf_admit_vf(pf, &t2), -EACCES);
	KUNIT_EXPECT_EQ(test, pf->vf_opens, 2);

	vfio_pci_pf_unadmit_vf(pf);
	KUNIT_EXPECT_EQ(test, vfio_pci_pf_admit_pf(pf, &t2), -EACCES);
	vfio_pci_pf_unadmit_vf(pf);
	KUNIT_EXPECT_EQ(test, vfio_pci_pf_admit_pf(pf, &t2), 0);
}

static void a_pf_opens_with_anything_while_no_vf_is_in_use(struct kunit *test)
{
	struct vfio_pci_pf *pf = test->priv;

	KUNIT_EXPECT_EQ(test, vfio_pci_pf_admit_pf(pf, NULL), 0);
	KUNIT_EXPECT_TRUE(test, token_is(pf, &t1));
	KUNIT_EXPECT_EQ(test, vfio_pci_pf_admit_pf(pf, &t2), 0);
	KUNIT_EXPECT_TRUE(test, token_is(pf, &t2));
	KUNIT_EXPECT_FALSE(test, token_is(pf, &t1));
}

static void a_pf_opens_with_the_token_only_while_a_vf_is_in_use(struct kunit *test)
{
	struct vfio_pci_pf *pf = test->priv;

	KUNIT_ASSERT_EQ(test, vfio_pci_pf_admit_vf(pf, &t1), 0);
	KUNIT_EXPECT_EQ(test, vfio_pci_pf_admit_pf(pf, NULL), -EACCES);
	KUNIT_EXPECT_EQ(test, vfio_pci_pf_admit_pf(pf, &t2), -EACCES);
	KUNIT_EXPECT_EQ(test, vfio_pci_pf_admit_pf(pf, &t1), 0);
	vfio_pci_pf_unadmit_vf(pf);
	KUNIT_EXPECT_TRUE(test, token_is(pf, &t1));
}

static void who_holds_a_pf_sets_the_token_even_while_a_vf_is_in_use(struct kunit *test)
{
	struct vfio_pci_pf *pf = test->priv;

	KUNIT_ASSERT_EQ(test, vfio_pci_pf_admit_vf(pf, &t1), 0);
	vfio_pci_pf_set_token(pf, &t2);
	KUNIT_EXPECT_EQ(test, pf->vf_opens, 1);
	KUNIT_EXPECT_EQ(test, vfio_pci_pf_admit_vf(pf, &t1), -EACCES);
	KUNIT_EXPECT_EQ(test, vfio_pci_pf_admit_pf(pf, &t1), -EACCES);
	KUNIT_EXPECT_EQ(test, vfio_pci_pf_admit_pf(pf, &t2), 0);
	vfio_pci_pf_unadmit_vf(pf);
}

/*
 * One thread opens and closes a VF with t1, the other opens the PF with t2 and
 * t1 in turn.  While the VF is open, t1 must remain the token.
 */
static int race_pf_thread(void *data)
{
	struct vfio_pci_pf *pf = data;

	while (!kthread_should_stop()) {
		vfio_pci_pf_admit_pf(pf, &t2);
		vfio_pci_pf_admit_pf(pf, &t1);
		cond_resched();
	}
	return 0;
}

static void no_token_changes_under_an_open_vf(struct kunit *test)
{
	struct vfio_pci_pf *pf = test->priv;
	unsigned int changed = 0, opened = 0;
	struct task_struct *task;
	int i;

	task = kthread_run(race_pf_thread, pf, "vf-token-race");
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, task);

	for (i = 0; i < 20000; i++) {
		if (vfio_pci_pf_admit_vf(pf, &t1)) {
			cond_resched();
			continue;
		}
		opened++;
		if (!(i % 256))
			usleep_range(10, 20);
		if (!token_is(pf, &t1))
			changed++;
		vfio_pci_pf_unadmit_vf(pf);
	}

	kthread_stop(task);
	KUNIT_EXPECT_EQ(test, changed, 0);
	KUNIT_EXPECT_GT(test, opened, 0);
}

/* The checker, on histories whose verdict is known: the stamps tell it all. */
#define OPEN(_dev, _token, _result, _start, _end) \
	{ .what = VF_CALL_OPEN, .device = (_dev), .token = (_token), \
	  .result = (_result), .start = (_start), .end = (_end) }
#define CLOSE(_dev, _open, _start, _end) \
	{ .what = VF_CALL_CLOSE, .device = (_dev), .open = (_open), \
	  .start = (_start), .end = (_end) }
#define MOVE(_what, _dev, _start, _end) \
	{ .what = (_what), .device = (_dev), .start = (_start), .end = (_end) }

enum { PF, VF1, VF2 };
enum { NO_TOKEN, A, B, C };

struct history_case {
	const char *what;
	enum vf_verdict verdict;
	unsigned int left;	/* calls, of an unexplained history made short */
	unsigned int nr;
	struct vf_call call[8];
};

/* In each, token A is set before, and all is closed. */
static const struct history_case history_cases[] = {
	{ "nothing", VF_EXPLAINED, 0, 0, {} },
	{ "one after the other", VF_EXPLAINED, 0, 6, {
		OPEN(VF1, A, 0, 1, 2), OPEN(PF, B, -EACCES, 3, 4),
		CLOSE(VF1, 0, 5, 6), OPEN(PF, B, 0, 7, 8),
		OPEN(VF1, A, -EACCES, 9, 10), OPEN(VF1, B, 0, 11, 12) } },
	{ "the old race", VF_UNEXPLAINED, 2, 5, {
		OPEN(VF1, A, 0, 1, 6), OPEN(PF, B, 0, 2, 7),
		OPEN(VF2, C, -EACCES, 3, 4),
		CLOSE(VF1, 0, 8, 9), CLOSE(PF, 1, 10, 11) } },
	{ "the same calls, the VF closed in time", VF_EXPLAINED, 0, 4, {
		OPEN(VF1, A, 0, 1, 3), OPEN(PF, B, 0, 2, 7),
		CLOSE(VF1, 0, 4, 5), CLOSE(PF, 1, 10, 11) } },
	{ "the same calls, A set again meanwhile", VF_EXPLAINED, 0, 5, {
		OPEN(VF1, A, 0, 1, 6), OPEN(PF, B, 0, 2, 7),
		CLOSE(VF1, 0, 8, 9), CLOSE(PF, 1, 10, 11),
		{ .what = VF_CALL_SET, .token = A, .start = 3, .end = 5 } } },
	{ "a VF opened with a wrong token", VF_UNEXPLAINED, 1, 3, {
		OPEN(VF1, B, 0, 1, 2), CLOSE(VF1, 0, 3, 4),
		OPEN(PF, NO_TOKEN, 0, 5, 6) } },
	{ "a VF opened with no token", VF_UNEXPLAINED, 1, 1, {
		OPEN(VF1, NO_TOKEN, 0, 1, 2) } },
	{ "a PF opened with no token beside a VF", VF_UNEXPLAINED, 2, 3, {
		OPEN(VF1, A, 0, 1, 2), OPEN(PF, NO_TOKEN, 0, 3, 4),
		CLOSE(VF1, 0, 5, 6) } },
	{ "the token refused", VF_UNEXPLAINED, 1, 1, {
		OPEN(VF1, A, -EACCES, 1, 2) } },
	{ "a PF refused with no VF in use", VF_UNEXPLAINED, 3, 3, {
		OPEN(VF1, A, 0, 1, 2), CLOSE(VF1, 0, 3, 4),
		OPEN(PF, B, -EACCES, 5, 6) } },
	{ "a PF refused while a VF may be in use", VF_EXPLAINED, 0, 3, {
		OPEN(VF1, A, 0, 1, 2), CLOSE(VF1, 0, 3, 5),
		OPEN(PF, B, -EACCES, 4, 6) } },
	{ "killed, and it had opened", VF_EXPLAINED, 0, 3, {
		{ .what = VF_CALL_OPEN, .device = VF1, .token = A,
		  .unfinished = true, .start = 1, .end = 8 },
		OPEN(PF, B, -EACCES, 2, 3), CLOSE(VF1, 0, 4, 8) } },
	{ "killed, and it had not", VF_EXPLAINED, 0, 3, {
		{ .what = VF_CALL_OPEN, .device = VF1, .token = A,
		  .unfinished = true, .start = 1, .end = 8 },
		OPEN(PF, B, 0, 2, 3), CLOSE(VF1, 0, 7, 8) } },
	{ "killed, and still in use", VF_UNEXPLAINED, 3, 3, {
		{ .what = VF_CALL_OPEN, .device = VF1, .token = A,
		  .unfinished = true, .start = 1, .end = 4 },
		CLOSE(VF1, 0, 2, 4), OPEN(PF, B, -EACCES, 5, 6) } },
	{ "the old token after a restart", VF_UNEXPLAINED, 4, 4, {
		MOVE(VF_CALL_LEAVE, PF, 1, 4), MOVE(VF_CALL_GONE, PF, 1, 4),
		MOVE(VF_CALL_ENTER, PF, 5, 6), OPEN(VF1, A, 0, 7, 8) } },
	{ "a VF leaves while it is open", VF_UNEXPLAINED, 3, 4, {
		OPEN(VF1, A, 0, 1, 2), MOVE(VF_CALL_LEAVE, VF1, 3, 6),
		MOVE(VF_CALL_GONE, VF1, 3, 6), CLOSE(VF1, 0, 7, 8) } },
	{ "a VF leaves when it is closed", VF_EXPLAINED, 0, 5, {
		OPEN(VF1, A, 0, 1, 2), MOVE(VF_CALL_LEAVE, VF1, 3, 8),
		MOVE(VF_CALL_GONE, VF1, 3, 8), OPEN(VF1, A, -ENODEV, 4, 5),
		CLOSE(VF1, 0, 6, 7) } },
	{ "a VF admitted, but busy", VF_EXPLAINED, 0, 3, {
		{ .what = VF_CALL_OPEN, .device = VF1, .token = A,
		  .contended = true, .result = -EBUSY, .start = 1, .end = 4 },
		CLOSE(VF1, 0, 1, 4), OPEN(PF, B, -EACCES, 2, 3) } },
	{ "no such device, but it never left", VF_UNEXPLAINED, 1, 1, {
		OPEN(VF1, A, -ENODEV, 1, 2) } },
	{ "busy, but nobody else uses it", VF_UNEXPLAINED, 1, 1, {
		OPEN(VF1, A, -EBUSY, 1, 2) } },
	{ "gone, looked up before it left", VF_EXPLAINED, 0, 4, {
		MOVE(VF_CALL_LEAVE, VF1, 1, 4), MOVE(VF_CALL_GONE, VF1, 1, 4),
		MOVE(VF_CALL_ENTER, VF1, 5, 6), OPEN(VF1, A, -ENODEV, 7, 8) } },
	{ "gone, looked up after it came back", VF_UNEXPLAINED, 4, 4, {
		MOVE(VF_CALL_LEAVE, VF1, 1, 4), MOVE(VF_CALL_GONE, VF1, 1, 4),
		MOVE(VF_CALL_ENTER, VF1, 5, 6),
		{ .what = VF_CALL_OPEN, .device = VF1, .token = A,
		  .fresh = true, .result = -ENODEV, .start = 7, .end = 8 } } },
};

static void history_case_desc(const struct history_case *c, char *desc)
{
	strscpy(desc, c->what, KUNIT_PARAM_DESC_SIZE);
}

KUNIT_ARRAY_PARAM(history, history_cases, history_case_desc);

/* What the checker needs to look at a history and to make it short. */
struct checker {
	struct vf_check check;
	struct vf_history whole;
	struct vf_check_needs needs;
};

static void free_checker(void *data)
{
	kvfree(data);
}

static struct checker *new_checker(struct kunit *test)
{
	struct checker *checker = kvzalloc(sizeof(*checker), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, checker);
	KUNIT_ASSERT_EQ(test, 0, kunit_add_action_or_reset(test, free_checker,
							   checker));
	checker->check.history.before.present = BIT(PF) | BIT(VF1) | BIT(VF2);
	checker->check.history.before.token = A;
	return checker;
}

static void a_history_is_explained_or_not(struct kunit *test)
{
	const struct history_case *c = test->param_value;
	struct checker *checker = new_checker(test);
	struct vf_history *history = &checker->check.history;

	memcpy(history->call, c->call, sizeof(c->call));
	history->nr = c->nr;
	KUNIT_EXPECT_EQ(test, vf_check_history(&checker->check), c->verdict);
	if (c->verdict != VF_UNEXPLAINED)
		return;
	vf_check_shorten(&checker->check, &checker->whole, &checker->needs);
	KUNIT_EXPECT_EQ(test, vf_check_history(&checker->check), VF_UNEXPLAINED);
	KUNIT_EXPECT_EQ(test, history->nr - hweight64(history->dropped), c->left);
}

/*
 * The stress: in each round a few threads make calls at once, and the history
 * of the round must have an explanation.
 */
#define STRESS_THREADS	4
#define STRESS_CALLS	14
#define STRESS_TOKENS	3

/*
 * A timer fires while the threads run, here and there in their calls: CPUs that
 * an emulator runs in turn take turns then.
 */
#if IS_ENABLED(CONFIG_KASAN) || IS_ENABLED(CONFIG_KCSAN)
#define STRESS_TIMER_NS	1000000
#else
#define STRESS_TIMER_NS	100000
#endif

static_assert(STRESS_THREADS * STRESS_CALLS <= VF_MODEL_CALLS);

static const uuid_t stress_tokens[STRESS_TOKENS] = {
	UUID_INIT(0x3c6a5f10, 0x19b2, 0x4d7e,
		  0x8a, 0x01, 0x5e, 0x2f, 0x90, 0x6b, 0xd4, 0xa1),
	UUID_INIT(0x3c6a5f10, 0x19b2, 0x4d7e,
		  0x8a, 0x01, 0x5e, 0x2f, 0x90, 0x6b, 0xd4, 0xa2),
	UUID_INIT(0x7711e0c4, 0x6a35, 0x4b90,
		  0x9f, 0x4c, 0x08, 0xd3, 0x1a, 0xee, 0x57, 0x2b),
};

struct stress;

struct stress_thread {
	struct stress *stress;
	struct task_struct *task;
	struct rnd_state random;
	struct vf_call call[STRESS_CALLS];
	unsigned int nr;
	unsigned int nr_held;
	u8 held[STRESS_CALLS];	/* VFs opened by these calls */
	bool has_pf;
};

struct stress {
	struct vfio_pci_pf *pf;
	atomic64_t clock;
	atomic_t round;
	atomic_t running;
	wait_queue_head_t start;
	wait_queue_head_t end;
	struct hrtimer timer;
	struct rnd_state random;	/* of the timer */
	struct stress_thread thread[STRESS_THREADS];
};

static u32 stress_random(struct stress_thread *thread, u32 below)
{
	return prandom_u32_state(&thread->random) % below;
}

static u8 stress_random_token(struct stress_thread *thread)
{
	return stress_random(thread, STRESS_TOKENS + 1);
}

static const uuid_t *stress_token(u8 token)
{
	return token ? &stress_tokens[token - 1] : NULL;
}

static void stress_close(struct stress_thread *thread, struct vf_call *call)
{
	call->what = VF_CALL_CLOSE;
	call->device = VF1;
	call->open = thread->held[--thread->nr_held];
	call->start = atomic64_inc_return(&thread->stress->clock);
	vfio_pci_pf_unadmit_vf(thread->stress->pf);
	call->end = atomic64_inc_return(&thread->stress->clock);
}

static void stress_open(struct stress_thread *thread, struct vf_call *call,
			u8 device)
{
	const uuid_t *token;

	call->what = VF_CALL_OPEN;
	call->device = device;
	call->token = stress_random_token(thread);
	token = stress_token(call->token);
	call->start = atomic64_inc_return(&thread->stress->clock);
	if (device == PF)
		call->result = vfio_pci_pf_admit_pf(thread->stress->pf, token);
	else
		call->result = vfio_pci_pf_admit_vf(thread->stress->pf, token);
	call->end = atomic64_inc_return(&thread->stress->clock);

	if (call->result)
		return;
	if (device == PF)
		thread->has_pf = true;
	else
		thread->held[thread->nr_held++] = thread->nr;
}

static void stress_set(struct stress_thread *thread, struct vf_call *call)
{
	call->what = VF_CALL_SET;
	call->device = PF;
	call->token = 1 + stress_random(thread, STRESS_TOKENS);
	call->start = atomic64_inc_return(&thread->stress->clock);
	vfio_pci_pf_set_token(thread->stress->pf, stress_token(call->token));
	call->end = atomic64_inc_return(&thread->stress->clock);
}

static void stress_call(struct stress_thread *thread)
{
	struct vf_call *call = &thread->call[thread->nr];
	unsigned int left = STRESS_CALLS - thread->nr;
	u32 choice = stress_random(thread, 8);

	memset(call, 0, sizeof(*call));
	if (thread->nr_held && (choice < 3 || left <= thread->nr_held))
		stress_close(thread, call);
	else if (choice < 6 && left >= thread->nr_held + 2)
		stress_open(thread, call, VF1);
	else if (choice == 6 && thread->has_pf)
		stress_set(thread, call);
	else
		stress_open(thread, call, PF);
	thread->nr++;
}

static bool stress_has_news(struct stress *stress, int round)
{
	/* Pairs with the release in stress_round(). */
	return atomic_read_acquire(&stress->round) != round ||
	       kthread_should_stop();
}

static int stress_thread(void *data)
{
	struct stress_thread *thread = data;
	struct stress *stress = thread->stress;
	int round = 0;

	for (;;) {
		wait_event(stress->start, stress_has_news(stress, round));
		if (kthread_should_stop())
			break;
		round = atomic_read(&stress->round);
		while (thread->nr < STRESS_CALLS) {
			stress_call(thread);
			/* Now and then others go first, on this CPU, too. */
			if (!stress_random(thread, 4))
				cpu_relax();
			if (!stress_random(thread, 8))
				schedule();
		}
		/* Fully ordered: who sees it sees the calls. */
		if (atomic_dec_and_test(&stress->running))
			wake_up(&stress->end);
	}
	return 0;
}

static void stress_collect(struct stress *stress, struct vf_history *history)
{
	unsigned int i, j;

	history->nr = 0;
	history->dropped = 0;
	for (i = 0; i < STRESS_THREADS; i++) {
		unsigned int first = history->nr;

		for (j = 0; j < STRESS_CALLS; j++) {
			struct vf_call *call = &history->call[history->nr++];

			*call = stress->thread[i].call[j];
			if (call->what == VF_CALL_CLOSE)
				call->open += first;
		}
	}
}

static void stress_tell(struct kunit *test, struct checker *checker)
{
	struct vf_history *history = &checker->check.history;
	char words[80];
	int i = -1;

	vf_check_shorten(&checker->check, &checker->whole, &checker->needs);
	kunit_err(test, "token A is set, and then:");
	while ((i = vf_check_next_call(history, i)) >= 0) {
		struct vf_call *call = &history->call[i];

		vf_call_describe(call, "", words, sizeof(words));
		kunit_err(test, "%4llu to %4llu  call %2d: %s", call->start,
			  call->end, call->what == VF_CALL_CLOSE ?
			  call->open : i, words);
	}
	kunit_err(test, "%s", vf_check_reason(history));
}

static bool stress_round(struct kunit *test, struct stress *stress,
			 struct checker *checker)
{
	enum vf_verdict verdict;
	int i;

	vfio_pci_pf_set_token(stress->pf, stress_token(A));
	atomic64_set(&stress->clock, 0);
	for (i = 0; i < STRESS_THREADS; i++) {
		stress->thread[i].nr = 0;
		stress->thread[i].has_pf = false;
	}
	atomic_set(&stress->running, STRESS_THREADS);
	/* Who sees the round sees all of the above. */
	atomic_inc_return_release(&stress->round);
	wake_up_all(&stress->start);
	/* Pairs with the decrements in stress_thread(). */
	wait_event(stress->end, !atomic_read_acquire(&stress->running));

	stress_collect(stress, &checker->check.history);
	verdict = vf_check_history(&checker->check);
	if (verdict == VF_UNEXPLAINED)
		stress_tell(test, checker);
	KUNIT_EXPECT_EQ(test, verdict, VF_EXPLAINED);
	KUNIT_EXPECT_EQ(test, stress->pf->vf_opens, 0);
	return verdict == VF_EXPLAINED && !stress->pf->vf_opens;
}

static enum hrtimer_restart stress_timer(struct hrtimer *timer)
{
	struct stress *stress = container_of(timer, struct stress, timer);
	u32 ns = STRESS_TIMER_NS / 2 +
		 prandom_u32_state(&stress->random) % STRESS_TIMER_NS;

	hrtimer_forward_now(timer, ns_to_ktime(ns));
	return HRTIMER_RESTART;
}

/*
 * The operations are shared out among runs.  KUnit gives each 300 s, and who
 * waits for more than 120 s is taken for hung.
 */
static const unsigned int stress_runs[] = { 1, 2, 3, 4, 5, 6, 7, 8 };

static void stress_run_desc(const unsigned int *run, char *desc)
{
	snprintf(desc, KUNIT_PARAM_DESC_SIZE, "run %u", *run);
}

KUNIT_ARRAY_PARAM(stress, stress_runs, stress_run_desc);

/* Of a thread, or of the timer, which comes after them: each its own. */
static u64 stress_seed(unsigned int run, unsigned int who)
{
	return run * (STRESS_THREADS + 1) + who;
}

static void stress_start_timer(struct stress *stress, unsigned int run)
{
	prandom_seed_state(&stress->random, stress_seed(run, STRESS_THREADS));
	hrtimer_init(&stress->timer, CLOCK_MONOTONIC, HRTIMER_MODE_REL);
	stress->timer.function = stress_timer;
	hrtimer_start(&stress->timer, ns_to_ktime(STRESS_TIMER_NS),
		      HRTIMER_MODE_REL);
}

static void stress_stop(void *data)
{
	struct stress *stress = data;
	int i;

	hrtimer_cancel(&stress->timer);
	for (i = 0; i < STRESS_THREADS; i++)
		if (!IS_ERR_OR_NULL(stress->thread[i].task))
			kthread_stop(stress->thread[i].task);
}

static void some_order_explains_what_many_threads_see(struct kunit *test)
{
	struct checker *checker = new_checker(test);
	const unsigned int run = *(const unsigned int *)test->param_value;
	unsigned int per_round = STRESS_THREADS * STRESS_CALLS;
	unsigned int rounds = DIV_ROUND_UP(operations, per_round *
					   ARRAY_SIZE(stress_runs));
	ktime_t start = ktime_get();
	unsigned int round, i;
	struct stress *stress;

	stress = kunit_kzalloc(test, sizeof(*stress), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, stress);
	stress->pf = test->priv;
	init_waitqueue_head(&stress->start);
	init_waitqueue_head(&stress->end);
	stress_start_timer(stress, run);
	KUNIT_ASSERT_EQ(test, 0, kunit_add_action_or_reset(test, stress_stop,
							   stress));
	for (i = 0; i < STRESS_THREADS; i++) {
		struct stress_thread *thread = &stress->thread[i];

		thread->stress = stress;
		prandom_seed_state(&thread->random, stress_seed(run, i));
		thread->task = kthread_run(stress_thread, thread,
					   "vf-token-%u", i);
		KUNIT_ASSERT_NOT_ERR_OR_NULL(test, thread->task);
	}

	for (round = 0; round < rounds; round++)
		if (!stress_round(test, stress, checker))
			break;
	kunit_info(test, "%u operations of %u threads in %u rounds, %lld ms",
		   round * per_round, STRESS_THREADS, round,
		   ktime_ms_delta(ktime_get(), start));
}

static bool checked_wiped;

static void check_wiped(struct vfio_pci_pf *pf)
{
	struct kunit *test = kunit_get_current_test();

	KUNIT_EXPECT_TRUE(test, uuid_is_null(&pf->token));
	checked_wiped = true;
	kfree(pf);
}

static void the_token_is_wiped_before_its_memory_is_freed(struct kunit *test)
{
	struct vfio_pci_pf *pf = test->priv;

	test->priv = NULL;
	KUNIT_EXPECT_FALSE(test, uuid_is_null(&pf->token));
	kunit_activate_static_stub(test, vfio_pci_pf_free, check_wiped);
	checked_wiped = false;
	vfio_pci_pf_put(pf);
	KUNIT_EXPECT_TRUE(test, checked_wiped);
}

/* What a PCI driver of a PF might be, if it knew nothing of admission. */
static const struct vfio_device_ops ops_without_admission = {
	.name		= "vfio-pci-kunit",
	.bind_iommufd	= vfio_iommufd_physical_bind,
	.unbind_iommufd	= vfio_iommufd_physical_unbind,
	.attach_ioas	= vfio_iommufd_physical_attach_ioas,
	.detach_ioas	= vfio_iommufd_physical_detach_ioas,
};

static struct vfio_pci_core_device *new_vdev(struct kunit *test)
{
	struct vfio_pci_core_device *vdev;
	struct pci_dev *pdev;

	pdev = kunit_kzalloc(test, sizeof(*pdev), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, pdev);
	pdev->dev.bus = &pci_bus_type;
	pdev->dev.init_name = "vfio-pci-kunit";

	vdev = vfio_alloc_device(vfio_pci_core_device, vdev, &pdev->dev,
				 &ops_without_admission);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, vdev);
	vdev->pdev = pdev;
	return vdev;
}

static void no_driver_registers_a_pf_or_vf_without_admission(struct kunit *test)
{
	struct vfio_pci_core_device *vdev = new_vdev(test);

	vdev->pdev->is_physfn = 1;
	KUNIT_EXPECT_EQ(test, vfio_register_group_dev(&vdev->vdev), -EOPNOTSUPP);
	vdev->pdev->is_physfn = 0;
	vdev->pdev->is_virtfn = 1;
	KUNIT_EXPECT_EQ(test, vfio_register_group_dev(&vdev->vdev), -EOPNOTSUPP);
	vfio_put_device(&vdev->vdev);
}

static int admit_anybody(struct vfio_device *core_vdev, const uuid_t *token,
			 const char **why)
{
	return 0;
}

static const struct vfio_admission_ops half_of_admission = {
	.admit		= admit_anybody,
};

static void no_driver_registers_with_half_of_admission(struct kunit *test)
{
	struct vfio_pci_core_device *vdev = new_vdev(test);

	vdev->vdev.admission_ops = &half_of_admission;
	KUNIT_EXPECT_EQ(test, vfio_register_group_dev(&vdev->vdev), -EOPNOTSUPP);
	vfio_put_device(&vdev->vdev);
}

/* Ask as the VFIO core does; a refusal has a reason */
static int admit(struct kunit *test, struct vfio_pci_core_device *vdev,
		 const uuid_t *token)
{
	const char *why = NULL;
	int ret;

	ret = vdev->vdev.admission_ops->admit(&vdev->vdev, token, &why);
	if (ret)
		KUNIT_EXPECT_NOT_NULL(test, why);
	return ret;
}

static void a_pf_passes_admission(struct kunit *test)
{
	struct vfio_pci_core_device *vdev = new_vdev(test);

	vdev->pdev->is_physfn = 1;
	KUNIT_EXPECT_EQ(test, vfio_pci_sriov_init(vdev), 0);
	KUNIT_EXPECT_NOT_NULL(test, vdev->pf);
	KUNIT_ASSERT_NOT_NULL(test, vdev->vdev.admission_ops);
	KUNIT_EXPECT_EQ(test, admit(test, vdev, &t1), 0);
	KUNIT_EXPECT_TRUE(test, token_is(vdev->pf, &t1));
	vdev->vdev.admission_ops->unadmit(&vdev->vdev);
	vfio_pci_sriov_uninit(vdev);
	vfio_put_device(&vdev->vdev);
}

static void a_vf_of_a_host_driver_s_pf_takes_no_token(struct kunit *test)
{
	struct vfio_pci_core_device *pf_vdev = new_vdev(test);
	struct vfio_pci_core_device *vdev = new_vdev(test);

	vdev->pdev->is_virtfn = 1;
	vdev->pdev->physfn = pf_vdev->pdev;
	KUNIT_EXPECT_EQ(test, vfio_pci_sriov_init(vdev), 0);
	KUNIT_EXPECT_NULL(test, vdev->pf);
	KUNIT_ASSERT_NOT_NULL(test, vdev->vdev.admission_ops);
	KUNIT_EXPECT_EQ(test, admit(test, vdev, NULL), 0);
	vdev->vdev.admission_ops->unadmit(&vdev->vdev);
	KUNIT_EXPECT_EQ(test, admit(test, vdev, &t1), -EINVAL);
	vfio_pci_sriov_uninit(vdev);
	vfio_put_device(&vdev->vdev);
	vfio_put_device(&pf_vdev->vdev);
}

static void a_device_says_whether_it_takes_a_token(struct kunit *test)
{
	struct vfio_pci_core_device *vdev = new_vdev(test);
	const struct vfio_admission_ops *ops;

	vdev->pdev->is_physfn = 1;
	KUNIT_ASSERT_EQ(test, vfio_pci_sriov_init(vdev), 0);
	ops = vdev->vdev.admission_ops;
	KUNIT_EXPECT_STREQ(test, ops->token_need(&vdev->vdev), "optional");
	KUNIT_ASSERT_EQ(test, vfio_pci_pf_admit_pf(vdev->pf, &t1), 0);
	KUNIT_ASSERT_EQ(test, vfio_pci_pf_admit_vf(vdev->pf, &t1), 0);
	KUNIT_EXPECT_STREQ(test, ops->token_need(&vdev->vdev), "required");
	vfio_pci_pf_unadmit_vf(vdev->pf);
	KUNIT_EXPECT_STREQ(test, ops->token_need(&vdev->vdev), "optional");

	/* As a VF, of a PF that vfio-pci drives; then of another one. */
	vdev->pdev->is_virtfn = 1;
	KUNIT_EXPECT_STREQ(test, ops->token_need(&vdev->vdev), "required");
	vfio_pci_sriov_uninit(vdev);
	KUNIT_EXPECT_STREQ(test, ops->token_need(&vdev->vdev), "none");
	vfio_put_device(&vdev->vdev);
}

static void a_vf_shares_the_token_of_its_pf(struct kunit *test)
{
	struct vfio_pci_core_device *pf_vdev = new_vdev(test);
	struct vfio_pci_core_device *vdev = new_vdev(test);
	struct vfio_pci_core_device *late = new_vdev(test);

	pf_vdev->pdev->is_physfn = 1;
	KUNIT_EXPECT_EQ(test, vfio_pci_sriov_init(pf_vdev), 0);
	KUNIT_EXPECT_EQ(test, vfio_pci_pf_admit_pf(pf_vdev->pf, &t1), 0);

	vdev->pdev->is_virtfn = 1;
	vdev->pdev->physfn = pf_vdev->pdev;
	KUNIT_EXPECT_EQ(test, vfio_pci_sriov_init(vdev), 0);
	KUNIT_EXPECT_PTR_EQ(test, vdev->pf, pf_vdev->pf);

	/* The PF leaves first, which PCI does not do: the door stays closed */
	vfio_pci_sriov_uninit(pf_vdev);
	KUNIT_EXPECT_EQ(test, admit(test, vdev, NULL), -EACCES);
	KUNIT_EXPECT_EQ(test, admit(test, vdev, &t1), 0);
	vdev->vdev.admission_ops->unadmit(&vdev->vdev);
	vfio_pci_sriov_uninit(vdev);

	late->pdev->is_virtfn = 1;
	late->pdev->physfn = pf_vdev->pdev;
	KUNIT_EXPECT_EQ(test, vfio_pci_sriov_init(late), 0);
	KUNIT_EXPECT_NULL(test, late->pf);
	vfio_pci_sriov_uninit(late);

	vfio_put_device(&late->vdev);
	vfio_put_device(&vdev->vdev);
	vfio_put_device(&pf_vdev->vdev);
}

static void a_device_without_sriov_gets_nothing(struct kunit *test)
{
	struct vfio_pci_core_device *vdev = new_vdev(test);

	KUNIT_EXPECT_EQ(test, vfio_pci_sriov_init(vdev), 0);
	KUNIT_EXPECT_NULL(test, vdev->pf);
	KUNIT_EXPECT_NULL(test, vdev->vdev.admission_ops);
	vfio_put_device(&vdev->vdev);
}

#if IS_ENABLED(CONFIG_VFIO_GROUP)

#define T1_TEXT "bd8d9d2b-5a5f-4f5a-a211-f591514ba1f3"

struct options_case {
	const char *what;
	const char *options;
	int ret;
};

static const struct options_case options_cases[] = {
	{ "nothing", "", 0 },
	{ "a blank", " ", 0 },
	{ "blanks", "    ", 0 },
	{ "a token", "vf_token=" T1_TEXT, 1 },
	{ "blanks before a token", "   vf_token=" T1_TEXT, 1 },
	{ "blanks after a token", "vf_token=" T1_TEXT "   ", 1 },
	{ "upper case", "vf_token=BD8D9D2B-5A5F-4F5A-A211-F591514BA1F3", 1 },
	{ "no =", "vf_token", -EINVAL },
	{ "half an option", "vf_toke", -EINVAL },
	{ "blank before =", "vf_token =" T1_TEXT, -EINVAL },
	{ "blank after =", "vf_token= " T1_TEXT, -EINVAL },
	{ "option in upper case", "VF_TOKEN=" T1_TEXT, -EINVAL },
	{ "letter before the option", "xvf_token=" T1_TEXT, -EINVAL },
	{ "other option", "token=" T1_TEXT, -EINVAL },
	{ "UUID alone", T1_TEXT, -EINVAL },
	{ "unknown after known", "vf_token=" T1_TEXT " x", -EINVAL },
	{ "known after unknown", "x vf_token=" T1_TEXT, -EINVAL },
	{ "tab before", "\tvf_token=" T1_TEXT, -EINVAL },
	{ "tab after", "vf_token=" T1_TEXT "\t", -EINVAL },
	{ "newline after", "vf_token=" T1_TEXT "\n", -EINVAL },
	{ "comma after", "vf_token=" T1_TEXT ",", -EINVAL },
	{ "two tokens", "vf_token=" T1_TEXT " vf_token=" T1_TEXT, -EINVAL },
	{ "two tokens in one", "vf_token=" T1_TEXT "vf_token=" T1_TEXT, -EINVAL },
	{ "no UUID", "vf_token=", -EINVAL },
	{ "UUID one short", "vf_token=bd8d9d2b-5a5f-4f5a-a211-f591514ba1f", -EINVAL },
	{ "UUID one long", "vf_token=" T1_TEXT "0", -EINVAL },
	{ "UUID without dashes", "vf_token=bd8d9d2b5a5f4f5aa211f591514ba1f3", -EINVAL },
	{ "UUID in braces", "vf_token={" T1_TEXT "}", -EINVAL },
	{ "UUID with a g", "vf_token=bd8d9d2b-5a5f-4f5a-a211-f591514ba1fg", -EINVAL },
	{ "dash off by one", "vf_token=bd8d9d2-b5a5f-4f5a-a211-f591514ba1f3", -EINVAL },
	{ "blank for a dash", "vf_token=bd8d9d2b 5a5f-4f5a-a211-f591514ba1f3", -EINVAL },
	{ "not ASCII", "vf_token=bd8d9d2b-5a5f-4f5a-a211-f591514ba1\xc3\xa9", -EINVAL },
	{ "0x in the UUID", "vf_token=0xd8d9d2-5a5f-4f5a-a211-f591514ba1f3", -EINVAL },
};

static void options_case_desc(const struct options_case *c, char *desc)
{
	strscpy(desc, c->what, KUNIT_PARAM_DESC_SIZE);
}

KUNIT_ARRAY_PARAM(options, options_cases, options_case_desc);

static void options_take_one_well_formed_token(struct kunit *test)
{
	const struct options_case *c = test->param_value;
	char *options = kunit_kstrdup(test, c->options, GFP_KERNEL);
	uuid_t token = {};

	KUNIT_ASSERT_NOT_NULL(test, options);
	KUNIT_EXPECT_EQ_MSG(test, vfio_group_parse_options(options, &token),
			    c->ret, "\"%s\"", c->options);
	if (c->ret == 1)
		KUNIT_EXPECT_TRUE(test, uuid_equal(&token, &t1));
}

static void no_options_are_no_token(struct kunit *test)
{
	uuid_t token;

	KUNIT_EXPECT_EQ(test, vfio_group_parse_options("", &token), 0);
}

#endif /* CONFIG_VFIO_GROUP */

static struct kunit_case vfio_pci_sriov_cases[] = {
	KUNIT_CASE(a_new_pf_has_a_token_that_nobody_knows),
	KUNIT_CASE(a_vf_opens_with_the_token_only),
	KUNIT_CASE(each_byte_of_the_token_matters),
	KUNIT_CASE(each_open_of_a_vf_is_counted),
	KUNIT_CASE(a_pf_opens_with_anything_while_no_vf_is_in_use),
	KUNIT_CASE(a_pf_opens_with_the_token_only_while_a_vf_is_in_use),
	KUNIT_CASE(who_holds_a_pf_sets_the_token_even_while_a_vf_is_in_use),
	KUNIT_CASE(no_token_changes_under_an_open_vf),
	KUNIT_CASE_PARAM(a_history_is_explained_or_not, history_gen_params),
	KUNIT_CASE_PARAM_ATTR(some_order_explains_what_many_threads_see,
			      stress_gen_params, { .speed = KUNIT_SPEED_SLOW }),
	KUNIT_CASE(the_token_is_wiped_before_its_memory_is_freed),
	KUNIT_CASE(no_driver_registers_a_pf_or_vf_without_admission),
	KUNIT_CASE(no_driver_registers_with_half_of_admission),
	KUNIT_CASE(a_pf_passes_admission),
	KUNIT_CASE(a_vf_of_a_host_driver_s_pf_takes_no_token),
	KUNIT_CASE(a_vf_shares_the_token_of_its_pf),
	KUNIT_CASE(a_device_says_whether_it_takes_a_token),
	KUNIT_CASE(a_device_without_sriov_gets_nothing),
#if IS_ENABLED(CONFIG_VFIO_GROUP)
	KUNIT_CASE_PARAM(options_take_one_well_formed_token, options_gen_params),
	KUNIT_CASE(no_options_are_no_token),
#endif
	{}
};

static struct kunit_suite vfio_pci_sriov_suite = {
	.name		= "vfio_pci_sriov",
	.init		= sriov_test_init,
	.exit		= sriov_test_exit,
	.test_cases	= vfio_pci_sriov_cases,
};

kunit_test_suite(vfio_pci_sriov_suite);

MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("KUnit tests of the VF token");
MODULE_IMPORT_NS(EXPORTED_FOR_KUNIT_TESTING);
