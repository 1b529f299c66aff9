// SPDX-License-Identifier: GPL-2.0-only
#include <dirent.h>
#include <endian.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <linux/pci_regs.h>

#include "slot.h"

#define SLOTS	"/sys/bus/pci/slots"

/* The configuration space of the port itself. */
static int open_config(const char *addr, int flags)
{
	char path[PATH_MAX];

	snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/config", addr);
	return open(path, flags | O_CLOEXEC);
}

static __u16 read_word(const char *addr, unsigned int offset)
{
	int fd = open_config(addr, O_RDONLY);
	__u16 word;

	if (fd < 0 || pread(fd, &word, sizeof(word), offset) != sizeof(word))
		word = 0;
	if (fd >= 0)
		close(fd);
	return le16toh(word);
}

static __u16 slot_word(const struct slot *slot, unsigned int reg)
{
	return read_word(slot->port, slot->express + reg);
}

/* Each write is one of both bytes: they are one register. */
static int write_control(const struct slot *slot, __u16 word)
{
	int fd = open_config(slot->port, O_WRONLY);
	int ret = 0;

	if (fd < 0)
		return -errno;
	word = htole16(word);
	if (pwrite(fd, &word, sizeof(word),
		   slot->express + PCI_EXP_SLTCTL) != sizeof(word))
		ret = -EIO;
	close(fd);
	return ret;
}

static int find_express(struct slot *slot)
{
	unsigned int at = read_word(slot->port, PCI_CAPABILITY_LIST) & 0xfc;
	unsigned int left = 48;

	for (; at && left; left--) {
		__u16 head = read_word(slot->port, at);

		if ((head & 0xff) == PCI_CAP_ID_EXP) {
			slot->express = at;
			return 0;
		}
		at = (head >> 8) & 0xfc;
	}
	return -ENODEV;
}

/* A slot's address is that of a function's device. */
static int find_name(struct slot *slot, const char *addr)
{
	char path[PATH_MAX], address[PCI_ADDR_LEN];
	struct dirent *entry;
	int ret = -ENODEV;
	DIR *dir;

	dir = opendir(SLOTS);
	if (!dir)
		return -errno;
	while (ret && (entry = readdir(dir))) {
		snprintf(path, sizeof(path), SLOTS "/%s/address",
			 entry->d_name);
		if (file_read(path, address, sizeof(address)) ||
		    strncmp(address, addr, strlen("0000:00:00")))
			continue;
		snprintf(slot->name, sizeof(slot->name), "%.31s",
			 entry->d_name);
		ret = 0;
	}
	closedir(dir);
	return ret;
}

int slot_find(struct slot *slot, const char *addr)
{
	int ret;

	ret = find_name(slot, addr);
	if (!ret)
		ret = pci_port(addr, slot->port);
	if (!ret)
		ret = find_express(slot);
	return ret;
}

/* A separate line, in one write: others also print there. */
int slot_ask_host(const struct slot *slot, const char *what)
{
	const char *host = getenv(SLOT_HOST);
	char line[64];

	if (!host)
		return -ENOTCONN;
	snprintf(line, sizeof(line), "vmtest-guest: %s %s\n", what,
		 slot->name);
	return file_write(host, line);
}

bool slot_has_power_control(const struct slot *slot)
{
	return slot_word(slot, PCI_EXP_SLTCAP) & PCI_EXP_SLTCAP_PCP;
}

bool slot_has_card(const struct slot *slot)
{
	return slot_word(slot, PCI_EXP_SLTSTA) & PCI_EXP_SLTSTA_PDS;
}

static int indicator(const struct slot *slot)
{
	return slot_word(slot, PCI_EXP_SLTCTL) & PCI_EXP_SLTCTL_PIC;
}

bool slot_is_dark(const struct slot *slot)
{
	return indicator(slot) == PCI_EXP_SLTCTL_PWR_IND_OFF;
}

bool slot_is_lit(const struct slot *slot)
{
	return indicator(slot) == PCI_EXP_SLTCTL_PWR_IND_ON;
}

int slot_light(const struct slot *slot)
{
	__u16 old = slot_word(slot, PCI_EXP_SLTCTL);

	return write_control(slot, (old & ~PCI_EXP_SLTCTL_PIC) |
				   PCI_EXP_SLTCTL_PWR_IND_ON);
}

int slot_set_power(const struct slot *slot, bool on)
{
	char path[PATH_MAX];

	snprintf(path, sizeof(path), SLOTS "/%s/power", slot->name);
	return file_write(path, on ? "1" : "0");
}

/*
 * QEMU removes a device when it sees its slot switched off.  The kernel gets no
 * interrupt before the slot looks switched on again, and then finds a card that
 * was pulled out.
 */
int slot_pull(const struct slot *slot)
{
	const __u16 interrupts = PCI_EXP_SLTCTL_HPIE | PCI_EXP_SLTCTL_CCIE;
	const __u16 off = PCI_EXP_SLTCTL_PWR_IND_OFF | PCI_EXP_SLTCTL_PWR_OFF;
	__u16 old = slot_word(slot, PCI_EXP_SLTCTL);
	int ret;

	ret = write_control(slot, (old & ~interrupts) | off);
	return ret ? ret : write_control(slot, old);
}
