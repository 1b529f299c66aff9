// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "job.h"
#include "pci.h"

int job_start(struct job *job, int (*work)(struct job *job, void *arg),
	      void *arg)
{
	int out[2];

	if (pipe2(out, O_CLOEXEC))
		return -errno;

	job->pid = fork();
	if (job->pid < 0)
		return -errno;
	if (!job->pid) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		close(out[0]);
		job->out = out[1];
		job_report(job, work(job, arg));
		_exit(0);
	}
	close(out[1]);
	job->out = out[0];
	return 0;
}

void job_report(struct job *job, int value)
{
	if (write(job->out, &value, sizeof(value)) != sizeof(value))
		_exit(1);
}

int job_next(struct job *job)
{
	int value;

	if (read(job->out, &value, sizeof(value)) != sizeof(value))
		return -EPIPE;
	return value;
}

bool job_blocked_in(struct job *job, long number)
{
	struct pollfd report = { .fd = job->out, .events = POLLIN };
	char path[64], call[256];

	snprintf(path, sizeof(path), "/proc/%d/syscall", job->pid);
	while (!poll(&report, 1, 0)) {
		/* "running", or the number and arguments while it sleeps. */
		if (file_read(path, call, sizeof(call)))
			return false;
		if (call[0] != 'r' && strtol(call, NULL, 10) == number)
			return true;
		sched_yield();
	}
	return false;
}

void job_wait(struct job *job)
{
	waitpid(job->pid, NULL, 0);
	close(job->out);
}

void job_kill(struct job *job, int signal)
{
	kill(job->pid, signal);
	job_wait(job);
}
