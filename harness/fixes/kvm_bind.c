// SPDX-License-Identifier: GPL-2.0-only
/*
 * kvm_bind DEVICE: bind a second file of the device's cdev while the first is
 * bound, each with a virtual machine of KVM. Prints how the second bind was
 * answered, and how many virtual machines are left after all files are closed:
 * a reference to a KVM that the kernel has lost keeps it forever.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>
#include <linux/kvm.h>
#include <linux/vfio.h>

static void die(const char *what)
{
	fprintf(stderr, "error: kvm_bind: %s: %s\n", what, strerror(errno));
	exit(1);
}

static int checked(int ret, const char *what)
{
	if (ret < 0)
		die(what);
	return ret;
}

/* The first directory whose name starts with @prefix; their number in @count */
static void find(const char *dir, const char *prefix, char *name, size_t size, int *count)
{
	struct dirent *entry;
	DIR *d = opendir(dir);

	if (!d)
		die(dir);
	*count = 0;
	while ((entry = readdir(d)))
		if (entry->d_type == DT_DIR && !strncmp(entry->d_name, prefix, strlen(prefix)) &&
		    entry->d_name[0] != '.' && !(*count)++)
			snprintf(name, size, "%s", entry->d_name);
	closedir(d);
}

struct vm {
	int vm, vfio;
};

/* A virtual machine that knows the device file @fd. */
static struct vm create_vm(int kvm, int fd)
{
	struct kvm_create_device create = { .type = KVM_DEV_TYPE_VFIO };
	struct kvm_device_attr attr = {
		.group = KVM_DEV_VFIO_GROUP,	/* since 6.6, KVM_DEV_VFIO_FILE */
		.attr = KVM_DEV_VFIO_GROUP_ADD,	/* KVM_DEV_VFIO_FILE_ADD */
		.addr = (unsigned long)&fd,
	};
	struct vm vm;

	vm.vm = checked(ioctl(kvm, KVM_CREATE_VM, 0), "KVM_CREATE_VM");
	checked(ioctl(vm.vm, KVM_CREATE_DEVICE, &create), "KVM_CREATE_DEVICE");
	vm.vfio = create.fd;
	checked(ioctl(vm.vfio, KVM_SET_DEVICE_ATTR, &attr), "KVM_DEV_VFIO_FILE_ADD");
	return vm;
}

static void close_vm(struct vm vm)
{
	close(vm.vfio);
	close(vm.vm);
}

int main(int argc, char **argv)
{
	struct vfio_device_bind_iommufd bind = { .argsz = sizeof(bind) };
	char dir[256], name[256] = "", path[600];
	int kvm, first, second, error, count;
	struct vm vms[2];

	if (argc != 2)
		return 2;
	snprintf(dir, sizeof(dir), "/sys/bus/pci/devices/%s/vfio-dev", argv[1]);
	find(dir, "vfio", name, sizeof(name), &count);
	snprintf(path, sizeof(path), "/dev/vfio/devices/%s", name);
	kvm = checked(open("/dev/kvm", O_RDWR), "/dev/kvm");
	first = checked(open(path, O_RDWR), path);
	second = checked(open(path, O_RDWR), path);
	bind.iommufd = checked(open("/dev/iommu", O_RDWR), "/dev/iommu");
	vms[0] = create_vm(kvm, first);
	vms[1] = create_vm(kvm, second);

	checked(ioctl(first, VFIO_DEVICE_BIND_IOMMUFD, &bind), "the first bind");
	error = ioctl(second, VFIO_DEVICE_BIND_IOMMUFD, &bind) ? errno : 0;
	close(second);
	close(first);
	close_vm(vms[0]);
	close_vm(vms[1]);

	find("/sys/kernel/debug/kvm", "", name, sizeof(name), &count);
	printf("kvm %s: second bind: %s; %d virtual machines left\n", argv[1], strerror(error), count);
	return 0;
}
