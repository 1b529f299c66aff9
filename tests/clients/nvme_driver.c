// SPDX-License-Identifier: GPL-2.0-only
/*
 * A driver in userspace for one function of an NVMe device, PF or VF: opens it
 * through vfio, with a VF token if given one, and does what it is told to, a
 * line at a prompt each; one line says how that went.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "nvme.h"

static const char help[] =
"Usage: nvme_driver [-p PATH] [-t TOKEN] ADDRESS\n"
"\n"
"  -p PATH   type1, compat (both by the group), or cdev (the default)\n"
"  -t TOKEN  present this VF token\n"
"\n"
"Lines that it reads:\n"
"  identify                the controller's number and model\n"
"  release                 a PF: let VFs have the queues and interrupts\n"
"  online N                a PF: give VF N (from 1) what it needs, start it\n"
"  write BLOCK FILE        all of FILE\n"
"  compare BLOCK FILE      what is read with all of FILE\n"
"  reset                   the function, and start anew\n"
"  quit                    close the function and end\n";

static void fill_in_reason(int ret, char *reason, size_t len)
{
	if (ret < 0)
		snprintf(reason, len, "%s (%s)", strerrorname_np(-ret),
			 strerror(-ret));
	else
		snprintf(reason, len, "the controller says 0x%x", ret);
}

static void answer(int ret, const char *details)
{
	char reason[128];

	if (ret) {
		fill_in_reason(ret, reason, sizeof(reason));
		printf("failed: %s\n", reason);
	} else {
		printf("ok%s\n", details);
	}
	fflush(stdout);
}

static void do_identify(struct nvme *nvme)
{
	unsigned int controller = 0;
	char model[41] = "", details[64];
	int ret;

	ret = nvme_identify(nvme, &controller, model);
	snprintf(details, sizeof(details), " controller %u, %s", controller,
		 model);
	answer(ret, details);
}

static void *map_file(const char *file, size_t *len)
{
	void *data = MAP_FAILED;
	struct stat stat;
	int fd;

	fd = open(file, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return NULL;
	if (!fstat(fd, &stat)) {
		*len = stat.st_size;
		data = mmap(NULL, *len, PROT_READ, MAP_PRIVATE, fd, 0);
	}
	close(fd);
	return data == MAP_FAILED ? NULL : data;
}

static int compare(struct nvme *nvme, __u64 block, const void *want,
		   size_t len)
{
	int ret = -ENOMEM;
	void *data;

	data = malloc(len);
	if (data)
		ret = nvme_read(nvme, block, data, len);
	if (!ret && memcmp(data, want, len))
		ret = -EBADMSG;
	free(data);
	return ret;
}

static void do_io(struct nvme *nvme, unsigned long long block, const char *file,
		  int (*io)(struct nvme *, __u64, const void *, size_t))
{
	char details[64] = "";
	size_t len = 0;
	void *data;
	int ret;

	data = map_file(file, &len);
	ret = data ? io(nvme, block, data, len) : -errno;
	if (!ret)
		snprintf(details, sizeof(details), " %zu blocks",
			 len / nvme->block_size);
	answer(ret, details);
	if (data)
		munmap(data, len);
}

static void obey(struct nvme *nvme, const char *line)
{
	unsigned long long block;
	char file[256];
	unsigned int vf;

	if (!strcmp(line, "identify"))
		do_identify(nvme);
	else if (!strcmp(line, "release"))
		answer(nvme_release_resources(nvme), "");
	else if (!strcmp(line, "reset"))
		answer(nvme_reset(nvme), "");
	else if (sscanf(line, "online %u", &vf) == 1)
		answer(nvme_set_online(nvme, vf), "");
	else if (sscanf(line, "write %llu %255s", &block, file) == 2)
		do_io(nvme, block, file, nvme_write);
	else if (sscanf(line, "compare %llu %255s", &block, file) == 2)
		do_io(nvme, block, file, compare);
	else
		answer(-EINVAL, "");
}

/* False at the end */
static bool ask(char *line, int len)
{
	printf("nvme> ");
	fflush(stdout);
	if (!fgets(line, len, stdin))
		return false;
	line[strcspn(line, "\n")] = '\0';
	return strcmp(line, "quit");
}

static int usage(void)
{
	fputs(help, stderr);
	return 2;
}

int main(int argc, char **argv)
{
	enum open_path path = OPEN_CDEV;
	const char *token = NULL;
	struct nvme nvme = { 0 };
	struct user user;
	char line[512];
	int option, ret;

	while ((option = getopt(argc, argv, "p:t:")) != -1) {
		if (option == 't')
			token = optarg;
		else if (option != 'p' || !open_path_parse(optarg, &path))
			return usage();
	}
	if (optind != argc - 1)
		return usage();

	ret = user_init(&user, path, argv[optind]);
	if (!ret)
		ret = user_open(&user, token);
	if (!ret)
		ret = nvme_init(&nvme, &user);
	answer(ret, "");
	if (ret)
		return 1;
	while (ask(line, sizeof(line)))
		obey(&nvme, line);
	user_exit(&user);
	return 0;
}
