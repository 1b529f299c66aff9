// SPDX-License-Identifier: GPL-2.0-only
#include <signal.h>
#include <sys/syscall.h>

#include "holder.h"

#define ATTEMPTS	8	/* to find it asleep: its open may be over too soon */

/* SIGTERM, which waits for the end of the open, tells it to close. */
static int hold(struct job *job, void *arg)
{
	const struct holder *holder = arg;
	struct user user;
	sigset_t release;
	int ret, signal;

	sigemptyset(&release);
	sigaddset(&release, SIGTERM);
	sigprocmask(SIG_BLOCK, &release, NULL);
	ret = user_init(&user, holder->path, holder->addr);
	if (ret)
		return ret;
	job_report(job, 0);	/* about to open */
	ret = user_open(&user, holder->token);
	if (ret)
		return ret;
	job_report(job, 0);	/* open */
	sigwait(&release, &signal);
	user_exit(&user);
	return 0;
}

/* Returns when it is about to open; 0 or a negative errno. */
static int holder_start(struct holder *holder, enum open_path path,
			const char *addr, const char *token)
{
	int ret;

	holder->path = path;
	holder->addr = addr;
	holder->token = token;
	ret = job_start(&holder->job, hold, holder);
	return ret ? ret : job_next(&holder->job);
}

int holder_opened(struct holder *holder)
{
	return job_next(&holder->job);
}

int holder_open(struct holder *holder, enum open_path path, const char *addr,
		const char *token)
{
	int ret = holder_start(holder, path, addr, token);

	return ret ? ret : holder_opened(holder);
}

bool holder_open_half_way(struct holder *holder, enum open_path path,
			  const char *addr, const char *token)
{
	int attempt;

	for (attempt = 0; attempt < ATTEMPTS; attempt++) {
		if (holder_start(holder, path, addr, token))
			return false;
		if (job_blocked_in(&holder->job, SYS_ioctl, NULL))
			return true;
		holder_release(holder);
	}
	return false;
}

/* Once only: the PID may be another process's afterwards. */
static void end(struct holder *holder, int signal)
{
	if (holder->job.pid > 0)
		job_kill(&holder->job, signal);
	holder->job.pid = 0;
}

void holder_kill(struct holder *holder)
{
	end(holder, SIGKILL);
}

void holder_release(struct holder *holder)
{
	end(holder, SIGTERM);
}
