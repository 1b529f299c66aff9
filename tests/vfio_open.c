// SPDX-License-Identifier: GPL-2.0-only
/*
 * Open one device through vfio, print the kernel's answer, and keep the device
 * open if asked to.  For shell scripts and experiments.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/user.h"

static const char help[] =
"Usage: vfio_open [option]... ADDRESS\n"
"\n"
"  -p PATH   type1, compat (both by the group), or cdev; by default cdev, or\n"
"            type1 if the kernel has no iommufd\n"
"  -t TOKEN  present this VF token\n"
"  -s TOKEN  set this VF token once the device is open (a PF only)\n"
"  -w        when the device is open, wait until standard input ends\n"
"  -h        this text\n"
"\n"
"Exit status: 0 it was opened, 1 the kernel refused, 2 something else failed.\n";

static void check_token(const char *token)
{
	unsigned char bytes[TOKEN_BYTES];

	if (!token_parse(token, bytes))
		return;
	fprintf(stderr, "vfio_open: '%s' is not a UUID\n", token);
	exit(2);
}

static const char *error_name(int error)
{
	const char *name = strerrorname_np(-error);

	return name ? name : "?";
}

static void wait_for_end_of_input(void)
{
	char byte;

	while (read(STDIN_FILENO, &byte, 1) > 0)
		;
}

int main(int argc, char **argv)
{
	const char *token = NULL, *new_token = NULL;
	enum open_path path = access("/dev/iommu", F_OK) ? OPEN_TYPE1 :
							   OPEN_CDEV;
	bool wait = false;
	struct user user;
	int option, ret;

	while ((option = getopt(argc, argv, "p:t:s:wh")) != -1) {
		switch (option) {
		case 'p':
			if (!open_path_parse(optarg, &path)) {
				fprintf(stderr, "vfio_open: no path '%s'\n",
					optarg);
				return 2;
			}
			break;
		case 't':
			check_token(optarg);
			token = optarg;
			break;
		case 's':
			check_token(optarg);
			new_token = optarg;
			break;
		case 'w':
			wait = true;
			break;
		case 'h':
			fputs(help, stdout);
			return 0;
		default:
			fputs(help, stderr);
			return 2;
		}
	}
	if (optind != argc - 1) {
		fputs(help, stderr);
		return 2;
	}

	ret = user_init(&user, path, argv[optind]);
	if (ret) {
		fprintf(stderr, "vfio_open: %s: cannot be opened through vfio: %s\n",
			argv[optind], strerror(-ret));
		return 2;
	}

	ret = user_open(&user, token);
	if (ret) {
		printf("%s: refused, %s (%s)\n", user.addr, error_name(ret),
		       strerror(-ret));
		return 1;
	}
	printf("%s: open\n", user.addr);

	if (new_token) {
		ret = device_set_token(user.device, new_token);
		if (ret)
			printf("%s: token not set, %s (%s)\n", user.addr,
			       error_name(ret), strerror(-ret));
		else
			printf("%s: token set\n", user.addr);
	}
	fflush(stdout);
	if (wait)
		wait_for_end_of_input();
	user_exit(&user);
	return ret ? 1 : 0;
}
