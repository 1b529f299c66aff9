// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <limits.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <libvfio.h>

#include "../kselftest.h"
#include "sriov_util.h"

#define DEVICES	"/sys/bus/pci/devices"
#define DRIVERS	"/sys/bus/pci/drivers"

/* --------------------------------------------------- files, attributes */

int file_read(const char *path, char *buf, size_t len)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n;

	if (fd < 0)
		return -errno;
	n = read(fd, buf, len - 1);
	if (n < 0)
		n = -errno;
	close(fd);
	if (n < 0)
		return n;
	buf[n] = '\0';
	buf[strcspn(buf, "\n")] = '\0';
	return 0;
}

int file_write(const char *path, const char *value)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	int ret = 0;

	if (fd < 0)
		return -errno;
	if (write(fd, value, strlen(value)) < 0)
		ret = -errno;
	close(fd);
	return ret;
}

static const char *attr_path(char path[PATH_MAX], const char *bdf,
			     const char *attr)
{
	snprintf(path, PATH_MAX, DEVICES "/%s/%s", bdf, attr);
	return path;
}

bool pci_exists(const char *bdf)
{
	char path[PATH_MAX];

	return !access(attr_path(path, bdf, "vendor"), F_OK);
}

int pci_read(const char *bdf, const char *attr, char *buf, size_t len)
{
	char path[PATH_MAX];

	return file_read(attr_path(path, bdf, attr), buf, len);
}

int pci_write(const char *bdf, const char *attr, const char *value)
{
	char path[PATH_MAX];

	return file_write(attr_path(path, bdf, attr), value);
}

int pci_read_int(const char *bdf, const char *attr)
{
	char value[32];

	return pci_read(bdf, attr, value, sizeof(value)) ? -1 :
							   strtol(value, NULL, 0);
}

int pci_set_numvfs(const char *pf, int num)
{
	char value[16];

	snprintf(value, sizeof(value), "%d", num);
	return pci_write(pf, "sriov_numvfs", value);
}

/* ------------------------------------------------------------- drivers */

const char *pci_driver(const char *bdf, char driver[PCI_DRIVER_LEN])
{
	char *name = sysfs_driver_get(bdf);

	snprintf(driver, PCI_DRIVER_LEN, "%s", name ?: "");
	free(name);
	return driver;
}

const char *pci_override(const char *bdf, char driver[PCI_DRIVER_LEN])
{
	if (pci_read(bdf, "driver_override", driver, PCI_DRIVER_LEN) ||
	    !strcmp(driver, "(null)"))
		driver[0] = '\0';
	return driver;
}

int pci_set_override(const char *bdf, const char *driver)
{
	/* A newline clears it; an empty write does not reach the kernel. */
	return pci_write(bdf, "driver_override", driver[0] ? driver : "\n");
}

int pci_unbind(const char *bdf)
{
	char driver[PCI_DRIVER_LEN];

	if (!pci_driver(bdf, driver)[0])
		return 0;
	return pci_write(bdf, "driver/unbind", bdf);
}

int pci_bind(const char *bdf, const char *driver)
{
	char path[PATH_MAX];

	snprintf(path, sizeof(path), DRIVERS "/%s/bind", driver);
	return file_write(path, bdf);
}

int pci_probe(const char *bdf)
{
	return file_write("/sys/bus/pci/drivers_probe", bdf);
}

int pci_move_to(const char *bdf, const char *driver)
{
	int ret = pci_unbind(bdf);

	if (!ret)
		ret = pci_set_override(bdf, driver);
	return ret ? ret : pci_bind(bdf, driver);
}

bool pci_is_suspended(const char *bdf)
{
	char status[32];

	return !pci_read(bdf, "power/runtime_status", status, sizeof(status)) &&
	       !strcmp(status, "suspended");
}

const char *pci_vf_token(const char *bdf, char buf[32])
{
	char path[PATH_MAX];
	glob_t found;

	buf[0] = '\0';
	attr_path(path, bdf, "vfio-dev/vfio*/vf_token");
	if (glob(path, 0, NULL, &found))
		return buf;
	if (file_read(found.gl_pathv[0], buf, 32))
		buf[0] = '\0';
	globfree(&found);
	return buf;
}

/* ----------------------------------------------------------- VF tokens */

int token_parse(const char *text, unsigned char bytes[TOKEN_BYTES])
{
	int i;

	if (strlen(text) != 36)
		return -EINVAL;
	for (i = 0; i < TOKEN_BYTES; i++, text += 2) {
		if (((i == 4 || i == 6 || i == 8 || i == 10) && *text++ != '-') ||
		    strspn(text, "0123456789abcdefABCDEF") < 2 ||
		    sscanf(text, "%2hhx", &bytes[i]) != 1)
			return -EINVAL;
	}
	return 0;
}

int device_feature(int fd, __u32 flags, const void *data, size_t len)
{
	__u64 buf[16];
	struct vfio_device_feature *feature = (void *)buf;

	if (sizeof(*feature) + len > sizeof(buf))
		return -E2BIG;
	feature->argsz = sizeof(*feature) + len;
	feature->flags = flags;
	memcpy(feature->data, data, len);
	return ioctl(fd, VFIO_DEVICE_FEATURE, feature) ? -errno : 0;
}

int device_set_token(int fd, const char *token)
{
	unsigned char bytes[TOKEN_BYTES];

	if (token_parse(token, bytes))
		return -EINVAL;
	return device_feature(fd, VFIO_DEVICE_FEATURE_SET |
			      VFIO_DEVICE_FEATURE_PCI_VF_TOKEN, bytes,
			      sizeof(bytes));
}

/* ------------------------------------------------------------- devices */

bool iommu_mode_supported(const char *mode)
{
	return !access(strncmp(mode, "iommufd", 7) ? "/dev/vfio/vfio" :
						     "/dev/iommu", F_OK);
}

static bool has_group(const struct vfio_pci_device *device)
{
	return device->iommu->mode->container_path;
}

struct vfio_pci_device *device_setup(const char *mode, const char *bdf)
{
	struct vfio_pci_device *device;

	device = vfio_pci_device_alloc(bdf, iommu_init(mode));
	device->fd = -1;
	if (has_group(device)) {
		vfio_pci_group_setup(device, bdf);
		vfio_container_set_iommu(device);
	}
	return device;
}

int device_open(struct vfio_pci_device *device, const char *token)
{
	int ret;

	if (has_group(device)) {
		__vfio_pci_group_get_device_fd(device, device->bdf, token);
		return device->fd < 0 ? -errno : 0;
	}
	vfio_pci_cdev_open(device, device->bdf);
	ret = __vfio_device_bind_iommufd(device->fd, device->iommu->iommufd,
					 token);
	if (ret)
		device_close(device);
	return ret;
}

void device_close(struct vfio_pci_device *device)
{
	if (device->fd >= 0)
		close(device->fd);
	device->fd = -1;
}

int device_try(struct vfio_pci_device *device, const char *token)
{
	int ret = device_open(device, token);

	device_close(device);
	return ret;
}

void device_cleanup(struct vfio_pci_device *device)
{
	if (!device)
		return;
	device_close(device);
	if (has_group(device))
		close(device->group_fd);
	iommu_cleanup(device->iommu);
	vfio_pci_device_free(device);
}

int open_once(const char *mode, const char *bdf, const char *token)
{
	struct vfio_pci_device *device = device_setup(mode, bdf);
	int ret = device_try(device, token);

	device_cleanup(device);
	return ret;
}

/* ----------------------------------------------------- the PF of a run */

const char *pf_bdf;
const char *vf_bdf[MAX_VFS];

int enable_vfs(int nr_vfs)
{
	int i, ret;

	ret = pci_set_numvfs(pf_bdf, nr_vfs);
	for (i = 0; i < nr_vfs && i < MAX_VFS && !ret; i++) {
		free((void *)vf_bdf[i]);
		vf_bdf[i] = sysfs_sriov_vf_bdf_get(pf_bdf, i);
	}
	return ret;
}

int disable_vfs(void)
{
	return pci_set_numvfs(pf_bdf, 0);
}

const char *plain_bdf(void)
{
	return getenv("VFIO_PLAIN");
}

static int run_in_child(int argc, char *argv[],
			int (*run)(int argc, char **argv))
{
	int status = 0;
	pid_t child;

	fflush(NULL);
	child = fork();
	if (!child) {
		signal(SIGINT, SIG_DFL);
		signal(SIGTERM, SIG_DFL);
		exit(run(argc, argv));
	}
	if (child < 0 || waitpid(child, &status, 0) != child)
		ksft_exit_fail_msg("cannot run the tests\n");
	return WIFEXITED(status) ? WEXITSTATUS(status) : KSFT_FAIL;
}

int run_with_vfs(int argc, char *argv[], int nr_vfs,
		 int (*run)(int argc, char **argv))
{
	char driver[PCI_DRIVER_LEN], old[8];
	int ret;

	pf_bdf = vfio_selftests_get_bdf(&argc, argv);
	if (strcmp(pci_driver(pf_bdf, driver), VFIO_PCI))
		ksft_exit_skip("%s is not bound to %s\n", pf_bdf, VFIO_PCI);
	if (pci_read_int(pf_bdf, "sriov_totalvfs") < MAX_VFS ||
	    pci_read_int(pf_bdf, "sriov_numvfs"))
		ksft_exit_skip("%s has fewer than %d VFs, or VFs enabled\n",
			       pf_bdf, MAX_VFS);
	if (file_read(ENABLE_SRIOV, old, sizeof(old)))
		ksft_exit_skip("%s cannot enable SR-IOV\n", VFIO_PCI);

	/* An interrupt ends the child; then restore. */
	signal(SIGINT, SIG_IGN);
	signal(SIGTERM, SIG_IGN);
	file_write(ENABLE_SRIOV, "Y");
	ret = enable_vfs(nr_vfs);
	if (!ret)
		ret = run_in_child(argc, argv, run);
	else
		printf("Bail out! cannot enable %d VFs: %s\n", nr_vfs,
		       strerror(-ret));
	if (disable_vfs())
		ret = KSFT_FAIL;
	file_write(ENABLE_SRIOV, old);
	return ret < 0 ? KSFT_FAIL : ret;
}

/* ----------------------------------------------------- child processes */

int job_start(struct job *job, int (*work)(struct job *job, void *arg),
	      void *arg)
{
	int out[2];

	if (pipe2(out, O_CLOEXEC))
		return -errno;
	fflush(NULL);
	job->pid = fork();
	if (job->pid < 0)
		return -errno;
	if (!job->pid) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		close(out[0]);
		job->out = out[1];
		job_report(job, work(job, arg));
		_exit(0);
	}
	close(out[1]);
	job->out = out[0];
	return 0;
}

void job_report(struct job *job, int value)
{
	if (write(job->out, &value, sizeof(value)) != sizeof(value))
		_exit(1);
}

int job_next(struct job *job)
{
	int value;

	if (read(job->out, &value, sizeof(value)) != sizeof(value))
		return -EPIPE;
	return value;
}

static bool sleeps_in(pid_t pid, long number, const char *function)
{
	char path[64], call[256], where[128];

	/* The number and arguments of a call that sleeps, or "running". */
	snprintf(path, sizeof(path), "/proc/%d/syscall", pid);
	if (file_read(path, call, sizeof(call)) || call[0] == 'r' ||
	    strtol(call, NULL, 10) != number)
		return false;
	if (!function)
		return true;
	snprintf(path, sizeof(path), "/proc/%d/wchan", pid);
	return !file_read(path, where, sizeof(where)) &&
	       !strcmp(where, function);
}

bool job_blocked_in(struct job *job, long number, const char *function)
{
	struct pollfd report = { .fd = job->out, .events = POLLIN };

	while (!poll(&report, 1, 0)) {
		if (sleeps_in(job->pid, number, function))
			return true;
		sched_yield();
	}
	return false;
}

void job_wait(struct job *job)
{
	waitpid(job->pid, NULL, 0);
	close(job->out);
}

void job_kill(struct job *job, int signal)
{
	kill(job->pid, signal);
	job_wait(job);
}

static int hold(struct job *job, void *arg)
{
	const struct opener *opener = arg;
	struct vfio_pci_device *device;
	sigset_t release;
	int ret, signal;

	sigemptyset(&release);
	sigaddset(&release, SIGTERM);
	sigprocmask(SIG_BLOCK, &release, NULL);
	device = device_setup(opener->mode, opener->bdf);
	job_report(job, 0);
	ret = device_open(device, opener->token);
	if (ret)
		return ret;
	job_report(job, 0);
	sigwait(&release, &signal);
	return 0;
}

static int opener_start(struct opener *opener, const char *mode,
			const char *bdf, const char *token)
{
	int ret;

	opener->mode = mode;
	opener->bdf = bdf;
	opener->token = token;
	ret = job_start(&opener->job, hold, opener);
	return ret ? ret : job_next(&opener->job);
}

int opener_open(struct opener *opener, const char *mode, const char *bdf,
		const char *token)
{
	int ret = opener_start(opener, mode, bdf, token);

	return ret ? ret : opener_result(opener);
}

/* An open may be over before it is seen asleep: try several times. */
bool opener_opening(struct opener *opener, const char *mode, const char *bdf,
		    const char *token)
{
	int attempt;

	for (attempt = 0; attempt < 8; attempt++) {
		if (opener_start(opener, mode, bdf, token))
			return false;
		if (job_blocked_in(&opener->job, SYS_ioctl, NULL))
			return true;
		opener_stop(opener, SIGTERM);
	}
	return false;
}

int opener_result(struct opener *opener)
{
	return job_next(&opener->job);
}

void opener_stop(struct opener *opener, int signal)
{
	job_kill(&opener->job, signal);
}
