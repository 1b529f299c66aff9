// SPDX-License-Identifier: GPL-2.0-only
/*
 * A VF token does not leave the kernel: not through the log, sysfs, procfs or
 * debugfs, nor through the memory of the program that presented it.  A refused
 * open is logged with its reason, without the tokens.
 */
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <linux/vfio.h>

#include "kselftest_harness.h"
#include "lib/bench.h"
#include "lib/klog.h"
#include "lib/search.h"
#include "lib/user.h"

#define TEST_SECONDS	1000
#define NR_TOKENS	3
#define MAX_WALKS	10

#define CORE_PATTERN	"/proc/sys/kernel/core_pattern"
#define SELF		"/proc/self/exe"

static const char *pf = bench.pf;
static const char *vf = bench.vf[0];

/* Random, so that no earlier log line or file has them. */
static char tokens[NR_TOKENS][TOKEN_TEXT_LEN];
static struct search search;

static void new_tokens(void)
{
	unsigned char bytes[TOKEN_BYTES];
	int i;

	memset(&search, 0, sizeof(search));
	for (i = 0; i < NR_TOKENS; i++) {
		token_random(tokens[i]);
		token_parse(tokens[i], bytes);
		search_add(&search, bytes);
	}
}

static bool has_token(const char *data, size_t len)
{
	struct search_state state = {};

	return search_data(&search, &state, data, len);
}

/* --------------------------------------------------------- where to look */

static char found_in[PATH_MAX];
static int nr_files;
static unsigned long long nr_bytes;

static bool file_has_token(const char *path)
{
	bool found;
	int fd;

	fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	if (fd < 0)
		return false;
	found = search_fd(&search, fd, &nr_bytes);
	close(fd);
	nr_files++;
	if (found)
		snprintf(found_in, sizeof(found_in), "%s", path);
	return found;
}

/*
 * BARs, ROMs and VPD belong to the device, and reading them has effects.  The
 * memory of processes and of the kernel is for the administrator only, who may
 * read tokens in it.  The log is searched elsewhere.
 */
static bool is_no_matter(const char *path, const char *name)
{
	static const char * const names[] = {
		"rom", "vpd", "mem", "pagemap", "kcore", "kmsg", "kpagecount",
		"kpageflags", "kpagecgroup",
	};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(names); i++)
		if (!strcmp(name, names[i]))
			return true;
	return !strncmp(name, "resource", 8) && strstr(path, "/pci");
}

static int look_for_token(const char *path, const struct stat *stat, int type,
			  struct FTW *ftw)
{
	const char *name = path + ftw->base;

	/* vfio is not traced; threads have the files of processes. */
	if (type == FTW_D && (!strcmp(name, "tracing") || !strcmp(name, "task")))
		return FTW_SKIP_SUBTREE;
	if (type != FTW_F || !(stat->st_mode & 0444) || is_no_matter(path, name))
		return FTW_CONTINUE;
	return file_has_token(path) ? FTW_STOP : FTW_CONTINUE;
}

/*
 * 1 if a token is in a file there, 0 if in none, or a negative errno; found_in
 * names the file, or the reason.  A process that exits can end a walk too
 * early; then the walk is repeated.
 */
static int look_in(const char *path)
{
	int i, ret = -1;

	for (i = 0; i < MAX_WALKS && ret < 0; i++) {
		nr_files = 0;
		nr_bytes = 0;
		ret = nftw(path, look_for_token, 16,
			   FTW_PHYS | FTW_MOUNT | FTW_ACTIONRETVAL);
	}
	if (ret >= 0)
		return ret == FTW_STOP;
	ret = -errno;
	snprintf(found_in, sizeof(found_in), "not all of %s was seen", path);
	return ret;
}

static int look_in_sysfs(const char *addr)
{
	char link[64], path[PATH_MAX];

	snprintf(link, sizeof(link), "/sys/bus/pci/devices/%s", addr);
	return realpath(link, path) ? look_in(path) : -errno;
}

static bool look_in_log(int log, int *nr_records)
{
	char record[8192];

	while (klog_next(log, record, sizeof(record))) {
		++*nr_records;
		if (!has_token(record, strlen(record)))
			continue;
		snprintf(found_in, sizeof(found_in), "the log: %.80s", record);
		return true;
	}
	return false;
}

/* ------------------------------------------------------------- the tests */

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
	new_tokens();
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

TEST_F_TIMEOUT(secret, tokens_are_not_leaked, TEST_SECONDS)
{
	const char * const devices[] = { pf, vf };
	int nr_records = 0;
	size_t i;

	ASSERT_EQ(0, present_tokens(&self->pf, &self->vf));

	/* There is something to search. */
	EXPECT_FALSE(look_in_log(self->log, &nr_records))
		TH_LOG("%s", found_in);
	EXPECT_LT(0, nr_records);
	for (i = 0; i < ARRAY_SIZE(devices); i++) {
		EXPECT_EQ(0, look_in_sysfs(devices[i]))
			TH_LOG("%s", found_in);
		EXPECT_LT(20, nr_files);
	}
}

/* All files that the kernel provides, while the devices are open. */
TEST_F_TIMEOUT(secret, kernel_files_have_no_token, TEST_SECONDS)
{
	static const struct {
		const char *path;
		int least_files;	/* fewer means that some were missed */
	} places[] = {
		{ "/proc", 1000 },
		{ "/sys", 1000 },
		{ "/sys/kernel/debug", 20 },
	};
	size_t i;

	ASSERT_EQ(0, present_tokens(&self->pf, &self->vf));
	for (i = 0; i < ARRAY_SIZE(places); i++) {
		EXPECT_EQ(0, look_in(places[i].path))
			TH_LOG("%s", found_in);
		ksft_print_msg("%s: %d files, %llu bytes\n", places[i].path,
			       nr_files, nr_bytes);
		EXPECT_LE(places[i].least_files, nr_files);
	}
}

/* ----------------------------------------------------- the opener's core */

/* The opener's input: its memory has the token in no other place. */
static struct {
	unsigned char marker[TOKEN_BYTES];
	bool set;	/* by feature, on a device that opens without a token */
	int answer;	/* that the kernel must give */
	union {
		char request[256];
		unsigned char token[TOKEN_BYTES];
		struct {
			struct vfio_device_feature feature;
			unsigned char token[TOKEN_BYTES];
		} feature;
	};
} given;

static int set_given(struct user *user)
{
	int ret = user_open(user, NULL);

	if (ret)
		return ret;
	ret = ioctl(user->device, VFIO_DEVICE_FEATURE, &given.feature);
	return ret ? -errno : 0;
}

static int open_given(struct user *user)
{
	struct vfio_device_bind_iommufd bind = {
		.argsz = sizeof(bind),
		.flags = VFIO_DEVICE_BIND_FLAG_TOKEN,
		.iommufd = user->iommu,
		.token_uuid_ptr = (uintptr_t)given.token,
	};
	int fd;

	if (user->path != OPEN_CDEV) {
		fd = group_get_device(user->group, given.request);
		return fd < 0 ? fd : 0;
	}
	fd = cdev_open(user->addr);
	return fd < 0 ? fd : cdev_bind(fd, &bind);
}

/*
 * A separate program, as a child would have its parent's memory: presents a
 * token from its input to the kernel, wipes it, and dumps core.
 */
static int be_opener(enum open_path path, const char *addr)
{
	struct user user;
	int answer;

	if (user_init(&user, path, addr) ||
	    read(STDIN_FILENO, &given, sizeof(given)) != sizeof(given))
		return 1;
	answer = given.set ? set_given(&user) : open_given(&user);
	if (answer != given.answer)
		return 1;
	explicit_bzero(given.request, sizeof(given.request));
	if (file_write("/proc/self/coredump_filter", "0x3f"))
		return 1;
	signal(SIGABRT, SIG_DFL);
	abort();
}

static void exec_opener(int in, enum open_path path, const char *addr)
{
	const struct rlimit limit = { RLIM_INFINITY, RLIM_INFINITY };
	char number[16];

	snprintf(number, sizeof(number), "%d", path);
	dup2(in, STDIN_FILENO);
	setrlimit(RLIMIT_CORE, &limit);
	execl(SELF, "vfio_secret_test", "--open", number, addr, NULL);
	_exit(1);
}

static void give(enum open_path path, const char *addr, const char *token)
{
	memset(given.request, 0, sizeof(given.request));
	if (given.set) {
		given.feature.feature.argsz = sizeof(given.feature);
		given.feature.feature.flags = VFIO_DEVICE_FEATURE_SET |
					      VFIO_DEVICE_FEATURE_PCI_VF_TOKEN;
		token_parse(token, given.feature.token);
	} else if (path == OPEN_CDEV) {
		token_parse(token, given.token);
	} else {
		snprintf(given.request, sizeof(given.request), "%s vf_token=%s",
			 addr, token);
	}
}

/* The process that dumped core, or a negative errno. */
static pid_t dump_opener(enum open_path path, const char *addr,
			 const char *token)
{
	int in[2], status;
	pid_t child;

	give(path, addr, token);
	if (pipe(in))
		return -errno;
	fflush(stdout);
	child = fork();
	if (!child)
		exec_opener(in[0], path, addr);
	if (child < 0 || write(in[1], &given, sizeof(given)) < 0 ||
	    waitpid(child, &status, 0) != child)
		return -errno;
	close(in[0]);
	close(in[1]);
	if (!WIFSIGNALED(status) || !WCOREDUMP(status))
		return -ECHILD;
	return child;
}

static bool core_has(const char *core, const unsigned char token[TOKEN_BYTES])
{
	memset(&search, 0, sizeof(search));
	search_add(&search, token);
	return file_has_token(core);
}

/* The core has the data next to the token, but not the token. */
static void expect_no_token(struct __test_metadata *_metadata, const char *dir,
			    pid_t opener, const char *token)
{
	unsigned char bytes[TOKEN_BYTES];
	char core[64];

	snprintf(core, sizeof(core), "%s/%d", dir, opener);
	token_parse(token, bytes);
	EXPECT_TRUE(core_has(core, given.marker));
	nr_bytes = 0;
	EXPECT_FALSE(core_has(core, bytes));
	EXPECT_LT(4096, nr_bytes);
	unlink(core);
}

TEST_F_TIMEOUT(secret, core_dump_has_no_token, TEST_SECONDS)
{
	/* Admitted, refused, set by feature: each with its own token. */
	static const struct {
		const char *addr;
		bool set;
		int answer;
	} dumps[NR_TOKENS] = {
		{ bench.vf[0], false, 0 },
		{ bench.vf[0], false, -EACCES },
		{ bench.pf, true, 0 },
	};
	char dir[] = "/tmp/vfio-secret.XXXXXX";
	char marker[TOKEN_TEXT_LEN], pattern[64], old[256];
	pid_t openers[NR_TOKENS];
	int i;

	ASSERT_EQ(0, user_try(&self->pf, tokens[0]));
	user_exit(&self->pf);
	user_exit(&self->vf);
	ASSERT_NE(NULL, mkdtemp(dir));
	ASSERT_EQ(0, file_read(CORE_PATTERN, old, sizeof(old)));
	snprintf(pattern, sizeof(pattern), "%s/%%p", dir);
	ASSERT_EQ(0, file_write(CORE_PATTERN, pattern));
	token_random(marker);
	token_parse(marker, given.marker);
	for (i = 0; i < NR_TOKENS; i++) {
		given.set = dumps[i].set;
		given.answer = dumps[i].answer;
		openers[i] = dump_opener(variant->path, dumps[i].addr,
					 tokens[i]);
	}
	EXPECT_EQ(0, file_write(CORE_PATTERN, old));

	for (i = 0; i < NR_TOKENS; i++) {
		EXPECT_LT(0, openers[i])
			TH_LOG("no process dumped core with token %d", i);
		if (openers[i] > 0)
			expect_no_token(_metadata, dir, openers[i], tokens[i]);
	}
	rmdir(dir);
}

/* ---------------------------------------------- would it have been found? */

/* As %16phC and similar formats print it. */
static void spell_out(char *text, const unsigned char *bytes,
		      const char *between)
{
	int i;

	for (i = 0; i < TOKEN_BYTES; i++)
		text += sprintf(text, "%s%02X", i ? between : "", bytes[i]);
}

static bool planted_in_log(int log, const char *text)
{
	char line[300];
	int nr_records = 0;

	snprintf(line, sizeof(line), "vfio_secret_test: %s\n", text);
	return !file_write("/dev/kmsg", line) && look_in_log(log, &nr_records);
}

TEST_F_TIMEOUT(secret, planted_tokens_are_found, TEST_SECONDS)
{
	static const char * const between[] = { "", " ", ":", "-", ", 0x" };
	unsigned char bytes[TOKEN_BYTES], turned[TOKEN_BYTES];
	char text[256];
	size_t i;

	ASSERT_EQ(0, token_parse(tokens[0], bytes));
	for (i = 0; i < ARRAY_SIZE(between); i++) {
		spell_out(text, bytes, between[i]);
		EXPECT_TRUE(planted_in_log(self->log, text))
			TH_LOG("%s", text);
	}
	EXPECT_TRUE(planted_in_log(self->log, tokens[0]));
	for (i = 0; i < TOKEN_BYTES; i++)
		turned[i] = bytes[TOKEN_BYTES - 1 - i];
	spell_out(text, turned, "");
	EXPECT_TRUE(planted_in_log(self->log, text));

	/* Bytes that are not text. */
	EXPECT_TRUE(has_token((const char *)turned, sizeof(turned)));

	/* sysfs and procfs repeat these. */
	ASSERT_EQ(0, pci_set_override(vf, tokens[0]));
	EXPECT_EQ(1, look_in_sysfs(vf));
	ASSERT_EQ(0, pci_set_override(vf, VFIO_PCI));
	EXPECT_EQ(0, look_in_sysfs(vf));
	ASSERT_EQ(0, file_read(CORE_PATTERN, text, sizeof(text)));
	ASSERT_EQ(0, file_write(CORE_PATTERN, tokens[0]));
	EXPECT_EQ(1, look_in("/proc/sys/kernel"));
	ASSERT_EQ(0, file_write(CORE_PATTERN, text));
}

TEST_F_TIMEOUT(secret, feature_get_is_rejected, TEST_SECONDS)
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

/* Repeat a refused open until the log, which is rate-limited, has it. */
static bool refused_and_logged(int log, struct user *user, const char *token,
			       const char *reason)
{
	do {
		if (user_try(user, token) != -EACCES)
			return false;
	} while (!klog_find(log, user->addr, reason));
	return true;
}

TEST_F_TIMEOUT(secret, refusals_are_logged, TEST_SECONDS)
{
	ASSERT_EQ(0, user_try(&self->pf, tokens[0]));
	ASSERT_TRUE(refused_and_logged(self->log, &self->vf, NULL,
				       "open refused: VF token required"));
	ASSERT_TRUE(refused_and_logged(self->log, &self->vf, tokens[1],
				       "open refused: wrong VF token"));
	ASSERT_EQ(0, user_open(&self->vf, tokens[0]));
	ASSERT_TRUE(refused_and_logged(self->log, &self->pf, NULL,
				       "open refused: VF token required"));
	ASSERT_TRUE(refused_and_logged(self->log, &self->pf, tokens[1],
				       "open refused: wrong VF token"));
}

int main(int argc, char **argv)
{
	if (argc == 4 && !strcmp(argv[1], "--open"))
		return be_opener(atoi(argv[2]), argv[3]);
	return bench_run(argc, argv, 1, test_harness_run);
}
