/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Does some serial order explain what concurrent callers saw of the VF token?
 *
 * Each call has a stamp from before it and one from after it.  A call that
 * ended before another began happened first; calls that overlap may have
 * happened in any order.  The search tries all these orders in the model, depth
 * first, and remembers the states that it has been in.
 */
#ifndef VFIO_PCI_SRIOV_CHECK_H
#define VFIO_PCI_SRIOV_CHECK_H

#include "vfio_pci_sriov_model.h"

/* The number of remembered states; longer histories may need more. */
#ifndef VF_CHECK_STATES
#define VF_CHECK_STATES	16384U
#endif

/**
 * struct vf_history - calls, in any order
 * @call: the calls
 * @nr: how many
 * @before: the state before the first of them
 * @dropped: calls that are ignored
 */
struct vf_history {
	struct vf_call call[VF_MODEL_CALLS];
	unsigned int nr;
	struct vf_model before;
	__u64 dropped;
};

enum vf_verdict {
	VF_EXPLAINED,
	VF_UNEXPLAINED,
	VF_UNDECIDED,	/* too many orders to try */
};

struct vf_check_state {
	struct vf_model model;
	__u64 done;
	__u64 run;	/* of the search that was here; 0 in an unused one */
};

/**
 * struct vf_check - room for a search; zeroed before the first one
 * @history: the history to explain
 * @after: of each call, those that happened before it
 * @opened: of each device, the calls that tried to open it
 * @pending: calls that may be left out: unfinished, with none after them
 * @run: number of searches
 * @nr_states: number of states that the last one has seen
 * @stack: the states on the way here, and what was tried in each
 * @seen: states that lead nowhere
 */
struct vf_check {
	struct vf_history history;
	__u64 after[VF_MODEL_CALLS];
	__u64 opened[VF_MODEL_DEVICES];
	__u64 pending;
	__u64 run;
	unsigned int nr_states;
	struct {
		struct vf_model model;
		__u64 done;
		unsigned int next;
	} stack[VF_MODEL_CALLS + 1];
	struct vf_check_state seen[VF_CHECK_STATES];
};

static inline void vf_check_order(struct vf_check *check)
{
	const struct vf_history *history = &check->history;
	unsigned int i, j;

	for (i = 0; i < VF_MODEL_DEVICES; i++)
		check->opened[i] = 0;
	for (i = 0; i < history->nr; i++) {
		const struct vf_call *call = &history->call[i];

		check->after[i] = 0;
		for (j = 0; j < history->nr; j++)
			if (history->call[j].end < call->start)
				check->after[i] |= vf_bit(j);
		if (call->what == VF_CALL_CLOSE)
			check->after[i] |= vf_bit(call->open);
		if (call->what == VF_CALL_OPEN)
			check->opened[call->device] |= vf_bit(i);
	}
}

static inline void vf_check_find_pending(struct vf_check *check)
{
	const struct vf_history *history = &check->history;
	unsigned int i;

	check->pending = 0;
	for (i = 0; i < history->nr; i++)
		if (history->call[i].unfinished)
			check->pending |= vf_bit(i);
	for (i = 0; i < history->nr; i++)
		if (!history->call[i].unfinished &&
		    !(history->dropped & vf_bit(i)))
			check->pending &= ~check->after[i];
}

static inline bool vf_model_equal(const struct vf_model *a,
				  const struct vf_model *b)
{
	return a->held_pf == b->held_pf && a->held_vf == b->held_vf &&
	       a->present == b->present && a->leaving == b->leaving &&
	       a->left == b->left && a->token == b->token;
}

static inline unsigned int vf_check_hash(const struct vf_model *model,
					 __u64 done)
{
	__u64 hash = done;

	hash = (hash ^ model->held_vf) * 0x9e3779b97f4a7c15ULL;
	hash = (hash ^ model->held_pf ^ (hash >> 29)) * 0x9e3779b97f4a7c15ULL;
	hash ^= model->token ^ (__u64)model->present << 8 ^
		(__u64)model->leaving << 24 ^ (__u64)model->left << 40;
	hash *= 0x9e3779b97f4a7c15ULL;
	return hash >> 40;
}

/* True, and remember it, if the state is new.  False if there is no room. */
static inline bool vf_check_is_new(struct vf_check *check,
				   const struct vf_model *model, __u64 done)
{
	unsigned int at = vf_check_hash(model, done) % VF_CHECK_STATES;
	struct vf_check_state *state = &check->seen[at];

	while (state->run == check->run) {
		if (state->done == done && vf_model_equal(&state->model, model))
			return false;
		at = (at + 1) % VF_CHECK_STATES;
		state = &check->seen[at];
	}
	if (check->nr_states >= VF_CHECK_STATES / 2)
		return false;
	check->nr_states++;
	state->run = check->run;
	state->done = done;
	state->model = *model;
	return true;
}

static inline bool vf_check_may_be_next(const struct vf_check *check,
					unsigned int nr, __u64 done)
{
	return !(done & vf_bit(nr)) && !(check->after[nr] & ~done);
}

/*
 * Way 2n is call n with its result, way 2n+1 is call n with effects that its
 * result does not show.
 */
static inline bool vf_check_try(const struct vf_check *check, unsigned int way,
				struct vf_model *model, __u64 *done)
{
	const struct vf_call *call = &check->history.call[way / 2];

	if (!vf_check_may_be_next(check, way / 2, *done))
		return false;
	if (way % 2 && (check->pending & vf_bit(way / 2)))
		return false;
	if (way % 2 ? !vf_model_step_unseen(model, call, way / 2) :
		      !vf_model_step(model, call, way / 2,
				     check->opened[call->device]))
		return false;
	*done |= vf_bit(way / 2);
	return true;
}

/*
 * A refusal changes nothing, and an early close of a PF prevents no other call:
 * where one of these can be next, no other order needs to be tried.
 */
static inline bool vf_check_is_free(const struct vf_check *check,
				    unsigned int nr)
{
	const struct vf_call *call = &check->history.call[nr];

	if (call->unfinished)
		return false;
	if (call->what == VF_CALL_CLOSE)
		return call->device == VF_MODEL_PF;
	return call->what == VF_CALL_OPEN && call->result == -EACCES;
}

static inline void vf_check_take_free(const struct vf_check *check,
				      struct vf_model *model, __u64 *done)
{
	unsigned int i;
	bool again;

	do {
		again = false;
		for (i = 0; i < check->history.nr; i++)
			if (!(*done & vf_bit(i)) && vf_check_is_free(check, i))
				again |= vf_check_try(check, 2 * i, model, done);
	} while (again);
}

/**
 * vf_check_history - can check->history have happened?
 * @check: the room for it
 *
 * Return: the verdict.
 */
static inline enum vf_verdict vf_check_history(struct vf_check *check)
{
	unsigned int nr = check->history.nr;
	__u64 all = nr ? ~0ULL >> (VF_MODEL_CALLS - nr) : 0;
	unsigned int depth = 0;

	vf_check_order(check);
	vf_check_find_pending(check);
	check->run++;
	check->nr_states = 0;
	check->stack[0].model = check->history.before;
	check->stack[0].done = check->history.dropped & all;
	check->stack[0].next = 0;
	vf_check_take_free(check, &check->stack[0].model,
			   &check->stack[0].done);

	for (;;) {
		struct vf_model model = check->stack[depth].model;
		__u64 done = check->stack[depth].done;
		unsigned int way = check->stack[depth].next++;

		if (!(all & ~(done | check->pending)))
			return VF_EXPLAINED;
		if (way == 2 * nr) {
			if (!depth--)
				break;
			continue;
		}
		if (!vf_check_try(check, way, &model, &done))
			continue;
		vf_check_take_free(check, &model, &done);
		if (!vf_check_is_new(check, &model, done))
			continue;
		depth++;
		check->stack[depth].model = model;
		check->stack[depth].done = done;
		check->stack[depth].next = 0;
	}
	return check->nr_states < VF_CHECK_STATES / 2 ? VF_UNEXPLAINED :
							VF_UNDECIDED;
}

/* Call @nr and, if it is an open, its close. */
static inline __u64 vf_check_with_close(const struct vf_history *history,
					unsigned int nr)
{
	__u64 unit = vf_bit(nr);
	unsigned int i;

	for (i = 0; i < history->nr; i++)
		if (history->call[i].what == VF_CALL_CLOSE &&
		    history->call[i].open == nr)
			unit |= vf_bit(i);
	return unit;
}

/* The effects of others that the remaining calls need. */
struct vf_check_needs {
	bool reason_for_refusal;	/* a token that is set, a VF in use */
	bool device_away;
	unsigned int users[256];	/* of each token */
};

static inline void vf_check_find_needs(const struct vf_history *history,
				       struct vf_check_needs *needs)
{
	unsigned int i;

	for (i = 0; i < 256; i++)
		needs->users[i] = 0;
	needs->reason_for_refusal = false;
	needs->device_away = false;
	for (i = 0; i < history->nr; i++) {
		const struct vf_call *call = &history->call[i];

		if (history->dropped & vf_bit(i))
			continue;
		if (call->what == VF_CALL_OPEN || call->what == VF_CALL_SET)
			needs->users[call->token]++;
		if (call->what != VF_CALL_OPEN || !call->result)
			continue;
		if (call->result == -EACCES)
			needs->reason_for_refusal = true;
		else
			needs->device_away = true;
	}
}

/*
 * The calls that can be dropped together with call @nr, so that the rest is
 * explained if the whole is: no remaining call needs their effects.  0 if there
 * are none.
 */
static inline __u64 vf_check_may_drop(const struct vf_history *history,
				      const struct vf_check_needs *needs,
				      unsigned int nr)
{
	const struct vf_call *call = &history->call[nr];
	bool sets = call->device == VF_MODEL_PF && call->token;
	__u64 unit = 0;
	unsigned int i;

	switch (call->what) {
	case VF_CALL_OPEN:
		if (!call->unfinished && call->result == -EACCES)
			return vf_bit(nr);
		unit = vf_check_with_close(history, nr);
		if (!sets && call->device == VF_MODEL_PF)
			return unit;
		if (needs->reason_for_refusal)
			return 0;
		return sets && needs->users[call->token] > 1 ? 0 : unit;
	case VF_CALL_SET:
		return needs->reason_for_refusal ||
		       needs->users[call->token] > 1 ? 0 : vf_bit(nr);
	case VF_CALL_CLOSE:
		return 0;	/* with its open */
	default:
		if (needs->reason_for_refusal || needs->device_away)
			return 0;
		for (i = 0; i < history->nr; i++)
			if (history->call[i].what >= VF_CALL_LEAVE &&
			    history->call[i].device == call->device)
				unit |= vf_bit(i);
		return unit;
	}
}

static inline bool vf_check_drop_one(struct vf_check *check,
				     struct vf_check_needs *needs)
{
	struct vf_history *history = &check->history;
	unsigned int i;
	__u64 old = history->dropped;

	vf_check_find_needs(history, needs);
	for (i = 0; i < history->nr; i++) {
		if (old & vf_bit(i))
			continue;
		history->dropped |= vf_check_may_drop(history, needs, i);
		if (history->dropped == old)
			continue;
		if (vf_check_history(check) == VF_UNEXPLAINED)
			return true;
		history->dropped = old;
	}
	return false;
}

/* The history as of a time: calls that began later have not happened. */
static inline void vf_check_cut(struct vf_history *history, __u64 time)
{
	unsigned int i;

	for (i = 0; i < history->nr; i++) {
		if (history->call[i].start > time)
			history->dropped |= vf_bit(i);
		else if (history->call[i].end > time)
			history->call[i].unfinished = true;
	}
}

/* Cut the history where it first cannot be explained: at the end of a call. */
static inline void vf_check_cut_early(struct vf_check *check,
				      struct vf_history *whole)
{
	__u64 time = 0, best;
	unsigned int i;

	*whole = check->history;
	do {
		best = ~0ULL;
		for (i = 0; i < whole->nr; i++)
			if (whole->call[i].end > time &&
			    whole->call[i].end < best)
				best = whole->call[i].end;
		if (best == ~0ULL)
			break;
		time = best;
		check->history = *whole;
		vf_check_cut(&check->history, time);
	} while (vf_check_history(check) != VF_UNEXPLAINED);
}

/**
 * vf_check_shorten - reduce an unexplained history to a contradiction
 * @check: a history for which vf_check_history() returned VF_UNEXPLAINED
 * @whole: room for a copy, which is check->history as it was
 * @needs: room
 */
static inline void vf_check_shorten(struct vf_check *check,
				    struct vf_history *whole,
				    struct vf_check_needs *needs)
{
	vf_check_cut_early(check, whole);
	while (vf_check_drop_one(check, needs))
		;
}

/* The call that began first of those after @last; -1 if there is none. */
static inline int vf_check_next_call(const struct vf_history *history, int last)
{
	__u64 after = last < 0 ? 0 : history->call[last].start;
	int i, next = -1;

	for (i = 0; i < (int)history->nr; i++) {
		if ((history->dropped & vf_bit(i)) || i == last)
			continue;
		/* Some calls have the same stamps; they go by their number. */
		if (last >= 0 && (history->call[i].start < after ||
				  (history->call[i].start == after && i < last)))
			continue;
		if (next < 0 ||
		    history->call[i].start < history->call[next].start)
			next = i;
	}
	return next;
}

/* Does each open begin before the other is closed? */
static inline bool vf_check_open_beside(const struct vf_history *history,
					unsigned int a, unsigned int b)
{
	__u64 end_a = ~0ULL, end_b = ~0ULL;
	unsigned int i;

	for (i = 0; i < history->nr; i++) {
		const struct vf_call *call = &history->call[i];

		if (call->what != VF_CALL_CLOSE ||
		    (history->dropped & vf_bit(i)))
			continue;
		if (call->open == a)
			end_a = call->start;
		if (call->open == b)
			end_b = call->start;
	}
	return history->call[a].start < end_b && history->call[b].start < end_a;
}

/* Were a VF and the PF open together, with different tokens? */
static inline bool vf_check_at_odds(const struct vf_history *history,
				    unsigned int vf, unsigned int pf)
{
	const struct vf_call *call = history->call;

	return call[vf].device != VF_MODEL_PF &&
	       call[pf].device == VF_MODEL_PF &&
	       call[vf].token != call[pf].token &&
	       vf_check_open_beside(history, vf, pf);
}

static inline bool vf_check_is_granted(const struct vf_history *history,
				       unsigned int nr)
{
	const struct vf_call *call = &history->call[nr];

	return !(history->dropped & vf_bit(nr)) && !call->unfinished &&
	       call->what == VF_CALL_OPEN && !call->result;
}

/**
 * vf_check_reason - describe the contradiction in a short unexplained history
 * @history: from vf_check_shorten()
 *
 * Return: the sentence.
 */
static inline const char *vf_check_reason(const struct vf_history *history)
{
	const char *at_odds =
		"The VF and the PF have users with different tokens, and both were admitted.";
	unsigned int vf, pf;

	for (vf = 0; vf < history->nr; vf++) {
		if (!vf_check_is_granted(history, vf))
			continue;
		for (pf = 0; pf < history->nr; pf++)
			if (vf_check_is_granted(history, pf) &&
			    vf_check_at_odds(history, vf, pf))
				return at_odds;
	}
	return "No order of these calls, one at a time, has these results.";
}

#endif /* VFIO_PCI_SRIOV_CHECK_H */
