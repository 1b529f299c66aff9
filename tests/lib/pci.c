// SPDX-License-Identifier: GPL-2.0-only
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "pci.h"

#define DEVICES	"/sys/bus/pci/devices"
#define DRIVERS	"/sys/bus/pci/drivers"

static const char *device_path(char path[PATH_MAX], const char *addr,
			       const char *attr)
{
	snprintf(path, PATH_MAX, DEVICES "/%s/%s", addr, attr);
	return path;
}

static bool has(const char *addr, const char *attr)
{
	char path[PATH_MAX];

	return access(device_path(path, addr, attr), F_OK) == 0;
}

/* The last component of the target of a link in the function's directory. */
static int read_link(const char *addr, const char *link, char *buf, size_t len)
{
	char path[PATH_MAX], target[PATH_MAX];
	const char *base;
	ssize_t n;

	n = readlink(device_path(path, addr, link), target, sizeof(target) - 1);
	if (n < 0)
		return -errno;
	target[n] = '\0';
	base = strrchr(target, '/');
	base = base ? base + 1 : target;
	if (strlen(base) >= len)
		return -ENAMETOOLONG;
	memcpy(buf, base, strlen(base) + 1);
	return 0;
}

bool pci_is_pf(const char *addr)
{
	return has(addr, "sriov_totalvfs");
}

bool pci_is_vf(const char *addr)
{
	return has(addr, "physfn");
}

bool pci_driver_exists(const char *driver)
{
	char path[PATH_MAX];

	snprintf(path, sizeof(path), DRIVERS "/%s", driver);
	return access(path, F_OK) == 0;
}

int pci_vf(const char *pf, int index, char vf[PCI_ADDR_LEN])
{
	char link[32];

	snprintf(link, sizeof(link), "virtfn%d", index);
	return read_link(pf, link, vf, PCI_ADDR_LEN);
}

int pci_iommu_group(const char *addr)
{
	char group[16];
	int ret;

	ret = read_link(addr, "iommu_group", group, sizeof(group));
	return ret ? ret : atoi(group);
}

int pci_vfio_cdev(const char *addr, char *name, size_t len)
{
	char path[PATH_MAX];
	struct dirent *entry;
	int ret = -ENOENT;
	DIR *dir;

	dir = opendir(device_path(path, addr, "vfio-dev"));
	if (!dir)
		return -errno;
	while (ret && (entry = readdir(dir))) {
		if (strncmp(entry->d_name, "vfio", 4))
			continue;
		snprintf(name, len, "%s", entry->d_name);
		ret = 0;
	}
	closedir(dir);
	return ret;
}

static bool is_vf_of(const char *addr, const char *pf)
{
	char physfn[PCI_ADDR_LEN];

	return !read_link(addr, "physfn", physfn, sizeof(physfn)) &&
	       !strcmp(physfn, pf);
}

int pci_port(const char *addr, char port[PCI_ADDR_LEN])
{
	char path[PATH_MAX], full[PATH_MAX];
	const char *base;

	if (!realpath(device_path(path, addr, ".."), full))
		return -errno;
	base = strrchr(full, '/') + 1;
	if (!pci_exists(base))
		return -ENODEV;
	snprintf(port, PCI_ADDR_LEN, "%.15s", base);
	return 0;
}

bool pci_is_alone(const char *port, const char *pf)
{
	char path[PATH_MAX];
	struct dirent *entry;
	bool alone = true;
	DIR *dir;

	dir = opendir(device_path(path, port, ""));
	if (!dir)
		return false;
	while ((entry = readdir(dir)))
		if (pci_exists(entry->d_name) && strcmp(entry->d_name, pf) &&
		    !is_vf_of(entry->d_name, pf))
			alone = false;
	closedir(dir);
	return alone;
}

int pci_list_bound(const char *driver, char addrs[][PCI_ADDR_LEN], int max)
{
	char path[PATH_MAX];
	struct dirent **entries;
	int count = 0;
	int i, n;

	snprintf(path, sizeof(path), DRIVERS "/%s", driver);
	n = scandir(path, &entries, NULL, alphasort);
	if (n < 0)
		return 0;
	for (i = 0; i < n; i++) {
		if (count < max && pci_exists(entries[i]->d_name))
			snprintf(addrs[count++], PCI_ADDR_LEN, "%.15s",
				 entries[i]->d_name);
		free(entries[i]);
	}
	free(entries);
	return count;
}

bool any_sleeps_in(const char *function)
{
	char path[PATH_MAX], where[128];
	struct dirent *entry;
	bool found = false;
	DIR *dir;

	dir = opendir("/proc");
	while (dir && !found && (entry = readdir(dir))) {
		snprintf(path, sizeof(path), "/proc/%s/wchan", entry->d_name);
		found = isdigit(entry->d_name[0]) &&
			!file_read(path, where, sizeof(where)) &&
			!strcmp(where, function);
	}
	if (dir)
		closedir(dir);
	return found;
}
