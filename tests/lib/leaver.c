// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>

#include <linux/vfio.h>

#include "leaver.h"

static int ask_by(int device, int request)
{
	char buf[sizeof(struct vfio_irq_set) + sizeof(request)];
	struct vfio_irq_set *irqs = (void *)buf;

	irqs->argsz = sizeof(buf);
	irqs->flags = VFIO_IRQ_SET_DATA_EVENTFD | VFIO_IRQ_SET_ACTION_TRIGGER;
	irqs->index = VFIO_PCI_REQ_IRQ_INDEX;
	irqs->start = 0;
	irqs->count = 1;
	memcpy(irqs->data, &request, sizeof(request));
	return ioctl(device, VFIO_DEVICE_SET_IRQS, irqs) ? -errno : 0;
}

static int use_until_asked(struct job *job, void *arg)
{
	const struct leaver *leaver = arg;
	int request = eventfd(0, EFD_CLOEXEC);
	eventfd_t times;
	struct user user;
	int ret;

	if (request < 0)
		return -errno;
	ret = user_init(&user, leaver->path, leaver->addr);
	if (!ret)
		ret = user_open(&user, leaver->token);
	if (!ret)
		ret = ask_by(user.device, request);
	if (ret)
		return ret;
	job_report(job, 0);
	ret = eventfd_read(request, &times) ? -errno : 0;
	user_exit(&user);
	return ret;
}

int leaver_open(struct leaver *leaver, enum open_path path, const char *addr,
		const char *token)
{
	int ret;

	leaver->path = path;
	leaver->addr = addr;
	leaver->token = token;
	ret = job_start(&leaver->job, use_until_asked, leaver);
	return ret ? ret : job_next(&leaver->job);
}

int leaver_left(struct leaver *leaver)
{
	int ret = job_next(&leaver->job);

	job_wait(&leaver->job);
	return ret;
}
