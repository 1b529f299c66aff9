/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The calls of several processes on a PF and its VFs, and their results,
 * recorded in shared memory, so that the calls begun by a killed process are
 * also recorded.
 *
 * Stamps are from one counter, which orders all of them; the clock is for
 * people who read the story.
 */
#ifndef VFIO_SELFTEST_HISTORY_H
#define VFIO_SELFTEST_HISTORY_H

#include <stdbool.h>

#include "vfio_pci_sriov_model.h"
#include "user.h"

#define HISTORY_CALLS	128
#define HISTORY_ACTORS	16

struct history_entry {
	struct vf_call call;
	int actor;
	enum open_path path;
	bool own_files;		/* the actor opened its own files for it */
	__u64 left;		/* those were closed before this, if not 0 */
	double start_time;
	double end_time;	/* 0 until it has returned */
};

struct history_actor {
	__u64 kill;		/* it was killed after this, if not 0 */
	__u64 gone;		/* it was gone before this */
};

struct history {
	__u64 clock;
	unsigned int nr;
	double start_time;
	unsigned int shared;	/* a mask: devices whose files are open all the time */
	char device[VF_MODEL_DEVICES][PCI_ADDR_LEN];
	struct history_entry entry[HISTORY_CALLS];
	struct history_actor actor[HISTORY_ACTORS];
};

/* Numbers for a report at the end. */
struct history_counts {
	unsigned long calls;
	unsigned long granted_vf;
	unsigned long granted_pf;
	unsigned long refused_vf;
	unsigned long refused_pf;
	unsigned long unreachable;
	unsigned long killed;	/* during an open */
	unsigned long set;
	unsigned long moved;
	unsigned long states;	/* that the search has seen */
};

/* In shared memory; NULL if there is none. */
struct history *history_new(void);
/* For a new round. */
void history_clear(struct history *history);
__u64 history_stamp(struct history *history);

/* Files of the device are open for the whole round. */
void history_share(struct history *history, unsigned int device);
/* An actor has closed the files that it had opened for that call. */
void history_leave(struct history *history, unsigned int nr);
/* Around a call: return its number, and record its result. */
unsigned int history_begin(struct history *history, int actor,
			   enum vf_call_what what, unsigned int device,
			   unsigned int token);
void history_end(struct history *history, unsigned int nr, int result);
/* A holder of the device that call @open opened is about to close it. */
unsigned int history_begin_close(struct history *history, int actor,
				 unsigned int open);

/*
 * Does some serial order explain it?  If none does, the story is printed.  The
 * devices in the mask were there before, with token @token, and all was closed.
 */
bool history_check(const struct history *history, unsigned int devices,
		   unsigned int token, struct history_counts *counts);

#endif
