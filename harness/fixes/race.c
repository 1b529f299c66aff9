// SPDX-License-Identifier: GPL-2.0-only
/*
 * race rounds N PF VF: open the VF with the PF's token and the PF with another
 * one, both at once, N times; count the rounds in which both opens succeed.
 * race cost N PF VF: the CPU time of an open of the VF and of the PF, the
 * shortest of N. Through groups, so that it runs on any kernel since 5.7.
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>
#include <linux/vfio.h>

static const char *const tokens[] = {
	"0c8e9a26-6a5c-4bc1-8f0e-3d2b7b0c5a01",
	"d3b1b0f4-51c7-4f0a-9d6e-5f1f3f3d9c02",
};

static pthread_barrier_t start;

struct dev {
	const char *name;
	int group;
	const char *token;
	int fd, error;
};

static void die(const char *what, const char *name)
{
	fprintf(stderr, "race: %s %s: %s\n", what, name, strerror(errno));
	exit(1);
}

static void setup(struct dev *dev, const char *name)
{
	char link[256], target[256], path[300];
	int container;
	ssize_t n;

	snprintf(link, sizeof(link), "/sys/bus/pci/devices/%s/iommu_group", name);
	n = readlink(link, target, sizeof(target) - 1);
	if (n < 0)
		die("iommu_group of", name);
	target[n] = 0;
	snprintf(path, sizeof(path), "/dev/vfio%s", strrchr(target, '/'));

	dev->name = name;
	dev->group = open(path, O_RDWR);
	if (dev->group < 0)
		die("open", path);
	container = open("/dev/vfio/vfio", O_RDWR);
	if (container < 0)
		die("open", "/dev/vfio/vfio");
	if (ioctl(dev->group, VFIO_GROUP_SET_CONTAINER, &container))
		die("container of", name);
	if (ioctl(container, VFIO_SET_IOMMU, VFIO_TYPE1v2_IOMMU))
		die("iommu of", name);
}

/* The reset of one of them may find the bridge locked by that of the other. */
static void dev_open(struct dev *dev)
{
	char arg[128];

	snprintf(arg, sizeof(arg), "%s vf_token=%s", dev->name, dev->token);
	do {
		dev->fd = ioctl(dev->group, VFIO_GROUP_GET_DEVICE_FD, arg);
		dev->error = dev->fd < 0 ? errno : 0;
	} while (dev->error == EAGAIN);
}

static void dev_close(struct dev *dev)
{
	if (dev->fd >= 0)
		close(dev->fd);
}

static void must_open(struct dev *dev)
{
	dev_open(dev);
	if (dev->fd < 0)
		die("open", dev->name);
}

static void *open_at_once(void *data)
{
	pthread_barrier_wait(&start);
	dev_open(data);
	return NULL;
}

static void rounds(struct dev *pf, struct dev *vf, int n)
{
	int i, illegal = 0, neither = 0;
	pthread_t threads[2];

	pthread_barrier_init(&start, NULL, 2);
	for (i = 0; i < n; i++) {
		pf->token = tokens[0];
		must_open(pf);
		dev_close(pf);

		pf->token = tokens[1];
		vf->token = tokens[0];
		if (pthread_create(&threads[0], NULL, open_at_once, i % 2 ? pf : vf) ||
		    pthread_create(&threads[1], NULL, open_at_once, i % 2 ? vf : pf))
			die("thread for", pf->name);
		pthread_join(threads[0], NULL);
		pthread_join(threads[1], NULL);

		illegal += vf->fd >= 0 && pf->fd >= 0;
		neither += vf->fd < 0 && pf->fd < 0;
		dev_close(vf);
		dev_close(pf);
	}
	printf("rounds %s: %d of %d illegal, %d with neither open\n", pf->name, illegal, n, neither);
}

static long cpu_time(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return t.tv_sec * 1000000000L + t.tv_nsec;
}

static long cost(struct dev *dev, int n)
{
	long t, best = 0;
	int i;

	dev->token = tokens[0];
	for (i = 0; i < n; i++) {
		t = cpu_time();
		must_open(dev);
		t = cpu_time() - t;
		dev_close(dev);
		if (!best || t < best)
			best = t;
	}
	return best;
}

int main(int argc, char **argv)
{
	struct dev pf = { }, vf = { };

	if (argc != 5 || atoi(argv[2]) <= 0) {
		fprintf(stderr, "usage: race rounds|cost N PF VF\n");
		return 2;
	}
	setup(&pf, argv[3]);
	setup(&vf, argv[4]);
	if (!strcmp(argv[1], "rounds")) {
		rounds(&pf, &vf, atoi(argv[2]));
	} else {
		pf.token = tokens[0];
		must_open(&pf);
		dev_close(&pf);
		printf("cost %s: VF %ld, PF %ld ns\n", pf.name, cost(&vf, atoi(argv[2])),
		       cost(&pf, atoi(argv[2])));
	}
	return 0;
}
