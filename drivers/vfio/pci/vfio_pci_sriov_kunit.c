// SPDX-License-Identifier: GPL-2.0-only
/*
 * Unit tests of VF tokens and of capture.  They need no hardware.
 * vfio_pci_sriov.c includes this file.
 */

#include <kunit/test.h>
#include <linux/mman.h>
#include <linux/module.h>

#include "../vfio.h"

MODULE_INFO(import_ns, "EXPORTED_FOR_KUNIT_TESTING");

enum { NONE, A, B, RANDOM };	/* tokens */
enum { PF, VF0, VF1, FUNCTIONS };
enum { OPEN, FAIL, CLOSE, SET_TOKEN };

#define UUID_A "bd8d9d2b-5a5f-4f5a-a211-f591514ba1f3"
#define TOKEN_A "vf_token=" UUID_A

static const uuid_t tokens[] = {
	[A] = UUID_INIT(0xbd8d9d2b, 0x5a5f, 0x4f5a,
			0xa2, 0x11, 0xf5, 0x91, 0x51, 0x4b, 0xa1, 0xf3),
	[B] = {},
};

struct call {
	u8 what, fn, token;
};

struct sriov_test {
	struct vfio_pci_core_device *fn[FUNCTIONS];
	const struct call *rival;	/* competes with the current call */
	unsigned int turn;		/* at this release of the lock */
	int rival_ret;
	struct pci_dev *lost;		/* the VF that cannot be captured */
	int numvfs, enable_ret;
	bool wiped;
};

static struct sriov_test *current_test(void)
{
	return kunit_get_current_test()->priv;
}

/* A PCI driver that does not know about admission */
static const struct vfio_device_ops sriov_test_ops = { .name = "kunit" };

static struct pci_driver sriov_test_driver = { .name = "kunit-driver" };

static void free_pdev(struct device *dev)
{
	kfree(to_pci_dev(dev));
}

static struct vfio_pci_core_device *new_vdev(struct kunit *test)
{
	struct pci_dev *pdev = kzalloc_obj(*pdev);
	struct vfio_pci_core_device *vdev;

	KUNIT_ASSERT_NOT_NULL(test, pdev);
	device_initialize(&pdev->dev);
	pdev->dev.bus = &pci_bus_type;
	pdev->dev.init_name = "vfio-pci-kunit";
	pdev->dev.release = free_pdev;
	pdev->driver = &sriov_test_driver;

	vdev = vfio_alloc_device(vfio_pci_core_device, vdev, &pdev->dev, &sriov_test_ops);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, vdev);
	vdev->pdev = pdev;
	init_rwsem(&vdev->memory_lock);
	return vdev;
}

/* A VF of @pf, or a PF if that is NULL; it logs no refusal */
static struct vfio_pci_core_device *new_fn(struct kunit *test, struct vfio_pci_core_device *pf)
{
	struct vfio_pci_core_device *vdev = new_vdev(test);

	vdev->pdev->physfn = pf ? pf->pdev : NULL;
	vdev->pdev->is_virtfn = !!pf;
	vdev->pdev->is_physfn = !pf;
	KUNIT_ASSERT_EQ(test, vfio_pci_sriov_init(vdev), 0);
	ratelimit_set_flags(&vdev->refusals, RATELIMIT_MSG_ON_RELEASE);
	vdev->refusals.burst = 0;
	return vdev;
}

static void put_fn(struct vfio_pci_core_device *vdev)
{
	vfio_pci_sriov_uninit(vdev);
	put_device(&vdev->pdev->dev);
	vfio_put_device(&vdev->vdev);
}

static int sriov_test_init(struct kunit *test)
{
	struct sriov_test *t = kunit_kzalloc(test, sizeof(*t), GFP_KERNEL);
	int i;

	KUNIT_ASSERT_NOT_NULL(test, t);
	test->priv = t;
	for (i = 0; i < FUNCTIONS; i++)
		t->fn[i] = new_fn(test, t->fn[PF]);
	return 0;
}

static void sriov_test_exit(struct kunit *test)
{
	struct sriov_test *t = test->priv;
	int i;

	for (i = 0; t && i < FUNCTIONS && t->fn[i]; i++)
		put_fn(t->fn[i]);
}

/* An open that succeeds or fails if it is admitted */
static int get(struct vfio_pci_core_device *vdev, unsigned int token, bool opened)
{
	const struct vfio_admission_ops *ops = vdev->vdev.admission_ops;
	const uuid_t *uuid = token ? &tokens[token] : NULL;
	int ret = ops->get(&vdev->vdev, uuid);

	if (!ret)
		ops->end(&vdev->vdev, uuid, opened);
	return ret;
}

static void put(struct vfio_pci_core_device *vdev)
{
	vdev->vdev.admission_ops->put(&vdev->vdev);
}

static const struct call calls[] = {
	{ OPEN, PF, NONE }, { OPEN, PF, A }, { OPEN, PF, B }, { FAIL, PF, B },
	{ OPEN, VF0, NONE }, { OPEN, VF0, A }, { OPEN, VF0, B },
	{ OPEN, VF1, NONE }, { OPEN, VF1, A }, { OPEN, VF1, B },
	{ CLOSE, VF0 }, { CLOSE, VF1 }, { SET_TOKEN, PF, A }, { SET_TOKEN, PF, B },
};

#define CALLS_END (calls + ARRAY_SIZE(calls))

struct model {
	u8 token, opens[FUNCTIONS];
};

/* The rules, for one call at a time */
static int model_call(struct model *m, const struct call *c)
{
	bool in_use = m->opens[VF0] || m->opens[VF1];

	if (c->what <= FAIL) {
		if ((c->fn != PF || in_use) && c->token != m->token)
			return -EACCES;
		if (c->what == FAIL)
			return 0;
		if (c->token)
			m->token = c->token;
		m->opens[c->fn]++;
	} else if (c->what == CLOSE) {
		m->opens[c->fn]--;
	} else {
		m->token = c->token;
	}
	return 0;
}

static int kernel_call(struct sriov_test *t, const struct call *c)
{
	if (c->what <= FAIL)
		return get(t->fn[c->fn], c->token, c->what == OPEN);
	if (c->what == CLOSE)
		put(t->fn[c->fn]);
	else
		vfio_pci_pf_set_token(t->fn[PF]->pf, &tokens[c->token]);
	return 0;
}

static void unlock_and_compete(struct vfio_pci_pf *pf)
{
	struct sriov_test *t = current_test();
	const struct call *rival = t->rival;

	if (!rival || t->turn--)
		return;
	t->rival = NULL;
	t->rival_ret = kernel_call(t, rival);
}

static bool kernel_is(const struct vfio_pci_pf *pf, const struct model *m)
{
	return atomic_long_read(&pf->vf_opens) == m->opens[VF0] + m->opens[VF1] &&
	       (m->token == RANDOM || uuid_equal(&pf->token, &tokens[m->token]));
}

/* Do these results, and the state, follow from calling @a, then @b? */
static bool in_order(const struct vfio_pci_pf *pf, struct model m, const struct call *a, int ret_a,
		     const struct call *b, int ret_b)
{
	return model_call(&m, a) == ret_a && model_call(&m, b) == ret_b &&
	       kernel_is(pf, &m);
}

/* A close needs an open file, and another one if it competes with itself */
static bool can_call(const struct model *m, const struct call *c, const struct call *rival)
{
	return c->what != CLOSE || m->opens[c->fn] > (c == rival);
}

static void restore(struct vfio_pci_pf *pf, uuid_t token, long vf_opens)
{
	pf->token = token;
	atomic_long_set(&pf->vf_opens, vf_opens);
}

/* All sequences of @left more calls; the last one may be made inside another */
static bool explore(struct kunit *test, const struct model *m, int left)
{
	struct sriov_test *t = test->priv;
	struct vfio_pci_pf *pf = t->fn[PF]->pf;
	const long vf_opens = atomic_long_read(&pf->vf_opens);
	const uuid_t token = pf->token;
	const struct call *c, *r = NULL;
	struct model after;
	unsigned int turn;
	int ret;

	for (c = calls; c != CALLS_END; c++) {
		cond_resched();
		if (!left || !can_call(m, c, NULL))
			continue;
		for (r = calls; r != CALLS_END; r++) {
			/* At each release in turn, until there is none left */
			for (turn = 0; left > 1 && can_call(m, r, c); turn++) {
				restore(pf, token, vf_opens);
				t->rival = r;
				t->turn = turn;
				ret = kernel_call(t, c);
				if (t->rival)
					break;
				if (!in_order(pf, *m, c, ret, r, t->rival_ret) &&
				    !in_order(pf, *m, r, t->rival_ret, c, ret))
					goto bad;
			}
			t->rival = NULL;
		}
		r = NULL;
		restore(pf, token, vf_opens);
		after = *m;
		ret = kernel_call(t, c);
		if (ret != model_call(&after, c) || !kernel_is(pf, &after) ||
		    !explore(test, &after, left - 1))
			goto bad;
	}
	restore(pf, token, vf_opens);
	return true;
bad:
	kunit_err(test, "calls[%td], rival %td\n", c - calls, r ? r - calls : -1);
	return false;
}

static void short_sequences_match_model(struct kunit *test)
{
	kunit_activate_static_stub(test, vfio_pci_pf_unlock, unlock_and_compete);
	KUNIT_EXPECT_TRUE(test, explore(test, &(struct model){ .token = RANDOM }, 5));
}

static void look_and_free(struct vfio_pci_pf *pf)
{
	current_test()->wiped = uuid_is_null(&pf->token);
	kfree(pf);
}

static void token_is_random_and_wiped(struct kunit *test)
{
	struct sriov_test *t = test->priv;
	struct vfio_pci_core_device *pf = new_fn(test, NULL);

	KUNIT_EXPECT_FALSE(test, uuid_is_null(&pf->pf->token));
	KUNIT_EXPECT_FALSE(test, uuid_equal(&pf->pf->token, &t->fn[PF]->pf->token));
	kunit_activate_static_stub(test, vfio_pci_pf_free, look_and_free);
	put_fn(pf);
	KUNIT_EXPECT_TRUE(test, t->wiped);
}

static void registration_requires_admission(struct kunit *test)
{
	static const struct vfio_admission_ops incomplete[] = {
		{ .end = vfio_pci_sriov_end, .put = vfio_pci_sriov_put },
		{ .get = vfio_pci_sriov_get, .put = vfio_pci_sriov_put },
		{ .get = vfio_pci_sriov_get, .end = vfio_pci_sriov_end },
	};
	struct vfio_pci_core_device *vdev = new_vdev(test);
	int i;

	for (i = 0; i < 5; i++) {
		vdev->pdev->is_physfn = !i;
		vdev->pdev->is_virtfn = !!i;
		vdev->vdev.admission_ops = i < 2 ? NULL : &incomplete[i - 2];
		KUNIT_EXPECT_EQ(test, vfio_register_group_dev(&vdev->vdev), -EOPNOTSUPP);
	}
	put_fn(vdev);
}

static void token_outlives_pf(struct kunit *test)
{
	struct vfio_pci_core_device *pf = new_fn(test, NULL);
	struct vfio_pci_core_device *vf = new_fn(test, pf);

	KUNIT_EXPECT_EQ(test, get(pf, A, true), 0);
	put_fn(pf);
	KUNIT_EXPECT_EQ(test, get(vf, NONE, true), -EACCES);
	KUNIT_EXPECT_EQ(test, get(vf, A, false), 0);
	KUNIT_EXPECT_EQ(test, atomic_long_read(&vf->pf->vf_opens), 0);
	KUNIT_EXPECT_EQ(test, get(vf, A, true), 0);
	put(vf);
	put_fn(vf);
}

static void others_have_no_token(struct kunit *test)
{
	struct vfio_pci_core_device *vdev = new_vdev(test), *vf;

	KUNIT_EXPECT_EQ(test, vfio_pci_sriov_init(vdev), 0);
	KUNIT_EXPECT_NULL(test, vdev->pf);
	KUNIT_EXPECT_NULL(test, vdev->vdev.admission_ops);
	KUNIT_EXPECT_NULL(test, vdev->vdev.device.groups);
	vf = new_fn(test, vdev);
	KUNIT_EXPECT_EQ(test, get(vf, NONE, true), 0);
	put(vf);
	KUNIT_EXPECT_EQ(test, get(vf, A, true), -EINVAL);
	KUNIT_EXPECT_NULL(test, vf->vdev.device.groups);
	put_fn(vf);
	put_fn(vdev);
}

static const struct options_case {
	const char *options;
	int ret;
} options_cases[] = {
	{ "", 0 }, { "  ", 0 }, { TOKEN_A, 1 }, { "  " TOKEN_A "  ", 1 },
	{ "vf_token=BD8D9D2B-5A5F-4F5A-A211-F591514BA1F3", 1 },
	{ "vf_token", -EINVAL }, { "vf_token=", -EINVAL }, { "vf_token= " UUID_A, -EINVAL },
	{ "VF_TOKEN=" UUID_A, -EINVAL }, { UUID_A, -EINVAL }, { "x" TOKEN_A, -EINVAL },
	{ "x " TOKEN_A, -EINVAL }, { TOKEN_A " x", -EINVAL },
	{ "\t" TOKEN_A, -EINVAL }, { TOKEN_A "\n", -EINVAL }, { TOKEN_A ",", -EINVAL },
	{ TOKEN_A TOKEN_A, -EINVAL }, { TOKEN_A " " TOKEN_A, -EINVAL }, { TOKEN_A "0", -EINVAL },
	{ "vf_token=bd8d9d2b-5a5f-4f5a-a211-f591514ba1f", -EINVAL },
	{ "vf_token=bd8d9d2b5a5f4f5aa211f591514ba1f3", -EINVAL },
	{ "vf_token=bd8d9d2b-5a5f-4f5a-a211-f591514ba1fg", -EINVAL },
};

KUNIT_ARRAY_PARAM(options, options_cases, NULL);

static void options(struct kunit *test)
{
	const struct options_case *c = test->param_value;
	uuid_t uuid;
	const uuid_t *token = vfio_group_parse_options(c->options, strchr(c->options, 0), &uuid);
	int ret = IS_ERR(token) ? PTR_ERR(token) : !!token;

	KUNIT_EXPECT_EQ_MSG(test, ret, c->ret, "\"%s\"", c->options);
	if (!IS_ERR_OR_NULL(token))
		KUNIT_EXPECT_TRUE(test, uuid_equal(token, &tokens[A]));
}

static const struct bind_case {
	const char *desc;
	u32 argsz, flags;
	u8 tail;	/* the byte after the structure */
	int ret;	/* 1 if there is a token */
} bind_cases[] = {
	{ "short", 15, 0, 0, -EINVAL }, { "old", 16, 0, 0, 0 },
	{ "old with flag", 16, 1, 0, -EFAULT },
	{ "half a pointer", 20, 1, 0, -EFAULT },
	{ "no flag", 24, 0, 0, 0 }, { "flag", 24, 1, 1, 1 },
	{ "unknown flag", 24, 2, 0, -EINVAL },
	{ "longer", 25, 1, 0, 1 }, { "longer and set", 25, 1, 1, -E2BIG },
	{ "not mapped", 2 * PAGE_SIZE, 0, 0, -EFAULT },
};

KUNIT_ARRAY_PARAM_DESC(bind, bind_cases, desc);

static void bind(struct kunit *test)
{
	const struct bind_case *c = test->param_value;
	struct {
		uuid_t token;
		struct vfio_device_bind_iommufd bind;
		u8 tail;
	} mem = { tokens[A], { c->argsz, c->flags }, c->tail };
	unsigned long addr;
	uuid_t token;

	addr = kunit_vm_mmap(test, NULL, 0, PAGE_SIZE, PROT_READ | PROT_WRITE,
			     MAP_ANONYMOUS | MAP_PRIVATE, 0);
	KUNIT_ASSERT_FALSE(test, !addr || IS_ERR_VALUE(addr));
	mem.bind.token_uuid_ptr = addr;
	KUNIT_ASSERT_EQ(test, copy_to_user((void __user *)addr, &mem, sizeof(mem)), 0);
	addr += offsetof(typeof(mem), bind);
	KUNIT_EXPECT_EQ(test, c->ret, vfio_df_copy_bind((void __user *)addr, &mem.bind, &token));
	if (c->ret == 1)
		KUNIT_EXPECT_TRUE(test, uuid_equal(&token, &tokens[A]));
}

static int set_override(struct pci_dev *vf, const char *name)
{
	KUNIT_EXPECT_STREQ(kunit_get_current_test(), name, "kunit-driver");
	return vf == current_test()->lost ? -ENOMEM : 0;
}

static int set_numvfs(struct pci_dev *pdev, int nr_virtfn)
{
	struct sriov_test *t = current_test();
	int i;

	t->numvfs = nr_virtfn;
	for (i = 0; i < nr_virtfn; i++)
		vfio_pci_sriov_notify(NULL, BUS_NOTIFY_ADD_DEVICE, &t->fn[VF0 + i]->pdev->dev);
	return nr_virtfn ? t->enable_ret : 0;
}

static void check_configure(struct kunit *test, int nr_virtfn, int ret)
{
	struct sriov_test *t = test->priv;
	struct device *dev = &t->fn[PF]->pdev->dev;

	kunit_activate_static_stub(test, vfio_pci_sriov_override, set_override);
	kunit_activate_static_stub(test, vfio_pci_sriov_set_numvfs, set_numvfs);
	pm_runtime_set_active(dev);
	pm_runtime_enable(dev);
	pm_runtime_disable(dev);	/* so that it is never suspended */
	device_lock(dev);
	KUNIT_EXPECT_EQ(test, vfio_pci_core_sriov_configure(t->fn[PF], nr_virtfn), ret);
	KUNIT_EXPECT_TRUE(test, ret <= 0 || vfio_pci_core_sriov_configure(t->fn[PF], 1) == -EINVAL);
	device_unlock(dev);

	/* Awake exactly as long as it has VFs */
	down_write(&t->fn[PF]->memory_lock);
	KUNIT_EXPECT_EQ(test, vfio_pci_set_power_state(t->fn[PF], PCI_D3hot) == -EBUSY, ret > 0);
	up_write(&t->fn[PF]->memory_lock);
#ifdef CONFIG_PM
	KUNIT_EXPECT_EQ(test, atomic_read(&dev->power.usage_count), ret > 0);
#endif
}

static void pf_with_vfs_stays_awake(struct kunit *test)
{
	check_configure(test, 2, 2);
	check_configure(test, 0, 0);
	KUNIT_EXPECT_EQ(test, current_test()->numvfs, 0);

	current_test()->enable_ret = -ENOSPC;
	check_configure(test, 2, -ENOSPC);
}

static void failed_capture_fails_enable(struct kunit *test)
{
	struct sriov_test *t = test->priv;
	struct pci_dev *vf[] = { t->fn[VF0]->pdev, t->fn[VF1]->pdev };
	int i;

	for (i = 0; i < 2; i++) {
		vf[i]->dev.bus = NULL;
		vf[i]->dev.init_name = i ? "vfio-pci-kunit-1" : "vfio-pci-kunit-0";
		KUNIT_ASSERT_EQ(test, device_add(&vf[i]->dev), 0);
	}
	t->lost = vf[1];
	check_configure(test, 2, -ENOMEM);
	KUNIT_EXPECT_EQ(test, t->numvfs, 0);
	for (i = 0; i < 2; i++) {
		device_lock(&vf[i]->dev);
		KUNIT_EXPECT_EQ(test, kill_device(&vf[i]->dev), i == 0);	/* false: dead */
		device_unlock(&vf[i]->dev);
		device_del(&vf[i]->dev);
	}
}

static struct kunit_case vfio_pci_sriov_cases[] = {
	KUNIT_CASE(short_sequences_match_model),
	KUNIT_CASE(token_is_random_and_wiped),
	KUNIT_CASE(registration_requires_admission),
	KUNIT_CASE(token_outlives_pf),
	KUNIT_CASE(others_have_no_token),
	KUNIT_CASE_PARAM(options, options_gen_params),
	KUNIT_CASE_PARAM(bind, bind_gen_params),
	KUNIT_CASE(pf_with_vfs_stays_awake),
	KUNIT_CASE(failed_capture_fails_enable),
	{}
};

static struct kunit_suite vfio_pci_sriov_suite = {
	.name = "vfio_pci_sriov",
	.init = sriov_test_init,
	.exit = sriov_test_exit,
	.test_cases = vfio_pci_sriov_cases,
};

kunit_test_suite(vfio_pci_sriov_suite);
