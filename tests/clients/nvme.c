// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include <linux/pci_regs.h>
#include <linux/vfio.h>

#include "dma.h"
#include "nvme.h"

/* Registers, and what is in them */
#define REG_CAP		0x00
#define REG_CC		0x14
#define  CC_ENABLE	(1 << 0)
#define  CC_SQ_64_BYTES	(6 << 16)
#define  CC_CQ_16_BYTES	(4 << 20)
#define REG_CSTS	0x1c
#define  CSTS_READY	(1 << 0)
#define  CSTS_FATAL	(1 << 1)
#define REG_AQA		0x24
#define REG_ASQ		0x28
#define REG_ACQ		0x30
#define REG_DOORBELLS	0x1000

enum admin_opcode {
	CREATE_SQ		= 0x01,
	CREATE_CQ		= 0x05,
	IDENTIFY		= 0x06,
	VIRTUALIZATION		= 0x1c,
};

enum io_opcode {
	WRITE			= 0x01,
	READ			= 0x02,
};

enum identify_what {
	IDENTIFY_NAMESPACE	= 0x00,
	IDENTIFY_CONTROLLER	= 0x01,
	IDENTIFY_PRIMARY	= 0x14,
	IDENTIFY_SECONDARIES	= 0x15,
};

enum virtualization_action {
	PRIMARY_ALLOCATE	= 1,
	SECONDARY_ASSIGN	= 8,
	SECONDARY_ONLINE	= 9,
};

enum virtualization_resource {
	QUEUES			= 0,
	INTERRUPTS		= 1,
};

#define QUEUE_CONTIGUOUS	1
#define NAMESPACE		1

struct command {
	__u8 opcode;
	__u8 flags;
	__u16 id;
	__u32 namespace;
	__u64 reserved;
	__u64 metadata;
	__u64 data[2];
	__u32 dword10;
	__u32 dword11;
	__u32 dword12;
	__u32 dwords[3];
};

struct completion {
	__u32 result;
	__u32 reserved;
	__u16 queue_head;
	__u16 queue_id;
	__u16 id;
	__u16 status;	/* bit 0 is the phase */
};

struct primary_caps {
	__u8 reserved1[40];
	__u16 primary_queues;
	__u8 reserved2[2];
	__u16 max_queues;
	__u8 reserved3[26];
	__u16 primary_interrupts;
	__u8 reserved4[2];
	__u16 max_interrupts;
};

struct secondary {
	__u16 controller;
	__u16 primary;
	__u8 online;
	__u8 reserved1[3];
	__u16 vf;
	__u16 queues;
	__u16 interrupts;
	__u8 reserved2[18];
};

struct secondaries {
	__u8 count;
	__u8 reserved[31];
	struct secondary list[127];
};

/* ------------------------------------------------------------------ memory */

#define PAGE		4096
#define IOVA		0x100000
#define DEPTH		16

enum nvme_page {
	PAGE_ADMIN_SQ,
	PAGE_ADMIN_CQ,
	PAGE_IO_SQ,
	PAGE_IO_CQ,
	PAGE_DATA,
	PAGES
};

static void *page_here(struct nvme *nvme, enum nvme_page page)
{
	return nvme->memory + page * PAGE;
}

static __u64 page_there(enum nvme_page page)
{
	return IOVA + page * PAGE;
}

/* --------------------------------------------------------------- registers */

static __u32 reg_read(struct nvme *nvme, unsigned int reg)
{
	return *(volatile __u32 *)(nvme->regs + reg);
}

static void reg_write(struct nvme *nvme, unsigned int reg, __u32 value)
{
	*(volatile __u32 *)(nvme->regs + reg) = value;
}

static void reg_write64(struct nvme *nvme, unsigned int reg, __u64 value)
{
	reg_write(nvme, reg, value);
	reg_write(nvme, reg + 4, value >> 32);
}

static void ring(struct nvme *nvme, unsigned int number, __u32 value)
{
	unsigned int stride = 4 << (reg_read(nvme, REG_CAP + 4) & 0xf);

	__sync_synchronize();
	reg_write(nvme, REG_DOORBELLS + number * stride, value);
}

static int map_regs(struct nvme *nvme)
{
	struct vfio_region_info info = {
		.argsz = sizeof(info),
		.index = VFIO_PCI_BAR0_REGION_INDEX,
	};
	void *regs;

	if (ioctl(nvme->user->device, VFIO_DEVICE_GET_REGION_INFO, &info))
		return -errno;
	regs = mmap(NULL, info.size, PROT_READ | PROT_WRITE, MAP_SHARED,
		    nvme->user->device, info.offset);
	if (regs == MAP_FAILED)
		return -errno;
	nvme->regs = regs;
	return 0;
}

/* Without this the device can't read its queues. */
static int let_it_master_the_bus(struct nvme *nvme)
{
	struct vfio_region_info info = {
		.argsz = sizeof(info),
		.index = VFIO_PCI_CONFIG_REGION_INDEX,
	};
	int device = nvme->user->device;
	__u16 command;

	if (ioctl(device, VFIO_DEVICE_GET_REGION_INFO, &info))
		return -errno;
	info.offset += PCI_COMMAND;
	if (pread(device, &command, sizeof(command), info.offset) < 0)
		return -errno;
	command |= PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER;
	if (pwrite(device, &command, sizeof(command), info.offset) < 0)
		return -errno;
	return 0;
}

/* ------------------------------------------------------------------ waiting */

#define TIME_LIMIT	60	/* seconds, for what takes no time */

static bool too_late(time_t start)
{
	static const struct timespec pause = { .tv_nsec = 100000 };

	nanosleep(&pause, NULL);
	return time(NULL) > start + TIME_LIMIT;
}

static int wait_for_ready(struct nvme *nvme)
{
	time_t start = time(NULL);
	__u32 status;

	do {
		status = reg_read(nvme, REG_CSTS);
		if (status & CSTS_FATAL)
			return -EIO;
		if (status & CSTS_READY)
			return 0;
	} while (!too_late(start));
	return -ETIMEDOUT;
}

/* ----------------------------------------------------------------- commands */

static void queue_init(struct nvme *nvme, struct nvme_queue *queue,
		       unsigned int id, enum nvme_page commands,
		       enum nvme_page completions)
{
	queue->id = id;
	queue->slot = 0;
	queue->phase = 1;
	queue->commands = page_here(nvme, commands);
	queue->completions = page_here(nvme, completions);
	memset(queue->completions, 0, PAGE);
}

static int wait_for_completion(struct nvme_queue *queue, __u32 *result)
{
	volatile struct completion *completion = queue->completions;
	time_t start = time(NULL);

	completion += queue->slot;
	while ((completion->status & 1) != queue->phase)
		if (too_late(start))
			return -ETIMEDOUT;
	__sync_synchronize();
	if (result)
		*result = completion->result;
	return completion->status >> 1 & 0x7ff;
}

static int run(struct nvme *nvme, struct nvme_queue *queue,
	       struct command *command, __u32 *result)
{
	unsigned int next = (queue->slot + 1) % DEPTH;
	int ret;

	command->id = queue->slot;
	memcpy((struct command *)queue->commands + queue->slot, command,
	       sizeof(*command));
	ring(nvme, 2 * queue->id, next);
	ret = wait_for_completion(queue, result);
	if (ret < 0)
		return ret;
	queue->slot = next;
	if (!next)
		queue->phase ^= 1;
	ring(nvme, 2 * queue->id + 1, next);
	return ret;
}

/* What it says is in the page of data, then. */
static int identify(struct nvme *nvme, enum identify_what what,
		    __u32 namespace)
{
	struct command command = {
		.opcode = IDENTIFY,
		.namespace = namespace,
		.data = { page_there(PAGE_DATA) },
		.dword10 = what,
	};

	return run(nvme, &nvme->admin, &command, NULL);
}

int nvme_identify(struct nvme *nvme, unsigned int *controller, char model[41])
{
	const unsigned char *data = page_here(nvme, PAGE_DATA);
	int ret;

	ret = identify(nvme, IDENTIFY_CONTROLLER, 0);
	if (ret)
		return ret;
	*controller = data[78] | data[79] << 8;
	memcpy(model, data + 24, 40);
	model[40] = '\0';
	return 0;
}

/* -------------------------------------------------------------- start, reset */

static int start(struct nvme *nvme)
{
	int ret;

	nvme->block_size = 0;
	ret = let_it_master_the_bus(nvme);
	if (ret)
		return ret;
	queue_init(nvme, &nvme->admin, 0, PAGE_ADMIN_SQ, PAGE_ADMIN_CQ);
	reg_write(nvme, REG_AQA, (DEPTH - 1) << 16 | (DEPTH - 1));
	reg_write64(nvme, REG_ASQ, page_there(PAGE_ADMIN_SQ));
	reg_write64(nvme, REG_ACQ, page_there(PAGE_ADMIN_CQ));
	reg_write(nvme, REG_CC, CC_ENABLE | CC_SQ_64_BYTES | CC_CQ_16_BYTES);
	return wait_for_ready(nvme);
}

int nvme_init(struct nvme *nvme, struct user *user)
{
	int ret;

	nvme->user = user;
	nvme->memory = dma_alloc(user, IOVA, PAGES * PAGE);
	if (!nvme->memory)
		return -errno;
	ret = map_regs(nvme);
	return ret ? ret : start(nvme);
}

int nvme_reset(struct nvme *nvme)
{
	if (ioctl(nvme->user->device, VFIO_DEVICE_RESET))
		return -errno;
	return start(nvme);
}

/* ------------------------------------------------------- a PF and its VFs */

static int virtualization(struct nvme *nvme, enum virtualization_action action,
			  unsigned int controller,
			  enum virtualization_resource resource,
			  unsigned int number)
{
	struct command command = {
		.opcode = VIRTUALIZATION,
		.dword10 = controller << 16 | resource << 8 | action,
		.dword11 = number,
	};

	return run(nvme, &nvme->admin, &command, NULL);
}

static int primary_caps(struct nvme *nvme, struct primary_caps *caps)
{
	int ret;

	ret = identify(nvme, IDENTIFY_PRIMARY, 0);
	if (!ret)
		memcpy(caps, page_here(nvme, PAGE_DATA), sizeof(*caps));
	return ret;
}

int nvme_release_resources(struct nvme *nvme)
{
	struct primary_caps caps;
	unsigned int controller;
	char model[41];
	int ret;

	ret = primary_caps(nvme, &caps);
	if (ret)
		return ret;
	if (!caps.primary_queues && !caps.primary_interrupts)
		return 0;
	ret = nvme_identify(nvme, &controller, model);
	if (!ret)
		ret = virtualization(nvme, PRIMARY_ALLOCATE, controller,
				     QUEUES, 0);
	if (!ret)
		ret = virtualization(nvme, PRIMARY_ALLOCATE, controller,
				     INTERRUPTS, 0);
	/* It lets go of them in a reset only. */
	return ret ? ret : nvme_reset(nvme);
}

static int controller_of_vf(struct nvme *nvme, unsigned int vf,
			    unsigned int *controller)
{
	const struct secondaries *all = page_here(nvme, PAGE_DATA);
	int ret, i;

	ret = identify(nvme, IDENTIFY_SECONDARIES, 0);
	if (ret)
		return ret;
	for (i = 0; i < all->count; i++) {
		if (all->list[i].vf != vf)
			continue;
		*controller = all->list[i].controller;
		return 0;
	}
	return -ENODEV;
}

int nvme_set_online(struct nvme *nvme, unsigned int vf)
{
	struct primary_caps caps;
	unsigned int controller;
	int ret;

	ret = primary_caps(nvme, &caps);
	if (!ret)
		ret = controller_of_vf(nvme, vf, &controller);
	if (!ret)
		ret = virtualization(nvme, SECONDARY_ASSIGN, controller,
				     QUEUES, caps.max_queues);
	if (!ret)
		ret = virtualization(nvme, SECONDARY_ASSIGN, controller,
				     INTERRUPTS, caps.max_interrupts);
	if (!ret)
		ret = virtualization(nvme, SECONDARY_ONLINE, controller, 0, 0);
	return ret;
}

/* ---------------------------------------------------------------------- I/O */

static int create_io_queue(struct nvme *nvme)
{
	struct command command = {
		.opcode = CREATE_CQ,
		.data = { page_there(PAGE_IO_CQ) },
		.dword10 = (DEPTH - 1) << 16 | 1,
		.dword11 = QUEUE_CONTIGUOUS,
	};
	int ret;

	queue_init(nvme, &nvme->io, 1, PAGE_IO_SQ, PAGE_IO_CQ);
	ret = run(nvme, &nvme->admin, &command, NULL);
	if (ret)
		return ret;
	command.opcode = CREATE_SQ;
	command.data[0] = page_there(PAGE_IO_SQ);
	command.dword11 = nvme->io.id << 16 | QUEUE_CONTIGUOUS;
	return run(nvme, &nvme->admin, &command, NULL);
}

static int find_block_size(struct nvme *nvme)
{
	const unsigned char *data = page_here(nvme, PAGE_DATA);
	unsigned int shift;
	int ret;

	ret = identify(nvme, IDENTIFY_NAMESPACE, NAMESPACE);
	if (ret)
		return ret;
	shift = data[128 + 4 * (data[26] & 0xf) + 2];
	if (shift < 9 || shift > 12)
		return -ENODEV;
	nvme->block_size = 1 << shift;
	return 0;
}

static int move_page(struct nvme *nvme, enum io_opcode opcode, __u64 block)
{
	struct command command = {
		.opcode = opcode,
		.namespace = NAMESPACE,
		.data = { page_there(PAGE_DATA) },
		.dword10 = block,
		.dword11 = block >> 32,
		.dword12 = PAGE / nvme->block_size - 1,
	};

	return run(nvme, &nvme->io, &command, NULL);
}

static int ready_for_io(struct nvme *nvme, size_t len)
{
	int ret;

	if (len % PAGE)
		return -EINVAL;
	if (nvme->block_size)
		return 0;
	ret = create_io_queue(nvme);
	return ret ? ret : find_block_size(nvme);
}

int nvme_read(struct nvme *nvme, __u64 block, void *data, size_t len)
{
	size_t done;
	int ret;

	ret = ready_for_io(nvme, len);
	for (done = 0; !ret && done < len; done += PAGE) {
		ret = move_page(nvme, READ, block + done / nvme->block_size);
		if (!ret)
			memcpy(data + done, page_here(nvme, PAGE_DATA), PAGE);
	}
	return ret;
}

int nvme_write(struct nvme *nvme, __u64 block, const void *data, size_t len)
{
	size_t done;
	int ret;

	ret = ready_for_io(nvme, len);
	for (done = 0; !ret && done < len; done += PAGE) {
		memcpy(page_here(nvme, PAGE_DATA), data + done, PAGE);
		ret = move_page(nvme, WRITE, block + done / nvme->block_size);
	}
	return ret;
}
