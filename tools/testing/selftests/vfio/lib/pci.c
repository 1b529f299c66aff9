// SPDX-License-Identifier: GPL-2.0-only
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

int file_read(const char *path, char *buf, size_t len)
{
	ssize_t n;
	int fd;

	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	n = read(fd, buf, len - 1);
	if (n < 0) {
		n = -errno;
		close(fd);
		return n;
	}
	close(fd);
	buf[n] = '\0';
	buf[strcspn(buf, "\n")] = '\0';
	return 0;
}

int file_write(const char *path, const char *value)
{
	int ret = 0;
	int fd;

	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	if (write(fd, value, strlen(value)) < 0)
		ret = -errno;
	close(fd);
	return ret;
}

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

/* The last component of what a link in the function's directory points to. */
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

bool pci_exists(const char *addr)
{
	return has(addr, "vendor");
}

bool pci_is_pf(const char *addr)
{
	return has(addr, "sriov_totalvfs");
}

bool pci_is_vf(const char *addr)
{
	return has(addr, "physfn");
}

int pci_read(const char *addr, const char *attr, char *buf, size_t len)
{
	char path[PATH_MAX];

	return file_read(device_path(path, addr, attr), buf, len);
}

int pci_write(const char *addr, const char *attr, const char *value)
{
	char path[PATH_MAX];

	return file_write(device_path(path, addr, attr), value);
}

int pci_read_int(const char *addr, const char *attr)
{
	char buf[32];

	if (pci_read(addr, attr, buf, sizeof(buf)))
		return -1;
	return strtol(buf, NULL, 0);
}

const char *pci_driver(const char *addr, char driver[PCI_DRIVER_LEN])
{
	if (read_link(addr, "driver", driver, PCI_DRIVER_LEN))
		driver[0] = '\0';
	return driver;
}

const char *pci_override(const char *addr, char driver[PCI_DRIVER_LEN])
{
	if (pci_read(addr, "driver_override", driver, PCI_DRIVER_LEN) ||
	    !strcmp(driver, "(null)"))
		driver[0] = '\0';
	return driver;
}

bool pci_driver_exists(const char *driver)
{
	char path[PATH_MAX];

	snprintf(path, sizeof(path), DRIVERS "/%s", driver);
	return access(path, F_OK) == 0;
}

int pci_set_override(const char *addr, const char *driver)
{
	/* An empty line clears it; an empty write would not reach the kernel. */
	return pci_write(addr, "driver_override", driver[0] ? driver : "\n");
}

int pci_unbind(const char *addr)
{
	if (!has(addr, "driver"))
		return 0;
	return pci_write(addr, "driver/unbind", addr);
}

int pci_bind(const char *addr, const char *driver)
{
	char path[PATH_MAX];

	snprintf(path, sizeof(path), DRIVERS "/%s/bind", driver);
	return file_write(path, addr);
}

int pci_probe(const char *addr)
{
	return file_write("/sys/bus/pci/drivers_probe", addr);
}

int pci_move_to(const char *addr, const char *driver)
{
	int ret;

	ret = pci_unbind(addr);
	if (!ret)
		ret = pci_set_override(addr, driver);
	if (!ret)
		ret = pci_bind(addr, driver);
	return ret;
}

int pci_set_numvfs(const char *pf, int num)
{
	char buf[16];

	snprintf(buf, sizeof(buf), "%d", num);
	return pci_write(pf, "sriov_numvfs", buf);
}

int pci_vf(const char *pf, int index, char vf[PCI_ADDR_LEN])
{
	char link[32];

	snprintf(link, sizeof(link), "virtfn%d", index);
	return read_link(pf, link, vf, PCI_ADDR_LEN);
}

bool pci_falls_asleep(const char *addr)
{
	time_t start = time(NULL);
	char status[32];

	do {
		if (pci_read(addr, "power/runtime_status", status,
			     sizeof(status)))
			return false;
		if (!strcmp(status, "suspended"))
			return true;
	} while (time(NULL) < start + 2);
	return false;
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

int pci_open_token_need(const char *addr)
{
	char path[PATH_MAX], attr[64], name[32];
	int fd, ret;

	ret = pci_vfio_cdev(addr, name, sizeof(name));
	if (ret)
		return ret;
	snprintf(attr, sizeof(attr), "vfio-dev/%s/vf_token", name);
	fd = open(device_path(path, addr, attr), O_RDONLY | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

const char *pci_read_token_need(int fd, char need[PCI_NEED_LEN])
{
	ssize_t n = pread(fd, need, PCI_NEED_LEN - 1, 0);

	need[n < 0 ? 0 : n] = '\0';
	need[strcspn(need, "\n")] = '\0';
	return need;
}

const char *pci_token_need(const char *addr, char need[PCI_NEED_LEN])
{
	int fd = pci_open_token_need(addr);

	pci_read_token_need(fd, need);
	if (fd >= 0)
		close(fd);
	return need;
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
