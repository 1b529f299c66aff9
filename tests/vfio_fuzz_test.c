// SPDX-License-Identifier: GPL-2.0-only
/*
 * Hostile arguments for each ioctl that accepts a VF token: does the kernel
 * answer as the interface requires, and does a refusal change nothing?
 *
 * Inputs are random, but the seed, which is printed, repeats them:
 *
 *   VFIO_SEED=n	the seed
 *   VFIO_INPUTS=n	inputs for each ioctl; 10000 if not set, 200000 with
 *			VFIO_DEEP=1
 *   VFIO_ONLY=n	only the input with this number
 */
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <linux/vfio.h>

#include "kselftest_harness.h"
#include "lib/bench.h"
#include "lib/oracle.h"
#include "lib/random.h"
#include "lib/user.h"

#define TEST_SECONDS	7200	/* for millions of inputs */
#define INPUT_SECONDS	60	/* for one */
#define INPUTS		10000
#define DEEP_INPUTS	200000

#define MEMORY_LEN	16384
#define TEXT_MAX	6000	/* more than is ever read */
#define CHECK_EVERY	1000
#define MAX_WRONG	10
#define MAX_TARGETS	8
#define MAX_ERRNO_SEEN	128

#define PCI_PF_STUB	"pci-pf-stub"

enum family { REQUESTS, BINDS, BIND_SIZES, FEATURES, NR_FAMILIES };

/* Each family's inputs are shared out among the variants of its fixtures. */
#define REQUEST_VARIANTS	4
#define BIND_VARIANTS		3
#define FEATURE_VARIANTS	2

/* No two variants have the same inputs. */
#define INPUTS_PER_VARIANT	1000000000ULL

static const char *pf = bench.pf;

static uint64_t seed;
static uint64_t nr_inputs;
static uint64_t only;

/* The devices, files and memory of the fuzzed ioctls. */
struct world {
	struct user pf;
	struct user vf[2];
	struct user plain;
	bool has_plain;
	struct oracle oracle;
	struct memory memory[2];
	struct target targets[MAX_TARGETS];
	int nr_targets;
	int lowest_fd;
	/* Results */
	uint64_t answers[MAX_ERRNO_SEEN];
	uint64_t slow[2];
	int wrong;
};

struct input {
	uint64_t index;
	struct random random;
	const struct target *target;
	uint64_t address;
	/* To be printed */
	const char *memory;
	unsigned char copy[TEXT_MAX];
	size_t len;
};

/* ------------------------------------------------------ setting up a world */

static int lowest_free_fd(void)
{
	int fd = fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 0);

	if (fd >= 0)
		close(fd);
	return fd;
}

static void no_users(struct world *world)
{
	static const struct user none = { .iommu = -1, .group = -1, .device = -1 };

	world->pf = none;
	world->vf[0] = none;
	world->vf[1] = none;
	world->plain = none;
}

static int world_init(struct world *world)
{
	int ret;

	memset(world, 0, sizeof(*world));
	no_users(world);
	ret = memory_init(&world->memory[0], MEMORY_LEN, END_UNMAPPED);
	if (!ret)
		ret = memory_init(&world->memory[1], MEMORY_LEN, END_FORBIDDEN);
	world->oracle.memories = world->memory;
	world->oracle.nr_memories = ARRAY_SIZE(world->memory);
	token_parse(TOKEN_1, world->oracle.token);
	return ret;
}

static void world_exit(struct world *world)
{
	int i;

	for (i = 0; i < world->nr_targets; i++)
		if (world->targets[i].file == FILE_UNBOUND ||
		    world->targets[i].file == FILE_BUSY ||
		    world->targets[i].file == FILE_GROUP_BUSY)
			close(world->targets[i].fd);
	user_exit(&world->plain);
	user_exit(&world->vf[1]);
	user_exit(&world->vf[0]);
	user_exit(&world->pf);
	memory_exit(&world->memory[0]);
	memory_exit(&world->memory[1]);
}

static void add_target(struct world *world, enum device_kind device,
		       enum file_kind file, const char *name, int fd)
{
	struct target *target = &world->targets[world->nr_targets++];

	target->device = device;
	target->file = file;
	target->name = name;
	target->fd = fd;
}

static int add_cdev(struct world *world, enum device_kind device,
		    enum file_kind file, const char *name)
{
	int fd = cdev_open(name);

	if (fd < 0)
		return fd;
	add_target(world, device, file, name, fd);
	return 0;
}

static int open_user(struct user *user, enum open_path path, const char *addr,
		     const char *token)
{
	int ret = user_init(user, path, addr);

	return ret ? ret : user_open(user, token);
}

static int open_plain(struct world *world, enum open_path path)
{
	char addr[PCI_ADDR_LEN];
	int ret;

	if (!bench_find_plain_device(addr))
		return 0;
	ret = open_user(&world->plain, path, addr, NULL);
	world->has_plain = !ret;
	return ret;
}

static int open_pf_and_vf(struct world *world, enum open_path path,
			  bool vf_in_use)
{
	int ret;

	ret = open_user(&world->pf, path, pf, TOKEN_1);
	if (!ret)
		ret = user_init(&world->vf[0], path, bench.vf[0]);
	if (!ret && vf_in_use)
		ret = user_open(&world->vf[0], TOKEN_1);
	world->oracle.vf_opens = vf_in_use;
	return ret;
}

/* ---------------------------------------------------------------- messages */

static void print_byte_run(unsigned char byte, size_t count)
{
	char text[8];

	if (isprint(byte) && byte != '"' && byte != '\\')
		snprintf(text, sizeof(text), "%c", byte);
	else
		snprintf(text, sizeof(text), "\\%03o", byte);
	if (count > 16) {
		printf("\" + %zu * \"%s\" + \"", count, text);
		return;
	}
	while (count--)
		fputs(text, stdout);
}

/* As a C string; a run of equal bytes as its length and the byte. */
static void print_bytes(const unsigned char *bytes, size_t len)
{
	size_t i, run;

	putchar('"');
	for (i = 0; i < len; i += run) {
		for (run = 1; i + run < len && bytes[i + run] == bytes[i]; run++)
			;
		print_byte_run(bytes[i], run);
	}
	printf("\"\n");
}

static const char *result_name(int ret)
{
	return ret ? strerrorname_np(-ret) : "success";
}

static void print_token(const char *what, const unsigned char *token)
{
	int i;

	printf("#   %s", what);
	for (i = 0; i < TOKEN_BYTES; i++)
		printf("%02x", token[i]);
	putchar('\n');
}

static void print_input(const struct world *world, const struct input *input,
			uint64_t index)
{
	const struct target *target = input->target;
	struct span span = oracle_span(&world->oracle, input->address);

	printf("# VFIO_SEED=%llu VFIO_ONLY=%llu: %s, %s %s, %d opens of VFs\n",
	       (unsigned long long)seed, (unsigned long long)index,
	       file_kind_name(target->file), device_kind_name(target->device),
	       target->name, world->oracle.vf_opens);
	print_token("token before: ", world->oracle.token);
	printf("#   argument at %#llx, %zu bytes readable (%s):\n#   ",
	       (unsigned long long)input->address, span.len, input->memory);
	print_bytes(input->copy, input->len);
}

static void tell_wrong(struct world *world, const struct input *input,
		       uint64_t index, int expected, int ret)
{
	world->wrong++;
	print_input(world, input, index);
	printf("#   expected %s, got %s\n", result_name(expected),
	       result_name(ret));
	fflush(stdout);
}

/* ------------------------------------------------------------ pieces of input */

static bool flip(struct random *random)
{
	return random_one_in(random, 2);
}

/* The right one, nearly the right one, any other. */
static void choose_token(struct random *random, const struct oracle *oracle,
			 unsigned char token[TOKEN_BYTES])
{
	unsigned int choice = random_below(random, 8);

	memcpy(token, oracle->token, TOKEN_BYTES);
	if (choice < 2)
		token[random_below(random, TOKEN_BYTES)] ^=
			1 << random_below(random, 8);
	else if (choice == 2)
		random_fill(random, token, TOKEN_BYTES);
	else if (choice == 3)
		memset(token, flip(random) ? 0 : 0xff, TOKEN_BYTES);
}

static uint64_t put_at_end(struct memory *memory, struct input *input,
			   const void *data, size_t len)
{
	memcpy(input->copy, data, len);
	input->len = len;
	input->memory = "the last bytes before what can't be read";
	return (uintptr_t)memory_put_at_end(memory, data, len);
}

/* Place an argument in memory, perhaps only a part of it. */
static uint64_t place(struct memory *memory, struct input *input,
		      const void *data, size_t len)
{
	struct random *random = &input->random;
	void *at;

	memcpy(input->copy, data, len);
	input->len = len;
	switch (random_below(random, 16)) {
	case 0:
		input->memory = "a bad address";
		at = memory_bad_address(memory, random);
		break;
	case 1:
	case 2:
		input->memory = "its end can't be read";
		at = memory_put_cut(memory, data, random_below(random, len));
		break;
	case 3:
	case 4:
	case 5:
	case 6:
		return put_at_end(memory, input, data, len);
	default:
		input->memory = "followed by other bytes";
		at = memory_put(memory, random, data, len);
	}
	return (uintptr_t)at;
}

/* ------------------------------------------ strings: "<name>[ <option>]..." */

struct text {
	char bytes[TEXT_MAX];
	size_t len;
};

static void add_bytes(struct text *text, const void *bytes, size_t len)
{
	if (len > sizeof(text->bytes) - text->len)
		len = sizeof(text->bytes) - text->len;
	memcpy(text->bytes + text->len, bytes, len);
	text->len += len;
}

static void add(struct text *text, const char *string)
{
	add_bytes(text, string, strlen(string));
}

static void add_char(struct text *text, char c)
{
	add_bytes(text, &c, 1);
}

static void add_junk(struct text *text, struct random *random)
{
	char junk[24];
	size_t len = 1 + random_below(random, sizeof(junk));

	random_fill(random, junk, len);
	add_bytes(text, junk, len);
}

static void add_upper(struct text *text, const char *string)
{
	while (*string)
		add_char(text, toupper(*string++));
}

static void add_name(struct text *text, struct input *input)
{
	const char *name = input->target->name;

	switch (random_below(&input->random, 32)) {
	case 0:
		break;
	case 1:
		add_bytes(text, name, strlen(name) - 1);
		break;
	case 2:
		add(text, name);
		add_char(text, "0x\t,"[random_below(&input->random, 4)]);
		break;
	case 3:
		add_upper(text, name);
		break;
	case 4:
		add_junk(text, &input->random);
		break;
	case 5:
		/* Leading blanks are no part of a name. */
		add_char(text, ' ');
		add(text, name);
		break;
	case 6:
		add(text, name + strcspn(name, ":") + 1);
		break;
	default:
		add(text, name);
	}
}

static void add_gap(struct text *text, struct random *random)
{
	unsigned int blanks = 1;

	switch (random_below(random, 32)) {
	case 0:
		blanks = 0;
		break;
	case 1:
		add_char(text, "\t\n\r\v\f,\x01\xa0"[random_below(random, 8)]);
		blanks = random_below(random, 2);
		break;
	case 2:
	case 3:
	case 4:
		blanks = 1 + random_below(random, 6);
		break;
	}
	while (blanks--)
		add_char(text, ' ');
}

static void format_uuid(char uuid[TOKEN_TEXT_LEN + 1], struct random *random,
			const unsigned char *token)
{
	bool upper = random_one_in(random, 4);
	bool mixed = random_one_in(random, 4);
	char *at = uuid;
	int i;

	for (i = 0; i < TOKEN_BYTES; i++) {
		if (i == 4 || i == 6 || i == 8 || i == 10)
			*at++ = '-';
		if (mixed)
			upper = flip(random);
		at += sprintf(at, upper ? "%02X" : "%02x", token[i]);
	}
}

/* Almost a UUID. */
static void add_half_uuid(struct text *text, struct random *random, char *uuid)
{
	size_t len = strlen(uuid);
	size_t at = random_below(random, len);
	char c = random_next(random);

	switch (random_below(random, 8)) {
	case 0:
		add_bytes(text, uuid, at);
		add_bytes(text, uuid + at + 1, len - at - 1);
		break;
	case 1:
		add_bytes(text, uuid, at);
		add_char(text, "0f-g x"[random_below(random, 6)]);
		add_bytes(text, uuid + at, len - at);
		break;
	case 2:
		uuid[at] = c;
		add(text, uuid);
		break;
	case 3:
		uuid[at] = "gG-/:@`"[random_below(random, 7)];
		add(text, uuid);
		break;
	case 4:
		add_char(text, '{');
		add(text, uuid);
		add_char(text, '}');
		break;
	case 5:
		add(text, flip(random) ? "urn:uuid:" : "0x");
		add(text, uuid);
		break;
	case 6:
		/* A dash one place too early. */
		uuid[7] = '-';
		uuid[8] = '0';
		add(text, uuid);
		break;
	default:
		for (; *uuid; uuid++)
			if (*uuid != '-')
				add_char(text, *uuid);
	}
}

static void add_uuid(struct text *text, struct random *random,
		     const struct oracle *oracle)
{
	unsigned char token[TOKEN_BYTES];
	char uuid[TOKEN_TEXT_LEN + 1];

	choose_token(random, oracle, token);
	format_uuid(uuid, random, token);
	if (random_one_in(random, 4))
		add_half_uuid(text, random, uuid);
	else
		add(text, uuid);
}

static void add_option(struct text *text, struct random *random,
		       const struct oracle *oracle)
{
	static const char name[] = "vf_token=";

	switch (random_below(random, 24)) {
	case 0:
		add_bytes(text, name, random_below(random, sizeof(name)));
		return;
	case 1:
		add_junk(text, random);
		return;
	case 2:
		add(text, "VF_TOKEN=");
		break;
	case 3:
		add(text, flip(random) ? "vf_tokens=" : "xvf_token=");
		break;
	case 4:
		add(text, flip(random) ? "vf_token =" : "vf_token= ");
		break;
	case 5:
		add(text, flip(random) ? "vf_token==" : "vf_token:");
		break;
	case 6:
		add(text, "vf_\xc3\xb6token=");
		break;
	case 7:
		break;
	default:
		add(text, name);
	}
	add_uuid(text, random, oracle);
}

/* Up to the length that ends within a page, or a few bytes around it. */
static void add_padding(struct text *text, struct random *random)
{
	size_t len = sysconf(_SC_PAGESIZE) - 4 + random_below(random, 8);
	char c = flip(random) ? ' ' : random_next(random);

	while (text->len < len && text->len < TEXT_MAX - 1)
		add_char(text, c);
}

static void mutate(struct text *text, struct random *random)
{
	size_t at = random_below(random, text->len);
	size_t rest = text->len - at;

	switch (random_below(random, 5)) {
	case 0:
		text->bytes[at] ^= 1 << random_below(random, 8);
		break;
	case 1:
		text->bytes[at] = random_next(random);
		break;
	case 2:
		text->bytes[at] = '\0';
		break;
	case 3:
		memmove(text->bytes + at, text->bytes + at + 1, rest - 1);
		text->len--;
		break;
	default:
		if (text->len < TEXT_MAX - 1) {
			memmove(text->bytes + at + 1, text->bytes + at, rest);
			text->len++;
		}
	}
}

static void make_request(struct world *world, struct input *input)
{
	struct random *random = &input->random;
	static struct text text;
	unsigned int options;

	text.len = 0;
	add_name(&text, input);
	options = random_below(random, 10);
	for (options = options < 2 ? options * 2 : 1; options; options--) {
		add_gap(&text, random);
		add_option(&text, random, &world->oracle);
	}
	if (random_one_in(random, 8))
		add_gap(&text, random);
	if (random_one_in(random, 32))
		add_padding(&text, random);
	if (text.len && random_one_in(random, 4))
		mutate(&text, random);
	/* Rarely, the string has no end. */
	if (text.len == TEXT_MAX)
		text.len--;
	if (!text.len || !random_one_in(random, 32))
		add_char(&text, '\0');
	input->address = place(&world->memory[flip(random)], input, text.bytes,
			       text.len);
}

/* ------------------------------------------------------------- structures */

static uint32_t choose_argsz(struct random *random, uint32_t right)
{
	switch (random_below(random, 8)) {
	case 0:
		return random_next(random);
	case 1:
		return UINT32_MAX - random_below(random, 64);
	case 2:
	case 3:
		return right;
	default:
		return random_below(random, 65);
	}
}

static int choose_fd(int iommufd, struct random *random)
{
	switch (random_below(random, 12)) {
	case 0:
		return -1 - random_below(random, 3);
	case 1:
		return INT_MIN + random_below(random, 3);
	case 2:
		return INT_MAX - random_below(random, 3);
	case 3:
		return random_next(random);
	case 4:
		return random_below(random, 64);
	default:
		return iommufd;
	}
}

/* The target of a structure's pointer, in memory other than the structure's. */
static uint64_t place_token(struct world *world, struct random *random,
			    struct memory *memory)
{
	unsigned char token[TOKEN_BYTES];

	choose_token(random, &world->oracle, token);
	switch (random_below(random, 12)) {
	case 0:
		return (uintptr_t)memory_bad_address(memory, random);
	case 1:
		return (uintptr_t)memory_put_cut(memory, token,
						 random_below(random,
							      TOKEN_BYTES));
	case 2:
		return random_next(random);
	case 3:
	case 4:
		return (uintptr_t)memory_put_at_end(memory, token, TOKEN_BYTES);
	default:
		return (uintptr_t)memory_put(memory, random, token,
					     TOKEN_BYTES);
	}
}

/* As long as argsz, up to this; bytes after the known members are 0 or not. */
#define BIND_MAX	80
#define BIND_SHORT	offsetof(struct vfio_device_bind_iommufd, token_uuid_ptr)
#define BIND_LONG	sizeof(struct vfio_device_bind_iommufd)

static void make_bind(struct world *world, struct input *input)
{
	struct random *random = &input->random;
	unsigned char bytes[BIND_MAX] = {};
	struct vfio_device_bind_iommufd *bind = (void *)bytes;
	size_t len = sizeof(*bind);
	bool which = flip(random);

	if (flip(random))
		random_fill(random, bytes, sizeof(bytes));
	bind->argsz = choose_argsz(random, sizeof(*bind));
	bind->flags = random_below(random, 2);
	if (random_one_in(random, 6))
		bind->flags ^= 1u << random_below(random, 32);
	else if (random_one_in(random, 16))
		bind->flags = random_next(random);
	bind->iommufd = choose_fd(world->pf.iommu, random);
	bind->token_uuid_ptr = place_token(world, random,
					   &world->memory[!which]);
	if (bind->argsz > sizeof(*bind) && bind->argsz <= BIND_MAX &&
	    flip(random))
		len = bind->argsz;
	else if (flip(random))
		len = flip(random) ? BIND_LONG : BIND_SHORT;
	/* Most inputs are refused earlier; here only the iommufd is wrong. */
	if (random_one_in(random, 8)) {
		len = bind->argsz = sizeof(*bind);
		bind->flags = VFIO_DEVICE_BIND_FLAG_TOKEN;
		bind->iommufd = flip(random) ? STDOUT_FILENO : INT_MAX;
		bind->token_uuid_ptr = (uintptr_t)
			memory_put(&world->memory[!which], random,
				   world->oracle.token, TOKEN_BYTES);
	}

	input->address = place(&world->memory[which], input, bytes, len);

	world->oracle.read_only = random_one_in(random, 32);
	if (world->oracle.read_only)
		input->memory = "it can't be written";
}

/*
 * Not random, as few random inputs that open a device are run: each target with
 * each argsz, with and without the flag, and with zeroes or ones after the
 * known members.
 */
#define SIZES_ARGSZ_MAX	64
#define SIZES_PER_TARGET	(4 * (SIZES_ARGSZ_MAX + 1))

static void make_bind_size(struct world *world, struct input *input)
{
	uint64_t n = input->index % INPUTS_PER_VARIANT;
	unsigned char bytes[BIND_MAX];
	struct vfio_device_bind_iommufd *bind = (void *)bytes;
	size_t len = BIND_SHORT;

	input->target = &world->targets[n / SIZES_PER_TARGET %
					world->nr_targets];
	memset(bytes, n & 1 ? 0xff : 0, sizeof(bytes));
	bind->argsz = n / 4 % (SIZES_ARGSZ_MAX + 1);
	bind->flags = n & 2 ? VFIO_DEVICE_BIND_FLAG_TOKEN : 0;
	bind->iommufd = world->pf.iommu;
	if (bind->flags)
		bind->token_uuid_ptr =
			(uintptr_t)memory_put_at_end(&world->memory[0],
						     world->oracle.token,
						     TOKEN_BYTES);
	if (bind->argsz > len)
		len = bind->argsz;
	input->address = put_at_end(&world->memory[1], input, bytes, len);
}

static uint32_t choose_feature_flags(struct random *random)
{
	uint32_t flags = random_below(random, 8) << 16;

	switch (random_below(random, 8)) {
	case 0:
		flags ^= 1u << (16 + random_below(random, 16));
		break;
	case 1:
		/* An index that no device has: the kernel has few. */
		flags |= 0x100 + random_below(random, 0xff00);
		break;
	case 2:
		flags |= random_next(random) << 16;
		break;
	case 3:
	case 4:
		flags = VFIO_DEVICE_FEATURE_SET;
	}
	return flags;
}

static void make_feature(struct world *world, struct input *input)
{
	struct random *random = &input->random;
	const size_t right = sizeof(struct vfio_device_feature) + TOKEN_BYTES;
	__u32 bytes[BIND_MAX / sizeof(__u32)];
	struct vfio_device_feature *feature = (void *)bytes;
	size_t len = right;

	random_fill(random, bytes, sizeof(bytes));
	feature->argsz = choose_argsz(random, right);
	feature->flags = choose_feature_flags(random);
	choose_token(random, &world->oracle, feature->data);
	if (random_one_in(random, 4))
		len = 8 + random_below(random, sizeof(bytes) - 8);
	input->address = place(&world->memory[flip(random)], input, bytes, len);
}

/* ------------------------------------------------------------ the families */

static int ioctl_errno(int fd, unsigned long request, uint64_t address)
{
	int ret = ioctl(fd, request, (unsigned long)address);

	return ret < 0 ? -errno : ret;
}

static int do_request(struct world *world, const struct input *input)
{
	int fd = ioctl_errno(input->target->fd, VFIO_GROUP_GET_DEVICE_FD,
			     input->address);

	if (fd < 0)
		return fd;
	close(fd);
	return 0;
}

/* A cdev that was bound is of no use any more. */
static int do_bind(struct world *world, const struct input *input)
{
	struct target *target = &world->targets[input->target - world->targets];
	int ret;

	ret = ioctl_errno(target->fd, VFIO_DEVICE_BIND_IOMMUFD, input->address);
	if (!ret) {
		close(target->fd);
		target->fd = cdev_open(target->name);
	}
	return ret;
}

static int do_feature(struct world *world, const struct input *input)
{
	return ioctl_errno(input->target->fd, VFIO_DEVICE_FEATURE,
			   input->address);
}

static const struct family_ops {
	const char *name;
	void (*make)(struct world *world, struct input *input);
	int (*predict)(struct oracle *oracle, const struct target *target,
		       uint64_t address);
	int (*run)(struct world *world, const struct input *input);
} families[NR_FAMILIES] = {
	[REQUESTS] = {
		"VFIO_GROUP_GET_DEVICE_FD",
		make_request, oracle_request, do_request,
	},
	[BINDS] = {
		"VFIO_DEVICE_BIND_IOMMUFD",
		make_bind, oracle_bind, do_bind,
	},
	[BIND_SIZES] = {
		"VFIO_DEVICE_BIND_IOMMUFD, each argsz",
		make_bind_size, oracle_bind, do_bind,
	},
	[FEATURES] = {
		"VFIO_DEVICE_FEATURE",
		make_feature, oracle_feature, do_feature,
	},
};

/* Does a random input lead to a first open, which resets the device? */
static bool is_first_open(const struct world *world, enum family family,
			  const struct target *target, int expected)
{
	if (family == BINDS)
		return !expected ||
		       (expected == -EFAULT && world->oracle.read_only);
	return family == REQUESTS && !expected &&
	       target->device == KIND_VF && !world->oracle.vf_opens;
}

/* Run few first opens, as they last a hundred times as long as other inputs. */
static bool too_slow(struct world *world, int expected, uint64_t done)
{
	uint64_t *slow = &world->slow[!!expected];

	if (*slow > 3 + done / 2000)
		return true;
	++*slow;
	return false;
}

static int run_input(struct world *world, const struct family_ops *ops,
		     const struct input *input)
{
	bool read_only = world->oracle.read_only;
	int i, ret;

	for (i = 0; read_only && i < 2; i++)
		memory_set_read_only(&world->memory[i], true);
	ret = ops->run(world, input);
	for (i = 0; read_only && i < 2; i++)
		memory_set_read_only(&world->memory[i], false);
	return ret;
}

/* False if it was left out. */
static bool fuzz_one(struct world *world, enum family family, uint64_t index,
		     uint64_t done)
{
	const struct family_ops *ops = &families[family];
	static struct input input;
	struct oracle after;
	int expected, ret;

	input.index = index;
	random_init(&input.random, seed, index);
	input.target = &world->targets[random_below(&input.random,
						    world->nr_targets)];
	ops->make(world, &input);
	after = world->oracle;
	expected = ops->predict(&after, input.target, input.address);
	if (is_first_open(world, family, input.target, expected) &&
	    only == UINT64_MAX && too_slow(world, expected, done))
		return false;

	alarm(INPUT_SECONDS);
	ret = run_input(world, ops, &input);
	alarm(0);
	world->answers[-expected]++;
	if (ret != expected)
		tell_wrong(world, &input, index, expected, ret);
	if (lowest_free_fd() != world->lowest_fd) {
		printf("# a file descriptor was left open:\n");
		tell_wrong(world, &input, index, expected, ret);
		world->lowest_fd = lowest_free_fd();
	}
	world->oracle = after;
	return true;
}

static void print_answers(const struct world *world, enum family family,
			  uint64_t done)
{
	int i;

	printf("# %s: %llu inputs:", families[family].name,
	       (unsigned long long)done);
	for (i = 0; i < MAX_ERRNO_SEEN; i++)
		if (world->answers[i])
			printf(" %s %llu", result_name(-i),
			       (unsigned long long)world->answers[i]);
	putchar('\n');
	fflush(stdout);
}

static bool fuzz_only(struct world *world, enum family family, uint64_t first,
		      bool (*check)(struct world *world))
{
	if (only < first || only - first >= INPUTS_PER_VARIANT)
		return true;
	return fuzz_one(world, family, only, 0) && !world->wrong && check(world);
}

/*
 * True if all answers were right.  Each caller has its own number, @variant;
 * @check checks the world now and then.
 */
static bool fuzz(struct world *world, enum family family, unsigned int variant,
		 uint64_t inputs, bool (*check)(struct world *world))
{
	const uint64_t first = variant * INPUTS_PER_VARIANT;
	uint64_t index, done = 0;

	world->lowest_fd = lowest_free_fd();
	if (only != UINT64_MAX)
		return fuzz_only(world, family, first, check);
	for (index = first; done < inputs && world->wrong < MAX_WRONG; index++) {
		if (!fuzz_one(world, family, index, done))
			continue;
		if (++done % CHECK_EVERY && done != inputs)
			continue;
		if (check(world))
			continue;
		printf("# VFIO_SEED=%llu: not as it should be after input %llu\n",
		       (unsigned long long)seed, (unsigned long long)index);
		world->wrong++;
		break;
	}
	print_answers(world, family, done);
	return !world->wrong;
}

/* ------------------------------------------------------ checks of the world */

static void token_text(const unsigned char token[TOKEN_BYTES],
		       char text[TOKEN_TEXT_LEN])
{
	static const char form[] = "xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx";
	int i, nibble = 0;

	for (i = 0; form[i]; i++) {
		if (form[i] == '-') {
			text[i] = '-';
			continue;
		}
		text[i] = "0123456789abcdef"[token[nibble / 2] >>
					     (nibble % 2 ? 0 : 4) & 0xf];
		nibble++;
	}
	text[i] = '\0';
}

/* Check the token with a further open of an open device. */
static bool reopens(int group, const char *addr, const char *token, int expected)
{
	int ret = group_get_device_token(group, addr, token);

	if (ret >= 0) {
		close(ret);
		ret = 0;
	}
	if (ret != expected)
		printf("# %s, token %s: expected %s, got %s\n", addr, token,
		       result_name(expected), result_name(ret));
	return ret == expected;
}

static void tokens_of(const struct world *world, char right[TOKEN_TEXT_LEN],
		      char wrong[TOKEN_TEXT_LEN])
{
	unsigned char other[TOKEN_BYTES];

	memcpy(other, world->oracle.token, TOKEN_BYTES);
	other[TOKEN_BYTES - 1] ^= 1;
	token_text(world->oracle.token, right);
	token_text(other, wrong);
}

static bool check_vf_in_use(struct world *world)
{
	char right[TOKEN_TEXT_LEN], wrong[TOKEN_TEXT_LEN];

	tokens_of(world, right, wrong);
	return reopens(world->vf[0].group, bench.vf[0], right, 0) &&
	       reopens(world->vf[0].group, bench.vf[0], wrong, -EACCES) &&
	       reopens(world->pf.group, pf, right, 0) &&
	       reopens(world->pf.group, pf, wrong, -EACCES);
}

/* A token is set, so the count is 0; then the old one is put back. */
static bool check_no_vf_in_use(struct world *world)
{
	char right[TOKEN_TEXT_LEN], wrong[TOKEN_TEXT_LEN];

	tokens_of(world, right, wrong);
	return reopens(world->vf[0].group, bench.vf[0], wrong, -EACCES) &&
	       reopens(world->pf.group, pf, wrong, 0) &&
	       reopens(world->vf[0].group, bench.vf[0], right, -EACCES) &&
	       reopens(world->pf.group, pf, right, 0);
}

static bool check_nothing(struct world *world)
{
	return true;
}

static int try_token(struct user *user, const unsigned char token[TOKEN_BYTES])
{
	char text[TOKEN_TEXT_LEN];

	token_text(token, text);
	return user_try(user, text);
}

/*
 * At the end: with every VF closed, none counts as in use, and the token is
 * that of the oracle.
 */
static bool nothing_left(struct world *world, enum open_path path)
{
	int pf_ret, vf_ret;

	user_exit(&world->vf[0]);
	user_exit(&world->vf[1]);
	vf_ret = user_init(&world->vf[0], path, bench.vf[0]);
	if (!vf_ret)
		vf_ret = try_token(&world->vf[0], world->oracle.token);
	user_exit(&world->pf);
	pf_ret = user_init(&world->pf, path, pf);
	if (!pf_ret)
		pf_ret = user_try(&world->pf, TOKEN_2);
	if (vf_ret || pf_ret)
		printf("# at the end: VF with the token: %s, PF with another: %s\n",
		       result_name(vf_ret), result_name(pf_ret));
	return !vf_ret && !pf_ret;
}

static void expect_seen(struct __test_metadata *_metadata,
			const struct world *world, int error)
{
	EXPECT_LT(0, world->answers[error])
		TH_LOG("no input of %s", result_name(-error));
}

/* ------------------------------------------------ VFIO_GROUP_GET_DEVICE_FD */

FIXTURE(request)
{
	struct world world;
};

FIXTURE_VARIANT(request)
{
	unsigned int number;
	enum open_path path;
	bool vf_in_use;
};

FIXTURE_VARIANT_ADD(request, type1_vf_in_use)
{
	.number = 0,
	.path = OPEN_TYPE1,
	.vf_in_use = true,
};

FIXTURE_VARIANT_ADD(request, type1_no_vf_in_use)
{
	.number = 1,
	.path = OPEN_TYPE1,
	.vf_in_use = false,
};

FIXTURE_VARIANT_ADD(request, compat_vf_in_use)
{
	.number = 2,
	.path = OPEN_COMPAT,
	.vf_in_use = true,
};

/* Opened devices stay open, so that opening them again is fast. */
FIXTURE_SETUP(request)
{
	struct world *world = &self->world;

	ASSERT_EQ(0, world_init(world));
	ASSERT_EQ(0, open_pf_and_vf(world, variant->path, variant->vf_in_use));
	ASSERT_EQ(0, open_plain(world, variant->path));
	/* Most inputs are for VFs. */
	add_target(world, KIND_VF, FILE_GROUP, bench.vf[0], world->vf[0].group);
	add_target(world, KIND_VF, FILE_GROUP, bench.vf[0], world->vf[0].group);
	add_target(world, KIND_PF, FILE_GROUP, pf, world->pf.group);
	if (world->has_plain)
		add_target(world, KIND_PLAIN, FILE_GROUP, world->plain.addr,
			   world->plain.group);
}

FIXTURE_TEARDOWN(request)
{
	world_exit(&self->world);
}

TEST_F_TIMEOUT(request, answers_follow_interface, TEST_SECONDS)
{
	struct world *world = &self->world;

	ASSERT_TRUE(fuzz(world, REQUESTS, variant->number,
			 nr_inputs / REQUEST_VARIANTS,
			 variant->vf_in_use ? check_vf_in_use :
					      check_no_vf_in_use));
	EXPECT_TRUE(nothing_left(world, variant->path));
	if (nr_inputs < INPUTS || only != UINT64_MAX)
		return;
	expect_seen(_metadata, world, 0);
	expect_seen(_metadata, world, EACCES);
	expect_seen(_metadata, world, EFAULT);
	expect_seen(_metadata, world, EINVAL);
	expect_seen(_metadata, world, ENODEV);
}

/* A VF of a PF on a host driver: it opens without a token only. */
FIXTURE(free_vf)
{
	struct world world;
};

FIXTURE_VARIANT(free_vf)
{
	unsigned int number;
	enum open_path path;
};

FIXTURE_VARIANT_ADD(free_vf, type1) { .number = 3, .path = OPEN_TYPE1 };
FIXTURE_VARIANT_ADD(free_vf, cdev) { .number = 9, .path = OPEN_CDEV };

FIXTURE_SETUP(free_vf)
{
	struct world *world = &self->world;

	if (!pci_driver_exists(PCI_PF_STUB))
		SKIP(return, "no driver %s in this kernel", PCI_PF_STUB);
	ASSERT_EQ(0, world_init(world));
	ASSERT_EQ(0, bench_disable_vfs());
	ASSERT_EQ(0, pci_move_to(pf, PCI_PF_STUB));
	ASSERT_EQ(0, pci_write(pf, "sriov_drivers_autoprobe", "0"));
	ASSERT_EQ(0, bench_enable_vfs(1));
	ASSERT_EQ(0, pci_move_to(bench.vf[0], VFIO_PCI));
	if (variant->path == OPEN_CDEV) {
		/* It has no more than an iommufd. */
		ASSERT_EQ(0, user_init(&world->pf, OPEN_CDEV, bench.vf[0]));
		ASSERT_EQ(0, add_cdev(world, KIND_FREE_VF, FILE_UNBOUND,
				      bench.vf[0]));
		return;
	}
	ASSERT_EQ(0, open_user(&world->vf[0], OPEN_TYPE1, bench.vf[0], NULL));
	add_target(world, KIND_FREE_VF, FILE_GROUP, bench.vf[0],
		   world->vf[0].group);
}

FIXTURE_TEARDOWN(free_vf)
{
	world_exit(&self->world);
	EXPECT_EQ(0, pci_write(pf, "sriov_drivers_autoprobe", "1"));
	EXPECT_EQ(0, bench_disable_vfs());
	EXPECT_EQ(0, pci_move_to(pf, VFIO_PCI));
	EXPECT_EQ(0, bench_enable_vfs(2));
}

TEST_F_TIMEOUT(free_vf, answers_follow_interface, TEST_SECONDS)
{
	struct world *world = &self->world;
	bool cdev = variant->path == OPEN_CDEV;

	/* Not an assertion: the PF would not get its driver back. */
	EXPECT_TRUE(fuzz(world, cdev ? BINDS : REQUESTS, variant->number,
			 nr_inputs / (cdev ? BIND_VARIANTS : REQUEST_VARIANTS),
			 check_nothing));
	if (world->wrong || nr_inputs < INPUTS || only != UINT64_MAX)
		return;
	expect_seen(_metadata, world, 0);
	expect_seen(_metadata, world, EFAULT);
	expect_seen(_metadata, world, EINVAL);
	expect_seen(_metadata, world, cdev ? EBADF : ENODEV);
	EXPECT_EQ(0, world->answers[EACCES]);
}

/* ------------------------------------------------ VFIO_DEVICE_BIND_IOMMUFD */

FIXTURE(bind)
{
	struct world world;
};

FIXTURE_VARIANT(bind)
{
	unsigned int number;
	bool vf_in_use;
};

FIXTURE_VARIANT_ADD(bind, vf_in_use) { .number = 4, .vf_in_use = true };
FIXTURE_VARIANT_ADD(bind, no_vf_in_use) { .number = 5, .vf_in_use = false };

/* A VF and its PF, whose token is known. */
static int bind_world_init(struct world *world)
{
	int ret;

	ret = world_init(world);
	/* Groups had tokens before cdevs did. */
	if (!ret)
		ret = try_open(OPEN_TYPE1, pf, TOKEN_1);
	/* It has no more than an iommufd. */
	if (!ret)
		ret = user_init(&world->pf, OPEN_CDEV, pf);
	if (!ret)
		ret = add_cdev(world, KIND_VF, FILE_UNBOUND, bench.vf[1]);
	if (!ret)
		ret = add_cdev(world, KIND_PF, FILE_UNBOUND, pf);
	return ret;
}

/* One VF and the plain device are busy, in different ways. */
static int add_busy_targets(struct world *world)
{
	int ret;

	ret = open_user(&world->vf[0], OPEN_CDEV, bench.vf[0], TOKEN_1);
	if (ret)
		return ret;
	world->oracle.vf_opens = 1;
	add_target(world, KIND_VF, FILE_BOUND, bench.vf[0],
		   world->vf[0].device);
	ret = add_cdev(world, KIND_VF, FILE_BUSY, bench.vf[0]);
	if (!ret)
		ret = open_plain(world, OPEN_TYPE1);
	if (ret || !world->has_plain)
		return ret;
	add_target(world, KIND_PLAIN, FILE_OF_GROUP, world->plain.addr,
		   world->plain.device);
	return add_cdev(world, KIND_PLAIN, FILE_GROUP_BUSY, world->plain.addr);
}

static int add_idle_plain_device(struct world *world)
{
	static char addr[PCI_ADDR_LEN];

	if (!bench_find_plain_device(addr))
		return 0;
	return add_cdev(world, KIND_PLAIN, FILE_UNBOUND, addr);
}

FIXTURE_SETUP(bind)
{
	struct world *world = &self->world;

	ASSERT_EQ(0, bind_world_init(world));
	ASSERT_EQ(0, variant->vf_in_use ? add_busy_targets(world) :
					  add_idle_plain_device(world));
}

FIXTURE_TEARDOWN(bind)
{
	world_exit(&self->world);
}

TEST_F_TIMEOUT(bind, answers_follow_interface, TEST_SECONDS)
{
	struct world *world = &self->world;

	ASSERT_TRUE(fuzz(world, BINDS, variant->number,
			 nr_inputs / BIND_VARIANTS,
			 check_nothing));
	EXPECT_TRUE(nothing_left(world, OPEN_CDEV));
	if (nr_inputs < INPUTS || only != UINT64_MAX)
		return;
	expect_seen(_metadata, world, 0);
	expect_seen(_metadata, world, E2BIG);
	expect_seen(_metadata, world, EACCES);
	expect_seen(_metadata, world, EBADF);
	expect_seen(_metadata, world, EBADFD);
	expect_seen(_metadata, world, EFAULT);
	expect_seen(_metadata, world, EINVAL);
	if (world->has_plain)
		expect_seen(_metadata, world, EBUSY);
}

FIXTURE(bind_sizes)
{
	struct world world;
};

FIXTURE_SETUP(bind_sizes)
{
	ASSERT_EQ(0, bind_world_init(&self->world));
}

FIXTURE_TEARDOWN(bind_sizes)
{
	world_exit(&self->world);
}

TEST_F_TIMEOUT(bind_sizes, answers_follow_interface, TEST_SECONDS)
{
	/*
	 * Only the PF opens without the flag.  Ones after the known members are
	 * refused; without the flag any pointer is accepted.
	 */
	const uint64_t known = BIND_LONG + 1 - BIND_SHORT;
	const uint64_t longer = SIZES_ARGSZ_MAX - BIND_LONG;
	const uint64_t without = 2 * known + longer;
	const uint64_t with = 2 + longer;
	struct world *world = &self->world;

	ASSERT_TRUE(fuzz(world, BIND_SIZES, 8,
			 SIZES_PER_TARGET * world->nr_targets, check_nothing));
	EXPECT_TRUE(nothing_left(world, OPEN_CDEV));
	if (only == UINT64_MAX)
		EXPECT_EQ(without + 2 * with, world->answers[0]);
}

/* ----------------------------------------------------- VFIO_DEVICE_FEATURE */

FIXTURE(feature)
{
	struct world world;
};

FIXTURE_VARIANT(feature)
{
	unsigned int number;
	enum open_path path;
};

FIXTURE_VARIANT_ADD(feature, type1) { .number = 6, .path = OPEN_TYPE1 };
FIXTURE_VARIANT_ADD(feature, cdev) { .number = 7, .path = OPEN_CDEV };

FIXTURE_SETUP(feature)
{
	struct world *world = &self->world;
	enum file_kind file =
		variant->path == OPEN_CDEV ? FILE_BOUND : FILE_OF_GROUP;

	ASSERT_EQ(0, world_init(world));
	ASSERT_EQ(0, open_pf_and_vf(world, variant->path, true));
	ASSERT_EQ(0, open_plain(world, variant->path));
	add_target(world, KIND_PF, file, pf, world->pf.device);
	add_target(world, KIND_PF, file, pf, world->pf.device);
	add_target(world, KIND_PF, file, pf, world->pf.device);
	add_target(world, KIND_VF, file, bench.vf[0], world->vf[0].device);
	if (world->has_plain)
		add_target(world, KIND_PLAIN, file, world->plain.addr,
			   world->plain.device);
	ASSERT_EQ(0, add_cdev(world, KIND_PF, FILE_BUSY, pf));
}

FIXTURE_TEARDOWN(feature)
{
	world_exit(&self->world);
}

TEST_F_TIMEOUT(feature, answers_follow_interface, TEST_SECONDS)
{
	struct world *world = &self->world;

	ASSERT_TRUE(fuzz(world, FEATURES, variant->number,
			 nr_inputs / FEATURE_VARIANTS,
			 variant->path == OPEN_CDEV ? check_nothing :
						      check_vf_in_use));
	EXPECT_TRUE(nothing_left(world, variant->path));
	if (nr_inputs < INPUTS || only != UINT64_MAX)
		return;
	expect_seen(_metadata, world, 0);
	expect_seen(_metadata, world, EFAULT);
	expect_seen(_metadata, world, EINVAL);
	expect_seen(_metadata, world, ENOTTY);
}

int main(int argc, char **argv)
{
	seed = random_seed_of_run();
	nr_inputs = length_from_environment("VFIO_INPUTS", INPUTS, DEEP_INPUTS);
	only = number_from_environment("VFIO_ONLY", UINT64_MAX);
	return bench_run(argc, argv, 2, test_harness_run);
}
