/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The answers that the kernel must give: a second implementation of the
 * interface of VF tokens, independent of the kernel's.
 *
 * The interface defines the errno of each mistake.  It does not define which
 * errno an argument with several mistakes gets, nor that of a file that is not
 * an iommufd (EBADF, EBADFD) or of a cdev whose group is in use (EBUSY): there
 * the oracle answers as the kernel happens to.  The order is: unreadable
 * memory; malformed arguments; arguments that do not suit the device or its
 * state; the token.
 */
#ifndef VFIO_SELFTEST_ORACLE_H
#define VFIO_SELFTEST_ORACLE_H

#include <stdbool.h>

#include "memory.h"
#include "token.h"

enum device_kind {
	KIND_PF,
	KIND_VF,	/* its PF is on vfio-pci */
	KIND_FREE_VF,	/* its PF is not */
	KIND_PLAIN,	/* neither PF nor VF */
};

/* The kind of a file, and its state. */
enum file_kind {
	FILE_GROUP,
	FILE_OF_GROUP,		/* a device, open by its group */
	FILE_BOUND,		/* a cdev, bound */
	FILE_UNBOUND,		/* a cdev whose device is not open */
	FILE_BUSY,		/* ... that is open by another file */
	FILE_GROUP_BUSY,	/* ... whose group is in use */
};

struct target {
	enum device_kind device;
	enum file_kind file;
	const char *name;
	int fd;
};

/* A PF and its VFs, as far as the rules are concerned. */
struct oracle {
	unsigned char token[TOKEN_BYTES];
	int vf_opens;
	/* For the pointers in arguments. */
	struct memory *memories;
	int nr_memories;
	bool read_only;		/* they can't be written */
};

struct presented {
	bool given;
	unsigned char token[TOKEN_BYTES];
};

struct span oracle_span(const struct oracle *oracle, uint64_t address);

/*
 * 0 or the negative errno of an ioctl whose argument is at @address.  With 0,
 * the oracle's token is that after the call.
 */
int oracle_request(struct oracle *oracle, const struct target *target,
		   uint64_t address);
int oracle_bind(struct oracle *oracle, const struct target *target,
		uint64_t address);
int oracle_feature(struct oracle *oracle, const struct target *target,
		   uint64_t address);

/* For messages. */
const char *device_kind_name(enum device_kind kind);
const char *file_kind_name(enum file_kind kind);

#endif
