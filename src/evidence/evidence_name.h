/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PVF_EVIDENCE_EVIDENCE_NAME_H
#define PVF_EVIDENCE_EVIDENCE_NAME_H

#include "base/cleanup.h"
#include "pvf/error.h"

#include <stdbool.h>

/* "20261126T011500.123456Z-1a2b3c4d": in the order of time as in that of bytes. */
#define PVF__EVIDENCE_NAME_LEN 32
#define PVF__EVIDENCE_TEMPORARY ".tmp"
#define PVF__EVIDENCE_NAME_SIZE (PVF__EVIDENCE_NAME_LEN + sizeof(PVF__EVIDENCE_TEMPORARY))

/* A name of its own for a bundle that is written now. */
PVF__NODISCARD int pvf__evidence_name_make(char out[PVF__EVIDENCE_NAME_SIZE], pvf_error *err);

/* Is it one of ours?  Then *ret_temporary tells whether the bundle was never finished. */
bool pvf__evidence_name_is(const char *name, bool *ret_temporary);

/* 64 lower-case hex digits: a code that is kept. */
bool pvf__evidence_name_is_code(const char *name);

#endif
