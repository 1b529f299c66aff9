// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>

#define VF_CHECK_STATES	262144U
#include "vfio_pci_sriov_check.h"
#include "kselftest.h"
#include "history.h"

#define STORY	"# "

/* The checker's input, and the entry of each of its calls. */
static struct vf_check check;
static struct vf_history whole;
static struct vf_check_needs needs;
static unsigned int origin[VF_MODEL_CALLS];

static double now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return time.tv_sec + time.tv_nsec / 1e9;
}

struct history *history_new(void)
{
	struct history *history;

	history = mmap(NULL, sizeof(*history), PROT_READ | PROT_WRITE,
		       MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	return history == MAP_FAILED ? NULL : history;
}

void history_clear(struct history *history)
{
	memset(history, 0, sizeof(*history));
	history->start_time = now();
}

__u64 history_stamp(struct history *history)
{
	return __atomic_add_fetch(&history->clock, 1, __ATOMIC_SEQ_CST);
}

void history_share(struct history *history, unsigned int device)
{
	history->shared |= 1U << device;
}

void history_leave(struct history *history, unsigned int nr)
{
	history->entry[nr].left = history_stamp(history);
}

static struct history_entry *new_entry(struct history *history,
				       unsigned int *nr)
{
	*nr = __atomic_fetch_add(&history->nr, 1, __ATOMIC_SEQ_CST);
	if (*nr >= HISTORY_CALLS)
		ksft_exit_fail_msg("more than %d calls in a round\n",
				   HISTORY_CALLS);
	return &history->entry[*nr];
}

unsigned int history_begin(struct history *history, int actor,
			   enum vf_call_what what, unsigned int device,
			   unsigned int token)
{
	struct history_entry *entry;
	unsigned int nr;

	entry = new_entry(history, &nr);
	entry->actor = actor;
	entry->call.what = what;
	entry->call.device = device;
	entry->call.token = token;
	entry->start_time = now();
	entry->call.start = history_stamp(history);
	return nr;
}

void history_end(struct history *history, unsigned int nr, int result)
{
	struct history_entry *entry = &history->entry[nr];

	entry->call.end = history_stamp(history);
	entry->call.result = result;
	entry->end_time = now();
}

unsigned int history_begin_close(struct history *history, int actor,
				 unsigned int open)
{
	struct history_entry *entry;
	unsigned int nr;

	entry = new_entry(history, &nr);
	entry->actor = actor;
	entry->call.what = VF_CALL_CLOSE;
	entry->call.device = history->entry[open].call.device;
	entry->call.open = open;
	entry->start_time = now();
	entry->call.start = history_stamp(history);
	return nr;
}

/* -------------------------------------------- from entries to the model's calls */

/* Did the files of an open exist during the call @when? */
static bool has_files(const struct history *history,
		      const struct history_entry *entry,
		      const struct vf_call *when)
{
	__u64 until = entry->left;

	if (entry->call.what != VF_CALL_OPEN || !entry->own_files ||
	    entry->call.device != when->device)
		return false;
	if (!until)
		until = history->actor[entry->actor].gone;
	return entry->call.start < when->end && until > when->start;
}

/* Did another actor have files of the same device at the time? */
static bool is_contended(const struct history *history,
			 const struct history_entry *entry)
{
	unsigned int i;

	if (!entry->own_files)
		return false;
	if (history->shared & (1U << entry->call.device))
		return true;
	for (i = 0; i < history->nr; i++)
		if (history->entry[i].actor != entry->actor &&
		    has_files(history, &history->entry[i], &entry->call))
			return true;
	return false;
}

/*
 * Was the device bound or unbound at the time?  The PF's lock is also held
 * while VFs are enabled or disabled.
 */
static bool is_beside_move(const struct history *history,
			   const struct vf_call *call)
{
	unsigned int i;

	for (i = 0; i < history->nr; i++) {
		const struct vf_call *move = &history->entry[i].call;

		if (move->what >= VF_CALL_LEAVE && move->start &&
		    (move->device == call->device ||
		     call->device == VF_MODEL_PF) &&
		    move->start < call->end && move->end > call->start)
			return true;
	}
	return false;
}

/*
 * The mover of a device holds its lock, so the device cannot be reset: an open
 * that was admitted fails, as if it had been closed at once, but sets no token.
 */
static bool is_brief(const struct history *history,
		     const struct history_entry *entry)
{
	return entry->call.what == VF_CALL_OPEN && entry->end_time &&
	       entry->call.result == -EAGAIN &&
	       is_beside_move(history, &entry->call);
}

static struct vf_call *add_call(const struct history *history, unsigned int nr)
{
	const struct history_entry *entry = &history->entry[nr];
	const struct history_actor *actor = &history->actor[entry->actor];
	struct vf_call *call;

	if (check.history.nr == VF_MODEL_CALLS)
		ksft_exit_fail_msg("more than %d calls in a round\n",
				   VF_MODEL_CALLS);
	origin[check.history.nr] = nr;
	call = &check.history.call[check.history.nr++];
	*call = entry->call;
	if (!entry->end_time) {
		call->unfinished = true;
		call->result = 0;
		call->end = actor->gone;
	}
	if (is_brief(history, entry)) {
		call->failed = true;
		call->result = 0;
	}
	call->contended = is_contended(history, entry);
	call->fresh = entry->own_files;
	return call;
}

static bool may_have_opened(const struct vf_call *call)
{
	return call->what == VF_CALL_OPEN &&
	       (call->unfinished || call->result != -EACCES);
}

/* It failed, for a reason other than the token. */
static bool has_failed(const struct history_entry *entry)
{
	return entry->end_time && entry->call.result &&
	       entry->call.result != -EACCES;
}

/*
 * The close that counts is the last one: it happens after all have begun and
 * before all have returned.  A killed process closes its files, and an open
 * that fails has closed its device.
 */
static void add_close(const struct history *history, unsigned int open)
{
	const struct history_entry *opened = &history->entry[origin[open]];
	const struct history_actor *owner = &history->actor[opened->actor];
	struct vf_call *call;
	__u64 start = 0, end = 0;
	unsigned int last = origin[open];
	unsigned int i;

	for (i = 0; i < history->nr; i++) {
		const struct history_entry *entry = &history->entry[i];

		if (entry->call.what != VF_CALL_CLOSE ||
		    entry->call.open != origin[open])
			continue;
		if (entry->call.start > start) {
			start = entry->call.start;
			last = i;
		}
		if (entry->call.end > end)
			end = entry->call.end;
	}
	if (has_failed(opened)) {
		start = opened->call.start;
		end = opened->call.end;
	} else if (owner->kill) {
		start = start ? start : owner->kill;
		end = owner->gone;
	}
	call = add_call(history, last);
	*call = (struct vf_call) {
		.what = VF_CALL_CLOSE,
		.device = opened->call.device,
		.open = open,
		.start = start,
		.end = end,
	};
}

static void convert(const struct history *history)
{
	unsigned int i, opens;

	check.history.nr = 0;
	check.history.dropped = 0;
	/* No stamp: killed before it began. */
	for (i = 0; i < history->nr; i++)
		if (history->entry[i].call.what != VF_CALL_CLOSE &&
		    history->entry[i].call.start)
			add_call(history, i);
	opens = check.history.nr;
	for (i = 0; i < opens; i++)
		if (may_have_opened(&check.history.call[i]))
			add_close(history, i);
}

static void count(const struct history *history, unsigned int nr,
		  struct history_counts *counts)
{
	const struct vf_call *call = &check.history.call[nr];
	int result = history->entry[origin[nr]].call.result;
	bool pf = call->device == VF_MODEL_PF;

	counts->calls++;
	if (call->what == VF_CALL_SET)
		counts->set++;
	else if (call->what >= VF_CALL_LEAVE)
		counts->moved++;
	if (call->what != VF_CALL_OPEN)
		return;
	if (call->unfinished)
		counts->killed++;
	else if (!result)
		*(pf ? &counts->granted_pf : &counts->granted_vf) += 1;
	else if (result == -EACCES)
		*(pf ? &counts->refused_pf : &counts->refused_vf) += 1;
	else
		counts->unreachable++;
}

/* ---------------------------------------------------------------- the story */

static void print_ending(const struct history_entry *entry,
			 const struct vf_call *call)
{
	if (call->unfinished)
		return;
	if (call->what == VF_CALL_CLOSE && entry->call.what != VF_CALL_CLOSE) {
		printf(" as its user %s", has_failed(entry) ? "failed" :
		       "was killed");
		return;
	}
	printf(" (took %.3f s", entry->end_time - entry->start_time);
	if (call->what == VF_CALL_OPEN)
		printf(", %s", open_path_name(entry->path));
	printf(")");
	if (entry->call.result && entry->call.result != -EACCES)
		printf(", then: %s", strerror(-entry->call.result));
}

static void print_call(const struct history *history, unsigned int nr)
{
	const struct vf_call *call = &check.history.call[nr];
	const struct history_entry *entry = &history->entry[origin[nr]];
	char words[128];

	vf_call_describe(call, history->device[call->device], words,
			 sizeof(words));
	printf(STORY "%8.3f s  actor %d: %s",
	       entry->start_time - history->start_time, entry->actor, words);
	print_ending(entry, call);
	printf("\n");
}

static void print_calls(const struct history *history)
{
	int nr = -1;

	while ((nr = vf_check_next_call(&check.history, nr)) >= 0)
		print_call(history, nr);
}

static void print_story(const struct history *history)
{
	unsigned int nr = check.history.nr;

	vf_check_shorten(&check, &whole, &needs);
	printf(STORY "Token %c is set, and nothing is open.  Then:\n",
	       'A' + check.history.before.token - 1);
	print_calls(history);
	printf(STORY "%s\n", vf_check_reason(&check.history));
	printf(STORY "(These are %d of %u calls; the rest is not needed for the contradiction.)\n",
	       check.history.nr -
	       __builtin_popcountll(check.history.dropped &
				    (~0ULL >> (VF_MODEL_CALLS - nr))), nr);
	if (getenv("VFIO_WHOLE_STORY")) {
		printf(STORY "All calls:\n");
		check.history = whole;
		print_calls(history);
	}
}

bool history_check(const struct history *history, unsigned int devices,
		   unsigned int token, struct history_counts *counts)
{
	enum vf_verdict verdict;
	unsigned int i;

	convert(history);
	check.history.before = (struct vf_model) {
		.present = devices,
		.token = token,
	};
	for (i = 0; i < check.history.nr; i++)
		count(history, i, counts);
	verdict = vf_check_history(&check);
	counts->states += check.nr_states;
	if (verdict == VF_UNEXPLAINED)
		print_story(history);
	else if (verdict == VF_UNDECIDED)
		printf(STORY "too many orders of %u calls to try\n",
		       check.history.nr);
	return verdict == VF_EXPLAINED;
}
