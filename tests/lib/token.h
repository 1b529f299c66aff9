/* SPDX-License-Identifier: GPL-2.0-only */
/* VF tokens in their two forms: text for the group path, bytes for the rest. */
#ifndef VFIO_SELFTEST_TOKEN_H
#define VFIO_SELFTEST_TOKEN_H

#include "sriov_util.h"

#define TOKEN_TEXT_LEN	37

/* A new random one. */
void token_random(char text[TOKEN_TEXT_LEN]);

#endif
