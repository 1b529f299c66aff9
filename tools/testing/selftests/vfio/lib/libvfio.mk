# SPDX-License-Identifier: GPL-2.0-only
LIBVFIO_SRCDIR := $(selfdir)/vfio/lib
LIBVFIO_O := $(OUTPUT)/libvfio.o

CFLAGS += -I$(LIBVFIO_SRCDIR)/include
EXTRA_CLEAN += $(LIBVFIO_O)

$(LIBVFIO_O): $(LIBVFIO_SRCDIR)/libvfio.c
	$(COMPILE.c) $< -o $@
