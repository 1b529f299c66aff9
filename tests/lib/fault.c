// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "kselftest.h"
#include "fault.h"
#include "pci.h"

#define FAIL_NTH	"/proc/self/fail-nth"
#define DEBUGFS		"/sys/kernel/debug/"

static const char * const kinds[] = { "failslab", "fail_page_alloc" };

/* Not every kernel has both kinds, nor every kind all of these. */
static const struct {
	const char *name;
	const char *value;
} settings[] = {
	{ "probability", "0" },
	{ "task-filter", "N" },
	{ "ignore-gfp-wait", "N" },
	{ "ignore-gfp-highmem", "N" },
	{ "cache-filter", "N" },
	{ "min-order", "0" },
	{ "stacktrace-depth", "32" },
};

static int set(const char *kind, const char *name, const char *value)
{
	char path[128];

	snprintf(path, sizeof(path), DEBUGFS "%s/%s", kind, name);
	if (access(path, F_OK))
		return 0;
	return file_write(path, value);
}

bool fault_supported(void)
{
	return !access(DEBUGFS "failslab/verbose", W_OK) &&
	       !access(FAIL_NTH, W_OK);
}

struct range {
	unsigned long start;
	unsigned long end;
};

/* From a function to the symbol that follows it. */
static int find_function(const char *name, struct range *range)
{
	char symbol[256];
	unsigned long address;
	FILE *symbols;

	range->start = 0;
	range->end = ~0UL;
	symbols = fopen("/proc/kallsyms", "r");
	if (!symbols)
		return -errno;
	while (fscanf(symbols, "%lx %*c %255s%*[^\n]", &address, symbol) == 2)
		if (!strcmp(symbol, name))
			range->start = address;
	rewind(symbols);
	while (fscanf(symbols, "%lx %*c %255s%*[^\n]", &address, symbol) == 2)
		if (address > range->start && address < range->end)
			range->end = address;
	fclose(symbols);
	return range->start && range->end != ~0UL ? 0 : -ENOENT;
}

static int set_range(const char *what, const struct range *range)
{
	char name[32], value[32];
	size_t i;
	int ret = 0;

	for (i = 0; i < ARRAY_SIZE(kinds) && !ret; i++) {
		snprintf(name, sizeof(name), "%s-start", what);
		snprintf(value, sizeof(value), "%#lx", range->start);
		ret = set(kinds[i], name, value);
		if (ret)
			break;
		snprintf(name, sizeof(name), "%s-end", what);
		snprintf(value, sizeof(value), "%#lx", range->end);
		ret = set(kinds[i], name, value);
	}
	return ret;
}

int fault_below(const char *only, const char *not_first, const char *not_last)
{
	struct range required = { 0, ~0UL }, rejected = { 0, 0 }, last;
	int ret = 0;

	if (only)
		ret = find_function(only, &required);
	if (!ret && not_first) {
		ret = find_function(not_first, &rejected);
		/* A function that this kernel lacks calls nothing. */
		if (ret == -ENOENT && !not_last) {
			rejected.end = 0;
			ret = 0;
		}
	}
	if (!ret && not_last) {
		ret = find_function(not_last, &last);
		if (!ret && last.start < rejected.end)
			ret = -ENOENT;
		rejected.end = last.end;
	}
	if (!ret)
		ret = set_range("require", &required);
	return ret ? ret : set_range("reject", &rejected);
}

static int nth_file = -1;

int fault_setup(void)
{
	const char *verbose = getenv("VFIO_FAULT_STACKS") ? "2" : "0";
	size_t i, j;
	int ret = 0;

	for (i = 0; i < ARRAY_SIZE(kinds) && !ret; i++) {
		for (j = 0; j < ARRAY_SIZE(settings) && !ret; j++)
			ret = set(kinds[i], settings[j].name,
				  settings[j].value);
		if (!ret)
			ret = set(kinds[i], "verbose", verbose);
	}
	if (!ret)
		ret = fault_below(NULL, NULL, NULL);
	/* No page of this program may be missing during a call. */
	if (!ret && mlockall(MCL_CURRENT | MCL_FUTURE))
		ret = -errno;
	if (ret)
		return ret;

	nth_file = open(FAIL_NTH, O_RDWR | O_CLOEXEC);
	return nth_file < 0 ? -errno : 0;
}

static int write_nth(unsigned int nth)
{
	char text[16];
	int len;

	len = snprintf(text, sizeof(text), "%u", nth);
	return pwrite(nth_file, text, len, 0) == len ? 0 : -errno;
}

int fault_arm(unsigned int nth)
{
	return write_nth(nth);
}

int fault_disarm(void)
{
	char text[16] = "";
	int ret;

	if (pread(nth_file, text, sizeof(text) - 1, 0) <= 0)
		return -errno;
	ret = write_nth(0);
	return ret ? ret : !strtoul(text, NULL, 10);
}
