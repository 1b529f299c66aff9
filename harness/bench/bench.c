// SPDX-License-Identifier: GPL-2.0-only
/*
 * What opens, tokens and VFs cost, in instructions of a guest whose CPU time
 * counts them (tests/machines/count.sh).  One line a case: its name, what the kernel
 * answered (ok or an errno's name), and the least of some repetitions.
 *
 * Single calls are counted by the time stamp counter, which is one more with
 * each instruction there.  What sleeps is counted by the CPU time of this
 * thread.
 */
#include <errno.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <linux/types.h>
#include <linux/vfio.h>

#include "die.h"
#include "pci.h"
#include "user.h"

#define REPEATS		5
#define MAX_PFS		32
#define LOG_BURST	10	/* lines that the kernel logs ... */
#define LOG_INTERVAL	5	/* ... in this many seconds */

static char pfs[MAX_PFS][PCI_ADDR_LEN];
static int nr_pfs;
static const char *pf = pfs[0];
static char vf[PCI_ADDR_LEN];

static __u64 counter(void)
{
	__u32 low, high;

	asm volatile("rdtsc" : "=a" (low), "=d" (high) : : "memory");
	return (__u64)high << 32 | low;
}

static __u64 cpu_time(void)
{
	struct timespec now;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
	return now.tv_sec * 1000000000ULL + now.tv_nsec;
}

/* Printed at the end: a line on the console is work, too. */
static char report[16384];
static size_t report_len;

static void result(int ret, __u64 cost, const char *format, ...)
{
	char name[64];
	va_list args;

	va_start(args, format);
	vsnprintf(name, sizeof(name), format, args);
	va_end(args);
	report_len += snprintf(report + report_len, sizeof(report) - report_len,
			       "%s\t%s\t%llu\n", name,
			       ret < 0 ? strerrorname_np(-ret) : "ok",
			       (unsigned long long)cost);
	if (report_len >= sizeof(report))
		die("report", -ENOSPC);
}

/* ------------------------------------------------------------ single calls */

/* What is called again and again; the cost goes to @cost. */
struct call {
	int (*run)(struct call *call, __u64 *cost);
	int fd;
	const void *arg;
	__u32 flags;
};

static int open_by_group(struct call *call, __u64 *cost)
{
	__u64 start = counter();
	int fd = group_get_device(call->fd, call->arg);

	*cost = counter() - start;
	if (fd < 0)
		return fd;
	close(fd);
	return 0;
}

static int open_and_close(struct call *call, __u64 *cost)
{
	__u64 start = counter();
	int fd = group_get_device(call->fd, call->arg);

	if (fd >= 0)
		close(fd);
	*cost = counter() - start;
	return fd < 0 ? fd : 0;
}

static int set_token(struct call *call, __u64 *cost)
{
	__u64 start = counter();
	int ret = device_feature(call->fd, VFIO_DEVICE_FEATURE_SET, call->arg,
				 TOKEN_BYTES);

	*cost = counter() - start;
	return ret;
}

struct bind_request {
	const char *addr;
	int iommufd;
	const char *token;
};

/* What opens is closed again, so that each repetition is a first open. */
static int bind_cdev(struct call *call, __u64 *cost)
{
	const struct bind_request *request = call->arg;
	struct vfio_device_bind_iommufd bind = {
		.argsz = sizeof(bind),
		.flags = call->flags,
		.iommufd = request->iommufd,
	};
	unsigned char bytes[TOKEN_BYTES];
	__u64 start;
	int cdev, ret;

	if (request->token) {
		must("token", token_parse(request->token, bytes));
		bind.token_uuid_ptr = (uintptr_t)bytes;
	}
	cdev = cdev_open(request->addr);
	must("cdev", cdev);
	start = counter();
	ret = cdev_bind(cdev, &bind);
	*cost = counter() - start;
	close(cdev);
	return ret;
}

static int least(struct call *call, __u64 *best)
{
	__u64 cost;
	int i, ret = 0;

	*best = UINT64_MAX;
	for (i = 0; i < REPEATS; i++) {
		ret = call->run(call, &cost);
		if (cost < *best)
			*best = cost;
	}
	return ret;
}

static void measure(const char *name, struct call *call)
{
	__u64 cost;
	int ret;

	call->run(call, &cost);	/* what the first one finds cold */
	ret = least(call, &cost);
	result(ret, cost, "%s", name);
}

/*
 * A refusal that may be logged.  A new interval begins: one call takes what the
 * kernel has to say about lines that it left out before, the next ones are
 * logged, and after some more none is.
 */
static void measure_refusal(const char *name, struct call *call)
{
	__u64 cost;
	int i, ret;

	sleep(LOG_INTERVAL + 1);
	call->run(call, &cost);
	ret = least(call, &cost);
	result(ret, cost, "%s logged", name);
	for (i = 0; i < LOG_BURST; i++)
		call->run(call, &cost);
	ret = least(call, &cost);
	result(ret, cost, "%s limited", name);
}

/* @how is measure() for what no kernel logs. */
static void measure_open(void (*how)(const char *name, struct call *call),
			 const char *name, int group, const char *request)
{
	struct call call = {
		.run = open_by_group, .fd = group, .arg = request,
	};

	how(name, &call);
}

static void measure_reopen(const char *name, int group, const char *request)
{
	struct call call = {
		.run = open_and_close, .fd = group, .arg = request,
	};

	measure(name, &call);
}

static void measure_bind(void (*how)(const char *name, struct call *call),
			 const char *name, int iommufd, __u32 flags,
			 const char *token)
{
	struct bind_request request = {
		.addr = vf, .iommufd = iommufd, .token = token,
	};
	struct call call = {
		.run = bind_cdev, .arg = &request, .flags = flags,
	};

	how(name, &call);
}

static const char *request_for(const char *addr, const char *option)
{
	static char request[256];

	snprintf(request, sizeof(request), "%s%s", addr, option);
	return request;
}

#define GIVING(token)	" vf_token=" token

static void group_refusals(void)
{
	struct user user;

	must("VF's group", user_init(&user, OPEN_TYPE1, vf));
	measure_open(measure_refusal, "VF open refused, no token",
		     user.group, request_for(vf, ""));
	measure_open(measure_refusal, "VF open refused, wrong token",
		     user.group, request_for(vf, GIVING(TOKEN_2)));
	measure_open(measure_refusal, "VF open refused, malformed token",
		     user.group, request_for(vf, GIVING("7d9e0c3a-52b4")));
	measure_open(measure_refusal, "VF open refused, unknown option",
		     user.group, request_for(vf, " token=" TOKEN_1));
	measure_open(measure, "VF open refused, unknown device",
		     user.group, request_for("0000:ff:1f.7", ""));
	user_exit(&user);
}

static void opens_beside_a_vf_in_use(void)
{
	static unsigned char token[TOKEN_BYTES];
	struct user vf_user, pf_user;
	struct call feature = { .run = set_token, .arg = token };

	must("token", token_parse(TOKEN_1, token));
	must("VF's group", user_init(&vf_user, OPEN_TYPE1, vf));
	must("PF's group", user_init(&pf_user, OPEN_TYPE1, pf));
	must("VF", user_open(&vf_user, TOKEN_1));
	measure_open(measure_refusal, "PF open refused, no token",
		     pf_user.group, request_for(pf, ""));
	measure_open(measure_refusal, "PF open refused, wrong token",
		     pf_user.group, request_for(pf, GIVING(TOKEN_2)));
	must("PF", user_open(&pf_user, TOKEN_1));
	measure_reopen("VF opened again and closed", vf_user.group,
		       request_for(vf, GIVING(TOKEN_1)));
	measure_reopen("PF opened again and closed", pf_user.group,
		       request_for(pf, GIVING(TOKEN_1)));
	feature.fd = pf_user.device;
	measure("token set by feature", &feature);
	user_exit(&pf_user);
	user_exit(&vf_user);
}

#define UNKNOWN_FLAG	0x80000000

static void cdev_refusals(void)
{
	int iommufd = iommufd_open();

	must("iommufd", iommufd);
	measure_bind(measure_refusal, "VF bind refused, no token",
		     iommufd, 0, NULL);
	measure_bind(measure_refusal, "VF bind refused, wrong token",
		     iommufd, VFIO_DEVICE_BIND_FLAG_TOKEN, TOKEN_2);
	measure_bind(measure_refusal, "VF bind refused, unknown flag",
		     iommufd, UNKNOWN_FLAG, NULL);
	measure_bind(measure, "VF bind refused, no iommufd", -1, 0,
		     NULL);
	close(iommufd);
}

static void single_calls(void)
{
	must("PF's token", try_open(OPEN_TYPE1, pf, TOKEN_1));
	must("VFs", pci_set_numvfs(pf, 1));
	must("VF", pci_vf(pf, 0, vf));
	group_refusals();
	opens_beside_a_vf_in_use();
	cdev_refusals();
	must("no VFs", pci_set_numvfs(pf, 0));
}

/* -------------------------------------------------- devices that come and go */

static void measure_vfs(const char *what, int nr_vfs)
{
	__u64 start, cost, enable = UINT64_MAX, disable = UINT64_MAX;
	int i;

	for (i = 0; i < REPEATS; i++) {
		start = cpu_time();
		must("enable VFs", pci_set_numvfs(pf, nr_vfs));
		cost = cpu_time() - start;
		if (cost < enable)
			enable = cost;
		start = cpu_time();
		must("disable VFs", pci_set_numvfs(pf, 0));
		cost = cpu_time() - start;
		if (cost < disable)
			disable = cost;
	}
	result(0, enable, "%s: %d VFs enabled", what, nr_vfs);
	result(0, disable, "%s: %d VFs disabled", what, nr_vfs);
}

/* @addr is looked for on its bus, "dddd:bb"; nothing sleeps in that. */
static void measure_new_device(const char *what, const char *addr)
{
	__u64 start, cost, best = UINT64_MAX;
	char rescan[64];
	int i;

	snprintf(rescan, sizeof(rescan), "/sys/class/pci_bus/%.7s/rescan", addr);
	for (i = 0; i < REPEATS; i++) {
		must("remove", pci_write(addr, "remove", "1"));
		start = counter();
		must("rescan", file_write(rescan, "1"));
		cost = counter() - start;
		if (cost < best)
			best = cost;
		if (!pci_exists(addr))
			die(addr, -ENODEV);
	}
	result(0, best, "%s: a device that is no VF added", what);
}

static void keep_bound(int nr)
{
	while (nr_pfs > nr)
		must("unbind", pci_unbind(pfs[--nr_pfs]));
}

static void count_igb(const char *plain)
{
	static const int steps[] = { 14, 8, 1, 0 };
	char what[32];
	int i;

	single_calls();
	for (i = 0; steps[i]; i++) {
		if (steps[i] > nr_pfs)
			die("PFs", -ENODEV);
		keep_bound(steps[i]);
		snprintf(what, sizeof(what), "igb, %d PFs", steps[i]);
		measure_new_device(what, plain);
		measure_vfs(what, pci_read_int(pf, "sriov_totalvfs"));
	}
}

/* Of all VFs, one after the other, each with the token, the dearest */
static void measure_vf_opens(const char *what, int nr_vfs)
{
	struct user user;
	__u64 start, cost, most = 0;
	int i;

	must("PF's token", try_open(OPEN_TYPE1, pf, TOKEN_1));
	must("enable VFs", pci_set_numvfs(pf, nr_vfs));
	for (i = 0; i < nr_vfs; i++) {
		must("VF", pci_vf(pf, i, vf));
		must("VF's group", user_init(&user, OPEN_TYPE1, vf));
		start = cpu_time();
		must("open of a VF", user_open(&user, TOKEN_1));
		cost = cpu_time() - start;
		user_exit(&user);
		if (cost > most)
			most = cost;
	}
	must("no VFs", pci_set_numvfs(pf, 0));
	result(0, most, "%s: a VF of %d opened", what, nr_vfs);
}

static void count_vfs(const char *what, char **numbers)
{
	int nr_vfs;

	for (; *numbers; numbers++) {
		nr_vfs = atoi(*numbers);
		measure_vfs(what, nr_vfs);
		if (!strcmp(what, "virtio-net"))
			measure_vf_opens(what, nr_vfs);
	}
}

static void list_pfs(void)
{
	char bound[MAX_PFS][PCI_ADDR_LEN];
	int i, n;

	n = pci_list_bound(VFIO_PCI, bound, MAX_PFS);
	for (i = 0; i < n; i++)
		if (pci_is_pf(bound[i]))
			memcpy(pfs[nr_pfs++], bound[i], PCI_ADDR_LEN);
	if (!nr_pfs)
		die("PFs on vfio-pci", -ENODEV);
}

int main(int argc, char **argv)
{
	list_pfs();
	must("enable_sriov", file_write(ENABLE_SRIOV, "Y"));
	if (argc == 3 && !strcmp(argv[1], "igb")) {
		count_igb(argv[2]);
	} else if (argc > 2 && strcmp(argv[1], "igb")) {
		count_vfs(argv[1], argv + 2);
	} else {
		fprintf(stderr,
			"Usage: %s igb DEVICE | nvme N... | virtio-net N...\n",
			argv[0]);
		return 2;
	}
	fputs(report, stdout);
	return 0;
}
