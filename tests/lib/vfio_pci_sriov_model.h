/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The rules of the VF token as a model: one PF, its VFs, one call at a time.
 *
 * Tests compare vfio-pci with it.  It is written from the rules, not from the
 * code of vfio_pci_sriov.c, and shares nothing with that.
 *
 * A test records calls with their results.  For one call, the model tells
 * whether it can have had this result in this state, and the state after it.
 */
#ifndef VFIO_PCI_SRIOV_MODEL_H
#define VFIO_PCI_SRIOV_MODEL_H

#include <linux/errno.h>
#include <linux/types.h>
#ifdef __KERNEL__
#include <linux/sprintf.h>
#else
#include <stdbool.h>
#include <stdio.h>
#endif

#define VF_MODEL_CALLS	64	/* as many as a mask has bits */
#define VF_MODEL_PF	0	/* the PF's number; VFs count from 1 */
#define VF_MODEL_DEVICES 16

/* Tokens also have numbers: 1 is A, and so on. */
#define VF_TOKEN_NONE	0	/* the caller presents none */
#define VF_TOKEN_SECRET	255	/* random, unknown to all callers */

enum vf_call_what {
	VF_CALL_OPEN,	/* of @device with @token */
	VF_CALL_CLOSE,	/* the last close of what call number @open opened */
	VF_CALL_SET,	/* the holder of the PF sets @token */
	/*
	 * An unbind, or the disabling of all VFs, has two steps: the device can
	 * no longer be looked up, and then its last user has closed it.
	 */
	VF_CALL_LEAVE,
	VF_CALL_GONE,
	VF_CALL_ENTER,	/* the device is bound to vfio-pci, a PF anew */
};

/**
 * struct vf_call - a call that was made
 * @what: which
 * @device: VF_MODEL_PF, or the number of a VF
 * @token: number of the presented token, or VF_TOKEN_NONE
 * @open: of a close, the number of the call that opened
 * @unfinished: it has not returned, and may have happened or not
 * @contended: another actor had files of the same device at the time, which
 *	       allows -EBUSY: cdev and group exclude each other
 * @fresh: the caller opened the device's files within the call, so they are not
 *	   those of a device that has left before
 * @failed: it was admitted, but then failed
 * @result: 0 or a negative errno
 * @start: stamp from before the call; later ones are greater
 * @end: stamp from after the call, or from when its caller was gone
 */
struct vf_call {
	enum vf_call_what what;
	__u8 device;
	__u8 token;
	__u8 open;
	bool unfinished;
	bool contended;
	bool fresh;
	bool failed;
	int result;
	__u64 start;
	__u64 end;
};

/**
 * struct vf_model - the state for the rules
 * @held_pf: calls that have opened the PF, which is not closed yet
 * @held_vf: the same for VFs: they are in use if there is any
 * @present: devices that can be opened
 * @leaving: devices that can no longer be looked up, but are not yet gone
 * @left: devices that have left at least once: there are stale files
 * @token: the PF's token
 */
struct vf_model {
	__u64 held_pf;
	__u64 held_vf;
	__u16 present;
	__u16 leaving;
	__u16 left;
	__u8 token;
};

static inline __u64 vf_bit(unsigned int nr)
{
	return 1ULL << nr;
}

/* The rule of the token: may it be opened?  A PF's token is set on success. */
static inline bool vf_model_admit(struct vf_model *model,
				  const struct vf_call *call)
{
	if (call->device != VF_MODEL_PF || model->held_vf)
		return call->token != VF_TOKEN_NONE &&
		       call->token == model->token;
	if (call->token != VF_TOKEN_NONE && !call->failed && !call->result)
		model->token = call->token;
	return true;
}

static inline bool vf_model_open(struct vf_model *model,
				 const struct vf_call *call, unsigned int nr)
{
	if (!((model->present | model->leaving) & vf_bit(call->device)) ||
	    !vf_model_admit(model, call))
		return false;
	if (call->device == VF_MODEL_PF)
		model->held_pf |= vf_bit(nr);
	else
		model->held_vf |= vf_bit(nr);
	return true;
}

/*
 * Refused for a reason other than the token: the device leaves or has left, or
 * is in use on the other path.
 */
static inline bool vf_model_unreachable(const struct vf_model *model,
					const struct vf_call *call)
{
	__u16 away = ~model->present | (call->fresh ? 0 : model->left);

	switch (call->result) {
	case -ENODEV:
	case -ENOENT:
	case -ENXIO:
		return away & vf_bit(call->device);
	case -EBUSY:
		return call->contended;
	case -EINVAL:
		return call->contended || (away & vf_bit(call->device));
	default:
		return false;
	}
}

static inline bool vf_model_refused(const struct vf_model *model,
				    const struct vf_call *call)
{
	struct vf_model copy = *model;

	if (call->result == -EACCES)
		return (model->present | model->leaving) & vf_bit(call->device) &&
		       !vf_model_admit(&copy, call);
	return vf_model_unreachable(model, call);
}

/* @opened: the calls that tried to open the device that leaves */
static inline bool vf_model_move(struct vf_model *model,
				 const struct vf_call *call, __u64 opened)
{
	__u16 device = vf_bit(call->device);

	switch (call->what) {
	case VF_CALL_LEAVE:
		if (!(model->present & device))
			return false;
		model->present &= ~device;
		model->leaving |= device;
		model->left |= device;
		return true;
	case VF_CALL_GONE:
		if (!(model->leaving & device) ||
		    ((model->held_pf | model->held_vf) & opened))
			return false;
		model->leaving &= ~device;
		return true;
	case VF_CALL_ENTER:
		if ((model->present | model->leaving) & device)
			return false;
		model->present |= device;
		if (call->device == VF_MODEL_PF)
			model->token = VF_TOKEN_SECRET;
		return true;
	default:
		return false;
	}
}

/**
 * vf_model_step - can a call have had its result in this state?
 * @model: the state, and on return the one after the call
 * @call: the call
 * @nr: its number, below VF_MODEL_CALLS
 * @opened: the numbers of all opens of its device
 *
 * An unfinished call is taken as if it had returned 0.
 *
 * Return: true if it can.
 */
static inline bool vf_model_step(struct vf_model *model,
				 const struct vf_call *call, unsigned int nr,
				 __u64 opened)
{
	switch (call->what) {
	case VF_CALL_OPEN:
		if (call->result && !call->unfinished)
			return vf_model_refused(model, call);
		return vf_model_open(model, call, nr);
	case VF_CALL_CLOSE:
		model->held_pf &= ~vf_bit(call->open);
		model->held_vf &= ~vf_bit(call->open);
		return true;
	case VF_CALL_SET:
		model->token = call->token;
		return true;
	default:
		return vf_model_move(model, call, opened);
	}
}

/**
 * vf_model_step_unseen - could the call have done more than its result says?
 * @model: the state, and on return the one after the call
 * @call: the call
 * @nr: its number
 *
 * An unfinished call may not have happened.  An open that failed after it was
 * admitted is one that was closed at once, but sets no token: that close, which
 * can have happened at any later time within the call, is a separate call.
 *
 * Return: true if it could.
 */
static inline bool vf_model_step_unseen(struct vf_model *model,
					const struct vf_call *call,
					unsigned int nr)
{
	if (call->unfinished)
		return true;
	return call->what == VF_CALL_OPEN && call->result &&
	       call->result != -EACCES && vf_model_unreachable(model, call) &&
	       vf_model_open(model, call, nr);
}

static inline const char *vf_token_name(__u8 token, char name[16])
{
	if (token == VF_TOKEN_NONE)
		snprintf(name, 16, "no token");
	else
		snprintf(name, 16, "token %c", 'A' + token - 1);
	return name;
}

/**
 * vf_call_describe - a call in words
 * @call: the call
 * @device: the name of its device
 * @buf: where the words go
 * @len: how many bytes there are
 */
static inline void vf_call_describe(const struct vf_call *call,
				    const char *device, char *buf, size_t len)
{
	const char *kind = call->device == VF_MODEL_PF ? "PF" : "VF";
	const char *ended = "";
	char token[16];

	if (call->unfinished)
		ended = " ... had not returned";
	vf_token_name(call->token, token);
	switch (call->what) {
	case VF_CALL_OPEN:
		if (!call->unfinished)
			ended = !call->result ? " ... granted" :
				call->result == -EACCES ? " ... refused" :
				" ... failed";
		snprintf(buf, len, "%s %s opened with %s%s", kind, device,
			 token, ended);
		return;
	case VF_CALL_CLOSE:
		snprintf(buf, len, "%s %s closed%s", kind, device, ended);
		return;
	case VF_CALL_SET:
		snprintf(buf, len, "%s %s: its holder sets %s%s", kind, device,
			 token, ended);
		return;
	case VF_CALL_LEAVE:
		snprintf(buf, len, "%s %s leaves its driver%s", kind, device,
			 ended);
		return;
	case VF_CALL_GONE:
		snprintf(buf, len, "%s %s has no users and is gone%s", kind,
			 device, ended);
		return;
	case VF_CALL_ENTER:
		snprintf(buf, len, "%s %s is bound to vfio-pci%s", kind, device,
			 ended);
		return;
	}
}

#endif /* VFIO_PCI_SRIOV_MODEL_H */
