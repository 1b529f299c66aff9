// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "pci.h"
#include "trace.h"

bool trace_supported(void)
{
	return !access("/sys/kernel/tracing/events", F_OK);
}

int trace_start(void)
{
	int ret;

	/* A test that was killed may have left one. */
	ret = trace_stop();
	if (ret)
		return ret;
	if (mkdir(TRACE_DIR, 0700))
		return -errno;
	return file_write(TRACE_DIR "/events/vfio/enable", "1");
}

int trace_stop(void)
{
	return rmdir(TRACE_DIR) && errno != ENOENT ? -errno : 0;
}

int trace_clear(void)
{
	FILE *trace = fopen(TRACE_DIR "/trace", "we");

	if (!trace)
		return -errno;
	fclose(trace);
	return 0;
}

void trace_print(const char *before)
{
	FILE *trace = fopen(TRACE_DIR "/trace", "re");
	char line[1024];

	if (!trace)
		return;
	while (fgets(line, sizeof(line), trace))
		if (line[0] != '#')
			printf("%s%s", before, line);
	fclose(trace);
}

static int count_lines(const char *words)
{
	FILE *trace = fopen(TRACE_DIR "/trace", "re");
	char line[1024];
	int count = 0;

	if (!trace)
		return -errno;
	while (fgets(line, sizeof(line), trace))
		if (strstr(line, words))
			count++;
	fclose(trace);
	return count;
}

int trace_count(const char *format, ...)
{
	char event[256] = ": ";
	size_t len = strlen(event);
	va_list args;

	/* A time comes before, the end of the line after it. */
	va_start(args, format);
	vsnprintf(event + len, sizeof(event) - len - 1, format, args);
	va_end(args);
	strcat(event, "\n");
	return count_lines(event);
}

int trace_count_of(const char *event, const char *dev)
{
	char words[128];

	snprintf(words, sizeof(words), ": %s: dev=%s ", event, dev);
	return count_lines(words);
}
