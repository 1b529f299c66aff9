// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "kselftest.h"
#include "memory.h"

/* Far from where mmap() goes, so that the page behind it stays unmapped. */
#define PLACE		0x100000000000UL
#define PLACE_STEP	0x010000000000UL

#define FILLER		0xa5

int memory_init(struct memory *memory, size_t len, enum memory_end end)
{
	long page = sysconf(_SC_PAGESIZE);
	unsigned long place = PLACE + end * PLACE_STEP;
	unsigned char *start;

	len = (len + page - 1) / page * page;
	start = mmap((void *)place, len + page, PROT_READ | PROT_WRITE,
		     MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);
	if (start == MAP_FAILED)
		return -errno;
	memory->start = start;
	memory->end = start + len;
	if (end == END_FORBIDDEN ? mprotect(memory->end, page, PROT_NONE) :
				   munmap(memory->end, page))
		return -errno;
	return 0;
}

void memory_exit(struct memory *memory)
{
	long page = sysconf(_SC_PAGESIZE);

	munmap(memory->start, memory->end - memory->start + page);
}

/* Old contents must not look like a part of the new ones. */
static void *put(struct memory *memory, unsigned char *at, const void *data,
		 size_t len)
{
	memset(memory->start, FILLER, memory->end - memory->start);
	memcpy(at, data, len);
	return at;
}

void *memory_put(struct memory *memory, struct random *random,
		 const void *data, size_t len)
{
	size_t room = memory->end - memory->start - len;

	return put(memory, memory->start + random_below(random, room / 2), data,
		   len);
}

void *memory_put_at_end(struct memory *memory, const void *data, size_t len)
{
	return put(memory, memory->end - len, data, len);
}

void *memory_put_cut(struct memory *memory, const void *data, size_t readable)
{
	return memory_put_at_end(memory, data, readable);
}

int memory_set_read_only(struct memory *memory, bool read_only)
{
	return mprotect(memory->start, memory->end - memory->start,
			read_only ? PROT_READ : PROT_READ | PROT_WRITE) ?
	       -errno : 0;
}

void *memory_bad_address(struct memory *memory, struct random *random)
{
	static const unsigned long bad[] = {
		0,
		1,
		0x7ffffffff000UL,	/* the end of user addresses */
		0x800000000000UL,
		0x8000000000000000UL,
		0xffff888000000000UL,	/* the kernel's map of all memory */
		0xffffffff81000000UL,	/* the kernel's code */
		0xfffffffffffff000UL,
		0xffffffffffffffffUL,
	};
	size_t choice = random_below(random, ARRAY_SIZE(bad) + 2);

	if (choice < ARRAY_SIZE(bad))
		return (void *)bad[choice];
	return memory->end + random_below(random, 64);
}

bool memory_has(const struct memory *memory, uint64_t address)
{
	return address >= (uintptr_t)memory->start &&
	       address < (uintptr_t)memory->end;
}
