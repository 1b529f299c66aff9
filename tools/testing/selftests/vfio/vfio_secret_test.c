// SPDX-License-Identifier: GPL-2.0-only
/*
 * A VF token goes into the kernel and never comes out.  A refused open is
 * logged with its reason, without the tokens.
 */
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#include <linux/vfio.h>

#include "../kselftest_harness.h"
#include "lib/bench.h"
#include "lib/klog.h"
#include "lib/user.h"

#define TEST_SECONDS	60
#define NR_TOKENS	3
/* The end of a token: long enough to be found by no accident. */
#define TAIL_BYTES	6

static const char *pf = bench.pf;
static const char *vf = bench.vf[0];

/* Random ones, for nobody else must have said them before. */
static char tokens[NR_TOKENS][TOKEN_TEXT_LEN];

FIXTURE(secret)
{
	struct user pf;
	struct user vf;
	int log;
};

FIXTURE_VARIANT(secret)
{
	enum open_path path;
};

FIXTURE_VARIANT_ADD(secret, type1) { .path = OPEN_TYPE1 };
FIXTURE_VARIANT_ADD(secret, compat) { .path = OPEN_COMPAT };
FIXTURE_VARIANT_ADD(secret, cdev) { .path = OPEN_CDEV };

FIXTURE_SETUP(secret)
{
	int i;

	for (i = 0; i < NR_TOKENS; i++)
		token_random(tokens[i]);
	self->log = klog_mark();
	ASSERT_LE(0, self->log);
	ASSERT_EQ(0, user_init(&self->pf, variant->path, pf));
	ASSERT_EQ(0, user_init(&self->vf, variant->path, vf));
}

FIXTURE_TEARDOWN(secret)
{
	user_exit(&self->vf);
	user_exit(&self->pf);
	close(self->log);
}

/*
 * Every way a token can be presented, right and wrong.  The last one is set in
 * the end, while the PF and the VF are open.
 */
static int present_tokens(struct user *pf_user, struct user *vf_user)
{
	char request[256];

	if (user_open(pf_user, tokens[0]) ||
	    user_try(vf_user, tokens[1]) != -EACCES ||
	    user_try(vf_user, NULL) != -EACCES)
		return -EIO;
	if (vf_user->group >= 0) {
		snprintf(request, sizeof(request), "%s vf_token=%s, option", vf,
			 tokens[0]);
		if (group_get_device(vf_user->group, request) != -EINVAL)
			return -EIO;
	}
	if (user_open(vf_user, tokens[0]))
		return -EIO;
	user_close(pf_user);
	if (user_try(pf_user, tokens[1]) != -EACCES)
		return -EIO;
	if (user_open(pf_user, tokens[0]))
		return -EIO;
	return device_set_token(pf_user->device, tokens[2]);
}

/* Only the hex digits, as text and dumps have different things in between. */
static void keep_hex_digits(char *text)
{
	char *out = text;

	for (; *text; text++)
		if (isxdigit(*text))
			*out++ = tolower(*text);
	*out = '\0';
}

/* In text of any form, or as bytes. */
static bool has_token(const char *data, size_t len)
{
	unsigned char bytes[TOKEN_BYTES];
	bool found = false;
	char *digits;
	int i;

	digits = calloc(1, len + 1);
	if (!digits)
		return true;
	for (i = 0; i < (int)len; i++)
		digits[i] = data[i] ? data[i] : ' ';
	keep_hex_digits(digits);
	for (i = 0; i < NR_TOKENS && !found; i++) {
		token_parse(tokens[i], bytes);
		found = strstr(digits, tokens[i] + TOKEN_TEXT_LEN - 1 -
				       2 * TAIL_BYTES) ||
			memmem(data, len, bytes + TOKEN_BYTES - TAIL_BYTES,
			       TAIL_BYTES);
	}
	free(digits);
	return found;
}

static bool file_has_token(const char *path)
{
	static char content[1 << 20];
	size_t len = 0;
	ssize_t n;
	int fd;

	fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	if (fd < 0)
		return false;
	while (len < sizeof(content) &&
	       (n = read(fd, content + len, sizeof(content) - len)) > 0)
		len += n;
	close(fd);
	return has_token(content, len);
}

static int nr_files;

static int look_for_token(const char *path, const struct stat *stat, int type,
			  struct FTW *ftw)
{
	const char *name = path + ftw->base;

	/* BARs and ROMs are the device's memory: reading has effects there. */
	if (type != FTW_F || !(stat->st_mode & 0444) ||
	    !strncmp(name, "resource", 8) || !strcmp(name, "rom"))
		return 0;
	nr_files++;
	if (!file_has_token(path))
		return 0;
	fprintf(stderr, "# %s tells a token\n", path);
	return 1;
}

static int look_in_sysfs(const char *addr)
{
	char link[64], path[PATH_MAX];

	snprintf(link, sizeof(link), "/sys/bus/pci/devices/%s", addr);
	if (!realpath(link, path))
		return -errno;
	return nftw(path, look_for_token, 16, FTW_PHYS);
}

TEST_F_TIMEOUT(secret, tokens_come_out_nowhere, TEST_SECONDS)
{
	char record[8192];
	int nr_records = 0;

	ASSERT_EQ(0, present_tokens(&self->pf, &self->vf));

	while (klog_next(self->log, record, sizeof(record))) {
		nr_records++;
		EXPECT_FALSE(has_token(record, strlen(record)))
			TH_LOG("the log tells a token: %s", record);
	}
	EXPECT_LT(0, nr_records);
	EXPECT_EQ(0, look_in_sysfs(pf));
	EXPECT_EQ(0, look_in_sysfs(vf));
	EXPECT_LT(20, nr_files);
	EXPECT_FALSE(file_has_token("/sys/kernel/tracing/trace"));
	/* So that the above can be believed. */
	EXPECT_TRUE(has_token(tokens[2], strlen(tokens[2])));
}

TEST_F_TIMEOUT(secret, feature_does_not_give_the_token, TEST_SECONDS)
{
	struct {
		struct vfio_device_feature feature;
		unsigned char bytes[TOKEN_BYTES];
	} get = {
		.feature.argsz = sizeof(get),
		.feature.flags = VFIO_DEVICE_FEATURE_GET |
				 VFIO_DEVICE_FEATURE_PCI_VF_TOKEN,
	};
	unsigned char none[TOKEN_BYTES] = {};

	ASSERT_EQ(0, user_open(&self->pf, tokens[0]));
	EXPECT_EQ(-1, ioctl(self->pf.device, VFIO_DEVICE_FEATURE, &get));
	EXPECT_EQ(EINVAL, errno);
	EXPECT_EQ(0, memcmp(none, get.bytes, sizeof(none)));
}

/*
 * Opens that fail until the log tells of one; it may be tired of them for some
 * seconds, being rate-limited.
 */
static bool refused_and_logged(int log, struct user *user, const char *token,
			       const char *reason)
{
	time_t start = time(NULL);

	do {
		if (user_try(user, token) != -EACCES)
			return false;
		if (klog_find(log, user->addr, reason))
			return true;
	} while (time(NULL) < start + 8);
	return false;
}

TEST_F_TIMEOUT(secret, refusals_are_logged_with_the_reason, TEST_SECONDS)
{
	ASSERT_EQ(0, user_try(&self->pf, tokens[0]));
	ASSERT_TRUE(refused_and_logged(self->log, &self->vf, NULL,
				       "open refused: no VF token given"));
	ASSERT_TRUE(refused_and_logged(self->log, &self->vf, tokens[1],
				       "open refused: wrong VF token"));
	ASSERT_EQ(0, user_open(&self->vf, tokens[0]));
	ASSERT_TRUE(refused_and_logged(self->log, &self->pf, NULL,
				       "open refused: no VF token given"));
	ASSERT_TRUE(refused_and_logged(self->log, &self->pf, tokens[1],
				       "open refused: wrong VF token"));
}

int main(int argc, char **argv)
{
	return bench_run(argc, argv, 1, test_harness_run);
}
