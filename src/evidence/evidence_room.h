/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PVF_EVIDENCE_EVIDENCE_ROOM_H
#define PVF_EVIDENCE_EVIDENCE_ROOM_H

#include "base/cleanup.h"
#include "evidence/evidence_folder.h"
#include "pvf/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Removes the oldest bundles until all take at most `max_bytes` and there is room for one more by
 * number, bundles that were never finished, and codes that no bundle holds any more.  What is being
 * written just now counts and stays.  PVF_ERR_LIMIT when it is too much even so; nothing is
 * removed when the bundle `own`, with a code of `code_len` bytes, is too large by itself.
 */
PVF__NODISCARD int pvf__evidence_room_make(const struct pvf__evidence_folder *folder,
                                           uint64_t max_bytes,
                                           const char *own,
                                           size_t code_len,
                                           pvf_error *err);

#endif
