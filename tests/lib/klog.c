// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "klog.h"

#define RECORD_LEN	8192	/* what the kernel asks readers to have */

int klog_mark(void)
{
	int fd;

	fd = open("/dev/kmsg", O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	if (lseek(fd, 0, SEEK_END) < 0) {
		close(fd);
		return -errno;
	}
	return fd;
}

bool klog_next(int mark, char *record, size_t len)
{
	ssize_t n;

	/* EPIPE: records were overwritten; it goes on with the oldest. */
	do {
		n = read(mark, record, len - 1);
	} while (n < 0 && errno == EPIPE);
	if (n <= 0)
		return false;
	record[n] = '\0';
	return true;
}

bool klog_find(int mark, const char *one, const char *two)
{
	char record[RECORD_LEN];

	while (klog_next(mark, record, sizeof(record)))
		if (strstr(record, one) && strstr(record, two))
			return true;
	return false;
}
