// SPDX-License-Identifier: GPL-2.0-only
/*
 * contend FLOODED-VF VF...: one process for each VF opens and closes it with its
 * token, and one more opens the first one of all with a wrong token meanwhile,
 * as fast as it can.  For a kernel that says who waited for which lock.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "user.h"

#define OPENS	20

static void die(const char *what, int ret)
{
	printf("contend: %s: %s\n", what, strerror(abs(ret)));
	exit(1);
}

static void init(struct user *user, const char *vf)
{
	int ret = user_init(user, OPEN_TYPE1, vf);

	if (ret)
		die(vf, ret);
}

static void open_and_close(const char *vf)
{
	struct user user;
	int i, ret;

	init(&user, vf);
	for (i = 0; i < OPENS; i++) {
		ret = user_try(&user, TOKEN_1);
		if (ret)
			die(vf, ret);
	}
	exit(0);
}

static int told_to_stop(void)
{
	sigset_t pending;

	sigpending(&pending);
	return sigismember(&pending, SIGTERM);
}

/* In the group of another VF of the same PF: a group has one user. */
static void flood(const char *vf)
{
	unsigned long refused = 0;
	struct user user;
	int ret;

	init(&user, vf);
	while (!told_to_stop()) {
		ret = user_try(&user, TOKEN_2);
		if (ret != -EACCES)
			die("flood", ret);
		refused++;
	}
	printf("contend: %lu opens of %s were refused meanwhile\n", refused, vf);
	exit(0);
}

static pid_t start(void (*work)(const char *vf), const char *vf)
{
	pid_t pid;

	fflush(stdout);
	pid = fork();
	if (pid < 0)
		die("fork", errno);
	if (!pid)
		work(vf);
	return pid;
}

static int failed(pid_t pid)
{
	int status;

	return waitpid(pid, &status, 0) != pid || status;
}

/* The first VF is flooded, the others are opened. */
int main(int argc, char **argv)
{
	pid_t openers[16], flooder;
	int i, bad = 0;
	sigset_t term;

	if (argc < 3 || argc > 16) {
		fprintf(stderr, "Usage: %s FLOODED-VF VF...\n", argv[0]);
		return 2;
	}
	/* It waits until the flooder looks. */
	sigemptyset(&term);
	sigaddset(&term, SIGTERM);
	sigprocmask(SIG_BLOCK, &term, NULL);
	flooder = start(flood, argv[1]);
	for (i = 2; i < argc; i++)
		openers[i] = start(open_and_close, argv[i]);
	for (i = 2; i < argc; i++)
		bad |= failed(openers[i]);
	kill(flooder, SIGTERM);
	bad |= failed(flooder);
	printf("contend: %d VFs opened %d times each\n", argc - 2, OPENS);
	return bad;
}
