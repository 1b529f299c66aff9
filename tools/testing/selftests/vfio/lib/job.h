/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A function run in a process of its own, for calls that block, or whose
 * caller is to be killed.  It dies with the test that started it.
 */
#ifndef VFIO_SELFTEST_JOB_H
#define VFIO_SELFTEST_JOB_H

#include <stdbool.h>
#include <sys/types.h>

struct job {
	pid_t pid;
	int out;	/* what the job reports, to be read */
};

/* @work reports by job_report(), and by what it returns at its end. */
int job_start(struct job *job, int (*work)(struct job *job, void *arg),
	      void *arg);
void job_report(struct job *job, int value);

/* The next value it reports, -EPIPE if it is gone. */
int job_next(struct job *job);
/*
 * Wait until the job sleeps in this system call (a number of sys/syscall.h).
 * False if it reported something, or was gone, without being seen asleep.
 */
bool job_blocked_in(struct job *job, long number);
/* Both return when the process and its open files are gone. */
void job_wait(struct job *job);
void job_kill(struct job *job, int signal);

#endif
