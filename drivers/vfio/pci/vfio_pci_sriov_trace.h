/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Trace events of vfio-pci's SR-IOV.  None ever sees a VF token.
 */
#undef TRACE_SYSTEM
#define TRACE_SYSTEM vfio

#if !defined(_TRACE_VFIO_PCI_SRIOV_H) || defined(TRACE_HEADER_MULTI_READ)
#define _TRACE_VFIO_PCI_SRIOV_H

#include <linux/device.h>
#include <linux/pci.h>
#include <linux/tracepoint.h>

/* The VF token of a PF is now what was given when it was opened, or set later */
TRACE_EVENT(vfio_pci_token_set,
	    TP_PROTO(struct device *dev, const char *by),
	    TP_ARGS(dev, by),

	    TP_STRUCT__entry(__string(dev, dev_name(dev))
			     __string(by, by)),

	    TP_fast_assign(__assign_str(dev);
			   __assign_str(by);),

	    TP_printk("dev=%s by=%s", __get_str(dev), __get_str(by))
);

/* A new VF got the driver_override vfio-pci, as vfio-pci drives its PF */
TRACE_EVENT(vfio_pci_vf_captured,
	    TP_PROTO(struct pci_dev *pf, struct pci_dev *vf),
	    TP_ARGS(pf, vf),

	    TP_STRUCT__entry(__string(pf, pci_name(pf))
			     __string(vf, pci_name(vf))),

	    TP_fast_assign(__assign_str(pf);
			   __assign_str(vf);),

	    TP_printk("pf=%s vf=%s", __get_str(pf), __get_str(vf))
);

/* Another driver than vfio-pci has a VF whose PF vfio-pci drives */
TRACE_EVENT(vfio_pci_vf_left,
	    TP_PROTO(struct pci_dev *pf, struct pci_dev *vf, const char *driver),
	    TP_ARGS(pf, vf, driver),

	    TP_STRUCT__entry(__string(pf, pci_name(pf))
			     __string(vf, pci_name(vf))
			     __string(driver, driver)),

	    TP_fast_assign(__assign_str(pf);
			   __assign_str(vf);
			   __assign_str(driver);),

	    TP_printk("pf=%s vf=%s driver=%s", __get_str(pf), __get_str(vf),
		      __get_str(driver))
);

#endif /* _TRACE_VFIO_PCI_SRIOV_H */

#undef TRACE_INCLUDE_PATH
#define TRACE_INCLUDE_PATH .
#undef TRACE_INCLUDE_FILE
#define TRACE_INCLUDE_FILE vfio_pci_sriov_trace

/* This part must be outside protection */
#include <trace/define_trace.h>
