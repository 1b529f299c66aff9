// SPDX-License-Identifier: GPL-2.0-only
/*
 * Unit tests of the VF token: rules, counts and options, with no hardware.
 */

#include <kunit/static_stub.h>
#include <kunit/test.h>
#include <kunit/visibility.h>
#include <linux/delay.h>
#include <linux/kthread.h>
#include <linux/pci.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/vfio.h>
#include <linux/vfio_pci_core.h>

#include "../vfio.h"
#include "vfio_pci_sriov.h"

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
