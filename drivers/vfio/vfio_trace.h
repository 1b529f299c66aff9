/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Trace events of VFIO: who may open a device.  None ever sees a token.
 */
#undef TRACE_SYSTEM
#define TRACE_SYSTEM vfio

#if !defined(_TRACE_VFIO_H) || defined(TRACE_HEADER_MULTI_READ)
#define _TRACE_VFIO_H

#include <linux/device.h>
#include <linux/tracepoint.h>

/* An open passed admission; it may still fail later.  Never shows the token. */
TRACE_EVENT(vfio_open_granted,
	    TP_PROTO(struct device *dev, bool token),
	    TP_ARGS(dev, token),

	    TP_STRUCT__entry(__string(dev, dev_name(dev))
			     __field(bool, token)),

	    TP_fast_assign(__assign_str(dev);
			   __entry->token = token;),

	    TP_printk("dev=%s token=%s", __get_str(dev),
		      __entry->token ? "given" : "none")
);

TRACE_EVENT(vfio_open_refused,
	    TP_PROTO(struct device *dev, const char *why),
	    TP_ARGS(dev, why),

	    TP_STRUCT__entry(__string(dev, dev_name(dev))
			     __string(why, why)),

	    TP_fast_assign(__assign_str(dev);
			   __assign_str(why);),

	    TP_printk("dev=%s reason=\"%s\"", __get_str(dev), __get_str(why))
);

#endif /* _TRACE_VFIO_H */

#undef TRACE_INCLUDE_PATH
#define TRACE_INCLUDE_PATH .
#undef TRACE_INCLUDE_FILE
#define TRACE_INCLUDE_FILE vfio_trace

/* This part must be outside protection */
#include <trace/define_trace.h>
