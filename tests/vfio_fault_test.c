// SPDX-License-Identifier: GPL-2.0-only
/*
 * Calls that run out of memory.  Each allocation of a call fails in turn, the
 * first, the second and so on, until the call ends without a failed one.
 * Either the call returns an error and changes nothing, or it copes and
 * succeeds; and no VF is ever bound to a host driver.
 *
 * Only the allocations of the calling task count.  It also probes devices,
 * unless they are at a NUMA node.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "kselftest_harness.h"
#include "lib/bench.h"
#include "lib/fault.h"
#include "lib/klog.h"
#include "lib/user.h"

/* Hundreds of calls, most of which reset a device. */
#define TEST_SECONDS	7200	/* all of them; with KASAN they take long */
#define CALL_SECONDS	120	/* one call and the checks after it */
/* With two, one is there already when the allocations of the second fail. */
#define NR_VFS		2
#define RECORD_LEN	8192

#define VFIO_PCI_DRIVER	"/sys/bus/pci/drivers/" VFIO_PCI

static const char *pf = bench.pf;

struct state {
	char vf[NR_VFS][PCI_ADDR_LEN];
	int log;
	char host_driver[PCI_DRIVER_LEN];	/* of a VF without an override */
	int file;			/* that a call writes to */
	struct user user;		/* that opens in a call */
	enum open_path path;
	char token[TOKEN_TEXT_LEN];	/* of the PF, as far as is known */
	char next[TOKEN_TEXT_LEN];	/* that a call sets */
};

/* A call, and functions that name what it has left wrong, or return NULL. */
struct call {
	const char *name;
	/* Return 0 or a negative errno; the first is not short of memory. */
	int (*prepare)(struct state *state);
	int (*run)(struct state *state);
	const char *(*done)(struct state *state);
	const char *(*undone)(struct state *state);
	bool never_allocates;
	/* Where allocations count: see fault_below(). */
	const char *only;
	const char *only_with_dt;
	const char *not_first;
	const char *not_last;
};

/*
 * Linux itself complains if it runs out of memory here, whatever the caller:
 * vfio_create_group() warns of the reference that its error path forgets.
 */
#define NOT_CREATE_GROUP						\
	.not_first = "vfio_create_group"

/* -------------------------------------------------------- how things are */

static bool bound(const char *addr, const char *driver)
{
	char now[PCI_DRIVER_LEN];

	return !strcmp(pci_driver(addr, now), driver);
}

static const char *wrong_vf(const char *vf)
{
	char override[PCI_DRIVER_LEN];

	if (strcmp(pci_override(vf, override), VFIO_PCI))
		return "a VF is there without driver_override";
	if (!bound(vf, VFIO_PCI) && !bound(vf, ""))
		return "a VF is bound to a host driver";
	return NULL;
}

static const char *vfs_are_there(struct state *state)
{
	const char *wrong = NULL;
	int i;

	if (pci_read_int(pf, "sriov_numvfs") != NR_VFS)
		return "sriov_numvfs is not what was written";
	for (i = 0; i < NR_VFS && !wrong; i++)
		wrong = pci_exists(state->vf[i]) ? wrong_vf(state->vf[i]) :
						   "a VF is missing";
	return wrong;
}

static const char *vfs_are_gone(struct state *state)
{
	int i;

	if (pci_read_int(pf, "sriov_numvfs"))
		return "sriov_numvfs is not 0";
	for (i = 0; i < NR_VFS; i++)
		if (pci_exists(state->vf[i]))
			return "a VF is still there";
	return NULL;
}

/* The log lines of a probe name the driver and the device. */
static bool host_driver_had(struct state *state, const char *record)
{
	int i;

	for (i = 0; i < NR_VFS; i++)
		if (strstr(record, state->vf[i]) &&
		    strstr(record, state->host_driver))
			return true;
	return false;
}

static const char *vfs_were_kept(struct state *state)
{
	char record[RECORD_LEN];

	while (klog_next(state->log, record, sizeof(record)))
		if (host_driver_had(state, record))
			return "a host driver got a VF";
	return NULL;
}

/* ------------------------------------------ the PF is bound and unbound */

static int open_to_write(struct state *state, const char *path)
{
	state->file = open(path, O_WRONLY | O_CLOEXEC);
	return state->file < 0 ? -errno : 0;
}

static int open_numvfs(struct state *state)
{
	char path[128];

	snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/sriov_numvfs",
		 pf);
	return open_to_write(state, path);
}

static int write_text(struct state *state, const char *text)
{
	return write(state->file, text, strlen(text)) < 0 ? -errno : 0;
}

static int write_pf(struct state *state)
{
	return write_text(state, pf);
}

static int prepare_bind(struct state *state)
{
	int ret = pci_unbind(pf);

	return ret ? ret : open_to_write(state, VFIO_PCI_DRIVER "/bind");
}

/*
 * Without memory for a node in /dev the kernel continues, and udev would make
 * the node again.  Without it, one path to the device is missing.
 */
static const char *pf_is_there(struct state *state)
{
	char cdev[64];

	if (!bound(pf, VFIO_PCI))
		return "the PF is not bound";
	if (pci_vfio_cdev(pf, cdev, sizeof(cdev)))
		return "the PF has no vfio-dev";
	if (try_open(OPEN_CDEV, pf, TOKEN_1) &&
	    try_open(OPEN_TYPE1, pf, TOKEN_1))
		return "the PF can't be opened";
	return NULL;
}

static const char *pf_is_gone(struct state *state)
{
	char cdev[64];

	if (!bound(pf, ""))
		return "the PF is bound";
	if (!pci_vfio_cdev(pf, cdev, sizeof(cdev)))
		return "the PF still has a vfio-dev";
	return vfs_are_gone(state);
}

static const struct call bind = {
	.name = "bind of the PF",
	NOT_CREATE_GROUP,
	.prepare = prepare_bind,
	.run = write_pf,
	.done = pf_is_there,
	.undone = pf_is_gone,
};

static int prepare_unbind(struct state *state)
{
	int ret = 0;

	if (!bound(pf, VFIO_PCI))
		ret = pci_bind(pf, VFIO_PCI);
	if (!ret && !pci_read_int(pf, "sriov_numvfs"))
		ret = bench_enable_vfs(NR_VFS);
	return ret ? ret : open_to_write(state, VFIO_PCI_DRIVER "/unbind");
}

static const char *pf_and_vfs_are_there(struct state *state)
{
	return bound(pf, VFIO_PCI) ? vfs_are_there(state) :
				     "the PF is not bound";
}

static const struct call unbind = {
	.name = "unbind of the PF with VFs",
	.prepare = prepare_unbind,
	.run = write_pf,
	.done = pf_is_gone,
	.undone = pf_and_vfs_are_there,
};

/* ------------------------------------- the VFs are enabled and disabled */

static int prepare_enable(struct state *state)
{
	int ret = bench_disable_vfs();

	return ret ? ret : open_numvfs(state);
}

static int run_enable(struct state *state)
{
	char text[16];

	snprintf(text, sizeof(text), "%d", NR_VFS);
	return write_text(state, text);
}

/*
 * Linux itself cannot add a PCI device without memory, whatever the caller: the
 * PCI core continues with a device that has no name or that the driver core
 * refused, and frees its resource files twice; the IOMMU code warns, or frees
 * memory that it does not have.  Therefore fail no allocation from
 * pci_setup_device() to pci_bus_add_device(), except those for vfio-pci: in its
 * notifier, and in its probe.  With a device tree the IOMMU is set up just
 * before the probe.
 */
#define ENABLE								\
	.prepare = prepare_enable,					\
	.run = run_enable,						\
	.done = vfs_are_there,						\
	.undone = vfs_are_gone

static const struct call enable = {
	.name = "sriov_numvfs to 2",
	.not_first = "pci_bus_add_device",
	.not_last = "pci_device_add",
	ENABLE,
};

static const struct call enable_alloc = {
	.name = "sriov_numvfs to 2, pci_alloc_dev()",
	.only = "pci_alloc_dev",
	ENABLE,
};

static const struct call enable_capture = {
	.name = "sriov_numvfs to 2, the notifier of vfio-pci",
	.only = "vfio_pci_sriov_notify",
	ENABLE,
};

static const struct call enable_probe = {
	.name = "sriov_numvfs to 2, the probe of the VFs",
	.only = "__device_attach",
	.only_with_dt = "pci_device_probe",
	NOT_CREATE_GROUP,
	ENABLE,
};

static int prepare_disable(struct state *state)
{
	int ret = 0;

	if (!pci_read_int(pf, "sriov_numvfs"))
		ret = bench_enable_vfs(NR_VFS);
	return ret ? ret : open_numvfs(state);
}

static int run_disable(struct state *state)
{
	return write_text(state, "0");
}

static const struct call disable = {
	.name = "sriov_numvfs to 0",
	.prepare = prepare_disable,
	.run = run_disable,
	.done = vfs_are_gone,
	.undone = vfs_are_there,
};

/* ---------------------------------------------------------------- opens */

static bool opens_vf(struct state *state, const char *token)
{
	return !try_open(OPEN_CDEV, state->vf[0], token);
}

static bool opens_pf(const char *token)
{
	return !try_open(OPEN_CDEV, pf, token);
}

static int open_as_user(struct state *state, const char *addr,
			const char *token)
{
	int ret;

	ret = user_init(&state->user, state->path, addr);
	if (ret)
		return ret;
	ret = user_open(&state->user, token);
	if (ret)
		user_exit(&state->user);
	return ret;
}

static int have_vfs(void)
{
	return pci_read_int(pf, "sriov_numvfs") ? 0 : bench_enable_vfs(NR_VFS);
}

/* A different token is set only while no VF is in use. */
static int prepare_open_vf(struct state *state)
{
	int ret = have_vfs();

	token_random(state->token);
	return ret ? ret : try_open(OPEN_CDEV, pf, state->token);
}

static int run_open_vf(struct state *state)
{
	return open_as_user(state, state->vf[0], state->token);
}

static const char *vf_is_open(struct state *state)
{
	const char *wrong = NULL;

	if (opens_pf(TOKEN_1))
		wrong = "an open VF does not count as in use";
	else if (!opens_pf(state->token))
		wrong = "the token is not what it was";
	user_exit(&state->user);
	return wrong;
}

static const char *vf_is_closed(struct state *state)
{
	if (!opens_pf(TOKEN_2))
		return "a VF that is not open counts as in use";
	return NULL;
}

static const struct call open_vf = {
	.name = "open of a VF",
	.prepare = prepare_open_vf,
	.run = run_open_vf,
	.done = vf_is_open,
	.undone = vf_is_closed,
};

static int prepare_open_pf(struct state *state)
{
	int ret = have_vfs();

	token_random(state->token);
	token_random(state->next);
	return ret ? ret : try_open(OPEN_CDEV, pf, state->token);
}

static int run_open_pf(struct state *state)
{
	return open_as_user(state, pf, state->next);
}

static const char *token_is_next(struct state *state)
{
	if (opens_vf(state, state->token))
		return "the token is the old one";
	if (!opens_vf(state, state->next))
		return "the token is neither the old one nor the new one";
	return NULL;
}

static const char *pf_is_open(struct state *state)
{
	const char *wrong = token_is_next(state);

	user_exit(&state->user);
	return wrong;
}

static const char *pf_is_closed(struct state *state)
{
	if (!opens_vf(state, state->token))
		return "the token is not the old one";
	return opens_vf(state, state->next) ? "two tokens are right" : NULL;
}

/* Without memory, ACPI frees its data about the PF's interrupts twice. */
static const struct call open_pf = {
	.name = "open of the PF with a token",
	.not_first = "acpi_get_irq_routing_table",
	.prepare = prepare_open_pf,
	.run = run_open_pf,
	.done = pf_is_open,
	.undone = pf_is_closed,
};

/* ------------------------------------------------------------ the feature */

static int prepare_set_token(struct state *state)
{
	int ret = have_vfs();

	token_random(state->token);
	token_random(state->next);
	return ret ? ret : open_as_user(state, pf, state->token);
}

static int run_set_token(struct state *state)
{
	return device_set_token(state->user.device, state->next);
}

static const char *set_token_failed(struct state *state)
{
	user_exit(&state->user);
	return "it takes no memory to set a token";
}

static const struct call set_token = {
	.name = "set of the token",
	.prepare = prepare_set_token,
	.run = run_set_token,
	.done = pf_is_open,
	.undone = set_token_failed,
	.never_allocates = true,
};

/* ------------------------------------------------------- all one by one */

FIXTURE(failing)
{
	struct state state;
	int users;	/* of the PF, as runtime PM counts them */
};

FIXTURE_VARIANT(failing)
{
	const struct call *call;
	enum open_path path;
};

FIXTURE_VARIANT_ADD(failing, bind) {
	.call = &bind,
	.path = OPEN_CDEV,
};

FIXTURE_VARIANT_ADD(failing, unbind) {
	.call = &unbind,
	.path = OPEN_CDEV,
};

FIXTURE_VARIANT_ADD(failing, enable) {
	.call = &enable,
	.path = OPEN_CDEV,
};

FIXTURE_VARIANT_ADD(failing, enable_alloc) {
	.call = &enable_alloc,
	.path = OPEN_CDEV,
};

FIXTURE_VARIANT_ADD(failing, enable_capture) {
	.call = &enable_capture,
	.path = OPEN_CDEV,
};

FIXTURE_VARIANT_ADD(failing, enable_probe) {
	.call = &enable_probe,
	.path = OPEN_CDEV,
};

FIXTURE_VARIANT_ADD(failing, disable) {
	.call = &disable,
	.path = OPEN_CDEV,
};

FIXTURE_VARIANT_ADD(failing, open_vf_type1) {
	.call = &open_vf,
	.path = OPEN_TYPE1,
};

FIXTURE_VARIANT_ADD(failing, open_vf_compat) {
	.call = &open_vf,
	.path = OPEN_COMPAT,
};

FIXTURE_VARIANT_ADD(failing, open_vf_cdev) {
	.call = &open_vf,
	.path = OPEN_CDEV,
};

FIXTURE_VARIANT_ADD(failing, open_pf_type1) {
	.call = &open_pf,
	.path = OPEN_TYPE1,
};

FIXTURE_VARIANT_ADD(failing, open_pf_compat) {
	.call = &open_pf,
	.path = OPEN_COMPAT,
};

FIXTURE_VARIANT_ADD(failing, open_pf_cdev) {
	.call = &open_pf,
	.path = OPEN_CDEV,
};

FIXTURE_VARIANT_ADD(failing, set_token) {
	.call = &set_token,
	.path = OPEN_CDEV,
};

/*
 * The driver that binds to a VF without driver_override.  nvme matches every
 * device of its class, but trying it costs the time that it waits for the VF to
 * be ready.
 */
static bool find_host_driver(struct state *state)
{
	const char *vf = state->vf[0];
	char vendor[16], device[16], id[40];

	if (pci_read_int(vf, "class") == 0x010802 && pci_driver_exists("nvme")) {
		snprintf(state->host_driver, PCI_DRIVER_LEN, "nvme");
		return true;
	}
	/* For VFs that no other driver matches. */
	if (!pci_read(vf, "vendor", vendor, sizeof(vendor)) &&
	    !pci_read(vf, "device", device, sizeof(device))) {
		snprintf(id, sizeof(id), "%s %s", vendor + 2, device + 2);
		file_write("/sys/bus/pci/drivers/pci-stub/new_id", id);
	}
	if (pci_unbind(vf) || pci_set_override(vf, "") || pci_probe(vf))
		return false;
	pci_driver(vf, state->host_driver);
	return !pci_move_to(vf, VFIO_PCI) && state->host_driver[0] &&
	       strcmp(state->host_driver, VFIO_PCI);
}

FIXTURE_SETUP(failing)
{
	const char *only = variant->call->only;
	int i;

	if (!fault_supported())
		SKIP(return, "this kernel can't fail allocations");
	if (variant->call->only_with_dt && !access("/proc/device-tree", F_OK))
		only = variant->call->only_with_dt;
	ASSERT_EQ(0, fault_setup());
	ASSERT_EQ(0, fault_below(only, variant->call->not_first,
				 variant->call->not_last));
	self->state.path = variant->path;
	self->users = pci_read_int(pf, "power/runtime_usage");
	/* Find the addresses of the VFs. */
	ASSERT_EQ(0, bench_enable_vfs(NR_VFS));
	ASSERT_EQ(NR_VFS, bench.nr_vfs);
	for (i = 0; i < NR_VFS; i++)
		memcpy(self->state.vf[i], bench.vf[i], PCI_ADDR_LEN);
	ASSERT_TRUE(find_host_driver(&self->state))
		TH_LOG("no host driver takes a VF that is not captured");
	self->state.log = klog_mark();
	ASSERT_LE(0, self->state.log);
}

/* Everything works as before, whatever failed, and the PF may sleep. */
FIXTURE_TEARDOWN(failing)
{
	alarm(0);
	fault_disarm();
	if (!bound(pf, VFIO_PCI))
		EXPECT_EQ(0, pci_bind(pf, VFIO_PCI));
	EXPECT_EQ(0, bench_disable_vfs());
	EXPECT_EQ(0, try_open(OPEN_CDEV, pf, TOKEN_1));
	EXPECT_EQ(0, bench_enable_vfs(1));
	EXPECT_EQ(0, try_open(OPEN_CDEV, bench.vf[0], TOKEN_1));
	EXPECT_EQ(0, bench_disable_vfs());
	EXPECT_EQ(self->users, pci_read_int(pf, "power/runtime_usage"));
	close(self->state.log);
}

static const char *check(struct state *state, const struct call *call, int ret)
{
	const char *wrong;

	wrong = ret ? call->undone(state) : call->done(state);
	return wrong ? wrong : vfs_were_kept(state);
}

/* One run, whose @nth allocation fails; true if it was reached. */
static bool run(struct __test_metadata *_metadata, struct state *state,
		const struct call *call, unsigned int nth, int *ret)
{
	const char *wrong;
	int failed;

	state->file = -1;
	alarm(CALL_SECONDS);
	ASSERT_EQ(0, call->prepare(state))
		TH_LOG("before allocation %u of %s", nth, call->name);
	ASSERT_EQ(0, fault_arm(nth));
	*ret = call->run(state);
	failed = fault_disarm();
	ASSERT_LE(0, failed);
	if (state->file >= 0)
		close(state->file);
	if (!failed)
		ASSERT_EQ(0, *ret);

	wrong = check(state, call, *ret);
	if (wrong)
		TH_LOG("%s: allocation %u failed: %d: %s", call->name, nth,
		       *ret, wrong);
	ASSERT_TRUE(!wrong);
	return failed;
}

TEST_F_TIMEOUT(failing, each_allocation, TEST_SECONDS)
{
	const struct call *call = variant->call;
	unsigned int nth, copes = 0;
	int ret;

	for (nth = 1; run(_metadata, &self->state, call, nth, &ret); nth++) {
		if (!ret)
			copes++;
		else if (ret != -ENOMEM)
			TH_LOG("%s: allocation %u failed: %s", call->name, nth,
			       strerror(-ret));
	}
	ksft_print_msg("%s: %u allocations failed, the call copes with %u\n",
		       call->name, nth - 1, copes);
	EXPECT_EQ(call->never_allocates, nth == 1);
}

int main(int argc, char **argv)
{
	return bench_run(argc, argv, 0, test_harness_run);
}
