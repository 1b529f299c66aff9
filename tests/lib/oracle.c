// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <stddef.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <linux/types.h>
#include <linux/vfio.h>

#include "oracle.h"

#define TOKEN_OPTION	"vf_token="

const char *device_kind_name(enum device_kind kind)
{
	static const char * const names[] = {
		[KIND_PF] = "PF",
		[KIND_VF] = "VF",
		[KIND_FREE_VF] = "VF of another driver's PF",
		[KIND_PLAIN] = "plain device",
	};

	return names[kind];
}

const char *file_kind_name(enum file_kind kind)
{
	static const char * const names[] = {
		[FILE_GROUP] = "group",
		[FILE_OF_GROUP] = "device file of the group",
		[FILE_BOUND] = "bound cdev",
		[FILE_UNBOUND] = "cdev",
		[FILE_BUSY] = "cdev, another one is bound",
		[FILE_GROUP_BUSY] = "cdev, the group is in use",
	};

	return names[kind];
}

struct span oracle_span(const struct oracle *oracle, uint64_t address)
{
	struct span span = { .at = NULL, .len = 0 };
	int i;

	for (i = 0; i < oracle->nr_memories; i++) {
		if (!memory_has(&oracle->memories[i], address))
			continue;
		span.at = (void *)(uintptr_t)address;
		span.len = oracle->memories[i].end - span.at;
	}
	return span;
}

/* ------------------------------------------------------------- the rules */

static int admit(const struct oracle *oracle, enum device_kind kind,
		 const struct presented *presented)
{
	switch (kind) {
	case KIND_PF:
		if (!oracle->vf_opens)
			return 0;
		/* fallthrough */
	case KIND_VF:
		if (presented->given &&
		    !memcmp(presented->token, oracle->token, TOKEN_BYTES))
			return 0;
		return -EACCES;
	case KIND_FREE_VF:
	case KIND_PLAIN:
		break;
	}
	return presented->given ? -EINVAL : 0;
}

/* Only an open that succeeds sets the token. */
static void opened(struct oracle *oracle, enum device_kind kind,
		   const struct presented *presented)
{
	if (kind == KIND_PF && presented->given)
		memcpy(oracle->token, presented->token, TOKEN_BYTES);
}

/* ------------------------------------------------ "<name>[ <option>]..." */

/* One option, without blanks; true if it is a good one. */
static bool read_option(const char *option, size_t len,
			struct presented *presented)
{
	const size_t name_len = strlen(TOKEN_OPTION);
	char uuid[TOKEN_TEXT_LEN];

	if (presented->given || len != name_len + TOKEN_TEXT_LEN - 1 ||
	    memcmp(option, TOKEN_OPTION, name_len))
		return false;
	memcpy(uuid, option + name_len, TOKEN_TEXT_LEN - 1);
	uuid[TOKEN_TEXT_LEN - 1] = '\0';
	presented->given = true;
	return !token_parse(uuid, presented->token);
}

static bool read_options(const char *at, const char *end,
			 struct presented *presented)
{
	const char *stop;

	while (at < end) {
		if (*at == ' ') {
			at++;
			continue;
		}
		for (stop = at; stop < end && *stop != ' '; stop++)
			;
		if (!read_option(at, stop - at, presented))
			return false;
		at = stop;
	}
	return true;
}

int oracle_request(struct oracle *oracle, const struct target *target,
		   uint64_t address)
{
	struct span span = oracle_span(oracle, address);
	struct presented presented = { .given = false };
	const size_t max = sysconf(_SC_PAGESIZE);
	const char *start = (const char *)span.at;
	const char *end, *blank;
	int ret;

	/* It must end before memory does, and with its NUL within a page. */
	end = span.len ? memchr(start, '\0', span.len) : NULL;
	if (!end && span.len < max)
		return -EFAULT;
	if (!end || (size_t)(end - start) >= max)
		return -EINVAL;

	blank = memchr(start, ' ', end - start);
	if (!blank)
		blank = end;
	if ((size_t)(blank - start) != strlen(target->name) ||
	    memcmp(start, target->name, blank - start))
		return -ENODEV;
	if (!read_options(blank, end, &presented))
		return -EINVAL;
	ret = admit(oracle, target->device, &presented);
	if (!ret)
		opened(oracle, target->device, &presented);
	return ret;
}

/* ---------------------------------------------- VFIO_DEVICE_BIND_IOMMUFD */

#define BIND_SHORT	offsetof(struct vfio_device_bind_iommufd, token_uuid_ptr)

/*
 * The structure is extensible: it reads as zeros after argsz, and the bytes
 * after the known members must be zeros.
 */
static int read_bind(struct span span, struct vfio_device_bind_iommufd *bind)
{
	size_t i, argsz;

	memset(bind, 0, sizeof(*bind));
	if (span.len < sizeof(bind->argsz))
		return -EFAULT;
	memcpy(&bind->argsz, span.at, sizeof(bind->argsz));
	argsz = bind->argsz;
	if (argsz < BIND_SHORT)
		return -EINVAL;
	for (i = sizeof(*bind); i < argsz && i < span.len; i++)
		if (span.at[i])
			return -E2BIG;
	if (span.len < argsz)
		return -EFAULT;
	memcpy(bind, span.at, argsz < sizeof(*bind) ? argsz : sizeof(*bind));
	return 0;
}

static int read_token(const struct oracle *oracle,
		      const struct vfio_device_bind_iommufd *bind,
		      struct presented *presented)
{
	struct span token = oracle_span(oracle, bind->token_uuid_ptr);

	if (bind->argsz < sizeof(*bind) || token.len < TOKEN_BYTES)
		return -EFAULT;
	presented->given = true;
	memcpy(presented->token, token.at, TOKEN_BYTES);
	return 0;
}

/* As the kernel happens to answer. */
static int check_iommufd(int fd)
{
	struct stat given, iommu;

	if (fstat(fd, &given))
		return -EBADF;
	if (stat("/dev/iommu", &iommu) || !S_ISCHR(given.st_mode) ||
	    given.st_rdev != iommu.st_rdev)
		return -EBADFD;
	return 0;
}

static int check_cdev(const struct target *target, int iommufd)
{
	/* As the kernel happens to answer, after the token: EBUSY. */
	if (target->file == FILE_GROUP_BUSY)
		return -EBUSY;
	if (target->file == FILE_BOUND || target->file == FILE_BUSY)
		return -EINVAL;
	return check_iommufd(iommufd);
}

int oracle_bind(struct oracle *oracle, const struct target *target,
		uint64_t address)
{
	struct span span = oracle_span(oracle, address);
	struct presented presented = { .given = false };
	struct vfio_device_bind_iommufd bind;
	int ret;

	ret = read_bind(span, &bind);
	if (ret)
		return ret;
	if (bind.iommufd < 0 || (bind.flags & ~VFIO_DEVICE_BIND_FLAG_TOKEN))
		return -EINVAL;
	if (bind.flags & VFIO_DEVICE_BIND_FLAG_TOKEN)
		ret = read_token(oracle, &bind, &presented);
	if (!ret && target->file == FILE_OF_GROUP)
		ret = -EINVAL;
	if (!ret)
		ret = admit(oracle, target->device, &presented);
	if (!ret)
		ret = check_cdev(target, bind.iommufd);
	/* The id of the device is written last. */
	if (!ret && oracle->read_only)
		ret = -EFAULT;
	if (!ret)
		opened(oracle, target->device, &presented);
	return ret;
}

/* --------------------------------------------------- VFIO_DEVICE_FEATURE */

#define FEATURE_OPS	(VFIO_DEVICE_FEATURE_GET | VFIO_DEVICE_FEATURE_SET | \
			 VFIO_DEVICE_FEATURE_PROBE)

static int check_feature(const struct vfio_device_feature *feature)
{
	const __u32 both = VFIO_DEVICE_FEATURE_GET | VFIO_DEVICE_FEATURE_SET;

	if (feature->argsz < sizeof(*feature) ||
	    (feature->flags & ~(VFIO_DEVICE_FEATURE_MASK | FEATURE_OPS)))
		return -EINVAL;
	if ((feature->flags & FEATURE_OPS) == both)
		return -EINVAL;
	return 0;
}

static int set_token(struct oracle *oracle, struct span span,
		     const struct vfio_device_feature *feature)
{
	if (feature->flags & VFIO_DEVICE_FEATURE_GET)
		return -EINVAL;
	if (feature->flags & VFIO_DEVICE_FEATURE_PROBE)
		return 0;
	if (!(feature->flags & VFIO_DEVICE_FEATURE_SET) ||
	    feature->argsz - sizeof(*feature) < TOKEN_BYTES)
		return -EINVAL;
	if (span.len < sizeof(*feature) + TOKEN_BYTES)
		return -EFAULT;
	memcpy(oracle->token, span.at + sizeof(*feature), TOKEN_BYTES);
	return 0;
}

int oracle_feature(struct oracle *oracle, const struct target *target,
		   uint64_t address)
{
	struct span span = oracle_span(oracle, address);
	struct vfio_device_feature feature;
	int ret;

	if (target->file != FILE_BOUND && target->file != FILE_OF_GROUP)
		return -EINVAL;
	if (span.len < sizeof(feature))
		return -EFAULT;
	memcpy(&feature, span.at, sizeof(feature));
	ret = check_feature(&feature);
	if (ret)
		return ret;
	if ((feature.flags & VFIO_DEVICE_FEATURE_MASK) !=
	    VFIO_DEVICE_FEATURE_PCI_VF_TOKEN || target->device != KIND_PF)
		return -ENOTTY;
	return set_token(oracle, span, &feature);
}
