/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the SR-IOV tests need in addition to libvfio.  A function that can fail
 * returns 0 or a negative errno, unless its comment says otherwise.
 */
#ifndef SELFTESTS_VFIO_SRIOV_UTIL_H
#define SELFTESTS_VFIO_SRIOV_UTIL_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include <linux/types.h>

#define VFIO_PCI	"vfio-pci"
#define ENABLE_SRIOV	"/sys/module/vfio_pci/parameters/enable_sriov"

/* ---- Small files, attributes of PCI devices */

int file_read(const char *path, char *buf, size_t len);
int file_write(const char *path, const char *value);
bool pci_exists(const char *bdf);
int pci_read(const char *bdf, const char *attr, char *buf, size_t len);
int pci_write(const char *bdf, const char *attr, const char *value);
/* -1 if the attribute cannot be read. */
int pci_read_int(const char *bdf, const char *attr);
int pci_set_numvfs(const char *pf, int num);

/* ---- Drivers */

#define PCI_DRIVER_LEN	64

/* The bound driver, or the value of driver_override; "" for none. */
const char *pci_driver(const char *bdf, char driver[PCI_DRIVER_LEN]);
const char *pci_override(const char *bdf, char driver[PCI_DRIVER_LEN]);
int pci_set_override(const char *bdf, const char *driver);
int pci_unbind(const char *bdf);
/* Bind to this driver; the error is that of its probe. */
int pci_bind(const char *bdf, const char *driver);
/* Let the driver core choose, as it does for a new device. */
int pci_probe(const char *bdf);
/* Unbind, set driver_override, bind. */
int pci_move_to(const char *bdf, const char *driver);

/* Has runtime PM suspended it? */
bool pci_is_suspended(const char *bdf);

/* The contents of vf_token in sysfs, "" if the file does not exist. */
const char *pci_vf_token(const char *bdf, char buf[32]);

/* ---- VF tokens */

#define TOKEN_BYTES	16
#define TOKEN_1		"7d9e0c3a-52b4-4f16-8a6f-1c3b5e7f9021"
#define TOKEN_2		"e1f2a3b4-c5d6-4789-9abc-def012345678"
#define TOKEN_NIL	"00000000-0000-0000-0000-000000000000"

/* -EINVAL if the text is no UUID. */
int token_parse(const char *text, unsigned char bytes[TOKEN_BYTES]);
/* VFIO_DEVICE_FEATURE with these flags and data. */
int device_feature(int fd, __u32 flags, const void *data, size_t len);
int device_set_token(int fd, const char *token);

/* ---- Devices, opened through libvfio in any IOMMU mode */

struct vfio_pci_device;

bool iommu_mode_supported(const char *mode);
struct vfio_pci_device *device_setup(const char *mode, const char *bdf);
int device_open(struct vfio_pci_device *device, const char *token);
void device_close(struct vfio_pci_device *device);
/* Open, close, and return the result of the open. */
int device_try(struct vfio_pci_device *device, const char *token);
void device_cleanup(struct vfio_pci_device *device);	/* or NULL */
/* device_setup(), device_try() and device_cleanup(). */
int open_once(const char *mode, const char *bdf, const char *token);

/* ---- The PF of a run, named on the command line, and its VFs */

#define MAX_VFS		2

extern const char *pf_bdf;
extern const char *vf_bdf[MAX_VFS];

int enable_vfs(int nr_vfs);
int disable_vfs(void);
/* $VFIO_PLAIN: a device on vfio-pci that is neither PF nor VF; NULL if unset. */
const char *plain_bdf(void);
/*
 * Allow SR-IOV, enable @nr_vfs VFs, call @run, and restore both.  Takes nothing
 * but the PF named on the command line, which must be on vfio-pci without VFs.
 */
int run_with_vfs(int argc, char *argv[], int nr_vfs,
		 int (*run)(int argc, char **argv));

/* ---- A function in a child process, for calls that block or are killed */

struct job {
	pid_t pid;
	int out;	/* the parent reads reported values here */
};

/* The child reports with job_report() and with the value that it returns. */
int job_start(struct job *job, int (*work)(struct job *job, void *arg),
	      void *arg);
void job_report(struct job *job, int value);
/* The next value that the child reports; -EPIPE if it has exited. */
int job_next(struct job *job);
/*
 * Wait until the child sleeps in this system call and in this kernel function
 * (any if NULL).  False if it reports a value or exits before that.
 */
bool job_blocked_in(struct job *job, long number, const char *function);
/* Both return when the process and its open files are gone. */
void job_wait(struct job *job);
void job_kill(struct job *job, int signal);

/* A child that opens a device and keeps it open until it is killed. */
struct opener {
	struct job job;
	const char *mode;
	const char *bdf;
	const char *token;
};

/* Return the result of the open; the second one returns before it opens. */
int opener_open(struct opener *opener, const char *mode, const char *bdf,
		const char *token);
/* True when the child sleeps in its open; then ask for the result. */
bool opener_opening(struct opener *opener, const char *mode, const char *bdf,
		    const char *token);
int opener_result(struct opener *opener);
/* SIGTERM takes effect after the open, SIGKILL at once. */
void opener_stop(struct opener *opener, int signal);

#endif
